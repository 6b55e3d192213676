/*
 * How a request gets in: FastCGI by libfcgi, on our own socket under a supervisor (base/supervise.h) or on a
 * socket that another program left on standard input, or plain CGI by environment and standard streams.  What
 * a request means, and what its answer looks like, is the program's.
 */
#include <assert.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <talloc.h>
#include <unistd.h>
#include "base/log.h"
#include "base/supervise.h"
#include "http/gateway.h"

enum { WORKERS_DEFAULT = 4, WORKERS_MAX = 256, REQUESTS_MAX = 10000, EXIT_USAGE = 2, GIVEN_FD = 3 };

/* --- FastCGI --- */

struct fastcgi {
	FCGX_Request request;
	bool is_finished;
};

static const char *
fastcgi_variable(struct gateway *gateway, const char *name)
{
	struct fastcgi *fastcgi = gateway->state;

	return fastcgi->is_finished ? NULL : FCGX_GetParam(name, fastcgi->request.envp);
}

static long
fastcgi_read(struct gateway *gateway, void *buf, size_t size)
{
	struct fastcgi *fastcgi = gateway->state;
	int got;

	assert(size <= INT_MAX);
	if (fastcgi->is_finished)
		return -1;
	got = FCGX_GetStr(buf, (int)size, fastcgi->request.in);
	return FCGX_GetError(fastcgi->request.in) != 0 ? -1 : got;
}

static int
fastcgi_write(struct gateway *gateway, const void *data, size_t len)
{
	struct fastcgi *fastcgi = gateway->state;

	assert(len <= INT_MAX);
	if (fastcgi->is_finished)
		return -1;
	return FCGX_PutStr(data, (int)len, fastcgi->request.out) == (int)len ? 0 : -1;
}

/* Also closes a connection that the web server would keep: held by an idle one, a worker serves nobody. */
static void
fastcgi_finish(struct gateway *gateway)
{
	struct fastcgi *fastcgi = gateway->state;

	if (fastcgi->is_finished)
		return;
	fastcgi->is_finished = true;
	FCGX_Finish_r(&fastcgi->request);
	FCGX_Free(&fastcgi->request, 1);
}

/* True if a connection waits.  TERM and INT are blocked but for this wait: none comes too early or late. */
static bool
wait_for_connection(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigdelset(&mask, SIGTERM);
	sigdelset(&mask, SIGINT);
	return ppoll(&poll_fd, 1, NULL, &mask) == 1;
}

/* One connection: 0 if a request was served or another worker was faster, -1 if the socket is of no use. */
static int
serve_connection(const struct gateway_program *program, void *opened, struct fastcgi *fastcgi, int workers, int *served)
{
	struct gateway gateway = {
		.variable = fastcgi_variable,
		.read = fastcgi_read,
		.write = fastcgi_write,
		.finish = fastcgi_finish,
		.workers = workers,
		.state = fastcgi,
	};
	int rc = FCGX_Accept_r(&fastcgi->request);

	if (rc == -EAGAIN || rc == -EINTR || rc == -ECONNABORTED)
		return 0;
	if (rc < 0) {
		log_text(LOG_LEVEL_ERROR, "accept_failed", "%s", rc > -4096 ? strerror(-rc) : "libfcgi gave up");
		return -1;
	}
	fastcgi->is_finished = false;
	program->handle(opened, &gateway);
	gateway.finish(&gateway);
	(*served)++;
	return 0;
}

/* A worker.  The socket does not block, so that one whom a sibling has forestalled goes back to its wait. */
static int
serve_socket(const struct gateway_program *program, int fd, int workers)
{
	struct fastcgi fastcgi = { .is_finished = true };
	void *opened = program->open(program->arg);
	int served = 0, rc = 0;
	sigset_t ours;

	if (opened == NULL)
		return EXIT_FAILURE;
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fastcgi.request, fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		rc = -1;
	/* Asked before each wait: a socket with work never lets ppoll get to the signal. */
	while (rc == 0 && served < REQUESTS_MAX && !supervise_stopping()) {
		if (wait_for_connection(fd))
			rc = serve_connection(program, opened, &fastcgi, workers, &served);
	}
	program->close(opened);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- Plain CGI --- */

struct cgi {
	size_t unread; /* of the body; a server need not close standard input behind it (RFC 3875, 4.2) */
	bool is_finished;
};

static const char *
cgi_variable(struct gateway *gateway, const char *name)
{
	(void)gateway;
	return getenv(name);
}

static long
cgi_read(struct gateway *gateway, void *buf, size_t size)
{
	struct cgi *cgi = gateway->state;
	size_t want = size < cgi->unread ? size : cgi->unread, got;

	if (want == 0)
		return 0;
	got = fread(buf, 1, want, stdin);
	cgi->unread -= got;
	return got == 0 ? -1 : (long)got;
}

static int
cgi_write(struct gateway *gateway, const void *data, size_t len)
{
	struct cgi *cgi = gateway->state;

	return !cgi->is_finished && fwrite(data, 1, len, stdout) == len ? 0 : -1;
}

/* The server sees the end of the answer; descriptor 1 stays taken, so that no connection gets its number. */
static void
cgi_finish(struct gateway *gateway)
{
	struct cgi *cgi = gateway->state;
	int null;

	if (cgi->is_finished)
		return;
	cgi->is_finished = true;
	fflush(stdout);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

static int
serve_cgi(const struct gateway_program *program)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct cgi cgi = { .unread = length != NULL ? strtoul(length, NULL, 10) : 0 };
	struct gateway gateway = {
		.variable = cgi_variable,
		.read = cgi_read,
		.write = cgi_write,
		.finish = cgi_finish,
		.state = &cgi,
	};
	void *opened = program->open(program->arg);

	if (opened == NULL)
		return EXIT_FAILURE;
	program->handle(opened, &gateway);
	gateway.finish(&gateway);
	program->close(opened);
	return EXIT_SUCCESS;
}

/* --- The socket --- */

static int
refuse(const char *path, const char *why)
{
	log_text(LOG_LEVEL_ERROR, "listen_failed", "%s: %s", path, why);
	return -1;
}

/* Makes way at the path: removes a socket that nobody listens on, and nothing else. */
static int
remove_stale(const char *path, const struct sockaddr_un *address)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : refuse(path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse(path, "there is a file that is no socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refuse(path, strerror(errno));
	rc = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 ? errno : 0;
	close(fd);
	if (rc != ECONNREFUSED)
		return refuse(path, rc == 0 || rc == EAGAIN ? "another program listens there" : strerror(rc));
	return unlink(path) == 0 ? 0 : refuse(path, strerror(errno));
}

static int
bind_socket(const char *path, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;
	mode_t mask;

	if (fd < 0)
		return refuse(path, strerror(errno));
	mask = umask(0177); /* 0600 from its first moment */
	rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
	umask(mask);
	if (rc != 0 || listen(fd, SOMAXCONN) != 0) {
		refuse(path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* The folder, locked until closed: of two programs started at once, neither removes the other's socket. */
static int
lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
	    slash == NULL ? talloc_strdup(NULL, ".") : talloc_strndup(NULL, path, (size_t)(slash - path) + 1);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	talloc_free(folder);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int lock, fd = -1;

	if (strlen(path) >= sizeof address.sun_path)
		return refuse(path, "the path of a socket can have at most 107 bytes");
	memcpy(address.sun_path, path, strlen(path) + 1);
	lock = lock_folder(path);
	if (lock < 0)
		return refuse(path, strerror(errno));
	if (remove_stale(path, &address) == 0)
		fd = bind_socket(path, &address);
	close(lock);
	return fd;
}

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/* Whether a service manager has made the socket for this process (sd_listen_fds(3)): 1, 0, or -1 if what it gives is not one. */
static int
is_given_socket(const char *path)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return 0; /* not set, or inherited from another program */
	if (strcmp(count, "1") != 0 || !is_listening(GIVEN_FD))
		return refuse(path, "the service manager has to give one listening socket");
	return 1;
}

/* --- The program --- */

struct listener {
	const struct gateway_program *program;
	int fd, workers;
	bool is_worker;
};

static int
listener_child(void *arg, int index)
{
	struct listener *listener = arg;

	(void)index;
	listener->is_worker = true;
	return serve_socket(listener->program, listener->fd, listener->workers);
}

static int
serve_path(const struct gateway_program *program, char **argv, const char *path, int workers)
{
	struct listener listener = { .program = program, .fd = supervise_inherited_fd(), .workers = workers };
	struct supervise supervise = {
		.name = program->name,
		.argv = argv,
		.workers = workers,
		.child = listener_child,
		.arg = &listener,
	};
	int rc, given = is_given_socket(path);

	if (listener.fd < 0 && given >= 0)
		listener.fd = given == 1 ? GIVEN_FD : listen_on(path);
	if (listener.fd < 0)
		return EXIT_FAILURE;
	supervise.fd = listener.fd;
	rc = supervise_run(&supervise);
	if (!listener.is_worker && given == 0)
		unlink(path); /* before the socket closes: as long as we listen, nobody else takes the path */
	close(listener.fd);
	return rc;
}

struct options {
	const char *path;
	int workers;
	bool is_check;
};

static int
read_options(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0) {
			options->is_check = true;
		} else if (strcmp(argv[i], "--listen") == 0 && i + 1 < argc) {
			options->path = argv[++i];
		} else if (strcmp(argv[i], "--workers") == 0 && i + 1 < argc) {
			char *end;
			long count = strtol(argv[++i], &end, 10);

			if (*end != '\0' || count < 1 || count > WORKERS_MAX)
				return -1;
			options->workers = (int)count;
		} else {
			return -1;
		}
	}
	return options->path != NULL || options->is_check ? 0 : -1;
}

int
gateway_main(int argc, char **argv, const struct gateway_program *program)
{
	struct options options = { .workers = WORKERS_DEFAULT };

	signal(SIGPIPE, SIG_IGN); /* a client that leaves is an answer to write(2), no reason to die */
	if (argc < 2 && is_listening(STDIN_FILENO)) {
		supervise_catch();
		return serve_socket(program, STDIN_FILENO, 0);
	}
	/* Before the arguments: some servers pass the words of a query as such (RFC 3875, 4.4). */
	if (getenv("REQUEST_METHOD") != NULL)
		return serve_cgi(program);
	if (read_options(argc, argv, &options) != 0) {
		fprintf(stderr,
		    "usage: %s --listen PATH [--workers N] | --check\n"
		    "or, started by a web server: FastCGI socket on standard input, or CGI\n",
		    argv[0]);
		return EXIT_USAGE;
	}
	return options.is_check ? EXIT_SUCCESS : serve_path(program, argv, options.path, options.workers);
}
