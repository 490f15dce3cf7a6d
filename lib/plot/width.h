/*
 * How many cells of a terminal text takes, so that Japanese titles and labels
 * do not push columns out of line.  Private to plot/.
 */
#ifndef PLOT_WIDTH_H
#define PLOT_WIDTH_H

#include "base/arena.h"

/* 0 (combining, invisible), 1 or 2; control characters are -1. */
int plot_rune_width(uint32_t r);

/* Cells of a text as it will be drawn: control characters take one. */
int plot_width(str s);

/* s, or its beginning with an ellipsis (".." if ascii) in at most w cells. */
str plot_cut(struct arena *a, str s, int w, bool ascii);

/*
 * s in ASCII, cell for cell where it can be: dashes and marks have their
 * likes, other characters become '?'.
 */
str plot_plain(struct arena *a, str s);

#endif
