/*
 * What a run of a payout's job writes down, and what it tells and asks the chain; see payrun.h.  What follows from
 * it, payer.c decides.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "core/job.h"
#include "core/onchain.h"
#include "core/payrun.h"

enum { SENDING_MS = 60 * 1000, STUCK_MS = 600 * 1000 }; /* for so long it is looked at often; then it is staff's */

int64_t
payrun_age(const struct payrun *run, int64_t since_ms)
{
	return run->worker->now_ms - since_ms;
}

void
payrun_log(const struct payrun *run, enum log_level level, const char *event, const char *why)
{
	struct json_object *fields = json_object_new_object();
	char id[ID_TEXT_SIZE];

	id_print(ID_PAYOUT, run->payout.id, id);
	json_object_object_add(fields, "payout_id", json_object_new_string(id));
	if (run->payout.has_nonce)
		json_object_object_add(fields, "nonce", json_object_new_int64(run->payout.nonce));
	if (run->payout.tx_hash != NULL)
		json_object_object_add(fields, "tx_hash", json_object_new_string(run->payout.tx_hash));
	if (why != NULL)
		json_object_object_add(fields, "why", json_object_new_string(why));
	log_event(level, event, fields);
}

/* Calls a function about this payout that takes a text. */
static int
tell(struct payrun *run, const char *function, const char *text)
{
	struct db_rows *rows = db_call(run->worker->db, run->ctx, run->err, function, id_bucket(run->payout.id),
	    DB_ARGS(DB_UUID(run->payout.id), DB_TEXT(text), DB_TIME(run->worker->now_ms)));

	return rows == NULL ? -1 : 0;
}

static bool
is_known(const struct payrun *run, const char *problem)
{
	return run->payout.problem != NULL && strcmp(run->payout.problem, problem) == 0;
}

int
payrun_note(struct payrun *run, const char *problem)
{
	if (is_known(run, problem))
		return 0;
	payrun_log(run, LOG_LEVEL_WARNING, "payout_problem", problem);
	return tell(run, "payout_problem", problem);
}

int
payrun_stick(struct payrun *run, const char *problem)
{
	run->next_ms = PAYRUN_RARELY_MS;
	if (strcmp(run->payout.state, "stuck") == 0 && is_known(run, problem))
		return 0;
	if (strcmp(run->payout.state, "stuck") != 0)
		count_add(COUNT_payouts, 1, COUNT_LABELS("stuck"));
	payrun_log(run, LOG_LEVEL_ERROR, "payout_stuck", problem);
	return tell(run, "payout_stuck", problem);
}

int
payrun_hinder(struct payrun *run, int64_t since_ms, const char *problem)
{
	return payrun_age(run, since_ms) >= STUCK_MS ? payrun_stick(run, problem) : payrun_note(run, problem);
}

int
payrun_fail(struct payrun *run, const char *problem)
{
	if (tell(run, "payout_fail", problem))
		return -1;
	payrun_log(run, LOG_LEVEL_WARNING, "payout_failed", problem);
	count_add(COUNT_payouts, 1, COUNT_LABELS("failed"));
	run->next_ms = PAYRUN_OVER;
	return 0;
}

int
payrun_complete(struct payrun *run, struct eth_hash hash, int64_t block)
{
	char text[ETH_HASH_TEXT];
	struct db_rows *rows;

	eth_hash_print(hash, text);
	rows = db_call(run->worker->db, run->ctx, run->err, "payout_complete", id_bucket(run->payout.id),
	    DB_ARGS(DB_UUID(run->payout.id), DB_TEXT(text), DB_INT(block), DB_TIME(run->worker->now_ms)));
	if (rows == NULL)
		return -1;
	payrun_log(run, LOG_LEVEL_INFO, "payout_completed", NULL);
	count_add(COUNT_payouts, 1, COUNT_LABELS("completed"));
	run->next_ms = PAYRUN_GUARD_MS;
	return 0;
}

int
payrun_pace(const struct payrun *run)
{
	int64_t age = payrun_age(run, run->payout.signed_ms);

	return age < SENDING_MS ? PAYRUN_SOON_MS : age < STUCK_MS ? PAYRUN_LATER_MS : PAYRUN_RARELY_MS;
}

static int
mark_sent(struct payrun *run, const struct payout_try *try)
{
	struct db_rows *rows;

	if (try->sent_ms != 0)
		return 0;
	rows = db_call(run->worker->db, run->ctx, run->err, "payout_sent", id_bucket(run->payout.id),
	    DB_ARGS(DB_UUID(run->payout.id), DB_INT(try->attempt), DB_TIME(run->worker->now_ms)));
	return rows == NULL ? -1 : 0;
}

int
payrun_send(struct payrun *run, const struct payout_try *try)
{
	char said[RPC_PROBLEM_SIZE] = "", problem[PAYRUN_PROBLEM_SIZE];
	bool is_taken;

	run->next_ms = payrun_pace(run);
	if (chain_send(run->onchain->chain, try->raw, try->raw_len, try->hash, &is_taken, said, run->err))
		return -1;
	if (!is_taken) {
		snprintf(problem, sizeof(problem), "the chain does not take the transaction: %s", said);
		return payrun_hinder(run, run->payout.signed_ms, problem);
	}
	if (mark_sent(run, try))
		return -1;
	if (payrun_age(run, run->payout.signed_ms) >= STUCK_MS)
		return payrun_stick(run, "none of its transactions is mined");
	if (run->payout.problem == NULL || strcmp(run->payout.state, "signed") != 0)
		return 0;
	return tell(run, "payout_problem", NULL); /* what stood in the way is gone */
}

int
payrun_load(struct payrun *run)
{
	return payout_tries(run->worker->db, run->ctx, run->payout.id, &run->tries, &run->count, run->err);
}

int
payrun_send_newest(struct payrun *run)
{
	if (payrun_load(run))
		return -1;
	if (run->count == 0)
		return error_internal(run->err, "a signed transaction is not stored");
	return payrun_send(run, &run->tries[run->count - 1]);
}

int
payrun_find_mined(struct payrun *run, const struct payout_try **found, struct chain_receipt *receipt)
{
	*found = NULL;
	for (size_t i = run->count; i-- > 0 && *found == NULL;) {
		if (chain_receipt(run->onchain->chain, run->ctx, run->tries[i].hash, receipt, run->err))
			return -1;
		if (receipt->found != CHAIN_ABSENT && receipt->confirmations > 0)
			*found = &run->tries[i];
	}
	return 0;
}

int
payrun_count_used(struct payrun *run, struct eth_address *sender, int64_t *used)
{
	int64_t block = run->head.number - run->onchain->confirmations + 1;

	if (run->payout.sender == NULL || eth_address_parse(run->payout.sender, sender) != 0)
		return error_internal(run->err, "a payout's sender is none");
	return chain_nonce(run->onchain->chain, *sender, block > 0 ? block : 0, used, run->err);
}
