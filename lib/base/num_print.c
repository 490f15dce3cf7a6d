/*
 * Numbers to text.  The shortest digits that read back are found by
 * Schubfach (Giulietti, The Schubfach way to render doubles, 2021): three
 * products with 128 bits of a power of ten bound the decimals that round to
 * the double, and at most two candidates are left, each of 16 or 17 digits,
 * whose zeros are cut off.
 */
#include "base/num.h"

#include <endian.h>
#include <stdio.h>

#include "base/num_impl.h"

#define ZEROS UINT64_C(0x3030303030303030) /* "00000000" */
#define TEN8 UINT64_C(100000000)
#define MANTISSA UINT64_C(0xfffffffffffff)
#define ROOM 48 /* for all forms but 'f' of large and small numbers */

/* Digits d[from..from+n) with the point before the one at dp, as in Go. */
struct digits {
	char d[40]; /* the last n may be copied as 24 bytes */
	int from, n, dp;
	bool neg;
};

/* Eight digits as the bytes of a word, the first one lowest. */
static inline uint64_t
eight(uint32_t k)
{
	uint64_t x, t;

	x = k / 10000 | (uint64_t)(k % 10000) << 32;
	t = ((x * 10486) >> 20) & UINT64_C(0x7f0000007f);
	x = t | (x - 100 * t) << 16;
	t = ((x * 103) >> 10) & UINT64_C(0x000f000f000f000f);
	return t | (x - 10 * t) << 8;
}

static inline void
store(char *p, uint64_t x)
{
	x = htole64(x | ZEROS);
	memcpy(p, &x, 8);
}

/* k > 0 times 10^e, without the zeros at either end. */
static void
digits_of(struct digits *g, uint64_t k, int e)
{
	uint64_t top = k / TEN8, x = eight((uint32_t)(k % TEN8)), y = 0;
	int end = 24;

	store(g->d + 16, x);
	g->from = 16;
	if (top > 0) {
		y = eight((uint32_t)(top % TEN8));
		store(g->d + 8, y);
		g->d[7] = (char)('0' + top / TEN8);
		g->from = top >= TEN8 ? 7 : 8 + __builtin_ctzll(y) / 8;
	} else {
		g->from = 16 + __builtin_ctzll(x) / 8;
	}
	if (x != 0)
		end -= __builtin_clzll(x) / 8;
	else if (y != 0)
		end -= 8 + __builtin_clzll(y) / 8;
	else
		end -= 16;
	g->n = end - g->from;
	g->dp = 24 - g->from + e;
}

/* floor(log10(2^q)), floor(log10(3/4 2^q)), floor(log2(10^k)). */
static int
log10_pow2(int q)
{
	return (q * 1262611) >> 22;
}

static int
log10_pow2_34(int q)
{
	return (q * 1262611 - 524031) >> 22;
}

static int
log2_pow10(int k)
{
	return (k * 1741647) >> 19;
}

/* g c / 2^128, any rest of which sets the last bit. */
static uint64_t
scale(const struct num_pow *g, uint64_t c)
{
	uint64_t x = (uint64_t)((unsigned __int128)g->lo * c >> 64);
	unsigned __int128 y = (unsigned __int128)g->hi * c + x;

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/*
 * Schubfach.  v = c 2^q lies in [left, right], the doubles' halfway points,
 * all of them in units of a quarter of 10^k; an even c has the ends, too.
 */
static void
schubfach(struct digits *g, uint64_t bits)
{
	uint64_t c = bits & MANTISSA, left, mid, right, s, t;
	int q = (int)(bits >> 52 & 0x7ff), k, h;
	bool odd, even_gap, below, above;
	const struct num_pow *p;

	even_gap = c != 0 || q <= 1; /* as far to the lower neighbour */
	if (q != 0)
		c |= MANTISSA + 1;
	q = (q != 0 ? q : 1) - 1075;
	odd = c & 1;
	k = even_gap ? log10_pow2(q) : log10_pow2_34(q);
	h = q + log2_pow10(-k) + 1;
	p = &num_pow[-k - NUM_POW_MIN];
	left = scale(p, (4 * c - 2 + !even_gap) << h) + odd;
	mid = scale(p, (4 * c) << h);
	right = scale(p, (4 * c + 2) << h) - odd;
	s = mid / 4;
	if (s >= 10) {
		t = s / 10;
		below = left <= 40 * t;
		above = 40 * t + 40 <= right;
		if (below != above) {
			digits_of(g, t + above, k + 1);
			return;
		}
	}
	below = left <= 4 * s;
	above = 4 * s + 4 <= right;
	if (below == above)
		above = mid > 4 * s + 2 || (mid == 4 * s + 2 && (s & 1));
	digits_of(g, s + above, k);
}

/* The shortest digits that read back as v; v is finite. */
static void
shortest(struct digits *g, double v)
{
	double a = fabs(v);

	g->neg = signbit(v) != 0;
	if (a == 0) {
		memcpy(g->d, "0", 1);
		g->from = 0;
		g->n = 1;
		g->dp = 1;
	} else if (a < NUM_TWO53 && a == (double)(uint64_t)a) {
		digits_of(g, (uint64_t)a, 0);
	} else {
		schubfach(g, num_bits(a));
	}
}

/* d.ddde+XX; 24 bytes are copied, whatever their number is. */
static char *
put_e(char *o, const struct digits *g)
{
	const char *d = g->d + g->from;
	int x = g->n == 1 && *d == '0' ? 0 : g->dp - 1;

	*o++ = *d;
	if (g->n > 1) {
		*o++ = '.';
		memcpy(o, d + 1, 16);
		o += g->n - 1;
	}
	*o++ = 'e';
	*o++ = x < 0 ? '-' : '+';
	x = x < 0 ? -x : x;
	if (x >= 100)
		*o++ = (char)('0' + x / 100);
	*o++ = (char)('0' + x / 10 % 10);
	*o++ = (char)('0' + x % 10);
	return o;
}

static char *
put_f(char *o, const struct digits *g)
{
	const char *d = g->d + g->from;

	if (g->dp <= 0) {
		*o++ = '0';
		*o++ = '.';
		memset(o, '0', (size_t)-g->dp);
		o -= g->dp;
		memcpy(o, d, 17);
		return o + g->n;
	}
	memcpy(o, d, 17);
	if (g->n > g->dp) {
		o[g->dp] = '.';
		memcpy(o + g->dp + 1, d + g->dp, 16);
		return o + g->n + 1;
	}
	memset(o + g->n, '0', (size_t)(g->dp - g->n));
	return o + g->dp;
}

static void
put_shortest(struct buf *b, double v, char fmt)
{
	struct digits g;
	char *o, *from;
	size_t room = ROOM;
	bool exp;

	shortest(&g, v);
	/* Go decides for the shortest 'g' as if its precision were 6. */
	exp = fmt == 'e' || (fmt == 'g' && v != 0 && (g.dp < -3 || g.dp > 6));
	if (!exp)
		room += (size_t)(g.dp < 0 ? -g.dp : g.dp);
	from = o = buf_reserve(b, room);
	if (g.neg)
		*o++ = '-';
	o = exp ? put_e(o, &g) : put_f(o, &g);
	b->n += (size_t)(o - from);
}

static bool
put_special(struct buf *b, double v)
{
	if (isfinite(v))
		return false;
	buf_z(b, isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
	return true;
}

/* snprintf in the "C" locale, whatever the thread's is. */
static int
print_c(char *out, size_t n, char fmt, int prec, double v)
{
	locale_t old = uselocale(num_c_locale());
	int len;

	if (fmt == 'e')
		len = snprintf(out, n, "%.*e", prec, v);
	else if (fmt == 'f')
		len = snprintf(out, n, "%.*f", prec, v);
	else
		len = snprintf(out, n, "%.*g", prec, v);
	uselocale(old);
	return len;
}

void
num_format(struct buf *b, double v, char fmt, int prec)
{
	char *p;

	if (put_special(b, v))
		return;
	if (prec < 0) {
		put_shortest(b, v, fmt);
		return;
	}
	/* The longest is 'f': 309 digits, the point, and prec more. */
	p = buf_reserve(b, (size_t)prec + 320);
	b->n += (size_t)print_c(p, (size_t)prec + 320, fmt, prec, v);
}

/* k < 10^8 in plain digits at o, where there are 8 bytes of room. */
static inline char *
put_short(char *o, uint32_t k)
{
	uint64_t x = eight(k);
	/* at least the last one is printed */
	unsigned skip = (unsigned)__builtin_ctzll(x | UINT64_C(1) << 56) / 8;

	x = htole64((x | ZEROS) >> (8 * skip));
	memcpy(o, &x, 8);
	return o + 8 - skip;
}

/* k at o, where there are 24 bytes. */
static char *
put_int(char *o, uint64_t k)
{
	uint64_t top = k / TEN8;

	if (k < 10) {
		*o = (char)('0' + k);
		return o + 1;
	}
	if (top == 0)
		return put_short(o, (uint32_t)k);
	if (top < TEN8) {
		o = put_short(o, (uint32_t)top);
	} else {
		o = put_short(o, (uint32_t)(top / TEN8));
		store(o, eight((uint32_t)(top % TEN8)));
		o += 8;
	}
	store(o, eight((uint32_t)(k % TEN8)));
	return o + 8;
}

void
num_print_int(struct buf *b, int64_t v)
{
	char *from = buf_reserve(b, ROOM), *o = from;

	if (v < 0)
		*o++ = '-';
	o = put_int(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
	b->n += (size_t)(o - from);
}

void
num_print(struct buf *b, double v)
{
	if (fabs(v) < NUM_TWO53 && v == (double)(int64_t)v) {
		if (num_bits(v) == UINT64_C(1) << 63)
			buf_add(b, STR("-0"));
		else
			num_print_int(b, (int64_t)v);
		return;
	}
	if (!put_special(b, v))
		put_shortest(b, v, 'g');
}

void
num_print_om(struct buf *b, double v)
{
	size_t from = b->n;
	str s;

	/* without a sign, as a 0 has it there */
	num_format(b, v == 0 ? 0 : v, 'g', -1);
	s = str_skip(buf_str(b), from);
	if (isfinite(v) && str_chr(s, 'e') == s.n && str_chr(s, '.') == s.n)
		buf_z(b, ".0");
}
