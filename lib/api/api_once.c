/*
 * A money-moving call with an Idempotency-Key: its work and its kept answer are one transaction, and the same call again gets
 * that answer.
 */
#include <string.h>
#include <json-c/json.h>
#include "api/api.h"
#include "base/db.h"
#include "base/error.h"
#include "core/replay.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"

enum { HTTP_MULTIPLE_CHOICES = 300 };

/* The first answer again, to the letter; a refusal with this request's own id. */
static int
answer_again(struct request *rq, int status, const char *answer)
{
	struct json_object *error;

	reply_header(rq, "Idempotent-Replayed", "true");
	if (status < HTTP_MULTIPLE_CHOICES) {
		reply_raw(rq, "application/json; charset=utf-8", answer, strlen(answer));
		return status;
	}
	error = json_tokener_parse(answer);
	error_set(&rq->error, error_find(json_object_get_string(json_object_object_get(error, "code"))));
	rq->error.details = json_object_get(json_object_object_get(error, "details"));
	json_object_put(error);
	return -1;
}

static const char *
print_answer(struct request *rq)
{
	return json_object_to_json_string_ext(rq->reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* A blocked task keeps its key: no second roll of the dice (spec 5).  Should this fail, the block itself is remembered. */
static void
keep_refusal(struct request *rq, const struct replay *replay)
{
	struct error ignored = { 0 };

	reply_error(rq);
	replay_store(rq->db, replay, error_status(rq->error.code), print_answer(rq), &ignored);
	error_clear(&ignored);
}

/* The work is done and its answer is kept.  A fuller answer takes that one's place, or, should this fail, does not. */
static void
after_commit(struct request *rq, const struct replay *replay, int status)
{
	struct error ignored = { 0 };

	if (rq->committed != NULL && rq->committed(rq))
		replay_store(rq->db, replay, status, print_answer(rq), &ignored);
	error_clear(&ignored);
}

/* The work and its kept answer in one transaction: a kill at any point leaves both or neither. */
static int
call_once(struct request *rq, const char *key)
{
	struct replay replay = { .principal = rq->who.id,
		.path = rq->path,
		.key = key,
		.body = rq->body,
		.body_len = rq->body_len,
		.now_ms = rq->now_ms,
		.is_for_ever = (rq->route->flags & KEPT) != 0 };
	const char *answer;
	int status = -1, rc = -1;
	bool is_replayed = false;

	if (db_begin(rq->db, &rq->error) || replay_begin(rq->db, rq, &replay, &status, &answer, &rq->error))
		goto out;
	if (status > 0) {
		is_replayed = true;
		rc = answer_again(rq, status, answer);
		goto out;
	}
	status = rq->route->handle(rq);
	if (status < 0 || status >= HTTP_MULTIPLE_CHOICES)
		goto out;
	if (replay_store(rq->db, &replay, status, print_answer(rq), &rq->error) || db_commit(rq->db, &rq->error))
		goto out;
	after_commit(rq, &replay, status);
	rc = status;
out:
	db_rollback(rq->db);
	if (rc < 0 && !is_replayed && rq->error.code == ERR_policy_violation)
		keep_refusal(rq, &replay);
	return rc;
}

int
api_once(struct request *rq, const char *key)
{
	if (replay_key_ok(key))
		return call_once(rq, key);
	error_set(&rq->error, ERR_header_invalid);
	return error_detail(&rq->error, "Idempotency-Key",
	    json_object_new_string("must be 1 to 255 printable ASCII characters without blanks"));
}
