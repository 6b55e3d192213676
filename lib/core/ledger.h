#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/* The ledger as an agent sees it: balance and statement (spec 5).  Posting is SQL's (sql/functions/ledger.sql). */

struct db;
struct error;

struct ledger_balance {
	usd_micros deposit, escrow;
	usd_micros owed; /* for a deposit that vanished when it was spent already; the next one pays it first */
};

struct ledger_entry {
	struct id id, ref;
	const char *kind;
	int64_t at_ms;
	usd_micros deposit_change, escrow_change, deposit_balance, escrow_balance; /* balances: after the entry … */
	bool has_deposit, has_escrow;						   /* … where it touched them */
};

int ledger_balance(struct db *db, struct id agent, struct ledger_balance *out, struct error *err);

/* Newest first, at most limit, from before the transaction `before` (nil: the newest) on.  Fails: cursor_invalid. */
int ledger_statement(struct db *db, const void *ctx, struct id agent, struct id before, int64_t limit,
    struct ledger_entry **entries, size_t *count, struct error *err);

/* True if the entry's cause is a task. */
bool ledger_is_of_task(const struct ledger_entry *entry);

#endif
