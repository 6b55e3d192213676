/* What operators are paid; see earning.h.  Settlement is a sweep (sweep.c), payout on the chain a matter of its own. */
#include <talloc.h>
#include "base/db.h"
#include "core/earning.h"

/* A call whose answer says nothing beyond that it was done. */
static int
done(struct db_rows *rows)
{
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
earning_credit(struct db *db, struct id oper, struct id task, usd_micros amount, int64_t available_ms, int64_t now_ms,
    struct error *err)
{
	return done(db_call(db, NULL, err, "earning_credit", id_bucket(oper),
	    DB_ARGS(DB_UUID(oper), DB_UUID(task), DB_MONEY(amount), DB_TIME(available_ms), DB_TIME(now_ms))));
}

int
earning_freeze(struct db *db, struct id oper, struct id task, int64_t now_ms, struct error *err)
{
	return done(db_call(db, NULL, err, "earning_freeze", id_bucket(oper), DB_ARGS(DB_UUID(task), DB_TIME(now_ms))));
}

int
earning_resolve(struct db *db, struct id oper, struct id task, usd_micros keep, int64_t now_ms, struct error *err)
{
	return done(db_call(db, NULL, err, "earning_resolve", id_bucket(oper),
	    DB_ARGS(DB_UUID(task), DB_MONEY(keep), DB_TIME(now_ms))));
}

int
earning_summary(struct db *db, struct id oper, struct earning_summary *out, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "earning_summary", id_bucket(oper), DB_ARGS(DB_UUID(oper)));

	if (rows == NULL)
		return -1;
	out->pending = db_int(rows, 0, "pending");
	out->available = db_int(rows, 0, "available");
	out->in_flight = db_int(rows, 0, "in_flight");
	out->total = db_int(rows, 0, "total");
	talloc_free(rows);
	return 0;
}

int
earning_list(struct db *db, const void *ctx, struct id oper, int64_t limit, struct earning **out, size_t *count,
    struct error *err)
{
	struct db_rows *rows =
	    db_call(db, ctx, err, "earning_list", id_bucket(oper), DB_ARGS(DB_UUID(oper), DB_INT(limit)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct earning, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].task = db_uuid(rows, i, "task_id");
		(*out)[i].amount = db_int(rows, i, "amount");
		(*out)[i].state = db_text(rows, i, "state");
		(*out)[i].available_ms = db_time(rows, i, "available_at");
		(*out)[i].created_ms = db_time(rows, i, "created_at");
	}
	return 0;
}
