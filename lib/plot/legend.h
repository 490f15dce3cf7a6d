/*
 * The lines below a chart: the table of figures, or its one-line form, and the
 * notes.  Private to plot/.
 */
#ifndef PLOT_LEGEND_H
#define PLOT_LEGEND_H

#include "plot/chart.h"
#include "plot/grid.h"

/* The character a series is known by: its mark in ASCII, else its letter. */
uint32_t plot_mark_of(size_t i, bool ascii);

/* Rows that the table takes, at most max; 0 if it is too wide for w cells. */
int plot_legend_rows(const struct plot_chart *c, int w, int max);

/* The table, in rows rows from y on. */
void plot_legend_table(
    struct plot_grid *g, const struct plot_chart *c, int y, int rows);

/* Every series with its last value, or one series with its figures. */
void plot_legend_line(struct plot_grid *g, const struct plot_chart *c, int y);

/* Is there anything to note? */
bool plot_legend_notes(const struct plot_chart *c);

/* What to notice, as far as one line holds it. */
void plot_legend_note(struct plot_grid *g, const struct plot_chart *c, int y);

#endif
