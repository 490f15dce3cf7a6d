/*
 * Selectors that are read once for several expressions: what the source is
 * asked, that answers are the same, and what is too large to be kept.  Covers
 * share_plan.c.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "metric/series.h"
#include "promql/promql.h"

/* A source that counts what is asked of it; it may fail at its nth series. */
struct counting {
	struct source base;
	size_t opened, fail_at, at;
};

struct source_cursor {
	struct counting *s;
	struct source_cursor *base;
};

static struct source_cursor *
counting_open(void *self, const struct source_query *q, struct error *e)
{
	struct counting *s = self;
	struct source_cursor *c = mem_zero(1, sizeof(*c));

	s->opened++;
	c->s = s;
	c->base = source_open(&s->base, q, e);
	return c;
}

static int
counting_next(struct source_cursor *c, struct source_series *s, struct error *e)
{
	if (c->s->fail_at > 0 && ++c->s->at == c->s->fail_at)
		return error_set(e, "disk on fire");
	return source_next(&c->s->base, c->base, s, e);
}

static void
counting_close(struct source_cursor *c)
{
	source_close(&c->s->base, c->base);
	free(c);
}

static const struct source_ops counting_ops = {
	.open = counting_open, .next = counting_next, .close = counting_close
};

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
	for (int i = 0; i < 3; i++) {
		CHECK(label_parse(str_of(text[i]), &a, &ls, &e) == 0);
		for (int k = 0; k < 100; k++)
			series_add(s, ls, k * 10000, k * (i + 1));
	}
	arena_fini(&a);
	return s;
}

static const char *const exprs[] = {
	"x + 1",
	"sum(x) + count(x offset 1m)",
	"x / on (i) group_left () y",
	"rate(x[5m]) > 0 or rate(x[5m])",
	"x{i=\"1\"} + x{i=\"1\"}",
	"x{i=~\"1\"}",
};

#define EXPRS (sizeof(exprs) / sizeof(*exprs))

static const struct promql_opts range = {
	.from = 500000, .to = 800000, .step = 30000
};

/* The answer, and how many parts of it were there already. */
static size_t
evaluate(const struct promql_expr *x, const struct source *src,
    const struct promql_opts *o, struct buf *out)
{
	struct promql_result r;
	struct json_writer w;
	struct arena a = { 0 };
	struct error e;
	size_t reused = 0;

	json_init(&w, out, false);
	if (promql_eval(x, src, o, &a, &r, &e) == -1)
		buf_z(out, e.msg);
	else
		promql_json(&w, &r, 0, NULL, NULL);
	for (size_t i = 0; i < r.nwarnings; i++)
		buf_add(out, r.warnings[i]);
	for (size_t i = 0; i < r.ninfos; i++)
		buf_add(out, r.infos[i]);
	for (size_t i = 0; o->costs != NULL && i < o->costs->n; i++)
		reused += o->costs->v[i].reused;
	arena_fini(&a);
	return reused;
}

static void
answer(const struct source *src, const char *expr, struct buf *out)
{
	struct promql_expr *x;
	struct arena a = { 0 };
	struct error e;

	x = promql_parse(str_of(expr), &a, &e);
	(void)evaluate(x, src, &range, out);
	promql_free(x);
	arena_fini(&a);
}

/* All expressions over one share; how often was the source asked? */
static size_t
run(size_t max, size_t fail_at, struct buf *out)
{
	struct series_set *set = samples();
	struct counting c = { series_source(set), 0, fail_at, 0 };
	struct source base = { &counting_ops, &c };
	struct promql_share *s = promql_share_new(&base, max);
	struct source src = promql_share_source(s);
	struct promql_expr *x;
	struct arena a;
	struct error e;

	arena_init(&a);
	for (size_t i = 0; i < EXPRS; i++) {
		x = promql_parse(str_of(exprs[i]), &a, &e);
		promql_share_expect(s, x, &range);
		promql_free(x);
	}
	for (size_t i = 0; i < EXPRS; i++)
		answer(&src, exprs[i], out);
	promql_share_free(s);
	arena_fini(&a);
	series_free(set);
	return c.opened;
}

static void
test_many(void)
{
	struct buf want = { 0 }, got = { 0 };
	struct series_set *set = samples();
	struct source plain = series_source(set);

	for (size_t i = 0; i < EXPRS; i++)
		answer(&plain, exprs[i], &want);
	/* x, x[5m] and x offset, y, x{="1"}, x{=~"1"} */
	CHECK(run(0, 0, &got) == 4);
	CHECK(str_eq(buf_str(&got), buf_str(&want)));
	/* none fits, and then one series of the two only */
	buf_reset(&got);
	CHECK(run(1, 0, &got) == 10);
	CHECK(str_eq(buf_str(&got), buf_str(&want)));
	buf_reset(&got);
	CHECK(run(90, 0, &got) == 9);
	CHECK(str_eq(buf_str(&got), buf_str(&want)));
	/* a read that fails is not kept */
	buf_reset(&got);
	CHECK(run(0, 2, &got) == 5);
	CHECK(str_eq(str_take(buf_str(&got), 12), STR("disk on fire")));
	buf_fini(&want);
	buf_fini(&got);
	series_free(set);
}

/* An expression shares with itself, if it says something twice. */
static void
test_own(void)
{
	struct series_set *set = samples();
	struct counting c = { series_source(set), 0, 0, 0 };
	struct source src = { &counting_ops, &c };
	struct buf out = { 0 };

	answer(&src, "x + x * x", &out);
	CHECK(c.opened == 1);
	answer(&src, "x + y", &out);
	CHECK(c.opened == 3);
	answer(&src, "sum(x) / sum(x offset 1m)", &out);
	CHECK(c.opened == 4);
	buf_fini(&out);
	series_free(set);
}

/*
 * Many expressions over one share, at an instant or over a range, and with
 * their parts in common evaluated once or not: each answers as it does alone.
 * How often was the source asked?
 */
static size_t
ask(const char *const *text, bool instant, bool parts, size_t max,
    size_t *taken)
{
	struct series_set *set = samples();
	struct source plain = series_source(set);
	struct counting c = { plain, 0, 0, 0 };
	struct source base = { &counting_ops, &c };
	struct promql_share *s = promql_share_new(&base, max);
	struct source src = promql_share_source(s);
	struct promql_costs costs = { 0 };
	struct promql_opts o = { .from = instant ? 800000 : 500000,
		.to = 800000,
		.step = instant ? 0 : 30000 };
	struct promql_opts together = o;
	struct promql_expr *x[64];
	struct buf got = { 0 }, want = { 0 };
	struct arena a = { 0 };
	struct error e;
	size_t n;

	for (n = 0; text[n] != NULL; n++) {
		x[n] = promql_parse_with(
		    str_of(text[n]), PROMQL_EVERYTHING, &a, &e);
		CHECK(x[n] != NULL);
		promql_share_expect(s, x[n], &o);
	}
	for (size_t i = 0; i < n; i++) {
		buf_reset(&got);
		buf_reset(&want);
		together.share = parts ? s : NULL;
		together.costs = parts ? &costs : NULL;
		*taken += evaluate(x[i], &src, &together, &got);
		(void)evaluate(x[i], &plain, &o, &want);
		CHECK(str_eq(buf_str(&got), buf_str(&want)));
		promql_free(x[i]);
	}
	promql_share_free(s);
	buf_fini(&got);
	buf_fini(&want);
	arena_fini(&a);
	series_free(set);
	return c.opened;
}

static size_t
compare(const char *const *text, bool instant)
{
	size_t taken = 0, n = ask(text, instant, false, 0, &taken);

	CHECK(taken == 0);
	CHECK(ask(text, instant, true, 0, &taken) <= n);
	/* not enough room for all, and for most */
	(void)ask(text, instant, true, 150, &taken);
	(void)ask(text, instant, true, 400, &taken);
	return n;
}

static void
test_ranges(void)
{
	static const char *const wide[] = { "x", "rate(x[1m])", "rate(x[10m])",
		"x offset 2m", "sum(x)", "max_over_time(x[3m:20s])",
		"x smoothed", "rate(x[2m] anchored)",
		"increase(x[1m] smoothed)", "x @ 700", "x @ end()",
		"rate(x[1m] @ 750 offset 30s)", NULL };
	static const char *const apart[] = { "x @ 100", "x @ 800", "x @ 101",
		"rate(x[1m] @ 450)", NULL };
	static const char *const newest[] = { "x", "x + x", "x{i=\"0\"}",
		"x{i=\"0\"} offset 1m", "x{i=\"0\"}", NULL };

	CHECK(compare(wide, true) == 1);
	CHECK(compare(wide, false) == 1);
	/* 100 and 101 together, 800 and 450 alone */
	CHECK(compare(apart, true) == 3);
	CHECK(compare(apart, false) == 3);
	CHECK(compare(newest, true) == 2);
	CHECK(compare(newest, false) == 2);
}

static void
test_families(void)
{
	static const char *const three[] = { "x{i=\"0\"}", "x{i=\"1\"}",
		"x{i=\"none\"} or x{i=\"0\"}", NULL };
	static const char *const two[] = { "x{i=\"0\"}", "x{i=\"1\"}", NULL };
	static const char *const ranges[] = { "rate(x{i=\"0\"}[1m])",
		"rate(x{i=\"1\"}[1m])", "rate(x{i=\"1.\"}[1m])", "x{i=\"0\"}",
		"x{i=\"1\"}", "x{i=\"|\"}", NULL };
	/* neither an empty value nor a name makes a family */
	static const char *const odd[] = { "{i=\"0\",__name__=\"x\"}",
		"{i=\"0\",__name__=\"y\"}", "{i=\"0\",__name__=\"z\"}",
		"x{j=\"\"}", "x{j=\"\",i=\"\"}", "x{i=\"\"}", "x{i!=\"0\"}",
		"x{i!=\"1\"}", "x{i!=\"2\"}", NULL };

	CHECK(compare(three, true) == 1);
	CHECK(compare(three, false) == 1);
	CHECK(compare(two, true) == 2);
	/* the windows of members that overlap are theirs alone */
	CHECK(compare(ranges, true) == 4);
	CHECK(compare(ranges, false) == 2);
	CHECK(compare(odd, true) == 9);
}

/* What several expressions say is evaluated once, its notes said of each. */
static void
test_parts(void)
{
	static const char *const rules[] = { "sum(rate(x[5m])) > 1",
		"sum(rate(x[5m])) > 2", "sum(rate(x[5m])) by (i)",
		"quantile(2, x) + quantile(2, x)", "quantile(2, x) > 0",
		"max_over_time(sum(x)[2m:30s])", "sum(x) or sum(x) * 2",
		"(x * 2) / on (i) (x * 2)", "x * 2 > x @ 600 * 2", "-(x * 2)",
		"x / on () y", "absent(x) or sum(x)", "vector(time()) + sum(x)",
		"label_replace(x * 2, \"a\", \"b\", \"\", \"\")",
		"sort_desc(x * 2)", "topk(1, x * 2)", "count_values(\"v\", x)",
		"count_values(\"v\", x) > 0", "sum(x @ 600) + sum(x @ 600)",
		"sum(x offset 1m) - sum(x)", "scalar(sum(x)) * x", NULL };

	static const char *const same[] = { "sum(x) > 1", "sum(x) > 2",
		"sum(x)", NULL };
	size_t taken = 0;

	(void)compare(rules, true);
	(void)compare(rules, false);
	CHECK(ask(same, true, true, 0, &taken) == 1 && taken == 2);
	taken = 0;
	CHECK(ask(same, false, true, 0, &taken) == 1 && taken == 2);
}

int
main(void)
{
	test_many();
	test_own();
	test_ranges();
	test_families();
	test_parts();
	return done();
}
