#ifndef BASE_COUNT_H
#define BASE_COUNT_H

#include <stdint.h>
#include <stdio.h>

/*
 * Counters that the programs of a host share through a mapped file (base/mapped.h), for GET /metrics.  Lock-free; a program
 * that is killed at any point leaves them usable and loses at most the count in hand.  Bounded: what finds no room is counted as such.
 * They begin anew with the file, as after a restart of the host.
 */

struct error;

enum count_name {
#define COUNT(name, metric, type, labels, help) COUNT_##name,
#include "base/counts.def"
#undef COUNT
	COUNT_count
};

/* The values of a count's labels, in the order of counts.def; texts of ours, without quotes, backslashes and control characters. */
#define COUNT_LABELS(...) \
	(const char *const[]) \
	{ \
		__VA_ARGS__ \
	}

/*
 * From now on this process counts under the program's name, which must outlive it, in a file of the folder (RUN_DIR) that
 * is made when missing.  As the log, it is opened once by each process.  0, or -1 with the error.  Until then, and
 * after count_close, nothing is counted.
 */
int count_open(const char *folder, const char *program, struct error *err);
void count_close(void);

/* n more; 0: none yet, but the series is there, so that its first is seen as a rise.  labels: NULL if the count has none. */
void count_add(enum count_name name, uint64_t n, const char *const *labels);

/* One more that took so many milliseconds; for a HISTOGRAM. */
void count_time(enum count_name name, int64_t ms, const char *const *labels);

/* All of them, of every program, as Prometheus reads it (text format 0.0.4). */
void count_print(FILE *out);

#endif
