/*
 * Ethereum's addresses, signatures and transactions.  libsecp256k1 knows the curve; texts, digests and what counts as a
 * signature are decided here.  That library ends the program for arguments it calls illegal, so each is checked before
 * it is handed over.  What a transaction is for, and whether it may be, is for others.
 */
#include "chain/eth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/text.h"
#include "chain/keccak.h"
#include "chain/rlp.h"

enum {
	SECRET_SIZE = 32,
	SECRET_FILE_MAX = 2 + 2 * SECRET_SIZE + 1, /* 0x, digits, newline */
	POINT_SIZE = 65,			   /* 0x04, x, y */
	WORD = 32,				   /* of the contract call interface */
	TYPE_1559 = 2,				   /* EIP-2718's number of EIP-1559's transactions */
	V_LEGACY = 27,				   /* what wallets add to the recovery id */
	SYSTEM_DIGITS = ETH_ADDRESS_SIZE - 2,	   /* beginning of addresses that no key leads to */
};

struct eth_key {
	secp256k1_context *secp; /* blinded by random bytes of its own */
	uint8_t secret[SECRET_SIZE];
	struct eth_address address;
};

/* "0x" and exactly so many bytes. */
static int
hex_parse(const char *text, uint8_t *out, size_t size)
{
	if (strncmp(text, "0x", 2) != 0 || strlen(text) != 2 + 2 * size)
		return -1;
	return text_unhex(text + 2, out, size) == (int)size ? 0 : -1;
}

static void
hex_print(const uint8_t *bytes, size_t size, char *out)
{
	out[0] = '0';
	out[1] = 'x';
	text_hex(bytes, size, out + 2);
}

int
eth_address_parse(const char *text, struct eth_address *out)
{
	static const char lower[] = "abcdef", upper[] = "ABCDEF";
	char checked[ETH_ADDRESS_TEXT];
	struct eth_address address = { 0 };

	if (hex_parse(text, address.bytes, sizeof(address.bytes)))
		return -1;
	eth_address_print(address, checked);
	if (strpbrk(text + 2, lower) != NULL && strpbrk(text + 2, upper) != NULL && strcmp(text, checked) != 0)
		return -2;
	*out = address;
	return 0;
}

/* EIP-55: a letter is large where the digit at its place in the lower-case text's digest is 8 or more. */
void
eth_address_print(struct eth_address address, char out[ETH_ADDRESS_TEXT])
{
	uint8_t digest[KECCAK_SIZE];

	eth_address_print_lower(address, out);
	keccak256(out + 2, (size_t)2 * ETH_ADDRESS_SIZE, digest);
	for (size_t i = 0; i < (size_t)2 * ETH_ADDRESS_SIZE; i++) {
		unsigned digit = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15U;

		if (digit >= 8 && out[2 + i] >= 'a')
			out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
	}
}

void
eth_address_print_lower(struct eth_address address, char out[ETH_ADDRESS_TEXT])
{
	hex_print(address.bytes, sizeof(address.bytes), out);
}

bool
eth_address_equal(struct eth_address a, struct eth_address b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

/* The first: zero, all precompiled contracts (Base has one at 0x100) and 0x…dEaD; the second: the rollup's own contracts. */
bool
eth_address_is_burn(struct eth_address address)
{
	static const uint8_t system[][SYSTEM_DIGITS] = { { 0 }, { 0x42 } };
	static const char *const burns[] = {
		"0xdead000000000000000000000000000000000000",
		"0xdead000000000000000042069420694206942069",
		"0x1111111111111111111111111111111111111111",
		"0xffffffffffffffffffffffffffffffffffffffff",
	};
	char text[ETH_ADDRESS_TEXT];

	for (size_t i = 0; i < nitems(system); i++) {
		if (memcmp(address.bytes, system[i], sizeof(system[i])) == 0)
			return true;
	}
	eth_address_print_lower(address, text);
	for (size_t i = 0; i < nitems(burns); i++) {
		if (strcmp(text, burns[i]) == 0)
			return true;
	}
	return false;
}

int
eth_hash_parse(const char *text, struct eth_hash *out)
{
	struct eth_hash hash = { 0 };

	if (hex_parse(text, hash.bytes, sizeof(hash.bytes)))
		return -1;
	*out = hash;
	return 0;
}

void
eth_hash_print(struct eth_hash hash, char out[ETH_HASH_TEXT])
{
	hex_print(hash.bytes, sizeof(hash.bytes), out);
}

bool
eth_hash_equal(struct eth_hash a, struct eth_hash b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

/* The last 20 bytes of the digest of a public key's coordinates (yellow paper, appendix F). */
static struct eth_address
address_of(const secp256k1_pubkey *pubkey)
{
	uint8_t point[POINT_SIZE], digest[KECCAK_SIZE];
	struct eth_address address;
	size_t len = sizeof(point);

	secp256k1_ec_pubkey_serialize(secp256k1_context_static, point, &len, pubkey, SECP256K1_EC_UNCOMPRESSED);
	keccak256(point + 1, sizeof(point) - 1, digest);
	memcpy(address.bytes, digest + sizeof(digest) - sizeof(address.bytes), sizeof(address.bytes));
	return address;
}

int
eth_recover_digest(
    const uint8_t digest[ETH_HASH_SIZE], const uint8_t signature[ETH_SIGNATURE_SIZE], struct eth_address *out)
{
	const secp256k1_context *secp = secp256k1_context_static;
	secp256k1_ecdsa_recoverable_signature recoverable;
	secp256k1_ecdsa_signature plain;
	secp256k1_pubkey pubkey;
	int v = signature[ETH_SIGNATURE_SIZE - 1];

	if (v >= V_LEGACY)
		v -= V_LEGACY;
	if (v > 1) /* the library would end the program */
		return -1;
	if (!secp256k1_ecdsa_recoverable_signature_parse_compact(secp, &recoverable, signature, v))
		return -1;
	secp256k1_ecdsa_recoverable_signature_convert(secp, &plain, &recoverable);
	if (secp256k1_ecdsa_signature_normalize(secp, NULL, &plain)) /* s lies in the upper half */
		return -1;
	if (!secp256k1_ecdsa_recover(secp, &pubkey, &recoverable, digest))
		return -1;
	*out = address_of(&pubkey);
	return 0;
}

/* EIP-191's digest of a text; its length is in bytes. */
static void
digest_message(const char *message, size_t len, uint8_t out[KECCAK_SIZE])
{
	static const char start[] = "\x19"
				    "Ethereum Signed Message:\n";
	char head[sizeof(start) + 20];
	size_t head_len = (size_t)snprintf(head, sizeof(head), "%s%zu", start, len);
	char *whole = talloc_size(NULL, head_len + len);

	assert(whole != NULL && head_len < sizeof(head));
	memcpy(whole, head, head_len);
	if (len > 0)
		memcpy(whole + head_len, message, len);
	keccak256(whole, head_len + len, out);
	talloc_free(whole);
}

int
eth_recover_message(const char *message, size_t len, const char *signature, struct eth_address *out)
{
	uint8_t bytes[ETH_SIGNATURE_SIZE], digest[KECCAK_SIZE];

	if (hex_parse(signature, bytes, sizeof(bytes)))
		return -1;
	digest_message(message, len, digest);
	return eth_recover_digest(digest, bytes, out);
}

struct eth_key *
eth_key_new(const uint8_t secret[SECRET_SIZE])
{
	struct eth_key *key;
	secp256k1_pubkey pubkey;
	uint8_t blind[SECRET_SIZE];
	int is_made;

	if (!secp256k1_ec_seckey_verify(secp256k1_context_static, secret))
		return NULL;
	key = talloc_zero(NULL, struct eth_key);
	assert(key != NULL);
	key->secp = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	crypto_random(blind, sizeof(blind));
	is_made =
	    secp256k1_context_randomize(key->secp, blind) && secp256k1_ec_pubkey_create(key->secp, &pubkey, secret);
	assert(is_made);
	crypto_wipe(blind, sizeof(blind));
	memcpy(key->secret, secret, sizeof(key->secret));
	key->address = address_of(&pubkey);
	return key;
}

void
eth_key_free(struct eth_key *key)
{
	if (key == NULL)
		return;
	secp256k1_context_destroy(key->secp);
	crypto_wipe(key->secret, sizeof(key->secret));
	talloc_free(key);
}

struct eth_address
eth_key_address(const struct eth_key *key)
{
	return key->address;
}

/* A group may read what root alone can change: so a service is lent a key. */
static bool
is_private(const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;

	if (st->st_uid == 0 && (mode == 0640 || mode == 0440))
		return true;
	return mode == 0600 || mode == 0400;
}

/* Bytes of a whole file, at most size; -1 and errno, or 0 in errno and a reason. */
static ssize_t
read_private(const char *path, char *out, size_t size, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len = -1, n = 1;
	struct stat st;

	*why = NULL;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode))
		*why = "is no plain file";
	else if (!is_private(&st))
		*why = "may be read or changed by others; make it mode 0600";
	if (*why != NULL)
		goto out;
	for (len = 0; (size_t)len < size && n > 0; len += n > 0 ? n : 0)
		n = read(fd, out + len, size - (size_t)len);
	if (n < 0)
		len = -1;
out:
	close(fd);
	return len;
}

/* The secret in a file's text; 0 or -1. */
static int
secret_parse(const char *text, uint8_t secret[SECRET_SIZE])
{
	char digits[2 * SECRET_SIZE + 1];
	int rc = -1;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	if (strlen(text) == sizeof(digits) && text[sizeof(digits) - 1] == '\n') {
		memcpy(digits, text, sizeof(digits) - 1);
		digits[sizeof(digits) - 1] = '\0';
		text = digits;
	}
	if (strlen(text) == sizeof(digits) - 1 && text_unhex(text, secret, SECRET_SIZE) == SECRET_SIZE)
		rc = 0;
	crypto_wipe(digits, sizeof(digits));
	return rc;
}

struct eth_key *
eth_key_load(const char *path, struct error *err)
{
	char text[SECRET_FILE_MAX + 2] = ""; /* one more shows that a file is too long, and a NUL */
	uint8_t secret[SECRET_SIZE];
	struct eth_key *key = NULL;
	const char *why = NULL;
	ssize_t len = read_private(path, text, sizeof(text) - 1, &why);

	if (len < 0) {
		error_internal(err, "key file %s: %s", path, why != NULL ? why : strerror(errno));
	} else if (strlen(text) != (size_t)len || secret_parse(text, secret) || (key = eth_key_new(secret)) == NULL) {
		error_internal(err, "key file %s: does not hold a private key of 64 hex digits", path);
	}
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(text, sizeof(text));
	return key;
}

/* What is signed, and stands at the beginning of what is broadcast (EIP-1559). */
static void
write_unsigned(struct rlp *rlp, const struct eth_transaction *transaction)
{
	rlp_uint(rlp, transaction->chain_id);
	rlp_uint(rlp, transaction->nonce);
	rlp_uint(rlp, transaction->max_priority_fee);
	rlp_uint(rlp, transaction->max_fee);
	rlp_uint(rlp, transaction->gas_limit);
	rlp_string(rlp, transaction->to.bytes, transaction->creates ? 0 : sizeof(transaction->to.bytes));
	rlp_integer(rlp, transaction->value, sizeof(transaction->value));
	rlp_string(rlp, transaction->data, transaction->data_len);
	rlp_list(rlp, rlp->len); /* no access list */
}

/* Begins an envelope: its first byte is its type, which as RLP is a text of one byte. */
static struct rlp *
envelope_new(const void *ctx, const struct eth_transaction *transaction)
{
	static const uint8_t type = TYPE_1559;
	struct rlp *rlp = rlp_new(ctx);

	rlp_string(rlp, &type, sizeof(type));
	write_unsigned(rlp, transaction);
	return rlp;
}

/* r, s and v (0 or 1) of a digest.  A wrong one would burn a nonce or show the key: it is checked before it leaves. */
static void
sign_digest(const struct eth_key *key, const uint8_t digest[KECCAK_SIZE], uint8_t signature[ETH_SIGNATURE_SIZE])
{
	secp256k1_ecdsa_recoverable_signature recoverable;
	struct eth_address signer = { { 0 } };
	int v = -1, is_good;

	is_good = secp256k1_ecdsa_sign_recoverable(
	    key->secp, &recoverable, digest, key->secret, secp256k1_nonce_function_rfc6979, NULL);
	assert(is_good);
	secp256k1_ecdsa_recoverable_signature_serialize_compact(key->secp, signature, &v, &recoverable);
	signature[ETH_SIGNATURE_SIZE - 1] = (uint8_t)v;
	is_good = eth_recover_digest(digest, signature, &signer) == 0 && eth_address_equal(signer, key->address);
	assert(is_good);
}

uint8_t *
eth_sign(const void *ctx, const struct eth_key *key, const struct eth_transaction *transaction, size_t *len,
    struct eth_hash *hash)
{
	uint8_t digest[KECCAK_SIZE], signature[ETH_SIGNATURE_SIZE], *raw;
	struct rlp *rlp = envelope_new(NULL, transaction);

	rlp_list(rlp, 1);
	keccak256(rlp->bytes, rlp->len, digest);
	talloc_free(rlp);
	sign_digest(key, digest, signature);

	rlp = envelope_new(NULL, transaction);
	rlp_uint(rlp, signature[ETH_SIGNATURE_SIZE - 1]);
	rlp_integer(rlp, signature, 32);
	rlp_integer(rlp, signature + 32, 32);
	rlp_list(rlp, 1);
	keccak256(rlp->bytes, rlp->len, hash->bytes);
	*len = rlp->len;
	raw = talloc_steal(ctx, rlp->bytes);
	talloc_free(rlp);
	return raw;
}

/* Each argument fills a word, to the right (contract ABI). */
void
eth_transfer_data(struct eth_address to, uint64_t amount, uint8_t out[ETH_TRANSFER_SIZE])
{
	static const uint8_t selector[] = { 0xa9, 0x05, 0x9c, 0xbb }; /* keccak256("transfer(address,uint256)") */
	uint8_t *to_end = out + sizeof(selector) + WORD, *amount_end = to_end + WORD;

	memset(out, 0, ETH_TRANSFER_SIZE);
	memcpy(out, selector, sizeof(selector));
	memcpy(to_end - sizeof(to.bytes), to.bytes, sizeof(to.bytes));
	for (size_t i = 0; i < sizeof(amount); i++)
		amount_end[-1 - (ptrdiff_t)i] = (uint8_t)(amount >> (8 * i));
}
