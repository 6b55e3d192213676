/*
 * Proof: which uploads a submission names, what a task's proof type asks for, and how files are shown.  Reading and decoding
 * them is http/upload.c's and net/image.c's, judging them the Guardian's.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/category.h"
#include "core/proof.h"
#include "net/fetch.h"
#include "net/storage.h"

#define EARTH_M 6371000.0
#define RADIANS(degrees) ((degrees)*3.14159265358979323846 / 180)

enum { LINK_SECONDS = 3600, LEFTOVER_MS = 7 * 86400 * 1000, IV_SIZE = 12, TAG_SIZE = 16 };

const char *const proof_algorithms[] = { "ECDH-P256-AES-256-GCM", NULL };

double
proof_distance_m(double lat1, double lng1, double lat2, double lng2)
{
	double a = sin(RADIANS(lat2 - lat1) / 2), b = sin(RADIANS(lng2 - lng1) / 2);

	return 2 * EARTH_M * asin(fmin(1, sqrt(a * a + cos(RADIANS(lat1)) * cos(RADIANS(lat2)) * b * b)));
}

/* Puts is_reused and is_similar into a file's evidence, as it stands now.  hash: DB_NONE for what is no picture. */
static int
judge(struct db *db, struct id upload, struct id oper, const uint8_t *sha256, struct db_arg hash, struct id task,
    int64_t at_ms, struct json_object *evidence, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, NULL, err, "upload_judge_everywhere",
	    DB_ARGS(
		DB_UUID(upload), DB_UUID(oper), DB_BYTES(sha256, SHA256_SIZE), hash, DB_UUID(task), DB_TIME(at_ms)));

	if (rows == NULL)
		return -1;
	json_object_object_add(evidence, "is_reused", json_object_new_boolean(db_bool(rows, 0, "is_reused")));
	json_object_object_add(evidence, "is_similar", json_object_new_boolean(db_bool(rows, 0, "is_similar")));
	talloc_free(rows);
	return 0;
}

static void
read_upload(const void *ctx, struct db_rows *rows, struct proof_upload *out)
{
	out->id = db_uuid(rows, 0, "id");
	out->stored = talloc_strdup(ctx, db_text(rows, 0, "stored"));
	out->media_type = talloc_strdup(ctx, db_text(rows, 0, "media_type"));
	out->size = db_int(rows, 0, "size");
	out->evidence = db_json(rows, 0, "evidence");
	assert(out->stored != NULL && out->media_type != NULL);
}

int
proof_same(struct db *db, const void *ctx, struct id oper, struct id task, const uint8_t *sha256, int64_t now_ms,
    struct proof_upload *out, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "upload_same", id_bucket(oper),
	    DB_ARGS(DB_UUID(oper), DB_UUID(task), DB_BYTES(sha256, SHA256_SIZE), DB_TIME(now_ms + LEFTOVER_MS)));
	int found;

	if (rows == NULL)
		return -1;
	if ((found = db_count(rows) > 0))
		read_upload(ctx, rows, out);
	talloc_free(rows);
	return found;
}

int
proof_add(struct db *db, const struct proof_file *file, int64_t now_ms, struct id *id, struct error *err)
{
	int bucket = id_bucket(file->oper);
	struct db_rows *rows;
	int64_t hash;

	*id = id_new(bucket, now_ms);
	memcpy(&hash, &file->hash, sizeof(hash));
	if (judge(db, *id, file->oper, file->sha256, file->has_hash ? DB_INT(hash) : DB_NONE, file->task, now_ms,
		file->evidence, err))
		return -1;
	rows = db_call(db, NULL, err, "upload_add", bucket,
	    DB_ARGS(DB_UUID(file->oper), DB_UUID(*id), DB_UUID(file->task), DB_TEXT(file->stored),
		DB_TEXT(file->original), DB_TEXT(file->media_type), DB_INT(file->size),
		DB_BYTES(file->sha256, SHA256_SIZE), file->has_hash ? DB_INT(hash) : DB_NONE, DB_JSON(file->evidence),
		DB_TIME(now_ms + LEFTOVER_MS), DB_TIME(now_ms)));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
proof_stored(struct db *db, const void *ctx, struct id oper, struct id id, int64_t now_ms, struct proof_upload *out,
    struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "upload_stored", id_bucket(oper),
	    DB_ARGS(DB_UUID(oper), DB_UUID(id), DB_TIME(now_ms + LEFTOVER_MS), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	read_upload(ctx, rows, out);
	talloc_free(rows);
	return 0;
}

/* The stored name in a link of ours: what stands between "/files/" and the query.  NULL if it is none. */
static char *
name_of_link(const void *ctx, const char *link)
{
	const char *at = strstr(link, "/api/v1/files/");
	char *name;

	if (at == NULL)
		return NULL;
	at += strlen("/api/v1/files/");
	name = talloc_strndup(ctx, at, strcspn(at, "?#"));
	return storage_name_ok(name) ? name : NULL;
}

/* The row of a stored name; -1 if it is not the operator's, or belongs to another task. */
static int
find_upload(struct db_rows *rows, const char *name, struct id task)
{
	for (size_t i = 0; i < db_count(rows); i++)
		if (strcmp(db_text(rows, i, "stored"), name) == 0) {
			struct id of = db_uuid(rows, i, "task_id");

			return id_is_nil(of) || id_equal(of, task) ? (int)i : -1;
		}
	return -1;
}

static struct json_object *
file_object(struct db_rows *rows, size_t row)
{
	struct json_object *file = json_object_new_object();
	char hex[2 * SHA256_SIZE + 1];
	size_t len;
	const uint8_t *sha256 = db_bytes(rows, row, "sha256", &len);

	text_hex(sha256, len < SHA256_SIZE ? len : SHA256_SIZE, hex);
	json_object_object_add(file, "stored", json_object_new_string(db_text(rows, row, "stored")));
	json_object_object_add(file, "original", json_object_new_string(db_text(rows, row, "original")));
	json_object_object_add(file, "media_type", json_object_new_string(db_text(rows, row, "media_type")));
	json_object_object_add(file, "size", json_object_new_int64(db_int(rows, row, "size")));
	json_object_object_add(file, "sha256", json_object_new_string(hex));
	json_object_object_add(file, "evidence", db_json(rows, row, "evidence"));
	return file;
}

/* Judged once more: its task is known only now, perhaps, and a copy may have come in at the same time. */
static int
add_file(struct db *db, struct db_rows *rows, size_t row, struct id task, struct json_object *files, struct error *err)
{
	struct json_object *file = file_object(rows, row), *evidence = json_object_object_get(file, "evidence");
	struct db_arg hash = db_is_null(rows, row, "dhash") ? DB_NONE : DB_INT(db_int(rows, row, "dhash"));
	size_t len;
	const uint8_t *sha256 = db_bytes(rows, row, "sha256", &len);

	json_object_array_add(files, file);
	assert(len == SHA256_SIZE);
	return judge(db, db_uuid(rows, row, "id"), db_uuid(rows, row, "operator_id"), sha256, hash, task,
	    db_time(rows, row, "created_at"), evidence, err);
}

/* The named uploads as "files", which are this task's from now on; a link that is none of the operator's own for it is a
 * fault. */
static int
add_files(struct db *db, struct id oper, const struct task *task, const struct proof_input *in,
    struct json_object *proof, struct error *err)
{
	struct json_object *names = json_object_new_array(), *files = json_object_new_array();
	char **wanted = talloc_zero_array(NULL, char *, (unsigned)in->photos.count + 1);
	struct db_rows *rows = NULL;
	int rc = -1;

	json_object_object_add(proof, "files", files);
	for (size_t i = 0; i < in->photos.count; i++) {
		wanted[i] = name_of_link(wanted, in->photos.items[i]);
		json_object_array_add(names, json_object_new_string(wanted[i] == NULL ? "" : wanted[i]));
	}
	rows = db_call(db, wanted, err, "upload_find", id_bucket(oper), DB_ARGS(DB_UUID(oper), DB_JSON(names)));
	if (rows == NULL)
		goto out;
	for (size_t i = 0; i < in->photos.count; i++) {
		int row = wanted[i] == NULL ? -1 : find_upload(rows, wanted[i], task->id);
		char path[40];

		snprintf(path, sizeof(path), "photos[%zu]", i);
		if (row < 0)
			error_field(err, path, "must be the link of an upload of yours for this task");
		else if (add_file(db, rows, (size_t)row, task->id, files, err))
			goto out;
	}
	if (err->code == ERR_none && db_call(db, wanted, err, "upload_bind", id_bucket(oper),
					 DB_ARGS(DB_UUID(oper), DB_JSON(names), DB_UUID(task->id))) != NULL)
		rc = 0;
out:
	json_object_put(names);
	talloc_free(wanted);
	return rc;
}

static void
add_text(struct json_object *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(object, name, json_object_new_string(text));
}

/* True if a photo was named but its text is already at fault. */
static bool
has_photo_fault(const struct error *err)
{
	char path[40];

	for (int i = 0; i < PROOF_PHOTOS_MAX; i++) {
		snprintf(path, sizeof(path), "photos[%d]", i);
		if (error_has_field(err, path))
			return true;
	}
	return false;
}

/* What the task's proof type asks for, and what does not go with it. */
static void
check_kind(const struct task *task, const struct proof_input *in, bool is_credential, struct error *err)
{
	bool is_confirmation = strcmp(task->proof_type, "CONFIRMATION") == 0;
	const char *why;

	if (is_credential && !in->has_credential)
		error_field(err, "encrypted_credential", "is required for this task");
	else if (!is_credential && in->has_credential)
		error_field(err, "encrypted_credential", "does not go with this task");
	if (is_confirmation && in->confirmation == NULL)
		error_field(err, "confirmation_text", "is required for this task");
	if (!is_confirmation && !is_credential && in->photos.count == 0 && !has_photo_fault(err))
		error_field(err, "photos", "is required for this task");
	if (in->reference_url != NULL && !fetch_url_ok(in->reference_url, FETCH_ALLOW_HTTP | FETCH_ALLOW_PRIVATE, &why))
		error_field(err, "reference_url", "%s", why);
}

/* The form of a ciphertext; nobody here can look inside (spec 9, E2EE). */
static void
check_credential(const void *ctx, const struct proof_input *in, struct error *err)
{
	uint8_t point[P256_POINT_SIZE];
	size_t len = 0;

	if (!in->has_credential)
		return;
	if (in->ciphertext != NULL && (text_unbase64(ctx, in->ciphertext, &len) == NULL || len <= TAG_SIZE))
		error_field(err, "encrypted_credential.ciphertext", "must be base64 of a ciphertext with its tag");
	if (in->iv != NULL && (text_unbase64(ctx, in->iv, &len) == NULL || len != IV_SIZE))
		error_field(err, "encrypted_credential.iv", "must be base64 of 12 bytes");
	if (in->ephemeral_key != NULL && crypto_p256_point(in->ephemeral_key, point) != 0)
		error_field(err, "encrypted_credential.ephemeralPublicKey", "must be a raw P-256 point in base64");
}

static struct json_object *
credential_object(const struct proof_input *in, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	char time[TIME_TEXT_SIZE];

	add_text(object, "ciphertext", in->ciphertext);
	add_text(object, "iv", in->iv);
	add_text(object, "ephemeralPublicKey", in->ephemeral_key);
	add_text(object, "algorithm", in->algorithm);
	time_print(now_ms, time);
	add_text(object, "createdAt", time);
	return object;
}

int
proof_make(struct db *db, const void *ctx, struct id oper, const struct task *task, const struct proof_input *in,
    int64_t now_ms, struct json_object **proof, struct json_object **credential, struct error *err)
{
	const struct category *category = category_find(task->task_type);
	bool is_credential = category != NULL && category->is_credential;
	char time[TIME_TEXT_SIZE];

	check_kind(task, in, is_credential, err);
	check_credential(ctx, in, err);
	if (err->code != ERR_none)
		return -1;
	*proof = json_object_new_object();
	add_text(*proof, "notes", in->notes);
	add_text(*proof, "confirmation_text", in->confirmation);
	add_text(*proof, "reference_url", in->reference_url);
	time_print(now_ms, time);
	add_text(*proof, "submittedAt", time);
	if (in->photos.count > 0 && add_files(db, oper, task, in, *proof, err))
		return -1;
	if (is_credential)
		*credential = credential_object(in, now_ms);
	return 0;
}

char *
proof_link(const void *ctx, const struct config *config, const char *stored, int64_t now_ms)
{
	return storage_link(ctx, config->public_base_url, stored, now_ms / 1000 + LINK_SECONDS, config->link_key);
}

/* Replaces the stored names of files by links; what a simulation made up has links already. */
static void
view_files(const void *ctx, const struct config *config, struct json_object *proof, int64_t now_ms)
{
	struct json_object *files = json_object_object_get(proof, "files"), *photos;

	if (files == NULL)
		return;
	photos = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(files); i++) {
		struct json_object *file = json_object_array_get_idx(files, i);
		const char *stored = json_object_get_string(json_object_object_get(file, "stored"));
		char *link = proof_link(ctx, config, stored, now_ms);

		json_object_array_add(photos, json_object_new_string(link));
		json_object_object_add(file, "url", json_object_new_string(link));
		json_object_object_del(file, "stored");
		json_object_object_del(file, "original");
	}
	json_object_object_add(proof, "photos", photos);
}

struct json_object *
proof_view(const void *ctx, const struct config *config, const struct task *task, int64_t now_ms)
{
	struct json_object *proof = task->proof_json == NULL ? NULL : json_tokener_parse(task->proof_json);

	if (proof != NULL)
		view_files(ctx, config, proof, now_ms);
	return proof;
}
