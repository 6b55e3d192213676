/* Messages of both eras; see mcp_message.h.  Revision 2026-07-28 is "modern", those that begin with initialize are "legacy". */
#include <json-c/json.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include "api/mcp_message.h"
#include "base/config.h"
#include "base/strict.h"
#include "base/text.h"
#include "http/reply.h"

/* Newest first; the first is the modern one. */
static const char *const versions[] = { "2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26" };

#define MODERN (versions[0])

/* answers */

static void
answer_head(struct mcp_message *m)
{
	reply_text(m->rq->reply, "jsonrpc", "2.0");
	reply_json(m->rq->reply, "id", json_object_get(m->id));
}

int
mcp_message_refuse(struct mcp_message *m, int status, int code, const char *text, struct json_object *data)
{
	struct json_object *error = json_object_new_object();

	reply_int(error, "code", code);
	reply_text(error, "message", text);
	if (data != NULL)
		reply_json(error, "data", data);
	answer_head(m);
	reply_json(m->rq->reply, "error", error);
	reply_int(m->rq->log, "rpc_error", code);
	return status;
}

int
mcp_message_answer(struct mcp_message *m, struct json_object *result)
{
	struct json_object *meta;

	if (m->is_modern) {
		if (!json_object_object_get_ex(result, "resultType", NULL))
			reply_text(result, "resultType", "complete");
		if (!json_object_object_get_ex(result, "_meta", &meta)) {
			meta = json_object_new_object();
			reply_json(result, "_meta", meta);
		}
		reply_json(meta, MCP_META "serverInfo", mcp_message_server());
	}
	answer_head(m);
	reply_json(m->rq->reply, "result", result);
	return 200;
}

struct json_object *
mcp_message_server(void)
{
	struct json_object *server = json_object_new_object();

	reply_text(server, "name", "humanops");
	reply_text(server, "title", "HumanOps");
	reply_text(server, "version", HUMANOPS_VERSION);
	return server;
}

struct json_object *
mcp_message_versions(void)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < nitems(versions); i++)
		json_object_array_add(list, json_object_new_string(versions[i]));
	return list;
}

static bool
is_legacy(const char *version)
{
	for (size_t i = 1; version != NULL && i < nitems(versions); i++)
		if (strcmp(version, versions[i]) == 0)
			return true;
	return false;
}

const char *
mcp_message_legacy(const char *wanted)
{
	return is_legacy(wanted) ? wanted : versions[1];
}

/* reading */

const char *
mcp_message_text(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

bool
mcp_message_origin_ok(const struct request *rq)
{
	static const char *const local[] = { "http://localhost", "https://localhost", "http://127.0.0.1",
		"https://127.0.0.1", "http://[::1]", "https://[::1]" };
	const char *origin = request_header(rq, "HTTP_ORIGIN"), *own = rq->config->public_base_url;

	if (origin == NULL || (own != NULL && strcasecmp(origin, own) == 0))
		return true;
	for (size_t i = 0; rq->config->is_development && i < nitems(local); i++) {
		size_t len = strlen(local[i]);

		if (strncasecmp(origin, local[i], len) == 0 && (origin[len] == '\0' || origin[len] == ':'))
			return true;
	}
	return false;
}

/* No JSON, a list of messages (gone since 2025-06-18), or the same name twice, which readers understand differently. */
static int
refuse_body(struct mcp_message *m)
{
	struct error *err = &m->rq->error;
	struct json_object *details = json_object_get(err->details);
	bool is_list = m->rq->body[strspn(m->rq->body, " \t\r\n")] == '[';

	error_clear(err);
	if (is_list || m->body != NULL)
		return mcp_message_refuse(m, 400, RPC_REQUEST,
		    is_list ? "One message to a request; batches are not taken." : "A name stands there twice.",
		    details);
	return mcp_message_refuse(m, 400, RPC_PARSE, "The body is not one JSON object.", details);
}

/* Whole numbers beyond 64 bits come as the outermost ones: an answer would bear another id than the request. */
static bool
is_id(struct json_object *id)
{
	int64_t number = json_object_get_int64(id);

	if (json_object_is_type(id, json_type_int))
		return number > INT64_MIN && number < INT64_MAX;
	return json_object_is_type(id, json_type_string);
}

int
mcp_message_read(struct mcp_message *m)
{
	struct json_object *method = NULL, *id = NULL;
	const char *version;
	bool has_id, has_method;

	m->body = strict_parse(m->rq->body, m->rq->body_len, &m->rq->error);
	if (m->rq->error.code != ERR_none)
		return refuse_body(m);
	m->params = json_object_object_get(m->body, "params");
	has_id = json_object_object_get_ex(m->body, "id", &id);
	if (has_id && !is_id(id))
		return mcp_message_refuse(
		    m, 400, RPC_REQUEST, "An id is a text or a whole number of at most 63 bits.", NULL);
	has_method = json_object_object_get_ex(m->body, "method", &method);
	if (!has_method &&
	    (json_object_object_get_ex(m->body, "result", NULL) || json_object_object_get_ex(m->body, "error", NULL)))
		return 202; /* an answer to a question that was never asked */
	m->id = id;
	version = mcp_message_text(json_object_object_get(m->body, "jsonrpc"));
	m->method = mcp_message_text(method);
	if (version == NULL || strcmp(version, "2.0") != 0 || m->method == NULL ||
	    (m->params != NULL && !json_object_is_type(m->params, json_type_object)))
		return mcp_message_refuse(m, 400, RPC_REQUEST, "This is no JSON-RPC 2.0 request.", NULL);
	return has_id ? 0 : 202; /* a notification: noted, and nothing to do about it */
}

/* checking: "Standard Request Headers" of 2026-07-28 */

/* A header's value, that of "=?base64?…?=" decoded; NULL if there is none, or none that is text. */
static const char *
plain_header(struct request *rq, const char *cgi_name)
{
	static const char before[] = "=?base64?", after[] = "?=";
	const char *value = request_header(rq, cgi_name);
	size_t len = value != NULL ? strlen(value) : 0, size;
	char *base64;
	uint8_t *bytes;

	if (value == NULL || len < strlen(before) + strlen(after) || strncmp(value, before, strlen(before)) != 0 ||
	    strcmp(value + len - strlen(after), after) != 0)
		return value;
	base64 = talloc_strndup(rq, value + strlen(before), len - strlen(before) - strlen(after));
	bytes = text_unbase64(rq, base64, &size);
	return bytes != NULL && text_is_utf8((const char *)bytes, size) ? talloc_strndup(rq, (const char *)bytes, size)
									: NULL;
}

static int
refuse_version(struct mcp_message *m, const char *requested)
{
	struct json_object *data = json_object_new_object();

	reply_json(data, "supported", mcp_message_versions());
	reply_text(data, "requested", requested);
	return mcp_message_refuse(m, 400, MCP_VERSION, "This revision of the protocol is not spoken here.", data);
}

static bool
says(const char *header, struct json_object *value)
{
	const char *text = mcp_message_text(value);

	return header != NULL && text != NULL && strcmp(header, text) == 0;
}

/* The header that is missing or says something else than the body; NULL: none. */
static const char *
wrong_header(struct mcp_message *m, struct json_object *version, const char *named_by)
{
	const char *method = request_header(m->rq, "HTTP_MCP_METHOD");

	if (!says(request_header(m->rq, "HTTP_MCP_PROTOCOL_VERSION"), version))
		return "MCP-Protocol-Version";
	if (method == NULL || strcmp(method, m->method) != 0)
		return "Mcp-Method";
	if (named_by != NULL &&
	    !says(plain_header(m->rq, "HTTP_MCP_NAME"), json_object_object_get(m->params, named_by)))
		return "Mcp-Name";
	return NULL;
}

/* A client that takes forms says elicitation: {} or names the form mode (elicitation, "Capabilities"). */
static bool
takes_forms(struct json_object *client)
{
	struct json_object *elicitation = json_object_object_get(client, "elicitation");

	return json_object_is_type(elicitation, json_type_object) &&
	       (json_object_object_length(elicitation) == 0 || json_object_object_get_ex(elicitation, "form", NULL));
}

static int
check_modern(struct mcp_message *m, struct json_object *meta, const char *named_by)
{
	struct json_object *version = json_object_object_get(meta, MCP_META "protocolVersion"), *data, *extension;
	struct json_object *client = json_object_object_get(meta, MCP_META "clientCapabilities");
	const char *wrong;

	if (mcp_message_text(version) == NULL || !json_object_is_type(client, json_type_object))
		return mcp_message_refuse(m, 400, RPC_PARAMS,
		    "params._meta must name " MCP_META "protocolVersion and " MCP_META "clientCapabilities.", NULL);
	extension = json_object_object_get(json_object_object_get(client, "extensions"), MCP_TASKS);
	m->has_tasks = json_object_is_type(extension, json_type_object);
	m->can_ask = takes_forms(client);
	if ((wrong = wrong_header(m, version, named_by)) != NULL) {
		data = json_object_new_object();
		reply_text(data, "header", wrong);
		return mcp_message_refuse(
		    m, 400, MCP_HEADERS, "A header is missing or does not say what the body says.", data);
	}
	return strcmp(json_object_get_string(version), MODERN) == 0
		   ? 0
		   : refuse_version(m, json_object_get_string(version));
}

int
mcp_message_check(struct mcp_message *m, const char *named_by)
{
	struct json_object *meta = json_object_object_get(m->params, "_meta");
	const char *version = request_header(m->rq, "HTTP_MCP_PROTOCOL_VERSION");

	m->is_modern = json_object_object_get_ex(meta, MCP_META "protocolVersion", NULL) ||
		       (version != NULL && strcmp(version, MODERN) == 0);
	if (m->is_modern)
		return check_modern(m, meta, named_by);
	/* That era's clients name a version only after initialize has settled on it. */
	if (version == NULL || strcmp(m->method, "initialize") == 0 || is_legacy(version))
		return 0;
	return refuse_version(m, version);
}
