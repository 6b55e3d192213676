/*
 * Tasks as agents see them: whether one makes sense, posting, reading, cancelling.  Limits, fees, escrow and the lifecycle are
 * decided in SQL under its locks (task.sql); the form of each field is the api layer's table.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/apikey.h"
#include "core/category.h"
#include "core/operator.h"
#include "core/task.h"
#include "net/fetch.h"

enum { DEADLINE_MAX_DAYS = 366 };

#define REAL_MINIMUM USD(10)

const char *const task_statuses[] = { "PENDING", "ESTIMATE_PENDING", "ACCEPTED", "IN_PROGRESS", "SUBMITTED", "VERIFIED",
	"COMPLETED", "DISPUTED", "CANCELLED", NULL };
const char *const task_scenarios[] = { "approve", "manual_review", "reject", "estimate", "no_operator", NULL };

static void
check_reward(const struct task_new *in, const struct category *category, bool is_sandbox, struct error *err)
{
	char maximum[MONEY_TEXT_SIZE];

	if (!in->has_reward)
		return;
	money_print(category->maximum, maximum);
	if (in->reward > category->maximum)
		error_field(err, "reward_usd", "must be at most %s for %s", maximum, category->type);
	else if (!is_sandbox && in->reward < REAL_MINIMUM)
		error_field(err, "reward_usd", "must be at least 10 for a real task");
}

/* A part of the place that is neither there nor named as faulty already. */
static void
need_part(bool is_there, const char *path, const char *type, struct error *err)
{
	if (!is_there)
		error_field(err, path, "is required for %s", type);
}

static void
check_place(struct task_new *in, const struct category *category, struct error *err)
{
	const struct task_location *place = &in->location;

	if (in->has_location && !category->is_digital) {
		need_part(place->has_lat, "location.lat", category->type, err);
		need_part(place->has_lng, "location.lng", category->type, err);
		need_part(place->address != NULL, "location.address", category->type, err);
	} else if (!category->is_digital) {
		need_part(false, "location", category->type, err);
	} else if (place->has_lat != place->has_lng) {
		error_field(
		    err, place->has_lat ? "location.lng" : "location.lat", "is required beside the other coordinate");
	}
}

static void
check_proof(struct task_new *in, const struct category *category, struct error *err)
{
	if (in->proof_type == NULL)
		in->proof_type = category->proof_type;
	if (category->is_credential && strcmp(in->proof_type, "ARTIFACT") != 0)
		error_field(err, "proof_type", "must be ARTIFACT for %s", category->type);
	if (in->task_domain == NULL)
		in->task_domain = category_domain(category);
	else if (strcmp(in->task_domain, category_domain(category)) != 0)
		error_field(err, "task_domain", "must be %s for %s", category_domain(category), category->type);
}

static void
check_key(const struct task_new *in, const struct category *category, struct error *err)
{
	uint8_t point[P256_POINT_SIZE];

	if (in->agent_public_key == NULL && category->is_credential)
		error_field(err, "agent_public_key", "is required for %s", category->type);
	else if (in->agent_public_key != NULL && crypto_p256_point(in->agent_public_key, point) != 0)
		error_field(err, "agent_public_key", "must be a P-256 public key, raw point or SPKI, in base64");
}

static void
check_callback(const struct task_new *in, const struct config *config, struct error *err)
{
	unsigned flags =
	    (config->is_development ? FETCH_ALLOW_HTTP : 0) | (config->webhook_allow_private ? FETCH_ALLOW_PRIVATE : 0);
	const char *why;

	if (in->callback_url != NULL && !fetch_url_ok(in->callback_url, flags, &why))
		error_field(err, "callback_url", "%s", why);
	if (in->callback_secret != NULL && in->callback_url == NULL)
		error_field(err, "callback_secret", "needs a callback_url");
}

int
task_check(struct task_new *in, bool is_sandbox, const struct config *config, int64_t now_ms, struct error *err)
{
	const struct category *category = in->task_type == NULL ? NULL : category_find(in->task_type);

	if (category != NULL) {
		check_reward(in, category, is_sandbox, err);
		check_place(in, category, err);
		check_proof(in, category, err);
		check_key(in, category, err);
	}
	check_callback(in, config, err);
	if (in->has_deadline && in->deadline_ms <= now_ms)
		error_field(err, "deadline", "must lie in the future");
	else if (in->deadline_ms > now_ms + (int64_t)DEADLINE_MAX_DAYS * 86400 * 1000)
		error_field(err, "deadline", "must lie within %d days", DEADLINE_MAX_DAYS);
	if (in->sandbox_scenario != NULL && !is_sandbox)
		error_field(err, "sandbox_scenario", "is for sandbox tasks alone");
	if (in->location.address == NULL)
		in->location.address = "Remote/Digital";
	return err->code == ERR_none ? 0 : -1;
}

void
task_secret_purpose(struct id task, char out[64])
{
	char uuid[ID_UUID_SIZE];

	id_print_uuid(task, uuid);
	snprintf(out, 64, "callback_secret:%s", uuid);
}

void
task_read(struct db_rows *rows, size_t row, struct task *t)
{
	t->id = db_uuid(rows, row, "id");
	t->agent = db_uuid(rows, row, "agent_id");
	t->oper = db_uuid(rows, row, "operator_id");
	t->status = db_text(rows, row, "status");
	t->title = db_text(rows, row, "title");
	t->description = db_text(rows, row, "description");
	t->address = db_text(rows, row, "address");
	t->task_type = db_text(rows, row, "task_type");
	t->task_domain = db_text(rows, row, "task_domain");
	t->proof_type = db_text(rows, row, "proof_type");
	t->digital_instructions = db_text(rows, row, "digital_instructions");
	t->callback_url = db_text(rows, row, "callback_url");
	t->agent_public_key = db_text(rows, row, "agent_public_key");
	t->scenario = db_text(rows, row, "scenario");
	t->cancel_reason = db_text(rows, row, "cancel_reason");
	t->operator_name = db_text(rows, row, "operator_name");
	t->operator_rating = db_real(rows, row, "operator_rating");
	t->estimate_note = db_text(rows, row, "estimate_note");
	t->estimate_minutes = (int)db_int(rows, row, "estimate_minutes");
	t->requirements_json = db_text(rows, row, "proof_requirements");
	t->proof_json = db_text(rows, row, "proof");
	t->guardian_json = db_text(rows, row, "guardian_result");
	t->is_sandbox = db_bool(rows, row, "is_sandbox");
	t->has_position = !db_is_null(rows, row, "lat");
	t->lat = db_real(rows, row, "lat");
	t->lng = db_real(rows, row, "lng");
	t->reward = db_int(rows, row, "reward");
	t->fee = db_int(rows, row, "fee");
	t->deadline_ms = db_time(rows, row, "deadline");
	t->created_ms = db_time(rows, row, "created_at");
	t->claimed_ms = db_time(rows, row, "claimed_at");
	t->approval_deadline_ms = db_time(rows, row, "approval_deadline");
	t->accepted_ms = db_time(rows, row, "accepted_at");
	t->started_ms = db_time(rows, row, "started_at");
	t->submitted_ms = db_time(rows, row, "submitted_at");
	t->verified_ms = db_time(rows, row, "verified_at");
	t->completed_ms = db_time(rows, row, "completed_at");
	t->cancelled_ms = db_time(rows, row, "cancelled_at");
	t->late_ms = db_time(rows, row, "late_at");
	t->review_deadline_ms = db_time(rows, row, "review_deadline");
	t->disputed_ms = db_time(rows, row, "disputed_at");
	t->dispute_reason = db_text(rows, row, "dispute_reason");
	t->resolution_json = db_text(rows, row, "resolution");
	t->credential_json = db_text(rows, row, "encrypted_credential");
	t->claim_rejection = db_text(rows, row, "claim_rejection");
	t->rating = (int)db_int(rows, row, "rating");
	t->rating_comment = db_text(rows, row, "rating_comment");
	t->is_paid = db_bool(rows, row, "is_paid");
	t->safety_stops = (int)db_int(rows, row, "safety_stops");
}

int
task_create(struct db *db, const void *ctx, const struct config *config, const struct apikey *key,
    const struct task_new *in, bool is_sandbox, int64_t now_ms, struct task *out, struct error *err)
{
	int bucket = id_bucket(key->agent);
	struct id id = id_new(bucket, now_ms);
	struct json_object *requirements = json_object_new_array();
	const struct task_location *place = &in->location;
	const char *scenario = !is_sandbox		      ? NULL
			       : in->sandbox_scenario != NULL ? in->sandbox_scenario
							      : task_scenarios[0];
	uint8_t *sealed = NULL;
	struct db_rows *rows;
	char purpose[64];
	size_t len = 0;

	for (size_t i = 0; i < in->proof_requirements.count; i++)
		json_object_array_add(requirements, json_object_new_string(in->proof_requirements.items[i]));
	task_secret_purpose(id, purpose);
	if (in->callback_secret != NULL)
		sealed = crypto_seal(
		    NULL, config->secret_key, purpose, in->callback_secret, strlen(in->callback_secret), &len);
	rows = db_call(db, ctx, err, "task_create", bucket,
	    DB_ARGS(DB_UUID(key->agent), DB_UUID(key->id), DB_UUID(id), DB_BOOL(is_sandbox), DB_TEXT(scenario),
		DB_TEXT(in->title), DB_TEXT(in->description), place->has_lat ? DB_REAL(place->lat) : DB_NONE,
		place->has_lng ? DB_REAL(place->lng) : DB_NONE, DB_TEXT(place->address), DB_MONEY(in->reward),
		DB_TIME(in->deadline_ms), DB_INT(config->deadline_grace_s), DB_JSON(requirements),
		DB_TEXT(in->task_type), DB_TEXT(in->task_domain), DB_TEXT(in->proof_type),
		DB_TEXT(in->digital_instructions), DB_TEXT(in->callback_url), DB_BYTES(sealed, len),
		DB_TEXT(in->agent_public_key), DB_TIME(now_ms)));
	json_object_put(requirements);
	talloc_free(sealed);
	if (rows == NULL)
		return -1;
	task_read(rows, 0, out);
	return 0;
}

int
task_show(struct db *db, const void *ctx, struct id agent, struct id task, struct task *out, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(db, ctx, err, "task_show", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(task)));
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return error_set(err, ERR_task_not_found);
	task_read(rows, 0, out);
	return 0;
}

int
task_any(struct db *db, const void *ctx, struct id task, struct task *out, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "task_any", id_bucket(task), DB_ARGS(DB_UUID(task)));

	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return error_set(err, ERR_task_not_found);
	task_read(rows, 0, out);
	return 0;
}

/* Why the operator stopped, of a task.aborted; it hangs on the rows. */
static const char *
abort_reason(struct db_rows *rows, size_t row)
{
	struct json_object *data, *reason;
	const char *text = NULL;

	if (strcmp(db_text(rows, row, "type"), "task.aborted") != 0)
		return NULL;
	data = db_json(rows, row, "data");
	if (json_object_object_get_ex(data, "abort_reason", &reason))
		text = talloc_strdup(rows, json_object_get_string(reason));
	json_object_put(data);
	return text;
}

int
task_events(
    struct db *db, const void *ctx, struct id task, struct task_event **events, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "task_events", id_bucket(task), DB_ARGS(DB_UUID(task)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*events = talloc_zero_array(rows, struct task_event, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct task_event *event = &(*events)[i];

		event->id = db_uuid(rows, i, "id");
		event->type = db_text(rows, i, "type");
		event->actor = db_text(rows, i, "actor");
		event->from_status = db_text(rows, i, "from_status");
		event->to_status = db_text(rows, i, "to_status");
		event->abort_reason = abort_reason(rows, i);
		event->at_ms = db_time(rows, i, "at");
	}
	return 0;
}

int
task_list(struct db *db, const void *ctx, struct id agent, const struct task_filter *filter, struct task **tasks,
    size_t *count, int64_t *total, struct error *err)
{
	int bucket = id_bucket(agent);
	struct db_rows *rows, *counted;

	rows = db_call(db, ctx, err, "task_list", bucket,
	    DB_ARGS(DB_UUID(agent), DB_TEXT(filter->status), DB_UUID(filter->after), DB_INT(filter->limit),
		DB_INT(filter->offset)));
	if (rows == NULL)
		return -1;
	counted = db_call(db, ctx, err, "task_count", bucket, DB_ARGS(DB_UUID(agent), DB_TEXT(filter->status)));
	if (counted == NULL)
		return -1;
	*total = db_int(counted, 0, "task_count");
	*count = db_count(rows);
	*tasks = talloc_zero_array(rows, struct task, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		task_read(rows, i, &(*tasks)[i]);
	return 0;
}

int
task_cancel(
    struct db *db, struct id agent, struct id task, int64_t now_ms, struct task_cancelled *out, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(
	    db, NULL, err, "task_cancel", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(task), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	out->refunded = db_int(rows, 0, "refunded");
	out->is_sandbox = db_bool(rows, 0, "is_sandbox");
	out->oper = db_uuid(rows, 0, "operator_id");
	talloc_free(rows);
	return 0;
}

int
task_rate(struct db *db, const void *ctx, struct id agent, struct id task_id, int rating, const char *comment,
    int64_t now_ms, struct task *task, struct error *err)
{
	struct db_rows *rows;

	if (id_bucket(task_id) != id_bucket(agent))
		return error_set(err, ERR_task_not_found);
	rows = db_call(db, ctx, err, "task_rate", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(task_id), DB_INT(rating), DB_TEXT(comment), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	task_read(rows, 0, task);
	return task->is_sandbox ? 0 : operator_rate(db, task->oper, rating, err);
}
