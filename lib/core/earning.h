#ifndef CORE_EARNING_H
#define CORE_EARNING_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/* What operators are paid: the operator's leg of a completed task, its hold, its settlement (spec 5). */

struct config;
struct db;
struct error;

struct earning {
	struct id task;
	usd_micros amount;
	const char *state; /* pending, frozen, available, returned */
	int64_t available_ms, created_ms;
};

struct earning_summary {
	usd_micros pending, available, in_flight, total;
};

/* The operator's leg: clearing to pending, available when the hold ends.  Within the transaction of the agent's leg. */
int earning_credit(struct db *db, struct id oper, struct id task, usd_micros amount, int64_t available_ms,
    int64_t now_ms, struct error *err);

/* A dispute within the hold.  Fails: hold_over. */
int earning_freeze(struct db *db, struct id oper, struct id task, int64_t now_ms, struct error *err);

/* The end of a freeze: the operator keeps this much, the rest goes back.  Within the transaction of the agent's leg. */
int earning_resolve(struct db *db, struct id oper, struct id task, usd_micros keep, int64_t now_ms, struct error *err);

int earning_summary(struct db *db, struct id oper, struct earning_summary *out, struct error *err);

/* The newest first; rows hang on ctx. */
int earning_list(struct db *db, const void *ctx, struct id oper, int64_t limit, struct earning **out, size_t *count,
    struct error *err);

#endif
