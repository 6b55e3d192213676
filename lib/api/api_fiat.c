/* Handlers of agents.fcgi for deposits by card or bank transfer.  What a provider is, and when money counts, is core/fiat.c's. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/text.h"
#include "core/agent.h"
#include "core/fiat.h"
#include "http/reply.h"
#include "net/fetch.h"

enum { URL_MAX_CHARS = 2000 };

struct deposit_input {
	usd_micros amount;
	const char *method, *return_url;
};

static const struct field deposit_fields[] = {
	{ "amount_usd", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct deposit_input, amount), .min = USD(5),
	    .max = USD(10000) },
	{ "payment_method", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct deposit_input, method),
	    .choices = fiat_methods },
	{ "return_url", FIELD_TEXT, 0, offsetof(struct deposit_input, return_url), .min = 1, .max = URL_MAX_CHARS },
};

static const char *
message_of(const struct fiat_deposit *deposit)
{
	if (strcmp(deposit->status, "completed") == 0)
		return deposit->provider_id == NULL ? "The money is in your deposit; in test mode nobody pays it."
						    : "The money is in your deposit.";
	return strcmp(deposit->status, "failed") == 0
		   ? "This payment has failed; nothing was credited."
		   : "Open redirect_url to pay; the money is credited when it has come.";
}

static void
reply_deposit(struct request *rq, const struct fiat_deposit *deposit)
{
	reply_id(rq->reply, "transaction_id", ID_TRANSACTION, deposit->transaction);
	reply_id(rq->reply, "payment_id", ID_PAYMENT, deposit->id);
	reply_money(rq->reply, "amount_usd", deposit->amount);
	reply_text(rq->reply, "status", deposit->status);
	reply_text(rq->reply, "redirect_url", deposit->redirect_url);
	reply_text(rq->reply, "message", message_of(deposit));
}

/* The body, with the return address checked: a browser is sent there. */
static int
read_deposit(struct request *rq, struct deposit_input *in)
{
	unsigned flags = rq->config->is_development ? FETCH_ALLOW_HTTP | FETCH_ALLOW_PRIVATE : 0;
	const char *why;

	if (request_read(rq, deposit_fields, nitems(deposit_fields), in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (in->return_url != NULL && !fetch_url_ok(in->return_url, flags, &why))
		error_field(&rq->error, "return_url", "%s", why);
	return rq->error.code == ERR_none ? 0 : -1;
}

int
api_agents_deposit(struct request *rq)
{
	struct deposit_input in = { 0 };
	struct fiat_deposit deposit;
	struct fiat_new new;
	struct agent agent;

	if (read_deposit(rq, &in) || agent_show(rq->db, rq, rq->who.id, rq->who.key, rq->now_ms, &agent, &rq->error))
		return -1;
	new = (struct fiat_new){ .amount = in.amount,
		.method = in.method,
		.return_url = in.return_url,
		.payer_name = agent.name,
		.payer_email = agent.email,
		.replay_key = request_header(rq, "HTTP_IDEMPOTENCY_KEY") };
	if (fiat_open(rq->db, rq, rq->config, rq->who.id, &new, rq->now_ms, &deposit, &rq->error))
		return -1;
	reply_deposit(rq, &deposit);
	return 201;
}

struct status_input {
	const char *payment_id;
};

static const struct field status_fields[] = {
	{ "payment_id", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct status_input, payment_id), .min = 1, .max = 100 },
};

/* By POST as the reference has it, and by GET, as one asks for a state. */
int
api_agents_deposit_status(struct request *rq)
{
	struct status_input in = { 0 };
	struct fiat_deposit deposit;
	struct id id;
	bool is_post = strcmp(rq->method, "POST") == 0;

	if (is_post ? request_read(rq, status_fields, nitems(status_fields), &in)
		    : request_query(rq, status_fields, nitems(status_fields), &in))
		return -1;
	if (id_parse(ID_PAYMENT, in.payment_id, &id) != 0)
		return error_set(&rq->error, ERR_payment_not_found);
	if (fiat_status(rq->db, rq, rq->config, rq->who.id, id, rq->now_ms, &deposit, &rq->error))
		return -1;
	reply_deposit(rq, &deposit);
	return 200;
}
