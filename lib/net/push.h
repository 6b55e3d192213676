#ifndef NET_PUSH_H
#define NET_PUSH_H

#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/p256.h"

/*
 * Web push: a message for one browser, encrypted so that the push service cannot read it (RFC 8291, RFC 8188), and sent in
 * our name (VAPID, RFC 8292).  Who subscribed, and what happens when a push service refuses, is left to core.
 */

struct fetch_answer;
struct token_signer;

enum {
	PUSH_AUTH_SIZE = 16,
	PUSH_SALT_SIZE = 16,
	PUSH_BODY_MAX = 4096,	/* what every push service takes (RFC 8030, section 7.2) */
	PUSH_MESSAGE_MAX = 3993 /* what is left of it for the message */
};

/* What a browser tells of itself when it subscribes. */
struct push_browser {
	uint8_t point[P256_POINT_SIZE]; /* p256dh */
	uint8_t auth[PUSH_AUTH_SIZE];
};

struct push {
	const char *endpoint;
	struct push_browser browser;
	const char *message; /* at most PUSH_MESSAGE_MAX bytes */
	const char *subject; /* who answers for us: an https or mailto address */
	int ttl_s;	     /* how long the service keeps it for a browser that sleeps */
	unsigned flags;	     /* of struct fetch: private addresses and plain HTTP are refused without them */
};

/* Both in base64url, unpadded or padded.  0, or -1 and which of the two is faulty. */
int push_browser_read(const char *p256dh, const char *auth, struct push_browser *browser, const char **faulty);

/* Whose tokens a browser's subscription is bound to; the caller's context owns it. */
struct token_signer *push_signer_new(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE]);

/* The public key, base64url, as PushManager.subscribe takes it (applicationServerKey). */
char *push_public_key(const struct token_signer *signer, const void *ctx);

/* The body of a push with a given one-time key and salt; body has PUSH_BODY_MAX bytes.  Returns how many it takes. */
size_t push_encrypt(const struct push_browser *browser, const uint8_t secret[P256_NUMBER_SIZE],
    const uint8_t salt[PUSH_SALT_SIZE], const char *message, size_t len, uint8_t body[PUSH_BODY_MAX]);

/* The Authorization header's value: a token for the endpoint's origin, good for twelve hours. */
char *push_authorization(
    const struct token_signer *signer, const void *ctx, const char *endpoint, const char *subject, int64_t now_ms);

/* Sends it once; answer as of fetch_run (net/fetch.h). */
void push_send(const void *ctx, const struct token_signer *signer, const struct push *push, int64_t now_ms,
    struct fetch_answer *answer);

#endif
