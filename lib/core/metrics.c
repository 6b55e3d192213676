/*
 * What monitoring reads; see metrics.h.  How the database comes to its values is sql/functions/metrics.sql's, what the
 * programs count is base/counts.def's; here are the names and sentences of all that is no counter.  Names end in their
 * unit, times are seconds since 1970; those of amounts are dollars.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <talloc.h>
#include "base/count.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "base/text.h"
#include "core/metrics.h"
#include "core/onchain.h"

enum { PATH_SIZE = 300, NAME_SIZE = 32 };

/* metric, the name of its label (NULL: none), sentence.  The values come from metrics_everywhere. */
static const struct gauge {
	const char *metric, *label, *help;
} gauges[] = {
	{ "humanops_schema_version", NULL, "The newest migration that the database has had." },
	{ "humanops_heartbeat_timestamp_seconds", "name",
	    "When the sweeper last did all of its work, a worker last looked for jobs, the ledger's audit last "
	    "ended." },
	{ "humanops_ledger_audit_findings", NULL, "Invariants that the last audit of the ledger found broken." },
	{ "humanops_queue_jobs", "kind", "Jobs that are due and in no worker's hands; of more than 10,000 the first." },
	{ "humanops_queue_oldest_age_seconds", "kind", "For how long the longest overdue job has been due." },
	{ "humanops_queue_dead_jobs", "kind", "Jobs that were given up; kept for 30 days." },
	{ "humanops_webhook_deliveries_failed", NULL, "Webhooks of the last four days that were given up." },
	{ "humanops_usdc_deposits_open", "status", "USDC deposits that wait for confirmations, or are not final yet." },
	{ "humanops_usdc_deposits_open_usd", "status", "What they come to." },
	{ "humanops_usdc_deposits_oldest_age_seconds", "status", "Since when the oldest of them is known." },
	{ "humanops_payouts_open", "state", "Payouts that have not ended; stuck: staff has to look." },
	{ "humanops_payouts_open_usd", "state", "The money in flight for them." },
	{ "humanops_payouts_oldest_age_seconds", "state", "The age of the oldest of them." },
	{ "humanops_payouts_frozen", "chain", "1: nobody is paid until staff has looked." },
	{ "humanops_chain_head_block", "chain", "The newest block when the chain was last searched for deposits." },
	{ "humanops_chain_scanned_block", "chain", "The block up to which it was searched." },
	{ "humanops_chain_scanned_timestamp_seconds", "chain", "When that search last came further." },
	{ "humanops_chain_quoted_timestamp_seconds", "chain", "When the price of sending was last asked for." },
	{ "humanops_reserves_difference_usd", "chain",
	    "USDC on the chain less what the ledger says that we hold; below zero money is missing." },
	{ "humanops_reserves_timestamp_seconds", "chain", "When that was last compared." },
};

/* As the kernel names our processes; it keeps 15 characters. */
static const char *const programs[] = { "agents.fcgi", "tasks.fcgi", "operator.fcgi", "webhooks.fcgi", "admin.fcgi",
	"mcp.fcgi", "worker", "sweeper", "imager" };

/* Of all processes of one program. */
struct usage {
	int count;
	int64_t pages;
};

static void
print_head(FILE *out, const char *metric, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", metric, help, metric);
}

/* --- The database --- */

static void
print_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "{%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputs("\"}", out);
}

static void
print_gauge(FILE *out, const struct gauge *gauge, struct db_rows *rows)
{
	bool has_head = false;

	for (size_t i = 0; i < db_count(rows); i++) {
		const char *label = db_text(rows, i, "label");

		if (strcmp(db_text(rows, i, "metric"), gauge->metric) != 0)
			continue;
		if (!has_head)
			print_head(out, gauge->metric, gauge->help);
		has_head = true;
		fputs(gauge->metric, out);
		if (gauge->label != NULL && label != NULL)
			print_label(out, gauge->label, label);
		fprintf(out, " %s\n", db_text(rows, i, "value"));
	}
}

static void
print_database(FILE *out, struct db *db, const struct onchain *onchain)
{
	struct error err = { 0 };
	struct db_rows *rows = db_call_everywhere(db, NULL, &err, "metrics_everywhere",
	    DB_ARGS(onchain->chain != NULL ? DB_INT(onchain->chain_id) : DB_NONE, DB_TIME(now_ms())));

	error_clear(&err);
	print_head(out, "humanops_database_up", "1: the database has answered.");
	fprintf(out, "humanops_database_up %d\n", rows != NULL);
	for (size_t i = 0; rows != NULL && i < nitems(gauges); i++)
		print_gauge(out, &gauges[i], rows);
	talloc_free(rows);
}

/* --- Processes --- */

/* The first line of /proc/PID/FILE; false if the process has gone. */
static bool
read_line(const char *pid, const char *file, char *line, int size)
{
	char path[PATH_SIZE];
	FILE *in;
	bool has_line;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	in = fopen(path, "re");
	if (in == NULL)
		return false;
	has_line = fgets(line, size, in) != NULL;
	fclose(in);
	if (has_line)
		line[strcspn(line, "\n")] = '\0';
	return has_line;
}

/* The folder that a process was started from; false if its command line does not tell.  Its exe is nobody's to look at. */
static bool
read_folder(const char *pid, char folder[PATH_SIZE])
{
	if (!read_line(pid, "cmdline", folder, PATH_SIZE) || folder[0] != '/')
		return false;
	*strrchr(folder, '/') = '\0';
	return true;
}

/*
 * Of this installation: started from our own folder, by whatever user, as each program may have one of its own.  Where a command
 * line does not tell, our own user's.
 */
static bool
is_ours(const char *pid)
{
	char path[PATH_SIZE], ours[PATH_SIZE], theirs[PATH_SIZE];
	struct stat st;

	if (read_folder("self", ours) && read_folder(pid, theirs))
		return strcmp(ours, theirs) == 0;
	snprintf(path, sizeof(path), "/proc/%s", pid);
	return stat(path, &st) == 0 && st.st_uid == geteuid();
}

/* The second number of statm is what lies in memory, in pages. */
static void
add_process(const char *pid, struct usage usage[nitems(programs)])
{
	char line[PATH_SIZE], *end;

	if (!read_line(pid, "comm", line, NAME_SIZE))
		return;
	for (size_t i = 0; i < nitems(programs); i++) {
		if (strcmp(line, programs[i]) != 0 || !is_ours(pid) || !read_line(pid, "statm", line, sizeof(line)))
			continue;
		strtoll(line, &end, 10);
		usage[i].pages += strtoll(end, NULL, 10);
		usage[i].count++;
		return;
	}
}

static void
print_usage(FILE *out, const struct usage usage[nitems(programs)])
{
	print_head(out, "humanops_processes", "Processes of a program, its supervisor among them.");
	for (size_t i = 0; i < nitems(programs); i++)
		fprintf(out, "humanops_processes{program=\"%.*s\"} %d\n", (int)strcspn(programs[i], "."), programs[i],
		    usage[i].count);
	print_head(out, "humanops_resident_memory_bytes",
	    "Memory that a program's processes take; what several share counts for each.");
	for (size_t i = 0; i < nitems(programs); i++)
		fprintf(out, "humanops_resident_memory_bytes{program=\"%.*s\"} %" PRId64 "\n",
		    (int)strcspn(programs[i], "."), programs[i], usage[i].pages * sysconf(_SC_PAGESIZE));
}

/* Where the host hides other users' processes, those of our own user are all there are. */
static void
print_processes(FILE *out)
{
	struct usage usage[nitems(programs)] = { { 0 } };
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (proc == NULL)
		return;
	while ((entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			add_process(entry->d_name, usage);
	closedir(proc);
	print_usage(out, usage);
}

void
metrics_print(FILE *out, struct db *db, const struct onchain *onchain)
{
	print_head(out, "humanops_build_info", "1; the program that answers.");
	fprintf(out, "humanops_build_info{version=\"%s\"} 1\n", HUMANOPS_VERSION);
	print_database(out, db, onchain);
	print_processes(out);
	count_print(out);
}
