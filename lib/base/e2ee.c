/* End-to-end encryption for an agent's key; see e2ee.h.  The curve is p256.c's, GCM nettle's. */
#include "base/e2ee.h"

#include <nettle/gcm.h>
#include <string.h>
#include <talloc.h>
#include "base/p256.h"

void
e2ee_encrypt(const void *ctx, const uint8_t point[P256_POINT_SIZE], const char *info, const void *data, size_t len,
    struct e2ee_blob *blob)
{
	uint8_t secret[P256_NUMBER_SIZE], shared[P256_NUMBER_SIZE], key[AES256_KEY_SIZE];
	struct gcm_aes256_ctx gcm;

	p256_generate(secret);
	p256_public(secret, blob->ephemeral);
	p256_agree(secret, point, shared);
	crypto_hkdf_sha256(NULL, 0, shared, sizeof(shared), info, strlen(info), key, sizeof(key));
	crypto_random(blob->iv, sizeof(blob->iv));
	blob->len = len + E2EE_TAG_SIZE;
	blob->ciphertext = talloc_size(ctx, blob->len);
	gcm_aes256_set_key(&gcm, key);
	gcm_aes256_set_iv(&gcm, sizeof(blob->iv), blob->iv);
	gcm_aes256_encrypt(&gcm, len, blob->ciphertext, data);
	gcm_aes256_digest(&gcm, E2EE_TAG_SIZE, blob->ciphertext + len);
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(shared, sizeof(shared));
	crypto_wipe(key, sizeof(key));
	crypto_wipe(&gcm, sizeof(gcm));
}
