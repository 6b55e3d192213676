#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

/* What nobody may ask of a person here (spec 7): the rules stand as data in core/policy.def. */

struct guardian_task;
struct phrase_text;

/* A rule forbids a task of its types in which one of `any` stands and, where `near` is given, one of near
 * close by. */
struct policy_rule {
	const char *id, *category;
	const char *types;	/* names with blanks between; NULL: all */
	const char *any, *near; /* phrases as base/phrase.h has them; near may be NULL */
	const char *sentence;	/* for the agent */
};

extern const struct policy_rule policy_rules[];
extern const size_t policy_rule_count;
extern const char *const policy_categories[]; /* NULL at the end */

/* All that a task says, made ready for searching; talloc'ed. */
struct phrase_text *policy_text(const void *ctx, const struct guardian_task *task);

/* The first rule that forbids the task; NULL if it may exist. */
const struct policy_rule *policy_check(const struct guardian_task *task);

/* True if a text tries to tell a judge how to judge. */
bool policy_instructs(const struct phrase_text *text);

#endif
