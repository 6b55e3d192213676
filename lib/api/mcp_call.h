#ifndef API_MCP_CALL_H
#define API_MCP_CALL_H

#include <stdbool.h>

/*
 * Calling a tool: its arguments become a request of the REST API's own handler, in the same process; its answer comes back as a
 * model reads it.
 */

struct json_object;
struct mcp_tool;
struct request;

/*
 * Runs a tool for whoever sent rq.  args: its arguments (an object or NULL), not kept.  0 with the structured content in *content (the caller
 * puts it), or -1 with the error of the call in rq->error, exactly as the REST call would have it.
 */
int mcp_call(struct request *rq, const struct mcp_tool *tool, struct json_object *args, struct json_object **content);

/* A route for nobody's sake but to know who asks: fails like any call, fills rq->who. */
int mcp_identify(struct request *rq);

/* True for a SUBMITTED task, as get_task_result answers it, whose verdict the Guardian leaves to the agent. */
bool mcp_awaits_review(struct json_object *task);

/* What a caller does next about an error: a sentence for a model, or NULL. */
const char *mcp_hint(const char *code);

/* The members of the content whose text came from an operator: their JSON pointers (RFC 6901), NULL if none.  The caller puts it. */
struct json_object *mcp_untrusted(struct json_object *content);

#endif
