/* Events by cursor; see event.h.  Why the order is that of transactions stands in sql/functions/event.sql. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/event.h"

/* A cursor is the transaction's number, a dot, and the event. */
static int
read_cursor(const char *cursor, char xid[24], struct id *id)
{
	size_t digits = strspn(cursor, "0123456789");

	if (digits == 0 || digits > 19 || cursor[digits] != '.' || id_parse(ID_EVENT, cursor + digits + 1, id) != 0)
		return -1;
	snprintf(xid, 24, "%.*s", (int)digits, cursor);
	return 0;
}

int
event_list(struct db *db, const void *ctx, struct id agent, const char *cursor, int64_t limit, struct event **out,
    size_t *count, struct error *err)
{
	static const struct id least;
	char xid[24] = "0", text[ID_TEXT_SIZE], uuid[ID_UUID_SIZE];
	struct id after = least;
	struct db_rows *rows;

	if (cursor != NULL && read_cursor(cursor, xid, &after) != 0)
		return error_set(err, ERR_cursor_invalid);
	id_print_uuid(after, uuid);
	rows = db_call(db, ctx, err, "event_list", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_TEXT(xid), DB_TEXT(uuid), DB_INT(limit)));
	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct event, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct event *event = &(*out)[i];

		event->id = db_uuid(rows, i, "id");
		event->task = db_uuid(rows, i, "task_id");
		event->type = db_text(rows, i, "type");
		event->actor = db_text(rows, i, "actor");
		event->from_status = db_text(rows, i, "from_status");
		event->to_status = db_text(rows, i, "to_status");
		event->data_json = db_text(rows, i, "data");
		event->at_ms = db_time(rows, i, "at");
		id_print(ID_EVENT, event->id, text);
		snprintf(event->cursor, sizeof(event->cursor), "%s.%s", db_text(rows, i, "xid"), text);
	}
	return 0;
}
