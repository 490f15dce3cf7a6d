/*
 * A tree as canonical text on one line, as upstream's String() writes it:
 * what mf-eval fmt, error messages and the API show.  Reading it back gives
 * the same tree.
 */
#include "promql/ast.h"

#include <float.h>
#include <inttypes.h>

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
	for (size_t i = 0; i < shown; i++) {
		buf_z(b, sep);
		match_print(b, &n->m[i]);
		sep = ",";
	}
	if (*sep == ',')
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

static void
subquery(struct buf *b, const struct node *n)
{
	node(b, n->sub);
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
aggregate(struct buf *b, const struct node *n)
{
	buf_z(b, promql_word_text(n->op));
	if (n->without || n->nby > 0) {
		buf_z(b, n->without ? " without " : " by ");
		names(b, n->by, n->nby);
		buf_byte(b, ' ');
	}
	arguments(b, n);
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

static void
binary(struct buf *b, const struct node *n)
{
	const struct matching *m = &n->match;
	bool grouped = m->card == CARD_MANY_ONE || m->card == CARD_ONE_MANY;

	left(b, n);
	buf_printf(b, " %s ", promql_word_text(n->op));
	if (n->returns_bool)
		buf_z(b, "bool ");
	if (m->given && (m->on || m->nlabels > 0 || grouped)) {
		buf_z(b, m->on ? "on " : "ignoring ");
		names(b, m->labels, m->nlabels);
		buf_byte(b, ' ');
	}
	if (grouped) {
		buf_z(b,
		    m->card == CARD_MANY_ONE ? "group_left " : "group_right ");
		names(b, m->include, m->ninclude);
		buf_byte(b, ' ');
	}
	if (m->has_fill[0] || m->has_fill[1]) {
		b->n--;
		fill(b, m);
		buf_byte(b, ' ');
	}
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
		subquery(b, n);
		return;
	case N_CALL:
		buf_add(b, n->text);
		arguments(b, n);
		return;
	case N_AGGREGATE:
		aggregate(b, n);
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
