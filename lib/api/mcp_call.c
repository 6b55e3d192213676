/*
 * A tool call as a call of the REST API: which argument goes where, and what the answer looks like to a model.  The rules are
 * the handlers' and the domain's; there is none here.
 */
#include <assert.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <talloc.h>
#include <unistd.h>
#include "api/api.h"
#include "api/mcp_call.h"
#include "api/mcp_tool.h"
#include "base/config.h"
#include "base/now.h"
#include "base/text.h"
#include "core/category.h"
#include "http/reply.h"

enum { WAIT_USUAL_S = 20, WAIT_STEP_MS = 400, WAITERS = 6 };

/* Where a task stands, and what that means for the agent. */
static const struct standing {
	const char *status;
	enum { GOES_ON, CALLS, OVER } phase; /* CALLS: it waits for the agent */
	const char *next;
} standings[] = {
	{ "PENDING", GOES_ON, "No operator has claimed it yet. Wait (wait_for_task), or cancel_task for a refund." },
	{ "ESTIMATE_PENDING", CALLS,
	    "An operator has claimed it: look at estimate, then approve_estimate or reject_estimate before its "
	    "approval_deadline." },
	{ "ACCEPTED", GOES_ON, "The operator may start. Wait (wait_for_task), or send_message." },
	{ "IN_PROGRESS", GOES_ON, "The operator is at work. Wait (wait_for_task), or send_message." },
	{ "SUBMITTED", GOES_ON, "Proof is in and being checked. Wait (wait_for_task)." },
	{ "VERIFIED", GOES_ON, "The proof is good; the task completes at once. Wait (wait_for_task)." },
	{ "COMPLETED", OVER, "Done. If the proof is wrong after all, dispute_task within seven days." },
	{ "DISPUTED", GOES_ON, "Staff is looking at it and decides about the money; send_message to add to the case." },
	{ "CANCELLED", OVER, "It is over and the money is back in the deposit." },
};

static const struct hint {
	const char *code, *text;
} hints[] = {
	{ "insufficient_balance", "Deposit first: get_deposit_address, send USDC there from the bound wallet, then "
				  "fund_account; or lower the reward." },
	{ "unauthorized", "Send an API key as X-API-Key or bearer token; register_agent makes an account." },
	{ "validation_failed", "Correct the arguments named in details.fields and call again." },
	{ "task_state_conflict", "Look at the present status with get_task_result; it tells what is possible now." },
	{ "task_not_found", "Check the id; list_tasks shows yours." },
	{ "tier_limit_exceeded", "See details for the limit and how to lift it." },
	{ "policy_violation", "The task asks for something that is not allowed; do not try again with other words." },
	{ "idempotency_mismatch", "Use a new idempotency_key for a new request." },
	{ "idempotency_in_progress", "The same request is still running; call again in a second." },
	{ "scope_missing", "Ask the person in charge for a key with this scope." },
	{ "wallet_required", "A person must bind a wallet first: POST /agents/wallet/challenge and PUT /agents/wallet "
			     "of the REST API." },
	{ "transaction_not_found", "The chain does not know this transaction yet; wait some seconds and call again." },
	{ "chain_unavailable", "Nothing is lost; call again in some seconds." },
	{ "unavailable", "Nothing was done; call again in some seconds, with the same idempotency_key." },
	{ "email_taken", "The address has an account; use its key, or another address." },
};

static const struct standing *
standing_of(struct json_object *task)
{
	const char *status = json_object_get_string(json_object_object_get(task, "status"));

	for (size_t i = 0; i < nitems(standings); i++)
		if (status != NULL && strcmp(standings[i].status, status) == 0)
			return &standings[i];
	return NULL;
}

bool
mcp_awaits_review(struct json_object *task)
{
	struct json_object *result = json_object_object_get(task, "guardian_result");
	const char *decision = json_object_get_string(json_object_object_get(result, "decision"));
	const char *status = json_object_get_string(json_object_object_get(task, "status"));

	return status != NULL && strcmp(status, "SUBMITTED") == 0 && decision != NULL &&
	       strcmp(decision, "MANUAL_REVIEW") == 0;
}

static void
reply_next(struct json_object *content, struct json_object *task)
{
	const struct standing *standing = standing_of(task);

	reply_text(content, "next",
	    mcp_awaits_review(task) ? "The Guardian leaves the decision to you: look at proof, then verify_task."
	    : standing != NULL	    ? standing->next
				    : "Look again later.");
}

const char *
mcp_hint(const char *code)
{
	for (size_t i = 0; i < nitems(hints); i++)
		if (strcmp(hints[i].code, code) == 0)
			return hints[i].text;
	return NULL;
}

/* arguments to request */

/* Takes a member that must be a text out of the arguments; NULL with a fault if it is none, or not there though it must be. */
static const char *
take_text(struct request *rq, struct json_object *args, const char *name, bool is_required)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(args, name, &value) || value == NULL) {
		if (is_required)
			error_field(&rq->error, name, "is required");
		json_object_object_del(args, name);
		return NULL;
	}
	if (!json_object_is_type(value, json_type_string)) {
		error_field(&rq->error, name, "must be a text");
		return NULL;
	}
	text = talloc_strdup(rq, json_object_get_string(value));
	json_object_object_del(args, name);
	return text;
}

static void
rename_argument(struct json_object *args, const char *from, const char *to)
{
	struct json_object *value;

	if (json_object_object_get_ex(args, from, &value)) {
		json_object_object_add(args, to, json_object_get(value));
		json_object_object_del(args, from);
	}
}

/* A credential task's proof is the credential: its category says what to ask for. */
static void
add_credential_proof(struct json_object *args)
{
	const char *type = json_object_get_string(json_object_object_get(args, "task_type"));
	const struct category *category = type != NULL ? category_find(type) : NULL;
	struct json_object *list = json_object_new_array();

	json_object_array_add(
	    list, json_object_new_string(category != NULL ? category->proof_default : "The credential, encrypted"));
	json_object_object_add(args, "proof_requirements", list);
}

static void
prepare(const struct mcp_tool *tool, struct json_object *args)
{
	if (tool->kind == MCP_CREATE_DIGITAL)
		rename_argument(args, "digital_category", "task_type");
	if (tool->kind == MCP_CREATE_CREDENTIAL) {
		rename_argument(args, "credential_category", "task_type");
		add_credential_proof(args);
	}
}

static const char *
encoded(const void *ctx, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	const char *copy = talloc_strdup(ctx, escaped != NULL ? escaped : "");

	assert(escaped != NULL && copy != NULL);
	curl_free(escaped);
	return copy;
}

/* The rest of a GET's arguments; lists and objects are not for a query. */
static void
write_query(struct request *rq, struct json_object *args)
{
	char *query = talloc_strdup(rq, "");

	json_object_object_foreach(args, name, value)
	{
		if (value == NULL)
			continue;
		if (json_object_is_type(value, json_type_array) || json_object_is_type(value, json_type_object)) {
			error_field(&rq->error, name, "must be a text or a number");
			continue;
		}
		query = talloc_asprintf_append_buffer(query, "%s%s=%s", *query != '\0' ? "&" : "", encoded(rq, name),
		    encoded(rq, json_object_get_string(value)));
	}
	rq->query = query;
}

static void
write_body(struct request *rq, struct json_object *args)
{
	const char *json =
	    json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	rq->body = talloc_strdup(rq, json);
	rq->body_len = strlen(rq->body);
}

/* The path with its id, which must be there; it stands in the idempotency key's row as it would for the REST call. */
static void
write_path(struct request *rq, struct json_object *args)
{
	const char *mark = strstr(rq->route->pattern, "/:id"), *id;

	rq->path = rq->route->pattern;
	if (mark == NULL)
		return;
	id = take_text(rq, args, "task_id", true);
	rq->params[0].name = "id";
	rq->params[0].value = id != NULL ? id : "";
	rq->path = talloc_asprintf(rq, "%.*s/%s%s", (int)(mark - rq->route->pattern), rq->route->pattern,
	    rq->params[0].value, mark + strlen("/:id"));
}

static void
write_request(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	rq->route = &tool->route;
	rq->method = tool->route.method;
	write_path(rq, args);
	if (strstr(tool->input, "\"idempotency_key\"") != NULL) {
		rq->given.name = "HTTP_IDEMPOTENCY_KEY";
		rq->given.value = take_text(rq, args, "idempotency_key", false);
	}
	prepare(tool, args);
	if (strcmp(rq->method, "GET") == 0)
		write_query(rq, args);
	else
		write_body(rq, args);
}

/* running it */

/*
 * The call itself.  Who asked, and whether workers have something to do, is the outer request's to tell after its answer.
 * Faults of the arguments are for those who may call at all.
 */
static int
run(struct request *rq, struct request *inner)
{
	struct error faults = inner->error;
	int status;

	inner->error = (struct error){ 0 };
	status = faults.code == ERR_none ? api_call(inner) : api_identify(inner);
	if (faults.code != ERR_none && status >= 0) {
		inner->error = faults;
		faults = (struct error){ 0 };
		status = -1;
	}
	error_clear(&faults);
	rq->who = inner->who;
	if (status < 0) {
		error_clear(&rq->error);
		rq->error = inner->error;
		inner->error = (struct error){ 0 };
		return -1;
	}
	rq->wakes_worker |= inner->wakes_worker;
	return 0;
}

int
mcp_identify(struct request *rq)
{
	static const struct route agent = { .method = "GET", .pattern = "/mcp", .principal = AGENT };
	static const struct route oper = { .method = "GET", .pattern = "/mcp", .principal = OPERATOR };
	struct request *inner = request_within(rq);
	int rc;

	inner->route = api_principal(rq) == OPERATOR ? &oper : &agent;
	rc = api_identify(inner);
	rq->who = inner->who;
	rq->error = inner->error;
	inner->error = (struct error){ 0 };
	return rc;
}

/* One call of the tool's route, whose content the caller puts; NULL with rq->error. */
static struct json_object *
ask(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct request *inner = request_within(rq);
	struct json_object *own = NULL, *content = NULL;

	if (args == NULL)
		own = json_object_new_object();
	else if (json_object_deep_copy(args, &own, NULL) != 0)
		return NULL;
	write_request(inner, tool, own);
	json_object_put(own);
	if (run(rq, inner) == 0)
		content = json_object_get(inner->reply);
	talloc_free(inner);
	return content;
}

/* waiting */

/*
 * A place among those who may wait at once, so that waiting never holds all the processes that answer: a lock on one of a few
 * files, given back with the process whatever becomes of it.  -1: all are taken.
 */
static int
take_place(const struct config *config)
{
	for (int i = 0; i < WAITERS; i++) {
		char *path = talloc_asprintf(NULL, "%s/mcp-wait.%d", config->run_dir, i);
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		talloc_free(path);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static bool
has_changed(struct json_object *task, const char *known)
{
	const char *status = json_object_get_string(json_object_object_get(task, "status"));

	return known != NULL && status != NULL && strcmp(known, status) != 0;
}

/* What a caller who knew this status already (NULL: none) should hear of at once. */
static bool
is_news(struct json_object *task, const char *known)
{
	const struct standing *standing = standing_of(task);

	if (standing == NULL || standing->phase == OVER || has_changed(task, known))
		return true;
	return mcp_awaits_review(task) || (known == NULL && standing->phase == CALLS);
}

/* The task when there is news of it, or the time is over. */
static struct json_object *
wait_for(
    struct request *rq, const struct mcp_tool *tool, struct json_object *args, const char *known, int64_t timeout_ms)
{
	int64_t end = now_monotonic_ms() + timeout_ms;
	struct json_object *task = ask(rq, tool, args);
	int place = -1;

	if (task != NULL && !is_news(task, known) && known == NULL)
		known = talloc_strdup(rq, json_object_get_string(json_object_object_get(task, "status")));
	while (task != NULL && !is_news(task, known) && now_monotonic_ms() < end) {
		if (place < 0 && (place = take_place(rq->config)) < 0)
			break;
		poll(NULL, 0, WAIT_STEP_MS); /* a signal ends the wait early, no more */
		json_object_put(task);
		rq->now_ms = now_ms();
		task = ask(rq, tool, args);
	}
	if (place >= 0)
		close(place);
	if (task != NULL)
		reply_bool(task, "changed", has_changed(task, known));
	return task;
}

static struct json_object *
call_wait(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct json_object *own = json_object_new_object(), *value, *task = NULL;
	int64_t seconds = WAIT_USUAL_S;
	const char *known;

	json_object_object_foreach(args, name, member)
	{
		json_object_object_add(own, name, json_object_get(member));
	}
	if (json_object_object_get_ex(own, "timeout_seconds", &value) && value != NULL) {
		seconds = json_object_get_int64(value);
		if (!json_object_is_type(value, json_type_int) || seconds < 1 || seconds > WAIT_USUAL_S)
			error_field(&rq->error, "timeout_seconds", "must be a whole number from 1 to %d", WAIT_USUAL_S);
	}
	json_object_object_del(own, "timeout_seconds");
	known = take_text(rq, own, "after_status", false);
	if (rq->error.code == ERR_none)
		task = wait_for(rq, tool, own, known, seconds * 1000);
	json_object_put(own);
	return task;
}

/* what a model reads */

static void
keep_digital(struct json_object *content)
{
	struct json_object *all = json_object_object_get(content, "data"), *kept = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *row = json_object_array_get_idx(all, i);

		if (strcmp(json_object_get_string(json_object_object_get(row, "task_domain")), "DIGITAL") == 0)
			json_object_array_add(kept, json_object_get(row));
	}
	json_object_object_add(content, "data", kept);
}

static void
copy_member(struct json_object *to, const char *name, struct json_object *from, const char *member)
{
	json_object_object_add(to, name, json_object_get(json_object_object_get(from, member)));
}

/* Only the verdict. */
static struct json_object *
verification_of(struct json_object *task)
{
	struct json_object *content = json_object_new_object(), *results;
	struct json_object *result = json_object_object_get(task, "guardian_result");

	copy_member(content, "task_id", task, "task_id");
	copy_member(content, "status", task, "status");
	copy_member(content, "decision", result, "decision");
	copy_member(content, "confidence", result, "confidence");
	copy_member(content, "reasoning", result, "reasoning");
	if (!json_object_object_get_ex(result, "requirements", &results) || results == NULL)
		json_object_object_add(content, "requirement_results", json_object_new_array());
	else
		copy_member(content, "requirement_results", result, "requirements");
	return content;
}

static struct json_object *
shape(const struct mcp_tool *tool, struct json_object *content)
{
	struct json_object *task = content;

	if (tool->kind == MCP_DIGITAL_CATEGORIES)
		keep_digital(content);
	if (tool->kind == MCP_VERIFICATION)
		content = verification_of(task);
	if (tool->kind == MCP_RESULT || tool->kind == MCP_WAIT || tool->kind == MCP_VERIFICATION)
		reply_next(content, task);
	if (content != task)
		json_object_put(task);
	return content;
}

int
mcp_call(struct request *rq, const struct mcp_tool *tool, struct json_object *args, struct json_object **content)
{
	struct json_object *answer =
	    tool->kind == MCP_WAIT && args != NULL ? call_wait(rq, tool, args) : ask(rq, tool, args);

	*content = answer == NULL ? NULL : shape(tool, answer);
	return answer == NULL ? -1 : 0;
}

/* Operators' own words: whoever writes them may try to speak to the model. */
struct json_object *
mcp_untrusted(struct json_object *content)
{
	static const char *const members[] = { "/proof", "/operator", "/estimate", "/messages", "/reasoning" };
	struct json_object *list = NULL, *value;

	for (size_t i = 0; i < nitems(members); i++) {
		if (!json_object_object_get_ex(content, members[i] + 1, &value) || value == NULL ||
		    (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0))
			continue;
		if (list == NULL)
			list = json_object_new_array();
		json_object_array_add(list, json_object_new_string(members[i]));
	}
	return list;
}
