/* Staff's acts and views; see staff.h.  The acts themselves are of the modules that they are about. */
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "core/staff.h"

/* Acts are spread over the buckets by their target, as everything that is about no one party. */
int
staff_record(
    struct db *db, const char *act, const char *target, struct json_object *data, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "staff_act", id_bucket_of("staff", target),
	    DB_ARGS(DB_TEXT(act), DB_TEXT(target), DB_JSON(data), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
staff_log(struct db *db, const void *ctx, int64_t before_ms, int64_t limit, struct staff_entry **out, size_t *count,
    struct error *err)
{
	struct db_rows *rows =
	    db_call_everywhere(db, ctx, err, "staff_log_everywhere", DB_ARGS(DB_TIME(before_ms), DB_INT(limit)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct staff_entry, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].act = db_text(rows, i, "act");
		(*out)[i].target = db_text(rows, i, "target");
		(*out)[i].data_json = db_text(rows, i, "data");
		(*out)[i].at_ms = db_time(rows, i, "at");
	}
	return 0;
}

int
staff_suspend_agent(struct db *db, struct id agent, bool is_suspended, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "agent_suspend", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_BOOL(is_suspended), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
staff_unfreeze_agent(struct db *db, struct id agent, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "payouts_freeze", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_BOOL(false), DB_TEXT(NULL), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
staff_trial_balance(struct db *db, const void *ctx, struct staff_account **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "ledger_trial_balance_everywhere", NULL, 0);

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct staff_account, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].kind = db_text(rows, i, "kind");
		(*out)[i].accounts = db_int(rows, i, "accounts");
		(*out)[i].balance = db_int(rows, i, "balance");
	}
	return 0;
}

int
staff_audit(
    struct db *db, const void *ctx, int64_t now_ms, struct staff_finding **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "ledger_audit_everywhere", DB_ARGS(DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct staff_finding, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].what = db_text(rows, i, "what");
		(*out)[i].account = db_text(rows, i, "account");
		(*out)[i].id = db_uuid(rows, i, "id");
		(*out)[i].amount = db_int(rows, i, "amount");
	}
	return 0;
}
