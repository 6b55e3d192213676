/* MCP without a database: the table of tools, and messages of both eras up to the method that they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/mcp_args.h"
#include "api/mcp_message.h"
#include "api/mcp_reply.h"
#include "api/mcp_tool.h"
#include "base/config.h"
#include "fake_gateway.h"

/* --- tools --- */

static struct json_object *
member(struct json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

static const char *
text(struct json_object *object, const char *name)
{
	return json_object_get_string(member(object, name));
}

/* Every name in the list `required` is one of `properties`. */
static void
assert_schema(const struct mcp_tool *tool, struct json_object *schema)
{
	struct json_object *properties = member(schema, "properties"), *required = member(schema, "required");

	assert_string_equal(text(schema, "type"), "object");
	assert_true(json_object_is_type(properties, json_type_object));
	assert_true(json_object_is_type(required, json_type_array));
	for (size_t i = 0; i < json_object_array_length(required); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(required, i));

		if (!json_object_object_get_ex(properties, name, NULL))
			fail_msg("%s: %s is required but no property", tool->name, name);
	}
	json_object_object_foreach(properties, name, property)
	{
		if (text(property, "type") == NULL && !json_object_object_get_ex(property, "anyOf", NULL))
			fail_msg("%s: %s has no type", tool->name, name);
	}
}

static void
every_tool_has_a_name_words_and_schemas_as_the_protocol_wants_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < mcp_tool_count; i++) {
		const struct mcp_tool *tool = &mcp_tools[i];
		struct json_object *view = mcp_tool_view(tool);
		size_t len = strlen(tool->name);

		assert_true(len >= 1 && len <= 128);
		assert_int_equal(
		    strspn(tool->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"), len);
		assert_ptr_equal(mcp_tool_find(tool->name), tool); /* and no name twice */
		assert_in_range(strlen(tool->title), 5, 40);
		assert_in_range(strlen(tool->description), 30, 700);
		assert_schema(tool, member(view, "inputSchema"));
		assert_schema(tool, member(view, "outputSchema"));
		assert_false(json_object_get_boolean(member(member(view, "inputSchema"), "additionalProperties")));
		assert_true(json_object_object_get_ex(member(view, "inputSchema"), "additionalProperties", NULL));
		json_object_put(view);
	}
}

static void
a_tool_has_a_task_id_where_its_route_has_an_id_and_nowhere_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < mcp_tool_count; i++) {
		struct json_object *properties = mcp_tool_properties(&mcp_tools[i]);

		assert_int_equal(json_object_object_get_ex(properties, "task_id", NULL),
		    strstr(mcp_tools[i].route.pattern, "/:id") != NULL);
		json_object_put(properties);
	}
}

static void
annotations_say_what_a_tool_does_to_the_world(void **state)
{
	static const struct {
		const char *tool;
		bool reads, destroys, repeats;
	} rows[] = {
		{ "get_balance", true, false, true },
		{ "wait_for_task", true, false, true },
		{ "post_task", false, true, false },
		{ "send_message", false, false, false },
		{ "approve_estimate", false, false, true },
		{ "reject_estimate", false, false, false },
		{ "cancel_task", false, true, true },
		{ "register_agent", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct json_object *view = mcp_tool_view(mcp_tool_find(rows[i].tool)),
				   *notes = member(view, "annotations");

		assert_int_equal(json_object_get_boolean(member(notes, "readOnlyHint")), rows[i].reads);
		assert_int_equal(json_object_get_boolean(member(notes, "destructiveHint")), rows[i].destroys);
		assert_int_equal(json_object_get_boolean(member(notes, "idempotentHint")), rows[i].repeats);
		json_object_put(view);
	}
}

static void
who_asks_decides_which_tools_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < mcp_tool_count; i++) {
		const struct mcp_tool *tool = &mcp_tools[i];

		assert_true(mcp_tool_is_for(tool, AGENT));
		assert_int_equal(mcp_tool_is_for(tool, PUBLIC), strcmp(tool->name, "register_agent") == 0);
		assert_int_equal(mcp_tool_is_for(tool, OPERATOR), strcmp(tool->name, "request_payout") == 0);
	}
	assert_null(mcp_tool_find("post_tasks"));
	assert_null(mcp_tool_find(""));
}

/* --- arguments --- */

static struct request *
arguments_of(const char *name, const char *args)
{
	const struct mcp_tool *tool = mcp_tool_find(name);
	struct request *rq = fake_request("POST", "/mcp", NULL);
	struct json_object *object = json_tokener_parse(args);

	rq->route = &tool->route;
	mcp_args_write(rq, tool, object);
	json_object_put(object);
	return rq;
}

static void
arguments_go_where_the_route_has_them(void **state)
{
	static const struct {
		const char *tool, *args, *path, *query, *body, *key;
		bool is_partial; /* more is required than stands there */
	} rows[] = {
		{ "get_balance", "{}", "/agents/balance", "", NULL, NULL },
		{ "get_task_result", "{\"task_id\":\"task_1\"}", "/tasks/task_1", "", NULL, NULL },
		{ "approve_estimate", "{\"task_id\":\"task_1\"}", "/tasks/task_1/estimate/approve", "", "{}", NULL },
		{ "send_message", "{\"message\":\"a/b\",\"task_id\":\"t\"}", "/tasks/t/messages", "",
		    "{\"message\":\"a/b\"}", NULL },
		{ "search_operators", "{\"lat\":40.70,\"lng\":-7e1,\"task_type\":\"A&b=c d\"}", "/operators/search",
		    "lat=40.70&lng=-7e1&task_type=A%26b%3Dc%20d", NULL, NULL },
		{ "list_tasks", "{\"limit\":5,\"status\":null}", "/tasks", "limit=5", NULL, NULL },
		{ "post_task", "{\"title\":\"x\",\"reward_usd\":19.90,\"idempotency_key\":\"k-1\"}", "/tasks", "",
		    "{\"title\":\"x\",\"reward_usd\":19.90}", "k-1", true },
		{ "dispatch_digital_task", "{\"digital_category\":\"FORM_FILLING\"}", "/tasks", "",
		    "{\"task_type\":\"FORM_FILLING\"}", NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = arguments_of(rows[i].tool, rows[i].args);

		assert_int_equal(rq->error.code, rows[i].is_partial ? ERR_validation_failed : ERR_none);
		assert_string_equal(rq->path, rows[i].path);
		assert_string_equal(rq->query, rows[i].query);
		assert_true((rq->body == NULL) == (rows[i].body == NULL));
		if (rows[i].body != NULL) {
			assert_string_equal(rq->body, rows[i].body);
			assert_int_equal(rq->body_len, strlen(rows[i].body));
		}
		assert_true((request_header(rq, "HTTP_IDEMPOTENCY_KEY") == NULL) == (rows[i].key == NULL));
		if (rows[i].key != NULL)
			assert_string_equal(request_header(rq, "HTTP_IDEMPOTENCY_KEY"), rows[i].key);
		talloc_free(rq);
	}
}

static void
a_key_of_idempotency_in_the_headers_is_not_the_tools(void **state)
{
	const struct fake_variable variables[] = { { "HTTP_IDEMPOTENCY_KEY", "of-the-connection" }, { NULL, NULL } };
	const struct mcp_tool *tool = mcp_tool_find("cancel_task");
	struct request *rq = fake_request("POST", "/mcp", variables);
	struct json_object *object = json_tokener_parse("{\"task_id\":\"task_1\"}");

	(void)state;
	rq->route = &tool->route;
	mcp_args_write(rq, tool, object);
	json_object_put(object);
	assert_null(request_header(rq, "HTTP_IDEMPOTENCY_KEY"));
	talloc_free(rq);
}

static void
what_the_handler_could_not_see_is_a_fault_by_name(void **state)
{
	static const struct {
		const char *tool, *args, *field;
	} rows[] = {
		{ "get_task_result", "{}", "task_id" },
		{ "get_task_result", "{\"task_id\":null}", "task_id" },
		{ "post_task", "{\"task_type\":\"FORM_FILLING\"}", "location" }, /* the API could do without */
		{ "dispatch_digital_task", "{}", "digital_category" },
		{ "get_task_result", "{\"task_id\":5}", "task_id" },
		{ "get_task_result", "{\"task_id\":\"task_1\\u0000x\"}", "task_id" },
		{ "get_task_result", "{\"task_id\":\"t\",\"id\":\"t\"}", "id" },
		{ "post_task", "{\"sandbox\":true}", "sandbox" }, /* the API has it, the tool has not */
		{ "dispatch_digital_task", "{\"task_type\":\"PHOTO\"}", "task_type" }, /* likewise */
		{ "post_task", "{\"idempotency_key\":\"a b\"}", "idempotency_key" },
		{ "post_task", "{\"idempotency_key\":\"\"}", "idempotency_key" },
		{ "post_task", "{\"idempotency_key\":\"a\\u0000b\"}", "idempotency_key" },
		{ "post_task", "{\"idempotency_key\":7}", "idempotency_key" },
		{ "approve_estimate", "{\"task_id\":\"t\",\"idempotency_key\":\"k\"}", "idempotency_key" },
		{ "search_operators", "{\"lat\":\"40\"}", "lat" },
		{ "search_operators", "{\"lat\":[40]}", "lat" },
		{ "search_operators", "{\"lat\":true}", "lat" },
		{ "search_operators", "{\"task_type\":5}", "task_type" },
		{ "list_tasks", "{\"limit\":{}}", "limit" },
		{ "list_tasks", "{\"\":1}", "" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = arguments_of(rows[i].tool, rows[i].args);

		assert_int_equal(rq->error.code, ERR_validation_failed);
		if (!error_has_field(&rq->error, rows[i].field))
			fail_msg(
			    "%s %s: %s", rows[i].tool, rows[i].args, json_object_to_json_string(rq->error.details));
		talloc_free(rq);
	}
}

static void
faults_bear_the_names_of_the_tool(void **state)
{
	const struct mcp_tool *tool = mcp_tool_find("dispatch_digital_task");
	struct json_object *args = json_tokener_parse("{\"task_type\":\"PHOTO\"}");
	struct error err = { 0 };

	(void)state;
	error_field(&err, "task_type", "is required");
	mcp_args_name_faults(tool, args, &err); /* it is the caller's own word */
	assert_true(error_has_field(&err, "task_type"));
	mcp_args_name_faults(tool, NULL, &err);
	assert_true(error_has_field(&err, "digital_category"));
	assert_false(error_has_field(&err, "task_type"));
	error_clear(&err);
	mcp_args_name_faults(tool, args, &err); /* none: nothing to do */
	assert_int_equal(err.code, ERR_none);
	json_object_put(args);
}

/* --- messages --- */

#define META(version, capabilities) \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" version "\"," \
	"\"io.modelcontextprotocol/clientCapabilities\":" capabilities "}"
#define MODERN_LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META("2026-07-28", "{}") "}}"
#define MODERN_CALL \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"get_balance\"," META( \
	    "2026-07-28", "{}") "}}"
#define NAMED(id, name) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" name \
	"\"," META("2026-07-28", "{}") "}}"

static struct request *
sent(const char *body, const struct fake_variable *headers)
{
	struct request *rq = fake_request("POST", "/mcp", headers);
	struct config *config = talloc_zero(rq, struct config);

	rq->config = config;
	rq->log = json_object_new_object();
	rq->body = talloc_strdup(rq, body);
	rq->body_len = strlen(body);
	return rq;
}

/* The code of the JSON-RPC error that was answered; 0: none. */
static int
rpc_error(struct request *rq)
{
	return json_object_get_int(member(member(rq->reply, "error"), "code"));
}

static void
only_one_request_of_json_rpc_is_read(void **state)
{
	static const struct {
		const char *body;
		int status, error;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"ping\",\"params\":{}}", 0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":-9007199254740991,\"method\":\"ping\"}", 0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", 202, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"post_task\"}}", 202, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 202, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", 202, 0 },
		{ "", 400, RPC_PARSE },
		{ "{", 400, RPC_PARSE },
		{ "\"ping\"", 400, RPC_PARSE },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", 400, RPC_REQUEST },
		{ " []", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":1,\"\\u0061\":2}}", 400,
		    RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":18446744073709551615,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":-99999999999999999999,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"id\":1,\"method\":\"ping\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\\u0000\"}", 400, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", 400, RPC_REQUEST },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = sent(rows[i].body, NULL);
		struct mcp_message m = { .rq = rq };
		int status = mcp_message_read(&m);

		if (status != rows[i].status || rpc_error(rq) != rows[i].error)
			fail_msg("%s: %d %d", rows[i].body, status, rpc_error(rq));
		assert_int_equal(rq->error.code, ERR_none);
		json_object_put(m.body);
		talloc_free(rq);
	}
}

static void
each_era_has_its_own_rules(void **state)
{
#define HEADERS(version, method, name) \
	{ \
		{ "HTTP_MCP_PROTOCOL_VERSION", version }, { "HTTP_MCP_METHOD", method }, { "HTTP_MCP_NAME", name }, \
		{ \
			NULL, NULL \
		} \
	}
	static const struct {
		const char *body, *named_by;
		struct fake_variable headers[4];
		bool is_modern;
		int status, error;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, HEADERS(NULL, NULL, NULL), false, 0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, HEADERS("2025-11-25", NULL, NULL), false,
		    0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, HEADERS("2025-03-26", NULL, NULL), false,
		    0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, HEADERS("2024-11-05", NULL, NULL), false,
		    400, MCP_VERSION },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", NULL, HEADERS("2099-01-01", NULL, NULL),
		    false, 0, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", NULL, HEADERS("2026-07-28", "ping", NULL), true,
		    400, RPC_PARAMS },
		{ MODERN_LIST, NULL, HEADERS("2026-07-28", "tools/list", NULL), true, 0, 0 },
		{ MODERN_LIST, NULL, HEADERS(NULL, "tools/list", NULL), true, 400, MCP_HEADERS },
		{ MODERN_LIST, NULL, HEADERS("2025-11-25", "tools/list", NULL), true, 400, MCP_HEADERS },
		{ MODERN_LIST, NULL, HEADERS("2026-07-28", NULL, NULL), true, 400, MCP_HEADERS },
		{ MODERN_LIST, NULL, HEADERS("2026-07-28", "tools/call", NULL), true, 400, MCP_HEADERS },
		{ MODERN_LIST, NULL, HEADERS("2026-07-28", "Tools/list", NULL), true, 400, MCP_HEADERS },
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", "get_balance"), true, 0, 0 },
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", NULL), true, 400, MCP_HEADERS },
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", "post_task"), true, 400, MCP_HEADERS },
		{ MODERN_CALL, "taskId", HEADERS("2026-07-28", "tools/call", "get_balance"), true, 400, MCP_HEADERS },
		/* base64, as one sends what a header cannot hold */
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", "=?base64?Z2V0X2JhbGFuY2U=?="), true, 0, 0 },
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", "=?base64?Z2V0X2JhbGFuY2U?="), true, 400,
		    MCP_HEADERS },
		{ MODERN_CALL, "name",
		    HEADERS("2026-07-28", "tools/call",
			"=?base64?"
			"?="),
		    true, 400, MCP_HEADERS },
		{ MODERN_CALL, "name", HEADERS("2026-07-28", "tools/call", "=?base64?="), true, 400, MCP_HEADERS },
		{ NAMED("1", "\u00e4"), "name", HEADERS("2026-07-28", "tools/call", "=?base64?w6Q=?="), true, 0, 0 },
		{ NAMED("1", "\u00e4"), "name", HEADERS("2026-07-28", "tools/call", "=?base64?5A==?="), true, 400,
		    MCP_HEADERS },
		{ NAMED("1", "a\\u0000b"), "name", HEADERS("2026-07-28", "tools/call", "a"), true, 400, MCP_HEADERS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META("2027-01-01", "{}") "}}", NULL,
		    HEADERS("2027-01-01", "ping", NULL), true, 400, MCP_VERSION },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META("2026-07-28", "[]") "}}", NULL,
		    HEADERS("2026-07-28", "ping", NULL), true, 400, RPC_PARAMS },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = sent(rows[i].body, rows[i].headers);
		struct mcp_message m = { .rq = rq };
		int status;

		assert_int_equal(mcp_message_read(&m), 0);
		status = mcp_message_check(&m, rows[i].named_by);
		if (status != rows[i].status || rpc_error(rq) != rows[i].error || m.is_modern != rows[i].is_modern)
			fail_msg("row %zu: %d %d", i, status, rpc_error(rq));
		json_object_put(m.body);
		talloc_free(rq);
	}
}

static void
what_a_client_can_do_is_read_from_its_capabilities(void **state)
{
	static const struct {
		const char *body;
		bool has_tasks, can_ask;
	} rows[] = {
#define ABLE(capabilities) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{" META("2026-07-28", capabilities) "}}"
		{ ABLE("{}"), false, false },
		{ ABLE("{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}"), true, false },
		{ ABLE("{\"extensions\":{\"io.modelcontextprotocol/tasks\":true}}"), false, false },
		{ ABLE("{\"tasks\":{}}"), false, false },
		{ ABLE("{\"elicitation\":{}}"), false, true },
		{ ABLE("{\"elicitation\":{\"form\":{}}}"), false, true },
		{ ABLE("{\"elicitation\":{\"form\":{},\"url\":{}}}"), false, true },
		{ ABLE("{\"elicitation\":{\"url\":{}}}"), false, false },
		{ ABLE("{\"elicitation\":true}"), false, false },
	};
	static const struct fake_variable headers[] = HEADERS("2026-07-28", "x", NULL);

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = sent(rows[i].body, headers);
		struct mcp_message m = { .rq = rq };

		assert_int_equal(mcp_message_read(&m), 0);
		assert_int_equal(mcp_message_check(&m, NULL), 0);
		assert_int_equal(m.has_tasks, rows[i].has_tasks);
		assert_int_equal(m.can_ask, rows[i].can_ask);
		json_object_put(m.body);
		talloc_free(rq);
	}
}

static void
a_page_of_another_origin_is_refused(void **state)
{
	static const struct {
		const char *origin;
		bool in_production, in_development;
	} rows[] = {
		{ NULL, true, true },
		{ "https://api.example.com", true, true },
		{ "HTTPS://API.example.com", true, true },
		{ "https://api.example.com:444", false, false },
		{ "https://api.example.com.evil.example", false, false },
		{ "http://api.example.com", false, false },
		{ "null", false, false },
		{ "", false, false },
		{ "https://evil.example", false, false },
		{ "http://localhost:3000", false, true },
		{ "http://localhost", false, true },
		{ "https://[::1]:8443", false, true },
		{ "http://localhost.evil.example", false, false },
		{ "http://localhosts", false, false },
		{ "http://127.0.0.10", false, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const struct fake_variable headers[] = { { "HTTP_ORIGIN", rows[i].origin }, { NULL, NULL } };
		struct request *rq = sent("{}", headers);
		struct config config = { .public_base_url = (char[]){ "https://api.example.com" } };

		rq->config = &config;
		assert_int_equal(mcp_message_origin_ok(rq), rows[i].in_production);
		config.is_development = true;
		assert_int_equal(mcp_message_origin_ok(rq), rows[i].in_development);
		talloc_free(rq);
	}
}

static void
initialize_settles_on_a_revision_of_its_era(void **state)
{
	(void)state;
	assert_string_equal(mcp_message_legacy("2025-06-18"), "2025-06-18");
	assert_string_equal(mcp_message_legacy("2025-03-26"), "2025-03-26");
	assert_string_equal(mcp_message_legacy("2026-07-28"), "2025-11-25");
	assert_string_equal(mcp_message_legacy("2024-11-05"), "2025-11-25");
	assert_string_equal(mcp_message_legacy(NULL), "2025-11-25");
}

/* --- answers --- */

static void
words_of_operators_are_marked_before_they_are_read(void **state)
{
	static const struct {
		const char *tool, *content, *untrusted;
	} rows[] = {
		{ "get_task_result", "{\"proof\":{\"notes\":\"x\"},\"messages\":[{}],\"operator\":{\"name\":\"x\"}}",
		    "[\"/proof\",\"/operator\",\"/messages\"]" },
		{ "get_task_result", "{\"proof\":null,\"messages\":[],\"operator\":null}", NULL },
		{ "get_task_result", "{\"guardian_result\":{\"reasoning\":\"x\"}}", "[\"/guardian_result\"]" },
		{ "check_verification_status", "{\"reasoning\":\"x\",\"requirement_results\":[{}]}",
		    "[\"/reasoning\",\"/requirement_results\"]" },
		{ "search_operators", "{\"data\":[{\"name\":\"x\"}]}", "[\"/data\"]" },
		{ "search_operators", "{\"data\":[]}", NULL },
		{ "list_digital_categories", "{\"data\":[{}]}", NULL },
		{ "get_balance", "{\"deposit_balance\":1}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct json_object *content = json_tokener_parse(rows[i].content);
		struct json_object *result = mcp_reply_content(mcp_tool_find(rows[i].tool), content);
		struct json_object *parts = member(result, "content"),
				   *list = member(member(result, "_meta"), "humanops/untrusted");
		size_t count = json_object_array_length(parts);
		struct json_object *last =
		    json_tokener_parse(text(json_object_array_get_idx(parts, count - 1), "text"));

		assert_true(json_object_equal(last, content));
		assert_int_equal(count, rows[i].untrusted != NULL ? 2 : 1);
		assert_true((list == NULL) == (rows[i].untrusted == NULL));
		if (list != NULL) {
			assert_string_equal(json_object_to_json_string_ext(
						list, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			    rows[i].untrusted);
			assert_non_null(strstr(text(json_object_array_get_idx(parts, 0), "text"), rows[i].untrusted));
		}
		json_object_put(last);
		json_object_put(result);
		json_object_put(content);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tool_has_a_name_words_and_schemas_as_the_protocol_wants_them),
		cmocka_unit_test(a_tool_has_a_task_id_where_its_route_has_an_id_and_nowhere_else),
		cmocka_unit_test(annotations_say_what_a_tool_does_to_the_world),
		cmocka_unit_test(who_asks_decides_which_tools_there_are),
		cmocka_unit_test(arguments_go_where_the_route_has_them),
		cmocka_unit_test(a_key_of_idempotency_in_the_headers_is_not_the_tools),
		cmocka_unit_test(what_the_handler_could_not_see_is_a_fault_by_name),
		cmocka_unit_test(faults_bear_the_names_of_the_tool),
		cmocka_unit_test(only_one_request_of_json_rpc_is_read),
		cmocka_unit_test(each_era_has_its_own_rules),
		cmocka_unit_test(what_a_client_can_do_is_read_from_its_capabilities),
		cmocka_unit_test(a_page_of_another_origin_is_refused),
		cmocka_unit_test(initialize_settles_on_a_revision_of_its_era),
		cmocka_unit_test(words_of_operators_are_marked_before_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
