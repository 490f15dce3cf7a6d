/*
 * Doubles by their bits.  Reading and printing are in num_parse.c and
 * num_print.c, the powers of ten they share in num_pow.c.
 */
#include "base/num.h"

uint64_t
num_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

double
num_from_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

double
num_nan(void)
{
	return num_from_bits(NUM_NAN_BITS);
}

double
num_stale(void)
{
	return num_from_bits(NUM_STALE_BITS);
}

bool
num_is_stale(double v)
{
	return num_bits(v) == NUM_STALE_BITS;
}
