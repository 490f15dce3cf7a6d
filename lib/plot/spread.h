/*
 * Placing things of one height in a column, each as near as can be to where it
 * belongs and none over another: the letters at the ends of lines.  Private to
 * plot/.
 */
#ifndef PLOT_SPREAD_H
#define PLOT_SPREAD_H

#include "base/arena.h"

struct plot_place {
	size_t what;  /* the caller's */
	int want, at; /* from the top */
};

/*
 * Sort n places by want and set at: at least gap apart, from 0 to max.  Those
 * that do not fit at all are left out; returns how many are not.
 */
size_t plot_spread(
    struct plot_place *v, size_t n, int gap, int max, struct arena *a);

#endif
