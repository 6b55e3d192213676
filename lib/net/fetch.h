#ifndef NET_FETCH_H
#define NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HTTP out, by libcurl: no proxy from the environment, no redirect followed, answer and time bounded, the address checked on
 * the socket that is really connected (spec 8), so that neither DNS nor any way of writing an address gets past.
 */

struct error;

enum { FETCH_ALLOW_HTTP = 1, FETCH_ALLOW_PRIVATE = 2 };

/*
 * Signs a call for an S3-compatible store (AWS Signature Version 4).  The caller gives the header x-amz-content-sha256, and
 * Content-Type with a body; the URL has only letters that need no encoding, and no query.
 */
struct fetch_key {
	const char *region, *id, *secret;
};

struct fetch {
	const char *method, *url;
	const char *const *headers; /* "Name: value", ends in NULL */
	const void *body;
	size_t body_len;
	int timeout_ms;
	size_t answer_max; /* reading stops there; what came is kept and is_cut is set */
	unsigned flags;
	const struct fetch_key *key; /* NULL: not signed */
	int answer_fd;		     /* > 0: the answer's body is written there instead of kept */
};

struct fetch_answer {
	int status;	   /* 0: no answer */
	int retry_after_s; /* Retry-After in seconds or as a date; -1: none */
	int64_t date_s;	   /* Date, seconds since 1970; 0: none */
	bool is_cut;
	char *body;	   /* talloc'ed on the call's context, NUL-terminated */
	size_t body_len;   /* also of a body that was written to answer_fd */
	char problem[160]; /* why there is no answer, for a delivery log: "timed out", "address not allowed" */
};

/* Once a process, before anything else. */
void fetch_init(void);

/* 0 whenever there is something to tell, an answer or a problem; it never fails otherwise. */
int fetch_run(const void *ctx, const struct fetch *fetch, struct fetch_answer *answer);

/*
 * True if the url may be called: http or https (http only with FETCH_ALLOW_HTTP), a host, no user or password, no control
 * characters, and not literally a private address (unless FETCH_ALLOW_PRIVATE).  why: static text for the caller.
 */
bool fetch_url_ok(const char *url, unsigned flags, const char **why);

/* True for addresses that a callback may never reach: loopback, private, link-local, CGNAT, multicast, metadata, reserved,
 * IPv4 mapped, compatible, 6to4 and NAT64 forms of them included.  address: struct sockaddr of AF_INET or AF_INET6. */
bool fetch_address_is_private(const void *sockaddr);

#endif
