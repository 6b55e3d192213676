/* The curve: known answers of RFC 5903 (8.1, agreement) and RFC 5869 (HKDF); GnuTLS checks the signatures. */
#include "unit.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>
#include "base/p256.h"

/* RFC 5903, 8.1: both sides of an exchange. */
static const char our_secret[] = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
static const char our_point[] = "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d6"
				"1f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
static const char their_secret[] = "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
static const char their_point[] = "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e81"
				  "57854c13c58d6aac23f046ada30f8353e74f33039872ab";
static const char shared_secret[] = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";

static void
both_sides_agree_on_the_published_secret(void **state)
{
	static const struct {
		const char *secret, *point, *peer;
	} rows[] = { { our_secret, our_point, their_point }, { their_secret, their_point, our_point } };
	uint8_t secret[P256_NUMBER_SIZE], point[P256_POINT_SIZE], peer[P256_POINT_SIZE], shared[P256_NUMBER_SIZE];
	char hex[2 * P256_POINT_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		text_unhex(rows[i].secret, secret, sizeof(secret));
		text_unhex(rows[i].peer, peer, sizeof(peer));
		p256_public(secret, point);
		text_hex(point, sizeof(point), hex);
		assert_string_equal(hex, rows[i].point);
		assert_true(p256_is_point(peer));
		p256_agree(secret, peer, shared);
		text_hex(shared, sizeof(shared), hex);
		assert_string_equal(hex, shared_secret);
	}
}

static void
only_uncompressed_points_on_the_curve_are_points(void **state)
{
	uint8_t point[P256_POINT_SIZE];

	(void)state;
	text_unhex(our_point, point, sizeof(point));
	point[0] = 2;
	assert_false(p256_is_point(point));
	point[0] = 4;
	assert_true(p256_is_point(point));
	point[64] ^= 1;
	assert_false(p256_is_point(point));
	memset(point + 1, 0xff, sizeof(point) - 1);
	assert_false(p256_is_point(point));
	memset(point + 1, 0, sizeof(point) - 1);
	assert_false(p256_is_point(point));
}

static void
fresh_keys_differ_and_agree(void **state)
{
	uint8_t a[P256_NUMBER_SIZE], b[P256_NUMBER_SIZE], point_a[P256_POINT_SIZE], point_b[P256_POINT_SIZE],
	    one[P256_NUMBER_SIZE], other[P256_NUMBER_SIZE];

	(void)state;
	for (int i = 0; i < 50; i++) {
		p256_generate(a);
		p256_generate(b);
		assert_memory_not_equal(a, b, sizeof(a));
		p256_public(a, point_a);
		p256_public(b, point_b);
		p256_agree(a, point_b, one);
		p256_agree(b, point_a, other);
		assert_memory_equal(one, other, sizeof(one));
	}
}

static void
a_derived_key_is_its_purpose_s_own(void **state)
{
	static const uint8_t key[SEAL_KEY_SIZE] = { 7 };
	uint8_t a[P256_NUMBER_SIZE], again[P256_NUMBER_SIZE], b[P256_NUMBER_SIZE];

	(void)state;
	p256_derive(key, "a", a);
	p256_derive(key, "a", again);
	p256_derive(key, "b", b);
	assert_memory_equal(a, again, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
}

/* GnuTLS, which knows nothing of our code, is the judge. */
static bool
gnutls_agrees(const uint8_t point[P256_POINT_SIZE], uint8_t *signature, const char *text)
{
	gnutls_datum_t x = { NULL, 32 }, y = { NULL, 32 }, der = { 0 }, data = { NULL, (unsigned)strlen(text) };
	gnutls_datum_t r = { signature, 32 }, s = { signature + 32, 32 };
	uint8_t copy[P256_POINT_SIZE], bytes[64];
	gnutls_pubkey_t key;
	bool is_good;

	memcpy(copy, point, sizeof(copy));
	memcpy(bytes, text, data.size);
	x.data = copy + 1;
	y.data = copy + 33;
	data.data = bytes;
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y), 0);
	assert_int_equal(gnutls_encode_rs_value(&der, &r, &s), 0);
	is_good = gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der) == 0;
	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	return is_good;
}

static void
signatures_are_good_for_their_text_alone(void **state)
{
	uint8_t secret[P256_NUMBER_SIZE], point[P256_POINT_SIZE], digest[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];

	(void)state;
	crypto_sha256("sample", 6, digest);
	for (int i = 0; i < 50; i++) {
		p256_generate(secret);
		p256_public(secret, point);
		p256_sign(secret, digest, signature);
		assert_true(gnutls_agrees(point, signature, "sample"));
		assert_false(gnutls_agrees(point, signature, "simple"));
	}
}

/* RFC 5869, A.1 and A.3. */
static void
hkdf_gives_the_published_keys(void **state)
{
	static const struct {
		const char *key, *salt, *info, *okm;
	} rows[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	};
	uint8_t key[22], salt[13], info[10], okm[42];
	char hex[2 * sizeof(okm) + 1];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		int salt_len = text_unhex(rows[i].salt, salt, sizeof(salt));
		int info_len = text_unhex(rows[i].info, info, sizeof(info));

		text_unhex(rows[i].key, key, sizeof(key));
		crypto_hkdf_sha256(salt_len > 0 ? salt : NULL, (size_t)(salt_len > 0 ? salt_len : 0), key, sizeof(key),
		    info, (size_t)(info_len > 0 ? info_len : 0), okm, sizeof(okm));
		text_hex(okm, sizeof(okm), hex);
		assert_string_equal(hex, rows[i].okm);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree_on_the_published_secret),
		cmocka_unit_test(only_uncompressed_points_on_the_curve_are_points),
		cmocka_unit_test(fresh_keys_differ_and_agree),
		cmocka_unit_test(a_derived_key_is_its_purpose_s_own),
		cmocka_unit_test(signatures_are_good_for_their_text_alone),
		cmocka_unit_test(hkdf_gives_the_published_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
