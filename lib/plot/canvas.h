/*
 * Ink: a raster of dots that lie 2 x 4 in a cell (braille) or 1 x 1 (ASCII).
 * A cell has one pen, and the last to draw in it wins.  Private to plot/.
 */
#ifndef PLOT_CANVAS_H
#define PLOT_CANVAS_H

#include "base/arena.h"

struct plot_canvas {
	int w, h;       /* cells */
	int dx, dy;     /* dots a cell */
	uint8_t *dots;  /* braille bits of each cell */
	uint16_t *pens; /* 0: no ink */
};

void plot_canvas_init(
    struct plot_canvas *c, struct arena *a, int w, int h, bool ascii);

/* Dots outside of the canvas are left out. */
void plot_canvas_dot(struct plot_canvas *c, int x, int y, uint16_t pen);
void plot_canvas_line(
    struct plot_canvas *c, int x0, int y0, int x1, int y1, uint16_t pen);

/* The braille pattern of a cell (U+2800 up). */
uint32_t plot_canvas_rune(const struct plot_canvas *c, int x, int y);

#endif
