#ifndef HTTP_SERVE_H
#define HTTP_SERVE_H

#include <stddef.h>
#include "http/gateway.h"
#include "http/request.h"
#include "http/route.h"

/* From a request to its answer and its log line: route, rate window, body, call, reply, work after it. */

struct serve {
	const char *name; /* "tasks" */
	const struct route *routes;
	size_t route_count;
	const struct config *config;
	/* Who asks, then the handler: the api layer's api_call.  Returns the status, or -1 with rq->error. */
	int (*call)(struct request *rq);
	/* Made once in each worker, of open_arg, and handed down as rq->program; may be NULL. */
	void *(*open)(const void *ctx, const struct config *config, const void *arg);
	const void *open_arg;
};

/* Serves the table (and the health routes, http/health.h) by FastCGI or CGI; main returns what it returns. */
int serve_main(int argc, char **argv, const struct serve *serve);

#endif
