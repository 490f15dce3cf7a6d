#include "store/thin.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/sealed.h"

bool
store_thin_id(const struct store_drop *drop, uint32_t id)
{
	return drop != NULL && store_ids_find(drop->ids, id) != STORE_IDS_NONE;
}

bool
store_thin_time(const struct store_drop *drop, uint32_t ms)
{
	return drop != NULL && ms >= drop->lo && ms <= drop->hi;
}

const uint32_t *
store_thin_layout(const struct store_drop *drop, const uint32_t *ids,
    uint32_t n, struct arena *a)
{
	uint32_t *v = arena_alloc(a, n * sizeof(*v)), there = 0;

	while (there < n && store_thin_id(drop, ids[there]))
		there++;
	if (there == n)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		v[i] = ids[store_thin_id(drop, ids[i]) ? there : i];
	return v;
}

static void
entry(struct buf *b, const void *p, size_t n)
{
	buf_add(b, (str){ p, n });
}

/* Times of a frame may be others now. */
static void
span(struct store_slot *p, uint32_t ms)
{
	if (p->n++ == 0)
		p->tmin = p->tmax = ms;
	p->tmin = ms < p->tmin ? ms : p->tmin;
	p->tmax = ms > p->tmax ? ms : p->tmax;
}

void
store_thin_x(const struct store_drop *drop, struct store_slot *p,
    const struct store_xview *x, struct buf *out)
{
	uint64_t *v = mem_alloc((x->n + (size_t)1) * sizeof(*v));
	uint32_t *u = mem_zero(x->n * (size_t)3 + 1, sizeof(*u));
	uint32_t *t = u, *pos = u + x->n, *rank = u + x->n * (size_t)2;
	uint32_t *id = mem_alloc((x->nser * (size_t)2 + 1) * sizeof(*id));
	uint32_t *end = id + x->nser, nser = 0;
	struct store_x h;

	p->n = 0;
	for (uint32_t k = 0, i = 0; k < x->nser; k++) {
		bool gone = store_thin_id(drop, x->id[k]);
		uint32_t before = p->n;

		for (; i < x->end[k]; i++) {
			if (gone && store_thin_time(drop, x->t[i]))
				continue;
			v[p->n] = x->v[i];
			t[p->n] = x->t[i];
			pos[p->n] = x->order != NULL ? x->order[i] : i;
			rank[pos[p->n]] = 1;
			span(p, x->t[i]);
		}
		if (p->n > before) {
			id[nser] = x->id[k];
			end[nser++] = p->n;
		}
	}
	/* Places in the batch close up. */
	for (uint32_t i = 0, sum = 0; i < x->n; i++) {
		uint32_t there = rank[i];

		rank[i] = sum;
		sum += there;
	}
	for (uint32_t i = 0; i < p->n; i++)
		pos[i] = rank[pos[i]];
	h = (struct store_x){ nser, p->n };
	buf_reset(out);
	entry(out, &h, sizeof(h));
	entry(out, v, p->n * sizeof(*v));
	entry(out, id, nser * sizeof(*id));
	entry(out, end, nser * sizeof(*end));
	entry(out, t, p->n * sizeof(*t));
	if (p->flags & STORE_ORDER)
		entry(out, pos, p->n * sizeof(*pos));
	p->len = (uint32_t)out->n;
	free(id);
	free(u);
	free(v);
}

void
store_thin_t(const struct store_drop *drop, struct store_slot *p,
    const uint32_t *gone, size_t ngone, const void *frame, struct buf *out)
{
	const uint64_t absent = STORE_ABSENT;
	const uint64_t *v;
	const uint32_t *t;
	size_t n = p->len / 12;

	buf_reset(out);
	entry(out, frame, p->len);
	t = (const uint32_t *)(const void *)(out->p + n * 8);
	for (size_t k = 0; k < ngone; k++)
		if (store_thin_time(drop, t[gone[k]]))
			memcpy(out->p + gone[k] * (size_t)8, &absent,
			    sizeof(absent));
	v = (const uint64_t *)(const void *)out->p;
	p->n = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i] != STORE_ABSENT)
			span(p, t[i]);
}

const void *
store_thin_c(const struct store_drop *drop, struct store_slot *p,
    const void *frame, struct buf *out, size_t *left)
{
	struct store_comment c;
	size_t at = 0, from = 0;
	str text;

	*left = 0;
	buf_reset(out);
	for (; store_seg_comment(p, frame, &at, &c, &text); from = at) {
		if (c.kind != STORE_COMMENT_KEYS) {
			if (store_thin_id(drop, c.id) &&
			    store_thin_time(drop, c.t))
				continue;
			++*left;
		}
		entry(out, (const char *)frame + from,
		    sizeof(c) + ((c.len + (size_t)7) & ~(size_t)7));
	}
	if (drop == NULL)
		return frame;
	p->len = (uint32_t)out->n;
	return out->p;
}

/* The samples of each row of a stripe. */
static uint32_t *
count_stripe(struct store_whole *w, const struct store_seg *g, uint32_t k,
    const uint32_t *gone, size_t ngone, uint32_t cols)
{
	uint32_t *n = arena_zero(&w->a, STORE_SEALED_ROWS, sizeof(*n));
	struct store_cols *c = mem_zero(1, sizeof(*c));
	double v[STORE_SEALED_ROWS];
	bool ok = store_cols_open(c, g->sealed, k) && c->n == cols;
	size_t at = 0;

	for (uint32_t col = 0; ok && col < cols; col++) {
		if (at < ngone && gone[at] == col)
			at++;
		else if (store_cols_get(c, col, v))
			for (uint32_t r = 0; r < c->stripe->rows; r++)
				n[r] += num_bits(v[r]) != STORE_ABSENT;
	}
	store_cols_fini(c);
	free(c);
	return n;
}

uint32_t
store_thin_count(struct store_whole *w, const struct store_seg *g, uint32_t seg,
    const struct store_slot *p, const uint32_t *gone, size_t ngone,
    uint32_t cols)
{
	uint32_t key[2] = { seg, (uint32_t)(p->off >> 32) }, n = 0;
	str k = { (const char *)key, sizeof(key) };
	const uint64_t *v;
	struct map_slot *m;
	size_t at = 0;

	if (g->sealed != NULL) {
		m = map_find(&w->stripes, k);
		if (m == NULL) {
			m = map_add(&w->stripes, arena_dup(&w->a, k), NULL);
			m->v.p = count_stripe(w, g, key[1], gone, ngone, cols);
		}
		return ((const uint32_t *)m->v.p)[p->off & UINT32_MAX];
	}
	v = store_seg_frame(g, p);
	for (uint32_t c = 0; v != NULL && c < cols; c++)
		if (at < ngone && gone[at] == c)
			at++;
		else
			n += v[c] != STORE_ABSENT;
	return n;
}

void
store_thin_fini(struct store_whole *w)
{
	map_fini(&w->stripes);
	arena_fini(&w->a);
}
