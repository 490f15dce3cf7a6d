/*
 * A chart of 10 series of 480 points, as text and as SVG.
 */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "plot/plot.h"

#define SERIES 10
#define POINTS 480
#define ROUNDS 50

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int
main(void)
{
	static int64_t t[POINTS];
	static double v[SERIES][POINTS];
	static struct label l[SERIES];
	static char name[SERIES][8];
	struct plot_series s[SERIES];
	struct plot p = {
		.v = s, .n = SERIES, .step = 15000, .warn = 9, .crit = 12
	};
	struct plot_text_opts o = { 160, 40, false, PLOT_RGB };
	const char *const cases[] = { "text", "svg" };
	struct buf b = { 0 };

	for (size_t i = 0; i < SERIES; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "s%zu", i);
		l[i] = (struct label){ STR("series"), str_of(name[i]) };
		for (size_t k = 0; k < POINTS; k++) {
			t[k] = INT64_C(1637582400000) + (int64_t)k * 15000;
			v[i][k] = (double)i + (double)(k * (7 + i) % 61) / 20;
		}
		s[i] = (struct plot_series){ { &l[i], 1 }, t, v[i], POINTS };
	}
	p.from = t[0];
	p.to = t[POINTS - 1];
	printf("# HELP mf_bench_seconds Time of one run.\n"
	       "# TYPE mf_bench_seconds gauge\n");
	for (size_t k = 0; k < 2; k++) {
		double best = 1e9;

		for (int i = 0; i < ROUNDS; i++) {
			double t0 = now();

			buf_reset(&b);
			if (k == 0)
				plot_text(&b, &p, &o);
			else
				plot_svg(&b, &p, 800, 360);
			if (now() - t0 < best)
				best = now() - t0;
		}
		printf("mf_bench_seconds{bench=\"plot\",case=\"%s\"} %.6f\n",
		    cases[k], best);
	}
	buf_fini(&b);
	return 0;
}
