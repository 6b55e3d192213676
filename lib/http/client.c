/*
 * Whose request it is, by address, where proxies stand before the web server.  nginx finds it out by itself (set_real_ip_from);
 * this is for web servers that cannot be told to, as Apache by a .htaccess file.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include <talloc.h>
#include "http/client.h"

/* As proxies write it: perhaps with brackets around an IPv6 address, and a port behind.  0, or -1 if it is none. */
static int
read_entry(const char *text, size_t len, struct in6_addr *address)
{
	char copy[INET6_ADDRSTRLEN];
	const char *colon = memchr(text, ':', len);

	if (len > 0 && *text == '[') {
		const char *end = memchr(text, ']', len);

		text++;
		len = end != NULL ? (size_t)(end - text) : 0;
	} else if (colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)) == NULL) {
		len = (size_t)(colon - text); /* one colon: IPv4 and a port */
	}
	if (len == 0 || len >= sizeof copy)
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return network_address(copy, address);
}

/* The last entry of a list between commas, without the blanks around it; *len is what is left of the list before it. */
static int
last_entry(const char *list, size_t *len, struct in6_addr *address)
{
	size_t end = *len, begin;

	while (end > 0 && strchr(" \t", list[end - 1]) != NULL)
		end--;
	for (begin = end; begin > 0 && list[begin - 1] != ',';)
		begin--;
	*len = begin > 0 ? begin - 1 : 0;
	while (begin < end && strchr(" \t", list[begin]) != NULL)
		begin++;
	return read_entry(list + begin, end - begin, address);
}

static bool
is_proxy(const struct network *proxies, size_t count, const struct in6_addr *address)
{
	for (size_t i = 0; i < count; i++) {
		if (network_holds(&proxies[i], address))
			return true;
	}
	return false;
}

static char *
print(const void *ctx, const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(address))
		inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text);
	else
		inet_ntop(AF_INET6, address, text, sizeof text);
	return talloc_strdup(ctx, text);
}

char *
client_address(const void *ctx, const struct network *proxies, size_t count, const char *remote, const char *forwarded)
{
	struct in6_addr address, next;
	size_t rest = forwarded != NULL ? strlen(forwarded) : 0;
	char *text;

	if (rest == 0 || network_address(remote, &address) != 0 || !is_proxy(proxies, count, &address)) {
		text = talloc_strdup(ctx, remote);
	} else {
		while (rest > 0 && is_proxy(proxies, count, &address) && last_entry(forwarded, &rest, &next) == 0)
			address = next;
		text = print(ctx, &address);
	}
	assert(text != NULL);
	return text;
}
