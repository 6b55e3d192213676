#ifndef CORE_PROOF_H
#define CORE_PROOF_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/fields.h"
#include "base/id.h"
#include "core/task.h"

/* Proof: uploaded files with their evidence, and what an operator hands in for a task (spec 3, submit by proof type). */

struct config;
struct db;
struct error;
struct json_object;

enum { PROOF_PHOTOS_MAX = 20 };

extern const char *const proof_algorithms[]; /* ECDH-P256-AES-256-GCM, NULL */

/* What an operator hands in. */
struct proof_input {
	struct text_list photos; /* links that uploads were answered with */
	const char *notes, *confirmation, *reference_url;
	const char *ciphertext, *iv, *ephemeral_key, *algorithm;
	int64_t created_ms;
	bool has_credential;
};

/* A file that has come in. */
struct proof_file {
	struct id oper, task; /* task nil: not said */
	const char *stored, *original, *media_type;
	int64_t size;
	uint8_t sha256[SHA256_SIZE];
	bool has_hash;
	uint64_t hash;		      /* perceptual */
	struct json_object *evidence; /* borrowed; proof_add adds is_reused and is_similar to it */
};

/* An upload as its operator is told of it. */
struct proof_upload {
	struct id id;
	const char *stored, *media_type; /* ctx's */
	int64_t size;
	struct json_object *evidence; /* the caller puts it */
};

/*
 * The same bytes by the same operator for the same task are the same upload, with what was said of it first: an answer that was
 * lost on its way is given again, and no second file is kept.  1: it is in *out, and no leftover for another week; 0: there is
 * none; -1.
 */
int proof_same(struct db *db, const void *ctx, struct id oper, struct id task, const uint8_t *sha256, int64_t now_ms,
    struct proof_upload *out, struct error *err);

/* Records a file before its bytes are stored, so that none lies in the store that no row names; gives the row's id. */
int proof_add(struct db *db, const struct proof_file *file, int64_t now_ms, struct id *id, struct error *err);

/* Its bytes are stored.  *out: what the operator has now, which is another upload if the same came in at the same instant. */
int proof_stored(struct db *db, const void *ctx, struct id oper, struct id id, int64_t now_ms, struct proof_upload *out,
    struct error *err);

/*
 * Checks what is handed in against the task's proof type and the operator's own uploads, and makes what is stored: the
 * proof, and for credential types the ciphertext.  The caller puts both.  err may hold faults of the form already.
 * Fails: validation_failed.
 */
int proof_make(struct db *db, const void *ctx, struct id oper, const struct task *task, const struct proof_input *in,
    int64_t now_ms, struct json_object **proof, struct json_object **credential, struct error *err);

/* A task's proof for an answer, files as links that work for an hour; NULL if there is none.  The caller's. */
struct json_object *proof_view(const void *ctx, const struct config *config, const struct task *task, int64_t now_ms);

/* A link to a stored file that works for an hour; talloc'ed. */
char *proof_link(const void *ctx, const struct config *config, const char *stored, int64_t now_ms);

/* Metres between two places (great circle). */
double proof_distance_m(double lat1, double lng1, double lat2, double lng2);

#endif
