/*
 * A source that remembers.  What is asked of it goes to another source; of
 * what several expressions want (share_plan.c) the answer is kept as it
 * passes, and given again, as much of it as is asked for.  Series that were
 * scraped together keep one column of times.
 */
#include "promql/share.h"

#include <stdlib.h>

#include "base/mem.h"
#include "promql/eval.h"

#define MAX_SAMPLES ((size_t)4 << 20)

/* A series' labels take as much room as this many samples, or so. */
#define LABELS 16

struct source_cursor {
	struct promql_share *share;
	struct source_cursor *base;    /* NULL: from what is kept */
	struct share_read *read;       /* that is made or given */
	const struct share_wish *wish; /* of it; NULL: all that comes */
	str name;                      /* of the label of a family */
	int64_t from, to;
	bool keeps;
	size_t at, end;
};

struct promql_share *
promql_share_new(const struct source *base, size_t max)
{
	struct promql_share *s = mem_zero(1, sizeof(*s));

	s->base = base;
	s->max = max > 0 ? max : MAX_SAMPLES;
	return s;
}

void
promql_share_free(struct promql_share *s)
{
	if (s == NULL)
		return;
	for (struct share_read *r = s->reads; r != NULL; r = r->next)
		arena_fini(&r->a);
	promql_twins_fini(s);
	map_fini(&s->selectors);
	arena_fini(&s->a);
	free(s);
}

/*
 * Opening.
 */

/* The wish that a query is a part of; NULL if nobody else has it. */
static const struct share_wish *
find(struct promql_share *s, const struct source_query *q,
    const struct share_selector **x)
{
	struct share_wish *w = NULL;
	struct buf key = { 0 };
	struct map_slot *slot;

	if (q->labels_only || !promql_share_plan(s))
		return NULL;
	promql_share_key(&key, q->m, q->nm);
	slot = map_find(&s->selectors, buf_str(&key));
	buf_fini(&key);
	if (slot == NULL)
		return NULL;
	*x = slot->v.p;
	for (w = (*x)->wishes; w != NULL; w = w->next)
		if (w->read != NULL && w->from <= q->from && q->to <= w->to)
			break;
	return w;
}

/* Would what is kept do for a query? */
static bool
serves(const struct share_read *r, const struct source_query *q)
{
	if (r->last && (!q->last || q->to != r->to))
		return false;
	return r->histograms == q->histograms && r->starts == q->starts;
}

/* Ask the base for all of a read; the query is one of those it is for. */
static struct source_cursor *
open_read(const struct promql_share *s, const struct share_read *r,
    const struct source_query *q, struct error *e)
{
	struct source_query all = *q;
	struct source_cursor *c = NULL;
	struct buf values = { 0 };
	struct match *m = NULL;

	all.from = r->from;
	all.to = r->to;
	all.last = r->last;
	/* Others will want what this one does not. */
	all.few_labels = all.unordered = all.any_value = false;
	if (r->n < 2)
		return source_open(s->base, &all, e);
	for (size_t i = 0; i < r->n; i++) {
		if (i > 0)
			buf_byte(&values, '|');
		re_quote(&values, r->value[i]);
	}
	m = mem_alloc(q->nm * sizeof(*m));
	memcpy(m, q->m, q->nm * sizeof(*m));
	all.m = m;
	if (match_init(&m[r->place], MATCH_RE, q->m[r->place].name,
		buf_str(&values), e) == 0) {
		c = source_open(s->base, &all, e);
		match_fini(&m[r->place]);
	}
	buf_fini(&values);
	free(m);
	return c;
}

/* Into a cursor over what is kept already. */
static void
from_kept(struct source_cursor *c)
{
	const struct share_read *r = c->read;

	c->at = r->n > 1 ? r->first[c->wish->member] : 0;
	c->end = r->n > 1 ? r->first[c->wish->member + 1] : r->nv;
}

static struct source_cursor *
share_open(void *self, const struct source_query *q, struct error *e)
{
	struct promql_share *s = self;
	const struct share_selector *x;
	const struct share_wish *w = find(s, q, &x);
	struct share_read *r = w != NULL ? w->read : NULL;
	struct source_cursor *c = mem_zero(1, sizeof(*c));

	c->share = s;
	if (r != NULL && r->state == SHARE_EMPTY) {
		r->histograms = q->histograms;
		r->starts = q->starts;
	}
	if (r != NULL &&
	    (r->state == SHARE_EMPTY || r->state == SHARE_COMPLETE) &&
	    serves(r, q)) {
		c->read = r;
		c->wish = w;
		c->name = x->m[r->place].name;
		c->from = q->from;
		c->to = q->to;
		if (r->state == SHARE_COMPLETE) {
			from_kept(c);
			return c;
		}
		c->base = open_read(s, r, q, e);
		c->keeps = c->base != NULL;
		r->state = c->keeps ? SHARE_MAKING : SHARE_EMPTY;
	} else {
		c->base = source_open(s->base, q, e);
	}
	if (c->base != NULL)
		return c;
	free(c);
	return NULL;
}

/*
 * Keeping.
 */

/* What was kept is let go of; the cursor goes on with the base. */
static void
give_up(struct source_cursor *c, enum share_state state)
{
	struct share_read *r = c->read;

	c->share->samples -= r->samples;
	arena_fini(&r->a);
	r->v = NULL;
	r->nv = r->cap = r->samples = 0;
	r->state = state;
	c->keeps = false;
}

static void *
copy(struct arena *a, const void *p, size_t n)
{
	return n > 0 ? memcpy(arena_alloc(a, n), p, n) : NULL;
}

/* A copy of a series, unless all of them grow too large. */
static void
keep(struct source_cursor *c, const struct source_series *s)
{
	struct share_read *r = c->read;
	struct source_series *k, *last;
	const struct histogram **h;
	struct arena *a = &r->a;

	r->samples += s->n + LABELS;
	c->share->samples += s->n + LABELS;
	if (c->share->samples > c->share->max) {
		give_up(c, SHARE_GIVEN_UP);
		return;
	}
	r->v = arena_grow(a, r->v, &r->cap, r->nv + 1, sizeof(*k));
	last = r->nv > 0 ? &r->v[r->nv - 1] : NULL;
	k = &r->v[r->nv++];
	*k = (struct source_series){ .labels = label_dup(a, s->labels),
		.n = s->n };
	if (last != NULL && last->n == s->n &&
	    memcmp(last->t, s->t, s->n * sizeof(*s->t)) == 0)
		k->t = last->t;
	else
		k->t = copy(a, s->t, s->n * sizeof(*s->t));
	k->v = copy(a, s->v, s->n * sizeof(*s->v));
	if (s->start != NULL)
		k->start = copy(a, s->start, s->n * sizeof(*s->start));
	if (s->h == NULL)
		return;
	h = arena_array(a, s->n, const struct histogram *);
	for (size_t i = 0; i < s->n; i++)
		if (s->h[i] != NULL)
			h[i] = histogram_copy(s->h[i], a);
	k->h = h;
}

/* All is there: which series are whose, in their order. */
static void
complete(struct source_cursor *c)
{
	struct share_read *r = c->read;
	struct map members = { 0 };
	size_t *of, *n;

	r->state = SHARE_COMPLETE;
	c->keeps = false;
	if (r->n < 2)
		return;
	r->of = arena_array(&r->a, r->nv + 1, size_t);
	r->first = arena_array(&r->a, r->n + 3, size_t);
	of = mem_zero(r->nv + 1, sizeof(*of));
	for (size_t i = 0; i < r->n; i++)
		map_add(&members, r->value[i], NULL)->v.i = i;
	n = r->first + 1; /* one place behind, for now */
	for (size_t i = 0; i < r->nv; i++) {
		const struct map_slot *slot =
		    map_find(&members, label_find(r->v[i].labels, c->name));

		/* A regex takes bytes that are no UTF-8 for U+FFFD. */
		of[i] = slot != NULL ? slot->v.i : r->n;
		n[of[i] + 1]++;
	}
	for (size_t i = 1; i <= r->n; i++)
		n[i] += n[i - 1];
	for (size_t i = 0; i < r->nv; i++)
		r->of[n[of[i]]++] = i;
	map_fini(&members);
	free(of);
}

/*
 * Reading.
 */

/* What of a series the query asked for; false: nothing. */
static bool
cut(const struct source_cursor *c, struct source_series *s)
{
	size_t lo = 0, hi = s->n;

	if (s->n > 0 && s->t[0] < c->from)
		for (size_t end = s->n; lo < end;) {
			size_t mid = lo + (end - lo) / 2;

			if (s->t[mid] < c->from)
				lo = mid + 1;
			else
				end = mid;
		}
	if (s->n > 0 && s->t[s->n - 1] > c->to)
		for (size_t from = lo; from < hi;) {
			size_t mid = from + (hi - from) / 2;

			if (s->t[mid] <= c->to)
				from = mid + 1;
			else
				hi = mid;
		}
	s->t += lo;
	s->v += lo;
	s->h = s->h != NULL ? s->h + lo : NULL;
	s->start = s->start != NULL ? s->start + lo : NULL;
	s->n = hi - lo;
	return s->n > 0;
}

static int
next_kept(struct source_cursor *c, struct source_series *s)
{
	const struct share_read *r = c->read;

	while (c->at < c->end) {
		*s = r->v[r->n > 1 ? r->of[c->at] : c->at];
		c->at++;
		if (cut(c, s))
			return 1;
	}
	return 0;
}

static bool
wanted(const struct source_cursor *c, struct source_series *s)
{
	const struct share_read *r = c->read;

	if (r == NULL)
		return true;
	if (r->n > 1 &&
	    !str_eq(label_find(s->labels, c->name), r->value[c->wish->member]))
		return false;
	return cut(c, s);
}

static int
share_next(struct source_cursor *c, struct source_series *s, struct error *e)
{
	int rc;

	if (c->base == NULL)
		return next_kept(c, s);
	do {
		rc = source_next(c->share->base, c->base, s, e);
		if (!c->keeps)
			continue;
		if (rc == 1)
			keep(c, s);
		else if (rc == 0)
			complete(c);
		else
			give_up(c, SHARE_EMPTY);
	} while (rc == 1 && !wanted(c, s));
	return rc;
}

static void
share_close(struct source_cursor *c)
{
	if (c == NULL)
		return;
	if (c->keeps)
		give_up(c, SHARE_EMPTY);
	if (c->base != NULL)
		source_close(c->share->base, c->base);
	free(c);
}

static int
share_metadata(void *self,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg, struct error *e)
{
	const struct source *base = ((struct promql_share *)self)->base;

	return base->ops->metadata != NULL
	    ? base->ops->metadata(base->self, each, arg, e)
	    : 0;
}

static void
share_hold(void *self, bool on)
{
	source_hold(((struct promql_share *)self)->base, on);
}

static const struct source_ops ops = {
	.open = share_open,
	.next = share_next,
	.close = share_close,
	.metadata = share_metadata,
	.hold = share_hold,
};

struct source
promql_share_source(struct promql_share *s)
{
	return (struct source){ &ops, s };
}

struct promql_share *
promql_share_own(const struct promql_expr *x, const struct source *src,
    const struct promql_opts *o)
{
	struct promql_share *s;

	if (x->selectors == NULL || x->selectors->next_selector == NULL ||
	    src->ops == &ops)
		return NULL;
	s = promql_share_new(src, 0);
	promql_share_expect(s, x, o);
	if (promql_share_plan(s))
		return s;
	promql_share_free(s);
	return NULL;
}
