#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>

/* Addresses and networks as settings and proxies write them.  An IPv4 address is kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */

struct network {
	struct in6_addr address;
	int bits; /* how many of the address count, 0 to 128 */
};

/*
 * An address in numbers, IPv4 or IPv6, without brackets, port or zone.  0, or -1 if it is none; *address is then
 * untouched.
 */
int network_address(const char *text, struct in6_addr *address);

/*
 * An address, or an address, a slash and how many bits of it count ("192.0.2.0/24").  0, or -1 if it is neither, or if a
 * bit is set that does not count: whoever wrote that meant another network.
 */
int network_parse(const char *text, struct network *network);

bool network_holds(const struct network *network, const struct in6_addr *address);

#endif
