/*
 * Sets of code points as sorted ranges.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/re_impl.h"

void
re_class_add(struct re_class *c, uint32_t lo, uint32_t hi)
{
	c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct re_range){ lo, hi };
}

void
re_class_join(struct re_class *c, const struct re_class *other)
{
	for (size_t i = 0; i < other->n; i++)
		re_class_add(c, other->v[i].lo, other->v[i].hi);
}

static int
by_lo(const void *a, const void *b)
{
	const struct re_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

void
re_class_sort(struct re_class *c)
{
	size_t n = 0;

	if (c->n > 1)
		qsort(c->v, c->n, sizeof(*c->v), by_lo);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && c->v[i].lo <= c->v[n - 1].hi + 1) {
			if (c->v[i].hi > c->v[n - 1].hi)
				c->v[n - 1].hi = c->v[i].hi;
		} else {
			c->v[n++] = c->v[i];
		}
	}
	c->n = n;
}

void
re_class_negate(struct re_class *c)
{
	struct re_class out = { 0 };
	uint32_t next = 0;

	re_class_sort(c);
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].lo > next)
			re_class_add(&out, next, c->v[i].lo - 1);
		next = c->v[i].hi + 1;
	}
	if (next <= RE_MAX_RUNE)
		re_class_add(&out, next, RE_MAX_RUNE);
	free(c->v);
	*c = out;
}

void
re_class_fold(struct re_class *c)
{
	size_t n;

	re_class_sort(c);
	n = c->n;
	for (size_t i = 0; i < n; i++)
		re_fold_range(c, c->v[i].lo, c->v[i].hi);
	re_class_sort(c);
}

void
re_class_fini(struct re_class *c)
{
	free(c->v);
	*c = (struct re_class){ 0 };
}
