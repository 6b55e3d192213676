/*
 * From a request to its answer and its log line, by plain CGI: with REQUEST_METHOD set this program serves a
 * small table of routes.  The database is one that cannot be reached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <glob.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/config.h"
#include "base/text.h"
#include "http/reply.h"
#include "http/serve.h"

static const char *self;
static char folder[] = "/tmp/humanops-serve-XXXXXX";

/* --- the program that is served --- */

static int
echo(struct request *rq)
{
	reply_text(rq->reply, "id", rq->params[0].value);
	reply_text(rq->reply, "query", rq->query);
	reply_int(rq->reply, "body", (int64_t)rq->body_len);
	reply_text(rq->log, "extra", "yes");
	return 200;
}

/* Reads to the end, or only a little. */
static int
stream(struct request *rq)
{
	char buf[1000];
	long got;

	do
		got = request_body(rq, buf, sizeof buf);
	while (got > 0 && *rq->query == '\0');
	if (got < 0)
		return error_set(&rq->error, ERR_body_invalid);
	reply_int(rq->reply, "streamed", (int64_t)rq->body_len);
	reply_text(rq->reply, "held", rq->body == NULL ? "no" : "yes");
	return 200;
}

static int
break_down(struct request *rq)
{
	return error_internal(&rq->error, "as asked");
}

static int
call(struct request *rq)
{
	static const struct id someone = { { 1 } };

	if (rq->route->principal == AGENT)
		rq->who = (struct who){ .principal = AGENT, .id = someone, .key = someone };
	return rq->route->handle(rq);
}

static const struct route routes[] = {
	{ "GET", "/tasks/:id", echo, AGENT, NULL, 0, { 0 } },
	{ "POST", "/tasks", echo, AGENT, NULL, 0, { 0 } },
	{ "DELETE", "/tasks/:id", echo, AGENT, NULL, 0, { 0 } },
	{ "POST", "/stream", stream, AGENT, NULL, STREAMED, { 0 } },
	{ "GET", "/fail", break_down, PUBLIC, NULL, 0, { 0 } },
	{ "GET", "/rare", echo, PUBLIC, NULL, 0, { 2, 3600 } },
	{ "GET", "/metrics", echo, PUBLIC, NULL, WHOLE | UNCOUNTED, { 0 } },
};

static int
run_program(int argc, char **argv)
{
	static char url[] = "host=/nonexistent";
	struct config config = { .is_development = true, .database_url = url, .run_dir = getenv("TEST_FOLDER") };
	const struct serve serve = {
		.name = "test",
		.routes = routes,
		.route_count = nitems(routes),
		.config = &config,
		.call = call,
	};

	return serve_main(argc, argv, &serve);
}

/* --- the tests --- */

struct ask {
	const char *method, *uri, *address, *length;
	size_t body_len;
};

struct heard {
	int rc;
	char answer[20000], log[20000];
};

static void
slurp(int fd, char *out, size_t size)
{
	ssize_t got = pread(fd, out, size - 1, 0);

	assert_true(got >= 0);
	out[got] = '\0';
	close(fd);
}

static void
become_cgi(const struct ask *ask, int in, int out, int log)
{
	const char *query = strchr(ask->uri, '?');

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setenv("TEST_FOLDER", folder, 1);
	setenv("REQUEST_METHOD", ask->method, 1);
	setenv("REQUEST_URI", ask->uri, 1);
	setenv("QUERY_STRING", query != NULL ? query + 1 : "", 1);
	setenv("REMOTE_ADDR", ask->address, 1);
	setenv("NGINX_REQUEST_ID", "via-1", 1);
	if (ask->length != NULL)
		setenv("CONTENT_LENGTH", ask->length, 1);
	execl(self, self, (char *)NULL);
	_exit(127);
}

static struct heard *
hear(const struct ask *ask)
{
	static struct heard heard;
	char name[80];
	int files[3], status;
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "%s/%d", folder, i);
		files[i] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		assert_true(files[i] >= 0);
		unlink(name);
	}
	assert_int_equal(ftruncate(files[0], (off_t)ask->body_len), 0);
	pid = fork();
	if (pid == 0)
		become_cgi(ask, files[0], files[1], files[2]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	heard.rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	close(files[0]);
	slurp(files[1], heard.answer, sizeof heard.answer);
	slurp(files[2], heard.log, sizeof heard.log);
	return &heard;
}

/* True if the text has every one of the pieces, which are divided by '|'. */
static bool
has_all(const char *text, const char *pieces)
{
	char piece[200];

	while (*pieces != '\0') {
		size_t len = strcspn(pieces, "|");

		snprintf(piece, sizeof piece, "%.*s", (int)len, pieces);
		if (strstr(text, piece) == NULL) {
			print_error("no %s in %s\n", piece, text);
			return false;
		}
		pieces += len + (pieces[len] == '|');
	}
	return true;
}

static void
each_request_has_its_answer_and_its_log_line(void **state)
{
	static const struct {
		struct ask ask;
		const char *answer, *log;
	} rows[] = {
		{ { "GET", "/api/v1/tasks/a?x=1", "1.0.0.1", NULL, 0 },
		    "Status: 200 OK|\"id\":\"a\",\"query\":\"x=1\"|X-Request-Id: req_|"
		    "RateLimit-Limit: 100\r\nRateLimit-Remaining: 99",
		    "\"route\":\"/tasks/:id\"|\"status\":200|\"extra\":\"yes\"|\"via\":\"via-1\"|"
		    "\"who\":\"agent_|\"key\":\"key_|\"address\":\"1.0.0.1\"|\"level\":\"info\"" },
		{ { "GET", "/api/v1/tasks/%61", "1.0.0.1", NULL, 0 }, "\"id\":\"a\"|RateLimit-Remaining: 98", "" },
		{ { "HEAD", "/api/v1/tasks/a", "1.0.0.1", NULL, 0 },
		    "Status: 200 OK|Content-Length: ", "\"bytes_out\":0" },
		{ { "GET", "/api/v1/tasks/a%2Fb", "1.0.0.2", NULL, 0 },
		    "Status: 404|\"code\":\"not_found\"|Remaining: 99",
		    "\"path\":\"/api/v1/tasks/a%2Fb\"|\"code\":\"not_found\"|\"level\":\"info\"" },
		{ { "GET", "/api/v1/tasks/%ff", "1.0.0.2", NULL, 0 }, "Status: 404|Remaining: 98", "" },
		{ { "GET", "/api/v1/other?secret=1", "1.0.0.2", NULL, 0 }, "Status: 404|Remaining: 97",
		    "\"path\":\"/api/v1/other\"" },
		{ { "GET", "/tasks/a", "1.0.0.2", NULL, 0 }, "Status: 404|Remaining: 96", "" },
		{ { "GET", "/api/v10/tasks/a", "1.0.0.2", NULL, 0 }, "Status: 404|Remaining: 95", "" },
		{ { "GET", "/api/v1", "1.0.0.2", NULL, 0 }, "Status: 404|Remaining: 94", "" },
		{ { "PUT", "/api/v1/tasks/a", "1.0.0.2", NULL, 0 },
		    "Status: 405|Allow: GET, HEAD, DELETE|Remaining: 93", "\"code\":\"method_not_allowed\"" },
		{ { "POST", "/api/v1/tasks", "1.0.0.3", "5", 5 }, "Status: 200|\"body\":5", "\"bytes_in\":5" },
		{ { "POST", "/api/v1/tasks", "1.0.0.3", "262144", 262144 }, "Status: 200|\"body\":262144", "" },
		{ { "POST", "/api/v1/tasks", "1.0.0.3", "262145", 262145 }, "Status: 413|\"code\":\"body_too_large\"",
		    "" },
		{ { "POST", "/api/v1/tasks", "1.0.0.3", "-1", 300000 }, "Status: 413", "" },
		{ { "DELETE", "/api/v1/tasks/a", "1.0.0.3", "5", 5 }, "Status: 200|\"body\":5", "" },
		{ { "GET", "/api/v1/tasks/a", "1.0.0.3", "5", 5 }, "Status: 200|\"body\":0", "" },
		{ { "POST", "/api/v1/stream", "1.0.0.7", "400000", 400000 },
		    "Status: 200|\"streamed\":400000,\"held\":\"no\"", "\"bytes_in\":400000" },
		{ { "POST", "/api/v1/stream?little", "1.0.0.7", "400000", 400000 }, "Status: 200|\"streamed\":1000",
		    "\"bytes_in\":1000" },
		{ { "POST", "/api/v1/stream", "1.0.0.7", NULL, 0 }, "Status: 200|\"streamed\":0", "" },
		{ { "GET", "/api/v1/fail", "1.0.0.4", NULL, 0 },
		    "Status: 500|\"code\":\"internal\",\"details\":{},\"request_id\":\"req_",
		    "\"level\":\"error\"|\"event\":\"request\"" },
		{ { "GET", "/metrics", "1.0.0.4", NULL, 0 }, "Status: 200", "" },
		{ { "GET", "/healthz", "1.0.0.4", NULL, 0 },
		    "Status: 200|\"status\":\"ok\",\"program\":\"test\",\"version\":", "" },
		{ { "GET", "/healthz/test", "1.0.0.4", NULL, 0 }, "Status: 200|\"status\":\"ok\"", "" },
		{ { "GET", "/healthz/other", "1.0.0.4", NULL, 0 }, "Status: 404", "" },
		{ { "GET", "/api/v1/healthz", "1.0.0.4", NULL, 0 }, "Status: 404", "" },
		{ { "POST", "/healthz", "1.0.0.4", NULL, 0 }, "Status: 405|Allow: GET, HEAD\r\n", "" },
		{ { "GET", "/readyz", "1.0.0.4", NULL, 0 }, "Status: 503|\"code\":\"unavailable\"|Retry-After: ", "" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const struct heard *heard = hear(&rows[i].ask);

		assert_int_equal(heard->rc, 0);
		assert_true(has_all(heard->answer, rows[i].answer));
		assert_true(has_all(heard->log, rows[i].log));
		assert_null(strstr(heard->log, "secret"));
	}
}

static void
one_past_the_limit_is_refused_with_the_time_to_wait(void **state)
{
	static const struct ask rare = { "GET", "/api/v1/rare", "2001:db8::1", NULL, 0 };
	static const struct ask neighbour = { "GET", "/api/v1/rare", "2001:db8::2", NULL, 0 };

	(void)state;
	assert_true(has_all(hear(&rare)->answer, "Status: 200|RateLimit-Limit: 2\r\nRateLimit-Remaining: 1\r\n"));
	assert_true(has_all(hear(&neighbour)->answer, "Status: 200|RateLimit-Remaining: 0\r\n"));
	assert_true(
	    has_all(hear(&rare)->answer, "Status: 429|RateLimit-Remaining: 0\r\nRateLimit-Reset: |Retry-After: |"
					 "\"code\":\"rate_limited\""));
}

static void
a_body_shorter_than_announced_is_never_handled(void **state)
{
	static const struct ask asks[] = { { "POST", "/api/v1/tasks", "1.0.0.5", "10", 9 },
		{ "POST", "/api/v1/stream", "1.0.0.5", "400000", 399999 } };

	(void)state;
	for (size_t i = 0; i < nitems(asks); i++) {
		const struct heard *heard = hear(&asks[i]);

		assert_string_equal(heard->answer, "");
		assert_true(has_all(heard->log, "\"code\":\"body_incomplete\""));
		assert_null(strstr(heard->log, "extra"));
	}
}

static void
an_uncounted_route_shows_no_window(void **state)
{
	static const struct ask ask = { "GET", "/healthz", "1.0.0.6", NULL, 0 };

	(void)state;
	assert_null(strstr(hear(&ask)->answer, "RateLimit"));
}

static void
a_program_without_its_windows_refuses_to_start(void **state)
{
	static const struct ask ask = { "GET", "/healthz", "1.0.0.6", NULL, 0 };
	char name[80];

	(void)state;
	snprintf(name, sizeof name, "%s/windows", folder);
	unlink(name);
	assert_int_equal(symlink("/nonexistent", name), 0);
	assert_int_equal(hear(&ask)->rc, 1);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char pattern[80];
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof pattern, "%s/*", folder);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
	return rmdir(folder);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_has_its_answer_and_its_log_line),
		cmocka_unit_test(one_past_the_limit_is_refused_with_the_time_to_wait),
		cmocka_unit_test(a_body_shorter_than_announced_is_never_handled),
		cmocka_unit_test(an_uncounted_route_shows_no_window),
		cmocka_unit_test(a_program_without_its_windows_refuses_to_start),
	};
	char *own;
	int rc;

	if (getenv("REQUEST_METHOD") != NULL)
		return run_program(argc, argv);
	own = realpath("/proc/self/exe", NULL);
	self = own;
	rc = cmocka_run_group_tests(tests, make_folder, remove_folder);
	free(own);
	return rc;
}
