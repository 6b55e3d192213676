/* Balance and statement of an agent; see ledger.h. */
#include <string.h>
#include <talloc.h>
#include "base/db.h"
#include "core/ledger.h"

int
ledger_balance(struct db *db, struct id agent, struct ledger_balance *out, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "ledger_balance", id_bucket(agent), DB_ARGS(DB_UUID(agent)));

	if (rows == NULL)
		return -1;
	out->deposit = db_int(rows, 0, "deposit");
	out->escrow = db_int(rows, 0, "escrow");
	out->owed = -db_int(rows, 0, "receivable");
	talloc_free(rows);
	return 0;
}

int
ledger_statement(struct db *db, const void *ctx, struct id agent, struct id before, int64_t limit,
    struct ledger_entry **entries, size_t *count, struct error *err)
{
	struct db_rows *rows = db_call(db, ctx, err, "ledger_statement", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(before), DB_INT(limit)));

	if (rows == NULL)
		return -1;
	*count = db_count(rows);
	*entries = talloc_zero_array(rows, struct ledger_entry, (unsigned)*count + 1);
	for (size_t i = 0; i < *count; i++) {
		struct ledger_entry *entry = &(*entries)[i];

		entry->id = db_uuid(rows, i, "id");
		entry->ref = db_uuid(rows, i, "ref");
		entry->kind = db_text(rows, i, "kind");
		entry->at_ms = db_time(rows, i, "at");
		entry->deposit_change = db_int(rows, i, "deposit_change");
		entry->escrow_change = db_int(rows, i, "escrow_change");
		entry->has_deposit = !db_is_null(rows, i, "deposit_balance");
		entry->has_escrow = !db_is_null(rows, i, "escrow_balance");
		entry->deposit_balance = db_int(rows, i, "deposit_balance");
		entry->escrow_balance = db_int(rows, i, "escrow_balance");
	}
	return 0;
}

bool
ledger_is_of_task(const struct ledger_entry *entry)
{
	return strncmp(entry->kind, "escrow_", strlen("escrow_")) == 0 ||
	       strncmp(entry->kind, "dispute_", strlen("dispute_")) == 0;
}
