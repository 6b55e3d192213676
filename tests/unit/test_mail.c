/*
 * Mail out, against an SMTP server that plays by a script.  "mail.test" is looked up by the getaddrinfo below
 * and leads to 127.0.0.1: a server that is not on loopback as far as lib/net/mail.c can tell.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <sys/stat.h>
#include <talloc.h>
#include <time.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "net/fetch.h"
#include "net/mail.h"
#include "peer.h"

#define HANG ""
#define DROP "drop"

/* What the server answers; NULL: as a good server would. */
struct script {
	const char *banner, *ehlo, *auth, *mail, *rcpt, *data, *end, *quit;
};

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	struct addrinfo numeric = hints != NULL ? *hints : (struct addrinfo){ 0 };
	void *next = dlsym(RTLD_NEXT, "getaddrinfo");
	lookup real;

	memcpy(&real, &next, sizeof(real));
	numeric.ai_flags |= AI_NUMERICHOST;
	return real(strcmp(node, "mail.test") == 0 ? "127.0.0.1" : node, service, &numeric, found);
}

/* Reads a line into the record, from TLS where there is a session; NULL at the end. */
static const char *
read_line(int fd, gnutls_session_t tls, struct peer_seen *seen)
{
	char *start = seen->bytes + seen->len, *end = start;

	while (end < seen->bytes + sizeof(seen->bytes) - 1) {
		if ((tls != NULL ? gnutls_record_recv(tls, end, 1) : read(fd, end, 1)) != 1)
			return NULL;
		seen->len++;
		*++end = '\0';
		if (end[-1] == '\n')
			return start;
	}
	return NULL;
}

/* Says a scripted answer; false if the server hangs or drops the connection at this point. */
static bool
say(int fd, gnutls_session_t tls, const char *scripted, const char *usual)
{
	const char *text = scripted != NULL ? scripted : usual;

	if (strcmp(text, HANG) == 0)
		pause();
	if (strcmp(text, DROP) == 0)
		return false;
	if (tls != NULL)
		return gnutls_record_send(tls, text, strlen(text)) > 0;
	return peer_say(fd, text) == 0;
}

static bool
take_data(int fd, gnutls_session_t tls, struct peer_seen *seen, const struct script *script)
{
	const char *line;

	if (!say(fd, tls, script->data, "354 go on\r\n"))
		return false;
	if (script->data != NULL)
		return true;
	while ((line = read_line(fd, tls, seen)) != NULL && strcmp(line, ".\r\n") != 0)
		;
	return line != NULL && say(fd, tls, script->end, "250 taken\r\n");
}

static void
serve_smtp(int fd, struct peer_seen *seen, const void *arg)
{
	const struct script *script = arg;
	gnutls_session_t tls = NULL;
	const char *line;
	bool goes_on = say(fd, tls, script->banner, "220 mail.test\r\n");

	while (goes_on && (line = read_line(fd, tls, seen)) != NULL) {
		if (strncasecmp(line, "EHLO", 4) == 0)
			goes_on = say(fd, tls, script->ehlo, "250-mail.test\r\n250 SIZE 1000000\r\n");
		else if (strncasecmp(line, "STARTTLS", 8) == 0)
			goes_on = say(fd, tls, NULL, "220 go\r\n") && (tls = peer_tls(fd)) != NULL;
		else if (strncasecmp(line, "AUTH", 4) == 0)
			goes_on = say(fd, tls, NULL, "334 \r\n") && read_line(fd, tls, seen) != NULL &&
				  say(fd, tls, script->auth, "235 welcome\r\n");
		else if (strncasecmp(line, "MAIL", 4) == 0)
			goes_on = say(fd, tls, script->mail, "250 ok\r\n");
		else if (strncasecmp(line, "RCPT", 4) == 0)
			goes_on = say(fd, tls, script->rcpt, "250 ok\r\n");
		else if (strncasecmp(line, "DATA", 4) == 0)
			goes_on = take_data(fd, tls, seen, script);
		else if (strncasecmp(line, "QUIT", 4) == 0)
			goes_on = say(fd, tls, script->quit, "221 bye\r\n") && false;
		else
			goes_on = say(fd, tls, NULL, "500 what?\r\n");
	}
}

static struct mail
sample(void)
{
	return (struct mail){ .from = "noreply@humanops.example",
		.to = "somebody@example.com",
		.subject = "Confirm your address",
		.text = "Hello,\n\nplease confirm.\n",
		.message_id = "mail-0001",
		.now_ms = 1770292800000,
		.timeout_ms = 5000 };
}

/* Sends by a server with this script; the error's code, ERR_none when it was taken. */
static enum error_code
send_by(const struct peer *peer, const char *host, const struct mail *mail)
{
	struct error err = { 0 };
	enum error_code code;
	char url[128];
	int rc;

	snprintf(url, sizeof(url), "smtp://%s:%d/agent.test", host, peer->port);
	rc = mail_send(url, NULL, mail, &err);
	code = err.code;
	assert_int_equal(rc, code == ERR_none ? 0 : -1);
	error_clear(&err);
	return code;
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
a_mail_arrives_as_it_was_written(void **state)
{
	static const struct script script = { 0 };
	static const char want[] = "EHLO agent.test\r\n"
				   "MAIL FROM:<noreply@humanops.example> SIZE=335\r\n"
				   "RCPT TO:<somebody@example.com>\r\n"
				   "DATA\r\n"
				   "Date: Thu, 05 Feb 2026 12:00:00 +0000\r\n"
				   "From: <noreply@humanops.example>\r\n"
				   "To: <somebody@example.com>\r\n"
				   "Subject: Confirm your address\r\n"
				   "Message-ID: <mail-0001@humanops.example>\r\n"
				   "Auto-Submitted: auto-generated\r\n"
				   "MIME-Version: 1.0\r\n"
				   "Content-Type: text/plain; charset=us-ascii\r\n"
				   "Content-Transfer-Encoding: 7bit\r\n"
				   "\r\n"
				   "Hello,\r\n"
				   "..\r\n"
				   "...two\r\n"
				   "..one\r\n"
				   "\r\n"
				   "bye\r\n"
				   ".\r\n";
	static const struct {
		int family;
		const char *host;
	} rows[] = { { AF_INET, "127.0.0.1" }, { AF_INET6, "[::1]" }, { AF_INET, "localhost" } };

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(rows[i].family, serve_smtp, &script);
		struct mail mail = sample();

		mail.text = "Hello,\n.\n..two\n.one\n\nbye";
		assert_int_equal(send_by(&peer, rows[i].host, &mail), ERR_none);
		/* All that was answered; QUIT behind it may still be on its way. */
		assert_memory_equal(peer.seen->bytes, want, strlen(want));
		peer_stop(&peer);
	}
}

static void
user_and_password_of_the_url_log_in(void **state)
{
	static const struct script good = { .ehlo = "250-mail.test\r\n250 AUTH PLAIN\r\n" };
	static const struct script bad = { .ehlo = "250-mail.test\r\n250 AUTH PLAIN\r\n", .auth = "535 no\r\n" };
	struct peer peer = peer_start(AF_INET, serve_smtp, &good);
	struct mail mail = sample();

	(void)state;
	assert_int_equal(send_by(&peer, "user:pa%40ss@127.0.0.1", &mail), ERR_none);
	assert_non_null(strstr(peer.seen->bytes, "\r\nAUTH PLAIN\r\nAHVzZXIAcGFAc3M=\r\n"));
	peer_stop(&peer);
	peer = peer_start(AF_INET, serve_smtp, &bad);
	assert_int_equal(send_by(&peer, "user:wrong@127.0.0.1", &mail), ERR_unavailable);
	assert_null(strstr(peer.seen->bytes, "MAIL"));
	peer_stop(&peer);
}

/* Only a 5xx that speaks of the address itself gives it up; the rest may be better next time. */
static void
refusals_for_good_and_for_now_are_told_apart(void **state)
{
	static const struct {
		struct script script;
		enum error_code code;
	} rows[] = {
		{ { .rcpt = "550 5.1.1 unknown mailbox\r\n" }, ERR_validation_failed },
		{ { .rcpt = "550 no\r\n" }, ERR_validation_failed },
		{ { .rcpt = "553\r\n" }, ERR_validation_failed },
		{ { .rcpt = "550-5.1.1 unknown\r\n550 5.1.1 mailbox\r\n" }, ERR_validation_failed },
		{ { .rcpt = "550 5.1.8 sender unknown\r\n" }, ERR_unavailable },
		{ { .rcpt = "503 5.5.1 out of order\r\n" }, ERR_unavailable },
		{ { .rcpt = "554 5.7.1 relaying denied\r\n" }, ERR_unavailable },
		{ { .rcpt = "530 5.7.0 log in first\r\n" }, ERR_unavailable },
		{ { .rcpt = "530 log in first\r\n" }, ERR_unavailable },
		{ { .rcpt = "451 4.7.1 greylisted\r\n" }, ERR_unavailable },
		{ { .rcpt = "452 full\r\n" }, ERR_unavailable },
		{ { .rcpt = DROP }, ERR_unavailable },
		{ { .rcpt = "hello\r\n" }, ERR_unavailable },
		{ { .banner = "554 no service\r\n" }, ERR_unavailable },
		{ { .banner = "421 later\r\n" }, ERR_unavailable },
		{ { .banner = "HTTP/1.1 400 Bad Request\r\n\r\n" }, ERR_unavailable },
		{ { .banner = DROP }, ERR_unavailable },
		{ { .ehlo = DROP }, ERR_unavailable },
		{ { .mail = "550 5.1.8 bad sender\r\n" }, ERR_unavailable },
		{ { .mail = "451 later\r\n" }, ERR_unavailable },
		{ { .mail = DROP }, ERR_unavailable },
		{ { .data = "554 no\r\n" }, ERR_unavailable },
		{ { .data = DROP }, ERR_unavailable },
		{ { .end = "554 spam\r\n" }, ERR_unavailable },
		{ { .end = "451 later\r\n" }, ERR_unavailable },
		{ { .end = DROP }, ERR_unavailable },
		{ { .quit = "500 what\r\n" }, ERR_none },
		{ { .quit = DROP }, ERR_none },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, serve_smtp, &rows[i].script);
		struct mail mail = sample();
		enum error_code code;

		mail.timeout_ms = 1000; /* some servers say nothing that ends a wait */
		code = send_by(&peer, "127.0.0.1", &mail);
		if (code != rows[i].code)
			fail_msg("row %zu: %s", i, error_name(code));
		peer_stop(&peer);
	}
}

static void
a_server_that_hangs_costs_the_timeout(void **state)
{
	static const struct {
		struct script script;
		enum error_code code;
	} rows[] = {
		{ { .banner = HANG }, ERR_unavailable },
		{ { .ehlo = HANG }, ERR_unavailable },
		{ { .mail = HANG }, ERR_unavailable },
		{ { .rcpt = HANG }, ERR_unavailable },
		{ { .data = HANG }, ERR_unavailable },
		{ { .end = HANG }, ERR_unavailable },
		{ { .quit = HANG }, ERR_none },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, serve_smtp, &rows[i].script);
		struct mail mail = sample();
		int64_t start = clock_ms();

		mail.timeout_ms = 400;
		assert_int_equal(send_by(&peer, "127.0.0.1", &mail), rows[i].code);
		if (clock_ms() - start > 2000)
			fail_msg("row %zu took %ld ms", i, (long)(clock_ms() - start));
		peer_stop(&peer);
	}
}

static void
a_missing_server_is_no_fault_of_the_address(void **state)
{
	struct peer nobody = { 0 };
	struct mail mail = sample();
	struct error err = { 0 };

	(void)state;
	close(peer_listen(AF_INET, &nobody.port));
	assert_int_equal(send_by(&nobody, "127.0.0.1", &mail), ERR_unavailable);
	assert_int_equal(send_by(&nobody, "no-such-host.invalid", &mail), ERR_unavailable);
	assert_int_equal(mail_send("http://127.0.0.1/", NULL, &mail, &err), -1);
	assert_int_equal(err.code, ERR_unavailable);
	assert_true(err.retry_after_s > 0);
	error_clear(&err);
}

#define WITH_TLS "250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"

/* Elsewhere nothing but EHLO goes out before a trusted certificate; on loopback TLS is welcome, not required.
 */
static void
only_loopback_is_trusted_without_a_certificate(void **state)
{
	static const struct {
		struct script script;
		const char *host;
		enum error_code code;
	} rows[] = {
		{ { .ehlo = "250-mail.test\r\n250 AUTH PLAIN\r\n" }, "user:secret@mail.test", ERR_unavailable },
		{ { .ehlo = WITH_TLS }, "user:secret@mail.test", ERR_unavailable },
		{ { .ehlo = WITH_TLS }, "user:secret@127.0.0.1", ERR_none },
		{ { .ehlo = WITH_TLS }, "user:secret@localhost", ERR_none },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct peer peer = peer_start(AF_INET, serve_smtp, &rows[i].script);
		struct mail mail = sample();

		assert_int_equal(send_by(&peer, rows[i].host, &mail), rows[i].code);
		assert_int_equal(peer.seen->connections, 1);
		if (rows[i].code == ERR_none) {
			assert_non_null(strstr(peer.seen->bytes, "STARTTLS\r\nEHLO"));
			assert_non_null(strstr(peer.seen->bytes, "please confirm."));
		} else {
			assert_null(strstr(peer.seen->bytes, "AUTH"));
			assert_null(strstr(peer.seen->bytes, "MAIL"));
		}
		peer_stop(&peer);
	}
}

/* A folder of a test's own, on the heap of *state. */
static char *
folder(const void *ctx)
{
	char *path = talloc_strdup(ctx, "/tmp/mail-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static size_t
count_files(const char *dir)
{
	DIR *stream = opendir(dir);
	size_t n = 0;

	if (stream == NULL)
		return 0;
	while (readdir(stream) != NULL)
		n++;
	closedir(stream);
	return n - 2;
}

static char *
read_file(const void *ctx, const char *path)
{
	char *text = talloc_zero_size(ctx, 64 * 1024);
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return NULL;
	assert_true(fread(text, 1, 64 * 1024 - 1, file) < 64 * 1024 - 1);
	fclose(file);
	return text;
}

/* The file that a mail becomes, NULL if it was refused as our bug. */
static char *
written(const void *ctx, const struct mail *mail)
{
	struct error err = { 0 };
	char *dir = folder(ctx), *path = talloc_asprintf(ctx, "%s/%s.eml", dir, mail->message_id), *text = NULL;

	if (mail_send(NULL, dir, mail, &err) == 0) {
		assert_int_equal(count_files(dir), 1);
		text = read_file(ctx, path);
		unlink(path);
	} else {
		assert_int_equal(err.code, ERR_internal);
	}
	assert_int_equal(rmdir(dir), 0);
	error_clear(&err);
	return text;
}

static void
without_a_server_a_mail_is_one_private_file(void **state)
{
	char *parent = folder(*state), *dir = talloc_asprintf(*state, "%s/mail", parent);
	char *path = talloc_asprintf(*state, "%s/mail-0001.eml", dir);
	struct mail mail = sample();
	struct error err = { 0 };
	struct stat st;

	for (int i = 0; i < 2; i++) { /* a second attempt replaces the first */
		mail.text = i == 0 ? "first\n" : "second\n";
		assert_int_equal(mail_send(NULL, dir, &mail, &err), 0);
	}
	assert_int_equal(count_files(dir), 1);
	assert_non_null(strstr(read_file(*state, path), "\r\n\r\nsecond\r\n"));
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(mail_send(NULL, path, &mail, &err), -1); /* a file where the folder should be */
	assert_int_equal(err.code, ERR_unavailable);
	error_clear(&err);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* the name is taken by a folder: nothing is left behind */
	assert_int_equal(mail_send(NULL, dir, &mail, &err), -1);
	assert_int_equal(err.code, ERR_unavailable);
	assert_int_equal(count_files(dir), 1);
	error_clear(&err);
	rmdir(path);
	rmdir(dir);
	rmdir(parent);
}

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10

static void
lines_are_kept_short_and_links_whole(void **state)
{
	static const struct {
		const char *subject, *text, *has;
	} rows[] = {
		{ "", "a", "\r\nSubject: \r\n" },
		{ A50 A10 " 12345678", "a", "\r\nSubject: " A50 A10 " 12345678\r\n" },	     /* 78 */
		{ A50 A10 " 123456789", "a", "\r\nSubject: " A50 A10 "\r\n 123456789\r\n" }, /* 79 */
		{ A50 " " A50 " " A50, "a", "\r\nSubject: " A50 "\r\n " A50 "\r\n " A50 "\r\n" },
		{ A50 A50, "a", "\r\nSubject: " A50 A50 "\r\n" },
		{ "a", "", "7bit\r\n\r\n" },
		{ "a", "one\n\n\ntwo", "\r\n\r\none\r\n\r\n\r\ntwo\r\n" },
		{ "a", A50 A10 A10 " 1234567", "\r\n" A50 A10 A10 " 1234567\r\n" },
		{ "a", A50 A10 A10 " 12345678", "\r\n" A50 A10 A10 "\r\n12345678\r\n" },
		{ "a", "see https://" A50 A50 " now", "\r\nsee\r\nhttps://" A50 A50 "\r\nnow\r\n" },
		{ "a", A50 " " A50 " b\nc", "\r\n" A50 "\r\n" A50 " b\r\nc\r\n" },
		{ "a", " " A50 A50, "\r\n " A50 A50 "\r\n" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct mail mail = sample();
		char *text;

		mail.subject = rows[i].subject;
		mail.text = rows[i].text;
		text = written(*state, &mail);
		if (text == NULL || strstr(text, rows[i].has) == NULL)
			fail_msg("row %zu: %s", i, text);
	}
}

static void
what_could_break_out_of_a_header_is_refused(void **state)
{
	static const struct script script = { 0 };
	char *longest = talloc_zero_size(*state, 1000), *too_long = talloc_zero_size(*state, 1000);
	const struct {
		const char *from, *to, *subject, *text, *id;
		bool is_good;
	} rows[] = {
		{ .text = memset(longest, 'a', 998), .is_good = true },
		{ .text = memset(too_long, 'a', 999) },
		{ .to = "a@b.example\r\nRCPT TO:<c@d.example>" },
		{ .to = "a@b.example\nBcc: c@d.example" },
		{ .to = "a@b.example>" },
		{ .to = "<a@b.example>" },
		{ .to = "a@b.example,c@d.example" },
		{ .to = "a b@c.example" },
		{ .to = "a@b@c.example" },
		{ .to = "b.example" },
		{ .to = "@b.example" },
		{ .to = "a@" },
		{ .to = "" },
		{ .to = "a@b.example\x7f" },
		{ .to = "\xc3\xa4@b.example" },
		{ .to = "a@[1.2.3.4]" },
		{ .to = "\"a\"@b.example" },
		{ .to = too_long },
		{ .to = "a.b+c_d@b-c.example", .is_good = true },
		{ .from = "a@b.example\r\nSubject: x" },
		{ .from = "a\tb@c.example" },
		{ .from = "" },
		{ .from = "noreply@localhost", .is_good = true },
		{ .subject = "a\r\nBcc: c@d.example" },
		{ .subject = "a\nb" },
		{ .subject = "a\tb" },
		{ .subject = "caf\xc3\xa9" },
		{ .subject = "\x1b[31m" },
		{ .subject = "<&%s~", .is_good = true },
		{ .text = "a\r\n.\r\nMAIL FROM:<a@b.example>" },
		{ .text = "a\rb" },
		{ .text = "\xe2\x82\xac" },
		{ .text = "a\x01" },
		{ .text = "%s%n\n", .is_good = true },
		{ .id = "../up" },
		{ .id = "a/b" },
		{ .id = "" },
		{ .id = ".hidden" },
		{ .id = "a b" },
		{ .id = "a@b" },
		{ .id = "a>\r\nX: y" },
		{ .id = too_long },
		{ .id = "task_01-Z", .is_good = true },
	};
	struct peer peer = peer_start(AF_INET, serve_smtp, &script);

	for (size_t i = 0; i < nitems(rows); i++) {
		struct mail mail = sample();

		mail.from = rows[i].from != NULL ? rows[i].from : mail.from;
		mail.to = rows[i].to != NULL ? rows[i].to : mail.to;
		mail.subject = rows[i].subject != NULL ? rows[i].subject : mail.subject;
		mail.text = rows[i].text != NULL ? rows[i].text : mail.text;
		mail.message_id = rows[i].id != NULL ? rows[i].id : mail.message_id;
		if ((written(*state, &mail) != NULL) != rows[i].is_good)
			fail_msg("row %zu", i);
		if (!rows[i].is_good)
			assert_int_equal(send_by(&peer, "127.0.0.1", &mail), ERR_internal);
	}
	assert_int_equal(peer.seen->connections, 0);
	peer_stop(&peer);
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
		CASE(a_mail_arrives_as_it_was_written),
		CASE(user_and_password_of_the_url_log_in),
		CASE(refusals_for_good_and_for_now_are_told_apart),
		CASE(a_server_that_hangs_costs_the_timeout),
		CASE(a_missing_server_is_no_fault_of_the_address),
		CASE(only_loopback_is_trusted_without_a_certificate),
		CASE(without_a_server_a_mail_is_one_private_file),
		CASE(lines_are_kept_short_and_links_whole),
		CASE(what_could_break_out_of_a_header_is_refused),
	};

	alarm(120);
	fetch_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
