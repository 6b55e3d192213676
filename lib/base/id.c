/*
 * Identifiers: made, taken apart, printed and read.  What a bucket is for is in the database's rules; which
 * kind an id is of is known by whoever holds it, since the 128 bits do not say.
 */
#include "base/id.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/crypto.h"
#include "base/text.h"

enum { ID_DIGITS = 26, CLOCK_SET_BACK_MS = 3600000 };

static const char *const prefixes[ID_KINDS] = {
	[ID_AGENT] = "agent_",
	[ID_KEY] = "key_",
	[ID_TASK] = "task_",
	[ID_OPERATOR] = "op_",
	[ID_TRANSACTION] = "txn_",
	[ID_PAYOUT] = "payout_",
	[ID_MESSAGE] = "msg_",
	[ID_EVENT] = "evt_",
	[ID_DELIVERY] = "del_",
	[ID_SCREENING] = "scr_",
	[ID_REQUEST] = "req_",
	[ID_PAYMENT] = "pay_",
};

static uint64_t
random_bits(int bits)
{
	uint64_t value;

	crypto_random(&value, sizeof(value));
	return value >> (64 - bits);
}

/* Milliseconds, bucket and a tail of 64 bits: 2 of them behind the bucket, 62 behind the variant (RFC
 * 9562, 5.7). */
static struct id
assemble(int64_t ms, int bucket, uint64_t tail)
{
	struct id id;

	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | bucket >> 6);
	id.bytes[7] = (uint8_t)((bucket & 0x3f) << 2 | (int)(tail >> 62));
	for (int i = 8; i < 16; i++)
		id.bytes[i] = (uint8_t)(tail >> (120 - 8 * i));
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	return id;
}

/*
 * What holds: of two ids that one process makes, whatever their buckets, the later one is the greater.  In a
 * millisecond and bucket the tail grows by a random step; where that is not enough, since the bucket stands
 * before the tail, the id takes the next millisecond, so that a busy process may run a little ahead of the
 * clock (RFC 9562, 6.2).  A clock that was set back by more than an hour begins anew.  Every step is fresh
 * from the kernel: a process and its fork do not make the same id.
 */
struct id
id_new(int bucket, int64_t now_ms)
{
	static int64_t last_ms;
	static int last_bucket;
	static uint64_t last_tail;
	uint64_t tail;

	assert(bucket >= 0 && bucket < ID_BUCKETS && now_ms >= 0 && now_ms < INT64_C(1) << 48);
	if (now_ms < last_ms && last_ms - now_ms <= CLOCK_SET_BACK_MS)
		now_ms = last_ms;
	if (now_ms == last_ms && bucket == last_bucket &&
	    !__builtin_add_overflow(last_tail, 1 + random_bits(48), &tail)) {
		last_tail = tail;
		return assemble(now_ms, bucket, tail);
	}
	if (now_ms == last_ms && bucket <= last_bucket)
		now_ms++;
	last_ms = now_ms;
	last_bucket = bucket;
	last_tail = random_bits(63); /* its highest bit is room to grow */
	return assemble(last_ms, last_bucket, last_tail);
}

int
id_bucket_random(void)
{
	return (int)random_bits(10);
}

/* The first 10 bits of the hash. */
int
id_bucket_of(const char *kind, const char *value)
{
	char *text = talloc_asprintf(NULL, "%s:%s", kind, value);
	uint8_t hash[SHA256_SIZE];

	assert(text != NULL);
	crypto_sha256(text, strlen(text), hash);
	talloc_free(text);
	return hash[0] << 2 | hash[1] >> 6;
}

int
id_bucket(struct id id)
{
	return (id.bytes[6] & 0x0f) << 6 | id.bytes[7] >> 2;
}

bool
id_is_nil(struct id id)
{
	return id_equal(id, (struct id){ { 0 } });
}

bool
id_equal(struct id a, struct id b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static bool
is_version(struct id id, int version)
{
	return id.bytes[6] >> 4 == version && id.bytes[8] >> 6 == 2;
}

/* 26 digits hold 130 bits: two zero bits stand before the id's 128. */
void
id_print(enum id_kind kind, struct id id, char out[ID_TEXT_SIZE])
{
	uint8_t shifted[17] = { 0 };

	assert(kind >= 0 && kind < ID_KINDS);
	for (size_t i = 0; i < sizeof(id.bytes); i++) {
		shifted[i] = (uint8_t)(shifted[i] | id.bytes[i] >> 2);
		shifted[i + 1] = (uint8_t)(id.bytes[i] << 6);
	}
	text_base32(shifted, ID_DIGITS, stpcpy(out, prefixes[kind]));
}

int
id_parse(enum id_kind kind, const char *text, struct id *id)
{
	size_t prefix = strlen(prefixes[kind]);
	struct id read = { { 0 } };

	if (strncmp(text, prefixes[kind], prefix) != 0 || strlen(text + prefix) != ID_DIGITS || text[prefix] > '7')
		return -1;
	for (int i = 0; i < ID_DIGITS; i++) {
		int digit = text_unbase32_digit(text[prefix + (size_t)i]);

		if (digit < 0)
			return -1;
		for (int bit = 0; bit < 5; bit++) {
			int at = i * 5 + bit - 2;

			if (at >= 0 && digit & 0x10 >> bit)
				read.bytes[at / 8] = (uint8_t)(read.bytes[at / 8] | 0x80 >> at % 8);
		}
	}
	if (!is_version(read, 7))
		return -1;
	*id = read;
	return 0;
}

void
id_print_uuid(struct id id, char out[ID_UUID_SIZE])
{
	static const int groups[] = { 4, 2, 2, 2, 6 };
	const uint8_t *bytes = id.bytes;

	for (size_t i = 0; i < nitems(groups); i++) {
		text_hex(bytes, (size_t)groups[i], out);
		bytes += groups[i];
		out += 2 * groups[i];
		if (i + 1 < nitems(groups))
			*out++ = '-';
	}
}

int
id_from_uuid(const char *text, struct id *id)
{
	char hex[2 * sizeof(id->bytes) + 1];
	struct id read;
	size_t n = 0;

	if (strlen(text) != ID_UUID_SIZE - 1)
		return -1;
	for (size_t i = 0; i < ID_UUID_SIZE - 1; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash != (text[i] == '-'))
			return -1;
		if (!is_dash)
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	if (text_unhex(hex, read.bytes, sizeof(read.bytes)) != sizeof(read.bytes))
		return -1;
	*id = read;
	return 0;
}

void
id_token(int bucket, char out[ID_UUID_SIZE])
{
	struct id id;

	assert(bucket >= 0 && bucket < ID_BUCKETS);
	crypto_random(id.bytes, sizeof(id.bytes));
	id.bytes[0] = (uint8_t)(bucket >> 2);
	id.bytes[1] = (uint8_t)((bucket & 3) << 6 | (id.bytes[1] & 0x3f));
	id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	id_print_uuid(id, out);
}

int
id_token_bucket(const char *text)
{
	struct id id;

	if (id_from_uuid(text, &id) || !is_version(id, 8))
		return -1;
	return id.bytes[0] << 2 | id.bytes[1] >> 6;
}
