/*
 * Mail to people, and the same to their browsers.  Texts are ours alone: nothing that a stranger typed goes into a mail to an
 * address that the same stranger named.  How a mail travels is net/mail.c's business, how a push does subscription.c's.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/agent.h"
#include "core/job.h"
#include "core/notify.h"
#include "core/subscription.h"
#include "net/mail.h"

enum { MAIL_ATTEMPTS = 12 };

static void
mail_purpose(struct id agent, char out[64])
{
	char uuid[ID_UUID_SIZE];

	id_print_uuid(agent, uuid);
	snprintf(out, 64, "mail:%s", uuid);
}

struct json_object *
notify_verification(const struct config *config, struct id agent, const char *email, const char *token)
{
	struct json_object *payload = json_object_new_object();
	char purpose[64];
	uint8_t *sealed;
	size_t len;
	char *text;

	mail_purpose(agent, purpose);
	sealed = crypto_seal(NULL, config->mail_key, purpose, token, strlen(token), &len);
	text = text_base64(sealed, sealed, len);
	json_object_object_add(payload, "to", json_object_new_string(email));
	json_object_object_add(payload, "sealed", json_object_new_string(text));
	talloc_free(sealed);
	return payload;
}

/* The token out of a payload; NULL if it was sealed with another key. */
static char *
open_token(const void *ctx, const struct config *config, const struct job *job)
{
	struct json_object *sealed = json_object_object_get(job->payload, "sealed");
	char purpose[64];
	uint8_t *bytes;
	size_t len;

	mail_purpose(job->ref, purpose);
	bytes = sealed == NULL ? NULL : text_unbase64(ctx, json_object_get_string(sealed), &len);
	return bytes == NULL ? NULL : (char *)crypto_open(ctx, config->mail_key, purpose, bytes, len, &len);
}

/* name (in the queue), subject, text; %s is the task. */
static const struct template
{
	const char *name, *subject, *text;
}
templates[NOTICES] = {
	[NOTICE_ESTIMATE] = { "estimate", "An operator has claimed your task",
	    "An operator has claimed %s and estimates how long it will take.\n\n"
	    "Approve or reject the estimate; unanswered, the claim lapses and the task\n"
	    "is open to others again.\n" },
	[NOTICE_CLAIM_APPROVED] = { "claim_approved", "Your estimate is approved: you can begin",
	    "The agent has approved your estimate for %s.  You can begin.\n" },
	[NOTICE_CLAIM_REJECTED] = { "claim_rejected", "Your estimate was not taken",
	    "The agent has not taken your estimate for %s.  The task is open to all\noperators again.\n" },
	[NOTICE_CLAIM_LAPSED] = { "claim_lapsed", "Your claim has lapsed",
	    "Nobody answered your estimate for %s in time, so the claim has lapsed.\nThe task is open to all operators "
	    "again.\n" },
	[NOTICE_ABORTED] = { "aborted", "An operator has stopped working on your task",
	    "The operator has stopped working on %s; the task shows why.\nIt is open to all operators again, and its "
	    "money "
	    "is still set aside.\n" },
	[NOTICE_GIVEN_UP] = { "given_up", "A task was cancelled because operators did not feel safe",
	    "Three operators have stopped working on %s because they did\nnot feel safe.  It is cancelled, and its "
	    "money is "
	    "back in your deposit.\n" },
	[NOTICE_REVIEW] = { "review", "A proof needs your decision",
	    "The proof for %s leaves doubts.  Please look at it and approve or\n"
	    "reject it; unanswered for seven days, it counts as approved.\n" },
	[NOTICE_COMPLETED] = { "completed", "Your work is accepted",
	    "Your work on %s is accepted.  The reward becomes available when the\nhold for disputes is over.\n" },
	[NOTICE_DISPUTED] = { "disputed", "A task is disputed",
	    "%s is disputed.  Its money stays where it is until our staff has\ndecided; you will be told.\n" },
	[NOTICE_CANCELLED] = { "cancelled", "A task was cancelled",
	    "The agent has cancelled %s.  Please do not go on with it.\n" },
	[NOTICE_EXPIRED] = { "expired", "A task has expired", "The time for %s is over, and it was cancelled.\n" },
	[NOTICE_RESOLVED] = { "resolved", "A dispute is decided",
	    "Our staff has decided the dispute about %s.  The task shows how.\n" },
	[NOTICE_KYC_VERIFIED] = { "kyc_verified", "Your identity is verified",
	    "Your identity is verified.  You can claim tasks now.\n" },
	[NOTICE_KYC_REJECTED] = { "kyc_rejected", "Your identity could not be verified",
	    "Your identity could not be verified.  Your profile says why and what\nyou can do.\n" },
	[NOTICE_APPEAL] = { "appeal", "Your appeal is decided",
	    "Our staff has looked at a task of yours that was blocked.  Post it again:\nit now passes, or the refusal "
	    "stands.\n" },
};

/* The text with the task's id in place of %s. */
static char *
fill_task(const void *ctx, const char *text, const char *task)
{
	const char *place = strstr(text, "%s");

	if (place == NULL || task == NULL)
		return talloc_strdup(ctx, text);
	return talloc_asprintf(ctx, "%.*s%s%s", (int)(place - text), text, task, place + 2);
}

/* Mail is broken into lines, a notification is not: white space becomes single blanks, none at the end. */
static void
fold_blanks(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++)
		if (*in != ' ' && *in != '\n')
			*out++ = *in;
		else if (out > text && out[-1] != ' ')
			*out++ = ' ';
	while (out > text && out[-1] == ' ')
		out--;
	*out = '\0';
}

/* The same notice for the browsers of an operator. */
static int
tell_browsers(struct db *db, struct id party, const struct template *template, const char *task, int64_t now_ms,
    struct error *err)
{
	struct json_object *message = json_object_new_object();
	char *text = fill_task(NULL, template->text, task);
	int rc;

	fold_blanks(text);
	json_object_object_add(message, "notice", json_object_new_string(template->name));
	json_object_object_add(message, "title", json_object_new_string(template->subject));
	json_object_object_add(message, "text", json_object_new_string(text));
	if (task != NULL)
		json_object_object_add(message, "task_id", json_object_new_string(task));
	rc = subscription_tell(db, party, message, now_ms, err);
	json_object_put(message);
	talloc_free(text);
	return rc;
}

int
notify_party(struct db *db, struct id party, enum notice notice, struct id task, int64_t now_ms, struct error *err)
{
	struct json_object *payload = json_object_new_object();
	char id[ID_TEXT_SIZE];
	struct db_rows *rows;

	json_object_object_add(payload, "template", json_object_new_string(templates[notice].name));
	if (!id_is_nil(task)) {
		id_print(ID_TASK, task, id);
		json_object_object_add(payload, "task_id", json_object_new_string(id));
	}
	rows = db_call(db, NULL, err, "job_add", id_bucket(party),
	    DB_ARGS(DB_TEXT("mail"), DB_UUID(party), DB_JSON(payload), DB_TIME(now_ms), DB_INT(MAIL_ATTEMPTS),
		DB_TIME(now_ms)));
	json_object_put(payload);
	talloc_free(rows);
	return rows == NULL ? -1
			    : tell_browsers(db, party, &templates[notice], id_is_nil(task) ? NULL : id, now_ms, err);
}

static const struct template *
find_template(const char *name)
{
	for (size_t i = 0; name != NULL && i < NOTICES; i++)
		if (strcmp(templates[i].name, name) == 0)
			return &templates[i];
	return NULL;
}

/* Fills subject, text and address of a notice.  0; 1 if there is nothing to send; -1 if the database is away. */
static int
make_notice(const void *ctx, struct worker *worker, const struct job *job, struct mail *mail)
{
	const struct template *template =
	    find_template(json_object_get_string(json_object_object_get(job->payload, "template")));
	const char *task = json_object_get_string(json_object_object_get(job->payload, "task_id"));
	struct error err = { 0 };
	struct db_rows *rows;

	if (template == NULL)
		return 1;
	rows = db_call(worker->db, ctx, &err, "party_email", id_bucket(job->ref), DB_ARGS(DB_UUID(job->ref)));
	error_clear(&err);
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return 1;
	mail->to = db_text(rows, 0, "email");
	mail->subject = template->subject;
	mail->text = fill_task(ctx, template->text, task);
	return 0;
}

static int
make_verification(const void *ctx, const struct config *config, const struct job *job, struct mail *mail)
{
	char *token = open_token(ctx, config, job);

	mail->to = json_object_get_string(json_object_object_get(job->payload, "to"));
	if (token == NULL || mail->to == NULL)
		return 1;
	mail->subject = "Verify your e-mail address for HumanOps";
	mail->text = talloc_asprintf(ctx,
	    "Somebody, probably you, signed up for HumanOps with this address.\n\n"
	    "Open this link to verify it (it works once, for 24 hours):\n\n%s\n\n"
	    "If it was not you, do nothing: without the link the account stays\n"
	    "in the sandbox, where no person is hired and no money moves.\n",
	    agent_verification_url(ctx, config, token));
	return 0;
}

static int
send_mail(struct worker *worker, const struct job *job, const struct mail *mail)
{
	struct error err = { 0 };
	int rc = mail_send(worker->config->smtp_url, worker->config->mail_dir, mail, &err);

	if (rc == 0)
		rc = job_finish(worker, job);
	else if (err.code == ERR_validation_failed)
		rc = job_give_up(worker, job, "the mail server refuses the address");
	else
		rc = job_retry(worker, job, "the mail server did not take the mail");
	error_clear(&err);
	return rc;
}

int
notify_run(struct worker *worker, const struct job *job)
{
	char *ctx = talloc_strdup(NULL, "mail");
	char id[ID_UUID_SIZE];
	struct mail mail = { .from = worker->config->mail_from, .message_id = id, .now_ms = worker->now_ms };
	int made, rc = -1;

	id_print_uuid(job->id, id);
	made = json_object_object_get_ex(job->payload, "sealed", NULL)
		   ? make_verification(ctx, worker->config, job, &mail)
		   : make_notice(ctx, worker, job, &mail);
	if (made == 0)
		rc = send_mail(worker, job, &mail);
	else if (made > 0)
		rc = job_give_up(worker, job, "there is nothing to send, or it cannot be opened with this SECRET_KEY");
	talloc_free(ctx);
	return rc;
}
