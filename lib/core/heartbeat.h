#ifndef CORE_HEARTBEAT_H
#define CORE_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Signs of life of the programs that serve no requests, and the ledger's audit, made once an hour (table heartbeats). */

struct db;
struct error;
struct json_object;

#define HEARTBEAT_SWEEPER "sweeper"    /* the last sweep that was done whole */
#define HEARTBEAT_WORKER "worker"      /* a worker looked for jobs; at most HEARTBEAT_MS ago while one lives */
#define HEARTBEAT_AUDIT "ledger_audit" /* the last audit that ended */

enum { HEARTBEAT_MS = 30 * 1000 };

/* It lives.  data: what goes with it, stays the caller's; NULL: nothing.  0, or -1 with the error. */
int heartbeat_set(struct db *db, const char *name, struct json_object *data, int64_t now_ms, struct error *err);

/*
 * Audits the ledger if the last audit is an hour old (one that broke off: ten minutes), and keeps how many invariants it found
 * broken and how long it took.  Of several sweepers one makes it.  Each finding is an error in the log.  0, also where
 * none was due; -1 with the error: nothing is known, and the next run tries again when it may.
 */
int heartbeat_audit(struct db *db, int64_t now_ms, struct error *err);

struct heartbeat {
	const char *name;
	int64_t at_ms; /* 0: a check has begun and never ended */
	struct json_object *data;
};

/* All there are, by name; a talloc child of ctx, with texts and data. */
int heartbeat_list(struct db *db, const void *ctx, struct heartbeat **out, size_t *count, struct error *err);

#endif
