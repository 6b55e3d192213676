/*
 * An issuer's key set: fetching it, taking from it the keys that may sign tokens, and keeping them.  A key is
 * bound to one algorithm here, by its type and curve, so that no token ever has a say in that.  Keys of other
 * kinds, for other uses, too weak or broken are passed over, as RFC 7517 (section 5) asks.  What a token says
 * is left to token.c.
 */
#include "net/jwks.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/strict.h"
#include "base/text.h"
#include "net/fetch.h"

enum {
	FETCH_TIMEOUT_MS = 5000,
	SET_SIZE_MAX = 64 * 1024,
	REFRESH_MS = 10 * 60 * 1000,
	UNKNOWN_MS = 60 * 1000, /* between two fetches for unknown ids, or after one that brought nothing */
	EMPTY_MS = 10 * 1000,	/* between two fetches while there are no keys at all */
	KID_MAX = 256,
	RSA_BYTES_MIN = 256, /* 2048 bits (RFC 7518, section 3.3) */
	RSA_BYTES_MAX = 1024,
	RSA_EXPONENT_MAX = 4, /* bytes; the time of a check grows with it */
	P256_COORDINATE = 32,
};

struct jwks {
	const char *url;
	unsigned flags;
	struct jwk *keys; /* talloc array; NULL until there are any */
	size_t count;
	bool was_tried;
	int64_t tried_ms, fetched_ms, unknown_ms; /* unknown_ms: 0 for never */
};

typedef int key_importer(gnutls_pubkey_t key, struct json_object *member);

static key_importer import_rsa, import_p256;

static const struct kind {
	const char *kty, *crv, *alg;
	key_importer *import;
} kinds[] = {
	{ "RSA", NULL, "RS256", import_rsa },
	{ "EC", "P-256", "ES256", import_p256 },
};

struct jwks *
jwks_open(const void *ctx, const char *url, bool is_http_allowed)
{
	struct jwks *jwks = talloc_zero(ctx, struct jwks);

	assert(jwks != NULL);
	jwks->url = url;
	/* The url is a setting: an issuer inside a private network is the rule there, not an attack. */
	jwks->flags = FETCH_ALLOW_PRIVATE | (is_http_allowed ? FETCH_ALLOW_HTTP : 0U);
	return jwks;
}

const char *
jwks_text(struct json_object *object, const char *name)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

uint8_t *
jwks_bytes(const void *ctx, const char *text, size_t len, size_t *out_len)
{
	static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *plain = talloc_asprintf(NULL, "%.*s%.*s", (int)len, text, (int)((4 - len % 4) % 4), "===");
	uint8_t *bytes = NULL;

	assert(plain != NULL);
	if (strspn(plain, url_digits) != len)
		goto out;
	for (size_t i = 0; i < len; i++)
		plain[i] = (char)(plain[i] == '-' ? '+' : plain[i] == '_' ? '/' : plain[i]);
	bytes = text_unbase64(ctx, plain, out_len); /* which refuses "===" */
out:
	talloc_free(plain);
	return bytes;
}

/* A member in base64url. */
static uint8_t *
member_bytes(const void *ctx, struct json_object *object, const char *name, size_t *len)
{
	const char *text = jwks_text(object, name);

	return text == NULL ? NULL : jwks_bytes(ctx, text, strlen(text), len);
}

/* The modulus without zeros before it, an exponent that is odd and at least 3. */
static int
import_rsa(gnutls_pubkey_t key, struct json_object *member)
{
	void *scratch = talloc_new(NULL);
	gnutls_datum_t n = { 0 }, e = { 0 };
	size_t n_len = 0, e_len = 0;
	unsigned bits = 0;
	int rc = -1;

	assert(scratch != NULL);
	n.data = member_bytes(scratch, member, "n", &n_len);
	e.data = member_bytes(scratch, member, "e", &e_len);
	if (n.data == NULL || e.data == NULL || n_len < RSA_BYTES_MIN || n_len > RSA_BYTES_MAX || e_len == 0 ||
	    e_len > RSA_EXPONENT_MAX || e.data[e_len - 1] % 2 == 0 || (e_len == 1 && e.data[0] < 3) || e.data[0] == 0)
		goto out;
	n.size = (unsigned)n_len;
	e.size = (unsigned)e_len;
	if (gnutls_pubkey_import_rsa_raw(key, &n, &e) < 0 ||
	    gnutls_pubkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA || bits < 8 * RSA_BYTES_MIN)
		goto out;
	rc = 0;
out:
	talloc_free(scratch);
	return rc;
}

static int
import_p256(gnutls_pubkey_t key, struct json_object *member)
{
	void *scratch = talloc_new(NULL);
	uint8_t point[P256_POINT_SIZE] = { 4 }, checked[P256_POINT_SIZE];
	gnutls_datum_t x = { .data = point + 1, .size = P256_COORDINATE };
	gnutls_datum_t y = { .data = point + 1 + P256_COORDINATE, .size = P256_COORDINATE };
	size_t x_len = 0, y_len = 0;
	const uint8_t *x_bytes, *y_bytes;
	int rc = -1;

	assert(scratch != NULL);
	x_bytes = member_bytes(scratch, member, "x", &x_len);
	y_bytes = member_bytes(scratch, member, "y", &y_len);
	if (x_bytes == NULL || y_bytes == NULL || x_len != P256_COORDINATE || y_len != P256_COORDINATE)
		goto out;
	memcpy(x.data, x_bytes, x_len);
	memcpy(y.data, y_bytes, y_len);
	if (crypto_p256_point(text_base64(scratch, point, sizeof(point)), checked) == 0 &&
	    gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y) == 0)
		rc = 0;
out:
	talloc_free(scratch);
	return rc;
}

/* True unless a member is there and is not that text. */
static bool
agrees(struct json_object *object, const char *name, const char *want)
{
	const char *text = jwks_text(object, name);

	return !json_object_object_get_ex(object, name, NULL) || (text != NULL && strcmp(text, want) == 0);
}

/* key_ops (RFC 7517, section 4.3), where given, must hold "verify". */
static bool
may_verify(struct json_object *member)
{
	struct json_object *ops;

	if (!json_object_object_get_ex(member, "key_ops", &ops))
		return true;
	for (size_t i = 0; json_object_is_type(ops, json_type_array) && i < json_object_array_length(ops); i++) {
		const char *op = json_object_get_string(json_object_array_get_idx(ops, i));

		if (op != NULL && strcmp(op, "verify") == 0)
			return true;
	}
	return false;
}

static const struct kind *
kind_of(struct json_object *member)
{
	const char *kty = jwks_text(member, "kty"), *crv = jwks_text(member, "crv");

	for (size_t i = 0; i < nitems(kinds) && kty != NULL; i++) {
		if (strcmp(kinds[i].kty, kty) == 0 &&
		    (kinds[i].crv == NULL || (crv != NULL && strcmp(kinds[i].crv, crv) == 0)))
			return &kinds[i];
	}
	return NULL;
}

/* Fills *jwk, its texts on ctx; false if this member is no key for us. */
static bool
key_take(const void *ctx, struct json_object *member, struct jwk *jwk)
{
	const struct kind *kind = kind_of(member);
	const char *kid = jwks_text(member, "kid");
	gnutls_datum_t pem = { 0 };
	gnutls_pubkey_t key = NULL;
	bool is_taken = false;

	if (kind == NULL || kid == NULL || *kid == '\0' || strlen(kid) > KID_MAX || !agrees(member, "use", "sig") ||
	    !agrees(member, "alg", kind->alg) || !may_verify(member))
		return false;
	if (gnutls_pubkey_init(&key) < 0 || kind->import(key, member) ||
	    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) < 0)
		goto out;
	*jwk = (struct jwk){ .kid = talloc_strdup(ctx, kid),
		.alg = kind->alg,
		.pem = talloc_strndup(ctx, (const char *)pem.data, pem.size) };
	assert(jwk->kid != NULL && jwk->pem != NULL);
	is_taken = true;
out:
	gnutls_free(pem.data);
	gnutls_pubkey_deinit(key);
	return is_taken;
}

/* Takes the usable keys of a set in place of those we have; false, and all stays, if there are none. */
static bool
set_take(struct jwks *jwks, const char *json, size_t len)
{
	struct error err = { 0 };
	struct json_object *set = strict_parse(json, len, &err), *list = NULL;
	struct jwk *keys = NULL;
	size_t listed = 0, count = 0;

	if (set != NULL && err.code == ERR_none && json_object_object_get_ex(set, "keys", &list) &&
	    json_object_is_type(list, json_type_array))
		listed = json_object_array_length(list);
	keys = talloc_array(jwks, struct jwk, (unsigned)listed); /* bounded by SET_SIZE_MAX */
	assert(keys != NULL);
	for (size_t i = 0; i < listed; i++) {
		struct json_object *member = json_object_array_get_idx(list, i);

		if (json_object_is_type(member, json_type_object) && key_take(keys, member, &keys[count]))
			count++;
	}
	if (count > 0) {
		talloc_free(jwks->keys);
		jwks->keys = keys;
		jwks->count = count;
	} else {
		talloc_free(keys);
	}
	json_object_put(set);
	error_clear(&err);
	return count > 0;
}

static void
refresh(struct jwks *jwks, int64_t now_ms)
{
	static const char *const headers[] = { "Accept: application/jwk-set+json, application/json", NULL };
	struct fetch fetch = { .method = "GET",
		.url = jwks->url,
		.headers = headers,
		.timeout_ms = FETCH_TIMEOUT_MS,
		.answer_max = SET_SIZE_MAX,
		.flags = jwks->flags };
	void *scratch = talloc_new(NULL);
	struct fetch_answer answer;

	assert(scratch != NULL);
	jwks->was_tried = true;
	jwks->tried_ms = now_ms;
	fetch_run(scratch, &fetch, &answer);
	if (answer.status == 0)
		log_text(LOG_LEVEL_WARNING, "issuer_keys_missing", "%s", answer.problem);
	else if (answer.status != 200)
		log_text(LOG_LEVEL_WARNING, "issuer_keys_missing", "status %d", answer.status);
	else if (answer.is_cut)
		log_text(LOG_LEVEL_WARNING, "issuer_keys_missing", "the answer is too large");
	else if (!set_take(jwks, answer.body, answer.body_len))
		log_text(LOG_LEVEL_WARNING, "issuer_keys_missing", "the answer holds no key that we can use");
	else
		jwks->fetched_ms = now_ms;
	talloc_free(scratch);
}

/* True when so much time has passed; also when the clock was set back, so that it never blocks us. */
static bool
is_over(int64_t since_ms, int64_t now_ms, int64_t wait_ms)
{
	return now_ms < since_ms || now_ms - since_ms >= wait_ms;
}

static bool
is_due(const struct jwks *jwks, int64_t now_ms)
{
	if (!jwks->was_tried)
		return true;
	if (jwks->count == 0)
		return is_over(jwks->tried_ms, now_ms, EMPTY_MS);
	return is_over(jwks->fetched_ms, now_ms, REFRESH_MS) && is_over(jwks->tried_ms, now_ms, UNKNOWN_MS);
}

static const struct jwk *
key_of(const struct jwks *jwks, const char *kid)
{
	for (size_t i = 0; i < jwks->count; i++) {
		if (strcmp(jwks->keys[i].kid, kid) == 0)
			return &jwks->keys[i];
	}
	return NULL;
}

int
jwks_find(struct jwks *jwks, const char *kid, int64_t now_ms, const struct jwk **key, struct error *err)
{
	bool is_fresh = is_due(jwks, now_ms);

	if (is_fresh)
		refresh(jwks, now_ms);
	*key = key_of(jwks, kid);
	if (*key == NULL && !is_fresh && jwks->count > 0 && is_over(jwks->unknown_ms, now_ms, UNKNOWN_MS)) {
		jwks->unknown_ms = now_ms;
		refresh(jwks, now_ms);
		*key = key_of(jwks, kid);
	}
	if (jwks->count == 0)
		return error_unavailable(err, EMPTY_MS / 1000, "the issuer has given no keys yet");
	return 0;
}
