/*
 * The step is a round one, and ranges begin and end on it, so that a chart
 * that is drawn again a moment later has the same points.
 */
#include "plot_ask.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "tool.h"

#define SPAN_MS INT64_C(3600000) /* without -s */

struct question {
	str text;
	struct promql_expr *x;
	bool mark;
};

struct ask {
	struct arena a; /* of the parsed expressions */
	struct question *v;
	size_t n;
	int64_t reach;
};

static int
parse(struct ask *q, const struct view *w, const char *text, bool mark,
    struct error *e)
{
	struct question *k = &q->v[q->n];
	int64_t back = 0, ahead = 0;

	k->text = str_of(text);
	k->mark = mark;
	k->x = promql_parse_with(k->text, w->features, &q->a, e);
	if (k->x == NULL)
		return error_add(e, "'%s'", text);
	q->n++;
	if (promql_type(k->x) == PROMQL_STRING ||
	    promql_type(k->x) == PROMQL_MATRIX)
		return error_set(e, "'%s': a chart needs numbers, this is a %s",
		    text, promql_type_text(promql_type(k->x)));
	if (promql_reach(k->x, 0, &back, &ahead) && back > q->reach)
		q->reach = back;
	return 0;
}

struct ask *
ask_new(
    const char *const *exprs, size_t n, const struct view *w, struct error *e)
{
	struct ask *q = mem_zero(1, sizeof(*q));

	q->v = mem_zero(n + w->nmarks, sizeof(*q->v));
	for (size_t i = 0; i < n + w->nmarks; i++)
		if (parse(q, w, i < n ? exprs[i] : w->marks[i - n], i >= n,
			e) == -1) {
			ask_free(q);
			return NULL;
		}
	return q;
}

void
ask_free(struct ask *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->n; i++)
		promql_free(q->v[i].x);
	arena_fini(&q->a);
	free(q->v);
	free(q);
}

int64_t
ask_reach(const struct ask *q)
{
	return q->reach;
}

/* The smallest round step that is not below ms. */
static int64_t
round_step(int64_t ms)
{
	static const int64_t s[] = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
		900, 1800, 3600, 7200, 10800, 21600, 43200, 86400 };

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++)
		if (s[i] * 1000 >= ms)
			return s[i] * 1000;
	return (ms / 86400000 + 1) * 86400000;
}

static int
set_range(struct plot *p, struct input *in, struct series_set *set,
    const struct view *w, int dots, struct error *e)
{
	int64_t span;

	p->to = w->now;
	p->from = 0;
	if (input_kind(in) == INPUT_STREAM)
		(void)series_range(set, &p->from, &p->to);
	if (w->to != NULL &&
	    date_parse(str_of(w->to), w->now, w->zone, &p->to, e) == -1)
		return error_add(e, "-e");
	if (input_kind(in) != INPUT_STREAM)
		p->from = p->to - SPAN_MS;
	if (w->from != NULL &&
	    date_parse(str_of(w->from), w->now, w->zone, &p->from, e) == -1)
		return error_add(e, "-s");
	if (p->from > p->to)
		return error_set(e, "-s is not before the end of the chart");
	if (__builtin_sub_overflow(p->to, p->from, &span))
		return error_set(e, "the samples' times are too far apart");
	p->step = w->step > 0 ? w->step : round_step(span / dots);
	/* An engine has a limit of its own. */
	if (input_kind(in) != INPUT_REMOTE && span / p->step > PROMQL_MAX_STEPS)
		return error_set(e,
		    "--step: more than %d points in the range: take a larger "
		    "one",
		    PROMQL_MAX_STEPS);
	p->from -= p->from % p->step;
	p->to -= p->to % p->step;
	return 0;
}

enum tool_exit
ask_plot(struct ask *q, struct input *in, struct series_set *set,
    const struct view *w, int dots, struct arena *a, struct plot *p,
    struct error *e)
{
	struct gather g = { .a = a };
	size_t lines = q->n - w->nmarks;

	if (set_range(p, in, set, w, dots, e) == -1)
		return TOOL_USAGE;
	g.several = lines > 1;
	g.bridge = p->step * 3 / 2;
	if (lines == 1)
		p->title = q->v[0].text;
	for (size_t i = 0; i < q->n; i++) {
		struct promql_opts o = {
			.from = p->from, .to = p->to, .step = p->step
		};
		struct promql_result r = { 0 };

		if (input_ask(in, set, q->v[i].x, &o, a, &r, e) == -1) {
			if (q->n > 1)
				error_add(e, "'%.*s'", STR_ARG(q->v[i].text));
			return TOOL_FAILED;
		}
		for (size_t k = 0; k < r.n; k++) {
			struct source_series s = { .labels = r.v[k].labels,
				.t = r.v[k].t,
				.v = r.v[k].v,
				.n = r.v[k].n };

			if (r.v[k].h != NULL) {
				tool_warn("a native histogram is not drawn: "
					  "ask for its histogram_quantile()");
				continue;
			}
			if (q->v[i].mark)
				gather_marks(&g, &s, q->v[i].text);
			else
				gather_line(&g, &s, q->v[i].text);
		}
	}
	gather_plot(&g, p);
	return TOOL_OK;
}

void
view_check(const struct view *w)
{
	int64_t from, to, now = tool_now();

	if (w->from != NULL && w->to != NULL &&
	    date_parse(str_of(w->from), now, w->zone, &from, NULL) == 0 &&
	    date_parse(str_of(w->to), now, w->zone, &to, NULL) == 0 &&
	    from > to)
		tool_die(TOOL_USAGE, "-s: the start is after the end");
}
