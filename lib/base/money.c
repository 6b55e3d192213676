/*
 * Money to text and back, exactly.  Rounding to cents, fees and what an amount may be are left to those who
 * know the rule; a JSON number arrives here as the text that stood in the body.
 */
#include "base/money.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

enum { MONEY_PLACES = 6, CENT_PLACES = 2 };

int
money_parse(const char *text, usd_micros *out)
{
	return text_decimal(text, MONEY_PLACES, out);
}

/* With as many decimals as it needs, but at least so many. */
static void
print_decimal(usd_micros amount, int least_places, char out[MONEY_TEXT_SIZE])
{
	uint64_t value = amount < 0 ? -(uint64_t)amount : (uint64_t)amount; /* INT64_MIN has no int64_t opposite */
	uint64_t whole = value / (uint64_t)USD(1), fraction = value % (uint64_t)USD(1);
	const char *sign = amount < 0 ? "-" : "";
	int places = MONEY_PLACES;

	while (places > least_places && fraction % 10 == 0) {
		fraction /= 10;
		places--;
	}
	if (places == 0)
		snprintf(out, MONEY_TEXT_SIZE, "%s%" PRIu64, sign, whole);
	else
		snprintf(out, MONEY_TEXT_SIZE, "%s%" PRIu64 ".%0*" PRIu64, sign, whole, places, fraction);
}

void
money_print(usd_micros amount, char out[MONEY_TEXT_SIZE])
{
	print_decimal(amount, 0, out);
}

void
money_print_cents(usd_micros amount, char out[MONEY_TEXT_SIZE])
{
	print_decimal(amount, CENT_PLACES, out);
}
