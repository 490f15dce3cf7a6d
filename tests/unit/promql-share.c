/*
 * Selectors that are read once for several expressions: what the source is
 * asked, that answers are the same, and what is too large to be kept.
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

static void
answer(const struct source *src, const char *expr, struct buf *out)
{
	struct promql_opts o = { .from = 500000, .to = 800000, .step = 30000 };
	struct promql_result r;
	struct promql_expr *x;
	struct json_writer w;
	struct arena a;
	struct error e;

	arena_init(&a);
	json_init(&w, out, false);
	x = promql_parse(str_of(expr), &a, &e);
	if (promql_eval(x, src, &o, &a, &r, &e) == -1)
		buf_z(out, e.msg);
	else
		promql_json(&w, &r, 0, NULL, NULL);
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
		promql_share_expect(s, x);
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
	/* x and x[5m], x offset, y, x{="1"}, x{=~"1"} */
	CHECK(run(0, 0, &got) == 5);
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
	CHECK(run(0, 2, &got) == 9);
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
	CHECK(c.opened == 5);
	buf_fini(&out);
	series_free(set);
}

int
main(void)
{
	test_many();
	test_own();
	return done();
}
