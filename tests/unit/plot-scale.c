/*
 * Round steps, whole rows, honest ranges.
 */
#include <math.h>

#include "check.h"
#include "plot/scale.h"

static struct plot_scale
scale(double lo, double hi, int rows, const char *unit)
{
	struct plot_scale s;

	plot_scale(&s, lo, hi, rows, true, str_of(unit), false);
	return s;
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static void
steps(void)
{
	struct plot_scale s;

	s = scale(0.0375, 0.436, 16, "s");
	CHECK(near(s.lo, 0) && near(s.hi, 0.5) && s.n == 5 && s.rows == 16);
	s = scale(12, 62, 9, "percent");
	CHECK(near(s.lo, 0) && near(s.hi, 80) && s.n == 4 && s.rows == 9);
	s = scale(-2.3, 5.5, 11, "");
	CHECK(near(s.lo, -4) && near(s.hi, 6) && s.n == 5);
	s = scale(3 * 0x1p20, 11 * 0x1p20, 16, "bytes");
	CHECK(near(s.step, 0x1p21) || near(s.step, 0x1p22));
	s = scale(0, 7200, 16, "s");
	CHECK(near(s.step, 1800) && s.hi >= 7200);
	s = scale(0, 2.5e6, 16, "ms");
	CHECK(fmod(s.step, 60000) == 0);
	/* Zoomed in where zero is far. */
	s = scale(900, 1000, 16, "");
	CHECK(s.lo >= 800 && s.hi <= 1020);
	/* Counts are never halves. */
	plot_scale(&s, 0, 2, 30, true, STR(""), true);
	CHECK(near(s.step, 1) && s.n == 2);
}

static void
edges(void)
{
	struct plot_scale s;

	s = scale(1, 0, 16, ""); /* no data */
	CHECK(near(s.lo, 0) && near(s.hi, 1));
	s = scale(0, 0, 16, "");
	CHECK(near(s.lo, 0) && near(s.hi, 1));
	s = scale(5, 5, 16, "");
	CHECK(near(s.lo, 0) && s.hi >= 5 && s.hi <= 6);
	s = scale(-5, -5, 16, "");
	CHECK(near(s.hi, 0) && s.lo <= -5);
	s = scale(-1.7e308, 1.7e308, 16, "");
	CHECK(isfinite(s.lo) && isfinite(s.hi) && s.lo < s.hi && s.n >= 1);
	s = scale(5e-324, 1e-323, 16, "");
	CHECK(s.lo < s.hi && s.n >= 1);
	s = scale(1e17, 1e17 + 16, 16, "");
	CHECK(s.lo < s.hi && s.n <= 6);
	s = scale(-3, -1, 1, "");
	CHECK(s.rows == 1 && s.n >= 1);
	CHECK(plot_scale_at(&s, 1e9) == 1 && plot_scale_at(&s, -1e9) == 0);
}

/* Whatever the data, the labels sit on rows and hold it. */
static void
sweep(void)
{
	static const char *const units[] = { "", "bytes", "s", "ms",
		"percentunit" };
	unsigned seed = 1, bad = 0;

	for (int i = 0; i < 20000; i++) {
		double lo, hi, m;
		struct plot_scale s;
		int rows = 1 + i % 60;

		seed = seed * 1103515245 + 12345;
		m = pow(10, (double)(seed >> 16 & 31) - 15);
		seed = seed * 1103515245 + 12345;
		lo = m * ((double)(seed >> 8 & 0xffff) / 32768 - 1);
		seed = seed * 1103515245 + 12345;
		hi = lo + m * (double)(seed >> 8 & 0xffff) / 65536;
		s = scale(lo, hi, rows, units[i % 5]);
		if (s.lo > lo + s.step * 1e-6 || s.hi < hi - s.step * 1e-6 ||
		    s.n < 1 || s.rows > rows ||
		    (s.n < rows && (s.rows - 1) % s.n != 0) ||
		    (rows > 4 && s.n > (rows + 4) / 3)) {
			bad++;
			printf("# %g %g %d %s: %g %g %g %d %d\n", lo, hi, rows,
			    units[i % 5], s.lo, s.hi, s.step, s.n, s.rows);
		}
	}
	CHECK(bad == 0);
}

int
main(void)
{
	steps();
	edges();
	sweep();
	return done();
}
