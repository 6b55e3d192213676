#ifndef HTTP_GATEWAY_H
#define HTTP_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How requests reach a program: FastCGI on a unix socket (with our own supervisor of pre-forked workers, or a
 * socket on standard input from spawn-fcgi or mod_fcgid), or plain CGI, one request and exit.
 */

/* One request as the web server hands it over; valid until the handler returns. */
struct gateway {
	/* A CGI variable ("REQUEST_METHOD", "HTTP_ACCEPT"), NULL if absent. */
	const char *(*variable)(struct gateway *gateway, const char *name);
	/* Reads up to size bytes of the body; 0 at its end, -1 if it broke off. */
	long (*read)(struct gateway *gateway, void *buf, size_t size);
	/* Writes to the answer; 0, or -1 if the client is gone. */
	int (*write)(struct gateway *gateway, const void *data, size_t len);
	/* Ends the answer: the client has it all when this returns.  Work may follow. */
	void (*finish)(struct gateway *gateway);
	int workers; /* how many processes serve this program's requests; 0: not known */
	void *state;
};

/* What a program does.  open runs once in each worker after the fork, as connections belong to one process;
 * NULL from it ends the worker. */
struct gateway_program {
	const char *name;
	void *(*open)(void *arg);
	void (*handle)(void *opened, struct gateway *gateway);
	void (*close)(void *opened);
	void *arg;
};

/*
 * Serves until told to stop; returns the exit status for main.
 * - `program --listen PATH [--workers N]`: supervisor: owns the socket (mode 0600), keeps N workers (default
 * 4), restarts those that die with back-off.  TERM or INT: workers finish their request, then all exit.  HUP:
 * runs `program --check`, and if that says 0 executes itself anew on the same socket: new workers first, then
 * the old ones finish and go; no request is lost.  Where a service manager has made the socket and says so (LISTEN_PID,
 * LISTEN_FDS=1: sd_listen_fds(3)), that one is served, and left where it is at the end.
 * - `program`, standard input a socket: one worker on that socket.
 * - `program --check`: exits 0 if the settings are good (main has read them by then).
 * - `program`: plain CGI; also with any arguments where REQUEST_METHOD is set, since some servers make
 * arguments of a query.
 *
 * A worker ends by itself after 10,000 requests, and with its supervisor.
 */
int gateway_main(int argc, char **argv, const struct gateway_program *program);

#endif
