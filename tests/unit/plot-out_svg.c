/*
 * SVG charts whole: well-formed as far as a stack of tags tells, bounded,
 * and with the words in them.
 */
#include <math.h>
#include <stdio.h>

#include "check.h"
#include "plot/plot.h"

#define SERIES 10
#define N 480

static struct label l[SERIES];
static char names[SERIES][8];
static int64_t t[N];
static double v[SERIES][N];
static struct plot_series s[SERIES];

static struct plot
chart(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "<h%zu>", i);
		l[i] = (struct label){ STR("host"), str_of(names[i]) };
		for (int k = 0; k < N; k++) {
			t[k] = INT64_C(1637586000000) + k * 15000;
			v[i][k] = (double)i + sin(k / 20.0) +
			    (double)(k * 7919 % 101) / 200;
		}
		s[i] = (struct plot_series){ { &l[i], 1 }, t, v[i], N };
	}
	return (struct plot){ .title = STR("a & b"),
		.v = s,
		.n = n,
		.from = t[0],
		.to = t[N - 1],
		.step = 15000,
		.unit = STR("s"),
		.warn = 5,
		.crit = NAN };
}

/* Do the tags nest? */
static bool
nests(str x)
{
	str open[64];
	size_t depth = 0;

	while (x.n > 0) {
		size_t a = str_chr(x, '<'), z;
		str tag;

		if (a == x.n)
			return depth == 0;
		x = str_skip(x, a + 1);
		z = str_chr(x, '>');
		tag = str_take(x, z);
		x = str_skip(x, z + 1);
		if (tag.n == 0 || tag.p[0] == '!' || str_ends(tag, STR("/")))
			continue;
		if (tag.p[0] == '/') {
			if (depth == 0 ||
			    !str_eq(open[--depth], str_skip(tag, 1)))
				return false;
			continue;
		}
		if (depth == 64)
			return false;
		open[depth++] = str_take(tag, str_chr(tag, ' '));
	}
	return depth == 0;
}

static bool
has(struct buf *b, const char *z)
{
	return strstr(buf_cstr(b), z) != NULL;
}

static void
whole(void)
{
	struct plot p = chart(3);
	struct plot_mark m = { t[100], 0, STR("v<2>") };
	struct buf b = { 0 };

	p.marks = &m;
	p.nmarks = 1;
	plot_svg(&b, &p, 800, 360);
	CHECK(str_starts(buf_str(&b), STR("<svg xmlns=")));
	CHECK(nests(buf_str(&b)));
	CHECK(has(&b, "a &amp; b") && has(&b, "&lt;h1&gt;"));
	CHECK(has(&b, "prefers-color-scheme:dark"));
	CHECK(has(&b, "v&lt;2&gt;") && has(&b, "warn 5 s"));
	CHECK(has(&b, "text-anchor:end") && has(&b, "<title>"));
	buf_reset(&b);
	plot_html(&b, &p, 800, 360);
	CHECK(str_starts(buf_str(&b), STR("<!DOCTYPE html>")));
	CHECK(has(&b, "<title>a &amp; b</title>"));
	buf_fini(&b);
}

static void
bounds(void)
{
	struct plot p = chart(SERIES);
	struct buf b = { 0 };
	int bad = 0;

	plot_svg(&b, &p, 800, 360);
	CHECK(b.n <= 60 * 1024);
	for (int w = 0; w < 1500; w += 97)
		for (int h = 0; h < 900; h += 71) {
			buf_reset(&b);
			plot_svg(&b, &p, w, h);
			bad += !nests(buf_str(&b)) || b.n > 64 * 1024;
		}
	CHECK(bad == 0);
	p.n = 0;
	buf_reset(&b);
	plot_svg(&b, &p, 800, 360);
	CHECK(nests(buf_str(&b)) && has(&b, "no data"));
	buf_fini(&b);
}

int
main(void)
{
	whole();
	bounds();
	return done();
}
