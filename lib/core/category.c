/*
 * The task types: what each is for, where it happens, how it is proven and what it may cost at most.  Whether a particular
 * task fits its type is judged in task.c.
 */
#include <string.h>
#include "core/category.h"

/* type, description, digital, credential, proof type, proof to begin with, maximum */
const struct category categories[] = {
	{ "VERIFICATION", "Go and check that something at a place is as described.", false, false, "PHOTO",
	    "Photo that shows what was to be verified", USD(10000) },
	{ "PHOTO", "Take photos of a place or an object.", false, false, "PHOTO", "Clear photo of the subject",
	    USD(10000) },
	{ "DELIVERY", "Carry something from one place to another.", false, false, "PHOTO",
	    "Photo of the handed-over item", USD(10000) },
	{ "INSPECTION", "Look over a site or an object and report its condition.", false, false, "PHOTO",
	    "Photos of every point inspected", USD(10000) },
	{ "CAPTCHA_SOLVING", "Pass a visual challenge that software cannot.", true, false, "SCREENSHOT",
	    "Screenshot of the solved challenge", USD(10) },
	{ "FORM_FILLING", "Fill in a form, an application or a sign-up on the web.", true, false, "SCREENSHOT",
	    "Screenshot of the confirmation page", USD(50) },
	{ "BROWSER_INTERACTION", "Do something in a browser that takes human judgement.", true, false, "SCREENSHOT",
	    "Screenshot of the final state", USD(100) },
	{ "CONTENT_REVIEW", "Read or view content and judge its quality, accuracy or compliance.", true, false,
	    "CONFIRMATION", "Written judgement with its reasons", USD(25) },
	{ "DATA_VALIDATION", "Check data against sources in the real world.", true, false, "CONFIRMATION",
	    "Result for each item, with the source", USD(50) },
	{ "ACCOUNT_CREATION", "Open an account at a service and hand over its credentials, encrypted.", true, true,
	    "ARTIFACT", "Account credentials, end-to-end encrypted", USD(100) },
	{ "API_KEY_PROCUREMENT", "Sign up for a service and hand over an API key, encrypted.", true, true, "ARTIFACT",
	    "API key, end-to-end encrypted", USD(200) },
	{ "PHONE_VERIFICATION", "Receive a code by phone and hand it over, encrypted.", true, true, "ARTIFACT",
	    "Verification code, end-to-end encrypted", USD(25) },
	{ "SUBSCRIPTION_SETUP", "Set up a paid subscription and hand over its access, encrypted.", true, true,
	    "ARTIFACT", "Subscription access, end-to-end encrypted", USD(500) },
};
const size_t category_count = sizeof(categories) / sizeof(categories[0]);

const char *const category_types[] = { "VERIFICATION", "PHOTO", "DELIVERY", "INSPECTION", "CAPTCHA_SOLVING",
	"FORM_FILLING", "BROWSER_INTERACTION", "CONTENT_REVIEW", "DATA_VALIDATION", "ACCOUNT_CREATION",
	"API_KEY_PROCUREMENT", "PHONE_VERIFICATION", "SUBSCRIPTION_SETUP", NULL };
const char *const category_proofs[] = { "PHOTO", "SCREENSHOT", "CONFIRMATION", "ARTIFACT", NULL };
const char *const category_domains[] = { "PHYSICAL", "DIGITAL", NULL };

const struct category *
category_find(const char *type)
{
	for (size_t i = 0; i < category_count; i++)
		if (strcmp(categories[i].type, type) == 0)
			return &categories[i];
	return NULL;
}

const char *
category_domain(const struct category *category)
{
	return category_domains[category->is_digital];
}
