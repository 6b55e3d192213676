/*
 * JSON (strict.c) or a query string to a struct, by a table.  Each type has one reader and one sentence that
 * says what is wanted; every fault is noted by its path and reading goes on.  Faults of meaning (a deadline
 * in the past) are left to the caller, who adds them with error_field.
 */
#include "base/fields.h"

#include <assert.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/error.h"
#include "base/now.h"
#include "base/strict.h"
#include "base/text.h"

enum { NAME_SHOWN_MAX = 64, WANTED_SIZE = 800 };

/* Where a value is read for. */
struct place {
	const void *ctx;
	struct error *err;
	const struct field *field;
	const char *path;
};

static bool
has_limits(const struct field *field)
{
	return field->min != 0 || field->max != 0;
}

static void
print_limits(const struct field *field, char *out, size_t size)
{
	char min[MONEY_TEXT_SIZE], max[MONEY_TEXT_SIZE];

	if (!has_limits(field)) {
		*out = '\0';
		return;
	}
	if (field->type == FIELD_MONEY) {
		money_print(field->min, min);
		money_print(field->max, max);
	} else {
		snprintf(min, sizeof(min), "%lld", (long long)field->min);
		snprintf(max, sizeof(max), "%lld", (long long)field->max);
	}
	snprintf(out, size, " from %s to %s", min, max);
}

static void
print_length(const struct field *field, char *out, size_t size)
{
	long long min = field->min, max = field->max;

	if (!has_limits(field))
		*out = '\0';
	else if (min == max)
		snprintf(out, size, " of %lld characters", max);
	else if (min == 0)
		snprintf(out, size, " of at most %lld characters", max);
	else
		snprintf(out, size, " of %lld to %lld characters", min, max);
}

static void
print_choices(const struct field *field, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (const char *const *choice = field->choices; *choice != NULL && used < size; choice++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", *choice);
}

/* The sentence that says what a field wants; it fits every way of missing it. */
static void
print_wanted(const struct field *field, char out[WANTED_SIZE])
{
	char more[WANTED_SIZE / 2];

	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_SECRET:
		print_length(field, more, sizeof(more));
		snprintf(out, WANTED_SIZE, "must be a text%s", more);
		break;
	case FIELD_MONEY:
		print_limits(field, more, sizeof(more));
		snprintf(out, WANTED_SIZE, "must be a number of dollars%s with at most %s decimals", more,
		    field->flags & FIELD_MICROS ? "six" : "two");
		break;
	case FIELD_NUMBER:
	case FIELD_INT:
		print_limits(field, more, sizeof(more));
		snprintf(
		    out, WANTED_SIZE, "must be a %s%s", field->type == FIELD_INT ? "whole number" : "number", more);
		break;
	case FIELD_BOOL:
		snprintf(out, WANTED_SIZE, "must be true or false");
		break;
	case FIELD_TIME:
		snprintf(out, WANTED_SIZE, "must be a time such as \"2026-02-05T12:00:00Z\"");
		break;
	case FIELD_CHOICE:
		print_choices(field, more, sizeof(more));
		snprintf(out, WANTED_SIZE, "must be one of %s", more);
		break;
	case FIELD_CHOICES:
		print_choices(field, more, sizeof(more));
		snprintf(out, WANTED_SIZE, "must be a list of one or more of %s, none twice", more);
		break;
	case FIELD_TEXTS:
		snprintf(out, WANTED_SIZE, "must be a list of 1 to %zu texts", field->max_items);
		break;
	case FIELD_OBJECT:
		snprintf(out, WANTED_SIZE, "must be an object");
		break;
	}
}

static int
refuse(const struct place *place)
{
	char wanted[WANTED_SIZE];

	print_wanted(place->field, wanted);
	return error_field(place->err, place->path, "%s", wanted);
}

/* A string without NUL, borrowed from the value; NULL if it is none. */
static const char *
plain_string(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* The text of a number; NULL for anything else. */
static const char *
number_text(struct json_object *value)
{
	bool is_number = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);

	return is_number ? json_object_get_string(value) : NULL;
}

static int
read_text(const struct place *place, struct json_object *value, char **out)
{
	const struct field *field = place->field;
	bool is_secret = field->type == FIELD_SECRET;
	const char *text = plain_string(value);
	int64_t length;
	char *copy;

	if (text == NULL) {
		if (json_object_is_type(value, json_type_string))
			return error_field(place->err, place->path, "must not hold a NUL character");
		return refuse(place);
	}
	copy = is_secret ? talloc_strdup(place->ctx, text) : text_trim(place->ctx, text);
	assert(copy != NULL);
	length = (int64_t)text_length(copy);
	if (has_limits(field) && (length < field->min || length > field->max)) {
		talloc_free(copy);
		return refuse(place);
	}
	if (!is_secret && text_has_control(copy, field->flags & FIELD_LINES)) {
		talloc_free(copy);
		return error_field(place->err, place->path, "must not hold control characters%s",
		    field->flags & FIELD_LINES ? "" : " or line breaks");
	}
	*out = copy;
	return 0;
}

static bool
is_within(const struct field *field, int64_t value)
{
	return !has_limits(field) || (value >= field->min && value <= field->max);
}

static int
read_money(const struct place *place, struct json_object *value, usd_micros *out)
{
	const struct field *field = place->field;
	const char *text = number_text(value);
	usd_micros amount;

	if (text == NULL || money_parse(text, &amount) || !is_within(field, amount) ||
	    (!(field->flags & FIELD_MICROS) && amount % USD_CENT != 0))
		return refuse(place);
	*out = amount;
	return 0;
}

/* json-c makes INT64_MIN of everything below it: it is refused, being no honest value of any field. */
static int
read_int(const struct place *place, struct json_object *value, int64_t *out)
{
	const char *text = number_text(value);
	int64_t number;

	if (text == NULL || text_decimal(text, 0, &number) || number == INT64_MIN || !is_within(place->field, number))
		return refuse(place);
	*out = number;
	return 0;
}

/* Whole numbers beyond 64 bits have lost their value in json-c (see read_int). */
static int
read_number(const struct place *place, struct json_object *value, double *out)
{
	const struct field *field = place->field;
	const char *text = number_text(value);
	int64_t whole;
	double number;

	if (text == NULL ||
	    (json_object_is_type(value, json_type_int) && (text_decimal(text, 0, &whole) || whole == INT64_MIN)))
		return refuse(place);
	number = json_object_get_double(value);
	if (!isfinite(number) || (has_limits(field) && (number < (double)field->min || number > (double)field->max)))
		return refuse(place);
	*out = number + 0.0; /* -0 is 0 */
	return 0;
}

static int
read_bool(const struct place *place, struct json_object *value, bool *out)
{
	if (!json_object_is_type(value, json_type_boolean))
		return refuse(place);
	*out = json_object_get_boolean(value);
	return 0;
}

static int
read_time(const struct place *place, struct json_object *value, int64_t *out)
{
	const char *text = plain_string(value);

	if (text == NULL || time_parse(text, out))
		return refuse(place);
	return 0;
}

static int
read_choice(const struct place *place, struct json_object *value, char **out)
{
	const char *text = plain_string(value);
	const char *const *choice = place->field->choices;

	while (text != NULL && *choice != NULL && strcmp(text, *choice) != 0)
		choice++;
	if (text == NULL || *choice == NULL)
		return refuse(place);
	*out = talloc_strdup(place->ctx, text);
	assert(*out != NULL);
	return 0;
}

static bool
list_has(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

/* An item of a list of choices or texts, as one field of that kind would be read. */
static int
read_item(const struct place *list_place, struct json_object *value, size_t index, char **out)
{
	bool is_choice = list_place->field->type == FIELD_CHOICES;
	struct field field = *list_place->field;
	struct place place = *list_place;
	char path[256];

	field.type = is_choice ? FIELD_CHOICE : FIELD_TEXT;
	snprintf(path, sizeof(path), "%s[%zu]", list_place->path, index);
	place.field = &field;
	place.path = path;
	return is_choice ? read_choice(&place, value, out) : read_text(&place, value, out);
}

/* An empty list is refused: it would look like an absent one, and for scopes that would mean all of them. */
static int
read_list(const struct place *place, struct json_object *value, struct text_list *out)
{
	const struct field *field = place->field;
	struct text_list list = { 0 };
	size_t count;
	bool is_bad = false;

	if (!json_object_is_type(value, json_type_array) || (count = json_object_array_length(value)) == 0 ||
	    (field->max_items > 0 && count > field->max_items))
		return refuse(place);
	list.items = talloc_zero_array(place->ctx, char *, (unsigned)count);
	assert(list.items != NULL);
	for (size_t i = 0; i < count; i++) {
		char *item;

		if (read_item(place, json_object_array_get_idx(value, i), i, &item))
			is_bad = true;
		else if (field->type == FIELD_CHOICES && list_has(&list, item))
			return refuse(place);
		else
			list.items[list.count++] = item;
	}
	if (is_bad)
		return -1;
	*out = list;
	return 0;
}

static void read_object(
    const struct place *outer, struct json_object *object, const struct field *fields, size_t count, void *out);

/* Reads one value into its member.  0, or -1 with its fault noted. */
static int
read_value(const struct place *place, struct json_object *value, void *at)
{
	const struct field *field = place->field;

	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_SECRET:
		return read_text(place, value, at);
	case FIELD_MONEY:
		return read_money(place, value, at);
	case FIELD_NUMBER:
		return read_number(place, value, at);
	case FIELD_INT:
		return read_int(place, value, at);
	case FIELD_BOOL:
		return read_bool(place, value, at);
	case FIELD_TIME:
		return read_time(place, value, at);
	case FIELD_CHOICE:
		return read_choice(place, value, at);
	case FIELD_CHOICES:
	case FIELD_TEXTS:
		return read_list(place, value, at);
	case FIELD_OBJECT:
		if (!json_object_is_type(value, json_type_object))
			return refuse(place);
		read_object(place, value, field->sub, field->sub_count, at);
		return 0;
	}
	assert(!"a field type that no reader knows");
	return -1;
}

static const struct field *
field_find(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	}
	return NULL;
}

/* "name", or "outer.name"; an unknown name may be long, and is cut. */
static char *
path_of(const char *outer, const char *name)
{
	char *path = talloc_asprintf(
	    NULL, "%s%s%.*s", outer, *outer != '\0' ? "." : "", (int)text_fit(name, NAME_SHOWN_MAX), name);

	assert(path != NULL);
	return path;
}

/* Reads the members that the table has into the struct, and names those that it has not. */
static void
read_object(const struct place *outer, struct json_object *object, const struct field *fields, size_t count, void *out)
{
	for (size_t i = 0; i < count; i++) {
		struct place place = *outer;
		struct json_object *value = NULL;
		char *path = path_of(outer->path, fields[i].name);

		place.field = &fields[i];
		place.path = path;
		json_object_object_get_ex(object, fields[i].name, &value);
		if (value == NULL) {
			if (fields[i].flags & FIELD_REQUIRED)
				error_field(outer->err, path, "is required");
		} else if (read_value(&place, value, (char *)out + fields[i].offset) == 0 && fields[i].has != 0) {
			*(bool *)((char *)out + fields[i].has) = true;
		}
		talloc_free(path);
	}
	json_object_object_foreach(object, name, unused)
	{
		(void)unused;
		if (field_find(fields, count, name) == NULL) {
			char *path = path_of(outer->path, name);

			error_field(outer->err, path, "is not a field of this call");
			talloc_free(path);
		}
	}
}

int
fields_read(const void *ctx, const char *json, size_t len, const struct field *fields, size_t count, void *out,
    struct error *err)
{
	struct place place = { .ctx = ctx, .err = err, .path = "" };
	struct json_object *object = strict_parse(json, len, err);

	if (object == NULL)
		return -1;
	read_object(&place, object, fields, count, out);
	json_object_put(object);
	return err->code == ERR_none ? 0 : -1;
}

/* A query's text as the JSON value that the field's type would have in a body; what does not fit stays a
 * text. */
static struct json_object *
query_value(const struct field *field, const char *text)
{
	int64_t ignored;

	if (field == NULL)
		return json_object_new_string("");
	assert(field->type != FIELD_OBJECT && field->type != FIELD_CHOICES && field->type != FIELD_TEXTS);
	switch (field->type) {
	case FIELD_MONEY:
	case FIELD_NUMBER:
	case FIELD_INT:
		if (text_decimal(text, 0, &ignored) == -1)
			break;
		return json_object_new_double_s(strtod(text, NULL), text);
	case FIELD_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_object_new_boolean(*text == 't');
		break;
	default:
		break;
	}
	return json_object_new_string(text);
}

/* Adds one "name=value" of the query to the object. */
static void
query_pair(const char *pair, size_t len, const struct field *fields, size_t count, struct json_object *object,
    struct error *err)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - pair) : len;
	char *name = text_percent_decode(NULL, pair, name_len, true), *value, *path;

	if (name == NULL) {
		error_field(err, "query", "must be UTF-8 in percent-encoding");
		return;
	}
	value =
	    equals != NULL ? text_percent_decode(name, equals + 1, len - name_len - 1, true) : talloc_strdup(name, "");
	path = talloc_steal(name, path_of("", name));
	if (json_object_object_get_ex(object, name, NULL))
		error_field(err, path, "is there twice");
	else if (value == NULL)
		error_field(err, path, "must be UTF-8 in percent-encoding");
	json_object_object_add(object, name, query_value(field_find(fields, count, name), value != NULL ? value : ""));
	talloc_free(name);
}

int
fields_read_query(
    const void *ctx, const char *query, const struct field *fields, size_t count, void *out, struct error *err)
{
	struct place place = { .ctx = ctx, .err = err, .path = "" };
	struct json_object *object = json_object_new_object();

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len > 0)
			query_pair(query, len, fields, count, object, err);
		query += len + (query[len] == '&');
	}
	read_object(&place, object, fields, count, out);
	json_object_put(object);
	return err->code == ERR_none ? 0 : -1;
}
