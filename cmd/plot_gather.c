/*
 * Series become lines, or marks: the times at which they are above zero.
 */
#include "plot_gather.h"

#include <string.h>

/* "deploy v2.3": the name and the values, but not where it was seen. */
static str
mark_text(struct gather *g, struct labels ls, str otherwise)
{
	str s = label_find(ls, LABEL_NAME);

	if (str_ends(s, STR("_info")))
		s = str_take(s, s.n - 5);
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME) ||
		    str_eq(ls.v[i].name, STR("job")) ||
		    str_eq(ls.v[i].name, STR("instance")))
			continue;
		s = s.n == 0 ? ls.v[i].value
			     : arena_printf(g->a, "%.*s %.*s", STR_ARG(s),
				   STR_ARG(ls.v[i].value));
	}
	return s.n > 0 ? arena_dup(g->a, s) : otherwise;
}

void
gather_marks(struct gather *g, const struct source_series *s, str expr)
{
	bool in = false;

	for (size_t i = 0; i < s->n; i++) {
		if (i > 0 && g->bridge > 0 && s->t[i] - s->t[i - 1] > g->bridge)
			in = false;
		if (!(s->v[i] > 0)) {
			in = false;
			continue;
		}
		if (!in) {
			if (g->nmarks == g->capmarks)
				g->marks =
				    arena_grow(g->a, g->marks, &g->capmarks,
					g->nmarks + 1, sizeof(*g->marks));
			g->marks[g->nmarks++] = (struct plot_mark){ s->t[i], 0,
				mark_text(g, s->labels, expr) };
		}
		g->marks[g->nmarks - 1].until = s->t[i];
		in = true;
	}
}

void
gather_line(struct gather *g, const struct source_series *s, str expr)
{
	struct label_set ls = { 0 };
	int64_t *t = arena_alloc(g->a, s->n * sizeof(*t) + 1);
	double *v = arena_alloc(g->a, s->n * sizeof(*v) + 1);

	if (s->n > 0) {
		memcpy(t, s->t, s->n * sizeof(*t));
		memcpy(v, s->v, s->n * sizeof(*v));
	}
	if (g->n == g->cap)
		g->v = arena_grow(g->a, g->v, &g->cap, g->n + 1, sizeof(*g->v));
	label_init(&ls, s->labels);
	if (g->several)
		label_set(&ls, STR("expr"), expr);
	g->v[g->n++] =
	    (struct plot_series){ label_done(&ls, g->a), t, v, s->n };
	label_fini(&ls);
}

/* The unit that all names end in, as Prometheus asks of names. */
static str
unit_of(const struct gather *g)
{
	static const struct {
		const char *end, *unit;
	} units[] = { { "_seconds", "s" }, { "_bytes", "bytes" },
		{ "_ratio", "percentunit" }, { "_celsius", "celsius" },
		{ "_volts", "volt" }, { "_amperes", "amp" },
		{ "_joules", "joule" }, { "_hertz", "hertz" } };

	for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++) {
		size_t i = 0;

		while (i < g->n &&
		    str_ends(label_find(g->v[i].labels, LABEL_NAME),
			str_of(units[k].end)))
			i++;
		if (i > 0 && i == g->n)
			return str_of(units[k].unit);
	}
	return STR_NONE;
}

void
gather_plot(const struct gather *g, struct plot *p)
{
	p->v = g->v;
	p->n = g->n;
	p->marks = g->marks;
	p->nmarks = g->nmarks;
	p->unit = unit_of(g);
}
