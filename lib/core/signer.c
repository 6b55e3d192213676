/*
 * Signing for payouts; see signer.h.  When to sign what is payer.c's to decide; that one nonce serves one payout,
 * SQL's (nonce_take).
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/payout.h"
#include "core/signer.h"

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct signer_fees
signer_first_fees(uint64_t base_fee, uint64_t tip)
{
	struct signer_fees fees = { .tip = least(most(tip, SIGNER_MIN_TIP), SIGNER_MAX_TIP) };

	fees.max_fee = least(2 * least(base_fee, SIGNER_MAX_FEE) + fees.tip, SIGNER_MAX_FEE);
	return fees;
}

bool
signer_next_fees(struct signer_fees before, uint64_t base_fee, uint64_t tip, struct signer_fees *out)
{
	struct signer_fees next = signer_first_fees(base_fee, tip);

	if (before.max_fee > SIGNER_MAX_FEE || before.tip > SIGNER_MAX_TIP)
		return false;
	next.max_fee = most(next.max_fee, before.max_fee + before.max_fee / 8 + 1);
	next.tip = most(next.tip, before.tip + before.tip / 8 + 1);
	if (next.max_fee > SIGNER_MAX_FEE || next.tip > SIGNER_MAX_TIP)
		return false;
	*out = next;
	return true;
}

static int
take_nonce(struct worker *worker, const struct onchain *onchain, int64_t chain_nonce, int64_t *nonce, struct error *err)
{
	char address[ETH_ADDRESS_TEXT], account[ETH_ADDRESS_TEXT + 24];
	struct db_rows *rows;

	eth_address_print_lower(eth_key_address(worker->payout_key), address);
	snprintf(account, sizeof(account), "%lld:%s", (long long)onchain->chain_id, address);
	rows = db_call(worker->db, NULL, err, "nonce_take", id_bucket_of("account", account),
	    DB_ARGS(DB_INT(onchain->chain_id), DB_TEXT(address), DB_INT(chain_nonce), DB_TIME(worker->now_ms)));
	if (rows == NULL)
		return -1;
	*nonce = db_int(rows, 0, "nonce_take");
	talloc_free(rows);
	return 0;
}

/* Stores what was signed; the row that the payout then is. */
static int
store(struct worker *worker, const void *ctx, bool is_cancel, const struct eth_transaction *transaction,
    struct payout *payout, struct error *err)
{
	char sender[ETH_ADDRESS_TEXT], hash_text[ETH_HASH_TEXT];
	struct eth_hash hash;
	struct db_rows *rows;
	uint8_t *raw;
	size_t len;

	raw = eth_sign(ctx, worker->payout_key, transaction, &len, &hash);
	eth_hash_print(hash, hash_text);
	eth_address_print_lower(eth_key_address(worker->payout_key), sender);
	rows = db_call(worker->db, ctx, err, "payout_sign", id_bucket(payout->id),
	    DB_ARGS(DB_UUID(payout->id), DB_TEXT(is_cancel ? "cancel" : "transfer"), DB_TEXT(sender),
		DB_INT((int64_t)transaction->nonce), DB_TEXT(hash_text), DB_BYTES(raw, len),
		DB_INT((int64_t)transaction->max_fee), DB_INT((int64_t)transaction->max_priority_fee),
		DB_INT((int64_t)transaction->gas_limit), DB_TIME(worker->now_ms)));
	if (rows == NULL)
		return -1;
	payout_read(rows, 0, payout);
	return 0;
}

static int
sign(struct worker *worker, const void *ctx, const struct onchain *onchain, struct payout *payout, bool is_cancel,
    int64_t nonce, struct signer_fees fees, uint64_t gas, struct error *err)
{
	struct eth_transaction transaction = { .chain_id = (uint64_t)onchain->chain_id,
		.nonce = (uint64_t)nonce,
		.gas_limit = gas,
		.max_priority_fee = fees.tip,
		.max_fee = fees.max_fee,
		.to = eth_key_address(worker->payout_key) };
	uint8_t data[ETH_TRANSFER_SIZE];
	struct eth_address to;

	if (eth_address_parse(payout->to_address, &to) != 0)
		return error_internal(err, "a payout's address is none");
	if (!is_cancel) {
		eth_transfer_data(to, (uint64_t)(payout->amount - payout->gas_fee), data);
		transaction.to = onchain->token;
		transaction.data = data;
		transaction.data_len = sizeof(data);
	}
	return store(worker, ctx, is_cancel, &transaction, payout, err);
}

int
signer_first(struct worker *worker, const void *ctx, const struct onchain *onchain, struct payout *payout,
    int64_t chain_nonce, struct signer_fees fees, uint64_t gas, struct error *err)
{
	int64_t nonce;
	int rc = -1;

	if (db_begin(worker->db, err))
		return -1;
	if (take_nonce(worker, onchain, chain_nonce, &nonce, err) == 0 &&
	    sign(worker, ctx, onchain, payout, false, nonce, fees, gas, err) == 0 && db_commit(worker->db, err) == 0)
		rc = 0;
	db_rollback(worker->db);
	return rc;
}

int
signer_again(struct worker *worker, const void *ctx, const struct onchain *onchain, struct payout *payout,
    bool is_cancel, struct signer_fees fees, uint64_t gas, struct error *err)
{
	return sign(worker, ctx, onchain, payout, is_cancel, payout->nonce, fees, gas, err);
}
