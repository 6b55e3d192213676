/*
 * The clock and its RFC 3339 texts.  Knows the offset that development may put on top of the machine's clock,
 * in eight bytes that all programs of a host map; who may move it is left to the caller, who refuses it in
 * production.
 */
#include "base/now.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/share.h"

#define SECOND_MS INT64_C(1000)
#define DAY_MS INT64_C(86400000)
#define OFFSET_MAX_MS (36525 * DAY_MS) /* a century: dates stay printable */
#define YEAR_0000_MS INT64_C(-62167219200000)
#define YEAR_9999_END_MS INT64_C(253402300799999)

static _Atomic int64_t own_offset_ms; /* of this process alone, until now_open */
static _Atomic int64_t *offset_ms = &own_offset_ms;
static int64_t standing_ms = -1; /* now_set: -1 while the clock runs */

int
now_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, share_mode(path, 0600));
	struct stat st;
	void *map;
	int rc = -1;

	if (fd < 0 || fstat(fd, &st)) {
		error_internal(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	/* Making the file longer never hurts an offset that another program has put there meanwhile. */
	if (!S_ISREG(st.st_mode) || (st.st_size < (off_t)sizeof(*offset_ms) && ftruncate(fd, sizeof(*offset_ms)))) {
		error_internal(err, "%s: no file for a clock offset", path);
		goto out;
	}
	map = mmap(NULL, sizeof(*offset_ms), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		error_internal(err, "%s: %s", path, strerror(errno));
		goto out;
	}
	offset_ms = map; /* stays mapped as long as the process lives */
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec ts;
	int rc = clock_gettime(clock, &ts);

	assert(rc == 0);
	return ts.tv_sec * SECOND_MS + ts.tv_nsec / 1000000;
}

/* A damaged file must not throw the clock out of the years that can be printed. */
static int64_t
offset_bounded(int64_t ms)
{
	return ms < 0 ? 0 : ms > OFFSET_MAX_MS ? OFFSET_MAX_MS : ms;
}

int64_t
now_ms(void)
{
	return standing_ms >= 0 ? standing_ms : clock_ms(CLOCK_REALTIME) + offset_bounded(atomic_load(offset_ms));
}

int64_t
now_advance(int64_t ms)
{
	int64_t before = atomic_load(offset_ms), after;

	assert(ms >= 0);
	do
		after = offset_bounded(offset_bounded(before) + (ms < OFFSET_MAX_MS ? ms : OFFSET_MAX_MS));
	while (!atomic_compare_exchange_weak(offset_ms, &before, after));
	return after;
}

void
now_set(int64_t ms)
{
	standing_ms = ms < 0 ? -1 : ms;
}

int64_t
now_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void
time_print(int64_t ms, char out[TIME_TEXT_SIZE])
{
	struct tm tm;
	time_t seconds;
	int fraction;

	ms = ms < YEAR_0000_MS ? YEAR_0000_MS : ms > YEAR_9999_END_MS ? YEAR_9999_END_MS : ms;
	fraction = (int)((ms % SECOND_MS + SECOND_MS) % SECOND_MS);
	seconds = (ms - fraction) / SECOND_MS;
	gmtime_r(&seconds, &tm);
	snprintf(out, TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)fraction % 1000);
}

/* Reads exactly `digits` digits of at most `max`, and moves on; -1 if they are not there. */
static int
take_digits(const char **text, int digits, int max)
{
	int value = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value <= max ? value : -1;
}

static bool
take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar; years are counted from March, so that February
 * ends them. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1, since_march = (month + 9) % 12;
	int era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
	int day_of_year = (153 * since_march + 2) / 5 + day - 1;

	return INT64_C(146097) * era + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

/* RFC 3339 "full-date": the day as days since 1970. */
static int
take_date(const char **text, int64_t *days)
{
	int year, month, day;

	if ((year = take_digits(text, 4, 9999)) < 0 || !take_char(text, '-') ||
	    (month = take_digits(text, 2, 12)) < 1 || !take_char(text, '-') || (day = take_digits(text, 2, 31)) < 1 ||
	    day > days_in_month(year, month))
		return -1;
	*days = days_since_1970(year, month, day);
	return 0;
}

/* "partial-time": the milliseconds of the day.  A leap second is taken as the last millisecond before it. */
static int
take_time(const char **text, int64_t *ms, bool *is_leap_second)
{
	int hour, minute, second, fraction = 0, unit = 100;

	if ((hour = take_digits(text, 2, 23)) < 0 || !take_char(text, ':') || (minute = take_digits(text, 2, 59)) < 0 ||
	    !take_char(text, ':') || (second = take_digits(text, 2, 60)) < 0)
		return -1;
	if (take_char(text, '.')) {
		int digit = take_digits(text, 1, 9);

		if (digit < 0)
			return -1;
		for (; digit >= 0; digit = **text >= '0' && **text <= '9' ? take_digits(text, 1, 9) : -1, unit /= 10)
			fraction += digit * unit;
	}
	*is_leap_second = second == 60;
	if (*is_leap_second) {
		second = 59;
		fraction = 999;
	}
	*ms = ((hour * 60 + minute) * 60 + second) * SECOND_MS + fraction;
	return 0;
}

/* "time-offset", in milliseconds east of UTC. */
static int
take_offset(const char **text, int64_t *ms)
{
	int sign, hours, minutes;

	*ms = 0;
	if (take_char(text, 'Z') || take_char(text, 'z'))
		return 0;
	sign = **text == '-' ? -1 : 1;
	if ((!take_char(text, '+') && !take_char(text, '-')) || (hours = take_digits(text, 2, 23)) < 0 ||
	    !take_char(text, ':') || (minutes = take_digits(text, 2, 59)) < 0)
		return -1;
	*ms = sign * (hours * 60 + minutes) * 60 * SECOND_MS;
	return 0;
}

int
time_parse(const char *text, int64_t *ms)
{
	int64_t days, time, offset, result;
	bool is_leap_second;

	if (take_date(&text, &days) || (!take_char(&text, 'T') && !take_char(&text, 't')) ||
	    take_time(&text, &time, &is_leap_second) || take_offset(&text, &offset) || *text != '\0')
		return -1;
	result = days * DAY_MS + time - offset;
	if (result < 0 || result > YEAR_9999_END_MS)
		return -1;
	if (is_leap_second && result % DAY_MS != DAY_MS - 1) /* they come at 23:59:60 UTC only */
		return -1;
	*ms = result;
	return 0;
}
