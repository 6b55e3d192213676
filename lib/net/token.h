#ifndef NET_TOKEN_H
#define NET_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"

/*
 * Tokens: operators' JWTs (RFC 7519) checked against their issuer's key set, and our own signatures (JWS,
 * RFC 7515) for proof receipts.
 */

struct config;
struct error;

/* What an issuer says about the person whose token was proven: UTF-8 without control characters. */
struct token_claims {
	const char *sub;   /* at most 255 bytes; unique at the issuer */
	const char *email; /* or NULL: none, no plain address, or the issuer calls it unverified */
	const char *name;  /* or NULL; at most 200 bytes */
	const char *sid;   /* the session, or NULL */
	int64_t expires_ms;
	bool is_impersonated; /* claim "act": someone else acts in this person's name; no money for him */
};

/*
 * The issuer that the settings name (OPERATOR_JWT_ISSUER and its kin); NULL if they name none, since then no
 * token is valid.  Calls nobody yet; keys are kept in this process's memory.  The caller's context owns it,
 * the settings must outlive it, and fetch_init (net/fetch.h) comes first.
 */
struct token_keys *token_keys_open(const void *ctx, const struct config *config);

/*
 * token_check(keys, jwt, now_ms, ctx, claims, err):
 * Proves a compact JWS of the issuer (RS256 or ES256, as its key set says, never as the token says) and its
 * claims: iss, exp, nbf, iat, and azp and aud where the settings ask for them.
 * Takes up to 5 s when keys are fetched: at first, after ten minutes, and at most once a minute for a key
 * id not seen before.  Keys that we have stay in use while the issuer is down.
 * Owner: the texts of *claims hang on ctx.  Untouched on error.
 * Fails: unauthorized (why stands in our log alone), unavailable (the issuer never gave us any keys yet).
 * From:  spec 2, 3; RFC 7515, 7517, 7519, 8725, 9068.
 */
int token_check(struct token_keys *keys, const char *jwt, int64_t now_ms, const void *ctx, struct token_claims *claims,
    struct error *err);

/*
 * Signs by ES256 with a P-256 key derived from SECRET_KEY: the same in every program of the host, and after
 * every restart.  The caller's context owns the signer, whose secret is wiped when it goes.
 */
struct token_signer *token_signer_new(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE]);

/* The same with a key of its own, for signatures of another purpose. */
struct token_signer *token_signer_for(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE], const char *purpose);

/* The public key as an uncompressed point, which lives as long as the signer. */
const uint8_t *token_point(const struct token_signer *signer);

/*
 * A compact JWS over the payload's own bytes.  Its header holds alg, kid and typ: letters, digits, "+-./",
 * such as "receipt+jwt".
 */
char *token_sign(const struct token_signer *signer, const void *ctx, const char *typ, const char *payload);

/* The public key as a JWK set (RFC 7517), for /.well-known/jwks.json. */
char *token_jwks(const struct token_signer *signer, const void *ctx);

#endif
