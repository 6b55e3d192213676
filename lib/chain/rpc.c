/*
 * What an Ethereum node is asked, and what its answers must look like.  Each member that we use must have its form and fit
 * what was asked, or the whole answer counts for nothing (RPC_DOWN).  What to do about that, and whom to believe, is chain.c's.
 */
#include "chain/rpc.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "chain/post.h"
#include "chain/value.h"

enum {
	ANSWER_MAX = 1024 * 1024,
	LOGS_MAX = 8 * 1024 * 1024, /* also of a receipt: a transaction may leave megabytes of logs */
	LOG_BYTES = 256,	    /* a log in JSON is longer */
	VIEW_MAX = 4096,
	TOPICS_MAX = 4,
	FEE_BLOCKS = 10,
};

/* Wei for a unit of gas, 10,000 gwei: no chain of ours was ever near; what a node says beyond it is nonsense. */
#define FEE_MAX UINT64_C(10000000000000)

static struct json_object *
list_of(struct json_object *first, struct json_object *second)
{
	struct json_object *list = json_object_new_array();

	if (first != NULL)
		json_object_array_add(list, first);
	if (second != NULL)
		json_object_array_add(list, second);
	return list;
}

static struct json_object *
block_name(int64_t number_or_tag)
{
	switch (number_or_tag) {
	case RPC_LATEST:
		return json_object_new_string("latest");
	case RPC_FINALIZED:
		return json_object_new_string("finalized");
	case RPC_PENDING:
		return json_object_new_string("pending");
	default:
		assert(number_or_tag >= 0);
		return value_of_number((uint64_t)number_or_tag);
	}
}

static struct json_object *
member(struct json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

/* Ends a call whose whole result is one value: -1 in bad means that it was none. */
static enum rpc_result
ended(struct rpc *rpc, enum rpc_result rc, struct json_object *result, int bad, const char *what)
{
	json_object_put(result);
	return rc == RPC_OK && bad ? post_down(rpc, "a %s that is none", what) : rc;
}

enum rpc_result
rpc_chain_id(struct rpc *rpc, const void *ctx, int64_t *out)
{
	struct json_object *result;
	enum rpc_result rc = post_call(rpc, "eth_chainId", list_of(NULL, NULL), ANSWER_MAX, &result);

	(void)ctx;
	return ended(rpc, rc, result, rc == RPC_OK && value_number(result, out), "chain id");
}

static int
read_block(struct json_object *result, int64_t number, struct rpc_block *out)
{
	struct json_object *base_fee = NULL;
	struct rpc_block block = { 0 };

	if (!json_object_is_type(result, json_type_object) || value_number(member(result, "number"), &block.number) ||
	    value_number(member(result, "timestamp"), &block.time_s) ||
	    value_hash(member(result, "hash"), &block.hash) ||
	    value_hash(member(result, "parentHash"), &block.parent) || (number >= 0 && block.number != number))
		return -1;
	if (json_object_object_get_ex(result, "baseFeePerGas", &base_fee) &&
	    (value_uint64(base_fee, &block.base_fee) || block.base_fee > FEE_MAX))
		return -1;
	*out = block;
	return 0;
}

enum rpc_result
rpc_block(struct rpc *rpc, const void *ctx, int64_t number_or_tag, struct rpc_block *out)
{
	struct json_object *params = list_of(block_name(number_or_tag), json_object_new_boolean(false)), *result;
	enum rpc_result rc = post_call(rpc, "eth_getBlockByNumber", params, ANSWER_MAX, &result);

	(void)ctx;
	return ended(rpc, rc, result, rc == RPC_OK && read_block(result, number_or_tag, out), "block");
}

static int
read_topics(struct json_object *topics, struct rpc_log *log)
{
	size_t count;

	if (!json_object_is_type(topics, json_type_array))
		return -1;
	count = json_object_array_length(topics);
	if (count > TOPICS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (value_hash(json_object_array_get_idx(topics, i), &log->topics[i]))
			return -1;
	}
	log->topic_count = (int)count;
	return 0;
}

static int
read_log(struct json_object *object, struct rpc_log *out)
{
	struct json_object *removed = NULL;
	struct rpc_log log = { 0 };

	if (!json_object_is_type(object, json_type_object) || value_address(member(object, "address"), &log.address) ||
	    read_topics(member(object, "topics"), &log) ||
	    value_data(member(object, "data"), log.data, sizeof(log.data), &log.data_len) ||
	    value_number(member(object, "blockNumber"), &log.block_number) ||
	    value_number(member(object, "logIndex"), &log.index) ||
	    value_hash(member(object, "blockHash"), &log.block_hash) ||
	    value_hash(member(object, "transactionHash"), &log.transaction))
		return -1;
	if (json_object_object_get_ex(object, "removed", &removed)) {
		if (!json_object_is_type(removed, json_type_boolean))
			return -1;
		log.is_removed = json_object_get_boolean(removed);
	}
	*out = log;
	return 0;
}

/* A list of logs, talloc'ed on ctx. */
static int
read_logs(const void *ctx, struct json_object *list, struct rpc_log **out, size_t *count)
{
	struct rpc_log *logs;
	size_t length;

	if (!json_object_is_type(list, json_type_array))
		return -1;
	length = json_object_array_length(list);
	if (length > LOGS_MAX / LOG_BYTES)
		return -1;
	logs = talloc_zero_array(ctx, struct rpc_log, (unsigned)length);
	assert(logs != NULL);
	for (size_t i = 0; i < length; i++) {
		if (read_log(json_object_array_get_idx(list, i), &logs[i])) {
			talloc_free(logs);
			return -1;
		}
	}
	*out = logs;
	*count = length;
	return 0;
}

/* The logs of a receipt are its own and lie in the block one behind the other: none is missing between them. */
static bool
logs_fit(const struct rpc_receipt *receipt)
{
	for (size_t i = 0; i < receipt->log_count; i++) {
		const struct rpc_log *log = &receipt->logs[i];

		if (log->block_number != receipt->block_number ||
		    !eth_hash_equal(log->block_hash, receipt->block_hash) ||
		    !eth_hash_equal(log->transaction, receipt->transaction) ||
		    (i > 0 && log->index != log[-1].index + 1))
			return false;
	}
	return true;
}

static int
read_receipt(const void *ctx, struct json_object *result, struct eth_hash hash, struct rpc_receipt *out)
{
	struct rpc_receipt receipt = { 0 };
	int64_t status = 0;

	if (!json_object_is_type(result, json_type_object) ||
	    value_hash(member(result, "transactionHash"), &receipt.transaction) ||
	    !eth_hash_equal(receipt.transaction, hash) || value_number(member(result, "status"), &status) ||
	    status > 1 || value_number(member(result, "blockNumber"), &receipt.block_number) ||
	    value_hash(member(result, "blockHash"), &receipt.block_hash) ||
	    value_address(member(result, "from"), &receipt.from) ||
	    read_logs(ctx, member(result, "logs"), &receipt.logs, &receipt.log_count))
		return -1;
	if (!logs_fit(&receipt)) {
		talloc_free(receipt.logs);
		return -1;
	}
	receipt.is_success = status == 1;
	*out = receipt;
	return 0;
}

/* Some nodes tell of a transaction that waits: a receipt without a block. */
static bool
is_pending(struct json_object *result)
{
	struct json_object *number = NULL, *hash = NULL;

	return json_object_is_type(result, json_type_object) &&
	       json_object_object_get_ex(result, "blockNumber", &number) && number == NULL &&
	       json_object_object_get_ex(result, "blockHash", &hash) && hash == NULL;
}

enum rpc_result
rpc_receipt(struct rpc *rpc, const void *ctx, struct eth_hash hash, struct rpc_receipt *out)
{
	struct json_object *result;
	enum rpc_result rc =
	    post_call(rpc, "eth_getTransactionReceipt", list_of(value_of_hash(hash), NULL), LOGS_MAX, &result);

	if (rc == RPC_OK && is_pending(result))
		rc = RPC_ABSENT;
	return ended(rpc, rc, result, rc == RPC_OK && read_receipt(ctx, result, hash, out), "receipt");
}

/* What to look for. */
static struct json_object *
log_filter(
    struct eth_address contract, const struct eth_hash *const *topics, size_t topic_count, int64_t from, int64_t to)
{
	struct json_object *filter = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < topic_count; i++)
		json_object_array_add(list, topics[i] == NULL ? NULL : value_of_hash(*topics[i]));
	json_object_object_add(filter, "address", value_of_address(contract));
	json_object_object_add(filter, "topics", list);
	json_object_object_add(filter, "fromBlock", block_name(from));
	json_object_object_add(filter, "toBlock", block_name(to));
	return filter;
}

static bool
log_is_wanted(const struct rpc_log *log, struct eth_address contract, const struct eth_hash *const *topics,
    size_t topic_count, int64_t from, int64_t to)
{
	if (!eth_address_equal(log->address, contract) || log->block_number < from || log->block_number > to ||
	    (size_t)log->topic_count < topic_count)
		return false;
	for (size_t i = 0; i < topic_count; i++) {
		if (topics[i] != NULL && !eth_hash_equal(log->topics[i], *topics[i]))
			return false;
	}
	return true;
}

enum rpc_result
rpc_logs(struct rpc *rpc, const void *ctx, struct eth_address contract, const struct eth_hash *const *topics,
    size_t topic_count, int64_t from, int64_t to, struct rpc_log **out, size_t *count)
{
	struct json_object *params = list_of(log_filter(contract, topics, topic_count, from, to), NULL), *result;
	enum rpc_result rc = post_call(rpc, "eth_getLogs", params, LOGS_MAX, &result);
	struct rpc_log *logs = NULL;
	size_t length = 0;

	rc = ended(rpc, rc, result, rc == RPC_OK && read_logs(ctx, result, &logs, &length), "list of logs");
	for (size_t i = 0; i < length; i++) {
		if (!log_is_wanted(&logs[i], contract, topics, topic_count, from, to)) {
			talloc_free(logs);
			return post_down(rpc, "logs that were not asked for");
		}
	}
	if (rc == RPC_OK) {
		*out = logs;
		*count = length;
	}
	return rc;
}

enum rpc_result
rpc_nonce(struct rpc *rpc, const void *ctx, struct eth_address address, int64_t number_or_tag, int64_t *out)
{
	struct json_object *params = list_of(value_of_address(address), block_name(number_or_tag)), *result;
	enum rpc_result rc = post_call(rpc, "eth_getTransactionCount", params, ANSWER_MAX, &result);

	(void)ctx;
	return ended(rpc, rc, result, rc == RPC_OK && value_number(result, out), "nonce");
}

enum rpc_result
rpc_balance(struct rpc *rpc, const void *ctx, struct eth_address address, uint8_t wei[32])
{
	struct json_object *params = list_of(value_of_address(address), block_name(RPC_LATEST)), *result;
	enum rpc_result rc = post_call(rpc, "eth_getBalance", params, ANSWER_MAX, &result);

	(void)ctx;
	return ended(rpc, rc, result, rc == RPC_OK && value_word(result, wei), "balance");
}

enum rpc_result
rpc_code_length(struct rpc *rpc, const void *ctx, struct eth_address address, size_t *out)
{
	struct json_object *params = list_of(value_of_address(address), block_name(RPC_LATEST)), *result;
	enum rpc_result rc = post_call(rpc, "eth_getCode", params, ANSWER_MAX, &result);
	uint8_t first;

	(void)ctx;
	return ended(rpc, rc, result, rc == RPC_OK && value_data(result, &first, sizeof(first), out), "code");
}

static struct json_object *
call_object(const struct eth_address *from, struct eth_address to, const void *data, size_t len)
{
	struct json_object *object = json_object_new_object();

	if (from != NULL)
		json_object_object_add(object, "from", value_of_address(*from));
	json_object_object_add(object, "to", value_of_address(to));
	json_object_object_add(object, "data", value_of_data(data, len));
	return object;
}

static int
read_view(const void *ctx, struct json_object *result, uint8_t **out, size_t *out_len)
{
	uint8_t *bytes = talloc_size(ctx, VIEW_MAX);

	assert(bytes != NULL);
	if (value_data(result, bytes, VIEW_MAX, out_len) || *out_len > VIEW_MAX) {
		talloc_free(bytes);
		return -1;
	}
	*out = bytes;
	return 0;
}

enum rpc_result
rpc_view(struct rpc *rpc, const void *ctx, struct eth_address contract, const void *data, size_t len,
    int64_t number_or_tag, uint8_t **out, size_t *out_len)
{
	struct json_object *params = list_of(call_object(NULL, contract, data, len), block_name(number_or_tag)),
			   *result;
	enum rpc_result rc = post_call(rpc, "eth_call", params, ANSWER_MAX, &result);

	return ended(rpc, rc, result, rc == RPC_OK && read_view(ctx, result, out, out_len), "view's answer");
}

enum rpc_result
rpc_estimate_gas(struct rpc *rpc, const void *ctx, struct eth_address from, struct eth_address to, const void *data,
    size_t len, uint64_t *out)
{
	struct json_object *params = list_of(call_object(&from, to, data, len), NULL), *result;
	enum rpc_result rc = post_call(rpc, "eth_estimateGas", params, ANSWER_MAX, &result);
	int64_t gas = 0;
	int bad = rc == RPC_OK && (value_number(result, &gas) || gas == 0);

	(void)ctx;
	if (rc == RPC_OK && !bad)
		*out = (uint64_t)gas;
	return ended(rpc, rc, result, bad, "gas estimate");
}

static int
read_fee(struct json_object *value, uint64_t *out)
{
	return value_uint64(value, out) || *out > FEE_MAX ? -1 : 0;
}

static int
compare_fees(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The middle one of the blocks' tips; 0 if there are no blocks. */
static int
read_tips(struct json_object *reward, uint64_t *out)
{
	uint64_t tips[FEE_BLOCKS] = { 0 };
	size_t count;

	if (!json_object_is_type(reward, json_type_array) || json_object_array_length(reward) > FEE_BLOCKS)
		return -1;
	count = json_object_array_length(reward);
	for (size_t i = 0; i < count; i++) {
		struct json_object *of_block = json_object_array_get_idx(reward, i);

		if (!json_object_is_type(of_block, json_type_array) || json_object_array_length(of_block) != 1 ||
		    read_fee(json_object_array_get_idx(of_block, 0), &tips[i]))
			return -1;
	}
	qsort(tips, count, sizeof(tips[0]), compare_fees);
	*out = tips[count / 2];
	return 0;
}

/* baseFeePerGas has one more item than there are blocks: the next one's. */
static int
read_fee_history(struct json_object *result, uint64_t *base_fee, uint64_t *tip)
{
	struct json_object *fees = NULL;
	uint64_t fee = 0, usual = 0;
	size_t count;

	if (!json_object_is_type(result, json_type_object) ||
	    !json_object_object_get_ex(result, "baseFeePerGas", &fees) || !json_object_is_type(fees, json_type_array))
		return -1;
	count = json_object_array_length(fees);
	if (count == 0 || read_fee(json_object_array_get_idx(fees, count - 1), &fee) ||
	    read_tips(member(result, "reward"), &usual))
		return -1;
	*base_fee = fee;
	*tip = usual;
	return 0;
}

enum rpc_result
rpc_fee_history(struct rpc *rpc, const void *ctx, uint64_t *base_fee, uint64_t *tip)
{
	struct json_object *params = list_of(value_of_number(FEE_BLOCKS), block_name(RPC_LATEST)), *result;
	enum rpc_result rc;

	(void)ctx;
	json_object_array_add(params, list_of(json_object_new_int(50), NULL));
	rc = post_call(rpc, "eth_feeHistory", params, ANSWER_MAX, &result);
	return ended(rpc, rc, result, rc == RPC_OK && read_fee_history(result, base_fee, tip), "fee history");
}

/* True if the node has the transaction, in its pool or in a block. */
static bool
has_transaction(struct rpc *rpc, struct eth_hash hash)
{
	struct json_object *result;
	struct eth_hash told = { { 0 } };
	bool is_there = post_call(rpc, "eth_getTransactionByHash", list_of(value_of_hash(hash), NULL), ANSWER_MAX,
			    &result) == RPC_OK &&
			json_object_is_type(result, json_type_object) &&
			value_hash(member(result, "hash"), &told) == 0 && eth_hash_equal(told, hash);

	json_object_put(result);
	return is_there;
}

/* Nodes have many words for "known already", and for a nonce that was used by this very transaction: they are asked instead. */
enum rpc_result
rpc_send_raw(struct rpc *rpc, const void *ctx, const void *raw, size_t len, struct eth_hash hash)
{
	struct json_object *result;
	enum rpc_result rc =
	    post_call(rpc, "eth_sendRawTransaction", list_of(value_of_data(raw, len), NULL), ANSWER_MAX, &result);
	struct eth_hash told = { { 0 } };
	char words[RPC_PROBLEM_SIZE];

	(void)ctx;
	if (rc == RPC_OK && (value_hash(result, &told) || !eth_hash_equal(told, hash)))
		rc = post_down(rpc, "another transaction's hash");
	json_object_put(result);
	if (rc != RPC_REFUSED)
		return rc == RPC_ABSENT ? post_down(rpc, "no transaction's hash") : rc;
	memcpy(words, rpc->problem, sizeof(words));
	if (has_transaction(rpc, hash))
		return RPC_OK;
	memcpy(rpc->problem, words, sizeof(words));
	return RPC_REFUSED;
}
