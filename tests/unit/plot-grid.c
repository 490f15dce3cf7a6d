/*
 * Cells to lines of text; what legends put on them (legend).  Covers legend.c.
 */
#include <math.h>

#include "check.h"
#include "plot/grid.h"
#include "plot/legend.h"

static str
printed(struct buf *b, const struct plot_grid *g, enum plot_color color)
{
	buf_reset(b);
	plot_grid_print(b, g, color);
	return buf_str(b);
}

static void
cells(void)
{
	struct arena a = { 0 };
	struct plot_grid g;
	struct buf b = { 0 };

	plot_grid_init(&g, &a, 6, 2, false);
	CHECK_STR(printed(&b, &g, PLOT_RGB), "\n\n");
	CHECK(plot_grid_text(&g, 1, 0, STR("ab"), PLOT_PEN_BOLD) == 3);
	plot_grid_put(&g, 5, 1, 0x2588, PLOT_PEN_SERIES + 1);
	plot_grid_put(&g, 6, 1, 'x', 0);
	plot_grid_put(&g, 0, -1, 'x', 0);
	CHECK_STR(printed(&b, &g, PLOT_MONO), " ab\n     █\n");
	CHECK_STR(printed(&b, &g, PLOT_16),
	    " \033[1mab\033[0m\n     \033[33m█\033[0m\n");
	CHECK_STR(printed(&b, &g, PLOT_256),
	    " \033[1mab\033[0m\n     \033[38;5;179m█\033[0m\n");
	CHECK_STR(printed(&b, &g, PLOT_RGB),
	    " \033[1mab\033[0m\n     \033[38;2;234;184;57m█\033[0m\n");
	CHECK(plot_grid_free(&g, 0, 0, 1, PLOT_PEN_DIM));
	CHECK(!plot_grid_free(&g, 0, 0, 2, PLOT_PEN_DIM));
	CHECK(plot_grid_free(&g, 1, 0, 2, PLOT_PEN_BOLD));
	CHECK(!plot_grid_free(&g, 4, 0, 3, PLOT_PEN_DIM));
	buf_fini(&b);
	arena_fini(&a);
}

static void
texts(void)
{
	struct arena a = { 0 };
	struct plot_grid g;
	struct buf b = { 0 };

	plot_grid_init(&g, &a, 7, 1, false);
	/* A wide character that does not fit is left out whole. */
	CHECK(plot_grid_text(&g, 0, 0, STR("東京大阪"), 0) == 6);
	CHECK_STR(printed(&b, &g, PLOT_MONO), "東京大\n");
	plot_grid_init(&g, &a, 9, 1, false);
	(void)plot_grid_text(
	    &g, 0, 0, STR("e\314\201\033[2J\342\200\256x\377"), 0);
	CHECK_STR(printed(&b, &g, PLOT_MONO), "e\314\201?[2Jx\357\277\275\n");
	plot_grid_init(&g, &a, 9, 1, true);
	(void)plot_grid_text(&g, 0, 0, STR("1–2 µs"), 0);
	CHECK_STR(printed(&b, &g, PLOT_MONO), "1-2 us\n");
	buf_fini(&b);
	arena_fini(&a);
}

static void
legends(void)
{
	static struct label l[] = { { STR_INIT("h"), STR_INIT("web1") },
		{ STR_INIT("h"), STR_INIT("大阪") } };
	int64_t t[] = { 0, 1000, 2000, 3000 };
	double v[] = { 1, 2, 3, 4 }, w[] = { 9, 8, NAN, 7 };
	struct plot_series s[] = { { { &l[0], 1 }, t, v, 4 },
		{ { &l[1], 1 }, t, w, 4 } };
	struct plot p = {
		.v = s, .n = 2, .to = 3000, .step = 1000, .warn = 7, .crit = 20
	};
	struct arena a = { 0 };
	struct plot_chart c;
	struct plot_grid g;
	struct buf b = { 0 };

	plot_chart(&c, &p, &a);
	CHECK(plot_legend_rows(&c, 60, 5) == 3);
	CHECK(plot_legend_rows(&c, 20, 5) == 0);
	CHECK(plot_legend_notes(&c));
	plot_grid_init(&g, &a, 60, 4, false);
	plot_legend_table(&g, &c, 0, 3);
	plot_legend_note(&g, &c, 3);
	CHECK_STR(printed(&b, &g, PLOT_MONO),
	    "          last      min    avg    max   gaps\n"
	    " A web1      4        1   2.50      4\n"
	    " B 大阪      7 ▲      7      8      9      1\n"
	    " ▲ B over warn 00:00:00–00:01 (1 of 2), peak 9 · +1 more\n");
	plot_grid_init(&g, &a, 30, 1, true);
	plot_legend_line(&g, &c, 0);
	CHECK_STR(printed(&b, &g, PLOT_MONO), "* web1 4   o ???? 7 !\n");
	plot_grid_init(&g, &a, 17, 1, false);
	plot_legend_line(&g, &c, 0);
	CHECK_STR(printed(&b, &g, PLOT_MONO), "A web1   B 大阪 ▲\n");
	CHECK(plot_mark_of(0, true) == '*' && plot_mark_of(8, true) == 'A');
	buf_fini(&b);
	arena_fini(&a);
}

int
main(void)
{
	cells();
	texts();
	legends();
	return done();
}
