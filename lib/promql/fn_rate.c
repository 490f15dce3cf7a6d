/*
 * How fast things change: functions of the first, the last and the falling
 * samples of a window.
 */
#include "promql/eval.h"
#include "promql/slide.h"

/* What counters had before they fell, over the samples (lo, hi). */
static double
fallen(const struct window *w)
{
	double sum = 0;

	for (size_t i = w->first_reset; i < w->nresets; i++)
		sum += w->v[w->resets[i] - 1];
	return sum;
}

/*
 * The change goes on to the window's edges when a sample is so near that the
 * series can be taken to go on there, but never below zero for a counter.
 */
double
promql_extrapolate(const struct window *w, size_t n, int64_t t0, int64_t t1,
    double first, double change, bool counter, int64_t begun)
{
	double sampled = (double)(t1 - t0) / 1000, zero;
	double mean = n > 1 ? sampled / (double)(n - 1) : 0;
	double start = (double)(t0 - w->from) / 1000;
	double end = (double)(w->to - t1) / 1000;

	if (start >= mean * 1.1)
		start = mean / 2;
	if (begun != 0) {
		sampled = (double)(t1 - begun) / 1000;
		start = 0;
	} else if (counter && change > 0 && first >= 0) {
		zero = sampled * (first / change);
		if (zero < start)
			start = zero;
	}
	if (end >= mean * 1.1)
		end = mean / 2;
	return (sampled + start + end) / sampled;
}

int64_t
promql_begun(const struct window *w, const int64_t *start, int64_t first)
{
	return start != NULL && *start > w->from && *start < first ? *start : 0;
}

static bool
extrapolated(const struct window *w, bool counter, bool rate, double *out)
{
	size_t n = w->hi - w->lo;
	double first, change, factor;
	int64_t begun = 0;

	if (counter && n > 0 && w->start != NULL)
		begun = promql_begun(w, w->start + w->lo, w->t[w->lo]);
	if (n < 2 && begun == 0)
		return false;
	first = w->v[w->lo];
	change = w->v[w->hi - 1] - first;
	if (counter)
		change += fallen(w);
	if (begun != 0)
		change += first;
	factor = promql_extrapolate(
	    w, n, w->t[w->lo], w->t[w->hi - 1], first, change, counter, begun);
	if (rate)
		factor /= (double)(w->to - w->from) / 1000;
	*out = change * factor;
	return true;
}

/* Is there a sample at or before the window, near enough to stand for it? */
static bool
has_before(const struct window *w)
{
	return w->lo > 0 && w->t[w->lo - 1] > w->oldest;
}

/* From the sample at or before the left edge to the last one; no guessing. */
static bool
anchored(const struct window *w, bool counter, bool rate, double *out)
{
	size_t first = has_before(w) ? w->lo - 1 : w->lo;
	double change = w->v[w->hi - 1] - w->v[first];

	for (size_t i = first + 1; i < w->hi && counter; i++)
		if (w->v[i] < w->v[i - 1])
			change += w->v[i - 1];
	if (rate)
		change /= (double)(w->to - w->from) / 1000;
	*out = change;
	return true;
}

/* Between samples i - 1 and i at t; a counter that fell began again at 0. */
static double
at_edge(const struct window *w, size_t i, int64_t t, bool counter, bool left)
{
	double a = w->v[i - 1], b = w->v[i];

	if (counter && b < a) {
		if (left)
			a = 0;
		else
			b += a;
	}
	return a +
	    (b - a) * (double)(t - w->t[i - 1]) /
	    (double)(w->t[i] - w->t[i - 1]);
}

/* From the interpolated value at the left edge to that at the right one. */
static bool
smoothed(const struct window *w, bool counter, bool rate, double *out)
{
	bool before = has_before(w);
	bool after = w->hi < w->total && w->t[w->hi] <= w->newest;
	double first, last, change;

	if (w->lo == w->hi && !(before && after))
		return false;
	if (before && w->t[w->lo - 1] == w->from)
		first = w->v[w->lo - 1];
	else if (before)
		first = at_edge(w, w->lo, w->from, counter, true);
	else
		first = w->v[w->lo];
	if (after && (w->hi > w->lo || before) && w->t[w->hi - 1] != w->to)
		last = at_edge(w, w->hi, w->to, counter, false);
	else
		last = w->v[w->hi - 1];
	/* Both edges behind the same fall: it is not counted twice. */
	if (w->lo == w->hi && counter && w->v[w->hi] < w->v[w->lo - 1])
		last -= w->v[w->lo - 1];
	change = last - first;
	for (size_t i = w->lo; i < w->hi && counter; i++) {
		double prev = i > w->lo ? w->v[i - 1] : first;

		if (w->v[i] < prev)
			change += prev;
	}
	if (rate)
		change /= (double)(w->to - w->from) / 1000;
	*out = change;
	return true;
}

bool
promql_change(const struct window *w, bool counter, bool rate, double *out)
{
	if (w->extend == W_ANCHORED)
		return anchored(w, counter, rate, out);
	if (w->extend == W_SMOOTHED)
		return smoothed(w, counter, rate, out);
	return extrapolated(w, counter, rate, out);
}

static bool
fn_rate(const struct window *w, const double *args, double *out)
{
	(void)args;
	return promql_change(w, true, true, out);
}

static bool
fn_increase(const struct window *w, const double *args, double *out)
{
	(void)args;
	return promql_change(w, true, false, out);
}

static bool
fn_delta(const struct window *w, const double *args, double *out)
{
	(void)args;
	return promql_change(w, false, false, out);
}

/* The last two samples alone. */
static bool
fn_irate(const struct window *w, const double *args, double *out)
{
	double last, prev;

	(void)args;
	if (w->hi - w->lo < 2)
		return false;
	last = w->v[w->hi - 1];
	prev = w->v[w->hi - 2];
	*out = (last < prev || restarted(w->start, w->t, w->hi - 1)
		       ? last
		       : last - prev) /
	    ((double)(w->t[w->hi - 1] - w->t[w->hi - 2]) / 1000);
	return true;
}

static bool
fn_idelta(const struct window *w, const double *args, double *out)
{
	(void)args;
	if (w->hi - w->lo < 2)
		return false;
	*out = w->v[w->hi - 1] - w->v[w->hi - 2];
	return true;
}

/* Least squares; the intercept is the line's value at time at. */
static void
regression(const struct window *w, int64_t at, double *slope, double *intercept)
{
	double n = (double)(w->hi - w->lo), first = w->v[w->lo];
	double x = 0, cx = 0, y = 0, cy = 0, xy = 0, cxy = 0, x2 = 0, cx2 = 0;
	bool same = true;

	for (size_t i = w->lo; i < w->hi; i++) {
		double t = ((double)w->t[i] - (double)at) / 1000;
		double v = w->v[i];

		same = same && v == first;
		promql_sum(t, &x, &cx);
		promql_sum(v, &y, &cy);
		promql_sum(t * v, &xy, &cxy);
		promql_sum(t * t, &x2, &cx2);
	}
	if (same) {
		*slope = isinf(first) ? num_nan() : 0;
		*intercept = isinf(first) ? num_nan() : first;
		return;
	}
	x += cx;
	y += cy;
	*slope = (xy + cxy - x * y / n) / (x2 + cx2 - x * x / n);
	*intercept = y / n - *slope * x / n;
}

static bool
fn_deriv(const struct window *w, const double *args, double *out)
{
	double intercept;

	(void)args;
	if (w->hi - w->lo < 2)
		return false;
	regression(w, w->t[w->lo], out, &intercept);
	return true;
}

static bool
fn_predict_linear(const struct window *w, const double *args, double *out)
{
	double slope, intercept;

	if (w->hi - w->lo < 2)
		return false;
	regression(w, w->now, &slope, &intercept);
	*out = slope * args[0] + intercept;
	return true;
}

/* The first sample to compare with the one behind it. */
static size_t
first_compared(const struct window *w)
{
	return w->extend == W_ANCHORED && has_before(w) ? w->lo - 1 : w->lo;
}

static bool
fn_changes(const struct window *w, const double *args, double *out)
{
	size_t n = 0;

	(void)args;
	for (size_t i = first_compared(w) + 1; i < w->hi; i++)
		n += w->v[i] != w->v[i - 1] &&
		    !(isnan(w->v[i]) && isnan(w->v[i - 1]));
	*out = (double)n;
	return true;
}

static bool
fn_resets(const struct window *w, const double *args, double *out)
{
	size_t n = 0;

	(void)args;
	for (size_t i = first_compared(w) + 1; i < w->hi; i++)
		n += w->v[i] < w->v[i - 1] || restarted(w->start, w->t, i);
	*out = (double)n;
	return true;
}

/* Holt's double exponential smoothing. */
static bool
fn_smoothing(const struct window *w, const double *args, double *out)
{
	double sf = args[0], tf = args[1], level, before = 0, trend;

	if (w->hi - w->lo < 2)
		return false;
	level = w->v[w->lo];
	trend = w->v[w->lo + 1] - level;
	for (size_t i = w->lo + 1; i < w->hi; i++) {
		double next;

		if (i > w->lo + 1)
			trend = tf * (level - before) + (1 - tf) * trend;
		next = sf * w->v[i] + (1 - sf) * (level + trend);
		before = level;
		level = next;
	}
	*out = level;
	return true;
}

static int
check_smoothing(
    struct eval *ev, const struct node *call, double **cols, size_t n)
{
	static const char *const names[] = { "smoothing", "trend" };

	(void)call;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < n; i++)
			if (!(cols[k][i] > 0 && cols[k][i] < 1))
				return promql_fail(ev,
				    "invalid %s factor. Expected: 0 < %cf < 1, "
				    "got: %f",
				    names[k], names[k][0], cols[k][i]);
	return 0;
}

#define EXTENDED (FUNC_ANCHORED | FUNC_SMOOTHED)

const struct func promql_fn_rate[] = {
	{ "changes", "m", 0, PROMQL_VECTOR, FUNC_ANCHORED, .window = fn_changes,
	    .slide = promql_slide_changes, .mixed = promql_mixed_changes },
	{ "delta", "m", 0, PROMQL_VECTOR, EXTENDED, .window = fn_delta,
	    .slide = promql_slide_delta, .mixed = promql_mixed_delta },
	{ "deriv", "m", 0, PROMQL_VECTOR, 0, .window = fn_deriv },
	{ "double_exponential_smoothing", "mss", 0, PROMQL_VECTOR, 0,
	    .window = fn_smoothing, .check = check_smoothing },
	{ "idelta", "m", 0, PROMQL_VECTOR, 0, .window = fn_idelta,
	    .mixed = promql_mixed_idelta },
	{ "increase", "m", 0, PROMQL_VECTOR,
	    EXTENDED | FUNC_COUNTER | FUNC_RESETS, .window = fn_increase,
	    .slide = promql_slide_increase, .mixed = promql_mixed_increase },
	{ "irate", "m", 0, PROMQL_VECTOR, 0, .window = fn_irate,
	    .mixed = promql_mixed_irate },
	{ "predict_linear", "ms", 0, PROMQL_VECTOR, FUNC_TIME,
	    .window = fn_predict_linear },
	{ "rate", "m", 0, PROMQL_VECTOR, EXTENDED | FUNC_COUNTER | FUNC_RESETS,
	    .window = fn_rate, .slide = promql_slide_rate,
	    .mixed = promql_mixed_rate },
	{ "resets", "m", 0, PROMQL_VECTOR, FUNC_ANCHORED, .window = fn_resets,
	    .slide = promql_slide_resets, .mixed = promql_mixed_resets },
	{ .name = NULL },
};
