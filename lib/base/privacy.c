/* Keeping secrets in memory; see the header.  What each program may know at all is base/config.c's table. */
#include "base/privacy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A kernel that pipes cores to a program ignores the limit, but not this.  The search for leaks at the end of a program
 * built for it is made by a process that attaches to it. */
static int
end_dumps(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0;
#else
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int
privacy_begin(void)
{
	static const struct rlimit none; /* the hard one too: nothing that runs in this process can raise it again */

	if (setrlimit(RLIMIT_CORE, &none) == 0 && end_dumps() == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return 0;
	fprintf(stderr, "humanops: core dumps cannot be switched off: %s\n", strerror(errno));
	return -1;
}
