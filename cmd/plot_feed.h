/*
 * What mf-plot has read: batches in, a chart's series out.  The batches of one
 * expression belong together; the answer to a range query takes the place of
 * the one before, all else is added up.
 */
#ifndef PLOT_FEED_H
#define PLOT_FEED_H

#include "metric/batch.h"
#include "plot_gather.h"

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
int feed_plot(struct feed *f, const struct view *w, struct arena *a,
    struct plot *p, struct error *e);

#endif
