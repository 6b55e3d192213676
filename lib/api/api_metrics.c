/* admin.fcgi: what monitoring reads.  The values are core/metrics.c's; here is who may have them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include "api/api.h"
#include "base/text.h"
#include "core/metrics.h"
#include "http/reply.h"

static bool
is_loopback(const char *address)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, address, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, address, &six) != 1)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

/*
 * From this machine, and not through a proxy on it, which would lend everybody its own address.  The web server asks the
 * first too; where there is only a hosting provider's, nobody else does.
 */
static bool
is_local(const struct request *rq)
{
	static const char *const signs[] = { "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA" };

	for (size_t i = 0; i < nitems(signs); i++) {
		const char *value = request_header(rq, signs[i]);

		if (value != NULL && *value != '\0')
			return false;
	}
	return is_loopback(rq->address);
}

int
api_metrics(struct request *rq)
{
	const struct api *api = rq->program;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!is_local(rq))
		return error_set(&rq->error, ERR_not_found);
	out = open_memstream(&text, &len);
	assert(out != NULL);
	metrics_print(out, rq->db, api->onchain);
	fclose(out);
	reply_raw(rq, "text/plain; version=0.0.4; charset=utf-8", text, len);
	free(text);
	return 200;
}
