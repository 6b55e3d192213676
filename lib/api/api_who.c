/*
 * Who asks: an agent by its key, staff by theirs, a person by a token of the issuer.  Each program has only what its routes
 * ask for (struct api_callers), and so only the functions of the database that go with it.
 */
#include <string.h>
#include <strings.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/crypto.h"
#include "base/error.h"
#include "core/apikey.h"
#include "core/operator.h"
#include "http/request.h"
#include "http/route.h"
#include "net/token.h"

#define BEARER "Bearer "
#define KEY_UNUSED_MS (INT64_C(60) * 1000)

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

/* When the client has its answer: the key's last use, and a hint to the workers. */
static void
after_agent(struct request *rq)
{
	const struct apikey *key = api_key(rq);

	if (key != NULL && key->last_used_ms + KEY_UNUSED_MS < rq->now_ms)
		apikey_touch(rq->db, key->id, rq->now_ms);
	api_wake(rq);
}

int
api_who_agent(struct request *rq)
{
	struct apikey *key = talloc_zero(rq, struct apikey);
	const char *text = sent_key(rq);

	if (text == NULL)
		return error_set(&rq->error, ERR_unauthorized);
	if (apikey_check(rq->db, text, rq->now_ms, key, &rq->error))
		return -1;
	rq->who = (struct who){ .principal = AGENT, .id = key->agent, .key = key->id, .held = key };
	rq->after = after_agent;
	if (rq->route->scope != NULL && !apikey_allows(key, rq->route->scope)) {
		error_set(&rq->error, ERR_scope_missing);
		return error_detail(&rq->error, "scope", json_object_new_string(rq->route->scope));
	}
	return 0;
}

/* Both sides are hashed first, so that neither length nor content shows in the time taken. */
int
api_who_staff(struct request *rq)
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
int
api_who_person(struct request *rq)
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
