/*
 * The embedded verifier.  It cannot see what a picture shows; it counts what speaks for a proof and what
 * speaks against it, by the two tables below.  Points are the confidence of a verdict without a model; caps
 * hold for everybody's.  What a picture shows is for a model (llm.c) or a person.
 */
#include "core/rules.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#include "base/phrase.h"
#include "base/text.h"
#include "core/category.h"
#include "core/guardian.h"
#include "core/policy.h"

#define EARTH_RADIUS_M 6371008.8
#define DEGREE (3.14159265358979323846 / 180)

enum {
	NEAR_M = 200,		      /* of the task's place: taken there */
	FAR_M = 2000,		      /* beyond it: taken elsewhere */
	CLOCK_SLACK_MS = 10 * 60000,  /* of a camera's clock */
	ZONE_SLACK_MS = 14 * 3600000, /* of a camera's clock that does not tell its zone */
	WORDS_LEAST = 20,	      /* characters of a confirmation that says anything */
	WORDS_DETAILED = 100,	      /* … and of one that goes into detail */
	WORD_BYTES = 4,		      /* shorter words tell nothing about relevance */
	PHOTOS_MOST = 20,	      /* that can be handed in (spec 3) */
	REVIEW_AT_MOST = GUARDIAN_APPROVE_FROM - 1,
};

enum fact {
	HAS_PROOF,
	IS_SEALED,
	MEETS_COUNTS,
	IS_NEW,
	EXIF_IS_NEAR,
	REPORT_IS_NEAR,
	EXIF_IS_TIMELY,
	REPORT_IS_TIMELY,
	WORDS_FIT,
	WORDS_ARE_DETAILED,
	HAS_REFERENCE,
	NO_PROOF,
	IS_REUSED,
	IS_FAR,
	IS_SIMILAR,
	IS_UNTIMELY,
	WORDS_ARE_FEW,
	IS_NEITHER,
	IS_UNPLACED,
	LACKS_COUNTS,
	INSTRUCTS,
	FACTS
};

/*
 * What each fact is worth.  Points add up: a photo of the right number, new, with the camera's own position
 * and time, reaches 95 and so an approval; with the device's word alone it stays a review, and so do
 * screenshots and words. A sealed credential can be opened by nobody but the agent: that it came, in time and
 * in form, is all there will ever be to check, so it passes, and the hold is there for the rest.  cap 0:
 * none.
 */
static const struct {
	int points, cap; /* of a cap, 1 more than the highest confidence, so that 0 means none */
	const char *sentence;
} weights[FACTS] = {
	[HAS_PROOF] = { 40, 0, "Proof of the right kind was handed in." },
	[IS_SEALED] = { 50, 0, "The credential was handed in sealed for the agent." },
	[MEETS_COUNTS] = { 15, 0, "There is enough of it for every requirement." },
	[IS_NEW] = { 5, 0, "No picture was used as proof before." },
	[EXIF_IS_NEAR] = { 20, 0, "The camera recorded a position within 200 m of the task's place." },
	[REPORT_IS_NEAR] = { 10, 0, "The device reported a position within 200 m of the task's place." },
	[EXIF_IS_TIMELY] = { 15, 0, "The camera recorded a time between acceptance and submission." },
	[REPORT_IS_TIMELY] = { 5, 0, "The device reported a time between acceptance and submission." },
	[WORDS_FIT] = { 5, 0, "The text speaks of what the task is about." },
	[WORDS_ARE_DETAILED] = { 5, 0, "The text goes into detail." },
	[HAS_REFERENCE] = { 5, 0, "A reference is given." },
	[NO_PROOF] = { 0, 1, "There is no proof of the kind that the task asks for." },
	[IS_REUSED] = { 0, 20 + 1, "A picture was used as proof before." },
	[IS_FAR] = { 0, 40 + 1, "A picture was taken more than 2 km from the task's place." },
	[IS_SIMILAR] = { 0, 60 + 1, "A picture resembles one that was used as proof before." },
	[IS_UNTIMELY] = { 0, 60 + 1, "A picture was not taken between acceptance and submission." },
	[WORDS_ARE_FEW] = { 0, REVIEW_AT_MOST + 1, "The confirmation says next to nothing." },
	[IS_NEITHER] = { 0, REVIEW_AT_MOST + 1, "A picture was taken between 200 m and 2 km from the task's place." },
	[IS_UNPLACED] = { 0, REVIEW_AT_MOST + 1, "Nothing tells where the pictures were taken." },
	[LACKS_COUNTS] = { 0, REVIEW_AT_MOST + 1, "There is not enough of it for every requirement." },
	[INSTRUCTS] = { 0, REVIEW_AT_MOST + 1, "The proof tries to tell the reviewer how to decide." },
};

/* What a requirement asks for, by its words. */
static const char position_phrases[] = "gps*|geotag*|geo tag*|location stamp*";
static const char time_phrases[] = "timestamp*|time stamp*|date stamp*";
static const char picture_phrases[] = "photo|photos|photograph|photographs|picture|pictures|image|images|"
				      "screenshot|screenshots|snapshot|snapshots|"
				      "screen capture|pic|pics";
static const char *const number_words[] = { "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten" };

/* The question, made ready. */
struct case_file {
	const struct guardian_task *task;
	const struct guardian_proof *proof;
	struct phrase_text *task_text, *words; /* of the proof */
	size_t photos;			       /* different ones */
	bool has[FACTS];
};

/* Metres between two places on a sphere, which is right to half a percent. */
static double
distance_m(const struct guardian_place *a, const struct guardian_place *b)
{
	double sin_lat = sin((b->lat - a->lat) * DEGREE / 2), sin_lng = sin((b->lng - a->lng) * DEGREE / 2);
	double h = sin_lat * sin_lat + cos(a->lat * DEGREE) * cos(b->lat * DEGREE) * sin_lng * sin_lng;

	return 2 * EARTH_RADIUS_M * asin(fmin(1, sqrt(h)));
}

static bool
is_credential(const struct guardian_task *task)
{
	const struct category *category = category_find(task->task_type);

	return category != NULL && category->is_credential;
}

static bool
wants_pictures(const struct guardian_task *task)
{
	return strcmp(task->proof_type, "PHOTO") == 0 || strcmp(task->proof_type, "SCREENSHOT") == 0;
}

/* Files that differ; the same one twice is one. */
static size_t
count_photos(const struct guardian_proof *proof)
{
	size_t count = 0;

	for (size_t i = 0; i < proof->photo_count; i++) {
		bool is_first = true;

		for (size_t j = 0; j < i; j++)
			is_first =
			    is_first && memcmp(proof->photos[i].sha256, proof->photos[j].sha256, SHA256_SIZE) != 0;
		count += is_first;
	}
	return count;
}

static void
weigh_place(struct case_file *file, const struct guardian_photo *photo)
{
	const struct guardian_place *place = photo->exif_place.is_known ? &photo->exif_place : &photo->reported_place;
	double metres;

	if (!place->is_known)
		return;
	metres = distance_m(&file->task->place, place);
	if (!(metres <= FAR_M)) /* also what is no number */
		file->has[IS_FAR] = true;
	else if (metres > NEAR_M)
		file->has[IS_NEITHER] = true;
	else
		file->has[photo->exif_place.is_known ? EXIF_IS_NEAR : REPORT_IS_NEAR] = true;
}

static void
weigh_time(struct case_file *file, const struct guardian_photo *photo)
{
	int64_t slack = photo->exif_time_ms != 0 && !photo->has_exif_zone ? ZONE_SLACK_MS : CLOCK_SLACK_MS;
	int64_t at = photo->exif_time_ms != 0 ? photo->exif_time_ms : photo->captured_at_ms;

	if (at == 0)
		return;
	if (at < file->proof->accepted_ms - slack || at > file->proof->submitted_ms + slack)
		file->has[IS_UNTIMELY] = true;
	else
		file->has[photo->exif_time_ms != 0 ? EXIF_IS_TIMELY : REPORT_IS_TIMELY] = true;
}

static void
weigh_photos(struct case_file *file)
{
	for (size_t i = 0; i < file->proof->photo_count; i++) {
		const struct guardian_photo *photo = &file->proof->photos[i];

		file->has[IS_REUSED] = file->has[IS_REUSED] || photo->is_reused;
		file->has[IS_SIMILAR] = file->has[IS_SIMILAR] || photo->is_near_duplicate;
		if (file->task->place.is_known)
			weigh_place(file, photo);
		if (strcmp(file->task->proof_type, "PHOTO") == 0)
			weigh_time(file, photo);
	}
	file->has[IS_NEW] = file->photos > 0 && !file->has[IS_REUSED] && !file->has[IS_SIMILAR];
	/* What the camera says stands for what the device says as well. */
	file->has[REPORT_IS_NEAR] = file->has[REPORT_IS_NEAR] && !file->has[EXIF_IS_NEAR];
	file->has[REPORT_IS_TIMELY] = file->has[REPORT_IS_TIMELY] && !file->has[EXIF_IS_TIMELY];
	file->has[IS_UNPLACED] = file->task->place.is_known && wants_pictures(file->task) && !file->has[EXIF_IS_NEAR] &&
				 !file->has[REPORT_IS_NEAR] && !file->has[IS_NEITHER] && !file->has[IS_FAR];
}

static void
weigh_words(struct case_file *file)
{
	const char *text = file->proof->confirmation_text;
	char *trimmed = text_trim(NULL, text != NULL ? text : "");
	size_t len = text_length(trimmed);

	talloc_free(trimmed);
	file->has[WORDS_FIT] = phrase_common(file->words, file->task_text, WORD_BYTES) > 0;
	if (strcmp(file->task->proof_type, "CONFIRMATION") == 0) {
		file->has[HAS_PROOF] = len > 0;
		file->has[WORDS_ARE_FEW] = len > 0 && len < WORDS_LEAST;
		file->has[WORDS_ARE_DETAILED] = len >= WORDS_DETAILED;
	} else if (is_credential(file->task)) {
		file->has[HAS_PROOF] = file->has[IS_SEALED] = file->proof->has_credential;
	} else {
		file->has[HAS_PROOF] = file->photos > 0;
	}
	file->has[HAS_REFERENCE] = file->proof->reference_url != NULL && *file->proof->reference_url != '\0';
	file->has[NO_PROOF] = !file->has[HAS_PROOF];
}

/* The number before the word for a picture, in letters; 0 if there is none. */
static size_t
number_in_letters(const struct phrase_text *text)
{
	for (size_t i = 0; i < nitems(number_words); i++) {
		const char *word = number_words[i];
		char phrases[256];

		snprintf(phrases, sizeof(phrases),
		    "%s photo*|%s picture*|%s image*|%s screenshot*|%s clear photo*|%s different photo*", word, word,
		    word, word, word, word);
		if (phrase_find(text, phrases))
			return i + 2;
	}
	return 0;
}

/* The same in digits. */
static size_t
number_in_digits(const char *requirement)
{
	static const char *const stems[] = { "photo", "picture", "image", "screenshot" };
	const char *at = requirement + strcspn(requirement, "0123456789");
	char *end = NULL;
	unsigned long number = strtoul(at, &end, 10);

	end += strspn(end, " ");
	for (size_t i = 0; i < nitems(stems); i++) {
		if (strncasecmp(end, stems[i], strlen(stems[i])) == 0)
			return number <= PHOTOS_MOST ? number : PHOTOS_MOST;
	}
	return 0;
}

/* How many pictures a requirement asks for: none, one, or a number. */
static size_t
pictures_wanted(const struct phrase_text *text, const char *requirement)
{
	size_t letters = number_in_letters(text), digits = number_in_digits(requirement);

	if (letters > 0 || digits > 0)
		return letters > digits ? letters : digits;
	return phrase_find(text, picture_phrases);
}

/* As far as can be told without looking; *note says why not, or how far it was told. */
static bool
is_met(const struct case_file *file, const char *requirement, const char **note)
{
	struct phrase_text *text = phrase_read(NULL, &requirement, 1);
	size_t wanted = pictures_wanted(text, requirement);
	bool wants_position = phrase_find(text, position_phrases), wants_time = phrase_find(text, time_phrases);

	bool is_photo = strcmp(file->task->proof_type, "PHOTO") == 0;

	talloc_free(text);
	if (file->has[NO_PROOF])
		*note = "No proof was handed in.";
	else if (file->has[WORDS_ARE_FEW])
		*note = "The confirmation says next to nothing.";
	else if (wants_pictures(file->task) && wanted > file->photos)
		*note = "Fewer pictures than asked for.";
	else if (is_photo && wants_position && file->task->place.is_known && !file->has[EXIF_IS_NEAR] &&
		 !file->has[REPORT_IS_NEAR])
		*note = "No picture bears a position at the place.";
	else if (is_photo && wants_time && !file->has[EXIF_IS_TIMELY] && !file->has[REPORT_IS_TIMELY])
		*note = "No picture bears a time within the task.";
	else {
		*note = "Handed in; what it shows was not looked at.";
		return true;
	}
	return false;
}

static void
weigh_requirements(struct case_file *file)
{
	bool is_all = true;

	for (size_t i = 0; i < file->task->requirements.count; i++) {
		const char *note;

		is_all = is_met(file, file->task->requirements.items[i], &note) && is_all;
	}
	file->has[MEETS_COUNTS] = is_all && !file->has[NO_PROOF];
	file->has[LACKS_COUNTS] = !is_all;
}

/* Everything that the operator may have written, what no model gets to see included. */
static bool
is_instructing(const struct guardian_proof *proof)
{
	enum { FIXED = 3, EACH = 2 };
	const size_t count = FIXED + EACH * proof->photo_count;
	const char **texts = talloc_zero_size(NULL, count * sizeof(*texts));
	struct phrase_text *text;
	bool is_found;

	assert(texts != NULL);
	texts[0] = proof->notes;
	texts[1] = proof->confirmation_text;
	texts[2] = proof->reference_url;
	for (size_t i = 0; i < proof->photo_count; i++) {
		texts[FIXED + EACH * i] = proof->photos[i].file_name;
		texts[FIXED + EACH * i + 1] = proof->photos[i].exif_text;
	}
	text = phrase_read(texts, texts, count);
	is_found = policy_instructs(text);
	talloc_free(texts);
	return is_found;
}

static void
file_open(void *ctx, const struct guardian_task *task, const struct guardian_proof *proof, struct case_file *file)
{
	const char *const words[] = { proof->notes, proof->confirmation_text };

	*file = (struct case_file){ .task = task, .proof = proof, .photos = count_photos(proof) };
	file->task_text = policy_text(ctx, task);
	file->words = phrase_read(ctx, words, nitems(words));
	weigh_photos(file);
	weigh_words(file);
	weigh_requirements(file);
	file->has[INSTRUCTS] = is_instructing(proof);
}

void
rules_weigh(const struct guardian_task *task, const struct guardian_proof *proof, struct rules_evidence *evidence)
{
	void *scratch = talloc_new(NULL);
	struct case_file file;

	assert(scratch != NULL);
	file_open(scratch, task, proof, &file);
	*evidence = (struct rules_evidence){ .cap = 100 };
	for (size_t i = 0; i < FACTS; i++) {
		if (!file.has[i])
			continue;
		evidence->points += weights[i].points;
		if (weights[i].cap > 0 && weights[i].cap - 1 < evidence->cap) {
			evidence->cap = weights[i].cap - 1;
			evidence->cap_reason = weights[i].sentence;
		}
		evidence->facts[evidence->fact_count++] = weights[i].sentence;
	}
	if (evidence->points > 100)
		evidence->points = 100;
	evidence->is_sealed = is_credential(task);
	evidence->is_task_instructing = policy_instructs(file.task_text);
	talloc_free(scratch);
}

void
rules_verify(const void *ctx, const struct guardian_task *task, const struct guardian_proof *proof,
    const struct rules_evidence *evidence, struct guardian_verdict *verdict)
{
	void *scratch = talloc_new(NULL);
	char *reasoning = talloc_strdup(ctx, "");
	struct case_file file;

	file_open(scratch, task, proof, &file);
	verdict->confidence = evidence->points;
	verdict->result_count = task->requirements.count;
	verdict->results = talloc_zero_size(ctx, (verdict->result_count + 1) * sizeof(*verdict->results));
	assert(verdict->results != NULL);
	for (size_t i = 0; i < verdict->result_count; i++) {
		struct guardian_result *result = &verdict->results[i];

		result->requirement = talloc_strdup(ctx, task->requirements.items[i]);
		result->is_met = is_met(&file, task->requirements.items[i], &result->note);
	}
	for (size_t i = 0; i < evidence->fact_count; i++)
		reasoning = talloc_asprintf_append(reasoning, "%s%s", i > 0 ? " " : "", evidence->facts[i]);
	assert(reasoning != NULL);
	verdict->reasoning = reasoning;
	verdict->source = "rules";
	talloc_free(scratch);
}
