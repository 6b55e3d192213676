#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * The one error type.  A function that takes a struct error returns 0 (or a pointer) when all went well; -1
 * (or NULL) always means that the error is filled.  The caller's fault is a code of errors.def and is not
 * logged here; our own fault is logged once, where it is first seen, and shows as ERR_internal or
 * ERR_unavailable.
 */

struct json_object;

enum error_code {
	ERR_none,
#define ERROR(name, status, text) ERR_##name,
#include "base/errors.def"
#undef ERROR
	ERR_count
};

struct error {
	enum error_code code;
	int retry_after_s;	     /* > 0: the answer carries Retry-After */
	struct json_object *details; /* owned; an object, or NULL */
};

/* Releases what the error holds and makes it empty.  Takes an empty one. */
void error_clear(struct error *err);

/* Fills the error (what it held before is released) and returns -1. */
int error_set(struct error *err, enum error_code code);

/* Adds a detail; takes ownership of value.  Returns -1, so that a refusal can end with it. */
int error_detail(struct error *err, const char *name, struct json_object *value);

/* Our own fault: logs the text with its place and fills the error with ERR_internal.  Returns -1. */
#define error_internal(err, ...) error_internal_at(err, __FILE__, __LINE__, __VA_ARGS__)
int error_internal_at(struct error *err, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A thing we need is away for now: logs a warning and fills the error with ERR_unavailable, retry in 1 s or
 * more. */
int error_unavailable(struct error *err, int retry_after_s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds a fault to details.fields of a validation error (spec 3); the first fault of a field stays.  Returns
 * -1. */
int error_field(struct error *err, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* True if details.fields names the field already. */
int error_has_field(const struct error *err, const char *field);

/* The code's name ("task_not_found"), HTTP status and sentence; static texts.  error_find: ERR_none if
 * unknown. */
const char *error_name(enum error_code code);
int error_status(enum error_code code);
const char *error_text(enum error_code code);
enum error_code error_find(const char *name);

#endif
