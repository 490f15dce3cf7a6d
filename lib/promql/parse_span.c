/*
 * Numbers, and lengths of time: what stands in brackets and behind offset may
 * be arithmetic over literals, step() and range().  It has a grammar of its
 * own with the operators' usual binding powers.
 */
#include "promql/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/dur.h"
#include "base/num.h"

/* Lengths count as ms in an int64; beyond this they would not fit ns. */
#define SPAN_MAX INT64_C(9223372036854)

static const char SPAN_WANTED[] = "number, duration, step(), or range()";

/* Go's ParseInt with base 0 (so 017 is octal), else ParseFloat. */
static int
parse_number(struct parser *p, const struct token *t, double *v)
{
	char *z = arena_alloc(p->a, t->text.n + 1), *end;
	size_t n = 0;
	unsigned long long u;

	for (size_t i = 0; i < t->text.n; i++)
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
	return promql_fail_at(
	    p, t->at, "error parsing number: %.*s", STR_ARG(t->text));
}

static int
parse_duration(struct parser *p, const struct token *t, double *v)
{
	struct error e;
	int64_t ms;

	if (dur_parse(t->text, &ms, &e) == -1)
		return promql_fail_at(p, t->at, "%s", e.msg);
	*v = (double)ms / 1000;
	return 0;
}

/* The number or duration looked at, as a literal; advances. */
struct node *
promql_number_literal(struct parser *p)
{
	struct token t = p->t;
	struct node *n;
	double v = 0;
	int r;

	r = t.kind == T_DURATION ? parse_duration(p, &t, &v)
				 : parse_number(p, &t, &v);
	if (r == -1)
		return NULL;
	promql_advance(p);
	n = promql_node(p, N_NUMBER, t.at);
	n->type = PROMQL_SCALAR;
	n->num = v;
	n->is_duration = t.kind == T_DURATION;
	return n;
}

/*
 * Spans of time: what stands in brackets and behind offset.
 */

/* step(), range(), min_of(a, b), max_of(a, b) */
static struct node *
span_call(struct parser *p, const char *context)
{
	static const char *const names[] = { "step", "range", "min_of",
		"max_of" };
	struct token t = p->t;
	struct node *n = promql_node(p, N_CALL, t.at);
	size_t want = 0;

	for (size_t i = 0; i < 4; i++)
		if (strlen(names[i]) == t.text.n &&
		    strncasecmp(names[i], t.text.p, t.text.n) == 0) {
			n->text = str_of(names[i]);
			want = i < 2 ? 0 : 2;
		}
	if (n->text.n == 0) {
		promql_unexpected(p, context, SPAN_WANTED);
		return NULL;
	}
	n->type = PROMQL_SCALAR;
	n->arg = arena_array(p->a, 2, struct node *);
	promql_advance(p);
	if (p->t.kind != T_LPAREN) {
		promql_unexpected(p, context, "\"(\"");
		return NULL;
	}
	promql_advance(p);
	for (; n->narg < want; n->narg++) {
		struct node *x;

		if (n->narg > 0) {
			if (p->t.kind != T_COMMA) {
				promql_unexpected(p, context, "\",\"");
				return NULL;
			}
			promql_advance(p);
		}
		x = promql_span_expression(p, 1, context);
		if (x == NULL || promql_adopt(p, n, x) == -1)
			return NULL;
		n->arg[n->narg] = x;
	}
	if (p->t.kind != T_RPAREN) {
		promql_unexpected(p, context, "\")\"");
		return NULL;
	}
	promql_advance(p);
	n->end = p->last;
	return n;
}

static struct node *
span_paren(struct parser *p, const char *context)
{
	struct node *n = promql_node(p, N_PAREN, p->t.at);

	promql_advance(p);
	n->sub = promql_span_expression(p, 1, context);
	if (n->sub == NULL || promql_adopt(p, n, n->sub) == -1)
		return NULL;
	if (p->t.kind != T_RPAREN) {
		promql_unexpected(p, context, "\")\"");
		return NULL;
	}
	promql_advance(p);
	n->type = PROMQL_SCALAR;
	n->end = p->last;
	return n;
}

static struct node *
span_unary(struct parser *p, const char *context, bool tight)
{
	enum word op = p->t.word;
	struct node *n = promql_node(p, N_UNARY, p->t.at), *x;

	promql_advance(p);
	/* Behind offset the sign binds to one operand: offset -2 ^ 2. */
	x = promql_span_expression(
	    p, tight ? 1000 : promql_word_power(W_POW), context);
	if (x == NULL || promql_adopt(p, n, x) == -1)
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
struct node *
promql_span_expression(struct parser *p, int power, const char *context)
{
	struct node *l = NULL, *n;

	if (promql_deeper(p) == -1)
		return NULL;
	if (p->t.kind == T_NUMBER || p->t.kind == T_DURATION)
		l = promql_number_literal(p);
	else if (p->t.kind == T_LPAREN)
		l = span_paren(p, context);
	else if (p->t.kind == T_IDENT)
		l = span_call(p, context);
	else if (p->t.kind == T_OP &&
	    (p->t.word == W_ADD || p->t.word == W_SUB))
		l = span_unary(p, context, power >= 1000);
	else
		promql_unexpected(p, context, SPAN_WANTED);
	if (l == NULL)
		return NULL;
	while (p->t.kind == T_OP && power < 1000) {
		enum word op = p->t.word;
		int bp = promql_word_power(op);

		if (bp < power || bp < promql_word_power(W_ADD) ||
		    op == W_ATAN2)
			break;
		promql_advance(p);
		n = promql_node(p, N_BINARY, l->at);
		n->type = PROMQL_SCALAR;
		n->op = op;
		n->sub = l;
		n->rhs = promql_span_expression(
		    p, op == W_POW ? bp : bp + 1, context);
		if (n->rhs == NULL || promql_adopt(p, n, l) == -1 ||
		    promql_adopt(p, n, n->rhs) == -1)
			return NULL;
		n->end = p->last;
		l = n;
	}
	p->depth--;
	return l;
}

/* Literals become ms at once; the rest waits for step and range. */
int
promql_span_set(struct parser *p, struct span *s, struct node *n, bool positive)
{
	s->set = true;
	if (n->kind != N_NUMBER) {
		s->expr = n;
		return 0;
	}
	if (positive && n->num <= 0)
		return promql_fail_at(
		    p, n->at, "duration must be greater than 0");
	if (!(fabs(n->num) * 1000 < (double)SPAN_MAX))
		return promql_fail_at(p, n->at, "duration out of range");
	s->ms = (int64_t)(n->num * 1000);
	/* 4.18 seconds are 4180 ms, whatever binary floating point says. */
	if (fabs(n->num * 1000 - round(n->num * 1000)) < 1e-6)
		s->ms = (int64_t)round(n->num * 1000);
	return 0;
}
