/*
 * A round of one target: its question, to the network, a file, a command or
 * ourselves; its answer, which becomes a batch.  A target has one request
 * under way at most; of all targets as many as there are descriptors, the
 * others wait in turn.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "scrape_flow.h"

void
flow_print(struct flow *f)
{
	scrape_state_append(&f->state, f->m, buf_str(&f->x.before));
	f->sum.printed += f->x.out.n;
	scrape_out_put(&f->out, &f->x.out, buf_str(&f->x.after));
	buf_reset(&f->x.before);
	buf_reset(&f->x.after);
}

/* The same but for digits: ports and durations in libcurl's messages vary. */
static bool
alike(str a, str b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.n && a.p[i] >= '0' && a.p[i] <= '9')
			i++;
		while (j < b.n && b.p[j] >= '0' && b.p[j] <= '9')
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if (a.p[i++] != b.p[j++])
			return false;
	}
}

/* Say when a target goes down, why (when that changes), and when it is back. */
static void
tell(struct slot *s, const struct scrape_result *r)
{
	bool same = alike(buf_str(&s->error), str_of(r->error));

	if (tool_verbose >= 0 && !r->up && !same)
		tool_warn("%.*s: %s", STR_ARG(s->t->text), r->error);
	else if (r->up && s->was_down)
		tool_note("%.*s: up again", STR_ARG(s->t->text));
	s->was_down = !r->up;
	buf_reset(&s->error);
	buf_z(&s->error, r->error);
}

static void
finish(struct slot *s, const struct scrape_answer *a)
{
	struct flow *f = s->f;
	struct scrape_result r;

	s->busy = false;
	scrape_round(f->m, s->t, a, s->at, f->o->once, &f->x, &r);
	flow_print(f);
	tell(s, &r);
	if (!r.up)
		scrape_faillog_add(f->faillog, s->t, r.error, tool_now());
	f->sum.rounds++;
	f->sum.failed += !r.up;
	f->sum.fetched += a->body.n;
	f->sum.samples += r.up ? r.kept : 0;
	f->sum.stale += r.stale;
	s->status = (struct scrape_status){
		.at = s->at, .took = a->took, .samples = r.scraped
	};
	f->changed = true;
}

/* What was under way is over. */
static void
over(void *arg, const struct scrape_answer *a)
{
	struct slot *s = arg;

	s->f->under_way--;
	finish(s, a);
	flow_set_drop(s->asked);
	s->asked = NULL;
}

static void
answered(void *arg, const struct fetch_answer *fa)
{
	struct scrape_answer a = { .error = fa->error,
		.too_large = fa->too_large,
		.status = fa->status,
		.content_type = fa->content_type,
		.body = fa->body,
		.took = fa->took };

	over(arg, &a);
}

static void
refuse(struct slot *s, const char *why)
{
	struct scrape_answer a = { .error = why };

	finish(s, &a);
}

/* A request borrows from the set its target is in now. */
static void
borrow(struct slot *s)
{
	s->asked = s->of;
	s->asked->refs++;
	s->f->under_way++;
}

static size_t
max_of(const struct slot *s)
{
	int64_t n = s->t->job->body_size_limit;

	return n > 0 ? (size_t)n : SCRAPE_PAGE;
}

static void
run_command(struct slot *s)
{
	struct flow *f = s->f;
	struct buf command = { 0 };
	struct scrape_exec *x;
	struct error e;

	buf_add(&command, str_skip(s->t->url, 5));
	x = scrape_exec_start(
	    buf_cstr(&command), s->t->timeout, max_of(s), over, s, &e);
	buf_fini(&command);
	if (x == NULL) {
		refuse(s, e.msg);
		return;
	}
	borrow(s);
	f->exec = mem_grow(
	    f->exec, &f->exec_cap, f->nexec + 1, sizeof(struct scrape_exec *));
	f->exec[f->nexec++] = x;
}

/* The bytes of a file that is one, so that nothing hangs. */
static int
read_file(const char *path, struct buf *b, size_t max, bool *too_large,
    struct error *e)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc = -1;
	struct stat st;

	if (fd == -1)
		return error_errno(e, "%s", path);
	if (fstat(fd, &st) == -1)
		error_errno(e, "%s", path);
	else if (!S_ISREG(st.st_mode))
		error_set(e, "%s: not a file", path);
	else if ((uint64_t)st.st_size >= max)
		*too_large = true;
	else
		rc = file_read_fd(fd, path, b, e);
	(void)close(fd);
	*too_large |= b->n >= max;
	return *too_large ? error_set(e, "the page is too large") : rc;
}

/* file:PATH, a page on disk. */
static void
read_page(struct slot *s)
{
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain") };
	str name = str_skip(s->t->url, 5);
	struct buf path = { 0 }, b = { 0 };
	struct error e;
	const struct clock *c = tool_clock();
	int64_t start = c->mono(c->arg);

	buf_add(&path, name);
	if (str_ends(name, STR(".om")))
		a.content_type = STR("application/openmetrics-text");
	if (read_file(buf_cstr(&path), &b, max_of(s), &a.too_large, &e) == -1)
		a.error = e.msg;
	a.body = buf_str(&b);
	a.took = c->mono(c->arg) - start;
	finish(s, &a);
	buf_fini(&path);
	buf_fini(&b);
}

static void
ask_self(struct slot *s)
{
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain") };
	struct buf b = { 0 };

	flow_page(s->f, &b);
	a.body = buf_str(&b);
	finish(s, &a);
	buf_fini(&b);
}

static void
ask(struct slot *s)
{
	const struct scrape_job *j = s->t->job;
	struct fetch_request q = { .method = "GET",
		.url = s->t->url,
		.headers = s->headers,
		.nheaders = 2,
		.timeout = s->t->timeout,
		.max_body = (size_t)j->body_size_limit,
		.no_compression = !j->enable_compression,
		.auth = &j->auth,
		.done = answered,
		.arg = s };
	struct error e;

	buf_reset(&s->seconds);
	num_format(&s->seconds, (double)s->t->timeout / 1e3, 'f', -1);
	s->headers[0] = (struct fetch_header){ STR("Accept"), j->accept };
	s->headers[1] =
	    (struct fetch_header){ STR("X-Prometheus-Scrape-Timeout-Seconds"),
		    buf_str(&s->seconds) };
	borrow(s);
	if (fetch_add(s->f->fetch, &q, &e) == -1) {
		struct scrape_answer a = { .error = e.msg };

		over(s, &a);
	}
}

static void
begin(struct slot *s)
{
	struct error e;

	if (s->of == NULL) {
		ask_self(s);
	} else if (s->t->error.n > 0) {
		error_set(&e, "%.*s", STR_ARG(s->t->error));
		refuse(s, e.msg);
	} else if (str_starts(s->t->url, STR("file:"))) {
		read_page(s);
	} else if (str_starts(s->t->url, STR("exec:"))) {
		run_command(s);
	} else {
		ask(s);
	}
}

/* Are there no descriptors for more, or nobody who takes what they bring? */
static bool
is_busy(const struct flow *f)
{
	return f->under_way >= f->room ||
	    scrape_out_waiting(&f->out) > FLOW_BACKLOG;
}

void
slot_begin(struct slot *s, int64_t t)
{
	struct flow *f = s->f;

	s->at = t;
	s->busy = true;
	if (s->of != NULL && (is_busy(f) || !STAILQ_EMPTY(&f->waiting)))
		STAILQ_INSERT_TAIL(&f->waiting, s, entry);
	else
		begin(s);
}

void
slot_pump(struct flow *f)
{
	struct slot *s;

	while (!is_busy(f) && (s = STAILQ_FIRST(&f->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&f->waiting, entry);
		if (s->gone) {
			s->busy = false;
			continue;
		}
		/* Of a single run all rounds have one time. */
		if (!f->o->once)
			s->at = tool_now();
		begin(s);
	}
}
