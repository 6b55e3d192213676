/*
 * The fee of a payout in dollars; see gas.h.  The worker asks the chain and keeps a quote in the chain's row, so that
 * a request costs no call to a stranger; whatever the chain or a price feed says, the fee stays between its bounds.
 */
#include <assert.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "chain/chain.h"
#include "chain/keccak.h"
#include "core/gas.h"
#include "core/job.h"
#include "core/onchain.h"

enum {
	REFRESH_MS = 15 * 1000,
	QUOTE_MAX_MS = 10 * 60 * 1000,
	RETRY_S = 5,
	WORD = 32,		 /* of the contracts' binary interface (ABI) */
	SELECTOR = 4,		 /* the first bytes of the Keccak of a method's signature */
	UNSIGNED_SIZE = 120,	 /* bytes of a transfer without its signature */
	FEED_WORDS = 5,		 /* of latestRoundData: round, answer, started at, updated at, answered in round */
	FEED_UPDATED = 3 * WORD, /* where the time of the answer begins */
	FEED_MAX_S = 24 * 3600,	 /* an older answer is none */
	FEED_MAX_DECIMALS = 18,
	MICROS_PLACES = 6,
};

#define ETHER ((unsigned __int128)1000000000000000000) /* wei */
#define WEI_MAX (1000 * ETHER) /* beyond it the fee is at its bound at any price that an ether has had */

/*
 * Where the rollups of the OP stack, Base among them, tell what they take for data (its specification, "predeploys").
 */
static const struct eth_address l1_oracle = { { 0x42, [19] = 0x0f } };

usd_micros
gas_fee(uint64_t gas_price, uint64_t gas, uint64_t l1_fee, usd_micros eth_usd)
{
	unsigned __int128 wei = (unsigned __int128)gas_price * gas + l1_fee, fee;

	if (wei > WEI_MAX)
		return GAS_FEE_MAX;
	/*
	 * 2^70 times 2^63 would not fit; from 2^56 usd_micros (72 billion dollars) an ether on, the fee is at a bound
	 * anyway.
	 */
	if (eth_usd > (INT64_C(1) << 56))
		eth_usd = INT64_C(1) << 56;
	fee = (wei * (unsigned __int128)eth_usd + ETHER * USD_CENT - 1) / (ETHER * USD_CENT) * USD_CENT;
	if (fee < GAS_FEE_MIN)
		return GAS_FEE_MIN;
	return fee > GAS_FEE_MAX ? GAS_FEE_MAX : (usd_micros)fee;
}

uint64_t
gas_limit(uint64_t estimate)
{
	if (estimate > GAS_MAX)
		estimate = GAS_MAX;
	estimate += estimate / 4;
	if (estimate < GAS_MIN)
		return GAS_MIN;
	return estimate > GAS_MAX ? GAS_MAX : estimate;
}

/* A word as a number; UINT64_MAX if it is more. */
static uint64_t
read_word(const uint8_t word[WORD])
{
	uint64_t value = 0;

	for (size_t i = 0; i < WORD - sizeof(value); i++)
		if (word[i] != 0)
			return UINT64_MAX;
	for (size_t i = WORD - sizeof(value); i < WORD; i++)
		value = value << 8 | word[i];
	return value;
}

usd_micros
gas_price_of(const uint8_t answer[32], int decimals)
{
	uint64_t value = read_word(answer); /* a negative one begins with ones, and is too large */
	uint64_t scale = 1;

	if (value > INT64_MAX || decimals < 0 || decimals > FEED_MAX_DECIMALS)
		return 0;
	for (int i = decimals; i > MICROS_PLACES; i--)
		value /= 10;
	for (int i = decimals; i < MICROS_PLACES; i++)
		scale *= 10;
	return value > INT64_MAX / scale ? 0 : (usd_micros)(value * scale);
}

static void
put_selector(const char *signature, uint8_t out[SELECTOR])
{
	uint8_t hash[KECCAK_SIZE];

	keccak256(signature, strlen(signature), hash);
	memcpy(out, hash, SELECTOR);
}

static void
put_word(uint32_t value, uint8_t out[WORD])
{
	memset(out, 0, WORD);
	for (int i = 0; i < 4; i++)
		out[WORD - 1 - i] = (uint8_t)(value >> 8 * i);
}

/* A method without arguments.  *len 0 where there is no such contract. */
static int
view(struct chain *chain, const void *ctx, struct eth_address contract, const char *signature, uint8_t **out,
    size_t *len, struct error *err)
{
	uint8_t data[SELECTOR];

	put_selector(signature, data);
	return chain_view(chain, ctx, contract, data, sizeof(data), out, len, err);
}

/*
 * What an ether costs by a price feed (Chainlink's AggregatorV3Interface); 0 if it does not say, or said it too long
 * ago.
 */
static int
feed_price(struct chain *chain, const void *ctx, const char *feed, int64_t now_ms, usd_micros *price, struct error *err)
{
	struct eth_address contract;
	uint8_t *round, *decimals;
	size_t round_len, decimals_len;
	uint64_t updated_s, places;

	*price = 0;
	if (eth_address_parse(feed, &contract) != 0)
		return error_internal(err, "the price feed's address was not checked");
	if (view(chain, ctx, contract, "decimals()", &decimals, &decimals_len, err) ||
	    view(chain, ctx, contract, "latestRoundData()", &round, &round_len, err))
		return -1;
	if (round_len != (size_t)FEED_WORDS * WORD || decimals_len != WORD)
		return 0;
	updated_s = read_word(round + FEED_UPDATED);
	places = read_word(decimals);
	if (places > FEED_MAX_DECIMALS || updated_s > INT64_MAX / 1000 ||
	    now_ms / 1000 - (int64_t)updated_s > FEED_MAX_S)
		return 0;
	*price = gas_price_of(round + WORD, (int)places);
	return 0;
}

/* The feed's price, else the setting's; 0 if neither says anything, and that is logged. */
static int
ether_price(struct worker *worker, struct chain *chain, const void *ctx, usd_micros *price, struct error *err)
{
	const struct config *config = worker->config;

	*price = 0;
	if (config->eth_usd_oracle != NULL &&
	    feed_price(chain, ctx, config->eth_usd_oracle, worker->now_ms, price, err))
		return -1;
	if (*price == 0) {
		if (config->eth_usd_oracle != NULL || config->eth_usd_price == 0)
			log_text(LOG_LEVEL_WARNING, "eth_price", "%s",
			    config->eth_usd_oracle == NULL ? "neither a price feed nor a price is set"
							   : "the price feed gives no fresh price");
		*price = config->eth_usd_price;
	}
	return 0;
}

/*
 * What the rollup takes for the data of one transfer, wei; 0 on a chain that is none.  Its present method takes a
 * size; the one before takes the bytes, for which no byte that compresses stands.
 */
static int
data_fee(struct chain *chain, const void *ctx, uint64_t *fee, struct error *err)
{
	uint8_t upper[SELECTOR + WORD], bytes[SELECTOR + 2 * WORD + (UNSIGNED_SIZE + WORD - 1) / WORD * WORD] = { 0 };
	uint8_t *out;
	size_t len;

	*fee = 0;
	put_selector("getL1FeeUpperBound(uint256)", upper);
	put_word(UNSIGNED_SIZE, upper + SELECTOR);
	if (chain_view(chain, ctx, l1_oracle, upper, sizeof(upper), &out, &len, err))
		return -1;
	if (len != WORD) {
		put_selector("getL1Fee(bytes)", bytes);
		put_word(WORD, bytes + SELECTOR);
		put_word(UNSIGNED_SIZE, bytes + SELECTOR + WORD);
		memset(bytes + SELECTOR + 2 * WORD, 0xff, UNSIGNED_SIZE);
		if (chain_view(chain, ctx, l1_oracle, bytes, sizeof(bytes), &out, &len, err))
			return -1;
	}
	if (len == WORD)
		*fee = read_word(out);
	return 0;
}

/*
 * Gas of a transfer from the paying address to one that holds nothing yet, which costs more than to one that does.  A
 * paying address that is empty or unknown cannot be asked about: the usual then.
 */
static int
transfer_gas(const struct onchain *onchain, const char *payer, uint64_t *gas, struct error *err)
{
	uint8_t data[ETH_TRANSFER_SIZE];
	struct eth_address from, stranger = { { 0 } };
	bool is_refused = true;
	uint64_t estimate = 0;

	crypto_random(stranger.bytes, sizeof(stranger.bytes));
	eth_transfer_data(stranger, (uint64_t)USD(10), data);
	if (payer != NULL && eth_address_parse(payer, &from) == 0 &&
	    chain_estimate_gas(onchain->chain, from, onchain->token, data, sizeof(data), &estimate, &is_refused, err))
		return -1;
	*gas = is_refused ? GAS_USUAL : estimate < GAS_MIN ? GAS_MIN : estimate > GAS_MAX ? GAS_MAX : estimate;
	return 0;
}

static struct json_object *
make_quote(uint64_t base_fee, uint64_t tip, uint64_t gas, uint64_t l1_fee, usd_micros price)
{
	struct json_object *quote = json_object_new_object();
	uint64_t gas_price = base_fee > UINT64_MAX - tip ? UINT64_MAX : base_fee + tip;

	json_object_object_add(quote, "fee", json_object_new_int64(gas_fee(gas_price, gas, l1_fee, price)));
	json_object_object_add(quote, "base_fee", json_object_new_uint64(base_fee));
	json_object_object_add(quote, "tip", json_object_new_uint64(tip));
	json_object_object_add(quote, "gas", json_object_new_uint64(gas));
	json_object_object_add(quote, "l1_fee", json_object_new_uint64(l1_fee));
	json_object_object_add(quote, "eth_usd", json_object_new_int64(price));
	return quote;
}

static int
refresh(struct worker *worker, const struct onchain *onchain, const void *ctx, const char *payer, struct error *err)
{
	struct json_object *quote;
	struct db_rows *rows;
	uint64_t base_fee, tip, gas, l1_fee;
	usd_micros price;

	if (ether_price(worker, onchain->chain, ctx, &price, err) || chain_fees(onchain->chain, &base_fee, &tip, err) ||
	    transfer_gas(onchain, payer, &gas, err) || data_fee(onchain->chain, ctx, &l1_fee, err))
		return -1;
	if (price == 0)
		return 0; /* logged; the quote before grows too old, and payouts wait for a price */
	quote = make_quote(base_fee, tip, gas, l1_fee, price);
	rows = db_call(worker->db, ctx, err, "chain_quote", onchain_bucket(onchain),
	    DB_ARGS(DB_INT(onchain->chain_id), DB_JSON(quote), DB_TIME(worker->now_ms)));
	json_object_put(quote);
	return rows == NULL ? -1 : 0;
}

int
gas_refresh(struct worker *worker, const struct onchain *onchain, struct error *err)
{
	char *ctx = talloc_strdup(NULL, "gas");
	struct db_rows *rows = NULL;
	int rc = 0;

	if (onchain->chain == NULL)
		goto out;
	rows = onchain_state(worker->db, ctx, onchain, err);
	if (rows == NULL)
		rc = -1;
	else if (db_count(rows) > 0 && worker->now_ms - db_time(rows, 0, "quoted_at") >= REFRESH_MS)
		rc = refresh(worker, onchain, ctx, db_text(rows, 0, "payout_address"), err);
out:
	talloc_free(ctx);
	return rc;
}

static int
no_quote(struct error *err)
{
	error_set(err, ERR_chain_unavailable);
	err->retry_after_s = RETRY_S;
	return -1;
}

/* Reads the chain's row; one without a fresh quote or a paying address serves nobody. */
static int
read_quote(const struct db_rows *rows, int64_t now_ms, usd_micros *fee, struct eth_address *payer, struct error *err)
{
	struct json_object *quote;

	if (db_count(rows) == 0 || db_is_null(rows, 0, "payout_address") ||
	    eth_address_parse(db_text(rows, 0, "payout_address"), payer) != 0)
		return no_quote(err);
	if (db_bool(rows, 0, "is_frozen"))
		return error_set(err, ERR_payouts_frozen);
	quote = db_json(rows, 0, "quote");
	*fee = json_object_get_int64(json_object_object_get(quote, "fee"));
	json_object_put(quote);
	return *fee < GAS_FEE_MIN || now_ms - db_time(rows, 0, "quoted_at") > QUOTE_MAX_MS ? no_quote(err) : 0;
}

int
gas_quote(struct db *db, const struct onchain *onchain, int64_t now_ms, usd_micros *fee, struct eth_address *payer,
    struct error *err)
{
	struct db_rows *rows;
	int rc;

	*fee = GAS_FEE_MIN;
	*payer = (struct eth_address){ { 0 } };
	if (onchain_need(onchain, err))
		return -1;
	if (onchain->is_test)
		return 0;
	rows = onchain_state(db, NULL, onchain, err);
	rc = rows == NULL ? -1 : read_quote(rows, now_ms, fee, payer, err);
	talloc_free(rows);
	return rc;
}
