/*
 * Deposits by card or bank transfer, see fiat.h.  What is credited, and that it is credited once, is the SQL function
 * fiat_settle's doing; how the provider is spoken to is net/dlocal.c's.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "core/fiat.h"
#include "core/job.h"
#include "net/dlocal.h"

const char *const fiat_methods[] = { "card", "bank_transfer", NULL };

/* A call ends well before CALL_S, or its program is dead.  Bank transfers take days. */
enum { CALL_S = 20, ORDER_SIZE = 64, ASK_FIRST_MS = 900000, ASK_EVERY_MS = 3600000, ASK_ATTEMPTS = 12 };

#define OPEN_MAX_MS (INT64_C(7) * 86400 * 1000)

static int
read_deposit(struct db_rows *rows, struct fiat_deposit *out)
{
	if (rows == NULL)
		return -1;
	*out = (struct fiat_deposit){
		.id = db_uuid(rows, 0, "id"),
		.agent = db_uuid(rows, 0, "agent_id"),
		.transaction = db_uuid(rows, 0, "transaction_id"),
		.amount = db_int(rows, 0, "amount"),
		.status = db_text(rows, 0, "status"),
		.redirect_url = db_text(rows, 0, "redirect_url"),
		.provider_id = db_text(rows, 0, "provider_id"),
		.order_ms = db_int(rows, 0, "order_ms"),
	};
	return 0;
}

/* The order id: agent, underscore, milliseconds. */
static void
print_order(struct id agent, int64_t order_ms, char out[ORDER_SIZE])
{
	char text[ID_TEXT_SIZE];

	id_print(ID_AGENT, agent, text);
	snprintf(out, ORDER_SIZE, "%s_%lld", text, (long long)order_ms);
}

/* 0, or -1 for what is no order id of ours. */
static int
read_order(const char *order, struct id *agent, int64_t *order_ms)
{
	const char *mark = strrchr(order, '_');
	char text[ID_TEXT_SIZE], again[ORDER_SIZE];

	if (mark == NULL || mark - order >= ID_TEXT_SIZE)
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)(mark - order), order);
	if (id_parse(ID_AGENT, text, agent) != 0 || text_decimal(mark + 1, 0, order_ms) != 0)
		return -1;
	print_order(*agent, *order_ms, again); /* one way to write it alone: no "1e3" */
	return strcmp(order, again) == 0 ? 0 : -1;
}

static int
settle(struct db *db, const void *ctx, struct id agent, int64_t order_ms, const char *status, struct db_arg amount,
    const char *actor, int64_t now_ms, struct fiat_deposit *out, struct error *err)
{
	return read_deposit(
	    db_call(db, ctx, err, "fiat_settle", id_bucket(agent),
		DB_ARGS(DB_UUID(agent), DB_INT(order_ms), DB_TEXT(status), amount, DB_TEXT(actor), DB_TIME(now_ms))),
	    out);
}

static void
log_payment(const char *event, const struct dlocal_payment *said)
{
	struct json_object *fields = json_object_new_object();
	char amount[MONEY_TEXT_SIZE];

	money_print_cents(said->amount, amount);
	json_object_object_add(fields, "order_id", json_object_new_string(said->order_id));
	json_object_object_add(fields, "said", json_object_new_string(said->has_amount ? amount : "no dollars"));
	log_event(LOG_LEVEL_ERROR, event, fields);
}

/* A payment without an amount in dollars was not one of ours, whatever else it says. */
static int
settle_paid(struct db *db, const void *ctx, struct id agent, int64_t order_ms, const struct dlocal_payment *said,
    int64_t now_ms, struct fiat_deposit *out, struct error *err)
{
	int rc = settle(db, ctx, agent, order_ms, "completed", DB_MONEY(said->has_amount ? said->amount : -1),
	    "provider", now_ms, out, err);

	if (rc != 0 && err->code == ERR_amount_mismatch)
		log_payment("fiat_amount_mismatch", said);
	return rc;
}

/* An open one changes nothing, but must be one that we know. */
static int
find_order(
    struct db *db, const void *ctx, struct id agent, int64_t order_ms, struct fiat_deposit *out, struct error *err)
{
	return read_deposit(
	    db_call(db, ctx, err, "fiat_find_order", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_INT(order_ms))), out);
}

int
fiat_settle(struct db *db, const void *ctx, const struct dlocal_payment *said, int64_t now_ms, struct fiat_deposit *out,
    struct error *err)
{
	struct id agent;
	int64_t order_ms;

	if (read_order(said->order_id, &agent, &order_ms) != 0)
		return error_set(err, ERR_payment_not_found);
	if (said->state == DLOCAL_PAID)
		return settle_paid(db, ctx, agent, order_ms, said, now_ms, out, err);
	if (said->state == DLOCAL_FAILED)
		return settle(db, ctx, agent, order_ms, "failed", DB_NONE, "provider", now_ms, out, err);
	return find_order(db, ctx, agent, order_ms, out, err);
}

/* The call is over; what came of it is stored in a transaction of its own, which stays open for the caller. */
static int
called(struct db *db, const void *ctx, const struct dlocal_payment *payment, struct fiat_deposit *deposit,
    struct error *err)
{
	if (db_begin(db, err))
		return -1;
	return read_deposit(db_call(db, ctx, err, "fiat_called", id_bucket(deposit->agent),
				DB_ARGS(DB_UUID(deposit->agent), DB_UUID(deposit->id), DB_TEXT(payment->id),
				    DB_TEXT(payment->redirect_url))),
	    deposit);
}

/* No answer, or a refusal.  The error goes to the caller with the deposit's id, by which its status can be asked for. */
static void
not_called(
    struct db *db, const void *ctx, bool is_refused, int64_t now_ms, struct fiat_deposit *deposit, struct error *err)
{
	struct dlocal_payment none = { 0 };
	struct error ours = { 0 };
	char text[ID_TEXT_SIZE];

	id_print(ID_PAYMENT, deposit->id, text);
	error_detail(err, "payment_id", json_object_new_string(text));
	if (called(db, ctx, &none, deposit, &ours) == 0 &&
	    (!is_refused || settle(db, ctx, deposit->agent, deposit->order_ms, "failed", DB_NONE, "provider", now_ms,
				deposit, &ours) == 0))
		db_commit(db, &ours);
	db_rollback(db);
	error_clear(&ours); /* logged where it was seen; the deposit's call is over with its time */
}

/* Queues the question that ends what no webhook ends, in the transaction that stores the deposit. */
static int
ask_by_job(struct db *db, const struct fiat_deposit *deposit, int64_t now_ms, struct error *err)
{
	struct json_object *payload = json_object_new_object();
	char agent[ID_TEXT_SIZE];
	struct db_rows *rows;

	id_print(ID_AGENT, deposit->agent, agent);
	json_object_object_add(payload, "agent_id", json_object_new_string(agent));
	rows = db_call(db, NULL, err, "job_add", id_bucket(deposit->id),
	    DB_ARGS(DB_TEXT("fiat"), DB_UUID(deposit->id), DB_JSON(payload), DB_TIME(now_ms + ASK_FIRST_MS),
		DB_INT(ASK_ATTEMPTS), DB_TIME(now_ms)));
	json_object_put(payload);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

static int
call_provider(struct db *db, const void *ctx, const struct config *config, const struct fiat_new *in, int64_t now_ms,
    struct fiat_deposit *deposit, struct error *err)
{
	char order_id[ORDER_SIZE];
	struct dlocal_order order = { .order_id = order_id,
		.amount = deposit->amount,
		.method = in->method,
		.payer_name = in->payer_name,
		.payer_email = in->payer_email,
		.return_url = in->return_url };
	struct dlocal_payment payment;
	bool is_refused;

	print_order(deposit->agent, deposit->order_ms, order_id);
	if (ask_by_job(db, deposit, now_ms, err) || db_commit(db, err))
		return -1;
	if (dlocal_create(ctx, config, &order, now_ms, &payment, &is_refused, err)) {
		not_called(db, ctx, is_refused, now_ms, deposit, err);
		return -1;
	}
	return called(db, ctx, &payment, deposit, err);
}

int
fiat_open(struct db *db, const void *ctx, const struct config *config, struct id agent, const struct fiat_new *in,
    int64_t now_ms, struct fiat_deposit *out, struct error *err)
{
	int bucket = id_bucket(agent);
	bool is_test = config->dlocal_url == NULL && config->is_development;

	if (config->dlocal_url == NULL && !is_test)
		return error_set(err, ERR_fiat_unavailable);
	if (read_deposit(db_call(db, ctx, err, "fiat_begin", bucket,
			     DB_ARGS(DB_UUID(agent), DB_UUID(id_new(bucket, now_ms)), DB_MONEY(in->amount),
				 DB_TEXT(in->method), DB_TEXT(in->replay_key), DB_INT(CALL_S), DB_TIME(now_ms))),
		out))
		return -1;
	if (is_test)
		return settle(db, ctx, agent, out->order_ms, "completed", DB_NONE, "system", now_ms, out, err);
	return call_provider(db, ctx, config, in, now_ms, out, err);
}

/*
 * A deposit of the agent's, a pending one after asking the provider.  What it says is taken if it fits; that it does not answer,
 * or nonsense, leaves the deposit as it was.  *is_open: it is pending, and the provider has said that nothing came.
 */
static int
look(struct db *db, const void *ctx, const struct config *config, struct id agent, struct id id, int64_t now_ms,
    struct fiat_deposit *out, bool *is_open, struct error *err)
{
	struct dlocal_payment said;
	struct fiat_deposit now;
	char order_id[ORDER_SIZE];

	*is_open = false;
	if (read_deposit(
		db_call(db, ctx, err, "fiat_find", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(id))), out))
		return -1;
	if (strcmp(out->status, "pending") != 0 || config->dlocal_url == NULL)
		return 0;
	print_order(agent, out->order_ms, order_id);
	now = *out;
	if (dlocal_ask(ctx, config, out->provider_id, order_id, now_ms, &said, err) == 0 &&
	    fiat_settle(db, ctx, &said, now_ms, &now, err) == 0) {
		*out = now;
		*is_open = strcmp(now.status, "pending") == 0;
		return 0;
	}
	*is_open = err->code == ERR_payment_not_found;
	if (!*is_open && err->code != ERR_fiat_unavailable && err->code != ERR_amount_mismatch)
		return -1;
	error_clear(err);
	return 0;
}

int
fiat_status(struct db *db, const void *ctx, const struct config *config, struct id agent, struct id id, int64_t now_ms,
    struct fiat_deposit *out, struct error *err)
{
	bool is_open;

	return look(db, ctx, config, agent, id, now_ms, out, &is_open, err);
}

/* A payment that nobody made in all that time has failed; should its money come after all, it is credited nevertheless. */
static int
look_again(struct worker *worker, const void *ctx, const struct job *job, struct id agent, struct error *err)
{
	struct fiat_deposit deposit;
	bool is_open;

	if (look(worker->db, ctx, worker->config, agent, job->ref, worker->now_ms, &deposit, &is_open, err))
		return -1;
	if (strcmp(deposit.status, "pending") == 0 && (!is_open || worker->now_ms - job->created_ms < OPEN_MAX_MS))
		return job_next(worker, job, worker->now_ms + job_jitter(ASK_EVERY_MS));
	if (strcmp(deposit.status, "pending") == 0 && settle(worker->db, ctx, agent, deposit.order_ms, "failed",
							  DB_NONE, "system", worker->now_ms, &deposit, err))
		return -1;
	return job_finish(worker, job);
}

int
fiat_run(struct worker *worker, const struct job *job)
{
	char *ctx = talloc_strdup(NULL, "fiat");
	const char *text = json_object_get_string(json_object_object_get(job->payload, "agent_id"));
	struct error err = { 0 };
	struct id agent;
	int rc;

	if (text == NULL || id_parse(ID_AGENT, text, &agent) != 0)
		rc = job_give_up(worker, job, "the job names no agent");
	else if ((rc = look_again(worker, ctx, job, agent, &err)) != 0)
		rc = job_retry(worker, job, error_name(err.code));
	error_clear(&err);
	talloc_free(ctx);
	return rc;
}
