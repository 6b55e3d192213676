/* Rate windows: exact counting, also by several programs at once, and what becomes of a bad or full table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/text.h"
#include "http/window.h"

#define NOON INT64_C(1770292800000) /* a whole hour, so a window's first moment */

static char folder[] = "/tmp/humanops-window-XXXXXX";
static char path[64];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/windows", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails if a temporary name was left behind */
}

static int
fresh(void **state)
{
	struct error err = { 0 };

	unlink(path);
	*state = window_open(path, &err);
	return *state == NULL ? -1 : 0;
}

static int
done(void **state)
{
	window_close(*state);
	return 0;
}

static void
the_limit_passes_and_one_more_is_refused(void **state)
{
	static const struct window_limit limit = { 3, 60 };
	static const struct {
		int64_t ms;
		bool is_refused;
		int remaining, reset_s;
	} rows[] = {
		{ NOON, false, 2, 60 },
		{ NOON + 999, false, 1, 60 },
		{ NOON + 30000, false, 0, 30 },
		{ NOON + 59000, true, 0, 1 },
		{ NOON + 59999, true, 0, 1 },
		{ NOON + 60000, false, 2, 60 },
		{ NOON + 150000, false, 2, 30 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct window_state got = window_hit(*state, "192.0.2.1", "/tasks", limit, rows[i].ms);

		assert_int_equal(got.is_refused, rows[i].is_refused);
		assert_int_equal(got.limit, 3);
		assert_int_equal(got.remaining, rows[i].remaining);
		assert_int_equal(got.reset_s, rows[i].reset_s);
	}
}

static void
addresses_paths_and_lengths_count_apart(void **state)
{
	static const struct {
		const char *address, *path;
		int seconds, remaining;
	} rows[] = {
		{ "192.0.2.1", "/a", 60, 9 },
		{ "192.0.2.1", "/b", 60, 9 },
		{ "192.0.2.2", "/a", 60, 9 },
		{ "192.0.2.1", "/a", 3600, 9 },
		{ "192.0.2.1", "/a", 60, 8 },
		{ "::ffff:192.0.2.1", "/a", 60, 7 },
		{ "2001:db8:1:2::1", "/a", 60, 9 },
		{ "2001:db8:1:2:ffff::", "/a", 60, 8 },
		{ "2001:db8:1:3::1", "/a", 60, 9 },
		{ "", "/a", 60, 9 },
		{ "unix:", "/a", 60, 9 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct window_limit limit = { 10, rows[i].seconds };

		assert_int_equal(
		    window_hit(*state, rows[i].address, rows[i].path, limit, NOON).remaining, rows[i].remaining);
	}
}

static void
a_clock_going_back_gives_no_fresh_window(void **state)
{
	static const struct window_limit limit = { 3, 60 };
	struct window_state got;

	window_hit(*state, "192.0.2.1", "/", limit, NOON);
	got = window_hit(*state, "192.0.2.1", "/", limit, NOON - 1000);
	assert_int_equal(got.remaining, 1);
	assert_int_equal(got.reset_s, 61);
	/* Set back by days, it must not lock anybody out for days. */
	got = window_hit(*state, "192.0.2.1", "/", limit, NOON - INT64_C(86400000) * 3);
	assert_int_equal(got.remaining, 2);
	assert_int_equal(got.reset_s, 60);
}

static void
every_worker_sees_the_same_count(void **state)
{
	static const struct window_limit limit = { 100, 60 };
	struct error err = { 0 };
	struct window_table *other = window_open(path, &err);

	assert_non_null(other);
	assert_int_equal(window_hit(*state, "192.0.2.1", "/", limit, NOON).remaining, 99);
	assert_int_equal(window_hit(other, "192.0.2.1", "/", limit, NOON).remaining, 98);
	assert_int_equal(window_hit(*state, "192.0.2.1", "/", limit, NOON).remaining, 97);
	window_close(other);
}

enum { PROGRAMS = 4, HITS = 10000 };

/* Each opens the file for itself, so that making it is part of the race. */
static void
hammer(int *passed)
{
	static const struct window_limit limit = { 25000, 86400 };
	struct error err = { 0 };
	struct window_table *table = window_open(path, &err);

	for (int i = 0; table != NULL && i < HITS; i++) {
		if (!window_hit(table, "192.0.2.1", "/", limit, NOON).is_refused)
			++*passed;
		window_hit(table, "192.0.2.2", i % 2 ? "/odd" : "/even", limit, NOON);
	}
	window_close(table);
	_exit(table != NULL ? 0 : 1);
}

static void
programs_that_start_and_count_at_once_lose_nothing(void **state)
{
	static const struct window_limit limit = { 60000, 86400 };
	int *passed = mmap(NULL, PROGRAMS * sizeof *passed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct error err = { 0 };
	struct window_table *table;
	int status, sum = 0;

	(void)state;
	unlink(path);
	for (int i = 0; i < PROGRAMS; i++) {
		if (fork() == 0)
			hammer(&passed[i]);
	}
	for (int i = 0; i < PROGRAMS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < PROGRAMS; i++)
		sum += passed[i];
	assert_int_equal(sum, 25000);
	table = window_open(path, &err);
	assert_int_equal(window_hit(table, "192.0.2.1", "/", limit, NOON).remaining, 60000 - PROGRAMS * HITS - 1);
	assert_int_equal(
	    window_hit(table, "192.0.2.2", "/odd", limit, NOON).remaining, 60000 - PROGRAMS * HITS / 2 - 1);
	window_close(table);
	munmap(passed, PROGRAMS * sizeof *passed);
}

static void
a_full_table_keeps_its_busiest_entries(void **state)
{
	static const struct window_limit limit = { 10, 60 };
	char name[32];

	for (int i = 0; i < 12; i++)
		window_hit(*state, "192.0.2.1", "/busy", limit, NOON);
	for (int i = 0; i < 300000; i++) { /* more than twice what it holds */
		snprintf(name, sizeof name, "/%d", i);
		assert_false(window_hit(*state, "192.0.2.1", name, limit, NOON).is_refused);
	}
	assert_true(window_hit(*state, "192.0.2.1", "/busy", limit, NOON).is_refused);
}

static void
the_sweep_forgets_what_is_over(void **state)
{
	static const struct window_limit minute = { 10, 60 }, hour = { 10, 3600 };

	window_hit(*state, "192.0.2.1", "/a", minute, NOON);
	window_hit(*state, "192.0.2.1", "/b", minute, NOON);
	window_hit(*state, "192.0.2.1", "/c", hour, NOON);
	assert_int_equal(window_sweep(*state, NOON + 59999), 0);
	assert_int_equal(window_sweep(*state, NOON + 60000), 2);
	assert_int_equal(window_sweep(*state, NOON + 60000), 0);
	assert_int_equal(window_hit(*state, "192.0.2.1", "/c", hour, NOON + 60000).remaining, 8);
	assert_int_equal(window_hit(*state, "192.0.2.1", "/a", minute, NOON + 60000).remaining, 9);
}

static void
a_file_that_is_no_table_is_replaced(void **state)
{
	static const struct {
		const char *text;
		off_t size;
	} rows[] = {
		{ "", 0 },
		{ "garbage", 7 },
		{ "garbage", 2097216 },
		{ "HumanOps-rate-1", 100 },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		FILE *file = fopen(path, "w");
		struct window_table *one, *two;
		struct stat st;

		assert_non_null(file);
		fputs(rows[i].text, file);
		fclose(file);
		assert_int_equal(truncate(path, rows[i].size), 0);
		one = window_open(path, &err);
		two = window_open(path, &err);
		assert_non_null(one);
		assert_non_null(two);
		window_hit(one, "192.0.2.1", "/", (struct window_limit){ 10, 60 }, NOON);
		assert_int_equal(window_hit(two, "192.0.2.1", "/", (struct window_limit){ 10, 60 }, NOON).remaining, 8);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		window_close(one);
		window_close(two);
	}
}

static void
a_place_that_cannot_hold_the_file_is_an_error(void **state)
{
	static const char *const places[] = { "/nonexistent/windows", "/tmp" };

	(void)state;
	for (size_t i = 0; i < nitems(places); i++) {
		struct error err = { 0 };

		assert_null(window_open(places[i], &err));
		assert_int_equal(err.code, ERR_internal);
		error_clear(&err);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_limit_passes_and_one_more_is_refused, fresh, done),
		cmocka_unit_test_setup_teardown(addresses_paths_and_lengths_count_apart, fresh, done),
		cmocka_unit_test_setup_teardown(a_clock_going_back_gives_no_fresh_window, fresh, done),
		cmocka_unit_test_setup_teardown(every_worker_sees_the_same_count, fresh, done),
		cmocka_unit_test(programs_that_start_and_count_at_once_lose_nothing),
		cmocka_unit_test_setup_teardown(a_full_table_keeps_its_busiest_entries, fresh, done),
		cmocka_unit_test_setup_teardown(the_sweep_forgets_what_is_over, fresh, done),
		cmocka_unit_test(a_file_that_is_no_table_is_replaced),
		cmocka_unit_test(a_place_that_cannot_hold_the_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
