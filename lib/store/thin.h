/*
 * Frames without what retention or a deletion takes out of them.
 */
#ifndef STORE_THIN_H
#define STORE_THIN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "store/ids.h"
#include "store/seg.h"

/* What is to be left out: samples of these series at lo..hi, ms of day. */
struct store_drop {
	const struct store_ids *ids;
	uint32_t lo, hi;
	uint64_t hash; /* goes into the head */
	bool damaged;  /* and what cannot be read; ids may be sources, too */
};

/* Is a series, is a time meant?  drop may be NULL: none is. */
bool store_thin_id(const struct store_drop *drop, uint32_t id);
bool store_thin_time(const struct store_drop *drop, uint32_t ms);

/*
 * The ids of a layout without those that are meant: others stand in their
 * place, of which there is then nothing in the rows.  NULL: none is left.
 */
const uint32_t *store_thin_layout(const struct store_drop *drop,
    const uint32_t *ids, uint32_t n, struct arena *a);

/*
 * What is left of a frame, made in out; the slot's length, samples and times
 * are then those of it.  Of a T frame, the columns of the series meant are
 * given.
 */
void store_thin_x(const struct store_drop *drop, struct store_slot *p,
    const struct store_xview *x, struct buf *out);
void store_thin_t(const struct store_drop *drop, struct store_slot *p,
    const uint32_t *gone, size_t ngone, const void *frame, struct buf *out);

/*
 * Comments that stay, in out if some do not; their number, but for the batch's
 * keys, to *left.
 */
const void *store_thin_c(const struct store_drop *drop, struct store_slot *p,
    const void *frame, struct buf *out, size_t *left);

/*
 * How many samples of a V row, which has that many columns, can be read and do
 * not go with those that are gone (rising).  What was found of the stripes of
 * a part is kept; seg is a number of the segment's own.
 */
struct store_whole {
	struct arena a;
	struct map stripes; /* segment and stripe, to samples of each row */
};
uint32_t store_thin_count(struct store_whole *w, const struct store_seg *g,
    uint32_t seg, const struct store_slot *p, const uint32_t *gone,
    size_t ngone, uint32_t cols);
void store_thin_fini(struct store_whole *w);

#endif
