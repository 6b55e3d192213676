#ifndef CORE_WEBHOOK_H
#define CORE_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/id.h"

/* Webhooks out (spec 8): signing, sending, the delivery log. */

struct db;
struct error;
struct job;
struct worker;

enum { WEBHOOK_ATTEMPTS = 10 };

struct webhook_delivery {
	struct id id, event;
	const char *type, *state; /* pending, delivered, failed */
	int64_t created_ms, next_ms, delivered_ms;
	const char *attempts_json;
};

/* A delivery that was given up. */
struct webhook_failure {
	struct id id, agent, task;
	const char *type, *last_error;
	int attempts;
	int64_t created_ms;
};

/* X-HumanOps-Signature: HMAC-SHA256 of the body under the secret's own bytes, in hex. */
void webhook_sign(const char *secret, const char *body, size_t len, char hex[2 * SHA256_SIZE + 1]);

/*
 * webhook-signature of Standard Webhooks 1.0: "v1," and the base64 of the HMAC-SHA256 of "id.timestamp.body".  A secret that
 * begins with whsec_ is the key in base64, any other is the key itself.  talloc'ed.
 */
char *webhook_sign_standard(const void *ctx, const char *secret, const char *id, int64_t timestamp_s, const char *body);

/* How long to wait after the given failed attempt (1 to 9), without jitter; 0 when there is none to come. */
int64_t webhook_delay_ms(int attempt);

/* The job "webhook": one attempt.  And its end when every attempt died. */
int webhook_run(struct worker *worker, const struct job *job);
void webhook_give_up(struct worker *worker, const struct job *job);

/* A task's deliveries with their attempts, oldest first.  Fails: task_not_found. */
int webhook_list(struct db *db, const void *ctx, struct id agent, struct id task, struct webhook_delivery **out,
    size_t *count, struct error *err);

/* Sends a settled delivery again, under the same event id.  Fails: delivery_not_found, delivery_in_progress. */
int webhook_redeliver(
    struct db *db, struct id agent, struct id task, struct id delivery, int64_t now_ms, struct error *err);

/* What was given up, newest first; for staff. */
int webhook_failures(
    struct db *db, const void *ctx, int64_t limit, struct webhook_failure **out, size_t *count, struct error *err);

#endif
