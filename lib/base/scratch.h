#ifndef BASE_SCRATCH_H
#define BASE_SCRATCH_H

/* Files that nobody else sees: for bytes on their way that are too many for memory.  The last close ends
 * them. */

struct error;

/*
 * A new, empty, nameless file of mode 0600, to read and write, closed on exec.  The folder is made with mode
 * 0700 if it is missing (its parent must be there).  -1 with ERR_internal, or ERR_unavailable for a full
 * disk.
 */
int scratch_open(const char *folder, struct error *err);

#endif
