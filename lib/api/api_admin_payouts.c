/*
 * Handlers of admin.fcgi for payouts and reserves.  Staff can make the worker look again, or wish a payout ended;
 * that a transfer which the chain has mined is never undone is the worker's to see to (core/payer.h).
 */
#include <string.h>
#include <stdio.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/text.h"
#include "core/onchain.h"
#include "core/payout.h"
#include "core/reserve.h"
#include "core/staff.h"
#include "http/reply.h"

enum { PAGE_USUAL = 50, REASON_MAX_CHARS = 2000 };

static const struct onchain *
onchain_of(const struct request *rq)
{
	return ((const struct api *)rq->program)->onchain;
}

/* A payout with what only staff sees of it. */
static void
view_staff_payout(struct json_object *object, const struct payout *payout)
{
	view_payout(object, payout);
	reply_id(object, payout->is_agents ? "agent_id" : "operator_id", payout->is_agents ? ID_AGENT : ID_OPERATOR,
	    payout->party);
	reply_text(object, "state", payout->state);
	reply_text(object, "problem", payout->problem);
	reply_bool(object, "cancelling", payout->is_cancelled && !payout_is_over(payout));
	reply_text(object, "sender", payout->sender);
	if (payout->has_nonce)
		reply_int(object, "nonce", payout->nonce);
	else
		reply_json(object, "nonce", NULL);
	reply_time(object, "signed_at", payout->signed_ms);
}

static const char *const wanted_statuses[] = { "stuck", "open", "all", NULL };
static const char *const states_of[][6] = {
	{ "stuck", NULL },
	{ "reserved", "signed", "stuck", NULL },
	{ "reserved", "signed", "stuck", "completed", "failed", NULL },
};

struct payouts_input {
	const char *status, *cursor;
	int64_t limit;
};

static const struct field payouts_fields[] = {
	{ "status", FIELD_CHOICE, 0, offsetof(struct payouts_input, status), .choices = wanted_statuses },
	{ "cursor", FIELD_TEXT, 0, offsetof(struct payouts_input, cursor), .min = 1, .max = ID_TEXT_SIZE },
	{ "limit", FIELD_INT, 0, offsetof(struct payouts_input, limit), .min = 1, .max = PAYOUT_LIST_MAX },
};

/* Those that wait for staff, unless others are asked for. */
int
api_admin_payouts(struct request *rq)
{
	struct payouts_input in = { .status = wanted_statuses[0], .limit = PAGE_USUAL };
	struct payout *payouts;
	struct id before = { { 0 } };
	size_t count, wanted = 0;

	if (request_query(rq, payouts_fields, nitems(payouts_fields), &in) ||
	    api_cursor(rq, ID_PAYOUT, in.cursor, &before))
		return -1;
	while (wanted + 1 < nitems(states_of) && strcmp(wanted_statuses[wanted], in.status) != 0)
		wanted++;
	if (payout_list_all(rq->db, rq, states_of[wanted], before, in.limit, &payouts, &count, &rq->error))
		return -1;
	view_payouts(rq->reply, payouts, count, in.limit, view_staff_payout);
	return 200;
}

struct reason_input {
	const char *reason;
};

static const struct field reason_fields[] = {
	{ "reason", FIELD_TEXT, FIELD_REQUIRED | FIELD_LINES, offsetof(struct reason_input, reason), .min = 1,
	    .max = REASON_MAX_CHARS },
};

/* Going on needs no reason. */
static const struct field retry_fields[] = {
	{ "reason", FIELD_TEXT, FIELD_LINES, offsetof(struct reason_input, reason), .min = 1, .max = REASON_MAX_CHARS },
};

static struct json_object *
reason_data(const struct reason_input *in)
{
	struct json_object *data = json_object_new_object();

	reply_text(data, "reason", in->reason);
	return data;
}

int
api_admin_payout_retry(struct request *rq)
{
	struct reason_input in = { 0 };
	struct payout payout;
	struct id id;

	if (request_read(rq, retry_fields, nitems(retry_fields), &in) ||
	    request_id(rq, "id", ID_PAYOUT, ERR_payout_not_found, &id) ||
	    payout_retry(rq->db, rq, id, rq->now_ms, &payout, &rq->error) ||
	    api_admin_record(rq, "payout.retry", ID_PAYOUT, id, reason_data(&in)))
		return -1;
	view_staff_payout(rq->reply, &payout);
	rq->wakes_worker = true;
	return 200;
}

/* FAILED at once if nothing was signed; else PENDING_ONCHAIN until the chain has decided, and perhaps COMPLETED. */
int
api_admin_payout_fail(struct request *rq)
{
	struct reason_input in = { 0 };
	struct payout payout;
	struct id id;

	if (request_read(rq, reason_fields, nitems(reason_fields), &in) ||
	    request_id(rq, "id", ID_PAYOUT, ERR_payout_not_found, &id) ||
	    payout_cancel(rq->db, rq, id, rq->now_ms, &payout, &rq->error) ||
	    api_admin_record(rq, "payout.fail", ID_PAYOUT, id, reason_data(&in)))
		return -1;
	view_staff_payout(rq->reply, &payout);
	rq->wakes_worker = true;
	return 200;
}

int
api_admin_payouts_unfreeze(struct request *rq)
{
	const struct onchain *onchain = onchain_of(rq);
	struct reason_input in = { 0 };
	struct json_object *data;
	char target[40];
	int rc;

	if (request_read(rq, reason_fields, nitems(reason_fields), &in) ||
	    reserve_unfreeze(rq->db, onchain, rq->now_ms, &rq->error))
		return -1;
	snprintf(target, sizeof(target), "chain_%lld", (long long)onchain->chain_id);
	data = reason_data(&in);
	rc = staff_record(rq->db, "payouts.unfreeze", target, data, rq->now_ms, &rq->error);
	json_object_put(data);
	reply_bool(rq->reply, "frozen", false);
	rq->wakes_worker = true;
	return rc == 0 ? 200 : -1;
}

int
api_admin_agent_unfreeze(struct request *rq)
{
	struct reason_input in = { 0 };
	struct id id;

	if (request_read(rq, reason_fields, nitems(reason_fields), &in) ||
	    request_id(rq, "id", ID_AGENT, ERR_agent_not_found, &id) ||
	    staff_unfreeze_agent(rq->db, id, rq->now_ms, &rq->error) ||
	    api_admin_record(rq, "payouts.unfreeze", ID_AGENT, id, reason_data(&in)))
		return -1;
	reply_id(rq->reply, "agent_id", ID_AGENT, id);
	reply_bool(rq->reply, "payouts_frozen", false);
	rq->wakes_worker = true;
	return 200;
}

int
api_admin_reserves(struct request *rq)
{
	struct json_object *object;
	struct reserves reserves;

	if (reserve_show(rq->db, rq, onchain_of(rq), &reserves, &rq->error))
		return -1;
	object = reserves.is_known ? json_object_new_object() : NULL;
	reply_json(rq->reply, "reserves", object);
	if (object == NULL)
		return 0;
	reply_money(object, "deposit_address_usd", reserves.deposit_address);
	reply_money(object, "payout_address_usd", reserves.payout_address);
	reply_money(object, "custody_usd", reserves.custody);
	reply_money(object, "in_flight_usd", reserves.in_flight);
	reply_money(object, "difference_usd", reserves.difference);
	reply_money(object, "liabilities_usd", reserves.liabilities);
	reply_time(object, "checked_at", reserves.checked_ms);
	reply_bool(object, "is_frozen", reserves.is_frozen);
	reply_text(object, "reason", reserves.reason);
	return 0;
}
