#ifndef CORE_RESERVE_H
#define CORE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/money.h"

/* What the chain holds for us against what the ledger says that it holds (spec 3, admin; spec 5, custody). */

struct db;
struct error;
struct onchain;
struct worker;

/* The last check.  All usd_micros. */
struct reserves {
	bool is_known;				    /* false: no check has been made (no chain, or no worker has run) */
	usd_micros deposit_address, payout_address; /* on the chain; one address for both: all at the first */
	usd_micros custody;			    /* what the ledger says that we hold */
	usd_micros in_flight;			    /* of it, what has left on the chain and the ledger not yet */
	usd_micros difference;	/* chain less (custody less in_flight): below zero money is missing */
	usd_micros liabilities; /* what we owe to everybody, ourselves included */
	int64_t checked_ms;
	bool is_frozen;
	const char *reason; /* why; NULL if not frozen */
};

/*
 * Reads the ledger, then the chain's head, then the balances so many confirmations below it: what the ledger counts is
 * always seen there by then.  Compares and stores what it found.  Money missing in two checks in a row freezes payouts,
 * and staff is told.  At most every 30 seconds: called more often, and without a chain, it does nothing.  0, or -1 with
 * the error (chain_unavailable: nothing is known).
 */
int reserve_check(struct worker *worker, const struct onchain *onchain, struct error *err);

/* The last check; texts hang on ctx. */
int reserve_show(
    struct db *db, const void *ctx, const struct onchain *onchain, struct reserves *out, struct error *err);

/* Staff ends a freeze; the next two checks that miss money begin another. */
int reserve_unfreeze(struct db *db, const struct onchain *onchain, int64_t now_ms, struct error *err);

#endif
