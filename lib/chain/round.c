/*
 * Rounds of questions to the endpoints of a chain, and what the log hears of them.  One that fails has no say in the
 * rest of its round: one that hangs costs a timeout, not one for each question, and much less from then on
 * until it answers again; none is believed in half.
 */
#include "chain/round.h"

#include <assert.h>
#include <json-c/json.h>
#include <string.h>
#include <talloc.h>

#include "base/error.h"
#include "base/log.h"
#include "base/now.h"

enum {
	LAG_MAX = 30, /* blocks between two heads: past that it is told */
	RETRY_S = 5,
	HUNG_MS = 60 * 1000,  /* so long one that hung is waited for no longer than … */
	HUNG_PART = 8,	      /* … this part of the time: it would hold up all who ask, each for the whole of it */
	QUIET_MS = 60 * 1000, /* between two lines of the log about the same trouble */
};

/* True if this trouble of an endpoint was not told within the last minute; it counts as told then. */
static bool
is_news(struct endpoint *endpoint, enum trouble trouble)
{
	int64_t now = now_monotonic_ms(), *told = &endpoint->told_ms[trouble];

	if (*told != 0 && now - *told < QUIET_MS)
		return false;
	*told = now;
	return true;
}

static struct json_object *
log_fields(const struct round *round)
{
	struct json_object *fields = json_object_new_object();

	json_object_object_add(fields, "call", json_object_new_string(round->what));
	return fields;
}

void
round_drop(struct round *round, size_t i, const char *problem)
{
	struct endpoint *endpoint = &round->chain->endpoints[i];
	struct json_object *fields;

	round->is_in[i] = false;
	if (!is_news(endpoint, TROUBLE_DOWN))
		return;
	fields = log_fields(round);
	json_object_object_add(fields, "endpoint", json_object_new_string(endpoint->name));
	json_object_object_add(fields, "problem", json_object_new_string(problem));
	log_event(LOG_LEVEL_WARNING, "chain_endpoint_down", fields);
}

/* The first question.  Whoever hangs with that hangs with all; a later one may only be hard to answer. */
static enum rpc_result
ask_chain_id(struct endpoint *endpoint, const void *ctx, int64_t *id)
{
	struct rpc rpc = endpoint->rpc;
	int64_t now = now_monotonic_ms();
	bool is_suspect = endpoint->hung_ms != 0 && now - endpoint->hung_ms < HUNG_MS;
	enum rpc_result rc;

	if (is_suspect)
		rpc.timeout_ms /= HUNG_PART;
	rc = rpc_chain_id(&rpc, ctx, id);
	if (!rpc.has_hung)
		endpoint->hung_ms = 0;
	else if (!is_suspect)
		endpoint->hung_ms = now;
	memcpy(endpoint->rpc.problem, rpc.problem, sizeof(rpc.problem));
	return rc;
}

struct round
round_begin(struct chain *chain, const char *what)
{
	struct round round = { .chain = chain, .what = what, .scratch = talloc_new(NULL) };

	assert(round.scratch != NULL);
	for (size_t i = 0; i < chain->count; i++) {
		struct endpoint *endpoint = &chain->endpoints[i];
		enum rpc_result rc;
		int64_t id = 0;

		round.is_in[i] = true;
		rc = ask_chain_id(endpoint, round.scratch, &id);
		if (rc != RPC_OK)
			round_drop(&round, i, rc == RPC_ABSENT ? "no chain id" : endpoint->rpc.problem);
		else if (id != chain->chain_id)
			round_drop(&round, i, "it is of another chain");
	}
	return round;
}

int
round_end(struct round *round, bool is_known, struct error *err)
{
	talloc_free(round->scratch);
	if (is_known)
		return 0;
	error_set(err, ERR_chain_unavailable);
	err->retry_after_s = RETRY_S;
	return -1;
}

size_t
round_next(const struct round *round, size_t i)
{
	while (i < CHAIN_ENDPOINTS && !round->is_in[i])
		i++;
	return i;
}

bool
round_has_any(const struct round *round)
{
	return round_next(round, 0) < CHAIN_ENDPOINTS;
}

struct rpc *
round_rpc(struct round *round, size_t i)
{
	return &round->chain->endpoints[i].rpc;
}

bool
round_keeps(struct round *round, size_t i, enum rpc_result rc)
{
	if (rc != RPC_OK)
		round_drop(round, i, rc == RPC_ABSENT ? "it does not know that" : round_rpc(round, i)->problem);
	return rc == RPC_OK;
}

void
round_disagree(struct round *round, const char *about, char answers[CHAIN_ENDPOINTS][ROUND_ANSWER_SIZE])
{
	static const char *const names[CHAIN_ENDPOINTS] = { "first_endpoint", "second_endpoint" };
	static const char *const said[CHAIN_ENDPOINTS] = { "first", "second" };
	struct json_object *fields;
	bool is_told = true;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1))
		is_told = !is_news(&round->chain->endpoints[i], TROUBLE_DISAGREES) && is_told;
	if (is_told)
		return;
	fields = log_fields(round);
	json_object_object_add(fields, "about", json_object_new_string(about));
	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		const char *name = round->chain->endpoints[i].name;

		json_object_object_add(fields, names[i], json_object_new_string(name));
		json_object_object_add(fields, said[i], json_object_new_string(answers[i]));
	}
	log_event(LOG_LEVEL_WARNING, "chain_disagreement", fields);
}

static void
note_lag(struct round *round, size_t i, int64_t head, int64_t other)
{
	struct endpoint *endpoint = &round->chain->endpoints[i];
	struct json_object *fields;

	if (!is_news(endpoint, TROUBLE_LAGS))
		return;
	fields = log_fields(round);
	json_object_object_add(fields, "endpoint", json_object_new_string(endpoint->name));
	json_object_object_add(fields, "head", json_object_new_int64(head));
	json_object_object_add(fields, "other_head", json_object_new_int64(other));
	log_event(LOG_LEVEL_WARNING, "chain_endpoint_lags", fields);
}

void
round_heads(struct round *round, int64_t heads[CHAIN_ENDPOINTS])
{
	int64_t least = INT64_MAX, most = 0;
	size_t slowest = 0;

	for (size_t i = round_next(round, 0); i < CHAIN_ENDPOINTS; i = round_next(round, i + 1)) {
		struct rpc_block block;

		if (!round_keeps(round, i, rpc_block(round_rpc(round, i), round->scratch, RPC_LATEST, &block)))
			continue;
		heads[i] = block.number;
		most = block.number > most ? block.number : most;
		if (block.number < least) {
			least = block.number;
			slowest = i;
		}
	}
	if (round_has_any(round) && most - least > LAG_MAX)
		note_lag(round, slowest, least, most);
}
