#ifndef API_MCP_MESSAGE_H
#define API_MCP_MESSAGE_H

#include <stdbool.h>
#include "http/request.h"

/*
 * One message of the Model Context Protocol on its way: read, held against the rules of the era that it belongs to, answered.
 * What its method means is api_mcp.c's.
 */

struct json_object;

#define MCP_META "io.modelcontextprotocol/"
#define MCP_TASKS "io.modelcontextprotocol/tasks" /* the extension */

/* JSON-RPC 2.0, section 5.1, and the protocol's own codes (2026-07-28). */
enum {
	RPC_PARSE = -32700,
	RPC_REQUEST = -32600,
	RPC_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	MCP_HEADERS = -32020,
	MCP_CAPABILITY = -32021,
	MCP_VERSION = -32022,
};

struct mcp_message {
	struct request *rq;
	struct json_object *body;   /* whole; whoever made the message puts it */
	struct json_object *id;	    /* NULL: a notification */
	struct json_object *params; /* an object, or NULL */
	const char *method;
	bool is_modern;		  /* it names its version itself */
	bool has_tasks;		  /* the client takes handles of tasks for results … */
	bool can_ask;		  /* … and can put a form before a person */
	enum principal principal; /* as the headers claim */
};

/*
 * Browsers name the page that sends: only our own may (Streamable HTTP, "Security Warning").  On a machine of one's own every loopback
 * name is.
 */
bool mcp_message_origin_ok(const struct request *rq);

/* Reads rq's body into the message.  0, or the HTTP status once there is nothing more to do: 202, or that of the answer. */
int mcp_message_read(struct mcp_message *m);

/*
 * Holds it against its era, which it finds out: versions, capabilities, the headers that repeat the body.  named_by: the member
 * of params that Mcp-Name repeats, NULL if the method has none.  0, or the HTTP status of the answer.
 */
int mcp_message_check(struct mcp_message *m, const char *named_by);

/* Answers; give the HTTP status.  The first takes data (NULL: none), the second the result. */
int mcp_message_refuse(struct mcp_message *m, int status, int code, const char *text, struct json_object *data);
int mcp_message_answer(struct mcp_message *m, struct json_object *result);

/* The text of a JSON value, which owns it; NULL if it is none or holds a NUL. */
const char *mcp_message_text(struct json_object *value);

/* The revisions spoken here, newest first; the caller puts it. */
struct json_object *mcp_message_versions(void);

/* What initialize settles on: the revision that the client wants, or the newest of that era. */
const char *mcp_message_legacy(const char *wanted);

/* "name" and "version" of this server. */
struct json_object *mcp_message_server(void);

#endif
