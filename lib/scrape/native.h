/*
 * Inside of scrape: pages that have native histograms.  The protobuf form is
 * fed to a reader of mf text piece by piece, and a histogram is brought within
 * the limits of its job.
 */
#ifndef SCRAPE_NATIVE_H
#define SCRAPE_NATIVE_H

#include "metric/expo.h"
#include "scrape/scrape.h"

/*
 * A page in protobuf form: its lines come to feed in pieces.  -1 if the page is
 * bad or feed said so.
 */
int native_page(str page, const struct scrape_target *t,
    int (*feed)(void *arg, str lines, struct error *e), void *arg,
    struct error *e);

/*
 * *text, a histogram's, with no more buckets than the job allows and none finer
 * than it wants.  What changes is made in a.  -1 if there is no way.
 */
int native_limit(
    const struct scrape_job *j, str *text, struct arena *a, struct error *e);

#endif
