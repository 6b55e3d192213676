/*
 * Agents: sign-up in one transaction over two buckets (the e-mail's and the agent's), verification of the address, and the
 * agent's own view.  Limits are judged where money moves (SQL function task_create); here they are only shown.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/agent.h"
#include "core/notify.h"

static void
token_hash(const char *token, uint8_t hash[SHA256_SIZE])
{
	crypto_sha256(token, strlen(token), hash);
}

char *
agent_verification_url(const void *ctx, const struct config *config, const char *token)
{
	return talloc_asprintf(ctx, "%s/api/v1/agents/verify-email?token=%s", config->public_base_url, token);
}

static void
read_limits(struct db_rows *rows, struct agent_limits *limits)
{
	limits->max_daily_tasks = (int)db_int(rows, 0, "max_daily_tasks");
	limits->max_task_value = db_int(rows, 0, "max_task_value");
	limits->max_daily_spend = db_int(rows, 0, "max_daily_spend");
}

/* Claims the address and makes the agent; the caller commits. */
static int
register_rows(struct db *db, const struct agent_new *in, struct json_object *mail, int64_t now_ms,
    struct agent_registered *out, struct error *err)
{
	int bucket = id_bucket(out->agent);
	uint8_t hash[SHA256_SIZE];
	struct db_rows *rows;

	rows = db_call(db, NULL, err, "registry_claim", id_bucket_of("email", in->email),
	    DB_ARGS(
		DB_TEXT("email"), DB_TEXT(in->email), DB_UUID(out->agent), DB_TEXT("email_taken"), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	talloc_free(rows);
	token_hash(out->token, hash);
	rows = db_call(db, NULL, err, "agent_register", bucket,
	    DB_ARGS(DB_UUID(out->agent), DB_TEXT(in->name), DB_TEXT(in->email), DB_TEXT(in->company),
		DB_UUID(id_new(bucket, now_ms)), DB_TEXT(out->key.handle), DB_BYTES(out->key.hash, SHA256_SIZE),
		DB_BYTES(hash, SHA256_SIZE), DB_JSON(mail), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	read_limits(rows, &out->limits);
	talloc_free(rows);
	return 0;
}

int
agent_register(struct db *db, const struct config *config, const struct agent_new *in, int64_t now_ms,
    struct agent_registered *out, struct error *err)
{
	int bucket = id_bucket_random();
	struct json_object *mail;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	out->agent = id_new(bucket, now_ms);
	apikey_make(bucket, &out->key);
	id_token(bucket, out->token);
	mail = notify_verification(config, out->agent, in->email, out->token);
	if (db_begin(db, err) || register_rows(db, in, mail, now_ms, out, err) || db_commit(db, err))
		goto out;
	rc = 0;
out:
	db_rollback(db);
	json_object_put(mail);
	if (rc != 0)
		crypto_wipe(out, sizeof(*out));
	return rc;
}

int
agent_resend(struct db *db, const struct config *config, struct id agent, const char *email, int64_t now_ms,
    char token[ID_UUID_SIZE], struct error *err)
{
	uint8_t hash[SHA256_SIZE];
	struct json_object *mail;
	struct db_rows *rows;

	id_token(id_bucket(agent), token);
	token_hash(token, hash);
	mail = notify_verification(config, agent, email, token);
	rows = db_call(db, NULL, err, "email_resend", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_BYTES(hash, SHA256_SIZE), DB_JSON(mail), DB_TIME(now_ms)));
	json_object_put(mail);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
agent_verify(struct db *db, const char *token, int64_t now_ms, struct id *agent, char tier[16], bool *was_used,
    struct error *err)
{
	int bucket = id_token_bucket(token);
	uint8_t hash[SHA256_SIZE];
	struct db_rows *rows;
	char lower[ID_UUID_SIZE];

	if (bucket < 0)
		return error_set(err, ERR_token_invalid);
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = token[i] >= 'A' && token[i] <= 'F' ? (char)(token[i] + 32) : token[i];
	token_hash(lower, hash);
	rows = db_call(db, NULL, err, "email_verify", bucket, DB_ARGS(DB_BYTES(hash, SHA256_SIZE), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	*agent = db_uuid(rows, 0, "agent_id");
	*was_used = db_bool(rows, 0, "was_used");
	snprintf(tier, 16, "%s", db_text(rows, 0, "tier"));
	talloc_free(rows);
	return 0;
}

int
agent_show(struct db *db, const void *ctx, struct id agent, struct id key, int64_t now_ms, struct agent *out,
    struct error *err)
{
	struct db_rows *rows = db_call(
	    db, ctx, err, "agent_show", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(key), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	out->name = db_text(rows, 0, "name");
	out->email = db_text(rows, 0, "email");
	out->company = db_text(rows, 0, "company");
	out->tier = db_text(rows, 0, "tier");
	out->upgrade = db_text(rows, 0, "upgrade");
	out->fee_tier = db_text(rows, 0, "fee_tier");
	out->email_verified_ms = db_time(rows, 0, "email_verified_at");
	out->created_ms = db_time(rows, 0, "created_at");
	read_limits(rows, &out->limits);
	out->tasks_today = db_int(rows, 0, "tasks_today");
	out->sandbox_tasks_today = db_int(rows, 0, "sandbox_tasks_today");
	out->spend_today = db_int(rows, 0, "spend_today");
	out->sandbox_spend_today = db_int(rows, 0, "sandbox_spend_today");
	out->spend_30_days = db_int(rows, 0, "spend_30_days");
	out->fee_basis_points = (int)db_int(rows, 0, "basis_points");
	return 0;
}
