/*
 * Series in memory: what a stream or a file holds, as columns by label set,
 * and a struct source over them.  It owns everything put into it; labels and
 * columns handed out are valid until the next change.
 */
#ifndef METRIC_SERIES_H
#define METRIC_SERIES_H

#include "metric/batch.h"
#include "metric/source.h"

struct series_set;

struct series_set *series_new(void);
void series_free(struct series_set *s);

/*
 * Add a sample.  A series' samples may come in any order; the same time and
 * bits twice is nothing, the same time with another value keeps the first.
 * Returns 1 if it was new, 0 if not.
 */
int series_add(struct series_set *s, struct labels ls, int64_t t, double v);

/*
 * The same of a native histogram, which is copied.  One that does not say
 * whether it was reset is compared with the histogram before it: the set is
 * its source and knows.
 */
int series_add_histogram(struct series_set *s, struct labels ls, int64_t t,
    const struct histogram *h);

/*
 * The sample at t, which is there, and those behind it that said nothing else
 * count from start on; 0: it is not known since when.
 */
void series_start(
    struct series_set *s, struct labels ls, int64_t t, int64_t start);

/*
 * Apply a batch: samples, HIST and START lines, STALE lines of single series,
 * and "# STALE *" (which ends every series of the batch before with the same
 * labels that this one has no sample of, at their times as DESIGN 2 says).
 */
void series_apply(struct series_set *s, const struct batch *b);

/* Forget samples older than t, and series that have none left. */
void series_drop(struct series_set *s, int64_t t);

size_t series_count(const struct series_set *s);

/* The first and last time of any sample; false if there is none. */
bool series_range(const struct series_set *s, int64_t *from, int64_t *to);

/* A source over it, valid as long as the set. */
struct source series_source(struct series_set *s);

#endif
