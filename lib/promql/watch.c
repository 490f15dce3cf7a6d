/*
 * What keeps an eye on a query: its limits of time and what it is told from
 * outside, and the account of what each node of its tree cost.  Rows are
 * pushed, so a node's time is not what passes between its call and its
 * return: at each row that it hands on, time is charged to the node above.
 */
#include <stdlib.h>

#include "promql/eval.h"

/* Samples between two looks at the clock: some tens of microseconds. */
#define LOOK 20000

/* Upstream's, of --query.timeout. */
#define TIMEOUT INT64_C(120000)

static int64_t
now(const struct eval *ev)
{
	return ev->watch != NULL && ev->watch->now != NULL
	    ? ev->watch->now(ev->watch->arg)
	    : 0;
}

void
promql_watch_begin(struct eval *ev, const struct promql_opts *o)
{
	int64_t ms = o->timeout > 0 ? o->timeout : TIMEOUT, ns;

	ev->watch = o->watch;
	ev->deadline = INT64_MAX;
	ev->look = LOOK;
	if (o->watch == NULL || o->watch->now == NULL)
		return;
	if (!__builtin_mul_overflow(ms, INT64_C(1000000), &ns))
		ev->deadline = plus(now(ev), ns);
}

int
promql_look(struct eval *ev)
{
	const struct promql_watch *w = ev->watch;

	ev->look = LOOK;
	if (w == NULL)
		return 0;
	if (w->stop != NULL && w->stop(w->arg)) {
		ev->failure = PROMQL_CANCELED;
		return promql_fail(
		    ev, "query was canceled in expression evaluation");
	}
	if (w->now != NULL && w->now(w->arg) > ev->deadline) {
		ev->failure = PROMQL_TIMEOUT;
		return promql_fail(
		    ev, "query timed out in expression evaluation");
	}
	return 0;
}

/*
 * Costs.
 */

struct ledger {
	const struct node **node; /* beside costs->v */
	struct promql_costs *costs;
	size_t cap;
	struct promql_cost *at; /* who is charged, since */
	int64_t since;
	struct promql_cost rest; /* what belongs to none */
};

static const char *
kind(const struct node *n)
{
	switch (n->kind) {
	case N_VECTOR:
		return "vector selector";
	case N_MATRIX:
		return "matrix selector";
	case N_SUBQUERY:
		return "subquery";
	case N_CALL:
		return "call";
	case N_AGGREGATE:
		return "aggregation";
	case N_BINARY:
		return "binary";
	case N_UNARY:
		return "unary";
	case N_NUMBER:
	case N_STRING:
	case N_PAREN:
		break;
	}
	return NULL;
}

static const char *
name(const struct node *n)
{
	switch (n->kind) {
	case N_CALL:
		return n->fn->name;
	case N_AGGREGATE:
	case N_BINARY:
	case N_UNARY:
		return promql_word_text(n->op);
	case N_VECTOR:
	case N_MATRIX:
	case N_SUBQUERY:
	case N_NUMBER:
	case N_STRING:
	case N_PAREN:
		break;
	}
	return "";
}

/* A node and its parts, in the order they are written. */
static void
enter(struct eval *ev, const struct node *n, unsigned depth)
{
	struct ledger *l = ev->ledger;
	struct promql_costs *c = l->costs;
	size_t cap = l->cap;

	if (n == NULL)
		return;
	if (kind(n) != NULL) {
		c->v = arena_grow(ev->out, c->v, &cap, c->n + 1, sizeof(*c->v));
		l->node = arena_grow(
		    ev->a, l->node, &l->cap, c->n + 1, sizeof(*l->node));
		l->cap = cap < l->cap ? cap : l->cap;
		c->v[c->n] = (struct promql_cost){
			.kind = kind(n),
			.name = name(n),
			.text = arena_dup(ev->out,
			    (str){ ev->text.p + n->at, n->end - n->at }),
			.depth = depth,
			.fixed = n->fixed,
		};
		l->node[c->n++] = n;
		depth++;
	}
	if (n->kind == N_MATRIX)
		return;
	for (size_t i = 0; i < n->narg && n->kind == N_AGGREGATE; i++)
		enter(ev, n->arg[i], depth);
	enter(ev, n->sub, depth);
	enter(ev, n->rhs, depth);
	for (size_t i = 0; i < n->narg && n->kind != N_AGGREGATE; i++)
		enter(ev, n->arg[i], depth);
}

void
promql_costs_begin(
    struct eval *ev, const struct node *root, struct promql_costs *c)
{
	if (c == NULL)
		return;
	*c = (struct promql_costs){ NULL, 0 };
	ev->ledger = arena_new(ev->a, struct ledger);
	ev->ledger->costs = c;
	enter(ev, root, 0);
	ev->ledger->at = &ev->ledger->rest;
	ev->ledger->since = now(ev);
}

struct promql_cost *
promql_charge(struct eval *ev, struct promql_cost *to)
{
	struct ledger *l = ev->ledger;
	struct promql_cost *was = l->at;
	int64_t t = now(ev);

	was->ns += t - l->since;
	l->since = t;
	l->at = to;
	return was;
}

void
promql_costs_end(struct eval *ev)
{
	if (ev->ledger != NULL)
		promql_charge(ev, &ev->ledger->rest);
}

void
promql_cost_read(struct eval *ev, size_t samples)
{
	if (ev->ledger == NULL)
		return;
	ev->ledger->at->read++;
	ev->ledger->at->samples += samples;
}

struct promql_cost *
promql_cost_of(struct eval *ev, const struct node *n)
{
	struct ledger *l = ev->ledger;

	for (size_t i = 0; i < l->costs->n; i++)
		if (l->node[i] == n)
			return &l->costs->v[i];
	return l->at;
}

int
promql_metered_row(void *self, struct row *r)
{
	struct meter *m = self;
	int rc;

	m->cost->series++;
	m->cost->points += promql_present(r->v, m->steps);
	promql_charge(m->ev, m->above);
	rc = m->out->row(m->out->self, r);
	promql_charge(m->ev, m->cost);
	return rc;
}
