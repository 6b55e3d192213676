/* tasks.fcgi: tasks, from the agent's side. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/tasks", api_tasks_create, AGENT, "tasks", MONEY },
	{ "GET", "/tasks", api_tasks_list, AGENT, "read", 0 },
	{ "GET", "/tasks/categories", api_tasks_categories, PUBLIC, NULL, 0 },
	{ "POST", "/tasks/appeals", api_tasks_appeals, AGENT, "tasks", ATOMIC },
	{ "POST", "/tasks/:id/appeal", api_tasks_appeal, AGENT, "tasks", ATOMIC },
	{ "GET", "/tasks/:id", api_tasks_show, AGENT, "read", 0 },
	{ "POST", "/tasks/:id/cancel", api_tasks_cancel, AGENT, "tasks", MONEY },
	{ "GET", "/tasks/:id/webhooks", api_tasks_webhooks, AGENT, "read", 0 },
	{ "POST", "/tasks/:id/webhooks/:delivery/redeliver", api_tasks_redeliver, AGENT, "tasks", 0 },
	{ "POST", "/tasks/:id/estimate/approve", api_tasks_approve, AGENT, "tasks", MONEY },
	{ "POST", "/tasks/:id/estimate/reject", api_tasks_reject, AGENT, "tasks", ATOMIC },
	{ "POST", "/tasks/:id/verify", api_tasks_verify, AGENT, "tasks", MONEY },
	{ "POST", "/tasks/:id/dispute", api_tasks_dispute, AGENT, "tasks", MONEY },
	{ "POST", "/tasks/:id/rate", api_tasks_rate, AGENT, "tasks", ATOMIC },
	{ "GET", "/tasks/:id/messages", api_tasks_messages, AGENT, "read", 0 },
	{ "POST", "/tasks/:id/messages", api_tasks_message_add, AGENT, "tasks", ATOMIC },
	{ "GET", "/tasks/:id/retrieve-credential", api_tasks_credential, AGENT, "tasks", 0 },
	{ "POST", "/tasks/:id/retrieve-credential", api_tasks_credential, AGENT, "tasks", 0 },
	{ "GET", "/tasks/:id/receipt", api_tasks_receipt, AGENT, "read", 0 },
	{ "GET", "/operators/search", api_tasks_operators, AGENT, "read", 0 },
	{ "GET", "/.well-known/jwks.json", api_tasks_jwks, PUBLIC, NULL, WHOLE },
};

static const struct api_callers callers = { .agent = api_who_agent, .once = api_once };

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "tasks", routes, nitems(routes), &callers);
}
