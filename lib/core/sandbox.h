#ifndef CORE_SANDBOX_H
#define CORE_SANDBOX_H

/* The simulated lifecycle (spec 4): every real state in seconds, and no person, no money. */

struct job;
struct worker;

/* The job "sandbox": the task's next move.  Scenarios: task_scenarios. */
int sandbox_run(struct worker *worker, const struct job *job);

/* The sentence that stands as sandbox_notice on an answer about a simulated task of this status ("EVENT": a webhook). */
const char *sandbox_notice(const char *status);

#endif
