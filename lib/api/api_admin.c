/* Handlers of admin.fcgi, for staff. */
#include <json-c/json.h>
#include "api/api.h"
#include "base/config.h"
#include "base/now.h"
#include "base/text.h"
#include "http/reply.h"

enum { ADVANCE_MAX_S = 10 * 366 * 86400 };

struct clock_input {
	int64_t advance_s;
};

static const struct field clock_fields[] = {
	{ "advance_seconds", FIELD_INT, FIELD_REQUIRED, offsetof(struct clock_input, advance_s), .min = 0,
	    .max = ADVANCE_MAX_S },
};

/* Development only: everywhere else there is no such address. */
int
api_admin_clock(struct request *rq)
{
	struct clock_input in = { 0 };

	if (!rq->config->is_development)
		return error_set(&rq->error, ERR_not_found);
	if (request_read(rq, clock_fields, nitems(clock_fields), &in))
		return -1;
	reply_int(rq->reply, "offset_seconds", now_advance(in.advance_s * 1000) / 1000);
	reply_time(rq->reply, "now", now_ms());
	rq->wakes_worker = true;
	return 200;
}
