/*
 * One day's part of a batch becomes frames: a row over the source's layout
 * where it fits, a new layout and a row, or loose samples; then its slots,
 * which make it count.
 */
#include "store/writer.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

/* Frames of one batch being built; they lie one after the other in buf. */
struct build {
	struct buf *buf;
	struct store_slot slot[4];
	uint32_t n;
};

static uint64_t *
words(struct buf *b, size_t at)
{
	return (uint64_t *)(void *)(b->p + at);
}

/* Room for a frame of len bytes, cleared; its place in the buffer. */
static size_t
begin(struct build *f, enum store_frame type, size_t len)
{
	size_t at = f->buf->n, space = (size_t)store_seg_space(len);

	memset(buf_reserve(f->buf, space), 0, space);
	f->buf->n += space;
	f->slot[f->n] = (struct store_slot){
		.type = (uint8_t)type,
		.off = at,
		.len = (uint32_t)len,
		.back = (uint16_t)f->n,
		.ref = STORE_NO_SLOT,
	};
	f->n++;
	return at;
}

static void
checksum(struct build *f, struct store_slot *p)
{
	char *at = f->buf->p + p->off;
	uint32_t nb = (uint32_t)((p->len + CRC32C_BLOCK - 1) / CRC32C_BLOCK);
	uint32_t *out = (uint32_t *)(void *)(at + ((p->len + 7u) & ~7u));

	crc32c_blocks(at, p->len, out);
	p->fcrc = crc32c(0, out, nb * sizeof(*out));
}

static void
layout(struct build *f, const uint32_t *ids, size_t n)
{
	size_t at = begin(f, STORE_FRAME_I, n * sizeof(*ids));

	memcpy(f->buf->p + at, ids, n * sizeof(*ids));
	f->slot[f->n - 1].n = (uint32_t)n;
}

static void
span(struct store_slot *p, uint32_t ms)
{
	if (p->n++ == 0)
		p->tmin = p->tmax = ms;
	if (ms < p->tmin)
		p->tmin = ms;
	if (ms > p->tmax)
		p->tmax = ms;
}

/* col: the column of each item, then of each stale id. */
static void
row(struct build *f, const struct store_part *p, const uint32_t *col,
    size_t cols, int64_t ms)
{
	bool timed = p->nstale > 0 && p->stale_ms != ms;
	struct store_slot *slot;
	uint64_t *v;
	uint32_t *t;
	size_t at;

	for (size_t i = 0; i < p->n && !timed; i++)
		timed = p->v[i].ms != ms;
	at = begin(
	    f, timed ? STORE_FRAME_T : STORE_FRAME_V, cols * (timed ? 12 : 8));
	slot = &f->slot[f->n - 1];
	v = words(f->buf, at);
	t = (uint32_t *)(v + cols);
	for (size_t i = 0; i < cols; i++)
		v[i] = STORE_ABSENT;
	for (size_t i = 0; i < p->n + p->nstale; i++) {
		bool stale = i >= p->n;
		uint32_t at_ms = stale ? p->stale_ms : p->v[i].ms;

		v[col[i]] = stale ? NUM_STALE_BITS : p->v[i].bits;
		if (timed)
			t[col[i]] = at_ms;
		span(slot, at_ms);
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct store_item *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static bool
sorted(const struct store_item *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_id(v + i - 1, v + i) > 0)
			return false;
	return true;
}

#define DIGIT 11

/* Stable by id, DIGIT bits at a time, from v to w and back. */
static void
radix(struct store_item *v, struct store_item *w, size_t n)
{
	uint32_t max = 0;
	size_t count[1 << DIGIT];

	for (size_t i = 0; i < n; i++)
		max |= v[i].id;
	for (unsigned shift = 0; shift < 32 && max >> shift != 0;
	     shift += DIGIT) {
		const uint32_t mask = (1 << DIGIT) - 1;
		size_t sum = 0;

		memset(count, 0, sizeof(count));
		for (size_t i = 0; i < n; i++)
			count[v[i].id >> shift & mask]++;
		for (size_t i = 0; i <= mask; i++) {
			size_t k = count[i];

			count[i] = sum;
			sum += k;
		}
		for (size_t i = 0; i < n; i++)
			w[count[v[i].id >> shift & mask]++] = v[i];
		memcpy(v, w, n * sizeof(*v));
	}
}

/*
 * Samples of one series mostly come in time order, and then a stable sort by
 * id is all that is needed.
 */
void
store_items_sort(struct store_item *v, size_t n)
{
	struct store_item *w;

	if (sorted(v, n))
		return;
	if (n > 256) {
		w = mem_alloc(n * sizeof(*w));
		radix(v, w, n);
		free(w);
		if (sorted(v, n))
			return;
	}
	qsort(v, n, sizeof(*v), by_id);
}

static void
loose(struct build *f, const struct store_part *p, struct arena *a)
{
	size_t n = p->n + p->nstale, nser = 0, len, at, k = 0;
	struct store_item *v = arena_alloc(a, n * sizeof(*v));
	struct store_slot *slot;
	struct store_x *x;
	uint32_t *id, *end, *t;
	uint64_t *bits;
	bool order = false;

	for (size_t i = 0; i < n; i++) {
		if (i < p->n)
			v[i] = p->v[i];
		else {
			v[i].id = p->stale[i - p->n];
			v[i].ms = p->stale_ms;
			v[i].bits = NUM_STALE_BITS;
		}
		v[i].order = (uint32_t)i;
	}
	store_items_sort(v, n);
	for (size_t i = 0; i < n; i++) {
		nser += i == 0 || v[i].id != v[i - 1].id;
		order = order || v[i].order != i;
	}
	len = sizeof(*x) + n * (order ? 16 : 12) + nser * 8;
	at = begin(f, STORE_FRAME_X, len);
	slot = &f->slot[f->n - 1];
	if (order)
		slot->flags |= STORE_ORDER;
	x = (struct store_x *)(void *)(f->buf->p + at);
	x->nser = (uint32_t)nser;
	x->n = (uint32_t)n;
	bits = (uint64_t *)(x + 1);
	id = (uint32_t *)(bits + n);
	end = id + nser;
	t = end + nser;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && v[i].id != v[i - 1].id)
			k++;
		id[k] = v[i].id;
		end[k] = (uint32_t)i + 1;
		bits[i] = v[i].bits;
		t[i] = v[i].ms;
		if (order)
			t[n + i] = v[i].order;
		span(slot, v[i].ms);
	}
}

/* The columns of the items and stale ids in the layout; false: not all fit. */
static bool
columns(struct store_wsource *src, const struct store_part *p, uint32_t *col)
{
	size_t k = p->n;

	if (!p->sorted || src->n == 0)
		return false;
	for (size_t i = 0; i < p->n; i++)
		col[i] = p->v[i].col;
	for (size_t i = 0; i < p->nstale; i++, k++) {
		col[k] = store_wsource_col(src, p->stale[i]);
		if (col[k] == STORE_IDS_NONE)
			return false;
	}
	return true;
}

/* How a day's part is written. */
enum shape {
	OLD_ROW, /* over the layout there is */
	NEW_ROW, /* over a new one */
	LOOSE,
};

/*
 * A batch of few of a layout's series (a failed round) goes loose, lest a row
 * of absent values be written, unless the one before was the same: then the
 * source has shrunk, and gets a new layout.
 */
static enum shape
choose(struct store_wsource *src, const struct store_part *p, uint32_t *col)
{
	size_t n = p->n + p->nstale;

	if (n * 3 < src->n && src->sparse != n)
		return LOOSE;
	if (n * 3 >= src->n && columns(src, p, col))
		return OLD_ROW;
	return p->unique ? NEW_ROW : LOOSE;
}

/* The ids in the order they came, which is the new layout. */
static uint32_t *
new_layout(const struct store_part *p, uint32_t *col, struct arena *a)
{
	size_t n = p->n + p->nstale;
	uint32_t *ids = arena_alloc(a, (n + 1) * sizeof(*ids));

	for (size_t i = 0; i < n; i++) {
		ids[i] = i < p->n ? p->v[i].id : p->stale[i - p->n];
		col[i] = (uint32_t)i;
	}
	return ids;
}

static void
samples(struct build *f, struct store_wsource *src, const struct store_wday *d,
    const struct store_part *p, struct arena *a)
{
	size_t n = p->n + p->nstale;
	uint32_t *col = arena_alloc(a, (n + 1) * sizeof(*col));
	enum shape shape = choose(src, p, col);
	bool here = src->seg == d->seg.no && src->layout != STORE_NO_SLOT;

	if (shape == NEW_ROW) {
		store_wsource_layout(src, new_layout(p, col, a), (uint32_t)n);
		here = false;
	}
	if (!here)
		src->layout = STORE_NO_SLOT;
	if (shape == LOOSE)
		loose(f, p, a);
	else {
		if (!here)
			layout(f, src->ids, src->n);
		row(f, p, col, src->n, p->t - d->start);
	}
	src->sparse = shape == LOOSE ? (uint32_t)n : 0;
}

/* A row that is made already, over the layout there is. */
static void
ready(struct build *f, struct store_wsource *src, const struct store_wday *d,
    const struct store_part *p)
{
	bool here = src->seg == d->seg.no && src->layout != STORE_NO_SLOT;
	struct store_slot *slot;
	size_t at;

	if (!here) {
		src->layout = STORE_NO_SLOT;
		layout(f, src->ids, src->n);
	}
	at = begin(f, STORE_FRAME_V, src->n * sizeof(*p->row));
	memcpy(f->buf->p + at, p->row, src->n * sizeof(*p->row));
	slot = &f->slot[f->n - 1];
	slot->n = (uint32_t)p->n;
	slot->tmin = slot->tmax = (uint32_t)(p->t - d->start);
	src->sparse = 0;
}

static void
comments(struct build *f, const struct store_part *p)
{
	size_t at = begin(f, STORE_FRAME_C, p->comments.n);
	struct store_slot *slot = &f->slot[f->n - 1];

	memcpy(f->buf->p + at, p->comments.p, p->comments.n);
	slot->n = 0;
	slot->tmin = p->cmin;
	slot->tmax = p->cmax;
}

/* What all slots of the batch say, and the sums. */
static void
finish(struct build *f, struct store_wsource *src, const struct store_wday *d,
    const struct store_part *p)
{
	int64_t high = store_wday_high(d);
	uint64_t end = store_seg_end(&d->seg);
	uint32_t shigh = src->high_known ? src->high : 0;

	for (uint32_t i = 0; i < f->n; i++) {
		struct store_slot *s = &f->slot[i];

		if (s->type == STORE_FRAME_I) {
			src->layout = d->seg.n + i;
			continue;
		}
		if (s->tmax > high)
			high = s->tmax;
		if (s->tmax > shigh)
			shigh = s->tmax;
	}
	for (uint32_t i = 0; i < f->n; i++) {
		struct store_slot *s = &f->slot[i];

		checksum(f, s);
		s->off += end;
		s->t = p->t;
		s->source = src->id;
		s->high = high < 0 ? 0 : (uint32_t)high;
		s->shigh = shigh;
		s->ref = src->layout;
		s->log = (uint32_t)(d->dict.log.end / 8);
		if (p->replace)
			s->flags |= STORE_REPLACE;
		if (i + 1 == f->n)
			s->flags |= STORE_LAST;
		s->crc = crc32c(0, s, offsetof(struct store_slot, crc));
	}
	src->high = shigh;
	src->high_known = true;
}

/* -S: the labels the batch speaks of, and once for each file its name. */
static int
sync_rest(const struct store *s, struct store_wday *d, struct error *e)
{
	const struct store_view *log = &d->dict.log.v;

	if (d->synced_log != d->dict.log.end && fdatasync(log->fd) == -1)
		return error_errno(e, "%s: fdatasync", log->name);
	d->synced_log = d->dict.log.end;
	if (d->synced_seg != d->seg.no &&
	    store_seg_sync_names(s->fd, d->ymd, e) == -1)
		return -1;
	d->synced_seg = d->seg.no;
	return 0;
}

static int
commit(const struct store *s, struct store_wday *d, const struct build *f,
    bool sync, struct error *e)
{
	struct store_view *v = &d->seg.v;
	uint64_t at = STORE_SEG_HEAD + d->seg.n * sizeof(struct store_slot);

	if (sync && sync_rest(s, d, e) == -1)
		return -1;
	if (store_view_write(
		v, f->buf->p, f->buf->n, store_seg_end(&d->seg), e) == -1 ||
	    store_view_write(v, f->slot, f->n * sizeof(*f->slot), at, e) == -1)
		return -1;
	if (sync && fdatasync(v->fd) == -1)
		return error_errno(e, "%s: fdatasync", v->name);
	return 0;
}

int
store_part_write(struct store *s, struct store_wsource *src,
    struct store_wday *d, const struct store_part *p, struct error *e)
{
	struct build f = { .buf = &s->w->frames };
	uint64_t most = (p->n + p->nstale + 8) * UINT64_C(32) +
	    src->n * UINT64_C(16) + p->comments.n + 4 * CRC32C_BLOCK;

	if (most > UINT32_MAX / 2)
		return error_set(
		    e, "a batch of %zu samples is too large", p->n);
	if (store_wday_room(s, d, 4, most, e) == -1)
		return -1;
	buf_reset(f.buf);
	if (p->row != NULL)
		ready(&f, src, d, p);
	else if (p->n + p->nstale > 0)
		samples(&f, src, d, p, &s->w->arena);
	if (p->comments.n > 0)
		comments(&f, p);
	if (f.n == 0)
		return 0;
	finish(&f, src, d, p);
	if (commit(s, d, &f, p->sync, e) == -1)
		return -1;
	src->seg = d->seg.no;
	src->first = d->seg.n;
	src->last = d->seg.n + f.n - 1;
	if (store_seg_stat(&d->seg, e) == -1)
		return -1;
	src->seen = d->seg.n;
	return 0;
}
