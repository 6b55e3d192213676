#ifndef CORE_LLM_H
#define CORE_LLM_H

/* The Guardian by language model (spec 7): asks over HTTPS, believes only answers of the agreed form. */

struct config;
struct guardian_proof;
struct guardian_screening;
struct guardian_task;
struct guardian_verdict;
struct rules_evidence;

enum llm_answer {
	LLM_ANSWERED,  /* the answer has the agreed form */
	LLM_MALFORMED, /* there is an answer, and it makes no sense */
	LLM_AWAY,      /* no answer, an error, a refusal: another attempt may do better */
};

/* May this task exist?  *screening is filled when ANSWERED. */
enum llm_answer llm_screen(const struct config *config, const void *ctx, const struct guardian_task *task,
    struct guardian_screening *screening);

/*
 * Does the proof meet the requirements?  When ANSWERED, confidence, reasoning and results of *verdict are the
 * model's own; caps and decision are the caller's.  retry_after_s: when AWAY, how long to wait; 0: not said.
 */
enum llm_answer llm_verify(const struct config *config, const void *ctx, const struct guardian_task *task,
    const struct guardian_proof *proof, const struct rules_evidence *evidence, struct guardian_verdict *verdict,
    int *retry_after_s);

#endif
