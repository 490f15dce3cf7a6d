/*
 * One pass through the batches of all segments: rows gather in open stripes,
 * one for each source and layout, and a stripe that is full is written and
 * forgotten, so that memory holds places of rows and the columns of one stripe.
 */
#include "store/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/column.h"
#include "store/loose.h"
#include "store/pack.h"
#include "store/sealed.h"
#include "store/thin.h"
#include "store/timed.h"

#define GROUP STORE_SEALED_GROUP
#define OUT ((size_t)1 << 20) /* written at once */
#define STEP 1000000          /* samples, between two calls of step */
#define LEVEL 6               /* of zstd */

/* Where a row lies: a slot of a segment; stripe and row of a part. */
struct place {
	uint32_t seg, a, b;
	uint32_t slot; /* in the part that is made */
	uint32_t ms;
};

struct lay {
	uint32_t no, n;
	uint32_t *gone; /* columns of series that are dropped */
	size_t ngone;
};

/* An open stripe; key first. */
struct open {
	uint32_t key[3]; /* source, layout, flags */
	const struct lay *lay;
	uint32_t no;
	uint32_t tmin, tmax;
	struct place *row;
	size_t n, cap, most;
};

struct seal {
	const struct store *s;
	struct store_seg *const *v;
	size_t n;
	const struct store_drop *drop;
	struct store_sealed_head h;
	struct store_view file;
	struct buf out;
	uint64_t off; /* of what is written, buffered or not */
	struct buf stripes, layouts, pages, blocks, others; /* directory */
	struct arena a;
	struct map lays;  /* ids to struct lay */
	struct map place; /* segment and layout there, to struct lay */
	struct map open;
	struct map sources; /* id to last slot */
	struct store_whole whole;
	struct store_slot page[STORE_SEALED_PAGE];
	struct store_sealed_page bounds;
	struct buf block, frame, text;
	uint32_t blockno; /* of what gathers in block */
	struct store_timed timed;
	struct store_cols **cols; /* stripes that are read from */
	size_t ncols, colscap;
	struct buf data;
	struct error *e;
	bool failed;
};

/* What cannot be read is left out, or it is an error. */
static bool
salvages(const struct seal *w)
{
	return w->drop != NULL && w->drop->damaged;
}

static void
fail(struct seal *w, const struct store_seg *g)
{
	if (salvages(w))
		return;
	if (!w->failed)
		error_set(w->e, "%s: damaged", g->v.name);
	w->failed = true;
}

static void
flush_out(struct seal *w)
{
	if (!w->failed && w->out.n > 0 &&
	    store_view_write(
		&w->file, w->out.p, w->out.n, w->off - w->out.n, w->e) == -1)
		w->failed = true;
	buf_reset(&w->out);
}

/* Returns where the bytes will be. */
static uint64_t
put(struct seal *w, str s)
{
	uint64_t at = w->off;

	buf_add(&w->out, s);
	w->off += s.n;
	if (w->out.n >= OUT)
		flush_out(w);
	return at;
}

static void
entry(struct buf *b, const void *p, size_t n)
{
	buf_add(b, (str){ p, n });
}

/* Write a layout; its place in the directory is its number. */
static void
put_layout(struct seal *w, const uint32_t *ids, uint32_t n)
{
	struct store_sealed_layout l = { .n = n, .min = ids[0] };
	uint64_t *d = mem_alloc((n + (size_t)1) * sizeof(*d));

	for (uint32_t i = 0; i < n; i++) {
		d[i] = store_zigzag(
		    (int64_t)ids[i] - (int64_t)(i > 0 ? ids[i - 1] : 0));
		l.min = ids[i] < l.min ? ids[i] : l.min;
		l.max = ids[i] > l.max ? ids[i] : l.max;
	}
	buf_reset(&w->data);
	store_pack_put(&w->data, d, n);
	free(d);
	l.len = (uint32_t)w->data.n;
	l.crc = crc32c(0, w->data.p, w->data.n);
	l.off = put(w, buf_str(&w->data));
	entry(&w->layouts, &l, sizeof(l));
	w->h.nlayouts++;
}

static struct lay *
make_lay(struct seal *w, const uint32_t *ids, uint32_t n)
{
	struct lay *l = arena_new(&w->a, struct lay);
	size_t cap = 0;

	l->no = w->h.nlayouts;
	l->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (store_thin_id(w->drop, ids[i])) {
			l->gone = arena_grow(&w->a, l->gone, &cap, l->ngone + 1,
			    sizeof(*l->gone));
			l->gone[l->ngone++] = i;
		}
	if (salvages(w))
		ids = store_thin_layout(w->drop, ids, n, &w->a);
	if (ids != NULL)
		put_layout(w, ids, n);
	return l;
}

/* The layout at ref of segment i; NULL: it cannot be read. */
static const struct lay *
find_lay(struct seal *w, uint32_t i, uint32_t ref)
{
	uint32_t key[2] = { i, ref }, n;
	str k = { (const char *)key, sizeof(key) };
	struct map_slot *m = map_find(&w->place, k);
	const uint32_t *ids;
	struct lay *l;
	bool fresh;

	if (m != NULL)
		return m->v.p;
	ids = ref == STORE_NO_SLOT ? NULL : store_seg_layout(w->v[i], ref, &n);
	if (ids == NULL || n == 0)
		return NULL;
	m = map_add(&w->lays,
	    (str){ (const char *)ids, (size_t)n * sizeof(*ids) }, &fresh);
	if (fresh)
		m->v.p = make_lay(w, ids, n);
	l = m->v.p;
	map_add(&w->place, arena_dup(&w->a, k), NULL)->v.p = l;
	return l;
}

/* The columns of the stripe that a place is of; NULL: damaged. */
static struct store_cols *
find_cols(struct seal *w, const struct place *p)
{
	struct store_sealed *x = w->v[p->seg]->sealed;
	const struct store_stripe *s = store_sealed_stripe(x, p->a);
	struct store_cols *c;

	for (size_t i = w->ncols; i-- > 0;)
		if (w->cols[i]->stripe == s)
			return w->cols[i];
	if (w->ncols == w->colscap || w->cols[w->ncols] == NULL) {
		size_t cap = w->colscap;

		w->cols = mem_grow(w->cols, &w->colscap, w->ncols + 1,
		    sizeof(struct store_cols *));
		for (; cap < w->colscap; cap++)
			w->cols[cap] = NULL;
		w->cols[w->ncols] = mem_zero(1, sizeof(*c));
	}
	c = w->cols[w->ncols];
	if (!store_cols_open(c, x, p->a))
		return NULL;
	w->ncols++;
	return c;
}

/* Columns col..col + m of rows from..to, all of one stripe of a part. */
static void
gather_sealed(struct seal *w, const struct open *o, size_t from, size_t to,
    uint32_t col, uint32_t m, double v[GROUP][STORE_SEALED_ROWS])
{
	struct store_cols *c = find_cols(w, &o->row[from]);
	double x[STORE_SEALED_ROWS];

	for (uint32_t k = 0; k < m; k++) {
		if (c == NULL || c->n != o->lay->n ||
		    !store_cols_get(c, col + k, x)) {
			fail(w, w->v[o->row[from].seg]);
			for (size_t r = from; r < to; r++)
				v[k][r] = num_from_bits(STORE_ABSENT);
			continue;
		}
		for (size_t r = from; r < to; r++)
			v[k][r] = x[o->row[r].b];
	}
}

static void
gather(struct seal *w, const struct open *o, uint32_t col, uint32_t m,
    double v[GROUP][STORE_SEALED_ROWS])
{
	for (size_t r = 0; r < o->n;) {
		const struct place *p = &o->row[r];
		const struct store_seg *g = w->v[p->seg];
		const struct store_slot *slot;
		size_t to = r + 1;
		const uint64_t *q;

		if (g->sealed != NULL) {
			while (to < o->n && o->row[to].seg == p->seg &&
			    o->row[to].a == p->a)
				to++;
			gather_sealed(w, o, r, to, col, m, v);
			r = to;
			continue;
		}
		slot = store_seg_slot(g, p->a);
		if (slot == NULL) {
			fail(w, g);
			return;
		}
		q = (const uint64_t *)(const void *)(g->v.p + slot->off) + col;
		for (uint32_t k = 0; k < m; k++)
			memcpy(&v[k][r], q + k, sizeof(*q));
		r = to;
	}
}

/* What retention takes of columns col..col + m becomes absent. */
static void
thin(const struct seal *w, const struct open *o, uint32_t col, uint32_t m,
    double v[GROUP][STORE_SEALED_ROWS])
{
	const uint64_t absent = STORE_ABSENT;

	for (size_t i = 0; i < o->lay->ngone; i++) {
		uint32_t c = o->lay->gone[i];

		for (size_t r = 0; c >= col && c < col + m && r < o->n; r++)
			if (store_thin_time(w->drop, o->row[r].ms))
				memcpy(&v[c - col][r], &absent, sizeof(absent));
	}
}

static void
put_front(const struct open *o, const uint64_t *len, const struct buf *crc,
    struct buf *b)
{
	int64_t slot[STORE_SEALED_ROWS], ms[STORE_SEALED_ROWS];

	for (size_t r = 0; r < o->n; r++) {
		slot[r] = o->row[r].slot;
		ms[r] = o->row[r].ms;
	}
	buf_reset(b);
	store_column_put_ints(b, slot, o->n);
	store_column_put_ints(b, ms, o->n);
	store_pack_put(b, len, o->lay->n);
	buf_add(b, buf_str(crc));
}

/* Write an open stripe and begin it anew. */
static void
flush_stripe(struct seal *w, struct open *o)
{
	struct store_stripe s = {
		.layout = o->lay->no,
		.source = o->key[0],
		.flags = o->key[2],
		.rows = (uint32_t)o->n,
		.tmin = o->tmin,
		.tmax = o->tmax,
	};
	uint64_t *len = mem_alloc((o->lay->n + (size_t)1) * sizeof(*len));
	double(*v)[STORE_SEALED_ROWS] = mem_alloc(GROUP * sizeof(*v));
	struct buf crc = { NULL, 0, 0 }, front = { NULL, 0, 0 };

	w->ncols = 0;
	buf_reset(&w->data);
	for (uint32_t c = 0; c < o->lay->n && !w->failed; c += GROUP) {
		uint32_t m = o->lay->n - c < GROUP ? o->lay->n - c : GROUP;
		size_t at = w->data.n;

		gather(w, o, c, m, v);
		if (w->failed)
			break;
		thin(w, o, c, m, v);
		for (uint32_t k = 0; k < m; k++) {
			len[c + k] = w->data.n;
			store_column_put(&w->data, v[k], o->n);
			len[c + k] = w->data.n - len[c + k];
		}
		s.crc = crc32c(0, w->data.p + at, w->data.n - at);
		entry(&crc, &s.crc, sizeof(s.crc));
	}
	if (!w->failed) {
		put_front(o, len, &crc, &front);
		s.first = o->row[0].slot;
		s.last = o->row[o->n - 1].slot;
		s.front = (uint32_t)front.n;
		s.len = (uint32_t)(front.n + w->data.n);
		s.crc = crc32c(0, front.p, front.n);
		s.off = put(w, buf_str(&front));
		put(w, buf_str(&w->data));
		memcpy(w->stripes.p + o->no * sizeof(s), &s, sizeof(s));
	}
	o->n = 0;
	buf_fini(&front);
	buf_fini(&crc);
	free(v);
	free(len);
}

static struct open *
find_open(struct seal *w, uint32_t source, const struct lay *l, uint32_t flags)
{
	uint32_t key[3] = { source, l->no, flags };
	struct map_slot *m =
	    map_find(&w->open, (str){ (const char *)key, sizeof(key) });
	struct open *o;

	if (m != NULL)
		return m->v.p;
	o = arena_new(&w->a, struct open);
	memcpy(o->key, key, sizeof(key));
	o->lay = l;
	o->most = STORE_SEALED_ROWS;
	if (o->most * l->n > STORE_SEALED_CELLS)
		o->most = (size_t)(STORE_SEALED_CELLS / l->n);
	if (o->most == 0)
		o->most = 1;
	map_add(&w->open, (str){ (const char *)o->key, sizeof(key) }, NULL)
	    ->v.p = o;
	return o;
}

/* Samples of a row that stay. */
static uint32_t
left_in_row(
    struct seal *w, uint32_t i, const struct store_slot *p, const struct lay *l)
{
	const uint64_t *v;
	uint32_t n = p->n;

	if (salvages(w))
		return store_thin_count(
		    &w->whole, w->v[i], i, p, l->gone, l->ngone, l->n);
	if (l->ngone == 0 || !store_thin_time(w->drop, p->tmin))
		return n;
	v = store_seg_frame(w->v[i], p);
	if (v == NULL) {
		fail(w, w->v[i]);
		return 0;
	}
	for (size_t k = 0; k < l->ngone; k++)
		n -= v[l->gone[k]] != STORE_ABSENT && n > 0;
	return n;
}

/* Is a slot's row where it says, over its layout? */
static bool
in_stripe(const struct store_sealed *x, const struct store_slot *p)
{
	uint32_t k = (uint32_t)(p->off >> 32);

	return k < store_sealed_head(x)->nstripes &&
	    store_sealed_stripe(x, k)->layout == p->ref &&
	    (p->off & UINT32_MAX) < store_sealed_stripe(x, k)->rows;
}

/*
 * A row joins its stripe; slot is the number it will have.  False: nothing of
 * it stays.
 */
static bool
take_row(struct seal *w, uint32_t i, uint32_t at, uint32_t slot,
    struct store_slot *p)
{
	const struct lay *l = find_lay(w, i, p->ref);
	static const struct store_stripe none;
	struct open *o;
	struct place r = { .seg = i, .a = at, .slot = slot, .ms = p->tmin };

	if (w->v[i]->sealed != NULL) {
		r.a = (uint32_t)(p->off >> 32);
		r.b = (uint32_t)(p->off & UINT32_MAX);
	}
	if (l == NULL || p->len != (uint64_t)l->n * 8 ||
	    (w->v[i]->sealed != NULL && !in_stripe(w->v[i]->sealed, p))) {
		fail(w, w->v[i]);
		return false;
	}
	p->n = left_in_row(w, i, p, l);
	if (p->n == 0)
		return false;
	o = find_open(w, p->source, l, p->flags & STORE_REPLACE);
	if (o->n == o->most)
		flush_stripe(w, o);
	if (o->n == 0) {
		o->no = w->h.nstripes++;
		o->tmin = o->tmax = p->tmin;
		entry(&w->stripes, &none, sizeof(none));
	}
	o->row = arena_grow(&w->a, o->row, &o->cap, o->n + 1, sizeof(*o->row));
	p->ref = l->no;
	p->off = store_sealed_off(o->no, (uint32_t)o->n);
	o->row[o->n++] = r;
	o->tmin = p->tmin < o->tmin ? p->tmin : o->tmin;
	o->tmax = p->tmax > o->tmax ? p->tmax : o->tmax;
	return true;
}

/* A place in the directory for a block that is still to be written. */
static uint32_t
reserve_block(void *arg)
{
	struct store_sealed_block none = { .off = 0 };
	struct seal *w = arg;

	entry(&w->blocks, &none, sizeof(none));
	return w->h.nblocks++;
}

static void
put_block(void *arg, uint32_t no, str raw, bool timed)
{
	struct seal *w = arg;
	struct store_sealed_block b = { .raw = (uint32_t)raw.n };
	size_t most = ZSTD_compressBound(raw.n), n;

	buf_reset(&w->data);
	n = ZSTD_compress(
	    buf_reserve(&w->data, most), most, raw.p, raw.n, LEVEL);
	if (ZSTD_isError(n) || n >= raw.n) {
		n = raw.n;
		memcpy(buf_reserve(&w->data, n), raw.p, n);
	}
	b.len = (uint32_t)n;
	b.crc = crc32c(0, w->data.p, n);
	b.timed = timed;
	b.off = put(w, (str){ w->data.p, n });
	memcpy(w->blocks.p + no * sizeof(b), &b, sizeof(b));
}

static void
flush_block(struct seal *w)
{
	if (w->block.n > 0)
		put_block(w, w->blockno, buf_str(&w->block), false);
	buf_reset(&w->block);
}

/* Any other frame goes into a block; false: nothing of it stays. */
static bool
take_loose(struct seal *w, uint32_t i, struct store_slot *p, size_t *left)
{
	const void *frame = store_seg_frame(w->v[i], p);
	const struct lay *l = find_lay(w, i, p->ref);
	struct store_xview x;

	if (frame == NULL ||
	    (p->type == STORE_FRAME_T &&
		(l == NULL || !store_seg_row(p, l->n))) ||
	    (p->type == STORE_FRAME_X && !store_seg_x(p, frame, &x))) {
		fail(w, w->v[i]);
		return false;
	}
	p->ref = l == NULL ? STORE_NO_SLOT : l->no;
	*left = 1;
	if (p->type == STORE_FRAME_C) {
		frame = store_thin_c(w->drop, p, frame, &w->frame, left);
		if (p->len == 0)
			return false;
	} else if (w->drop != NULL && p->type == STORE_FRAME_X) {
		store_thin_x(w->drop, p, &x, &w->frame);
		frame = w->frame.p;
	} else if (l != NULL && l->ngone > 0) {
		store_thin_t(w->drop, p, l->gone, l->ngone, frame, &w->frame);
		frame = w->frame.p;
	}
	if (p->type != STORE_FRAME_C && p->n == 0)
		return false;
	if (store_timed_takes(p)) {
		p->off = store_timed_add(&w->timed, p, frame);
		return true;
	}
	buf_reset(&w->text);
	store_loose_put(&w->text, p, frame);
	if (w->block.n > 0 && w->block.n + w->text.n > STORE_SEALED_BLOCK)
		flush_block(w);
	if (w->block.n == 0)
		w->blockno = reserve_block(w);
	p->off = store_sealed_off(w->blockno, (uint32_t)w->block.n);
	buf_add(&w->block, buf_str(&w->text));
	return true;
}

static void
flush_page(struct seal *w)
{
	struct store_sealed_page *b = &w->bounds;

	if (b->n == 0)
		return;
	buf_reset(&w->data);
	store_sealed_page_put(&w->data, w->page, b->n);
	b->len = (uint32_t)w->data.n;
	b->crc = crc32c(0, w->data.p, w->data.n);
	b->off = put(w, buf_str(&w->data));
	entry(&w->pages, b, sizeof(*b));
	w->h.npages++;
	b->first += b->n;
	b->n = 0;
}

static void
take_other(struct seal *w, const struct store_slot *p, uint32_t slot)
{
	struct store_sealed_other o = { slot, p->type, p->tmin, p->tmax };

	entry(&w->others, &o, sizeof(o));
	w->h.nothers++;
}

/* The slots of a batch; those in quiet hold nothing that has a time. */
static void
take_slots(struct seal *w, struct store_slot *v, uint32_t n, uint32_t quiet)
{
	struct store_sealed_page *b = &w->bounds;
	struct map_slot *m;
	bool fresh;
	str key;

	for (uint32_t k = 0; k < n; k++) {
		struct store_slot *p = &v[k];

		p->back = (uint16_t)k;
		p->flags = (uint8_t)((p->flags & ~STORE_LAST) |
		    (k + 1 == n ? STORE_LAST : 0));
		if (b->n == 0) {
			b->t = INT64_MAX;
			b->tmin = UINT32_MAX;
			b->tmax = 0;
		}
		b->t = p->t < b->t ? p->t : b->t;
		if (!(quiet & 1U << k)) {
			b->tmin = p->tmin < b->tmin ? p->tmin : b->tmin;
			b->tmax = p->tmax > b->tmax ? p->tmax : b->tmax;
		}
		if (p->type != STORE_FRAME_C) {
			w->h.samples += p->n;
			w->h.tmin = p->tmin < w->h.tmin ? p->tmin : w->h.tmin;
			w->h.tmax = p->tmax > w->h.tmax ? p->tmax : w->h.tmax;
		}
		if (p->type != STORE_FRAME_V)
			take_other(w, p, w->h.slots);
		w->page[b->n++] = *p;
		w->h.slots++;
	}
	w->h.batches++;
	key = (str){ (const char *)&v[0].source, sizeof(v[0].source) };
	m = map_add(&w->sources, key, &fresh);
	if (fresh)
		m->key = arena_dup(&w->a, key);
	m->v.i = w->h.slots - 1;
}

static void
take_batch(struct seal *w, uint32_t i, uint32_t from, uint32_t last)
{
	struct store_slot v[STORE_BATCH_SLOTS];
	uint32_t n = 0, quiet = 0;
	bool any = false;

	if (w->bounds.n + STORE_BATCH_SLOTS > STORE_SEALED_PAGE)
		flush_page(w);
	for (; from <= last && !w->failed; from++) {
		const struct store_slot *p = store_seg_slot(w->v[i], from);
		size_t left = 1;

		if (p == NULL) {
			fail(w, w->v[i]);
			return;
		}
		v[n] = *p;
		if (salvages(w) && store_thin_id(w->drop, p->source))
			v[n].source = 0;
		if (v[n].type == STORE_FRAME_V) {
			if (!take_row(w, i, from, w->h.slots + n, &v[n]))
				continue;
		} else if (v[n].type < STORE_FRAME_V ||
		    v[n].type > STORE_FRAME_C ||
		    !take_loose(w, i, &v[n], &left))
			continue;
		any = any || left > 0;
		quiet |= left == 0 ? 1U << n : 0;
		n++;
	}
	if (n > 0 && (any || w->drop == NULL))
		take_slots(w, v, n, quiet);
}

static void
take_all(struct seal *w, void (*step)(void *arg, size_t samples), void *arg)
{
	size_t told = 0;

	for (uint32_t i = 0; i < w->n && !w->failed; i++) {
		const struct store_seg *g = w->v[i];

		if (g->sealed != NULL && !store_sealed_sound(g->sealed))
			fail(w, g);
		for (uint32_t k = 0; k < g->n && !w->failed; k++) {
			uint32_t from = store_seg_batch(g, k);

			if (from == STORE_NO_SLOT)
				continue;
			take_batch(w, i, from, k);
			if (w->h.samples - told >= STEP) {
				step(arg, (size_t)w->h.samples - told);
				told = (size_t)w->h.samples;
			}
		}
	}
	step(arg, (size_t)w->h.samples - told);
}

static int
by_number(const void *a, const void *b)
{
	const struct store_sealed_source *x = a, *y = b;

	return (x->source > y->source) - (x->source < y->source);
}

static void
put_sources(struct seal *w, struct buf *b)
{
	struct map_slot *m = NULL;

	while ((m = map_next(&w->sources, m)) != NULL) {
		struct store_sealed_source s = { .last = (uint32_t)m->v.i };

		memcpy(&s.source, m->key.p, sizeof(s.source));
		entry(b, &s, sizeof(s));
		w->h.nsources++;
	}
	if (b->n > 0)
		qsort(b->p, w->h.nsources, sizeof(struct store_sealed_source),
		    by_number);
}

/* What is open is written, then the directory, and the head last. */
static void
finish(struct seal *w)
{
	struct map_slot *m = NULL;
	struct buf dir = { NULL, 0, 0 }, sources = { NULL, 0, 0 };

	while (!w->failed && (m = map_next(&w->open, m)) != NULL) {
		struct open *o = m->v.p;

		if (o->n > 0)
			flush_stripe(w, o);
	}
	flush_block(w);
	store_timed_flush(&w->timed);
	flush_page(w);
	while (w->off % 8 != 0)
		put(w, (str){ "", 1 });
	put_sources(w, &sources);
	buf_add(&dir, buf_str(&w->stripes));
	buf_add(&dir, buf_str(&w->layouts));
	buf_add(&dir, buf_str(&w->pages));
	buf_add(&dir, buf_str(&w->blocks));
	buf_add(&dir, buf_str(&sources));
	buf_add(&dir, buf_str(&w->others));
	w->h.dir = put(w, buf_str(&dir));
	w->h.dircrc = crc32c(0, dir.p, dir.n);
	flush_out(w);
	w->h.crc = crc32c(0, &w->h, offsetof(struct store_sealed_head, crc));
	if (!w->failed &&
	    store_view_write(&w->file, &w->h, sizeof(w->h), 0, w->e) == -1)
		w->failed = true;
	buf_fini(&dir);
	buf_fini(&sources);
}

/* On the disk, then under its name, then that on the disk. */
static int
appear(struct seal *w, uint32_t day)
{
	char name[32];

	/* The series a part speaks of are on the disk before it is. */
	snprintf(name, sizeof(name), "%08u/series.log", (unsigned)day);
	if (w->failed || store_log_sync(w->s->fd, name, w->e) == -1)
		return -1;
	store_sealed_name(name, day, w->h.first, w->h.last);
	if (fsync(w->file.fd) == -1)
		return error_errno(w->e, "%s: fsync", w->file.name);
	if (renameat(w->s->fd, w->file.name, w->s->fd, name) == -1)
		return error_errno(w->e, "%s", name);
	return store_seg_sync_names(w->s->fd, day, w->e);
}

static void
begin(struct seal *w, uint32_t day)
{
	struct store_sealed_head *h = &w->h;
	int64_t high = store_seg_high(w->v[w->n - 1]);

	memcpy(h->magic, STORE_SEALED_MAGIC, sizeof(h->magic));
	h->version = STORE_VERSION;
	h->day = day;
	h->first = w->v[0]->first;
	h->last = w->v[w->n - 1]->no;
	h->high = high < 0 ? UINT32_MAX : (uint32_t)high;
	h->tmin = UINT32_MAX;
	for (size_t i = 0; i < w->n; i++) {
		uint32_t log = store_seg_log(w->v[i]);

		h->log = log > h->log ? log : h->log;
	}
	if (w->drop != NULL)
		h->dropped = w->drop->hash;
	else if (w->n == 1 && w->v[0]->sealed != NULL)
		h->dropped = store_sealed_head(w->v[0]->sealed)->dropped;
	w->off = sizeof(*h);
	store_timed_init(&w->timed, reserve_block, put_block, w);
}

static void
fini(struct seal *w)
{
	for (size_t i = 0; i < w->colscap; i++)
		if (w->cols[i] != NULL) {
			store_cols_fini(w->cols[i]);
			free(w->cols[i]);
		}
	free(w->cols);
	buf_fini(&w->out);
	buf_fini(&w->stripes);
	buf_fini(&w->layouts);
	buf_fini(&w->pages);
	buf_fini(&w->blocks);
	buf_fini(&w->others);
	buf_fini(&w->block);
	buf_fini(&w->frame);
	buf_fini(&w->text);
	buf_fini(&w->data);
	map_fini(&w->lays);
	map_fini(&w->place);
	map_fini(&w->open);
	map_fini(&w->sources);
	store_timed_fini(&w->timed);
	store_thin_fini(&w->whole);
	arena_fini(&w->a);
	free(w);
}

int
store_seal(const struct store *s, uint32_t day, struct store_seg *const *v,
    size_t n, const struct store_drop *drop,
    void (*step)(void *arg, size_t samples), void *arg, struct error *e)
{
	struct seal *w = mem_zero(1, sizeof(*w));
	int rc = -1;

	w->s = s;
	w->v = v;
	w->n = n;
	w->drop = drop;
	w->e = e;
	begin(w, day);
	snprintf(
	    w->file.name, sizeof(w->file.name), "%08u/part.tmp", (unsigned)day);
	w->file.fd = openat(
	    s->fd, w->file.name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->file.fd == -1) {
		error_errno(e, "%s", w->file.name);
	} else {
		take_all(w, step, arg);
		finish(w);
		rc = appear(w, day);
		close(w->file.fd);
		if (rc == -1)
			unlinkat(s->fd, w->file.name, 0);
	}
	fini(w);
	return rc;
}
