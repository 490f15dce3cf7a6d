/*
 * A source over series in memory.  They are kept sorted by metric name and
 * then labels, so that a query which names its metric looks at that alone.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "metric/series_set.h"

struct source_cursor {
	const struct series_set *s;
	size_t *ids; /* what matches, in label order */
	size_t n, at;
	int64_t from, to;
	bool labels_only, histograms, starts;
	int64_t *t; /* floats without the histograms among them */
	double *v;
	size_t tcap, vcap;
};

static int
by_labels(const void *a, const void *b, void *arg)
{
	const struct series_set *s = arg;
	const size_t *x = a, *y = b;

	return label_cmp(s->v[*x].labels, s->v[*y].labels);
}

static int
by_metric(const void *a, const void *b, void *arg)
{
	const struct series_set *s = arg;
	const size_t *x = a, *y = b;
	int c = str_cmp(label_find(s->v[*x].labels, LABEL_NAME),
	    label_find(s->v[*y].labels, LABEL_NAME));

	return c ? c : by_labels(a, b, arg);
}

/* Those that are not in the order yet, sorted; n of them. */
static size_t *
newcomers(struct series_set *s, size_t *n)
{
	size_t *v = NULL, cap = 0;

	*n = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->v[i].live || s->v[i].placed)
			continue;
		s->v[i].placed = true;
		v = mem_grow(v, &cap, *n + 1, sizeof(*v));
		v[(*n)++] = i;
	}
	if (*n > 1)
		qsort_r(v, *n, sizeof(*v), by_metric, s);
	return v;
}

/*
 * Bring the order up to date: what is gone leaves it, what is new is sorted
 * by itself and merged in from the end, so that a few new series among many
 * old ones cost little.
 */
static void
sort(struct series_set *s)
{
	size_t *v, n, k = 0, to;

	if (s->sorted)
		return;
	for (size_t i = 0; i < s->norder; i++)
		if (s->v[s->order[i]].placed)
			s->order[k++] = s->order[i];
	v = newcomers(s, &n);
	s->order = mem_grow(s->order, &s->order_cap, k + n, sizeof(*s->order));
	s->norder = to = k + n;
	while (n > 0)
		if (k > 0 && by_metric(&s->order[k - 1], &v[n - 1], s) > 0)
			s->order[--to] = s->order[--k];
		else
			s->order[--to] = v[--n];
	free(v);
	s->sorted = true;
}

/* The first in the order whose metric is not below name (or is above it). */
static size_t
bound(const struct series_set *s, str name, bool above)
{
	size_t lo = 0, hi = s->norder, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = str_cmp(
		    label_find(s->v[s->order[mid]].labels, LABEL_NAME), name);
		if (c < 0 || (above && c == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct source_cursor *
open(void *self, const struct source_query *q, struct error *e)
{
	struct series_set *s = self;
	struct source_cursor *c = mem_zero(1, sizeof(*c));
	size_t lo = 0, hi, cap = 0;
	bool named = false;

	(void)e;
	sort(s);
	hi = s->norder;
	for (size_t i = 0; i < q->nm && !named; i++) {
		if (q->m[i].op != MATCH_EQ || !str_eq(q->m[i].name, LABEL_NAME))
			continue;
		lo = bound(s, q->m[i].value, false);
		hi = bound(s, q->m[i].value, true);
		named = true;
	}
	c->s = s;
	c->from = q->from;
	c->to = q->to;
	c->labels_only = q->labels_only;
	c->histograms = q->histograms;
	c->starts = q->starts;
	for (size_t i = lo; i < hi; i++) {
		if (!match_all(q->m, q->nm, s->v[s->order[i]].labels))
			continue;
		c->ids = mem_grow(c->ids, &cap, c->n + 1, sizeof(*c->ids));
		c->ids[c->n++] = s->order[i];
	}
	/* one metric's series are in label order already */
	if (!named && c->n > 1)
		qsort_r(c->ids, c->n, sizeof(*c->ids), by_labels, s);
	return c;
}

/* The columns of samples lo..hi into out; false: only histograms, unasked. */
static bool
columns(struct source_cursor *c, const struct series_one *o, size_t lo,
    size_t hi, struct source_series *out)
{
	size_t n = 0;

	out->t = o->t + lo;
	out->v = o->v + lo;
	if (c->starts && o->start != NULL && (o->h == NULL || c->histograms))
		out->start = o->start + lo;
	if (o->h == NULL)
		return true;
	if (c->histograms) {
		out->h = (const struct histogram *const *)(o->h + lo);
		return true;
	}
	c->t = mem_grow(c->t, &c->tcap, hi - lo, sizeof(*c->t));
	c->v = mem_grow(c->v, &c->vcap, hi - lo, sizeof(*c->v));
	for (size_t i = lo; i < hi; i++)
		if (o->h[i] == NULL) {
			c->t[n] = o->t[i];
			c->v[n++] = o->v[i];
		}
	out->t = c->t;
	out->v = c->v;
	out->n = n;
	return n > 0;
}

static int
next(struct source_cursor *c, struct source_series *out, struct error *e)
{
	const struct series_one *o;
	size_t lo, hi;

	(void)e;
	while (c->at < c->n) {
		o = &c->s->v[c->ids[c->at++]];
		lo = series_lower(o, c->from);
		hi = c->to == INT64_MAX ? o->off + o->n
					: series_lower(o, c->to + 1);
		if (lo >= hi)
			continue;
		*out =
		    (struct source_series){ .labels = o->labels, .n = hi - lo };
		if (c->labels_only || columns(c, o, lo, hi, out))
			return 1;
	}
	return 0;
}

static void
close(struct source_cursor *c)
{
	free(c->ids);
	free(c->t);
	free(c->v);
	free(c);
}

static int
metadata(void *self,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg, struct error *e)
{
	const struct series_set *s = self;
	const struct series_meta *m;
	struct map_slot *slot;

	(void)e;
	for (slot = NULL; (slot = map_next(&s->meta, slot)) != NULL;) {
		m = slot->v.p;
		each(arg, slot->key, m->type, m->help, m->unit);
	}
	return 0;
}

struct source
series_source(struct series_set *s)
{
	static const struct source_ops ops = {
		.open = open, .next = next, .close = close, .metadata = metadata
	};

	return (struct source){ &ops, s };
}
