#ifndef TESTS_PEER_H
#define TESTS_PEER_H

/*
 * A small server for tests of what goes out: a forked child on loopback, at a port of the system's choice. It
 * takes one connection after the other and lets `talk` play the other side; what was said to it lies in
 * shared memory.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer_seen {
	int connections;
	size_t len;
	char bytes[256 * 1024]; /* NUL-terminated: what clients sent, one after the other */
};

struct peer {
	pid_t pid;
	int port;
	struct peer_seen *seen;
};

typedef void (*peer_talk)(int fd, struct peer_seen *seen, const void *arg);

/* A listening socket on 127.0.0.1 or ::1; port 0: any. */
static inline int
peer_listen(int family, int *port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((in_port_t)*port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((in_port_t)*port) };
	struct sockaddr_storage bound;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6, len) != 0 ||
	    listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
		perror("peer_listen");
		abort();
	}
	memcpy(family == AF_INET ? (void *)&v4 : (void *)&v6, &bound, len);
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

static inline struct peer
peer_start(int family, peer_talk talk, const void *arg)
{
	struct peer peer = { 0 };
	pid_t parent = getpid();
	int fd = peer_listen(family, &peer.port), client;

	peer.seen = mmap(NULL, sizeof(*peer.seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(peer.seen != MAP_FAILED);
	peer.pid = fork();
	assert(peer.pid >= 0);
	if (peer.pid > 0) {
		close(fd);
		return peer;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	while (getppid() == parent && (client = accept(fd, NULL, NULL)) >= 0) {
		peer.seen->connections++;
		talk(client, peer.seen, arg);
		close(client);
	}
	_exit(0);
}

static inline void
peer_stop(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	munmap(peer->seen, sizeof(*peer->seen));
}

/* Child: reads once and notes it; what came, 0 at the end. */
static inline size_t
peer_read(int fd, struct peer_seen *seen)
{
	size_t room = sizeof(seen->bytes) - 1 - seen->len;
	ssize_t n = read(fd, seen->bytes + seen->len, room);

	if (n <= 0)
		return 0;
	seen->len += (size_t)n;
	seen->bytes[seen->len] = '\0';
	return (size_t)n;
}

/* Child: writes all; -1 when the client is gone. */
static inline int
peer_write(int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static inline int
peer_say(int fd, const char *text)
{
	return peer_write(fd, text, strlen(text));
}

#endif
