/*
 * Reading parts.  The directory is looked through when a part is opened, and
 * what it says of places is true from then on; what lies there is checked when
 * it is asked for.
 */
#include "store/sealed.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "store/column.h"
#include "store/loose.h"
#include "store/pack.h"
#include "store/timed.h"

#define PAGES 8  /* of slots, held */
#define BLOCKS 8 /* the same */
#define FRAMES 3

/* Rows are made so many at a time that about as much is held. */
#define WINDOWS ((uint64_t)64 << 20)
#define WINDOW_MIN 16

/* A block may hold one frame only, and a large one. */
#define BLOCK_MAX ((uint32_t)1 << 30)

struct page {
	uint32_t no; /* + 1 */
	uint64_t used;
	struct store_slot v[STORE_SEALED_PAGE];
};

struct block {
	uint32_t no; /* + 1 */
	uint64_t used;
	struct buf raw;
};

/* Rows from, to of a stripe. */
struct window {
	TAILQ_ENTRY(window) link;
	uint32_t stripe, from, to;
	size_t size;
	uint64_t v[];
};
TAILQ_HEAD(windows, window);

struct store_sealed {
	struct store_damage *damage; /* may be NULL */
	char name[32];
	const uint8_t *p;
	size_t size;
	struct store_sealed_head h;
	const struct store_stripe *stripe;
	const struct store_sealed_layout *layout;
	const struct store_sealed_page *page;
	const struct store_sealed_block *block;
	const struct store_sealed_source *source;
	const struct store_sealed_other *other;
	uint32_t **ids; /* of layouts that were asked for */
	uint64_t clock;
	struct page *pages[PAGES];
	uint32_t at;  /* the page that was asked for last */
	bool *looked; /* which were looked at for damage */
	struct block blocks[BLOCKS];
	struct buf frame[FRAMES];
	unsigned turn;
	struct window **win; /* by stripe */
	struct windows order;
	size_t held;
	uint32_t rows; /* of a window */
	size_t most;   /* held, but for one */
	struct store_cols cols;
};

void
store_sealed_name(char out[32], uint32_t day, uint32_t first, uint32_t last)
{
	snprintf(out, 32, "%08u/%06u-%06u.part", (unsigned)day, (unsigned)first,
	    (unsigned)last);
}

uint64_t
store_sealed_off(uint32_t where, uint32_t at)
{
	return (uint64_t)where << 32 | at;
}

static void
note(const struct store_sealed *x)
{
	store_damage_note(x->damage, x->name);
}

void
store_sealed_watch(
    struct store_sealed *x, struct store_damage *d, const char *name)
{
	x->damage = d;
	strlcpy(x->name, name, sizeof(x->name));
}

static bool
inside(const struct store_sealed *x, uint64_t off, uint64_t len)
{
	return off >= sizeof(x->h) && off <= x->h.dir && len <= x->h.dir - off;
}

/* The directory lies where it should, each kind behind the one before. */
static bool
find_directory(struct store_sealed *x)
{
	const struct store_sealed_head *h = &x->h;
	uint64_t n = h->nstripes * (uint64_t)sizeof(*x->stripe) +
	    h->nlayouts * (uint64_t)sizeof(*x->layout) +
	    h->npages * (uint64_t)sizeof(*x->page) +
	    h->nblocks * (uint64_t)sizeof(*x->block) +
	    h->nsources * (uint64_t)sizeof(*x->source) +
	    h->nothers * (uint64_t)sizeof(*x->other);
	const uint8_t *p = x->p + h->dir;

	if (h->dir < sizeof(*h) || h->dir % 8 != 0 || h->dir > x->size ||
	    n != x->size - h->dir || crc32c(0, p, n) != h->dircrc)
		return false;
	x->stripe = (const void *)p;
	x->layout = (const void *)(x->stripe + h->nstripes);
	x->page = (const void *)(x->layout + h->nlayouts);
	x->block = (const void *)(x->page + h->npages);
	x->source = (const void *)(x->block + h->nblocks);
	x->other = (const void *)(x->source + h->nsources);
	return true;
}

static bool
stripe_ok(const struct store_sealed *x, const struct store_stripe *s)
{
	uint64_t cols;

	if (s->layout >= x->h.nlayouts)
		return false;
	cols = x->layout[s->layout].n;
	return inside(x, s->off, s->len) && s->front <= s->len && s->rows > 0 &&
	    s->rows <= STORE_SEALED_ROWS && cols > 0 &&
	    (s->rows == 1 || s->rows * cols <= STORE_SEALED_CELLS);
}

/* Slots lie in pages without gaps. */
static bool
pages_ok(const struct store_sealed *x)
{
	uint32_t next = 0;

	for (uint32_t k = 0; k < x->h.npages; k++) {
		const struct store_sealed_page *p = &x->page[k];

		if (!inside(x, p->off, p->len) || p->first != next ||
		    p->n == 0 || p->n > STORE_SEALED_PAGE)
			return false;
		next += p->n;
	}
	return next == x->h.slots;
}

static bool
directory_ok(struct store_sealed *x)
{
	uint64_t cells = 0;

	if (!find_directory(x) || !pages_ok(x))
		return false;
	for (uint32_t k = 0; k < x->h.nlayouts; k++)
		/* A number takes a 128th of a byte at least. */
		if (!inside(x, x->layout[k].off, x->layout[k].len) ||
		    x->layout[k].n / STORE_PACK_BLOCK > x->layout[k].len)
			return false;
	for (uint32_t k = 0; k < x->h.nblocks; k++)
		if (!inside(x, x->block[k].off, x->block[k].len) ||
		    x->block[k].raw > BLOCK_MAX)
			return false;
	for (uint32_t k = 0; k < x->h.nstripes; k++) {
		const struct store_stripe *s = &x->stripe[k];

		if (!stripe_ok(x, s) || s->first > s->last ||
		    s->last >= x->h.slots)
			return false;
		cells +=
		    (uint64_t)x->layout[s->layout].n * (s->last - s->first + 1);
	}
	/* What is held of rows follows from how many columns are open at a
	 * time. */
	if (x->h.slots > 0)
		cells /= x->h.slots;
	x->rows = STORE_SEALED_ROWS;
	if (cells * 8 * STORE_SEALED_ROWS > WINDOWS)
		x->rows = (uint32_t)(WINDOWS / (cells * 8));
	if (x->rows < WINDOW_MIN)
		x->rows = WINDOW_MIN;
	/* One for each source that is read by turns, and some that end. */
	x->most = 2 * (size_t)WINDOWS;
	if (x->most < cells * 16 * WINDOW_MIN)
		x->most = cells * 16 * WINDOW_MIN;
	return true;
}

static bool
head_ok(const struct store_sealed_head *h, uint32_t day, uint32_t first,
    uint32_t last)
{
	return memcmp(h->magic, STORE_SEALED_MAGIC, sizeof(h->magic)) == 0 &&
	    h->version == STORE_VERSION && h->day == day && h->first == first &&
	    h->last == last && first <= last &&
	    h->crc == crc32c(0, h, offsetof(struct store_sealed_head, crc));
}

int
store_sealed_open(struct store_seg *s, int dirfd, uint32_t day, uint32_t first,
    uint32_t last, struct error *e)
{
	struct store_sealed *x;
	char name[32];
	int r;

	memset(s, 0, sizeof(*s));
	store_sealed_name(name, day, first, last);
	r = store_view_open(&s->v, dirfd, name, false, false, e);
	if (r != 1)
		return r;
	x = mem_zero(1, sizeof(*x));
	TAILQ_INIT(&x->order);
	x->p = s->v.p;
	x->size = s->v.size;
	if (x->size >= sizeof(x->h))
		memcpy(&x->h, x->p, sizeof(x->h));
	if (!head_ok(&x->h, day, first, last) || !directory_ok(x)) {
		free(x);
		store_view_close(&s->v);
		return 0;
	}
	x->ids = mem_zero(x->h.nlayouts + (size_t)1, sizeof(*x->ids));
	x->win = mem_zero(x->h.nstripes + (size_t)1, sizeof(struct window *));
	x->looked = mem_zero(x->h.npages + (size_t)1, sizeof(*x->looked));
	s->sealed = x;
	s->first = first;
	s->no = last;
	s->high = x->h.high;
	s->n = x->h.slots;
	return 1;
}

void
store_sealed_forget(struct store_sealed *x)
{
	struct window *w;

	for (size_t i = 0; i < PAGES; i++) {
		free(x->pages[i]);
		x->pages[i] = NULL;
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		buf_fini(&x->blocks[i].raw);
		x->blocks[i].no = 0;
	}
	for (size_t i = 0; i < FRAMES; i++)
		buf_fini(&x->frame[i]);
	while ((w = TAILQ_FIRST(&x->order)) != NULL) {
		TAILQ_REMOVE(&x->order, w, link);
		x->win[w->stripe] = NULL;
		free(w);
	}
	x->held = 0;
}

void
store_sealed_free(struct store_sealed *x)
{
	if (x == NULL)
		return;
	store_sealed_forget(x);
	for (uint32_t k = 0; k < x->h.nlayouts; k++)
		free(x->ids[k]);
	free(x->ids);
	free(x->win);
	free(x->looked);
	store_cols_fini(&x->cols);
	free(x);
}

const struct store_sealed_head *
store_sealed_head(const struct store_sealed *x)
{
	return &x->h;
}

static bool
read_page(struct store_sealed *x, const struct store_sealed_page *p,
    struct store_slot *v)
{
	const uint8_t *at = x->p + p->off;

	if (crc32c(0, at, p->len) != p->crc)
		return false;
	if (!store_sealed_page_get(at, p->len, v, p->n))
		return false;
	for (uint32_t i = 0; i < p->n; i++)
		if (v[i].type == STORE_FRAME_V) {
			if (v[i].ref >= x->h.nlayouts)
				return false;
			v[i].len = x->layout[v[i].ref].n * 8;
		}
	return true;
}

/* The page that slot i lies in. */
static uint32_t
page_of(struct store_sealed *x, uint32_t i)
{
	uint32_t lo = 0, hi = x->h.npages;
	const struct store_sealed_page *p = &x->page[x->at];

	if (i >= p->first && i - p->first < p->n)
		return x->at;
	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->page[mid].first <= i)
			lo = mid;
		else
			hi = mid;
	}
	return x->at = lo;
}

bool
store_sealed_page_sound(struct store_sealed *x, uint32_t k)
{
	const struct store_sealed_page *p = &x->page[k];

	if (crc32c(0, x->p + p->off, p->len) == p->crc)
		return true;
	note(x);
	return false;
}

void
store_sealed_look(struct store_sealed *x, uint32_t lo, uint32_t hi)
{
	for (uint32_t k = 0; k < x->h.npages; k++) {
		const struct store_sealed_page *p = &x->page[k];

		if (p->tmin > hi || p->tmax < lo || x->looked[k])
			continue;
		x->looked[k] = true;
		(void)store_sealed_page_sound(x, k);
	}
}

/* Its slots; of a damaged one those of rows, and type 0. */
static const struct store_slot *
load_page(struct store_sealed *x, uint32_t k)
{
	struct page **old = &x->pages[0], *p;

	for (size_t i = 0; i < PAGES; i++) {
		p = x->pages[i];
		if (p != NULL && p->no == k + 1) {
			p->used = ++x->clock;
			return p->v;
		}
		if (*old != NULL && (p == NULL || p->used < (*old)->used))
			old = &x->pages[i];
	}
	if (*old == NULL)
		*old = mem_alloc(sizeof(**old));
	p = *old;
	p->used = ++x->clock;
	p->no = k + 1;
	if (!read_page(x, &x->page[k], p->v)) {
		note(x);
		store_sealed_rows(x, x->page[k].first, x->page[k].n, p->v);
	}
	return p->v;
}

const struct store_slot *
store_sealed_slot(struct store_sealed *x, uint32_t i)
{
	uint32_t k;
	const struct store_slot *v;

	if (i >= x->h.slots)
		return NULL;
	k = page_of(x, i);
	v = load_page(x, k) + (i - x->page[k].first);
	return v->type == 0 ? NULL : v;
}

uint32_t
store_sealed_skip(struct store_sealed *x, uint32_t i, uint32_t lo, uint32_t hi)
{
	uint32_t k;

	if (i >= x->h.slots)
		return x->h.slots;
	for (k = page_of(x, i); k < x->h.npages; k++) {
		const struct store_sealed_page *p = &x->page[k];

		if (p->tmin <= hi && p->tmax >= lo)
			return i > p->first ? i : p->first;
	}
	return x->h.slots;
}

uint32_t
store_sealed_page(const struct store_sealed *x, uint32_t k)
{
	return k < x->h.npages ? x->page[k].first : x->h.slots;
}

int64_t
store_sealed_earliest(const struct store_sealed *x, uint32_t k)
{
	return k < x->h.npages ? x->page[k].t : INT64_MAX;
}

const uint32_t *
store_sealed_layout(struct store_sealed *x, uint32_t k, uint32_t *n)
{
	const struct store_sealed_layout *l;
	uint64_t *d;
	uint64_t id = 0;
	bool inside = true;

	if (k >= x->h.nlayouts)
		return NULL;
	l = &x->layout[k];
	*n = l->n;
	if (x->ids[k] != NULL || l->n == 0)
		return x->ids[k];
	if (crc32c(0, x->p + l->off, l->len) != l->crc) {
		note(x);
		return NULL;
	}
	d = mem_alloc(l->n * sizeof(*d));
	if (store_pack_get(x->p + l->off, l->len, d, l->n) == l->len) {
		x->ids[k] = mem_alloc(l->n * sizeof(**x->ids));
		for (uint32_t i = 0; i < l->n; i++) {
			id += (uint64_t)store_unzigzag(d[i]);
			inside = inside && id >= l->min && id <= l->max;
			x->ids[k][i] = (uint32_t)id;
		}
	}
	free(d);
	if (!inside) {
		free(x->ids[k]);
		x->ids[k] = NULL;
	}
	if (x->ids[k] == NULL)
		note(x);
	return x->ids[k];
}

void
store_sealed_bounds(
    const struct store_sealed *x, uint32_t k, uint32_t *min, uint32_t *max)
{
	*min = x->layout[k].min;
	*max = x->layout[k].max;
}

uint32_t
store_sealed_last(const struct store_sealed *x, uint32_t source)
{
	uint32_t lo = 0, hi = x->h.nsources;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->source[mid].source < source)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < x->h.nsources && x->source[lo].source == source
	    ? x->source[lo].last
	    : STORE_NO_SLOT;
}

const struct store_stripe *
store_sealed_stripe(const struct store_sealed *x, uint32_t k)
{
	return &x->stripe[k];
}

const struct store_sealed_other *
store_sealed_other(const struct store_sealed *x, uint32_t k)
{
	return &x->other[k];
}

/* The bytes of columns to where each begins; false if they do not fit. */
static bool
places(struct store_cols *c, const uint8_t *p, size_t len, uint64_t room)
{
	uint64_t *n = mem_alloc((c->n + (size_t)1) * sizeof(*n)), sum = 0;
	bool ok = store_pack_get(p, len, n, c->n) == len;

	c->at = mem_grow(c->at, &c->cap, c->n + (size_t)1, sizeof(*c->at));
	for (uint32_t i = 0; ok && i < c->n; i++) {
		c->at[i] = (uint32_t)sum;
		if (n[i] > room - sum)
			ok = false;
		else
			sum += n[i];
	}
	c->at[c->n] = (uint32_t)sum;
	free(n);
	return ok && sum == room;
}

static bool
open_cols(struct store_cols *c, const struct store_sealed *x, uint32_t k)
{
	const struct store_stripe *s = &x->stripe[k];
	const uint8_t *p = x->p + s->off;
	size_t left = s->front, crcs, n;

	c->stripe = s;
	c->n = x->layout[s->layout].n;
	c->sound = mem_grow(
	    c->sound, &c->soundcap, c->n / STORE_SEALED_GROUP + (size_t)1, 1);
	memset(c->sound, 0, c->n / STORE_SEALED_GROUP + (size_t)1);
	crcs = (c->n + (size_t)STORE_SEALED_GROUP - 1) / STORE_SEALED_GROUP *
	    sizeof(uint32_t);
	if (crc32c(0, p, s->front) != s->crc || left < crcs)
		return false;
	left -= crcs;
	c->crc = p + left;
	n = store_column_get_ints(p, left, c->slot, s->rows);
	if (n == 0)
		return false;
	p += n;
	left -= n;
	n = store_column_get_ints(p, left, c->t, s->rows);
	if (n == 0)
		return false;
	c->p = x->p + s->off + s->front;
	return places(c, p + n, left - n, s->len - s->front);
}

bool
store_cols_open(struct store_cols *c, struct store_sealed *x, uint32_t k)
{
	if (c->open && c->x == x && c->stripe == &x->stripe[k] &&
	    c->dir == x->h.dircrc)
		return true;
	c->x = x;
	c->dir = x->h.dircrc;
	c->open = open_cols(c, x, k);
	if (!c->open)
		note(x);
	return c->open;
}

void
store_cols_fini(struct store_cols *c)
{
	free(c->at);
	free(c->sound);
	c->at = NULL;
	c->sound = NULL;
	c->cap = c->soundcap = 0;
	c->open = false;
}

bool
store_cols_holes(const struct store_cols *c, uint32_t col)
{
	return c->at[col] == c->at[col + 1] ||
	    store_column_holes(c->p + c->at[col]);
}

/* Make sure of a column's group. */
static bool
sound(struct store_cols *c, uint32_t col)
{
	uint32_t g = col / STORE_SEALED_GROUP, from, to, want;

	if (c->sound[g] != 0)
		return c->sound[g] == 2;
	from = g * STORE_SEALED_GROUP;
	to =
	    from + STORE_SEALED_GROUP < c->n ? from + STORE_SEALED_GROUP : c->n;
	memcpy(&want, c->crc + (size_t)g * sizeof(want), sizeof(want));
	c->sound[g] =
	    crc32c(0, c->p + c->at[from], c->at[to] - c->at[from]) == want ? 2
									   : 1;
	return c->sound[g] == 2;
}

bool
store_cols_numbers(struct store_cols *c, uint32_t col)
{
	return sound(c, col) &&
	    store_column_numbers(
		c->p + c->at[col], c->at[col + 1] - c->at[col]);
}

bool
store_cols_get(struct store_cols *c, uint32_t col, double *v)
{
	/* It may look at what stands behind the column, but not use it. */
	if (sound(c, col) &&
	    store_column_get(c->p + c->at[col], c->at[c->n] - c->at[col], v,
		c->stripe->rows) == c->at[col + 1] - c->at[col])
		return true;
	note(c->x);
	return false;
}

bool
store_cols_rows(
    struct store_cols *c, uint32_t col, uint32_t first, uint32_t n, double *v)
{
	if (n == c->stripe->rows)
		return store_cols_get(c, col, v);
	if (sound(c, col) &&
	    store_column_rows(c->p + c->at[col], c->at[col + 1] - c->at[col], v,
		c->stripe->rows, first, n))
		return true;
	note(c->x);
	return false;
}

/* A column that cannot be read is absent: the others are there. */
static void
get_or_none(struct store_cols *c, uint32_t col, double *v)
{
	const uint64_t absent = STORE_ABSENT;

	if (!store_cols_get(c, col, v))
		for (uint32_t r = 0; r < c->stripe->rows; r++)
			memcpy(&v[r], &absent, sizeof(absent));
}

/* All columns of rows from.. of a stripe, transposed. */
static bool
fill(struct store_sealed *x, struct window *w)
{
	struct store_cols *c = &x->cols;
	double v[8][STORE_SEALED_ROWS];
	uint32_t cols;

	if (!store_cols_open(c, x, w->stripe))
		return false;
	cols = c->n;
	for (uint32_t i = 0; i < cols; i += 8) {
		uint32_t m = cols - i < 8 ? cols - i : 8;

		for (uint32_t k = 0; k < m; k++)
			get_or_none(c, i + k, v[k]);
		for (uint32_t r = w->from; r < w->to; r++)
			for (uint32_t k = 0; k < m; k++)
				memcpy(
				    &w->v[(size_t)(r - w->from) * cols + i + k],
				    &v[k][r], sizeof(double));
	}
	return true;
}

static void
drop(struct store_sealed *x, struct window *w)
{
	TAILQ_REMOVE(&x->order, w, link);
	x->win[w->stripe] = NULL;
	x->held -= w->size;
	free(w);
}

static const uint64_t *
row(struct store_sealed *x, uint32_t k, uint32_t r)
{
	struct window *w, *next;
	uint32_t cols, from, to;

	if (k >= x->h.nstripes || r >= x->stripe[k].rows)
		return NULL;
	cols = x->layout[x->stripe[k].layout].n;
	w = x->win[k];
	if (w != NULL && r >= w->from && r < w->to)
		return w->v + (size_t)(r - w->from) * cols;
	if (w != NULL)
		drop(x, w);
	from = r - r % x->rows;
	to = from + x->rows < x->stripe[k].rows ? from + x->rows
						: x->stripe[k].rows;
	TAILQ_FOREACH_SAFE(w, &x->order, link, next)
	{
		if (x->held <= x->most)
			break;
		drop(x, w);
	}
	w = mem_alloc(sizeof(*w) + (size_t)(to - from) * cols * sizeof(*w->v));
	w->stripe = k;
	w->from = from;
	w->to = to;
	w->size = (size_t)(to - from) * cols * sizeof(*w->v);
	TAILQ_INSERT_TAIL(&x->order, w, link);
	x->win[k] = w;
	x->held += w->size;
	if (fill(x, w))
		return w->v + (size_t)(r - w->from) * cols;
	drop(x, w);
	return NULL;
}

static bool
read_block(
    struct store_sealed *x, const struct store_sealed_block *b, struct buf *out)
{
	const uint8_t *p = x->p + b->off;

	if (crc32c(0, p, b->len) != b->crc)
		return false;
	buf_reset(out);
	if (b->len == b->raw) {
		buf_add(out, (str){ (const char *)p, b->len });
		return true;
	}
	/* What it says of its size is held against it before it is believed. */
	if (ZSTD_getFrameContentSize(p, b->len) != b->raw)
		return false;
	out->n = ZSTD_decompress(buf_reserve(out, b->raw), b->raw, p, b->len);
	return !ZSTD_isError(out->n) && out->n == b->raw;
}

/* A block as frames: T rows come out of their columns. */
static bool
read_frames(
    struct store_sealed *x, const struct store_sealed_block *b, struct buf *out)
{
	struct buf packed = { NULL, 0, 0 };
	bool good;

	if (b->timed == 0)
		return read_block(x, b, out);
	good = read_block(x, b, &packed) &&
	    store_timed_get((const uint8_t *)packed.p, packed.n, out);
	buf_fini(&packed);
	return good;
}

static const struct buf *
load_block(struct store_sealed *x, uint32_t k)
{
	struct block *old = &x->blocks[0];

	if (k >= x->h.nblocks)
		return NULL;
	for (size_t i = 0; i < BLOCKS; i++) {
		struct block *b = &x->blocks[i];

		if (b->no == k + 1) {
			b->used = ++x->clock;
			return &b->raw;
		}
		if (b->used < old->used)
			old = b;
	}
	old->used = ++x->clock;
	old->no = read_frames(x, &x->block[k], &old->raw) ? k + 1 : 0;
	if (old->no == 0)
		note(x);
	return old->no == 0 ? NULL : &old->raw;
}

const void *
store_sealed_frame(struct store_sealed *x, const struct store_slot *p)
{
	uint32_t where = (uint32_t)(p->off >> 32);
	uint32_t at = (uint32_t)(p->off & UINT32_MAX);
	const struct buf *b;

	if (p->type == STORE_FRAME_V)
		return where < x->h.nstripes &&
			x->stripe[where].layout == p->ref
		    ? row(x, where, at)
		    : NULL;
	b = load_block(x, where);
	if (b == NULL || at % 8 != 0 || at >= b->n)
		return NULL;
	return store_loose_get((const uint8_t *)b->p + at, b->n - at, p,
	    &x->frame[x->turn++ % FRAMES]);
}
