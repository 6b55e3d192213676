#ifndef UNIT_CAPTURE_H
#define UNIT_CAPTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a unit writes to standard error between capture_begin and capture_end, in a buffer that the next one
 * reuses. */
static int capture_file = -1, capture_stderr = -1;
static char capture_text[65536];

static inline void
capture_begin(void)
{
	char path[] = "/tmp/unit-XXXXXX";

	capture_file = mkstemp(path);
	unlink(path);
	capture_stderr = dup(STDERR_FILENO);
	if (capture_file < 0 || capture_stderr < 0 || dup2(capture_file, STDERR_FILENO) < 0)
		abort();
}

static inline const char *
capture_end(void)
{
	ssize_t len;

	fflush(stderr);
	len = pread(capture_file, capture_text, sizeof(capture_text) - 1, 0);
	capture_text[len < 0 ? 0 : len] = '\0';
	if (dup2(capture_stderr, STDERR_FILENO) < 0)
		abort();
	close(capture_stderr);
	close(capture_file);
	return capture_text;
}

#endif
