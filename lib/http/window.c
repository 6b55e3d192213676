/*
 * Rate windows in a mapped file: a set-associative table of counters, changed by compare-and-swap alone.  It
 * keeps no lock that a killed program could hold.  Which limit holds for a call, and what a refused caller is
 * told, is serve.c's.
 *
 * An entry is two words: a tag that stands for address, path and length of the window, and a value of end |
 * check | count. An entry changes hands by a swap of its tag alone.  The new owner recognises what the old
 * one left in the value by the check, 12 bits of the tag, and begins anew; so nobody inherits another's count
 * (but in one eviction of 4,096), and two programs that find the same entry at once count in turn.  Where two
 * programs make an entry of the same tag in the moment in which a third frees a slot before it, one request
 * may go uncounted.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include "base/crypto.h"
#include "base/mapped.h"
#include "base/text.h"
#include "http/window.h"

enum { WAYS = 8, SETS = 16384, DAY_S = 86400 };

/* value: 36 bits of end (seconds since 1970, to the year 4147), 12 of check, 16 of count. */
enum { COUNT_BITS = 16, CHECK_BITS = 12, COUNT_MAX = (1 << COUNT_BITS) - 1 };

struct entry {
	_Atomic uint64_t tag; /* 0: free */
	_Atomic uint64_t value;
};

/* The file.  Another layout needs another mark. */
struct window_table {
	struct mapped_head head;
	struct entry sets[SETS][WAYS];
};

static uint64_t
pack(int64_t end, uint64_t tag, uint64_t count)
{
	return (uint64_t)end << (CHECK_BITS + COUNT_BITS) | (tag >> (64 - CHECK_BITS)) << COUNT_BITS | count;
}

static int64_t
end_of(uint64_t value)
{
	return (int64_t)(value >> (CHECK_BITS + COUNT_BITS));
}

static uint64_t
check_of(uint64_t value)
{
	return value >> COUNT_BITS & ((1 << CHECK_BITS) - 1);
}

static int
count_of(uint64_t value)
{
	return (int)(value & COUNT_MAX);
}

struct window_table *
window_open(const char *path, struct error *err)
{
	return mapped_open(path, "HumanOps-rate-1", sizeof(struct window_table), err);
}

void
window_close(struct window_table *table)
{
	mapped_close(table, sizeof *table);
}

/* --- Counting --- */

/* What an address counts as: an IPv6 address as its /64 network, anything else as it is. */
static void
network(const char *address, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr six;

	if (inet_pton(AF_INET6, address, &six) != 1) {
		snprintf(out, INET6_ADDRSTRLEN, "%s", address);
	} else if (IN6_IS_ADDR_V4MAPPED(&six)) {
		inet_ntop(AF_INET, &six.s6_addr[12], out, INET6_ADDRSTRLEN);
	} else {
		memset(&six.s6_addr[8], 0, 8);
		inet_ntop(AF_INET6, &six, out, INET6_ADDRSTRLEN);
	}
}

static struct entry *
find_set(struct window_table *table, const char *address, const char *path, int seconds, uint64_t *tag)
{
	char net[INET6_ADDRSTRLEN], *text;
	uint8_t hash[SHA256_SIZE];
	uint64_t set;

	network(address, net);
	text = talloc_asprintf(NULL, "%d %s %s", seconds, net, path);
	assert(text != NULL);
	crypto_hmac_sha256(table->head.key, sizeof table->head.key, text, strlen(text), hash);
	talloc_free(text);
	memcpy(tag, hash, sizeof *tag);
	memcpy(&set, hash + sizeof *tag, sizeof set);
	if (*tag == 0)
		*tag = 1;
	return table->sets[set % SETS];
}

/* Over, or so far ahead that the clock must have been set back since. */
static bool
is_over(uint64_t value, int64_t now_s)
{
	return end_of(value) <= now_s || end_of(value) > now_s + 2 * DAY_S;
}

/* The entry that a new tag takes: a free one, else one that is over, else the least used.  All programs
 * choose alike. */
static struct entry *
choose(struct entry *set, int64_t now_s)
{
	struct entry *best = NULL;
	int best_rank = 0;

	for (int i = 0; i < WAYS; i++) {
		uint64_t value = atomic_load(&set[i].value);
		int rank = count_of(value) + 2;

		if (atomic_load(&set[i].tag) == 0)
			rank = 0;
		else if (is_over(value, now_s))
			rank = 1;
		if (best == NULL || rank < best_rank) {
			best = &set[i];
			best_rank = rank;
		}
	}
	return best;
}

/* The entry of the tag, made if there is none.  Another program may take it away again at any time. */
static struct entry *
claim(struct entry *set, uint64_t tag, int64_t now_s)
{
	for (;;) {
		struct entry *victim;
		uint64_t old;

		for (int i = 0; i < WAYS; i++) {
			if (atomic_load(&set[i].tag) == tag)
				return &set[i];
		}
		victim = choose(set, now_s);
		old = atomic_load(&victim->tag);
		/* A tag that came in between may be our own, made by another program: look again. */
		if (old != tag && atomic_compare_exchange_strong(&victim->tag, &old, tag))
			return victim;
	}
}

/*
 * The value after one more request.  A clock that went back by up to a window goes on counting in the later
 * one, so that nobody gains a fresh window by it.
 */
static uint64_t
count_up(uint64_t value, uint64_t tag, int64_t end, int seconds)
{
	bool is_ours = check_of(value) == check_of(pack(0, tag, 0));

	if (!is_ours || end_of(value) < end || end_of(value) > end + seconds)
		return pack(end, tag, 1);
	return count_of(value) < COUNT_MAX ? value + 1 : value;
}

/* Counts one request of the tag; the value after it. */
static uint64_t
hit(struct entry *set, uint64_t tag, int64_t now_s, int64_t end, int seconds)
{
	for (;;) {
		struct entry *entry = claim(set, tag, now_s);
		uint64_t old = atomic_load(&entry->value);
		uint64_t value = count_up(old, tag, end, seconds);

		/* Taken away before its value was read: the value is another's. */
		if (atomic_load(&entry->tag) == tag && atomic_compare_exchange_strong(&entry->value, &old, value))
			return value;
	}
}

struct window_state
window_hit(struct window_table *table, const char *address, const char *path, struct window_limit limit, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000, end = (now_s / limit.seconds + 1) * limit.seconds;
	struct window_state state = { .limit = limit.count };
	struct entry *set;
	uint64_t tag, value;
	int count;

	assert(limit.count > 0 && limit.count < COUNT_MAX && limit.seconds > 0 && limit.seconds <= DAY_S);
	set = find_set(table, address, path, limit.seconds, &tag);
	value = hit(set, tag, now_s, end, limit.seconds);
	count = count_of(value);
	state.is_refused = count > limit.count;
	state.remaining = state.is_refused ? 0 : limit.count - count;
	state.reset_s = (int)(end_of(value) - now_s);
	return state;
}

int
window_sweep(struct window_table *table, int64_t now_ms)
{
	int swept = 0;

	for (int i = 0; i < SETS; i++) {
		for (int j = 0; j < WAYS; j++) {
			struct entry *entry = &table->sets[i][j];
			uint64_t tag = atomic_load(&entry->tag);

			if (tag != 0 && is_over(atomic_load(&entry->value), now_ms / 1000) &&
			    atomic_compare_exchange_strong(&entry->tag, &tag, 0))
				swept++;
		}
	}
	return swept;
}
