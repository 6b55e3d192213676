/* Identifiers: layout, order, texts. */
#include "base/id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static int
compare(struct id a, struct id b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

static void
an_id_carries_version_time_and_bucket(void **state)
{
	static const int buckets[] = { 0, 1, 3, 4, 63, 64, 512, 1023 };

	(void)state;
	for (size_t i = 0; i < nitems(buckets); i++) {
		int64_t ms = 1770681600000 + (int64_t)i, carried = 0;
		struct id id = id_new(buckets[i], ms);

		for (int b = 0; b < 6; b++)
			carried = carried << 8 | id.bytes[b];
		assert_true(carried == ms);
		assert_int_equal(id.bytes[6] >> 4, 7);
		assert_int_equal(id.bytes[8] >> 6, 2);
		assert_int_equal(id_bucket(id), buckets[i]);
		assert_false(id_is_nil(id));
	}
	assert_true(id_is_nil((struct id){ { 0 } }));
}

static void
a_later_id_is_greater_whatever_its_bucket(void **state)
{
	int64_t ms = 1770681700000;
	struct id last = id_new(5, ms);

	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct id id = id_new(i % 3 == 0 ? 5 : (i * 7919) % ID_BUCKETS, ms - (i % 100 == 0 ? 3 : 0));

		assert_true(compare(last, id) < 0);
		last = id;
		ms += i % 2;
	}
}

static void
a_clock_set_back_far_is_followed(void **state)
{
	struct id ahead = id_new(1, 1900000000000), back = id_new(1, 1770681600000);

	(void)state;
	assert_true(compare(back, ahead) < 0);
}

static void
a_fork_does_not_make_the_same_ids(void **state)
{
	enum { COUNT = 1000 };
	struct id mine[COUNT], theirs[COUNT];
	int status, ends[2];
	pid_t child;

	(void)state;
	id_new(9, 1950000000000);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	for (int i = 0; i < COUNT; i++)
		mine[i] = id_new(9, 1950000000000);
	if (child == 0)
		_exit(write(ends[1], mine, sizeof(mine)) == (ssize_t)sizeof(mine) ? 0 : 1);
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	for (int i = 0; i < COUNT; i++) {
		for (int k = 0; k < COUNT; k++)
			assert_false(id_equal(mine[i], theirs[k]));
	}
	close(ends[0]);
	close(ends[1]);
}

static void
an_id_is_read_from_its_own_text_alone(void **state)
{
	/* 0x019c44d90800 is 2026-02-10T00:00:00Z */
	static const struct id id = { { 0x01, 0x9c, 0x44, 0xd9, 0x08, 0x00, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff } };
	static const struct {
		const char *text;
		enum id_kind kind;
		int rc;
	} rows[] = {
		{ "task_01kh2dj200fzzvzzzzzzzzzzzz", ID_TASK, 0 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzzz", ID_AGENT, -1 },
		{ "01kh2dj200fzzvzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01KH2DJ200FZZVZZZZZZZZZZZZ", ID_TASK, -1 },
		{ "TASK_01kh2dj200fzzvzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_81kh2dj200fzzvzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzzi", ID_TASK, -1 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzzu", ID_TASK, -1 },
		{ "task_01kh2dj200fzzvzzzzzzzzzzz ", ID_TASK, -1 },
		{ "task_", ID_TASK, -1 },
		{ "", ID_TASK, -1 },
		{ "task_00000000000000000000000000", ID_TASK, -1 },
		{ "task_01kh2dj200dzzvzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01kh2dj200fzzqzzzzzzzzzzzz", ID_TASK, -1 },
		{ "task_01kh2dj200fzzv\xc3\xa9zzzzzzzzzz", ID_TASK, -1 },
		{ "019c44d9-0800-7fff-bfff-ffffffffffff", ID_TASK, -1 },
	};
	char text[ID_TEXT_SIZE];

	(void)state;
	id_print(ID_TASK, id, text);
	assert_string_equal(text, rows[0].text);
	for (size_t i = 0; i < nitems(rows); i++) {
		struct id got = { { 0 } };
		int rc = id_parse(rows[i].kind, rows[i].text, &got);

		if (rc != rows[i].rc || (rc == 0 ? !id_equal(got, id) : !id_is_nil(got)))
			fail_msg("%s: %d", rows[i].text, rc);
	}
}

static void
every_kind_survives_its_text_and_keeps_the_order(void **state)
{
	char last[ID_TEXT_SIZE] = "", text[ID_TEXT_SIZE], uuid[ID_UUID_SIZE];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		enum id_kind kind = (enum id_kind)(i % ID_KINDS);
		struct id id = id_new(id_bucket_random(), 1960000000000 + i), got;

		id_print(kind, id, text);
		assert_true(strlen(text) < ID_TEXT_SIZE);
		assert_int_equal(id_parse(kind, text, &got), 0);
		assert_true(id_equal(id, got));
		assert_int_equal(id_parse((enum id_kind)((kind + 1) % ID_KINDS), text, &got), -1);
		id_print_uuid(id, uuid);
		assert_int_equal(id_from_uuid(uuid, &got), 0);
		assert_true(id_equal(id, got));
		assert_true(strcmp(last, strchr(text, '_')) < 0);
		stpcpy(last, strchr(text, '_'));
	}
}

static void
a_uuid_is_read_in_either_case_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "019c44d9-0800-7fff-bfff-ffffffffffff", 0 },
		{ "019C4491-B000-7FFF-BFFF-FFFFFFFFFFFF", 0 },
		{ "00000000-0000-0000-0000-000000000000", 0 },
		{ "019c4491b0007fffbfffffffffffffff", -1 },
		{ "019c44d9-0800-7fff-bfff-fffffffffff", -1 },
		{ "019c44d9-0800-7fff-bfff-fffffffffffff", -1 },
		{ "019c44d9-0800-7fff-bfff-fffffffffffg", -1 },
		{ "019c44d900800-7fff-bfff-fffffffffff", -1 },
		{ "{19c44d9-0800-7fff-bfff-fffffffffff}", -1 },
		{ "019c44d9-0800-7fff-bfff+ffffffffffff", -1 },
		{ "", -1 },
		{ "------------------------------------", -1 },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct id id;

		if (id_from_uuid(rows[i].text, &id) != rows[i].rc)
			fail_msg("%s", rows[i].text);
	}
}

static void
a_token_tells_its_bucket_and_differs_each_time(void **state)
{
	char token[ID_UUID_SIZE], other[ID_UUID_SIZE];

	(void)state;
	for (int bucket = 0; bucket < ID_BUCKETS; bucket++) {
		id_token(bucket, token);
		id_token(bucket, other);
		assert_int_equal(id_token_bucket(token), bucket);
		assert_string_not_equal(token, other);
		assert_int_equal(token[14], '8');
	}
	assert_int_equal(id_token_bucket("019c44d9-0800-7fff-bfff-ffffffffffff"), -1);
	assert_int_equal(id_token_bucket("019c44d9-0800-8fff-7fff-ffffffffffff"), -1);
	assert_int_equal(id_token_bucket("no token"), -1);
}

static void
the_bucket_of_a_value_is_always_the_same(void **state)
{
	(void)state;
	/* printf email:a@example.com | sha256sum: the first 10 bits */
	assert_int_equal(id_bucket_of("email", "a@example.com"), 935);
	assert_int_equal(id_bucket_of("email", ""), 270);
	for (int i = 0; i < 1000; i++)
		assert_in_range(id_bucket_random(), 0, ID_BUCKETS - 1);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(an_id_carries_version_time_and_bucket),
		cmocka_unit_test(a_later_id_is_greater_whatever_its_bucket),
		cmocka_unit_test(a_clock_set_back_far_is_followed),
		cmocka_unit_test(a_fork_does_not_make_the_same_ids),
		cmocka_unit_test(an_id_is_read_from_its_own_text_alone),
		cmocka_unit_test(every_kind_survives_its_text_and_keeps_the_order),
		cmocka_unit_test(a_uuid_is_read_in_either_case_and_nothing_else),
		cmocka_unit_test(a_token_tells_its_bucket_and_differs_each_time),
		cmocka_unit_test(the_bucket_of_a_value_is_always_the_same),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
