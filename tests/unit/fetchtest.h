/*
 * What the tests of net/fetch share: a server of their own, a process a
 * connection, and a request that is waited for.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "net/fetch.h"

static inline int64_t
mono(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static const struct clock clock_real = { .mono = mono };
static int ports[2];

static inline int
listen_on(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, n) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		exit(1);
	*port = ntohs(a.sin_port);
	return fd;
}

static inline void
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k <= 0)
			_exit(0);
		p += k;
		n -= (size_t)k;
	}
}

/* head is the status line without its version, and headers. */
static inline void
answer(int fd, const char *head, const char *body, size_t n)
{
	char b[512];
	int k = snprintf(b, sizeof(b),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    head, n);

	send_all(fd, b, (size_t)k);
	send_all(fd, body, n);
}

static inline void
redirect_to(int fd, const char *code, int port, const char *path)
{
	char b[256];

	snprintf(b, sizeof(b), "%s Moved\r\nLocation: http://127.0.0.1:%d%s",
	    code, port, path);
	answer(fd, b, "gone", 4);
}

/* A request with its body, if it says how long that is; its length, or 0. */
static inline size_t
read_request(int fd, char *b, size_t size)
{
	size_t n = 0, want = 0;
	const char *end = NULL, *p;
	ssize_t k;

	while ((k = read(fd, b + n, size - 1 - n)) > 0) {
		n += (size_t)k;
		b[n] = '\0';
		if (end == NULL && (end = strstr(b, "\r\n\r\n")) != NULL) {
			p = strstr(b, "Content-Length: ");
			want = (size_t)(end + 4 - b) +
			    (p && p < end ? strtoul(p + 16, NULL, 10) : 0);
		}
		if (end != NULL && n >= want)
			return n;
	}
	return 0;
}

/* One process a connection, on every socket given. */
static inline pid_t
serve(const int *fds, size_t n, void (*one)(int fd))
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	signal(SIGCHLD, SIG_IGN);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct pollfd p[4];

		for (size_t i = 0; i < n; i++)
			p[i] =
			    (struct pollfd){ .fd = fds[i], .events = POLLIN };
		poll(p, n, -1);
		for (size_t i = 0; i < n; i++) {
			int c = p[i].revents ? accept(fds[i], NULL, NULL) : -1;

			if (c != -1 && fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				one(c);
				_exit(0);
			}
			if (c != -1)
				close(c);
		}
	}
}

static inline void
serve_end(pid_t pid)
{
	kill(-pid, SIGTERM);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

struct got {
	bool done, failed, timed_out, too_large;
	int status;
	char error[ERROR_MAX], type[64];
	struct buf body;
};

static inline void
on_done(void *arg, const struct fetch_answer *a)
{
	struct got *g = arg;

	g->done = true;
	g->failed = a->error != NULL;
	g->timed_out = a->timed_out;
	g->too_large = a->too_large;
	g->status = a->status;
	snprintf(g->error, sizeof(g->error), "%s", a->error ? a->error : "");
	snprintf(g->type, sizeof(g->type), "%.*s", (int)a->content_type.n,
	    a->content_type.n ? a->content_type.p : "");
	buf_reset(&g->body);
	buf_add(&g->body, a->body);
}

static inline str
url(const char *path)
{
	static char b[64][256];
	static int turn;

	turn = (turn + 1) % 64;
	snprintf(
	    b[turn], sizeof(b[turn]), "http://127.0.0.1:%d%s", ports[0], path);
	return str_of(b[turn]);
}

static inline bool
fetch_all(struct fetch *f)
{
	struct error e;

	for (int i = 0; fetch_pending(f) > 0 && i < 2000; i++)
		if (fetch_step(f, NULL, 0, 100, &e) == -1)
			return false;
	return fetch_pending(f) == 0;
}

/* Ask and wait; what fetch_add() refuses is an error too. */
static inline void
get(struct fetch *f, struct fetch_request q, struct got *g)
{
	struct error e;

	g->done = false;
	if (q.method == NULL)
		q.method = "GET";
	q.timeout = q.timeout ? q.timeout : 40000;
	q.done = on_done;
	q.arg = g;
	if (fetch_add(f, &q, &e) == -1)
		on_done(g, &(struct fetch_answer){ .error = e.msg });
	CHECK(fetch_all(f) && g->done);
}

static inline bool
has(const struct got *g, const char *s)
{
	str b = buf_str(&g->body);

	return str_find(b, str_of(s)) < b.n;
}
