#ifndef API_MCP_VIEW_H
#define API_MCP_VIEW_H

#include <stdbool.h>
#include "base/error.h"

/* What the answers of the REST API look like to a model: what matters to it, what to do next, whose words they are. */

struct json_object;
struct mcp_tool;

/* The answer as the tool gives it; takes content and gives what takes its place. */
struct json_object *mcp_view_of(const struct mcp_tool *tool, struct json_object *content);

/* What a task, as GET /tasks/:id answers it, means to its agent.  awaits_review: the Guardian leaves the verdict to it. */
bool mcp_view_is_over(struct json_object *task);
bool mcp_view_awaits_approval(struct json_object *task);
bool mcp_view_awaits_review(struct json_object *task);

/* True if it is the name of a status. */
bool mcp_view_is_status(const char *text);

/* What a caller does next about an error: a sentence for a model, or NULL. */
const char *mcp_view_hint(enum error_code code);

/* The members whose text came from an operator, or quotes one: their JSON pointers (RFC 6901), NULL if none.  The caller puts it. */
struct json_object *mcp_view_untrusted(const struct mcp_tool *tool, struct json_object *content);

#endif
