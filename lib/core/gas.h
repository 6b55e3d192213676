#ifndef CORE_GAS_H
#define CORE_GAS_H

#include <stdint.h>
#include "base/money.h"
#include "chain/eth.h"

/* What a payout costs on the chain, in dollars: the fee that is deducted from it (spec 6). */

struct db;
struct error;
struct onchain;
struct worker;

#define GAS_FEE_MIN USD_CENT
#define GAS_FEE_MAX USD(2)

enum { GAS_USUAL = 65000, GAS_MIN = 30000, GAS_MAX = 200000 }; /* of a transfer of the token */

/*
 * The fee in whole cents, rounded up, between GAS_FEE_MIN and GAS_FEE_MAX.
 * gas_price: wei for a unit of gas, tip included; l1_fee: wei, what a rollup takes for its data beside; eth_usd:
 * usd_micros for one ether.
 */
usd_micros gas_fee(uint64_t gas_price, uint64_t gas, uint64_t l1_fee, usd_micros eth_usd);

/* An estimate as a limit: a quarter more, between GAS_MIN and GAS_MAX. */
uint64_t gas_limit(uint64_t estimate);

/*
 * A price feed's answer (decimals as it says) in usd_micros; 0 if it is none that one can go by: nothing, negative,
 * beyond an int64_t.
 */
usd_micros gas_price_of(const uint8_t answer[32], int decimals);

/*
 * Asks the chain what a transfer costs and stores the quote that gas_quote reads.  At most every 15 seconds: called
 * more often, and without a chain, it does nothing.  0, or -1 with the error (chain_unavailable: the quote before
 * stays, until it is too old).
 */
int gas_refresh(struct worker *worker, const struct onchain *onchain, struct error *err);

/*
 * The fee of a payout requested now, and the address that pays (zero in test mode: GAS_FEE_MIN and nobody).
 * Fails: chain_unavailable (no quote of the last ten minutes, or no worker holds a key), payouts_frozen.
 */
int gas_quote(struct db *db, const struct onchain *onchain, int64_t now_ms, usd_micros *fee, struct eth_address *payer,
    struct error *err);

#endif
