/* One endpoint that we ask: what it is asked, and what of its answers is believed.  It is a process of our own (node.h). */
#include "unit.h"

#include <talloc.h>
#include "base/error.h"
#include "base/now.h"
#include "chain/rpc.h"
#include "net/fetch.h"
#include "node.h"

#define H1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "0x2222222222222222222222222222222222222222222222222222222222222222"
#define H3 "0x3333333333333333333333333333333333333333333333333333333333333333"
#define TRANSFER "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#define USDC "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
#define ALICE "0x00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8"
#define ALICE_SHORT "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
#define WORD "0x0000000000000000000000000000000000000000000000000000000000bc4b20"

/* As a node writes them, with members that we do not know. */
#define BLOCK \
	"{\"number\":\"0x1b4\",\"hash\":\"" H1 "\",\"parentHash\":\"" H2 "\",\"timestamp\":\"0x65000002\"," \
	"\"baseFeePerGas\":\"0x3b9aca00\",\"gasUsed\":\"0x0\",\"transactions\":[\"" H3 "\"],\"uncles\":[]}"
#define LOG_AT(index) \
	"{\"address\":\"" USDC "\",\"topics\":[\"" TRANSFER "\",\"" ALICE "\",\"" ALICE "\"],\"data\":\"" WORD "\"," \
	"\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x1b4\",\"blockTimestamp\":1700000000,\"transactionHash\":\"" H3 \
	"\",\"transactionIndex\":\"0x0\",\"logIndex\":\"" index "\",\"removed\":false}"
#define LOG LOG_AT("0x7")
#define RECEIPT \
	"{\"type\":\"0x2\",\"status\":\"0x1\",\"cumulativeGasUsed\":\"0xc97a\",\"blockTimestamp\":1700000000," \
	"\"logs\":[" LOG "],\"logsBloom\":\"0x00\",\"transactionHash\":\"" H3 "\",\"transactionIndex\":\"0x0\"," \
	"\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x1b4\",\"gasUsed\":\"0xc97a\",\"from\":\"" ALICE_SHORT \
	"\",\"to\":\"" USDC "\",\"contractAddress\":null}"

enum { TIMEOUT_MS = 400, MEGABYTE = 1024 * 1024 };

struct scene {
	struct node node;
	struct rpc rpc;
	void *ctx;
};

static int
scene_open(void **state)
{
	struct scene *scene = talloc_zero(NULL, struct scene);

	node_start(&scene->node);
	scene->ctx = talloc_new(scene);
	scene->rpc = (struct rpc){ .url = scene->node.url, .timeout_ms = 5000, .allows_private = true };
	*state = scene;
	return 0;
}

static int
scene_close(void **state)
{
	struct scene *scene = *state;

	node_stop(&scene->node);
	talloc_free(scene);
	return 0;
}

static struct eth_hash
hash_of(const char *text)
{
	struct eth_hash hash;

	assert_int_equal(eth_hash_parse(text, &hash), 0);
	return hash;
}

static struct eth_address
address_of(const char *text)
{
	struct eth_address address;

	assert_int_equal(eth_address_parse(text, &address), 0);
	return address;
}

/* What the last request asked. */
static void
assert_asked(struct scene *scene, const char *method, const char *params)
{
	char want[2048];

	snprintf(want, sizeof(want), "\"method\":\"%s\",\"params\":%s}", method, params);
	assert_non_null(strstr(scene->node.stage->request, want));
	assert_non_null(strstr(scene->node.stage->request, "\"jsonrpc\":\"2.0\""));
}

static void
numbers_are_asked_for_and_read(void **state)
{
	struct scene *scene = *state;
	int64_t number = 0;
	uint64_t gas = 0;
	size_t len = 0;
	uint8_t wei[32], want[32] = { [30] = 0x01, [31] = 0xff };

	node_say(&scene->node, "eth_chainId", "\"0x2105\"");
	assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &number), RPC_OK);
	assert_int_equal(number, 8453);
	assert_asked(scene, "eth_chainId", "[]");

	node_say(&scene->node, "eth_getTransactionCount", "\"0x0\"");
	assert_int_equal(rpc_nonce(&scene->rpc, scene->ctx, address_of(USDC), RPC_PENDING, &number), RPC_OK);
	assert_int_equal(number, 0);
	assert_asked(scene, "eth_getTransactionCount", "[\"" USDC "\",\"pending\"]");
	assert_int_equal(rpc_nonce(&scene->rpc, scene->ctx, address_of(USDC), 436, &number), RPC_OK);
	assert_asked(scene, "eth_getTransactionCount", "[\"" USDC "\",\"0x1b4\"]");

	node_say(&scene->node, "eth_getBalance", "\"0x1ff\"");
	assert_int_equal(rpc_balance(&scene->rpc, scene->ctx, address_of(USDC), wei), RPC_OK);
	assert_memory_equal(wei, want, sizeof(wei));
	assert_asked(scene, "eth_getBalance", "[\"" USDC "\",\"latest\"]");

	node_say(&scene->node, "eth_getCode", "\"0x600160\"");
	assert_int_equal(rpc_code_length(&scene->rpc, scene->ctx, address_of(USDC), &len), RPC_OK);
	assert_int_equal(len, 3);
	node_say(&scene->node, "eth_getCode", "\"0x\"");
	assert_int_equal(rpc_code_length(&scene->rpc, scene->ctx, address_of(USDC), &len), RPC_OK);
	assert_int_equal(len, 0);

	node_say(&scene->node, "eth_estimateGas", "\"0xc97a\"");
	assert_int_equal(
	    rpc_estimate_gas(&scene->rpc, scene->ctx, address_of(ALICE_SHORT), address_of(USDC), "\x01\x02", 2, &gas),
	    RPC_OK);
	assert_int_equal(gas, 0xc97a);
	assert_asked(
	    scene, "eth_estimateGas", "[{\"from\":\"" ALICE_SHORT "\",\"to\":\"" USDC "\",\"data\":\"0x0102\"}]");
}

static void
a_quantity_is_hex_and_has_its_bounds(void **state)
{
	static const struct {
		const char *json;
		enum rpc_result rc;
		int64_t want;
	} rows[] = {
		{ "\"0x0\"", RPC_OK, 0 },
		{ "\"0x1\"", RPC_OK, 1 },
		{ "\"0xFf\"", RPC_OK, 255 },
		{ "\"0x0001\"", RPC_OK, 1 },
		{ "\"0x20000000000000\"", RPC_OK, INT64_C(1) << 53 },
		{ "\"0x20000000000001\"", RPC_DOWN, -1 },
		{ "\"0x7fffffffffffffff\"", RPC_DOWN, -1 },
		{ "\"0xffffffffffffffff\"", RPC_DOWN, -1 },
		{ "\"0x10000000000000000\"", RPC_DOWN, -1 },
		{ "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"", RPC_DOWN, -1 },
		{ "\"0x00000000000000000000000000000000000000000000000000000000000000000\"", RPC_DOWN, -1 },
		{ "\"0x\"", RPC_DOWN, -1 },
		{ "\"\"", RPC_DOWN, -1 },
		{ "\"1\"", RPC_DOWN, -1 },
		{ "\"0X1\"", RPC_DOWN, -1 },
		{ "\"-0x1\"", RPC_DOWN, -1 },
		{ "\"0x-1\"", RPC_DOWN, -1 },
		{ "\"0x1 \"", RPC_DOWN, -1 },
		{ "\"0x1g\"", RPC_DOWN, -1 },
		{ "\"0x1\\u0000\"", RPC_DOWN, -1 },
		{ "1", RPC_DOWN, -1 },
		{ "-1", RPC_DOWN, -1 },
		{ "1.5", RPC_DOWN, -1 },
		{ "true", RPC_DOWN, -1 },
		{ "[]", RPC_DOWN, -1 },
		{ "{}", RPC_DOWN, -1 },
		{ "null", RPC_ABSENT, -1 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		int64_t number = -1;

		node_say(&scene->node, "eth_getTransactionCount", rows[i].json);
		assert_int_equal(rpc_nonce(&scene->rpc, scene->ctx, address_of(USDC), RPC_LATEST, &number), rows[i].rc);
		assert_int_equal(number, rows[i].want);
	}
}

static void
what_is_no_json_rpc_answer_is_none(void **state)
{
	static const struct {
		const char *status, *answer, *problem;
	} rows[] = {
		{ "200 OK", "=<html><body>Just a moment...</body></html>", "no JSON object" },
		{ "200 OK", "=", "no JSON object" },
		{ "200 OK", "=null", "no JSON object" },
		{ "200 OK", "=\"0x1\"", "no JSON object" },
		{ "200 OK", "=[{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\"}]", "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\"", "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\"} {}", "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\",\"result\":\"0x2\"}",
		    "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\",\"x\":\"\xff\"}", "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":NaN}", "no JSON object" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":[[[[[[[[[[[[[[[[[\"0x1\"]]]]]]]]]]]]]]]]]}",
		    "no JSON object" },
		{ "200 OK", "={\"id\":$ID,\"result\":\"0x1\"}", "no JSON-RPC 2.0" },
		{ "200 OK", "={\"jsonrpc\":\"1.0\",\"id\":$ID,\"result\":\"0x1\"}", "no JSON-RPC 2.0" },
		{ "200 OK", "={\"jsonrpc\":2.0,\"id\":$ID,\"result\":\"0x1\"}", "no JSON-RPC 2.0" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"result\":\"0x1\"}", "another call" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":null,\"result\":\"0x1\"}", "another call" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":\"$ID\",\"result\":\"0x1\"}", "another call" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":1$ID,\"result\":\"0x1\"}", "another call" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}", "another call" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID}", "neither" },
		{ "200 OK", "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"error\":null}", "neither" },
		{ "200 OK",
		    "={\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":\"0x1\",\"error\":{\"code\":1,\"message\":\"x\"}}",
		    "at once" },
		{ "200 OK", "!\"no\"", "an error that is none" },
		{ "200 OK", "!{\"message\":\"no\"}", "an error that is none" },
		{ "200 OK", "!{\"code\":\"-32000\",\"message\":\"no\"}", "an error that is none" },
		{ "200 OK", "!{\"code\":-32000}", "without a message" },
		{ "200 OK", "!{\"code\":-32000,\"message\":5}", "without a message" },
		{ "429 Too Many Requests", "\"0x1\"", "HTTP status 429" },
		{ "500 Internal Server Error", "\"0x1\"", "HTTP status 500" },
		{ "401 Unauthorized", "!{\"code\":-32000,\"message\":\"no\"}", "HTTP status 401" },
		{ "302 Found", "\"0x1\"", "HTTP status 302" },
		{ "204 No Content", "\"0x1\"", "HTTP status 204" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		int64_t number = -1;

		strcpy(scene->node.stage->status, rows[i].status);
		node_say(&scene->node, "eth_chainId", rows[i].answer);
		assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &number), RPC_DOWN);
		assert_non_null(strstr(scene->rpc.problem, rows[i].problem));
		assert_int_equal(number, -1);
	}
	strcpy(scene->node.stage->status, "200 OK");
	node_say(&scene->node, "eth_chainId",
	    "={\"result\":\"0x1\",\"id\":$ID,\"jsonrpc\":\"2.0\",\"error\":null,\"usage\":1}\n");
	assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &(int64_t){ 0 }), RPC_OK);
	assert_string_equal(scene->rpc.problem, "");
}

static void
an_endpoint_that_says_nothing_is_down(void **state)
{
	struct scene *scene = *state;
	struct rpc nobody = { .url = "http://127.0.0.1:1/", .timeout_ms = 5000, .allows_private = true };
	struct rpc forbidden = { .url = scene->node.url, .timeout_ms = 5000 };
	int64_t number = -1, start = now_monotonic_ms();

	scene->rpc.timeout_ms = TIMEOUT_MS;
	scene->node.stage->mood = NODE_HANGS;
	assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &number), RPC_DOWN);
	assert_string_equal(scene->rpc.problem, "timed out");
	assert_true(now_monotonic_ms() - start < 10 * TIMEOUT_MS);

	scene->node.stage->mood = NODE_HANGS_UP;
	assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &number), RPC_DOWN);
	assert_string_equal(scene->rpc.problem, "connection closed without an answer");

	assert_int_equal(rpc_chain_id(&nobody, scene->ctx, &number), RPC_DOWN);
	assert_string_equal(nobody.problem, "connection refused");
	assert_int_equal(rpc_chain_id(&forbidden, scene->ctx, &number), RPC_DOWN);
	assert_int_equal(number, -1);
}

/* 50 MB, and 8 MiB of what would take gigabytes once parsed. */
static void
floods_end_where_the_answer_may_not_go_on(void **state)
{
	static const struct {
		const char *text, *problem;
		size_t size;
	} rows[] = {
		{ " ", "more than 8388608 bytes", 50 * MEGABYTE },
		{ "{},", "too many values", 8 * MEGABYTE },
		{ "[", "too many values", 8 * MEGABYTE },
		{ "0,", "too many values", 8 * MEGABYTE },
		{ "\"\",", "too many values", 8 * MEGABYTE },
	};
	struct scene *scene = *state;
	struct rpc_receipt receipt;
	int64_t number, start = now_monotonic_ms();

	scene->node.stage->mood = NODE_FLOODS;
	for (size_t i = 0; i < nitems(rows); i++) {
		strcpy(scene->node.stage->flood_text, rows[i].text);
		scene->node.stage->flood = rows[i].size;
		assert_int_equal(rpc_receipt(&scene->rpc, scene->ctx, hash_of(H3), &receipt), RPC_DOWN);
		assert_non_null(strstr(scene->rpc.problem, rows[i].problem));
	}
	scene->node.stage->flood = MEGABYTE + 1;
	assert_int_equal(rpc_chain_id(&scene->rpc, scene->ctx, &number), RPC_DOWN);
	assert_non_null(strstr(scene->rpc.problem, "more than 1048576 bytes"));
	assert_true(now_monotonic_ms() - start < 60000);
}

static void
a_refusal_is_told_in_the_node_s_own_words_but_cleanly(void **state)
{
	static const struct {
		const char *error;
		enum rpc_result rc;
		const char *problem;
	} rows[] = {
		{ "!{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x08c379a0\"}", RPC_REFUSED,
		    "execution reverted" },
		{ "!{\"code\":-32000,\"message\":\"nonce too low\"}", RPC_REFUSED, "nonce too low" },
		{ "!{\"code\":-32602,\"message\":\"unknown block\"}", RPC_REFUSED, "unknown block" },
		{ "!{\"code\":-32000,\"message\":\"a\\n\\u001b[31mb\\u0000c\"}", RPC_REFUSED, "a??[31mb" },
		{ "!{\"code\":-32000,\"message\":\"zu wenig \xc3\x84ther\"}", RPC_REFUSED, "zu wenig ??ther" },
		{ "!{\"code\":-32000,\"message\":\"\"}", RPC_REFUSED, "" },
		{ "!{\"code\":-32005,\"message\":\"limit exceeded\"}", RPC_DOWN, "limit exceeded" },
		{ "!{\"code\":429,\"message\":\"slow down\"}", RPC_DOWN, "slow down" },
		{ "!{\"code\":-32601,\"message\":\"no such method\"}", RPC_DOWN, "no such method" },
		{ "!{\"code\":-32000,\"message\":\"no such app: secret-api-key\"}", RPC_REFUSED,
		    "(words that hold a part of the URL)" },
	};
	struct scene *scene = *state;
	char error[1024];
	uint64_t gas = 7;

	for (size_t i = 0; i < nitems(rows); i++) {
		node_say(&scene->node, "eth_estimateGas", rows[i].error);
		assert_int_equal(
		    rpc_estimate_gas(&scene->rpc, scene->ctx, address_of(USDC), address_of(USDC), "", 0, &gas),
		    rows[i].rc);
		assert_string_equal(scene->rpc.problem, rows[i].problem);
	}
	/* A key that the cut would go through. */
	snprintf(error, sizeof(error), "!{\"code\":1,\"message\":\"%0190dsecret-api-key%0190d\"}", 0, 0);
	node_say(&scene->node, "eth_estimateGas", error);
	rpc_estimate_gas(&scene->rpc, scene->ctx, address_of(USDC), address_of(USDC), "", 0, &gas);
	assert_null(strstr(scene->rpc.problem, "secret"));
	snprintf(error, sizeof(error), "!{\"code\":1,\"message\":\"%0400d\"}", 0);
	node_say(&scene->node, "eth_estimateGas", error);
	rpc_estimate_gas(&scene->rpc, scene->ctx, address_of(USDC), address_of(USDC), "", 0, &gas);
	assert_int_equal(strlen(scene->rpc.problem), RPC_PROBLEM_SIZE - 1);
	assert_int_equal(gas, 7);
}

static void
blocks_are_read_only_whole(void **state)
{
	static const struct {
		const char *old, *new;
		enum rpc_result rc;
	} rows[] = {
		{ "", "", RPC_OK },
		{ ",\"baseFeePerGas\":\"0x3b9aca00\"", "", RPC_OK }, /* before EIP-1559 */
		{ "0x3b9aca00", "0x9184e72a000", RPC_OK },
		{ "\"number\":\"0x1b4\"", "\"blockNumber\":\"0x1b4\"", RPC_DOWN },
		{ "\"0x1b4\"", "\"0x1b5\"", RPC_DOWN }, /* not the one asked for */
		{ "\"0x1b4\"", "\"-0x1b4\"", RPC_DOWN },
		{ "\"0x1b4\"", "436", RPC_DOWN },
		{ "\"0x1b4\"", "null", RPC_DOWN },
		{ "\"hash\":\"" H1 "\"", "\"hash\":null", RPC_DOWN },
		{ "\"hash\":\"" H1 "\"", "\"hash\":\"0x11\"", RPC_DOWN },
		{ "\"hash\"", "\"hush\"", RPC_DOWN },
		{ "\"parentHash\"", "\"parent\"", RPC_DOWN },
		{ "\"timestamp\":\"0x65000002\"", "\"timestamp\":\"0xffffffffffffffff\"", RPC_DOWN },
		{ "\"timestamp\":\"0x65000002\",", "", RPC_DOWN },
		{ "0x3b9aca00", "0x9184e72a001", RPC_DOWN },
		{ "0x3b9aca00", "0xffffffffffffffffffff", RPC_DOWN },
		{ "\"0x3b9aca00\"", "null", RPC_DOWN },
		{ BLOCK, "[]", RPC_DOWN },
		{ BLOCK, "\"" H1 "\"", RPC_DOWN },
		{ BLOCK, "null", RPC_ABSENT },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct rpc_block block = { .number = -1 };

		node_say(
		    &scene->node, "eth_getBlockByNumber", node_variant(scene->ctx, BLOCK, rows[i].old, rows[i].new));
		assert_int_equal(rpc_block(&scene->rpc, scene->ctx, 436, &block), rows[i].rc);
		assert_int_equal(block.number, rows[i].rc == RPC_OK ? 436 : -1);
	}
	assert_asked(scene, "eth_getBlockByNumber", "[\"0x1b4\",false]");
}

static void
a_block_s_members_come_through(void **state)
{
	struct scene *scene = *state;
	struct rpc_block block;

	node_say(&scene->node, "eth_getBlockByNumber", BLOCK);
	assert_int_equal(rpc_block(&scene->rpc, scene->ctx, RPC_LATEST, &block), RPC_OK);
	assert_asked(scene, "eth_getBlockByNumber", "[\"latest\",false]");
	assert_int_equal(block.number, 436);
	assert_int_equal(block.time_s, 0x65000002);
	assert_int_equal(block.base_fee, 1000000000);
	assert_true(eth_hash_equal(block.hash, hash_of(H1)));
	assert_true(eth_hash_equal(block.parent, hash_of(H2)));
	assert_int_equal(rpc_block(&scene->rpc, scene->ctx, RPC_FINALIZED, &block), RPC_OK);
	assert_asked(scene, "eth_getBlockByNumber", "[\"finalized\",false]");
}

static void
receipts_are_read_only_whole_and_of_the_hash_asked_for(void **state)
{
	static const struct {
		const char *old, *new;
		enum rpc_result rc;
	} rows[] = {
		{ "", "", RPC_OK },
		{ "\"status\":\"0x1\"", "\"status\":\"0x0\"", RPC_OK },
		{ ",\"removed\":false", "", RPC_OK },
		{ "false", "true", RPC_OK },
		{ LOG, "", RPC_OK },
		{ "\"data\":\"" WORD "\"", "\"data\":\"0x\"", RPC_OK },
		{ "\"" ALICE "\",\"" ALICE "\"]", "\"" ALICE "\"]", RPC_OK },
		{ "\"topics\":[", "\"topics\":[\"" H1 "\",", RPC_OK },
		{ "\"topics\":[\"" TRANSFER "\",\"" ALICE "\",\"" ALICE "\"]", "\"topics\":[]", RPC_OK },
		{ RECEIPT, "null", RPC_ABSENT },
		{ "\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x1b4\",\"gasUsed\"",
		    "\"blockHash\":null,\"blockNumber\":null,\"gasUsed\"", RPC_ABSENT },
		{ RECEIPT, "[]", RPC_DOWN },
		{ RECEIPT, "{}", RPC_DOWN },
		/* the receipt's own members */
		{ "\"transactionHash\":\"" H3 "\",\"transactionIndex\":\"0x0\",\"blockHash\"",
		    "\"transactionHash\":\"" H2 "\",\"transactionIndex\":\"0x0\",\"blockHash\"", RPC_DOWN },
		{ "\"transactionHash\":\"" H3 "\",\"transactionIndex\":\"0x0\",\"blockHash\"", "\"blockHash\"",
		    RPC_DOWN },
		{ "\"status\":\"0x1\",", "", RPC_DOWN },
		{ "\"status\":\"0x1\"", "\"status\":\"0x2\"", RPC_DOWN },
		{ "\"status\":\"0x1\"", "\"status\":true", RPC_DOWN },
		{ "\"status\":\"0x1\"", "\"status\":\"success\"", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\",\"gasUsed\"", "\"blockNumber\":\"-0x1b4\",\"gasUsed\"", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\",\"gasUsed\"", "\"blockNumber\":null,\"gasUsed\"", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\",\"gasUsed\"", "\"blockNumber\":\"0xffffffffffffffff\",\"gasUsed\"",
		    RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\",\"gasUsed\"", "\"blockNumber\":\"0x1b5\",\"gasUsed\"", RPC_DOWN },
		{ "\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x1b4\",\"gasUsed\"",
		    "\"blockHash\":\"" H2 "\",\"blockNumber\":\"0x1b4\",\"gasUsed\"", RPC_DOWN },
		{ "\"from\":\"" ALICE_SHORT "\"", "\"from\":null", RPC_DOWN },
		{ "\"from\":\"" ALICE_SHORT "\"", "\"from\":\"" ALICE "\"", RPC_DOWN },
		{ "\"logs\":[" LOG "]", "\"logs\":null", RPC_DOWN },
		{ "\"logs\":[" LOG "]", "\"logs\":{}", RPC_DOWN },
		{ "\"logs\":[", "\"logs\":[null,", RPC_DOWN },
		{ "\"logs\":[", "\"logs\":[[],", RPC_DOWN },
		/* a log's */
		{ "\"address\":\"" USDC "\"", "\"address\":\"0x83\"", RPC_DOWN },
		{ "\"topics\":[\"" TRANSFER "\"", "\"topics\":[\"0xddf2\"", RPC_DOWN },
		{ "\"topics\":[\"" TRANSFER "\"", "\"topics\":[null", RPC_DOWN },
		{ "\"topics\":[", "\"topics\":[\"" H1 "\",\"" H1 "\",", RPC_DOWN }, /* five */
		{ "\"topics\":[\"" TRANSFER "\",\"" ALICE "\",\"" ALICE "\"]", "\"topics\":\"" TRANSFER "\"",
		    RPC_DOWN },
		{ "\"data\":\"0x00", "\"data\":\"0x0", RPC_DOWN },
		{ "\"data\":\"0x", "\"data\":\"", RPC_DOWN },
		{ "\"data\":\"0x", "\"data\":\"0xg0", RPC_DOWN },
		{ "\"data\":\"" WORD "\"", "\"data\":12340000", RPC_DOWN },
		{ "\"logIndex\":\"0x7\"", "\"logIndex\":\"0x10000000000000000\"", RPC_DOWN },
		{ "\"logIndex\":\"0x7\"", "\"logIndex\":null", RPC_DOWN },
		{ "\"logIndex\":\"0x7\",", "", RPC_DOWN },
		{ "\"removed\":false", "\"removed\":\"false\"", RPC_DOWN },
		{ "\"removed\":false", "\"removed\":null", RPC_DOWN },
		/* a log of another block or transaction, twice, or with one missing before it */
		{ "\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x1b4\",\"blockTimestamp\"",
		    "\"blockHash\":\"" H2 "\",\"blockNumber\":\"0x1b4\",\"blockTimestamp\"", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\",\"blockTimestamp\"", "\"blockNumber\":\"0x1b3\",\"blockTimestamp\"",
		    RPC_DOWN },
		{ "\"transactionHash\":\"" H3 "\",\"transactionIndex\":\"0x0\",\"logIndex\"",
		    "\"transactionHash\":\"" H2 "\",\"transactionIndex\":\"0x0\",\"logIndex\"", RPC_DOWN },
		{ "\"logs\":[", "\"logs\":[" LOG ",", RPC_DOWN },
		{ "\"logs\":[", "\"logs\":[" LOG_AT("0x5") ",", RPC_DOWN },
		{ "\"logs\":[", "\"logs\":[" LOG_AT("0x6") ",", RPC_OK },
		/* all of another transaction, its logs too */
		{ RECEIPT,
		    "{\"status\":\"0x1\",\"logs\":[],\"blockHash\":\"" H1
		    "\",\"blockNumber\":\"0x1b4\",\"from\":\"" ALICE_SHORT "\",\"transactionHash\":\"" H2 "\"}",
		    RPC_DOWN },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct rpc_receipt receipt = { .block_number = -1 };

		node_say(&scene->node, "eth_getTransactionReceipt",
		    node_variant(scene->ctx, RECEIPT, rows[i].old, rows[i].new));
		assert_int_equal(rpc_receipt(&scene->rpc, scene->ctx, hash_of(H3), &receipt), rows[i].rc);
		assert_int_equal(receipt.block_number, rows[i].rc == RPC_OK ? 436 : -1);
	}
	assert_asked(scene, "eth_getTransactionReceipt", "[\"" H3 "\"]");
}

static void
a_receipt_s_members_come_through(void **state)
{
	struct scene *scene = *state;
	struct rpc_receipt receipt;
	const struct rpc_log *log;
	const char *two = talloc_asprintf(scene->ctx, "%s,%s", LOG, node_variant(scene->ctx, LOG, "0x7", "0x8"));

	node_say(&scene->node, "eth_getTransactionReceipt", node_variant(scene->ctx, RECEIPT, LOG, two));
	assert_int_equal(rpc_receipt(&scene->rpc, scene->ctx, hash_of(H3), &receipt), RPC_OK);
	assert_true(receipt.is_success);
	assert_true(eth_hash_equal(receipt.block_hash, hash_of(H1)));
	assert_true(eth_hash_equal(receipt.transaction, hash_of(H3)));
	assert_true(eth_address_equal(receipt.from, address_of(ALICE_SHORT)));
	assert_int_equal(receipt.log_count, 2);
	assert_ptr_equal(talloc_parent(receipt.logs), scene->ctx);
	log = &receipt.logs[0];
	assert_true(eth_address_equal(log->address, address_of(USDC)));
	assert_int_equal(log->topic_count, 3);
	assert_true(
	    eth_hash_equal(log->topics[0], hash_of(TRANSFER)) && eth_hash_equal(log->topics[2], hash_of(ALICE)));
	assert_int_equal(log->data_len, 32);
	assert_memory_equal(log->data + 29, "\xbc\x4b\x20", 3);
	assert_int_equal(log->index, 7);
	assert_int_equal(log->block_number, 436);
	assert_false(log->is_removed);
	assert_int_equal(receipt.logs[1].index, 8);
	/* Longer data are counted, and kept as far as a word. */
	node_say(&scene->node, "eth_getTransactionReceipt", node_variant(scene->ctx, RECEIPT, WORD, WORD "ff"));
	assert_int_equal(rpc_receipt(&scene->rpc, scene->ctx, hash_of(H3), &receipt), RPC_OK);
	assert_int_equal(receipt.logs[0].data_len, 33);
}

static void
logs_that_were_not_asked_for_spoil_the_answer(void **state)
{
	static const struct {
		const char *old, *new;
		enum rpc_result rc;
	} rows[] = {
		{ "", "", RPC_OK },
		{ LOG, "", RPC_OK },
		{ "[" LOG "]", "null", RPC_ABSENT },
		{ "[" LOG "]", "{}", RPC_DOWN },
		{ "\"address\":\"0x83", "\"address\":\"0x84", RPC_DOWN },
		{ "\"" TRANSFER "\"", "\"" H1 "\"", RPC_DOWN },
		{ ALICE "\"]", H1 "\"]", RPC_DOWN },
		{ ",\"" ALICE "\"]", "]", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\"", "\"blockNumber\":\"0x1b5\"", RPC_DOWN },
		{ "\"blockNumber\":\"0x1b4\"", "\"blockNumber\":\"0x1aa\"", RPC_DOWN },
	};
	struct scene *scene = *state;
	const struct eth_hash topic = hash_of(TRANSFER), alice = hash_of(ALICE);
	const struct eth_hash *const topics[] = { &topic, NULL, &alice };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct rpc_log *logs = NULL;
		size_t count = 99;

		node_say(&scene->node, "eth_getLogs", node_variant(scene->ctx, "[" LOG "]", rows[i].old, rows[i].new));
		assert_int_equal(
		    rpc_logs(&scene->rpc, scene->ctx, address_of(USDC), topics, 3, 427, 436, &logs, &count),
		    rows[i].rc);
		assert_int_equal(count, rows[i].rc != RPC_OK ? 99 : i == 0);
		assert_int_equal(logs != NULL, rows[i].rc == RPC_OK);
	}
	assert_asked(scene, "eth_getLogs",
	    "[{\"address\":\"" USDC "\",\"topics\":[\"" TRANSFER "\",null,\"" ALICE
	    "\"],\"fromBlock\":\"0x1ab\",\"toBlock\":\"0x1b4\"}]");
}

/* "Any" is still one: a log with fewer topics does not match. */
static void
a_log_has_every_topic_that_may_be_any(void **state)
{
	static const char one_topic[] = "\"topics\":[\"" TRANSFER "\"]";
	struct scene *scene = *state;
	const struct eth_hash topic = hash_of(TRANSFER);
	const struct eth_hash *const topics[] = { &topic, NULL };
	struct rpc_log *logs;
	size_t count;

	node_say(&scene->node, "eth_getLogs",
	    node_variant(
		scene->ctx, "[" LOG "]", "\"topics\":[\"" TRANSFER "\",\"" ALICE "\",\"" ALICE "\"]", one_topic));
	assert_int_equal(
	    rpc_logs(&scene->rpc, scene->ctx, address_of(USDC), topics, 2, 427, 436, &logs, &count), RPC_DOWN);
	assert_int_equal(
	    rpc_logs(&scene->rpc, scene->ctx, address_of(USDC), topics, 1, 427, 436, &logs, &count), RPC_OK);
}

static void
views_give_bytes_up_to_four_kilobytes(void **state)
{
	static const struct {
		size_t bytes;
		enum rpc_result rc;
	} rows[] = { { 0, RPC_OK }, { 1, RPC_OK }, { 32, RPC_OK }, { 4096, RPC_OK }, { 4097, RPC_DOWN } };
	struct scene *scene = *state;
	char answer[NODE_ANSWER];

	for (size_t i = 0; i < nitems(rows); i++) {
		uint8_t *out = NULL;
		size_t len = 0;

		memset(answer, 'a', sizeof(answer));
		answer[0] = '"';
		answer[1] = '0';
		answer[2] = 'x';
		strcpy(answer + 3 + 2 * rows[i].bytes, "\"");
		node_say(&scene->node, "eth_call", answer);
		assert_int_equal(
		    rpc_view(&scene->rpc, scene->ctx, address_of(USDC), "\x70\xa0", 2, RPC_LATEST, &out, &len),
		    rows[i].rc);
		if (rows[i].rc == RPC_OK) {
			assert_int_equal(len, rows[i].bytes);
			assert_true(len == 0 || (out[0] == 0xaa && out[len - 1] == 0xaa));
		}
	}
	assert_asked(scene, "eth_call", "[{\"to\":\"" USDC "\",\"data\":\"0x70a0\"},\"latest\"]");
}

static void
fees_are_the_next_block_s_and_the_middle_tip(void **state)
{
	static const struct {
		const char *json;
		enum rpc_result rc;
		uint64_t base_fee, tip;
	} rows[] = {
		{ "{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x1\",\"0x2\",\"0x3\",\"0x64\"],\"reward\":[[\"0x9\"],"
		  "[\"0x1\"],[\"0x5\"]]}",
		    RPC_OK, 100, 5 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":[]}", RPC_OK, 100, 0 },
		{ "{\"baseFeePerGas\":[\"0x1\",\"0x9184e72a000\"],\"reward\":[[\"0x9184e72a000\"]]}", RPC_OK,
		    UINT64_C(10000000000000), UINT64_C(10000000000000) },
		{ "{\"baseFeePerGas\":[\"0x1\",\"0x9184e72a001\"],\"reward\":[[\"0x1\"]]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x1\",\"0x1\"],\"reward\":[[\"0x9184e72a001\"]]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[],\"reward\":[]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[1],\"reward\":[]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":null}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":[[]]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":[\"0x1\"]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":[[\"0x1\",\"0x2\"]]}", RPC_DOWN, 7, 7 },
		{ "{\"baseFeePerGas\":[\"0x64\"],\"reward\":[[\"0x1\"],[\"0x1\"],[\"0x1\"],[\"0x1\"],[\"0x1\"],["
		  "\"0x1\"],[\"0x1\"],"
		  "[\"0x1\"],[\"0x1\"],[\"0x1\"],[\"0x1\"]]}",
		    RPC_DOWN, 7, 7 },
		{ "{\"reward\":[[\"0x1\"]]}", RPC_DOWN, 7, 7 },
		{ "null", RPC_ABSENT, 7, 7 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		uint64_t base_fee = 7, tip = 7;

		node_say(&scene->node, "eth_feeHistory", rows[i].json);
		assert_int_equal(rpc_fee_history(&scene->rpc, scene->ctx, &base_fee, &tip), rows[i].rc);
		assert_int_equal(base_fee, rows[i].base_fee);
		assert_int_equal(tip, rows[i].tip);
	}
	assert_asked(scene, "eth_feeHistory", "[\"0xa\",\"latest\",[50]]");
}

static void
what_is_sent_is_taken_when_the_node_has_it(void **state)
{
	static const char low[] = "!{\"code\":-32000,\"message\":\"nonce too low\"}";
	static const struct {
		const char *answer, *by_hash;
		enum rpc_result rc;
		const char *problem;
	} rows[] = {
		{ "\"" H3 "\"", "null", RPC_OK, "" },
		{ low, "{\"hash\":\"" H3 "\",\"blockNumber\":null}", RPC_OK, "" },
		{ low, "{\"hash\":\"" H3 "\",\"blockNumber\":\"0x1\"}", RPC_OK, "" },
		{ low, "null", RPC_REFUSED, "nonce too low" },
		{ low, "{\"hash\":\"" H2 "\"}", RPC_REFUSED, "nonce too low" },
		{ low, "{}", RPC_REFUSED, "nonce too low" },
		{ low, "[]", RPC_REFUSED, "nonce too low" },
		{ low, "=<html>", RPC_REFUSED, "nonce too low" },
		{ "\"" H2 "\"", "null", RPC_DOWN, "another transaction's hash" },
		{ "\"0x\"", "null", RPC_DOWN, "another transaction's hash" },
		{ "true", "null", RPC_DOWN, "another transaction's hash" },
		{ "null", "null", RPC_DOWN, "no transaction's hash" },
		{ "=<html>", "{\"hash\":\"" H3 "\"}", RPC_DOWN, "an answer that is no JSON object" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		node_say(&scene->node, "eth_sendRawTransaction", rows[i].answer);
		node_say(&scene->node, "eth_getTransactionByHash", rows[i].by_hash);
		assert_int_equal(rpc_send_raw(&scene->rpc, scene->ctx, "\x02\xc0", 2, hash_of(H3)), rows[i].rc);
		assert_string_equal(scene->rpc.problem, rows[i].problem);
	}
	assert_asked(scene, "eth_sendRawTransaction", "[\"0x02c0\"]");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
	static const struct CMUnitTest tests[] = {
		CASE(numbers_are_asked_for_and_read),
		CASE(a_quantity_is_hex_and_has_its_bounds),
		CASE(what_is_no_json_rpc_answer_is_none),
		CASE(an_endpoint_that_says_nothing_is_down),
		CASE(floods_end_where_the_answer_may_not_go_on),
		CASE(a_refusal_is_told_in_the_node_s_own_words_but_cleanly),
		CASE(blocks_are_read_only_whole),
		CASE(a_block_s_members_come_through),
		CASE(receipts_are_read_only_whole_and_of_the_hash_asked_for),
		CASE(a_receipt_s_members_come_through),
		CASE(logs_that_were_not_asked_for_spoil_the_answer),
		CASE(a_log_has_every_topic_that_may_be_any),
		CASE(views_give_bytes_up_to_four_kilobytes),
		CASE(fees_are_the_next_block_s_and_the_middle_tip),
		CASE(what_is_sent_is_taken_when_the_node_has_it),
	};

	fetch_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
