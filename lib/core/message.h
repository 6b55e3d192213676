#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "core/task.h"

/* What agent and operator say to each other about a task. */

struct db;
struct error;

enum { MESSAGE_MAX_CHARS = 4000, MESSAGES_SHOWN = 200 };

struct message {
	struct id id;
	const char *sender, *text; /* agent, operator, staff */
	int64_t at_ms;
};

/* sender: "agent" or "operator".  Fails: task_not_found, no_operator. */
int message_add(struct db *db, const void *ctx, struct id task_id, const char *sender, struct id sender_id,
    const char *text, int64_t now_ms, struct id *id, struct task *task, struct error *err);

/*
 * The newest MESSAGES_SHOWN, oldest first: what was said between the agent and that operator, or (oper nil) all.  Who may read
 * them has been checked.
 */
int message_list(struct db *db, const void *ctx, struct id task, struct id oper, struct message **out, size_t *count,
    struct error *err);

#endif
