#ifndef CORE_AGENT_H
#define CORE_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"
#include "core/apikey.h"

/* Agents: sign-up, e-mail verification, tier and limits (spec 3, 4). */

struct config;
struct db;
struct error;

struct agent_new {
	char *name, *email, *company; /* e-mail in lower case */
};

struct agent_limits {
	int max_daily_tasks;
	usd_micros max_task_value, max_daily_spend;
};

struct agent_registered {
	struct id agent;
	struct apikey_secret key;
	struct agent_limits limits;
	char token[ID_UUID_SIZE]; /* as mailed */
};

struct agent {
	const char *name, *email, *company, *tier, *upgrade, *fee_tier;
	int64_t email_verified_ms, created_ms;
	struct agent_limits limits;
	int64_t tasks_today, sandbox_tasks_today;
	usd_micros spend_today, sandbox_spend_today, spend_30_days;
	int fee_basis_points;
};

/*
 * Signs an agent up in tier SANDBOX with a first key of all scopes, and queues the verification mail.
 * Several calls: the caller's transaction is begun and committed here.  Fails: email_taken.
 */
int agent_register(struct db *db, const struct config *config, const struct agent_new *in, int64_t now_ms,
    struct agent_registered *out, struct error *err);

/* A new token by mail; those before it die.  token gets it (for development).  Fails: already_verified. */
int agent_resend(struct db *db, const struct config *config, struct id agent, const char *email, int64_t now_ms,
    char token[ID_UUID_SIZE], struct error *err);

/*
 * Spends a mailed token and lifts the tier.  tier: static text of the new tier; was_used: it had been spent before, the address
 * stays verified.  Fails: token_invalid, token_expired.
 */
int agent_verify(struct db *db, const char *token, int64_t now_ms, struct id *agent, char tier[16], bool *was_used,
    struct error *err);

/* The agent with its limits and today's use; texts hang on ctx. */
int agent_show(struct db *db, const void *ctx, struct id agent, struct id key, int64_t now_ms, struct agent *out,
    struct error *err);

/* The link that a verification mail carries; talloc'ed. */
char *agent_verification_url(const void *ctx, const struct config *config, const char *token);

#endif
