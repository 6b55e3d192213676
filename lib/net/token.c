/*
 * Tokens.  Checking: the compact form, header, claims, and the signature by libjwt behind a guard, since
 * libjwt believes the token's own algorithm and looks at no claim: it is called with a key that our key set
 * (jwks.c) chose and only for a token whose header names that key's algorithm, and must say that it used it.
 * Signing: ES256 over the payload's own bytes, which libjwt would write anew, with other digits in its
 * numbers.  Who the person is to us, and what receipts say, is left to core.
 */
#include "net/token.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <json-c/json.h>
#include <jwt.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#include "base/config.h"
#include "base/error.h"
#include "base/log.h"
#include "base/p256.h"
#include "base/strict.h"
#include "base/text.h"
#include "net/jwks.h"

enum {
	TOKEN_SIZE_MAX = 8 * 1024,
	LEEWAY_MS = 5000,	 /* clocks differ */
	ISSUED_AHEAD_MS = 60000, /* iat is no limit of validity; further ahead than this is nonsense */
	ID_MAX = 255,		 /* sub (OpenID Connect Core, section 2) and sid */
	NAME_MAX_BYTES = 200,
	ES256_SIZE = P256_SIGNATURE_SIZE,
	P256_BYTES = P256_NUMBER_SIZE,
};

struct token_keys {
	const struct config *config;
	struct jwks *jwks;
};

/* A token taken apart; all on one context but the objects. */
struct parts {
	const char *text;
	size_t signed_len; /* header, dot, payload */
	struct json_object *header, *claims;
	const uint8_t *signature;
	size_t signature_len;
};

struct token_signer {
	uint8_t secret[P256_NUMBER_SIZE], point[P256_POINT_SIZE];
	const char *x, *y, *kid; /* base64url; kid: thumbprint of RFC 7638 */
};

struct token_keys *
token_keys_open(const void *ctx, const struct config *config)
{
	struct token_keys *keys;

	if (config->operator_jwt_issuer == NULL)
		return NULL;
	keys = talloc_zero(ctx, struct token_keys);
	assert(keys != NULL);
	keys->config = config;
	keys->jwks = jwks_open(keys, config->operator_jwks_url, config->is_development);
	return keys;
}

/* One part as a JSON object without repeated names, or NULL. */
static struct json_object *
part_object(const char *part, size_t len)
{
	size_t json_len = 0;
	uint8_t *json = jwks_bytes(NULL, part, len, &json_len);
	struct json_object *object = NULL;
	struct error err = { 0 };

	if (json == NULL)
		return NULL;
	object = strict_parse((const char *)json, json_len, &err);
	if (err.code != ERR_none) {
		json_object_put(object);
		object = NULL;
	}
	error_clear(&err);
	talloc_free(json);
	return object;
}

/* Takes a token apart.  This and the following: NULL, or what is wrong, for our log. */
static const char *
parts_fault(const void *ctx, const char *jwt, struct parts *parts)
{
	const char *payload, *signature;

	if (strnlen(jwt, TOKEN_SIZE_MAX + 1) > TOKEN_SIZE_MAX)
		return "it is too long";
	payload = strchr(jwt, '.');
	signature = payload == NULL ? NULL : strchr(payload + 1, '.');
	if (signature == NULL || strchr(signature + 1, '.') != NULL)
		return "it does not have three parts";
	parts->text = jwt;
	parts->signed_len = (size_t)(signature - jwt);
	parts->signature = jwks_bytes(ctx, signature + 1, strlen(signature + 1), &parts->signature_len);
	if (parts->signature == NULL)
		return "its signature is not base64url";
	if ((parts->header = part_object(jwt, (size_t)(payload - jwt))) == NULL)
		return "its header is not strict JSON in base64url";
	if ((parts->claims = part_object(payload + 1, (size_t)(signature - payload - 1))) == NULL)
		return "its payload is not strict JSON in base64url";
	return NULL;
}

/* Types that libjwt takes, and (RFC 9068) those that it does not. */
static bool
is_plain_type(const char *typ)
{
	return typ == NULL || strcasecmp(typ, "JWT") == 0;
}

static bool
is_access_token_type(const char *typ)
{
	return strcasecmp(typ, "at+jwt") == 0 || strcasecmp(typ, "application/at+jwt") == 0;
}

static const char *
header_fault(struct json_object *header)
{
	/* Keys of the token's own choice, and rules that we do not know (RFC 7515, 7797; RFC 8725, 3.10). */
	static const char *const barred[] = { "jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc" };
	const char *typ = jwks_text(header, "typ");

	for (size_t i = 0; i < nitems(barred); i++) {
		if (json_object_object_get_ex(header, barred[i], NULL))
			return "its header brings a key or rules of its own";
	}
	if (jwks_text(header, "alg") == NULL || jwks_text(header, "kid") == NULL)
		return "its header names no algorithm or no key";
	if (typ == NULL ? json_object_object_get_ex(header, "typ", NULL)
			: !is_plain_type(typ) && !is_access_token_type(typ))
		return "it is of another type";
	return NULL;
}

/* A NumericDate (RFC 7519, section 2) in milliseconds: 1 if it is there, 0 if not, -1 if it is none. */
static int
claim_time(struct json_object *claims, const char *name, int64_t *ms)
{
	const double last = 253402300799.0; /* of year 9999 */
	struct json_object *value;
	double seconds;

	if (!json_object_object_get_ex(claims, name, &value))
		return 0;
	seconds = json_object_get_double(value);
	if ((!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double)) ||
	    !(seconds >= 0 && seconds <= last))
		return -1;
	*ms = (int64_t)(seconds * 1000);
	return 1;
}

static const char *
times_fault(struct json_object *claims, int64_t now_ms)
{
	int64_t exp = 0, nbf = 0, iat = 0;

	if (claim_time(claims, "exp", &exp) != 1 || claim_time(claims, "nbf", &nbf) < 0 ||
	    claim_time(claims, "iat", &iat) < 0)
		return "its times are missing or none";
	if (now_ms >= exp + LEEWAY_MS)
		return "it has expired";
	if (nbf > now_ms + LEEWAY_MS)
		return "it is not yet valid";
	return iat > now_ms + ISSUED_AHEAD_MS ? "it was issued in the future" : NULL;
}

/* True if one of the words between blanks is the text. */
static bool
is_among(const char *words, const char *text)
{
	size_t len = strlen(text);

	for (const char *word = words; *word != '\0'; word += strspn(word, " ")) {
		size_t word_len = strcspn(word, " ");

		if (word_len == len && memcmp(word, text, len) == 0)
			return true;
		word += word_len;
	}
	return false;
}

/* aud is one text or a list of them (RFC 7519, section 4.1.3). */
static bool
is_audience(struct json_object *claims, const char *want)
{
	const char *one = jwks_text(claims, "aud");
	struct json_object *list;

	if (one != NULL)
		return strcmp(one, want) == 0;
	if (!json_object_object_get_ex(claims, "aud", &list) || !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_is_type(item, json_type_string) &&
		    (size_t)json_object_get_string_len(item) == strlen(want) &&
		    strcmp(json_object_get_string(item), want) == 0)
			return true;
	}
	return false;
}

/* A claim's text if it is fit for use; else NULL. */
static const char *
claim_text(struct json_object *claims, const char *name, size_t max)
{
	const char *text = jwks_text(claims, name);

	return text == NULL || *text == '\0' || strlen(text) > max || text_has_control(text, false) ? NULL : text;
}

static const char *
claims_fault(const struct config *config, struct json_object *claims, int64_t now_ms)
{
	const char *iss = jwks_text(claims, "iss"), *azp = jwks_text(claims, "azp");
	const char *sts = jwks_text(claims, "sts");

	if (iss == NULL || strcmp(iss, config->operator_jwt_issuer) != 0)
		return "it is from another issuer";
	if (claim_text(claims, "sub", ID_MAX) == NULL)
		return "it names nobody";
	if (config->operator_jwt_azp != NULL && (azp == NULL || !is_among(config->operator_jwt_azp, azp)))
		return "it was made for another party";
	if (config->operator_jwt_audience != NULL && !is_audience(claims, config->operator_jwt_audience))
		return "it was made for another audience";
	/* Clerk: a session whose owner has still something to do before he may go on. */
	if (json_object_object_get_ex(claims, "sts", NULL) && (sts == NULL || strcmp(sts, "pending") == 0))
		return "its session is pending";
	return times_fault(claims, now_ms);
}

/* libjwt must agree, and say that it checked by the algorithm of our key. */
static bool
libjwt_agrees(const struct parts *parts, const struct jwk *key)
{
	jwt_t *jwt = NULL;
	bool is_good = jwt_decode(&jwt, parts->text, (const unsigned char *)key->pem, (int)strlen(key->pem)) == 0 &&
		       strcmp(jwt_alg_str(jwt_get_alg(jwt)), key->alg) == 0;

	jwt_free(jwt);
	return is_good;
}

/* The same check for types that libjwt refuses to read. */
static bool
gnutls_agrees(const struct parts *parts, const struct jwk *key)
{
	bool is_es256 = strcmp(key->alg, "ES256") == 0, is_good = false;
	gnutls_datum_t pem = { 0 }, text = { 0 }, der = { 0 }, signature = { 0 }, r = { 0 }, s = { 0 };
	gnutls_pubkey_t pubkey = NULL;
	void *scratch = talloc_new(NULL);

	/* Copies: GnuTLS wants bytes that may be written. */
	pem.data = talloc_memdup(scratch, key->pem, pem.size = (unsigned)strlen(key->pem));
	text.data = talloc_memdup(scratch, parts->text, text.size = (unsigned)parts->signed_len);
	signature.size = (unsigned)parts->signature_len;
	signature.data = talloc_memdup(scratch, parts->signature, signature.size);
	assert(pem.data != NULL && text.data != NULL && signature.data != NULL);
	r = (gnutls_datum_t){ .data = signature.data, .size = P256_BYTES };
	s = (gnutls_datum_t){ .data = signature.data + P256_BYTES, .size = P256_BYTES };
	if (gnutls_pubkey_init(&pubkey) < 0 || gnutls_pubkey_import(pubkey, &pem, GNUTLS_X509_FMT_PEM) < 0 ||
	    (is_es256 && gnutls_encode_rs_value(&der, &r, &s) < 0))
		goto out;
	is_good = gnutls_pubkey_verify_data2(pubkey, is_es256 ? GNUTLS_SIGN_ECDSA_SHA256 : GNUTLS_SIGN_RSA_SHA256, 0,
		      &text, is_es256 ? &der : &signature) == 0;
out:
	gnutls_free(der.data);
	gnutls_pubkey_deinit(pubkey);
	talloc_free(scratch);
	return is_good;
}

static const char *
signature_fault(const struct parts *parts, const struct jwk *key)
{
	const char *alg = jwks_text(parts->header, "alg"), *typ = jwks_text(parts->header, "typ");

	if (key == NULL)
		return "its issuer has no such key";
	if (strcmp(alg, key->alg) != 0)
		return "its algorithm is not its key's";
	if (strcmp(alg, "ES256") == 0 && parts->signature_len != ES256_SIZE)
		return "its signature has not the right size";
	if (parts->signature_len == 0 || !(is_plain_type(typ) ? libjwt_agrees(parts, key) : gnutls_agrees(parts, key)))
		return "its signature is wrong";
	return NULL;
}

static const char *
text_copy(const void *ctx, const char *text)
{
	char *copy = text == NULL ? NULL : talloc_strdup(ctx, text);

	assert(text == NULL || copy != NULL);
	return copy;
}

/* An address that its issuer does not stand behind could be anybody's. */
static const char *
claim_email(struct json_object *claims)
{
	const char *email = jwks_text(claims, "email"), *quoted = jwks_text(claims, "email_verified");
	struct json_object *value;
	bool is_verified = !json_object_object_get_ex(claims, "email_verified", &value) ||
			   (json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value)) ||
			   (quoted != NULL && strcmp(quoted, "true") == 0); /* as some issuers write it */

	return email != NULL && is_verified && text_is_email(email) ? email : NULL;
}

static void
claims_take(const void *ctx, struct json_object *from, struct token_claims *claims)
{
	struct json_object *actor = NULL;

	json_object_object_get_ex(from, "act", &actor);
	*claims = (struct token_claims){
		.sub = text_copy(ctx, claim_text(from, "sub", ID_MAX)),
		.email = text_copy(ctx, claim_email(from)),
		.name = text_copy(ctx, claim_text(from, "name", NAME_MAX_BYTES)),
		.sid = text_copy(ctx, claim_text(from, "sid", ID_MAX)),
		.is_impersonated = actor != NULL,
	};
	claim_time(from, "exp", &claims->expires_ms);
}

int
token_check(struct token_keys *keys, const char *jwt, int64_t now_ms, const void *ctx, struct token_claims *claims,
    struct error *err)
{
	void *scratch = talloc_new(NULL);
	struct parts parts = { 0 };
	const struct jwk *key = NULL;
	const char *why;
	int rc = -1;

	assert(scratch != NULL);
	/* What costs nothing comes first: a token that is refused anyhow fetches no keys. */
	if ((why = parts_fault(scratch, jwt, &parts)) == NULL && (why = header_fault(parts.header)) == NULL &&
	    (why = claims_fault(keys->config, parts.claims, now_ms)) == NULL) {
		if (jwks_find(keys->jwks, jwks_text(parts.header, "kid"), now_ms, &key, err))
			goto out;
		why = signature_fault(&parts, key);
	}
	if (why != NULL) {
		log_text(LOG_LEVEL_INFO, "token_refused", "%s", why);
		error_set(err, ERR_unauthorized);
		goto out;
	}
	claims_take(ctx, parts.claims, claims);
	rc = 0;
out:
	json_object_put(parts.claims);
	json_object_put(parts.header);
	talloc_free(scratch);
	return rc;
}

static int
signer_wipe(struct token_signer *signer)
{
	crypto_wipe(signer->secret, sizeof(signer->secret));
	return 0;
}

/* The public point's coordinates in base64url, and their thumbprint (RFC 7638). */
static void
public_derive(struct token_signer *signer)
{
	uint8_t print[SHA256_SIZE];
	char *members;

	p256_public(signer->secret, signer->point);
	signer->x = text_base64url(signer, signer->point + 1, P256_BYTES);
	signer->y = text_base64url(signer, signer->point + 1 + P256_BYTES, P256_BYTES);
	members =
	    talloc_asprintf(NULL, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", signer->x, signer->y);
	assert(members != NULL);
	crypto_sha256(members, strlen(members), print);
	talloc_free(members);
	signer->kid = text_base64url(signer, print, sizeof(print));
}

struct token_signer *
token_signer_for(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE], const char *purpose)
{
	struct token_signer *signer = talloc_zero(ctx, struct token_signer);

	assert(signer != NULL);
	talloc_set_destructor(signer, signer_wipe);
	p256_derive(secret_key, purpose, signer->secret);
	public_derive(signer);
	return signer;
}

struct token_signer *
token_signer_new(const void *ctx, const uint8_t secret_key[SEAL_KEY_SIZE])
{
	return token_signer_for(ctx, secret_key, "humanops/receipt/v1");
}

const uint8_t *
token_point(const struct token_signer *signer)
{
	return signer->point;
}

static char *
es256(const struct token_signer *signer, const void *ctx, const char *text)
{
	uint8_t digest[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];

	crypto_sha256(text, strlen(text), digest);
	p256_sign(signer->secret, digest, signature);
	return text_base64url(ctx, signature, sizeof(signature));
}

char *
token_sign(const struct token_signer *signer, const void *ctx, const char *typ, const char *payload)
{
	static const char typ_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-./";
	void *scratch = talloc_new(NULL);
	char *header, *text, *jws;

	assert(strspn(typ, typ_characters) == strlen(typ));
	header = talloc_asprintf(scratch, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}", signer->kid, typ);
	assert(header != NULL);
	text = talloc_asprintf(scratch, "%s.%s", text_base64url(scratch, header, strlen(header)),
	    text_base64url(scratch, payload, strlen(payload)));
	assert(text != NULL);
	jws = talloc_asprintf(ctx, "%s.%s", text, es256(signer, scratch, text));
	assert(jws != NULL);
	talloc_free(scratch);
	return jws;
}

char *
token_jwks(const struct token_signer *signer, const void *ctx)
{
	char *set = talloc_asprintf(ctx,
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\","
	    "\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}]}",
	    signer->kid, signer->x, signer->y);

	assert(set != NULL);
	return set;
}
