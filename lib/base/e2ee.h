#ifndef BASE_E2EE_H
#define BASE_E2EE_H

#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"

/*
 * Credentials end to end (spec 9): ECDH over P-256 with a fresh key, HKDF-SHA-256 (RFC 5869, empty salt), AES-256-GCM.  The
 * server only ever makes such a blob for a simulated task; real ones are made in the operator's browser, and neither kind
 * can be opened here.
 */

enum { E2EE_IV_SIZE = 12, E2EE_TAG_SIZE = 16 };

struct e2ee_blob {
	uint8_t ephemeral[P256_POINT_SIZE];
	uint8_t iv[E2EE_IV_SIZE];
	uint8_t *ciphertext; /* the tag at its end; hangs on the context */
	size_t len;
};

/* Encrypts for the holder of a public point (crypto_p256_point); info ties the blob to its purpose. */
void e2ee_encrypt(const void *ctx, const uint8_t point[P256_POINT_SIZE], const char *info, const void *data, size_t len,
    struct e2ee_blob *blob);

#endif
