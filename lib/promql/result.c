/*
 * The result of a query: rows as they come out of the tree made into series,
 * in label order or the order an expression gives them.
 */
#include "promql/eval.h"

#include <inttypes.h>
#include <stdlib.h>

#define SUBQUERY_STEP 60000
#define MAX_SAMPLES 50000000

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

bool
promql_ordered(const struct promql_expr *x)
{
	return ordered(x->root);
}

static int
series_cmp(const void *a, const void *b)
{
	const struct promql_series *x = a, *y = b;

	return label_cmp(x->labels, y->labels);
}

/* Into label order; sources give it, and most of what is between keeps it. */
static void
sort(struct promql_series *v, size_t n)
{
	size_t i = 1;

	while (i < n && series_cmp(&v[i - 1], &v[i]) <= 0)
		i++;
	if (i < n)
		qsort(v, n, sizeof(*v), series_cmp);
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

/* The k histograms and NULLs of a row where it has values, for the result. */
static const struct histogram *const *
final_histograms(struct final *f, const struct row *r, size_t k)
{
	struct arena *a = f->ev->out;
	const struct histogram **h = arena_alloc(a, k * sizeof(*h));
	bool any = false;

	for (size_t i = 0, j = 0; i < f->ev->query.n; i++) {
		if (absent(r->v[i]))
			continue;
		/* steps in a row often have the same one */
		if (r->h[i] == NULL)
			h[j] = NULL;
		else if (i > 0 && j > 0 && h[j - 1] != NULL &&
		    r->h[i] == r->h[i - 1])
			h[j] = h[j - 1];
		else
			h[j] = histogram_copy(r->h[i], a);
		any |= h[j++] != NULL;
	}
	return any ? h : NULL;
}

static str
dup_like(struct arena *a, str s, str like)
{
	return str_eq(s, like) ? like : arena_dup(a, s);
}

/* A copy of ls, with what is the same as in the series before it shared. */
static struct labels
labels_like(struct arena *a, struct labels ls, struct labels before)
{
	struct label *v = arena_alloc(a, (ls.n + 1) * sizeof(*v));

	for (size_t i = 0; i < ls.n; i++) {
		struct label old = { { "", 0 }, { "", 0 } };

		if (i < before.n)
			old = before.v[i];
		v[i].name = dup_like(a, ls.v[i].name, old.name);
		v[i].value = dup_like(a, ls.v[i].value, old.value);
	}
	return (struct labels){ v, ls.n };
}

static int
final_row(void *self, struct row *r)
{
	struct final *f = self;
	struct arena *a = f->ev->out;
	size_t n = f->ev->query.n, k = promql_present(r->v, n);
	double *v = arena_alloc(a, k * sizeof(*v));
	struct labels before = { NULL, 0 };
	struct promql_series *s;
	int64_t *t;

	if (r->drop)
		r->ls = promql_nameless(f->ev, r->ls, &f->room);
	f->v = arena_grow(a, f->v, &f->cap, f->n + 1, sizeof(*s));
	s = &f->v[f->n++];
	if (f->n > 1)
		before = s[-1].labels;
	s->labels = labels_like(a, r->ls, before);
	s->t = f->t;
	s->v = v;
	s->h = r->h != NULL ? final_histograms(f, r, k) : NULL;
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
	const struct histogram **h = NULL;

	if (a->h != NULL || b->h != NULL)
		h = arena_array(ev->out, n, const struct histogram *);
	for (size_t j = 0; j < n; j++) {
		bool from_a = k == b->n || (i < a->n && a->t[i] < b->t[k]);

		if (i < a->n && k < b->n && a->t[i] == b->t[k])
			return promql_fail(ev,
			    "vector cannot contain metrics "
			    "with the same labelset");
		t[j] = from_a ? a->t[i] : b->t[k];
		if (from_a && a->h != NULL)
			h[j] = a->h[i];
		if (!from_a && b->h != NULL)
			h[j] = b->h[k];
		v[j] = from_a ? a->v[i++] : b->v[k++];
	}
	a->t = t;
	a->v = v;
	a->h = h;
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
	sort(v, k);
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
	const struct histogram **h;
	struct promql_series *s;
	int64_t *t;
	double *v;

	if (c->n == 0)
		return 0;
	raw->v = arena_grow(a, raw->v, &raw->cap, raw->n + 1, sizeof(*s));
	s = &raw->v[raw->n++];
	if (r->drop)
		r->ls = promql_nameless(raw->ev, r->ls, &raw->room);
	*s = (struct promql_series){ .labels = label_dup(a, r->ls) };
	s->t = t = arena_alloc(a, c->n * sizeof(*t));
	s->v = v = arena_alloc(a, c->n * sizeof(*v));
	s->n = c->n;
	memcpy(t, c->t, c->n * sizeof(*t));
	memcpy(v, c->v, c->n * sizeof(*v));
	if (c->h == NULL)
		return 0;
	h = arena_array(a, c->n, const struct histogram *);
	for (size_t i = 0; i < c->n; i++)
		if (c->h[i] != NULL) {
			h[i] = histogram_copy(c->h[i], a);
			v[i] = 0;
		}
	s->h = h;
	return 0;
}

static int
result_matrix(struct eval *ev, const struct node *n, struct promql_result *r)
{
	struct raw raw = { .ev = ev };

	if (promql_raw(ev, promql_inner(n), &ev->query, raw_add, &raw) == -1)
		return -1;
	sort(raw.v, raw.n);
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
	struct promql_share *share;
	struct source shared = { 0 };
	struct arena scratch;
	struct eval ev = {
		.src = src,
		.text = x->text,
		.lookback = o->lookback > 0 ? o->lookback : PROMQL_LOOKBACK,
		.subquery_step =
		    o->subquery_step > 0 ? o->subquery_step : SUBQUERY_STEP,
		.late_names = (x->features & PROMQL_LATE_NAMES) != 0,
		.start_times = (x->features & PROMQL_START_TIMES) != 0,
		.max_series = o->max_series,
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
	share = o->share == NULL ? promql_share_own(x, src, o) : NULL;
	if (share != NULL) {
		shared = promql_share_source(share);
		ev.src = &shared;
	}
	ev.range = o->to - o->from;
	arena_init(&scratch);
	promql_watch_begin(&ev, o);
	promql_costs_begin(&ev, x->root, o->costs);
	if (share != NULL && !promql_twins_begin(&ev, x->root))
		ev.src = src;
	if (o->share != NULL)
		promql_twins_share(&ev, o->share, x->root);
	source_hold(src, true); /* x - y is of one state of both */
	rc = result(&ev, x->root, o->step == 0, r);
	source_hold(src, false);
	promql_costs_end(&ev);
	promql_twins_end(&ev);
	r->failure = ev.failure;
	r->t = o->to;
	r->warnings = ev.notes.v[NOTE_WARNING];
	r->nwarnings = ev.notes.n[NOTE_WARNING];
	r->infos = ev.notes.v[NOTE_INFO];
	r->ninfos = ev.notes.n[NOTE_INFO];
	promql_notes_fini(&ev.notes);
	arena_fini(&scratch);
	promql_share_free(share);
	return rc;
}
