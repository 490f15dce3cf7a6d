/*
 * The insides of struct series_set, shared by series.c and series_source.c.
 */
#ifndef METRIC_SERIES_SET_H
#define METRIC_SERIES_SET_H

#include "base/map.h"
#include "metric/rounds.h"
#include "metric/series.h"

struct series_one {
	struct labels labels;
	str key;     /* its label_key() */
	void *block; /* both of them */
	int64_t *t;  /* n samples from off on */
	double *v;
	struct histogram **h; /* beside v, each its own; NULL: all floats */
	int64_t *start;       /* beside t; NULL: none known */
	size_t off, n, cap;
	bool live;
	bool placed; /* it is in the order, at its place */
};

struct series_meta {
	str type, help, unit;
};

struct series_set {
	struct series_one *v;
	size_t n, cap;
	size_t *spare; /* numbers free again */
	size_t spares, nspare;
	struct map by_key;
	size_t count;
	size_t *order; /* live ones by metric name, then labels */
	size_t norder, order_cap;
	bool sorted;
	struct map meta; /* by metric */
	struct arena meta_arena;
	struct buf key;
	struct arena hist; /* a HIST line being read */
	struct rounds *rounds;
};

/* The place of the first sample at or after t. */
size_t series_lower(const struct series_one *o, int64_t t);

#endif
