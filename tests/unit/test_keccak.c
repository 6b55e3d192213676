/* Keccak-256: published answers, and every length around the sponge's block of 136 bytes. */
#include "unit.h"

#include <nettle/sha3.h>
#include <string.h>
#include "chain/keccak.h"

enum { BLOCK = SHA3_256_BLOCK_SIZE, LENGTHS = 3 * BLOCK + 2 };

static void
published_texts_have_their_digests(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{ "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
		{ "abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
		{ "Transfer(address,address,uint256)",
		    "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" },
		{ "transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b" },
		{ "The quick brown fox jumps over the lazy dog",
		    "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15" },
	};
	uint8_t digest[KECCAK_SIZE];
	char hex[2 * KECCAK_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		keccak256(rows[i].text, strlen(rows[i].text), digest);
		text_hex(digest, sizeof(digest), hex);
		assert_string_equal(hex, rows[i].digest);
	}
}

/* SHA3-256, which differs by one byte of padding. */
static void
sha3(const uint8_t *text, size_t len, uint8_t out[KECCAK_SIZE])
{
	struct sha3_256_ctx ctx;

	sha3_256_init(&ctx);
	sha3_256_update(&ctx, len, text);
	sha3_256_digest(&ctx, KECCAK_SIZE, out);
}

static void
every_length_has_a_digest_of_its_own_and_none_is_sha3(void **state)
{
	static uint8_t text[LENGTHS], seen[LENGTHS][KECCAK_SIZE];
	uint8_t other[KECCAK_SIZE];

	(void)state;
	for (size_t len = 0; len < LENGTHS; len++) {
		keccak256(text, len, seen[len]);
		sha3(text, len, other);
		assert_memory_not_equal(seen[len], other, KECCAK_SIZE);
		for (size_t i = 0; i < len; i++)
			assert_memory_not_equal(seen[len], seen[i], KECCAK_SIZE);
	}
}

/* The digest of the digests of 0 to 409 bytes 0, 1, 2, …, as js-sha3 0.13.0 has it. */
static void
all_lengths_up_to_three_blocks_agree_with_another_implementation(void **state)
{
	static const char want[] = "984e9320792485fd2865469342e07e8089e5c359133d78c623a698017c340572";
	static uint8_t text[LENGTHS], all[LENGTHS * KECCAK_SIZE];
	uint8_t digest[KECCAK_SIZE];
	char hex[2 * KECCAK_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < LENGTHS; i++)
		text[i] = (uint8_t)i;
	for (size_t len = 0; len < LENGTHS; len++)
		keccak256(text, len, all + len * KECCAK_SIZE);
	keccak256(all, sizeof(all), digest);
	text_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_texts_have_their_digests),
		cmocka_unit_test(every_length_has_a_digest_of_its_own_and_none_is_sha3),
		cmocka_unit_test(all_lengths_up_to_three_blocks_agree_with_another_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
