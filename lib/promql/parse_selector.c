/*
 * Selectors with their matchers, and what changes where a selector or a
 * subquery looks: ranges, offset, @, anchored and smoothed.
 */
#include "promql/parse.h"

#include <math.h>

/*
 * Selectors.
 */

static int
matcher_add(struct parser *p, struct node *n, size_t *cap, enum match_op op,
    str name, str value, size_t at)
{
	struct error e;

	n->m = arena_grow(p->a, n->m, cap, n->nm + 1, sizeof(*n->m));
	if (match_init(&n->m[n->nm], op, name, value, &e) == -1)
		return promql_fail_at(p, at, "%s", e.msg);
	n->nm++;
	return 0;
}

/* A string token's bytes. */
int
promql_string_value(struct parser *p, str *out)
{
	struct error e;

	if (promql_unquote(p->t.text, p->a, out, &e) == -1)
		return promql_fail_at(p, p->t.at, "%s", e.msg);
	promql_advance(p);
	return 0;
}

static int
match_operator(struct parser *p, enum match_op *op)
{
	if (p->t.kind == T_EQL)
		*op = MATCH_EQ;
	else if (p->t.kind == T_OP && p->t.word == W_NE)
		*op = MATCH_NE;
	else if (p->t.kind == T_MATCH)
		*op = p->t.text.p[0] == '=' ? MATCH_RE : MATCH_NRE;
	else
		return -1;
	return 0;
}

static int
metric_name(struct parser *p, struct node *n, str name)
{
	if (n->text.n > 0)
		return promql_fail_at(p, n->at,
		    "metric name must not be set twice: \"%.*s\" or \"%.*s\"",
		    STR_ARG(n->text), STR_ARG(name));
	n->text = name;
	n->quoted = true;
	return 0;
}

/* name="value", or "a name" alone */
static int
matcher(struct parser *p, struct node *n, size_t *cap)
{
	static const char context[] = "label matching";
	struct token t = p->t;
	enum match_op op;
	str name, value;

	if (t.kind == T_IDENT) {
		name = t.text;
		promql_advance(p);
	} else if (t.kind == T_STRING) {
		if (promql_string_value(p, &name) == -1)
			return -1;
		if (p->t.kind == T_COMMA || p->t.kind == T_RBRACE) {
			return metric_name(p, n, name);
		}
	} else
		return promql_unexpected(p, context, "identifier or \"}\"");
	if (match_operator(p, &op) == -1)
		return t.kind == T_STRING
		    ? promql_unexpected(p, context, "\",\" or \"}\"")
		    : promql_unexpected(p, context, "label matching operator");
	promql_advance(p);
	if (p->t.kind != T_STRING)
		return promql_unexpected(p, context, "string");
	if (promql_string_value(p, &value) == -1)
		return -1;
	return matcher_add(p, n, cap, op, name, value, t.at);
}

static int
matchers(struct parser *p, struct node *n, size_t *cap)
{
	promql_advance(p);
	while (p->t.kind != T_RBRACE) {
		if (matcher(p, n, cap) == -1)
			return -1;
		if (p->t.kind == T_COMMA) {
			promql_advance(p);
			if (p->t.kind == T_COMMA)
				return promql_unexpected(
				    p, "label matching", "identifier or \"}\"");
		} else if (p->t.kind != T_RBRACE)
			return promql_unexpected(
			    p, "label matching", "\",\" or \"}\"");
	}
	promql_advance(p);
	return 0;
}

/* name{...}, name or {...}; the token looked at is its first. */
struct node *
promql_selector(struct parser *p)
{
	struct node *n = promql_node(p, N_VECTOR, p->t.at);
	size_t cap = 0;

	n->type = PROMQL_VECTOR;
	n->next_selector = p->selectors;
	p->selectors = n;
	if (p->t.kind != T_LBRACE) {
		n->text = p->t.text;
		promql_advance(p);
	}
	if (p->t.kind == T_LBRACE && matchers(p, n, &cap) == -1)
		return NULL;
	for (size_t i = 0; i < n->nm && n->text.n > 0; i++)
		if (n->m[i].op == MATCH_EQ &&
		    str_eq(n->m[i].name, LABEL_NAME)) {
			metric_name(p, n, n->m[i].value);
			return NULL;
		}
	if (n->text.n > 0 &&
	    matcher_add(p, n, &cap, MATCH_EQ, LABEL_NAME, n->text, n->at) == -1)
		return NULL;
	n->end = p->last;
	return n;
}

/*
 * What stands behind them.
 */

/* What offset and @ of x change; NULL and the message if it takes none. */
static struct modifier *
modified(struct parser *p, struct node *x, const char *what)
{
	if (x->kind == N_MATRIX)
		return &x->sub->mod;
	if (x->kind == N_VECTOR || x->kind == N_SUBQUERY)
		return &x->mod;
	promql_fail_at(p, x->at,
	    "%s modifier must be preceded by an instant vector selector or "
	    "range vector selector or a subquery",
	    what);
	return NULL;
}

int
promql_offset(struct parser *p, struct node *x)
{
	struct modifier *m;
	struct node *n;

	promql_advance(p);
	n = promql_span_expression(p, 1000, "offset");
	if (n == NULL)
		return -1;
	m = modified(p, x, "offset");
	if (m == NULL)
		return -1;
	if (m->offset.set)
		return promql_fail_at(
		    p, x->at, "offset may not be set multiple times");
	x->end = p->last;
	return promql_span_set(p, &m->offset, n, false);
}

/* The time behind @: a number with any sign, start() or end(). */
static int
at_time(struct parser *p, enum at_kind *at, double *v)
{
	double sign = 1;
	struct node *n;

	*at = AT_TIME;
	if (p->t.kind == T_IDENT &&
	    (p->t.word == W_START || p->t.word == W_END)) {
		*at = p->t.word == W_START ? AT_START : AT_END;
		promql_advance(p);
		if (p->t.kind != T_LPAREN)
			return promql_unexpected(p, "@", "timestamp");
		promql_advance(p);
		if (p->t.kind != T_RPAREN)
			return promql_unexpected(p, "@", "timestamp");
		promql_advance(p);
		return 0;
	}
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB)) {
		sign = p->t.word == W_SUB ? -1 : 1;
		promql_advance(p);
	}
	if (p->t.kind != T_NUMBER && p->t.kind != T_DURATION)
		return promql_unexpected(p, "@", "timestamp");
	n = promql_number_literal(p);
	if (n == NULL)
		return -1;
	*v = sign * n->num;
	return 0;
}

int
promql_at(struct parser *p, struct node *x)
{
	struct modifier *m;
	enum at_kind kind;
	double v = 0;

	promql_advance(p);
	if (at_time(p, &kind, &v) == -1)
		return -1;
	m = modified(p, x, "@");
	if (m == NULL)
		return -1;
	if (m->at != AT_NONE)
		return promql_fail_at(
		    p, x->at, "@ <timestamp> may not be set multiple times");
	/* Times count as ms in an int64. */
	if (!(fabs(v) < 9.2e15))
		return promql_fail_at(
		    p, x->at, "timestamp out of bounds for @ modifier: %f", v);
	m->at = kind;
	m->at_ms = (int64_t)round(v * 1000);
	x->end = p->last;
	return 0;
}

int
promql_extend(struct parser *p, struct node *x)
{
	struct modifier *m = NULL;
	enum word w = p->t.word;

	if (x->kind == N_VECTOR)
		m = &x->mod;
	else if (x->kind == N_MATRIX)
		m = &x->sub->mod;
	if (m == NULL || (w == W_ANCHORED && x->kind != N_MATRIX))
		return promql_fail_at(p, x->at,
		    "%s modifier must be preceded by %s range vector selector",
		    promql_word_text(w),
		    w == W_ANCHORED ? "a" : "an instant or");
	if (!(p->features & PROMQL_EXTENDED))
		return promql_fail_at(p, x->at,
		    "%s modifier is experimental and not enabled",
		    promql_word_text(w));
	if (m->extend != W_NONE && m->extend != w)
		return promql_fail_at(p, x->at,
		    "anchored and smoothed modifiers cannot be used together");
	m->extend = w;
	promql_advance(p);
	x->end = p->last;
	return 0;
}

/* [range] behind a selector */
static struct node *
matrix(struct parser *p, struct node *x, struct node *range, size_t bracket)
{
	struct node *n = promql_node(p, N_MATRIX, x->at);

	n->type = PROMQL_MATRIX;
	n->end = p->last;
	n->sub = x;
	if (x->kind != N_VECTOR) {
		promql_fail_at(
		    p, bracket, "ranges only allowed for vector selectors");
		return NULL;
	}
	if (x->mod.offset.set) {
		promql_fail_at(
		    p, bracket, "no offset modifiers allowed before range");
		return NULL;
	}
	if (x->mod.at != AT_NONE) {
		promql_fail_at(
		    p, bracket, "no @ modifiers allowed before range");
		return NULL;
	}
	if (promql_span_set(p, &n->range, range, true) == -1 ||
	    promql_adopt(p, n, x) == -1)
		return NULL;
	return n;
}

/* [range] or [range:step]; the token looked at is the bracket. */
struct node *
promql_brackets(struct parser *p, struct node *x)
{
	size_t bracket = p->t.at;
	struct node *range, *step = NULL, *n;

	promql_advance(p);
	range = promql_span_expression(p, 1, "subquery or range selector");
	if (range == NULL)
		return NULL;
	if (p->t.kind == T_RBRACKET) {
		promql_advance(p);
		return matrix(p, x, range, bracket);
	}
	if (p->t.kind != T_COLON) {
		promql_unexpected(p, "subquery or range", "\":\" or \"]\"");
		return NULL;
	}
	promql_advance(p);
	if (p->t.kind != T_RBRACKET) {
		step = promql_span_expression(p, 1, "subquery selector");
		if (step == NULL)
			return NULL;
	}
	if (p->t.kind != T_RBRACKET) {
		promql_unexpected(p, "subquery selector", "\"]\"");
		return NULL;
	}
	promql_advance(p);
	n = promql_node(p, N_SUBQUERY, x->at);
	n->type = PROMQL_MATRIX;
	n->sub = x;
	if (promql_adopt(p, n, x) == -1 ||
	    promql_span_set(p, &n->range, range, true) == -1 ||
	    (step != NULL && promql_span_set(p, &n->step, step, true) == -1))
		return NULL;
	return n;
}
