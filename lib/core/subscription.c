/*
 * Browsers that operators are told in: who subscribed, and the worker's part that sends.  What is said is notify.c's; how it is
 * encrypted and sent, net/push.c's.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "core/job.h"
#include "core/subscription.h"
#include "net/fetch.h"
#include "net/push.h"

enum {
	ATTEMPTS = 10, /* three quarters of an hour; what is later than that the mail has told */
	TTL_SECONDS = 86400,
	HTTP_NOT_FOUND = 404,
	HTTP_GONE = 410,
};

int
subscription_add(struct db *db, struct id oper, const char *endpoint, const struct push_browser *browser,
    int64_t now_ms, struct error *err)
{
	int bucket = id_bucket(oper);
	struct db_rows *rows = db_call(db, NULL, err, "subscription_add", bucket,
	    DB_ARGS(DB_UUID(id_new(bucket, now_ms)), DB_UUID(oper), DB_TEXT(endpoint),
		DB_BYTES(browser->point, sizeof(browser->point)), DB_BYTES(browser->auth, sizeof(browser->auth)),
		DB_INT(SUBSCRIPTION_MAX), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
subscription_remove(struct db *db, struct id oper, const char *endpoint, bool *was_there, struct error *err)
{
	struct db_rows *rows =
	    db_call(db, NULL, err, "subscription_remove", id_bucket(oper), DB_ARGS(DB_UUID(oper), DB_TEXT(endpoint)));

	if (rows == NULL)
		return -1;
	*was_there = db_bool(rows, 0, "subscription_remove");
	talloc_free(rows);
	return 0;
}

int
subscription_tell(struct db *db, struct id party, struct json_object *message, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "subscription_tell", id_bucket(party),
	    DB_ARGS(DB_UUID(party), DB_JSON(message), DB_INT(ATTEMPTS), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

static void
send_message(const void *ctx, const struct worker *worker, const struct job *job, struct db_rows *rows,
    struct fetch_answer *answer)
{
	struct push push = {
		.endpoint = db_text(rows, 0, "endpoint"),
		.message = json_object_to_json_string_ext(
		    job->payload, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		.subject = worker->config->public_base_url,
		.ttl_s = TTL_SECONDS,
		.flags = (worker->config->is_development ? FETCH_ALLOW_HTTP : 0) |
			 (worker->config->webhook_allow_private ? FETCH_ALLOW_PRIVATE : 0),
	};
	const uint8_t *bytes;
	size_t len;

	bytes = db_bytes(rows, 0, "p256dh", &len);
	assert(len == sizeof(push.browser.point));
	memcpy(push.browser.point, bytes, len);
	bytes = db_bytes(rows, 0, "auth", &len);
	assert(len == sizeof(push.browser.auth));
	memcpy(push.browser.auth, bytes, len);
	push_send(ctx, push_signer_new(ctx, worker->config->push_key), &push, worker->now_ms, answer);
}

/* Records what came of it; 0, or -1 if the database did not take it. */
static int
record(struct worker *worker, struct id subscription, const char *outcome)
{
	struct error err = { 0 };
	struct db_rows *rows = db_call(worker->db, NULL, &err, "subscription_result", id_bucket(subscription),
	    DB_ARGS(DB_UUID(subscription), DB_TEXT(outcome)));

	error_clear(&err);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

/* A browser that has unsubscribed is forgotten; any other refusal may pass. */
static int
settle(struct worker *worker, const struct job *job, const struct fetch_answer *answer)
{
	bool is_sent = answer->status >= 200 && answer->status < 300;
	bool is_gone = answer->status == HTTP_NOT_FOUND || answer->status == HTTP_GONE;
	char why[40];

	if (record(worker, job->ref, is_sent ? "sent" : is_gone ? "gone" : "failed"))
		return -1;
	if (is_sent || is_gone)
		return job_finish(worker, job);
	snprintf(why, sizeof(why), "answer %d", answer->status);
	return job_retry(worker, job, answer->status != 0 ? why : answer->problem);
}

int
subscription_run(struct worker *worker, const struct job *job)
{
	struct error err = { 0 };
	struct fetch_answer answer = { 0 };
	struct db_rows *rows =
	    db_call(worker->db, NULL, &err, "subscription_load", id_bucket(job->ref), DB_ARGS(DB_UUID(job->ref)));
	int rc;

	error_clear(&err);
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0) {
		rc = job_finish(worker, job);
	} else {
		send_message(rows, worker, job, rows, &answer);
		rc = settle(worker, job, &answer);
	}
	talloc_free(rows);
	return rc;
}
