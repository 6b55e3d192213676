/* agents.fcgi: agents, their keys and their money. */
#include "api/api.h"
#include "base/text.h"
#include "http/route.h"

#define HOUR(count) \
	{ \
		(count), 3600 \
	}

static const struct route routes[] = {
	{ "POST", "/agents/register", api_agents_register, PUBLIC, NULL, 0, HOUR(20) },
	{ "GET", "/agents/verify-email", api_agents_verify_page, PUBLIC, NULL, 0, HOUR(10) },
	{ "POST", "/agents/verify-email", api_agents_verify, PUBLIC, NULL, 0, HOUR(10) },
	{ "POST", "/agents/resend-verification", api_agents_resend, AGENT, "keys", 0, HOUR(3) },
	{ "POST", "/agents/keys", api_agents_key_create, AGENT, "keys", 0 },
	{ "GET", "/agents/keys", api_agents_key_list, AGENT, "keys", 0 },
	{ "DELETE", "/agents/keys/:id", api_agents_key_revoke, AGENT, "keys", 0 },
	{ "GET", "/agents/balance", api_agents_balance, AGENT, "read", 0 },
	{ "GET", "/agents/me", api_agents_me, AGENT, "read", 0 },
	{ "GET", "/agents/transactions", api_agents_transactions, AGENT, "read", 0 },
	{ "GET", "/agents/deposit-address", api_agents_deposit_address, AGENT, "read", 0 },
	{ "POST", "/agents/wallet/challenge", api_agents_wallet_challenge, AGENT, "funds", 0 },
	{ "PUT", "/agents/wallet", api_agents_wallet_bind, AGENT, "funds", ATOMIC },
	{ "GET", "/agents/wallet", api_agents_wallet, AGENT, "read", 0 },
	{ "POST", "/agents/deposit/usdc", api_agents_deposit_usdc, AGENT, "funds", MONEY },
	{ "POST", "/agents/deposit", api_agents_deposit, AGENT, "funds", MONEY },
	{ "GET", "/agents/deposit/status", api_agents_deposit_status, AGENT, "read", 0 },
	{ "POST", "/agents/deposit/status", api_agents_deposit_status, AGENT, "read", 0 },
	{ "POST", "/agents/withdraw", api_agents_withdraw, AGENT, "funds", MONEY | KEPT },
	{ "GET", "/agents/withdraw/status/:id", api_payout_status, AGENT, "read", 0 },
	{ "GET", "/agents/withdrawals", api_payout_list, AGENT, "read", 0 },
	{ "GET", "/events", api_tasks_events, AGENT, "read", 0 },
};

static const struct api_callers callers = { .agent = api_who_agent, .once = api_once };

int
main(int argc, char **argv)
{
	return api_main(argc, argv, "agents", routes, nitems(routes), &callers);
}
