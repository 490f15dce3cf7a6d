/*
 * A day's layouts as they were found sound, remembered for as long as the day
 * is open: a layout is checked once a process, not once a query, and segments
 * that repeat one share it.
 */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include "base/arena.h"
#include "base/map.h"
#include "store/seg.h"

struct store_layout {
	const uint32_t *ids; /* the segment's */
	uint32_t n;
	uint32_t max; /* the highest of them */
	bool rising;  /* each higher than the one before */
};

struct store_layouts {
	struct map by_place; /* segment (where it is open) and slot */
	struct map by_ids;
	struct arena a;
};

void store_layouts_fini(struct store_layouts *x);

/* The layout at a slot; NULL if there is none, or a checksum is wrong. */
const struct store_layout *store_layouts_find(
    struct store_layouts *x, const struct store_seg *g, uint32_t ref);

/* The column of id, of a rising layout; or UINT32_MAX. */
uint32_t store_layout_col(const struct store_layout *l, uint32_t id);

#endif
