/*
 * Webhooks out: what is sent, how it is signed, when it is tried again.  The address checks are net/fetch.c's; the log
 * and the job's state move together in the SQL function delivery_result.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/job.h"
#include "core/sandbox.h"
#include "core/task.h"
#include "core/webhook.h"
#include "net/fetch.h"

enum { TIMEOUT_MS = 10000, ANSWER_MAX = 64 * 1024, HTTP_GONE = 410 };

#define DAY_MS (INT64_C(86400) * 1000)

/* Ten attempts over 75 hours: after each of the first nine, in seconds. */
static const int delays_s[WEBHOOK_ATTEMPTS - 1] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

void
webhook_sign(const char *secret, const char *body, size_t len, char hex[2 * SHA256_SIZE + 1])
{
	uint8_t mac[SHA256_SIZE];

	crypto_hmac_sha256(secret, strlen(secret), body, len, mac);
	text_hex(mac, sizeof(mac), hex);
}

char *
webhook_sign_standard(const void *ctx, const char *secret, const char *id, int64_t timestamp_s, const char *body)
{
	char *text = talloc_asprintf(NULL, "%s.%lld.%s", id, (long long)timestamp_s, body);
	const uint8_t *key = (const uint8_t *)secret;
	size_t len = strlen(secret);
	uint8_t mac[SHA256_SIZE];
	uint8_t *decoded = NULL;
	char *out;

	if (strncmp(secret, "whsec_", 6) == 0 && (decoded = text_unbase64(text, secret + 6, &len)) != NULL)
		key = decoded;
	else
		len = strlen(secret);
	crypto_hmac_sha256(key, len, text, strlen(text), mac);
	out = talloc_asprintf(ctx, "v1,%s", text_base64(text, mac, sizeof(mac)));
	talloc_free(text);
	return out;
}

int64_t
webhook_delay_ms(int attempt)
{
	return attempt >= 1 && attempt < WEBHOOK_ATTEMPTS ? (int64_t)delays_s[attempt - 1] * 1000 : 0;
}

/* The body, the same on every attempt: the event, not the task as it has become meanwhile. */
static char *
make_body(const void *ctx, struct db_rows *rows)
{
	struct json_object *body = json_object_new_object(), *data = db_json(rows, 0, "data"), *guardian = NULL,
			   *message, *reason;
	char id[ID_TEXT_SIZE], time[TIME_TEXT_SIZE];
	char *text;

	json_object_object_add(body, "event", json_object_new_string(db_text(rows, 0, "type")));
	id_print(ID_TASK, db_uuid(rows, 0, "task_id"), id);
	json_object_object_add(body, "task_id", json_object_new_string(id));
	json_object_object_add(body, "status", json_object_new_string(db_text(rows, 0, "to_status")));
	if (json_object_object_get_ex(data, "guardian_result", &guardian))
		json_object_object_add(body, "guardian_result", json_object_get(guardian));
	if (json_object_object_get_ex(data, "message", &message))
		json_object_object_add(body, "message", json_object_get(json_object_object_get(message, "text")));
	if (json_object_object_get_ex(data, "abort_reason", &reason))
		json_object_object_add(body, "abort_reason", json_object_get(reason));
	time_print(db_time(rows, 0, "at"), time);
	json_object_object_add(body, "timestamp", json_object_new_string(time));
	id_print(ID_EVENT, db_uuid(rows, 0, "event_id"), id);
	json_object_object_add(body, "id", json_object_new_string(id));
	if (db_bool(rows, 0, "is_sandbox")) {
		json_object_object_add(body, "sandbox", json_object_new_boolean(1));
		json_object_object_add(body, "sandbox_notice", json_object_new_string(sandbox_notice("EVENT")));
	}
	text = talloc_strdup(
	    ctx, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(body);
	json_object_put(data);
	return text;
}

/* The task's callback secret; NULL if it has none. */
static char *
open_secret(const void *ctx, const struct config *config, struct db_rows *rows)
{
	char purpose[64];
	size_t len;
	const uint8_t *sealed = db_bytes(rows, 0, "callback_secret", &len);

	task_secret_purpose(db_uuid(rows, 0, "task_id"), purpose);
	return sealed == NULL ? NULL : (char *)crypto_open(ctx, config->secret_key, purpose, sealed, len, &len);
}

static void
send_event(const void *ctx, const struct worker *worker, struct db_rows *rows, struct fetch_answer *answer)
{
	char id[ID_TEXT_SIZE], hex[2 * SHA256_SIZE + 1];
	char *body = make_body(ctx, rows), *secret = open_secret(ctx, worker->config, rows);
	int64_t timestamp = now_ms() / 1000;
	const char *headers[6] = { "Content-Type: application/json" };
	size_t n = 1;
	struct fetch fetch = {
		.method = "POST",
		.url = db_text(rows, 0, "callback_url"),
		.headers = headers,
		.body = body,
		.body_len = strlen(body),
		.timeout_ms = TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
		.flags = (worker->config->is_development ? FETCH_ALLOW_HTTP : 0) |
			 (worker->config->webhook_allow_private ? FETCH_ALLOW_PRIVATE : 0),
	};

	id_print(ID_EVENT, db_uuid(rows, 0, "event_id"), id);
	headers[n++] = talloc_asprintf(ctx, "webhook-id: %s", id);
	headers[n++] = talloc_asprintf(ctx, "webhook-timestamp: %lld", (long long)timestamp);
	if (secret != NULL) {
		webhook_sign(secret, body, strlen(body), hex);
		headers[n++] = talloc_asprintf(ctx, "X-HumanOps-Signature: %s", hex);
		headers[n++] = talloc_asprintf(
		    ctx, "webhook-signature: %s", webhook_sign_standard(ctx, secret, id, timestamp, body));
		crypto_wipe(secret, strlen(secret));
	}
	headers[n] = NULL;
	fetch_run(ctx, &fetch, answer);
}

/* What came of the attempt, for whoever watches: a job that is given up is dead only for the webhook's receiver. */
static void
count(const struct job *job, const char *state, const struct fetch_answer *answer)
{
	static const char *const classes[] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
	int class = answer != NULL ? answer->status / 100 : 0;
	bool is_pending = strcmp(state, "pending") == 0;

	job_count(job, is_pending ? "retry" : "done");
	count_add(COUNT_webhooks, 1,
	    COUNT_LABELS(is_pending ? "retry" : state, classes[class > 0 && class < (int)nitems(classes) ? class : 0]));
}

/* Records the attempt; next 0: no more. */
static int
settle(struct worker *worker, const struct job *job, const char *state, int64_t next, const struct fetch_answer *answer,
    const char *problem, int64_t took_ms)
{
	struct error err = { 0 };
	struct db_rows *rows = db_call(worker->db, NULL, &err, "delivery_result", id_bucket(job->ref),
	    DB_ARGS(DB_UUID(job->ref), DB_UUID(job->id), DB_INT(job->attempts), DB_TEXT(state), DB_TIME(next),
		answer != NULL && answer->status != 0 ? DB_INT(answer->status) : DB_NONE, DB_TEXT(problem),
		DB_INT(took_ms), DB_TIME(now_ms())));

	error_clear(&err);
	talloc_free(rows);
	if (rows == NULL)
		return -1;
	count(job, state, answer);
	return 0;
}

/* Delivered, failed for good, or when to try again: the schedule, or later if the receiver asks for it (a day at most). */
static const char *
judge(const struct job *job, const struct fetch_answer *answer, int64_t *next)
{
	int64_t delay = webhook_delay_ms(job->attempts);

	*next = 0;
	if (answer->status >= 200 && answer->status < 300)
		return "delivered";
	if (answer->status == HTTP_GONE || delay == 0)
		return "failed";
	delay = job_jitter(delay);
	if (answer->retry_after_s > 0 && (int64_t)answer->retry_after_s * 1000 > delay)
		delay = (int64_t)answer->retry_after_s * 1000;
	*next = now_ms() + (delay > DAY_MS * 11 / 10 ? DAY_MS : delay);
	return "pending";
}

int
webhook_run(struct worker *worker, const struct job *job)
{
	struct error err = { 0 };
	struct fetch_answer answer = { 0 };
	int64_t began = now_monotonic_ms(), next;
	struct db_rows *rows;
	const char *state;
	char problem[40];
	int rc;

	rows = db_call(worker->db, NULL, &err, "delivery_load", id_bucket(job->ref), DB_ARGS(DB_UUID(job->ref)));
	error_clear(&err);
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0 || strcmp(db_text(rows, 0, "state"), "pending") != 0) {
		talloc_free(rows);
		return job_finish(worker, job);
	}
	send_event(rows, worker, rows, &answer);
	state = judge(job, &answer, &next);
	snprintf(problem, sizeof(problem), "answer %d", answer.status);
	rc = settle(worker, job, state, next, &answer,
	    strcmp(state, "delivered") == 0 ? NULL
	    : answer.status != 0	    ? problem
					    : answer.problem,
	    now_monotonic_ms() - began);
	talloc_free(rows);
	return rc;
}

void
webhook_give_up(struct worker *worker, const struct job *job)
{
	settle(worker, job, "failed", 0, NULL, "no attempt came to an end", 0);
}

int
webhook_list(struct db *db, const void *ctx, struct id agent, struct id task, struct webhook_delivery **out,
    size_t *count, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(db, ctx, err, "delivery_list", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(task)));
	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct webhook_delivery, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct webhook_delivery *d = &(*out)[i];

		d->id = db_uuid(rows, i, "id");
		d->event = db_uuid(rows, i, "event_id");
		d->type = db_text(rows, i, "type");
		d->state = db_text(rows, i, "state");
		d->created_ms = db_time(rows, i, "created_at");
		d->next_ms = db_time(rows, i, "next_at");
		d->delivered_ms = db_time(rows, i, "delivered_at");
		d->attempts_json = db_text(rows, i, "attempts");
	}
	return 0;
}

int
webhook_redeliver(struct db *db, struct id agent, struct id task, struct id delivery, int64_t now_ms, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task) != id_bucket(agent) || id_bucket(delivery) != id_bucket(agent))
		return error_set(err, ERR_delivery_not_found);
	rows = db_call(db, NULL, err, "delivery_redeliver", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(task), DB_UUID(delivery), DB_TIME(now_ms)));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
webhook_failures(
    struct db *db, const void *ctx, int64_t limit, struct webhook_failure **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "delivery_failed_everywhere", DB_ARGS(DB_INT(limit)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct webhook_failure, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].id = db_uuid(rows, i, "id");
		(*out)[i].agent = db_uuid(rows, i, "agent_id");
		(*out)[i].task = db_uuid(rows, i, "task_id");
		(*out)[i].type = db_text(rows, i, "type");
		(*out)[i].last_error = db_text(rows, i, "last_error");
		(*out)[i].attempts = (int)db_int(rows, i, "attempts");
		(*out)[i].created_ms = db_time(rows, i, "at");
	}
	return 0;
}
