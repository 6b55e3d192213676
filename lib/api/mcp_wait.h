#ifndef API_MCP_WAIT_H
#define API_MCP_WAIT_H

/* wait_for_task: get_task_result that answers when there is news. */

struct json_object;
struct mcp_tool;
struct request;

/* The task with "changed", or NULL with rq->error; the caller puts it. */
struct json_object *mcp_wait(struct request *rq, const struct mcp_tool *tool, struct json_object *args);

#endif
