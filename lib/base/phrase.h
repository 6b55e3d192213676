#ifndef BASE_PHRASE_H
#define BASE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finding phrases in a text whose writer would rather not have them found: by NFKC and case folding, without
 * accents, invisible characters and the letters of other scripts that look like Latin ones, digits and signs
 * for letters
 * ("acc0unt") read as what they stand for, and whatever blanks or signs stand inside a phrase ("b u.l-k
 * accounts").
 *
 * A list of phrases is "bulk account*|many accounts": words of a to z and 0 to 9.  A phrase is found where it
 * begins with a word and ends with one; a star at its end takes any ending of the last word.
 */

struct phrase_text;

/* Reads texts (UTF-8) one after the other as one; NULL ones are left out.  Talloc'ed. */
struct phrase_text *phrase_read(const void *ctx, const char *const *texts, size_t count);

/* True if one of the phrases stands in the text. */
bool phrase_find(const struct phrase_text *text, const char *phrases);

/* True if one of `any` and one of `near` stand within so many words of each other. */
bool phrase_find_near(const struct phrase_text *text, const char *any, const char *near, size_t words);

/* The normal form: the words' letters without anything between them.  Lives as long as the text. */
const char *phrase_normal(const struct phrase_text *text);

/* Words of at least `letters` letters that both texts have; for telling whether one speaks of the other. */
size_t phrase_common(const struct phrase_text *a, const struct phrase_text *b, size_t letters);

#endif
