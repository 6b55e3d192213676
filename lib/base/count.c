/*
 * Counters in a mapped file: a hash table of series that only ever grows.  A series is claimed by swapping its tag into a free
 * place.  Whoever finds it not yet described describes it, as all of them write the same; so one that was killed in between
 * leaves nothing half done.  What is counted, and under which labels, is counts.def's and the callers'.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <talloc.h>
#include "base/count.h"
#include "base/mapped.h"
#include "base/text.h"

enum { SERIES = 4096, LABELS_MAX = 128, VALUES = 14, TRIES = 64, MS_IN_SECOND = 1000 };

/* One set of labels.  A counter has one value; a histogram the number in each bucket, and the sum of milliseconds last. */
struct series {
	_Atomic uint64_t tag; /* 0: free */
	_Atomic uint32_t is_described;
	uint32_t name;
	char labels[LABELS_MAX];
	_Atomic uint64_t values[VALUES];
};

/* The file.  Another layout needs another mark; another counts.def has another file by itself. */
struct count_table {
	struct mapped_head head;
	_Atomic uint64_t lost; /* counts that found no room */
	uint64_t rest[7];
	struct series series[SERIES];
};

#define MARK "HumanOps-cnt-1"

/* Upper ends of a histogram's buckets, milliseconds; one more takes the rest. */
static const int64_t bounds_ms[] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 };

_Static_assert(nitems(bounds_ms) + 2 == VALUES, "a bucket for what lies beyond, and the sum");

static const struct {
	const char *metric;
	bool is_histogram;
	const char *labels; /* names, with commas */
	const char *help;
} counts[] = {
#define COUNTER false
#define HISTOGRAM true
#define COUNT(name, metric, type, labels, help) { metric, type, labels, help },
#include "base/counts.def"
#undef COUNT
#undef COUNTER
#undef HISTOGRAM
};

/* Of this process, from count_open on. */
static struct count_table *table;
static const char *program;

/* FNV-1a, 64 bits; nobody but us chooses what goes in. */
static uint64_t
hash_more(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	while (*text++ != '\0');
	return hash;
}

static uint64_t
hash_first(uint64_t number)
{
	return (UINT64_C(14695981039346656037) ^ number) * UINT64_C(1099511628211);
}

/* Programs of another version, which run beside ours during an upgrade, count other things or in another order. */
static uint64_t
version(void)
{
	uint64_t hash = hash_first(VALUES);

	for (size_t i = 0; i < nitems(counts); i++)
		hash = hash_more(hash_more(hash, counts[i].metric), counts[i].labels);
	return hash;
}

int
count_open(const char *folder, const char *name, struct error *err)
{
	char *path = talloc_asprintf(NULL, "%s/counters-%08" PRIx32, folder, (uint32_t)(version() >> 32));
	struct count_table *opened = mapped_open(path, MARK, sizeof *opened, err);

	talloc_free(path);
	if (opened == NULL)
		return -1;
	count_close();
	table = opened;
	program = name;
	return 0;
}

void
count_close(void)
{
	mapped_close(table, sizeof *table);
	table = NULL;
}

/* --- Series --- */

/* Adds `name="value"` to the text at *end; a text that is too long is a bug. */
static void
add_label(char *text, size_t *end, const char *name, size_t name_len, const char *value)
{
	int len =
	    snprintf(text + *end, LABELS_MAX - *end, "%s%.*s=\"%s\"", *end == 0 ? "" : ",", (int)name_len, name, value);

	assert(len > 0 && *end + (size_t)len < LABELS_MAX && strpbrk(value, "\"\\\n") == NULL);
	*end += (size_t)len;
}

static void
print_labels(enum count_name name, const char *const *values, char text[LABELS_MAX])
{
	const char *names = counts[name].labels;
	size_t end = 0;

	memset(text, 0, LABELS_MAX);
	add_label(text, &end, "program", strlen("program"), program);
	for (size_t i = 0; *names != '\0'; i++) {
		size_t len = strcspn(names, ",");

		add_label(text, &end, names, len, values[i]);
		names += len;
		names += *names == ',';
	}
}

/* Of the values alone: the text is only printed for a series that has none yet. */
static uint64_t
hash_labels(enum count_name name, const char *const *values)
{
	uint64_t hash = hash_more(hash_first(name), program);
	const char *names = counts[name].labels;

	for (size_t i = 0; *names != '\0'; i++) {
		hash = hash_more(hash, values[i]);
		names += strcspn(names, ",");
		names += *names == ',';
	}
	return hash != 0 ? hash : 1;
}

static void
describe(struct series *series, enum count_name name, const char *const *values)
{
	char labels[LABELS_MAX];

	print_labels(name, values, labels);
	series->name = name;
	memcpy(series->labels, labels, LABELS_MAX);
	atomic_store(&series->is_described, 1);
}

/* The series of these labels, made if there is none; NULL if there is no room near its place. */
static struct series *
find_series(enum count_name name, const char *const *values)
{
	uint64_t tag = hash_labels(name, values);

	for (uint64_t i = 0; i < TRIES; i++) {
		struct series *series = &table->series[(tag + i) % SERIES];
		uint64_t old = atomic_load(&series->tag);

		if (old == 0 && atomic_compare_exchange_strong(&series->tag, &old, tag))
			old = tag;
		if (old != tag)
			continue;
		if (atomic_load(&series->is_described) == 0)
			describe(series, name, values);
		return series;
	}
	atomic_fetch_add(&table->lost, 1);
	return NULL;
}

void
count_add(enum count_name name, uint64_t n, const char *const *labels)
{
	struct series *series;

	assert(!counts[name].is_histogram);
	if (table != NULL && (series = find_series(name, labels)) != NULL)
		atomic_fetch_add(&series->values[0], n);
}

void
count_time(enum count_name name, int64_t ms, const char *const *labels)
{
	struct series *series;
	size_t bucket = 0;

	assert(counts[name].is_histogram);
	if (table == NULL || (series = find_series(name, labels)) == NULL)
		return;
	while (bucket < nitems(bounds_ms) && ms > bounds_ms[bucket])
		bucket++;
	atomic_fetch_add(&series->values[VALUES - 1], (uint64_t)(ms > 0 ? ms : 0));
	atomic_fetch_add(&series->values[bucket], 1);
}

/* --- The answer --- */

static void
print_seconds(FILE *out, uint64_t ms)
{
	fprintf(out, "%" PRIu64 ".%03u", ms / MS_IN_SECOND, (unsigned)(ms % MS_IN_SECOND));
}

static void
print_histogram(FILE *out, const char *metric, const struct series *series)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= nitems(bounds_ms); i++) {
		count += atomic_load(&series->values[i]);
		fprintf(out, "%s_bucket{%s,le=\"", metric, series->labels);
		if (i < nitems(bounds_ms))
			fprintf(out, "%g", (double)bounds_ms[i] / MS_IN_SECOND);
		else
			fputs("+Inf", out);
		fprintf(out, "\"} %" PRIu64 "\n", count);
	}
	fprintf(out, "%s_sum{%s} ", metric, series->labels);
	print_seconds(out, atomic_load(&series->values[VALUES - 1]));
	fprintf(out, "\n%s_count{%s} %" PRIu64 "\n", metric, series->labels, count);
}

void
count_print(FILE *out)
{
	for (size_t name = 0; table != NULL && name < nitems(counts); name++) {
		const char *metric = counts[name].metric;

		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric, counts[name].help, metric,
		    counts[name].is_histogram ? "histogram" : "counter");
		for (size_t i = 0; i < SERIES; i++) {
			const struct series *series = &table->series[i];

			if (atomic_load(&series->is_described) == 0 || series->name != name)
				continue;
			if (counts[name].is_histogram)
				print_histogram(out, metric, series);
			else
				fprintf(out, "%s{%s} %" PRIu64 "\n", metric, series->labels,
				    atomic_load(&series->values[0]));
		}
	}
	if (table != NULL)
		fprintf(out,
		    "# HELP humanops_counts_lost_total Counts for which there was no room.\n"
		    "# TYPE humanops_counts_lost_total counter\nhumanops_counts_lost_total %" PRIu64 "\n",
		    atomic_load(&table->lost));
}
