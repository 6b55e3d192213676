/*
 * Waiting for a task without holding up anybody else: a process that answers is asleep meanwhile, so only some of them may be at a
 * time, and not for long.  Whoever finds no place is told to come back.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <talloc.h>
#include <unistd.h>
#include "api/mcp_call.h"
#include "api/mcp_message.h"
#include "api/mcp_view.h"
#include "api/mcp_wait.h"
#include "base/config.h"
#include "base/now.h"
#include "base/supervise.h"
#include "http/gateway.h"
#include "http/reply.h"

enum { WAIT_MAX_S = 20, STEP_MS = 400, COME_BACK_S = 5, PLACES_ALONE = 2 };

struct wait {
	const char *known; /* the status that the caller knows; NULL: none */
	int64_t timeout_ms;
	const char *event; /* the newest at the first look; a newer one is news */
};

/* A quarter of the processes never waits.  By CGI, or under another supervisor, nobody knows how many there are. */
static int
places(const struct gateway *gateway)
{
	return gateway->workers > 0 ? gateway->workers * 3 / 4 : PLACES_ALONE;
}

/* One of the places: a lock on one of a few files, given back with the process whatever becomes of it.  -1: all are taken. */
static int
take_place(const struct request *rq)
{
	for (int i = 0; i < places(rq->gateway); i++) {
		char *path = talloc_asprintf(NULL, "%s/mcp-wait.%d", rq->config->run_dir, i);
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		talloc_free(path);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static const char *
text_of(struct json_object *object, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(object, name));

	return text != NULL ? text : "";
}

/* Every move of a task and every message leaves one. */
static const char *
newest_event(struct json_object *task)
{
	struct json_object *events = json_object_object_get(task, "events");
	size_t count = json_object_array_length(events);

	return count > 0 ? text_of(json_object_array_get_idx(events, count - 1), "event_id") : "";
}

static bool
has_changed(const struct wait *wait, struct json_object *task)
{
	return (wait->known != NULL && strcmp(wait->known, text_of(task, "status")) != 0) ||
	       strcmp(wait->event, newest_event(task)) != 0;
}

/* What the caller should hear of at once: a change, an end, or that the task waits for the caller. */
static bool
is_news(const struct wait *wait, struct json_object *task)
{
	return has_changed(wait, task) || mcp_view_is_over(task) || mcp_view_awaits_review(task) ||
	       (wait->known == NULL && mcp_view_awaits_approval(task));
}

/* Looks again until there is news or the time is over; the last look, NULL with rq->error if it failed.  Takes task. */
static struct json_object *
look_again(struct request *rq, const struct mcp_tool *tool, struct json_object *args, const struct wait *wait,
    struct json_object *task)
{
	int64_t end = now_monotonic_ms() + wait->timeout_ms;

	/* A process that is told to end does not let others wait for it. */
	while (task != NULL && !is_news(wait, task) && now_monotonic_ms() < end && !supervise_stopping()) {
		poll(NULL, 0, STEP_MS);
		json_object_put(task);
		rq->now_ms = now_ms();
		task = mcp_call_once(rq, tool, args);
	}
	return task;
}

static struct json_object *
wait_for(struct request *rq, const struct mcp_tool *tool, struct json_object *args, struct wait *wait)
{
	struct json_object *task = mcp_call_once(rq, tool, args);
	int place;

	if (task == NULL)
		return NULL;
	wait->event = talloc_strdup(rq, newest_event(task));
	if (!is_news(wait, task)) {
		if ((place = take_place(rq)) < 0) {
			reply_int(task, "retry_after_seconds", COME_BACK_S);
		} else {
			task = look_again(rq, tool, args, wait, task);
			close(place);
		}
	}
	if (task != NULL)
		reply_bool(task, "changed", has_changed(wait, task));
	return task;
}

/* Reads what is this tool's own and leaves the rest. */
static void
read_wait(struct request *rq, struct json_object *args, struct wait *wait)
{
	struct json_object *given = json_object_object_get(args, "timeout_seconds");
	struct json_object *status = json_object_object_get(args, "after_status");
	int64_t seconds = given != NULL ? json_object_get_int64(given) : WAIT_MAX_S;

	if ((given != NULL && !json_object_is_type(given, json_type_int)) || seconds < 1 || seconds > WAIT_MAX_S)
		error_field(&rq->error, "timeout_seconds", "must be a whole number from 1 to %d", WAIT_MAX_S);
	else
		wait->timeout_ms = 1000 * seconds;
	if (status != NULL && !mcp_view_is_status(mcp_message_text(status)))
		error_field(&rq->error, "after_status", "must be the status of a task, such as \"PENDING\"");
	else if (status != NULL)
		wait->known = talloc_strdup(rq, json_object_get_string(status));
	json_object_object_del(args, "timeout_seconds");
	json_object_object_del(args, "after_status");
}

struct json_object *
mcp_wait(struct request *rq, const struct mcp_tool *tool, struct json_object *args)
{
	struct json_object *own = NULL, *task;
	struct wait wait = { 0 };

	if (args == NULL || json_object_deep_copy(args, &own, NULL) != 0)
		own = json_object_new_object();
	read_wait(rq, own, &wait);
	/* With faults of its own too: the call adds its own, and refuses. */
	task = wait_for(rq, tool, own, &wait);
	json_object_put(own);
	return task;
}
