/*
 * The supervisor, with this program as what it supervises: run with the word "supervise" it keeps two
 * children that say on a pipe that they live.  (Renewal needs a program that can be executed anew, so one
 * file serves as both.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/now.h"
#include "base/supervise.h"
#include "base/text.h"

enum { WORKERS = 2, PATIENCE_MS = 10000 };

/* What a child reports, in one write. */
struct news {
	pid_t pid, supervisor;
	int index, inherited_fd;
	bool is_end; /* it was told to stop and does */
};

static const char *self; /* this program's path */

/* --- the supervised program --- */

static int
child(void *arg, int index)
{
	struct news news = { .pid = getpid(), .supervisor = getppid(), .index = index, .inherited_fd = *(int *)arg };
	int out = atoi(getenv("TEST_OUT"));
	bool is_stubborn = getenv("TEST_STUBBORN") != NULL;

	if (write(out, &news, sizeof news) != (ssize_t)sizeof news)
		return 1;
	if (getenv("TEST_CRASH") != NULL)
		return 3;
	while (!supervise_stopping() || is_stubborn)
		poll(NULL, 0, 20);
	news.is_end = true;
	return write(out, &news, sizeof news) == (ssize_t)sizeof news ? 0 : 1;
}

static int
run_program(int argc, char **argv)
{
	int inherited = supervise_inherited_fd();
	struct supervise supervise = {
		.name = "test",
		.argv = argv,
		.workers = WORKERS,
		.fd = atoi(getenv("TEST_OUT")),
		.child = child,
		.arg = &inherited,
		.stop_ms = 1000,
	};

	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return access(getenv("TEST_VETO"), F_OK) == 0 ? 1 : 0;
	return supervise_run(&supervise);
}

/* --- the tests --- */

struct run {
	pid_t pid;
	int in; /* the children's news */
};

static struct run
start(const char *name, const char *value)
{
	struct run run;
	char number[12];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	run.in = ends[0];
	fcntl(run.in, F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof number, "%d", ends[1]);
	run.pid = fork();
	if (run.pid == 0) {
		setenv("TEST_OUT", number, 1);
		setenv("TEST_VETO", "/nonexistent", 1);
		if (name != NULL)
			setenv(name, value, 1);
		execl(self, self, "supervise", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return run;
}

/* The next news, false at the end of the pipe (all have gone) or of our patience. */
static bool
next(const struct run *run, struct news *news)
{
	struct pollfd poll_fd = { .fd = run->in, .events = POLLIN };

	return poll(&poll_fd, 1, PATIENCE_MS) == 1 && read(run->in, news, sizeof *news) == (ssize_t)sizeof *news;
}

static void
end(struct run *run, int signal_number)
{
	int status;

	kill(run->pid, signal_number);
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	assert_int_equal(status, 0);
	close(run->in);
}

static void
term_and_int_stop_every_child(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < nitems(signals); i++) {
		struct run run = start(NULL, NULL);
		struct news news;
		int ends = 0, status;

		for (int j = 0; j < WORKERS; j++) {
			assert_true(next(&run, &news));
			assert_int_equal(news.supervisor, run.pid);
			assert_int_equal(news.inherited_fd, -1);
		}
		kill(run.pid, signals[i]);
		while (next(&run, &news))
			ends += news.is_end;
		assert_int_equal(ends, WORKERS);
		assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
		assert_int_equal(status, 0);
		close(run.in);
	}
}

static void
a_killed_child_is_replaced_in_its_place(void **state)
{
	struct run run = start(NULL, NULL);
	struct news first, other, again;

	(void)state;
	assert_true(next(&run, &first));
	assert_true(next(&run, &other));
	kill(first.pid, SIGKILL);
	assert_true(next(&run, &again));
	assert_int_equal(again.index, first.index);
	assert_int_not_equal(again.pid, first.pid);
	end(&run, SIGTERM);
}

static void
a_child_that_keeps_dying_is_started_ever_more_slowly(void **state)
{
	struct run run = start("TEST_CRASH", "1");
	int64_t begun = now_monotonic_ms();
	struct news news;

	(void)state;
	for (int i = 0; i < 4 * WORKERS; i++) /* at 0, 100, 300 and 700 ms */
		assert_true(next(&run, &news));
	assert_in_range(now_monotonic_ms() - begun, 650, 5000);
	end(&run, SIGTERM);
}

static void
hup_renews_the_program_and_keeps_pid_and_fd(void **state)
{
	struct run run = start(NULL, NULL);
	struct news old[WORKERS], news;
	int ends = 0, starts = 0;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &old[i]));
	for (int round = 0; round < 3; round++) {
		ends = starts = 0;
		kill(run.pid, SIGHUP);
		while (ends + starts < 2 * WORKERS) {
			assert_true(next(&run, &news));
			assert_int_equal(news.supervisor, run.pid);
			if (news.is_end)
				ends++;
			else
				starts++;
			assert_true(news.is_end || news.inherited_fd >= 0);
		}
		assert_int_equal(starts, WORKERS);
	}
	end(&run, SIGTERM);
}

static void
hup_changes_nothing_if_the_check_fails(void **state)
{
	struct run run = start("TEST_VETO", self);
	struct pollfd poll_fd = { .fd = run.in, .events = POLLIN };
	struct news news;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &news));
	kill(run.pid, SIGHUP);
	assert_int_equal(poll(&poll_fd, 1, 500), 0);
	end(&run, SIGTERM);
}

static void
signals_in_a_heap_are_all_heeded(void **state)
{
	struct run run = start(NULL, NULL);
	struct news news;

	(void)state;
	assert_true(next(&run, &news));
	for (int i = 0; i < 20; i++)
		kill(run.pid, SIGHUP);
	end(&run, SIGTERM);
}

static void
a_child_that_does_not_finish_is_killed(void **state)
{
	struct run run = start("TEST_STUBBORN", "1");
	int64_t begun;
	struct news news;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &news));
	begun = now_monotonic_ms();
	end(&run, SIGTERM);
	assert_in_range(now_monotonic_ms() - begun, 1000, 5000);
}

static void
an_old_child_that_does_not_finish_is_killed(void **state)
{
	struct run run = start("TEST_STUBBORN", "1");
	int64_t begun = now_monotonic_ms();
	struct news old[WORKERS], news;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &old[i]));
	kill(run.pid, SIGHUP);
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &news));
	while (kill(old[0].pid, 0) == 0 && now_monotonic_ms() < begun + PATIENCE_MS)
		poll(NULL, 0, 10);
	assert_in_range(now_monotonic_ms() - begun, 1000, 5000);
	assert_int_equal(kill(news.pid, 0), 0); /* the new ones stay */
	end(&run, SIGTERM);
}

static void
children_end_with_a_supervisor_that_is_killed(void **state)
{
	struct run run = start(NULL, NULL);
	struct news news;
	int ends = 0;

	(void)state;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &news));
	kill(run.pid, SIGKILL);
	assert_int_equal(waitpid(run.pid, NULL, 0), run.pid);
	while (next(&run, &news))
		ends += news.is_end;
	assert_int_equal(ends, WORKERS);
	close(run.in);
}

static void
a_program_named_by_a_relative_path_is_found_again(void **state)
{
	char name[] = "./test_supervise", folder[4096];
	struct run run;
	struct news news;
	const char *absolute = self;

	(void)state;
	snprintf(folder, sizeof folder, "%s", self);
	*strrchr(folder, '/') = '\0';
	if (strcmp(strrchr(self, '/'), "/test_supervise") != 0 || chdir(folder) != 0)
		skip();
	self = name;
	run = start(NULL, NULL);
	self = absolute;
	for (int i = 0; i < WORKERS; i++)
		assert_true(next(&run, &news));
	kill(run.pid, SIGHUP);
	for (int i = 0; i < 2 * WORKERS; i++)
		assert_true(next(&run, &news));
	end(&run, SIGTERM);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(term_and_int_stop_every_child),
		cmocka_unit_test(a_killed_child_is_replaced_in_its_place),
		cmocka_unit_test(a_child_that_keeps_dying_is_started_ever_more_slowly),
		cmocka_unit_test(hup_renews_the_program_and_keeps_pid_and_fd),
		cmocka_unit_test(hup_changes_nothing_if_the_check_fails),
		cmocka_unit_test(signals_in_a_heap_are_all_heeded),
		cmocka_unit_test(a_child_that_does_not_finish_is_killed),
		cmocka_unit_test(an_old_child_that_does_not_finish_is_killed),
		cmocka_unit_test(children_end_with_a_supervisor_that_is_killed),
		cmocka_unit_test(a_program_named_by_a_relative_path_is_found_again),
	};
	char *path;
	int rc;

	if (argc > 1)
		return run_program(argc, argv);
	path = realpath("/proc/self/exe", NULL);
	self = path;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(path);
	return rc;
}
