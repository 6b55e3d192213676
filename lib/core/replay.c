/*
 * Idempotency keys: what identifies a request and how long its answer is kept.  That two at the same instant cannot both run
 * is the SQL function replay_begin's doing.
 */
#include <string.h>
#include <talloc.h>
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "core/replay.h"

#define KEPT_MS (INT64_C(30) * 86400 * 1000)

bool
replay_key_ok(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > 255)
		return false;
	for (const char *p = key; *p != '\0'; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return true;
}

int
replay_begin(
    struct db *db, const void *ctx, const struct replay *replay, int *status, const char **answer, struct error *err)
{
	uint8_t hash[SHA256_SIZE];
	struct db_rows *rows;

	crypto_sha256(replay->body, replay->body_len, hash);
	rows = db_call(db, ctx, err, "replay_begin", id_bucket(replay->principal),
	    DB_ARGS(DB_UUID(replay->principal), DB_TEXT(replay->path), DB_TEXT(replay->key),
		DB_BYTES(hash, SHA256_SIZE), DB_TIME(replay->now_ms)));
	if (rows == NULL)
		return -1;
	*status = db_count(rows) == 0 ? 0 : (int)db_int(rows, 0, "status");
	*answer = db_count(rows) == 0 ? NULL : db_text(rows, 0, "body");
	return 0;
}

int
replay_store(struct db *db, const struct replay *replay, int status, const char *answer, struct error *err)
{
	uint8_t hash[SHA256_SIZE];
	struct db_rows *rows;

	crypto_sha256(replay->body, replay->body_len, hash);
	rows = db_call(db, NULL, err, "replay_store", id_bucket(replay->principal),
	    DB_ARGS(DB_UUID(replay->principal), DB_TEXT(replay->path), DB_TEXT(replay->key),
		DB_BYTES(hash, SHA256_SIZE), DB_INT(status), DB_TEXT(answer),
		DB_TIME(replay->is_for_ever ? 0 : replay->now_ms + KEPT_MS), DB_TIME(replay->now_ms)));
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}
