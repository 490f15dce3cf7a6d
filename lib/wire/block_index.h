/*
 * The index file of a block, put together in memory; private to
 * wire/block_*.c.  (prometheus/tsdb/docs/format/index.md; its writers use
 * version 2.)
 */
#ifndef WIRE_BLOCK_INDEX_H
#define WIRE_BLOCK_INDEX_H

#include "base/map.h"
#include "metric/label.h"

#define INDEX_MAGIC 0xbaaad700u
#define INDEX_TOC 52 /* bytes of the table of contents at the end */

struct index_chunk {
	int64_t first, last;
	uint64_t ref;
};

struct index_series {
	size_t at, n; /* its labels in sym, pairs */
	size_t chunk, nchunks;
};

struct block_index {
	struct arena a;
	struct map symbols; /* text to number in order of appearance */
	str *text;
	size_t ntext, text_cap;
	uint32_t *sym; /* of the series' labels: name, value, ... */
	size_t nsym, sym_cap;
	struct index_series *series;
	size_t nseries, series_cap;
	struct index_chunk *chunk;
	size_t nchunk, chunk_cap;
};

void block_index_init(struct block_index *x);
void block_index_fini(struct block_index *x);

/* The next series, and the next chunk of it. */
void block_index_series(struct block_index *x, struct labels ls);
void block_index_chunk(
    struct block_index *x, int64_t first, int64_t last, uint64_t ref);

/* Write it through put; *n gets the number of series that have chunks. */
int block_index_write(struct block_index *x, uint64_t *n,
    int (*put)(void *arg, str s, struct error *e), void *arg, struct error *e);

#endif
