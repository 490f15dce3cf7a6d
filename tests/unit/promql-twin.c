/*
 * Parts that an expression says twice: evaluated once, with answers and notes
 * as if each had been evaluated where it stands.
 */
#include "check.h"
#include "metric/series.h"
#include "promql/promql.h"

/* x{i="0"} to x{i="2"}, a gauge g, 10 s apart. */
static struct series_set *
samples(void)
{
	static const char *const text[] = { "x{i=\"0\"}", "x{i=\"1\"}",
		"x{i=\"2\"}", "g" };
	struct series_set *s = series_new();
	struct arena a;
	struct labels ls;
	struct error e;

	arena_init(&a);
	for (int i = 0; i < 4; i++) {
		CHECK(label_parse(str_of(text[i]), &a, &ls, &e) == 0);
		for (int k = 0; k < 100; k++)
			series_add(s, ls, k * 10000, k * (i + 1));
	}
	arena_fini(&a);
	return s;
}

/*
 * The answer as JSON, a blank, how many parts were reused, and each note on a
 * line of its own.
 */
static void
ask(const char *expr, struct buf *out)
{
	struct series_set *s = samples();
	struct source src = series_source(s);
	struct promql_costs costs;
	struct promql_opts o = {
		.from = 500000, .to = 530000, .step = 30000, .costs = &costs
	};
	struct promql_result r;
	struct promql_expr *x;
	struct json_writer w;
	struct arena a;
	struct error e;
	size_t reused = 0;

	buf_reset(out);
	arena_init(&a);
	json_init(&w, out, false);
	x = promql_parse(str_of(expr), &a, &e);
	if (promql_eval(x, &src, &o, &a, &r, &e) == -1)
		buf_z(out, e.msg);
	else
		promql_json(&w, &r, 0, NULL, NULL);
	for (size_t i = 0; i < costs.n; i++)
		reused += costs.v[i].reused;
	buf_printf(out, " %zu", reused);
	for (size_t i = 0; i < r.ninfos; i++)
		buf_printf(out, "\n%.*s", STR_ARG(r.infos[i]));
	promql_free(x);
	arena_fini(&a);
	series_free(s);
}

static void
expect(const char *expr, const char *want)
{
	struct buf b = { 0 };

	ask(expr, &b);
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# %s: %s\n", expr, buf_cstr(&b));
	CHECK(strcmp(buf_cstr(&b), want) == 0);
	buf_fini(&b);
}

#define MATRIX "{\"resultType\":\"matrix\",\"result\":["

int
main(void)
{
	/* the whole part, not what it is made of */
	expect("sum(x) / (sum(x) + sum(x))",
	    MATRIX "{\"metric\":{},\"values\":[[500,\"0.5\"],[530,\"0.5\"]]}]} "
		   "2");
	/* a part that is said more often than the one it is in */
	expect("sum(x) - sum(x) + count(x)",
	    MATRIX "{\"metric\":{},\"values\":[[500,\"3\"],[530,\"3\"]]}]} 2");
	/* what one changes the other does not see */
	expect("sum(-x + x)",
	    MATRIX "{\"metric\":{},\"values\":[[500,\"0\"],[530,\"0\"]]}]} 1");
	/* another grid is another part */
	expect("sum(max_over_time(sum(x)[1m:10s])) - sum(x)",
	    MATRIX "{\"metric\":{},\"values\":[[500,\"0\"],[530,\"0\"]]}]} 0");
	expect("g + y", MATRIX "]} 0");
	/* each place has its note */
	expect("rate(g[1m]) - rate(g[1m])",
	    MATRIX "{\"metric\":{},\"values\":[[500,\"0\"],[530,\"0\"]]}]} 0\n"
		   "PromQL info: metric might not be a counter, name does not "
		   "end in _total/_sum/_count/_bucket: \"g\" (1:6)\n"
		   "PromQL info: metric might not be a counter, name does not "
		   "end in _total/_sum/_count/_bucket: \"g\" (1:20)");
	return done();
}
