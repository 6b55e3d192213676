#ifndef CHAIN_KECCAK_H
#define CHAIN_KECCAK_H

#include <stddef.h>
#include <stdint.h>

/* Keccak-256 as Ethereum uses it: the submission's padding, not that of FIPS 202.  Over nettle's permutation. */

enum { KECCAK_SIZE = 32 };

void keccak256(const void *data, size_t len, uint8_t out[KECCAK_SIZE]);

#endif
