/*
 * Window functions where a window holds native histograms, and maybe floats
 * beside them: what each makes of the mix, and the notes on it.
 */
#include "promql/eval.h"

static size_t
floats(const struct mixed_window *w)
{
	return w->f.hi - w->f.lo;
}

static size_t
histograms(const struct mixed_window *w)
{
	return w->hi - w->lo;
}

static str
metric(const struct mixed_window *w)
{
	return label_find(w->ls, LABEL_NAME);
}

void
promql_note_both(const struct mixed_window *w)
{
	promql_note(w->ev, NOTE_WARNING, w->range,
	    "encountered a mix of histograms and floats for metric name "
	    "\"%.*s\"",
	    STR_ARG(metric(w)));
}

/* Floats and histograms where only one of them can be worked with? */
static bool
both(const struct mixed_window *w)
{
	if (floats(w) == 0 || histograms(w) == 0)
		return false;
	promql_note_both(w);
	return true;
}

static void
note_reconciled(const struct mixed_window *w, unsigned met, const char *what)
{
	if (met & HISTOGRAM_RECONCILED)
		promql_note(w->ev, NOTE_INFO, w->range,
		    "mismatched custom buckets were reconciled during %s",
		    what);
}

static void
note_kind(const struct mixed_window *w, const char *kind)
{
	promql_note(w->ev, NOTE_WARNING, w->range,
	    "this native histogram metric is not a %s: \"%.*s\"", kind,
	    STR_ARG(metric(w)));
}

/*
 * Sums and means.
 */

static bool
add_up(const struct mixed_window *w, bool mean, struct histogram **h)
{
	struct tally t = { 0 };

	if (both(w))
		return false;
	for (size_t i = w->lo; i < w->hi; i++)
		if (promql_tally(&t, w->h[i], mean, w->a) == -1) {
			promql_note_mix(w->ev, w->range, metric(w));
			return false;
		}
	*h = promql_tally_end(&t, mean);
	promql_tally_notes(w->ev, w->range, &t);
	return true;
}

bool
promql_mixed_sum(const struct mixed_window *w, const double *args, double *out,
    struct histogram **h)
{
	(void)args;
	(void)out;
	return add_up(w, false, h);
}

bool
promql_mixed_avg(const struct mixed_window *w, const double *args, double *out,
    struct histogram **h)
{
	(void)args;
	(void)out;
	return add_up(w, true, h);
}

/*
 * Of samples whatever they are.
 */

bool
promql_mixed_count(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	(void)h;
	*out = (double)(floats(w) + histograms(w));
	return true;
}

bool
promql_mixed_present(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)w;
	(void)args;
	(void)h;
	*out = 1;
	return true;
}

/* A walk over both, by time. */
struct walk {
	const struct mixed_window *w;
	size_t f, i;
	double v; /* the sample: v, or h */
	const struct histogram *h;
	int64_t t, start;
};

static bool
step(struct walk *k)
{
	const struct mixed_window *w = k->w;
	bool f = k->f < w->f.hi, i = k->i < w->hi;

	if (!f && !i)
		return false;
	if (f && (!i || w->f.t[k->f] < w->t[k->i])) {
		k->h = NULL;
		k->t = w->f.t[k->f];
		k->start = w->f.start != NULL ? w->f.start[k->f] : 0;
		k->v = w->f.v[k->f++];
	} else {
		k->t = w->t[k->i];
		k->start = w->start != NULL ? w->start[k->i] : 0;
		k->h = w->h[k->i++];
	}
	return true;
}

static bool
value(const struct walk *k, struct arena *a, double *out, struct histogram **h)
{
	if (k->h != NULL)
		*h = histogram_copy(k->h, a);
	else
		*out = k->v;
	return true;
}

static struct walk
first(const struct mixed_window *w)
{
	struct walk k = { .w = w, .f = w->f.lo, .i = w->lo };

	(void)step(&k);
	return k;
}

static struct walk
last(const struct mixed_window *w)
{
	struct walk k = { .w = w, .f = w->f.hi, .i = w->hi };

	if (histograms(w) > 0 &&
	    (floats(w) == 0 || w->t[w->hi - 1] > w->f.t[w->f.hi - 1]))
		k.i--;
	else
		k.f--;
	(void)step(&k);
	return k;
}

bool
promql_mixed_first(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	struct walk k = first(w);

	(void)args;
	return value(&k, w->a, out, h);
}

bool
promql_mixed_last(const struct mixed_window *w, const double *args, double *out,
    struct histogram **h)
{
	struct walk k = last(w);

	(void)args;
	return value(&k, w->a, out, h);
}

bool
promql_mixed_ts_first(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	(void)h;
	*out = (double)first(w).t / 1000;
	return true;
}

bool
promql_mixed_ts_last(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	(void)h;
	*out = (double)last(w).t / 1000;
	return true;
}

static bool
changed(const struct walk *a, const struct walk *b)
{
	if (a->h != NULL && b->h != NULL)
		return !histogram_same(a->h, b->h);
	if (a->h != NULL || b->h != NULL)
		return true;
	return a->v != b->v && !(isnan(a->v) && isnan(b->v));
}

static bool
reset(const struct walk *a, const struct walk *b)
{
	int64_t start[] = { a->start, b->start }, t[] = { a->t, b->t };

	if (restarted(start, t, 1))
		return true;
	if (a->h != NULL && b->h != NULL)
		return histogram_fell(b->h, a->h);
	return a->h != NULL || b->h != NULL || b->v < a->v;
}

/* Is there a sample at or before the window, near enough to stand for it? */
static bool
near_before(const struct mixed_window *w, size_t lo, const int64_t *t)
{
	return w->f.extend == W_ANCHORED && lo > 0 && t[lo - 1] > w->f.oldest;
}

static bool
count_pairs(const struct mixed_window *w,
    bool (*counts)(const struct walk *a, const struct walk *b), double *out)
{
	struct walk k = { .w = w, .f = w->f.lo, .i = w->lo }, prev;
	bool f = near_before(w, w->f.lo, w->f.t),
	     i = near_before(w, w->lo, w->t);
	double n = 0;

	if (floats(w) + histograms(w) == 0)
		return false;
	if (f && (!i || w->f.t[w->f.lo - 1] > w->t[w->lo - 1]))
		k.f--;
	else if (i)
		k.i--;
	(void)step(&k);
	for (prev = k; step(&k); prev = k)
		n += counts(&prev, &k);
	*out = n;
	return true;
}

bool
promql_mixed_changes(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	(void)h;
	return count_pairs(w, changed, out);
}

bool
promql_mixed_resets(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	(void)h;
	return count_pairs(w, reset, out);
}

/*
 * Change.
 */

/* Nothing, in buckets of h's kind. */
static struct histogram *
nothing(const struct histogram *h, struct arena *a)
{
	struct histogram *zero = histogram_zero(h, a);

	zero->zero_threshold = 0;
	zero->hint = HISTOGRAM_UNKNOWN;
	histogram_compact(zero, a);
	return zero;
}

static bool
custom(const struct histogram *h)
{
	return h->schema == HISTOGRAM_CUSTOM;
}

/* Samples of one kind, from lo to hi: notes on what they are; false: a mix. */
bool
promql_one_kind(const struct mixed_window *w, size_t lo, size_t hi,
    const struct histogram *prev, bool counter, int32_t *schema)
{
	const struct histogram *end = w->h[hi - 1];
	bool mix = custom(end) != custom(prev);

	if (counter &&
	    (w->h[lo]->hint == HISTOGRAM_GAUGE || end->hint == HISTOGRAM_GAUGE))
		note_kind(w, "counter");
	if (!counter &&
	    (w->h[lo]->hint != HISTOGRAM_GAUGE || end->hint != HISTOGRAM_GAUGE))
		note_kind(w, "gauge");
	*schema = end->schema;
	for (size_t i = lo + 1; i + 1 < hi && counter && !mix; i++) {
		mix = custom(w->h[i]) != custom(prev);
		if (w->h[i]->hint == HISTOGRAM_GAUGE)
			note_kind(w, "counter");
		if (w->h[i]->schema < *schema)
			*schema = w->h[i]->schema;
	}
	if (mix)
		promql_note_mix(w->ev, w->range, metric(w));
	return !mix;
}

/* What was counted before each fall comes on top. */
static bool
add_fallen(const struct mixed_window *w, size_t lo, size_t hi,
    const struct histogram *prev, struct histogram *h)
{
	unsigned met = 0;

	for (size_t i = lo + 1; i < hi; i++) {
		if ((restarted(w->start, w->t, i) ||
			histogram_fell(w->h[i], prev)) &&
		    histogram_add(h, NULL, prev, 1, w->a, &met) == -1) {
			promql_note_mix(w->ev, w->range, metric(w));
			return false;
		}
		prev = w->h[i];
	}
	note_reconciled(w, met, "addition");
	return true;
}

struct histogram *
promql_histogram_change(
    const struct mixed_window *w, size_t lo, size_t hi, bool counter)
{
	const struct histogram *prev = w->h[lo];
	struct histogram *h;
	unsigned met = 0;
	int32_t schema;

	/* the first is not looked at if all began anew behind it */
	if (counter &&
	    (restarted(w->start, w->t, lo + 1) ||
		histogram_fell(w->h[lo + 1], prev)))
		prev = nothing(w->h[lo + 1], w->a);
	if (!promql_one_kind(w, lo, hi, prev, counter, &schema))
		return NULL;
	h = histogram_copy(w->h[hi - 1], w->a);
	if (!custom(h) && schema < h->schema)
		(void)histogram_reduce(h, schema, w->a);
	if (histogram_add(h, NULL, prev, -1, w->a, &met) == -1) {
		promql_note_mix(w->ev, w->range, metric(w));
		return NULL;
	}
	note_reconciled(w, met, "subtraction");
	if (counter && !add_fallen(w, lo, hi, prev, h))
		return NULL;
	h->hint = HISTOGRAM_GAUGE;
	histogram_compact(h, w->a);
	return h;
}

/* What the first sample had counts, too. */
static bool
from_nothing(const struct mixed_window *w, struct histogram *h)
{
	if (histogram_add(h, NULL, w->h[w->lo], 1, w->a, NULL) == -1) {
		promql_note_mix(w->ev, w->range, metric(w));
		return false;
	}
	h->hint = HISTOGRAM_GAUGE;
	return true;
}

static bool
change_over(const struct mixed_window *w, bool counter, bool rate, double *out,
    struct histogram **h)
{
	size_t n = histograms(w);
	double factor;
	int64_t begun = 0;

	if (w->f.extend != W_NONE)
		return promql_extended(w, counter, rate, out, h);
	if (both(w))
		return false;
	if (counter && w->start != NULL)
		begun = promql_begun(&w->f, w->start + w->lo, w->t[w->lo]);
	if (n < 2 && begun == 0)
		return false;
	*h = n < 2 ? histogram_zero(w->h[w->lo], w->a)
		   : promql_histogram_change(w, w->lo, w->hi, counter);
	if (*h == NULL || (begun != 0 && !from_nothing(w, *h)))
		return false;
	factor = promql_extrapolate(&w->f, n, w->t[w->lo], w->t[w->hi - 1],
	    w->h[w->lo]->count, (*h)->count, counter, begun);
	if (rate)
		factor /= (double)(w->f.to - w->f.from) / 1000;
	histogram_scale(*h, factor);
	return true;
}

bool
promql_mixed_rate(const struct mixed_window *w, const double *args, double *out,
    struct histogram **h)
{
	(void)args;
	return change_over(w, true, true, out, h);
}

bool
promql_mixed_increase(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	return change_over(w, true, false, out, h);
}

bool
promql_mixed_delta(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	return change_over(w, false, false, out, h);
}

/*
 * The last two samples.
 */

static bool
last_two(const struct mixed_window *w, bool counter, double *seconds,
    struct histogram **h)
{
	const struct histogram *a = w->h[w->hi - 2], *b = w->h[w->hi - 1];
	bool gauges = a->hint == HISTOGRAM_GAUGE && b->hint == HISTOGRAM_GAUGE;
	bool gauge = a->hint == HISTOGRAM_GAUGE || b->hint == HISTOGRAM_GAUGE;
	unsigned met = 0;

	if (counter && gauge)
		note_kind(w, "counter");
	if (!counter && !gauges)
		note_kind(w, "gauge");
	*h = histogram_copy(b, w->a);
	if ((!counter ||
		!(restarted(w->start, w->t, w->hi - 1) ||
		    histogram_fell(b, a))) &&
	    histogram_add(*h, NULL, a, -1, w->a, &met) == -1) {
		promql_note_mix(w->ev, w->range, metric(w));
		return false;
	}
	note_reconciled(w, met, "subtraction");
	(*h)->hint = HISTOGRAM_GAUGE;
	histogram_compact(*h, w->a);
	*seconds = (double)(w->t[w->hi - 1] - w->t[w->hi - 2]) / 1000;
	return true;
}

/* Which of a window's last two samples are histograms? */
static size_t
among_last(const struct mixed_window *w)
{
	size_t f = w->f.hi, i = w->hi, n = 0;

	for (int k = 0; k < 2; k++) {
		bool hist =
		    i > w->lo && (f == w->f.lo || w->t[i - 1] > w->f.t[f - 1]);

		n += hist;
		if (hist)
			i--;
		else
			f--;
	}
	return n;
}

static bool
instant(
    const struct mixed_window *w, bool rate, double *out, struct histogram **h)
{
	double seconds;
	size_t n;

	if (floats(w) + histograms(w) < 2)
		return false;
	n = among_last(w);
	if (n == 1)
		return both(w) && false;
	if (n == 2) {
		if (!last_two(w, rate, &seconds, h))
			return false;
		if (rate)
			histogram_divide(*h, seconds);
		return true;
	}
	*out = w->f.v[w->f.hi - 1];
	if (!rate ||
	    !(*out < w->f.v[w->f.hi - 2] ||
		restarted(w->f.start, w->f.t, w->f.hi - 1)))
		*out -= w->f.v[w->f.hi - 2];
	if (rate)
		*out /=
		    (double)(w->f.t[w->f.hi - 1] - w->f.t[w->f.hi - 2]) / 1000;
	return true;
}

bool
promql_mixed_irate(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	return instant(w, true, out, h);
}

bool
promql_mixed_idelta(const struct mixed_window *w, const double *args,
    double *out, struct histogram **h)
{
	(void)args;
	return instant(w, false, out, h);
}
