#ifndef CORE_LOOK_H
#define CORE_LOOK_H

#include <stdbool.h>
#include <stdint.h>
#include "chain/chain.h"

/* One look of the watch over the chain (core/watch.h): what its parts share. */

struct db;
struct error;
struct onchain;

struct look {
	struct db *db;
	char *ctx; /* what the look needs hangs on it */
	const struct onchain *onchain;
	struct chain_head head;
	int64_t end_ms; /* monotonic: no call to the chain begins later */
};

bool look_has_time(const struct look *look);

/*
 * What was begun in the database is over.  0, and the error is forgotten, if it is about one thing alone and the look
 * goes on, since the chain answers to other questions.
 */
int look_go_on(const struct look *look, struct error *err);

#endif
