/* The list of checks, their run, and their findings; what each looks at stands in its own file beside this one. */
#include "doctor/doctor.h"

#include <assert.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>
#include <talloc.h>

#include "base/config.h"
#include "base/db.h"
#include "base/log.h"
#include "base/text.h"
#include "core/onchain.h"

enum { TEXT_MAX = 600, LOG_MAX = 16 * 1024 };

/* In the order in which one would look: what a later one needs was looked at before. */
const struct doctor_check doctor_checks[] = {
	{ "settings", "what is set, and what is left out", doctor_settings, false, false },
	{ "database", "it answers and has every migration", doctor_database, false, false },
	{ "roles", "the programs' roles can do no more than they must", doctor_roles, true, false },
	{ "backup", "WAL is archived", doctor_backup, true, false },
	{ "cron", "sweeper and worker are alive", doctor_cron, true, false },
	{ "queue", "jobs are done in time, and none was given up", doctor_queue, true, false },
	{ "ledger", "the last audit found nothing", doctor_ledger, true, false },
	{ "reserves", "the chain holds what the ledger says; payouts go on", doctor_reserves, true, false },
	{ "rpc", "the servers of the chain: chain id, newest block", doctor_rpc, false, true },
	{ "token", "the USDC contract and the deposit address", doctor_token, false, true },
	{ "payer", "the key that pays, and its ETH for gas", doctor_payer, false, true },
	{ "issuer", "the key set that operators' tokens are checked with", doctor_issuer, false, true },
	{ "mail", "the mail server: connection, TLS, login", doctor_mail, false, true },
	{ "storage", "a proof file can be written, read and deleted", doctor_storage, false, false },
	{ "guardian", "the model answers in the agreed form", doctor_guardian, false, true },
	{ "clock", "against the database and the issuer", doctor_clock, false, false },
	{ "certificate", "of PUBLIC_BASE_URL: trusted, and for how long", doctor_certificate, false, true },
	{ "disk", "room where the service writes", doctor_disk, false, false },
	{ "secrets", "who may read the settings and the files they name", doctor_secrets, false, false },
};
const size_t doctor_check_count = nitems(doctor_checks);

static const char *const level_names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_SKIPPED] = "skipped",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_ERROR] = "error",
};

/* What others said may hold what a terminal obeys: C0, DEL and C1. */
static void
clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
}

static void note(struct doctor *doctor, enum doctor_level level, const char *advice, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void
note(struct doctor *doctor, enum doctor_level level, const char *advice, const char *fmt, va_list ap)
{
	struct json_object *finding = json_object_new_object();
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	clean(text);
	json_object_object_add(finding, "check", json_object_new_string(doctor->check));
	json_object_object_add(finding, "level", json_object_new_string(level_names[level]));
	json_object_object_add(finding, "text", json_object_new_string(text));
	json_object_object_add(finding, "advice", advice == NULL ? NULL : json_object_new_string(advice));
	json_object_array_add(doctor->findings, finding);
	if (level > doctor->worst)
		doctor->worst = level;
}

void
doctor_ok(struct doctor *doctor, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(doctor, DOCTOR_OK, NULL, fmt, ap);
	va_end(ap);
}

void
doctor_skip(struct doctor *doctor, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(doctor, DOCTOR_SKIPPED, NULL, fmt, ap);
	va_end(ap);
}

void
doctor_warn(struct doctor *doctor, const char *advice, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(doctor, DOCTOR_WARNING, advice, fmt, ap);
	va_end(ap);
}

void
doctor_fail(struct doctor *doctor, const char *advice, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(doctor, DOCTOR_ERROR, advice, fmt, ap);
	va_end(ap);
}

/* The text of a log line; false if it has none. */
static bool
read_line(const char *line, size_t len, char *out, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object, *text = NULL;
	bool has_text;

	assert(tokener != NULL);
	object = json_tokener_parse_ex(tokener, line, (int)len);
	has_text = json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, "text", &text) &&
		   text != NULL;
	if (has_text)
		snprintf(out, size, "%s", json_object_get_string(text));
	json_object_put(object);
	json_tokener_free(tokener);
	return has_text;
}

const char *
doctor_reason(struct doctor *doctor)
{
	static char reason[TEXT_MAX];
	char lines[LOG_MAX];
	ssize_t len = pread(doctor->log, lines, sizeof(lines) - 1, 0);

	reason[0] = '\0';
	if (doctor->err.code != ERR_none)
		snprintf(reason, sizeof(reason), "%s", error_text(doctor->err.code));
	lines[len > 0 ? len : 0] = '\0';
	for (char *line = lines, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		read_line(line, (size_t)(end - line), reason, sizeof(reason)); /* the last one that says something */
	error_clear(&doctor->err);
	return reason;
}

/* What was logged in one check is no reason in the next. */
static void
forget_log(struct doctor *doctor)
{
	int rc = ftruncate(doctor->log, 0);

	assert(rc == 0 && lseek(doctor->log, 0, SEEK_SET) == 0);
	error_clear(&doctor->err);
}

static void
run(struct doctor *doctor, const struct doctor_check *check)
{
	doctor->check = check->name;
	forget_log(doctor);
	if (check->goes_out && doctor->is_offline)
		doctor_skip(doctor, "Not looked at: --offline.");
	else if (check->needs_database && !doctor->has_database)
		doctor_skip(doctor, "Not looked at: the database is not there.");
	else
		check->run(doctor);
}

/* Connects, and notes why that is of no use. */
static void
connect_database(struct doctor *doctor)
{
	talloc_free(doctor->db);
	doctor->db = db_open(doctor->config, doctor->config->database_url, doctor->config->database_guard);
	forget_log(doctor);
	doctor->has_database = db_ready(doctor->db, &doctor->err) == 0;
	talloc_free(doctor->problem);
	doctor->problem = doctor->has_database ? NULL : talloc_strdup(doctor->config, doctor_reason(doctor));
}

/*
 * Whether the database is there must be known, whichever checks are asked for.  Where PostgreSQL believes the kernel who comes
 * (peer), root has no role: then it comes as the system user that has the doctor's, and the connection stays.
 */
static void
find_database(struct doctor *doctor)
{
	const struct passwd *user = getpwnam("humanops_doctor");

	connect_database(doctor);
	if (doctor->has_database || user == NULL || geteuid() != 0 || seteuid(user->pw_uid) != 0)
		return;
	connect_database(doctor);
	if (seteuid(0) != 0)
		abort();
}

bool
doctor_begin(struct doctor *doctor, const struct config *config)
{
	*doctor = (struct doctor){ .config = config, .check = "settings", .findings = json_object_new_array() };
	doctor->log = memfd_create("log", MFD_CLOEXEC);
	assert(doctor->log >= 0);
	if (!onchain_check(config)) {
		doctor_fail(doctor, "Copy the address anew from where it comes from.",
		    "An address of the chain has a wrong checksum (EIP-55); standard error says which.");
		return false;
	}
	log_divert(doctor->log);
	doctor->onchain = onchain_open(config, config);
	find_database(doctor);
	return true;
}

bool
doctor_run(struct doctor *doctor, const char *name)
{
	for (size_t i = 0; i < doctor_check_count; i++) {
		if (strcmp(doctor_checks[i].name, name) != 0)
			continue;
		run(doctor, &doctor_checks[i]);
		return true;
	}
	return false;
}

void
doctor_run_all(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor_check_count; i++)
		run(doctor, &doctor_checks[i]);
}

void
doctor_end(struct doctor *doctor)
{
	log_divert(STDERR_FILENO);
	close(doctor->log);
	error_clear(&doctor->err);
	talloc_free(doctor->db);
	json_object_put(doctor->findings);
}
