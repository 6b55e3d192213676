#ifndef CORE_PAYRUN_H
#define CORE_PAYRUN_H

#include <stddef.h>
#include <stdint.h>
#include "base/log.h"
#include "chain/chain.h"
#include "core/payout.h"

/* One run of a payout's job: the payout, what was signed for it, and when to look again.  For core/payer.c. */

struct error;
struct onchain;
struct worker;

enum {
	PAYRUN_OVER = 0,	      /* there is no next look */
	PAYRUN_SOON_MS = 1500,	      /* to the next look while something is about to happen … */
	PAYRUN_LATER_MS = 10 * 1000,  /* … after a minute without, or where something stands in the way … */
	PAYRUN_RARELY_MS = 60 * 1000, /* … and where staff has to do something first */
	PAYRUN_GUARD_MS = 15 * 1000,  /* between looks at what is completed and not final yet */
	PAYRUN_PROBLEM_SIZE = 320,
};

struct payrun {
	struct worker *worker;
	const struct onchain *onchain;
	const void *ctx;
	struct payout payout;
	struct payout_try *tries; /* of any nonce, the newest last */
	size_t count;
	struct chain_head head; /* as it was before anything else was asked; zero while nothing is signed */
	struct error *err;
	int next_ms; /* to the next look, or PAYRUN_OVER */
};

/* How long ago that was, ms. */
int64_t payrun_age(const struct payrun *run, int64_t since_ms);

void payrun_log(const struct payrun *run, enum log_level level, const char *event, const char *why);

/* All below: 0, or -1 with run->err.  Some set run->next_ms. */

/* Writes down what stands in the way, once: for staff to see, or for staff to do something about (it is stuck then). */
int payrun_note(struct payrun *run, const char *problem);
int payrun_stick(struct payrun *run, const char *problem);
/* The first, and after ten minutes since then the second. */
int payrun_hinder(struct payrun *run, int64_t since_ms, const char *problem);

/* The two ends: the money goes back; or it has gone, by the transaction of this hash in this block. */
int payrun_fail(struct payrun *run, const char *problem);
int payrun_complete(struct payrun *run, struct eth_hash hash, int64_t block);

/* How soon to look again, by how long the sending has taken so far. */
int payrun_pace(const struct payrun *run);

/* Reads its transactions. */
int payrun_load(struct payrun *run);

/* Tells the chain, or tells it again: the same bytes, which do no harm. */
int payrun_send(struct payrun *run, const struct payout_try *try);
/* What was just signed. */
int payrun_send_newest(struct payrun *run);

/* Looks for all of its transactions, the newest first: *found is one that is in a block of the chain, or NULL. */
int payrun_find_mined(struct payrun *run, const struct payout_try **found, struct chain_receipt *receipt);

/*
 * How many transactions its sender has in confirmed blocks.  Asked before the receipts are: were one of ours among
 * them, its receipt would be there.
 */
int payrun_count_used(struct payrun *run, struct eth_address *sender, int64_t *used);

#endif
