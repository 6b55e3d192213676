/*
 * The queue, from the worker's side.  Which kinds there are is the table in fcgi/worker.c; how rows are locked and leased,
 * sql/functions/job.sql.
 */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/count.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "core/heartbeat.h"
#include "core/job.h"

enum { RETRY_FIRST_MS = 5000, RETRY_LAST_MS = 3600 * 1000 };

int64_t
job_jitter(int64_t delay_ms)
{
	uint32_t random;

	crypto_random(&random, sizeof(random));
	return delay_ms + delay_ms / 10 * (random % 1000) / 1000;
}

void
job_count(const struct job *job, const char *outcome)
{
	count_add(COUNT_jobs, 1, COUNT_LABELS(job->kind, outcome));
}

static int
settle(const struct job *job, const char *outcome, struct db_rows *rows, struct error *err)
{
	error_clear(err);
	talloc_free(rows);
	if (rows == NULL)
		return -1;
	job_count(job, outcome);
	return 0;
}

int
job_finish(struct worker *worker, const struct job *job)
{
	struct error err = { 0 };

	return settle(job, "done",
	    db_call(worker->db, NULL, &err, "job_finish", id_bucket(job->id),
		DB_ARGS(DB_UUID(job->id), DB_INT(job->attempts))),
	    &err);
}

static int
postpone(struct worker *worker, const struct job *job, int64_t run_at, const char *why)
{
	bool is_dead = run_at == 0 || job->attempts >= job->max_attempts;
	struct json_object *fields = json_object_new_object();
	struct error err = { 0 };

	json_object_object_add(fields, "kind", json_object_new_string(job->kind));
	json_object_object_add(fields, "attempt", json_object_new_int(job->attempts));
	json_object_object_add(fields, "why", json_object_new_string(why));
	log_event(LOG_LEVEL_WARNING, is_dead ? "job_dead" : "job_retry", fields);
	return settle(job, is_dead ? "dead" : "retry",
	    db_call(worker->db, NULL, &err, "job_retry", id_bucket(job->id),
		DB_ARGS(DB_UUID(job->id), DB_INT(job->attempts), DB_TIME(run_at), DB_TEXT(why))),
	    &err);
}

int
job_retry(struct worker *worker, const struct job *job, const char *why)
{
	int64_t delay = RETRY_FIRST_MS;

	for (int i = 1; i < job->attempts && delay < RETRY_LAST_MS; i++)
		delay *= 2;
	if (delay > RETRY_LAST_MS)
		delay = RETRY_LAST_MS;
	return postpone(worker, job, worker->now_ms + job_jitter(delay), why);
}

int
job_give_up(struct worker *worker, const struct job *job, const char *why)
{
	return postpone(worker, job, 0, why);
}

int
job_next(struct worker *worker, const struct job *job, int64_t run_at_ms)
{
	struct error err = { 0 };

	return settle(job, "step",
	    db_call(worker->db, NULL, &err, "job_next", id_bucket(job->id),
		DB_ARGS(DB_UUID(job->id), DB_INT(job->attempts), DB_TIME(run_at_ms))),
	    &err);
}

static const struct job_kind *
find_kind(const struct job_kind *kinds, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* A job that has used up its attempts without settling has killed every worker that touched it. */
static void
run_one(struct worker *worker, const struct job_kind *kind, const struct job *job)
{
	int64_t began_ms = now_monotonic_ms();

	if (job->attempts <= job->max_attempts)
		kind->run(worker, job);
	else if (kind->give_up != NULL)
		kind->give_up(worker, job);
	else
		job_give_up(worker, job, "every attempt died");
	count_time(COUNT_job_seconds, now_monotonic_ms() - began_ms, COUNT_LABELS(kind->name));
}

/* Tells, now and then, that somebody looks for jobs.  One that is lost is told again. */
static void
show_life(struct worker *worker)
{
	int64_t now = now_monotonic_ms();
	struct error err = { 0 };

	if (worker->alive_ms != 0 && now - worker->alive_ms < HEARTBEAT_MS)
		return;
	if (heartbeat_set(worker->db, HEARTBEAT_WORKER, NULL, now_ms(), &err) == 0)
		worker->alive_ms = now;
	error_clear(&err);
}

/* Takes and runs one job of a bucket; 1, 0 if none was free, -1 on trouble. */
static int
run_bucket(struct worker *worker, const struct job_kind *kinds, size_t count, struct json_object *leases, int bucket)
{
	struct error err = { 0 };
	struct db_rows *rows;
	int rc;

	show_life(worker);
	worker->now_ms = now_ms();
	rows = db_call(worker->db, NULL, &err, "job_take", bucket, DB_ARGS(DB_JSON(leases), DB_TIME(worker->now_ms)));
	error_clear(&err);
	rc = rows == NULL ? -1 : db_count(rows) > 0;
	if (rc == 1) {
		struct job job = {
			.id = db_uuid(rows, 0, "id"),
			.ref = db_uuid(rows, 0, "ref"),
			.kind = db_text(rows, 0, "kind"),
			.payload = db_json(rows, 0, "payload"),
			.attempts = (int)db_int(rows, 0, "attempts"),
			.max_attempts = (int)db_int(rows, 0, "max_attempts"),
			.created_ms = db_time(rows, 0, "created_at"),
		};

		run_one(worker, find_kind(kinds, count, job.kind), &job);
		json_object_put(job.payload);
	}
	talloc_free(rows);
	return rc;
}

int
job_run_due(struct worker *worker, const struct job_kind *kinds, size_t count, bool (*stop)(void))
{
	struct json_object *leases = json_object_new_object();
	struct error err = { 0 };
	struct db_rows *rows = NULL;
	int ran = 0, before;

	for (size_t i = 0; i < count; i++)
		json_object_object_add(leases, kinds[i].name, json_object_new_int(kinds[i].lease_s));
	do {
		before = ran;
		talloc_free(rows);
		show_life(worker);
		rows = db_call_everywhere(
		    worker->db, NULL, &err, "job_due_everywhere", DB_ARGS(DB_JSON(leases), DB_TIME(now_ms())));
		error_clear(&err);
		for (size_t i = 0; rows != NULL && i < db_count(rows) && !stop(); i++)
			if (run_bucket(worker, kinds, count, leases, (int)db_int(rows, i, "bucket")) > 0)
				ran++;
	} while (ran > before && !stop());
	talloc_free(rows);
	json_object_put(leases);
	return ran;
}

void
job_wake(struct db *db)
{
	struct error ignored = { 0 };

	talloc_free(db_call_everywhere(db, NULL, &ignored, "job_wake_everywhere", NULL, 0));
	error_clear(&ignored);
}
