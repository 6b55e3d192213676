#ifndef TESTS_FAKE_GATEWAY_H
#define TESTS_FAKE_GATEWAY_H

#include <json-c/json.h>
#include <string.h>
#include <talloc.h>
#include "base/text.h"
#include "http/gateway.h"
#include "http/request.h"

/* A gateway without a web server: variables from a table, the body from a text, the answer kept as text. */

struct fake_variable {
	const char *name, *value;
};

struct fake {
	struct gateway gateway;
	const struct fake_variable *variables; /* ends in { 0 } */
	char *answer;
};

static const char *
fake_variable(struct gateway *gateway, const char *name)
{
	const struct fake *fake = gateway->state;

	for (size_t i = 0; fake->variables != NULL && fake->variables[i].name != NULL; i++) {
		if (strcmp(fake->variables[i].name, name) == 0)
			return fake->variables[i].value;
	}
	return NULL;
}

static int
fake_write(struct gateway *gateway, const void *data, size_t len)
{
	struct fake *fake = gateway->state;

	fake->answer = talloc_strndup_append_buffer(fake->answer, data, len);
	return 0;
}

static int
fake_request_free(struct request *rq)
{
	error_clear(&rq->error);
	json_object_put(rq->reply);
	json_object_put(rq->log);
	return 0;
}

/* A request as serve.c would make it; talloc_free releases it all. */
static struct request *
fake_request(const char *method, const char *path, const struct fake_variable *variables)
{
	struct request *rq = talloc_zero(NULL, struct request);
	struct fake *fake = talloc_zero(rq, struct fake);

	talloc_set_destructor(rq, fake_request_free);
	fake->gateway = (struct gateway){ .variable = fake_variable, .write = fake_write, .state = fake };
	fake->variables = variables;
	fake->answer = talloc_strdup(fake, "");
	rq->gateway = &fake->gateway;
	rq->id = "req_test";
	rq->method = method;
	rq->path = path;
	rq->query = "";
	rq->reply = json_object_new_object();
	return rq;
}

#endif
