/*
 * Native histograms in the test language: their literals, how they are
 * compared, and those that load_with_nhcb makes of classic ones.  Part of
 * promqltest.h.
 */
#ifndef PROMQLHIST_H
#define PROMQLHIST_H

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/num.h"
#include "metric/histogram.h"
#include "metric/label.h"

/* A histogram of a test; hinted: its hint was written, so it counts. */
struct pt_hist {
	struct histogram h;
	bool hinted;
};

static bool
pt_equal(double a, double b)
{
	double sum = fabs(a) + fabs(b), diff = fabs(a - b);

	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	if (a == b)
		return true;
	if (a == 0 || b == 0 || sum < 2.2250738585072014e-308)
		return diff < 1e-6 * 2.2250738585072014e-308;
	return diff / fmin(sum, 1.7976931348623157e308) < 1e-6;
}

/* [a b c] at the start of s, which moves behind it. */
static int
pt_hist_list(str *s, struct arena *a, double **v, size_t *n)
{
	size_t cap = 0, k;

	if (!str_starts(*s, STR("[")))
		return -1;
	*s = str_skip(*s, 1);
	*v = NULL;
	*n = 0;
	for (;;) {
		*s = str_trim(*s);
		if (str_starts(*s, STR("]"))) {
			*s = str_skip(*s, 1);
			return 0;
		}
		for (k = 0; k < s->n && s->p[k] != ']' &&
		     !isspace((unsigned char)s->p[k]);)
			k++;
		*v = arena_grow(a, *v, &cap, *n + 1, sizeof(double));
		if (k == 0 || num_parse(str_take(*s, k), &(*v)[*n]) == -1)
			return -1;
		++*n;
		*s = str_skip(*s, k);
	}
}

static int
pt_hist_hint(struct pt_hist *h, str word)
{
	static const char *const hints[] = { "unknown", "reset", "not_reset",
		"gauge" };

	h->hinted = true;
	for (size_t i = 0; i < 4; i++)
		if (str_eq(word, str_of(hints[i]))) {
			h->h.hint = (enum histogram_hint)i;
			return 0;
		}
	return -1;
}

/* One "key:value" of a literal. */
static int
pt_hist_key(struct pt_hist *h, str *s, struct arena *a, double offset[2])
{
	static const char *const keys[] = { "schema", "sum", "count",
		"z_bucket", "z_bucket_w", "offset", "n_offset" };
	size_t n = str_find(*s, STR(":")), k = 0, i = 0;
	double schema = 0,
	       *const into[] = { &schema, &h->h.sum, &h->h.count,
		       &h->h.zero_count, &h->h.zero_threshold, &offset[0],
		       &offset[1] };
	str key = str_take(*s, n), word;

	*s = str_skip(*s, n + 1);
	if (str_eq(key, STR("buckets")))
		return pt_hist_list(s, a, &h->h.positive.v, &h->h.positive.n);
	if (str_eq(key, STR("n_buckets")))
		return pt_hist_list(s, a, &h->h.negative.v, &h->h.negative.n);
	if (str_eq(key, STR("custom_values")))
		return pt_hist_list(s, a, &h->h.custom, &h->h.ncustom);
	while (k < s->n && !isspace((unsigned char)s->p[k]))
		k++;
	word = str_take(*s, k);
	*s = str_skip(*s, k);
	if (str_eq(key, STR("counter_reset_hint")))
		return pt_hist_hint(h, word);
	while (i < 7 && !str_eq(key, str_of(keys[i])))
		i++;
	if (i == 7 || num_parse(word, into[i]) == -1)
		return -1;
	if (i == 0)
		h->h.schema = (int32_t)schema;
	return 0;
}

static void
pt_hist_span(struct histogram_side *s, double offset, struct arena *a)
{
	s->spans = arena_new(a, struct histogram_span);
	s->spans[0] =
	    (struct histogram_span){ (int32_t)offset, (uint32_t)s->n };
	s->nspans = s->n > 0;
}

/* A whole "{{...}}" at the start of s, which moves behind it. */
static int
pt_hist_literal(str *s, struct arena *a, struct pt_hist **out)
{
	struct pt_hist *h = arena_new(a, struct pt_hist);
	double offset[2] = { 0, 0 };
	size_t n = str_find(*s, STR("}}"));
	str in = str_take(*s, n);

	if (!str_starts(*s, STR("{{")) || n == s->n)
		return -1;
	*s = str_skip(*s, n + 2);
	for (in = str_trim(str_skip(in, 2)); in.n > 0; in = str_trim(in))
		if (pt_hist_key(h, &in, a, offset) == -1)
			return -1;
	pt_hist_span(&h->h.positive, offset[0], a);
	pt_hist_span(&h->h.negative, offset[1], a);
	*out = h;
	return 0;
}

/* a and sign times b, as "+{{...}}" counts on. */
static struct pt_hist *
pt_hist_add(const struct pt_hist *x, const struct pt_hist *y, double sign,
    struct arena *a)
{
	struct pt_hist *h = arena_new(a, struct pt_hist);

	*h = *x;
	h->h = *histogram_copy(&x->h, a);
	if (histogram_add(&h->h, NULL, &y->h, sign, a, NULL) == -1)
		return NULL;
	return h;
}

static bool
pt_side_equal(const struct histogram_side *a, const struct histogram_side *b)
{
	struct histogram_iter x, y;

	if (a->n != b->n)
		return false;
	histogram_iter_init(&x, a);
	histogram_iter_init(&y, b);
	while (histogram_next(&x) && histogram_next(&y))
		if (x.index != y.index || !pt_equal(x.count, y.count))
			return false;
	return true;
}

static bool
pt_hist_equal(
    const struct pt_hist *want, const struct histogram *got, struct arena *a)
{
	struct histogram *x = histogram_copy(&want->h, a);
	struct histogram *y = histogram_copy(got, a);

	histogram_compact(x, a);
	histogram_compact(y, a);
	if (x->schema != y->schema || x->ncustom != y->ncustom ||
	    !pt_equal(x->count, y->count) || !pt_equal(x->sum, y->sum) ||
	    !pt_equal(x->zero_threshold, y->zero_threshold) ||
	    !pt_equal(x->zero_count, y->zero_count) ||
	    (want->hinted && want->h.hint != got->hint))
		return false;
	for (size_t i = 0; i < x->ncustom; i++)
		if (!pt_equal(x->custom[i], y->custom[i]))
			return false;
	return pt_side_equal(&x->positive, &y->positive) &&
	    pt_side_equal(&x->negative, &y->negative);
}

/*
 * Classic histograms to custom buckets.
 */

struct pt_bound {
	double le, count;
};

static int
pt_bound_cmp(const void *a, const void *b)
{
	const struct pt_bound *x = a, *y = b;

	return (x->le > y->le) - (x->le < y->le);
}

/* Cumulative buckets, sorted here, to a histogram; NULL if they fall. */
static struct histogram *
pt_nhcb(struct pt_bound *b, size_t n, double count, bool has_count, double sum,
    struct arena *a)
{
	struct histogram *h = arena_new(a, struct histogram);
	struct histogram_side *p = &h->positive;

	qsort(b, n, sizeof(*b), pt_bound_cmp);
	h->schema = HISTOGRAM_CUSTOM;
	h->custom = arena_array(a, n, double);
	p->v = arena_array(a, n + 1, double);
	for (size_t i = 0; i < n; i++) {
		if (!isinf(b[i].le))
			h->custom[h->ncustom++] = b[i].le;
		p->v[p->n++] = b[i].count - (i > 0 ? b[i - 1].count : 0);
	}
	if (n == 0 || !isinf(b[n - 1].le)) {
		p->v[p->n] = has_count && n > 0 ? count - b[n - 1].count
		    : has_count                 ? count
						: 0;
		p->n++;
	}
	h->count = has_count ? count : n > 0 ? b[n - 1].count : 0;
	h->sum = sum;
	pt_hist_span(p, 0, a);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i] < 0)
			return NULL;
	histogram_compact(h, a);
	return h;
}

#endif
