#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/*
 * PostgreSQL: one connection a process, SQL functions called by name with typed parameters (database.md R4), rows read
 * by column name.  No SQL text is built from data.  A refusal by a function (SQLSTATE UX001) becomes the error of that
 * name; a lost connection, a timeout or a restart becomes ERR_unavailable, and the next call reconnects, at most one
 * try in each back-off step.
 */

struct error;
struct json_object;
struct db;

struct db_arg {
	enum {
		DB_ARG_NULL,
		DB_ARG_INT,
		DB_ARG_TEXT,
		DB_ARG_UUID,
		DB_ARG_TIME,
		DB_ARG_NUMBER,
		DB_ARG_BOOL,
		DB_ARG_BYTES,
		DB_ARG_JSON
	} type;
	union {
		int64_t number;
		double real;
		const char *text;
		struct id id;
		struct {
			const void *data;
			size_t len;
		} bytes;
		struct json_object *json;
	} u;
};

#define DB_INT(v) ((struct db_arg){ .type = DB_ARG_INT, .u.number = (v) })
#define DB_MONEY(v) DB_INT(v)
#define DB_BOOL(v) ((struct db_arg){ .type = DB_ARG_BOOL, .u.number = (v) })
#define DB_REAL(v) ((struct db_arg){ .type = DB_ARG_NUMBER, .u.real = (v) })
#define DB_TEXT(v) ((struct db_arg){ .type = DB_ARG_TEXT, .u.text = (v) })		  /* NULL: SQL null */
#define DB_UUID(v) ((struct db_arg){ .type = DB_ARG_UUID, .u.id = (v) })		  /* nil: SQL null */
#define DB_TIME(v) ((struct db_arg){ .type = DB_ARG_TIME, .u.number = (v) })		  /* ms; 0: SQL null */
#define DB_BYTES(p, n) ((struct db_arg){ .type = DB_ARG_BYTES, .u.bytes = { (p), (n) } }) /* NULL: SQL null */
#define DB_JSON(v) ((struct db_arg){ .type = DB_ARG_JSON, .u.json = (v) })		  /* NULL: SQL null */
#define DB_NONE ((struct db_arg){ .type = DB_ARG_NULL })
#define DB_ARGS(...) \
	(const struct db_arg[]){ __VA_ARGS__ }, sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg)

/* A result; a talloc child of the context of the call, cleared with it. */
struct db_rows;

/* Connects lazily.  guard: each transaction first names its bucket to row-level security (tests only). */
struct db *db_open(const void *ctx, const char *url, bool guard);

/*
 * Calls `select * from function(args…)`.  bucket is the first argument ($1) and must not stand in args.
 * db_call_everywhere is for functions named …_everywhere, which take none.
 * Outside db_begin/db_commit the call is a transaction of its own.
 */
struct db_rows *db_call(struct db *db, const void *ctx, struct error *err, const char *function, int bucket,
    const struct db_arg *args, size_t count);
struct db_rows *db_call_everywhere(
    struct db *db, const void *ctx, struct error *err, const char *function, const struct db_arg *args, size_t count);

/* One transaction over several calls.  db_rollback does nothing outside one, so cleaning up may always call it. */
int db_begin(struct db *db, struct error *err);
int db_commit(struct db *db, struct error *err);
void db_rollback(struct db *db);

/* The statements of this transaction may take so long, instead of what the role may; not for what a client waits for. */
int db_take_time(struct db *db, int ms, struct error *err);

/* Readiness: connected and all migrations of this build applied.  0, or -1 with ERR_unavailable. */
int db_ready(struct db *db, struct error *err);

/* LISTEN on a channel; db_wait returns true when a notification came within timeout_ms.
 * Also returns when a signal is delivered.  Hints only (database.md R10). */
int db_listen(struct db *db, const char *channel, struct error *err);
bool db_wait(struct db *db, int timeout_ms);
bool db_is_connected(const struct db *db); /* as far as was last seen; LISTEN must be said anew after a loss */

/* Rows.  A column that is not in the result is a bug and ends the program.  A text lives as long as the rows. */
size_t db_count(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, const char *column);
const char *db_text(const struct db_rows *rows, size_t row, const char *column); /* NULL: SQL null */
int64_t db_int(const struct db_rows *rows, size_t row, const char *column);	 /* null: 0 */
double db_real(const struct db_rows *rows, size_t row, const char *column);
bool db_bool(const struct db_rows *rows, size_t row, const char *column);
struct id db_uuid(const struct db_rows *rows, size_t row, const char *column); /* null: nil */
int64_t db_time(const struct db_rows *rows, size_t row, const char *column);   /* ms; null: 0 */
const uint8_t *db_bytes(struct db_rows *rows, size_t row, const char *column, size_t *len);
struct json_object *db_json(const struct db_rows *rows, size_t row, const char *column); /* caller puts; null: NULL */

#endif
