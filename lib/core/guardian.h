#ifndef CORE_GUARDIAN_H
#define CORE_GUARDIAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/fields.h"

/*
 * The Guardian (spec 7): may this task exist, and does this proof meet its requirements.  Asks the embedded
 * rules (core/policy.h, core/rules.h) and, where one is configured, a language model (core/llm.h), whose word
 * counts only as far as the evidence goes.  Knows no database: the caller fills the question and keeps the
 * answer.
 */

struct config;
struct error;
struct json_object;

enum {
	GUARDIAN_APPROVE_FROM = 90, /* confidence of an approval … */
	GUARDIAN_REVIEW_FROM = 50,  /* … and of a review; what lies below is a rejection (spec 4) */
	GUARDIAN_PHOTOS_SHOWN = 5,  /* to a model: the first photos that have data */
};

/* A position on earth in degrees; is_known false: none. */
struct guardian_place {
	bool is_known;
	double lat, lng;
};

/* What the agent wants.  Texts may be NULL where a task has none. */
struct guardian_task {
	const char *title, *description, *digital_instructions;
	const char *task_type, *proof_type; /* as core/category.h names them */
	struct text_list requirements;
	struct guardian_place place;
	int64_t deadline_ms;
};

/* One uploaded file and what is known of it. */
struct guardian_photo {
	uint8_t sha256[SHA256_SIZE]; /* of the original */
	const char *type;	     /* of data: image/jpeg, image/png, image/webp; others are not shown to a model */
	const void *data;	     /* a copy scaled down to at most 2 MiB; NULL: not shown to a model */
	size_t data_len;
	const char *file_name, *exif_text;    /* as uploaded, NULL: none; searched for instructions, never passed on */
	struct guardian_place exif_place;     /* written by the camera */
	struct guardian_place reported_place; /* said by the uploading device */
	int64_t exif_time_ms;		      /* when the camera says that it was taken; 0: not known */
	bool has_exif_zone;		      /* false: exif_time_ms is local time read as UTC, up to 14 hours off */
	int64_t captured_at_ms;		      /* said by the uploading device; 0: not known */
	bool is_reused;			      /* the same file proved something before */
	bool is_near_duplicate;		      /* a picture like it did */
};

/* What the operator has handed in. */
struct guardian_proof {
	const struct guardian_photo *photos;
	size_t photo_count;
	const char *notes, *confirmation_text, *reference_url; /* NULL: none */
	bool has_credential; /* a sealed one, of the form that spec 9 describes; nobody but the agent can open
				it */
	int64_t accepted_ms, submitted_ms;
};

enum guardian_decision { GUARDIAN_APPROVE, GUARDIAN_MANUAL_REVIEW, GUARDIAN_REJECT };

struct guardian_result {
	const char *requirement; /* of the task */
	bool is_met;
	const char *note;
};

/* All texts hang on the context that the verdict was asked for with. */
struct guardian_verdict {
	enum guardian_decision decision; /* follows from confidence, always */
	int confidence;			 /* 0 to 100 */
	const char *reasoning;
	struct guardian_result *results; /* one for each requirement, in their order */
	size_t result_count;
	const char *source; /* rules, anthropic, openai */
};

/* Whether a task may exist.  Texts are static or hang on the context. */
struct guardian_screening {
	bool is_allowed;
	const char *category; /* when it may not: as core/policy.h names them */
	const char *rule;     /* the policy rule's id, or "model" */
	const char *reason;   /* a sentence for the agent */
};

/*
 * May this task exist?  0, or -1 with policy_violation (details: category, rule, reason); *screening is
 * filled either way.  The policy's rules come first and a model can only add to what they forbid; a model
 * that is away, refuses or makes no sense has no say.  Takes up to 8 seconds where a model is configured.
 */
int guardian_screen(const struct config *config, const void *ctx, const struct guardian_task *task,
    struct guardian_screening *screening, struct error *err);

/* Identifies what is screened, whatever its spelling tricks: the same text need not be asked about again. */
void guardian_fingerprint(const struct guardian_task *task, uint8_t out[SHA256_SIZE]);

/*
 * Does the proof meet the requirements?  0 with a verdict; -1 with ERR_unavailable: the model is away or
 * refuses, try again (err->retry_after_s) and in the end call guardian_give_up.  Takes up to 60 seconds where
 * a model is configured, so never inside a database transaction.
 */
int guardian_verify(const struct config *config, const void *ctx, const struct guardian_task *task,
    const struct guardian_proof *proof, struct guardian_verdict *verdict, struct error *err);

/* The verdict when no model could be reached for too long: a review by hand, or a rejection where the
 * evidence says so. */
void guardian_give_up(const void *ctx, const struct guardian_task *task, const struct guardian_proof *proof,
    struct guardian_verdict *verdict);

enum guardian_decision guardian_decide(int confidence);
const char *guardian_decision_name(enum guardian_decision decision);

/*
 * As stored in guardian_result and shown to the agent: {"decision", "confidence", "reasoning", "source",
 * "requirements": [{"requirement", "met", "note"}]}.  The caller puts it.
 */
struct json_object *guardian_json(const struct guardian_verdict *verdict);

#endif
