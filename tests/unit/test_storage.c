/*
 * Proof files: on disk, and in a bucket of the tests' own store (tests/s3.mjs), which checks every signature;
 * links that expire.
 */
#include "net/storage.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include "base/config.h"
#include "base/error.h"
#include "capture.h"
#include "net/fetch.h"
#include "unit.h"

enum { LARGE = 15 * 1024 * 1024 };

static char folder[] = "/tmp/unit-storage-XXXXXX";
static char uploads[64], scratch[64], endpoint[64], key_id[64], secret[64], bucket[64], region[] = "auto";
static struct config disk_config = { .upload_dir = uploads, .scratch_dir = scratch };
static struct config bucket_config = { .scratch_dir = scratch,
	.r2_endpoint = endpoint,
	.r2_bucket = bucket,
	.r2_region = region,
	.r2_access_key_id = key_id,
	.r2_secret_access_key = secret };
static struct config *const both[] = { &disk_config, &bucket_config };
static pid_t store_pid;
static int store_input = -1;
static const char *program;

static int
file_of(const void *data, size_t len)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	return fd;
}

static char *
bytes_of(size_t len)
{
	char *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761U >> 24);
	return bytes;
}

/* Calls that fail log why; what they log is not part of a test's output. */
static enum error_code
get_code(struct storage *storage, const char *name)
{
	struct error err = { 0 };
	enum error_code code;
	int64_t size;
	int fd;

	capture_begin();
	fd = storage_get(storage, name, &size, &err);
	capture_end();
	code = err.code;
	assert_int_equal(fd >= 0, code == ERR_none);
	if (fd >= 0)
		close(fd);
	error_clear(&err);
	return code;
}

static void
what_is_stored_comes_back_and_is_gone_when_removed(void **state)
{
	static const size_t sizes[] = { 1, 65536, 1024 * 1024 + 1, LARGE };

	(void)state;
	for (size_t i = 0; i < 2 * nitems(sizes); i++) {
		struct storage *storage = storage_open(NULL, both[i % 2]);
		size_t len = sizes[i / 2];
		char *bytes = bytes_of(len), *back = malloc(len), name[STORAGE_NAME_SIZE];
		struct error err = { 0 };
		int fd = file_of(bytes, len);
		int64_t size = 0;

		storage_name(name);
		assert_int_equal(get_code(storage, name), ERR_not_found);
		assert_int_equal(storage_put(storage, name, fd, "image/jpeg", &err), 0);
		assert_int_equal(storage_put(storage, name, fd, "image/jpeg", &err), 0); /* again */
		close(fd);
		fd = storage_get(storage, name, &size, &err);
		assert_true(fd >= 0);
		assert_int_equal(size, len);
		assert_int_equal(read(fd, back, len), len);
		assert_memory_equal(back, bytes, len);
		close(fd);
		assert_int_equal(storage_delete(storage, name, &err), 0);
		assert_int_equal(storage_delete(storage, name, &err), 0);
		assert_int_equal(get_code(storage, name), ERR_not_found);
		free(bytes);
		free(back);
		talloc_free(storage);
	}
}

static void
names_are_random_and_only_such_are_looked_for(void **state)
{
	static const char *const wrong[] = { "", "..", "../../../../etc/passwd", "0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0", "0123456789ABCDEF0123456789ABCDEF",
		"0123456789abcdef/0123456789abcde", "0123456789abcdef0123456789abcde\n" };
	char a[STORAGE_NAME_SIZE], b[STORAGE_NAME_SIZE];

	(void)state;
	storage_name(a);
	storage_name(b);
	assert_true(storage_name_ok(a) && storage_name_ok(b));
	assert_string_not_equal(a, b);
	for (size_t i = 0; i < 2 * nitems(wrong); i++) {
		struct storage *storage = storage_open(NULL, both[i % 2]);

		assert_false(storage_name_ok(wrong[i / 2]));
		assert_int_equal(get_code(storage, wrong[i / 2]), ERR_not_found);
		talloc_free(storage);
	}
}

static void
a_file_on_disk_is_its_owners_alone_and_leaves_no_part(void **state)
{
	static const char name[] = "abcdef0123456789abcdef0123456789";
	struct storage *storage = storage_open(NULL, &disk_config);
	struct error err = { 0 };
	int fd = file_of("x", 1);
	char path[128];
	struct stat st;

	(void)state;
	assert_int_equal(storage_put(storage, name, fd, "image/jpeg", &err), 0);
	snprintf(path, sizeof(path), "%s/ab/cd/%s", uploads, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	strcat(path, ".part");
	assert_int_equal(stat(path, &st), -1);
	snprintf(path, sizeof(path), "%s/ab", uploads);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(fd);
	talloc_free(storage);
}

static void
a_disk_that_fails_is_our_fault(void **state)
{
	static char nowhere[] = "/proc/nowhere";
	struct config config = { .upload_dir = nowhere };
	struct storage *storage = storage_open(NULL, &config);
	struct error err = { 0 };
	int fd = file_of("x", 1);

	(void)state;
	capture_begin();
	assert_int_equal(storage_put(storage, "abcdef0123456789abcdef0123456789", fd, "image/jpeg", &err), -1);
	capture_end();
	assert_int_equal(err.code, ERR_internal);
	error_clear(&err);
	close(fd);
	talloc_free(storage);
}

/* A full disk, by the limit of this process on the size of files: no part of the file stays. */
static void
a_file_that_does_not_fit_is_not_there_at_all(void **state)
{
	static const char name[] = "fedcba9876543210fedcba9876543210";
	struct storage *storage = storage_open(NULL, &disk_config);
	struct rlimit old, low;
	struct error err = { 0 };
	char *bytes = bytes_of(100000), path[128];
	int fd = file_of(bytes, 100000), rc;
	struct stat st;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	low = (struct rlimit){ 70000, old.rlim_max };
	capture_begin();
	setrlimit(RLIMIT_FSIZE, &low);
	rc = storage_put(storage, name, fd, "image/jpeg", &err);
	setrlimit(RLIMIT_FSIZE, &old);
	capture_end();
	assert_int_equal(rc, -1);
	assert_int_equal(get_code(storage, name), ERR_not_found);
	snprintf(path, sizeof(path), "%s/fe/dc/%s.part", uploads, name);
	assert_int_equal(stat(path, &st), -1);
	error_clear(&err);
	close(fd);
	free(bytes);
	talloc_free(storage);
}

static void
a_store_that_refuses_is_our_fault_and_one_that_is_away_comes_back(void **state)
{
	static char wrong[] = "wrong", other[] = "other", away[] = "http://127.0.0.1:1";
	struct config configs[] = { bucket_config, bucket_config, bucket_config, bucket_config, bucket_config };
	static const enum error_code wants[] = { ERR_internal, ERR_internal, ERR_internal, ERR_internal,
		ERR_unavailable };

	(void)state;
	configs[0].r2_secret_access_key = wrong;
	configs[1].r2_access_key_id = wrong;
	configs[2].r2_region = other;
	configs[3].r2_bucket = other;
	configs[4].r2_endpoint = away;
	for (size_t i = 0; i < nitems(configs); i++) {
		struct storage *storage = storage_open(NULL, &configs[i]);
		char name[STORAGE_NAME_SIZE];
		struct error err = { 0 };
		int fd = file_of("x", 1);
		const char *said;

		storage_name(name);
		capture_begin();
		assert_int_equal(storage_put(storage, name, fd, "image/jpeg", &err), -1);
		said = capture_end();
		assert_int_equal(err.code, wants[i]);
		assert_null(strstr(said, secret));
		assert_int_equal(err.retry_after_s > 0, err.code == ERR_unavailable);
		error_clear(&err);
		close(fd);
		talloc_free(storage);
	}
}

static void
a_link_works_until_its_time_and_for_nothing_else(void **state)
{
	static const uint8_t key[SEAL_KEY_SIZE] = { 1 }, other[SEAL_KEY_SIZE] = { 2 };
	static const char name[] = "0123456789abcdef0123456789abcdef";
	char *link = storage_link(NULL, "https://a.example", name, 2000, key), signature[65];
	const char *at = strstr(link, "&signature=");

	(void)state;
	assert_non_null(at);
	assert_memory_equal(link, "https://a.example/api/v1/files/0123456789abcdef0123456789abcdef?expires=2000&s", 78);
	snprintf(signature, sizeof(signature), "%s", at + 11);
	assert_int_equal(strlen(signature), 64);
	assert_true(storage_link_ok(name, 2000, signature, 1999999, key));
	assert_false(storage_link_ok(name, 2000, signature, 2000000, key));
	assert_false(storage_link_ok(name, 2001, signature, 0, key));
	assert_false(storage_link_ok("1123456789abcdef0123456789abcdef", 2000, signature, 0, key));
	assert_false(storage_link_ok(name, 2000, signature, 0, other));
	assert_false(storage_link_ok(name, 2000, "", 0, key));
	assert_false(storage_link_ok("../x", 2000, signature, 0, key));
	for (size_t i = 0; i < 64; i++) {
		signature[i] ^= 1;
		assert_false(storage_link_ok(name, 2000, signature, 0, key));
		signature[i] ^= 1;
	}
	talloc_free(link);
}

/* The store's script, found from this program upwards. */
static int
find_store(char *path, size_t size)
{
	char up[64] = "";

	for (int i = 0; i < 6; i++) {
		snprintf(path, size, "%.*s/%stests/s3.mjs", (int)(strrchr(program, '/') - program), program, up);
		if (access(path, R_OK) == 0)
			return 0;
		strcat(up, "../");
	}
	return -1;
}

static int
start_store(void)
{
	int in[2], out[2], rc;
	char path[4096];
	FILE *said;

	if (find_store(path, sizeof(path)) != 0 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return -1;
	store_pid = fork();
	if (store_pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execlp("node", "node", path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	store_input = in[1];
	said = fdopen(out[0], "r");
	memcpy(endpoint, "http://127.0.0.1:", 18);
	rc = fscanf(said, "%15s %63s %63s %63s", endpoint + 17, key_id, secret, bucket); // NOLINT(cert-err34-c)
	fclose(said);
	return rc == 4 ? 0 : -1;
}

static int
set_up(void **state)
{
	(void)state;
	fetch_init();
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(uploads, sizeof(uploads), "%s/uploads", folder);
	snprintf(scratch, sizeof(scratch), "%s/scratch", folder);
	return start_store();
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	close(store_input); /* which ends it */
	waitpid(store_pid, NULL, 0);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(what_is_stored_comes_back_and_is_gone_when_removed),
		cmocka_unit_test(names_are_random_and_only_such_are_looked_for),
		cmocka_unit_test(a_file_on_disk_is_its_owners_alone_and_leaves_no_part),
		cmocka_unit_test(a_disk_that_fails_is_our_fault),
		cmocka_unit_test(a_file_that_does_not_fit_is_not_there_at_all),
		cmocka_unit_test(a_store_that_refuses_is_our_fault_and_one_that_is_away_comes_back),
		cmocka_unit_test(a_link_works_until_its_time_and_for_nothing_else),
	};

	(void)argc;
	program = argv[0];
	return cmocka_run_group_tests(cases, set_up, tear_down);
}
