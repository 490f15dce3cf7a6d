/*
 * The words of a chart: the range in its header, and the notes on what a
 * person should notice.  Private to plot/.
 */
#ifndef PLOT_WORDS_H
#define PLOT_WORDS_H

#include "plot/chart.h"

/*
 * "2021-11-22 13:00–14:00 UTC · step 15s" in at most w cells, or a shorter
 * form of it, or nothing.
 */
str plot_words_range(const struct plot_chart *c, struct arena *a, int w);

/*
 * "13:35:28–36:32": from and to of a span within the chart, the hour of the
 * end left out when it is the same.
 */
void plot_words_span(
    struct buf *b, const struct plot_chart *c, int64_t from, int64_t to);

/* One thing to notice; level says by which mark it is led. */
struct plot_note {
	enum plot_level level;
	size_t line; /* of c->v */
	str text;    /* behind the series' letter or name */
};

/* The notes, the worst first; *n gets how many. */
const struct plot_note *plot_words_notes(
    const struct plot_chart *c, struct arena *a, size_t *n);

#endif
