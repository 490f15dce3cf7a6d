/*
 * Ticks on the calendar, in zones, over changes of the clock.
 */
#include "check.h"
#include "plot/timeaxis.h"
#include "plot/width.h"

#define HOUR INT64_C(3600000)

static struct date_zone *berlin;

static int64_t
at(const char *text)
{
	int64_t t = 0;

	if (date_parse_rfc3339(str_of(text), &t, NULL, NULL) == -1)
		printf("# bad time %s\n", text);
	return t;
}

/* The labels in one line, dates below in brackets. */
static str
ticks(struct arena *a, int64_t from, int64_t to, int cols,
    const struct date_zone *z)
{
	struct plot_timeaxis x;
	str s = STR_NONE;

	plot_timeaxis(&x, a, from, to, cols, z);
	for (size_t i = 0; i < x.n; i++)
		s = arena_printf(a, "%.*s%s%.*s%s%.*s%s", STR_ARG(s),
		    s.n > 0 ? " " : "", STR_ARG(x.v[i].label),
		    x.v[i].below.n > 0 ? "[" : "", STR_ARG(x.v[i].below),
		    x.v[i].below.n > 0 ? "]" : "");
	return s;
}

static void
steps(void)
{
	struct arena a = { 0 };
	int64_t t = at("2021-11-22T13:00:00Z");

	CHECK_STR(ticks(&a, t, t + HOUR, 72, NULL),
	    "13:00 13:10 13:20 13:30 13:40 13:50 14:00");
	CHECK_STR(ticks(&a, t + 7000, t + HOUR, 40, NULL), "13:30 14:00");
	CHECK_STR(ticks(&a, t, t + 60000, 60, NULL),
	    "13:00:00 13:00:15 13:00:30 13:00:45 13:01:00");
	CHECK_STR(ticks(&a, t, t + 40, 60, NULL),
	    "13:00:00.000 13:00:00.020 13:00:00.040");
	CHECK_STR(ticks(&a, t, t + 48 * HOUR, 72, NULL),
	    "00:00[Nov 23] 12:00 00:00[Nov 24] 12:00");
	CHECK_STR(ticks(&a, t, t + 30 * 24 * HOUR, 72, NULL),
	    "Nov 29 Dec 6 Dec 13 Dec 20");
	CHECK_STR(ticks(&a, t, t + 300 * 24 * HOUR, 72, NULL), "Jan Apr Jul");
	CHECK_STR(ticks(&a, t, t + 500 * 24 * HOUR, 72, NULL),
	    "Jan[2022] Apr Jul Oct Jan[2023] Apr");
	CHECK_STR(ticks(&a, t, t + 3000 * 24 * HOUR, 72, NULL),
	    "2022 2024 2026 2028 2030");
	arena_fini(&a);
}

static void
dst(void)
{
	struct arena a = { 0 };
	int64_t t;

	/* 23 hours: 02:00 does not exist. */
	t = at("2021-03-27T23:00:00Z");
	CHECK_STR(ticks(&a, t, t + 23 * HOUR, 76, berlin),
	    "00:00[Mar 28] 04:00 08:00 12:00 16:00 20:00 00:00[Mar 29]");
	CHECK_STR(ticks(&a, t, t + 5 * HOUR, 76, berlin),
	    "00:00 01:00 03:00 04:00 05:00 06:00");
	CHECK_STR(ticks(&a, t, t + 11 * HOUR, 76, berlin),
	    "00:00 04:00 06:00 08:00 10:00 12:00");
	/* 25 hours: 02:00 comes twice. */
	t = at("2021-10-30T22:00:00Z");
	CHECK_STR(ticks(&a, t, t + 25 * HOUR, 76, berlin),
	    "00:00[Oct 31] 04:00 08:00 12:00 16:00 20:00 00:00[Nov 1]");
	CHECK_STR(ticks(&a, t, t + 5 * HOUR, 76, berlin),
	    "00:00 01:00 02:00 02:00 03:00 04:00");
	/* Days stay at midnight. */
	CHECK_STR(ticks(&a, t - 24 * HOUR, t + 73 * HOUR, 60, berlin),
	    "Oct 30 Oct 31 Nov 1 Nov 2 Nov 3");
	arena_fini(&a);
}

/* Labels stand apart and rise, for any range, at any width. */
static void
sweep(void)
{
	unsigned seed = 7, bad = 0;

	for (int i = 0; i < 3000; i++) {
		struct arena a = { 0 };
		struct plot_timeaxis x;
		int64_t from, span;
		int cols, end = -10;

		seed = seed * 1103515245 + 12345;
		from = (int64_t)(seed >> 4) * 7919 - INT64_C(500000000000);
		seed = seed * 1103515245 + 12345;
		span = INT64_C(1) << (seed >> 16) % 42;
		seed = seed * 1103515245 + 12345;
		cols = 10 + (int)(seed >> 16) % 190;
		plot_timeaxis(&x, &a, from, from + span, cols, berlin);
		for (size_t k = 0; k < x.n; k++) {
			int w = plot_width(x.v[k].label);
			int c =
			    plot_time_col(x.v[k].t, from, from + span, cols) -
			    w / 2;

			bad += k > 0 && x.v[k].t <= x.v[k - 1].t;
			bad += w > 0 && c < end + 2;
			end = w > 0 ? c + w : end;
		}
		arena_fini(&a);
	}
	CHECK(bad == 0);
}

static void
extremes(void)
{
	struct arena a = { 0 };
	struct plot_timeaxis x;

	plot_timeaxis(&x, &a, -INT64_C(60000000000000),
	    INT64_C(1800000000000000), 80, NULL);
	CHECK(x.n < 84);
	plot_timeaxis(&x, &a, 0, 1, 1, NULL);
	CHECK(x.n <= 5);
	CHECK(plot_time_col(INT64_MIN, 0, 10, 5) == 0);
	CHECK(plot_time_col(INT64_MAX, 0, 10, 5) == 4);
	arena_fini(&a);
}

int
main(void)
{
	struct error e;

	berlin = date_zone_load("Europe/Berlin", NULL, &e);
	if (berlin == NULL) {
		printf("1..0 # SKIP no zoneinfo\n");
		return 0;
	}
	steps();
	dst();
	sweep();
	extremes();
	date_zone_free(berlin);
	return done();
}
