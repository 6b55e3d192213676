/*
 * Deposits of USDC: which transfers of a receipt are an agent's deposit, and what to answer to one who names a
 * transaction.  How receipts are read and believed is lib/chain's; what finds deposits that nobody names, and looks
 * after all of them, is watch.c.
 */
#include <assert.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "chain/chain.h"
#include "core/deposit.h"
#include "core/onchain.h"
#include "core/wallet.h"

enum { NOT_FOUND_RETRY_S = DEPOSIT_BLOCK_S };

static bool
is_in_range(const struct chain_transfer *transfer)
{
	return !transfer->is_huge && transfer->amount >= DEPOSIT_MIN && transfer->amount <= DEPOSIT_MAX;
}

/* Anything at all, to us.  A transfer of nothing may be made in anybody's name. */
static bool
moves(const struct onchain *onchain, const struct chain_transfer *transfer)
{
	return eth_address_equal(transfer->to, onchain->deposit) && (transfer->is_huge || transfer->amount > 0);
}

bool
deposit_fits(const struct onchain *onchain, const struct chain_transfer *transfer)
{
	return moves(onchain, transfer) && is_in_range(transfer);
}

bool
deposit_counts(const struct chain_receipt *receipt)
{
	return receipt->found == CHAIN_MINED && receipt->confirmations > 0;
}

int
deposit_see(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    const struct chain_transfer *transfer, int64_t now_ms, struct usdc_deposit *out, struct error *err)
{
	if (usdc_seen(db, ctx, onchain, agent, transfer, now_ms, out, err))
		return -1;
	if (out->status != USDC_PENDING || out->amount == (usd_micros)transfer->amount || onchain->is_test)
		return 0;
	/*
	 * One block holds one amount: what was said before was wrong, or this is.  What counts is what is said when
	 * it is credited.
	 */
	return usdc_reverse(db, ctx, out, now_ms, err) || usdc_seen(db, ctx, onchain, agent, transfer, now_ms, out, err)
		   ? -1
		   : 0;
}

static int
take_one(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent,
    const struct chain_transfer *transfer, int64_t confirmations, int64_t now_ms, struct error *err)
{
	struct usdc_deposit deposit;

	if (deposit_see(db, ctx, onchain, agent, transfer, now_ms, &deposit, err))
		return -1;
	if (deposit.status != USDC_PENDING || confirmations < onchain->confirmations)
		return 0;
	return usdc_confirm(db, ctx, &deposit, now_ms, err);
}

/* In the caller's transaction. */
static int
take_all(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_address wallet,
    const struct chain_receipt *receipt, int64_t now_ms, struct error *err)
{
	for (size_t i = 0; i < receipt->transfer_count; i++) {
		const struct chain_transfer *transfer = &receipt->transfers[i];

		if (deposit_fits(onchain, transfer) && eth_address_equal(transfer->from, wallet) &&
		    take_one(db, ctx, onchain, agent, transfer, receipt->confirmations, now_ms, err))
			return -1;
	}
	return 0;
}

int
deposit_take(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_address wallet,
    const struct chain_receipt *receipt, int64_t now_ms, struct error *err)
{
	int rc;

	assert(deposit_counts(receipt));
	if (db_begin(db, err))
		return -1;
	rc = take_all(db, ctx, onchain, agent, wallet, receipt, now_ms, err);
	if (rc != 0)
		db_rollback(db);
	return rc;
}

void
deposit_log_odd(struct id agent, const struct chain_transfer *transfer)
{
	struct json_object *fields = json_object_new_object();
	char hash[ETH_HASH_TEXT], id[ID_TEXT_SIZE], amount[MONEY_TEXT_SIZE];

	eth_hash_print(transfer->transaction, hash);
	id_print(ID_AGENT, agent, id);
	money_print((usd_micros)transfer->amount, amount);
	json_object_object_add(fields, "agent_id", json_object_new_string(id));
	json_object_object_add(fields, "tx_hash", json_object_new_string(hash));
	json_object_object_add(
	    fields, "amount_usdc", json_object_new_string(transfer->is_huge ? "beyond any dollar" : amount));
	log_event(LOG_LEVEL_WARNING, "deposit_out_of_range", fields);
}

/* All rows of a transaction as one answer.  A reversed row beside others that stand adds nothing. */
static void
sum_up(const struct usdc_deposit *rows, size_t count, int64_t confirmations, struct deposit_result *out)
{
	bool has[3] = { false };
	usd_micros sums[3] = { 0 };

	*out = (struct deposit_result){ .confirmations = confirmations };
	for (size_t i = 0; i < count; i++) {
		has[rows[i].status] = true;
		sums[rows[i].status] += rows[i].amount;
		if (id_is_nil(out->transaction))
			out->transaction = rows[i].transaction;
	}
	out->status = has[USDC_PENDING] ? USDC_PENDING : has[USDC_CONFIRMED] ? USDC_CONFIRMED : USDC_REVERSED;
	out->credited = sums[USDC_CONFIRMED];
	out->amount = out->status == USDC_REVERSED ? sums[USDC_REVERSED] : sums[USDC_PENDING] + sums[USDC_CONFIRMED];
}

/* How the agent's rows of this transaction stand; *count 0: there are none.  In the caller's transaction. */
static int
show(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_hash hash,
    int64_t confirmations, struct deposit_result *out, size_t *count, struct error *err)
{
	struct usdc_deposit *rows;

	if (usdc_of_transaction(db, ctx, onchain, agent, hash, &rows, count, err))
		return -1;
	sum_up(rows, *count, confirmations, out);
	return 0;
}

/* Whether a transfer to us is somebody else's deposit, stored already or about to be found. */
static int
is_taken(struct db *db, const struct onchain *onchain, struct id agent, const struct chain_transfer *transfer,
    bool *is_others, struct error *err)
{
	struct id owner;

	if (usdc_owner(db, onchain, transfer, &owner, err) ||
	    (id_is_nil(owner) && wallet_owner(db, transfer->from, &owner, err)))
		return -1;
	*is_others = !id_is_nil(owner) && !id_equal(owner, agent);
	return 0;
}

static int
refuse_out_of_range(struct id agent, const struct chain_transfer *transfer, struct error *err)
{
	char amount[MONEY_TEXT_SIZE];

	deposit_log_odd(agent, transfer);
	error_set(err, ERR_deposit_out_of_range);
	money_print((usd_micros)transfer->amount, amount);
	return error_detail(err, "amount_usdc",
	    transfer->is_huge ? NULL : json_object_new_double_s((double)transfer->amount / 1e6, amount));
}

/* Why a receipt brings the agent nothing; -1 always. */
static int
refuse(struct db *db, const struct onchain *onchain, struct id agent, struct eth_address wallet,
    const struct chain_receipt *receipt, struct error *err)
{
	bool is_others = false;

	if (receipt->found == CHAIN_FAILED)
		return error_set(err, ERR_transaction_failed);
	if (!deposit_counts(receipt)) {
		error_set(err, ERR_transaction_not_found);
		err->retry_after_s = NOT_FOUND_RETRY_S;
		return -1;
	}
	for (size_t i = 0; i < receipt->transfer_count; i++)
		if (moves(onchain, &receipt->transfers[i]) && eth_address_equal(receipt->transfers[i].from, wallet))
			return refuse_out_of_range(agent, &receipt->transfers[i], err);
	for (size_t i = 0; !is_others && i < receipt->transfer_count; i++)
		if (moves(onchain, &receipt->transfers[i]) &&
		    is_taken(db, onchain, agent, &receipt->transfers[i], &is_others, err))
			return -1;
	return error_set(err, is_others ? ERR_deposit_taken : ERR_transfer_not_found);
}

static bool
brings(const struct onchain *onchain, struct eth_address wallet, const struct chain_receipt *receipt)
{
	for (size_t i = 0; deposit_counts(receipt) && i < receipt->transfer_count; i++)
		if (deposit_fits(onchain, &receipt->transfers[i]) &&
		    eth_address_equal(receipt->transfers[i].from, wallet))
			return true;
	return false;
}

/*
 * With the receipt at hand.  What was stored before (under an earlier wallet, in a block that is gone) still has its
 * answer.
 */
static int
judge(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_address wallet,
    struct eth_hash hash, const struct chain_receipt *receipt, int64_t now_ms, struct deposit_result *out,
    struct error *err)
{
	int64_t confirmations = deposit_counts(receipt) ? receipt->confirmations : 0;
	size_t count;

	if (brings(onchain, wallet, receipt) ? deposit_take(db, ctx, onchain, agent, wallet, receipt, now_ms, err)
					     : db_begin(db, err))
		return -1;
	if (show(db, ctx, onchain, agent, hash, confirmations, out, &count, err))
		return -1;
	return count > 0 ? 0 : refuse(db, onchain, agent, wallet, receipt, err);
}

static int
ask_chain(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_hash hash,
    int64_t now_ms, struct deposit_result *out, struct error *err)
{
	struct chain_receipt receipt;
	struct wallet wallet;

	if (wallet_show(db, agent, &wallet, err))
		return err->code == ERR_wallet_not_found ? error_set(err, ERR_wallet_required) : -1;
	db_rollback(db); /* nothing was written; no transaction waits for the chain */
	if (chain_receipt(onchain->chain, ctx, hash, &receipt, err))
		return -1;
	return judge(db, ctx, onchain, agent, wallet.address, hash, &receipt, now_ms, out, err);
}

/* Test mode: a made-up receipt, in no block, for what the agent claims. */
static int
believe(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_hash hash,
    usd_micros claimed, int64_t now_ms, struct deposit_result *out, struct error *err)
{
	struct chain_transfer transfer = { .to = onchain->deposit, .amount = (uint64_t)claimed, .transaction = hash };
	struct chain_receipt receipt = { .found = CHAIN_MINED,
		.confirmations = onchain->confirmations,
		.transfers = &transfer,
		.transfer_count = 1 };
	size_t count;

	db_rollback(db); /* nothing was written */
	if (deposit_take(db, ctx, onchain, agent, transfer.from, &receipt, now_ms, err))
		return -1;
	return show(db, ctx, onchain, agent, hash, receipt.confirmations, out, &count, err);
}

int
deposit_usdc(struct db *db, const void *ctx, const struct onchain *onchain, struct id agent, struct eth_hash hash,
    usd_micros claimed, int64_t now_ms, struct deposit_result *out, struct error *err)
{
	int rc;

	assert(onchain->chain != NULL || onchain->is_test);
	rc = onchain->is_test ? believe(db, ctx, onchain, agent, hash, claimed, now_ms, out, err)
			      : ask_chain(db, ctx, onchain, agent, hash, now_ms, out, err);
	if (rc != 0)
		db_rollback(db);
	return rc;
}
