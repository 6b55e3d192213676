#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text: UTF-8, trimming, hex, base64, base 32, percent-decoding.  Allocations hang on the talloc context
 * given. */

#define nitems(array) (sizeof(array) / sizeof((array)[0]))

/* True if the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL.  libunistring
 * decides. */
bool text_is_utf8(const char *text, size_t len);

/* Code points of a UTF-8 text. */
size_t text_length(const char *utf8);

/* Bytes of the longest beginning of a UTF-8 text that has at most `size` bytes and ends between two code
 * points. */
size_t text_fit(const char *utf8, size_t size);

/* A copy without white space (Unicode property White_Space) at both ends. */
char *text_trim(const void *ctx, const char *utf8);

/*
 * True if it has a control character (C0, C1, DEL).  lines_allowed: tab, line feed, carriage return do not
 * count; else they do, and Unicode's line and paragraph separators as well.
 */
bool text_has_control(const char *utf8, bool lines_allowed);

/* Lower-case hex; out has room for 2 * len + 1.  text_unhex: bytes written, or -1. */
void text_hex(const void *data, size_t len, char *out);
int text_unhex(const char *hex, uint8_t *out, size_t size);

/* Base64 (RFC 4648, section 4, padded; url: section 5, unpadded).  Decoding is strict and takes each only its
 * own. */
char *text_base64(const void *ctx, const void *data, size_t len);
uint8_t *text_unbase64(const void *ctx, const char *text, size_t *len); /* NULL if it is none */
char *text_base64url(const void *ctx, const void *data, size_t len);

/* Base 32 of our ids (base/id.h): the first `digits` * 5 bits of data, most significant first. */
void text_base32(const uint8_t *data, int digits, char *out);
int text_unbase32_digit(char c); /* 0..31, or -1 */

/* Decodes %XX (and '+' as space where plus_is_space); NULL for bad escapes, NUL bytes or bytes that are not
 * UTF-8. */
char *text_percent_decode(const void *ctx, const char *text, size_t len, bool plus_is_space);

/*
 * Reads a decimal as JSON writes numbers (RFC 8259, section 6) times ten to the power of `places`, exactly.
 * 0; -1 if it is none; -2 if there are more places or it does not fit.  *out untouched unless 0.
 */
int text_decimal(const char *text, int places, int64_t *out);

/* RFC 5321 address of letters as mail systems everywhere take them: dot-atom @ host name with a dot, at most
 * 254. */
bool text_is_email(const char *text);

#endif
