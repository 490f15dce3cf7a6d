/*
 * Values and axes in their units.
 */
#include <math.h>

#include "check.h"
#include "plot/plot.h"
#include "plot/unit.h"

static bool
says(double v, const char *unit, const char *want)
{
	struct buf b = { 0 };
	bool same;

	plot_value(&b, v, str_of(unit));
	same = str_eq(buf_str(&b), str_of(want));
	if (!same)
		printf(
		    "# %g %s: '%s', want '%s'\n", v, unit, buf_cstr(&b), want);
	buf_fini(&b);
	return same;
}

static void
values(void)
{
	static const struct {
		double v;
		const char *unit, *want;
	} t[] = { { 0, "", "0" }, { 1, "", "1" }, { 0.5, "", "0.500" },
		{ 12.345, "", "12.3" }, { 1234, "", "1.23k" },
		{ -1234, "", "-1.23k" }, { 999.96, "", "1.00k" },
		{ 999.4, "", "999" }, { 9.996, "none", "10.0" },
		{ 1e-9, "", "1e-09" }, { 1e300, "", "1e+300" },
		{ 1230, "short", "1.23 K" }, { 1e9, "short", "1 Bil" },
		{ 1234567, "none", "1234567" }, { 1536, "bytes", "1.50 KiB" },
		{ 1023.9, "bytes", "1024 B" }, { 1500, "decbytes", "1.50 kB" },
		{ 3, "kbytes", "3 KiB" }, { 1e6, "Bps", "1 MB/s" },
		{ 2097152, "binBps", "2 MiB/s" }, { 1e6, "bps", "1 Mb/s" },
		{ 42.123, "percent", "42.1%" },
		{ 0.42123, "percentunit", "42.1%" }, { 0.223, "s", "223 ms" },
		{ 0.0000015, "s", "1.50 µs" }, { 90, "s", "1.50 min" },
		{ 5400, "s", "1.50 h" }, { 172800, "s", "2 d" },
		{ 1500, "ms", "1.50 s" }, { 0, "s", "0 s" },
		{ 1230, "reqps", "1.23K req/s" }, { 0.5, "ops", "0.500 ops/s" },
		{ 1e9, "hertz", "1 GHz" }, { 0.02, "volt", "20 mV" },
		{ 21.5, "celsius", "21.5 °C" },
		{ -21.5, "celsius", "-21.5 °C" },
		{ 1230, "currencyUSD", "$1.23K" }, { 5, "suffix:req", "5 req" },
		{ 5, "prefix:~", "~5" }, { 1230, "count:job", "1.23K job" },
		{ 2, "seconds", "2 s" }, { INFINITY, "s", "∞" },
		{ -INFINITY, "", "-∞" }, { NAN, "s", "NaN" } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK(says(t[i].v, t[i].unit, t[i].want));
	CHECK(plot_unit_valid(STR("reqps")) && plot_unit_valid(STR("")));
	CHECK(!plot_unit_valid(STR("parsec")));
}

static str
tick(struct buf *b, const char *unit, double hi, double step, double v)
{
	struct plot_form f;

	plot_form_axis(&f, str_of(unit), 0, hi, step);
	buf_reset(b);
	plot_form_print(b, &f, v);
	return buf_str(b);
}

static void
axes(void)
{
	struct buf b = { 0 };

	/* One unit and one precision, from the largest tick and the step. */
	CHECK_STR(tick(&b, "s", 0.5, 0.1, 0.1), "100 ms");
	CHECK_STR(tick(&b, "s", 1, 0.2, 0.2), "0.2 s");
	CHECK_STR(tick(&b, "s", 1, 0.2, 1), "1.0 s");
	CHECK_STR(tick(&b, "s", 1, 0.2, 0), "0");
	CHECK_STR(tick(&b, "bytes", 0x1p31, 0x1p29, 0x1p29), "0.5 GiB");
	CHECK_STR(tick(&b, "", 3500, 500, 500), "0.5k");
	CHECK_STR(tick(&b, "", 3500, 500, 3000), "3.0k");
	CHECK_STR(tick(&b, "percentunit", 1, 0.2, 0.2), "20%");
	CHECK_STR(tick(&b, "s", 600, 120, 120), "2 min");
	CHECK_STR(tick(&b, "s", 90, 10, 90), "90 s");
	/* Too fine a step for the prefix of the largest. */
	CHECK_STR(tick(&b, "", 1000000005, 1, 1000000004), "1000000004");
	CHECK_STR(tick(&b, "", 2e300, 1e300, 1e300), "1e+300");
	CHECK_STR(tick(&b, "", 4e-9, 2e-9, 2e-9), "2e-09");
	buf_fini(&b);
}

static void
long_suffix(void)
{
	struct buf b = { 0 };
	char id[200] = "suffix:";

	/* A suffix is cut between characters, never within one. */
	for (size_t i = 7; i + 3 < sizeof(id); i += 3)
		memcpy(id + i, "東", 4);
	plot_value(&b, 1, str_of(id));
	CHECK(b.n > 10 && b.n < 60 && str_utf8(buf_str(&b)));
	buf_fini(&b);
}

int
main(void)
{
	values();
	axes();
	long_suffix();
	return done();
}
