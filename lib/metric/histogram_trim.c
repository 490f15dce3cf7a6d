/*
 * Native histograms cut at a value: "</" keeps what is at most it, ">/" what
 * is above.  A bucket it falls into is shared out as quantiles are: evenly by
 * logarithm between exponential bounds, else evenly.  What is left has its sum
 * estimated from the middles of the buckets.
 */
#include <math.h>

#include "metric/histogram.h"

struct trim {
	const struct histogram *h;
	double at;
	bool upper; /* what is above goes */
	bool even;  /* the bucket's observations, by value; else by logarithm */
	bool changed;
	double count, sum;
};

/* The middle of a bucket's part from lo to hi. */
static double
middle(const struct trim *t, double lo, double hi)
{
	if (isinf(lo))
		return hi;
	if (isinf(hi))
		return lo;
	if (t->even)
		return (lo + hi) / 2;
	return lo > 0 ? sqrt(lo) * sqrt(hi) : -(sqrt(-lo) * sqrt(-hi));
}

/* Which part of a bucket lies below at, which is inside. */
static double
below(const struct trim *t, double lo, double hi)
{
	double l, u;

	if (t->even)
		return (t->at - lo) / (hi - lo);
	l = log2(fabs(lo));
	u = log2(fabs(hi));
	return (log2(fabs(t->at)) - l) / (u - l);
}

/* How much of a bucket from lo to hi with this count stays. */
static double
keep(struct trim *t, double lo, double hi, double count)
{
	bool all = t->upper ? hi <= t->at : lo >= t->at;
	bool none = t->upper ? lo >= t->at : hi <= t->at;
	double part = all ? 1 : 0, mid = middle(t, lo, hi);

	if (count == 0)
		return 0;
	if (!all && !none && !isnan(t->at)) {
		mid = t->at;
		if (isinf(lo))
			part = t->upper && !isinf(hi) ? 1 : 0;
		else if (isinf(hi))
			part = t->upper ? 0 : 1;
		else if (t->upper) {
			part = below(t, lo, hi);
			mid = middle(t, lo, t->at);
		} else {
			part = 1 - below(t, lo, hi);
			mid = middle(t, t->at, hi);
		}
	}
	t->changed |= !all;
	if (part > 0) {
		t->count += count * part;
		t->sum += count * part * mid;
	}
	return count * part;
}

static void
trim_side(struct trim *t, struct histogram_side *s, bool negative)
{
	const struct histogram *h = t->h;
	struct histogram_iter it;

	histogram_iter_init(&it, s);
	while (histogram_next(&it)) {
		double hi = histogram_bound(h, it.index);
		double lo = histogram_bound(h, it.index - 1);
		double *v = &s->v[it.at - 1];

		/*
		 * What is below the first custom bound begins at 0, if that is
		 * where it is cut.
		 */
		if (isinf(lo) && hi > 0 && !isinf(hi) &&
		    (t->upper || t->at >= 0 || isinf(t->at)))
			lo = 0;
		*v = negative ? keep(t, -hi, -lo, *v) : keep(t, lo, hi, *v);
	}
}

void
histogram_trim(struct histogram *h, double at, bool upper, struct arena *a)
{
	struct histogram was = *h, *left = histogram_copy(h, a);
	struct trim t = { .h = &was, .at = at, .upper = upper };
	double lo = -h->zero_threshold, hi = h->zero_threshold;

	/* with buckets on one side alone, what is near zero is on it, too */
	if (h->negative.n == 0 && h->positive.n > 0)
		lo = 0;
	if (h->positive.n == 0 && h->negative.n > 0)
		hi = 0;
	t.even = true;
	left->zero_count = keep(&t, lo, hi, h->zero_count);
	t.even = h->schema == HISTOGRAM_CUSTOM;
	trim_side(&t, &left->negative, true);
	trim_side(&t, &left->positive, false);
	if (!t.changed)
		return;
	left->count = t.count;
	left->sum = t.sum;
	left->whole = false;
	*h = *left;
	histogram_compact(h, a);
}
