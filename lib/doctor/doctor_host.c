/* This machine: its clock, its certificate, its disks, and who may read its secrets. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <talloc.h>

#include "base/config.h"
#include "base/db.h"
#include "base/text.h"
#include "doctor/doctor.h"
#include "net/certificate.h"
#include "net/fetch.h"

enum {
	CLOCK_OFF_S = 2, /* from here on a warning; others' tokens have a leeway of seconds */
	CLOCK_WRONG_S = 30,
	DATE_OFF_S = 5, /* an HTTP date is cut to the second, and old by its way */
	CALL_MS = 5000,
	CERTIFICATE_SOON_D = 21, /* certbot renews at 30 days */
	CERTIFICATE_LATE_D = 7,
	DAY_S = 86400,
	ROOM_LOW_MB = 1024,
	ROOM_LOW_PERCENT = 5,
	ROOM_NONE_MB = 200,
	LINE_SIZE = 4096,
};

static const char clock_advice[] = "Let NTP set the clock of this machine and of the other (timedatectl, chrony).";

/* Real time, with its fraction. */
static double
clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
judge_skew(struct doctor *doctor, const char *whose, double skew, int off)
{
	if (fabs(skew) >= CLOCK_WRONG_S)
		doctor_fail(doctor, clock_advice, "This machine's clock is %.0f seconds %s that of %s.", fabs(skew),
		    skew > 0 ? "ahead of" : "behind", whose);
	else if (fabs(skew) >= off)
		doctor_warn(doctor, clock_advice, "This machine's clock is %.1f seconds %s that of %s.", fabs(skew),
		    skew > 0 ? "ahead of" : "behind", whose);
	else
		doctor_ok(doctor, "This machine's clock agrees with that of %s.", whose);
}

static void
compare_database(struct doctor *doctor)
{
	double before = clock_s(), after;
	struct db_rows *rows =
	    db_call_everywhere(doctor->db, doctor->config, &doctor->err, "doctor_everywhere", NULL, 0);

	if (rows == NULL) {
		doctor_fail(doctor, "Run migrate of this version.", "The database does not tell its time: %s",
		    doctor_reason(doctor));
		return;
	}
	after = clock_s();
	for (size_t i = 0; i < db_count(rows); i++) {
		double told = strtod(db_text(rows, i, "value"), NULL);

		if (strcmp(db_text(rows, i, "what"), "clock") != 0)
			continue;
		/* Asked between before and after: what lies there is no skew. */
		judge_skew(doctor, "the database",
		    told < before  ? before - told
		    : told > after ? after - told
				   : 0,
		    CLOCK_OFF_S);
	}
	talloc_free(rows);
}

/* The issuer's tokens are judged by its clock and ours. */
static void
compare_issuer(struct doctor *doctor)
{
	struct fetch fetch = { .method = "GET",
		.url = doctor->config->operator_jwks_url,
		.timeout_ms = CALL_MS,
		.answer_max = LINE_SIZE,
		.flags = FETCH_ALLOW_PRIVATE | (doctor->config->is_development ? FETCH_ALLOW_HTTP : 0U) };
	struct fetch_answer answer;

	fetch_run(doctor->config, &fetch, &answer);
	if (answer.status == 0 || answer.date_s == 0)
		doctor_skip(doctor, "The issuer tells no time.");
	else
		judge_skew(doctor, "the issuer", floor(clock_s()) - (double)answer.date_s, DATE_OFF_S);
}

void
doctor_clock(struct doctor *doctor)
{
	if (doctor->has_database)
		compare_database(doctor);
	if (!doctor->is_offline && doctor->config->operator_jwks_url != NULL)
		compare_issuer(doctor);
	else if (!doctor->has_database)
		doctor_skip(doctor, "There is nobody to compare with.");
}

void
doctor_certificate(struct doctor *doctor)
{
	static const char renew[] =
	    "Renew it and reload nginx; with certbot see 'certbot renew --dry-run' and its timer.";
	const char *url = doctor->config->public_base_url;
	struct certificate certificate;
	int64_t days;

	if (strncmp(url, "https://", 8) != 0) {
		doctor_skip(doctor, "%s has none.", url);
		return;
	}
	if (certificate_ask(url, CALL_MS, &certificate) != 0) {
		doctor_fail(doctor, "See that nginx runs, and that this machine reaches its own public name.",
		    "%s: %s.", url, certificate.problem);
		return;
	}
	days = (certificate.expires_s - (int64_t)time(NULL)) / DAY_S;
	if (certificate.expires_s <= (int64_t)time(NULL))
		doctor_fail(doctor, renew, "The certificate of %s has expired.", url);
	else if (days < CERTIFICATE_LATE_D)
		doctor_fail(doctor, renew, "The certificate of %s expires in %" PRId64 " days.", url, days);
	else if (days < CERTIFICATE_SOON_D)
		doctor_warn(doctor, renew, "The certificate of %s expires in %" PRId64 " days.", url, days);
	else if (!certificate.is_trusted && !doctor->config->is_development)
		doctor_fail(doctor, "Get one from a public authority (docs/install.md), with its whole chain.",
		    "The certificate of %s is not trusted.", url);
	else
		doctor_ok(doctor, "The certificate of %s is good for %" PRId64 " days%s.", url, days,
		    certificate.is_trusted ? "" : ", though signed by itself");
}

/* The nearest folder that is there: it is where what is missing would be made. */
static int
room_at(const char *folder, struct statvfs *room)
{
	char *path = talloc_strdup(NULL, folder), *slash;
	int rc;

	while (
	    (rc = statvfs(path, room)) != 0 && errno == ENOENT && (slash = strrchr(path, '/')) != NULL && slash != path)
		*slash = '\0';
	talloc_free(path);
	return rc;
}

static void
judge_room(struct doctor *doctor, const char *what, const char *folder)
{
	static const char advice[] = "Make room: logs, old backups, or a larger disk.";
	struct statvfs room;
	double megabytes, percent, files;

	if (room_at(folder, &room) != 0) {
		doctor_skip(doctor, "%s (%s) cannot be looked at: %s.", folder, what, strerror(errno));
		return;
	}
	megabytes = (double)room.f_bavail * (double)room.f_frsize / (1 << 20);
	percent = room.f_blocks > 0 ? 100.0 * (double)room.f_bavail / (double)room.f_blocks : 100;
	files = room.f_files > 0 ? 100.0 * (double)room.f_favail / (double)room.f_files : 100; /* some count none */
	if (megabytes < ROOM_NONE_MB || files < 1)
		doctor_fail(doctor, advice, "%s (%s) has %.0f MiB and %.0f %% of its files left.", folder, what,
		    megabytes, files);
	else if (megabytes < ROOM_LOW_MB || percent < ROOM_LOW_PERCENT || files < ROOM_LOW_PERCENT)
		doctor_warn(doctor, advice, "%s (%s) has %.0f MiB (%.0f %%) and %.0f %% of its files left.", folder,
		    what, megabytes, percent, files);
	else
		doctor_ok(doctor, "%s (%s) has %.0f GiB left.", folder, what, megabytes / 1024);
}

void
doctor_disk(struct doctor *doctor)
{
	judge_room(doctor, "state", doctor->config->state_dir);
	if (doctor->config->r2_endpoint == NULL)
		judge_room(doctor, "proof files", doctor->config->upload_dir);
}

/* Who may read a file with secrets; true if nobody may who should not. */
static bool
judge_file(struct doctor *doctor, const char *path, const char *what)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		doctor_fail(
		    doctor, "Put it there, or correct the setting.", "%s (%s): %s.", path, what, strerror(errno));
		return false;
	}
	if (st.st_mode & (S_IRWXO | S_IWGRP)) {
		doctor_fail(doctor, "chmod o=,g-w; then take the secrets in it for known, and change them.",
		    "%s (%s) has mode %04o: others than those who need it can read or change it.", path, what,
		    (unsigned)(st.st_mode & 07777));
		return false;
	}
	return true;
}

/* A line NAME_FILE=path, of the file or the environment. */
static bool
judge_line(struct doctor *doctor, const char *line)
{
	static const char suffix[] = "_FILE";
	size_t name = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), len = sizeof(suffix) - 1;
	char what[64], path[LINE_SIZE];

	if (line[name] != '=' || name <= len || name >= sizeof(what) || strncmp(line + name - len, suffix, len) != 0)
		return true;
	snprintf(what, sizeof(what), "%.*s", (int)name, line);
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(line + name + 1, " \t\r\n"), line + name + 1);
	return path[0] == '\0' || judge_file(doctor, path, what);
}

static bool
judge_lines(struct doctor *doctor, const char *conf)
{
	FILE *file = fopen(conf, "re");
	char line[LINE_SIZE];
	bool is_good = true;

	if (file == NULL)
		return true; /* config_load has read it, or there is none */
	while (fgets(line, sizeof(line), file) != NULL)
		is_good &= judge_line(doctor, line + strspn(line, " \t"));
	fclose(file);
	return is_good;
}

void
doctor_secrets(struct doctor *doctor)
{
	const char *conf = getenv("HUMANOPS_CONF");
	bool is_good = true;

	if (conf == NULL || *conf == '\0')
		conf = "/etc/humanops/humanops.conf";
	if (access(conf, F_OK) == 0)
		is_good = judge_file(doctor, conf, "settings") && judge_lines(doctor, conf);
	else
		doctor_skip(doctor, "There is no %s: the settings are the environment's.", conf);
	if (doctor->config->payout_key_file != NULL)
		is_good &= judge_file(doctor, doctor->config->payout_key_file, "the key that pays");
	if (is_good)
		doctor_ok(doctor, "Nobody but those who need them can read the settings and the files that they name.");
}
