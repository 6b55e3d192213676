/*
 * What every call goes through: the principal and its scope, the idempotency key of a money-moving call, and the transaction
 * around both the work and the kept answer.  Which route needs what is the programs' tables' to say.
 */
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/privacy.h"
#include "base/text.h"
#include "core/job.h"
#include "core/message.h"
#include "core/onchain.h"
#include "core/operator.h"
#include "core/replay.h"
#include "core/sandbox.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/serve.h"
#include "net/fetch.h"
#include "net/storage.h"
#include "net/token.h"

#define BEARER "Bearer "
#define KEY_UNUSED_MS (INT64_C(60) * 1000)

enum { HTTP_MULTIPLE_CHOICES = 300 };

const struct apikey *
api_key(const struct request *rq)
{
	return rq->who.held;
}

const struct oper *
api_operator(const struct request *rq)
{
	return rq->who.oper;
}

/* X-API-Key, or a bearer token that is a key of ours. */
static const char *
sent_key(const struct request *rq)
{
	const char *key = request_header(rq, "HTTP_X_API_KEY");
	const char *bearer = request_header(rq, "HTTP_AUTHORIZATION");

	if (key != NULL && key[0] != '\0')
		return key;
	return bearer != NULL && strncasecmp(bearer, BEARER, strlen(BEARER)) == 0 ? bearer + strlen(BEARER) : NULL;
}

static int
identify_agent(struct request *rq)
{
	struct apikey *key = talloc_zero(rq, struct apikey);
	const char *text = sent_key(rq);

	if (text == NULL)
		return error_set(&rq->error, ERR_unauthorized);
	if (apikey_check(rq->db, text, rq->now_ms, key, &rq->error))
		return -1;
	rq->who = (struct who){ .principal = AGENT, .id = key->agent, .key = key->id, .held = key };
	if (rq->route->scope != NULL && !apikey_allows(key, rq->route->scope)) {
		error_set(&rq->error, ERR_scope_missing);
		return error_detail(&rq->error, "scope", json_object_new_string(rq->route->scope));
	}
	return 0;
}

/* Both sides are hashed first, so that neither length nor content shows in the time taken. */
static int
identify_staff(struct request *rq)
{
	const char *sent = request_header(rq, "HTTP_X_ADMIN_KEY"), *ours = rq->config->admin_api_key;
	uint8_t sent_hash[SHA256_SIZE], our_hash[SHA256_SIZE];

	if (sent == NULL || ours == NULL)
		return error_set(&rq->error, ERR_staff_only);
	crypto_sha256(sent, strlen(sent), sent_hash);
	crypto_sha256(ours, strlen(ours), our_hash);
	if (!crypto_equal(sent_hash, our_hash, SHA256_SIZE))
		return error_set(&rq->error, ERR_staff_only);
	rq->who.principal = STAFF;
	return 0;
}

/* The operator by a development header; an unknown one is unauthorized, like an unknown token. */
static int
identify_by_header(struct request *rq, const char *text, struct id *id)
{
	if (id_parse(ID_OPERATOR, text, id) != 0)
		return error_set(&rq->error, ERR_unauthorized);
	return 0;
}

/* The operator by a token; *id is nil if the person is none yet. */
static int
identify_by_token(struct request *rq, const char *token, struct id *id)
{
	const struct api *api = rq->program;
	struct token_claims claims;

	if (api->token_keys == NULL)
		return error_set(&rq->error, ERR_unauthorized);
	if (token_check(api->token_keys, token, rq->now_ms, rq, &claims, &rq->error))
		return -1;
	rq->who.is_impersonated = claims.is_impersonated;
	rq->who.subject = talloc_asprintf(rq, "%s %s", rq->config->operator_jwt_issuer, claims.sub);
	return operator_of_subject(rq->db, rq->who.subject, id, &rq->error);
}

static int
find_operator(struct request *rq, struct id id)
{
	struct oper *oper = talloc_zero(rq, struct oper);

	if (id_is_nil(id))
		return error_set(&rq->error, ERR_operator_required);
	if (operator_find(rq->db, rq, id, oper, &rq->error)) {
		if (rq->error.code == ERR_operator_not_found)
			error_set(&rq->error, ERR_unauthorized);
		return -1;
	}
	if (oper->is_suspended)
		return error_set(&rq->error, ERR_operator_suspended);
	rq->who.id = id;
	rq->who.oper = oper;
	return 0;
}

/* In development a person may come without any token, to register. */
static int
identify_person(struct request *rq)
{
	const char *header = request_header(rq, "HTTP_X_OPERATOR_ID");
	const char *bearer = request_header(rq, "HTTP_AUTHORIZATION");
	bool is_open = rq->config->is_development && rq->config->allow_dev_operator_id;
	struct id id = { { 0 } };

	rq->who.principal = OPERATOR;
	if (bearer != NULL && strncasecmp(bearer, BEARER, strlen(BEARER)) == 0) {
		if (identify_by_token(rq, bearer + strlen(BEARER), &id))
			return -1;
	} else if (is_open && header != NULL) {
		if (identify_by_header(rq, header, &id))
			return -1;
	} else if (!is_open || rq->route->principal != PERSON) {
		return error_set(&rq->error, ERR_unauthorized);
	}
	return rq->route->principal == PERSON ? 0 : find_operator(rq, id);
}

enum principal
api_principal(const struct request *rq)
{
	const char *key = request_header(rq, "HTTP_X_API_KEY");
	const char *bearer = request_header(rq, "HTTP_AUTHORIZATION");
	bool is_bearer = bearer != NULL && strncasecmp(bearer, BEARER, strlen(BEARER)) == 0;

	if ((key != NULL && *key != '\0') || (is_bearer && apikey_looks_right(bearer + strlen(BEARER))))
		return AGENT;
	return is_bearer || request_header(rq, "HTTP_X_OPERATOR_ID") != NULL ? OPERATOR : PUBLIC;
}

int
api_identify(struct request *rq)
{
	switch (rq->route->principal) {
	case PUBLIC:
		return 0;
	case AGENT:
		return identify_agent(rq);
	case STAFF:
		return identify_staff(rq);
	case OPERATOR:
	case PERSON:
		return identify_person(rq);
	}
	return error_set(&rq->error, ERR_unauthorized);
}

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

	if (rq->committed != NULL && rq->committed(rq) && replay != NULL)
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

/* All that the handler does, or nothing. */
static int
call_atomic(struct request *rq)
{
	int status = -1;

	if (db_begin(rq->db, &rq->error))
		return -1;
	status = rq->route->handle(rq);
	if (status >= 0 && db_commit(rq->db, &rq->error))
		status = -1;
	db_rollback(rq->db);
	if (status >= 0)
		after_commit(rq, NULL, status);
	return status;
}

static int
call_handler(struct request *rq)
{
	const char *key = request_header(rq, "HTTP_IDEMPOTENCY_KEY");

	if ((rq->route->flags & MONEY) == 0 || key == NULL)
		return (rq->route->flags & (MONEY | ATOMIC)) != 0 ? call_atomic(rq) : rq->route->handle(rq);
	if (!replay_key_ok(key)) {
		error_set(&rq->error, ERR_header_invalid);
		return error_detail(&rq->error, "Idempotency-Key",
		    json_object_new_string("must be 1 to 255 printable ASCII characters without blanks"));
	}
	return call_once(rq, key);
}

/* When the client has its answer: the key's last use, and a hint to the workers. */
static void
after_answer(struct request *rq)
{
	const struct apikey *key = api_key(rq);

	if (key != NULL && key->last_used_ms + KEY_UNUSED_MS < rq->now_ms)
		apikey_touch(rq->db, key->id, rq->now_ms);
	if (rq->wakes_worker && rq->error.code == ERR_none)
		job_wake(rq->db);
}

int
api_call(struct request *rq)
{
	rq->after = after_answer;
	return api_identify(rq) ? -1 : call_handler(rq);
}

/* What each worker makes once: the issuer's keys, the storage, the receipts' key. */
static void *
api_open(const void *ctx, const struct config *config)
{
	struct api *api = talloc_zero(ctx, struct api);

	api->token_keys = token_keys_open(api, config);
	api->storage = storage_open(api, config);
	if (config->secret_key != NULL)
		api->signer = token_signer_new(api, config->secret_key);
	api->onchain = onchain_open(api, config);
	return api;
}

int
api_main(int argc, char **argv, const char *name, const struct route *routes, size_t count)
{
	struct config *config = privacy_begin() ? NULL : config_load(NULL, name);
	struct serve serve = { .name = name,
		.routes = routes,
		.route_count = count,
		.config = config,
		.call = api_call,
		.open = api_open };
	int status;

	if (config == NULL || !onchain_check(config))
		return EX_CONFIG;
	fetch_init();
	status = serve_main(argc, argv, &serve);
	talloc_free(config);
	return status;
}

int
api_cursor(struct request *rq, enum id_kind kind, const char *cursor, struct id *id)
{
	if (cursor != NULL && id_parse(kind, cursor, id) != 0)
		return error_set(&rq->error, ERR_cursor_invalid);
	return 0;
}

void
api_reply_sandbox(struct json_object *object, bool is_sandbox, const char *status)
{
	if (!is_sandbox)
		return;
	reply_bool(object, "sandbox", true);
	reply_text(object, "sandbox_notice", sandbox_notice(status));
}

struct message_input {
	const char *text;
};

static const struct field message_fields[] = {
	{ "message", FIELD_TEXT, FIELD_REQUIRED | FIELD_LINES, offsetof(struct message_input, text), .min = 1,
	    .max = MESSAGE_MAX_CHARS },
};

int
api_message_add(struct request *rq, const char *sender)
{
	struct message_input in = { 0 };
	struct id id, message;
	struct task task;

	if (request_read(rq, message_fields, nitems(message_fields), &in) ||
	    request_id(rq, "id", ID_TASK, ERR_task_not_found, &id) ||
	    message_add(rq->db, rq, id, sender, rq->who.id, in.text, rq->now_ms, &message, &task, &rq->error))
		return -1;
	reply_id(rq->reply, "message_id", ID_MESSAGE, message);
	reply_time(rq->reply, "created_at", rq->now_ms);
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	return 201;
}
