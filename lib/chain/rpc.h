#ifndef CHAIN_RPC_H
#define CHAIN_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chain/eth.h"

/*
 * Ethereum JSON-RPC with one endpoint, believing little: answers are bounded (1 MiB; logs 8 MiB) and timed, must be
 * JSON-RPC 2.0 of our id, every member is checked for type and size, a receipt must be of the hash asked for.
 * Unknown members are ignored.  Whether several endpoints agree is chain/chain.h's.
 */

struct json_object;

enum rpc_result {
	RPC_OK,
	RPC_ABSENT,  /* result null: the node knows no such thing */
	RPC_REFUSED, /* the node answered with an error; `problem` has its text, cut and cleaned */
	RPC_DOWN,    /* no answer, a late one, or one that is none (HTML, 50 MB, nonsense); `problem` says which */
};

enum { RPC_PROBLEM_SIZE = 200 };

struct rpc {
	const char *url;
	int timeout_ms;
	bool allows_private;		/* and plain HTTP: for a URL that the operator of the service set himself */
	char problem[RPC_PROBLEM_SIZE]; /* of the last call that was not OK; printable, without the URL's secrets */
	bool has_hung;			/* the last call had no answer in all the time that it had */
};

#define RPC_LATEST (-1) /* block tags in place of a number */
#define RPC_FINALIZED (-2)
#define RPC_PENDING (-3)

struct rpc_block {
	int64_t number, time_s;
	struct eth_hash hash, parent;
	uint64_t base_fee; /* wei; 0: none told */
};

struct rpc_log {
	struct eth_address address;
	struct eth_hash topics[4];
	int topic_count;
	uint8_t data[32]; /* the first 32 bytes … */
	size_t data_len;  /* … of so many */
	int64_t block_number, index;
	struct eth_hash block_hash, transaction;
	bool is_removed;
};

struct rpc_receipt {
	bool is_success;
	int64_t block_number;
	struct eth_hash block_hash, transaction;
	struct eth_address from;
	struct rpc_log *logs; /* talloc'ed on the call's ctx */
	size_t log_count;
};

enum rpc_result rpc_chain_id(struct rpc *rpc, const void *ctx, int64_t *out);
enum rpc_result rpc_block(struct rpc *rpc, const void *ctx, int64_t number_or_tag, struct rpc_block *out);
enum rpc_result rpc_receipt(struct rpc *rpc, const void *ctx, struct eth_hash hash, struct rpc_receipt *out);
/* Logs of a contract with these first topics (NULL entries: any), blocks from..to inclusive. */
enum rpc_result rpc_logs(struct rpc *rpc, const void *ctx, struct eth_address contract,
    const struct eth_hash *const *topics, size_t topic_count, int64_t from, int64_t to, struct rpc_log **out,
    size_t *count);
enum rpc_result rpc_nonce(
    struct rpc *rpc, const void *ctx, struct eth_address address, int64_t number_or_tag, int64_t *out);
enum rpc_result rpc_balance(struct rpc *rpc, const void *ctx, struct eth_address address, uint8_t wei[32]);
enum rpc_result rpc_code_length(struct rpc *rpc, const void *ctx, struct eth_address address, size_t *out);
/* eth_call at a block; the answer's bytes, at most 4 KiB, talloc'ed on ctx. */
enum rpc_result rpc_view(struct rpc *rpc, const void *ctx, struct eth_address contract, const void *data, size_t len,
    int64_t number_or_tag, uint8_t **out, size_t *out_len);
enum rpc_result rpc_estimate_gas(struct rpc *rpc, const void *ctx, struct eth_address from, struct eth_address to,
    const void *data, size_t len, uint64_t *out);
/* The next block's base fee and the median of the tips (50th percentile) of the last ten blocks, wei. */
enum rpc_result rpc_fee_history(struct rpc *rpc, const void *ctx, uint64_t *base_fee, uint64_t *tip);
/* Broadcasts.  OK also where the node has the transaction already (pool or block). */
enum rpc_result rpc_send_raw(struct rpc *rpc, const void *ctx, const void *raw, size_t len, struct eth_hash hash);

#endif
