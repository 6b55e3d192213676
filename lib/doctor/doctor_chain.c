/* The chain: its servers one by one, the token, and the address that pays. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <talloc.h>

#include "base/config.h"
#include "base/text.h"
#include "chain/chain.h"
#include "chain/eth.h"
#include "chain/keccak.h"
#include "chain/rpc.h"
#include "core/gas.h"
#include "core/onchain.h"
#include "doctor/doctor.h"

enum {
	CALL_MS = 5000,
	BLOCK_OLD_S = 60,   /* a block comes every two seconds */
	BLOCK_AHEAD_S = 10, /* then it is our clock that is behind */
	SELECTOR = 4,
	WORD = 32,
	SYMBOL_MAX = 16,
	PAYOUTS_FEW = 5, /* that the ether is still enough for */
	PAYOUTS_LOW = 100,
};

static const char *const ordinals[CHAIN_ENDPOINTS] = { "first", "second" };

/* A server of the settings; its name may hold a provider's key, so it is never printed. */
static struct rpc
server(const struct doctor *doctor, size_t i)
{
	return (struct rpc){ .url = doctor->config->base_rpc_urls[i], .timeout_ms = CALL_MS, .allows_private = true };
}

static bool
has_chain(struct doctor *doctor)
{
	if (doctor->config->base_rpc_urls[0] == NULL)
		doctor_skip(doctor, "No server of the chain is set.");
	return doctor->config->base_rpc_urls[0] != NULL;
}

/* One server's newest block; real time, since a chain knows no other. */
static void
judge_head(struct doctor *doctor, struct rpc *rpc, const char *which)
{
	struct rpc_block block;
	int64_t age;

	if (rpc_block(rpc, doctor->config, RPC_LATEST, &block) != RPC_OK) {
		doctor_fail(doctor, "Look at the provider's own status, or take another one.",
		    "The %s server has no newest block: %s.", which, rpc->problem);
		return;
	}
	age = (int64_t)time(NULL) - block.time_s;
	if (age > BLOCK_OLD_S)
		doctor_warn(doctor, "It does not follow the chain; take another one if that stays so.",
		    "The newest block of the %s server is %" PRId64 " seconds old.", which, age);
	else if (age < -BLOCK_AHEAD_S)
		doctor_warn(doctor, "Let this machine's clock be set by NTP (timedatectl).",
		    "The newest block of the %s server lies %" PRId64 " seconds ahead of this machine's clock.", which,
		    -age);
	else
		doctor_ok(doctor, "The %s server knows block %" PRId64 ".", which, block.number);
}

void
doctor_rpc(struct doctor *doctor)
{
	if (!has_chain(doctor))
		return;
	for (size_t i = 0; i < CHAIN_ENDPOINTS && doctor->config->base_rpc_urls[i] != NULL; i++) {
		struct rpc rpc = server(doctor, i);
		int64_t id = 0;

		if (rpc_chain_id(&rpc, doctor->config, &id) != RPC_OK)
			doctor_fail(doctor,
			    "Look at the address in BASE_RPC_URL, the key in it, and the provider's own status.",
			    "The %s server does not answer: %s.", ordinals[i], rpc.problem);
		else if (id != doctor->config->base_chain_id)
			doctor_fail(doctor,
			    "BASE_RPC_URL leads to another network than BASE_CHAIN_ID names: correct one of them.",
			    "The %s server is of chain %" PRId64 ", not of %" PRId64 ".", ordinals[i], id,
			    doctor->config->base_chain_id);
		else
			judge_head(doctor, &rpc, ordinals[i]);
	}
}

/* A view of the token without arguments, from the first server that answers; its bytes on ctx, NULL: none. */
static uint8_t *
view(const struct doctor *doctor, const void *ctx, const char *signature, size_t *len)
{
	uint8_t hash[KECCAK_SIZE], *out = NULL;

	keccak256(signature, strlen(signature), hash);
	for (size_t i = 0; i < CHAIN_ENDPOINTS && doctor->config->base_rpc_urls[i] != NULL; i++) {
		struct rpc rpc = server(doctor, i);

		if (rpc_view(&rpc, ctx, doctor->onchain->token, hash, SELECTOR, RPC_LATEST, &out, len) == RPC_OK)
			return out;
	}
	return NULL;
}

/* True if the word is that small number. */
static bool
is_number(const uint8_t *word, size_t len, uint8_t number)
{
	static const uint8_t zeros[WORD - 1];

	return word != NULL && len == WORD && memcmp(word, zeros, sizeof(zeros)) == 0 && word[WORD - 1] == number;
}

/* A text as the ABI has it (offset, length, bytes), in printable letters; "" if it is none. */
static void
read_text(const uint8_t *bytes, size_t len, char out[SYMBOL_MAX + 1])
{
	size_t count = len >= (size_t)3 * WORD ? bytes[2 * WORD - 1] : 0;

	out[0] = '\0';
	if (count > SYMBOL_MAX || !is_number(bytes, WORD, WORD))
		return;
	for (size_t i = 0; i < count; i++)
		out[i] = (char)(bytes[2 * WORD + i] > ' ' && bytes[2 * WORD + i] <= '~' ? bytes[2 * WORD + i] : '?');
	out[count] = '\0';
}

static void
judge_deposit(struct doctor *doctor)
{
	char text[ETH_ADDRESS_TEXT];

	eth_address_print(doctor->onchain->deposit, text);
	if (eth_address_is_burn(doctor->onchain->deposit) ||
	    eth_address_equal(doctor->onchain->deposit, doctor->onchain->token))
		doctor_fail(doctor, "Set DEPOSIT_ADDRESS to an address whose key you hold.",
		    "What is sent to the deposit address %s is lost.", text);
	else
		doctor_ok(doctor, "Deposits go to %s: see that this is yours.", text);
}

void
doctor_token(struct doctor *doctor)
{
	static const char other[] = "Set USDC_CONTRACT to the contract of USDC on this chain, as Circle names it.";
	char address[ETH_ADDRESS_TEXT], symbol[SYMBOL_MAX + 1] = "";
	void *ctx = talloc_new(NULL);
	size_t len = 0;
	uint8_t *bytes;

	if (!has_chain(doctor))
		goto out;
	eth_address_print(doctor->onchain->token, address);
	bytes = view(doctor, ctx, "decimals()", &len);
	if (bytes == NULL || len == 0) {
		doctor_fail(doctor, other, "At %s no token answers.", address);
		goto out;
	}
	if (!is_number(bytes, len, 6))
		doctor_fail(
		    doctor, other, "The token at %s has not six decimals: every amount would be wrong.", address);
	if ((bytes = view(doctor, ctx, "symbol()", &len)) != NULL)
		read_text(bytes, len, symbol);
	if (strcmp(symbol, "USDC") != 0)
		doctor_warn(doctor, other, "The token at %s calls itself \"%s\".", address, symbol);
	else
		doctor_ok(doctor, "The token at %s calls itself USDC.", address);
	judge_deposit(doctor);
out:
	talloc_free(ctx);
}

/* How many payouts an amount of wei is enough for, at the present price of gas. */
static double
payouts_for(const uint8_t wei[32], uint64_t price)
{
	double amount = 0;

	for (size_t i = 0; i < 32; i++)
		amount = amount * 256 + wei[i];
	return price == 0 ? amount : amount / ((double)price * GAS_USUAL);
}

static void
judge_gas(struct doctor *doctor, struct eth_address payer, const char *text)
{
	struct rpc rpc = server(doctor, 0);
	uint64_t base_fee = 0, tip = 0;
	uint8_t wei[32];
	double enough;

	if (rpc_balance(&rpc, doctor->config, payer, wei) != RPC_OK ||
	    rpc_fee_history(&rpc, doctor->config, &base_fee, &tip) != RPC_OK) {
		doctor_warn(doctor, "See check rpc.", "What %s has for gas is not known: %s.", text, rpc.problem);
		return;
	}
	enough = payouts_for(wei, base_fee + tip);
	if (enough < PAYOUTS_FEW)
		doctor_fail(doctor, "Send it some ETH on this chain.", "The ether of %s is enough for %.0f payouts.",
		    text, enough);
	else if (enough < PAYOUTS_LOW)
		doctor_warn(doctor, "Send it some ETH on this chain.", "The ether of %s is enough for %.0f payouts.",
		    text, enough);
	else
		doctor_ok(doctor, "%s pays, and its ether is enough for over %d payouts.", text, PAYOUTS_LOW);
}

void
doctor_payer(struct doctor *doctor)
{
	const char *path = doctor->config->payout_key_file;
	char text[ETH_ADDRESS_TEXT];
	struct eth_key *key;

	if (!has_chain(doctor))
		return;
	if (path == NULL) {
		doctor_skip(doctor, "No key is set that pays.");
		return;
	}
	if ((key = eth_key_load(path, &doctor->err)) == NULL) {
		doctor_fail(doctor, "It is 64 hex digits in a file that the worker's user alone can read (mode 0400).",
		    "The key that pays cannot be had: %s", doctor_reason(doctor));
		return;
	}
	eth_address_print(eth_key_address(key), text);
	judge_gas(doctor, eth_key_address(key), text);
	eth_key_free(key);
}
