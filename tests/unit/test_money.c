/* Money: text to millionths and back.  The hostile rows are those that a double, or strtod, would let pass.
 */
#include "base/money.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void
money_is_parsed_exactly(void **state)
{
	static const struct {
		const char *text;
		int rc;
		usd_micros want;
	} rows[] = {
		{ "25", 0, 25000000 },
		{ "25.0", 0, 25000000 },
		{ "1e1", 0, 10000000 },
		{ "1E+1", 0, 10000000 },
		{ "250e-1", 0, 25000000 },
		{ "0.1", 0, 100000 },
		{ "10.005", 0, 10005000 },
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "-0.0", 0, 0 },
		{ "-0.5", 0, -500000 },
		{ "0.000001", 0, 1 },
		{ "1e-6", 0, 1 },
		{ "1e-7", -2, 0 },
		{ "0.0000001", -2, 0 },
		{ "0.0000010", 0, 1 },
		{ "0.00000100000000000000000000000000000000", 0, 1 },
		{ "9223372036854.775807", 0, INT64_MAX },
		{ "9223372036854.775808", -2, 0 },
		{ "-9223372036854.775808", 0, INT64_MIN },
		{ "-9223372036854.775809", -2, 0 },
		{ "1e400", -2, 0 },
		{ "1e-400", -2, 0 },
		{ "0e400", 0, 0 },
		{ "0e99999999999999999999999", 0, 0 },
		{ "1e99999999999999999999999", -2, 0 },
		{ "1e-99999999999999999999999", -2, 0 },
		{ "1e13", -2, 0 },
		{ "9e12", 0, 9000000000000000000 },
		{ "1e12", 0, 1000000000000000000 },
		{ "100000000000000000000e-20", 0, 1000000 },
		{ "123456789012345678901234567890", -2, 0 },
		{ "", -1, 0 },
		{ "-", -1, 0 },
		{ "+1", -1, 0 },
		{ ".5", -1, 0 },
		{ "1.", -1, 0 },
		{ "01", -1, 0 },
		{ "-01", -1, 0 },
		{ "00", -1, 0 },
		{ "1e", -1, 0 },
		{ "1e+", -1, 0 },
		{ "1.e5", -1, 0 },
		{ " 1", -1, 0 },
		{ "1 ", -1, 0 },
		{ "1x", -1, 0 },
		{ "1,5", -1, 0 },
		{ "0x10", -1, 0 },
		{ "NaN", -1, 0 },
		{ "Infinity", -1, 0 },
		{ "1e5.5", -1, 0 },
		{ "1.2.3", -1, 0 },
		{ "--1", -1, 0 },
		{ "\"1\"", -1, 0 },
		{ "1e1e1", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		usd_micros got = -7;
		int rc = money_parse(rows[i].text, &got);

		if (rc != rows[i].rc || got != (rc == 0 ? rows[i].want : -7))
			fail_msg("%s: %d, %lld", rows[i].text, rc, (long long)got);
	}
}

static void
money_is_printed_shortest_and_for_people(void **state)
{
	static const struct {
		usd_micros amount;
		const char *shortest, *cents;
	} rows[] = {
		{ 0, "0", "0.00" },
		{ 29500000, "29.5", "29.50" },
		{ 1, "0.000001", "0.000001" },
		{ -3000000, "-3", "-3.00" },
		{ -1, "-0.000001", "-0.000001" },
		{ 10000, "0.01", "0.01" },
		{ 1230000, "1.23", "1.23" },
		{ 10005000, "10.005", "10.005" },
		{ 100000000, "100", "100.00" },
		{ INT64_MAX, "9223372036854.775807", "9223372036854.775807" },
		{ INT64_MIN, "-9223372036854.775808", "-9223372036854.775808" },
	};
	char text[MONEY_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		money_print(rows[i].amount, text);
		assert_string_equal(text, rows[i].shortest);
		money_print_cents(rows[i].amount, text);
		assert_string_equal(text, rows[i].cents);
	}
}

static void
what_is_printed_is_parsed_to_the_same(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[MONEY_TEXT_SIZE];
		usd_micros amount, got;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		amount = (usd_micros)(seed ^ seed >> 29) >> seed % 64;
		money_print(amount, text);
		assert_int_equal(money_parse(text, &got), 0);
		assert_true(got == amount);
		money_print_cents(amount, text);
		assert_int_equal(money_parse(text, &got), 0);
		assert_true(got == amount);
	}
}

static void
a_long_text_of_zeros_takes_no_long_time(void **state)
{
	enum { LENGTH = 250000 };
	char *text = malloc(LENGTH + 1);
	usd_micros got;

	(void)state;
	memset(text, '0', LENGTH);
	text[LENGTH] = '\0';
	text[1] = '.';
	text[LENGTH - 1] = '1';
	assert_int_equal(money_parse(text, &got), -2);
	text[LENGTH - 1] = '0';
	assert_int_equal(money_parse(text, &got), 0);
	memset(text, '9', LENGTH);
	assert_int_equal(money_parse(text, &got), -2);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(money_is_parsed_exactly),
		cmocka_unit_test(money_is_printed_shortest_and_for_people),
		cmocka_unit_test(what_is_printed_is_parsed_to_the_same),
		cmocka_unit_test(a_long_text_of_zeros_takes_no_long_time),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
