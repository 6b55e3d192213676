/* What a handler gets to read of its request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_gateway.h"
#include "http/request.h"

struct estimate {
	int64_t minutes;
	char *note;
};

static const struct field needed[] = {
	{ .name = "minutes",
	    .type = FIELD_INT,
	    .flags = FIELD_REQUIRED,
	    .offset = offsetof(struct estimate, minutes),
	    .min = 5,
	    .max = 43200 },
	{ .name = "note", .type = FIELD_TEXT, .offset = offsetof(struct estimate, note), .max = 20 },
};

static int
read_with(const char *type, const char *body, const struct field *fields, size_t count, struct estimate *out,
    struct error *err)
{
	const struct fake_variable variables[] = { { "CONTENT_TYPE", type }, { NULL, NULL } };
	struct request *rq = fake_request("POST", "/", variables);
	int rc;

	rq->body = talloc_strdup(rq, body);
	rq->body_len = strlen(body);
	rc = request_read(rq, fields, count, out);
	*err = rq->error;
	rq->error = (struct error){ 0 };
	out->note = NULL; /* goes with the request */
	talloc_free(rq);
	return rc;
}

static void
a_body_needs_the_json_content_type(void **state)
{
	static const struct {
		const char *type;
		enum error_code want;
	} rows[] = {
		{ "application/json", ERR_none },
		{ "Application/JSON", ERR_none },
		{ "application/json;charset=utf-8", ERR_none },
		{ "application/json; Charset=\"UTF-8\"", ERR_none },
		{ "application/json ; charset=utf-8 ;", ERR_none },
		{ "application/json; charset=latin1", ERR_media_type_unsupported },
		{ "application/json; charset=utf-80", ERR_media_type_unsupported },
		{ "application/json; version=1", ERR_media_type_unsupported },
		{ "application/jsonx", ERR_media_type_unsupported },
		{ "application/json, text/plain", ERR_media_type_unsupported },
		{ "text/plain", ERR_media_type_unsupported },
		{ "", ERR_media_type_unsupported },
		{ NULL, ERR_media_type_unsupported },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct estimate estimate = { 0 };
		struct error err;
		int rc = read_with(rows[i].type, "{\"minutes\":30}", needed, nitems(needed), &estimate, &err);

		assert_int_equal(err.code, rows[i].want);
		assert_int_equal(rc, rows[i].want == ERR_none ? 0 : -1);
		assert_int_equal(estimate.minutes, rows[i].want == ERR_none ? 30 : 0);
		error_clear(&err);
	}
}

static void
no_body_is_an_empty_object(void **state)
{
	struct estimate estimate = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(read_with(NULL, "", needed + 1, 1, &estimate, &err), 0);
	assert_int_equal(read_with(NULL, "", needed, nitems(needed), &estimate, &err), -1);
	assert_int_equal(err.code, ERR_validation_failed);
	assert_true(error_has_field(&err, "minutes"));
	assert_false(error_has_field(&err, "note"));
	error_clear(&err);
	assert_int_equal(read_with("application/json", " ", needed + 1, 1, &estimate, &err), -1);
	assert_int_equal(err.code, ERR_body_invalid);
	error_clear(&err);
}

static void
a_malformed_id_is_a_missing_resource(void **state)
{
	struct request *rq = fake_request("GET", "/", NULL);
	struct id made = id_new(7, 1770292800000), got;
	char text[ID_TEXT_SIZE];

	(void)state;
	id_print(ID_TASK, made, text);
	rq->params[0].name = "other";
	rq->params[0].value = "x";
	rq->params[1].name = "id";
	rq->params[1].value = text;
	assert_int_equal(request_id(rq, "id", ID_TASK, ERR_task_not_found, &got), 0);
	assert_true(id_equal(made, got));
	assert_int_equal(request_id(rq, "id", ID_AGENT, ERR_not_found, &got), -1);
	assert_int_equal(rq->error.code, ERR_not_found);
	rq->params[1].value = "task_1";
	assert_int_equal(request_id(rq, "id", ID_TASK, ERR_task_not_found, &got), -1);
	assert_int_equal(rq->error.code, ERR_task_not_found);
	talloc_free(rq);
}

static void
headers_and_query_are_read(void **state)
{
	static const struct fake_variable variables[] = { { "HTTP_ACCEPT", "text/csv" }, { NULL, NULL } };
	struct request *rq = fake_request("GET", "/", variables);
	struct estimate estimate = { 0 };

	(void)state;
	assert_string_equal(request_header(rq, "HTTP_ACCEPT"), "text/csv");
	assert_null(request_header(rq, "HTTP_X_API_KEY"));
	rq->query = "minutes=15&note=a+b";
	assert_int_equal(request_query(rq, needed, nitems(needed), &estimate), 0);
	assert_int_equal(estimate.minutes, 15);
	assert_string_equal(estimate.note, "a b");
	rq->query = "minuets=15";
	assert_int_equal(request_query(rq, needed, nitems(needed), &estimate), -1);
	assert_int_equal(rq->error.code, ERR_validation_failed);
	talloc_free(rq);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_needs_the_json_content_type),
		cmocka_unit_test(no_body_is_an_empty_object),
		cmocka_unit_test(a_malformed_id_is_a_missing_resource),
		cmocka_unit_test(headers_and_query_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
