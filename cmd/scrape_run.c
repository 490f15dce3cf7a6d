/*
 * The loop: each target on its own schedule, its answer to a batch, the batch
 * to stdout.  A target has one request under way at most, and a reader of
 * stdout that takes nothing makes rounds be skipped, not wait.
 *
 * What a configuration named belongs to its generation.  A reload makes a new
 * one; the old one's answers that still come are thrown away, and it goes when
 * the last of them has come.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/fetch.h"
#include "scrape_cmd.h"

#define BACKLOG ((size_t)64 << 20)   /* bytes that may wait for stdout */
#define TARGETS_EVERY INT64_C(10000) /* ms between writes of "targets" */

struct slot {
	struct generation *g;
	const struct scrape_target *t;
	int64_t due; /* the next round's time */
	int64_t at;  /* the time of the one under way */
	bool busy, was_down;
	struct buf error; /* of the last round */
	struct fetch_header headers[2];
	struct buf seconds; /* the value of the second */
	struct scrape_status status;
};

struct generation {
	struct flow *f;
	struct scrape_plan plan;
	struct slot *v;
	size_t pending;
	bool retired;
};

struct flow {
	const struct scrape_options *o;
	struct generation *g;
	struct scrape_memory *m;
	struct fetch *fetch;
	struct scrape_out out;
	struct scrape_state state;
	struct scrape_text x;
	struct scrape_exec **exec; /* commands under way */
	size_t nexec, exec_cap;
	bool full;       /* too much waits for stdout: rounds are skipped */
	size_t skipped;  /* rounds, meanwhile */
	size_t failed;   /* rounds that were not up */
	int64_t written; /* when "targets" was */
	bool changed;
};

static struct generation *
generation_new(struct flow *f, struct scrape_plan plan, int64_t now)
{
	struct generation *g = mem_zero(1, sizeof(*g));
	size_t n = plan.set->n;

	g->f = f;
	g->plan = plan;
	g->v = mem_zero(n, sizeof(*g->v));
	for (size_t i = 0; i < n; i++) {
		struct slot *s = &g->v[i];

		s->g = g;
		s->t = plan.set->v[i];
		s->status.t = s->t;
		s->headers[0] =
		    (struct fetch_header){ STR("Accept"), s->t->job->accept };
		num_format(&s->seconds, (double)s->t->timeout / 1e3, 'f', -1);
		s->headers[1] = (struct fetch_header){
			STR("X-Prometheus-Scrape-Timeout-Seconds"),
			buf_str(&s->seconds)
		};
		/* Operands and single rounds begin at once. */
		s->due = f->o->once || f->o->config == NULL
		    ? now
		    : scrape_due(s->t, now);
	}
	return g;
}

static void
generation_free(struct generation *g)
{
	for (size_t i = 0; i < g->plan.set->n; i++) {
		buf_fini(&g->v[i].error);
		buf_fini(&g->v[i].seconds);
	}
	free(g->v);
	scrape_plan_free(&g->plan);
	free(g);
}

/* Print what a round gave, in the order that forgets nothing. */
static void
print(struct flow *f)
{
	scrape_state_append(&f->state, f->m, buf_str(&f->x.before));
	scrape_out_put(&f->out, buf_str(&f->x.out), buf_str(&f->x.after));
	buf_reset(&f->x.out);
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
	struct flow *f = s->g->f;
	struct scrape_result r;

	s->busy = false;
	scrape_round(f->m, s->t, a, s->at, f->o->once, &f->x, &r);
	print(f);
	tell(s, &r);
	f->failed += !r.up;
	s->status.at = s->at;
	s->status.took = a->took;
	s->status.samples = r.scraped;
	s->status.error = buf_str(&s->error);
	f->changed = true;
}

/* An answer has come.  Its generation may have waited for this one alone. */
static void
over(void *arg, const struct scrape_answer *a)
{
	struct slot *s = arg;
	struct generation *g = s->g;

	g->pending--;
	if (!g->retired)
		finish(s, a);
	else if (g->pending == 0)
		generation_free(g);
}

static void
answered(void *arg, const struct fetch_answer *fa)
{
	struct scrape_answer a = { .error = fa->error,
		.status = fa->status,
		.content_type = fa->content_type,
		.body = fa->body,
		.took = fa->took };

	over(arg, &a);
}

static void
run_command(struct flow *f, struct slot *s)
{
	struct buf command = { 0 };
	struct scrape_answer bad = { 0 };
	struct scrape_exec *x;
	struct error e;

	buf_add(&command, str_skip(s->t->url, 5));
	x = scrape_exec_start(buf_cstr(&command), s->t->timeout, over, s, &e);
	buf_fini(&command);
	if (x == NULL) {
		bad.error = e.msg;
		finish(s, &bad);
		return;
	}
	s->g->pending++;
	f->exec = mem_grow(
	    f->exec, &f->exec_cap, f->nexec + 1, sizeof(struct scrape_exec *));
	f->exec[f->nexec++] = x;
}

/* file:PATH, a page on disk; only what is a file, so that nothing hangs. */
static void
read_page(struct slot *s)
{
	struct scrape_answer a = { .status = 200,
		.content_type = STR("text/plain") };
	str name = str_skip(s->t->url, 5);
	struct buf path = { 0 }, b = { 0 };
	struct error e;
	struct stat st;
	const struct clock *c = tool_clock();
	int64_t start = c->mono(c->arg);

	buf_add(&path, name);
	if (str_ends(name, STR(".om")))
		a.content_type = STR("application/openmetrics-text");
	if (stat(buf_cstr(&path), &st) == 0 && !S_ISREG(st.st_mode)) {
		error_set(&e, "%s: not a file", buf_cstr(&path));
		a.error = e.msg;
	} else if (file_read(buf_cstr(&path), &b, &e) == -1) {
		a.error = e.msg;
	}
	a.body = buf_str(&b);
	a.took = c->mono(c->arg) - start;
	finish(s, &a);
	buf_fini(&path);
	buf_fini(&b);
}

static void
begin(struct flow *f, struct slot *s, int64_t t)
{
	const struct scrape_job *j = s->t->job;
	struct scrape_answer bad = { 0 };
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

	s->at = t;
	s->busy = true;
	if (str_starts(s->t->url, STR("file:"))) {
		read_page(s);
		return;
	}
	if (str_starts(s->t->url, STR("exec:"))) {
		run_command(f, s);
		return;
	}
	s->g->pending++;
	if (fetch_add(f->fetch, &q, &e) == -1) {
		s->g->pending--;
		bad.error = e.msg;
		finish(s, &bad);
	}
}

/*
 * The time a round has: the one it was due at, unless it begins later by more
 * than a clock's imprecision.
 */
static int64_t
tick(const struct slot *s, int64_t now)
{
	int64_t slack = s->t->interval / 100;

	return now - s->due <= (slack < 2 ? slack : 2) ? s->due : now;
}

static bool
is_full(struct flow *f)
{
	if (!f->full && scrape_out_waiting(&f->out) > BACKLOG) {
		f->full = true;
		f->skipped = 0;
		tool_warn("the reader of stdout is too slow: rounds are "
			  "skipped");
	}
	return f->full;
}

/* Begin what is due; returns when the next is. */
static int64_t
due(struct flow *f, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < f->g->plan.set->n; i++) {
		struct slot *s = &f->g->v[i];

		/* A clock that was set back would let it wait for long. */
		if (s->due > now + s->t->interval)
			s->due = scrape_due(s->t, now);
		if (s->due <= now) {
			int64_t t = tick(s, now);

			s->due +=
			    (now - s->due) / s->t->interval * s->t->interval +
			    s->t->interval;
			if (s->busy || is_full(f))
				f->skipped++;
			else
				begin(f, s, t);
		}
		if (s->due < next)
			next = s->due;
	}
	return next;
}

/* What waited for stdout to take what was printed. */
static void
settle(struct flow *f)
{
	str after = scrape_out_after(&f->out);

	if (f->full && scrape_out_waiting(&f->out) < BACKLOG / 2) {
		tool_warn("%zu rounds were skipped", f->skipped);
		f->skipped = 0;
		f->full = false;
	}
	if (after.n > 0) {
		scrape_state_append(&f->state, f->m, after);
		buf_reset(&f->out.after);
	}
}

static void
write_targets(struct flow *f)
{
	size_t n = f->g->plan.set->n;
	struct scrape_status *v = mem_zero(n, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = f->g->v[i].status;
		v[i].error = buf_str(&f->g->v[i].error);
	}
	scrape_state_targets(&f->state, v, n);
	free(v);
	f->changed = false;
}

/* Wait for the network, commands, stdout, a signal or the time to come. */
static void
wait_for(struct flow *f, int64_t ms)
{
	size_t first = f->out.fd == -1 ? 1 : 2, n = first + f->nexec;
	struct pollfd *p = mem_zero(first + n, sizeof(*p));
	struct error e;

	p[0] = (struct pollfd){ .fd = tool_wake_fd(), .events = POLLIN };
	p[1].fd = f->out.fd;
	if (scrape_out_waiting(&f->out) > 0)
		p[1].events = POLLOUT;
	if (ms > 60000)
		ms = 60000;
	n = first;
	for (size_t i = 0; i < f->nexec; i++) {
		int64_t wake = scrape_exec_wake(f->exec[i]);

		ms = wake < ms ? wake : ms;
		if (scrape_exec_fd(f->exec[i]) != -1)
			p[n++] =
			    (struct pollfd){ .fd = scrape_exec_fd(f->exec[i]),
				    .events = POLLIN };
	}
	if (fetch_step(f->fetch, p, n, ms < 0 ? 0 : (int)ms, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (first == 2 && (p[1].revents & (POLLERR | POLLHUP)))
		f->out.gone = true;
	free(p);
	for (size_t i = f->nexec; i-- > 0;)
		if (scrape_exec_step(f->exec[i]))
			f->exec[i] = f->exec[--f->nexec];
	scrape_out_step(&f->out);
	settle(f);
}

/* Targets that the configuration does not have any more. */
static void
drop_gone(struct flow *f, int64_t now)
{
	if (f->o->config == NULL)
		return;
	scrape_gone(f->m, f->g->plan.set, now, &f->x);
	print(f);
}

/* SIGHUP: a configuration that is wrong leaves the old one in force. */
static void
reload(struct flow *f)
{
	struct generation *old = f->g;
	struct scrape_plan plan;
	struct error e;

	if (f->o->config == NULL)
		return;
	if (scrape_plan_load(&plan, f->o, &e) == -1) {
		tool_warn("%s; the old configuration stays", e.msg);
		return;
	}
	scrape_plan_warn(&plan);
	f->g = generation_new(f, plan, tool_now());
	old->retired = true;
	if (old->pending == 0)
		generation_free(old);
	scrape_reload(f->m);
	drop_gone(f, tool_now());
	f->changed = true;
	tool_note("reloaded: %zu targets", f->g->plan.set->n);
}

static void
stay(struct flow *f)
{
	int64_t now, next;

	while (!tool_stopping() && !f->out.gone) {
		if (tool_reloading())
			reload(f);
		now = tool_now();
		next = due(f, now);
		if (f->changed && now - f->written >= TARGETS_EVERY) {
			write_targets(f);
			f->written = now;
		}
		wait_for(f, next - tool_now());
	}
}

/* Every target once, at one time. */
static void
once(struct flow *f)
{
	int64_t now = tool_now();

	drop_gone(f, now);
	for (size_t i = 0; i < f->g->plan.set->n; i++)
		begin(f, &f->g->v[i], now);
	while (f->g->pending > 0 && !tool_stopping() && !f->out.gone) {
		(void)tool_reloading(); /* there is nothing to reload for */
		wait_for(f, 60000);
	}
}

int
scrape_run(const struct scrape_options *o)
{
	struct flow f = { .o = o };
	struct scrape_plan plan;
	struct error e;
	bool keep = !o->dry && (o->config != NULL || o->dir != NULL);
	bool single = o->once || (o->config == NULL && o->every == 0);

	if (scrape_plan_load(&plan, o, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	scrape_plan_warn(&plan);
	f.m = scrape_memory_new();
	scrape_state_open(&f.state, keep ? tool_dir(o->dir) : NULL, f.m);
	tool_signals();
	scrape_out_open(&f.out);
	f.fetch = fetch_new(
	    tool_clock(), "mf-scrape/" VERSION, o->connect.v, o->connect.n);
	f.g = generation_new(&f, plan, tool_now());
	if (plan.set->n == 0)
		tool_warn("%s: no targets", o->config);
	if (single || plan.set->n == 0) {
		once(&f);
	} else {
		drop_gone(&f, tool_now());
		stay(&f);
	}
	scrape_out_finish(&f.out);
	settle(&f);
	write_targets(&f);
	while (f.nexec > 0)
		scrape_exec_kill(f.exec[--f.nexec]);
	free(f.exec);
	fetch_free(f.fetch);
	generation_free(f.g);
	scrape_memory_free(f.m);
	buf_fini(&f.out.q);
	buf_fini(&f.out.after);
	buf_fini(&f.x.out);
	buf_fini(&f.x.before);
	buf_fini(&f.x.after);
	return single && f.failed > 0 ? TOOL_FAILED : TOOL_OK;
}
