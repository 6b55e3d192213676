/*
 * One JSON-RPC 2.0 call as one POST.  What comes back is a stranger's word: it is bounded, must be strict JSON and the
 * answer to this very call.  What a result means is rpc.c's.
 */
#include "chain/post.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/now.h"
#include "base/strict.h"
#include "base/text.h"
#include "net/fetch.h"

enum {
	NESTED_BYTES = 64, /* an object or a list is longer, with what it holds, … */
	VALUE_BYTES = 8,   /* … and so is a value, … */
	DENSE_MIN = 64,	   /* … but for a few */
	SECRET_MIN = 8,	   /* a part of a URL's path as long as this may be a key */
};

/*
 * Error codes by which a node speaks of the call or of itself, not of what it was asked: it may know better later
 * (JSON-RPC 2.0, section 5.1; EIP-1474; the last two: what providers say to those who ask too often).
 */
static const int64_t down_codes[] = { -32700, -32600, -32601, -32005, -32016, 429 };

enum rpc_result
post_down(struct rpc *rpc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rpc->problem, sizeof(rpc->problem), fmt, ap);
	va_end(ap);
	return RPC_DOWN;
}

/* True if a text shows a part of the URL behind its host: keys of providers stand there. */
static bool
shows_secret(const char *url, const char *text)
{
	static const char ends[] = "/?&=#";
	const char *authority = strstr(url, "://"), *part;
	char word[RPC_PROBLEM_SIZE];

	part = authority == NULL ? url : authority + 3;
	for (part += strcspn(part, ends); *part != '\0'; part += strcspn(part, ends)) {
		size_t len = strcspn(++part, ends);

		if (len < SECRET_MIN)
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)len, part);
		if (strstr(text, word) != NULL)
			return true;
	}
	return false;
}

/* A node's own words, cut to their place, in letters that any log can hold. */
static void
note_words(struct rpc *rpc, const char *text)
{
	size_t len = 0;

	for (; len < sizeof(rpc->problem) - 1 && text[len] != '\0'; len++)
		rpc->problem[len] = (char)(isascii(text[len]) && isprint(text[len]) ? text[len] : '?');
	rpc->problem[len] = '\0';
	if (shows_secret(rpc->url, text)) /* in all of it: no half of a key either */
		snprintf(rpc->problem, sizeof(rpc->problem), "(words that hold a part of the URL)");
}

/* The node refused; its error object tells why. */
static enum rpc_result
refusal(struct rpc *rpc, struct json_object *error)
{
	struct json_object *code, *message;

	if (!json_object_is_type(error, json_type_object) || !json_object_object_get_ex(error, "code", &code) ||
	    !json_object_is_type(code, json_type_int))
		return post_down(rpc, "an error that is none");
	if (!json_object_object_get_ex(error, "message", &message) || !json_object_is_type(message, json_type_string))
		return post_down(rpc, "an error without a message");
	note_words(rpc, json_object_get_string(message));
	for (size_t i = 0; i < nitems(down_codes); i++) {
		if (json_object_get_int64(code) == down_codes[i])
			return RPC_DOWN;
	}
	return RPC_REFUSED;
}

/* Takes the result out of an answer; *result is a new reference. */
static enum rpc_result
unwrap(struct rpc *rpc, struct json_object *answer, int64_t id, struct json_object **result)
{
	struct json_object *version, *told, *error = NULL, *value = NULL;
	bool has_result;

	if (!json_object_object_get_ex(answer, "jsonrpc", &version) ||
	    !json_object_is_type(version, json_type_string) || strcmp(json_object_get_string(version), "2.0") != 0)
		return post_down(rpc, "no JSON-RPC 2.0");
	if (!json_object_object_get_ex(answer, "id", &told) || !json_object_is_type(told, json_type_int) ||
	    json_object_get_int64(told) != id)
		return post_down(rpc, "the answer to another call");
	has_result = json_object_object_get_ex(answer, "result", &value);
	json_object_object_get_ex(answer, "error", &error);
	if (error != NULL)
		return value != NULL ? post_down(rpc, "result and error at once") : refusal(rpc, error);
	if (!has_result)
		return post_down(rpc, "neither result nor error");
	if (value == NULL)
		return RPC_ABSENT;
	*result = json_object_get(value);
	return RPC_OK;
}

/*
 * True if a text has far more objects or values for its length than any answer of a node: parsed, "{},{},…" would take three
 * hundred times its size of memory.
 */
static bool
is_dense(const char *text, size_t len)
{
	size_t nested = 0, values = 0;

	for (size_t i = 0; i < len; i++) {
		nested += text[i] == '{' || text[i] == '[';
		values += text[i] == ',';
	}
	return nested > DENSE_MIN + len / NESTED_BYTES || values > DENSE_MIN + len / VALUE_BYTES;
}

static enum rpc_result
parse(struct rpc *rpc, const struct fetch_answer *answer, int64_t id, struct json_object **result)
{
	struct json_object *object;
	struct error err = { 0 };
	enum rpc_result rc;

	if (is_dense(answer->body, answer->body_len))
		return post_down(rpc, "an answer of too many values");
	object = strict_parse(answer->body, answer->body_len, &err);
	if (err.code != ERR_none || object == NULL) /* repeated names are told beside the object */
		rc = post_down(rpc, "an answer that is no JSON object");
	else
		rc = unwrap(rpc, object, id, result);
	json_object_put(object);
	error_clear(&err);
	return rc;
}

enum rpc_result
post_call(
    struct rpc *rpc, const char *method, struct json_object *params, size_t answer_max, struct json_object **result)
{
	static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json", NULL };
	struct json_object *body = json_object_new_object();
	void *scratch = talloc_new(NULL);
	struct fetch_answer answer;
	int64_t start = now_monotonic_ms();
	enum rpc_result rc;
	uint32_t id;

	crypto_random(&id, sizeof(id)); /* nobody can answer ahead of the question */
	json_object_object_add(body, "jsonrpc", json_object_new_string("2.0"));
	json_object_object_add(body, "id", json_object_new_int64(id));
	json_object_object_add(body, "method", json_object_new_string(method));
	json_object_object_add(body, "params", params);
	struct fetch fetch = { .method = "POST",
		.url = rpc->url,
		.headers = headers,
		.body = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN),
		.timeout_ms = rpc->timeout_ms,
		.answer_max = answer_max,
		.flags = rpc->allows_private ? FETCH_ALLOW_PRIVATE | FETCH_ALLOW_HTTP : 0U };
	fetch.body_len = strlen(fetch.body);
	*result = NULL;
	rpc->problem[0] = '\0';
	fetch_run(scratch, &fetch, &answer);
	rpc->has_hung = answer.status == 0 && now_monotonic_ms() - start >= rpc->timeout_ms - rpc->timeout_ms / 10;
	if (answer.status == 0)
		rc = post_down(rpc, "%s", answer.problem);
	else if (answer.status != 200)
		rc = post_down(rpc, "HTTP status %d", answer.status);
	else if (answer.is_cut)
		rc = post_down(rpc, "an answer of more than %zu bytes", answer_max);
	else
		rc = parse(rpc, &answer, id, result);
	json_object_put(body);
	talloc_free(scratch);
	return rc;
}
