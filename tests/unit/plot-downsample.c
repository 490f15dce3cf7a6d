/*
 * M4: nothing is lost that can be seen, gaps stay gaps.
 */
#include <math.h>

#include "base/num.h"
#include "check.h"
#include "plot/downsample.h"

#define N 1000

static void
spike(void)
{
	static int64_t t[N];
	static double v[N];
	struct plot_m4 m[10];
	size_t n;
	double top = 0;

	for (int i = 0; i < N; i++) {
		t[i] = i * 1000;
		v[i] = 1;
	}
	v[537] = 100;
	v[538] = -100;
	n = plot_m4(m, t, v, N, 0, (N - 1) * 1000, 10, 1500);
	CHECK(n == 10);
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < m[i].n; k++)
			top = fmax(top, fabs(m[i].v[k]));
	CHECK(top == 100);
	CHECK(m[5].n == 4 && m[5].v[1] == 100 && m[5].v[2] == -100);
	CHECK(m[5].t[0] < m[5].t[1] && m[5].t[2] < m[5].t[3]);
	CHECK(!m[0].joined && m[1].joined && m[9].joined);
}

static void
gaps(void)
{
	int64_t t[] = { 0, 10, 20, 50, 60, 70, 80 };
	double v[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct plot_m4 m[9];

	CHECK(plot_m4(m, t, v, 7, 0, 80, 9, 15) == 7);
	CHECK(m[1].joined && m[2].joined && !m[3].joined && m[4].joined);
	CHECK(plot_m4(m, t, v, 7, 0, 80, 9, 30) == 7 && m[3].joined);
	v[1] = NAN;
	CHECK(plot_m4(m, t, v, 7, 0, 80, 9, 30) == 6 && !m[1].joined);
	v[1] = num_stale();
	CHECK(plot_m4(m, t, v, 7, 0, 80, 9, 30) == 6 && !m[1].joined);
	v[1] = INFINITY;
	CHECK(plot_m4(m, t, v, 7, 0, 80, 9, 30) == 6 && !m[1].joined);
	/* Only what is in the range. */
	CHECK(plot_m4(m, t, v, 7, 55, 75, 9, 30) == 2);
	CHECK(m[0].v[0] == 5);
	CHECK(plot_m4(m, t, v, 0, 0, 80, 9, 30) == 0);
}

static void
one_column(void)
{
	int64_t t[] = { 1, 2, 3 };
	double v[] = { 5, 5, 5 };
	struct plot_m4 m[1];

	CHECK(plot_m4(m, t, v, 3, 0, 10, 1, 5) == 1);
	CHECK(m[0].n == 2 && m[0].t[0] == 1 && m[0].t[1] == 3);
	CHECK(plot_m4(m, t, v, 1, 0, 10, 1, 5) == 1 && m[0].n == 1);
}

int
main(void)
{
	spike();
	gaps();
	one_column();
	return done();
}
