#ifndef API_API_H
#define API_API_H

#include <stddef.h>
#include "base/id.h"
#include "core/apikey.h"
#include "http/request.h"

/* Between a matched route and its handler: who asks, with which right, and whether this was answered before. */

struct json_object;
struct onchain;
struct oper;
struct route;

/*
 * How a program knows its callers, and how it answers one only once: api_who_… and api_once, or NULL for what none of its
 * routes asks for.  That is then not part of the program, nor among what its role in the database may do.
 * Each gives 0 (once: the answer's status), or -1 with the request's error.
 */
struct api_callers {
	int (*agent)(struct request *rq), (*staff)(struct request *rq), (*person)(struct request *rq);
	int (*once)(struct request *rq, const char *key);
};

int api_who_agent(struct request *rq);	/* fills rq->who, with the scope that the route names */
int api_who_staff(struct request *rq);	/* ADMIN_API_KEY */
int api_who_person(struct request *rq); /* OPERATOR: one that is known; PERSON: anyone with a token */
int api_once(struct request *rq, const char *key);

/* What a program's workers make once and hand to every request (rq->program). */
struct api {
	const struct api_callers *callers;
	struct token_keys *token_keys; /* NULL: no issuer is set */
	struct storage *storage;
	struct token_signer *signer;
	struct onchain *onchain;
};

/* A program's main: settings, then the routes behind api_call, by FastCGI or CGI.  Returns the exit status. */
int api_main(int argc, char **argv, const char *name, const struct route *routes, size_t count,
    const struct api_callers *callers);

/* The call of struct serve (http/serve.h): identifies, checks the scope, replays or runs the handler. */
int api_call(struct request *rq);

/* Who asks, as rq->route->principal wants it, and with the scope that it names; fills rq->who. */
int api_identify(struct request *rq);

/* After an answer: a hint to the workers, if what was done left them something. */
void api_wake(struct request *rq);

/* What the headers claim, unproven: AGENT with a key, OPERATOR with another token, PUBLIC without either. */
enum principal api_principal(const struct request *rq);

/* The key that this request was made with; for handlers of AGENT routes. */
const struct apikey *api_key(const struct request *rq);

/* A cursor of a list that pages by ids of a kind; NULL leaves *id nil.  Fails: cursor_invalid. */
int api_cursor(struct request *rq, enum id_kind kind, const char *cursor, struct id *id);

/* "sandbox" and "sandbox_notice" on an answer about a simulated task; nothing on others. */
void api_reply_sandbox(struct json_object *object, bool is_sandbox, const char *status);

/* The operator of an OPERATOR route. */
const struct oper *api_operator(const struct request *rq);

/* Adds the request's message to the task of its path, from either side ("agent", "operator"); the handler's answer. */
int api_message_add(struct request *rq, const char *sender);

/* Records staff's act on a target in the transaction of the act itself; data is handed over.  0, or -1 with the request's error. */
int api_admin_record(
    struct request *rq, const char *act, enum id_kind kind, struct id target, struct json_object *data);

/* "reserves" of an answer to staff; null where no chain was ever looked at.  0, or -1 with the request's error. */
int api_admin_reserves(struct request *rq);

/* Handlers, by program.  The routes that lead to them stand in fcgi. */
int api_agents_register(struct request *rq);
int api_agents_verify_page(struct request *rq);
int api_agents_verify(struct request *rq);
int api_agents_resend(struct request *rq);
int api_agents_key_create(struct request *rq);
int api_agents_key_list(struct request *rq);
int api_agents_key_revoke(struct request *rq);
int api_agents_balance(struct request *rq);
int api_agents_me(struct request *rq);
int api_agents_transactions(struct request *rq);
int api_agents_deposit(struct request *rq);
int api_agents_deposit_status(struct request *rq);
int api_agents_deposit_address(struct request *rq);
int api_agents_wallet_challenge(struct request *rq);
int api_agents_wallet_bind(struct request *rq);
int api_agents_wallet(struct request *rq);
int api_agents_deposit_usdc(struct request *rq);

int api_agents_withdraw(struct request *rq);

int api_tasks_create(struct request *rq);
int api_tasks_list(struct request *rq);
int api_tasks_categories(struct request *rq);
int api_tasks_show(struct request *rq);
int api_tasks_cancel(struct request *rq);
int api_tasks_webhooks(struct request *rq);
int api_tasks_redeliver(struct request *rq);

int api_tasks_approve(struct request *rq);
int api_tasks_reject(struct request *rq);
int api_tasks_verify(struct request *rq);
int api_tasks_dispute(struct request *rq);
int api_tasks_rate(struct request *rq);
int api_tasks_messages(struct request *rq);
int api_tasks_message_add(struct request *rq);
int api_tasks_credential(struct request *rq);
int api_tasks_receipt(struct request *rq);
int api_tasks_jwks(struct request *rq);
int api_tasks_operators(struct request *rq);
int api_tasks_appeals(struct request *rq);
int api_tasks_appeal(struct request *rq);
int api_tasks_events(struct request *rq);

int api_operator_settings(struct request *rq);
int api_operator_register(struct request *rq);
int api_operator_me(struct request *rq);
int api_operator_update(struct request *rq);
int api_operator_tasks(struct request *rq);
int api_operator_mine(struct request *rq);
int api_operator_task(struct request *rq);
int api_operator_accept(struct request *rq);
int api_operator_withdraw(struct request *rq);
int api_operator_start(struct request *rq);
int api_operator_abort(struct request *rq);
int api_operator_submit(struct request *rq);
int api_operator_messages(struct request *rq);
int api_operator_message_add(struct request *rq);
int api_operator_upload(struct request *rq);
int api_operator_file(struct request *rq);
int api_operator_earnings(struct request *rq);
int api_operator_payout(struct request *rq);
int api_operator_payout_quote(struct request *rq);
int api_operator_push_key(struct request *rq);
int api_operator_subscribe(struct request *rq);
int api_operator_unsubscribe(struct request *rq);

/* For agents and operators alike. */
int api_payout_status(struct request *rq);
int api_payout_list(struct request *rq);

int api_admin_clock(struct request *rq);
int api_admin_operators(struct request *rq);
int api_admin_kyc(struct request *rq);
int api_admin_suspend_operator(struct request *rq);
int api_admin_suspend_agent(struct request *rq);
int api_admin_disputes(struct request *rq);
int api_admin_task(struct request *rq);
int api_admin_resolve(struct request *rq);
int api_admin_appeals(struct request *rq);
int api_admin_appeal(struct request *rq);
int api_admin_deliveries(struct request *rq);
int api_admin_audit(struct request *rq);
int api_admin_log(struct request *rq);
int api_metrics(struct request *rq);
int api_admin_payouts(struct request *rq);
int api_admin_payout_retry(struct request *rq);
int api_admin_payout_fail(struct request *rq);
int api_admin_payouts_unfreeze(struct request *rq);
int api_admin_agent_unfreeze(struct request *rq);

int api_mcp(struct request *rq);

int api_webhooks_dlocal(struct request *rq);
int api_webhooks_kyc(struct request *rq);

#endif
