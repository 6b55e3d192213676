#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stddef.h>
#include "http/request.h"
#include "http/window.h"

/* A program is a table of routes; the first row that matches method and path wins. */

enum route_flags {
	MONEY = 1,     /* takes an Idempotency-Key; runs in one database transaction */
	WHOLE = 2,     /* the path stands as it is, without the base /api/v1 (health) */
	UNCOUNTED = 4, /* no rate window (health, metrics) */
	DIRECT = 8,    /* the handler alone, without the program's call: asks for no key (health) */
	ATOMIC = 32,   /* runs in one database transaction, which a refusal rolls back */
	KEPT = 64,     /* with MONEY: its answers are kept for ever, not for 30 days (payouts) */
	STREAMED = 16, /* the handler reads the body itself, by request_body; not with MONEY */
};

struct route {
	const char *method, *pattern;	   /* "/tasks/:id/cancel" */
	int (*handle)(struct request *rq); /* the HTTP status, or -1 with rq->error */
	enum principal principal;
	const char *scope; /* that the key must have; NULL: none */
	unsigned flags;
	struct window_limit window; /* { 0 }: the usual 100 a minute */
};

/*
 * Finds the route for rq->method and rq->path, and fills rq->route and rq->params.  HEAD matches GET.
 * Fails: not_found; method_not_allowed, with an Allow header added to the reply.
 */
int route_find(const struct route *routes, size_t count, struct request *rq);

#endif
