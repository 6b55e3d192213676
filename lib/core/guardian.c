/*
 * The Guardian's two questions: whom to ask, and how much the answer counts.  Policy and evidence are weighed
 * without a model (policy.c, rules.c); a model's opinion (llm.c) moves within the bounds that they leave.
 * What is done with a verdict is left to the task's lifecycle.
 */
#include "core/guardian.h"

#include <assert.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>

#include "base/config.h"
#include "base/error.h"
#include "base/phrase.h"
#include "core/llm.h"
#include "core/policy.h"
#include "core/rules.h"

enum { RETRY_S = 30 };

static const char *const decision_names[] = {
	[GUARDIAN_APPROVE] = "APPROVE",
	[GUARDIAN_MANUAL_REVIEW] = "MANUAL_REVIEW",
	[GUARDIAN_REJECT] = "REJECT",
};

enum guardian_decision
guardian_decide(int confidence)
{
	return confidence >= GUARDIAN_APPROVE_FROM  ? GUARDIAN_APPROVE
	       : confidence >= GUARDIAN_REVIEW_FROM ? GUARDIAN_MANUAL_REVIEW
						    : GUARDIAN_REJECT;
}

const char *
guardian_decision_name(enum guardian_decision decision)
{
	return decision_names[decision];
}

static bool
has_model(const struct config *config)
{
	return strcmp(config->guardian_provider, "rules") != 0;
}

static int
refuse(const struct guardian_screening *screening, struct error *err)
{
	error_set(err, ERR_policy_violation);
	error_detail(err, "category", json_object_new_string(screening->category));
	error_detail(err, "rule", json_object_new_string(screening->rule));
	return error_detail(err, "reason", json_object_new_string(screening->reason));
}

int
guardian_screen(const struct config *config, const void *ctx, const struct guardian_task *task,
    struct guardian_screening *screening, struct error *err)
{
	const struct policy_rule *rule = policy_check(task);
	struct guardian_screening opinion = { 0 };

	*screening = (struct guardian_screening){ .is_allowed = rule == NULL };
	if (rule != NULL) {
		screening->category = rule->category;
		screening->rule = rule->id;
		screening->reason = rule->sentence;
		return refuse(screening, err);
	}
	if (!has_model(config) || llm_screen(config, ctx, task, &opinion) != LLM_ANSWERED || opinion.is_allowed)
		return 0;
	*screening = opinion;
	return refuse(screening, err);
}

void
guardian_fingerprint(const struct guardian_task *task, uint8_t out[SHA256_SIZE])
{
	struct phrase_text *text = policy_text(NULL, task);
	char *all = talloc_asprintf(text, "%s %s", task->task_type, phrase_normal(text));

	assert(all != NULL);
	crypto_sha256(all, strlen(all), out);
	talloc_free(text);
}

/* Puts a sentence behind the reasoning. */
static void
remark(const void *ctx, struct guardian_verdict *verdict, const char *sentence)
{
	verdict->reasoning = talloc_asprintf(ctx, "%s %s", verdict->reasoning, sentence);
	assert(verdict->reasoning != NULL);
}

/* The evidence's cap, which holds whoever judged, and then the decision. */
static void
conclude(const void *ctx, const struct rules_evidence *evidence, struct guardian_verdict *verdict)
{
	if (verdict->confidence > evidence->cap) {
		verdict->confidence = evidence->cap;
		if (strstr(verdict->reasoning, evidence->cap_reason) == NULL)
			remark(ctx, verdict, evidence->cap_reason);
	}
	verdict->decision = guardian_decide(verdict->confidence);
}

/* What a model said, brought in line with what it says of the requirements and of a task that would lead it.
 */
static void
temper(const void *ctx, const struct rules_evidence *evidence, struct guardian_verdict *verdict)
{
	bool is_all_met = true;

	for (size_t i = 0; i < verdict->result_count; i++)
		is_all_met = is_all_met && verdict->results[i].is_met;
	if (!is_all_met && verdict->confidence >= GUARDIAN_APPROVE_FROM) {
		verdict->confidence = GUARDIAN_APPROVE_FROM - 1;
		remark(ctx, verdict, "A requirement is not met.");
	}
	/* Who pays shall not talk the judge out of it. */
	if (evidence->is_task_instructing && verdict->confidence < GUARDIAN_REVIEW_FROM) {
		verdict->confidence = GUARDIAN_REVIEW_FROM;
		remark(ctx, verdict, "The task tries to tell the reviewer how to decide, so a person should look.");
	}
}

/* A review by hand, as far as the evidence leaves that open. */
static void
review(const void *ctx, const struct guardian_task *task, const struct guardian_proof *proof,
    const struct rules_evidence *evidence, const char *why, struct guardian_verdict *verdict)
{
	*verdict = (struct guardian_verdict){ 0 };
	rules_verify(ctx, task, proof, evidence, verdict);
	if (verdict->confidence < GUARDIAN_REVIEW_FROM)
		verdict->confidence = GUARDIAN_REVIEW_FROM;
	if (verdict->confidence >= GUARDIAN_APPROVE_FROM)
		verdict->confidence = GUARDIAN_APPROVE_FROM - 1;
	remark(ctx, verdict, why);
	conclude(ctx, evidence, verdict);
}

int
guardian_verify(const struct config *config, const void *ctx, const struct guardian_task *task,
    const struct guardian_proof *proof, struct guardian_verdict *verdict, struct error *err)
{
	struct rules_evidence evidence;
	int retry_after_s = 0;

	*verdict = (struct guardian_verdict){ 0 };
	rules_weigh(task, proof, &evidence);
	/* Where the evidence decides alone, or nothing can be looked at, no model is asked. */
	if (!has_model(config) || evidence.is_sealed || evidence.cap < GUARDIAN_REVIEW_FROM) {
		rules_verify(ctx, task, proof, &evidence, verdict);
		conclude(ctx, &evidence, verdict);
		return 0;
	}
	switch (llm_verify(config, ctx, task, proof, &evidence, verdict, &retry_after_s)) {
	case LLM_ANSWERED:
		temper(ctx, &evidence, verdict);
		conclude(ctx, &evidence, verdict);
		return 0;
	case LLM_MALFORMED:
		review(ctx, task, proof, &evidence, "The model's answer could not be used, so a person should look.",
		    verdict);
		return 0;
	case LLM_AWAY:
		break;
	}
	error_set(err, ERR_unavailable); /* llm.c has logged why */
	err->retry_after_s = retry_after_s > 0 ? retry_after_s : RETRY_S;
	return -1;
}

void
guardian_give_up(const void *ctx, const struct guardian_task *task, const struct guardian_proof *proof,
    struct guardian_verdict *verdict)
{
	struct rules_evidence evidence;

	rules_weigh(task, proof, &evidence);
	review(ctx, task, proof, &evidence, "The model could not be reached, so a person should look.", verdict);
}

struct json_object *
guardian_json(const struct guardian_verdict *verdict)
{
	struct json_object *object = json_object_new_object(), *results = json_object_new_array();

	json_object_object_add(object, "decision", json_object_new_string(guardian_decision_name(verdict->decision)));
	json_object_object_add(object, "confidence", json_object_new_int(verdict->confidence));
	json_object_object_add(object, "reasoning", json_object_new_string(verdict->reasoning));
	json_object_object_add(object, "source", json_object_new_string(verdict->source));
	for (size_t i = 0; i < verdict->result_count; i++) {
		const struct guardian_result *result = &verdict->results[i];
		struct json_object *one = json_object_new_object();

		json_object_object_add(one, "requirement", json_object_new_string(result->requirement));
		json_object_object_add(one, "met", json_object_new_boolean(result->is_met));
		json_object_object_add(one, "note", json_object_new_string(result->note));
		json_object_array_add(results, one);
	}
	json_object_object_add(object, "requirements", results);
	return object;
}
