/*
 * Uploads: what is taken for a file and its texts, whatever the pieces in which a body comes; what is
 * refused, and with which words; and that memory stays flat.
 */
#include "http/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/now.h"
#include "base/scratch.h"
#include "fake_gateway.h"
#include "unit.h"

#define FORM "multipart/form-data; boundary=B"
#define PART(name, text) "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" text "\r\n"
#define FILE_PART(name, text) \
	"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" name \
	"\"\r\nContent-Type: image/jpeg\r\n\r\n" text "\r\n"
#define END "--B--\r\n"
#define TASK "task_01kgpqayw0e0a9svzcheefg29h"

static char folder[] = "/tmp/unit-upload-XXXXXX";

/* The body that is sent: `first` bytes at once, then `step` at a time; where data is NULL, so many times the
 * pattern. */
static struct {
	const char *data, *pattern;
	size_t len, at, first, step;
	bool breaks_off;
} sent;

static long
send_some(struct gateway *gateway, void *buf, size_t size)
{
	size_t want = sent.at == 0 && sent.first > 0 ? sent.first : sent.step;

	(void)gateway;
	want = want < size ? want : size;
	want = want < sent.len - sent.at ? want : sent.len - sent.at;
	if (want == 0 && sent.breaks_off)
		return -1;
	for (size_t i = 0; sent.data == NULL && i < want; i++)
		((char *)buf)[i] = sent.pattern[(sent.at + i) % strlen(sent.pattern)];
	if (sent.data != NULL)
		memcpy(buf, sent.data + sent.at, want);
	sent.at += want;
	return (long)want;
}

static struct request *
request_of(const char *type, const char *query, const char *announced)
{
	static struct fake_variable variables[3];
	struct request *rq;

	variables[0] = (struct fake_variable){ "CONTENT_TYPE", type };
	variables[1] = (struct fake_variable){ announced != NULL ? "CONTENT_LENGTH" : NULL, announced };
	rq = fake_request("POST", "/operator/upload", variables);
	rq->gateway->read = send_some;
	rq->query = query;
	return rq;
}

/* What came of it in one line: "size name", or the error with its reason or faulty fields. */
static const char *
outcome(struct request *rq, const struct upload *upload)
{
	static char text[2000];
	struct json_object *value = NULL;

	if (upload != NULL) {
		snprintf(text, sizeof(text), "%d %s", (int)upload->size, upload->name != NULL ? upload->name : "-");
		return text;
	}
	snprintf(text, sizeof(text), "%s", error_name(rq->error.code));
	if (json_object_object_get_ex(rq->error.details, "reason", &value))
		snprintf(text, sizeof(text), "%s: %s", error_name(rq->error.code), json_object_get_string(value));
	if (!json_object_object_get_ex(rq->error.details, "fields", &value))
		return text;
	text[0] = '\0';
	json_object_object_foreach(value, name, sentence) snprintf(text + strlen(text), sizeof(text) - strlen(text),
	    "%s%s %s", *text != '\0' ? "; " : "", name, json_object_get_string(sentence));
	return text;
}

static const struct {
	const char *type, *query, *body;
	size_t len; /* 0: up to the NUL */
	const char *want;
} rows[] = {
#define CUT "body_invalid: the closing delimiter is missing"
#define NO_NAME "body_invalid: a part has no Content-Disposition of form-data with a name"
#define LINE "body_invalid: a part has a header line that is none"
#define DELIMITER "body_invalid: a line begins like a delimiter but is none"
#define BOUNDARY "body_invalid: the content type names no boundary"
	/* Whole ones. */
	{ FORM, "", FILE_PART("a.jpg", "12345") END, 0, "5 a.jpg" },
	{ FORM, "", FILE_PART("a.jpg", "12345") PART("lat", "1") PART("lng", "2") END, 0, "5 a.jpg" },
	{ FORM, "", PART("lat", "1") PART("lng", "2") FILE_PART("a.jpg", "12345") END, 0, "5 a.jpg" },
	{ FORM, "", PART("task_id", TASK) FILE_PART("a.jpg", "12345") END, 0, "5 a.jpg" },
	{ FORM, "", PART("task_id", "") PART("lat", "") FILE_PART("a.jpg", "1") END, 0, "1 a.jpg" },
	{ FORM, "lat=1&lng=2", FILE_PART("a.jpg", "12345") END, 0, "5 a.jpg" },
	{ FORM, "", "preamble\r\n" FILE_PART("a.jpg", "1") END "epilogue", 0, "1 a.jpg" },
	{ FORM, "", FILE_PART("a.jpg", "1") "--B--", 0, "1 a.jpg" },
	{ FORM, "", FILE_PART("a.jpg", "\r\n\r\n--\r\n--A\r\n-B\r--B\n--B") END, 0, "23 a.jpg" },
	{ FORM, "", FILE_PART("a.jpg", "\r\n") END, 0, "2 a.jpg" },
	{ FORM, "", FILE_PART("a.jpg", "a\0b") END, sizeof(FILE_PART("a.jpg", "a\0b") END) - 1, "3 a.jpg" },
	{ "Multipart/Form-Data;boundary=\"B\"", "", FILE_PART("a", "1") END, 0, "1 a" },
	{ "multipart/form-data; charset=utf-8 ; boundary=B", "", FILE_PART("a", "1") END, 0, "1 a" },
	{ "multipart/form-data; boundary=\"a b\"", "",
	    "--a b\r\ncontent-disposition:form-data;name=file\r\n\r\n1\r\n--a b--", 0, "1 -" },
	/* Names of files. */
	{ FORM, "", FILE_PART("a \\\"b\\\" \\\\ c.jpg", "1") END, 0, "1  c.jpg" },
	{ FORM, "", FILE_PART("say \\\"hi\\\".jpg", "1") END, 0, "1 say \"hi\".jpg" },
	{ FORM, "", FILE_PART("C:\\photos\\a.jpg", "1") END, 0, "1 a.jpg" },
	{ FORM, "", FILE_PART("../../etc/passwd", "1") END, 0, "1 passwd" },
	{ FORM, "", FILE_PART("a%22b%0D%0A.jpg", "1") END, 0, "1 a%22b%0D%0A.jpg" },
	{ FORM, "", FILE_PART("\xc3\xa9t\xc3\xa9.jpg", "1") END, 0, "1 \xc3\xa9t\xc3\xa9.jpg" },
	{ FORM, "", FILE_PART("\xff.jpg", "1") END, 0, "1 -" },
	{ FORM, "", FILE_PART("a\x1b[0m", "1") END, 0, "1 -" },
	{ FORM, "", FILE_PART("folder/", "1") END, 0, "1 -" },
	{ FORM, "", FILE_PART("a;b=c.jpg", "1") END, 0, "1 a;b=c.jpg" },
	{ FORM, "",
	    "--B\r\nContent-Disposition: form-data; name=file; filename=a.jpg; "
	    "filename*=utf-8''b.jpg\r\n\r\n1\r\n" END,
	    0, "1 a.jpg" },
	/* Cut off, or not what it says. */
	{ FORM, "", "", 0, CUT },
	{ FORM, "", "x", 0, CUT },
	{ FORM, "", "--B", 0, CUT },
	{ FORM, "", "--B-", 0, CUT },
	{ FORM, "", FILE_PART("a", "1"), 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--B", 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--B\r\n", 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--B\r\nContent-Disposition: form-data", 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--A--", 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--b--", 0, CUT },
	{ FORM, "", FILE_PART("a", "1") "--B\r\n\r\nx\r\n" END, 0, NO_NAME },
	{ FORM, "", FILE_PART("a", "1\r\n--Bx") END, 0, DELIMITER },
	{ FORM, "", FILE_PART("a", "1\r\n--B x") END, 0, DELIMITER },
	{ FORM, "", FILE_PART("a", "1\r\n--B\nx") END, 0, DELIMITER },
	{ FORM, "", "--B\nContent-Disposition: form-data; name=file\n\n1\n--B--\n", 0, DELIMITER },
	{ "multipart/form-data", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=\"\"", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=\"B", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=B; boundary=C", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=\"B \"", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; boundary=B\xc3\xa9", "", FILE_PART("a", "1") END, 0, BOUNDARY },
	{ "multipart/form-data; "
	  "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
	    "", END, 0, BOUNDARY },
	/* Headers. */
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"fi\r\nle\"\r\n\r\n1\r\n" END, 0, LINE },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"fi\nle\"\r\n\r\n1\r\n" END, 0, LINE },
	{ FORM, "", "--B\r\nContent-Disposition: form-data;\r\n name=\"file\"\r\n\r\n1\r\n" END, 0, LINE },
	{ FORM, "", "--B\r\nContent-Disposition form-data\r\n\r\n1\r\n" END, 0, LINE },
	{ FORM, "", "--B\r\n: x\r\n\r\n1\r\n" END, 0, LINE },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"file\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"file\" x\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"file\"; name=\"lat\"\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "", "--B\r\nContent-Disposition: attachment; name=file\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "", "--B\r\nContent-Type: image/png\r\n\r\n1\r\n" END, 0, NO_NAME },
	{ FORM, "",
	    "--B\r\nContent-Disposition: form-data; name=file\r\nContent-Disposition: form-data; "
	    "name=lat\r\n\r\n1\r\n" END,
	    0, "body_invalid: a part has two dispositions" },
	{ FORM, "",
	    "--B\r\nContent-Disposition: form-data; name=file\r\nContent-Transfer-Encoding: "
	    "base64\r\n\r\nMQ==\r\n" END,
	    0, "body_invalid: a part has a transfer encoding" },
	{ FORM, "",
	    "--B\r\nContent-Disposition: form-data; name=file\r\nContent-Transfer-Encoding: "
	    "binary\r\n\r\n1\r\n" END,
	    0, "1 -" },
	/* Fields. */
	{ FORM, "", END, 0, "file is required" },
	{ FORM, "", FILE_PART("", "") END, 0, "file must not be empty" },
	{ FORM, "", FILE_PART("a", "1") FILE_PART("b", "2") END, 0, "file is there twice" },
	{ FORM, "", FILE_PART("a", "1") PART("lat", "1") PART("lat", "1") PART("lng", "1") END, 0,
	    "lat is there twice" },
	{ FORM, "lat=1", FILE_PART("a", "1") PART("lat", "1") PART("lng", "1") END, 0, "lat is there twice" },
	{ FORM, "", FILE_PART("a", "1") PART("lat", "1") END, 0, "lng is required with the other coordinate" },
	{ FORM, "", FILE_PART("a", "1") PART("note", "1") END, 0, "note is not a field of this call" },
	{ FORM, "", PART("task_id", "task_1") PART("captured_at", "now") END, 0,
	    "file is required; captured_at must be a time such as \"2026-02-05T12:00:00Z\"; task_id must be "
	    "the id "
	    "of a task" },
	{ FORM, "", FILE_PART("a", "1") PART("task_id", "\xff") END, 0, "task_id must be UTF-8" },
	{ FORM, "", "--B\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n1\r\n" END, 0,
	    "body_invalid: a part has a name that is no line of UTF-8" },
	/* Raw. */
	{ "image/jpeg", "", "12345", 0, "5 -" },
	{ "IMAGE/PNG; x=y", "lat=1.5&lng=-2", "12345", 0, "5 -" },
	{ "application/pdf", "accuracy_m=12.5&captured_at=2026-02-05T12%3A00%3A00Z", "1", 0, "1 -" },
	{ "image/webp", "", "", 0, "file must not be empty" },
	{ "image/heic", "lat=91&lng=0", "1", 0, "lat must be a number from -90 to 90" },
	{ "image/jpeg", "name=x", "1", 0, "name is not a field of this call" },
	{ "image/gif", "", "1", 0, "file_type_unsupported" },
	{ "image/svg+xml", "", "1", 0, "file_type_unsupported" },
	{ "application/json", "", "{}", 0, "file_type_unsupported" },
	{ "multipart/mixed; boundary=B", "", FILE_PART("a", "1") END, 0, "file_type_unsupported" },
	{ "", "", "1", 0, "file_type_unsupported" },
	{ NULL, "", "1", 0, "file_type_unsupported" },
};

static void
a_body_means_the_same_in_whatever_pieces_it_comes(void **state)
{
	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].body);

		/* All at once, byte by byte, and cut in two at every place. */
		for (size_t cut = 0; cut < len + 2; cut++) {
			struct request *rq = request_of(rows[i].type, rows[i].query, NULL);
			struct upload *upload;
			const char *got;

			memset(&sent, 0, sizeof(sent));
			sent.data = rows[i].body;
			sent.len = len;
			sent.first = cut <= len ? cut : 0;
			sent.step = cut <= len ? SIZE_MAX : 1;
			upload = upload_read(rq, folder);
			got = outcome(rq, upload);
			if (strcmp(got, rows[i].want) != 0)
				fail_msg(
				    "row %zu (%.60s), cut %zu: %s, not %s", i, rows[i].body, cut, got, rows[i].want);
			talloc_free(rq);
		}
	}
}

static void
the_bytes_the_hash_and_the_texts_arrive(void **state)
{
	static const char body[] = PART("task_id", TASK) FILE_PART("a.jpg", "hello\r\nworld\r\n") PART("lat", "40.7128")
	    PART("lng", "-74.006") PART("accuracy_m", "8.5") PART("captured_at", "2026-02-05T12:00:00+01:00") END;
	struct request *rq = request_of(FORM, "", NULL);
	uint8_t want[SHA256_SIZE];
	struct upload *upload;
	char text[64] = "", id[ID_TEXT_SIZE];
	struct stat st;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.data = body;
	sent.len = sizeof(body) - 1;
	sent.step = 11;
	upload = upload_read(rq, folder);
	assert_non_null(upload);
	assert_int_equal(read(upload->fd, text, sizeof(text)), 14);
	assert_string_equal(text, "hello\r\nworld\r\n");
	crypto_sha256(text, 14, want);
	assert_memory_equal(upload->sha256, want, sizeof(want));
	assert_int_equal(fstat(upload->fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 0);
	id_print(ID_TASK, upload->task, id);
	assert_string_equal(id, TASK);
	assert_true(upload->has_position && upload->has_accuracy);
	assert_true(upload->lat == 40.7128 && upload->lng == -74.006 && upload->accuracy_m == 8.5);
	assert_int_equal(upload->captured_ms, 1770289200000);
	talloc_free(rq);
}

/* A form with one part whose text is so long, its size announced or not. */
static const char *
outcome_of_size(const char *type, const char *name, size_t size, bool is_announced)
{
	char *body = NULL, announced[32];
	struct request *rq;
	const char *got;
	size_t len;

	memset(&sent, 0, sizeof(sent));
	if (name != NULL) {
		body = talloc_asprintf(NULL, "--B\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", name);
		len = strlen(body);
		body = talloc_realloc_size(NULL, body, len + size + 16);
		memset(body + len, 'x', size);
		memcpy(body + len + size, "\r\n--B--\r\n", 10);
		sent.data = body;
		sent.len = len + size + 9;
	} else {
		sent.pattern = "0123456789abcdefghijklmnopqrstuvwxyz\r\n--";
		sent.len = size;
	}
	sent.step = SIZE_MAX;
	snprintf(announced, sizeof(announced), "%zu", sent.len);
	rq = request_of(type, "", is_announced ? announced : NULL);
	got = outcome(rq, upload_read(rq, folder));
	talloc_free(rq);
	talloc_free(body);
	return got;
}

static void
one_byte_past_a_limit_is_too_much(void **state)
{
	static const struct {
		const char *type, *name;
		size_t size;
		bool is_announced;
		const char *want;
	} sizes[] = {
		{ "image/jpeg", NULL, UPLOAD_FILE_MAX, true, "15728640 -" },
		{ "image/jpeg", NULL, UPLOAD_FILE_MAX + 1, true, "body_too_large" },
		{ "image/jpeg", NULL, UPLOAD_FILE_MAX + 1, false, "body_too_large" },
		{ "image/jpeg", NULL, 1000 * 1024 * 1024, true, "body_too_large" },
		{ FORM, "file", UPLOAD_FILE_MAX, true, "15728640 -" },
		{ FORM, "file", UPLOAD_FILE_MAX + 1, true, "body_too_large" },
		{ FORM, "file", UPLOAD_FILE_MAX + 1, false, "body_too_large" },
		{ FORM, "x", UPLOAD_FILE_MAX + 65536, false, "body_too_large" },
		{ FORM, "task_id", 1024, true, "file is required; task_id must be a text of 1 to 40 characters" },
		{ FORM, "task_id", 1025, true, "task_id must have at most 1024 bytes; file is required" },
		{ FORM, "task_id", 200000, false, "task_id must have at most 1024 bytes; file is required" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(sizes); i++) {
		const char *got = outcome_of_size(sizes[i].type, sizes[i].name, sizes[i].size, sizes[i].is_announced);

		if (strcmp(got, sizes[i].want) != 0)
			fail_msg("row %zu: %s", i, got);
	}
}

static void
a_header_of_8_kib_is_read_and_a_larger_one_refused(void **state)
{
	static const char head[] = "--B\r\nContent-Disposition: form-data; name=file\r\nX: ";

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		/* Counted from the line end of the delimiter. */
		size_t pad = 8192 - (sizeof(head) - 1 - 3) + extra;
		char *body = talloc_zero_size(NULL, sizeof(head) + pad + 64);
		struct request *rq = request_of(FORM, "", NULL);

		memcpy(body, head, sizeof(head) - 1);
		memset(body + sizeof(head) - 1, 'y', pad);
		memcpy(body + sizeof(head) - 1 + pad, "\r\n\r\n1\r\n" END, sizeof("\r\n\r\n1\r\n" END));
		memset(&sent, 0, sizeof(sent));
		sent.data = body;
		sent.len = strlen(body);
		sent.step = 1000;
		assert_string_equal(outcome(rq, upload_read(rq, folder)),
		    extra == 0 ? "1 -" : "body_invalid: a part's header is larger than 8 KiB");
		talloc_free(rq);
		talloc_free(body);
	}
}

static void
a_hundred_thousand_parts_end_at_the_eleventh(void **state)
{
	struct request *rq = request_of(FORM, "", NULL);

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.pattern = PART("lat", "1");
	sent.len = 100000 * strlen(sent.pattern);
	sent.step = SIZE_MAX;
	assert_string_equal(outcome(rq, upload_read(rq, folder)), "body_invalid: there are more than 10 parts");
	assert_true(sent.at < 1024 * 1024);
	talloc_free(rq);
}

static void
a_body_that_breaks_off_is_marked(void **state)
{
	static const struct {
		const char *announced;
		bool breaks_off;
	} ends[] = { { NULL, true }, { "6", false }, { "4", false }, { "5", true } };

	(void)state;
	for (size_t i = 0; i < nitems(ends); i++) {
		struct request *rq = request_of("image/jpeg", "", ends[i].announced);

		memset(&sent, 0, sizeof(sent));
		sent.data = "12345";
		sent.len = 5;
		sent.step = 5;
		sent.breaks_off = ends[i].breaks_off;
		assert_string_equal(outcome(rq, upload_read(rq, folder)), "body_invalid: it broke off");
		assert_true(rq->is_broken);
		talloc_free(rq);
	}
}

/* Thousands of bodies that a good one became by chance: no crash, and whatever is taken lies within the
 * limits. */
static void
damaged_bodies_harm_nothing(void **state)
{
	static const char good[] = PART("lat", "1") PART("lng", "2") FILE_PART("a.jpg", "12345\r\n--") END;
	uint32_t random = 1;
	int taken = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char body[sizeof(good)];
		struct request *rq = request_of(FORM, "", NULL);
		struct upload *upload;

		memcpy(body, good, sizeof(good));
		for (int k = 0; k <= i % 4; k++) {
			random = random * 1664525 + 1013904223;
			body[(random >> 8) % (sizeof(good) - 1)] = "\r\n-B\";:=\\\0x "[(random >> 4) % 13];
		}
		memset(&sent, 0, sizeof(sent));
		sent.data = body;
		sent.len = sizeof(good) - 1 - (i % 3 == 0 ? (random >> 16) % 40 : 0);
		sent.step = 1 + (random >> 20) % 50;
		upload = upload_read(rq, folder);
		assert_true((upload == NULL) == (rq->error.code != ERR_none));
		assert_true(upload == NULL || upload->size < (int64_t)sizeof(good));
		taken += upload != NULL;
		talloc_free(rq);
	}
	assert_true(taken > 100);
}

/* Before any other, since the peak of a process never falls. */
static void
memory_stays_flat_at_15_mib(void **state)
{
	struct rusage before, after;

	(void)state;
	assert_string_equal(outcome_of_size("image/jpeg", NULL, 1000, true), "1000 -");
	getrusage(RUSAGE_SELF, &before);
	assert_string_equal(outcome_of_size("image/jpeg", NULL, UPLOAD_FILE_MAX, true), "15728640 -");
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 512); /* kB */
}

static void
a_scratch_file_has_no_name_and_its_folder_is_made(void **state)
{
	char path[80];
	struct error err = { 0 };
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/scratch", folder);
	fd = scratch_open(path, &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	close(fd);
	assert_int_equal(rmdir(path), 0); /* empty */
	assert_int_equal(scratch_open("/nonexistent/scratch", &err), -1);
	assert_int_equal(err.code, ERR_internal);
	error_clear(&err);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(memory_stays_flat_at_15_mib),
		cmocka_unit_test(a_body_means_the_same_in_whatever_pieces_it_comes),
		cmocka_unit_test(the_bytes_the_hash_and_the_texts_arrive),
		cmocka_unit_test(one_byte_past_a_limit_is_too_much),
		cmocka_unit_test(a_header_of_8_kib_is_read_and_a_larger_one_refused),
		cmocka_unit_test(a_hundred_thousand_parts_end_at_the_eleventh),
		cmocka_unit_test(a_body_that_breaks_off_is_marked),
		cmocka_unit_test(damaged_bodies_harm_nothing),
		cmocka_unit_test(a_scratch_file_has_no_name_and_its_folder_is_made),
	};

	return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
