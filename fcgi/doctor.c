/*
 * doctor: looks an installation over and says what to do.  Meant for people and for monitoring; see usage().
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <talloc.h>
#include "base/config.h"
#include "base/error.h"
#include "base/log.h"
#include "base/now.h"
#include "base/privacy.h"
#include "base/text.h"
#include "doctor/doctor.h"
#include "net/fetch.h"

enum { STATUS_WELL, STATUS_WARNINGS, STATUS_ERRORS, STATUS_USAGE = 64 };

static void
usage(FILE *to)
{
	fputs("usage: doctor [--json] [--offline] [CHECK...]\n"
	      "\n"
	      "Looks over the installation whose settings it reads (HUMANOPS_CONF, or /etc/humanops/humanops.conf), "
	      "and says of\n"
	      "each finding what to do.  Changes nothing.  Makes all checks, or those named:\n"
	      "\n",
	    to);
	for (size_t i = 0; i < doctor_check_count; i++)
		fprintf(to, "  %-12s %s%s\n", doctor_checks[i].name, doctor_checks[i].what,
		    doctor_checks[i].goes_out ? " *" : "");
	fputs("\n"
	      "--json     the findings as JSON: {\"status\": \"ok\", \"warning\" or \"error\", \"findings\": "
	      "[{\"check\", \"level\",\n"
	      "           \"text\", \"advice\"}]}\n"
	      "--offline  without the checks marked *, which call others; guardian asks the model one question, which "
	      "costs\n"
	      "           what a question costs\n"
	      "\n"
	      "Run it as root, or as the user who runs everything: it reads every secret to try it, and prints none.\n"
	      "Exit status: 0 all is well, 1 there are warnings, 2 there are errors or the settings are refused, 64 it "
	      "was\n"
	      "called wrongly.\n",
	    to);
}

static const char *
member(struct json_object *finding, const char *name)
{
	return json_object_get_string(json_object_object_get(finding, name));
}

static void
print_text(struct json_object *findings)
{
	size_t count = json_object_array_length(findings), warnings = 0, errors = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *finding = json_object_array_get_idx(findings, i);
		const char *level = member(finding, "level"), *advice = member(finding, "advice");

		printf("%-8s %-12s %s\n", level, member(finding, "check"), member(finding, "text"));
		if (advice != NULL)
			printf("%-21s > %s\n", "", advice);
		warnings += strcmp(level, "warning") == 0;
		errors += strcmp(level, "error") == 0;
	}
	printf("%zu errors, %zu warnings\n", errors, warnings);
}

static void
print_json(struct json_object *findings, enum doctor_level worst)
{
	struct json_object *answer = json_object_new_object();
	const char *status = worst == DOCTOR_ERROR ? "error" : worst == DOCTOR_WARNING ? "warning" : "ok";

	json_object_object_add(answer, "status", json_object_new_string(status));
	json_object_object_add(answer, "findings", json_object_get(findings));
	puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(answer);
}

static int
print(struct doctor *doctor, bool is_json)
{
	if (is_json)
		print_json(doctor->findings, doctor->worst);
	else
		print_text(doctor->findings);
	return doctor->worst == DOCTOR_ERROR	 ? STATUS_ERRORS
	       : doctor->worst == DOCTOR_WARNING ? STATUS_WARNINGS
						 : STATUS_WELL;
}

/* The service's own time in development, which may run ahead; without the file there is nothing to run ahead. */
static void
open_clock(const struct config *config)
{
	struct error err = { 0 };
	char *path = talloc_asprintf(config, "%s/clock", config->run_dir);

	if (config->is_development && access(path, F_OK) == 0)
		now_open(path, &err);
	error_clear(&err);
	talloc_free(path);
}

static int
refused(bool is_json)
{
	if (is_json)
		puts("{\"status\": \"error\", \"findings\": [{\"check\": \"settings\", \"level\": \"error\", \"text\": "
		     "\"The settings are refused; standard error says which.\", \"advice\": \"Correct them; no program "
		     "starts with them.\"}]}");
	else
		puts("error    settings     The settings are refused, as said above; no program starts with them.");
	return STATUS_ERRORS;
}

static bool
is_check(const char *name)
{
	for (size_t i = 0; i < doctor_check_count; i++) {
		if (strcmp(doctor_checks[i].name, name) == 0)
			return true;
	}
	fprintf(stderr, "doctor: there is no check %s; --help names them\n", name);
	return false;
}

static int
examine(const struct config *config, bool is_offline, bool is_json, char **names)
{
	struct doctor doctor;
	int status;

	open_clock(config);
	if (doctor_begin(&doctor, config)) {
		doctor.is_offline = is_offline;
		for (char **name = names; *name != NULL; name++)
			doctor_run(&doctor, *name);
		if (*names == NULL)
			doctor_run_all(&doctor);
	}
	status = print(&doctor, is_json);
	doctor_end(&doctor);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "offline", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool is_json = false, is_offline = false;
	struct config *config;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		is_json |= option == 'j';
		is_offline |= option == 'o';
		if (option == 'h' || option == '?') {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? STATUS_WELL : STATUS_USAGE;
		}
	}
	for (char **name = argv + optind; *name != NULL; name++) {
		if (!is_check(*name))
			return STATUS_USAGE;
	}
	log_open("doctor");
	fetch_init();
	if (privacy_begin() || (config = config_load(NULL, "doctor")) == NULL)
		return refused(is_json);
	status = examine(config, is_offline, is_json, argv + optind);
	talloc_free(config);
	return status;
}
