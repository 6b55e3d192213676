/* operator.fcgi: the people who do the work. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "GET", "/operator/settings", api_operator_settings, PUBLIC, NULL, 0 },
	{ "POST", "/operator/register", api_operator_register, PERSON, NULL, ATOMIC },
	{ "GET", "/operator/me", api_operator_me, OPERATOR, NULL, 0 },
	{ "PATCH", "/operator/me", api_operator_update, OPERATOR, NULL, 0 },
	{ "GET", "/operator/tasks", api_operator_tasks, OPERATOR, NULL, 0 },
	{ "GET", "/operator/tasks/mine", api_operator_mine, OPERATOR, NULL, 0 },
	{ "GET", "/operator/tasks/:id", api_operator_task, OPERATOR, NULL, 0 },
	{ "POST", "/operator/tasks/:id/accept", api_operator_accept, OPERATOR, NULL, ATOMIC },
	{ "POST", "/operator/tasks/:id/withdraw-claim", api_operator_withdraw, OPERATOR, NULL, ATOMIC },
	{ "POST", "/operator/tasks/:id/start", api_operator_start, OPERATOR, NULL, ATOMIC },
	{ "POST", "/operator/tasks/:id/abort", api_operator_abort, OPERATOR, NULL, ATOMIC },
	{ "POST", "/operator/tasks/:id/submit", api_operator_submit, OPERATOR, NULL, ATOMIC },
	{ "GET", "/operator/tasks/:id/messages", api_operator_messages, OPERATOR, NULL, 0 },
	{ "POST", "/operator/tasks/:id/messages", api_operator_message_add, OPERATOR, NULL, ATOMIC },
	{ "POST", "/operator/upload", api_operator_upload, OPERATOR, NULL, STREAMED, { 10, 60 } },
	{ "GET", "/operator/earnings", api_operator_earnings, OPERATOR, NULL, 0 },
	{ "POST", "/operator/payout", api_operator_payout, OPERATOR, NULL, MONEY | KEPT },
	{ "GET", "/operator/payout/quote", api_operator_payout_quote, OPERATOR, NULL, 0 },
	{ "GET", "/operator/payout/status/:id", api_payout_status, OPERATOR, NULL, 0 },
	{ "GET", "/operator/payouts", api_payout_list, OPERATOR, NULL, 0 },
	{ "GET", "/operator/push/key", api_operator_push_key, OPERATOR, NULL, 0 },
	{ "POST", "/operator/push", api_operator_subscribe, OPERATOR, NULL, ATOMIC },
	{ "DELETE", "/operator/push", api_operator_unsubscribe, OPERATOR, NULL, 0 },
	{ "GET", "/files/:name", api_operator_file, PUBLIC, NULL, 0 },
};

static const struct api_callers callers = { .person = api_who_person, .once = api_once };

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "operator", routes, nitems(routes), &callers);
}
