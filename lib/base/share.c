/*
 * Who may open what the programs leave to each other.  The folder decides: made by whoever installs, it is setgid where each
 * program has a user of its own, and is not where one user runs them all, who shares with nobody.
 */
#include "base/share.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>

mode_t
share_mode(const char *path, mode_t own)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char *folder = talloc_strndup(NULL, slash == NULL ? "." : path, slash == NULL ? 1 : len);
	struct stat st;
	bool is_shared;

	assert(folder != NULL);
	is_shared = stat(folder, &st) == 0 && (st.st_mode & S_ISGID) != 0;
	talloc_free(folder);
	return is_shared ? own | (own & S_IRWXU) >> 3 : own;
}
