/* The sweeps in their order; what each does is SQL's (sql/functions/sweep.sql, partition.sql). */
#include <string.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/earning.h"
#include "core/notify.h"
#include "core/orphan.h"
#include "core/sweep.h"

enum { BATCH = 100 };

/* One function over everything that answers with a count. */
static int
sweep_everywhere(struct db *db, const char *function, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, NULL, err, function, DB_ARGS(DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	*count = db_int(rows, 0, function);
	talloc_free(rows);
	return 0;
}

/* event of sweep_task, and who is told of it. */
static const struct {
	const char *event;
	enum notice notice;
	bool is_agent, is_operator;
} tellings[] = {
	{ "lapse", NOTICE_CLAIM_LAPSED, false, true },
	{ "expire", NOTICE_EXPIRED, true, true },
	{ "review_lapse", NOTICE_COMPLETED, false, true },
};

static int
tell(struct db *db, struct db_rows *rows, struct id task, int64_t now_ms, struct error *err)
{
	struct id agent = db_uuid(rows, 0, "agent_id"), oper = db_uuid(rows, 0, "operator_id");

	for (size_t i = 0; i < nitems(tellings); i++) {
		if (strcmp(db_text(rows, 0, "event"), tellings[i].event) != 0)
			continue;
		if (tellings[i].is_agent && notify_party(db, agent, tellings[i].notice, task, now_ms, err))
			return -1;
		if (tellings[i].is_operator && !id_is_nil(oper) &&
		    notify_party(db, oper, tellings[i].notice, task, now_ms, err))
			return -1;
	}
	return 0;
}

/* One overdue task with what follows for its operator, in one transaction.  1, 0 if it is not due any more, -1. */
static int
sweep_task(struct db *db, const struct config *config, int bucket, struct id task, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = NULL;
	int rc = -1;

	if (db_begin(db, err) ||
	    (rows = db_call(db, NULL, err, "sweep_task", bucket, DB_ARGS(DB_UUID(task), DB_TIME(now_ms)))) == NULL)
		goto out;
	if (db_count(rows) == 0) {
		rc = 0;
		goto out;
	}
	if (db_bool(rows, 0, "pays") &&
	    earning_credit(db, db_uuid(rows, 0, "operator_id"), task, db_int(rows, 0, "reward"),
		now_ms + config->escrow_hold_s * 1000, now_ms, err))
		goto out;
	if ((!db_bool(rows, 0, "is_sandbox") && tell(db, rows, task, now_ms, err)) || db_commit(db, err))
		goto out;
	rc = 1;
out:
	db_rollback(db);
	talloc_free(rows);
	return rc;
}

/* What is due now.  A task that fails is logged where it failed and left for the next sweep; only a database that is away
 * ends the run. */
static int
sweep_tasks(struct db *db, const struct config *config, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *due = NULL;
	int64_t before;

	do {
		before = *count;
		talloc_free(due);
		due = db_call_everywhere(db, NULL, err, "sweep_due_everywhere", DB_ARGS(DB_TIME(now_ms)));
		for (size_t i = 0; due != NULL && i < db_count(due) && err->code != ERR_unavailable; i++) {
			error_clear(err);
			*count += sweep_task(db, config, (int)db_int(due, i, "bucket"), db_uuid(due, i, "id"), now_ms,
				      err) > 0;
		}
	} while (due != NULL && err->code != ERR_unavailable && *count > before);
	talloc_free(due);
	if (due == NULL || err->code == ERR_unavailable)
		return -1;
	error_clear(err);
	return 0;
}

/* A bucket's earnings whose hold is over, batch by batch, so that no lock is held for long. */
static int
settle_bucket(struct db *db, int bucket, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *rows;
	int64_t done;

	do {
		rows = db_call(db, NULL, err, "earning_settle", bucket, DB_ARGS(DB_TIME(now_ms), DB_INT(BATCH)));
		if (rows == NULL)
			return -1;
		done = db_int(rows, 0, "earning_settle");
		*count += done;
		talloc_free(rows);
	} while (done == BATCH);
	return 0;
}

static int
settle_earnings(struct db *db, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *due = db_call_everywhere(db, NULL, err, "earning_due_everywhere", DB_ARGS(DB_TIME(now_ms)));
	int rc = due == NULL ? -1 : 0;

	for (size_t i = 0; rc == 0 && i < db_count(due); i++)
		rc = settle_bucket(db, (int)db_int(due, i, "bucket"), now_ms, count, err);
	talloc_free(due);
	return rc;
}

int
sweep_all(struct db *db, const struct config *config, int64_t now_ms, struct sweep_result *out, struct error *err)
{
	if (sweep_everywhere(db, "partition_add_everywhere", now_ms, &out->partitions, err) ||
	    sweep_tasks(db, config, now_ms, &out->tasks, err) || settle_earnings(db, now_ms, &out->earnings, err) ||
	    sweep_everywhere(db, "sweep_expired_everywhere", now_ms, &out->expired, err) ||
	    orphan_sweep(db, now_ms, &out->uploads, err))
		return -1;
	return 0;
}
