#include "store/beaten.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/sealed.h"

#define NONE UINT64_MAX

/* Called for each sample of a frame. */
typedef void each_sample(void *arg, uint32_t id, uint32_t ms);

uint64_t
store_rank(uint64_t turn, bool replaces)
{
	const uint64_t middle = UINT64_C(1) << 63;

	/* The last that replaces comes before the first of all. */
	return replaces ? middle - 1 - turn : middle + turn;
}

static void
widen(struct store_beaten *b, size_t i, uint32_t lo, uint32_t hi)
{
	struct store_beaten_span *s = &b->span[i];

	b->any = true;
	s->lo = lo < s->lo ? lo : s->lo;
	s->hi = hi > s->hi ? hi : s->hi;
}

static void
look_part(struct store_beaten *b, size_t i, uint32_t lo, uint32_t hi)
{
	struct store_sealed *x = b->d->seg[i]->sealed;
	const struct store_sealed_head *h = store_sealed_head(x);

	for (uint32_t k = 0; k < h->nstripes; k++) {
		const struct store_stripe *s = store_sealed_stripe(x, k);

		if (s->flags & STORE_REPLACE && s->tmin <= hi && s->tmax >= lo)
			widen(b, i, s->tmin, s->tmax);
	}
	for (uint32_t k = 0; k < h->nothers; k++) {
		const struct store_sealed_other *o = store_sealed_other(x, k);
		const struct store_slot *p;

		if (o->tmin > hi || o->tmax < lo)
			continue;
		p = store_sealed_slot(x, o->slot);
		if (p != NULL && p->flags & STORE_REPLACE)
			widen(b, i, p->tmin, p->tmax);
	}
}

static void
look(struct store_beaten *b, size_t i, uint32_t lo, uint32_t hi)
{
	const struct store_seg *g = b->d->seg[i];
	uint32_t k = 0, last;

	for (; (k = store_seg_next(g, k, lo, hi, &last)) != STORE_NO_SLOT;
	     k++) {
		const struct store_slot *p = store_seg_slot(g, k);

		if (p != NULL && p->flags & STORE_REPLACE)
			widen(b, i, p->tmin, p->tmax);
	}
}

void
store_beaten_day(
    struct store_beaten *b, const struct store_day *d, uint32_t lo, uint32_t hi)
{
	store_beaten_reset(b);
	free(b->span);
	b->d = d;
	b->any = false;
	b->span = mem_zero(d->n + 1, sizeof(*b->span));
	for (size_t i = 0; i < d->n; i++) {
		b->span[i].lo = UINT32_MAX;
		if (store_seg_high(d->seg[i]) < (int64_t)lo)
			continue;
		if (d->seg[i]->sealed != NULL)
			look_part(b, i, lo, hi);
		else
			look(b, i, lo, hi);
	}
}

void
store_beaten_fini(struct store_beaten *b)
{
	free(b->span);
	free(b->v);
	store_ids_fini(&b->first);
}

void
store_beaten_reset(struct store_beaten *b)
{
	b->n = 0;
}

static void
in_row(const struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p, each_sample *each, void *arg)
{
	uint32_t n;
	const uint32_t *id = store_seg_layout(g, p->ref, &n);
	const uint64_t *v = store_seg_frame(g, p);
	const uint32_t *t = NULL;

	if (id == NULL || v == NULL || !store_seg_row(p, n))
		return;
	/* The rule of a log that was cut: see query.c. */
	for (uint32_t i = 0; i < n; i++)
		if (!store_dict_has(&b->d->dict, id[i]))
			return;
	if (p->type == STORE_FRAME_T)
		t = (const uint32_t *)(v + n);
	for (uint32_t i = 0; i < n; i++)
		if (v[i] != STORE_ABSENT)
			each(arg, id[i], t != NULL ? t[i] : p->tmin);
}

static void
in_x(const struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p, each_sample *each, void *arg)
{
	const void *frame = store_seg_frame(g, p);
	struct store_xview x;

	if (frame == NULL || !store_seg_x(p, frame, &x) || x.nser == 0 ||
	    !store_dict_has(&b->d->dict, x.id[x.nser - 1]))
		return;
	for (uint32_t k = 0, i = 0; k < x.nser; k++)
		for (; i < x.end[k]; i++)
			each(arg, x.id[k], x.t[i]);
}

/* Histograms, which are samples too. */
static void
in_comments(const struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p, each_sample *each, void *arg)
{
	const uint8_t *frame = store_seg_frame(g, p);
	struct store_comment c;
	size_t at = 0;
	str text;

	while (frame != NULL && store_seg_comment(p, frame, &at, &c, &text))
		if (c.kind == STORE_COMMENT_HIST &&
		    store_dict_has(&b->d->dict, c.id))
			each(arg, c.id, c.t);
}

static void
in_frame(const struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p, each_sample *each, void *arg)
{
	if (p->type == STORE_FRAME_V || p->type == STORE_FRAME_T)
		in_row(b, g, p, each, arg);
	else if (p->type == STORE_FRAME_X)
		in_x(b, g, p, each, arg);
	else if (p->type == STORE_FRAME_C)
		in_comments(b, g, p, each, arg);
}

static void
ask(void *arg, uint32_t id, uint32_t ms)
{
	struct store_beaten *b = arg;

	b->v = mem_grow(b->v, &b->cap, b->n + 1, sizeof(*b->v));
	b->v[b->n++] =
	    (struct store_beaten_ask){ (uint64_t)id << 32 | ms, NONE };
}

void
store_beaten_add(struct store_beaten *b, const struct store_seg *g,
    const struct store_slot *p)
{
	bool may = false;

	for (size_t i = 0; b->any && i < b->d->n && !may; i++)
		may = p->tmin <= b->span[i].hi && p->tmax >= b->span[i].lo;
	if (may)
		in_frame(b, g, p, ask, b);
}

static int
by_key(const void *a, const void *b)
{
	const struct store_beaten_ask *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* What was asked about a sample; NULL: nothing. */
static struct store_beaten_ask *
asked(const struct store_beaten *b, uint32_t id, uint32_t ms)
{
	uint32_t first = store_ids_find(&b->first, id);
	uint64_t key = (uint64_t)id << 32 | ms;
	size_t lo = first, hi = b->n, step = 1;

	if (first == STORE_IDS_NONE)
		return NULL;
	/* Those of one id are mostly few. */
	while (lo + step < hi && b->v[lo + step].key <= key) {
		lo += step;
		step *= 2;
	}
	if (lo + step < hi)
		hi = lo + step;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->v[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && b->v[lo].key == key ? &b->v[lo] : NULL;
}

struct found {
	struct store_beaten *b;
	uint64_t rank;
};

static void
found(void *arg, uint32_t id, uint32_t ms)
{
	const struct found *f = arg;
	struct store_beaten_ask *a = asked(f->b, id, ms);

	if (a != NULL && f->rank < a->best)
		a->best = f->rank;
}

static uint64_t
turn(size_t seg, uint32_t slot)
{
	return (uint64_t)seg << 32 | slot;
}

/* What of a segment replaces any that was asked about, at lo..hi. */
static void
find(struct store_beaten *b, size_t i, uint32_t lo, uint32_t hi)
{
	const struct store_seg *g = b->d->seg[i];
	uint32_t k = 0, last;

	lo = b->span[i].lo > lo ? b->span[i].lo : lo;
	hi = b->span[i].hi < hi ? b->span[i].hi : hi;
	if (lo > hi)
		return;
	for (; (k = store_seg_next(g, k, lo, hi, &last)) != STORE_NO_SLOT;
	     k++) {
		const struct store_slot *p = store_seg_slot(g, k);
		struct found f = { b, store_rank(turn(i, k), true) };

		if (p != NULL && p->flags & STORE_REPLACE)
			in_frame(b, g, p, found, &f);
	}
}

void
store_beaten_find(struct store_beaten *b)
{
	uint32_t lo = UINT32_MAX, hi = 0;
	size_t n = 0;

	if (b->n == 0)
		return;
	qsort(b->v, b->n, sizeof(*b->v), by_key);
	for (size_t i = 0; i < b->n; i++)
		if (i == 0 || b->v[i].key != b->v[n - 1].key)
			b->v[n++] = b->v[i];
	b->n = n;
	store_ids_reset(&b->first, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t id = (uint32_t)(b->v[i].key >> 32);
		uint32_t ms = (uint32_t)b->v[i].key;

		if (i == 0 || id != (uint32_t)(b->v[i - 1].key >> 32))
			store_ids_add(&b->first, id, (uint32_t)i);
		lo = ms < lo ? ms : lo;
		hi = ms > hi ? ms : hi;
	}
	for (size_t i = 0; i < b->d->n; i++)
		find(b, i, lo, hi);
}

bool
store_beaten(const struct store_beaten *b, uint32_t id, uint32_t ms,
    uint32_t seg, uint32_t slot, bool replaces)
{
	const struct store_beaten_ask *a = b->n == 0 ? NULL : asked(b, id, ms);

	return a != NULL && a->best < store_rank(turn(seg, slot), replaces);
}
