/*
 * The watch over the chain; see watch.h.  Each look is bounded in time and writes only what bears a repeat: what an earlier look
 * did not come to, the next one does.  A hint or a receipt that cannot be had holds up nothing but itself, so that nobody can stop
 * the watch by a transaction that no server cares to show.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "chain/chain.h"
#include "core/deposit.h"
#include "core/gas.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/reserve.h"
#include "core/usdc.h"
#include "core/wallet.h"
#include "core/watch.h"

enum {
	LOOK_MS = 20000,  /* no call to the chain begins later in a look */
	PAUSE_MS = 2000,  /* a block of Base */
	AWAY_MS = 5000,	  /* while the chain is away */
	STEP = 1000,	  /* blocks asked for at once … */
	STEP_SHRINK = 10, /* … and a tenth of them where that was too much for the server */
	FIRST_BLOCKS = 1000,
	OVERLAP = 12,	   /* blocks that are searched again, should a reorganisation have changed them */
	OPEN_MAX = 1000,   /* deposits in one look */
	RECHECK_MS = 5000, /* a deposit is looked at again after */
	MISSING_MS =
	    12000, /* one that is not there for so long is gone: a reorganisation may bring it back within some blocks */
	UNWATCHED_MS = 60000, /* after so long without a look nobody knows since when it is missing */
};

/* One look. */
struct look {
	struct db *db;
	char *ctx;
	const struct onchain *onchain;
	struct chain_head head;
	int64_t end_ms; /* monotonic */
};

static bool
has_time(const struct look *look)
{
	return now_monotonic_ms() < look->end_ms;
}

/* 0 if an error is about one thing alone and the look goes on, since the chain answers to other questions. */
static int
go_on(const struct look *look, struct error *err)
{
	struct chain_head head;

	if (err->code == ERR_deposit_taken || err->code == ERR_wallet_required) {
		error_clear(err);
		return 0;
	}
	if (err->code != ERR_chain_unavailable)
		return -1;
	error_clear(err);
	return chain_head(look->onchain->chain, &head, err);
}

/* What the agent is known to have of this transaction, as this block has it. */
static int
is_known(const struct look *look, struct id agent, const struct chain_transfer *hint, bool *known, struct error *err)
{
	struct usdc_deposit *rows;
	size_t count;

	*known = false;
	if (usdc_of_transaction(look->db, look->ctx, look->onchain, agent, hint->transaction, &rows, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++)
		*known |= rows[i].status != USDC_REVERSED && eth_hash_equal(rows[i].block_hash, hint->block_hash);
	return 0;
}

/* A hint that may be an agent's deposit: the receipt tells. */
static int
follow(const struct look *look, struct id agent, const struct chain_transfer *hint, struct error *err)
{
	struct chain_receipt receipt;

	if (chain_receipt(look->onchain->chain, look->ctx, hint->transaction, &receipt, err))
		return -1;
	if (!deposit_counts(&receipt))
		return 0;
	if (deposit_take(look->db, look->ctx, look->onchain, agent, hint->from, &receipt, now_ms(), err))
		return -1;
	return db_commit(look->db, err);
}

/* is_new: the block was not searched before.  Anybody may send nothing in anybody's name: that is not even looked at. */
static int
find(const struct look *look, const struct chain_transfer *hint, bool is_new, struct error *err)
{
	struct id agent;
	bool known;

	if (!hint->is_huge && hint->amount == 0)
		return 0;
	if (wallet_owner(look->db, hint->from, &agent, err))
		return -1;
	if (id_is_nil(agent))
		return 0;
	if (!deposit_fits(look->onchain, hint)) {
		if (is_new)
			deposit_log_odd(agent, hint);
		return 0;
	}
	if (is_known(look, agent, hint, &known, err))
		return -1;
	return known ? 0 : follow(look, agent, hint, err);
}

static int64_t
overlap(const struct onchain *onchain)
{
	return onchain->confirmations > OVERLAP && onchain->confirmations < STEP / STEP_SHRINK ? onchain->confirmations
											       : OVERLAP;
}

/* Transfers from `from` on: *to is how far the answer goes, less than was asked where that was too much. */
static int
ask_hints(const struct look *look, int64_t from, int64_t first, int64_t *to, struct chain_transfer **hints,
    size_t *count, struct error *err)
{
	for (int64_t blocks = STEP;; blocks /= STEP_SHRINK) {
		int64_t last = from + blocks - 1;

		if (last > look->head.number)
			last = look->head.number;
		*to = last > first ? last : first;
		if (chain_transfers(
			look->onchain->chain, look->ctx, look->onchain->deposit, from, *to, hints, count, err) == 0)
			return 0;
		if (err->code != ERR_chain_unavailable || *to == first || !has_time(look))
			return -1;
		error_clear(err);
	}
}

/* Blocks first to *to; *to comes nearer where the time was not enough. */
static int
scan_step(const struct look *look, int64_t first, int64_t *to, struct error *err)
{
	int64_t from = first > overlap(look->onchain) ? first - overlap(look->onchain) : 0;
	struct chain_transfer *hints;
	size_t count;

	if (ask_hints(look, from, first, to, &hints, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!has_time(look) && hints[i].block_number > first) {
			if (hints[i].block_number <= *to)
				*to = hints[i].block_number - 1;
			return 0;
		}
		if (find(look, &hints[i], hints[i].block_number >= first, err)) {
			db_rollback(look->db);
			if (go_on(look, err))
				return -1;
		}
	}
	return 0;
}

static int
load_scanned(const struct look *look, int64_t *scanned, struct error *err)
{
	struct db_rows *rows = db_call(look->db, NULL, err, "chain_state", onchain_bucket(look->onchain),
	    DB_ARGS(DB_INT(look->onchain->chain_id)));

	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0 && !db_is_null(rows, 0, "scanned_block"))
		*scanned = db_int(rows, 0, "scanned_block");
	else
		*scanned = look->head.number > FIRST_BLOCKS ? look->head.number - FIRST_BLOCKS : -1;
	talloc_free(rows);
	return 0;
}

/* 1; 0 if another worker has been here meanwhile. */
static int
store_scanned(const struct look *look, int64_t first, int64_t to, struct error *err)
{
	struct db_rows *rows = db_call(look->db, NULL, err, "chain_scanned", onchain_bucket(look->onchain),
	    DB_ARGS(DB_INT(look->onchain->chain_id), DB_INT(first), DB_INT(to), DB_INT(look->head.number),
		DB_TIME(now_ms())));
	int rc = rows == NULL ? -1 : db_bool(rows, 0, "chain_scanned");

	talloc_free(rows);
	return rc;
}

/* Looks for transfers in the blocks since the last look.  *is_behind: there are more. */
static int
scan(const struct look *look, bool *is_behind, struct error *err)
{
	int64_t scanned, to;
	int rc = 1;

	if (load_scanned(look, &scanned, err))
		return -1;
	for (to = scanned; rc > 0 && scanned < look->head.number && has_time(look); scanned = to) {
		if (scan_step(look, scanned + 1, &to, err))
			return -1;
		rc = store_scanned(look, scanned + 1, to, err);
	}
	*is_behind = scanned < look->head.number;
	return rc < 0 ? -1 : 0;
}

/* The deposit's own transfer in what the chain says now; NULL: it is not there. */
static const struct chain_transfer *
transfer_of(const struct look *look, const struct usdc_deposit *deposit, const struct chain_receipt *receipt)
{
	for (size_t i = 0; deposit_counts(receipt) && i < receipt->transfer_count; i++) {
		const struct chain_transfer *transfer = &receipt->transfers[i];

		if (transfer->log_index == deposit->log_index && deposit_fits(look->onchain, transfer) &&
		    eth_address_equal(transfer->from, deposit->wallet))
			return transfer;
	}
	return NULL;
}

/* It is there, maybe in another block than before. */
static int
stands(const struct look *look, struct usdc_deposit *deposit, const struct chain_transfer *transfer,
    int64_t confirmations, struct error *err)
{
	int64_t now = now_ms();

	if (db_begin(look->db, err))
		return -1;
	if (!eth_hash_equal(transfer->block_hash, deposit->block_hash) &&
	    usdc_seen(look->db, look->ctx, look->onchain, deposit->agent, transfer, now, deposit, err))
		return -1;
	if (deposit->status == USDC_PENDING && confirmations >= look->onchain->confirmations &&
	    usdc_confirm(look->db, look->ctx, deposit, now, err))
		return -1;
	if (deposit->status == USDC_CONFIRMED && transfer->block_number <= look->head.finalized &&
	    usdc_final(look->db, deposit, err))
		return -1;
	if (usdc_checked(look->db, deposit, now, err))
		return -1;
	return db_commit(look->db, err);
}

static void
log_reversed(const struct usdc_deposit *deposit)
{
	struct json_object *fields = json_object_new_object();
	char hash[ETH_HASH_TEXT], agent[ID_TEXT_SIZE], amount[MONEY_TEXT_SIZE];

	eth_hash_print(deposit->hash, hash);
	id_print(ID_AGENT, deposit->agent, agent);
	money_print(deposit->amount, amount);
	json_object_object_add(fields, "agent_id", json_object_new_string(agent));
	json_object_object_add(fields, "tx_hash", json_object_new_string(hash));
	json_object_object_add(fields, "amount_usdc", json_object_new_string(amount));
	log_event(LOG_LEVEL_ERROR, "deposit_reversed", fields);
}

static int
reverse(const struct look *look, struct usdc_deposit *deposit, struct error *err)
{
	bool was_credited = deposit->status == USDC_CONFIRMED;

	if (db_begin(look->db, err) || usdc_reverse(look->db, look->ctx, deposit, now_ms(), err) ||
	    db_commit(look->db, err))
		return -1;
	if (was_credited && deposit->status == USDC_REVERSED)
		log_reversed(deposit);
	return 0;
}

/*
 * The chain does not show it.  It is gone only where another block has its block's place, under as many blocks as make any other
 * deposit count, and not just for the moment in which a reorganisation is going on.
 */
static int
is_missing(const struct look *look, struct usdc_deposit *deposit, struct error *err)
{
	int64_t missing_ms = now_ms() - deposit->checked_ms;
	struct eth_hash canonical;
	bool exists;

	if (missing_ms > UNWATCHED_MS)
		return usdc_checked(look->db, deposit, now_ms(), err);
	if (missing_ms < MISSING_MS || look->head.number < deposit->block_number + look->onchain->confirmations)
		return 0;
	if (chain_block_hash(look->onchain->chain, deposit->block_number, &canonical, &exists, err))
		return -1;
	if (!exists || eth_hash_equal(canonical, deposit->block_hash))
		return 0;
	return reverse(look, deposit, err);
}

static int
check(const struct look *look, struct usdc_deposit *deposit, struct error *err)
{
	const struct chain_transfer *transfer;
	struct chain_receipt receipt;

	if (chain_receipt(look->onchain->chain, look->ctx, deposit->hash, &receipt, err))
		return -1;
	transfer = transfer_of(look, deposit, &receipt);
	return transfer != NULL ? stands(look, deposit, transfer, receipt.confirmations, err)
				: is_missing(look, deposit, err);
}

/* It may be credited now, or need not be looked at any more. */
static bool
is_ripe(const struct look *look, const struct usdc_deposit *deposit)
{
	return deposit->status == USDC_PENDING
		   ? look->head.number >= deposit->block_number + look->onchain->confirmations - 1
		   : deposit->block_number <= look->head.finalized;
}

/* Those first that wait for money. */
static int
check_all(const struct look *look, struct error *err)
{
	struct usdc_deposit *deposits;
	size_t count;

	if (usdc_open(look->db, look->ctx, look->onchain, OPEN_MAX, &deposits, &count, err))
		return -1;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count && has_time(look); i++) {
			struct usdc_deposit *deposit = &deposits[i];
			bool is_first = is_ripe(look, deposit);

			if (is_first != (pass == 0) || (!is_first && now_ms() - deposit->checked_ms < RECHECK_MS))
				continue;
			if (check(look, deposit, err)) {
				db_rollback(look->db);
				if (go_on(look, err))
					return -1;
			}
		}
	return 0;
}

/* Two things that are none of the deposits' business, and whose trouble must not stop them. */
static void
refresh(struct worker *worker, const struct onchain *onchain)
{
	struct error err = { 0 };

	gas_refresh(worker, onchain, &err);
	error_clear(&err);
	reserve_check(worker, onchain, &err);
	error_clear(&err);
}

/* When to look again, milliseconds from now. */
static int64_t
look_once(struct worker *worker, const struct onchain *onchain)
{
	struct look look = { .db = worker->db,
		.ctx = talloc_strdup(NULL, "watch"),
		.onchain = onchain,
		.end_ms = now_monotonic_ms() + LOOK_MS };
	struct error err = { 0 };
	bool is_behind = false;
	int64_t pause_ms;

	if (chain_head(onchain->chain, &look.head, &err)) {
		pause_ms = AWAY_MS;
	} else {
		/* What is known already waits for nothing that is new. */
		if (check_all(&look, &err) == 0)
			scan(&look, &is_behind, &err);
		db_rollback(worker->db);
		pause_ms = err.code != ERR_none ? AWAY_MS : is_behind ? 0 : PAUSE_MS;
	}
	error_clear(&err);
	talloc_free(look.ctx);
	return pause_ms;
}

/* The job's ref, the same in every worker that watches this chain: a UUID of version 8 (RFC 9562) made of its number. */
static struct id
ref_of(const struct onchain *onchain)
{
	uint8_t hash[SHA256_SIZE];
	char text[32];
	struct id ref;

	snprintf(text, sizeof(text), "chain:%lld", (long long)onchain->chain_id);
	crypto_sha256(text, strlen(text), hash);
	memcpy(ref.bytes, hash, sizeof(ref.bytes));
	ref.bytes[6] = (uint8_t)((ref.bytes[6] & 0x0f) | 0x80);
	ref.bytes[8] = (uint8_t)((ref.bytes[8] & 0x3f) | 0x80);
	return ref;
}

int
watch_begin(struct worker *worker, struct error *err)
{
	const struct onchain *onchain = worker->onchain;
	char payer[ETH_ADDRESS_TEXT];
	struct db_rows *rows;

	if (onchain->chain == NULL)
		return 0;
	if (worker->payout_key != NULL)
		eth_address_print_lower(eth_key_address(worker->payout_key), payer);
	rows = db_call(worker->db, NULL, err, "chain_begin", onchain_bucket(onchain),
	    DB_ARGS(DB_INT(onchain->chain_id), DB_UUID(ref_of(onchain)),
		DB_TEXT(worker->payout_key != NULL ? payer : NULL), DB_TIME(now_ms())));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

/* A chain that the settings name no more is watched no more; a worker that knows it begins anew. */
int
watch_run(struct worker *worker, const struct job *job)
{
	const struct onchain *onchain = worker->onchain;
	int64_t pause_ms;

	if (onchain->chain == NULL || !id_equal(job->ref, ref_of(onchain)))
		return job_finish(worker, job);
	pause_ms = look_once(worker, onchain);
	refresh(worker, onchain);
	return job_next(worker, job, now_ms() + pause_ms);
}

void
watch_give_up(struct worker *worker, const struct job *job)
{
	watch_run(worker, job);
}
