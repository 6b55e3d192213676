/*
 * Text: what is UTF-8, where it begins and ends, and the plain encodings (hex, base64, base 32, percent,
 * decimals). libunistring and nettle do the work where they can.  What a text may say is left to fields.c and
 * the domain.
 */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <nettle/base64.h>
#include <string.h>
#include <talloc.h>
#include <unictype.h>
#include <unistr.h>

enum { EMAIL_MAX = 254, EMAIL_LOCAL_MAX = 64, HOST_LABEL_MAX = 63 };

static const char base32_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

bool
text_is_utf8(const char *text, size_t len)
{
	return memchr(text, '\0', len) == NULL && u8_check((const uint8_t *)text, len) == NULL;
}

size_t
text_length(const char *utf8)
{
	return u8_mbsnlen((const uint8_t *)utf8, strlen(utf8));
}

size_t
text_fit(const char *utf8, size_t size)
{
	size_t len = strnlen(utf8, size);

	while (len > 0 && ((unsigned char)utf8[len] & 0xc0) == 0x80)
		len--;
	return len;
}

char *
text_trim(const void *ctx, const char *utf8)
{
	const uint8_t *start = (const uint8_t *)utf8, *end = start + strlen(utf8), *next;
	ucs4_t c;
	char *copy;

	while ((next = u8_next(&c, start)) != NULL && uc_is_property_white_space(c))
		start = next;
	while (end > start && (next = u8_prev(&c, end, start)) != NULL && uc_is_property_white_space(c))
		end = next;
	copy = talloc_strndup(ctx, (const char *)start, (size_t)(end - start));
	assert(copy != NULL);
	return copy;
}

bool
text_has_control(const char *utf8, bool lines_allowed)
{
	const uint8_t *at = (const uint8_t *)utf8;
	ucs4_t c;

	while ((at = u8_next(&c, at)) != NULL) {
		bool is_layout = c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;

		if (is_layout ? !lines_allowed : c < 0x20 || (c >= 0x7f && c <= 0x9f))
			return true;
	}
	return false;
}

void
text_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 0x0f];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
text_unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = strlen(hex);

	if (len % 2 != 0 || len / 2 > size || len / 2 > INT32_MAX)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

/* Padded, in the alphabet of the context. */
static char *
base64_encode(const void *ctx, struct base64_encode_ctx *encoder, const void *data, size_t len)
{
	char *out = talloc_size(ctx, BASE64_ENCODE_LENGTH(len) + BASE64_ENCODE_FINAL_LENGTH + 1);
	size_t n;

	assert(out != NULL);
	talloc_set_name_const(out, "char");
	n = base64_encode_update(encoder, out, len, data);
	n += base64_encode_final(encoder, out + n);
	out[n] = '\0';
	return out;
}

char *
text_base64(const void *ctx, const void *data, size_t len)
{
	struct base64_encode_ctx encoder;

	base64_encode_init(&encoder);
	return base64_encode(ctx, &encoder, data, len);
}

char *
text_base64url(const void *ctx, const void *data, size_t len)
{
	struct base64_encode_ctx encoder;
	char *out;

	base64url_encode_init(&encoder);
	out = base64_encode(ctx, &encoder, data, len);
	out[strcspn(out, "=")] = '\0';
	return out;
}

/* nettle passes over white space and over stray bits in the last digit: strict is what encodes to the same
 * text. */
uint8_t *
text_unbase64(const void *ctx, const char *text, size_t *len)
{
	struct base64_decode_ctx decoder;
	size_t text_len = strlen(text), n = 0;
	uint8_t *out = talloc_size(ctx, BASE64_DECODE_LENGTH(text_len) + 1);
	char *again;
	bool is_same;

	assert(out != NULL);
	base64_decode_init(&decoder);
	if (!base64_decode_update(&decoder, &n, out, text_len, text) || !base64_decode_final(&decoder)) {
		talloc_free(out);
		return NULL;
	}
	again = text_base64(out, out, n);
	is_same = strcmp(again, text) == 0;
	explicit_bzero(again, strlen(again)); /* the text may be a secret */
	talloc_free(again);
	if (!is_same) {
		explicit_bzero(out, n);
		talloc_free(out);
		return NULL;
	}
	out[n] = 0;
	*len = n;
	return out;
}

void
text_base32(const uint8_t *data, int digits, char *out)
{
	for (int i = 0; i < digits; i++) {
		int value = 0;

		for (int at = i * 5; at < i * 5 + 5; at++)
			value = value << 1 | (data[at / 8] >> (7 - at % 8) & 1);
		out[i] = base32_digits[value];
	}
	out[digits] = '\0';
}

int
text_unbase32_digit(char c)
{
	const char *at = c == '\0' ? NULL : strchr(base32_digits, c);

	return at == NULL ? -1 : (int)(at - base32_digits);
}

char *
text_percent_decode(const void *ctx, const char *text, size_t len, bool plus_is_space)
{
	char *out = talloc_size(ctx, len + 1);
	size_t n = 0;

	assert(out != NULL);
	talloc_set_name_const(out, "char");
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				goto bad;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	if (text_is_utf8(out, n))
		return out;
bad:
	talloc_free(out);
	return NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The parts of a number as RFC 8259 (section 6) writes it; digits are those before and behind the point. */
struct decimal {
	bool is_negative;
	const char *digits; /* the point may stand among them */
	int64_t whole_digits;
	int64_t exponent;
};

enum { EXPONENT_MAX = 1000000000 }; /* beyond any text's length: such a number does not fit, or it is zero */

static int
decimal_scan(const char *text, struct decimal *decimal)
{
	const char *at = text;

	decimal->is_negative = *at == '-';
	at += decimal->is_negative;
	decimal->digits = at;
	if (!is_digit(*at) || (*at == '0' && is_digit(at[1])))
		return -1;
	while (is_digit(*at))
		at++;
	decimal->whole_digits = at - decimal->digits;
	if (*at == '.' && !is_digit(*++at))
		return -1;
	while (is_digit(*at))
		at++;
	decimal->exponent = 0;
	if (*at == 'e' || *at == 'E') {
		bool is_exponent_negative = *++at == '-';

		at += *at == '-' || *at == '+';
		if (!is_digit(*at))
			return -1;
		for (; is_digit(*at); at++) {
			if (decimal->exponent < EXPONENT_MAX)
				decimal->exponent = decimal->exponent * 10 + (*at - '0');
		}
		if (is_exponent_negative)
			decimal->exponent = -decimal->exponent;
	}
	return *at == '\0' ? 0 : -1;
}

/* Each digit that is not 0 is added at its own power of ten, so that zeros at either end never overflow. */
int
text_decimal(const char *text, int places, int64_t *out)
{
	struct decimal decimal;
	int64_t value = 0, power;

	if (decimal_scan(text, &decimal))
		return -1;
	power = decimal.whole_digits - 1 + decimal.exponent + places;
	for (const char *at = decimal.digits; is_digit(*at) || *at == '.'; at++) {
		int64_t part = *at - '0';

		if (*at == '.')
			continue;
		if (part != 0 && (power < 0 || power > 18))
			return -2;
		for (int64_t i = 0; part != 0 && i < power; i++)
			part *= 10; /* at most 9e18 */
		if (__builtin_add_overflow(value, decimal.is_negative ? -part : part, &value))
			return -2;
		power--;
	}
	*out = value;
	return 0;
}

/* A host name of at least two labels of letters, digits and inner hyphens, whose last is no number (an
 * address). */
static bool
is_host_name(const char *host)
{
	bool has_dot = false, has_letter = false;
	size_t len = 0;

	for (; *host != '\0'; host++) {
		if (*host == '.') {
			if (len == 0 || host[-1] == '-')
				return false;
			has_dot = true;
			has_letter = false;
			len = 0;
		} else if (isascii(*host) && (isalnum(*host) || (*host == '-' && len > 0))) {
			has_letter = has_letter || isalpha(*host);
			if (++len > HOST_LABEL_MAX)
				return false;
		} else {
			return false;
		}
	}
	return has_dot && has_letter && len > 0 && host[-1] != '-';
}

bool
text_is_email(const char *text)
{
	const char *at = strchr(text, '@');
	size_t len;

	if (at == NULL || at == text || strlen(text) > EMAIL_MAX || (len = (size_t)(at - text)) > EMAIL_LOCAL_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.' ? i == 0 || i + 1 == len || text[i + 1] == '.'
			     : !isascii(c) || !(isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL))
			return false;
	}
	return is_host_name(at + 1);
}
