#ifndef API_MCP_TOOL_H
#define API_MCP_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include "http/route.h"

/* The tools that an agent's model sees (spec 9): one table, mcp_tools.def, each a route of the REST API and what it is called. */

struct json_object;
struct request;

/* What a call is besides its route. */
enum mcp_kind {
	MCP_PLAIN,
	MCP_REGISTER, /* what one without a key may call */
	MCP_CREATE,   /* a task is made: clients with the Tasks extension get a handle */
	MCP_CREATE_DIGITAL,
	MCP_CREATE_CREDENTIAL,
	MCP_DIGITAL_CATEGORIES,
	MCP_RESULT,
	MCP_VERIFICATION,
	MCP_WAIT,
	MCP_PAYOUT, /* an agent's withdrawal, an operator's payout */
};

/* What a call does to the world, for the annotations (MCP tools, ToolAnnotations). */
enum mcp_hints {
	MCP_READS,   /* nothing */
	MCP_WRITES,  /* adds something */
	MCP_COMMITS, /* adds something that repeats without harm */
	MCP_SPENDS,  /* adds something, and money moves */
	MCP_FINAL,   /* cannot be undone */
};

struct mcp_tool {
	const char *name, *title, *description;
	struct route route;
	enum mcp_hints hints;
	enum mcp_kind kind;
	const char *input, *input_required, *output, *output_required; /* JSON, see mcp_tools.def */
};

extern const struct mcp_tool mcp_tools[];
extern const size_t mcp_tool_count;

/* NULL if there is none of that name. */
const struct mcp_tool *mcp_tool_find(const char *name);

/* True if a caller of this kind sees and may call the tool: without a key what is public, an operator what operators do. */
bool mcp_tool_is_for(const struct mcp_tool *tool, enum principal principal);

/* The route that it stands for, which for a payout depends on who asks. */
const struct route *mcp_tool_route(const struct mcp_tool *tool, enum principal principal);

/* The `properties` of its input's schema, and the list of those that are `required`; the caller puts each. */
struct json_object *mcp_tool_properties(const struct mcp_tool *tool);
struct json_object *mcp_tool_required(const struct mcp_tool *tool);

/* The tool as tools/list shows it; the caller puts it. */
struct json_object *mcp_tool_view(const struct mcp_tool *tool);

#endif
