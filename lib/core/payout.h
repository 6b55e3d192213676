#ifndef CORE_PAYOUT_H
#define CORE_PAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"
#include "chain/eth.h"

/*
 * Money that leaves: an operator's earnings, an agent's unused deposit (spec 6).  A request reserves it; the rest is
 * the worker's (core/payer.h).  Inner states: reserved, signed, stuck, completed, failed.
 */

struct db;
struct error;
struct json_object;
struct onchain;

enum { PAYOUT_LIST_MAX = 100 };

#define PAYOUT_MIN USD(10)
#define PAYOUT_MAX USD(100000)

struct payout {
	struct id id, party;
	bool is_agents;		    /* the party is an agent and the money its deposit; else an operator's earnings */
	usd_micros amount, gas_fee; /* the fee is deducted: amount - gas_fee is sent */
	const char *to_address;	    /* with EIP-55's checksum */
	int64_t chain_id;
	const char *state;
	bool has_nonce;
	int64_t nonce;
	const char *sender, *tx_hash; /* lower case; NULL until signed.  tx_hash: the last signed, then the mined one */
	bool is_cancelled;	      /* staff wants it ended */
	const char *problem;	      /* why it does not get on, for staff; NULL: nothing known */
	int64_t block_number;	      /* 0 until completed */
	int64_t created_ms, signed_ms, settled_ms;
	int64_t retried_ms; /* staff has said to go on, since it was last stuck; 0: no */
};

/* One of the transactions signed for a payout; at most one is ever mined, since all have its nonce. */
struct payout_try {
	int attempt;
	bool is_cancel;
	struct eth_hash hash;
	const uint8_t *raw;
	size_t raw_len;
	uint64_t max_fee, tip; /* wei for a unit of gas */
	uint64_t gas_limit;
	int64_t created_ms, sent_ms;
};

/* What answers call a state: PENDING_ONCHAIN, COMPLETED, FAILED. */
const char *payout_status(const struct payout *payout);
bool payout_is_over(const struct payout *payout);

/*
 * Reads an address that money may be sent to.  0; or -1, *why a sentence for people that goes on after the field's
 * name: no address, a wrong checksum, an address whose money is lost, or one of our own (payer: zero if there is
 * none).
 */
int payout_address(const char *text, const struct onchain *onchain, struct eth_address payer, struct eth_address *out,
    const char **why);

/* What is asked for; the fee is gas_quote's, the address has passed payout_address. */
struct payout_new {
	struct id party;
	bool is_agents;
	usd_micros amount, gas_fee;
	struct eth_address to;
};

/*
 * Takes the money off the balance and queues its sending, in the caller's transaction.  In test mode it has been paid
 * when this returns.
 * Fails: payout_balance (details.available_usd, for agents also details.withdrawable_usd), kyc_required,
 * operator_suspended, payouts_frozen.
 */
int payout_request(struct db *db, const void *ctx, const struct onchain *onchain, const struct payout_new *in,
    int64_t now_ms, struct payout *out, struct error *err);

/* The party's own payout.  Fails: payout_not_found. */
int payout_find(struct db *db, const void *ctx, struct id party, struct id id, struct payout *out, struct error *err);

/* Anybody's.  Fails: payout_not_found. */
int payout_load(struct db *db, const void *ctx, struct id id, struct payout *out, struct error *err);

/* The party's payouts, newest first, those before one of them (nil: from the newest).  Fails: cursor_invalid. */
int payout_list(struct db *db, const void *ctx, struct id party, struct id before, int64_t limit, struct payout **out,
    size_t *count, struct error *err);

/* Waits until the payout is signed or over, at most wait_ms; *out is what it then is.  Outside a transaction. */
int payout_wait(struct db *db, const void *ctx, struct id id, int wait_ms, struct payout *out, struct error *err);

/* For staff: those in some states (the list ends in NULL), newest first, before a payout (nil: from the newest). */
int payout_list_all(struct db *db, const void *ctx, const char *const *states, struct id before, int64_t limit,
    struct payout **out, size_t *count, struct error *err);

/* Its transactions, the first first; raw bytes and texts hang on ctx. */
int payout_tries(
    struct db *db, const void *ctx, struct id id, struct payout_try **out, size_t *count, struct error *err);

/*
 * Staff: look again now; or end it (it ends at once only if nothing was signed).  Fails: payout_not_found,
 * payout_state_conflict.
 */
int payout_retry(struct db *db, const void *ctx, struct id id, int64_t now_ms, struct payout *out, struct error *err);
int payout_cancel(struct db *db, const void *ctx, struct id id, int64_t now_ms, struct payout *out, struct error *err);

/* The row that a SQL function gave. */
struct db_rows;
void payout_read(struct db_rows *rows, size_t row, struct payout *out);

#endif
