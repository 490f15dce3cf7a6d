/*
 * Functions of a whole vector: between scalars and vectors, absence, order.
 */
#include "promql/eval.h"

#include <stdlib.h>

static int
fn_vector(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct row r = { .v = promql_column(ev, g->n) };

	if (promql_scalar(ev, call->arg[0], g, r.v) == -1)
		return -1;
	return promql_emit(out, &r, g->n);
}

/* The value of a vector's only element; NaN if there is not just one. */
struct only {
	size_t steps;
	double *v;
	bool *several;
};

static int
only_row(void *self, struct row *r)
{
	struct only *o = self;

	for (size_t i = 0; i < o->steps; i++) {
		if (absent(r->v[i]) || histogram_at(r, i) != NULL)
			continue;
		if (absent(o->v[i]))
			o->v[i] = r->v[i];
		else
			o->several[i] = true;
	}
	return 0;
}

static int
fn_scalar(
    struct eval *ev, const struct node *call, const struct grid *g, double *out)
{
	struct only o = { g->n, out, arena_array(ev->a, g->n, bool) };
	struct sink in = { only_row, &o };

	promql_clear(out, g->n);
	if (promql_vector(ev, call->arg[0], g, &in) == -1)
		return -1;
	for (size_t i = 0; i < g->n; i++)
		if (o.several[i] || absent(out[i]))
			out[i] = num_nan();
	return 0;
}

/*
 * Absence.
 */

struct presence {
	size_t steps;
	bool *seen;
};

static int
presence_row(void *self, struct row *r)
{
	struct presence *p = self;

	for (size_t i = 0; i < p->steps; i++)
		p->seen[i] |= !absent(r->v[i]);
	return 0;
}

/*
 * What is missing has the labels that a selector demands by "=", each that it
 * names once.
 */
static struct labels
missing(struct eval *ev, const struct node *arg)
{
	const struct node *sel = promql_inner(arg);
	struct labels ls = { NULL, 0 };
	struct label_set set;

	if (sel->kind == N_MATRIX)
		sel = sel->sub;
	if (sel->kind != N_VECTOR)
		return ls;
	label_init(&set, ls);
	for (size_t i = 0; i < sel->nm; i++) {
		const struct match *m = &sel->m[i];
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= str_eq(sel->m[k].name, m->name);
		if (str_eq(m->name, LABEL_NAME))
			continue;
		if (m->op == MATCH_EQ && !again)
			label_set(&set, m->name, m->value);
		else
			label_unset(&set, m->name);
	}
	ls = label_done(&set, ev->a);
	label_fini(&set);
	return ls;
}

static int
emit_absence(struct eval *ev, const struct node *arg, const struct grid *g,
    const bool *seen, const struct sink *out)
{
	struct row r = { .ls = missing(ev, arg) };

	r.v = promql_column(ev, g->n);
	for (size_t i = 0; i < g->n; i++)
		r.v[i] = seen[i] ? num_stale() : 1;
	return promql_emit(out, &r, g->n);
}

static int
fn_absent(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct presence p = { g->n, arena_array(ev->a, g->n, bool) };
	struct sink in = { presence_row, &p };

	if (promql_vector(ev, call->arg[0], g, &in) == -1)
		return -1;
	return emit_absence(ev, call->arg[0], g, p.seen, out);
}

/* As absent, of present_over_time. */
static int
fn_absent_over_time(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	struct presence p = { g->n, arena_array(ev->a, g->n, bool) };
	struct sink in = { presence_row, &p };
	struct node present = *call;

	/* Names stay, so that nothing is kept to be merged. */
	present.fn = promql_func(STR("last_over_time"));
	if (promql_windows(ev, &present, g, &in) == -1)
		return -1;
	return emit_absence(ev, call->arg[0], g, p.seen, out);
}

/*
 * Order, which only an instant query has.
 */

static int
value_cmp(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static int
ascending(const void *a, const void *b)
{
	return value_cmp(
	    ((const struct row *)a)->v[0], ((const struct row *)b)->v[0]);
}

/* NaN comes last in both directions. */
static int
descending(const void *a, const void *b)
{
	double x = ((const struct row *)a)->v[0];
	double y = ((const struct row *)b)->v[0];

	return isnan(x) || isnan(y) ? value_cmp(x, y) : value_cmp(y, x);
}

static int
sort(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out, int (*cmp)(const void *, const void *))
{
	struct rows rows;
	struct sink keep = { promql_rows_add, &rows };
	struct strip strip;
	/* histograms have no place in an order */
	struct sink floats =
	    promql_strip(&strip, ev->query.n > 1 ? out : &keep, g->n);
	int rc;

	if (ev->query.n > 1) {
		promql_note(ev, NOTE_WARNING, call,
		    "sort is ineffective for range queries since results are "
		    "always ordered by labels");
		return promql_vector(ev, call->arg[0], g, &floats);
	}
	promql_rows_init(&rows, ev, g->n);
	rc = promql_vector(ev, call->arg[0], g, &floats);
	if (rc == 0 && rows.n > 1 && g->n == 1)
		qsort(rows.v, rows.n, sizeof(*rows.v), cmp);
	if (rc == 0)
		rc = promql_rows_emit(&rows, out);
	promql_rows_fini(&rows);
	return rc;
}

static int
fn_sort(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	return sort(ev, call, g, out, ascending);
}

static int
fn_sort_desc(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	return sort(ev, call, g, out, descending);
}

const struct func promql_fn_vector[] = {
	{ "absent", "v", 0, PROMQL_VECTOR, 0, .vector = fn_absent },
	{ "absent_over_time", "m", 0, PROMQL_VECTOR, 0,
	    .vector = fn_absent_over_time },
	{ "scalar", "v", 0, PROMQL_SCALAR, 0, .scalar = fn_scalar },
	{ "sort", "v", 0, PROMQL_VECTOR, FUNC_KEEP_NAME, .vector = fn_sort },
	{ "sort_desc", "v", 0, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .vector = fn_sort_desc },
	{ "vector", "s", 0, PROMQL_VECTOR, 0, .vector = fn_vector },
	{ .name = NULL },
};
