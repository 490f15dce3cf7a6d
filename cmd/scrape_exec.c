/*
 * exec:COMMAND, a page that a command prints.  It runs in a process group of
 * its own, reads nothing, and has the target's timeout: then all of it is
 * killed.  What it says on stderr is ours.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "scrape_cmd.h"

struct scrape_exec {
	pid_t pid;
	int fd; /* -1 when all has been read */
	struct buf page;
	size_t max;              /* bytes of it, as SCRAPE_PAGE says */
	int64_t start, deadline; /* ns */
	void (*done)(void *arg, const struct scrape_answer *a);
	void *arg;
};

static int64_t
mono(void)
{
	const struct clock *c = tool_clock();

	return c->mono(c->arg);
}

/* The child: a shell with nothing to read and a pipe to write. */
static _Noreturn void
child(const char *command, int out)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	(void)setpgid(0, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(127);
	/* libcurl's sockets, the lock and all else are not the command's. */
	closefrom(STDERR_FILENO + 1);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

struct scrape_exec *
scrape_exec_start(const char *command, int64_t timeout, size_t max,
    void (*done)(void *, const struct scrape_answer *), void *arg,
    struct error *e)
{
	struct scrape_exec *x;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) == -1) {
		error_errno(e, "pipe");
		return NULL;
	}
	if ((pid = fork()) == 0)
		child(command, p[1]);
	(void)close(p[1]);
	if (pid == -1) {
		error_errno(e, "fork");
		(void)close(p[0]);
		return NULL;
	}
	(void)setpgid(pid, pid); /* as the child does: whoever is first */
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	x = mem_zero(1, sizeof(*x));
	x->pid = pid;
	x->fd = p[0];
	x->max = max;
	x->start = mono();
	x->deadline = x->start + timeout * 1000000;
	x->done = done;
	x->arg = arg;
	return x;
}

int
scrape_exec_fd(const struct scrape_exec *x)
{
	return x->fd;
}

/* Its end may be a moment after that of its output. */
int64_t
scrape_exec_wake(const struct scrape_exec *x)
{
	int64_t left = (x->deadline - mono()) / 1000000 + 1;

	return x->fd == -1 && left > 5 ? 5 : left < 0 ? 0 : left;
}

static void
read_all(struct scrape_exec *x)
{
	ssize_t n = 1;

	while (x->fd != -1 && x->page.n < x->max) {
		n = read(x->fd, buf_reserve(&x->page, 65536), 65536);
		if (n > 0) {
			x->page.n += (size_t)n;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			(void)close(x->fd);
			x->fd = -1;
		} else if (errno == EAGAIN) {
			break;
		}
	}
}

static void
end(struct scrape_exec *x, const char *error)
{
	struct scrape_answer a = { .error = error,
		.too_large = x->page.n >= x->max,
		.status = 200,
		.content_type = STR("text/plain"),
		.body = buf_str(&x->page),
		.took = mono() - x->start };

	if (x->done != NULL)
		x->done(x->arg, &a);
	if (x->fd != -1)
		(void)close(x->fd);
	buf_fini(&x->page);
	free(x);
}

/* A command may have left its group; it does not get away from its pid. */
static void
kill_all(struct scrape_exec *x)
{
	(void)kill(-x->pid, SIGKILL);
	(void)kill(x->pid, SIGKILL);
	while (waitpid(x->pid, NULL, 0) == -1 && errno == EINTR)
		;
}

void
scrape_exec_kill(struct scrape_exec *x)
{
	kill_all(x);
	x->done = NULL;
	end(x, NULL);
}

static bool
fail(struct scrape_exec *x, const char *error)
{
	kill_all(x);
	end(x, error);
	return true;
}

bool
scrape_exec_step(struct scrape_exec *x)
{
	struct error e;
	int status;

	read_all(x);
	if (x->page.n >= x->max)
		return fail(x, "the page is too large");
	if (x->fd == -1 && waitpid(x->pid, &status, WNOHANG) == x->pid) {
		/* Whatever it left running has nobody to talk to. */
		(void)kill(-x->pid, SIGKILL);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			end(x, NULL);
		else if (WIFEXITED(status)) {
			error_set(&e, "the command exited with status %d",
			    WEXITSTATUS(status));
			end(x, e.msg);
		} else {
			error_set(&e, "the command was killed by signal %d",
			    WTERMSIG(status));
			end(x, e.msg);
		}
		return true;
	}
	return mono() >= x->deadline ? fail(x, "context deadline exceeded")
				     : false;
}
