/*
 * The test language of PromQL: load, eval, expect (the same that upstream's
 * promqltest reads), run against lib/promql over samples in memory.  Included
 * by tests/unit/promql-eval.c, which runs our own cases, and by
 * tests/conform/promql.c, which runs upstream's.
 *
 * Each instant evaluation is run three times: as it stands, with @ on every
 * selector at other evaluation times, and as the middle of a range.
 */
#ifndef PROMQLTEST_H
#define PROMQLTEST_H

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/dur.h"
#include "base/num.h"
#include "metric/series.h"
#include "promql/ast.h"
#include "promql/promql.h"
#include "promqlread.h"

enum pt_want { PT_FAIL, PT_WARN, PT_INFO, PT_NO_WARN, PT_NO_INFO, PT_WANTS };

struct pt_text {
	enum pt_want kind;
	str msg, regex;
};

/* One eval command and what is expected of it. */
struct pt_eval {
	size_t line;
	str expr;
	bool range, ordered, scalar, wants[PT_WANTS];
	int64_t from, to, step;
	struct pt_series *v;
	size_t n, cap;
	struct pt_text *texts;
	size_t ntexts, textcap;
	double number;
	bool has_string, has_matrix;
	str string;
	int64_t mfrom, mto, mstep;
};

static int
pt_text_line(struct pt *t, struct pt_eval *ev, enum pt_want kind, str rest)
{
	struct pt_text x = { .kind = kind };

	ev->wants[kind] = true;
	if (str_starts(rest, STR("msg:")))
		x.msg = str_trim(str_skip(rest, 4));
	else if (str_starts(rest, STR("regex:")))
		x.regex = str_trim(str_skip(rest, 6));
	else if (rest.n > 0)
		return -1;
	ev->texts = arena_grow(
	    &t->a, ev->texts, &ev->textcap, ev->ntexts + 1, sizeof(x));
	ev->texts[ev->ntexts++] = x;
	return 0;
}

/* `expect ...` */
static int
pt_expect(struct pt *t, struct pt_eval *ev, str rest, struct error *e)
{
	static const char *const names[] = { "fail", "warn", "info", "no_warn",
		"no_info" };
	str all = rest, w = pt_word(&rest);

	for (size_t i = 0; i < PT_WANTS; i++)
		if (str_eq(w, str_of(names[i])))
			return pt_text_line(t, ev, (enum pt_want)i, rest);
	if (str_eq(w, STR("ordered"))) {
		ev->ordered = true;
		return 0;
	}
	if (str_eq(w, STR("string"))) {
		ev->has_string = true;
		return promql_unquote(rest, &t->a, &ev->string, e);
	}
	if (str_starts(all, STR("range vector from"))) {
		pt_word(&rest);
		pt_word(&rest);
		ev->has_matrix = true;
		if (dur_parse_signed(pt_word(&rest), &ev->mfrom, e) == -1)
			return -1;
		pt_word(&rest);
		if (dur_parse_signed(pt_word(&rest), &ev->mto, e) == -1)
			return -1;
		pt_word(&rest);
		return dur_parse_signed(pt_word(&rest), &ev->mstep, e);
	}
	return error_set(e, "unknown expectation '%.*s'", STR_ARG(all));
}

/* A line of the body of an eval. */
static int
pt_body(struct pt *t, struct pt_eval *ev, str line, struct error *e)
{
	str rest = line, w = pt_word(&rest);
	struct pt_series s;

	if (str_eq(w, STR("expect")))
		return pt_expect(t, ev, rest, e);
	if (str_eq(w, STR("expected_fail_message")) ||
	    str_eq(w, STR("expected_fail_regexp"))) {
		ev->wants[PT_FAIL] = true;
		ev->texts = arena_grow(&t->a, ev->texts, &ev->textcap,
		    ev->ntexts + 1, sizeof(*ev->texts));
		ev->texts[ev->ntexts++] = (struct pt_text){ PT_FAIL,
			str_ends(w, STR("message")) ? rest : STR_NONE,
			str_ends(w, STR("regexp")) ? rest : STR_NONE };
		return 0;
	}
	if (rest.n == 0 && num_parse(w, &ev->number) == 0) {
		ev->scalar = true;
		return 0;
	}
	if (pt_line(t, line, &s, e) == -1)
		return -1;
	ev->v = arena_grow(&t->a, ev->v, &ev->cap, ev->n + 1, sizeof(s));
	ev->v[ev->n++] = s;
	return 0;
}

/* `eval instant at T expr`, `eval range from A to B step C expr` */
static int
pt_command(struct pt_eval *ev, str line, struct error *e)
{
	str rest = line, w = pt_word(&rest), kind = pt_word(&rest);

	ev->wants[PT_FAIL] = str_ends(w, STR("_fail"));
	ev->wants[PT_WARN] = str_ends(w, STR("_warn"));
	ev->wants[PT_INFO] = str_ends(w, STR("_info"));
	ev->ordered = str_ends(w, STR("_ordered"));
	ev->range = str_eq(kind, STR("range"));
	if (!ev->range && !str_eq(kind, STR("instant")))
		return error_set(e, "instant or range is wanted");
	if (ev->range) {
		pt_word(&rest);
		if (dur_parse_signed(pt_word(&rest), &ev->from, e) == -1)
			return -1;
		pt_word(&rest);
		if (dur_parse_signed(pt_word(&rest), &ev->to, e) == -1)
			return -1;
		pt_word(&rest);
		if (dur_parse_signed(pt_word(&rest), &ev->step, e) == -1)
			return -1;
	} else if (str_starts(rest, STR("at "))) {
		pt_word(&rest);
		if (dur_parse_signed(pt_word(&rest), &ev->from, e) == -1)
			return -1;
		ev->to = ev->from;
	}
	ev->expr = rest;
	return 0;
}

/*
 * Comparing.
 */

/* The value at time x of a result's series; the staleness marker: none. */
static double
pt_at(const struct promql_series *s, int64_t x, const struct histogram **h)
{
	*h = NULL;
	for (size_t i = 0; i < s->n; i++)
		if (s->t[i] == x) {
			*h = s->h != NULL ? s->h[i] : NULL;
			return s->v[i];
		}
	return num_stale();
}

/* Says how a histogram is not the one that was wanted. */
static int
pt_histogram_differs(const struct pt_hist *want, const struct histogram *got,
    double v, size_t step, struct error *e)
{
	struct buf w = { 0 }, g = { 0 };

	if (want != NULL)
		histogram_print(&w, &want->h);
	if (got != NULL)
		histogram_print(&g, got);
	else
		num_print(&g, v);
	error_set(e, "step %zu: wanted %.400s, got %.400s", step, buf_cstr(&w),
	    buf_cstr(&g));
	buf_fini(&w);
	buf_fini(&g);
	return -1;
}

static int
pt_values(struct pt *t, const struct pt_series *want,
    const struct promql_series *got, int64_t from, int64_t step, size_t n,
    struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		double w = i < want->n ? want->v[i] : num_stale();
		const struct histogram *h;
		const struct pt_hist *wh =
		    i < want->n && want->h != NULL ? want->h[i] : NULL;
		double g = pt_at(got, from + (int64_t)i * step, &h);

		if (wh != NULL && h != NULL && pt_hist_equal(wh, h, &t->a))
			continue;
		if (wh != NULL || h != NULL)
			return pt_histogram_differs(wh, h, g, i, e);
		if (num_is_stale(w) != num_is_stale(g) ||
		    (!num_is_stale(w) && !pt_equal(w, g)))
			return error_set(
			    e, "step %zu: wanted %.17g, got %.17g", i, w, g);
	}
	return 0;
}

static const char *
pt_name(struct buf *b, struct labels ls)
{
	buf_reset(b);
	label_print_metric(b, ls);
	return buf_cstr(b);
}

/* Each expected series is there with its values, and no other is. */
static int
pt_vector(struct pt *t, const struct pt_eval *ev, const struct promql_result *r,
    int64_t from, int64_t step, size_t n, bool ordered, struct error *e)
{
	const struct histogram *h;
	struct buf b = { 0 };
	size_t live = 0;
	int rc = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool any = false;

		for (size_t k = 0; k < n; k++)
			any |= !num_is_stale(
			    pt_at(&r->v[i], from + (int64_t)k * step, &h));
		live += any;
	}
	if (live != ev->n)
		return error_set(e, "wanted %zu series, got %zu%s%s", ev->n,
		    live, live ? ", one is " : "",
		    live ? pt_name(&b, r->v[0].labels) : "");
	for (size_t i = 0; i < ev->n && rc == 0; i++) {
		const struct promql_series *got = NULL;

		for (size_t k = 0; k < r->n; k++)
			if (label_eq(r->v[k].labels, ev->v[i].ls) &&
			    (!ordered || k == i))
				got = &r->v[k];
		if (got == NULL)
			rc = error_set(e, "no series %s%s",
			    pt_name(&b, ev->v[i].ls),
			    ordered ? " in its place" : "");
		else if (pt_values(t, &ev->v[i], got, from, step, n, e) == -1)
			rc = error_add(e, "%s", pt_name(&b, ev->v[i].ls));
	}
	buf_fini(&b);
	return rc;
}

static int
pt_sorted(const struct promql_result *r, struct error *e)
{
	for (size_t i = 1; i < r->n; i++)
		if (label_cmp(r->v[i - 1].labels, r->v[i].labels) >= 0)
			return error_set(e, "result is not sorted");
	return 0;
}

static bool
pt_text_is(const struct pt_text *x, str s)
{
	struct re *re;
	bool hit;

	if (x->msg.n > 0)
		return str_eq(x->msg, s);
	if (x->regex.n == 0)
		return true;
	re = re_new(x->regex, 0, NULL);
	hit = re != NULL && re_match(re, s);
	re_free(re);
	return hit;
}

/* Texts of a kind against what is expected of them. */
static int
pt_texts(const struct pt_eval *ev, enum pt_want kind, const str *v, size_t n,
    struct error *e)
{
	bool none = ev->wants[kind == PT_WARN ? PT_NO_WARN : PT_NO_INFO];

	if (none && n > 0)
		return error_set(e, "unexpected: %.*s", STR_ARG(v[0]));
	if (!ev->wants[kind])
		return 0;
	if (n == 0)
		return error_set(
		    e, "no %s came", kind == PT_WARN ? "warning" : "info");
	for (size_t i = 0; i < n; i++) {
		bool hit = ev->ntexts == 0, any = false;

		for (size_t k = 0; k < ev->ntexts; k++)
			if (ev->texts[k].kind == kind) {
				any = true;
				hit |= pt_text_is(&ev->texts[k], v[i]);
			}
		if (any && !hit)
			return error_set(e, "unexpected: %.*s", STR_ARG(v[i]));
	}
	for (size_t k = 0; k < ev->ntexts; k++) {
		bool hit = ev->texts[k].kind != kind;

		for (size_t i = 0; i < n; i++)
			hit |= pt_text_is(&ev->texts[k], v[i]);
		if (!hit)
			return error_set(e, "missing: %.*s%.*s",
			    STR_ARG(ev->texts[k].msg),
			    STR_ARG(ev->texts[k].regex));
	}
	return 0;
}

static int
pt_compare(struct pt *t, const struct pt_eval *ev,
    const struct promql_result *r, struct error *e)
{
	size_t n = 1;

	if (pt_texts(ev, PT_WARN, r->warnings, r->nwarnings, e) == -1 ||
	    pt_texts(ev, PT_INFO, r->infos, r->ninfos, e) == -1)
		return -1;
	if (ev->has_string) {
		if (r->type != PROMQL_STRING || !str_eq(r->string, ev->string))
			return error_set(e, "another string");
		return 0;
	}
	if (ev->scalar) {
		if (r->type != PROMQL_SCALAR ||
		    !pt_equal(r->scalar, ev->number))
			return error_set(e, "wanted scalar %.17g, got %.17g",
			    ev->number, r->scalar);
		return 0;
	}
	if (ev->has_matrix) {
		n = (size_t)((ev->mto - ev->mfrom) / ev->mstep) + 1;
		return pt_vector(t, ev, r, ev->mfrom, ev->mstep, n, false, e);
	}
	if (r->type == PROMQL_SCALAR || r->type == PROMQL_STRING)
		return error_set(e, "a vector was wanted");
	if (ev->range) {
		if (pt_sorted(r, e) == -1)
			return -1;
		n = (size_t)((ev->to - ev->from) / ev->step) + 1;
	}
	return pt_vector(t, ev, r, ev->from, ev->step, n, ev->ordered, e);
}

/*
 * Running.
 */

static int
pt_query(struct pt *t, str expr, int64_t from, int64_t to, int64_t step,
    struct arena *a, struct promql_result *r, struct error *e)
{
	struct promql_opts o = {
		.from = from,
		.to = to,
		.step = step,
		.max_samples = 10000,
	};
	struct promql_expr *x =
	    promql_parse_with(expr, PROMQL_EVERYTHING, a, e);
	struct source src = series_source(t->set);
	int rc;

	if (x == NULL)
		return -1;
	rc = promql_eval(x, &src, &o, a, r, e);
	promql_free(x);
	return rc;
}

/* Put @ on what selects; false if a function makes that change the answer. */
static bool
pt_pin(struct node *n, int64_t at)
{
	static const char *const unsafe[] = { "days_in_month", "day_of_month",
		"day_of_week", "day_of_year", "hour", "minute", "month", "year",
		"predict_linear", "time", "timestamp", "start", "end", "step",
		"range", "info", "start_timestamp" };
	bool pinned = n->mod.at != AT_NONE, ok = true;

	if (n->kind == N_VECTOR || n->kind == N_SUBQUERY) {
		if (!pinned) {
			n->mod.at = AT_TIME;
			n->mod.at_ms = at;
		}
		if (n->kind == N_SUBQUERY)
			return true;
	}
	if (n->kind == N_CALL)
		for (size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
			ok = ok && !str_eq(n->text, str_of(unsafe[i]));
	if (n->sub != NULL)
		ok = pt_pin(n->sub, at) && ok;
	if (n->rhs != NULL)
		ok = pt_pin(n->rhs, at) && ok;
	for (size_t i = 0; i < n->narg; i++)
		ok = pt_pin(n->arg[i], at) && ok;
	return ok;
}

static int
pt_run_pinned(
    struct pt *t, const struct pt_eval *ev, struct arena *a, struct error *e)
{
	int64_t at = ev->from;
	int64_t times[] = { -10 * at, 0, at / 5, at, 10 * at };
	struct promql_expr *x =
	    promql_parse_with(ev->expr, PROMQL_EVERYTHING, a, e);
	struct promql_result r;
	struct buf b = { 0 };
	struct pt_eval moved = *ev;
	bool safe;
	int rc = 0;

	if (x == NULL)
		return -1;
	safe = pt_pin(x->root, at);
	promql_print(&b, x);
	promql_free(x);
	if (at == 0) {
		times[0] = -1000;
		times[4] = 1000;
	}
	memset(moved.wants, 0, sizeof(moved.wants));
	for (size_t i = 0; i < 5 && safe && rc == 0; i++) {
		moved.from = times[i];
		rc = pt_query(t, buf_str(&b), times[i], times[i], 0, a, &r, e);
		if (rc == 0)
			rc = pt_compare(t, &moved, &r, e);
		if (rc == -1)
			error_add(
			    e, "as %s at %" PRId64, buf_cstr(&b), times[i]);
	}
	buf_fini(&b);
	return rc;
}

/* The same instant as the middle of a range of three steps. */
static int
pt_run_middle(
    struct pt *t, const struct pt_eval *ev, struct arena *a, struct error *e)
{
	static const char *const moving[] = { "start(", "end(", "step(",
		"range(" };
	struct pt_eval mid = *ev;
	struct pt_series one = { .n = 1 };
	struct promql_result r;

	for (size_t i = 0; i < 4; i++)
		if (str_find(ev->expr, str_of(moving[i])) < ev->expr.n)
			return 0;
	if (ev->ordered || ev->has_string || ev->has_matrix)
		return 0;
	if (pt_query(t, ev->expr, ev->from - 60000, ev->from + 60000, 60000, a,
		&r, e) == -1)
		return error_add(e, "as a range");
	memset(mid.wants, 0, sizeof(mid.wants));
	if (mid.scalar) {
		mid.scalar = false;
		one.v = &mid.number;
		mid.v = &one;
		mid.n = 1;
	}
	if (pt_sorted(&r, e) == -1 || pt_compare(t, &mid, &r, e) == -1)
		return error_add(e, "as a range");
	return 0;
}

static int
pt_failed_well(
    const struct pt_eval *ev, const struct error *got, struct error *e)
{
	for (size_t k = 0; k < ev->ntexts; k++)
		if (ev->texts[k].kind == PT_FAIL &&
		    !pt_text_is(&ev->texts[k], str_of(got->msg))) {
			struct error copy = *got;

			return error_set(e, "failed with %.500s", copy.msg);
		}
	return 0;
}

static int
pt_run(struct pt *t, const struct pt_eval *ev, struct error *e)
{
	struct promql_result r;
	struct arena a;
	struct error got;
	int rc = -1;

	arena_init(&a);
	if (pt_query(t, ev->expr, ev->from, ev->to, ev->range ? ev->step : 0,
		&a, &r, &got) == -1) {
		if (ev->wants[PT_FAIL])
			rc = pt_failed_well(ev, &got, e);
		else
			error_set(e, "%.900s", got.msg);
		goto out;
	}
	if (ev->wants[PT_FAIL]) {
		error_set(e, "did not fail");
		goto out;
	}
	if (pt_compare(t, ev, &r, e) == -1)
		goto out;
	if (!ev->range &&
	    (pt_run_pinned(t, ev, &a, e) == -1 ||
		pt_run_middle(t, ev, &a, e) == -1))
		goto out;
	rc = 0;
out:
	arena_fini(&a);
	return rc;
}

static void
pt_clear(struct pt *t)
{
	series_free(t->set);
	t->set = series_new();
}

static void
pt_done(struct pt *t, size_t line, int rc, const struct error *e)
{
	if (rc == 0)
		t->passed++;
	else
		t->failed++;
	if (t->report != NULL)
		t->report(t->arg, line, rc == 0, rc == 0 ? "" : e->msg);
}

static void
pt_eval_block(struct pt *t, str head, str *text, size_t *line)
{
	struct pt_eval ev = { .line = *line };
	struct error e;
	str s;
	int rc = pt_command(&ev, head, &e);

	while (text->p != NULL && (s = pt_next_line(text, line)).n > 0)
		if (rc == 0)
			rc = pt_body(t, &ev, s, &e);
	if (rc == 0)
		rc = pt_run(t, &ev, &e);
	pt_done(t, ev.line, rc, &e);
}

/* Run a whole file; t is all zero but for report and arg. */
static void
pt_file(struct pt *t, str text)
{
	size_t line = 0;
	struct error e;

	arena_init(&t->a);
	pt_clear(t);
	while (text.p != NULL) {
		str s = pt_next_line(&text, &line), rest = s;
		str w = pt_word(&rest);
		int64_t step = 0;

		if (str_eq(w, STR("clear")))
			pt_clear(t);
		else if (str_starts(w, STR("load"))) {
			if (dur_parse(rest, &step, &e) == -1 ||
			    pt_load(t, &text, &line, step,
				str_ends(w, STR("nhcb")), &e) == -1)
				pt_done(t, line, -1, &e);
		} else if (str_starts(w, STR("eval")))
			pt_eval_block(t, s, &text, &line);
		else if (w.n > 0) {
			error_set(&e, "unknown command '%.*s'", STR_ARG(w));
			pt_done(t, line, -1, &e);
		}
	}
	series_free(t->set);
	t->set = NULL;
	arena_fini(&t->a);
}

#endif
