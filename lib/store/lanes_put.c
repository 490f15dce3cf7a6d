/*
 * The loops of lanes.h that make columns.
 */
#include "store/lanes.h"
#include "store/pack.h"

#define EXACT 9007199254740992.0 /* 2^53 */

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

WIDE static size_t
wide_over(
    const uint64_t *v, size_t n, uint64_t limit, uint64_t *rest, size_t *count)
{
	/* Compared as signed numbers. */
	const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
	const __m256i most =
	    _mm256_xor_si256(sign, _mm256_set1_epi64x((int64_t)limit));
	__m256i or = _mm256_setzero_si256(), sum = or, x, over;
	int64_t c[FOUR];
	size_t i;

	for (i = 0; i + FOUR <= n; i += FOUR) {
		x = load((const int64_t *)(const void *)(v + i));
		over = _mm256_cmpgt_epi64(_mm256_xor_si256(x, sign), most);
		sum = _mm256_sub_epi64(sum, over);
		or = _mm256_or_si256(or, _mm256_andnot_si256(over, x));
	}
	store(c, sum);
	*count = (size_t)(c[0] + c[1] + c[2] + c[3]);
	*rest = any(or);
	return i;
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

static size_t
wide_over(
    const uint64_t *v, size_t n, uint64_t limit, uint64_t *rest, size_t *count)
{
	(void)v, (void)n, (void)limit, (void)rest, (void)count;
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

size_t
store_lanes_over(const uint64_t *v, size_t n, uint64_t limit, uint64_t *rest)
{
	size_t count = 0, i;

	*rest = 0;
	i = have_wide() ? wide_over(v, n, limit, rest, &count) : 0;
	for (; i < n; i++)
		if (v[i] > limit)
			count++;
		else
			*rest |= v[i];
	return count;
}
