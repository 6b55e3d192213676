#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/*
 * JSON to struct by a table, naming every fault at once (spec 3).  Strict: UTF-8, one value, at most 16
 * levels deep, no repeated name at any level, no unknown name, no value of another type, no NUL in a text.
 */

struct error;

enum field_type {
	FIELD_TEXT,    /* char *; min and max in code points after trimming; one line unless FIELD_LINES */
	FIELD_SECRET,  /* char *; as FIELD_TEXT, taken as it is without trimming, any characters but NUL */
	FIELD_MONEY,   /* usd_micros; whole cents unless FIELD_MICROS; min and max in usd_micros */
	FIELD_NUMBER,  /* double; min and max as whole numbers */
	FIELD_INT,     /* int64_t; 25 and 25.0 alike */
	FIELD_BOOL,    /* bool */
	FIELD_TIME,    /* int64_t, ms since 1970; RFC 3339 text */
	FIELD_CHOICE,  /* char *; one of choices */
	FIELD_CHOICES, /* struct text_list; each one of choices, none twice, at least one (an empty list is a
			  fault) */
	FIELD_TEXTS,   /* struct text_list; 1 to max_items texts, each as FIELD_TEXT */
	FIELD_OBJECT,  /* the sub-table's fields, at offset */
};

enum { FIELD_REQUIRED = 1, FIELD_LINES = 2, FIELD_MICROS = 4 };

struct text_list {
	char **items;
	size_t count;
};

/*
 * One field.  A JSON null counts as absent.  has: where a bool goes that tells whether it was there (0: none;
 * texts and lists are NULL when absent, so they need none).  min == max == 0: no limits.
 */
struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;
	int64_t min, max;
	size_t has;
	const char *const *choices; /* ends in NULL */
	size_t max_items;
	const struct field *sub;
	size_t sub_count;
};

/*
 * Reads a JSON object into *out, which the caller has zeroed; texts hang on ctx.
 * Fails: body_invalid (not JSON: details.reason, details.offset), or validation_failed with every faulty
 * field by its path
 * ("location.lat", "proof_requirements[2]"); fields without a fault are in *out then too, so that a caller
 * can go on looking for faults of meaning with error_field and refuse all at once.
 */
int fields_read(const void *ctx, const char *json, size_t len, const struct field *fields, size_t count, void *out,
    struct error *err);

/*
 * The same for a query string (application/x-www-form-urlencoded): a text is read by the field's type;
 * objects and lists are not for it.  An unknown or a repeated name is a fault.
 */
int fields_read_query(
    const void *ctx, const char *query, const struct field *fields, size_t count, void *out, struct error *err);

#endif
