/*
 * How fast expressions are answered: over 2,000 series in memory with six
 * hours of samples 15 s apart (2.9 M samples).  Prints exposition text; the
 * best of several passes counts, as the machine is shared.
 */
#include <stdio.h>
#include <time.h>

#include "metric/series.h"
#include "promql/promql.h"

#define SERIES 2000
#define SAMPLES 1440
#define PASSES 5

static double
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
load(struct series_set *s)
{
	struct buf b = { 0 };
	struct arena a;
	struct labels ls;
	unsigned seed = 1;

	arena_init(&a);
	for (unsigned i = 0; i < SERIES; i++) {
		double v = 0;

		buf_reset(&b);
		buf_printf(&b,
		    "requests_total{job=\"j%u\",instance=\"host-%u:8080\","
		    "code=\"%u\",handler=\"/api/v1/%u\"}",
		    i % 10, i / 20, 200 + i % 5, i % 20);
		(void)label_parse(buf_str(&b), &a, &ls, NULL);
		for (int64_t t = 0; t < SAMPLES; t++) {
			seed = seed * 1664525u + 1013904223u;
			v = seed >> 22 == 0 ? 0 : v + (seed >> 24);
			series_add(s, ls, t * 15000, v);
		}
	}
	buf_fini(&b);
	arena_fini(&a);
}

static const struct {
	const char *name, *expr;
	int64_t step; /* 0: instant, at the end */
} cases[] = {
	{ "instant_select", "requests_total", 0 },
	{ "instant_sum_rate", "sum by (job) (rate(requests_total[5m]))", 0 },
	{ "range_select", "requests_total", 90000 },
	{ "range_sum_rate", "sum by (job) (rate(requests_total[5m]))", 90000 },
	{ "range_max_over_time", "max_over_time(requests_total[30m])", 90000 },
	{ "range_sum_over_time", "sum_over_time(requests_total[30m])", 90000 },
	{ "range_avg_over_time", "avg_over_time((requests_total / 7)[30m:15s])",
	    90000 },
	{ "range_quantile_over_time",
	    "quantile_over_time(0.9, requests_total[30m])", 90000 },
	{ "range_resets", "resets(requests_total[1h])", 90000 },
	{ "range_twice",
	    "sum(rate(requests_total[5m])) / (sum(rate(requests_total[5m])) + "
	    "sum(rate(requests_total[5m])))",
	    90000 },
	{ "range_quantile", "quantile by (job) (0.9, requests_total)", 90000 },
	{ "range_topk", "topk by (job) (3, requests_total)", 90000 },
	{ "range_match",
	    "requests_total / on (job, instance, code, handler) "
	    "requests_total",
	    90000 },
	{ "range_subquery",
	    "max_over_time(sum by (job) (rate(requests_total[5m]))[1h:5m])",
	    90000 },
};

/* The time one case takes; *points gets the size of its answer. */
static double
run(size_t k, struct series_set *s, size_t *points)
{
	struct source src = series_source(s);
	struct promql_opts o = { .to = (SAMPLES - 1) * INT64_C(15000) };
	struct promql_result r;
	struct promql_expr *x;
	struct arena a;
	struct error e;
	double from = seconds(), t;

	o.step = cases[k].step;
	o.from = o.step == 0 ? o.to : 0;
	*points = 0;
	arena_init(&a);
	x = promql_parse(str_of(cases[k].expr), &a, &e);
	if (x == NULL || promql_eval(x, &src, &o, &a, &r, &e) == -1)
		fprintf(stderr, "promql: %s: %s\n", cases[k].name, e.msg);
	else
		for (size_t i = 0; i < r.n; i++)
			*points += r.v[i].n;
	t = seconds() - from;
	promql_free(x);
	arena_fini(&a);
	return t;
}

int
main(void)
{
	struct series_set *s = series_new();
	size_t points = 0;

	load(s);
	printf("# HELP mf_bench_seconds Time that a part takes.\n"
	       "# TYPE mf_bench_seconds gauge\n");
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		double best = 1e9;

		for (int i = 0; i < PASSES; i++) {
			double t = run(k, s, &points);

			best = t < best ? t : best;
		}
		printf("mf_bench_seconds{bench=\"promql\",case=\"%s\"} %.6f\n",
		    cases[k].name, best);
		fprintf(
		    stderr, "promql: %s: %zu points\n", cases[k].name, points);
	}
	series_free(s);
	return 0;
}
