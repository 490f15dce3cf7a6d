#include "store/lanes.h"

#include <string.h>

#include "store/pack.h"

const double store_lanes_power[16] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
	1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

#if defined(__x86_64__) && defined(__GLIBC__)
#include <immintrin.h>
#include <sys/platform/x86.h>

#define WIDE __attribute__((target("avx2")))
#define FOUR ((size_t)4) /* numbers of 64 bits in a register */

/* The loader has asked the processor already. */
static bool
have_wide(void)
{
	return CPU_FEATURE_ACTIVE(AVX2);
}

WIDE static __m256i
load(const uint64_t *v)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)v);
}

WIDE static void
store(uint64_t *v, __m256i x)
{
	_mm256_storeu_si256((__m256i *)(void *)v, x);
}

WIDE static __m128i
half(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/*
 * Eight numbers of at most 25 bits at a time: they begin with a byte, the
 * first four lie in 13 bytes from there on, and so do the others from w / 2
 * on.  The bytes of each number are brought together, then shifted.  Returns
 * how many there are of those that may be read so.
 */
#define NARROW 25

WIDE static size_t
wide_bits(const uint8_t *p, size_t room, uint64_t *v, size_t n, unsigned w)
{
	const __m256i mask = _mm256_set1_epi32((1 << w) - 1);
	const __m256i begin =
	    _mm256_add_epi32(_mm256_mullo_epi32(_mm256_set1_epi32((int)w),
				 _mm256_setr_epi32(0, 1, 2, 3, 0, 1, 2, 3)),
		_mm256_setr_epi32(0, 0, 0, 0, 4 * (w & 1), 4 * (w & 1),
		    4 * (w & 1), 4 * (w & 1)));
	const __m256i shift = _mm256_and_si256(begin, _mm256_set1_epi32(7));
	const __m256i bytes =
	    _mm256_add_epi32(_mm256_mullo_epi32(_mm256_srli_epi32(begin, 3),
				 _mm256_set1_epi32(0x01010101)),
		_mm256_set1_epi32(0x03020100));
	size_t i;

	for (i = 0; i + 8 <= n && w / 2 + 16 <= room; i += 8) {
		__m256i x = _mm256_inserti128_si256(
		    _mm256_castsi128_si256(half(p)), half(p + w / 2), 1);

		x = _mm256_shuffle_epi8(x, bytes);
		x = _mm256_and_si256(_mm256_srlv_epi32(x, shift), mask);
		store(v + i, _mm256_cvtepu32_epi64(_mm256_castsi256_si128(x)));
		store(v + i + FOUR,
		    _mm256_cvtepu32_epi64(_mm256_extracti128_si256(x, 1)));
		p += w;
		room -= w;
	}
	return i;
}

WIDE static size_t
wide_level(uint64_t *v, size_t n, uint64_t first, unsigned shift)
{
	const __m256i base = _mm256_set1_epi64x((long long)first);
	const __m128i by = _mm_cvtsi32_si128((int)shift);
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR)
		store(v + i,
		    _mm256_add_epi64(base, _mm256_sll_epi64(load(v + i), by)));
	return i;
}

/* What was folded, unfolded. */
WIDE static __m256i
unzigzag(__m256i x)
{
	const __m256i one = _mm256_set1_epi64x(1);

	return _mm256_xor_si256(_mm256_srli_epi64(x, 1),
	    _mm256_sub_epi64(_mm256_setzero_si256(), _mm256_and_si256(x, one)));
}

WIDE static size_t
wide_sums(uint64_t *v, size_t n, uint64_t *sum, uint64_t more, unsigned shift,
    bool zigzag)
{
	const __m256i plus = _mm256_set1_epi64x((long long)more);
	const __m128i by = _mm_cvtsi32_si128((int)shift);
	__m256i base = _mm256_set1_epi64x((long long)*sum), x, low;
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		x = load(v + i);
		if (zigzag)
			x = unzigzag(x);
		x = _mm256_sll_epi64(_mm256_add_epi64(x, plus), by);
		/* Sums of two, then the lower two's is added to the others. */
		x = _mm256_add_epi64(x, _mm256_slli_si256(x, 8));
		low = _mm256_permute2x128_si256(x, x, 0x08);
		x = _mm256_add_epi64(x, _mm256_unpackhi_epi64(low, low));
		store(v + i, _mm256_add_epi64(x, base));
		base =
		    _mm256_add_epi64(base, _mm256_permute4x64_epi64(x, 0xff));
	}
	if (i > 0)
		*sum = v[i - 1];
	return i;
}

/*
 * Both halves become doubles without rounding, since they are put below the
 * bits of a power of two, of which the upper one takes away both; what is left
 * to round is one sum.
 */
WIDE static __m256d
number(__m256i x)
{
	const __m256i low = _mm256_set1_epi64x(0x4330000000000000);
	const __m256i high = _mm256_set1_epi64x(0x4530000080000000);
	/* 2^84 + 2^63 + 2^52 */
	const __m256d both = _mm256_set1_pd(0x1.00000801p84);

	return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(_mm256_xor_si256(
					       _mm256_srli_epi64(x, 32), high)),
				 both),
	    _mm256_castsi256_pd(_mm256_blend_epi32(x, low, 0xaa)));
}

WIDE static size_t
wide_decimals(double *v, const uint64_t *d, size_t n, unsigned e)
{
	const __m256d p = _mm256_set1_pd(store_lanes_power[e]);
	size_t i;

	if (e == 0)
		for (i = 0; i + FOUR <= n; i += FOUR)
			_mm256_storeu_pd(v + i, number(load(d + i)));
	else
		for (i = 0; i + FOUR <= n; i += FOUR)
			_mm256_storeu_pd(
			    v + i, _mm256_div_pd(number(load(d + i)), p));
	return i;
}

WIDE static size_t
wide_doubles(double *v, const uint64_t *d, size_t n)
{
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		__m256i x = load(d + i), below;

		below = _mm256_cmpgt_epi64(_mm256_setzero_si256(), x);
		x = _mm256_xor_si256(x, _mm256_srli_epi64(below, 1));
		_mm256_storeu_pd(v + i, _mm256_castsi256_pd(x));
	}
	return i;
}
#else
#define NARROW 0

static bool
have_wide(void)
{
	return false;
}

static size_t
wide_bits(const uint8_t *p, size_t room, uint64_t *v, size_t n, unsigned w)
{
	(void)p, (void)room, (void)v, (void)n, (void)w;
	return 0;
}

static size_t
wide_level(uint64_t *v, size_t n, uint64_t first, unsigned shift)
{
	(void)v, (void)n, (void)first, (void)shift;
	return 0;
}

static size_t
wide_sums(uint64_t *v, size_t n, uint64_t *sum, uint64_t more, unsigned shift,
    bool zigzag)
{
	(void)v, (void)n, (void)sum, (void)more, (void)shift, (void)zigzag;
	return 0;
}

static size_t
wide_decimals(double *v, const uint64_t *d, size_t n, unsigned e)
{
	(void)v, (void)d, (void)n, (void)e;
	return 0;
}

static size_t
wide_doubles(double *v, const uint64_t *d, size_t n)
{
	(void)v, (void)d, (void)n;
	return 0;
}
#endif

void
store_lanes_bits(
    const uint8_t *p, size_t room, uint64_t *v, size_t n, unsigned w)
{
	uint64_t mask = (UINT64_C(1) << w) - 1, x;
	size_t i = 0, at;

	if (w <= NARROW && have_wide())
		i = wide_bits(p, room, v, n, w);
	/* A load has 8 bytes, of which the last numbers may not have all. */
	for (at = i * w; i < n && (at >> 3) + 8 <= room; i++, at += w) {
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
	size_t i = have_wide() ? wide_level(v, n, first, shift) : 0;

	for (; i < n; i++)
		v[i] = first + (v[i] << shift);
}

uint64_t
store_lanes_rise(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift)
{
	size_t i = have_wide() ? wide_sums(v, n, &sum, more, shift, false) : 0;

	for (; i < n; i++)
		v[i] = sum += (v[i] + more) << shift;
	return sum;
}

uint64_t
store_lanes_zigzag(
    uint64_t *v, size_t n, uint64_t sum, uint64_t more, unsigned shift)
{
	size_t i = have_wide() ? wide_sums(v, n, &sum, more, shift, true) : 0;

	for (; i < n; i++)
		v[i] = sum += ((uint64_t)store_unzigzag(v[i]) + more) << shift;
	return sum;
}

void
store_lanes_decimals(double *v, const uint64_t *d, size_t n, unsigned e)
{
	size_t i = have_wide() ? wide_decimals(v, d, n, e) : 0;
	double p = store_lanes_power[e];

	for (; i < n; i++)
		v[i] = (double)(int64_t)d[i] / p;
}

void
store_lanes_doubles(double *v, const uint64_t *d, size_t n)
{
	size_t i = have_wide() ? wide_doubles(v, d, n) : 0;

	for (; i < n; i++)
		v[i] = store_unordered((int64_t)d[i]);
}
