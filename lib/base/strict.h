#ifndef BASE_STRICT_H
#define BASE_STRICT_H

#include <stddef.h>

/*
 * JSON taken strictly (RFC 8259, RFC 7493): UTF-8, one object, at most 16 levels, numbers and strings as the
 * grammar has them, no lone surrogates, no name twice in an object however it is spelt.
 */

struct error;
struct json_object;

/*
 * The object, which the caller puts; NULL with body_invalid (details.reason, details.offset) if it is none.
 * Repeated names are faults of fields (error_field): the object is returned nevertheless, so that all faults
 * can be named at once. Texts may hold U+0000.  Numbers keep their text (json_object_get_string) but for
 * whole ones beyond 64 bits.
 */
struct json_object *strict_parse(const char *json, size_t len, struct error *err);

#endif
