/* The log: whatever goes in, one line of JSON comes out. */
#include "base/log.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "capture.h"
#include "unit.h"

static void
a_line_has_its_head_and_then_the_fields(void **state)
{
	struct json_object *fields = json_object_new_object();
	char want[256];

	(void)state;
	now_set(1770681600123);
	log_open("tasks");
	log_request("req_1");
	json_object_object_add(fields, "path", json_object_new_string("/tasks"));
	json_object_object_add(fields, "pid", json_object_new_int(0)); /* the head cannot be overridden */
	capture_begin();
	log_event(LOG_LEVEL_INFO, "request", fields);
	snprintf(want, sizeof(want),
	    "{\"time\":\"2026-02-10T00:00:00.123Z\",\"level\":\"info\",\"program\":\"tasks\",\"pid\":%d,"
	    "\"request_id\":\"req_1\",\"event\":\"request\",\"path\":\"/tasks\"}\n",
	    (int)getpid());
	assert_string_equal(capture_end(), want);
	log_request(NULL);
	capture_begin();
	log_event(LOG_LEVEL_WARNING, "idle", NULL);
	assert_non_null(strstr(capture_end(), "\"request_id\":null,\"event\":\"idle\"}\n"));
	now_set(-1);
}

static void
hostile_text_stays_in_its_line(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "two\nlines", "two\\nlines" },
		{ "quote\" \\", "quote\\\" \\\\" },
		{ "\x1b[2J", "\\u001b[2J" },
		{ "\x7f", "\\u007f" },
		{ "\xc2\x9b"
		  "31m",
		    "\\u009b31m" },
		{ "\xe2\x80\xa8", "\\u2028" },
		{ "bad \xff byte", "bad \xef\xbf\xbd byte" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "cut \xf0\x9f\x98", "cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc3\xa9 \xf0\x9f\x98\x80", "\xc3\xa9 \xf0\x9f\x98\x80" },
		{ "", "" },
		{ "100%s", "100%s" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct json_object *line;
		char want[128];
		const char *got;

		snprintf(want, sizeof(want), "\"text\":\"%s\"}\n", rows[i].want);
		capture_begin();
		log_text(LOG_LEVEL_ERROR, "fault", "%s", rows[i].text);
		got = capture_end();
		if (strstr(got, want) == NULL || strchr(got, '\n') != got + strlen(got) - 1)
			fail_msg("row %zu: %s", i, got);
		assert_true(text_is_utf8(got, strlen(got)));
		line = json_tokener_parse(got);
		assert_non_null(line);
		json_object_put(line);
	}
}

static void
a_text_is_cut_at_a_thousand_bytes_and_stays_utf8(void **state)
{
	char text[3000], *end;
	const char *got;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[0] = 'a'; /* so that the cut falls into a character */
	text[1] = 'b';
	text[2] = 'c';
	text[3] = '\xc3';
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 4; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xa9\xc3", 2);
	capture_begin();
	log_text(LOG_LEVEL_INFO, "long", "%s", text);
	got = capture_end();
	assert_true(text_is_utf8(got, strlen(got)));
	end = strstr(got, "\"text\":\"");
	assert_non_null(end);
	assert_in_range(strlen(end), 1000, 1020);
}

static void
a_line_never_outgrows_what_a_pipe_takes_whole(void **state)
{
	struct json_object *fields = json_object_new_object();
	char *text = calloc(1, 10000);
	const char *got;

	(void)state;
	memset(text, '\x01', 9999);
	json_object_object_add(fields, "text", json_object_new_string(text));
	capture_begin();
	log_event(LOG_LEVEL_INFO, "huge", fields);
	got = capture_end();
	assert_true(strlen(got) <= PIPE_BUF);
	assert_non_null(strstr(got, "\"event\":\"huge\",\"cut_from_bytes\":"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_line_has_its_head_and_then_the_fields),
		cmocka_unit_test(hostile_text_stays_in_its_line),
		cmocka_unit_test(a_text_is_cut_at_a_thousand_bytes_and_stays_utf8),
		cmocka_unit_test(a_line_never_outgrows_what_a_pipe_takes_whole),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
