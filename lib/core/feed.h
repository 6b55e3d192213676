#ifndef CORE_FEED_H
#define CORE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "core/task.h"

/* Tasks as operators see them: what is open, what is theirs. */

struct db;
struct error;

struct feed_query {
	const char *task_type, *task_domain;
	double lat, lng, radius_km;
	bool has_lat, has_lng, has_radius;
	int64_t limit, offset;
};

struct feed_item {
	struct id id;
	const char *title, *description, *task_type, *task_domain, *proof_type, *address, *requirements_json,
	    *instructions;
	bool has_position, has_distance;
	double lat, lng, distance_km;
	usd_micros reward;
	int64_t deadline_ms, created_ms;
	int safety_stops; /* as a task's */
};

/* Unassigned, real, in time: nearest first where a place is given, else newest.  total: all that fit. */
int feed_open(struct db *db, const void *ctx, const struct feed_query *query, int64_t now_ms, struct feed_item **out,
    size_t *count, int64_t *total, struct error *err);

/* An operator's claims and work, newest first. */
int feed_mine(struct db *db, const void *ctx, struct id oper, const char *status, int64_t limit, int64_t offset,
    struct task **out, size_t *count, struct error *err);

/* One task: an open one, or the operator's own.  Fails: task_not_found. */
int feed_show(struct db *db, const void *ctx, struct id oper, struct id task, int64_t now_ms, struct task *out,
    struct error *err);

#endif
