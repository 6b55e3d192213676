#ifndef CORE_SIGNER_H
#define CORE_SIGNER_H

#include <stdbool.h>
#include <stdint.h>
#include "chain/eth.h"

/*
 * The transactions of a payout: what they offer for gas, their nonce, their signature, and that they are stored
 * before they are sent.
 */

struct error;
struct onchain;
struct payout;
struct worker;

/* Wei for a unit of gas. */
struct signer_fees {
	uint64_t max_fee, tip;
};

/*
 * Nobody's word makes us offer more than this.  The tip is paid in any case; the rest only as far as the base fee
 * really is that high. And a tip of nothing may wait for ever.
 */
#define SIGNER_MAX_FEE UINT64_C(1000000000000) /* 1,000 gwei */
#define SIGNER_MAX_TIP UINT64_C(10000000000)   /* 10 gwei */
#define SIGNER_MIN_TIP UINT64_C(1000000)       /* 0.001 gwei */

/* What a first transaction offers: room for the base fee to double. */
struct signer_fees signer_first_fees(uint64_t base_fee, uint64_t tip);

/*
 * What its replacement offers: an eighth more than before on both (nodes ask for a tenth), and at least what a first
 * one would. False if that passes the bounds: then there is none.
 */
bool signer_next_fees(struct signer_fees before, uint64_t base_fee, uint64_t tip, struct signer_fees *out);

/*
 * Signs and stores the transfer with the account's next nonce: both or neither, so that no nonce is left out.
 * chain_nonce: what the chain says is the next.  *payout becomes the row that it then is; texts hang on ctx.
 * Fails: payout_state_conflict (another worker was faster, or staff has ended it).
 */
int signer_first(struct worker *worker, const void *ctx, const struct onchain *onchain, struct payout *payout,
    int64_t chain_nonce, struct signer_fees fees, uint64_t gas, struct error *err);

/*
 * Another transaction with the payout's nonce: the transfer, or (is_cancel) nothing to ourselves.  Fails:
 * payout_state_conflict.
 */
int signer_again(struct worker *worker, const void *ctx, const struct onchain *onchain, struct payout *payout,
    bool is_cancel, struct signer_fees fees, uint64_t gas, struct error *err);

#endif
