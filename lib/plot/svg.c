/*
 * Everything is rounded to a tenth of a pixel: finer than any screen, and half
 * the bytes.
 */
#include "plot/svg.h"

#include <math.h>
#include <stdlib.h>

void
plot_svg_escape(struct buf *b, str s)
{
	size_t len;

	for (; s.n > 0; s = str_skip(s, len)) {
		uint32_t r = str_rune(s, &len);

		if (r == '&')
			buf_z(b, "&amp;");
		else if (r == '<')
			buf_z(b, "&lt;");
		else if (r == '>')
			buf_z(b, "&gt;");
		else if (r == '"')
			buf_z(b, "&quot;");
		else if ((r < 0x20 && r != '\n' && r != '\t') || r == 0xfffd ||
		    r == 0xfffe || r == 0xffff || (r >= 0x7f && r < 0xa0))
			buf_z(b, "\357\277\275");
		else
			buf_add(b, str_take(s, len));
	}
}

void
plot_svg_num(struct buf *b, int tenths)
{
	unsigned a = (unsigned)abs(tenths), whole = a / 10;
	char text[16], *p = text + sizeof(text);

	if (a % 10 != 0) {
		*--p = (char)('0' + a % 10);
		*--p = '.';
	}
	for (; whole > 0; whole /= 10)
		*--p = (char)('0' + whole % 10);
	if (a == 0)
		*--p = '0';
	if (tenths < 0)
		*--p = '-';
	buf_add(b, str_from(p, text + sizeof(text)));
}

static int
tenths(double x)
{
	return (int)lround(x * 10);
}

static void
attr(struct buf *b, const char *name, double v)
{
	buf_printf(b, " %s=\"", name);
	plot_svg_num(b, tenths(v));
	buf_byte(b, '"');
}

void
plot_svg_text(struct buf *b, const char *class, double x, double y, str s)
{
	if (s.n == 0)
		return;
	buf_z(b, "<text");
	if (class[0] != '\0')
		buf_printf(b, " class=\"%s\"", class);
	attr(b, "x", x);
	attr(b, "y", y);
	buf_byte(b, '>');
	plot_svg_escape(b, s);
	buf_z(b, "</text>\n");
}

void
plot_svg_line(struct buf *b, const char *class, double x0, double y0, double x1,
    double y1)
{
	struct plot_svg_path p = { .b = b };

	buf_printf(b, "<path class=\"%s\" d=\"", class);
	plot_svg_move(&p, x0, y0);
	plot_svg_to(&p, x1, y1);
	buf_z(b, "\"/>\n");
}

static void
command(struct plot_svg_path *p, char op)
{
	if (p->op != op)
		buf_byte(p->b, op);
	p->op = op;
}

/* A number needs no blank before it if it has a sign or a command has. */
static void
next_num(struct plot_svg_path *p, int v)
{
	char last = p->b->p[p->b->n - 1];

	if (v >= 0 && ((last >= '0' && last <= '9') || last == '.'))
		buf_byte(p->b, ' ');
	plot_svg_num(p->b, v);
}

void
plot_svg_move(struct plot_svg_path *p, double x, double y)
{
	p->op = 0;
	command(p, 'M');
	p->x = tenths(x);
	p->y = tenths(y);
	next_num(p, p->x);
	next_num(p, p->y);
}

void
plot_svg_to(struct plot_svg_path *p, double x, double y)
{
	int dx = tenths(x) - p->x, dy = tenths(y) - p->y;

	if (dy == 0 && dx == 0)
		return;
	if (dy == 0) {
		command(p, 'h');
		next_num(p, dx);
	} else {
		command(p, 'l');
		next_num(p, dx);
		next_num(p, dy);
	}
	p->x += dx;
	p->y += dy;
}
