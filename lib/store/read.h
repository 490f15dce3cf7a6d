/*
 * Reading what a query has planned (store/query.h): the samples of some of its
 * series at a time, frame by frame in the order of commits, so that each frame
 * is touched once for many series and not once a series.
 */
#ifndef STORE_READ_H
#define STORE_READ_H

#include "store/query.h"

/*
 * Series k's samples are n[k - from] of v, h, ... from off[k - from] on.  Those
 * that were committed together may have one column of times: then that is
 * same[k - from], else NULL and they stand in t.
 */
struct store_read {
	struct store_query q;
	size_t from, to; /* series that are read */
	size_t *off, *n;
	const int64_t **same;
	bool *mixed; /* its times do not rise */
	int64_t *t;
	double *v;
	uint8_t *wins;  /* samples of --replace; NULL if there are none */
	uint64_t *rank; /* when committed, if that is not the order */
	const struct histogram **h; /* NULL if there are none */
	/* The rest is how it is done. */
	uint64_t turn;  /* of the frame that is read: segment and slot */
	struct arena a; /* times and histograms of what is read */
	size_t cap, offcap, ncap, samecap, mixedcap;
	uint8_t *ok; /* blocks of a frame that were checked */
	size_t okcap;
	struct store_cols *x;   /* the stripe that is read */
	struct store_want *col; /* what is wanted of a row, by column */
	size_t colcap;
	bool *done; /* what of it has its last sample */
	size_t donecap;
};

/* Read series from.. on, as many as there is room for; at least one. */
void store_read_some(struct store_read *r, size_t from);

/* The times of series from + k, in t. */
int64_t *store_read_times(struct store_read *r, size_t k);

void store_read_fini(struct store_read *r);

#endif
