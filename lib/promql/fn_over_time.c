/*
 * Functions of all samples of a window: the *_over_time family.  A window
 * always holds at least one sample.
 */
#include "promql/eval.h"

#include <stdlib.h>

#include "base/mem.h"
#include "promql/slide.h"

static bool
fn_sum(const struct window *w, const double *args, double *out)
{
	double sum = 0, c = 0;

	(void)args;
	for (size_t i = w->lo; i < w->hi; i++)
		promql_sum(w->v[i], &sum, &c);
	*out = isinf(sum) ? sum : sum + c;
	return true;
}

/* A sum that would overflow goes on as a running mean. */
static bool
fn_avg(const struct window *w, const double *args, double *out)
{
	double sum = w->v[w->lo], c = 0, mean = 0, n = 1, s, d, q;
	bool running = false;

	(void)args;
	for (size_t i = w->lo + 1; i < w->hi; i++) {
		n++;
		if (!running) {
			s = sum;
			d = c;
			promql_sum(w->v[i], &s, &d);
			if (!isinf(s)) {
				sum = s;
				c = d;
				continue;
			}
			running = true;
			mean = sum / (n - 1);
			c /= n - 1;
		}
		q = (n - 1) / n;
		mean *= q;
		c *= q;
		promql_sum(w->v[i] / n, &mean, &c);
	}
	*out = running ? mean + c : sum / n + c / n;
	return true;
}

static bool
fn_min(const struct window *w, const double *args, double *out)
{
	double m = w->v[w->lo];

	(void)args;
	for (size_t i = w->lo + 1; i < w->hi; i++)
		if (w->v[i] < m || isnan(m))
			m = w->v[i];
	*out = m;
	return true;
}

static bool
fn_max(const struct window *w, const double *args, double *out)
{
	double m = w->v[w->lo];

	(void)args;
	for (size_t i = w->lo + 1; i < w->hi; i++)
		if (w->v[i] > m || isnan(m))
			m = w->v[i];
	*out = m;
	return true;
}

static bool
fn_count(const struct window *w, const double *args, double *out)
{
	(void)args;
	*out = (double)(w->hi - w->lo);
	return true;
}

static bool
fn_present(const struct window *w, const double *args, double *out)
{
	(void)w;
	(void)args;
	*out = 1;
	return true;
}

static bool
fn_last(const struct window *w, const double *args, double *out)
{
	(void)args;
	*out = w->v[w->hi - 1];
	return true;
}

static bool
fn_first(const struct window *w, const double *args, double *out)
{
	(void)args;
	*out = w->v[w->lo];
	return true;
}

/* Welford's, both running values compensated. */
static bool
fn_stdvar(const struct window *w, const double *args, double *out)
{
	double n = 0, mean = 0, cmean = 0, sq = 0, csq = 0, delta;

	(void)args;
	for (size_t i = w->lo; i < w->hi; i++) {
		n++;
		delta = w->v[i] - (mean + cmean);
		promql_sum(delta / n, &mean, &cmean);
		promql_sum(delta * (w->v[i] - (mean + cmean)), &sq, &csq);
	}
	*out = (sq + csq) / n;
	return true;
}

static bool
fn_stddev(const struct window *w, const double *args, double *out)
{
	fn_stdvar(w, args, out);
	*out = sqrt(*out);
	return true;
}

/* A copy of the window's values, which quantiles sort. */
static double *
copy(const struct window *w)
{
	size_t n = w->hi - w->lo;
	double *v = mem_alloc(n * sizeof(*v));

	memcpy(v, w->v + w->lo, n * sizeof(*v));
	return v;
}

static bool
fn_quantile(const struct window *w, const double *args, double *out)
{
	double *v = copy(w);

	*out = promql_quantile(args[0], v, w->hi - w->lo);
	free(v);
	return true;
}

static int
check_quantile(
    struct eval *ev, const struct node *call, double **cols, size_t n)
{
	for (size_t i = 0; i < n; i++)
		promql_note_quantile(ev, call->arg[0], cols[0][i]);
	return 0;
}

/* The median distance from the median; NaN spoils it. */
static bool
fn_mad(const struct window *w, const double *args, double *out)
{
	size_t n = w->hi - w->lo;
	double *v = copy(w), median;

	(void)args;
	median = promql_quantile(0.5, v, n);
	for (size_t i = 0; i < n; i++)
		v[i] = fabs(v[i] - median);
	*out = promql_quantile(0.5, v, n);
	if (n > 0 && isnan(v[0]))
		*out = num_nan();
	free(v);
	return true;
}

static double
stamp(const struct window *w, size_t i)
{
	return (double)w->t[i] / 1000;
}

static bool
fn_ts_first(const struct window *w, const double *args, double *out)
{
	(void)args;
	*out = stamp(w, w->lo);
	return true;
}

static bool
fn_ts_last(const struct window *w, const double *args, double *out)
{
	(void)args;
	*out = stamp(w, w->hi - 1);
	return true;
}

/* When the extreme was; the last time it was. */
static bool
fn_ts_min(const struct window *w, const double *args, double *out)
{
	size_t at = w->lo;

	(void)args;
	for (size_t i = w->lo + 1; i < w->hi; i++)
		if (w->v[i] <= w->v[at] || isnan(w->v[at]))
			at = i;
	*out = stamp(w, at);
	return true;
}

static bool
fn_ts_max(const struct window *w, const double *args, double *out)
{
	size_t at = w->lo;

	(void)args;
	for (size_t i = w->lo + 1; i < w->hi; i++)
		if (w->v[i] >= w->v[at] || isnan(w->v[at]))
			at = i;
	*out = stamp(w, at);
	return true;
}

const struct func promql_fn_over_time[] = {
	{ "avg_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_avg,
	    .slide = promql_slide_avg, .mixed = promql_mixed_avg },
	{ "count_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_count,
	    .mixed = promql_mixed_count },
	{ "first_over_time", "m", 0, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .window = fn_first, .mixed = promql_mixed_first },
	{ "last_over_time", "m", 0, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .window = fn_last, .mixed = promql_mixed_last },
	{ "mad_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_mad },
	{ "max_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_max,
	    .slide = promql_slide_max },
	{ "min_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_min,
	    .slide = promql_slide_min },
	{ "present_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_present,
	    .mixed = promql_mixed_present },
	{ "quantile_over_time", "sm", 0, PROMQL_VECTOR, 0,
	    .window = fn_quantile, .slide = promql_slide_quantile,
	    .check = check_quantile },
	{ "stddev_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_stddev },
	{ "stdvar_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_stdvar },
	{ "sum_over_time", "m", 0, PROMQL_VECTOR, 0, .window = fn_sum,
	    .slide = promql_slide_sum, .mixed = promql_mixed_sum },
	{ "ts_of_first_over_time", "m", 0, PROMQL_VECTOR, 0,
	    .window = fn_ts_first, .mixed = promql_mixed_ts_first },
	{ "ts_of_last_over_time", "m", 0, PROMQL_VECTOR, 0,
	    .window = fn_ts_last, .mixed = promql_mixed_ts_last },
	{ "ts_of_max_over_time", "m", 0, PROMQL_VECTOR, 0,
	    .window = fn_ts_max },
	{ "ts_of_min_over_time", "m", 0, PROMQL_VECTOR, 0,
	    .window = fn_ts_min },
	{ .name = NULL },
};
