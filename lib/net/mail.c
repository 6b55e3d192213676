/*
 * Mail out: builds the message (RFC 5322, plain ASCII text) and hands it to an SMTP server by libcurl, or to
 * a folder as an .eml file.  Texts and addresses come from our own code; what does not fit a header is our
 * bug and is refused, never repaired.  When to try again, and what to do about an address that is refused, is
 * the caller's business.
 */
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "net/mail.h"

enum {
	LINE_WANTED = 78,   /* RFC 5322, section 2.1.1: lines should be no longer ... */
	LINE_MAX_LEN = 998, /* ... and must be no longer */
	ADDRESS_MAX = 254,  /* RFC 5321, section 4.5.3.1.3, without the angle brackets */
	TIMEOUT_MS = 20000,
	REACH_MS = 5000,
	RETRY_S = 30,
};

/* What libcurl tells and takes while it sends. */
struct sending {
	const char *rest; /* of the message, still to be sent */
	size_t rest_len;
	curl_socket_t socket;
	bool is_rcpt;	     /* the last command was RCPT */
	char rcpt_reply[16]; /* the beginning of its answer, "550 5.1.1 " */
};

/* For our own log. */
static const struct {
	CURLcode code;
	const char *problem;
} problems[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL, "the address is neither smtp:// nor smtps://" },
	{ CURLE_URL_MALFORMAT, "the address is not a URL" },
	{ CURLE_COULDNT_RESOLVE_HOST, "name not found" },
	{ CURLE_COULDNT_CONNECT, "no connection" },
	{ CURLE_WEIRD_SERVER_REPLY, "the server refused the message" },
	{ CURLE_OPERATION_TIMEDOUT, "timed out" },
	{ CURLE_SSL_CONNECT_ERROR, "TLS handshake failed" },
	{ CURLE_GOT_NOTHING, "the server hung up" },
	{ CURLE_SEND_ERROR, "the server refused a command, or hung up" },
	{ CURLE_RECV_ERROR, "the server hung up" },
	{ CURLE_PEER_FAILED_VERIFICATION, "TLS certificate not trusted" },
	{ CURLE_USE_SSL_FAILED, "the server offers no TLS" },
	{ CURLE_LOGIN_DENIED, "user or password refused" },
};

/*
 * Refusals of RCPT, by code or enhanced code (RFC 3463), that speak of us: a dialogue it does not understand,
 * a login it asks for, our sender, its policy ("relaying denied").  Settings may cure that, so no address is
 * given up for it.
 */
static const char *const not_the_address[] = { "500", "502", "503", "504", "530", "538", "5.1.7", "5.1.8", "5.5.",
	"5.7." };

/* True if every byte is printable ASCII and none of those in `but`. */
static bool
is_printable(const char *text, const char *but)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~' || strchr(but, *p) != NULL)
			return false;
	}
	return true;
}

static bool
address_is_good(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL && at != address && at[1] != '\0' && strlen(address) <= ADDRESS_MAX &&
	       is_printable(address, " <>()[]\\,;:\"") && strchr(address, '@') == at;
}

/* It is part of a header and names the file. */
static bool
message_id_is_good(const char *id)
{
	for (const char *p = id; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-_", *p) == NULL)
			return false;
	}
	return id[0] != '\0' && strlen(id) <= 64;
}

static bool
text_is_good(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			return false;
	}
	return true;
}

static int
mail_check(const struct mail *mail, struct error *err)
{
	if (!address_is_good(mail->from))
		return error_internal(err, "a mail's sender is no plain address");
	if (!address_is_good(mail->to))
		return error_internal(err, "a mail's recipient is no plain address");
	if (!is_printable(mail->subject, ""))
		return error_internal(err, "a mail's subject is not plain ASCII");
	if (!message_id_is_good(mail->message_id))
		return error_internal(err, "a mail's message id is not of letters and digits");
	if (!text_is_good(mail->text))
		return error_internal(err, "a mail's text is not plain ASCII");
	return 0;
}

static char *__attribute__((format(printf, 2, 3))) append(char *message, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message = talloc_vasprintf_append_buffer(message, fmt, ap);
	va_end(ap);
	if (message == NULL)
		abort();
	return message;
}

/*
 * Appends one line, broken at spaces so that no part is longer than wanted; next: what a further part begins
 * with. `used` columns are taken already.  A word longer than a line (a link) stays whole, or it would not
 * work.
 */
static char *
append_line(char *message, const char *line, size_t len, size_t used, const char *next)
{
	while (used + len > LINE_WANTED) {
		size_t room = used < LINE_WANTED ? LINE_WANTED - used : 0, cut = room;

		while (cut > 0 && line[cut] != ' ')
			cut--;
		if (cut == 0) {
			for (cut = room; cut < len && line[cut] != ' '; cut++)
				;
			if (cut == len)
				break;
		}
		message = append(message, "%.*s\r\n%s", (int)cut, line, next);
		line += cut + 1;
		len -= cut + 1;
		used = strlen(next);
	}
	return append(message, "%.*s\r\n", (int)len, line);
}

static char *
append_text(char *message, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		message = append_line(message, text, len, 0, "");
		text += len + (text[len] == '\n');
	}
	return message;
}

/* The message as it goes over the wire, without dot-stuffing.  strftime speaks English: we never call
 * setlocale. */
static char *
message_build(const struct mail *mail)
{
	time_t seconds = (time_t)(mail->now_ms / 1000);
	char *message = talloc_strdup(NULL, "");
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&seconds, &tm));
	message = append(message, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nSubject: ", date, mail->from, mail->to);
	message = append_line(message, mail->subject, strlen(mail->subject), strlen("Subject: "), " ");
	message = append(message,
	    "Message-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n",
	    mail->message_id, strchr(mail->from, '@') + 1);
	return append_text(message, mail->text);
}

/* True if every line fits; what is too long for any server has no space to break it at. */
static bool
lines_fit(const char *message)
{
	for (const char *line = message; *line != '\0';) {
		size_t len = strcspn(line, "\r");

		if (len > LINE_MAX_LEN)
			return false;
		line += len + 2;
	}
	return true;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -1;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Writes dir/<message id>.eml: whole under its name or not there at all. */
static int
write_file(const char *dir, const struct mail *mail, const char *message, struct error *err)
{
	char *name = talloc_asprintf(message, "%s/%s.eml", dir, mail->message_id);
	char *temporary = talloc_asprintf(message, "%s/.mail-XXXXXX", dir);
	int fd = -1, rc = -1;

	if (name == NULL || temporary == NULL)
		abort();
	if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || (fd = mkostemp(temporary, O_CLOEXEC)) < 0) {
		error_unavailable(err, RETRY_S, "mail folder %s: %s", dir, strerror(errno));
		goto out;
	}
	if (write_all(fd, message, strlen(message)) != 0 || fsync(fd) != 0 || rename(temporary, name) != 0) {
		error_unavailable(err, RETRY_S, "mail file %s: %s", name, strerror(errno));
		unlink(temporary);
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static size_t
give_message(char *out, size_t one, size_t room, void *arg)
{
	struct sending *sending = arg;
	size_t len = one * room < sending->rest_len ? one * room : sending->rest_len;

	memcpy(out, sending->rest, len);
	sending->rest += len;
	sending->rest_len -= len;
	return len;
}

/* libcurl shows a socket before it connects. */
static int
note_socket(void *arg, curl_socket_t socket, curlsocktype purpose)
{
	struct sending *sending = arg;

	(void)purpose;
	sending->socket = socket;
	return CURL_SOCKOPT_OK;
}

/*
 * Watches the dialogue for the answer to RCPT: libcurl tells the last code alone, and a 5xx speaks of the
 * address only there.  Nothing else is kept; credentials pass here too.  After QUIT all is decided, and
 * libcurl would wait two minutes for an answer, whatever the timeout: so there is nothing more to read then.
 */
static int
watch(CURL *curl, curl_infotype type, char *data, size_t len, void *arg)
{
	struct sending *sending = arg;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT) {
		sending->is_rcpt = len >= 8 && memcmp(data, "RCPT TO:", 8) == 0;
		if (len >= 4 && memcmp(data, "QUIT", 4) == 0)
			shutdown(sending->socket, SHUT_RD);
	} else if (type == CURLINFO_HEADER_IN && sending->is_rcpt) {
		size_t n = len < sizeof(sending->rcpt_reply) - 1 ? len : sizeof(sending->rcpt_reply) - 1;

		memcpy(sending->rcpt_reply, data, n);
		sending->rcpt_reply[n] = '\0';
	}
	return 0;
}

/* True if the answer to RCPT condemns the address itself. */
static bool
is_refused_for_good(const struct sending *sending)
{
	const char *code = sending->rcpt_reply;
	const char *enhanced = strlen(code) > 4 ? code + 4 : "";

	for (size_t i = 0; i < nitems(not_the_address); i++) {
		size_t len = strlen(not_the_address[i]);

		if (strncmp(code, not_the_address[i], len) == 0 || strncmp(enhanced, not_the_address[i], len) == 0)
			return false;
	}
	return code[0] == '5';
}

/* True for a server on this machine: nobody listens in, and its certificate is mostly of its own making. */
static bool
is_on_loopback(const char *smtp_url)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]", "localhost" };
	CURLU *url = curl_url();
	char *host = NULL;
	bool is_local = false;

	if (url == NULL)
		abort();
	if (curl_url_set(url, CURLUPART_URL, smtp_url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		for (size_t i = 0; i < nitems(hosts); i++)
			is_local = is_local || strcasecmp(host, hosts[i]) == 0;
	}
	curl_free(host);
	curl_url_cleanup(url);
	return is_local;
}

static void
must(CURLcode rc)
{
	assert(rc == CURLE_OK);
}

static void
set_rules(CURL *curl, const char *smtp_url, int timeout_ms)
{
	bool is_local = is_on_loopback(smtp_url);

	must(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L));
	must(curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L)); /* QUIT within the call, under its timeout */
	must(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps"));
	must(curl_easy_setopt(curl, CURLOPT_PROXY, ""));
	must(curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
	must(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms));
	must(curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(is_local ? CURLUSESSL_TRY : CURLUSESSL_ALL)));
	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, is_local ? 0L : 1L));
	must(curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, is_local ? 0L : 2L));
	must(curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
}

static void
set_message(CURL *curl, const struct mail *mail, struct curl_slist *to, struct sending *sending)
{
	must(curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from));
	must(curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to));
	must(curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L));
	must(curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->rest_len));
	must(curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message));
	must(curl_easy_setopt(curl, CURLOPT_READDATA, sending));
	must(curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, note_socket));
	must(curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, sending));
	must(curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L)); /* calls watch */
	must(curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, watch));
	must(curl_easy_setopt(curl, CURLOPT_DEBUGDATA, sending));
}

static int
explain(CURL *curl, CURLcode rc, const struct sending *sending, struct error *err)
{
	const char *problem = "not sent";
	long code = 0;

	if (is_refused_for_good(sending))
		return error_set(err, ERR_validation_failed);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	for (size_t i = 0; i < nitems(problems); i++) {
		if (problems[i].code == rc)
			problem = problems[i].problem;
	}
	return error_unavailable(err, RETRY_S, "mail server: %s (reason %d, last answer %ld)", problem, (int)rc, code);
}

static int
send_smtp(const char *smtp_url, const struct mail *mail, const char *message, struct error *err)
{
	struct sending sending = { .rest = message, .rest_len = strlen(message) };
	struct curl_slist *to = curl_slist_append(NULL, mail->to);
	CURL *curl = curl_easy_init();
	CURLcode rc;
	int sent = 0;

	if (to == NULL || curl == NULL || curl_easy_setopt(curl, CURLOPT_URL, smtp_url) != CURLE_OK)
		abort();
	set_rules(curl, smtp_url, mail->timeout_ms > 0 ? mail->timeout_ms : TIMEOUT_MS);
	set_message(curl, mail, to, &sending);
	if ((rc = curl_easy_perform(curl)) != CURLE_OK)
		sent = explain(curl, rc, &sending, err);
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	return sent;
}

int
mail_reach(const char *smtp_url, struct error *err)
{
	struct sending sending = { .rest = "" };
	CURL *curl = curl_easy_init();
	CURLcode rc;
	int reached = 0;

	if (curl == NULL || curl_easy_setopt(curl, CURLOPT_URL, smtp_url) != CURLE_OK)
		abort();
	set_rules(curl, smtp_url, REACH_MS);
	must(curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L));
	if ((rc = curl_easy_perform(curl)) != CURLE_OK)
		reached = explain(curl, rc, &sending, err);
	curl_easy_cleanup(curl);
	return reached;
}

int
mail_send(const char *smtp_url, const char *dir, const struct mail *mail, struct error *err)
{
	char *message;
	int rc;

	if (mail_check(mail, err))
		return -1;
	message = message_build(mail);
	if (!lines_fit(message))
		rc = error_internal(err, "a mail has a word that fits no line");
	else if (smtp_url != NULL)
		rc = send_smtp(smtp_url, mail, message, err);
	else
		rc = write_file(dir, mail, message, err);
	talloc_free(message);
	return rc;
}
