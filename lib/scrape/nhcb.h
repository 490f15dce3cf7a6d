/*
 * Inside of scrape: classic histograms become native ones with custom buckets
 * (convert_classic_histograms_to_nhcb).  A filter behind the reader: the series
 * of one histogram that stand together on a page are held back and given on as
 * one HIST item of the name they have in common; what is no part of a classic
 * histogram passes.  With keep the series are given on, too.
 *
 * Only what the last TYPE line calls a histogram is one.  One that makes no
 * sense (buckets that are not cumulative, a count that is not that of +Inf)
 * is left out, as Prometheus does.
 */
#ifndef SCRAPE_NHCB_H
#define SCRAPE_NHCB_H

#include "metric/expo.h"

struct nhcb;

/* Takes an item; -1 ends the page. */
typedef int nhcb_put(void *arg, const struct expo_item *it, struct error *e);

struct nhcb *nhcb_new(bool keep, nhcb_put *put, void *arg);
void nhcb_free(struct nhcb *n);

/* An item comes; -1 if put said so. */
int nhcb_item(struct nhcb *n, const struct expo_item *it, struct error *e);

/* No more will come. */
int nhcb_end(struct nhcb *n, struct error *e);

#endif
