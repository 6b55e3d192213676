/*
 * Strict JSON.  json-c builds the tree and decides on structure; a scan of the accepted text then refuses
 * what it lets pass: control characters, lone surrogates, NaN, "1.", "-01", names in single quotes, repeated
 * names.  What the members mean is left to fields.c.
 */
#include "base/strict.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistr.h>

#include "base/error.h"
#include "base/text.h"

enum { DEPTH_MAX = 16, NAME_SHOWN_MAX = 64 };

struct level {
	bool is_object, wants_name;
	size_t index;		   /* of the present item of a list */
	struct json_object *names; /* of an object: those seen, decoded */
	const char *name;	   /* the present one, kept by names */
};

struct scan {
	char *json, *at;
	struct level levels[DEPTH_MAX];
	int depth;
	struct json_tokener *tokener; /* decodes names */
	struct error *err;
	const char *reason; /* set once the text is refused */
};

static struct json_object *
refuse(struct error *err, const char *reason, size_t offset)
{
	error_set(err, ERR_body_invalid);
	error_detail(err, "reason", json_object_new_string(reason));
	error_detail(err, "offset", json_object_new_int64((int64_t)offset));
	return NULL;
}

/* "location.lat", "items[2].name": where the scan stands.  Long names are cut. */
static char *
path_here(const struct scan *scan)
{
	char *path = talloc_strdup(NULL, "");

	for (int i = 0; i < scan->depth; i++) {
		const struct level *level = &scan->levels[i];

		if (level->is_object)
			path = talloc_asprintf_append(
			    path, "%s%.*s", i > 0 ? "." : "", (int)text_fit(level->name, NAME_SHOWN_MAX), level->name);
		else
			path = talloc_asprintf_append(path, "[%zu]", level->index);
	}
	assert(path != NULL);
	return path;
}

/* A name from its opening to its closing quote.  json-c would cut it at U+0000 and so take one name for
 * another. */
static void
note_name(struct scan *scan, const char *quoted, size_t len)
{
	struct level *level = &scan->levels[scan->depth - 1];
	struct json_object *name;
	struct lh_entry *entry;
	char *path;

	json_tokener_reset(scan->tokener);
	name = json_tokener_parse_ex(scan->tokener, quoted, (int)len);
	assert(name != NULL); /* it was accepted before, as part of the whole */
	level->name = json_object_get_string(name);
	if (strlen(level->name) != (size_t)json_object_get_string_len(name)) {
		scan->reason = "A name holds a NUL character.";
	} else if (json_object_object_get_ex(level->names, level->name, NULL)) {
		path = path_here(scan);
		error_field(scan->err, path, "is there twice");
		talloc_free(path);
	} else {
		json_object_object_add(level->names, level->name, NULL);
	}
	entry = lh_table_lookup_entry(json_object_get_object(level->names), level->name);
	level->name = entry != NULL ? lh_entry_k(entry) : "";
	json_object_put(name);
	level->wants_name = false;
}

/* The code unit of \uXXXX; json-c has seen that the digits are there. */
static unsigned
unit_at(const char *escape)
{
	char hex[5];

	memcpy(hex, escape + 2, 4);
	hex[4] = '\0';
	return (unsigned)strtoul(hex, NULL, 16);
}

/* Moves from a string's opening quote to behind its closing one. */
static void
scan_string(struct scan *scan)
{
	const char *start = scan->at++;

	for (; *scan->at != '"'; scan->at++) {
		if ((unsigned char)*scan->at < 0x20) {
			scan->reason = "A text holds a control character that is not escaped.";
			return;
		}
		if (*scan->at != '\\')
			continue;
		if (scan->at[1] == 'u') {
			unsigned unit = unit_at(scan->at);
			bool is_pair = unit >= 0xd800 && unit <= 0xdbff && scan->at[6] == '\\' && scan->at[7] == 'u' &&
				       unit_at(scan->at + 6) >= 0xdc00 && unit_at(scan->at + 6) <= 0xdfff;

			if (unit >= 0xd800 && unit <= 0xdfff && !is_pair) {
				scan->reason = "A text holds half of a surrogate pair.";
				return;
			}
			scan->at += is_pair ? 10 : 4;
		}
		scan->at++;
	}
	scan->at++;
	if (scan->depth > 0 && scan->levels[scan->depth - 1].wants_name)
		note_name(scan, start, (size_t)(scan->at - start));
}

/* true, false, null or a number as the grammar has it. */
static void
scan_word(struct scan *scan)
{
	char *end = scan->at + strcspn(scan->at, ",:]} \t\r\n"), after = *end;
	int64_t ignored;

	*end = '\0';
	if (strcmp(scan->at, "true") != 0 && strcmp(scan->at, "false") != 0 && strcmp(scan->at, "null") != 0 &&
	    text_decimal(scan->at, 0, &ignored) == -1)
		scan->reason = "This is no value as JSON writes them.";
	*end = after;
	if (scan->reason == NULL)
		scan->at = end;
}

static void
level_open(struct scan *scan)
{
	struct level *level;

	if (scan->depth == DEPTH_MAX) {
		scan->reason = "The JSON is nested more than 16 levels deep.";
		return;
	}
	level = &scan->levels[scan->depth++];
	*level = (struct level){ .is_object = *scan->at == '{', .wants_name = *scan->at == '{', .name = "" };
	if (level->is_object)
		level->names = json_object_new_object();
	scan->at++;
}

static void
level_close(struct scan *scan)
{
	json_object_put(scan->levels[--scan->depth].names);
	scan->at++;
}

static void
level_next(struct scan *scan)
{
	struct level *level = &scan->levels[scan->depth - 1];

	level->wants_name = level->is_object;
	level->index++;
	scan->at++;
}

/* Goes over an accepted text.  0, or -1 with body_invalid. */
static int
scan_accepted(char *json, struct error *err)
{
	struct scan scan = { .json = json, .at = json, .tokener = json_tokener_new(), .err = err };

	assert(scan.tokener != NULL);
	while (*scan.at != '\0' && scan.reason == NULL) {
		switch (*scan.at) {
		case ' ':
		case '\t':
		case '\r':
		case '\n':
		case ':':
			scan.at++;
			break;
		case '{':
		case '[':
			level_open(&scan);
			break;
		case '}':
		case ']':
			level_close(&scan);
			break;
		case ',':
			level_next(&scan);
			break;
		case '"':
			scan_string(&scan);
			break;
		default:
			scan_word(&scan);
		}
	}
	while (scan.depth > 0)
		json_object_put(scan.levels[--scan.depth].names);
	json_tokener_free(scan.tokener);
	if (scan.reason == NULL)
		return 0;
	refuse(err, scan.reason, (size_t)(scan.at - scan.json));
	return -1;
}

static const char *
reason_of(enum json_tokener_error problem, bool is_empty)
{
	if (is_empty)
		return "The body is empty.";
	if (problem == json_tokener_error_parse_eof)
		return "The JSON ends too early.";
	if (problem == json_tokener_error_depth)
		return "The JSON is nested more than 16 levels deep.";
	return "This is not what JSON has here.";
}

/* json-c counts a plain value as a level of its own, so it gets one more; the scan counts for itself. */
static struct json_object *
parse(const char *json, size_t len, struct error *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX + 1);
	struct json_object *value;
	enum json_tokener_error problem;
	size_t end;

	assert(tokener != NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	value = json_tokener_parse_ex(tokener, json, (int)len + 1); /* its NUL ends a number */
	problem = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	if (problem != json_tokener_success)
		return refuse(err, reason_of(problem, strspn(json, " \t\r\n") == len), end < len ? end : len);
	if (!json_object_is_type(value, json_type_object)) {
		json_object_put(value);
		return refuse(err, "The body must be a JSON object.", 0);
	}
	return value;
}

struct json_object *
strict_parse(const char *json, size_t len, struct error *err)
{
	const uint8_t *bad = u8_check((const uint8_t *)json, len);
	const char *nul = memchr(json, '\0', len);
	struct json_object *object = NULL;
	char *copy;

	if (len >= INT32_MAX)
		return refuse(err, "The body is too long.", 0);
	if (bad != NULL)
		return refuse(err, "The body is not UTF-8.", (size_t)(bad - (const uint8_t *)json));
	if (nul != NULL)
		return refuse(err, "The body holds a NUL byte.", (size_t)(nul - json));
	copy = talloc_strndup(NULL, json, len);
	assert(copy != NULL);
	object = parse(copy, len, err);
	if (object != NULL && scan_accepted(copy, err)) {
		json_object_put(object);
		object = NULL;
	}
	explicit_bzero(copy, len); /* bodies carry secrets */
	talloc_free(copy);
	return object;
}
