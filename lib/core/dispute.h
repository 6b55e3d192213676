#ifndef CORE_DISPUTE_H
#define CORE_DISPUTE_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"
#include "core/task.h"

/* Disputes (spec 4, 5): raised by the agent within the hold, resolved by staff. */

struct config;
struct db;
struct error;

extern const char *const dispute_resolutions[]; /* PAY_OPERATOR, REFUND_AGENT, SPLIT, NULL */

struct dispute_outcome {
	const char *status;
	struct id oper, agent;
	usd_micros kept; /* by the operator */
};

/*
 * Objects to a completed task and freezes the operator's pending money.  Within a transaction.
 * Fails: task_not_found, task_state_conflict, hold_over.
 */
int dispute_raise(struct db *db, const void *ctx, struct id agent, struct id task_id, const char *reason,
    int64_t now_ms, struct task *task, struct error *err);

/* Staff's decision, both legs; split counts with SPLIT alone.  Within a transaction.
 * Fails: task_not_found, task_state_conflict, split_invalid. */
int dispute_resolve(struct db *db, const void *ctx, struct id task, const char *resolution, usd_micros split,
    const char *note, int64_t now_ms, struct dispute_outcome *out, struct error *err);

/* Disputed tasks, longest waiting first. */
int dispute_list(
    struct db *db, const void *ctx, int64_t limit, int64_t offset, struct task **out, size_t *count, struct error *err);

#endif
