#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdio.h>

/* What monitoring reads (spec 3, /metrics): text format 0.0.4 of Prometheus. */

struct db;
struct onchain;

/*
 * Prints counters of the programs of this host (base/count.h), how much memory they take, and what the database knows of
 * queue, money, chain and regular checks.  A database that is away is one of the values, humanops_database_up 0, and then
 * its own are missing; nothing else fails.  No secrets, nobody's names or ids.
 */
void metrics_print(FILE *out, struct db *db, const struct onchain *onchain);

#endif
