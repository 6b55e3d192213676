/*
 * Tasks of the protocol over tasks of ours; see mcp_task.h.  There is no state here: what a client reads is the task as it is,
 * what it answers is a call of the tool that a model would have made.
 */
#include <assert.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>
#include <talloc.h>
#include "api/api.h"
#include "api/mcp_call.h"
#include "api/mcp_message.h"
#include "api/mcp_reply.h"
#include "api/mcp_task.h"
#include "api/mcp_tool.h"
#include "api/mcp_view.h"
#include "base/money.h"
#include "base/text.h"
#include "http/reply.h"

#define RESULT_TOOL "get_task_result"

enum { POLL_MS = 15000, POLL_SANDBOX_MS = 1000 };

static const char *
text_of(struct json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static bool
is_status(struct json_object *task, const char *status)
{
	const char *now = text_of(task, "status");

	return now != NULL && strcmp(now, status) == 0;
}

/* Of the newest thing that happened. */
static const char *
updated_at(struct json_object *task)
{
	static const char *const names[] = { "cancelled_at", "completed_at", "verified_at", "submitted_at",
		"started_at", "accepted_at", "created_at" };

	for (size_t i = 0; i < nitems(names); i++)
		if (text_of(task, names[i]) != NULL)
			return text_of(task, names[i]);
	return NULL;
}

/* What every answer about a task has (interface Task).  Tasks are kept for ever: no ttl. */
static struct json_object *
head(struct json_object *task, const char *status)
{
	struct json_object *result = json_object_new_object();
	bool is_sandbox = json_object_get_boolean(json_object_object_get(task, "sandbox"));

	reply_text(result, "taskId", text_of(task, "task_id"));
	reply_text(result, "status", status);
	if (text_of(task, "next") != NULL)
		reply_text(result, "statusMessage", text_of(task, "next"));
	reply_text(result, "createdAt", text_of(task, "created_at"));
	reply_text(result, "lastUpdatedAt", updated_at(task));
	reply_json(result, "ttlMs", NULL);
	reply_int(result, "pollIntervalMs", is_sandbox ? POLL_SANDBOX_MS : POLL_MS);
	return result;
}

struct json_object *
mcp_task_created(struct json_object *created)
{
	struct json_object *result = head(created, "working");

	reply_text(result, "resultType", "task");
	reply_text(result, "statusMessage", "The task is posted and its money in escrow; an operator has to claim it.");
	return result;
}

/* A question to the person behind the agent, in form mode (MCP elicitation). */
static void
add_question(struct json_object *result, const char *key, const char *message, const char *schema)
{
	struct json_object *requests = json_object_new_object(), *request = json_object_new_object();
	struct json_object *params = json_object_new_object();

	reply_text(params, "mode", "form");
	reply_text(params, "message", message);
	reply_json(params, "requestedSchema", json_tokener_parse(schema));
	reply_text(request, "method", "elicitation/create");
	reply_json(request, "params", params);
	json_object_object_add(requests, key, request);
	reply_json(result, "inputRequests", requests);
}

/* A task may be claimed again after a rejection: each claim is a question of its own, told apart by its time. */
static char *
claim_key(const void *ctx, struct json_object *task)
{
	return talloc_asprintf(ctx, "estimate-%s", text_of(json_object_object_get(task, "estimate"), "claimed_at"));
}

static char *
review_key(const void *ctx, struct json_object *task)
{
	return talloc_asprintf(ctx, "review-%s", text_of(task, "submitted_at"));
}

/* A simulated operator's estimate is approved by the simulation, but where that is what the client rehearses (spec 4). */
static bool
awaits_approval(struct json_object *task)
{
	const char *scenario = text_of(task, "sandbox_scenario");

	return is_status(task, "ESTIMATE_PENDING") && (scenario == NULL || strcmp(scenario, "estimate") == 0);
}

static void
ask_about_estimate(struct request *rq, struct json_object *task, struct json_object *result)
{
	struct json_object *estimate = json_object_object_get(task, "estimate");
	int minutes = json_object_get_int(json_object_object_get(estimate, "estimate_minutes"));
	const char *title = text_of(task, "title");

	add_question(result, claim_key(rq, task),
	    talloc_asprintf(
		rq, "An operator offers to do \"%s\" within %d minutes. Approve this estimate?", title, minutes),
	    "{\"type\":\"object\",\"properties\":{\"approve\":{\"type\":\"boolean\",\"title\":\"Approve the "
	    "estimate\"},"
	    "\"reason\":{\"type\":\"string\",\"title\":\"Why not\",\"maxLength\":2000}},\"required\":[\"approve\"]}");
}

static void
ask_about_proof(struct request *rq, struct json_object *task, struct json_object *result)
{
	add_question(result, review_key(rq, task),
	    talloc_asprintf(rq,
		"The Guardian is not sure about the proof for \"%s\". Look at it (get_task_result), then decide.",
		text_of(task, "title")),
	    "{\"type\":\"object\",\"properties\":{\"decision\":{\"type\":\"string\",\"title\":\"Decision\","
	    "\"enum\":[\"APPROVE\",\"REJECT\"]},\"reason\":{\"type\":\"string\",\"title\":\"Reason\",\"maxLength\":"
	    "2000}},"
	    "\"required\":[\"decision\"]}");
}

/* The task as get_task_result has it. */
static struct json_object *
load(struct request *rq, struct json_object *params)
{
	struct json_object *args = json_object_new_object(), *task = NULL,
			   *id = json_object_object_get(params, "taskId");

	if (json_object_is_type(id, json_type_string))
		json_object_object_add(args, "task_id", json_object_get(id));
	mcp_call(rq, mcp_tool_find(RESULT_TOOL), args, &task);
	json_object_put(args);
	return task;
}

static usd_micros
money_of(struct json_object *object, const char *name)
{
	usd_micros amount = 0;
	int rc = money_parse(text_of(object, name), &amount);

	assert(rc == 0); /* we have printed it */
	return amount;
}

/* A whole result of the call that made the task: that it promised what a creation answers, the client remembers (outputSchema). */
static struct json_object *
final_result(struct json_object *task)
{
	usd_micros fee = money_of(task, "platform_fee_usd");
	struct json_object *result;

	reply_money(task, "platform_fee", fee);
	reply_money(task, "total_escrow", money_of(task, "reward_usd") + fee);
	result = mcp_reply_content(mcp_tool_find(RESULT_TOOL), task);
	reply_text(result, "resultType", "complete");
	return result;
}

int
mcp_task_get(struct request *rq, struct json_object *params, int can_ask, struct json_object **result)
{
	struct json_object *task = load(rq, params);
	bool is_claimed, is_review;

	if (task == NULL)
		return -1;
	is_claimed = awaits_approval(task);
	is_review = mcp_view_awaits_review(task);
	*result = head(task, is_status(task, "COMPLETED")	    ? "completed"
			     : is_status(task, "CANCELLED")	    ? "cancelled"
			     : can_ask && (is_claimed || is_review) ? "input_required"
								    : "working");
	if (can_ask && is_claimed)
		ask_about_estimate(rq, task, *result);
	else if (can_ask && is_review)
		ask_about_proof(rq, task, *result);
	if (is_status(task, "COMPLETED"))
		reply_json(*result, "result", final_result(task));
	reply_text(*result, "resultType", "complete");
	json_object_put(task);
	return 0;
}

/* Calls a tool for the answer to a question, with "task_id" and those of its members that the tool takes. */
static int
answer(struct request *rq, struct json_object *task, const char *tool, struct json_object *content,
    const char *const *names)
{
	struct json_object *args = json_object_new_object(), *value, *done = NULL;
	int rc;

	json_object_object_add(args, "task_id", json_object_get(json_object_object_get(task, "task_id")));
	for (; *names != NULL; names++)
		if (json_object_object_get_ex(content, *names, &value) && value != NULL)
			json_object_object_add(args, *names, json_object_get(value));
	rc = mcp_call(rq, mcp_tool_find(tool), args, &done);
	json_object_put(args);
	json_object_put(done);
	return rc;
}

/* A form that is sent has what it asks for; anything else decides nothing. */
static int
answer_estimate(
    struct request *rq, struct json_object *task, const char *key, struct json_object *content, bool is_accepted)
{
	static const char *const none[] = { NULL }, *const reason[] = { "reason", NULL };
	struct json_object *approve = json_object_object_get(content, "approve");

	if (is_accepted && !json_object_is_type(approve, json_type_boolean))
		return error_field(&rq->error, key, "must hold approve, true or false");
	if (is_accepted && json_object_get_boolean(approve))
		return answer(rq, task, "approve_estimate", content, none);
	return answer(rq, task, "reject_estimate", content, reason);
}

/* Only what is asked now counts; other keys were answered before, or never given out (Task Update Requests). */
static int
take_answer(struct request *rq, struct json_object *task, const char *key, struct json_object *response)
{
	static const char *const verdict[] = { "decision", "reason", NULL };
	struct json_object *content = json_object_object_get(response, "content");
	const char *action = mcp_message_text(json_object_object_get(response, "action"));
	bool is_accepted = action != NULL && strcmp(action, "accept") == 0;
	bool is_declined = action != NULL && strcmp(action, "decline") == 0;

	if (is_status(task, "ESTIMATE_PENDING") && strcmp(key, claim_key(rq, task)) == 0)
		return is_accepted || is_declined ? answer_estimate(rq, task, key, content, is_accepted) : 0;
	if (mcp_view_awaits_review(task) && strcmp(key, review_key(rq, task)) == 0 && is_accepted)
		return answer(rq, task, "verify_task", content, verdict);
	return 0;
}

static void
acknowledge(struct json_object **result)
{
	*result = json_object_new_object();
	reply_text(*result, "resultType", "complete");
}

/* Whoever was faster with the same answer has given it; what is asked now, if anything, the client reads next. */
static int
forgive_conflict(struct request *rq, int rc)
{
	if (rc == 0 || rq->error.code != ERR_task_state_conflict)
		return rc;
	error_clear(&rq->error);
	return 0;
}

static int
take_answers(struct request *rq, struct json_object *task, struct json_object *responses)
{
	int rc = 0;

	if (!json_object_is_type(responses, json_type_object))
		return error_field(&rq->error, "inputResponses", "must be an object");
	json_object_object_foreach(responses, key, response)
	{
		if (rc == 0)
			rc = forgive_conflict(rq, take_answer(rq, task, key, response));
	}
	return rc;
}

int
mcp_task_update(struct request *rq, struct json_object *params, struct json_object **result)
{
	struct json_object *task = load(rq, params);
	int rc;

	if (task == NULL)
		return -1;
	rc = take_answers(rq, task, json_object_object_get(params, "inputResponses"));
	json_object_put(task);
	if (rc == 0)
		acknowledge(result);
	return rc;
}

/* A wish: work that has begun goes on, and the client reads on how it ended (Task Cancellation). */
int
mcp_task_cancel(struct request *rq, struct json_object *params, struct json_object **result)
{
	static const char *const none[] = { NULL };
	struct json_object *task = load(rq, params);
	int rc;

	if (task == NULL)
		return -1;
	rc = answer(rq, task, "cancel_task", NULL, none);
	json_object_put(task);
	if (forgive_conflict(rq, rc))
		return -1;
	acknowledge(result);
	return 0;
}
