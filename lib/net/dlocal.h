#ifndef NET_DLOCAL_H
#define NET_DLOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/money.h"

/*
 * dLocal, a payment provider: its redirect flow, its signatures, and what its answers and notifications say.  Settings
 * DLOCAL_… must be there.  Amounts are US dollars.
 */

struct config;
struct error;

/* A payment to be made. */
struct dlocal_order {
	const char *order_id; /* ours, at most 100 characters */
	usd_micros amount;    /* whole cents */
	const char *method;   /* "card" or "bank_transfer" */
	const char *payer_name, *payer_email;
	const char *return_url; /* where the payer goes afterwards; NULL: nowhere */
};

enum dlocal_state { DLOCAL_OPEN, DLOCAL_PAID, DLOCAL_FAILED };

/* A payment as dLocal tells of it; what it left out is NULL. */
struct dlocal_payment {
	const char *id, *order_id, *redirect_url;
	enum dlocal_state state;
	usd_micros amount;
	bool has_amount; /* false: none, or not in dollars */
};

/* Texts hang on ctx.  Fails: body_invalid for anything that is no payment with a status and an order id. */
int dlocal_read(const void *ctx, const char *json, size_t len, struct dlocal_payment *payment, struct error *err);

/*
 * Makes a payment.  Fails: fiat_unavailable (no answer that can be used: the payment may exist all the same), or, where dLocal
 * refused and so there surely is none, with *is_refused set.
 */
int dlocal_create(const void *ctx, const struct config *config, const struct dlocal_order *order, int64_t now_ms,
    struct dlocal_payment *payment, bool *is_refused, struct error *err);

/* Asks how a payment stands; id NULL: by the order id alone.  Fails: fiat_unavailable, payment_not_found (says dLocal). */
int dlocal_ask(const void *ctx, const struct config *config, const char *id, const char *order_id, int64_t now_ms,
    struct dlocal_payment *payment, struct error *err);

/* True if the hex text is the HMAC-SHA256 of the bytes; takes as long for a wrong one.  False without secret or text. */
bool dlocal_signed(const char *secret, const void *body, size_t len, const char *hex);

#endif
