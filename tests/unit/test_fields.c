/* Fields: every type at its limits, every way in which JSON can be a little wrong, every fault by its path.
 */
#include "base/fields.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/error.h"
#include "unit.h"

struct place {
	double lat;
	char *address;
	struct {
		int64_t floor;
	} inner;
};

struct form {
	char *title, *notes, *secret, *kind;
	usd_micros reward, gas;
	double weight;
	int64_t count, any, deadline;
	bool is_on, has_reward, has_on;
	struct place place;
	struct text_list scopes, proofs;
};

static const char *const kinds[] = { "PHOTO", "ARTIFACT", NULL };
static const char *const scopes[] = { "read", "tasks", "funds", NULL };

static const struct field inner_fields[] = {
	{ .name = "floor",
	    .type = FIELD_INT,
	    .offset = offsetof(struct place, inner.floor) - offsetof(struct place, inner) },
};
static const struct field place_fields[] = {
	{ .name = "lat",
	    .type = FIELD_NUMBER,
	    .flags = FIELD_REQUIRED,
	    .offset = offsetof(struct place, lat),
	    .min = -90,
	    .max = 90 },
	{ .name = "address", .type = FIELD_TEXT, .offset = offsetof(struct place, address), .max = 20 },
	{ .name = "inner",
	    .type = FIELD_OBJECT,
	    .offset = offsetof(struct place, inner),
	    .sub = inner_fields,
	    .sub_count = nitems(inner_fields) },
};

#define FIELD(n, t, ...) \
	{ \
		.name = #n, .type = t, .offset = offsetof(struct form, n), __VA_ARGS__ \
	}
static const struct field fields[] = {
	FIELD(title, FIELD_TEXT, .min = 1, .max = 5),
	FIELD(notes, FIELD_TEXT, .flags = FIELD_LINES),
	FIELD(secret, FIELD_SECRET, .min = 2, .max = 8),
	FIELD(kind, FIELD_CHOICE, .choices = kinds),
	FIELD(reward, FIELD_MONEY, .min = USD_CENT, .max = USD(100), .has = offsetof(struct form, has_reward)),
	FIELD(gas, FIELD_MONEY, .flags = FIELD_MICROS),
	FIELD(weight, FIELD_NUMBER),
	FIELD(count, FIELD_INT, .min = 1, .max = 100),
	FIELD(any, FIELD_INT),
	FIELD(deadline, FIELD_TIME),
	FIELD(is_on, FIELD_BOOL, .has = offsetof(struct form, has_on)),
	FIELD(place, FIELD_OBJECT, .sub = place_fields, .sub_count = nitems(place_fields)),
	FIELD(scopes, FIELD_CHOICES, .choices = scopes),
	FIELD(proofs, FIELD_TEXTS, .min = 1, .max = 4, .max_items = 3),
};
static const struct field strict_field[] = { FIELD(title, FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 5) };

#define DOLLARS "must be a number of dollars from 0.01 to 100 with at most two decimals"
#define MICROS "must be a number of dollars with at most six decimals"
#define COUNT "must be a whole number from 1 to 100"
#define NUMBER "must be a number"
#define LAT "must be a number from -90 to 90"
#define TITLE "must be a text of 1 to 5 characters"
#define ITEM "must be a text of 1 to 4 characters"
#define PROOFS "must be a list of 1 to 3 texts"
#define SCOPES "must be a list of one or more of read, tasks, funds, none twice"
#define TIME "must be a time such as \"2026-02-05T12:00:00Z\""
#define KIND "must be one of PHOTO, ARTIFACT"
#define UNKNOWN "is not a field of this call"
#define TWICE "is there twice"

/* Reads and fails unless exactly these faults ("path: sentence" joined by "; ", "" for none) come out. */
static void
expect_faults(const char *json, size_t len, const char *want)
{
	void *ctx = talloc_new(NULL);
	struct error err = { 0 };
	struct form form = { 0 };
	int rc = fields_read(ctx, json, len, fields, nitems(fields), &form, &err);
	struct json_object *found = NULL;
	char *got = talloc_strdup(ctx, "");

	if (err.code == ERR_validation_failed && json_object_object_get_ex(err.details, "fields", &found)) {
		json_object_object_foreach(found, path, sentence) got = talloc_asprintf_append(
		    got, "%s%s: %s", *got != '\0' ? "; " : "", path, json_object_get_string(sentence));
	} else if (err.code != ERR_none) {
		got = talloc_strdup(ctx, error_name(err.code));
	}
	if (strcmp(got, want) != 0 || (rc == 0) != (*want == '\0'))
		fail_msg("%s\n  got:  %s\n  want: %s", json, got, want);
	error_clear(&err);
	talloc_free(ctx);
}

static void
each_type_takes_its_own_and_names_what_it_wants(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{ "{}", "" },
		{ " {\t}\r\n", "" },
		{ "{\"title\":\"a\"}", "" },
		{ "{\"title\":\"  abcde  \"}", "" },
		{ "{\"title\":\"abcdef\"}", "title: " TITLE },
		{ "{\"title\":\"   \"}", "title: " TITLE },
		{ "{\"title\":\"\"}", "title: " TITLE },
		{ "{\"title\":null}", "" },
		{ "{\"title\":1}", "title: " TITLE },
		{ "{\"title\":[\"a\"]}", "title: " TITLE },
		{ "{\"title\":\"\\ud83d\\ude00\\u00e9\\u00e9\\u00e9\\u00e9\"}", "" },
		{ "{\"title\":\"a\\u0000b\"}", "title: must not hold a NUL character" },
		{ "{\"title\":\"a\\nb\"}", "title: must not hold control characters or line breaks" },
		{ "{\"title\":\"a\\u2028b\"}", "title: must not hold control characters or line breaks" },
		{ "{\"title\":\"a\\u009bb\"}", "title: must not hold control characters or line breaks" },
		{ "{\"notes\":\"a\\nb\\tc\"}", "" },
		{ "{\"notes\":\"\"}", "" },
		{ "{\"notes\":\"\\u001b\"}", "notes: must not hold control characters" },
		{ "{\"secret\":\" \\n \"}", "" },
		{ "{\"secret\":\"\\u001b\\u007f\"}", "" },
		{ "{\"secret\":\"a\\u0000b\"}", "secret: must not hold a NUL character" },
		{ "{\"secret\":\"a\"}", "secret: must be a text of 2 to 8 characters" },
		{ "{\"kind\":\"PHOTO\"}", "" },
		{ "{\"kind\":\"photo\"}", "kind: " KIND },
		{ "{\"kind\":\"\"}", "kind: " KIND },
		{ "{\"kind\":\"PHOTO\\u0000\"}", "kind: " KIND },
		{ "{\"kind\":\" PHOTO\"}", "kind: " KIND },
		{ "{\"kind\":0}", "kind: " KIND },
		{ "{\"reward\":25}", "" },
		{ "{\"reward\":25.0}", "" },
		{ "{\"reward\":1e1}", "" },
		{ "{\"reward\":0.01}", "" },
		{ "{\"reward\":100}", "" },
		{ "{\"reward\":100.00000000}", "" },
		{ "{\"reward\":100.01}", "reward: " DOLLARS },
		{ "{\"reward\":10.005}", "reward: " DOLLARS },
		{ "{\"reward\":0}", "reward: " DOLLARS },
		{ "{\"reward\":-0}", "reward: " DOLLARS },
		{ "{\"reward\":-1}", "reward: " DOLLARS },
		{ "{\"reward\":1e400}", "reward: " DOLLARS },
		{ "{\"reward\":1e-7}", "reward: " DOLLARS },
		{ "{\"reward\":\"25\"}", "reward: " DOLLARS },
		{ "{\"reward\":true}", "reward: " DOLLARS },
		{ "{\"reward\":{}}", "reward: " DOLLARS },
		{ "{\"reward\":18446744073709551616}", "reward: " DOLLARS },
		{ "{\"reward\":10.004999999999999999999999999999}", "reward: " DOLLARS },
		{ "{\"gas\":0.000001}", "" },
		{ "{\"gas\":1e-6}", "" },
		{ "{\"gas\":1e-7}", "gas: " MICROS },
		{ "{\"gas\":-0}", "" },
		{ "{\"gas\":9223372036854.775807}", "" },
		{ "{\"gas\":9223372036854.775808}", "gas: " MICROS },
		{ "{\"gas\":99999999999999999999999}", "gas: " MICROS },
		{ "{\"gas\":-99999999999999999999999}", "gas: " MICROS },
		{ "{\"weight\":1e3}", "" },
		{ "{\"weight\":-0.5}", "" },
		{ "{\"weight\":1e400}", "weight: " NUMBER },
		{ "{\"weight\":-1e400}", "weight: " NUMBER },
		{ "{\"weight\":1e-400}", "" },
		{ "{\"weight\":18446744073709551616}", "weight: " NUMBER },
		{ "{\"weight\":-9223372036854775809}", "weight: " NUMBER },
		{ "{\"weight\":\"1\"}", "weight: " NUMBER },
		{ "{\"weight\":false}", "weight: " NUMBER },
		{ "{\"count\":1}", "" },
		{ "{\"count\":100}", "" },
		{ "{\"count\":25.0}", "" },
		{ "{\"count\":2.5e1}", "" },
		{ "{\"count\":0}", "count: " COUNT },
		{ "{\"count\":101}", "count: " COUNT },
		{ "{\"count\":25.5}", "count: " COUNT },
		{ "{\"count\":\"1e1\"}", "count: " COUNT },
		{ "{\"count\":\"25.0\"}", "count: " COUNT },
		{ "{\"count\":true}", "count: " COUNT },
		{ "{\"any\":9223372036854775807}", "" },
		{ "{\"any\":-9223372036854775807}", "" },
		{ "{\"any\":9223372036854775808}", "any: must be a whole number" },
		{ "{\"any\":18446744073709551615}", "any: must be a whole number" },
		{ "{\"any\":18446744073709551617}", "any: must be a whole number" },
		{ "{\"any\":-9223372036854775809}", "any: must be a whole number" },
		{ "{\"any\":1e18}", "" },
		{ "{\"any\":1e19}", "any: must be a whole number" },
		{ "{\"is_on\":true}", "" },
		{ "{\"is_on\":false}", "" },
		{ "{\"is_on\":1}", "is_on: must be true or false" },
		{ "{\"is_on\":\"true\"}", "is_on: must be true or false" },
		{ "{\"deadline\":\"2026-02-10T00:00:00Z\"}", "" },
		{ "{\"deadline\":\"2026-02-30T00:00:00Z\"}", "deadline: " TIME },
		{ "{\"deadline\":1770681600}", "deadline: " TIME },
		{ "{\"deadline\":\"2026-02-10T00:00:00Z\\u0000\"}", "deadline: " TIME },
		{ "{\"place\":{\"lat\":90}}", "" },
		{ "{\"place\":{\"lat\":90.0000001}}", "place.lat: " LAT },
		{ "{\"place\":{}}", "place.lat: is required" },
		{ "{\"place\":{\"lat\":null}}", "place.lat: is required" },
		{ "{\"place\":[]}", "place: must be an object" },
		{ "{\"place\":\"here\"}", "place: must be an object" },
		{ "{\"place\":{\"lat\":1,\"lng\":2}}", "place.lng: " UNKNOWN },
		{ "{\"place\":null}", "" },
		{ "{\"place\":{\"lat\":1,\"inner\":{\"floor\":1.5}}}", "place.inner.floor: must be a whole number" },
		{ "{\"scopes\":[\"read\",\"funds\"]}", "" },
		{ "{\"scopes\":[]}", "scopes: " SCOPES },
		{ "{\"scopes\":[\"read\",\"read\"]}", "scopes: " SCOPES },
		{ "{\"scopes\":\"read\"}", "scopes: " SCOPES },
		{ "{\"scopes\":[\"read\",\"all\"]}", "scopes[1]: must be one of read, tasks, funds" },
		{ "{\"scopes\":{\"0\":\"read\"}}", "scopes: " SCOPES },
		{ "{\"proofs\":[\"a\",\"b\",\"c\"]}", "" },
		{ "{\"proofs\":[]}", "proofs: " PROOFS },
		{ "{\"proofs\":[\"a\",\"b\",\"c\",\"d\"]}", "proofs: " PROOFS },
		{ "{\"proofs\":[\"a\",\"\",\"abcde\"]}", "proofs[1]: " ITEM "; proofs[2]: " ITEM },
		{ "{\"proofs\":[null,1,[\"a\"]]}", "proofs[0]: " ITEM "; proofs[1]: " ITEM "; proofs[2]: " ITEM },
		{ "{\"Title\":\"a\"}", "Title: " UNKNOWN },
		{ "{\"\":1}", ": " UNKNOWN },
		{ "{\"titl\\u0065\":\"a\"}", "" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		expect_faults(rows[i].json, strlen(rows[i].json), rows[i].want);
}

static void
every_fault_is_named_at_once(void **state)
{
	static const char json[] = "{\"title\":1,\"reward\":\"25\",\"place\":{\"lat\":91,\"address\":7},\"foo\":1,"
				   "\"proofs\":[\"a\",2],\"count\":1,\"count\":2}";

	(void)state;
	expect_faults(json, strlen(json),
	    "count: " TWICE "; title: " TITLE "; reward: " DOLLARS "; place.lat: " LAT
	    "; place.address: must be a text of at most 20 characters; proofs[1]: " ITEM "; foo: " UNKNOWN);
}

static void
a_name_twice_is_found_at_any_depth_and_in_any_spelling(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{ "{\"count\":1,\"count\":1}", "count: " TWICE },
		{ "{\"count\":1,\"\\u0063ount\":1}", "count: " TWICE },
		{ "{\"\\u0063ount\":1,\"c\\u006Fun\\u0074\":1}", "count: " TWICE },
		{ "{\"count\":1,\"count\":1,\"count\":1}", "count: " TWICE },
		{ "{\"count\":null,\"count\":1}", "count: " TWICE },
		{ "{\"place\":{\"lat\":1,\"lat\":2}}", "place.lat: " TWICE },
		{ "{\"place\":{\"lat\":1},\"place\":{\"lat\":1}}", "place: " TWICE },
		{ "{\"place\":{\"lat\":1,\"inner\":{\"floor\":1,\"flo\\u006fr\":1}}}", "place.inner.floor: " TWICE },
		{ "{\"x\":[{\"a\":1},[1,{\"a\":1,\"b\":1,\"a\":1}]]}", "x[1][1].a: " TWICE "; x: " UNKNOWN },
		{ "{\"x\":{\"\\\"\":1,\"\\u0022\":1}}", "x.\": " TWICE "; x: " UNKNOWN },
		{ "{\"x\":{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":1}}",
		    "x.\xf0\x9f\x98\x80: " TWICE "; x: " UNKNOWN },
		{ "{\"x\":{\"a/b\":1,\"a\\/b\":1}}", "x.a/b: " TWICE "; x: " UNKNOWN },
		{ "{\"x\":[{\"a\":1},{\"a\":1}],\"notes\":\"\\\"notes\\\":1\"}", "x: " UNKNOWN },
		{ "{\"notes\":\"}{[],:\\\\\",\"title\":\"a\"}", "" },
		{ "{\"x\":{\"\":1,\"\":1}}", "x.: " TWICE "; x: " UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		expect_faults(rows[i].json, strlen(rows[i].json), rows[i].want);
}

static void
what_is_not_strictly_json_is_refused_with_reason_and_place(void **state)
{
	static const struct {
		const char *json;
		size_t len;
		const char *reason;
		int64_t offset; /* -1: somewhere */
	} rows[] = {
#define ROW(json, reason, offset) { json, sizeof(json) - 1, reason, offset }
#define NOT_HERE "This is not what JSON has here."
#define NUMBERS "This is no value as JSON writes them."
#define CONTROL "A text holds a control character that is not escaped."
#define HALF "A text holds half of a surrogate pair."
#define DEEP "The JSON is nested more than 16 levels deep."
#define EARLY "The JSON ends too early."
#define OBJECT "The body must be a JSON object."
#define UTF8 "The body is not UTF-8."
		ROW("", "The body is empty.", 0),
		ROW(" \n", "The body is empty.", -1),
		ROW("[]", OBJECT, 0),
		ROW("[{}]", OBJECT, 0),
		ROW("null", OBJECT, 0),
		ROW("true", OBJECT, 0),
		ROW("1", OBJECT, 0),
		ROW("\"{}\"", OBJECT, 0),
		ROW("NaN", OBJECT, 0),
		ROW("{", EARLY, -1),
		ROW("{\"a\"", EARLY, -1),
		ROW("{\"a\":1", EARLY, -1),
		ROW("{\"a\":\"x", EARLY, -1),
		ROW("{}x", NOT_HERE, 2),
		ROW("{} {}", NOT_HERE, 3),
		ROW("{},", NOT_HERE, 2),
		ROW("{}}", NOT_HERE, 2),
		ROW("{\"a\":1,}", NOT_HERE, -1),
		ROW("{,}", NOT_HERE, -1),
		ROW("{\"a\":[1,]}", NOT_HERE, -1),
		ROW("{\"a\":[,1]}", NOT_HERE, -1),
		ROW("{\"a\" 1}", NOT_HERE, -1),
		ROW("{\"a\":1 \"b\":2}", NOT_HERE, -1),
		ROW("{'a':1}", NUMBERS, 1),
		ROW("{'\"':1}", NUMBERS, 1),
		ROW("{'a\\u0022:{':1}", NUMBERS, 1),
		ROW("{\"a\":'b'}", NOT_HERE, -1),
		ROW("{a:1}", NOT_HERE, -1),
		ROW("{1:1}", NOT_HERE, -1),
		ROW("/**/{}", NOT_HERE, -1),
		ROW("{}//x", NOT_HERE, -1),
		ROW("{\"a\":1/**/}", NOT_HERE, -1),
		ROW("{\"a\":True}", NOT_HERE, -1),
		ROW("{\"a\":tru}", NOT_HERE, -1),
		ROW("{\"a\":undefined}", NOT_HERE, -1),
		ROW("{\"a\":NaN}", NUMBERS, 5),
		ROW("{\"a\":Infinity}", NUMBERS, 5),
		ROW("{\"a\":-Infinity}", NUMBERS, 5),
		ROW("{\"a\":1.}", NUMBERS, 5),
		ROW("{\"a\":1.e5}", NUMBERS, 5),
		ROW("{\"a\":-01}", NUMBERS, 5),
		ROW("{\"a\":00}", NUMBERS, 5),
		ROW("{\"a\":01}", NOT_HERE, -1),
		ROW("{\"a\":.5}", NOT_HERE, -1),
		ROW("{\"a\":+1}", NOT_HERE, -1),
		ROW("{\"a\":-}", NOT_HERE, -1),
		ROW("{\"a\":1e}", NOT_HERE, -1),
		ROW("{\"a\":0x10}", NOT_HERE, -1),
		ROW("{\"a\":1,5}", NOT_HERE, -1),
		ROW("{\"a\":\"x\ny\"}", CONTROL, 7),
		ROW("{\"a\":\"\x1f\"}", CONTROL, 6),
		ROW("{\"a\nb\":1}", CONTROL, 3),
		ROW("{\"a\":\"\\ud800\"}", HALF, 6),
		ROW("{\"a\":\"\\udc00x\"}", HALF, 6),
		ROW("{\"a\":\"\\ud800\\u0041\"}", HALF, 6),
		ROW("{\"a\":\"\\ud83d\\ude00\\ud83d\"}", HALF, 18),
		ROW("{\"\\udfff\":1}", HALF, 2),
		ROW("{\"a\":\"\\ude00\\ud83d\"}", HALF, 6),
		ROW("{\"a\":\"\\x\"}", NOT_HERE, -1),
		ROW("{\"a\":\"\\u12G4\"}", NOT_HERE, -1),
		ROW("{\"a\":\"\\u12\"}", NOT_HERE, -1),
		ROW("{\"a\\u0000b\":1}", "A name holds a NUL character.", -1),
		ROW("{\"count\\u0000\":1}", "A name holds a NUL character.", -1),
		ROW("{}\0", "The body holds a NUL byte.", 2),
		ROW("{\"a\":\"\0\"}", "The body holds a NUL byte.", 6),
		ROW("\xef\xbb\xbf{}", NOT_HERE, 0),
		ROW("{\"a\":\"\xc0\x80\"}", UTF8, 6),
		ROW("{\"a\":\"\xed\xa0\x80\"}", UTF8, 6),
		ROW("{\"a\":\"\xff\"}", UTF8, 6),
		ROW("{\"a\":\"\xe2\x82\"}", UTF8, 6),
		ROW("{\"a\":\"\xf4\x90\x80\x80\"}", UTF8, 6),
		ROW("\v{}", NOT_HERE, 0),
		ROW("{\"a\":1\f}", NOT_HERE, -1),
		ROW("{\xc2\xa0}", NOT_HERE, -1),
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct error err = { 0 };
		struct form form = { 0 };
		struct json_object *reason = NULL, *offset = NULL;

		assert_int_equal(fields_read(NULL, rows[i].json, rows[i].len, fields, nitems(fields), &form, &err), -1);
		json_object_object_get_ex(err.details, "reason", &reason);
		json_object_object_get_ex(err.details, "offset", &offset);
		if (err.code != ERR_body_invalid || reason == NULL || offset == NULL ||
		    strcmp(json_object_get_string(reason), rows[i].reason) != 0 ||
		    (size_t)json_object_get_int64(offset) > rows[i].len ||
		    (rows[i].offset >= 0 && json_object_get_int64(offset) != rows[i].offset))
			fail_msg("row %zu %s: %s", i, rows[i].json, json_object_to_json_string(err.details));
		error_clear(&err);
	}
}

static void
sixteen_levels_are_the_limit(void **state)
{
	char json[256];

	(void)state;
	for (int depth = 1; depth <= 20; depth++) {
		char *at = stpcpy(json, "{\"x\":");

		for (int i = 1; i < depth; i++)
			*at++ = '[';
		*at++ = depth % 2 ? '1' : ' ';
		for (int i = 1; i < depth; i++)
			*at++ = ']';
		stpcpy(at, "}");
		expect_faults(json, strlen(json), depth <= 16 ? "x: " UNKNOWN : "body_invalid");
	}
}

static void
values_arrive_in_the_struct(void **state)
{
	static const char json[] = "{\"title\":\" caf\\u00e9 \",\"secret\":\" x "
				   "\",\"kind\":\"ARTIFACT\",\"reward\":25.50,\"gas\":-0.000001,"
				   "\"weight\":-0.0,\"count\":25.0,\"any\":-3,\"deadline\":\"2026-02-10T01:"
				   "00:00+01:00\",\"is_on\":false,"
				   "\"place\":{\"lat\":40.7128,\"address\":null,\"inner\":{\"floor\":4}},"
				   "\"scopes\":[\"funds\",\"read\"],"
				   "\"proofs\":[\" a \",\"b\"]}";
	void *ctx = talloc_new(NULL);
	struct error err = { 0 };
	struct form form = { 0 };

	(void)state;
	assert_int_equal(fields_read(ctx, json, strlen(json), fields, nitems(fields), &form, &err), 0);
	assert_string_equal(form.title, "caf\xc3\xa9");
	assert_string_equal(form.secret, " x ");
	assert_string_equal(form.kind, "ARTIFACT");
	assert_null(form.notes);
	assert_true(form.reward == 25500000 && form.has_reward);
	assert_true(form.gas == -1);
	assert_true(form.weight == 0 && !signbit(form.weight));
	assert_true(form.count == 25 && form.any == -3);
	assert_true(form.deadline == 1770681600000);
	assert_true(!form.is_on && form.has_on);
	assert_true(form.place.lat == 40.7128 && form.place.address == NULL && form.place.inner.floor == 4);
	assert_int_equal(form.scopes.count, 2);
	assert_string_equal(form.scopes.items[0], "funds");
	assert_int_equal(form.proofs.count, 2);
	assert_string_equal(form.proofs.items[0], "a");
	talloc_free(ctx);
}

static void
fields_without_a_fault_are_read_beside_those_with_one(void **state)
{
	static const char json[] = "{\"count\":7,\"reward\":\"1\",\"is_on\":1}";
	struct error err = { 0 };
	struct form form = { 0 };

	(void)state;
	assert_int_equal(fields_read(NULL, json, strlen(json), fields, nitems(fields), &form, &err), -1);
	assert_true(form.count == 7 && !form.has_reward && !form.has_on);
	error_field(&err, "deadline", "must lie ahead");
	assert_true(error_has_field(&err, "reward") && error_has_field(&err, "deadline"));
	error_clear(&err);
	assert_int_equal(fields_read(NULL, "{\"title\":null}", 14, strict_field, 1, &form, &err), -1);
	assert_true(error_has_field(&err, "title"));
	error_clear(&err);
}

static void
a_flood_of_faults_is_answered_briefly(void **state)
{
	char *json = talloc_strdup(NULL, "{");
	struct error err = { 0 };
	struct form form = { 0 };

	(void)state;
	for (int i = 0; i < 300; i++) {
		json = talloc_asprintf_append_buffer(json, "\"%d", i);
		for (int k = 0; k < 25; k++)
			json = talloc_strdup_append_buffer(json, "\xf0\x9f\x98\x80\xc3\xa9");
		json = talloc_strdup_append_buffer(json, "\":1,");
	}
	json = talloc_strdup_append_buffer(json, "\"z\":1}");
	assert_int_equal(fields_read(NULL, json, strlen(json), fields, nitems(fields), &form, &err), -1);
	assert_in_range(strlen(json_object_to_json_string(err.details)), 1000, 10000);
	assert_true(
	    text_is_utf8(json_object_to_json_string(err.details), strlen(json_object_to_json_string(err.details))));
	error_clear(&err);
	talloc_free(json);
}

static void
a_query_is_read_by_the_same_table(void **state)
{
	static const struct {
		const char *query, *want;
	} rows[] = {
		{ "", "" },
		{ "&", "" },
		{ "count=5&title=a+b", "" },
		{ "count=5&&title=%61", "" },
		{ "count=25.0", "" },
		{ "count=", "count: " COUNT },
		{ "count", "count: " COUNT },
		{ "count=101", "count: " COUNT },
		{ "count=x", "count: " COUNT },
		{ "count=+5", "count: " COUNT },
		{ "count=05", "count: " COUNT },
		{ "count=NaN", "count: " COUNT },
		{ "count=99999999999999999999", "count: " COUNT },
		{ "weight=1e400", "weight: " NUMBER },
		{ "weight=18446744073709551616", "" },
		{ "reward=10.005", "reward: " DOLLARS },
		{ "is_on=true", "" },
		{ "is_on=1", "is_on: must be true or false" },
		{ "is_on=", "is_on: must be true or false" },
		{ "kind=PHOTO", "" },
		{ "kind=x", "kind: " KIND },
		{ "deadline=2026-02-10T00:00:00%2B01:00", "" },
		{ "deadline=2026-02-10T00:00:00+01:00", "deadline: " TIME },
		{ "title=", "title: " TITLE },
		{ "foo=1", "foo: " UNKNOWN },
		{ "count=1&count=1", "count: " TWICE },
		{ "count=1&%63ount=2", "count: " TWICE },
		{ "foo&foo", "foo: " TWICE },
		{ "title=%00", "title: must be UTF-8 in percent-encoding" },
		{ "title=%ff", "title: must be UTF-8 in percent-encoding" },
		{ "title=%e", "title: must be UTF-8 in percent-encoding" },
		{ "%ff=1", "query: must be UTF-8 in percent-encoding" },
		{ "=", ": " UNKNOWN },
		{ "title=a=b", "" },
		{ "title=a%0ab", "title: must not hold control characters or line breaks" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		void *ctx = talloc_new(NULL);
		struct error err = { 0 };
		struct form form = { 0 };
		struct json_object *found = NULL;
		char *got = talloc_strdup(ctx, "");
		int rc = fields_read_query(ctx, rows[i].query, fields, nitems(fields), &form, &err);

		if (rc != 0 && json_object_object_get_ex(err.details, "fields", &found)) {
			json_object_object_foreach(found, path, sentence) got =
			    talloc_asprintf_append(got, "%s: %s", path, json_object_get_string(sentence));
		}
		if (strcmp(got, rows[i].want) != 0 || (rc == 0) != (*got == '\0'))
			fail_msg("%s: %s", rows[i].query, got);
		error_clear(&err);
		talloc_free(ctx);
	}
}

static void
a_large_hostile_body_is_read_in_no_time(void **state)
{
	static const char *const pieces[] = { "\"a\":1,", "\"a\":[[[[[[[1]]]]]]],", "\"\\u0061\":\"\\ud83d\\ude00\"," };

	(void)state;
	for (size_t i = 0; i < nitems(pieces); i++) {
		char *json = talloc_strdup(NULL, "{");

		for (size_t len = 0; len < 250000; len += strlen(pieces[i]))
			json = talloc_strdup_append_buffer(json, pieces[i]);
		json = talloc_strdup_append_buffer(json, "\"b\":1}");
		expect_faults(json, strlen(json), "a: " TWICE "; b: " UNKNOWN);
		talloc_free(json);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(each_type_takes_its_own_and_names_what_it_wants),
		cmocka_unit_test(every_fault_is_named_at_once),
		cmocka_unit_test(a_name_twice_is_found_at_any_depth_and_in_any_spelling),
		cmocka_unit_test(what_is_not_strictly_json_is_refused_with_reason_and_place),
		cmocka_unit_test(sixteen_levels_are_the_limit),
		cmocka_unit_test(values_arrive_in_the_struct),
		cmocka_unit_test(fields_without_a_fault_are_read_beside_those_with_one),
		cmocka_unit_test(a_flood_of_faults_is_answered_briefly),
		cmocka_unit_test(a_query_is_read_by_the_same_table),
		cmocka_unit_test(a_large_hostile_body_is_read_in_no_time),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
