/*
 * The chart model: figures, gaps, crossings; names (name) and words (words).
 * Covers name.c and words.c.
 */
#include <math.h>

#include "base/num.h"
#include "check.h"
#include "plot/chart.h"
#include "plot/words.h"

#define T0 INT64_C(1637586000000) /* 2021-11-22T13:00:00Z */

static struct label la[] = { { STR_INIT("__name__"), STR_INIT("m") },
	{ STR_INIT("job"), STR_INIT("a") }, { STR_INIT("x"), STR_INIT("1") } };
static struct label lb[] = { { STR_INIT("__name__"), STR_INIT("m") },
	{ STR_INIT("job"), STR_INIT("a") }, { STR_INIT("x"), STR_INIT("2") } };
static struct label lc[] = { { STR_INIT("__name__"), STR_INIT("n") },
	{ STR_INIT("job"), STR_INIT("a") } };

static struct label ea[] = { { STR_INIT("__name__"), STR_INIT("m") },
	{ STR_INIT("expr"), STR_INIT("a + b") } };
static struct label eb[] = { { STR_INIT("expr"), STR_INIT("c") },
	{ STR_INIT("job"), STR_INIT("a") } };

static void
figures(void)
{
	int64_t t[] = { T0, T0 + 15000, T0 + 30000, T0 + 90000, T0 + 105000 };
	double v[] = { 1, 5, NAN, 3, 2 };
	struct plot_series s = { { la, 3 }, t, v, 5 };
	struct plot p = { .v = &s,
		.n = 1,
		.step = 15000,
		.warn = 4,
		.crit = NAN,
		.from = T0,
		.to = T0 + 300000 };
	struct arena a = { 0 };
	struct plot_chart c;
	const struct plot_note *notes;
	size_t n;

	plot_chart(&c, &p, &a);
	CHECK(c.drawn == 1 && c.v[0].n == 4);
	CHECK(c.v[0].last == 2 && c.v[0].min == 1 && c.v[0].max == 5);
	CHECK(fabs(c.v[0].avg - 2.75) < 1e-9);
	CHECK(c.v[0].gaps == 1 && c.v[0].gap_from == T0 + 15000 &&
	    c.v[0].gap_to == T0 + 90000);
	CHECK(c.v[0].ended && c.v[0].last_t == T0 + 105000);
	CHECK(c.v[0].now == PLOT_FINE && c.v[0].reached == PLOT_WARN);
	CHECK(c.v[0].times == 1 && c.v[0].peak == 5 &&
	    c.v[0].over_from == T0 + 15000);
	CHECK(c.counts);
	CHECK(plot_crossed(&p) == 0 && !plot_empty(&p));
	notes = plot_words_notes(&c, &a, &n);
	CHECK(n == 2);
	CHECK_STR(notes[0].text, "over warn 13:00:15, peak 5");
	CHECK_STR(notes[1].text, "no data 13:00:15–01:30, ends 13:01:45");
	v[4] = 4;
	CHECK(plot_crossed(&p) == 1);
	p.crit = 4;
	CHECK(plot_crossed(&p) == 2);
	/* crit below warn: low values are the bad ones. */
	p.crit = 3;
	CHECK(plot_crossed(&p) == 1);
	p.warn = 10;
	p.crit = 4;
	CHECK(plot_crossed(&p) == 2);
	arena_fini(&a);
}

static void
names(void)
{
	int64_t t[] = { T0 };
	double v[] = { 1 };
	struct plot_series s[] = { { { la, 3 }, t, v, 1 },
		{ { lb, 3 }, t, v, 1 }, { { lc, 2 }, t, v, 1 } };
	struct plot p = { .v = s, .n = 2, .warn = NAN, .crit = NAN };
	struct arena a = { 0 };
	struct plot_chart c;

	plot_chart(&c, &p, &a);
	CHECK_STR(c.title, "m{job=\"a\"}");
	CHECK_STR(c.v[0].name, "1");
	CHECK_STR(c.v[1].name, "2");
	CHECK(!c.title_is_name);
	p.n = 3;
	plot_chart(&c, &p, &a);
	CHECK_STR(c.title, "{job=\"a\"}");
	CHECK_STR(c.v[0].name, "m x=1");
	CHECK_STR(c.v[2].name, "n");
	p.n = 1;
	plot_chart(&c, &p, &a);
	CHECK_STR(c.title, "m{job=\"a\", x=\"1\"}");
	CHECK(c.title_is_name);
	p.title = STR("given");
	plot_chart(&c, &p, &a);
	CHECK_STR(c.title, "given");
	CHECK(!c.title_is_name);
	/* One series an expression: that is the name. */
	p.title = STR_NONE;
	p.n = 2;
	s[0].labels = (struct labels){ ea, 2 };
	s[1].labels = (struct labels){ eb, 2 };
	plot_chart(&c, &p, &a);
	CHECK_STR(c.v[0].name, "a + b");
	CHECK_STR(c.v[1].name, "c");
	CHECK(plot_letter(0) == 'A' && plot_letter(26) == 'a' &&
	    plot_letter(52) == 0);
	arena_fini(&a);
}

static void
range(void)
{
	struct plot p = { .warn = NAN,
		.crit = NAN,
		.from = T0,
		.to = T0 + 3600000,
		.step = 15000 };
	struct arena a = { 0 };
	struct plot_chart c;
	struct buf b = { 0 };

	plot_chart(&c, &p, &a);
	CHECK(c.drawn == 0 && plot_empty(&p) && plot_crossed(&p) == 0);
	CHECK_STR(plot_words_range(&c, &a, 60),
	    "2021-11-22 13:00–14:00 UTC · step 15s");
	CHECK_STR(plot_words_range(&c, &a, 36), "2021-11-22 13:00–14:00 UTC");
	CHECK_STR(plot_words_range(&c, &a, 24), "Nov 22 13:00–14:00 UTC");
	CHECK_STR(plot_words_range(&c, &a, 20), "13:00–14:00 UTC");
	CHECK_STR(plot_words_range(&c, &a, 10), "");
	p.to = T0 + 3 * DATE_DAY;
	plot_chart(&c, &p, &a);
	CHECK_STR(plot_words_range(&c, &a, 45),
	    "2021-11-22 13:00 – 11-25 13:00 UTC · step 15s");
	plot_words_span(&b, &c, T0 + DATE_DAY, T0 + DATE_DAY + 60000);
	CHECK_STR(buf_str(&b), "Nov 23 13:00–13:01");
	buf_reset(&b);
	plot_words_span(&b, &c, T0 + 5000, T0 + DATE_DAY);
	CHECK_STR(buf_str(&b), "13:00:05–Nov 23 13:00:00");
	buf_fini(&b);
	arena_fini(&a);
}

/* One sample stands in the middle; thresholds near the data are taken in. */
static void
extent(void)
{
	int64_t t[] = { T0 };
	double v[] = { 10 };
	struct plot_series s = { { la, 3 }, t, v, 1 };
	struct plot p = { .v = &s, .n = 1, .warn = 25, .crit = 100 };
	struct arena a = { 0 };
	struct plot_chart c;

	plot_chart(&c, &p, &a);
	CHECK(c.from < T0 && c.to > T0 && c.to - T0 == T0 - c.from);
	CHECK(c.lo == 10 && c.hi == 25);
	v[0] = INFINITY;
	plot_chart(&c, &p, &a);
	CHECK(c.drawn == 0 && c.v[0].infinite == 1);
	v[0] = num_stale();
	CHECK(plot_empty(&p));
	arena_fini(&a);
}

int
main(void)
{
	figures();
	names();
	range();
	extent();
	return done();
}
