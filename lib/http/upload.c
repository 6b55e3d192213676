/*
 * Reads an uploaded file in steps, raw or as multipart/form-data: a window of 64 KiB moves over the body, the
 * file goes to disk and through SHA-256, texts go to the table of fields.  Strict where parsers disagree: the
 * closing delimiter must be there, and a line that begins like a delimiter must be one.  What the file is, is
 * not looked at here.
 */
#include "http/upload.h"

#include <assert.h>
#include <errno.h>
#include <json-c/json.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/scratch.h"
#include "base/text.h"
#include "http/request.h"

enum {
	WINDOW = 64 * 1024,
	BODY_MOST = UPLOAD_FILE_MAX + 64 * 1024, /* the file, and room for the parts around it */
	HEADER_MAX = 8 * 1024,
	PARTS_MAX = 10,
	FIELD_MAX = 1024,
	NAME_MAX_LENGTH = 100,
	BOUNDARY_MAX = 70, /* RFC 2046, section 5.1.1 */
};

static const char *const raw_types[] = { "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf" };

/* The texts, as the table of fields fills them. */
struct texts {
	char *task;
	double lat, lng, accuracy_m;
	int64_t captured_ms;
	bool has_lat, has_lng, has_accuracy;
};

static const struct field text_fields[] = {
#define AT(member) .offset = offsetof(struct texts, member)
#define HAS(member) .has = offsetof(struct texts, member)
	{ "task_id", FIELD_TEXT, AT(task), .min = 1, .max = ID_TEXT_SIZE },
	{ "lat", FIELD_NUMBER, AT(lat), .min = -90, .max = 90, HAS(has_lat) },
	{ "lng", FIELD_NUMBER, AT(lng), .min = -180, .max = 180, HAS(has_lng) },
	{ "accuracy_m", FIELD_NUMBER, AT(accuracy_m), .min = 0, .max = 1000000, HAS(has_accuracy) },
	{ "captured_at", FIELD_TIME, AT(captured_ms) },
#undef HAS
#undef AT
};

/* Where the bytes of a part go. */
enum sink { SINK_NOWHERE, SINK_FILE, SINK_TEXT };

/* One reading of a body. */
struct reading {
	struct request *rq;
	struct upload *upload;
	struct sha256_ctx sha;
	char *window;
	size_t len; /* bytes in the window */
	bool is_ended;
	bool has_file;

	const char *delimiter; /* CR LF, two hyphens, boundary */
	int parts;
	char *query; /* the texts, written as a query */

	enum sink sink;
	char name[NAME_MAX_LENGTH + 1]; /* of the part in hand */
	char text[FIELD_MAX];		/* its bytes, if it is a text */
	size_t text_len;
	bool is_text_cut;
};

static int
invalid(struct reading *reading, const char *reason)
{
	error_set(&reading->rq->error, ERR_body_invalid);
	return error_detail(&reading->rq->error, "reason", json_object_new_string(reason));
}

static int
too_large(struct request *rq)
{
	error_set(&rq->error, ERR_body_too_large);
	return error_detail(&rq->error, "limit_bytes", json_object_new_int(UPLOAD_FILE_MAX));
}

static int
write_file(struct reading *reading, const char *data, size_t len)
{
	struct upload *upload = reading->upload;

	upload->size += (int64_t)len;
	if (upload->size > UPLOAD_FILE_MAX)
		return too_large(reading->rq);
	sha256_update(&reading->sha, len, (const uint8_t *)data);
	while (len > 0) {
		ssize_t n = write(upload->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_unavailable(
			    &reading->rq->error, 60, "an upload cannot be written: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Takes bytes of the part in hand. */
static int
take(struct reading *reading, const char *data, size_t len)
{
	size_t room = sizeof(reading->text) - reading->text_len;

	if (reading->sink == SINK_FILE)
		return write_file(reading, data, len);
	if (reading->sink == SINK_TEXT) {
		reading->is_text_cut |= len > room;
		len = len < room ? len : room;
		memcpy(reading->text + reading->text_len, data, len);
		reading->text_len += len;
	}
	return 0;
}

/* --- The window --- */

/* Fills the window up; it has room.  Sets is_ended when there is no more. */
static int
fill(struct reading *reading)
{
	long got = request_body(reading->rq, reading->window + reading->len, WINDOW - reading->len);

	if (got < 0)
		return invalid(reading, "it broke off");
	if (reading->rq->body_len > BODY_MOST)
		return too_large(reading->rq);
	reading->len += (size_t)got;
	reading->is_ended = got == 0;
	return 0;
}

static void
drop(struct reading *reading, size_t len)
{
	reading->len -= len;
	memmove(reading->window, reading->window + len, reading->len);
}

/* Makes sure that the window holds so many bytes. */
static int
need(struct reading *reading, size_t len)
{
	while (reading->len < len && !reading->is_ended) {
		if (fill(reading))
			return -1;
	}
	return reading->len >= len ? 0 : invalid(reading, "the closing delimiter is missing");
}

/* Reads what is left and takes it as the part in hand. */
static int
take_rest(struct reading *reading)
{
	while (!reading->is_ended) {
		if (fill(reading) || take(reading, reading->window, reading->len))
			return -1;
		reading->len = 0;
	}
	return 0;
}

/* Takes everything up to the next delimiter, which it drops. */
static int
take_part(struct reading *reading)
{
	size_t size = strlen(reading->delimiter);

	for (;;) {
		const char *found = memmem(reading->window, reading->len, reading->delimiter, size);
		size_t len = found != NULL	   ? (size_t)(found - reading->window)
			     : reading->len < size ? 0
						   : reading->len - (size - 1); /* its beginning may be there */

		if (take(reading, reading->window, len))
			return -1;
		drop(reading, found != NULL ? len + size : len);
		if (found != NULL)
			return 0;
		if (reading->is_ended)
			return invalid(reading, "the closing delimiter is missing");
		if (fill(reading))
			return -1;
	}
}

/* --- Headers --- */

/* Behind a token or quoted text that was read into out; NULL if it is none or too long.  RFC 9110,
 * section 5.6. */
static const char *
read_value(const char *at, char *out, size_t size)
{
	bool is_quoted = *at == '"';
	size_t len = 0;

	for (at += is_quoted; *at != '\0' && len + 1 < size; at++) {
		if (is_quoted ? *at == '"' : strchr("; \t\"", *at) != NULL)
			break;
		/* Only these two: some clients leave the backslashes of a path as they are (RFC 7578,
		 * section 4.2). */
		if (is_quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		out[len++] = *at;
	}
	out[len] = '\0';
	if (is_quoted)
		return *at == '"' ? at + 1 : NULL;
	return len > 0 && strchr("; \t", *at) != NULL ? at : NULL;
}

/*
 * Finds a parameter in "…; name=value; name=value": 1 if it is there, 0 if not, -1 if the text is no such
 * list or has it twice.
 */
static int
parameter(const char *text, const char *name, char *out, size_t size)
{
	char key[64], value[HEADER_MAX];
	int found = 0;

	while (*(text += strspn(text, " \t")) == ';') {
		size_t len;

		text += 1 + strspn(text + 1, " \t");
		len = strcspn(text, "=; \t");
		if (text[len] != '=' || len == 0 || len >= sizeof(key))
			return -1;
		memcpy(key, text, len);
		key[len] = '\0';
		text = read_value(text + len + 1, value, sizeof(value));
		if (text == NULL)
			return -1;
		if (strcasecmp(key, name) != 0)
			continue;
		if (found || strlen(value) >= size)
			return -1;
		found = 1;
		memcpy(out, value, strlen(value) + 1);
	}
	return *text == '\0' ? found : -1;
}

/* What follows the name of a header line and the white space behind its colon; NULL for another header. */
static const char *
header_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

/* The file's name without folders, for people: one line of UTF-8, cut to UPLOAD_NAME_MAX bytes; else none. */
static void
note_name(struct reading *reading, const char *name)
{
	const char *last = name;
	size_t len;

	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/' || *p == '\\')
			last = p + 1;
	}
	len = strlen(last);
	if (len == 0 || !text_is_utf8(last, len) || text_has_control(last, false))
		return;
	reading->upload->name = talloc_strndup(reading->upload, last, text_fit(last, UPLOAD_NAME_MAX));
	assert(reading->upload->name != NULL);
}

/* A part begins: what it is, by its Content-Disposition. */
static int
begin_part(struct reading *reading, const char *disposition)
{
	const char *parameters = disposition + strcspn(disposition, "; \t");
	char file[HEADER_MAX];
	int named;

	if (strncasecmp(disposition, "form-data", 9) != 0 || parameters != disposition + 9 ||
	    parameter(parameters, "name", reading->name, sizeof(reading->name)) != 1 ||
	    (named = parameter(parameters, "filename", file, sizeof(file))) < 0)
		return invalid(reading, "a part has no Content-Disposition of form-data with a name");
	if (!text_is_utf8(reading->name, strlen(reading->name)) || text_has_control(reading->name, false))
		return invalid(reading, "a part has a name that is no line of UTF-8");
	reading->text_len = 0;
	reading->is_text_cut = false;
	reading->sink = strcmp(reading->name, "file") == 0 ? SINK_FILE : SINK_TEXT;
	if (reading->sink == SINK_FILE && reading->has_file) {
		error_field(&reading->rq->error, "file", "is there twice");
		reading->sink = SINK_NOWHERE;
	} else if (reading->sink == SINK_FILE) {
		reading->has_file = true;
		if (named == 1)
			note_name(reading, file);
	}
	return 0;
}

/* The encodings that leave bytes as they are; others are forbidden (RFC 7578, section 4.7). */
static bool
is_plain(const char *encoding)
{
	return strcasecmp(encoding, "binary") == 0 || strcasecmp(encoding, "8bit") == 0 ||
	       strcasecmp(encoding, "7bit") == 0;
}

/* The header lines of a part, which this takes apart. */
static int
read_lines(struct reading *reading, char *lines)
{
	const char *disposition = NULL, *value;
	char *next;

	for (; *lines != '\0'; lines = next) {
		next = strstr(lines, "\r\n");
		if (next != NULL) {
			*next = '\0';
			next += 2;
		} else {
			next = lines + strlen(lines);
		}
		if (strpbrk(lines, "\r\n") != NULL || strcspn(lines, ": \t") == 0 || strchr(lines, ':') == NULL)
			return invalid(reading, "a part has a header line that is none");
		if ((value = header_value(lines, "Content-Transfer-Encoding")) != NULL && !is_plain(value))
			return invalid(reading, "a part has a transfer encoding");
		if ((value = header_value(lines, "Content-Disposition")) == NULL)
			continue;
		if (disposition != NULL)
			return invalid(reading, "a part has two dispositions");
		disposition = value;
	}
	return begin_part(reading, disposition != NULL ? disposition : "");
}

/* The header of a part; before it in the window is the end of the delimiter's line. */
static int
read_header(struct reading *reading)
{
	static const char end[] = "\r\n\r\n";
	char header[HEADER_MAX + 1];
	const char *found;
	size_t len;

	if (memcmp(reading->window, end, 2) != 0)
		return invalid(reading, "a line begins like a delimiter but is none");
	while ((found = memmem(reading->window, reading->len, end, 4)) == NULL && reading->len <= HEADER_MAX) {
		if (need(reading, reading->len + 1))
			return -1;
	}
	len = found != NULL ? (size_t)(found - reading->window) : SIZE_MAX;
	if (len > HEADER_MAX)
		return invalid(reading, "a part's header is larger than 8 KiB");
	if (memchr(reading->window, '\0', len) != NULL)
		return invalid(reading, "a part's header holds a NUL");
	memcpy(header, reading->window, len);
	header[len] = '\0';
	drop(reading, len + 4);
	return read_lines(reading, len > 2 ? header + 2 : header + len);
}

/* --- The whole --- */

static void
add_encoded(struct reading *reading, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		reading->query = talloc_asprintf_append_buffer(reading->query, "%%%02X", (unsigned char)text[i]);
	assert(reading->query != NULL);
}

/* A part has ended: a text joins the query.  An empty one is a field of a form that was left empty. */
static void
end_part(struct reading *reading)
{
	if (reading->sink != SINK_TEXT)
		return;
	if (reading->is_text_cut)
		error_field(&reading->rq->error, reading->name, "must have at most %d bytes", FIELD_MAX);
	else if (!text_is_utf8(reading->text, reading->text_len))
		error_field(&reading->rq->error, reading->name, "must be UTF-8");
	if (reading->text_len == 0 || error_has_field(&reading->rq->error, reading->name))
		return;
	reading->query = talloc_strdup_append_buffer(reading->query, *reading->query != '\0' ? "&" : "");
	add_encoded(reading, reading->name, strlen(reading->name));
	reading->query = talloc_strdup_append_buffer(reading->query, "=");
	add_encoded(reading, reading->text, reading->text_len);
}

/* The boundary of a multipart type: 1 to 70 of its letters, no blank at the end (RFC 2046, section 5.1.1). */
static bool
boundary_is_right(const char *boundary)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ";
	size_t len = strlen(boundary);

	return len >= 1 && len <= BOUNDARY_MAX && strspn(boundary, letters) == len && boundary[len - 1] != ' ';
}

/* Preamble, parts, epilogue.  The virtual line end in front lets the first delimiter be like the others. */
static int
read_multipart(struct reading *reading, const char *parameters)
{
	char boundary[BOUNDARY_MAX + 1];

	if (parameter(parameters, "boundary", boundary, sizeof(boundary)) != 1 || !boundary_is_right(boundary))
		return invalid(reading, "the content type names no boundary");
	reading->delimiter = talloc_asprintf(reading->upload, "\r\n--%s", boundary);
	assert(reading->delimiter != NULL);
	memcpy(reading->window, "\r\n", 2);
	reading->len = 2;
	for (;;) {
		if (take_part(reading))
			return -1;
		end_part(reading);
		if (need(reading, 2))
			return -1;
		if (memcmp(reading->window, "--", 2) == 0)
			break;
		if (++reading->parts > PARTS_MAX)
			return invalid(reading, "there are more than 10 parts");
		if (read_header(reading))
			return -1;
	}
	reading->sink = SINK_NOWHERE;
	return take_rest(reading);
}

static int
read_body(struct reading *reading)
{
	static const char form[] = "multipart/form-data";
	const char *type = request_header(reading->rq, "CONTENT_TYPE");
	size_t len = type != NULL ? strcspn(type, "; \t") : 0;

	if (request_body_announced(reading->rq) > BODY_MOST)
		return too_large(reading->rq);
	if (len == strlen(form) && strncasecmp(type, form, len) == 0)
		return read_multipart(reading, type + len);
	for (size_t i = 0; i < nitems(raw_types); i++) {
		if (len != strlen(raw_types[i]) || strncasecmp(type, raw_types[i], len) != 0)
			continue;
		reading->sink = SINK_FILE;
		reading->has_file = true;
		return take_rest(reading);
	}
	return error_set(&reading->rq->error, ERR_file_type_unsupported);
}

/* What the texts mean, once all have been looked at. */
static void
read_texts(struct reading *reading)
{
	struct error *err = &reading->rq->error;
	struct upload *upload = reading->upload;
	struct texts texts = { 0 };

	fields_read_query(upload, reading->query, text_fields, nitems(text_fields), &texts, err);
	if (texts.task != NULL && id_parse(ID_TASK, texts.task, &upload->task) != 0)
		error_field(err, "task_id", "must be the id of a task");
	if (texts.has_lat != texts.has_lng && !error_has_field(err, "lat") && !error_has_field(err, "lng"))
		error_field(err, texts.has_lat ? "lng" : "lat", "is required with the other coordinate");
	upload->has_position = texts.has_lat && texts.has_lng;
	upload->has_accuracy = texts.has_accuracy;
	upload->lat = texts.lat;
	upload->lng = texts.lng;
	upload->accuracy_m = texts.accuracy_m;
	upload->captured_ms = texts.captured_ms;
}

static int
upload_free(struct upload *upload)
{
	if (upload->fd >= 0)
		close(upload->fd);
	return 0;
}

struct upload *
upload_read(struct request *rq, const char *folder)
{
	struct upload *upload = talloc_zero(rq, struct upload);
	struct reading *reading = talloc_zero(upload, struct reading);

	assert(upload != NULL && reading != NULL);
	upload->fd = -1;
	talloc_set_destructor(upload, upload_free);
	reading->rq = rq;
	reading->upload = upload;
	reading->window = talloc_size(reading, WINDOW);
	reading->query = talloc_strdup(reading, rq->query);
	assert(reading->window != NULL && reading->query != NULL);
	sha256_init(&reading->sha);
	upload->fd = scratch_open(folder, &rq->error);
	if (upload->fd < 0 || read_body(reading))
		goto out;
	if (!reading->has_file)
		error_field(&rq->error, "file", "is required");
	else if (upload->size == 0)
		error_field(&rq->error, "file", "must not be empty");
	read_texts(reading);
	sha256_digest(&reading->sha, sizeof(upload->sha256), upload->sha256);
	if (rq->error.code == ERR_none && lseek(upload->fd, 0, SEEK_SET) != 0)
		error_internal(&rq->error, "a scratch file cannot be sought");
out:
	talloc_free(reading);
	if (rq->error.code == ERR_none)
		return upload;
	talloc_free(upload);
	return NULL;
}
