/*
 * Numbers as text.  What pages hold has few digits: those are read exactly
 * with one multiplication or division (Clinger 1990), the rest by strtod in
 * the "C" locale behind a grammar of our own.  Printing asks first whether
 * the value is k / 10^e with a small e, which by the same division is exact,
 * and tries 15, 16, 17 digits otherwise.
 */
#include "base/num.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define TWO53 9007199254740992.0

/* Digits d[0..n) with the decimal point before d[dp], as Go's decimalSlice. */
struct digits {
	char d[800];
	int n, dp;
	bool neg;
};

static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
	1e22 };

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

/* newlocale() gives glibc's own constant for "C": nothing is allocated. */
static locale_t
c_locale(void)
{
	return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static int
parse_slow(str s, double *v)
{
	char small[128], *z = s.n < sizeof(small) ? small : mem_alloc(s.n + 1);

	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	*v = strtod_l(z, NULL, c_locale());
	if (z != small)
		free(z);
	return isinf(*v) ? -1 : 0;
}

/* The exponent behind an 'e'; saturates far beyond what a double holds. */
static const char *
parse_exp(const char *p, const char *end, int *e)
{
	bool neg = false;
	int n = 0;

	if (p < end && (*p == '+' || *p == '-'))
		neg = *p++ == '-';
	if (p == end)
		return NULL;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return NULL;
		if (n < 100000)
			n = n * 10 + (*p - '0');
	}
	*e = neg ? -n : n;
	return p;
}

int
num_parse(str s, double *v)
{
	const char *p = s.p, *end;
	uint64_t m = 0;
	int e = 0, frac = 0;
	size_t digits = 0;
	bool neg = false;

	if (s.n == 0)
		return -1;
	end = p + s.n;
	if (*p == '-' || *p == '+')
		neg = *p++ == '-';
	for (; p < end && is_digit(*p); p++, digits++)
		m = m * 10 + (uint64_t)(*p - '0');
	if (p < end && *p == '.') {
		const char *dot = ++p;

		for (; p < end && is_digit(*p); p++, digits++)
			m = m * 10 + (uint64_t)(*p - '0');
		frac = p - dot < 100000 ? (int)(p - dot) : 100000;
	}
	if (digits == 0)
		return parse_word(s, v);
	if (p < end) {
		if (*p != 'e' && *p != 'E')
			return -1;
		if (parse_exp(p + 1, end, &e) == NULL)
			return -1;
	}
	e -= frac;
	/* 19 digits fit in 64 bits, so m did not wrap. */
	if (digits > 19 || m > (uint64_t)TWO53 || e < -22 || e > 22)
		return parse_slow(s, v);
	*v = e < 0 ? (double)m / tens[-e] : (double)m * tens[e];
	if (neg)
		*v = -*v;
	return 0;
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

/* snprintf in the "C" locale, whatever the thread's is. */
static int
print_c(char *out, size_t n, char fmt, int prec, double v)
{
	locale_t old = uselocale(c_locale());
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

static void
trim_zeros(struct digits *g)
{
	while (g->n > 1 && g->d[g->n - 1] == '0')
		g->n--;
}

/* v > 0 with n digits, correctly rounded. */
static void
round_to(struct digits *g, double v, int n)
{
	char text[32];

	print_c(text, sizeof(text), 'e', n - 1, v);
	g->d[0] = text[0];
	if (n > 1)
		memcpy(g->d + 1, text + 2, (size_t)n - 1);
	g->n = n;
	g->dp = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
}

static bool
reads_back(const struct digits *g, double v)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "0.%.*se%d", g->n, g->d, g->dp);

	return n > 0 && strtod_l(text, NULL, c_locale()) == v;
}

/* The next decimal of as many digits. */
static void
step_up(struct digits *g)
{
	int i = g->n;

	while (i > 0 && g->d[i - 1] == '9')
		g->d[--i] = '0';
	if (i > 0) {
		g->d[i - 1]++;
	} else {
		g->d[0] = '1';
		g->dp++;
	}
}

/*
 * Above a power of two doubles lie twice as far apart as below it, so the
 * nearest decimal of 16 digits may not read back while the next one does;
 * nowhere else can that be.
 */
static bool
try_digits(struct digits *g, double v, int n)
{
	round_to(g, v, n);
	if (reads_back(g, v))
		return true;
	if (n < 16 || (num_bits(v) << 12) != 0)
		return false;
	step_up(g);
	return reads_back(g, v);
}

static void
digits_int(struct digits *g, uint64_t k, int e)
{
	g->n = snprintf(g->d, sizeof(g->d), "%" PRIu64, k);
	g->dp = g->n - e;
	trim_zeros(g);
}

/* The shortest digits that read back as v; v is finite. */
static void
shortest(struct digits *g, double v)
{
	int n;

	g->neg = signbit(v) != 0;
	v = fabs(v);
	if (v == 0) {
		g->d[0] = '0';
		g->n = 1;
		g->dp = 1;
		return;
	}
	/* 15 digits are never ambiguous, so the first hit is the shortest. */
	for (int e = 0; e <= 9 && v * tens[e] < 1e15; e++) {
		double k = nearbyint(v * tens[e]);

		if (k >= 1 && k / tens[e] == v) {
			digits_int(g, (uint64_t)k, e);
			return;
		}
	}
	/* Subnormals have fewer digits to tell apart. */
	n = v < 2.2250738585072014e-308 ? 1 : 15;
	while (n < 17 && !try_digits(g, v, n))
		n++;
	if (n == 17)
		round_to(g, v, 17);
	trim_zeros(g);
}

static void
put_e(struct buf *b, const struct digits *g)
{
	int exp = g->dp - 1;

	if (g->n == 1 && g->d[0] == '0')
		exp = 0;
	buf_byte(b, g->d[0]);
	if (g->n > 1) {
		buf_byte(b, '.');
		buf_add(b, (str){ g->d + 1, (size_t)g->n - 1 });
	}
	buf_printf(b, "e%c%02d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
}

static void
put_f(struct buf *b, const struct digits *g)
{
	if (g->dp <= 0) {
		buf_z(b, "0.");
		for (int i = g->dp; i < 0; i++)
			buf_byte(b, '0');
		buf_add(b, (str){ g->d, (size_t)g->n });
		return;
	}
	for (int i = 0; i < g->dp; i++)
		buf_byte(b, i < g->n ? g->d[i] : '0');
	if (g->n > g->dp) {
		buf_byte(b, '.');
		buf_add(b, (str){ g->d + g->dp, (size_t)(g->n - g->dp) });
	}
}

static void
put_shortest(struct buf *b, double v, char fmt)
{
	struct digits g;
	bool exp;

	shortest(&g, v);
	if (g.neg)
		buf_byte(b, '-');
	/* Go decides for the shortest 'g' as if its precision were 6. */
	exp = v != 0 && (g.dp < -3 || g.dp > 6);
	if (fmt == 'e' || (fmt == 'g' && exp))
		put_e(b, &g);
	else
		put_f(b, &g);
}

static bool
put_special(struct buf *b, double v)
{
	if (isfinite(v))
		return false;
	buf_z(b, isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf");
	return true;
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

void
num_print_int(struct buf *b, int64_t v)
{
	uint64_t k = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char text[20], *p = text + sizeof(text);

	do {
		*--p = (char)('0' + k % 10);
		k /= 10;
	} while (k > 0);
	if (v < 0)
		buf_byte(b, '-');
	buf_add(b, str_from(p, text + sizeof(text)));
}

void
num_print(struct buf *b, double v)
{
	if (put_special(b, v))
		return;
	if (fabs(v) < TWO53 && v == trunc(v)) {
		if (v == 0 && signbit(v))
			buf_z(b, "-0");
		else
			num_print_int(b, (int64_t)v);
		return;
	}
	put_shortest(b, v, 'g');
}

void
num_print_om(struct buf *b, double v)
{
	size_t from = b->n;
	str s;

	num_format(b, v, 'g', -1);
	s = str_skip(buf_str(b), from);
	if (isfinite(v) && str_chr(s, 'e') == s.n && str_chr(s, '.') == s.n)
		buf_z(b, ".0");
}
