/* Handlers of tasks.fcgi: posting, reading and cancelling tasks, task types, the webhook log. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/text.h"
#include "core/category.h"
#include "core/notify.h"
#include "core/screening.h"
#include "core/task.h"
#include "core/webhook.h"
#include "http/reply.h"

enum { PAGE_USUAL = 20, PAGE_MAX = 100, OFFSET_MAX = 1000000 };

/* create */

#define LOCATION(member) (offsetof(struct task_new, location) + offsetof(struct task_location, member))

static const struct field location_fields[] = {
	{ "lat", FIELD_NUMBER, 0, LOCATION(lat), .min = -90, .max = 90, .has = LOCATION(has_lat) },
	{ "lng", FIELD_NUMBER, 0, LOCATION(lng), .min = -180, .max = 180, .has = LOCATION(has_lng) },
	{ "address", FIELD_TEXT, 0, LOCATION(address), .min = 1, .max = 500 },
};

static const struct field create_fields[] = {
	{ "title", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct task_new, title), .min = 1, .max = 200 },
	{ "description", FIELD_TEXT, FIELD_REQUIRED | FIELD_LINES, offsetof(struct task_new, description), .min = 1,
	    .max = 10000 },
	{ "location", FIELD_OBJECT, 0, 0, .sub = location_fields, .sub_count = nitems(location_fields),
	    .has = offsetof(struct task_new, has_location) },
	{ "reward_usd", FIELD_MONEY, FIELD_REQUIRED, offsetof(struct task_new, reward), .min = USD_CENT,
	    .max = USD(10000), .has = offsetof(struct task_new, has_reward) },
	{ "deadline", FIELD_TIME, FIELD_REQUIRED, offsetof(struct task_new, deadline_ms),
	    .has = offsetof(struct task_new, has_deadline) },
	{ "proof_requirements", FIELD_TEXTS, FIELD_REQUIRED, offsetof(struct task_new, proof_requirements), .min = 1,
	    .max = 500, .max_items = 20 },
	{ "task_type", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct task_new, task_type), .choices = category_types },
	{ "task_domain", FIELD_CHOICE, 0, offsetof(struct task_new, task_domain), .choices = category_domains },
	{ "proof_type", FIELD_CHOICE, 0, offsetof(struct task_new, proof_type), .choices = category_proofs },
	{ "digital_instructions", FIELD_TEXT, FIELD_LINES, offsetof(struct task_new, digital_instructions), .min = 1,
	    .max = 10000 },
	{ "callback_url", FIELD_TEXT, 0, offsetof(struct task_new, callback_url), .min = 1, .max = 2048 },
	{ "callback_secret", FIELD_SECRET, 0, offsetof(struct task_new, callback_secret), .min = 1, .max = 256 },
	{ "agent_public_key", FIELD_TEXT, 0, offsetof(struct task_new, agent_public_key), .min = 1, .max = 200 },
	{ "sandbox", FIELD_BOOL, 0, offsetof(struct task_new, is_sandbox) },
	{ "sandbox_scenario", FIELD_CHOICE, 0, offsetof(struct task_new, sandbox_scenario), .choices = task_scenarios },
};

int
api_tasks_create(struct request *rq)
{
	struct json_object *reply = rq->reply;
	struct task_new in = { 0 };
	struct task task = { 0 };
	bool is_sandbox;

	if (request_read(rq, create_fields, nitems(create_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	is_sandbox = in.is_sandbox || strcmp(api_key(rq)->tier, "SANDBOX") == 0;
	if (task_check(&in, is_sandbox, rq->config, rq->now_ms, &rq->error) ||
	    (!is_sandbox && screening_check(rq->db, rq, rq->config, rq->who.id, &in, rq->now_ms, &rq->error)) ||
	    task_create(rq->db, rq, rq->config, api_key(rq), &in, is_sandbox, rq->now_ms, &task, &rq->error))
		return -1;
	reply_id(reply, "task_id", ID_TASK, task.id);
	reply_text(reply, "status", task.status);
	reply_money(reply, "reward_usd", task.reward);
	reply_money(reply, "platform_fee", task.fee);
	reply_money(reply, "total_escrow", task.reward + task.fee);
	reply_time(reply, "deadline", task.deadline_ms);
	reply_time(reply, "created_at", task.created_ms);
	api_reply_sandbox(reply, task.is_sandbox, task.status);
	rq->wakes_worker = task.is_sandbox;
	return 201;
}

/* show and list */

int
api_tasks_show(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || request_id(rq, "id", ID_TASK, ERR_task_not_found, &id) ||
	    task_show(rq->db, rq, rq->who.id, id, &task, &rq->error))
		return -1;
	view_task(rq, rq->reply, &task);
	return view_messages(rq, "messages", id, (struct id){ 0 }) || view_events(rq, id) ? -1 : 200;
}

struct list_input {
	char *status, *cursor;
	int64_t limit, offset;
};

static const struct field list_fields[] = {
	{ "status", FIELD_CHOICE, 0, offsetof(struct list_input, status), .choices = task_statuses },
	{ "limit", FIELD_INT, 0, offsetof(struct list_input, limit), .min = 1, .max = PAGE_MAX },
	{ "offset", FIELD_INT, 0, offsetof(struct list_input, offset), .min = 0, .max = OFFSET_MAX },
	{ "cursor", FIELD_TEXT, 0, offsetof(struct list_input, cursor), .min = 1, .max = 100 },
};

int
api_tasks_list(struct request *rq)
{
	struct list_input in = { .limit = PAGE_USUAL };
	struct task_filter filter = { 0 };
	struct json_object *data = json_object_new_array(), *pagination = json_object_new_object();
	struct task *tasks;
	size_t count;
	int64_t total;

	reply_json(rq->reply, "data", data);
	reply_json(rq->reply, "pagination", pagination);
	if (request_query(rq, list_fields, nitems(list_fields), &in) ||
	    api_cursor(rq, ID_TASK, in.cursor, &filter.after))
		return -1;
	if (in.cursor != NULL && in.offset != 0)
		return error_field(&rq->error, "offset", "does not go with cursor");
	filter.status = in.status;
	filter.limit = in.limit;
	filter.offset = in.offset;
	if (task_list(rq->db, rq, rq->who.id, &filter, &tasks, &count, &total, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(data, view_task_row(&tasks[i]));
	reply_int(pagination, "limit", in.limit);
	reply_int(pagination, "offset", in.offset);
	reply_int(pagination, "total", total);
	if (count == (size_t)in.limit)
		reply_id(pagination, "next_cursor", ID_TASK, tasks[count - 1].id);
	else
		reply_json(pagination, "next_cursor", NULL);
	return 200;
}

/* categories */

static struct json_object *
category_item(const struct category *category)
{
	struct json_object *item = json_object_new_object(), *proof = json_object_new_array();

	json_object_array_add(proof, json_object_new_string(category->proof_default));
	reply_text(item, "task_type", category->type);
	reply_text(item, "description", category->description);
	reply_text(item, "task_domain", category_domain(category));
	reply_text(item, "default_proof_type", category->proof_type);
	reply_json(item, "default_proof_requirements", proof);
	reply_money(item, "min_reward_usd", USD(10));
	reply_money(item, "max_reward_usd", category->maximum);
	reply_bool(item, "requires_agent_public_key", category->is_credential);
	return item;
}

int
api_tasks_categories(struct request *rq)
{
	struct json_object *data = json_object_new_array();

	reply_json(rq->reply, "data", data);
	if (request_query(rq, NULL, 0, NULL))
		return -1;
	for (size_t i = 0; i < category_count; i++)
		json_object_array_add(data, category_item(&categories[i]));
	return 200;
}

/* cancel */

int
api_tasks_cancel(struct request *rq)
{
	struct task_cancelled cancelled;
	struct id id;

	if (request_read(rq, NULL, 0, NULL) || request_id(rq, "id", ID_TASK, ERR_task_not_found, &id) ||
	    task_cancel(rq->db, rq->who.id, id, rq->now_ms, &cancelled, &rq->error))
		return -1;
	if (!cancelled.is_sandbox && !id_is_nil(cancelled.oper) &&
	    notify_party(rq->db, cancelled.oper, NOTICE_CANCELLED, id, rq->now_ms, &rq->error))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", "CANCELLED");
	reply_money(rq->reply, "refunded_usd", cancelled.refunded);
	api_reply_sandbox(rq->reply, cancelled.is_sandbox, "CANCELLED");
	rq->wakes_worker = true;
	return 200;
}

/* the webhook log */

int
api_tasks_webhooks(struct request *rq)
{
	struct json_object *data = json_object_new_array();
	struct webhook_delivery *deliveries;
	struct id id;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, NULL, 0, NULL) || request_id(rq, "id", ID_TASK, ERR_task_not_found, &id) ||
	    webhook_list(rq->db, rq, rq->who.id, id, &deliveries, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_id(item, "delivery_id", ID_DELIVERY, deliveries[i].id);
		reply_id(item, "event_id", ID_EVENT, deliveries[i].event);
		reply_text(item, "event", deliveries[i].type);
		reply_text(item, "state", deliveries[i].state);
		reply_time(item, "created_at", deliveries[i].created_ms);
		reply_time(item, "next_attempt_at", deliveries[i].next_ms);
		reply_time(item, "delivered_at", deliveries[i].delivered_ms);
		reply_json(item, "attempts", json_tokener_parse(deliveries[i].attempts_json));
		json_object_array_add(data, item);
	}
	return 200;
}

int
api_tasks_redeliver(struct request *rq)
{
	struct id task, delivery;

	if (request_read(rq, NULL, 0, NULL) || request_id(rq, "id", ID_TASK, ERR_task_not_found, &task) ||
	    request_id(rq, "delivery", ID_DELIVERY, ERR_delivery_not_found, &delivery) ||
	    webhook_redeliver(rq->db, rq->who.id, task, delivery, rq->now_ms, &rq->error))
		return -1;
	reply_id(rq->reply, "delivery_id", ID_DELIVERY, delivery);
	reply_text(rq->reply, "state", "pending");
	rq->wakes_worker = true;
	return 200;
}

/* appeals */

struct appeal_input {
	const char *screening, *reason;
};

static const struct field appeal_fields[] = {
	{ "screening_id", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct appeal_input, screening), .min = 1, .max = 60 },
	{ "reason", FIELD_TEXT, FIELD_REQUIRED | FIELD_LINES, offsetof(struct appeal_input, reason), .min = 1,
	    .max = 2000 },
};

static int
appeal(struct request *rq, struct id id, const char *reason)
{
	struct screening screening;

	if (screening_appeal(rq->db, rq, rq->who.id, id, reason, rq->now_ms, &screening, &rq->error))
		return -1;
	reply_id(rq->reply, "screening_id", ID_SCREENING, id);
	reply_text(rq->reply, "status", "PENDING");
	reply_text(rq->reply, "message", "Staff will look at it; post the task again once it is allowed.");
	return 201;
}

int
api_tasks_appeals(struct request *rq)
{
	struct appeal_input in = { 0 };
	struct id id;

	if (request_read(rq, appeal_fields, nitems(appeal_fields), &in))
		return -1;
	if (id_parse(ID_SCREENING, in.screening, &id) != 0)
		return error_set(&rq->error, ERR_screening_not_found);
	return appeal(rq, id, in.reason);
}

/* A blocked task never came to be: the id in the path is that of its screening. */
int
api_tasks_appeal(struct request *rq)
{
	struct appeal_input in = { 0 };
	struct id id;

	if (request_read(rq, appeal_fields + 1, nitems(appeal_fields) - 1, &in) ||
	    request_id(rq, "id", ID_SCREENING, ERR_screening_not_found, &id))
		return -1;
	return appeal(rq, id, in.reason);
}
