/* RLP: the examples of the yellow paper's appendix B and the wiki, and lengths around each kind of head. */
#include "unit.h"

#include <string.h>
#include <talloc.h>
#include "chain/rlp.h"

static void
assert_bytes(struct rlp *rlp, const char *want)
{
	char *hex = talloc_size(rlp, 2 * rlp->len + 1);

	text_hex(rlp->bytes, rlp->len, hex);
	assert_string_equal(hex, want);
	talloc_free(rlp);
}

static void
texts_have_the_published_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
		{ "", 0, "80" },
		{ "\0", 1, "00" },
		{ "\x0f", 1, "0f" },
		{ "\x7f", 1, "7f" },
		{ "\x80", 1, "8180" },
		{ "\xff", 1, "81ff" },
		{ "\0\0", 2, "820000" },
		{ "\x04\0", 2, "820400" },
		{ "dog", 3, "83646f67" },
		{ "Lorem ipsum dolor sit amet, consectetur adipisicing elit", 56,
		    "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e73656374657475722061646970697369"
		    "63"
		    "696e6720656c6974" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct rlp *rlp = rlp_new(NULL);

		rlp_string(rlp, rows[i].text, rows[i].len);
		assert_bytes(rlp, rows[i].want);
	}
}

static void
numbers_have_no_zeros_before_them(void **state)
{
	static const struct {
		uint64_t number;
		const char *want;
	} rows[] = {
		{ 0, "80" },
		{ 1, "01" },
		{ 127, "7f" },
		{ 128, "8180" },
		{ 255, "81ff" },
		{ 256, "820100" },
		{ 1024, "820400" },
		{ UINT64_C(0xffffffffffffff), "87ffffffffffffff" },
		{ UINT64_MAX, "88ffffffffffffffff" },
	};
	static const uint8_t zero[32] = { 0 }, one[32] = { [31] = 1 }, most[32] = { [0] = 0x80 };
	struct rlp *rlp;

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		rlp = rlp_new(NULL);
		rlp_uint(rlp, rows[i].number);
		assert_bytes(rlp, rows[i].want);
	}
	rlp = rlp_new(NULL);
	rlp_integer(rlp, zero, sizeof(zero));
	rlp_integer(rlp, one, sizeof(one));
	rlp_integer(rlp, NULL, 0);
	rlp_integer(rlp, most, sizeof(most));
	assert_bytes(rlp, "800180"
			  "a08000000000000000000000000000000000000000000000000000000000000000");
}

/* [], [[]], ["cat", "dog"] and [ [], [[]], [ [], [[]] ] ], the set theoretical three. */
static void
lists_hold_lists(void **state)
{
	struct rlp *rlp = rlp_new(NULL);
	size_t outer, inner;

	(void)state;
	rlp_list(rlp, 0);
	rlp_list(rlp, 0);
	assert_bytes(rlp, "c1c0");

	rlp = rlp_new(NULL);
	rlp_string(rlp, "cat", 3);
	rlp_string(rlp, "dog", 3);
	rlp_list(rlp, 0);
	assert_bytes(rlp, "c88363617483646f67");

	rlp = rlp_new(NULL);
	rlp_list(rlp, rlp->len);
	inner = rlp->len;
	rlp_list(rlp, rlp->len);
	rlp_list(rlp, inner);
	outer = rlp->len;
	rlp_list(rlp, rlp->len);
	inner = rlp->len;
	rlp_list(rlp, rlp->len);
	rlp_list(rlp, inner);
	rlp_list(rlp, outer);
	rlp_list(rlp, 0);
	assert_bytes(rlp, "c7c0c1c0c3c0c1c0");
}

/* What stands before a list stays where it is: an envelope's type, an earlier item. */
static void
a_list_begins_where_it_is_told(void **state)
{
	struct rlp *rlp = rlp_new(NULL);
	size_t start;

	(void)state;
	rlp_uint(rlp, 2);
	start = rlp->len;
	rlp_string(rlp, "dog", 3);
	rlp_list(rlp, start);
	assert_bytes(rlp, "02c483646f67");
}

/* Lengths on both sides of a head that grows, and far past the first allocation. */
static void
heads_tell_lengths_of_one_two_and_three_bytes(void **state)
{
	static const struct {
		size_t len;
		const char *text, *list; /* heads */
	} rows[] = {
		{ 2, "82", "c3" },
		{ 54, "b6", "f7" },
		{ 55, "b7", "f838" },
		{ 56, "b838", "f83a" },
		{ 253, "b8fd", "f8ff" },
		{ 254, "b8fe", "f90100" },
		{ 255, "b8ff", "f90101" },
		{ 256, "b90100", "f90103" },
		{ 65535, "b9ffff", "fa010002" },
		{ 65536, "ba010000", "fa010004" },
		{ 1000000, "ba0f4240", "fa0f4244" },
	};
	static char text[1000000];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < nitems(rows); i++) {
		size_t text_head = strlen(rows[i].text) / 2, list_head = strlen(rows[i].list) / 2;
		struct rlp *rlp = rlp_new(NULL);
		char hex[32];

		rlp_string(rlp, text, rows[i].len);
		assert_int_equal(rlp->len, text_head + rows[i].len);
		rlp_list(rlp, 0);
		assert_int_equal(rlp->len, list_head + text_head + rows[i].len);
		text_hex(rlp->bytes, list_head + text_head, hex);
		assert_memory_equal(hex, rows[i].list, 2 * list_head);
		assert_memory_equal(hex + 2 * list_head, rows[i].text, 2 * text_head);
		assert_memory_equal(rlp->bytes + list_head + text_head, text, rows[i].len);
		talloc_free(rlp);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_have_the_published_bytes),
		cmocka_unit_test(numbers_have_no_zeros_before_them),
		cmocka_unit_test(lists_hold_lists),
		cmocka_unit_test(a_list_begins_where_it_is_told),
		cmocka_unit_test(heads_tell_lengths_of_one_two_and_three_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
