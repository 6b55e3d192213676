/*
 * API keys: making, checking, listing, revoking.  Which route needs which scope is the api layer's table; what a key may hand
 * out to another is decided by the SQL function apikey_create.
 */
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/db.h"
#include "base/error.h"
#include "base/text.h"
#include "core/apikey.h"

#define KEY_PREFIX "ho_live_"

const char *const apikey_scopes[APIKEY_SCOPES + 1] = { "read", "tasks", "funds", "keys", NULL };

static void
apikey_hash(const char *text, uint8_t hash[SHA256_SIZE])
{
	crypto_sha256(text, strlen(text), hash);
}

void
apikey_make(int bucket, struct apikey_secret *secret)
{
	uint8_t handle[8], rest[APIKEY_SECRET_LEN * 5 / 8];
	char digits[APIKEY_SECRET_LEN + 1];

	crypto_random(handle, sizeof(handle));
	crypto_random(rest, sizeof(rest));
	handle[0] = (uint8_t)(bucket >> 2);
	handle[1] = (uint8_t)((bucket & 3) << 6 | (handle[1] & 0x3f));
	text_base32(handle, APIKEY_HANDLE_LEN, secret->handle);
	text_base32(rest, APIKEY_SECRET_LEN, digits);
	snprintf(secret->text, sizeof(secret->text), KEY_PREFIX "%s%s", secret->handle, digits);
	apikey_hash(secret->text, secret->hash);
	crypto_wipe(rest, sizeof(rest));
	crypto_wipe(digits, sizeof(digits));
}

bool
apikey_looks_right(const char *text)
{
	return strncmp(text, KEY_PREFIX, strlen(KEY_PREFIX)) == 0;
}

void
apikey_prefix(const char *handle, char out[APIKEY_PREFIX_SIZE])
{
	snprintf(out, APIKEY_PREFIX_SIZE, KEY_PREFIX "%.*s..", APIKEY_HANDLE_LEN, handle);
}

/* Splits off the handle; its first two digits are the bucket.  -1 if the text has not the form of a key. */
static int
apikey_split(const char *text, char handle[APIKEY_HANDLE_LEN + 1])
{
	const char *digits = text + strlen(KEY_PREFIX);

	if (strlen(text) != APIKEY_TEXT_SIZE - 1 || strncmp(text, KEY_PREFIX, strlen(KEY_PREFIX)) != 0)
		return -1;
	for (const char *p = digits; *p != '\0'; p++)
		if (text_unbase32_digit(*p) < 0)
			return -1;
	memcpy(handle, digits, APIKEY_HANDLE_LEN);
	handle[APIKEY_HANDLE_LEN] = '\0';
	return text_unbase32_digit(digits[0]) << 5 | text_unbase32_digit(digits[1]);
}

static bool
apikey_is_live(struct db_rows *rows, const char *text, int64_t now_ms)
{
	uint8_t hash[SHA256_SIZE];
	const uint8_t *stored;
	int64_t expires;
	size_t len;

	if (db_count(rows) == 0)
		return false;
	apikey_hash(text, hash);
	stored = db_bytes(rows, 0, "hash", &len);
	expires = db_time(rows, 0, "expires_at");
	return len == SHA256_SIZE && crypto_equal(hash, stored, SHA256_SIZE) && db_is_null(rows, 0, "revoked_at") &&
	       (expires == 0 || expires > now_ms);
}

/* Scopes as PostgreSQL prints an array: "{read,tasks}". */
static void
apikey_read_scopes(const char *text, bool has_scope[APIKEY_SCOPES])
{
	for (size_t i = 0; i < APIKEY_SCOPES; i++)
		has_scope[i] = strstr(text, apikey_scopes[i]) != NULL;
}

int
apikey_check(struct db *db, const char *text, int64_t now_ms, struct apikey *key, struct error *err)
{
	char handle[APIKEY_HANDLE_LEN + 1];
	struct db_rows *rows;
	int bucket = apikey_split(text, handle);
	int rc = 0;

	if (bucket < 0)
		return error_set(err, ERR_unauthorized);
	rows = db_call(db, NULL, err, "apikey_find", bucket, DB_ARGS(DB_TEXT(handle)));
	if (rows == NULL)
		return -1;
	if (!apikey_is_live(rows, text, now_ms)) {
		rc = error_set(err, ERR_unauthorized);
	} else if (!db_is_null(rows, 0, "suspended_at")) {
		rc = error_set(err, ERR_agent_suspended);
	} else {
		key->id = db_uuid(rows, 0, "id");
		key->agent = db_uuid(rows, 0, "agent_id");
		snprintf(key->tier, sizeof(key->tier), "%s", db_text(rows, 0, "tier"));
		apikey_read_scopes(db_text(rows, 0, "scopes"), key->has_scope);
		key->last_used_ms = db_time(rows, 0, "last_used_at");
	}
	talloc_free(rows);
	return rc;
}

bool
apikey_allows(const struct apikey *key, const char *scope)
{
	for (size_t i = 0; i < APIKEY_SCOPES; i++)
		if (strcmp(apikey_scopes[i], scope) == 0)
			return key->has_scope[i];
	return false;
}

void
apikey_touch(struct db *db, struct id key, int64_t now_ms)
{
	struct error ignored = { 0 };

	talloc_free(
	    db_call(db, NULL, &ignored, "apikey_touch", id_bucket(key), DB_ARGS(DB_UUID(key), DB_TIME(now_ms))));
	error_clear(&ignored);
}

int
apikey_create(struct db *db, const struct apikey *maker, const struct apikey_new *in, int64_t now_ms, struct id *id,
    struct apikey_secret *secret, struct error *err)
{
	int bucket = id_bucket(maker->agent);
	struct json_object *scopes = json_object_new_array();
	struct db_rows *rows;

	for (size_t i = 0; i < in->scopes.count; i++)
		json_object_array_add(scopes, json_object_new_string(in->scopes.items[i]));
	for (size_t i = 0; in->scopes.count == 0 && i < APIKEY_SCOPES; i++)
		if (maker->has_scope[i])
			json_object_array_add(scopes, json_object_new_string(apikey_scopes[i]));
	*id = id_new(bucket, now_ms);
	apikey_make(bucket, secret);
	rows = db_call(db, NULL, err, "apikey_create", bucket,
	    DB_ARGS(DB_UUID(maker->agent), DB_UUID(maker->id), DB_UUID(*id), DB_TEXT(secret->handle),
		DB_BYTES(secret->hash, SHA256_SIZE), DB_TEXT(in->name), DB_JSON(scopes),
		in->has_budget ? DB_MONEY(in->budget) : DB_NONE, DB_TIME(in->expires_ms), DB_TIME(now_ms)));
	json_object_put(scopes);
	if (rows == NULL)
		crypto_wipe(secret, sizeof(*secret));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
apikey_list(struct db *db, const void *ctx, struct id agent, int64_t now_ms, struct apikey_row **out, size_t *count,
    struct error *err)
{
	struct db_rows *rows =
	    db_call(db, ctx, err, "apikey_list", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*out = talloc_zero_array(rows, struct apikey_row, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct apikey_row *row = &(*out)[i];

		row->id = db_uuid(rows, i, "id");
		apikey_prefix(db_text(rows, i, "handle"), row->prefix);
		row->name = db_text(rows, i, "name");
		row->scopes = db_text(rows, i, "scopes");
		row->has_budget = !db_is_null(rows, i, "budget");
		row->budget = db_int(rows, i, "budget");
		row->expires_ms = db_time(rows, i, "expires_at");
		row->last_used_ms = db_time(rows, i, "last_used_at");
		row->created_ms = db_time(rows, i, "created_at");
	}
	return 0;
}

int
apikey_revoke(struct db *db, struct id agent, struct id key, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(
	    db, NULL, err, "apikey_revoke", id_bucket(agent), DB_ARGS(DB_UUID(agent), DB_UUID(key), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}
