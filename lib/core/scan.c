/*
 * The search for deposits: hints of the chain's log, of which the receipt then tells what they are (deposit.c).  A
 * hint that cannot be followed holds up nothing but itself, so that nobody can stop the search by a transaction that
 * no server cares to show.
 */
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "chain/chain.h"
#include "core/deposit.h"
#include "core/look.h"
#include "core/onchain.h"
#include "core/scan.h"
#include "core/usdc.h"
#include "core/wallet.h"

enum {
	STEP = 1000,	  /* blocks asked for at once … */
	STEP_SHRINK = 10, /* … and a tenth of them where that was too much for the server */
	FIRST_BLOCKS = 1000,
	OVERLAP = 12, /* blocks that are searched again, should a reorganisation have changed them */
	REWIND = 100, /* a head that lies so far behind what was searched is another chain's, or that one was wrong */
};

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

/* A transfer that is too small or too large: of an agent's wallet it is worth a line in the log. */
static int
find_odd(const struct look *look, const struct chain_transfer *hint, struct error *err)
{
	struct id agent;

	if (wallet_owner(look->db, hint->from, &agent, err))
		return -1;
	if (!id_is_nil(agent))
		deposit_log_odd(agent, hint);
	return 0;
}

/* is_new: the block was not searched before.  Anybody may send nothing in anybody's name: that is not even looked at. */
static int
find(const struct look *look, const struct chain_transfer *hint, bool is_new, struct error *err)
{
	struct id agent;
	bool known;

	if (!deposit_fits(look->onchain, hint))
		return is_new && (hint->is_huge || hint->amount > 0) ? find_odd(look, hint, err) : 0;
	if (wallet_owner(look->db, hint->from, &agent, err))
		return -1;
	if (id_is_nil(agent))
		return 0;
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
		if (err->code != ERR_chain_unavailable || *to == first || !look_has_time(look))
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
		if (!look_has_time(look) && hints[i].block_number > first) {
			if (hints[i].block_number <= *to)
				*to = hints[i].block_number - 1;
			return 0;
		}
		if (find(look, &hints[i], hints[i].block_number >= first, err) && look_go_on(look, err))
			return -1;
	}
	return 0;
}

/* The block before the first that is searched at all. */
static int64_t
before_first(const struct look *look)
{
	return look->head.number > FIRST_BLOCKS ? look->head.number - FIRST_BLOCKS : -1;
}

static int
load_scanned(const struct look *look, int64_t *scanned, struct error *err)
{
	struct db_rows *rows = onchain_state(look->db, NULL, look->onchain, err);

	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0 && !db_is_null(rows, 0, "scanned_block"))
		*scanned = db_int(rows, 0, "scanned_block");
	else
		*scanned = before_first(look);
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

/* Where the search begins anew: the chain is shorter than what was searched of it. */
static int
rewind_scan(const struct look *look, int64_t *scanned, struct error *err)
{
	int64_t first = *scanned + 1;

	log_text(LOG_LEVEL_WARNING, "chain_rewound", "searched to block %lld, but the chain ends at %lld",
	    (long long)*scanned, (long long)look->head.number);
	*scanned = before_first(look);
	return store_scanned(look, first, *scanned, err);
}

/* Looks for transfers in the blocks since the last look.  *is_behind: there are more. */
int
scan_blocks(const struct look *look, bool *is_behind, struct error *err)
{
	int64_t scanned, to;
	int rc = 1;

	if (load_scanned(look, &scanned, err))
		return -1;
	if (scanned > look->head.number + REWIND)
		rc = rewind_scan(look, &scanned, err);
	while (rc > 0 && scanned < look->head.number && look_has_time(look)) {
		if (scan_step(look, scanned + 1, &to, err))
			return -1;
		rc = store_scanned(look, scanned + 1, to, err);
		scanned = to;
	}
	*is_behind = scanned < look->head.number;
	return rc < 0 ? -1 : 0;
}
