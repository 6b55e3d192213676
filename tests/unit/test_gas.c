/* The fee in dollars: to the wei at each cent, at both bounds, and for numbers that only a liar would send. */
#include "core/gas.h"

#include <string.h>

#include "base/text.h"
#include "unit.h"

#define GWEI UINT64_C(1000000000)
#define ETHER (GWEI * GWEI)

static void
the_fee_is_rounded_up_to_the_cent_within_its_bounds(void **state)
{
	static const struct {
		uint64_t gas_price, gas, l1_fee;
		usd_micros eth_usd, want;
	} rows[] = {
		{ GWEI, 50000, 0, USD(3000), 150000 },
		{ GWEI, 50000, 1, USD(3000), 160000 }, /* one wei more is the next cent */
		{ GWEI / 100, 55000, 0, USD(3000), 10000 },
		{ GWEI / 100, 55000, 3 * GWEI * 10000, USD(3000), 100000 }, /* 0.00165 + 0.09 */
		{ 0, 0, 0, USD(3000), 10000 },
		{ ETHER / 100, 1, 0, USD(1), 10000 },
		{ ETHER / 100, 1, 1, USD(1), 20000 },
		{ 0, 0, ETHER / 100 - 1, USD(1), 10000 },
		{ 0, 0, 199 * (ETHER / 100), USD(1), 1990000 },
		{ 0, 0, 199 * (ETHER / 100) + 1, USD(1), 2000000 },
		{ 0, 0, 2 * ETHER, USD(1), 2000000 },
		{ 0, 0, 2 * ETHER + 1, USD(1), 2000000 },
		{ GWEI, 50000, 0, 1, 10000 },
		{ 0, 0, ETHER, 1, 10000 },
		{ 0, 0, 1, INT64_MAX, 10000 },
		{ 0, 0, GWEI * 1000000, INT64_MAX, 2000000 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX, 2000000 },
		{ UINT64_MAX, GAS_MAX, 0, 1, 2000000 },
		{ 0, 0, UINT64_MAX, USD(3000), 2000000 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		assert_int_equal(
		    gas_fee(rows[i].gas_price, rows[i].gas, rows[i].l1_fee, rows[i].eth_usd), rows[i].want);
}

static void
an_estimate_gets_room_within_bounds(void **state)
{
	static const struct {
		uint64_t estimate, want;
	} rows[] = {
		{ 0, 30000 },
		{ 21000, 30000 },
		{ 24000, 30000 },
		{ 24004, 30005 },
		{ 50000, 62500 },
		{ 160000, 200000 },
		{ 160004, 200000 },
		{ UINT64_MAX, 200000 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++)
		assert_int_equal(gas_limit(rows[i].estimate), rows[i].want);
}

/* A feed's answer is an int256. */
static void
a_feed_is_read_by_its_own_decimals_or_not_at_all(void **state)
{
	static const struct {
		const char *answer; /* its last digits; "-" in front: filled up with ones, as a negative number is */
		int decimals;
		usd_micros want;
	} rows[] = {
		{ "45d964b800", 8, USD(3000) }, /* 300000000000 */
		{ "45d964b801", 8, USD(3000) },
		{ "00000000b2d05e00", 6, USD(3000) },
		{ "0bb8", 0, USD(3000) },
		{ "a2a15d09519be00000", 18, 0 }, /* 3000 with 18 decimals is more than 64 bits */
		{ "0de0b6b3a7640000", 18, USD(1) },
		{ "00", 8, 0 },
		{ "63", 8, 0 }, /* less than a millionth */
		{ "64", 8, 1 },
		{ "-ff", 8, 0 },
		{ "-8000000000000000", 8, 0 },
		{ "7fffffffffffffff", 6, INT64_MAX },
		{ "8000000000000000", 6, 0 },
		{ "7fffffffffffffff", 5, 0 },
		{ "0ccccccccccccccc", 5, INT64_C(0x0ccccccccccccccc) * 10 },
		{ "0ccccccccccccccd", 5, 0 },
		{ "0bb8", -1, 0 },
		{ "0bb8", 19, 0 },
		{ "0bb8", 255, 0 },
		{ "010000000000000000000000000000000000000000000000000000000000000000", 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		bool is_negative = rows[i].answer[0] == '-';
		const char *digits = rows[i].answer + is_negative;
		uint8_t word[32], bytes[33];
		int len = text_unhex(digits, bytes, sizeof(bytes));

		assert_true(len > 0);
		memset(word, is_negative ? 0xff : 0, sizeof(word));
		if (len > 32) /* the greatest bit alone */
			word[0] = 0x80;
		else
			memcpy(word + 32 - len, bytes, (size_t)len);
		assert_int_equal(gas_price_of(word, rows[i].decimals), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(the_fee_is_rounded_up_to_the_cent_within_its_bounds),
		cmocka_unit_test(an_estimate_gets_room_within_bounds),
		cmocka_unit_test(a_feed_is_read_by_its_own_decimals_or_not_at_all),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
