/*
 * Binary operators over vectors.  With a scalar, rows stream through.  Between
 * two vectors the rows of both are put into groups by their signature (the
 * labels they are matched on); matching is decided step by step inside a
 * group, since a series may come and go.
 */
#include "promql/eval.h"

#include <stdlib.h>

bool
promql_operate(enum word op, double a, double b, double *out)
{
	bool held = true;

	*out = a;
	if (op == W_ADD)
		*out = a + b;
	else if (op == W_SUB)
		*out = a - b;
	else if (op == W_MUL)
		*out = a * b;
	else if (op == W_DIV)
		*out = a / b;
	else if (op == W_POW)
		*out = pow(a, b);
	else if (op == W_MOD)
		*out = fmod(a, b);
	else if (op == W_ATAN2)
		*out = atan2(a, b);
	else
		held = op == W_EQ ? a == b
		    : op == W_NE  ? a != b
		    : op == W_LT  ? a < b
		    : op == W_LE  ? a <= b
		    : op == W_GT  ? a > b
				  : op == W_GE && a >= b;
	return held;
}

static bool
trims(enum word op)
{
	return op == W_TRIM_LOWER || op == W_TRIM_UPPER;
}

/* A value: a histogram, or v. */
struct operand {
	double v;
	const struct histogram *h;
};

static struct operand
operand_at(const struct row *r, size_t i)
{
	return (struct operand){ r->v[i], histogram_at(r, i) };
}

static const char *
type_of(struct operand x)
{
	return x.h != NULL ? "histogram" : "float";
}

/* The operator is for no such operands: no value, and an info. */
static struct operand
unfit(struct eval *ev, const struct node *n, struct operand a, struct operand b)
{
	const char *op = promql_word_text(n->op);

	promql_note(ev, NOTE_INFO, n,
	    "incompatible sample types encountered for binary operator "
	    "\"%s\": %s %s %s",
	    op, type_of(a), op, type_of(b));
	return (struct operand){ num_stale(), NULL };
}

static struct operand
add_histograms(struct eval *ev, const struct node *n, const struct histogram *a,
    const struct histogram *b)
{
	struct histogram *h = histogram_copy(a, ev->a);
	const char *what = n->op == W_ADD ? "addition" : "subtraction";
	unsigned met = 0;

	if (histogram_add(h, NULL, b, n->op == W_ADD ? 1 : -1, ev->a, &met) ==
	    -1) {
		promql_note(ev, NOTE_WARNING, n,
		    "incompatible bucket layout encountered for binary "
		    "operator %s",
		    promql_word_text(n->op));
		return (struct operand){ num_stale(), NULL };
	}
	if (met & HISTOGRAM_COLLISION)
		promql_note(ev, NOTE_WARNING, n,
		    "conflicting counter resets during histogram %s", what);
	if (met & HISTOGRAM_RECONCILED)
		promql_note(ev, NOTE_INFO, n,
		    "mismatched custom buckets were reconciled during %s",
		    what);
	histogram_compact(h, ev->a);
	return (struct operand){ 0, h };
}

/* A histogram and a number. */
static struct operand
scale_histogram(struct eval *ev, const struct node *n,
    const struct histogram *of, double by)
{
	struct histogram *h = histogram_copy(of, ev->a);

	if (n->op == W_MUL)
		histogram_scale(h, by);
	else if (n->op == W_DIV)
		histogram_divide(h, by);
	else
		histogram_trim(h, by, n->op == W_TRIM_UPPER, ev->a);
	return (struct operand){ 0, h };
}

/* As element() below, of two that are not both floats. */
static struct operand
element_of(struct eval *ev, const struct node *n, struct operand a,
    struct operand b, struct operand kept)
{
	bool trim = n->op == W_TRIM_LOWER || n->op == W_TRIM_UPPER, held;

	if (a.h != NULL && b.h != NULL) {
		if (n->op == W_ADD || n->op == W_SUB)
			return add_histograms(ev, n, a.h, b.h);
		if (n->op != W_EQ && n->op != W_NE)
			return unfit(ev, n, a, b);
		held = histogram_same(a.h, b.h) == (n->op == W_EQ);
		if (n->returns_bool)
			return (struct operand){ held, NULL };
		return held ? kept : (struct operand){ num_stale(), NULL };
	}
	if (a.h != NULL && (n->op == W_MUL || n->op == W_DIV || trim))
		return scale_histogram(ev, n, a.h, b.v);
	if (b.h != NULL && n->op == W_MUL)
		return scale_histogram(ev, n, b.h, a.v);
	return unfit(ev, n, a, b);
}

/* One element of a result: the operator, bool and filters. */
static double
element(const struct node *n, double a, double b, double kept)
{
	double v;
	bool held;

	held = promql_operate(n->op, a, b, &v);
	if (!promql_word_is_comparison(n->op))
		return v;
	if (n->returns_bool)
		return held ? 1 : 0;
	return held ? kept : num_stale();
}

static bool
drops_name(const struct node *n)
{
	return n->returns_bool ||
	    (!promql_word_is_comparison(n->op) && !trims(n->op));
}

/*
 * A vector and a scalar.
 */

struct mixed {
	struct eval *ev;
	const struct node *n;
	const struct sink *out;
	size_t steps;
	bool scalar_left;
	double *scalar;
	struct label_room room;
};

/* A row that may have histograms, or an operator that is about them. */
static void
mixed_histograms(struct mixed *m, struct row *r)
{
	if (r->h == NULL)
		r->h = promql_histograms(m->ev, m->steps);
	for (size_t i = 0; i < m->steps; i++) {
		struct operand s = { m->scalar[i], NULL };
		struct operand v = operand_at(r, i);

		if (absent(r->v[i]))
			continue;
		if (v.h == NULL && !trims(m->n->op))
			v.v = m->scalar_left ? element(m->n, s.v, v.v, v.v)
					     : element(m->n, v.v, s.v, v.v);
		else
			v = m->scalar_left ? element_of(m->ev, m->n, s, v, v)
					   : element_of(m->ev, m->n, v, s, v);
		r->v[i] = v.v;
		r->h[i] = v.h;
	}
}

static int
mixed_row(void *self, struct row *r)
{
	struct mixed *m = self;
	bool floats = r->h == NULL && !trims(m->n->op);

	if (!floats)
		mixed_histograms(m, r);
	for (size_t i = 0; i < m->steps && floats; i++) {
		double s = m->scalar[i], v = r->v[i];

		if (!absent(v))
			r->v[i] = m->scalar_left ? element(m->n, s, v, v)
						 : element(m->n, v, s, v);
	}
	if (drops_name(m->n))
		promql_drop_name(m->ev, r, &m->room);
	return promql_emit(m->out, r, m->steps);
}

static int
mixed(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	struct mixed m = { .ev = ev, .n = n, .steps = g->n };
	const struct node *vector, *scalar;
	struct sink in = { mixed_row, &m };
	struct unite u;

	m.scalar_left = n->sub->type == PROMQL_SCALAR;
	scalar = m.scalar_left ? n->sub : n->rhs;
	vector = m.scalar_left ? n->rhs : n->sub;
	m.scalar = promql_column(ev, g->n);
	if (promql_scalar(ev, scalar, g, m.scalar) == -1)
		return -1;
	m.out = promql_unite_init(&u, ev, g->n,
	    ev->late_names || !drops_name(n) || promql_one_name(vector), out);
	return promql_unite_fini(&u, promql_vector(ev, vector, g, &in));
}

/*
 * Two vectors: groups by signature.
 */

#define NONE SIZE_MAX

/* Rows of both sides with one signature, as lists through next. */
struct group {
	size_t first[2], last[2];
};

struct side {
	struct rows rows;
	size_t *next; /* the row after this one in its group */
	bool *any;    /* has the side a value at this step? */
};

struct pairing {
	struct eval *ev;
	const struct node *n;
	size_t steps;
	struct side side[2]; /* many (or left), one (or right) */
	struct map index;
	struct group *groups;
	size_t ngroups, cap;
	struct rows out;
	struct buf key;
	struct label_room room;
	bool mixed;      /* histograms are, or may be, on a side */
	double *v, *one; /* columns being made */
	const struct histogram **h, **oneh; /* beside them, if mixed */
	size_t *who; /* which row of the one side has a value */
	bool *used;
};

static bool
listed(const str *v, size_t n, str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], s))
			return true;
	return false;
}

static bool
matched_on(const struct matching *m, str name)
{
	if (m->on)
		return listed(m->labels, m->nlabels, name);
	return !str_eq(name, LABEL_NAME) &&
	    !listed(m->labels, m->nlabels, name);
}

/* The labels a row is matched on, in room. */
static struct labels
signature(struct pairing *p, struct labels ls)
{
	size_t n = 0;

	if (p->room.cap < ls.n) {
		p->room.cap = ls.n + 16;
		p->room.v = arena_array(p->ev->a, p->room.cap, struct label);
	}
	for (size_t i = 0; i < ls.n; i++)
		if (matched_on(&p->n->match, ls.v[i].name))
			p->room.v[n++] = ls.v[i];
	return (struct labels){ p->room.v, n };
}

/* The group of a row; a new one only if make is set, else NONE. */
static size_t
group_of(struct pairing *p, struct labels ls, bool make)
{
	struct map_slot *slot;
	bool fresh;

	buf_reset(&p->key);
	label_key(&p->key, signature(p, ls));
	if (!make) {
		slot = map_find(&p->index, buf_str(&p->key));
		return slot != NULL ? slot->v.i : NONE;
	}
	slot = map_add(&p->index, buf_str(&p->key), &fresh);
	if (!fresh)
		return slot->v.i;
	slot->key = arena_dup(p->ev->a, slot->key);
	slot->v.i = p->ngroups;
	p->groups = arena_grow(
	    p->ev->a, p->groups, &p->cap, p->ngroups + 1, sizeof(*p->groups));
	p->groups[p->ngroups] =
	    (struct group){ { NONE, NONE }, { NONE, NONE } };
	return p->ngroups++;
}

static void
pairing_init(
    struct pairing *p, struct eval *ev, const struct node *n, size_t steps)
{
	memset(p, 0, sizeof(*p));
	p->ev = ev;
	p->n = n;
	p->steps = steps;
	promql_rows_init(&p->side[0].rows, ev, steps);
	promql_rows_init(&p->side[1].rows, ev, steps);
	promql_rows_init(&p->out, ev, steps);
	p->out.merge = true;
	p->v = promql_column(ev, steps);
	p->one = promql_column(ev, steps);
	p->who = arena_array(ev->a, steps, size_t);
	p->used = arena_array(ev->a, steps, bool);
}

static void
pairing_fini(struct pairing *p)
{
	promql_rows_fini(&p->side[0].rows);
	promql_rows_fini(&p->side[1].rows);
	promql_rows_fini(&p->out);
	map_fini(&p->index);
	buf_fini(&p->key);
}

/* Put the rows of side k into their groups. */
static void
sort_side(struct pairing *p, int k)
{
	struct side *s = &p->side[k];

	s->next = arena_array(p->ev->a, s->rows.n, size_t);
	s->any = arena_array(p->ev->a, p->steps, bool);
	for (size_t i = 0; i < s->rows.n; i++) {
		struct group *g;
		size_t at = group_of(p, s->rows.v[i].ls, true);

		p->mixed |= s->rows.v[i].h != NULL;
		g = &p->groups[at];
		s->next[i] = NONE;
		if (g->first[k] == NONE)
			g->first[k] = i;
		else
			s->next[g->last[k]] = i;
		g->last[k] = i;
		for (size_t j = 0; j < p->steps; j++)
			s->any[j] |= !absent(s->rows.v[i].v[j]);
	}
}

static int
fail_duplicate(struct pairing *p, size_t a, size_t b)
{
	const struct row *rows = p->side[1].rows.v;
	struct buf t = { 0 };
	int rc;

	buf_z(&t, "found duplicate series for the match group ");
	promql_print_labels(&t, signature(p, rows[b].ls));
	buf_printf(&t, " on the %s hand-side of the operation: [",
	    p->n->match.card == CARD_ONE_MANY ? "left" : "right");
	promql_print_labels(&t, rows[b].ls);
	buf_z(&t, ", ");
	promql_print_labels(&t, rows[a].ls);
	buf_z(&t,
	    "];many-to-many matching not allowed: matching labels must "
	    "be unique on one side");
	rc = promql_fail(p->ev, "%s", buf_cstr(&t));
	buf_fini(&t);
	return rc;
}

/* p->one and p->who: the one side's value at each step of a group. */
static int
gather_one(struct pairing *p, const struct group *g)
{
	struct side *s = &p->side[1];

	promql_clear(p->one, p->steps);
	for (size_t i = g->first[1]; i != NONE; i = s->next[i]) {
		const double *v = s->rows.v[i].v;

		for (size_t j = 0; j < p->steps; j++) {
			if (absent(v[j]))
				continue;
			if (!absent(p->one[j]) &&
			    (p->side[0].any[j] || p->n->match.has_fill[0] ||
				p->n->match.has_fill[1]))
				return fail_duplicate(p, p->who[j], i);
			p->one[j] = v[j];
			if (p->mixed)
				p->oneh[j] = histogram_at(&s->rows.v[i], j);
			p->who[j] = i;
		}
	}
	return 0;
}

/* The labels of a pair's result; one may be without labels. */
static struct labels
result_labels(struct pairing *p, struct labels many, struct labels one)
{
	const struct matching *m = &p->n->match;
	struct label_set set;
	struct labels ls;

	label_init(&set, (struct labels){ NULL, 0 });
	for (size_t i = 0; i < many.n; i++) {
		str name = many.v[i].name;

		if (m->card == CARD_ONE_ONE &&
		    m->on != listed(m->labels, m->nlabels, name))
			continue;
		label_set(&set, name, many.v[i].value);
	}
	if ((!promql_word_is_comparison(p->n->op) && !trims(p->n->op)) ||
	    (p->n->returns_bool && !p->ev->late_names)) {
		label_unset(&set, LABEL_NAME);
		label_unset(&set, STR("__type__"));
		label_unset(&set, STR("__unit__"));
	}
	for (size_t i = 0; i < m->ninclude; i++)
		label_set(&set, m->include[i], label_find(one, m->include[i]));
	ls = label_done(&set, p->ev->a);
	label_fini(&set);
	return ls;
}

/* The value of a pair at a step, sides put back in their places. */
static void
pair(struct pairing *p, size_t step, struct operand many, struct operand one)
{
	bool swap = p->n->match.card == CARD_ONE_MANY;
	struct operand l = swap ? one : many, r = swap ? many : one;

	if (!p->mixed) {
		p->v[step] = element(p->n, l.v, r.v, l.v);
		return;
	}
	if (l.h == NULL && r.h == NULL && !trims(p->n->op)) {
		p->v[step] = element(p->n, l.v, r.v, l.v);
		p->h[step] = NULL;
		return;
	}
	l = element_of(p->ev, p->n, l, r, l);
	p->v[step] = l.v;
	p->h[step] = l.h;
}

/* The same of a whole row of floats with row i of the one side. */
static void
pair_floats(struct pairing *p, const double *many, size_t i)
{
	bool swap = p->n->match.card == CARD_ONE_MANY;

	for (size_t j = 0; j < p->steps; j++) {
		double l = many[j], r = p->one[j];

		if (absent(l) || absent(r) || p->who[j] != i)
			continue;
		p->v[j] =
		    swap ? element(p->n, r, l, r) : element(p->n, l, r, l);
	}
}

/* The one side's value at a step. */
static struct operand
the_one(const struct pairing *p, size_t step)
{
	return (
	    struct operand){ p->one[step], p->mixed ? p->oneh[step] : NULL };
}

static int
add_result(struct pairing *p, struct labels many, struct labels one, bool drop)
{
	struct row r = { .v = p->v,
		.drop = drop || p->n->returns_bool,
		.h = p->mixed ? p->h : NULL };
	struct sink out = { promql_rows_add, &p->out };
	size_t n = 0;

	for (size_t i = 0; i < p->steps; i++)
		n += !absent(p->v[i]);
	if (n == 0)
		return 0;
	r.ls = result_labels(p, many, one);
	return out.row(out.self, &r);
}

/* A step on which a row of the many side meets the one side or its fill. */
static int
use(struct pairing *p, size_t step)
{
	if (p->n->match.card != CARD_ONE_ONE)
		return 0;
	if (p->used[step])
		return promql_fail(p->ev,
		    "multiple matches for labels: many-to-one matching must be "
		    "explicit (group_left/group_right)");
	p->used[step] = true;
	return 0;
}

/*
 * One row of the many side with what the one side has.  As upstream has it,
 * group_right swaps the sides but not their fills: fill_left is the many's.
 */
static int
pair_row(struct pairing *p, const struct group *g, const struct row *l)
{
	const struct matching *m = &p->n->match;
	struct side *s = &p->side[1];

	for (size_t i = 0; i < p->steps; i++)
		if (!absent(l->v[i]) &&
		    (!absent(p->one[i]) || m->has_fill[1]) && use(p, i) == -1)
			return -1;
	for (size_t i = g->first[1]; i != NONE; i = s->next[i]) {
		promql_clear(p->v, p->steps);
		if (!p->mixed)
			pair_floats(p, l->v, i);
		for (size_t j = 0; j < p->steps && p->mixed; j++)
			if (!absent(l->v[j]) && !absent(p->one[j]) &&
			    p->who[j] == i)
				pair(p, j, operand_at(l, j), the_one(p, j));
		if (add_result(p, l->ls, s->rows.v[i].ls, l->drop) == -1)
			return -1;
	}
	if (!m->has_fill[1])
		return 0;
	promql_clear(p->v, p->steps);
	for (size_t j = 0; j < p->steps; j++)
		if (!absent(l->v[j]) && absent(p->one[j]))
			pair(p, j, operand_at(l, j),
			    (struct operand){ m->fill[1], NULL });
	return add_result(p, l->ls, signature(p, l->ls), l->drop);
}

/* Rows of the one side where the many side has none, and a fill. */
static int
fill_many(struct pairing *p, const struct group *g)
{
	const struct matching *m = &p->n->match;
	double fill = m->fill[0];
	struct side *many = &p->side[0], *one = &p->side[1];
	bool *met = p->used; /* done with in this group */

	memset(met, 0, p->steps * sizeof(*met));
	for (size_t i = g->first[0]; i != NONE; i = many->next[i])
		for (size_t j = 0; j < p->steps; j++)
			met[j] |= !absent(many->rows.v[i].v[j]);
	for (size_t i = g->first[1]; i != NONE; i = one->next[i]) {
		struct labels ls = one->rows.v[i].ls;

		promql_clear(p->v, p->steps);
		for (size_t j = 0; j < p->steps; j++)
			if (!met[j] && !absent(p->one[j]) && p->who[j] == i)
				pair(p, j, (struct operand){ fill, NULL },
				    the_one(p, j));
		if (add_result(p, label_dup(p->ev->a, signature(p, ls)), ls,
			false) == -1)
			return -1;
	}
	return 0;
}

static int
pair_group(struct pairing *p, const struct group *g)
{
	const struct matching *m = &p->n->match;
	struct side *many = &p->side[0];
	bool several = g->first[0] != g->last[0];

	p->out.clash = several && m->card != CARD_ONE_ONE
	    ? "multiple matches for labels: grouping labels must ensure "
	      "unique matches"
	    : NULL;
	if (gather_one(p, g) == -1)
		return -1;
	memset(p->used, 0, p->steps * sizeof(*p->used));
	for (size_t i = g->first[0]; i != NONE; i = many->next[i])
		if (pair_row(p, g, &many->rows.v[i]) == -1)
			return -1;
	if (m->has_fill[0])
		return fill_many(p, g);
	return 0;
}

static int
match(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	bool swap = n->match.card == CARD_ONE_MANY;
	size_t held = ev->samples;
	struct pairing p;
	int rc = -1;

	pairing_init(&p, ev, n, g->n);
	if (promql_rows_of(&p.side[swap].rows, n->sub, g) == -1 ||
	    promql_rows_of(&p.side[!swap].rows, n->rhs, g) == -1)
		goto out;
	sort_side(&p, 0);
	sort_side(&p, 1);
	p.mixed |= trims(n->op);
	if (p.mixed) {
		p.h = promql_histograms(ev, g->n);
		p.oneh = promql_histograms(ev, g->n);
	}
	for (size_t i = 0; i < p.ngroups; i++)
		if (promql_tick(ev, g->n) == -1 ||
		    pair_group(&p, &p.groups[i]) == -1)
			goto out;
	/* The operands have been let go. */
	ev->samples = held;
	if (promql_count(ev, p.out.n * g->n) == 0)
		rc = promql_rows_emit(&p.out, out);
out:
	pairing_fini(&p);
	return rc;
}

/*
 * Set operators: many to many, by presence alone.
 */

struct set {
	struct pairing *p;
	const struct sink *out;
	bool **seen; /* by group: is there a row at this step? */
	size_t cap;
	bool where; /* masked rows stay where it was seen, or was not */
};

static void
set_see(struct set *s, const struct row *r)
{
	struct pairing *p = s->p;
	size_t at = group_of(p, r->ls, true), old = s->cap;

	if (at >= s->cap) {
		s->seen = arena_grow(
		    p->ev->a, s->seen, &s->cap, at + 1, sizeof(bool *));
		for (size_t i = old; i < s->cap; i++)
			s->seen[i] = NULL;
	}
	if (s->seen[at] == NULL)
		s->seen[at] = arena_array(p->ev->a, p->steps, bool);
	for (size_t i = 0; i < p->steps; i++)
		s->seen[at][i] |= !absent(r->v[i]);
}

/* A row of the side that is only looked at. */
static int
see_row(void *self, struct row *r)
{
	set_see(self, r);
	return 0;
}

/* A row of the left side of "or": looked at and passed on. */
static int
left_row(void *self, struct row *r)
{
	struct set *s = self;

	set_see(s, r);
	return s->out->row(s->out->self, r);
}

static int
masked_row(void *self, struct row *r)
{
	struct set *s = self;
	size_t at = group_of(s->p, r->ls, false);

	for (size_t i = 0; i < s->p->steps; i++) {
		bool seen = at != NONE && s->seen[at][i];

		if (seen != s->where)
			r->v[i] = num_stale();
	}
	return promql_emit(s->out, r, s->p->steps);
}

static int
set(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	bool either = n->op == W_OR;
	struct pairing p;
	struct set s = { .p = &p, .out = out, .where = n->op == W_AND };
	struct sink see = { either ? left_row : see_row, &s };
	struct sink masked = { masked_row, &s };
	struct sink keep = { promql_rows_add, &p.out };
	int rc = -1;

	pairing_init(&p, ev, n, g->n);
	if (either)
		s.out = &keep;
	if (promql_vector(ev, either ? n->sub : n->rhs, g, &see) == -1 ||
	    promql_vector(ev, either ? n->rhs : n->sub, g, &masked) == -1)
		goto out;
	rc = either ? promql_rows_emit(&p.out, out) : 0;
out:
	pairing_fini(&p);
	return rc;
}

int
promql_binary(struct eval *ev, const struct node *n, const struct grid *g,
    const struct sink *out)
{
	if (n->sub->type == PROMQL_SCALAR || n->rhs->type == PROMQL_SCALAR)
		return mixed(ev, n, g, out);
	return promql_word_is_set(n->op) ? set(ev, n, g, out)
					 : match(ev, n, g, out);
}
