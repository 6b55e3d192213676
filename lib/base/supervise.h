#ifndef BASE_SUPERVISE_H
#define BASE_SUPERVISE_H

#include <stdbool.h>

/*
 * Keeps a number of like children running.  One that dies is replaced, after 100 ms at first and up to 5 s if
 * it keeps dying.  A child gets TERM when its supervisor dies.  Signals to the supervisor:
 * - TERM, INT: each child gets TERM and 25 s (or stop_ms) to finish, then KILL.
 * - HUP: runs `argv[0] --check`; if that exits with 0 the process executes itself anew (same pid, same fd),
 * starts new children, and only then sends TERM to the old ones.  Otherwise all stays as it is.
 */

struct supervise {
	const char *name;  /* for the log; static */
	char *const *argv; /* main's; argv[0] is looked up once, at the start */
	int workers;
	int fd;				    /* stays open when the program is renewed; -1: none */
	int (*child)(void *arg, int index); /* runs in the child, signals as after supervise_catch() */
	void *arg;
	int stop_ms; /* from TERM to KILL; 0: 25 s */
};

/*
 * Returns the exit status for main: in the supervisor when all children are gone, in a child what `child`
 * returned.  Both come back this way, so that both release what they hold.
 */
int supervise_run(const struct supervise *supervise);

/* The fd that the program's earlier image left open for this one; -1: there is none.  Call before
 * supervise_run. */
int supervise_inherited_fd(void);

/* From now on TERM and INT end nothing; they interrupt what waits and are remembered (by the one variable
 * that the signal handler sets).  True once one has come, also while it is still blocked. */
void supervise_catch(void);
bool supervise_stopping(void);

#endif
