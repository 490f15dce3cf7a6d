/*
 * The public side of re.  What a pattern can do decides once who answers:
 * bytes compared, else the deterministic machine, else the threads.  Captures
 * are tracked where the subject is short, else the threads' affair.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

struct re *
re_new(str pattern, unsigned flags, struct error *e)
{
	struct re *re = mem_zero(1, sizeof(*re));

	re->flags = flags;
	if (re_parse(&re->tree, pattern, (flags & RE_ANCHORED) != 0, e) == -1 ||
	    re_compile(re, e) == -1) {
		re_free(re);
		return NULL;
	}
	re_short_find(re);
	re_tree_trim(&re->tree);
	if (re->shortcut == RE_SHORT_NONE)
		re->dfa = re_dfa_new();
	return re;
}

void
re_free(struct re *re)
{
	if (re == NULL)
		return;
	re_tree_fini(&re->tree);
	re_dfa_free(re->dfa);
	free(re->prog);
	free(re);
}

size_t
re_groups(const struct re *re)
{
	return re->tree.ngroups;
}

bool
re_match(const struct re *re, str subject)
{
	int k;

	if (re->shortcut != RE_SHORT_NONE)
		return re_short_match(re, subject);
	k = re_dfa_match(re, subject);
	return k != -1 ? k == 1 : re_exec(re, subject, 0, NULL, 0);
}

bool
re_find(const struct re *re, str subject, size_t from, size_t *cap)
{
	int k;

	if (from > subject.n || (from > 0 && re->anchored))
		return false;
	/* Most of what is searched is not there, which is cheap to know. */
	if (from == 0 && !re_match(re, subject))
		return false;
	if (re->bounds != NULL) {
		re_short_bounds(re, subject, cap);
		return true;
	}
	k = re_track(re, subject, from, cap);
	return k != -1 ? k == 1
		       : re_exec(re, subject, from, cap, 2 * re->tree.ngroups);
}

/* Letters and digits of any script, as Go has it. */
static bool
name_rune(uint32_t r)
{
	const char *category = re_category_of(r);

	return r == '_' ||
	    (category != NULL &&
		(category[0] == 'L' || strcmp(category, "Nd") == 0));
}

/* "$name" or "${name}" at the start of s (behind the $): its length or 0. */
static size_t
reference(str s, str *name)
{
	bool brace = s.n > 0 && s.p[0] == '{';
	size_t i = brace, len;

	while (i < s.n && name_rune(str_rune(str_skip(s, i), &len)))
		i += len;
	*name = str_from(s.p + brace, s.p + i);
	if (name->n == 0 || (brace && (i == s.n || s.p[i] != '}')))
		return 0;
	return i + brace;
}

/* The group a reference means, or RE_NOWHERE. */
static size_t
group_of(const struct re *re, str name, const size_t *cap)
{
	size_t n = 0, i;

	for (i = 0; i < name.n && n < 100000000; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			break;
		n = n * 10 + (size_t)(name.p[i] - '0');
	}
	if (i == name.n && (name.n == 1 || name.p[0] != '0'))
		return n < re->tree.ngroups ? n : RE_NOWHERE;
	for (i = 1; i < re->tree.ngroups; i++)
		if (str_eq(re->tree.names[i], name) && cap[2 * i] != RE_NOWHERE)
			return i;
	return RE_NOWHERE;
}

void
re_expand(const struct re *re, struct buf *b, str tmpl, str subject,
    const size_t *cap)
{
	while (tmpl.n > 0) {
		size_t i = str_chr(tmpl, '$'), len, g;
		str name;

		buf_add(b, str_take(tmpl, i));
		tmpl = str_skip(tmpl, i);
		if (tmpl.n == 0)
			break;
		tmpl = str_skip(tmpl, 1);
		if (tmpl.n > 0 && tmpl.p[0] == '$') {
			buf_byte(b, '$');
			tmpl = str_skip(tmpl, 1);
			continue;
		}
		len = reference(tmpl, &name);
		if (len == 0) { /* not a reference: raw text */
			buf_byte(b, '$');
			continue;
		}
		tmpl = str_skip(tmpl, len);
		g = group_of(re, name, cap);
		if (g != RE_NOWHERE && cap[2 * g] < cap[2 * g + 1])
			buf_add(b,
			    str_from(subject.p + cap[2 * g],
				subject.p + cap[2 * g + 1]));
	}
}

int
re_replace(
    const struct re *re, struct buf *b, str subject, str repl, size_t max)
{
	size_t n = 2 * re->tree.ngroups, last = 0, at = 0, len;
	size_t *cap = mem_zero(n, sizeof(*cap)), from = b->n;

	if (subject.n == 0)
		subject = STR("");
	while (at <= subject.n && b->n - from <= max &&
	    re_find(re, subject, at, cap)) {
		buf_add(b, str_from(subject.p + last, subject.p + cap[0]));
		/* No empty match right behind another match. */
		if (cap[1] > last || cap[0] == 0)
			re_expand(re, b, repl, subject, cap);
		last = cap[1];
		len = 1;
		if (at < subject.n)
			(void)str_rune(str_skip(subject, at), &len);
		at = at + len > cap[1] ? at + len : cap[1];
	}
	buf_add(b, str_skip(subject, last));
	free(cap);
	return b->n - from <= max ? 0 : -1;
}

void
re_quote(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' && strchr("\\.+*?()|[]{}^$", s.p[i]) != NULL)
			buf_byte(b, '\\');
		buf_byte(b, s.p[i]);
	}
}
