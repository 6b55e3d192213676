#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stddef.h>
#include <stdint.h>

/*
 * The one clock: milliseconds since 1970, UTC.  In development it may run ahead by an offset that all
 * programs of a host share in a small mapped file (spec 3, POST /admin/clock); a test may set it outright.
 */

struct error;

enum { TIME_TEXT_SIZE = 32 }; /* room for any time_print */

/* Shares the offset kept in the file, made for our user (or group: base/share.h) when missing.  Development only. */
int now_open(const char *path, struct error *err);

int64_t now_ms(void);

/* Moves the shared clock forward for every program that opened the same file; returns the new offset. */
int64_t now_advance(int64_t ms);

/* Tests: the clock stands at ms from now on; a negative value lets it run again. */
void now_set(int64_t ms);

/* Monotonic milliseconds, for durations; the offset does not touch it. */
int64_t now_monotonic_ms(void);

/*
 * time_print: RFC 3339 in UTC with milliseconds, "2026-02-05T12:00:00.000Z", for years 0000 to 9999.
 * time_parse: RFC 3339 with any offset and fraction (digits past the millisecond are cut); 0, or -1 if it is
 * none, the day does not exist, or the year lies outside 1970 to 9999.  A leap second (:60) is taken as
 * :59.999.
 */
void time_print(int64_t ms, char out[TIME_TEXT_SIZE]);
int time_parse(const char *text, int64_t *ms);

#endif
