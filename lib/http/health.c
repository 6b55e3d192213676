/*
 * The health routes.  They stand outside the API's base, ask for no key and are not counted; who may reach
 * them from outside is the web server's decision.
 */
#include <string.h>
#include "base/db.h"
#include "base/text.h"
#include "http/health.h"
#include "http/reply.h"

/* "/healthz/tasks" is for the program of that name: a web server that asks the wrong one shall notice. */
static int
is_for_us(struct request *rq)
{
	const char *asked = rq->params[0].value;

	return asked == NULL || strcmp(asked, rq->server) == 0;
}

static int
health_process(struct request *rq)
{
	if (!is_for_us(rq))
		return error_set(&rq->error, ERR_not_found);
	reply_text(rq->reply, "status", "ok");
	reply_text(rq->reply, "program", rq->server);
	reply_text(rq->reply, "version", HUMANOPS_VERSION);
	return 200;
}

static int
health_ready(struct request *rq)
{
	if (!is_for_us(rq))
		return error_set(&rq->error, ERR_not_found);
	if (db_ready(rq->db, &rq->error))
		return -1;
	reply_text(rq->reply, "status", "ready");
	return 200;
}

#define HEALTH (WHOLE | UNCOUNTED | DIRECT)

const struct route health_routes[] = {
	{ "GET", "/healthz", health_process, PUBLIC, NULL, HEALTH, { 0 } },
	{ "GET", "/healthz/:program", health_process, PUBLIC, NULL, HEALTH, { 0 } },
	{ "GET", "/readyz", health_ready, PUBLIC, NULL, HEALTH, { 0 } },
	{ "GET", "/readyz/:program", health_ready, PUBLIC, NULL, HEALTH, { 0 } },
};
const size_t health_route_count = nitems(health_routes);
