/*
 * A reload makes all discoveries anew.  One whose configuration is as it was
 * begins with what was known, so that a failure of its first question costs
 * nothing.
 */
#include "scrape/sd_impl.h"

/* The discovery of another generation that would ask the same. */
static struct sd_find *
same_find(const struct scrape_sd *old, const struct sd_find *f)
{
	for (size_t i = 0; i < old->n; i++) {
		struct sd_find *o = old->v[i];

		if (o->kind == f->kind && str_eq(o->job->name, f->job->name) &&
		    conf_same(o->node, f->node))
			return o;
	}
	return NULL;
}

static struct sd_source *
source_named(const struct sd_find *f, str name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->v[i]->name, name))
			return f->v[i];
	return NULL;
}

/* Files are sources only once they have been looked at. */
static void
take_source(struct sd_find *f, struct sd_source *old)
{
	struct sd_source *s = source_named(f, old->name);

	if (old->part == NULL)
		return;
	if (s == NULL && f->kind == &sd_file)
		s = sd_source_add(f, old->name);
	if (s == NULL || s->part != NULL)
		return;
	s->part = old->part;
	s->seen = old->bad ? 0 : old->seen;
	old->part = NULL;
}

void
scrape_sd_inherit(struct scrape_sd *sd, struct scrape_sd *old)
{
	for (size_t i = 0; old != NULL && i < sd->n; i++) {
		struct sd_find *f = sd->v[i], *o = NULL;

		if (f->kind->step != NULL)
			o = same_find(old, f);
		for (size_t k = 0; o != NULL && k < o->n; k++)
			take_source(f, o->v[k]);
	}
}
