/*
 * Finds the row of a route table for a method and a path, segment by segment, without allocating for rows
 * that do not match.  Who may call the route, and how often, is not asked here.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <talloc.h>
#include "http/reply.h"
#include "http/route.h"

/* True if the path has the pattern's shape: equal segments, and anything but nothing where the pattern has
 * ":name". */
static bool
is_match(const char *pattern, const char *path)
{
	while (*pattern == '/' && *path == '/') {
		size_t want = strcspn(++pattern, "/"), got = strcspn(++path, "/");

		if (*pattern == ':' ? got == 0 : want != got || memcmp(pattern, path, want) != 0)
			return false;
		pattern += want;
		path += got;
	}
	return *pattern == '\0' && *path == '\0';
}

static void
fill_params(struct request *rq, const char *pattern, const char *path)
{
	size_t count = 0;

	while (*pattern == '/') {
		size_t want = strcspn(++pattern, "/"), got = strcspn(++path, "/");

		if (*pattern == ':') {
			assert(count < REQUEST_PARAMS);
			rq->params[count].name = talloc_strndup(rq, pattern + 1, want - 1);
			rq->params[count].value = talloc_strndup(rq, path, got);
			count++;
		}
		pattern += want;
		path += got;
	}
}

static void
allow(char **list, const char *method)
{
	if (*list == NULL)
		*list = talloc_strdup(NULL, method);
	else if (strstr(*list, method) == NULL) /* no method's name lies within another's */
		*list = talloc_asprintf_append(*list, ", %s", method);
	assert(*list != NULL);
}

int
route_find(const struct route *routes, size_t count, struct request *rq)
{
	const char *method = strcmp(rq->method, "HEAD") == 0 ? "GET" : rq->method;
	char *allowed = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];

		if (((route->flags & WHOLE) != 0) != rq->is_whole || !is_match(route->pattern, rq->path))
			continue;
		if (strcmp(route->method, method) == 0) {
			rq->route = route;
			fill_params(rq, route->pattern, rq->path);
			talloc_free(allowed);
			return 0;
		}
		allow(&allowed, route->method);
		if (strcmp(route->method, "GET") == 0)
			allow(&allowed, "HEAD");
	}
	if (allowed == NULL)
		return error_set(&rq->error, ERR_not_found);
	reply_header(rq, "Allow", "%s", allowed);
	talloc_free(allowed);
	return error_set(&rq->error, ERR_method_not_allowed);
}
