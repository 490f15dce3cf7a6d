/*
 * The walk over the tree: what pushes rows where.  Operators, aggregations
 * and functions are in files of their own; here are the grid, rows that are
 * kept, names that go, and the result.
 */
#include "promql/eval.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOOKBACK 300000
#define SUBQUERY_STEP 60000
#define MAX_SAMPLES 50000000

void
promql_clear(double *v, size_t n)
{
	double none = num_stale();

	for (size_t i = 0; i < n; i++)
		v[i] = none;
}

double *
promql_column(struct eval *ev, size_t n)
{
	return arena_alloc(ev->a, (n > 0 ? n : 1) * sizeof(double));
}

static size_t
present(const double *v, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += !absent(v[i]);
	return k;
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
	const struct sink *out;
	size_t n;
	double *v;
};

static int
spread_row(void *self, struct row *r)
{
	struct spread *s = self;
	struct row wide = { r->ls, r->drop, s->v };

	for (size_t i = 0; i < s->n; i++)
		s->v[i] = r->v[0];
	return s->out->row(s->out->self, &wide);
}

static int
spread(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct grid one = { g->from, g->step, 1 };
	struct spread s = { out, g->n, promql_column(ev, g->n) };
	struct sink wide = { spread_row, &s };

	return promql_vector(ev, n, &one, &wide);
}

/* Functions and signs that change value by value. */
struct mapping {
	struct eval *ev;
	const struct node *n;
	const struct sink *out;
	size_t steps, nargs;
	double **cols;
	struct label_room room;
};

static int
map_row(void *self, struct row *r)
{
	struct mapping *m = self;
	const struct func *fn = m->n->fn;
	double args[FUNC_ARGS];

	for (size_t i = 0; i < m->steps; i++) {
		if (absent(r->v[i]))
			continue;
		if (fn == NULL) {
			r->v[i] = -r->v[i];
			continue;
		}
		for (size_t k = 0; k < m->nargs; k++)
			args[k] = m->cols[k][i];
		for (size_t k = m->nargs; k < 3; k++)
			args[k] = num_nan();
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

static int
map_call(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	double *cols[FUNC_ARGS];
	struct mapping m = { .ev = ev, .n = n, .steps = g->n, .cols = cols };
	struct sink in = { map_row, &m };
	struct unite u;

	if (n->narg == 0) {
		m.out = out;
		return map_time(&m, g);
	}
	m.nargs = n->narg - 1;
	if (promql_scalars(ev, n, g, 1, cols) == -1)
		return -1;
	m.out = promql_unite_init(
	    &u, ev, g->n, ev->late_names || promql_one_name(n->arg[0]), out);
	return promql_unite_fini(&u, promql_vector(ev, n->arg[0], g, &in));
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

int
promql_vector(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	if (n->fixed && g->n > 1)
		return spread(ev, n, g, out);
	switch (n->kind) {
	case N_VECTOR:
		return promql_select(ev, n, g, false, out);
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

int
promql_scalar(
    struct eval *ev, const struct node *n, const struct grid *g, double *out)
{
	struct grid one = { g->from, g->step, 1 };

	if (n->fixed && g->n > 1) {
		if (promql_scalar(ev, n, &one, out) == -1)
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

/*
 * The result.
 */

/* Does the order of the rows mean something (an instant sort or topk)? */
static bool
ordered(const struct node *n)
{
	n = promql_inner(n);
	switch (n->kind) {
	case N_CALL:
		return n->narg > 0 && n->type == PROMQL_VECTOR &&
		    (str_starts(n->text, STR("sort")) || ordered(n->arg[0]));
	case N_AGGREGATE:
		return n->op == W_TOPK || n->op == W_BOTTOMK;
	case N_UNARY:
		return ordered(n->sub);
	case N_BINARY:
		if (n->sub->type == PROMQL_SCALAR)
			return ordered(n->rhs);
		return n->rhs->type == PROMQL_SCALAR && ordered(n->sub);
	case N_NUMBER:
	case N_STRING:
	case N_VECTOR:
	case N_MATRIX:
	case N_SUBQUERY:
	case N_PAREN:
		return false;
	}
	return false;
}

static int
series_cmp(const void *a, const void *b)
{
	const struct promql_series *x = a, *y = b;

	return label_cmp(x->labels, y->labels);
}

/* The times of all steps, shared by every series that has no gap. */
static const int64_t *
times(struct arena *a, const struct grid *g)
{
	int64_t *t = arena_alloc(a, g->n * sizeof(*t));

	for (size_t i = 0; i < g->n; i++)
		t[i] = g->from + (int64_t)i * g->step;
	return t;
}

/*
 * Rows as they come, compact at once; names that were to go at the end go
 * here, so equal series may meet: see unite().
 */
struct final {
	struct eval *ev;
	const int64_t *t; /* of all steps */
	struct promql_series *v;
	size_t n, cap;
	struct label_room room;
};

static int
final_row(void *self, struct row *r)
{
	struct final *f = self;
	struct arena *a = f->ev->out;
	size_t n = f->ev->query.n, k = present(r->v, n);
	double *v = arena_alloc(a, k * sizeof(*v));
	struct promql_series *s;
	int64_t *t;

	if (r->drop)
		r->ls = promql_nameless(f->ev, r->ls, &f->room);
	f->v = arena_grow(a, f->v, &f->cap, f->n + 1, sizeof(*s));
	s = &f->v[f->n++];
	s->labels = label_dup(a, r->ls);
	s->t = f->t;
	s->v = v;
	s->n = k;
	if (k == n) {
		memcpy(v, r->v, n * sizeof(*v));
		return 0;
	}
	s->t = t = arena_alloc(a, k * sizeof(*t));
	for (size_t i = 0, j = 0; i < n; i++)
		if (!absent(r->v[i])) {
			t[j] = f->t[i];
			v[j++] = r->v[i];
		}
	return 0;
}

/* The points of b among those of a; -1 if both have one at the same time. */
static int
join(struct eval *ev, struct promql_series *a, const struct promql_series *b)
{
	size_t n = a->n + b->n, i = 0, k = 0;
	int64_t *t = arena_alloc(ev->out, n * sizeof(*t));
	double *v = arena_alloc(ev->out, n * sizeof(*v));

	for (size_t j = 0; j < n; j++) {
		bool from_a = k == b->n || (i < a->n && a->t[i] < b->t[k]);

		if (i < a->n && k < b->n && a->t[i] == b->t[k])
			return promql_fail(ev,
			    "vector cannot contain metrics "
			    "with the same labelset");
		t[j] = from_a ? a->t[i] : b->t[k];
		v[j] = from_a ? a->v[i++] : b->v[k++];
	}
	a->t = t;
	a->v = v;
	a->n = n;
	return 0;
}

/* Series in label order: those with the same labels become one. */
static int
unite(struct eval *ev, struct promql_series *v, size_t *n)
{
	size_t k = 0;

	for (size_t i = 1; i < *n; i++) {
		if (!label_eq(v[k].labels, v[i].labels))
			v[++k] = v[i];
		else if (join(ev, &v[k], &v[i]) == -1)
			return -1;
	}
	if (*n > 0)
		*n = k + 1;
	return 0;
}

static int
result_vector(struct eval *ev, const struct node *n, bool instant,
    struct promql_result *r)
{
	struct final f = { .ev = ev, .t = times(ev->out, &ev->query) };
	struct sink s = { final_row, &f };
	struct promql_series *v;
	size_t k;

	if (promql_vector(ev, n, &ev->query, &s) == -1)
		return -1;
	k = f.n;
	v = arena_array(ev->out, k, struct promql_series);
	if (k > 0)
		memcpy(v, f.v, k * sizeof(*v));
	if (k > 1)
		qsort(v, k, sizeof(*v), series_cmp);
	if (unite(ev, v, &k) == -1)
		return -1;
	/* An order that means something has but one step: nothing united. */
	r->v = instant && ordered(n) ? f.v : v;
	r->n = k;
	r->type = instant ? PROMQL_VECTOR : PROMQL_MATRIX;
	return 0;
}

static int
result_scalar(struct eval *ev, const struct node *n, bool instant,
    struct promql_result *r)
{
	double *v = arena_alloc(ev->out, ev->query.n * sizeof(*v));
	struct promql_series *s;

	if (promql_scalar(ev, n, &ev->query, v) == -1)
		return -1;
	if (instant) {
		r->type = PROMQL_SCALAR;
		r->scalar = v[0];
		return 0;
	}
	s = arena_new(ev->out, struct promql_series);
	s->t = times(ev->out, &ev->query);
	s->v = v;
	s->n = ev->query.n;
	r->type = PROMQL_MATRIX;
	r->v = s;
	r->n = 1;
	return 0;
}

/* An instant query of a range vector: the samples themselves. */
struct raw {
	struct eval *ev;
	struct promql_series *v;
	size_t n, cap;
	struct label_room room;
};

static int
raw_add(void *self, struct row *r, const struct column *c)
{
	struct raw *raw = self;
	struct arena *a = raw->ev->out;
	struct promql_series *s;
	int64_t *t;
	double *v;

	if (c->n == 0)
		return 0;
	raw->v = arena_grow(a, raw->v, &raw->cap, raw->n + 1, sizeof(*s));
	s = &raw->v[raw->n++];
	if (r->drop)
		r->ls = promql_nameless(raw->ev, r->ls, &raw->room);
	s->labels = label_dup(a, r->ls);
	s->t = t = arena_alloc(a, c->n * sizeof(*t));
	s->v = v = arena_alloc(a, c->n * sizeof(*v));
	s->n = c->n;
	memcpy(t, c->t, c->n * sizeof(*t));
	memcpy(v, c->v, c->n * sizeof(*v));
	return 0;
}

static int
result_matrix(struct eval *ev, const struct node *n, struct promql_result *r)
{
	struct raw raw = { .ev = ev };

	if (promql_raw(ev, promql_inner(n), &ev->query, raw_add, &raw) == -1)
		return -1;
	if (raw.n > 1)
		qsort(raw.v, raw.n, sizeof(*raw.v), series_cmp);
	r->type = PROMQL_MATRIX;
	r->v = raw.v;
	r->n = raw.n;
	return 0;
}

static int
result(struct eval *ev, const struct node *n, bool instant,
    struct promql_result *r)
{
	switch (n->type) {
	case PROMQL_SCALAR:
		return result_scalar(ev, n, instant, r);
	case PROMQL_VECTOR:
		return result_vector(ev, n, instant, r);
	case PROMQL_STRING:
	case PROMQL_MATRIX:
		break;
	}
	if (!instant)
		return promql_fail(ev,
		    "invalid expression type \"%s\" for range query, must be "
		    "Scalar or instant Vector",
		    promql_type_described(n->type));
	if (n->type == PROMQL_MATRIX)
		return result_matrix(ev, n, r);
	r->type = PROMQL_STRING;
	r->string = arena_dup(ev->out, promql_inner(n)->text);
	return 0;
}

/* The grid of the options; -1 and the message if it is none. */
static int
grid(const struct promql_opts *o, struct grid *g, struct error *e)
{
	uint64_t max = o->max_steps > 0 ? o->max_steps : PROMQL_MAX_STEPS,
		 n = 0;
	int64_t range;

	if (o->to < o->from)
		return error_set(e,
		    "end timestamp must not be before start "
		    "time");
	if (__builtin_sub_overflow(o->to, o->from, &range))
		return error_set(e, "time range is too long");
	if (o->step < 0 || (o->step == 0 && o->from != o->to))
		return error_set(e,
		    "zero or negative query resolution step "
		    "widths are not accepted. Try a positive integer");
	if (o->step > 0)
		n = (uint64_t)range / (uint64_t)o->step;
	if (n > max && max == PROMQL_MAX_STEPS)
		return error_set(e,
		    "exceeded maximum resolution of 11,000 "
		    "points per timeseries. Try decreasing the query "
		    "resolution (?step=XX)");
	if (n > max || n >= UINT32_MAX)
		return error_set(e,
		    "exceeded maximum resolution of %" PRIu64
		    " points per timeseries",
		    max);
	g->from = o->from;
	g->step = o->step;
	g->n = (size_t)n + 1;
	return 0;
}

int
promql_eval(const struct promql_expr *x, const struct source *src,
    const struct promql_opts *o, struct arena *a, struct promql_result *r,
    struct error *e)
{
	struct arena scratch;
	struct eval ev = {
		.src = src,
		.text = x->text,
		.lookback = o->lookback > 0 ? o->lookback : LOOKBACK,
		.subquery_step =
		    o->subquery_step > 0 ? o->subquery_step : SUBQUERY_STEP,
		.late_names = o->late_names,
		.max_samples =
		    o->max_samples > 0 ? o->max_samples : MAX_SAMPLES,
		.out = a,
		.a = &scratch,
		.e = e,
	};
	int rc;

	memset(r, 0, sizeof(*r));
	if (grid(o, &ev.query, e) == -1)
		return -1;
	ev.range = o->to - o->from;
	arena_init(&scratch);
	rc = result(&ev, x->root, o->step == 0, r);
	r->t = o->to;
	r->warnings = ev.notes.v[NOTE_WARNING];
	r->nwarnings = ev.notes.n[NOTE_WARNING];
	r->infos = ev.notes.v[NOTE_INFO];
	r->ninfos = ev.notes.n[NOTE_INFO];
	promql_notes_fini(&ev.notes);
	arena_fini(&scratch);
	return rc;
}
