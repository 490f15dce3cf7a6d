/*
 * Pieces of SVG: escaped text, short numbers, paths.  Private to plot/.
 */
#ifndef PLOT_SVG_H
#define PLOT_SVG_H

#include "base/buf.h"

/*
 * Text for an element or a quoted attribute; what XML cannot hold becomes
 * U+FFFD.
 */
void plot_svg_escape(struct buf *b, str s);

/* A length in tenths of a pixel, as short as it can be: 15 -> 1.5. */
void plot_svg_num(struct buf *b, int tenths);

/*
 * <text class="class" x y>s</text>; the class says where the anchor is and
 * which colour it has.
 */
void plot_svg_text(struct buf *b, const char *class, double x, double y, str s);

/* A line from x0,y0 to x1,y1. */
void plot_svg_line(struct buf *b, const char *class, double x0, double y0,
    double x1, double y1);

/* The data of a path, with steps relative to the last point. */
struct plot_svg_path {
	struct buf *b;
	int x, y; /* tenths */
	char op;  /* the last command; 0 at first */
};

void plot_svg_move(struct plot_svg_path *p, double x, double y);
void plot_svg_to(struct plot_svg_path *p, double x, double y);

#endif
