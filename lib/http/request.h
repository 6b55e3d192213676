#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/fields.h"
#include "base/id.h"

/*
 * One request and the answer that is being built for it.  It is a talloc context: what the request needs
 * hangs on it and goes with it.
 */

struct apikey;
struct config;
struct db;
struct gateway;
struct json_object;
struct oper;
struct route;

enum { REQUEST_PARAMS = 4, BODY_MAX = 256 * 1024 };

/* PERSON: signed in by a token, who need not be an operator yet. */
enum principal { PUBLIC, AGENT, OPERATOR, PERSON, STAFF };

/* Who asks, once the api layer knows it. */
struct who {
	enum principal principal;
	struct id id;		   /* agent or operator */
	struct id key;		   /* the API key used … */
	const struct apikey *held; /* … and what it may do; the api layer's */
	const struct oper *oper;   /* the operator's row, likewise */
	const char *subject;	   /* of the token; NULL: none */
	bool is_impersonated;	   /* someone else acts in the operator's name: no money moves */
};

struct request {
	struct gateway *gateway;
	const struct config *config;
	struct db *db;
	const void *program; /* what else the program's main handed down (api/api.h) */
	const char *server;  /* the program's name, "tasks" */
	const char *id;	     /* "req_…", also the header X-Request-Id */
	int64_t now_ms;	     /* the time this request is judged by */

	const char *method;  /* as sent; HEAD is served as GET without a body */
	const char *path;    /* decoded, without the base /api/v1 */
	bool is_whole;	     /* it came without that base */
	const char *query;   /* raw, "" if none */
	const char *address; /* the client's */
	char *body;	     /* NUL-terminated */
	size_t body_len;     /* or how much of it request_body has read */
	bool is_broken;	     /* request_body met an early end: the request is dropped without an answer */
	const struct route *route;
	struct {
		const char *name, *value;
	} params[REQUEST_PARAMS]; /* ":id" of the pattern */
	struct who who;

	struct error error;
	struct json_object *reply; /* an object; handlers add to it (http/reply.h) */
	char *raw;		   /* or an answer of another kind: its bytes … */
	size_t raw_len;
	const char *content_type; /* … and type */
	char *headers;		  /* further header lines, each with CRLF */
	struct json_object *log;  /* what else the request's log line shows */
	int status;		  /* what was answered, and how many bytes of body; by reply_send */
	size_t sent;

	/* A call made within another one (request_within): the header that stands there instead, whatever came. */
	struct {
		const char *name, *value;
	} given;

	/*
	 * For MONEY: called when the handler's work is committed, before the answer goes.  True: it has made the answer
	 * fuller, and that one is kept for repeats.  It cannot fail, since the work is done.
	 */
	bool (*committed)(struct request *rq);
	void *handled; /* what the handler leaves for it */
	/* Work for after the answer has gone; only hints and bookkeeping, since a kill may lose it. */
	void (*after)(struct request *rq);
	bool wakes_worker;
};

/* An empty request with its reply and log; a talloc child of ctx, which frees what it holds. */
struct request *request_new(const void *ctx);

/*
 * A request within another, for a program whose calls are made of other programs' handlers: same client, headers, time and
 * database, its own route, input and answer.  The caller fills in method, path, route, params, query, body and given.
 * Owner: a talloc child of the outer one.
 */
struct request *request_within(struct request *outer);

/* A request header by its CGI name ("HTTP_X_API_KEY", "CONTENT_TYPE"); NULL if absent. */
const char *request_header(const struct request *rq, const char *cgi_name);

/* A path parameter as an id; a malformed one fails with `missing` (the resource's own 404). */
int request_id(struct request *rq, const char *param, enum id_kind kind, enum error_code missing, struct id *id);

/*
 * Reads the JSON body by the table.  The content type must be application/json (any or no charset of utf-8);
 * no body at all is read as {} where no field is required.  Fails: media_type_unsupported and those of
 * fields_read.
 */
int request_read(struct request *rq, const struct field *fields, size_t count, void *out);

/* True if the body is said to be JSON: application/json, without or with charset utf-8. */
bool request_is_json(const struct request *rq);

/*
 * For STREAMED routes: reads up to size bytes of the body; 0 at its end.  -1 if it broke off or is not of its
 * announced length: then nobody waits for the answer, and half a body must never be taken for a whole one.
 */
long request_body(struct request *rq, void *buf, size_t size);

/* What CONTENT_LENGTH announces; -1: nothing (or nothing that is a number). */
int64_t request_body_announced(const struct request *rq);

/* Reads the query string by the table. */
int request_query(struct request *rq, const struct field *fields, size_t count, void *out);

#endif
