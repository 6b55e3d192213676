/*
 * Handlers of webhooks.fcgi: what payment and identity services tell us.  Each call is believed by its signature alone, which
 * is checked over the raw body before anything of it is read.  Each may come any number of times.
 */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/crypto.h"
#include "base/text.h"
#include "core/fiat.h"
#include "core/notify.h"
#include "core/operator.h"
#include "core/staff.h"
#include "http/reply.h"
#include "net/dlocal.h"

enum { NOTE_MAX_CHARS = 2000 };

static int
check_signature(struct request *rq, const char *secret)
{
	if (!dlocal_signed(secret, rq->body, rq->body_len, request_header(rq, "HTTP_X_SIGNATURE")))
		return error_set(&rq->error, ERR_signature_invalid);
	return 0;
}

int
api_webhooks_dlocal(struct request *rq)
{
	struct dlocal_payment said;
	struct fiat_deposit deposit;

	if (check_signature(rq, rq->config->dlocal_secret) ||
	    dlocal_read(rq, rq->body, rq->body_len, &said, &rq->error) ||
	    fiat_settle(rq->db, rq, &said, rq->now_ms, &deposit, &rq->error))
		return -1;
	reply_bool(rq->reply, "received", true);
	reply_text(rq->reply, "status", deposit.status);
	return 200;
}

struct kyc_input {
	const char *operator_id, *status, *note;
};

static const char *const kyc_verdicts[] = { "VERIFIED", "REJECTED", NULL };

static const struct field kyc_fields[] = {
	{ "operator_id", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct kyc_input, operator_id), .min = 1, .max = 100 },
	{ "status", FIELD_CHOICE, FIELD_REQUIRED, offsetof(struct kyc_input, status), .choices = kyc_verdicts },
	{ "note", FIELD_TEXT, FIELD_LINES, offsetof(struct kyc_input, note), .min = 1, .max = NOTE_MAX_CHARS },
};

/* A new verdict stands in the staff log as staff's own do, and the operator is told. */
static int
tell_of_verdict(struct request *rq, const struct kyc_input *in, struct id oper)
{
	enum notice notice = strcmp(in->status, "VERIFIED") == 0 ? NOTICE_KYC_VERIFIED : NOTICE_KYC_REJECTED;
	struct json_object *data = json_object_new_object();
	int rc;

	reply_text(data, "status", in->status);
	rc = staff_record(rq->db, "kyc_vendor", in->operator_id, data, rq->now_ms, &rq->error);
	json_object_put(data);
	rq->wakes_worker = true;
	return rc || notify_party(rq->db, oper, notice, (struct id){ { 0 } }, rq->now_ms, &rq->error) ? -1 : 0;
}

int
api_webhooks_kyc(struct request *rq)
{
	struct kyc_input in = { 0 };
	uint8_t hash[SHA256_SIZE];
	struct id oper;
	bool is_news;

	if (check_signature(rq, rq->config->kyc_webhook_secret) ||
	    request_read(rq, kyc_fields, nitems(kyc_fields), &in))
		return -1;
	if (id_parse(ID_OPERATOR, in.operator_id, &oper) != 0)
		return error_set(&rq->error, ERR_operator_not_found);
	crypto_sha256(rq->body, rq->body_len, hash);
	if (operator_kyc_call(rq->db, oper, in.status, in.note, hash, rq->now_ms, &is_news, &rq->error) ||
	    (is_news && tell_of_verdict(rq, &in, oper)))
		return -1;
	reply_bool(rq->reply, "received", true);
	reply_bool(rq->reply, "changed", is_news);
	return 200;
}
