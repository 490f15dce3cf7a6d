/*
 * Go's regular expression syntax (regexp/syntax with Perl's flags) to a tree.
 * What Go refuses is refused, with its words: look-around, back-references,
 * possessive operators and the like have no place in a linear machine.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

enum flags {
	FOLD = 1,    /* i: case does not count */
	LINES = 2,   /* m: ^ and $ at line ends too */
	DOT_NL = 4,  /* s: . takes \n */
	UNGREEDY = 8 /* U: *? and * change places */
};

struct parser {
	struct re_tree *t;
	const char *p, *end;
	str whole;
	unsigned flags;
	int depth;
	struct error *e;
};

static struct re_node *parse_alt(struct parser *ps);

static struct re_node *
fail(struct parser *ps, const char *code, const char *from, const char *to)
{
	error_set(ps->e, "error parsing regexp: %s: `%.*s`", code,
	    (int)(to - from), from);
	return NULL;
}

static struct re_node *
node_new(struct parser *ps, enum re_kind kind)
{
	struct re_node *n = arena_new(&ps->t->nodes, struct re_node);

	n->kind = kind;
	n->height = 1;
	n->size = 1;
	return n;
}

static void
node_add(struct parser *ps, struct re_node *n, struct re_node *child)
{
	n->v = arena_grow(
	    &ps->t->nodes, n->v, &n->cap, n->n + 1, sizeof(struct re_node *));
	n->v[n->n++] = child;
}

/* Deeper trees would exhaust the stack of whoever walks them. */
static bool
too_large(struct parser *ps, const struct re_node *n)
{
	if (n->height <= RE_MAX_DEPTH && n->size <= RE_MAX_SIZE)
		return false;
	fail(ps,
	    n->size > RE_MAX_SIZE ? "expression too large"
				  : "expression nests too deeply",
	    ps->whole.p, ps->end);
	return true;
}

static bool
at(const struct parser *ps, const char *z)
{
	return str_starts(str_from(ps->p, ps->end), str_of(z));
}

static uint32_t
take_rune(struct parser *ps)
{
	size_t n;
	uint32_t r = str_rune(str_from(ps->p, ps->end), &n);

	ps->p += n;
	return r;
}

/* A node for a set, which is used up. */
static struct re_node *
set_node(struct parser *ps, struct re_class *c)
{
	struct re_node *n = node_new(ps, RE_CLASS);
	struct re_tree *t = ps->t;
	struct re_set *s;

	re_class_sort(c);
	t->nranges += c->n;
	if (t->nranges > RE_MAX_RANGES) {
		re_class_fini(c);
		return fail(ps, "expression too large", ps->whole.p, ps->end);
	}
	t->sets = arena_grow(
	    &t->arena, t->sets, &t->sets_cap, t->nsets + 1, sizeof(*t->sets));
	n->class = t->nsets;
	s = &t->sets[t->nsets++];
	*s = (struct re_set){ .n = c->n };
	s->v = arena_array(&t->arena, c->n, struct re_range);
	if (c->n > 0)
		memcpy(s->v, c->v, c->n * sizeof(*c->v));
	for (size_t i = 0; i < c->n; i++)
		for (uint32_t r = c->v[i].lo; r <= c->v[i].hi && r < 128; r++)
			s->ascii[r / 64] |= UINT64_C(1) << (r % 64);
	re_class_fini(c);
	return n;
}

static struct re_node *
literal(struct parser *ps, uint32_t r)
{
	struct re_node *n;

	if ((ps->flags & FOLD) != 0 && re_fold(r) != r) {
		struct re_class c = { 0 };

		re_class_add(&c, r, r);
		re_class_fold(&c);
		n = set_node(ps, &c);
		if (n != NULL)
			n->fold = true;
		return n;
	}
	n = node_new(ps, RE_CHAR);
	n->fold = (ps->flags & FOLD) != 0;
	n->rune = r;
	return n;
}

static const struct named {
	const char *name;
	const char *ranges; /* pairs of bytes */
} posix[] = {
	{ "alnum", "09AZaz" },
	{ "alpha", "AZaz" },
	{ "ascii", NULL }, /* has a NUL: see add_named() */
	{ "blank", "\t\t  " },
	{ "cntrl", NULL },
	{ "digit", "09" },
	{ "graph", "!~" },
	{ "lower", "az" },
	{ "print", " ~" },
	{ "punct", "!/:@[`{~" },
	{ "space", "\t\r  " },
	{ "upper", "AZ" },
	{ "word", "09AZaz__" },
	{ "xdigit", "09AFaf" },
	{ "d", "09" },
	{ "s", "\t\n\f\r  " },
	{ "w", "09AZaz__" },
};

/* Fold if case does not count, then negate, then join: Go's order. */
static void
add_folded(
    struct parser *ps, struct re_class *c, struct re_class *part, bool negate)
{
	if ((ps->flags & FOLD) != 0)
		re_class_fold(part);
	if (negate)
		re_class_negate(part);
	re_class_join(c, part);
	re_class_fini(part);
}

static bool
add_named(struct parser *ps, struct re_class *c, str name, bool negate)
{
	for (size_t i = 0; i < sizeof(posix) / sizeof(posix[0]); i++) {
		struct re_class part = { 0 };
		const char *r = posix[i].ranges;

		if (!str_eq(name, str_of(posix[i].name)))
			continue;
		if (r == NULL)
			re_class_add(&part, 0, name.p[0] == 'a' ? 127 : 31);
		if (r == NULL && name.p[0] == 'c')
			re_class_add(&part, 127, 127);
		for (; r != NULL && *r != '\0'; r += 2)
			re_class_add(
			    &part, (unsigned char)r[0], (unsigned char)r[1]);
		add_folded(ps, c, &part, negate);
		return true;
	}
	return false;
}

/* \d \s \w and their negations; 1 if it was one, 0 if not. */
static int
perl_class(struct parser *ps, struct re_class *c)
{
	char lower;

	if (ps->end - ps->p < 2 || ps->p[0] != '\\' ||
	    strchr("dswDSW", ps->p[1]) == NULL || ps->p[1] == '\0')
		return 0;
	lower = (char)(ps->p[1] | 0x20);
	(void)add_named(ps, c, (str){ &lower, 1 }, ps->p[1] != lower);
	ps->p += 2;
	return 1;
}

/* \pL \p{Greek} \P{^Lu}: 1, 0 if it is none, -1. */
static int
unicode_class(struct parser *ps, struct re_class *c)
{
	const char *from = ps->p;
	struct re_class part = { 0 };
	bool negate, known = true;
	str name;

	if (ps->end - ps->p < 2 || ps->p[0] != '\\' || (ps->p[1] | 0x20) != 'p')
		return 0;
	negate = ps->p[1] == 'P';
	ps->p += 2;
	if (ps->p == ps->end)
		return fail(ps, "invalid character class range", from, ps->p),
		       -1;
	if (*ps->p != '{') {
		const char *one = ps->p;

		(void)take_rune(ps);
		name = str_from(one, ps->p);
	} else {
		str rest = str_from(ps->p + 1, ps->end);
		size_t n = str_chr(rest, '}');

		if (n == rest.n)
			return fail(ps, "invalid character class range", from,
				   ps->end),
			       -1;
		name = str_take(rest, n);
		ps->p += n + 2;
	}
	if (str_starts(name, STR("^"))) {
		negate = !negate;
		name = str_skip(name, 1);
	}
	if (str_eq(name, STR("Any")))
		re_class_add(&part, 0, RE_MAX_RUNE);
	else
		known =
		    re_category_add(&part, name) || re_script_add(&part, name);
	add_folded(ps, c, &part, negate);
	if (known)
		return 1;
	return fail(ps, "invalid character class range", from, ps->p), -1;
}

/* Behind "\x": two digits, or any number in braces. */
static bool
hex_escape(struct parser *ps, uint32_t *r)
{
	bool brace = ps->p < ps->end && *ps->p == '{', ok = true;
	size_t n = 0;

	*r = 0;
	ps->p += brace;
	while (ps->p < ps->end && (brace || n < 2)) {
		uint32_t c = take_rune(ps);
		int digit = c < 128 ? str_hex((char)c) : -1;

		if (brace && c == '}')
			return n > 0;
		ok = ok && digit >= 0;
		if (!ok && (brace || n == 1))
			return false;
		n++;
		if (ok)
			*r = *r * 16 + (uint32_t)digit;
		if (*r > RE_MAX_RUNE)
			return false;
	}
	return ok && !brace && n == 2;
}

/* An escape that stands for one code point; ps->p is at the backslash. */
static bool
escape(struct parser *ps, uint32_t *r)
{
	static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
	const char *start = ps->p, *q;

	if (++ps->p == ps->end) {
		fail(ps, "trailing backslash at end of expression", "", "");
		return false;
	}
	*r = take_rune(ps);
	if (*r >= '0' && *r <= '7' &&
	    (*r == '0' ||
		(ps->p < ps->end && *ps->p >= '0' && *ps->p <= '7'))) {
		*r -= '0';
		for (int i = 0; i < 2 && ps->p < ps->end; i++) {
			if (*ps->p < '0' || *ps->p > '7')
				break;
			*r = *r * 8 + (uint32_t)(*ps->p++ - '0');
		}
		return true;
	}
	if (*r == 'x') {
		if (hex_escape(ps, r))
			return true;
	} else if (*r < 128 && *r > 0 && (q = strchr(from, (int)*r)) != NULL) {
		*r = (unsigned char)to[q - from];
		return true;
	} else if (*r < 128 &&
	    !((*r >= '0' && *r <= '9') || (*r >= 'A' && *r <= 'Z') ||
		(*r >= 'a' && *r <= 'z'))) {
		return true;
	}
	fail(ps, "invalid escape sequence", start, ps->p);
	return false;
}

static bool
class_char(struct parser *ps, const char *open, uint32_t *r)
{
	if (ps->p == ps->end) {
		fail(ps, "missing closing ]", open, ps->end);
		return false;
	}
	if (*ps->p == '\\')
		return escape(ps, r);
	*r = take_rune(ps);
	return true;
}

/* [:alpha:] or [:^alpha:] inside of brackets: 1, 0 if it is none, -1. */
static int
posix_class(struct parser *ps, struct re_class *c)
{
	str rest = str_from(ps->p, ps->end), name;
	size_t n;
	bool negate;

	if (!str_starts(rest, STR("[:")))
		return 0;
	n = str_find(str_skip(rest, 2), STR(":]"));
	if (n == rest.n - 2)
		return 0;
	name = str_take(str_skip(rest, 2), n);
	negate = str_starts(name, STR("^"));
	name = str_skip(name, negate);
	/* d, s and w are in the table for \d \s \w alone. */
	if (name.n < 2 || !add_named(ps, c, name, negate)) {
		fail(ps, "invalid character class range", ps->p, ps->p + n + 4);
		return -1;
	}
	ps->p += n + 4;
	return 1;
}

static bool
class_range(struct parser *ps, struct re_class *c, const char *open)
{
	const char *from = ps->p;
	struct re_class part = { 0 };
	uint32_t lo, hi;

	if (!class_char(ps, open, &lo))
		return false;
	hi = lo;
	if (ps->end - ps->p >= 2 && ps->p[0] == '-' && ps->p[1] != ']') {
		ps->p++;
		if (!class_char(ps, open, &hi))
			return false;
		if (hi < lo) {
			fail(ps, "invalid character class range", from, ps->p);
			return false;
		}
	}
	re_class_add(&part, lo, hi);
	add_folded(ps, c, &part, false);
	return true;
}

static struct re_node *
parse_class(struct parser *ps)
{
	const char *open = ps->p++;
	struct re_class c = { 0 };
	bool negate = ps->p < ps->end && *ps->p == '^', first = true;

	ps->p += negate;
	while (ps->p == ps->end || *ps->p != ']' || first) {
		int k;

		first = false;
		if ((k = posix_class(ps, &c)) == 0 &&
		    (k = unicode_class(ps, &c)) == 0 &&
		    (k = perl_class(ps, &c)) == 0)
			k = class_range(ps, &c, open) ? 1 : -1;
		if (k == -1) {
			re_class_fini(&c);
			return NULL;
		}
	}
	ps->p++;
	if (negate)
		re_class_negate(&c);
	return set_node(ps, &c);
}

static struct re_node *
parse_escape(struct parser *ps)
{
	static const struct {
		char c;
		enum re_kind kind;
	} marks[] = { { 'A', RE_TEXT_START }, { 'z', RE_TEXT_END },
		{ 'b', RE_WORD }, { 'B', RE_NOT_WORD } };
	struct re_class c = { 0 };
	uint32_t r;
	int k;

	for (size_t i = 0; i < 4 && ps->end - ps->p >= 2; i++)
		if (ps->p[1] == marks[i].c) {
			ps->p += 2;
			return node_new(ps, marks[i].kind);
		}
	if ((k = unicode_class(ps, &c)) == 0)
		k = perl_class(ps, &c);
	if (k == 1)
		return set_node(ps, &c);
	re_class_fini(&c);
	if (k == -1 || !escape(ps, &r))
		return NULL;
	return literal(ps, r);
}

static bool
name_ok(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_hex(s.p[i]) < 0 && s.p[i] != '_' &&
		    !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'))
			return false;
	return s.n > 0;
}

static struct re_node *
group_new(struct parser *ps, str name)
{
	struct re_tree *t = ps->t;
	struct re_node *n = node_new(ps, RE_GROUP);

	t->names = arena_grow(&t->arena, t->names, &t->names_cap,
	    t->ngroups + 1, sizeof(*t->names));
	t->names[t->ngroups] = arena_dup(&t->arena, name);
	n->group = t->ngroups++;
	return n;
}

/* The rest of a group, after its head; wrap is the capture or NULL. */
static struct re_node *
group_body(struct parser *ps, struct re_node *wrap, unsigned outer)
{
	struct re_node *in;

	if (++ps->depth > RE_MAX_DEPTH)
		return fail(
		    ps, "expression nests too deeply", ps->whole.p, ps->end);
	in = parse_alt(ps);
	if (in == NULL || too_large(ps, in))
		return NULL;
	if (ps->p == ps->end)
		return fail(ps, "missing closing )", ps->whole.p, ps->end);
	ps->p++;
	ps->depth--;
	ps->flags = outer;
	if (wrap == NULL)
		return in;
	node_add(ps, wrap, in);
	re_node_measure(wrap);
	return too_large(ps, wrap) ? NULL : wrap;
}

/* (?P<name>re) or (?<name>re) */
static struct re_node *
named_group(struct parser *ps, size_t head)
{
	str rest = str_from(ps->p + head, ps->end), name;
	size_t n = str_chr(rest, '>');
	const char *open = ps->p;

	if (n == rest.n)
		return fail(ps, "invalid named capture", open, ps->end);
	name = str_take(rest, n);
	ps->p = name.p + n + 1;
	if (!name_ok(name))
		return fail(ps, "invalid named capture", open, ps->p);
	return group_body(ps, group_new(ps, name), ps->flags);
}

static unsigned
flag_of(uint32_t c)
{
	return c == 'i' ? FOLD
	    : c == 'm'  ? LINES
	    : c == 's'  ? DOT_NL
	    : c == 'U'  ? UNGREEDY
			: 0;
}

/*
 * (?i-s) changes the flags to the group's end and is an empty node of size 0;
 * (?i:re) changes those of its own.
 */
static struct re_node *
flag_group(struct parser *ps)
{
	const char *open = ps->p;
	unsigned outer = ps->flags, f = outer;
	bool minus = false, any = false;
	struct re_node *none;

	for (ps->p += 2; ps->p < ps->end;) {
		uint32_t c = take_rune(ps);
		unsigned bit = flag_of(c);

		if (bit != 0) {
			f = minus ? f & ~bit : f | bit;
			any = true;
		} else if (c == '-' && !minus) {
			minus = true;
			any = false;
		} else if ((c == ':' || c == ')') && (any || !minus)) {
			ps->flags = f;
			if (c == ':')
				return group_body(ps, NULL, outer);
			none = node_new(ps, RE_EMPTY);
			none->size = 0;
			return none;
		} else {
			break;
		}
	}
	return fail(ps, "invalid or unsupported Perl syntax", open, ps->p);
}

static struct re_node *
parse_group(struct parser *ps)
{
	if (at(ps, "(?P<") && ps->end - ps->p > 4)
		return named_group(ps, 4);
	if (at(ps, "(?<") && ps->end - ps->p > 3)
		return named_group(ps, 3);
	if (at(ps, "(?"))
		return flag_group(ps);
	ps->p++;
	return group_body(ps, group_new(ps, STR_NONE), ps->flags);
}

/* A count without leading zeros, cut at what is too large in any case. */
static bool
count(struct parser *ps, int *v)
{
	const char *from = ps->p;

	*v = 0;
	for (; ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9'; ps->p++)
		if (*v <= RE_MAX_REPEAT)
			*v = *v * 10 + (*ps->p - '0');
	return ps->p > from && (ps->p - from == 1 || *from != '0');
}

/* {n} {n,} {n,m}; what is not of this form is a literal brace. */
static bool
counts(struct parser *ps, int *min, int *max)
{
	const char *from = ps->p++;

	if (count(ps, min)) {
		*max = *min;
		if (ps->p < ps->end && *ps->p == ',') {
			ps->p++;
			*max = -1;
			if (ps->p < ps->end && *ps->p != '}' &&
			    !count(ps, max)) {
				ps->p = from;
				return false;
			}
		}
		if (ps->p < ps->end && *ps->p == '}') {
			ps->p++;
			return true;
		}
	}
	ps->p = from;
	return false;
}

/*
 * A repetition operator at ps->p, put round the last of cat: 1, 0 if there is
 * none here, -1.  last is where an operator right before it begins, or NULL.
 */
static int
parse_repeat(struct parser *ps, struct re_node *cat, const char *last)
{
	const char *op = ps->p;
	struct re_node *n;
	int min = *op == '+', max = *op == '?' ? 1 : -1;

	if (*op == '{') {
		if (!counts(ps, &min, &max))
			return 0;
	} else if (*op == '*' || *op == '+' || *op == '?') {
		ps->p++;
	} else {
		return 0;
	}
	n = node_new(ps, RE_REPEAT);
	n->min = min;
	n->max = max;
	n->lazy = (ps->flags & UNGREEDY) != 0;
	if (*op == '{' &&
	    (min > RE_MAX_REPEAT || max > RE_MAX_REPEAT ||
		(max >= 0 && min > max)))
		return fail(ps, "invalid repeat count", op, ps->p), -1;
	if (ps->p < ps->end && *ps->p == '?') {
		ps->p++;
		n->lazy = !n->lazy;
	}
	if (last != NULL)
		return fail(ps, "invalid nested repetition operator", last,
			   ps->p),
		       -1;
	if (cat->n == 0)
		return fail(ps, "missing argument to repetition operator", op,
			   ps->p),
		       -1;
	node_add(ps, n, cat->v[cat->n - 1]);
	cat->v[cat->n - 1] = n;
	re_node_measure(n);
	if (too_large(ps, n))
		return -1;
	if (*op == '{' && (min > 1 || max > 1) &&
	    !re_node_fits(n, RE_MAX_REPEAT))
		return fail(ps, "invalid repeat count", op, ps->p), -1;
	return 1;
}

/* \Q...\E: every code point as it stands. */
static bool
quoted(struct parser *ps, struct re_node *cat)
{
	str rest = str_from(ps->p + 2, ps->end);
	size_t n = str_find(rest, STR("\\E"));
	const char *stop = rest.p + n;

	ps->p = rest.p;
	while (ps->p < stop) {
		struct re_node *x = literal(ps, take_rune(ps));

		if (x == NULL)
			return false;
		node_add(ps, cat, x);
	}
	if (n < rest.n)
		ps->p += 2;
	return true;
}

static struct re_node *
parse_atom(struct parser *ps)
{
	switch (*ps->p) {
	case '(':
		return parse_group(ps);
	case '[':
		return parse_class(ps);
	case '\\':
		return parse_escape(ps);
	case '.':
		ps->p++;
		return node_new(
		    ps, (ps->flags & DOT_NL) != 0 ? RE_ANY_NL : RE_ANY);
	case '^':
		ps->p++;
		return node_new(ps,
		    (ps->flags & LINES) != 0 ? RE_LINE_START : RE_TEXT_START);
	case '$':
		ps->p++;
		return node_new(
		    ps, (ps->flags & LINES) != 0 ? RE_LINE_END : RE_TEXT_END);
	}
	return literal(ps, take_rune(ps));
}

static struct re_node *
parse_cat(struct parser *ps)
{
	struct re_node *cat = node_new(ps, RE_CAT), *x;
	const char *last = NULL;

	while (ps->p < ps->end && *ps->p != '|' && *ps->p != ')') {
		const char *from = ps->p;
		int k = parse_repeat(ps, cat, last);

		if (k == -1)
			return NULL;
		last = k == 1 ? from : NULL;
		if (k == 1)
			continue;
		if (at(ps, "\\Q")) {
			if (!quoted(ps, cat))
				return NULL;
			continue;
		}
		x = parse_atom(ps);
		if (x == NULL)
			return NULL;
		/* "(?i)" is nothing an operator could stand behind. */
		if (x->size > 0)
			node_add(ps, cat, x);
	}
	if (cat->n == 1)
		return cat->v[0];
	if (cat->n == 0)
		return node_new(ps, RE_EMPTY);
	re_node_measure(cat);
	return cat;
}

static struct re_node *
parse_alt(struct parser *ps)
{
	struct re_node *alt = node_new(ps, RE_ALT), *x;

	for (;;) {
		x = parse_cat(ps);
		if (x == NULL)
			return NULL;
		node_add(ps, alt, x);
		if (ps->p == ps->end || *ps->p != '|')
			break;
		ps->p++;
	}
	if (alt->n == 1)
		return alt->v[0];
	re_node_measure(alt);
	return alt;
}

int
re_parse(struct re_tree *t, str pattern, bool dot_nl, struct error *e)
{
	struct parser ps = { .t = t, .e = e, .flags = dot_nl ? DOT_NL : 0 };

	*t = (struct re_tree){ 0 };
	t->pattern = ps.whole = pattern = arena_dup(&t->arena, pattern);
	ps.p = pattern.p;
	ps.end = pattern.p + pattern.n;
	(void)group_new(&ps, STR_NONE);
	for (size_t i = 0, n; i < pattern.n; i += n)
		if (str_rune(str_skip(pattern, i), &n) == 0xfffd && n == 1)
			return fail(
				   &ps, "invalid UTF-8", pattern.p + i, ps.end),
			       -1;
	t->root = parse_alt(&ps);
	if (t->root != NULL && ps.p < ps.end)
		return fail(&ps, "unexpected )", pattern.p, ps.end), -1;
	return t->root == NULL || too_large(&ps, t->root) ? -1 : 0;
}

void
re_tree_trim(struct re_tree *t)
{
	arena_fini(&t->nodes);
	t->root = NULL;
}

void
re_tree_fini(struct re_tree *t)
{
	arena_fini(&t->nodes);
	arena_fini(&t->arena);
}
