#ifndef HTTP_WINDOW_H
#define HTTP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Rate windows (spec 3): fixed windows for each client address and path, counted in memory that the programs
 * of a host share through a mapped file.  Lock-free; a program killed at any point leaves it usable.  Keys
 * are hashed with a random key kept in the file, so that nobody can aim at another's slot.  A full set of
 * slots gives up its least used entry: memory is bounded, and the error is on the side of letting a request
 * pass.  An IPv6 address counts as its /64 network, since one customer has at least that many; an IPv4
 * address mapped into IPv6 counts as itself.
 */

struct error;
struct window_table;

struct window_limit {
	int count;   /* requests, below 65,535 … */
	int seconds; /* … in each window of this length (to a day), aligned to the epoch */
};

struct window_state {
	bool is_refused;
	int limit, remaining, reset_s; /* reset_s: seconds to the end of the window, at least 1 */
};

/* Maps the file, made for our user (or group: base/share.h) when missing or of another layout.  NULL on failure. */
struct window_table *window_open(const char *path, struct error *err);
void window_close(struct window_table *table);

/* Counts a request.  Refused ones count too. */
struct window_state window_hit(
    struct window_table *table, const char *address, const char *path, struct window_limit limit, int64_t now_ms);

/* Forgets the windows that ended before now; for the sweeper.  Returns how many. */
int window_sweep(struct window_table *table, int64_t now_ms);

#endif
