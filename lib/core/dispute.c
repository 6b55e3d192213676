/* Disputes; see dispute.h.  The agent's leg is sql/functions/dispute.sql's, the operator's earning.sql's. */
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/dispute.h"
#include "core/earning.h"

const char *const dispute_resolutions[] = { "PAY_OPERATOR", "REFUND_AGENT", "SPLIT", NULL };

int
dispute_raise(struct db *db, const void *ctx, struct id agent, struct id task_id, const char *reason, int64_t now_ms,
    struct task *task, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task_id) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(db, ctx, err, "dispute_raise", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(task_id), DB_TEXT(reason), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	task_read(rows, 0, task);
	return task->is_sandbox ? 0 : earning_freeze(db, task->oper, task_id, now_ms, err);
}

int
dispute_resolve(struct db *db, const void *ctx, struct id task, const char *resolution, usd_micros split,
    const char *note, int64_t now_ms, struct dispute_outcome *out, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "dispute_resolve", id_bucket(task),
	    DB_ARGS(DB_UUID(task), DB_TEXT(resolution), DB_MONEY(split), DB_TEXT(note), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	out->status = db_text(rows, 0, "status");
	out->oper = db_uuid(rows, 0, "operator_id");
	out->agent = db_uuid(rows, 0, "agent_id");
	out->kept = db_int(rows, 0, "keep");
	if (db_bool(rows, 0, "was_paid"))
		return earning_resolve(db, out->oper, task, out->kept, now_ms, err);
	/* Staff has decided: no further hold. */
	return out->kept == 0 ? 0 : earning_credit(db, out->oper, task, out->kept, now_ms, now_ms, err);
}

int
dispute_list(
    struct db *db, const void *ctx, int64_t limit, int64_t offset, struct task **out, size_t *count, struct error *err)
{
	struct db_rows *rows =
	    db_call_everywhere(db, ctx, err, "dispute_list_everywhere", DB_ARGS(DB_INT(limit), DB_INT(offset)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct task, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		task_read(rows, i, &(*out)[i]);
	return 0;
}
