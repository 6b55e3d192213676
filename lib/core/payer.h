#ifndef CORE_PAYER_H
#define CORE_PAYER_H

/*
 * A payout's way over the chain (spec 6): signing, broadcast, watching, replacing, its end.  The worker's alone: it
 * has the key.
 */

struct error;
struct job;
struct worker;

/*
 * Reads the key of the settings into worker->payout_key; NULL where none is set: payouts then stay reserved.  The
 * caller frees it (eth_key_free).  Fails: internal (a file that holds no key, or that others may read).
 */
int payer_open(struct worker *worker, struct error *err);

/*
 * The job "payout" (core/job.h), whose ref is the payout: one step a run, until the payout is over.  Bears any
 * repeat, and any number of workers at once: nonce and signature are stored before anything leaves, by functions that
 * take only one of two.
 */
int payer_run(struct worker *worker, const struct job *job);

#endif
