/*
 * The supervisor of pre-forked children: start, replacement with back-off, stop, and renewal by exec.  It is
 * one loop over sigtimedwait(2) with its signals blocked, so that none is lost and nothing runs inside a
 * handler.  What the children do, and where the fd that survives a renewal comes from, is the caller's.
 *
 * A renewal keeps the process, so the old children stay its own and can be waited for.  Their pids and the fd
 * pass to the new image in one environment variable, "own pid:fd:pid,pid,…"; a pid that is no child of ours
 * is never touched.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "base/now.h"
#include "base/supervise.h"

#define HANDOVER "SUPERVISE_HANDOVER"

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 5000, STEADY_MS = 10000, STOP_MS = 25000, IDLE_MS = 3600 * 1000 };

struct worker {
	pid_t pid; /* 0: not running */
	int64_t started_ms;
	int64_t due_ms; /* not running: when to start it */
	int backoff_ms; /* what its next crash costs */
};

struct supervisor {
	const struct supervise *job;
	char *program; /* argv[0], absolute; not resolved, so that it finds what replaced the file */
	pid_t pid;
	struct worker *workers;
	pid_t *old; /* children of the image before this one, 0 once gone */
	size_t old_count;
	int64_t old_kill_ms;  /* when old ones that still run are killed; 0: not told to stop yet */
	pid_t check;	      /* the running --check, or 0 */
	bool is_check_wanted; /* HUP came while one was running */
	bool is_stopping;
	int64_t kill_ms;
	int stop_ms; /* from TERM to KILL */
};

/* Set by the handler alone: a signal that came between two waits must not be forgotten. */
static volatile sig_atomic_t is_told_to_stop;

static void
remember(int number)
{
	(void)number;
	is_told_to_stop = 1;
}

void
supervise_catch(void)
{
	struct sigaction action = { .sa_handler = remember }; /* no SA_RESTART: waits shall return */
	sigset_t ours;

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

bool
supervise_stopping(void)
{
	sigset_t pending;

	if (is_told_to_stop)
		return true;
	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static void
our_signals(sigset_t *set)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaddset(set, numbers[i]);
}

/* The list of pids behind "own pid:fd:", or NULL if this process was not handed anything. */
static const char *
handover(int *fd)
{
	const char *text = getenv(HANDOVER);
	char *end;

	*fd = -1;
	if (text == NULL || strtol(text, &end, 10) != (long)getpid() || *end != ':')
		return NULL; /* not set, or inherited from another supervisor */
	*fd = (int)strtol(end + 1, &end, 10);
	return *end == ':' ? end + 1 : NULL;
}

int
supervise_inherited_fd(void)
{
	int fd;

	handover(&fd);
	return fd;
}

static void
read_handover(struct supervisor *su)
{
	int fd;
	const char *list = handover(&fd);

	if (list == NULL)
		return;
	while (*list != '\0') {
		char *end;
		pid_t pid = (pid_t)strtol(list, &end, 10);

		if (end == list)
			break;
		su->old = talloc_realloc(su, su->old, pid_t, (unsigned)su->old_count + 1);
		assert(su->old != NULL);
		/* One that has ended is reaped here and now; one that is not ours is refused. */
		if (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0)
			su->old[su->old_count++] = pid;
		list = *end == ',' ? end + 1 : end;
	}
	log_text(LOG_LEVEL_INFO, "supervisor_renewed", "%zu children of the old program remain", su->old_count);
}

/* argv[0] made absolute: as it stands, below the working directory, or found along PATH as the shell did. */
static char *
find_program(const void *ctx, const char *name)
{
	const char *search = getenv("PATH");
	char *cwd = get_current_dir_name(), *path = NULL;

	if (name[0] == '/' || cwd == NULL)
		path = talloc_strdup(ctx, name);
	else if (strchr(name, '/') != NULL)
		path = talloc_asprintf(ctx, "%s/%s", cwd, name);
	while (path == NULL && search != NULL && *search != '\0') {
		int len = (int)strcspn(search, ":");

		path = talloc_asprintf(ctx, "%.*s/%s", len, search, name);
		search += len + (search[len] == ':');
		if (path != NULL && access(path, X_OK) != 0)
			TALLOC_FREE(path);
	}
	free(cwd);
	return path != NULL ? path : talloc_strdup(ctx, name);
}

static struct supervisor *
supervisor_new(const struct supervise *job)
{
	struct supervisor *su = talloc_zero(NULL, struct supervisor);

	assert(su != NULL && job->workers > 0);
	su->job = job;
	su->pid = getpid();
	su->stop_ms = job->stop_ms > 0 ? job->stop_ms : STOP_MS;
	su->program = find_program(su, job->argv[0]);
	su->workers = talloc_zero_array(su, struct worker, (unsigned)job->workers);
	assert(su->program != NULL && su->workers != NULL);
	for (int i = 0; i < job->workers; i++)
		su->workers[i].backoff_ms = BACKOFF_MIN_MS;
	read_handover(su);
	unsetenv(HANDOVER);
	if (job->fd >= 0)
		fcntl(job->fd, F_SETFD, FD_CLOEXEC);
	return su;
}

/* In a new child: signals as a program expects them, and an end with the supervisor's, however that comes. */
static void
become_child(const struct supervisor *su)
{
	pid_t supervisor = su->pid;
	sigset_t ours;

	signal(SIGHUP, SIG_IGN); /* meant for the supervisor, also when sent to the whole group */
	supervise_catch();
	our_signals(&ours);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != supervisor) /* it died before the line above */
		raise(SIGTERM);
}

static void
postpone(struct worker *worker)
{
	worker->due_ms = now_monotonic_ms() + worker->backoff_ms;
	worker->backoff_ms = worker->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : worker->backoff_ms * 2;
}

/* Starts the workers that are due.  Returns the index in a child, -1 in the supervisor. */
static int
start_due(struct supervisor *su)
{
	for (int i = 0; i < su->job->workers && !su->is_stopping; i++) {
		struct worker *worker = &su->workers[i];
		pid_t pid;

		if (worker->pid != 0 || worker->due_ms > now_monotonic_ms())
			continue;
		pid = fork();
		if (pid == 0)
			return i;
		if (pid < 0) {
			log_text(LOG_LEVEL_ERROR, "supervisor_fork_failed", "%s", strerror(errno));
			postpone(worker);
			continue;
		}
		worker->pid = pid;
		worker->started_ms = now_monotonic_ms();
	}
	return -1;
}

/* A signal to all who run, or (old_only) to the children of the program before this one. */
static void
tell(const struct supervisor *su, int number, bool old_only)
{
	for (size_t i = 0; i < su->old_count; i++) {
		if (su->old[i] != 0)
			kill(su->old[i], number);
	}
	for (int i = 0; i < su->job->workers && !old_only; i++) {
		if (su->workers[i].pid != 0)
			kill(su->workers[i].pid, number);
	}
	if (su->check != 0 && !old_only)
		kill(su->check, number);
}

static bool
is_anyone_old(const struct supervisor *su)
{
	for (size_t i = 0; i < su->old_count; i++) {
		if (su->old[i] != 0)
			return true;
	}
	return false;
}

static bool
is_anyone_left(const struct supervisor *su)
{
	for (int i = 0; i < su->job->workers; i++) {
		if (su->workers[i].pid != 0)
			return true;
	}
	return su->check != 0 || is_anyone_old(su);
}

static void
stop(struct supervisor *su)
{
	if (su->is_stopping)
		return;
	log_text(LOG_LEVEL_INFO, "supervisor_stopping", "%s", su->job->name);
	su->is_stopping = true;
	su->kill_ms = su->old_kill_ms = now_monotonic_ms() + su->stop_ms;
	tell(su, SIGTERM, false);
}

static void
check(struct supervisor *su)
{
	sigset_t ours;

	if (su->check != 0) {
		/* The running one may have read settings that have changed since. */
		su->is_check_wanted = true;
		return;
	}
	su->is_check_wanted = false;
	su->check = fork();
	if (su->check < 0) {
		log_text(LOG_LEVEL_ERROR, "supervisor_fork_failed", "%s", strerror(errno));
		su->check = 0;
	} else if (su->check == 0) {
		our_signals(&ours);
		sigprocmask(SIG_UNBLOCK, &ours, NULL);
		execl(su->program, su->program, "--check", (char *)NULL);
		_exit(127);
	}
}

/* What the next image of the program needs to know; the order of children is of no meaning to it. */
static char *
handover_text(const struct supervisor *su)
{
	char *text = talloc_asprintf(su, "%ld:%d:", (long)su->pid, su->job->fd);

	for (size_t i = 0; i < su->old_count; i++) {
		if (su->old[i] != 0)
			text = talloc_asprintf_append(text, "%ld,", (long)su->old[i]);
	}
	for (int i = 0; i < su->job->workers; i++) {
		if (su->workers[i].pid != 0)
			text = talloc_asprintf_append(text, "%ld,", (long)su->workers[i].pid);
	}
	assert(text != NULL);
	return text;
}

/* Executes the program anew.  Comes back only if that fails; all goes on as before then. */
static void
renew(struct supervisor *su)
{
	char **argv = NULL, *text = handover_text(su);
	unsigned count = 0;

	while (su->job->argv[count] != NULL)
		count++;
	argv = talloc_zero_array(su, char *, count + 1);
	assert(argv != NULL);
	memcpy(argv, su->job->argv, count * sizeof argv[0]);
	argv[0] = su->program;
	setenv(HANDOVER, text, 1);
	if (su->job->fd >= 0)
		fcntl(su->job->fd, F_SETFD, 0);
	execv(su->program, argv);
	log_text(LOG_LEVEL_ERROR, "supervisor_renewal_failed", "%s: %s", su->program, strerror(errno));
	if (su->job->fd >= 0)
		fcntl(su->job->fd, F_SETFD, FD_CLOEXEC);
	unsetenv(HANDOVER);
	talloc_free(argv);
	talloc_free(text);
}

static void
check_ended(struct supervisor *su, int status)
{
	su->check = 0;
	if (su->is_stopping)
		return;
	if (su->is_check_wanted)
		check(su);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		renew(su);
	else
		log_text(
		    LOG_LEVEL_ERROR, "supervisor_renewal_refused", "%s --check failed; nothing changes", su->program);
}

static void
worker_ended(struct supervisor *su, struct worker *worker, int status)
{
	int64_t lived_ms = now_monotonic_ms() - worker->started_ms;
	bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (is_clean || lived_ms >= STEADY_MS)
		worker->backoff_ms = BACKOFF_MIN_MS;
	if (is_clean && lived_ms >= BACKOFF_MIN_MS)
		worker->due_ms = 0; /* it had done its share of requests */
	else
		postpone(worker);
	if (!is_clean && !su->is_stopping)
		log_text(LOG_LEVEL_ERROR, "worker_died", "pid %ld, %s %d, after %" PRId64 " ms", (long)worker->pid,
		    WIFSIGNALED(status) ? "signal" : "exit",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), lived_ms);
	worker->pid = 0;
}

static void
reap(struct supervisor *su)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < su->old_count; i++) {
			if (su->old[i] == pid)
				su->old[i] = 0;
		}
		for (int i = 0; i < su->job->workers; i++) {
			if (su->workers[i].pid == pid)
				worker_ended(su, &su->workers[i], status);
		}
		if (su->check == pid)
			check_ended(su, status);
	}
}

/* Milliseconds until something is due without a signal. */
static int64_t
patience_ms(const struct supervisor *su)
{
	int64_t now = now_monotonic_ms(), due = now + IDLE_MS;

	if (su->old_kill_ms != 0 && su->old_kill_ms < due)
		due = su->old_kill_ms;
	for (int i = 0; i < su->job->workers && !su->is_stopping; i++) {
		if (su->workers[i].pid == 0 && su->workers[i].due_ms < due)
			due = su->workers[i].due_ms;
	}
	return due > now ? due - now : 0;
}

/* Those who do not finish in time. */
static void
kill_late(struct supervisor *su)
{
	int64_t now = now_monotonic_ms();

	if (su->is_stopping && now >= su->kill_ms) {
		log_text(LOG_LEVEL_WARNING, "supervisor_killing", "children did not finish in time");
		tell(su, SIGKILL, false);
		su->kill_ms = su->old_kill_ms = now + su->stop_ms;
	} else if (su->old_kill_ms != 0 && now >= su->old_kill_ms) {
		if (is_anyone_old(su))
			log_text(LOG_LEVEL_WARNING, "supervisor_killing", "old children did not finish in time");
		tell(su, SIGKILL, true);
		su->old_kill_ms = 0;
		/* Reaped as strangers; forgotten here, lest the number be another's one day. */
		su->old_count = 0;
	}
}

/* The new children run: the old ones may go. */
static void
relieve_old(struct supervisor *su)
{
	if (su->old_count == 0 || su->old_kill_ms != 0)
		return;
	tell(su, SIGTERM, true);
	su->old_kill_ms = now_monotonic_ms() + su->stop_ms;
}

static void
wait_and_act(struct supervisor *su)
{
	int64_t patience = patience_ms(su);
	struct timespec timeout = { .tv_sec = (time_t)(patience / 1000), .tv_nsec = (long)(patience % 1000) * 1000000 };
	sigset_t ours;

	our_signals(&ours);
	switch (sigtimedwait(&ours, NULL, &timeout)) {
	case SIGTERM:
	case SIGINT:
		stop(su);
		break;
	case SIGHUP:
		if (!su->is_stopping)
			check(su);
		break;
	default:
		break; /* a child, or time has passed */
	}
	reap(su);
	kill_late(su);
}

int
supervise_run(const struct supervise *supervise)
{
	struct supervisor *su;
	sigset_t ours;
	int index;

	our_signals(&ours);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, children could not be waited for */
	fflush(NULL);		  /* what is buffered would be written once by each child */
	su = supervisor_new(supervise);
	while ((index = start_due(su)) < 0) {
		relieve_old(su);
		if (su->is_stopping && !is_anyone_left(su))
			break;
		wait_and_act(su);
	}
	if (index >= 0)
		become_child(su);
	talloc_free(su);
	return index >= 0 ? supervise->child(supervise->arg, index) : 0;
}
