#ifndef API_MCP_CALL_H
#define API_MCP_CALL_H

/*
 * Calling a tool: its arguments become a request of the REST API's own handler, in the same process; its answer comes back as a
 * model reads it.
 */

struct json_object;
struct mcp_tool;
struct request;

/*
 * Runs a tool for whoever sent rq.  args: its arguments (an object or NULL), not kept.  0 with the structured content in *content (the caller
 * puts it), or -1 with the error of the call in rq->error, exactly as the REST call would have it.  Faults that stand in rq->error
 * already stay, and the call then does nothing but add its own.
 */
int mcp_call(struct request *rq, const struct mcp_tool *tool, struct json_object *args, struct json_object **content);

/* One call of the tool's route as it answers; NULL with rq->error.  The caller puts it. */
struct json_object *mcp_call_once(struct request *rq, const struct mcp_tool *tool, struct json_object *args);

/* Who asks, by the headers: fails like any call that needs to know, fills rq->who. */
int mcp_call_identify(struct request *rq);

#endif
