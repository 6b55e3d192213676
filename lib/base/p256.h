#ifndef BASE_P256_H
#define BASE_P256_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"

/*
 * The curve P-256 (FIPS 186-4, secp256r1), over nettle: agreement on a secret, signatures, keys derived from our own secret.
 * Numbers are 32 bytes, most significant first; points are 0x04, x and y.  Secrets are the caller's, who wipes them.
 */

enum { P256_NUMBER_SIZE = 32, P256_SIGNATURE_SIZE = 64 };

/* A fresh private key. */
void p256_generate(uint8_t secret[P256_NUMBER_SIZE]);

/* The private key that `purpose` names (HKDF-SHA-256 without salt): always the same one. */
void p256_derive(const uint8_t key[SEAL_KEY_SIZE], const char *purpose, uint8_t secret[P256_NUMBER_SIZE]);

void p256_public(const uint8_t secret[P256_NUMBER_SIZE], uint8_t point[P256_POINT_SIZE]);

/* True for an uncompressed point that lies on the curve. */
bool p256_is_point(const uint8_t point[P256_POINT_SIZE]);

/* ECDH: the x coordinate that both sides come to.  The peer's point was found good by p256_is_point. */
void p256_agree(
    const uint8_t secret[P256_NUMBER_SIZE], const uint8_t peer[P256_POINT_SIZE], uint8_t shared[P256_NUMBER_SIZE]);

/* ECDSA over a SHA-256: r and s side by side, as JWS has them (RFC 7518, section 3.4). */
void p256_sign(
    const uint8_t secret[P256_NUMBER_SIZE], const uint8_t digest[SHA256_SIZE], uint8_t signature[P256_SIGNATURE_SIZE]);

#endif
