/*
 * What mf-plot knows of the terminal it writes to: size, colours, UTF-8, and
 * frames drawn in place.
 */
#ifndef PLOT_TERM_H
#define PLOT_TERM_H

#include "plot/plot.h"

enum term_when {
	TERM_AUTO,
	TERM_ALWAYS,
	TERM_NEVER,
};

/* LC_CTYPE from the environment: false in the C locale and on TERM=dumb. */
bool term_utf8(void);

enum plot_color term_color(enum term_when when);

/* Is stdout a terminal that can move its cursor? */
bool term_moves(void);

/* Cells: of the terminal, else $COLUMNS and $LINES, else 80 x 24. */
void term_size(int *width, int *height);

/* Note SIGWINCH from now on; has the size changed since the last call? */
void term_watch(void);
bool term_resized(void);

/* Add text as a frame in the place of the one before it. */
void term_frame(struct buf *b, str text, bool first);

/*
 * After the last frame.  An interrupt may have cut it off (the terminal drops
 * what it had not shown) and leaves "^C": the prompt gets a clean line.
 */
#define TERM_END "\033[?2026l\r\033[J\033[?25h"

#endif
