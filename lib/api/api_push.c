/* Handlers of operator.fcgi for web push: our key, subscribing, unsubscribing. */
#include <string.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/text.h"
#include "core/subscription.h"
#include "http/reply.h"
#include "net/fetch.h"
#include "net/push.h"

struct push_input {
	const char *endpoint, *p256dh, *auth;
	double expiration;
};

static const struct field key_fields[] = {
	{ "p256dh", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct push_input, p256dh), .min = 1, .max = 100 },
	{ "auth", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct push_input, auth), .min = 1, .max = 40 },
};

/* As PushSubscription.toJSON writes it; when the browser means to renew it is its own business. */
static const struct field subscribe_fields[] = {
	{ "endpoint", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct push_input, endpoint), .min = 1,
	    .max = ENDPOINT_MAX },
	{ "expirationTime", FIELD_NUMBER, 0, offsetof(struct push_input, expiration) },
	{ "keys", FIELD_OBJECT, FIELD_REQUIRED, 0, .sub = key_fields, .sub_count = nitems(key_fields) },
};

static const struct field unsubscribe_fields[] = {
	{ "endpoint", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct push_input, endpoint), .min = 1,
	    .max = ENDPOINT_MAX },
};

int
api_operator_push_key(struct request *rq)
{
	struct token_signer *signer = push_signer_new(rq, rq->config->push_key);

	if (request_query(rq, NULL, 0, NULL))
		return -1;
	reply_text(rq->reply, "public_key", push_public_key(signer, rq));
	return 200;
}

/* What the form of the fields cannot say; joins the faults found before. */
static int
check_subscription(struct request *rq, const struct push_input *in, struct push_browser *browser)
{
	unsigned flags = (rq->config->is_development ? FETCH_ALLOW_HTTP : 0) |
			 (rq->config->webhook_allow_private ? FETCH_ALLOW_PRIVATE : 0);
	const char *why, *faulty;

	if (in->endpoint != NULL && strlen(in->endpoint) > ENDPOINT_MAX)
		error_field(&rq->error, "endpoint", "is too long");
	else if (in->endpoint != NULL && !fetch_url_ok(in->endpoint, flags, &why))
		error_field(&rq->error, "endpoint", "%s", why);
	if (in->p256dh != NULL && in->auth != NULL && push_browser_read(in->p256dh, in->auth, browser, &faulty))
		error_field(&rq->error, strcmp(faulty, "auth") == 0 ? "keys.auth" : "keys.p256dh",
		    "is not what a browser's subscription holds");
	return rq->error.code == ERR_none ? 0 : -1;
}

int
api_operator_subscribe(struct request *rq)
{
	struct push_input in = { 0 };
	struct push_browser browser;

	if (request_read(rq, subscribe_fields, nitems(subscribe_fields), &in) &&
	    rq->error.code != ERR_validation_failed)
		return -1;
	if (check_subscription(rq, &in, &browser) ||
	    subscription_add(rq->db, rq->who.id, in.endpoint, &browser, rq->now_ms, &rq->error))
		return -1;
	reply_text(rq->reply, "endpoint", in.endpoint);
	reply_time(rq->reply, "created_at", rq->now_ms);
	return 201;
}

int
api_operator_unsubscribe(struct request *rq)
{
	struct push_input in = { 0 };
	bool was_there;

	if (request_read(rq, unsubscribe_fields, nitems(unsubscribe_fields), &in) ||
	    subscription_remove(rq->db, rq->who.id, in.endpoint, &was_there, &rq->error))
		return -1;
	reply_text(rq->reply, "endpoint", in.endpoint);
	reply_bool(rq->reply, "removed", was_there);
	return 200;
}
