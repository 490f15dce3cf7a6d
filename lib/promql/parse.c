/*
 * Tokens to a tree: recursive descent, with every binary operator in one
 * precedence loop over the binding powers of lex.c.  The first error wins and
 * ends the parse; its wording and place are upstream's, which users know.
 */
#include "promql/parse.h"

#include <stdarg.h>
#include <stdio.h>

#include "promql/func.h"

static struct node *expression(struct parser *p, int power);

void
promql_advance(struct parser *p)
{
	p->last = p->t.at + p->t.text.n;
	promql_lex_next(&p->lex, &p->t);
}

int
promql_fail_at(struct parser *p, size_t at, const char *fmt, ...)
{
	char msg[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return promql_error(p->text, at, p->e, "%s", msg);
}

/* The token looked at does not belong here. */
int
promql_unexpected(struct parser *p, const char *context, const char *expected)
{
	struct buf b = { 0 };

	if (p->t.kind == T_ERROR)
		return promql_fail_at(p, p->t.at, "%s", p->lex.err);
	buf_z(&b, "unexpected ");
	promql_token_describe(&b, &p->t);
	if (*context != '\0')
		buf_printf(&b, " in %s", context);
	if (*expected != '\0')
		buf_printf(&b, ", expected %s", expected);
	promql_fail_at(p, p->t.at, "%s", buf_cstr(&b));
	buf_fini(&b);
	return -1;
}

struct node *
promql_node(struct parser *p, enum node_kind kind, size_t at)
{
	struct node *n = arena_new(p->a, struct node);

	n->kind = kind;
	n->at = at;
	n->end = p->last;
	n->depth = 1;
	return n;
}

/* Take note of a child; -1 when the tree has become too deep. */
int
promql_adopt(struct parser *p, struct node *n, const struct node *child)
{
	if (child->depth >= n->depth)
		n->depth = child->depth + 1;
	if (n->depth > PROMQL_DEPTH_MAX)
		return promql_fail_at(
		    p, n->at, "expression is nested too deeply");
	return 0;
}

int
promql_deeper(struct parser *p)
{
	if (++p->depth <= PROMQL_DEPTH_MAX)
		return 0;
	return promql_fail_at(p, p->t.at, "expression is nested too deeply");
}

/*
 * Lists of names, calls and aggregations.
 */

static int
grouping(struct parser *p, const str **names, size_t *n)
{
	static const char context[] = "grouping opts";
	str *v = NULL;
	size_t cap = 0;
	bool more = true;

	if (p->t.kind != T_LPAREN)
		return promql_unexpected(p, context, "\"(\"");
	promql_advance(p);
	for (*n = 0; p->t.kind != T_RPAREN; (*n)++) {
		if (!more)
			return promql_unexpected(p, context, "\",\" or \")\"");
		v = arena_grow(p->a, v, &cap, *n + 1, sizeof(*v));
		if (p->t.kind == T_STRING) {
			size_t at = p->t.at;

			if (promql_string_value(p, &v[*n]) == -1)
				return -1;
			if (v[*n].n == 0)
				return promql_fail_at(p, at,
				    "invalid label name for "
				    "grouping: \"\"");
		} else if ((p->t.kind == T_IDENT ||
			       (p->t.kind == T_OP &&
				   label_name_valid(p->t.text))) &&
		    label_name_valid(p->t.text)) {
			v[*n] = p->t.text;
			promql_advance(p);
		} else
			return promql_unexpected(p, context, "label");
		more = p->t.kind == T_COMMA;
		if (more)
			promql_advance(p);
		if (more && p->t.kind == T_COMMA)
			return promql_unexpected(p, context, "label");
	}
	promql_advance(p);
	*names = v;
	return 0;
}

/* (a, b, ...) into n->arg */
static int
arguments(struct parser *p, struct node *n)
{
	size_t cap = 0;

	promql_advance(p);
	while (p->t.kind != T_RPAREN) {
		struct node *x;
		size_t comma;

		x = expression(p, 1);
		if (x == NULL || promql_adopt(p, n, x) == -1)
			return -1;
		n->arg = arena_grow(
		    p->a, n->arg, &cap, n->narg + 1, sizeof(struct node *));
		n->arg[n->narg++] = x;
		if (p->t.kind == T_RPAREN)
			break;
		if (p->t.kind != T_COMMA)
			return promql_unexpected(p, "", "");
		comma = p->t.at;
		promql_advance(p);
		if (p->t.kind == T_RPAREN)
			return promql_fail_at(p, comma,
			    "trailing commas not allowed "
			    "in function call args");
	}
	promql_advance(p);
	n->end = p->last;
	return 0;
}

static struct node *
call(struct parser *p, const struct token *name)
{
	struct node *n = promql_node(p, N_CALL, name->at);

	n->text = name->text;
	n->fn = promql_func(name->text);
	if (n->fn == NULL) {
		promql_fail_at(p, name->at,
		    "unknown function with name \"%.*s\"", STR_ARG(name->text));
		return NULL;
	}
	if (!promql_func_enabled(n->fn, p->features)) {
		promql_fail_at(
		    p, name->at, "function \"%s\" is not enabled", n->fn->name);
		return NULL;
	}
	n->type = n->fn->type;
	if (arguments(p, n) == -1)
		return NULL;
	if (strcmp(n->fn->name, "info") == 0 && n->narg == 2)
		n->arg[1]->loose = true;
	return n;
}

static int
aggregate_modifier(struct parser *p, struct node *n)
{
	if (p->t.kind != T_IDENT ||
	    (p->t.word != W_BY && p->t.word != W_WITHOUT))
		return 0;
	n->grouped = true;
	n->without = p->t.word == W_WITHOUT;
	promql_advance(p);
	return grouping(p, &n->by, &n->nby);
}

static bool
takes_parameter(enum word op)
{
	return op == W_TOPK || op == W_BOTTOMK || op == W_QUANTILE ||
	    op == W_COUNT_VALUES || op == W_LIMITK || op == W_LIMIT_RATIO;
}

static struct node *
aggregate(struct parser *p, const struct token *op)
{
	struct node *n = promql_node(p, N_AGGREGATE, op->at);
	size_t want = takes_parameter(op->word) ? 2 : 1;

	n->type = PROMQL_VECTOR;
	n->op = op->word;
	n->text = op->text;
	if (aggregate_modifier(p, n) == -1)
		return NULL;
	if (p->t.kind != T_LPAREN) {
		promql_unexpected(p, "aggregation", "");
		return NULL;
	}
	if (arguments(p, n) == -1)
		return NULL;
	if (!n->grouped && aggregate_modifier(p, n) == -1)
		return NULL;
	n->end = p->last;
	if (n->narg == 0) {
		promql_fail_at(
		    p, n->at, "no arguments for aggregate expression provided");
		return NULL;
	}
	if ((n->op == W_LIMITK || n->op == W_LIMIT_RATIO) &&
	    !(p->features & PROMQL_FUNCTIONS)) {
		promql_fail_at(p, n->at,
		    "%s() is experimental and must be enabled with "
		    "--enable-feature=promql-experimental-functions",
		    promql_word_text(n->op));
		return NULL;
	}
	if (n->narg != want) {
		promql_fail_at(p, n->at,
		    "wrong number of arguments for aggregate expression "
		    "provided, expected %zu, got %zu",
		    want, n->narg);
		return NULL;
	}
	n->sub = n->arg[--n->narg];
	return n;
}

/* Words that cannot be the name of a metric where an operand is wanted. */
static bool
reserved(enum word w)
{
	return w == W_BOOL || w == W_ON || w == W_IGNORING ||
	    w == W_GROUP_LEFT || w == W_GROUP_RIGHT;
}

static struct node *
word_operand(struct parser *p)
{
	struct parser saved = *p;
	struct token t = p->t;

	promql_advance(p);
	if (promql_word_is_aggregation(t.word) &&
	    (p->t.kind == T_LPAREN ||
		(p->t.kind == T_IDENT &&
		    (p->t.word == W_BY || p->t.word == W_WITHOUT))))
		return aggregate(p, &t);
	if (p->t.kind == T_LPAREN &&
	    (t.word == W_NONE || t.word == W_START || t.word == W_END) &&
	    str_chr(t.text, ':') == t.text.n)
		return call(p, &t);
	*p = saved;
	return promql_selector(p);
}

/*
 * Operands and what stands behind them.
 */

static struct node *
paren(struct parser *p)
{
	struct node *n = promql_node(p, N_PAREN, p->t.at);

	promql_advance(p);
	n->sub = expression(p, 1);
	if (n->sub == NULL || promql_adopt(p, n, n->sub) == -1)
		return NULL;
	if (p->t.kind != T_RPAREN) {
		promql_unexpected(p, "", "");
		return NULL;
	}
	promql_advance(p);
	n->type = n->sub->type;
	n->end = p->last;
	return n;
}

/* A sign binds as * does, so -1 ^ 2 is -(1 ^ 2). */
static struct node *
unary(struct parser *p)
{
	struct node *n = promql_node(p, N_UNARY, p->t.at), *x;

	n->op = p->t.word;
	promql_advance(p);
	x = expression(p, promql_word_power(W_POW));
	if (x == NULL || promql_adopt(p, n, x) == -1)
		return NULL;
	if (x->kind == N_NUMBER) {
		if (n->op == W_SUB)
			x->num = -x->num;
		x->at = n->at;
		return x;
	}
	n->sub = x;
	n->type = x->type;
	n->end = p->last;
	return n;
}

static struct node *
string_literal(struct parser *p)
{
	struct node *n = promql_node(p, N_STRING, p->t.at);

	n->type = PROMQL_STRING;
	if (promql_string_value(p, &n->text) == -1)
		return NULL;
	n->end = p->last;
	return n;
}

static struct node *
operand(struct parser *p)
{
	bool names = p->t.kind == T_IDENT ||
	    (p->t.kind == T_OP && promql_word_is_set(p->t.word));

	if (p->t.kind == T_NUMBER || p->t.kind == T_DURATION)
		return promql_number_literal(p);
	if (p->t.kind == T_STRING)
		return string_literal(p);
	if (p->t.kind == T_LPAREN)
		return paren(p);
	if (p->t.kind == T_LBRACE)
		return promql_selector(p);
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB))
		return unary(p);
	if (names && !reserved(p->t.word))
		return word_operand(p);
	promql_unexpected(p, "", "");
	return NULL;
}

static struct node *
postfix(struct parser *p)
{
	struct node *x = operand(p);

	while (x != NULL) {
		int r = 0;

		if (p->t.kind == T_LBRACKET) {
			x = promql_brackets(p, x);
			continue;
		}
		if (p->t.kind == T_AT)
			r = promql_at(p, x);
		else if (p->t.kind == T_IDENT && p->t.word == W_OFFSET)
			r = promql_offset(p, x);
		else if (p->t.kind == T_IDENT &&
		    (p->t.word == W_ANCHORED || p->t.word == W_SMOOTHED))
			r = promql_extend(p, x);
		else
			break;
		if (r == -1)
			return NULL;
	}
	return x;
}

/*
 * Binary operators.
 */

static int
fill_value(struct parser *p, double *v)
{
	double sign = 1;
	struct node *n;

	if (p->t.kind != T_LPAREN)
		return promql_unexpected(p, "fill modifier", "\"(\"");
	promql_advance(p);
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB)) {
		sign = p->t.word == W_SUB ? -1 : 1;
		promql_advance(p);
	}
	if (p->t.kind != T_NUMBER && p->t.kind != T_DURATION)
		return promql_unexpected(p, "fill modifier", "number");
	n = promql_number_literal(p);
	if (n == NULL)
		return -1;
	if (p->t.kind != T_RPAREN)
		return promql_unexpected(p, "fill modifier", "\")\"");
	promql_advance(p);
	*v = sign * n->num;
	return 0;
}

static int
fill(struct parser *p, struct matching *m)
{
	while (p->t.kind == T_IDENT && p->t.word >= W_FILL &&
	    p->t.word <= W_FILL_RIGHT) {
		enum word w = p->t.word;
		bool left = w != W_FILL_RIGHT, right = w != W_FILL_LEFT;
		double v = 0;

		if (!(p->features & PROMQL_FILL))
			return promql_fail_at(p, p->t.at,
			    "binop fill modifiers are experimental and not "
			    "enabled");
		if ((left && m->has_fill[0]) || (right && m->has_fill[1]))
			return promql_unexpected(p, "", "");
		promql_advance(p);
		if (fill_value(p, &v) == -1)
			return -1;
		if (left) {
			m->has_fill[0] = true;
			m->fill[0] = v;
		}
		if (right) {
			m->has_fill[1] = true;
			m->fill[1] = v;
		}
	}
	return 0;
}

/* bool, on or ignoring, group_left or group_right, fill */
static int
binary_modifiers(struct parser *p, struct node *n)
{
	struct matching *m = &n->match;

	if (p->t.kind == T_IDENT && p->t.word == W_BOOL) {
		n->returns_bool = true;
		promql_advance(p);
	}
	if (p->t.kind == T_IDENT &&
	    (p->t.word == W_ON || p->t.word == W_IGNORING)) {
		m->given = true;
		m->on = p->t.word == W_ON;
		promql_advance(p);
		if (grouping(p, &m->labels, &m->nlabels) == -1)
			return -1;
	}
	if (m->given && p->t.kind == T_IDENT &&
	    (p->t.word == W_GROUP_LEFT || p->t.word == W_GROUP_RIGHT)) {
		m->card =
		    p->t.word == W_GROUP_LEFT ? CARD_MANY_ONE : CARD_ONE_MANY;
		promql_advance(p);
		if (p->t.kind == T_LPAREN &&
		    grouping(p, &m->include, &m->ninclude) == -1)
			return -1;
	}
	return fill(p, m);
}

static struct node *
expression(struct parser *p, int power)
{
	struct node *l, *n;

	if (promql_deeper(p) == -1)
		return NULL;
	l = postfix(p);
	if (l == NULL)
		return NULL;
	while (p->t.kind == T_OP) {
		enum word op = p->t.word;
		int bp = promql_word_power(op);

		if (bp < power)
			break;
		promql_advance(p);
		n = promql_node(p, N_BINARY, l->at);
		n->op = op;
		n->sub = l;
		if (binary_modifiers(p, n) == -1)
			return NULL;
		n->rhs = expression(p, op == W_POW ? bp : bp + 1);
		if (n->rhs == NULL || promql_adopt(p, n, l) == -1 ||
		    promql_adopt(p, n, n->rhs) == -1)
			return NULL;
		n->type =
		    l->type == PROMQL_SCALAR && n->rhs->type == PROMQL_SCALAR
		    ? PROMQL_SCALAR
		    : PROMQL_VECTOR;
		n->end = n->rhs->end;
		l = n;
	}
	p->depth--;
	return l;
}

static void
selectors_free(struct node *n)
{
	for (; n != NULL; n = n->next_selector)
		for (size_t i = 0; i < n->nm; i++)
			match_fini(&n->m[i]);
}

struct promql_expr *
promql_parse(str text, struct arena *a, struct error *e)
{
	return promql_parse_with(text, 0, a, e);
}

struct promql_expr *
promql_parse_with(str text, unsigned features, struct arena *a, struct error *e)
{
	struct parser p = { .a = a, .e = e, .features = features };
	struct promql_expr *x;
	struct node *n;

	p.text = arena_dup(a, text);
	promql_lex_init(&p.lex, p.text);
	promql_advance(&p);
	if (p.t.kind == T_EOF) {
		promql_fail_at(&p, 0, "no expression found in input");
		return NULL;
	}
	n = expression(&p, 1);
	if (n != NULL && p.t.kind != T_EOF) {
		promql_unexpected(&p, "", "");
		n = NULL;
	}
	if (n == NULL || promql_check(n, p.text, e) == -1) {
		selectors_free(p.selectors);
		return NULL;
	}
	x = arena_new(a, struct promql_expr);
	x->text = p.text;
	x->features = features;
	x->root = n;
	x->selectors = p.selectors;
	return x;
}

void
promql_free(struct promql_expr *x)
{
	if (x == NULL)
		return;
	selectors_free(x->selectors);
	x->selectors = NULL;
}

int
promql_parse_matchers(
    str text, struct arena *a, struct match **m, size_t *n, struct error *e)
{
	struct parser p = { .a = a, .e = e };
	struct node *x = NULL;

	p.text = arena_dup(a, text);
	promql_lex_init(&p.lex, p.text);
	promql_advance(&p);
	if (p.t.kind == T_LBRACE ||
	    ((p.t.kind == T_IDENT || p.t.kind == T_OP) &&
		label_metric_valid(p.t.text)))
		x = promql_selector(&p);
	else
		promql_unexpected(&p, "", "");
	if (x != NULL && p.t.kind != T_EOF) {
		promql_unexpected(&p, "", "");
		x = NULL;
	}
	if (x == NULL || promql_check_selector(x, p.text, e) == -1) {
		selectors_free(p.selectors);
		return -1;
	}
	*m = x->m;
	*n = x->nm;
	return 0;
}
