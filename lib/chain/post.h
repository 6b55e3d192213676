#ifndef CHAIN_POST_H
#define CHAIN_POST_H

#include <stddef.h>
#include "chain/rpc.h"

/* One JSON-RPC call, for rpc.c. */

struct json_object;

/*
 * Calls a method; takes ownership of params, a list.  answer_max: bytes.  *result: for OK the result, a reference that the
 * caller puts; else NULL.
 */
enum rpc_result post_call(
    struct rpc *rpc, const char *method, struct json_object *params, size_t answer_max, struct json_object **result);

/* Notes why there is no answer; returns RPC_DOWN. */
enum rpc_result post_down(struct rpc *rpc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
