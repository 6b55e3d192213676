/* What an answer looks like on its way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_gateway.h"
#include "http/reply.h"

#define HEAD "X-Request-Id: req_test\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
#define JSON "Content-Type: application/json; charset=utf-8\r\n"

static const char *
answer_of(struct request *rq, int status)
{
	struct fake *fake = rq->gateway->state;

	assert_int_equal(reply_send(rq, status), 0);
	return fake->answer;
}

static void
members_are_written_exactly(void **state)
{
	static const uint8_t raw[16] = { 1, 0x8f, 0, 0, 0, 0, 0x70, 0, 0x80 };
	struct request *rq = fake_request("GET", "/", NULL);
	struct id id, nil = { { 0 } };

	(void)state;
	memcpy(id.bytes, raw, sizeof raw);
	reply_text(rq->reply, "text", "a/b \"\xc3\xa9\"\n");
	reply_text(rq->reply, "no_text", NULL);
	reply_bool(rq->reply, "bool", true);
	reply_int(rq->reply, "int", INT64_MIN);
	reply_real(rq->reply, "tenth", 0.1);
	reply_real(rq->reply, "third", 1.0 / 3);
	reply_money(rq->reply, "money", 29500000);
	reply_money(rq->reply, "micro", 1);
	reply_money(rq->reply, "zero", 0);
	reply_money(rq->reply, "much", INT64_MAX);
	reply_time(rq->reply, "time", 1770292800000);
	reply_time(rq->reply, "no_time", 0);
	reply_id(rq->reply, "no_id", ID_TASK, nil);
	reply_id(rq->reply, "id", ID_TASK, id);
	reply_json(rq->reply, "list", json_object_new_array());
	assert_string_equal(
	    json_object_to_json_string_ext(rq->reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	    "{\"text\":\"a/b "
	    "\\\"\xc3\xa9\\\"\\n\",\"no_text\":null,\"bool\":true,\"int\":-9223372036854775808,"
	    "\"tenth\":0.1,\"third\":0.3333333333333333,\"money\":29.5,\"micro\":0.000001,\"zero\":0,"
	    "\"much\":9223372036854.775807,\"time\":\"2026-02-05T12:00:00.000Z\",\"no_time\":null,\"no_id\":"
	    "null,"
	    "\"id\":\"task_01hw000000e008000000000000\",\"list\":[]}");
	talloc_free(rq);
}

static void
a_reply_is_json_with_its_length(void **state)
{
	struct request *rq = fake_request("GET", "/", NULL);

	(void)state;
	reply_text(rq->reply, "a", "b");
	reply_header(rq, "Idempotent-Replayed", "%s", "true");
	assert_string_equal(answer_of(rq, 201), "Status: 201 Created\r\n" HEAD "Idempotent-Replayed: true\r\n" JSON
						"Content-Length: 9\r\n\r\n{\"a\":\"b\"}");
	assert_int_equal(rq->status, 201);
	assert_int_equal(rq->sent, 9);
	talloc_free(rq);
}

static void
head_and_204_have_no_body(void **state)
{
	struct request *rq = fake_request("HEAD", "/", NULL);

	(void)state;
	assert_string_equal(answer_of(rq, 200), "Status: 200 OK\r\n" HEAD JSON "Content-Length: 2\r\n\r\n");
	assert_int_equal(rq->sent, 0);
	talloc_free(rq);
	rq = fake_request("GET", "/", NULL);
	assert_string_equal(answer_of(rq, 204), "Status: 204 No Content\r\n" HEAD "\r\n");
	talloc_free(rq);
}

static void
a_page_goes_out_as_it_is(void **state)
{
	struct request *rq = fake_request("GET", "/", NULL);

	(void)state;
	reply_raw(rq, "text/csv", "old", 3);
	reply_raw(rq, "text/html; charset=utf-8", "<p>", 3);
	assert_string_equal(answer_of(rq, 200),
	    "Status: 200 OK\r\n" HEAD "Content-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n\r\n<p>");
	talloc_free(rq);
}

static void
an_error_replaces_what_was_begun(void **state)
{
	struct request *rq = fake_request("GET", "/", NULL);
	const char *answer;

	(void)state;
	reply_text(rq->reply, "half", "done");
	reply_raw(rq, "text/html", "<p>", 3);
	error_set(&rq->error, ERR_rate_limited);
	error_detail(&rq->error, "limit", json_object_new_int(5));
	rq->error.retry_after_s = 7;
	answer = answer_of(rq, -1);
	assert_int_equal(rq->status, 429);
	assert_non_null(strstr(answer, "Status: 429 Too Many Requests\r\n"));
	assert_non_null(strstr(answer, "\r\nRetry-After: 7\r\n"));
	assert_non_null(strstr(answer, "\r\n" JSON));
	assert_non_null(
	    strstr(answer, "\"code\":\"rate_limited\",\"details\":{\"limit\":5},\"request_id\":\"req_test\"}"));
	assert_null(strstr(answer, "half"));
	assert_null(strstr(answer, "<p>"));
	talloc_free(rq);
}

static void
details_are_an_object_even_if_empty(void **state)
{
	static const struct {
		enum error_code code;
		bool has_challenge;
	} rows[] = {
		{ ERR_unauthorized, true },
		{ ERR_staff_only, false },
		{ ERR_not_found, false },
		{ ERR_internal, false },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = fake_request("GET", "/", NULL);
		const char *answer;

		error_set(&rq->error, rows[i].code);
		answer = answer_of(rq, -1);
		assert_non_null(strstr(answer, "\"details\":{},"));
		assert_int_equal(
		    strstr(answer, "WWW-Authenticate: ApiKey realm=\"humanops\"\r\n") != NULL, rows[i].has_challenge);
		assert_null(strstr(answer, "Retry-After"));
		talloc_free(rq);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_written_exactly),
		cmocka_unit_test(a_reply_is_json_with_its_length),
		cmocka_unit_test(head_and_204_have_no_body),
		cmocka_unit_test(a_page_goes_out_as_it_is),
		cmocka_unit_test(an_error_replaces_what_was_begun),
		cmocka_unit_test(details_are_an_object_even_if_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
