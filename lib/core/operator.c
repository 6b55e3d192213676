/* Operators; see operator.h.  Where two buckets are touched (the subject's and the operator's) the caller has begun. */
#include <string.h>

#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "core/operator.h"

const char *const operator_kyc_statuses[] = { "PENDING", "VERIFIED", "REJECTED", NULL };

static void
read_operator(struct db_rows *rows, size_t row, struct oper *o)
{
	o->id = db_uuid(rows, row, "id");
	o->name = db_text(rows, row, "name");
	o->email = db_text(rows, row, "email");
	o->phone = db_text(rows, row, "phone");
	o->city = db_text(rows, row, "city");
	o->country = db_text(rows, row, "country");
	o->skills_json = db_text(rows, row, "skills");
	o->kyc_status = db_text(rows, row, "kyc_status");
	o->kyc_note = db_text(rows, row, "kyc_note");
	o->has_position = !db_is_null(rows, row, "lat") && !db_is_null(rows, row, "lng");
	o->is_suspended = !db_is_null(rows, row, "suspended_at");
	o->lat = db_real(rows, row, "lat");
	o->lng = db_real(rows, row, "lng");
	o->rating_count = (int)db_int(rows, row, "rating_count");
	o->rating = o->rating_count == 0 ? 0 : (double)db_int(rows, row, "rating_sum") / o->rating_count;
	o->kyc_ms = db_time(rows, row, "kyc_at");
	o->created_ms = db_time(rows, row, "created_at");
}

/* Reads the one row of a call; no row is operator_not_found. */
static int
read_one(struct db_rows *rows, struct oper *out, struct error *err)
{
	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0)
		return error_set(err, ERR_operator_not_found);
	read_operator(rows, 0, out);
	return 0;
}

static struct json_object *
make_skills(const struct operator_new *in)
{
	struct json_object *skills = json_object_new_array();

	for (size_t i = 0; i < in->skills.count; i++)
		json_object_array_add(skills, json_object_new_string(in->skills.items[i]));
	return skills;
}

int
operator_register(struct db *db, const void *ctx, const char *subject, const struct operator_new *in, const char *kyc,
    int64_t now_ms, struct oper *out, struct error *err)
{
	const struct operator_place *place = &in->place;
	int bucket = id_bucket_random();
	struct id id = id_new(bucket, now_ms);
	struct json_object *skills;
	struct db_rows *rows;

	if (subject != NULL) {
		rows = db_call(db, NULL, err, "registry_claim", id_bucket_of("subject", subject),
		    DB_ARGS(DB_TEXT("subject"), DB_TEXT(subject), DB_UUID(id), DB_TEXT("operator_exists"),
			DB_TIME(now_ms)));
		if (rows == NULL)
			return -1;
		talloc_free(rows);
	}
	skills = make_skills(in);
	rows = db_call(db, ctx, err, "operator_register", bucket,
	    DB_ARGS(DB_UUID(id), DB_TEXT(subject), DB_TEXT(in->name), DB_TEXT(in->email), DB_TEXT(in->phone),
		DB_TEXT(place->city), DB_TEXT(place->country), place->has_lat ? DB_REAL(place->lat) : DB_NONE,
		place->has_lng ? DB_REAL(place->lng) : DB_NONE, DB_JSON(skills), DB_TEXT(kyc), DB_TIME(now_ms)));
	json_object_put(skills);
	return read_one(rows, out, err);
}

int
operator_of_subject(struct db *db, const char *subject, struct id *id, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "registry_find", id_bucket_of("subject", subject),
	    DB_ARGS(DB_TEXT("subject"), DB_TEXT(subject)));

	memset(id, 0, sizeof(*id));
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0)
		*id = db_uuid(rows, 0, "party_id");
	talloc_free(rows);
	return 0;
}

int
operator_find(struct db *db, const void *ctx, struct id id, struct oper *out, struct error *err)
{
	return read_one(db_call(db, ctx, err, "operator_find", id_bucket(id), DB_ARGS(DB_UUID(id))), out, err);
}

int
operator_update(
    struct db *db, const void *ctx, struct id id, const struct operator_new *in, struct oper *out, struct error *err)
{
	const struct operator_place *place = &in->place;
	struct json_object *skills = in->has_skills ? make_skills(in) : NULL;
	struct db_rows *rows = db_call(db, ctx, err, "operator_update", id_bucket(id),
	    DB_ARGS(DB_UUID(id), DB_TEXT(in->name), DB_TEXT(in->phone), DB_TEXT(place->city), DB_TEXT(place->country),
		place->has_lat ? DB_REAL(place->lat) : DB_NONE, place->has_lng ? DB_REAL(place->lng) : DB_NONE,
		DB_JSON(skills)));

	json_object_put(skills);
	return read_one(rows, out, err);
}

int
operator_kyc(struct db *db, const void *ctx, struct id id, const char *status, const char *note, int64_t now_ms,
    struct oper *out, struct error *err)
{
	return read_one(db_call(db, ctx, err, "operator_kyc", id_bucket(id),
			    DB_ARGS(DB_UUID(id), DB_TEXT(status), DB_TEXT(note), DB_TIME(now_ms))),
	    out, err);
}

int
operator_kyc_call(struct db *db, struct id id, const char *status, const char *note, const uint8_t body_hash[32],
    int64_t now_ms, bool *is_news, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "operator_kyc_call", id_bucket(id),
	    DB_ARGS(DB_UUID(id), DB_TEXT(status), DB_TEXT(note), DB_BYTES(body_hash, 32), DB_TIME(now_ms)));

	*is_news = rows != NULL && db_count(rows) > 0;
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
operator_suspend(struct db *db, const void *ctx, struct id id, bool is_suspended, int64_t now_ms, struct oper *out,
    struct error *err)
{
	return read_one(db_call(db, ctx, err, "operator_suspend", id_bucket(id),
			    DB_ARGS(DB_UUID(id), DB_BOOL(is_suspended), DB_TIME(now_ms))),
	    out, err);
}

int
operator_rate(struct db *db, struct id id, int rating, struct error *err)
{
	struct db_rows *rows =
	    db_call(db, NULL, err, "operator_rate", id_bucket(id), DB_ARGS(DB_UUID(id), DB_INT(rating)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
operator_search(struct db *db, const void *ctx, const struct operator_query *query, struct operator_found **out,
    size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, ctx, err, "operator_search_everywhere",
	    DB_ARGS(DB_REAL(query->lat), DB_REAL(query->lng), DB_REAL(query->radius_km), DB_TEXT(query->task_type),
		query->has_rating ? DB_REAL(query->min_rating) : DB_NONE, DB_INT(query->limit)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct operator_found, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct operator_found *found = &(*out)[i];

		found->id = db_uuid(rows, i, "id");
		found->name = db_text(rows, i, "name");
		found->skills_json = db_text(rows, i, "skills");
		found->rating = db_real(rows, i, "rating");
		found->rating_count = (int)db_int(rows, i, "rating_count");
		found->lat = db_real(rows, i, "lat");
		found->lng = db_real(rows, i, "lng");
		found->distance_km = db_real(rows, i, "distance_km");
	}
	return 0;
}

int
operator_list(struct db *db, const void *ctx, const char *kyc, int64_t limit, int64_t offset, struct oper **out,
    size_t *count, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(
	    db, ctx, err, "operator_list_everywhere", DB_ARGS(DB_TEXT(kyc), DB_INT(limit), DB_INT(offset)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct oper, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++)
		read_operator(rows, i, &(*out)[i]);
	return 0;
}
