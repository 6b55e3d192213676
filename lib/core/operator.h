#ifndef CORE_OPERATOR_H
#define CORE_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/fields.h"
#include "base/id.h"

/* Operators: sign-up, profile, identity check, rating, search (spec 3). */

struct db;
struct db_rows;
struct error;

extern const char *const operator_kyc_statuses[]; /* PENDING, VERIFIED, REJECTED, NULL */

struct operator_place {
	const char *city, *country;
	double lat, lng;
	bool has_lat, has_lng;
};

struct operator_new {
	const char *name, *email, *phone;
	struct operator_place place;
	struct text_list skills; /* task types; none: all */
	bool has_skills;
};

/* An operator.  (The whole word is one of C++'s own, which clang-format takes it for.) */
struct oper {
	struct id id;
	const char *name, *email, *phone, *city, *country, *skills_json, *kyc_status, *kyc_note;
	bool has_position, is_suspended;
	double lat, lng, rating; /* rating 0: none yet */
	int rating_count;
	int64_t kyc_ms, created_ms;
};

struct operator_found {
	struct id id;
	const char *name, *skills_json;
	double rating, lat, lng, distance_km; /* position rounded to about 1 km */
	int rating_count;
};

struct operator_query {
	double lat, lng, radius_km, min_rating;
	bool has_lat, has_lng, has_radius, has_rating;
	const char *task_type;
	int64_t limit;
};

/*
 * Signs an operator up.  subject: "issuer subject" of the token that did it, NULL in development without one.
 * Within a transaction.  Fails: operator_exists (this subject has one already).
 */
int operator_register(struct db *db, const void *ctx, const char *subject, const struct operator_new *in,
    const char *kyc, int64_t now_ms, struct oper *out, struct error *err);

/* The operator that a token's subject belongs to.  0 with a nil id if there is none. */
int operator_of_subject(struct db *db, const char *subject, struct id *id, struct error *err);

/* Texts hang on ctx.  Fails: operator_not_found. */
int operator_find(struct db *db, const void *ctx, struct id id, struct oper *out, struct error *err);

/* Changes what is given; the rest stays. */
int operator_update(
    struct db *db, const void *ctx, struct id id, const struct operator_new *in, struct oper *out, struct error *err);

/* The verdict on the identity; note for the operator, may be NULL.  Fails: operator_not_found. */
int operator_kyc(struct db *db, const void *ctx, struct id id, const char *status, const char *note, int64_t now_ms,
    struct oper *out, struct error *err);

/*
 * The same by the vendor's signed call, whose body has that hash.  *is_news: false for a call that was heeded before, even
 * if another verdict has come since, and for a verdict that stands already.  Fails: operator_not_found.
 */
int operator_kyc_call(struct db *db, struct id id, const char *status, const char *note, const uint8_t body_hash[32],
    int64_t now_ms, bool *is_news, struct error *err);

int operator_suspend(struct db *db, const void *ctx, struct id id, bool is_suspended, int64_t now_ms, struct oper *out,
    struct error *err);

int operator_rate(struct db *db, struct id id, int rating, struct error *err);

/* Verified operators near a place, nearest first. */
int operator_search(struct db *db, const void *ctx, const struct operator_query *query, struct operator_found **out,
    size_t *count, struct error *err);

/* For staff; kyc NULL: all. */
int operator_list(struct db *db, const void *ctx, const char *kyc, int64_t limit, int64_t offset, struct oper **out,
    size_t *count, struct error *err);

#endif
