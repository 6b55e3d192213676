/*
 * The simulated lifecycle: which move comes next in which scenario, and the made-up operator, proof and verdict that go with
 * it.  Moves go through the same SQL function task_move as real ones.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/e2ee.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/category.h"
#include "core/job.h"
#include "core/sandbox.h"
#include "core/task.h"

enum { NOBODY_COMES_STEPS = 3 };

/*
 * status, scenario ("" stands for every other one), the move, and whether another follows.  no_operator waits some steps and
 * lets the task expire without waiting for its real deadline.
 */
static const struct step {
	const char *status, *scenario, *event;
	bool is_last;
} steps[] = {
	{ "PENDING", "no_operator", "expire", true },
	{ "PENDING", "", "accept", false },
	{ "ESTIMATE_PENDING", "estimate", NULL, true },
	{ "ESTIMATE_PENDING", "", "approve", false },
	{ "ACCEPTED", "", "start", false },
	{ "IN_PROGRESS", "", "submit", false },
	{ "SUBMITTED", "manual_review", "review", true },
	{ "SUBMITTED", "reject", "fail", true },
	{ "SUBMITTED", "", "pass", true },
};

const char *
sandbox_notice(const char *status)
{
	if (strcmp(status, "PENDING") == 0)
		return "This task is simulated: a made-up operator takes it from here, no person is hired and no money "
		       "moves.";
	return "This task is simulated: its operator, proof and verdict are made up, and no money moves.";
}

static const struct step *
find_step(const struct task *task)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].status, task->status) == 0 &&
		    (steps[i].scenario[0] == '\0' || strcmp(steps[i].scenario, task->scenario) == 0))
			return &steps[i];
	return NULL;
}

static void
add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

/* The proof that a task of this kind would get (spec 3, submit by proof type). */
static struct json_object *
make_proof(const struct task *task, const struct config *config, int64_t now_ms)
{
	struct json_object *proof = json_object_new_object(), *photos = json_object_new_array();
	char time[TIME_TEXT_SIZE], url[512];

	if (strcmp(task->proof_type, "CONFIRMATION") == 0) {
		add_text(proof, "confirmation_text", "Simulated confirmation: everything was found as described.");
	} else if (strcmp(task->proof_type, "ARTIFACT") != 0) {
		snprintf(url, sizeof(url), "%s/sandbox/proof.png", config->public_base_url);
		json_object_array_add(photos, json_object_new_string(url));
		json_object_object_add(proof, "photos", json_object_get(photos));
	}
	json_object_put(photos);
	add_text(proof, "notes", "Simulated proof; nobody was there.");
	time_print(now_ms, time);
	add_text(proof, "submittedAt", time);
	return proof;
}

/* A made-up credential, really encrypted for the agent's key, so that a client's decryption can be rehearsed too. */
static struct json_object *
make_credential(const struct task *task, int64_t now_ms)
{
	static const char secret[] = "{\"note\":\"This credential is simulated.\",\"username\":\"sandbox\","
				     "\"api_key\":\"sk_sandbox_0000000000000000\"}";
	struct json_object *object = json_object_new_object();
	char info[80] = "humanops/credential/v1/", time[TIME_TEXT_SIZE];
	uint8_t point[P256_POINT_SIZE];
	struct e2ee_blob blob;
	char *ctx = talloc_strdup(NULL, "credential");

	id_print(ID_TASK, task->id, info + strlen(info));
	if (crypto_p256_point(task->agent_public_key, point) != 0)
		assert(!"a task's public key was checked when it was posted");
	e2ee_encrypt(ctx, point, info, secret, strlen(secret), &blob);
	add_text(object, "ciphertext", text_base64(ctx, blob.ciphertext, blob.len));
	add_text(object, "iv", text_base64(ctx, blob.iv, sizeof(blob.iv)));
	add_text(object, "ephemeralPublicKey", text_base64(ctx, blob.ephemeral, sizeof(blob.ephemeral)));
	add_text(object, "algorithm", "ECDH-P256-AES-256-GCM");
	time_print(now_ms, time);
	add_text(object, "createdAt", time);
	talloc_free(ctx);
	return object;
}

/* A verdict by the thresholds of spec 4, with a result for each requirement. */
static struct json_object *
make_verdict(const struct task *task, const char *decision, int confidence, const char *reasoning)
{
	struct json_object *verdict = json_object_new_object(), *results = json_object_new_array();
	struct json_object *wanted = json_tokener_parse(task->requirements_json);

	add_text(verdict, "decision", decision);
	json_object_object_add(verdict, "confidence", json_object_new_int(confidence));
	add_text(verdict, "reasoning", reasoning);
	for (size_t i = 0; i < json_object_array_length(wanted); i++) {
		struct json_object *result = json_object_new_object();

		json_object_object_add(result, "requirement", json_object_get(json_object_array_get_idx(wanted, i)));
		json_object_object_add(result, "met", json_object_new_boolean(confidence >= 90));
		json_object_array_add(results, result);
	}
	json_object_object_add(verdict, "requirements", results);
	json_object_put(wanted);
	return verdict;
}

/* What a move brings with it, by its event. */
static struct json_object *
make_data(const struct task *task, const char *event, const struct config *config, int64_t now_ms)
{
	struct json_object *data = json_object_new_object(), *verdict = NULL;

	if (event == NULL)
		return data;
	if (strcmp(event, "accept") == 0) {
		add_text(data, "operator_name", "Robin S.");
		add_text(data, "operator_rating", "4.8");
		add_text(data, "estimate_minutes", "30");
		add_text(data, "estimate_note", "Simulated estimate.");
	} else if (strcmp(event, "submit") == 0) {
		json_object_object_add(data, "proof", make_proof(task, config, now_ms));
		if (task->agent_public_key != NULL && category_find(task->task_type)->is_credential)
			json_object_object_add(data, "credential", make_credential(task, now_ms));
	} else if (strcmp(event, "pass") == 0) {
		verdict = make_verdict(task, "APPROVE", 95, "Simulated verdict: the proof meets every requirement.");
	} else if (strcmp(event, "review") == 0) {
		verdict = make_verdict(
		    task, "MANUAL_REVIEW", 70, "Simulated verdict: the proof leaves doubts; please look at it.");
	} else if (strcmp(event, "fail") == 0) {
		verdict =
		    make_verdict(task, "REJECT", 20, "Simulated verdict: the proof does not show what was asked for.");
	}
	if (verdict != NULL)
		json_object_object_add(data, "guardian_result", verdict);
	return data;
}

/* Waits that a move begins: an estimate's approval, a review. */
static int64_t
deadline_of(const char *event, const struct config *config, int64_t now_ms)
{
	if (event != NULL && strcmp(event, "accept") == 0)
		return now_ms + config->estimate_approval_s * 1000;
	if (event != NULL && strcmp(event, "review") == 0)
		return now_ms + config->manual_review_s * 1000;
	return 0;
}

static int
move_on(struct worker *worker, const struct job *job, const struct task *task, const struct step *step)
{
	const struct config *config = worker->config;
	int64_t now = worker->now_ms, step_ms = config->sandbox_step_s * 1000;
	bool must_wait = step->event != NULL && strcmp(step->event, "expire") == 0 &&
			 now < task->created_ms + NOBODY_COMES_STEPS * step_ms;
	const char *event = must_wait ? NULL : step->event;
	struct json_object *data = make_data(task, event, config, now);
	struct id oper = { { 0 } };
	bool is_last = step->is_last && !must_wait;
	struct error err = { 0 };
	struct db_rows *rows;

	if (event != NULL && strcmp(event, "accept") == 0)
		oper = id_new(id_bucket_random(), now);
	rows = db_call(worker->db, NULL, &err, "sandbox_step", id_bucket(task->id),
	    DB_ARGS(DB_UUID(task->id), DB_TEXT(task->status), DB_TEXT(event), DB_UUID(oper), DB_JSON(data),
		DB_TIME(deadline_of(event, config, now)), DB_UUID(job->id), DB_INT(job->attempts),
		DB_TIME(is_last ? 0 : now + step_ms), DB_TIME(now)));
	json_object_put(data);
	error_clear(&err);
	talloc_free(rows);
	if (rows == NULL)
		return -1;
	job_count(job, is_last ? "done" : "step");
	return 0;
}

int
sandbox_run(struct worker *worker, const struct job *job)
{
	struct error err = { 0 };
	struct db_rows *rows =
	    db_call(worker->db, NULL, &err, "sandbox_load", id_bucket(job->ref), DB_ARGS(DB_UUID(job->ref)));
	const struct step *step = NULL;
	struct task task;
	int rc;

	error_clear(&err);
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0) {
		task_read(rows, 0, &task);
		step = find_step(&task);
	}
	rc = step == NULL ? job_finish(worker, job) : move_on(worker, job, &task, step);
	talloc_free(rows);
	return rc;
}
