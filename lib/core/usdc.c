/*
 * Rows of USDC deposits, by the SQL functions of the same names.  What counts as a deposit, and when, is deposit.c's
 * and watch.c's to say; that it is credited once, the database's.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/onchain.h"
#include "core/usdc.h"

enum { LOG_TEXT = 128 };

static const char *const status_names[] = { "pending", "confirmed", "reversed" };

const char *
usdc_status_name(enum usdc_status status)
{
	return status_names[status];
}

/* Nothing, or what a parser takes; 0 or -1. */
static int
read_hash(const char *text, struct eth_hash *out)
{
	return text == NULL ? 0 : eth_hash_parse(text, out);
}

static int
read_address(const char *text, struct eth_address *out)
{
	return text == NULL ? 0 : eth_address_parse(text, out);
}

static struct db_arg
hash_arg(struct eth_hash hash, char text[ETH_HASH_TEXT])
{
	static const struct eth_hash none;

	eth_hash_print(hash, text);
	return DB_TEXT(eth_hash_equal(hash, none) ? NULL : text);
}

static int
read_row(struct db_rows *rows, size_t row, struct usdc_deposit *out, struct error *err)
{
	const char *status = db_text(rows, row, "status");
	size_t i = 0;

	while (i < nitems(status_names) && strcmp(status_names[i], status) != 0)
		i++;
	*out = (struct usdc_deposit){
		.id = db_uuid(rows, row, "id"),
		.agent = db_uuid(rows, row, "agent_id"),
		.transaction = db_uuid(rows, row, "transaction_id"),
		.log_index = db_int(rows, row, "log_index"),
		.amount = db_int(rows, row, "amount"),
		.block_number = db_int(rows, row, "block_number"),
		.status = (enum usdc_status)i,
		.is_final = db_bool(rows, row, "is_final"),
		.created_ms = db_time(rows, row, "created_at"),
		.checked_ms = db_time(rows, row, "checked_at"),
	};
	if (i == nitems(status_names) || eth_hash_parse(db_text(rows, row, "tx_hash"), &out->hash) != 0 ||
	    read_hash(db_text(rows, row, "block_hash"), &out->block_hash) != 0 ||
	    read_address(db_text(rows, row, "wallet"), &out->wallet) != 0)
		return error_internal(err, "database: a deposit that makes no sense");
	return 0;
}

/* The one row of a call; takes the result. */
static int
read_one(struct db_rows *rows, struct usdc_deposit *out, struct error *err)
{
	int rc = -1;

	if (rows != NULL)
		rc = db_count(rows) == 1 ? read_row(rows, 0, out, err)
					 : error_internal(err, "database: no such deposit");
	talloc_free(rows);
	return rc;
}

/* The same, of a deposit that may have another status now: that is counted. */
static int
read_moved(struct db_rows *rows, struct usdc_deposit *deposit, struct error *err)
{
	enum usdc_status before = deposit->status;

	if (read_one(rows, deposit, err))
		return -1;
	if (deposit->status != before)
		count_add(COUNT_usdc_deposits, 1, COUNT_LABELS(status_names[deposit->status]));
	return 0;
}

static int
read_list(struct db_rows *rows, const void *ctx, struct usdc_deposit **out, size_t *count, struct error *err)
{
	int rc = 0;

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(ctx, struct usdc_deposit, (unsigned)*count + 1);
	for (size_t i = 0; rc == 0 && i < *count; i++)
		rc = read_row(rows, i, &(*out)[i], err);
	talloc_free(rows);
	return rc;
}

/* Chain, transaction and place in it: what is credited once, whoever asks. */
static void
print_log(const struct onchain *onchain, const struct chain_transfer *transfer, char out[LOG_TEXT])
{
	char hash[ETH_HASH_TEXT];

	eth_hash_print(transfer->transaction, hash);
	snprintf(out, LOG_TEXT, "%lld:%s:%lld", (long long)onchain->chain_id, hash, (long long)transfer->log_index);
}

int
usdc_owner(struct db *db, const struct onchain *onchain, const struct chain_transfer *transfer, struct id *agent,
    struct error *err)
{
	char log[LOG_TEXT];
	struct db_rows *rows;

	memset(agent, 0, sizeof(*agent));
	print_log(onchain, transfer, log);
	rows = db_call(db, NULL, err, "registry_find", id_bucket_of("chain_log", log),
	    DB_ARGS(DB_TEXT("chain_log"), DB_TEXT(log)));
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0)
		*agent = db_uuid(rows, 0, "party_id");
	talloc_free(rows);
	return 0;
}

static int
claim(struct db *db, const struct onchain *onchain, struct id agent, const struct chain_transfer *transfer,
    int64_t now_ms, struct error *err)
{
	char log[LOG_TEXT];
	struct db_rows *rows;

	print_log(onchain, transfer, log);
	rows = db_call(db, NULL, err, "registry_claim", id_bucket_of("chain_log", log),
	    DB_ARGS(DB_TEXT("chain_log"), DB_TEXT(log), DB_UUID(agent), DB_TEXT("deposit_taken"), DB_TIME(now_ms)));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
usdc_seen(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    const struct chain_transfer *transfer, int64_t now_ms, struct usdc_deposit *out, struct error *err)
{
	int bucket = id_bucket(agent);
	char hash[ETH_HASH_TEXT], block_hash[ETH_HASH_TEXT], wallet[ETH_ADDRESS_TEXT];
	bool has_block = !onchain->is_test;

	if (claim(db, onchain, agent, transfer, now_ms, err))
		return -1;
	eth_hash_print(transfer->transaction, hash);
	eth_address_print_lower(transfer->from, wallet);
	return read_one(
	    db_call(db, ctx, err, "usdc_seen", bucket,
		DB_ARGS(DB_UUID(agent), DB_UUID(id_new(bucket, now_ms)), DB_INT(onchain->chain_id), DB_TEXT(hash),
		    DB_INT(transfer->log_index), DB_TEXT(has_block ? wallet : NULL),
		    DB_MONEY((usd_micros)transfer->amount), has_block ? DB_INT(transfer->block_number) : DB_NONE,
		    hash_arg(transfer->block_hash, block_hash), DB_TIME(now_ms))),
	    out, err);
}

int
usdc_confirm(struct db *db, const void *ctx, struct usdc_deposit *deposit, int64_t now_ms, struct error *err)
{
	char block_hash[ETH_HASH_TEXT];

	return read_moved(db_call(db, ctx, err, "usdc_confirm", id_bucket(deposit->agent),
			      DB_ARGS(DB_UUID(deposit->agent), DB_UUID(deposit->id),
				  hash_arg(deposit->block_hash, block_hash), DB_TIME(now_ms))),
	    deposit, err);
}

int
usdc_reverse(struct db *db, const void *ctx, struct usdc_deposit *deposit, int64_t now_ms, struct error *err)
{
	char block_hash[ETH_HASH_TEXT];

	return read_moved(db_call(db, ctx, err, "usdc_reverse", id_bucket(deposit->agent),
			      DB_ARGS(DB_UUID(deposit->agent), DB_UUID(deposit->id),
				  hash_arg(deposit->block_hash, block_hash), DB_TIME(now_ms))),
	    deposit, err);
}

int
usdc_final(struct db *db, const struct usdc_deposit *deposit, struct error *err)
{
	char block_hash[ETH_HASH_TEXT];
	struct db_rows *rows;

	rows = db_call(db, NULL, err, "usdc_final", id_bucket(deposit->agent),
	    DB_ARGS(DB_UUID(deposit->agent), DB_UUID(deposit->id), hash_arg(deposit->block_hash, block_hash)));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
usdc_checked(struct db *db, const struct usdc_deposit *deposit, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(
	    db, NULL, err, "usdc_checked", id_bucket(deposit->agent), DB_ARGS(DB_UUID(deposit->id), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
usdc_of_transaction(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    struct eth_hash hash, struct usdc_deposit **out, size_t *count, struct error *err)
{
	char text[ETH_HASH_TEXT];

	eth_hash_print(hash, text);
	return read_list(db_call(db, ctx, err, "usdc_of_transaction", id_bucket(agent),
			     DB_ARGS(DB_UUID(agent), DB_INT(onchain->chain_id), DB_TEXT(text))),
	    ctx, out, count, err);
}

int
usdc_open(struct db *db, const void *ctx, const struct onchain *onchain, int64_t limit, struct usdc_deposit **out,
    size_t *count, struct error *err)
{
	return read_list(
	    db_call_everywhere(db, ctx, err, "usdc_open_everywhere", DB_ARGS(DB_INT(onchain->chain_id), DB_INT(limit))),
	    ctx, out, count, err);
}
