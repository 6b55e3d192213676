/*
 * The log: builds an event as a JSON object, makes the text safe for a terminal and a line-based reader, and
 * writes it whole.  What is worth an event, and keeping secrets out of its fields, is left to the callers;
 * rotation and storage are left to whoever reads our standard error.
 */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>
#include <unistr.h>

#include "base/now.h"
#include "base/text.h"

enum { LOG_TEXT_MAX = 1000 };

static const char *const level_names[] = {
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

static const char *log_program, *log_request_id;
static int log_fd = STDERR_FILENO;

void
log_open(const char *program)
{
	log_program = program;
}

void
log_divert(int fd)
{
	log_fd = fd;
}

void
log_request(const char *request_id)
{
	log_request_id = request_id;
}

static void
add_text(struct json_object *line, const char *name, const char *value)
{
	int rc = json_object_object_add(line, name, value != NULL ? json_object_new_string(value) : NULL);

	assert(rc == 0);
}

static struct json_object *
head_of_line(enum log_level level, const char *event)
{
	struct json_object *line = json_object_new_object();
	char time[TIME_TEXT_SIZE];

	time_print(now_ms(), time);
	add_text(line, "time", time);
	add_text(line, "level", level_names[level]);
	add_text(line, "program", log_program);
	json_object_object_add(line, "pid", json_object_new_int64(getpid()));
	add_text(line, "request_id", log_request_id);
	add_text(line, "event", event);
	return line;
}

/*
 * The object as one line.  json-c escapes what is below a space; DEL, the C1 controls (a terminal obeys them)
 * and the two Unicode line ends are escaped here, and bytes that are no UTF-8 become U+FFFD.  All of these
 * can stand only inside the strings of a JSON text, so that they can be replaced without reading it.
 */
static char *
line_of(const void *ctx, struct json_object *object)
{
	const char *json =
	    json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t left = strlen(json);
	char *line = talloc_size(ctx, 6 * left + 2), *out = line;

	assert(line != NULL);
	while (left > 0) {
		ucs4_t c;
		int len = u8_mbtoucr(&c, (const uint8_t *)json, left);

		if (len < 0) {
			len = 1;
			out = stpcpy(out, "\xef\xbf\xbd");
		} else if ((c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029) {
			out += sprintf(out, "\\u%04x", (unsigned)c);
		} else {
			out = mempcpy(out, json, (size_t)len);
		}
		json += len;
		left -= (size_t)len;
	}
	*out++ = '\n';
	*out = '\0';
	return line;
}

void
log_event(enum log_level level, const char *event, struct json_object *fields)
{
	struct json_object *object = head_of_line(level, event);
	char *line;

	if (fields != NULL) {
		json_object_object_foreach(fields, name, value)
		{
			if (!json_object_object_get_ex(object, name, NULL))
				json_object_object_add(object, name, json_object_get(value));
		}
		json_object_put(fields);
	}
	line = line_of(NULL, object);
	if (strlen(line) > PIPE_BUF) { /* a longer write to a pipe may be torn apart */
		size_t length = strlen(line);

		json_object_put(object);
		talloc_free(line);
		object = head_of_line(level, event);
		json_object_object_add(object, "cut_from_bytes", json_object_new_int64((int64_t)length));
		line = line_of(NULL, object);
	}
	do
		errno = 0;
	while (write(log_fd, line, strlen(line)) < 0 && errno == EINTR);
	talloc_free(line);
	json_object_put(object);
}

void
log_vtext(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	struct json_object *fields = json_object_new_object();
	char text[LOG_TEXT_MAX + 1];

	vsnprintf(text, sizeof(text), fmt, ap);
	add_text(fields, "text", text);
	log_event(level, event, fields);
}

void
log_text(enum log_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vtext(level, event, fmt, ap);
	va_end(ap);
}
