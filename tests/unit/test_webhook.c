/* Signing and pacing of webhooks.  Expected signatures were computed with openssl dgst and with Standard Webhooks' example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <talloc.h>
#include "base/text.h"
#include "core/job.h"
#include "core/webhook.h"

static void
the_signature_is_the_hex_hmac_of_the_body(void **state)
{
	static const struct {
		const char *secret, *body, *hex;
	} rows[] = {
		{ "key", "The quick brown fox jumps over the lazy dog",
		    "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" },
		{ "Jefe", "what do ya want for nothing?", /* RFC 4231, case 2 */
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	};
	char hex[2 * SHA256_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		webhook_sign(rows[i].secret, rows[i].body, strlen(rows[i].body), hex);
		assert_string_equal(hex, rows[i].hex);
	}
}

/* The example of the Standard Webhooks specification and its libraries. */
static void
the_standard_signature_is_that_of_standard_webhooks(void **state)
{
	char *sent = webhook_sign_standard(NULL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	    "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}");

	(void)state;
	assert_string_equal(sent, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	talloc_free(sent);
}

/* A secret without the prefix, or with a prefix and no base64 behind it, is the key as it stands. */
static void
a_plain_secret_is_the_key_itself(void **state)
{
	char *plain = webhook_sign_standard(NULL, "Jefe", "a", 1, "b"), *odd;

	(void)state;
	assert_string_equal(plain, "v1,0b+Q6TcYoRmqqnbg3vIwMFStb5NeqHhB3kprRCCJED0=");
	talloc_free(plain);
	odd = webhook_sign_standard(NULL, "whsec_!", "a", 1, "b");
	assert_string_equal(odd, "v1,DmNwO/AKl66AdYNM4fz02EAri6Z5kn3vgBUwwxtbC+M=");
	talloc_free(odd);
}

static void
ten_attempts_take_75_hours_and_some(void **state)
{
	int64_t sum = 0;

	(void)state;
	for (int i = 1; i < WEBHOOK_ATTEMPTS; i++) {
		assert_true(webhook_delay_ms(i) > 0);
		assert_true(i == 1 || webhook_delay_ms(i) > webhook_delay_ms(i - 1));
		sum += webhook_delay_ms(i);
	}
	assert_int_equal(webhook_delay_ms(1), 5000);
	assert_int_equal(sum / 3600000, 75);
	assert_int_equal(webhook_delay_ms(0), 0);
	assert_int_equal(webhook_delay_ms(WEBHOOK_ATTEMPTS), 0);
}

static void
jitter_lengthens_by_a_tenth_at_most(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t delay = job_jitter(100000);

		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	assert_true(least >= 100000 && least < 101000);
	assert_true(most <= 110000 && most > 109000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_is_the_hex_hmac_of_the_body),
		cmocka_unit_test(the_standard_signature_is_that_of_standard_webhooks),
		cmocka_unit_test(a_plain_secret_is_the_key_itself),
		cmocka_unit_test(ten_attempts_take_75_hours_and_some),
		cmocka_unit_test(jitter_lengthens_by_a_tenth_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
