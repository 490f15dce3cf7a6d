/*
 * base/re against Go: every row of tests/data/re/rows, which Go wrote (see
 * oracle.go there), of rows-1.22, written by hand, and of files given as
 * operands, "-" for stdin.  Each answer is asked of all machines that can give
 * it, twice, as the second time finds states made by the first.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"
#include "check.h"

struct rows {
	str pattern; /* of the two below */
	struct re *part, *whole;
	struct error e;
	size_t n, bad;
};

/* A field with its escapes resolved, in place. */
static str
field(str *line)
{
	str s = str_cut(line, '\t');
	char *out = (char *)(uintptr_t)s.p;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n) {
			c = s.p[++i];
			if (c == 'x' && i + 2 < s.n) {
				c = (char)(str_hex(s.p[i + 1]) * 16 +
				    str_hex(s.p[i + 2]));
				i += 2;
			} else if (c != '\\') {
				c = c == 'n' ? '\n' : '\t';
			}
		}
		out[n++] = c;
	}
	return (str){ out, n };
}

static void
use(struct rows *r, str pattern)
{
	if (r->part != NULL && str_eq(r->pattern, pattern))
		return;
	re_free(r->part);
	re_free(r->whole);
	r->pattern = pattern;
	r->part = re_new(pattern, 0, &r->e);
	r->whole = re_new(pattern, RE_ANCHORED, NULL);
}

/* The answers for one subject: "whole find", as the rows have them. */
static void
answer(const struct rows *r, str s, struct buf *b)
{
	size_t n = 2 * re_groups(r->part);
	size_t *cap = mem_zero(n, sizeof(*cap));

	buf_reset(b);
	buf_printf(b, "%d ", re_match(r->whole, s));
	if (!re_find(r->part, s, 0, cap)) {
		buf_z(b, "-");
	} else {
		for (size_t i = 0; i < n; i++)
			buf_printf(
			    b, "%s%zd", i > 0 ? " " : "", (ssize_t)cap[i]);
	}
	free(cap);
}

/* Do the machines agree with each other? */
static bool
agree(const struct re *re, str s)
{
	bool slow = re_exec(re, s, 0, NULL, 0);
	int k = re->dfa != NULL ? re_dfa_match(re, s) : slow;

	if (slow) {
		size_t n = 2 * re_groups(re);
		size_t *cap = mem_zero(2 * n, sizeof(*cap));

		(void)re_exec(re, s, 0, cap, n);
		(void)re_find(re, s, 0, cap + n);
		slow = memcmp(cap, cap + n, n * sizeof(*cap)) == 0;
		free(cap);
	}
	return re_match(re, s) == slow && (k == -1 || k == slow);
}

static void
expand(const struct rows *r, str s, str with, struct buf *b)
{
	size_t *cap = mem_zero(2 * re_groups(r->whole), sizeof(*cap));

	if (re_find(r->whole, s, 0, cap))
		re_expand(r->whole, b, with, s, cap);
	else
		buf_z(b, "-");
	free(cap);
}

/* One row: what we say in b, what Go says in want. */
static void
ask(struct rows *r, char kind, str line, struct buf *b, str *want)
{
	str p = field(&line), s, with;

	if (kind == 'Q') {
		re_quote(b, p);
		*want = field(&line);
		return;
	}
	use(r, p);
	if (kind == 'E' || r->part == NULL || r->whole == NULL) {
		buf_z(b, r->part == NULL ? r->e.msg + 22 : "taken");
		/* ours is cut when it is long */
		*want = str_take(field(&line), ERROR_MAX - 1 - 22);
		return;
	}
	s = field(&line);
	if (kind == 'M') {
		*want = line;
		for (size_t i = 0; i < want->n; i++)
			if (want->p[i] == '\t')
				((char *)(uintptr_t)want->p)[i] = ' ';
		answer(r, s, b);
		answer(r, s, b);
		if (!agree(r->part, s) || !agree(r->whole, s))
			buf_z(b, " and machines differ");
		return;
	}
	with = field(&line);
	*want = field(&line);
	if (kind == 'X')
		expand(r, s, with, b);
	else
		(void)re_replace(r->part, b, s, with, SIZE_MAX);
}

/* Every row of a file. */
static void
file(struct rows *r, FILE *in)
{
	struct buf b = { 0 }, all = { 0 }, shown = { 0 };
	char chunk[65536];
	size_t n;
	str rest, want = STR_NONE;

	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_add(&all, (str){ chunk, n });
	rest = buf_str(&all);
	while (rest.n > 0) {
		str line = str_cut(&rest, '\n');

		if (line.n < 2 || line.p[0] == '#')
			continue;
		r->n++;
		buf_reset(&b);
		buf_reset(&shown);
		buf_add(&shown, line);
		ask(r, line.p[0], str_skip(line, 2), &b, &want);
		if (str_eq(buf_str(&b), want) ||
		    (str_eq(want, STR("*")) && r->part == NULL))
			continue;
		r->bad++;
		printf("# %.*s\n#   gives %.*s\n", STR_ARG(buf_str(&shown)),
		    STR_ARG(buf_str(&b)));
	}
	re_free(r->part);
	re_free(r->whole);
	r->part = r->whole = NULL;
	buf_fini(&b);
	buf_fini(&all);
	buf_fini(&shown);
}

static void
check_file(const char *path, size_t least)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct rows r = { 0 };

	CHECK(in != NULL);
	if (in == NULL)
		return;
	file(&r, in);
	printf("# %s: %zu rows, %zu differ\n", path, r.n, r.bad);
	CHECK(r.n >= least);
	CHECK(r.bad == 0);
	if (in != stdin)
		(void)fclose(in);
}

int
main(int argc, char **argv)
{
	if (argc == 1) {
		check_file("tests/data/re/rows", 2000);
		check_file("tests/data/re/rows-1.22", 10);
	}
	for (int i = 1; i < argc; i++)
		check_file(argv[i], 1);
	return done();
}
