/* Messages of a task; see message.h. */
#include <talloc.h>
#include "base/db.h"
#include "core/message.h"

int
message_add(struct db *db, const void *ctx, struct id task_id, const char *sender, struct id sender_id,
    const char *text, int64_t now_ms, struct id *id, struct task *task, struct error *err)
{
	struct db_rows *rows;

	*id = id_new(id_bucket(task_id), now_ms);
	rows = db_call(db, ctx, err, "message_add", id_bucket(task_id),
	    DB_ARGS(
		DB_UUID(task_id), DB_UUID(*id), DB_TEXT(sender), DB_UUID(sender_id), DB_TEXT(text), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	task_read(rows, 0, task);
	return 0;
}

int
message_list(struct db *db, const void *ctx, struct id task, struct id oper, struct message **out, size_t *count,
    struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "message_list", id_bucket(task),
	    DB_ARGS(DB_UUID(task), DB_INT(MESSAGES_SHOWN), DB_UUID(oper)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct message, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		(*out)[i].id = db_uuid(rows, i, "id");
		(*out)[i].sender = db_text(rows, i, "sender");
		(*out)[i].text = db_text(rows, i, "text");
		(*out)[i].at_ms = db_time(rows, i, "at");
	}
	return 0;
}
