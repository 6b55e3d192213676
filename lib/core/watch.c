/*
 * The watch over the chain; see watch.h.  Each look is bounded in time and writes only what bears a repeat: what an
 * earlier look did not come to, the next one does.  How unnamed deposits are found is scan.c's; here those that are
 * known are looked after.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/count.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "chain/chain.h"
#include "core/deposit.h"
#include "core/gas.h"
#include "core/job.h"
#include "core/look.h"
#include "core/onchain.h"
#include "core/reserve.h"
#include "core/scan.h"
#include "core/usdc.h"
#include "core/watch.h"

enum {
	LOOK_MS = 20000,      /* of calls to the chain */
	PAUSE_MS = 2000,      /* a block of Base */
	AWAY_MS = 5000,	      /* while the chain is away */
	OPEN_MAX = 1000,      /* deposits in one look */
	RECHECK_MS = 5000,    /* a deposit is looked at again after */
	MISSING_MS = 12000,   /* one that is not there for so long is gone; a reorganisation brings most back at once */
	UNWATCHED_MS = 60000, /* after so long without a look nobody knows since when it is missing */
};

/*
 * The deposit's own transfer in what the chain says now; NULL: it is not there.  A credited one is of this amount, as
 * long as it lies in this block.
 */
static const struct chain_transfer *
transfer_of(const struct look *look, const struct usdc_deposit *deposit, const struct chain_receipt *receipt)
{
	for (size_t i = 0; deposit_counts(receipt) && i < receipt->transfer_count; i++) {
		const struct chain_transfer *transfer = &receipt->transfers[i];
		bool is_free =
		    deposit->status == USDC_PENDING || !eth_hash_equal(transfer->block_hash, deposit->block_hash);

		if (transfer->log_index == deposit->log_index && deposit_fits(look->onchain, transfer) &&
		    eth_address_equal(transfer->from, deposit->wallet) &&
		    (is_free || (usd_micros)transfer->amount == deposit->amount))
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
	if (deposit_see(look->db, look->ctx, look->onchain, deposit->agent, transfer, now, deposit, err))
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
 * The chain does not show it.  It is gone only where another block has its block's place, under as many blocks as
 * make any other deposit count, and not just for the moment in which a reorganisation is going on.  Where its block
 * stands, somebody was wrong: nothing is taken back for that, but what waits is waited for only as long as nothing
 * else is said of the transaction.
 */
static int
is_missing(
    const struct look *look, struct usdc_deposit *deposit, const struct chain_receipt *receipt, struct error *err)
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
	if (!exists || (eth_hash_equal(canonical, deposit->block_hash) &&
			   (deposit->status == USDC_CONFIRMED || receipt->found == CHAIN_ABSENT)))
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
				: is_missing(look, deposit, &receipt, err);
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
		for (size_t i = 0; i < count && look_has_time(look); i++) {
			struct usdc_deposit *deposit = &deposits[i];
			bool is_first = is_ripe(look, deposit);

			if (is_first != (pass == 0) || (!is_first && now_ms() - deposit->checked_ms < RECHECK_MS))
				continue;
			if (check(look, deposit, err) && look_go_on(look, err))
				return -1;
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
			scan_blocks(&look, &is_behind, &err);
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
	count_add(COUNT_usdc_deposits, 0, COUNT_LABELS("reversed")); /* the first is seen as a rise */
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
