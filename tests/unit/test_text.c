/* Text: UTF-8, trimming, encodings, e-mail addresses. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "unit.h"

static void
only_real_utf8_without_nul_is_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool want;
	} rows[] = {
		{ "", 0, true },
		{ "plain", 5, true },
		{ "\xc3\xa9", 2, true },
		{ "\xf0\x9f\x98\x80", 4, true },
		{ "\xf4\x8f\xbf\xbf", 4, true },
		{ "\xef\xbb\xbf", 3, true },
		{ "\xc0\x80", 2, false },
		{ "\xc1\xbf", 2, false },
		{ "\xe0\x80\xaf", 3, false },
		{ "\xf0\x80\x80\xaf", 4, false },
		{ "\xed\xa0\x80", 3, false },
		{ "\xed\xbf\xbf", 3, false },
		{ "\xf4\x90\x80\x80", 4, false },
		{ "\xf8\x88\x80\x80\x80", 5, false },
		{ "\x80", 1, false },
		{ "\xc3", 1, false },
		{ "a\xff", 2, false },
		{ "a\0b", 3, false },
		{ "\0", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		if (text_is_utf8(rows[i].bytes, rows[i].len) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void
length_is_counted_in_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_length(""), 0);
	assert_int_equal(text_length("abc"), 3);
	assert_int_equal(text_length("\xc3\xa9\xf0\x9f\x98\x80z"), 3);
}

static void
a_text_is_cut_between_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_fit("", 0), 0);
	assert_int_equal(text_fit("abc", 0), 0);
	assert_int_equal(text_fit("abc", 2), 2);
	assert_int_equal(text_fit("abc", 3), 3);
	assert_int_equal(text_fit("abc", 9), 3);
	assert_int_equal(text_fit("a\xc3\xa9", 2), 1);
	assert_int_equal(text_fit("a\xc3\xa9", 3), 3);
	assert_int_equal(text_fit("\xf0\x9f\x98\x80", 3), 0);
}

static void
white_space_of_any_script_is_trimmed(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ " ", "" },
		{ "a", "a" },
		{ "  a b\t\r\n", "a b" },
		{ "\xc2\xa0"
		  "a\xe3\x80\x80",
		    "a" },
		{ "\xe2\x80\x83\xe2\x80\xa8", "" },
		{ "\xc2\x85x\v\f", "x" },
		{ "\xe2\x80\x8bx", "\xe2\x80\x8bx" },
		{ " \xc3\xa9 ", "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		char *got = text_trim(NULL, rows[i].text);

		assert_string_equal(got, rows[i].want);
		talloc_free(got);
	}
}

static void
control_characters_are_found(void **state)
{
	static const struct {
		const char *text;
		bool in_line, in_lines;
	} rows[] = {
		{ "", false, false },
		{ "plain \xc3\xa9", false, false },
		{ "\xc2\xa0", false, false },
		{ "a\tb", true, false },
		{ "a\nb", true, false },
		{ "a\r\nb", true, false },
		{ "\xe2\x80\xa8", true, false },
		{ "\xe2\x80\xa9", true, false },
		{ "\x01", true, true },
		{ "\x1b[31m", true, true },
		{ "\x7f", true, true },
		{ "\xc2\x80", true, true },
		{ "\xc2\x85", true, true },
		{ "\xc2\x9f", true, true },
		{ "\v", true, true },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		if (text_has_control(rows[i].text, false) != rows[i].in_line ||
		    text_has_control(rows[i].text, true) != rows[i].in_lines)
			fail_msg("row %zu", i);
	}
}

static void
hex_goes_both_ways(void **state)
{
	static const struct {
		const char *hex;
		int want;
	} rows[] = {
		{ "", 0 },
		{ "00", 1 },
		{ "fFAa", 2 },
		{ "deadbeef", 4 },
		{ "deadbeef00", -1 },
		{ "0", -1 },
		{ "0g", -1 },
		{ "0x", -1 },
		{ " 0", -1 },
		{ "-1", -1 },
	};
	uint8_t bytes[4] = { 0xde, 0xad, 0xbe, 0x0f };
	char text[9];

	(void)state;
	text_hex(bytes, sizeof(bytes), text);
	assert_string_equal(text, "deadbe0f");
	text_hex(bytes, 0, text);
	assert_string_equal(text, "");
	for (size_t i = 0; i < nitems(rows); i++) {
		if (text_unhex(rows[i].hex, bytes, sizeof(bytes)) != rows[i].want)
			fail_msg("%s", rows[i].hex);
	}
}

static void
base64_is_strict(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "Zg==", "f" },
		{ "Zm8=", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYmFy", "foobar" },
		{ "Zg", NULL },
		{ "Zg=", NULL },
		{ "Zg===", NULL },
		{ "Zh==", NULL },
		{ "Zm9=", NULL },
		{ "Zm9v\n", NULL },
		{ " Zm9v", NULL },
		{ "Zm 9v", NULL },
		{ "Zm9v=", NULL },
		{ "=", NULL },
		{ "Z", NULL },
		{ "Zm9v!", NULL },
		{ "Zg==Zg==", NULL },
		{ "Zm-_", NULL },
		{ "Zm9v\xc3\xa9", NULL },
		{ "\x80\x80\x80\x80", NULL },
		{ "Zg==x", NULL },
	};
	void *ctx = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		size_t len = 99;
		uint8_t *got = text_unbase64(ctx, rows[i].text, &len);

		if ((got == NULL) != (rows[i].want == NULL))
			fail_msg("%s", rows[i].text);
		if (got != NULL) {
			assert_int_equal(len, strlen(rows[i].want));
			assert_string_equal((char *)got, rows[i].want);
			assert_string_equal(text_base64(ctx, got, len), rows[i].text);
		}
	}
	assert_string_equal(text_base64(ctx, "\xfb\xff\xfe", 3), "+//+");
	assert_string_equal(text_base64url(ctx, "\xfb\xff\xfe", 3), "-__-");
	assert_string_equal(text_base64url(ctx, "\xfb", 1), "-w");
	assert_string_equal(text_base64url(ctx, "", 0), "");
	talloc_free(ctx);
}

static void
base64_of_any_length_comes_back(void **state)
{
	uint8_t bytes[300];
	void *ctx = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		size_t got_len;
		uint8_t *got = text_unbase64(ctx, text_base64(ctx, bytes, len), &got_len);

		assert_non_null(got);
		assert_int_equal(got_len, len);
		assert_memory_equal(got, bytes, len);
	}
	talloc_free(ctx);
}

static void
base32_has_its_own_alphabet(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x44, 0x32, 0x14, 0xc7 }; /* 0 1 2 3 4 … in groups of five */
	char text[9];

	(void)state;
	text_base32(bytes, 8, text);
	assert_string_equal(text, "01234567");
	for (int i = 0; i < 32; i++)
		assert_int_equal(text_unbase32_digit("0123456789abcdefghjkmnpqrstvwxyz"[i]), i);
	for (const char *c = "ilouILOUA \x80"; *c != '\0'; c++)
		assert_int_equal(text_unbase32_digit(*c), -1);
	assert_int_equal(text_unbase32_digit('\0'), -1);
}

static void
percent_encoding_is_undone(void **state)
{
	static const struct {
		const char *text, *want, *want_of_form;
	} rows[] = {
		{ "", "", "" },
		{ "a%20b", "a b", "a b" },
		{ "a+b", "a+b", "a b" },
		{ "%C3%a9", "\xc3\xa9", "\xc3\xa9" },
		{ "%2525", "%25", "%25" },
		{ "%", NULL, NULL },
		{ "%2", NULL, NULL },
		{ "a%2", NULL, NULL },
		{ "%zz", NULL, NULL },
		{ "%00", NULL, NULL },
		{ "%ff", NULL, NULL },
		{ "%c0%80", NULL, NULL },
		{ "%ed%a0%80", NULL, NULL },
		{ "\xff", NULL, NULL },
		{ "%+1", NULL, NULL },
		{ "%2f..%2F", "/../", "/../" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		for (int form = 0; form < 2; form++) {
			const char *want = form ? rows[i].want_of_form : rows[i].want;
			char *got = text_percent_decode(NULL, rows[i].text, strlen(rows[i].text), form);

			if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
				fail_msg("%s", rows[i].text);
			talloc_free(got);
		}
	}
}

static void
an_escape_is_not_read_past_the_given_length(void **state)
{
	(void)state;
	assert_null(text_percent_decode(NULL, "a%20", 3, false));
	assert_null(text_percent_decode(NULL, "a%20", 2, false));
}

static void
decimals_take_any_number_of_places(void **state)
{
	static const struct {
		const char *text;
		int places, rc;
		int64_t want;
	} rows[] = {
		{ "25", 0, 0, 25 },
		{ "25.0", 0, 0, 25 },
		{ "25.5", 0, -2, 0 },
		{ "2.5e1", 0, 0, 25 },
		{ "25.5", 1, 0, 255 },
		{ "9223372036854775807", 0, 0, INT64_MAX },
		{ "9223372036854775808", 0, -2, 0 },
		{ "-9223372036854775808", 0, 0, INT64_MIN },
		{ "1e18", 0, 0, 1000000000000000000 },
		{ "1e19", 0, -2, 0 },
		{ "1e", 0, -1, 0 },
		{ "1e0", 18, 0, 1000000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		int64_t got = 0;
		int rc = text_decimal(rows[i].text, rows[i].places, &got);

		if (rc != rows[i].rc || got != rows[i].want)
			fail_msg("%s: %d, %lld", rows[i].text, rc, (long long)got);
	}
}

static void
an_email_address_is_what_mail_systems_take(void **state)
{
#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "agent@example.com", true },
		{ "a.b+c@sub.example.co", true },
		{ "A_b-c@EXAMPLE.com", true },
		{ "o'neil@example.com", true },
		{ "a@b.c1", true },
		{ "x@xn--bcher-kva.example", true },
		{ "", false },
		{ "@", false },
		{ "a@", false },
		{ "@b.c", false },
		{ "a", false },
		{ "a@b", false },
		{ "a@localhost", false },
		{ "a@b.", false },
		{ "a@.b.c", false },
		{ "a@b..c", false },
		{ "a@-b.c", false },
		{ "a@b-.c", false },
		{ "a@b.c-", false },
		{ "a@b_c.d", false },
		{ ".a@b.c", false },
		{ "a.@b.c", false },
		{ "a..b@b.c", false },
		{ "a b@b.c", false },
		{ "a@b.c\n", false },
		{ "a@b.c\r\nBcc: x@y.z", false },
		{ "\"a\"@b.c", false },
		{ "a@@b.c", false },
		{ "a@b@c.d", false },
		{ "a@127.0.0.1", false },
		{ "a@[127.0.0.1]", false },
		{ "<a@b.c>", false },
		{ "a@b.c,d@e.f", false },
		{ "\xc3\xa9@b.c", false },
		{ "a@\xc3\xa9.c", false },
		{ SIXTY "aaaa@b.c", true },
		{ SIXTY "aaaaa@b.c", false },
		{ "a@" SIXTY "aaa.c", true },
		{ "a@" SIXTY "aaaa.c", false },
		{ SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaaaa.c", true },
		{ SIXTY "@" SIXTY "." SIXTY "." SIXTY ".aaaaaaaaa.c", false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		if (text_is_email(rows[i].text) != rows[i].want)
			fail_msg("%s", rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(only_real_utf8_without_nul_is_text),
		cmocka_unit_test(length_is_counted_in_code_points),
		cmocka_unit_test(a_text_is_cut_between_code_points),
		cmocka_unit_test(white_space_of_any_script_is_trimmed),
		cmocka_unit_test(control_characters_are_found),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(base64_of_any_length_comes_back),
		cmocka_unit_test(base32_has_its_own_alphabet),
		cmocka_unit_test(percent_encoding_is_undone),
		cmocka_unit_test(an_escape_is_not_read_past_the_given_length),
		cmocka_unit_test(decimals_take_any_number_of_places),
		cmocka_unit_test(an_email_address_is_what_mail_systems_take),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
