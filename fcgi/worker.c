/*
 * worker: the jobs that follow a commit (mail, webhooks, the simulation), by several processes that share the queue.
 *   worker [--workers N]   runs until told to stop (TERM finishes the job in hand, HUP renews the program)
 *   worker --drain [--seconds N]
 *                          does what is due, and what becomes so within as many seconds, and exits: for hosts that have
 *                          nothing but cron
 *   worker --check         exits 0 if the settings are good
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <talloc.h>
#include "base/config.h"
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "base/privacy.h"
#include "base/supervise.h"
#include "base/text.h"
#include "chain/eth.h"
#include "core/fiat.h"
#include "core/job.h"
#include "core/judge.h"
#include "core/notify.h"
#include "core/orphan.h"
#include "core/onchain.h"
#include "core/payer.h"
#include "core/sandbox.h"
#include "core/subscription.h"
#include "core/watch.h"
#include "core/webhook.h"
#include "net/fetch.h"

enum { WORKERS_USUAL = 4, WORKERS_MAX = 64, POLL_MS = 500, SECONDS_MAX = 3600 };

/* name, what runs it, what ends it, lease, slow.  The quick kinds come first: half of the processes take only these. */
static const struct job_kind kinds[] = {
	{ "sandbox", sandbox_run, NULL, 30, false },
	{ "mail", notify_run, NULL, 60, true },
	{ "push", subscription_run, NULL, 60, true },
	{ "guardian", judge_run, judge_give_up, 180, true },
	{ "webhook", webhook_run, webhook_give_up, 60, true },
	{ "fiat", fiat_run, NULL, 30, true },
	{ "discard", orphan_run, NULL, 60, true },
	/* Less than their longest runs, which may be two at once: a kill delays no deposit and no payment for long. */
	{ "chain", watch_run, watch_give_up, 30, true },
	{ "payout", payer_run, NULL, 20, true },
};

static size_t
quick_kinds(void)
{
	size_t count = 0;

	while (count < nitems(kinds) && !kinds[count].is_slow)
		count++;
	return count;
}

static bool
open_clock(const void *ctx, const struct config *config)
{
	struct error err = { 0 };
	char *path = talloc_asprintf(ctx, "%s/clock", config->run_dir);
	int rc = config->is_development ? now_open(path, &err) : 0;

	error_clear(&err);
	talloc_free(path);
	return rc == 0;
}

/* Waits for a hint or the next poll.  A LISTEN ends with its connection, so it is said again on each new one. */
static void
wait_for_work(struct db *db, bool *is_listening)
{
	struct error err = { 0 };

	if (!db_is_connected(db))
		*is_listening = false;
	if (!*is_listening)
		*is_listening = db_listen(db, "humanops_jobs", &err) == 0;
	error_clear(&err);
	if (!supervise_stopping())
		db_wait(db, POLL_MS);
}

/* Sees to it, once, that the chain is watched; true when that is done. */
static bool
begin_watch(struct worker *worker)
{
	struct error err = { 0 };
	int rc = watch_begin(worker, &err);

	error_clear(&err);
	return rc == 0;
}

/* Without its counters a worker still works; why it has none is in the log. */
static void
open_counts(const struct config *config)
{
	struct error err = { 0 };

	count_open(config->run_dir, "worker", &err);
	error_clear(&err);
}

/* What a process works with; false, printed, if the key of payouts is none.  The database is asked only later. */
static bool
open_worker(struct worker *worker, const struct config *config)
{
	struct error err = { 0 };
	int rc;

	*worker = (struct worker){ .config = config };
	rc = payer_open(worker, &err);
	error_clear(&err);
	if (rc != 0)
		return false;
	worker->onchain = onchain_open(config, config);
	open_counts(config);
	worker->db = db_open(NULL, config->database_url, config->database_guard);
	return true;
}

static void
close_worker(struct worker *worker)
{
	eth_key_free(worker->payout_key);
	talloc_free(worker->db);
}

/* One process: odd ones leave slow kinds alone, so that strangers' servers never hold all of them. */
static int
run_process(void *arg, int index)
{
	size_t count = index % 2 == 1 ? quick_kinds() : nitems(kinds);
	bool is_listening = false, is_watching = false;
	struct worker worker;

	if (!open_worker(&worker, arg))
		return EX_CONFIG;
	while (!supervise_stopping()) {
		is_watching = is_watching || begin_watch(&worker);
		if (job_run_due(&worker, kinds, count, supervise_stopping) == 0)
			wait_for_work(worker.db, &is_listening);
	}
	close_worker(&worker);
	return EXIT_SUCCESS;
}

/* Does what is due, then waits for more until so many seconds are over.  What has begun is finished. */
static int
drain(const struct config *config, int seconds)
{
	int64_t end_ms = now_monotonic_ms() + (int64_t)seconds * 1000;
	bool is_listening = false;
	struct worker worker;
	struct error err = { 0 };
	int status;

	if (!open_worker(&worker, config))
		return EX_CONFIG;
	status = db_ready(worker.db, &err) || !begin_watch(&worker) ? EX_TEMPFAIL : EXIT_SUCCESS;
	error_clear(&err);
	supervise_catch();
	if (status == EXIT_SUCCESS)
		job_run_due(&worker, kinds, nitems(kinds), supervise_stopping);
	while (status == EXIT_SUCCESS && !supervise_stopping() && now_monotonic_ms() < end_ms) {
		wait_for_work(worker.db, &is_listening);
		job_run_due(&worker, kinds, nitems(kinds), supervise_stopping);
	}
	close_worker(&worker);
	return status;
}

/* The key of payouts is one, before any process starts; each reads it for itself. */
static bool
check_key(const struct config *config)
{
	struct worker worker = { .config = config };
	struct error err = { 0 };
	int rc = payer_open(&worker, &err);

	eth_key_free(worker.payout_key);
	error_clear(&err);
	return rc == 0;
}

static int
usage(void)
{
	fputs("usage: worker [--workers N | --drain [--seconds N] | --check]\n", stderr);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "drain", no_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "check", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct supervise supervise = {
		.name = "worker", .argv = argv, .workers = WORKERS_USUAL, .fd = -1, .child = run_process
	};
	bool is_draining = false, is_check = false;
	struct config *config;
	int option, status, seconds = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'w')
			supervise.workers = (int)strtol(optarg, NULL, 10); /* nonsense is 0, and refused */
		is_draining |= option == 'd';
		if (option == 's' && ((seconds = (int)strtol(optarg, NULL, 10)) < 1 || seconds > SECONDS_MAX))
			return usage();
		is_check |= option == 'c';
		if (option == '?' || supervise.workers < 1 || supervise.workers > WORKERS_MAX)
			return usage();
	}
	log_open("worker");
	fetch_init();
	if (optind < argc || (seconds > 0 && !is_draining))
		return usage();
	if (privacy_begin() || (config = config_load(NULL, "worker")) == NULL || !onchain_check(config) ||
	    !check_key(config))
		return EX_CONFIG;
	supervise.arg = config;
	status = !open_clock(config, config) ? EX_CONFIG
		 : is_check		     ? EXIT_SUCCESS
		 : is_draining		     ? drain(config, seconds)
					     : supervise_run(&supervise);
	talloc_free(config);
	return status;
}
