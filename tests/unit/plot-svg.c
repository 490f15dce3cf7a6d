/*
 * Pieces of SVG.
 */
#include "check.h"
#include "plot/svg.h"

static str
number(struct buf *b, int tenths)
{
	buf_reset(b);
	plot_svg_num(b, tenths);
	return buf_str(b);
}

static void
numbers(void)
{
	struct buf b = { 0 };

	CHECK_STR(number(&b, 0), "0");
	CHECK_STR(number(&b, 5), ".5");
	CHECK_STR(number(&b, -5), "-.5");
	CHECK_STR(number(&b, 15), "1.5");
	CHECK_STR(number(&b, 20), "2");
	CHECK_STR(number(&b, -12340), "-1234");
	buf_fini(&b);
}

static void
escapes(void)
{
	struct buf b = { 0 };

	plot_svg_escape(&b, STR("<a b=\"c\">&\n\001\377é"));
	CHECK_STR(buf_str(&b),
	    "&lt;a b=&quot;c&quot;&gt;&amp;\n\357\277\275\357\277\275é");
	buf_reset(&b);
	plot_svg_text(&b, "m", 1.25, 2, STR("x<y"));
	CHECK_STR(
	    buf_str(&b), "<text class=\"m\" x=\"1.3\" y=\"2\">x&lt;y</text>\n");
	buf_reset(&b);
	plot_svg_text(&b, "", 1, 2, STR_NONE);
	CHECK(b.n == 0);
	buf_fini(&b);
}

static void
paths(void)
{
	struct buf b = { 0 };
	struct plot_svg_path p = { .b = &b };

	plot_svg_move(&p, 10, 20.5);
	plot_svg_to(&p, 11.5, 20.5);
	plot_svg_to(&p, 13, 20.5);
	plot_svg_to(&p, 12, 25);
	plot_svg_to(&p, 12, 25);
	plot_svg_to(&p, 12.5, 24.5);
	plot_svg_move(&p, 1, 1);
	CHECK_STR(buf_str(&b), "M10 20.5h1.5 1.5l-1 4.5 .5-.5M1 1");
	buf_reset(&b);
	plot_svg_line(&b, "g", 0, 1, 2, 1);
	CHECK_STR(buf_str(&b), "<path class=\"g\" d=\"M0 1h2\"/>\n");
	buf_fini(&b);
}

int
main(void)
{
	numbers();
	escapes();
	paths();
	return done();
}
