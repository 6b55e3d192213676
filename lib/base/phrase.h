#ifndef BASE_PHRASE_H
#define BASE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finding phrases in a text whose writer would rather not have them found: by NFKC and case folding; without
 * accents and invisible characters; letters of other scripts that look like Latin ones, and digits and signs
 * within a word ("acc0unt$"), are read as what they stand for; blanks and signs inside a phrase do not matter
 * ("b u.l-k accounts").
 *
 * A list of phrases is "bulk account*|many accounts": words of a to z and 0 to 9.  A phrase is found where it
 * begins with a word and ends with one.  A star at its end takes any ending of the last word; # is a number
 * of two digits or more.
 */

struct phrase_text;

/* Reads texts one after the other as one; NULL ones are left out, bytes that are not UTF-8 part words.
 * Talloc'ed. */
struct phrase_text *phrase_read(const void *ctx, const char *const *texts, size_t count);

/* True if one of the phrases stands in the text. */
bool phrase_find(const struct phrase_text *text, const char *phrases);

/* True if one of `any` and one of `near` stand there with at most so many letters between them. */
bool phrase_find_near(const struct phrase_text *text, const char *any, const char *near, size_t letters);

/* The normal form: the words' letters with nothing between them, UTF-8.  Lives as long as the text. */
const char *phrase_normal(const struct phrase_text *text);

/* How many different words of at least so many bytes both have; tells whether one speaks of the other. */
size_t phrase_common(const struct phrase_text *a, const struct phrase_text *b, size_t bytes);

#endif
