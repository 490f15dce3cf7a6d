/*
 * The samples of a chunk of Prometheus's TSDB, written and read: XOR floats
 * (XOR2 is only read), integer histograms and float histograms.  Private to
 * wire/block_*.c. (prometheus/tsdb/docs/format/chunks.md)
 */
#ifndef WIRE_BLOCK_CHUNK_H
#define WIRE_BLOCK_CHUNK_H

#include "metric/histogram.h"
#include "wire/block_bits.h"

enum chunk_encoding {
	CHUNK_XOR = 1,
	CHUNK_HISTOGRAM = 2,
	CHUNK_FLOAT_HISTOGRAM = 3,
	CHUNK_XOR2 = 4, /* floats, read only */
};

#define CHUNK_SAMPLES 120 /* after which the next one is begun */

/* A chunk being written; its bytes are in b from at on. */
struct chunk_out {
	enum chunk_encoding encoding;
	struct buf *b;
	struct bits_out bits;
	size_t at;
	unsigned n;
	int64_t first, last; /* times */
	int64_t delta;
	struct bits_xor v; /* the values, or the sums */
	/* of histograms */
	struct arena a;
	struct histogram h; /* its layout, and the counts before */
	int64_t *change;    /* of the counts before: count, zero, buckets */
	struct bits_xor *x; /* the same of float histograms */
	bool stale;
};

void chunk_begin(
    struct chunk_out *c, struct buf *b, enum chunk_encoding encoding);
void chunk_end(struct chunk_out *c);
void chunk_float(struct chunk_out *c, int64_t t, double v);

/*
 * False if the chunk can't take it (other buckets, a reset, a hint): end it and
 * begin another, which takes any.
 */
bool chunk_histogram(struct chunk_out *c, int64_t t, const struct histogram *h);

/* A chunk being read: n samples. */
struct chunk_in {
	enum chunk_encoding encoding;
	struct bits_in bits;
	unsigned n, i;
	int64_t t, delta;
	struct bits_xor v;
	struct histogram h;
	int64_t *change;
	struct bits_xor *x;
	enum histogram_hint hint;
	/* of XOR2: has the first sample a start time, and from which on each?
	 */
	bool start;
	unsigned starts;
};

/* False: it is not one.  Histograms live in a. */
bool chunk_open(struct chunk_in *c, enum chunk_encoding encoding,
    const uint8_t *p, size_t n, struct arena *a);

/*
 * The next sample: 1, 0 at the end, -1 when the chunk is broken.  *h is NULL
 * for a float, else valid until the next call.
 */
int chunk_next(
    struct chunk_in *c, int64_t *t, double *v, const struct histogram **h);

/* For chunk_open() and chunk_next() (wire/block_xor2.c). */
void chunk_xor2_open(struct chunk_in *c);
double chunk_xor2_next(struct chunk_in *c);

#endif
