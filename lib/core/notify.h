#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include "base/id.h"

/* Mail to people: what a mail job holds, and the worker's part that sends it. */

struct config;
struct job;
struct json_object;
struct worker;

/*
 * The payload of a mail job that carries a verification link; the token in it is sealed, so that the queue shows no
 * secret.  Owner: the caller puts it.
 */
struct json_object *notify_verification(const struct config *config, struct id agent, const char *email,
    const char *token);

/* The job "mail" (core/job.h). */
int notify_run(struct worker *worker, const struct job *job);

#endif
