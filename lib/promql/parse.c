/*
 * Tokens to a tree: recursive descent, with every binary operator in one
 * precedence loop over the binding powers of lex.c.  The first error wins and
 * ends the parse; its wording and place are upstream's, which users know.
 */
#include "promql/ast.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dur.h"
#include "base/num.h"
#include "promql/func.h"

/* Deeper trees are refused, since the tree is walked by recursion. */
#define DEPTH_MAX 1000

/* Durations count as ms in an int64; beyond this they would not fit ns. */
#define SPAN_MAX INT64_C(9223372036854)

struct parser {
	struct lex lex;
	struct token t; /* the one looked at */
	size_t last;    /* where the token before it ended */
	unsigned depth;
	str text;
	struct arena *a;
	struct node *selectors;
	struct error *e;
};

static struct node *expression(struct parser *p, int power);

static void
advance(struct parser *p)
{
	p->last = p->t.at + p->t.text.n;
	promql_lex_next(&p->lex, &p->t);
}

static int fail_at(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail_at(struct parser *p, size_t at, const char *fmt, ...)
{
	char msg[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return promql_error(p->text, at, p->e, "%s", msg);
}

/* The token looked at does not belong here. */
static int
unexpected(struct parser *p, const char *context, const char *expected)
{
	struct buf b = { 0 };

	if (p->t.kind == T_ERROR)
		return fail_at(p, p->t.at, "%s", p->lex.err);
	buf_z(&b, "unexpected ");
	promql_token_describe(&b, &p->t);
	if (*context != '\0')
		buf_printf(&b, " in %s", context);
	if (*expected != '\0')
		buf_printf(&b, ", expected %s", expected);
	fail_at(p, p->t.at, "%s", buf_cstr(&b));
	buf_fini(&b);
	return -1;
}

static struct node *
node_new(struct parser *p, enum node_kind kind, size_t at)
{
	struct node *n = arena_new(p->a, struct node);

	n->kind = kind;
	n->at = at;
	n->end = p->last;
	n->depth = 1;
	return n;
}

/* Take note of a child; -1 when the tree has become too deep. */
static int
adopt(struct parser *p, struct node *n, const struct node *child)
{
	if (child->depth >= n->depth)
		n->depth = child->depth + 1;
	if (n->depth > DEPTH_MAX)
		return fail_at(p, n->at, "expression is nested too deeply");
	return 0;
}

static const char SPAN_WANTED[] = "number, duration, step(), or range()";

/* Go's ParseInt with base 0 (so 017 is octal), else ParseFloat. */
static int
parse_number(struct parser *p, const struct token *t, double *v)
{
	char z[400];
	size_t n = 0;
	char *end;
	unsigned long long u;

	for (size_t i = 0; i < t->text.n && n < sizeof(z) - 1; i++)
		if (t->text.p[i] != '_')
			z[n++] = t->text.p[i];
	z[n] = '\0';
	if (t->word == W_INF || t->word == W_NAN) {
		*v = t->word == W_INF ? INFINITY : num_nan();
		return 0;
	}
	errno = 0;
	u = strtoull(z, &end, 0);
	if (errno == 0 && *end == '\0' && u <= INT64_MAX) {
		*v = (double)u;
		return 0;
	}
	if (num_parse((str){ z, n }, v) == 0)
		return 0;
	return fail_at(
	    p, t->at, "error parsing number: %.*s", STR_ARG(t->text));
}

static int
parse_duration(struct parser *p, const struct token *t, double *v)
{
	struct error e;
	int64_t ms;

	if (dur_parse(t->text, &ms, &e) == -1)
		return fail_at(p, t->at, "%s", e.msg);
	*v = (double)ms / 1000;
	return 0;
}

/* The number or duration looked at, as a literal; advances. */
static struct node *
number_literal(struct parser *p)
{
	struct token t = p->t;
	struct node *n;
	double v;
	int r;

	r = t.kind == T_DURATION ? parse_duration(p, &t, &v)
				 : parse_number(p, &t, &v);
	if (r == -1)
		return NULL;
	advance(p);
	n = node_new(p, N_NUMBER, t.at);
	n->type = PROMQL_SCALAR;
	n->num = v;
	n->is_duration = t.kind == T_DURATION;
	return n;
}

/*
 * Spans of time: what stands in brackets and behind offset.
 */

static struct node *span_expression(
    struct parser *p, int power, const char *context);

/* step(), range(), min_of(a, b), max_of(a, b) */
static struct node *
span_call(struct parser *p, const char *context)
{
	static const char *const names[] = { "step", "range", "min_of",
		"max_of" };
	struct token t = p->t;
	struct node *n = node_new(p, N_CALL, t.at);
	size_t want = 0;

	for (size_t i = 0; i < 4; i++)
		if (strlen(names[i]) == t.text.n &&
		    strncasecmp(names[i], t.text.p, t.text.n) == 0) {
			n->text = str_of(names[i]);
			want = i < 2 ? 0 : 2;
		}
	if (n->text.n == 0) {
		unexpected(p, context, SPAN_WANTED);
		return NULL;
	}
	n->type = PROMQL_SCALAR;
	n->arg = arena_array(p->a, 2, struct node *);
	advance(p);
	if (p->t.kind != T_LPAREN) {
		unexpected(p, context, "\"(\"");
		return NULL;
	}
	advance(p);
	for (; n->narg < want; n->narg++) {
		struct node *x;

		if (n->narg > 0) {
			if (p->t.kind != T_COMMA) {
				unexpected(p, context, "\",\"");
				return NULL;
			}
			advance(p);
		}
		x = span_expression(p, 1, context);
		if (x == NULL || adopt(p, n, x) == -1)
			return NULL;
		n->arg[n->narg] = x;
	}
	if (p->t.kind != T_RPAREN) {
		unexpected(p, context, "\")\"");
		return NULL;
	}
	advance(p);
	n->end = p->last;
	return n;
}

static struct node *
span_paren(struct parser *p, const char *context)
{
	struct node *n = node_new(p, N_PAREN, p->t.at);

	advance(p);
	n->sub = span_expression(p, 1, context);
	if (n->sub == NULL || adopt(p, n, n->sub) == -1)
		return NULL;
	if (p->t.kind != T_RPAREN) {
		unexpected(p, context, "\")\"");
		return NULL;
	}
	advance(p);
	n->type = PROMQL_SCALAR;
	n->end = p->last;
	return n;
}

static struct node *
span_unary(struct parser *p, const char *context, bool tight)
{
	enum word op = p->t.word;
	struct node *n = node_new(p, N_UNARY, p->t.at), *x;

	advance(p);
	/* Behind offset the sign binds to one operand: offset -2 ^ 2. */
	x = span_expression(
	    p, tight ? 1000 : promql_word_power(W_POW), context);
	if (x == NULL || adopt(p, n, x) == -1)
		return NULL;
	if (x->kind == N_NUMBER) {
		if (op == W_SUB)
			x->num = -x->num;
		x->at = n->at;
		return x;
	}
	n->type = PROMQL_SCALAR;
	n->op = op;
	n->sub = x;
	n->end = p->last;
	return n;
}

/* power 1000 and up: one operand, no operator behind it. */
static struct node *
span_expression(struct parser *p, int power, const char *context)
{
	struct node *l = NULL, *n;

	if (++p->depth > DEPTH_MAX) {
		fail_at(p, p->t.at, "expression is nested too deeply");
		return NULL;
	}
	if (p->t.kind == T_NUMBER || p->t.kind == T_DURATION)
		l = number_literal(p);
	else if (p->t.kind == T_LPAREN)
		l = span_paren(p, context);
	else if (p->t.kind == T_IDENT)
		l = span_call(p, context);
	else if (p->t.kind == T_OP &&
	    (p->t.word == W_ADD || p->t.word == W_SUB))
		l = span_unary(p, context, power >= 1000);
	else
		unexpected(p, context, SPAN_WANTED);
	while (l != NULL && p->t.kind == T_OP && power < 1000) {
		enum word op = p->t.word;
		int bp = promql_word_power(op);

		if (bp < power || bp < promql_word_power(W_ADD) ||
		    op == W_ATAN2)
			break;
		advance(p);
		n = node_new(p, N_BINARY, l->at);
		n->type = PROMQL_SCALAR;
		n->op = op;
		n->sub = l;
		n->rhs = span_expression(p, op == W_POW ? bp : bp + 1, context);
		if (n->rhs == NULL || adopt(p, n, l) == -1 ||
		    adopt(p, n, n->rhs) == -1)
			return NULL;
		n->end = p->last;
		l = n;
	}
	p->depth--;
	return l;
}

/* Literals become ms at once; the rest waits for step and range. */
static int
span_set(struct parser *p, struct span *s, struct node *n, bool positive)
{
	s->set = true;
	if (n->kind != N_NUMBER) {
		s->expr = n;
		return 0;
	}
	if (positive && n->num <= 0)
		return fail_at(p, n->at, "duration must be greater than 0");
	if (!(fabs(n->num) * 1000 < (double)SPAN_MAX))
		return fail_at(p, n->at, "duration out of range");
	s->ms = (int64_t)(n->num * 1000);
	/* 4.18 seconds are 4180 ms, whatever binary floating point says. */
	if (fabs(n->num * 1000 - round(n->num * 1000)) < 1e-6)
		s->ms = (int64_t)round(n->num * 1000);
	return 0;
}

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
		return fail_at(p, at, "%s", e.msg);
	n->nm++;
	return 0;
}

/* A string token's bytes. */
static int
string_value(struct parser *p, str *out)
{
	struct error e;

	if (promql_unquote(p->t.text, p->a, out, &e) == -1)
		return fail_at(p, p->t.at, "%s", e.msg);
	advance(p);
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
		return fail_at(p, n->at,
		    "metric name must not be set twice: \"%.*s\" or \"%.*s\"",
		    STR_ARG(n->text), STR_ARG(name));
	n->text = name;
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
		advance(p);
	} else if (t.kind == T_STRING) {
		if (string_value(p, &name) == -1)
			return -1;
		if (p->t.kind == T_COMMA || p->t.kind == T_RBRACE) {
			n->quoted_name = true;
			return metric_name(p, n, name);
		}
	} else
		return unexpected(p, context, "identifier or \"}\"");
	if (match_operator(p, &op) == -1)
		return t.kind == T_STRING
		    ? unexpected(p, context, "\",\" or \"}\"")
		    : unexpected(p, context, "label matching operator");
	advance(p);
	if (p->t.kind != T_STRING)
		return unexpected(p, context, "string");
	if (string_value(p, &value) == -1)
		return -1;
	return matcher_add(p, n, cap, op, name, value, t.at);
}

static int
matchers(struct parser *p, struct node *n, size_t *cap)
{
	advance(p);
	while (p->t.kind != T_RBRACE) {
		if (matcher(p, n, cap) == -1)
			return -1;
		if (p->t.kind == T_COMMA) {
			advance(p);
			if (p->t.kind == T_COMMA)
				return unexpected(
				    p, "label matching", "identifier or \"}\"");
		} else if (p->t.kind != T_RBRACE)
			return unexpected(
			    p, "label matching", "\",\" or \"}\"");
	}
	advance(p);
	return 0;
}

/* Does any matcher refuse the empty string? */
static bool
selective(const struct node *n)
{
	for (size_t i = 0; i < n->nm; i++)
		if (!match_value(&n->m[i], STR_NONE))
			return true;
	return false;
}

/* name{...}, name or {...}; the token looked at is its first. */
static struct node *
selector(struct parser *p)
{
	struct node *n = node_new(p, N_VECTOR, p->t.at);
	size_t cap = 0;

	n->type = PROMQL_VECTOR;
	n->next_selector = p->selectors;
	p->selectors = n;
	if (p->t.kind != T_LBRACE) {
		n->text = p->t.text;
		advance(p);
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
	if (!selective(n)) {
		fail_at(p, n->at,
		    "vector selector must contain at least one "
		    "non-empty matcher");
		return NULL;
	}
	return n;
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
		return unexpected(p, context, "\"(\"");
	advance(p);
	for (*n = 0; p->t.kind != T_RPAREN; (*n)++) {
		if (!more)
			return unexpected(p, context, "\",\" or \")\"");
		v = arena_grow(p->a, v, &cap, *n + 1, sizeof(*v));
		if (p->t.kind == T_STRING) {
			size_t at = p->t.at;

			if (string_value(p, &v[*n]) == -1)
				return -1;
			if (v[*n].n == 0)
				return fail_at(p, at,
				    "invalid label name for "
				    "grouping: \"\"");
		} else if ((p->t.kind == T_IDENT ||
			       (p->t.kind == T_OP &&
				   label_name_valid(p->t.text))) &&
		    label_name_valid(p->t.text)) {
			v[*n] = p->t.text;
			advance(p);
		} else
			return unexpected(p, context, "label");
		more = p->t.kind == T_COMMA;
		if (more)
			advance(p);
		if (more && p->t.kind == T_COMMA)
			return unexpected(p, context, "label");
	}
	advance(p);
	*names = v;
	return 0;
}

/* (a, b, ...) into n->arg */
static int
arguments(struct parser *p, struct node *n)
{
	size_t cap = 0;

	advance(p);
	while (p->t.kind != T_RPAREN) {
		struct node *x;
		size_t comma;

		x = expression(p, 1);
		if (x == NULL || adopt(p, n, x) == -1)
			return -1;
		n->arg = arena_grow(
		    p->a, n->arg, &cap, n->narg + 1, sizeof(struct node *));
		n->arg[n->narg++] = x;
		if (p->t.kind == T_RPAREN)
			break;
		if (p->t.kind != T_COMMA)
			return unexpected(p, "", "");
		comma = p->t.at;
		advance(p);
		if (p->t.kind == T_RPAREN)
			return fail_at(p, comma,
			    "trailing commas not allowed "
			    "in function call args");
	}
	advance(p);
	n->end = p->last;
	return 0;
}

static struct node *
call(struct parser *p, const struct token *name)
{
	struct node *n = node_new(p, N_CALL, name->at);

	n->text = name->text;
	n->fn = promql_func(name->text);
	if (n->fn == NULL) {
		fail_at(p, name->at, "unknown function with name \"%.*s\"",
		    STR_ARG(name->text));
		return NULL;
	}
	n->type = n->fn->type;
	return arguments(p, n) == -1 ? NULL : n;
}

static int
aggregate_modifier(struct parser *p, struct node *n)
{
	if (p->t.kind != T_IDENT ||
	    (p->t.word != W_BY && p->t.word != W_WITHOUT))
		return 0;
	n->grouped = true;
	n->without = p->t.word == W_WITHOUT;
	advance(p);
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
	struct node *n = node_new(p, N_AGGREGATE, op->at);
	size_t want = takes_parameter(op->word) ? 2 : 1;

	n->type = PROMQL_VECTOR;
	n->op = op->word;
	n->text = op->text;
	if (aggregate_modifier(p, n) == -1)
		return NULL;
	if (p->t.kind != T_LPAREN) {
		unexpected(p, "aggregation", "");
		return NULL;
	}
	if (arguments(p, n) == -1)
		return NULL;
	if (!n->grouped && aggregate_modifier(p, n) == -1)
		return NULL;
	n->end = p->last;
	if (n->narg == 0) {
		fail_at(
		    p, n->at, "no arguments for aggregate expression provided");
		return NULL;
	}
	if (n->narg != want) {
		fail_at(p, n->at,
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

	advance(p);
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
	return selector(p);
}

/*
 * Operands and what stands behind them.
 */

static struct node *
paren(struct parser *p)
{
	struct node *n = node_new(p, N_PAREN, p->t.at);

	advance(p);
	n->sub = expression(p, 1);
	if (n->sub == NULL || adopt(p, n, n->sub) == -1)
		return NULL;
	if (p->t.kind != T_RPAREN) {
		unexpected(p, "", "");
		return NULL;
	}
	advance(p);
	n->type = n->sub->type;
	n->end = p->last;
	return n;
}

/* A sign binds as * does, so -1 ^ 2 is -(1 ^ 2). */
static struct node *
unary(struct parser *p)
{
	struct node *n = node_new(p, N_UNARY, p->t.at), *x;

	n->op = p->t.word;
	advance(p);
	x = expression(p, promql_word_power(W_POW));
	if (x == NULL || adopt(p, n, x) == -1)
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
	struct node *n = node_new(p, N_STRING, p->t.at);

	n->type = PROMQL_STRING;
	if (string_value(p, &n->text) == -1)
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
		return number_literal(p);
	if (p->t.kind == T_STRING)
		return string_literal(p);
	if (p->t.kind == T_LPAREN)
		return paren(p);
	if (p->t.kind == T_LBRACE)
		return selector(p);
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB))
		return unary(p);
	if (names && !reserved(p->t.word))
		return word_operand(p);
	unexpected(p, "", "");
	return NULL;
}

/* What offset and @ of x change; NULL and the message if it takes none. */
static struct modifier *
modified(struct parser *p, struct node *x, const char *what)
{
	if (x->kind == N_MATRIX)
		return &x->sub->mod;
	if (x->kind == N_VECTOR || x->kind == N_SUBQUERY)
		return &x->mod;
	fail_at(p, x->at,
	    "%s modifier must be preceded by an instant vector selector or "
	    "range vector selector or a subquery",
	    what);
	return NULL;
}

static int
offset(struct parser *p, struct node *x)
{
	struct modifier *m;
	struct node *n;

	advance(p);
	n = span_expression(p, 1000, "offset");
	if (n == NULL)
		return -1;
	m = modified(p, x, "offset");
	if (m == NULL)
		return -1;
	if (m->offset.set)
		return fail_at(
		    p, x->at, "offset may not be set multiple times");
	x->end = p->last;
	return span_set(p, &m->offset, n, false);
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
		advance(p);
		if (p->t.kind != T_LPAREN)
			return unexpected(p, "@", "timestamp");
		advance(p);
		if (p->t.kind != T_RPAREN)
			return unexpected(p, "@", "timestamp");
		advance(p);
		return 0;
	}
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB)) {
		sign = p->t.word == W_SUB ? -1 : 1;
		advance(p);
	}
	if (p->t.kind != T_NUMBER && p->t.kind != T_DURATION)
		return unexpected(p, "@", "timestamp");
	n = number_literal(p);
	if (n == NULL)
		return -1;
	*v = sign * n->num;
	return 0;
}

static int
at(struct parser *p, struct node *x)
{
	struct modifier *m;
	enum at_kind kind;
	double v = 0;

	advance(p);
	if (at_time(p, &kind, &v) == -1)
		return -1;
	m = modified(p, x, "@");
	if (m == NULL)
		return -1;
	if (m->at != AT_NONE)
		return fail_at(
		    p, x->at, "@ <timestamp> may not be set multiple times");
	/* Times count as ms in an int64. */
	if (!(fabs(v) < 9.2e15))
		return fail_at(
		    p, x->at, "timestamp out of bounds for @ modifier: %f", v);
	m->at = kind;
	m->at_ms = (int64_t)round(v * 1000);
	x->end = p->last;
	return 0;
}

static int
extend(struct parser *p, struct node *x)
{
	struct modifier *m = NULL;
	enum word w = p->t.word;

	if (x->kind == N_VECTOR)
		m = &x->mod;
	else if (x->kind == N_MATRIX)
		m = &x->sub->mod;
	if (m == NULL || (w == W_ANCHORED && x->kind != N_MATRIX))
		return fail_at(p, x->at,
		    "%s modifier must be preceded by %s range vector selector",
		    promql_word_text(w),
		    w == W_ANCHORED ? "a" : "an instant or");
	if (m->extend != W_NONE && m->extend != w)
		return fail_at(p, x->at,
		    "anchored and smoothed modifiers cannot be used together");
	m->extend = w;
	advance(p);
	x->end = p->last;
	return 0;
}

/* [range] behind a selector */
static struct node *
matrix(struct parser *p, struct node *x, struct node *range, size_t bracket)
{
	struct node *n = node_new(p, N_MATRIX, x->at);

	n->type = PROMQL_MATRIX;
	n->end = p->last;
	n->sub = x;
	if (x->kind != N_VECTOR) {
		fail_at(p, bracket, "ranges only allowed for vector selectors");
		return NULL;
	}
	if (x->mod.offset.set) {
		fail_at(p, bracket, "no offset modifiers allowed before range");
		return NULL;
	}
	if (x->mod.at != AT_NONE) {
		fail_at(p, bracket, "no @ modifiers allowed before range");
		return NULL;
	}
	if (span_set(p, &n->range, range, true) == -1 || adopt(p, n, x) == -1)
		return NULL;
	return n;
}

/* [range] or [range:step]; the token looked at is the bracket. */
static struct node *
brackets(struct parser *p, struct node *x)
{
	size_t bracket = p->t.at;
	struct node *range, *step = NULL, *n;

	advance(p);
	range = span_expression(p, 1, "subquery or range selector");
	if (range == NULL)
		return NULL;
	if (p->t.kind == T_RBRACKET) {
		advance(p);
		return matrix(p, x, range, bracket);
	}
	if (p->t.kind != T_COLON) {
		unexpected(p, "subquery or range", "\":\" or \"]\"");
		return NULL;
	}
	advance(p);
	if (p->t.kind != T_RBRACKET) {
		step = span_expression(p, 1, "subquery selector");
		if (step == NULL)
			return NULL;
	}
	if (p->t.kind != T_RBRACKET) {
		unexpected(p, "subquery selector", "\"]\"");
		return NULL;
	}
	advance(p);
	n = node_new(p, N_SUBQUERY, x->at);
	n->type = PROMQL_MATRIX;
	n->sub = x;
	if (adopt(p, n, x) == -1 || span_set(p, &n->range, range, true) == -1 ||
	    (step != NULL && span_set(p, &n->step, step, true) == -1))
		return NULL;
	return n;
}

static struct node *
postfix(struct parser *p)
{
	struct node *x = operand(p);

	while (x != NULL) {
		int r = 0;

		if (p->t.kind == T_LBRACKET) {
			x = brackets(p, x);
			continue;
		}
		if (p->t.kind == T_AT)
			r = at(p, x);
		else if (p->t.kind == T_IDENT && p->t.word == W_OFFSET)
			r = offset(p, x);
		else if (p->t.kind == T_IDENT &&
		    (p->t.word == W_ANCHORED || p->t.word == W_SMOOTHED))
			r = extend(p, x);
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
		return unexpected(p, "fill modifier", "\"(\"");
	advance(p);
	if (p->t.kind == T_OP && (p->t.word == W_ADD || p->t.word == W_SUB)) {
		sign = p->t.word == W_SUB ? -1 : 1;
		advance(p);
	}
	if (p->t.kind != T_NUMBER && p->t.kind != T_DURATION)
		return unexpected(p, "fill modifier", "number");
	n = number_literal(p);
	if (n == NULL)
		return -1;
	if (p->t.kind != T_RPAREN)
		return unexpected(p, "fill modifier", "\")\"");
	advance(p);
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

		if ((left && m->has_fill[0]) || (right && m->has_fill[1]))
			return unexpected(p, "", "");
		advance(p);
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
		advance(p);
	}
	if (p->t.kind == T_IDENT &&
	    (p->t.word == W_ON || p->t.word == W_IGNORING)) {
		m->given = true;
		m->on = p->t.word == W_ON;
		advance(p);
		if (grouping(p, &m->labels, &m->nlabels) == -1)
			return -1;
	}
	if (m->given && p->t.kind == T_IDENT &&
	    (p->t.word == W_GROUP_LEFT || p->t.word == W_GROUP_RIGHT)) {
		m->card =
		    p->t.word == W_GROUP_LEFT ? CARD_MANY_ONE : CARD_ONE_MANY;
		advance(p);
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

	if (++p->depth > DEPTH_MAX) {
		fail_at(p, p->t.at, "expression is nested too deeply");
		return NULL;
	}
	l = postfix(p);
	while (l != NULL && p->t.kind == T_OP) {
		enum word op = p->t.word;
		int bp = promql_word_power(op);

		if (bp < power)
			break;
		advance(p);
		n = node_new(p, N_BINARY, l->at);
		n->op = op;
		n->sub = l;
		if (binary_modifiers(p, n) == -1)
			return NULL;
		n->rhs = expression(p, op == W_POW ? bp : bp + 1);
		if (n->rhs == NULL || adopt(p, n, l) == -1 ||
		    adopt(p, n, n->rhs) == -1)
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
	struct parser p = { .a = a, .e = e };
	struct promql_expr *x;
	struct node *n;

	p.text = arena_dup(a, text);
	promql_lex_init(&p.lex, p.text);
	advance(&p);
	if (p.t.kind == T_EOF) {
		fail_at(&p, 0, "no expression found in input");
		return NULL;
	}
	n = expression(&p, 1);
	if (n != NULL && p.t.kind != T_EOF) {
		unexpected(&p, "", "");
		n = NULL;
	}
	if (n == NULL || promql_check(n, p.text, e) == -1) {
		selectors_free(p.selectors);
		return NULL;
	}
	x = arena_new(a, struct promql_expr);
	x->text = p.text;
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
	advance(&p);
	if (p.t.kind == T_LBRACE ||
	    ((p.t.kind == T_IDENT || p.t.kind == T_OP) &&
		label_metric_valid(p.t.text)))
		x = selector(&p);
	else
		unexpected(&p, "", "");
	if (x != NULL && p.t.kind != T_EOF) {
		unexpected(&p, "", "");
		x = NULL;
	}
	if (x == NULL) {
		selectors_free(p.selectors);
		return -1;
	}
	*m = x->m;
	*n = x->nm;
	return 0;
}
