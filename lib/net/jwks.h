#ifndef NET_JWKS_H
#define NET_JWKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An issuer's key set (RFC 7517), fetched and kept; for net/token.c. */

struct error;
struct json_object;

/* A key that signs tokens, and the one algorithm that it is for. */
struct jwk {
	const char *kid, *alg; /* alg: "RS256" or "ES256" */
	const char *pem;       /* SubjectPublicKeyInfo */
};

/* The set at a url; nothing is fetched yet.  The caller's context owns it, the url must outlive it. */
struct jwks *jwks_open(const void *ctx, const char *url, bool is_http_allowed);

/*
 * jwks_find(jwks, kid, now_ms, key, err):
 * The key of that id, or NULL if the issuer has none.  Fetches (5 s, 64 KiB) when there is nothing yet
 * (every ten seconds), when what there is is ten minutes old, and for an unknown id (once a minute).  While
 * the issuer is down or answers nonsense, the keys that it gave before stand.
 * Owner: the set; *key lives until the next call.
 * Fails: unavailable (there never were any keys).
 */
int jwks_find(struct jwks *jwks, const char *kid, int64_t now_ms, const struct jwk **key, struct error *err);

/* A member that is a text without U+0000; else NULL. */
const char *jwks_text(struct json_object *object, const char *name);

/* Base64url as JOSE writes it (RFC 7515, section 2), strictly: no padding, no stray bits.  NULL if it is
 * none. */
uint8_t *jwks_bytes(const void *ctx, const char *text, size_t len, size_t *out_len);

#endif
