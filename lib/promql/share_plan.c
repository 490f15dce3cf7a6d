/*
 * What several expressions, or one, want of a source, and what of it is read
 * at once.  Ranges that overlap become one: rate(x[5m]) and rate(x[1h]) read x
 * for an hour, once.  Selectors that differ in one label's value, as those of
 * rules that are written for each machine, are read together, too: to find
 * series costs more than to read some.  Covered by promql-share.c.
 */
#include "promql/eval.h"
#include "promql/share.h"

/* So many wishes, and no fewer, make a family; and so many at most. */
#define FAMILY_MIN 3
#define FAMILY_MAX 64

static void
put(struct buf *b, const void *p, size_t n)
{
	buf_add(b, (str){ p, n });
}

/* All but the value of one of them, if there is such a one. */
static void
put_but(struct buf *b, const struct match *m, size_t n, size_t but)
{
	for (size_t i = 0; i < n; i++) {
		put(b, &m[i].op, sizeof(m[i].op));
		put(b, &m[i].name.n, sizeof(m[i].name.n));
		buf_add(b, m[i].name);
		if (i == but)
			continue;
		put(b, &m[i].value.n, sizeof(m[i].value.n));
		buf_add(b, m[i].value);
	}
}

void
promql_share_key(struct buf *b, const struct match *m, size_t n)
{
	put_but(b, m, n, SIZE_MAX);
}

/*
 * What is expected.
 */

struct expecting {
	struct promql_share *share;
	const struct promql_opts *o;
	int64_t lookback;
};

static struct share_selector *
selector(struct promql_share *s, const struct node *n)
{
	struct share_selector *x;
	struct buf key = { 0 };
	struct map_slot *slot;
	bool fresh;

	promql_share_key(&key, n->m, n->nm);
	slot = map_add(&s->selectors, buf_str(&key), &fresh);
	if (fresh) {
		x = arena_new(&s->a, struct share_selector);
		slot->key = arena_dup(&s->a, slot->key);
		slot->v.p = x;
		x->nm = n->nm;
		x->m = arena_array(&s->a, n->nm, struct match);
		for (size_t i = 0; i < n->nm; i++)
			x->m[i] = (struct match){ .op = n->m[i].op,
				.name = arena_dup(&s->a, n->m[i].name),
				.value = arena_dup(&s->a, n->m[i].value) };
		x->next = s->all;
		s->all = x;
	}
	buf_fini(&key);
	return slot->v.p;
}

/* Wishes that overlap become one. */
static void
wish(struct promql_share *s, struct share_selector *x, struct share_wish w)
{
	struct share_wish **at = &x->wishes, *v;

	while ((v = *at) != NULL) {
		if (w.to < v->from || v->to < w.from) {
			at = &v->next;
			continue;
		}
		/* A newest sample is one of an end. */
		w.last = w.last && v->last && w.to == v->to;
		w.from = v->from < w.from ? v->from : w.from;
		w.to = v->to > w.to ? v->to : w.to;
		w.said += v->said;
		*at = v->next;
	}
	v = arena_new(&s->a, struct share_wish);
	*v = w;
	v->next = x->wishes;
	x->wishes = v;
}

/* A modifier moves the times something is evaluated at; -1: it can't. */
static int
move(const struct expecting *x, const struct modifier *m, int64_t *from,
    int64_t *to)
{
	int64_t offset;
	struct error e;

	if (promql_span(&m->offset, x->o->step, x->o->to - x->o->from, &offset,
		&e) == -1)
		return -1;
	if (m->at == AT_TIME)
		*from = *to = m->at_ms;
	else if (m->at == AT_START)
		*to = *from = x->o->from;
	else if (m->at == AT_END)
		*from = *to = x->o->to;
	*from = plus(*from, -offset);
	*to = plus(*to, -offset);
	return 0;
}

static void
want(const struct expecting *x, const struct node *n, const struct span *range,
    int64_t from, int64_t to)
{
	bool extended = n->mod.extend != W_NONE;
	bool smoothed = n->mod.extend == W_SMOOTHED;
	struct share_wish w = { .said = 1 };
	int64_t back = 0;
	struct error e;

	if (move(x, &n->mod, &from, &to) == -1 ||
	    (range != NULL &&
		promql_span(
		    range, x->o->step, x->o->to - x->o->from, &back, &e) == -1))
		return;
	w.last = range == NULL && from == to && !smoothed && !n->tells_resets;
	if (range == NULL || extended)
		back = plus(back, x->lookback);
	w.from = plus(plus(from, -back), 1);
	w.to = plus(to, smoothed ? x->lookback : 0);
	wish(x->share, selector(x->share, n), w);
}

static void
walk(const struct expecting *x, const struct node *n, int64_t from, int64_t to)
{
	struct error e;
	int64_t range;

	if (n == NULL)
		return;
	if (n->kind == N_VECTOR) {
		want(x, n, NULL, from, to);
		return;
	}
	if (n->kind == N_MATRIX) {
		want(x, n->sub, &n->range, from, to);
		return;
	}
	if (n->kind == N_SUBQUERY) {
		if (move(x, &n->mod, &from, &to) == -1 ||
		    promql_span(&n->range, x->o->step, x->o->to - x->o->from,
			&range, &e) == -1)
			return;
		from = plus(from, -range);
	}
	walk(x, n->sub, from, to);
	walk(x, n->rhs, from, to);
	for (size_t i = 0; i < n->narg; i++)
		walk(x, n->arg[i], from, to);
}

void
promql_share_expect(struct promql_share *s, const struct promql_expr *x,
    const struct promql_opts *o)
{
	struct expecting e = { s, o,
		o->lookback > 0 ? o->lookback : PROMQL_LOOKBACK };

	if (x->selectors != NULL && o->to - o->from >= 0)
		walk(&e, x->root, o->from, o->to);
	promql_twins_expect(s, x);
}

/*
 * Reads.
 */

static struct share_read *
add_read(struct promql_share *s, const struct share_wish *w)
{
	struct share_read *r = arena_new(&s->a, struct share_read);

	r->from = w->from;
	r->to = w->to;
	r->last = w->last;
	r->next = s->reads;
	s->reads = r;
	return r;
}

/* The family of a wish by the value of one matcher; false: it has none. */
static bool
family_key(struct buf *b, const struct share_selector *x,
    const struct share_wish *w, size_t place)
{
	const struct match *m = &x->m[place];

	buf_reset(b);
	if (m->op != MATCH_EQ || m->value.n == 0 || str_eq(m->name, LABEL_NAME))
		return false;
	put(b, &w->from, sizeof(w->from));
	put(b, &w->to, sizeof(w->to));
	put(b, &w->last, sizeof(w->last));
	put(b, &place, sizeof(place));
	put_but(b, x->m, x->nm, place);
	return true;
}

struct family {
	size_t n; /* wishes that could belong to it */
	struct share_read *read;
};

static void
count(struct promql_share *s, struct map *families,
    const struct share_selector *x, const struct share_wish *w)
{
	struct buf key = { 0 };

	for (size_t i = 0; i < x->nm; i++) {
		struct map_slot *slot;
		bool fresh;

		if (!family_key(&key, x, w, i))
			continue;
		slot = map_add(families, buf_str(&key), &fresh);
		if (fresh) {
			slot->key = arena_dup(&s->a, slot->key);
			slot->v.p = arena_new(&s->a, struct family);
		}
		((struct family *)slot->v.p)->n++;
	}
	buf_fini(&key);
}

/* Into the largest of its families, or a read of its own, if it has any. */
static void
assign(struct promql_share *s, const struct map *families,
    const struct share_selector *x, struct share_wish *w)
{
	struct family *best = NULL;
	struct buf key = { 0 };
	size_t place = 0;

	for (size_t i = 0; i < x->nm; i++) {
		struct family *f;

		if (!family_key(&key, x, w, i))
			continue;
		f = map_find(families, buf_str(&key))->v.p;
		if (best == NULL || f->n > best->n) {
			best = f;
			place = i;
		}
	}
	buf_fini(&key);
	if (best == NULL || best->n < FAMILY_MIN) {
		if (w->said > 1)
			w->read = add_read(s, w);
		return;
	}
	if (best->read == NULL || best->read->n == FAMILY_MAX) {
		best->read = add_read(s, w);
		best->read->place = place;
		best->read->value = arena_array(&s->a, FAMILY_MAX, str);
	}
	w->read = best->read;
	w->member = best->read->n;
	best->read->value[best->read->n++] = x->m[place].value;
}

bool
promql_share_plan(struct promql_share *s)
{
	struct map families;

	if (s->planned)
		return s->reads != NULL;
	s->planned = true;
	map_init(&families);
	for (struct share_selector *x = s->all; x != NULL; x = x->next)
		for (struct share_wish *w = x->wishes; w != NULL; w = w->next)
			count(s, &families, x, w);
	for (struct share_selector *x = s->all; x != NULL; x = x->next)
		for (struct share_wish *w = x->wishes; w != NULL; w = w->next)
			assign(s, &families, x, w);
	map_fini(&families);
	return s->reads != NULL;
}
