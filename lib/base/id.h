#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Identifiers: UUID version 7 (RFC 9562) whose 12 rand_a bits begin with the 10 bits of the bucket
 * (database.md), so that any id tells where its row lies.  Outside they are a prefix and 26 characters of
 * lower-case base 32 (Crockford's alphabet, 0-9 a-z without i l o u), most significant first: task_01jk…; in
 * SQL they are uuid.
 */

enum { ID_BUCKETS = 1024, ID_TEXT_SIZE = 40, ID_UUID_SIZE = 37 };

enum id_kind {
	ID_AGENT,
	ID_KEY,
	ID_TASK,
	ID_OPERATOR,
	ID_TRANSACTION,
	ID_PAYOUT,
	ID_MESSAGE,
	ID_EVENT,
	ID_DELIVERY,
	ID_SCREENING,
	ID_REQUEST,
	ID_PAYMENT, /* of a fiat deposit */
	ID_KINDS
};

struct id {
	uint8_t bytes[16];
};

/*
 * A new id in a bucket (0..1023), ordered by time; ids made later in one process never sort before earlier
 * ones, unless the clock was set back by more than an hour.
 */
struct id id_new(int bucket, int64_t now_ms);

/* A random bucket, for a party that signs up. */
int id_bucket_random(void);

/* The bucket of a value that must be unique everywhere (database.md R3): a SHA-256 of "kind:value". */
int id_bucket_of(const char *kind, const char *value);

int id_bucket(struct id id);
bool id_is_nil(struct id id);
bool id_equal(struct id a, struct id b);

/* With its prefix, "task_…".  id_parse: 0, or -1 for another prefix, length, letter, or a value that is no
 * version 7. */
void id_print(enum id_kind kind, struct id id, char out[ID_TEXT_SIZE]);
int id_parse(enum id_kind kind, const char *text, struct id *id);

/* As SQL writes it, 8-4-4-4-12 in lower case.  id_from_uuid takes either case; -1 if it is no UUID at all. */
void id_print_uuid(struct id id, char out[ID_UUID_SIZE]);
int id_from_uuid(const char *text, struct id *id);

/*
 * A mailed token: UUID version 8 (RFC 9562) whose first 10 bits are the bucket and whose other 112 free bits
 * are random.  id_token_bucket: -1 if the text is no such UUID.
 */
void id_token(int bucket, char out[ID_UUID_SIZE]);
int id_token_bucket(const char *text);

#endif
