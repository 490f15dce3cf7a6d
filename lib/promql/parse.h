/*
 * The parser's state and the steps its files share, private to promql/.  A
 * step that fails leaves the message and returns -1 or NULL; the first error
 * ends the parse.
 */
#ifndef PROMQL_PARSE_H
#define PROMQL_PARSE_H

#include "promql/ast.h"

/* Deeper trees are refused, since the tree is walked by recursion. */
#define PROMQL_DEPTH_MAX 1000

struct parser {
	struct lex lex;
	struct token t; /* the one looked at */
	size_t last;    /* where the token before it ended */
	unsigned depth, features;
	str text;
	struct arena *a;
	struct node *selectors;
	struct error *e;
};

/* parse.c */
void promql_advance(struct parser *p);
int promql_fail_at(struct parser *p, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The token looked at does not belong here. */
int promql_unexpected(
    struct parser *p, const char *context, const char *expected);
struct node *promql_node(struct parser *p, enum node_kind kind, size_t at);
/* Take note of a child; -1 when the tree has become too deep. */
int promql_adopt(struct parser *p, struct node *n, const struct node *child);
/* One level of recursion more; -1 when it is too deep. */
int promql_deeper(struct parser *p);

/* parse_span.c: numbers, and lengths of time in brackets and behind offset */
struct node *promql_number_literal(struct parser *p);
/* power 1000 and up: one operand, no operator behind it. */
struct node *promql_span_expression(
    struct parser *p, int power, const char *context);
/* Literals become ms at once; the rest waits for step and range. */
int promql_span_set(
    struct parser *p, struct span *s, struct node *n, bool positive);

/* parse_selector.c: selectors, and what stands behind them */
int promql_string_value(struct parser *p, str *out);
struct node *promql_selector(struct parser *p);
int promql_offset(struct parser *p, struct node *x);
int promql_at(struct parser *p, struct node *x);
int promql_extend(struct parser *p, struct node *x);
struct node *promql_brackets(struct parser *p, struct node *x);

#endif
