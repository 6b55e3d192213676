#ifndef API_MCP_ARGS_H
#define API_MCP_ARGS_H

/* A tool's arguments as the request of the REST API that its route takes. */

struct error;
struct json_object;
struct mcp_tool;
struct request;

/*
 * Fills in what rq's route takes: method, path, query or body, and idempotency key.  args: an object, used up but not put.  What is
 * wrong with them by the tool's own schema are faults in rq->error; what the handler then finds joins them.
 */
void mcp_args_write(struct request *rq, const struct mcp_tool *tool, struct json_object *args);

/* Faults bear the names that the handler knows; this gives them the tool's, but for names that stand in args themselves. */
void mcp_args_name_faults(const struct mcp_tool *tool, struct json_object *args, struct error *err);

#endif
