/*
 * The chain as its endpoints tell it.  Each operation asks every endpoint that is of the right chain, drops those that
 * fail, and compares what the others say; chain.h tells where one endpoint's word is enough.  What follows from an
 * answer, and how many confirmations are enough, is for others.
 */
#include "chain/chain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/text.h"
#include "chain/round.h"

enum {
	FINALIZED_BEHIND = 64, /* blocks, where a node knows no such tag */
	LOGS_BLOCKS_MAX = 1000,
	WORD = 32,
};

/* keccak256("Transfer(address,address,uint256)") */
static const struct eth_hash transfer_topic = { { 0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
    0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23,
    0xb3, 0xef } };

/* "https://host:8545" of a URL, without user, path and query. */
static void
name_print(const char *url, char out[ROUND_NAME_SIZE])
{
	const char *colon = strstr(url, "://"), *host = colon == NULL ? url : colon + 3;
	size_t len = strcspn(host, "/?#"), scheme_len = (size_t)(host - url);
	const char *at = memchr(host, '@', len);

	if (at != NULL) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	snprintf(out, ROUND_NAME_SIZE, "%.*s%.*s", (int)scheme_len, url, (int)len, host);
}

struct chain *
chain_open(const void *ctx, const struct chain_settings *settings)
{
	struct chain *chain = talloc_zero(ctx, struct chain);

	assert(chain != NULL && settings->urls[0] != NULL);
	chain->chain_id = settings->chain_id;
	chain->token = settings->token;
	for (size_t i = 0; i < CHAIN_ENDPOINTS && settings->urls[i] != NULL; i++) {
		struct endpoint *endpoint = &chain->endpoints[chain->count++];

		endpoint->rpc = (struct rpc){ .url = talloc_strdup(chain, settings->urls[i]),
			.timeout_ms = settings->timeout_ms,
			.allows_private = true };
		assert(endpoint->rpc.url != NULL);
		name_print(settings->urls[i], endpoint->name);
	}
	return chain;
}

/* Numbers of those that take part: the same for all?  Tells if not. */
static bool
numbers_agree(struct round *round, const char *about, const uint64_t numbers[CHAIN_ENDPOINTS])
{
	char answers[CHAIN_ENDPOINTS][ROUND_ANSWER_SIZE] = { { 0 } };
	size_t first = round_next(round, 0);
	bool is_same = true;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		is_same = is_same && numbers[i] == numbers[first];
		snprintf(answers[i], sizeof(answers[i]), "%" PRIu64, numbers[i]);
	}
	if (!is_same)
		round_disagree(round, about, answers);
	return is_same;
}

/* The newest block that an endpoint calls final; -1 where it goes out of the round. */
static int64_t
ask_finalized(struct round *round, size_t i, int64_t head)
{
	struct rpc_block block;
	enum rpc_result rc = rpc_block(round_rpc(round, i), round->scratch, RPC_FINALIZED, &block);

	if (rc == RPC_OK && block.number <= head)
		return block.number;
	if (rc == RPC_OK || rc == RPC_DOWN) {
		round_drop(round, i,
		    rc == RPC_OK ? "its finalized block lies ahead of its newest" : round_rpc(round, i)->problem);
		return -1;
	}
	return head > FINALIZED_BEHIND ? head - FINALIZED_BEHIND : 0;
}

int
chain_head(struct chain *chain, struct chain_head *out, struct error *err)
{
	struct round round = round_begin(chain, "head");
	struct chain_head head = { .number = INT64_MAX, .finalized = INT64_MAX };
	int64_t heads[CHAIN_ENDPOINTS] = { 0 };

	round_heads(&round, heads);
	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		int64_t finalized = ask_finalized(&round, i, heads[i]);

		if (finalized < 0)
			continue;
		head.number = heads[i] < head.number ? heads[i] : head.number;
		head.finalized = finalized < head.finalized ? finalized : head.finalized;
	}
	if (!round_has_any(&round))
		return round_end(&round, false, err);
	*out = head;
	return round_end(&round, true, err);
}

/* The hash at a height as those say that take part; *exists false if one of them is not that long. False: they disagree. */
static bool
agree_on_block(struct round *round, int64_t number, struct eth_hash *out, bool *exists)
{
	struct eth_hash hashes[CHAIN_ENDPOINTS] = { { { 0 } } };
	char answers[CHAIN_ENDPOINTS][ROUND_ANSWER_SIZE] = { { 0 } };
	bool is_same = true, is_absent = false;
	size_t first;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		struct rpc_block block = { 0 };
		enum rpc_result rc = rpc_block(round_rpc(round, i), round->scratch, number, &block);

		if (rc == RPC_ABSENT)
			is_absent = true;
		else if (round_keeps(round, i, rc))
			hashes[i] = block.hash;
	}
	*exists = !is_absent;
	if (is_absent)
		return true;
	first = round_next(round, 0);
	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		is_same = is_same && eth_hash_equal(hashes[i], hashes[first]);
		eth_hash_print(hashes[i], answers[i]);
	}
	if (!is_same)
		round_disagree(round, "block_hash", answers);
	else if (first < CHAIN_ENDPOINTS)
		*out = hashes[first];
	return is_same;
}

int
chain_block_hash(struct chain *chain, int64_t number, struct eth_hash *out, bool *exists, struct error *err)
{
	struct round round = round_begin(chain, "block");
	struct eth_hash hash = { { 0 } };
	bool is_there = false, is_known = agree_on_block(&round, number, &hash, &is_there) && round_has_any(&round);

	if (is_known) {
		*out = is_there ? hash : *out;
		*exists = is_there;
	}
	return round_end(&round, is_known, err);
}

/* A topic that is an address: twelve zeros before it. */
static bool
topic_address(struct eth_hash topic, struct eth_address *out)
{
	static const uint8_t zeros[ETH_HASH_SIZE - ETH_ADDRESS_SIZE];

	if (memcmp(topic.bytes, zeros, sizeof(zeros)) != 0)
		return false;
	memcpy(out->bytes, topic.bytes + sizeof(zeros), sizeof(out->bytes));
	return true;
}

/* A number of 32 bytes; false if it is more than max. */
static bool
word_number(const uint8_t word[WORD], uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	for (size_t i = 0; i < WORD; i++) {
		if (i < WORD - sizeof(number) && word[i] != 0)
			return false;
		number = number << 8 | word[i];
	}
	*out = number;
	return number <= max;
}

/* True for a transfer of our token: its own contract's log, of an ERC-20's form (an ERC-721 has the amount among the topics). */
static bool
transfer_of(const struct chain *chain, const struct rpc_log *log, struct chain_transfer *out)
{
	struct chain_transfer transfer = { .log_index = -1,
		.block_number = log->block_number,
		.block_hash = log->block_hash,
		.transaction = log->transaction };

	if (log->is_removed || !eth_address_equal(log->address, chain->token) || log->topic_count != 3 ||
	    !eth_hash_equal(log->topics[0], transfer_topic) || !topic_address(log->topics[1], &transfer.from) ||
	    !topic_address(log->topics[2], &transfer.to) || log->data_len != WORD)
		return false;
	if (!word_number(log->data, INT64_MAX, &transfer.amount)) {
		transfer.amount = 0;
		transfer.is_huge = true;
	}
	*out = transfer;
	return true;
}

/* The transfers among logs, talloc'ed on ctx.  is_whole: these are all logs of one transaction, and have places in it. */
static struct chain_transfer *
pick_transfers(const struct chain *chain, const void *ctx, const struct rpc_log *logs, size_t log_count, bool is_whole,
    size_t *count)
{
	struct chain_transfer *transfers = talloc_zero_array(ctx, struct chain_transfer, (unsigned)log_count);

	assert(transfers != NULL);
	*count = 0;
	for (size_t i = 0; i < log_count; i++) {
		if (!transfer_of(chain, &logs[i], &transfers[*count]))
			continue;
		if (is_whole)
			transfers[*count].log_index = (int64_t)i;
		++*count;
	}
	return transfers;
}

static bool
transfer_equal(const struct chain_transfer *a, const struct chain_transfer *b)
{
	return eth_address_equal(a->from, b->from) && eth_address_equal(a->to, b->to) && a->amount == b->amount &&
	       a->is_huge == b->is_huge && a->block_number == b->block_number && a->log_index == b->log_index &&
	       eth_hash_equal(a->block_hash, b->block_hash) && eth_hash_equal(a->transaction, b->transaction);
}

/* The first thing in which two receipts differ; NULL: they agree. */
static const char *
receipt_difference(const struct chain_receipt *a, const struct chain_receipt *b)
{
	if (a->found != b->found)
		return "status";
	if (a->block_number != b->block_number)
		return "block_number";
	if (!eth_hash_equal(a->block_hash, b->block_hash))
		return "block_hash";
	if (!eth_address_equal(a->from, b->from))
		return "from";
	if (a->transfer_count != b->transfer_count)
		return "transfers";
	for (size_t i = 0; i < a->transfer_count; i++) {
		if (!transfer_equal(&a->transfers[i], &b->transfers[i]))
			return "transfers";
	}
	return NULL;
}

/* A receipt for the log: with the first transfer, which is mostly the only one. */
static void
receipt_print(const struct chain_receipt *receipt, char out[ROUND_ANSWER_SIZE])
{
	static const char *const found[] = { "absent", "failed", "mined" };
	char hash[ETH_HASH_TEXT], to[ETH_ADDRESS_TEXT];
	int len;

	eth_hash_print(receipt->block_hash, hash);
	len = snprintf(out, ROUND_ANSWER_SIZE, "%s in %" PRId64 " %s, %zu transfers", found[receipt->found],
	    receipt->block_number, hash, receipt->transfer_count);
	if (receipt->transfer_count > 0) {
		eth_address_print_lower(receipt->transfers[0].to, to);
		snprintf(out + len, ROUND_ANSWER_SIZE - (size_t)len, ", the first of %" PRIu64 " to %s",
		    receipt->transfers[0].amount, to);
	}
}

/* One endpoint's receipt in our terms. */
static struct chain_receipt
receipt_of(const struct chain *chain, const void *ctx, const struct rpc_receipt *told)
{
	struct chain_receipt receipt = { .found = told->is_success ? CHAIN_MINED : CHAIN_FAILED,
		.block_number = told->block_number,
		.block_hash = told->block_hash,
		.from = told->from };

	if (told->is_success)
		receipt.transfers =
		    pick_transfers(chain, ctx, told->logs, told->log_count, true, &receipt.transfer_count);
	return receipt;
}

/* Asks each for the receipt. */
static void
ask_receipts(struct round *round, const void *ctx, struct eth_hash hash, struct chain_receipt receipts[CHAIN_ENDPOINTS])
{
	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		struct rpc_receipt told = { 0 };
		enum rpc_result rc = rpc_receipt(round_rpc(round, i), round->scratch, hash, &told);

		if (rc == RPC_OK)
			receipts[i] = receipt_of(round->chain, ctx, &told);
		else if (rc != RPC_ABSENT)
			round_keeps(round, i, rc);
	}
}

/*
 * What the receipts come to: one that all agree on, or an empty one where an endpoint cannot know it yet, its chain (heads, as they
 * were before the receipts) being too short.  NULL: they disagree.
 */
static const struct chain_receipt *
agree_on_receipt(
    struct round *round, const struct chain_receipt receipts[CHAIN_ENDPOINTS], const int64_t heads[CHAIN_ENDPOINTS])
{
	static const struct chain_receipt absent = { .found = CHAIN_ABSENT };
	char answers[CHAIN_ENDPOINTS][ROUND_ANSWER_SIZE] = { { 0 } };
	const struct chain_receipt *found = NULL;
	const char *about = NULL;
	bool is_lag = false;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		receipt_print(&receipts[i], answers[i]);
		if (receipts[i].found != CHAIN_ABSENT)
			found = &receipts[i];
	}
	if (found == NULL)
		return &absent;
	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		if (receipts[i].found == CHAIN_ABSENT && heads[i] < found->block_number)
			is_lag = true;
		else if (about == NULL)
			about = receipt_difference(found, &receipts[i]);
	}
	if (is_lag)
		return &absent;
	if (about != NULL) {
		round_disagree(round, about, answers);
		return NULL;
	}
	return found;
}

/* Counts from the lowest head; the receipt itself shows that its block is there. */
static int64_t
count_confirmations(const struct round *round, const int64_t heads[CHAIN_ENDPOINTS], int64_t block)
{
	int64_t least = INT64_MAX;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1))
		least = heads[i] < least ? heads[i] : least;
	return least > block ? least - block + 1 : 1;
}

int
chain_receipt(struct chain *chain, const void *ctx, struct eth_hash hash, struct chain_receipt *out, struct error *err)
{
	struct round round = round_begin(chain, "receipt");
	struct chain_receipt receipts[CHAIN_ENDPOINTS] = { { 0 } }, result;
	const struct chain_receipt *agreed;
	int64_t heads[CHAIN_ENDPOINTS] = { 0 };
	struct eth_hash canonical = { { 0 } };
	bool is_there = false;

	round_heads(&round, heads);
	ask_receipts(&round, round.scratch, hash, receipts);
	agreed = agree_on_receipt(&round, receipts, heads);
	if (!round_has_any(&round) || agreed == NULL)
		return round_end(&round, false, err);
	result = *agreed;
	if (result.found != CHAIN_ABSENT) {
		if (!agree_on_block(&round, result.block_number, &canonical, &is_there) || !round_has_any(&round))
			return round_end(&round, false, err);
		if (is_there && eth_hash_equal(canonical, result.block_hash))
			result.confirmations = count_confirmations(&round, heads, result.block_number);
		result.transfers = talloc_steal(ctx, result.transfers);
	}
	*out = result;
	return round_end(&round, true, err);
}

/* Asks one after the other until one answers. */
int
chain_transfers(struct chain *chain, const void *ctx, struct eth_address to, int64_t from_block, int64_t to_block,
    struct chain_transfer **out, size_t *count, struct error *err)
{
	struct round round = round_begin(chain, "transfers");
	struct eth_hash to_topic = { { 0 } };
	const struct eth_hash *const topics[] = { &transfer_topic, NULL, &to_topic };
	bool is_known = false;

	assert(from_block >= 0 && to_block - from_block < LOGS_BLOCKS_MAX);
	memcpy(to_topic.bytes + ETH_HASH_SIZE - ETH_ADDRESS_SIZE, to.bytes, sizeof(to.bytes));
	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		struct rpc_log *logs;
		size_t log_count;

		if (!round_keeps(&round, i,
			rpc_logs(round_rpc(&round, i), round.scratch, chain->token, topics, nitems(topics), from_block,
			    to_block, &logs, &log_count)))
			continue;
		*out = pick_transfers(chain, ctx, logs, log_count, false, count);
		is_known = true;
		break;
	}
	return round_end(&round, is_known, err);
}

/* Call data of balanceOf(address). */
static void
balance_data(struct eth_address owner, uint8_t out[4 + WORD])
{
	static const uint8_t selector[] = { 0x70, 0xa0, 0x82, 0x31 }; /* keccak256("balanceOf(address)") */

	memset(out, 0, 4 + WORD);
	memcpy(out, selector, sizeof(selector));
	memcpy(out + 4 + WORD - sizeof(owner.bytes), owner.bytes, sizeof(owner.bytes));
}

int
chain_token_balance(struct chain *chain, struct eth_address owner, int64_t block, uint64_t *out, struct error *err)
{
	struct round round = round_begin(chain, "token_balance");
	uint64_t balances[CHAIN_ENDPOINTS] = { 0 };
	uint8_t data[4 + WORD];
	bool is_known;

	balance_data(owner, data);
	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		uint8_t *answer = NULL;
		size_t len = 0;

		if (!round_keeps(&round, i,
			rpc_view(round_rpc(&round, i), round.scratch, chain->token, data, sizeof(data), block, &answer,
			    &len)))
			continue;
		if (len != WORD || !word_number(answer, UINT64_MAX, &balances[i]))
			round_drop(&round, i, "a balance that is none");
	}
	is_known = round_has_any(&round) && numbers_agree(&round, "balance", balances);
	if (is_known)
		*out = balances[round_next(&round, 0)];
	return round_end(&round, is_known, err);
}

int
chain_nonce(struct chain *chain, struct eth_address address, int64_t number_or_tag, int64_t *out, struct error *err)
{
	struct round round = round_begin(chain, "nonce");
	uint64_t nonces[CHAIN_ENDPOINTS] = { 0 }, least = UINT64_MAX;
	bool is_known;

	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		int64_t nonce = 0;

		if (round_keeps(
			&round, i, rpc_nonce(round_rpc(&round, i), round.scratch, address, number_or_tag, &nonce))) {
			nonces[i] = (uint64_t)nonce;
			least = nonces[i] < least ? nonces[i] : least;
		}
	}
	/* By a tag, each speaks of its own head. */
	is_known = round_has_any(&round) && (number_or_tag < 0 || numbers_agree(&round, "nonce", nonces));
	if (is_known)
		*out = (int64_t)least;
	return round_end(&round, is_known, err);
}

int
chain_fees(struct chain *chain, uint64_t *base_fee, uint64_t *tip, struct error *err)
{
	struct round round = round_begin(chain, "fees");
	uint64_t most_fee = 0, most_tip = 0;

	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		uint64_t fee = 0, usual = 0;

		if (!round_keeps(&round, i, rpc_fee_history(round_rpc(&round, i), round.scratch, &fee, &usual)))
			continue;
		most_fee = fee > most_fee ? fee : most_fee;
		most_tip = usual > most_tip ? usual : most_tip;
	}
	if (round_has_any(&round)) {
		*base_fee = most_fee;
		*tip = most_tip;
	}
	return round_end(&round, round_has_any(&round), err);
}

int
chain_view(struct chain *chain, const void *ctx, struct eth_address contract, const void *data, size_t len,
    uint8_t **out, size_t *out_len, struct error *err)
{
	struct round round = round_begin(chain, "view");
	bool is_known = false;

	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		uint8_t *bytes = NULL;
		size_t bytes_len = 0;
		enum rpc_result rc =
		    rpc_view(round_rpc(&round, i), ctx, contract, data, len, RPC_LATEST, &bytes, &bytes_len);

		if (rc != RPC_REFUSED && !round_keeps(&round, i, rc))
			continue;
		*out = bytes;
		*out_len = bytes_len;
		is_known = true;
		break;
	}
	return round_end(&round, is_known, err);
}

int
chain_estimate_gas(struct chain *chain, struct eth_address from, struct eth_address to, const void *data, size_t len,
    uint64_t *out, bool *is_refused, struct error *err)
{
	struct round round = round_begin(chain, "estimate_gas");
	bool is_known = false;

	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		uint64_t gas = 0;
		enum rpc_result rc = rpc_estimate_gas(round_rpc(&round, i), round.scratch, from, to, data, len, &gas);

		if (rc != RPC_REFUSED && !round_keeps(&round, i, rc))
			continue;
		*is_refused = rc == RPC_REFUSED;
		*out = gas;
		is_known = true;
		break;
	}
	return round_end(&round, is_known, err);
}

int
chain_send(struct chain *chain, const void *raw, size_t len, struct eth_hash hash, bool *is_taken,
    char problem[RPC_PROBLEM_SIZE], struct error *err)
{
	struct round round = round_begin(chain, "send");
	bool is_had = false, is_answered = false;

	problem[0] = '\0';
	for (size_t i = round_next(&round, 0); i < CHAIN_ENDPOINTS; i = round_next(&round, i + 1)) {
		struct rpc *rpc = round_rpc(&round, i);
		enum rpc_result rc = rpc_send_raw(rpc, round.scratch, raw, len, hash);

		if (rc == RPC_REFUSED)
			snprintf(problem, RPC_PROBLEM_SIZE, "%s", rpc->problem);
		else if (round_keeps(&round, i, rc))
			is_had = true;
		is_answered = is_answered || rc == RPC_REFUSED || rc == RPC_OK;
	}
	*is_taken = is_had;
	return round_end(&round, is_answered, err);
}
