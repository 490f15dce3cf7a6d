/*
 * The inner loops of columns (store/column.h), over a block of numbers: with
 * AVX2 where the processor has it, else as plain C; the results are the same to
 * the bit.
 */
#ifndef STORE_LANES_H
#define STORE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/num.h"

/* 10^0 to 10^15. */
extern const double store_lanes_power[16];

/*
 * The n numbers of w bits each, 1 to 57, that lie at p, the least significant
 * bit first; room bytes from p on may be read, and all of theirs at least.
 */
void store_lanes_bits(
    const uint8_t *p, size_t room, uint64_t *v, size_t n, unsigned w);

/* v[i] = first + (v[i] << shift) */
void store_lanes_level(uint64_t *v, size_t n, uint64_t first, unsigned shift);

/*
 * Of steps the running sums: sum += (v[i] + more) << shift, or with v[i] that
 * are zigzag.  Returns the last one.
 */
uint64_t store_lanes_rise(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift);
uint64_t store_lanes_zigzag(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift);

/* v[i] = d[i] / 10^e, d[i] as a signed number, rounded as IEEE has it. */
void store_lanes_decimals(double *v, const uint64_t *d, size_t n, unsigned e);

/* Doubles from their ordered bits, as store_ordered() makes them. */
void store_lanes_doubles(double *v, const uint64_t *d, size_t n);

/*
 * The other way: d[i] / 10^e is v[i] to the bit for the first values, whose
 * number is returned.
 */
size_t store_lanes_exact(int64_t *d, const double *v, size_t n, unsigned e);

/* d / 10^e, near v; false if there is none below 2^53. */
bool store_lanes_scale(int64_t *d, double v, unsigned e);

/* x[i] = d[i + 1] - d[i], n of them; returns the bits that any has. */
uint64_t store_lanes_deltas(int64_t *x, const int64_t *d, size_t n);

/* v[i] = x[i] - *least, the least of them, n > 0; returns the same. */
uint64_t store_lanes_above(
    uint64_t *v, const int64_t *x, size_t n, int64_t *least);

/* v[i] = x[i] - from, zigzag */
void store_lanes_fold(uint64_t *v, const int64_t *x, size_t n, int64_t from);

/*
 * over[w]: how many of the n numbers, at most 128, have more than w bits, for
 * all w below the most bits that any has, which is returned.
 */
unsigned store_lanes_over(const uint64_t *v, size_t n, uint8_t over[64]);

/* A double's bits as an integer of the same order, and back. */
static inline int64_t
store_ordered(double v)
{
	int64_t x = (int64_t)num_bits(v);

	return x < 0 ? x ^ INT64_MAX : x;
}

static inline double
store_unordered(int64_t x)
{
	return num_from_bits((uint64_t)(x < 0 ? x ^ INT64_MAX : x));
}

#endif
