/*
 * The loop: the server's descriptor, a stream on stdin, and signals.
 */
#include "serve_run.h"

#include <sys/stat.h>

#include <poll.h>
#include <unistd.h>

#include "base/file.h"
#include "tool.h"

/* What comes on stdin, on its way to /metrics. */
struct stream {
	struct serve *serve;
	struct file_lines lines;
	struct batch_reader *reader;
	bool on, bad;
};

/* The path is the client's: nothing of it may move a terminal's cursor. */
static void
log_request(const struct httpd_request *q, const struct httpd_answer *a)
{
	struct buf path = { 0 };

	for (size_t i = 0; i < q->path.n; i++) {
		unsigned char c = (unsigned char)q->path.p[i];

		if (c < ' ' || c >= 0x7f)
			buf_printf(&path, "\\x%02x", c);
		else
			buf_byte(&path, (char)c);
	}
	tool_note("%.*s %.*s %s: %d, %zu bytes", STR_ARG(q->peer),
	    STR_ARG(q->method), buf_cstr(&path), a->status, a->body.n);
	buf_fini(&path);
}

void
serve_answer(void *arg, const struct httpd_request *q, struct httpd_answer *a)
{
	serve_handle(arg, tool_now(), q, a);
	if (tool_verbose > 0)
		log_request(q, a);
}

static void
on_bad(void *arg, const char *msg)
{
	struct stream *s = arg;

	s->bad = true;
	tool_warn("stdin:%s", msg);
}

static void
apply(struct stream *s)
{
	struct batch b;

	while (batch_next(s->reader, &b) == 1)
		serve_apply(s->serve, &b);
}

/* Read once; at the end of the input the stream is off. */
static void
read_stream(struct stream *s)
{
	struct error e;
	str lines;
	int r = file_lines_next(&s->lines, &lines, &e);

	if (r == 1) {
		batch_set_time(s->reader, tool_now());
		batch_feed(s->reader, lines);
		apply(s);
		return;
	}
	if (r == 2)
		return;
	if (r == -1) {
		tool_warn("stdin: %s", e.msg);
		s->bad = true;
	}
	batch_end(s->reader);
	apply(s);
	s->on = false;
}

static bool
regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Finish what is at work, take nothing new. */
static void
drain(struct serve *s, struct httpd *h)
{
	struct error e;

	serve_drain(s);
	httpd_drain(h);
	while (httpd_pending(h) > 0) {
		struct pollfd p = { .fd = httpd_fd(h), .events = POLLIN };

		(void)poll(&p, 1, httpd_timeout(h));
		if (httpd_step(h, &e) == -1)
			return;
	}
}

int
serve_run(struct serve *s, struct httpd *h, struct face *f, bool streaming)
{
	struct stream in = { .serve = s, .on = streaming };
	bool ends = streaming && !regular(STDIN_FILENO), ended = false;
	struct error e;

	file_lines_init(&in.lines, STDIN_FILENO);
	in.reader = batch_new(EXPO_MF, tool_now(), false, on_bad, &in);
	while (!tool_stopping() && !ended) {
		struct pollfd p[3] = { { httpd_fd(h), POLLIN, 0 },
			{ tool_wake_fd(), POLLIN, 0 },
			{ in.on ? STDIN_FILENO : -1, POLLIN, 0 } };

		(void)poll(p, 3, httpd_timeout(h));
		if (in.on && p[2].revents != 0) {
			read_stream(&in);
			ended = ends && !in.on;
		}
		if (httpd_step(h, &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
		face_tell(f);
		(void)tool_reloading();
	}
	drain(s, h);
	file_lines_fini(&in.lines);
	batch_free(in.reader);
	return in.bad ? TOOL_FAILED : TOOL_OK;
}
