/*
 * A mapped file, and how it comes to be there whole and once while several programs start at the same time; see mapped.h.
 * What lies in it is its users'.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>
#include "base/crypto.h"
#include "base/error.h"
#include "base/mapped.h"
#include "base/share.h"
#include "base/text.h"

enum { TRIES = 100 };

/* The kind of file that is wanted. */
struct wanted {
	const char *path;
	char mark[MAPPED_MARK];
	size_t size;
};

/* Writes a fresh one to a file of its own; its random name is left in `name`. */
static int
make_file(const struct wanted *wanted, char **name, struct error *err)
{
	struct mapped_head head = { 0 };
	char hex[2 * sizeof(uint64_t) + 1];
	uint8_t random[sizeof(uint64_t)];
	int fd, rc = -1;

	crypto_random(random, sizeof random);
	crypto_random(head.key, sizeof head.key);
	memcpy(head.mark, wanted->mark, MAPPED_MARK);
	text_hex(random, sizeof random, hex);
	*name = talloc_asprintf(NULL, "%s.%s", wanted->path, hex);
	assert(*name != NULL);
	fd = open(*name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, share_mode(wanted->path, 0600));
	if (fd < 0 || ftruncate(fd, (off_t)wanted->size) != 0 ||
	    pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head) {
		error_internal(err, "%s: %s", *name, strerror(errno));
		unlink(*name);
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	if (rc != 0)
		TALLOC_FREE(*name);
	crypto_wipe(&head, sizeof head);
	return rc;
}

/* Puts a fresh one where there is none; that another program was faster is as good. */
static int
create(const struct wanted *wanted, struct error *err)
{
	char *name = NULL;
	int rc = 0;

	if (make_file(wanted, &name, err))
		return -1;
	if (link(name, wanted->path) != 0 && errno != EEXIST)
		rc = error_internal(err, "%s: %s", wanted->path, strerror(errno));
	unlink(name);
	talloc_free(name);
	return rc;
}

/* Puts a fresh one in the place of a file that is none.  The lock on the bad file lets one program do it, once. */
static int
replace(const struct wanted *wanted, int bad, struct error *err)
{
	struct stat here, there;
	char *name = NULL;
	int rc = 0;

	if (flock(bad, LOCK_EX) != 0 || fstat(bad, &here) != 0)
		return error_internal(err, "%s: %s", wanted->path, strerror(errno));
	if (stat(wanted->path, &there) != 0 || here.st_ino != there.st_ino || here.st_dev != there.st_dev)
		return 0; /* done by another */
	if (make_file(wanted, &name, err))
		return -1;
	if (rename(name, wanted->path) != 0) {
		rc = error_internal(err, "%s: %s", wanted->path, strerror(errno));
		unlink(name);
	}
	talloc_free(name);
	return rc;
}

/* What an open file holds, or NULL if it is of another kind. */
static void *
map(const struct wanted *wanted, int fd)
{
	struct mapped_head *head;
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)wanted->size)
		return NULL;
	head = mmap(NULL, wanted->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED)
		return NULL;
	if (memcmp(head->mark, wanted->mark, MAPPED_MARK) != 0) {
		munmap(head, wanted->size);
		return NULL;
	}
	return head;
}

void *
mapped_open(const char *path, const char *mark, size_t size, struct error *err)
{
	struct wanted wanted = { .path = path, .size = size };
	void *mapped = NULL;
	int fd, rc = 0;

	assert(strlen(mark) < MAPPED_MARK && size >= sizeof(struct mapped_head));
	memcpy(wanted.mark, mark, strlen(mark));
	for (int i = 0; i < TRIES && mapped == NULL && rc == 0; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT) {
			rc = create(&wanted, err);
		} else if (fd < 0) {
			rc = error_internal(err, "%s: %s", path, strerror(errno));
		} else {
			mapped = map(&wanted, fd);
			if (mapped == NULL)
				rc = replace(&wanted, fd, err);
			close(fd);
		}
	}
	if (mapped == NULL && rc == 0)
		error_internal(err, "%s: cannot be mapped", path);
	return mapped;
}

void
mapped_close(void *mapped, size_t size)
{
	if (mapped != NULL)
		munmap(mapped, size);
}
