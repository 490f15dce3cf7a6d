/*
 * An answer as a table for a terminal: a column for each label, as long as
 * there are few, and the value at the right.  What a label could do to a
 * terminal is escaped.
 */
#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "tool.h"

/* With more labels a series is one column. */
#define COLUMNS 12

struct column {
	str label; /* of which it has the values */
	enum { TIME, SERIES, LABEL, VALUE } what;
	size_t width;
};

struct table {
	const struct answer *a;
	struct column v[COLUMNS + 2];
	size_t n;
};

static bool
has(const struct table *t, str label)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].what == LABEL && str_eq(t->v[i].label, label))
			return true;
	return false;
}

/* Columns of labels; false if they are too many. */
static bool
label_columns(struct table *t, size_t first)
{
	const struct promql_result *r = t->a->r;

	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->v[i].labels.n; k++) {
			str name = r->v[i].labels.v[k].name;

			if (has(t, name))
				continue;
			if (t->n - first == COLUMNS)
				return false;
			t->v[t->n++] = (struct column){ name, LABEL, 0 };
		}
	return true;
}

static int
column_cmp(const void *a, const void *b)
{
	const struct column *x = a, *y = b;
	bool xn = str_eq(x->label, LABEL_NAME),
	     yn = str_eq(y->label, LABEL_NAME);

	return xn != yn ? (int)yn - (int)xn : str_cmp(x->label, y->label);
}

static void
columns(struct table *t)
{
	size_t first;

	if (t->a->r->type == PROMQL_MATRIX)
		t->v[t->n++] = (struct column){ .what = TIME };
	first = t->n;
	if (!label_columns(t, first)) {
		t->n = first;
		t->v[t->n++] = (struct column){ .what = SERIES };
	} else if (t->n > first)
		qsort(t->v + first, t->n - first, sizeof(*t->v), column_cmp);
	t->v[t->n++] = (struct column){ .what = VALUE };
}

static void
cell(struct buf *out, const struct table *t, const struct column *c,
    const struct answer_row *row)
{
	struct buf b = { 0 };

	switch (c->what) {
	case TIME:
		answer_put_time(&b, row->t, t->a->zone);
		break;
	case SERIES:
		label_print_metric(&b, row->labels);
		break;
	case LABEL:
		buf_add(&b, label_find(row->labels, c->label));
		break;
	case VALUE:
		answer_put_value(&b, row);
		break;
	}
	buf_reset(out);
	tool_show(out, buf_str(&b));
	buf_fini(&b);
}

static void
heading(struct buf *out, const struct column *c)
{
	static const char *const names[] = { "TIME", "SERIES", "", "VALUE" };

	buf_reset(out);
	if (c->what != LABEL)
		buf_z(out, names[c->what]);
	else if (str_eq(c->label, LABEL_NAME))
		buf_z(out, "METRIC");
	else
		tool_show(out, c->label);
}

/* The last column stands at the right, but for strings and histograms. */
static void
pad(struct buf *out, const struct column *c, str s, bool right)
{
	size_t width = str_runes(s),
	       fill = c->width > width ? c->width - width : 0;

	for (size_t i = 0; i < fill && right; i++)
		buf_byte(out, ' ');
	buf_add(out, s);
	for (size_t i = 0; i < fill && !right && c->what != VALUE; i++)
		buf_byte(out, ' ');
	buf_z(out, c->what == VALUE ? "\n" : "  ");
}

static void
widen(struct column *c, str s)
{
	size_t n = str_runes(s);

	if (c->width < n)
		c->width = n;
}

void
answer_put_table(struct buf *out, const struct answer *a)
{
	struct table t = { .a = a };
	struct answer_rows x = { .r = a->r };
	struct answer_row row;
	struct buf b = { 0 };

	if (!a->head)
		buf_byte(out, '\n');
	if (a->several) {
		tool_show(out, a->expr);
		buf_byte(out, '\n');
	}
	if (answer_empty(a->r)) {
		buf_z(out, "(no series)\n");
		return;
	}
	columns(&t);
	for (size_t i = 0; i < t.n; i++) {
		heading(&b, &t.v[i]);
		widen(&t.v[i], buf_str(&b));
	}
	while (answer_next(&x, &row))
		for (size_t i = 0; i < t.n; i++)
			if (t.v[i].what != VALUE ||
			    (row.h == NULL && row.text == NULL)) {
				cell(&b, &t, &t.v[i], &row);
				widen(&t.v[i], buf_str(&b));
			}
	for (size_t i = 0; i < t.n; i++) {
		heading(&b, &t.v[i]);
		pad(out, &t.v[i], buf_str(&b), t.v[i].what == VALUE);
	}
	x = (struct answer_rows){ .r = a->r };
	while (answer_next(&x, &row))
		for (size_t i = 0; i < t.n; i++) {
			cell(&b, &t, &t.v[i], &row);
			pad(out, &t.v[i], buf_str(&b),
			    t.v[i].what == VALUE && row.text == NULL);
		}
	buf_fini(&b);
}
