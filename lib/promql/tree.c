/*
 * The tree as JSON, in the form of the Prometheus API's parse_query: keys in
 * the order Go gives them, by name.  A length of time that depends on the
 * query is 0 there, and so it is here.
 */
#include "base/json.h"
#include "base/num.h"
#include "promql/ast.h"
#include "promql/func.h"

static void tree(struct json_writer *w, const struct node *n);

static void
text(struct json_writer *w, const char *key, str s)
{
	json_key(w, str_of(key));
	json_str(w, s);
}

static void
flag(struct json_writer *w, const char *key, bool v)
{
	json_key(w, str_of(key));
	json_bool(w, v);
}

static void
part(struct json_writer *w, const char *key, const struct node *n)
{
	json_key(w, str_of(key));
	if (n != NULL)
		tree(w, n);
	else
		json_nil(w);
}

static void
names(struct json_writer *w, const char *key, const str *v, size_t n)
{
	json_key(w, str_of(key));
	json_open(w, '[');
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	json_close(w, ']');
}

static void
span(struct json_writer *w, const char *key, const struct span *s)
{
	json_key(w, str_of(key));
	json_int(w, s->expr == NULL ? s->ms : 0);
}

/* What @ says. */
static void
moment(struct json_writer *w, const struct modifier *m)
{
	json_key(w, STR("startOrEnd"));
	if (m->at == AT_START || m->at == AT_END)
		json_str(w, m->at == AT_START ? STR("start") : STR("end"));
	else
		json_nil(w);
}

static void
timestamp(struct json_writer *w, const struct modifier *m)
{
	json_key(w, STR("timestamp"));
	if (m->at == AT_TIME)
		json_int(w, m->at_ms);
	else
		json_nil(w);
}

static void
number(struct json_writer *w, double v)
{
	struct buf b = { 0 };

	num_format(&b, v, 'f', -1);
	json_str(w, buf_str(&b));
	buf_fini(&b);
}

static void
matcher(struct json_writer *w, const struct match *m)
{
	json_open(w, '{');
	text(w, "name", m->name);
	text(w, "type", str_of(match_op_text(m->op)));
	text(w, "value", m->value);
	json_close(w, '}');
}

/* A name in quotes is a matcher like the others, and the first. */
static void
matchers(struct json_writer *w, const struct node *n, bool quoted)
{
	json_key(w, STR("matchers"));
	json_open(w, '[');
	if (quoted)
		matcher(w, &n->m[n->nm - 1]);
	for (size_t i = 0; i + quoted < n->nm; i++)
		matcher(w, &n->m[i]);
	json_close(w, ']');
}

static void
selector(struct json_writer *w, const struct node *n, const struct span *range)
{
	bool quoted = n->text.n > 0 && n->quoted;

	flag(w, "anchored", n->mod.extend == W_ANCHORED);
	matchers(w, n, quoted);
	text(w, "name", quoted ? STR("") : n->text);
	span(w, "offset", &n->mod.offset);
	if (range != NULL)
		span(w, "range", range);
	flag(w, "smoothed", n->mod.extend == W_SMOOTHED);
	moment(w, &n->mod);
	timestamp(w, &n->mod);
	text(w, "type",
	    range != NULL ? STR("matrixSelector") : STR("vectorSelector"));
}

static void
subquery(struct json_writer *w, const struct node *n)
{
	part(w, "expr", n->sub);
	span(w, "offset", &n->mod.offset);
	span(w, "range", &n->range);
	moment(w, &n->mod);
	span(w, "step", &n->step);
	timestamp(w, &n->mod);
	text(w, "type", STR("subquery"));
}

static const char *
type_of(char letter)
{
	return letter == 'v' ? "vector"
	    : letter == 'm'  ? "matrix"
	    : letter == 's'  ? "scalar"
			     : "string";
}

static void
call(struct json_writer *w, const struct node *n)
{
	json_key(w, STR("args"));
	json_open(w, '[');
	for (size_t i = 0; i < n->narg; i++)
		tree(w, n->arg[i]);
	json_close(w, ']');
	json_key(w, STR("func"));
	json_open(w, '{');
	json_key(w, STR("argTypes"));
	json_open(w, '[');
	for (const char *p = n->fn->args; *p != '\0'; p++)
		json_str(w, str_of(type_of(*p)));
	json_close(w, ']');
	text(w, "name", str_of(n->fn->name));
	text(w, "returnType", str_of(promql_type_text(n->fn->type)));
	json_key(w, STR("variadic"));
	json_int(w, n->fn->variadic);
	json_close(w, '}');
	text(w, "type", STR("call"));
}

static void
fill(struct json_writer *w, const char *key, const struct matching *m, int i)
{
	json_key(w, str_of(key));
	/* JSON has no infinity; upstream fails there. */
	if (m->has_fill[i] && isfinite(m->fill[i]))
		json_num(w, m->fill[i]);
	else
		json_nil(w);
}

static void
matching(struct json_writer *w, const struct node *n)
{
	static const char *const cards[] = {
		[CARD_ONE_ONE] = "one-to-one",
		[CARD_MANY_ONE] = "many-to-one",
		[CARD_ONE_MANY] = "one-to-many",
		[CARD_MANY_MANY] = "many-to-many",
	};
	const struct matching *m = &n->match;

	json_key(w, STR("matching"));
	if (n->sub->type != PROMQL_VECTOR || n->rhs->type != PROMQL_VECTOR) {
		json_nil(w);
		return;
	}
	json_open(w, '{');
	text(w, "card", str_of(cards[m->card]));
	json_key(w, STR("fillValues"));
	json_open(w, '{');
	fill(w, "lhs", m, 0);
	fill(w, "rhs", m, 1);
	json_close(w, '}');
	names(w, "include", m->include, m->ninclude);
	names(w, "labels", m->labels, m->nlabels);
	flag(w, "on", m->on);
	json_close(w, '}');
}

static void
binary(struct json_writer *w, const struct node *n)
{
	flag(w, "bool", n->returns_bool);
	part(w, "lhs", n->sub);
	matching(w, n);
	text(w, "op", str_of(promql_word_text(n->op)));
	part(w, "rhs", n->rhs);
	text(w, "type", STR("binaryExpr"));
}

static void
aggregation(struct json_writer *w, const struct node *n)
{
	part(w, "expr", n->sub);
	names(w, "grouping", n->by, n->nby);
	text(w, "op", str_of(promql_word_text(n->op)));
	part(w, "param", n->narg > 0 ? n->arg[0] : NULL);
	text(w, "type", STR("aggregation"));
	flag(w, "without", n->without);
}

static void
tree(struct json_writer *w, const struct node *n)
{
	json_open(w, '{');
	switch (n->kind) {
	case N_NUMBER:
		text(w, "type", STR("numberLiteral"));
		json_key(w, STR("val"));
		number(w, n->num);
		break;
	case N_STRING:
		text(w, "type", STR("stringLiteral"));
		text(w, "val", n->text);
		break;
	case N_VECTOR:
		selector(w, n, NULL);
		break;
	case N_MATRIX:
		selector(w, n->sub, &n->range);
		break;
	case N_SUBQUERY:
		subquery(w, n);
		break;
	case N_CALL:
		call(w, n);
		break;
	case N_AGGREGATE:
		aggregation(w, n);
		break;
	case N_BINARY:
		binary(w, n);
		break;
	case N_UNARY:
		part(w, "expr", n->sub);
		text(w, "op", str_of(promql_word_text(n->op)));
		text(w, "type", STR("unaryExpr"));
		break;
	case N_PAREN:
		part(w, "expr", n->sub);
		text(w, "type", STR("parenExpr"));
		break;
	}
	json_close(w, '}');
}

void
promql_print_tree(struct json_writer *w, const struct promql_expr *x)
{
	tree(w, x->root);
}
