/*
 * Our side of tests that compare signatures, addresses and transactions with other libraries: reads one case a line, a word and its
 * arguments, and answers in one line.  Bytes are hex, "-" is none.
 *
 *   keccak BYTES                      the digest
 *   address TEXT                      with EIP-55's checksum; "bad", "checksum" if it is none
 *   recover MESSAGE SIGNATURE         the signer of a text (EIP-191); "none".  The signature is a text, as it stands
 *   digest DIGEST BYTES               the signer of a digest
 *   key SECRET                        its address; "none"
 *   sign SECRET CHAIN NONCE TIP FEE GAS TO VALUE DATA   raw bytes and hash; TO "-" creates; numbers decimal, VALUE 32 bytes
 *   transfer TO AMOUNT                call data
 *   rlp ITEM...                       "(" and ")" begin and end a list, iBYTES a number, others are bytes
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/text.h"
#include "chain/eth.h"
#include "chain/keccak.h"
#include "chain/rlp.h"

enum { DEPTH_MAX = 64 };

/* The next word of the line; ends the program if there is none. */
static char *
next(char **rest)
{
	char *word = strsep(rest, " ");

	if (word == NULL) {
		fprintf(stderr, "a word is missing\n");
		exit(1);
	}
	return word;
}

static uint8_t *
bytes_of(const void *ctx, const char *hex, size_t *len)
{
	size_t size = strlen(hex) / 2;
	uint8_t *bytes = talloc_size(ctx, size + 1);

	*len = strcmp(hex, "-") == 0 ? 0 : size;
	if (*len > 0 && text_unhex(hex, bytes, size) != (int)size) {
		fprintf(stderr, "no bytes: %s\n", hex);
		exit(1);
	}
	return bytes;
}

/* Exactly so many bytes. */
static const uint8_t *
fixed(const void *ctx, const char *hex, size_t size)
{
	size_t len;
	const uint8_t *bytes = bytes_of(ctx, hex, &len);

	if (len != size) {
		fprintf(stderr, "not %zu bytes: %s\n", size, hex);
		exit(1);
	}
	return bytes;
}

static void
print(const void *ctx, const uint8_t *bytes, size_t len, char end)
{
	char *hex = talloc_size(ctx, 2 * len + 1);

	text_hex(bytes, len, hex);
	printf("%s%c", hex, end);
}

static void
print_address(int rc, struct eth_address address)
{
	char text[ETH_ADDRESS_TEXT];

	eth_address_print(address, text);
	puts(rc == 0 ? text : "none");
}

static void
do_keccak(void *ctx, char **rest)
{
	uint8_t digest[KECCAK_SIZE];
	size_t len;
	const uint8_t *bytes = bytes_of(ctx, next(rest), &len);

	keccak256(bytes, len, digest);
	print(ctx, digest, sizeof(digest), '\n');
}

static void
do_address(void *ctx, char **rest)
{
	struct eth_address address = { { 0 } };
	int rc = eth_address_parse(next(rest), &address);

	(void)ctx;
	if (rc == 0)
		print_address(0, address);
	else
		puts(rc == -2 ? "checksum" : "bad");
}

static void
do_recover(void *ctx, char **rest)
{
	struct eth_address address = { { 0 } };
	size_t len;
	const uint8_t *message = bytes_of(ctx, next(rest), &len);
	int rc = eth_recover_message((const char *)message, len, *rest == NULL ? "" : *rest, &address);

	print_address(rc, address);
}

static void
do_digest(void *ctx, char **rest)
{
	struct eth_address address = { { 0 } };
	const uint8_t *digest = fixed(ctx, next(rest), ETH_HASH_SIZE);
	int rc = eth_recover_digest(digest, fixed(ctx, next(rest), ETH_SIGNATURE_SIZE), &address);

	print_address(rc, address);
}

static void
do_key(void *ctx, char **rest)
{
	struct eth_key *key = eth_key_new(fixed(ctx, next(rest), 32));

	if (key == NULL)
		puts("none");
	else
		print_address(0, eth_key_address(key));
	eth_key_free(key);
}

static uint64_t
number(char **rest)
{
	return strtoull(next(rest), NULL, 10);
}

static void
do_sign(void *ctx, char **rest)
{
	struct eth_key *key = eth_key_new(fixed(ctx, next(rest), 32));
	struct eth_transaction transaction = { .chain_id = number(rest) };
	struct eth_hash hash;
	const char *to;
	uint8_t *raw;
	size_t len;

	transaction.nonce = number(rest);
	transaction.max_priority_fee = number(rest);
	transaction.max_fee = number(rest);
	transaction.gas_limit = number(rest);
	to = next(rest);
	transaction.creates = strcmp(to, "-") == 0;
	if (!transaction.creates)
		memcpy(transaction.to.bytes, fixed(ctx, to, ETH_ADDRESS_SIZE), ETH_ADDRESS_SIZE);
	memcpy(transaction.value, fixed(ctx, next(rest), 32), sizeof(transaction.value));
	transaction.data = bytes_of(ctx, next(rest), &transaction.data_len);
	if (key == NULL) {
		puts("none");
		return;
	}
	raw = eth_sign(ctx, key, &transaction, &len, &hash);
	print(ctx, raw, len, ' ');
	print(ctx, hash.bytes, sizeof(hash.bytes), '\n');
	eth_key_free(key);
}

static void
do_transfer(void *ctx, char **rest)
{
	uint8_t data[ETH_TRANSFER_SIZE];
	struct eth_address to;

	memcpy(to.bytes, fixed(ctx, next(rest), ETH_ADDRESS_SIZE), ETH_ADDRESS_SIZE);
	eth_transfer_data(to, number(rest), data);
	print(ctx, data, sizeof(data), '\n');
}

static void
do_rlp(void *ctx, char **rest)
{
	struct rlp *rlp = rlp_new(ctx);
	size_t starts[DEPTH_MAX], len;
	int depth = 0;
	char *word;

	while ((word = strsep(rest, " ")) != NULL) {
		bool is_number = word[0] == 'i';

		if (word[0] == '(' && depth < DEPTH_MAX) {
			starts[depth++] = rlp->len;
		} else if (word[0] == ')' && depth > 0) {
			rlp_list(rlp, starts[--depth]);
		} else {
			const uint8_t *bytes = bytes_of(ctx, word + is_number, &len);

			(is_number ? rlp_integer : rlp_string)(rlp, bytes, len);
		}
	}
	print(ctx, rlp->bytes, rlp->len, '\n');
}

static const struct {
	const char *name;
	void (*run)(void *ctx, char **rest);
} commands[] = {
	{ "keccak", do_keccak },
	{ "address", do_address },
	{ "recover", do_recover },
	{ "digest", do_digest },
	{ "key", do_key },
	{ "sign", do_sign },
	{ "transfer", do_transfer },
	{ "rlp", do_rlp },
};

static void
run(char *line)
{
	void *ctx = talloc_new(NULL);
	char *rest = line;
	const char *name = next(&rest);

	for (size_t i = 0; i < nitems(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].run(ctx, &rest);
			talloc_free(ctx);
			return;
		}
	}
	fprintf(stderr, "no such word: %s\n", name);
	exit(1);
}

int
main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		run(line);
	}
	free(line);
	return 0;
}
