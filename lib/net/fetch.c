/*
 * HTTP out.  One call is one libcurl handle, made and thrown away, so that nothing (connection, name, cookie)
 * is carried from one receiver to the next; a connection once opened under FETCH_ALLOW_PRIVATE can never
 * serve a call without it.  What may be reached is decided where libcurl opens the socket, on the address
 * itself: no spelling, no DNS answer and no change of mind between look-up and connection gets past.  Whether
 * to try again is the caller's business.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "net/fetch.h"

enum {
	HEADERS_MAX = 64 * 1024,       /* of an answer, interim ones included: they shall not fill our memory */
	BODY_FIRST = 4096,	       /* first allocation; doubles from there up to answer_max */
	BODY_MOST = 128 * 1024 * 1024, /* for answer_max; talloc ends at 256 MiB */
};

struct call {
	const void *ctx;
	struct fetch_answer *answer;
	int answer_fd;
	size_t answer_max, room, header_bytes;
	bool is_private_allowed;
	bool is_refused, is_opened; /* sockets refused for their address, and sockets that were tried */
};

/* Addresses: a prefix and how many of its bits count. */
struct range {
	const char *prefix;
	int bits;
};

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890), and where clouds answer only their own machines. */
static const struct range private_v4[] = {
	{ "0.0.0.0", 8 },	 /* this network; 0.0.0.0 connects to loopback */
	{ "10.0.0.0", 8 },	 /* private (RFC 1918) */
	{ "100.64.0.0", 10 },	 /* carrier NAT (RFC 6598); Alibaba's metadata at 100.100.100.200 */
	{ "127.0.0.0", 8 },	 /* loopback */
	{ "168.63.129.16", 32 }, /* Azure's host, a public address reachable only from inside */
	{ "169.254.0.0", 16 },	 /* link-local; metadata of AWS, Google, Azure and others */
	{ "172.16.0.0", 12 },	 /* private */
	{ "192.0.0.0", 24 },	 /* IETF protocols; Oracle's metadata */
	{ "192.0.2.0", 24 },	 /* documentation */
	{ "192.88.99.0", 24 },	 /* 6to4 relay, withdrawn (RFC 7526) */
	{ "192.168.0.0", 16 },	 /* private */
	{ "198.18.0.0", 15 },	 /* benchmarks */
	{ "198.51.100.0", 24 },	 /* documentation */
	{ "203.0.113.0", 24 },	 /* documentation */
	{ "224.0.0.0", 4 },	 /* multicast */
	{ "240.0.0.0", 4 },	 /* reserved, broadcast */
};

/* IPv6: only 2000::/3 is given out for public use (RFC 4291): that range is the rule, without these parts. */
static const struct range public_v6 = { "2000::", 3 };
static const struct range private_v6[] = {
	{ "2001::", 23 },     /* IETF protocols; Teredo */
	{ "2001:db8::", 32 }, /* documentation */
	{ "3fff::", 20 },     /* documentation (RFC 9637) */
};

/* IPv6 addresses that stand for an IPv4 one, which then decides; at: the byte where it begins. */
static const struct {
	struct range range;
	size_t at;
} carries_v4[] = {
	{ { "::ffff:0:0", 96 }, 12 }, /* mapped */
	{ { "64:ff9b::", 96 }, 12 },  /* NAT64 (RFC 6052); the local 64:ff9b:1::/48 is private altogether */
	{ { "2002::", 16 }, 2 },      /* 6to4 */
};

static const struct {
	CURLUcode code;
	const char *why;
} url_faults[] = {
	{ CURLUE_USER_NOT_ALLOWED, "must not hold a user name or a password" },
	{ CURLUE_NO_HOST, "must name a host" },
	{ CURLUE_BAD_HOSTNAME, "must name a host" },
	{ CURLUE_BAD_IPV6, "must name a host" },
	{ CURLUE_BAD_PORT_NUMBER, "must have a port from 1 to 65535" },
};

/* What an agent reads in the delivery log. */
static const struct {
	CURLcode code;
	const char *problem;
} problems[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL, "answer is not HTTP" }, /* the scheme was checked: this is HTTP/0.9 */
	{ CURLE_COULDNT_RESOLVE_HOST, "name not found" },
	{ CURLE_COULDNT_CONNECT, "connection failed" },
	{ CURLE_WEIRD_SERVER_REPLY, "answer is not HTTP" },
	{ CURLE_PARTIAL_FILE, "connection closed in the middle of the answer" },
	{ CURLE_WRITE_ERROR, "answer headers too large" },   /* take_header had enough */
	{ CURLE_OUT_OF_MEMORY, "answer headers too large" }, /* libcurl's word for a line of over 100 kB */
	{ CURLE_OPERATION_TIMEDOUT, "timed out" },
	{ CURLE_SSL_CONNECT_ERROR, "TLS handshake failed" },
	{ CURLE_GOT_NOTHING, "connection closed without an answer" },
	{ CURLE_SEND_ERROR, "connection lost" },
	{ CURLE_RECV_ERROR, "connection lost" },
	{ CURLE_PEER_FAILED_VERIFICATION, "TLS certificate not trusted" },
	{ CURLE_BAD_CONTENT_ENCODING, "answer is not HTTP" },
};

/* The same for every call.  Whatever would let the environment or the receiver have a say is off. */
static const struct {
	CURLoption option;
	long value;
} fixed[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_QUICK_EXIT, 1 }, /* does not wait for a look-up that is slower than the timeout */
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_MAXREDIRS, 0 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_HTTP_CONTENT_DECODING, 0 },
	{ CURLOPT_HTTP_TRANSFER_DECODING, 1 }, /* chunks */
	{ CURLOPT_FORBID_REUSE, 1 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
};

void
fetch_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

static bool
is_in_range(int family, const uint8_t *address, const struct range *range)
{
	uint8_t prefix[16];
	size_t whole = (size_t)range->bits / 8;
	int rest = range->bits % 8;
	int parsed = inet_pton(family, range->prefix, prefix);

	assert(parsed == 1);
	if (memcmp(address, prefix, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool
is_private_v4(const uint8_t *address)
{
	for (size_t i = 0; i < nitems(private_v4); i++) {
		if (is_in_range(AF_INET, address, &private_v4[i]))
			return true;
	}
	return false;
}

static bool
is_private_v6(const uint8_t *address)
{
	for (size_t i = 0; i < nitems(carries_v4); i++) {
		if (is_in_range(AF_INET6, address, &carries_v4[i].range))
			return is_private_v4(address + carries_v4[i].at);
	}
	for (size_t i = 0; i < nitems(private_v6); i++) {
		if (is_in_range(AF_INET6, address, &private_v6[i]))
			return true;
	}
	return !is_in_range(AF_INET6, address, &public_v6);
}

bool
fetch_address_is_private(const void *sockaddr)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	sa_family_t family;

	memcpy(&family, sockaddr, sizeof(family)); /* copies: the bytes may lie anywhere */
	if (family == AF_INET) {
		memcpy(&v4, sockaddr, sizeof(v4));
		return is_private_v4((const uint8_t *)&v4.sin_addr);
	}
	if (family == AF_INET6) {
		memcpy(&v6, sockaddr, sizeof(v6));
		return is_private_v6(v6.sin6_addr.s6_addr);
	}
	return true;
}

/* True for localhost (RFC 6761) and for a private address in any spelling that counts as a number. */
static bool
host_is_private(const char *host)
{
	static const char local[] = "localhost";
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *found = NULL;
	char name[NI_MAXHOST];
	size_t len = strlen(host), skip = host[0] == '[' ? 1 : 0;
	bool is_private = false;

	if (len >= sizeof(name) || len <= 2 * skip)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(len - 2 * skip), host + skip);
	len = strlen(name);
	if (name[len - 1] == '.')
		name[--len] = '\0';
	if (len >= strlen(local) && strcasecmp(name + len - strlen(local), local) == 0)
		return len == strlen(local) || name[len - strlen(local) - 1] == '.';
	if (getaddrinfo(name, NULL, &hints, &found) == 0) {
		is_private = fetch_address_is_private(found->ai_addr);
		freeaddrinfo(found);
	}
	return is_private;
}

static bool
scheme_is(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	/* libcurl would forgive a third slash. */
	return strncasecmp(url, scheme, len) == 0 && url[len] != '/';
}

/* Reads a URL; NULL and why if we never call such a one, whatever its host. */
static CURLU *
url_parse(const char *url, unsigned flags, const char **why)
{
	CURLU *parsed;
	CURLUcode rc;

	for (const char *p = url; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~') {
			*why = "has characters that a URL cannot hold";
			return NULL;
		}
	}
	if (!scheme_is(url, "https://") && !((flags & FETCH_ALLOW_HTTP) && scheme_is(url, "http://"))) {
		*why = flags & FETCH_ALLOW_HTTP ? "must begin with https:// or http://" : "must begin with https://";
		return NULL;
	}
	if ((parsed = curl_url()) == NULL)
		abort();
	if ((rc = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER)) == CURLUE_OK)
		return parsed;
	curl_url_cleanup(parsed);
	*why = "is not a URL";
	for (size_t i = 0; i < nitems(url_faults); i++) {
		if (url_faults[i].code == rc)
			*why = url_faults[i].why;
	}
	return NULL;
}

bool
fetch_url_ok(const char *url, unsigned flags, const char **why)
{
	CURLU *parsed = url_parse(url, flags, why);
	char *host = NULL, *zone = NULL;
	bool is_ok = false;

	if (parsed == NULL)
		return false;
	if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		*why = "must name a host";
	else if (!(flags & FETCH_ALLOW_PRIVATE) &&
		 (curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK || host_is_private(host)))
		*why = "must not lead to a private address";
	else
		is_ok = true;
	curl_free(zone);
	curl_free(host);
	curl_url_cleanup(parsed);
	return is_ok;
}

/* libcurl asks for a socket to the address that it is about to connect. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = arg;

	(void)purpose;
	if (!call->is_private_allowed && fetch_address_is_private(&address->addr)) {
		call->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	call->is_opened = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Seconds since 1970 of an HTTP-date (RFC 9110, section 5.6.7, all three forms); -1: no date. */
static int64_t
seconds_of(const char *text)
{
	static const char *const forms[] = { "%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT", "%a %b %e %T %Y" };

	for (size_t i = 0; i < nitems(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0')
			return (int64_t)timegm(&tm);
	}
	return -1;
}

/* Seconds to an HTTP-date, 0 if it is over; -1: no date. */
static int
seconds_until(const char *text)
{
	int64_t at = seconds_of(text);
	int64_t left =
	    at - (int64_t)time(NULL); /* real time, not now_ms(): the other side shares no development clock */

	return at < 0 ? -1 : left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* A header's value without what is around it; false if it does not fit. */
static bool
take_value(const char *value, size_t len, char *out, size_t size)
{
	while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	while (len > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	if (len == 0 || len >= size)
		return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

/* The value of Retry-After (RFC 9110, section 10.2.3) in seconds; -1 if it makes no sense. */
static int
retry_after(const char *value, size_t len)
{
	char text[64];
	long long seconds;

	if (!take_value(value, len, text, sizeof(text)))
		return -1;
	if (strspn(text, "0123456789") != strlen(text))
		return seconds_until(text);
	seconds = strtoll(text, NULL, 10); /* stays at its maximum when there are too many digits */
	return seconds > INT_MAX ? INT_MAX : (int)seconds;
}

static int64_t
read_date(const char *value, size_t len)
{
	char text[64];
	int64_t at = take_value(value, len, text, sizeof(text)) ? seconds_of(text) : 0;

	return at < 0 ? 0 : at;
}

static size_t
take_header(char *line, size_t one, size_t len, void *arg)
{
	static const char name[] = "Retry-After:", date[] = "Date:";
	struct call *call = arg;

	(void)one; /* libcurl: always 1 */
	if (len > HEADERS_MAX - call->header_bytes)
		return 0;
	call->header_bytes += len;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* what came before was an interim answer */
		call->answer->retry_after_s = -1;
		call->answer->date_s = 0;
	} else if (len >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
		call->answer->retry_after_s = retry_after(line + strlen(name), len - strlen(name));
	else if (len >= strlen(date) && strncasecmp(line, date, strlen(date)) == 0)
		call->answer->date_s = read_date(line + strlen(date), len - strlen(date));
	return len;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static size_t
take_body(char *data, size_t one, size_t len, void *arg)
{
	struct call *call = arg;
	struct fetch_answer *answer = call->answer;
	size_t left = call->answer_max - answer->body_len, taken = len < left ? len : left;

	(void)one;
	if (call->answer_fd > 0) {
		if (write_all(call->answer_fd, data, taken) != 0)
			return 0;
		answer->body_len += taken;
		answer->is_cut = taken < len;
		return taken;
	}
	if (answer->body_len + taken > call->room) {
		while (call->room < answer->body_len + taken)
			call->room = call->room == 0 ? BODY_FIRST : 2 * call->room;
		if (call->room > call->answer_max)
			call->room = call->answer_max;
		answer->body = talloc_realloc_size(call->ctx, answer->body, call->room + 1);
		if (answer->body == NULL)
			abort();
	}
	memcpy(answer->body + answer->body_len, data, taken);
	answer->body_len += taken;
	answer->body[answer->body_len] = '\0';
	answer->is_cut = taken < len;
	return taken; /* fewer than len end the transfer */
}

static void
must(CURLcode rc)
{
	assert(rc == CURLE_OK); /* a setting that does not hold would open what it is to close */
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		abort();
	return longer;
}

/* The request's headers; NULL if one would break out of its line, which libcurl lets pass. */
static struct curl_slist *
headers_build(const char *const *headers, bool is_signed)
{
	/*
	 * A name without value removes what libcurl would add: a wait for 100-continue, a form's type.  Not from a signed
	 * call, whose signature would cover the removed header as an empty one.
	 */
	struct curl_slist *list = is_signed ? NULL : add_header(NULL, "Expect:");
	bool has_type = is_signed;

	for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
		for (const char *p = headers[i]; *p != '\0'; p++) {
			if ((unsigned char)*p < ' ' || *p == 0x7f) {
				curl_slist_free_all(list);
				return NULL;
			}
		}
		list = add_header(list, headers[i]);
		has_type = has_type || strncasecmp(headers[i], "Content-Type:", 13) == 0;
	}
	return has_type ? list : add_header(list, "Content-Type:");
}

static void
set_request(CURL *curl, const struct fetch *fetch, CURLU *url, struct curl_slist *headers)
{
	bool has_body = fetch->body != NULL || strcmp(fetch->method, "POST") == 0 || strcmp(fetch->method, "PUT") == 0;

	/* What was checked, not a second reading of the text. */
	must(curl_easy_setopt(curl, CURLOPT_CURLU, url));
	must(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers));
	must(curl_easy_setopt(curl, CURLOPT_USERAGENT, "HumanOps/" HUMANOPS_VERSION));
	must(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)fetch->timeout_ms));
	if (has_body) {
		must(curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body_len));
		must(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->body != NULL ? fetch->body : ""));
	} else if (strcmp(fetch->method, "HEAD") == 0) {
		must(curl_easy_setopt(curl, CURLOPT_NOBODY, 1L));
	}
	must(curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, fetch->method));
}

/* A secret of any letters is set by itself, not as part of "id:secret". */
static void
set_key(CURL *curl, const struct fetch_key *key)
{
	char signer[128];
	int len = snprintf(signer, sizeof(signer), "aws:amz:%s:s3", key->region);

	assert(len > 0 && (size_t)len < sizeof(signer));
	must(curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signer));
	must(curl_easy_setopt(curl, CURLOPT_USERNAME, key->id));
	must(curl_easy_setopt(curl, CURLOPT_PASSWORD, key->secret));
}

static void
set_rules(CURL *curl, const struct fetch *fetch, struct call *call)
{
	const char *protocols = fetch->flags & FETCH_ALLOW_HTTP ? "http,https" : "https";

	for (size_t i = 0; i < nitems(fixed); i++)
		must(curl_easy_setopt(curl, fixed[i].option, fixed[i].value));
	must(curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols));
	must(curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, protocols));
	must(curl_easy_setopt(curl, CURLOPT_PROXY, ""));
	must(curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"));
	must(curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket));
	must(curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, call));
	must(curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header));
	must(curl_easy_setopt(curl, CURLOPT_HEADERDATA, call));
	must(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body));
	must(curl_easy_setopt(curl, CURLOPT_WRITEDATA, call));
}

/* There is no answer: says why, and forgets what came of it. */
static void __attribute__((format(printf, 2, 3))) answer_none(struct fetch_answer *answer, const char *fmt, ...)
{
	va_list ap;

	answer->status = 0;
	answer->retry_after_s = -1;
	answer->is_cut = false;
	answer->body_len = 0;
	answer->body[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(answer->problem, sizeof(answer->problem), fmt, ap);
	va_end(ap);
}

static void
explain(CURL *curl, CURLcode rc, const struct call *call)
{
	long os_errno = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
	if (rc == CURLE_COULDNT_CONNECT && call->is_refused && !call->is_opened) {
		answer_none(call->answer, "address not allowed");
		return;
	}
	if (rc == CURLE_COULDNT_CONNECT && os_errno == ECONNREFUSED) {
		answer_none(call->answer, "connection refused");
		return;
	}
	for (size_t i = 0; i < nitems(problems); i++) {
		if (problems[i].code == rc) {
			answer_none(call->answer, "%s", problems[i].problem);
			return;
		}
	}
	answer_none(call->answer, "no answer (reason %d)", (int)rc);
}

/* Calls, and tells what became of it.  An answer cut at its maximum is one all the same. */
static void
perform(CURL *curl, struct call *call)
{
	CURLcode rc = curl_easy_perform(curl);
	long status = 0;

	if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && call->answer->is_cut)) {
		explain(curl, rc, call);
		return;
	}
	must(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
	call->answer->status = (int)status;
	if (status < 200) /* an interim answer and nothing after it */
		answer_none(call->answer, "answer is not HTTP");
}

int
fetch_run(const void *ctx, const struct fetch *fetch, struct fetch_answer *answer)
{
	struct call call = {
		.ctx = ctx, .answer = answer, .answer_max = fetch->answer_max, .answer_fd = fetch->answer_fd
	};
	struct curl_slist *headers = NULL;
	CURLU *url = NULL;
	CURL *curl = NULL;
	const char *why = NULL;

	assert(fetch->timeout_ms > 0 && fetch->answer_max <= BODY_MOST); /* libcurl takes 0 for ever */
	call.is_private_allowed = (fetch->flags & FETCH_ALLOW_PRIVATE) != 0;
	*answer = (struct fetch_answer){ .retry_after_s = -1, .body = talloc_strdup(ctx, "") };
	if (answer->body == NULL || (curl = curl_easy_init()) == NULL)
		abort();
	if ((url = url_parse(fetch->url, fetch->flags, &why)) == NULL) {
		answer_none(answer, "the URL %s", why);
		goto out;
	}
	if ((headers = headers_build(fetch->headers, fetch->key != NULL)) == NULL) {
		answer_none(answer, "a request header holds control characters");
		goto out;
	}
	set_request(curl, fetch, url, headers);
	set_rules(curl, fetch, &call);
	if (fetch->key != NULL)
		set_key(curl, fetch->key);
	perform(curl, &call);
out:
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	curl_url_cleanup(url);
	return 0;
}
