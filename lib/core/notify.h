#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include <stdint.h>
#include "base/id.h"

/* Mail to people: what a mail job holds, and the worker's part that sends it. */

struct config;
struct db;
struct error;
struct job;
struct json_object;
struct worker;

/*
 * The payload of a mail job that carries a verification link; the token in it is sealed, so that the queue shows no
 * secret.  Owner: the caller puts it.
 */
struct json_object *notify_verification(
    const struct config *config, struct id agent, const char *email, const char *token);

/* What a person is told of; the sentences are notify.c's. */
enum notice {
	NOTICE_ESTIMATE,
	NOTICE_CLAIM_APPROVED,
	NOTICE_CLAIM_REJECTED,
	NOTICE_CLAIM_LAPSED,
	NOTICE_ABORTED,
	NOTICE_GIVEN_UP,
	NOTICE_REVIEW,
	NOTICE_COMPLETED,
	NOTICE_DISPUTED,
	NOTICE_CANCELLED,
	NOTICE_EXPIRED,
	NOTICE_RESOLVED,
	NOTICE_KYC_VERIFIED,
	NOTICE_KYC_REJECTED,
	NOTICE_APPEAL,
	NOTICES
};

/* Queues a mail to an agent or operator, and a push to each browser of an operator, in the caller's transaction; task nil
 * where it is about none. */
int notify_party(struct db *db, struct id party, enum notice notice, struct id task, int64_t now_ms, struct error *err);

/* The job "mail" (core/job.h). */
int notify_run(struct worker *worker, const struct job *job);

#endif
