#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stddef.h>
#include "base/network.h"

/*
 * The address that a request counts for (spec 3, rate limits).  remote is that of the connection; forwarded is the header
 * X-Forwarded-For, or NULL, which anybody can send: it counts only where the connection comes from one of the trusted
 * proxies, and then from its end, to which each proxy adds, only as far as they are ours.  Behind a web server that has
 * done the same the answer is remote once more.
 *
 * Owner: the caller's context.  Never fails; what is no address is as far as it goes.
 */
char *client_address(
    const void *ctx, const struct network *proxies, size_t count, const char *remote, const char *forwarded);

#endif
