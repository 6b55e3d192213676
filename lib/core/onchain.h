#ifndef CORE_ONCHAIN_H
#define CORE_ONCHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "chain/eth.h"

/* The chain that the settings name (spec 2, BASE_RPC_URL and on), as deposits and payouts use it. */

struct chain;
struct config;
struct db;
struct db_rows;
struct error;

struct onchain {
	struct chain *chain; /* NULL: no server is set */
	bool is_test;	     /* development without a server: deposits are credited and payouts completed at once */
	int64_t chain_id;
	int confirmations;	    /* that a transaction needs to count; 1 is in the newest block */
	struct eth_address token;   /* USDC */
	struct eth_address deposit; /* where agents send it; zero where no server is set */
};

/* False after printing to standard error which setting is no address after all (EIP-55); for main, before anything starts. */
bool onchain_check(const struct config *config);

/* Copies what it needs; a talloc child of ctx.  The settings have passed onchain_check.  Calls nobody. */
struct onchain *onchain_open(const void *ctx, const struct config *config);

/* Where the row of this chain lies (SQL table chain_states). */
int onchain_bucket(const struct onchain *onchain);

/* What is known of this chain (SQL function chain_state), a child of ctx: one row, or none before the worker has looked at
 * it; NULL with the error if the database fails. */
struct db_rows *onchain_state(struct db *db, const void *ctx, const struct onchain *onchain, struct error *err);

/* 0 where there is a chain or test mode; else fails: chain_unavailable. */
int onchain_need(const struct onchain *onchain, struct error *err);

#endif
