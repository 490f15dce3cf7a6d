/*
 * Window functions over all windows of a series at once.  What only depends
 * on times is computed once for all series that were scraped together; what
 * neighbouring windows share is carried from one to the next, wherever that
 * gives the very bits that each window on its own would give.
 */
#include "promql/slide.h"

#include <stdlib.h>

#include "promql/eval.h"

/* Sums of whole numbers below this are exact in any order. */
#define EXACT 9007199254740992.0

static double *
numbers(struct slides *s, size_t k, size_t n)
{
	if (n > s->cap[k]) {
		s->cap[k] = n + n / 2;
		s->room[k] = promql_column(s->ev, s->cap[k]);
	}
	return s->room[k];
}

static size_t *
places(struct slides *s, size_t n)
{
	if (n > s->placecap) {
		s->placecap = n + n / 2;
		s->place =
		    arena_alloc(s->ev->a, s->placecap * sizeof(*s->place));
	}
	return s->place;
}

/* The windows of a column: the last one's, if its times were the same. */
void
promql_slides_set(struct slides *s, const struct place *p, const struct grid *g,
    const struct column *c)
{
	size_t lo = 0, hi = 0;

	s->v = c->v;
	if (c->n == s->total && s->steps == g->n &&
	    memcmp(c->t, s->t, c->n * sizeof(*c->t)) == 0)
		return;
	if (s->steps != g->n) {
		s->lo = arena_array(s->ev->a, g->n, size_t);
		s->hi = arena_array(s->ev->a, g->n, size_t);
		s->steps = g->n;
	}
	if (c->n > s->tcap) {
		s->tcap = c->n + c->n / 2;
		s->t = arena_alloc(s->ev->a, s->tcap * sizeof(*s->t));
	}
	memcpy(s->t, c->t, c->n * sizeof(*c->t));
	s->total = c->n;
	s->work = s->most = 0;
	s->fresh = true;
	for (size_t i = 0; i < g->n; i++) {
		int64_t to = edge(p, g, i), from = plus(to, -p->range);

		while (lo < c->n && c->t[lo] <= from)
			lo++;
		if (hi < lo)
			hi = lo;
		while (hi < c->n && c->t[hi] <= to)
			hi++;
		s->lo[i] = lo;
		s->hi[i] = hi;
		s->work += hi - lo;
		if (hi - lo > s->most)
			s->most = hi - lo;
	}
	s->p = p;
	s->g = g;
}

/* Do neighbouring windows share most of their samples? */
static bool
overlapping(const struct slides *s)
{
	return s->work > 2 * s->total;
}

/*
 * Rates.
 */

/* The length of a window in seconds. */
static double
span(const struct slides *s, size_t i)
{
	int64_t to = edge(s->p, s->g, i);

	return (double)(to - plus(to, -s->p->range)) / 1000;
}

/* What of promql_extrapolate() is about times alone, a column each. */
enum { SAMPLED, START, END, FACTOR, NEAR };

static void
extrapolation(struct slides *s, bool rate)
{
	double *sampled = numbers(s, SAMPLED, s->steps);
	double *start = numbers(s, START, s->steps);
	double *end = numbers(s, END, s->steps);
	double *factor = numbers(s, FACTOR, s->steps);
	double *near = numbers(s, NEAR, s->steps);

	s->fresh = false;
	for (size_t i = 0; i < s->steps; i++) {
		size_t lo = s->lo[i], n = s->hi[i] - lo;
		int64_t to = edge(s->p, s->g, i), from = plus(to, -s->p->range);
		double mean;

		if (n < 2)
			continue;
		sampled[i] = (double)(s->t[lo + n - 1] - s->t[lo]) / 1000;
		mean = sampled[i] / (double)(n - 1);
		start[i] = (double)(s->t[lo] - from) / 1000;
		end[i] = (double)(to - s->t[lo + n - 1]) / 1000;
		if (start[i] >= mean * 1.1)
			start[i] = mean / 2;
		if (end[i] >= mean * 1.1)
			end[i] = mean / 2;
		factor[i] = (sampled[i] + start[i] + end[i]) / sampled[i];
		if (rate)
			factor[i] /= span(s, i);
		near[i] = start[i] / sampled[i] * 1.000001;
	}
}

/*
 * Was a counter nothing within start before its first sample?  That takes a
 * division, unless it is so far from it that a product tells: near has room
 * for the error of both.
 */
static inline __attribute__((always_inline)) bool
near_zero(double first, double change, double near)
{
	double bound = change * near;

	return change > 0 && first >= 0 &&
	    !(first >= bound && bound > 1e-280 && bound < 1e280);
}

/* Inlined, so that each use has a loop for its own case. */
static inline __attribute__((always_inline)) void
changes(struct slides *s, bool counter, bool rate, bool falls, double *out)
{
	const double *v = s->v, *factor, *near;
	double none = num_stale();
	size_t a = 0, b = 0; /* resets inside the window */

	if (s->fresh)
		extrapolation(s, rate);
	factor = s->room[FACTOR];
	near = s->room[NEAR];
	for (size_t i = 0; i < s->steps; i++) {
		size_t lo = s->lo[i], hi = s->hi[i];
		double first, change, by, zero, fallen = 0;

		if (hi - lo < 2) {
			out[i] = none;
			continue;
		}
		first = v[lo];
		change = v[hi - 1] - first;
		if (falls) {
			while (b < s->nresets && s->resets[b] < hi)
				b++;
			while (a < b && s->resets[a] <= lo)
				a++;
			for (size_t k = a; k < b; k++)
				fallen += v[s->resets[k] - 1];
		}
		if (counter)
			change += fallen;
		by = factor[i];
		if (counter && near_zero(first, change, near[i])) {
			double sampled = s->room[SAMPLED][i];

			zero = sampled * (first / change);
			if (zero < s->room[START][i]) {
				by = (sampled + zero + s->room[END][i]) /
				    sampled;
				if (rate)
					by /= span(s, i);
			}
		}
		out[i] = change * by;
	}
}

bool
promql_slide_rate(struct slides *s, const double *const *args, double *out)
{
	(void)args;
	if (s->nresets > 0)
		changes(s, true, true, true, out);
	else
		changes(s, true, true, false, out);
	return true;
}

bool
promql_slide_increase(struct slides *s, const double *const *args, double *out)
{
	(void)args;
	if (s->nresets > 0)
		changes(s, true, false, true, out);
	else
		changes(s, true, false, false, out);
	return true;
}

bool
promql_slide_delta(struct slides *s, const double *const *args, double *out)
{
	(void)args;
	changes(s, false, false, false, out);
	return true;
}

/*
 * Counting: before[i] of the samples 1..i differ from the one before them.
 */

static void
count(struct slides *s, const size_t *before, double *out)
{
	for (size_t i = 0; i < s->steps; i++)
		out[i] = s->hi[i] == s->lo[i]
		    ? num_stale()
		    : (double)(before[s->hi[i] - 1] - before[s->lo[i]]);
}

bool
promql_slide_changes(struct slides *s, const double *const *args, double *out)
{
	size_t *n;

	(void)args;
	if (!overlapping(s))
		return false;
	n = places(s, s->total);
	n[0] = 0;
	for (size_t i = 1; i < s->total; i++)
		n[i] = n[i - 1] +
		    (s->v[i] != s->v[i - 1] &&
			!(isnan(s->v[i]) && isnan(s->v[i - 1])));
	count(s, n, out);
	return true;
}

bool
promql_slide_resets(struct slides *s, const double *const *args, double *out)
{
	size_t *n;

	(void)args;
	if (!overlapping(s))
		return false;
	n = places(s, s->total);
	n[0] = 0;
	for (size_t i = 1; i < s->total; i++)
		n[i] = n[i - 1] + (s->v[i] < s->v[i - 1]);
	count(s, n, out);
	return true;
}

/*
 * The least or greatest: those that can still become it, in a queue.  Of
 * equal ones (0 and -0) the first counts; NaN only where there is no number.
 */

static bool
extreme(struct slides *s, bool greatest, double *out)
{
	const double *v = s->v;
	size_t *q, head = 0, tail = 0, next = 0;

	if (!overlapping(s))
		return false;
	q = places(s, s->total);
	for (size_t i = 0; i < s->steps; i++) {
		size_t lo = s->lo[i], hi = s->hi[i];

		if (next < lo)
			next = lo;
		for (; next < hi; next++) {
			if (isnan(v[next]))
				continue;
			while (tail > head &&
			    (greatest ? v[q[tail - 1]] < v[next]
				      : v[q[tail - 1]] > v[next]))
				tail--;
			q[tail++] = next;
		}
		while (head < tail && q[head] < lo)
			head++;
		out[i] = lo == hi ? num_stale()
		    : head < tail ? v[q[head]]
				  : v[hi - 1];
	}
	return true;
}

bool
promql_slide_min(struct slides *s, const double *const *args, double *out)
{
	(void)args;
	return extreme(s, false, out);
}

bool
promql_slide_max(struct slides *s, const double *const *args, double *out)
{
	(void)args;
	return extreme(s, true, out);
}

/*
 * Sums.
 */

/* Sums of the samples before each, if they are exact whatever the order. */
static const double *
exact(struct slides *s)
{
	double *p = numbers(s, 0, s->total + 1), all = 0;

	p[0] = 0;
	for (size_t i = 0; i < s->total; i++) {
		all += fabs(s->v[i]);
		p[i + 1] = p[i] + s->v[i];
	}
	if (!(all < EXACT))
		return NULL;
	for (size_t i = 0; i < s->total; i++)
		if (s->v[i] != trunc(s->v[i]))
			return NULL;
	return p;
}

/* One step of Neumaier's sum, without a jump. */
static inline __attribute__((always_inline)) void
step(double v, double *sum, double *c)
{
	double t = *sum + v;
	double lost = fabs(*sum) >= fabs(v) ? (*sum - t) + v : (v - t) + *sum;

	*c = isinf(t) ? 0 : *c + lost;
	*sum = t;
}

/*
 * Four windows side by side: each sum is in the order of its samples, and as
 * they do not wait for each other, they take hardly longer than one.
 */
#define TOGETHER 4

static void
sum_some(const double *const v[TOGETHER], const size_t n[TOGETHER],
    double sum[TOGETHER], double c[TOGETHER])
{
	size_t least = n[0];

	for (size_t k = 1; k < TOGETHER; k++)
		if (n[k] < least)
			least = n[k];
	for (size_t k = 0; k < TOGETHER; k++) {
		sum[k] = n[k] > 0 ? v[k][0] : 0;
		c[k] = 0;
	}
	for (size_t j = 1; j < least; j++)
		for (size_t k = 0; k < TOGETHER; k++)
			step(v[k][j], &sum[k], &c[k]);
	for (size_t k = 0; k < TOGETHER; k++)
		for (size_t j = least > 0 ? least : 1; j < n[k]; j++)
			step(v[k][j], &sum[k], &c[k]);
}

static void
sums(struct slides *s, double *sum, double *c)
{
	const double *p = overlapping(s) ? exact(s) : NULL;

	for (size_t i = 0; p != NULL && i < s->steps; i++) {
		sum[i] = p[s->hi[i]] - p[s->lo[i]];
		c[i] = 0;
	}
	for (size_t i = 0; p == NULL && i < s->steps; i += TOGETHER) {
		size_t left = s->steps - i, n[TOGETHER] = { 0 };
		const double *v[TOGETHER] = { NULL };
		double a[TOGETHER], b[TOGETHER];

		if (left > TOGETHER)
			left = TOGETHER;
		for (size_t k = 0; k < left; k++) {
			v[k] = s->v + s->lo[i + k];
			n[k] = s->hi[i + k] - s->lo[i + k];
		}
		sum_some(v, n, a, b);
		memcpy(sum + i, a, left * sizeof(*a));
		memcpy(c + i, b, left * sizeof(*b));
	}
}

bool
promql_slide_sum(struct slides *s, const double *const *args, double *out)
{
	double *c = numbers(s, 1, s->steps);

	(void)args;
	sums(s, out, c);
	for (size_t i = 0; i < s->steps; i++)
		if (s->hi[i] == s->lo[i])
			out[i] = num_stale();
		else if (!isinf(out[i]))
			out[i] += c[i];
	return true;
}

/* Not for sums that overflow: those go on as a mean, see fn_over_time.c. */
bool
promql_slide_avg(struct slides *s, const double *const *args, double *out)
{
	double *c = numbers(s, 1, s->steps);

	(void)args;
	sums(s, out, c);
	for (size_t i = 0; i < s->steps; i++) {
		double n = (double)(s->hi[i] - s->lo[i]);

		if (n == 0)
			out[i] = num_stale();
		else if (!isfinite(out[i]))
			return false;
		else
			out[i] = out[i] / n + c[i] / n;
	}
	return true;
}

/*
 * Quantiles: the window's values in order, one out, one in.
 */

/* Does a stand before b?  NaN before all. */
static bool
before(double a, double b)
{
	return a < b || (isnan(a) && !isnan(b));
}

/*
 * How many of n sorted values stand before x, or behind: up to it.  Of equal
 * ones the oldest is first, where a stable sort would have it.
 */
static size_t
seek(const double *v, size_t n, double x, bool behind)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;

		if (behind ? !before(x, v[mid]) : before(v[mid], x))
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

bool
promql_slide_quantile(struct slides *s, const double *const *args, double *out)
{
	size_t lo = 0, hi = 0, n = 0;
	double *v;

	if (!overlapping(s))
		return false;
	v = numbers(s, 0, s->most + 1);
	for (size_t i = 0; i < s->steps; i++) {
		if (s->lo[i] >= hi) {
			n = 0;
			lo = hi = s->lo[i];
		}
		for (; lo < s->lo[i]; lo++) {
			size_t k = seek(v, n, s->v[lo], false);

			n--;
			memmove(v + k, v + k + 1, (n - k) * sizeof(*v));
		}
		for (; hi < s->hi[i]; hi++) {
			size_t k = seek(v, n, s->v[hi], true);

			memmove(v + k + 1, v + k, (n - k) * sizeof(*v));
			v[k] = s->v[hi];
			n++;
		}
		out[i] = n == 0 ? num_stale()
				: promql_quantile_sorted(args[0][i], v, n);
	}
	return true;
}
