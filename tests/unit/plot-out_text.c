/*
 * Text charts whole: what must be where; sparklines (spark).  How they look is
 * held by the goldens in tests/data/plot.  Covers spark.c.
 */
#include <math.h>

#include "base/num.h"
#include "check.h"
#include "plot/plot.h"
#include "plot/width.h"

#define N 241

static struct label l[] = { { STR_INIT("host"), STR_INIT("web1") },
	{ STR_INIT("host"), STR_INIT("db1") } };
static int64_t t[N];
static double v[2][N];
static struct plot_series s[2];

static struct plot
chart(void)
{
	for (int i = 0; i < N; i++) {
		t[i] = INT64_C(1637586000000) + i * 15000;
		v[0][i] = 50 + 30 * sin(i / 30.0);
		v[1][i] = i > 60 && i < 80 ? num_stale() : 20;
	}
	for (size_t i = 0; i < 2; i++)
		s[i] = (struct plot_series){ { &l[i], 1 }, t, v[i], N };
	return (struct plot){ .title = STR("CPU"),
		.v = s,
		.n = 2,
		.from = t[0],
		.to = t[N - 1],
		.step = 15000,
		.unit = STR("percent"),
		.warn = 70,
		.crit = NAN,
		.zone_name = STR("UTC") };
}

static bool
has(struct buf *b, const char *z)
{
	return strstr(buf_cstr(b), z) != NULL;
}

/* The widest line; -1 if it is not UTF-8 or has control characters. */
static int
widest(const struct buf *b, size_t *lines)
{
	str all = buf_str(b);
	int w = 0;

	*lines = 0;
	if (!str_utf8(all))
		return -1;
	while (all.n > 0) {
		str line = str_cut(&all, '\n');

		++*lines;
		for (size_t i = 0; i < line.n; i++)
			if ((unsigned char)line.p[i] < ' ')
				return -1;
		if (plot_width(line) > w)
			w = plot_width(line);
	}
	return w;
}

static void
whole(void)
{
	struct plot p = chart();
	struct plot_mark m = { t[100], t[150], STR("deploy") };
	struct plot_text_opts o = { 80, 24, false, PLOT_MONO };
	struct buf b = { 0 };

	p.marks = &m;
	p.nmarks = 1;
	plot_text(&b, &p, &o);
	CHECK(has(&b, "2021-11-22 13:00–14:00 UTC · step 15s\n"));
	CHECK(has(&b, "80% ┤") && has(&b, "  0 ┤"));
	CHECK(has(&b, "╌ warn 70% "));
	CHECK(has(&b, "╎▾deploy"));
	CHECK(has(&b, " A web1 ") && has(&b, " B db1 "));
	CHECK(has(&b, "last"));
	CHECK(has(&b, "▲ A over warn 13:05:30–18:00 (1 of 2), peak 80.0%"));
	CHECK(has(&b, "B no data 13:15–13:20"));
	o.ascii = true;
	buf_reset(&b);
	plot_text(&b, &p, &o);
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] > '~')
			b.p[0] = '!';
	CHECK(b.p[0] == 'C');
	CHECK(has(&b, "* web1") && has(&b, "o db1"));
	buf_fini(&b);
}

/* At every size: within it, and in the order of what is given up. */
static void
sizes(void)
{
	struct plot p = chart();
	struct buf b = { 0 };
	int bad = 0;

	for (int w = 1; w < 130; w += 3)
		for (int h = 1; h < 40; h++) {
			struct plot_text_opts o = { w, h, h % 2 == 0,
				PLOT_MONO };
			size_t lines;
			int got;

			buf_reset(&b);
			plot_text(&b, &p, &o);
			got = widest(&b, &lines);
			bad += got < 1 || got > w || lines > (size_t)h;
			bad += (w < 20 || h < 5) && has(&b, "+---");
		}
	CHECK(bad == 0);
	buf_fini(&b);
}

static void
sparks(void)
{
	double up[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct plot_series one = { { NULL, 0 }, t, up, 8 };
	struct plot p = chart();
	struct plot_text_opts o = { 8, 1, false, PLOT_MONO };
	struct buf b = { 0 };

	p.v = &one;
	p.n = 1;
	p.from = t[0];
	p.to = t[7];
	p.unit = STR("none");
	p.warn = NAN;
	plot_text(&b, &p, &o);
	CHECK_STR(buf_str(&b), "▁▃▄▅▇█ 7\n");
	buf_reset(&b);
	o.ascii = true;
	o.width = 6;
	plot_text(&b, &p, &o);
	CHECK_STR(buf_str(&b), ".=*# 7\n");
	buf_fini(&b);
}

/* Nothing that a value can be breaks it. */
static void
hostile(void)
{
	static const double odd[] = { 0, -0.0, 1e308, -1.7e308, 5e-324, 1e-300,
		INFINITY, -INFINITY, NAN, 1, -1, 1e17 };
	struct plot p = chart();
	struct buf b = { 0 };
	unsigned seed = 3;
	int bad = 0;

	p.title = STR("\033]0;x\007\343\201\202\377");
	for (int i = 0; i < 400; i++) {
		struct plot_text_opts o = { 1 + i % 90, 1 + i % 31, i % 3 == 0,
			PLOT_MONO };
		size_t lines;

		for (int k = 0; k < N; k++) {
			seed = seed * 1103515245 + 12345;
			v[0][k] = odd[(seed >> 16) % 12];
		}
		if (i % 5 == 0)
			p.from = p.to = 0;
		p.step = i % 7 == 0 ? 0 : 15000;
		p.warn = odd[i % 12];
		p.crit = odd[(i + 5) % 12];
		buf_reset(&b);
		plot_text(&b, &p, &o);
		bad += widest(&b, &lines) == -1;
		buf_reset(&b);
		plot_svg(&b, &p, 1 + i * 7, 1 + i * 3);
		plot_html(&b, &p, 300, 200);
		bad += !str_utf8(buf_str(&b)) || has(&b, "nan") ||
		    has(&b, "inf\"");
	}
	CHECK(bad == 0);
	buf_fini(&b);
}

/* Times may be any number as well. */
static void
far_times(void)
{
	static const int64_t far[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1,
		INT64_C(1) << 61, INT64_MAX - 1, INT64_MAX };
	static const double w[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct plot p = chart();
	struct plot_text_opts o = { 80, 24, false, PLOT_MONO };
	struct plot_mark m = { INT64_MIN, INT64_MAX, STR("x") };
	struct buf b = { 0 };

	p.marks = &m;
	p.nmarks = 1;
	for (size_t n = 0; n <= 8; n++)
		for (size_t i = 0; i + n <= 8; i++) {
			s[0] = (struct plot_series){ { &l[0], 1 }, far + i,
				w + i, n };
			for (size_t k = 0; k < 4; k++) {
				p.from = k == 0 ? 0 : far[k + i / 3];
				p.to = k == 0 ? 0 : far[7 - k];
				p.step = k == 1 ? INT64_MAX : 0;
				plot_text(&b, &p, &o);
				plot_svg(&b, &p, 300, 200);
			}
		}
	CHECK(b.n > 0);
	buf_fini(&b);
}

int
main(void)
{
	whole();
	sizes();
	sparks();
	hostile();
	far_times();
	return done();
}
