/* base/num: every text reads back, the forms of Go are met. */
#include "base/num.h"

#include <stdlib.h>

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

static void
open_metrics(void)
{
	static const double v[] = { 1, 0.5, 1e6, -3, 123456, 0 };
	struct buf b = { 0 };

	buf_z(&b, "le=");
	num_print_om(&b, INFINITY);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_byte(&b, ' ');
		num_print_om(&b, v[i]);
	}
	CHECK_STR(buf_str(&b), "le=+Inf 1.0 0.5 1e+06 -3.0 123456.0 0.0");
	buf_fini(&b);
}

int
main(void)
{
	open_metrics();
	parsing();
	refusing();
	integers();
	printing();
	formatting();
	round_trips();
	return done();
}
