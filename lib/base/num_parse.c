/*
 * Text to numbers.  What pages hold has few digits: those are read exactly
 * with one multiplication or division (Clinger 1990).  The others are
 * multiplied by 128 bits of the power of ten, which decides nearly all of
 * them (Lemire, Number parsing at a gigabyte per second, 2021); what that
 * leaves open, strtod decides in the "C" locale, behind the grammar here.
 */
#include "base/num.h"

#include <endian.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num_impl.h"

#define FAR 100000000 /* an exponent beyond everything */
#define ROOM 64       /* bytes, more than what scan_usual() looks at */
#define ONES UINT64_C(0x0101010101010101)

static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
	1e22 };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does s spell the lower-case word in any case? */
static bool
spells(str s, str word)
{
	if (s.n != word.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] | 0x20) != word.p[i])
			return false;
	return true;
}

static int
parse_word(str s, double *v)
{
	double sign = 1;

	if (spells(s, STR("nan"))) {
		*v = num_nan();
		return 0;
	}
	if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
		sign = s.p[0] == '-' ? -1 : 1;
		s = str_skip(s, 1);
	}
	if (!spells(s, STR("inf")) && !spells(s, STR("infinity")))
		return -1;
	*v = sign * INFINITY;
	return 0;
}

/* newlocale() gives glibc's own constant for "C". */
locale_t
num_c_locale(void)
{
	return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double
parse_slow(str s)
{
	char small[128], *z = s.n < sizeof(small) ? small : mem_alloc(s.n + 1);
	double v;

	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	v = strtod_l(z, NULL, num_c_locale());
	if (z != small)
		free(z);
	return v;
}

/*
 * Eight bytes of text at once, '0' to '9' as 0 to 9; behind the end of it
 * nothing looks like a digit.  Where not roomy says that eight bytes are there,
 * they are in front of the end.
 */
static inline uint64_t
word_at(const char *p, const char *end, bool roomy)
{
	const char *from = roomy || end - p >= 8 ? p : end - 8;
	uint64_t x;

	memcpy(&x, from, sizeof(x));
	x = le64toh(x);
	if (from != p)
		x = x >> 1 >> (63 - 8 * (end - p));
	return x ^ (ONES * '0');
}

/* How many digits it begins with. */
static inline unsigned
count(uint64_t x)
{
	uint64_t other = ((x + ONES * 0x76) | x) & (ONES * 0x80);

	return other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
}

/*
 * The first n of them, 1 to 8, behind those of m: the others are shifted out,
 * three multiplications add up the rest.  m may wrap around.
 */
static inline uint64_t
append(uint64_t m, uint64_t x, unsigned n)
{
	static const uint32_t shift[] = { 1, 10, 100, 1000, 10000, 100000,
		1000000, 10000000, 100000000 };

	x <<= 64 - 8 * n;
	x = x * 10 + (x >> 8);
	x = ((x & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
		(x >> 16 & UINT64_C(0xff000000ff)) *
		    UINT64_C(0x271000000001)) >>
	    32;
	return m * shift[n] + (x & UINT32_MAX);
}

/*
 * More digits than 64 bits hold: the first 19 that count.  e is for all the
 * digits up to end, which are m's.
 */
static bool
first_digits(const char *p, const char *end, uint64_t *m, int64_t *e)
{
	bool more = false;
	int n = 0;

	*m = 0;
	for (; p < end && (is_digit(*p) || *p == '.'); p++) {
		if (*p == '.')
			continue;
		if (n < 19) {
			*m = *m * 10 + (uint64_t)(*p - '0');
			n += *m > 0;
		} else {
			more = more || *p != '0';
			++*e;
		}
	}
	return more;
}

/*
 * The double next to m * 10^q, q within the table, or -1 when 128 bits do not
 * say which.  The product is never more than the exact one, so its low half
 * full of ones means that a carry may be missing.  Reciprocals of powers of
 * five that divide 64 bits are taken rounded up, so that exact quotients, and
 * so ties, come out as such.
 */
static int
nearest(uint64_t m, int q, double *v)
{
	const struct num_pow *g = &num_pow[q - NUM_POW_MIN];
	uint64_t low = g->lo - (q < -27 || q > 55), hi, lo, bits;
	int lz = __builtin_clzll(m), up, x;
	unsigned __int128 p;

	m <<= lz;
	p = (unsigned __int128)m * g->hi;
	/* what the low half would add shows only behind nine ones */
	if (((uint64_t)(p >> 64) & 0x1ff) == 0x1ff)
		p += (uint64_t)((unsigned __int128)m * low >> 64);
	hi = (uint64_t)(p >> 64);
	lo = (uint64_t)p;
	if (lo == UINT64_MAX && (q < -27 || q > 55))
		return -1;
	up = (int)(hi >> 63);
	bits = hi >> (up + 9); /* 53 of the number, and one to round by */
	/* floor(log2(10^q)), kept above 0 where it is shifted */
	x = ((217706 * q + (2048 << 16)) >> 16) - 2048;
	x += 63 + up - lz + 1023;
	if (x <= 0) {
		if (x <= -63)
			bits = 0;
		else
			bits >>= 1 - x;
		bits = (bits + (bits & 1)) >> 1;
		*v = num_from_bits(bits); /* the carry makes it a normal one */
		return 0;
	}
	/* a tie goes to the even one */
	if (lo <= 1 && q >= -4 && q <= 23 && (bits & 3) == 1 &&
	    bits << (up + 9) == hi)
		bits &= ~UINT64_C(1);
	bits = (bits + (bits & 1)) >> 1;
	if (bits >> 53) {
		bits >>= 1;
		x++;
	}
	if (x >= 0x7ff)
		*v = INFINITY;
	else
		*v = num_from_bits(
		    (bits & UINT64_C(0xfffffffffffff)) | (uint64_t)x << 52);
	return 0;
}

/*
 * The number from p to end that one multiplication does not make exact: e is
 * for all its digits, which are m's.  Called last, so that the usual way saves
 * no registers.
 */
static __attribute__((noinline)) const char *
convert(const char *p, const char *end, size_t digits, uint64_t m, int64_t e,
    double *v)
{
	bool neg = *p == '-', more;
	double d, w;

	p += neg || *p == '+';
	more = digits > 19 && first_digits(p, end, &m, &e);
	if (m == 0 || e < NUM_POW_MIN)
		d = 0;
	else if (e > 308)
		return NULL;
	else if (nearest(m, (int)e, &d) == -1 ||
	    (more && (nearest(m + 1, (int)e, &w) == -1 || w != d)))
		d = parse_slow(str_from(p, end));
	*v = neg ? -d : d;
	return isinf(d) ? NULL : end;
}

/* What digits, point and exponent of the text say; end, or NULL. */
static inline __attribute__((always_inline)) const char *
finish(const char *p, const char *end, size_t digits, uint64_t m, int64_t e,
    double *v)
{
	double d = (double)(int64_t)m;

	if (digits > 19 || m > (uint64_t)NUM_TWO53 || e < -22 || e > 22)
		return convert(p, end, digits, m, e, v);
	d = e < 0 ? d / tens[-e] : d * tens[e];
	*v = *p == '-' ? -d : d;
	return end;
}

/* Any number, byte by byte. */
static __attribute__((noinline)) const char *
scan_any(const char *p, const char *end, double *v)
{
	const char *from = p;
	bool minus = false;
	uint64_t m = 0;
	int64_t e = 0, x = 0;
	size_t n = 0;

	p += p < end && (*p == '-' || *p == '+');
	for (; p < end && is_digit(*p); p++, n++)
		m = m * 10 + (uint64_t)(*p - '0');
	if (p < end && *p == '.')
		for (p++; p < end && is_digit(*p); p++, n++, e--)
			m = m * 10 + (uint64_t)(*p - '0');
	if (n == 0)
		return NULL;
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			minus = *p++ == '-';
		if (p == end || !is_digit(*p))
			return NULL;
		for (; p < end && is_digit(*p); p++)
			if (x < FAR)
				x = x * 10 + (*p - '0');
		e += minus ? -x : x;
	}
	return finish(from, p, n, m, e, v);
}

/*
 * What nearly all numbers look like, with few branches that are hard to
 * foresee: 1 to 15 digits, a fraction of up to 23, an exponent of a sign and
 * two digits.  roomy is a constant: ROOM bytes are there, so none has to be
 * asked for.
 */
static inline __attribute__((always_inline)) const char *
scan_usual(const char *p, const char *end, bool roomy, double *v)
{
	const char *start = p, *from, *point;
	bool neg = *p == '-';
	uint64_t x, m;
	int64_t e = 0;
	unsigned k;
	double d;
	char c;

	p += neg;
	from = p;
	x = word_at(p, end, roomy);
	k = count(x);
	if (k == 0)
		return scan_any(start, end, v);
	m = append(0, x, k);
	p += k;
	if (k == 8) {
		x = word_at(p, end, roomy);
		k = count(x);
		if (k == 8)
			return scan_any(start, end, v);
		if (k > 0)
			m = append(m, x, k);
		p += k;
	}
	c = roomy || p < end ? *p : '\0';
	if (c < '.') {
		d = (double)(int64_t)m;
		*v = neg ? -d : d;
		return p;
	}
	k = (unsigned)(p - from);
	if (c == '.') {
		point = ++p;
		do {
			x = word_at(p, end, roomy);
			k = count(x);
			if (k > 0)
				m = append(m, x, k);
			p += k;
		} while (k == 8 && p - point < 24);
		if (p == point || k == 8)
			return scan_any(start, end, v);
		e = point - p;
		k = (unsigned)(p - from) - 1;
	}
	if ((roomy || p < end) && (*p | 0x20) == 'e') {
		if ((!roomy && end - p < 4) || (p[1] != '-' && p[1] != '+') ||
		    !is_digit(p[2]) || !is_digit(p[3]) ||
		    ((roomy || end - p > 4) && is_digit(p[4])))
			return scan_any(start, end, v);
		x = (uint64_t)((p[2] - '0') * 10 + p[3] - '0');
		e += p[1] == '-' ? -(int64_t)x : (int64_t)x;
		p += 4;
	}
	return finish(start, p, k, m, e, v);
}

static __attribute__((noinline)) const char *
scan_roomy(const char *p, const char *end, double *v)
{
	return scan_usual(p, end, true, v);
}

/* One to seven bytes, and 0 behind them. */
static inline uint64_t
short_word(const char *p, size_t n)
{
	uint32_t x, y;

	if (n < 4)
		return (uint64_t)(unsigned char)p[0] |
		    (uint64_t)(unsigned char)p[n / 2] << n / 2 * 8 |
		    (uint64_t)(unsigned char)p[n - 1] << (n - 1) * 8;
	memcpy(&x, p, 4);
	memcpy(&y, p + n - 4, 4);
	return le32toh(x) | (uint64_t)le32toh(y) << (n - 4) * 8;
}

/* Of a text by itself, n bytes, all of it: digits, and a point in them. */
static inline bool
parse_short(const char *p, size_t n, double *v)
{
	uint64_t text = short_word(p, n), m;
	unsigned k = count(text ^ (ONES * '0')), frac;

	if (k == 0)
		return false;
	m = append(0, text ^ (ONES * '0'), k);
	if (k < n) {
		if (p[k] != '.')
			return false;
		text >>= 8 * (k + 1);
		frac = count(text ^ (ONES * '0'));
		if (frac == 0 || k + 1 + frac != n)
			return false;
		m = append(m, text ^ (ONES * '0'), frac);
		*v = (double)(int64_t)m / tens[frac];
		return true;
	}
	*v = (double)(int64_t)m;
	return true;
}

/* Near the end. */
static const char *
scan_near(const char *p, const char *end, double *v)
{
	const char *q = end - p >= 8 ? scan_usual(p, end, false, v) : NULL;

	return q != NULL ? q : scan_any(p, end, v);
}

const char *
num_scan(const char *p, const char *end, double *v)
{
	if (end - p < ROOM)
		return scan_near(p, end, v);
	/* more than half of the values of pages are one digit */
	if (is_digit(p[0]) && p[1] < '.') {
		*v = p[0] - '0';
		return p + 1;
	}
	return scan_roomy(p, end, v);
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/*
 * The exponent of d.ddde+XX, of which frac digits stand behind the point: is
 * it one that is printed?  A whole number would be printed in full.
 */
static const char *
printed_exponent(const char *p, const char *end, size_t frac)
{
	size_t x;
	bool neg;

	if (end - p < 4 || p[0] != 'e' || (p[1] != '+' && p[1] != '-') ||
	    !is_digit(p[2]) || !is_digit(p[3]) ||
	    (end - p > 4 && is_digit(p[4])))
		return NULL;
	neg = p[1] == '-';
	x = (size_t)(p[2] - '0') * 10 + (size_t)(p[3] - '0');
	return (neg ? x > 4 : x > 5 && x < frac) ? p + 4 : NULL;
}

/*
 * 15 digits always come back (DBL_DIG), and as the shortest that do if they do
 * not end in a 0.
 */
const char *
num_scan_printed(const char *p, const char *end)
{
	const char *from, *point;
	size_t whole, frac;

	p += p < end && *p == '-';
	from = p;
	p = skip_digits(p, end);
	whole = (size_t)(p - from);
	if (whole == 0 || whole > 15 || (whole > 1 && *from == '0'))
		return NULL;
	if (p == end || (*p != '.' && *p != 'e' && *p != 'E'))
		return p;
	if (*p != '.')
		return whole > 1 || *from == '0' ? NULL
						 : printed_exponent(p, end, 0);
	point = ++p;
	p = skip_digits(p, end);
	frac = (size_t)(p - point);
	if (frac == 0 || whole + frac > 15 || p[-1] == '0')
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E'))
		return whole > 1 || *from == '0'
		    ? NULL
		    : printed_exponent(p, end, frac);
	if (*from == '0' && frac > 3 && memcmp(point, "0000", 4) == 0)
		return NULL;
	return whole > 6 ? NULL : p;
}

int
num_parse(str s, double *v)
{
	const char *end;

	if (s.n == 0)
		return -1;
	if (s.n == 1 && is_digit(s.p[0])) {
		*v = s.p[0] - '0';
		return 0;
	}
	if (s.n < 8 && parse_short(s.p, s.n, v))
		return 0;
	end = s.p + s.n;
	if (scan_near(s.p, end, v) == end)
		return 0;
	return parse_word(s, v);
}

int
num_parse_int(str s, int64_t *v)
{
	uint64_t n = 0, max = INT64_MAX;
	bool neg = false;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
		neg = s.p[0] == '-';
		max += neg;
		s = str_skip(s, 1);
	}
	if (s.n == 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i] - (unsigned)'0';

		if (c > 9 || n > (max - c) / 10)
			return -1;
		n = n * 10 + c;
	}
	*v = neg ? (int64_t)(0 - n) : (int64_t)n;
	return 0;
}
