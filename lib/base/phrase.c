/*
 * Finding phrases whatever their spelling.  A text is taken apart into words; their letters are then written
 * one after the other, and a phrase, written the same way, must begin and end where words do.  So blanks
 * inside a phrase need not be right, while "therapist" holds no "rapist".  Which phrases matter, and what
 * for, is left to others.
 */
#include "base/phrase.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/text.h"

enum { PHRASE_MAX = 128, WORD_BREAK = ' ' };

/* Letters that look like a Latin one and that NFKC leaves alone (after Unicode's confusables.txt). */
static const struct {
	char latin;
	const char *others; /* UTF-8 */
} lookalikes[] = {
	{ 'a', "\u0430\u03b1\u0251\u1d00\u0101\u2c65\u2200" },
	{ 'b', "\u0432\u042c\u044c\u0299\u03b2\u0253\u0180" },
	{ 'c', "\u0441\u03f2\u1d04\u0254\u0188\u023c\u217d" },
	{ 'd', "\u0501\u1d05\u0256\u0257\u0111" },
	{ 'e', "\u0435\u0454\u04bd\u03b5\u1d07\u025b\u0259\u0247\u212e" },
	{ 'f', "\ua730\u0192\u03dd\u0584" },
	{ 'g', "\u0262\u0261\u0581\u01e5\u0260" },
	{ 'h', "\u043d\u04bb\u029c\u0570\u0127\u0266" },
	{ 'i', "\u0456\u04cf\u03b9\u0131\u026a\u0269\u01c3\u0268\u2071" },
	{ 'j', "\u0458\u03f3\u1d0a\u0237\u0249" },
	{ 'k', "\u043a\u03ba\u1d0b\u0199\u0138\u049b" },
	{ 'l', "\u04c0\u01c0\u029f\u0142\u0269\u05d5\u2113\u019a\u05df" },
	{ 'm', "\u043c\u1d0d\u0271\u2133" },
	{ 'n', "\u0274\u0578\u057c\u03b7\u014b\u0272\u043f" },
	{ 'o', "\u043e\u03bf\u0585\u1d0f\u03c3\u00f8\u0275\u06be\u0647\u0665\u0966\u25cb\u04e9" },
	{ 'p', "\u0440\u03c1\u1d18\u01a5\u03f8\u00fe" },
	{ 'q', "\u051b\u0563\u0566\u024b" },
	{ 'r', "\u0433\u0280\u027c\u027d\u044f\u024d\u1d26" },
	{ 's', "\u0455\u01bd\ua731\u0282\u015f" },
	{ 't', "\u0442\u03c4\u1d1b\u0167\u01ad" },
	{ 'u', "\u03c5\u057d\u1d1c\u028b\u0289\u03bc\u0446" },
	{ 'v', "\u0475\u03bd\u1d20\u028c\u221a\u2228" },
	{ 'w', "\u0461\u051d\u0448\u03c9\u1d21\u026f\u0561" },
	{ 'x', "\u0445\u03c7\u00d7\u166d\u2573" },
	{ 'y', "\u0443\u04af\u03b3\u028f\u0263\u01b4\u04e1\u024f" },
	{ 'z', "\u1d22\u0290\u01b6\u0225\u2124" },
};

/* Letters in boxes and discs that NFKC leaves alone: where an alphabet begins. */
static const ucs4_t alphabets[] = { 0x1f150, 0x1f170, 0x1f1e6 };

/* Digits and signs that stand for letters inside a word.  What may stand for either of two is read twice. */
static const struct {
	char sign;
	char letter[2];
} stand_ins[] = {
	{ '0', "oo" },
	{ '1', "il" },
	{ '3', "ee" },
	{ '4', "aa" },
	{ '5', "ss" },
	{ '7', "tt" },
	{ '8', "bb" },
	{ '@', "aa" },
	{ '$', "ss" },
	{ '!', "il" },
	{ '|', "il" },
};

enum { PLAIN, READINGS = 3 }; /* as it stands, and with each column of the stand-ins */

/* The letters of all words; at which bytes words begin, and behind which they end. */
struct reading {
	char *letters;
	size_t len;
	size_t *starts, start_count;
	bool *is_end; /* for each byte: the last of its word */
};

struct phrase_text {
	struct reading readings[READINGS];
};

/* A phrase on its way into a reading. */
struct needle {
	char letters[PHRASE_MAX];
	size_t len;
	bool is_open; /* any ending will do */
};

/* The Latin letter that a character looks like, or the character itself. */
static ucs4_t
latin_of(ucs4_t character)
{
	static const size_t letters = 26;

	if (character < 0x80)
		return character;
	for (size_t i = 0; i < nitems(alphabets); i++) {
		if (character >= alphabets[i] && character < alphabets[i] + letters)
			return 'a' + (character - alphabets[i]);
	}
	for (size_t i = 0; i < nitems(lookalikes); i++) {
		if (u8_strchr((const uint8_t *)lookalikes[i].others, character) != NULL)
			return (ucs4_t)lookalikes[i].latin;
	}
	return character;
}

static bool
is_invisible(ucs4_t character)
{
	return character == '\'' || character == 0x2019 || /* apostrophes */
	       uc_is_general_category(character, UC_CATEGORY_Mn) || uc_is_general_category(character, UC_CATEGORY_Me) ||
	       uc_is_general_category(character, UC_CATEGORY_Cf) ||
	       uc_is_property(character, UC_PROPERTY_DEFAULT_IGNORABLE_CODE_POINT);
}

static bool
is_word_part(ucs4_t character)
{
	if (character < 0x80)
		return isalnum((int)character);
	return uc_is_property_alphabetic(character) || uc_is_general_category(character, UC_CATEGORY_N);
}

/* The texts as characters, a break behind each. */
static ucs4_t *
characters_of(const void *ctx, const char *const *texts, size_t count, size_t *len)
{
	ucs4_t *out;
	size_t room = 1;

	for (size_t i = 0; i < count; i++)
		room += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
	out = talloc_size(ctx, room * sizeof(*out));
	assert(out != NULL);
	*len = 0;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = (const uint8_t *)texts[i];
		size_t left;

		if (at == NULL)
			continue;
		left = strlen(texts[i]);
		while (left > 0) {
			int bytes = u8_mbtouc(&out[*len], at, left); /* U+FFFD for what is none */

			at += bytes;
			left -= (size_t)bytes;
			(*len)++;
		}
		out[(*len)++] = WORD_BREAK;
	}
	return out;
}

/* Folded, without what cannot be seen, in Latin letters wherever it looks like them; malloc'ed. */
static ucs4_t *
fold(const ucs4_t *text, size_t *len)
{
	size_t composed_len = 0, folded_len = 0, kept = 0;
	ucs4_t *composed = u32_normalize(UNINORM_NFKC, text, *len, NULL, &composed_len);
	ucs4_t *folded;

	assert(composed != NULL);
	folded = u32_casefold(composed, composed_len, NULL, UNINORM_NFKD, NULL, &folded_len);
	assert(folded != NULL);
	free(composed);
	for (size_t i = 0; i < folded_len; i++) {
		if (!is_invisible(folded[i]))
			folded[kept++] = latin_of(folded[i]);
	}
	*len = kept;
	return folded;
}

static char
stand_in(ucs4_t character, int column)
{
	for (size_t i = 0; i < nitems(stand_ins); i++) {
		if ((ucs4_t)stand_ins[i].sign == character)
			return stand_ins[i].letter[column];
	}
	return '\0';
}

/* Characters from `at` that belong to one word: in a reading with stand-ins, those between letters too. */
static size_t
word_length(const ucs4_t *text, size_t len, size_t at, int reading)
{
	size_t end = at;

	while (end < len && (is_word_part(text[end]) || (reading != PLAIN && stand_in(text[end], 0) != '\0')))
		end++;
	/* A mark of exclamation behind a word is just that. */
	while (end > at && (text[end - 1] == '!' || text[end - 1] == '|'))
		end--;
	return end - at;
}

static void
add_word(struct reading *reading, const ucs4_t *word, size_t len, int column)
{
	bool has_letter = false;

	for (size_t i = 0; i < len; i++)
		has_letter = has_letter || (is_word_part(word[i]) && !(word[i] < 0x80 && isdigit((int)word[i])));
	reading->starts[reading->start_count++] = reading->len;
	for (size_t i = 0; i < len; i++) {
		char other = column >= 0 && has_letter ? stand_in(word[i], column) : '\0';
		ucs4_t character = other != '\0' ? (ucs4_t)other : word[i];
		int bytes = u8_uctomb((uint8_t *)reading->letters + reading->len, character, 6);

		assert(bytes > 0); /* they came out of a decoder */
		reading->len += (size_t)bytes;
	}
	reading->is_end[reading->len - 1] = true;
}

static void
read_words(const void *ctx, struct reading *reading, const ucs4_t *text, size_t len, int number)
{
	reading->letters = talloc_zero_size(ctx, 6 * len + 1);
	reading->is_end = talloc_zero_size(ctx, 6 * len + 1);
	reading->starts = talloc_size(ctx, (len + 1) * sizeof(*reading->starts));
	assert(reading->letters != NULL && reading->is_end != NULL && reading->starts != NULL);
	for (size_t at = 0; at < len;) {
		size_t word = word_length(text, len, at, number);

		if (word > 0)
			add_word(reading, text + at, word, number - 1);
		at += word > 0 ? word : 1;
	}
}

struct phrase_text *
phrase_read(const void *ctx, const char *const *texts, size_t count)
{
	struct phrase_text *text = talloc_zero(ctx, struct phrase_text);
	size_t len;
	ucs4_t *characters, *folded;

	assert(text != NULL);
	characters = characters_of(text, texts, count, &len);
	folded = fold(characters, &len);
	talloc_free(characters);
	for (int i = 0; i < READINGS; i++)
		read_words(text, &text->readings[i], folded, len, i);
	free(folded);
	return text;
}

/* The list's next phrase; false at its end. */
static bool
next_needle(const char **list, struct needle *needle)
{
	size_t len = strcspn(*list, "|");

	*needle = (struct needle){ 0 };
	if (**list == '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((*list)[i] == '*')
			needle->is_open = true;
		else if ((*list)[i] != ' ')
			needle->letters[needle->len++] = (*list)[i];
		assert(needle->len < PHRASE_MAX);
	}
	assert(needle->len > 0);
	*list += len + ((*list)[len] == '|');
	return true;
}

/* Where the phrase that begins with the word at a byte ends; 0 if it does not stand there. */
static size_t
end_at(const struct reading *reading, size_t at, const struct needle *needle)
{
	for (size_t i = 0; i < needle->len; i++) {
		size_t digits;

		if (needle->letters[i] != '#') {
			if (reading->letters[at++] != needle->letters[i])
				return 0; /* the NUL behind the last letter is no part of a phrase */
			continue;
		}
		digits = strspn(reading->letters + at, "0123456789");
		if (digits < 2)
			return 0;
		at += digits;
	}
	return needle->is_open || reading->is_end[at - 1] ? at : 0;
}

/* True if one of the phrases touches what lies between two bytes. */
static bool
find_between(const struct reading *reading, const char *phrases, size_t from, size_t to)
{
	struct needle needle;

	while (next_needle(&phrases, &needle)) {
		for (size_t i = 0; i < reading->start_count && reading->starts[i] <= to; i++) {
			size_t end = end_at(reading, reading->starts[i], &needle);

			if (end > 0 && end >= from)
				return true;
		}
	}
	return false;
}

bool
phrase_find(const struct phrase_text *text, const char *phrases)
{
	for (int i = 0; i < READINGS; i++) {
		if (find_between(&text->readings[i], phrases, 0, text->readings[i].len))
			return true;
	}
	return false;
}

static bool
find_near(const struct reading *reading, const char *any, const char *near, size_t letters)
{
	struct needle needle;

	while (next_needle(&any, &needle)) {
		for (size_t i = 0; i < reading->start_count; i++) {
			size_t at = reading->starts[i], end = end_at(reading, at, &needle);

			if (end > 0 && find_between(reading, near, at > letters ? at - letters : 0, end + letters))
				return true;
		}
	}
	return false;
}

bool
phrase_find_near(const struct phrase_text *text, const char *any, const char *near, size_t letters)
{
	for (int i = 0; i < READINGS; i++) {
		if (find_near(&text->readings[i], any, near, letters))
			return true;
	}
	return false;
}

const char *
phrase_normal(const struct phrase_text *text)
{
	return text->readings[PLAIN].letters;
}

static size_t
word_size(const struct reading *reading, size_t index)
{
	size_t end = index + 1 < reading->start_count ? reading->starts[index + 1] : reading->len;

	return end - reading->starts[index];
}

/* True if one of the first `count` words is this one. */
static bool
has_word(const struct reading *reading, size_t count, const char *word, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (word_size(reading, i) == size && memcmp(reading->letters + reading->starts[i], word, size) == 0)
			return true;
	}
	return false;
}

size_t
phrase_common(const struct phrase_text *a, const struct phrase_text *b, size_t bytes)
{
	const struct reading *own = &a->readings[PLAIN], *other = &b->readings[PLAIN];
	size_t common = 0;

	for (size_t i = 0; i < own->start_count; i++) {
		const char *word = own->letters + own->starts[i];
		size_t size = word_size(own, i);

		if (size >= bytes && !has_word(own, i, word, size) && has_word(other, other->start_count, word, size))
			common++;
	}
	return common;
}
