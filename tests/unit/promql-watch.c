/*
 * Who watches a query: time limits, interruption, limits of series, and what
 * the nodes of a tree are said to have cost.
 */
#include "check.h"
#include "metric/series.h"
#include "promql/promql.h"

struct world {
	int64_t ns, tick; /* the clock, and how far it goes at each look */
	size_t looks, stop_at;
};

static int64_t
now(void *arg)
{
	struct world *w = arg;

	return w->ns += w->tick;
}

static bool
stop(void *arg)
{
	struct world *w = arg;

	return ++w->looks == w->stop_at;
}

/* 100 series x{i} of 1000 samples 10 s apart, and y{i="7"}. */
static struct series_set *
samples(void)
{
	struct series_set *s = series_new();
	struct buf b = { 0 };
	struct arena a;
	struct labels ls;
	struct error e;

	arena_init(&a);
	for (int i = 0; i < 101; i++) {
		buf_reset(&b);
		buf_printf(
		    &b, "%s{i=\"%d\"}", i < 100 ? "x" : "y", i < 100 ? i : 7);
		CHECK(label_parse(buf_str(&b), &a, &ls, &e) == 0);
		for (int k = 0; k < 1000; k++)
			series_add(s, ls, k * 10000, k * i);
	}
	arena_fini(&a);
	buf_fini(&b);
	return s;
}

/* The error of a query, "" if there was none; costs go to print. */
static enum promql_failure
ask(const char *expr, struct promql_opts o, struct buf *err, struct buf *print)
{
	struct series_set *s = samples();
	struct source src = series_source(s);
	struct promql_result r;
	struct promql_costs costs;
	struct promql_expr *x;
	struct arena a;
	struct error e;

	buf_reset(err);
	arena_init(&a);
	if (print != NULL)
		o.costs = &costs;
	x = promql_parse(str_of(expr), &a, &e);
	CHECK(x != NULL);
	if (promql_eval(x, &src, &o, &a, &r, &e) == -1)
		buf_z(err, e.msg);
	for (size_t i = 0; print != NULL && i < costs.n; i++) {
		const struct promql_cost *c = &costs.v[i];

		buf_printf(print,
		    "%u %s %s%s runs=%zu read=%zu/%zu out=%zu/%zu\n", c->depth,
		    c->kind, c->name, c->fixed ? " fixed" : "", c->runs,
		    c->read, c->samples, c->series, c->points);
	}
	promql_free(x);
	arena_fini(&a);
	series_free(s);
	return r.failure;
}

static void
test_limits(void)
{
	struct world w = { .tick = 1000000 };
	struct promql_watch watch = { now, stop, &w };
	struct promql_opts o = {
		.to = 9000000, .step = 60000, .watch = &watch
	};
	struct buf err = { 0 };

	CHECK(ask("sum(rate(x[5m]))", o, &err, NULL) == PROMQL_EXECUTION);
	CHECK_STR(buf_str(&err), "");
	CHECK(w.looks > 3);
	w = (struct world){ .tick = 1000000, .stop_at = 3 };
	CHECK(ask("sum(rate(x[5m]))", o, &err, NULL) == PROMQL_CANCELED);
	CHECK_STR(buf_str(&err), "query was canceled in expression evaluation");
	CHECK(w.looks == 3);
	/* each look takes a minute: the third is behind two */
	w = (struct world){ .tick = INT64_C(60000000000) };
	CHECK(ask("sum(rate(x[5m]))", o, &err, NULL) == PROMQL_TIMEOUT);
	CHECK_STR(buf_str(&err), "query timed out in expression evaluation");
	w = (struct world){ .tick = INT64_C(60000000000) };
	o.timeout = INT64_MAX;
	CHECK(ask("sum(rate(x[5m]))", o, &err, NULL) == PROMQL_EXECUTION);
	o.max_series = 99;
	CHECK(ask("sum(x)", o, &err, NULL) == PROMQL_EXECUTION);
	CHECK_STR(buf_str(&err),
	    "query processing would load too many series: a selector has "
	    "more than 99");
	o.max_series = 100;
	CHECK(ask("sum(rate(x[5m]))", o, &err, NULL) == PROMQL_EXECUTION);
	CHECK_STR(buf_str(&err), "");
	buf_fini(&err);
}

/* A query that is stopped anywhere ends, and says so. */
static void
test_everywhere(void)
{
	static const char *const exprs[] = {
		"quantile(0.5, x)",
		"topk(3, x) + on (i) group_left () y",
		"max_over_time(deriv(x[5m])[10m:30s])",
		"x * on (i) group_left () y or x",
		"sort(scalar(y) * x)",
	};
	struct buf err = { 0 };

	for (size_t k = 0; k < sizeof(exprs) / sizeof(*exprs); k++)
		for (size_t at = 1; at < 200; at += 1 + at / 8) {
			struct world w = { .stop_at = at };
			struct promql_watch watch = { NULL, stop, &w };
			struct promql_opts o = {
				.to = 9000000, .step = 60000, .watch = &watch
			};
			enum promql_failure f = ask(exprs[k], o, &err, NULL);

			if (w.looks < at)
				break;
			CHECK(f == PROMQL_CANCELED && w.looks == at);
		}
	buf_fini(&err);
}

static void
test_costs(void)
{
	struct world w = { .tick = 1 };
	struct promql_watch watch = { now, NULL, &w };
	struct promql_opts o = {
		.from = 600000, .to = 1200000, .step = 60000, .watch = &watch
	};
	struct buf err = { 0 }, print = { 0 };

	ask("sum(rate(x[5m])) / (count(x) + scalar(y @ 5))", o, &err, &print);
	CHECK_STR(buf_str(&err), "");
	CHECK_STR(buf_str(&print),
	    "0 binary / runs=1 read=0/0 out=1/11\n"
	    "1 aggregation sum runs=1 read=0/0 out=1/11\n"
	    "2 call rate runs=1 read=0/0 out=100/1100\n"
	    "3 matrix selector  runs=1 read=100/9000 out=100/9000\n"
	    "1 binary + runs=1 read=0/0 out=1/11\n"
	    "2 aggregation count runs=1 read=0/0 out=1/11\n"
	    "3 vector selector  runs=1 read=100/9000 out=100/1100\n"
	    "2 call scalar fixed runs=1 read=0/0 out=0/11\n"
	    "3 vector selector  fixed runs=1 read=1/1 out=1/1\n");
	buf_fini(&err);
	buf_fini(&print);
}

int
main(void)
{
	test_limits();
	test_everywhere();
	test_costs();
	return done();
}
