/* The sweeps in their order; what each does is SQL's (sql/functions/sweep.sql, partition.sql). */
#include <talloc.h>
#include "base/db.h"
#include "core/sweep.h"

enum { BATCH = 100 };

/* One function over everything that answers with a count. */
static int
sweep_everywhere(struct db *db, const char *function, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, NULL, err, function, DB_ARGS(DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	*count = db_int(rows, 0, function);
	talloc_free(rows);
	return 0;
}

/* A bucket's overdue tasks, batch by batch, so that no lock is held for long. */
static int
sweep_bucket(struct db *db, int bucket, int64_t now_ms, int64_t *count, struct error *err)
{
	struct db_rows *rows;
	int64_t done;

	do {
		rows = db_call(db, NULL, err, "sweep_tasks", bucket, DB_ARGS(DB_TIME(now_ms), DB_INT(BATCH)));
		if (rows == NULL)
			return -1;
		done = db_int(rows, 0, "sweep_tasks");
		*count += done;
		talloc_free(rows);
	} while (done == BATCH);
	return 0;
}

int
sweep_all(struct db *db, int64_t now_ms, struct sweep_result *out, struct error *err)
{
	struct db_rows *due;
	int rc = 0;

	if (sweep_everywhere(db, "partition_add_everywhere", now_ms, &out->partitions, err))
		return -1;
	due = db_call_everywhere(db, NULL, err, "sweep_due_everywhere", DB_ARGS(DB_TIME(now_ms)));
	if (due == NULL)
		return -1;
	for (size_t i = 0; rc == 0 && i < db_count(due); i++)
		rc = sweep_bucket(db, (int)db_int(due, i, "bucket"), now_ms, &out->tasks, err);
	talloc_free(due);
	return rc != 0 ? -1 : sweep_everywhere(db, "sweep_expired_everywhere", now_ms, &out->expired, err);
}
