/*
 * Figures are taken from the samples themselves, never from what is left of
 * them on the way to a picture.
 */
#include "plot/chart.h"

#include <math.h>
#include <stdlib.h>

#include "plot/unit.h"

static int
by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Times are taken for within this, so that their differences are numbers. */
#define FAR (INT64_C(1) << 60)

static int64_t
bound(int64_t t)
{
	return t > FAR ? FAR : t < -FAR ? -FAR : t;
}

/* The usual distance of a series' samples, when nobody says it. */
static int64_t
median_step(const struct plot_series *s, struct arena *a)
{
	int64_t *d, m;
	size_t n = s->n - 1;

	if (s->n < 2)
		return 0;
	d = arena_alloc(a, n * sizeof(*d));
	for (size_t i = 0; i < n; i++)
		d[i] = bound(s->t[i + 1]) - bound(s->t[i]);
	qsort(d, n, sizeof(*d), by_time);
	m = d[n / 2];
	return m;
}

static enum plot_level
level(const struct plot_chart *c, double v)
{
	const struct plot *p = c->p;

	if (c->below)
		return v <= p->crit ? PLOT_CRIT
		    : v <= p->warn  ? PLOT_WARN
				    : PLOT_FINE;
	/* A comparison with NaN, the threshold that is not set, is false. */
	return v >= p->crit ? PLOT_CRIT : v >= p->warn ? PLOT_WARN : PLOT_FINE;
}

/* A finite sample joins the figures; broken: something is missing before. */
static void
add(struct plot_chart *c, struct plot_line *l, int64_t t, double v, bool broken)
{
	if (l->n == 0) {
		l->min = l->max = v;
		l->first_t = t;
	} else if (broken || t - l->last_t > l->bridge) {
		l->gaps++;
		if (l->gaps == 1 || t - l->last_t > l->gap_to - l->gap_from) {
			l->gap_from = l->last_t;
			l->gap_to = t;
		}
	}
	l->n++;
	l->min = fmin(l->min, v);
	l->max = fmax(l->max, v);
	l->avg += v / (double)l->n - l->avg / (double)l->n;
	l->last = v;
	l->last_t = t;
	c->counts = c->counts && v == floor(v) && fabs(v) < 1e15;
}

static void
figures(struct plot_chart *c, struct plot_line *l)
{
	const struct plot_series *s = l->s;
	bool broken = false;

	for (size_t i = 0; i < s->n; i++) {
		if (s->t[i] < c->from || s->t[i] > c->to)
			continue;
		if (!isfinite(s->v[i])) {
			l->infinite += isinf(s->v[i]) != 0;
			broken = true;
			continue;
		}
		add(c, l, s->t[i], s->v[i], broken);
		broken = false;
		if (level(c, s->v[i]) > l->reached)
			l->reached = level(c, s->v[i]);
	}
	if (l->n == 0)
		return;
	l->now = level(c, l->last);
	l->ended = broken || c->to - l->last_t > l->bridge;
}

/* The times over the worst level reached; the one with the peak is kept. */
static void
crossings(struct plot_chart *c, struct plot_line *l)
{
	const struct plot_series *s = l->s;
	int64_t from = 0;
	bool in = false;

	for (size_t i = 0; i < s->n; i++) {
		double v = s->v[i];

		if (s->t[i] < c->from || s->t[i] > c->to)
			continue;
		if (!isfinite(v) || level(c, v) < l->reached) {
			in = false;
			continue;
		}
		if (!in) {
			from = s->t[i];
			l->times++;
		}
		in = true;
		if ((l->times == 1 && from == s->t[i]) ||
		    (c->below ? v < l->peak : v > l->peak)) {
			l->peak = v;
			l->over_from = from;
			l->over_to = s->t[i];
		} else if (l->over_from == from)
			l->over_to = s->t[i];
	}
}

static void
span(struct plot_chart *c)
{
	const struct plot *p = c->p;
	bool any = false;

	c->from = p->from;
	c->to = p->to;
	if (c->from == 0 && c->to == 0)
		for (size_t i = 0; i < p->n; i++) {
			const struct plot_series *s = &p->v[i];

			if (s->n == 0)
				continue;
			if (!any || s->t[0] < c->from)
				c->from = s->t[0];
			if (!any || s->t[s->n - 1] > c->to)
				c->to = s->t[s->n - 1];
			any = true;
		}
	c->from = bound(c->from);
	c->to = bound(c->to);
	if (c->from >= c->to) { /* one moment: put it into the middle */
		int64_t half = p->step > 0 ? bound(p->step) : 30000;

		c->to = c->from + half;
		c->from -= half;
	}
}

/* A threshold is shown if the data keeps a third of the height. */
static void
take_in(struct plot_chart *c, double x)
{
	double lo = fmin(c->lo, 0), hi = fmax(c->hi, 0);

	if (!isfinite(x) || fmax(hi, x) - fmin(lo, x) > 3 * (hi - lo))
		return;
	c->lo = fmin(c->lo, x);
	c->hi = fmax(c->hi, x);
}

void
plot_chart(struct plot_chart *c, const struct plot *p, struct arena *a)
{
	*c = (struct plot_chart){ .p = p,
		.n = p->n,
		.lo = 1,
		.hi = 0,
		.counts = true,
		.below = p->crit < p->warn };
	span(c);
	c->v = arena_array(a, p->n, struct plot_line);
	for (size_t i = 0; i < p->n; i++) {
		struct plot_line *l = &c->v[i];
		int64_t step;

		l->s = &p->v[i];
		step = p->step > 0 ? bound(p->step) : median_step(l->s, a);
		l->bridge = step + step / 2;
		figures(c, l);
		if (l->n == 0)
			continue;
		if (l->reached > PLOT_FINE)
			crossings(c, l);
		c->lo = c->drawn == 0 ? l->min : fmin(c->lo, l->min);
		c->hi = c->drawn == 0 ? l->max : fmax(c->hi, l->max);
		c->drawn++;
	}
	c->counts = c->counts && c->drawn > 0 && plot_unit_counts(p->unit);
	if (c->drawn > 0) {
		take_in(c, p->warn);
		take_in(c, p->crit);
	}
	plot_names(c, a);
}

static int
by_peak(const void *a, const void *b)
{
	const struct plot_line *const *x = a, *const *y = b;
	double p = (*x)->n > 0 ? (*x)->max : -INFINITY;
	double q = (*y)->n > 0 ? (*y)->max : -INFINITY;

	return p != q ? (p < q) - (p > q) : (*x > *y) - (*x < *y);
}

bool *
plot_chart_pick(const struct plot_chart *c, size_t k, struct arena *a)
{
	const struct plot_line **v =
	    arena_array(a, c->n, const struct plot_line *);
	bool *in = arena_array(a, c->n, bool);

	for (size_t i = 0; i < c->n; i++)
		v[i] = &c->v[i];
	if (k < c->n)
		qsort(v, c->n, sizeof(*v), by_peak);
	for (size_t i = 0; i < c->n && i < k; i++)
		in[v[i] - c->v] = true;
	return in;
}

int
plot_crossed(const struct plot *p)
{
	struct arena a = { 0 };
	struct plot_chart c;
	int worst = 0;

	plot_chart(&c, p, &a);
	for (size_t i = 0; i < c.n; i++)
		if (c.v[i].n > 0 && (int)c.v[i].now > worst)
			worst = (int)c.v[i].now;
	arena_fini(&a);
	return worst;
}

bool
plot_empty(const struct plot *p)
{
	struct arena a = { 0 };
	struct plot_chart c;

	plot_chart(&c, p, &a);
	arena_fini(&a);
	return c.drawn == 0;
}
