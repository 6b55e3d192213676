#ifndef BASE_SHARE_H
#define BASE_SHARE_H

#include <sys/types.h>

/*
 * The mode of a file or folder that may be shared by programs which run as different users: `own` (0600, 0700), and as much for
 * the group where the folder that it comes into is setgid, which is how an installation says that they share it (docs/privileges.md).
 * The umask still counts.
 */
mode_t share_mode(const char *path, mode_t own);

#endif
