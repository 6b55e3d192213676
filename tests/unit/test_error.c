/* The error type: table, details, faults of fields, what reaches the log. */
#include "base/error.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "unit.h"

static const char *
details(const struct error *err)
{
	return json_object_to_json_string_ext(err->details, JSON_C_TO_STRING_PLAIN);
}

static void
every_code_has_a_name_a_status_and_a_sentence(void **state)
{
	(void)state;
	for (int code = ERR_none + 1; code < ERR_count; code++) {
		const char *name = error_name((enum error_code)code), *text = error_text((enum error_code)code);

		assert_in_range(error_status((enum error_code)code), 400, 599);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		assert_int_equal(text[strlen(text) - 1], '.');
		assert_int_equal(error_find(name), code);
	}
	assert_int_equal(error_find("task_not_found"), ERR_task_not_found);
	assert_int_equal(error_status(ERR_task_not_found), 404);
	assert_int_equal(error_find("none"), ERR_none);
	assert_int_equal(error_find("no_such_code"), ERR_none);
	assert_int_equal(error_find(""), ERR_none);
}

static void
setting_an_error_forgets_the_one_before(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_clear(&err);
	assert_int_equal(error_set(&err, ERR_task_state_conflict), -1);
	assert_int_equal(error_detail(&err, "status", json_object_new_string("PENDING")), -1);
	assert_int_equal(error_detail(&err, "at", NULL), -1);
	assert_string_equal(details(&err), "{\"status\":\"PENDING\",\"at\":null}");
	err.retry_after_s = 3;
	error_set(&err, ERR_not_found);
	assert_null(err.details);
	assert_int_equal(err.retry_after_s, 0);
	error_clear(&err);
	assert_int_equal(err.code, ERR_none);
}

static void
the_first_fault_of_a_field_stays(void **state)
{
	struct error err = { 0 };

	(void)state;
	error_set(&err, ERR_not_found);
	assert_false(error_has_field(&err, "a"));
	assert_int_equal(error_field(&err, "a", "must be %d", 1), -1);
	error_field(&err, "a", "second");
	error_field(&err, "b.c", "%s", "100%");
	assert_int_equal(err.code, ERR_validation_failed);
	assert_string_equal(details(&err), "{\"fields\":{\"a\":\"must be 1\",\"b.c\":\"100%\"}}");
	assert_true(error_has_field(&err, "a"));
	assert_false(error_has_field(&err, "b"));
	error_set(&err, ERR_internal);
	assert_false(error_has_field(&err, "a"));
	error_clear(&err);
}

static void
faults_are_capped_at_fifty(void **state)
{
	struct error err = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		error_field(&err, name, "bad");
	}
	assert_true(error_has_field(&err, "f49"));
	assert_false(error_has_field(&err, "f50"));
	error_clear(&err);
}

static void
our_own_fault_is_logged_with_its_place_and_told_to_nobody(void **state)
{
	struct error err = { 0 };
	const char *line;

	(void)state;
	capture_begin();
	assert_int_equal(error_internal(&err, "broken: %s", "pipe"), -1);
	line = capture_end();
	assert_non_null(strstr(line, "\"level\":\"error\""));
	assert_non_null(strstr(line, "\"event\":\"fault\",\"text\":\"broken: pipe\",\"place\":\""));
	assert_non_null(strstr(line, "test_error.c:"));
	assert_int_equal(err.code, ERR_internal);
	assert_null(err.details);
	error_clear(&err);
}

static void
what_is_away_is_a_warning_and_names_a_second_or_more(void **state)
{
	struct error err = { 0 };
	const char *line;

	(void)state;
	capture_begin();
	assert_int_equal(error_unavailable(&err, 0, "database: %s", "gone"), -1);
	line = capture_end();
	assert_non_null(strstr(line, "\"level\":\"warning\""));
	assert_non_null(strstr(line, "\"event\":\"unavailable\",\"text\":\"database: gone\""));
	assert_int_equal(err.code, ERR_unavailable);
	assert_int_equal(err.retry_after_s, 1);
	capture_begin();
	error_unavailable(&err, 7, "again");
	capture_end();
	assert_int_equal(err.retry_after_s, 7);
	error_clear(&err);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_code_has_a_name_a_status_and_a_sentence),
		cmocka_unit_test(setting_an_error_forgets_the_one_before),
		cmocka_unit_test(the_first_fault_of_a_field_stays),
		cmocka_unit_test(faults_are_capped_at_fifty),
		cmocka_unit_test(our_own_fault_is_logged_with_its_place_and_told_to_nobody),
		cmocka_unit_test(what_is_away_is_a_warning_and_names_a_second_or_more),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
