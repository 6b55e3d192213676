/* The claims of a proof receipt; see receipt.h.  Of files only hashes and evidence go in: a receipt is shown around. */
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/now.h"
#include "core/receipt.h"
#include "core/task.h"

static void
add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text == NULL ? NULL : json_object_new_string(text));
}

static void
add_time(struct json_object *object, const char *name, int64_t ms)
{
	char text[TIME_TEXT_SIZE];

	time_print(ms, text);
	add_text(object, name, ms == 0 ? NULL : text);
}

static void
add_id(struct json_object *object, const char *name, enum id_kind kind, struct id id)
{
	char text[ID_TEXT_SIZE];

	id_print(kind, id, text);
	add_text(object, name, id_is_nil(id) ? NULL : text);
}

static struct json_object *
task_claims(const struct task *task)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "title", task->title);
	add_text(object, "task_type", task->task_type);
	json_object_object_add(object, "proof_requirements", json_tokener_parse(task->requirements_json));
	add_time(object, "created_at", task->created_ms);
	add_time(object, "accepted_at", task->accepted_ms);
	add_time(object, "submitted_at", task->submitted_ms);
	add_time(object, "verified_at", task->verified_ms);
	add_time(object, "completed_at", task->completed_ms);
	return object;
}

static struct json_object *
proof_claims(const struct task *task)
{
	struct json_object *proof = task->proof_json == NULL ? NULL : json_tokener_parse(task->proof_json), *files;

	if (proof == NULL)
		return NULL;
	files = json_object_object_get(proof, "files");
	for (size_t i = 0; files != NULL && i < json_object_array_length(files); i++) {
		json_object_object_del(json_object_array_get_idx(files, i), "stored");
		json_object_object_del(json_object_array_get_idx(files, i), "original");
	}
	return proof;
}

char *
receipt_payload(const void *ctx, const struct config *config, const struct task *task, int64_t now_ms)
{
	struct json_object *claims = json_object_new_object();
	char *text;

	add_text(claims, "iss", config->public_base_url);
	add_id(claims, "sub", ID_TASK, task->id);
	json_object_object_add(claims, "iat", json_object_new_int64(now_ms / 1000));
	json_object_object_add(claims, "task", task_claims(task));
	add_id(claims, "operator_id", ID_OPERATOR, task->oper);
	json_object_object_add(claims, "proof", proof_claims(task));
	json_object_object_add(
	    claims, "guardian_result", task->guardian_json == NULL ? NULL : json_tokener_parse(task->guardian_json));
	json_object_object_add(claims, "sandbox", json_object_new_boolean(task->is_sandbox));
	text = talloc_strdup(
	    ctx, json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(claims);
	return text;
}
