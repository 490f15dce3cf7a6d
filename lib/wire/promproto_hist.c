/*
 * Summaries and histograms of the protobuf form.  The series of the classic
 * form come in Prometheus's order: _count, _sum, then the buckets, with one of
 * +Inf at the end whether it was there or not.  Buckets and exemplars are read
 * where they stand, since there may be any number of them.
 */
#include "wire/promproto_impl.h"

#include <math.h>

#include "base/num.h"
#include "base/varint.h"
#include "metric/expo.h"
#include "metric/histogram.h"

#define MANY ((size_t)1 << 20) /* buckets, spans: far more than there are */

/* The counts of a native histogram's side. */
struct counts {
	struct histogram_span *spans;
	double *v;
	size_t nspans, n, spans_cap, cap;
	int64_t last; /* what deltas have come to */
};

/* What is known of a Histogram or a Summary without its buckets. */
struct hist {
	double count, sum, count_float;
	double zero_threshold, zero_count, zero_float;
	int32_t schema;
	bool has_exemplars;
	struct counts deltas[2], floats[2]; /* negative, positive */
};

/* A counter's sample under a suffix. */
static int
counted(struct promproto *p, const char *suffix, double v, struct error *e)
{
	promproto_series(p, suffix, NULL, 0);
	return promproto_sample(p, v, e) == -1 ? -1 : promproto_start(p, e);
}

/* Two numbers, 1 and 2: a Quantile. */
static int
quantile(struct promproto *p, const struct pb_field *from, struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	double q = 0, v = 0;
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1)
		if (f.number == 1 || f.number == 2)
			k = promproto_number(&f, f.number == 1 ? &q : &v, e);
	if (k == -1)
		return -1;
	promproto_series(p, "", "quantile", q);
	return promproto_sample(p, v, e);
}

int
promproto_summary(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	double count = 0, sum = 0;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1)
		if ((f.number == 1 && promproto_whole(&f, &count, e) == -1) ||
		    (f.number == 2 && promproto_number(&f, &sum, e) == -1) ||
		    (f.number == 4 && promproto_start_time(p, &f, e) == -1))
			return -1;
	if (k == -1 || counted(p, "_count", count, e) == -1 ||
	    counted(p, "_sum", sum, e) == -1)
		return -1;
	m = pb_of(bytes);
	while ((k = pb_next(&m, &f, e)) == 1)
		if (f.number == 3 && quantile(p, &f, e) == -1)
			return -1;
	return k;
}

static int
span(struct promproto *p, struct counts *c, const struct pb_field *from,
    struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f;
	struct histogram_span s = { 0, 0 };
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1) {
		if (f.number > 2)
			continue;
		k = pb_want(&f, PB_VARINT, e);
		if (f.number == 1)
			s.offset = (int32_t)varint_unfold((uint32_t)f.v);
		else
			s.length = (uint32_t)f.v;
	}
	if (k == -1)
		return -1;
	if (c->nspans == MANY)
		return error_set(e, "protobuf: too many spans");
	c->spans = arena_grow(
	    &p->a, c->spans, &c->spans_cap, c->nspans + 1, sizeof(*c->spans));
	c->spans[c->nspans++] = s;
	return 0;
}

static int
add_count(struct promproto *p, struct counts *c, double v, struct error *e)
{
	if (c->n == MANY)
		return error_set(e, "protobuf: too many buckets");
	c->v = arena_grow(&p->a, c->v, &c->cap, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = v;
	return 0;
}

static int
add_delta(struct promproto *p, struct counts *c, uint64_t v, struct error *e)
{
	if (__builtin_add_overflow(c->last, varint_unfold(v), &c->last))
		return error_set(e, "protobuf: a bucket out of range");
	return add_count(p, c, (double)c->last, e);
}

/* One number, or many of them packed. */
static int
deltas(struct promproto *p, struct counts *c, const struct pb_field *f,
    struct error *e)
{
	struct pb m = pb_of(f->bytes);
	uint64_t v;

	if (f->type == PB_VARINT)
		return add_delta(p, c, f->v, e);
	if (pb_want(f, PB_BYTES, e) == -1)
		return -1;
	while (m.in.n > 0)
		if (pb_varint(&m, &v, e) == -1 || add_delta(p, c, v, e) == -1)
			return -1;
	return 0;
}

static int
floats(struct promproto *p, struct counts *c, const struct pb_field *f,
    struct error *e)
{
	struct pb m = pb_of(f->bytes);
	uint64_t v;

	if (f->type == PB_FIXED64)
		return add_count(p, c, pb_double(f->v), e);
	if (pb_want(f, PB_BYTES, e) == -1)
		return -1;
	while (m.in.n > 0)
		if (pb_fixed64(&m, &v, e) == -1 ||
		    add_count(p, c, pb_double(v), e) == -1)
			return -1;
	return 0;
}

/* All of a Histogram but its buckets and exemplars. */
static int
hist_field(struct promproto *p, struct hist *h, const struct pb_field *f,
    struct error *e)
{
	switch (f->number) {
	case 1:
		return promproto_whole(f, &h->count, e);
	case 2:
		return promproto_number(f, &h->sum, e);
	case 4:
		return promproto_number(f, &h->count_float, e);
	case 5:
		h->schema = (int32_t)varint_unfold((uint32_t)f->v);
		return pb_want(f, PB_VARINT, e);
	case 6:
		return promproto_number(f, &h->zero_threshold, e);
	case 7:
		return promproto_whole(f, &h->zero_count, e);
	case 8:
		return promproto_number(f, &h->zero_float, e);
	case 9:
	case 12:
		return span(p, &h->deltas[f->number == 12], f, e);
	case 10:
	case 13:
		return deltas(p, &h->deltas[f->number == 13], f, e);
	case 11:
	case 14:
		return floats(p, &h->floats[f->number == 14], f, e);
	case 15:
		return promproto_start_time(p, f, e);
	case 16:
		h->has_exemplars = true;
		return 0;
	}
	return 0;
}

/*
 * A Bucket of the classic form.  *last: it was that of +Inf.  With native it is
 * looked at for its exemplar alone, which then must have a time.
 */
static int
bucket(struct promproto *p, const struct pb_field *from, bool native,
    bool *last, struct error *e)
{
	struct pb m = pb_of(from->bytes);
	struct pb_field f, ex = { .number = 0 };
	double count = 0, bound = 0, count_float = 0;
	int k = pb_want(from, PB_BYTES, e);

	while (k != -1 && (k = pb_next(&m, &f, e)) == 1) {
		if (f.number == 1)
			k = promproto_whole(&f, &count, e);
		else if (f.number == 2)
			k = promproto_number(&f, &bound, e);
		else if (f.number == 3)
			ex = f;
		else if (f.number == 4)
			k = promproto_number(&f, &count_float, e);
	}
	if (k == -1)
		return -1;
	*last = isinf(bound) && bound > 0;
	if (!native) {
		promproto_series(p, "_bucket", "le", bound);
		count = count_float != 0 ? count_float : count;
		if (promproto_sample(p, count, e) == -1 ||
		    promproto_start(p, e) == -1)
			return -1;
	}
	return ex.number == 0 ? 0 : promproto_exemplar(p, &ex, native, e);
}

static int
classic(struct promproto *p, const struct hist *h, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	double count = h->count_float != 0 ? h->count_float : h->count;
	bool last = false;
	int k = 0;

	if (counted(p, "_count", count, e) == -1 ||
	    counted(p, "_sum", h->sum, e) == -1)
		return -1;
	while (!last && (k = pb_next(&m, &f, e)) == 1)
		if (f.number == 3 && bucket(p, &f, false, &last, e) == -1)
			return -1;
	if (last || k == -1)
		return last ? 0 : -1;
	promproto_series(p, "_bucket", "le", (double)INFINITY);
	return promproto_sample(p, count, e) == -1 ? -1 : promproto_start(p, e);
}

/* Of a native histogram: its own exemplars, or those of its buckets. */
static int
exemplars(struct promproto *p, bool own, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	bool last;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1)
		if ((own && f.number == 16 &&
			promproto_exemplar(p, &f, true, e) == -1) ||
		    (!own && f.number == 3 &&
			bucket(p, &f, true, &last, e) == -1))
			return -1;
	return k;
}

static void
side(struct histogram_side *s, const struct counts *spans,
    const struct counts *counts)
{
	s->spans = spans->spans;
	s->nspans = spans->nspans;
	s->v = counts->v;
	s->n = counts->n;
}

static int
native(struct promproto *p, const struct hist *from, str bytes, struct error *e)
{
	struct histogram h = { .schema = from->schema,
		.sum = isnan(from->sum) ? num_nan() : from->sum,
		.zero_threshold = from->zero_threshold };
	const struct counts *v;

	h.whole = !(from->count_float > 0 || from->zero_float > 0);
	h.count = h.whole ? from->count : from->count_float;
	h.zero_count = h.whole ? from->zero_count : from->zero_float;
	v = h.whole ? from->deltas : from->floats;
	side(&h.negative, &from->deltas[0], &v[0]);
	side(&h.positive, &from->deltas[1], &v[1]);
	if (p->type == PROMPROTO_GAUGE_HISTOGRAM)
		h.hint = HISTOGRAM_GAUGE;
	if (histogram_check(&h, e) == -1)
		return error_add(e, "native histogram");
	histogram_compact(&h, &p->a);
	if (h.schema > HISTOGRAM_MAX)
		(void)histogram_reduce(&h, HISTOGRAM_MAX, &p->a);
	promproto_series(p, "", NULL, 0);
	buf_add(p->out, expo_word(EXPO_HIST));
	buf_add(p->out, buf_str(&p->series));
	buf_byte(p->out, ' ');
	histogram_print(p->out, &h);
	if (promproto_end(p, p->t != 0, p->t, e) == -1 ||
	    promproto_start(p, e) == -1)
		return -1;
	return exemplars(p, from->has_exemplars, bytes, e);
}

int
promproto_histogram(struct promproto *p, str bytes, struct error *e)
{
	struct pb m = pb_of(bytes);
	struct pb_field f;
	struct hist h = { 0 };
	bool buckets = false, sparse;
	int k;

	while ((k = pb_next(&m, &f, e)) == 1) {
		if (hist_field(p, &h, &f, e) == -1)
			return -1;
		buckets |= f.number == 3;
	}
	if (k == -1)
		return -1;
	sparse = p->how & PROMPROTO_NATIVE &&
	    (h.deltas[0].nspans > 0 || h.deltas[1].nspans > 0 ||
		h.zero_threshold > 0 || h.zero_count > 0);
	if (sparse && native(p, &h, bytes, e) == -1)
		return -1;
	if (sparse && !(buckets && p->how & PROMPROTO_CLASSIC))
		return 0;
	return classic(p, &h, bytes, e);
}
