#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Random bytes, hashes, HMAC, sealing, curve points: thin over GnuTLS and nettle.  A failure of theirs ends
 * the program. */

struct error;

enum { SHA256_SIZE = 32, SEAL_KEY_SIZE = 32, SEAL_OVERHEAD = 1 + 12 + 16, P256_POINT_SIZE = 65 };

void crypto_random(void *out, size_t len);
void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_SIZE]);
/* HKDF (RFC 5869) with SHA-256; salt NULL: none.  Up to 255 blocks of 32 bytes. */
void crypto_hkdf_sha256(const void *salt, size_t salt_len, const void *key, size_t key_len, const void *info,
    size_t info_len, uint8_t *out, size_t out_len);
bool crypto_equal(const void *a, const void *b, size_t len); /* constant time */
void crypto_wipe(void *data, size_t len);

/*
 * Sealing at rest: AES-256-GCM (NIST SP 800-38D), a fresh random nonce each time; bytes are version 1, nonce,
 * ciphertext, tag.  `purpose` is bound as additional data: what was sealed for one row opens for no other.
 * crypto_seal: talloc'ed bytes, *out_len = len + SEAL_OVERHEAD.  crypto_open: talloc'ed bytes with a NUL
 * behind them, or NULL if key, purpose or bytes differ.
 */
uint8_t *crypto_seal(const void *ctx, const uint8_t key[SEAL_KEY_SIZE], const char *purpose, const void *data,
    size_t len, size_t *out_len);
uint8_t *crypto_open(const void *ctx, const uint8_t key[SEAL_KEY_SIZE], const char *purpose, const void *sealed,
    size_t len, size_t *out_len);

/*
 * Reads a P-256 public key in base64: a raw uncompressed point of 65 bytes, or a SubjectPublicKeyInfo (RFC
 * 5480) in DER. 0 and the raw point, which lies on the curve; -1 for anything else.
 */
int crypto_p256_point(const char *base64, uint8_t point[P256_POINT_SIZE]);

#endif
