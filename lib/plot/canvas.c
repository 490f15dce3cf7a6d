/*
 * Lines by Bresenham's algorithm.
 */
#include "plot/canvas.h"

#include <stdlib.h>

void
plot_canvas_init(
    struct plot_canvas *c, struct arena *a, int w, int h, bool ascii)
{
	size_t n = (size_t)w * (size_t)h;

	*c = (struct plot_canvas){ w, h, ascii ? 1 : 2, ascii ? 1 : 4,
		arena_array(a, n, uint8_t), arena_array(a, n, uint16_t) };
}

void
plot_canvas_dot(struct plot_canvas *c, int x, int y, uint16_t pen)
{
	/* Unicode numbers the upper three rows by column, then the fourth. */
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 },
		{ 0x04, 0x20 }, { 0x40, 0x80 } };
	size_t i;

	if (x < 0 || y < 0 || x >= c->w * c->dx || y >= c->h * c->dy)
		return;
	i = (size_t)(y / c->dy) * (size_t)c->w + (size_t)(x / c->dx);
	c->dots[i] |= bits[y % c->dy][x % c->dx];
	c->pens[i] = pen;
}

void
plot_canvas_line(
    struct plot_canvas *c, int x0, int y0, int x1, int y1, uint16_t pen)
{
	int dx = abs(x1 - x0), dy = -abs(y1 - y0);
	int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
	int err = dx + dy;

	for (;;) {
		int e2 = 2 * err;

		plot_canvas_dot(c, x0, y0, pen);
		if (x0 == x1 && y0 == y1)
			return;
		if (e2 >= dy) {
			err += dy;
			x0 += sx;
		}
		if (e2 <= dx) {
			err += dx;
			y0 += sy;
		}
	}
}

uint32_t
plot_canvas_rune(const struct plot_canvas *c, int x, int y)
{
	return 0x2800 + c->dots[(size_t)y * (size_t)c->w + (size_t)x];
}
