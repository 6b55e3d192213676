/*
 * empty: the ceiling of any FastCGI program of ours.  It comes in by the same gateway and supervisor, reads
 * the body and answers a constant; no route, no JSON, no database, no log line.  scripts/bench puts it behind
 * the nginx it measures.
 */
#include <stddef.h>
#include "http/gateway.h"

static const char answer[] = "Status: 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
			     "Cache-Control: no-store\r\nContent-Length: 16\r\n\r\n{\"status\": \"ok\"}";

static void *
open_nothing(void *arg)
{
	return arg;
}

static void
close_nothing(void *opened)
{
	(void)opened;
}

static void
handle(void *opened, struct gateway *gateway)
{
	char body[16 * 1024];

	(void)opened;
	while (gateway->read(gateway, body, sizeof body) > 0)
		continue;
	gateway->write(gateway, answer, sizeof answer - 1);
	gateway->finish(gateway);
}

int
main(int argc, char **argv)
{
	static char something;
	const struct gateway_program program = {
		.name = "empty",
		.open = open_nothing,
		.handle = handle,
		.close = close_nothing,
		.arg = &something,
	};

	return gateway_main(argc, argv, &program);
}
