#include "store/loose.h"

#include "base/varint.h"
#include "store/column.h"
#include "store/pack.h"
#include "store/seg.h"

enum form {
	AS_IT_WAS,
	ACROSS,
	BY_SERIES,
	TIMED,
};

#define SMALL 512    /* bytes of a frame that zstd packs well enough */
#define LONG_RUNS 12 /* samples a series from which its own columns pay */

/* So many bytes of a frame may come of one packed byte. */
#define RATIO 8192

static void
put_values(struct buf *b, const uint64_t *v, size_t n)
{
	double x[STORE_COLUMN_MAX];

	for (size_t i = 0; i < n; i += STORE_COLUMN_MAX) {
		size_t k = n - i < STORE_COLUMN_MAX ? n - i : STORE_COLUMN_MAX;

		memcpy(x, v + i, k * sizeof(*x));
		store_column_put(b, x, k);
	}
}

static void
put_ints(struct buf *b, const uint32_t *v, size_t n)
{
	int64_t x[STORE_COLUMN_MAX];

	for (size_t i = 0; i < n; i += STORE_COLUMN_MAX) {
		size_t k = n - i < STORE_COLUMN_MAX ? n - i : STORE_COLUMN_MAX;

		for (size_t j = 0; j < k; j++)
			x[j] = v[i + j];
		store_column_put_ints(b, x, k);
	}
}

/* The samples of each series; what end[] adds up. */
static void
put_counts(struct buf *b, const uint32_t *end, size_t n)
{
	int64_t x[STORE_COLUMN_MAX];

	for (size_t i = 0; i < n;) {
		size_t k = 0;

		for (; k < STORE_COLUMN_MAX && i < n; k++, i++)
			x[k] = end[i] - (i > 0 ? end[i - 1] : 0);
		store_column_put_ints(b, x, k);
	}
}

static void
put_x(struct buf *b, const struct store_xview *x)
{
	bool own = x->n / x->nser >= LONG_RUNS;

	buf_byte(b, own ? BY_SERIES : ACROSS);
	varint_put(b, x->nser);
	varint_put(b, x->n);
	put_ints(b, x->id, x->nser);
	put_counts(b, x->end, x->nser);
	for (uint32_t k = 0, i = 0; own && k < x->nser; i = x->end[k++]) {
		put_ints(b, x->t + i, x->end[k] - i);
		put_values(b, x->v + i, x->end[k] - i);
	}
	if (!own) {
		put_ints(b, x->t, x->n);
		put_values(b, x->v, x->n);
	}
	if (x->order != NULL)
		put_ints(b, x->order, x->n);
}

void
store_loose_put(struct buf *b, const struct store_slot *slot, const void *frame)
{
	struct store_xview x;

	if (slot->len >= SMALL && slot->type == STORE_FRAME_X &&
	    store_seg_x(slot, frame, &x) && x.nser > 0) {
		put_x(b, &x);
	} else if (slot->len >= SMALL && slot->type == STORE_FRAME_T &&
	    slot->len % 12 == 0) {
		const uint64_t *v = frame;
		size_t n = slot->len / 12;

		buf_byte(b, TIMED);
		put_values(b, v, n);
		put_ints(b, (const uint32_t *)(v + n), n);
	} else {
		buf_add(b, (str){ "\0\0\0\0\0\0\0", 8 });
		buf_add(b, (str){ frame, slot->len });
	}
	while (b->n % 8 != 0)
		buf_byte(b, 0);
}

/* Bytes still to be read; p is NULL after a fault. */
struct in {
	const uint8_t *p;
	size_t n;
};

static void
pass(struct in *in, size_t k)
{
	if (k == 0)
		in->p = NULL;
	else
		in->p += k;
	in->n -= k;
}

static void
get_values(struct in *in, uint64_t *v, size_t n)
{
	double x[STORE_COLUMN_MAX];

	for (size_t i = 0; i < n && in->p != NULL; i += STORE_COLUMN_MAX) {
		size_t k = n - i < STORE_COLUMN_MAX ? n - i : STORE_COLUMN_MAX;

		pass(in, store_column_get(in->p, in->n, x, k));
		if (in->p != NULL)
			memcpy(v + i, x, k * sizeof(*x));
	}
}

static void
get_ints(struct in *in, uint32_t *v, size_t n)
{
	int64_t x[STORE_COLUMN_MAX];

	for (size_t i = 0; i < n && in->p != NULL; i += STORE_COLUMN_MAX) {
		size_t k = n - i < STORE_COLUMN_MAX ? n - i : STORE_COLUMN_MAX;

		pass(in, store_column_get_ints(in->p, in->n, x, k));
		for (size_t j = 0; j < k && in->p != NULL; j++)
			v[i + j] = (uint32_t)x[j];
	}
}

static uint64_t
get_number(struct in *in)
{
	uint64_t x = 0;

	if (in->p != NULL)
		pass(in, varint_get(in->p, in->n, &x));
	return x;
}

/* Counts to ends; false if they are not the n samples there are. */
static bool
add_up(uint32_t *end, size_t nser, size_t n)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < nser; k++) {
		sum += end[k];
		if (sum > n)
			return false;
		end[k] = (uint32_t)sum;
	}
	return sum == n;
}

static void
get_x(struct in *in, bool own, bool order, uint32_t len, void *frame)
{
	struct store_x *h = frame;
	uint64_t nser = get_number(in), n = get_number(in);
	uint64_t *v = (uint64_t *)(h + 1);
	uint32_t *id, *end, *t;

	if (in->p == NULL || nser > n || n > len ||
	    sizeof(*h) + n * (order ? 16 : 12) + nser * 8 != len) {
		in->p = NULL;
		return;
	}
	id = (uint32_t *)(v + n);
	end = id + nser;
	t = end + nser;
	*h = (struct store_x){ (uint32_t)nser, (uint32_t)n };
	get_ints(in, id, nser);
	get_ints(in, end, nser);
	if (in->p == NULL || !add_up(end, nser, n)) {
		in->p = NULL;
		return;
	}
	for (uint32_t k = 0, i = 0; own && k < nser; i = end[k++]) {
		get_ints(in, t + i, end[k] - i);
		get_values(in, v + i, end[k] - i);
	}
	if (!own) {
		get_ints(in, t, n);
		get_values(in, v, n);
	}
	if (order)
		get_ints(in, t + n, n);
}

const void *
store_loose_get(
    const uint8_t *p, size_t len, const struct store_slot *slot, struct buf *b)
{
	struct in in = { p + 1, len - 1 };
	uint64_t *v;
	size_t n;

	if (len == 0)
		return NULL;
	if (p[0] == AS_IT_WAS)
		return len >= 8 && len - 8 >= slot->len ? p + 8 : NULL;
	if (slot->len / RATIO > len)
		return NULL;
	buf_reset(b);
	v = (uint64_t *)(void *)buf_reserve(b, slot->len + 8);
	if (p[0] == TIMED && slot->type == STORE_FRAME_T &&
	    slot->len % 12 == 0) {
		n = slot->len / 12;
		get_values(&in, v, n);
		get_ints(&in, (uint32_t *)(v + n), n);
	} else if ((p[0] == ACROSS || p[0] == BY_SERIES) &&
	    slot->type == STORE_FRAME_X &&
	    slot->len >= sizeof(struct store_x)) {
		get_x(&in, p[0] == BY_SERIES, (slot->flags & STORE_ORDER) != 0,
		    slot->len, v);
	} else {
		return NULL;
	}
	return in.p == NULL ? NULL : v;
}
