/*
 * Which argument of a tool goes where: the id into the path, the key of idempotency into its header, the others into the query of
 * a GET or the body of a POST.  Only what the handler cannot see is checked here: names that the tool does not have or needs where
 * the route does not, and types that a query would lose.
 */
#include <assert.h>
#include <curl/curl.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>
#include "api/mcp_args.h"
#include "api/mcp_message.h"
#include "api/mcp_tool.h"
#include "base/text.h"
#include "core/category.h"
#include "core/replay.h"
#include "http/reply.h"

enum { NAME_SHOWN_MAX = 64 };

/* Arguments that the API knows by another name. */
static const struct {
	enum mcp_kind kind;
	const char *argument, *field;
} renamed[] = {
	{ MCP_CREATE_DIGITAL, "digital_category", "task_type" },
	{ MCP_CREATE_CREDENTIAL, "credential_category", "task_type" },
};

/* Names that the tool has not, which a handler that knows more fields might take. */
static void
drop_unknown(struct request *rq, struct json_object *properties, struct json_object *args)
{
	json_object_object_foreach(args, name, value)
	{
		(void)value;
		if (json_object_object_get_ex(properties, name, NULL))
			continue;
		error_field(&rq->error, talloc_asprintf(rq, "%.*s", (int)text_fit(name, NAME_SHOWN_MAX), name),
		    "is not an argument of this tool");
		json_object_object_del(args, name); /* the present one may go */
	}
}

/* A tool may need what its route can do without; null is as good as nothing. */
static void
need_required(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct json_object *required = mcp_tool_required(tool);

	for (size_t i = 0; i < json_object_array_length(required); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(required, i));

		if (json_object_object_get(args, name) == NULL)
			error_field(&rq->error, name, "is required");
	}
	json_object_put(required);
}

/* Takes a text out of the arguments; NULL if there is none, with a fault if it is something else. */
static const char *
take_text(struct request *rq, struct json_object *args, const char *name)
{
	struct json_object *value = json_object_object_get(args, name);
	const char *text = mcp_message_text(value), *copy = text != NULL ? talloc_strdup(rq, text) : NULL;

	if (value != NULL && text == NULL)
		error_field(&rq->error, name, "must be a text");
	json_object_object_del(args, name);
	return copy;
}

/* A header of the client's would hold for every call of a connection alike, so only the argument counts. */
static void
take_key(struct request *rq, struct json_object *args)
{
	const char *key = take_text(rq, args, "idempotency_key");

	if (key != NULL && !replay_key_ok(key))
		error_field(
		    &rq->error, "idempotency_key", "must be 1 to 255 printable ASCII characters without blanks");
	rq->given.name = "HTTP_IDEMPOTENCY_KEY";
	rq->given.value = key;
}

/* The path with its id; so it stands in the idempotency key's row as it would for the REST call. */
static void
take_path(struct request *rq, struct json_object *args)
{
	const char *pattern = rq->route->pattern, *mark = strstr(pattern, "/:id"), *id;

	rq->path = pattern;
	if (mark == NULL)
		return;
	id = take_text(rq, args, "task_id");
	rq->params[0].name = "id";
	rq->params[0].value = id != NULL ? id : "";
	rq->path = talloc_asprintf(
	    rq, "%.*s/%s%s", (int)(mark - pattern), pattern, rq->params[0].value, mark + strlen("/:id"));
}

static void
rename_member(struct json_object *object, const char *from, const char *to)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, from, &value)) {
		json_object_object_add(object, to, json_object_get(value));
		json_object_object_del(object, from);
	}
}

/* A credential task's proof is the credential: its category says what to ask for. */
static void
add_credential_proof(struct json_object *args)
{
	const char *type = mcp_message_text(json_object_object_get(args, "task_type"));
	const struct category *category = type != NULL ? category_find(type) : NULL;
	struct json_object *list = json_object_new_array();

	json_object_array_add(
	    list, json_object_new_string(category != NULL ? category->proof_default : "The credential, encrypted"));
	reply_json(args, "proof_requirements", list);
}

static const char *
encoded(const void *ctx, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	const char *copy = escaped != NULL ? talloc_strdup(ctx, escaped) : NULL;

	assert(*text == '\0' || copy != NULL);
	curl_free(escaped);
	return copy != NULL ? copy : "";
}

/* A query has only texts: a value must be of the type that the schema names before it becomes one. */
static bool
is_of_type(struct json_object *value, const char *type)
{
	if (strcmp(type, "string") == 0)
		return mcp_message_text(value) != NULL;
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static void
write_query(struct request *rq, struct json_object *properties, struct json_object *args)
{
	char *query = talloc_strdup(rq, "");

	json_object_object_foreach(args, name, value)
	{
		struct json_object *property = json_object_object_get(properties, name);
		const char *type = json_object_get_string(json_object_object_get(property, "type"));

		if (value == NULL)
			continue;
		if (!is_of_type(value, type)) {
			error_field(&rq->error, name, "must be a %s", strcmp(type, "string") == 0 ? "text" : "number");
			continue;
		}
		query = talloc_asprintf_append_buffer(query, "%s%s=%s", *query != '\0' ? "&" : "", encoded(rq, name),
		    encoded(rq, json_object_get_string(value)));
	}
	rq->query = query;
}

static void
write_body(struct request *rq, struct json_object *args)
{
	const char *json =
	    json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	rq->body = talloc_strdup(rq, json);
	rq->body_len = strlen(rq->body);
}

void
mcp_args_write(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct json_object *properties = mcp_tool_properties(tool);

	rq->method = rq->route->method;
	drop_unknown(rq, properties, args);
	need_required(rq, tool, args);
	take_path(rq, args);
	take_key(rq, args);
	for (size_t i = 0; i < nitems(renamed); i++)
		if (renamed[i].kind == tool->kind)
			rename_member(args, renamed[i].argument, renamed[i].field);
	if (tool->kind == MCP_CREATE_CREDENTIAL)
		add_credential_proof(args);
	if (strcmp(rq->method, "GET") == 0)
		write_query(rq, properties, args);
	else
		write_body(rq, args);
	json_object_put(properties);
}

void
mcp_args_name_faults(const struct mcp_tool *tool, struct json_object *args, struct error *err)
{
	struct json_object *fields = json_object_object_get(err->details, "fields");

	for (size_t i = 0; i < nitems(renamed); i++)
		if (renamed[i].kind == tool->kind && !json_object_object_get_ex(args, renamed[i].field, NULL))
			rename_member(fields, renamed[i].field, renamed[i].argument);
}
