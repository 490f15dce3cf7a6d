/*
 * Text to tokens.  The language has three lexical modes: expressions, label
 * matchers inside braces (where every word is a name) and durations inside
 * brackets.  Words are looked up here but stay identifiers: what they mean is
 * the parser's decision, since nearly all may also be names of metrics.
 */
#include "promql/ast.h"

#include <stdio.h>

#include "base/num.h"
#include "base/quote.h"

/* Binding powers; the odd one out, ^, binds to the right. */
static const struct {
	const char *text;
	int power;
} words[WORDS] = {
	[W_NONE] = { "", 0 },
	[W_OR] = { "or", 1 },
	[W_AND] = { "and", 2 },
	[W_UNLESS] = { "unless", 2 },
	[W_EQ] = { "==", 3 },
	[W_NE] = { "!=", 3 },
	[W_LT] = { "<", 3 },
	[W_LE] = { "<=", 3 },
	[W_GT] = { ">", 3 },
	[W_GE] = { ">=", 3 },
	[W_TRIM_UPPER] = { "</", 3 },
	[W_TRIM_LOWER] = { ">/", 3 },
	[W_ADD] = { "+", 4 },
	[W_SUB] = { "-", 4 },
	[W_MUL] = { "*", 5 },
	[W_DIV] = { "/", 5 },
	[W_MOD] = { "%", 5 },
	[W_ATAN2] = { "atan2", 5 },
	[W_POW] = { "^", 6 },
	[W_SUM] = { "sum", 0 },
	[W_AVG] = { "avg", 0 },
	[W_MIN] = { "min", 0 },
	[W_MAX] = { "max", 0 },
	[W_COUNT] = { "count", 0 },
	[W_GROUP] = { "group", 0 },
	[W_STDDEV] = { "stddev", 0 },
	[W_STDVAR] = { "stdvar", 0 },
	[W_TOPK] = { "topk", 0 },
	[W_BOTTOMK] = { "bottomk", 0 },
	[W_QUANTILE] = { "quantile", 0 },
	[W_COUNT_VALUES] = { "count_values", 0 },
	[W_LIMITK] = { "limitk", 0 },
	[W_LIMIT_RATIO] = { "limit_ratio", 0 },
	[W_BOOL] = { "bool", 0 },
	[W_BY] = { "by", 0 },
	[W_WITHOUT] = { "without", 0 },
	[W_ON] = { "on", 0 },
	[W_IGNORING] = { "ignoring", 0 },
	[W_GROUP_LEFT] = { "group_left", 0 },
	[W_GROUP_RIGHT] = { "group_right", 0 },
	[W_FILL] = { "fill", 0 },
	[W_FILL_LEFT] = { "fill_left", 0 },
	[W_FILL_RIGHT] = { "fill_right", 0 },
	[W_OFFSET] = { "offset", 0 },
	[W_ANCHORED] = { "anchored", 0 },
	[W_SMOOTHED] = { "smoothed", 0 },
	[W_START] = { "start", 0 },
	[W_END] = { "end", 0 },
	[W_INF] = { "inf", 0 },
	[W_NAN] = { "nan", 0 },
};

const char *
promql_word_text(enum word w)
{
	return words[w].text;
}

int
promql_word_power(enum word w)
{
	return words[w].power;
}

bool
promql_word_is_aggregation(enum word w)
{
	return w >= W_SUM && w <= W_LIMIT_RATIO;
}

bool
promql_word_is_comparison(enum word w)
{
	return w >= W_EQ && w <= W_GE;
}

bool
promql_word_is_set(enum word w)
{
	return w == W_OR || w == W_AND || w == W_UNLESS;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

/* The byte n places on, NUL behind the end. */
static char
peek(const struct lex *l, size_t n)
{
	return l->at + n < l->in.n ? l->in.p[l->at + n] : '\0';
}

void
promql_lex_init(struct lex *l, str in)
{
	memset(l, 0, sizeof(*l));
	l->in = in;
}

/* An error token from t->at on, and nothing after it. */
static void
fail(struct lex *l, struct token *t, const char *what)
{
	snprintf(l->err, sizeof(l->err), "%s", what);
	t->kind = T_ERROR;
	t->text = str_skip(l->in, t->at);
	l->at = l->in.n;
}

/* "what: 'c'", c as Go's %q writes a rune. */
static void
fail_rune(struct lex *l, struct token *t, const char *what)
{
	char msg[160];
	str rest = str_skip(l->in, l->at);
	size_t len = 0;
	uint32_t r = rest.n ? str_rune(rest, &len) : 0xfffd;

	if (rest.n == 0)
		snprintf(msg, sizeof(msg), "%s: end of input", what);
	else if (r == '\'' || r == '\\')
		snprintf(msg, sizeof(msg), "%s: '\\%c'", what, (char)r);
	else if (r == '\n' || r == '\t' || r == '\r')
		snprintf(msg, sizeof(msg), "%s: '\\%c'", what,
		    r == '\n'       ? 'n'
			: r == '\t' ? 't'
				    : 'r');
	else if (r < ' ' || r == 0x7f)
		snprintf(msg, sizeof(msg), "%s: '\\x%02x'", what, r);
	else
		snprintf(
		    msg, sizeof(msg), "%s: '%.*s'", what, (int)len, rest.p);
	fail(l, t, msg);
}

static void
skip_blank(struct lex *l)
{
	for (;;) {
		while (l->at < l->in.n && is_space(l->in.p[l->at]))
			l->at++;
		if (peek(l, 0) != '#')
			return;
		while (l->at < l->in.n && l->in.p[l->at] != '\n')
			l->at++;
	}
}

/* n bytes on: the token is what was passed over since t->at. */
static void
take(struct lex *l, struct token *t, enum token_kind kind, size_t n)
{
	l->at += n;
	t->kind = kind;
	t->text = str_take(str_skip(l->in, t->at), l->at - t->at);
}

static void
take_op(struct lex *l, struct token *t, enum word w)
{
	t->word = w;
	take(l, t, T_OP, strlen(words[w].text));
}

static void
lex_string(struct lex *l, struct token *t)
{
	char quote = peek(l, 0);
	size_t i = l->at + 1;

	for (; i < l->in.n && l->in.p[i] != quote; i++) {
		if (quote == '`')
			continue;
		if (l->in.p[i] == '\n')
			break;
		if (l->in.p[i] == '\\')
			i++;
	}
	if (i >= l->in.n || l->in.p[i] != quote) {
		fail(l, t,
		    quote == '`' ? "unterminated raw string"
				 : "unterminated quoted string");
		return;
	}
	take(l, t, T_STRING, i + 1 - l->at);
	if (!str_utf8(t->text))
		fail(l, t, "invalid UTF-8 rune");
}

/* Digits, with single underscores between them. */
static size_t
digits(const struct lex *l, size_t n, bool hex)
{
	for (;; n++) {
		char c = peek(l, n);
		bool h =
		    hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));

		if (is_digit(c) || h)
			continue;
		if (c == '_' && n > 0 && is_alnum(peek(l, n + 1)) &&
		    peek(l, n + 1) != '_')
			continue;
		return n;
	}
}

/* The length of a number, whatever follows it. */
static size_t
number(const struct lex *l)
{
	size_t n, m;

	if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X'))
		return digits(l, 2, true);
	n = digits(l, 0, false);
	if (peek(l, n) == '.')
		n = digits(l, n + 1, false);
	if (peek(l, n) == 'e' || peek(l, n) == 'E') {
		m = n + 1;
		if (peek(l, m) == '+' || peek(l, m) == '-')
			m++;
		if (is_digit(peek(l, m)))
			n = digits(l, m, false);
	}
	return n;
}

/* The length of what is left of a duration after its first digits, or 0. */
static size_t
duration(const struct lex *l, size_t n)
{
	for (;;) {
		if (peek(l, n) == '\0' || strchr("smhdwy", peek(l, n)) == NULL)
			return 0;
		n++;
		if (peek(l, n) == 's')
			n++;
		if (!is_digit(peek(l, n)))
			break;
		while (is_digit(peek(l, n)))
			n++;
	}
	return is_alnum(peek(l, n)) ? 0 : n;
}

static void
lex_number(struct lex *l, struct token *t)
{
	size_t n = number(l), d;
	char msg[120];

	if (!is_alnum(peek(l, n))) {
		take(l, t, T_NUMBER, n);
		return;
	}
	d = duration(l, n);
	if (d > 0) {
		take(l, t, T_DURATION, d);
		return;
	}
	while (is_alnum(peek(l, n)))
		n++;
	snprintf(msg, sizeof(msg), "bad number or duration syntax: \"%.*s\"",
	    n < 60 ? (int)n : 60, l->in.p + l->at);
	fail(l, t, msg);
}

/* The word as the language knows it, whatever its case. */
static enum word
find_word(str s)
{
	for (enum word w = W_OR; w < WORDS; w++)
		if (strlen(words[w].text) == s.n &&
		    strncasecmp(words[w].text, s.p, s.n) == 0)
			return w;
	return W_NONE;
}

static void
lex_word(struct lex *l, struct token *t)
{
	size_t n = 1;

	while (is_alnum(peek(l, n)) || (!l->braces && peek(l, n) == ':'))
		n++;
	take(l, t, T_IDENT, n);
	if (l->braces)
		return;
	t->word = find_word(t->text);
	if (t->word == W_INF || t->word == W_NAN)
		t->kind = T_NUMBER;
	else if (promql_word_power(t->word) > 0)
		t->kind = T_OP;
	if (t->word >= W_FILL && t->word <= W_FILL_RIGHT) {
		/* A keyword only where its argument follows. */
		struct lex ahead = *l;

		skip_blank(&ahead);
		if (peek(&ahead, 0) != '(')
			t->word = W_NONE;
	}
}

static void
lex_braces(struct lex *l, struct token *t)
{
	char c = peek(l, 0), d = peek(l, 1);

	if (l->at >= l->in.n)
		fail(l, t, "unexpected end of input inside braces");
	else if (is_alpha(c))
		lex_word(l, t);
	else if (c == '"' || c == '\'' || c == '`')
		lex_string(l, t);
	else if (c == ',')
		take(l, t, T_COMMA, 1);
	else if ((c == '=' || c == '!') && d == '~')
		take(l, t, T_MATCH, 2);
	else if (c == '=')
		take(l, t, T_EQL, 1);
	else if (c == '!' && d == '=')
		take_op(l, t, W_NE);
	else if (c == '!') {
		l->at++;
		fail_rune(l, t, "unexpected character after '!' inside braces");
	} else if (c == '}') {
		l->braces = false;
		take(l, t, T_RBRACE, 1);
	} else if (c == '{')
		fail(l, t, "unexpected left brace '{'");
	else
		fail_rune(l, t, "unexpected character inside braces");
}

static bool
lex_paren(struct lex *l, struct token *t)
{
	char c = peek(l, 0);

	if (c == '(') {
		l->parens++;
		take(l, t, T_LPAREN, 1);
		return true;
	}
	if (c != ')')
		return false;
	if (l->parens == 0 || (l->bracket && l->parens == l->bracket_parens))
		fail(l, t, "unexpected right parenthesis ')'");
	else {
		l->parens--;
		take(l, t, T_RPAREN, 1);
	}
	return true;
}

static const struct {
	const char *text;
	enum word word;
} symbols[] = {
	{ "==", W_EQ },
	{ "!=", W_NE },
	{ "<=", W_LE },
	{ "</", W_TRIM_UPPER },
	{ "<", W_LT },
	{ ">=", W_GE },
	{ ">/", W_TRIM_LOWER },
	{ ">", W_GT },
	{ "+", W_ADD },
	{ "-", W_SUB },
	{ "*", W_MUL },
	{ "/", W_DIV },
	{ "%", W_MOD },
	{ "^", W_POW },
};

static bool
lex_symbol(struct lex *l, struct token *t)
{
	str rest = str_skip(l->in, l->at);

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (str_starts(rest, str_of(symbols[i].text))) {
			take_op(l, t, symbols[i].word);
			return true;
		}
	return false;
}

/* Words of a duration are calls: step(), range(), min_of(..), max_of(..). */
static void
lex_bracket(struct lex *l, struct token *t)
{
	static const char *const calls[] = { "step", "range", "min_of",
		"max_of" };
	char c = peek(l, 0);

	if (l->at >= l->in.n)
		fail(l, t, "unexpected end of input in duration expression");
	else if (c == ']') {
		if (l->parens != l->bracket_parens) {
			fail(l, t, "unclosed left parenthesis");
			return;
		}
		l->bracket = false;
		take(l, t, T_RBRACKET, 1);
	} else if (c == ':')
		take(l, t, T_COLON, 1);
	else if (c == ',')
		take(l, t, T_COMMA, 1);
	else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		lex_number(l, t);
	else if (is_alpha(c)) {
		size_t n = 0;

		while (is_alnum(peek(l, n)))
			n++;
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			if (strlen(calls[i]) == n &&
			    strncasecmp(calls[i], l->in.p + l->at, n) == 0) {
				take(l, t, T_IDENT, n);
				return;
			}
		fail_rune(l, t, "unexpected character in duration expression");
	} else if (!lex_paren(l, t)) {
		if (c != '\0' && strchr("+-*/%^", c) != NULL)
			lex_symbol(l, t);
		else
			fail_rune(l, t,
			    "unexpected character in duration expression");
	}
}

static void
lex_end(struct lex *l, struct token *t)
{
	if (l->parens > 0)
		fail(l, t, "unclosed left parenthesis");
	else
		take(l, t, T_EOF, 0);
}

void
promql_lex_next(struct lex *l, struct token *t)
{
	char c;

	memset(t, 0, sizeof(*t));
	skip_blank(l);
	t->at = l->at;
	c = peek(l, 0);
	if (l->braces)
		lex_braces(l, t);
	else if (l->bracket)
		lex_bracket(l, t);
	else if (l->at >= l->in.n)
		lex_end(l, t);
	else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		lex_number(l, t);
	else if (is_alpha(c) || c == ':')
		lex_word(l, t);
	else if (c == '"' || c == '\'' || c == '`')
		lex_string(l, t);
	else if (c == '{') {
		l->braces = true;
		take(l, t, T_LBRACE, 1);
	} else if (c == '[') {
		l->bracket = true;
		l->bracket_parens = l->parens;
		take(l, t, T_LBRACKET, 1);
	} else if (c == ',')
		take(l, t, T_COMMA, 1);
	else if (c == '@')
		take(l, t, T_AT, 1);
	else if (c == '}')
		fail(l, t, "unexpected right brace '}'");
	else if (c == ']')
		fail(l, t, "unexpected right bracket ']'");
	else if (lex_paren(l, t) || lex_symbol(l, t))
		return;
	else if ((c == '=' || c == '!') && (c == '!' || peek(l, 1) == '~')) {
		l->at++;
		fail_rune(l, t,
		    c == '=' ? "unexpected character after '='"
			     : "unexpected character after '!'");
	} else if (c == '=')
		take(l, t, T_EQL, 1);
	else
		fail_rune(l, t, "unexpected character");
}

void
promql_token_describe(struct buf *b, const struct token *t)
{
	const char *what = "";

	if (t->kind == T_EOF) {
		buf_z(b, "end of input");
		return;
	}
	if (t->kind == T_OP && t->word == W_NE) {
		buf_z(b, "<op:!=>");
		return;
	}
	if (t->kind == T_OP || t->kind == T_MATCH || t->kind == T_AT) {
		buf_printf(b, "<op:%.*s>", STR_ARG(t->text));
		return;
	}
	if (t->kind == T_IDENT && t->word != W_NONE) {
		buf_printf(b, "<%s%.*s>",
		    promql_word_is_aggregation(t->word) ? "aggr:" : "",
		    STR_ARG(t->text));
		return;
	}
	if (t->kind == T_IDENT)
		what = str_chr(t->text, ':') < t->text.n ? "metric identifier "
							 : "identifier ";
	else if (t->kind == T_NUMBER)
		what = "number ";
	else if (t->kind == T_DURATION)
		what = "duration ";
	else if (t->kind == T_STRING)
		what = "string ";
	buf_z(b, what);
	quote_add(b, t->text);
}

int
promql_unquote(str lit, struct arena *a, str *out, struct error *e)
{
	str s = { lit.p + 1, lit.n - 2 };

	if (lit.p[0] == '`')
		*out = arena_dup(a, s);
	else if (quote_read(a, s, lit.p[0], out) == -1)
		return error_set(e, "unknown escape sequence");
	return 0;
}
