/* Modes of shared files: the folder's setgid bit decides. */
#include "base/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char folder[] = "/tmp/unit-share-XXXXXX";

static void
a_file_is_shared_where_its_folder_is_setgid(void **state)
{
	static const struct {
		mode_t folder, own, want;
	} rows[] = {
		{ 02770, 0600, 0660 },
		{ 02770, 0700, 0770 },
		{ 02750, 0400, 0440 },
		{ 0770, 0600, 0600 },
		{ 01777, 0600, 0600 },
		{ 0700, 0700, 0700 },
	};
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < nitems(rows); i++) {
		assert_int_equal(chmod(folder, rows[i].folder), 0);
		snprintf(path, sizeof(path), "%s/file", folder);
		assert_int_equal(share_mode(path, rows[i].own), rows[i].want);
		assert_int_equal(chdir(folder), 0);
		assert_int_equal(share_mode("file", rows[i].own), rows[i].want);
		assert_int_equal(chdir("/"), 0);
	}
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(share_mode(path, 0600), 0600); /* gone: nobody's */
	assert_int_equal(share_mode("/file", 0600), 0600);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_shared_where_its_folder_is_setgid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
