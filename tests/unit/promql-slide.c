/*
 * Functions of all windows at once against the same functions window by
 * window: the same bits, on columns made at random of all kinds of numbers.
 */
#include "promql/slide.h"

#include "check.h"
#include "promql/eval.h"

#define SAMPLES 200
#define STEPS 60

static uint64_t state = 20240229;

static uint64_t
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static double
number(int kind, double last)
{
	static const double odd[] = { 0.0, -0.0, 1e308, -1e308, 5e-324, NAN,
		INFINITY, -INFINITY };
	double unit = (double)(rnd() >> 11) / 9007199254740992.0;

	switch (kind) {
	case 0: /* a counter of whole numbers that falls now and then */
		return rnd() % 50 == 0 ? 0 : last + (double)(rnd() % 1000);
	case 1: /* one of fractions */
		return rnd() % 50 == 0 ? unit : last + unit;
	case 2: /* a gauge */
		return (unit - 0.5) * 1000;
	case 3: /* few values, often the same one */
		return rnd() % 2 == 0 ? last : (double)(rnd() % 3) - 1;
	case 4: /* sums that cancel */
		return (rnd() % 2 == 0 ? 1 : -1) * unit *
		    pow(10, (double)(rnd() % 40) - 20);
	default:
		return rnd() % 3 == 0 ? odd[rnd() % 8] : (unit - 0.5) * 10;
	}
}

/* Each window on its own, as window.c sees to functions without slide. */
static void
naive(const struct func *fn, const struct column *c, const struct place *p,
    const struct grid *g, double **args, double *out)
{
	size_t resets[SAMPLES];
	struct window w = { .t = c->t,
		.v = c->v,
		.total = c->n,
		.resets = resets,
		.extend = W_NONE };
	size_t n = 0;

	for (size_t i = 1; i < c->n && fn->flags & FUNC_RESETS; i++)
		if (c->v[i] < c->v[i - 1])
			resets[n++] = i;
	for (size_t i = 0; i < g->n; i++) {
		double at = args[0][i];

		w.now = step_time(g, i);
		w.to = edge(p, g, i);
		w.from = w.to - p->range;
		for (w.lo = 0; w.lo < c->n && c->t[w.lo] <= w.from; w.lo++)
			;
		for (w.hi = w.lo; w.hi < c->n && c->t[w.hi] <= w.to; w.hi++)
			;
		for (w.nresets = 0; w.nresets < n && resets[w.nresets] < w.hi;
		     w.nresets++)
			;
		for (w.first_reset = 0;
		     w.first_reset < w.nresets && resets[w.first_reset] <= w.lo;
		     w.first_reset++)
			;
		if (w.lo == w.hi || !fn->window(&w, &at, &out[i]))
			out[i] = num_stale();
	}
}

static size_t
differences(const double *a, const double *b, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		if (num_bits(a[i]) != num_bits(b[i]) &&
		    !(isnan(a[i]) && isnan(b[i]) && !absent(a[i]) &&
			!absent(b[i])))
			bad++;
	return bad;
}

/* One function over some series of the same times, then of others. */
static size_t
compare(const struct func *fn, const struct place *p, const struct grid *g,
    size_t *slid)
{
	double v[SAMPLES], want[STEPS], got[STEPS], q[STEPS], *args[] = { q };
	int64_t t[SAMPLES];
	size_t resets[SAMPLES], bad = 0;
	struct arena a = { 0 };
	struct eval ev = { .a = &a };
	struct slides s = { .ev = &ev };

	for (int round = 0; round < 12; round++) {
		struct column c = { t, v, NULL, NULL, 1 + rnd() % SAMPLES };
		int64_t at = (int64_t)(rnd() % 100000);

		for (size_t i = 0; i < c.n && round % 3 == 0; i++)
			t[i] = at += 1 + (int64_t)(rnd() % 30000);
		if (round % 3 != 0)
			c.n = s.total;
		for (size_t i = 0; i < c.n; i++)
			v[i] = number(round / 2, i > 0 ? v[i - 1] : 0);
		for (size_t i = 0; i < g->n; i++)
			q[i] = (double)(rnd() % 14) / 10 - 0.2;
		promql_slides_set(&s, p, g, &c);
		s.nresets = 0;
		for (size_t i = 1; i < c.n && fn->flags & FUNC_RESETS; i++)
			if (v[i] < v[i - 1])
				resets[s.nresets++] = i;
		s.resets = resets;
		naive(fn, &c, p, g, args, want);
		if (!fn->slide(&s, (const double *const *)args, got))
			continue;
		++*slid;
		bad += differences(want, got, g->n);
	}
	arena_fini(&a);
	return bad;
}

static void
test_table(const struct func *table, size_t least)
{
	size_t found = 0;

	for (const struct func *fn = table; fn->name != NULL; fn++) {
		size_t slid = 0, bad = 0;

		if (fn->slide == NULL)
			continue;
		found++;
		for (int k = 0; k < 60; k++) {
			struct place p = { .pinned = k % 20 == 7,
				.at = 1000000,
				.offset = (int64_t)(rnd() % 3) * 60000,
				.range = 1 + (int64_t)(rnd() % 900000) };
			struct grid g = { (int64_t)(rnd() % 2000000),
				(int64_t)(rnd() % 60000) + 1,
				k % 9 == 0 ? 1 : 1 + rnd() % STEPS };

			bad += compare(fn, &p, &g, &slid);
		}
		printf(
		    "# %s: %zu series, %zu differences\n", fn->name, slid, bad);
		CHECK(bad == 0);
		CHECK(slid > 50);
	}
	CHECK(found >= least);
}

int
main(void)
{
	test_table(promql_fn_rate, 5);
	test_table(promql_fn_over_time, 5);
	return done();
}
