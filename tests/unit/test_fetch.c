/*
 * HTTP out, against servers forked here on loopback.  Names are looked up by the getaddrinfo below, so that
 * nothing leaves the machine and a name can lead wherever a test wants it.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <talloc.h>
#include <time.h>
#include <cmocka.h>

#include "base/text.h"
#include "net/fetch.h"
#include "peer.h"

enum { ANY = FETCH_ALLOW_HTTP | FETCH_ALLOW_PRIVATE, ANSWER_MAX = 64 * 1024, TIMEOUT_MS = 5000 };

static const struct {
	const char *name, *address, *second;
} names[] = {
	{ "inside.test", "127.0.0.1", NULL },
	{ "inside6.test", "::1", NULL },
	{ "mapped.test", "::ffff:127.0.0.1", NULL },
	{ "mixed.test", "10.0.0.1", "127.0.0.1" },
	{ "mixed6.test", "fd00::1", "127.0.0.1" },
};

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Stands before the C library's: numbers as ever, the names above, "slow.test" after 3 s, and nothing else.
 */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	struct addrinfo numeric = hints != NULL ? *hints : (struct addrinfo){ 0 };
	void *next = dlsym(RTLD_NEXT, "getaddrinfo");
	lookup real;

	memcpy(&real, &next, sizeof(real));
	numeric.ai_flags |= AI_NUMERICHOST;
	numeric.ai_family = AF_UNSPEC;
	if (strcmp(node, "slow.test") == 0)
		nanosleep(&(struct timespec){ .tv_sec = 3 }, NULL);
	for (size_t i = 0; i < nitems(names); i++) {
		int rc;

		if (strcmp(node, names[i].name) != 0)
			continue;
		rc = real(names[i].address, service, &numeric, found);
		return rc != 0 || names[i].second == NULL
			   ? rc
			   : real(names[i].second, service, &numeric, &(*found)->ai_next);
	}
	return real(node, service, &numeric, found);
}

/* Reads one request, its body by Content-Length. */
static void
read_request(int fd, struct peer_seen *seen)
{
	char *start = seen->bytes + seen->len, *end = NULL, *length;
	size_t body = 0;

	while (end == NULL) {
		if (peer_read(fd, seen) == 0)
			return;
		end = strstr(start, "\r\n\r\n");
	}
	if ((length = strcasestr(start, "\r\nContent-Length:")) != NULL && length < end)
		body = strtoul(length + 17, NULL, 10);
	while (seen->bytes + seen->len < end + 4 + body && peer_read(fd, seen) > 0)
		;
}

static void
answer_text(int fd, struct peer_seen *seen, const void *arg)
{
	read_request(fd, seen);
	peer_say(fd, arg);
}

static struct fetch
get(const char *url)
{
	return (struct fetch){
		.method = "GET", .url = url, .timeout_ms = TIMEOUT_MS, .answer_max = ANSWER_MAX, .flags = ANY
	};
}

static const char *
url_of(const struct peer *peer, const char *path)
{
	static char url[512];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", peer->port, path);
	return url;
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The answer to a canned text, on *state. */
static struct fetch_answer
canned(const void *ctx, const char *text, size_t answer_max)
{
	struct peer peer = peer_start(AF_INET, answer_text, text);
	struct fetch fetch = get(url_of(&peer, "/"));
	struct fetch_answer answer;

	fetch.answer_max = answer_max;
	assert_int_equal(fetch_run(ctx, &fetch, &answer), 0);
	peer_stop(&peer);
	return answer;
}

static void
a_request_arrives_as_it_was_given(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json", "webhook-id: evt_1", NULL };
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < nitems(families); i++) {
		struct peer peer =
		    peer_start(families[i], answer_text, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		char url[64];
		struct fetch fetch = get(url);
		struct fetch_answer answer;

		snprintf(url, sizeof(url), "http://%s:%d/hook?x=1#part", i == 0 ? "127.0.0.1" : "[::1]", peer.port);
		fetch.method = "POST";
		fetch.headers = headers;
		fetch.body = "{\"a\":1}";
		fetch.body_len = 7;
		assert_int_equal(fetch_run(*state, &fetch, &answer), 0);
		assert_string_equal(answer.problem, "");
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.retry_after_s, -1);
		assert_string_equal(answer.body, "ok");
		assert_ptr_equal(strstr(peer.seen->bytes, "POST /hook?x=1 HTTP/1.1\r\n"), peer.seen->bytes);
		assert_non_null(strstr(peer.seen->bytes, "\r\nUser-Agent: HumanOps/" HUMANOPS_VERSION "\r\n"));
		assert_non_null(
		    strstr(peer.seen->bytes, "\r\nContent-Type: application/json\r\nwebhook-id: evt_1\r\n"));
		assert_non_null(strstr(peer.seen->bytes, "\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
		assert_null(strcasestr(peer.seen->bytes, "\r\nAccept-Encoding:"));
		assert_null(strcasestr(peer.seen->bytes, "\r\nExpect:"));
		assert_null(strcasestr(peer.seen->bytes, "\r\nAuthorization:"));
		assert_int_equal(peer.seen->connections, 1);
		peer_stop(&peer);
	}
}

static void
each_method_has_its_form(void **state)
{
	static const struct {
		const char *method, *body, *begin, *has;
	} rows[] = {
		{ "GET", NULL, "GET / ", NULL },
		{ "HEAD", NULL, "HEAD / ", NULL },
		{ "DELETE", NULL, "DELETE / ", NULL },
		{ "POST", NULL, "POST / ", "\r\nContent-Length: 0\r\n" },
		{ "PUT", "abc", "PUT / ", "\r\nContent-Length: 3\r\n\r\nabc" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, answer_text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		struct fetch fetch = get(url_of(&peer, "/"));
		struct fetch_answer answer;

		fetch.method = rows[i].method;
		fetch.body = rows[i].body;
		fetch.body_len = rows[i].body != NULL ? strlen(rows[i].body) : 0;
		fetch_run(*state, &fetch, &answer);
		assert_int_equal(answer.status, 200);
		assert_ptr_equal(strstr(peer.seen->bytes, rows[i].begin), peer.seen->bytes);
		assert_null(strstr(peer.seen->bytes, "Content-Type"));
		if (rows[i].has != NULL)
			assert_non_null(strstr(peer.seen->bytes, rows[i].has));
		peer_stop(&peer);
	}
}

static void
a_large_body_is_sent_without_waiting_for_leave(void **state)
{
	struct peer peer = peer_start(AF_INET, answer_text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	struct fetch fetch = get(url_of(&peer, "/"));
	char *body = talloc_zero_size(*state, 200 * 1024);
	struct fetch_answer answer;

	memset(body, 'x', 200 * 1024);
	fetch.method = "POST";
	fetch.body = body;
	fetch.body_len = 200 * 1024;
	fetch_run(*state, &fetch, &answer);
	assert_int_equal(answer.status, 200);
	assert_true(peer.seen->len > fetch.body_len);
	assert_null(strstr(peer.seen->bytes, "Expect"));
	peer_stop(&peer);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define NOT_HTTP "answer is not HTTP"
#define BROKEN "connection closed in the middle of the answer"

/* What a receiver may say, and what we make of it. */
static void
answers_are_read_and_bad_ones_named(void **state)
{
	static const struct {
		const char *said;
		int status, retry;
		const char *body, *problem;
	} rows[] = {
		{ OK "Content-Length: 5\r\nX-A: b\r\nSet-Cookie: a=b\r\n\r\nhello", 200, -1, "hello", "" },
		{ OK "\r\nuntil the end", 200, -1, "until the end", "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n", 200, -1, "abcde",
		    "" },
		{ OK "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 200, -1, "abc", "" },
		{ "HTTP/1.0 200 fine\r\n\r\nold", 200, -1, "old", "" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 204, -1, "", "" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno", 302, -1, "no",
		    "" },
		{ "HTTP/1.1 307 T\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", 307, -1, "", "" },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", 401, -1, "", "" },
		{ "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, -1, "", "" },
		{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\na", 200, -1, "a", "" },
		{ "HTTP/1.1 103 Hints\r\nRetry-After: 7\r\n\r\n" OK "Content-Length: 0\r\n\r\n", 200, -1, "", "" },
		{ "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, 120, "", "" },
		{ "HTTP/1.1 503 Wait\r\nretry-after:0 \r\nContent-Length: 0\r\n\r\n", 503, 0, "", "" },
		{ "HTTP/1.1 503 Wait\r\nRetry-After: 20260101\r\nContent-Length: 0\r\n\r\n", 503, 20260101, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: 99999999999999999999999\r\nContent-Length: 0\r\n\r\n", 503, INT_MAX,
		    "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n", 503, 0,
		    "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, -1, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", 503, -1, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: 5 minutes\r\nContent-Length: 0\r\n\r\n", 503, -1, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: 1e3\r\nContent-Length: 0\r\n\r\n", 503, -1, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After:\r\nContent-Length: 0\r\n\r\n", 503, -1, "", "" },
		{ "HTTP/1.1 503 W\r\nRetry-After: Fri, 99 Foo 2099 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n", 503, -1,
		    "", "" },
		{ "", 0, -1, "", "connection closed without an answer" },
		{ "\r\n\r\n", 0, -1, "", NOT_HTTP },
		{ "SSH-2.0-OpenSSH_9.2\r\n", 0, -1, "", NOT_HTTP },
		{ "\x16\x03\x01 what is this\r\n\r\n", 0, -1, "", NOT_HTTP },
		{ "<html>hello</html>", 0, -1, "", NOT_HTTP },
		{ "HTTP/1.1 abc OK\r\n\r\n", 0, -1, "", NOT_HTTP },
		{ "HTTP/1.1 100 Continue\r\n\r\n", 0, -1, "", NULL },
		{ OK "Content-Length: 50\r\n\r\nhalf", 0, -1, "", BROKEN },
		{ OK "Retry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 0, -1, "", BROKEN },
		{ OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nab", 0, -1, "", NULL },
		{ OK "Content-Length: -7\r\n\r\nab", 0, -1, "", NULL },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct fetch_answer answer = canned(*state, rows[i].said, ANSWER_MAX);

		if (answer.status != rows[i].status || answer.retry_after_s != rows[i].retry)
			print_message("row %zu: %d %d %s\n", i, answer.status, answer.retry_after_s, answer.problem);
		assert_int_equal(answer.status, rows[i].status);
		assert_int_equal(answer.retry_after_s, rows[i].retry);
		assert_string_equal(answer.body, rows[i].body);
		assert_int_equal(answer.body_len, strlen(rows[i].body));
		assert_false(answer.is_cut);
		if (rows[i].problem != NULL)
			assert_string_equal(answer.problem, rows[i].problem);
		else
			assert_true(answer.problem[0] != '\0');
	}
}

static void
the_answer_tells_its_date(void **state)
{
	static const struct {
		const char *said;
		int64_t date_s;
	} rows[] = {
		{ OK "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n", 784111777 },
		{ OK "date:Sun Nov  6 08:49:37 1994\r\nContent-Length: 0\r\n\r\n", 784111777 },
		{ OK "Date: yesterday\r\nContent-Length: 0\r\n\r\n", 0 },
		{ OK "Date:\r\nContent-Length: 0\r\n\r\n", 0 },
		{ OK "Content-Length: 0\r\n\r\n", 0 },
		{ "HTTP/1.1 103 Hints\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
		    0 },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct fetch_answer answer = canned(*state, rows[i].said, ANSWER_MAX);

		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.date_s, rows[i].date_s);
	}
}

static void
retry_after_may_be_a_date_in_all_three_forms(void **state)
{
	char dates[3][64], *century;
	time_t then = time(NULL) + 900;

	strftime(dates[0], sizeof(dates[0]), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
	strftime(dates[1], sizeof(dates[1]), "%A, %d-%b-%Y %H:%M:%S GMT", gmtime(&then));
	century = strstr(dates[1], "-20") + 1;
	memmove(century, century + 2, strlen(century + 2) + 1);
	strftime(dates[2], sizeof(dates[2]), "%a %b %e %H:%M:%S %Y", gmtime(&then));
	for (size_t i = 0; i < nitems(dates); i++) {
		char said[256];
		struct fetch_answer answer;

		snprintf(
		    said, sizeof(said), "HTTP/1.1 503 W\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", dates[i]);
		answer = canned(*state, said, ANSWER_MAX);
		assert_in_range(answer.retry_after_s, 890, 900);
	}
}

static void
an_answer_is_cut_one_past_the_maximum(void **state)
{
	static const struct {
		size_t max;
		const char *body;
		bool is_cut;
	} rows[] = {
		{ 6, "hello", false },
		{ 5, "hello", false },
		{ 4, "hell", true },
		{ 1, "h", true },
		{ 0, "", true },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct fetch_answer answer = canned(*state, OK "Content-Length: 5\r\n\r\nhello", rows[i].max);

		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.problem, "");
		assert_string_equal(answer.body, rows[i].body);
		assert_int_equal(answer.is_cut, rows[i].is_cut);
	}
	assert_false(canned(*state, OK "Content-Length: 0\r\n\r\n", 0).is_cut);
}

/* Says arg's text, then 50 MB of body; where the text ends in no blank line, of headers. */
static void
answer_flood(int fd, struct peer_seen *seen, const void *arg)
{
	static char block[50 * 1024];

	read_request(fd, seen);
	peer_say(fd, arg);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = "A: bcde\r\n."[i % 10] == '.' ? 'F' : "A: bcde\r\n."[i % 10];
	for (int i = 0; i < 1024 && peer_write(fd, block, sizeof(block)) == 0; i++)
		;
}

static void
answer_interim_flood(int fd, struct peer_seen *seen, const void *arg)
{
	(void)arg;
	read_request(fd, seen);
	for (int i = 0; i < 1000000 && peer_say(fd, "HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n") == 0; i++)
		;
}

static void
answer_long_line(int fd, struct peer_seen *seen, const void *arg)
{
	static char block[50 * 1024];

	(void)arg;
	memset(block, 'x', sizeof(block));
	read_request(fd, seen);
	peer_say(fd, OK "X-Long: ");
	for (int i = 0; i < 1024 && peer_write(fd, block, sizeof(block)) == 0; i++)
		;
}

/* 100 MB of zeros in 100 kB: two encodings that we never asked for. */
static void
answer_bomb(int fd, struct peer_seen *seen, const void *arg)
{
	static char packed[512 * 1024];
	FILE *gzip = popen("head -c 100000000 /dev/zero | gzip -c", "r");
	size_t len = fread(packed, 1, sizeof(packed), gzip);

	pclose(gzip);
	read_request(fd, seen);
	peer_say(fd, arg);
	peer_write(fd, packed, len);
}

static void
no_answer_however_large_fills_our_memory(void **state)
{
	static const struct {
		peer_talk talk;
		const char *said;
		int status;
		const char *problem;
	} rows[] = {
		{ answer_flood, OK "Content-Length: 52428800\r\n\r\n", 200, "" },
		{ answer_flood, OK "\r\n", 200, "" },
		{ answer_flood, OK "Transfer-Encoding: chunked\r\n\r\n3200000\r\n", 200, "" },
		{ answer_flood, OK, 0, "answer headers too large" },
		{ answer_interim_flood, NULL, 0, "answer headers too large" },
		{ answer_long_line, NULL, 0, "answer headers too large" },
		{ answer_bomb, OK "Content-Encoding: gzip\r\n\r\n", 200, "" },
		{ answer_bomb, OK "Transfer-Encoding: gzip\r\n\r\n", 200, "" },
	};
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, rows[i].talk, rows[i].said);
		struct fetch fetch = get(url_of(&peer, "/"));
		struct fetch_answer answer;

		fetch.timeout_ms = 20000;
		fetch_run(*state, &fetch, &answer);
		assert_string_equal(answer.problem, rows[i].problem);
		assert_int_equal(answer.status, rows[i].status);
		assert_int_equal(answer.is_cut, rows[i].status == 200);
		assert_int_equal(answer.body_len, rows[i].status == 200 ? ANSWER_MAX : 0);
		peer_stop(&peer);
	}
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 8 * 1024);
}

static void
answer_never(int fd, struct peer_seen *seen, const void *arg)
{
	(void)arg;
	while (peer_read(fd, seen) > 0)
		;
}

/* A byte each 20 ms: no single wait is long. */
static void
answer_drop_by_drop(int fd, struct peer_seen *seen, const void *arg)
{
	read_request(fd, seen);
	for (const char *p = arg; peer_write(fd, p, 1) == 0; p += p[1] != '\0')
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

static void
the_timeout_covers_everything(void **state)
{
	static const struct {
		peer_talk talk;
		const char *said, *url;
	} rows[] = {
		{ answer_never, NULL, NULL },
		{ answer_drop_by_drop, OK "X-Slow: aaaaaaaaaaaaaaaaa", NULL },
		{ answer_drop_by_drop, OK "\r\nbbbbbbbb", NULL },
		{ answer_never, NULL, "http://slow.test/" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, rows[i].talk, rows[i].said);
		struct fetch fetch = get(rows[i].url != NULL ? rows[i].url : url_of(&peer, "/"));
		struct fetch_answer answer;
		int64_t start = clock_ms();

		fetch.timeout_ms = 300;
		fetch_run(*state, &fetch, &answer);
		assert_in_range(clock_ms() - start, 290, 1500);
		assert_string_equal(answer.problem, "timed out");
		assert_int_equal(answer.status, 0);
		assert_string_equal(answer.body, "");
		peer_stop(&peer);
	}
}

static void
a_request_cannot_be_broken_out_of(void **state)
{
	static const char *const urls[] = { "/a\r\nX-Evil: 1", "/a\nX-Evil: 1", "/a X-Evil", "/a\tb", "/\x7f",
		"/\xc3\xa9" };
	static const char *const header_lines[] = { "X-A: b\r\nX-Evil: 1", "X-A: b\nX-Evil: 1", "X-A: b\r",
		"X-A: \x01" };
	struct peer peer = peer_start(AF_INET, answer_text, OK "Content-Length: 0\r\n\r\n");
	struct fetch_answer answer;
	struct fetch fetch;

	for (size_t i = 0; i < nitems(urls); i++) {
		fetch = get(url_of(&peer, urls[i]));
		fetch_run(*state, &fetch, &answer);
		assert_string_equal(answer.problem, "the URL has characters that a URL cannot hold");
	}
	for (size_t i = 0; i < nitems(header_lines); i++) {
		const char *headers[] = { "X-B: c", header_lines[i], NULL };

		fetch = get(url_of(&peer, "/"));
		fetch.headers = headers;
		fetch_run(*state, &fetch, &answer);
		assert_string_equal(answer.problem, "a request header holds control characters");
	}
	fetch = get(url_of(&peer, "/a%0d%0aX-Evil:%201?b=%0d%0aX-Evil:1"));
	fetch_run(*state, &fetch, &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(peer.seen->connections, 1);
	assert_non_null(strstr(peer.seen->bytes, "GET /a%0d%0aX-Evil:%201?b=%0d%0aX-Evil:1 HTTP/1.1\r\n"));
	assert_null(strstr(peer.seen->bytes, "\nX-Evil"));
	peer_stop(&peer);
}

static void
the_environment_has_no_say(void **state)
{
	struct peer proxy = peer_start(AF_INET, answer_text, OK "Content-Length: 5\r\n\r\nproxy");
	struct peer peer = peer_start(AF_INET, answer_text, OK "Content-Length: 4\r\n\r\npeer");
	char home[] = "/tmp/fetch-XXXXXX", netrc[64], url[64];
	struct fetch fetch = get(url);
	struct fetch_answer answer;
	FILE *file;

	assert_non_null(mkdtemp(home));
	snprintf(netrc, sizeof(netrc), "%s/.netrc", home);
	assert_non_null(file = fopen(netrc, "w"));
	fprintf(file, "machine 127.0.0.1 login somebody password something\n");
	fclose(file);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy.port);
	setenv("http_proxy", url, 1);
	setenv("all_proxy", url, 1);
	setenv("ALL_PROXY", url, 1);
	setenv("HOME", home, 1);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", peer.port);
	fetch_run(*state, &fetch, &answer);
	assert_string_equal(answer.body, "peer");
	assert_null(strstr(peer.seen->bytes, "Authorization"));
	assert_int_equal(proxy.seen->connections, 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unlink(netrc);
	rmdir(home);
	peer_stop(&peer);
	peer_stop(&proxy);
}

static void
a_dead_end_is_named(void **state)
{
	static const struct {
		const char *form, *problem;
	} rows[] = {
		{ "http://127.0.0.1:%d/", "connection refused" },
		{ "http://[::1]:%d/", "connection refused" },
		{ "http://no-such-host.invalid:%d/", "name not found" },
		{ "ftp://127.0.0.1:%d/", "the URL must begin with https:// or http://" },
		{ "http://a:b@127.0.0.1:%d/", "the URL must not hold a user name or a password" },
		{ "http://:%d/", "the URL must name a host" },
	};
	int port = 0;

	close(peer_listen(AF_INET, &port)); /* now a port where nobody listens */
	for (size_t i = 0; i < nitems(rows); i++) {
		char url[64];
		struct fetch fetch = get(url);
		struct fetch_answer answer;

		snprintf(url, sizeof(url), "%.*s%d%s", (int)strcspn(rows[i].form, "%"), rows[i].form, port,
		    strchr(rows[i].form, '%') + 2);
		fetch_run(*state, &fetch, &answer);
		assert_string_equal(answer.problem, rows[i].problem);
		assert_int_equal(answer.status, 0);
	}
}

/* A TLS server whose certificate nobody has signed but itself. */
static void
answer_self_signed(int fd, struct peer_seen *seen, const void *arg)
{
	gnutls_session_t session = peer_tls(fd);
	char buf[4096];

	(void)arg;
	if (session != NULL && gnutls_record_recv(session, buf, sizeof(buf)) > 0) {
		memcpy(seen->bytes, "request", 8);
		gnutls_record_send(session, OK "Content-Length: 0\r\n\r\n", strlen(OK) + 21);
	}
}

/* Plain HTTP to whatever comes first. */
static void
answer_unasked(int fd, struct peer_seen *seen, const void *arg)
{
	peer_read(fd, seen);
	peer_say(fd, arg);
}

static void
nothing_is_told_to_a_server_without_a_trusted_certificate(void **state)
{
	struct peer peer = peer_start(AF_INET, answer_self_signed, NULL);
	struct peer plain = peer_start(AF_INET, answer_unasked, OK "Content-Length: 0\r\n\r\n");
	char url[64];
	struct fetch fetch = get(url);
	struct fetch_answer answer;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", peer.port);
	fetch_run(*state, &fetch, &answer);
	assert_string_equal(answer.problem, "TLS certificate not trusted");
	assert_int_equal(peer.seen->connections, 1);
	assert_string_equal(peer.seen->bytes, "");
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", plain.port);
	fetch_run(*state, &fetch, &answer);
	assert_string_equal(answer.problem, "TLS handshake failed");
	peer_stop(&plain);
	peer_stop(&peer);
}

static const struct {
	const char *address;
	bool is_private;
} addresses[] = {
	{ "0.0.0.0", true },
	{ "0.1.2.3", true },
	{ "1.0.0.0", false },
	{ "9.255.255.255", false },
	{ "10.0.0.0", true },
	{ "10.255.255.255", true },
	{ "11.0.0.0", false },
	{ "100.63.255.255", false },
	{ "100.64.0.1", true },
	{ "100.100.100.200", true },
	{ "100.127.255.255", true },
	{ "100.128.0.0", false },
	{ "126.255.255.255", false },
	{ "127.0.0.1", true },
	{ "127.255.255.254", true },
	{ "128.0.0.0", false },
	{ "168.63.129.15", false },
	{ "168.63.129.16", true },
	{ "168.63.129.17", false },
	{ "169.253.255.255", false },
	{ "169.254.0.0", true },
	{ "169.254.169.254", true },
	{ "169.255.0.0", false },
	{ "172.15.255.255", false },
	{ "172.16.0.0", true },
	{ "172.31.255.255", true },
	{ "172.32.0.0", false },
	{ "192.0.0.1", true },
	{ "192.0.0.192", true },
	{ "192.0.1.0", false },
	{ "192.0.2.1", true },
	{ "192.88.99.1", true },
	{ "192.167.255.255", false },
	{ "192.168.0.0", true },
	{ "192.168.255.255", true },
	{ "192.169.0.0", false },
	{ "198.17.255.255", false },
	{ "198.18.0.1", true },
	{ "198.19.255.255", true },
	{ "198.20.0.0", false },
	{ "198.51.100.7", true },
	{ "203.0.113.7", true },
	{ "223.255.255.255", false },
	{ "224.0.0.1", true },
	{ "239.255.255.255", true },
	{ "240.0.0.1", true },
	{ "255.255.255.255", true },
	{ "8.8.8.8", false },
	{ "93.184.216.34", false },
	{ "::", true },
	{ "::1", true },
	{ "::127.0.0.1", true },
	{ "::8.8.8.8", true },
	{ "::ffff:127.0.0.1", true },
	{ "::ffff:10.1.2.3", true },
	{ "::ffff:a9fe:a9fe", true },
	{ "::ffff:8.8.8.8", false },
	{ "::ffff:0:127.0.0.1", true },
	{ "::ffff:0:8.8.8.8", true },
	{ "64:ff9b::7f00:1", true },
	{ "64:ff9b::192.168.1.1", true },
	{ "64:ff9b::8.8.8.8", false },
	{ "64:ff9b:1::8.8.8.8", true },
	{ "100::1", true },
	{ "1fff:ffff::1", true },
	{ "2001::1", true },
	{ "2001:0:4136:e378::1", true },
	{ "2001:1ff::1", true },
	{ "2001:200::1", false },
	{ "2001:db8::1", true },
	{ "2001:db9::1", false },
	{ "2001:4860:4860::8888", false },
	{ "2002:7f00:1::", true },
	{ "2002:a9fe:a9fe::1", true },
	{ "2002:c0a8:101::1", true },
	{ "2002:808:808::1", false },
	{ "2606:4700::1111", false },
	{ "2a00:1450:4001::200e", false },
	{ "3fff::1", true },
	{ "3fff:fff:ffff::1", true },
	{ "3fff:1000::1", false },
	{ "4000::1", true },
	{ "5f00::1", true },
	{ "fc00::1", true },
	{ "fd00:ec2::254", true },
	{ "fe80::1", true },
	{ "febf::1", true },
	{ "fec0::1", true },
	{ "ff02::1", true },
	{ "ff0e::1", true },
};

static void
addresses_are_told_apart(void **state)
{
	struct sockaddr_un_like {
		sa_family_t family;
		char path[14];
	} local = { .family = AF_UNIX };

	(void)state;
	for (size_t i = 0; i < nitems(addresses); i++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		bool is_v4 = inet_pton(AF_INET, addresses[i].address, &v4.sin_addr) == 1;

		assert_true(is_v4 || inet_pton(AF_INET6, addresses[i].address, &v6.sin6_addr) == 1);
		if (fetch_address_is_private(is_v4 ? (void *)&v4 : (void *)&v6) != addresses[i].is_private)
			fail_msg("%s", addresses[i].address);
	}
	assert_true(fetch_address_is_private(&local));
}

/* Calls host at port without leave for private addresses. */
static struct fetch_answer
call_outside(const void *ctx, const char *host, int port)
{
	char url[256];
	struct fetch fetch = get(url);
	struct fetch_answer answer;

	snprintf(url, sizeof(url), "http://%s:%d/", host, port);
	fetch.flags = FETCH_ALLOW_HTTP;
	fetch_run(ctx, &fetch, &answer);
	return answer;
}

static void
no_spelling_of_a_private_address_is_connected(void **state)
{
	static const char *const spellings[] = { "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
		"0X7F.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.0.0.1.", "%31%32%37.0.0.1", "localhost",
		"LOCALHOST", "localhost.", "a.localhost", "0", "0.0.0.0", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"[fe80::1%25lo]", "[fe80::1%251]", "inside.test", "inside6.test", "mapped.test", "mixed.test",
		"mixed6.test" };
	int port = 0, v4 = peer_listen(AF_INET, &port), v6 = peer_listen(AF_INET6, &port);

	fcntl(v4, F_SETFL, O_NONBLOCK);
	fcntl(v6, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < nitems(spellings); i++) {
		struct fetch_answer answer = call_outside(*state, spellings[i], port);

		assert_int_equal(answer.status, 0);
		if (spellings[i][strlen(spellings[i]) - 1] != '.') /* a name's end: such a one is looked up */
			assert_string_equal(answer.problem, "address not allowed");
	}
	assert_int_equal(accept(v4, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(accept(v6, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(v4);
	close(v6);
}

static void
every_private_address_is_refused_when_called(void **state)
{
	for (size_t i = 0; i < nitems(addresses); i++) {
		char host[64];

		if (!addresses[i].is_private)
			continue; /* a public one would be called in earnest */
		snprintf(host, sizeof(host), strchr(addresses[i].address, ':') ? "[%s]" : "%s", addresses[i].address);
		assert_string_equal(call_outside(*state, host, 80).problem, "address not allowed");
	}
}

#define BEGIN "must begin with https://"
#define BEGIN_ANY "must begin with https:// or http://"
#define CHARACTERS "has characters that a URL cannot hold"
#define USER "must not hold a user name or a password"
#define HOST "must name a host"
#define PRIVATE "must not lead to a private address"

static void
urls_are_judged_by_what_they_say(void **state)
{
	static const struct {
		const char *url;
		unsigned flags;
		const char *why; /* NULL: may be called; "": any reason */
	} rows[] = {
		{ "https://example.com/hook", 0, NULL },
		{ "https://example.com", 0, NULL },
		{ "HTTPS://EXAMPLE.com:8443/a?b=c#d", 0, NULL },
		{ "https://xn--bcher-kva.example/", 0, NULL },
		{ "https://8.8.8.8/", 0, NULL },
		{ "https://[2001:4860:4860::8888]:443/", 0, NULL },
		{ "https://example.com/?mail=a@b.example", 0, NULL },
		{ "https://localhost.example/", 0, NULL },
		{ "https://notlocalhost/", 0, NULL },
		{ "http://example.com/", FETCH_ALLOW_HTTP, NULL },
		{ "http://127.0.0.1:9/", ANY, NULL },
		{ "https://localhost/", FETCH_ALLOW_PRIVATE, NULL },
		{ "http://example.com/", 0, BEGIN },
		{ "http://example.com/", FETCH_ALLOW_PRIVATE, BEGIN },
		{ "", 0, BEGIN },
		{ "example.com", 0, BEGIN },
		{ "//example.com/", 0, BEGIN },
		{ "https:/example.com", 0, BEGIN },
		{ "https:///example.com", 0, BEGIN },
		{ "https:example.com", 0, BEGIN },
		{ "file:///etc/passwd", ANY, BEGIN_ANY },
		{ "gopher://example.com/", ANY, BEGIN_ANY },
		{ "javascript:alert(1)", ANY, BEGIN_ANY },
		{ "ftp://example.com/", ANY, BEGIN_ANY },
		{ " https://example.com/", 0, CHARACTERS },
		{ "https://example.com/\r\nA: b", 0, CHARACTERS },
		{ "https://example.com/a b", 0, CHARACTERS },
		{ "https://b\xc3\xbc"
		  "cher.example/",
		    0, CHARACTERS },
		{ "https://example.com/\x7f", 0, CHARACTERS },
		{ "https://user@example.com/", 0, USER },
		{ "https://user:pass@example.com/", 0, USER },
		{ "https://:@example.com/", 0, "" },
		{ "https://@example.com/", 0, "" },
		{ "https://example.com@127.0.0.1/", 0, USER },
		{ "https://example.com\\@127.0.0.1/", 0, "" },
		{ "https://", 0, HOST },
		{ "https://:443/", 0, HOST },
		{ "https://?a", 0, "" },
		{ "https://#a", 0, "" },
		{ "https://example.com:99999/", 0, "must have a port from 1 to 65535" },
		{ "https://example.com:1x/", 0, "" },
		{ "https://[::1/", 0, "" },
		{ "https://[xyz]/", 0, "" },
		{ "https://a%00b/", 0, "" },
		{ "https://a%0ab/", 0, "" },
		{ "https://127.0.0.1/", 0, PRIVATE },
		{ "http://127.0.0.1/", FETCH_ALLOW_HTTP, PRIVATE },
		{ "https://2130706433/", 0, PRIVATE },
		{ "https://0x7f.1/", 0, PRIVATE },
		{ "https://0177.0.0.1/", 0, PRIVATE },
		{ "https://127.1/", 0, PRIVATE },
		{ "https://%31%32%37.0.0.1/", 0, PRIVATE },
		{ "https://localhost/", 0, PRIVATE },
		{ "https://LocalHost./", 0, PRIVATE },
		{ "https://a.localhost:9/", 0, PRIVATE },
		{ "https://[::1]/", 0, PRIVATE },
		{ "https://[::ffff:127.0.0.1]/", 0, PRIVATE },
		{ "https://[64:ff9b::7f00:1]/", 0, PRIVATE },
		{ "https://[2002:7f00:1::]/", 0, PRIVATE },
		{ "https://[fe80::1%25eth0]/", 0, PRIVATE },
		{ "https://[2001:4860:4860::8888%25eth0]/", 0, PRIVATE },
		{ "https://169.254.169.254/latest/", 0, PRIVATE },
		{ "https://10.0.0.1/", 0, PRIVATE },
		{ "https://0/", 0, PRIVATE },
		{ "https://192.168.1.1/", 0, PRIVATE },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		const char *why = NULL;
		bool is_ok = fetch_url_ok(rows[i].url, rows[i].flags, &why);

		if (is_ok != (rows[i].why == NULL) || (!is_ok && why == NULL) ||
		    (!is_ok && rows[i].why[0] != '\0' && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %s", rows[i].url, is_ok ? "taken" : why);
	}
}

static int
context_new(void **state)
{
	*state = talloc_new(NULL);
	return *state == NULL ? -1 : 0;
}

static int
context_free(void **state)
{
	return talloc_free(*state);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, context_new, context_free)
	const struct CMUnitTest tests[] = {
		CASE(a_request_arrives_as_it_was_given),
		CASE(each_method_has_its_form),
		CASE(a_large_body_is_sent_without_waiting_for_leave),
		CASE(answers_are_read_and_bad_ones_named),
		CASE(the_answer_tells_its_date),
		CASE(retry_after_may_be_a_date_in_all_three_forms),
		CASE(an_answer_is_cut_one_past_the_maximum),
		CASE(no_answer_however_large_fills_our_memory),
		CASE(the_timeout_covers_everything),
		CASE(a_request_cannot_be_broken_out_of),
		CASE(the_environment_has_no_say),
		CASE(a_dead_end_is_named),
		CASE(nothing_is_told_to_a_server_without_a_trusted_certificate),
		CASE(addresses_are_told_apart),
		CASE(no_spelling_of_a_private_address_is_connected),
		CASE(every_private_address_is_refused_when_called),
		CASE(urls_are_judged_by_what_they_say),
	};

	alarm(120);
	fetch_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
