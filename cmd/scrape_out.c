/*
 * The way out.  A pipe is opened anew and not blocking, so that a slow reader
 * holds up neither the fetching nor those who share our stdout; what does not
 * go out waits in memory, up to a limit that the loop keeps.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "scrape_cmd.h"

#define LAST INT64_C(5000000000) /* ns the reader has, when we are to stop */
#define KEEP ((size_t)4 << 20)   /* a larger buffer is given back */
#define PIPE (1 << 20)           /* bytes in the kernel: a batch and more */

void
scrape_out_open(struct scrape_out *o)
{
	struct stat st;

	*o = (struct scrape_out){ .fd = -1 };
	if (fstat(STDOUT_FILENO, &st) == -1 || !S_ISFIFO(st.st_mode))
		return;
	o->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (o->fd != -1 && fcntl(o->fd, F_GETPIPE_SZ) < PIPE)
		(void)fcntl(o->fd, F_SETPIPE_SZ, PIPE); /* it need not be */
}

/* As much as goes out now; the bytes written. */
static size_t
push(struct scrape_out *o, str s)
{
	size_t at = 0;

	while (at < s.n && !o->gone) {
		ssize_t n = write(o->fd, s.p + at, s.n - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EPIPE)
			o->gone = true;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			tool_die(TOOL_FAILED, "stdout: %s", strerror(errno));
	}
	o->written += at;
	return at;
}

void
scrape_out_put(struct scrape_out *o, struct buf *batch, str after)
{
	size_t n = batch->n;

	if (o->fd == -1) {
		tool_write(buf_str(batch));
		o->written += n;
	} else if (o->q.n > 0) {
		/* What is out need not be moved each time. */
		if (o->at > o->q.n / 2) {
			buf_drop(&o->q, o->at);
			o->at = 0;
		}
		buf_add(&o->q, buf_str(batch));
	} else if ((o->at = push(o, buf_str(batch))) < n) {
		struct buf empty = o->q;

		o->q = *batch;
		*batch = empty;
	} else {
		o->at = 0;
	}
	o->put += n;
	buf_reset(batch);
	if (after.n > 0) {
		buf_add(&o->after, after);
		o->mark = o->put;
	}
}

size_t
scrape_out_waiting(const struct scrape_out *o)
{
	return o->q.n - o->at;
}

void
scrape_out_step(struct scrape_out *o)
{
	o->at += push(o, str_skip(buf_str(&o->q), o->at));
	if (o->at == o->q.n) {
		o->q.n = o->at = 0;
		if (o->q.cap > KEEP)
			buf_fini(&o->q);
	}
}

void
scrape_out_finish(struct scrape_out *o)
{
	const struct clock *c = tool_clock();
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	int64_t end = 0, now;

	if (o->fd == -1)
		return;
	scrape_out_step(o);
	while (scrape_out_waiting(o) > 0 && !o->gone) {
		now = c->mono(c->arg);
		if (tool_stopping() && end == 0)
			end = now + LAST;
		if (end != 0 && now >= end)
			break;
		(void)poll(&p, 1, 100);
		scrape_out_step(o);
	}
	if (scrape_out_waiting(o) > 0 && !o->gone)
		tool_warn("the reader of stdout takes nothing: %zu bytes "
			  "dropped",
		    scrape_out_waiting(o));
}

str
scrape_out_after(const struct scrape_out *o)
{
	return o->written >= o->mark ? buf_str(&o->after) : STR_NONE;
}
