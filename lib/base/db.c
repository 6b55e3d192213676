/*
 * PostgreSQL by libpq: connecting and reconnecting, calling functions with parameters, reading rows by name.  What the
 * functions mean is known to lib/core alone; what their refusals are called, to errors.def.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include <libpq-fe.h>
#include <talloc.h>
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"

enum { ARGS_MAX = 32, BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 2000, NUMBER_SIZE = 40 };

struct db {
	PGconn *conn;
	char *url;
	bool has_guard;
	bool in_transaction;
	int backoff_ms;
	int64_t retry_at; /* monotonic; no try before it */
};

struct db_rows {
	PGresult *result;
};

/* Parameters as libpq takes them; numbers are written into `numbers`. */
struct params {
	int count;
	const char *values[ARGS_MAX];
	int lengths[ARGS_MAX], formats[ARGS_MAX];
	char numbers[ARGS_MAX][NUMBER_SIZE];
};

static void
db_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_transaction = false;
}

static int
db_free(struct db *db)
{
	db_drop(db);
	return 0;
}

/* Of each kind, so that the first is seen as a rise from none. */
static void
begin_counts(void)
{
	static const char *const reasons[] = { "connect", "lost", "timeout", "conflict", "away", "fault" };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		count_add(COUNT_database_errors, 0, COUNT_LABELS(reasons[i]));
}

struct db *
db_open(const void *ctx, const char *url, bool guard)
{
	struct db *db = talloc_zero(ctx, struct db);

	db->url = talloc_strdup(db, url);
	db->has_guard = guard;
	talloc_set_destructor(db, db_free);
	begin_counts();
	return db;
}

static void
ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

/* Waiting twice as long after each failed try keeps a server that comes back from being stormed. */
static int
db_connect(struct db *db, struct error *err)
{
	static const char *const names[] = { "dbname", "connect_timeout", "client_encoding", NULL };
	const char *const values[] = { db->url, "3", "UTF8", NULL };
	int64_t now = now_monotonic_ms();

	if (now < db->retry_at) {
		error_set(err, ERR_unavailable);
		err->retry_after_s = 1;
		return -1;
	}
	db->conn = PQconnectdbParams(names, values, 1);
	if (PQstatus(db->conn) == CONNECTION_OK) {
		PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
		db->backoff_ms = 0;
		count_add(COUNT_database_connections, 1, NULL);
		return 0;
	}
	count_add(COUNT_database_errors, 1, COUNT_LABELS("connect"));
	db->backoff_ms = db->backoff_ms == 0 ? BACKOFF_FIRST_MS : db->backoff_ms * 2;
	if (db->backoff_ms > BACKOFF_LAST_MS)
		db->backoff_ms = BACKOFF_LAST_MS;
	db->retry_at = now_monotonic_ms() + db->backoff_ms;
	error_unavailable(
	    err, 1, "database: %.*s", (int)strcspn(PQerrorMessage(db->conn), "\n"), PQerrorMessage(db->conn));
	db_drop(db);
	return -1;
}

/* True if the server has closed an idle connection. */
static bool
db_is_stale(struct db *db)
{
	struct pollfd pfd = { .fd = PQsocket(db->conn), .events = POLLIN };

	/* Until nothing is left: a server that ends says why first, and only then comes the end. */
	while (PQstatus(db->conn) == CONNECTION_OK && poll(&pfd, 1, 0) > 0) {
		if (PQconsumeInput(db->conn) == 0)
			return true;
	}
	return PQstatus(db->conn) != CONNECTION_OK;
}

/* A live connection; within a transaction only the one that began it will do. */
static int
db_use(struct db *db, struct error *err)
{
	if (db->conn != NULL && !db->in_transaction && db_is_stale(db))
		db_drop(db);
	return db->conn == NULL ? db_connect(db, err) : 0;
}

/* What passes by itself, and why; NULL: our own fault.  In part classes of SQLSTATE, the longer ones first. */
static const char *
passing_reason(const char *sqlstate)
{
	static const struct {
		const char *state, *reason;
	} rows[] = {
		{ "57014", "timeout" }, { "55P03", "timeout" },
		{ "25P03", "timeout" },				  /* of a statement, a lock, a transaction */
		{ "40001", "conflict" }, { "40P01", "conflict" }, /* serialization, deadlock */
		{ "08", "lost" }, { "53", "away" }, { "57P", "away" },
		{ "25006", "away" }, /* full, ending, a standby */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strncmp(sqlstate, rows[i].state, strlen(rows[i].state)) == 0)
			return rows[i].reason;
	return NULL;
}

/* Makes an error of a failed result: a refusal keeps its name and details, the rest is ours. */
static int
db_failure(struct db *db, const PGresult *result, const char *what, struct error *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *reason;

	if (PQstatus(db->conn) != CONNECTION_OK || state == NULL) {
		count_add(COUNT_database_errors, 1, COUNT_LABELS("lost"));
		error_unavailable(err, 1, "database: connection lost during %s", what);
		db_drop(db);
		return -1;
	}
	if (strcmp(state, "UX001") == 0 && error_find(message) != ERR_none) {
		error_set(err, error_find(message));
		if (detail != NULL)
			err->details = json_tokener_parse(detail);
		if (err->code == ERR_idempotency_in_progress)
			err->retry_after_s = 1;
		return -1;
	}
	reason = passing_reason(state);
	count_add(COUNT_database_errors, 1, COUNT_LABELS(reason != NULL ? reason : "fault"));
	if (reason != NULL)
		return error_unavailable(err, 1, "database: %s: %s %s", what, state, message);
	return error_internal(err, "database: %s: %s %s", what, state, message);
}

static int
rows_free(struct db_rows *rows)
{
	PQclear(rows->result);
	return 0;
}

/* Runs one statement; what names it in the log.  The rows hang on ctx. */
static struct db_rows *
db_run(struct db *db, const void *ctx, const char *sql, const struct params *p, const char *what, struct error *err)
{
	PGresult *result = PQexecParams(db->conn, sql, p->count, NULL, p->values, p->lengths, p->formats, 0);
	struct db_rows *rows;

	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
		db_failure(db, result, what, err);
		PQclear(result);
		return NULL;
	}
	rows = talloc_zero(ctx, struct db_rows);
	rows->result = result;
	talloc_set_destructor(rows, rows_free);
	return rows;
}

static void
params_add(struct params *p, const struct db_arg *arg)
{
	int i = p->count++;

	assert(i < ARGS_MAX);
	p->values[i] = NULL;
	p->lengths[i] = p->formats[i] = 0;
	switch (arg->type) {
	case DB_ARG_NULL:
		return;
	case DB_ARG_INT:
		snprintf(p->numbers[i], NUMBER_SIZE, "%" PRId64, arg->u.number);
		break;
	case DB_ARG_NUMBER:
		snprintf(p->numbers[i], NUMBER_SIZE, "%.17g", arg->u.real);
		break;
	case DB_ARG_BOOL:
		snprintf(p->numbers[i], NUMBER_SIZE, "%s", arg->u.number != 0 ? "t" : "f");
		break;
	case DB_ARG_TIME:
		if (arg->u.number == 0)
			return;
		time_print(arg->u.number, p->numbers[i]);
		break;
	case DB_ARG_UUID:
		if (id_is_nil(arg->u.id))
			return;
		id_print_uuid(arg->u.id, p->numbers[i]);
		break;
	case DB_ARG_TEXT:
		p->values[i] = arg->u.text;
		return;
	case DB_ARG_JSON:
		if (arg->u.json != NULL)
			p->values[i] = json_object_to_json_string_ext(arg->u.json, JSON_C_TO_STRING_PLAIN);
		return;
	case DB_ARG_BYTES:
		p->values[i] = arg->u.bytes.data;
		p->lengths[i] = (int)arg->u.bytes.len;
		p->formats[i] = 1;
		return;
	}
	p->values[i] = p->numbers[i];
}

/* Row-level security of the tests compares this with each row's bucket; -1 stands for all of them. */
static int
db_name_bucket(struct db *db, int bucket, struct error *err)
{
	struct params p = { 0 };
	struct db_rows *rows;

	params_add(&p, &DB_INT(bucket));
	rows = db_run(db, NULL, "select set_config('humanops.bucket', $1, true)", &p, "guard", err);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

static struct db_rows *
db_call_params(
    struct db *db, const void *ctx, struct error *err, const char *function, int bucket, const struct params *p)
{
	bool is_alone = db->has_guard && !db->in_transaction;
	struct db_rows *rows = NULL;
	char sql[400];
	size_t n;

	n = (size_t)snprintf(sql, sizeof(sql), "select * from %s(", function);
	for (int i = 1; i <= p->count; i++)
		n += (size_t)snprintf(sql + n, sizeof(sql) - n, i == 1 ? "$%d" : ",$%d", i);
	snprintf(sql + n, sizeof(sql) - n, ")");
	if (is_alone && db_begin(db, err))
		return NULL;
	if (db_use(db, err) || (db->has_guard && db_name_bucket(db, bucket, err)))
		goto out;
	rows = db_run(db, ctx, sql, p, function, err);
	if (rows != NULL && is_alone && db_commit(db, err)) {
		talloc_free(rows);
		rows = NULL;
	}
out:
	if (is_alone)
		db_rollback(db);
	return rows;
}

struct db_rows *
db_call(struct db *db, const void *ctx, struct error *err, const char *function, int bucket, const struct db_arg *args,
    size_t count)
{
	struct params p = { 0 };

	assert(bucket >= 0 && bucket < ID_BUCKETS);
	params_add(&p, &DB_INT(bucket));
	for (size_t i = 0; i < count; i++)
		params_add(&p, &args[i]);
	return db_call_params(db, ctx, err, function, bucket, &p);
}

struct db_rows *
db_call_everywhere(
    struct db *db, const void *ctx, struct error *err, const char *function, const struct db_arg *args, size_t count)
{
	struct params p = { 0 };

	for (size_t i = 0; i < count; i++)
		params_add(&p, &args[i]);
	return db_call_params(db, ctx, err, function, -1, &p);
}

static int
db_exec(struct db *db, const char *sql, struct error *err)
{
	static const struct params none;
	struct db_rows *rows = db_run(db, NULL, sql, &none, sql, err);
	int rc = rows == NULL ? -1 : 0;

	/* A failed transaction answers "commit" with a rollback and no error; that must never pass for a commit. */
	if (rc == 0 && strcmp(sql, "commit") == 0 && strcmp(PQcmdStatus(rows->result), "COMMIT") != 0)
		rc = error_internal(err, "database: commit ended as %s", PQcmdStatus(rows->result));
	talloc_free(rows);
	return rc;
}

int
db_begin(struct db *db, struct error *err)
{
	assert(!db->in_transaction);
	if (db_use(db, err) || db_exec(db, "begin", err))
		return -1;
	db->in_transaction = true;
	return 0;
}

int
db_commit(struct db *db, struct error *err)
{
	assert(db->in_transaction);
	if (db_exec(db, "commit", err))
		return -1;
	db->in_transaction = false;
	return 0;
}

void
db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	db->in_transaction = false;
	PQclear(PQexec(db->conn, "rollback"));
	/* A connection that may still be inside something is not handed on. */
	if (PQtransactionStatus(db->conn) != PQTRANS_IDLE)
		db_drop(db);
}

int
db_take_time(struct db *db, int ms, struct error *err)
{
	struct params p = { 0 };
	struct db_rows *rows;

	assert(db->in_transaction);
	params_add(&p, &DB_INT(ms));
	rows = db_run(db, NULL, "select set_config('statement_timeout', $1, true)", &p, "take_time", err);
	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
db_ready(struct db *db, struct error *err)
{
	struct db_rows *rows = db_call_everywhere(db, NULL, err, "schema_version_everywhere", NULL, 0);
	int64_t version;

	if (rows == NULL)
		return -1;
	version = db_int(rows, 0, "schema_version_everywhere");
	talloc_free(rows);
	if (version < HUMANOPS_SCHEMA)
		return error_unavailable(
		    err, 5, "database: schema %" PRId64 ", this build needs %d", version, HUMANOPS_SCHEMA);
	return 0;
}

int
db_listen(struct db *db, const char *channel, struct error *err)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "listen %s", channel);
	return db_use(db, err) ? -1 : db_exec(db, sql, err);
}

bool
db_wait(struct db *db, int timeout_ms)
{
	struct pollfd pfd = { .events = POLLIN };
	PGnotify *notify;
	bool has_come = false;

	if (db->conn == NULL || PQstatus(db->conn) != CONNECTION_OK) {
		poll(NULL, 0, timeout_ms);
		return false;
	}
	pfd.fd = PQsocket(db->conn);
	if (poll(&pfd, 1, timeout_ms) > 0 && PQconsumeInput(db->conn) == 0) {
		db_drop(db);
		return false;
	}
	while ((notify = PQnotifies(db->conn)) != NULL) {
		has_come = true;
		PQfreemem(notify);
	}
	return has_come;
}

bool
db_is_connected(const struct db *db)
{
	return db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

size_t
db_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

/* The column's number; one that is not there means that C and SQL have parted ways. */
static int
column_of(const struct db_rows *rows, size_t row, const char *column)
{
	int number = PQfnumber(rows->result, column);

	assert(row < db_count(rows));
	if (number < 0) {
		log_text(LOG_LEVEL_ERROR, "fault", "database: a result has no column %s", column);
		abort();
	}
	return number;
}

bool
db_is_null(const struct db_rows *rows, size_t row, const char *column)
{
	return PQgetisnull(rows->result, (int)row, column_of(rows, row, column)) != 0;
}

const char *
db_text(const struct db_rows *rows, size_t row, const char *column)
{
	int number = column_of(rows, row, column);

	return PQgetisnull(rows->result, (int)row, number) ? NULL : PQgetvalue(rows->result, (int)row, number);
}

int64_t
db_int(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

double
db_real(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);

	return text == NULL ? 0 : strtod(text, NULL);
}

bool
db_bool(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);

	return text != NULL && text[0] == 't';
}

struct id
db_uuid(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);
	struct id id = { { 0 } };

	if (text != NULL && id_from_uuid(text, &id))
		assert(!"a uuid column holds no UUID");
	return id;
}

/* "2026-02-05 12:00:00.123+00" as RFC 3339. */
int64_t
db_time(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);
	char rfc[64];
	int64_t ms = 0;
	size_t len;

	if (text == NULL)
		return 0;
	len = strlen(text);
	snprintf(rfc, sizeof(rfc), "%s%s", text, len > 3 && strchr("+-", text[len - 3]) != NULL ? ":00" : "");
	if (len > 10)
		rfc[10] = 'T';
	if (time_parse(rfc, &ms))
		assert(!"a time column holds no time");
	return ms;
}

const uint8_t *
db_bytes(struct db_rows *rows, size_t row, const char *column, size_t *len)
{
	const char *text = db_text(rows, row, column);
	unsigned char *raw;
	uint8_t *bytes;

	*len = 0;
	if (text == NULL)
		return NULL;
	raw = PQunescapeBytea((const unsigned char *)text, len);
	assert(raw != NULL);
	bytes = talloc_memdup(rows, raw, *len + 1);
	PQfreemem(raw);
	return bytes;
}

struct json_object *
db_json(const struct db_rows *rows, size_t row, const char *column)
{
	const char *text = db_text(rows, row, column);

	return text == NULL ? NULL : json_tokener_parse(text);
}
