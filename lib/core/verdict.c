/* Verdicts; see verdict.h.  What is good enough is the Guardian's to say (guardian.c), what follows SQL's (verdict.sql). */
#include <string.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "core/earning.h"
#include "core/verdict.h"

/* The operator's leg, where the agent's leg says that one is due. */
static int
pay(struct db *db, const struct config *config, struct db_rows *rows, struct id task, int64_t now_ms, struct error *err)
{
	if (!db_bool(rows, 0, "pays"))
		return 0;
	return earning_credit(db, db_uuid(rows, 0, "operator_id"), task, db_int(rows, 0, "reward"),
	    now_ms + config->escrow_hold_s * 1000, now_ms, err);
}

int
verdict_agent(struct db *db, const void *ctx, const struct config *config, struct id agent, struct id task,
    bool is_approved, const char *reason, int64_t now_ms, struct verdict_outcome *out, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(db, ctx, err, "verdict_agent", id_bucket(task),
	    DB_ARGS(DB_UUID(agent), DB_UUID(task), DB_BOOL(is_approved), DB_TEXT(reason), DB_TIME(now_ms)));
	if (rows == NULL || pay(db, config, rows, task, now_ms, err))
		return -1;
	out->status = db_text(rows, 0, "status");
	out->oper = db_uuid(rows, 0, "operator_id");
	out->agent = agent;
	out->is_sandbox = db_bool(rows, 0, "is_sandbox");
	out->has_moved = true;
	return 0;
}

int
verdict_guardian(struct db *db, const void *ctx, const struct config *config, struct id task, const char *event,
    struct json_object *result, int64_t now_ms, struct verdict_outcome *out, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "verdict_guardian", id_bucket(task),
	    DB_ARGS(DB_UUID(task), DB_TEXT(event), DB_JSON(result), DB_INT(config->manual_review_s), DB_TIME(now_ms)));

	if (rows == NULL || pay(db, config, rows, task, now_ms, err))
		return -1;
	out->status = db_text(rows, 0, "status");
	out->oper = db_uuid(rows, 0, "operator_id");
	out->agent = db_uuid(rows, 0, "agent_id");
	out->is_sandbox = false;
	out->has_moved = db_bool(rows, 0, "has_moved");
	return 0;
}
