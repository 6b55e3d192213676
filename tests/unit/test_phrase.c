/* Phrases are found however they are spelt, and only where words begin and end. */
#include "base/phrase.h"

#include <string.h>
#include <talloc.h>

#include "unit.h"

static struct phrase_text *
read_one(const char *text)
{
	return phrase_read(NULL, &text, 1);
}

static bool
finds(const char *text, const char *phrases)
{
	struct phrase_text *read = read_one(text);
	bool is_found = phrase_find(read, phrases);

	talloc_free(read);
	return is_found;
}

static void
a_phrase_is_found_however_it_is_spelt(void **state)
{
	static const struct {
		const char *text, *phrases;
		bool want;
	} rows[] = {
		{ "open bulk accounts now", "bulk account*", true },
		{ "Bulk-ACCOUNTS", "bulk account*", true },
		{ "bulk\n\n  account", "bulk account*", true },
		{ "BulkAccount", "bulk account*", true },
		{ "b u l k a c c o u n t s", "bulk account*", true },
		{ "b.u.l.k_a/c-c*o|u n t s", "bulk account*", true },
		{ "bu lk acc ounts", "bulk account*", true },
		{ "b\u200bulk acc\u00adounts", "bulk account*", true },		    /* zero width space, soft hyphen */
		{ "bu\ufefflk a\u202eccounts", "bulk account*", true },		    /* BOM, right-to-left override */
		{ "b\u0336u\u0336l\u0336k\u0336 accounts", "bulk account*", true }, /* struck through */
		{ "b\u00fclk \u00e0ccounts", "bulk account*", true },		    /* accents */
		{ "\uff42\uff55\uff4c\uff4b accounts", "bulk account*", true },	    /* full width */
		{ "bulk \u0430\u0441\u0441\u043eunts", "bulk account*", true },	    /* Cyrillic */
		{ "bulk \u03b1cc\u03bfunts", "bulk account*", true },		    /* Greek */
		{ "\U0001d41b\U0001d42e\U0001d425\U0001d424 account", "bulk account*", true }, /* mathematical bold */
		{ "\u24d1\u24e4\u24db\u24da account", "bulk account*", true },		       /* circles */
		{ "\U0001f1e7\U0001f1fa\U0001f1f1\U0001f1f0 account", "bulk account*", true }, /* regional indicators */
		{ "bu1k acc0unt$", "bulk account*", true },
		{ "b\U0001f525u\U0001f525l\U0001f525k accounts", "bulk account*", true },
		{ "ver!fy", "verify", true },
		{ "verify!", "verify", true },
		{ "p@ssw0rd", "password", true },
		{ "500 accounts", "500 account*", true },
		{ "$500 accounts", "500 account*", true },
		{ "all of 500 accounts", "# accounts", true },
		{ "1,000 accounts", "# accounts", true },
		{ "2. Accounts", "# accounts", false },
		{ "5OO accounts", "# accounts", false },
		{ "500", "# accounts|#", true },
		{ "someone else\u2019s phone", "someone elses phone", true },
		{ "children's hospital", "children", false },
		{ "bulky accounts", "bulk account*", false },
		{ "bulk count", "bulk account*", false },
		{ "the rapist", "rapist", true },
		{ "therapist", "rapist", false },
		{ "class", "ass|las", false },
		{ "accounting", "account", false },
		{ "accounting", "account*", true },
		{ "unaccounted", "account*", false },
		{ "one", "zero|one|two", true },
		{ "", "one", false },
		{ " \t\n", "one", false },
		{ "\xff\xfe one \xc3", "one", true },
		{ "o\xffne", "one", true }, /* a broken byte is a sign like any other */
		{ "\u8bc1\u4ef6", "one", false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		if (finds(rows[i].text, rows[i].phrases) != rows[i].want)
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
}

static void
two_phrases_are_near_within_so_many_letters(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "buy tickets with a bot", true },
		{ "a bot that buys tickets", true },
		{ "bot tickets", true },
		{ "tickets, tickets, tickets", false },
		{ "bot 1234567890 tickets", true },
		{ "bot 12345678901 tickets", false },
		{ "tickets 1234567890 bot", true },
		{ "tickets 12345678901 bot", false },
		{ "t i c k e t s b o t", true },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct phrase_text *text = read_one(rows[i].text);

		if (phrase_find_near(text, "bot|bots", "ticket|tickets", 10) != rows[i].want)
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
		talloc_free(text);
	}
}

static void
texts_are_read_as_one_and_missing_ones_left_out(void **state)
{
	static const char *const texts[] = { NULL, "Bulk", NULL, "accounts" };
	struct phrase_text *text = phrase_read(NULL, texts, nitems(texts)), *none = phrase_read(NULL, NULL, 0);

	(void)state;
	assert_true(phrase_find(text, "bulk account*"));
	assert_string_equal(phrase_normal(text), "bulkaccounts");
	assert_string_equal(phrase_normal(none), "");
	assert_false(phrase_find(none, "bulk"));
	talloc_free(text);
	talloc_free(none);
}

static void
common_words_count_once(void **state)
{
	struct phrase_text *a = read_one("The sign says OPEN; the sign is red"),
			   *b = read_one("Photo of the open sign");

	(void)state;
	assert_int_equal(phrase_common(a, b, 3), 3);
	assert_int_equal(phrase_common(a, b, 4), 2);
	assert_int_equal(phrase_common(b, a, 4), 2);
	assert_int_equal(phrase_common(a, b, 5), 0);
	talloc_free(a);
	talloc_free(b);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_phrase_is_found_however_it_is_spelt),
		cmocka_unit_test(two_phrases_are_near_within_so_many_letters),
		cmocka_unit_test(texts_are_read_as_one_and_missing_ones_left_out),
		cmocka_unit_test(common_words_count_once),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
