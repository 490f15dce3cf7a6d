/*
 * Hostile expressions: parsed, printed both ways and as a tree, read back,
 * names put in, and evaluated over a few series, floats and native histograms,
 * with small limits, both ways names can go.
 */
#include <stdlib.h>

#include "base/json.h"
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

/* n: exponential of two schemas, e: custom of two kinds, m: mixed. */
static void
load_histograms(struct series_set *s, struct arena *a)
{
	static const struct {
		const char *series, *text;
		int64_t every, first;
	} lines[] = {
		{ "n",
		    "{count:9,sum:1,schema:1,zero_threshold:0.1,"
		    "zero_count:1,negative_spans:[-3:2],negative_buckets:"
		    "[1,2],positive_spans:[0:2,3:1],positive_buckets:[1,2,"
		    "2]}",
		    2, 0 },
		{ "n",
		    "{count:12,sum:NaN,schema:0,zero_threshold:0.7,"
		    "zero_count:3,positive_spans:[-1:3],positive_buckets:"
		    "[1,2,5]}",
		    2, 1 },
		{ "e",
		    "{count:9,sum:9,schema:-53,positive_spans:[0:3],"
		    "positive_buckets:[1,3,5],custom_values:[-1,2,7]}",
		    3, 0 },
		{ "e",
		    "{count:9,sum:9,schema:-53,positive_spans:[1:2],"
		    "positive_buckets:[4,5],custom_values:[2,8,9],hint:"
		    "gauge}",
		    3, 1 },
		{ "e",
		    "{count:7,sum:9,schema:-53,positive_spans:[0:1],"
		    "positive_buckets:[7]}",
		    3, 2 },
		{ "m",
		    "{count:1e308,sum:1e308,schema:-4,positive_spans:[0:1],"
		    "positive_buckets:[1e308],hint:reset}",
		    3, 1 },
		{ "m", "{count:0,sum:0,schema:-53}", 3, 2 },
	};
	struct histogram h;
	struct labels ls;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (label_parse(str_of(lines[i].series), a, &ls, NULL) == -1 ||
		    histogram_parse(&h, str_of(lines[i].text), a, NULL, NULL) ==
			-1)
			abort();
		for (int64_t t = lines[i].first; t < 30; t += lines[i].every)
			(void)series_add_histogram(s, ls, t * 15000, &h);
	}
	for (int64_t t = 0; t < 30; t += 3) {
		(void)series_add(s, ls, t * 15000, (double)(t % 7));
		series_start(s, ls, t * 15000, t % 2 ? t * 15000 - 7000 : 0);
	}
}

/* A result has points, and its histograms are some. */
static void
look(const struct promql_series *s)
{
	struct buf b = { 0 };

	if (s->n == 0)
		abort();
	for (size_t i = 0; i < s->n && s->h != NULL; i++)
		if (s->h[i] != NULL) {
			histogram_json(&b, s->h[i]);
			histogram_print(&b, s->h[i]);
		}
	buf_fini(&b);
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
	};
	struct promql_result r;
	struct arena a;
	struct error e;

	arena_init(&a);
	if (promql_eval(x, &src, &o, &a, &r, &e) == 0)
		for (size_t i = 0; i < r.n; i++)
			look(&r.v[i]);
	arena_fini(&a);
}

typedef void print(struct buf *b, const struct promql_expr *x);

/* What was printed reads back and prints the same. */
static void
round_trip(const struct promql_expr *x, print *how, struct arena *a)
{
	struct buf b = { 0 }, again = { 0 };
	struct promql_expr *y;
	struct error e;

	how(&b, x);
	y = promql_parse_with(buf_str(&b), PROMQL_EVERYTHING, a, &e);
	if (y == NULL)
		abort();
	how(&again, y);
	if (!str_eq(buf_str(&b), buf_str(&again)))
		abort();
	promql_free(y);
	buf_fini(&b);
	buf_fini(&again);
}

/* The tree is JSON. */
static void
as_tree(const struct promql_expr *x, struct arena *a)
{
	struct json_writer w;
	struct buf b = { 0 };
	struct error e;

	json_init(&w, &b, true);
	promql_print_tree(&w, x);
	if (json_parse(a, buf_str(&b), &e) == NULL &&
	    str_find(str_of(e.msg), STR("depth")) == strlen(e.msg))
		abort();
	buf_fini(&b);
}

/* Names are put in without an end to it. */
static void
with_names(str text)
{
	static const struct promql_macro m[] = {
		{ STR_INIT("a"), STR_INIT("b + b") },
		{ STR_INIT("w"), STR_INIT("5m") },
	};
	struct buf b = { 0 };
	struct error e;

	(void)promql_expand(&b, text, m, 2, PROMQL_EVERYTHING, &e);
	buf_fini(&b);
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
	with_names(text);
	x = promql_parse_with(text, PROMQL_EVERYTHING, &a, &e);
	if (x != NULL) {
		s = series_new();
		load(s, &a);
		load_histograms(s, &a);
		round_trip(x, promql_print, &a);
		round_trip(x, promql_print_pretty, &a);
		as_tree(x, &a);
		run(x, s, 0);
		run(x, s, 30000);
		series_free(s);
	}
	promql_free(x);
	arena_fini(&a);
	return 0;
}
