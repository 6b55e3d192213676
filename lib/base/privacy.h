#ifndef BASE_PRIVACY_H
#define BASE_PRIVACY_H

/*
 * From here on what this process holds in memory stays there: it leaves no core dump, whatever ends it and whatever limit its
 * starter had set, and no process of the same user can read its memory, its environment or its open files, or attach a
 * debugger (Linux then gives /proc/PID to root).  It and what it starts gain no rights by starting another program.
 * Children inherit all of this; a new program begins anew.  To be called before the first secret is read.
 * 0, or -1 with the reason said to standard error.
 */
int privacy_begin(void);

#endif
