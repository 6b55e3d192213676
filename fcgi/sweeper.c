/*
 * sweeper: whatever falls due by itself, once, then exit; cron runs it every minute.  Safe to run twice at once, or late by a
 * week.  sweeper --check exits 0 if the settings are good.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "base/privacy.h"
#include "core/heartbeat.h"
#include "core/job.h"
#include "core/sweep.h"
#include "http/window.h"

static void
log_result(const struct sweep_result *result, int windows)
{
	struct json_object *fields = json_object_new_object();

	json_object_object_add(fields, "tasks", json_object_new_int64(result->tasks));
	json_object_object_add(fields, "earnings", json_object_new_int64(result->earnings));
	json_object_object_add(fields, "expired", json_object_new_int64(result->expired));
	json_object_object_add(fields, "partitions", json_object_new_int64(result->partitions));
	json_object_object_add(fields, "uploads", json_object_new_int64(result->uploads));
	json_object_object_add(fields, "windows", json_object_new_int(windows));
	log_event(LOG_LEVEL_INFO, "sweep", fields);
}

/* Rate windows that ended; the file is the programs', who make it when they start. */
static int
sweep_windows(const struct config *config, struct error *err)
{
	char *path = talloc_asprintf(config, "%s/windows", config->run_dir);
	struct window_table *table = window_open(path, err);
	int count = table == NULL ? -1 : window_sweep(table, now_ms());

	window_close(table);
	talloc_free(path);
	return count;
}

/* That all of it was done, and, once an hour, the ledger's audit, which nothing waits for. */
static int
look_back(struct db *db, struct error *err)
{
	if (heartbeat_set(db, HEARTBEAT_SWEEPER, NULL, now_ms(), err))
		return -1;
	return heartbeat_audit(db, now_ms(), err);
}

static int
sweep(const struct config *config)
{
	struct db *db;
	char *clock = talloc_asprintf(config, "%s/clock", config->run_dir);
	struct sweep_result result = { 0 };
	struct error err = { 0 };
	int windows, status = EX_TEMPFAIL;

	/* Without its counters it still sweeps; why it has none is in the log. */
	count_open(config->run_dir, "sweeper", &err);
	error_clear(&err);
	db = db_open(config, config->database_url, config->database_guard);
	if (config->is_development && now_open(clock, &err))
		goto out;
	if ((windows = sweep_windows(config, &err)) < 0 || sweep_all(db, config, now_ms(), &result, &err))
		goto out;
	if (result.tasks > 0 || result.uploads > 0)
		job_wake(db);
	log_result(&result, windows);
	if (look_back(db, &err) == 0)
		status = EXIT_SUCCESS;
out:
	error_clear(&err);
	talloc_free(db);
	return status;
}

int
main(int argc, char **argv)
{
	bool is_check = argc == 2 && strcmp(argv[1], "--check") == 0;
	struct config *config;
	int status;

	log_open("sweeper");
	if (argc > 1 && !is_check) {
		fputs("usage: sweeper [--check]\n", stderr);
		return EX_USAGE;
	}
	if (privacy_begin() || (config = config_load(NULL, "sweeper")) == NULL)
		return EX_CONFIG;
	status = is_check ? EXIT_SUCCESS : sweep(config);
	talloc_free(config);
	return status;
}
