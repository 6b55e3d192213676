/* Which row of a route table takes a request, and what the others are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_gateway.h"
#include "http/route.h"

static int
nothing(struct request *rq)
{
	(void)rq;
	return 200;
}

static const struct route routes[] = {
	{ "GET", "/tasks", nothing, AGENT, NULL, 0, { 0 } },
	{ "POST", "/tasks", nothing, AGENT, NULL, MONEY, { 0 } },
	{ "GET", "/tasks/categories", nothing, AGENT, NULL, 0, { 0 } },
	{ "GET", "/tasks/:id", nothing, AGENT, NULL, 0, { 0 } },
	{ "POST", "/tasks/:id/cancel", nothing, AGENT, NULL, MONEY, { 0 } },
	{ "POST", "/tasks/:id/webhooks/:delivery/redeliver", nothing, AGENT, NULL, 0, { 0 } },
	{ "DELETE", "/keys/:id", nothing, AGENT, NULL, 0, { 0 } },
	{ "GET", "/metrics", nothing, PUBLIC, NULL, WHOLE, { 0 } },
	{ "GET", "/", nothing, PUBLIC, NULL, WHOLE, { 0 } },
};

static void
the_first_row_of_method_and_path_wins(void **state)
{
	static const struct {
		const char *method, *path;
		bool is_whole;
		int row; /* -1: not found; -2: another method */
		const char *value, *allow;
	} rows[] = {
		{ "GET", "/tasks", false, 0, NULL, NULL },
		{ "HEAD", "/tasks", false, 0, NULL, NULL },
		{ "POST", "/tasks", false, 1, NULL, NULL },
		{ "GET", "/tasks/categories", false, 2, NULL, NULL },
		{ "GET", "/tasks/task_1", false, 3, "task_1", NULL },
		{ "GET", "/tasks/categories2", false, 3, "categories2", NULL },
		{ "POST", "/tasks/x/cancel", false, 4, "x", NULL },
		{ "POST", "/tasks/x/webhooks/y/redeliver", false, 5, "x", NULL },
		{ "DELETE", "/keys/k", false, 6, "k", NULL },
		{ "GET", "/metrics", true, 7, NULL, NULL },
		{ "GET", "/", true, 8, NULL, NULL },
		{ "GET", "/", false, -1, NULL, NULL },
		{ "GET", "", false, -1, NULL, NULL },
		{ "GET", "/metrics", false, -1, NULL, NULL },
		{ "GET", "/tasks", true, -1, NULL, NULL },
		{ "GET", "/tasks/", false, -1, NULL, NULL },
		{ "GET", "//tasks", false, -1, NULL, NULL },
		{ "POST", "/tasks//cancel", false, -1, NULL, NULL },
		{ "POST", "/tasks/x/cancel/", false, -1, NULL, NULL },
		{ "GET", "/task", false, -1, NULL, NULL },
		{ "GET", "/TASKS", false, -1, NULL, NULL },
		{ "GET", "tasks", false, -1, NULL, NULL },
		{ "PUT", "/tasks", false, -2, NULL, "Allow: GET, HEAD, POST\r\n" },
		{ "get", "/tasks", false, -2, NULL, "Allow: GET, HEAD, POST\r\n" },
		{ "DELETE", "/tasks/categories", false, -2, NULL, "Allow: GET, HEAD\r\n" },
		{ "GET", "/tasks/x/cancel", false, -2, NULL, "Allow: POST\r\n" },
		{ "HEAD", "/keys/k", false, -2, NULL, "Allow: DELETE\r\n" },
		{ "", "/keys/k", false, -2, NULL, "Allow: DELETE\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		struct request *rq = fake_request(rows[i].method, rows[i].path, NULL);

		rq->is_whole = rows[i].is_whole;
		assert_int_equal(route_find(routes, nitems(routes), rq), rows[i].row < 0 ? -1 : 0);
		assert_ptr_equal(rq->route, rows[i].row < 0 ? NULL : &routes[rows[i].row]);
		assert_int_equal(rq->error.code, rows[i].row >= 0    ? ERR_none
						 : rows[i].row == -1 ? ERR_not_found
								     : ERR_method_not_allowed);
		if (rows[i].value != NULL)
			assert_string_equal(rq->params[0].value, rows[i].value);
		if (rows[i].allow != NULL)
			assert_string_equal(rq->headers, rows[i].allow);
		else
			assert_null(rq->headers);
		talloc_free(rq);
	}
}

static void
parameters_have_the_names_of_the_pattern(void **state)
{
	struct request *rq = fake_request("POST", "/tasks/a b/webhooks/\xc3\xa9/redeliver", NULL);

	(void)state;
	assert_int_equal(route_find(routes, nitems(routes), rq), 0);
	assert_string_equal(rq->params[0].name, "id");
	assert_string_equal(rq->params[0].value, "a b");
	assert_string_equal(rq->params[1].name, "delivery");
	assert_string_equal(rq->params[1].value, "\xc3\xa9");
	assert_null(rq->params[2].name);
	talloc_free(rq);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_row_of_method_and_path_wins),
		cmocka_unit_test(parameters_have_the_names_of_the_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
