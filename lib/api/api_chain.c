/*
 * Handlers of agents.fcgi for what comes in over the chain: the deposit address, the agent's wallet, deposits of
 * USDC.  What a wallet has to prove is core/wallet.c's, what counts as a deposit core/deposit.c's.
 */
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/text.h"
#include "core/deposit.h"
#include "core/onchain.h"
#include "core/wallet.h"
#include "http/reply.h"

enum { UUID_CHARS = ID_UUID_SIZE - 1, ADDRESS_CHARS = ETH_ADDRESS_TEXT - 1, HASH_CHARS = ETH_HASH_TEXT - 1 };

#define CHAIN "base"

static const char *const chains[] = { CHAIN, NULL };

static const struct onchain *
onchain_of(const struct request *rq)
{
	return ((const struct api *)rq->program)->onchain;
}

/* With the checksum that people compare by; a zero address is none. */
static void
reply_address(struct json_object *object, const char *name, struct eth_address address)
{
	static const struct eth_address none;
	char text[ETH_ADDRESS_TEXT];

	eth_address_print(address, text);
	reply_text(object, name, eth_address_equal(address, none) ? NULL : text);
}

/* deposit-address */

static const char *
deposit_hint(const struct onchain *onchain, bool has_wallet)
{
	if (onchain->is_test)
		return "Test mode: no chain is asked. POST /agents/deposit/usdc credits what it is told.";
	return has_wallet ? "Send USDC on Base from wallet_address only; it is credited after its confirmations."
			  : "Bind the wallet that you will send from first: POST /agents/wallet/challenge, then PUT "
			    "/agents/wallet. What comes from any other wallet is not credited.";
}

int
api_agents_deposit_address(struct request *rq)
{
	const struct onchain *onchain = onchain_of(rq);
	struct wallet wallet = { 0 };
	bool has_wallet;

	if (onchain_need(onchain, &rq->error))
		return -1;
	has_wallet = wallet_show(rq->db, rq->who.id, &wallet, &rq->error) == 0;
	if (!has_wallet && rq->error.code != ERR_wallet_not_found)
		return -1;
	error_clear(&rq->error);
	reply_address(rq->reply, "address", onchain->deposit);
	reply_text(rq->reply, "chain", CHAIN);
	reply_int(rq->reply, "chain_id", onchain->chain_id);
	reply_text(rq->reply, "currency", "USDC");
	reply_address(rq->reply, "contract_address", onchain->token);
	reply_int(rq->reply, "confirmations_required", onchain->confirmations);
	reply_money(rq->reply, "min_deposit", DEPOSIT_MIN);
	reply_money(rq->reply, "max_deposit", DEPOSIT_MAX);
	reply_address(rq->reply, "wallet_address", wallet.address);
	reply_bool(rq->reply, "wallet_verified", has_wallet);
	reply_text(rq->reply, "message", deposit_hint(onchain, has_wallet));
	return 200;
}

/* wallet */

struct wallet_input {
	const char *wallet_address, *nonce, *signature, *chain;
};

static const struct field challenge_fields[] = {
	{ "chain", FIELD_CHOICE, 0, offsetof(struct wallet_input, chain), .choices = chains },
};

int
api_agents_wallet_challenge(struct request *rq)
{
	struct wallet_challenge challenge;
	struct wallet_input in = { 0 };

	if (request_read(rq, challenge_fields, nitems(challenge_fields), &in) ||
	    onchain_need(onchain_of(rq), &rq->error) ||
	    wallet_challenge(rq->db, rq, rq->who.id, rq->now_ms, &challenge, &rq->error))
		return -1;
	reply_text(rq->reply, "chain", CHAIN);
	reply_text(rq->reply, "nonce", challenge.nonce);
	reply_time(rq->reply, "issued_at", challenge.issued_ms);
	reply_text(rq->reply, "message", challenge.message);
	return 201;
}

/* Taken as they are, without trimming: what is signed or hashed has one way to be written. */
static const struct field wallet_fields[] = {
	{ "wallet_address", FIELD_SECRET, FIELD_REQUIRED, offsetof(struct wallet_input, wallet_address),
	    .min = ADDRESS_CHARS, .max = ADDRESS_CHARS },
	{ "nonce", FIELD_SECRET, FIELD_REQUIRED, offsetof(struct wallet_input, nonce), .min = UUID_CHARS,
	    .max = UUID_CHARS },
	{ "signature", FIELD_SECRET, FIELD_REQUIRED, offsetof(struct wallet_input, signature),
	    .min = WALLET_SIGNATURE_TEXT, .max = WALLET_SIGNATURE_TEXT },
	{ "chain", FIELD_CHOICE, 0, offsetof(struct wallet_input, chain), .choices = chains },
};

static int
read_wallet(struct request *rq, struct wallet_proof *out)
{
	struct wallet_input in = { 0 };

	if (request_read(rq, wallet_fields, nitems(wallet_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	switch (in.wallet_address == NULL ? 0 : eth_address_parse(in.wallet_address, &out->address)) {
	case -1:
		error_field(&rq->error, "wallet_address", "must be 0x and 40 hex digits");
		break;
	case -2:
		error_field(&rq->error, "wallet_address", "has a wrong checksum (EIP-55): a letter may be mistyped");
		break;
	}
	if (in.nonce != NULL && id_from_uuid(in.nonce, &out->nonce) != 0)
		error_field(&rq->error, "nonce", "must be the nonce of a challenge");
	out->signature = in.signature;
	return rq->error.code == ERR_none ? 0 : -1;
}

static void
reply_wallet(struct request *rq, const struct wallet *wallet)
{
	reply_id(rq->reply, "agent_id", ID_AGENT, rq->who.id);
	reply_address(rq->reply, "wallet_address", wallet->address);
	reply_text(rq->reply, "chain", CHAIN);
	reply_time(rq->reply, "verified_at", wallet->verified_ms);
}

int
api_agents_wallet_bind(struct request *rq)
{
	struct wallet_proof proof;
	struct wallet wallet;

	if (read_wallet(rq, &proof) || onchain_need(onchain_of(rq), &rq->error) ||
	    wallet_bind(rq->db, rq->who.id, &proof, rq->now_ms, &wallet, &rq->error))
		return -1;
	reply_wallet(rq, &wallet);
	return 200;
}

int
api_agents_wallet(struct request *rq)
{
	struct wallet wallet;

	if (onchain_need(onchain_of(rq), &rq->error) || wallet_show(rq->db, rq->who.id, &wallet, &rq->error))
		return -1;
	reply_wallet(rq, &wallet);
	return 200;
}

/* deposit/usdc */

struct deposit_input {
	const char *tx_hash, *chain;
	usd_micros amount;
};

static const struct field deposit_fields[] = {
	{ "tx_hash", FIELD_SECRET, FIELD_REQUIRED, offsetof(struct deposit_input, tx_hash), .min = HASH_CHARS,
	    .max = HASH_CHARS },
	{ "amount_usdc", FIELD_MONEY, FIELD_REQUIRED | FIELD_MICROS, offsetof(struct deposit_input, amount),
	    .min = DEPOSIT_MIN, .max = DEPOSIT_MAX },
	{ "chain", FIELD_CHOICE, 0, offsetof(struct deposit_input, chain), .choices = chains },
};

static int
read_deposit(struct request *rq, struct deposit_input *in, struct eth_hash *hash)
{
	if (request_read(rq, deposit_fields, nitems(deposit_fields), in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (in->tx_hash != NULL && eth_hash_parse(in->tx_hash, hash) != 0)
		error_field(&rq->error, "tx_hash", "must be 0x and 64 hex digits");
	return rq->error.code == ERR_none ? 0 : -1;
}

static const char *
deposit_message(const struct request *rq, const struct deposit_result *deposit, usd_micros claimed)
{
	const struct onchain *onchain = onchain_of(rq);
	char amount[MONEY_TEXT_SIZE];

	money_print(deposit->amount, amount);
	if (deposit->status == USDC_REVERSED)
		return "The chain has dropped this transaction: it counts for nothing any more, unless it comes back.";
	if (deposit->status == USDC_PENDING)
		return talloc_asprintf(rq,
		    "%s USDC on its way: credited with %d confirmations, whether or not you ask again.", amount,
		    onchain->confirmations);
	if (deposit->amount != claimed)
		return talloc_asprintf(rq, "The chain says %s USDC, and that is what was credited.", amount);
	return onchain->is_test ? "The USDC is in your deposit; in test mode nobody sends it."
				: "The USDC is in your deposit.";
}

/* 202 until it has the confirmations that it needs; asking again tells. */
static int
reply_deposit(struct request *rq, const struct deposit_result *deposit, struct eth_hash hash, usd_micros claimed)
{
	const struct onchain *onchain = onchain_of(rq);
	char text[ETH_HASH_TEXT];

	eth_hash_print(hash, text);
	reply_id(rq->reply, "transaction_id", ID_TRANSACTION, deposit->transaction);
	reply_text(rq->reply, "chain", CHAIN);
	reply_text(rq->reply, "tx_hash", text);
	reply_money(rq->reply, "amount_usdc", deposit->amount);
	reply_money(rq->reply, "amount_credited", deposit->credited);
	reply_text(rq->reply, "status", usdc_status_name(deposit->status));
	reply_int(rq->reply, "confirmations", deposit->confirmations);
	reply_int(rq->reply, "confirmations_required", onchain->confirmations);
	reply_text(rq->reply, "message", deposit_message(rq, deposit, claimed));
	if (deposit->status != USDC_PENDING)
		return 200;
	if (deposit->confirmations < onchain->confirmations)
		reply_header(rq, "Retry-After", "%lld",
		    (long long)(onchain->confirmations - deposit->confirmations) * DEPOSIT_BLOCK_S);
	return 202;
}

int
api_agents_deposit_usdc(struct request *rq)
{
	struct deposit_input in = { 0 };
	struct deposit_result deposit;
	struct eth_hash hash;

	if (read_deposit(rq, &in, &hash) || onchain_need(onchain_of(rq), &rq->error) ||
	    deposit_usdc(rq->db, rq, onchain_of(rq), rq->who.id, hash, in.amount, rq->now_ms, &deposit, &rq->error))
		return -1;
	return reply_deposit(rq, &deposit, hash, in.amount);
}
