/* End-to-end encryption for an agent's key; see e2ee.h.  Curve arithmetic, HKDF and GCM are nettle's. */
#include "base/e2ee.h"

#include <assert.h>
#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <string.h>
#include <talloc.h>

enum { COORDINATE_SIZE = 32 };

static void
random_bytes(void *ctx, size_t len, uint8_t *out)
{
	(void)ctx;
	crypto_random(out, len);
}

/* A coordinate as 32 bytes; mpz_export drops leading zeros. */
static void
print_coordinate(const mpz_t value, uint8_t out[COORDINATE_SIZE])
{
	size_t size = (mpz_sizeinbase(value, 2) + 7) / 8;

	assert(size <= COORDINATE_SIZE);
	memset(out, 0, COORDINATE_SIZE);
	mpz_export(out + COORDINATE_SIZE - size, NULL, 1, 1, 1, 0, value);
}

/* A fresh key's public point, and the x coordinate that it shares with the peer's. */
static void
agree(const uint8_t peer[P256_POINT_SIZE], uint8_t ephemeral[P256_POINT_SIZE], uint8_t shared[COORDINATE_SIZE])
{
	const struct ecc_curve *curve = nettle_get_secp_256r1();
	struct ecc_point theirs, ours;
	struct ecc_scalar secret;
	mpz_t x, y;
	int is_point;

	mpz_inits(x, y, NULL);
	ecc_point_init(&theirs, curve);
	ecc_point_init(&ours, curve);
	ecc_scalar_init(&secret, curve);
	mpz_import(x, COORDINATE_SIZE, 1, 1, 1, 0, peer + 1);
	mpz_import(y, COORDINATE_SIZE, 1, 1, 1, 0, peer + 1 + COORDINATE_SIZE);
	is_point = ecc_point_set(&theirs, x, y);
	assert(is_point == 1);
	ecc_scalar_random(&secret, NULL, random_bytes);
	ecc_point_mul_g(&ours, &secret);
	ecc_point_get(&ours, x, y);
	ephemeral[0] = 4;
	print_coordinate(x, ephemeral + 1);
	print_coordinate(y, ephemeral + 1 + COORDINATE_SIZE);
	ecc_point_mul(&ours, &secret, &theirs);
	ecc_point_get(&ours, x, y);
	print_coordinate(x, shared);
	ecc_scalar_clear(&secret);
	ecc_point_clear(&ours);
	ecc_point_clear(&theirs);
	mpz_clears(x, y, NULL);
}

/* RFC 5869 with an empty salt. */
static void
derive(const uint8_t shared[COORDINATE_SIZE], const char *info, uint8_t key[AES256_KEY_SIZE])
{
	struct hmac_sha256_ctx hmac;
	uint8_t prk[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&hmac, 0, (const uint8_t *)"");
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
	    (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE, COORDINATE_SIZE, shared, prk);
	hmac_sha256_set_key(&hmac, sizeof(prk), prk);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
	    SHA256_DIGEST_SIZE, strlen(info), (const uint8_t *)info, AES256_KEY_SIZE, key);
	crypto_wipe(prk, sizeof(prk));
	crypto_wipe(&hmac, sizeof(hmac));
}

void
e2ee_encrypt(const void *ctx, const uint8_t point[P256_POINT_SIZE], const char *info, const void *data, size_t len,
    struct e2ee_blob *blob)
{
	uint8_t shared[COORDINATE_SIZE], key[AES256_KEY_SIZE];
	struct gcm_aes256_ctx gcm;

	agree(point, blob->ephemeral, shared);
	derive(shared, info, key);
	crypto_random(blob->iv, sizeof(blob->iv));
	blob->len = len + E2EE_TAG_SIZE;
	blob->ciphertext = talloc_size(ctx, blob->len);
	gcm_aes256_set_key(&gcm, key);
	gcm_aes256_set_iv(&gcm, sizeof(blob->iv), blob->iv);
	gcm_aes256_encrypt(&gcm, len, blob->ciphertext, data);
	gcm_aes256_digest(&gcm, E2EE_TAG_SIZE, blob->ciphertext + len);
	crypto_wipe(shared, sizeof(shared));
	crypto_wipe(key, sizeof(key));
	crypto_wipe(&gcm, sizeof(gcm));
}
