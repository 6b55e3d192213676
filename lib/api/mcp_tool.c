/* The tool table and how tools/list shows it.  What a call does is mcp_call.c's. */
#include <assert.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>
#include "api/api.h"
#include "api/mcp_tool.h"
#include "base/text.h"
#include "http/reply.h"

#define J(...) #__VA_ARGS__
#define TOOL(...) TOOL_ROW(__VA_ARGS__)
#define TOOL_ROW(name, title, method, path, handler, principal, scope, flags, hints, kind, description, input, \
    input_required, output, output_required) \
	{ name, title, description, { method, path, handler, principal, scope, flags, { 0 } }, MCP_##hints, \
		MCP_##kind, input, input_required, output, output_required },

const struct mcp_tool mcp_tools[] = {
#include "api/mcp_tools.def"
};
const size_t mcp_tool_count = nitems(mcp_tools);

const struct mcp_tool *
mcp_tool_find(const char *name)
{
	for (size_t i = 0; i < mcp_tool_count; i++)
		if (strcmp(mcp_tools[i].name, name) == 0)
			return &mcp_tools[i];
	return NULL;
}

bool
mcp_tool_is_for(const struct mcp_tool *tool, enum principal principal)
{
	if (principal == AGENT)
		return true;
	return tool->kind == (principal == OPERATOR ? MCP_PAYOUT : MCP_REGISTER);
}

/* The one tool of operators; for agents the row's own route serves. */
static const struct route operator_payout = { "POST", "/operator/payout", api_operator_payout, OPERATOR, NULL,
	MONEY | KEPT, { 0 } };

const struct route *
mcp_tool_route(const struct mcp_tool *tool, enum principal principal)
{
	return tool->kind == MCP_PAYOUT && principal == OPERATOR ? &operator_payout : &tool->route;
}

/* A piece of the table, which is JSON or nothing works. */
static struct json_object *
parse(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert(value != NULL);
	return value;
}

struct json_object *
mcp_tool_properties(const struct mcp_tool *tool)
{
	char *text = talloc_asprintf(NULL, "{%s}", tool->input);
	struct json_object *object = parse(text);

	talloc_free(text);
	return object;
}

struct json_object *
mcp_tool_required(const struct mcp_tool *tool)
{
	return parse(tool->input_required);
}

/* A schema of an object; strict for what comes in, open for what goes out, since answers may gain members. */
static struct json_object *
schema(const char *properties, const char *required, bool is_strict)
{
	char *text = talloc_asprintf(NULL, "{\"type\":\"object\",\"properties\":{%s},\"required\":%s%s}", properties,
	    required, is_strict ? ",\"additionalProperties\":false" : "");
	struct json_object *object = parse(text);

	talloc_free(text);
	return object;
}

static struct json_object *
annotations(const struct mcp_tool *tool)
{
	struct json_object *object = json_object_new_object();
	bool reads = tool->hints == MCP_READS;

	reply_text(object, "title", tool->title);
	reply_bool(object, "readOnlyHint", reads);
	reply_bool(object, "destructiveHint", tool->hints == MCP_FINAL || tool->hints == MCP_SPENDS);
	reply_bool(object, "idempotentHint", reads || tool->hints == MCP_COMMITS || tool->hints == MCP_FINAL);
	reply_bool(object, "openWorldHint", true); /* there are people at the other end */
	return object;
}

struct json_object *
mcp_tool_view(const struct mcp_tool *tool)
{
	struct json_object *object = json_object_new_object();

	reply_text(object, "name", tool->name);
	reply_text(object, "title", tool->title);
	reply_text(object, "description", tool->description);
	reply_json(object, "inputSchema", schema(tool->input, tool->input_required, true));
	reply_json(object, "outputSchema", schema(tool->output, tool->output_required, false));
	reply_json(object, "annotations", annotations(tool));
	return object;
}
