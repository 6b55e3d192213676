/* How tasks, operators and messages look in JSON; see api_view.h. */
#include <math.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/api_view.h"
#include "base/config.h"
#include "core/feed.h"
#include "core/message.h"
#include "core/operator.h"
#include "core/payout.h"
#include "core/proof.h"
#include "core/task.h"
#include "http/reply.h"

static void
reply_json_text(struct json_object *object, const char *name, const char *json)
{
	reply_json(object, name, json == NULL ? NULL : json_tokener_parse(json));
}

/* A mean of stars; none yet is null. */
static void
reply_rating(struct json_object *object, double rating)
{
	if (rating > 0)
		reply_real(object, "rating", round(rating * 100) / 100);
	else
		reply_json(object, "rating", NULL);
}

struct json_object *
view_task_operator(const struct task *task)
{
	struct json_object *oper;

	if (id_is_nil(task->oper))
		return NULL;
	oper = json_object_new_object();
	reply_id(oper, "id", ID_OPERATOR, task->oper);
	reply_text(oper, "name", task->operator_name);
	reply_rating(oper, task->operator_rating);
	return oper;
}

static void
reply_place(struct json_object *object, const struct task *task)
{
	struct json_object *place = json_object_new_object();

	if (task->has_position) {
		reply_real(place, "lat", task->lat);
		reply_real(place, "lng", task->lng);
	} else {
		reply_json(place, "lat", NULL);
		reply_json(place, "lng", NULL);
	}
	reply_text(place, "address", task->address);
	reply_json(object, "location", place);
}

static void
reply_estimate(struct json_object *object, const struct task *task)
{
	struct json_object *estimate = json_object_new_object();

	reply_int(estimate, "estimate_minutes", task->estimate_minutes);
	reply_text(estimate, "estimate_note", task->estimate_note);
	reply_time(estimate, "claimed_at", task->claimed_ms);
	reply_time(estimate, "approval_deadline", task->approval_deadline_ms);
	reply_json(object, "estimate", estimate);
}

static void
reply_dispute(struct json_object *object, const struct task *task)
{
	struct json_object *dispute = json_object_new_object();

	reply_text(dispute, "reason", task->dispute_reason);
	reply_time(dispute, "disputed_at", task->disputed_ms);
	reply_json_text(dispute, "resolution", task->resolution_json);
	reply_json(object, "dispute", dispute);
}

/* Stars and words, once the agent has given them; both sides and staff read them. */
static void
reply_stars(struct json_object *object, const struct task *task)
{
	if (task->rating == 0)
		return;
	reply_int(object, "rating", task->rating);
	reply_text(object, "rating_comment", task->rating_comment);
}

void
view_task(struct request *rq, struct json_object *object, const struct task *task)
{
	reply_id(object, "task_id", ID_TASK, task->id);
	reply_text(object, "title", task->title);
	reply_text(object, "description", task->description);
	reply_text(object, "status", task->status);
	reply_text(object, "task_type", task->task_type);
	reply_text(object, "task_domain", task->task_domain);
	reply_text(object, "proof_type", task->proof_type);
	reply_place(object, task);
	reply_money(object, "reward_usd", task->reward);
	reply_money(object, "platform_fee_usd", task->fee);
	reply_time(object, "deadline", task->deadline_ms);
	reply_json_text(object, "proof_requirements", task->requirements_json);
	reply_text(object, "digital_instructions", task->digital_instructions);
	reply_json(object, "proof", proof_view(rq, rq->config, task, rq->now_ms));
	reply_json_text(object, "guardian_result", task->guardian_json);
	reply_json(object, "operator", view_task_operator(task));
	if (strcmp(task->status, "ESTIMATE_PENDING") == 0)
		reply_estimate(object, task);
	reply_text(object, "callback_url", task->callback_url);
	reply_text(object, "agent_public_key", task->agent_public_key);
	reply_text(object, "cancel_reason", task->cancel_reason);
	reply_int(object, "safety_stops", task->safety_stops);
	if (task->disputed_ms != 0 || task->resolution_json != NULL)
		reply_dispute(object, task);
	reply_stars(object, task);
	reply_time(object, "accepted_at", task->accepted_ms);
	reply_time(object, "started_at", task->started_ms);
	reply_time(object, "submitted_at", task->submitted_ms);
	reply_time(object, "verified_at", task->verified_ms);
	reply_time(object, "completed_at", task->completed_ms);
	reply_time(object, "cancelled_at", task->cancelled_ms);
	reply_time(object, "created_at", task->created_ms);
	if (task->is_sandbox)
		reply_text(object, "sandbox_scenario", task->scenario);
	api_reply_sandbox(object, task->is_sandbox, task->status);
}

static struct json_object *
events_of(const struct task_event *events, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_id(item, "event_id", ID_EVENT, events[i].id);
		reply_text(item, "type", events[i].type);
		reply_text(item, "actor", events[i].actor);
		reply_text(item, "from", events[i].from_status);
		reply_text(item, "to", events[i].to_status);
		reply_time(item, "at", events[i].at_ms);
		if (events[i].abort_reason != NULL)
			reply_text(item, "abort_reason", events[i].abort_reason);
		json_object_array_add(list, item);
	}
	return list;
}

struct json_object *
view_task_row(const struct task *task)
{
	struct json_object *item = json_object_new_object();

	reply_id(item, "task_id", ID_TASK, task->id);
	reply_text(item, "title", task->title);
	reply_text(item, "status", task->status);
	reply_text(item, "task_type", task->task_type);
	reply_money(item, "reward_usd", task->reward);
	reply_json(item, "operator", view_task_operator(task));
	reply_time(item, "created_at", task->created_ms);
	reply_time(item, "deadline", task->deadline_ms);
	api_reply_sandbox(item, task->is_sandbox, task->status);
	return item;
}

int
view_events(struct request *rq, struct id task)
{
	struct task_event *events;
	size_t count;

	if (task_events(rq->db, rq, task, &events, &count, &rq->error))
		return -1;
	reply_json(rq->reply, "events", events_of(events, count));
	return 0;
}

int
view_messages(struct request *rq, const char *name, struct id task, struct id oper)
{
	struct json_object *list = json_object_new_array();
	struct message *messages;
	size_t count;

	reply_json(rq->reply, name, list);
	if (message_list(rq->db, rq, task, oper, &messages, &count, &rq->error))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		reply_id(item, "message_id", ID_MESSAGE, messages[i].id);
		reply_text(item, "sender", messages[i].sender);
		reply_text(item, "message", messages[i].text);
		reply_time(item, "created_at", messages[i].at_ms);
		json_object_array_add(list, item);
	}
	return 0;
}

struct json_object *
view_work(struct request *rq, const struct task *task)
{
	struct json_object *item = json_object_new_object();

	reply_id(item, "task_id", ID_TASK, task->id);
	reply_text(item, "title", task->title);
	reply_text(item, "description", task->description);
	reply_text(item, "status", task->status);
	reply_text(item, "task_type", task->task_type);
	reply_text(item, "task_domain", task->task_domain);
	reply_text(item, "proof_type", task->proof_type);
	reply_place(item, task);
	reply_money(item, "reward_usd", task->reward);
	reply_time(item, "deadline", task->deadline_ms);
	reply_time(item, "submit_until", task->late_ms);
	reply_json_text(item, "proof_requirements", task->requirements_json);
	reply_text(item, "digital_instructions", task->digital_instructions);
	reply_text(item, "agent_public_key", task->agent_public_key);
	reply_int(item, "safety_stops", task->safety_stops);
	if (!id_is_nil(task->oper)) {
		reply_estimate(item, task);
		reply_json(item, "proof", proof_view(rq, rq->config, task, rq->now_ms));
		reply_json_text(item, "guardian_result", task->guardian_json);
		if (task->disputed_ms != 0 || task->resolution_json != NULL)
			reply_dispute(item, task);
		reply_stars(item, task);
	}
	reply_time(item, "accepted_at", task->accepted_ms);
	reply_time(item, "started_at", task->started_ms);
	reply_time(item, "submitted_at", task->submitted_ms);
	reply_time(item, "completed_at", task->completed_ms);
	reply_time(item, "created_at", task->created_ms);
	return item;
}

struct json_object *
view_feed_item(const struct feed_item *feed)
{
	struct json_object *item = json_object_new_object(), *place = json_object_new_object();

	reply_id(item, "task_id", ID_TASK, feed->id);
	reply_text(item, "title", feed->title);
	reply_text(item, "description", feed->description);
	reply_text(item, "task_type", feed->task_type);
	reply_text(item, "task_domain", feed->task_domain);
	reply_text(item, "proof_type", feed->proof_type);
	if (feed->has_position) {
		reply_real(place, "lat", feed->lat);
		reply_real(place, "lng", feed->lng);
	}
	reply_text(place, "address", feed->address);
	reply_json(item, "location", place);
	reply_money(item, "reward_usd", feed->reward);
	reply_time(item, "deadline", feed->deadline_ms);
	reply_json_text(item, "proof_requirements", feed->requirements_json);
	reply_text(item, "digital_instructions", feed->instructions);
	reply_int(item, "safety_stops", feed->safety_stops);
	reply_time(item, "created_at", feed->created_ms);
	if (feed->has_distance)
		reply_real(item, "distance_km", round(feed->distance_km * 100) / 100);
	return item;
}

void
view_operator(struct json_object *object, const struct oper *oper)
{
	struct json_object *place = json_object_new_object();

	reply_id(object, "operator_id", ID_OPERATOR, oper->id);
	reply_text(object, "name", oper->name);
	reply_text(object, "email", oper->email);
	reply_text(object, "phone", oper->phone);
	reply_text(place, "city", oper->city);
	reply_text(place, "country", oper->country);
	if (oper->has_position) {
		reply_real(place, "lat", oper->lat);
		reply_real(place, "lng", oper->lng);
	}
	reply_json(object, "location", place);
	reply_json_text(object, "skills", oper->skills_json);
	reply_text(object, "kyc_status", oper->kyc_status);
	reply_text(object, "kyc_note", oper->kyc_note);
	reply_bool(object, "suspended", oper->is_suspended);
	reply_rating(object, oper->rating);
	reply_int(object, "rating_count", oper->rating_count);
	reply_time(object, "created_at", oper->created_ms);
}

/* What a status means for the one who waits for the money. */
static const char *
payout_message(const struct payout *payout)
{
	if (strcmp(payout_status(payout), "FAILED") == 0)
		return "The payout has failed; the money is back in the balance.";
	if (payout_is_over(payout))
		return payout->tx_hash == NULL ? "The payout is completed; in test mode nothing is sent."
					       : "The payout is completed.";
	return payout->tx_hash == NULL ? "The money is reserved; the transfer will be sent shortly."
				       : "The transfer is on its way; the chain has yet to confirm it.";
}

void
view_payout(struct json_object *object, const struct payout *payout)
{
	reply_id(object, "payout_id", ID_PAYOUT, payout->id);
	reply_money(object, "amount_usd", payout->amount);
	reply_money(object, "gas_fee_usd", payout->gas_fee);
	reply_money(object, "net_amount_usd", payout->amount - payout->gas_fee);
	reply_text(object, "to_address", payout->to_address);
	reply_text(object, "chain", "base");
	reply_text(object, "status", payout_status(payout));
	reply_text(object, "tx_hash", payout->tx_hash);
	reply_text(object, "message", payout_message(payout));
	reply_time(object, "created_at", payout->created_ms);
	reply_time(object, "settled_at", payout->settled_ms);
}

void
view_payouts(struct json_object *object, const struct payout *payouts, size_t count, int64_t limit,
    void (*view)(struct json_object *object, const struct payout *payout))
{
	struct json_object *data = json_object_new_array(), *pagination = json_object_new_object();

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_new_object();

		view(item, &payouts[i]);
		json_object_array_add(data, item);
	}
	reply_json(object, "data", data);
	reply_json(object, "pagination", pagination);
	reply_int(pagination, "limit", limit);
	if (count == (size_t)limit)
		reply_id(pagination, "next_cursor", ID_PAYOUT, payouts[count - 1].id);
	else
		reply_json(pagination, "next_cursor", NULL);
}

void
view_pagination(struct json_object *object, int64_t limit, int64_t offset, int64_t total)
{
	struct json_object *pagination = json_object_new_object();

	reply_int(pagination, "limit", limit);
	reply_int(pagination, "offset", offset);
	if (total >= 0)
		reply_int(pagination, "total", total);
	reply_json(object, "pagination", pagination);
}

struct json_object *
view_found(const struct operator_found *found)
{
	struct json_object *item = json_object_new_object(), *place = json_object_new_object();

	reply_id(item, "operator_id", ID_OPERATOR, found->id);
	reply_text(item, "name", found->name);
	reply_json_text(item, "skills", found->skills_json);
	reply_rating(item, found->rating);
	reply_int(item, "rating_count", found->rating_count);
	reply_real(place, "lat", found->lat);
	reply_real(place, "lng", found->lng);
	reply_json(item, "location", place);
	reply_real(item, "distance_km", round(found->distance_km * 10) / 10);
	return item;
}
