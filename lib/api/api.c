/*
 * What every call goes through: who asks, and the transaction around the work.  Which route needs what is the programs' tables'
 * to say; how callers are known is api_who.c's, and the kept answer of a money-moving call api_once.c's.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/db.h"
#include "base/privacy.h"
#include "base/text.h"
#include "core/job.h"
#include "core/message.h"
#include "core/onchain.h"
#include "core/sandbox.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/serve.h"
#include "net/fetch.h"
#include "net/storage.h"
#include "net/token.h"

#define BEARER "Bearer "

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
	const struct api *api = rq->program;

	switch (rq->route->principal) {
	case PUBLIC:
		return 0;
	case AGENT:
		return api->callers->agent(rq);
	case STAFF:
		return api->callers->staff(rq);
	case OPERATOR:
	case PERSON:
		return api->callers->person(rq);
	}
	return error_set(&rq->error, ERR_unauthorized);
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
	if (status >= 0 && rq->committed != NULL)
		rq->committed(rq);
	return status;
}

static int
call_handler(struct request *rq)
{
	const struct api *api = rq->program;
	const char *key = request_header(rq, "HTTP_IDEMPOTENCY_KEY");

	if ((rq->route->flags & MONEY) != 0 && key != NULL)
		return api->callers->once(rq, key);
	return (rq->route->flags & (MONEY | ATOMIC)) != 0 ? call_atomic(rq) : rq->route->handle(rq);
}

void
api_wake(struct request *rq)
{
	if (rq->wakes_worker && rq->error.code == ERR_none)
		job_wake(rq->db);
}

int
api_call(struct request *rq)
{
	rq->after = api_wake;
	return api_identify(rq) ? -1 : call_handler(rq);
}

/* What each worker makes once: the issuer's keys, the storage, the receipts' key. */
static void *
api_open(const void *ctx, const struct config *config, const void *callers)
{
	struct api *api = talloc_zero(ctx, struct api);

	api->callers = callers;
	api->token_keys = token_keys_open(api, config);
	api->storage = storage_open(api, config);
	if (config->secret_key != NULL)
		api->signer = token_signer_new(api, config->secret_key);
	api->onchain = onchain_open(api, config);
	return api;
}

/* A route whose caller its program does not know would be found by the first who asks. */
static bool
is_complete(const struct route *routes, size_t count, const struct api_callers *callers)
{
	for (size_t i = 0; i < count; i++) {
		enum principal who = routes[i].principal;

		if ((who == AGENT && callers->agent == NULL) || (who == STAFF && callers->staff == NULL) ||
		    ((who == OPERATOR || who == PERSON) && callers->person == NULL) ||
		    ((routes[i].flags & MONEY) != 0 && callers->once == NULL))
			return false;
	}
	return true;
}

int
api_main(int argc, char **argv, const char *name, const struct route *routes, size_t count,
    const struct api_callers *callers)
{
	struct config *config = privacy_begin() ? NULL : config_load(NULL, name);
	struct serve serve = { .name = name,
		.routes = routes,
		.route_count = count,
		.config = config,
		.call = api_call,
		.open = api_open,
		.open_arg = callers };
	int status;

	assert(is_complete(routes, count, callers));
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
