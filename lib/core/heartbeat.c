/*
 * Signs of life, and the audit that the sweeper makes once an hour; see heartbeat.h.  What an audit looks for is SQL's
 * (ledger_audit_everywhere), who makes it at what time heartbeat_begin's.
 */
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "core/heartbeat.h"
#include "core/staff.h"

enum { BUCKET = 0, AUDIT_EVERY_S = 3600, AUDIT_RETRY_S = 600, AUDIT_MS = 9 * 60 * 1000, LOGGED_MAX = 20 };

int
heartbeat_set(struct db *db, const char *name, struct json_object *data, int64_t now_ms, struct error *err)
{
	struct json_object *empty = json_object_new_object();
	struct db_rows *rows = db_call(db, NULL, err, "heartbeat_set", BUCKET,
	    DB_ARGS(DB_TEXT(name), DB_JSON(data != NULL ? data : empty), DB_TIME(now_ms)));

	json_object_put(empty);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

/* 1 for the one who shall make it, 0, or -1. */
static int
begin_audit(struct db *db, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "heartbeat_begin", BUCKET,
	    DB_ARGS(DB_TEXT(HEARTBEAT_AUDIT), DB_INT(AUDIT_EVERY_S), DB_INT(AUDIT_RETRY_S), DB_TIME(now_ms)));
	int rc = rows == NULL ? -1 : db_bool(rows, 0, "heartbeat_begin");

	talloc_free(rows);
	return rc;
}

static void
log_finding(const struct staff_finding *finding)
{
	struct json_object *fields = json_object_new_object();
	char id[ID_UUID_SIZE];

	json_object_object_add(fields, "what", json_object_new_string(finding->what));
	if (!id_is_nil(finding->id)) {
		id_print_uuid(finding->id, id);
		json_object_object_add(fields, "id", json_object_new_string(id));
	}
	if (finding->account != NULL)
		json_object_object_add(fields, "account", json_object_new_string(finding->account));
	json_object_object_add(fields, "micros", json_object_new_int64(finding->amount));
	log_event(LOG_LEVEL_ERROR, "ledger_broken", fields);
}

/* Reads the whole ledger, in a transaction that may take its time. */
static int
audit(struct db *db, const void *ctx, int64_t now_ms, struct staff_finding **findings, size_t *count, struct error *err)
{
	int rc = -1;

	if (db_begin(db, err) == 0 && db_take_time(db, AUDIT_MS, err) == 0 &&
	    staff_audit(db, ctx, now_ms, findings, count, err) == 0)
		rc = db_commit(db, err);
	db_rollback(db);
	return rc;
}

int
heartbeat_audit(struct db *db, int64_t now_ms, struct error *err)
{
	int64_t began_ms = now_monotonic_ms(), took_ms;
	struct json_object *data = NULL;
	struct staff_finding *findings;
	char *ctx = NULL;
	size_t count;
	int rc = begin_audit(db, now_ms, err);

	if (rc <= 0)
		return rc;
	ctx = talloc_strdup(NULL, "audit");
	rc = audit(db, ctx, now_ms, &findings, &count, err);
	if (rc != 0)
		goto out;
	for (size_t i = 0; i < count && i < LOGGED_MAX; i++)
		log_finding(&findings[i]);
	took_ms = now_monotonic_ms() - began_ms;
	data = json_object_new_object();
	json_object_object_add(data, "findings", json_object_new_int64((int64_t)count));
	json_object_object_add(data, "seconds", json_object_new_double((double)took_ms / 1000));
	rc = heartbeat_set(db, HEARTBEAT_AUDIT, data, now_ms + took_ms, err);
out:
	json_object_put(data);
	talloc_free(ctx);
	return rc;
}

static int
free_data(struct heartbeat *beats)
{
	for (size_t i = 0; i < talloc_array_length(beats); i++)
		json_object_put(beats[i].data);
	return 0;
}

int
heartbeat_list(struct db *db, const void *ctx, struct heartbeat **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "heartbeat_list_everywhere", NULL, 0);

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct heartbeat, (unsigned)*count + 1);
	talloc_set_destructor(*out, free_data);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (struct heartbeat){ .name = db_text(rows, i, "name"),
			.at_ms = db_time(rows, i, "at"),
			.data = db_json(rows, i, "data") };
	return 0;
}
