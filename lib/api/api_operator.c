/* Handlers of operator.fcgi: profile, the feed, claims and their proof, messages, earnings. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/config.h"
#include "base/text.h"
#include "core/category.h"
#include "core/claim.h"
#include "core/earning.h"
#include "core/feed.h"
#include "core/message.h"
#include "core/notify.h"
#include "core/operator.h"
#include "core/proof.h"
#include "http/reply.h"

enum { PAGE_USUAL = 20, PAGE_MAX = 100, OFFSET_MAX = 1000000, EARNINGS_SHOWN = 20 };

/* profile */

#define PLACE(member) (offsetof(struct operator_new, place) + offsetof(struct operator_place, member))

static const struct field place_fields[] = {
	{ "city", FIELD_TEXT, 0, PLACE(city), .min = 1, .max = 100 },
	{ "country", FIELD_TEXT, 0, PLACE(country), .min = 2, .max = 60 },
	{ "lat", FIELD_NUMBER, 0, PLACE(lat), .min = -90, .max = 90, .has = PLACE(has_lat) },
	{ "lng", FIELD_NUMBER, 0, PLACE(lng), .min = -180, .max = 180, .has = PLACE(has_lng) },
};

#define SKILLS \
	{ \
		"skills", FIELD_CHOICES, 0, offsetof(struct operator_new, skills), \
		    .choices = category_types, .max_items = 13, .has = offsetof(struct operator_new, has_skills) \
	}
#define PHONE \
	{ \
		"phone", FIELD_TEXT, 0, offsetof(struct operator_new, phone), .min = 5, .max = 30 \
	}
#define LOCATION \
	{ \
		"location", FIELD_OBJECT, 0, 0, .sub = place_fields, .sub_count = nitems(place_fields) \
	}

static const struct field register_fields[] = {
	{ "name", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct operator_new, name), .min = 1, .max = 100 },
	{ "email", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct operator_new, email), .min = 3, .max = 254 },
	PHONE,
	LOCATION,
	SKILLS,
};

static const struct field update_fields[] = {
	{ "name", FIELD_TEXT, 0, offsetof(struct operator_new, name), .min = 1, .max = 100 },
	PHONE,
	LOCATION,
	SKILLS,
};

/* What the form of the fields cannot say; joins the faults found before. */
static int
check_profile(struct request *rq, const struct operator_new *in)
{
	if (in->email != NULL && !text_is_email(in->email))
		error_field(&rq->error, "email", "must be an e-mail address");
	if (in->phone != NULL && strspn(in->phone, "+0123456789 ()-./") != strlen(in->phone))
		error_field(&rq->error, "phone", "must be a telephone number");
	if (in->place.has_lat != in->place.has_lng && !error_has_field(&rq->error, "location.lat") &&
	    !error_has_field(&rq->error, "location.lng"))
		error_field(&rq->error, in->place.has_lat ? "location.lng" : "location.lat",
		    "is required beside the other coordinate");
	return rq->error.code == ERR_none ? 0 : -1;
}

int
api_operator_register(struct request *rq)
{
	const char *kyc = rq->config->is_development ? "VERIFIED" : "PENDING";
	struct operator_new in = { 0 };
	struct oper oper;

	if (request_read(rq, register_fields, nitems(register_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (check_profile(rq, &in) ||
	    operator_register(rq->db, rq, rq->who.subject, &in, kyc, rq->now_ms, &oper, &rq->error))
		return -1;
	reply_id(rq->reply, "operator_id", ID_OPERATOR, oper.id);
	reply_text(rq->reply, "name", oper.name);
	reply_text(rq->reply, "kyc_status", oper.kyc_status);
	return 201;
}

int
api_operator_me(struct request *rq)
{
	if (request_query(rq, NULL, 0, NULL))
		return -1;
	view_operator(rq->reply, api_operator(rq));
	return 200;
}

int
api_operator_update(struct request *rq)
{
	struct operator_new in = { 0 };
	struct oper oper;

	if (request_read(rq, update_fields, nitems(update_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (check_profile(rq, &in) || operator_update(rq->db, rq, rq->who.id, &in, &oper, &rq->error))
		return -1;
	view_operator(rq->reply, &oper);
	return 200;
}

/* the feed */

static const struct field feed_fields[] = {
	{ "task_type", FIELD_CHOICE, 0, offsetof(struct feed_query, task_type), .choices = category_types },
	{ "task_domain", FIELD_CHOICE, 0, offsetof(struct feed_query, task_domain), .choices = category_domains },
	{ "lat", FIELD_NUMBER, 0, offsetof(struct feed_query, lat), .min = -90, .max = 90,
	    .has = offsetof(struct feed_query, has_lat) },
	{ "lng", FIELD_NUMBER, 0, offsetof(struct feed_query, lng), .min = -180, .max = 180,
	    .has = offsetof(struct feed_query, has_lng) },
	{ "radius_km", FIELD_NUMBER, 0, offsetof(struct feed_query, radius_km), .min = 0, .max = 20040,
	    .has = offsetof(struct feed_query, has_radius) },
	{ "limit", FIELD_INT, 0, offsetof(struct feed_query, limit), .min = 1, .max = PAGE_MAX },
	{ "offset", FIELD_INT, 0, offsetof(struct feed_query, offset), .min = 0, .max = OFFSET_MAX },
};

/* Without a place of its own a query is about the operator's, if that has one. */
static int
place_query(struct request *rq, struct feed_query *query)
{
	const struct oper *oper = api_operator(rq);

	if (query->has_lat != query->has_lng)
		return error_field(
		    &rq->error, query->has_lat ? "lng" : "lat", "is required beside the other coordinate");
	if (!query->has_lat && oper->has_position) {
		query->lat = oper->lat;
		query->lng = oper->lng;
		query->has_lat = query->has_lng = query->has_radius;
	}
	if (query->has_radius && !query->has_lat)
		return error_field(&rq->error, "radius_km", "needs lat and lng, here or in the profile");
	return 0;
}

int
api_operator_tasks(struct request *rq)
{
	struct feed_query query = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct feed_item *items;
	size_t count;
	int64_t total;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, feed_fields, nitems(feed_fields), &query) || place_query(rq, &query) ||
	    feed_open(rq->db, rq, &query, rq->now_ms, &items, &count, &total, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(data, view_feed_item(&items[i]));
	view_pagination(rq->reply, query.limit, query.offset, total);
	return 200;
}

struct mine_input {
	const char *status;
	int64_t limit, offset;
};

static const struct field mine_fields[] = {
	{ "status", FIELD_CHOICE, 0, offsetof(struct mine_input, status), .choices = task_statuses },
	{ "limit", FIELD_INT, 0, offsetof(struct mine_input, limit), .min = 1, .max = PAGE_MAX },
	{ "offset", FIELD_INT, 0, offsetof(struct mine_input, offset), .min = 0, .max = OFFSET_MAX },
};

int
api_operator_mine(struct request *rq)
{
	struct mine_input in = { .limit = PAGE_USUAL };
	struct json_object *data = json_object_new_array();
	struct task *tasks;
	size_t count;

	reply_json(rq->reply, "data", data);
	if (request_query(rq, mine_fields, nitems(mine_fields), &in) ||
	    feed_mine(rq->db, rq, rq->who.id, in.status, in.limit, in.offset, &tasks, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(data, view_work(rq, &tasks[i]));
	view_pagination(rq->reply, in.limit, in.offset, -1);
	return 200;
}

static int
read_task_id(struct request *rq, struct id *id)
{
	return request_id(rq, "id", ID_TASK, ERR_task_not_found, id);
}

int
api_operator_task(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    feed_show(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error))
		return -1;
	json_object_put(rq->reply);
	rq->reply = view_work(rq, &task);
	return 200;
}

/* claims */

struct accept_input {
	int64_t days, hours, minutes;
	const char *note;
};

static const struct field accept_fields[] = {
	{ "estimate_days", FIELD_INT, 0, offsetof(struct accept_input, days), .min = 0, .max = 30 },
	{ "estimate_hours", FIELD_INT, 0, offsetof(struct accept_input, hours), .min = 0, .max = 720 },
	{ "estimate_minutes", FIELD_INT, 0, offsetof(struct accept_input, minutes), .min = 0, .max = 43200 },
	{ "estimate_note", FIELD_TEXT, FIELD_LINES, offsetof(struct accept_input, note), .min = 1, .max = 1000 },
};

int
api_operator_accept(struct request *rq)
{
	struct accept_input in = { 0 };
	struct estimate estimate;
	struct task task;
	struct id id;

	if (request_read(rq, accept_fields, nitems(accept_fields), &in) || read_task_id(rq, &id))
		return -1;
	estimate.minutes = (int)(in.days * 24 * 60 + in.hours * 60 + in.minutes);
	estimate.note = in.note;
	if (estimate.minutes < ESTIMATE_MIN_MINUTES || estimate.minutes > ESTIMATE_MAX_MINUTES)
		return error_field(
		    &rq->error, "estimate_minutes", "days, hours and minutes must add up to 5 minutes to 30 days");
	if (claim_make(rq->db, rq, rq->config, api_operator(rq), id, &estimate, rq->now_ms, &task, &rq->error) ||
	    notify_party(rq->db, task.agent, NOTICE_ESTIMATE, id, rq->now_ms, &rq->error))
		return -1;
	reply_id(rq->reply, "task_id", ID_TASK, id);
	reply_text(rq->reply, "status", task.status);
	reply_int(rq->reply, "estimate_minutes", task.estimate_minutes);
	reply_time(rq->reply, "claimed_at", task.claimed_ms);
	reply_time(rq->reply, "approval_deadline", task.approval_deadline_ms);
	rq->wakes_worker = true;
	return 200;
}

/* The short answer of a move. */
static int
reply_move(struct request *rq, const struct task *task, const char *message)
{
	reply_id(rq->reply, "task_id", ID_TASK, task->id);
	reply_text(rq->reply, "status", task->status);
	if (message != NULL)
		reply_text(rq->reply, "message", message);
	rq->wakes_worker = true;
	return 200;
}

int
api_operator_withdraw(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_read(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    claim_withdraw(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error))
		return -1;
	return reply_move(rq, &task, NULL);
}

int
api_operator_start(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_read(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    claim_start(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error))
		return -1;
	reply_time(rq->reply, "started_at", task.started_ms);
	return reply_move(rq, &task, NULL);
}

struct abort_input {
	const char *reason, *note;
};

static const struct field abort_fields[] = {
	{ "reason", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct abort_input, reason), .choices = abort_reasons },
	{ "note", FIELD_TEXT, FIELD_LINES, offsetof(struct abort_input, note), .min = 1, .max = MESSAGE_MAX_CHARS },
};

int
api_operator_abort(struct request *rq)
{
	struct abort_input in = { 0 };
	struct task task;
	struct id id;
	bool is_over;

	if (request_read(rq, abort_fields, nitems(abort_fields), &in) || read_task_id(rq, &id) ||
	    claim_abort(rq->db, rq, rq->who.id, id, in.reason, in.note, rq->now_ms, &task, &rq->error))
		return -1;
	is_over = strcmp(task.status, "CANCELLED") == 0;
	if (notify_party(rq->db, task.agent, is_over ? NOTICE_GIVEN_UP : NOTICE_ABORTED, id, rq->now_ms, &rq->error))
		return -1;
	return reply_move(rq, &task,
	    is_over ? "You have stopped. So many did not feel safe that the task has ended; it costs you nothing."
		    : "You have stopped. The task is open to others again, and it costs you nothing.");
}

static const struct field credential_fields[] = {
	{ "ciphertext", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct proof_input, ciphertext), .min = 24, .max = 90000 },
	{ "iv", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct proof_input, iv), .min = 16, .max = 16 },
	{ "ephemeralPublicKey", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct proof_input, ephemeral_key), .min = 88,
	    .max = 88 },
	{ "algorithm", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct proof_input, algorithm),
	    .choices = proof_algorithms },
	{ "createdAt", FIELD_TIME, 0, offsetof(struct proof_input, created_ms) },
};

static const struct field submit_fields[] = {
	{ "photos", FIELD_TEXTS, 0, offsetof(struct proof_input, photos), .min = 1, .max = 2048,
	    .max_items = PROOF_PHOTOS_MAX },
	{ "notes", FIELD_TEXT, FIELD_LINES, offsetof(struct proof_input, notes), .min = 1, .max = 5000 },
	{ "confirmation_text", FIELD_TEXT, FIELD_LINES, offsetof(struct proof_input, confirmation), .min = 1,
	    .max = 10000 },
	{ "reference_url", FIELD_TEXT, 0, offsetof(struct proof_input, reference_url), .min = 1, .max = 2048 },
	{ "encrypted_credential", FIELD_OBJECT, 0, 0, .sub = credential_fields, .sub_count = nitems(credential_fields),
	    .has = offsetof(struct proof_input, has_credential) },
};

int
api_operator_submit(struct request *rq)
{
	struct json_object *proof = NULL, *credential = NULL;
	struct proof_input in = { 0 };
	struct task task;
	struct id id;
	int rc;

	if (request_read(rq, submit_fields, nitems(submit_fields), &in) && rq->error.code != ERR_validation_failed)
		return -1;
	if (read_task_id(rq, &id) || feed_show(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error))
		return -1;
	rc = proof_make(rq->db, rq, rq->who.id, &task, &in, rq->now_ms, &proof, &credential, &rq->error) ||
	     claim_submit(rq->db, rq, rq->config, rq->who.id, id, proof, credential, rq->now_ms, &task, &rq->error);
	json_object_put(proof);
	json_object_put(credential);
	if (rc != 0)
		return -1;
	reply_time(rq->reply, "submitted_at", task.submitted_ms);
	return reply_move(rq, &task, "The proof is in; the AI Guardian is looking at it.");
}

/* messages */

int
api_operator_messages(struct request *rq)
{
	struct task task;
	struct id id;

	if (request_query(rq, NULL, 0, NULL) || read_task_id(rq, &id) ||
	    feed_show(rq->db, rq, rq->who.id, id, rq->now_ms, &task, &rq->error))
		return -1;
	if (!id_equal(task.oper, rq->who.id))
		return error_set(&rq->error, ERR_task_not_found);
	return view_messages(rq, "data", id, rq->who.id) ? -1 : 200;
}

int
api_operator_message_add(struct request *rq)
{
	rq->wakes_worker = true;
	return api_message_add(rq, "operator");
}

/* earnings */

static struct json_object *
view_earning(const struct earning *earning)
{
	struct json_object *item = json_object_new_object();

	reply_id(item, "task_id", ID_TASK, earning->task);
	reply_money(item, "amount_usd", earning->amount);
	reply_text(item, "state", earning->state);
	reply_time(item, "available_at", earning->available_ms);
	reply_time(item, "created_at", earning->created_ms);
	return item;
}

int
api_operator_earnings(struct request *rq)
{
	struct json_object *recent = json_object_new_array(), *earnings = json_object_new_array();
	struct earning_summary summary;
	struct earning *rows;
	struct task *tasks;
	size_t count, task_count;

	reply_json(rq->reply, "recent_tasks", recent);
	reply_json(rq->reply, "earnings", earnings);
	if (request_query(rq, NULL, 0, NULL) || earning_summary(rq->db, rq->who.id, &summary, &rq->error) ||
	    earning_list(rq->db, rq, rq->who.id, EARNINGS_SHOWN, &rows, &count, &rq->error) ||
	    feed_mine(rq->db, rq, rq->who.id, "COMPLETED", EARNINGS_SHOWN, 0, &tasks, &task_count, &rq->error))
		return -1;
	reply_money(rq->reply, "pending_balance", summary.pending);
	reply_money(rq->reply, "available_balance", summary.available);
	reply_money(rq->reply, "in_flight_balance", summary.in_flight);
	reply_money(rq->reply, "total_earned", summary.total);
	reply_text(rq->reply, "currency", "USD");
	for (size_t i = 0; i < count; i++)
		json_object_array_add(earnings, view_earning(&rows[i]));
	for (size_t i = 0; i < task_count; i++) {
		struct json_object *item = json_object_new_object();

		reply_id(item, "task_id", ID_TASK, tasks[i].id);
		reply_text(item, "title", tasks[i].title);
		reply_money(item, "reward_usd", tasks[i].reward);
		reply_text(item, "status", tasks[i].status);
		reply_time(item, "completed_at", tasks[i].completed_ms);
		json_object_array_add(recent, item);
	}
	return 200;
}
