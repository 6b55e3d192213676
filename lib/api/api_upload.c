/* Handlers of operator.fcgi for files of proof: taking one in, and serving one by its signed link. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <talloc.h>
#include "api/api.h"
#include "base/config.h"
#include "base/db.h"
#include "base/scratch.h"
#include "base/text.h"
#include "core/feed.h"
#include "core/proof.h"
#include "http/reply.h"
#include "http/upload.h"
#include "net/image.h"
#include "net/storage.h"

static struct json_object *
place_object(double lat, double lng)
{
	struct json_object *place = json_object_new_object();

	reply_real(place, "lat", lat);
	reply_real(place, "lng", lng);
	return place;
}

static void
add_distance(struct json_object *evidence, const char *name, const struct task *task, double lat, double lng)
{
	if (task->has_position)
		reply_int(evidence, name, (int64_t)proof_distance_m(task->lat, task->lng, lat, lng));
}

/* What file and device say of place and time; claims, not facts. */
static struct json_object *
make_evidence(const struct upload *upload, const struct image_taken *taken, const struct task *task)
{
	struct json_object *evidence = json_object_new_object();

	if (taken->has_position) {
		reply_json(evidence, "exif_position", place_object(taken->lat, taken->lng));
		add_distance(evidence, "exif_distance_m", task, taken->lat, taken->lng);
	}
	if (taken->at_ms != 0) {
		reply_time(evidence, "exif_taken_at", taken->at_ms);
		reply_bool(evidence, "exif_has_zone", !taken->has_no_zone);
	}
	if (taken->camera[0] != '\0')
		reply_text(evidence, "camera", taken->camera);
	if (upload->has_position) {
		reply_json(evidence, "reported_position", place_object(upload->lat, upload->lng));
		add_distance(evidence, "reported_distance_m", task, upload->lat, upload->lng);
	}
	if (upload->has_accuracy)
		reply_real(evidence, "accuracy_m", upload->accuracy_m);
	if (upload->captured_ms != 0)
		reply_time(evidence, "captured_at", upload->captured_ms);
	return evidence;
}

/* The file as it will be served: pictures encoded anew, PDF as it is.  The descriptor, or -1. */
static int
make_served(struct request *rq, const struct upload *upload, enum image_type type, struct image *image)
{
	int served;

	if (type == IMAGE_PDF)
		return dup(upload->fd);
	served = scratch_open(rq->config->scratch_dir, &rq->error);
	if (served >= 0 && image_convert(NULL, upload->fd, served, image, &rq->error)) {
		close(served);
		return -1;
	}
	return served;
}

/* The row, then both copies under names of their own.  What is left of a failure is a row that nobody sees, and goes in time. */
static int
store(struct request *rq, const struct upload *upload, enum image_type type, const struct image *image, int served,
    struct json_object *evidence, struct proof_upload *kept)
{
	const struct api *api = rq->program;
	const char *mime = type == IMAGE_PDF ? image_type_mime(type) : "image/jpeg";
	char stored[STORAGE_NAME_SIZE], original[STORAGE_NAME_SIZE];
	struct id id;
	struct proof_file file = { .oper = rq->who.id,
		.task = upload->task,
		.stored = stored,
		.original = original,
		.media_type = mime,
		.size = upload->size,
		.has_hash = type != IMAGE_PDF,
		.hash = image->hash,
		.evidence = evidence };

	storage_name(stored);
	storage_name(original);
	memcpy(file.sha256, upload->sha256, SHA256_SIZE);
	if (proof_add(rq->db, &file, rq->now_ms, &id, &rq->error) ||
	    storage_put(api->storage, original, upload->fd, image_type_mime(type), &rq->error) ||
	    storage_put(api->storage, stored, served, mime, &rq->error))
		return -1;
	return proof_stored(rq->db, rq, rq->who.id, id, rq->now_ms, kept, &rq->error);
}

/* The task that the file is for; it must be the operator's own. */
static int
find_task(struct request *rq, struct id id, struct task *task)
{
	memset(task, 0, sizeof(*task));
	if (id_is_nil(id))
		return 0;
	if (feed_show(rq->db, rq, rq->who.id, id, rq->now_ms, task, &rq->error))
		return -1;
	return id_equal(task->oper, rq->who.id) ? 0 : error_set(&rq->error, ERR_task_not_found);
}

/* What the file is and says, then into the store. */
static int
take_in(struct request *rq, const struct upload *upload, const struct task *task, struct proof_upload *kept)
{
	enum image_type type = image_type_of_file(upload->fd);
	struct image image = { 0 };
	struct json_object *evidence;
	int served, rc;

	if (type == IMAGE_NONE)
		return error_set(&rq->error, ERR_file_type_unsupported);
	if ((served = make_served(rq, upload, type, &image)) < 0)
		return -1;
	evidence = make_evidence(upload, &image.taken, task);
	rc = store(rq, upload, type, &image, served, evidence, kept);
	json_object_put(evidence);
	close(served);
	return rc;
}

int
api_operator_upload(struct request *rq)
{
	struct upload *upload = upload_read(rq, rq->config->scratch_dir);
	struct proof_upload kept;
	char hex[2 * SHA256_SIZE + 1];
	struct task task;
	int same;

	if (upload == NULL || find_task(rq, upload->task, &task) ||
	    (same = proof_same(rq->db, rq, rq->who.id, upload->task, upload->sha256, rq->now_ms, &kept, &rq->error)) <
		0)
		return -1;
	if (same)
		reply_header(rq, "Idempotent-Replayed", "true");
	else if (take_in(rq, upload, &task, &kept))
		return -1;
	text_hex(upload->sha256, SHA256_SIZE, hex);
	reply_json(rq->reply, "evidence", kept.evidence);
	reply_text(rq->reply, "url", proof_link(rq, rq->config, kept.stored, rq->now_ms));
	reply_text(rq->reply, "sha256", hex);
	reply_text(rq->reply, "media_type", kept.media_type);
	reply_int(rq->reply, "size", kept.size);
	return 201;
}

struct file_input {
	int64_t expires_s;
	const char *signature;
};

static const struct field file_fields[] = {
	{ "expires", FIELD_INT, FIELD_REQUIRED, offsetof(struct file_input, expires_s), .min = 0,
	    .max = INT64_C(1) << 40 },
	{ "signature", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct file_input, signature), .min = 1, .max = 100 },
};

/* Never as anything but a picture or an attachment, whatever the bytes would like to be. */
int
api_operator_file(struct request *rq)
{
	const struct api *api = rq->program;
	const char *name = rq->params[0].value;
	struct file_input in = { 0 };
	enum image_type type;
	int64_t size;
	int fd, rc;

	if (request_query(rq, file_fields, nitems(file_fields), &in))
		return -1;
	if (!storage_name_ok(name) ||
	    !storage_link_ok(name, in.expires_s, in.signature, rq->now_ms, rq->config->link_key))
		return error_set(&rq->error, ERR_link_invalid);
	if ((fd = storage_get(api->storage, name, &size, &rq->error)) < 0)
		return -1;
	type = image_type_of_file(fd);
	rc = reply_file(rq, image_type_mime(type), fd, (size_t)size);
	close(fd);
	if (rc != 0)
		return -1;
	if (type != IMAGE_JPEG)
		reply_header(rq, "Content-Disposition", "attachment; filename=\"proof.%s\"", image_type_suffix(type));
	reply_header(rq, "Content-Security-Policy", "default-src 'none'; sandbox");
	return 200;
}
