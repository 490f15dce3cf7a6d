/*
 * Parts that an expression says twice, or that several expressions of a share
 * say: they are evaluated once, their rows are kept and given again.  Not
 * where the first time left notes, which are about a place in the text.
 */
#include <stdlib.h>

#include "promql/eval.h"
#include "promql/share.h"

/* A part that stands several times. */
struct twin {
	size_t said; /* how often */
	bool have, unfit;
	struct grid g; /* that rows are over */
	struct row *v;
	size_t n, cap;
	size_t samples; /* of a share's */
	struct arena a; /* rows live in */
	struct twin *next;
};

struct twins {
	struct map texts;         /* of a part: its twin */
	struct twin *all;         /* those of texts */
	const struct node **node; /* those that have one, */
	struct twin **twin;       /* and which */
	size_t n, ncap, tcap;
	size_t loose; /* selectors that are in no twin */
	struct promql_share
	    *share; /* whose twins they are; NULL: the query's */
};

/* Is it a vector that may cost something? */
static bool
worthy(const struct node *n)
{
	return n->type == PROMQL_VECTOR &&
	    (n->kind == N_VECTOR || n->kind == N_CALL ||
		n->kind == N_AGGREGATE || n->kind == N_BINARY);
}

/* The twin of a text in texts, made if need be. */
static struct twin *
twin_of(struct map *texts, struct twin **all, struct arena *a, str text,
    const struct node *n)
{
	struct promql_expr part = { .text = text };
	struct buf key = { 0 };
	struct map_slot *m;
	struct twin *t;
	bool fresh;

	memcpy(&part.root, &n, sizeof(n));
	promql_print(&key, &part);
	m = map_add(texts, buf_str(&key), &fresh);
	if (fresh) {
		m->key = arena_dup(a, m->key);
		m->v.p = t = arena_new(a, struct twin);
		t->next = *all;
		*all = t;
	}
	buf_fini(&key);
	return m->v.p;
}

static struct twin *
own(struct eval *ev, const struct node *n)
{
	return twin_of(&ev->twins->texts, &ev->twins->all, ev->a, ev->text, n);
}

/* Calls fn for every node; what it returns is handed to the parts. */
static void
walk(struct eval *ev, const struct node *n, size_t above,
    size_t (*fn)(struct eval *ev, const struct node *n, size_t above))
{
	if (n == NULL)
		return;
	if (worthy(n))
		above = fn(ev, n, above);
	if (n->kind == N_MATRIX) {
		ev->twins->loose += above == 1;
		return;
	}
	walk(ev, n->sub, above, fn);
	walk(ev, n->rhs, above, fn);
	for (size_t i = 0; i < n->narg; i++)
		walk(ev, n->arg[i], above, fn);
}

static size_t
count(struct eval *ev, const struct node *n, size_t above)
{
	own(ev, n)->said++;
	return above;
}

static void
add(struct eval *ev, const struct node *n, struct twin *twin)
{
	struct twins *t = ev->twins;

	t->node =
	    arena_grow(ev->a, t->node, &t->ncap, t->n + 1, sizeof(*t->node));
	t->twin =
	    arena_grow(ev->a, t->twin, &t->tcap, t->n + 1, sizeof(*t->twin));
	t->node[t->n] = n;
	t->twin[t->n++] = twin;
}

/* A part of a twin is no twin of its own, unless it is said more often. */
static size_t
mark(struct eval *ev, const struct node *n, size_t above)
{
	struct twin *twin = own(ev, n);

	if (twin->said <= above) {
		ev->twins->loose += above == 1 && n->kind == N_VECTOR;
		return above;
	}
	add(ev, n, twin);
	return twin->said;
}

bool
promql_twins_begin(struct eval *ev, const struct node *root)
{
	ev->twins = arena_new(ev->a, struct twins);
	walk(ev, root, 0, count);
	walk(ev, root, 1, mark);
	return ev->twins->loose > 1;
}

static void
forget(struct twin *t)
{
	arena_fini(&t->a);
	t->v = NULL;
	t->n = t->cap = t->samples = 0;
	t->have = false;
}

static void
forget_all(struct twin *t)
{
	for (; t != NULL; t = t->next)
		forget(t);
}

void
promql_twins_end(struct eval *ev)
{
	if (ev->twins == NULL)
		return;
	forget_all(ev->twins->all);
	map_fini(&ev->twins->texts);
}

/*
 * Twins of a share.  Selectors are none: what they read is kept, too.
 */

static str
address(const struct node *const *n)
{
	return (str){ (const char *)n, sizeof(*n) };
}

static void
expect(struct promql_share *s, str text, const struct node *n)
{
	struct map_slot *m;

	if (n == NULL || n->kind == N_MATRIX || n->kind == N_VECTOR)
		return;
	if (worthy(n)) {
		struct twin *t = twin_of(&s->texts, &s->twins, &s->a, text, n);

		t->said++;
		m = map_add(&s->nodes, address(&n), NULL);
		m->key = arena_dup(&s->a, m->key);
		m->v.p = t;
	}
	expect(s, text, n->sub);
	expect(s, text, n->rhs);
	for (size_t i = 0; i < n->narg; i++)
		expect(s, text, n->arg[i]);
}

void
promql_twins_expect(struct promql_share *s, const struct promql_expr *x)
{
	expect(s, x->text, x->root);
}

static void
mark_shared(struct eval *ev, const struct node *n, size_t above)
{
	const struct map_slot *m;
	struct twin *t;

	if (n == NULL || n->kind == N_MATRIX || n->kind == N_VECTOR)
		return;
	m = map_find(&ev->twins->share->nodes, address(&n));
	t = m != NULL ? m->v.p : NULL;
	if (t != NULL && t->said > above) {
		add(ev, n, t);
		above = t->said;
	}
	mark_shared(ev, n->sub, above);
	mark_shared(ev, n->rhs, above);
	for (size_t i = 0; i < n->narg; i++)
		mark_shared(ev, n->arg[i], above);
}

void
promql_twins_share(
    struct eval *ev, struct promql_share *s, const struct node *root)
{
	ev->twins = arena_new(ev->a, struct twins);
	ev->twins->share = s;
	mark_shared(ev, root, 1);
	if (ev->twins->n == 0)
		ev->twins = NULL;
}

void
promql_twins_fini(struct promql_share *s)
{
	forget_all(s->twins);
	map_fini(&s->texts);
	map_fini(&s->nodes);
}

/*
 * Evaluation.
 */

/* The rows as copies: who gets them may change them.  again: not counted yet.
 */
static int
give(struct eval *ev, const struct twin *t, bool again, const struct sink *out)
{
	size_t n = t->g.n;
	double *v = promql_column(ev, n);

	for (size_t i = 0; i < t->n; i++) {
		struct row r = t->v[i];

		memcpy(v, r.v, n * sizeof(*v));
		r.v = v;
		if (r.h != NULL) {
			const struct histogram **h = promql_histograms(ev, n);

			memcpy(h, r.h, n * sizeof(*h));
			r.h = h;
		}
		if ((again && promql_count(ev, promql_present(v, n)) == -1) ||
		    promql_tick(ev, n) == -1 || out->row(out->self, &r) == -1)
			return -1;
	}
	return 0;
}

static size_t
notes(const struct eval *ev)
{
	return ev->notes.n[0] + ev->notes.n[1];
}

/* A twin's rows on their way into it. */
struct keeping {
	struct eval *ev;
	struct twin *t;
	const struct sink *out;
	bool gave_up; /* they were too many: they go on to out */
};

static void
copy(struct twin *t, const struct row *r, bool deep)
{
	size_t n = t->g.n;
	const struct histogram **h;
	struct row *k;

	t->v = arena_grow(&t->a, t->v, &t->cap, t->n + 1, sizeof(*t->v));
	k = &t->v[t->n++];
	*k = (struct row){ label_dup(&t->a, r->ls), r->drop,
		arena_alloc(&t->a, n * sizeof(*r->v)), NULL };
	memcpy(k->v, r->v, n * sizeof(*r->v));
	if (r->h == NULL)
		return;
	k->h = h = arena_array(&t->a, n, const struct histogram *);
	for (size_t i = 0; i < n; i++)
		if (!absent(r->v[i]) && r->h[i] != NULL)
			h[i] = deep ? histogram_copy(r->h[i], &t->a) : r->h[i];
}

static int
keep(void *self, struct row *r)
{
	struct keeping *k = self;
	struct promql_share *s = k->ev->twins->share;
	struct twin *t = k->t;
	size_t room = t->g.n + r->ls.n * 2;

	if (s != NULL && !k->gave_up && s->samples + room > s->max) {
		k->gave_up = true;
		s->samples -= t->samples;
		t->unfit = true;
		if (give(k->ev, t, false, k->out) == -1)
			return -1;
		forget(t);
	}
	if (k->gave_up)
		return k->out->row(k->out->self, r);
	if (s != NULL) {
		s->samples += room;
		t->samples += room;
	}
	copy(t, r, s != NULL);
	return 0;
}

static int
evaluate(struct eval *ev, struct twin *t, const struct node *n,
    const struct grid *g, const struct sink *out,
    int (*vector)(struct eval *ev, const struct node *n, const struct grid *g,
	const struct sink *out))
{
	struct keeping k = { ev, t, out, false };
	struct sink in = { keep, &k };
	size_t before = notes(ev);
	int rc;

	t->g = *g;
	rc = vector(ev, n, g, &in);
	if (k.gave_up)
		return rc;
	t->have = rc == 0 && notes(ev) == before;
	t->unfit = rc == 0 && !t->have;
	if (rc == 0)
		rc = give(ev, t, false, out);
	if (t->have)
		return rc;
	if (ev->twins->share != NULL)
		ev->twins->share->samples -= t->samples;
	forget(t);
	return rc;
}

int
promql_once(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out,
    int (*vector)(struct eval *ev, const struct node *n, const struct grid *g,
	const struct sink *out))
{
	struct twins *all = ev->twins;
	struct twin *t = NULL;

	for (size_t i = 0; i < all->n && t == NULL; i++)
		if (all->node[i] == n)
			t = all->twin[i];
	if (t == NULL || t->unfit)
		return vector(ev, n, g, out);
	if (!t->have)
		return evaluate(ev, t, n, g, out, vector);
	if (t->g.from != g->from || t->g.step != g->step || t->g.n != g->n)
		return vector(ev, n, g, out);
	if (ev->ledger != NULL)
		promql_cost_of(ev, n)->reused++;
	return give(ev, t, true, out);
}
