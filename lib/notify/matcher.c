/*
 * Matchers as text.  Alertmanager has two readings of it, the old one (names
 * as Prometheus's, values nearly verbatim) and the UTF-8 one (quoted as in
 * Go); by default both are tried, and where they differ the old one holds.
 */
#include <stdlib.h>

#include "base/quote.h"
#include "notify/impl.h"

struct triple {
	str name, value;
	enum match_op op;
};

struct triples {
	struct triple *v;
	size_t n, cap;
};

static bool
space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' ||
	    c == '\f';
}

static str
skip_space(str s)
{
	while (s.n > 0 && space(s.p[0]))
		s = str_skip(s, 1);
	return s;
}

static bool
take_op(str *s, enum match_op *op)
{
	static const struct {
		str text;
		enum match_op op;
	} ops[] = { { STR_INIT("=~"), MATCH_RE }, { STR_INIT("!~"), MATCH_NRE },
		{ STR_INIT("!="), MATCH_NE }, { STR_INIT("="), MATCH_EQ } };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (str_starts(*s, ops[i].text)) {
			*op = ops[i].op;
			*s = str_skip(*s, ops[i].text.n);
			return true;
		}
	return false;
}

static void
push(struct arena *a, struct triples *t, struct triple x)
{
	t->v = arena_grow(a, t->v, &t->cap, t->n + 1, sizeof(*t->v));
	t->v[t->n++] = x;
}

/* The old reading's value: quotes are optional, few escapes are any. */
static int
classic_value(struct arena *a, str raw, str *out, struct error *e)
{
	bool quoted = raw.n > 0 && raw.p[0] == '"', closed = !quoted;
	char *p = arena_alloc(a, raw.n + 1);
	size_t n = 0;

	for (size_t i = quoted; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '\\' && i + 1 < raw.n) {
			c = raw.p[++i];
			if (c != 'n' && c != '"' && c != '\\')
				p[n++] = '\\';
			p[n++] = c == 'n' ? '\n' : c;
		} else if (c == '"') {
			if (!quoted || i + 1 < raw.n)
				goto bad;
			closed = true;
		} else
			p[n++] = c;
	}
	if (!closed)
		goto bad;
	*out = (str){ p, n };
	return 0;
bad:
	return error_set(e,
	    "matcher value contains unescaped double quote: %.*s",
	    STR_ARG(raw));
}

static int
classic_one(struct arena *a, str s, struct triples *out, struct error *e)
{
	struct triple t;
	str rest = skip_space(s);
	size_t n = 0;

	while (n < rest.n &&
	    (rest.p[n] == '_' || rest.p[n] == ':' ||
		((rest.p[n] | 0x20) >= 'a' && (rest.p[n] | 0x20) <= 'z') ||
		(n > 0 && rest.p[n] >= '0' && rest.p[n] <= '9')))
		n++;
	t.name = str_take(rest, n);
	rest = skip_space(str_skip(rest, n));
	if (n == 0 || !take_op(&rest, &t.op))
		return error_set(e, "bad matcher format: %.*s", STR_ARG(s));
	rest = skip_space(rest);
	while (rest.n > 0 && space(rest.p[rest.n - 1]))
		rest.n--;
	if (!str_utf8(rest))
		return error_set(
		    e, "matcher value not valid UTF-8: %.*s", STR_ARG(rest));
	if (classic_value(a, rest, &t.value, e) == -1)
		return -1;
	push(a, out, t);
	return 0;
}

static int
classic(struct arena *a, str s, struct triples *out, struct error *e)
{
	bool quoted = false;
	size_t from = 0;

	if (s.n > 0 && s.p[0] == '{')
		s = str_skip(s, 1);
	if (s.n > 0 && s.p[s.n - 1] == '}')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == ',' && !quoted) {
			if (classic_one(
				a, (str){ s.p + from, i - from }, out, e) == -1)
				return -1;
			from = i + 1;
		}
	}
	if (from < s.n)
		return classic_one(a, str_skip(s, from), out, e);
	return 0;
}

/* A name or value of the UTF-8 reading. */
static int
word(struct arena *a, str *s, str *out, struct error *e)
{
	size_t n = 0;

	*s = skip_space(*s);
	if (s->n > 0 && s->p[0] == '"') {
		for (n = 1; n < s->n && s->p[n] != '"'; n++)
			if (s->p[n] == '\\')
				n++;
		if (n >= s->n)
			return error_set(e, "missing end \"");
		if (tmpl_unquote(a, str_take(*s, n + 1), out, e) == -1)
			return -1;
		*s = str_skip(*s, n + 1);
		return 0;
	}
	while (n < s->n && !space(s->p[n]) &&
	    strchr("{}!=~,\\\"'`", s->p[n]) == NULL)
		n++;
	if (n == 0)
		return error_set(e, "expected a name or a value");
	*out = str_take(*s, n);
	*s = str_skip(*s, n);
	return 0;
}

static int
utf8(struct arena *a, str s, struct triples *out, struct error *e)
{
	bool open;

	if (!str_utf8(s))
		return error_set(e, "not valid UTF-8");
	s = skip_space(s);
	open = s.n > 0 && s.p[0] == '{';
	s = skip_space(str_skip(s, open));
	while (s.n > 0 && s.p[0] != '}') {
		struct triple t;

		if (word(a, &s, &t.name, e) == -1)
			return -1;
		s = skip_space(s);
		if (!take_op(&s, &t.op))
			return error_set(e,
			    "expected an operator such as "
			    "'=', '!=', '=~' or '!~'");
		if (word(a, &s, &t.value, e) == -1)
			return -1;
		push(a, out, t);
		s = skip_space(s);
		if (s.n > 0 && s.p[0] == ',')
			s = skip_space(str_skip(s, 1));
		else if (s.n > 0 && s.p[0] != '}')
			return error_set(e, "expected a comma or a brace");
	}
	if (open != (s.n > 0))
		return error_set(e, "braces do not match");
	s = skip_space(str_skip(s, open));
	return s.n > 0 ? error_set(e, "expected the end") : 0;
}

int
notify_matchers_add(struct arena *a, struct matchers *m, enum match_op op,
    str name, str value, struct error *e)
{
	m->v = arena_grow(a, m->v, &m->cap, m->n + 1, sizeof(*m->v));
	if (match_init(&m->v[m->n], op, name, value, e) == -1)
		return -1;
	m->n++;
	return 0;
}

int
notify_matchers_parse(
    struct arena *a, str text, struct matchers *out, struct error *e)
{
	struct triples old = { 0 }, new = { 0 };
	struct error why;
	const struct triples *use = &old;

	if (classic(a, text, &old, e) == -1) {
		if (utf8(a, text, &new, &why) == -1)
			return -1;
		use = &new;
	}
	for (size_t i = 0; i < use->n; i++)
		if (notify_matchers_add(a, out, use->v[i].op,
			arena_dup(a, use->v[i].name),
			arena_dup(a, use->v[i].value), e) == -1)
			return -1;
	return 0;
}

int
notify_matchers_list(struct arena *a, const struct conf_node *n,
    struct matchers *out, struct error *e)
{
	struct error why;
	str s;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(n, e, "matchers must be a list of strings");
	for (size_t i = 0; i < n->n; i++)
		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
		else if (notify_matchers_parse(a, s, out, &why) == -1)
			return conf_error(n->v[i], e, "%s", why.msg);
	return 0;
}

int
notify_matchers_map(struct arena *a, const struct conf_node *n, bool re,
    struct matchers *out, struct error *e)
{
	struct error why;
	str s;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "must be a map of label to value");
	for (size_t i = 0; i < n->n; i++) {
		if (conf_str(n->v[i], &s, e) == -1)
			return -1;
		if (!label_name_valid(n->v[i]->key))
			return conf_error_key(n->v[i], e,
			    "invalid label name \"%.*s\"",
			    STR_ARG(n->v[i]->key));
		if (re)
			s = arena_printf(a, "^(?:%.*s)$", STR_ARG(s));
		if (notify_matchers_add(a, out, re ? MATCH_RE : MATCH_EQ,
			n->v[i]->key, s, &why) == -1)
			return conf_error(n->v[i], e, "%s", why.msg);
	}
	return 0;
}

static int
by_name(const void *x, const void *y)
{
	const struct match *a = x, *b = y;
	int c = str_cmp(a->name, b->name);

	if (c == 0)
		c = str_cmp(a->value, b->value);
	return c != 0 ? c : (int)a->op - (int)b->op;
}

void
notify_matchers_sort(struct matchers *m)
{
	if (m->n > 1)
		qsort(m->v, m->n, sizeof(*m->v), by_name);
}

/* As upstream's matcher prints itself: a plain name has few escapes. */
static void
print_one(struct buf *b, const struct match *m)
{
	bool plain = m->name.n > 0;

	for (size_t i = 0; i < m->name.n && plain; i++)
		plain = !space(m->name.p[i]) &&
		    strchr("{}!=~,\\\"'`", m->name.p[i]) == NULL;
	if (!plain) {
		quote_add(b, m->name);
		buf_z(b, match_op_text(m->op));
		quote_add(b, m->value);
		return;
	}
	buf_add(b, m->name);
	buf_z(b, match_op_text(m->op));
	label_print_value(b, m->value);
}

void
notify_matchers_print(struct buf *b, const struct matchers *m)
{
	buf_byte(b, '{');
	for (size_t i = 0; i < m->n; i++) {
		if (i > 0)
			buf_byte(b, ',');
		print_one(b, &m->v[i]);
	}
	buf_byte(b, '}');
}

void
notify_matchers_fini(struct matchers *m)
{
	for (size_t i = 0; i < m->n; i++)
		match_fini(&m->v[i]);
	m->n = 0;
}
