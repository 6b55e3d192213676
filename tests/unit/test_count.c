/* Counters of several programs in one file: exact also when many count at once, usable whoever was killed, and never more than fit. */
#include "unit.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/count.h"
#include "base/error.h"

enum { CHILDREN = 4, EACH = 20000 };

static char folder[] = "/tmp/humanops-count-XXXXXX";

/* The one file that is in the folder. */
static void
find_file(char path[300])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.') {
			snprintf(path, 300, "%s/%s", folder, entry->d_name);
			count++;
		}
	closedir(dir);
	assert_int_equal(count, 1);
}

static int
fresh(void **state)
{
	struct error err = { 0 };

	(void)state;
	strcpy(folder, "/tmp/humanops-count-XXXXXX");
	return mkdtemp(folder) == NULL || count_open(folder, "tasks", &err);
}

static int
done(void **state)
{
	char path[300];

	(void)state;
	count_close();
	find_file(path);
	unlink(path);
	return rmdir(folder);
}

/* What count_print gives, until the next call. */
static char *
print(void)
{
	static char text[1 << 20];
	FILE *out = fmemopen(text, sizeof text, "w");

	count_print(out);
	fclose(out);
	return text;
}

/* The value of a series, by the line's beginning; -1: there is none. */
static long
value_of(const char *series)
{
	const char *line = strstr(print(), series);

	return line == NULL ? -1 : strtol(line + strlen(series), NULL, 10);
}

#define REQUESTS(labels) "\nhumanops_http_requests_total{program=\"tasks\"," labels "} "

static void
counts_are_printed_by_program_and_labels(void **state)
{
	struct error err = { 0 };

	(void)state;
	count_add(COUNT_http_requests, 1, COUNT_LABELS("/tasks/:id", "GET", "200"));
	count_add(COUNT_http_requests, 2, COUNT_LABELS("/tasks/:id", "GET", "200"));
	count_add(COUNT_http_requests, 1, COUNT_LABELS("/tasks/:id", "GET", "404"));
	count_add(COUNT_database_connections, 1, NULL);
	count_add(COUNT_database_errors, 0, COUNT_LABELS("lost"));
	assert_int_equal(value_of(REQUESTS("route=\"/tasks/:id\",method=\"GET\",status=\"200\"")), 3);
	assert_int_equal(value_of(REQUESTS("route=\"/tasks/:id\",method=\"GET\",status=\"404\"")), 1);
	assert_int_equal(value_of("\nhumanops_database_connections_total{program=\"tasks\"} "), 1);
	assert_int_equal(value_of("\nhumanops_database_errors_total{program=\"tasks\",reason=\"lost\"} "), 0);
	assert_int_equal(value_of("\nhumanops_counts_lost_total "), 0);
	/* Another program, the same file; its counts are its own, and it prints all. */
	assert_int_equal(count_open(folder, "agents", &err), 0);
	count_add(COUNT_database_connections, 5, NULL);
	assert_int_equal(value_of("\nhumanops_database_connections_total{program=\"agents\"} "), 5);
	assert_int_equal(value_of("\nhumanops_database_connections_total{program=\"tasks\"} "), 1);
}

#define BUCKET(le) "\nhumanops_job_duration_seconds_bucket{program=\"tasks\",kind=\"mail\",le=\"" le "\"} "
#define JOB(what) "\nhumanops_job_duration_seconds_" what "{program=\"tasks\",kind=\"mail\"} "

static void
durations_fall_into_their_buckets(void **state)
{
	static const int64_t times_ms[] = { 0, 5, 6, 10, 250, 30000, 30001, 100000 };
	static const struct {
		const char *le;
		long want;
	} rows[] = { { BUCKET("0.005"), 2 }, { BUCKET("0.01"), 4 }, { BUCKET("0.1"), 4 }, { BUCKET("0.25"), 5 },
		{ BUCKET("30"), 6 }, { BUCKET("+Inf"), 8 }, { JOB("count"), 8 } };

	(void)state;
	for (size_t i = 0; i < nitems(times_ms); i++)
		count_time(COUNT_job_seconds, times_ms[i], COUNT_LABELS("mail"));
	for (size_t i = 0; i < nitems(rows); i++)
		assert_int_equal(value_of(rows[i].le), rows[i].want);
	assert_non_null(strstr(print(), JOB("sum") "160.272\n"));
}

static void
every_metric_has_its_sentence_and_type_before_its_series(void **state)
{
	char *text, *help, *type;

	(void)state;
	count_add(COUNT_jobs, 1, COUNT_LABELS("mail", "done"));
	text = print();
	assert_ptr_equal(strstr(text, "# HELP humanops_http_requests_total Requests "), text);
	help = strstr(text, "# HELP humanops_jobs_total ");
	type = strstr(text, "\n# TYPE humanops_jobs_total counter\n");
	assert_true(help != NULL && type != NULL && help < type && type < strstr(text, "\nhumanops_jobs_total{"));
	assert_non_null(strstr(text, "# TYPE humanops_job_duration_seconds histogram\n"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void
many_processes_that_count_at_once_lose_nothing(void **state)
{
	pid_t children[CHILDREN];
	int status;

	(void)state;
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			for (int j = 0; j < EACH; j++)
				count_add(COUNT_jobs, 1, COUNT_LABELS(j % 2 == 0 ? "mail" : "push", "done"));
			_exit(0);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(
	    value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"mail\",outcome=\"done\"} "), CHILDREN * EACH / 2);
	assert_int_equal(
	    value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"push\",outcome=\"done\"} "), CHILDREN * EACH / 2);
}

static void
a_killed_program_leaves_a_file_that_goes_on(void **state)
{
	struct error err = { 0 };
	long before;

	(void)state;
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		char kind[8];

		if (child == 0) {
			for (int j = 0;; j++) {
				snprintf(kind, sizeof kind, "%d", j % 50);
				count_add(COUNT_jobs, 1, COUNT_LABELS(kind, "done"));
				count_time(COUNT_job_seconds, j, COUNT_LABELS(kind));
			}
		}
		usleep(1000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	assert_int_equal(count_open(folder, "tasks", &err), 0);
	before = value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"0\",outcome=\"done\"} ");
	assert_true(before > 0);
	count_add(COUNT_jobs, 1, COUNT_LABELS("0", "done"));
	assert_int_equal(value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"0\",outcome=\"done\"} "), before + 1);
}

static void
what_a_program_left_undescribed_is_described_by_the_next(void **state)
{
	static const char label[] = "program=\"tasks\",kind=\"mail\",outcome=\"dead\"";
	char path[300], *file, *at;
	struct stat st;
	int fd;

	(void)state;
	count_add(COUNT_jobs, 3, COUNT_LABELS("mail", "dead"));
	find_file(path);
	fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(file != MAP_FAILED);
	at = memmem(file, (size_t)st.st_size, label, sizeof label);
	assert_non_null(at);
	/* As if killed between claiming the place and writing to it: the tag stands, the mark, the name and the labels do not. */
	memset(at - 8, 0, 8 + sizeof label);
	munmap(file, (size_t)st.st_size);
	assert_int_equal(value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"mail\",outcome=\"dead\"} "), -1);
	count_add(COUNT_jobs, 1, COUNT_LABELS("mail", "dead"));
	assert_int_equal(value_of("\nhumanops_jobs_total{program=\"tasks\",kind=\"mail\",outcome=\"dead\"} "), 4);
}

static void
a_full_file_counts_what_found_no_room(void **state)
{
	char status[12];
	long kept = 0, lost;

	(void)state;
	for (int i = 0; i < 6000; i++) {
		snprintf(status, sizeof status, "%d", i);
		count_add(COUNT_http_requests, 1, COUNT_LABELS("/", "GET", status));
	}
	lost = value_of("\nhumanops_counts_lost_total ");
	for (char *at = print(); (at = strstr(at, "\nhumanops_http_requests_total{")) != NULL; at++)
		kept++;
	assert_true(kept > 3000 && kept <= 4096);
	assert_int_equal(kept + lost, 6000);
}

static void
before_the_file_is_open_nothing_is_counted(void **state)
{
	struct error err = { 0 };

	(void)state;
	count_close();
	count_add(COUNT_database_connections, 1, NULL);
	count_time(COUNT_job_seconds, 1, COUNT_LABELS("mail"));
	assert_int_equal(count_open(folder, "tasks", &err), 0);
	assert_int_equal(value_of("\nhumanops_database_connections_total{program=\"tasks\"} "), -1);
	assert_int_equal(count_open("/nowhere/at/all", "tasks", &err), -1);
	assert_int_equal(err.code, ERR_internal);
	error_clear(&err);
	count_add(COUNT_database_connections, 1, NULL);
	assert_int_equal(value_of("\nhumanops_database_connections_total{program=\"tasks\"} "), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_are_printed_by_program_and_labels, fresh, done),
		cmocka_unit_test_setup_teardown(durations_fall_into_their_buckets, fresh, done),
		cmocka_unit_test_setup_teardown(every_metric_has_its_sentence_and_type_before_its_series, fresh, done),
		cmocka_unit_test_setup_teardown(many_processes_that_count_at_once_lose_nothing, fresh, done),
		cmocka_unit_test_setup_teardown(a_killed_program_leaves_a_file_that_goes_on, fresh, done),
		cmocka_unit_test_setup_teardown(what_a_program_left_undescribed_is_described_by_the_next, fresh, done),
		cmocka_unit_test_setup_teardown(a_full_file_counts_what_found_no_room, fresh, done),
		cmocka_unit_test_setup_teardown(before_the_file_is_open_nothing_is_counted, fresh, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
