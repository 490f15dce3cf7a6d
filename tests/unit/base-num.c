/*
 * base/num with num_parse.c, num_print.c and num_pow.c: every text reads back,
 * the forms of Go are met, strtod and the long way to shortest digits agree,
 * and the table of powers is what exact arithmetic says.
 */
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num_impl.h"

#include "check.h"

static double
parse(const char *z)
{
	double v = -12345;

	return num_parse(str_of(z), &v) == 0 ? v : -12345;
}

static bool
refused(const char *z)
{
	double v;

	return num_parse(str_of(z), &v) == -1;
}

static void
parsing(void)
{
	CHECK(parse("42") == 42);
	CHECK(parse("-0.5") == -0.5);
	CHECK(parse("+1e3") == 1000);
	CHECK(parse(".5") == 0.5 && parse("5.") == 5);
	CHECK(parse("1E-2") == 0.01);
	CHECK(parse("18.533574999999999") == 18.533574999999999);
	CHECK(parse("9007199254740993") == 9007199254740992.0);
	CHECK(parse("123456789012345678901234567890") ==
	    123456789012345678901234567890.0);
	CHECK(parse("1.7976931348623157e308") == 1.7976931348623157e308);
	CHECK(parse("5e-324") == 5e-324);
	CHECK(parse("1e-400") == 0);
	CHECK(parse("0.000000000000000000000000000000000000001") == 1e-39);
	CHECK(parse("0e999999999999") == 0);
	CHECK(signbit(parse("-0")));
	CHECK(parse("Inf") == INFINITY && parse("-inf") == -INFINITY);
	CHECK(parse("+Infinity") == INFINITY);
	CHECK(num_bits(parse("NaN")) == NUM_NAN_BITS);
	CHECK(num_bits(parse("nan")) == NUM_NAN_BITS);
}

static void
refusing(void)
{
	static const char *const bad[] = { "", "+", "-", ".", "e5", "1e", "1e+",
		"1.2.3", "0x10", "1_000", " 1", "1 ", "1,5", "+nan", "-NaN",
		"infin", "1e400", "-1e400", "--1", "1f", "nan(1)", "\xd9\xa1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(refused(bad[i]));
	CHECK(num_parse((str){ "1\0", 2 }, &(double){ 0 }) == -1);
}

static void
integers(void)
{
	int64_t v = 0;

	CHECK(num_parse_int(STR("-42"), &v) == 0 && v == -42);
	CHECK(num_parse_int(STR("9223372036854775807"), &v) == 0 &&
	    v == INT64_MAX);
	CHECK(num_parse_int(STR("-9223372036854775808"), &v) == 0 &&
	    v == INT64_MIN);
	CHECK(num_parse_int(STR("9223372036854775808"), &v) == -1);
	CHECK(num_parse_int(STR("-9223372036854775809"), &v) == -1);
	CHECK(num_parse_int(STR("99999999999999999999"), &v) == -1);
	CHECK(num_parse_int(STR(""), &v) == -1);
	CHECK(num_parse_int(STR("1.0"), &v) == -1);
	CHECK(num_parse_int(STR("+"), &v) == -1);
}

static bool
prints(double v, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	num_print(&b, v);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s, not %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return ok;
}

static void
printing(void)
{
	CHECK(prints(0, "0") && prints(-0.0, "-0") && prints(-42, "-42"));
	CHECK(prints(1e6, "1000000"));
	CHECK(prints(9007199254740991, "9007199254740991"));
	CHECK(prints(9007199254740992, "9.007199254740992e+15"));
	CHECK(prints(-1e21, "-1e+21"));
	CHECK(prints(0.1, "0.1") &&
	    prints(0.30000000000000004, "0.30000000000000004"));
	CHECK(prints(1234567.5, "1.2345675e+06"));
	CHECK(prints(0.0001, "0.0001") && prints(0.00001, "1e-05"));
	CHECK(prints(18.533574999999995, "18.533574999999995"));
	CHECK(prints(5e-324, "5e-324"));
	CHECK(prints(2.2250738585072014e-308, "2.2250738585072014e-308"));
	CHECK(prints(1.7976931348623157e308, "1.7976931348623157e+308"));
	CHECK(prints(9.5367431640625e-07, "9.5367431640625e-07"));
	CHECK(prints(5.684341886080802e-14, "5.684341886080802e-14"));
	CHECK(prints(9.0095e-7, "9.0095e-07"));
	CHECK(prints(INFINITY, "+Inf") && prints(-INFINITY, "-Inf"));
	CHECK(prints(num_stale(), "NaN"));
}

static bool
formats(double v, char fmt, int prec, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	num_format(&b, v, fmt, prec);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# %s, not %s\n", buf_cstr(&b), want);
	buf_fini(&b);
	return ok;
}

static void
formatting(void)
{
	CHECK(formats(1e6, 'g', -1, "1e+06"));
	CHECK(formats(100000, 'g', -1, "100000"));
	CHECK(formats(1e21, 'f', -1, "1000000000000000000000"));
	CHECK(formats(0.00012, 'f', -1, "0.00012"));
	CHECK(formats(-0.0, 'f', -1, "-0"));
	CHECK(formats(0, 'e', -1, "0e+00"));
	CHECK(formats(1.5, 'e', -1, "1.5e+00"));
	CHECK(formats(2.675, 'f', 2, "2.67"));
	CHECK(formats(1.0 / 3, 'g', 4, "0.3333"));
	CHECK(formats(1e22, 'f', 1, "10000000000000000000000.0"));
	CHECK(formats(NAN, 'f', 2, "NaN") && formats(INFINITY, 'e', 3, "+Inf"));
}

/* A fixed walk over bit patterns: each prints as text that reads back. */
static void
round_trips(void)
{
	uint64_t x = 88172645463325252u;
	size_t bad = 0;

	for (int i = 0; i < 20000; i++) {
		struct buf b = { 0 };
		double v, w = 0;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = num_from_bits(x);
		if (!isfinite(v))
			continue;
		num_print(&b, v);
		if (num_parse(buf_str(&b), &w) != 0 || w != v ||
		    strtod(buf_cstr(&b), NULL) != v)
			bad++;
		buf_fini(&b);
	}
	CHECK(bad == 0);
}

/* The shortest by trying: %.{0..16}e until it reads back, as a 'g' of Go. */
static void
by_trial(char *out, size_t size, double v)
{
	char e[40];
	int n = 0, dp;

	do
		(void)snprintf(e, sizeof(e), "%.*e", n, v);
	while (strtod(e, NULL) != v && n++ < 17);
	dp = atoi(strchr(e, 'e') + 1);
	if (dp < -4 || dp >= 6)
		(void)snprintf(out, size, "%s", e);
	else
		(void)snprintf(out, size, "%.*f", n > dp ? n - dp : 0, v);
}

static uint64_t
next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Bits with a walk over all exponents, subnormals and short numbers. */
static double
pick(uint64_t x, int i)
{
	switch (i % 6) {
	case 0:
	case 1:
		return num_from_bits(x);
	case 2:
		return num_from_bits(x & 0x800fffffffffffff);
	case 3:
		return (double)(int64_t)(x >> (x & 63)) / 1000;
	case 4:
		return (double)(x >> 11) / 0x1p53;
	default:
		return (double)(x >> (x & 63));
	}
}

static void
shortest_digits(void)
{
	/* what Go prints where trying goes wrong or is near to */
	static const struct {
		double v;
		const char *want;
	} edge[] = { { 0x1p-1074, "5e-324" }, { 0x1p-1073, "1e-323" },
		{ 0x1p-1022, "2.2250738585072014e-308" },
		{ 0x0.fffffffffffffp-1022, "2.225073858507201e-308" },
		{ 0x1.fffffffffffffp1023, "1.7976931348623157e+308" },
		{ 0x1p-44, "5.684341886080802e-14" },
		{ 0x1p-24, "5.960464477539063e-08" },
		{ 0x1p-20, "9.5367431640625e-07" }, { 1e22, "1e+22" },
		{ 1e23, "1e+23" }, { 9.999999999999999e22, "1e+23" },
		{ 0x1p53, "9.007199254740992e+15" },
		{ 9007199254740993.0, "9.007199254740992e+15" },
		{ 9007199254740994.0, "9.007199254740994e+15" },
		{ 0x1p63, "9.223372036854776e+18" },
		{ 0x1p64, "1.8446744073709552e+19" }, { 0.5, "0.5" },
		{ 1.5, "1.5" },
		{ 2251799813685248.5, "2.2517998136852485e+15" },
		{ 2e-323, "2e-323" }, { 5e-5, "5e-05" },
		{ 123456.5, "123456.5" }, { 4.35e-4, "0.000435" } };
	uint64_t x = 88172645463325252u;
	struct buf b = { 0 };
	char want[64];
	size_t bad = 0;

	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		CHECK(prints(edge[i].v, edge[i].want));
	for (int i = 0; i < 30000; i++) {
		double v = pick(next(&x), i);

		/* a power of two may have a shorter one than the nearest */
		if (!isfinite(v) || (num_bits(v) << 12) == 0)
			continue;
		by_trial(want, sizeof(want), v);
		buf_reset(&b);
		num_format(&b, v, 'g', -1);
		if (!str_eq(buf_str(&b), str_of(want)) && bad++ < 3)
			printf("# %s, not %s\n", buf_cstr(&b), want);
	}
	CHECK(bad == 0);
	buf_fini(&b);
}

/* Every power of two, on whose lower side doubles are nearer, reads back. */
static void
powers_of_two(void)
{
	struct buf b = { 0 };
	size_t bad = 0;
	double v, w;

	for (int i = -1074; i < 1024; i++) {
		v = ldexp(1, i);
		buf_reset(&b);
		num_format(&b, v, i & 1 ? 'e' : 'f', -1);
		bad += num_parse(buf_str(&b), &w) == -1 || w != v ||
		    strtod(buf_cstr(&b), NULL) != v;
	}
	CHECK(bad == 0);
	buf_fini(&b);
}

/* One of the ways in which a number may be written. */
static int
write_number(char *z, size_t n, uint64_t x, uint64_t y, int i)
{
	double d;

	switch (i % 7) {
	case 0:
		return snprintf(z, n, "%jue%d", (uintmax_t)(x >> (y & 63)),
		    (int)(y >> 8 & 1023) - 512);
	case 1:
		return snprintf(z, n, "%ju.%ju", (uintmax_t)(x >> (y & 63)),
		    (uintmax_t)(y >> (y >> 6 & 63)));
	case 2:
		return snprintf(z, n, "-%ju%juE%d", (uintmax_t)x, (uintmax_t)y,
		    (int)(y >> 8 & 511) - 276);
	case 3: /* halfway between two doubles, or cut off near it */
		d = num_from_bits(
		    (x & ~UINT64_C(0) >> 12) | (1023 + y % 80) << 52);
		return snprintf(z, n, "%.*Lf", (int)(y >> 8) % 40,
		    ((long double)d +
			(long double)num_from_bits(num_bits(d) + 1)) /
			2);
	case 4:
		return snprintf(z, n, "%jue-%d", (uintmax_t)(x >> (y & 31)),
		    300 + (int)(y >> 40) % 50);
	case 5:
		return snprintf(
		    z, n, "0.%0*d%ju", (int)(y % 30), 0, (uintmax_t)x);
	default:
		return snprintf(z, n, "%ju%0*d.%0*de%d", (uintmax_t)x,
		    (int)(y & 31), 0, (int)(y >> 5 & 31), (int)(y >> 62),
		    (int)(y >> 10 & 63) - 32);
	}
}

static void
as_strtod(void)
{
	static const char *const edge[] = { "1e23", "9007199254740993",
		"9007199254740992.99999999999999999999",
		"9007199254740993.00000000000000000000000000000000000000001",
		"2.2250738585072011e-308", "2.2250738585072012e-308",
		"4.9406564584124654e-324", "2.4703282292062327e-324",
		"2.4703282292062328e-324", "1.7976931348623158e308",
		"17976931348623157e292", "8.5", "3.5e-323",
		"0.500000000000000166533453693773481063544750213623046875",
		"7.2057594037927933e16", "1090544144181609348671888949248",
		"100000000000000000000000000000000000000000000000000e-50" };
	uint64_t x = 88172645463325252u, y;
	char z[256];
	size_t bad = 0;
	double v = 0, w;
	int n, rc;

	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		CHECK(parse(edge[i]) == strtod(edge[i], NULL));
	for (int i = 0; i < 30000; i++) {
		y = next(&x);
		n = write_number(z, sizeof(z), next(&x), y, i);
		w = strtod(z, NULL);
		rc = num_parse((str){ z, (size_t)n }, &v);
		if (isinf(w) ? rc == 0 : rc == -1 || num_bits(v) != num_bits(w))
			if (bad++ < 3)
				printf("# %s\n", z);
	}
	CHECK(bad == 0);
}

/* Far from the end of the text many bytes are looked at at once. */
static bool
scans(const char *z, ptrdiff_t want, double v)
{
	size_t n = strlen(z);
	bool ok = true;

	for (size_t more = 0; ok && more < 72; more++) {
		char *p = mem_alloc(n + more);
		const char *end;
		double got = 0;

		memcpy(p, z, n);
		memset(p + n, '\n', more);
		end = num_scan(p, p + n + more, &got);
		ok = want == -1 ? end == NULL : end == p + want && got == v;
		free(p);
	}
	return ok;
}

static void
scanning(void)
{
	static const struct {
		const char *text;
		ptrdiff_t n; /* -1: no number */
		double v;
	} row[] = { { "1\n", 1, 1 }, { "12 3", 2, 12 }, { "-1.5e3x", 6, -1500 },
		{ "7", 1, 7 }, { "7,", 1, 7 }, { "7e", -1, 0 },
		{ "1.2.3", 3, 1.2 }, { "NaN", -1, 0 }, { "", -1, 0 },
		{ "-", -1, 0 }, { "1e999", -1, 0 }, { "0x1", 1, 0 },
		{ "12345678.12345678 1", 17, 12345678.12345678 },
		{ "1234567890123456", 16, 1234567890123456 },
		{ "999999999999999 ", 15, 999999999999999 },
		{ "0.123456789012345678901234", 26,
		    0.123456789012345678901234 },
		{ "1.000000000000000000000001", 26, 1 },
		{ "+5.1539607552e+10", 17, 51539607552 },
		{ "-5.1539607552e-10,", 17, -5.1539607552e-10 },
		{ "2e+100", 6, 2e100 }, { "2e5", 3, 2e5 }, { "5.", 2, 5 },
		{ ".5", 2, .5 }, { "12345678e+0", 11, 12345678 },
		{ "1.5e+", -1, 0 }, { "1e+9x", 4, 1e9 } };

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		CHECK(scans(row[i].text, row[i].n, row[i].v));
}

/* Large numbers, the lowest 32 bits first. */
struct big {
	uint32_t w[48];
};

static void
times(struct big *x, uint32_t k, uint32_t add)
{
	uint64_t c = add;

	for (size_t i = 0; i < 48; i++) {
		c += (uint64_t)x->w[i] * k;
		x->w[i] = (uint32_t)c;
		c >>= 32;
	}
}

static void
shift(struct big *x, int n)
{
	for (; n >= 16; n -= 16)
		times(x, 1u << 16, 0);
	times(x, 1u << n, 0);
}

static int
compare(const struct big *x, const struct big *y)
{
	for (size_t i = 48; i-- > 0;)
		if (x->w[i] != y->w[i])
			return x->w[i] > y->w[i] ? 1 : -1;
	return 0;
}

/* x (g - less), g of 128 bits */
static struct big
product(const struct big *x, const struct num_pow *g, uint32_t less)
{
	uint32_t part[4] = { (uint32_t)g->lo - less, (uint32_t)(g->lo >> 32),
		(uint32_t)g->hi, (uint32_t)(g->hi >> 32) };
	struct big sum = { { 0 } };

	for (int i = 0; less && i < 3 && part[i] == UINT32_MAX; i++)
		part[i + 1]--;
	for (size_t i = 4; i-- > 0;) {
		uint64_t c = 0;

		shift(&sum, 32);
		for (size_t j = 0; j < 48; j++) {
			c += (uint64_t)x->w[j] * part[i] + sum.w[j];
			sum.w[j] = (uint32_t)c;
			c >>= 32;
		}
	}
	return sum;
}

/* (g - 1) 2^r < 10^k <= g 2^r, and g has 128 bits. */
static void
table_of_powers(void)
{
	const struct big one = { { 1 } };
	size_t bad = 0;

	for (int k = NUM_POW_MIN; k <= NUM_POW_MAX; k++) {
		const struct num_pow *g = &num_pow[k - NUM_POW_MIN];
		struct big ten = one, two = one, low, high;
		int r = (int)floor(k * log2(10)) - 127;

		for (int i = 0; i < abs(k); i++)
			times(&ten, 10, 0);
		shift(&two, abs(r));
		/* those with a negative exponent go to the other side */
		if (r >= 0) {
			low = product(&two, g, 1);
			high = product(&two, g, 0);
			two = ten;
		} else if (k < 0) {
			low = product(&ten, g, 1);
			high = product(&ten, g, 0);
		} else {
			low = product(&one, g, 1);
			high = product(&one, g, 0);
			for (int i = 0; i < k; i++)
				times(&two, 10, 0);
		}
		bad += g->hi >> 63 != 1 || compare(&low, &two) >= 0 ||
		    compare(&two, &high) > 0;
	}
	CHECK(bad == 0);
}

static void
open_metrics(void)
{
	static const double v[] = { 1, 0.5, 1e6, -3, 123456, 0, -0.0 };
	struct buf b = { 0 };

	buf_z(&b, "le=");
	num_print_om(&b, INFINITY);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_byte(&b, ' ');
		num_print_om(&b, v[i]);
	}
	CHECK_STR(buf_str(&b), "le=+Inf 1.0 0.5 1e+06 -3.0 123456.0 0.0 0.0");
	buf_fini(&b);
}

/* Is s taken as what would be printed?  If it is, it has to be. */
static bool
taken(str s)
{
	const char *p = num_scan_printed(s.p, s.p + s.n);
	struct buf b = { 0 };
	double v = 0;
	bool good;

	if (p == NULL)
		return false;
	s = str_from(s.p, p);
	good = num_parse(s, &v) == 0;
	num_print(&b, v);
	if (!good || !str_eq(buf_str(&b), s)) {
		printf("# %.*s is printed as %.*s\n", STR_ARG(s),
		    STR_ARG(buf_str(&b)));
		CHECK(false);
	}
	buf_fini(&b);
	return true;
}

/* Text that stands as it is printed, and text that does not. */
static void
printed(void)
{
	static const char *const yes[] = { "0", "-0", "1", "-17", "100000",
		"999999999999999", "0.5", "-0.25", "0.0001", "123456.7",
		"100000.000000001", "1.23456785e+07", "1e-05", "1.5e-10",
		"1.23456789012e+09" };
	static const char *const no[] = { "", "-", "x", "NaN", "+Inf", "+1",
		"01", "-007", "1.", ".5", "0.0", "1.50", "0.00001", "1234567.5",
		"1000000000000000", "0.1234567890123456", "1e5", "1e+06",
		"17e-07", "1.5e+07", "12.5e+07", "1.5E+07", "1.25e+5",
		"1.25e+7", "0.5e-10", "1.50e-10", "1e-04", "1.5e-100", "1e+300",
		"1.5e", "1.5e+" };
	static const char set[] = "00112579..--+e";
	uint64_t x = 88172645463325252u;
	struct buf b = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		CHECK(taken(str_of(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CHECK(!taken(str_of(no[i])));
	/* anything at all, and what is printed of decimals */
	for (int i = 0; i < 300000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_reset(&b);
		for (uint64_t k = 0; i % 2 && k < x % 20; k++)
			buf_byte(&b, set[(x >> (k * 3)) % (sizeof(set) - 1)]);
		if (i % 2 == 0)
			num_format(&b, (double)(x >> (x % 54 + 10)) / 1e4,
			    x % 3 ? 'g' : 'f', -1);
		n += taken(buf_str(&b));
	}
	CHECK(n > 100000);
	buf_fini(&b);
}

int
main(void)
{
	printed();
	open_metrics();
	parsing();
	refusing();
	integers();
	printing();
	formatting();
	round_trips();
	shortest_digits();
	powers_of_two();
	as_strtod();
	scanning();
	table_of_powers();
	return done();
}
