/*
 * What most matchers are needs no machine: a literal, a choice of literals,
 * literals with ".*" between them.  Those are found in the tree here, and
 * answered by comparing bytes.  For the others the literal that every match
 * begins with is kept, which refuses most subjects at once.
 */
#include <stdlib.h>

#include "base/re_impl.h"

#define FEW 8 /* pieces that are tried one after the other */

/* Captures do not matter to what matches. */
static const struct re_node *
bare(const struct re_node *x)
{
	while (x->kind == RE_GROUP)
		x = x->v[0];
	return x;
}

/* The parts of a sequence; anything else is a sequence of one. */
static size_t
parts(const struct re_node *const *x, const struct re_node *const **v)
{
	if ((*x)->kind == RE_EMPTY)
		return 0;
	if ((*x)->kind != RE_CAT) {
		*v = x;
		return 1;
	}
	*v = (const struct re_node *const *)(*x)->v;
	return (*x)->n;
}

/*
 * The text of the literals v[from..], up to the first that is none (*to).
 * U+FFFD is left to the machine, which finds it in bytes that are no UTF-8.
 */
static str
run_of(struct arena *a, const struct re_node *const *v, size_t n, size_t from,
    size_t *to)
{
	size_t len = 0, i;
	char *p;

	for (i = from; i < n; i++) {
		const struct re_node *c = bare(v[i]);

		if (c->kind != RE_CHAR || c->rune == 0xfffd)
			break;
	}
	*to = i;
	p = arena_alloc(a, 4 * (i - from) + 1);
	for (i = from; i < *to; i++)
		len += str_encode(bare(v[i])->rune, p + len);
	return (str){ p, len };
}

/* ".*" and ".+" where . takes every character; the least it takes. */
static unsigned
gap_of(const struct re_node *x)
{
	x = bare(x);
	if (x->kind != RE_REPEAT || x->max != -1 || x->min > 1 ||
	    bare(x->v[0])->kind != RE_ANY_NL)
		return RE_NO_GAP;
	return (unsigned)x->min;
}

static bool
try_glob(struct re *re, const struct re_node *const *v, size_t len)
{
	struct arena *a = &re->tree.arena;
	size_t i = 0, n = 0;

	re->pieces = arena_array(a, len + 2, str);
	re->gaps = arena_array(a, len + 2, unsigned);
	while (i < len) {
		unsigned gap = RE_NO_GAP;

		for (; i < len && gap_of(v[i]) != RE_NO_GAP; i++)
			gap = (gap == RE_NO_GAP ? 0 : gap) + gap_of(v[i]);
		re->gaps[n] = gap;
		re->pieces[n] = run_of(a, v, len, i, &i);
		if (i < len && gap_of(v[i]) == RE_NO_GAP)
			return false;
		n++;
	}
	/* ".+" counts characters, a gap of two of them would count bytes. */
	for (i = 0; i < n; i++)
		if (re->gaps[i] != RE_NO_GAP && re->gaps[i] > 1)
			return false;
	re->npieces = n;
	return true;
}

/* Groups right around one thing have its bounds. */
static void
set_bounds(struct re *re, const struct re_node *x, struct re_bound from,
    struct re_bound to)
{
	for (; x->kind == RE_GROUP; x = x->v[0]) {
		re->bounds[2 * x->group] = from;
		re->bounds[2 * x->group + 1] = to;
	}
}

/*
 * With one gap at most everything in front of it is as far from the start as
 * its letters are long, and everything behind it as far from the end.
 */
static void
find_bounds(struct re *re, const struct re_node *const *v, size_t n)
{
	struct re_bound at = { 0, false }, end = { 0, true };
	size_t gaps = 0, rest = 0;
	char c[4];

	for (size_t i = 0; i < n; i++) {
		const struct re_node *x = bare(v[i]);

		gaps += x->kind == RE_REPEAT;
		if (x->kind == RE_REPEAT && x->v[0]->kind == RE_GROUP)
			return;
		if (x->kind == RE_CHAR && gaps > 0)
			rest += str_encode(x->rune, c);
	}
	if (gaps > 1)
		return;
	re->bounds =
	    arena_array(&re->tree.arena, 2 * re->tree.ngroups, struct re_bound);
	re->bounds[0] = at;
	re->bounds[1] = end;
	set_bounds(re, re->tree.root, at, end);
	for (size_t i = 0; i < n; i++) {
		const struct re_node *x = bare(v[i]);
		struct re_bound to = { rest, true };

		if (x->kind == RE_CHAR) {
			to = at;
			to.off = at.back ? at.off - str_encode(x->rune, c)
					 : at.off + str_encode(x->rune, c);
		}
		set_bounds(re, v[i], at, to);
		at = to;
	}
}

/* By length first, which is cheap to compare. */
static int
by_piece(const void *x, const void *y)
{
	const str *a = x, *b = y;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->n == 0 ? 0 : memcmp(a->p, b->p, a->n);
}

static bool
try_choice(struct re *re, const struct re_node *x)
{
	struct arena *a = &re->tree.arena;

	re->pieces = arena_array(a, x->n, str);
	for (size_t i = 0; i < x->n; i++) {
		const struct re_node *one = bare(x->v[i]);
		const struct re_node *const *v = NULL;
		size_t n = parts(&one, &v), to;

		re->pieces[i] = run_of(a, v, n, 0, &to);
		if (to < n)
			return false;
	}
	re->npieces = x->n;
	qsort(re->pieces, re->npieces, sizeof(*re->pieces), by_piece);
	return true;
}

/* A whole match of a sequence begins with the literals it begins with. */
static void
find_prefix(struct re *re, const struct re_node *x)
{
	const struct re_node *const *v = NULL;
	size_t n, to;

	x = bare(x);
	n = parts(&x, &v);
	re->prefix = run_of(&re->tree.arena, v, n, 0, &to);
}

void
re_short_find(struct re *re)
{
	const struct re_node *x = bare(re->tree.root);
	const struct re_node *const *v = NULL;
	size_t n = parts(&x, &v);

	if ((re->flags & RE_ANCHORED) == 0)
		return;
	if (x->kind == RE_ALT && try_choice(re, x))
		re->shortcut = RE_SHORT_CHOICE;
	else if (x->kind != RE_ALT && try_glob(re, v, n))
		re->shortcut = RE_SHORT_GLOB;
	else
		find_prefix(re, x);
	if (re->shortcut == RE_SHORT_GLOB)
		find_bounds(re, v, n);
}

/* Where piece is in s, or s.n; a piece of one byte is the usual separator. */
static size_t
find(str s, str piece)
{
	return piece.n == 1 ? str_chr(s, piece.p[0]) : str_find(s, piece);
}

static bool
match_glob(const struct re *re, str s)
{
	if (re->npieces == 0)
		return s.n == 0;
	for (size_t i = 0; i < re->npieces; i++) {
		str piece = re->pieces[i];
		bool last = i + 1 == re->npieces;
		size_t at;

		if (re->gaps[i] == RE_NO_GAP) {
			if (!str_starts(s, piece) || (last && s.n != piece.n))
				return false;
			s = str_skip(s, piece.n);
			continue;
		}
		if (s.n < re->gaps[i])
			return false;
		s = str_skip(s, re->gaps[i]);
		if (last)
			return str_ends(s, piece);
		at = find(s, piece);
		if (at == s.n)
			return false;
		s = str_skip(s, at + piece.n);
	}
	return true;
}

static bool
match_choice(const struct re *re, str s)
{
	if (re->npieces > FEW)
		return bsearch(&s, re->pieces, re->npieces, sizeof(*re->pieces),
			   by_piece) != NULL;
	for (size_t i = 0; i < re->npieces; i++)
		if (str_eq(s, re->pieces[i]))
			return true;
	return false;
}

bool
re_short_match(const struct re *re, str s)
{
	return re->shortcut == RE_SHORT_GLOB ? match_glob(re, s)
					     : match_choice(re, s);
}

void
re_short_bounds(const struct re *re, str s, size_t *cap)
{
	for (size_t i = 0; i < 2 * re->tree.ngroups; i++)
		cap[i] = re->bounds[i].back ? s.n - re->bounds[i].off
					    : re->bounds[i].off;
}
