/*
 * Classic histograms to native ones with custom buckets, as a page is read.
 * What belongs together is told by the name without its suffix and the labels
 * without le; the first series of something else ends the histogram.
 */
#include "scrape/nhcb.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/histogram.h"

/* No histogram has nearly so many; a page that means harm may. */
#define BUCKETS ((size_t)1 << 20)
#define EXEMPLARS ((size_t)1 << 12)

struct bucket {
	double le, count;
};

struct nhcb {
	bool keep;
	nhcb_put *put;
	void *arg;

	struct arena family; /* of this: */
	str name;            /* what TYPE named last, if it is a histogram */

	/* the histogram being collected */
	struct arena a;
	bool open;
	bool bad; /* it makes no sense */
	struct expo_item item;
	struct label_set set; /* its labels, those of item */
	struct bucket *v;
	size_t n, cap;
	double count, sum;
	bool has_count, sorted;
	struct expo_item *exemplars; /* and START lines */
	size_t nexemplars, excap;

	/* the last native histogram that the page had itself */
	struct arena before;
	struct labels native;
};

struct nhcb *
nhcb_new(bool keep, nhcb_put *put, void *arg)
{
	struct nhcb *n = mem_zero(1, sizeof(*n));

	n->keep = keep;
	n->put = put;
	n->arg = arg;
	return n;
}

void
nhcb_free(struct nhcb *n)
{
	if (n == NULL)
		return;
	arena_fini(&n->family);
	arena_fini(&n->a);
	arena_fini(&n->before);
	label_fini(&n->set);
	free(n->v);
	free(n->exemplars);
	free(n);
}

enum part { NONE, BUCKET, COUNT, SUM };

/* Which part of the family's histograms is it, and of which bucket? */
static enum part
part_of(const struct nhcb *n, struct labels ls, double *le)
{
	str name = label_find(ls, LABEL_NAME), suffix;

	if (n->name.n == 0 || !str_starts(name, n->name))
		return NONE;
	suffix = str_skip(name, n->name.n);
	if (str_eq(suffix, STR("_count")))
		return COUNT;
	if (str_eq(suffix, STR("_sum")))
		return SUM;
	if (str_eq(suffix, STR("_bucket")) &&
	    num_parse(label_find(ls, STR("le")), le) == 0 && !isnan(*le))
		return BUCKET;
	return NONE;
}

/* Are these the labels of base, but for the name and le? */
static bool
same(struct labels ls, struct labels base)
{
	size_t k = 0;

	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, STR("le")))
			continue;
		if (k == base.n || !str_eq(ls.v[i].name, base.v[k].name) ||
		    (!str_eq(ls.v[i].name, LABEL_NAME) &&
			!str_eq(ls.v[i].value, base.v[k].value)))
			return false;
		k++;
	}
	return k == base.n;
}

static void
begin(struct nhcb *n, const struct expo_item *it)
{
	struct labels ls;

	arena_reset(&n->a);
	label_fini(&n->set);
	label_init(&n->set, it->labels);
	label_unset(&n->set, STR("le"));
	label_set(&n->set, LABEL_NAME, n->name);
	ls = label_dup(&n->a, label_view(&n->set));
	n->item = (struct expo_item){ .kind = EXPO_HIST, .labels = ls };
	n->n = n->nexemplars = 0;
	n->count = n->sum = 0;
	n->open = true;
	n->bad = n->has_count = false;
	n->sorted = true;
}

static void
add_bucket(struct nhcb *n, double le, double count)
{
	if (n->n == BUCKETS) {
		n->bad = true;
		return;
	}
	n->v = mem_grow(n->v, &n->cap, n->n + 1, sizeof(*n->v));
	n->sorted = n->sorted && (n->n == 0 || n->v[n->n - 1].le < le);
	n->v[n->n++] = (struct bucket){ le, count };
}

static int
by_bound(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return (x->le > y->le) - (x->le < y->le);
}

/* In the order of bounds, of each the first; do the counts grow with them? */
static bool
sort(struct nhcb *n)
{
	size_t k = 0;

	if (!n->sorted && n->n > 0 &&
	    mergesort(n->v, n->n, sizeof(*n->v), by_bound) == -1)
		return false;
	for (size_t i = 0; i < n->n; i++) {
		if (k > 0 && n->v[i].le == n->v[k - 1].le)
			continue;
		if (n->v[i].count < (k > 0 ? n->v[k - 1].count : 0))
			return false;
		n->v[k++] = n->v[i];
	}
	n->n = k;
	return true;
}

static bool
is_whole(double v)
{
	return v >= 0 && v < 0x1p63 && v == floor(v);
}

/* What was collected as a histogram; false: it is none. */
static bool
convert(struct nhcb *n, struct histogram *h)
{
	struct histogram_span *span = arena_new(&n->a, struct histogram_span);
	double before = 0;

	if (n->bad || (!n->has_count && n->n == 0) || !sort(n))
		return false;
	if (!n->has_count)
		n->count = n->v[n->n - 1].count;
	if (n->n == 0 || n->v[n->n - 1].le != (double)INFINITY)
		add_bucket(n, (double)INFINITY, n->count);
	if (n->bad || n->v[n->n - 1].count != n->count)
		return false;
	*h = (struct histogram){ .schema = HISTOGRAM_CUSTOM,
		.count = n->count,
		.sum = n->sum,
		.whole = is_whole(n->count),
		.ncustom = n->n - 1 };
	h->custom = arena_array(&n->a, n->n, double);
	h->positive.v = arena_array(&n->a, n->n, double);
	h->positive.n = n->n;
	h->positive.spans = span;
	h->positive.nspans = 1;
	span->length = (uint32_t)n->n;
	for (size_t i = 0; i < n->n; i++) {
		if (i < h->ncustom)
			h->custom[i] = n->v[i].le;
		h->positive.v[i] = n->v[i].count - before;
		before = n->v[i].count;
		h->whole = h->whole && is_whole(before);
	}
	histogram_compact(h, &n->a);
	return histogram_check(h, NULL) == 0;
}

/* The histogram is whole: give it on. */
static int
flush(struct nhcb *n, struct error *e)
{
	struct histogram h;
	struct buf b = { 0 };
	int rc = 0;

	if (!n->open)
		return 0;
	n->open = false;
	if (!convert(n, &h))
		return 0;
	histogram_print(&b, &h);
	n->item.text = buf_str(&b);
	rc = n->put(n->arg, &n->item, e);
	for (size_t i = 0; i < n->nexemplars && rc == 0; i++)
		rc = n->put(n->arg, &n->exemplars[i], e);
	buf_fini(&b);
	return rc;
}

/* What stands behind a series that was collected is the histogram's. */
static void
attach(struct nhcb *n, const struct expo_item *it)
{
	struct expo_item x = *it;

	if (n->nexemplars == EXEMPLARS)
		return;
	for (size_t i = 0; i < n->nexemplars; i++)
		if (it->kind == EXPO_START &&
		    n->exemplars[i].kind == EXPO_START)
			return;
	x.labels = n->item.labels;
	x.extra = label_dup(&n->a, it->extra);
	x.mark = NULL;
	n->exemplars =
	    mem_grow(n->exemplars, &n->excap, n->nexemplars + 1, sizeof(x));
	n->exemplars[n->nexemplars++] = x;
}

/* 1: it has been taken and is not to be given on. */
static int
sample(struct nhcb *n, const struct expo_item *it, struct error *e)
{
	double le = 0;
	enum part part = part_of(n, it->labels, &le);

	if (n->open && (part == NONE || !same(it->labels, n->item.labels)))
		if (flush(n, e) == -1)
			return -1;
	if (part == NONE)
		return 0;
	/* beside a native histogram there is no need of another */
	if (n->native.n > 0 && same(it->labels, n->native) &&
	    str_eq(label_find(n->native, LABEL_NAME), n->name))
		return 0;
	if (!n->open)
		begin(n, it);
	n->item.line = it->line;
	n->item.t = it->t;
	n->item.has_t = it->has_t;
	if (part == BUCKET)
		add_bucket(n, le, it->v);
	else if (part == SUM)
		n->sum = it->v;
	else if (it->v >= 0) {
		n->count = it->v;
		n->has_count = true;
	} else
		n->bad = true;
	return !n->keep;
}

static void
family(struct nhcb *n, const struct expo_item *it)
{
	/* OpenMetrics tells of it in the middle of its family */
	if (n->name.n > 0 && str_starts(it->name, n->name) &&
	    str_eq(str_skip(it->name, n->name.n), STR("_created")))
		return;
	arena_reset(&n->family);
	n->name = STR_NONE;
	if (str_eq(it->text, STR("histogram")))
		n->name = arena_dup(&n->family, it->name);
}

int
nhcb_item(struct nhcb *n, const struct expo_item *it, struct error *e)
{
	int k;

	if (it->kind == EXPO_SAMPLE) {
		k = sample(n, it, e);
		if (k != 0)
			return k == 1 ? 0 : -1;
		return n->put(n->arg, it, e);
	}
	if (n->open && (it->kind == EXPO_EXEMPLAR || it->kind == EXPO_START)) {
		attach(n, it);
		return n->keep ? n->put(n->arg, it, e) : 0;
	}
	if (flush(n, e) == -1)
		return -1;
	if (it->kind == EXPO_TYPE)
		family(n, it);
	else if (it->kind == EXPO_HIST) {
		arena_reset(&n->before);
		n->native = label_dup(&n->before, it->labels);
	}
	return n->put(n->arg, it, e);
}

int
nhcb_end(struct nhcb *n, struct error *e)
{
	return flush(n, e);
}
