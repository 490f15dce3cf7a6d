/*
 * The series and marks of one chart, as they are found; all is copied into an
 * arena.
 */
#ifndef PLOT_GATHER_H
#define PLOT_GATHER_H

#include "metric/source.h"
#include "plot/plot.h"

/* What the command line wants to see. */
struct view {
	const char *from, *to; /* -s, -e as given, or NULL */
	int64_t now;           /* what they are relative to */
	int64_t step;          /* --step, 0: as the data says */
	const char *const *marks;
	size_t nmarks;
	unsigned features; /* of expressions: enum promql_feature */
	const struct date_zone *zone;
};

/* a, several and bridge are the caller's; the rest begins as zero. */
struct gather {
	struct arena *a;
	bool several;   /* expressions: series carry theirs as a label */
	int64_t bridge; /* longer without a sample ends a mark; 0: never */
	struct plot_series *v;
	size_t n, cap;
	struct plot_mark *marks;
	size_t nmarks, capmarks;
};

void gather_line(struct gather *g, const struct source_series *s, str expr);
void gather_marks(struct gather *g, const struct source_series *s, str expr);

/* Series, marks and the unit that the names suggest, into p. */
void gather_plot(const struct gather *g, struct plot *p);

#endif
