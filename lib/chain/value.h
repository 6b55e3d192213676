#ifndef CHAIN_VALUE_H
#define CHAIN_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include "chain/eth.h"

/*
 * What an Ethereum node writes in JSON (its JSON-RPC specification): QUANTITY, a whole number in hex, and DATA, bytes in hex; both
 * are texts with "0x" before.  Each function returns 0, or -1 for a value that is missing (NULL), of another type or too large;
 * *out is then untouched.  Zeros before a number are let pass.
 */

struct json_object;

#define VALUE_NUMBER_MAX \
	(INT64_C(1) << 53) /* no height, index, nonce or time comes near it; sums of some cannot overflow */

int value_number(struct json_object *value, int64_t *out); /* 0 to VALUE_NUMBER_MAX */
int value_uint64(struct json_object *value, uint64_t *out);
int value_word(struct json_object *value, uint8_t out[32]); /* big-endian */
int value_hash(struct json_object *value, struct eth_hash *out);
int value_address(struct json_object *value, struct eth_address *out);
/* DATA: their first `size` bytes go to out, their whole length to *len. */
int value_data(struct json_object *value, uint8_t *out, size_t size, size_t *len);

/* The other way.  Owner: the caller, as of every new JSON value. */
struct json_object *value_of_number(uint64_t number);
struct json_object *value_of_data(const void *data, size_t len);
struct json_object *value_of_hash(struct eth_hash hash);
struct json_object *value_of_address(struct eth_address address);

#endif
