/*
 * Names for legends: what all series have in common is said once, in the
 * title, and each is called by what is its own.
 */
#include "plot/chart.h"

struct names {
	struct label *v;
	size_t n, cap;
};

/* Do all series have this label with this value? */
static bool
shared(const struct plot *p, struct label l)
{
	for (size_t i = 0; i < p->n; i++)
		if (!str_eq(label_find(p->v[i].labels, l.name), l.value))
			return false;
	return true;
}

static bool
listed(const struct names *s, str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->v[i].name, name))
			return true;
	return false;
}

static void
list(struct names *s, struct arena *a, struct label l)
{
	if (s->n == s->cap)
		s->v = arena_grow(a, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = l;
}

/* The label names in which the series differ. */
static void
differ(const struct plot *p, const struct names *same, struct names *own,
    struct arena *a)
{
	for (size_t i = 0; i < p->n; i++) {
		struct labels ls = p->v[i].labels;

		for (size_t k = 0; k < ls.n; k++)
			if (!listed(same, ls.v[k].name) &&
			    !listed(own, ls.v[k].name))
				list(own, a, ls.v[k]);
	}
}

/*
 * When no two series are of one expression (the label expr, which mf-eval gives
 * to batches and mf-plot to series) that is all their name.
 */
static bool
by_expr(const struct plot *p)
{
	for (size_t i = 0; i < p->n; i++) {
		str x = label_find(p->v[i].labels, STR("expr"));

		if (x.n == 0)
			return false;
		for (size_t k = 0; k < i; k++)
			if (str_eq(label_find(p->v[k].labels, STR("expr")), x))
				return false;
	}
	return true;
}

static str
whole(struct labels ls, struct arena *a)
{
	struct buf b = { 0 };
	str s;

	label_print_metric(&b, ls);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static str
own_part(struct labels ls, const struct names *own, struct arena *a)
{
	struct buf b = { 0 };
	str s;

	if (own->n == 1) {
		s = label_find(ls, own->v[0].name);
		return s.n > 0 ? s : STR("(none)");
	}
	buf_add(&b, label_find(ls, LABEL_NAME));
	if (!listed(own, LABEL_NAME))
		buf_reset(&b);
	for (size_t i = 0; i < ls.n; i++) {
		if (str_eq(ls.v[i].name, LABEL_NAME) ||
		    !listed(own, ls.v[i].name))
			continue;
		if (b.n > 0)
			buf_byte(&b, ' ');
		buf_add(&b, ls.v[i].name);
		buf_byte(&b, '=');
		buf_add(&b, ls.v[i].value);
	}
	s = b.n > 0 ? arena_dup(a, buf_str(&b)) : STR("(none)");
	buf_fini(&b);
	return s;
}

void
plot_names(struct plot_chart *c, struct arena *a)
{
	const struct plot *p = c->p;
	struct names same = { 0 }, own = { 0 };
	struct labels all;

	c->title = p->title;
	if (p->n == 0)
		return;
	for (size_t i = 0; p->n > 1 && i < p->v[0].labels.n; i++)
		if (shared(p, p->v[0].labels.v[i]))
			list(&same, a, p->v[0].labels.v[i]);
	if (p->n > 1 && by_expr(p))
		list(&own, a, (struct label){ STR("expr"), STR_NONE });
	else if (p->n > 1)
		differ(p, &same, &own, a);
	for (size_t i = 0; i < p->n; i++)
		c->v[i].name = own.n == 0 ? whole(p->v[i].labels, a)
					  : own_part(p->v[i].labels, &own, a);
	all = p->n == 1 ? p->v[0].labels : (struct labels){ same.v, same.n };
	if (c->title.n == 0 && all.n > 0)
		c->title = whole(all, a);
	c->title_is_name =
	    p->n == 1 && (p->title.n == 0 || p->v[0].labels.n == 0);
}

char
plot_letter(size_t i)
{
	return i < 26 ? (char)('A' + i) : i < 52 ? (char)('a' + i - 26) : 0;
}
