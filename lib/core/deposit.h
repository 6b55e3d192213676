#ifndef CORE_DEPOSIT_H
#define CORE_DEPOSIT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"
#include "chain/eth.h"
#include "core/usdc.h"

/*
 * Deposits of USDC (spec 6).  A deposit is a transfer of the token itself, in a transaction that succeeded, from the
 * agent's wallet to the deposit address, of an amount between the limits.  What is credited is what the chain says,
 * once it has confirmations enough.
 */

struct chain_receipt;
struct chain_transfer;
struct db;
struct error;
struct onchain;

#define DEPOSIT_MIN USD(5)
#define DEPOSIT_MAX USD(10000)

enum { DEPOSIT_BLOCK_S = 2 }; /* of Base: from one block to the next */

/* What became of one transaction's transfers, all of them together. */
struct deposit_result {
	enum usdc_status status;     /* pending as long as one of them is; reversed if all are */
	struct id transaction;	     /* of the ledger: the first credited; nil: none */
	usd_micros amount, credited; /* as the chain says */
	int64_t confirmations;
};

/*
 * Judges a transaction that the agent names, and stores or credits what it brings; asking again tells how it stands.
 * In test mode the claim is believed, once for each hash.  The caller's transaction ends before the chain is asked,
 * and another has begun when this returns 0; on failure none is open, and nothing was stored.
 * Fails: wallet_required, transaction_not_found, transaction_failed, transfer_not_found, deposit_out_of_range
 * (details.amount_usdc), deposit_taken, chain_unavailable.
 */
int deposit_usdc(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_hash hash,
    usd_micros claimed, int64_t now_ms, struct deposit_result *out, struct error *err);

/* True for a transaction that was mined, did not fail, and lies in a block that is the chain's own. */
bool deposit_counts(const struct chain_receipt *receipt);

/* True for a transfer of a deposit's size to our address, whoever sent it. */
bool deposit_fits(const struct onchain *onchain, const struct chain_transfer *transfer);

/*
 * usdc_seen, for a transfer that a receipt has just told of; a pending one then is what this receipt says, whatever
 * another said before.
 * Fails: deposit_taken, wallet_required.
 */
int deposit_see(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    const struct chain_transfer *transfer, int64_t now_ms, struct usdc_deposit *out, struct error *err);

/*
 * Stores what a receipt brings from the agent's wallet, and credits what has confirmations enough; the rest of it is
 * left alone.  Begins a transaction, which is open when this returns 0.  Fails: deposit_taken, wallet_required (the
 * wallet has been replaced).
 */
int deposit_take(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    struct eth_address wallet, const struct chain_receipt *receipt, int64_t now_ms, struct error *err);

/*
 * A transfer from an agent's wallet that is no deposit, since it is too small or too large: somebody has to look at
 * it.
 */
void deposit_log_odd(struct id agent, const struct chain_transfer *transfer);

#endif
