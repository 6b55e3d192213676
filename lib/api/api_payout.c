/*
 * Handlers of payouts: an operator's earnings (operator.fcgi) and an agent's unused deposit (agents.fcgi), as USDC.
 * What may be paid out is the database's to say, how it is sent the worker's; a request waits a little for the
 * worker, so that the answer can name the transaction.
 */
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/text.h"
#include "core/gas.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/payout.h"
#include "core/wallet.h"
#include "http/reply.h"

enum { WAIT_MS = 3000, PAGE_USUAL = 20, ADDRESS_CHARS = 64 };

static const char *const methods[] = { "usdc", NULL };
static const char *const chains[] = { "base", NULL };

struct payout_input {
	usd_micros amount;
	const char *method, *address, *chain;
};

#define AMOUNT \
	{ \
		"amount_usd", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct payout_input, amount), .min = PAYOUT_MIN, \
												  .max = PAYOUT_MAX \
	}
#define ADDRESS(flags) \
	{ \
		"wallet_address", FIELD_TEXT, (flags), offsetof(struct payout_input, address), .min = 1, \
											       .max = ADDRESS_CHARS \
	}
#define CHAIN \
	{ \
		"chain", FIELD_CHOICE, 0, offsetof(struct payout_input, chain), .choices = chains \
	}

static const struct field payout_fields[] = {
	AMOUNT,
	{ "method", FIELD_CHOICE, 0, offsetof(struct payout_input, method), .choices = methods },
	ADDRESS(FIELD_REQUIRED),
	CHAIN,
};
static const struct field withdraw_fields[] = { AMOUNT, ADDRESS(0), CHAIN };
static const struct field quote_fields[] = { AMOUNT };

static const struct onchain *
onchain_of(const struct request *rq)
{
	return ((const struct api *)rq->program)->onchain;
}

/* asking */

/*
 * An address in the body, if there is one, that is good but for being the payer's own; joins the faults found before.
 */
static void
check_address(struct request *rq, const char *text, struct eth_address payer, struct eth_address *to)
{
	const char *why;

	if (text != NULL && payout_address(text, onchain_of(rq), payer, to, &why) != 0)
		error_field(&rq->error, "wallet_address", "%s", why);
}

static int
read_payout(
    struct request *rq, const struct field *fields, size_t count, struct payout_input *in, struct eth_address *to)
{
	static const struct eth_address unknown;

	if (request_read(rq, fields, count, in) && rq->error.code != ERR_validation_failed)
		return -1;
	check_address(rq, in->address, unknown, to);
	return rq->error.code == ERR_none ? 0 : -1;
}

/* Waits for the worker to sign.  What was reserved stays reserved, whatever becomes of this. */
static bool
await_hash(struct request *rq)
{
	const struct payout *reserved = rq->handled;
	struct error err = { 0 };
	struct payout payout;
	bool is_fuller;

	job_wake(rq->db);
	is_fuller = payout_wait(rq->db, rq, reserved->id, WAIT_MS, &payout, &err) == 0 &&
		    (payout.tx_hash != NULL || payout_is_over(&payout));
	if (is_fuller)
		view_payout(rq->reply, &payout);
	error_clear(&err);
	return is_fuller;
}

/* Reserves; the rest of the answer comes when that is committed. */
static int
request_payout(struct request *rq, bool is_agents, usd_micros amount, struct eth_address to)
{
	const struct onchain *onchain = onchain_of(rq);
	struct payout_new new = { .party = rq->who.id, .is_agents = is_agents, .amount = amount, .to = to };
	struct payout *payout = talloc_zero(rq, struct payout);
	struct eth_address payer;
	char text[ETH_ADDRESS_TEXT];

	if (gas_quote(rq->db, onchain, rq->now_ms, &new.gas_fee, &payer, &rq->error))
		return -1;
	eth_address_print(to, text);
	check_address(rq, text, payer, &to);
	if (rq->error.code != ERR_none || payout_request(rq->db, rq, onchain, &new, rq->now_ms, payout, &rq->error))
		return -1;
	view_payout(rq->reply, payout);
	if (!payout_is_over(payout)) {
		rq->handled = payout;
		rq->committed = await_hash;
	}
	return 201;
}

int
api_operator_payout(struct request *rq)
{
	struct payout_input in = { 0 };
	struct eth_address to;

	if (rq->who.is_impersonated)
		return error_set(&rq->error, ERR_impersonation_refused);
	if (read_payout(rq, payout_fields, nitems(payout_fields), &in, &to))
		return -1;
	return request_payout(rq, false, in.amount, to);
}

/* To the bound wallet and to no other; naming it is allowed, so that a mistake about which it is shows. */
int
api_agents_withdraw(struct request *rq)
{
	struct payout_input in = { 0 };
	struct eth_address to;
	struct wallet wallet;

	if (read_payout(rq, withdraw_fields, nitems(withdraw_fields), &in, &to) ||
	    onchain_need(onchain_of(rq), &rq->error))
		return -1;
	if (wallet_show(rq->db, rq->who.id, &wallet, &rq->error))
		return rq->error.code == ERR_wallet_not_found ? error_set(&rq->error, ERR_wallet_required) : -1;
	if (in.address != NULL && !eth_address_equal(to, wallet.address))
		return error_field(&rq->error, "wallet_address", "is not the wallet that is bound to this account");
	return request_payout(rq, true, in.amount, wallet.address);
}

int
api_operator_payout_quote(struct request *rq)
{
	struct payout_input in = { 0 };
	struct eth_address payer;
	usd_micros fee;

	if (request_query(rq, quote_fields, nitems(quote_fields), &in) ||
	    gas_quote(rq->db, onchain_of(rq), rq->now_ms, &fee, &payer, &rq->error))
		return -1;
	reply_money(rq->reply, "amount_usd", in.amount);
	reply_money(rq->reply, "gas_fee_usd", fee);
	reply_money(rq->reply, "net_amount_usd", in.amount - fee);
	reply_text(rq->reply, "chain", chains[0]);
	return 200;
}

/* looking */

/* One's own, whoever asks. */
int
api_payout_status(struct request *rq)
{
	struct payout payout;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || request_id(rq, "id", ID_PAYOUT, ERR_payout_not_found, &id) ||
	    payout_find(rq->db, rq, rq->who.id, id, &payout, &rq->error))
		return -1;
	view_payout(rq->reply, &payout);
	return 200;
}

struct page_input {
	const char *cursor;
	int64_t limit;
};

static const struct field page_fields[] = {
	{ "cursor", FIELD_TEXT, 0, offsetof(struct page_input, cursor), .min = 1, .max = ID_TEXT_SIZE },
	{ "limit", FIELD_INT, 0, offsetof(struct page_input, limit), .min = 1, .max = PAYOUT_LIST_MAX },
};

int
api_payout_list(struct request *rq)
{
	struct page_input in = { .limit = PAGE_USUAL };
	struct payout *payouts;
	struct id before = { { 0 } };
	size_t count;

	if (request_query(rq, page_fields, nitems(page_fields), &in) || api_cursor(rq, ID_PAYOUT, in.cursor, &before) ||
	    payout_list(rq->db, rq, rq->who.id, before, in.limit, &payouts, &count, &rq->error))
		return -1;
	view_payouts(rq->reply, payouts, count, in.limit, view_payout);
	return 200;
}
