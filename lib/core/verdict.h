#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"

/* Judging a proof, by the agent or the Guardian, and the pay that a completion brings in both buckets (spec 4, 5). */

struct config;
struct db;
struct error;
struct json_object;

struct verdict_outcome {
	const char *status; /* the task's new status; hangs on ctx */
	struct id oper, agent;
	bool is_sandbox;
	bool has_moved; /* false: the task was no longer waiting, the answer is only recorded */
};

/* The agent's decision.  Within a transaction.  Fails: task_not_found, task_state_conflict. */
int verdict_agent(struct db *db, const void *ctx, const struct config *config, struct id agent, struct id task,
    bool is_approved, const char *reason, int64_t now_ms, struct verdict_outcome *out, struct error *err);

/*
 * The Guardian's answer: result is what stands as guardian_result; event pass, review or fail.  On a task that is no longer
 * waiting it is only recorded.  Within a transaction.
 */
int verdict_guardian(struct db *db, const void *ctx, const struct config *config, struct id task, const char *event,
    struct json_object *result, int64_t now_ms, struct verdict_outcome *out, struct error *err);

#endif
