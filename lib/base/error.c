/*
 * The error type: codes with their names, statuses and sentences (a table made of errors.def), details on the
 * way to the caller, and the one place where our own faults are logged.  How an error becomes an answer is
 * the http layer's matter; which error fits is the matter of whoever refuses.
 */
#include "base/error.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* So many faults at once help a person; more would only let a small body ask for a large answer. */
enum { FIELD_FAULTS_MAX = 50, SENTENCE_SIZE = 1000 };

static const struct {
	const char *name;
	int status;
	const char *text;
} errors[ERR_count] = {
	[ERR_none] = { "none", 200, "" },
#define ERROR(name, status, text) [ERR_##name] = { #name, status, text },
#include "base/errors.def"
#undef ERROR
};

void
error_clear(struct error *err)
{
	json_object_put(err->details);
	*err = (struct error){ 0 };
}

int
error_set(struct error *err, enum error_code code)
{
	assert(code > ERR_none && code < ERR_count);
	error_clear(err);
	err->code = code;
	return -1;
}

int
error_detail(struct error *err, const char *name, struct json_object *value)
{
	if (err->details == NULL)
		err->details = json_object_new_object();
	int rc = json_object_object_add(err->details, name, value);
	assert(rc == 0);
	return -1;
}

int
error_internal_at(struct error *err, const char *file, int line, const char *fmt, ...)
{
	struct json_object *fields = json_object_new_object();
	char text[SENTENCE_SIZE + 1], place[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(place, sizeof(place), "%s:%d", file, line);
	json_object_object_add(fields, "text", json_object_new_string(text));
	json_object_object_add(fields, "place", json_object_new_string(place));
	log_event(LOG_LEVEL_ERROR, "fault", fields);
	return error_set(err, ERR_internal);
}

int
error_unavailable(struct error *err, int retry_after_s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vtext(LOG_LEVEL_WARNING, "unavailable", fmt, ap);
	va_end(ap);
	error_set(err, ERR_unavailable);
	err->retry_after_s = retry_after_s > 0 ? retry_after_s : 1;
	return -1;
}

static struct json_object *
fields_of(const struct error *err)
{
	struct json_object *fields = NULL;

	if (err->code == ERR_validation_failed && err->details != NULL)
		json_object_object_get_ex(err->details, "fields", &fields);
	return fields;
}

int
error_field(struct error *err, const char *field, const char *fmt, ...)
{
	char sentence[SENTENCE_SIZE + 1];
	struct json_object *fields;
	va_list ap;

	if (err->code != ERR_validation_failed)
		error_set(err, ERR_validation_failed);
	fields = fields_of(err);
	if (fields == NULL) {
		fields = json_object_new_object();
		error_detail(err, "fields", fields);
	}
	if (json_object_object_length(fields) >= FIELD_FAULTS_MAX || error_has_field(err, field))
		return -1;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	int rc = json_object_object_add(fields, field, json_object_new_string(sentence));
	assert(rc == 0);
	return -1;
}

int
error_has_field(const struct error *err, const char *field)
{
	struct json_object *fields = fields_of(err);

	return fields != NULL && json_object_object_get_ex(fields, field, NULL);
}

const char *
error_name(enum error_code code)
{
	assert(code >= ERR_none && code < ERR_count);
	return errors[code].name;
}

int
error_status(enum error_code code)
{
	assert(code >= ERR_none && code < ERR_count);
	return errors[code].status;
}

const char *
error_text(enum error_code code)
{
	assert(code >= ERR_none && code < ERR_count);
	return errors[code].text;
}

enum error_code
error_find(const char *name)
{
	for (size_t i = ERR_none + 1; i < nitems(errors); i++) {
		if (strcmp(errors[i].name, name) == 0)
			return (enum error_code)i;
	}
	return ERR_none;
}
