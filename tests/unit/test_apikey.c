/* The form of API keys and of idempotency keys; what the database says of them is tested through HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/error.h"
#include "base/text.h"
#include "core/apikey.h"
#include "core/replay.h"

static void
a_key_tells_its_bucket_and_is_never_made_twice(void **state)
{
	static const int buckets[] = { 0, 1, 31, 32, 511, 1023 };

	(void)state;
	for (size_t i = 0; i < nitems(buckets); i++) {
		struct apikey_secret one, two;
		uint8_t hash[SHA256_SIZE];
		const char *digits = one.text + strlen("ho_live_");

		apikey_make(buckets[i], &one);
		apikey_make(buckets[i], &two);
		assert_int_equal(strlen(one.text), APIKEY_TEXT_SIZE - 1);
		assert_memory_equal(one.text, "ho_live_", 8);
		assert_memory_equal(digits, one.handle, APIKEY_HANDLE_LEN);
		assert_int_equal(text_unbase32_digit(digits[0]) << 5 | text_unbase32_digit(digits[1]), buckets[i]);
		assert_string_not_equal(one.handle, two.handle);
		assert_string_not_equal(one.text + APIKEY_TEXT_SIZE - 20, two.text + APIKEY_TEXT_SIZE - 20);
		crypto_sha256(one.text, strlen(one.text), hash);
		assert_memory_equal(hash, one.hash, SHA256_SIZE);
	}
}

static void
only_the_handle_of_a_key_is_shown(void **state)
{
	char prefix[APIKEY_PREFIX_SIZE];
	struct apikey_secret secret;

	(void)state;
	apikey_make(7, &secret);
	apikey_prefix(secret.handle, prefix);
	assert_int_equal(strlen(prefix), 8 + APIKEY_HANDLE_LEN + 2);
	assert_memory_equal(prefix, secret.text, 8 + APIKEY_HANDLE_LEN);
	assert_string_equal(prefix + 8 + APIKEY_HANDLE_LEN, "..");
}

/* Without a database: whatever has not the form is refused before one is asked. */
static void
what_has_not_the_form_of_a_key_is_refused(void **state)
{
	static const char *const texts[] = { "", "ho_live_", "ho_live_EXAMPLE_KEY", "ho_test_",
		"ho_live_0000000000000000000000000000000000000000000000000000u",
		"ho_live_000000000000000000000000000000000000000000000000000",
		"ho_live_00000000000000000000000000000000000000000000000000000",
		"HO_LIVE_0000000000000000000000000000000000000000000000000000",
		"ho_live_000000000000000000000000000000000000000000000000000U" };
	struct apikey key;

	(void)state;
	for (size_t i = 0; i < nitems(texts); i++) {
		struct error err = { 0 };

		assert_int_equal(apikey_check(NULL, texts[i], 0, &key, &err), -1);
		assert_int_equal(err.code, ERR_unauthorized);
		error_clear(&err);
	}
}

static void
an_idempotency_key_is_1_to_255_printable_ascii_characters(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'k', sizeof(longest));
	longest[255] = '\0';
	assert_true(replay_key_ok(longest));
	longest[255] = 'k';
	longest[256] = '\0';
	assert_false(replay_key_ok(longest));
	assert_true(replay_key_ok("a"));
	assert_true(replay_key_ok("!~"));
	assert_false(replay_key_ok(""));
	assert_false(replay_key_ok("a b"));
	assert_false(replay_key_ok("a\tb"));
	assert_false(replay_key_ok("a\x7f"));
	assert_false(replay_key_ok("caf\xc3\xa9"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_tells_its_bucket_and_is_never_made_twice),
		cmocka_unit_test(only_the_handle_of_a_key_is_shown),
		cmocka_unit_test(what_has_not_the_form_of_a_key_is_refused),
		cmocka_unit_test(an_idempotency_key_is_1_to_255_printable_ascii_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
