#ifndef CORE_APIKEY_H
#define CORE_APIKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/fields.h"
#include "base/id.h"
#include "base/money.h"

/*
 * API keys: "ho_live_", a public handle of 12 characters that begins with the bucket, a secret of 40 characters (200 random
 * bits).  The database holds the handle and the SHA-256 of the whole key; the key itself is shown once and kept nowhere.
 */

struct db;
struct error;

enum {
	APIKEY_HANDLE_LEN = 12,
	APIKEY_SECRET_LEN = 40,
	APIKEY_TEXT_SIZE = 8 + 12 + 40 + 1,
	APIKEY_PREFIX_SIZE = 8 + 12 + 2 + 1,
	APIKEY_SCOPES = 4
};

extern const char *const apikey_scopes[APIKEY_SCOPES + 1]; /* read, tasks, funds, keys, NULL */

struct apikey_secret {
	char text[APIKEY_TEXT_SIZE]; /* wipe it when it has been shown */
	char handle[APIKEY_HANDLE_LEN + 1];
	uint8_t hash[SHA256_SIZE];
};

/* Who holds a key. */
struct apikey {
	struct id id, agent;
	char tier[16];
	bool has_scope[APIKEY_SCOPES];
	int64_t last_used_ms;
};

struct apikey_new {
	char *name;
	struct text_list scopes; /* none: all that the asking key has */
	usd_micros budget;
	bool has_budget;
	int64_t expires_ms; /* 0: never */
	bool has_expiry;
};

struct apikey_row {
	struct id id;
	char prefix[APIKEY_PREFIX_SIZE];
	const char *name, *scopes; /* scopes: a JSON list */
	bool has_budget;
	usd_micros budget;
	int64_t expires_ms, last_used_ms, created_ms;
};

/* A fresh key for a party of the bucket. */
void apikey_make(int bucket, struct apikey_secret *secret);

/* True if it begins as keys of ours do; says nothing about whether it is one. */
bool apikey_looks_right(const char *text);

/* What may be shown of a key: "ho_live_" and the handle, then "..". */
void apikey_prefix(const char *handle, char out[APIKEY_PREFIX_SIZE]);

/* Who holds this key?  Fails: unauthorized (malformed, unknown, revoked or expired: not told apart), agent_suspended. */
int apikey_check(struct db *db, const char *text, int64_t now_ms, struct apikey *key, struct error *err);

bool apikey_allows(const struct apikey *key, const char *scope);

/* Records a use; for after the answer. */
void apikey_touch(struct db *db, struct id key, int64_t now_ms);

/* Makes another key of the maker's agent.  Fails: scope_too_wide, key_limit_reached. */
int apikey_create(struct db *db, const struct apikey *maker, const struct apikey_new *in, int64_t now_ms, struct id *id,
    struct apikey_secret *secret, struct error *err);

/* The keys that still work, oldest first; texts and rows hang on ctx. */
int apikey_list(struct db *db, const void *ctx, struct id agent, int64_t now_ms, struct apikey_row **rows,
    size_t *count, struct error *err);

/* Ends a key at once.  Fails: key_not_found. */
int apikey_revoke(struct db *db, struct id agent, struct id key, int64_t now_ms, struct error *err);

#endif
