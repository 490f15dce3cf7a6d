/*
 * A series that a --mark names, or the answer to the expression it names, is
 * not drawn as lines but as marks.
 */
#include "plot_feed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/series.h"
#include "promql/promql.h"

/* All that came of one expression ("": a stream of samples). */
struct part {
	char *expr;
	struct series_set *set;
	bool range; /* of a range query: from, to, step are set */
	int64_t from, to, step;
};

struct feed {
	struct part *v;
	size_t n, cap;
	int64_t now;
};

struct feed *
feed_new(void)
{
	return mem_zero(1, sizeof(struct feed));
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		series_free(f->v[i].set);
		free(f->v[i].expr);
	}
	free(f->v);
	free(f);
}

static struct part *
part_of(struct feed *f, str expr)
{
	struct part *p;

	for (size_t i = 0; i < f->n; i++)
		if (str_eq(str_of(f->v[i].expr), expr))
			return &f->v[i];
	f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
	p = &f->v[f->n++];
	*p = (struct part){ .expr = mem_zero(expr.n + 1, 1),
		.set = series_new() };
	if (expr.n > 0)
		memcpy(p->expr, expr.p, expr.n);
	return p;
}

/* from= to= step= of a range answer: all three, and in order. */
static bool
range_of(const struct batch *b, struct part *p)
{
	int64_t v[3] = { 0, 0, 0 };
	static const char *const names[] = { "from", "to", "step" };
	size_t found = 0;

	for (size_t i = 0; i < b->nkeys; i++)
		for (size_t k = 0; k < 3; k++)
			if (str_eq(b->keys[i].name, str_of(names[k])) &&
			    num_parse_int(b->keys[i].value, &v[k]) == 0)
				found |= (size_t)1 << k;
	if (found != 7 || v[0] > v[1] || v[2] <= 0)
		return false;
	p->from = v[0];
	p->to = v[1];
	p->step = v[2];
	return true;
}

void
feed_add(struct feed *f, const struct batch *b)
{
	struct part *p = part_of(f, label_find(b->labels, STR("expr")));

	p->range = range_of(b, p);
	if (p->range) {
		series_free(p->set);
		p->set = series_new();
	}
	series_apply(p->set, b);
	if (b->opened && b->t > f->now)
		f->now = b->t;
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].kind == EXPO_SAMPLE && b->v[i].t > f->now)
			f->now = b->v[i].t;
}

int64_t
feed_now(const struct feed *f)
{
	return f->now;
}

void
feed_drop(struct feed *f, int64_t t)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].range)
			series_drop(f->v[i].set, t);
}

/*
 * Is this series one that a --mark names by a selector?  Another expression is
 * that of a part, which need not have come yet; it names no series.
 */
static int
is_mark(const struct view *w, struct labels ls, struct arena *a, bool *yes,
    struct error *e)
{
	*yes = false;
	for (size_t i = 0; i < w->nmarks && !*yes; i++) {
		struct match *m = NULL;
		struct promql_expr *x;
		size_t n = 0;

		if (promql_parse_matchers(
			str_of(w->marks[i]), a, &m, &n, NULL) == -1) {
			x = promql_parse_with(
			    str_of(w->marks[i]), w->features, a, e);
			if (x == NULL)
				return error_add(e, "--mark '%s'", w->marks[i]);
			promql_free(x);
			continue;
		}
		*yes = match_all(m, n, ls);
		for (size_t k = 0; k < n; k++)
			match_fini(&m[k]);
	}
	return 0;
}

/* Is the whole part what a --mark asks for, by its expression's text? */
static bool
part_is_mark(const struct view *w, const struct part *p)
{
	for (size_t i = 0; i < w->nmarks; i++)
		if (p->expr[0] != '\0' && strcmp(p->expr, w->marks[i]) == 0)
			return true;
	return false;
}

static int
add_part(struct gather *g, const struct view *w, const struct part *p,
    struct error *e)
{
	struct source src = series_source(p->set);
	struct source_query q = { .from = INT64_MIN, .to = INT64_MAX };
	struct source_cursor *c = source_open(&src, &q, e);
	struct source_series s;
	bool all = part_is_mark(w, p), mark = all;
	int r, rc = -1;

	if (c == NULL)
		return -1;
	while ((r = source_next(&src, c, &s, e)) > 0) {
		if (!all && is_mark(w, s.labels, g->a, &mark, e) == -1)
			goto out;
		if (mark)
			gather_marks(g, &s, str_of(p->expr));
		else
			gather_line(g, &s, str_of(p->expr));
	}
	rc = r;
out:
	source_close(&src, c);
	return rc;
}

/* -s and -e where given, the answer's range else, 0 and 0 the data's own. */
static int
set_range(
    const struct feed *f, const struct view *w, struct plot *p, struct error *e)
{
	bool any = false;

	for (size_t i = 0; i < f->n; i++) {
		const struct part *q = &f->v[i];

		if (!q->range)
			continue;
		p->from = any && p->from < q->from ? p->from : q->from;
		p->to = any && p->to > q->to ? p->to : q->to;
		p->step = any && p->step > q->step ? p->step : q->step;
		any = true;
	}
	if (w->from == NULL && w->to == NULL)
		return 0;
	if (!any) {
		p->to = f->now;
		p->from = f->now;
		for (size_t i = 0; i < p->n; i++)
			if (p->v[i].n > 0 && p->v[i].t[0] < p->from)
				p->from = p->v[i].t[0];
	}
	if (w->from != NULL &&
	    date_parse(str_of(w->from), w->now, w->zone, &p->from, e) == -1)
		return error_add(e, "-s");
	if (w->to != NULL &&
	    date_parse(str_of(w->to), w->now, w->zone, &p->to, e) == -1)
		return error_add(e, "-e");
	if (p->from >= p->to)
		return error_set(e, "-s is not before the end of the chart");
	return 0;
}

int
feed_plot(struct feed *f, const struct view *w, struct arena *a, struct plot *p,
    struct error *e)
{
	struct gather g = { .a = a };
	size_t drawn = 0;

	for (size_t i = 0; i < f->n; i++)
		if (series_count(f->v[i].set) > 0 &&
		    !part_is_mark(w, &f->v[i])) {
			drawn++;
			p->title = str_of(f->v[i].expr);
		}
	g.several = drawn > 1;
	if (drawn > 1)
		p->title = STR_NONE;
	for (size_t i = 0; i < f->n; i++) {
		g.bridge = f->v[i].range ? f->v[i].step * 3 / 2 : 0;
		if (add_part(&g, w, &f->v[i], e) == -1)
			return -1;
	}
	gather_plot(&g, p);
	if (set_range(f, w, p, e) == -1)
		return -1;
	if (w->step > 0)
		p->step = w->step;
	return 0;
}
