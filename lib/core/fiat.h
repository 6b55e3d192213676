#ifndef CORE_FIAT_H
#define CORE_FIAT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/* Deposits by card or bank transfer (spec 3, POST /agents/deposit). */

struct config;
struct db;
struct dlocal_payment;
struct error;
struct job;
struct worker;

extern const char *const fiat_methods[]; /* card, bank_transfer, NULL */

struct fiat_new {
	usd_micros amount; /* whole cents */
	const char *method, *return_url;
	const char *payer_name, *payer_email;
	const char *replay_key; /* the request's idempotency key; NULL: none */
};

struct fiat_deposit {
	struct id id, agent, transaction; /* transaction: of the ledger; nil until completed */
	usd_micros amount;
	const char *status;	  /* pending, completed, failed */
	const char *redirect_url; /* where it is paid; NULL: it was credited without, or the provider did not say */
	const char *provider_id;
	int64_t order_ms;
};

/*
 * Opens a deposit.  Without a provider: in development it is credited at once, else it fails.  With one it is stored, then
 * the provider is called, then its answer is stored: the caller's transaction ends before the call, and another has begun
 * when this returns 0.  On failure none is open; the deposit is kept, since a payment that was made after all is credited.
 * Fails: fiat_unavailable (details.payment_id if a deposit is kept), idempotency_in_progress.
 */
int fiat_open(struct db *db, const void *ctx, const struct config *config, struct id agent, const struct fiat_new *in,
    int64_t now_ms, struct fiat_deposit *out, struct error *err);

/* A deposit of the agent's; a pending one after asking the provider, who may not answer.  Outside a transaction.
 * Fails: payment_not_found. */
int fiat_status(struct db *db, const void *ctx, const struct config *config, struct id agent, struct id id,
    int64_t now_ms, struct fiat_deposit *out, struct error *err);

/*
 * Believes the provider: credits a paid one, once, ends a failed one, leaves an open one.
 * Fails: payment_not_found, amount_mismatch (logged as well: somebody has to look at it).
 */
int fiat_settle(struct db *db, const void *ctx, const struct dlocal_payment *said, int64_t now_ms,
    struct fiat_deposit *out, struct error *err);

/* The job "fiat" (core/job.h): asks about a pending deposit from time to time, and ends one that nobody paid in seven days. */
int fiat_run(struct worker *worker, const struct job *job);

#endif
