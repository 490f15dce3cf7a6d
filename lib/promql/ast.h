/*
 * The tree of an expression, private to promql/.  Nodes live in the arena the
 * expression was parsed into and are not changed by evaluation, so one tree
 * can be evaluated any number of times.  Words of the language (operators,
 * aggregations, keywords) are one enum, in the order of the table in lex.c.
 */
#ifndef PROMQL_AST_H
#define PROMQL_AST_H

#include "base/buf.h"
#include "metric/match.h"
#include "promql/promql.h"

enum token_kind {
	T_EOF,
	T_ERROR, /* the message is in the lexer */
	T_IDENT, /* words of the language too: see word */
	T_NUMBER,
	T_DURATION,
	T_STRING, /* text with its quotes */
	T_OP,     /* see word */
	T_LPAREN,
	T_RPAREN,
	T_LBRACE,
	T_RBRACE,
	T_LBRACKET,
	T_RBRACKET,
	T_COMMA,
	T_COLON,
	T_EQL,   /* =, in braces */
	T_MATCH, /* =~ and !~, in braces; != is T_OP W_NE */
	T_AT,
};

enum word {
	W_NONE,
	/* binary operators */
	W_OR,
	W_AND,
	W_UNLESS,
	W_EQ,
	W_NE,
	W_LT,
	W_LE,
	W_GT,
	W_GE,
	W_TRIM_UPPER,
	W_TRIM_LOWER,
	W_ADD,
	W_SUB,
	W_MUL,
	W_DIV,
	W_MOD,
	W_ATAN2,
	W_POW,
	/* aggregations */
	W_SUM,
	W_AVG,
	W_MIN,
	W_MAX,
	W_COUNT,
	W_GROUP,
	W_STDDEV,
	W_STDVAR,
	W_TOPK,
	W_BOTTOMK,
	W_QUANTILE,
	W_COUNT_VALUES,
	W_LIMITK,
	W_LIMIT_RATIO,
	/* keywords */
	W_BOOL,
	W_BY,
	W_WITHOUT,
	W_ON,
	W_IGNORING,
	W_GROUP_LEFT,
	W_GROUP_RIGHT,
	W_FILL,
	W_FILL_LEFT,
	W_FILL_RIGHT,
	W_OFFSET,
	W_ANCHORED,
	W_SMOOTHED,
	W_START,
	W_END,
	/* numbers written as words */
	W_INF,
	W_NAN,
	WORDS
};

struct token {
	enum token_kind kind;
	enum word word;
	str text;
	size_t at; /* offset in the input */
};

struct lex {
	str in;
	size_t at;
	size_t parens;
	bool braces, bracket;
	size_t bracket_parens; /* parens open where the bracket began */
	char err[160];
};

void promql_lex_init(struct lex *l, str in);
void promql_lex_next(struct lex *l, struct token *t);

/* How a token is called in "unexpected ..."; a word as it is written. */
void promql_token_describe(struct buf *b, const struct token *t);
const char *promql_word_text(enum word w);
int promql_word_power(enum word w); /* binding power, 0: no operator */
bool promql_word_is_aggregation(enum word w);
bool promql_word_is_comparison(enum word w);
bool promql_word_is_set(enum word w);

/* A literal with its quotes to bytes, in a; Go's escapes. */
int promql_unquote(str lit, struct arena *a, str *out, struct error *e);

/* {a="b", c="d"}, as messages show a series. */
void promql_print_labels(struct buf *b, struct labels ls);

enum node_kind {
	N_NUMBER,
	N_STRING,
	N_VECTOR,   /* a selector */
	N_MATRIX,   /* sub is its N_VECTOR, which has offset and @ */
	N_SUBQUERY, /* of sub */
	N_CALL,
	N_AGGREGATE, /* of sub, arg[0] is the parameter */
	N_BINARY,
	N_UNARY,
	N_PAREN,
};

enum card { CARD_ONE_ONE, CARD_MANY_ONE, CARD_ONE_MANY, CARD_MANY_MANY };

/* How the series of two vectors find each other. */
struct matching {
	enum card card;
	bool on, given; /* given: on or ignoring was written */
	const str *labels, *include;
	size_t nlabels, ninclude;
	bool has_fill[2]; /* left, right */
	double fill[2];
};

enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

/* A length of time: ms, or an expression over step() and range(). */
struct span {
	int64_t ms;
	const struct node *expr; /* NULL: ms holds */
	bool set;
};

/* What may stand behind a selector or a subquery. */
struct modifier {
	enum at_kind at;
	int64_t at_ms;
	struct span offset;
	enum word extend; /* W_ANCHORED, W_SMOOTHED or W_NONE */
};

struct node {
	enum node_kind kind;
	enum promql_type type;
	enum word op; /* operator or aggregation */
	size_t at, end;
	unsigned depth;
	bool fixed; /* the same at every step: see check.c */

	double num;
	bool is_duration;
	str text;    /* string value, name of a selector */
	bool quoted; /* the name stands in the braces */
	bool loose;  /* a selector that need not select anything: info's */
	bool tells_resets; /* a selector: say which histograms are resets */

	struct match *m; /* selector */
	size_t nm;
	struct node *next_selector;
	struct modifier mod;
	struct span range, step;

	struct node *sub, *rhs; /* binary: sub op rhs */
	struct node **arg;
	size_t narg;
	const struct func *fn;
	bool returns_bool;
	struct matching match;
	bool without, grouped;
	const str *by;
	size_t nby;
};

struct promql_expr {
	str text;
	unsigned features; /* it was parsed with */
	struct node *root;
	struct node *selectors; /* every one that has matchers */
};

/* Types, arguments and what is fixed; parse.c calls it on a whole tree. */
int promql_check(struct node *n, str text, struct error *e);
/* A selector must have a matcher that refuses the empty string. */
int promql_check_selector(const struct node *n, str text, struct error *e);
/* "scalar", "instant vector", ... as messages say it. */
const char *promql_type_described(enum promql_type t);

/* "line:col" of an offset. */
void promql_position(str text, size_t at, unsigned *line, unsigned *col);
/* The message "line:col: parse error: ..."; returns -1. */
int promql_error(str text, size_t at, struct error *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * The value of a span for a query with this step and range in ms; -1 with
 * the message if it divides by zero or is out of range.
 */
int promql_span(const struct span *s, int64_t step, int64_t range, int64_t *ms,
    struct error *e);
bool promql_span_varies(const struct span *s);

/* The innermost expression, parentheses taken off. */
const struct node *promql_inner(const struct node *n);

#endif
