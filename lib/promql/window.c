/*
 * Functions of windows: every window of a series in turn, open on the left (a
 * sample counts in (t - range, t]).  Series of floats alone, nearly all, have
 * a loop of their own; in others floats and histograms are taken apart first.
 */
#include "promql/eval.h"
#include "promql/slide.h"

/*
 * Targets are scraped at times of their own, and series come by their labels:
 * what is known of so many columns of times is kept.
 */
#define SLIDES 127

struct windows {
	struct place p;
	struct eval *ev;
	const struct node *call, *range; /* the argument that is a range */
	const struct grid *g;
	const struct sink *out;
	double *cols[FUNC_ARGS]; /* scalar arguments */
	size_t nargs;
	double *v;
	const struct histogram **h; /* the result, in series with histograms */
	struct mixed_window m;
	int64_t *ft, *ht, *fs,
	    *hs; /* floats and histograms of a series, apart */
	double *fv;
	const struct histogram **hv;
	size_t mcap;
	struct arena scratch; /* of one window */
	size_t *resets, nresets, reset_cap;
	struct slides *all; /* by when the first sample was, and how many */
	struct label_room room;
	str told;      /* the name that a note was about */
	size_t points; /* in the result so far */
};

static void
find_resets(struct windows *w, const struct column *c)
{
	w->nresets = 0;
	if (c->n > w->reset_cap) {
		w->reset_cap = c->n + c->n / 2;
		w->resets = arena_array(w->ev->a, w->reset_cap, size_t);
	}
	if (c->start == NULL) {
		size_t falls = 0; /* nearly always none */

		for (size_t i = 1; i < c->n; i++)
			falls += c->v[i] < c->v[i - 1];
		if (falls == 0)
			return;
	}
	for (size_t i = 1; i < c->n; i++)
		if (c->v[i] < c->v[i - 1] || restarted(c->start, c->t, i))
			w->resets[w->nresets++] = i;
}

/* Rates are for counters: say so when the name denies it is one. */
static void
note_counter(struct windows *w, const struct row *r)
{
	static const char *const ends[] = { "_total", "_sum", "_count",
		"_bucket" };
	str name = label_find(r->ls, LABEL_NAME), type;

	if (name.n == 0 || str_eq(name, w->told))
		return;
	for (size_t i = 0; i < 4; i++)
		if (str_ends(name, str_of(ends[i])))
			return;
	type = label_find(r->ls, STR("__type__"));
	if (str_eq(type, STR("counter")) || str_eq(type, STR("histogram")))
		return;
	w->told = arena_dup(w->ev->a, name);
	promql_note(w->ev, NOTE_INFO, w->range,
	    "metric might not be a counter, name does not end in "
	    "_total/_sum/_count/_bucket: \"%.*s\"",
	    STR_ARG(name));
}

/* The window of step i over a column; hot, so not called. */
static inline __attribute__((always_inline)) void
advance(struct windows *w, struct window *win, size_t i)
{
	win->now = step_time(w->g, i);
	win->to = edge(&w->p, w->g, i);
	win->from = plus(win->to, -w->p.range);
	win->oldest = plus(win->from, -w->ev->lookback);
	win->newest = plus(win->to, w->ev->lookback);
	while (win->lo < win->total && win->t[win->lo] <= win->from)
		win->lo++;
	if (win->hi < win->lo)
		win->hi = win->lo;
	while (win->hi < win->total && win->t[win->hi] <= win->to)
		win->hi++;
	while (win->nresets < w->nresets && w->resets[win->nresets] < win->hi)
		win->nresets++;
	while (win->first_reset < win->nresets &&
	    w->resets[win->first_reset] <= win->lo)
		win->first_reset++;
}

static struct window
window_over(const struct windows *w, const struct column *c)
{
	return (struct window){
		.t = c->t,
		.v = c->v,
		.start = c->start,
		.total = c->n,
		.resets = w->resets,
		.extend = w->range->kind == N_MATRIX ? w->range->sub->mod.extend
						     : W_NONE,
	};
}

/* Start times that cannot be: before the last sample, and not its own. */
static void
note_overlap(struct windows *w, const struct column *c, size_t lo, size_t hi,
    const struct row *r)
{
	str name = label_find(r->ls, LABEL_NAME);

	for (size_t i = lo + 1; i < hi; i++)
		if (c->start[i] != 0 && c->start[i] < c->t[i - 1] &&
		    c->start[i] != c->start[i - 1]) {
			promql_note(w->ev, NOTE_WARNING, w->range,
			    "sample has start time that overlaps with "
			    "previous sample timestamp for metric \"%.*s\"",
			    STR_ARG(name));
			return;
		}
}

/* The same for all windows: what they hold together, from first to last. */
static void
check_starts(struct windows *w, const struct column *c, const struct row *r)
{
	struct window win = window_over(w, c);

	for (size_t i = 0; i < w->g->n; i++) {
		advance(w, &win, i);
		note_overlap(w, c, win.lo, win.hi, r);
	}
}

/* All windows of one series at once, where the function can. */
static bool
slide_all(struct windows *w, const struct column *c, size_t *most)
{
	const struct func *fn = w->call->fn;
	struct slides *s;

	if (fn->slide == NULL || c->start != NULL ||
	    (w->range->kind == N_MATRIX && w->range->sub->mod.extend != W_NONE))
		return false;
	if (w->all == NULL)
		w->all = arena_array(w->ev->a, SLIDES, struct slides);
	s = &w->all[(c->n > 0 ? (uint64_t)c->t[0] * 31 + c->n : 0) % SLIDES];
	s->ev = w->ev;
	promql_slides_set(s, &w->p, w->g, c);
	s->resets = w->resets;
	s->nresets = w->nresets;
	*most = s->most;
	return fn->slide(s, (const double *const *)w->cols, w->v);
}

/* Every window of one series; the size of the largest is returned. */
static size_t
slide(struct windows *w, const struct column *c)
{
	const struct func *fn = w->call->fn;
	struct window win = window_over(w, c);
	double args[FUNC_ARGS];
	size_t most = 0;

	if (slide_all(w, c, &most))
		return most;
	most = 0;
	for (size_t i = 0; i < w->g->n; i++) {
		advance(w, &win, i);
		if (promql_tick(w->ev, win.hi - win.lo) == -1)
			return 0;
		for (size_t k = 0; k < w->nargs; k++)
			args[k] = w->cols[k][i];
		if (win.hi - win.lo > most)
			most = win.hi - win.lo;
		if ((win.lo == win.hi && win.extend != W_SMOOTHED) ||
		    !fn->window(&win, args, &w->v[i]))
			w->v[i] = num_stale();
	}
	return most;
}

/*
 * Series that have histograms.
 */

/* Floats and histograms of c into columns of their own. */
static struct column
take_apart(struct windows *w, const struct column *c)
{
	struct arena *a = w->ev->a;
	size_t nf = 0, nh = 0;

	if (c->n > w->mcap) {
		w->mcap = c->n + c->n / 2;
		w->ft = arena_alloc(a, w->mcap * sizeof(*w->ft));
		w->ht = arena_alloc(a, w->mcap * sizeof(*w->ht));
		w->fv = arena_alloc(a, w->mcap * sizeof(*w->fv));
		w->hv = arena_alloc(a, w->mcap * sizeof(*w->hv));
		w->fs = arena_alloc(a, w->mcap * sizeof(*w->fs));
		w->hs = arena_alloc(a, w->mcap * sizeof(*w->hs));
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->h[i] != NULL) {
			w->hs[nh] = c->start != NULL ? c->start[i] : 0;
			w->ht[nh] = c->t[i];
			w->hv[nh++] = c->h[i];
		} else {
			w->fs[nf] = c->start != NULL ? c->start[i] : 0;
			w->ft[nf] = c->t[i];
			w->fv[nf++] = c->v[i];
		}
	w->m.t = w->ht;
	w->m.h = w->hv;
	w->m.total = nh;
	w->m.lo = w->m.hi = 0;
	w->m.start = c->start != NULL ? w->hs : NULL;
	return (struct column){ w->ft, w->fv, NULL,
		c->start != NULL ? w->fs : NULL, nf };
}

static void
note_ignored(struct windows *w)
{
	str name = label_find(w->m.ls, LABEL_NAME);

	promql_note(w->ev, NOTE_INFO, w->range,
	    "ignored histograms in a range containing both floats and "
	    "histograms for metric name \"%.*s\"",
	    STR_ARG(name));
}

/* The value of one window: a float in *v, a histogram in *h, or nothing. */
static bool
mixed_value(
    struct windows *w, const double *args, double *v, struct histogram **h)
{
	const struct func *fn = w->call->fn;
	struct mixed_window *m = &w->m;
	bool extended = m->f.extend != W_NONE;
	size_t floats = m->f.hi - m->f.lo, hists = m->hi - m->lo;

	*h = NULL;
	if (fn->mixed != NULL && (hists > 0 || (extended && m->total > 0)))
		return fn->mixed(m, args, v, h);
	if (floats == 0 && m->f.extend != W_SMOOTHED)
		return false;
	if (hists > 0)
		note_ignored(w);
	return fn->window(&m->f, args, v);
}

static size_t
slide_mixed(struct windows *w, const struct row *r, const struct column *c)
{
	struct column floats = take_apart(w, c);
	struct mixed_window *m = &w->m;
	struct histogram *h;
	double args[FUNC_ARGS];
	size_t most = 0, n;

	if (w->call->fn->flags & FUNC_RESETS)
		find_resets(w, &floats);
	m->f = window_over(w, &floats);
	m->ls = r->ls;
	w->h = promql_histograms(w->ev, w->g->n);
	for (size_t i = 0; i < w->g->n; i++) {
		advance(w, &m->f, i);
		while (m->lo < m->total && m->t[m->lo] <= m->f.from)
			m->lo++;
		if (m->hi < m->lo)
			m->hi = m->lo;
		while (m->hi < m->total && m->t[m->hi] <= m->f.to)
			m->hi++;
		for (size_t k = 0; k < w->nargs; k++)
			args[k] = w->cols[k][i];
		if (promql_tick(w->ev, m->hi - m->lo) == -1)
			return 0;
		n = m->f.hi - m->f.lo;
		for (size_t k = m->lo; k < m->hi; k++)
			n += 1 + promql_histogram_size(m->h[k]);
		if (n > most)
			most = n;
		if (!mixed_value(w, args, &w->v[i], &h))
			w->v[i] = num_stale();
		else if (h != NULL) {
			w->h[i] = histogram_copy(h, w->ev->a);
			w->v[i] = 0;
		}
		arena_reset(&w->scratch);
	}
	return most;
}

static int
window_column(void *self, struct row *r, const struct column *c)
{
	struct windows *w = self;
	const struct func *fn = w->call->fn;
	struct eval *ev = w->ev;
	size_t most, n, floats;

	/* Windows may hold much more than they were made of. */
	if (promql_tick(ev, w->g->n) == -1)
		return -1;
	w->h = NULL;
	w->nresets = 0;
	if (c->start != NULL && fn->flags & FUNC_COUNTER)
		check_starts(w, c, r);
	if (c->h != NULL)
		most = slide_mixed(w, r, c);
	else {
		if (fn->flags & FUNC_RESETS)
			find_resets(w, c);
		most = slide(w, c);
	}
	if (ev->failure != PROMQL_EXECUTION)
		return -1;
	n = promql_present(w->v, w->g->n);
	floats = n;
	for (size_t i = 0; i < w->g->n && w->h != NULL; i++)
		floats -= !absent(w->v[i]) && w->h[i] != NULL;
	if (promql_count(ev, n + most) == -1)
		return -1;
	ev->samples -= most;
	w->points += n;
	r->v = w->v;
	r->h = w->h;
	if (floats > 0 && fn->flags & FUNC_COUNTER)
		note_counter(w, r);
	if (!(fn->flags & FUNC_KEEP_NAME))
		promql_drop_name(ev, r, &w->room);
	return promql_emit(w->out, r, w->g->n);
}

/* anchored and smoothed change what a few functions see, and no other. */
static int
check_extended(struct windows *w)
{
	enum word ext =
	    w->range->kind == N_MATRIX ? w->range->sub->mod.extend : W_NONE;
	unsigned flags = w->call->fn->flags;

	if (ext == W_ANCHORED && !(flags & FUNC_ANCHORED))
		return promql_fail(w->ev,
		    "anchored modifier can only be used with: changes, delta, "
		    "increase, rate, resets - not with %s",
		    w->call->fn->name);
	if (ext == W_SMOOTHED && !(flags & FUNC_SMOOTHED))
		return promql_fail(w->ev,
		    "smoothed modifier can only be used with: delta, increase, "
		    "rate - not with %s",
		    w->call->fn->name);
	return 0;
}

int
promql_windows(struct eval *ev, const struct node *call, const struct grid *g,
    const struct sink *out)
{
	struct windows w = { .ev = ev, .call = call, .g = g };
	size_t at = call->fn->args[0] == 'm' ? 0 : 1;
	size_t held = ev->samples;
	struct unite u;
	int rc;

	w.range = promql_inner(call->arg[at]);
	w.v = promql_column(ev, g->n);
	w.m.ev = ev;
	w.m.range = w.range;
	w.m.a = &w.scratch;
	for (size_t i = 0; i < call->narg; i++) {
		if (i == at)
			continue;
		w.cols[w.nargs] = promql_column(ev, g->n);
		if (promql_scalar(ev, call->arg[i], g, w.cols[w.nargs]) == -1)
			return -1;
		w.nargs++;
	}
	if (check_extended(&w) == -1 ||
	    (call->fn->check != NULL &&
		call->fn->check(ev, call, w.cols, g->n) == -1))
		return -1;
	w.out = promql_unite_init(&u, ev, g->n,
	    ev->late_names || call->fn->flags & FUNC_KEEP_NAME ||
		promql_one_name(w.range),
	    out);
	arena_init(&w.scratch);
	rc = promql_unite_fini(
	    &u, promql_feed(ev, w.range, g, &w.p, window_column, &w));
	arena_fini(&w.scratch);
	/* What the windows held has been let go. */
	ev->samples = held + w.points;
	return rc;
}
