/*
 * Selectors, and the windows of range vectors.  A selector is read from the
 * source once for the whole grid; both kinds walk a series' columns with
 * indexes that only move forward.  Windows are open on the left: a sample
 * counts in (t - range, t], as it does in (t - lookback, t].
 */
#include "promql/eval.h"

/* Where a selector or subquery looks, relative to the steps. */
struct place {
	bool pinned; /* @ holds it still */
	int64_t at, offset, range;
};

static int
place(struct eval *ev, const struct modifier *m, const struct span *range,
    const struct node *n, struct place *p)
{
	unsigned line, col;

	p->pinned = m->at != AT_NONE;
	p->at = m->at == AT_TIME ? m->at_ms
	    : m->at == AT_START  ? ev->query.from
				 : ev->query.from + ev->range;
	p->range = 0;
	if (promql_span(
		&m->offset, ev->query.step, ev->range, &p->offset, ev->e) == -1)
		return -1;
	if (range == NULL)
		return 0;
	if (promql_span(range, ev->query.step, ev->range, &p->range, ev->e) ==
	    -1)
		return -1;
	if (p->range > 0)
		return 0;
	promql_position(
	    ev->text, range->expr ? range->expr->at : n->at, &line, &col);
	return promql_fail(
	    ev, "%u:%u: duration must be greater than 0", line, col);
}

/* Saturating, so that hostile times cannot wrap. */
static int64_t
plus(int64_t a, int64_t b)
{
	int64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return r;
}

static int64_t
step_time(const struct grid *g, size_t i)
{
	return g->from + (int64_t)i * g->step;
}

/* The time looked at from step i: the right edge of its window. */
static int64_t
edge(const struct place *p, const struct grid *g, size_t i)
{
	return plus(p->pinned ? p->at : step_time(g, i), -p->offset);
}

/*
 * Open the source for (first edge - back, last edge + ahead].
 */
static struct source_cursor *
open_source(struct eval *ev, const struct node *n, const struct place *p,
    const struct grid *g, int64_t back, int64_t ahead)
{
	struct source_query q = {
		.m = n->m,
		.nm = n->nm,
		.from = plus(plus(edge(p, g, 0), -back), 1),
		.to = plus(edge(p, g, g->n - 1), ahead),
	};
	struct source_cursor *c = source_open(ev->src, &q, ev->e);

	if (c == NULL)
		error_add(ev->e, "expanding series");
	return c;
}

/*
 * Instant selectors.
 */

/* The value between two samples at t, for x smoothed. */
static double
between(int64_t t0, double v0, int64_t t1, double v1, int64_t t)
{
	return v0 + (v1 - v0) * ((double)(t - t0) / (double)(t1 - t0));
}

static void
instant(const struct eval *ev, const struct source_series *s,
    const struct place *p, const struct grid *g, bool times, double *v)
{
	double none = num_stale();
	size_t k = 0; /* samples at or before the edge */

	for (size_t i = 0; i < g->n; i++) {
		int64_t to = edge(p, g, i);

		while (k < s->n && s->t[k] <= to)
			k++;
		v[i] = none;
		if (k == 0 || s->t[k - 1] <= plus(to, -ev->lookback) ||
		    absent(s->v[k - 1]))
			continue;
		v[i] = times ? (double)s->t[k - 1] / 1000 : s->v[k - 1];
	}
}

/*
 * A smoothed selector: interpolated between the samples on both sides; where
 * there is only one side, its value if that is the past.
 */
static void
instant_smoothed(const struct eval *ev, const struct source_series *s,
    const struct place *p, const struct grid *g, double *v)
{
	double none = num_stale();
	size_t k = 0;

	for (size_t i = 0; i < g->n; i++) {
		int64_t to = edge(p, g, i);
		bool before, after;

		while (k < s->n && s->t[k] <= to)
			k++;
		v[i] = none;
		before = k > 0 && s->t[k - 1] > plus(to, -ev->lookback) &&
		    !absent(s->v[k - 1]);
		after = k < s->n && s->t[k] <= plus(to, ev->lookback) &&
		    !absent(s->v[k]);
		if (before && (s->t[k - 1] == to || !after))
			v[i] = s->v[k - 1];
		else if (before)
			v[i] = between(
			    s->t[k - 1], s->v[k - 1], s->t[k], s->v[k], to);
	}
}

int
promql_select(struct eval *ev, const struct node *n, const struct grid *g,
    bool times, const struct sink *out)
{
	double *v = promql_column(ev, g->n);
	bool smoothed = n->mod.extend == W_SMOOTHED;
	struct source_series s;
	struct source_cursor *c;
	struct place p;
	struct row r;
	size_t k;
	int rc;

	if (place(ev, &n->mod, NULL, n, &p) == -1)
		return -1;
	c = open_source(
	    ev, n, &p, g, ev->lookback, smoothed ? ev->lookback : 0);
	if (c == NULL)
		return -1;
	while ((rc = source_next(ev->src, c, &s, ev->e)) > 0) {
		if (smoothed && !times)
			instant_smoothed(ev, &s, &p, g, v);
		else
			instant(ev, &s, &p, g, times, v);
		k = 0;
		for (size_t i = 0; i < g->n; i++)
			k += !absent(v[i]);
		r = (struct row){ s.labels, false, v };
		if (k > 0 &&
		    (promql_count(ev, k) == -1 ||
			out->row(out->self, &r) == -1))
			break;
	}
	source_close(ev->src, c);
	return rc == 0 ? 0 : -1;
}

/*
 * Columns of range vectors.
 */

struct feed {
	struct eval *ev;
	int (*each)(void *self, struct row *r, const struct column *c);
	void *self;
	struct grid inner; /* of a subquery */
	int64_t *t;        /* room for cleaned columns */
	double *v;
	size_t cap;
};

static void
feed_room(struct feed *f, size_t n)
{
	if (n <= f->cap)
		return;
	f->cap = n + n / 2;
	f->t = arena_alloc(f->ev->a, f->cap * sizeof(*f->t));
	f->v = arena_alloc(f->ev->a, f->cap * sizeof(*f->v));
}

/* Without staleness markers; copied only if there are any. */
static struct column
clean(struct feed *f, const struct source_series *s)
{
	struct column c = { s->t, s->v, s->n };
	size_t i = 0, n;

	while (i < s->n && !absent(s->v[i]))
		i++;
	if (i == s->n)
		return c;
	feed_room(f, s->n);
	for (n = 0, i = 0; i < s->n; i++)
		if (!absent(s->v[i])) {
			f->t[n] = s->t[i];
			f->v[n++] = s->v[i];
		}
	return (struct column){ f->t, f->v, n };
}

static int
feed_matrix(struct feed *f, const struct node *n, const struct grid *g,
    const struct place *p)
{
	struct eval *ev = f->ev;
	const struct node *sel = n->sub;
	bool extended = sel->mod.extend != W_NONE;
	struct source_series s;
	struct source_cursor *cur;
	struct column c;
	struct row r;
	int rc;

	cur = open_source(ev, sel, p, g,
	    plus(p->range, extended ? ev->lookback : 0),
	    sel->mod.extend == W_SMOOTHED ? ev->lookback : 0);
	if (cur == NULL)
		return -1;
	while ((rc = source_next(ev->src, cur, &s, ev->e)) > 0) {
		c = clean(f, &s);
		r = (struct row){ s.labels, false, NULL };
		if (c.n > 0 && f->each(f->self, &r, &c) == -1)
			break;
	}
	source_close(ev->src, cur);
	return rc == 0 ? 0 : -1;
}

static int
feed_row(void *self, struct row *r)
{
	struct feed *f = self;
	size_t n = 0;

	feed_room(f, f->inner.n);
	for (size_t i = 0; i < f->inner.n; i++)
		if (!absent(r->v[i])) {
			f->t[n] = step_time(&f->inner, i);
			f->v[n++] = r->v[i];
		}
	return f->each(f->self, r, &(struct column){ f->t, f->v, n });
}

/*
 * The points of a subquery stand at multiples of its step in absolute time,
 * the first one behind the left edge of the first window.  Division cuts
 * towards zero, before 1970 too, as upstream's does.
 */
static int
feed_subquery(struct feed *f, const struct node *n, const struct grid *g,
    const struct place *p)
{
	struct eval *ev = f->ev;
	struct sink s = { feed_row, f };
	int64_t step, left = plus(edge(p, g, 0), -p->range);
	int64_t last = edge(p, g, g->n - 1);

	step = ev->subquery_step;
	if (n->step.set) {
		if (promql_span(&n->step, ev->query.step, ev->range, &step,
			ev->e) == -1)
			return -1;
		if (step <= 0)
			return promql_fail(
			    ev, "duration must be greater than 0");
	}
	f->inner.step = step;
	f->inner.from = step * (left / step);
	if (f->inner.from <= left)
		f->inner.from = plus(f->inner.from, step);
	if (f->inner.from > last)
		return 0;
	f->inner.n = (size_t)(((uint64_t)last - (uint64_t)f->inner.from) /
			 (uint64_t)step) +
	    1;
	if (f->inner.n > ev->max_samples)
		return promql_count(ev, f->inner.n);
	return promql_vector(ev, n->sub, &f->inner, &s);
}

static int
feed(
    struct feed *f, const struct node *n, const struct grid *g, struct place *p)
{
	const struct node *sel = n->kind == N_MATRIX ? n->sub : n;

	if (place(f->ev, &sel->mod, &n->range, n, p) == -1)
		return -1;
	return n->kind == N_MATRIX ? feed_matrix(f, n, g, p)
				   : feed_subquery(f, n, g, p);
}

/* All of a column that is in the window of the only step. */
struct trim {
	struct feed f;
	struct place p;
	const struct grid *g;
	bool counts;
	int (*each)(void *self, struct row *r, const struct column *c);
	void *self;
};

static int
trim(void *self, struct row *r, const struct column *c)
{
	struct trim *t = self;
	int64_t to = edge(&t->p, t->g, t->g->n - 1);
	int64_t from = plus(edge(&t->p, t->g, 0), -t->p.range);
	struct column in = *c;

	while (in.n > 0 && in.t[0] <= from) {
		in.t++;
		in.v++;
		in.n--;
	}
	while (in.n > 0 && in.t[in.n - 1] > to)
		in.n--;
	/* A subquery's points have been counted as they were made. */
	if (t->counts && promql_count(t->f.ev, in.n) == -1)
		return -1;
	return in.n > 0 ? t->each(t->self, r, &in) : 0;
}

int
promql_raw(struct eval *ev, const struct node *n, const struct grid *g,
    int (*each)(void *self, struct row *r, const struct column *c), void *self)
{
	struct trim t = { .g = g, .each = each, .self = self };

	t.counts = n->kind == N_MATRIX;
	t.f = (struct feed){ .ev = ev, .each = trim, .self = &t };
	return feed(&t.f, n, g, &t.p);
}

/*
 * Window functions.
 */

struct windows {
	struct feed f;
	struct place p;
	struct eval *ev;
	const struct node *call, *range; /* the argument that is a range */
	const struct grid *g;
	const struct sink *out;
	double *cols[FUNC_ARGS]; /* scalar arguments */
	size_t nargs;
	double *v;
	size_t *resets, nresets, reset_cap;
	struct label_room room;
	str told;      /* the name that a note was about */
	size_t points; /* in the result so far */
};

static void
find_resets(struct windows *w, const struct column *c)
{
	w->nresets = 0;
	if (c->n > w->reset_cap) {
		w->reset_cap = c->n + c->n / 2;
		w->resets = arena_array(w->ev->a, w->reset_cap, size_t);
	}
	for (size_t i = 1; i < c->n; i++)
		if (c->v[i] < c->v[i - 1])
			w->resets[w->nresets++] = i;
}

/* Rates are for counters: say so when the name denies it is one. */
static void
note_counter(struct windows *w, const struct row *r)
{
	static const char *const ends[] = { "_total", "_sum", "_count",
		"_bucket" };
	str name = label_find(r->ls, LABEL_NAME);
	str type = label_find(r->ls, STR("__type__"));

	if (name.n == 0 || str_eq(name, w->told))
		return;
	for (size_t i = 0; i < 4; i++)
		if (str_ends(name, str_of(ends[i])))
			return;
	if (str_eq(type, STR("counter")) || str_eq(type, STR("histogram")))
		return;
	w->told = arena_dup(w->ev->a, name);
	promql_note(w->ev, NOTE_INFO, w->range,
	    "metric might not be a counter, name does not end in "
	    "_total/_sum/_count/_bucket: \"%.*s\"",
	    STR_ARG(name));
}

/* Every window of one series; the size of the largest is returned. */
static size_t
slide(struct windows *w, const struct column *c)
{
	const struct func *fn = w->call->fn;
	struct window win = {
		.t = c->t,
		.v = c->v,
		.total = c->n,
		.resets = w->resets,
		.extend = w->range->kind == N_MATRIX ? w->range->sub->mod.extend
						     : W_NONE,
	};
	double args[FUNC_ARGS];
	size_t most = 0;

	for (size_t i = 0; i < w->g->n; i++) {
		win.now = step_time(w->g, i);
		win.to = edge(&w->p, w->g, i);
		win.from = plus(win.to, -w->p.range);
		win.oldest = plus(win.from, -w->ev->lookback);
		win.newest = plus(win.to, w->ev->lookback);
		while (win.lo < c->n && c->t[win.lo] <= win.from)
			win.lo++;
		if (win.hi < win.lo)
			win.hi = win.lo;
		while (win.hi < c->n && c->t[win.hi] <= win.to)
			win.hi++;
		while (
		    win.nresets < w->nresets && w->resets[win.nresets] < win.hi)
			win.nresets++;
		while (win.first_reset < win.nresets &&
		    w->resets[win.first_reset] <= win.lo)
			win.first_reset++;
		for (size_t k = 0; k < w->nargs; k++)
			args[k] = w->cols[k][i];
		if (win.hi - win.lo > most)
			most = win.hi - win.lo;
		if ((win.lo == win.hi && win.extend != W_SMOOTHED) ||
		    !fn->window(&win, args, &w->v[i]))
			w->v[i] = num_stale();
	}
	return most;
}

static int
window_column(void *self, struct row *r, const struct column *c)
{
	struct windows *w = self;
	const struct func *fn = w->call->fn;
	struct eval *ev = w->ev;
	size_t most, n = 0;

	if (fn->flags & FUNC_RESETS)
		find_resets(w, c);
	most = slide(w, c);
	for (size_t i = 0; i < w->g->n; i++)
		n += !absent(w->v[i]);
	if (promql_count(ev, n + most) == -1)
		return -1;
	ev->samples -= most;
	w->points += n;
	r->v = w->v;
	if (n > 0 && fn->flags & FUNC_COUNTER)
		note_counter(w, r);
	if (!(fn->flags & FUNC_KEEP_NAME))
		promql_drop_name(ev, r, &w->room);
	return promql_emit(w->out, r, w->g->n);
}

/* anchored and smoothed change what a few functions see, and no other. */
static int
check_extended(struct windows *w)
{
	enum word ext =
	    w->range->kind == N_MATRIX ? w->range->sub->mod.extend : W_NONE;
	unsigned flags = w->call->fn->flags;

	if (ext == W_ANCHORED && !(flags & FUNC_ANCHORED))
		return promql_fail(w->ev,
		    "anchored modifier can only be used with: changes, delta, "
		    "increase, rate, resets - not with %s",
		    w->call->fn->name);
	if (ext == W_SMOOTHED && !(flags & FUNC_SMOOTHED))
		return promql_fail(w->ev,
		    "smoothed modifier can only be used with: delta, increase, "
		    "rate - not with %s",
		    w->call->fn->name);
	return 0;
}

int
promql_windows(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct windows w = { .ev = ev, .call = call, .g = g };
	size_t at = call->fn->args[0] == 'm' ? 0 : 1;
	size_t held = ev->samples;
	struct unite u;
	int rc;

	w.range = promql_inner(call->arg[at]);
	w.v = promql_column(ev, g->n);
	w.f = (struct feed){ .ev = ev, .each = window_column, .self = &w };
	for (size_t i = 0; i < call->narg; i++) {
		if (i == at)
			continue;
		w.cols[w.nargs] = promql_column(ev, g->n);
		if (promql_scalar(ev, call->arg[i], g, w.cols[w.nargs]) == -1)
			return -1;
		w.nargs++;
	}
	if (check_extended(&w) == -1 ||
	    (call->fn->check != NULL &&
		call->fn->check(ev, call, w.cols, g->n) == -1))
		return -1;
	w.out = promql_unite_init(&u, ev, g->n,
	    ev->late_names || call->fn->flags & FUNC_KEEP_NAME ||
		promql_one_name(w.range),
	    out);
	rc = promql_unite_fini(&u, feed(&w.f, w.range, g, &w.p));
	/* What the windows held has been let go. */
	ev->samples = held + w.points;
	return rc;
}
