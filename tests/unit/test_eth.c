/*
 * Addresses, signatures, transactions.  Expected signatures and transactions were made with @ethersproject 5.8.0 (elliptic,
 * bn.js, js-sha3); random ones are compared with two libraries by tests/chain/vectors.test.mjs.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>
#include "base/error.h"
#include "capture.h"
#include "chain/eth.h"

/* The first of the well-known accounts of development nodes. */
#define SECRET "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define USDC "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

/* Its signature of "hello", and the same with n - s in place of s. */
#define R "f16ea9a3478698f695fd1401bfe27e9e4a7e8e3da94aa72b021125e31fa899cc"
#define S "573c48ea3fe1d4ab61a9db10c19032026e3ed2dbccba5a178235ac27f9450431"
#define HIGH_S "a8c3b715c01e2b549e5624ef3e6fcdfc4c700a0ae28e46243d9cb264d6f13d10"
#define N "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define N_LESS_1 "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
#define HALF_N "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"
#define HALF_N_1 "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define TWO "0000000000000000000000000000000000000000000000000000000000000002"
#define FIVE "0000000000000000000000000000000000000000000000000000000000000005"
#define MOST "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void
addresses_are_read_in_one_case_or_with_their_checksum(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		/* EIP-55's own */
		{ "0x52908400098527886E0F7030069857D2E4169EE7", 0 },
		{ "0x8617E340B3D01FA5F11F306F4090FD50E238070D", 0 },
		{ "0xde709f2102306220921060314715629080e2fb77", 0 },
		{ "0x27b1fdb04752bbc536007a920d24acb045561c26", 0 },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 0 },
		{ "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", 0 },
		{ "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", 0 },
		{ "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", 0 },
		{ USDC, 0 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", 0 },
		{ "0x833589FCD6EDB6E08F4C7C32D4F71B54BDA02913", 0 },
		{ "0x0000000000000000000000000000000000000000", 0 },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", -2 },
		{ "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", -2 },
		{ "0x833589FcD6eDb6E08f4c7C32D4f71b54bdA02913", -2 },
		{ "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914", -2 },
		{ "", -1 },
		{ "0x", -1 },
		{ "833589fcd6edb6e08f4c7c32d4f71b54bda02913", -1 },
		{ "0X833589fcd6edb6e08f4c7c32d4f71b54bda02913", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda0291", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda029130", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda0291300", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda0291g", -1 },
		{ "0x 33589fcd6edb6e08f4c7c32d4f71b54bda02913", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913 ", -1 },
		{ " 0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", -1 },
		{ "0x833589fcd6edb6e08f4c7c32d4f71b54bda0291\n", -1 },
		{ "0x-33589fcd6edb6e08f4c7c32d4f71b54bda02913", -1 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct eth_address address = { { 0xee } }, untouched = address;

		assert_int_equal(eth_address_parse(rows[i].text, &address), rows[i].rc);
		if (rows[i].rc == 0)
			assert_false(eth_address_equal(address, untouched));
		else
			assert_true(eth_address_equal(address, untouched));
	}
}

static void
addresses_are_written_with_checksum_or_in_lower_case(void **state)
{
	static const char *const rows[][2] = {
		{ "0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7" },
		{ "0xde709f2102306220921060314715629080e2fb77", "0xde709f2102306220921060314715629080e2fb77" },
		{ "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed" },
		{ USDC, "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913" },
	};
	char text[ETH_ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct eth_address a, b;

		assert_int_equal(eth_address_parse(rows[i][0], &a), 0);
		assert_int_equal(eth_address_parse(rows[i][1], &b), 0);
		assert_true(eth_address_equal(a, b));
		eth_address_print(b, text);
		assert_string_equal(text, rows[i][0]);
		eth_address_print_lower(a, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void
money_is_never_sent_where_nobody_has_a_key(void **state)
{
	static const struct {
		const char *text;
		bool is_burn;
	} rows[] = {
		{ "0x0000000000000000000000000000000000000000", true },
		{ "0x0000000000000000000000000000000000000001", true },
		{ "0x0000000000000000000000000000000000000009", true },
		{ "0x00000000000000000000000000000000000000ff", true },
		{ "0x0000000000000000000000000000000000000100", true },
		{ "0x000000000000000000000000000000000000dEaD", true },
		{ "0xdead000000000000000000000000000000000000", true },
		{ "0xdead000000000000000042069420694206942069", true },
		{ "0x1111111111111111111111111111111111111111", true },
		{ "0xffffffffffffffffffffffffffffffffffffffff", true },
		{ "0x4200000000000000000000000000000000000006", true },
		{ "0x420000000000000000000000000000000000000f", true },
		{ "0x0000000000000000000000000000000000010000", false },
		{ "0x4200000000000000000000000000000000010006", false },
		{ "0xdead000000000000000000000000000000000001", false },
		{ "0xfffffffffffffffffffffffffffffffffffffffe", false },
		{ "0x1111111111111111111111111111111111111112", false },
		{ ADDRESS, false },
		{ USDC, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct eth_address address;

		assert_int_equal(eth_address_parse(rows[i].text, &address), 0);
		assert_int_equal(eth_address_is_burn(address), rows[i].is_burn);
	}
}

static void
hashes_are_read_in_either_case_and_written_in_one(void **state)
{
	static const char good[] = "0xDDf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3EF";
	static const char lower[] = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
	static const char *const bad[] = {
		"",
		"0x",
		"ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
		"0Xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
		"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3e",
		"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef0",
		"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef00",
		"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3e ",
		"0xzdf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
	};
	struct eth_hash hash, other = { { 0 } }, kept;
	char text[ETH_HASH_TEXT];

	(void)state;
	assert_int_equal(eth_hash_parse(good, &hash), 0);
	eth_hash_print(hash, text);
	assert_string_equal(text, lower);
	assert_false(eth_hash_equal(hash, other));
	assert_int_equal(eth_hash_parse(lower, &other), 0);
	assert_true(eth_hash_equal(hash, other));
	kept = other;
	for (size_t i = 0; i < nitems(bad); i++) {
		assert_int_equal(eth_hash_parse(bad[i], &other), -1);
		assert_true(eth_hash_equal(other, kept));
	}
}

/* The address as text, or "" for no signature. */
static const char *
recovered(const char *message, const char *signature)
{
	static char text[ETH_ADDRESS_TEXT];
	struct eth_address address = { { 0xee } }, untouched = address;

	if (eth_recover_message(message, strlen(message), signature, &address)) {
		assert_true(eth_address_equal(address, untouched));
		return "";
	}
	eth_address_print(address, text);
	return text;
}

static void
a_signed_text_names_its_signer(void **state)
{
	static const struct {
		const char *message, *signature;
	} rows[] = {
		{ "", "0xc1977b761f1dd36c29795783460d241885c8e7f9d962dbe7bba2753fd94e89b4"
		      "44a1cd9ed855dd09afa3b73f7c2bd097ec9abc2d2775d737505a02d3f0cafa591b" },
		{ "hello", "0x" R S "1c" },
		{ "hello", "0x" R S "01" },
		{ "HumanOps wallet binding\n\nÄÖ€😀",
		    "0xa2312a1ce10fa884c4402d44ba614b796a3da2b98734e54975f6361138542bc0"
		    "5cf96fa5fa8aaa44b2f8a70eea831c35fac7bd6567c6b66989177dc6594edd4e1b" },
		{ "HumanOps wallet binding\n\nÄÖ€😀",
		    "0xA2312A1CE10FA884C4402D44BA614B796A3DA2B98734E54975F6361138542BC0"
		    "5CF96FA5FA8AAA44B2F8A70EEA831C35FAC7BD6567C6B66989177DC6594EDD4E00" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		assert_string_equal(recovered(rows[i].message, rows[i].signature), ADDRESS);
}

/* Any 65 bytes in range may name somebody; never him who did not sign this. */
static void
another_text_or_parity_names_another(void **state)
{
	(void)state;
	assert_string_not_equal(recovered("hellp", "0x" R S "1c"), ADDRESS);
	assert_string_not_equal(recovered("hello ", "0x" R S "1c"), ADDRESS);
	assert_string_not_equal(recovered("hello", "0x" R S "1b"), ADDRESS);
	assert_string_not_equal(recovered("hello", "0x" S R "1b"), ADDRESS);
}

static void
what_is_no_signature_names_nobody(void **state)
{
	static const char *const rows[] = {
		"",
		"0x",
		R S "1c",
		"0X" R S "1c",
		"0x" R S,
		"0x" R S "1",
		"0x" R S "1c0",
		"0x" R S "1c00",
		"0x" R S "1c ",
		" 0x" R S "1c",
		"0x" R S "1g",
		"0x" R S "-1",
		/* EIP-2: the other s, whichever v */
		"0x" R HIGH_S "1b",
		"0x" R HIGH_S "1c",
		"0x" R HIGH_S "00",
		"0x" R HIGH_S "01",
		"0x" R HALF_N_1 "1b",
		"0x" R HALF_N_1 "1c",
		"0x" R N_LESS_1 "1b",
		/* r and s from 1 to n - 1 */
		"0x" ZERO S "1b",
		"0x" ZERO S "1c",
		"0x" R ZERO "1b",
		"0x" R ZERO "1c",
		"0x" ZERO ZERO "1b",
		"0x" N S "1b",
		"0x" R N "1b",
		"0x" MOST S "1c",
		"0x" R MOST "1c",
		"0x" MOST MOST "1c",
		/* a point whose x is above the order: only v = 2 or 3 could tell, and Ethereum has none */
		"0x" TWO S "02",
		"0x" TWO S "03",
		"0x" TWO S "1d",
		"0x" TWO S "1e",
		/* no point has this x */
		"0x" FIVE S "1b",
		"0x" FIVE S "1c",
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		assert_string_equal(recovered("hello", rows[i]), "");
	/* Their neighbours within the bounds are signatures, of somebody. */
	assert_string_not_equal(recovered("hello", "0x" R HALF_N "1b"), "");
	assert_string_not_equal(recovered("hello", "0x" R ONE "1b"), "");
	assert_string_not_equal(recovered("hello", "0x" ONE S "1b"), "");
}

static void
v_is_0_1_27_or_28(void **state)
{
	char signature[2 + 130 + 1];

	(void)state;
	for (int v = 0; v < 256; v++) {
		bool is_good = v == 0 || v == 1 || v == 27 || v == 28;

		snprintf(signature, sizeof(signature), "0x" R S "%02x", (unsigned)v);
		assert_int_equal(recovered("hello", signature)[0] != '\0', is_good);
	}
}

static struct eth_key *
test_key(void)
{
	uint8_t secret[32];
	struct eth_key *key;

	text_unhex(SECRET, secret, sizeof(secret));
	key = eth_key_new(secret);
	assert_non_null(key);
	return key;
}

static void
a_key_is_between_zero_and_the_order(void **state)
{
	static const struct {
		const char *hex, *address;
	} rows[] = {
		{ SECRET, ADDRESS },
		{ ONE, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" },
		{ N_LESS_1, "0x80C0dbf239224071c59dD8970ab9d542E3414aB2" },
		{ ZERO, NULL },
		{ N, NULL },
		{ MOST, NULL },
	};
	char text[ETH_ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		uint8_t secret[32];
		struct eth_key *key;

		text_unhex(rows[i].hex, secret, sizeof(secret));
		key = eth_key_new(secret);
		assert_int_equal(key != NULL, rows[i].address != NULL);
		if (key != NULL) {
			eth_address_print(eth_key_address(key), text);
			assert_string_equal(text, rows[i].address);
		}
		eth_key_free(key);
	}
}

static struct eth_address
address_of(const char *text)
{
	struct eth_address address;

	assert_int_equal(eth_address_parse(text, &address), 0);
	return address;
}

static void
assert_signed(const struct eth_transaction *transaction, const char *want, const char *want_hash)
{
	struct eth_key *key = test_key();
	struct eth_hash hash;
	size_t len;
	void *ctx = talloc_new(NULL);
	uint8_t *raw = eth_sign(ctx, key, transaction, &len, &hash);
	char *hex = talloc_size(ctx, 2 * len + 1), text[ETH_HASH_TEXT];

	text_hex(raw, len, hex);
	assert_string_equal(hex, want);
	eth_hash_print(hash, text);
	assert_string_equal(text, want_hash);
	assert_ptr_equal(talloc_parent(raw), ctx);
	talloc_free(ctx);
	eth_key_free(key);
}

static void
transactions_have_the_bytes_that_the_chain_expects(void **state)
{
	static const uint8_t code[] = { 0x60, 0x01, 0x60, 0x01, 0x55 };
	struct eth_transaction none = { .chain_id = 8453, .to = address_of(USDC) };
	struct eth_transaction creation = { .chain_id = UINT64_C(0xffffffffffff),
		.nonce = UINT64_C(0x1fffffffffffff),
		.gas_limit = UINT64_MAX,
		.max_priority_fee = UINT64_MAX,
		.max_fee = UINT64_MAX,
		.creates = true,
		.to = address_of(USDC),
		.data = code,
		.data_len = sizeof(code) };

	(void)state;
	assert_signed(&none,
	    "02f8628221058080808094833589fcd6edb6e08f4c7c32d4f71b54bda029138080c080a0b1c311c2fc0d12eab9f2b427d6f193d8bd"
	    "b7ac50"
	    "0107cc039c1193911c712207a0293cb71d23e05128e42a37a13e9217ebb2118a0bc14aa4ad188eee64c7beaca6",
	    "0x16475a276e65102a8bafebd8e96fb1d9f57a0f07b787dd535a7928ba5742e584");
	memset(creation.value, 0xff, sizeof(creation.value));
	assert_signed(&creation,
	    "02f89686ffffffffffff871fffffffffffff88ffffffffffffffff88ffffffffffffffff88ffffffffffffffff80a0ffffffffffff"
	    "ffffff"
	    "ffffffffffffffffffffffffffffffffffffffffffffff856001600155c080a0575669844c3495870ca67e66a11aee3ceaedb45d96"
	    "0995a6"
	    "c9bd696227a6381ca013bbb430cf5686b5010c65260fddb442893f314e6d74e1b49de9e2e1fbc5cb2a",
	    "0x4777f536bb5844d259ce709e37f87a87effd9ecb1c2d90f2275e9e6fcff87c1f");
}

static void
a_transfer_of_dollars_is_a_call_of_the_token(void **state)
{
	struct eth_transaction transaction = { .chain_id = 8453,
		.nonce = 7,
		.gas_limit = 65000,
		.max_priority_fee = 1000000,
		.max_fee = 30000000,
		.to = address_of(USDC) };
	uint8_t data[ETH_TRANSFER_SIZE];
	char hex[2 * sizeof(data) + 1];

	(void)state;
	eth_transfer_data(address_of("0x70997970c51812dc3a010c7d01b50e0d17dc79c8"), 12340000, data);
	transaction.data = data;
	transaction.data_len = sizeof(data);
	assert_signed(&transaction,
	    "02f8b082210507830f42408401c9c38082fde894833589fcd6edb6e08f4c7c32d4f71b54bda0291380b844a9059cbb000000000000"
	    "00000000"
	    "000070997970c51812dc3a010c7d01b50e0d17dc79c80000000000000000000000000000000000000000000000000000000000bc4b"
	    "20c001a0"
	    "0ef786bf3aab6fb172bef84b8f79e202962ba2fc97e9e28ebdb105d05932b4f0a008fb5eed4a7b3b8f8590de2bc6e6ad249f4a31f7"
	    "02b804cb"
	    "6ddb47e01741fdb2",
	    "0x4bb66147b5d23f9ad310027084079c6f21507dbd72d245b41cbd96ae912b7b0f");
	eth_transfer_data(address_of("0xffffffffffffffffffffffffffffffffffffffff"), UINT64_MAX, data);
	text_hex(data, sizeof(data), hex);
	assert_string_equal(hex, "a9059cbb000000000000000000000000ffffffffffffffffffffffffffffffffffffffff"
				 "000000000000000000000000000000000000000000000000ffffffffffffffff");
}

/* Writes a key file of this mode and loads it. */
static struct eth_key *
key_of_file(const char *text, size_t len, mode_t mode, struct error *err)
{
	char path[] = "/tmp/key-XXXXXX";
	int fd = mkstemp(path);
	struct eth_key *key;

	assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, mode) == 0);
	close(fd);
	key = eth_key_load(path, err);
	unlink(path);
	return key;
}

static void
a_key_file_holds_64_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ SECRET, true },
		{ SECRET "\n", true },
		{ "0x" SECRET, true },
		{ "0x" SECRET "\n", true },
		{ "", false },
		{ "\n", false },
		{ "0x", false },
		{ "0x\n", false },
		{ "0X" SECRET, false },
		{ SECRET "\r\n", false },
		{ SECRET "\n\n", false },
		{ SECRET " ", false },
		{ " " SECRET, false },
		{ SECRET "00", false },
		{ "0x0x" SECRET, false },
		{ "0x" SECRET "\nmore", false },
		{ "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8", false },
		{ "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8\n", false },
		{ "gc0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", false },
		{ ZERO, false },
		{ N, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct error err = { 0 };
		struct eth_key *key;
		const char *log;

		capture_begin();
		key = key_of_file(rows[i].text, strlen(rows[i].text), 0600, &err);
		log = capture_end();
		assert_int_equal(key != NULL, rows[i].is_good);
		assert_int_equal(err.code, rows[i].is_good ? ERR_none : ERR_internal);
		assert_int_equal(log[0] != '\0', !rows[i].is_good);
		assert_null(strstr(log, "c0974bec")); /* nothing of what it holds */
		if (key != NULL)
			assert_true(eth_address_equal(eth_key_address(key), address_of(ADDRESS)));
		eth_key_free(key);
		error_clear(&err);
	}
}

static void
a_key_file_with_a_nul_in_it_is_none(void **state)
{
	struct error err = { 0 };

	(void)state;
	capture_begin();
	assert_null(key_of_file(SECRET "\0", sizeof(SECRET), 0600, &err));
	assert_null(key_of_file(SECRET "\n\0", sizeof(SECRET) + 1, 0600, &err));
	capture_end();
	error_clear(&err);
}

static void
a_key_file_that_others_may_touch_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool is_good, is_good_of_root;
	} rows[] = {
		{ 0600, true, true },
		{ 0400, true, true },
		{ 0640, false, true },
		{ 0440, false, true },
		{ 0660, false, false },
		{ 0644, false, false },
		{ 0604, false, false },
		{ 0602, false, false },
		{ 0620, false, false },
		{ 0650, false, false },
		{ 0700, false, false },
		{ 04600, false, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct error err = { 0 };
		struct eth_key *key;

		capture_begin();
		key = key_of_file(SECRET, strlen(SECRET), rows[i].mode, &err);
		capture_end();
		assert_int_equal(key != NULL, getuid() == 0 ? rows[i].is_good_of_root : rows[i].is_good);
		eth_key_free(key);
		error_clear(&err);
	}
}

/* A pipe would hang who reads it. */
static void
a_key_that_is_no_plain_file_is_refused(void **state)
{
	char folder[] = "/tmp/keys-XXXXXX", pipe_path[64];
	const char *paths[3] = { "/nonexistent/key", NULL, NULL }, *log;
	struct error err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", folder);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	paths[1] = folder;
	paths[2] = pipe_path;
	for (size_t i = 0; i < nitems(paths); i++) {
		capture_begin();
		assert_null(eth_key_load(paths[i], &err));
		log = capture_end();
		assert_non_null(strstr(log, paths[i]));
		assert_true(i == 0 || strstr(log, "is no plain file") != NULL);
		assert_int_equal(err.code, ERR_internal);
	}
	error_clear(&err);
	unlink(pipe_path);
	rmdir(folder);
	eth_key_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_in_one_case_or_with_their_checksum),
		cmocka_unit_test(addresses_are_written_with_checksum_or_in_lower_case),
		cmocka_unit_test(money_is_never_sent_where_nobody_has_a_key),
		cmocka_unit_test(hashes_are_read_in_either_case_and_written_in_one),
		cmocka_unit_test(a_signed_text_names_its_signer),
		cmocka_unit_test(another_text_or_parity_names_another),
		cmocka_unit_test(what_is_no_signature_names_nobody),
		cmocka_unit_test(v_is_0_1_27_or_28),
		cmocka_unit_test(a_key_is_between_zero_and_the_order),
		cmocka_unit_test(transactions_have_the_bytes_that_the_chain_expects),
		cmocka_unit_test(a_transfer_of_dollars_is_a_call_of_the_token),
		cmocka_unit_test(a_key_file_holds_64_digits_and_nothing_else),
		cmocka_unit_test(a_key_file_with_a_nul_in_it_is_none),
		cmocka_unit_test(a_key_file_that_others_may_touch_is_refused),
		cmocka_unit_test(a_key_that_is_no_plain_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
