/*
 * The parser: tokens to trees, with the errors worded as Go's text/template
 * words them.  A set keeps the trees by name; the sets of tmpl_text() lie over
 * another one for the time of a run.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/quote.h"
#include "tmpl/node.h"

struct parse {
	struct tmpl *set;
	struct arena *a;
	struct map *fresh; /* trees of this text, by name */
	str name, text;
	struct tmpl_token *tok;
	size_t at, last; /* next token; the last one looked at, for its line */
	int action_line;
	int range_depth, nest;
	str *vars;
	size_t nvars, cap;
	struct error *e;
};

static struct tmpl_node *item_list(struct parse *p, struct tmpl_node **end);
static struct tmpl_node *pipeline(
    struct parse *p, const char *context, enum tmpl_item end);
static struct tmpl_node *text_or_action(struct parse *p);

/* Always NULL, so that a caller can fail in one line. */
static void *__attribute__((format(printf, 2, 3)))
fail(struct parse *p, const char *fmt, ...)
{
	struct error why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.msg, sizeof(why.msg), fmt, ap);
	va_end(ap);
	error_set(p->e, "template: %.*s:%d: %s", STR_ARG(p->name),
	    p->tok[p->last].line, why.msg);
	return NULL;
}

static struct tmpl_token *
next(struct parse *p)
{
	struct tmpl_token *t = &p->tok[p->at];

	p->last = p->at;
	if (t->type != ITEM_EOF && t->type != ITEM_ERROR)
		p->at++;
	return t;
}

static struct tmpl_token *
peek(struct parse *p)
{
	p->last = p->at;
	return &p->tok[p->at];
}

static struct tmpl_token *
peek_word(struct parse *p)
{
	while (p->tok[p->at].type == ITEM_SPACE)
		p->at++;
	return peek(p);
}

static struct tmpl_token *
next_word(struct parse *p)
{
	peek_word(p);
	return next(p);
}

/* A token as messages show it; the result is good until the next call. */
static const char *
show(struct parse *p, const struct tmpl_token *t)
{
	struct buf b = { 0 };
	str s;

	if (t->type == ITEM_EOF)
		return "EOF";
	if (t->type == ITEM_ERROR)
		return arena_cstr(p->a, t->val);
	if (t->type > ITEM_DOT) {
		s = arena_printf(p->a, "<%.*s>", STR_ARG(t->val));
		return s.p;
	}
	if (t->val.n > 10) {
		size_t n = 0, len;

		for (int i = 0; i < 10 && n < t->val.n; i++, n += len)
			str_rune(str_skip(t->val, n), &len);
		quote_add(&b, str_take(t->val, n));
		if (n < t->val.n)
			buf_z(&b, "...");
	} else
		quote_add(&b, t->val);
	s = arena_dup(p->a, buf_str(&b));
	buf_fini(&b);
	return s.p;
}

static void *
unexpected(struct parse *p, const struct tmpl_token *t, const char *context)
{
	if (t->type != ITEM_ERROR)
		return fail(p, "unexpected %s in %s", show(p, t), context);
	if (p->action_line != 0 && p->action_line != t->line)
		return fail(p, "%s%s started at %.*s:%d", show(p, t),
		    str_ends(t->val, STR(" action")) ? "" : " in action",
		    STR_ARG(p->name), p->action_line);
	return fail(p, "%s", show(p, t));
}

static struct tmpl_token *
expect(struct parse *p, enum tmpl_item type, const char *context)
{
	struct tmpl_token *t = next_word(p);

	return t->type == type ? t : unexpected(p, t, context);
}

static struct tmpl_node *
node(struct parse *p, enum tmpl_type_of_node type, const struct tmpl_token *t)
{
	struct tmpl_node *n = arena_new(p->a, struct tmpl_node);

	n->type = type;
	n->pos = t->pos;
	n->line = t->line;
	n->text = t->val;
	return n;
}

static void
append(struct parse *p, struct tmpl_node *to, struct tmpl_node *n)
{
	to->v = arena_grow(p->a, to->v, &to->cap, to->n + 1, sizeof(*to->v));
	to->v[to->n++] = n;
}

static void
add_names(struct parse *p, struct tmpl_node *n, str dotted)
{
	size_t cap = n->nnames;

	while (dotted.p != NULL) {
		str s = str_cut(&dotted, '.');

		if (s.n == 0)
			continue;
		n->names = arena_grow(
		    p->a, n->names, &cap, n->nnames + 1, sizeof(str));
		n->names[n->nnames++] = s;
	}
}

static void
declare(struct parse *p, str name)
{
	p->vars = mem_grow(p->vars, &p->cap, p->nvars + 1, sizeof(str));
	p->vars[p->nvars++] = name;
}

static struct tmpl_node *
use_var(struct parse *p, const struct tmpl_token *t)
{
	struct tmpl_node *n = node(p, NODE_VAR, t);

	for (size_t i = 0; i < p->nvars; i++)
		if (str_eq(p->vars[i], t->val)) {
			add_names(p, n, t->val);
			return n;
		}
	return fail(p, "undefined variable %s", show(p, t));
}

static struct tmpl_node *
literal(struct parse *p, const struct tmpl_token *t)
{
	struct tmpl_node *n;
	struct error e;

	n = node(p,
	    t->type == ITEM_BOOL                                ? NODE_BOOL
		: t->type == ITEM_STRING || t->type == ITEM_RAW ? NODE_STRING
								: NODE_NUMBER,
	    t);
	if (tmpl_literal(p->a, t, n, &e) == -1)
		return fail(p, "%s", e.msg);
	return n;
}

static struct tmpl_node *
term(struct parse *p, const struct tmpl_token *t)
{
	struct tmpl_node *n;

	if (t->type == ITEM_IDENT) {
		n = node(p, NODE_IDENT, t);
		n->func = tmpl_func_find(p->set, t->val);
		if (n->func == NULL)
			return fail(p, "function \"%.*s\" not defined",
			    STR_ARG(t->val));
		return n;
	}
	if (t->type == ITEM_DOT)
		return node(p, NODE_DOT, t);
	if (t->type == ITEM_NIL)
		return node(p, NODE_NIL, t);
	if (t->type == ITEM_VAR)
		return use_var(p, t);
	if (t->type == ITEM_FIELD) {
		n = node(p, NODE_FIELD, t);
		add_names(p, n, t->val);
		return n;
	}
	if (t->type == ITEM_OPEN)
		return pipeline(p, "parenthesized pipeline", ITEM_CLOSE);
	return literal(p, t);
}

static bool
is_term(enum tmpl_item type)
{
	return type == ITEM_IDENT || type == ITEM_DOT || type == ITEM_NIL ||
	    type == ITEM_VAR || type == ITEM_FIELD || type == ITEM_OPEN ||
	    type == ITEM_BOOL || type == ITEM_CHARCONST ||
	    type == ITEM_NUMBER || type == ITEM_STRING || type == ITEM_RAW;
}

/* A term and the fields that touch it: .a.b, $x.a, (f x).a */
static struct tmpl_node *
operand(struct parse *p)
{
	struct tmpl_node *n = term(p, next(p)), *chain;
	size_t pos;

	if (n == NULL || peek(p)->type != ITEM_FIELD)
		return n;
	if (n->type == NODE_BOOL || n->type == NODE_STRING ||
	    n->type == NODE_NUMBER || n->type == NODE_NIL ||
	    n->type == NODE_DOT) {
		struct buf b = { 0 };
		str s;

		tmpl_node_print(&b, n);
		s = arena_printf(
		    p->a, "unexpected . after term \"%s\"", buf_cstr(&b));
		buf_fini(&b);
		return fail(p, "%.*s", STR_ARG(s));
	}
	pos = peek(p)->pos;
	if (n->type != NODE_FIELD && n->type != NODE_VAR) {
		chain = node(p, NODE_CHAIN, peek(p));
		chain->pipe = n;
		n = chain;
	}
	n->pos = pos;
	while (peek(p)->type == ITEM_FIELD)
		add_names(p, n, next(p)->val);
	return n;
}

static struct tmpl_node *
command(struct parse *p)
{
	struct tmpl_node *cmd = node(p, NODE_COMMAND, peek_word(p)), *arg;

	for (;;) {
		struct tmpl_token *t = peek_word(p);

		if (is_term(t->type)) {
			if ((arg = operand(p)) == NULL)
				return NULL;
			append(p, cmd, arg);
		}
		t = next(p);
		if (t->type == ITEM_SPACE)
			continue;
		if (t->type == ITEM_RIGHT || t->type == ITEM_CLOSE)
			p->at--;
		else if (t->type != ITEM_PIPE)
			return unexpected(p, t, "operand");
		break;
	}
	if (cmd->n == 0)
		return fail(p, "empty command");
	return cmd;
}

/* "$x :=", "$x =", "$i, $v :=" before a pipeline; false on error. */
static bool
declarations(struct parse *p, struct tmpl_node *pipe, const char *context)
{
	while (peek_word(p)->type == ITEM_VAR) {
		size_t start = p->at;
		struct tmpl_token *v = next(p), *t = peek_word(p);
		bool comma = t->type == ITEM_CHAR && str_eq(t->val, STR(","));

		if (!comma && t->type != ITEM_ASSIGN &&
		    t->type != ITEM_DECLARE) {
			p->at = start;
			return true;
		}
		next(p);
		if (pipe->ndecl == 2 || (comma && pipe->ndecl == 1)) {
			fail(p, "too many declarations in %s", context);
			return false;
		}
		pipe->assign = t->type == ITEM_ASSIGN;
		pipe->decl[pipe->ndecl] = node(p, NODE_VAR, v);
		add_names(p, pipe->decl[pipe->ndecl++], v->val);
		declare(p, v->val);
		if (!comma)
			return true;
		if (strcmp(context, "range") != 0) {
			fail(p, "too many declarations in %s", context);
			return false;
		}
		t = peek_word(p);
		if (t->type != ITEM_VAR && t->type != ITEM_RIGHT &&
		    t->type != ITEM_CLOSE) {
			fail(p, "range can only initialize variables");
			return false;
		}
	}
	return true;
}

static struct tmpl_node *
check_pipeline(struct parse *p, struct tmpl_node *pipe, const char *context)
{
	if (pipe->n == 0)
		return fail(p, "missing value for %s", context);
	for (size_t i = 1; i < pipe->n; i++) {
		enum tmpl_type_of_node t = pipe->v[i]->v[0]->type;

		if (t == NODE_BOOL || t == NODE_DOT || t == NODE_NIL ||
		    t == NODE_NUMBER || t == NODE_STRING)
			return fail(p,
			    "non executable command in pipeline stage %zu",
			    i + 1);
	}
	return pipe;
}

static struct tmpl_node *
pipeline(struct parse *p, const char *context, enum tmpl_item end)
{
	struct tmpl_node *pipe = node(p, NODE_PIPE, peek_word(p)), *cmd;

	if (++p->nest > TMPL_MAX_NEST)
		return fail(p, "too deeply nested");
	if (!declarations(p, pipe, context))
		return NULL;
	for (;;) {
		struct tmpl_token *t = peek_word(p);

		if (t->type == end) {
			next(p);
			p->nest--;
			return check_pipeline(p, pipe, context);
		}
		if (!is_term(t->type))
			return unexpected(p, t, context);
		if ((cmd = command(p)) == NULL)
			return NULL;
		append(p, pipe, cmd);
	}
}

/* {{else if}} and {{else with}}: a list of one, which takes the {{end}}. */
static bool
else_chain(struct parse *p, struct tmpl_node *n,
    struct tmpl_node *(*control)(struct parse *p, struct tmpl_token *t))
{
	struct tmpl_token *t = next_word(p);
	struct tmpl_node *inner;

	n->orelse = node(p, NODE_LIST, t);
	if ((inner = control(p, t)) == NULL)
		return false;
	append(p, n->orelse, inner);
	return true;
}

static struct tmpl_node *
control(struct parse *p, struct tmpl_token *t, enum tmpl_type_of_node type,
    const char *word, enum tmpl_item self,
    struct tmpl_node *(*again)(struct parse *p, struct tmpl_token *t))
{
	struct tmpl_node *n = node(p, type, t), *end = NULL;
	size_t mark = p->nvars;

	if (++p->nest > TMPL_MAX_NEST)
		return fail(p, "too deeply nested");
	if ((n->pipe = pipeline(p, word, ITEM_RIGHT)) == NULL)
		return NULL;
	n->pos = n->pipe->pos;
	p->range_depth += type == NODE_RANGE;
	n->list = item_list(p, &end);
	p->range_depth -= type == NODE_RANGE;
	if (n->list == NULL || end == NULL)
		return NULL;
	if (end->type == NODE_ELSE) {
		if (type != NODE_RANGE && peek_word(p)->type == self) {
			if (!else_chain(p, n, again))
				return NULL;
		} else if ((n->orelse = item_list(p, &end)) == NULL)
			return NULL;
		else if (end->type != NODE_END)
			return fail(p, "expected end; found {{else}}");
	}
	p->nvars = mark;
	p->nest--;
	return n;
}

static struct tmpl_node *
if_control(struct parse *p, struct tmpl_token *t)
{
	return control(p, t, NODE_IF, "if", ITEM_IF, if_control);
}

static struct tmpl_node *
with_control(struct parse *p, struct tmpl_token *t)
{
	return control(p, t, NODE_WITH, "with", ITEM_WITH, with_control);
}

static struct tmpl_node *
range_control(struct parse *p, struct tmpl_token *t)
{
	return control(p, t, NODE_RANGE, "range", ITEM_RANGE, range_control);
}

static struct tmpl_node *
end_control(struct parse *p, struct tmpl_token *t)
{
	return expect(p, ITEM_RIGHT, "end") ? node(p, NODE_END, t) : NULL;
}

static struct tmpl_node *
else_control(struct parse *p, struct tmpl_token *t)
{
	struct tmpl_token *w = peek_word(p);

	if (w->type == ITEM_IF || w->type == ITEM_WITH)
		return node(p, NODE_ELSE, w);
	return expect(p, ITEM_RIGHT, "else") ? node(p, NODE_ELSE, t) : NULL;
}

static struct tmpl_node *
leave_control(struct parse *p, struct tmpl_token *t)
{
	const char *what = t->type == ITEM_BREAK ? "{{break}}" : "{{continue}}";

	if (!expect(p, ITEM_RIGHT, what))
		return NULL;
	if (p->range_depth == 0)
		return fail(p, "%s outside {{range}}", what);
	return node(p, t->type == ITEM_BREAK ? NODE_BREAK : NODE_CONTINUE, t);
}

/* A name in quotes, for template, define and block. */
static struct tmpl_token *
quoted_name(struct parse *p, const char *context, str *name)
{
	struct tmpl_token *t = next_word(p);
	struct tmpl_node *n;

	if (t->type != ITEM_STRING && t->type != ITEM_RAW)
		return unexpected(p, t, context);
	if ((n = literal(p, t)) == NULL)
		return NULL;
	*name = n->value.s;
	return t;
}

static struct tmpl_node *
template_control(struct parse *p, struct tmpl_token *t)
{
	struct tmpl_token *q;
	struct tmpl_node *n;
	str name = STR_NONE;

	(void)t;
	if ((q = quoted_name(p, "template clause", &name)) == NULL)
		return NULL;
	n = node(p, NODE_TEMPLATE, q);
	n->text = name;
	if (next_word(p)->type != ITEM_RIGHT) {
		p->at = p->last;
		n->pipe = pipeline(p, "template clause", ITEM_RIGHT);
		if (n->pipe == NULL)
			return NULL;
	}
	return n;
}

static bool
is_empty(const struct tmpl_node *n)
{
	if (n == NULL)
		return true;
	if (n->type != NODE_LIST && n->type != NODE_TEXT)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (!is_empty(n->v[i]))
			return false;
	return n->type == NODE_LIST || str_trim(n->text).n == 0;
}

static bool
add_tree(struct parse *p, str name, struct tmpl_node *root)
{
	struct tmpl_tree *t = arena_new(p->a, struct tmpl_tree);
	struct map_slot *slot;
	bool fresh;

	*t = (struct tmpl_tree){ name, p->name, p->text, root };
	slot = map_add(p->fresh, name, &fresh);
	if (fresh || is_empty(((struct tmpl_tree *)slot->v.p)->root))
		slot->v.p = t;
	else if (!is_empty(root)) {
		fail(p, "template: multiple definition of template \"%.*s\"",
		    STR_ARG(name));
		return false;
	}
	return true;
}

/* The body of a define or block, which starts with variables of its own. */
static bool
definition(struct parse *p, str name, const char *context)
{
	struct tmpl_node *root, *end = NULL;
	str *vars = p->vars;
	size_t nvars = p->nvars, cap = p->cap;
	int depth = p->range_depth;
	bool ok = false;

	p->vars = NULL;
	p->nvars = p->cap = 0;
	p->range_depth = 0;
	declare(p, STR("$"));
	if (++p->nest > TMPL_MAX_NEST)
		fail(p, "too deeply nested");
	else if ((root = item_list(p, &end)) == NULL)
		;
	else if (end == NULL || end->type != NODE_END)
		fail(p, "unexpected {{else}} in %s", context);
	else
		ok = add_tree(p, name, root);
	p->nest--;
	free(p->vars);
	p->vars = vars;
	p->nvars = nvars;
	p->cap = cap;
	p->range_depth = depth;
	return ok;
}

static struct tmpl_node *
block_control(struct parse *p, struct tmpl_token *t)
{
	struct tmpl_token *q;
	struct tmpl_node *n;
	str name = STR_NONE;

	(void)t;
	if ((q = quoted_name(p, "block clause", &name)) == NULL)
		return NULL;
	n = node(p, NODE_TEMPLATE, q);
	n->text = name;
	if ((n->pipe = pipeline(p, "block clause", ITEM_RIGHT)) == NULL ||
	    !definition(p, name, "block clause"))
		return NULL;
	return n;
}

static const struct {
	enum tmpl_item type;
	struct tmpl_node *(*parse)(struct parse *p, struct tmpl_token *t);
} controls[] = {
	{ ITEM_BLOCK, block_control },
	{ ITEM_BREAK, leave_control },
	{ ITEM_CONTINUE, leave_control },
	{ ITEM_ELSE, else_control },
	{ ITEM_END, end_control },
	{ ITEM_IF, if_control },
	{ ITEM_RANGE, range_control },
	{ ITEM_TEMPLATE, template_control },
	{ ITEM_WITH, with_control },
};

static struct tmpl_node *
action(struct parse *p)
{
	struct tmpl_token *t = peek_word(p);
	struct tmpl_node *n;

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (controls[i].type == t->type) {
			next(p);
			return controls[i].parse(p, t);
		}
	n = node(p, NODE_ACTION, t);
	n->pipe = pipeline(p, "command", ITEM_RIGHT);
	return n->pipe != NULL ? n : NULL;
}

static struct tmpl_node *
text_or_action(struct parse *p)
{
	struct tmpl_token *t = next_word(p);
	struct tmpl_node *n;

	if (t->type == ITEM_TEXT)
		return node(p, NODE_TEXT, t);
	if (t->type != ITEM_LEFT)
		return unexpected(p, t, "input");
	p->action_line = t->line;
	n = action(p);
	p->action_line = 0;
	return n;
}

/* Up to an {{end}} or {{else}}, which *end gets. */
static struct tmpl_node *
item_list(struct parse *p, struct tmpl_node **end)
{
	struct tmpl_node *list = node(p, NODE_LIST, peek_word(p)), *n;

	while (peek_word(p)->type != ITEM_EOF) {
		if ((n = text_or_action(p)) == NULL)
			return NULL;
		if (n->type == NODE_END || n->type == NODE_ELSE) {
			*end = n;
			return list;
		}
		append(p, list, n);
	}
	return fail(p, "unexpected EOF");
}

/* Is an action with {{define}} next?  It stands at the top level only. */
static bool
at_define(struct parse *p)
{
	size_t at = p->at;

	if (p->tok[at].type != ITEM_LEFT)
		return false;
	for (at++; p->tok[at].type == ITEM_SPACE; at++)
		continue;
	if (p->tok[at].type != ITEM_DEFINE)
		return false;
	p->at = at + 1;
	return true;
}

static struct tmpl_node *
whole(struct parse *p)
{
	struct tmpl_node *root = node(p, NODE_LIST, peek(p)), *n;
	str name = STR_NONE;

	while (peek(p)->type != ITEM_EOF) {
		if (at_define(p)) {
			if (!quoted_name(p, "define clause", &name) ||
			    !expect(p, ITEM_RIGHT, "define clause") ||
			    !definition(p, name, "define clause"))
				return NULL;
			continue;
		}
		if ((n = text_or_action(p)) == NULL)
			return NULL;
		if (n->type == NODE_END || n->type == NODE_ELSE)
			return fail(p, "unexpected {{%s}}",
			    n->type == NODE_END ? "end" : "else");
		append(p, root, n);
	}
	return root;
}

/*
 * A tree joins the set unless it is empty and would replace one that isn't;
 * but a text run over a set is itself, empty or not.
 */
static void
join_set(struct tmpl *t, const struct map *fresh, str self)
{
	for (struct map_slot *m = map_next(fresh, NULL); m != NULL;
	     m = map_next(fresh, m)) {
		struct tmpl_tree *tree = m->v.p;

		if (is_empty(tree->root) && tmpl_lookup(t, m->key) != NULL &&
		    (t->below == NULL || !str_eq(m->key, self)))
			continue;
		map_add(&t->trees, m->key, NULL)->v.p = tree;
	}
}

int
tmpl_parse(struct tmpl *t, const char *name, str text, struct error *e)
{
	struct map fresh = { 0 };
	struct parse p = { .set = t, .a = &t->arena, .fresh = &fresh, .e = e };
	struct tmpl_node *root;
	size_t n;
	int rc = -1;

	p.name = arena_dup(&t->arena, str_of(name));
	p.text = arena_dup(&t->arena, text);
	p.tok = tmpl_scan(&t->arena, p.text, &n);
	declare(&p, STR("$"));
	if ((root = whole(&p)) != NULL && add_tree(&p, p.name, root)) {
		join_set(t, &fresh, p.name);
		rc = 0;
	}
	free(p.vars);
	map_fini(&fresh);
	return rc;
}

const struct tmpl_tree *
tmpl_lookup(const struct tmpl *t, str name)
{
	struct map_slot *m;

	for (; t != NULL; t = t->below)
		if ((m = map_find(&t->trees, name)) != NULL)
			return m->v.p;
	return NULL;
}

const struct tmpl_func *
tmpl_func_find(const struct tmpl *t, str name)
{
	for (size_t i = t->ntables; i-- > 0;)
		for (const struct tmpl_func *f = t->funcs[i]; f->name; f++)
			if (str_eq(str_of(f->name), name))
				return f;
	for (const struct tmpl_func *f = tmpl_builtins; f->name; f++)
		if (str_eq(str_of(f->name), name))
			return f;
	return NULL;
}

struct tmpl *
tmpl_new(const struct tmpl_func *const *funcs, size_t ntables)
{
	struct tmpl *t = mem_zero(1, sizeof(*t));

	arena_init(&t->arena);
	map_init(&t->trees);
	t->funcs = funcs;
	t->ntables = ntables;
	return t;
}

void
tmpl_free(struct tmpl *t)
{
	if (t == NULL)
		return;
	map_fini(&t->trees);
	arena_fini(&t->arena);
	free(t);
}

void
tmpl_set_now(struct tmpl *t, int64_t now)
{
	t->now = now;
}
