/*
 * The time axis: ticks on the calendar of a zone, labels that never touch, and
 * the coarser part (the date, the year) where it changes.  Private to plot/.
 */
#ifndef PLOT_TIMEAXIS_H
#define PLOT_TIMEAXIS_H

#include "base/arena.h"
#include "base/date.h"

struct plot_tick {
	int64_t t;
	str label; /* empty: there was no room */
	str below; /* the coarser part, where it begins; or empty */
};

struct plot_timeaxis {
	struct plot_tick *v;
	size_t n;
	bool dates; /* some tick has a below */
};

/*
 * Ticks from from to to (from < to) over a line of cols cells; cells are the
 * measure of labels.  What it makes lives in a.
 */
void plot_timeaxis(struct plot_timeaxis *x, struct arena *a, int64_t from,
    int64_t to, int cols, const struct date_zone *z);

/* The column of t, 0 to cols - 1. */
int plot_time_col(int64_t t, int64_t from, int64_t to, int cols);

#endif
