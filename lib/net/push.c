/*
 * Web push, one message to one browser: encryption, authorization, the call.  The curve is base/p256.c's, signing
 * net/token.c's, and net/fetch.c keeps the call away from private addresses, since an endpoint is what a stranger says it is.
 */
#include "net/push.h"

#include <assert.h>
#include <json-c/json.h>
#include <nettle/gcm.h>
#include <string.h>
#include <talloc.h>
#include "base/text.h"
#include "net/fetch.h"
#include "net/jwks.h"
#include "net/token.h"

enum {
	TIMEOUT_MS = 10000,
	ANSWER_MAX = 4096,
	TOKEN_SECONDS = 12 * 3600, /* RFC 8292, section 2: at most a day */
	KEY_SIZE = 16,
	NONCE_SIZE = 12,
	TAG_SIZE = 16,
	HEAD_SIZE = PUSH_SALT_SIZE + 4 + 1 + P256_POINT_SIZE,
	LAST_RECORD = 2, /* the delimiter behind the last record's text (RFC 8188, section 2) */
};

static_assert(HEAD_SIZE + PUSH_MESSAGE_MAX + 1 + TAG_SIZE == PUSH_BODY_MAX, "a full message makes a full body");

/* Base64url of exactly that many bytes. */
static int
read_bytes(const char *text, uint8_t *out, size_t size)
{
	size_t len = strlen(text), got;
	uint8_t *bytes;
	int rc = -1;

	while (len > 0 && text[len - 1] == '=')
		len--;
	bytes = jwks_bytes(NULL, text, len, &got);
	if (bytes != NULL && got == size) {
		memcpy(out, bytes, size);
		rc = 0;
	}
	talloc_free(bytes);
	return rc;
}

int
push_browser_read(const char *p256dh, const char *auth, struct push_browser *browser, const char **faulty)
{
	*faulty = "p256dh";
	if (read_bytes(p256dh, browser->point, sizeof(browser->point)) || !p256_is_point(browser->point))
		return -1;
	*faulty = "auth";
	return read_bytes(auth, browser->auth, sizeof(browser->auth));
}

struct token_signer *
push_signer_new(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE])
{
	return token_signer_for(ctx, secret_key, "humanops/push/v1");
}

char *
push_public_key(const struct token_signer *signer, const void *ctx)
{
	return text_base64url(ctx, token_point(signer), P256_POINT_SIZE);
}

/* RFC 8291, section 3.4: what ECDH and the browser's own secret come to. */
static void
derive_input(const struct push_browser *browser, const uint8_t secret[P256_NUMBER_SIZE],
    const uint8_t ours[P256_POINT_SIZE], uint8_t input[SHA256_SIZE])
{
	static const char label[] = "WebPush: info"; /* its NUL counts */
	uint8_t shared[P256_NUMBER_SIZE], info[sizeof(label) + 2 * P256_POINT_SIZE];

	memcpy(info, label, sizeof(label));
	memcpy(info + sizeof(label), browser->point, P256_POINT_SIZE);
	memcpy(info + sizeof(label) + P256_POINT_SIZE, ours, P256_POINT_SIZE);
	p256_agree(secret, browser->point, shared);
	crypto_hkdf_sha256(
	    browser->auth, PUSH_AUTH_SIZE, shared, sizeof(shared), info, sizeof(info), input, SHA256_SIZE);
	crypto_wipe(shared, sizeof(shared));
}

/* RFC 8188, section 2.1: salt, size of a record, key id. */
static void
print_head(const uint8_t salt[PUSH_SALT_SIZE], const uint8_t ours[P256_POINT_SIZE], uint8_t head[HEAD_SIZE])
{
	uint8_t *out = head + PUSH_SALT_SIZE;

	memcpy(head, salt, PUSH_SALT_SIZE);
	*out++ = 0;
	*out++ = 0;
	*out++ = PUSH_BODY_MAX >> 8;
	*out++ = PUSH_BODY_MAX & 0xff;
	*out++ = P256_POINT_SIZE;
	memcpy(out, ours, P256_POINT_SIZE);
}

size_t
push_encrypt(const struct push_browser *browser, const uint8_t secret[P256_NUMBER_SIZE],
    const uint8_t salt[PUSH_SALT_SIZE], const char *message, size_t len, uint8_t body[PUSH_BODY_MAX])
{
	static const char key_label[] = "Content-Encoding: aes128gcm", nonce_label[] = "Content-Encoding: nonce";
	uint8_t ours[P256_POINT_SIZE], input[SHA256_SIZE], key[KEY_SIZE], nonce[NONCE_SIZE];
	uint8_t *text = body + HEAD_SIZE;
	struct gcm_aes128_ctx gcm;

	assert(len <= PUSH_MESSAGE_MAX);
	p256_public(secret, ours);
	derive_input(browser, secret, ours, input);
	crypto_hkdf_sha256(salt, PUSH_SALT_SIZE, input, sizeof(input), key_label, sizeof(key_label), key, sizeof(key));
	crypto_hkdf_sha256(
	    salt, PUSH_SALT_SIZE, input, sizeof(input), nonce_label, sizeof(nonce_label), nonce, sizeof(nonce));
	print_head(salt, ours, body);
	memcpy(text, message, len);
	text[len++] = LAST_RECORD;
	gcm_aes128_set_key(&gcm, key);
	gcm_aes128_set_iv(&gcm, sizeof(nonce), nonce);
	gcm_aes128_encrypt(&gcm, len, text, text);
	gcm_aes128_digest(&gcm, TAG_SIZE, text + len);
	crypto_wipe(input, sizeof(input));
	crypto_wipe(key, sizeof(key));
	crypto_wipe(&gcm, sizeof(gcm));
	return HEAD_SIZE + len + TAG_SIZE;
}

char *
push_authorization(
    const struct token_signer *signer, const void *ctx, const char *endpoint, const char *subject, int64_t now_ms)
{
	const char *host = strstr(endpoint, "://");
	struct json_object *claims = json_object_new_object();
	char *token, *value;
	size_t origin;

	assert(host != NULL); /* fetch_url_ok let it in */
	origin = (size_t)(host - endpoint) + 3 + strcspn(host + 3, "/?#");
	json_object_object_add(claims, "aud", json_object_new_string_len(endpoint, (int)origin));
	json_object_object_add(claims, "exp", json_object_new_int64(now_ms / 1000 + TOKEN_SECONDS));
	json_object_object_add(claims, "sub", json_object_new_string(subject));
	token = token_sign(signer, ctx, "JWT",
	    json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	value = talloc_asprintf(ctx, "vapid t=%s, k=%s", token, push_public_key(signer, token));
	assert(value != NULL);
	talloc_free(token);
	json_object_put(claims);
	return value;
}

void
push_send(const void *ctx, const struct token_signer *signer, const struct push *push, int64_t now_ms,
    struct fetch_answer *answer)
{
	uint8_t secret[P256_NUMBER_SIZE], salt[PUSH_SALT_SIZE], body[PUSH_BODY_MAX];
	const char *headers[] = {
		"Content-Type: application/octet-stream",
		"Content-Encoding: aes128gcm",
		"Urgency: normal",
		talloc_asprintf(ctx, "TTL: %d", push->ttl_s),
		talloc_asprintf(
		    ctx, "Authorization: %s", push_authorization(signer, ctx, push->endpoint, push->subject, now_ms)),
		NULL,
	};
	struct fetch fetch = {
		.method = "POST",
		.url = push->endpoint,
		.headers = headers,
		.body = body,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
		.flags = push->flags,
	};

	p256_generate(secret);
	crypto_random(salt, sizeof(salt));
	fetch.body_len = push_encrypt(&push->browser, secret, salt, push->message, strlen(push->message), body);
	crypto_wipe(secret, sizeof(secret));
	fetch_run(ctx, &fetch, answer);
}
