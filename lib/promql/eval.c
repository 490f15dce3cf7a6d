/*
 * The walk over the tree: what pushes rows where.  Operators, aggregations
 * and functions are in files of their own; here are the grid, rows that are
 * kept, and names that go; result.c asks for it all.
 */
#include "promql/eval.h"

#include "base/date.h"

void
promql_clear(double *v, size_t n)
{
	double none = num_stale();

	for (size_t i = 0; i < n; i++)
		v[i] = none;
}

size_t
promql_present(const double *v, size_t n)
{
	size_t k = 0, more[3] = { 0 }, i = 0;

	/* four counts at once, as they need not wait for each other */
	for (; i + 4 <= n; i += 4) {
		k += !absent(v[i]);
		more[0] += !absent(v[i + 1]);
		more[1] += !absent(v[i + 2]);
		more[2] += !absent(v[i + 3]);
	}
	for (; i < n; i++)
		k += !absent(v[i]);
	return k + more[0] + more[1] + more[2];
}

double *
promql_column(struct eval *ev, size_t n)
{
	return arena_alloc(ev->a, (n > 0 ? n : 1) * sizeof(double));
}

int
promql_emit(const struct sink *out, struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!absent(r->v[i]))
			return out->row(out->self, r);
	return 0;
}

int
promql_count(struct eval *ev, size_t n)
{
	ev->samples += n;
	if (ev->samples > ev->max_samples)
		return promql_fail(ev,
		    "query processing would load too many "
		    "samples into memory in query execution");
	return 0;
}

/*
 * Names.
 */

static bool
is_name(str s)
{
	return str_eq(s, LABEL_NAME) || str_eq(s, STR("__type__")) ||
	    str_eq(s, STR("__unit__"));
}

struct labels
promql_nameless(struct eval *ev, struct labels ls, struct label_room *b)
{
	size_t n = 0;

	if (b->cap < ls.n) {
		b->cap = ls.n + 16;
		b->v = arena_array(ev->a, b->cap, struct label);
	}
	for (size_t i = 0; i < ls.n; i++)
		if (!is_name(ls.v[i].name))
			b->v[n++] = ls.v[i];
	return (struct labels){ b->v, n };
}

void
promql_drop_name(struct eval *ev, struct row *r, struct label_room *b)
{
	if (ev->late_names)
		r->drop = true;
	else
		r->ls = promql_nameless(ev, r->ls, b);
}

bool
promql_one_name(const struct node *n)
{
	switch (n->kind) {
	case N_VECTOR:
		for (size_t i = 0; i < n->nm; i++)
			if (n->m[i].op == MATCH_EQ &&
			    str_eq(n->m[i].name, LABEL_NAME))
				return true;
		return false;
	case N_AGGREGATE:
		for (size_t i = 0; i < n->nby && !n->without; i++)
			if (is_name(n->by[i]))
				return false;
		return n->op != W_TOPK && n->op != W_BOTTOMK &&
		    n->op != W_LIMITK && n->op != W_LIMIT_RATIO;
	case N_MATRIX:
	case N_SUBQUERY:
	case N_UNARY:
	case N_PAREN:
		return promql_one_name(n->sub);
	case N_CALL:
		if (n->fn->flags & FUNC_KEEP_NAME || n->fn->vector != NULL)
			return false;
		return n->narg > 0 &&
		    promql_one_name(
			n->arg[strcmp(n->fn->name, "quantile_over_time") == 0]);
	case N_BINARY:
		/* One side's rows, filtered or computed. */
		if (n->sub->type == PROMQL_SCALAR)
			return promql_one_name(n->rhs);
		return n->rhs->type == PROMQL_SCALAR && promql_one_name(n->sub);
	case N_NUMBER:
	case N_STRING:
		return true;
	}
	return false;
}

/*
 * Rows that are kept.
 */

void
promql_rows_init(struct rows *r, struct eval *ev, size_t steps)
{
	memset(r, 0, sizeof(*r));
	r->ev = ev;
	r->steps = steps;
}

void
promql_rows_fini(struct rows *r)
{
	map_fini(&r->index);
	buf_fini(&r->key);
}

/* r has the labels of *old: its values go where old has none. */
static int
merge(struct rows *rows, struct row *old, const struct row *r)
{
	const char *same = rows->clash != NULL
	    ? rows->clash
	    : "vector cannot contain metrics with the same labelset";

	for (size_t i = 0; i < rows->steps; i++) {
		if (absent(r->v[i]))
			continue;
		if (!absent(old->v[i]))
			return promql_fail(rows->ev, "%s", same);
		old->v[i] = r->v[i];
		if (r->h != NULL && old->h == NULL)
			old->h = promql_histograms(rows->ev, rows->steps);
		if (old->h != NULL)
			old->h[i] = histogram_at(r, i);
	}
	old->drop |= r->drop;
	return 0;
}

int
promql_rows_add(void *self, struct row *r)
{
	struct rows *rows = self;
	struct eval *ev = rows->ev;
	struct map_slot *slot;
	struct row *copy;
	bool fresh;

	if (rows->merge) {
		buf_reset(&rows->key);
		label_key(&rows->key, r->ls);
		slot = map_add(&rows->index, buf_str(&rows->key), &fresh);
		if (!fresh)
			return merge(rows, &rows->v[slot->v.i], r);
		slot->key = arena_dup(ev->a, slot->key);
		slot->v.i = rows->n;
	}
	rows->v = arena_grow(
	    ev->a, rows->v, &rows->cap, rows->n + 1, sizeof(*rows->v));
	copy = &rows->v[rows->n++];
	copy->ls = label_dup(ev->a, r->ls);
	copy->drop = r->drop;
	copy->v = promql_column(ev, rows->steps);
	memcpy(copy->v, r->v, rows->steps * sizeof(double));
	copy->h = NULL;
	if (r->h != NULL) {
		copy->h = promql_histograms(ev, rows->steps);
		memcpy(copy->h, r->h, rows->steps * sizeof(*r->h));
	}
	return 0;
}

int
promql_rows_emit(struct rows *r, const struct sink *out)
{
	for (size_t i = 0; i < r->n; i++)
		if (promql_emit(out, &r->v[i], r->steps) == -1)
			return -1;
	return 0;
}

int
promql_rows_of(struct rows *r, const struct node *n, const struct grid *g)
{
	struct sink s = { promql_rows_add, r };

	return promql_vector(r->ev, n, g, &s);
}

const struct sink *
promql_unite_init(struct unite *u, struct eval *ev, size_t steps, bool apart,
    const struct sink *out)
{
	promql_rows_init(&u->rows, ev, steps);
	u->rows.merge = true;
	u->keep = (struct sink){ promql_rows_add, &u->rows };
	u->out = out;
	return apart ? out : &u->keep;
}

int
promql_unite_fini(struct unite *u, int rc)
{
	if (rc == 0)
		rc = promql_rows_emit(&u->rows, u->out);
	promql_rows_fini(&u->rows);
	return rc;
}

/*
 * Vectors.
 */

/* What is the same at every step is computed once and spread. */
struct spread {
	struct eval *ev;
	const struct sink *out;
	size_t n;
	double *v;
};

static int
spread_row(void *self, struct row *r)
{
	struct spread *s = self;
	struct row wide = { r->ls, r->drop, s->v, NULL };

	for (size_t i = 0; i < s->n; i++)
		s->v[i] = r->v[0];
	if (histogram_at(r, 0) != NULL) {
		wide.h = promql_histograms(s->ev, s->n);
		for (size_t i = 0; i < s->n; i++)
			wide.h[i] = r->h[0];
	}
	return s->out->row(s->out->self, &wide);
}

static int vector(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out);

static int
spread(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct grid one = { g->from, g->step, 1 };
	struct spread s = { ev, out, g->n, promql_column(ev, g->n) };
	struct sink wide = { spread_row, &s };

	return vector(ev, n, &one, &wide);
}

/* Functions and signs that change value by value. */
struct mapping {
	struct eval *ev;
	const struct node *n;
	const struct sink *out;
	size_t steps, nargs;
	double **cols;
	struct date_zone *zone; /* of FUNC_ZONE; NULL: UTC */
	struct label_room room;
};

static void
negate(struct mapping *m, struct row *r)
{
	struct histogram *h;

	for (size_t i = 0; i < m->steps; i++) {
		if (absent(r->v[i]))
			continue;
		if (histogram_at(r, i) == NULL) {
			r->v[i] = -r->v[i];
			continue;
		}
		h = histogram_copy(r->h[i], m->ev->a);
		histogram_scale(h, -1);
		r->h[i] = h;
	}
}

static int
map_row(void *self, struct row *r)
{
	struct mapping *m = self;
	const struct func *fn = m->n->fn;
	double args[FUNC_ARGS];

	if (fn == NULL)
		negate(m, r);
	else
		(void)promql_floats(r, m->steps);
	for (size_t i = 0; i < m->steps && fn != NULL; i++) {
		if (absent(r->v[i]))
			continue;
		for (size_t k = 0; k < m->nargs; k++)
			args[k] = m->cols[k][i];
		for (size_t k = m->nargs; k < 3; k++)
			args[k] = num_nan();
		if (m->zone != NULL)
			r->v[i] = promql_local(r->v[i], m->zone);
		r->v[i] = fn->map(r->v[i], args);
	}
	promql_drop_name(m->ev, r, &m->room);
	return promql_emit(m->out, r, m->steps);
}

static int
unary(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct mapping m = { .ev = ev, .n = n, .steps = g->n };
	struct sink in = { map_row, &m };
	struct unite u;

	if (n->op == W_ADD)
		return promql_vector(ev, n->sub, g, out);
	m.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(n->sub), out);
	return promql_unite_fini(&u, promql_vector(ev, n->sub, g, &in));
}

int
promql_scalars(struct eval *ev, const struct node *call, const struct grid *g,
    size_t first, double **cols)
{
	for (size_t i = first; i < call->narg; i++) {
		cols[i - first] = promql_column(ev, g->n);
		if (promql_scalar(ev, call->arg[i], g, cols[i - first]) == -1)
			return -1;
	}
	return 0;
}

/* hour() and its kind without an argument are about the evaluation time. */
static int
map_time(struct mapping *m, const struct grid *g)
{
	struct row r = { .v = promql_column(m->ev, g->n) };

	for (size_t i = 0; i < g->n; i++)
		r.v[i] = (double)(g->from + (int64_t)i * g->step) / 1000;
	return map_row(m, &r);
}

/* It was there when the expression was parsed. */
static int
zone_load(struct eval *ev, str name, struct date_zone **z)
{
	struct error e;

	*z = date_zone_load(arena_cstr(ev->a, name), NULL, &e);
	if (*z == NULL && !str_eq(name, STR("UTC")))
		return promql_fail(ev, "%s", e.msg);
	return 0;
}

static int
map_call(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	double *cols[FUNC_ARGS];
	struct mapping m = { .ev = ev, .n = n, .steps = g->n, .cols = cols };
	struct sink in = { map_row, &m };
	struct unite u;
	int rc;

	if (n->narg == 0) {
		m.out = out;
		return map_time(&m, g);
	}
	m.nargs = n->narg - 1;
	if (n->fn->flags & FUNC_ZONE && n->narg == 2) {
		m.nargs = 0;
		if (zone_load(ev, n->arg[1]->text, &m.zone) == -1)
			return -1;
	}
	if (m.nargs > 0 && promql_scalars(ev, n, g, 1, cols) == -1)
		return -1;
	m.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(n->arg[0]), out);
	rc = promql_unite_fini(&u, promql_vector(ev, n->arg[0], g, &in));
	date_zone_free(m.zone);
	return rc;
}

static int
call(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	const struct func *fn = n->fn;

	if (fn->vector != NULL)
		return fn->vector(ev, n, g, out);
	if (fn->map != NULL)
		return map_call(ev, n, g, out);
	if (fn->window != NULL)
		return promql_windows(ev, n, g, out);
	return promql_fail(
	    ev, "function \"%s\" is not evaluated yet", fn->name);
}

static int
vector(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	if (n->fixed && g->n > 1)
		return spread(ev, n, g, out);
	switch (n->kind) {
	case N_VECTOR:
		return promql_select(ev, n, g, SELECT_VALUES, out);
	case N_CALL:
		return call(ev, n, g, out);
	case N_AGGREGATE:
		return promql_aggregate(ev, n, g, out);
	case N_BINARY:
		return promql_binary(ev, n, g, out);
	case N_UNARY:
		return unary(ev, n, g, out);
	case N_PAREN:
		return promql_vector(ev, n->sub, g, out);
	case N_NUMBER:
	case N_STRING:
	case N_MATRIX:
	case N_SUBQUERY:
		break;
	}
	return promql_fail(ev, "an instant vector was expected");
}

int
promql_vector(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct meter m = { .ev = ev, .out = out, .steps = g->n };
	struct sink metered = { promql_metered_row, &m };
	int rc;

	if (promql_look(ev) == -1)
		return -1;
	if (ev->ledger == NULL || n->kind == N_PAREN)
		return ev->twins == NULL ? vector(ev, n, g, out)
					 : promql_once(ev, n, g, out, vector);
	m.cost = promql_cost_of(ev, n);
	m.cost->runs++;
	m.above = promql_charge(ev, m.cost);
	rc = ev->twins == NULL ? vector(ev, n, g, &metered)
			       : promql_once(ev, n, g, &metered, vector);
	promql_charge(ev, m.above);
	return rc;
}

/*
 * Scalars.
 */

static int
scalar_binary(
    struct eval *ev, const struct node *n, const struct grid *g, double *out)
{
	double *r = promql_column(ev, g->n);

	if (promql_scalar(ev, n->sub, g, out) == -1 ||
	    promql_scalar(ev, n->rhs, g, r) == -1)
		return -1;
	if (n->op == W_TRIM_LOWER || n->op == W_TRIM_UPPER)
		return promql_fail(ev,
		    "operator \"%s\" not allowed for Scalar operations",
		    promql_word_text(n->op));
	for (size_t i = 0; i < g->n; i++) {
		double v;
		bool held = promql_operate(n->op, out[i], r[i], &v);

		out[i] = promql_word_is_comparison(n->op) ? (double)held : v;
	}
	return 0;
}

static int
scalar(struct eval *ev, const struct node *n, const struct grid *g, double *out)
{
	struct grid one = { g->from, g->step, 1 };

	if (n->fixed && g->n > 1) {
		if (scalar(ev, n, &one, out) == -1)
			return -1;
		for (size_t i = 1; i < g->n; i++)
			out[i] = out[0];
		return 0;
	}
	if (n->kind == N_NUMBER) {
		for (size_t i = 0; i < g->n; i++)
			out[i] = n->num;
		return 0;
	}
	if (n->kind == N_PAREN)
		return promql_scalar(ev, n->sub, g, out);
	if (n->kind == N_BINARY)
		return scalar_binary(ev, n, g, out);
	if (n->kind == N_UNARY) {
		if (promql_scalar(ev, n->sub, g, out) == -1)
			return -1;
		for (size_t i = 0; i < g->n && n->op == W_SUB; i++)
			out[i] = -out[i];
		return 0;
	}
	if (n->kind == N_CALL && n->fn->scalar != NULL)
		return n->fn->scalar(ev, n, g, out);
	if (n->kind == N_CALL)
		return promql_fail(
		    ev, "function \"%s\" is not evaluated yet", n->fn->name);
	return promql_fail(ev, "a scalar was expected");
}

int
promql_scalar(
    struct eval *ev, const struct node *n, const struct grid *g, double *out)
{
	struct promql_cost *cost, *above;
	int rc;

	if (ev->ledger == NULL || n->kind == N_PAREN || n->kind == N_NUMBER)
		return scalar(ev, n, g, out);
	cost = promql_cost_of(ev, n);
	cost->runs++;
	cost->points += g->n;
	above = promql_charge(ev, cost);
	rc = scalar(ev, n, g, out);
	promql_charge(ev, above);
	return rc;
}
