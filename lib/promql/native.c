/*
 * What a native histogram says of its observations: quantiles, fractions, the
 * variance.  Inside a bucket they are taken as spread evenly by logarithm
 * where bounds are exponential, else evenly; around zero and between custom
 * bounds evenly.
 */
#include "promql/eval.h"

#include <stdlib.h>

static bool
custom(const struct histogram *h)
{
	return h->schema == HISTOGRAM_CUSTOM;
}

/* Even, not by logarithm? */
static bool
linear(const struct histogram *h, const struct histogram_bucket *b)
{
	return custom(h) || (b->lower <= 0 && b->upper >= 0);
}

/*
 * The buckets for estimates: what is near zero is on the side that has other
 * buckets, if one alone has; below a first positive custom bound it begins
 * at 0.
 */
static struct histogram_bucket *
list(const struct histogram *h, struct arena *a, size_t *n)
{
	struct histogram_bucket *v = histogram_list(h, a, n);

	for (size_t i = 0; i < *n; i++) {
		struct histogram_bucket *b = &v[i];

		if (custom(h) && isinf(b->lower) && b->upper > 0 &&
		    !isinf(b->upper))
			b->lower = 0;
		if (custom(h) || !(b->lower < 0 && b->upper > 0))
			continue;
		if (h->negative.n == 0 && h->positive.n > 0)
			b->lower = 0;
		else if (h->positive.n == 0 && h->negative.n > 0)
			b->upper = 0;
	}
	return v;
}

static void
note_nan(
    struct eval *ev, const struct node *at, struct labels ls, const char *what)
{
	str name = label_find(ls, LABEL_NAME);

	promql_note(ev, NOTE_INFO, at, "input to %s%s%.*s%s", what,
	    name.n > 0 ? " for metric name \"" : "", STR_ARG(name),
	    name.n > 0 ? "\"" : "");
}

/* The value with this part of a bucket below it. */
static double
inside(const struct histogram *h, const struct histogram_bucket *b, double part)
{
	double lo, hi;

	if (linear(h, b))
		return b->lower + (b->upper - b->lower) * part;
	lo = log2(fabs(b->lower));
	hi = log2(fabs(b->upper));
	if (b->lower > 0)
		return exp2(lo + (hi - lo) * part);
	return -exp2(hi + (lo - hi) * (1 - part));
}

static double
quantile(struct eval *ev, const struct node *at, struct labels ls, double q,
    const struct histogram *h, struct arena *a)
{
	struct histogram_bucket *v, *b = NULL;
	/* counts may be more than the buckets have: NaN was observed */
	bool nan = isnan(h->sum), up = nan || q < 0.5;
	double rank = (up ? q : 1 - q) * h->count, count = 0;
	size_t n;

	v = list(h, a, &n);
	for (size_t i = 0; i < n; i++) {
		struct histogram_bucket *next = &v[up ? i : n - 1 - i];

		if (b != NULL && count >= rank)
			break;
		if (next->count == 0)
			continue;
		count += next->count;
		b = next;
	}
	if (b != NULL && custom(h) && isinf(b->lower))
		return b->upper;
	if (b != NULL && custom(h) && isinf(b->upper))
		return b->lower;
	if (count > h->count)
		count = h->count;
	if (b == NULL || count < rank) {
		if (nan) {
			note_nan(ev, at, ls,
			    "histogram_quantile has NaN observations, result "
			    "is NaN");
			return num_nan();
		}
		return b == NULL ? num_nan() : up ? b->upper : b->lower;
	}
	if (nan)
		note_nan(ev, at, ls,
		    "histogram_quantile has NaN observations, result is "
		    "skewed higher");
	rank = up ? rank - (count - b->count) : count - rank;
	return inside(h, b, rank / b->count);
}

double
promql_native_quantile(struct eval *ev, const struct node *at, struct labels ls,
    double q, const struct histogram *h)
{
	struct arena a;
	double v;

	if (q < 0)
		return -INFINITY;
	if (q > 1)
		return INFINITY;
	if (h->count == 0 || isnan(q))
		return num_nan();
	arena_init(&a);
	v = quantile(ev, at, ls, q, h, &a);
	arena_fini(&a);
	return v;
}

/* Which part of bucket b lies below x, which is inside it. */
static double
part_below(
    const struct histogram *h, const struct histogram_bucket *b, double x)
{
	double lo, hi;

	if (isinf(b->lower))
		return 1;
	if (isinf(b->upper))
		return 0;
	if (linear(h, b))
		return (x - b->lower) / (b->upper - b->lower);
	lo = log2(fabs(b->lower));
	hi = log2(fabs(b->upper));
	return (log2(fabs(x)) - lo) / (hi - lo);
}

/* How many of the observations in n buckets are below x. */
static double
rank_of(const struct histogram *h, const struct histogram_bucket *v, size_t n,
    double x)
{
	double rank = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].lower >= x)
			return rank;
		if (v[i].upper > x)
			return rank + v[i].count * part_below(h, &v[i], x);
		rank += v[i].count;
	}
	return rank;
}

double
promql_native_fraction(struct eval *ev, const struct node *at, struct labels ls,
    double lower, double upper, const struct histogram *h)
{
	struct histogram_bucket *v;
	double total = h->count, seen = 0, lo, hi;
	struct arena a;
	size_t n;

	if (h->count == 0 || isnan(lower) || isnan(upper))
		return num_nan();
	if (lower >= upper)
		return 0;
	arena_init(&a);
	v = list(h, &a, &n);
	for (size_t i = 0; i < n; i++)
		seen += v[i].count;
	if (isnan(h->sum) && seen < h->count) {
		total = seen;
		note_nan(ev, at, ls,
		    "histogram_fraction has NaN observations, which are "
		    "excluded from all fractions");
	}
	lo = rank_of(h, v, n, lower);
	/* what rounding lost is above all buckets */
	hi = isinf(upper) ? total : rank_of(h, v, n, upper);
	arena_fini(&a);
	return (fmin(hi, total) - fmin(lo, total)) / h->count;
}

double
promql_native_variance(const struct histogram *h, struct arena *a)
{
	struct histogram_bucket *v;
	double mean = h->sum / h->count, sum = 0, c = 0, x;
	size_t n;

	v = histogram_list(h, a, &n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].count == 0)
			continue;
		if (custom(h))
			x = (v[i].lower + v[i].upper) / 2;
		else if (linear(h, &v[i]))
			x = 0;
		else
			x = copysign(sqrt(v[i].lower * v[i].upper), v[i].upper);
		promql_sum(v[i].count * (x - mean) * (x - mean), &sum, &c);
	}
	return (sum + c) / h->count;
}
