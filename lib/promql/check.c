/*
 * What can be said about a tree without data: types and arguments (with
 * upstream's messages), which parts have the same value at every step, and
 * how far around its evaluation time an expression looks.
 */
#include "promql/ast.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/date.h"
#include "base/map.h"
#include "promql/func.h"

void
promql_position(str text, size_t at, unsigned *line, unsigned *col)
{
	*line = 1;
	*col = 1;
	for (size_t i = 0; i < at && i < text.n; i++)
		if (text.p[i] == '\n') {
			++*line;
			*col = 1;
		} else
			++*col;
}

int
promql_error(str text, size_t at, struct error *e, const char *fmt, ...)
{
	char msg[600];
	unsigned line, col;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	promql_position(text, at, &line, &col);
	return error_set(e, "%u:%u: parse error: %s", line, col, msg);
}

const char *
promql_type_text(enum promql_type t)
{
	static const char *const names[] = {
		[PROMQL_SCALAR] = "scalar",
		[PROMQL_STRING] = "string",
		[PROMQL_VECTOR] = "vector",
		[PROMQL_MATRIX] = "matrix",
	};

	return names[t];
}

const char *
promql_type_described(enum promql_type t)
{
	return t == PROMQL_VECTOR ? "instant vector"
	    : t == PROMQL_MATRIX  ? "range vector"
				  : promql_type_text(t);
}

enum promql_type
promql_type(const struct promql_expr *x)
{
	return x->root->type;
}

static enum promql_type
arg_type(char letter)
{
	return letter == 'v' ? PROMQL_VECTOR
	    : letter == 'm'  ? PROMQL_MATRIX
	    : letter == 's'  ? PROMQL_SCALAR
			     : PROMQL_STRING;
}

const struct node *
promql_inner(const struct node *n)
{
	while (n->kind == N_PAREN)
		n = n->sub;
	return n;
}

static int
expect(const struct node *n, enum promql_type want, const char *where, str text,
    struct error *e)
{
	if (n->type == want)
		return 0;
	return promql_error(text, n->at, e, "expected type %s in %s, got %s",
	    promql_type_described(want), where, promql_type_described(n->type));
}

/* info(v, {matchers}): the second argument is not evaluated as a vector. */
static int
check_info(const struct node *n, str text, struct error *e)
{
	if (n->narg < 2)
		return 0;
	if (n->arg[1]->kind != N_VECTOR)
		return promql_error(
		    text, n->arg[1]->at, e, "expected label selectors only");
	if (n->arg[1]->text.n > 0)
		return promql_error(text, n->arg[1]->at, e,
		    "expected label selectors only, got vector selector "
		    "instead");
	return 0;
}

/* hour(v, "zone") and its kind: no query of upstream's has a string there. */
static int
check_zone(const struct node *n, str text, struct error *e)
{
	struct arena a = { 0 };
	struct date_zone *z;
	struct error why;
	char where[80];

	snprintf(where, sizeof(where), "call to function \"%s\"", n->fn->name);
	if (expect(n->arg[0], PROMQL_VECTOR, where, text, e) == -1)
		return -1;
	if (str_eq(n->arg[1]->text, STR("UTC")))
		return 0;
	z = date_zone_load(arena_cstr(&a, n->arg[1]->text), NULL, &why);
	date_zone_free(z);
	arena_fini(&a);
	return z != NULL ? 0
			 : promql_error(text, n->arg[1]->at, e, "%s", why.msg);
}

static int
check_call(const struct node *n, str text, struct error *e)
{
	const struct func *fn = n->fn;
	size_t want = strlen(fn->args);
	char where[80];

	if (fn->flags & FUNC_ZONE && n->narg == 2 &&
	    n->arg[1]->kind == N_STRING)
		return check_zone(n, text, e);
	if (fn->variadic == 0 && n->narg != want)
		return promql_error(text, n->at, e,
		    "expected %zu argument(s) in call to \"%s\", got %zu", want,
		    fn->name, n->narg);
	if (fn->variadic != 0 && n->narg < want - 1)
		return promql_error(text, n->at, e,
		    "expected at least %zu argument(s) in call to \"%s\", "
		    "got %zu",
		    want - 1, fn->name, n->narg);
	if (fn->variadic > 0 && n->narg > want - 1 + (size_t)fn->variadic)
		return promql_error(text, n->at, e,
		    "expected at most %zu argument(s) in call to \"%s\", "
		    "got %zu",
		    want - 1 + (size_t)fn->variadic, fn->name, n->narg);
	snprintf(where, sizeof(where), "call to function \"%s\"", fn->name);
	for (size_t i = 0; i < n->narg; i++) {
		char letter = fn->args[i < want ? i : want - 1];

		if (expect(n->arg[i], arg_type(letter), where, text, e) == -1)
			return -1;
	}
	return strcmp(fn->name, "info") == 0 ? check_info(n, text, e) : 0;
}

static int
check_aggregate(const struct node *n, str text, struct error *e)
{
	assert(n->sub != NULL);
	if (expect(n->sub, PROMQL_VECTOR, "aggregation expression", text, e) ==
	    -1)
		return -1;
	if (n->narg == 0)
		return 0;
	return expect(n->arg[0],
	    n->op == W_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR,
	    "aggregation parameter", text, e);
}

static int
check_matching(struct node *n, bool vectors, str text, struct error *e)
{
	struct matching *m = &n->match;
	bool set = promql_word_is_set(n->op);
	const char *op = promql_word_text(n->op);

	if (!vectors) {
		if (m->nlabels > 0)
			return promql_error(text, n->at, e,
			    "vector matching only allowed between instant "
			    "vectors");
		if (m->has_fill[0] || m->has_fill[1])
			return promql_error(text, n->at, e,
			    "filling in missing series only allowed between "
			    "instant vectors");
		if (set)
			return promql_error(text, n->at, e,
			    "set operator \"%s\" not allowed in binary scalar "
			    "expression",
			    op);
		return 0;
	}
	if (!set)
		return 0;
	if (m->card == CARD_MANY_ONE || m->card == CARD_ONE_MANY)
		return promql_error(text, n->at, e,
		    "no grouping allowed for \"%s\" operation", op);
	if (m->has_fill[0] || m->has_fill[1])
		return promql_error(text, n->at, e,
		    "filling in missing series not allowed for set operators");
	m->card = CARD_MANY_MANY;
	return 0;
}

/* Where the operator stands. */
static size_t
operator_at(const struct node *n, str text)
{
	size_t at = n->sub->end;

	while (at < text.n && isspace((unsigned char)text.p[at]))
		at++;
	return at;
}

static int
check_binary(struct node *n, str text, struct error *e)
{
	static const char types[] = "binary expression must contain only "
				    "scalar and instant vector types";
	struct matching *m = &n->match;
	enum promql_type l, r;

	assert(n->sub != NULL && n->rhs != NULL);
	l = n->sub->type;
	r = n->rhs->type;
	if (n->returns_bool && !promql_word_is_comparison(n->op))
		return promql_error(text, operator_at(n, text), e,
		    "bool modifier can only be used on comparison operators");
	if (promql_word_is_comparison(n->op) && !n->returns_bool &&
	    l == PROMQL_SCALAR && r == PROMQL_SCALAR)
		return promql_error(text, operator_at(n, text), e,
		    "comparisons between scalars must use BOOL modifier");
	for (size_t i = 0; m->on && i < m->nlabels; i++)
		for (size_t k = 0; k < m->ninclude; k++)
			if (str_eq(m->labels[i], m->include[k]))
				return promql_error(text, operator_at(n, text),
				    e,
				    "label \"%.*s\" must not occur in ON and "
				    "GROUP clause at once",
				    STR_ARG(m->labels[i]));
	if (l != PROMQL_SCALAR && l != PROMQL_VECTOR)
		return promql_error(text, n->sub->at, e, "%s", types);
	if (r != PROMQL_SCALAR && r != PROMQL_VECTOR)
		return promql_error(text, n->rhs->at, e, "%s", types);
	return check_matching(
	    n, l == PROMQL_VECTOR && r == PROMQL_VECTOR, text, e);
}

int
promql_check_selector(const struct node *n, str text, struct error *e)
{
	for (size_t i = 0; i < n->nm; i++)
		if (!match_value(&n->m[i], STR_NONE))
			return 0;
	return n->loose ? 0
			: promql_error(text, n->at, e,
			      "vector selector must contain at "
			      "least one non-empty matcher");
}

static int
check_here(struct node *n, str text, struct error *e)
{
	switch (n->kind) {
	case N_CALL:
		return check_call(n, text, e);
	case N_AGGREGATE:
		return check_aggregate(n, text, e);
	case N_BINARY:
		return check_binary(n, text, e);
	case N_UNARY:
		if (n->type != PROMQL_SCALAR && n->type != PROMQL_VECTOR)
			return promql_error(text, n->at, e,
			    "unary expression only allowed on expressions of "
			    "type scalar or instant vector, got \"%s\"",
			    promql_type_described(n->type));
		return 0;
	case N_SUBQUERY:
		assert(n->sub != NULL);
		if (n->sub->type != PROMQL_VECTOR)
			return promql_error(text, n->at, e,
			    "subquery is only allowed on instant vector, got "
			    "%s instead",
			    promql_type_text(n->sub->type));
		return 0;
	case N_VECTOR:
		return promql_check_selector(n, text, e);
	case N_NUMBER:
	case N_STRING:
	case N_MATRIX:
	case N_PAREN:
		return 0;
	}
	return 0;
}

/*
 * Is the value the same at every step?  timestamp() is a function of the
 * sample if it stands right before a selector, else of the evaluation time;
 * so are the calendar functions without an argument.
 */
static bool
fixed(const struct node *n)
{
	bool all = (n->sub == NULL || n->sub->fixed) &&
	    (n->rhs == NULL || n->rhs->fixed);

	for (size_t i = 0; i < n->narg; i++)
		all = all && n->arg[i]->fixed;
	switch (n->kind) {
	case N_VECTOR:
	case N_SUBQUERY:
		return n->mod.at != AT_NONE;
	case N_CALL:
		if (strcmp(n->fn->name, "timestamp") == 0)
			return all && promql_inner(n->arg[0])->kind == N_VECTOR;
		if (n->narg == 0 && *n->fn->args == 'v')
			return false;
		return all && !(n->fn->flags & FUNC_TIME);
	case N_NUMBER:
	case N_STRING:
	case N_MATRIX:
	case N_AGGREGATE:
	case N_BINARY:
	case N_UNARY:
	case N_PAREN:
		return all;
	}
	return false;
}

/*
 * What looks at counts and sums alone has its selectors tell where counters
 * were reset, so that sums over a reset are noted: upstream reads histograms
 * without buckets there, which tells it as it goes.
 */
static void
tell_resets(struct node *n)
{
	if (n->kind == N_SUBQUERY || n->op == W_TRIM_LOWER ||
	    n->op == W_TRIM_UPPER || n->op == W_COUNT_VALUES ||
	    (n->kind == N_CALL && str_starts(n->text, STR("histogram_"))))
		return;
	if (n->kind == N_VECTOR)
		n->tells_resets = true;
	if (n->sub != NULL)
		tell_resets(n->sub);
	if (n->rhs != NULL)
		tell_resets(n->rhs);
	for (size_t i = 0; i < n->narg; i++)
		tell_resets(n->arg[i]);
}

static bool
is_stats(const struct node *n)
{
	return n->kind == N_CALL &&
	    (str_eq(n->text, STR("histogram_count")) ||
		str_eq(n->text, STR("histogram_sum")) ||
		str_eq(n->text, STR("histogram_avg")));
}

int
promql_check(struct node *n, str text, struct error *e)
{
	if (n->sub != NULL && promql_check(n->sub, text, e) == -1)
		return -1;
	if (n->rhs != NULL && promql_check(n->rhs, text, e) == -1)
		return -1;
	for (size_t i = 0; i < n->narg; i++)
		if (promql_check(n->arg[i], text, e) == -1)
			return -1;
	if (check_here(n, text, e) == -1)
		return -1;
	n->fixed = fixed(n);
	if (is_stats(n))
		tell_resets(n->arg[0]);
	return 0;
}

bool
promql_selects(const struct promql_expr *x)
{
	return x->selectors != NULL;
}

/* info() selects what no selector says. */
static bool
has_info(const struct node *n)
{
	if (n == NULL)
		return false;
	if (n->kind == N_CALL && n->fn != NULL &&
	    strcmp(n->fn->name, "info") == 0)
		return true;
	for (size_t i = 0; i < n->narg; i++)
		if (has_info(n->arg[i]))
			return true;
	return has_info(n->sub) || has_info(n->rhs);
}

static bool
selects_name(const struct node *n, const struct map *names)
{
	for (size_t i = 0; i < n->nm; i++)
		if (n->m[i].op == MATCH_EQ && str_eq(n->m[i].name, LABEL_NAME))
			return map_find(names, n->m[i].value) != NULL;
	return true;
}

bool
promql_touches(const struct promql_expr *x, const struct map *names)
{
	for (const struct node *n = x->selectors; n != NULL;
	     n = n->next_selector)
		if (selects_name(n, names))
			return true;
	return has_info(x->root);
}

/*
 * Spans over step() and range().
 */

static bool
varies(const struct node *n)
{
	if (n == NULL)
		return false;
	if (n->kind == N_CALL && n->narg == 0)
		return true;
	for (size_t i = 0; i < n->narg; i++)
		if (varies(n->arg[i]))
			return true;
	return varies(n->sub) || varies(n->rhs);
}

bool
promql_span_varies(const struct span *s)
{
	return varies(s->expr);
}

static int seconds(const struct node *n, double step, double range, double *v,
    struct error *e);

static int
seconds_call(
    const struct node *n, double step, double range, double *v, struct error *e)
{
	double a, b;

	if (n->narg == 0) {
		*v = n->text.p[0] == 's' ? step : range;
		return 0;
	}
	if (seconds(n->arg[0], step, range, &a, e) == -1 ||
	    seconds(n->arg[1], step, range, &b, e) == -1)
		return -1;
	*v = n->text.p[1] == 'i' ? fmin(a, b) : fmax(a, b);
	return 0;
}

static int
seconds_binary(
    const struct node *n, double step, double range, double *v, struct error *e)
{
	double a, b;

	if (seconds(n->sub, step, range, &a, e) == -1 ||
	    seconds(n->rhs, step, range, &b, e) == -1)
		return -1;
	if (n->op == W_DIV && b == 0)
		return error_set(e, "division by zero");
	if (n->op == W_MOD && b == 0)
		return error_set(e, "modulo by zero");
	*v = n->op == W_ADD  ? a + b
	    : n->op == W_SUB ? a - b
	    : n->op == W_MUL ? a * b
	    : n->op == W_DIV ? a / b
	    : n->op == W_MOD ? fmod(a, b)
			     : pow(a, b);
	return 0;
}

static int
seconds(
    const struct node *n, double step, double range, double *v, struct error *e)
{
	if (n->kind == N_CALL)
		return seconds_call(n, step, range, v, e);
	if (n->kind == N_BINARY)
		return seconds_binary(n, step, range, v, e);
	if (n->kind == N_NUMBER) {
		*v = n->num;
		return 0;
	}
	if (seconds(n->sub, step, range, v, e) == -1)
		return -1;
	if (n->kind == N_UNARY && n->op == W_SUB)
		*v = -*v;
	return 0;
}

int
promql_span(const struct span *s, int64_t step, int64_t range, int64_t *ms,
    struct error *e)
{
	double v;

	*ms = s->ms;
	if (s->expr == NULL)
		return 0;
	if (seconds(s->expr, (double)step / 1000, (double)range / 1000, &v,
		e) == -1)
		return -1;
	if (!(fabs(v) < 9.2e9))
		return error_set(e, "duration is out of range");
	*ms = (int64_t)round(v * 1000);
	return 0;
}

/*
 * How far an expression looks.
 */

struct reach {
	int64_t lookback, back, ahead;
	bool bounded;
};

/* A length in ms; unbounded when it depends on the query's grid. */
static int64_t
length(struct reach *r, const struct span *s)
{
	struct error e;
	int64_t ms;

	if (promql_span_varies(s) || promql_span(s, 0, 0, &ms, &e) == -1) {
		r->bounded = false;
		return 0;
	}
	return ms;
}

/* back and ahead of the time n is evaluated at, in ms. */
static void
reach(struct reach *r, const struct node *n, int64_t back, int64_t ahead)
{
	int64_t off;

	switch (n->kind) {
	case N_VECTOR:
		if (n->mod.at == AT_TIME)
			r->bounded = false;
		off = length(r, &n->mod.offset);
		back += off + r->lookback;
		ahead -= off;
		if (n->mod.extend == W_SMOOTHED)
			ahead += r->lookback;
		r->back = back > r->back ? back : r->back;
		r->ahead = ahead > r->ahead ? ahead : r->ahead;
		return;
	case N_MATRIX:
		reach(r, n->sub, back + length(r, &n->range), ahead);
		return;
	case N_SUBQUERY:
		if (n->mod.at == AT_TIME)
			r->bounded = false;
		off = length(r, &n->mod.offset);
		reach(
		    r, n->sub, back + off + length(r, &n->range), ahead - off);
		return;
	case N_NUMBER:
	case N_STRING:
	case N_CALL:
	case N_AGGREGATE:
	case N_BINARY:
	case N_UNARY:
	case N_PAREN:
		break;
	}
	if (n->sub != NULL)
		reach(r, n->sub, back, ahead);
	if (n->rhs != NULL)
		reach(r, n->rhs, back, ahead);
	for (size_t i = 0; i < n->narg; i++)
		reach(r, n->arg[i], back, ahead);
}

bool
promql_reach(const struct promql_expr *x, int64_t lookback, int64_t *back,
    int64_t *ahead)
{
	struct reach r = {
		.lookback = lookback > 0 ? lookback : PROMQL_LOOKBACK,
		.bounded = true,
	};

	reach(&r, x->root, 0, 0);
	*back = r.back;
	*ahead = r.ahead;
	return r.bounded;
}
