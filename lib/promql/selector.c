/*
 * Selectors, and the columns of range vectors.  A selector is read from the
 * source once for the whole grid; both kinds walk a series' columns with
 * indexes that only move forward.  A sample counts in (t - lookback, t].
 */
#include "promql/eval.h"

/* What a span of n is here; of one that is wrong the place is said. */
static int
length(struct eval *ev, const struct span *s, const struct node *n,
    int64_t least, int64_t *ms)
{
	unsigned line, col;
	int rc = promql_span(s, ev->query.step, ev->range, ms, ev->e);

	if (rc == 0 && *ms >= least)
		return 0;
	ev->failure = PROMQL_REFUSED;
	if (rc == 0)
		(void)promql_fail(ev, "duration must be greater than 0");
	promql_position(
	    ev->text, s->expr != NULL ? s->expr->at : n->at, &line, &col);
	return error_add(ev->e, "%u:%u", line, col);
}

static int
place(struct eval *ev, const struct modifier *m, const struct span *range,
    const struct node *n, struct place *p)
{
	p->pinned = m->at != AT_NONE;
	p->at = m->at == AT_TIME ? m->at_ms
	    : m->at == AT_START  ? ev->query.from
				 : ev->query.from + ev->range;
	p->range = 0;
	if (length(ev, &m->offset, n, INT64_MIN, &p->offset) == -1)
		return -1;
	return range == NULL ? 0 : length(ev, range, n, 1, &p->range);
}

/*
 * Open the source for (first edge - back, last edge + ahead]; last: only the
 * newest sample of each series counts.
 */
static struct source_cursor *
open_source(struct eval *ev, const struct node *n, const struct place *p,
    const struct grid *g, int64_t back, int64_t ahead, bool last)
{
	struct source_query q = {
		.m = n->m,
		.nm = n->nm,
		.from = plus(plus(edge(p, g, 0), -back), 1),
		.to = plus(edge(p, g, g->n - 1), ahead),
		.histograms = true,
		.starts = ev->start_times,
		.last = last,
	};
	struct source_cursor *c;

	if (ev->asked == n) {
		q.few_labels = ev->hints.few_labels;
		q.labels = ev->hints.labels;
		q.nlabels = ev->hints.nlabels;
		q.unordered = ev->hints.unordered;
		q.any_value = ev->hints.any_value;
	}
	c = source_open(ev->src, &q, ev->e);
	if (c == NULL)
		error_add(ev->e, "expanding series");
	return c;
}

/* A series came from the source, the nth of its selector. */
static int
took(struct eval *ev, const struct source_series *s, size_t n)
{
	if (ev->max_series > 0 && n > ev->max_series)
		return promql_fail(ev,
		    "query processing would load too many series: a selector "
		    "has more than %zu",
		    ev->max_series);
	promql_cost_read(ev, s->n);
	return promql_tick(ev, s->n + 64);
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
    const struct place *p, const struct grid *g, enum select what, double *v)
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
		v[i] = s->v[k - 1];
		if (what == SELECT_TIMES)
			v[i] = (double)s->t[k - 1] / 1000;
		else if (what == SELECT_STARTS)
			v[i] = s->start != NULL ? (double)s->start[k - 1] / 1000
						: 0;
	}
}

/*
 * Sample k as the query sees it.  A selector that is to tell resets looks at
 * the sample before where the source did not know.
 */
static const struct histogram *
adopt(struct eval *ev, const struct node *n, const struct source_series *s,
    size_t k)
{
	struct histogram *h = histogram_copy(s->h[k], ev->a);

	if (n->tells_resets && h->hint == HISTOGRAM_UNKNOWN && k > 0 &&
	    s->h[k - 1] != NULL)
		h->hint = histogram_fell(h, s->h[k - 1]) ? HISTOGRAM_RESET
							 : HISTOGRAM_NOT_RESET;
	return h;
}

/* The histograms of an instant selector beside v, which instant() made. */
static const struct histogram **
instant_histograms(struct eval *ev, const struct node *n,
    const struct source_series *s, const struct place *p, const struct grid *g,
    enum select what, double *v)
{
	const struct histogram **h = promql_histograms(ev, g->n), *last = NULL;
	size_t k = 0, had = 0;

	for (size_t i = 0; i < g->n; i++) {
		int64_t to = edge(p, g, i);

		while (k < s->n && s->t[k] <= to)
			k++;
		if (absent(v[i]) || s->h[k - 1] == NULL)
			continue;
		if (had != k)
			last = adopt(ev, n, s, k - 1);
		had = k;
		h[i] = last;
		if (what == SELECT_VALUES)
			v[i] = 0;
	}
	return h;
}

/* As instant_smoothed() below, where one of both sides is a histogram. */
static double
between_histograms(struct eval *ev, const struct node *n,
    const struct source_series *s, size_t k, int64_t to,
    const struct histogram **h)
{
	str name = label_find(s->labels, LABEL_NAME);
	const struct histogram *a = s->h[k - 1], *b = s->h[k];

	if (a == NULL || b == NULL) {
		promql_note(ev, NOTE_WARNING, n,
		    "encountered a mix of histograms and floats for metric "
		    "name \"%.*s\"",
		    STR_ARG(name));
		return num_stale();
	}
	*h = promql_between(a, b,
	    (double)(to - s->t[k - 1]) / (double)(s->t[k] - s->t[k - 1]),
	    a->hint != HISTOGRAM_GAUGE && histogram_fell(b, a), false, ev->a);
	if (*h != NULL)
		return 0;
	promql_note_mix(ev, n, name);
	return num_stale();
}

/*
 * A smoothed selector: interpolated between the samples on both sides; where
 * there is only one side, its value if that is the past.
 */
static void
instant_smoothed(struct eval *ev, const struct node *n,
    const struct source_series *s, const struct place *p, const struct grid *g,
    struct row *r)
{
	double none = num_stale(), *v = r->v;
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
		if (before && (s->t[k - 1] == to || !after)) {
			v[i] = s->v[k - 1];
			if (s->h != NULL && s->h[k - 1] != NULL) {
				v[i] = 0;
				r->h[i] = histogram_copy(s->h[k - 1], ev->a);
			}
		} else if (before && s->h != NULL &&
		    (s->h[k - 1] != NULL || s->h[k] != NULL))
			v[i] = between_histograms(ev, n, s, k, to, &r->h[i]);
		else if (before)
			v[i] = between(
			    s->t[k - 1], s->v[k - 1], s->t[k], s->v[k], to);
	}
}

/* How many samples a row holds. */
static size_t
weigh(const struct row *r, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += !absent(r->v[i]);
	for (size_t i = 0; i < n && r->h != NULL; i++)
		if (r->h[i] != NULL && !absent(r->v[i]))
			k += promql_histogram_size(r->h[i]);
	return k;
}

int
promql_select(struct eval *ev, const struct node *n, const struct grid *g,
    enum select what, const struct sink *out)
{
	double *v = promql_column(ev, g->n);
	bool smoothed = n->mod.extend == W_SMOOTHED, last;
	struct source_series s;
	struct source_cursor *c;
	struct place p;
	struct row r;
	size_t k, taken = 0;
	int rc;

	if (place(ev, &n->mod, NULL, n, &p) == -1)
		return -1;
	last = (g->n == 1 || p.pinned) && !smoothed && !n->tells_resets;
	c = open_source(
	    ev, n, &p, g, ev->lookback, smoothed ? ev->lookback : 0, last);
	if (c == NULL)
		return -1;
	while ((rc = source_next(ev->src, c, &s, ev->e)) > 0) {
		if (took(ev, &s, ++taken) == -1)
			break;
		r = (struct row){ s.labels, false, v, NULL };
		if (smoothed && what == SELECT_VALUES) {
			if (s.h != NULL)
				r.h = promql_histograms(ev, g->n);
			instant_smoothed(ev, n, &s, &p, g, &r);
		} else
			instant(ev, &s, &p, g, what, v);
		if (s.h != NULL && (what != SELECT_VALUES || !smoothed))
			r.h = instant_histograms(ev, n, &s, &p, g, what, v);
		k = weigh(&r, g->n);
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
	struct promql_cost *cost, *above; /* with a ledger, as in a meter */
	int (*metered)(void *self, struct row *r, const struct column *c);
	void *metered_self;
	struct grid inner; /* of a subquery */
	int64_t *t;        /* room for cleaned columns */
	double *v;
	const struct histogram **h;
	int64_t *start;
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
	f->h = arena_alloc(f->ev->a, f->cap * sizeof(*f->h));
	f->start = arena_alloc(f->ev->a, f->cap * sizeof(*f->start));
}

/*
 * Without staleness markers; copied only if there are any.  Histograms that
 * are to tell resets are copied, too.
 */
static struct column
clean(struct feed *f, const struct node *sel, const struct source_series *s)
{
	struct column c = { s->t, s->v, s->h, s->start, s->n };
	bool adopts = s->h != NULL && sel->tells_resets;
	size_t i, n;

	if (!adopts && promql_present(s->v, s->n) == s->n)
		return c;
	feed_room(f, s->n);
	for (n = 0, i = 0; i < s->n; i++) {
		if (absent(s->v[i]))
			continue;
		f->t[n] = s->t[i];
		f->h[n] = s->h != NULL ? s->h[i] : NULL;
		if (adopts && f->h[n] != NULL)
			f->h[n] = adopt(f->ev, sel, s, i);
		f->start[n] = s->start != NULL ? s->start[i] : 0;
		f->v[n++] = s->v[i];
	}
	return (struct column){ f->t, f->v, s->h != NULL ? f->h : NULL,
		s->start != NULL ? f->start : NULL, n };
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
	size_t taken = 0;
	int rc;

	cur = open_source(ev, sel, p, g,
	    plus(p->range, extended ? ev->lookback : 0),
	    sel->mod.extend == W_SMOOTHED ? ev->lookback : 0, false);
	if (cur == NULL)
		return -1;
	while ((rc = source_next(ev->src, cur, &s, ev->e)) > 0) {
		if (took(ev, &s, ++taken) == -1)
			break;
		c = clean(f, sel, &s);
		r = (struct row){ s.labels, false, NULL, NULL };
		if (c.n > 0 && f->each(f->self, &r, &c) == -1)
			break;
	}
	source_close(ev->src, cur);
	return rc == 0 ? 0 : -1;
}

/*
 * What was known of a reset was about the sample before, which is not the
 * point before.
 */
static const struct histogram *
unhinted(struct feed *f, const struct histogram *h)
{
	struct histogram *plain;

	if (h->hint != HISTOGRAM_RESET && h->hint != HISTOGRAM_NOT_RESET)
		return h;
	plain = arena_new(f->ev->a, struct histogram);
	*plain = *h;
	plain->hint = HISTOGRAM_UNKNOWN;
	return plain;
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
			f->h[n] = histogram_at(r, i);
			if (f->h[n] != NULL)
				f->h[n] = unhinted(f, f->h[n]);
			f->v[n++] = r->v[i];
		}
	return f->each(f->self, r,
	    &(struct column){
		f->t, f->v, r->h != NULL ? f->h : NULL, NULL, n });
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
	if (n->step.set && length(ev, &n->step, n, 1, &step) == -1)
		return -1;
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

/* As a meter does for rows. */
static int
metered_column(void *self, struct row *r, const struct column *c)
{
	struct feed *f = self;
	int rc;

	f->cost->series++;
	f->cost->points += c->n;
	promql_charge(f->ev, f->above);
	rc = f->metered(f->metered_self, r, c);
	promql_charge(f->ev, f->cost);
	return rc;
}

static int
feed(
    struct feed *f, const struct node *n, const struct grid *g, struct place *p)
{
	const struct node *sel = n->kind == N_MATRIX ? n->sub : n;
	bool matrix = n->kind == N_MATRIX;
	int rc;

	if (place(f->ev, &sel->mod, &n->range, n, p) == -1)
		return -1;
	if (f->ev->ledger == NULL)
		return matrix ? feed_matrix(f, n, g, p)
			      : feed_subquery(f, n, g, p);
	f->metered = f->each;
	f->metered_self = f->self;
	f->each = metered_column;
	f->self = f;
	f->cost = promql_cost_of(f->ev, n);
	f->cost->runs++;
	f->above = promql_charge(f->ev, f->cost);
	rc = matrix ? feed_matrix(f, n, g, p) : feed_subquery(f, n, g, p);
	promql_charge(f->ev, f->above);
	return rc;
}

int
promql_feed(struct eval *ev, const struct node *n, const struct grid *g,
    struct place *p,
    int (*each)(void *self, struct row *r, const struct column *c), void *self)
{
	struct feed f = { .ev = ev, .each = each, .self = self };

	return feed(&f, n, g, p);
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
		if (in.h != NULL)
			in.h++;
		if (in.start != NULL)
			in.start++;
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
