/*
 * An answer: members of its JSON object, header lines, and the CGI form in which it goes out (RFC 3875,
 * section 6). What the answer says is the handler's; where it goes is the gateway's.
 */
#include <assert.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "http/gateway.h"
#include "http/reply.h"
#include "http/request.h"

/* Adds a member; value NULL is JSON's null. */
static void
add(struct json_object *object, const char *name, struct json_object *value)
{
	int rc = json_object_object_add(object, name, value);

	assert(rc == 0);
	(void)rc;
}

static struct json_object *
must(struct json_object *value)
{
	assert(value != NULL); /* out of memory */
	return value;
}

void
reply_text(struct json_object *object, const char *name, const char *value)
{
	add(object, name, value != NULL ? must(json_object_new_string(value)) : NULL);
}

void
reply_bool(struct json_object *object, const char *name, bool value)
{
	add(object, name, must(json_object_new_boolean(value)));
}

void
reply_int(struct json_object *object, const char *name, int64_t value)
{
	add(object, name, must(json_object_new_int64(value)));
}

void
reply_real(struct json_object *object, const char *name, double value)
{
	char text[40];

	assert(isfinite(value));
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	add(object, name, must(json_object_new_double_s(value, text)));
}

void
reply_money(struct json_object *object, const char *name, usd_micros value)
{
	char text[MONEY_TEXT_SIZE];

	money_print(value, text);
	/* The text is what is written. */
	add(object, name, must(json_object_new_double_s((double)value / 1e6, text)));
}

void
reply_time(struct json_object *object, const char *name, int64_t ms)
{
	char text[TIME_TEXT_SIZE];

	time_print(ms, text);
	reply_text(object, name, ms != 0 ? text : NULL);
}

void
reply_id(struct json_object *object, const char *name, enum id_kind kind, struct id id)
{
	char text[ID_TEXT_SIZE];

	id_print(kind, id, text);
	reply_text(object, name, id_is_nil(id) ? NULL : text);
}

void
reply_json(struct json_object *object, const char *name, struct json_object *value)
{
	add(object, name, value);
}

void
reply_header(struct request *rq, const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;

	va_start(ap, fmt);
	value = talloc_vasprintf(rq, fmt, ap);
	va_end(ap);
	assert(value != NULL);
	/* A line break would begin a header of its own. */
	for (const char *p = value; *p != '\0'; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	if (rq->headers == NULL)
		rq->headers = talloc_strdup(rq, "");
	rq->headers = talloc_asprintf_append_buffer(rq->headers, "%s: %s\r\n", name, value);
	assert(rq->headers != NULL);
	talloc_free(value);
}

void
reply_raw(struct request *rq, const char *content_type, const char *data, size_t len)
{
	talloc_free(rq->raw);
	rq->raw = talloc_size(rq, len + 1);
	assert(rq->raw != NULL);
	memcpy(rq->raw, data, len);
	rq->raw[len] = '\0';
	rq->raw_len = len;
	rq->content_type = talloc_strdup(rq, content_type);
	assert(rq->content_type != NULL);
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < nitems(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Other";
}

/* The error's body (spec 3) takes the place of whatever the handler had begun. */
void
reply_error(struct request *rq)
{
	const struct error *err = &rq->error;

	assert(err->code != ERR_none);
	json_object_put(rq->reply);
	rq->reply = must(json_object_new_object());
	TALLOC_FREE(rq->raw);
	rq->content_type = NULL;
	reply_text(rq->reply, "error", error_text(err->code));
	reply_text(rq->reply, "code", error_name(err->code));
	reply_json(rq->reply, "details",
	    err->details != NULL ? json_object_get(err->details) : must(json_object_new_object()));
	reply_text(rq->reply, "request_id", rq->id);
	if (err->retry_after_s > 0)
		reply_header(rq, "Retry-After", "%d", err->retry_after_s);
	if (error_status(err->code) == 401)
		reply_header(rq, "WWW-Authenticate", "ApiKey realm=\"humanops\"");
}

static char *
headers(const struct request *rq, size_t len)
{
	char *text = talloc_asprintf(rq,
	    "Status: %d %s\r\nX-Request-Id: %s\r\nCache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\n%s",
	    rq->status, reason(rq->status), rq->id, rq->headers != NULL ? rq->headers : "");

	if (rq->status != 204 && rq->status != 304)
		text = talloc_asprintf_append_buffer(text, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    rq->content_type != NULL ? rq->content_type : "application/json; charset=utf-8", len);
	text = talloc_asprintf_append_buffer(text, "\r\n");
	assert(text != NULL);
	return text;
}

int
reply_file(struct request *rq, const char *content_type, int fd, size_t size)
{
	char *data = talloc_size(rq, size + 1);
	size_t have = 0;
	ssize_t got = 1;

	while (have < size && got > 0) {
		got = pread(fd, data + have, size - have, (off_t)have);
		have += got > 0 ? (size_t)got : 0;
	}
	if (have != size)
		return error_internal(&rq->error, "a stored file is shorter than it says");
	rq->raw = data;
	rq->raw_len = size;
	rq->content_type = content_type;
	return 0;
}

int
reply_send(struct request *rq, int status)
{
	const char *body;
	char *head;
	size_t len;
	bool is_bodiless;
	int rc;

	if (status < 0)
		reply_error(rq);
	rq->status = status < 0 ? error_status(rq->error.code) : status;
	if (rq->raw != NULL) {
		body = rq->raw;
		len = rq->raw_len;
	} else {
		assert(rq->reply != NULL);
		body = json_object_to_json_string_length(
		    rq->reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
		assert(body != NULL);
	}
	is_bodiless = strcmp(rq->method, "HEAD") == 0 || rq->status == 204 || rq->status == 304;
	head = headers(rq, len);
	rq->sent = is_bodiless ? 0 : len;
	rc = rq->gateway->write(rq->gateway, head, strlen(head));
	if (rc == 0 && rq->sent > 0)
		rc = rq->gateway->write(rq->gateway, body, len);
	talloc_free(head);
	return rc;
}
