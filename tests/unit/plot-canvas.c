/*
 * Dots, lines and pens, and the placing of letters (spread).  Covers spread.c.
 */
#include <stdlib.h>

#include "check.h"
#include "plot/canvas.h"
#include "plot/spread.h"

static void
dots(void)
{
	struct arena a = { 0 };
	struct plot_canvas c;

	plot_canvas_init(&c, &a, 2, 2, false);
	CHECK(plot_canvas_rune(&c, 0, 0) == 0x2800);
	plot_canvas_dot(&c, 0, 0, 1);
	plot_canvas_dot(&c, 1, 3, 2);
	CHECK(plot_canvas_rune(&c, 0, 0) == 0x2881);
	CHECK(c.pens[0] == 2);
	plot_canvas_dot(&c, -1, 0, 1);
	plot_canvas_dot(&c, 4, 0, 1);
	plot_canvas_dot(&c, 0, 8, 1);
	CHECK(c.pens[1] == 0 && c.pens[2] == 0 && c.pens[3] == 0);
	plot_canvas_line(&c, 0, 7, 3, 4, 3);
	CHECK(c.pens[2] == 3 && c.pens[3] == 3);
	CHECK(plot_canvas_rune(&c, 0, 1) == 0x2860);
	arena_fini(&a);
}

static void
ascii(void)
{
	struct arena a = { 0 };
	struct plot_canvas c;
	size_t n = 0;

	plot_canvas_init(&c, &a, 10, 10, true);
	plot_canvas_line(&c, 9, 9, 0, 0, 7);
	for (size_t i = 0; i < 100; i++)
		n += c.pens[i] == 7;
	CHECK(n == 10 && c.pens[0] == 7 && c.pens[99] == 7);
	arena_fini(&a);
}

static void
spread(void)
{
	struct arena a = { 0 };
	struct plot_place v[] = { { 0, 5, 0 }, { 1, 5, 0 }, { 2, 5, 0 },
		{ 3, 20, 0 } };
	struct plot_place w[50];
	int bad = 0;

	CHECK(plot_spread(v, 4, 2, 30, &a) == 4);
	CHECK(v[0].at == 3 && v[1].at == 5 && v[2].at == 7);
	CHECK(v[3].at == 20 && v[3].what == 3);
	CHECK(plot_spread(v, 4, 4, 4, &a) == 2);
	CHECK(plot_spread(v, 0, 4, 4, &a) == 0);
	for (int i = 0; i < 50; i++)
		w[i] = (struct plot_place){ (size_t)i, i * i % 37, 0 };
	CHECK(plot_spread(w, 50, 1, 60, &a) == 50);
	for (int i = 0; i < 50; i++)
		bad += w[i].at < 0 || w[i].at > 60 ||
		    (i > 0 && w[i].at <= w[i - 1].at);
	CHECK(bad == 0);
	arena_fini(&a);
}

int
main(void)
{
	dots();
	ascii();
	spread();
	return done();
}
