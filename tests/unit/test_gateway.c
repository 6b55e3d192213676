/*
 * The gateway from outside, with this program as what it serves: run with arguments or with REQUEST_METHOD
 * set it is a FastCGI or CGI program whose answer tells what it was asked; the tests speak FastCGI
 * (specification 1.0) to it.
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/now.h"
#include "base/text.h"
#include "http/gateway.h"

enum {
	BEGIN = 1,
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	KEEP_CONN = 1,
	ANSWER_MAX = 512 * 1024,
	PATIENCE_MS = 10000
};

static const char *self; /* this program's path */
static char folder[] = "/tmp/humanops-gateway-XXXXXX";
static char path[64];

/* --- the program that is served --- */

static void *
open_worker(void *arg)
{
	(void)arg;
	return malloc(1); /* a leak checker tells if close does not come */
}

/* QUERY_STRING: "slow" answers after 300 ms; "large" with 300,000 bytes; else pid, query and body. */
static void
handle(void *opened, struct gateway *gateway)
{
	const char *query = gateway->variable(gateway, "QUERY_STRING");
	static char body[400000];
	char head[200];
	long len = 0, got;

	(void)opened;
	while ((got = gateway->read(gateway, body + len, sizeof body - (size_t)len)) > 0)
		len += got;
	snprintf(head, sizeof head, "Status: 200 OK\r\n\r\n%ld %s %ld%s", (long)getpid(), query, len,
	    got < 0 ? " broken" : "");
	if (strcmp(query, "slow") == 0)
		poll(NULL, 0, 300);
	if (strcmp(query, "large") == 0)
		len = 300000;
	gateway->write(gateway, head, strlen(head));
	gateway->write(gateway, body, (size_t)len);
	gateway->finish(gateway);
	if (gateway->write(gateway, "late", 4) == 0)
		abort();
}

static int
run_program(int argc, char **argv)
{
	static const struct gateway_program program = {
		.name = "test",
		.open = open_worker,
		.handle = handle,
		.close = free,
	};

	return gateway_main(argc, argv, &program);
}

/* --- a FastCGI client --- */

static void
send_record(int fd, int type, const void *data, size_t len)
{
	uint8_t head[8] = { 1, (uint8_t)type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0 };

	assert_int_equal(send(fd, head, sizeof head, MSG_NOSIGNAL), sizeof head);
	if (len > 0)
		assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

static void
send_param(int fd, const char *name, const char *value)
{
	char text[300];
	int len = snprintf(text, sizeof text, "%c%c%s%s", (int)strlen(name), (int)strlen(value), name, value);

	send_record(fd, PARAMS, text, (size_t)len);
}

static int
dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Begins a request; its body ends here unless is_open. */
static int
ask(const char *query, size_t body_len, int flags, bool is_open)
{
	uint8_t begin[8] = { 0, 1, (uint8_t)flags };
	static const char filler[16384];
	int fd = dial();

	assert_true(fd >= 0);
	send_record(fd, BEGIN, begin, sizeof begin);
	send_param(fd, "QUERY_STRING", query);
	send_param(fd, "REQUEST_METHOD", "POST");
	send_record(fd, PARAMS, NULL, 0);
	for (size_t sent = 0; sent < body_len; sent += sizeof filler)
		send_record(fd, STDIN, filler, body_len - sent < sizeof filler ? body_len - sent : sizeof filler);
	if (!is_open)
		send_record(fd, STDIN, NULL, 0);
	return fd;
}

/* The answer's bytes, or -1 if it is not whole; also -1 when the connection stays open behind it. */
static long
hear(int fd, char *answer)
{
	static uint8_t raw[ANSWER_MAX];
	size_t len = 0, at = 0, out = 0;
	bool is_ended = false;
	ssize_t got;

	while ((got = recv(fd, raw + len, sizeof raw - len, 0)) > 0)
		len += (size_t)got;
	close(fd);
	while (at + 8 <= len) {
		size_t size = (size_t)raw[at + 4] << 8 | raw[at + 5];

		if (raw[at + 1] == STDOUT) {
			memcpy(answer + out, raw + at + 8, size);
			out += size;
		}
		is_ended = is_ended || raw[at + 1] == END;
		at += 8 + size + raw[at + 6];
	}
	answer[out] = '\0';
	return is_ended ? (long)out : -1;
}

/* One request; the pid of the worker that answered, 0 if there was no whole answer. */
static pid_t
call(const char *query)
{
	static char answer[ANSWER_MAX];
	long len = hear(ask(query, 0, 0, false), answer);
	const char *body = len > 0 ? strstr(answer, "\r\n\r\n") : NULL;

	return body != NULL ? (pid_t)atol(body + 4) : 0;
}

/* --- starting and stopping --- */

static pid_t
start(const char *workers)
{
	pid_t pid = fork();
	int fd = -1;

	if (pid == 0) {
		execl(self, self, "--listen", path, "--workers", workers, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < PATIENCE_MS / 10 && (fd = dial()) < 0; i++)
		poll(NULL, 0, 10);
	assert_true(fd >= 0);
	close(fd);
	return pid;
}

static void
stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(path, F_OK), -1);
}

static int
make_folder(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/socket", mkdtemp(folder));
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* --- FastCGI --- */

static void
requests_are_answered_on_a_private_socket(void **state)
{
	static const size_t sizes[] = { 0, 1, 8192, 300000 };
	static char answer[ANSWER_MAX], want[32];
	pid_t pid = start("2");
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (size_t i = 0; i < nitems(sizes); i++) {
		assert_true(hear(ask("body", sizes[i], 0, false), answer) > (long)sizes[i]);
		snprintf(want, sizeof want, " body %zu", sizes[i]);
		assert_non_null(strstr(answer, want));
	}
	/* Larger than any buffer between, read slowly: the accepted socket must block. */
	assert_true(hear(ask("large", 0, 0, false), answer) > 300000);
	stop(pid);
}

static void
a_connection_is_closed_even_if_the_server_would_keep_it(void **state)
{
	static char answer[ANSWER_MAX];
	pid_t pid = start("1");

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(hear(ask("kept", 0, KEEP_CONN, false), answer) > 0);
	stop(pid);
}

static void
a_body_that_breaks_off_is_noticed_and_harms_nobody(void **state)
{
	pid_t pid = start("1"), worker = call("first");
	int fd = ask("broken", 100, 0, true);
	char answer[1000];

	(void)state;
	shutdown(fd, SHUT_WR);
	hear(fd, answer);
	assert_true(strstr(answer, " broken") != NULL);
	close(ask("gone", 100, 0, true));
	close(dial());
	assert_int_equal(call("next"), worker);
	stop(pid);
}

static void
term_lets_the_running_request_finish(void **state)
{
	pid_t pid = start("1");
	char answer[1000];
	int fd;

	(void)state;
	call("warm");
	fd = ask("slow", 0, 0, false);
	poll(NULL, 0, 100);
	kill(pid, SIGTERM);
	assert_true(hear(fd, answer) > 0);
	assert_non_null(strstr(answer, " slow 0"));
	stop(pid);
}

static void
a_killed_worker_is_replaced(void **state)
{
	pid_t pid = start("1"), first = call("a"), second;

	(void)state;
	kill(first, SIGKILL);
	second = call("b"); /* waits in the socket's queue meanwhile */
	assert_int_not_equal(second, 0);
	assert_int_not_equal(second, first);
	stop(pid);
}

/* One of several clients; its exit status tells whether any request was lost. */
static pid_t
client(int64_t until_ms, int out)
{
	pid_t pid = fork();
	int done = 0;

	if (pid != 0)
		return pid;
	while (now_monotonic_ms() < until_ms) {
		if (call("busy") == 0)
			_exit(1);
		done++;
	}
	_exit(write(out, &done, sizeof done) == (ssize_t)sizeof done ? 0 : 1);
}

static void
renewal_under_load_loses_no_request(void **state)
{
	enum { CLIENTS = 4 };
	int64_t until_ms = now_monotonic_ms() + 2000;
	pid_t pid = start("2"), before = call("before"), clients[CLIENTS];
	int counts[2], done, sum = 0, status;

	(void)state;
	assert_int_equal(pipe(counts), 0);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client(until_ms, counts[1]);
	for (int i = 0; i < 3; i++) {
		poll(NULL, 0, 400);
		kill(pid, SIGHUP);
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
		assert_int_equal(status, 0);
		assert_int_equal(read(counts[0], &done, sizeof done), sizeof done);
		sum += done;
	}
	assert_true(sum > CLIENTS * 10);
	assert_int_not_equal(call("after"), before);
	assert_int_equal(kill(before, 0), -1);
	close(counts[0]);
	close(counts[1]);
	stop(pid);
}

static void
a_worker_gives_way_after_ten_thousand_requests(void **state)
{
	pid_t pid = start("1"), first = call("a");

	(void)state;
	for (int i = 0; i < 9999; i++)
		assert_int_equal(call("b"), first);
	assert_int_not_equal(call("c"), first);
	stop(pid);
}

static void
a_stale_socket_is_replaced_and_a_live_one_respected(void **state)
{
	pid_t pid = start("1"), second;
	int status;

	(void)state;
	second = fork();
	if (second == 0) {
		execl(self, self, "--listen", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_not_equal(call("still"), 0);
	kill(pid, SIGKILL); /* leaves its socket behind */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int fd; (fd = dial()) >= 0; close(fd)) /* until its worker has gone too */
		poll(NULL, 0, 10);
	assert_int_equal(access(path, F_OK), 0);
	pid = start("1");
	assert_int_not_equal(call("again"), 0);
	stop(pid);
}

/* In a child: a socket of the service manager's at descriptor 3, and the variables that say so. */
static void
be_managed(int fd, const char *count)
{
	char pid[24];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	if (dup2(fd, 3) == 3 && fcntl(3, F_SETFD, 0) == 0) /* it may have that number already */
		execl(self, self, "--listen", path, "--workers", "1", (char *)NULL);
	_exit(127);
}

static int
listen_at_path(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void
a_service_manager_s_socket_is_served_renewed_and_left_there(void **state)
{
	int fd = listen_at_path(), status;
	pid_t pid = fork(), before, after;

	(void)state;
	if (pid == 0)
		be_managed(fd, "1");
	close(fd); /* else callers would wait for a program that is gone */
	before = call("before");
	assert_int_not_equal(before, 0);
	kill(pid, SIGHUP);
	for (int i = 0; i < PATIENCE_MS / 10 && (after = call("after")) == before; i++)
		poll(NULL, 0, 10);
	assert_int_not_equal(after, 0);
	assert_int_not_equal(after, before);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(path), 0);
}

static void
what_is_not_one_listening_socket_is_refused(void **state)
{
	static const struct {
		const char *count;
		bool is_listening;
	} rows[] = { { "0", true }, { "2", true }, { "1 ", true }, { "", true }, { "1", false } };

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		int fd = rows[i].is_listening ? listen_at_path() : open("/dev/null", O_RDWR | O_CLOEXEC), status;
		pid_t pid = fork();

		if (pid == 0) {
			dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
			be_managed(fd, rows[i].count);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), 1);
		close(fd);
		unlink(path);
	}
}

static void
another_program_s_socket_is_not_taken(void **state)
{
	pid_t pid;

	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	pid = start("1");
	assert_int_not_equal(call("own"), 0);
	stop(pid);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static void
a_socket_on_standard_input_is_served(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), status;
	pid_t pid;

	(void)state;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 5), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDIN_FILENO);
		execl(self, self, (char *)NULL);
		_exit(127);
	}
	close(fd);
	assert_int_equal(call("a"), pid);
	assert_int_equal(call("b"), pid);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unlink(path);
}

/* --- plain CGI, and the command line --- */

/* Runs the program with a body on standard input that stays open; its answer. */
static int
run_cgi(const char *query, const char *length, const char *body, const char *argument, char answer[1000])
{
	int in[2], out[2], status;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], body, strlen(body)), strlen(body));
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		close(in[0]);
		close(in[1]);
		setenv("REQUEST_METHOD", "POST", 1);
		setenv("QUERY_STRING", query, 1);
		if (length != NULL)
			setenv("CONTENT_LENGTH", length, 1);
		execl(self, self, argument, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	if (strcmp(query, "short") == 0)
		close(in[1]);
	while ((got = read(out[0], answer + len, 999 - len)) > 0)
		len += (size_t)got;
	answer[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(out[0]);
	close(in[0]);
	if (strcmp(query, "short") != 0)
		close(in[1]);
	return WEXITSTATUS(status);
}

static void
plain_cgi_reads_its_content_length_and_answers_once(void **state)
{
	static const struct {
		const char *query, *length, *body, *argument, *want;
	} rows[] = {
		{ "a", NULL, "", NULL, " a 0" }, { "a", "", "ignored", NULL, " a 0" },
		{ "a", "5", "12345", NULL, " a 512345" }, { "a", "5", "1234567", NULL, " a 512345" },
		{ "short", "5", "123", NULL, " short 3 broken123" },
		{ "words", "0", "", "--listen", " words 0" }, /* from "GET /?--listen": no argument for us */
	};
	char answer[1000];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(run_cgi(rows[i].query, rows[i].length, rows[i].body, rows[i].argument, answer), 0);
		assert_memory_equal(answer, "Status: 200 OK\r\n\r\n", 18);
		assert_string_equal(strchr(answer + 18, ' '), rows[i].want);
	}
}

static int
run_with(const char *one, const char *two, const char *three)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(127);
		execl(self, self, one, two, three, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
the_command_line_is_checked(void **state)
{
	static const struct {
		const char *one, *two, *three;
		int want;
	} rows[] = {
		{ "--check", NULL, NULL, 0 },
		{ "--listen", NULL, NULL, 2 },
		{ "--workers", "2", NULL, 2 },
		{ "--workers", "0", "--check", 2 },
		{ "--workers", "257", "--check", 2 },
		{ "--workers", "2x", "--check", 2 },
		{ "--workers", "256", "--check", 0 },
		{ "--nonsense", NULL, NULL, 2 },
		{ "x", NULL, NULL, 2 },
		{ "--listen", "/nonexistent/socket", NULL, 1 },
		{ "--listen", "/dev/null", NULL, 1 },
		{ "--listen",
		    "/tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    NULL, 1 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		assert_int_equal(run_with(rows[i].one, rows[i].two, rows[i].three), rows[i].want);
}

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_on_a_private_socket),
		cmocka_unit_test(a_connection_is_closed_even_if_the_server_would_keep_it),
		cmocka_unit_test(a_body_that_breaks_off_is_noticed_and_harms_nobody),
		cmocka_unit_test(term_lets_the_running_request_finish),
		cmocka_unit_test(a_killed_worker_is_replaced),
		cmocka_unit_test(renewal_under_load_loses_no_request),
		cmocka_unit_test(a_worker_gives_way_after_ten_thousand_requests),
		cmocka_unit_test(a_stale_socket_is_replaced_and_a_live_one_respected),
		cmocka_unit_test(a_service_manager_s_socket_is_served_renewed_and_left_there),
		cmocka_unit_test(what_is_not_one_listening_socket_is_refused),
		cmocka_unit_test(another_program_s_socket_is_not_taken),
		cmocka_unit_test(a_socket_on_standard_input_is_served),
		cmocka_unit_test(plain_cgi_reads_its_content_length_and_answers_once),
		cmocka_unit_test(the_command_line_is_checked),
	};
	char *own;
	int rc;

	if (argc > 1 || getenv("REQUEST_METHOD") != NULL || is_listening(STDIN_FILENO))
		return run_program(argc, argv);
	own = realpath("/proc/self/exe", NULL);
	self = own;
	rc = cmocka_run_group_tests(tests, make_folder, remove_folder);
	free(own);
	return rc;
}
