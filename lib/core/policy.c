/*
 * May this task exist: searches what it says for what policy.def forbids.  Words alone are all that is looked
 * at; what they mean together is asked of a model, where there is one (guardian.c), and of people on appeal.
 */
#include "core/policy.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

#include "base/phrase.h"
#include "base/text.h"
#include "core/guardian.h"

enum { NEAR_LETTERS = 60, TEXTS_FIXED = 3 };

#define ALL NULL
#define CREDENTIAL "ACCOUNT_CREATION API_KEY_PROCUREMENT PHONE_VERIFICATION SUBSCRIPTION_SETUP"
#define CAPTCHA "CAPTCHA_SOLVING"
#define ONLINE CREDENTIAL " " CAPTCHA " FORM_FILLING BROWSER_INTERACTION"
const struct policy_rule policy_rules[] = {
#define RULE(id, category, types, any, near, sentence) { #id, #category, types, any, near, sentence },
#include "core/policy.def"
#undef RULE
};
const size_t policy_rule_count = nitems(policy_rules);

/* Sorted; what a model may name besides those of the rules stands here too. */
const char *const policy_categories[] = { "CREDENTIAL_THEFT", "FORGERY", "FRAUD", "HARASSMENT", "ILLEGAL_GOODS",
	"IMPERSONATION", "INTRUSION", "MINORS", "OTHER", "PERSONAL_DATA", "PLATFORM_ABUSE", "PLATFORM_EVASION",
	"PROTECTED_PORTAL", "SELF_HARM", "SEXUAL_SERVICES", "SURVEILLANCE", "THEFT", "VIOLENCE", "WEAPONS", NULL };

/* How people talk to a judge that is a machine.  A proof or a task has no reason to. */
static const char judge_phrases[] =
    "ignore previous|ignore all previous|ignore the previous|ignore prior|ignore all prior|ignore any "
    "previous|"
    "ignore the above|ignore everything above|ignore all instructions|ignore the instructions|"
    "ignore these instructions|ignore your instruction*|ignore your rule*|ignore your guideline*|"
    "disregard previous|disregard all|disregard the above|disregard your|disregard prior|forget previous|"
    "forget all previous|forget your instruction*|forget everything|override your|override previous|"
    "override the instruction*|override the rule*|new instructions for|system prompt|system message|"
    "system override|developer mode|developer message|jailbreak*|you are now a|you are now an|you are an ai|"
    "as an ai|dear ai|attention ai|note to ai|note to the ai|ai guardian|ai model|dear guardian|"
    "note to the guardian|to the guardian|the guardian must|the guardian should|guardian instruction*|"
    "language model|the reviewer must|the verifier must|reviewer instruction*|instructions to the reviewer|"
    "message to the verifier|instruction to the model|confidence 100|confidence of 100|confidence 9*|"
    "confidence of 9*|confidence to 100|confidence to 9*|100 confidence|set confidence|set the confidence|"
    "maximum confidence|confidence score|return approve|answer approve|respond approve|reply approve|"
    "output approve|decision approve|verdict approve|must approve|always approve|approve this proof|"
    "approve this submission|automatically approve*|auto approve*|mark as met|mark all requirement*|"
    "mark every requirement|mark each requirement|pre approved by|met true|return reject|answer reject|"
    "must reject|always reject|reject this proof|reject every|reject all|confidence 0|confidence of 0|"
    "confidence zero|respond only with|reply only with|answer only with|respond with json|reply with json|"
    "output json|json object|end of data|end of proof|begin instruction*|begin system|im start|endoftext";

struct phrase_text *
policy_text(const void *ctx, const struct guardian_task *task)
{
	const size_t count = TEXTS_FIXED + task->requirements.count;
	const char **texts = talloc_zero_size(ctx, count * sizeof(*texts));
	struct phrase_text *text;

	assert(texts != NULL);
	texts[0] = task->title;
	texts[1] = task->description;
	texts[2] = task->digital_instructions;
	for (size_t i = 0; i < task->requirements.count; i++)
		texts[TEXTS_FIXED + i] = task->requirements.items[i];
	text = phrase_read(ctx, texts, count);
	talloc_free(texts);
	return text;
}

/* True if a list of names with blanks between holds the name. */
static bool
names_type(const char *types, const char *type)
{
	const size_t len = strlen(type);

	for (const char *at = types; at != NULL; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncmp(at, type, len) == 0 && (at[len] == ' ' || at[len] == '\0'))
			return true;
	}
	return false;
}

static bool
forbids(const struct policy_rule *rule, const struct guardian_task *task, const struct phrase_text *text)
{
	if (rule->types != NULL && !names_type(rule->types, task->task_type))
		return false;
	return rule->near == NULL ? phrase_find(text, rule->any)
				  : phrase_find_near(text, rule->any, rule->near, NEAR_LETTERS);
}

const struct policy_rule *
policy_check(const struct guardian_task *task)
{
	struct phrase_text *text = policy_text(NULL, task);
	const struct policy_rule *found = NULL;

	for (size_t i = 0; i < policy_rule_count && found == NULL; i++) {
		if (forbids(&policy_rules[i], task, text))
			found = &policy_rules[i];
	}
	talloc_free(text);
	return found;
}

bool
policy_instructs(const struct phrase_text *text)
{
	return phrase_find(text, judge_phrases);
}
