/* A tool call as a call of the REST API; see mcp_call.h.  The rules are the handlers' and the domain's; there is none here. */
#include <assert.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "api/mcp_args.h"
#include "api/mcp_call.h"
#include "api/mcp_tool.h"
#include "api/mcp_view.h"
#include "api/mcp_wait.h"

/* Who asked is the outer request's to tell in its log line, and to remember after the answer: the inner one is gone by then. */
static void
keep_who(struct request *rq, struct request *inner)
{
	rq->who = inner->who;
	if (inner->after != NULL)
		rq->after = inner->after;
	talloc_steal(rq, rq->who.held);
	talloc_steal(rq, rq->who.oper);
	talloc_steal(rq, rq->who.subject);
}

static void
keep_error(struct request *rq, struct request *inner)
{
	error_clear(&rq->error);
	rq->error = inner->error;
	inner->error = (struct error){ 0 };
}

/*
 * Arguments that are faulty: the handler reads them as well, so that all faults are told at once, and refuses because there are
 * some before it does anything.  But only to those who may call at all.
 */
static int
refuse(struct request *inner)
{
	struct error faults = inner->error;

	inner->error = (struct error){ 0 };
	if (api_identify(inner)) {
		error_clear(&faults);
		return -1;
	}
	inner->error = faults;
	json_object_get(faults.details); /* should the handler have another objection, these come first */
	inner->route->handle(inner);
	if (inner->error.code != ERR_validation_failed) {
		error_clear(&inner->error);
		inner->error = faults;
	} else {
		json_object_put(faults.details);
	}
	return -1;
}

/* The answer; that of a repeated request comes as the text that was kept. */
static struct json_object *
answer_of(struct request *inner)
{
	struct json_object *content =
	    inner->raw != NULL ? json_tokener_parse(inner->raw) : json_object_get(inner->reply);

	assert(content != NULL);
	return content;
}

struct json_object *
mcp_call_once(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct request *inner = request_within(rq);
	struct json_object *own = NULL, *content = NULL;
	int status;

	if (args == NULL || json_object_deep_copy(args, &own, NULL) != 0)
		own = json_object_new_object();
	inner->error = rq->error;
	rq->error = (struct error){ 0 };
	inner->route = mcp_tool_route(tool, api_principal(rq));
	mcp_args_write(inner, tool, own);
	json_object_put(own);
	status = inner->error.code == ERR_none ? api_call(inner) : refuse(inner);
	keep_who(rq, inner);
	keep_error(rq, inner);
	if (status >= 0) {
		rq->wakes_worker |= inner->wakes_worker;
		content = answer_of(inner);
	}
	talloc_free(inner);
	return content;
}

int
mcp_call_identify(struct request *rq)
{
	static const struct route agent = { .method = "GET", .pattern = "/mcp", .principal = AGENT };
	static const struct route oper = { .method = "GET", .pattern = "/mcp", .principal = OPERATOR };
	struct request *inner = request_within(rq);
	int rc;

	inner->route = api_principal(rq) == OPERATOR ? &oper : &agent;
	rc = api_identify(inner);
	keep_who(rq, inner);
	keep_error(rq, inner);
	talloc_free(inner);
	return rc;
}

int
mcp_call(struct request *rq, const struct mcp_tool *tool, struct json_object *args, struct json_object **content)
{
	struct json_object *answer = tool->kind == MCP_WAIT ? mcp_wait(rq, tool, args) : mcp_call_once(rq, tool, args);

	if (answer == NULL) {
		mcp_args_name_faults(tool, args, &rq->error);
		return -1;
	}
	*content = mcp_view_of(tool, answer);
	return 0;
}
