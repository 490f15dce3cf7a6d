/*
 * Sparklines: what is left of a chart when there is no room for one.  Private
 * to plot/.
 */
#ifndef PLOT_SPARK_H
#define PLOT_SPARK_H

#include "plot/chart.h"
#include "plot/grid.h"

/* A line a series, as many as there are rows, on one common scale. */
void plot_spark(struct plot_grid *g, const struct plot_chart *c);

#endif
