#ifndef API_MCP_REPLY_H
#define API_MCP_REPLY_H

/* Results of tools/call (MCP, CallToolResult).  The caller puts each. */

struct json_object;
struct mcp_tool;
struct request;

/* What a tool has answered: structured, and the same as text for clients that read only that.  Keeps a reference to content. */
struct json_object *mcp_reply_content(const struct mcp_tool *tool, struct json_object *content);

/* What has gone wrong, by rq->error: our code, sentence, details, the request's id, and what to do about it. */
struct json_object *mcp_reply_fault(struct request *rq);

/* That a tool has failed, with that as its text. */
struct json_object *mcp_reply_failure(struct request *rq);

#endif
