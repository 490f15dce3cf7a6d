/*
 * Choosing ticks.  The smallest round step that gives few enough labels
 * competes with its larger neighbour; simplicity, coverage and density
 * decide, weighted as in Talbot, Lin and Hanrahan's "An Extension of
 * Wilkinson's Algorithm for Positioning Tick Labels on Axes" (2010).
 */
#include "plot/scale.h"

#include <math.h>

struct step {
	double v;
	double simple; /* 1: the roundest */
};

static struct step
decimal_above(double x)
{
	static const double m[] = { 1, 2, 5, 10 };
	static const double nice[] = { 1, 0.8, 0.9, 1 };
	int e = (int)floor(log10(x));
	size_t i = 0;

	/* A product of a whole power is exact where a fraction's is not. */
	for (; i < 3; i++) {
		double p = e < 0 ? m[i] / pow(10, -e) : m[i] * pow(10, e);

		if (p >= x * (1 - 1e-9))
			return (struct step){ p, nice[i] };
	}
	e++;
	return (struct step){ e < 0 ? 1 / pow(10, -e) : pow(10, e), 1 };
}

static struct step
binary_above(double x)
{
	int e;
	double v;

	if (x < 1)
		return decimal_above(x);
	v = frexp(x * (1 - 1e-9), &e) > 0.5 ? ldexp(1, e) : ldexp(1, e - 1);
	return (struct step){ v, e % 10 == 0 ? 1 : 0.9 };
}

static struct step
time_above(double x)
{
	static const double m[] = { 30, 60, 120, 300, 600, 900, 1800, 3600,
		7200, 10800, 21600, 43200, 86400 };

	if (x <= 20)
		return decimal_above(x);
	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		if (m[i] >= x * (1 - 1e-9))
			return (struct step){ m[i], 0.9 };
	x = decimal_above(x / 86400).v;
	return (struct step){ x * 86400, 0.9 };
}

static struct step
step_above(enum plot_round round, double base, double x, bool counts)
{
	struct step s;

	if (counts && x < 1)
		x = 1;
	switch (round) {
	case PLOT_ROUND_DECIMAL:
		return decimal_above(x);
	case PLOT_ROUND_BINARY:
		s = binary_above(x * base);
		s.v /= base;
		return s;
	case PLOT_ROUND_TIME:
		s = time_above(x * base);
		s.v /= base;
		return s;
	}
	return decimal_above(x);
}

static double
first_of(double lo, double step)
{
	return floor(lo / step + 1e-9);
}

static int
intervals(double lo, double hi, double step)
{
	double n = ceil(hi / step - 1e-9) - first_of(lo, step);

	return n < 1 ? 1 : n > 1e6 ? 1000000 : (int)n;
}

/* What data asks for before it is rounded. */
static void
grow(double *lo, double *hi)
{
	double big;

	if (*lo > *hi) {
		*lo = 0;
		*hi = 1;
	}
	*lo = fmin(fmax(*lo, -PLOT_LIMIT), PLOT_LIMIT);
	*hi = fmin(fmax(*hi, -PLOT_LIMIT), PLOT_LIMIT);
	big = fmax(fabs(*lo), fabs(*hi));
	if (big < 1e-290) { /* zero as far as a picture goes */
		*lo = 0;
		*hi = 1;
	} else if (*hi - *lo <= big * 1e-9) { /* a constant: show its height */
		*lo = fmin(*lo, 0);
		*hi = fmax(*hi, 0);
	}
	if (*lo >= 0 && *lo < 0.4 * *hi)
		*lo = 0;
	if (*hi <= 0 && *hi > 0.4 * *lo)
		*hi = 0;
}

static int
rows_for(int rows, int n)
{
	return n < rows ? (rows - 1) / n * n + 1 : rows;
}

/* The part of all rows that the data itself takes. */
static double
cover(const struct step *s, double lo, double hi, int rows, int n)
{
	return (hi - lo) / (n * s->v) * rows_for(rows, n) / rows;
}

/* Does the data lose nothing, and fill most of it, with n intervals? */
static bool
roomy(const struct step *s, double lo, double hi, int rows, int n)
{
	return hi > 0 && hi - lo > 0.75 * n * s->v &&
	    cover(s, lo, hi, rows, n) > 0.95 * cover(s, lo, hi, rows, n - 1);
}

static double
score(const struct step *s, double lo, double hi, int rows, int most)
{
	int n = intervals(lo, hi, s->v);

	return 0.25 * s->simple + 0.2 * cover(s, lo, hi, rows, n) +
	    0.5 * n / most;
}

/*
 * A third of the chart's lines, of which four are not rows of the plot, and no
 * two in neighbouring rows.
 */
static int
labels(int rows, bool cells)
{
	int n = (rows + 4) / 3, apart = cells ? (rows - 1) / 2 : n;

	n = n < apart ? n : apart;
	return n < 1 ? 2 : n + 1;
}

void
plot_scale(struct plot_scale *s, double lo, double hi, int rows, bool cells,
    str unit, bool counts)
{
	int most = labels(rows, cells) - 1;
	double base;
	enum plot_round round = plot_unit_round(unit, &base);
	struct step a, b;

	grow(&lo, &hi);
	if (lo < 0 && hi > 0 && most < 2)
		most = 2; /* zero is always a tick */
	a = step_above(round, base, (hi - lo) / most, counts);
	while (intervals(lo, hi, a.v) > most)
		a = step_above(round, base, a.v * 1.01, counts);
	b = step_above(round, base, a.v * 1.01, counts);
	if (score(&b, lo, hi, rows, most) > score(&a, lo, hi, rows, most))
		a = b;
	s->step = a.v;
	s->n = intervals(lo, hi, a.v);
	/* An interval more on top, if the rows it takes were idle. */
	if (cells && s->n < most && roomy(&a, lo, hi, rows, s->n + 1))
		s->n++;
	s->lo = first_of(lo, a.v) * a.v;
	s->hi = s->lo + s->n * a.v;
	s->rows = rows_for(rows, s->n);
	plot_form_axis(&s->form, unit, s->lo, s->hi, s->step);
}

double
plot_scale_tick(const struct plot_scale *s, int i)
{
	double v = s->lo + i * s->step;

	return fabs(v) < s->step * 1e-6 ? 0 : v;
}

double
plot_scale_at(const struct plot_scale *s, double v)
{
	double x = (v - s->lo) / (s->hi - s->lo);

	return x > 0 ? fmin(x, 1) : 0; /* NaN, of no range, is 0 too */
}
