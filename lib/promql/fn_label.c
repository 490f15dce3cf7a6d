/*
 * Functions that change or order by labels.
 */
#include "promql/eval.h"

#include <stdlib.h>

/* The string an argument is. */
static str
text(const struct node *call, size_t i)
{
	return promql_inner(call->arg[i])->text;
}

struct relabel {
	struct eval *ev;
	const struct node *call;
	struct rows rows;
	struct re *re;
	str dst;
	struct buf value;
	size_t *cap;
};

/* Give the row its changed label, then keep it with the others. */
static int
relabelled(struct relabel *l, struct row *r)
{
	struct label_set set;
	struct row out = *r;
	int rc;

	label_init(&set, r->ls);
	label_set(&set, l->dst, buf_str(&l->value));
	out.ls = label_view(&set);
	if (str_eq(l->dst, LABEL_NAME))
		out.drop = false;
	rc = promql_rows_add(&l->rows, &out);
	label_fini(&set);
	return rc;
}

static int
relabel_run(struct relabel *l, const struct grid *g, const struct sink *out,
    int (*row)(void *self, struct row *r))
{
	struct sink in = { row, l };
	int rc;

	promql_rows_init(&l->rows, l->ev, g->n);
	l->rows.merge = true;
	rc = promql_vector(l->ev, l->call->arg[0], g, &in);
	if (rc == 0)
		rc = promql_rows_emit(&l->rows, out);
	promql_rows_fini(&l->rows);
	buf_fini(&l->value);
	return rc;
}

static int
replace_row(void *self, struct row *r)
{
	struct relabel *l = self;
	str src = label_find(r->ls, text(l->call, 3));

	if (!re_find(l->re, src, 0, l->cap))
		return promql_rows_add(&l->rows, r);
	buf_reset(&l->value);
	re_expand(l->re, &l->value, text(l->call, 2), src, l->cap);
	return relabelled(l, r);
}

static int
fn_label_replace(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct relabel l = { .ev = ev, .call = call, .dst = text(call, 1) };
	str pattern = text(call, 4);
	struct error e;
	int rc;

	if (l.dst.n == 0 || !str_utf8(l.dst))
		return promql_fail(ev,
		    "invalid destination label name in "
		    "label_replace(): %.*s",
		    STR_ARG(l.dst));
	l.re = re_new(pattern, RE_ANCHORED, &e);
	if (l.re == NULL)
		return promql_fail(ev,
		    "invalid regular expression in "
		    "label_replace(): %.*s",
		    STR_ARG(pattern));
	l.cap = arena_array(ev->a, 2 * re_groups(l.re), size_t);
	rc = relabel_run(&l, g, out, replace_row);
	re_free(l.re);
	return rc;
}

static int
join_row(void *self, struct row *r)
{
	struct relabel *l = self;

	buf_reset(&l->value);
	for (size_t i = 3; i < l->call->narg; i++) {
		if (i > 3)
			buf_add(&l->value, text(l->call, 2));
		buf_add(&l->value, label_find(r->ls, text(l->call, i)));
	}
	return relabelled(l, r);
}

static int
fn_label_join(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct relabel l = { .ev = ev, .call = call, .dst = text(call, 1) };

	if (l.dst.n == 0 || !str_utf8(l.dst))
		return promql_fail(ev,
		    "invalid destination label name in "
		    "label_join(): %.*s",
		    STR_ARG(l.dst));
	for (size_t i = 3; i < call->narg; i++)
		if (text(call, i).n == 0 || !str_utf8(text(call, i)))
			return promql_fail(ev,
			    "invalid source label name in "
			    "label_join(): %.*s",
			    STR_ARG(text(call, i)));
	return relabel_run(&l, g, out, join_row);
}

/*
 * Order by labels, numbers in them by their value.
 */

static size_t
run(str s, bool *digits)
{
	size_t n = 0;

	*digits = s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9';
	while (n < s.n && (s.p[n] >= '0' && s.p[n] <= '9') == *digits)
		n++;
	return n;
}

static str
significant(str s)
{
	while (s.n > 1 && s.p[0] == '0')
		s = str_skip(s, 1);
	return s;
}

static int
natural_cmp(str a, str b)
{
	bool da, db;
	int c = 0;

	while (a.n > 0 && b.n > 0 && c == 0) {
		size_t na = run(a, &da), nb = run(b, &db);
		str x = str_take(a, na), y = str_take(b, nb);

		if (da && db) {
			str u = significant(x), v = significant(y);

			c = (u.n > v.n) - (u.n < v.n);
			if (c == 0)
				c = str_cmp(u, v);
		}
		if (c == 0)
			c = str_cmp(x, y);
		a = str_skip(a, na);
		b = str_skip(b, nb);
	}
	return c != 0 ? c : (a.n > 0) - (b.n > 0);
}

struct keyed {
	struct row row;
	const struct node *call;
};

static int
keyed_cmp(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	for (size_t i = 1; i < x->call->narg; i++) {
		str name = text(x->call, i);
		int c = natural_cmp(
		    label_find(x->row.ls, name), label_find(y->row.ls, name));

		if (c != 0)
			return c;
	}
	return label_cmp(x->row.ls, y->row.ls);
}

static int
keyed_cmp_desc(const void *a, const void *b)
{
	return keyed_cmp(b, a);
}

static int
sort_by_label(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out, int (*cmp)(const void *, const void *))
{
	struct rows rows;
	struct keyed *v;
	int rc;

	if (ev->query.n > 1) {
		promql_note(ev, NOTE_WARNING, call,
		    "sort is ineffective for range queries since results are "
		    "always ordered by labels");
		return promql_vector(ev, call->arg[0], g, out);
	}
	promql_rows_init(&rows, ev, g->n);
	rc = promql_rows_of(&rows, call->arg[0], g);
	v = arena_array(ev->a, rows.n, struct keyed);
	for (size_t i = 0; i < rows.n; i++)
		v[i] = (struct keyed){ rows.v[i], call };
	if (rows.n > 1)
		qsort(v, rows.n, sizeof(*v), cmp);
	for (size_t i = 0; i < rows.n && rc == 0; i++)
		rc = promql_emit(out, &v[i].row, g->n);
	promql_rows_fini(&rows);
	return rc;
}

static int
fn_sort_by_label(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	return sort_by_label(ev, call, g, out, keyed_cmp);
}

static int
fn_sort_by_label_desc(struct eval *ev, const struct node *call,
    const struct grid *g, const struct sink *out)
{
	return sort_by_label(ev, call, g, out, keyed_cmp_desc);
}

const struct func promql_fn_label[] = {
	{ "label_join", "vttt", -1, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .vector = fn_label_join },
	{ "label_replace", "vtttt", 0, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .vector = fn_label_replace },
	{ "sort_by_label", "vt", -1, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .vector = fn_sort_by_label },
	{ "sort_by_label_desc", "vt", -1, PROMQL_VECTOR, FUNC_KEEP_NAME,
	    .vector = fn_sort_by_label_desc },
	{ .name = NULL },
};
