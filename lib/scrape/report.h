/*
 * Inside of scrape: the series every round ends with, up and the others.
 */
#ifndef SCRAPE_REPORT_H
#define SCRAPE_REPORT_H

#include "scrape/memory.h"

struct report {
	const struct scrape_target *t;
	const struct scrape_result *r;
	int64_t took; /* ns */
	double size;  /* bytes of the page; -1: it was too large */
};

/*
 * HELP and TYPE of each, but of those the page itself described in this round
 * of s, into b.
 */
void report_metadata(
    struct buf *b, struct memory_source *s, const struct report *x);

/* Their samples at t. */
void report_samples(struct buf *b, const struct report *x, int64_t t);

#endif
