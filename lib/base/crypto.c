/*
 * Random bytes, hashes, HMAC, sealing at rest and P-256 points, over the kernel, nettle and GnuTLS.  Keys
 * come from the caller and stay his.  Signatures of tokens and of the chain are made elsewhere.
 */
#include "base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>
#include <talloc.h>

#include "base/p256.h"
#include "base/text.h"

enum { SEAL_VERSION = 1, SEAL_HEAD_SIZE = 1 + GCM_IV_SIZE, P256_COORDINATE_SIZE = 32, POINT_UNCOMPRESSED = 4 };

/* Straight from the kernel each time: nothing is kept that a fork could repeat. */
void
crypto_random(void *out, size_t len)
{
	uint8_t *bytes = out;

	while (len > 0) {
		ssize_t n = getrandom(bytes, len, 0);

		assert(n > 0 || errno == EINTR);
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
}

void
crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, len, data);
	sha256_digest(&sha, SHA256_SIZE, out);
	crypto_wipe(&sha, sizeof(sha));
}

void
crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, key_len, key);
	hmac_sha256_update(&hmac, len, data);
	hmac_sha256_digest(&hmac, SHA256_SIZE, out);
	crypto_wipe(&hmac, sizeof(hmac));
}

void
crypto_hkdf_sha256(const void *salt, size_t salt_len, const void *key, size_t key_len, const void *info,
    size_t info_len, uint8_t *out, size_t out_len)
{
	struct hmac_sha256_ctx hmac;
	uint8_t extracted[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&hmac, salt_len, salt == NULL ? "" : salt);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
	    (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE, key_len, key, extracted);
	hmac_sha256_set_key(&hmac, sizeof(extracted), extracted);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
	    SHA256_DIGEST_SIZE, info_len, info, out_len, out);
	crypto_wipe(extracted, sizeof(extracted));
	crypto_wipe(&hmac, sizeof(hmac));
}

bool
crypto_equal(const void *a, const void *b, size_t len)
{
	return gnutls_memcmp(a, b, len) == 0;
}

void
crypto_wipe(void *data, size_t len)
{
	explicit_bzero(data, len);
}

static void
seal_begin(struct gcm_aes256_ctx *gcm, const uint8_t *key, const uint8_t *nonce, const char *purpose)
{
	gcm_aes256_set_key(gcm, key);
	gcm_aes256_set_iv(gcm, GCM_IV_SIZE, nonce);
	gcm_aes256_update(gcm, strlen(purpose), (const uint8_t *)purpose);
}

uint8_t *
crypto_seal(const void *ctx, const uint8_t key[SEAL_KEY_SIZE], const char *purpose, const void *data, size_t len,
    size_t *out_len)
{
	uint8_t *sealed = talloc_size(ctx, len + SEAL_OVERHEAD);
	struct gcm_aes256_ctx gcm;

	assert(sealed != NULL);
	sealed[0] = SEAL_VERSION;
	crypto_random(sealed + 1, GCM_IV_SIZE);
	seal_begin(&gcm, key, sealed + 1, purpose);
	gcm_aes256_encrypt(&gcm, len, sealed + SEAL_HEAD_SIZE, data);
	gcm_aes256_digest(&gcm, GCM_DIGEST_SIZE, sealed + SEAL_HEAD_SIZE + len);
	crypto_wipe(&gcm, sizeof(gcm));
	*out_len = len + SEAL_OVERHEAD;
	return sealed;
}

uint8_t *
crypto_open(const void *ctx, const uint8_t key[SEAL_KEY_SIZE], const char *purpose, const void *sealed, size_t len,
    size_t *out_len)
{
	const uint8_t *bytes = sealed;
	struct gcm_aes256_ctx gcm;
	uint8_t tag[GCM_DIGEST_SIZE];
	uint8_t *out;

	if (len < SEAL_OVERHEAD || bytes[0] != SEAL_VERSION)
		return NULL;
	len -= SEAL_OVERHEAD;
	out = talloc_size(ctx, len + 1);
	assert(out != NULL);
	seal_begin(&gcm, key, bytes + 1, purpose);
	gcm_aes256_decrypt(&gcm, len, out, bytes + SEAL_HEAD_SIZE);
	gcm_aes256_digest(&gcm, GCM_DIGEST_SIZE, tag);
	crypto_wipe(&gcm, sizeof(gcm));
	if (!crypto_equal(tag, bytes + SEAL_HEAD_SIZE + len, GCM_DIGEST_SIZE)) {
		crypto_wipe(out, len); /* nobody sees what was not proven */
		talloc_free(out);
		return NULL;
	}
	out[len] = 0;
	*out_len = len;
	return out;
}

/* GnuTLS gives a coordinate without the zeros at its front, or with one more where the first bit is set. */
static int
coordinate_copy(const gnutls_datum_t *from, uint8_t *to)
{
	const uint8_t *data = from->data;
	size_t size = from->size;

	for (; size > 0 && *data == 0; data++)
		size--;
	if (size > P256_COORDINATE_SIZE)
		return -1;
	memset(to, 0, P256_COORDINATE_SIZE - size);
	memcpy(to + P256_COORDINATE_SIZE - size, data, size);
	return 0;
}

/* Strict DER: the key that was read must write the same bytes again. */
static int
point_of_spki(const uint8_t *der, size_t len, uint8_t point[P256_POINT_SIZE])
{
	gnutls_datum_t in = { .data = NULL, .size = (unsigned)len }, x = { 0 }, y = { 0 }, again = { 0 };
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_pubkey_t key = NULL;
	int rc = -1;

	in.data = talloc_memdup(NULL, der, len); /* the datum wants bytes that may be written */
	assert(in.data != NULL);
	if (gnutls_pubkey_init(&key) < 0 || gnutls_pubkey_import(key, &in, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_pubkey_export_ecc_raw(key, &curve, &x, &y) < 0 || curve != GNUTLS_ECC_CURVE_SECP256R1 ||
	    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &again) < 0 || again.size != in.size ||
	    memcmp(again.data, in.data, in.size) != 0)
		goto out;
	point[0] = POINT_UNCOMPRESSED;
	if (coordinate_copy(&x, point + 1) || coordinate_copy(&y, point + 1 + P256_COORDINATE_SIZE))
		goto out;
	rc = 0;
out:
	gnutls_free(again.data);
	gnutls_free(y.data);
	gnutls_free(x.data);
	gnutls_pubkey_deinit(key);
	talloc_free(in.data);
	return rc;
}

int
crypto_p256_point(const char *base64, uint8_t point[P256_POINT_SIZE])
{
	size_t len;
	uint8_t *bytes = text_unbase64(NULL, base64, &len);
	uint8_t read[P256_POINT_SIZE];
	int rc = -1;

	if (bytes == NULL)
		return -1;
	if (len == P256_POINT_SIZE && bytes[0] == POINT_UNCOMPRESSED)
		memcpy(read, bytes, len);
	else if (len > 256 || point_of_spki(bytes, len, read)) /* an honest one has 91 bytes */
		goto out;
	if (p256_is_point(read)) {
		memcpy(point, read, sizeof(read));
		rc = 0;
	}
out:
	talloc_free(bytes);
	return rc;
}
