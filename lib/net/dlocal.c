/*
 * dLocal's API as far as we use it: a payment is made, its page is where the payer goes, and later we ask or are told how it
 * went.  Every call has an end in time and size, and nothing that comes back is believed beyond its form: whether order and
 * amount are ours is core/fiat.c's to check, against what we stored.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "base/strict.h"
#include "base/text.h"
#include "net/dlocal.h"
#include "net/fetch.h"

enum { CREATE_MS = 10000, ASK_MS = 5000, ANSWER_MAX = 64 * 1024, TEXT_MAX = 2000, RETRY_S = 30 };

#define NOTIFICATION_PATH "/api/v1/webhooks/dlocal"

/* Any other status is one of a payment that is under way. */
static const struct {
	const char *name;
	enum dlocal_state state;
} states[] = {
	{ "PAID", DLOCAL_PAID },
	{ "COMPLETED", DLOCAL_PAID },
	{ "REJECTED", DLOCAL_FAILED },
	{ "CANCELLED", DLOCAL_FAILED },
	{ "EXPIRED", DLOCAL_FAILED },
};

/* Our words for ways to pay and dLocal's. */
static const struct {
	const char *ours, *theirs;
} methods[] = {
	{ "card", "CARD" },
	{ "bank_transfer", "BANK_TRANSFER" },
};

bool
dlocal_signed(const char *secret, const void *body, size_t len, const char *hex)
{
	uint8_t want[SHA256_SIZE], got[SHA256_SIZE];

	if (secret == NULL || hex == NULL || strlen(hex) != 2 * SHA256_SIZE ||
	    text_unhex(hex, got, sizeof(got)) != SHA256_SIZE)
		return false;
	crypto_hmac_sha256(secret, strlen(secret), body, len, want);
	return crypto_equal(want, got, SHA256_SIZE);
}

/* A text of sensible length; NULL if there is none. */
static const char *
text_of(const void *ctx, struct json_object *object, const char *name)
{
	struct json_object *value = json_object_object_get(object, name);
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0 || len > TEXT_MAX || len != (size_t)json_object_get_string_len(value) ||
	    text_has_control(text, false))
		return NULL;
	return talloc_strdup(ctx, text);
}

static enum dlocal_state
state_of(const char *status)
{
	for (size_t i = 0; i < nitems(states); i++)
		if (strcmp(status, states[i].name) == 0)
			return states[i].state;
	return DLOCAL_OPEN;
}

/* A number of dollars.  Another currency's number says nothing about ours. */
static bool
read_amount(struct json_object *object, const char *currency, usd_micros *amount)
{
	struct json_object *value = json_object_object_get(object, "amount");
	bool is_number = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);

	return is_number && (currency == NULL || strcmp(currency, "USD") == 0) &&
	       money_parse(json_object_get_string(value), amount) == 0;
}

int
dlocal_read(const void *ctx, const char *json, size_t len, struct dlocal_payment *payment, struct error *err)
{
	struct json_object *object = strict_parse(json, len, err);
	struct dlocal_payment read = { 0 };
	const char *status;
	bool is_good = object != NULL && err->code == ERR_none; /* a repeated name is none */

	if (is_good) {
		status = text_of(ctx, object, "status");
		read.id = text_of(ctx, object, "id");
		read.order_id = text_of(ctx, object, "order_id");
		read.redirect_url = text_of(ctx, object, "redirect_url");
		read.has_amount = json_object_object_get_ex(object, "currency", NULL)
				      ? read_amount(object, text_of(ctx, object, "currency"), &read.amount) &&
					    text_of(ctx, object, "currency") != NULL
				      : read_amount(object, NULL, &read.amount);
		is_good = status != NULL && read.order_id != NULL;
		if (is_good)
			read.state = state_of(status);
	}
	json_object_put(object);
	if (!is_good) {
		error_set(err, ERR_body_invalid);
		return error_detail(err, "reason", json_object_new_string("must be a payment"));
	}
	*payment = read;
	return 0;
}

/* Fails with the reason in the log: whoever pays can do nothing about it. */
static int
fail(struct error *err, const char *what, const char *why)
{
	log_text(LOG_LEVEL_WARNING, "dlocal", "%s: %s", what, why);
	error_set(err, ERR_fiat_unavailable);
	err->retry_after_s = RETRY_S;
	return -1;
}

/* X-Login, X-Date and body are signed; the headers end in NULL. */
static const char *const *
sign(const void *ctx, const struct config *config, const char *body, size_t len, int64_t now_ms)
{
	const char **headers = talloc_zero_array(ctx, const char *, 8);
	char date[TIME_TEXT_SIZE], hex[2 * SHA256_SIZE + 1];
	uint8_t mac[SHA256_SIZE];
	char *text;

	time_print(now_ms, date);
	text = talloc_asprintf(ctx, "%s%s%.*s", config->dlocal_login, date, (int)len, body);
	assert(headers != NULL && text != NULL);
	crypto_hmac_sha256(config->dlocal_secret, strlen(config->dlocal_secret), text, strlen(text), mac);
	text_hex(mac, sizeof(mac), hex);
	headers[0] = "Content-Type: application/json";
	headers[1] = "X-Version: 2.1";
	headers[2] = talloc_asprintf(ctx, "X-Date: %s", date);
	headers[3] = talloc_asprintf(ctx, "X-Login: %s", config->dlocal_login);
	headers[4] = talloc_asprintf(ctx, "X-Trans-Key: %s", config->dlocal_trans_key);
	headers[5] = talloc_asprintf(ctx, "Authorization: V2-HMAC-SHA256, Signature: %s", hex);
	return headers;
}

/* One call; the address is a setting, so it may be near and, as config.c allows, without TLS. */
static void
call(const void *ctx, const struct config *config, const char *url, const char *body, int timeout_ms, int64_t now_ms,
    struct fetch_answer *answer)
{
	size_t len = body != NULL ? strlen(body) : 0;
	struct fetch fetch = {
		.method = body != NULL ? "POST" : "GET",
		.url = url,
		.headers = sign(ctx, config, body != NULL ? body : "", len, now_ms),
		.body = body,
		.body_len = len,
		.timeout_ms = timeout_ms,
		.answer_max = ANSWER_MAX,
		.flags = FETCH_ALLOW_PRIVATE | (strncmp(url, "http://", 7) == 0 ? FETCH_ALLOW_HTTP : 0),
	};

	fetch_run(ctx, &fetch, answer);
}

/* A payment out of an answer, which must be about our order. */
static int
read_answer(const void *ctx, const char *what, const struct fetch_answer *answer, const char *order_id,
    struct dlocal_payment *payment, struct error *err)
{
	char status[32];

	if (answer->status == 0)
		return fail(err, what, answer->problem);
	if (answer->status < 200 || answer->status > 299) {
		snprintf(status, sizeof(status), "status %d", answer->status);
		return fail(err, what, status);
	}
	if (answer->is_cut || dlocal_read(ctx, answer->body, answer->body_len, payment, err))
		return fail(err, what, "an answer that is no payment");
	if (strcmp(payment->order_id, order_id) != 0)
		return fail(err, what, "an answer about another order");
	return 0;
}

static char *
order_body(const void *ctx, const struct config *config, const struct dlocal_order *order)
{
	struct json_object *body = json_object_new_object(), *payer = json_object_new_object();
	char amount[MONEY_TEXT_SIZE];
	const char *method = NULL;
	char *text;

	for (size_t i = 0; i < nitems(methods); i++)
		if (strcmp(order->method, methods[i].ours) == 0)
			method = methods[i].theirs;
	assert(method != NULL);
	money_print_cents(order->amount, amount);
	json_object_object_add(body, "amount", json_object_new_double_s(0, amount));
	json_object_object_add(body, "currency", json_object_new_string("USD"));
	json_object_object_add(body, "payment_method_id", json_object_new_string(method));
	json_object_object_add(body, "payment_method_flow", json_object_new_string("REDIRECT"));
	json_object_object_add(payer, "name", json_object_new_string(order->payer_name));
	json_object_object_add(payer, "email", json_object_new_string(order->payer_email));
	json_object_object_add(body, "payer", payer);
	json_object_object_add(body, "order_id", json_object_new_string(order->order_id));
	text = talloc_asprintf(ctx, "%s" NOTIFICATION_PATH, config->public_base_url);
	json_object_object_add(body, "notification_url", json_object_new_string(text));
	if (order->return_url != NULL)
		json_object_object_add(body, "callback_url", json_object_new_string(order->return_url));
	text = talloc_strdup(
	    ctx, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(body);
	return text;
}

/* A status that says that the order was understood and not taken; any other leaves it open what became of it. */
static bool
is_refusal(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 409 && status != 429;
}

int
dlocal_create(const void *ctx, const struct config *config, const struct dlocal_order *order, int64_t now_ms,
    struct dlocal_payment *payment, bool *is_refused, struct error *err)
{
	char *url = talloc_asprintf(ctx, "%s/payments", config->dlocal_url);
	struct fetch_answer answer = { 0 };
	const char *why;

	call(ctx, config, url, order_body(ctx, config, order), CREATE_MS, now_ms, &answer);
	*is_refused = is_refusal(answer.status);
	if (read_answer(ctx, "create", &answer, order->order_id, payment, err))
		return -1;
	/* Somebody is sent there with a card in hand. */
	if (payment->redirect_url == NULL ||
	    !fetch_url_ok(
		payment->redirect_url, config->is_development ? FETCH_ALLOW_HTTP | FETCH_ALLOW_PRIVATE : 0, &why))
		return fail(err, "create", "an answer without a page to pay on");
	return 0;
}

int
dlocal_ask(const void *ctx, const struct config *config, const char *id, const char *order_id, int64_t now_ms,
    struct dlocal_payment *payment, struct error *err)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	bool is_by_id = id != NULL && strspn(id, safe) == strlen(id); /* it is dLocal's text: never more of the path */
	char *url = talloc_asprintf(
	    ctx, "%s/%s/%s", config->dlocal_url, is_by_id ? "payments" : "orders", is_by_id ? id : order_id);
	struct fetch_answer answer = { 0 };

	call(ctx, config, url, NULL, ASK_MS, now_ms, &answer);
	if (answer.status == 404)
		return error_set(err, ERR_payment_not_found);
	return read_answer(ctx, "ask", &answer, order_id, payment, err);
}
