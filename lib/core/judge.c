/*
 * The Guardian's job: gathers a proof with its evidence and pictures, asks (guardian.c, which knows no database), and carries
 * the answer out, with the operator's pay and the mails that follow, in one transaction with the end of the job.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/guardian.h"
#include "core/job.h"
#include "core/judge.h"
#include "core/notify.h"
#include "core/task.h"
#include "core/verdict.h"
#include "net/storage.h"

enum { PICTURE_MAX = 2 * 1024 * 1024, ATTEMPTS = 6 };

static const char *
text_of(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) ? json_object_get_string(member) : NULL;
}

static int64_t
time_of(struct json_object *object, const char *name)
{
	const char *text = text_of(object, name);
	int64_t ms = 0;

	return text != NULL && time_parse(text, &ms) == 0 ? ms : 0;
}

static struct guardian_place
place_of(struct json_object *object, const char *name)
{
	struct guardian_place place = { 0 };
	struct json_object *member;

	if (json_object_object_get_ex(object, name, &member)) {
		place.is_known = true;
		place.lat = json_object_get_double(json_object_object_get(member, "lat"));
		place.lng = json_object_get_double(json_object_object_get(member, "lng"));
	}
	return place;
}

/* The picture as it is served, for a model to see; one that is large or away is not shown. */
static void
load_picture(const void *ctx, struct storage *storage, const char *stored, struct guardian_photo *photo)
{
	struct error err = { 0 };
	int64_t size;
	int fd = storage_get(storage, stored, &size, &err);
	char *data;

	error_clear(&err);
	if (fd < 0)
		return;
	if (size <= PICTURE_MAX) {
		data = talloc_size(ctx, (size_t)size + 1);
		if (pread(fd, data, (size_t)size, 0) == size) {
			photo->data = data;
			photo->data_len = (size_t)size;
		}
	}
	close(fd);
}

static void
read_photo(
    const void *ctx, struct storage *storage, struct json_object *file, bool is_shown, struct guardian_photo *photo)
{
	struct json_object *evidence = json_object_object_get(file, "evidence");
	const char *hex = text_of(file, "sha256"), *stored = text_of(file, "stored");

	photo->type = text_of(file, "media_type");
	if (hex != NULL)
		text_unhex(hex, photo->sha256, SHA256_SIZE);
	photo->exif_text = text_of(evidence, "camera");
	photo->exif_place = place_of(evidence, "exif_position");
	photo->reported_place = place_of(evidence, "reported_position");
	photo->exif_time_ms = time_of(evidence, "exif_taken_at");
	photo->has_exif_zone = json_object_get_boolean(json_object_object_get(evidence, "exif_has_zone"));
	photo->captured_at_ms = time_of(evidence, "captured_at");
	photo->is_reused = json_object_get_boolean(json_object_object_get(evidence, "is_reused"));
	photo->is_near_duplicate = json_object_get_boolean(json_object_object_get(evidence, "is_similar"));
	if (is_shown && stored != NULL)
		load_picture(ctx, storage, stored, photo);
}

static void
read_question(const void *ctx, const struct task *task, struct json_object *wanted, struct guardian_task *question)
{
	size_t count = json_object_array_length(wanted);

	question->title = task->title;
	question->description = task->description;
	question->digital_instructions = task->digital_instructions;
	question->task_type = task->task_type;
	question->proof_type = task->proof_type;
	question->deadline_ms = task->deadline_ms;
	question->place = (struct guardian_place){ task->has_position, task->lat, task->lng };
	question->requirements.items = talloc_zero_array(ctx, char *, (unsigned)count + 1);
	question->requirements.count = count;
	for (size_t i = 0; i < count; i++)
		question->requirements.items[i] =
		    talloc_strdup(ctx, json_object_get_string(json_object_array_get_idx(wanted, i)));
}

static void
read_proof(const void *ctx, const struct config *config, const struct task *task, struct json_object *stored,
    struct guardian_proof *proof)
{
	struct storage *storage = storage_open(ctx, config);
	struct json_object *files = NULL;
	size_t count = json_object_object_get_ex(stored, "files", &files) ? json_object_array_length(files) : 0;
	struct guardian_photo *photos = talloc_zero_array(ctx, struct guardian_photo, (unsigned)count + 1);

	for (size_t i = 0; i < count; i++)
		read_photo(ctx, storage, json_object_array_get_idx(files, i), i < GUARDIAN_PHOTOS_SHOWN, &photos[i]);
	proof->photos = photos;
	proof->photo_count = count;
	proof->notes = text_of(stored, "notes");
	proof->confirmation_text = text_of(stored, "confirmation_text");
	proof->reference_url = text_of(stored, "reference_url");
	proof->has_credential = task->credential_json != NULL;
	proof->accepted_ms = task->accepted_ms;
	proof->submitted_ms = task->submitted_ms;
}

/* 0 with a verdict; -1: ask again later.  is_last: there is no later, the evidence alone decides. */
static int
ask(const void *ctx, const struct worker *worker, const struct task *task, bool is_last,
    struct guardian_verdict *verdict)
{
	struct json_object *wanted = json_tokener_parse(task->requirements_json);
	struct json_object *stored = json_tokener_parse(task->proof_json);
	struct guardian_task question = { 0 };
	struct guardian_proof proof = { 0 };
	struct error err = { 0 };
	int rc;

	read_question(ctx, task, wanted, &question);
	read_proof(ctx, worker->config, task, stored, &proof);
	rc = guardian_verify(worker->config, ctx, &question, &proof, verdict, &err);
	if (rc != 0 && is_last) {
		guardian_give_up(ctx, &question, &proof, verdict);
		rc = 0;
	}
	error_clear(&err);
	json_object_put(wanted);
	json_object_put(stored);
	return rc;
}

/* decision, the move that it makes, who is told what. */
static const struct {
	enum guardian_decision decision;
	const char *event;
	enum notice notice;
	bool to_agent, to_operator;
} outcomes[] = {
	{ GUARDIAN_APPROVE, "pass", NOTICE_COMPLETED, false, true },
	{ GUARDIAN_MANUAL_REVIEW, "review", NOTICE_REVIEW, true, false },
	{ GUARDIAN_REJECT, "fail", NOTICE_DISPUTED, true, true },
};

static int
tell(struct worker *worker, const struct verdict_outcome *outcome, struct id task, size_t i, struct error *err)
{
	if (outcomes[i].to_agent &&
	    notify_party(worker->db, outcome->agent, outcomes[i].notice, task, worker->now_ms, err))
		return -1;
	if (outcomes[i].to_operator &&
	    notify_party(worker->db, outcome->oper, outcomes[i].notice, task, worker->now_ms, err))
		return -1;
	return 0;
}

/* The verdict, what follows from it, and the end of the job: all or nothing. */
static int
carry_out(const void *ctx, struct worker *worker, const struct job *job, const struct guardian_verdict *verdict)
{
	struct json_object *result = guardian_json(verdict);
	struct verdict_outcome outcome;
	struct error err = { 0 };
	size_t i = 0;
	int rc = -1;

	while (outcomes[i].decision != verdict->decision)
		i++;
	worker->now_ms = now_ms();
	if (db_begin(worker->db, &err) || verdict_guardian(worker->db, ctx, worker->config, job->ref, outcomes[i].event,
					      result, worker->now_ms, &outcome, &err))
		goto out;
	if ((outcome.has_moved && tell(worker, &outcome, job->ref, i, &err)) || job_finish(worker, job) ||
	    db_commit(worker->db, &err))
		goto out;
	rc = 0;
out:
	db_rollback(worker->db);
	error_clear(&err);
	json_object_put(result);
	return rc;
}

static int
judge(struct worker *worker, const struct job *job, bool is_last)
{
	char *ctx = talloc_strdup(NULL, "judge");
	struct guardian_verdict verdict;
	struct error err = { 0 };
	struct task task;
	int rc;

	rc = task_any(worker->db, ctx, job->ref, &task, &err);
	if (rc != 0 && err.code != ERR_task_not_found)
		rc = -1;
	else if (rc != 0 || task.proof_json == NULL)
		rc = job_finish(worker, job);
	else if (ask(ctx, worker, &task, is_last, &verdict) != 0)
		rc = job_retry(worker, job, "the Guardian's model is away");
	else
		rc = carry_out(ctx, worker, job, &verdict);
	error_clear(&err);
	talloc_free(ctx);
	return rc;
}

int
judge_run(struct worker *worker, const struct job *job)
{
	return judge(worker, job, job->attempts >= ATTEMPTS);
}

void
judge_give_up(struct worker *worker, const struct job *job)
{
	judge(worker, job, true);
}
