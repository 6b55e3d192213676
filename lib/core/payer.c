/*
 * A payout's way over the chain, step by step; see payer.h.  What is stored is always ahead of what is sent: a worker
 * that dies anywhere leaves a row from which the next one goes on.  Only a receipt that the chain has confirmed ends
 * a payout, and only a final one gives the money back; where the chain's word makes no sense nothing is done, the
 * payout is marked, and staff looks.  Money is booked by SQL (payout_complete, payout_fail), transactions are made by
 * signer.c, payrun.c writes down and asks.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "chain/chain.h"
#include "core/gas.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/payer.h"
#include "core/payout.h"
#include "core/payrun.h"
#include "core/signer.h"
#include "core/staff.h"

enum {
	REPLACE_MS = 60 * 1000,	 /* a transaction that offers too little is replaced after this long … */
	REPLACE_ANY_MS = 300000, /* … and any other after this long */
	TRIES_MAX = 40,		 /* replacements go on until then */
	CANCEL_GAS = GAS_MIN,	 /* a transfer of nothing takes 21,000 */
};

int
payer_open(struct worker *worker, struct error *err)
{
	const char *path = worker->config->payout_key_file;

	worker->payout_key = path == NULL ? NULL : eth_key_load(path, err);
	return path != NULL && worker->payout_key == NULL ? -1 : 0;
}

/* A payout without a nonce: nothing that the chain could mine bears its money */

/* What keeps it from being signed; *why NULL: nothing. */
static int
find_freeze(struct payrun *run, const char **why)
{
	struct db_rows *rows = onchain_state(run->worker->db, run->ctx, run->onchain, run->err);

	*why = NULL;
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0 && db_bool(rows, 0, "is_frozen"))
		*why = "payouts are frozen";
	if (*why != NULL || !run->payout.is_agents)
		return 0;
	rows = db_call(run->worker->db, run->ctx, run->err, "wallet_show", id_bucket(run->payout.party),
	    DB_ARGS(DB_UUID(run->payout.party)));
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0 && !db_is_null(rows, 0, "payouts_frozen_at"))
		*why = "the agent's payouts are frozen";
	return 0;
}

/* Gas for the transfer; *is_refused: it would fail, as one does for want of money. */
static int
estimate(struct payrun *run, uint64_t *gas, bool *is_refused)
{
	uint8_t data[ETH_TRANSFER_SIZE];
	struct eth_address to;

	if (eth_address_parse(run->payout.to_address, &to) != 0)
		return error_internal(run->err, "a payout's address is none");
	eth_transfer_data(to, (uint64_t)(run->payout.amount - run->payout.gas_fee), data);
	return chain_estimate_gas(run->onchain->chain, eth_key_address(run->worker->payout_key), run->onchain->token,
	    data, sizeof(data), gas, is_refused, run->err);
}

static int
send_first(struct payrun *run)
{
	struct chain *chain = run->onchain->chain;
	uint64_t base_fee, tip, gas = 0;
	int64_t chain_nonce_now;
	bool is_refused;

	run->next_ms = PAYRUN_LATER_MS;
	if (estimate(run, &gas, &is_refused))
		return -1;
	if (is_refused)
		return payrun_hinder(run, run->payout.created_ms,
		    "the chain would refuse the transfer; is there enough USDC on the paying address?");
	if (chain_nonce(chain, eth_key_address(run->worker->payout_key), RPC_LATEST, &chain_nonce_now, run->err) ||
	    chain_fees(chain, &base_fee, &tip, run->err) ||
	    signer_first(run->worker, run->ctx, run->onchain, &run->payout, chain_nonce_now,
		signer_first_fees(base_fee, tip), gas_limit(gas), run->err))
		return -1;
	return payrun_send_newest(run);
}

static int
begin(struct payrun *run)
{
	const char *freeze;

	run->next_ms = PAYRUN_LATER_MS;
	if (run->payout.is_cancelled)
		return payrun_fail(run, "ended by staff");
	if (run->worker->payout_key == NULL)
		return payrun_note(run, "the worker has no key to sign with");
	if (find_freeze(run, &freeze))
		return -1;
	return freeze != NULL ? payrun_note(run, freeze) : send_first(run);
}

/* A payout whose transactions are on their way */

/* The transfer that the receipt is of is the one that we signed. */
static bool
is_paid(const struct payrun *run, const struct chain_receipt *receipt)
{
	struct eth_address to;

	if (eth_address_parse(run->payout.to_address, &to) != 0)
		return false;
	for (size_t i = 0; i < receipt->transfer_count; i++) {
		const struct chain_transfer *transfer = &receipt->transfers[i];

		if (eth_address_equal(transfer->to, to) && eth_address_equal(transfer->from, receipt->from) &&
		    !transfer->is_huge && transfer->amount == (uint64_t)(run->payout.amount - run->payout.gas_fee))
			return true;
	}
	return false;
}

/*
 * One of its transactions is in a block of the chain, and as long as that is there the others never will be.  A
 * transfer counts when it has its confirmations; that there is none, and that its money goes back, only when nothing
 * can change that any more.
 */
static int
settle(struct payrun *run, const struct payout_try *try, const struct chain_receipt *receipt)
{
	bool is_paid_out = !try->is_cancel && receipt->found == CHAIN_MINED;

	run->next_ms = PAYRUN_SOON_MS;
	if (receipt->confirmations < run->onchain->confirmations)
		return 0;
	if (is_paid_out)
		return is_paid(run, receipt) ? payrun_complete(run, try->hash, receipt->block_number)
					     : payrun_stick(run, "its transaction is mined but shows no such transfer");
	if (receipt->block_number <= run->head.finalized)
		return payrun_fail(run, try->is_cancel ? "ended by staff" : "the transfer failed on the chain");
	run->next_ms = PAYRUN_LATER_MS;
	return payrun_note(run, "it was not paid on the chain; the money goes back when that is final");
}

/* The address that signed it is the one whose key we hold. */
static bool
can_sign(const struct payrun *run)
{
	struct eth_address sender;

	return run->worker->payout_key != NULL && eth_address_parse(run->payout.sender, &sender) == 0 &&
	       eth_address_equal(sender, eth_key_address(run->worker->payout_key));
}

static int
replace(struct payrun *run, const struct payout_try *last, struct signer_fees fees)
{
	bool is_cancel = run->payout.is_cancelled;
	uint64_t gas = is_cancel ? CANCEL_GAS : last->gas_limit;

	payrun_log(run, LOG_LEVEL_INFO, "payout_replaced", is_cancel ? "ended by staff" : "not mined in time");
	if (signer_again(run->worker, run->ctx, run->onchain, &run->payout, is_cancel, fees, gas, run->err))
		return -1;
	return payrun_send_newest(run);
}

/* True if the newest transaction has had its time, or is not what staff wants. */
static bool
is_outdated(const struct payrun *run, const struct payout_try *last, bool is_next, uint64_t base_fee, uint64_t tip)
{
	int64_t age = payrun_age(run, last->created_ms);

	if (run->payout.is_cancelled && !last->is_cancel)
		return true;
	if (!is_next || run->count >= TRIES_MAX)
		return false;
	return age >= REPLACE_ANY_MS ||
	       (age >= REPLACE_MS && (base_fee > last->max_fee || tip > last->max_fee - base_fee));
}

/* None is mined: the newest is sent again or replaced. */
static int
push(struct payrun *run)
{
	const struct payout_try *last = &run->tries[run->count - 1];
	uint64_t base_fee, tip;
	struct signer_fees fees;
	struct eth_address sender;
	int64_t next;

	if (eth_address_parse(run->payout.sender, &sender) != 0)
		return error_internal(run->err, "a payout's sender is none");
	if (chain_nonce(run->onchain->chain, sender, RPC_LATEST, &next, run->err))
		return -1;
	if (next > run->payout.nonce) { /* just mined, and seen at the next look */
		run->next_ms = payrun_pace(run);
		return 0;
	}
	if (!can_sign(run) || chain_fees(run->onchain->chain, &base_fee, &tip, run->err))
		return run->err->code == ERR_none ? payrun_send(run, last) : -1;
	if (is_outdated(run, last, next == run->payout.nonce, base_fee, tip) &&
	    signer_next_fees((struct signer_fees){ .max_fee = last->max_fee, .tip = last->tip }, base_fee, tip, &fees))
		return replace(run, last, fees);
	return payrun_send(run, last);
}

/*
 * A transaction that is none of ours has the nonce: staff looks.  Once that is final, a payout that staff has ended
 * fails, and one that staff has told to go on takes another nonce; all that was signed with this one is void for
 * ever.
 */
static int
lose_nonce(struct payrun *run, struct eth_address sender)
{
	bool is_asked = run->payout.retried_ms != 0 || run->payout.is_cancelled;
	char problem[PAYRUN_PROBLEM_SIZE];
	struct db_rows *rows;
	int64_t final;

	if (chain_nonce(run->onchain->chain, sender, RPC_FINALIZED, &final, run->err))
		return -1;
	if (is_asked && final > run->payout.nonce) {
		payrun_log(run, LOG_LEVEL_WARNING, "payout_renonce", NULL);
		run->next_ms = PAYRUN_SOON_MS;
		rows = db_call(run->worker->db, run->ctx, run->err, "payout_renonce", id_bucket(run->payout.id),
		    DB_ARGS(DB_UUID(run->payout.id), DB_TIME(run->worker->now_ms)));
		return rows == NULL ? -1 : 0;
	}
	snprintf(problem, sizeof(problem),
	    "nonce used elsewhere: a transaction of the paying address that is not ours has nonce %lld",
	    (long long)run->payout.nonce);
	return is_asked ? payrun_note(run, problem) : payrun_stick(run, problem);
}

static int
follow(struct payrun *run)
{
	const struct payout_try *mined;
	struct chain_receipt receipt;
	struct eth_address sender;
	int64_t used;

	run->next_ms = payrun_pace(run);
	if (payrun_count_used(run, &sender, &used) || payrun_find_mined(run, &mined, &receipt))
		return -1;
	if (mined != NULL)
		return settle(run, mined, &receipt);
	return used > run->payout.nonce ? lose_nonce(run, sender) : push(run);
}

/* One that has no nonce may have lost it, and have been paid after all by a chain that changed its mind. */
static int
begin_or_settle(struct payrun *run)
{
	const struct payout_try *mined = NULL;
	struct chain_receipt receipt;

	if (run->count > 0 && payrun_find_mined(run, &mined, &receipt))
		return -1;
	return mined != NULL ? settle(run, mined, &receipt) : begin(run);
}

/* A payout that is completed, in a block that is not final: a reorganisation may drop its transfer */

/* Nothing of it will ever be mined, and the ledger says that it was paid: what is to be done is staff's to decide. */
static int
report_lost(struct payrun *run)
{
	struct json_object *data = json_object_new_object();
	char id[ID_TEXT_SIZE];
	int rc;

	id_print(ID_PAYOUT, run->payout.id, id);
	json_object_object_add(data, "tx_hash", json_object_new_string(run->payout.tx_hash));
	payrun_log(run, LOG_LEVEL_ERROR, "payout_lost", "completed, and then dropped by a reorganisation for good");
	rc = staff_record(run->worker->db, "payout.lost", id, data, run->worker->now_ms, run->err);
	json_object_put(data);
	run->next_ms = PAYRUN_OVER;
	return rc;
}

/* The transfer that counted, byte for byte; should a node have it still, this changes nothing. */
static int
resend(struct payrun *run)
{
	char said[RPC_PROBLEM_SIZE] = "", hash[ETH_HASH_TEXT];
	bool is_taken = false;

	for (size_t i = 0; i < run->count; i++) {
		eth_hash_print(run->tries[i].hash, hash);
		if (strcmp(hash, run->payout.tx_hash) == 0 &&
		    chain_send(run->onchain->chain, run->tries[i].raw, run->tries[i].raw_len, run->tries[i].hash,
			&is_taken, said, run->err))
			return -1;
	}
	payrun_log(run, LOG_LEVEL_WARNING, "payout_resent", is_taken ? "a reorganisation dropped it" : said);
	return 0;
}

/* Looks until the block is final.  The payout stays completed whatever happens. */
static int
guard(struct payrun *run)
{
	const struct payout_try *mined;
	struct chain_receipt receipt;
	struct eth_address sender;
	int64_t used, final;
	bool is_paid_out;

	run->next_ms = PAYRUN_GUARD_MS;
	if (payrun_count_used(run, &sender, &used) || payrun_find_mined(run, &mined, &receipt))
		return -1;
	is_paid_out = mined != NULL && !mined->is_cancel && receipt.found == CHAIN_MINED;
	if (mined != NULL && receipt.block_number > run->head.finalized)
		return 0;
	if (mined != NULL && is_paid_out) {
		run->next_ms = PAYRUN_OVER;
		return 0;
	}
	if (mined != NULL)
		return report_lost(run);
	if (used <= run->payout.nonce)
		return resend(run);
	if (chain_nonce(run->onchain->chain, sender, RPC_FINALIZED, &final, run->err))
		return -1;
	return final > run->payout.nonce ? report_lost(run) : 0;
}

static int
step(struct payrun *run)
{
	bool is_completed = strcmp(run->payout.state, "completed") == 0;

	run->next_ms = PAYRUN_RARELY_MS;
	if (run->onchain->chain == NULL)
		return payrun_note(run, "the settings name no chain");
	if (run->payout.chain_id != run->onchain->chain_id)
		return payrun_note(run, "it is for another chain than the settings'");
	if (payrun_load(run) || (run->count > 0 && chain_head(run->onchain->chain, &run->head, run->err)))
		return -1;
	if (is_completed)
		return guard(run);
	if (!run->payout.has_nonce)
		return begin_or_settle(run);
	return run->count > 0 ? follow(run) : error_internal(run->err, "a signed payout has no transaction");
}

/* How long to leave alone what could not be done; that nothing was lost is what every step sees to. */
static int
delay_after(enum error_code code)
{
	return code == ERR_payout_state_conflict ? PAYRUN_SOON_MS
	       : code == ERR_internal		 ? PAYRUN_RARELY_MS
						 : PAYRUN_LATER_MS / 2;
}

int
payer_run(struct worker *worker, const struct job *job)
{
	char *ctx = talloc_strdup(NULL, "payer");
	struct error err = { 0 };
	struct payrun run = {
		.worker = worker, .onchain = worker->onchain, .ctx = ctx, .err = &err, .next_ms = PAYRUN_OVER
	};
	int rc = payout_load(worker->db, ctx, job->ref, &run.payout, &err);

	if (rc == 0 && strcmp(run.payout.state, "failed") != 0)
		rc = step(&run);
	if (rc != 0 && err.code != ERR_payout_not_found)
		run.next_ms = delay_after(err.code);
	/* Steps that failed use up no attempt either: nothing that holds money is ever given up. */
	rc = run.next_ms == PAYRUN_OVER ? job_finish(worker, job) : job_next(worker, job, worker->now_ms + run.next_ms);
	error_clear(&err);
	talloc_free(ctx);
	return rc;
}
