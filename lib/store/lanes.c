#include "store/lanes.h"

#include <string.h>

#include "store/pack.h"

const double store_lanes_power[16] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
	1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

void
store_lanes_bits(
    const uint8_t *p, size_t room, uint64_t *v, size_t n, unsigned w)
{
	uint64_t mask = (UINT64_C(1) << w) - 1, x;
	size_t at = 0, i = 0;

	/* A load has 8 bytes, of which the last numbers may not have all. */
	for (; i < n && (at >> 3) + 8 <= room; i++, at += w) {
		memcpy(&x, p + (at >> 3), sizeof(x));
		v[i] = x >> (at & 7) & mask;
	}
	for (; i < n; i++, at += w) {
		x = 0;
		memcpy(&x, p + (at >> 3), room - (at >> 3));
		v[i] = x >> (at & 7) & mask;
	}
}

void
store_lanes_level(uint64_t *v, size_t n, uint64_t first, unsigned shift)
{
	for (size_t i = 0; i < n; i++)
		v[i] = first + (v[i] << shift);
}

uint64_t
store_lanes_rise(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift)
{
	for (size_t i = 0; i < n; i++)
		v[i] = sum += (v[i] + more) << shift;
	return sum;
}

uint64_t
store_lanes_zigzag(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift)
{
	for (size_t i = 0; i < n; i++)
		v[i] = sum += ((uint64_t)store_unzigzag(v[i]) + more) << shift;
	return sum;
}

void
store_lanes_decimals(double *v, const uint64_t *d, size_t n, unsigned e)
{
	double p = store_lanes_power[e];

	if (e == 0)
		for (size_t i = 0; i < n; i++)
			v[i] = (double)(int64_t)d[i];
	else
		for (size_t i = 0; i < n; i++)
			v[i] = (double)(int64_t)d[i] / p;
}

void
store_lanes_doubles(double *v, const uint64_t *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = store_unordered((int64_t)d[i]);
}
