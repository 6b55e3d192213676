#ifndef CORE_WALLET_H
#define CORE_WALLET_H

#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"
#include "chain/eth.h"

/*
 * The wallet that an agent deposits from and is paid back to (spec 6, wallet binding).  A wallet is bound to one
 * agent, an agent has one wallet: binding another replaces it, and the old one then counts for nothing new.
 */

struct db;
struct error;

enum { WALLET_SIGNATURE_TEXT = 132 }; /* "0x" and 65 bytes in hex */

struct wallet_challenge {
	char nonce[ID_UUID_SIZE];
	int64_t issued_ms;
	const char *message; /* what is to be signed; hangs on the call's ctx */
};

struct wallet {
	struct eth_address address;
	int64_t verified_ms;
};

struct wallet_proof {
	struct eth_address address;
	struct id nonce;       /* of a challenge */
	const char *signature; /* by personal_sign, of the challenge's message: "0x", r, s and v in hex */
};

/* A new challenge, good for ten minutes and one binding. */
int wallet_challenge(
    struct db *db, const void *ctx, struct id agent, int64_t now_ms, struct wallet_challenge *out, struct error *err);

/*
 * Binds a wallet whose key has signed a challenge of the agent's.  In the caller's transaction.  A challenge is spent
 * by its success alone.  Fails: challenge_invalid, validation_failed (the signature is another's), wallet_taken.
 */
int wallet_bind(struct db *db, struct id agent, const struct wallet_proof *proof, int64_t now_ms, struct wallet *out,
    struct error *err);

/* The agent's wallet.  Fails: wallet_not_found. */
int wallet_show(struct db *db, struct id agent, struct wallet *out, struct error *err);

/* Whose wallet an address is; nil: nobody's. */
int wallet_owner(struct db *db, struct eth_address address, struct id *agent, struct error *err);

#endif
