/* Tasks as operators see them; see feed.h. */
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/feed.h"

static void
read_item(struct db_rows *rows, size_t row, struct feed_item *item)
{
	item->id = db_uuid(rows, row, "id");
	item->title = db_text(rows, row, "title");
	item->description = db_text(rows, row, "description");
	item->task_type = db_text(rows, row, "task_type");
	item->task_domain = db_text(rows, row, "task_domain");
	item->proof_type = db_text(rows, row, "proof_type");
	item->address = db_text(rows, row, "address");
	item->requirements_json = db_text(rows, row, "proof_requirements");
	item->instructions = db_text(rows, row, "digital_instructions");
	item->has_position = !db_is_null(rows, row, "lat");
	item->lat = db_real(rows, row, "lat");
	item->lng = db_real(rows, row, "lng");
	item->has_distance = !db_is_null(rows, row, "distance_km");
	item->distance_km = db_real(rows, row, "distance_km");
	item->reward = db_int(rows, row, "reward");
	item->deadline_ms = db_time(rows, row, "deadline");
	item->created_ms = db_time(rows, row, "created_at");
	item->safety_stops = (int)db_int(rows, row, "safety_stops");
}

int
feed_open(struct db *db, const void *ctx, const struct feed_query *query, int64_t now_ms, struct feed_item **out,
    size_t *count, int64_t *total, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "feed_open_everywhere",
	    DB_ARGS(DB_TEXT(query->task_type), DB_TEXT(query->task_domain),
		query->has_lat ? DB_REAL(query->lat) : DB_NONE, query->has_lng ? DB_REAL(query->lng) : DB_NONE,
		query->has_radius ? DB_REAL(query->radius_km) : DB_NONE, DB_INT(query->limit), DB_INT(query->offset),
		DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*total = *count == 0 ? query->offset : db_int(rows, 0, "total");
	*out = talloc_zero_array(rows, struct feed_item, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		read_item(rows, i, &(*out)[i]);
	return 0;
}

int
feed_mine(struct db *db, const void *ctx, struct id oper, const char *status, int64_t limit, int64_t offset,
    struct task **out, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "feed_mine_everywhere",
	    DB_ARGS(DB_UUID(oper), DB_TEXT(status), DB_INT(limit), DB_INT(offset)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct task, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		task_read(rows, i, &(*out)[i]);
	return 0;
}

int
feed_show(
    struct db *db, const void *ctx, struct id oper, struct id task, int64_t now_ms, struct task *out, struct error *err)
{
	struct db_rows *rows =
	    db_call(db, ctx, err, "feed_show", id_bucket(task), DB_ARGS(DB_UUID(task), DB_UUID(oper), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return error_set(err, ERR_task_not_found);
	task_read(rows, 0, out);
	return 0;
}
