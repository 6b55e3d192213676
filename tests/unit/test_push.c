/* Web push: the example of RFC 8291 (section 5 and appendix A) byte by byte, the limits, and the authorization. */
#include "unit.h"

#include <string.h>
#include <talloc.h>
#include "net/fetch.h"
#include "net/jwks.h"
#include "net/push.h"
#include "net/token.h"

static const char p256dh[] = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
static const char auth[] = "BTBZMqHH6r4Tts7J_aSIgg";
static const char example_secret[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
static const char example_salt[] = "DGv6ra1nlYgDCS1FRnbzlw";
static const char example_text[] = "When I grow up, I want to be a watermelon";
static const char example_body[] = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
				   "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl9"
				   "5bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

static void
take(const char *text, uint8_t *out, size_t size)
{
	size_t len;
	uint8_t *bytes = jwks_bytes(NULL, text, strlen(text), &len);

	assert_non_null(bytes);
	assert_int_equal(len, size);
	memcpy(out, bytes, size);
	talloc_free(bytes);
}

static void
the_example_of_rfc_8291_comes_out_byte_by_byte(void **state)
{
	uint8_t secret[P256_NUMBER_SIZE], salt[PUSH_SALT_SIZE], body[PUSH_BODY_MAX];
	struct push_browser browser;
	const char *faulty;
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(push_browser_read(p256dh, auth, &browser, &faulty), 0);
	take(example_secret, secret, sizeof(secret));
	take(example_salt, salt, sizeof(salt));
	len = push_encrypt(&browser, secret, salt, example_text, strlen(example_text), body);
	text = text_base64url(NULL, body, len);
	assert_string_equal(text, example_body);
	talloc_free(text);
}

static void
the_longest_message_fills_a_body_and_none_at_all_is_a_message_too(void **state)
{
	uint8_t secret[P256_NUMBER_SIZE], salt[PUSH_SALT_SIZE] = { 0 }, body[PUSH_BODY_MAX];
	static char message[PUSH_MESSAGE_MAX];
	struct push_browser browser;
	const char *faulty;

	(void)state;
	assert_int_equal(push_browser_read(p256dh, auth, &browser, &faulty), 0);
	p256_generate(secret);
	memset(message, 'x', sizeof(message));
	assert_int_equal(push_encrypt(&browser, secret, salt, message, sizeof(message), body), PUSH_BODY_MAX);
	assert_int_equal(push_encrypt(&browser, secret, salt, "", 0, body), 103);
}

static void
only_a_browser_s_own_keys_are_taken(void **state)
{
	static const struct {
		const char *p256dh, *auth, *faulty; /* NULL: good */
	} rows[] = {
		{ p256dh, auth, NULL },
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=",
		    "BTBZMqHH6r4Tts7J_aSIgg==", NULL }, /* padded */
		{ "", auth, "p256dh" },
		{ "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw0", auth,
		    "p256dh" }, /* off the curve */
		{ "BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth,
		    "p256dh" }, /* the other alphabet */
		{ "BCVxsr7N", auth, "p256dh" },
		{ p256dh, "", "auth" },
		{ p256dh, "BTBZMqHH6r4Tts7J_aSI", "auth" },
		{ p256dh, "BTBZMqHH6r4Tts7J_aSIggAA", "auth" },
		{ p256dh, "not base64!", "auth" },
	};
	struct push_browser browser;
	const char *faulty;

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		int rc = push_browser_read(rows[i].p256dh, rows[i].auth, &browser, &faulty);

		assert_int_equal(rc, rows[i].faulty == NULL ? 0 : -1);
		if (rc != 0)
			assert_string_equal(faulty, rows[i].faulty);
	}
}

/* The token's payload, as text. */
static char *
claims_of(const void *ctx, const char *authorization)
{
	const char *payload = strchr(authorization, '.') + 1;
	size_t len;

	return (char *)jwks_bytes(ctx, payload, strcspn(payload, "."), &len);
}

static void
a_token_is_for_the_endpoint_s_origin_and_half_a_day(void **state)
{
	static const struct {
		const char *endpoint, *claims;
	} rows[] = {
		{ "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
		    "{\"aud\":\"https://push.example.net\",\"exp\":1793491200,\"sub\":\"https://ho.example\"}" },
		{ "http://127.0.0.1:8080/a/b?c",
		    "{\"aud\":\"http://127.0.0.1:8080\",\"exp\":1793491200,\"sub\":\"https://ho.example\"}" },
		{ "https://push.example.net?x",
		    "{\"aud\":\"https://push.example.net\",\"exp\":1793491200,\"sub\":\"https://ho.example\"}" },
	};
	static const uint8_t key[SEAL_KEY_SIZE] = { 1 };
	struct token_signer *signer = push_signer_new(NULL, key), *receipts = token_signer_new(signer, key);
	char *public = push_public_key(signer, signer);

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char *value = push_authorization(
		    signer, signer, rows[i].endpoint, "https://ho.example", INT64_C(1793448000) * 1000);

		assert_memory_equal(value, "vapid t=", 8);
		assert_string_equal(strstr(value, ", k=") + 4, public);
		assert_string_equal(claims_of(signer, value), rows[i].claims);
	}
	assert_int_equal(strlen(public), 87);
	assert_string_not_equal(public, push_public_key(receipts, signer));
	talloc_free(signer);
}

static void
a_push_never_goes_to_a_private_address(void **state)
{
	static const uint8_t key[SEAL_KEY_SIZE] = { 1 };
	struct push push = { .message = "{}", .subject = "https://ho.example", .ttl_s = 60 };
	struct token_signer *signer = push_signer_new(NULL, key);
	const char *faulty, *const endpoints[] = { "https://127.0.0.1:1/x", "https://[::1]:1/x", "http://10.0.0.1/x" };

	(void)state;
	assert_int_equal(push_browser_read(p256dh, auth, &push.browser, &faulty), 0);
	for (size_t i = 0; i < nitems(endpoints); i++) {
		struct fetch_answer answer = { 0 };

		push.endpoint = endpoints[i];
		push_send(signer, signer, &push, 0, &answer);
		assert_int_equal(answer.status, 0);
		assert_true(answer.problem[0] != 0);
	}
	talloc_free(signer);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_8291_comes_out_byte_by_byte),
		cmocka_unit_test(the_longest_message_fills_a_body_and_none_at_all_is_a_message_too),
		cmocka_unit_test(only_a_browser_s_own_keys_are_taken),
		cmocka_unit_test(a_token_is_for_the_endpoint_s_origin_and_half_a_day),
		cmocka_unit_test(a_push_never_goes_to_a_private_address),
	};

	fetch_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
