/*
 * A tree as canonical text: on one line, as upstream's String() writes it,
 * which is what error messages show; and as its Pretty(), for people, with
 * what is longer than a line split into its parts.  Reading either back gives
 * the same tree.
 */
#include "promql/ast.h"

#include <float.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/dur.h"
#include "base/num.h"
#include "base/quote.h"
#include "promql/func.h"

static void node(struct buf *b, const struct node *n);

/* A label's name as a list of them has it: quoted unless it is classic. */
static void
name(struct buf *b, str s)
{
	if (label_name_valid(s))
		buf_add(b, s);
	else
		quote_add(b, s);
}

static void
names(struct buf *b, const str *v, size_t n)
{
	buf_byte(b, '(');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_z(b, ", ");
		name(b, v[i]);
	}
	buf_byte(b, ')');
}

void
promql_print_labels(struct buf *b, struct labels ls)
{
	buf_byte(b, '{');
	for (size_t i = 0; i < ls.n; i++) {
		if (i > 0)
			buf_z(b, ", ");
		name(b, ls.v[i].name);
		buf_byte(b, '=');
		quote_add(b, ls.v[i].value);
	}
	buf_byte(b, '}');
}

static void
milliseconds(struct buf *b, int64_t ms)
{
	if (ms < 0) {
		buf_byte(b, '-');
		ms = -ms;
	}
	dur_print(b, ms);
}

static void
span(struct buf *b, const struct span *s)
{
	if (s->expr != NULL)
		node(b, s->expr);
	else
		milliseconds(b, s->ms);
}

/* What stands behind a selector, @ first. */
static void
modifiers(struct buf *b, const struct modifier *m)
{
	if (m->extend != W_NONE)
		buf_printf(b, " %s", promql_word_text(m->extend));
	if (m->at == AT_START)
		buf_z(b, " @ start()");
	else if (m->at == AT_END)
		buf_z(b, " @ end()");
	else if (m->at == AT_TIME)
		buf_printf(b, " @ %s%" PRId64 ".%03d", m->at_ms < 0 ? "-" : "",
		    m->at_ms < 0 ? -(m->at_ms / 1000) : m->at_ms / 1000,
		    (int)(m->at_ms < 0 ? -(m->at_ms % 1000) : m->at_ms % 1000));
	if (m->offset.set && (m->offset.expr != NULL || m->offset.ms != 0)) {
		buf_z(b, " offset ");
		span(b, &m->offset);
	}
}

static int
text_cmp(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* Matchers in the order of their texts, as upstream has them. */
static void
matchers(struct buf *b, const struct match *m, size_t n, const char *sep)
{
	struct arena a = { 0 };
	str *v = arena_array(&a, n, str);
	struct buf one = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_reset(&one);
		match_print(&one, &m[i]);
		v[i] = arena_dup(&a, buf_str(&one));
	}
	if (n > 1)
		qsort(v, n, sizeof(*v), text_cmp);
	for (size_t i = 0; i < n; i++) {
		buf_z(b, sep);
		buf_add(b, v[i]);
		sep = ",";
	}
	buf_fini(&one);
	arena_fini(&a);
}

/* The matcher of the name stands last, where parse.c put it. */
static void
selector(struct buf *b, const struct node *n)
{
	size_t shown = n->text.n > 0 ? n->nm - 1 : n->nm;
	const char *sep = "{";

	if (n->nm == 0)
		buf_z(b, "{}");
	if (n->text.n > 0 && label_metric_valid(n->text))
		buf_add(b, n->text);
	else if (n->text.n > 0) {
		buf_byte(b, '{');
		quote_add(b, n->text);
		sep = ",";
	}
	matchers(b, n->m, shown, sep);
	if (shown > 0 || *sep == ',')
		buf_byte(b, '}');
}

static void
matrix(struct buf *b, const struct node *n)
{
	selector(b, n->sub);
	buf_byte(b, '[');
	span(b, &n->range);
	buf_byte(b, ']');
	modifiers(b, &n->sub->mod);
}

/* What stands behind its expression. */
static void
subquery_end(struct buf *b, const struct node *n)
{
	buf_byte(b, '[');
	span(b, &n->range);
	buf_byte(b, ':');
	if (n->step.set)
		span(b, &n->step);
	buf_byte(b, ']');
	modifiers(b, &n->mod);
}

static void
arguments(struct buf *b, const struct node *n)
{
	buf_byte(b, '(');
	for (size_t i = 0; i < n->narg; i++) {
		if (i > 0)
			buf_z(b, ", ");
		node(b, n->arg[i]);
	}
	if (n->kind == N_AGGREGATE) {
		if (n->narg > 0)
			buf_z(b, ", ");
		node(b, n->sub);
	}
	buf_byte(b, ')');
}

static void
aggregate_begin(struct buf *b, const struct node *n)
{
	buf_z(b, promql_word_text(n->op));
	if (n->without || n->nby > 0) {
		buf_z(b, n->without ? " without " : " by ");
		names(b, n->by, n->nby);
		buf_byte(b, ' ');
	}
}

static void
fill(struct buf *b, const struct matching *m)
{
	static const char *const words[] = { "fill_left", "fill_right" };

	if (m->has_fill[0] && m->has_fill[1] &&
	    num_bits(m->fill[0]) == num_bits(m->fill[1])) {
		buf_z(b, " fill (");
		num_format(b, m->fill[0], 'g', -1);
		buf_byte(b, ')');
		return;
	}
	for (int i = 0; i < 2; i++)
		if (m->has_fill[i]) {
			buf_printf(b, " %s (", words[i]);
			num_format(b, m->fill[i], 'g', -1);
			buf_byte(b, ')');
		}
}

/*
 * The sign of +Inf, which text carries everywhere else, would be read before
 * a power as a sign of the whole power.
 */
static void
left(struct buf *b, const struct node *n)
{
	const struct node *l = n->sub;

	if (n->op == W_POW && l->kind == N_NUMBER && l->num > DBL_MAX)
		buf_z(b, "Inf");
	else
		node(b, l);
}

/* The operator and its modifiers. */
static void
operator(struct buf *b, const struct node *n)
{
	const struct matching *m = &n->match;
	bool grouped = m->card == CARD_MANY_ONE || m->card == CARD_ONE_MANY;

	buf_z(b, promql_word_text(n->op));
	if (n->returns_bool)
		buf_z(b, " bool");
	if (m->given && (m->on || m->nlabels > 0 || grouped)) {
		buf_z(b, m->on ? " on " : " ignoring ");
		names(b, m->labels, m->nlabels);
	}
	if (grouped) {
		buf_z(b,
		    m->card == CARD_MANY_ONE ? " group_left "
					     : " group_right ");
		names(b, m->include, m->ninclude);
	}
	fill(b, m);
}

static void
binary(struct buf *b, const struct node *n)
{
	left(b, n);
	buf_byte(b, ' ');
	operator(b, n);
	buf_byte(b, ' ');
	node(b, n->rhs);
}

static void
number(struct buf *b, const struct node *n)
{
	if (n->is_duration)
		milliseconds(b, (int64_t)round(n->num * 1000));
	else
		num_format(b, n->num, 'f', -1);
}

static void
node(struct buf *b, const struct node *n)
{
	switch (n->kind) {
	case N_NUMBER:
		number(b, n);
		return;
	case N_STRING:
		quote_add(b, n->text);
		return;
	case N_VECTOR:
		selector(b, n);
		modifiers(b, &n->mod);
		return;
	case N_MATRIX:
		matrix(b, n);
		return;
	case N_SUBQUERY:
		node(b, n->sub);
		subquery_end(b, n);
		return;
	case N_CALL:
		buf_add(b, n->text);
		arguments(b, n);
		return;
	case N_AGGREGATE:
		aggregate_begin(b, n);
		arguments(b, n);
		return;
	case N_BINARY:
		binary(b, n);
		return;
	case N_UNARY:
		buf_z(b, promql_word_text(n->op));
		node(b, n->sub);
		return;
	case N_PAREN:
		buf_byte(b, '(');
		node(b, n->sub);
		buf_byte(b, ')');
		return;
	}
}

void
promql_print(struct buf *b, const struct promql_expr *x)
{
	node(b, x->root);
}

/*
 * The pretty form.  A part that a line has room for is printed as above.  The
 * level is how deep a part stands that has lines of its own; upstream leaves
 * a short subquery where it is, at the beginning of a line, and so do we.
 */

#define LINE_MAX_BYTES 100

static void pretty(struct buf *b, const struct node *n, unsigned level);

static void
indent(struct buf *b, unsigned level)
{
	while (level-- > 0)
		buf_z(b, "  ");
}

/* Parts, a line each, in parentheses. */
static void
pretty_parts(struct buf *b, struct node *const *v, size_t n,
    const struct node *last, unsigned level)
{
	buf_z(b, "(\n");
	for (size_t i = 0; i < n; i++) {
		pretty(b, v[i], level + 1);
		buf_z(b, i + 1 < n || last != NULL ? ",\n" : "\n");
	}
	if (last != NULL) {
		pretty(b, last, level + 1);
		buf_byte(b, '\n');
	}
	indent(b, level);
	buf_byte(b, ')');
}

static void
pretty_binary(struct buf *b, const struct node *n, unsigned level)
{
	if (n->op == W_POW && n->sub->kind == N_NUMBER) {
		indent(b, level + 1);
		left(b, n);
	} else
		pretty(b, n->sub, level + 1);
	buf_byte(b, '\n');
	indent(b, level);
	operator(b, n);
	buf_byte(b, '\n');
	pretty(b, n->rhs, level + 1);
}

/* The sign stands before its operand, in the first line of that. */
static void
pretty_unary(struct buf *b, const struct node *n, unsigned level)
{
	struct buf part = { 0 };

	pretty(&part, n->sub, level);
	indent(b, level);
	buf_z(b, promql_word_text(n->op));
	buf_add(b, str_trim(buf_str(&part)));
	buf_fini(&part);
}

/* n does not fit on a line. */
static void
pretty_split(struct buf *b, const struct node *n, unsigned level)
{
	switch (n->kind) {
	case N_AGGREGATE:
		indent(b, level);
		aggregate_begin(b, n);
		pretty_parts(b, n->arg, n->narg, n->sub, level);
		return;
	case N_BINARY:
		pretty_binary(b, n, level);
		return;
	case N_CALL:
		indent(b, level);
		buf_add(b, n->text);
		pretty_parts(b, n->arg, n->narg, NULL, level);
		return;
	case N_PAREN:
		indent(b, level);
		pretty_parts(b, NULL, 0, n->sub, level);
		return;
	case N_SUBQUERY:
		pretty(b, n->sub, level);
		subquery_end(b, n);
		return;
	case N_UNARY:
		pretty_unary(b, n, level);
		return;
	case N_NUMBER:
	case N_STRING:
	case N_VECTOR:
	case N_MATRIX:
		indent(b, level);
		node(b, n);
		return;
	}
}

static void
pretty(struct buf *b, const struct node *n, unsigned level)
{
	size_t from = b->n, at;

	indent(b, n->kind == N_SUBQUERY ? 0 : level);
	at = b->n;
	node(b, n);
	if (b->n - at <= LINE_MAX_BYTES)
		return;
	b->n = from;
	pretty_split(b, n, level);
}

void
promql_print_pretty(struct buf *b, const struct promql_expr *x)
{
	pretty(b, x->root, 0);
}
