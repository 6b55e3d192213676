#ifndef CHAIN_ETH_H
#define CHAIN_ETH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ethereum's addresses, hashes, signatures and transactions; over libsecp256k1.  Knows no network. */

struct error;

enum {
	ETH_ADDRESS_SIZE = 20,
	ETH_HASH_SIZE = 32,
	ETH_SIGNATURE_SIZE = 65,
	ETH_ADDRESS_TEXT = 43, /* "0x", 40 digits, NUL */
	ETH_HASH_TEXT = 67,
	ETH_TRANSFER_SIZE = 68, /* call data of an ERC-20 transfer */
};

struct eth_address {
	uint8_t bytes[ETH_ADDRESS_SIZE];
};

struct eth_hash {
	uint8_t bytes[ETH_HASH_SIZE];
};

/*
 * Reads "0x" and 40 hex digits.  All of one case is taken as it is; mixed case must be EIP-55's checksum.
 * 0; -1 if it is no address; -2 if only the checksum is wrong.  *out untouched unless 0.
 */
int eth_address_parse(const char *text, struct eth_address *out);
/* With EIP-55's checksum, for people; in lower case, for keys of the database. */
void eth_address_print(struct eth_address address, char out[ETH_ADDRESS_TEXT]);
void eth_address_print_lower(struct eth_address address, char out[ETH_ADDRESS_TEXT]);
bool eth_address_equal(struct eth_address a, struct eth_address b);
/* Zero, 0x…01 to 0x…ff (precompiles) and the usual burn addresses (0x…dEaD, 0xdEaD…, all ones): money sent there is gone. */
bool eth_address_is_burn(struct eth_address address);

/* Reads "0x" and 64 hex digits of either case; 0 or -1. */
int eth_hash_parse(const char *text, struct eth_hash *out);
void eth_hash_print(struct eth_hash hash, char out[ETH_HASH_TEXT]); /* lower case */
bool eth_hash_equal(struct eth_hash a, struct eth_hash b);

/*
 * Who signed a digest.  signature: r and s, 32 bytes each, and v (27, 28, 0 or 1).  0 and the address; -1 for what is no
 * such signature: zero or too large r or s, s in the upper half (EIP-2), another v, no point.  Any other 65 bytes yield some
 * address: the caller compares.
 */
int eth_recover_digest(
    const uint8_t digest[ETH_HASH_SIZE], const uint8_t signature[ETH_SIGNATURE_SIZE], struct eth_address *out);

/*
 * Who signed a text by personal_sign (EIP-191, version 0x45).  signature: "0x" and 130 hex digits of either case.  0 and the
 * address; -1 for another form, and as above.
 */
int eth_recover_message(const char *message, size_t len, const char *signature, struct eth_address *out);

/* A private key.  Its bytes are wiped with it. */
struct eth_key;

/*
 * From a file that holds 64 hex digits (with or without "0x", one newline may follow) and that nobody but its owner can read
 * (mode 0600 or 0400; a group may read it if it is root's).  Owner: the caller's, eth_key_free.  NULL: internal, logged; no
 * message ever shows what the file holds.
 */
struct eth_key *eth_key_load(const char *path, struct error *err);
/* From 32 bytes, for tests.  NULL if they are no key (zero, or the group's order and more). */
struct eth_key *eth_key_new(const uint8_t secret[32]);
void eth_key_free(struct eth_key *key);
struct eth_address eth_key_address(const struct eth_key *key);

/* A transaction of type 2 (EIP-1559) without access list.  Fees in wei for a unit of gas. */
struct eth_transaction {
	uint64_t chain_id, nonce, gas_limit;
	uint64_t max_priority_fee, max_fee;
	bool creates; /* true: `to` does not count, the data are a contract's code */
	struct eth_address to;
	uint8_t value[32]; /* wei, big-endian */
	const void *data;
	size_t data_len;
};

/*
 * Signs (RFC 6979, s in the lower half).  Returns the raw bytes as they are broadcast, talloc'ed on ctx, their length, and
 * the hash by which the chain will know them.  Deterministic: the same transaction gives the same bytes.
 */
uint8_t *eth_sign(const void *ctx, const struct eth_key *key, const struct eth_transaction *transaction, size_t *len,
    struct eth_hash *hash);

/* Call data of transfer(address,uint256) (ERC-20), amount in the token's smallest unit. */
void eth_transfer_data(struct eth_address to, uint64_t amount, uint8_t out[ETH_TRANSFER_SIZE]);

#endif
