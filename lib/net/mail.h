#ifndef NET_MAIL_H
#define NET_MAIL_H

#include <stdint.h>

/* Mail out: SMTP by libcurl (TLS required unless the server is on loopback), or .eml files in development. */

struct error;

struct mail {
	const char *from, *to;	    /* bare addresses */
	const char *subject, *text; /* 7-bit ASCII: our own words, never a user's */
	const char *message_id;	    /* local part; the same on every attempt */
	int64_t now_ms;
	int timeout_ms; /* for all of it; 0: 20 seconds */
};

/*
 * Sends by smtp_url (smtp:// with STARTTLS, smtps://; user and password in the url), or, where it is NULL, writes
 * dir/<message_id>.eml whole or not at all.  Refuses control characters in any header or address.
 * Fails: ERR_unavailable (try later), ERR_validation_failed (the server refuses this address for good: a 5xx on RCPT
 * that speaks of the address, not of us).
 */
int mail_send(const char *smtp_url, const char *dir, const struct mail *mail, struct error *err);

/*
 * Connects, begins TLS and logs in as mail_send would, and hangs up before any mail.  0, or -1 with ERR_unavailable, whose
 * reason is in the log.
 */
int mail_reach(const char *smtp_url, struct error *err);

#endif
