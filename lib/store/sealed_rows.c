/*
 * The slots of a damaged page, as far as stripes tell of them: each of their
 * rows says which slot it had.  It becomes a batch of its own; what else was in
 * the page has no slot any more.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/dir.h"
#include "store/sealed.h"

static struct store_slot
slot_of(const struct store_cols *c, const struct store_sealed_head *h,
    uint32_t stripe, uint32_t row)
{
	const struct store_stripe *s = c->stripe;
	uint32_t ms = (uint32_t)c->t[row];

	return (struct store_slot){
		.off = store_sealed_off(stripe, row),
		.t = store_day_start(h->day) + ms,
		.len = c->n * 8,
		.n = c->n, /* at most; to count them is left to who needs it */
		.ref = s->layout,
		.source = s->source,
		.tmin = ms,
		.tmax = ms,
		.high = h->high != UINT32_MAX && h->high > ms ? h->high : ms,
		.shigh = h->high != UINT32_MAX && h->high > ms ? h->high : ms,
		.type = STORE_FRAME_V,
		.flags = (uint8_t)((s->flags & STORE_REPLACE) | STORE_LAST),
		.log = h->log,
	};
}

void
store_sealed_rows(
    struct store_sealed *x, uint32_t first, uint32_t n, struct store_slot *v)
{
	const struct store_sealed_head *h = store_sealed_head(x);
	struct store_cols *c = mem_zero(1, sizeof(*c));

	memset(v, 0, n * sizeof(*v));
	for (uint32_t k = 0; k < h->nstripes; k++) {
		const struct store_stripe *s = store_sealed_stripe(x, k);

		if (s->first >= first + n || s->last < first ||
		    !store_cols_open(c, x, k))
			continue;
		for (uint32_t r = 0; r < s->rows; r++)
			if (c->slot[r] >= first && c->slot[r] < first + n &&
			    c->t[r] >= 0 && c->t[r] < DATE_DAY)
				v[c->slot[r] - first] = slot_of(c, h, k, r);
	}
	store_cols_fini(c);
	free(c);
}

bool
store_sealed_sound(struct store_sealed *x)
{
	for (uint32_t k = 0; k < store_sealed_head(x)->npages; k++)
		if (!store_sealed_page_sound(x, k))
			return false;
	return true;
}
