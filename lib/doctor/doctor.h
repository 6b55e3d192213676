#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/*
 * What an installation needs to be healthy, looked at from outside: settings, database, chain, services, host.  Each check
 * notes findings; each finding that is not good says what to do.  Nothing is changed but a file that storage is tried
 * with, and no text ever holds a secret.
 */

struct config;
struct db;
struct db_rows;
struct json_object;
struct onchain;

enum doctor_level { DOCTOR_OK, DOCTOR_SKIPPED, DOCTOR_WARNING, DOCTOR_ERROR };

/* What the checks work with, and what they have found. */
struct doctor {
	const struct config *config;
	const struct onchain *onchain;
	struct db *db;
	bool has_database; /* it answers, and has all that this build needs */
	char *problem;	   /* why it does not; talloc'ed on the settings */
	bool is_offline;   /* nobody is called but the database */
	struct error err;  /* of the check at hand */

	const char *check;	      /* its name */
	struct json_object *findings; /* a list of { check, level, text, advice } */
	enum doctor_level worst;
	int log; /* a file in which the log lines of the check at hand lie */
};

struct doctor_check {
	const char *name, *what;
	void (*run)(struct doctor *doctor);
	bool needs_database, goes_out; /* then it is skipped without one, or with is_offline */
};

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* True unless the settings that name the chain's addresses are wrong; then it has noted them. */
bool doctor_begin(struct doctor *doctor, const struct config *config);

/* Makes one check.  False if none has this name. */
bool doctor_run(struct doctor *doctor, const char *name);
void doctor_run_all(struct doctor *doctor);
void doctor_end(struct doctor *doctor);

/* Notes a finding.  advice: what to do, a sentence; it goes with all but OK and SKIPPED. */
void doctor_ok(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor *doctor, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_warn(struct doctor *doctor, const char *advice, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void doctor_fail(struct doctor *doctor, const char *advice, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Why the last call of the check at hand failed, as our own log would have it; "" if it says nothing.  Clears doctor->err.
 * The text lives until the next call.
 */
const char *doctor_reason(struct doctor *doctor);

/* The checks, one function each; see doctor_checks. */
void doctor_settings(struct doctor *doctor);
void doctor_database(struct doctor *doctor);
void doctor_roles(struct doctor *doctor);
void doctor_backup(struct doctor *doctor);
void doctor_cron(struct doctor *doctor);
void doctor_queue(struct doctor *doctor);
void doctor_ledger(struct doctor *doctor);
void doctor_reserves(struct doctor *doctor);
void doctor_rpc(struct doctor *doctor);
void doctor_token(struct doctor *doctor);
void doctor_payer(struct doctor *doctor);
void doctor_issuer(struct doctor *doctor);
void doctor_mail(struct doctor *doctor);
void doctor_storage(struct doctor *doctor);
void doctor_guardian(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);
void doctor_certificate(struct doctor *doctor);
void doctor_disk(struct doctor *doctor);
void doctor_secrets(struct doctor *doctor);

#endif
