#ifndef CORE_REPLAY_H
#define CORE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

/* Idempotency keys (spec 5): the first answer, given again to its repeats. */

struct db;
struct error;

struct replay {
	struct id principal;
	const char *path, *key; /* the path with its ids; the key as sent */
	const char *body;
	size_t body_len;
	int64_t now_ms;
	bool is_for_ever; /* the answer is kept as long as what it made: payouts are never deleted */
};

/* 1 to 255 printable ASCII characters, no blank among them. */
bool replay_key_ok(const char *key);

/*
 * Within the transaction of the work: takes the key, or finds the first answer (*status > 0, *answer talloc'ed on ctx).
 * Fails: idempotency_in_progress, idempotency_mismatch.
 */
int replay_begin(
    struct db *db, const void *ctx, const struct replay *replay, int *status, const char **answer, struct error *err);

/* Keeps the answer for 30 days or for ever, in the same transaction; or, later, a fuller one in its place. */
int replay_store(struct db *db, const struct replay *replay, int status, const char *answer, struct error *err);

#endif
