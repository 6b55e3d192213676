/* tasks.fcgi: tasks, from the agent's side. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/tasks",                                   api_tasks_create,     AGENT, "tasks", MONEY },
	{ "GET",  "/tasks",                                   api_tasks_list,       AGENT, "read",  0 },
	{ "GET",  "/tasks/categories",                        api_tasks_categories, PUBLIC, NULL,   0 },
	{ "GET",  "/tasks/:id",                               api_tasks_show,       AGENT, "read",  0 },
	{ "POST", "/tasks/:id/cancel",                        api_tasks_cancel,     AGENT, "tasks", MONEY },
	{ "GET",  "/tasks/:id/webhooks",                      api_tasks_webhooks,   AGENT, "read",  0 },
	{ "POST", "/tasks/:id/webhooks/:delivery/redeliver",  api_tasks_redeliver,  AGENT, "tasks", 0 },
};

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "tasks", routes, nitems(routes));
}
