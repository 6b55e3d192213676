/*
 * Keccak-256.  nettle has the permutation and the sponge, but finishes as FIPS 202 does; here the last block is filled
 * with the submission's padding (0x01 … 0x80) and goes in as ordinary input, which absorbs it and permutes.
 */
#include "chain/keccak.h"

#include <nettle/sha3.h>

void
keccak256(const void *data, size_t len, uint8_t out[KECCAK_SIZE])
{
	uint8_t padding[SHA3_256_BLOCK_SIZE] = { 0 };
	size_t room = SHA3_256_BLOCK_SIZE - len % SHA3_256_BLOCK_SIZE;
	struct sha3_256_ctx sponge;

	sha3_256_init(&sponge);
	if (len > 0)
		sha3_256_update(&sponge, len, data);
	padding[0] = 0x01;
	padding[room - 1] |= 0x80; /* one byte of room: both in one */
	sha3_256_update(&sponge, room, padding);
	for (size_t i = 0; i < KECCAK_SIZE; i++) /* lanes are numbers; their bytes go out little-endian */
		out[i] = (uint8_t)(sponge.state.a[i / 8] >> (8 * (i % 8)));
}
