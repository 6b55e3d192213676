/* admin.fcgi: for staff. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

static const struct route routes[] = {
	{ "POST", "/admin/clock", api_admin_clock, STAFF, NULL, 0 },
	{ "GET", "/admin/operators", api_admin_operators, STAFF, NULL, 0 },
	{ "POST", "/admin/operators/:id/kyc", api_admin_kyc, STAFF, NULL, ATOMIC },
	{ "POST", "/admin/operators/:id/suspend", api_admin_suspend_operator, STAFF, NULL, ATOMIC },
	{ "POST", "/admin/agents/:id/suspend", api_admin_suspend_agent, STAFF, NULL, ATOMIC },
	{ "GET", "/admin/disputes", api_admin_disputes, STAFF, NULL, 0 },
	{ "GET", "/admin/tasks/:id", api_admin_task, STAFF, NULL, 0 },
	{ "POST", "/admin/tasks/:id/resolve", api_admin_resolve, STAFF, NULL, ATOMIC },
	{ "GET", "/admin/appeals", api_admin_appeals, STAFF, NULL, 0 },
	{ "POST", "/admin/appeals/:id", api_admin_appeal, STAFF, NULL, ATOMIC },
	{ "GET", "/admin/webhooks/failed", api_admin_deliveries, STAFF, NULL, 0 },
	{ "GET", "/admin/payouts", api_admin_payouts, STAFF, NULL, 0 },
	{ "POST", "/admin/payouts/unfreeze", api_admin_payouts_unfreeze, STAFF, NULL, ATOMIC },
	{ "POST", "/admin/payouts/:id/retry", api_admin_payout_retry, STAFF, NULL, ATOMIC },
	{ "POST", "/admin/payouts/:id/fail", api_admin_payout_fail, STAFF, NULL, ATOMIC },
	{ "POST", "/admin/agents/:id/unfreeze", api_admin_agent_unfreeze, STAFF, NULL, ATOMIC },
	{ "GET", "/admin/ledger/audit", api_admin_audit, STAFF, NULL, 0 },
	{ "GET", "/admin/log", api_admin_log, STAFF, NULL, 0 },
	{ "GET", "/metrics", api_metrics, PUBLIC, NULL, WHOLE | UNCOUNTED | DIRECT },
};

static const struct api_callers callers = { .staff = api_who_staff };

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "admin", routes, nitems(routes), &callers);
}
