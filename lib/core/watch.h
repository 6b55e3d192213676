#ifndef CORE_WATCH_H
#define CORE_WATCH_H

/*
 * The watch over the chain (spec 6): finds deposits that nobody names, credits what has its confirmations, looks
 * after each deposit until its block is final, and takes back what vanished.
 */

struct error;
struct job;
struct worker;

/* The chain's row and its one job, unless they are there; told by every worker that starts.  Without a chain nothing. */
int watch_begin(struct worker *worker, struct error *err);

/*
 * The job "chain" (core/job.h): one look; the same job looks again soon.  Bears a repeat, an end at any point, and
 * two at once.
 */
int watch_run(struct worker *worker, const struct job *job);

/* However many looks have died: the watch goes on. */
void watch_give_up(struct worker *worker, const struct job *job);

#endif
