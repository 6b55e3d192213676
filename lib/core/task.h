#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/fields.h"
#include "base/id.h"
#include "base/money.h"

/* Tasks: posting, reading, cancelling (spec 3, 4).  The moves themselves are SQL's (sql/functions/task.sql). */

struct apikey;
struct config;
struct db;
struct error;

struct task_location {
	double lat, lng;
	bool has_lat, has_lng;
	const char *address;
};

/* What an agent asks for. */
struct task_new {
	const char *title, *description, *task_type, *task_domain, *proof_type, *digital_instructions;
	const char *callback_url, *callback_secret, *agent_public_key, *sandbox_scenario;
	struct task_location location;
	bool has_location;
	usd_micros reward;
	bool has_reward;
	int64_t deadline_ms;
	bool has_deadline;
	struct text_list proof_requirements;
	bool is_sandbox; /* asked for; the tier SANDBOX is always so */
};

/* A task as stored.  Texts ending in _json are JSON. */
struct task {
	struct id id, agent, oper;
	const char *status, *title, *description, *address, *task_type, *task_domain, *proof_type,
	    *digital_instructions;
	const char *callback_url, *agent_public_key, *scenario, *cancel_reason, *operator_name, *estimate_note;
	const char *requirements_json, *proof_json, *guardian_json;
	const char *credential_json, *resolution_json, *dispute_reason, *claim_rejection, *rating_comment;
	bool is_sandbox, has_position, is_paid;
	double lat, lng, operator_rating;
	usd_micros reward, fee;
	int estimate_minutes, rating; /* rating 0: not rated */
	int safety_stops;	      /* operators who stopped because they did not feel safe */
	int64_t deadline_ms, created_ms, claimed_ms, approval_deadline_ms, accepted_ms, started_ms, submitted_ms,
	    verified_ms, completed_ms, cancelled_ms, late_ms, review_deadline_ms, disputed_ms;
};

struct task_event {
	struct id id;
	const char *type, *actor, *from_status, *to_status;
	const char *abort_reason; /* of a task.aborted, else NULL */
	int64_t at_ms;
};

struct task_cancelled {
	usd_micros refunded;
	struct id oper; /* who had claimed it; nil: nobody */
	bool is_sandbox;
};

struct task_filter {
	char *status;	 /* NULL: all */
	struct id after; /* nil: from offset */
	int64_t limit, offset;
};

extern const char *const task_statuses[];  /* NULL at the end */
extern const char *const task_scenarios[]; /* of the sandbox; the first is the default */

/*
 * Whether the asked-for task makes sense: type, domain, proof, place, deadline, key, callback, amounts.
 * err may hold validation_failed already (of fields_read); faults of meaning join its list.  is_sandbox is of the task, not
 * of the request.  Fills defaults into *in.  0, or -1 with validation_failed.
 */
int task_check(struct task_new *in, bool is_sandbox, const struct config *config, int64_t now_ms, struct error *err);

/*
 * Posts a checked task: limits, fee and escrow (or the simulation) in one step.  The texts of *out hang on ctx.
 * Fails: agent_suspended, tier_limit_exceeded, key_budget_exceeded, insufficient_balance.
 */
int task_create(struct db *db, const void *ctx, const struct config *config, const struct apikey *key,
    const struct task_new *in, bool is_sandbox, int64_t now_ms, struct task *out, struct error *err);

/* One task of an agent.  Fails: task_not_found. */
int task_show(struct db *db, const void *ctx, struct id agent, struct id task, struct task *out, struct error *err);

/* Any task, for staff and for jobs.  Fails: task_not_found. */
int task_any(struct db *db, const void *ctx, struct id task, struct task *out, struct error *err);

/* A task's audit trail, oldest first. */
int task_events(
    struct db *db, const void *ctx, struct id task, struct task_event **events, size_t *count, struct error *err);

/* An agent's tasks, newest first; total counts all that the status fits.  Fails: cursor_invalid. */
int task_list(struct db *db, const void *ctx, struct id agent, const struct task_filter *filter, struct task **tasks,
    size_t *count, int64_t *total, struct error *err);

/* Takes a task back and refunds it.  Fails: task_not_found, task_state_conflict. */
int task_cancel(
    struct db *db, struct id agent, struct id task, int64_t now_ms, struct task_cancelled *out, struct error *err);

/* The agent's rating of finished work, 1 to 5, once; counted for the operator too.  Within a transaction.
 * Fails: task_not_found, task_state_conflict, already_rated. */
int task_rate(struct db *db, const void *ctx, struct id agent, struct id task_id, int rating, const char *comment,
    int64_t now_ms, struct task *task, struct error *err);

struct db_rows;
/* One row of SQL type tasks. */
void task_read(struct db_rows *rows, size_t row, struct task *out);

/* The purpose that a task's callback secret is sealed for (base/crypto.h). */
void task_secret_purpose(struct id task, char out[64]);

#endif
