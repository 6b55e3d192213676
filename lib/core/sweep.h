#ifndef CORE_SWEEP_H
#define CORE_SWEEP_H

#include <stdint.h>

/* Whatever falls due by itself: expiry of claims, tasks, reviews, tokens and keys; partitions to come (spec 1, 4). */

struct config;
struct db;
struct error;

struct sweep_result {
	int64_t tasks, earnings, expired, partitions, uploads;
};

/* Every sweep once, bucket by bucket.  Stops at the first failure; what was done stays done, the next run goes on. */
int sweep_all(struct db *db, const struct config *config, int64_t now_ms, struct sweep_result *out, struct error *err);

#endif
