#ifndef NET_STORAGE_H
#define NET_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"

/*
 * Where proof files live: a folder of this host (config.upload_dir), or a bucket of an S3-compatible store
 * (R2_…), which then is the only one.  A file has a random name that tells nothing; type, size and owner are
 * the database's.
 */

struct config;
struct error;
struct storage;

enum { STORAGE_NAME_SIZE = 33 }; /* 32 lower-case hex digits */

/* Opens nothing yet.  Owner: ctx; config must outlive it. */
struct storage *storage_open(const void *ctx, const struct config *config);

/* A new name.  storage_name_ok: true for texts that could be one; all else is refused everywhere below. */
void storage_name(char out[STORAGE_NAME_SIZE]);
bool storage_name_ok(const char *name);

/* Stores the whole file, or nothing; it is safe on disk when this returns.  mime: kept by a bucket. */
int storage_put(struct storage *storage, const char *name, int fd, const char *mime, struct error *err);

/* A descriptor to read the file from its beginning, which the caller closes, and its size; -1: not_found … */
int storage_get(struct storage *storage, const char *name, int64_t *size, struct error *err);

/* Removes the file; one that is gone already is no error. */
int storage_delete(struct storage *storage, const char *name, struct error *err);

/*
 * A link to a file that works until a time (seconds since 1970):
 * base/api/v1/files/NAME?expires=…&signature=…, HMAC-SHA256 over name and time.  storage_link_ok: true if we
 * made it and it has not expired; constant time.
 */
char *storage_link(
    const void *ctx, const char *base_url, const char *name, int64_t expires_s, const uint8_t key[SEAL_KEY_SIZE]);
bool storage_link_ok(
    const char *name, int64_t expires_s, const char *signature, int64_t now_ms, const uint8_t key[SEAL_KEY_SIZE]);

#endif
