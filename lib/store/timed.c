#include "store/timed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/varint.h"
#include "store/pack.h"
#include "store/sealed.h"

#define SMALL 512 /* bytes of a row that stays as it is */
#define ROWS_MIN 16
#define ROWS_MAX 128
#define BYTES ((size_t)1 << 20) /* of a group, if it has rows enough */
#define COLS_MAX 65536
#define HEAD 8 /* bytes that say "as it was" before each frame */

#define HELD ((size_t)64 << 20) /* of all groups */

struct group {
	uint32_t key[2]; /* source, layout */
	uint32_t block;  /* if it has rows */
	uint32_t cols;
	size_t n, most; /* rows */
	uint64_t *v;    /* row by row */
	uint32_t *t;
	size_t vcap, tcap;
};

void
store_timed_init(struct store_timed *x, uint32_t (*reserve)(void *arg),
    void (*put)(void *arg, uint32_t no, str packed, bool timed), void *arg)
{
	*x = (struct store_timed){
		.reserve = reserve,
		.put = put,
		.arg = arg,
	};
}

bool
store_timed_takes(const struct store_slot *p)
{
	return p->type == STORE_FRAME_T && p->len % 12 == 0 &&
	    p->len >= SMALL && p->len / 12 <= COLS_MAX;
}

static struct group *
find_group(struct store_timed *x, const struct store_slot *p)
{
	uint32_t key[2] = { p->source, p->ref };
	struct map_slot *m =
	    map_find(&x->groups, (str){ (const char *)key, sizeof(key) });
	struct group *g;

	if (m != NULL)
		return m->v.p;
	g = mem_zero(1, sizeof(*g));
	memcpy(g->key, key, sizeof(key));
	g->cols = p->len / 12;
	g->most = BYTES / p->len;
	if (g->most > ROWS_MAX)
		g->most = ROWS_MAX;
	if (g->most < ROWS_MIN)
		g->most = ROWS_MIN;
	map_add(&x->groups, (str){ (const char *)g->key, sizeof(key) }, NULL)
	    ->v.p = g;
	return g;
}

/* Bytes from a frame to the next one. */
static size_t
stride(size_t cols)
{
	return HEAD + (cols * 12 + 7) / 8 * 8;
}

static void
pack(struct buf *b, const struct group *g)
{
	double v[ROWS_MAX];
	int64_t t[ROWS_MAX], before[ROWS_MAX] = { 0 };

	varint_put(b, g->cols);
	varint_put(b, g->n);
	for (size_t c = 0; c < g->cols; c++) {
		for (size_t r = 0; r < g->n; r++) {
			size_t i = r * g->cols + c;
			int64_t ms = g->t[i];

			memcpy(&v[r], &g->v[i], sizeof(v[r]));
			/* What is absent has no time: it changes nothing. */
			t[r] = g->v[i] == STORE_ABSENT ? 0 : ms - before[r];
			before[r] += t[r];
		}
		store_column_put(b, v, g->n);
		store_column_put_ints(b, t, g->n);
	}
}

static void
flush(struct store_timed *x, struct group *g)
{
	buf_reset(&x->packed);
	pack(&x->packed, g);
	x->put(x->arg, g->block, buf_str(&x->packed), true);
	x->held -= g->n * g->cols * 12;
	g->n = 0;
	free(g->v);
	free(g->t);
	g->v = NULL;
	g->t = NULL;
	g->vcap = g->tcap = 0;
}

void
store_timed_flush(struct store_timed *x)
{
	struct map_slot *m = NULL;

	while ((m = map_next(&x->groups, m)) != NULL) {
		struct group *g = m->v.p;

		if (g->n > 0)
			flush(x, g);
	}
}

uint64_t
store_timed_add(
    struct store_timed *x, const struct store_slot *p, const void *frame)
{
	struct group *g = find_group(x, p);
	const uint64_t *v = frame;
	size_t n = g->cols, at = g->n * n;
	uint64_t off;

	if (g->n == 0)
		g->block = x->reserve(x->arg);
	g->v = mem_grow(g->v, &g->vcap, at + n, sizeof(*g->v));
	g->t = mem_grow(g->t, &g->tcap, at + n, sizeof(*g->t));
	memcpy(g->v + at, v, n * sizeof(*v));
	memcpy(g->t + at, v + n, n * sizeof(*g->t));
	x->held += n * 12;
	off = store_sealed_off(g->block, (uint32_t)(g->n++ * stride(n)));
	if (g->n == g->most)
		flush(x, g);
	if (x->held > HELD)
		store_timed_flush(x);
	return off;
}

void
store_timed_fini(struct store_timed *x)
{
	struct map_slot *m = NULL;

	while ((m = map_next(&x->groups, m)) != NULL) {
		struct group *g = m->v.p;

		free(g->v);
		free(g->t);
		free(g);
	}
	map_fini(&x->groups);
	buf_fini(&x->packed);
}

static bool
pass(const uint8_t **p, size_t *len, size_t n)
{
	*p += n;
	*len -= n;
	return n > 0;
}

bool
store_timed_get(const uint8_t *p, size_t len, struct buf *out)
{
	double v[ROWS_MAX];
	int64_t t[ROWS_MAX], before[ROWS_MAX] = { 0 };
	uint64_t cols, n;
	size_t step;
	char *to;

	if (!pass(&p, &len, varint_get(p, len, &cols)) ||
	    !pass(&p, &len, varint_get(p, len, &n)) || n == 0 || n > ROWS_MAX ||
	    cols == 0 || cols > COLS_MAX || cols * 2 > len)
		return false;
	step = stride(cols);
	buf_reset(out);
	to = buf_reserve(out, step * n);
	memset(to, 0, step * n);
	for (size_t c = 0; c < cols; c++) {
		if (!pass(&p, &len, store_column_get(p, len, v, n)) ||
		    !pass(&p, &len, store_column_get_ints(p, len, t, n)))
			return false;
		for (size_t r = 0; r < n; r++) {
			char *frame = to + r * step + HEAD;
			uint32_t ms;

			before[r] =
			    (int64_t)((uint64_t)before[r] + (uint64_t)t[r]);
			ms = (uint32_t)before[r];
			memcpy(frame + c * 8, &v[r], 8);
			memcpy(frame + cols * 8 + c * 4, &ms, 4);
		}
	}
	out->n = step * n;
	return true;
}
