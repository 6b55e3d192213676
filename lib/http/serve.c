/*
 * One request from the gateway to its log line: path and route, rate window, body, the program's call, the
 * answer, work after it.  Who asks and what the call means is the program's; how bytes come and go is the
 * gateway's.
 */
#include <assert.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include "base/config.h"
#include "base/count.h"
#include "base/db.h"
#include "base/log.h"
#include "base/now.h"
#include "base/text.h"
#include "http/client.h"
#include "http/health.h"
#include "http/reply.h"
#include "http/serve.h"
#include "http/window.h"

#define BASE "/api/v1"

/* DROPPED: what nginx calls the status of a request whose client went away. */
enum { LOGGED_PATH_MAX = 200, READ_STEP = 16 * 1024, DROPPED = 499 };

static const struct window_limit usual_limit = { 100, 60 }; /* spec 3, rate limits */

/* What a worker holds; a talloc context. */
struct opened {
	const struct serve *serve;
	struct db *db;
	void *program;
	struct window_table *windows;
};

/* What one request's log line needs beside the request; the gateway's variables end with the answer. */
struct trace {
	int64_t start_ms;
	const char *uri; /* as it came */
	const char *via; /* the web server's own id of the request */
	bool is_dropped;
};

static char *
copy(struct request *rq, const char *name)
{
	const char *value = request_header(rq, name);
	char *text = talloc_strdup(rq, value != NULL ? value : "");

	assert(text != NULL);
	return text;
}

/* The path as the client wrote it.  Plain CGI servers may not hand it over; SCRIPT_NAME and PATH_INFO are
 * decoded. */
static char *
read_uri(struct request *rq, bool *is_decoded)
{
	char *uri = copy(rq, "REQUEST_URI");

	*is_decoded = *uri == '\0';
	if (*is_decoded)
		uri = talloc_asprintf(rq, "%s%s", copy(rq, "SCRIPT_NAME"), copy(rq, "PATH_INFO"));
	assert(uri != NULL);
	uri[strcspn(uri, "?")] = '\0';
	return uri;
}

/*
 * Decodes the path, once, and takes the base off.  An encoded slash is refused: no path of ours has one
 * within a segment, and the web server in front must see the same segments as we do.
 */
static int
read_path(struct request *rq, struct trace *trace)
{
	bool is_decoded;
	char *uri = read_uri(rq, &is_decoded);
	const char *path, *rest;

	trace->uri = uri;
	path = is_decoded ? uri : text_percent_decode(rq, uri, strlen(uri), false);
	if (path == NULL || !text_is_utf8(path, strlen(path)) || strcasestr(uri, "%2f") != NULL)
		return error_set(&rq->error, ERR_not_found);
	rest = strncmp(path, BASE, strlen(BASE)) == 0 ? path + strlen(BASE) : NULL;
	rq->is_whole = rest == NULL || (*rest != '/' && *rest != '\0');
	rq->path = rq->is_whole ? path : rest;
	return 0;
}

/*
 * What the web server has refused by itself and hands over to be answered like everything else: Apache's ErrorDocument, which
 * names the status in a variable that no client can set.  -1 with the error.
 */
static int
read_refusal(struct request *rq)
{
	static const struct {
		const char *status;
		enum error_code code;
	} refusals[] = {
		{ "403", ERR_not_found }, /* a folder of ours is no list to read */
		{ "404", ERR_not_found },
		{ "405", ERR_method_not_allowed },
		{ "413", ERR_body_too_large },
		{ "500", ERR_internal },
		{ "502", ERR_unavailable },
		{ "503", ERR_unavailable },
		{ "504", ERR_unavailable },
	};
	const char *status = request_header(rq, "REDIRECT_STATUS");

	for (size_t i = 0; status != NULL && i < nitems(refusals); i++) {
		if (strcmp(status, refusals[i].status) == 0)
			return error_set(&rq->error, refusals[i].code);
	}
	return 0;
}

static int
find_route(const struct serve *serve, struct request *rq, struct trace *trace)
{
	if (read_path(rq, trace) || read_refusal(rq))
		return -1;
	if (route_find(serve->routes, serve->route_count, rq) == 0)
		return 0;
	if (rq->error.code != ERR_not_found || route_find(health_routes, health_route_count, rq))
		return -1;
	error_clear(&rq->error);
	return 0;
}

/* For counters: strangers' paths must not make more and more series. */
static const char *
route_name(const struct request *rq)
{
	return rq->route != NULL ? rq->route->pattern : "unmatched";
}

/* Unknown paths and methods share one window for each address: whoever looks for holes meets its end soon. */
static int
count_request(const struct opened *opened, struct request *rq)
{
	const struct route *route = rq->route;
	struct window_limit limit = route != NULL && route->window.count > 0 ? route->window : usual_limit;
	struct window_state state;

	if (route != NULL && (route->flags & UNCOUNTED) != 0)
		return 0;
	state = window_hit(opened->windows, rq->address, route != NULL ? rq->path : "*", limit, rq->now_ms);
	reply_header(rq, "RateLimit-Limit", "%d", state.limit);
	reply_header(rq, "RateLimit-Remaining", "%d", state.remaining);
	reply_header(rq, "RateLimit-Reset", "%d", state.reset_s);
	if (!state.is_refused)
		return 0;
	count_add(COUNT_rate_refusals, 1, COUNT_LABELS(route_name(rq)));
	error_set(&rq->error, ERR_rate_limited);
	rq->error.retry_after_s = state.reset_s;
	return -1;
}

/*
 * Reads the body.  One that breaks off, or is not of its announced length, drops the request: whoever sent it
 * is gone, and half a body must never be taken for a whole one.
 */
static int
read_body(struct request *rq, struct trace *trace)
{
	const char *announced = request_header(rq, "CONTENT_LENGTH");
	bool is_announced = announced != NULL && *announced != '\0';
	unsigned long long want = is_announced ? strtoull(announced, NULL, 10) : 0;
	long got;

	if (strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0 || (rq->route->flags & STREAMED) != 0)
		return 0;
	if (want > BODY_MAX)
		return error_set(&rq->error, ERR_body_too_large);
	do {
		rq->body = talloc_realloc_size(rq, rq->body, rq->body_len + READ_STEP + 1);
		assert(rq->body != NULL);
		got = rq->gateway->read(rq->gateway, rq->body + rq->body_len, READ_STEP);
		rq->body_len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && rq->body_len <= BODY_MAX);
	rq->body[rq->body_len] = '\0';
	if (rq->body_len > BODY_MAX)
		return error_set(&rq->error, ERR_body_too_large);
	trace->is_dropped = got < 0 || (is_announced && rq->body_len != want);
	return 0;
}

/* The status of the answer, or -1 with the error. */
static int
answer(const struct opened *opened, struct request *rq, struct trace *trace)
{
	int rc = find_route(opened->serve, rq, trace);
	int counted = count_request(opened, rq);

	if (rc || counted || read_body(rq, trace))
		return -1;
	if (trace->is_dropped)
		return 0;
	rc = (rq->route->flags & DIRECT) != 0 ? rq->route->handle(rq) : opened->serve->call(rq);
	trace->is_dropped = rq->is_broken;
	return rc;
}

static void
log_id(struct json_object *line, const char *name, enum id_kind kind, struct id id)
{
	if (!id_is_nil(id))
		reply_id(line, name, kind, id);
}

/* Never query strings, headers or bodies.  Of a known route the pattern, so that lines can be counted. */
static void
log_line(const struct request *rq, const struct trace *trace)
{
	struct json_object *line = rq->log;
	bool is_fault = rq->status >= 500;

	reply_text(line, "method", rq->method);
	if (rq->route != NULL)
		reply_text(line, "route", rq->route->pattern);
	else
		reply_text(line, "path", talloc_strndup(rq, trace->uri, LOGGED_PATH_MAX));
	reply_int(line, "status", rq->status);
	if (trace->is_dropped)
		reply_text(line, "code", "body_incomplete");
	else if (rq->error.code != ERR_none)
		reply_text(line, "code", error_name(rq->error.code));
	reply_int(line, "ms", now_monotonic_ms() - trace->start_ms);
	reply_int(line, "bytes_in", (int64_t)rq->body_len);
	reply_int(line, "bytes_out", (int64_t)rq->sent);
	reply_text(line, "address", rq->address);
	log_id(line, "who", rq->who.principal == OPERATOR ? ID_OPERATOR : ID_AGENT, rq->who.id);
	log_id(line, "key", ID_KEY, rq->who.key);
	if (*trace->via != '\0')
		reply_text(line, "via", trace->via);
	log_event(is_fault ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "request", json_object_get(line));
}

/* Likewise for methods. */
static const char *
method_name(const struct request *rq)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

	for (size_t i = 0; i < nitems(methods); i++)
		if (strcmp(rq->method, methods[i]) == 0)
			return methods[i];
	return "other";
}

static void
measure(const struct request *rq, const struct trace *trace)
{
	const char *route = route_name(rq), *method = method_name(rq);
	char status[12];

	snprintf(status, sizeof status, "%d", trace->is_dropped ? DROPPED : rq->status);
	count_add(COUNT_http_requests, 1, COUNT_LABELS(route, method, status));
	count_time(COUNT_http_seconds, now_monotonic_ms() - trace->start_ms, COUNT_LABELS(route, method));
}

static struct request *
request_of(const struct opened *opened, struct gateway *gateway)
{
	struct request *rq = request_new(opened);
	char *id = talloc_zero_size(rq, ID_TEXT_SIZE);

	assert(id != NULL);
	rq->gateway = gateway;
	rq->config = opened->serve->config;
	rq->db = opened->db;
	rq->program = opened->program;
	rq->server = opened->serve->name;
	rq->now_ms = now_ms();
	id_print(ID_REQUEST, id_new(0, rq->now_ms), id);
	rq->id = id;
	rq->method = copy(rq, "REQUEST_METHOD");
	rq->query = copy(rq, "QUERY_STRING");
	rq->address =
	    client_address(rq, opened->serve->config->trusted_proxies, opened->serve->config->trusted_proxy_count,
		copy(rq, "REMOTE_ADDR"), request_header(rq, "HTTP_X_FORWARDED_FOR"));
	return rq;
}

static void
handle(void *arg, struct gateway *gateway)
{
	struct opened *opened = arg;
	struct request *rq = request_of(opened, gateway);
	struct trace trace = { .start_ms = now_monotonic_ms(), .uri = "" };
	int status;

	log_request(rq->id);
	trace.via = copy(rq, "NGINX_REQUEST_ID");
	status = answer(opened, rq, &trace);
	if (!trace.is_dropped)
		reply_send(rq, status); /* a client that has gone misses its answer, no more */
	gateway->finish(gateway);
	log_line(rq, &trace);
	measure(rq, &trace);
	if (rq->after != NULL)
		rq->after(rq);
	log_request(NULL);
	talloc_free(rq);
}

static char *
run_path(const void *ctx, const struct serve *serve, const char *name)
{
	char *path = talloc_asprintf(ctx, "%s/%s", serve->config->run_dir, name);

	assert(path != NULL);
	return path;
}

static int
opened_free(struct opened *opened)
{
	count_close();
	window_close(opened->windows);
	return 0;
}

static void *
open_worker(void *arg)
{
	const struct serve *serve = arg;
	struct opened *opened = talloc_zero(NULL, struct opened);
	struct error err = { 0 };

	assert(opened != NULL);
	talloc_set_destructor(opened, opened_free);
	opened->serve = serve;
	opened->windows = window_open(run_path(opened, serve, "windows"), &err);
	if (opened->windows == NULL || count_open(serve->config->run_dir, serve->name, &err) != 0 ||
	    (serve->config->is_development && now_open(run_path(opened, serve, "clock"), &err) != 0)) {
		error_clear(&err);
		talloc_free(opened);
		return NULL;
	}
	opened->db = db_open(opened, serve->config->database_url, serve->config->database_guard);
	if (serve->open != NULL)
		opened->program = serve->open(opened, serve->config, serve->open_arg);
	return opened;
}

static void
close_worker(void *opened)
{
	talloc_free(opened);
}

/* Settings that pass every check and yet serve nobody: better to refuse at once than in each worker. */
static int
try_windows(const struct serve *serve)
{
	struct error err = { 0 };
	char *path = run_path(NULL, serve, "windows");
	struct window_table *windows = window_open(path, &err);
	int rc = windows != NULL ? 0 : -1;

	window_close(windows);
	error_clear(&err);
	talloc_free(path);
	return rc;
}

int
serve_main(int argc, char **argv, const struct serve *serve)
{
	struct serve ours = *serve;
	struct gateway_program program = {
		.name = serve->name,
		.open = open_worker,
		.handle = handle,
		.close = close_worker,
		.arg = &ours,
	};

	log_open(serve->name);
	if (try_windows(serve))
		return EXIT_FAILURE;
	return gateway_main(argc, argv, &program);
}
