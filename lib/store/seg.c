/*
 * Reading segments, and making new ones.  Appending is append.c's, which
 * knows what a batch is.
 */
#include "store/seg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/sealed.h"

/* More than any time of a day. */
#define DAY_MS 86400000u

static uint64_t
frames_at(uint32_t cap)
{
	return STORE_SEG_HEAD + (uint64_t)cap * sizeof(struct store_slot);
}

static uint32_t
blocks(uint64_t len)
{
	return (uint32_t)((len + CRC32C_BLOCK - 1) / CRC32C_BLOCK);
}

static uint64_t
pad8(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

uint64_t
store_seg_space(uint64_t len)
{
	return pad8(pad8(len) + blocks(len) * sizeof(uint32_t));
}

static bool
head_ok(const struct store_seg_head *h, uint32_t day, uint32_t no)
{
	return memcmp(h->magic, STORE_SEG_MAGIC, sizeof(h->magic)) == 0 &&
	    h->version == STORE_VERSION && h->day == day && h->no == no &&
	    h->cap > 0 && h->cap <= STORE_SEG_SLOTS &&
	    h->crc == crc32c(0, h, offsetof(struct store_seg_head, crc));
}

int
store_seg_open(struct store_seg *s, int dirfd, uint32_t day, uint32_t no,
    const uint8_t boot[16], bool write, struct error *e)
{
	struct store_seg_head h;
	char name[32];
	int r;

	memset(s, 0, sizeof(*s));
	snprintf(
	    name, sizeof(name), "%08u/%06u.seg", (unsigned)day, (unsigned)no);
	r = store_view_open(&s->v, dirfd, name, write, false, e);
	if (r != 1)
		return r;
	if (s->v.size < sizeof(h))
		goto none;
	memcpy(&h, s->v.p, sizeof(h));
	if (!head_ok(&h, day, no))
		goto none;
	s->first = s->no = no;
	s->cap = h.cap;
	s->high = h.high;
	s->now = memcmp(h.boot, boot, 16) == 0;
	if (store_seg_stat(s, e) == 0)
		return 1;
	store_seg_close(s);
	return -1;
none:
	store_seg_close(s);
	return 0;
}

void
store_seg_close(struct store_seg *s)
{
	store_sealed_free(s->sealed);
	s->sealed = NULL;
	free(s->checked);
	s->checked = NULL;
	store_view_close(&s->v);
}

static const struct store_seg_head *
head(const struct store_seg *s)
{
	return (const void *)s->v.p;
}

bool
store_seg_closed(const struct store_seg *s)
{
	return s->sealed != NULL || head(s)->closed != 0;
}

int
store_seg_shut(struct store_seg *s, struct error *e)
{
	const uint32_t yes = 1;

	return store_view_write(&s->v, &yes, sizeof(yes),
	    offsetof(struct store_seg_head, closed), e);
}

int
store_seg_lose(const struct store_seg *s, uint32_t i, struct error *e)
{
	struct store_slot p = *store_seg_slot(s, i);

	p.flags |= STORE_LOST;
	p.crc = crc32c(0, &p, offsetof(struct store_slot, crc));
	return store_view_write(
	    &s->v, &p, sizeof(p), STORE_SEG_HEAD + i * sizeof(p), e);
}

static const struct store_slot *
slots(const struct store_seg *s)
{
	return (
	    const struct store_slot *)(const void *)(s->v.p + STORE_SEG_HEAD);
}

/* Slot i as it lies there; NULL: damaged. */
static const struct store_slot *
peek(const struct store_seg *s, uint32_t i)
{
	return s->sealed != NULL ? store_sealed_slot(s->sealed, i)
				 : slots(s) + i;
}

/* How many slots lie inside the file. */
static uint32_t
slots_in(const struct store_seg *s)
{
	size_t n = s->v.size < STORE_SEG_HEAD
	    ? 0
	    : (s->v.size - STORE_SEG_HEAD) / sizeof(struct store_slot);

	return n < s->cap ? (uint32_t)n : s->cap;
}

/*
 * The slots that are there, of a table that was filled in order.  Doubling
 * steps keep away from the far end, where no page has been written.
 */
static uint32_t
count(const struct store_slot *v, uint32_t lo, uint32_t hi)
{
	uint32_t step = 1;

	while (step < hi - lo && v[lo + step - 1].off != 0) {
		lo += step;
		step *= 2;
	}
	if (step < hi - lo)
		hi = lo + step;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid].off != 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
store_seg_stat(struct store_seg *s, struct error *e)
{
	uint32_t hi;

	if (s->sealed != NULL)
		return 0;
	if (store_view_stat(&s->v, e) == -1)
		return -1;
	hi = slots_in(s);
	if (!s->now) {
		/* A power cut may have left gaps. */
		while (hi > 0 && slots(s)[hi - 1].off == 0)
			hi--;
		s->n = hi;
		return 0;
	}
	s->n = count(slots(s), s->n < hi ? s->n : hi, hi);
	/* Frames were written before their slots: look for their end after. */
	return store_view_stat(&s->v, e);
}

int
store_seg_sync_names(int dirfd, uint32_t day, struct error *e)
{
	char name[16];
	int fd, r;

	snprintf(name, sizeof(name), "%08u", (unsigned)day);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return error_errno(e, "%s", name);
	r = fsync(fd);
	close(fd);
	if (r == 0)
		r = fsync(dirfd);
	return r == -1 ? error_errno(e, "%s: fsync", name) : 0;
}

int
store_seg_make(int dirfd, uint32_t day, uint32_t no, const uint8_t boot[16],
    uint32_t high, struct error *e)
{
	struct store_seg_head h = {
		.version = STORE_VERSION,
		.cap = STORE_SEG_SLOTS,
		.day = day,
		.no = no,
		.high = high,
	};
	struct store_view v = { .fd = -1 };
	char name[32];
	int rc = -1;

	memcpy(h.magic, STORE_SEG_MAGIC, sizeof(h.magic));
	memcpy(h.boot, boot, 16);
	h.crc = crc32c(0, &h, offsetof(struct store_seg_head, crc));
	snprintf(v.name, sizeof(v.name), "%08u/segment.tmp", (unsigned)day);
	snprintf(
	    name, sizeof(name), "%08u/%06u.seg", (unsigned)day, (unsigned)no);
	unlinkat(dirfd, v.name, 0);
	v.fd =
	    openat(dirfd, v.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (v.fd == -1)
		return error_errno(e, "%s", v.name);
	if (ftruncate(v.fd, (off_t)frames_at(h.cap)) == -1)
		error_errno(e, "%s", v.name);
	else if (store_view_write(&v, &h, sizeof(h), 0, e) == 0) {
		/* A power cut must not leave a name for what has no head. */
		if (fdatasync(v.fd) == -1)
			error_errno(e, "%s: fdatasync", v.name);
		else if (renameat(dirfd, v.name, dirfd, name) == -1)
			error_errno(e, "%s", name);
		else
			rc = 0;
	}
	close(v.fd);
	if (rc == -1) {
		unlinkat(dirfd, v.name, 0);
		return -1;
	}
	return 0;
}

static void
note(const struct store_seg *s)
{
	store_damage_note(s->damage, s->v.name);
}

/* Slot i is not sound, or one that is being written. */
static void
note_slot(const struct store_seg *s, uint32_t i)
{
	if (!store_seg_free(s, i))
		store_damage_suspect(s->damage, s->v.dirfd, s->v.name,
		    STORE_SEG_HEAD + i * sizeof(struct store_slot),
		    slots(s) + i, sizeof(struct store_slot));
}

const struct store_slot *
store_seg_slot(const struct store_seg *s, uint32_t i)
{
	const struct store_slot *p;

	if (i >= s->n)
		return NULL;
	if (s->sealed != NULL)
		return store_sealed_slot(s->sealed, i);
	p = slots(s) + i;
	if (p->off < frames_at(s->cap) || p->off % 8 != 0 ||
	    p->off > s->v.size ||
	    store_seg_space(p->len) > s->v.size - p->off ||
	    p->crc != crc32c(0, p, offsetof(struct store_slot, crc))) {
		note_slot(s, i);
		return NULL;
	}
	return p;
}

bool
store_seg_free(const struct store_seg *s, uint32_t i)
{
	return s->sealed == NULL && slots(s)[i].off == 0;
}

uint32_t
store_seg_source(const struct store_seg *s, uint32_t i)
{
	const struct store_slot *p = peek(s, i);

	return p == NULL ? 0 : p->source;
}

uint32_t
store_seg_batch(const struct store_seg *s, uint32_t i)
{
	const struct store_slot *p = store_seg_slot(s, i);
	uint32_t back;

	if (p == NULL || !(p->flags & STORE_LAST) || p->flags & STORE_LOST ||
	    p->back > i || p->back >= STORE_BATCH_SLOTS)
		return STORE_NO_SLOT;
	back = p->back;
	for (uint32_t k = 0; k < back; k++) {
		p = store_seg_slot(s, i - back + k);
		if (p == NULL || p->flags & STORE_LAST || p->back != k)
			return STORE_NO_SLOT;
	}
	return i - back;
}

/* The end of the batch that slot i is in, if the batch is sound. */
static uint32_t
batch_end(const struct store_seg *s, uint32_t i)
{
	uint32_t end = i;
	const struct store_slot *p;

	while (end < s->n && end - i < STORE_BATCH_SLOTS &&
	    (p = peek(s, end)) != NULL && !(p->flags & STORE_LAST))
		end++;
	return end < s->n && store_seg_batch(s, end) <= i ? end : STORE_NO_SLOT;
}

uint32_t
store_seg_next(const struct store_seg *s, uint32_t i, uint32_t lo, uint32_t hi,
    uint32_t *last)
{
	/* Most are passed over here, before any checksum. */
	for (; i < s->n; i++) {
		const struct store_slot *p;

		if (s->sealed != NULL) {
			i = store_sealed_skip(s->sealed, i, lo, hi);
			if (i >= s->n)
				break;
		}
		p = peek(s, i);
		if (p == NULL)
			continue;
		if (p->tmin > p->tmax || p->tmax >= DAY_MS ||
		    p->type < STORE_FRAME_I || p->type > STORE_FRAME_C)
			(void)store_seg_slot(s, i); /* damaged? */
		if (p->tmin > hi || p->tmax < lo || p->type < STORE_FRAME_V ||
		    p->type > STORE_FRAME_C)
			continue;
		*last = batch_end(s, i);
		if (*last != STORE_NO_SLOT)
			return i;
		(void)store_seg_slot(s, i);
	}
	return STORE_NO_SLOT;
}

int64_t
store_seg_high(const struct store_seg *s)
{
	for (uint32_t i = s->sealed != NULL ? 0 : s->n; i-- > 0;) {
		const struct store_slot *p = store_seg_slot(s, i);

		if (p != NULL)
			return p->high;
	}
	return s->no == 0 || s->high == UINT32_MAX ? -1 : (int64_t)s->high;
}

int64_t
store_seg_earliest(const struct store_seg *s)
{
	int64_t t = INT64_MAX;
	uint32_t n =
	    s->sealed == NULL ? 0 : store_sealed_head(s->sealed)->npages;

	for (uint32_t k = 0; k < n; k++)
		if (store_sealed_earliest(s->sealed, k) < t)
			t = store_sealed_earliest(s->sealed, k);
	for (uint32_t i = 0; s->sealed == NULL && i < s->n; i++)
		if (slots(s)[i].off != 0 && slots(s)[i].t < t)
			t = slots(s)[i].t;
	return t;
}

uint32_t
store_seg_log(const struct store_seg *s)
{
	if (s->sealed != NULL)
		return store_sealed_head(s->sealed)->log;
	for (uint32_t i = s->n; i-- > 0;) {
		const struct store_slot *p = store_seg_slot(s, i);

		if (p != NULL)
			return p->log;
	}
	return 0;
}

static const uint32_t *
crcs(const struct store_seg *s, const struct store_slot *p)
{
	return (const uint32_t *)(const void *)(s->v.p + p->off + pad8(p->len));
}

const uint8_t *
store_seg_bytes(const struct store_seg *s, const struct store_slot *p)
{
	if (s->sealed != NULL)
		return store_sealed_frame(s->sealed, p);
	if (crc32c(0, crcs(s, p), blocks(p->len) * sizeof(uint32_t)) !=
	    p->fcrc) {
		note(s);
		return NULL;
	}
	return s->v.p + p->off;
}

bool
store_seg_block(const struct store_seg *s, const struct store_slot *p,
    size_t from, size_t n, uint8_t *ok)
{
	size_t last = (from + n - 1) / CRC32C_BLOCK;
	uint32_t out;

	if (s->sealed != NULL)
		return true;
	for (size_t b = from / CRC32C_BLOCK; b <= last; b++) {
		size_t at = b * CRC32C_BLOCK, len = p->len - at;

		if (ok[b])
			continue;
		if (len > CRC32C_BLOCK)
			len = CRC32C_BLOCK;
		crc32c_blocks(s->v.p + p->off + at, len, &out);
		if (out != crcs(s, p)[b]) {
			note(s);
			return false;
		}
		ok[b] = 1;
	}
	return true;
}

const void *
store_seg_frame(const struct store_seg *s, const struct store_slot *p)
{
	const uint8_t *q = store_seg_bytes(s, p);
	const uint32_t *want;
	uint32_t nb = blocks(p->len), out[24];

	if (q == NULL || s->sealed != NULL)
		return q;
	want = crcs(s, p);
	for (uint32_t b = 0; b < nb; b += 24) {
		uint32_t k = nb - b < 24 ? nb - b : 24;
		size_t at = (size_t)b * CRC32C_BLOCK;
		size_t len = p->len - at;

		if (len > (size_t)k * CRC32C_BLOCK)
			len = (size_t)k * CRC32C_BLOCK;
		crc32c_blocks(q + at, len, out);
		if (memcmp(out, want + b, k * sizeof(*out)) != 0) {
			note(s);
			return NULL;
		}
	}
	return q;
}

const uint32_t *
store_seg_layout(const struct store_seg *s, uint32_t ref, uint32_t *n)
{
	const struct store_slot *p;

	if (s->sealed != NULL)
		return store_sealed_layout(s->sealed, ref, n);
	p = store_seg_slot(s, ref);
	if (p == NULL || p->type != STORE_FRAME_I || p->len % 4 != 0) {
		note(s);
		return NULL;
	}
	*n = p->len / 4;
	return store_seg_frame(s, p);
}

bool
store_seg_row(const struct store_slot *p, uint32_t cols)
{
	return (p->type == STORE_FRAME_V && p->len == (uint64_t)cols * 8) ||
	    (p->type == STORE_FRAME_T && p->len == (uint64_t)cols * 12);
}

uint64_t
store_seg_end(const struct store_seg *s)
{
	const struct store_slot *p;
	uint64_t end = frames_at(s->cap);

	if (s->n == 0)
		return end;
	p = store_seg_slot(s, s->n - 1);
	if (p != NULL)
		return p->off + store_seg_space(p->len);
	/* What a damaged slot says could be anywhere: behind all there is. */
	return pad8(s->v.size) > end ? pad8(s->v.size) : end;
}

bool
store_seg_sound(const struct store_seg *g)
{
	if (g->sealed != NULL && !store_sealed_sound(g->sealed))
		return false;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);
		uint32_t from, n;

		if (p == NULL && store_seg_free(g, i))
			continue;
		if (p == NULL)
			return false;
		if (!(p->flags & STORE_LAST) || p->flags & STORE_LOST)
			continue;
		from = store_seg_batch(g, i);
		if (from == STORE_NO_SLOT)
			return false;
		for (; g->sealed == NULL && from <= i; from++) {
			p = store_seg_slot(g, from);
			if (store_seg_frame(g, p) == NULL)
				return false;
			if ((p->type == STORE_FRAME_V ||
				p->type == STORE_FRAME_T) &&
			    (store_seg_layout(g, p->ref, &n) == NULL ||
				!store_seg_row(p, n)))
				return false;
		}
	}
	return true;
}

bool
store_seg_x(
    const struct store_slot *slot, const void *frame, struct store_xview *x)
{
	const struct store_x *h = frame;
	uint64_t need = sizeof(*h);
	bool order = (slot->flags & STORE_ORDER) != 0;

	if (slot->len < need)
		return false;
	x->nser = h->nser;
	x->n = h->n;
	need += (uint64_t)x->n * (order ? 16 : 12) + (uint64_t)x->nser * 8;
	if (need != slot->len || x->n != slot->n || x->nser > x->n)
		return false;
	x->v = (const uint64_t *)(h + 1);
	x->id = (const uint32_t *)(x->v + x->n);
	x->end = x->id + x->nser;
	x->t = x->end + x->nser;
	x->order = order ? x->t + x->n : NULL;
	for (uint32_t k = 0; k < x->nser; k++)
		if (x->end[k] > x->n ||
		    (k > 0 &&
			(x->end[k] < x->end[k - 1] ||
			    x->id[k] <= x->id[k - 1])))
			return false;
	for (uint32_t k = 0; order && k < x->n; k++)
		if (x->order[k] >= x->n)
			return false;
	return x->n == 0 || (x->nser > 0 && x->end[x->nser - 1] == x->n);
}

bool
store_seg_comment(const struct store_slot *slot, const uint8_t *frame,
    size_t *at, struct store_comment *c, str *text)
{
	if (*at > slot->len || slot->len - *at < sizeof(*c))
		return false;
	memcpy(c, frame + *at, sizeof(*c));
	*at += sizeof(*c);
	if (c->len > slot->len - *at)
		return false;
	*text = (str){ (const char *)frame + *at, c->len };
	*at += (c->len + 7u) & ~7u;
	return true;
}
