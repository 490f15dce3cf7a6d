/*
 * Evaluation: every case of the files in tests/promql in the test language,
 * then what that language cannot say: names that go at once, limits, options,
 * and sources that fail.  Covers aggregate.c, binary.c, extended.c, fn_*.c,
 * func.c, histogram.c, native.c, note.c, result.c, selector.c and window.c.
 */
#include <glob.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/num.h"
#include "check.h"
#include "metric/series.h"
#include "promql/promql.h"

static void
each(void *arg, size_t line, str head, bool ok, str why)
{
	checks++;
	if (!ok)
		fails++;
	printf("%sok %d - %s:%zu\n", ok ? "" : "not ", checks,
	    (const char *)arg, line);
	if (!ok)
		fprintf(stderr, "%.*s\n%.*s", STR_ARG(head), STR_ARG(why));
}

static void
fault(void *arg, size_t line, size_t col, const char *msg)
{
	checks++;
	fails++;
	printf("not ok %d - %s:%zu:%zu: %s\n", checks, (const char *)arg, line,
	    col, msg);
}

static void
test_files(void)
{
	glob_t g;

	CHECK(glob("tests/promql/*.test", 0, NULL, &g) == 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct promql_test t = {
			.each = each, .fault = fault, .arg = g.gl_pathv[i]
		};
		struct buf b = { 0 };
		struct error e;

		CHECK(file_read(g.gl_pathv[i], &b, &e) == 0);
		promql_test(&t, buf_str(&b));
		CHECK(t.passed > 15);
		buf_fini(&b);
	}
	globfree(&g);
}

/* Series x{i="0"}, x{i="1"}, y{i="0"}: 1, 2, 3, ... every 10 s. */
static struct series_set *
samples(void)
{
	static const char *const text[] = { "x{i=\"0\"}", "x{i=\"1\"}",
		"y{i=\"0\"}" };
	struct series_set *s = series_new();
	struct arena a;
	struct labels ls;
	struct error e;

	arena_init(&a);
	for (size_t i = 0; i < 3; i++) {
		CHECK(label_parse(str_of(text[i]), &a, &ls, &e) == 0);
		for (int k = 0; k < 60; k++)
			series_add(s, ls, k * 10000, k + 1);
	}
	arena_fini(&a);
	return s;
}

/* All that can be written; names go at once, as Prometheus has it. */
#define LANGUAGE (PROMQL_FUNCTIONS | PROMQL_EXTENDED | PROMQL_FILL)

/* One query; its result as text, a series a line, or the error. */
static void
ask(const struct source *src, const char *expr, const struct promql_opts *o,
    struct buf *out)
{
	struct promql_result r;
	struct promql_expr *x;
	struct arena a;
	struct error e;

	buf_reset(out);
	arena_init(&a);
	x = promql_parse_with(str_of(expr), LANGUAGE, &a, &e);
	if (x == NULL || promql_eval(x, src, o, &a, &r, &e) == -1)
		buf_printf(out, "error: %s", e.msg);
	else if (r.type == PROMQL_SCALAR)
		num_print(out, r.scalar);
	else if (r.type == PROMQL_STRING)
		buf_add(out, r.string);
	else
		for (size_t i = 0; i < r.n; i++) {
			label_print_metric(out, r.v[i].labels);
			for (size_t k = 0; k < r.v[i].n; k++) {
				buf_printf(out, " %" PRId64 "=", r.v[i].t[k]);
				num_print(out, r.v[i].v[k]);
			}
			buf_byte(out, '\n');
		}
	promql_free(x);
	arena_fini(&a);
}

static void
expect(const char *expr, const struct promql_opts *o, const char *want)
{
	struct series_set *s = samples();
	struct source src = series_source(s);
	struct buf b = { 0 };

	ask(&src, expr, o, &b);
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# %s: %s\n", expr, buf_cstr(&b));
	CHECK(strcmp(buf_cstr(&b), want) == 0);
	buf_fini(&b);
	series_free(s);
}

/* Names that go at once may meet. */
static void
test_names(void)
{
	static const char same[] = "error: vector cannot contain metrics with "
				   "the same labelset";
	struct promql_opts o = { .from = 100000, .to = 100000 };

	expect("x * 2", &o, "{i=\"0\"} 100000=22\n{i=\"1\"} 100000=22\n");
	expect("x > 5", &o, "x{i=\"0\"} 100000=11\nx{i=\"1\"} 100000=11\n");
	expect("-{__name__=~\"x|y\",i=\"0\"}", &o, same);
	expect("abs({__name__=~\"x|y\",i=\"0\"})", &o, same);
	expect("{__name__=~\"x|y\",i=\"0\"} + 1", &o, same);
	expect("rate({__name__=~\"x|y\"}[1m])", &o, same);
	expect("sum(rate({__name__=~\"x|y\"}[1m]))", &o, same);
	expect("timestamp({__name__=~\"x|y\"})", &o, same);
	expect("count(last_over_time({__name__=~\"x|y\"}[1m]))", &o,
	    "{} 100000=3\n");
	expect("sum by (__name__) (x)", &o, "x 100000=22\n");
	expect("sum by (__name__) (x * 1)", &o, "{} 100000=22\n");
	expect("label_replace(rate(x[1m]), \"__name__\", \"z\", \"\", \"\")",
	    &o, "z{i=\"0\"} 100000=0.1\nz{i=\"1\"} 100000=0.1\n");
	expect("x + on (i) y", &o, "{i=\"0\"} 100000=22\n");
	expect("x == on (i, __name__) x", &o,
	    "x{i=\"0\"} 100000=11\nx{i=\"1\"} 100000=11\n");
	expect("x > bool on (i) y", &o, "{i=\"0\"} 100000=0\n");
	expect("topk(1, y)", &o, "y{i=\"0\"} 100000=11\n");
}

static void
test_limits(void)
{
	static const char many[] =
	    "error: query processing would load too many samples into memory "
	    "in query execution";
	struct promql_opts o = { .to = 500000, .step = 10000 };

	o.max_samples = 101;
	expect("x", &o, many);
	expect("sum(x)", &o, many);
	o.max_samples = 102;
	o.to = 500000;
	expect("count_over_time(sum(x)[1d:1s])", &o, many);
	o.max_samples = 0;
	o.max_steps = 49;
	expect("1", &o,
	    "error: exceeded maximum resolution of 49 points per timeseries");
	o.max_steps = 0;
	o.to = INT64_C(110010000);
	expect("1", &o,
	    "error: exceeded maximum resolution of 11,000 points per "
	    "timeseries. Try decreasing the query resolution (?step=XX)");
	o.from = 1;
	o.to = 0;
	expect("1", &o, "error: end timestamp must not be before start time");
	o = (struct promql_opts){ .from = 0, .to = 5 };
	expect("1", &o,
	    "error: zero or negative query resolution step widths are not "
	    "accepted. Try a positive integer");
	/* Times at the ends of int64 are no trouble. */
	o = (struct promql_opts){ .from = INT64_MIN, .to = INT64_MIN };
	expect("x offset 1y", &o, "");
	expect("rate(x[1y] offset 1y)", &o, "");
	expect("count_over_time(x[1y:1y])", &o, "");
	expect("increase(x[1y] smoothed)", &o, "");
	o = (struct promql_opts){
		.from = INT64_MIN, .to = INT64_MAX, .step = INT64_MAX
	};
	expect("x", &o, "error: time range is too long");
	o = (struct promql_opts){ .from = INT64_MAX, .to = INT64_MAX };
	expect("count_over_time(x[1y:1y])", &o, "");
	expect("increase(x[1y] anchored)", &o, "");
	expect("x offset -1y", &o, "");
	expect("max_over_time(x[1y] offset -1y)", &o, "");
}

static void
test_options(void)
{
	struct promql_opts o = { .from = 609999, .to = 609999 };

	expect("y", &o, "y{i=\"0\"} 609999=60\n");
	o.lookback = 10000;
	expect("y", &o, "");
	o.lookback = 0;
	expect("count_over_time(y[2m:])", &o, "{i=\"0\"} 609999=2\n");
	o.subquery_step = 10000;
	expect("count_over_time(y[2m:])", &o, "{i=\"0\"} 609999=12\n");
	/* A range of one step is still a matrix; its end need be no step. */
	o = (struct promql_opts){ .to = 5000, .step = 10000 };
	expect("1 + 1", &o, "{} 0=2\n");
	expect("y", &o, "y{i=\"0\"} 0=1\n");
	expect("y @ end()", &o, "y{i=\"0\"} 0=1\n");
	o = (struct promql_opts){ .from = 10000, .to = 10000 };
	expect("1 + 1", &o, "2");
	expect("(\"a\")", &o, "a");
	expect("y[15s]", &o, "y{i=\"0\"} 0=1 10000=2\n");
	expect("y[15s:5s]", &o, "y{i=\"0\"} 0=1 5000=1 10000=2\n");
}

/* A source that fails, at its start or after one series. */
struct broken {
	bool at_start;
	int left;
};

static struct source_cursor *
broken_open(void *self, const struct source_query *q, struct error *e)
{
	(void)q;
	if (((struct broken *)self)->at_start) {
		error_set(e, "no disk");
		return NULL;
	}
	return self;
}

static int
broken_next(struct source_cursor *c, struct source_series *s, struct error *e)
{
	static const struct label ls[] = { { STR_INIT("__name__"),
	    STR_INIT("x") } };
	static const int64_t t[] = { 0 };
	static const double v[] = { 1 };
	struct broken *b = (struct broken *)c;

	if (b->left-- <= 0)
		return error_set(e, "bad block");
	*s = (struct source_series){
		.labels = { ls, 1 }, .t = t, .v = v, .n = 1
	};
	return 1;
}

static void
broken_close(struct source_cursor *c)
{
	(void)c;
}

static void
test_broken_source(void)
{
	static const struct source_ops ops = {
		.open = broken_open, .next = broken_next, .close = broken_close
	};
	static const char *const exprs[] = { "x", "rate(x[5m])", "sum(x)",
		"x + x", "x or x", "x[5m]", "absent(x)", "scalar(x)",
		"topk(1, x)", "max_over_time(x[5m:1m])", "info(x)",
		"histogram_quantile(0.5, x)", "sort(x)", "timestamp(x)",
		"label_join(x, \"a\", \"b\")", "count_values(\"a\", x)",
		"vector(scalar(x))", "x * 2", "-x", "absent_over_time(x[5m])",
		"quantile(scalar(x), x)", "sort_by_label(x, \"a\")" };
	struct promql_opts o = { .from = 0 };
	struct broken b = { true, 0 };
	struct source src = { &ops, &b };
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(exprs) / sizeof(*exprs); i++) {
		b = (struct broken){ true, 0 };
		ask(&src, exprs[i], &o, &out);
		CHECK(strcmp(buf_cstr(&out),
			  "error: expanding series: no disk") == 0);
		b = (struct broken){ false, 1 };
		ask(&src, exprs[i], &o, &out);
		CHECK(str_starts(buf_str(&out), STR("error: ")));
		CHECK(str_ends(buf_str(&out), STR("bad block")));
	}
	buf_fini(&out);
}

/* As deep as the parser lets it be, evaluation does not run out of stack. */
static void
test_deep(void)
{
	static const struct {
		const char *open, *close;
		int n;
	} cases[] = {
		{ "abs(", ")", 495 },
		{ "-(", ")", 330 },
		{ "sum by (i) (", ")", 495 },
		{ "(1 + ", ")", 330 },
		{ "(y or ", ")", 330 },
		{ "max_over_time(", "[1s:1s])", 300 },
		{ "scalar(vector(", " + 0))", 120 },
	};
	struct promql_opts o = { .from = 100000, .to = 100000 };
	struct series_set *s = samples();
	struct source src = series_source(s);
	struct buf expr = { 0 }, out = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&expr);
		for (int k = 0; k < cases[i].n; k++)
			buf_z(&expr, cases[i].open);
		buf_z(&expr, i == 6 ? "1" : "y");
		for (int k = 0; k < cases[i].n; k++)
			buf_z(&expr, cases[i].close);
		ask(&src, buf_cstr(&expr), &o, &out);
		if (str_starts(buf_str(&out), STR("error")))
			printf("# %s: %s\n", cases[i].open, buf_cstr(&out));
		CHECK(!str_starts(buf_str(&out), STR("error")));
	}
	buf_fini(&expr);
	buf_fini(&out);
	series_free(s);
}

/* Every function of the language is known, and has a signature. */
static void
test_functions(void)
{
	static const char names[] =
	    "abs absent absent_over_time acos acosh asin asinh atan atanh "
	    "avg_over_time ceil changes clamp clamp_max clamp_min cos cosh "
	    "count_over_time day_of_month day_of_week day_of_year "
	    "days_in_month deg delta deriv double_exponential_smoothing end "
	    "exp first_over_time floor histogram_avg histogram_count "
	    "histogram_fraction histogram_quantile histogram_quantiles "
	    "histogram_stddev histogram_stdvar histogram_sum hour idelta "
	    "increase info irate label_join label_replace last_over_time ln "
	    "log10 log2 mad_over_time max_of max_over_time min_of "
	    "min_over_time minute month pi predict_linear present_over_time "
	    "quantile_over_time rad range rate resets round scalar sgn sin "
	    "sinh sort sort_by_label sort_by_label_desc sort_desc sqrt start "
	    "start_timestamp stddev_over_time stdvar_over_time step "
	    "sum_over_time tan tanh time timestamp ts_of_first_over_time "
	    "ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time "
	    "vector year";
	str rest = { names, sizeof(names) - 1 };
	struct buf b = { 0 };

	while (rest.p != NULL) {
		struct promql_expr *x;
		struct arena a;
		struct error e;

		arena_init(&a);
		buf_reset(&b);
		buf_add(&b, str_cut(&rest, ' '));
		buf_z(&b, "(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)");
		x = promql_parse_with(buf_str(&b), PROMQL_EVERYTHING, &a, &e);
		CHECK(x == NULL &&
		    str_find(str_of(e.msg), STR("unknown function")) ==
			strlen(e.msg));
		arena_fini(&a);
	}
	buf_fini(&b);
}

int
main(void)
{
	test_files();
	test_names();
	test_limits();
	test_options();
	test_broken_source();
	test_functions();
	test_deep();
	return done();
}
