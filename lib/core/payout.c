/*
 * Requests for money and what has become of them; see payout.h.  That no balance is paid out twice is SQL's doing
 * (payout_request).
 */
#include <poll.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/onchain.h"
#include "core/payout.h"

enum { POLL_MS = 100 };

const char *
payout_status(const struct payout *payout)
{
	if (strcmp(payout->state, "completed") == 0)
		return "COMPLETED";
	return strcmp(payout->state, "failed") == 0 ? "FAILED" : "PENDING_ONCHAIN";
}

bool
payout_is_over(const struct payout *payout)
{
	return strcmp(payout_status(payout), "PENDING_ONCHAIN") != 0;
}

int
payout_address(const char *text, const struct onchain *onchain, struct eth_address payer, struct eth_address *out,
    const char **why)
{
	static const struct eth_address none;
	int rc = eth_address_parse(text, out);

	*why = rc == -2					 ? "has a wrong checksum (EIP-55); a digit may be mistaken"
	       : rc != 0				 ? "must be an address: 0x and 40 hexadecimal digits"
	       : eth_address_is_burn(*out)		 ? "is an address whose money is lost"
	       : eth_address_equal(*out, onchain->token) ? "is the token's own contract, which gives nothing back"
	       : eth_address_equal(*out, onchain->deposit) ||
		       (!eth_address_equal(payer, none) && eth_address_equal(*out, payer))
		   ? "is one of our own addresses"
		   : NULL;
	return *why == NULL ? 0 : -1;
}

void
payout_read(struct db_rows *rows, size_t row, struct payout *out)
{
	struct eth_address to = { { 0 } };
	char *text = talloc_zero_size(rows, ETH_ADDRESS_TEXT);

	eth_address_parse(db_text(rows, row, "to_address"), &to);
	eth_address_print(to, text);
	*out = (struct payout){
		.id = db_uuid(rows, row, "id"),
		.party = db_uuid(rows, row, "party_id"),
		.is_agents = strcmp(db_text(rows, row, "party_kind"), "agent") == 0,
		.amount = db_int(rows, row, "amount"),
		.gas_fee = db_int(rows, row, "gas_fee"),
		.to_address = text,
		.chain_id = db_int(rows, row, "chain_id"),
		.state = db_text(rows, row, "status"),
		.has_nonce = !db_is_null(rows, row, "nonce"),
		.nonce = db_int(rows, row, "nonce"),
		.sender = db_text(rows, row, "sender"),
		.tx_hash = db_text(rows, row, "tx_hash"),
		.is_cancelled = db_bool(rows, row, "is_cancelled"),
		.problem = db_text(rows, row, "problem"),
		.block_number = db_int(rows, row, "block_number"),
		.created_ms = db_time(rows, row, "created_at"),
		.signed_ms = db_time(rows, row, "signed_at"),
		.settled_ms = db_time(rows, row, "settled_at"),
		.retried_ms = db_time(rows, row, "retried_at"),
	};
}

static int
read_one(struct db_rows *rows, struct payout *out, struct error *err)
{
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return error_set(err, ERR_payout_not_found);
	payout_read(rows, 0, out);
	return 0;
}

static int
read_all(struct db_rows *rows, struct payout **out, size_t *count)
{
	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct payout, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		payout_read(rows, i, &(*out)[i]);
	return 0;
}

int
payout_request(struct db *db, const void *ctx, const struct onchain *onchain, const struct payout_new *in,
    int64_t now_ms, struct payout *out, struct error *err)
{
	int bucket = id_bucket(in->party);
	char to[ETH_ADDRESS_TEXT];

	eth_address_print_lower(in->to, to);
	if (read_one(db_call(db, ctx, err, "payout_request", bucket,
			 DB_ARGS(DB_UUID(in->party), DB_TEXT(in->is_agents ? "agent" : "operator"),
			     DB_UUID(id_new(bucket, now_ms)), DB_MONEY(in->amount), DB_MONEY(in->gas_fee), DB_TEXT(to),
			     DB_INT(onchain->chain_id), DB_BOOL(onchain->is_test), DB_TIME(now_ms))),
		out, err))
		return -1;
	count_add(COUNT_payouts, 1, COUNT_LABELS("requested"));
	return 0;
}

int
payout_find(struct db *db, const void *ctx, struct id party, struct id id, struct payout *out, struct error *err)
{
	return read_one(
	    db_call(db, ctx, err, "payout_find", id_bucket(party), DB_ARGS(DB_UUID(party), DB_UUID(id))), out, err);
}

int
payout_load(struct db *db, const void *ctx, struct id id, struct payout *out, struct error *err)
{
	return read_one(db_call(db, ctx, err, "payout_load", id_bucket(id), DB_ARGS(DB_UUID(id))), out, err);
}

int
payout_list(struct db *db, const void *ctx, struct id party, struct id before, int64_t limit, struct payout **out,
    size_t *count, struct error *err)
{
	return read_all(db_call(db, ctx, err, "payout_list", id_bucket(party),
			    DB_ARGS(DB_UUID(party), DB_UUID(before), DB_INT(limit))),
	    out, count);
}

int
payout_list_all(struct db *db, const void *ctx, const char *const *states, struct id before, int64_t limit,
    struct payout **out, size_t *count, struct error *err)
{
	struct json_object *names = json_object_new_array();
	int rc;

	for (size_t i = 0; states[i] != NULL; i++)
		json_object_array_add(names, json_object_new_string(states[i]));
	rc = read_all(db_call_everywhere(
			  db, ctx, err, "payouts_everywhere", DB_ARGS(DB_JSON(names), DB_UUID(before), DB_INT(limit))),
	    out, count);
	json_object_put(names);
	return rc;
}

int
payout_wait(struct db *db, const void *ctx, struct id id, int wait_ms, struct payout *out, struct error *err)
{
	int64_t end = now_monotonic_ms() + wait_ms;

	for (;;) {
		if (payout_load(db, ctx, id, out, err))
			return -1;
		if (out->tx_hash != NULL || payout_is_over(out) || now_monotonic_ms() >= end)
			return 0;
		poll(NULL, 0, POLL_MS);
	}
}

static void
read_try(struct db_rows *rows, size_t row, struct payout_try *out)
{
	*out = (struct payout_try){
		.attempt = (int)db_int(rows, row, "attempt"),
		.is_cancel = strcmp(db_text(rows, row, "kind"), "cancel") == 0,
		.max_fee = (uint64_t)db_int(rows, row, "max_fee"),
		.tip = (uint64_t)db_int(rows, row, "tip"),
		.gas_limit = (uint64_t)db_int(rows, row, "gas_limit"),
		.created_ms = db_time(rows, row, "created_at"),
		.sent_ms = db_time(rows, row, "sent_at"),
	};
	eth_hash_parse(db_text(rows, row, "hash"), &out->hash);
	out->raw = db_bytes(rows, row, "raw", &out->raw_len);
}

int
payout_tries(struct db *db, const void *ctx, struct id id, struct payout_try **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "payout_tries", id_bucket(id), DB_ARGS(DB_UUID(id)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct payout_try, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		read_try(rows, i, &(*out)[i]);
	return 0;
}

int
payout_retry(struct db *db, const void *ctx, struct id id, int64_t now_ms, struct payout *out, struct error *err)
{
	return read_one(
	    db_call(db, ctx, err, "payout_retry", id_bucket(id), DB_ARGS(DB_UUID(id), DB_TIME(now_ms))), out, err);
}

int
payout_cancel(struct db *db, const void *ctx, struct id id, int64_t now_ms, struct payout *out, struct error *err)
{
	return read_one(
	    db_call(db, ctx, err, "payout_cancel", id_bucket(id), DB_ARGS(DB_UUID(id), DB_TIME(now_ms))), out, err);
}
