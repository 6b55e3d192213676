/*
 * What a handler reads of its request: headers, ids in the path, the JSON body and the query by tables.  The
 * bytes have been fetched, limited and decoded before (serve.c); what a field may hold is base/fields.h.
 */
#include <assert.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include "base/text.h"
#include "http/gateway.h"
#include "http/request.h"

static int
request_free(struct request *rq)
{
	error_clear(&rq->error);
	json_object_put(rq->reply);
	json_object_put(rq->log);
	return 0;
}

struct request *
request_new(const void *ctx)
{
	struct request *rq = talloc_zero(ctx, struct request);

	assert(rq != NULL);
	talloc_set_destructor(rq, request_free);
	rq->path = rq->query = "";
	rq->reply = json_object_new_object();
	rq->log = json_object_new_object();
	assert(rq->reply != NULL && rq->log != NULL);
	return rq;
}

struct request *
request_within(struct request *outer)
{
	struct request *rq = request_new(outer);

	rq->gateway = outer->gateway;
	rq->config = outer->config;
	rq->db = outer->db;
	rq->program = outer->program;
	rq->server = outer->server;
	rq->id = outer->id;
	rq->now_ms = outer->now_ms;
	rq->address = outer->address;
	return rq;
}

const char *
request_header(const struct request *rq, const char *cgi_name)
{
	if (rq->given.name != NULL && strcmp(rq->given.name, cgi_name) == 0)
		return rq->given.value;
	return rq->gateway->variable(rq->gateway, cgi_name);
}

int
request_id(struct request *rq, const char *param, enum id_kind kind, enum error_code missing, struct id *id)
{
	for (size_t i = 0; i < REQUEST_PARAMS && rq->params[i].name != NULL; i++) {
		if (strcmp(rq->params[i].name, param) != 0)
			continue;
		return id_parse(kind, rq->params[i].value, id) == 0 ? 0 : error_set(&rq->error, missing);
	}
	assert(!"the route has this parameter");
	return error_set(&rq->error, missing);
}

/* The text behind a prefix in any case and the white space after it; NULL if it begins otherwise. */
static const char *
skip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncasecmp(text, prefix, len) != 0)
		return NULL;
	return text + len + strspn(text + len, " \t");
}

/* application/json; the one parameter that is harmless is charset=utf-8, quoted or not (RFC 9110, 8.3). */
static bool
is_json(const char *type)
{
	if (type == NULL || (type = skip(type, "application/json")) == NULL)
		return false;
	while (*type == ';') {
		const char *value;

		type += 1 + strspn(type + 1, " \t");
		if (*type == ';' || *type == '\0')
			continue; /* an empty parameter is allowed */
		value = skip(type, "charset=utf-8");
		if (value == NULL)
			value = skip(type, "charset=\"utf-8\"");
		if (value == NULL)
			return false;
		type = value;
	}
	return *type == '\0';
}

bool
request_is_json(const struct request *rq)
{
	return is_json(request_header(rq, "CONTENT_TYPE"));
}

int
request_read(struct request *rq, const struct field *fields, size_t count, void *out)
{
	if (rq->body_len == 0)
		return fields_read(rq, "{}", 2, fields, count, out, &rq->error);
	if (!request_is_json(rq))
		return error_set(&rq->error, ERR_media_type_unsupported);
	return fields_read(rq, rq->body, rq->body_len, fields, count, out, &rq->error);
}

int64_t
request_body_announced(const struct request *rq)
{
	const char *announced = request_header(rq, "CONTENT_LENGTH");
	int64_t len;

	return announced != NULL && text_decimal(announced, 0, &len) == 0 && len >= 0 ? len : -1;
}

long
request_body(struct request *rq, void *buf, size_t size)
{
	int64_t announced = request_body_announced(rq);
	long got = rq->is_broken ? -1 : rq->gateway->read(rq->gateway, buf, size);

	rq->body_len += got > 0 ? (size_t)got : 0;
	if (got < 0 ||
	    (announced >= 0 && (got == 0 ? rq->body_len != (size_t)announced : rq->body_len > (size_t)announced)))
		rq->is_broken = true;
	return rq->is_broken ? -1 : got;
}

int
request_query(struct request *rq, const struct field *fields, size_t count, void *out)
{
	return fields_read_query(rq, rq->query, fields, count, out, &rq->error);
}
