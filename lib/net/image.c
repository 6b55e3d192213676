/*
 * Pictures, as the serving processes see them: what type a file is, and the program `imager` that does the
 * dangerous part.  How it limits itself is in fcgi/imager.c, how it decodes in net/picture.c; here it is
 * started with nothing but the two files, waited for, ended when its time is over, and not believed more than
 * necessary.
 */
#include "net/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "base/text.h"
#include "net/picture.h"

enum { WAIT_MS = 20000 }; /* more than its limit of processor time; less than a web server waits */

static const struct {
	const char *mime, *suffix;
} types[] = {
	[IMAGE_NONE] = { "application/octet-stream", "bin" },
	[IMAGE_JPEG] = { "image/jpeg", "jpg" },
	[IMAGE_PNG] = { "image/png", "png" },
	[IMAGE_WEBP] = { "image/webp", "webp" },
	[IMAGE_HEIC] = { "image/heic", "heic" },
	[IMAGE_PDF] = { "application/pdf", "pdf" },
};

/* HEIF files with HEVC stills name one of these among their brands (ISO/IEC 23008-12, annex B). */
static bool
is_heic(const uint8_t *head, size_t len)
{
	static const char *const brands[] = { "heic", "heix", "heim", "heis" };
	size_t box = len < 16 ? 0 : (size_t)head[2] << 8 | head[3];

	if (len < 16 || head[0] != 0 || head[1] != 0 || memcmp(head + 4, "ftyp", 4) != 0)
		return false;
	for (size_t at = 8; at + 4 <= len && at + 4 <= box; at += at == 8 ? 8 : 4) {
		for (size_t i = 0; i < nitems(brands); i++) {
			if (memcmp(head + at, brands[i], 4) == 0)
				return true;
		}
	}
	return false;
}

enum image_type
image_type_of(const void *head, size_t len)
{
	const uint8_t *bytes = head;

	len = len < IMAGE_HEAD ? len : IMAGE_HEAD;
	if (len >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
		return IMAGE_JPEG;
	if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
		return IMAGE_PNG;
	if (len >= 16 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBPVP8", 7) == 0)
		return IMAGE_WEBP;
	if (len >= 5 && memcmp(bytes, "%PDF-", 5) == 0)
		return IMAGE_PDF;
	return is_heic(bytes, len) ? IMAGE_HEIC : IMAGE_NONE;
}

enum image_type
image_type_of_file(int fd)
{
	uint8_t head[IMAGE_HEAD];
	ssize_t len = pread(fd, head, sizeof(head), 0);

	return image_type_of(head, len > 0 ? (size_t)len : 0);
}

const char *
image_type_mime(enum image_type type)
{
	return types[type].mime;
}

const char *
image_type_suffix(enum image_type type)
{
	return types[type].suffix;
}

int
image_distance(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b);
}

/* The program, beside the running one.  A running program that was replaced shows as "… (deleted)"; its
 * folder stays. */
static int
imager_path(char path[PATH_MAX])
{
	static const char name[] = "imager";
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash + 1 - path) + sizeof(name) > PATH_MAX)
		return -1;
	memcpy(slash + 1, name, sizeof(name));
	return 0;
}

/*
 * Starts it: the original is its standard input, `report` its standard output, `served` descriptor 3; no
 * other is open and no variable is set.  Signals are as a program expects them.  0, or an errno.
 */
static int
start(const char *path, int original, int served, int report, pid_t *pid)
{
	static char name[] = "imager";
	char *const argv[] = { name, NULL }, *const none[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, empty;
	int rc;

	sigfillset(&all);
	sigemptyset(&empty);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &empty);
	/* The three are above 3, so that none is overwritten before it is copied (above_standard). */
	posix_spawn_file_actions_adddup2(&files, original, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, report, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, served, 3);
	posix_spawn_file_actions_addclosefrom_np(&files, 4);
	rc = posix_spawn(pid, path, &files, &attributes, argv, none);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

/* Waits for the whole report, or for the end of it, until the time is over.  True if all of it came. */
static bool
hear(int fd, struct picture_report *report)
{
	int64_t end_ms = now_monotonic_ms() + WAIT_MS, left_ms;
	size_t got = 0;

	while (got < sizeof(*report) && (left_ms = end_ms - now_monotonic_ms()) > 0) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&waiting, 1, (int)left_ms) <= 0)
			continue; /* a signal, or the end of the time */
		n = read(fd, (char *)report + got, sizeof(*report) - got);
		if (n == 0)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	return got == sizeof(*report);
}

/* Ends it, wherever it is; true if it had ended well by itself. */
static bool
finish(pid_t pid, bool is_heard)
{
	int status = 0;
	pid_t got;

	if (!is_heard)
		kill(pid, SIGKILL);
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	log_text(LOG_LEVEL_WARNING, "imager_failed", "%s %d", WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

/* A report is another process's word, and that process may have been led astray: only sense is taken over. */
static bool
makes_sense(const struct picture_report *report)
{
	const struct image *image = &report->image;
	const struct image_taken *taken = &image->taken;
	size_t len = strnlen(taken->camera, sizeof(taken->camera));

	if (report->version != PICTURE_VERSION || image->width < 1 || image->width > IMAGE_SIDE_MAX ||
	    image->height < 1 || image->height > IMAGE_SIDE_MAX || len == sizeof(taken->camera))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (taken->camera[i] < ' ' || taken->camera[i] > '~')
			return false;
	}
	return !taken->has_position || (fabs(taken->lat) <= 90 && fabs(taken->lng) <= 180);
}

/* A copy of the descriptor above those that the child has its own in; closed on exec. */
static int
above_standard(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 4);
}

/* Starts the program on copies of the descriptors and hears its report.  0, or the errno for which it did not start. */
static int
ask(const char *path, int original, int served, struct picture_report *report, bool *is_heard)
{
	int ends[2], fds[3], rc = 0;
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	fds[0] = above_standard(original);
	fds[1] = above_standard(served);
	fds[2] = above_standard(ends[1]);
	close(ends[1]);
	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0)
		rc = EMFILE;
	else
		rc = start(path, fds[0], fds[1], fds[2], &pid);
	for (size_t i = 0; i < nitems(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (rc == 0) {
		bool is_whole = hear(ends[0], report);

		*is_heard = finish(pid, is_whole) && is_whole;
	}
	close(ends[0]);
	return rc;
}

int
image_convert(const char *imager, int original, int served, struct image *image, struct error *err)
{
	struct picture_report report = { 0 };
	bool is_heard = false;
	char path[PATH_MAX];
	int rc;

	if (imager == NULL && imager_path(path))
		return error_internal(err, "the folder of this program is not known");
	rc = ask(imager != NULL ? imager : path, original, served, &report, &is_heard);
	if (rc != 0)
		return error_internal(err, "imager does not start: %s", strerror(rc));
	if (!is_heard || report.is_refused != 0 || !makes_sense(&report))
		return error_set(err, ERR_image_invalid);
	*image = report.image;
	return 0;
}
