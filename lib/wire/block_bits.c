#include "wire/block_bits.h"

#include "base/varint.h"

void
bits_put(struct bits_out *o, uint64_t x, unsigned n)
{
	while (n > 0) {
		unsigned take;

		if (o->free == 0) {
			buf_byte(o->b, 0);
			o->free = 8;
		}
		take = n < o->free ? n : o->free;
		n -= take;
		o->free -= take;
		o->b->p[o->b->n - 1] |=
		    (char)((x >> n & ((1u << take) - 1)) << o->free);
	}
}

void
bits_put_uvarint(struct bits_out *o, uint64_t x)
{
	uint8_t v[VARINT_MAX];
	size_t n = varint_bytes(v, x);

	for (size_t i = 0; i < n; i++)
		bits_put(o, v[i], 8);
}

void
bits_put_varint(struct bits_out *o, int64_t x)
{
	bits_put_uvarint(o, varint_fold(x));
}

int64_t
bits_signed(uint64_t x, unsigned n)
{
	if (n < 64 && x > UINT64_C(1) << (n - 1))
		x -= UINT64_C(1) << n;
	return (int64_t)x;
}

bool
bits_fit(int64_t x, unsigned n)
{
	int64_t half = INT64_C(1) << (n - 1);

	return x > -half && x <= half;
}

/* Bits that follow that many ones. */
static const unsigned widths[] = { 0, 3, 6, 9, 12, 18, 25, 56, 64 };

/* k ones, a zero unless there are eight, and the bits. */
static void
put_class(struct bits_out *o, unsigned k, uint64_t x)
{
	if (k < 8)
		bits_put(o, (1u << (k + 1)) - 2, k + 1);
	else
		bits_put(o, 0xff, 8);
	if (widths[k] > 0)
		bits_put(o, x, widths[k]);
}

void
bits_put_varbit(struct bits_out *o, int64_t x)
{
	unsigned k = 0;

	if (x != 0)
		for (k = 1; k < 8 && !bits_fit(x, widths[k]); k++)
			;
	put_class(o, k, (uint64_t)x);
}

void
bits_put_uvarbit(struct bits_out *o, uint64_t x)
{
	unsigned k = 0;

	while (k < 8 && x >> widths[k] != 0)
		k++;
	put_class(o, k, x);
}

uint64_t
bits_get(struct bits_in *in, unsigned n)
{
	uint64_t x = 0;

	if (n > in->n * 8 - in->at) {
		in->bad = true;
		in->at = in->n * 8;
		return 0;
	}
	while (n > 0) {
		/* The last & is for the analyzer: take is 8 at most. */
		unsigned left = 8 - (unsigned)(in->at & 7);
		unsigned take = (n < left ? n : left) & 15;

		x = x << take |
		    ((unsigned)in->p[in->at >> 3] >> (left - take) &
			((1u << take) - 1));
		in->at += take;
		n -= take;
	}
	return x;
}

uint64_t
bits_get_uvarint(struct bits_in *in)
{
	uint8_t v[VARINT_MAX];
	uint64_t x = 0;
	size_t n = 0;

	do
		v[n] = (uint8_t)bits_get(in, 8);
	while (v[n++] >= 0x80 && n < VARINT_MAX);
	in->bad |= varint_get(v, n, &x) == 0;
	return x;
}

int64_t
bits_get_varint(struct bits_in *in)
{
	return varint_unfold(bits_get_uvarint(in));
}

static unsigned
get_class(struct bits_in *in)
{
	unsigned k = 0;

	while (k < 8 && bits_get(in, 1) == 1)
		k++;
	return k;
}

int64_t
bits_get_varbit(struct bits_in *in)
{
	unsigned n = widths[get_class(in)];

	return n == 0 ? 0 : bits_signed(bits_get(in, n), n);
}

uint64_t
bits_get_uvarbit(struct bits_in *in)
{
	unsigned n = widths[get_class(in)];

	return n == 0 ? 0 : bits_get(in, n);
}

void
bits_put_xor(struct bits_out *o, struct bits_xor *s, double v)
{
	uint64_t x = num_bits(v) ^ s->last;
	unsigned leading, trailing, n;

	s->last = num_bits(v);
	if (x == 0) {
		bits_put(o, 0, 1);
		return;
	}
	leading = (unsigned)__builtin_clzll(x);
	trailing = (unsigned)__builtin_ctzll(x);
	if (leading > 31)
		leading = 31;
	if (s->leading != 255 && leading >= s->leading &&
	    trailing >= s->trailing) {
		bits_put(o, 2, 2);
		bits_put(o, x >> s->trailing, 64 - s->leading - s->trailing);
		return;
	}
	s->leading = leading;
	s->trailing = trailing;
	n = 64 - leading - trailing;
	bits_put(o, 3, 2);
	bits_put(o, leading, 5);
	bits_put(o, n & 63, 6);
	bits_put(o, x >> trailing, n);
}

double
bits_get_xor(struct bits_in *in, struct bits_xor *s)
{
	unsigned n;

	if (bits_get(in, 1) == 0)
		return num_from_bits(s->last);
	if (bits_get(in, 1) == 1) {
		s->leading = (unsigned)bits_get(in, 5);
		n = (unsigned)bits_get(in, 6);
		n = n == 0 ? 64 : n;
		if (n + s->leading > 64) {
			in->bad = true;
			return 0;
		}
		s->trailing = 64 - s->leading - n;
	} else if (s->leading == 255) {
		/* As who opened a chunk again writes what first changed. */
		s->leading = s->trailing = 0;
	}
	n = 64 - s->leading - s->trailing;
	s->last ^= bits_get(in, n) << s->trailing;
	return num_from_bits(s->last);
}
