/* Settings, and what the database knows: its migrations and roles, signs of life, the queue, the ledger, the chain's state. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <talloc.h>

#include "base/config.h"
#include "base/db.h"
#include "base/now.h"
#include "base/text.h"
#include "core/heartbeat.h"
#include "core/onchain.h"
#include "doctor/doctor.h"

enum {
	ALIVE_S = 180, /* cron calls each minute; a worker shows itself every half of one, one of cron's every one */
	AUDIT_S = 3 * 3600,
	QUEUE_SLOW_S = 300,
	QUEUE_STUCK_S = 3600,
	ARCHIVE_S = 1800,
	RESERVES_S = 900,
	PAYOUT_S = 3600,
	SCAN_S = 600,
};

void
doctor_settings(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	bool has_chain = config->base_rpc_urls[0] != NULL;
	const struct {
		bool is_missing;
		const char *text, *advice;
	} rows[] = {
		{ config->is_development, "HUMANOPS_ENV is development: identities and money can be made up.",
		    "Remove HUMANOPS_ENV where real people and real money are." },
		{ strncmp(config->public_base_url, "https://", 8) != 0, "PUBLIC_BASE_URL is not https.",
		    "Get a certificate (docs/install.md) and name the https address." },
		{ config->admin_api_key == NULL, "ADMIN_API_KEY is not set: staff can do nothing.",
		    "Set it to at least 24 random characters (openssl rand -base64 24)." },
		{ config->operator_jwt_issuer == NULL && !config->allow_dev_operator_id,
		    "OPERATOR_JWT_ISSUER is not set: no operator can sign in.",
		    "Name the issuer of operators' tokens." },
		{ config->kyc_webhook_secret == NULL && !config->is_development,
		    "KYC_WEBHOOK_SECRET is not set: only staff can verify an operator.",
		    "Set it if a KYC vendor sends verdicts; else staff's console does." },
		{ !has_chain && !config->is_development, "BASE_RPC_URL is not set: no USDC comes in or goes out.",
		    "Name one server of the chain, better two." },
		{ has_chain && config->base_rpc_urls[1] == NULL,
		    "There is one server of the chain, whose every word is believed.",
		    "Name a second one, of another provider, behind the first in BASE_RPC_URL." },
		{ has_chain && config->payout_key_file == NULL, "PAYOUT_PRIVATE_KEY_FILE is not set: nobody is paid.",
		    "Give the worker the key of the address that pays." },
	};
	size_t count = 0;

	for (size_t i = 0; i < nitems(rows); i++) {
		if (rows[i].is_missing)
			doctor_warn(doctor, rows[i].advice, "%s", rows[i].text);
		count += rows[i].is_missing;
	}
	if (count == 0)
		doctor_ok(doctor, "All are understood, and none is left out that a service for real needs.");
}

/* The rows of doctor_everywhere, on ctx; NULL: noted. */
static struct db_rows *
ask(struct doctor *doctor, const void *ctx, const char *function, const struct db_arg *args, size_t count)
{
	struct db_rows *rows = db_call_everywhere(doctor->db, ctx, &doctor->err, function, args, count);

	if (rows == NULL)
		doctor_fail(doctor, "Run migrate of this version, which also renews functions and rights.", "%s: %s",
		    function, doctor_reason(doctor));
	return rows;
}

void
doctor_database(struct doctor *doctor)
{
	struct db_rows *rows = db_call_everywhere(doctor->db, NULL, &doctor->err, "schema_version_everywhere", NULL, 0);
	int64_t version = rows == NULL ? 0 : db_int(rows, 0, "schema_version_everywhere");

	if (rows == NULL)
		doctor_fail(doctor,
		    "See that PostgreSQL runs, that DATABASE_URL leads there, and that migrate was run.", "%s.",
		    doctor->problem);
	else if (version < HUMANOPS_SCHEMA)
		doctor_fail(doctor, "Run migrate as the database's owner.",
		    "Migrations up to %" PRId64 " of %d are applied.", version, HUMANOPS_SCHEMA);
	else if (version > HUMANOPS_SCHEMA)
		doctor_warn(doctor, "Finish the upgrade: the programs of the newer version are still to come.",
		    "The database has migration %" PRId64 ", and these programs know of %d.", version, HUMANOPS_SCHEMA);
	else
		doctor_ok(doctor, "All %d migrations are applied.", HUMANOPS_SCHEMA);
	talloc_free(rows);
}

/* One row about the role that we came as; false if it makes other findings pointless. */
static bool
judge_login(struct doctor *doctor, const char *role, const char *what)
{
	if (strcmp(what, "superuser") == 0)
		doctor_fail(doctor, "Name a role of the programs in DATABASE_URL (docs/privileges.md).",
		    "The programs log in as %s, a superuser: nothing protects the ledger from them.", role);
	else if (strcmp(what, "owner") == 0)
		doctor_warn(doctor,
		    "Where the host allows more than one role, let roles.sql make those of the programs.",
		    "The programs log in as %s, who owns the tables: the ledger is append-only by their good will.",
		    role);
	return strcmp(what, "plain") == 0;
}

void
doctor_roles(struct doctor *doctor)
{
	struct db_rows *rows = ask(doctor, NULL, "doctor_everywhere", NULL, 0);
	size_t faults = rows == NULL;

	for (size_t i = 0; rows != NULL && i < db_count(rows); i++) {
		const char *what = db_text(rows, i, "what");

		if (strcmp(what, "login") == 0 &&
		    !judge_login(doctor, db_text(rows, i, "name"), db_text(rows, i, "value")))
			faults++;
		if (strcmp(what, "role") != 0)
			continue;
		doctor_fail(doctor, "Run migrate, which sets the rights of all roles anew; then see who gave it more.",
		    "%s: %s.", db_text(rows, i, "name"), db_text(rows, i, "value"));
		faults++;
	}
	if (faults == 0)
		doctor_ok(doctor, "The programs' roles may execute their functions and nothing else.");
	talloc_free(rows);
}

void
doctor_backup(struct doctor *doctor)
{
	struct db_rows *rows = ask(doctor, NULL, "doctor_everywhere", NULL, 0);
	const char *mode = "", *failed = NULL, *last = NULL;
	int64_t age = 0;

	if (rows == NULL)
		return;
	for (size_t i = 0; i < db_count(rows); i++) {
		const char *what = db_text(rows, i, "what");

		if (strcmp(what, "archive_mode") == 0)
			mode = db_text(rows, i, "value");
		else if (strcmp(what, "archive_failed") == 0)
			failed = db_text(rows, i, "name");
		else if (strcmp(what, "archive_age") == 0) {
			last = db_text(rows, i, "name");
			text_decimal(db_text(rows, i, "value"), 0, &age);
		}
	}
	if (strcmp(mode, "off") == 0)
		doctor_warn(doctor, "Set up backups: docs/backup.md.",
		    "WAL is not archived: what was written since the last base backup cannot be restored.");
	else if (failed != NULL)
		doctor_fail(doctor, "PostgreSQL's log has the words of archive_command; until it works, pg_wal grows.",
		    "Archiving fails since %s.", failed);
	else if (last == NULL || age > ARCHIVE_S)
		doctor_warn(doctor, "Set archive_timeout (60), so that no more than a minute can be lost.",
		    last == NULL ? "No WAL was archived yet." : "No WAL was archived for %" PRId64 " minutes.",
		    age / 60);
	else
		doctor_ok(doctor, "The last WAL was archived %" PRId64 " seconds ago.", age);
	talloc_free(rows);
}

/* One sign of life. */
static void
judge_beat(struct doctor *doctor, const char *name, int64_t at_ms, const char *advice)
{
	int64_t age = (now_ms() - at_ms) / 1000;

	if (at_ms == 0)
		doctor_fail(doctor, advice, "%s has never run.", name);
	else if (age > ALIVE_S)
		doctor_fail(doctor, advice, "%s was last alive %" PRId64 " minutes ago.", name, age / 60);
	else
		doctor_ok(doctor, "%s was alive %" PRId64 " seconds ago.", name, age > 0 ? age : 0);
}

void
doctor_cron(struct doctor *doctor)
{
	struct heartbeat *beats = NULL;
	size_t count = 0;
	int64_t sweeper = 0, worker = 0;

	if (heartbeat_list(doctor->db, doctor->config, &beats, &count, &doctor->err)) {
		doctor_fail(doctor, "Run migrate of this version.", "%s", doctor_reason(doctor));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (strcmp(beats[i].name, HEARTBEAT_SWEEPER) == 0)
			sweeper = beats[i].at_ms;
		else if (strcmp(beats[i].name, HEARTBEAT_WORKER) == 0)
			worker = beats[i].at_ms;
	}
	judge_beat(doctor, "The sweeper", sweeper, "cron is to call sweeper every minute; its log tells why it fails.");
	judge_beat(doctor, "The worker", worker,
	    "Start worker (systemctl start humanops-worker), or let cron call worker --drain every minute.");
}

/* What metrics_everywhere said. */
struct metrics {
	struct db_rows *rows;
};

static bool
load_metrics(struct doctor *doctor, struct metrics *metrics)
{
	metrics->rows = ask(doctor, NULL, "metrics_everywhere",
	    DB_ARGS(doctor->onchain->chain != NULL ? DB_INT(doctor->onchain->chain_id) : DB_NONE, DB_TIME(now_ms())));
	return metrics->rows != NULL;
}

/* A value by name, and by label unless that is NULL; fallback where there is none. */
static double
metric(const struct metrics *metrics, const char *name, const char *label, double fallback)
{
	for (size_t i = 0; i < db_count(metrics->rows); i++) {
		const char *own = db_text(metrics->rows, i, "label");

		if (strcmp(db_text(metrics->rows, i, "metric"), name) == 0 &&
		    (label == NULL || (own != NULL && strcmp(own, label) == 0)))
			return db_real(metrics->rows, i, "value");
	}
	return fallback;
}

/* One kind of job; true if something was found. */
static bool
judge_kind(struct doctor *doctor, const struct metrics *metrics, const char *kind)
{
	static const char slow[] =
	    "See that workers run and that what they call answers; more of them help (worker --workers N).";
	double age = metric(metrics, "humanops_queue_oldest_age_seconds", kind, 0);
	double dead = metric(metrics, "humanops_queue_dead_jobs", kind, 0);

	if (age > QUEUE_STUCK_S)
		doctor_fail(doctor, slow, "A job of kind %s waits for %.0f minutes.", kind, age / 60);
	else if (age > QUEUE_SLOW_S)
		doctor_warn(doctor, slow, "A job of kind %s waits for %.0f minutes.", kind, age / 60);
	if (dead > 0)
		doctor_warn(doctor,
		    "The worker's log names each (event job.dead), and why; they are deleted after a month.",
		    "%.0f jobs of kind %s were given up.", dead, kind);
	return age > QUEUE_SLOW_S || dead > 0;
}

void
doctor_queue(struct doctor *doctor)
{
	struct metrics metrics;
	bool is_found = false;

	if (!load_metrics(doctor, &metrics))
		return;
	for (size_t i = 0; i < db_count(metrics.rows); i++) {
		if (strcmp(db_text(metrics.rows, i, "metric"), "humanops_queue_jobs") == 0)
			is_found |= judge_kind(doctor, &metrics, db_text(metrics.rows, i, "label"));
	}
	if (!is_found)
		doctor_ok(doctor, "No job waits for long, and none was given up.");
	talloc_free(metrics.rows);
}

void
doctor_ledger(struct doctor *doctor)
{
	struct metrics metrics;
	double findings, at;

	if (!load_metrics(doctor, &metrics))
		return;
	findings = metric(&metrics, "humanops_ledger_audit_findings", NULL, -1);
	at = metric(&metrics, "humanops_heartbeat_timestamp_seconds", HEARTBEAT_AUDIT, 0);
	if (findings > 0)
		doctor_fail(doctor,
		    "Stop payouts (staff's console), and look at the findings: GET /api/v1/admin/ledger/audit.",
		    "The audit of the ledger found %.0f broken invariants.", findings);
	else if (findings < 0 || (double)now_ms() / 1000 - at > AUDIT_S)
		doctor_warn(doctor, "The sweeper makes it every hour; its log tells why it does not.",
		    "There is no audit of the ledger of the last %d hours.", AUDIT_S / 3600);
	else
		doctor_ok(doctor, "The last audit of the ledger found nothing.");
	talloc_free(metrics.rows);
}

/* Payouts that do not get on; true if there are any. */
static bool
judge_payouts(struct doctor *doctor, const struct metrics *metrics)
{
	double stuck = metric(metrics, "humanops_payouts_open", "stuck", 0);
	double age = metric(metrics, "humanops_payouts_oldest_age_seconds", "reserved", 0);

	if (stuck > 0)
		doctor_fail(doctor, "Staff's console shows what is wrong with each, and can retry or end it.",
		    "%.0f payouts are stuck.", stuck);
	if (age > PAYOUT_S)
		doctor_fail(doctor, "See that a worker has the key that pays, and ETH for gas (check payer).",
		    "A payout waits for %.0f minutes to be signed.", age / 60);
	return stuck > 0 || age > PAYOUT_S;
}

/* What is known of the chain's row; true if something was found. */
static bool
judge_chain(struct doctor *doctor, const struct metrics *metrics)
{
	double now = (double)now_ms() / 1000, difference = metric(metrics, "humanops_reserves_difference_usd", NULL, 0);
	double checked = now - metric(metrics, "humanops_reserves_timestamp_seconds", NULL, 0);
	double scanned = now - metric(metrics, "humanops_chain_scanned_timestamp_seconds", NULL, 0);
	bool is_frozen = metric(metrics, "humanops_payouts_frozen", NULL, 0) > 0;

	if (difference < 0)
		doctor_fail(doctor,
		    "Compare payouts with the chain before anything is paid; see the reserves in staff's console.",
		    "The chain holds %.6f USDC less than the ledger says.", -difference);
	if (is_frozen)
		doctor_fail(doctor, "Find out why (staff's console tells), then end it there.", "Payouts are frozen.");
	if (checked > RESERVES_S)
		doctor_warn(doctor,
		    "The worker does it every half minute, where a server of the chain answers (check rpc).",
		    "Chain and ledger were not compared in the last %d minutes.", RESERVES_S / 60);
	if (scanned > SCAN_S)
		doctor_warn(doctor, "See that a worker runs and that a server of the chain answers (check rpc).",
		    "Deposits were not looked for in the last %d minutes.", SCAN_S / 60);
	return difference < 0 || is_frozen || checked > RESERVES_S || scanned > SCAN_S;
}

void
doctor_reserves(struct doctor *doctor)
{
	struct metrics metrics;
	bool is_found;

	if (!load_metrics(doctor, &metrics))
		return;
	is_found = judge_payouts(doctor, &metrics);
	if (doctor->onchain->chain != NULL)
		is_found |= judge_chain(doctor, &metrics);
	if (doctor->onchain->chain == NULL)
		doctor_skip(doctor, "No server of the chain is set, so there are no reserves to compare.");
	else if (!is_found)
		doctor_ok(doctor, "The chain holds what the ledger says, and payouts go on.");
	talloc_free(metrics.rows);
}
