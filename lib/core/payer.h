#ifndef CORE_PAYER_H
#define CORE_PAYER_H

#include <stdbool.h>
#include <stdint.h>

/* How a payout is sent (spec 6): nonce, signature, broadcast, watching, replacing, its end.  The worker's alone: it has the key. */

struct config;
struct error;
struct job;
struct worker;

/*
 * Reads the key of the settings into worker->payout_key; NULL where none is set: payouts then stay reserved.  The caller frees it
 * (eth_key_free).  Fails: internal (a file that holds no key, or that others may read).
 */
int payer_open(struct worker *worker, struct error *err);

/*
 * The job "payout" (core/job.h), whose ref is the payout: one step a run, until the payout is over.  Bears any repeat, and any number
 * of workers at once: the nonce and each signature are stored before anything leaves, by functions that take only one of two.
 */
int payer_run(struct worker *worker, const struct job *job);

/* Wei for a unit of gas. */
struct payer_fees {
	uint64_t max_fee, tip;
};

/* Nobody's answer makes us offer more than this: the tip is always paid, the rest only if the base fee is that high. */
#define PAYER_MAX_FEE UINT64_C(1000000000000) /* 1,000 gwei */
#define PAYER_MAX_TIP UINT64_C(10000000000)   /* 10 gwei */

/* What a first transaction offers: room for the base fee to double. */
struct payer_fees payer_first_fees(uint64_t base_fee, uint64_t tip);

/*
 * What its replacement offers: an eighth more than before on both (nodes ask for a tenth), and at least what a first one would.
 * False if that passes the bounds: then there is none.
 */
bool payer_next_fees(struct payer_fees before, uint64_t base_fee, uint64_t tip, struct payer_fees *out);

#endif
