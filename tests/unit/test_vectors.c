/*
 * The published vectors of credentials end to end (spec 9, tests/vectors/e2ee.json) by the server's own P-256 and HKDF and by
 * GnuTLS's GCM: every value between key and plaintext, and that not one bit may change.
 */
#include "unit.h"

#include <gnutls/crypto.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>
#include "base/crypto.h"
#include "base/e2ee.h"
#include "base/p256.h"

enum { KEY_SIZE = 32, BITS = 8, EVERY_BIT_UP_TO = 96, VECTORS_MIN = 20 };

struct bytes {
	uint8_t *at;
	size_t len;
};

/* What opens a credential; the first five are what a stranger may change on the way. */
struct sealed {
	struct bytes secret, point, iv, ciphertext, info; /* ciphertext: the tag at its end */
};

static struct json_object *file;
static char *scratch; /* a talloc context for the test that runs */

/* The file, from the program's own place upwards: tests run from any folder. */
static int
open_file(void **state)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	(void)state;
	scratch = talloc_strdup(NULL, "scratch");
	while (len > 0 && file == NULL) {
		char *name;

		while (len > 0 && path[len - 1] != '/')
			len--;
		name = talloc_asprintf(scratch, "%.*stests/vectors/e2ee.json", (int)len, path);
		if (access(name, R_OK) == 0)
			file = json_object_from_file(name);
		len--;
	}
	return file != NULL ? 0 : -1;
}

static int
close_file(void **state)
{
	(void)state;
	json_object_put(file);
	talloc_free(scratch);
	return 0;
}

static const char *
text_of(struct json_object *object, const char *name)
{
	struct json_object *value = json_object_object_get(object, name);

	assert_true(json_object_is_type(value, json_type_string));
	return json_object_get_string(value);
}

static struct bytes
bytes_of(struct json_object *vector, const char *name)
{
	const char *hex = text_of(vector, name);
	struct bytes out = { talloc_size(scratch, strlen(hex) / 2 + 1), strlen(hex) / 2 };

	assert_int_equal(text_unhex(hex, out.at, out.len), out.len);
	return out;
}

static void
assert_bytes(struct json_object *vector, const char *name, const uint8_t *got, size_t len)
{
	struct bytes want = bytes_of(vector, name);

	assert_int_equal(len, want.len);
	assert_memory_equal(got, want.at, len);
}

/* The recipient's side: the plaintext, which hangs on scratch, or false. */
static bool
open_sealed(const struct sealed *sealed, struct bytes *plain)
{
	uint8_t shared[P256_NUMBER_SIZE], key[KEY_SIZE];
	const gnutls_datum_t datum = { key, sizeof(key) };
	gnutls_aead_cipher_hd_t cipher;
	int rc;

	if (sealed->point.len != P256_POINT_SIZE || sealed->iv.len != E2EE_IV_SIZE ||
	    sealed->ciphertext.len < E2EE_TAG_SIZE || !p256_is_point(sealed->point.at))
		return false;
	p256_agree(sealed->secret.at, sealed->point.at, shared);
	crypto_hkdf_sha256(NULL, 0, shared, sizeof(shared), sealed->info.at, sealed->info.len, key, sizeof(key));
	plain->len = sealed->ciphertext.len;
	plain->at = talloc_size(scratch, plain->len);
	assert_int_equal(gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_GCM, &datum), 0);
	rc = gnutls_aead_cipher_decrypt(cipher, sealed->iv.at, sealed->iv.len, NULL, 0, E2EE_TAG_SIZE,
	    sealed->ciphertext.at, sealed->ciphertext.len, plain->at, &plain->len);
	gnutls_aead_cipher_deinit(cipher);
	return rc == 0;
}

static struct sealed
sealed_of(struct json_object *vector)
{
	struct bytes head = bytes_of(vector, "ciphertext"), tag = bytes_of(vector, "tag");
	struct sealed sealed = {
		.secret = bytes_of(vector, "private_key"),
		.point = bytes_of(vector, "ephemeral_public_key"),
		.iv = bytes_of(vector, "iv"),
		.ciphertext = { talloc_size(scratch, head.len + tag.len), head.len + tag.len },
		.info = bytes_of(vector, "info"),
	};

	memcpy(sealed.ciphertext.at, head.at, head.len);
	memcpy(sealed.ciphertext.at + head.len, tag.at, tag.len);
	return sealed;
}

static void
every_value_on_the_way_is_the_published_one(struct json_object *vector)
{
	static const uint8_t no_salt[SHA256_SIZE];
	struct bytes secret = bytes_of(vector, "private_key"), own = bytes_of(vector, "ephemeral_private_key");
	struct bytes peer = bytes_of(vector, "ephemeral_public_key"), info = bytes_of(vector, "info");
	uint8_t point[P256_POINT_SIZE], ours[P256_POINT_SIZE], shared[P256_NUMBER_SIZE], prk[SHA256_SIZE],
	    okm[KEY_SIZE];
	char *expected = talloc_asprintf(scratch, "humanops/credential/v1/%s", text_of(vector, "task_id"));

	assert_int_equal(crypto_p256_point(text_of(vector, "public_key"), point), 0);
	assert_int_equal(crypto_p256_point(text_of(vector, "public_key_spki"), ours), 0);
	assert_memory_equal(ours, point, sizeof(point));
	p256_public(secret.at, ours);
	assert_memory_equal(ours, point, sizeof(point));
	p256_public(own.at, ours);
	assert_bytes(vector, "ephemeral_public_key", ours, sizeof(ours));
	p256_agree(own.at, point, shared);
	assert_bytes(vector, "shared_x", shared, sizeof(shared));
	p256_agree(secret.at, peer.at, shared);
	assert_bytes(vector, "shared_x", shared, sizeof(shared));
	assert_int_equal(info.len, strlen(expected));
	assert_memory_equal(info.at, expected, info.len);
	crypto_hmac_sha256(no_salt, sizeof(no_salt), shared, sizeof(shared), prk);
	assert_bytes(vector, "prk", prk, sizeof(prk));
	crypto_hkdf_sha256(NULL, 0, shared, sizeof(shared), info.at, info.len, okm, sizeof(okm));
	assert_bytes(vector, "okm", okm, sizeof(okm));
}

static void
it_opens_to_the_published_plaintext(struct json_object *vector)
{
	const char *want = text_of(vector, "plaintext");
	struct sealed sealed = sealed_of(vector);
	struct bytes plain;

	assert_true(open_sealed(&sealed, &plain));
	assert_int_equal(plain.len, strlen(want));
	assert_memory_equal(plain.at, want, plain.len);
}

static void
its_base64_says_the_same(struct json_object *vector)
{
	struct json_object *blob = json_object_object_get(vector, "encrypted_credential");
	struct sealed sealed = sealed_of(vector);
	const struct {
		const char *name;
		const struct bytes *want;
	} rows[] = { { "ciphertext", &sealed.ciphertext }, { "iv", &sealed.iv },
		{ "ephemeralPublicKey", &sealed.point } };

	for (size_t i = 0; i < nitems(rows); i++) {
		size_t len = 0;
		uint8_t *got = text_unbase64(scratch, text_of(blob, rows[i].name), &len);

		assert_non_null(got);
		assert_int_equal(len, rows[i].want->len);
		assert_memory_equal(got, rows[i].want->at, len);
	}
}

/* Of long ones the first and last bits, the tag's among them. */
static void
no_bit_may_change(struct bytes part, const struct sealed *sealed)
{
	struct bytes plain;

	for (size_t i = 0; i < part.len; i++) {
		if (i >= EVERY_BIT_UP_TO && i + E2EE_TAG_SIZE < part.len)
			continue;
		for (int bit = 0; bit < BITS; bit++) {
			part.at[i] ^= (uint8_t)(1 << bit);
			assert_false(open_sealed(sealed, &plain));
			part.at[i] ^= (uint8_t)(1 << bit);
		}
	}
	assert_true(open_sealed(sealed, &plain));
}

static void
all_vectors(void (*check)(struct json_object *vector))
{
	struct json_object *vectors = json_object_object_get(file, "vectors");
	size_t count = json_object_array_length(vectors);

	assert_true(count >= VECTORS_MIN);
	for (size_t i = 0; i < count; i++)
		check(json_object_array_get_idx(vectors, i));
}

static void
keys_shared_secrets_and_derived_keys_are_as_published(void **state)
{
	(void)state;
	all_vectors(every_value_on_the_way_is_the_published_one);
}

static void
ciphertexts_open_to_their_plaintexts(void **state)
{
	(void)state;
	all_vectors(it_opens_to_the_published_plaintext);
}

static void
what_the_api_carries_is_the_same_bytes(void **state)
{
	(void)state;
	all_vectors(its_base64_says_the_same);
}

static void
a_changed_bit_anywhere_opens_nothing(void **state)
{
	struct json_object *vectors = json_object_object_get(file, "vectors");
	struct sealed sealed = sealed_of(json_object_array_get_idx(vectors, 0));

	(void)state;
	no_bit_may_change(sealed.ciphertext, &sealed);
	no_bit_may_change(sealed.iv, &sealed);
	no_bit_may_change(sealed.point, &sealed);
	no_bit_may_change(sealed.info, &sealed);
	no_bit_may_change(sealed.secret, &sealed);
}

/* What the server itself makes for simulated tasks is of the same kind. */
static void
a_credential_made_here_opens_by_the_same_steps(void **state)
{
	static const char text[] = "{\"api_key\":\"sk_sandbox\"}";
	char info[] = "humanops/credential/v1/task_x";
	uint8_t secret[P256_NUMBER_SIZE], point[P256_POINT_SIZE];
	struct e2ee_blob blob;
	struct bytes plain;

	(void)state;
	p256_generate(secret);
	p256_public(secret, point);
	e2ee_encrypt(scratch, point, info, text, strlen(text), &blob);
	assert_true(open_sealed(
	    &(struct sealed){ { secret, sizeof(secret) }, { blob.ephemeral, sizeof(blob.ephemeral) },
		{ blob.iv, sizeof(blob.iv) }, { blob.ciphertext, blob.len }, { (uint8_t *)info, strlen(info) } },
	    &plain));
	assert_int_equal(plain.len, strlen(text));
	assert_memory_equal(plain.at, text, plain.len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_shared_secrets_and_derived_keys_are_as_published),
		cmocka_unit_test(ciphertexts_open_to_their_plaintexts),
		cmocka_unit_test(what_the_api_carries_is_the_same_bytes),
		cmocka_unit_test(a_changed_bit_anywhere_opens_nothing),
		cmocka_unit_test(a_credential_made_here_opens_by_the_same_steps),
	};

	return cmocka_run_group_tests(tests, open_file, close_file);
}
