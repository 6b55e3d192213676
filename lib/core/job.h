#ifndef CORE_JOB_H
#define CORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

/*
 * The queue (SQL functions job_…): take, finish, retry, give up.  A job runs at least once; whoever takes it has it for a lease,
 * then it is due again.  Its own effects must bear a repeat.
 */

struct config;
struct db;
struct eth_key;
struct json_object;
struct onchain;

struct job {
	struct id id, ref;
	const char *kind;
	struct json_object *payload;
	int attempts, max_attempts; /* attempts: 1 on the first run */
	int64_t created_ms;
};

/* What a job's handler works with. */
struct worker {
	struct db *db;
	const struct config *config;
	struct onchain *onchain;
	struct eth_key *payout_key; /* NULL: this worker signs no payout */
	int64_t now_ms;		    /* when the job was taken */
	int64_t alive_ms;	    /* monotonic: when it last told that it lives (job.c's own) */
};

struct job_kind {
	const char *name;
	int (*run)(struct worker *worker, const struct job *job); /* settles the job; -1: could not even do that */
	void (*give_up)(
	    struct worker *worker, const struct job *job); /* a job whose runs all died; NULL: dead letter */
	int lease_s;					   /* longer than any run, unless two at once do no harm */
	bool is_slow;					   /* waits for strangers: never on all workers at once */
};

/* Runs what is due of these kinds, one job a bucket in turn, until nothing is due or stop() says so.  Returns how many ran. */
int job_run_due(struct worker *worker, const struct job_kind *kinds, size_t count, bool (*stop)(void));

/* How a handler settles its job; each 0, or -1 (logged) if the database did not take it: the lease then gives it back. */
int job_finish(struct worker *worker, const struct job *job);
int job_retry(struct worker *worker, const struct job *job, const char *why); /* with back-off and jitter */
int job_give_up(struct worker *worker, const struct job *job, const char *why);
/* This step is done; the same job runs again then, and has used up no attempt. */
int job_next(struct worker *worker, const struct job *job, int64_t run_at_ms);

/* For a handler that settles its job by a function of its own: counts what came of it, "done", "retry" or "dead". */
void job_count(const struct job *job, const char *outcome);

/* delay_ms, lengthened at random by up to a tenth, so that what failed together does not come back together. */
int64_t job_jitter(int64_t delay_ms);

/* Tells the workers that something is due; a hint that may be lost. */
void job_wake(struct db *db);

#endif
