/*
 * A stream regrouped into one page, as a scrape wants it (DESIGN 2): one HELP
 * and TYPE a family, the latest sample of each series, stale ones left out.
 * It owns all it remembers.
 */
#ifndef METRIC_PAGE_H
#define METRIC_PAGE_H

#include "metric/batch.h"

struct page;

struct page *page_new(void);
void page_free(struct page *p);

/* Take a batch: samples, metadata and STALE lines, "# STALE *" included. */
void page_apply(struct page *p, const struct batch *b);

/*
 * Add the page to b: families by name, the series of each in label order (a
 * histogram's buckets by bound), with their times if asked for.
 */
void page_print(struct page *p, struct buf *b, bool times);

#endif
