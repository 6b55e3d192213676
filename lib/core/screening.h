#ifndef CORE_SCREENING_H
#define CORE_SCREENING_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

/* Whether a task may exist, asked once: what was blocked is remembered, and may be put before staff (spec 3, 7). */

struct config;
struct db;
struct error;
struct task_new;

struct screening {
	struct id id, agent;
	const char *title, *description, *instructions, *task_type, *category, *rule, *reason;
	const char *appeal, *decision, *decision_note; /* NULL: none */
	int64_t created_ms, appealed_ms;
};

/*
 * Screens a task that passed its checks.  Where it is blocked, whatever transaction the caller has begun is rolled back, so that
 * the block itself can be kept.  May wait for a model: no lock is held meanwhile.
 * Fails: policy_violation (details: category, rule, reason, screening_id).
 */
int screening_check(struct db *db, const void *ctx, const struct config *config, struct id agent,
    const struct task_new *task, int64_t now_ms, struct error *err);

/* Puts a blocked text before staff.  Fails: screening_not_found, already_appealed. */
int screening_appeal(struct db *db, const void *ctx, struct id agent, struct id screening, const char *reason,
    int64_t now_ms, struct screening *out, struct error *err);

/* Appeals that wait for staff, the longest first. */
int screening_appeals(struct db *db, const void *ctx, int64_t limit, int64_t offset, struct screening **out,
    size_t *count, struct error *err);

/* Staff's word: ALLOWED or UPHELD.  Fails: screening_not_found, already_decided. */
int screening_decide(struct db *db, const void *ctx, struct id screening, const char *decision, const char *note,
    int64_t now_ms, struct screening *out, struct error *err);

#endif
