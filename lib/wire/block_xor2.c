/*
 * Float chunks of the encoding XOR2 (Prometheus 3.13 and later), read only.
 * Behind the count stands a byte: its highest bit says that the first sample
 * has a start time, the others from which sample on each has one (0: none
 * has).  Start times are passed over.
 *
 * Values are kept as their difference in bits from the last one that was no
 * end of a series.  From the third sample on a prefix says of time and value
 * together how they go on: 0 both as before; 10 the time as before, then the
 * window of the value; 110, 1110, 11110 the step has changed by a number of
 * 13, 20, 64 bits (two's complement), then the value; 11111 the time as before,
 * and the series ends.
 */
#include "wire/block_chunk.h"

#define STARTS 0x7fu
#define FIRST_START 0x80u

void
chunk_xor2_open(struct chunk_in *c)
{
	unsigned head = (unsigned)bits_get(&c->bits, 8);

	c->start = (head & FIRST_START) != 0;
	c->starts = head & STARTS;
	c->v.leading = 255;
}

/* A difference in the window before, or in one of its own. */
static double
windowed(struct chunk_in *c, bool own)
{
	struct bits_in *in = &c->bits;
	struct bits_xor *x = &c->v;
	unsigned n;

	if (own) {
		x->leading = (unsigned)bits_get(in, 5);
		n = (unsigned)bits_get(in, 6);
		n = n == 0 ? 64 : n;
		if (n + x->leading > 64)
			in->bad = true;
		else
			x->trailing = 64 - x->leading - n;
	} else if (x->leading == 255) {
		x->leading = x->trailing = 0; /* see bits_get_xor() */
	}
	if (in->bad)
		return 0;
	n = 64 - x->leading - x->trailing;
	x->last ^= bits_get(in, n) << x->trailing;
	return num_from_bits(x->last);
}

/* 0 as before, 10 and 110 windows, 111 the end of the series. */
static double
value(struct chunk_in *c)
{
	if (bits_get(&c->bits, 1) == 0)
		return num_from_bits(c->v.last);
	if (bits_get(&c->bits, 1) == 0)
		return windowed(c, false);
	if (bits_get(&c->bits, 1) == 0)
		return windowed(c, true);
	return num_from_bits(NUM_STALE_BITS);
}

static void
change_step(struct chunk_in *c, unsigned n)
{
	uint64_t x = bits_get(&c->bits, n);

	if (n < 64 && x >> (n - 1) != 0)
		x |= UINT64_MAX << n;
	c->delta = (int64_t)((uint64_t)c->delta + x);
}

/* Time and value of the third sample and those after it. */
static double
joint(struct chunk_in *c)
{
	static const unsigned bits[] = { 0, 0, 13, 20, 64, 0 };
	unsigned k = 0;
	double v;

	while (k < 5 && bits_get(&c->bits, 1) == 1)
		k++;
	if (bits[k] > 0)
		change_step(c, bits[k]);
	if (k == 0)
		v = num_from_bits(c->v.last);
	else if (k == 1)
		v = windowed(c, bits_get(&c->bits, 1) == 1);
	else if (k == 5)
		v = num_from_bits(NUM_STALE_BITS);
	else
		v = value(c);
	return v;
}

double
chunk_xor2_next(struct chunk_in *c)
{
	struct bits_in *in = &c->bits;
	double v;

	if (c->i == 0) {
		c->t = bits_get_varint(in);
		v = num_from_bits(bits_get(in, 64));
		if (!num_is_stale(v))
			c->v.last = num_bits(v);
		if (c->start)
			(void)bits_get_varint(in);
		return v;
	}
	if (c->i == 1) {
		c->delta = (int64_t)bits_get_uvarint(in);
		v = value(c);
	} else {
		v = joint(c);
	}
	c->t = (int64_t)((uint64_t)c->t + (uint64_t)c->delta);
	if (c->starts > 0 && c->i >= c->starts)
		(void)bits_get_varbit(in);
	return v;
}
