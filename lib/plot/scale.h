/*
 * The y axis: a range that grows to whole steps, steps that are round in the
 * unit, one form for all labels.  Private to plot/.
 */
#ifndef PLOT_SCALE_H
#define PLOT_SCALE_H

#include "plot/unit.h"

/* A range of more than twice that is no double: data beyond is at the edge. */
#define PLOT_LIMIT 1e307

struct plot_scale {
	double lo, hi, step;
	int n;    /* intervals; n + 1 labels */
	int rows; /* rows used: n divides rows - 1, so labels sit on rows */
	struct plot_form form;
};

/*
 * An axis over the data from lo to hi (lo > hi: there is none) in at most rows
 * rows, with a label for every third line of the chart at most; cells: labels
 * must sit on rows.
 * counts: the values are whole numbers, so a step is never below 1.
 */
void plot_scale(struct plot_scale *s, double lo, double hi, int rows,
    bool cells, str unit, bool counts);

/* The value of tick i, 0 at the bottom; exactly 0 where it should be. */
double plot_scale_tick(const struct plot_scale *s, int i);

/* Where v stands, 0 at the bottom, 1 at the top; limited to that. */
double plot_scale_at(const struct plot_scale *s, double v);

#endif
