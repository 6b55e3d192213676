#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

/* An agent's events, for clients that missed a webhook (spec 3, GET /events). */

struct db;
struct error;

enum { EVENT_CURSOR_SIZE = 64 };

struct event {
	struct id id, task;
	const char *type, *actor, *from_status, *to_status, *data_json;
	char cursor[EVENT_CURSOR_SIZE]; /* opaque: goes on behind this event */
	int64_t at_ms;
};

/* Oldest first, behind the cursor (NULL: from the beginning).  Fails: cursor_invalid. */
int event_list(struct db *db, const void *ctx, struct id agent, const char *cursor, int64_t limit, struct event **out,
    size_t *count, struct error *err);

#endif
