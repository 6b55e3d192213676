/* Handlers of agents.fcgi: sign-up, e-mail verification, keys, balance, the agent itself, its statement. */
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/now.h"
#include "base/text.h"
#include "core/agent.h"
#include "core/ledger.h"
#include "http/reply.h"

enum { NAME_MAX_CHARS = 100, EMAIL_MAX_CHARS = 254, EXPIRY_MAX_DAYS = 3660, PAGE_USUAL = 20, PAGE_MAX = 100 };

/* register */

static const struct field register_fields[] = {
	{ "name", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct agent_new, name), .min = 1, .max = NAME_MAX_CHARS },
	{ "email", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct agent_new, email), .min = 3, .max = EMAIL_MAX_CHARS },
	{ "company", FIELD_TEXT, 0, offsetof(struct agent_new, company), .min = 1, .max = 200 },
};

static void
reply_limits(struct json_object *object, const struct agent_limits *limits)
{
	reply_int(object, "max_daily_tasks", limits->max_daily_tasks);
	reply_money(object, "max_task_value_usd", limits->max_task_value);
	reply_money(object, "max_daily_spend_usd", limits->max_daily_spend);
}

static struct json_object *
limits_object(const struct agent_limits *limits)
{
	struct json_object *object = json_object_new_object();

	reply_limits(object, limits);
	return object;
}

static struct json_object *
sandbox_info(const struct agent_limits *limits)
{
	struct json_object *info = json_object_new_object();

	reply_text(
	    info, "what", "Your tasks are simulated from claim to verdict: no person is hired and no money moves.");
	reply_text(info, "why", "You can try your whole integration, webhooks included, before anything is real.");
	reply_text(info, "how_to_upgrade",
	    "Open the link in the verification mail to reach VERIFIED; deposit USDC worth $50 or more to reach "
	    "STANDARD.");
	reply_json(info, "limits", limits_object(limits));
	return info;
}

int
api_agents_register(struct request *rq)
{
	struct agent_new in = { 0 };
	struct agent_registered made;

	if (request_read(rq, register_fields, nitems(register_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (in.email != NULL && !text_is_email(in.email))
		error_field(&rq->error, "email", "must be an e-mail address");
	if (rq->error.code != ERR_none)
		return -1;
	assert(in.email != NULL); /* required */
	for (char *p = in.email; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (agent_register(rq->db, rq->config, &in, rq->now_ms, &made, &rq->error))
		return -1;
	reply_id(rq->reply, "agent_id", ID_AGENT, made.agent);
	reply_text(rq->reply, "api_key", made.key.text);
	reply_text(rq->reply, "tier", "SANDBOX");
	reply_bool(rq->reply, "verification_required", true);
	reply_json(rq->reply, "sandbox_info", sandbox_info(&made.limits));
	reply_text(rq->reply, "message", "Keep this API key now: it is not shown again.");
	if (rq->config->is_development)
		reply_text(rq->reply, "verification_url", agent_verification_url(rq, rq->config, made.token));
	crypto_wipe(&made, sizeof(made));
	rq->wakes_worker = true;
	return 201;
}

/* verify-email */

struct verify_input {
	char *token;
};

static const struct field verify_fields[] = {
	{ "token", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct verify_input, token), .min = 1, .max = 100 },
};

static int
reply_page(struct request *rq, int status, const char *title, const char *text)
{
	char *page = talloc_asprintf(rq,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s – HumanOps</title>\n</head>\n"
	    "<body>\n<main>\n<h1>%s</h1>\n<p>%s</p>\n</main>\n</body>\n</html>\n",
	    title, title, text);

	error_clear(&rq->error);
	reply_raw(rq, "text/html; charset=utf-8", page, strlen(page));
	return status;
}

/* A HEAD, as mail scanners send it, looks at the page and spends nothing. */
int
api_agents_verify_page(struct request *rq)
{
	struct verify_input in = { 0 };
	char tier[16];
	struct id agent;
	bool was_used;
	int status;

	if (strcmp(rq->method, "HEAD") == 0)
		return reply_page(rq, 200, "E-mail verification", "Open this link to verify your address.");
	if (request_query(rq, verify_fields, nitems(verify_fields), &in))
		return reply_page(rq, 400, "This link is incomplete", "Please open the whole link from the mail.");
	if (agent_verify(rq->db, in.token, rq->now_ms, &agent, tier, &was_used, &rq->error) == 0)
		return reply_page(rq, 200, "Your address is verified",
		    "Your agent can post real tasks now. You may close this page.");
	status = error_status(rq->error.code);
	if (rq->error.code == ERR_token_expired)
		return reply_page(rq, status, "This link has expired",
		    "Links work for 24 hours. Have your agent ask for a new mail (POST /agents/resend-verification).");
	if (rq->error.code == ERR_token_invalid)
		return reply_page(rq, status, "This link does not work",
		    "It is mistyped, or a newer mail has replaced it. Please open the link of the newest mail.");
	return -1;
}

int
api_agents_verify(struct request *rq)
{
	struct verify_input in = { 0 };
	char tier[16];
	struct id agent;
	bool was_used;

	if (request_read(rq, verify_fields, nitems(verify_fields), &in) ||
	    agent_verify(rq->db, in.token, rq->now_ms, &agent, tier, &was_used, &rq->error))
		return -1;
	if (was_used) {
		error_set(&rq->error, ERR_token_used);
		return error_detail(&rq->error, "tier", json_object_new_string(tier));
	}
	reply_id(rq->reply, "agent_id", ID_AGENT, agent);
	reply_text(rq->reply, "tier", tier);
	reply_text(rq->reply, "message", talloc_asprintf(rq, "The address is verified; your tier is %s now.", tier));
	return 200;
}

int
api_agents_resend(struct request *rq)
{
	char token[ID_UUID_SIZE];
	struct agent agent;

	if (request_read(rq, NULL, 0, NULL) ||
	    agent_show(rq->db, rq, rq->who.id, rq->who.key, rq->now_ms, &agent, &rq->error) ||
	    agent_resend(rq->db, rq->config, rq->who.id, agent.email, rq->now_ms, token, &rq->error))
		return -1;
	reply_text(rq->reply, "message", "A new verification mail is on its way; earlier links no longer work.");
	if (rq->config->is_development)
		reply_text(rq->reply, "verification_url", agent_verification_url(rq, rq->config, token));
	rq->wakes_worker = true;
	return 200;
}

/* keys */

static const struct field key_fields[] = {
	{ "name", FIELD_TEXT, 0, offsetof(struct apikey_new, name), .min = 1, .max = NAME_MAX_CHARS },
	{ "scopes", FIELD_CHOICES, 0, offsetof(struct apikey_new, scopes), .choices = apikey_scopes,
	    .max_items = APIKEY_SCOPES },
	{ "max_daily_spend_usd", FIELD_MONEY, 0, offsetof(struct apikey_new, budget), .min = 0, .max = USD(1000000),
	    .has = offsetof(struct apikey_new, has_budget) },
	{ "expires_at", FIELD_TIME, 0, offsetof(struct apikey_new, expires_ms),
	    .has = offsetof(struct apikey_new, has_expiry) },
};

static void
reply_key(struct json_object *object, const struct apikey_row *row)
{
	reply_id(object, "id", ID_KEY, row->id);
	reply_text(object, "keyPrefix", row->prefix);
	reply_text(object, "name", row->name);
	reply_time(object, "lastUsed", row->last_used_ms);
	reply_time(object, "createdAt", row->created_ms);
	reply_json(object, "scopes", json_tokener_parse(row->scopes));
	if (row->has_budget)
		reply_money(object, "max_daily_spend_usd", row->budget);
	else
		reply_text(object, "max_daily_spend_usd", NULL);
	reply_time(object, "expires_at", row->expires_ms);
}

int
api_agents_key_create(struct request *rq)
{
	struct apikey_new in = { 0 };
	struct apikey_secret secret;
	char prefix[APIKEY_PREFIX_SIZE];
	struct id id;

	if (request_read(rq, key_fields, nitems(key_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (in.has_expiry && in.expires_ms <= rq->now_ms)
		error_field(&rq->error, "expires_at", "must lie in the future");
	else if (in.expires_ms > rq->now_ms + (int64_t)EXPIRY_MAX_DAYS * 86400 * 1000)
		error_field(&rq->error, "expires_at", "must lie within ten years");
	if (rq->error.code != ERR_none)
		return -1;
	if (in.name == NULL)
		in.name = talloc_strdup(rq, "unnamed");
	if (apikey_create(rq->db, api_key(rq), &in, rq->now_ms, &id, &secret, &rq->error))
		return -1;
	apikey_prefix(secret.handle, prefix);
	reply_id(rq->reply, "id", ID_KEY, id);
	reply_text(rq->reply, "api_key", secret.text);
	reply_text(rq->reply, "key_prefix", prefix);
	reply_text(rq->reply, "name", in.name);
	reply_time(rq->reply, "created_at", rq->now_ms);
	reply_time(rq->reply, "expires_at", in.expires_ms);
	reply_text(rq->reply, "message", "Keep this API key now: it is not shown again.");
	crypto_wipe(&secret, sizeof(secret));
	return 201;
}

int
api_agents_key_list(struct request *rq)
{
	struct json_object *data = json_object_new_array();
	struct apikey_row *rows;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, NULL, 0, NULL) ||
	    apikey_list(rq->db, rq, rq->who.id, rq->now_ms, &rows, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_key(item, &rows[i]);
		json_object_array_add(data, item);
	}
	return 200;
}

int
api_agents_key_revoke(struct request *rq)
{
	struct id key;

	if (request_id(rq, "id", ID_KEY, ERR_key_not_found, &key) ||
	    apikey_revoke(rq->db, rq->who.id, key, rq->now_ms, &rq->error))
		return -1;
	reply_bool(rq->reply, "revoked", true);
	return 200;
}

/* balance, me, transactions */

int
api_agents_balance(struct request *rq)
{
	struct ledger_balance balance;

	if (request_query(rq, NULL, 0, NULL) || ledger_balance(rq->db, rq->who.id, &balance, &rq->error))
		return -1;
	reply_money(rq->reply, "deposit_balance", balance.deposit);
	reply_money(rq->reply, "escrow_balance", balance.escrow);
	if (balance.owed > 0)
		reply_money(rq->reply, "owed_usd", balance.owed);
	reply_text(rq->reply, "currency", "USD");
	return 200;
}

static struct json_object *
used(int64_t tasks, usd_micros spend)
{
	struct json_object *object = json_object_new_object();

	reply_int(object, "tasks", tasks);
	reply_money(object, "spend_usd", spend);
	return object;
}

static struct json_object *
fee_object(const struct agent *agent)
{
	struct json_object *object = json_object_new_object();

	reply_text(object, "tier", agent->fee_tier);
	reply_real(object, "percent", agent->fee_basis_points / 100.0);
	reply_money(object, "minimum_usd", USD(1));
	reply_money(object, "spend_30_days_usd", agent->spend_30_days);
	return object;
}

/* used_today stands against limits: in tier SANDBOX both are those of simulated tasks. */
int
api_agents_me(struct request *rq)
{
	struct json_object *reply = rq->reply;
	struct agent agent;
	bool is_sandbox;

	if (request_query(rq, NULL, 0, NULL) ||
	    agent_show(rq->db, rq, rq->who.id, rq->who.key, rq->now_ms, &agent, &rq->error))
		return -1;
	is_sandbox = strcmp(agent.tier, "SANDBOX") == 0;
	reply_id(reply, "agent_id", ID_AGENT, rq->who.id);
	reply_text(reply, "name", agent.name);
	reply_text(reply, "email", agent.email);
	reply_text(reply, "company", agent.company);
	reply_text(reply, "tier", agent.tier);
	reply_bool(reply, "email_verified", agent.email_verified_ms != 0);
	reply_json(reply, "limits", limits_object(&agent.limits));
	reply_json(reply, "used_today",
	    is_sandbox ? used(agent.sandbox_tasks_today, agent.sandbox_spend_today)
		       : used(agent.tasks_today, agent.spend_today));
	reply_json(reply, "sandbox_used_today", used(agent.sandbox_tasks_today, agent.sandbox_spend_today));
	reply_json(reply, "fee", fee_object(&agent));
	reply_text(reply, "how_to_upgrade", agent.upgrade);
	reply_time(reply, "created_at", agent.created_ms);
	return 200;
}

struct statement_input {
	char *cursor;
	int64_t limit;
};

static const struct field statement_fields[] = {
	{ "cursor", FIELD_TEXT, 0, offsetof(struct statement_input, cursor), .min = 1, .max = 100 },
	{ "limit", FIELD_INT, 0, offsetof(struct statement_input, limit), .min = 1, .max = PAGE_MAX },
};

static void
reply_entry(struct json_object *object, const struct ledger_entry *entry)
{
	reply_id(object, "transaction_id", ID_TRANSACTION, entry->id);
	reply_text(object, "type", entry->kind);
	reply_money(object, "deposit_change_usd", entry->deposit_change);
	reply_money(object, "escrow_change_usd", entry->escrow_change);
	if (entry->has_deposit)
		reply_money(object, "deposit_balance", entry->deposit_balance);
	if (entry->has_escrow)
		reply_money(object, "escrow_balance", entry->escrow_balance);
	if (ledger_is_of_task(entry))
		reply_id(object, "task_id", ID_TASK, entry->ref);
	reply_time(object, "created_at", entry->at_ms);
}

/* RFC 4180.  No field of it can hold a comma, a quote or a formula: all are ids, names of ours and numbers. */
static int
reply_csv(struct request *rq, const struct ledger_entry *entries, size_t count)
{
	char *csv =
	    talloc_strdup(rq, "transaction_id,type,deposit_change_usd,escrow_change_usd,task_id,created_at\r\n");

	for (size_t i = 0; i < count; i++) {
		char id[ID_TEXT_SIZE], task[ID_TEXT_SIZE] = "", deposit[MONEY_TEXT_SIZE], escrow[MONEY_TEXT_SIZE];
		char time[TIME_TEXT_SIZE];

		id_print(ID_TRANSACTION, entries[i].id, id);
		if (ledger_is_of_task(&entries[i]))
			id_print(ID_TASK, entries[i].ref, task);
		money_print(entries[i].deposit_change, deposit);
		money_print(entries[i].escrow_change, escrow);
		time_print(entries[i].at_ms, time);
		csv = talloc_asprintf_append(
		    csv, "%s,%s,%s,%s,%s,%s\r\n", id, entries[i].kind, deposit, escrow, task, time);
	}
	reply_raw(rq, "text/csv; charset=utf-8", csv, strlen(csv));
	return 200;
}

int
api_agents_transactions(struct request *rq)
{
	struct statement_input in = { .limit = PAGE_USUAL };
	const char *accept = request_header(rq, "HTTP_ACCEPT");
	struct json_object *data = json_object_new_array(), *pagination = json_object_new_object();
	struct ledger_entry *entries;
	char next[ID_TEXT_SIZE];
	struct id before = { { 0 } };
	size_t count;

	reply_json(rq->reply, "data", data);
	reply_json(rq->reply, "pagination", pagination);
	if (request_query(rq, statement_fields, nitems(statement_fields), &in) ||
	    api_cursor(rq, ID_TRANSACTION, in.cursor, &before) ||
	    ledger_statement(rq->db, rq, rq->who.id, before, in.limit, &entries, &count, &rq->error))
		return -1;
	if (count == (size_t)in.limit) {
		id_print(ID_TRANSACTION, entries[count - 1].id, next);
		reply_header(rq, "Next-Cursor", "%s", next);
	}
	if (accept != NULL && strncmp(accept, "text/csv", strlen("text/csv")) == 0)
		return reply_csv(rq, entries, count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_entry(item, &entries[i]);
		json_object_array_add(data, item);
	}
	reply_int(pagination, "limit", in.limit);
	reply_text(pagination, "next_cursor", count == (size_t)in.limit ? next : NULL);
	return 200;
}
