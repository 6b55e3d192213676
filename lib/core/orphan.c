/* Uploads that nobody hands in; see orphan.h.  When one is due, and whether it is still needed, is decided in SQL. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/job.h"
#include "core/orphan.h"
#include "net/storage.h"

enum { BATCH = 500, HOLD_MS = 86400 * 1000 };

/* 1: the upload is to go; 0: it stays; -1. */
static int
judge(struct db *db, int bucket, struct id upload, bool is_needed, int64_t now_ms, struct error *err)
{
	struct db_rows *rows =
	    is_needed ? db_call(db, NULL, err, "upload_hold", bucket,
			    DB_ARGS(DB_UUID(upload), DB_TIME(now_ms + HOLD_MS), DB_TIME(now_ms)))
		      : db_call(db, NULL, err, "upload_discard", bucket, DB_ARGS(DB_UUID(upload), DB_TIME(now_ms)));
	int rc = rows == NULL ? -1 : !is_needed && db_bool(rows, 0, "upload_discard");

	talloc_free(rows);
	return rc;
}

/* One that fails is logged where it failed and stops no other; only a database that is away ends the run. */
int
orphan_sweep(struct db *db, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *due =
	    db_call_everywhere(db, NULL, err, "upload_due_everywhere", DB_ARGS(DB_TIME(now_ms), DB_INT(BATCH)));
	int rc;

	for (size_t i = 0; due != NULL && i < db_count(due) && err->code != ERR_unavailable; i++) {
		error_clear(err);
		*count += judge(db, (int)db_int(due, i, "bucket"), db_uuid(due, i, "id"), db_bool(due, i, "is_needed"),
			      now_ms, err) > 0;
	}
	rc = due == NULL || err->code == ERR_unavailable ? -1 : 0;
	if (rc == 0)
		error_clear(err);
	talloc_free(due);
	return rc;
}

static int
remove_file(struct storage *storage, const struct job *job, const char *which, struct error *err)
{
	const char *name = json_object_get_string(json_object_object_get(job->payload, which));

	return name == NULL ? 0 : storage_delete(storage, name, err);
}

int
orphan_run(struct worker *worker, const struct job *job)
{
	struct storage *storage = storage_open(NULL, worker->config);
	struct db_rows *rows = NULL;
	struct error err = { 0 };
	int rc;

	if (remove_file(storage, job, "stored", &err) == 0 && remove_file(storage, job, "original", &err) == 0)
		rows =
		    db_call(worker->db, NULL, &err, "upload_forget", id_bucket(job->ref), DB_ARGS(DB_UUID(job->ref)));
	rc =
	    rows == NULL ? job_retry(worker, job, "the files of an upload cannot be removed") : job_finish(worker, job);
	talloc_free(rows);
	talloc_free(storage);
	error_clear(&err);
	return rc;
}
