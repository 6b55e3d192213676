#ifndef CHAIN_CHAIN_H
#define CHAIN_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chain/eth.h"
#include "chain/rpc.h"

/*
 * One chain and one ERC-20 token of six decimals on it, seen through one or two endpoints (spec 6).  Those that answer must agree; where they
 * do not, nothing is known (chain_unavailable, logged with both answers).  One that is down is logged and survived.  An endpoint of another chain id is
 * down.  Heads may differ by lag: what is counted from the head is counted from the lower one.
 *
 * Every call fails with chain_unavailable (503, retry in a few seconds) when no endpoint answers or they disagree, and with nothing else.
 */

struct error;
struct chain;

enum { CHAIN_ENDPOINTS = 2 };

struct chain_settings {
	const char *urls[CHAIN_ENDPOINTS]; /* the second may be NULL */
	int64_t chain_id;
	struct eth_address token;
	int timeout_ms; /* of one call to one endpoint */
};

struct chain_head {
	int64_t number, finalized; /* finalized: 64 blocks back where the node knows no such tag */
};

/* Copies the settings.  Owner: the caller's ctx.  Nothing is called yet. */
struct chain *chain_open(const void *ctx, const struct chain_settings *settings);

int chain_head(struct chain *chain, struct chain_head *out, struct error *err);

/* A transfer of our token. */
struct chain_transfer {
	struct eth_address from, to;
	uint64_t amount; /* the token's smallest unit = usd_micros; 0 where is_huge: more than an int64_t holds */
	bool is_huge;
	/*
	 * The log's place among the logs of its own transaction, from 0.  The node's index counts from the block's beginning,
	 * and a transaction that a reorganisation moves to another block would seem to be another transfer.  From
	 * chain_transfers, which does not see whole transactions: -1.
	 */
	int64_t log_index;
	int64_t block_number;
	struct eth_hash block_hash, transaction;
};

enum chain_found { CHAIN_ABSENT, CHAIN_FAILED, CHAIN_MINED };

struct chain_receipt {
	enum chain_found found; /* FAILED: mined and reverted; its transfers are none */
	int64_t block_number;
	/* 1 in the newest block; 0 if the block is not (or no longer) the chain's own at its height */
	int64_t confirmations;
	struct eth_hash block_hash;
	struct eth_address from;
	/* Of our token's own contract, exactly three topics, 32 bytes of data; talloc'ed on ctx. */
	struct chain_transfer *transfers;
	size_t transfer_count;
};

/* The receipt of a transaction, its block checked against the chain's own at that height. */
int chain_receipt(
    struct chain *chain, const void *ctx, struct eth_hash hash, struct chain_receipt *out, struct error *err);

/* The hash of the block at a height; *exists false if the chain is not that long. */
int chain_block_hash(struct chain *chain, int64_t number, struct eth_hash *out, bool *exists, struct error *err);

/* Transfers of our token to an address in blocks from..to (at most 1,000 blocks): a hint from one endpoint, to be confirmed by chain_receipt. */
int chain_transfers(struct chain *chain, const void *ctx, struct eth_address to, int64_t from_block, int64_t to_block,
    struct chain_transfer **out, size_t *count, struct error *err);

/* The token's balanceOf at a block. */
int chain_token_balance(struct chain *chain, struct eth_address owner, int64_t block, uint64_t *out, struct error *err);
/* How many transactions an address has sent, as of a block or tag. */
int chain_nonce(
    struct chain *chain, struct eth_address address, int64_t number_or_tag, int64_t *out, struct error *err);
/* Base fee of the next block and a usual tip, wei for a unit of gas; the higher of the endpoints' words, which need not agree. */
int chain_fees(struct chain *chain, uint64_t *base_fee, uint64_t *tip, struct error *err);
/* eth_call at the newest block; the first endpoint that answers.  *out talloc'ed on ctx; *out_len 0 where the node refused or there is no contract. */
int chain_view(struct chain *chain, const void *ctx, struct eth_address contract, const void *data, size_t len,
    uint8_t **out, size_t *out_len, struct error *err);
/* Gas for a call; *is_refused (with 0 returned): the node says that it would fail. */
int chain_estimate_gas(struct chain *chain, struct eth_address from, struct eth_address to, const void *data,
    size_t len, uint64_t *out, bool *is_refused, struct error *err);
/* Tells every endpoint.  *is_taken: at least one has it.  problem: what a refusing node said. */
int chain_send(struct chain *chain, const void *raw, size_t len, struct eth_hash hash, bool *is_taken,
    char problem[RPC_PROBLEM_SIZE], struct error *err);

#endif
