/* Claims; see claim.h.  The moves are SQL's (sql/functions/claim.sql), each under a lock on the task. */
#include <string.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "core/claim.h"
#include "core/operator.h"

const char *const abort_reasons[] = { "unsafe", "cannot_complete", NULL };

static int
read_task(struct db_rows *rows, struct task *task)
{
	if (rows == NULL)
		return -1;
	task_read(rows, 0, task);
	return 0;
}

int
claim_make(struct db *db, const void *ctx, const struct config *config, const struct oper *oper, struct id task_id,
    const struct estimate *estimate, int64_t now_ms, struct task *task, struct error *err)
{
	if (strcmp(oper->kyc_status, "VERIFIED") != 0)
		return error_set(err, ERR_kyc_required);
	return read_task(db_call(db, ctx, err, "claim_make", id_bucket(task_id),
			     DB_ARGS(DB_UUID(task_id), DB_UUID(oper->id), DB_TEXT(oper->name),
				 oper->rating_count > 0 ? DB_REAL(oper->rating) : DB_NONE, DB_INT(estimate->minutes),
				 DB_TEXT(estimate->note), DB_INT(config->estimate_approval_s), DB_TIME(now_ms))),
	    task);
}

int
claim_withdraw(struct db *db, const void *ctx, struct id oper, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err)
{
	return read_task(db_call(db, ctx, err, "claim_withdraw", id_bucket(task_id),
			     DB_ARGS(DB_UUID(task_id), DB_UUID(oper), DB_TIME(now_ms))),
	    task);
}

int
claim_start(struct db *db, const void *ctx, struct id oper, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err)
{
	return read_task(db_call(db, ctx, err, "claim_start", id_bucket(task_id),
			     DB_ARGS(DB_UUID(task_id), DB_UUID(oper), DB_TIME(now_ms))),
	    task);
}

int
claim_abort(struct db *db, const void *ctx, struct id oper, struct id task_id, const char *reason, const char *note,
    int64_t now_ms, struct task *task, struct error *err)
{
	struct id message = id_new(id_bucket(task_id), now_ms);

	return read_task(db_call(db, ctx, err, "claim_abort", id_bucket(task_id),
			     DB_ARGS(DB_UUID(task_id), DB_UUID(oper), DB_TEXT(reason), DB_UUID(message), DB_TEXT(note),
				 DB_TIME(now_ms))),
	    task);
}

int
claim_submit(struct db *db, const void *ctx, const struct config *config, struct id oper, struct id task_id,
    struct json_object *proof, struct json_object *credential, int64_t now_ms, struct task *task, struct error *err)
{
	return read_task(db_call(db, ctx, err, "claim_submit", id_bucket(task_id),
			     DB_ARGS(DB_UUID(task_id), DB_UUID(oper), DB_JSON(proof), DB_JSON(credential),
				 DB_INT(config->manual_review_s), DB_TIME(now_ms))),
	    task);
}

int
claim_approve(struct db *db, const void *ctx, struct id agent, struct id task_id, int64_t now_ms, struct task *task,
    struct error *err)
{
	if (id_bucket(task_id) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	return read_task(db_call(db, ctx, err, "claim_approve", id_bucket(task_id),
			     DB_ARGS(DB_UUID(agent), DB_UUID(task_id), DB_TIME(now_ms))),
	    task);
}

int
claim_reject(struct db *db, const void *ctx, struct id agent, struct id task_id, const char *reason, int64_t now_ms,
    struct task *task, struct error *err)
{
	if (id_bucket(task_id) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	return read_task(db_call(db, ctx, err, "claim_reject", id_bucket(task_id),
			     DB_ARGS(DB_UUID(agent), DB_UUID(task_id), DB_TEXT(reason), DB_TIME(now_ms))),
	    task);
}
