/* From settings to the chain; what is done on it is said in deposit.c, payout.c and watch.c. */
#include <assert.h>
#include <stdio.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "chain/chain.h"
#include "core/onchain.h"

enum { CALL_TIMEOUT_MS = 4000, CHAIN_RETRY_S = 5 };

bool
onchain_check(const struct config *config)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{ "USDC_CONTRACT", config->usdc_contract },
		{ "DEPOSIT_ADDRESS", config->deposit_address },
		{ "ETH_USD_ORACLE", config->eth_usd_oracle },
	};
	bool is_right = true;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct eth_address address;

		if (rows[i].value == NULL || eth_address_parse(rows[i].value, &address) == 0)
			continue;
		fprintf(stderr, "humanops: %s has a wrong checksum (EIP-55); a digit may be mistaken\n", rows[i].name);
		is_right = false;
	}
	return is_right;
}

static struct eth_address
address_of(const char *text)
{
	struct eth_address address = { { 0 } };

	if (text != NULL) {
		int rc = eth_address_parse(text, &address);

		assert(rc == 0);
	}
	return address;
}

struct onchain *
onchain_open(const void *ctx, const struct config *config)
{
	struct onchain *onchain = talloc_zero(ctx, struct onchain);
	struct chain_settings settings = { .urls = { config->base_rpc_urls[0], config->base_rpc_urls[1] },
		.chain_id = config->base_chain_id,
		.token = address_of(config->usdc_contract),
		.timeout_ms = CALL_TIMEOUT_MS };

	assert(onchain != NULL);
	*onchain = (struct onchain){ .is_test = config->is_development && settings.urls[0] == NULL,
		.chain_id = config->base_chain_id,
		.confirmations = (int)config->confirmations,
		.token = settings.token,
		.deposit = address_of(config->deposit_address) };
	if (settings.urls[0] != NULL)
		onchain->chain = chain_open(onchain, &settings);
	return onchain;
}

int
onchain_bucket(const struct onchain *onchain)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)onchain->chain_id);
	return id_bucket_of("chain", text);
}

struct db_rows *
onchain_state(struct db *db, const void *ctx, const struct onchain *onchain, struct error *err)
{
	return db_call(db, ctx, err, "chain_state", onchain_bucket(onchain), DB_ARGS(DB_INT(onchain->chain_id)));
}

int
onchain_need(const struct onchain *onchain, struct error *err)
{
	if (onchain->chain != NULL || onchain->is_test)
		return 0;
	error_set(err, ERR_chain_unavailable);
	err->retry_after_s = CHAIN_RETRY_S;
	return -1;
}
