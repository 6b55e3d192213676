/* Answers for a model; see mcp_view.h.  The rules are the domain's; here they are only put into words. */
#include <json-c/json.h>
#include <string.h>
#include "api/mcp_tool.h"
#include "api/mcp_view.h"
#include "base/text.h"
#include "http/reply.h"

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
	enum error_code code;
	const char *text;
} hints[] = {
	{ ERR_insufficient_balance, "Deposit first: get_deposit_address, send USDC there from the bound wallet, then "
				    "fund_account; or lower the reward." },
	{ ERR_unauthorized, "Send an API key as X-API-Key or bearer token; register_agent makes an account." },
	{ ERR_validation_failed, "Correct the arguments named in details.fields and call again." },
	{ ERR_task_state_conflict, "Look at the present status with get_task_result; it tells what is possible now." },
	{ ERR_task_not_found, "Check the id; list_tasks shows yours." },
	{ ERR_tier_limit_exceeded, "See details for the limit and how to lift it." },
	{ ERR_policy_violation, "The task asks for something that is not allowed; do not try again with other words." },
	{ ERR_idempotency_mismatch, "Use a new idempotency_key for a new request." },
	{ ERR_idempotency_in_progress, "The same request is still running; call again in a second." },
	{ ERR_scope_missing, "Ask the person in charge for a key with this scope." },
	{ ERR_wallet_required,
	    "A person must bind a wallet first: POST /agents/wallet/challenge and PUT /agents/wallet "
	    "of the REST API." },
	{ ERR_transaction_not_found,
	    "The chain does not know this transaction yet; wait some seconds and call again." },
	{ ERR_chain_unavailable, "Nothing is lost; call again in some seconds." },
	{ ERR_deposit_taken, "Every transaction is one account's deposit; look at the hash." },
	{ ERR_transfer_not_found, "Send from the bound wallet, and to the address that get_deposit_address names." },
	{ ERR_payout_balance, "Ask for less; get_balance tells what there is." },
	{ ERR_unavailable, "Nothing was done; call again in some seconds, with the same idempotency_key." },
	{ ERR_email_taken, "The address has an account; use its key, or another address." },
};

static const char *
text_of(struct json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static const struct standing *
standing_of(const char *status)
{
	for (size_t i = 0; status != NULL && i < nitems(standings); i++)
		if (strcmp(standings[i].status, status) == 0)
			return &standings[i];
	return NULL;
}

bool
mcp_view_is_status(const char *text)
{
	return standing_of(text) != NULL;
}

bool
mcp_view_is_over(struct json_object *task)
{
	const struct standing *standing = standing_of(text_of(task, "status"));

	return standing != NULL && standing->phase == OVER;
}

bool
mcp_view_awaits_approval(struct json_object *task)
{
	const struct standing *standing = standing_of(text_of(task, "status"));

	return standing != NULL && standing->phase == CALLS;
}

bool
mcp_view_awaits_review(struct json_object *task)
{
	const char *decision = text_of(json_object_object_get(task, "guardian_result"), "decision");
	const char *status = text_of(task, "status");

	return status != NULL && strcmp(status, "SUBMITTED") == 0 && decision != NULL &&
	       strcmp(decision, "MANUAL_REVIEW") == 0;
}

const char *
mcp_view_hint(enum error_code code)
{
	for (size_t i = 0; i < nitems(hints); i++)
		if (hints[i].code == code)
			return hints[i].text;
	return NULL;
}

static void
reply_next(struct json_object *content, struct json_object *task)
{
	const struct standing *standing = standing_of(text_of(task, "status"));

	reply_text(content, "next",
	    mcp_view_awaits_review(task) ? "The Guardian leaves the decision to you: look at proof, then verify_task."
	    : standing != NULL		 ? standing->next
					 : "Look again later.");
}

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

struct json_object *
mcp_view_of(const struct mcp_tool *tool, struct json_object *content)
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

static bool
is_empty(struct json_object *value)
{
	return value == NULL || (json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0);
}

/* Whoever writes such words may try to speak to the model.  Lists name operators, but for our own list of categories. */
struct json_object *
mcp_view_untrusted(const struct mcp_tool *tool, struct json_object *content)
{
	static const char *const members[] = { "/proof", "/guardian_result", "/operator", "/estimate", "/messages",
		"/reasoning", "/requirement_results", "/encrypted_credential", "/data" };
	struct json_object *list = NULL;

	for (size_t i = 0; tool->kind != MCP_DIGITAL_CATEGORIES && i < nitems(members); i++) {
		if (is_empty(json_object_object_get(content, members[i] + 1)))
			continue;
		if (list == NULL)
			list = json_object_new_array();
		json_object_array_add(list, json_object_new_string(members[i]));
	}
	return list;
}
