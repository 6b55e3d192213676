#ifndef CORE_RECEIPT_H
#define CORE_RECEIPT_H

#include <stdint.h>

/* The proof receipt (spec 3): what was asked, proven and decided, for anyone to check offline. */

struct config;
struct task;

/* The claims of a completed task's receipt as JSON; talloc'ed.  net/token.h signs them. */
char *receipt_payload(const void *ctx, const struct config *config, const struct task *task, int64_t now_ms);

#endif
