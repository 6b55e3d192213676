/*
 * The chain against the ledger; see reserve.h.  Tokens that anybody sends us make a surplus, which is shown and
 * changes nothing; what is missing, by however little, stops new payouts until staff has looked.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "chain/chain.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/payout.h"
#include "core/reserve.h"
#include "core/staff.h"

enum { CHECK_MS = 30 * 1000, REASON_SIZE = 200, TARGET_SIZE = 40 };

static void
read_reserves(struct json_object *from, struct reserves *out)
{
	out->deposit_address = json_object_get_int64(json_object_object_get(from, "deposit_address"));
	out->payout_address = json_object_get_int64(json_object_object_get(from, "payout_address"));
	out->custody = json_object_get_int64(json_object_object_get(from, "custody"));
	out->in_flight = json_object_get_int64(json_object_object_get(from, "in_flight"));
	out->difference = json_object_get_int64(json_object_object_get(from, "difference"));
	out->liabilities = json_object_get_int64(json_object_object_get(from, "liabilities"));
}

static struct json_object *
write_reserves(const struct reserves *reserves, int64_t block)
{
	struct json_object *to = json_object_new_object();

	json_object_object_add(to, "deposit_address", json_object_new_int64(reserves->deposit_address));
	json_object_object_add(to, "payout_address", json_object_new_int64(reserves->payout_address));
	json_object_object_add(to, "custody", json_object_new_int64(reserves->custody));
	json_object_object_add(to, "in_flight", json_object_new_int64(reserves->in_flight));
	json_object_object_add(to, "difference", json_object_new_int64(reserves->difference));
	json_object_object_add(to, "liabilities", json_object_new_int64(reserves->liabilities));
	json_object_object_add(to, "block", json_object_new_int64(block));
	return to;
}

/* What the ledger says that we hold and owe. */
static int
read_ledger(struct db *db, const void *ctx, struct reserves *out, struct error *err)
{
	static const char *const owed[] = { "deposits", "escrow", "pending", "available", "in_flight", "revenue", "gas",
		"receivable" };
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "custody_everywhere", NULL, 0);

	if (rows == NULL)
		return -1;
	out->custody = db_int(rows, 0, "custody");
	out->liabilities = 0;
	for (size_t i = 0; i < nitems(owed); i++)
		out->liabilities += db_int(rows, 0, owed[i]);
	return 0;
}

/*
 * How many transactions an address had sent as of a block; the last one asked about is remembered, as most payouts
 * have one sender.
 */
struct sender {
	const char *text;
	int64_t used;
};

static int
ask_used(const struct onchain *onchain, int64_t block, const char *text, struct sender *last, struct error *err)
{
	struct eth_address address;

	if (last->text != NULL && strcmp(last->text, text) == 0)
		return 0;
	if (eth_address_parse(text, &address) != 0)
		return error_internal(err, "a payout's sender is none");
	if (chain_nonce(onchain->chain, address, block, &last->used, err))
		return -1;
	last->text = text;
	return 0;
}

/*
 * A payout's nonce is used as of a block: by a transfer of its own, or by what moved none of its money, as a cancel
 * or somebody else?
 */
static int
find_transfer(struct db *db, const void *ctx, const struct onchain *onchain, struct id payout, int64_t block,
    bool *is_gone, struct error *err)
{
	struct chain_receipt receipt;
	struct payout_try *tries;
	size_t count;

	*is_gone = false;
	if (payout_tries(db, ctx, payout, &tries, &count, err))
		return -1;
	for (size_t i = 0; i < count && !*is_gone; i++) {
		if (tries[i].is_cancel)
			continue;
		if (chain_receipt(onchain->chain, ctx, tries[i].hash, &receipt, err))
			return -1;
		*is_gone = receipt.found == CHAIN_MINED && receipt.confirmations > 0 && receipt.block_number <= block;
	}
	return 0;
}

/* What signed payouts have taken away as of a block, though the ledger does not say so yet. */
static int
sum_gone(struct db *db, const void *ctx, const struct onchain *onchain, const struct db_rows *rows, int64_t block,
    usd_micros *sum, struct error *err)
{
	struct sender last = { NULL, 0 };
	bool is_gone;

	*sum = 0;
	for (size_t i = 0; i < db_count(rows); i++) {
		if (ask_used(onchain, block, db_text(rows, i, "sender"), &last, err))
			return -1;
		if (db_int(rows, i, "nonce") >= last.used)
			continue;
		if (find_transfer(db, ctx, onchain, db_uuid(rows, i, "id"), block, &is_gone, err))
			return -1;
		if (is_gone)
			*sum += db_int(rows, i, "amount") - db_int(rows, i, "gas_fee");
	}
	return 0;
}

/* One address's tokens; more than the ledger can hold is nothing that one can go by. */
static int
read_balance(
    const struct onchain *onchain, struct eth_address address, int64_t block, usd_micros *out, struct error *err)
{
	uint64_t amount;

	if (chain_token_balance(onchain->chain, address, block, &amount, err))
		return -1;
	*out = amount > INT64_MAX / 4 ? INT64_MAX / 4 : (usd_micros)amount;
	return 0;
}

static int
read_chain(struct db *db, const void *ctx, const struct onchain *onchain, const char *payer_text,
    const struct db_rows *signed_rows, int64_t block, struct reserves *out, struct error *err)
{
	struct eth_address payer;
	bool has_payer = payer_text != NULL && eth_address_parse(payer_text, &payer) == 0 &&
			 !eth_address_equal(payer, onchain->deposit);

	out->payout_address = 0;
	if (read_balance(onchain, onchain->deposit, block, &out->deposit_address, err) ||
	    (has_payer && read_balance(onchain, payer, block, &out->payout_address, err)) ||
	    sum_gone(db, ctx, onchain, signed_rows, block, &out->in_flight, err))
		return -1;
	out->difference = out->deposit_address + out->payout_address - (out->custody - out->in_flight);
	return 0;
}

static void
print_reason(const struct reserves *now, char out[REASON_SIZE])
{
	char held[MONEY_TEXT_SIZE], wanted[MONEY_TEXT_SIZE];

	money_print_cents(now->deposit_address + now->payout_address, held);
	money_print_cents(now->custody - now->in_flight, wanted);
	snprintf(out, REASON_SIZE, "the chain holds %s USDC for us, the ledger says %s", held, wanted);
}

/* Staff is told in its log, and whoever watches ours. */
static int
tell_staff(struct worker *worker, const struct onchain *onchain, const char *reason, struct error *err)
{
	struct json_object *data = json_object_new_object();
	char target[TARGET_SIZE];
	int rc;

	snprintf(target, sizeof(target), "chain_%lld", (long long)onchain->chain_id);
	json_object_object_add(data, "reason", json_object_new_string(reason));
	rc = staff_record(worker->db, "payouts.frozen", target, data, worker->now_ms, err);
	log_event(LOG_LEVEL_ERROR, "payouts_frozen", data);
	return rc;
}

/* One transaction: frozen, and staff told, or neither. */
static int
store(struct worker *worker, const void *ctx, const struct onchain *onchain, const struct reserves *now, int64_t block,
    bool is_short, struct error *err)
{
	struct json_object *json = write_reserves(now, block);
	struct db *db = worker->db;
	struct db_rows *rows;
	char reason[REASON_SIZE];
	int rc = -1;

	print_reason(now, reason);
	if (db_begin(db, err))
		goto out;
	rows = db_call(db, ctx, err, "chain_reserves", onchain_bucket(onchain),
	    DB_ARGS(
		DB_INT(onchain->chain_id), DB_JSON(json), DB_BOOL(is_short), DB_TEXT(reason), DB_TIME(worker->now_ms)));
	if (rows == NULL || (db_bool(rows, 0, "chain_reserves") && tell_staff(worker, onchain, reason, err)) ||
	    db_commit(db, err))
		goto out;
	rc = 0;
out:
	db_rollback(db);
	json_object_put(json);
	return rc;
}

/*
 * The signed payouts are read before the custody, and both before the head: a payout that ends or a deposit that
 * comes meanwhile makes a surplus then, and never an alarm.
 */
static int
check(struct worker *worker, const void *ctx, const struct onchain *onchain, const struct db_rows *state,
    struct error *err)
{
	struct json_object *json = db_json(state, 0, "reserves");
	struct reserves before = { 0 }, now = { 0 };
	struct chain_head head;
	struct db_rows *signed_rows;
	int64_t block;

	read_reserves(json, &before);
	json_object_put(json);
	signed_rows =
	    db_call_everywhere(worker->db, ctx, err, "payouts_signed_everywhere", DB_ARGS(DB_INT(onchain->chain_id)));
	if (signed_rows == NULL || read_ledger(worker->db, ctx, &now, err) || chain_head(onchain->chain, &head, err))
		return -1;
	block = head.number - onchain->confirmations + 1;
	if (block < 0)
		return 0; /* nothing is confirmed on so young a chain */
	if (read_chain(worker->db, ctx, onchain, db_text(state, 0, "payout_address"), signed_rows, block, &now, err))
		return -1;
	if (now.difference < 0 && before.difference >= 0)
		log_text(LOG_LEVEL_WARNING, "reserves_short", "%lld millionths are missing at block %lld",
		    (long long)-now.difference, (long long)block);
	return store(worker, ctx, onchain, &now, block, now.difference < 0 && before.difference < 0, err);
}

int
reserve_check(struct worker *worker, const struct onchain *onchain, struct error *err)
{
	char *ctx = talloc_strdup(NULL, "reserve");
	struct db_rows *rows;
	int rc = 0;

	if (onchain->chain != NULL) {
		rows = onchain_state(worker->db, ctx, onchain, err);
		if (rows == NULL)
			rc = -1;
		else if (db_count(rows) > 0 && worker->now_ms - db_time(rows, 0, "reserves_at") >= CHECK_MS)
			rc = check(worker, ctx, onchain, rows, err);
	}
	talloc_free(ctx);
	return rc;
}

int
reserve_show(struct db *db, const void *ctx, const struct onchain *onchain, struct reserves *out, struct error *err)
{
	struct db_rows *rows = onchain_state(db, ctx, onchain, err);
	struct json_object *json;

	*out = (struct reserves){ .is_known = false };
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return 0;
	json = db_json(rows, 0, "reserves");
	out->is_known = json != NULL;
	read_reserves(json, out);
	json_object_put(json);
	out->checked_ms = db_time(rows, 0, "reserves_at");
	out->is_frozen = db_bool(rows, 0, "is_frozen");
	out->reason = db_text(rows, 0, "frozen_reason");
	return 0;
}

int
reserve_unfreeze(struct db *db, const struct onchain *onchain, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "chain_frozen", onchain_bucket(onchain),
	    DB_ARGS(DB_INT(onchain->chain_id), DB_BOOL(false), DB_TEXT(NULL), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}
