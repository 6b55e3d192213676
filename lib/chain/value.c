/*
 * QUANTITY and DATA.  What a node may write where, and what it means, is rpc.c's.
 */
#include "chain/value.h"

#include <assert.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/text.h"

enum { WORD = 32, WORD_DIGITS = 2 * WORD };

/* A JSON text without U+0000; NULL for anything else. */
static const char *
text_of(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

int
value_word(struct json_object *value, uint8_t out[WORD])
{
	char digits[WORD_DIGITS + 1];
	const char *text = text_of(value);
	uint8_t word[WORD];
	size_t count;

	if (text == NULL || strncmp(text, "0x", 2) != 0)
		return -1;
	count = strlen(text + 2);
	if (count == 0 || count > WORD_DIGITS)
		return -1;
	memset(digits, '0', WORD_DIGITS);
	memcpy(digits + WORD_DIGITS - count, text + 2, count);
	digits[WORD_DIGITS] = '\0';
	if (text_unhex(digits, word, sizeof(word)) != WORD)
		return -1;
	memcpy(out, word, sizeof(word));
	return 0;
}

int
value_uint64(struct json_object *value, uint64_t *out)
{
	uint8_t word[WORD] = { 0 };
	uint64_t number = 0;
	size_t i;

	if (value_word(value, word))
		return -1;
	for (i = 0; i < WORD - sizeof(number); i++) {
		if (word[i] != 0)
			return -1;
	}
	for (; i < WORD; i++)
		number = number << 8 | word[i];
	*out = number;
	return 0;
}

int
value_number(struct json_object *value, int64_t *out)
{
	uint64_t number = 0;

	if (value_uint64(value, &number) || number > VALUE_NUMBER_MAX)
		return -1;
	*out = (int64_t)number;
	return 0;
}

int
value_hash(struct json_object *value, struct eth_hash *out)
{
	const char *text = text_of(value);

	return text == NULL ? -1 : eth_hash_parse(text, out);
}

int
value_address(struct json_object *value, struct eth_address *out)
{
	const char *text = text_of(value);

	return text == NULL || eth_address_parse(text, out) != 0 ? -1 : 0;
}

int
value_data(struct json_object *value, uint8_t *out, size_t size, size_t *len)
{
	const char *text = text_of(value);
	uint8_t *bytes;
	size_t count;
	int rc = -1;

	if (text == NULL || strncmp(text, "0x", 2) != 0)
		return -1;
	count = strlen(text + 2) / 2;
	bytes = talloc_size(NULL, count + 1);
	assert(bytes != NULL);
	if (text_unhex(text + 2, bytes, count) >= 0) {
		memcpy(out, bytes, count < size ? count : size);
		*len = count;
		rc = 0;
	}
	talloc_free(bytes);
	return rc;
}

struct json_object *
value_of_number(uint64_t number)
{
	char text[2 + 2 * sizeof(number) + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_object_new_string(text);
}

struct json_object *
value_of_data(const void *data, size_t len)
{
	char *text = talloc_size(NULL, 2 + 2 * len + 1);
	struct json_object *value;

	assert(text != NULL);
	text[0] = '0';
	text[1] = 'x';
	text_hex(data, len, text + 2);
	value = json_object_new_string(text);
	talloc_free(text);
	return value;
}

struct json_object *
value_of_hash(struct eth_hash hash)
{
	return value_of_data(hash.bytes, sizeof(hash.bytes));
}

struct json_object *
value_of_address(struct eth_address address)
{
	return value_of_data(address.bytes, sizeof(address.bytes));
}
