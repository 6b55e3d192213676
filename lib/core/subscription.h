#ifndef CORE_SUBSCRIPTION_H
#define CORE_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"

/* Browsers that operators are told in by web push (spec 3). */

struct db;
struct error;
struct job;
struct json_object;
struct push_browser;
struct worker;

enum { SUBSCRIPTION_MAX = 10, ENDPOINT_MAX = 2000 /* bytes; the endpoint is part of a key */ };

/* A browser of an operator, or its new keys.  One more than an operator may have takes the place of the oldest. */
int subscription_add(struct db *db, struct id oper, const char *endpoint, const struct push_browser *browser,
    int64_t now_ms, struct error *err);

int subscription_remove(struct db *db, struct id oper, const char *endpoint, bool *was_there, struct error *err);

/* Queues a message for every browser of a party, in the caller's transaction; nothing for a party without any. */
int subscription_tell(struct db *db, struct id party, struct json_object *message, int64_t now_ms, struct error *err);

/* The job "push": one message to one browser. */
int subscription_run(struct worker *worker, const struct job *job);

#endif
