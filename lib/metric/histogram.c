/*
 * Native histograms: what is done with them beside text, which is in
 * histogram_text.c.  Counts are changed in place, spans made anew.
 */
#include "metric/histogram.h"

#include <float.h>
#include <math.h>

#include "base/num.h"

#define SCHEMA_TOP 52 /* the finest that could be meant */
/* Of indices; no schema in use comes near. */
#define WIDEST (INT64_C(1) << 30)

void
histogram_iter_init(
    struct histogram_iter *it, const struct histogram_side *side)
{
	*it = (struct histogram_iter){ .side = side };
}

int
histogram_next(struct histogram_iter *it)
{
	const struct histogram_side *s = it->side;

	for (; it->span < s->nspans; it->span++, it->in = 0) {
		const struct histogram_span *p = &s->spans[it->span];

		if (it->in == 0)
			it->next += p->offset;
		if (it->in == p->length)
			continue;
		it->in++;
		it->index = it->next++;
		it->count = s->v[it->at++];
		return 1;
	}
	return 0;
}

size_t
histogram_buckets(const struct histogram *h)
{
	return h->negative.n + h->positive.n;
}

/* The spans and counts of a side; their sum is added to *sum. */
static int
check_side(const struct histogram_side *s, const char *name, bool any,
    double *sum, struct error *e)
{
	uint64_t n = 0;
	int64_t index = 0;

	for (size_t i = 0; i < s->nspans; i++) {
		if (i > 0 && s->spans[i].offset < 0)
			return error_set(e,
			    "%s side: span number %zu has a negative offset",
			    name, i + 1);
		n += s->spans[i].length;
		index += s->spans[i].offset;
		if (index < -WIDEST)
			break;
		index += s->spans[i].length;
		if (index > WIDEST)
			break;
	}
	if (index < -WIDEST || index > WIDEST)
		return error_set(e, "%s side: spans are too wide", name);
	if (n != s->n)
		return error_set(e,
		    "%s side: spans need %llu buckets, have %zu", name,
		    (unsigned long long)n, s->n);
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i] < 0 && !any)
			return error_set(e,
			    "%s side: bucket number %zu has a negative count",
			    name, i + 1);
		*sum += s->v[i];
	}
	return 0;
}

static int
check_custom(const struct histogram *h, struct error *e)
{
	uint64_t n = 0;

	if (h->zero_threshold != 0 || h->zero_count != 0)
		return error_set(
		    e, "custom buckets: there must be no zero bucket");
	if (h->negative.nspans > 0 || h->negative.n > 0)
		return error_set(
		    e, "custom buckets: there must be no negative side");
	for (size_t i = 0; i < h->ncustom; i++) {
		if (isnan(h->custom[i]) || h->custom[i] == (double)-INFINITY)
			return error_set(
			    e, "custom buckets: a bound is NaN or -Inf");
		if (i > 0 && h->custom[i] <= h->custom[i - 1])
			return error_set(e,
			    "custom buckets: bound number %zu is not above the "
			    "one before",
			    i + 1);
	}
	if (h->ncustom > 0 && h->custom[h->ncustom - 1] == (double)INFINITY)
		return error_set(
		    e, "custom buckets: the bound +Inf is not to be given");
	for (size_t i = 0; i < h->positive.nspans; i++) {
		if (i == 0 && h->positive.spans[i].offset < 0)
			return error_set(
			    e, "custom buckets: the first span begins below 0");
		n += (uint64_t)h->positive.spans[i].offset +
		    h->positive.spans[i].length;
	}
	if (n > h->ncustom + 1)
		return error_set(e,
		    "custom buckets: %zu bounds are too few for spans of %llu",
		    h->ncustom, (unsigned long long)n);
	return 0;
}

int
histogram_check(const struct histogram *h, struct error *e)
{
	double sum = h->zero_count;
	bool any = h->hint == HISTOGRAM_GAUGE && !h->whole;

	if (check_side(&h->negative, "negative", any, &sum, e) == -1 ||
	    check_side(&h->positive, "positive", any, &sum, e) == -1)
		return -1;
	if (h->schema == HISTOGRAM_CUSTOM) {
		if (check_custom(h, e) == -1)
			return -1;
	} else if (h->schema < HISTOGRAM_MIN || h->schema > SCHEMA_TOP)
		return error_set(e, "unknown schema %d", (int)h->schema);
	else if (h->ncustom > 0)
		return error_set(
		    e, "custom bounds, but the schema is %d", (int)h->schema);
	if ((h->count < 0 || h->zero_count < 0) && !any)
		return error_set(e, "a negative count");
	if (!(h->zero_threshold >= 0))
		return error_set(e, "a bad zero threshold");
	if (!h->whole)
		return 0;
	if (sum > h->count || (sum < h->count && !isnan(h->sum)))
		return error_set(e,
		    "%.0f observations found in buckets, but the count is %.0f",
		    sum, h->count);
	return 0;
}

static bool
same(double a, double b)
{
	return num_bits(a) == num_bits(b) || (isnan(a) && isnan(b));
}

bool
histogram_same_spans(
    const struct histogram_side *a, const struct histogram_side *b)
{
	if (a->nspans != b->nspans || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->nspans; i++)
		if (a->spans[i].offset != b->spans[i].offset ||
		    a->spans[i].length != b->spans[i].length)
			return false;
	return true;
}

static bool
side_eq(const struct histogram_side *a, const struct histogram_side *b)
{
	if (!histogram_same_spans(a, b))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same(a->v[i], b->v[i]))
			return false;
	return true;
}

bool
histogram_eq(const struct histogram *a, const struct histogram *b)
{
	if (a->hint != b->hint || a->whole != b->whole ||
	    a->schema != b->schema || a->ncustom != b->ncustom ||
	    !same(a->count, b->count) || !same(a->sum, b->sum) ||
	    !same(a->zero_threshold, b->zero_threshold) ||
	    !same(a->zero_count, b->zero_count))
		return false;
	for (size_t i = 0; i < a->ncustom; i++)
		if (!same(a->custom[i], b->custom[i]))
			return false;
	return side_eq(&a->negative, &b->negative) &&
	    side_eq(&a->positive, &b->positive);
}

/* A side being written anew, its counts over those that have been read. */
struct rewrite {
	struct histogram_span *spans;
	double *v;
	size_t nspans, n;
	int64_t last; /* index of the bucket last put */
};

/* Put a bucket behind, or add to the last one. */
static void
put(struct rewrite *w, int64_t index, double count)
{
	if (w->n > 0 && index == w->last) {
		w->v[w->n - 1] += count;
		return;
	}
	if (w->n > 0 && index == w->last + 1)
		w->spans[w->nspans - 1].length++;
	else
		w->spans[w->nspans++] = (struct histogram_span){
			(int32_t)(w->n == 0 ? index : index - w->last - 1), 1
		};
	w->v[w->n++] = count;
	w->last = index;
}

/* Bucket i of this schema is part of ceil(i / 2^shift) of shift lower. */
static void
rewrite(struct histogram_side *s, int shift, bool empty, struct arena *a)
{
	struct histogram_iter it;
	struct rewrite w = { .v = s->v };
	int64_t step = INT64_C(1) << shift, i;

	w.spans = arena_array(a, s->n, struct histogram_span);
	histogram_iter_init(&it, s);
	while (histogram_next(&it)) {
		if (!empty && it.count == 0)
			continue;
		i = it.index / step + (it.index > 0 && it.index % step != 0);
		put(&w, i, it.count);
	}
	s->spans = w.spans;
	s->nspans = w.nspans;
	s->n = w.n;
}

void
histogram_compact(struct histogram *h, struct arena *a)
{
	rewrite(&h->negative, 0, false, a);
	rewrite(&h->positive, 0, false, a);
}

int
histogram_reduce(struct histogram *h, int32_t schema, struct arena *a)
{
	int shift = (int)(h->schema - schema);

	if (h->schema == HISTOGRAM_CUSTOM || schema < HISTOGRAM_MIN ||
	    shift < 0)
		return -1;
	if (shift == 0)
		return 0;
	rewrite(&h->negative, shift, true, a);
	rewrite(&h->positive, shift, true, a);
	h->schema = schema;
	return 0;
}

/*
 * 2^(i/2^schema), to the bit as Prometheus's table of bounds has it: that is a
 * few units in the last place below the nearest double, for each 256th of a
 * power of two as many as the letter is behind "b".  What is finer than a 256th
 * is in no table.
 */
static double
exponential(int64_t i, int32_t schema)
{
	static const char low[] =
	    "bbbbbbcbbbcbbbbbbbcdbbccccccccccbbcbbbcbbcccbbccbbccbaccbbccbbcc"
	    "bbbbbbccccddcbdcbbcbbbcbbbbcbbbbbbbcbabbcbddbbccbcccbbcbcbddcccc"
	    "cbcbccddccdccbccccccccdcdcdddcddbbccbbcbccddcbddccddcbccdcddccdc"
	    "ccedccdcddedddedddddddeeeeffedfeccdccddddceeccdddcedccddddfeddee";
	int64_t part;
	double frac;

	if (schema > HISTOGRAM_MAX)
		return exp2((double)i / (double)(INT64_C(1) << schema));
	part = (i & ((INT64_C(1) << schema) - 1)) << (HISTOGRAM_MAX - schema);
	frac = exp2((double)part / 256 - 1) - (low[part] - 'b') * 0x1p-53;
	i = (i >> schema) + 1;
	return ldexp(frac, (int)(i > 5000 ? 5000 : i < -5000 ? -5000 : i));
}

double
histogram_bound(const struct histogram *h, int64_t i)
{
	double bound;
	int64_t one;

	if (h->schema == HISTOGRAM_CUSTOM)
		return i < 0                   ? (double)-INFINITY
		    : (uint64_t)i < h->ncustom ? h->custom[i]
					       : (double)INFINITY;
	if (h->schema <= 0) {
		i = i > 5000 ? 5000 : i < -5000 ? -5000 : i;
		bound = ldexp(1, (int)(i * (INT64_C(1) << -h->schema)));
		one = INT64_C(1024) >> -h->schema;
	} else {
		bound = exponential(i, h->schema);
		one = INT64_C(1024) << h->schema;
	}
	/* the last finite bucket ends where floats do */
	return i == one ? DBL_MAX : bound;
}
