/*
 * A result against what a test expects of it, and the difference as text:
 * series as a test would write them, '-' before what was expected and '+'
 * before what came.
 */
#include "promql/test.h"

#include <stdlib.h>

#include "base/dur.h"

/* Of more the rest is counted. */
#define SHOW_SERIES 20
/* Values before and behind the first that differs, in a long range. */
#define SHOW_AROUND ((size_t)6)

/* The steps that are looked at. */
struct steps {
	int64_t from, step;
	size_t n;
};

static int64_t
time_of(const struct steps *g, size_t i)
{
	return g->from + (int64_t)i * g->step;
}

/* The place of time t in s, or s->n. */
static size_t
place(const struct promql_series *s, int64_t t)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->t[mid] < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->t[lo] == t ? lo : s->n;
}

/* The value at step i of either, none of it being the staleness marker. */
static double
want_at(const struct test_series *s, size_t i, const struct test_hist **h)
{
	*h = s != NULL && i < s->n ? s->h[i] : NULL;
	return s != NULL && i < s->n ? s->v[i] : num_stale();
}

static double
got_at(const struct promql_series *s, int64_t t, const struct histogram **h)
{
	size_t i = s != NULL ? place(s, t) : 0;

	*h = NULL;
	if (s == NULL || i == s->n)
		return num_stale();
	*h = s->h != NULL ? s->h[i] : NULL;
	return s->v[i];
}

/* The first step where they differ, or n. */
static size_t
differs(const struct test_series *w, const struct promql_series *g,
    const struct steps *at, struct arena *a)
{
	for (size_t i = 0; i < at->n; i++) {
		const struct test_hist *wh;
		const struct histogram *gh;
		double wv = want_at(w, i, &wh),
		       gv = got_at(g, time_of(at, i), &gh);

		if (wh != NULL && gh != NULL) {
			if (!promql_test_hist_equal(wh, gh, a))
				return i;
		} else if (wh != NULL || gh != NULL ||
		    num_is_stale(wv) != num_is_stale(gv) ||
		    (!num_is_stale(wv) && !promql_test_equal(wv, gv)))
			return i;
	}
	return at->n;
}

static bool
live(const struct promql_series *s, const struct steps *at)
{
	const struct histogram *h;

	for (size_t i = 0; i < at->n; i++)
		if (!num_is_stale(got_at(s, time_of(at, i), &h)) || h != NULL)
			return true;
	return false;
}

/* What stands beside each other; either may be NULL. */
struct pair {
	const struct test_series *w;
	const struct promql_series *g;
	size_t differs; /* at which step; the number of steps: nowhere */
};

struct pairs {
	struct pair *v;
	size_t n;
};

/*
 * Printing.
 */

static void
value(struct buf *b, double v, const struct histogram *h, struct arena *a)
{
	buf_byte(b, ' ');
	if (h != NULL)
		promql_test_print_hist(b, h, a);
	else if (num_is_stale(v))
		buf_byte(b, '_');
	else
		num_print(b, v);
}

static void
line(struct buf *b, char mark, const struct pair *p, const struct steps *at,
    struct arena *a)
{
	size_t first = 0, end = at->n;

	if (at->n > 4 * SHOW_AROUND && p->differs < at->n) {
		if (p->differs > SHOW_AROUND)
			first = p->differs - SHOW_AROUND;
		if (p->differs + SHOW_AROUND < end)
			end = p->differs + SHOW_AROUND;
	}
	buf_printf(b, "%c ", mark);
	label_print_metric(b, mark == '+' ? p->g->labels : p->w->ls);
	if (first > 0)
		buf_z(b, " ...");
	for (size_t i = first; i < end; i++) {
		const struct test_hist *wh;
		const struct histogram *gh;
		double v;

		if (mark == '+') {
			v = got_at(p->g, time_of(at, i), &gh);
		} else {
			v = want_at(p->w, i, &wh);
			gh = wh != NULL ? &wh->h : NULL;
		}
		value(b, v, gh, a);
	}
	if (end < at->n)
		buf_z(b, " ...");
	if (mark == '+' && at->n > 1 && p->w != NULL) {
		int64_t t = time_of(at, p->differs);

		buf_z(b, "  # differs first at ");
		buf_z(b, t < 0 ? "-" : "");
		dur_print(b, t < 0 ? -t : t);
	}
	buf_byte(b, '\n');
}

static void
diff(struct buf *b, const struct pairs *p, const struct steps *at,
    struct arena *a)
{
	size_t shown = 0, more = 0;

	buf_z(b, "the result differs (- expected, + got):\n");
	for (size_t i = 0; i < p->n; i++) {
		const struct pair *x = &p->v[i];
		bool same = x->w != NULL && x->g != NULL && x->differs == at->n;

		if (shown >= SHOW_SERIES) {
			more++;
			continue;
		}
		if (same && p->n > SHOW_SERIES)
			continue;
		shown++;
		if (same) {
			line(b, ' ', x, at, a);
			continue;
		}
		if (x->w != NULL)
			line(b, '-', x, at, a);
		if (x->g != NULL)
			line(b, '+', x, at, a);
	}
	if (more > 0)
		buf_printf(b, "  ... and %zu series more\n", more);
}

/*
 * Comparing.
 */

static int
want_cmp(const void *a, const void *b)
{
	const struct test_series *const *x = a, *const *y = b;

	return label_cmp((*x)->ls, (*y)->ls);
}

static int
got_cmp(const void *a, const void *b)
{
	const struct promql_series *const *x = a, *const *y = b;

	return label_cmp((*x)->labels, (*y)->labels);
}

static void
pair_up(struct pairs *p, const struct test_series **w, size_t nw,
    const struct promql_series **g, size_t ng, bool ordered)
{
	size_t i = 0, k = 0;

	if (!ordered) {
		if (nw > 0)
			qsort(w, nw, sizeof(*w), want_cmp);
		if (ng > 0)
			qsort(g, ng, sizeof(*g), got_cmp);
	}
	while (i < nw || k < ng) {
		struct pair *x = &p->v[p->n++];
		int c = i == nw ? 1
		    : k == ng   ? -1
				: label_cmp(w[i]->ls, g[k]->labels);

		/* In order, another series in its place is beside it. */
		if (ordered && i < nw && k < ng)
			c = 0;
		*x = (struct pair){ c <= 0 ? w[i] : NULL, c >= 0 ? g[k] : NULL,
			0 };
		i += c <= 0;
		k += c >= 0;
	}
}

static bool
compare_series(const struct test_eval *ev, const struct promql_result *r,
    const struct steps *at, struct arena *a, struct buf *why)
{
	const struct promql_series **g =
	    arena_array(a, r->n, const struct promql_series *);
	const struct test_series **w =
	    arena_array(a, ev->n, const struct test_series *);
	struct pairs p = { arena_array(a, r->n + ev->n, struct pair), 0 };
	bool same = true;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (live(&r->v[i], at))
			g[n++] = &r->v[i];
	for (size_t i = 0; i < ev->n; i++)
		w[i] = &ev->v[i];
	pair_up(&p, w, ev->n, g, n, ev->ordered);
	for (size_t i = 0; i < p.n; i++) {
		struct pair *x = &p.v[i];

		if (x->w != NULL && x->g != NULL &&
		    label_eq(x->w->ls, x->g->labels))
			x->differs = differs(x->w, x->g, at, a);
		same =
		    same && x->w != NULL && x->g != NULL && x->differs == at->n;
	}
	if (!same)
		diff(why, &p, at, a);
	return same;
}

static bool
sorted(const struct promql_result *r, struct buf *why)
{
	for (size_t i = 1; i < r->n; i++)
		if (label_cmp(r->v[i - 1].labels, r->v[i].labels) >= 0) {
			buf_z(why, "the result is not in label order: ");
			label_print_metric(why, r->v[i - 1].labels);
			buf_z(why, " stands before ");
			label_print_metric(why, r->v[i].labels);
			buf_byte(why, '\n');
			return false;
		}
	return true;
}

static void
say(struct buf *why, char mark, str s)
{
	buf_printf(why, "%c %.*s\n", mark, STR_ARG(s));
}

/* Each note is expected, and each that is expected has come. */
static bool
match_notes(const struct test_eval *ev, enum test_want kind, const str *v,
    size_t n, const char *name, struct buf *why)
{
	size_t from = why->n;
	bool ok = true, all = false;

	for (size_t k = 0; k < ev->ntexts; k++)
		all |= ev->texts[k].kind == kind && ev->texts[k].msg.n == 0 &&
		    ev->texts[k].re == NULL;
	buf_printf(why, "another %s (- expected, + got):\n", name);
	for (size_t k = 0; k < ev->ntexts; k++) {
		const struct test_text *x = &ev->texts[k];
		bool hit = x->kind != kind;

		for (size_t i = 0; i < n && !hit; i++)
			hit = promql_test_says(x, v[i]);
		if (!hit)
			say(why, '-', x->msg.n > 0 ? x->msg : x->regex);
		ok = ok && hit;
	}
	for (size_t i = 0; i < n; i++) {
		bool hit = all || ev->ntexts == 0;

		for (size_t k = 0; k < ev->ntexts && !hit; k++)
			hit = ev->texts[k].kind == kind &&
			    promql_test_says(&ev->texts[k], v[i]);
		if (!hit)
			say(why, '+', v[i]);
		ok = ok && hit;
	}
	if (ok)
		why->n = from;
	return ok;
}

static bool
notes(const struct test_eval *ev, bool warnings, const str *v, size_t n,
    struct buf *why)
{
	const char *name = warnings ? "warning" : "info";

	if (ev->wants[warnings ? TEST_NO_WARN : TEST_NO_INFO] && n > 0) {
		buf_printf(why, "no %s was expected:\n", name);
		for (size_t i = 0; i < n; i++)
			say(why, '+', v[i]);
		return false;
	}
	if (!ev->wants[warnings ? TEST_WARN : TEST_INFO])
		return true;
	if (n == 0) {
		buf_printf(why, "no %s came\n", name);
		return false;
	}
	return match_notes(
	    ev, warnings ? TEST_WARN : TEST_INFO, v, n, name, why);
}

static bool
single(
    const struct test_eval *ev, const struct promql_result *r, struct buf *why)
{
	enum promql_type want = ev->has_string ? PROMQL_STRING : PROMQL_SCALAR;

	if (r->type == want && ev->has_string && str_eq(r->string, ev->string))
		return true;
	if (r->type == want && ev->scalar &&
	    promql_test_equal(r->scalar, ev->number))
		return true;
	buf_printf(why, "the result differs (- expected, + got):\n- %s ",
	    promql_type_text(want));
	if (ev->has_string)
		buf_add(why, ev->string);
	else
		num_print(why, ev->number);
	buf_printf(why, "\n+ %s ", promql_type_text(r->type));
	if (r->type == PROMQL_STRING)
		buf_add(why, r->string);
	else if (r->type == PROMQL_SCALAR)
		num_print(why, r->scalar);
	else
		buf_printf(why, "of %zu series", r->n);
	buf_byte(why, '\n');
	return false;
}

bool
promql_test_compare(const struct test_eval *ev, const struct promql_result *r,
    struct arena *a, struct buf *why)
{
	struct steps at = { ev->from, 0, 1 };

	if (!notes(ev, true, r->warnings, r->nwarnings, why) ||
	    !notes(ev, false, r->infos, r->ninfos, why))
		return false;
	if (ev->has_string || ev->scalar)
		return single(ev, r, why);
	if (r->type == PROMQL_SCALAR || r->type == PROMQL_STRING) {
		buf_printf(why, "series were expected, not a %s\n",
		    promql_type_text(r->type));
		return false;
	}
	if (ev->range) {
		at.step = ev->step;
		at.n = (size_t)((ev->to - ev->from) / ev->step) + 1;
	}
	if (ev->has_matrix)
		at = (struct steps){ ev->mfrom, ev->mstep,
			(size_t)((ev->mto - ev->mfrom) / ev->mstep) + 1 };
	if (ev->range && !sorted(r, why))
		return false;
	return compare_series(ev, r, &at, a, why);
}
