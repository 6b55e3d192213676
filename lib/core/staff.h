#ifndef CORE_STAFF_H
#define CORE_STAFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/* What staff does, on record, and what it sees of the whole (spec 3, admin). */

struct db;
struct error;
struct json_object;

struct staff_entry {
	const char *act, *target, *data_json;
	int64_t at_ms;
};

struct staff_account {
	const char *kind;
	int64_t accounts;
	usd_micros balance;
};

struct staff_finding {
	const char *what, *account; /* what: an invariant of spec 5; account: its kind, or NULL */
	struct id id;		    /* of the party or ledger transaction; nil: of none */
	usd_micros amount;	    /* by how much it is off */
};

/* Records an act on a target (an id as shown), in the transaction of the act itself.  data is borrowed. */
int staff_record(
    struct db *db, const char *act, const char *target, struct json_object *data, int64_t now_ms, struct error *err);

/* The newest acts before a time. */
int staff_log(struct db *db, const void *ctx, int64_t before_ms, int64_t limit, struct staff_entry **out, size_t *count,
    struct error *err);

/* Ends or restores an agent's access.  Fails: agent_not_found. */
int staff_suspend_agent(struct db *db, struct id agent, bool is_suspended, int64_t now_ms, struct error *err);

/* Allows an agent's withdrawals again, which a deposit that vanished has ended.  Fails: agent_not_found. */
int staff_unfreeze_agent(struct db *db, struct id agent, int64_t now_ms, struct error *err);

/* The trial balance, and every account or transaction that breaks an invariant; none is what one hopes for. */
int staff_trial_balance(struct db *db, const void *ctx, struct staff_account **out, size_t *count, struct error *err);
int staff_audit(
    struct db *db, const void *ctx, int64_t now_ms, struct staff_finding **out, size_t *count, struct error *err);

#endif
