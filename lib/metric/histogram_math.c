/*
 * Arithmetic of native histograms, as PromQL has it: sums over any two of a
 * kind (buckets are brought to what both have), what fell between two, the
 * buckets in order.  Counts change in place where the buckets stay the same;
 * else the side is made anew, so a running sum settles on one layout.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/histogram.h"

/* A bucket on its way to another layout; c is its compensation. */
struct cell {
	int64_t index;
	double v, c;
};

/* How a side is looked at: coarser, by other bounds, without what is zero. */
struct view {
	const struct histogram *h;
	int shift;
	const int64_t *map; /* custom bounds: to the common ones */
	double zero;        /* buckets up to here are in the zero bucket */
};

static bool
is_custom(const struct histogram *h)
{
	return h->schema == HISTOGRAM_CUSTOM;
}

/* A copy of n objects at *to, which moves behind it. */
static void *
put(char **to, const void *p, size_t n)
{
	void *at = *to;

	if (n > 0)
		memcpy(at, p, n);
	*to += n;
	return at;
}

static size_t
size_of(const struct histogram *h)
{
	return sizeof(*h) +
	    (h->negative.n + h->positive.n + h->ncustom) * sizeof(double) +
	    (h->negative.nspans + h->positive.nspans) *
	    sizeof(struct histogram_span);
}

/* A copy in a block of size_of(h). */
static struct histogram *
copy(void *block, const struct histogram *h)
{
	struct histogram *to = block;
	char *at = (char *)(to + 1);

	*to = *h;
	to->negative.v =
	    put(&at, h->negative.v, h->negative.n * sizeof(double));
	to->positive.v =
	    put(&at, h->positive.v, h->positive.n * sizeof(double));
	to->custom = put(&at, h->custom, h->ncustom * sizeof(double));
	to->negative.spans = put(&at, h->negative.spans,
	    h->negative.nspans * sizeof(struct histogram_span));
	to->positive.spans = put(&at, h->positive.spans,
	    h->positive.nspans * sizeof(struct histogram_span));
	return to;
}

struct histogram *
histogram_copy(const struct histogram *h, struct arena *a)
{
	return copy(arena_alloc(a, size_of(h)), h);
}

struct histogram *
histogram_new(const struct histogram *h)
{
	return copy(mem_alloc(size_of(h)), h);
}

struct histogram *
histogram_zero(const struct histogram *h, struct arena *a)
{
	struct histogram *to = histogram_copy(h, a);

	to->count = to->sum = to->zero_count = 0;
	for (size_t i = 0; i < to->negative.n; i++)
		to->negative.v[i] = 0;
	for (size_t i = 0; i < to->positive.n; i++)
		to->positive.v[i] = 0;
	return to;
}

static void
scale_side(struct histogram_side *s, double by)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i] *= by;
}

void
histogram_scale(struct histogram *h, double by)
{
	h->count *= by;
	h->sum *= by;
	h->zero_count *= by;
	scale_side(&h->negative, by);
	scale_side(&h->positive, by);
	h->whole = false;
	if (by < 0)
		h->hint = HISTOGRAM_GAUGE;
}

static void
divide_side(struct histogram_side *s, double by)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i] /= by;
}

void
histogram_divide(struct histogram *h, double by)
{
	h->count /= by;
	h->sum /= by;
	h->zero_count /= by;
	h->whole = false;
	if (by < 0)
		h->hint = HISTOGRAM_GAUGE;
	if (by == 0) {
		h->negative.n = h->negative.nspans = 0;
		h->positive.n = h->positive.nspans = 0;
		return;
	}
	divide_side(&h->negative, by);
	divide_side(&h->positive, by);
}

static bool
side_overflows(const struct histogram_side *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (isinf(s->v[i]))
			return true;
	return false;
}

bool
histogram_overflows(const struct histogram *h)
{
	return isinf(h->count) || isinf(h->sum) || isinf(h->zero_count) ||
	    side_overflows(&h->negative) || side_overflows(&h->positive);
}

/* Bucket i as v has it. */
static int64_t
seen(const struct view *v, int64_t i)
{
	int64_t step = INT64_C(1) << v->shift;

	if (v->map != NULL)
		return v->map[i];
	return i / step + (i > 0 && i % step != 0);
}

/* A side through a view, ascending; the caller frees it. */
static struct cell *
cells(const struct histogram_side *s, const double *c, const struct view *v,
    size_t *n)
{
	struct cell *out = mem_alloc((s->n + 1) * sizeof(*out));
	struct histogram_iter it;
	bool beyond = v->zero <= 0;
	int64_t i;

	*n = 0;
	histogram_iter_init(&it, s);
	while (histogram_next(&it)) {
		double lost = c != NULL ? c[it.at - 1] : 0;

		beyond = beyond || histogram_bound(v->h, it.index) > v->zero;
		if (!beyond)
			continue;
		i = seen(v, it.index);
		if (*n > 0 && out[*n - 1].index == i) {
			out[*n - 1].v += it.count;
			out[*n - 1].c += lost;
		} else
			out[(*n)++] = (struct cell){ i, it.count, lost };
	}
	return out;
}

/* Neumaier's sum; without c a plain one. */
static void
sum_up(double *sum, double *c, double v)
{
	double t = *sum + v;

	if (c != NULL && isinf(t))
		*c = 0;
	else if (c != NULL && fabs(*sum) >= fabs(v))
		*c += (*sum - t) + v;
	else if (c != NULL)
		*c += (v - t) + *sum;
	*sum = t;
}

/* Cells as a side, in the old one if it has the same buckets. */
static void
store(struct histogram_side *s, struct histogram_side *c, const struct cell *v,
    size_t n, bool same, struct arena *a)
{
	if (!same) {
		s->spans = arena_array(a, n, struct histogram_span);
		s->v = arena_alloc(a, (n + 1) * sizeof(double));
		s->n = n;
		s->nspans = 0;
	}
	if (!same && c != NULL)
		c->v = arena_alloc(a, (n + 1) * sizeof(double));
	for (size_t i = 0; i < n; i++) {
		s->v[i] = v[i].v;
		if (c != NULL)
			c->v[i] = v[i].c;
		if (same)
			continue;
		if (i > 0 && v[i].index == v[i - 1].index + 1)
			s->spans[s->nspans - 1].length++;
		else
			s->spans[s->nspans++] = (struct histogram_span){
				(int32_t)(i == 0
					? v[i].index
					: v[i].index - v[i - 1].index - 1),
				1
			};
	}
	if (c != NULL) {
		c->spans = s->spans;
		c->nspans = s->nspans;
		c->n = n;
	}
}

/* s += sign * o, each through its view; c is the compensation of s. */
static void
add_side(struct histogram_side *s, struct histogram_side *c,
    const struct view *sv, const struct histogram_side *o,
    const struct view *ov, double sign, struct arena *a)
{
	struct cell *x, *y, *out;
	size_t nx, ny, n = 0, i = 0, k = 0;
	bool plain = sv->shift == 0 && sv->map == NULL && sv->zero <= 0;

	if (plain && ov->shift == 0 && ov->map == NULL && ov->zero <= 0 &&
	    histogram_same_spans(s, o)) {
		for (i = 0; i < s->n; i++)
			sum_up(&s->v[i], c != NULL ? &c->v[i] : NULL,
			    sign * o->v[i]);
		return;
	}
	x = cells(s, c != NULL ? c->v : NULL, sv, &nx);
	y = cells(o, NULL, ov, &ny);
	out = mem_alloc((nx + ny + 1) * sizeof(*out));
	while (i < nx || k < ny) {
		struct cell *to = &out[n++];

		if (k == ny || (i < nx && x[i].index < y[k].index)) {
			*to = x[i++];
			continue;
		}
		*to = (struct cell){ y[k].index, 0, 0 };
		if (i < nx && x[i].index == y[k].index)
			*to = x[i++];
		sum_up(&to->v, c != NULL ? &to->c : NULL, sign * y[k++].v);
	}
	store(s, c, out, n, nx == n && s->n == n && plain, a);
	free(x);
	free(y);
	free(out);
}

/*
 * The zero count of h if its threshold were *t, which grows to the end of a
 * populated bucket that it would cut.
 */
static double
zero_for(const struct histogram *h, const struct histogram *c, double *t,
    double *lost)
{
	const struct histogram_side *const sides[] = { &h->positive,
		&h->negative };
	struct histogram_iter it;
	double from, count;

	do {
		from = *t;
		count = h->zero_count;
		*lost = c != NULL ? c->zero_count : 0;
		for (int k = 0; k < 2; k++) {
			const struct histogram_side *cs = k == 0 || c == NULL
			    ? (c != NULL ? &c->positive : NULL)
			    : &c->negative;

			histogram_iter_init(&it, sides[k]);
			while (histogram_next(&it) &&
			    histogram_bound(h, it.index - 1) < *t) {
				double upper = histogram_bound(h, it.index);

				if (upper > *t && it.count == 0)
					break;
				count += it.count;
				if (cs != NULL)
					*lost += cs->v[it.at - 1];
				if (upper > *t)
					*t = upper;
			}
		}
	} while (*t != from);
	return count;
}

/* Both thresholds to the greater one; the view's zero is set where changed. */
static double
widen(struct histogram *h, struct histogram *c, const struct histogram *o,
    struct view *hv, struct view *ov)
{
	double t = fmax(h->zero_threshold, o->zero_threshold), before;
	double mine, other = o->zero_count, lost = 0, ignored;

	if (h->zero_threshold == o->zero_threshold)
		return other;
	do {
		before = t;
		mine = zero_for(h, c, &t, &lost);
		other = zero_for(o, NULL, &t, &ignored);
	} while (t != before);
	if (t > h->zero_threshold)
		hv->zero = t;
	if (t > o->zero_threshold)
		ov->zero = t;
	h->zero_threshold = t;
	h->zero_count = mine;
	if (c != NULL)
		c->zero_count = lost;
	return other;
}

/* Where each bucket of custom bounds goes among the n common ones. */
static int64_t *
custom_map(const struct histogram *h, const double *common, size_t n)
{
	int64_t *map = mem_alloc((h->ncustom + 1) * sizeof(*map));
	size_t k = 0;

	for (size_t i = 0; i <= h->ncustom; i++) {
		while (i < h->ncustom && k < n && common[k] < h->custom[i])
			k++;
		map[i] = (int64_t)(i == h->ncustom ? n : k);
	}
	return map;
}

static bool
same_custom(const struct histogram *a, const struct histogram *b)
{
	if (a->ncustom != b->ncustom)
		return false;
	for (size_t i = 0; i < a->ncustom; i++)
		if (a->custom[i] != b->custom[i])
			return false;
	return true;
}

/* The bounds that both have; in v, which has room for a's. */
static size_t
common_custom(const struct histogram *a, const struct histogram *b, double *v)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->ncustom; i++) {
		while (k < b->ncustom && b->custom[k] < a->custom[i])
			k++;
		if (k < b->ncustom && b->custom[k] == a->custom[i])
			v[n++] = a->custom[i];
	}
	return n;
}

static void
add_custom(struct histogram *h, struct histogram *c, const struct histogram *o,
    double sign, struct arena *a, unsigned *met)
{
	struct view hv = { .h = h }, ov = { .h = o };
	int64_t *mine, *other;
	double *common;
	size_t n;

	if (same_custom(h, o)) {
		add_side(&h->positive, c != NULL ? &c->positive : NULL, &hv,
		    &o->positive, &ov, sign, a);
		return;
	}
	*met |= HISTOGRAM_RECONCILED;
	common = arena_alloc(a, (h->ncustom + 1) * sizeof(*common));
	n = common_custom(h, o, common);
	hv.map = mine = custom_map(h, common, n);
	ov.map = other = custom_map(o, common, n);
	add_side(&h->positive, c != NULL ? &c->positive : NULL, &hv,
	    &o->positive, &ov, sign, a);
	free(mine);
	free(other);
	h->custom = common;
	h->ncustom = n;
}

/* What is known of a reset in a sum. */
static enum histogram_hint
join_hints(enum histogram_hint a, enum histogram_hint b, unsigned *met)
{
	if (a == b)
		return a;
	if (a == HISTOGRAM_GAUGE || b == HISTOGRAM_GAUGE)
		return HISTOGRAM_GAUGE;
	if (a != HISTOGRAM_UNKNOWN && b != HISTOGRAM_UNKNOWN)
		*met |= HISTOGRAM_COLLISION;
	return HISTOGRAM_UNKNOWN;
}

int
histogram_add(struct histogram *h, struct histogram *c,
    const struct histogram *o, double sign, struct arena *a, unsigned *met)
{
	struct view hv = { .h = h }, ov = { .h = o };
	unsigned ignored = 0;
	double zero;

	if (met == NULL)
		met = &ignored;
	if (is_custom(h) != is_custom(o))
		return -1;
	h->hint = join_hints(h->hint, o->hint, met);
	if (sign < 0)
		h->hint = HISTOGRAM_GAUGE;
	h->whole = h->whole && o->whole && sign == 1;
	if (is_custom(h))
		add_custom(h, c, o, sign, a, met);
	else {
		zero = widen(h, c, o, &hv, &ov);
		sum_up(&h->zero_count, c != NULL ? &c->zero_count : NULL,
		    sign * zero);
		if (h->schema > o->schema)
			hv.shift = (int)(h->schema - o->schema);
		else
			ov.shift = (int)(o->schema - h->schema);
		add_side(&h->positive, c != NULL ? &c->positive : NULL, &hv,
		    &o->positive, &ov, sign, a);
		add_side(&h->negative, c != NULL ? &c->negative : NULL, &hv,
		    &o->negative, &ov, sign, a);
		h->schema -= hv.shift;
	}
	sum_up(&h->count, c != NULL ? &c->count : NULL, sign * o->count);
	sum_up(&h->sum, c != NULL ? &c->sum : NULL, sign * o->sum);
	return 0;
}

static void
settle_side(struct histogram_side *s, const struct histogram_side *c)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i] += c->v[i];
}

void
histogram_settle(struct histogram *h, const struct histogram *c)
{
	h->count += c->count;
	h->sum += c->sum;
	h->zero_count += c->zero_count;
	settle_side(&h->negative, &c->negative);
	settle_side(&h->positive, &c->positive);
}

/* Has a bucket of b, seen through bv, more than the same one of h? */
static bool
side_fell(const struct histogram_side *h, const struct view *hv,
    const struct histogram_side *b, const struct view *bv)
{
	struct cell *x, *y;
	size_t nx, ny, i = 0;
	bool fell = false;

	if (histogram_same_spans(h, b) && hv->map == NULL && bv->shift == 0 &&
	    hv->zero <= 0) {
		for (; i < h->n && !fell; i++)
			fell = h->v[i] < b->v[i];
		return fell;
	}
	x = cells(h, NULL, hv, &nx);
	y = cells(b, NULL, bv, &ny);
	for (size_t k = 0; k < ny && !fell; k++) {
		while (i < nx && x[i].index < y[k].index)
			i++;
		if (i < nx && x[i].index == y[k].index)
			fell = x[i].v < y[k].v;
		else
			fell = y[k].v != 0;
	}
	free(x);
	free(y);
	return fell;
}

static bool
custom_fell(const struct histogram *h, const struct histogram *b)
{
	struct view hv = { .h = h }, bv = { .h = b };
	double *common = NULL;
	int64_t *mine = NULL, *other = NULL;
	bool fell;
	size_t n;

	if (!same_custom(h, b)) {
		common = mem_alloc((h->ncustom + 1) * sizeof(*common));
		n = common_custom(h, b, common);
		hv.map = mine = custom_map(h, common, n);
		bv.map = other = custom_map(b, common, n);
	}
	fell = side_fell(&h->positive, &hv, &b->positive, &bv);
	free(common);
	free(mine);
	free(other);
	return fell;
}

bool
histogram_fell(const struct histogram *h, const struct histogram *b)
{
	struct view hv = { .h = h }, bv = { .h = b };
	double t = h->zero_threshold, zero, ignored;

	if (h->hint == HISTOGRAM_RESET)
		return true;
	if (h->hint == HISTOGRAM_NOT_RESET)
		return false;
	if (h->count < b->count || is_custom(h) != is_custom(b))
		return true;
	if (is_custom(h))
		return custom_fell(h, b);
	if (h->schema > b->schema || t < b->zero_threshold)
		return true;
	zero = b->zero_count;
	if (t > b->zero_threshold) {
		zero = zero_for(b, NULL, &t, &ignored);
		hv.zero = bv.zero = t;
	}
	if (t != h->zero_threshold || h->zero_count < zero)
		return true;
	bv.shift = (int)(b->schema - h->schema);
	return side_fell(&h->positive, &hv, &b->positive, &bv) ||
	    side_fell(&h->negative, &hv, &b->negative, &bv);
}

static bool
same_bits(double a, double b)
{
	return num_bits(a) == num_bits(b) || (isnan(a) && isnan(b));
}

static bool
same_side(const struct histogram_side *a, const struct histogram_side *b)
{
	struct histogram_iter x, y;

	if (a->n != b->n)
		return false;
	histogram_iter_init(&x, a);
	histogram_iter_init(&y, b);
	while (histogram_next(&x) && histogram_next(&y))
		if (x.index != y.index || !same_bits(x.count, y.count))
			return false;
	return true;
}

bool
histogram_same(const struct histogram *a, const struct histogram *b)
{
	return a->schema == b->schema && a->count == b->count &&
	    same_bits(a->sum, b->sum) &&
	    a->zero_threshold == b->zero_threshold &&
	    same_bits(a->zero_count, b->zero_count) && same_custom(a, b) &&
	    same_side(&a->negative, &b->negative) &&
	    same_side(&a->positive, &b->positive);
}

struct histogram_bucket *
histogram_list(const struct histogram *h, struct arena *a, size_t *n)
{
	struct histogram_bucket *v, *b;
	struct histogram_iter it;
	double zero = h->zero_threshold;
	size_t k = h->negative.n;

	v = arena_array(a, histogram_buckets(h) + 1, struct histogram_bucket);
	histogram_iter_init(&it, &h->negative);
	while (histogram_next(&it)) {
		b = &v[--k];
		b->lower = -histogram_bound(h, it.index);
		b->upper = -histogram_bound(h, it.index - 1);
		if (b->upper > -zero)
			b->upper = -zero;
		b->count = it.count;
		b->lower_in = true;
	}
	k = h->negative.n;
	if (h->zero_count != 0)
		v[k++] = (struct histogram_bucket){ -zero, zero, h->zero_count,
			true, true };
	histogram_iter_init(&it, &h->positive);
	while (histogram_next(&it)) {
		b = &v[k++];
		b->lower = histogram_bound(h, it.index - 1);
		b->upper = histogram_bound(h, it.index);
		if (!is_custom(h) && b->lower < zero)
			b->lower = zero;
		b->count = it.count;
		b->upper_in = true;
		b->lower_in = is_custom(h) && it.index == 0;
	}
	*n = k;
	return v;
}
