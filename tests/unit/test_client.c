/* Whose request it is, by address: networks as settings name them, and what proxies say. */
#include "base/network.h"

#include <talloc.h>

#include "http/client.h"
#include "unit.h"

static void
networks_are_read_or_refused(void **state)
{
	static const struct {
		const char *text;
		int rc, bits;
	} rows[] = {
		{ "127.0.0.1", 0, 128 },
		{ "10.0.0.0/8", 0, 104 },
		{ "0.0.0.0/0", 0, 96 },
		{ "192.0.2.1/32", 0, 128 },
		{ "::1", 0, 128 },
		{ "2001:db8::/32", 0, 32 },
		{ "::/0", 0, 0 },
		{ "::ffff:192.0.2.0/120", 0, 120 },
		{ "", -1, 0 },
		{ "/", -1, 0 },
		{ "/8", -1, 0 },
		{ "10.0.0.0/", -1, 0 },
		{ "10.0.0.0/33", -1, 0 },
		{ "10.0.0.0/-1", -1, 0 },
		{ "10.0.0.0/8/8", -1, 0 },
		{ "10.0.0.0/ 8", -1, 0 },
		{ "10.0.0.0/99999999999999999999", -1, 0 },
		{ "10.0.0.1/8", -1, 0 }, /* a bit that does not count is set */
		{ "2001:db8::1/32", -1, 0 },
		{ "2001:db8::/129", -1, 0 },
		{ "10.0.0", -1, 0 },
		{ "10.0.0.256", -1, 0 },
		{ "[::1]", -1, 0 },
		{ "::1%lo", -1, 0 },
		{ "localhost", -1, 0 },
		{ " 10.0.0.0/8", -1, 0 },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct network network = { .bits = -7 };

		assert_int_equal(network_parse(rows[i].text, &network), rows[i].rc);
		assert_int_equal(network.bits, rows[i].rc == 0 ? rows[i].bits : -7);
	}
}

static void
a_network_holds_what_begins_as_it_does(void **state)
{
	static const struct {
		const char *network, *address;
		bool is_held;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", "a00::1", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "0.0.0.0/0", "198.51.100.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "198.51.100.1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct network network;
		struct in6_addr address;

		assert_int_equal(network_parse(rows[i].network, &network), 0);
		assert_int_equal(network_address(rows[i].address, &address), 0);
		assert_int_equal(network_holds(&network, &address), rows[i].is_held);
	}
}

static void
a_header_counts_only_as_far_as_proxies_are_ours(void **state)
{
	static const struct {
		const char *remote, *forwarded, *want;
	} rows[] = {
		/* not from a proxy: what it says is its own business */
		{ "198.51.100.1", NULL, "198.51.100.1" },
		{ "198.51.100.1", "203.0.113.9", "198.51.100.1" },
		{ "2001:db8:9::1", "203.0.113.9", "2001:db8:9::1" },
		/* from a proxy */
		{ "10.1.2.3", NULL, "10.1.2.3" },
		{ "10.1.2.3", "", "10.1.2.3" },
		{ "10.1.2.3", "203.0.113.9", "203.0.113.9" },
		{ "10.1.2.3", " 203.0.113.9 ", "203.0.113.9" },
		{ "::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9" },
		{ "2001:db8::1", "2001:DB8:1:0::5", "2001:db8:1::5" },
		{ "10.1.2.3", "203.0.113.9:4711", "203.0.113.9" },
		{ "10.1.2.3", "[2001:db8:1::5]:4711", "2001:db8:1::5" },
		{ "10.1.2.3", "[2001:db8:1::5]", "2001:db8:1::5" },
		{ "10.1.2.3", "::ffff:203.0.113.9", "203.0.113.9" },
		/* what the client wrote stands before what the proxies did */
		{ "10.1.2.3", "127.0.0.1, 203.0.113.9", "203.0.113.9" },
		{ "10.1.2.3", "10.9.9.9,203.0.113.9,10.0.0.1 ,\t10.0.0.2", "203.0.113.9" },
		{ "10.1.2.3", "10.9.9.9, 10.0.0.1", "10.9.9.9" }, /* proxies all the way */
		/* nonsense is no address: the nearest that is known counts */
		{ "10.1.2.3", "unknown", "10.1.2.3" },
		{ "10.1.2.3", "203.0.113.9, unknown", "10.1.2.3" },
		{ "10.1.2.3", "203.0.113.9, unknown, 10.0.0.7", "10.0.0.7" },
		{ "10.1.2.3", ",", "10.1.2.3" },
		{ "10.1.2.3", ",,,203.0.113.9", "203.0.113.9" },
		{ "10.1.2.3", "203.0.113.9,", "10.1.2.3" },
		{ "10.1.2.3", "[", "10.1.2.3" },
		{ "10.1.2.3", "[]:1", "10.1.2.3" },
		{ "10.1.2.3", ":", "10.1.2.3" },
		{ "10.1.2.3", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "10.1.2.3" },
		/* the web server knows no address (a socket of its own host) */
		{ "", "203.0.113.9", "" },
		{ "unix:", "203.0.113.9", "unix:" },
	};
	struct network proxies[2];

	(void)state;
	assert_int_equal(network_parse("10.0.0.0/8", &proxies[0]), 0);
	assert_int_equal(network_parse("2001:db8::1", &proxies[1]), 0);
	for (size_t i = 0; i < nitems(rows); i++) {
		char *got = client_address(NULL, proxies, nitems(proxies), rows[i].remote, rows[i].forwarded);

		assert_string_equal(got, rows[i].want);
		talloc_free(got);
		got = client_address(NULL, NULL, 0, rows[i].remote, rows[i].forwarded);
		assert_string_equal(got, rows[i].remote);
		talloc_free(got);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_read_or_refused),
		cmocka_unit_test(a_network_holds_what_begins_as_it_does),
		cmocka_unit_test(a_header_counts_only_as_far_as_proxies_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
