/*
 * Mail to people.  Texts are ours alone: nothing that a stranger typed goes into a mail to an address that the same stranger
 * named.  How a mail travels is net/mail.c's business.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/error.h"
#include "base/text.h"
#include "core/agent.h"
#include "core/job.h"
#include "core/notify.h"
#include "net/mail.h"

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
	sealed = crypto_seal(NULL, config->secret_key, purpose, token, strlen(token), &len);
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
	return bytes == NULL ? NULL : (char *)crypto_open(ctx, config->secret_key, purpose, bytes, len, &len);
}

int
notify_run(struct worker *worker, const struct job *job)
{
	const struct config *config = worker->config;
	char *ctx = talloc_strdup(NULL, "mail"), *token = open_token(ctx, config, job);
	struct error err = { 0 };
	char id[ID_UUID_SIZE];
	struct mail mail = {
		.from = config->mail_from,
		.to = json_object_get_string(json_object_object_get(job->payload, "to")),
		.subject = "Verify your e-mail address for HumanOps",
		.message_id = id,
		.now_ms = worker->now_ms,
	};
	int rc;

	id_print_uuid(job->id, id);
	if (token == NULL || mail.to == NULL) {
		talloc_free(ctx);
		return job_give_up(worker, job, "the mail's content cannot be opened with this SECRET_KEY");
	}
	mail.text = talloc_asprintf(ctx,
	    "Somebody, probably you, signed up for HumanOps with this address.\n\n"
	    "Open this link to verify it (it works once, for 24 hours):\n\n%s\n\n"
	    "If it was not you, do nothing: without the link the account stays\n"
	    "in the sandbox, where no person is hired and no money moves.\n",
	    agent_verification_url(ctx, config, token));
	rc = mail_send(config->smtp_url, config->mail_dir, &mail, &err);
	talloc_free(ctx);
	if (rc == 0)
		return job_finish(worker, job);
	rc = err.code == ERR_validation_failed ? job_give_up(worker, job, "the mail server refuses the address")
	    : job_retry(worker, job, "the mail server did not take the mail");
	error_clear(&err);
	return rc;
}
