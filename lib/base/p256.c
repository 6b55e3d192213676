/*
 * P-256 by nettle: keys, agreement, signatures.  What is agreed or signed, and how points travel as text, is for others
 * (e2ee.c, net/push.c, net/token.c, crypto.c).
 */
#include "base/p256.h"

#include <assert.h>
#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <string.h>

enum {
	POINT_UNCOMPRESSED = 4,
	CANDIDATES = 4, /* for a derived key; one is too large once in 2^32 */
};

static void
random_bytes(void *ctx, size_t len, uint8_t *out)
{
	(void)ctx;
	crypto_random(out, len);
}

/* mpz_export drops leading zeros. */
static void
number_print(const mpz_t value, uint8_t out[P256_NUMBER_SIZE])
{
	size_t size = (mpz_sizeinbase(value, 2) + 7) / 8;

	assert(size <= P256_NUMBER_SIZE);
	memset(out, 0, P256_NUMBER_SIZE);
	mpz_export(out + P256_NUMBER_SIZE - size, NULL, 1, 1, 1, 0, value);
}

static void
number_wipe(mpz_t value)
{
	size_t limbs = mpz_size(value);

	if (limbs > 0)
		crypto_wipe(mpz_limbs_write(value, (mp_size_t)limbs), limbs * sizeof(mp_limb_t));
	mpz_clear(value);
}

static void
scalar_wipe(struct ecc_scalar *scalar)
{
	crypto_wipe(scalar->p, sizeof(mp_limb_t) * (size_t)ecc_size(scalar->ecc));
	ecc_scalar_clear(scalar);
}

/* False for what is no private key: 0, or not below the group's order.  *scalar is then nothing to clear. */
static bool
scalar_read(const uint8_t secret[P256_NUMBER_SIZE], struct ecc_scalar *scalar)
{
	bool is_good;
	mpz_t value;

	mpz_init(value);
	mpz_import(value, P256_NUMBER_SIZE, 1, 1, 1, 0, secret);
	ecc_scalar_init(scalar, nettle_get_secp_256r1());
	is_good = ecc_scalar_set(scalar, value) == 1;
	number_wipe(value);
	if (!is_good)
		ecc_scalar_clear(scalar);
	return is_good;
}

static bool
point_read(const uint8_t bytes[P256_POINT_SIZE], struct ecc_point *point)
{
	bool is_good;
	mpz_t x, y;

	mpz_inits(x, y, (mpz_ptr)NULL);
	mpz_import(x, P256_NUMBER_SIZE, 1, 1, 1, 0, bytes + 1);
	mpz_import(y, P256_NUMBER_SIZE, 1, 1, 1, 0, bytes + 1 + P256_NUMBER_SIZE);
	is_good = bytes[0] == POINT_UNCOMPRESSED && ecc_point_set(point, x, y) == 1;
	mpz_clears(x, y, (mpz_ptr)NULL);
	return is_good;
}

static void
point_print(const struct ecc_point *point, uint8_t out[P256_POINT_SIZE])
{
	mpz_t x, y;

	mpz_inits(x, y, (mpz_ptr)NULL);
	ecc_point_get(point, x, y);
	out[0] = POINT_UNCOMPRESSED;
	number_print(x, out + 1);
	number_print(y, out + 1 + P256_NUMBER_SIZE);
	number_wipe(x);
	mpz_clear(y);
}

void
p256_generate(uint8_t secret[P256_NUMBER_SIZE])
{
	struct ecc_scalar scalar;

	do
		crypto_random(secret, P256_NUMBER_SIZE);
	while (!scalar_read(secret, &scalar));
	scalar_wipe(&scalar);
}

void
p256_derive(const uint8_t key[SEAL_KEY_SIZE], const char *purpose, uint8_t secret[P256_NUMBER_SIZE])
{
	uint8_t candidates[CANDIDATES][P256_NUMBER_SIZE];
	struct ecc_scalar scalar;
	bool is_good = false;

	crypto_hkdf_sha256(NULL, 0, key, SEAL_KEY_SIZE, purpose, strlen(purpose), candidates[0], sizeof(candidates));
	for (size_t i = 0; i < CANDIDATES && !is_good; i++) {
		memcpy(secret, candidates[i], P256_NUMBER_SIZE);
		is_good = scalar_read(secret, &scalar);
	}
	assert(is_good);
	scalar_wipe(&scalar);
	crypto_wipe(candidates, sizeof(candidates));
}

void
p256_public(const uint8_t secret[P256_NUMBER_SIZE], uint8_t point[P256_POINT_SIZE])
{
	struct ecc_scalar scalar;
	struct ecc_point ours;
	bool is_good = scalar_read(secret, &scalar);

	assert(is_good);
	ecc_point_init(&ours, nettle_get_secp_256r1());
	ecc_point_mul_g(&ours, &scalar);
	point_print(&ours, point);
	ecc_point_clear(&ours);
	scalar_wipe(&scalar);
}

/* nettle checks that both coordinates are below the field's prime and fit the curve's equation. */
bool
p256_is_point(const uint8_t point[P256_POINT_SIZE])
{
	struct ecc_point ecc;
	bool is_good;

	ecc_point_init(&ecc, nettle_get_secp_256r1());
	is_good = point_read(point, &ecc);
	ecc_point_clear(&ecc);
	return is_good;
}

void
p256_agree(
    const uint8_t secret[P256_NUMBER_SIZE], const uint8_t peer[P256_POINT_SIZE], uint8_t shared[P256_NUMBER_SIZE])
{
	uint8_t bytes[P256_POINT_SIZE];
	struct ecc_scalar scalar;
	struct ecc_point point;
	bool is_good = scalar_read(secret, &scalar);

	assert(is_good);
	ecc_point_init(&point, nettle_get_secp_256r1());
	is_good = point_read(peer, &point);
	assert(is_good);
	ecc_point_mul(&point, &scalar, &point);
	point_print(&point, bytes);
	memcpy(shared, bytes + 1, P256_NUMBER_SIZE);
	crypto_wipe(bytes, sizeof(bytes));
	ecc_point_clear(&point);
	scalar_wipe(&scalar);
}

void
p256_sign(
    const uint8_t secret[P256_NUMBER_SIZE], const uint8_t digest[SHA256_SIZE], uint8_t signature[P256_SIGNATURE_SIZE])
{
	struct dsa_signature numbers;
	struct ecc_scalar scalar;
	bool is_good = scalar_read(secret, &scalar);

	assert(is_good);
	dsa_signature_init(&numbers);
	ecdsa_sign(&scalar, NULL, random_bytes, SHA256_SIZE, digest, &numbers);
	number_print(numbers.r, signature);
	number_print(numbers.s, signature + P256_NUMBER_SIZE);
	dsa_signature_clear(&numbers);
	scalar_wipe(&scalar);
}
