#ifndef CORE_USDC_H
#define CORE_USDC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"
#include "chain/chain.h"
#include "chain/eth.h"

/* Deposits of USDC as they are kept: one row for each transfer on the chain (SQL table usdc_deposits). */

struct db;
struct error;
struct onchain;

enum usdc_status { USDC_PENDING, USDC_CONFIRMED, USDC_REVERSED };

struct usdc_deposit {
	struct id id, agent, transaction; /* transaction: of the ledger; nil until credited */
	struct eth_hash hash;		  /* of the chain's transaction */
	int64_t log_index;		  /* as struct chain_transfer has it */
	struct eth_address wallet;	  /* the sender; zero in test mode, as is the block */
	usd_micros amount;
	int64_t block_number; /* where it was last seen … */
	struct eth_hash block_hash;
	enum usdc_status status;
	bool is_final;			/* its block can be reorganised no more */
	int64_t created_ms, checked_ms; /* checked: when it was last found on the chain as it stands here */
};

const char *usdc_status_name(enum usdc_status status);

/*
 * Takes the transfer for the agent, everywhere, then stores it as pending, or what the chain now says of it.  Several
 * calls, in the caller's transaction.  A row comes back that was there before with its status; only a reversed one is
 * pending again.
 * Fails: deposit_taken, wallet_required (it is a new one, and not from the agent's wallet).
 */
int usdc_seen(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    const struct chain_transfer *transfer, int64_t now_ms, struct usdc_deposit *out, struct error *err);

/* Credits a pending one that is still in this block; once.  *deposit becomes what it then is. */
int usdc_confirm(struct db *db, const void *ctx, struct usdc_deposit *deposit, int64_t now_ms, struct error *err);

/*
 * The deposit's block is no longer the chain's: a pending one counts for nothing, a credited one is booked back, its
 * agent frozen for payouts and staff told.  In the caller's transaction; nothing happens if it was seen in another
 * block meanwhile.
 */
int usdc_reverse(struct db *db, const void *ctx, struct usdc_deposit *deposit, int64_t now_ms, struct error *err);

/* The deposit's block is final: nobody need look again. */
int usdc_final(struct db *db, const struct usdc_deposit *deposit, struct error *err);

/* It was found on the chain as it stands here. */
int usdc_checked(struct db *db, const struct usdc_deposit *deposit, int64_t now_ms, struct error *err);

/* The agent's deposits by one transaction, in the order of its log. */
int usdc_of_transaction(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    struct eth_hash hash, struct usdc_deposit **out, size_t *count, struct error *err);

/* Those that are pending, or credited and not final, the least recently checked first. */
int usdc_open(struct db *db, const void *ctx, const struct onchain *onchain, int64_t limit, struct usdc_deposit **out,
    size_t *count, struct error *err);

/* The agent that has taken a transfer; nil: nobody. */
int usdc_owner(struct db *db, const struct onchain *onchain, const struct chain_transfer *transfer, struct id *agent,
    struct error *err);

#endif
