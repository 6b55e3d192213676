/*
 * Proof files: on this host's disk, or in an S3-compatible bucket by signed calls.  A file is there whole or
 * not at all. Whose it is, and who may read it, is the database's and the handlers' business; here is only
 * the link's signature.
 */
#include "net/storage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "base/scratch.h"
#include "base/share.h"
#include "base/text.h"
#include "net/fetch.h"

enum {
	NAME_LENGTH = STORAGE_NAME_SIZE - 1,
	FILE_MAX = 64 * 1024 * 1024, /* more than any file of ours has */
	COPY_STEP = 64 * 1024,
	CALL_MS = 20000,
	RETRY_S = 5,
};

struct storage {
	const struct config *config;
};

struct storage *
storage_open(const void *ctx, const struct config *config)
{
	struct storage *storage = talloc_zero(ctx, struct storage);

	assert(storage != NULL);
	storage->config = config;
	return storage;
}

void
storage_name(char out[STORAGE_NAME_SIZE])
{
	uint8_t bytes[NAME_LENGTH / 2];

	crypto_random(bytes, sizeof(bytes));
	text_hex(bytes, sizeof(bytes), out);
}

bool
storage_name_ok(const char *name)
{
	return strlen(name) == NAME_LENGTH && strspn(name, "0123456789abcdef") == NAME_LENGTH;
}

/* --- This host's disk: two levels of folders, by the name's first letters --- */

/* upload_dir/ab/cd, and behind it "/name" and a suffix where a name is given. */
static char *
disk_path(const struct storage *storage, const void *ctx, const char *name, const char *suffix)
{
	char *path =
	    talloc_asprintf(ctx, "%s/%.2s/%.2s/%s%s", storage->config->upload_dir, name, name + 2, name, suffix);

	assert(path != NULL);
	return path;
}

/* Writes what a folder lists to disk. */
static int
sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Makes the missing ones of the folders above a file, from upload_dir down. */
static int
make_folders(const struct storage *storage, char *path)
{
	char *slash = path + strlen(storage->config->upload_dir), *above;

	do {
		*slash = '\0';
		if (mkdir(path, share_mode(path, 0700)) == 0) {
			above = strrchr(path, '/');
			*above = '\0';
			if (sync_folder(*path != '\0' ? path : "/") != 0)
				return -1;
			*above = '/';
		} else if (errno != EEXIST) {
			return -1;
		}
		*slash = '/';
		slash = strchr(slash + 1, '/');
	} while (slash != NULL);
	return 0;
}

static int
copy_bytes(int from, int to)
{
	char buf[COPY_STEP];
	off_t at = 0;

	for (;;) {
		ssize_t got = pread(from, buf, sizeof(buf), at), put = 0;

		if (got <= 0)
			return (int)got;
		while (put < got) {
			ssize_t n = write(to, buf + put, (size_t)(got - put));

			if (n < 0)
				return -1;
			put += n;
		}
		at += got;
	}
}

/* The new file under its own name, then, once its bytes are safe, under the right one. */
static int
disk_write(int fd, const char *part, const char *path)
{
	int to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, share_mode(part, 0600)), rc;

	if (to < 0)
		return -1;
	rc = copy_bytes(fd, to) != 0 || fsync(to) != 0 ? -1 : 0;
	if (close(to) != 0 || rc != 0 || rename(part, path) != 0) {
		int failure = errno;

		unlink(part);
		errno = failure;
		return -1;
	}
	return 0;
}

static int
disk_put(struct storage *storage, const char *name, int fd, struct error *err)
{
	void *scratch = talloc_new(NULL);
	char *path = disk_path(storage, scratch, name, ""), *part = disk_path(storage, scratch, name, ".part");
	int rc = make_folders(storage, path) != 0 || disk_write(fd, part, path) != 0 ? -1 : 0, failure = errno;

	if (rc == 0) {
		*strrchr(path, '/') = '\0';
		rc = sync_folder(path);
		failure = errno;
	}
	talloc_free(scratch);
	if (rc == 0)
		return 0;
	if (failure == ENOSPC || failure == EDQUOT)
		return error_unavailable(err, 60, "the folder of uploads is full");
	return error_internal(err, "a file cannot be stored: %s", strerror(failure));
}

static int
disk_get(struct storage *storage, const char *name, int64_t *size, struct error *err)
{
	char *path = disk_path(storage, NULL, name, "");
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), failure = errno;
	struct stat st;

	talloc_free(path);
	if (fd < 0)
		return failure == ENOENT ? error_set(err, ERR_not_found)
					 : error_internal(err, "a stored file cannot be read: %s", strerror(failure));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_internal(err, "a stored file is none");
	}
	*size = st.st_size;
	return fd;
}

static int
disk_delete(struct storage *storage, const char *name, struct error *err)
{
	char *path = disk_path(storage, NULL, name, "");
	int rc = unlink(path), failure = errno;

	talloc_free(path);
	return rc == 0 || failure == ENOENT
		   ? 0
		   : error_internal(err, "a stored file cannot be removed: %s", strerror(failure));
}

/* --- A bucket --- */

/* One call about an object, with at most one header of its own.  The answer's status, or -1 if there is none. */
static int
bucket_call(struct storage *storage, const struct fetch *call, const char *name, int64_t *len, struct error *err)
{
	const struct config *config = storage->config;
	const struct fetch_key key = { config->r2_region, config->r2_access_key_id, config->r2_secret_access_key };
	char hex[2 * SHA256_SIZE + 1], hash[128];
	const char *headers[] = { hash, call->headers != NULL ? call->headers[0] : NULL, NULL };
	void *scratch = talloc_new(NULL);
	struct fetch fetch = *call;
	struct fetch_answer answer;
	uint8_t sha[SHA256_SIZE];
	int status;

	crypto_sha256(call->body_len > 0 ? call->body : "", call->body_len, sha);
	text_hex(sha, sizeof(sha), hex);
	snprintf(hash, sizeof(hash), "x-amz-content-sha256: %s", hex);
	fetch.url = talloc_asprintf(scratch, "%s/%s/%s", config->r2_endpoint, config->r2_bucket, name);
	assert(fetch.url != NULL);
	fetch.headers = headers;
	fetch.timeout_ms = CALL_MS;
	fetch.flags = FETCH_ALLOW_HTTP | FETCH_ALLOW_PRIVATE; /* the settings decide where it is */
	fetch.key = &key;
	if (fetch.answer_max == 0)
		fetch.answer_max = COPY_STEP;
	fetch_run(scratch, &fetch, &answer);
	if (len != NULL)
		*len = (int64_t)answer.body_len;
	status = answer.status;
	if (status == 0 || status >= 500 || status == 429 || answer.is_cut)
		status =
		    error_unavailable(err, RETRY_S, "the store of proof files: status %d, %s", status, answer.problem);
	talloc_free(scratch);
	return status;
}

static int
bucket_put(struct storage *storage, const char *name, int fd, const char *mime, struct error *err)
{
	struct fetch fetch = { .method = "PUT" };
	const char *headers[] = { NULL, NULL };
	char type[128];
	struct stat st;
	void *bytes;
	int status;

	snprintf(type, sizeof(type), "Content-Type: %s", mime);
	headers[0] = type;
	fetch.headers = headers;
	if (fstat(fd, &st) != 0 || st.st_size == 0 ||
	    (bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		return error_internal(err, "a file to be stored cannot be read");
	fetch.body = bytes;
	fetch.body_len = (size_t)st.st_size;
	status = bucket_call(storage, &fetch, name, NULL, err);
	munmap(bytes, (size_t)st.st_size);
	if (status < 0 || status == 200 || status == 201 || status == 204)
		return status < 0 ? -1 : 0;
	return error_internal(err, "the store of proof files refuses a file with status %d", status);
}

static int
bucket_get(struct storage *storage, const char *name, int64_t *size, struct error *err)
{
	int fd = scratch_open(storage->config->scratch_dir, err), status;
	struct fetch fetch = { .method = "GET", .answer_max = FILE_MAX, .answer_fd = fd };

	if (fd < 0)
		return -1;
	status = bucket_call(storage, &fetch, name, size, err);
	if (status == 200 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	if (status < 0)
		return -1;
	return status == 404 ? error_set(err, ERR_not_found)
			     : error_internal(err, "the store of proof files answers %d", status);
}

static int
bucket_delete(struct storage *storage, const char *name, struct error *err)
{
	struct fetch fetch = { .method = "DELETE" };
	int status = bucket_call(storage, &fetch, name, NULL, err);

	if (status < 0 || status == 200 || status == 204 || status == 404)
		return status < 0 ? -1 : 0;
	return error_internal(err, "the store of proof files removes nothing: status %d", status);
}

/* --- Both --- */

int
storage_put(struct storage *storage, const char *name, int fd, const char *mime, struct error *err)
{
	assert(storage_name_ok(name));
	return storage->config->r2_endpoint != NULL ? bucket_put(storage, name, fd, mime, err)
						    : disk_put(storage, name, fd, err);
}

int
storage_get(struct storage *storage, const char *name, int64_t *size, struct error *err)
{
	if (!storage_name_ok(name))
		return error_set(err, ERR_not_found);
	return storage->config->r2_endpoint != NULL ? bucket_get(storage, name, size, err)
						    : disk_get(storage, name, size, err);
}

int
storage_delete(struct storage *storage, const char *name, struct error *err)
{
	if (!storage_name_ok(name))
		return 0;
	return storage->config->r2_endpoint != NULL ? bucket_delete(storage, name, err)
						    : disk_delete(storage, name, err);
}

/* --- Links --- */

/* What is signed begins with what it is for: the same key serves other ends. */
static void
sign(const char *name, int64_t expires_s, const uint8_t key[SEAL_KEY_SIZE], char out[2 * SHA256_SIZE + 1])
{
	char text[STORAGE_NAME_SIZE + 64];
	uint8_t mac[SHA256_SIZE];
	int len = snprintf(text, sizeof(text), "humanops/file/v1\n%s\n%" PRId64, name, expires_s);

	assert(len > 0 && (size_t)len < sizeof(text));
	crypto_hmac_sha256(key, SEAL_KEY_SIZE, text, (size_t)len, mac);
	text_hex(mac, sizeof(mac), out);
}

char *
storage_link(
    const void *ctx, const char *base_url, const char *name, int64_t expires_s, const uint8_t key[SEAL_KEY_SIZE])
{
	char signature[2 * SHA256_SIZE + 1], *link;

	assert(storage_name_ok(name));
	sign(name, expires_s, key, signature);
	link = talloc_asprintf(
	    ctx, "%s/api/v1/files/%s?expires=%" PRId64 "&signature=%s", base_url, name, expires_s, signature);
	assert(link != NULL);
	return link;
}

bool
storage_link_ok(
    const char *name, int64_t expires_s, const char *signature, int64_t now_ms, const uint8_t key[SEAL_KEY_SIZE])
{
	char right[2 * SHA256_SIZE + 1];

	if (!storage_name_ok(name) || strlen(signature) != sizeof(right) - 1)
		return false;
	sign(name, expires_s, key, right);
	return crypto_equal(right, signature, sizeof(right) - 1) && now_ms / 1000 < expires_s;
}
