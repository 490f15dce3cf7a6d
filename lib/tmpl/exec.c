/*
 * Execution: walks a tree, writes the output.  Errors name the node they are
 * about as Go does: "template: NAME:LINE:COLUMN: executing "T" at <node>: ..."
 * with columns from 0.  Steps, depth and bytes made are counted, so that a
 * hostile template ends.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tmpl/node.h"

enum walk { WALK_ERROR = -1, WALK_ON, WALK_BREAK, WALK_CONTINUE };

/* The value that goes into a command from the pipe, and whether there is. */
struct final {
	bool have;
	struct tmpl_value v;
};

static const struct final none;

static enum walk walk(
    struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n);
static int eval_pipeline(struct tmpl_run *r, struct tmpl_value dot,
    const struct tmpl_node *pipe, struct tmpl_value *out);
static int eval_call(struct tmpl_run *r, struct tmpl_value dot,
    const struct tmpl_func *f, const struct tmpl_node *at,
    const struct tmpl_node *cmd, struct final final, struct tmpl_value *out);

/* Not inlined: its message would lie on the stack once for each level. */
static int __attribute__((noinline, format(printf, 2, 3)))
fail(struct tmpl_run *r, const char *fmt, ...)
{
	const struct tmpl_tree *t = r->tree;
	struct buf b = { 0 };
	struct error why;
	size_t col = 0;
	int line = 1;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.msg, sizeof(why.msg), fmt, ap);
	va_end(ap);
	if (r->at == NULL)
		return error_set(
		    r->e, "template: %.*s: %s", STR_ARG(t->name), why.msg);
	for (size_t i = 0; i < r->at->pos && i < t->text.n; i++) {
		col++;
		if (t->text.p[i] == '\n') {
			line++;
			col = 0;
		}
	}
	tmpl_node_print(&b, r->at);
	error_set(r->e,
	    "template: %.*s:%d:%zu: executing \"%.*s\" at <%.*s>: %s",
	    STR_ARG(t->parsed_as), line, col, STR_ARG(t->name),
	    b.n > 400 ? 400 : (int)b.n, b.p, why.msg);
	buf_fini(&b);
	return -1;
}

struct arena *
tmpl_arena(struct tmpl_run *r)
{
	return r->arena;
}

void *
tmpl_user(struct tmpl_run *r)
{
	return r->user;
}

int64_t
tmpl_now(const struct tmpl_run *r)
{
	return r->set->now;
}

int
tmpl_charge(struct tmpl_run *r, size_t n, struct error *e)
{
	r->work += n;
	if (n > TMPL_MAX_WORK || r->work > TMPL_MAX_WORK)
		return error_set(
		    e, "template makes more than %u bytes", TMPL_MAX_WORK);
	return 0;
}

static int
step(struct tmpl_run *r)
{
	if (++r->steps > TMPL_MAX_STEPS)
		return fail(
		    r, "template takes more than %d steps", TMPL_MAX_STEPS);
	return 0;
}

static void
push(struct tmpl_run *r, str name, struct tmpl_value v)
{
	r->vars = mem_grow(r->vars, &r->cap, r->nvars + 1, sizeof(*r->vars));
	r->vars[r->nvars++] = (struct tmpl_var){ name, v };
}

static struct tmpl_var *
var(struct tmpl_run *r, str name)
{
	for (size_t i = r->nvars; i-- > r->base;)
		if (str_eq(r->vars[i].name, name))
			return &r->vars[i];
	return NULL;
}

/* The parser takes "$x = 1" for a declaration; it is not one. */
static int
undefined(struct tmpl_run *r, str name)
{
	return fail(r, "undefined variable: %.*s", STR_ARG(name));
}

/* Arguments by the letters of sig; the last may stand for many. */
static char
letter(const char *sig, size_t i)
{
	size_t n;

	if (sig == NULL)
		return 'v';
	n = strcspn(sig, "*");
	return i < n ? sig[i] : n > 0 ? sig[n - 1] : 'v';
}

static int
take(struct tmpl_run *r, char c, struct tmpl_value *v)
{
	struct error e;

	return tmpl_sig_take(c, v, &e) == -1 ? fail(r, "%s", e.msg) : 0;
}

/* "before NODE after", with the node as source text. */
static int
fail_about(struct tmpl_run *r, const char *before, const struct tmpl_node *n,
    const char *after)
{
	struct buf b = { 0 };

	tmpl_node_print(&b, n);
	fail(r, "%s%.*s%s", before, b.n > 200 ? 200 : (int)b.n, b.p, after);
	buf_fini(&b);
	return -1;
}

static int eval_command(struct tmpl_run *r, struct tmpl_value dot,
    const struct tmpl_node *cmd, const struct tmpl_node *first,
    struct final final, struct tmpl_value *out);

/* A literal as an argument of a given type. */
static int
eval_literal(struct tmpl_run *r, const struct tmpl_node *n, char c,
    struct tmpl_value *out)
{
	*out = n->value;
	if (c == 'v' || (c == 's' && n->type == NODE_STRING))
		return 0;
	if (n->type == NODE_NUMBER && n->fits_float) {
		double whole;

		if (c == 'f') {
			*out = tmpl_float(n->number);
			return 0;
		}
		whole = n->number;
		if ((c == 'i' || c == 'd') && whole > -9e18 && whole < 9e18 &&
		    (double)(int64_t)whole == whole) {
			if (out->kind == TMPL_FLOAT)
				*out = tmpl_int((int64_t)whole);
			if (c == 'd')
				*out = tmpl_dur(out->i);
			return 0;
		}
	}
	if (c == 's')
		return fail_about(r, "expected string; found ", n, "");
	if (c == 'f')
		return fail_about(r, "expected float; found ", n, "");
	if (c == 'i' || c == 'd')
		return fail_about(r, "expected integer; found ", n, "");
	return fail_about(r, "can't handle ", n,
	    c == 'S' ? " for arg of type []string"
		     : " for arg of type time.Time");
}

static int
eval_arg(struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n,
    char c, struct tmpl_value *out)
{
	r->at = n;
	if (n->type == NODE_DOT) {
		*out = dot;
	} else if (n->type == NODE_NIL) {
		*out = tmpl_nil();
		if (c != 'v' && c != 'S')
			return fail(
			    r, "cannot assign nil to %s", tmpl_sig_type(c));
	} else if (n->type == NODE_BOOL || n->type == NODE_NUMBER ||
	    n->type == NODE_STRING) {
		return eval_literal(r, n, c, out);
	} else if (n->type == NODE_PIPE) {
		if (eval_pipeline(r, dot, n, out) == -1)
			return -1;
	} else if (eval_command(r, dot, NULL, n, none, out) == -1)
		return -1;
	return take(r, c, out);
}

/* How many arguments a command gives, the piped one included. */
static size_t
count_args(const struct tmpl_node *cmd, struct final final)
{
	return (cmd != NULL ? cmd->n - 1 : 0) + (final.have ? 1 : 0);
}

/* All arguments of a call, evaluated and checked by sig. */
static int
eval_args(struct tmpl_run *r, struct tmpl_value dot, const char *sig,
    const struct tmpl_node *cmd, struct final final, struct tmpl_value **out)
{
	size_t n = count_args(cmd, final), have = cmd ? cmd->n - 1 : 0;
	struct tmpl_value *v = arena_array(r->arena, n, struct tmpl_value);

	for (size_t i = 0; i < have; i++)
		if (eval_arg(r, dot, cmd->v[i + 1], letter(sig, i), &v[i]) ==
		    -1)
			return -1;
	if (final.have) {
		v[have] = final.v;
		if (take(r, letter(sig, have), &v[have]) == -1)
			return -1;
	}
	*out = v;
	return 0;
}

static int
check_count(struct tmpl_run *r, str name, size_t n, int min, int max)
{
	if (max == -1 && n < (size_t)min)
		return fail(r,
		    "wrong number of args for %.*s: want at least %d got %zu",
		    STR_ARG(name), min, n);
	if (max != -1 && (n < (size_t)min || n > (size_t)max))
		return fail(r, "wrong number of args for %.*s: want %d got %zu",
		    STR_ARG(name), n < (size_t)min ? min : max, n);
	return 0;
}

/* What a call returned may be large: it counts. */
static int
charge(struct tmpl_run *r, struct tmpl_value v)
{
	struct error e;
	size_t n = v.kind == TMPL_STRING ? v.s.n
	    : v.kind == TMPL_LIST        ? v.list.n * sizeof(v)
	    : v.kind == TMPL_MAP         ? v.map.n * sizeof(v)
					 : sizeof(v);

	return tmpl_charge(r, n, &e) == -1 ? fail(r, "%s", e.msg) : 0;
}

/* and, or: stop at the operand that decides; their value is an operand. */
static int
eval_and_or(struct tmpl_run *r, struct tmpl_value dot, bool or,
    const struct tmpl_node *cmd, struct final final, struct tmpl_value *out)
{
	for (size_t i = 1; cmd != NULL && i < cmd->n; i++) {
		if (eval_arg(r, dot, cmd->v[i], 'v', out) == -1)
			return -1;
		if (tmpl_truth(r, *out) == or)
			return 0;
	}
	if (final.have)
		*out = final.v;
	return 0;
}

static int
eval_call(struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_func *f,
    const struct tmpl_node *at, const struct tmpl_node *cmd, struct final final,
    struct tmpl_value *out)
{
	str name = str_of(f->name);
	size_t n = count_args(cmd, final);
	struct tmpl_value *args;
	struct error e = { "" };

	r->at = at;
	if (step(r) == -1 ||
	    check_count(r, name, count_args(cmd, final), f->min_args,
		f->max_args) == -1)
		return -1;
	if (f->fn == NULL)
		return eval_and_or(r, dot, f->name[0] == 'o', cmd, final, out);
	if (eval_args(r, dot, f->sig, cmd, final, &args) == -1)
		return -1;
	r->at = cmd != NULL ? cmd : at;
	*out = tmpl_nil();
	for (size_t i = 0; i < n; i++) /* long arguments cost as many steps */
		if (args[i].kind == TMPL_STRING)
			r->steps += args[i].s.n / 256;
	if (f->fn(r, args, n, out, &e) == -1)
		return fail(r, "error calling %s: %s", f->name, e.msg);
	return charge(r, *out);
}

/* A method call on an object, a time or a duration. */
static int
call_method(struct tmpl_run *r, struct tmpl_value dot, struct tmpl_value v,
    str name, const char *sig, const struct tmpl_node *cmd, struct final final,
    struct tmpl_value *out)
{
	const struct tmpl_node *at = r->at;
	size_t n = count_args(cmd, final), want = strcspn(sig, "*");
	bool many = sig[want] == '*';
	struct tmpl_value *args;
	struct error e = { "" };
	int rc;

	if (check_count(r, name, n, (int)want - (many ? 1 : 0),
		many ? -1 : (int)want) == -1 ||
	    eval_args(r, dot, sig, cmd, final, &args) == -1)
		return -1;
	r->at = at;
	if (v.kind == TMPL_OBJECT)
		rc = v.obj->type->field(r, v.obj->self, name, args, n, out, &e);
	else
		rc = tmpl_time_call(r, v, name, args, out, &e);
	if (rc == -1)
		return fail(r, "error calling %.*s: %s", STR_ARG(name), e.msg);
	return charge(r, *out);
}

/* A field of an object that is no method, or a key of a map. */
static int
object_field(struct tmpl_run *r, struct tmpl_value dot, struct tmpl_value v,
    str name, const struct tmpl_node *cmd, struct final final,
    struct tmpl_value *out)
{
	const struct tmpl_type *type = v.obj->type;
	const char *sig = type->method ? type->method(name) : NULL;
	bool with_args = count_args(cmd, final) > 0;
	struct tmpl_value *args = NULL;
	struct error e = { "" };
	int rc;

	if (sig != NULL)
		return call_method(r, dot, v, name, sig, cmd, final, out) == -1
		    ? -1
		    : 1;
	if (type->field == NULL)
		return 0;
	if (with_args && type->method == NULL &&
	    eval_args(r, dot, NULL, cmd, final, &args) == -1)
		return -1;
	rc = type->field(r, v.obj->self, name, args,
	    args != NULL ? count_args(cmd, final) : 0, out, &e);
	if (rc == -1)
		return fail(r, "error calling %.*s: %s", STR_ARG(name), e.msg);
	if (rc == 0 && type->missing_zero) {
		*out = tmpl_string(STR_NONE);
		rc = 1;
	}
	if (rc == 1 && with_args && args == NULL)
		return fail(r, "%.*s %s", STR_ARG(name),
		    type->missing_zero
			? "is not a method but has arguments"
			: "has arguments but cannot be invoked as function");
	return rc;
}

static int
eval_field(struct tmpl_run *r, struct tmpl_value dot, struct tmpl_value v,
    str name, const struct tmpl_node *cmd, struct final final,
    struct tmpl_value *out)
{
	const struct tmpl_value *found;
	const char *sig;
	int rc = 0;

	switch (v.kind) {
	case TMPL_MISSING:
		*out = v;
		return 0;
	case TMPL_NIL:
		return fail(r, "nil pointer evaluating interface {}.%.*s",
		    STR_ARG(name));
	case TMPL_OBJECT:
		rc = object_field(r, dot, v, name, cmd, final, out);
		break;
	case TMPL_MAP:
		if (count_args(cmd, final) > 0)
			return fail(r, "%.*s is not a method but has arguments",
			    STR_ARG(name));
		found = tmpl_find(v, name);
		*out = found != NULL ? *found
		    : str_ends(str_of(tmpl_type_name(v)), STR("]string"))
		    ? tmpl_string(STR_NONE)
		    : tmpl_nil();
		return 0;
	case TMPL_TIME:
	case TMPL_DUR:
		if ((sig = tmpl_time_method(v, name)) != NULL)
			return call_method(
			    r, dot, v, name, sig, cmd, final, out);
		break;
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_STRING:
	case TMPL_LIST:
		break;
	}
	if (rc == -1 || rc == 1)
		return rc == 1 ? 0 : -1;
	return fail(r, "can't evaluate field %.*s in type %s", STR_ARG(name),
	    tmpl_type_name(v));
}

/* .a.b.c on v; what the command has as arguments is for the last. */
static int
eval_chain(struct tmpl_run *r, struct tmpl_value dot, struct tmpl_value v,
    const str *names, size_t n, const struct tmpl_node *at,
    const struct tmpl_node *cmd, struct final final, struct tmpl_value *out)
{
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n;

		r->at = at;
		if (eval_field(r, dot, v, names[i], last ? cmd : NULL,
			last ? final : none, out) == -1)
			return -1;
		v = *out;
	}
	return 0;
}

static int
not_a_function(struct tmpl_run *r, const struct tmpl_node *first,
    const struct tmpl_node *cmd, struct final final)
{
	if (count_args(cmd, final) == 0)
		return 0;
	return fail_about(r, "can't give argument to non-function ", first, "");
}

/*
 * One command of a pipeline, whose first word is first; cmd is NULL when the
 * word stands alone as an argument.
 */
static int
eval_command(struct tmpl_run *r, struct tmpl_value dot,
    const struct tmpl_node *cmd, const struct tmpl_node *first,
    struct final final, struct tmpl_value *out)
{
	struct tmpl_value v;

	if (first->type == NODE_FIELD)
		return eval_chain(r, dot, dot, first->names, first->nnames,
		    first, cmd, final, out);
	if (first->type == NODE_CHAIN) {
		r->at = first;
		if (eval_arg(r, dot, first->pipe, 'v', &v) == -1)
			return -1;
		return eval_chain(r, dot, v, first->names, first->nnames, first,
		    cmd, final, out);
	}
	if (first->type == NODE_IDENT)
		return eval_call(r, dot, first->func, first, cmd, final, out);
	if (first->type == NODE_PIPE) {
		if (not_a_function(r, first, cmd, final) == -1)
			return -1;
		return eval_pipeline(r, dot, first, out);
	}
	if (first->type == NODE_VAR) {
		r->at = first;
		if (var(r, first->names[0]) == NULL)
			return undefined(r, first->names[0]);
		*out = var(r, first->names[0])->value;
		if (first->nnames == 1)
			return not_a_function(r, first, cmd, final);
		return eval_chain(r, dot, *out, first->names + 1,
		    first->nnames - 1, first, cmd, final, out);
	}
	r->at = first;
	if (not_a_function(r, first, cmd, final) == -1)
		return -1;
	if (first->type == NODE_NIL)
		return fail(r, "nil is not a command");
	*out = first->type == NODE_DOT ? dot : first->value;
	return 0;
}

static int
eval_pipeline(struct tmpl_run *r, struct tmpl_value dot,
    const struct tmpl_node *pipe, struct tmpl_value *out)
{
	struct final final = none;

	*out = (struct tmpl_value){ .kind = TMPL_MISSING };
	if (pipe == NULL)
		return 0;
	if (step(r) == -1)
		return -1;
	for (size_t i = 0; i < pipe->n; i++) {
		r->at = pipe;
		if (eval_command(
			r, dot, pipe->v[i], pipe->v[i]->v[0], final, out) == -1)
			return -1;
		if (out->kind == TMPL_NIL)
			out->kind = TMPL_MISSING;
		final = (struct final){ true, *out };
	}
	for (size_t i = 0; i < pipe->ndecl; i++) {
		str name = pipe->decl[i]->names[0];

		if (!pipe->assign)
			push(r, name, *out);
		else if (var(r, name) != NULL)
			var(r, name)->value = *out;
		else
			return undefined(r, name);
	}
	return 0;
}

static int __attribute__((noinline))
print_text(struct tmpl_run *r, const struct tmpl_node *n)
{
	struct error e;

	buf_add(r->out, n->text);
	if (tmpl_charge(r, n->text.n, &e) == -1)
		return fail(r, "%s", e.msg);
	return 0;
}

static int __attribute__((noinline))
print_value(struct tmpl_run *r, const struct tmpl_node *n, struct tmpl_value v)
{
	size_t before = r->out->n;
	struct error e;

	if (v.kind == TMPL_MISSING)
		buf_z(r->out, "<no value>");
	else
		tmpl_print(r->out, v);
	r->at = n;
	if (tmpl_charge(r, r->out->n - before, &e) == -1)
		return fail(r, "%s", e.msg);
	return 0;
}

/* One turn of a range; index is for the first of two variables. */
static enum walk
turn(struct tmpl_run *r, const struct tmpl_node *n, size_t mark,
    struct tmpl_value index, struct tmpl_value elem)
{
	const struct tmpl_node *p = n->pipe;
	enum walk w;

	if (step(r) == -1)
		return WALK_ERROR;
	for (size_t i = 0; i < p->ndecl; i++)
		var(r, p->decl[i]->names[0])->value =
		    p->ndecl == 2 && i == 0 ? index : elem;
	w = walk(r, elem, n->list);
	r->nvars = mark;
	return w == WALK_CONTINUE ? WALK_ON : w;
}

static enum walk
range_over(struct tmpl_run *r, const struct tmpl_node *n, struct tmpl_value v,
    bool *any)
{
	size_t mark = r->nvars;
	enum walk w = WALK_ON;
	struct buf b = { 0 };
	int64_t count = 0;

	switch (v.kind) {
	case TMPL_LIST:
		count = (int64_t)v.list.n;
		break;
	case TMPL_MAP:
		count = (int64_t)v.map.n;
		break;
	case TMPL_INT:
		if (n->pipe->ndecl > 1) {
			fail(r,
			    "can't use %lld to iterate over more than one "
			    "variable",
			    (long long)v.i);
			return WALK_ERROR;
		}
		count = v.i;
		break;
	case TMPL_NIL:
	case TMPL_MISSING:
		break;
	case TMPL_BOOL:
	case TMPL_FLOAT:
	case TMPL_STRING:
	case TMPL_OBJECT:
	case TMPL_TIME:
	case TMPL_DUR:
		tmpl_print(&b, v);
		fail(r, "range can't iterate over %.*s",
		    b.n > 200 ? 200 : (int)b.n, b.p);
		buf_fini(&b);
		return WALK_ERROR;
	}
	*any = count > 0;
	for (int64_t i = 0; i < count && w == WALK_ON; i++)
		if (v.kind == TMPL_LIST)
			w = turn(r, n, mark, tmpl_int(i), v.list.v[i]);
		else if (v.kind == TMPL_MAP)
			w = turn(r, n, mark, tmpl_string(v.map.v[i].key),
			    v.map.v[i].value);
		else
			w = turn(r, n, mark, tmpl_int(i), tmpl_int(i));
	return w == WALK_BREAK ? WALK_ON : w;
}

static enum walk
walk_range(struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n)
{
	size_t mark = r->nvars;
	struct tmpl_value v;
	bool any = false;
	enum walk w;

	r->at = n;
	if (eval_pipeline(r, dot, n->pipe, &v) == -1)
		return WALK_ERROR;
	w = range_over(r, n, tmpl_elems(r, v), &any);
	if (w == WALK_ON && !any && n->orelse != NULL)
		w = walk(r, dot, n->orelse);
	r->nvars = mark;
	return w;
}

static enum walk
walk_if_or_with(
    struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n)
{
	size_t mark = r->nvars;
	enum walk w = WALK_ON;
	struct tmpl_value v;

	if (eval_pipeline(r, dot, n->pipe, &v) == -1)
		return WALK_ERROR;
	if (tmpl_truth(r, v))
		w = walk(r, n->type == NODE_WITH ? v : dot, n->list);
	else if (n->orelse != NULL)
		w = walk(r, dot, n->orelse);
	r->nvars = mark;
	return w;
}

static enum walk
walk_template(
    struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n)
{
	const struct tmpl_tree *t = tmpl_lookup(r->set, n->text);
	const struct tmpl_tree *tree = r->tree;
	size_t mark = r->nvars, base = r->base;
	enum walk w;

	r->at = n;
	if (t == NULL) {
		fail(r, "template \"%.*s\" not defined", STR_ARG(n->text));
		return WALK_ERROR;
	}
	if (r->depth == TMPL_MAX_DEPTH) {
		fail(r, "exceeded maximum template depth (%d)", TMPL_MAX_DEPTH);
		return WALK_ERROR;
	}
	if (eval_pipeline(r, dot, n->pipe, &dot) == -1)
		return WALK_ERROR;
	r->base = r->nvars;
	r->tree = t;
	r->depth++;
	push(r, STR("$"), dot);
	w = walk(r, dot, t->root);
	r->depth--;
	r->nvars = mark;
	if (w != WALK_ERROR) {
		r->base = base;
		r->tree = tree;
	}
	return w;
}

static enum walk
walk(struct tmpl_run *r, struct tmpl_value dot, const struct tmpl_node *n)
{
	enum walk w = WALK_ON;
	struct tmpl_value v;

	r->at = n;
	if (step(r) == -1)
		return WALK_ERROR;
	if (n->type == NODE_LIST) {
		if (++r->walks > TMPL_MAX_WALK)
			return (enum walk)fail(r, "too deeply nested");
		for (size_t i = 0; i < n->n && w == WALK_ON; i++)
			w = walk(r, dot, n->v[i]);
		r->walks--;
		return w;
	}
	if (n->type == NODE_TEXT)
		return print_text(r, n) == -1 ? WALK_ERROR : WALK_ON;
	if (n->type == NODE_IF || n->type == NODE_WITH)
		return walk_if_or_with(r, dot, n);
	if (n->type == NODE_RANGE)
		return walk_range(r, dot, n);
	if (n->type == NODE_TEMPLATE)
		return walk_template(r, dot, n);
	if (n->type == NODE_BREAK)
		return WALK_BREAK;
	if (n->type == NODE_CONTINUE)
		return WALK_CONTINUE;
	assert(n->type == NODE_ACTION);
	if (eval_pipeline(r, dot, n->pipe, &v) == -1)
		return WALK_ERROR;
	if (n->pipe->ndecl > 0)
		return WALK_ON;
	return print_value(r, n, v) == -1 ? WALK_ERROR : WALK_ON;
}

int
tmpl_exec(const struct tmpl *t, const char *name, struct tmpl_value dot,
    struct arena *a, void *user, struct buf *out, struct error *e)
{
	struct tmpl_run r = {
		.set = t, .arena = a, .user = user, .out = out, .e = e
	};
	size_t before = out->n;
	int rc = -1;

	r.tree = tmpl_lookup(t, str_of(name));
	if (r.tree == NULL)
		return error_set(e, "template: no template \"%s\"", name);
	push(&r, STR("$"), dot);
	if (walk(&r, dot, r.tree->root) == WALK_ERROR)
		out->n = before;
	else
		rc = 0;
	for (size_t i = 0; i < r.nzones; i++)
		date_zone_free(r.zones[i]);
	free(r.vars);
	return rc;
}

int
tmpl_text(const struct tmpl *t, const char *name, str text,
    struct tmpl_value dot, struct arena *a, void *user, struct buf *out,
    struct error *e)
{
	struct tmpl *over = tmpl_new(t->funcs, t->ntables);
	int rc = -1;

	over->below = t;
	over->now = t->now;
	if (tmpl_parse(over, name, text, e) == 0)
		rc = tmpl_exec(over, name, dot, a, user, out, e);
	tmpl_free(over);
	return rc;
}
