#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

/* The certificate that a server shows to whoever calls it. */

struct certificate {
	int64_t expires_s; /* seconds since 1970 */
	bool is_trusted;   /* by this machine's authorities, for the name in the url */
	char problem[160]; /* why it is not known */
};

/* Asks the server of an https url, without believing it.  0; -1 with problem: no connection, or no certificate. */
int certificate_ask(const char *url, int timeout_ms, struct certificate *out);

#endif
