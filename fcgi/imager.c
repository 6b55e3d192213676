/*
 * imager: decodes one picture from standard input (a file) and writes it anew to descriptor 3, a report about
 * it (net/picture.h) to standard output, then exits.  Started by net/image.c with no other descriptor and no
 * variable. Before it looks at the first byte it takes from itself what a hostile picture could use: memory,
 * time, output, further descriptors (so no files, no sockets), core dumps, new rights.  It ends with the
 * program that started it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "net/picture.h"

enum { SERVED = 3, MEMORY = 768 * 1024 * 1024, SECONDS = 15, OUTPUT = 64 * 1024 * 1024 };

static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
#ifndef __SANITIZE_ADDRESS__ /* its shadow alone is larger than that */
	{ RLIMIT_AS, MEMORY },
#endif
	{ RLIMIT_CPU, SECONDS },
	{ RLIMIT_FSIZE, OUTPUT },
	{ RLIMIT_CORE, 0 },
	{ RLIMIT_NOFILE, SERVED + 1 },
};

static int
limit(void)
{
	for (size_t i = 0; i < nitems(limits); i++) {
		struct rlimit both = { limits[i].limit, limits[i].limit };

		if (setrlimit((__rlimit_resource_t)limits[i].resource, &both) != 0)
			return -1;
	}
	return prctl(PR_SET_PDEATHSIG, SIGKILL) | prctl(PR_SET_DUMPABLE, 0) | prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Without the clean-up of exit(): all goes with the process anyway, and less of a stranger's doing runs. */
int
main(void)
{
	struct picture_report report = { .version = PICTURE_VERSION };
	FILE *served = fdopen(SERVED, "w");
	struct stat st;
	void *data;

	if (served == NULL || limit() != 0 || fstat(STDIN_FILENO, &st) != 0 || st.st_size == 0)
		_exit(EXIT_FAILURE);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
	if (data == MAP_FAILED || ftruncate(SERVED, 0) != 0 || fseek(served, 0, SEEK_SET) != 0)
		_exit(EXIT_FAILURE);
	report.is_refused = picture_convert(data, (size_t)st.st_size, served, &report.image) != 0;
	_exit(write(STDOUT_FILENO, &report, sizeof(report)) == (ssize_t)sizeof(report) ? EXIT_SUCCESS : EXIT_FAILURE);
}
