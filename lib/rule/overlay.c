/*
 * Two sources as one: what is stored, and what this process has computed and
 * nobody has stored (yet).  Both answer in label order, so the answer is a
 * merge.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "rule/rule_impl.h"

struct source_cursor {
	const struct rule_overlay *o;
	struct source_cursor *base, *fresh;
	struct source_series b, f; /* the next of each, if have_ */
	bool have_b, have_f, take_b, take_f;
	bool labels_only;
	int64_t *t; /* a merged series */
	double *v;
	const struct histogram **h;
	int64_t *start;
	size_t tcap, vcap, hcap, startcap;
};

static void
overlay_close(struct source_cursor *c)
{
	if (c == NULL)
		return;
	if (c->base != NULL)
		source_close(c->o->base, c->base);
	if (c->fresh != NULL)
		source_close(c->o->fresh, c->fresh);
	free(c->t);
	free(c->v);
	free(c->h);
	free(c->start);
	free(c);
}

/* Does the query ask for one metric, and fresh never has it? */
static bool
foreign(const struct rule_overlay *o, const struct source_query *q)
{
	for (size_t i = 0; i < q->nm; i++)
		if (q->m[i].op == MATCH_EQ && str_eq(q->m[i].name, LABEL_NAME))
			return map_find(o->names, q->m[i].value) == NULL;
	return false;
}

static struct source_cursor *
overlay_open(void *self, const struct source_query *q, struct error *e)
{
	struct source_cursor *c = mem_zero(1, sizeof(*c));
	struct source_query all = *q; /* what tells both's series apart */

	c->o = self;
	c->take_b = c->take_f = true;
	c->labels_only = q->labels_only;
	c->take_f = !foreign(c->o, q);
	if (c->take_f)
		all.few_labels = all.unordered = false;
	c->base = source_open(c->o->base, &all, e);
	if (c->base != NULL && !c->take_f)
		return c;
	if (c->base != NULL)
		c->fresh = source_open(c->o->fresh, &all, e);
	if (c->fresh != NULL)
		return c;
	overlay_close(c);
	return NULL;
}

/* Samples of both by time; at the same time the base's. */
static void
merge(struct source_cursor *c, struct source_series *out)
{
	size_t i = 0, k = 0, n = 0, max = c->b.n + c->f.n;
	bool histograms = c->b.h != NULL || c->f.h != NULL;
	bool starts = c->b.start != NULL || c->f.start != NULL;

	c->t = mem_grow(c->t, &c->tcap, max, sizeof(*c->t));
	c->v = mem_grow(c->v, &c->vcap, max, sizeof(*c->v));
	if (histograms)
		c->h = mem_grow(c->h, &c->hcap, max, sizeof(*c->h));
	if (starts)
		c->start =
		    mem_grow(c->start, &c->startcap, max, sizeof(*c->start));
	while (i < c->b.n || k < c->f.n) {
		bool base =
		    k == c->f.n || (i < c->b.n && c->b.t[i] <= c->f.t[k]);
		const struct source_series *s = base ? &c->b : &c->f;
		size_t at = base ? i++ : k++;

		if (base && k < c->f.n && s->t[at] == c->f.t[k])
			k++;
		if (histograms)
			c->h[n] = s->h != NULL ? s->h[at] : NULL;
		if (starts)
			c->start[n] = s->start != NULL ? s->start[at] : 0;
		c->t[n] = s->t[at];
		c->v[n++] = s->v[at];
	}
	*out = (struct source_series){
		.labels = c->b.labels,
		.t = c->t,
		.v = c->v,
		.h = histograms ? c->h : NULL,
		.start = starts ? c->start : NULL,
		.n = n,
	};
}

static int
advance(const struct source *s, struct source_cursor *at,
    struct source_series *next, bool *have, struct error *e)
{
	int rc = source_next(s, at, next, e);

	*have = rc == 1;
	return rc;
}

static int
overlay_next(struct source_cursor *c, struct source_series *s, struct error *e)
{
	int order;

	if ((c->take_b &&
		advance(c->o->base, c->base, &c->b, &c->have_b, e) == -1) ||
	    (c->take_f &&
		advance(c->o->fresh, c->fresh, &c->f, &c->have_f, e) == -1))
		return -1;
	c->take_b = c->take_f = false;
	if (!c->have_b && !c->have_f)
		return 0;
	order = !c->have_b ? 1
	    : !c->have_f   ? -1
			   : label_cmp(c->b.labels, c->f.labels);
	c->take_b = order <= 0;
	c->take_f = order >= 0;
	if (order == 0 && !c->labels_only)
		merge(c, s);
	else
		*s = order > 0 ? c->f : c->b;
	return 1;
}

static void
overlay_hold(void *self, bool on)
{
	source_hold(((struct rule_overlay *)self)->base, on);
}

static const struct source_ops ops = {
	.open = overlay_open,
	.next = overlay_next,
	.close = overlay_close,
	.hold = overlay_hold,
};

struct source
rule_overlay_source(struct rule_overlay *o)
{
	return (struct source){ &ops, o };
}
