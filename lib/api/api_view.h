#ifndef API_API_VIEW_H
#define API_API_VIEW_H

#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

/* How things of lib/core look in JSON, wherever more than one handler shows them.  Objects returned are the caller's. */

struct feed_item;
struct json_object;
struct oper;
struct operator_found;
struct payout;
struct request;
struct task;

/* A task as its agent and staff see it. */
void view_task(struct request *rq, struct json_object *object, const struct task *task);

/* Who works on a task, as its agent may know; NULL if nobody does. */
struct json_object *view_task_operator(const struct task *task);

/* An operator in a search: no contact data. */
struct json_object *view_found(const struct operator_found *found);

/* A row of a list of an agent's tasks. */
struct json_object *view_task_row(const struct task *task);

/* A task's audit trail as "events".  0, or -1 with the request's error. */
int view_events(struct request *rq, struct id task);

/* A task's messages under a name: those of one operator's conversation, or (oper nil) all.  Who may read them has been checked.
 * 0, or -1 with the request's error. */
int view_messages(struct request *rq, const char *name, struct id task, struct id oper);

/* A task as its operator sees it: with what the work needs, without the agent's affairs. */
struct json_object *view_work(struct request *rq, const struct task *task);

/* An open task in an operator's feed. */
struct json_object *view_feed_item(const struct feed_item *item);

/* An operator's own profile, and staff's view of it. */
void view_operator(struct json_object *object, const struct oper *oper);

/* A payout as whoever asked for it sees it; said again, it takes the place of what the object had. */
void view_payout(struct json_object *object, const struct payout *payout);

/* A page of payouts as "data", each by `view`, and "pagination"; a full page names the next one's cursor. */
void view_payouts(struct json_object *object, const struct payout *payouts, size_t count, int64_t limit,
    void (*view)(struct json_object *object, const struct payout *payout));

/* "pagination"; total -1: not counted. */
void view_pagination(struct json_object *object, int64_t limit, int64_t offset, int64_t total);

#endif
