/*
 * Parts of an expression that it says twice: they are evaluated once, their
 * rows are kept and given again.  Not where the first time left notes, which
 * are about a place in the text.
 */
#include <stdlib.h>

#include "promql/eval.h"

/* A part that stands several times in the expression. */
struct twin {
	size_t said; /* how often */
	bool have, unfit;
	struct grid g; /* that rows are over */
	struct rows rows;
};

struct twins {
	struct map texts;         /* of a part: its twin */
	const struct node **node; /* those that have one, */
	struct twin **twin;       /* and which */
	size_t n, ncap, tcap;
	size_t loose; /* selectors that are in no twin */
};

/* Is it a vector that may cost something? */
static bool
worthy(const struct node *n)
{
	return n->type == PROMQL_VECTOR &&
	    (n->kind == N_VECTOR || n->kind == N_CALL ||
		n->kind == N_AGGREGATE || n->kind == N_BINARY);
}

static struct twin *
twin_of(struct eval *ev, const struct node *n)
{
	struct promql_expr part = { .text = ev->text };
	struct buf text = { 0 };
	struct map_slot *m;
	bool fresh;

	memcpy(&part.root, &n, sizeof(n));
	promql_print(&text, &part);
	m = map_add(&ev->twins->texts, buf_str(&text), &fresh);
	if (fresh) {
		m->key = arena_dup(ev->a, m->key);
		m->v.p = arena_new(ev->a, struct twin);
	}
	buf_fini(&text);
	return m->v.p;
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
	twin_of(ev, n)->said++;
	return above;
}

/* A part of a twin is no twin of its own, unless it is said more often. */
static size_t
mark(struct eval *ev, const struct node *n, size_t above)
{
	struct twins *t = ev->twins;
	struct twin *twin = twin_of(ev, n);

	if (twin->said <= above) {
		t->loose += above == 1 && n->kind == N_VECTOR;
		return above;
	}
	t->node =
	    arena_grow(ev->a, t->node, &t->ncap, t->n + 1, sizeof(*t->node));
	t->twin =
	    arena_grow(ev->a, t->twin, &t->tcap, t->n + 1, sizeof(*t->twin));
	t->node[t->n] = n;
	t->twin[t->n++] = twin;
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

void
promql_twins_end(struct eval *ev)
{
	if (ev->twins == NULL)
		return;
	for (size_t i = 0; i < ev->twins->n; i++)
		promql_rows_fini(&ev->twins->twin[i]->rows);
	map_fini(&ev->twins->texts);
}

/* The rows as copies: who gets them may change them.  again: not counted yet.
 */
static int
give(struct eval *ev, const struct twin *t, bool again, const struct sink *out)
{
	size_t n = t->g.n;
	double *v = promql_column(ev, n);

	for (size_t i = 0; i < t->rows.n; i++) {
		struct row r = t->rows.v[i];

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

int
promql_once(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out,
    int (*vector)(struct eval *ev, const struct node *n, const struct grid *g,
	const struct sink *out))
{
	struct twins *all = ev->twins;
	struct twin *t = NULL;
	size_t before = notes(ev);
	struct sink keep;

	for (size_t i = 0; i < all->n && t == NULL; i++)
		if (all->node[i] == n)
			t = all->twin[i];
	if (t == NULL || t->unfit)
		return vector(ev, n, g, out);
	if (t->have &&
	    (t->g.from != g->from || t->g.step != g->step || t->g.n != g->n))
		return vector(ev, n, g, out);
	if (t->have) {
		if (ev->ledger != NULL)
			promql_cost_of(ev, n)->reused++;
		return give(ev, t, true, out);
	}
	t->g = *g;
	promql_rows_fini(&t->rows);
	promql_rows_init(&t->rows, ev, g->n);
	keep = (struct sink){ promql_rows_add, &t->rows };
	if (vector(ev, n, g, &keep) == -1)
		return -1;
	t->have = notes(ev) == before;
	t->unfit = !t->have;
	return give(ev, t, false, out);
}
