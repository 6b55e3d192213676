#ifndef CORE_ORPHAN_H
#define CORE_ORPHAN_H

#include <stdint.h>

/* Uploads that are in no proof a week later, and are not still needed (sql/functions/upload.sql). */

struct db;
struct error;
struct job;
struct worker;

/*
 * The sweeper's part: what is due is put off by a day, or is nobody's from now on and left to the worker.  One batch a sweep.
 * *count: how many are to go.  0, or -1: database away.
 */
int orphan_sweep(struct db *db, int64_t now_ms, int64_t *count, struct error *err);

/* The worker's part, jobs of kind "discard": the files, then the row.  Both may be repeated; the first failure ends a run. */
int orphan_run(struct worker *worker, const struct job *job);

#endif
