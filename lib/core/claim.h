#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include <stdint.h>
#include "base/id.h"
#include "core/task.h"

/*
 * An operator's hold on a task, from the estimate to the proof (spec 4).  Each fills *task with the task as it is then; its
 * texts hang on ctx.  All fail with task_not_found (someone else's) and task_state_conflict.
 */

struct config;
struct db;
struct error;
struct json_object;
struct oper;

enum { ESTIMATE_MIN_MINUTES = 5, ESTIMATE_MAX_MINUTES = 30 * 24 * 60 };

extern const char *const abort_reasons[]; /* "unsafe", "cannot_complete"; NULL at the end */

struct estimate {
	int minutes;
	const char *note;
};

/* By the operator, who is verified: PENDING to ESTIMATE_PENDING.  Also fails: kyc_required, task_expired. */
int claim_make(struct db *db, const void *ctx, const struct config *config, const struct oper *oper, struct id task_id,
    const struct estimate *estimate, int64_t now_ms, struct task *task, struct error *err);
int claim_withdraw(struct db *db, const void *ctx, struct id oper, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err);
int claim_start(struct db *db, const void *ctx, struct id oper, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err);

/*
 * The operator stops work that the agent has agreed to: ACCEPTED or IN_PROGRESS to PENDING, the escrow as it is.  reason: one of
 * abort_reasons; note: a last message to the agent, or NULL.  The third operator who does not feel safe ends the task: it is then
 * CANCELLED and refunded.
 */
int claim_abort(struct db *db, const void *ctx, struct id oper, struct id task_id, const char *reason, const char *note,
    int64_t now_ms, struct task *task, struct error *err);

/* The proof and, for credential types, the ciphertext (else NULL).  Also fails: task_expired. */
int claim_submit(struct db *db, const void *ctx, const struct config *config, struct id oper, struct id task_id,
    struct json_object *proof, struct json_object *credential, int64_t now_ms, struct task *task, struct error *err);

/* By the agent.  claim_reject's task still names the operator who had it. */
int claim_approve(struct db *db, const void *ctx, struct id agent, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err);
int claim_reject(struct db *db, const void *ctx, struct id agent, struct id task_id, const char *reason, int64_t now_ms,
    struct task *task, struct error *err);

#endif
