#include "wire/block_chunk.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* The flags byte of a histogram chunk: what its first sample is. */
#define HEADER_RESET 0x80u
#define HEADER_NOT_RESET 0x40u
#define HEADER_GAUGE 0xc0u

#define HEAD 2 /* bytes of the count in front */

/* Counts of a histogram in the order of a chunk: count, zero, buckets. */
static size_t
numbers(const struct histogram *h)
{
	return 2 + h->positive.n + h->negative.n;
}

static double *
number(const struct histogram *h, size_t i)
{
	if (i < 2 + h->positive.n)
		return &h->positive.v[i - 2];
	return &h->negative.v[i - 2 - h->positive.n];
}

/*
 * Integer buckets are stored as the difference to the bucket before; count and
 * zero as they are.
 */
static int64_t
whole(const struct histogram *h, size_t i)
{
	size_t first = 2 + h->positive.n;
	double before = 0;

	if (i == 0)
		return (int64_t)h->count;
	if (i == 1)
		return (int64_t)h->zero_count;
	if (i != 2 && i != first)
		before = *number(h, i - 1);
	return (int64_t)*number(h, i) - (int64_t)before;
}

static double
real(const struct histogram *h, size_t i)
{
	return i == 0 ? h->count : i == 1 ? h->zero_count : *number(h, i);
}

static void
put_zero_threshold(struct bits_out *o, double z)
{
	int e = 0;

	if (z == 0) {
		bits_put(o, 0, 8);
	} else if (frexp(z, &e) == 0.5 && e >= -242 && e <= 11) {
		bits_put(o, (uint64_t)((int64_t)e + 243), 8);
	} else {
		bits_put(o, 255, 8);
		bits_put(o, num_bits(z), 64);
	}
}

static void
put_spans(struct bits_out *o, const struct histogram_side *s)
{
	bits_put_uvarbit(o, s->nspans);
	for (size_t i = 0; i < s->nspans; i++) {
		bits_put_uvarbit(o, s->spans[i].length);
		bits_put_varbit(o, s->spans[i].offset);
	}
}

/* Bounds in thousandths are numbers, others zero and their bits. */
static void
put_bound(struct bits_out *o, double bound)
{
	double f = round(bound * 1000);

	if (f >= 0 && f <= 33554430 && f / 1000 == bound) {
		bits_put_uvarbit(o, (uint64_t)f + 1);
		return;
	}
	bits_put(o, 0, 1);
	bits_put(o, num_bits(bound), 64);
}

static void
put_layout(struct bits_out *o, const struct histogram *h)
{
	put_zero_threshold(o, h->zero_threshold);
	bits_put_varbit(o, h->schema);
	put_spans(o, &h->positive);
	put_spans(o, &h->negative);
	if (h->schema != HISTOGRAM_CUSTOM)
		return;
	bits_put_uvarbit(o, h->ncustom);
	for (size_t i = 0; i < h->ncustom; i++)
		put_bound(o, h->custom[i]);
}

void
chunk_begin(struct chunk_out *c, struct buf *b, enum chunk_encoding encoding)
{
	*c = (struct chunk_out){
		.encoding = encoding,
		.b = b,
		.bits = { b, 0 },
		.at = b->n,
		.v.leading = 255,
	};
	arena_init(&c->a);
	bits_put(&c->bits, 0, 8 * HEAD);
}

void
chunk_end(struct chunk_out *c)
{
	c->b->p[c->at] = (char)(c->n >> 8);
	c->b->p[c->at + 1] = (char)c->n;
	arena_fini(&c->a);
}

/* The time of a sample that is not the first. */
static void
put_time(struct chunk_out *c, int64_t t)
{
	int64_t delta = t - c->last, dod = delta - c->delta;
	unsigned k;

	c->delta = delta;
	if (c->n == 1) {
		bits_put_uvarint(&c->bits, (uint64_t)delta);
		return;
	}
	if (dod == 0) {
		bits_put(&c->bits, 0, 1);
		return;
	}
	for (k = 0; k < 3; k++)
		if (bits_fit(dod, k == 2 ? 20 : 14 + 3 * k))
			break;
	bits_put(
	    &c->bits, k == 3 ? 15 : (2u << (k + 1)) - 2, k == 3 ? 4 : k + 2);
	bits_put(&c->bits, (uint64_t)dod,
	    k == 3       ? 64
		: k == 2 ? 20
			 : 14 + 3 * k);
}

void
chunk_float(struct chunk_out *c, int64_t t, double v)
{
	if (c->n == 0) {
		bits_put_varint(&c->bits, t);
		bits_put(&c->bits, num_bits(v), 64);
		c->v.last = num_bits(v);
		c->first = t;
	} else {
		put_time(c, t);
		bits_put_xor(&c->bits, &c->v, v);
	}
	c->last = t;
	c->n++;
}

/* May h go behind the one before it in the same chunk? */
static bool
follows(const struct chunk_out *c, const struct histogram *h)
{
	const struct histogram *last = &c->h;
	bool gauge = h->hint == HISTOGRAM_GAUGE;

	if (c->stale || num_is_stale(h->sum) || h->schema != last->schema ||
	    h->zero_threshold != last->zero_threshold ||
	    gauge != (last->hint == HISTOGRAM_GAUGE) ||
	    h->hint == HISTOGRAM_RESET || h->ncustom != last->ncustom ||
	    !histogram_same_spans(&h->positive, &last->positive) ||
	    !histogram_same_spans(&h->negative, &last->negative))
		return false;
	for (size_t i = 0; i < h->ncustom; i++)
		if (h->custom[i] != last->custom[i])
			return false;
	for (size_t i = 0; !gauge && i < numbers(h); i++)
		if (real(h, i) < real(last, i))
			return false; /* a reset */
	return true;
}

static void
keep_side(struct arena *a, struct histogram_side *to,
    const struct histogram_side *from)
{
	*to = *from;
	to->spans = arena_alloc(a, (from->nspans + 1) * sizeof(*to->spans));
	to->v = arena_alloc(a, (from->n + 1) * sizeof(*to->v));
	if (from->nspans > 0)
		memcpy(
		    to->spans, from->spans, from->nspans * sizeof(*to->spans));
	if (from->n > 0)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
}

static void
keep(struct chunk_out *c, const struct histogram *h)
{
	size_t n = numbers(h);

	c->h = *h;
	keep_side(&c->a, &c->h.positive, &h->positive);
	keep_side(&c->a, &c->h.negative, &h->negative);
	c->h.custom = arena_alloc(&c->a, (h->ncustom + 1) * sizeof(double));
	if (h->ncustom > 0)
		memcpy(c->h.custom, h->custom, h->ncustom * sizeof(double));
	c->change = arena_zero(&c->a, n, sizeof(*c->change));
	c->x = arena_zero(&c->a, n, sizeof(*c->x));
	for (size_t i = 0; i < n; i++) {
		c->x[i].last = num_bits(real(h, i));
		c->x[i].leading = 255;
	}
}

static void
first_histogram(struct chunk_out *c, int64_t t, const struct histogram *h)
{
	unsigned header = h->hint == HISTOGRAM_GAUGE ? HEADER_GAUGE
	    : h->hint == HISTOGRAM_RESET             ? HEADER_RESET
	    : h->hint == HISTOGRAM_NOT_RESET         ? HEADER_NOT_RESET
						     : 0;
	bool ints = c->encoding == CHUNK_HISTOGRAM;
	size_t n = numbers(h);

	bits_put(&c->bits, header, 8);
	put_layout(&c->bits, h);
	bits_put_varbit(&c->bits, t);
	for (size_t i = 0; i < n; i++) {
		if (!ints)
			bits_put(&c->bits, num_bits(real(h, i)), 64);
		else if (i < 2)
			bits_put_uvarbit(&c->bits, (uint64_t)whole(h, i));
		else
			bits_put_varbit(&c->bits, whole(h, i));
		if (i == 1) {
			bits_put(&c->bits, num_bits(h->sum), 64);
			c->v.last = num_bits(h->sum);
		}
	}
	c->first = t;
	keep(c, h);
}

static void
next_histogram(struct chunk_out *c, int64_t t, const struct histogram *h)
{
	bool ints = c->encoding == CHUNK_HISTOGRAM;
	int64_t delta = t - c->last;

	if (c->n == 1)
		bits_put_uvarbit(&c->bits, (uint64_t)delta);
	else
		bits_put_varbit(&c->bits, delta - c->delta);
	c->delta = delta;
	for (size_t i = 0; i < numbers(h); i++) {
		if (ints) {
			int64_t now = whole(h, i) - whole(&c->h, i);

			bits_put_varbit(&c->bits, now - c->change[i]);
			c->change[i] = now;
		} else {
			bits_put_xor(&c->bits, &c->x[i], real(h, i));
		}
		if (i == 1)
			bits_put_xor(&c->bits, &c->v, h->sum);
	}
	c->h.count = h->count;
	c->h.zero_count = h->zero_count;
	for (size_t i = 2; i < numbers(h); i++)
		*number(&c->h, i) = *number(h, i);
}

bool
chunk_histogram(struct chunk_out *c, int64_t t, const struct histogram *h)
{
	struct histogram none = { .sum = h->sum, .whole = true };

	if (c->n > 0 && !follows(c, h))
		return false;
	if (num_is_stale(h->sum)) {
		c->stale = true;
		h = &none;
	}
	if (c->n == 0)
		first_histogram(c, t, h);
	else
		next_histogram(c, t, h);
	c->last = t;
	c->n++;
	return true;
}

static double
get_zero_threshold(struct bits_in *in)
{
	unsigned b = (unsigned)bits_get(in, 8);

	if (b == 0)
		return 0;
	if (b == 255)
		return num_from_bits(bits_get(in, 64));
	return ldexp(0.5, (int)b - 243);
}

/* Numbers that a chunk speaks of take at least a bit each. */
static bool
room(const struct bits_in *in, uint64_t n)
{
	return !in->bad && n <= in->n * 8 - in->at;
}

static bool
get_spans(struct bits_in *in, struct histogram_side *s, struct arena *a)
{
	uint64_t n = bits_get_uvarbit(in), sum = 0;

	if (!room(in, n))
		return false;
	s->nspans = (size_t)n;
	s->spans = arena_alloc(a, (s->nspans + 1) * sizeof(*s->spans));
	for (size_t i = 0; i < s->nspans; i++) {
		uint64_t length = bits_get_uvarbit(in);
		int64_t offset = bits_get_varbit(in);

		if (length > UINT32_MAX || offset > INT32_MAX ||
		    offset < INT32_MIN)
			return false;
		s->spans[i].length = (uint32_t)length;
		s->spans[i].offset = (int32_t)offset;
		sum += length;
	}
	if (!room(in, sum))
		return false;
	s->n = (size_t)sum;
	s->v = arena_zero(a, s->n + 1, sizeof(*s->v));
	return true;
}

static bool
get_layout(struct chunk_in *c, struct arena *a)
{
	struct bits_in *in = &c->bits;
	struct histogram *h = &c->h;
	int64_t schema;
	uint64_t n;

	h->zero_threshold = get_zero_threshold(in);
	schema = bits_get_varbit(in);
	if (schema > INT32_MAX || schema < INT32_MIN ||
	    !get_spans(in, &h->positive, a) || !get_spans(in, &h->negative, a))
		return false;
	h->schema = (int32_t)schema;
	if (h->schema == HISTOGRAM_CUSTOM) {
		n = bits_get_uvarbit(in);
		if (!room(in, n))
			return false;
		h->ncustom = (size_t)n;
		h->custom = arena_alloc(a, (h->ncustom + 1) * sizeof(double));
		for (size_t i = 0; i < h->ncustom; i++) {
			uint64_t k = bits_get_uvarbit(in);

			h->custom[i] = k == 0 ? num_from_bits(bits_get(in, 64))
					      : (double)(k - 1) / 1000;
		}
	}
	c->change = arena_zero(a, numbers(h), sizeof(*c->change));
	c->x = arena_zero(a, numbers(h), sizeof(*c->x));
	return !in->bad;
}

bool
chunk_open(struct chunk_in *c, enum chunk_encoding encoding, const uint8_t *p,
    size_t n, struct arena *a)
{
	unsigned flags;

	*c = (struct chunk_in){
		.encoding = encoding,
		.bits = { .p = p, .n = n },
		.v.leading = 255,
	};
	c->n = (unsigned)bits_get(&c->bits, 8 * HEAD);
	if (encoding == CHUNK_XOR2)
		chunk_xor2_open(c);
	if (encoding == CHUNK_XOR || encoding == CHUNK_XOR2)
		return !c->bits.bad;
	if (encoding != CHUNK_HISTOGRAM && encoding != CHUNK_FLOAT_HISTOGRAM)
		return false;
	flags = (unsigned)bits_get(&c->bits, 8) & 0xc0;
	c->hint = flags == HEADER_GAUGE ? HISTOGRAM_GAUGE
	    : flags == HEADER_RESET     ? HISTOGRAM_RESET
	    : flags == HEADER_NOT_RESET ? HISTOGRAM_NOT_RESET
					: HISTOGRAM_UNKNOWN;
	c->h.whole = encoding == CHUNK_HISTOGRAM;
	return get_layout(c, a);
}

static void
get_time(struct chunk_in *c)
{
	static const unsigned widths[] = { 0, 14, 17, 20, 64 };
	unsigned k = 0;

	if (c->i == 0) {
		c->t = bits_get_varint(&c->bits);
	} else if (c->i == 1) {
		c->delta = (int64_t)bits_get_uvarint(&c->bits);
		c->t += c->delta;
	} else {
		while (k < 4 && bits_get(&c->bits, 1) == 1)
			k++;
		if (k > 0)
			c->delta = (int64_t)((uint64_t)c->delta +
			    (uint64_t)bits_signed(
				bits_get(&c->bits, widths[k]), widths[k]));
		c->t = (int64_t)((uint64_t)c->t + (uint64_t)c->delta);
	}
}

/* Counts of the next histogram, in the order of a chunk, from v. */
static void
set_number(struct chunk_in *c, size_t i, double v)
{
	if (i == 0)
		c->h.count = v;
	else if (i == 1)
		c->h.zero_count = v;
	else
		*number(&c->h, i) = v;
}

static void
get_count(struct chunk_in *c, size_t i)
{
	struct bits_in *in = &c->bits;
	bool ints = c->encoding == CHUNK_HISTOGRAM;

	if (!ints && c->i == 0) {
		c->x[i].last = bits_get(in, 64);
		c->x[i].leading = 255;
		set_number(c, i, num_from_bits(c->x[i].last));
	} else if (!ints) {
		set_number(c, i, bits_get_xor(in, &c->x[i]));
	} else if (c->i == 0) {
		c->x[i].last = i < 2 ? bits_get_uvarbit(in)
				     : (uint64_t)bits_get_varbit(in);
	} else {
		/* x holds the number as stored, leading is not used. */
		c->change[i] = (int64_t)((uint64_t)c->change[i] +
		    (uint64_t)bits_get_varbit(in));
		c->x[i].last += (uint64_t)c->change[i];
	}
}

/* Buckets that are stored as differences are added up. */
static void
add_up(struct chunk_in *c)
{
	size_t first = 2 + c->h.positive.n;
	int64_t sum = 0;

	for (size_t i = 0; i < numbers(&c->h); i++) {
		if (i <= 2 || i == first)
			sum = 0;
		sum = (int64_t)((uint64_t)sum + c->x[i].last);
		set_number(c, i, (double)sum);
	}
}

static void
get_histogram(struct chunk_in *c)
{
	struct bits_in *in = &c->bits;
	size_t n = numbers(&c->h);

	if (c->i == 0)
		c->t = bits_get_varbit(in);
	else if (c->i == 1)
		c->delta = (int64_t)bits_get_uvarbit(in);
	else
		c->delta = (int64_t)((uint64_t)c->delta +
		    (uint64_t)bits_get_varbit(in));
	if (c->i > 0)
		c->t = (int64_t)((uint64_t)c->t + (uint64_t)c->delta);
	for (size_t i = 0; i < n && !in->bad; i++) {
		/* Behind the marker of an end stand no buckets. */
		if (i == 2 && num_is_stale(c->h.sum))
			break;
		get_count(c, i);
		if (i != 1)
			continue;
		if (c->i == 0)
			c->v.last = bits_get(in, 64);
		c->h.sum = c->i == 0 ? num_from_bits(c->v.last)
				     : bits_get_xor(in, &c->v);
	}
	if (c->encoding == CHUNK_HISTOGRAM)
		add_up(c);
	c->h.hint = c->i == 0 || c->hint == HISTOGRAM_GAUGE
	    ? c->hint
	    : HISTOGRAM_NOT_RESET;
}

int
chunk_next(
    struct chunk_in *c, int64_t *t, double *v, const struct histogram **h)
{
	*h = NULL;
	if (c->i == c->n)
		return 0;
	if (c->encoding == CHUNK_XOR) {
		get_time(c);
		if (c->i == 0) {
			c->v.last = bits_get(&c->bits, 64);
			*v = num_from_bits(c->v.last);
		} else {
			*v = bits_get_xor(&c->bits, &c->v);
		}
	} else if (c->encoding == CHUNK_XOR2) {
		*v = chunk_xor2_next(c);
	} else {
		get_histogram(c);
		*v = c->h.sum;
		*h = &c->h;
	}
	c->i++;
	*t = c->t;
	return c->bits.bad ? -1 : 1;
}
