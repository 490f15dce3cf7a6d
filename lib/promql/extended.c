/*
 * Histograms at the edges of windows that are anchored or smoothed: from the
 * sample before the window, or interpolated at its edges.  As fn_rate.c has
 * it for floats.
 */
#include "promql/eval.h"

struct histogram *
promql_between(const struct histogram *a, const struct histogram *b,
    double part, bool fell, bool above, struct arena *arena)
{
	struct histogram *h = histogram_copy(b, arena);

	if ((a->schema == HISTOGRAM_CUSTOM) != (b->schema == HISTOGRAM_CUSTOM))
		return NULL;
	if (!fell && histogram_add(h, NULL, a, -1, arena, NULL) == -1)
		return NULL;
	histogram_scale(h, part);
	if ((!fell || above) && histogram_add(h, NULL, a, 1, arena, NULL) == -1)
		return NULL;
	h->hint =
	    a->hint == HISTOGRAM_GAUGE ? HISTOGRAM_GAUGE : HISTOGRAM_UNKNOWN;
	return h;
}

/* The samples around the window that a series has for it. */
struct around {
	bool before, after;
	bool other; /* floats are among them, or in the window */
	bool any;
};

static struct around
look_around(const struct mixed_window *w)
{
	const struct window *f = &w->f;
	bool smoothed = f->extend == W_SMOOTHED, fb, fa;
	struct around a = { 0 };

	a.before = w->lo > 0 && w->t[w->lo - 1] > f->oldest;
	fb = f->lo > 0 && f->t[f->lo - 1] > f->oldest;
	if (fb && a.before) {
		a.before = w->t[w->lo - 1] > f->t[f->lo - 1];
		fb = !a.before;
	}
	a.after = smoothed && w->hi < w->total && w->t[w->hi] <= f->newest;
	fa = smoothed && f->hi < f->total && f->t[f->hi] <= f->newest;
	if (fa && a.after) {
		a.after = w->t[w->hi] < f->t[f->hi];
		fa = !a.after;
	}
	a.other = fb || fa || f->hi > f->lo;
	a.any = a.before || a.after || w->hi > w->lo;
	return a;
}

/* Between samples i - 1 and i at t. */
static struct histogram *
at_edge(
    const struct mixed_window *w, size_t i, int64_t t, bool counter, bool above)
{
	double part =
	    (double)(t - w->t[i - 1]) / (double)(w->t[i] - w->t[i - 1]);

	return promql_between(w->h[i - 1], w->h[i], part,
	    counter && histogram_fell(w->h[i], w->h[i - 1]), above, w->a);
}

/* h += sign * o in the arena of the window, both of one kind. */
static void
add(const struct mixed_window *w, struct histogram *h,
    const struct histogram *o, double sign)
{
	(void)histogram_add(h, NULL, o, sign, w->a, NULL);
}

static bool
smoothed(const struct mixed_window *w, const struct around *a, bool counter,
    struct histogram **out)
{
	size_t lo = w->lo - a->before, hi = w->hi + a->after;
	const struct histogram *first, *last;
	bool exact = a->before && w->t[w->lo - 1] == w->f.from;
	struct histogram *h;
	int32_t schema;

	if (w->lo == w->hi && !(a->before && a->after))
		return false;
	if (!promql_one_kind(w, lo, hi, w->h[lo], counter, &schema))
		return false;
	first = w->h[lo];
	if (a->before && !exact)
		first = at_edge(w, w->lo, w->f.from, counter, false);
	last = w->h[w->hi > 0 ? w->hi - 1 : 0];
	if (a->after && w->t[w->hi - 1] != w->f.to)
		last = at_edge(w, w->hi, w->f.to, counter, true);
	if (first == NULL || last == NULL) {
		promql_note_mix(w->ev, w->range, label_find(w->ls, LABEL_NAME));
		return false;
	}
	h = histogram_copy(last, w->a);
	add(w, h, first, -1);
	/* Both edges behind the same fall: it is not counted twice. */
	if (w->lo == w->hi && counter &&
	    histogram_fell(w->h[w->hi], w->h[w->lo - 1]))
		add(w, h, w->h[w->lo - 1], -1);
	for (size_t i = exact ? w->lo : w->lo + 1; i < w->hi && counter; i++)
		if (histogram_fell(w->h[i], w->h[i - 1]))
			add(w, h, w->h[i - 1], 1);
	*out = h;
	return true;
}

static bool
anchored(const struct mixed_window *w, const struct around *a, bool counter,
    struct histogram **out)
{
	size_t lo = w->lo - a->before;
	int32_t schema;

	if (w->lo == w->hi)
		return false;
	if (w->hi - lo >= 2) {
		*out = promql_histogram_change(w, lo, w->hi, counter);
		return *out != NULL;
	}
	if (!promql_one_kind(w, lo, w->hi, w->h[lo], counter, &schema))
		return false;
	*out = histogram_zero(w->h[lo], w->a);
	return true;
}

bool
promql_extended(const struct mixed_window *w, bool counter, bool rate,
    double *out, struct histogram **h)
{
	struct around a = look_around(w);

	if (!a.any)
		return (w->f.hi > w->f.lo || w->f.extend == W_SMOOTHED) &&
		    promql_change(&w->f, counter, rate, out);
	if (a.other) {
		promql_note_both(w);
		return false;
	}
	if (!(w->f.extend == W_SMOOTHED ? smoothed(w, &a, counter, h)
					: anchored(w, &a, counter, h)))
		return false;
	if (rate)
		histogram_divide(*h, (double)(w->f.to - w->f.from) / 1000);
	(*h)->hint = HISTOGRAM_GAUGE;
	histogram_compact(*h, w->a);
	return true;
}
