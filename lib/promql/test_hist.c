/*
 * Native histograms in the test language: their literals, how they are
 * compared, and those that load_with_nhcb makes of classic ones.
 */
#include "promql/test.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A literal has its buckets one by one; with more between two they are left
 * to the other form. */
#define PRINT_MAX 400

bool
promql_test_equal(double a, double b)
{
	const double tiny = DBL_MIN, large = DBL_MAX;
	double sum = fabs(a) + fabs(b), diff = fabs(a - b);

	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	if (a == b)
		return true;
	if (a == 0 || b == 0 || sum < tiny)
		return diff < 1e-6 * tiny;
	return diff / fmin(sum, large) < 1e-6;
}

/* [a b c] at the start of s, which moves behind it. */
static int
list(struct test_reader *t, str *s, double **v, size_t *n)
{
	size_t cap = 0, k;

	if (!str_starts(*s, STR("[")))
		return promql_test_bad(t, *s, "'[' is wanted");
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
		*v = arena_grow(&t->a, *v, &cap, *n + 1, sizeof(double));
		if (k == 0 || num_parse(str_take(*s, k), &(*v)[*n]) == -1)
			return promql_test_bad(
			    t, *s, "a number or ']' is wanted");
		++*n;
		*s = str_skip(*s, k);
	}
}

static const char *const hints[] = { "unknown", "reset", "not_reset", "gauge" };

static int
hint(struct test_reader *t, struct test_hist *h, str word)
{
	h->hinted = true;
	for (size_t i = 0; i < 4; i++)
		if (str_eq(word, str_of(hints[i]))) {
			h->h.hint = (enum histogram_hint)i;
			return 0;
		}
	return promql_test_bad(
	    t, word, "unknown counter_reset_hint '%.*s'", STR_ARG(word));
}

/* What a literal says where it cannot be put at once. */
struct literal {
	double schema, offset, n_offset;
};

/* One "key:value" of a literal. */
static int
key(struct test_reader *t, struct test_hist *h, str *s, struct literal *l)
{
	double *into[] = { &l->schema, &h->h.sum, &h->h.count, &h->h.zero_count,
		&h->h.zero_threshold, &l->offset, &l->n_offset };
	static const char *const keys[] = { "schema", "sum", "count",
		"z_bucket", "z_bucket_w", "offset", "n_offset" };
	size_t n = str_chr(*s, ':'), k = 0, i = 0;
	str name = str_take(*s, n), word;

	*s = str_skip(*s, n + 1);
	if (str_eq(name, STR("buckets")))
		return list(t, s, &h->h.positive.v, &h->h.positive.n);
	if (str_eq(name, STR("n_buckets")))
		return list(t, s, &h->h.negative.v, &h->h.negative.n);
	if (str_eq(name, STR("custom_values")))
		return list(t, s, &h->h.custom, &h->h.ncustom);
	while (k < s->n && !isspace((unsigned char)s->p[k]))
		k++;
	word = str_take(*s, k);
	*s = str_skip(*s, k);
	if (str_eq(name, STR("counter_reset_hint")))
		return hint(t, h, word);
	while (i < 7 && !str_eq(name, str_of(keys[i])))
		i++;
	if (i == 7)
		return promql_test_bad(
		    t, name, "unknown part '%.*s'", STR_ARG(name));
	if (num_parse(word, into[i]) == -1)
		return promql_test_bad(
		    t, word, "'%.*s' is no number", STR_ARG(word));
	if ((i == 0 || i >= 5) && !(fabs(*into[i]) < 1e9))
		return promql_test_bad(
		    t, word, "'%.*s' is out of range", STR_ARG(word));
	return 0;
}

static void
span(struct histogram_side *s, double offset, struct arena *a)
{
	s->spans = arena_new(a, struct histogram_span);
	s->spans[0] =
	    (struct histogram_span){ (int32_t)offset, (uint32_t)s->n };
	s->nspans = s->n > 0;
}

int
promql_test_hist(struct test_reader *t, str *s, struct test_hist **out)
{
	struct test_hist *h = arena_new(&t->a, struct test_hist);
	struct literal l = { 0 };
	str in = *s, whole = *s;
	size_t n = str_find(*s, STR("}}"));

	if (!str_starts(*s, STR("{{")) || n == s->n)
		return promql_test_bad(t, *s, "'{{...}}' is wanted");
	in = str_take(*s, n);
	*s = str_skip(*s, n + 2);
	for (in = str_trim(str_skip(in, 2)); in.n > 0; in = str_trim(in))
		if (key(t, h, &in, &l) == -1)
			return -1;
	h->h.schema = (int32_t)l.schema;
	if (h->h.schema != HISTOGRAM_CUSTOM &&
	    (h->h.schema < HISTOGRAM_MIN || h->h.schema > HISTOGRAM_MAX))
		return promql_test_bad(
		    t, whole, "schema %d is none", (int)h->h.schema);
	span(&h->h.positive, l.offset, &t->a);
	span(&h->h.negative, l.n_offset, &t->a);
	/* A count may well be another than that of its buckets, in a test. */
	if (h->h.schema == HISTOGRAM_CUSTOM &&
	    h->h.positive.n + (size_t)fmax(0, l.offset) > h->h.ncustom + 1)
		return promql_test_bad(
		    t, whole, "more buckets than custom_values have");
	*out = h;
	return 0;
}

struct test_hist *
promql_test_hist_add(const struct test_hist *x, const struct test_hist *y,
    double sign, struct arena *a)
{
	struct test_hist *h = arena_new(a, struct test_hist);

	*h = *x;
	h->h = *histogram_copy(&x->h, a);
	if (histogram_add(&h->h, NULL, &y->h, sign, a, NULL) == -1)
		return NULL;
	return h;
}

static bool
side_equal(const struct histogram_side *a, const struct histogram_side *b)
{
	struct histogram_iter x, y;

	if (a->n != b->n)
		return false;
	histogram_iter_init(&x, a);
	histogram_iter_init(&y, b);
	while (histogram_next(&x) && histogram_next(&y))
		if (x.index != y.index || !promql_test_equal(x.count, y.count))
			return false;
	return true;
}

bool
promql_test_hist_equal(
    const struct test_hist *want, const struct histogram *got, struct arena *a)
{
	struct histogram *x = histogram_copy(&want->h, a);
	struct histogram *y = histogram_copy(got, a);

	histogram_compact(x, a);
	histogram_compact(y, a);
	if (x->schema != y->schema || x->ncustom != y->ncustom ||
	    !promql_test_equal(x->count, y->count) ||
	    !promql_test_equal(x->sum, y->sum) ||
	    !promql_test_equal(x->zero_threshold, y->zero_threshold) ||
	    !promql_test_equal(x->zero_count, y->zero_count) ||
	    (want->hinted && want->h.hint != got->hint))
		return false;
	for (size_t i = 0; i < x->ncustom; i++)
		if (!promql_test_equal(x->custom[i], y->custom[i]))
			return false;
	return side_equal(&x->positive, &y->positive) &&
	    side_equal(&x->negative, &y->negative);
}

/*
 * Printing.
 */

static void
number(struct buf *b, const char *name, double v)
{
	buf_printf(b, "%s%s:", b->p[b->n - 1] == '{' ? "" : " ", name);
	num_print(b, v);
}

static void
numbers(struct buf *b, const char *name, const double *v, size_t n)
{
	if (n == 0)
		return;
	buf_printf(b, "%s%s:[", b->p[b->n - 1] == '{' ? "" : " ", name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(b, ' ');
		num_print(b, v[i]);
	}
	buf_byte(b, ']');
}

/* A side without gaps; false if they are too wide. */
static bool
side(struct buf *b, const struct histogram_side *s, const char *offset,
    const char *buckets)
{
	struct histogram_iter it;
	double v[PRINT_MAX] = { 0 };
	int64_t first = 0, last = -1;

	histogram_iter_init(&it, s);
	while (histogram_next(&it)) {
		if (last < first)
			first = it.index;
		last = it.index;
		if (last - first >= PRINT_MAX)
			return false;
		v[last - first] = it.count;
	}
	if (first != 0)
		number(b, offset, (double)first);
	numbers(b, buckets, v, (size_t)(last - first + 1));
	return true;
}

void
promql_test_print_hist(
    struct buf *b, const struct histogram *given, struct arena *a)
{
	struct histogram *h = histogram_copy(given, a);
	size_t from = b->n;
	bool ok;

	histogram_compact(h, a);
	buf_z(b, "{{");
	number(b, "schema", h->schema);
	number(b, "count", h->count);
	number(b, "sum", h->sum);
	if (h->zero_count != 0 || h->zero_threshold != 0) {
		number(b, "z_bucket", h->zero_count);
		number(b, "z_bucket_w", h->zero_threshold);
	}
	numbers(b, "custom_values", h->custom, h->ncustom);
	ok = side(b, &h->positive, "offset", "buckets") &&
	    side(b, &h->negative, "n_offset", "n_buckets");
	if (h->hint != HISTOGRAM_UNKNOWN)
		buf_printf(b, " counter_reset_hint:%s", hints[h->hint]);
	buf_z(b, "}}");
	if (!ok) {
		b->n = from;
		histogram_print(b, h);
	}
}

/*
 * Classic histograms to custom buckets.
 */

static int
bound_cmp(const void *a, const void *b)
{
	const struct test_bound *x = a, *y = b;

	return (x->le > y->le) - (x->le < y->le);
}

struct histogram *
promql_test_nhcb(struct test_bound *b, size_t n, double count, bool has_count,
    double sum, struct arena *a)
{
	struct histogram *h = arena_new(a, struct histogram);
	struct histogram_side *p = &h->positive;

	if (n > 0)
		qsort(b, n, sizeof(*b), bound_cmp);
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
	span(p, 0, a);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i] < 0)
			return NULL;
	histogram_compact(h, a);
	return h;
}
