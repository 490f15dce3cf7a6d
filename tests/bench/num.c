/*
 * How fast numbers are read and printed: the values of a page, as they stand
 * in its lines, and random doubles with all their digits.  Prints exposition
 * text.  An operand is a file, a page to take the values from.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "page.h"

#define PASSES 300
#define RANDOM 20000

struct values {
	str *text;
	double *v;
	size_t n;
	const char *end; /* of all the text */
};

/* The last word of every line that is no comment. */
static void
collect(struct values *x, str page)
{
	size_t cap = 0, vcap = 0, n;
	str line;

	x->end = page.p + page.n;
	while (page.n > 0) {
		line = str_cut(&page, '\n');
		for (n = line.n; n > 0 && line.p[n - 1] != ' '; n--)
			;
		if (line.n == 0 || line.p[0] == '#' || n == 0)
			continue;
		x->text = mem_grow(x->text, &cap, x->n + 1, sizeof(str));
		x->v = mem_grow(x->v, &vcap, x->n + 1, sizeof(double));
		x->text[x->n] = str_skip(line, n);
		if (num_parse(x->text[x->n], &x->v[x->n]) == 0)
			x->n++;
	}
}

static void
row(const char *what, const char *from, double seconds, size_t n)
{
	printf("mf_bench_seconds{bench=\"%s\",case=\"%s\"} %.4g\n", what, from,
	    seconds / (double)n);
}

static double
measure(const char *name, const struct values *x)
{
	double parse = 1e9, scan = 1e9, print = 1e9, sum = 0, v = 0, t;
	struct buf b = { 0 };

	for (int pass = 0; pass < PASSES; pass++) {
		t = page_wall();
		for (size_t i = 0; i < x->n; i++) {
			(void)num_parse(x->text[i], &v);
			sum += v;
		}
		t = page_wall() - t;
		parse = t < parse ? t : parse;
		t = page_wall();
		for (size_t i = 0; i < x->n; i++) {
			(void)num_scan(x->text[i].p, x->end, &v);
			sum += v;
		}
		t = page_wall() - t;
		scan = t < scan ? t : scan;
		buf_reset(&b);
		t = page_wall();
		for (size_t i = 0; i < x->n; i++)
			num_print(&b, x->v[i]);
		t = page_wall() - t;
		print = t < print ? t : print;
	}
	row("num_parse", name, parse, x->n);
	row("num_scan", name, scan, x->n);
	row("num_print", name, print, x->n);
	buf_fini(&b);
	return sum;
}

static void
drop(struct values *x, struct buf *b)
{
	free(x->text);
	free(x->v);
	buf_fini(b);
}

int
main(int argc, char **argv)
{
	struct values page = { 0 }, random = { 0 };
	struct buf b = { 0 }, r = { 0 };
	uint64_t seed = 88172645463325252u;
	struct error e;
	double sum;

	page_make(&b, 20 * PAGE_SMALL, 1);
	if (argc > 1) {
		buf_reset(&b);
		if (file_read(argv[1], &b, &e) == -1)
			errx(1, "%s", e.msg);
	}
	for (int i = 0; i < RANDOM; i++) {
		/* exponents of 2^-50 to 2^50, all other bits at random */
		uint64_t x = page_random(&seed);
		uint64_t bits = (x >> 12) | (uint64_t)(973 + x % 100) << 52;

		buf_z(&r, "x ");
		num_format(&r, num_from_bits(bits), 'g', -1);
		buf_byte(&r, '\n');
	}
	collect(&page, buf_str(&b));
	collect(&random, buf_str(&r));
	printf("# HELP mf_bench_seconds Time for one piece of work.\n"
	       "# TYPE mf_bench_seconds gauge\n");
	sum = measure("page", &page) + measure("random", &random);
	fprintf(stderr, "num: %zu values, sum %g\n", page.n, sum);
	drop(&page, &b);
	drop(&random, &r);
	return 0;
}
