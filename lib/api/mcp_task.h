#ifndef API_MCP_TASK_H
#define API_MCP_TASK_H

/*
 * The Tasks extension (io.modelcontextprotocol/tasks, 2026-07-28): a task of ours is the durable task of the protocol, under the same id.
 *   PENDING, ACCEPTED, IN_PROGRESS, SUBMITTED, VERIFIED, DISPUTED   working
 *   ESTIMATE_PENDING, SUBMITTED with MANUAL_REVIEW                  input_required: approve or reject
 *   COMPLETED                                                       completed, its result that of get_task_result and what the creation promised
 *   CANCELLED                                                       cancelled
 */

struct json_object;
struct request;

/* The handle that a tool answers with in place of the created task (CreateTaskResult); the caller puts it. */
struct json_object *mcp_task_created(struct json_object *created);

/*
 * tasks/get, tasks/update, tasks/cancel with their params; 0 and *result, which the caller puts, or -1 with rq->error (task_not_found, …).
 * can_ask: the client declared elicitation; else what it would be asked for stands in statusMessage.
 */
int mcp_task_get(struct request *rq, struct json_object *params, int can_ask, struct json_object **result);
int mcp_task_update(struct request *rq, struct json_object *params, struct json_object **result);
int mcp_task_cancel(struct request *rq, struct json_object *params, struct json_object **result);

#endif
