/*
 * Wallets: what a challenge says, and that its signature is by the wallet it names.  That a challenge is used once,
 * and in time, is the SQL functions' doing; that a wallet is one agent's, the registry's (database.md R3).
 */
#include <string.h>
#include <talloc.h>
#include "base/crypto.h"
#include "base/db.h"
#include "base/error.h"
#include "base/now.h"
#include "core/wallet.h"

/* A UUID of version 4 (RFC 9562): it says nothing and cannot be foreseen. */
static struct id
make_nonce(void)
{
	struct id nonce;

	crypto_random(nonce.bytes, sizeof(nonce.bytes));
	nonce.bytes[6] = (uint8_t)((nonce.bytes[6] & 0x0f) | 0x40);
	nonce.bytes[8] = (uint8_t)((nonce.bytes[8] & 0x3f) | 0x80);
	return nonce;
}

/* It names the agent, so that a signature that was given for one account binds nothing to another. */
static char *
make_message(const void *ctx, struct id agent, struct id nonce, int64_t issued_ms)
{
	char agent_text[ID_TEXT_SIZE], nonce_text[ID_UUID_SIZE], time[TIME_TEXT_SIZE];

	id_print(ID_AGENT, agent, agent_text);
	id_print_uuid(nonce, nonce_text);
	time_print(issued_ms, time);
	return talloc_asprintf(ctx,
	    "HumanOps deposit wallet verification\nagent_id: %s\nchain: base\nnonce: %s\nissued_at: %s", agent_text,
	    nonce_text, time);
}

int
wallet_challenge(
    struct db *db, const void *ctx, struct id agent, int64_t now_ms, struct wallet_challenge *out, struct error *err)
{
	struct id nonce = make_nonce();
	struct db_rows *rows = db_call(db, NULL, err, "wallet_challenge", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(nonce), DB_TIME(now_ms)));

	if (rows == NULL)
		return -1;
	talloc_free(rows);
	id_print_uuid(nonce, out->nonce);
	out->issued_ms = now_ms;
	out->message = make_message(ctx, agent, nonce, now_ms);
	return 0;
}

/* Locks the agent, so that of two bindings at once the second sees what the first has done. */
static int
check_proof(struct db *db, struct id agent, const struct wallet_proof *proof, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "wallet_challenge_find", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(proof->nonce), DB_TIME(now_ms)));
	struct eth_address signer;
	char *message;
	bool is_right;

	if (rows == NULL)
		return -1;
	message = make_message(rows, agent, proof->nonce, db_time(rows, 0, "issued_at"));
	is_right = eth_recover_message(message, strlen(message), proof->signature, &signer) == 0 &&
		   eth_address_equal(signer, proof->address);
	talloc_free(rows);
	return is_right
		   ? 0
		   : error_field(err, "signature", "was not made by wallet_address over the message of this challenge");
}

int
wallet_owner(struct db *db, struct eth_address address, struct id *agent, struct error *err)
{
	char text[ETH_ADDRESS_TEXT];
	struct db_rows *rows;

	memset(agent, 0, sizeof(*agent));
	eth_address_print_lower(address, text);
	rows = db_call(
	    db, NULL, err, "registry_find", id_bucket_of("wallet", text), DB_ARGS(DB_TEXT("wallet"), DB_TEXT(text)));
	if (rows == NULL)
		return -1;
	if (db_count(rows) > 0)
		*agent = db_uuid(rows, 0, "party_id");
	talloc_free(rows);
	return 0;
}

/* Takes the address for the agent, who may have it already. */
static int
claim(struct db *db, struct id agent, const char *text, int64_t now_ms, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "registry_claim", id_bucket_of("wallet", text),
	    DB_ARGS(DB_TEXT("wallet"), DB_TEXT(text), DB_UUID(agent), DB_TEXT("wallet_taken"), DB_TIME(now_ms)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

static int
release(struct db *db, struct id agent, const char *text, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "registry_release", id_bucket_of("wallet", text),
	    DB_ARGS(DB_TEXT("wallet"), DB_TEXT(text), DB_UUID(agent)));

	talloc_free(rows);
	return rows == NULL ? -1 : 0;
}

int
wallet_bind(struct db *db, struct id agent, const struct wallet_proof *proof, int64_t now_ms, struct wallet *out,
    struct error *err)
{
	char text[ETH_ADDRESS_TEXT];
	const char *previous;
	struct db_rows *rows;
	int rc = 0;

	eth_address_print_lower(proof->address, text);
	if (check_proof(db, agent, proof, now_ms, err) || claim(db, agent, text, now_ms, err))
		return -1;
	rows = db_call(db, NULL, err, "wallet_bind", id_bucket(agent),
	    DB_ARGS(DB_UUID(agent), DB_UUID(proof->nonce), DB_TEXT(text), DB_TIME(now_ms)));
	if (rows == NULL)
		return -1;
	previous = db_text(rows, 0, "previous");
	if (previous != NULL && strcmp(previous, text) != 0)
		rc = release(db, agent, previous, err);
	*out = (struct wallet){ proof->address, db_time(rows, 0, "verified_at") };
	talloc_free(rows);
	return rc;
}

int
wallet_show(struct db *db, struct id agent, struct wallet *out, struct error *err)
{
	struct db_rows *rows = db_call(db, NULL, err, "wallet_show", id_bucket(agent), DB_ARGS(DB_UUID(agent)));
	int rc;

	if (rows == NULL)
		return -1;
	if (db_count(rows) == 0 || db_is_null(rows, 0, "wallet"))
		rc = error_set(err, ERR_wallet_not_found);
	else if (eth_address_parse(db_text(rows, 0, "wallet"), &out->address) != 0)
		rc = error_internal(err, "database: a wallet is no address");
	else
		rc = 0;
	out->verified_ms = rc == 0 ? db_time(rows, 0, "wallet_at") : 0;
	talloc_free(rows);
	return rc;
}
