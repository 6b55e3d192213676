/* The clock, its shared offset over two processes, and RFC 3339. */
#include "base/now.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "capture.h"
#include "unit.h"

static void
times_are_read_as_rfc_3339_has_them(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.001Z", 1 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2026-02-10T00:00:00Z", 1770681600000 },
		{ "2026-02-10t00:00:00z", 1770681600000 },
		{ "2026-02-10T00:00:00.1239Z", 1770681600123 },
		{ "2026-02-10T00:00:00.5Z", 1770681600500 },
		{ "2026-02-10T00:00:00.99999999999999999999999999Z", 1770681600999 },
		{ "2026-02-10T01:30:00+01:30", 1770681600000 },
		{ "2026-02-09T19:00:00-05:00", 1770681600000 },
		{ "1969-12-31T23:00:00-02:00", 3600000 },
		{ "1970-01-01T01:00:00+02:00", -1 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2023-02-29T00:00:00Z", -1 },
		{ "2100-02-29T00:00:00Z", -1 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2026-04-31T00:00:00Z", -1 },
		{ "2026-13-01T00:00:00Z", -1 },
		{ "2026-00-01T00:00:00Z", -1 },
		{ "2026-01-00T00:00:00Z", -1 },
		{ "2026-01-01T24:00:00Z", -1 },
		{ "2026-01-01T23:60:00Z", -1 },
		{ "2026-01-01T23:59:61Z", -1 },
		{ "2016-12-31T23:59:60Z", 1483228799999 },
		{ "2016-12-31T23:59:60.5Z", 1483228799999 },
		{ "2017-01-01T00:59:60+01:00", 1483228799999 },
		{ "2016-12-31T12:00:60Z", -1 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 },
		{ "9999-12-31T23:59:59-00:01", -1 },
		{ "10000-01-01T00:00:00Z", -1 },
		{ "2026-02-10T00:00:00+24:00", -1 },
		{ "2026-02-10T00:00:00+01:60", -1 },
		{ "2026-02-10T00:00:00+0100", -1 },
		{ "2026-02-10T00:00:00", -1 },
		{ "2026-02-10T00:00Z", -1 },
		{ "2026-02-10 00:00:00Z", -1 },
		{ "2026-02-10", -1 },
		{ "", -1 },
		{ "2026-02-10T00:00:00.Z", -1 },
		{ "2026-02-10T00:00:00,5Z", -1 },
		{ "2026-02-10T00:00:00ZZ", -1 },
		{ " 2026-02-10T00:00:00Z", -1 },
		{ "2026-2-10T00:00:00Z", -1 },
		{ "+026-02-10T00:00:00Z", -1 },
		{ "2026-02-10T00:00:00Z ", -1 },
		{ "1770681600", -1 },
		{ "now", -1 },
		{ "2026-02-10T-1:00:00Z", -1 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		int64_t got = -1;
		int rc = time_parse(rows[i].text, &got);

		if (got != rows[i].want || rc != (rows[i].want < 0 ? -1 : 0))
			fail_msg("%s: %lld", rows[i].text, (long long)got);
	}
}

static void
times_are_printed_with_milliseconds(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1770681600123, "2026-02-10T00:00:00.123Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char text[TIME_TEXT_SIZE];

		time_print(rows[i].ms, text);
		assert_string_equal(text, rows[i].want);
	}
}

static void
every_day_that_is_printed_is_read_again(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms < 253402300800000; ms += 86400000 * 7 + 12345678) {
		char text[TIME_TEXT_SIZE];
		int64_t got = -1;

		time_print(ms, text);
		assert_int_equal(time_parse(text, &got), 0);
		assert_true(got == ms);
	}
}

static void
a_test_can_stop_the_clock_and_let_it_run(void **state)
{
	int64_t before;

	(void)state;
	now_set(1770681600000);
	assert_true(now_ms() == 1770681600000);
	now_set(0);
	assert_true(now_ms() == 0);
	now_set(-1);
	before = now_ms();
	assert_true(before > 1700000000000);
	assert_true(now_ms() >= before);
	assert_true(now_monotonic_ms() <= now_monotonic_ms());
}

static void
an_offset_is_shared_by_all_who_open_the_file(void **state)
{
	char folder[] = "/tmp/unit-now-XXXXXX", path[64];
	struct error err = { 0 };
	int64_t before = now_ms();
	struct stat st;
	int status;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/clock", folder);
	assert_int_equal(now_open(path, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(now_advance(0) == 0);
	child = fork();
	if (child == 0)
		_exit(now_open(path, &err) == 0 && now_advance(3600000) == 3600000 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(now_ms() >= before + 3600000);
	assert_true(now_advance(1000) == 3601000);
	assert_int_equal(now_open(path, &err), 0); /* opened again it is what it was */
	assert_true(now_advance(0) == 3601000);
	assert_true(now_advance(INT64_MAX) == 36525 * INT64_C(86400000));
	assert_true(now_ms() < 253402300799999);
	unlink(path);
	rmdir(folder);
}

static void
a_file_that_cannot_be_shared_is_a_fault(void **state)
{
	struct error err = { 0 };

	(void)state;
	capture_begin();
	assert_int_equal(now_open("/nonexistent/clock", &err), -1);
	assert_int_equal(err.code, ERR_internal);
	assert_int_equal(now_open("/dev/null", &err), -1);
	capture_end();
	error_clear(&err);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(times_are_read_as_rfc_3339_has_them),
		cmocka_unit_test(times_are_printed_with_milliseconds),
		cmocka_unit_test(every_day_that_is_printed_is_read_again),
		cmocka_unit_test(a_test_can_stop_the_clock_and_let_it_run),
		cmocka_unit_test(an_offset_is_shared_by_all_who_open_the_file),
		cmocka_unit_test(a_file_that_cannot_be_shared_is_a_fault),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
