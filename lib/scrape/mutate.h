/*
 * Inside of scrape: what the labels on a page become.
 */
#ifndef SCRAPE_MUTATE_H
#define SCRAPE_MUTATE_H

#include "metric/expo.h"
#include "scrape/scrape.h"

/*
 * The labels that a sample of t gets: those of its line and the target's, then
 * relabelled.  1, 0 if rules drop it, -1 if that fails the whole scrape.  set
 * is made here, and to be finished whatever is returned; what it holds borrows
 * from the item and the target, and lives in a.
 */
int mutate_sample(const struct scrape_target *t, const struct expo_item *it,
    struct label_set *set, struct arena *a, struct error *e);

#endif
