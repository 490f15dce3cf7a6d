/*
 * The common end of all texts of target groups: what they say, sorted and
 * without what does not count.  tests/unit/scrape-sd_group.c builds with it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "scrape/sd_impl.h"

struct sd_pair {
	struct label l;
	size_t i; /* of two of one name the last counts */
};

void
sd_build_begin(struct sd_build *b)
{
	b->nlabels = b->ntargets = 0;
}

/* One without an address is no target: whoever makes targets says so. */
void
sd_build_target(struct sd_build *b, str address)
{
	struct label *l;

	b->targets = mem_grow(
	    b->targets, &b->targets_cap, b->ntargets + 1, sizeof(*b->targets));
	b->targets[b->ntargets] = (struct labels){ NULL, 0 };
	if (address.n > 0) {
		l = arena_new(&b->p->a, struct label);
		*l = (struct label){ STR("__address__"), address };
		b->targets[b->ntargets] = (struct labels){ l, 1 };
	}
	b->ntargets++;
}

void
sd_build_label(struct sd_build *b, str name, str value)
{
	b->labels = mem_grow(
	    b->labels, &b->labels_cap, b->nlabels + 1, sizeof(*b->labels));
	b->labels[b->nlabels] = (struct sd_pair){ { name, value }, b->nlabels };
	b->nlabels++;
}

static int
by_name(const void *a, const void *b)
{
	const struct sd_pair *x = a, *y = b;
	int c = str_cmp(x->l.name, y->l.name);

	return c != 0 ? c : (x->i > y->i) - (x->i < y->i);
}

static struct labels
sorted(struct sd_build *b)
{
	struct label *v = arena_array(&b->p->a, b->nlabels, struct label);
	size_t n = 0;

	qsort(b->labels, b->nlabels, sizeof(*b->labels), by_name);
	for (size_t i = 0; i < b->nlabels; i++) {
		bool last = i + 1 == b->nlabels ||
		    !str_eq(b->labels[i].l.name, b->labels[i + 1].l.name);

		if (last && b->labels[i].l.value.n > 0)
			v[n++] = b->labels[i].l;
	}
	return (struct labels){ v, n };
}

struct sd_group *
sd_build_end(struct sd_build *b)
{
	struct sd_group *g = sd_part_add(b->p);
	struct labels *t;

	if (b->meta.name.n > 0)
		sd_build_label(b, b->meta.name, b->meta.value);
	if (b->nlabels > 0)
		g->labels = sorted(b);
	if (b->ntargets > 0) {
		t = arena_array(&b->p->a, b->ntargets, struct labels);
		memcpy(t, b->targets, b->ntargets * sizeof(*t));
		g->targets = t;
		g->ntargets = b->ntargets;
	}
	return g;
}

void
sd_build_fini(struct sd_build *b)
{
	free(b->labels);
	free(b->targets);
}
