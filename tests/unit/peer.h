#ifndef TESTS_PEER_H
#define TESTS_PEER_H

/*
 * A small server for tests of what goes out: a forked child on loopback, at a port of the system's choice. It
 * takes one connection after the other and lets `talk` play the other side; what was said to it lies in
 * shared memory.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
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
	if (fd < 0 || bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
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

/* Child: serves TLS with a certificate for 127.0.0.1 that it signs itself; NULL if the client hangs up on
 * that. */
static inline gnutls_session_t
peer_tls(int fd)
{
	gnutls_certificate_credentials_t credentials;
	unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_session_t session;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, bits, 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "127.0.0.1", 9);
	gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, "\x7f\0\0\1", 4, GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_certificate_set_x509_key(credentials, &crt, 1, key);
	gnutls_init(&session, GNUTLS_SERVER);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	return gnutls_handshake(session) == 0 ? session : NULL;
}

#endif
