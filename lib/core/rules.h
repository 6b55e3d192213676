#ifndef CORE_RULES_H
#define CORE_RULES_H

#include <stdbool.h>
#include <stddef.h>

/* The embedded verifier (spec 7): what can be known of a proof without understanding it. */

struct guardian_proof;
struct guardian_task;
struct guardian_verdict;

enum { RULES_FACTS_MAX = 24 };

/* What the evidence says, whoever judges. */
struct rules_evidence {
	int points;			    /* what speaks for the proof, added up; 0 to 100 */
	int cap;			    /* no confidence may be higher */
	const char *cap_reason;		    /* static; NULL while the cap is 100 */
	bool is_sealed;			    /* a credential task: there is nothing that a model could look at */
	bool is_task_instructing;	    /* the task itself tells a judge how to judge: a model's low opinion counts
				     little */
	const char *facts[RULES_FACTS_MAX]; /* static sentences, in the order of the table in rules.c */
	size_t fact_count;
};

void rules_weigh(const struct guardian_task *task, const struct guardian_proof *proof, struct rules_evidence *evidence);

/* A verdict by the evidence alone. */
void rules_verify(const void *ctx, const struct guardian_task *task, const struct guardian_proof *proof,
    const struct rules_evidence *evidence, struct guardian_verdict *verdict);

#endif
