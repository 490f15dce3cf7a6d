/*
 * Layouts by place and by what they hold.  A scrape registers its series in
 * the order of its page, so the ids of a layout mostly rise, and a column is
 * found by halving.
 */
#include "store/layout.h"

void
store_layouts_fini(struct store_layouts *x)
{
	map_fini(&x->by_place);
	map_fini(&x->by_ids);
	arena_fini(&x->a);
}

static struct store_layout *
make(struct arena *a, const uint32_t *ids, uint32_t n)
{
	struct store_layout *l = arena_new(a, struct store_layout);

	l->ids = ids;
	l->n = n;
	l->rising = true;
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0 && ids[i] <= ids[i - 1])
			l->rising = false;
		if (ids[i] > l->max)
			l->max = ids[i];
	}
	return l;
}

const struct store_layout *
store_layouts_find(
    struct store_layouts *x, const struct store_seg *g, uint32_t ref)
{
	uint64_t place[2] = { (uintptr_t)g, ref };
	uint32_t n;
	str key = { (const char *)place, sizeof(place) };
	struct map_slot *m = map_find(&x->by_place, key);
	const uint32_t *ids;
	struct store_layout *l;
	bool fresh;

	if (m != NULL)
		return m->v.p;
	ids = store_seg_layout(g, ref, &n);
	if (ids == NULL || n == 0)
		return NULL;
	m = map_add(&x->by_ids,
	    (str){ (const char *)ids, (size_t)n * sizeof(*ids) }, &fresh);
	if (fresh)
		m->v.p = make(&x->a, ids, n);
	l = m->v.p;
	map_add(&x->by_place, arena_dup(&x->a, key), NULL)->v.p = l;
	return l;
}

uint32_t
store_layout_col(const struct store_layout *l, uint32_t id)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->ids[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && l->ids[lo] == id ? lo : UINT32_MAX;
}
