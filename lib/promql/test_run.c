/*
 * An evaluation of a test, run as it stands and in the forms that must give
 * the same: with @ on every selector at other times, and as the middle of a
 * range.  What differs between them is an engine's fault that a single run
 * would not show.
 */
#include "promql/test.h"

#include <inttypes.h>

#include "base/dur.h"

static int
query(struct test_reader *t, str expr, const struct promql_opts *at,
    struct arena *a, struct promql_result *r, struct error *e)
{
	struct promql_opts o = *at;
	struct promql_expr *x =
	    promql_parse_with(expr, PROMQL_EVERYTHING, a, e);
	struct source src = series_source(t->set);
	int rc;

	if (x == NULL)
		return -1;
	o.max_samples = 10000;
	rc = promql_eval(x, &src, &o, a, r, e);
	promql_free(x);
	return rc;
}

/* The answer is the same, whatever the evaluation time, but for these. */
static const char *const moving[] = { "days_in_month", "day_of_month",
	"day_of_week", "day_of_year", "hour", "minute", "month", "year",
	"predict_linear", "time", "timestamp", "start", "end", "step", "range",
	"info", "start_timestamp" };

/* Put @ on what selects; false if a function makes that change the answer. */
static bool
pin(struct node *n, int64_t at)
{
	bool ok = true;

	if ((n->kind == N_VECTOR || n->kind == N_SUBQUERY) &&
	    n->mod.at == AT_NONE) {
		n->mod.at = AT_TIME;
		n->mod.at_ms = at;
	}
	if (n->kind == N_SUBQUERY)
		return true;
	if (n->kind == N_CALL)
		for (size_t i = 0; i < sizeof(moving) / sizeof(*moving); i++)
			ok = ok && !str_eq(n->text, str_of(moving[i]));
	if (n->sub != NULL)
		ok = pin(n->sub, at) && ok;
	if (n->rhs != NULL)
		ok = pin(n->rhs, at) && ok;
	for (size_t i = 0; i < n->narg; i++)
		ok = pin(n->arg[i], at) && ok;
	return ok;
}

static void
time_print(struct buf *b, int64_t ms)
{
	if (ms < 0)
		buf_byte(b, '-');
	dur_print(b, ms < 0 ? -ms : ms);
}

static bool
run_pinned(struct test_reader *t, const struct test_eval *ev, struct arena *a,
    struct buf *why)
{
	int64_t at = ev->from;
	int64_t times[] = { -10 * at, 0, at / 5, at, 10 * at };
	struct test_eval moved = *ev;
	struct promql_expr *x;
	struct promql_result r;
	struct buf b = { 0 };
	struct error e;
	bool ok = true, safe;

	x = promql_parse_with(ev->expr, PROMQL_EVERYTHING, a, &e);
	if (x == NULL)
		return true; /* it failed, as was expected */
	safe = pin(x->root, at);
	promql_print(&b, x);
	promql_free(x);
	if (at == 0) {
		times[0] = -1000;
		times[4] = 1000;
	}
	memset(moved.wants, 0, sizeof(moved.wants));
	for (size_t i = 0; i < 5 && safe && ok; i++) {
		struct promql_opts o = { .from = times[i], .to = times[i] };

		moved.from = moved.to = times[i];
		buf_printf(why, "as %s at ", buf_cstr(&b));
		time_print(why, times[i]);
		buf_z(why, ":\n");
		ok = query(t, buf_str(&b), &o, a, &r, &e) == 0;
		if (!ok)
			buf_printf(why, "%s\n", e.msg);
		ok = ok && promql_test_compare(&moved, &r, a, why);
		if (ok)
			buf_reset(why);
	}
	buf_fini(&b);
	return ok;
}

/* The same instant as the middle of a range of three steps. */
static bool
run_middle(struct test_reader *t, const struct test_eval *ev, struct arena *a,
    struct buf *why)
{
	static const char *const words[] = { "start(", "end(", "step(",
		"range(" };
	struct promql_opts o = {
		.from = ev->from - 60000, .to = ev->from + 60000, .step = 60000
	};
	struct test_eval mid = *ev;
	struct test_hist *none = NULL;
	struct test_series one = { .h = &none, .n = 1 };
	struct promql_result r;
	struct error e;

	for (size_t i = 0; i < 4; i++)
		if (str_find(ev->expr, str_of(words[i])) < ev->expr.n)
			return true;
	if (ev->ordered || ev->has_string || ev->has_matrix)
		return true;
	buf_z(why, "as the middle of a range:\n");
	if (query(t, ev->expr, &o, a, &r, &e) == -1) {
		buf_printf(why, "%s\n", e.msg);
		return false;
	}
	memset(mid.wants, 0, sizeof(mid.wants));
	if (mid.scalar) {
		mid.scalar = false;
		one.v = &mid.number;
		mid.v = &one;
		mid.n = 1;
	}
	/* One step of three: what the others have is not looked at. */
	mid.range = true;
	mid.step = 60000;
	if (!promql_test_compare(&mid, &r, a, why))
		return false;
	buf_reset(why);
	return true;
}

static bool
failed_well(
    const struct test_eval *ev, const struct error *got, struct buf *why)
{
	if (!ev->wants[TEST_FAIL]) {
		buf_printf(why, "failed: %s\n", got->msg);
		return false;
	}
	for (size_t k = 0; k < ev->ntexts; k++)
		if (!promql_test_says(&ev->texts[k], str_of(got->msg))) {
			buf_printf(why,
			    "failed with another message:\n- %.*s%.*s\n+ %s\n",
			    STR_ARG(ev->texts[k].msg),
			    STR_ARG(ev->texts[k].regex), got->msg);
			return false;
		}
	return true;
}

bool
promql_test_run(
    struct test_reader *t, const struct test_eval *ev, struct buf *why)
{
	struct promql_opts o = {
		.from = ev->from, .to = ev->to, .step = ev->range ? ev->step : 0
	};
	struct promql_result r;
	struct arena a;
	struct error e;
	bool ok = false;

	arena_init(&a);
	if (query(t, ev->expr, &o, &a, &r, &e) == -1)
		ok = failed_well(ev, &e, why);
	else if (ev->wants[TEST_FAIL])
		buf_z(why, "was expected to fail, and did not\n");
	else
		ok = promql_test_compare(ev, &r, &a, why) &&
		    (ev->range ||
			(run_pinned(t, ev, &a, why) &&
			    run_middle(t, ev, &a, why)));
	arena_fini(&a);
	return ok;
}
