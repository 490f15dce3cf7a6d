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

/*
 * Is it one?  Spans fit their buckets, no count is negative, bounds ascend, and
 * whole counts add up (or are no more than count, when sum is NaN).  Schemas
 * up to 52 are sound but finer than what is kept: reduce them.
 */
int histogram_check(const struct histogram *h, struct error *e);

/* The same in each part and bit, spans too; NaN is equal to itself. */
bool histogram_eq(const struct histogram *a, const struct histogram *b);

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

#endif
