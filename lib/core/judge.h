#ifndef CORE_JUDGE_H
#define CORE_JUDGE_H

/* The Guardian's work on a submitted proof: the worker's job between a submission and its verdict (spec 4, 7). */

struct job;
struct worker;

/* The job "guardian".  And its end when every attempt died. */
int judge_run(struct worker *worker, const struct job *job);
void judge_give_up(struct worker *worker, const struct job *job);

#endif
