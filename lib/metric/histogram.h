/*
 * Native histograms (Prometheus's model/histogram): a value that is a count, a
 * sum and buckets, kept sparse.  Bucket i of schema n, -4 to 8, holds what is
 * above 2^((i-1)/2^n) and not above 2^(i/2^n), on the negative side the same of
 * the absolute; what is within zero_threshold of zero is in zero_count.  Schema
 * -53 has bounds of its own: bucket i ends at custom[i], the last at +Inf.
 *
 * The buckets of a side stand in spans: offset buckets are passed over (of the
 * first span: its first bucket), length ones follow, each with its count in v.
 * All counts are floats here, exact up to 2^53; whole says that they are
 * integers, which a text tells by having no point in any of them.
 *
 * What a histogram points at lives in the arena it was made in.
 */
#ifndef METRIC_HISTOGRAM_H
#define METRIC_HISTOGRAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define HISTOGRAM_CUSTOM (-53) /* the schema with bounds of its own */
#define HISTOGRAM_MIN (-4)
#define HISTOGRAM_MAX 8

/* What its source knows about a reset between the one before and this one. */
enum histogram_hint {
	HISTOGRAM_UNKNOWN,
	HISTOGRAM_RESET,
	HISTOGRAM_NOT_RESET,
	HISTOGRAM_GAUGE, /* it may go down: no counter at all */
};

struct histogram_span {
	int32_t offset;
	uint32_t length;
};

struct histogram_side {
	struct histogram_span *spans;
	size_t nspans;
	double *v;
	size_t n;
};

struct histogram {
	enum histogram_hint hint;
	bool whole;
	int32_t schema;
	double count, sum;
	double zero_threshold, zero_count;
	struct histogram_side negative, positive;
	double *custom;
	size_t ncustom;
};

/*
 * Read "{count:2,sum:3.5,schema:0,...}", the whole of s, in a.  Keys nobody
 * knows are passed over.  -1 with the message, and where in s it is in *at
 * (which may be NULL).  What has been read has been checked.
 */
int histogram_parse(
    struct histogram *h, str s, struct arena *a, size_t *at, struct error *e);

/* The one form of it: mf-format(5). */
void histogram_print(struct buf *b, const struct histogram *h);

/* The form of the Prometheus API: {"count":"2","sum":"3","buckets":[...]}. */
void histogram_json(struct buf *b, const struct histogram *h);

/*
 * Is it one?  Spans fit their buckets, no count is negative (but of gauges
 * that are not whole: differences), bounds ascend, and whole counts add up (or
 * are no more than count, when sum is NaN).  Schemas up to 52 are sound but
 * finer than what is kept: reduce them.
 */
int histogram_check(const struct histogram *h, struct error *e);

/* The same in each part and bit, spans too; NaN is equal to itself. */
bool histogram_eq(const struct histogram *a, const struct histogram *b);

/* Have two sides the same spans, and so the same buckets? */
bool histogram_same_spans(
    const struct histogram_side *a, const struct histogram_side *b);

/* How many buckets it has, both sides, without the one of zero. */
size_t histogram_buckets(const struct histogram *h);

/* Take out empty buckets and join spans; the new ones are in a. */
void histogram_compact(struct histogram *h, struct arena *a);

/*
 * Merge buckets to those of a lower schema; the new spans are in a.  -1: there
 * is none below custom bounds and below HISTOGRAM_MIN.
 */
int histogram_reduce(struct histogram *h, int32_t schema, struct arena *a);

/*
 * The upper bound of bucket i, +Inf past the last finite one; of the negative
 * side it is the lower bound with the sign turned.
 */
double histogram_bound(const struct histogram *h, int64_t i);

/* The buckets of a side in ascending order of their indices. */
struct histogram_iter {
	const struct histogram_side *side;
	size_t span, at; /* the next to be given */
	uint32_t in;
	int64_t next;
	int64_t index; /* of the bucket last given */
	double count;
};

void histogram_iter_init(
    struct histogram_iter *it, const struct histogram_side *side);

/* 1 with index and count set, 0 at the end; spans must have been checked. */
int histogram_next(struct histogram_iter *it);

/*
 * Arithmetic (histogram_math.c).  What is made lies in the arena given.
 */

/* A copy that shares nothing with h; one with every count and sum 0. */
struct histogram *histogram_copy(const struct histogram *h, struct arena *a);
struct histogram *histogram_zero(const struct histogram *h, struct arena *a);

/* A copy in one block, which free() takes. */
struct histogram *histogram_new(const struct histogram *h);

/* Times and divided by a number; a negative one makes a gauge. */
void histogram_scale(struct histogram *h, double by);
void histogram_divide(struct histogram *h, double by);

enum histogram_met {
	HISTOGRAM_RECONCILED = 1, /* custom bounds differed: the common stay */
	HISTOGRAM_COLLISION = 2,  /* one says reset, the other not_reset */
};

/*
 * h += sign * o.  h takes the coarser schema, the wider zero bucket, the
 * common custom bounds.  c, which may be NULL, is what rounding took from h
 * (Neumaier's sum): histogram_zero(h) at first, with h's buckets from then on;
 * histogram_settle() adds it.  *met (may be NULL) gains bits of histogram_met.
 * -1, nothing done: one has custom bounds and the other has not.
 */
int histogram_add(struct histogram *h, struct histogram *c,
    const struct histogram *o, double sign, struct arena *a, unsigned *met);
void histogram_settle(struct histogram *h, const struct histogram *c);

/* Is there an infinity in it? */
bool histogram_overflows(const struct histogram *h);

/* Was a counter reset between b and h, by its hint or its counts? */
bool histogram_fell(const struct histogram *h, const struct histogram *b);

/* The same observations in the same buckets; hints do not count. */
bool histogram_same(const struct histogram *a, const struct histogram *b);

/* What is left of h at most (upper) or above at: histogram_trim.c. */
void histogram_trim(
    struct histogram *h, double at, bool upper, struct arena *a);

/* A bucket by its bounds, and whether they are part of it. */
struct histogram_bucket {
	double lower, upper, count;
	bool lower_in, upper_in;
};

/* All n of them from the lowest to the highest, the one of zero among them. */
struct histogram_bucket *histogram_list(
    const struct histogram *h, struct arena *a, size_t *n);

#endif
