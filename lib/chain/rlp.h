#ifndef CHAIN_RLP_H
#define CHAIN_RLP_H

#include <stddef.h>
#include <stdint.h>

/* Recursive length prefix encoding (Ethereum yellow paper, appendix B), as far as a transaction needs it: it only writes. */

struct rlp {
	uint8_t *bytes; /* talloc'ed on the context given to rlp_new, grows */
	size_t len;
};

/* An empty buffer; a talloc child of ctx. */
struct rlp *rlp_new(const void *ctx);

void rlp_string(struct rlp *rlp, const void *bytes, size_t len);
/* A whole number, big-endian: leading zeros go, zero is the empty string. */
void rlp_integer(struct rlp *rlp, const void *big_endian, size_t len);
void rlp_uint(struct rlp *rlp, uint64_t number);
/* What was written since `start` (an earlier rlp->len) becomes one list. */
void rlp_list(struct rlp *rlp, size_t start);

#endif
