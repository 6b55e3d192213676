/* Handlers of tasks.fcgi for what happens between an agent and the operator who works for it. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/config.h"
#include "base/text.h"
#include "core/category.h"
#include "core/claim.h"
#include "core/dispute.h"
#include "core/event.h"
#include "core/message.h"
#include "core/notify.h"
#include "core/operator.h"
#include "core/receipt.h"
#include "core/verdict.h"
#include "http/reply.h"
#include "net/token.h"

enum { EVENTS_USUAL = 100, EVENTS_MAX = 500, SEARCH_USUAL = 20, SEARCH_MAX = 100, REASON_MAX_CHARS = 2000 };

static int
read_task_id(struct request *rq, struct id *id)
{
	return request_id(rq, "id", ID_TASK, ERR_task_not_found, id);
}

/* A mail to an operator, if a person: simulated ones have no address. */
static int
tell_operator(struct request *rq, struct id oper, bool is_sandbox, enum notice notice, struct id task)
{
	if (is_sandbox || id_is_nil(oper))
		return 0;
	return notify_party(rq->db, oper, notice, task, rq->now_ms, &rq->error);
}

struct reason_input {
	const char *reason;
};

static const struct field reason_fields[] = {
	{ "reason", FIELD_TEXT, FIELD_LINES, offsetof(struct reason_input, reason), .min = 1, .max = REASON_MAX_CHARS },
};

/* estimates */

int
api_tasks_approve(struct request *rq)
{
	struct json_object *oper;
	struct task task;
	struct id id;

	if (request_read(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    claim_approve(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error) ||
	    tell_operator(rq, task.oper, task.is_sandbox, NOTICE_CLAIM_APPROVED, id))
		return -1;
	oper = view_task_operator(&task);
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", task.status);
	reply_time(rq->reply, "accepted_at", task.accepted_ms);
	reply_json(rq->reply, "operator", oper);
	reply_int(rq->reply, "estimate_minutes", task.estimate_minutes);
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	rq->wakes_worker = true;
	return 200;
}

int
api_tasks_reject(struct request *rq)
{
	struct reason_input in = { 0 };
	struct task task;
	struct id id;

	if (request_read(rq, reason_fields, nitems(reason_fields), &in) || read_task_id(rq, &id) ||
	    claim_reject(rq->db, rq, rq->who.id, id, in.reason, rq->now_ms, &task, &rq->error) ||
	    tell_operator(rq, task.oper, task.is_sandbox, NOTICE_CLAIM_REJECTED, id))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", "PENDING");
	reply_text(rq->reply, "message", "The estimate is rejected; the task is open to operators again.");
	api_reply_sandbox(rq->reply, task.is_sandbox, "PENDING");
	rq->wakes_worker = true;
	return 200;
}

/* verdict, dispute, rating */

static const char *const decisions[] = { "APPROVE", "REJECT", NULL };

struct verify_input {
	const char *decision, *reason;
};

static const struct field verify_fields[] = {
	{ "decision", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct verify_input, decision), .choices = decisions },
	{ "reason", FIELD_TEXT, FIELD_LINES, offsetof(struct verify_input, reason), .min = 1, .max = REASON_MAX_CHARS },
};

int
api_tasks_verify(struct request *rq)
{
	struct verify_input in = { 0 };
	struct verdict_outcome outcome;
	struct id id;
	bool is_approved;

	if (request_read(rq, verify_fields, nitems(verify_fields), &in) || read_task_id(rq, &id))
		return -1;
	is_approved = strcmp(in.decision, "APPROVE") == 0;
	if (verdict_agent(
		rq->db, rq, rq->config, rq->who.id, id, is_approved, in.reason, rq->now_ms, &outcome, &rq->error) ||
	    tell_operator(rq, outcome.oper, outcome.is_sandbox, is_approved ? NOTICE_COMPLETED : NOTICE_DISPUTED, id))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", outcome.status);
	reply_text(rq->reply, "message",
	    is_approved ? "The proof is approved and the task completed."
			: "The proof is rejected; staff will decide what becomes of the money.");
	api_reply_sandbox(rq->reply, outcome.is_sandbox, outcome.status);
	rq->wakes_worker = true;
	return 200;
}

static const struct field dispute_fields[] = {
	{ "reason", FIELD_TEXT, FIELD_REQUIRED | FIELD_LINES, offsetof(struct reason_input, reason), .min = 1,
	    .max = REASON_MAX_CHARS },
};

int
api_tasks_dispute(struct request *rq)
{
	struct reason_input in = { 0 };
	struct task task;
	struct id id;

	if (request_read(rq, dispute_fields, nitems(dispute_fields), &in) || read_task_id(rq, &id) ||
	    dispute_raise(rq->db, rq, rq->who.id, id, in.reason, rq->now_ms, &task, &rq->error) ||
	    tell_operator(rq, task.oper, task.is_sandbox, NOTICE_DISPUTED, id))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", task.status);
	reply_text(rq->reply, "message", "The task is disputed and the operator's pay frozen until staff has decided.");
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	rq->wakes_worker = true;
	return 200;
}

struct rate_input {
	int64_t rating;
	const char *comment;
};

static const struct field rate_fields[] = {
	{ "rating", FIELD_INT, FIELD_REQUIRED, offsetof(struct rate_input, rating), .min = 1, .max = 5 },
	{ "comment", FIELD_TEXT, FIELD_LINES, offsetof(struct rate_input, comment), .min = 1, .max = REASON_MAX_CHARS },
};

int
api_tasks_rate(struct request *rq)
{
	struct rate_input in = { 0 };
	struct task task;
	struct id id;

	if (request_read(rq, rate_fields, nitems(rate_fields), &in) || read_task_id(rq, &id) ||
	    task_rate(rq->db, rq, rq->who.id, id, (int)in.rating, in.comment, rq->now_ms, &task, &rq->error))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_int(rq->reply, "rating", task.rating);
	reply_text(rq->reply, "comment", task.rating_comment);
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	return 200;
}

/* messages */

int
api_tasks_messages(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    task_show(rq->db, rq, rq->who.id, id, &task, &rq->error) || view_messages(rq, "data", id, (struct id){ 0 }))
		return -1;
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	return 200;
}

int
api_tasks_message_add(struct request *rq)
{
	return api_message_add(rq, "agent");
}

/* what a finished task leaves */

static int
need_completed(struct request *rq, const struct task *task)
{
	if (strcmp(task->status, "COMPLETED") == 0)
		return 0;
	error_set(&rq->error, ERR_task_state_conflict);
	return error_detail(&rq->error, "status", json_object_new_string(task->status));
}

int
api_tasks_credential(struct request *rq)
{
	struct task task;
	struct id id;

	if (strcmp(rq->method, "POST") == 0 ? request_read(rq, NULL, 0, NULL) : request_query(rq, NULL, 0, NULL))
		return -1;
	if (read_task_id(rq, &id) || task_show(rq->db, rq, rq->who.id, id, &task, &rq->error))
		return -1;
	if (!category_find(task.task_type)->is_credential)
		return error_set(&rq->error, ERR_credential_not_found);
	if (need_completed(rq, &task))
		return -1;
	if (task.credential_json == NULL)
		return error_set(&rq->error, ERR_credential_not_found);
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_json(rq->reply, "encrypted_credential", json_tokener_parse(task.credential_json));
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	return 200;
}

int
api_tasks_receipt(struct request *rq)
{
	const struct api *api = rq->program;
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    task_show(rq->db, rq, rq->who.id, id, &task, &rq->error) || need_completed(rq, &task))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "receipt",
	    token_sign(api->signer, rq, "receipt+jwt", receipt_payload(rq, rq->config, &task, rq->now_ms)));
	reply_text(rq->reply, "jwks_url", talloc_asprintf(rq, "%s/.well-known/jwks.json", rq->config->public_base_url));
	api_reply_sandbox(rq->reply, task.is_sandbox, task.status);
	return 200;
}

int
api_tasks_jwks(struct request *rq)
{
	const struct api *api = rq->program;
	const char *text = token_jwks(api->signer, rq);

	reply_raw(rq, "application/jwk-set+json", text, strlen(text));
	return 200;
}

/* search and events */

static const struct field search_fields[] = {
	{ "lat", FIELD_NUMBER, FIELD_REQUIRED, offsetof(struct operator_query, lat), .min = -90, .max = 90 },
	{ "lng", FIELD_NUMBER, FIELD_REQUIRED, offsetof(struct operator_query, lng), .min = -180, .max = 180 },
	{ "radius_km", FIELD_NUMBER, 0, offsetof(struct operator_query, radius_km), .min = 1, .max = 500 },
	{ "task_type", FIELD_CHOICE, 0, offsetof(struct operator_query, task_type), .choices = category_types },
	{ "min_rating", FIELD_NUMBER, 0, offsetof(struct operator_query, min_rating), .min = 0, .max = 5,
	    .has = offsetof(struct operator_query, has_rating) },
	{ "limit", FIELD_INT, 0, offsetof(struct operator_query, limit), .min = 1, .max = SEARCH_MAX },
};

int
api_tasks_operators(struct request *rq)
{
	struct operator_query query = { .radius_km = 25, .limit = SEARCH_USUAL };
	struct json_object *data = json_object_new_array();
	struct operator_found *found;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, search_fields, nitems(search_fields), &query) ||
	    operator_search(rq->db, rq, &query, &found, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(data, view_found(&found[i]));
	return 200;
}

struct events_input {
	const char *cursor;
	int64_t limit;
};

static const struct field events_fields[] = {
	{ "cursor", FIELD_TEXT, 0, offsetof(struct events_input, cursor), .min = 1, .max = 100 },
	{ "limit", FIELD_INT, 0, offsetof(struct events_input, limit), .min = 1, .max = EVENTS_MAX },
};

/* What an event of money is about: ids by what its data calls them, and what is shown as it is. */
static const struct {
	const char *data, *name;
	enum id_kind kind;
} event_ids[] = {
	{ "payment", "payment_id", ID_PAYMENT },
	{ "payout", "payout_id", ID_PAYOUT },
	{ "transaction", "transaction_id", ID_TRANSACTION },
};
static const char *const event_parts[] = { "amount_usd", "gas_fee_usd", "tx_hash" };

static void
reply_payment(struct json_object *item, struct json_object *data)
{
	struct json_object *part;
	struct id id;

	for (size_t i = 0; i < nitems(event_ids); i++)
		if (json_object_object_get_ex(data, event_ids[i].data, &part) && part != NULL &&
		    id_from_uuid(json_object_get_string(part), &id) == 0)
			reply_id(item, event_ids[i].name, event_ids[i].kind, id);
	for (size_t i = 0; i < nitems(event_parts); i++)
		if (json_object_object_get_ex(data, event_parts[i], &part) && part != NULL)
			reply_json(item, event_parts[i], json_object_get(part));
}

static struct json_object *
event_item(const struct event *event)
{
	struct json_object *item = json_object_new_object(), *data = json_tokener_parse(event->data_json), *part;

	reply_id(item, "event_id", ID_EVENT, event->id);
	reply_text(item, "event", event->type);
	reply_id(item, "task_id", ID_TASK, event->task);
	reply_text(item, "actor", event->actor);
	reply_text(item, "from", event->from_status);
	reply_text(item, "to", event->to_status);
	reply_time(item, "timestamp", event->at_ms);
	if (json_object_object_get_ex(data, "guardian_result", &part))
		reply_json(item, "guardian_result", json_object_get(part));
	if (json_object_object_get_ex(data, "message", &part))
		reply_text(item, "message", json_object_get_string(json_object_object_get(part, "text")));
	if (json_object_object_get_ex(data, "abort_reason", &part))
		reply_json(item, "abort_reason", json_object_get(part));
	if (id_is_nil(event->task))
		reply_payment(item, data);
	json_object_put(data);
	return item;
}

/* next_cursor is always there: with no news, the one that was sent. */
int
api_tasks_events(struct request *rq)
{
	struct events_input in = { .limit = EVENTS_USUAL };
	struct json_object *data = json_object_new_array(), *pagination = json_object_new_object();
	struct event *events;
	size_t count;

	reply_json(rq->reply, "data", data);
	reply_json(rq->reply, "pagination", pagination);
	if (request_query(rq, events_fields, nitems(events_fields), &in) ||
	    event_list(rq->db, rq, rq->who.id, in.cursor, in.limit, &events, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(data, event_item(&events[i]));
	reply_int(pagination, "limit", in.limit);
	reply_text(pagination, "next_cursor", count > 0 ? events[count - 1].cursor : in.cursor);
	reply_bool(pagination, "has_more", count == (size_t)in.limit);
	return 200;
}
