/*
 * The loops of lanes.h that make columns.
 */
#include "store/lanes.h"

#include <string.h>

#include "store/pack.h"

#define EXACT 9007199254740992.0 /* 2^53 */

static unsigned
bits(uint64_t x)
{
	return x == 0 ? 0 : 64 - (unsigned)__builtin_clzll(x);
}

#if defined(__x86_64__) && defined(__GLIBC__)
#include <immintrin.h>
#include <sys/platform/x86.h>

#define WIDE __attribute__((target("avx2")))
#define FOUR ((size_t)4)

static bool
have_wide(void)
{
	return CPU_FEATURE_ACTIVE(AVX2);
}

WIDE static __m256i
load(const int64_t *v)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)v);
}

WIDE static void
store(void *v, __m256i x)
{
	_mm256_storeu_si256(v, x);
}

/* The bits that any of four has. */
WIDE static uint64_t
any(__m256i x)
{
	uint64_t v[FOUR];

	store(v, x);
	return v[0] | v[1] | v[2] | v[3];
}

/* Numbers below 2^50 only: what is larger, and with it a number, is left. */
WIDE static size_t
wide_exact(int64_t *d, const double *v, size_t n, unsigned e)
{
	const __m256d p = _mm256_set1_pd(store_lanes_power[e]);
	const __m256d up = _mm256_set1_pd(0.5), down = _mm256_set1_pd(-0.5);
	const __m256d most = _mm256_set1_pd(0x1p50);
	const __m256d sign = _mm256_set1_pd(-0.0);
	/* Bits of a sum with it are those of a number, and more on top. */
	const __m256d shift = _mm256_set1_pd(0x1.8p52);
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		__m256d is = _mm256_loadu_pd(v + i), x, back;
		__m256i same;

		x = e == 0 ? is : _mm256_mul_pd(is, p);
		same = _mm256_castpd_si256(
		    _mm256_cmp_pd(_mm256_andnot_pd(sign, x), most, _CMP_LT_OQ));
		x = _mm256_add_pd(x,
		    _mm256_blendv_pd(up, down,
			_mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_LT_OQ)));
		x = _mm256_round_pd(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
		back = e == 0 ? x : _mm256_div_pd(x, p);
		same = _mm256_and_si256(same,
		    _mm256_cmpeq_epi64(
			_mm256_castpd_si256(back), _mm256_castpd_si256(is)));
		if (_mm256_movemask_epi8(same) != -1)
			break;
		store(d + i,
		    _mm256_sub_epi64(
			_mm256_castpd_si256(_mm256_add_pd(x, shift)),
			_mm256_castpd_si256(shift)));
	}
	return i;
}

WIDE static size_t
wide_deltas(int64_t *x, const int64_t *d, size_t n, uint64_t *all)
{
	__m256i or = _mm256_setzero_si256(), y;
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		y = _mm256_sub_epi64(load(d + i + 1), load(d + i));
		or = _mm256_or_si256(or, y);
		store(x + i, y);
	}
	*all = any(or);
	return i;
}

WIDE static size_t
wide_least(const int64_t *x, size_t n, int64_t *least)
{
	__m256i min = _mm256_set1_epi64x(*least), y;
	int64_t v[FOUR];
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		y = load(x + i);
		min = _mm256_blendv_epi8(min, y, _mm256_cmpgt_epi64(min, y));
	}
	store(v, min);
	for (size_t k = 0; k < FOUR; k++)
		*least = v[k] < *least ? v[k] : *least;
	return i;
}

WIDE static size_t
wide_above(
    uint64_t *v, const int64_t *x, size_t n, int64_t least, uint64_t *all)
{
	const __m256i from = _mm256_set1_epi64x(least);
	__m256i or = _mm256_setzero_si256(), y;
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		y = _mm256_sub_epi64(load(x + i), from);
		or = _mm256_or_si256(or, y);
		store(v + i, y);
	}
	*all = any(or);
	return i;
}

WIDE static size_t
wide_fold(uint64_t *v, const int64_t *x, size_t n, int64_t from)
{
	const __m256i by = _mm256_set1_epi64x(from);
	__m256i y;
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		y = _mm256_sub_epi64(load(x + i), by);
		store(v + i,
		    _mm256_xor_si256(_mm256_slli_epi64(y, 1),
			_mm256_cmpgt_epi64(_mm256_setzero_si256(), y)));
	}
	return i;
}

/*
 * The bits of four numbers: the exponents of doubles that are no less, nor as
 * much as the next power of two, for which the second highest bit is cleared.
 */
WIDE static __m256i
widths(__m256i x)
{
	const __m256i low = _mm256_set1_epi64x(0x4330000000000000);
	const __m256i high = _mm256_set1_epi64x(0x4530000000000000);
	const __m256d both = _mm256_set1_pd(0x1.00000001p84);
	__m256d y;

	x = _mm256_andnot_si256(_mm256_srli_epi64(x, 1), x);
	y = _mm256_castsi256_pd(
	    _mm256_xor_si256(_mm256_srli_epi64(x, 32), high));
	y = _mm256_add_pd(_mm256_sub_pd(y, both),
	    _mm256_castsi256_pd(_mm256_blend_epi32(x, low, 0xaa)));
	return _mm256_srli_epi64(_mm256_castpd_si256(y), 52);
}

/* Sixteen of them, as bytes; the order is nothing to us. */
WIDE static __m128i
widths_16(const int64_t *v)
{
	const __m256i bias = _mm256_set1_epi16(1022);
	__m256i a, b;

	a = _mm256_packs_epi32(widths(load(v)), widths(load(v + FOUR)));
	b = _mm256_packs_epi32(
	    widths(load(v + 2 * FOUR)), widths(load(v + 3 * FOUR)));
	/* Of each pair of 32 bits the upper one is 0, and so of 16. */
	a = _mm256_packs_epi32(a, b);
	/* What is 0 has the exponent 0. */
	a = _mm256_subs_epu16(a, bias);
	return _mm_packus_epi16(
	    _mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

WIDE static unsigned
greatest(const __m256i *w, size_t n)
{
	__m256i x = w[0];
	__m128i y;

	for (size_t i = 1; i < n; i++)
		x = _mm256_max_epu8(x, w[i]);
	y = _mm_max_epu8(
	    _mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
	y = _mm_max_epu8(y, _mm_srli_si128(y, 8));
	y = _mm_max_epu8(y, _mm_srli_si128(y, 4));
	y = _mm_max_epu8(y, _mm_srli_si128(y, 2));
	y = _mm_max_epu8(y, _mm_srli_si128(y, 1));
	return (unsigned)_mm_cvtsi128_si32(y) & 0xff;
}

WIDE static unsigned
wide_over(const uint64_t *v, size_t n, uint8_t over[64])
{
	__m256i w[4];
	uint8_t by[128];
	unsigned top;
	size_t used = (n + 31) / 32, i;

	for (i = 0; i + 16 <= n; i += 16)
		_mm_storeu_si128((__m128i *)(void *)(by + i),
		    widths_16((const int64_t *)(const void *)(v + i)));
	for (; i < n; i++)
		by[i] = (uint8_t)bits(v[i]);
	memset(by + n, 0, used * 32 - n);
	memcpy(w, by, used * 32);
	top = greatest(w, used);
	for (unsigned k = 0; k < top; k++) {
		const __m256i limit = _mm256_set1_epi8((char)k);
		__m256i sum = _mm256_setzero_si256();
		uint64_t c[FOUR];

		for (i = 0; i < used; i++)
			sum = _mm256_sub_epi8(
			    sum, _mm256_cmpgt_epi8(w[i], limit));
		store(c, _mm256_sad_epu8(sum, _mm256_setzero_si256()));
		over[k] = (uint8_t)(c[0] + c[1] + c[2] + c[3]);
	}
	return top;
}
#else
static bool
have_wide(void)
{
	return false;
}

static size_t
wide_exact(int64_t *d, const double *v, size_t n, unsigned e)
{
	(void)d, (void)v, (void)n, (void)e;
	return 0;
}

static size_t
wide_deltas(int64_t *x, const int64_t *d, size_t n, uint64_t *all)
{
	(void)x, (void)d, (void)n, (void)all;
	return 0;
}

static size_t
wide_least(const int64_t *x, size_t n, int64_t *least)
{
	(void)x, (void)n, (void)least;
	return 0;
}

static size_t
wide_above(
    uint64_t *v, const int64_t *x, size_t n, int64_t least, uint64_t *all)
{
	(void)v, (void)x, (void)n, (void)least, (void)all;
	return 0;
}

static size_t
wide_fold(uint64_t *v, const int64_t *x, size_t n, int64_t from)
{
	(void)v, (void)x, (void)n, (void)from;
	return 0;
}

static unsigned
wide_over(const uint64_t *v, size_t n, uint8_t over[64])
{
	(void)v, (void)n, (void)over;
	return 0;
}
#endif

bool
store_lanes_scale(int64_t *d, double v, unsigned e)
{
	double x = v * store_lanes_power[e];

	if (!(x < EXACT && x > -EXACT))
		return false;
	*d = (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
	return true;
}

static bool
exact(int64_t *d, double v, unsigned e)
{
	return store_lanes_scale(d, v, e) &&
	    num_bits((double)*d / store_lanes_power[e]) == num_bits(v);
}

size_t
store_lanes_exact(int64_t *d, const double *v, size_t n, unsigned e)
{
	bool wide = n > 8 && have_wide();
	size_t i = wide ? wide_exact(d, v, n, e) : 0;

	for (; i < n && exact(d + i, v[i], e); i++)
		;
	return i;
}

uint64_t
store_lanes_deltas(int64_t *x, const int64_t *d, size_t n)
{
	uint64_t all = 0;
	size_t i = have_wide() ? wide_deltas(x, d, n, &all) : 0;

	for (; i < n; i++) {
		x[i] = (int64_t)((uint64_t)d[i + 1] - (uint64_t)d[i]);
		all |= (uint64_t)x[i];
	}
	return all;
}

uint64_t
store_lanes_above(uint64_t *v, const int64_t *x, size_t n, int64_t *least)
{
	bool wide = have_wide();
	uint64_t all = 0;
	size_t i;

	*least = x[0];
	for (i = wide ? wide_least(x, n, least) : 0; i < n; i++)
		*least = x[i] < *least ? x[i] : *least;
	for (i = wide ? wide_above(v, x, n, *least, &all) : 0; i < n; i++)
		all |= v[i] = (uint64_t)x[i] - (uint64_t)*least;
	return all;
}

void
store_lanes_fold(uint64_t *v, const int64_t *x, size_t n, int64_t from)
{
	size_t i = have_wide() ? wide_fold(v, x, n, from) : 0;

	for (; i < n; i++)
		v[i] = store_zigzag((int64_t)((uint64_t)x[i] - (uint64_t)from));
}

unsigned
store_lanes_over(const uint64_t *v, size_t n, uint8_t over[64])
{
	uint8_t with[65] = { 0 };
	unsigned top = 64, sum = 0;

	if (n >= 16 && have_wide())
		return wide_over(v, n, over);
	for (size_t i = 0; i < n; i++)
		with[bits(v[i])]++;
	while (top > 0 && with[top] == 0)
		top--;
	for (unsigned w = top; w-- > 0;) {
		sum += with[w + 1];
		over[w] = (uint8_t)sum;
	}
	return top;
}
