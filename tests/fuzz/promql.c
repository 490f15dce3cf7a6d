/*
 * Hostile expressions: parsed, printed, read back, and evaluated over a few
 * series with small limits, both ways names can go.
 */
#include <stdlib.h>

#include "metric/series.h"
#include "promql/promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
load(struct series_set *s, struct arena *a)
{
	static const char *const text[] = { "a{i=\"0\"}", "a{i=\"1\"}", "b",
		"h_bucket{le=\"1\"}", "h_bucket{le=\"+Inf\"}",
		"target_info{i=\"0\",job=\"j\",instance=\"k\"}" };
	struct labels ls;

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		if (label_parse(str_of(text[i]), a, &ls, NULL) == -1)
			abort();
		for (int64_t t = 0; t < 30; t++)
			series_add(s, ls, t * 15000,
			    (double)((t * 7 + (int64_t)i) % 11));
	}
}

static void
run(const struct promql_expr *x, struct series_set *s, int64_t step)
{
	struct source src = series_source(s);
	struct promql_opts o = {
		.from = 300000,
		.to = 300000 + 4 * step,
		.step = step,
		.max_samples = 20000,
		.late_names = step == 0,
	};
	struct promql_result r;
	struct arena a;
	struct error e;

	arena_init(&a);
	if (promql_eval(x, &src, &o, &a, &r, &e) == 0)
		for (size_t i = 0; i < r.n; i++)
			if (r.v[i].n == 0)
				abort();
	arena_fini(&a);
}

/* What was printed reads back and prints the same. */
static void
round_trip(const struct promql_expr *x, struct arena *a)
{
	struct buf b = { 0 }, again = { 0 };
	struct promql_expr *y;
	struct error e;

	promql_print(&b, x);
	y = promql_parse(buf_str(&b), a, &e);
	if (y == NULL)
		abort();
	promql_print(&again, y);
	if (!str_eq(buf_str(&b), buf_str(&again)))
		abort();
	promql_free(y);
	buf_fini(&b);
	buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = { (const char *)data, size };
	struct series_set *s;
	struct promql_expr *x;
	struct arena a;
	struct error e;

	arena_init(&a);
	x = promql_parse(text, &a, &e);
	if (x != NULL) {
		s = series_new();
		load(s, &a);
		round_trip(x, &a);
		run(x, s, 0);
		run(x, s, 30000);
		series_free(s);
	}
	promql_free(x);
	arena_fini(&a);
	return 0;
}
