/*
 * Bits as Prometheus's chunks have them, the highest of a byte first; private
 * to wire/block_*.c.  (prometheus/tsdb/docs/format/chunks.md)
 */
#ifndef WIRE_BLOCK_BITS_H
#define WIRE_BLOCK_BITS_H

#include "base/buf.h"
#include "base/num.h"

/* Writing: bits go to the end of b; free is how many its last byte has left. */
struct bits_out {
	struct buf *b;
	unsigned free;
};

/* The low n bits of x, n up to 64. */
void bits_put(struct bits_out *o, uint64_t x, unsigned n);

/* A byte-wise number of 7 bits a byte, the lowest first; and zigzag. */
void bits_put_uvarint(struct bits_out *o, uint64_t x);
void bits_put_varint(struct bits_out *o, int64_t x);

/* One to eight ones that say how many bits follow ("varbit"). */
void bits_put_varbit(struct bits_out *o, int64_t x);
void bits_put_uvarbit(struct bits_out *o, uint64_t x);

/* Reading: past the end gives zeros and sets bad. */
struct bits_in {
	const uint8_t *p;
	size_t n;    /* bytes */
	uint64_t at; /* bit */
	bool bad;
};

uint64_t bits_get(struct bits_in *in, unsigned n);
uint64_t bits_get_uvarint(struct bits_in *in);
int64_t bits_get_varint(struct bits_in *in);
int64_t bits_get_varbit(struct bits_in *in);
uint64_t bits_get_uvarbit(struct bits_in *in);

/* Of n bits the number they are, 1 << (n - 1) being the greatest. */
int64_t bits_signed(uint64_t x, unsigned n);

/* Does x fit n bits so? */
bool bits_fit(int64_t x, unsigned n);

/* A run of doubles, each as its difference in bits from the one before. */
struct bits_xor {
	uint64_t last;
	unsigned leading, trailing; /* leading 255: no window yet, all of it */
};

void bits_put_xor(struct bits_out *o, struct bits_xor *x, double v);
double bits_get_xor(struct bits_in *in, struct bits_xor *x);

#endif
