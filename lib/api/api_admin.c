/* Handlers of admin.fcgi, for staff.  Whatever changes something is recorded in the same transaction (core/staff.h). */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/config.h"
#include "base/now.h"
#include "base/text.h"
#include "core/dispute.h"
#include "core/message.h"
#include "core/notify.h"
#include "core/operator.h"
#include "core/screening.h"
#include "core/staff.h"
#include "core/webhook.h"
#include "http/reply.h"

enum { ADVANCE_MAX_S = 10 * 366 * 86400, PAGE_USUAL = 50, PAGE_MAX = 200, OFFSET_MAX = 1000000, NOTE_MAX_CHARS = 2000 };

/* clock */

struct clock_input {
	int64_t advance_s;
};

static const struct field clock_fields[] = {
	{ "advance_seconds", FIELD_INT, FIELD_REQUIRED, offsetof(struct clock_input, advance_s), .min = 0,
	    .max = ADVANCE_MAX_S },
};

/* Development only: everywhere else there is no such address. */
int
api_admin_clock(struct request *rq)
{
	struct clock_input in = { 0 };

	if (!rq->config->is_development)
		return error_set(&rq->error, ERR_not_found);
	if (request_read(rq, clock_fields, nitems(clock_fields), &in))
		return -1;
	reply_int(rq->reply, "offset_seconds", now_advance(in.advance_s * 1000) / 1000);
	reply_time(rq->reply, "now", now_ms());
	rq->wakes_worker = true;
	return 200;
}

/* operators and agents */

struct page_input {
	const char *kyc;
	int64_t limit, offset;
};

#define PAGE \
	{ "limit", FIELD_INT, 0, offsetof(struct page_input, limit), .min = 1, .max = PAGE_MAX }, \
	{ \
		"offset", FIELD_INT, 0, offsetof(struct page_input, offset), .min = 0, .max = OFFSET_MAX \
	}

static const struct field operators_fields[] = {
	{ "kyc_status", FIELD_CHOICE, 0, offsetof(struct page_input, kyc), .choices = operator_kyc_statuses },
	PAGE,
};
static const struct field page_fields[] = { PAGE };

int
api_admin_operators(struct request *rq)
{
	struct page_input in = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct oper *operators;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, operators_fields, nitems(operators_fields), &in) ||
	    operator_list(rq->db, rq, in.kyc, in.limit, in.offset, &operators, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		view_operator(item, &operators[i]);
		json_object_array_add(data, item);
	}
	view_pagination(rq->reply, in.limit, in.offset, -1);
	return 200;
}

struct kyc_input {
	const char *status, *note;
};

static const char *const kyc_verdicts[] = { "VERIFIED", "REJECTED", NULL };

static const struct field kyc_fields[] = {
	{ "status", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct kyc_input, status), .choices = kyc_verdicts },
	{ "note", FIELD_TEXT, FIELD_LINES, offsetof(struct kyc_input, note), .min = 1, .max = NOTE_MAX_CHARS },
};

int
api_admin_record(struct request *rq, const char *act, enum id_kind kind, struct id target, struct json_object *data)
{
	char text[ID_TEXT_SIZE];
	int rc;

	id_print(kind, target, text);
	rc = staff_record(rq->db, act, text, data, rq->now_ms, &rq->error);
	json_object_put(data);
	return rc;
}

static struct json_object *
text_member(const char *name, const char *value)
{
	struct json_object *object = json_object_new_object();

	reply_text(object, name, value);
	return object;
}

/* A decision as the log keeps it, with what was noted beside it. */
static struct json_object *
decision(const char *name, const char *value, const char *note)
{
	struct json_object *object = text_member(name, value);

	if (note != NULL)
		reply_text(object, "note", note);
	return object;
}

int
api_admin_kyc(struct request *rq)
{
	struct kyc_input in = { 0 };
	struct oper oper;
	enum notice notice;
	struct id id;

	if (request_read(rq, kyc_fields, nitems(kyc_fields), &in) ||
	    request_id(rq, "id", ID_OPERATOR, ERR_operator_not_found, &id) ||
	    operator_kyc(rq->db, rq, id, in.status, in.note, rq->now_ms, &oper, &rq->error))
		return -1;
	notice = strcmp(in.status, "VERIFIED") == 0 ? NOTICE_KYC_VERIFIED : NOTICE_KYC_REJECTED;
	if (api_admin_record(rq, "kyc", ID_OPERATOR, id, decision("status", in.status, in.note)) ||
	    notify_party(rq->db, id, notice, (struct id){ { 0 } }, rq->now_ms, &rq->error))
		return -1;
	view_operator(rq->reply, &oper);
	rq->wakes_worker = true;
	return 200;
}

struct suspend_input {
	bool is_suspended;
	const char *reason;
};

static const struct field suspend_fields[] = {
	{ "suspended", FIELD_BOOL, FIELD_REQUIRED, offsetof(struct suspend_input, is_suspended) },
	{ "reason", FIELD_TEXT, FIELD_LINES, offsetof(struct suspend_input, reason), .min = 1, .max = NOTE_MAX_CHARS },
};

int
api_admin_suspend_operator(struct request *rq)
{
	struct suspend_input in = { 0 };
	struct oper oper;
	struct id id;

	if (request_read(rq, suspend_fields, nitems(suspend_fields), &in) ||
	    request_id(rq, "id", ID_OPERATOR, ERR_operator_not_found, &id) ||
	    operator_suspend(rq->db, rq, id, in.is_suspended, rq->now_ms, &oper, &rq->error) ||
	    api_admin_record(
		rq, in.is_suspended ? "suspend" : "restore", ID_OPERATOR, id, text_member("reason", in.reason)))
		return -1;
	view_operator(rq->reply, &oper);
	return 200;
}

int
api_admin_suspend_agent(struct request *rq)
{
	struct suspend_input in = { 0 };
	struct id id;

	if (request_read(rq, suspend_fields, nitems(suspend_fields), &in) ||
	    request_id(rq, "id", ID_AGENT, ERR_agent_not_found, &id) ||
	    staff_suspend_agent(rq->db, id, in.is_suspended, rq->now_ms, &rq->error) ||
	    api_admin_record(
		rq, in.is_suspended ? "suspend" : "restore", ID_AGENT, id, text_member("reason", in.reason)))
		return -1;
	reply_id(rq->reply, "agent_id", ID_AGENT, id);
	reply_bool(rq->reply, "suspended", in.is_suspended);
	return 200;
}

/* disputes */

int
api_admin_disputes(struct request *rq)
{
	struct page_input in = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct task *tasks;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, page_fields, nitems(page_fields), &in) ||
	    dispute_list(rq->db, rq, in.limit, in.offset, &tasks, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		view_task(rq, item, &tasks[i]);
		reply_id(item, "agent_id", ID_AGENT, tasks[i].agent);
		json_object_array_add(data, item);
	}
	view_pagination(rq->reply, in.limit, in.offset, -1);
	return 200;
}

/* A task with both sides' messages and its trail. */
int
api_admin_task(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || request_id(rq, "id", ID_TASK, ERR_task_not_found, &id) ||
	    task_any(rq->db, rq, id, &task, &rq->error))
		return -1;
	view_task(rq, rq->reply, &task);
	reply_id(rq->reply, "agent_id", ID_AGENT, task.agent);
	return view_messages(rq, "messages", id, (struct id){ 0 }) || view_events(rq, id) ? -1 : 200;
}

struct resolve_input {
	const char *resolution, *note;
	usd_micros split;
	bool has_split;
};

static const struct field resolve_fields[] = {
	{ "resolution", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct resolve_input, resolution),
	    .choices = dispute_resolutions },
	{ "operator_usd", FIELD_MONEY, 0, offsetof(struct resolve_input, split), .min = USD_CENT, .max = USD(10000),
	    .has = offsetof(struct resolve_input, has_split) },
	{ "note", FIELD_TEXT, FIELD_LINES, offsetof(struct resolve_input, note), .min = 1, .max = NOTE_MAX_CHARS },
};

int
api_admin_resolve(struct request *rq)
{
	struct resolve_input in = { 0 };
	struct dispute_outcome outcome;
	struct id id;
	bool is_split;

	if (request_read(rq, resolve_fields, nitems(resolve_fields), &in) ||
	    request_id(rq, "id", ID_TASK, ERR_task_not_found, &id))
		return -1;
	is_split = strcmp(in.resolution, "SPLIT") == 0;
	if (is_split != in.has_split)
		return error_field(
		    &rq->error, "operator_usd", is_split ? "is required for SPLIT" : "goes with SPLIT alone");
	if (dispute_resolve(rq->db, rq, id, in.resolution, in.split, in.note, rq->now_ms, &outcome, &rq->error) ||
	    api_admin_record(rq, "resolve", ID_TASK, id, decision("resolution", in.resolution, in.note)) ||
	    notify_party(rq->db, outcome.agent, NOTICE_RESOLVED, id, rq->now_ms, &rq->error) ||
	    notify_party(rq->db, outcome.oper, NOTICE_RESOLVED, id, rq->now_ms, &rq->error))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", outcome.status);
	reply_text(rq->reply, "resolution", in.resolution);
	reply_money(rq->reply, "operator_usd", outcome.kept);
	rq->wakes_worker = true;
	return 200;
}

/* appeals against the screening */

static void
view_screening(struct json_object *object, const struct screening *screening)
{
	reply_id(object, "screening_id", ID_SCREENING, screening->id);
	reply_id(object, "agent_id", ID_AGENT, screening->agent);
	reply_text(object, "title", screening->title);
	reply_text(object, "description", screening->description);
	reply_text(object, "digital_instructions", screening->instructions);
	reply_text(object, "task_type", screening->task_type);
	reply_text(object, "category", screening->category);
	reply_text(object, "rule", screening->rule);
	reply_text(object, "reason", screening->reason);
	reply_text(object, "appeal", screening->appeal);
	reply_text(object, "decision", screening->decision);
	reply_text(object, "decision_note", screening->decision_note);
	reply_time(object, "appealed_at", screening->appealed_ms);
}

int
api_admin_appeals(struct request *rq)
{
	struct page_input in = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct screening *screenings;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, page_fields, nitems(page_fields), &in) ||
	    screening_appeals(rq->db, rq, in.limit, in.offset, &screenings, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		view_screening(item, &screenings[i]);
		json_object_array_add(data, item);
	}
	view_pagination(rq->reply, in.limit, in.offset, -1);
	return 200;
}

struct appeal_input {
	const char *decision, *note;
};

static const char *const appeal_decisions[] = { "ALLOWED", "UPHELD", NULL };

static const struct field appeal_fields[] = {
	{ "decision", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct appeal_input, decision),
	    .choices = appeal_decisions },
	{ "note", FIELD_TEXT, FIELD_LINES, offsetof(struct appeal_input, note), .min = 1, .max = NOTE_MAX_CHARS },
};

int
api_admin_appeal(struct request *rq)
{
	struct appeal_input in = { 0 };
	struct screening screening;
	struct id id;

	if (request_read(rq, appeal_fields, nitems(appeal_fields), &in) ||
	    request_id(rq, "id", ID_SCREENING, ERR_screening_not_found, &id) ||
	    screening_decide(rq->db, rq, id, in.decision, in.note, rq->now_ms, &screening, &rq->error) ||
	    api_admin_record(rq, "appeal", ID_SCREENING, id, decision("decision", in.decision, in.note)) ||
	    notify_party(rq->db, screening.agent, NOTICE_APPEAL, (struct id){ { 0 } }, rq->now_ms, &rq->error))
		return -1;
	view_screening(rq->reply, &screening);
	rq->wakes_worker = true;
	return 200;
}

/* what staff watches */

int
api_admin_deliveries(struct request *rq)
{
	struct page_input in = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct webhook_failure *failures;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, page_fields, nitems(page_fields), &in) ||
	    webhook_failures(rq->db, rq, in.limit, &failures, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_id(item, "delivery_id", ID_DELIVERY, failures[i].id);
		reply_id(item, "agent_id", ID_AGENT, failures[i].agent);
		reply_id(item, "task_id", ID_TASK, failures[i].task);
		reply_text(item, "event", failures[i].type);
		reply_int(item, "attempts", failures[i].attempts);
		reply_text(item, "last_error", failures[i].last_error);
		reply_time(item, "created_at", failures[i].created_ms);
		json_object_array_add(data, item);
	}
	return 200;
}

static void
view_finding(struct json_object *list, const struct staff_finding *finding)
{
	struct json_object *item = json_object_new_object();
	char uuid[ID_UUID_SIZE];

	id_print_uuid(finding->id, uuid);
	reply_text(item, "broken", finding->what);
	reply_text(item, "account", finding->account);
	reply_text(item, "id", id_is_nil(finding->id) ? NULL : uuid);
	reply_money(item, "off_by_usd", finding->amount);
	json_object_array_add(list, item);
}

int
api_admin_audit(struct request *rq)
{
	struct json_object *balance = json_object_new_array(), *findings = json_object_new_array();
	struct staff_account *accounts;
	struct staff_finding *broken;
	size_t account_count, count;

	reply_json(rq->reply, "trial_balance", balance);
	reply_json(rq->reply, "findings", findings);
	if (request_query(rq, NULL, 0, NULL) ||
	    staff_trial_balance(rq->db, rq, &accounts, &account_count, &rq->error) ||
	    staff_audit(rq->db, rq, rq->now_ms, &broken, &count, &rq->error) || api_admin_reserves(rq))
		return -1;
	for (size_t i = 0; i < account_count; i++) {
		struct json_object *item = json_object_new_object();

		reply_text(item, "account", accounts[i].kind);
		reply_int(item, "accounts", accounts[i].accounts);
		reply_money(item, "balance_usd", accounts[i].balance);
		json_object_array_add(balance, item);
	}
	for (size_t i = 0; i < count; i++)
		view_finding(findings, &broken[i]);
	reply_bool(rq->reply, "balanced", count == 0);
	return 200;
}

struct log_input {
	int64_t before_ms, limit;
};

static const struct field log_fields[] = {
	{ "before", FIELD_TIME, 0, offsetof(struct log_input, before_ms) },
	{ "limit", FIELD_INT, 0, offsetof(struct log_input, limit), .min = 1, .max = PAGE_MAX },
};

int
api_admin_log(struct request *rq)
{
	struct log_input in = { .before_ms = rq->now_ms + 1, .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct staff_entry *entries;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, log_fields, nitems(log_fields), &in) ||
	    staff_log(rq->db, rq, in.before_ms, in.limit, &entries, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_text(item, "act", entries[i].act);
		reply_text(item, "target", entries[i].target);
		reply_json(item, "data", json_tokener_parse(entries[i].data_json));
		reply_time(item, "at", entries[i].at_ms);
		json_object_array_add(data, item);
	}
	return 200;
}
