/* Hashes and HMAC by published vectors, sealing against tampering, P-256 points in both forms. */
#include "base/crypto.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include "unit.h"

static void
sha256_and_hmac_are_those_of_the_standards(void **state)
{
	uint8_t key[131], hash[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	(void)state;
	crypto_sha256("abc", 3, hash); /* FIPS 180-4 */
	text_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256("", 0, hash);
	text_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, hash); /* RFC 4231, 4.3 */
	text_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, hash);
	text_hex(hash, sizeof(hash), hex); /* RFC 4231, 4.7 */
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
equal_means_every_byte(void **state)
{
	(void)state;
	assert_true(crypto_equal("abc", "abc", 3));
	assert_true(crypto_equal("abc", "abd", 2));
	assert_true(crypto_equal("a", "b", 0));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_false(crypto_equal("abc", "bbc", 3));
}

static void
random_bytes_differ_also_after_a_fork(void **state)
{
	uint8_t mine[32], theirs[32];
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	crypto_random(mine, sizeof(mine));
	if (child == 0)
		_exit(write(ends[1], mine, sizeof(mine)) == (ssize_t)sizeof(mine) ? 0 : 1);
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_memory_not_equal(mine, theirs, sizeof(mine));
	crypto_random(mine, 0);
	crypto_wipe(mine, sizeof(mine));
	for (size_t i = 0; i < sizeof(mine); i++)
		assert_int_equal(mine[i], 0);
	close(ends[0]);
	close(ends[1]);
}

static void
what_is_sealed_opens_with_its_key_and_purpose_alone(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 1000 };
	uint8_t key[SEAL_KEY_SIZE], other[SEAL_KEY_SIZE], data[1000];
	void *ctx = talloc_new(NULL);

	(void)state;
	crypto_random(key, sizeof(key));
	memcpy(other, key, sizeof(key));
	other[31] ^= 1;
	crypto_random(data, sizeof(data));
	for (size_t i = 0; i < nitems(lengths); i++) {
		size_t sealed_len, len = 99;
		uint8_t *sealed = crypto_seal(ctx, key, "secret:task_1", data, lengths[i], &sealed_len), *opened;

		assert_int_equal(sealed_len, lengths[i] + SEAL_OVERHEAD);
		assert_int_equal(sealed[0], 1);
		opened = crypto_open(ctx, key, "secret:task_1", sealed, sealed_len, &len);
		assert_non_null(opened);
		assert_int_equal(len, lengths[i]);
		assert_memory_equal(opened, data, len);
		assert_int_equal(opened[len], 0);
		assert_null(crypto_open(ctx, key, "secret:task_2", sealed, sealed_len, &len));
		assert_null(crypto_open(ctx, key, "", sealed, sealed_len, &len));
		assert_null(crypto_open(ctx, other, "secret:task_1", sealed, sealed_len, &len));
	}
	talloc_free(ctx);
}

static void
no_bit_of_a_sealed_text_can_be_changed(void **state)
{
	uint8_t key[SEAL_KEY_SIZE] = { 1 };
	size_t sealed_len, len;
	void *ctx = talloc_new(NULL);
	uint8_t *sealed = crypto_seal(ctx, key, "p", "secret", 6, &sealed_len);

	(void)state;
	for (size_t bit = 0; bit < 8 * sealed_len; bit++) {
		sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ 1 << bit % 8);
		assert_null(crypto_open(ctx, key, "p", sealed, sealed_len, &len));
		sealed[bit / 8] = (uint8_t)(sealed[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t cut = 0; cut < sealed_len; cut++)
		assert_null(crypto_open(ctx, key, "p", sealed, cut, &len));
	assert_non_null(crypto_open(ctx, key, "p", sealed, sealed_len, &len));
	talloc_free(ctx);
}

static void
the_same_text_is_never_sealed_alike(void **state)
{
	uint8_t key[SEAL_KEY_SIZE] = { 1 };
	size_t len;
	void *ctx = talloc_new(NULL);

	(void)state;
	assert_memory_not_equal(
	    crypto_seal(ctx, key, "p", "x", 1, &len), crypto_seal(ctx, key, "p", "x", 1, &len), SEAL_OVERHEAD);
	talloc_free(ctx);
}

/* The base point of P-256 (SP 800-186). */
#define G_X "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define G_Y "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define SPKI_HEAD "3059301306072a8648ce3d020106082a8648ce3d030107034200"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
/* The field's prime; the point with x = 0, and the same one spelt with x + prime. */
#define P_ITSELF "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define LOW_X "0000000000000000000000000000000000000000000000000000000000000000"
#define LOW_X_AGAIN "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define LOW_Y "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"

static void
only_points_of_the_curve_are_taken(void **state)
{
	static const struct {
		const char *hex;
		int rc;
	} rows[] = {
		{ "04" G_X G_Y, 0 },
		{ SPKI_HEAD "04" G_X G_Y, 0 },
		{ SPKI_HEAD "04" G_X G_Y "00", -1 },
		{ SPKI_HEAD "04" G_X, -1 },
		{ "04" G_X, -1 },
		{ "04" G_X G_Y "00", -1 },
		{ "05" G_X G_Y, -1 },
		{ "00" G_X G_Y, -1 },
		{ "03" G_X, -1 },
		{ "06" G_X G_Y, -1 },
		{ "07" G_X G_Y, -1 },
		{ "00", -1 },
		{ "", -1 },
		{ "04" ZEROS ZEROS, -1 },
		{ SPKI_HEAD "04" ZEROS ZEROS, -1 },
		{ "04" G_X G_X, -1 },
		{ SPKI_HEAD "04" G_X G_X, -1 },
		{ "04" G_Y G_X, -1 },
		{ "04" P_ITSELF G_Y, -1 },
		{ "04" P_ITSELF ZEROS, -1 },
		{ "04" LOW_X_AGAIN LOW_Y, -1 },
		{ SPKI_HEAD "04" LOW_X_AGAIN LOW_Y, -1 },
		{ "04" LOW_X P_ITSELF, -1 },
		{ "3039301306072a8648ce3d020106082a8648ce3d030107032200"
		  "03" G_X,
		    -1 }, /* compressed */
		{ "3056301006072a8648ce3d020106052b8104000a034200"
		  "04" G_X G_Y,
		    -1 },				/* secp256k1 */
		{ "302a300506032b6570032100" G_X, -1 }, /* Ed25519 */
		{ "305930130607", -1 },
	};
	uint8_t bytes[128], point[P256_POINT_SIZE], want[P256_POINT_SIZE];

	(void)state;
	assert_int_equal(text_unhex("04" G_X G_Y, want, sizeof(want)), sizeof(want));
	for (size_t i = 0; i < nitems(rows); i++) {
		int len = text_unhex(rows[i].hex, bytes, sizeof(bytes));
		char *base64 = text_base64(NULL, bytes, (size_t)len);
		int rc;

		memset(point, 0, sizeof(point));
		rc = crypto_p256_point(base64, point);
		if (len < 0 || rc != rows[i].rc || memcmp(point, want, rc == 0 ? sizeof(want) : 0) != 0)
			fail_msg("row %zu: %d", i, rc);
		talloc_free(base64);
	}
	assert_int_equal(crypto_p256_point("not base64", point), -1);
	assert_int_equal(crypto_p256_point("", point), -1);
}

static void
a_coordinate_that_is_all_but_zero_keeps_its_width(void **state)
{
	static const char *const forms[] = { "04" LOW_X LOW_Y, SPKI_HEAD "04" LOW_X LOW_Y };
	uint8_t bytes[128], point[P256_POINT_SIZE], want[P256_POINT_SIZE];

	(void)state;
	text_unhex(forms[0], want, sizeof(want));
	for (size_t i = 0; i < nitems(forms); i++) {
		int len = text_unhex(forms[i], bytes, sizeof(bytes));
		char *base64 = text_base64(NULL, bytes, (size_t)len);

		assert_int_equal(crypto_p256_point(base64, point), 0);
		assert_memory_equal(point, want, sizeof(want));
		talloc_free(base64);
	}
}

/* Keys with zeros in front of a coordinate come along about once in a hundred: both forms must agree on them
 * all. */
static void
raw_points_and_der_keys_agree(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++) {
		gnutls_datum_t der;
		gnutls_privkey_t key;
		gnutls_pubkey_t public;
		uint8_t from_der[P256_POINT_SIZE], from_raw[P256_POINT_SIZE];
		char *base64;

		assert_int_equal(gnutls_privkey_init(&key), 0);
		assert_int_equal(
		    gnutls_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		    0);
		assert_int_equal(gnutls_pubkey_init(&public), 0);
		assert_int_equal(gnutls_pubkey_import_privkey(public, key, 0, 0), 0);
		assert_int_equal(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der), 0);
		assert_int_equal(der.size, 91);
		base64 = text_base64(NULL, der.data, der.size);
		assert_int_equal(crypto_p256_point(base64, from_der), 0);
		assert_memory_equal(from_der, der.data + 26, P256_POINT_SIZE);
		talloc_free(base64);
		base64 = text_base64(NULL, from_der, sizeof(from_der));
		assert_int_equal(crypto_p256_point(base64, from_raw), 0);
		assert_memory_equal(from_der, from_raw, P256_POINT_SIZE);
		talloc_free(base64);
		gnutls_free(der.data);
		gnutls_pubkey_deinit(public);
		gnutls_privkey_deinit(key);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(sha256_and_hmac_are_those_of_the_standards),
		cmocka_unit_test(equal_means_every_byte),
		cmocka_unit_test(random_bytes_differ_also_after_a_fork),
		cmocka_unit_test(what_is_sealed_opens_with_its_key_and_purpose_alone),
		cmocka_unit_test(no_bit_of_a_sealed_text_can_be_changed),
		cmocka_unit_test(the_same_text_is_never_sealed_alike),
		cmocka_unit_test(only_points_of_the_curve_are_taken),
		cmocka_unit_test(a_coordinate_that_is_all_but_zero_keeps_its_width),
		cmocka_unit_test(raw_points_and_der_keys_agree),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
