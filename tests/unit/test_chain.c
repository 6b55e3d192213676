/* The chain by one endpoint and by two: agreement, lag, lies and failure of either.  They are processes of our own (node.h). */
#include "unit.h"

#include <json-c/json.h>
#include <talloc.h>
#include "base/error.h"
#include "base/now.h"
#include "capture.h"
#include "chain/chain.h"
#include "net/fetch.h"
#include "node.h"

#define H1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "0x2222222222222222222222222222222222222222222222222222222222222222"
#define H3 "0x3333333333333333333333333333333333333333333333333333333333333333"
#define TRANSFER "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#define APPROVAL "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
#define USDC "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
#define OTHER "0x833589fcd6edb6e08f4c7c32d4f71b54bda02914"
#define ALICE "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
#define BOB "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
#define ALICE_TOPIC "\"0x00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8\""
#define BOB_TOPIC "\"0x0000000000000000000000003c44cdddb6a900fa2b585dd299e03d12fa4293bc\""
#define TOPICS "[\"" TRANSFER "\"," ALICE_TOPIC "," BOB_TOPIC "]"
#define AMOUNT "0x0000000000000000000000000000000000000000000000000000000000bc4b20" /* 12.34 */
#define ZEROS24 "000000000000000000000000000000000000000000000000"

#define LOG(address, topics, data, index) \
	"{\"address\":\"" address "\",\"topics\":" topics ",\"data\":\"" data "\",\"blockHash\":\"" H1 \
	"\",\"blockNumber\":\"0x64\",\"transactionHash\":\"" H3 "\",\"logIndex\":\"" index "\",\"removed\":false}"
#define GOOD_LOG LOG(USDC, TOPICS, AMOUNT, "0x5")
#define RECEIPT(logs) \
	"{\"status\":\"0x1\",\"logs\":[" logs "],\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x64\",\"from\":\"" ALICE \
	"\",\"transactionHash\":\"" H3 "\"}"
#define BLOCK(number, hash) \
	"{\"number\":\"" number "\",\"hash\":\"" hash "\",\"parentHash\":\"" H2 "\",\"timestamp\":\"0x1\"}"

enum { TIMEOUT_MS = 1000 };

/* Names of rules. */
static const char is_chain_id[] = "eth_chainId", is_latest[] = "\"latest\",false", is_final[] = "\"finalized\",false",
		  is_block[] = "[\"0x64\",false", is_receipt[] = "eth_getTransactionReceipt",
		  is_nonce[] = "eth_getTransactionCount", is_view[] = "eth_call", is_logs[] = "eth_getLogs",
		  is_fees[] = "eth_feeHistory", is_estimate[] = "eth_estimateGas", is_send[] = "eth_sendRawTransaction",
		  is_by_hash[] = "eth_getTransactionByHash";

struct scene {
	struct node nodes[CHAIN_ENDPOINTS];
	struct chain *one, *two; /* by the first node; by both */
	struct error err;
};

static struct eth_address
address_of(const char *text)
{
	struct eth_address address;

	assert_int_equal(eth_address_parse(text, &address), 0);
	return address;
}

static struct eth_hash
hash_of(const char *text)
{
	struct eth_hash hash;

	assert_int_equal(eth_hash_parse(text, &hash), 0);
	return hash;
}

/* A healthy node: head 111, so that block 100 has 12 confirmations. */
static void
make_healthy(struct node *node)
{
	node->stage->mood = NODE_ANSWERS;
	node_say(node, is_chain_id, "\"0x2105\"");
	node_say(node, is_latest, BLOCK("0x6f", H2));
	node_say(node, is_final, BLOCK("0x2f", H2));
	node_say(node, is_block, BLOCK("0x64", H1));
	node_say(node, is_receipt, RECEIPT(GOOD_LOG));
	node_say(node, is_nonce, "\"0x7\"");
	node_say(node, is_view, "\"" AMOUNT "\"");
	node_say(node, is_logs, "[" GOOD_LOG "]");
	node_say(node, is_fees, "{\"baseFeePerGas\":[\"0x1\",\"0x64\"],\"reward\":[[\"0x5\"]]}");
	node_say(node, is_estimate, "\"0xc97a\"");
	node_say(node, is_send, "\"" H3 "\"");
	node_say(node, is_by_hash, "null");
}

static int
scene_open(void **state)
{
	struct scene *scene = talloc_zero(NULL, struct scene);
	struct chain_settings settings = { .chain_id = 8453, .token = address_of(USDC), .timeout_ms = TIMEOUT_MS };

	for (size_t i = 0; i < nitems(scene->nodes); i++) {
		node_start(&scene->nodes[i]);
		make_healthy(&scene->nodes[i]);
	}
	settings.urls[0] = scene->nodes[0].url;
	scene->one = chain_open(scene, &settings);
	settings.urls[1] = scene->nodes[1].url;
	scene->two = chain_open(scene, &settings);
	capture_begin();
	*state = scene;
	return 0;
}

static int
scene_close(void **state)
{
	struct scene *scene = *state;

	capture_end();
	for (size_t i = 0; i < nitems(scene->nodes); i++)
		node_stop(&scene->nodes[i]);
	error_clear(&scene->err);
	talloc_free(scene);
	return 0;
}

/* What the log says since last asked. */
static const char *
logged(void)
{
	capture_end();
	capture_begin();
	return capture_text;
}

static void
assert_unavailable(struct scene *scene, int rc)
{
	assert_int_equal(rc, -1);
	assert_int_equal(scene->err.code, ERR_chain_unavailable);
	assert_true(scene->err.retry_after_s > 0);
	error_clear(&scene->err);
}

static struct chain_receipt
receipt(struct scene *scene, struct chain *chain)
{
	struct chain_receipt found = { .block_number = -1 };

	assert_int_equal(chain_receipt(chain, scene, hash_of(H3), &found, &scene->err), 0);
	return found;
}

static void
a_receipt_tells_transfers_and_confirmations(void **state)
{
	struct scene *scene = *state;
	struct chain *chains[] = { scene->one, scene->two };

	for (size_t i = 0; i < nitems(chains); i++) {
		struct chain_receipt found = receipt(scene, chains[i]);
		const struct chain_transfer *transfer = &found.transfers[0];

		assert_int_equal(found.found, CHAIN_MINED);
		assert_int_equal(found.block_number, 100);
		assert_int_equal(found.confirmations, 12);
		assert_true(eth_hash_equal(found.block_hash, hash_of(H1)));
		assert_true(eth_address_equal(found.from, address_of(ALICE)));
		assert_int_equal(found.transfer_count, 1);
		assert_ptr_equal(talloc_parent(found.transfers), scene);
		assert_true(eth_address_equal(transfer->from, address_of(ALICE)));
		assert_true(eth_address_equal(transfer->to, address_of(BOB)));
		assert_int_equal(transfer->amount, 12340000);
		assert_false(transfer->is_huge);
		assert_int_equal(transfer->log_index, 0);
		assert_int_equal(transfer->block_number, 100);
		assert_true(eth_hash_equal(transfer->transaction, hash_of(H3)));
	}
	assert_string_equal(logged(), "");
}

static void
only_the_token_s_own_transfers_of_the_right_form_count(void **state)
{
	static const struct {
		const char *log;
		bool counts;
	} rows[] = {
		{ GOOD_LOG, true }, { LOG(OTHER, TOPICS, AMOUNT, "0x5"), false },
		{ LOG(USDC, "[\"" APPROVAL "\"," ALICE_TOPIC "," BOB_TOPIC "]", AMOUNT, "0x5"), false },
		{ LOG(USDC, "[]", AMOUNT, "0x5"), false },
		{ LOG(USDC, "[\"" TRANSFER "\"," ALICE_TOPIC "]", AMOUNT, "0x5"), false },
		{ LOG(USDC, "[\"" TRANSFER "\"," ALICE_TOPIC "," BOB_TOPIC "," BOB_TOPIC "]", AMOUNT, "0x5"), false },
		{ LOG(USDC, "[\"" TRANSFER "\",\"" H1 "\"," BOB_TOPIC "]", AMOUNT, "0x5"), false },
		{ LOG(USDC, "[\"" TRANSFER "\"," ALICE_TOPIC ",\"" H1 "\"]", AMOUNT, "0x5"), false },
		{ LOG(USDC, TOPICS, "0x", "0x5"), false },
		{ LOG(USDC, TOPICS, "0x" ZEROS24 "00000000bc4b20", "0x5"), false },	/* 31 bytes */
		{ LOG(USDC, TOPICS, AMOUNT "00", "0x5"), false },			/* 33 */
		{ LOG(USDC, TOPICS, AMOUNT ZEROS24 "0000000000000000", "0x5"), false }, /* 64 */
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct chain_receipt found;

		node_say(&scene->nodes[0], is_receipt, node_variant(scene, RECEIPT(GOOD_LOG), GOOD_LOG, rows[i].log));
		found = receipt(scene, scene->one);
		assert_int_equal(found.found, CHAIN_MINED);
		assert_int_equal(found.transfer_count, rows[i].counts);
	}
	node_say(&scene->nodes[0], is_receipt, node_variant(scene, RECEIPT(GOOD_LOG), "false", "true"));
	assert_int_equal(receipt(scene, scene->one).transfer_count, 0);
}

static void
amounts_are_exact_and_what_fits_no_ledger_is_huge(void **state)
{
	static const struct {
		const char *data;
		uint64_t amount;
		bool is_huge;
	} rows[] = {
		{ "0x" ZEROS24 "0000000000000000", 0, false },
		{ "0x" ZEROS24 "0000000000000001", 1, false },
		{ "0x" ZEROS24 "7fffffffffffffff", INT64_MAX, false },
		{ "0x" ZEROS24 "8000000000000000", 0, true },
		{ "0x" ZEROS24 "ffffffffffffffff", 0, true },
		{ "0x000000000000000000000000000000000000000000000001"
		  "0000000000bc4b20",
		    0, true },
		{ "0x800000000000000000000000000000000000000000000000"
		  "0000000000bc4b20",
		    0, true },
		{ "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 0, true },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct chain_receipt found;

		node_say(&scene->nodes[0], is_receipt, node_variant(scene, RECEIPT(GOOD_LOG), AMOUNT, rows[i].data));
		found = receipt(scene, scene->one);
		assert_int_equal(found.transfer_count, 1);
		assert_true(found.transfers[0].amount == rows[i].amount);
		assert_int_equal(found.transfers[0].is_huge, rows[i].is_huge);
	}
}

/* Wherever the transaction stands in its block, and whatever logs of others lie between. */
static void
a_transfer_s_place_is_that_in_its_own_transaction(void **state)
{
	struct scene *scene = *state;
	struct chain_receipt found;

	node_say(&scene->nodes[0], is_receipt,
	    RECEIPT(LOG(OTHER, TOPICS, AMOUNT, "0x9") "," LOG(USDC, TOPICS, AMOUNT, "0xa") "," LOG(
		OTHER, "[]", "0x", "0xb") "," LOG(USDC, TOPICS, AMOUNT, "0xc")));
	found = receipt(scene, scene->one);
	assert_int_equal(found.transfer_count, 2);
	assert_int_equal(found.transfers[0].log_index, 1);
	assert_int_equal(found.transfers[1].log_index, 3);
}

static void
a_failed_transaction_has_no_transfers(void **state)
{
	struct scene *scene = *state;
	struct chain_receipt found;

	for (size_t i = 0; i < 2; i++)
		node_say(&scene->nodes[i], is_receipt, node_variant(scene, RECEIPT(GOOD_LOG), "\"0x1\"", "\"0x0\""));
	found = receipt(scene, scene->two);
	assert_int_equal(found.found, CHAIN_FAILED);
	assert_int_equal(found.transfer_count, 0);
	assert_int_equal(found.confirmations, 12);
}

static void
an_unknown_transaction_is_absent(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 2; i++)
		node_say(&scene->nodes[i], is_receipt, "null");
	assert_int_equal(receipt(scene, scene->one).found, CHAIN_ABSENT);
	assert_int_equal(receipt(scene, scene->two).found, CHAIN_ABSENT);
	assert_string_equal(logged(), "");
}

static void
confirmations_count_from_the_lower_head_and_only_on_the_chain_s_own_block(void **state)
{
	static const struct {
		const char *heads[2], *block;
		int64_t want;
	} rows[] = {
		{ { BLOCK("0x64", H1), BLOCK("0x64", H1) }, BLOCK("0x64", H1), 1 },
		{ { BLOCK("0x6e", H1), BLOCK("0x6e", H1) }, BLOCK("0x64", H1), 11 },
		{ { BLOCK("0x6e", H1), BLOCK("0xff", H1) }, BLOCK("0x64", H1), 11 },
		{ { BLOCK("0xff", H1), BLOCK("0x6e", H1) }, BLOCK("0x64", H1), 11 },
		{ { BLOCK("0x63", H1), BLOCK("0x63", H1) }, BLOCK("0x64", H1), 1 }, /* mined since */
		{ { BLOCK("0x6f", H1), BLOCK("0x6f", H1) }, BLOCK("0x64", H2), 0 },
		{ { BLOCK("0x6f", H1), BLOCK("0x6f", H1) }, "null", 0 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		for (size_t node = 0; node < 2; node++) {
			node_say(&scene->nodes[node], is_latest, rows[i].heads[node]);
			node_say(&scene->nodes[node], is_block, rows[i].block);
		}
		assert_int_equal(receipt(scene, scene->two).confirmations, rows[i].want);
	}
}

/* Each member that money depends on, told differently by one of the two, whichever. */
static void
two_receipts_that_differ_are_no_receipt(void **state)
{
	static const struct {
		const char *old, *new, *about;
	} rows[] = {
		{ "\"status\":\"0x1\"", "\"status\":\"0x0\"", "status" },
		{ H1, H2, NULL }, /* its logs do not fit it any more: it is none, and the other is believed */
		{ AMOUNT, "0x" ZEROS24 "0000000000bc4b21", "transfers" },
		{ AMOUNT, "0xff" ZEROS24 "00000000bc4b20", "transfers" },
		{ "\"topics\":" TOPICS, "\"topics\":[\"" TRANSFER "\"," BOB_TOPIC "," BOB_TOPIC "]", "transfers" },
		{ "\"topics\":" TOPICS, "\"topics\":[\"" TRANSFER "\"," ALICE_TOPIC "," ALICE_TOPIC "]", "transfers" },
		{ "\"address\":\"" USDC "\"", "\"address\":\"" OTHER "\"", "transfers" },
		{ GOOD_LOG, "", "transfers" },
		{ GOOD_LOG, GOOD_LOG "," LOG(USDC, TOPICS, AMOUNT, "0x6"), "transfers" },
		{ GOOD_LOG, LOG(OTHER, TOPICS, AMOUNT, "0x4") "," GOOD_LOG, "transfers" }, /* its place */
		{ "\"from\":\"" ALICE "\"", "\"from\":\"" BOB "\"", "from" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < 2 * nitems(rows); i++) {
		struct chain_receipt found = { .block_number = -1 };
		const char *lie = node_variant(scene, RECEIPT(GOOD_LOG), rows[i / 2].old, rows[i / 2].new);
		int rc;

		node_say(&scene->nodes[i % 2], is_receipt, lie);
		rc = chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err);
		if (rows[i / 2].about == NULL) {
			assert_int_equal(rc, 0);
			assert_int_equal(found.transfer_count, 1);
		} else {
			assert_unavailable(scene, rc);
			assert_int_equal(found.block_number, -1);
		}
		make_healthy(&scene->nodes[i % 2]);
	}
	assert_int_equal(receipt(scene, scene->two).transfer_count, 1);
}

/* A whole receipt in another block, and another hash for the block. */
static void
receipts_and_blocks_of_two_chains_do_not_agree(void **state)
{
	static const char elsewhere[] =
	    "{\"status\":\"0x1\",\"logs\":[],\"blockHash\":\"" H2 "\",\"blockNumber\":\"0x64\",\"from\":\"" ALICE
	    "\",\"transactionHash\":\"" H3 "\"}";
	static const char later[] =
	    "{\"status\":\"0x1\",\"logs\":[],\"blockHash\":\"" H1 "\",\"blockNumber\":\"0x65\",\"from\":\"" ALICE
	    "\",\"transactionHash\":\"" H3 "\"}";
	struct scene *scene = *state;
	struct chain_receipt found;
	struct eth_hash hash;
	bool exists;

	for (size_t i = 0; i < 2; i++) {
		node_say(&scene->nodes[i], is_receipt, elsewhere);
		assert_unavailable(scene, chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err));
		node_say(&scene->nodes[i], is_receipt, later);
		assert_unavailable(scene, chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err));
		make_healthy(&scene->nodes[i]);
		node_say(&scene->nodes[i], is_block, BLOCK("0x64", H2));
		assert_unavailable(scene, chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err));
		assert_unavailable(scene, chain_block_hash(scene->two, 100, &hash, &exists, &scene->err));
		make_healthy(&scene->nodes[i]);
	}
}

static void
a_disagreement_is_logged_with_both_answers_but_once_a_minute(void **state)
{
	struct scene *scene = *state;
	struct chain_receipt found;
	const char *log;

	node_say(&scene->nodes[1], is_receipt,
	    node_variant(scene, RECEIPT(GOOD_LOG), AMOUNT, "0x" ZEROS24 "0000000000bc4b21"));
	for (int i = 0; i < 3; i++)
		assert_unavailable(scene, chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err));
	log = logged();
	assert_non_null(strstr(log, "\"event\":\"chain_disagreement\""));
	assert_non_null(strstr(log, "the first of 12340000 to " BOB));
	assert_non_null(strstr(log, "the first of 12340001 to " BOB));
	assert_null(strstr(strchr(log, '\n') + 1, "chain_disagreement"));
	assert_null(strstr(log, "secret"));
}

/* Absent is lag where the head, too, is below the block; else one of them lies. */
static void
an_endpoint_that_is_behind_does_not_know_yet(void **state)
{
	struct scene *scene = *state;
	struct chain_receipt found;

	for (size_t i = 0; i < 2; i++) {
		node_say(&scene->nodes[i], is_receipt, "null");
		node_say(&scene->nodes[i], is_latest, BLOCK("0x63", H2));
		assert_int_equal(receipt(scene, scene->two).found, CHAIN_ABSENT);
		assert_null(strstr(logged(), "disagreement"));
		node_say(&scene->nodes[i], is_latest, BLOCK("0x64", H2));
		assert_unavailable(scene, chain_receipt(scene->two, scene, hash_of(H3), &found, &scene->err));
		logged();
		make_healthy(&scene->nodes[i]);
	}
}

/* Every way of failing, of either endpoint: the other's word is taken, and all is told once. */
static void
one_endpoint_down_is_survived_and_told(void **state)
{
	static const struct {
		enum node_mood mood;
		const char *match, *answer;
	} rows[] = {
		{ NODE_HANGS_UP, is_chain_id, "\"0x2105\"" },
		{ NODE_ANSWERS, is_chain_id, "\"0x1\"" }, /* another chain */
		{ NODE_ANSWERS, is_chain_id, "null" },
		{ NODE_ANSWERS, is_chain_id, "!{\"code\":-32000,\"message\":\"secret-api-key is no key\"}" },
		{ NODE_ANSWERS, is_chain_id, "=<html>" },
		{ NODE_ANSWERS, is_latest, "=<html>" },
		{ NODE_ANSWERS, is_latest, "null" },
		{ NODE_ANSWERS, is_receipt, "=<html>" },
		{ NODE_ANSWERS, is_receipt, "!{\"code\":-32000,\"message\":\"no\"}" },
		{ NODE_ANSWERS, is_block, "=<html>" },
		{ NODE_FLOODS, is_chain_id, "\"0x2105\"" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < 2 * nitems(rows); i++) {
		struct node *node = &scene->nodes[i % 2];
		struct chain_receipt found;

		node->stage->mood = rows[i / 2].mood;
		node->stage->flood = 50 * 1024 * 1024;
		node_say(node, rows[i / 2].match, rows[i / 2].answer);
		found = receipt(scene, scene->two);
		assert_int_equal(found.found, CHAIN_MINED);
		assert_int_equal(found.confirmations, 12);
		if (i < 2)
			assert_non_null(strstr(logged(), "\"event\":\"chain_endpoint_down\""));
		else
			assert_string_equal(logged(), ""); /* told a moment ago */
		make_healthy(node);
	}
}

/* One that hangs is waited for once in an operation, not for each of its questions. */
static void
one_endpoint_that_hangs_costs_one_timeout(void **state)
{
	struct scene *scene = *state;
	int64_t start = now_monotonic_ms();

	scene->nodes[0].stage->mood = NODE_HANGS;
	assert_int_equal(receipt(scene, scene->two).confirmations, 12);
	assert_true(now_monotonic_ms() - start < 2 * TIMEOUT_MS);
	assert_non_null(strstr(logged(), "timed out"));
}

/* Nobody waits for it again as long, neither beside another nor alone; when it answers, it is back at once. */
static void
an_endpoint_that_hung_is_waited_for_less_until_it_answers(void **state)
{
	struct scene *scene = *state;
	struct chain_head head;
	int64_t start;

	scene->nodes[0].stage->mood = NODE_HANGS;
	assert_int_equal(receipt(scene, scene->two).confirmations, 12);
	assert_unavailable(scene, chain_head(scene->one, &head, &scene->err));
	start = now_monotonic_ms();
	for (int i = 0; i < 4; i++) {
		assert_int_equal(receipt(scene, scene->two).confirmations, 12);
		assert_unavailable(scene, chain_head(scene->one, &head, &scene->err));
	}
	assert_true(now_monotonic_ms() - start < 3 * TIMEOUT_MS); /* not 8 */
	make_healthy(&scene->nodes[0]);
	assert_int_equal(chain_head(scene->one, &head, &scene->err), 0);
}

static void
the_log_names_scheme_and_host_of_an_endpoint_and_no_key(void **state)
{
	struct scene *scene = *state;
	struct chain_settings settings = { .urls = { "http://key-in-user@127.0.0.1:1/v2/key-in-path?key=key-in-query",
					       "http://127.0.0.1:1?key-in-query" },
		.chain_id = 8453,
		.timeout_ms = TIMEOUT_MS };
	struct chain *chain = chain_open(scene, &settings);
	struct chain_head head;
	const char *log;

	assert_unavailable(scene, chain_head(chain, &head, &scene->err));
	log = logged();
	assert_non_null(strstr(log, "\"endpoint\":\"http://127.0.0.1:1\""));
	assert_null(strstr(log, "key"));
}

static void
no_endpoint_means_unavailable_for_every_call(void **state)
{
	static const enum node_mood moods[] = { NODE_HANGS_UP, NODE_ANSWERS };
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(moods); i++) {
		struct chain *chain = scene->two;
		struct error *err = &scene->err;
		struct chain_head head = { -1, -1 };
		struct chain_receipt found;
		struct eth_hash hash;
		struct chain_transfer *transfers;
		struct eth_address bob = address_of(BOB);
		char problem[RPC_PROBLEM_SIZE];
		uint8_t *out;
		size_t count;
		uint64_t number = 7, tip = 7;
		int64_t nonce = 7;
		bool flag;

		for (size_t node = 0; node < 2; node++) {
			scene->nodes[node].stage->mood = moods[i];
			node_say(&scene->nodes[node], is_chain_id, "\"0x1\"");
		}
		assert_unavailable(scene, chain_head(chain, &head, err));
		assert_unavailable(scene, chain_receipt(chain, scene, hash_of(H3), &found, err));
		assert_unavailable(scene, chain_block_hash(chain, 100, &hash, &flag, err));
		assert_unavailable(scene, chain_transfers(chain, scene, bob, 1, 2, &transfers, &count, err));
		assert_unavailable(scene, chain_token_balance(chain, bob, 100, &number, err));
		assert_unavailable(scene, chain_nonce(chain, bob, RPC_LATEST, &nonce, err));
		assert_unavailable(scene, chain_fees(chain, &number, &tip, err));
		assert_unavailable(scene, chain_view(chain, scene, bob, "", 0, &out, &count, err));
		assert_unavailable(scene, chain_estimate_gas(chain, bob, bob, "", 0, &number, &flag, err));
		assert_unavailable(scene, chain_send(chain, "\x02", 1, hash_of(H3), &flag, problem, err));
		assert_int_equal(head.number, -1);
		assert_true(number == 7 && tip == 7 && nonce == 7);
	}
}

static void
the_lower_head_counts(void **state)
{
	static const struct {
		const char *latest[2], *final[2];
		int64_t number, finalized;
	} rows[] = {
		{ { BLOCK("0x6f", H1), BLOCK("0x70", H2) }, { BLOCK("0x2f", H1), BLOCK("0x30", H1) }, 0x6f, 0x2f },
		{ { BLOCK("0x70", H1), BLOCK("0x6f", H2) }, { BLOCK("0x2f", H1), BLOCK("0x2e", H1) }, 0x6f, 0x2e },
		{ { BLOCK("0x6f", H1), BLOCK("0x6f", H2) }, { "null", BLOCK("0x6f", H1) }, 0x6f, 0x2f },
		{ { BLOCK("0x6f", H1), BLOCK("0x6f", H2) },
		    { "!{\"code\":-32602,\"message\":\"unknown tag\"}",
			"!{\"code\":-39001,\"message\":\"unknown block\"}" },
		    0x6f, 0x2f },
		{ { BLOCK("0x3f", H1), BLOCK("0x40", H2) }, { "null", "null" }, 0x3f, 0 },
		/* finality ahead of the head: that one is not believed at all */
		{ { BLOCK("0x6f", H1), BLOCK("0x60", H2) }, { BLOCK("0x2f", H1), BLOCK("0x61", H1) }, 0x6f, 0x2f },
		{ { BLOCK("0x6f", H1), "=<html>" }, { BLOCK("0x2f", H1), BLOCK("0x1", H1) }, 0x6f, 0x2f },
		{ { BLOCK("0x6f", H1), BLOCK("0x60", H1) }, { BLOCK("0x2f", H1), "=<html>" }, 0x6f, 0x2f },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		struct chain_head head;

		for (size_t node = 0; node < 2; node++) {
			node_say(&scene->nodes[node], is_latest, rows[i].latest[node]);
			node_say(&scene->nodes[node], is_final, rows[i].final[node]);
		}
		assert_int_equal(chain_head(scene->two, &head, &scene->err), 0);
		assert_int_equal(head.number, rows[i].number);
		assert_int_equal(head.finalized, rows[i].finalized);
	}
}

static void
an_endpoint_far_behind_is_told(void **state)
{
	struct scene *scene = *state;
	struct chain_head head;

	node_say(&scene->nodes[1], is_latest, BLOCK("0x51", H1));
	assert_int_equal(chain_head(scene->two, &head, &scene->err), 0);
	assert_string_equal(logged(), "");
	node_say(&scene->nodes[1], is_latest, BLOCK("0x50", H1));
	assert_int_equal(chain_head(scene->two, &head, &scene->err), 0);
	assert_non_null(strstr(logged(), "\"event\":\"chain_endpoint_lags\""));
	assert_int_equal(chain_head(scene->two, &head, &scene->err), 0);
	assert_string_equal(logged(), "");
}

static void
a_block_is_there_when_both_have_it(void **state)
{
	struct scene *scene = *state;
	struct eth_hash hash = hash_of(H3);
	bool exists = false;

	assert_int_equal(chain_block_hash(scene->two, 100, &hash, &exists, &scene->err), 0);
	assert_true(exists && eth_hash_equal(hash, hash_of(H1)));
	for (size_t i = 0; i < 2; i++) {
		node_say(&scene->nodes[i], is_block, "null");
		assert_int_equal(chain_block_hash(scene->two, 100, &hash, &exists, &scene->err), 0);
		assert_false(exists);
		make_healthy(&scene->nodes[i]);
	}
}

static void
transfers_come_from_the_first_that_answers(void **state)
{
	struct scene *scene = *state;
	struct chain_transfer *transfers = NULL;
	size_t count = 0;

	assert_int_equal(
	    chain_transfers(scene->two, scene, address_of(BOB), 1, 1000, &transfers, &count, &scene->err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(transfers[0].amount, 12340000);
	assert_int_equal(transfers[0].log_index, -1);
	assert_int_equal(transfers[0].block_number, 100);
	assert_non_null(strstr(scene->nodes[0].stage->request, "[\"" TRANSFER "\",null," BOB_TOPIC "]"));
	assert_non_null(strstr(scene->nodes[0].stage->request, "\"fromBlock\":\"0x1\",\"toBlock\":\"0x3e8\""));
	/* The first cannot, or tells of another's. */
	node_say(&scene->nodes[1], is_logs, "[]");
	node_say(&scene->nodes[0], is_logs, "!{\"code\":-32000,\"message\":\"block range too wide\"}");
	assert_int_equal(
	    chain_transfers(scene->two, scene, address_of(BOB), 1, 1000, &transfers, &count, &scene->err), 0);
	assert_int_equal(count, 0);
	node_say(&scene->nodes[0], is_logs, "[" GOOD_LOG "]");
	assert_int_equal(
	    chain_transfers(scene->two, scene, address_of(ALICE), 1, 1000, &transfers, &count, &scene->err), 0);
	assert_int_equal(count, 0);
	assert_unavailable(
	    scene, chain_transfers(scene->one, scene, address_of(ALICE), 1, 1000, &transfers, &count, &scene->err));
}

static void
balances_must_agree(void **state)
{
	static const struct {
		const char *answers[2];
		int rc;
		uint64_t want;
	} rows[] = {
		{ { "\"" AMOUNT "\"", "\"" AMOUNT "\"" }, 0, 12340000 },
		{ { "\"0x" ZEROS24 "ffffffffffffffff\"", "\"0x" ZEROS24 "ffffffffffffffff\"" }, 0, UINT64_MAX },
		{ { "\"" AMOUNT "\"", "\"0x" ZEROS24 "0000000000bc4b21\"" }, -1, 7 },
		{ { "\"" AMOUNT "\"", "\"0x\"" }, 0, 12340000 }, /* no contract: down */
		{ { "\"0x01" ZEROS24 "00000000bc4b20\"", "\"" AMOUNT "\"" }, 0, 12340000 },
		{ { "\"" AMOUNT "00\"", "\"" AMOUNT "\"" }, 0, 12340000 },
		{ { "!{\"code\":-32000,\"message\":\"missing trie node\"}", "\"" AMOUNT "\"" }, 0, 12340000 },
		{ { "\"0x\"", "null" }, -1, 7 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		uint64_t balance = 7;
		int rc;

		node_say(&scene->nodes[0], is_view, rows[i].answers[0]);
		node_say(&scene->nodes[1], is_view, rows[i].answers[1]);
		rc = chain_token_balance(scene->two, address_of(BOB), 100, &balance, &scene->err);
		assert_int_equal(rc, rows[i].rc);
		assert_true(balance == rows[i].want);
		error_clear(&scene->err);
	}
	assert_non_null(strstr(scene->nodes[0].stage->request,
	    "[{\"to\":\"" USDC
	    "\",\"data\":\"0x70a082310000000000000000000000003c44cdddb6a900fa2b585dd299e03d12fa4293bc\"},\"0x64\"]"));
}

static void
nonces_must_agree_at_a_height_and_the_lower_counts_at_the_head(void **state)
{
	struct scene *scene = *state;
	struct eth_address bob = address_of(BOB);
	int64_t nonce = -1;

	assert_int_equal(chain_nonce(scene->two, bob, 100, &nonce, &scene->err), 0);
	assert_int_equal(nonce, 7);
	for (size_t i = 0; i < 2; i++) {
		node_say(&scene->nodes[i], is_nonce, "\"0x6\"");
		assert_unavailable(scene, chain_nonce(scene->two, bob, 100, &nonce, &scene->err));
		assert_int_equal(chain_nonce(scene->two, bob, RPC_LATEST, &nonce, &scene->err), 0);
		assert_int_equal(nonce, 6);
		node_say(&scene->nodes[i], is_nonce, "\"0x7\"");
	}
}

static void
the_higher_fee_counts(void **state)
{
	struct scene *scene = *state;
	uint64_t base_fee = 0, tip = 0;

	node_say(&scene->nodes[0], is_fees, "{\"baseFeePerGas\":[\"0x65\"],\"reward\":[[\"0x4\"]]}");
	assert_int_equal(chain_fees(scene->two, &base_fee, &tip, &scene->err), 0);
	assert_true(base_fee == 0x65 && tip == 5);
	node_say(&scene->nodes[1], is_fees, "=<html>");
	assert_int_equal(chain_fees(scene->two, &base_fee, &tip, &scene->err), 0);
	assert_true(base_fee == 0x65 && tip == 4);
}

static void
views_and_estimates_come_from_the_first_that_answers(void **state)
{
	static const char reverted[] = "!{\"code\":3,\"message\":\"execution reverted\"}";
	struct scene *scene = *state;
	struct eth_address bob = address_of(BOB);
	uint8_t *out = NULL;
	size_t len = 99;
	uint64_t gas = 0;
	bool is_refused = true;

	assert_int_equal(chain_view(scene->two, scene, bob, "\x01", 1, &out, &len, &scene->err), 0);
	assert_int_equal(len, 32);
	assert_int_equal(out[31], 0x20);
	node_say(&scene->nodes[0], is_view, "\"0x\"");
	assert_int_equal(chain_view(scene->two, scene, bob, "\x01", 1, &out, &len, &scene->err), 0);
	assert_int_equal(len, 0);
	node_say(&scene->nodes[0], is_view, reverted);
	assert_int_equal(chain_view(scene->two, scene, bob, "\x01", 1, &out, &len, &scene->err), 0);
	assert_int_equal(len, 0);
	node_say(&scene->nodes[0], is_view, "=<html>");
	assert_int_equal(chain_view(scene->two, scene, bob, "\x01", 1, &out, &len, &scene->err), 0);
	assert_int_equal(len, 32);

	assert_int_equal(chain_estimate_gas(scene->two, bob, bob, "", 0, &gas, &is_refused, &scene->err), 0);
	assert_true(gas == 0xc97a && !is_refused);
	node_say(&scene->nodes[0], is_estimate, reverted);
	assert_int_equal(chain_estimate_gas(scene->two, bob, bob, "", 0, &gas, &is_refused, &scene->err), 0);
	assert_true(is_refused);
	/* Too many calls are no refusal of this one. */
	node_say(&scene->nodes[0], is_estimate, "!{\"code\":-32005,\"message\":\"limit exceeded\"}");
	assert_int_equal(chain_estimate_gas(scene->two, bob, bob, "", 0, &gas, &is_refused, &scene->err), 0);
	assert_true(gas == 0xc97a && !is_refused);
}

static void
all_endpoints_are_told_and_one_that_takes_is_enough(void **state)
{
	static const char low[] = "!{\"code\":-32000,\"message\":\"nonce too low\"}";
	static const char poor[] = "!{\"code\":-32003,\"message\":\"insufficient funds\"}";
	static const struct {
		const char *answers[2];
		int rc;
		bool is_taken;
		const char *problem;
	} rows[] = {
		{ { "\"" H3 "\"", "\"" H3 "\"" }, 0, true, "" },
		{ { "\"" H3 "\"", low }, 0, true, "nonce too low" },
		{ { low, "\"" H3 "\"" }, 0, true, "nonce too low" },
		{ { poor, low }, 0, false, "nonce too low" },
		{ { poor, "=<html>" }, 0, false, "insufficient funds" },
		{ { "=<html>", "\"" H3 "\"" }, 0, true, "" },
		{ { "\"" H2 "\"", "null" }, -1, false, "" },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		char problem[RPC_PROBLEM_SIZE] = "?";
		int before[2] = { scene->nodes[0].stage->request_count, scene->nodes[1].stage->request_count };
		bool is_taken = false;
		int rc;

		node_say(&scene->nodes[0], is_send, rows[i].answers[0]);
		node_say(&scene->nodes[1], is_send, rows[i].answers[1]);
		rc = chain_send(scene->two, "\x02\xc0", 2, hash_of(H3), &is_taken, problem, &scene->err);
		assert_int_equal(rc, rows[i].rc);
		assert_int_equal(is_taken, rows[i].is_taken);
		assert_string_equal(problem, rows[i].problem);
		assert_true(scene->nodes[0].stage->request_count >= before[0] + 2);
		assert_true(scene->nodes[1].stage->request_count >= before[1] + 2);
		error_clear(&scene->err);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
	static const struct CMUnitTest tests[] = {
		CASE(a_receipt_tells_transfers_and_confirmations),
		CASE(only_the_token_s_own_transfers_of_the_right_form_count),
		CASE(amounts_are_exact_and_what_fits_no_ledger_is_huge),
		CASE(a_transfer_s_place_is_that_in_its_own_transaction),
		CASE(a_failed_transaction_has_no_transfers),
		CASE(an_unknown_transaction_is_absent),
		CASE(confirmations_count_from_the_lower_head_and_only_on_the_chain_s_own_block),
		CASE(two_receipts_that_differ_are_no_receipt),
		CASE(receipts_and_blocks_of_two_chains_do_not_agree),
		CASE(a_disagreement_is_logged_with_both_answers_but_once_a_minute),
		CASE(an_endpoint_that_is_behind_does_not_know_yet),
		CASE(one_endpoint_down_is_survived_and_told),
		CASE(one_endpoint_that_hangs_costs_one_timeout),
		CASE(an_endpoint_that_hung_is_waited_for_less_until_it_answers),
		CASE(the_log_names_scheme_and_host_of_an_endpoint_and_no_key),
		CASE(no_endpoint_means_unavailable_for_every_call),
		CASE(the_lower_head_counts),
		CASE(an_endpoint_far_behind_is_told),
		CASE(a_block_is_there_when_both_have_it),
		CASE(transfers_come_from_the_first_that_answers),
		CASE(balances_must_agree),
		CASE(nonces_must_agree_at_a_height_and_the_lower_counts_at_the_head),
		CASE(the_higher_fee_counts),
		CASE(views_and_estimates_come_from_the_first_that_answers),
		CASE(all_endpoints_are_told_and_one_that_takes_is_enough),
	};

	fetch_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
