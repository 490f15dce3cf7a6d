/*
 * Names for expressions: what the command line defines with -D.  A name stands
 * for its expression where an operand may stand; labels, matchers, functions
 * and lists of labels are left alone.  What is put in has parentheses unless
 * it is one thing without them, so that a selector takes a range and a
 * duration may be one.
 */
#include "promql/parse.h"

#include <ctype.h>

/* A name in a name in a name grows fast. */
#define TEXT_MAX (1U << 20)

static bool
one_thing(str text, unsigned features)
{
	struct promql_expr *x;
	struct arena a;
	struct error e;
	bool one = false;

	arena_init(&a);
	x = promql_parse_with(text, features, &a, &e);
	if (x != NULL) {
		const struct node *n = x->root;

		one = n->kind == N_CALL || n->kind == N_PAREN ||
		    n->kind == N_STRING ||
		    (n->kind == N_NUMBER && isalnum((unsigned char)*text.p)) ||
		    (n->kind == N_VECTOR && n->mod.at == AT_NONE &&
			!n->mod.offset.set && n->mod.extend == W_NONE);
	}
	promql_free(x);
	arena_fini(&a);
	return one;
}

static const struct promql_macro *
find(const struct promql_macro *m, size_t n, const struct token *t)
{
	/* The last definition of a name holds. */
	while (n-- > 0)
		if (t->kind == T_IDENT && str_eq(m[n].name, t->text))
			return &m[n];
	return NULL;
}

static bool
takes_labels(const struct token *t)
{
	return t->kind == T_IDENT &&
	    (t->word == W_BY || t->word == W_WITHOUT || t->word == W_ON ||
		t->word == W_IGNORING || t->word == W_GROUP_LEFT ||
		t->word == W_GROUP_RIGHT);
}

/* A text with names, on its way into out. */
struct expansion {
	struct buf *out;
	str text;
	size_t done; /* copied so far */
	const struct promql_macro *m;
	size_t n;
	unsigned features;
};

/* Put x in for the n bytes at at. */
static void
put(struct expansion *x, const struct promql_macro *m, size_t at, size_t n)
{
	bool one = one_thing(m->text, x->features);

	buf_add(x->out, str_from(x->text.p + x->done, x->text.p + at));
	buf_z(x->out, one ? "" : "(");
	buf_add(x->out, m->text);
	buf_z(x->out, one ? "" : ")");
	x->done = at + n;
}

/* The words of a range: at is behind its '['; where the lexer goes on. */
static size_t
put_range(struct expansion *x, size_t at)
{
	size_t n;

	for (; at < x->text.n && x->text.p[at] != ']'; at += n) {
		const struct promql_macro *m;
		struct token t = { .kind = T_IDENT };

		for (n = 0; at + n < x->text.n &&
		     (isalnum((unsigned char)x->text.p[at + n]) ||
			 x->text.p[at + n] == '_');)
			n++;
		t.text = str_take(str_skip(x->text, at), n);
		m = n > 0 ? find(x->m, x->n, &t) : NULL;
		if (m != NULL)
			put(x, m, at, n);
		if (n == 0)
			n = 1;
	}
	return at < x->text.n ? at + 1 : at;
}

int
promql_expand(struct buf *out, str text, const struct promql_macro *m, size_t n,
    unsigned features, struct error *e)
{
	struct expansion x = { out, text, 0, m, n, features };
	struct token t = { .kind = T_EOF }, before, next;
	bool labels = false, braces = false;
	struct lex l;

	promql_lex_init(&l, text);
	promql_lex_next(&l, &next);
	while (
	    next.kind != T_EOF && next.kind != T_ERROR && out->n < TEXT_MAX) {
		const struct promql_macro *found;

		before = t;
		t = next;
		if (t.kind == T_LBRACKET) {
			l.at = put_range(&x, t.at + 1);
			l.bracket = false;
		}
		promql_lex_next(&l, &next);
		if (t.kind == T_LPAREN && takes_labels(&before))
			labels = true;
		if (t.kind == T_RPAREN)
			labels = false;
		if (t.kind == T_LBRACE || t.kind == T_RBRACE)
			braces = t.kind == T_LBRACE;
		if (labels || braces || next.kind == T_LPAREN ||
		    next.kind == T_LBRACE)
			continue;
		found = find(m, n, &t);
		if (found != NULL)
			put(&x, found, t.at, t.text.n);
	}
	buf_add(out, str_skip(text, x.done));
	if (out->n < TEXT_MAX)
		return 0;
	return error_set(e, "names of -D make more than %u bytes", TEXT_MAX);
}
