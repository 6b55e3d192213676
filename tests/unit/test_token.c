/*
 * Tokens: what is taken, the known forgeries, and an issuer forked here on loopback that changes its keys,
 * goes away or answers nonsense.  Its keys are made anew by GnuTLS in each run; the tokens stand in the
 * tables.
 */
#include "net/token.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>

#include "base/config.h"
#include "base/error.h"
#include "capture.h"
#include "net/fetch.h"
#include "peer.h"
#include "unit.h"

#define ISS "https://id.example"
#define NOW INT64_C(1770000000000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

#define TIMES "\"iat\":1770000000,\"nbf\":1770000000,\"exp\":1770000060"
#define WHO "\"iss\":\"" ISS "\",\"sub\":\"user_1\""
#define GOOD "{" WHO "," TIMES "}"
#define WITH(member) "{" WHO "," TIMES "," member "}"
#define RS(kid) "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"" kid "\"}"
#define ES(kid) "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"" kid "\"}"
#define RS_WITH(member) "{\"alg\":\"RS256\",\"kid\":\"rsa\"," member "}"

/* How a token of a table is signed. */
enum how { BY_RSA, BY_RSA2, BY_EC, BY_EC2, BY_PSS, BY_NOTHING, BY_HMAC, BY_DER, R_ZERO, S_ZERO, R_ORDER, SHORT, LONG };

enum { ES256_SIZE = 64, HALF = 32, SET_MAX = 64 * 1024, TOKEN_MAX = 8192, SIGNATURES = 300 };

/* What the issuer answers; shared with it. */
struct stage {
	char answer[2 * SET_MAX];
	size_t flood; /* bytes after it */
};

/* The keys of the run, and a test's issuer. */
static struct {
	gnutls_privkey_t rsa, rsa2, weak, ec, ec2, ec384;
} made;

struct scene {
	struct stage *stage;
	struct peer peer;
	struct config config;
	char url[64];
	struct token_keys *keys;
};

static gnutls_privkey_t
key_new(gnutls_pk_algorithm_t kind, unsigned bits)
{
	gnutls_privkey_t key;

	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_generate(key, kind, bits, 0), 0);
	return key;
}

static char *
datum_base64url(const void *ctx, gnutls_datum_t *datum)
{
	char *text = text_base64url(ctx, datum->data, datum->size);

	gnutls_free(datum->data);
	return text;
}

/* A coordinate has all its bytes (RFC 7518, 6.2.1.2); GnuTLS leaves out zeros at its beginning. */
static char *
coordinate(const void *ctx, gnutls_datum_t *datum, size_t size)
{
	uint8_t bytes[48] = { 0 };

	assert_true(datum->size <= size);
	memcpy(bytes + size - datum->size, datum->data, datum->size);
	gnutls_free(datum->data);
	return text_base64url(ctx, bytes, size);
}

/* A key's public half as a JWK, further members behind its own (",\"alg\":…"). */
static char *
jwk(const void *ctx, gnutls_privkey_t key, const char *kid, const char *members)
{
	gnutls_datum_t a, b;
	gnutls_ecc_curve_t curve;
	size_t size;

	if (gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_RSA) {
		assert_int_equal(gnutls_privkey_export_rsa_raw2(
				     key, &a, &b, NULL, NULL, NULL, NULL, NULL, NULL, GNUTLS_EXPORT_FLAG_NO_LZ),
		    0);
		return talloc_asprintf(ctx, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid,
		    datum_base64url(ctx, &a), datum_base64url(ctx, &b), members);
	}
	assert_int_equal(gnutls_privkey_export_ecc_raw2(key, &curve, &a, &b, NULL, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
	size = curve == GNUTLS_ECC_CURVE_SECP256R1 ? 32 : 48;
	return talloc_asprintf(ctx, "{\"kty\":\"EC\",\"crv\":\"%s\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}",
	    curve == GNUTLS_ECC_CURVE_SECP256R1 ? "P-256" : "P-384", kid, coordinate(ctx, &a, size),
	    coordinate(ctx, &b, size), members);
}

static char *
pem(const void *ctx, gnutls_privkey_t key)
{
	gnutls_pubkey_t public;
	gnutls_datum_t out;
	char *text;

	gnutls_pubkey_init(&public);
	assert_int_equal(gnutls_pubkey_import_privkey(public, key, 0, 0), 0);
	assert_int_equal(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_PEM, &out), 0);
	text = talloc_strndup(ctx, (const char *)out.data, out.size);
	gnutls_free(out.data);
	gnutls_pubkey_deinit(public);
	return text;
}

static gnutls_datum_t
sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, const char *text)
{
	gnutls_datum_t in = { 0 }, out;

	in.data = talloc_memdup(NULL, text, strlen(text));
	in.size = (unsigned)strlen(text);
	assert_int_equal(gnutls_privkey_sign_data2(key, algorithm, 0, &in, &out), 0);
	talloc_free(in.data);
	return out;
}

/* r and s with as many zeros before them as it takes. */
static void
raw_of(const gnutls_datum_t *der, uint8_t raw[ES256_SIZE])
{
	gnutls_datum_t part[2];

	assert_int_equal(gnutls_decode_rs_value(der, &part[0], &part[1]), 0);
	memset(raw, 0, ES256_SIZE);
	for (int i = 0; i < 2; i++) {
		size_t extra = part[i].size > HALF ? part[i].size - HALF : 0;
		size_t size = part[i].size - extra;

		memcpy(raw + (i + 1) * HALF - size, part[i].data + extra, size);
		gnutls_free(part[i].data);
	}
}

static char *
ecdsa_signature(const void *ctx, gnutls_privkey_t key, const char *text, enum how how)
{
	/* The order of P-256's group: zero, for who forgets to look. */
	static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	gnutls_datum_t der = sign(key, GNUTLS_SIGN_ECDSA_SHA256, text);
	uint8_t raw[ES256_SIZE + 1] = { 0 };
	char *out;

	raw_of(&der, raw);
	if (how == R_ZERO || how == S_ZERO)
		memset(raw + (how == S_ZERO ? HALF : 0), 0, HALF);
	if (how == R_ORDER)
		text_unhex(order, raw, HALF);
	out = how == BY_DER ? text_base64url(ctx, der.data, der.size)
			    : text_base64url(ctx, raw,
				  how == SHORT	? ES256_SIZE - 1
				  : how == LONG ? ES256_SIZE + 1
						: ES256_SIZE);
	gnutls_free(der.data);
	return out;
}

static char *
signature_of(const void *ctx, const char *text, enum how how)
{
	static const gnutls_sign_algorithm_t by_rsa[] = {
		[BY_RSA] = GNUTLS_SIGN_RSA_SHA256,
		[BY_RSA2] = GNUTLS_SIGN_RSA_SHA256,
		[BY_PSS] = GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
	};
	gnutls_datum_t out;
	uint8_t mac[SHA256_SIZE];
	const char *key;

	switch (how) {
	case BY_NOTHING:
		return talloc_strdup(ctx, "");
	case BY_HMAC: /* the public key's text taken for a secret */
		key = pem(ctx, made.rsa);
		crypto_hmac_sha256(key, strlen(key), text, strlen(text), mac);
		return text_base64url(ctx, mac, sizeof(mac));
	case BY_RSA:
	case BY_RSA2:
	case BY_PSS:
		out = sign(how == BY_RSA2 ? made.rsa2 : made.rsa, by_rsa[how], text);
		return datum_base64url(ctx, &out);
	default:
		return ecdsa_signature(ctx, how == BY_EC2 ? made.ec2 : made.ec, text, how);
	}
}

static char *
mint(const void *ctx, const char *header, const char *payload, enum how how)
{
	char *text = talloc_asprintf(
	    ctx, "%s.%s", text_base64url(ctx, header, strlen(header)), text_base64url(ctx, payload, strlen(payload)));

	return talloc_asprintf(ctx, "%s.%s", text, signature_of(ctx, text, how));
}

static void
issuer_talk(int fd, struct peer_seen *seen, const void *arg)
{
	static const char zeros[SET_MAX];
	const struct stage *stage = arg;

	seen->len = 0;
	while (strstr(seen->bytes, "\r\n\r\n") == NULL && peer_read(fd, seen) > 0)
		;
	seen->bytes[0] = '\0';
	peer_say(fd, stage->answer);
	for (size_t left = stage->flood; left > 0; left -= sizeof(zeros)) {
		if (peer_write(fd, zeros, sizeof(zeros)))
			return;
	}
}

static void
issuer_says(struct scene *scene, const char *status, const char *body)
{
	int len = snprintf(scene->stage->answer, sizeof(scene->stage->answer),
	    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body),
	    body);

	assert_true(len > 0 && (size_t)len < sizeof(scene->stage->answer));
}

/* Publishes the keys, each made by jwk(); NULL ends the list. */
static void
issuer_publishes(struct scene *scene, const char *const *keys)
{
	char *set = talloc_strdup(scene, "{\"keys\":[");

	for (size_t i = 0; keys[i] != NULL; i++)
		set = talloc_asprintf_append(set, "%s%s", i > 0 ? "," : "", keys[i]);
	issuer_says(scene, "200 OK", talloc_asprintf_append(set, "]}"));
}

static void
keys_open(struct scene *scene)
{
	talloc_free(scene->keys);
	scene->keys = token_keys_open(scene, &scene->config);
	assert_non_null(scene->keys);
}

/* An issuer with the keys "rsa" and "ec". */
static int
scene_begin(void **state)
{
	static char issuer[] = ISS;
	struct scene *scene = talloc_zero(NULL, struct scene);

	scene->stage = mmap(NULL, sizeof(*scene->stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(scene->stage, MAP_FAILED);
	issuer_publishes(
	    scene, (const char *const[]){ jwk(scene, made.rsa, "rsa", ",\"use\":\"sig\",\"alg\":\"RS256\""),
		       jwk(scene, made.ec, "ec", ""), NULL });
	scene->peer = peer_start(AF_INET, issuer_talk, scene->stage);
	snprintf(scene->url, sizeof(scene->url), "http://127.0.0.1:%d/.well-known/jwks.json", scene->peer.port);
	scene->config.is_development = true;
	scene->config.operator_jwt_issuer = issuer;
	scene->config.operator_jwks_url = scene->url;
	keys_open(scene);
	*state = scene;
	return 0;
}

static int
scene_end(void **state)
{
	struct scene *scene = *state;

	if (scene->peer.pid > 0)
		peer_stop(&scene->peer);
	munmap(scene->stage, sizeof(*scene->stage));
	return talloc_free(scene);
}

/* The code that a token meets; *said is our log.  The token is never in it. */
static enum error_code
check(struct scene *scene, const char *token, int64_t now_ms, struct token_claims *claims, const char **said)
{
	struct token_claims untouched = { .sub = "untouched" };
	struct error err = { 0 };
	enum error_code code;
	int rc;

	*claims = untouched;
	capture_begin();
	rc = token_check(scene->keys, token, now_ms, scene, claims, &err);
	*said = capture_end();
	code = err.code;
	assert_int_equal(rc, code == ERR_none ? 0 : -1);
	if (rc != 0)
		assert_memory_equal(claims, &untouched, sizeof(untouched));
	if (code == ERR_unavailable)
		assert_true(err.retry_after_s > 0);
	if (strlen(token) > 20)
		assert_null(strstr(*said, token + strlen(token) - 20));
	error_clear(&err);
	return code;
}

/* Fails unless a token is refused for that reason; NULL: unless it is taken. */
static void
expect(struct scene *scene, const char *what, const char *token, int64_t now_ms, const char *why)
{
	struct token_claims claims;
	const char *said;
	enum error_code code = check(scene, token, now_ms, &claims, &said);

	if (code != (why == NULL ? ERR_none : ERR_unauthorized))
		fail_msg("%s: %s %s", what, error_name(code), said);
	if (why != NULL && (strstr(said, "\"token_refused\"") == NULL || strstr(said, why) == NULL))
		fail_msg("%s: not for \"%s\" but %s", what, why, said);
	if (why == NULL)
		assert_string_equal(said, "");
}

static void
a_token_of_the_issuer_is_taken(void **state)
{
#define EXP(text) "{" WHO ",\"exp\":" text "}"
	static const struct {
		const char *header, *payload;
		enum how how;
		int64_t now_ms;
	} rows[] = {
		{ RS("rsa"), GOOD, BY_RSA, NOW },
		{ ES("ec"), GOOD, BY_EC, NOW },
		{ RS_WITH("\"typ\":\"jwt\""), GOOD, BY_RSA, NOW },
		{ RS_WITH("\"typ\":\"at+jwt\""), GOOD, BY_RSA, NOW },
		{ RS_WITH("\"typ\":\"application/AT+JWT\""), GOOD, BY_RSA, NOW },
		{ RS_WITH("\"x5t\":\"abc\""), GOOD, BY_RSA, NOW },
		{ "{\"kid\":\"ec\",\"alg\":\"ES256\"}", GOOD, BY_EC, NOW },
		{ "{\"kid\":\"ec\",\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", GOOD, BY_EC, NOW },
		{ " {\n\"alg\" : \"ES256\", \"kid\":\"\\u0065c\"}\t", GOOD, BY_EC, NOW },
		{ ES("ec"), EXP("1770000000"), BY_EC, NOW + 4999 },
		{ ES("ec"), EXP("1770000000.5"), BY_EC, NOW + 5499 },
		{ ES("ec"), EXP("1.77e9"), BY_EC, NOW },
		{ ES("ec"), EXP("9999999999"), BY_EC, NOW },
		{ ES("ec"), EXP("253402300799"), BY_EC, NOW },
		{ ES("ec"), EXP("1770000060.1234567"), BY_EC, NOW },
		{ ES("ec"), EXP("1770000060,\"nbf\":1770000005"), BY_EC, NOW },
		{ ES("ec"), EXP("1770000960,\"iat\":1770000060"), BY_EC, NOW },
		{ ES("ec"), WITH("\"azp\":\"anyone\",\"aud\":[\"a\"]"), BY_EC, NOW },
		{ ES("ec"), WITH("\"sts\":\"active\""), BY_EC, NOW },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		expect(*state, talloc_asprintf(*state, "row %zu", i),
		    mint(*state, rows[i].header, rows[i].payload, rows[i].how), rows[i].now_ms, NULL);
	assert_int_equal(((struct scene *)*state)->peer.seen->connections, 1);
#undef EXP
}

static void
claims_are_handed_on_only_where_they_are_fit(void **state)
{
#define EMAIL "\"email\":\"a@b.example\""
	static const struct {
		const char *members, *email, *name, *sid;
		bool is_impersonated;
	} rows[] = {
		{ "\"x\":1", NULL, NULL, NULL, false },
		{ EMAIL ",\"name\":\"Zo\\u00eb\",\"sid\":\"sess_1\"", "a@b.example", "Zo\xc3\xab", "sess_1", false },
		{ EMAIL ",\"email_verified\":true", "a@b.example", NULL, NULL, false },
		{ EMAIL ",\"email_verified\":\"true\"", "a@b.example", NULL, NULL, false },
		{ EMAIL ",\"email_verified\":false", NULL, NULL, NULL, false },
		{ EMAIL ",\"email_verified\":null", NULL, NULL, NULL, false },
		{ EMAIL ",\"email_verified\":\"false\"", NULL, NULL, NULL, false },
		{ "\"email\":\"a\"", NULL, NULL, NULL, false },
		{ "\"email\":[\"a@b.example\"],\"name\":7,\"sid\":null", NULL, NULL, NULL, false },
		{ "\"name\":\"a\\nb\",\"sid\":\"a\\u0000b\"", NULL, NULL, NULL, false },
		{ "\"name\":\"\",\"act\":null", NULL, NULL, NULL, false },
		{ "\"act\":{\"sub\":\"staff\"}", NULL, NULL, NULL, true },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char *payload = talloc_asprintf(*state, "{" WHO "," TIMES ",%s}", rows[i].members);
		char *token = mint(*state, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", payload,
		    BY_EC); /* libjwt would not read U+0000 */
		struct token_claims claims = { 0 };
		const char *said, *const want[] = { rows[i].email, rows[i].name, rows[i].sid };
		const char *const *got[] = { &claims.email, &claims.name, &claims.sid };

		assert_int_equal(check(*state, token, NOW, &claims, &said), ERR_none);
		assert_string_equal(claims.sub, "user_1");
		assert_int_equal(claims.expires_ms, INT64_C(1770000060000));
		assert_int_equal(claims.is_impersonated, rows[i].is_impersonated);
		for (size_t j = 0; j < nitems(want); j++) {
			if ((*got[j] == NULL) != (want[j] == NULL) ||
			    (want[j] != NULL && strcmp(*got[j], want[j]) != 0))
				fail_msg("row %zu, text %zu: %s", i, j, *got[j] == NULL ? "none" : *got[j]);
		}
	}
#undef EMAIL
}

static void
known_forgeries_are_refused(void **state)
{
#define ALG "its algorithm is not its key's"
#define SIGNATURE "its signature is wrong"
#define SIZE "its signature has not the right size"
#define UNKNOWN "its issuer has no such key"
#define OWN "its header brings a key or rules of its own"
#define NAMELESS "its header names no algorithm or no key"
#define HEADER "its header is not strict JSON"
#define PAYLOAD "its payload is not strict JSON"
#define TIME "its times are missing or none"
#define BY_ISSUER(text) "{\"iss\":" text ",\"sub\":\"user_1\"," TIMES "}"
#define BY_SUB(text) "{\"iss\":\"" ISS "\",\"sub\":" text "," TIMES "}"
#define EXP(text) "{" WHO ",\"exp\":" text "}"
	static const struct {
		const char *header, *payload;
		enum how how;
		const char *why;
	} rows[] = {
		/* The token's algorithm instead of the key's. */
		{ "{\"alg\":\"none\",\"kid\":\"rsa\"}", GOOD, BY_NOTHING, ALG },
		{ "{\"alg\":\"nOnE\",\"kid\":\"rsa\"}", GOOD, BY_NOTHING, ALG },
		{ "{\"alg\":\"none\",\"kid\":\"rsa\"}", GOOD, BY_RSA, ALG },
		{ "{\"alg\":\"none\"}", GOOD, BY_NOTHING, NAMELESS },
		{ "{\"alg\":\"\",\"kid\":\"rsa\"}", GOOD, BY_RSA, ALG },
		{ "{\"kid\":\"rsa\"}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":null,\"kid\":\"rsa\"}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":\"rs256\",\"kid\":\"rsa\"}", GOOD, BY_RSA, ALG },
		{ "{\"alg\":\"RS256\\u0000\",\"kid\":\"rsa\"}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", GOOD, BY_HMAC, ALG },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", GOOD, BY_HMAC, SIGNATURE },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", GOOD, BY_HMAC, SIGNATURE },
		{ "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", GOOD, BY_PSS, ALG },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", GOOD, BY_PSS, SIGNATURE },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"at+jwt\"}", GOOD, BY_PSS, SIGNATURE },
		{ "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", GOOD, BY_RSA, ALG },
		{ "{\"alg\":\"ES384\",\"kid\":\"ec\"}", GOOD, BY_EC, ALG },
		{ "{\"alg\":\"EdDSA\",\"kid\":\"ec\"}", GOOD, BY_EC, ALG },
		{ RS("ec"), GOOD, BY_RSA, ALG },
		{ ES("rsa"), GOOD, BY_EC, ALG },
		{ ES("ec"), GOOD, BY_RSA, SIZE },
		/* Another key. */
		{ RS("rsa"), GOOD, BY_RSA2, SIGNATURE },
		{ ES("ec"), GOOD, BY_EC2, SIGNATURE },
		{ RS_WITH("\"typ\":\"at+jwt\""), GOOD, BY_RSA2, SIGNATURE },
		{ "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD, BY_EC2, SIGNATURE },
		{ RS("rsa"), GOOD, BY_NOTHING, SIGNATURE },
		{ RS_WITH("\"typ\":\"at+jwt\""), GOOD, BY_NOTHING, SIGNATURE },
		{ RS("other"), GOOD, BY_RSA, UNKNOWN },
		{ RS(""), GOOD, BY_RSA, UNKNOWN },
		{ RS("RSA"), GOOD, BY_RSA, UNKNOWN },
		{ RS("../rsa"), GOOD, BY_RSA, UNKNOWN },
		{ "{\"alg\":\"RS256\"}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":\"RS256\",\"kid\":7}", GOOD, BY_RSA, NAMELESS },
		{ "{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000x\"}", GOOD, BY_RSA, NAMELESS },
		/* A header that says more than it may. */
		{ RS_WITH("\"jku\":\"https://evil.example/\""), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"x5u\":\"https://evil.example/\""), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}"), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"x5c\":[]"), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"crit\":[\"exp\"],\"exp\":1"), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"crit\":null"), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"b64\":false"), GOOD, BY_RSA, OWN },
		{ RS_WITH("\"typ\":\"receipt+jwt\""), GOOD, BY_RSA, "it is of another type" },
		{ RS_WITH("\"typ\":\"logout+jwt\""), GOOD, BY_RSA, "it is of another type" },
		{ RS_WITH("\"typ\":\"\""), GOOD, BY_RSA, "it is of another type" },
		{ RS_WITH("\"typ\":1"), GOOD, BY_RSA, "it is of another type" },
		{ RS_WITH("\"alg\":\"none\""), GOOD, BY_RSA, HEADER },
		{ RS_WITH("\"\\u0061lg\":\"none\""), GOOD, BY_RSA, HEADER },
		{ "[]", GOOD, BY_RSA, HEADER },
		{ "", GOOD, BY_RSA, HEADER },
		{ "null", GOOD, BY_RSA, HEADER },
		{ RS("rsa") "x", GOOD, BY_RSA, HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"r\xffsa\"}", GOOD, BY_RSA, HEADER },
		/* Signatures that are none. */
		{ ES("ec"), GOOD, R_ZERO, SIGNATURE },
		{ ES("ec"), GOOD, S_ZERO, SIGNATURE },
		{ ES("ec"), GOOD, R_ORDER, SIGNATURE },
		{ ES("ec"), GOOD, SHORT, SIZE },
		{ ES("ec"), GOOD, LONG, SIZE },
		{ ES("ec"), GOOD, BY_DER, SIZE },
		{ ES("ec"), GOOD, BY_NOTHING, SIZE },
		{ "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD, R_ZERO, SIGNATURE },
		{ "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD, S_ZERO, SIGNATURE },
		{ "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD, R_ORDER, SIGNATURE },
		/* Claims, all of them rightly signed. */
		{ RS("rsa"), WITH("\"sub\":\"user_2\""), BY_RSA, PAYLOAD },
		{ RS("rsa"), WITH("\"x\":{\"a\":1,\"a\":2}"), BY_RSA, PAYLOAD },
		{ RS("rsa"), "[]", BY_RSA, PAYLOAD },
		{ RS("rsa"), "", BY_RSA, PAYLOAD },
		{ RS("rsa"), BY_ISSUER("\"https://evil.example\""), BY_RSA, "it is from another issuer" },
		{ RS("rsa"), BY_ISSUER("\"" ISS "/\""), BY_RSA, "it is from another issuer" },
		{ RS("rsa"), BY_ISSUER("\"" ISS "\\u0000\""), BY_RSA, "it is from another issuer" },
		{ RS("rsa"), BY_ISSUER("[\"" ISS "\"]"), BY_RSA, "it is from another issuer" },
		{ RS("rsa"), BY_ISSUER("null"), BY_RSA, "it is from another issuer" },
		{ RS("rsa"), "{\"sub\":\"user_1\"," TIMES "}", BY_RSA, "it is from another issuer" },
		{ RS("rsa"), BY_SUB("\"\""), BY_RSA, "it names nobody" },
		{ RS("rsa"), BY_SUB("1"), BY_RSA, "it names nobody" },
		{ RS("rsa"), BY_SUB("null"), BY_RSA, "it names nobody" },
		{ RS("rsa"), BY_SUB("\"user_1\\u0000\""), BY_RSA, "it names nobody" },
		{ RS("rsa"), BY_SUB("\"user\\u007f\""), BY_RSA, "it names nobody" },
		{ RS("rsa"), "{" WHO "}", BY_RSA, TIME },
		{ RS("rsa"), EXP("null"), BY_RSA, TIME },
		{ RS("rsa"), EXP("\"1770000060\""), BY_RSA, TIME },
		{ RS("rsa"), EXP("true"), BY_RSA, TIME },
		{ RS("rsa"), EXP("-1"), BY_RSA, TIME },
		{ RS("rsa"), EXP("1e300"), BY_RSA, TIME },
		{ RS("rsa"), EXP("99999999999999999999999"), BY_RSA, TIME },
		{ RS("rsa"), EXP("253402300800"), BY_RSA, TIME },
		{ RS("rsa"), EXP("1769999995"), BY_RSA, "it has expired" },
		{ RS("rsa"), EXP("0"), BY_RSA, "it has expired" },
		{ RS("rsa"), EXP("1770000060,\"nbf\":1770000006"), BY_RSA, "it is not yet valid" },
		{ RS("rsa"), EXP("1770000060,\"nbf\":\"0\""), BY_RSA, TIME },
		{ RS("rsa"), EXP("1770000960,\"iat\":1770000061"), BY_RSA, "it was issued in the future" },
		{ RS("rsa"), EXP("1770000960,\"iat\":{}"), BY_RSA, TIME },
		{ RS("rsa"), WITH("\"sts\":\"pending\""), BY_RSA, "its session is pending" },
		{ RS("rsa"), WITH("\"sts\":7"), BY_RSA, "its session is pending" },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		expect(*state, talloc_asprintf(*state, "row %zu: %s %s", i, rows[i].header, rows[i].payload),
		    mint(*state, rows[i].header, rows[i].payload, rows[i].how), NOW, rows[i].why);
	/* At first, and for the first unknown id: no forgery makes us call the issuer at its will. */
	assert_int_equal(((struct scene *)*state)->peer.seen->connections, 2);
#undef BY_ISSUER
#undef BY_SUB
#undef EXP
}

static void
no_character_of_a_token_can_be_changed(void **state)
{
	static const char digits[] = "Aa0_-9zZ.=+ ";
	const char *const good[] = { mint(*state, RS("rsa"), GOOD, BY_RSA), mint(*state, ES("ec"), GOOD, BY_EC),
		mint(*state, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD, BY_EC) };

	for (size_t i = 0; i < nitems(good); i++) {
		char *token = talloc_strdup(*state, good[i]);

		expect(*state, "unchanged", token, NOW, NULL);
		for (size_t at = 0; token[at] != '\0'; at++) {
			char was = token[at];

			for (size_t j = 0; j < strlen(digits); j++) {
				struct token_claims claims;
				const char *said;

				token[at] = digits[j];
				if (token[at] != was && check(*state, token, NOW, &claims, &said) != ERR_unauthorized)
					fail_msg("token %zu, character %zu, %c for %c", i, at, digits[j], was);
			}
			token[at] = was;
		}
	}
}

static void
what_is_no_compact_jws_is_refused(void **state)
{
	static const struct {
		const char *shape, *why; /* H, P and S are the parts of a good token */
	} rows[] = {
		{ "H.P.S.", "it does not have three parts" },
		{ "H.P.S.H", "it does not have three parts" },
		{ "H.P", "it does not have three parts" },
		{ "H", "it does not have three parts" },
		{ "", "it does not have three parts" },
		{ "..", "its header is not strict JSON" },
		{ ".P.S", "its header is not strict JSON" },
		{ "H..S", "its payload is not strict JSON" },
		{ "H.P.", "its signature is wrong" },
		{ "H.P.S=", "its signature is not base64url" },
		{ "H.P.S==", "its signature is not base64url" },
		{ "H.P.S\n", "its signature is not base64url" },
		{ "H.P.S ", "its signature is not base64url" },
		{ "H.P.SA", "its signature is " },
		{ "H.P.SAAAA", "its signature is wrong" },
		{ "H=.P.S", "its header is not strict JSON" },
		{ "H==.P.S", "its header is not strict JSON" },
		{ "H.P=.S", "its payload is not strict JSON" },
		{ " H.P.S", "its header is not strict JSON" },
		{ "H.P\n.S", "its payload is not strict JSON" },
		{ "{\"payload\":\"P\",\"signature\":\"S\"}", "it does not have three parts" },
	};
	char *good = mint(*state, RS("rsa"), GOOD, BY_RSA), *rest = good;
	const char *header = strsep(&rest, "."), *payload = strsep(&rest, ".");

	for (size_t i = 0; i < nitems(rows); i++) {
		char *token = talloc_strdup(*state, "");

		for (const char *c = rows[i].shape; *c != '\0'; c++)
			token = *c == 'H'   ? talloc_strdup_append(token, header)
				: *c == 'P' ? talloc_strdup_append(token, payload)
				: *c == 'S' ? talloc_strdup_append(token, rest)
					    : talloc_strndup_append(token, c, 1);
		expect(*state, rows[i].shape, token, NOW, rows[i].why);
	}
}

static void
a_token_has_at_most_8192_bytes(void **state)
{
	bool was_taken = false;

	for (int pad = 5900; pad < 6100; pad++) {
		char *payload = talloc_asprintf(*state, WITH("\"pad\":\"%*s\""), pad, "x");
		char *token = mint(*state, ES("ec"), payload, BY_EC);
		bool is_too_long = strlen(token) > TOKEN_MAX;

		expect(*state, "size", token, NOW, is_too_long ? "it is too long" : NULL);
		was_taken = was_taken || strlen(token) >= TOKEN_MAX - 1;
		if (is_too_long)
			break;
		assert_true(pad < 6099);
	}
	assert_true(was_taken);
	expect(*state, "huge",
	    mint(*state, ES("ec"), talloc_asprintf(*state, WITH("\"pad\":\"%*s\""), 1000000, "x"), BY_EC), NOW,
	    "it is too long");
}

static void
party_and_audience_are_those_of_the_settings(void **state)
{
	static char one[] = "https://app.example", two[] = "https://app.example client-2";
	static char api[] = "https://api.example";
	static const struct {
		char *azp, *audience;
		const char *members; /* "" for none */
		bool is_taken;
	} rows[] = {
		{ one, NULL, "", false },
		{ one, NULL, ",\"azp\":\"https://app.example\"", true },
		{ one, NULL, ",\"azp\":\"https://app.example/\"", false },
		{ one, NULL, ",\"azp\":\"https://app.exampl\"", false },
		{ one, NULL, ",\"azp\":\"\"", false },
		{ one, NULL, ",\"azp\":[\"https://app.example\"]", false },
		{ one, NULL, ",\"azp\":null", false },
		{ one, NULL, ",\"azp\":\"https://evil.example\"", false },
		{ two, NULL, ",\"azp\":\"client-2\"", true },
		{ two, NULL, ",\"azp\":\"https://app.example\"", true },
		{ two, NULL, ",\"azp\":\"https://app.example client-2\"", false },
		{ two, NULL, ",\"azp\":\"client\"", false },
		{ NULL, api, "", false },
		{ NULL, api, ",\"aud\":\"https://api.example\"", true },
		{ NULL, api, ",\"aud\":[\"other\",\"https://api.example\"]", true },
		{ NULL, api, ",\"aud\":[\"other\"]", false },
		{ NULL, api, ",\"aud\":[]", false },
		{ NULL, api, ",\"aud\":[null,7,[\"https://api.example\"]]", false },
		{ NULL, api, ",\"aud\":{\"https://api.example\":1}", false },
		{ NULL, api, ",\"aud\":\"https://api.example\\u0000\"", false },
		{ NULL, api, ",\"aud\":[\"https://api.example\\u0000\"]", false },
		{ NULL, api, ",\"aud\":null", false },
		{ one, api, ",\"aud\":\"https://api.example\"", false },
		{ one, api, ",\"aud\":\"https://api.example\",\"azp\":\"https://app.example\"", true },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < nitems(rows); i++) {
		char *payload = talloc_asprintf(*state, "{" WHO "," TIMES "%s}", rows[i].members);

		scene->config.operator_jwt_azp = rows[i].azp;
		scene->config.operator_jwt_audience = rows[i].audience;
		expect(scene, payload, mint(scene, ES("ec"), payload, BY_EC), NOW,
		    rows[i].is_taken ? NULL : "it was made for another");
	}
}

static void
a_key_serves_only_what_it_is_for(void **state)
{
	struct scene *scene = *state;
	const struct {
		gnutls_privkey_t key;
		const char *members;
		enum how how;
		bool is_taken;
	} rows[] = {
		{ made.rsa, "", BY_RSA, true },
		{ made.rsa, ",\"use\":\"sig\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"],\"d\":\"AA\"", BY_RSA, true },
		{ made.rsa, ",\"use\":\"enc\"", BY_RSA, false },
		{ made.rsa, ",\"use\":null", BY_RSA, false },
		{ made.rsa, ",\"alg\":\"PS256\"", BY_RSA, false },
		{ made.rsa, ",\"alg\":\"HS256\"", BY_RSA, false },
		{ made.rsa, ",\"alg\":\"RSA-OAEP\"", BY_RSA, false },
		{ made.rsa, ",\"key_ops\":[\"encrypt\",null]", BY_RSA, false },
		{ made.rsa, ",\"key_ops\":\"verify\"", BY_RSA, false },
		{ made.weak, "", BY_RSA, false },
		{ made.ec, "", BY_EC, true },
		{ made.ec, ",\"alg\":\"ES256\"", BY_EC, true },
		{ made.ec, ",\"alg\":\"ES384\"", BY_EC, false },
		{ made.ec, ",\"use\":\"enc\"", BY_EC, false },
		{ made.ec384, "", BY_EC, false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		issuer_publishes(scene, (const char *const[]){ jwk(scene, made.rsa2, "rsa2", ""),
					    jwk(scene, rows[i].key, "k", rows[i].members), NULL });
		keys_open(scene);
		expect(scene, rows[i].members,
		    mint(scene, rows[i].how == BY_RSA ? RS("k") : ES("k"), GOOD, rows[i].how), NOW,
		    rows[i].is_taken ? NULL : "its issuer has no such key");
		expect(scene, "the other key", mint(scene, RS("rsa2"), GOOD, BY_RSA2), NOW, NULL);
	}
}

static void
malformed_keys_are_passed_over(void **state)
{
#define COORDINATE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	static const char *const rows[] = { "null", "[]", "7", "\"k\"", "{}", "{\"kty\":\"RSA\",\"kid\":\"k\"}",
		"{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"AAAA\"}",
		"{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"\",\"e\":\"\"}",
		"{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":7,\"e\":[]}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"" COORDINATE "\"}",
		"{\"kty\":\"EC\",\"kid\":\"k\",\"x\":\"" COORDINATE "\",\"y\":\"" COORDINATE "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"" COORDINATE "\",\"y\":\"" COORDINATE "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"AA\",\"y\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"kid\":\"k\",\"x\":\"" COORDINATE "\",\"y\":\"" COORDINATE
		"\"}" };
	/* An exponent of 1 lets a signature be its own text; an even one, or a long one, is no better. */
	static const char *const exponents[] = { "AQ", "Ag", "AA", "AQAA", "AAAAAAAAAAE", "" };
	struct scene *scene = *state;
	char *good = jwk(scene, made.rsa, "k", ""), *e = strstr(good, "\"AQAB\"");

	for (size_t i = 0; i < nitems(rows) + nitems(exponents); i++) {
		const char *entry = i < nitems(rows) ? rows[i]
						     : talloc_asprintf(scene, "%.*s\"%s\"}", (int)(e - good), good,
							   exponents[i - nitems(rows)]);

		issuer_publishes(scene, (const char *const[]){ entry, jwk(scene, made.ec, "ec", ""), NULL });
		keys_open(scene);
		expect(scene, entry, mint(scene, RS("k"), GOOD, BY_RSA), NOW, "its issuer has no such key");
		expect(scene, entry, mint(scene, ES("ec"), GOOD, BY_EC), NOW, NULL);
	}
#undef COORDINATE
}

static void
a_new_key_is_fetched_once_a_minute_at_most(void **state)
{
	struct scene *scene = *state;
	char *old = mint(scene, RS("rsa"), GOOD, BY_RSA);
	char *unknown = mint(scene, RS("rsa3"), "{" WHO ",\"exp\":1770009999}", BY_RSA2);
	char *stale = mint(scene, RS("rsa3"), "{" WHO ",\"exp\":1769000000}", BY_RSA2);
	char *new = mint(scene, RS("rsa2"), GOOD, BY_RSA2);
	const int *fetches = &scene->peer.seen->connections;

	expect(scene, "the first", old, NOW, NULL);
	expect(scene, "again", old, NOW + 1, NULL);
	assert_int_equal(*fetches, 1);
	issuer_publishes(scene, (const char *const[]){ jwk(scene, made.rsa2, "rsa2", ""), NULL });
	expect(scene, "the new key", new, NOW + 2, NULL);
	assert_int_equal(*fetches, 2);
	expect(scene, "the old key", old, NOW + 3, "its issuer has no such key");
	for (int i = 0; i < 50; i++)
		expect(scene, "no key", unknown, NOW + 2 + i * SECOND, "its issuer has no such key");
	expect(scene, "no key", unknown, NOW + 1 + MINUTE, "its issuer has no such key");
	assert_int_equal(*fetches, 2);
	expect(scene, "refused anyhow", stale, NOW + 2 + MINUTE, "it has expired");
	assert_int_equal(*fetches, 2);
	expect(scene, "no key", unknown, NOW + 2 + MINUTE, "its issuer has no such key");
	expect(scene, "no key", unknown, NOW + 3 + MINUTE, "its issuer has no such key");
	assert_int_equal(*fetches, 3);
}

static void
keys_are_fetched_anew_after_ten_minutes(void **state)
{
	struct scene *scene = *state;
	char *token = mint(scene, RS("rsa"), "{" WHO ",\"exp\":1770009999}", BY_RSA);
	const int *fetches = &scene->peer.seen->connections;

	expect(scene, "the first", token, NOW, NULL);
	expect(scene, "not yet", token, NOW + 10 * MINUTE - 1, NULL);
	assert_int_equal(*fetches, 1);
	issuer_publishes(scene, (const char *const[]){ jwk(scene, made.rsa2, "rsa2", ""), NULL });
	expect(scene, "withdrawn", token, NOW + 10 * MINUTE, "its issuer has no such key");
	assert_int_equal(*fetches, 2);
	/* A clock set back blocks nothing. */
	issuer_publishes(scene, (const char *const[]){ jwk(scene, made.rsa, "rsa", ""), NULL });
	expect(scene, "an hour earlier", token, NOW - 60 * MINUTE, NULL);
	assert_int_equal(*fetches, 3);
}

static void
nonsense_from_the_issuer_changes_nothing(void **state)
{
	static const struct {
		const char *status, *body;
		size_t flood;
	} rows[] = {
		{ "200 OK", "<!doctype html><title>Sign in</title>", 0 }, { "200 OK", "{\"keys\":[]}", 0 },
		{ "200 OK", "{\"keys\":{}}", 0 }, { "200 OK", "{\"keys\":null}", 0 },
		{ "200 OK", "{\"keys\":[null,{},7]}", 0 }, { "200 OK", "{\"keys\":[],\"keys\":[]}", 0 },
		{ "200 OK", "{}", 0 }, { "200 OK", "[]", 0 }, { "200 OK", "", 0 },
		{ "200 OK", NULL, (size_t)50 * 1024 * 1024 }, { "404 Not Found", "{}", 0 }, { "500 Oops", "{}", 0 },
		{ "302 Found\r\nLocation: http://127.0.0.1:1/", "{}", 0 }, { NULL, NULL, 0 }, /* hangs up */
	};
	struct scene *scene = *state;
	char *token = mint(scene, RS("rsa"), "{" WHO ",\"exp\":1770999999}", BY_RSA);
	char *unknown = mint(scene, RS("rsa2"), "{" WHO ",\"exp\":1770999999}", BY_RSA2);
	struct token_keys *old = scene->keys;
	struct token_claims claims;
	const char *said;

	expect(scene, "the first", token, NOW, NULL);
	for (size_t i = 0; i < nitems(rows); i++) {
		int64_t now_ms = NOW + (int64_t)(i + 1) * 10 * MINUTE;
		int before = scene->peer.seen->connections;

		if (rows[i].body != NULL)
			issuer_says(scene, rows[i].status, rows[i].body);
		else
			snprintf(scene->stage->answer, sizeof(scene->stage->answer), "%s",
			    rows[i].status == NULL ? "" : "HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n");
		scene->stage->flood = rows[i].flood;
		scene->keys = old;
		assert_int_equal(check(scene, token, now_ms, &claims, &said), ERR_none);
		if (strstr(said, "issuer_keys_missing") == NULL)
			fail_msg("row %zu: %s", i, said);
		expect(scene, "at once again", token, now_ms + 1, NULL);
		expect(scene, "a minute before the next try", token, now_ms + MINUTE - 1, NULL);
		assert_int_equal(scene->peer.seen->connections, before + 1);
		assert_int_equal(check(scene, unknown, now_ms + MINUTE - 1, &claims, &said), ERR_unauthorized);
		/* Who never had keys cannot tell good from bad, and says so; not at every request anew. */
		scene->keys = token_keys_open(scene, &scene->config);
		before = scene->peer.seen->connections;
		assert_int_equal(check(scene, token, now_ms, &claims, &said), ERR_unavailable);
		assert_int_equal(check(scene, token, now_ms + 9 * SECOND, &claims, &said), ERR_unavailable);
		assert_int_equal(scene->peer.seen->connections, before + 1);
		assert_int_equal(check(scene, token, now_ms + 10 * SECOND, &claims, &said), ERR_unavailable);
		assert_int_equal(scene->peer.seen->connections, before + 2);
		assert_int_equal(check(scene, "a.b.c", now_ms, &claims, &said), ERR_unauthorized);
		talloc_free(scene->keys);
	}
	scene->keys = old;
}

static void
keys_stand_while_the_issuer_is_down(void **state)
{
	struct scene *scene = *state;
	char *token = mint(scene, RS("rsa"), "{" WHO ",\"exp\":1770999999}", BY_RSA);
	struct token_claims claims;
	const char *said;

	expect(scene, "the first", token, NOW, NULL);
	peer_stop(&scene->peer);
	scene->peer.pid = 0;
	assert_int_equal(check(scene, token, NOW + 60 * MINUTE, &claims, &said), ERR_none);
	assert_non_null(strstr(said, "connection refused"));
	expect(scene, "no other try", token, NOW + 60 * MINUTE + 1, NULL);
	keys_open(scene);
	assert_int_equal(check(scene, token, NOW, &claims, &said), ERR_unavailable);
}

static void
in_production_keys_come_over_tls_alone(void **state)
{
	struct scene *scene = *state;
	struct token_claims claims;
	const char *said;

	scene->config.is_development = false;
	keys_open(scene);
	assert_int_equal(check(scene, mint(scene, RS("rsa"), GOOD, BY_RSA), NOW, &claims, &said), ERR_unavailable);
	assert_int_equal(scene->peer.seen->connections, 0);
	scene->config.operator_jwt_issuer = NULL;
	assert_null(token_keys_open(scene, &scene->config));
}

static const uint8_t secret[SEAL_KEY_SIZE] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 };

static void
the_signing_key_follows_from_the_secret_alone(void **state)
{
	static const char want[] =
	    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"use\":\"sig\",\"kid\":\"_KJ_"
	    "EC3S5rF4nAcDWp5wDuz4gl1v2tiKG-jDucov8RQ\",\"x\":\"mIlqTTUm8mXTc4MNSLgw9uNTjSOPg88_oQBs6NKVMGA\","
	    "\"y\":\"bFSTMfGmoW_3kklnOpILWaxgYMMiwRcprTbOlwgvmBo\"}]}";
	uint8_t other[SEAL_KEY_SIZE];
	struct token_signer *signer = token_signer_new(*state, secret);

	assert_string_equal(token_jwks(signer, *state), want);
	talloc_free(signer);
	memcpy(other, secret, sizeof(other));
	other[31] ^= 1;
	signer = token_signer_new(*state, other);
	assert_string_not_equal(token_jwks(signer, *state), want);
}

static void
what_is_signed_can_be_checked_by_the_published_key(void **state)
{
	struct scene *scene = *state;
	struct token_signer *signer = token_signer_new(scene, secret);

	issuer_says(scene, "200 OK", token_jwks(signer, scene));
	for (int i = 0; i < SIGNATURES; i++) /* one in 128 has a number that begins with a zero */
		expect(scene, "signed", token_sign(signer, scene, i % 2 == 0 ? "JWT" : "at+jwt", GOOD), NOW, NULL);
	expect(scene, "a receipt", token_sign(signer, scene, "receipt+jwt", GOOD), NOW, "it is of another type");
}

static void
a_payload_is_signed_as_it_was_given(void **state)
{
	static const char payload[] = " {\"b\":0.10, \"a\":\"\xc3\xab\"}\n";
	struct token_signer *signer = token_signer_new(*state, secret);
	char *jws = token_sign(signer, *state, "receipt+jwt", payload), *rest = jws;
	const char *header = strsep(&rest, "."), *middle = strsep(&rest, ".");

	assert_string_equal(middle, text_base64url(*state, payload, strlen(payload)));
	assert_string_equal(header, "eyJhbGciOiJFUzI1NiIsImtpZCI6Il9LSl9FQzNTNXJGNG5BY0RXcDV3RHV6NGdsMXYydGlL"
				    "Ry1qRHVjb3Y4UlEiLCJ0eXAiOiJyZWNlaXB0K2p3dCJ9");
	assert_int_equal(strlen(rest), 86);
}

static int
keys_make(void **state)
{
	(void)state;
	fetch_init();
	made.rsa = key_new(GNUTLS_PK_RSA, 2048);
	made.rsa2 = key_new(GNUTLS_PK_RSA, 2048);
	made.weak = key_new(GNUTLS_PK_RSA, 2040);
	made.ec = key_new(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
	made.ec2 = key_new(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
	made.ec384 = key_new(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1));
	return 0;
}

static int
keys_drop(void **state)
{
	(void)state;
	gnutls_privkey_deinit(made.ec384);
	gnutls_privkey_deinit(made.ec2);
	gnutls_privkey_deinit(made.ec);
	gnutls_privkey_deinit(made.weak);
	gnutls_privkey_deinit(made.rsa2);
	gnutls_privkey_deinit(made.rsa);
	return 0;
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scene_begin, scene_end)
	const struct CMUnitTest cases[] = {
		CASE(a_token_of_the_issuer_is_taken),
		CASE(claims_are_handed_on_only_where_they_are_fit),
		CASE(known_forgeries_are_refused),
		CASE(no_character_of_a_token_can_be_changed),
		CASE(what_is_no_compact_jws_is_refused),
		CASE(a_token_has_at_most_8192_bytes),
		CASE(party_and_audience_are_those_of_the_settings),
		CASE(a_key_serves_only_what_it_is_for),
		CASE(malformed_keys_are_passed_over),
		CASE(a_new_key_is_fetched_once_a_minute_at_most),
		CASE(keys_are_fetched_anew_after_ten_minutes),
		CASE(nonsense_from_the_issuer_changes_nothing),
		CASE(keys_stand_while_the_issuer_is_down),
		CASE(in_production_keys_come_over_tls_alone),
		CASE(the_signing_key_follows_from_the_secret_alone),
		CASE(what_is_signed_can_be_checked_by_the_published_key),
		CASE(a_payload_is_signed_as_it_was_given),
	};

	alarm(120);
	return cmocka_run_group_tests(cases, keys_make, keys_drop);
}
