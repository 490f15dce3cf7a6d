/*
 * What a day already has: a sample that is appended again is dropped, so that
 * an import may be repeated, and one with another value is counted.  Only
 * frames whose times overlap are looked into, and only for samples that are
 * not newer than what is there, so an ordinary scrape pays nothing.
 */
#include "store/writer.h"

#include <stdlib.h>

#include "base/mem.h"

int64_t
store_wsource_high(const struct store_wsource *src, const struct store_wday *d)
{
	return src->high_known && src->key.n > 0 ? (int64_t)src->high
						 : store_wday_high(d);
}

struct search {
	struct store_item *v; /* by id, ms */
	size_t n;
	struct store_ids first; /* id to its first item in v */
	uint64_t *have;         /* the value that counts, beside v */
	bool *found;
	uint32_t lo, hi; /* times asked for */
};

static void
one(struct search *q, size_t i, uint32_t id, uint32_t ms, uint64_t bits,
    bool replace)
{
	for (; i < q->n && q->v[i].id == id && q->v[i].ms <= ms; i++) {
		if (q->v[i].ms != ms || (q->found[i] && !replace))
			continue;
		q->found[i] = true;
		q->have[i] = bits;
	}
}

static void
in_row(struct search *q, const struct store_seg *g, const struct store_slot *p)
{
	uint32_t cols;
	const uint32_t *id = store_seg_layout(g, p->ref, &cols);
	const uint64_t *v = store_seg_frame(g, p);
	const uint32_t *t = NULL;

	if (id == NULL || v == NULL || !store_seg_row(p, cols))
		return;
	if (p->type == STORE_FRAME_T)
		t = (const uint32_t *)(v + cols);
	for (uint32_t i = 0; i < cols; i++) {
		uint32_t k = v[i] == STORE_ABSENT
		    ? STORE_IDS_NONE
		    : store_ids_find(&q->first, id[i]);

		if (k != STORE_IDS_NONE)
			one(q, k, id[i], t != NULL ? t[i] : p->tmin, v[i],
			    (p->flags & STORE_REPLACE) != 0);
	}
}

static void
in_x(struct search *q, const struct store_seg *g, const struct store_slot *p)
{
	const void *frame = store_seg_frame(g, p);
	struct store_xview x;

	if (frame == NULL || !store_seg_x(p, frame, &x))
		return;
	for (uint32_t k = 0, i = 0; k < x.nser; k++) {
		uint32_t at = store_ids_find(&q->first, x.id[k]);

		if (at != STORE_IDS_NONE)
			for (; i < x.end[k]; i++) {
				/* Both rise: go on where the last one was. */
				while (at < q->n && q->v[at].id == x.id[k] &&
				    q->v[at].ms < x.t[i])
					at++;
				one(q, at, x.id[k], x.t[i], x.v[i],
				    (p->flags & STORE_REPLACE) != 0);
			}
		i = x.end[k];
	}
}

static void
in_segment(struct search *q, const struct store_seg *g)
{
	uint32_t i = 0, last;

	if (store_seg_high(g) < (int64_t)q->lo)
		return;
	for (; (i = store_seg_next(g, i, q->lo, q->hi, &last)) != STORE_NO_SLOT;
	     i++) {
		const struct store_slot *p = store_seg_slot(g, i);

		if (p->type == STORE_FRAME_X)
			in_x(q, g, p);
		else if (p->type != STORE_FRAME_C)
			in_row(q, g, p);
	}
}

/* Items of v that may be there already, as a search; false if none may. */
static bool
begin(struct search *q, const struct store_wsource *src,
    const struct store_wday *d, struct store_item *v, size_t n)
{
	uint64_t fresh = d->dict.log.end / 8;
	int64_t high = store_wsource_high(src, d);
	size_t may = 0;

	q->lo = UINT32_MAX;
	q->hi = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].id < fresh && v[i].ms <= high) {
			may++;
			if (v[i].ms < q->lo)
				q->lo = v[i].ms;
			if (v[i].ms > q->hi)
				q->hi = v[i].ms;
		}
	if (may == 0)
		return false;
	q->v = v;
	q->n = n;
	store_ids_reset(&q->first, may);
	for (size_t i = 0; i < n; i++)
		if (v[i].id < fresh && v[i].ms <= high)
			store_ids_add(&q->first, v[i].id, (uint32_t)i);
	q->have = mem_zero(n, sizeof(*q->have));
	q->found = mem_zero(n, sizeof(*q->found));
	return true;
}

int
store_known(struct store *s, struct store_wsource *src, struct store_wday *d,
    struct store_item *v, size_t *n, bool replace, struct store_counts *c,
    struct error *e)
{
	struct search q = { .n = 0 };
	size_t k = 0;
	int rc;

	if (!begin(&q, src, d, v, *n))
		return 0;
	rc = store_day_use(s, &d->old, e);
	for (size_t i = 0; rc == 0 && i < d->old.n; i++)
		in_segment(&q, d->old.seg[i]);
	for (size_t i = 0; rc == 0 && i < *n; i++) {
		if (q.found[i] && q.have[i] == v[i].bits) {
			c->duplicates++;
			continue;
		}
		if (q.found[i])
			c->conflicts++;
		if (!q.found[i] || replace)
			v[k++] = v[i];
	}
	if (rc == 0)
		*n = k;
	store_ids_fini(&q.first);
	free(q.have);
	free(q.found);
	return rc;
}

/*
 * What makes a comment one that is there already: of a histogram series and
 * time, of the others all they say.
 */
static str
comment_key(const struct store_comment *c, const char *p)
{
	size_t n = offsetof(struct store_comment, len);

	if (c->kind != STORE_COMMENT_HIST)
		n = sizeof(*c) + c->len;
	return (str){ p, n };
}

/* A comment that is looked for. */
struct wanted {
	bool found;
	uint64_t have; /* the text that counts, as a hash */
	size_t n;      /* how often it came in the batch so far */
};

static void
in_comments(
    struct map *want, const struct store_seg *g, const struct store_slot *p)
{
	const uint8_t *frame = store_seg_frame(g, p);
	struct store_comment c;
	size_t at = 0, from = 0;
	str text;

	for (; frame != NULL && store_seg_comment(p, frame, &at, &c, &text);
	     from = at) {
		const struct map_slot *m =
		    map_find(want, comment_key(&c, (const char *)frame + from));
		struct wanted *w = m == NULL ? NULL : m->v.p;

		if (w == NULL || (w->found && !(p->flags & STORE_REPLACE)))
			continue;
		w->found = true;
		w->have = str_hash(text);
	}
}

static void
find_comments(
    struct map *want, const struct store_wday *d, uint32_t lo, uint32_t hi)
{
	for (size_t k = 0; k < d->old.n; k++) {
		const struct store_seg *g = d->old.seg[k];
		uint32_t i = 0, last;

		if (store_seg_high(g) < (int64_t)lo)
			continue;
		for (;
		     (i = store_seg_next(g, i, lo, hi, &last)) != STORE_NO_SLOT;
		     i++) {
			const struct store_slot *p = store_seg_slot(g, i);

			if (p->type == STORE_FRAME_C)
				in_comments(want, g, p);
		}
	}
}

/* Is a comment to be left out? */
static bool
known_comment(struct wanted *w, str text, bool replace, struct store_counts *n)
{
	uint64_t hash = str_hash(text);

	if (w->n++ > 0 || (w->found && w->have == hash)) {
		/* Twice in the batch, or there. */
		if (w->have != hash)
			n->conflicts++;
		return true;
	}
	if (w->found)
		n->conflicts++;
	if (w->found && !replace)
		return true;
	w->have = hash;
	return false;
}

int
store_known_comments(struct store *s, const struct store_wsource *src,
    struct store_wday *d, struct buf *b, bool replace, struct store_counts *n,
    struct error *e)
{
	struct store_slot all = { .len = (uint32_t)b->n };
	uint32_t lo = UINT32_MAX, hi = 0;
	struct map want = { .n = 0 };
	struct arena a = { NULL, NULL, NULL };
	struct store_comment c;
	size_t at, from, k = 0;
	str text;
	int rc = 0;

	for (at = from = 0;
	     store_seg_comment(&all, (const uint8_t *)b->p, &at, &c, &text);
	     from = at) {
		struct map_slot *m = map_add(
		    &want, arena_dup(&a, comment_key(&c, b->p + from)), NULL);

		if (m->v.p == NULL)
			m->v.p = arena_new(&a, struct wanted);
		lo = c.t < lo ? c.t : lo;
		hi = c.t > hi ? c.t : hi;
	}
	if ((int64_t)lo <= store_wsource_high(src, d)) {
		rc = store_day_use(s, &d->old, e);
		if (rc == 0)
			find_comments(&want, d, lo, hi);
	}
	for (at = from = 0; rc == 0 &&
	     store_seg_comment(&all, (const uint8_t *)b->p, &at, &c, &text);
	     from = at) {
		struct map_slot *m =
		    map_find(&want, comment_key(&c, b->p + from));

		if (known_comment(m->v.p, text, replace, n))
			continue;
		memmove(b->p + k, b->p + from, at - from);
		k += at - from;
	}
	if (rc == 0)
		b->n = k;
	map_fini(&want);
	arena_fini(&a);
	return rc;
}
