/*
 * Pages of slots, as columns of integers: one for each field, of which most are
 * counted from another one.
 */
#include "store/sealed.h"

#include <string.h>

#include "store/column.h"

/* The columns of a page of slots. */
enum {
	SLOT_WHERE,
	SLOT_AT,
	SLOT_T,
	SLOT_LEN, /* 0 for V, whose layout tells */
	SLOT_N,
	SLOT_REF, /* + 1 */
	SLOT_SOURCE,
	SLOT_TMIN, /* from t */
	SLOT_SPAN, /* tmax from tmin */
	SLOT_HIGH, /* from tmax; so too shigh */
	SLOT_SHIGH,
	SLOT_KIND,
	SLOT_LOG,
	SLOT_COLS,
};

static int64_t
field(const struct store_slot *p, int f)
{
	switch (f) {
	case SLOT_WHERE:
		return (int64_t)(p->off >> 32);
	case SLOT_AT:
		return (int64_t)(p->off & UINT32_MAX);
	case SLOT_T:
		return p->t;
	case SLOT_LEN:
		return p->type == STORE_FRAME_V ? 0 : p->len;
	case SLOT_N:
		return p->n;
	case SLOT_REF:
		return (int64_t)(uint32_t)(p->ref + 1);
	case SLOT_SOURCE:
		return p->source;
	case SLOT_TMIN:
		return (int64_t)p->tmin - p->t;
	case SLOT_SPAN:
		return (int64_t)p->tmax - p->tmin;
	case SLOT_HIGH:
		return (int64_t)p->high - p->tmax;
	case SLOT_SHIGH:
		return (int64_t)p->shigh - p->tmax;
	case SLOT_KIND:
		return p->type | p->flags << 8 | (int64_t)p->back << 16;
	default:
		return p->log;
	}
}

void
store_sealed_page_put(struct buf *b, const struct store_slot *v, uint32_t n)
{
	int64_t x[STORE_SEALED_PAGE];

	for (int f = 0; f < SLOT_COLS; f++) {
		for (uint32_t i = 0; i < n; i++)
			x[i] = field(&v[i], f);
		store_column_put_ints(b, x, n);
	}
}

/* The columns come in their order, so what one counts from is there. */
static void
set_field(struct store_slot *p, int f, int64_t x)
{
	switch (f) {
	case SLOT_WHERE:
		p->off = (uint64_t)x << 32;
		break;
	case SLOT_AT:
		p->off |= (uint32_t)x;
		break;
	case SLOT_T:
		p->t = x;
		break;
	case SLOT_LEN:
		p->len = (uint32_t)x;
		break;
	case SLOT_N:
		p->n = (uint32_t)x;
		break;
	case SLOT_REF:
		p->ref = (uint32_t)x - 1;
		break;
	case SLOT_SOURCE:
		p->source = (uint32_t)x;
		break;
	case SLOT_TMIN:
		p->tmin = (uint32_t)((uint64_t)x + (uint64_t)p->t);
		break;
	case SLOT_SPAN:
		p->tmax = p->tmin + (uint32_t)x;
		break;
	case SLOT_HIGH:
		p->high = p->tmax + (uint32_t)x;
		break;
	case SLOT_SHIGH:
		p->shigh = p->tmax + (uint32_t)x;
		break;
	case SLOT_KIND:
		p->type = (uint8_t)x;
		p->flags = (uint8_t)(x >> 8);
		p->back = (uint16_t)(x >> 16);
		break;
	default:
		p->log = (uint32_t)x;
	}
}

bool
store_sealed_page_get(
    const uint8_t *p, size_t len, struct store_slot *v, uint32_t n)
{
	int64_t c[STORE_SEALED_PAGE];

	memset(v, 0, n * sizeof(*v));
	for (int f = 0; f < SLOT_COLS; f++) {
		size_t k = store_column_get_ints(p, len, c, n);

		if (k == 0)
			return false;
		for (uint32_t i = 0; i < n; i++)
			set_field(&v[i], f, c[i]);
		p += k;
		len -= k;
	}
	return len == 0;
}
