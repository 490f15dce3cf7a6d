/*
 * Blocks of Prometheus's TSDB, written and read: a directory ULID/ with
 * meta.json, index, chunks/000001 ... and tombstones.
 * (prometheus/tsdb/docs/format: index.md, chunks.md, tombstones.md)
 *
 *	w = block_create("out", ulid, from, to, &e);
 *	for each series in label order:
 *		block_series(w, labels, &e);
 *		block_float(w, t, v, &e) ... or block_histogram(...)
 *	block_finish(w, &e);
 */
#ifndef WIRE_BLOCK_H
#define WIRE_BLOCK_H

#include "metric/histogram.h"
#include "metric/label.h"

#define BLOCK_ULID 26

/* The name of a block: its time of birth and randomness (github.com/ulid). */
void block_ulid(
    char out[BLOCK_ULID + 1], int64_t now, uint64_t r1, uint64_t r2);

struct block_writer;

/*
 * Begin a block of the times from to to (ms, to is outside) in dir, which must
 * exist.  It is written as ULID.tmp-for-creation and renamed when it is whole.
 */
struct block_writer *block_create(const char *dir, const char *ulid,
    int64_t from, int64_t to, struct error *e);

/*
 * The next series, in label order, and its samples, times rising strictly.  A
 * series without a sample is left out.  All return -1 on a failed write.
 */
int block_series(struct block_writer *w, struct labels ls, struct error *e);
int block_float(struct block_writer *w, int64_t t, double v, struct error *e);
int block_histogram(struct block_writer *w, int64_t t,
    const struct histogram *h, struct error *e);

struct block_stats {
	uint64_t samples, floats, histograms, series, chunks, bytes;
};

/* Write the index, and let the whole appear.  w is gone either way. */
int block_finish(
    struct block_writer *w, struct block_stats *s, struct error *e);

/* Give it up and remove what was written. */
void block_abort(struct block_writer *w);

struct block;

/* Open the block in the directory path. */
struct block *block_open(const char *path, struct error *e);
void block_close(struct block *b);

int64_t block_from(const struct block *b);
int64_t block_to(const struct block *b);

/*
 * The next series in label order: 1, 0 at the end, -1 when the index is
 * broken.  The labels are valid until the next call.
 */
int block_next(struct block *b, struct labels *ls, struct error *e);

/*
 * Its samples in time order, without what tombstones delete; h is NULL for a
 * float.  each stops the walk with -1, which has then no message of its own.
 */
int block_samples(struct block *b,
    int (*each)(void *arg, int64_t t, double v, const struct histogram *h),
    void *arg, struct error *e);

#endif
