/* The table of task types against the reference's limits, and against its own list of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/text.h"
#include "core/category.h"

static void
every_type_has_the_maximum_of_the_reference(void **state)
{
	static const struct {
		const char *type;
		int dollars;
		bool is_digital, is_credential;
		const char *proof;
	} rows[] = {
		{ "VERIFICATION", 10000, false, false, "PHOTO" },
		{ "PHOTO", 10000, false, false, "PHOTO" },
		{ "DELIVERY", 10000, false, false, "PHOTO" },
		{ "INSPECTION", 10000, false, false, "PHOTO" },
		{ "CAPTCHA_SOLVING", 10, true, false, "SCREENSHOT" },
		{ "FORM_FILLING", 50, true, false, "SCREENSHOT" },
		{ "BROWSER_INTERACTION", 100, true, false, "SCREENSHOT" },
		{ "CONTENT_REVIEW", 25, true, false, "CONFIRMATION" },
		{ "DATA_VALIDATION", 50, true, false, "CONFIRMATION" },
		{ "ACCOUNT_CREATION", 100, true, true, "ARTIFACT" },
		{ "API_KEY_PROCUREMENT", 200, true, true, "ARTIFACT" },
		{ "PHONE_VERIFICATION", 25, true, true, "ARTIFACT" },
		{ "SUBSCRIPTION_SETUP", 500, true, true, "ARTIFACT" },
	};

	(void)state;
	assert_int_equal(category_count, nitems(rows));
	for (size_t i = 0; i < nitems(rows); i++) {
		const struct category *category = category_find(rows[i].type);

		assert_non_null(category);
		assert_int_equal(category->maximum, USD(rows[i].dollars));
		assert_int_equal(category->is_digital, rows[i].is_digital);
		assert_int_equal(category->is_credential, rows[i].is_credential);
		assert_string_equal(category->proof_type, rows[i].proof);
		assert_string_equal(category_domain(category), rows[i].is_digital ? "DIGITAL" : "PHYSICAL");
	}
}

static void
the_list_of_names_is_that_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < category_count; i++)
		assert_string_equal(category_types[i], categories[i].type);
	assert_null(category_types[category_count]);
}

static void
an_unknown_type_is_not_found(void **state)
{
	static const char *const names[] = { "", "photo", "PHOTO ", "PHOT", "CAPTCHA" };

	(void)state;
	for (size_t i = 0; i < nitems(names); i++)
		assert_null(category_find(names[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_the_maximum_of_the_reference),
		cmocka_unit_test(the_list_of_names_is_that_of_the_table),
		cmocka_unit_test(an_unknown_type_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
