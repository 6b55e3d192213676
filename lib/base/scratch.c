/*
 * Nameless files.  They have a name for the moment between two system calls, since not every file system
 * knows O_TMPFILE; what a program killed in that moment leaves is empty.
 */
#include "base/scratch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#include "base/error.h"

int
scratch_open(const char *folder, struct error *err)
{
	char *path = talloc_asprintf(NULL, "%s/XXXXXX", folder);
	int fd, failure;

	assert(path != NULL);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
		talloc_free(path);
		return error_internal(err, "%s cannot be made: %s", folder, strerror(errno));
	}
	fd = mkostemp(path, O_CLOEXEC); /* 0600 */
	failure = errno;
	if (fd >= 0)
		unlink(path);
	talloc_free(path);
	if (fd < 0 && failure == ENOSPC)
		return error_unavailable(err, 60, "%s is full", folder);
	return fd >= 0 ? fd : error_internal(err, "no file in %s: %s", folder, strerror(failure));
}
