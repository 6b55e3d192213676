/*
 * RLP, the writing half.  A list's head says how long its content is, so it is put before it when the list ends.
 */
#include "chain/rlp.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

enum {
	STRING = 0x80, /* + length; also what stands alone from here on needs a head */
	LIST = 0xc0,
	SHORT_MAX = 55, /* a longer one's head tells how many bytes its length has */
	HEAD_MAX = 1 + sizeof(size_t),
	BYTES_FIRST = 256, /* a transfer's transaction fits in */
};

struct rlp *
rlp_new(const void *ctx)
{
	struct rlp *rlp = talloc_zero(ctx, struct rlp);

	assert(rlp != NULL);
	rlp->bytes = talloc_size(rlp, BYTES_FIRST);
	assert(rlp->bytes != NULL);
	return rlp;
}

/* Makes a gap of so many bytes. */
static uint8_t *
open_gap(struct rlp *rlp, size_t at, size_t len)
{
	size_t room = talloc_get_size(rlp->bytes);

	if (rlp->len + len > room) {
		while (room < rlp->len + len)
			room *= 2;
		rlp->bytes = talloc_realloc_size(rlp, rlp->bytes, room);
		assert(rlp->bytes != NULL);
	}
	memmove(rlp->bytes + at + len, rlp->bytes + at, rlp->len - at);
	rlp->len += len;
	return rlp->bytes + at;
}

/* The head of a string or list of so many bytes. */
static size_t
head_print(uint8_t kind, size_t len, uint8_t out[HEAD_MAX])
{
	size_t digits = 0;

	if (len <= SHORT_MAX) {
		out[0] = (uint8_t)(kind + len);
		return 1;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		digits++;
	out[0] = (uint8_t)(kind + SHORT_MAX + digits);
	for (size_t i = 0; i < digits; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (digits - 1 - i)));
	return 1 + digits;
}

void
rlp_string(struct rlp *rlp, const void *bytes, size_t len)
{
	uint8_t head[HEAD_MAX], first = len > 0 ? *(const uint8_t *)bytes : 0;
	size_t head_len = len == 1 && first < STRING ? 0 : head_print(STRING, len, head);

	if (head_len > 0)
		memcpy(open_gap(rlp, rlp->len, head_len), head, head_len);
	if (len > 0)
		memcpy(open_gap(rlp, rlp->len, len), bytes, len);
}

void
rlp_integer(struct rlp *rlp, const void *big_endian, size_t len)
{
	const uint8_t *bytes = big_endian;

	while (len > 0 && *bytes == 0) {
		bytes++;
		len--;
	}
	rlp_string(rlp, bytes, len);
}

void
rlp_uint(struct rlp *rlp, uint64_t number)
{
	uint8_t bytes[sizeof(number)] = { 0 };

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * (sizeof(bytes) - 1 - i)));
	rlp_integer(rlp, bytes, sizeof(bytes));
}

void
rlp_list(struct rlp *rlp, size_t start)
{
	uint8_t head[HEAD_MAX];
	size_t head_len;

	assert(start <= rlp->len);
	head_len = head_print(LIST, rlp->len - start, head);
	memcpy(open_gap(rlp, start, head_len), head, head_len);
}
