#ifndef UNIT_NODE_H
#define UNIT_NODE_H

/*
 * An Ethereum node for tests of what we believe of one: a peer (peer.h) that answers JSON-RPC as the test tells it, also between two
 * calls.  A rule is a part of the request's body and what is answered to it: a result in JSON; after '!' an error object;
 * after '=' the whole body as it stands, with $ID for the call's id.  The rule told last comes first.
 */
#include <poll.h>
#include <stdbool.h>
#include <talloc.h>
#include "peer.h"

enum { NODE_RULES = 24, NODE_MATCH = 128, NODE_ANSWER = 16 * 1024 };

enum node_mood { NODE_ANSWERS, NODE_HANGS, NODE_HANGS_UP, NODE_FLOODS };

struct node_stage {
	enum node_mood mood;
	char status[64]; /* "200 OK" */
	size_t flood;	 /* bytes of a flood, each of them flood_text's next */
	char flood_text[64];
	int rule_count;
	struct {
		char match[NODE_MATCH], answer[NODE_ANSWER];
	} rules[NODE_RULES];
	int request_count;
	char request[64 * 1024]; /* the last one's body */
};

struct node {
	struct node_stage *stage;
	struct peer peer;
	char url[128];
};

/* Child: the request's body into the stage; false if the client is gone. */
static inline bool
node_read(int fd, struct node_stage *stage)
{
	static char bytes[128 * 1024];
	size_t len = 0, want = 0;
	const char *body = NULL;

	while (body == NULL || len < (size_t)(body - bytes) + want) {
		ssize_t n = read(fd, bytes + len, sizeof(bytes) - 1 - len);
		const char *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		bytes[len] = '\0';
		if (body == NULL && (body = strstr(bytes, "\r\n\r\n")) != NULL) {
			body += 4;
			length = strstr(bytes, "Content-Length: ");
			want = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
		}
	}
	snprintf(stage->request, sizeof(stage->request), "%s", body);
	stage->request_count++;
	return true;
}

/* Child: the body for a request. */
static inline void
node_body(const struct node_stage *stage, char *out, size_t size)
{
	const char *id_text = strstr(stage->request, "\"id\":"), *answer = "!{\"code\":-32601,\"message\":\"no rule\"}",
		   *place;
	unsigned long id = id_text == NULL ? 0 : strtoul(id_text + 5, NULL, 10);

	for (int i = stage->rule_count - 1; i >= 0; i--) {
		if (strstr(stage->request, stage->rules[i].match) != NULL) {
			answer = stage->rules[i].answer;
			break;
		}
	}
	if (answer[0] == '=' && (place = strstr(answer, "$ID")) != NULL)
		snprintf(out, size, "%.*s%lu%s", (int)(place - answer - 1), answer + 1, id, place + 3);
	else if (answer[0] == '=')
		snprintf(out, size, "%s", answer + 1);
	else
		snprintf(out, size, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"%s\":%s}", id,
		    answer[0] == '!' ? "error" : "result", answer + (answer[0] == '!'));
}

static inline void
node_talk(int fd, struct peer_seen *seen, const void *arg)
{
	static char body[2 * NODE_ANSWER], head[256], chunk[64 * 64];
	struct node_stage *stage = *(struct node_stage *const *)arg;
	struct pollfd gone = { .fd = fd, .events = POLLRDHUP };
	size_t text_len = strlen(stage->flood_text), len;

	seen->len = 0;
	if (!node_read(fd, stage) || stage->mood == NODE_HANGS_UP)
		return;
	if (stage->mood == NODE_HANGS) {
		poll(&gone, 1, -1);
		return;
	}
	node_body(stage, body, sizeof(body));
	len = stage->mood == NODE_FLOODS ? stage->flood : strlen(body);
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nContent-Type: application/json\r\n\r\n",
	    stage->status, len);
	peer_say(fd, head);
	if (stage->mood == NODE_ANSWERS) {
		peer_say(fd, body);
		return;
	}
	for (size_t i = 0; i + text_len <= sizeof(chunk); i += text_len)
		memcpy(chunk + i, stage->flood_text, text_len);
	len = sizeof(chunk) / text_len * text_len;
	for (size_t done = 0; done < stage->flood; done += len) {
		if (peer_write(fd, chunk, stage->flood - done < len ? stage->flood - done : len) != 0)
			return;
	}
}

/* What it answers from now on to a request that holds `match`. */
static inline void
node_say(struct node *node, const char *match, const char *answer)
{
	struct node_stage *stage = node->stage;
	int i = 0;

	while (i < stage->rule_count && strcmp(stage->rules[i].match, match) != 0)
		i++;
	if (i == NODE_RULES || strlen(match) >= NODE_MATCH || strlen(answer) >= NODE_ANSWER)
		abort();
	strcpy(stage->rules[i].match, match);
	strcpy(stage->rules[i].answer, answer);
	if (i == stage->rule_count)
		stage->rule_count++;
}

static inline void
node_start(struct node *node)
{
	node->stage = mmap(NULL, sizeof(*node->stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(node->stage != MAP_FAILED);
	strcpy(node->stage->status, "200 OK");
	strcpy(node->stage->flood_text, " ");
	node->peer = peer_start(AF_INET, node_talk, &node->stage);
	snprintf(node->url, sizeof(node->url), "http://127.0.0.1:%d/v2/secret-api-key", node->peer.port);
}

static inline void
node_stop(struct node *node)
{
	peer_stop(&node->peer);
	munmap(node->stage, sizeof(*node->stage));
}

/* `good` with the first `old` replaced, talloc'ed; "" for old and new: as it is. */
static inline char *
node_variant(const void *ctx, const char *good, const char *old, const char *new)
{
	const char *at = strstr(good, old);

	if (at == NULL) {
		fprintf(stderr, "no \"%s\" in the answer\n", old);
		abort();
	}
	return talloc_asprintf(ctx, "%.*s%s%s", (int)(at - good), good, new, at + strlen(old));
}

#endif
