/*
 * What mf-plot has read: batches in, a chart's series out.  The batches of one
 * expression belong together; the answer to a range query takes the place of
 * the one before, all else is added up.
 */
#ifndef PLOT_FEED_H
#define PLOT_FEED_H

#include "metric/batch.h"
#include "plot/plot.h"

/* What the command line wants to see of it. */
struct feed_view {
	const char *from, *to; /* -s, -e as given, or NULL */
	int64_t now;           /* what they are relative to */
	int64_t step;          /* --step, 0: as the data says */
	const char *const *marks;
	size_t nmarks;
	const struct date_zone *zone;
};

struct feed;

struct feed *feed_new(void);
void feed_free(struct feed *f);

void feed_add(struct feed *f, const struct batch *b);

/* The newest time seen. */
int64_t feed_now(const struct feed *f);

/* Forget samples that are older than t. */
void feed_drop(struct feed *f, int64_t t);

/*
 * Series, marks, range, step, and a title and a unit if the data suggests
 * them, into p, as long as a and f live unchanged.  -1: a bad -s, -e, --mark.
 */
int feed_plot(struct feed *f, const struct feed_view *view, struct arena *a,
    struct plot *p, struct error *e);

#endif
