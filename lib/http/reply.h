#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/money.h"

/* An answer being built.  The reply_… functions add a member to a JSON object; a missing value (NULL, nil, 0)
 * is null. */

struct json_object;
struct request;

void reply_text(struct json_object *object, const char *name, const char *value);
void reply_bool(struct json_object *object, const char *name, bool value);
void reply_int(struct json_object *object, const char *name, int64_t value);
/* The shortest form that reads back. */
void reply_real(struct json_object *object, const char *name, double value);
void reply_money(struct json_object *object, const char *name, usd_micros value); /* exact decimal; 0 is 0 */
void reply_time(struct json_object *object, const char *name, int64_t ms);
void reply_id(struct json_object *object, const char *name, enum id_kind kind, struct id id);
/* Takes ownership of value. */
void reply_json(struct json_object *object, const char *name, struct json_object *value);

/* A header line of the answer. */
void reply_header(struct request *rq, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* An answer that is no JSON (a page, CSV); copies the bytes. */
void reply_raw(struct request *rq, const char *content_type, const char *data, size_t len);

/* An answer that is a file: its first `size` bytes, read from a descriptor at its beginning.  Fails: internal. */
int reply_file(struct request *rq, const char *content_type, int fd, size_t size);

/* Turns the reply into the request's error (spec 3); reply_send does so by itself. */
void reply_error(struct request *rq);

/* Writes the answer: the reply or raw bytes with the status, or, with status -1, the error's status and body
 * (spec 3). */
int reply_send(struct request *rq, int status);

#endif
