/*
 * What a chart says before it is drawn: per series its name and figures, what
 * is missing in it and where it crossed a threshold; the range of time and
 * values.  Both backends draw from this.  Private to plot/.
 */
#ifndef PLOT_CHART_H
#define PLOT_CHART_H

#include "plot/plot.h"

enum plot_level {
	PLOT_FINE,
	PLOT_WARN,
	PLOT_CRIT,
};

struct plot_line {
	const struct plot_series *s;
	str name;       /* without what all series have in common */
	int64_t bridge; /* longest time between two samples that are joined */

	size_t n; /* finite samples within the range; 0: nothing else set */
	size_t infinite;
	double last, min, avg, max;
	int64_t first_t, last_t;
	bool ended; /* before the range does */

	size_t gaps;
	int64_t gap_from, gap_to; /* the longest, sample to sample */

	enum plot_level now;        /* of the last value */
	enum plot_level reached;    /* the worst; the rest is about it */
	size_t times;               /* how often */
	int64_t over_from, over_to; /* the one with the peak */
	double peak;
};

struct plot_chart {
	const struct plot *p;
	str title;
	bool title_is_name; /* the only series' name stands in the title */
	struct plot_line *v;
	size_t n, drawn;  /* all; those with a sample to draw */
	int64_t from, to; /* from < to */
	double lo, hi;    /* of the data, and of thresholds near it */
	bool counts;      /* whole numbers, without a unit to divide */
	bool below;       /* a low value is the bad one: crit < warn */
};

/* Everything is made in a; p is borrowed. */
void plot_chart(struct plot_chart *c, const struct plot *p, struct arena *a);

/* Names of c->v and the title, from the labels (name.c). */
void plot_names(struct plot_chart *c, struct arena *a);

/*
 * Which series a legend of k rows lists: those with the highest peaks, in the
 * order they always have, so that letters do not wander from frame to frame.
 */
bool *plot_chart_pick(const struct plot_chart *c, size_t k, struct arena *a);

/* The letter of series i at the end of its line; 0 if there are too many. */
char plot_letter(size_t i);

#endif
