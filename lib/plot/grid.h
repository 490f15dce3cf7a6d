/*
 * A page of cells, each a character and a pen, and its printing as lines of
 * text with or without colour.  Private to plot/.
 */
#ifndef PLOT_GRID_H
#define PLOT_GRID_H

#include "plot/plot.h"

/* Pens; a series' is PLOT_PEN_SERIES + its number. */
enum plot_pen {
	PLOT_PEN_NONE,
	PLOT_PEN_BOLD,
	PLOT_PEN_DIM,
	PLOT_PEN_WARN,
	PLOT_PEN_CRIT,
	PLOT_PEN_MARK,
	PLOT_PEN_SERIES = 16,
};

#define PLOT_PALETTE 8 /* colours before they begin again */

struct plot_cell {
	uint32_t rune, comb; /* 0: blank; a combining mark on it */
	uint16_t pen;
	bool tail; /* the right half of a wide character */
};

struct plot_grid {
	int w, h;
	bool ascii;
	struct plot_cell *v;
	struct arena *a;
};

void plot_grid_init(
    struct plot_grid *g, struct arena *a, int w, int h, bool ascii);

/* One character; outside of the page nothing happens. */
void plot_grid_put(struct plot_grid *g, int x, int y, uint32_t rune, int pen);

/*
 * A text from column x on, cut at the right edge; control characters become
 * '?'.  Returns the column behind it.
 */
int plot_grid_text(struct plot_grid *g, int x, int y, str s, int pen);

/* Is every cell from x to x + w - 1 blank, or in pen? */
bool plot_grid_free(const struct plot_grid *g, int x, int y, int w, int pen);

/* Lines without blanks at their ends, each ended by a newline. */
void plot_grid_print(
    struct buf *b, const struct plot_grid *g, enum plot_color color);

#endif
