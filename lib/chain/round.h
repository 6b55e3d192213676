#ifndef CHAIN_ROUND_H
#define CHAIN_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chain/chain.h"

/* One operation on the chain as a round of questions to its endpoints; used by chain.c alone. */

enum { ROUND_NAME_SIZE = 128, ROUND_ANSWER_SIZE = 256 };

/* Of what an endpoint is told in the log at most once a minute. */
enum trouble { TROUBLE_DOWN, TROUBLE_DISAGREES, TROUBLE_LAGS, TROUBLE_COUNT };

struct endpoint {
	struct rpc rpc;
	char name[ROUND_NAME_SIZE];	/* scheme and host: keys stand behind them */
	int64_t told_ms[TROUBLE_COUNT]; /* 0: never */
	int64_t hung_ms; /* monotonic: when it last had no answer in all its time; 0: it has had one since */
};

struct chain {
	struct endpoint endpoints[CHAIN_ENDPOINTS];
	size_t count;
	int64_t chain_id;
	struct eth_address token;
};

struct round {
	struct chain *chain;
	const char *what; /* for the log; static text */
	void *scratch;
	bool is_in[CHAIN_ENDPOINTS];
};

/* Begins with all endpoints that answer and are of our chain. */
struct round round_begin(struct chain *chain, const char *what);

/* Ends it and frees its scratch: 0, or -1 with chain_unavailable where nothing is known. */
int round_end(struct round *round, bool is_known, struct error *err);

/* The next endpoint that takes part, from i on; CHAIN_ENDPOINTS behind the last. */
size_t round_next(const struct round *round, size_t i);
bool round_has_any(const struct round *round);
struct rpc *round_rpc(struct round *round, size_t i);

/* This endpoint has no say in the rest of the round. */
void round_drop(struct round *round, size_t i, const char *problem);

/* Drops it for any result but OK; true if it stays. */
bool round_keeps(struct round *round, size_t i, enum rpc_result rc);

/* Tells that those who take part say different things about something, and what. */
void round_disagree(struct round *round, const char *about, char answers[CHAIN_ENDPOINTS][ROUND_ANSWER_SIZE]);

/* Asks for the newest block of each; heads[i] is set for those that stay. */
void round_heads(struct round *round, int64_t heads[CHAIN_ENDPOINTS]);

#endif
