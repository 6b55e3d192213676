/* Screening with a memory; see screening.h.  What is forbidden is the policy's and the model's (guardian.c). */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/guardian.h"
#include "core/screening.h"
#include "core/task.h"

static void
read_screening(struct db_rows *rows, size_t row, struct screening *s)
{
	s->id = db_uuid(rows, row, "id");
	s->agent = db_uuid(rows, row, "agent_id");
	s->title = db_text(rows, row, "title");
	s->description = db_text(rows, row, "description");
	s->instructions = db_text(rows, row, "digital_instructions");
	s->task_type = db_text(rows, row, "task_type");
	s->category = db_text(rows, row, "category");
	s->rule = db_text(rows, row, "rule");
	s->reason = db_text(rows, row, "reason");
	s->appeal = db_text(rows, row, "appeal");
	s->decision = db_text(rows, row, "decision");
	s->decision_note = db_text(rows, row, "decision_note");
	s->created_ms = db_time(rows, row, "created_at");
	s->appealed_ms = db_time(rows, row, "appealed_at");
}

static int
read_one(struct db_rows *rows, struct screening *out)
{
	if (rows == NULL)
		return -1;
	read_screening(rows, 0, out);
	return 0;
}

static int
block(const struct screening *s, struct error *err)
{
	char id[ID_TEXT_SIZE];

	id_print(ID_SCREENING, s->id, id);
	error_set(err, ERR_policy_violation);
	error_detail(err, "category", json_object_new_string(s->category));
	error_detail(err, "rule", json_object_new_string(s->rule));
	error_detail(err, "reason", json_object_new_string(s->reason));
	return error_detail(err, "screening_id", json_object_new_string(id));
}

/* Keeps a fresh block and refuses with it. */
static int
keep(struct db *db, const void *ctx, struct id agent, const struct task_new *task,
    const uint8_t fingerprint[SHA256_SIZE], const struct guardian_screening *answer, int64_t now_ms, struct error *err)
{
	int bucket = id_bucket(agent);
	struct screening kept;

	db_rollback(db);
	error_clear(err);
	if (read_one(db_call(db, ctx, err, "screening_block", bucket,
			 DB_ARGS(DB_UUID(id_new(bucket, now_ms)), DB_UUID(agent), DB_BYTES(fingerprint, SHA256_SIZE),
			     DB_TEXT(task->title), DB_TEXT(task->description), DB_TEXT(task->digital_instructions),
			     DB_TEXT(task->task_type), DB_TEXT(answer->category), DB_TEXT(answer->rule),
			     DB_TEXT(answer->reason), DB_TIME(now_ms))),
		&kept))
		return -1;
	return block(&kept, err);
}

int
screening_check(struct db *db, const void *ctx, const struct config *config, struct id agent,
    const struct task_new *task, int64_t now_ms, struct error *err)
{
	struct guardian_task question = { .title = task->title,
		.description = task->description,
		.digital_instructions = task->digital_instructions,
		.task_type = task->task_type,
		.proof_type = task->proof_type,
		.requirements = task->proof_requirements,
		.deadline_ms = task->deadline_ms };
	struct guardian_screening answer;
	uint8_t fingerprint[SHA256_SIZE];
	struct screening known;
	struct db_rows *rows;

	guardian_fingerprint(&question, fingerprint);
	rows = db_call(db, ctx, err, "screening_find", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_BYTES(fingerprint, SHA256_SIZE), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0) {
		read_screening(rows, 0, &known);
		return known.decision != NULL && strcmp(known.decision, "ALLOWED") == 0 ? 0 : block(&known, err);
	}
	if (guardian_screen(config, ctx, &question, &answer, err) == 0)
		return 0;
	return keep(db, ctx, agent, task, fingerprint, &answer, now_ms, err);
}

int
screening_appeal(struct db *db, const void *ctx, struct id agent, struct id screening, const char *reason,
    int64_t now_ms, struct screening *out, struct error *err)
{
	if (id_bucket(screening) != id_bucket(agent))
		return error_set(err, ERR_screening_not_found);
	return read_one(db_call(db, ctx, err, "screening_appeal", id_bucket(agent),
			    DB_ARGS(DB_UUID(agent), DB_UUID(screening), DB_TEXT(reason), DB_TIME(now_ms))),
	    out);
}

int
screening_appeals(struct db *db, const void *ctx, int64_t limit, int64_t offset, struct screening **out, size_t *count,
    struct error *err)
{
	struct db_rows *rows =
	    db_call_everywhere(db, ctx, err, "screening_appeals_everywhere", DB_ARGS(DB_INT(limit), DB_INT(offset)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct screening, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		read_screening(rows, i, &(*out)[i]);
	return 0;
}

int
screening_decide(struct db *db, const void *ctx, struct id screening, const char *decision, const char *note,
    int64_t now_ms, struct screening *out, struct error *err)
{
	return read_one(db_call(db, ctx, err, "screening_decide", id_bucket(screening),
			    DB_ARGS(DB_UUID(screening), DB_TEXT(decision), DB_TEXT(note), DB_TIME(now_ms))),
	    out);
}
