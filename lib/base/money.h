#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdint.h>

/* Money is an integer of millionths of a dollar; decimal text is read and written exactly, never through a
 * double. */
typedef int64_t usd_micros;

enum { MONEY_TEXT_SIZE = 32 };
#define USD(dollars) ((usd_micros)(dollars)*1000000)
#define USD_CENT ((usd_micros)10000)

/*
 * Reads a decimal as JSON writes numbers (RFC 8259, section 6: sign, exponent): "25", "25.0", "1e1", "-0.5".
 * 0; -1 if it is none; -2 if it has parts below a millionth or does not fit.  *out untouched unless 0.
 */
int money_parse(const char *text, usd_micros *out);

/* The shortest decimal that JSON takes: "29.5", "0.000001", "-3". */
void money_print(usd_micros amount, char out[MONEY_TEXT_SIZE]);

/* With at least two places, for people: "29.50". */
void money_print_cents(usd_micros amount, char out[MONEY_TEXT_SIZE]);

#endif
