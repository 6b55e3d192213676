/* Addresses and networks: reading them, and whether one holds the other.  Whom they belong to is the caller's. */
#include <arpa/inet.h>
#include <string.h>
#include "base/network.h"
#include "base/text.h"

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96, BYTE_BITS = 8 };

int
network_address(const char *text, struct in6_addr *address)
{
	static const struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) != 1)
		return inet_pton(AF_INET6, text, address) == 1 ? 0 : -1;
	*address = mapped;
	memcpy(&address->s6_addr[MAPPED_BITS / BYTE_BITS], &four, sizeof four);
	return 0;
}

static bool
has_bit(const struct in6_addr *address, int bit)
{
	return (address->s6_addr[bit / BYTE_BITS] >> (BYTE_BITS - 1 - bit % BYTE_BITS) & 1) != 0;
}

int
network_parse(const char *text, struct network *network)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	struct network read = { .bits = ADDRESS_BITS };
	int64_t bits;

	if (len >= sizeof address)
		return -1;
	memcpy(address, text, len);
	address[len] = '\0';
	if (network_address(address, &read.address) != 0)
		return -1;
	if (text[len] == '/') {
		const char *digits = text + len + 1;

		if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0' ||
		    text_decimal(digits, 0, &bits) != 0)
			return -1;
		bits += strchr(address, ':') == NULL ? MAPPED_BITS : 0;
		if (bits > ADDRESS_BITS)
			return -1;
		read.bits = (int)bits;
	}
	for (int bit = read.bits; bit < ADDRESS_BITS; bit++) {
		if (has_bit(&read.address, bit))
			return -1;
	}
	*network = read;
	return 0;
}

bool
network_holds(const struct network *network, const struct in6_addr *address)
{
	for (int bit = 0; bit < network->bits; bit++) {
		if (has_bit(&network->address, bit) != has_bit(address, bit))
			return false;
	}
	return true;
}
