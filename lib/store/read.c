/*
 * Frames and stripes to columns of samples.
 */
#include "store/read.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

/*
 * Samples held at once (a series that has more is read alone): of stripes as
 * few as the processor's cache keeps; of frames, which are gone through anew
 * each time, more.
 */
#define BUDGET ((uint64_t)96 << 10)
#define BUDGET_FRAMES ((uint64_t)1 << 20)

/* What of a run lies in the series that are read. */
static const struct store_want *
wanted(const struct store_read *c, struct store_plan *p, size_t *n)
{
	size_t lo = 0, hi = p->nwant, from = c->from, to = c->to, end;

	*n = p->nwant;
	if (from == 0 && to == c->q.n)
		return p->want;
	if (!p->by_series)
		store_want_sort(p->want, p->nwant, true);
	p->by_series = true;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->want[mid].series < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < p->nwant && p->want[end].series < to; end++)
		;
	*n = end - lo;
	return p->want + lo;
}

int64_t *
store_read_times(struct store_read *c, size_t k)
{
	int64_t *t = c->t + c->off[k];

	if (c->same[k] != NULL && c->n[k] > 0)
		memcpy(t, c->same[k], c->n[k] * sizeof(*t));
	c->same[k] = NULL;
	return t;
}

/* h is NULL for a float. */
static void
put(struct store_read *c, uint32_t series, int64_t t, uint64_t bits,
    const struct histogram *h, bool wins)
{
	size_t k = series - c->from, at = c->off[k] + c->n[k];

	/* Only if the file was damaged since it was planned for. */
	if (c->n[k] == c->q.most[series])
		return;
	if (c->same[k] != NULL)
		store_read_times(c, k);
	if (c->n[k]++ > 0 && c->t[at - 1] >= t)
		c->mixed[k] = true;
	c->t[at] = t;
	memcpy(&c->v[at], &bits, sizeof(bits));
	if (c->h != NULL)
		c->h[at] = h;
	if (c->wins != NULL)
		c->wins[at] = wins;
	if (c->rank != NULL)
		c->rank[at] = c->turn;
}

/*
 * Room for n values of a series that have the times t, which rise and stay as
 * they are; NULL: there are not to be so many.
 */
static double *
put_piece(struct store_read *c, uint32_t series, const int64_t *t, size_t n)
{
	size_t k = series - c->from, at = c->off[k] + c->n[k];

	if (n > c->q.most[series] - c->n[k])
		return NULL;
	if (c->n[k] > 0) {
		if (c->same[k] != NULL && c->same[k] + c->n[k] != t)
			store_read_times(c, k);
		if ((c->same[k] != NULL ? c->same[k][c->n[k] - 1]
					: c->t[at - 1]) >= t[0])
			c->mixed[k] = true;
		if (c->same[k] == NULL)
			memcpy(&c->t[at], t, n * sizeof(*t));
	} else
		c->same[k] = t;
	if (c->h != NULL)
		memset(&c->h[at], 0, n * sizeof(*c->h));
	c->n[k] += n;
	return &c->v[at];
}

/* Make sure of a frame that is read here and there. */
static const uint8_t *
begin_frame(struct store_read *c, const struct store_seg *g,
    const struct store_slot *p, size_t nwant, bool *whole)
{
	size_t nb = p->len / CRC32C_BLOCK + 1;

	*whole = nwant * 16 * 8 >= p->len;
	if (*whole)
		return store_seg_frame(g, p);
	c->ok = mem_grow(c->ok, &c->okcap, nb, 1);
	memset(c->ok, 0, nb);
	return store_seg_bytes(g, p);
}

static void
read_row(struct store_read *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_slot *p,
    struct store_plan *plan)
{
	size_t n;
	const struct store_want *w = wanted(c, plan, &n);
	bool whole, wins = (p->flags & STORE_REPLACE) != 0;
	const uint8_t *q = begin_frame(c, g, p, n, &whole);
	const uint64_t *v = (const uint64_t *)(const void *)q;
	const uint32_t *t = NULL;

	if (q == NULL)
		return;
	if (p->type == STORE_FRAME_T)
		t = (const uint32_t *)(v + plan->n);
	for (size_t i = 0; i < n; i++) {
		uint32_t ms = p->tmin;
		size_t col = w[i].col;

		if (!whole &&
		    (!store_seg_block(g, p, col * 8, 8, c->ok) ||
			(t != NULL &&
			    !store_seg_block(g, p,
				(size_t)plan->n * 8 + col * 4, 4, c->ok))))
			continue;
		if (v[col] == STORE_ABSENT)
			continue;
		if (t != NULL) {
			ms = t[col];
			if (ms < d->lo || ms > d->hi)
				continue;
		}
		put(c, w[i].series, d->d->start + ms, v[col], NULL, wins);
	}
}

/* The first of the day's ids that is not below id. */
static size_t
seek(const struct store_want *v, size_t lo, size_t n, uint32_t id)
{
	size_t hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid].col < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
read_x(struct store_read *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_slot *p)
{
	const void *frame = store_seg_frame(g, p);
	bool wins = (p->flags & STORE_REPLACE) != 0;
	struct store_xview x;
	size_t at = 0;

	if (frame == NULL || !store_seg_x(p, frame, &x))
		return;
	for (uint32_t k = 0; k < x.nser; k++) {
		uint32_t i = k > 0 ? x.end[k - 1] : 0;

		at = seek(d->byid, at, d->nids, x.id[k]);
		if (at == d->nids)
			break;
		if (d->byid[at].col != x.id[k] ||
		    d->byid[at].series < c->from || d->byid[at].series >= c->to)
			continue;
		for (; i < x.end[k]; i++)
			if (x.t[i] >= d->lo && x.t[i] <= d->hi)
				put(c, d->byid[at].series, d->d->start + x.t[i],
				    x.v[i], NULL, wins);
	}
}

/* The wanted histograms of a C frame. */
static void
read_comments(struct store_read *c, struct store_qday *d,
    const struct store_seg *g, const struct store_slot *p)
{
	const uint8_t *frame = store_seg_frame(g, p);
	struct store_comment x;
	struct error e;
	size_t at = 0;
	str text;

	while (frame != NULL && store_seg_comment(p, frame, &at, &x, &text)) {
		struct histogram *h;
		uint32_t s;

		if (x.kind != STORE_COMMENT_HIST || x.t < d->lo || x.t > d->hi)
			continue;
		s = store_query_id(d, x.id);
		if (s == STORE_IDS_NONE || s < c->from || s >= c->to)
			continue;
		h = arena_new(&c->a, struct histogram);
		/* The time stands behind it, as in the line it came from. */
		while (text.n > 0 && text.p[text.n - 1] != '}')
			text.n--;
		if (histogram_parse(h, text, &c->a, NULL, &e) == 0)
			put(c, s, d->d->start + x.t, num_bits(h->sum), h,
			    (p->flags & STORE_REPLACE) != 0);
	}
}

static uint64_t
bits_at(const double *v)
{
	uint64_t x;

	memcpy(&x, v, sizeof(x));
	return x;
}

/* Rows from..to of a column of a stripe, one by one. */
static void
read_values(struct store_read *c, uint32_t series, const double *v,
    uint32_t from, uint32_t to, int64_t start)
{
	struct store_cols *x = c->x;
	bool wins = (x->stripe->flags & STORE_REPLACE) != 0;
	uint64_t turn = c->turn;

	for (uint32_t r = from; r < to; r++)
		if (bits_at(v + r) != STORE_ABSENT) {
			c->turn = turn | (uint64_t)x->slot[r];
			put(c, series, start + x->t[r], bits_at(v + r), NULL,
			    wins);
		}
	c->turn = turn;
}

/* The next rows from *to on that lie inside, up to *to; false: none. */
static bool
next_rows(const struct store_cols *x, const struct store_qday *d,
    uint32_t *from, uint32_t *to)
{
	uint32_t r = *to, n = x->stripe->rows;

	while (r < n && (x->t[r] < (int64_t)d->lo || x->t[r] > (int64_t)d->hi))
		r++;
	*from = r;
	while (r < n && x->t[r] >= (int64_t)d->lo && x->t[r] <= (int64_t)d->hi)
		r++;
	*to = r;
	return *from < *to;
}

/*
 * The newest of rows from..to of a column that has one in the range; of those
 * of one time that which counts.
 */
static void
read_newest(struct store_read *c, const struct store_want *w,
    const struct store_qday *d, const double *v)
{
	struct store_cols *x = c->x;
	bool wins = (x->stripe->flags & STORE_REPLACE) != 0;
	uint32_t best = 0, from = 0, to = 0;
	uint64_t turn = c->turn;
	bool any = false;

	while (next_rows(x, d, &from, &to))
		for (uint32_t r = from; r < to; r++)
			if (bits_at(v + r) != STORE_ABSENT &&
			    (!any || x->t[r] > x->t[best] ||
				(wins && x->t[r] == x->t[best]))) {
				best = r;
				any = true;
			}
	if (!any)
		return;
	c->turn = turn | (uint64_t)x->slot[best];
	put(c, w->series, d->d->start + x->t[best], bits_at(v + best), NULL,
	    wins);
	c->turn = turn;
}

/* Rows of a stripe that lie in the day's range, if they are in one piece. */
struct piece {
	uint32_t from, to;
	int64_t *t; /* their times; NULL: not in one piece, or not rising */
};

static void
find_piece(struct store_read *c, const struct store_qday *d, struct piece *p)
{
	const struct store_cols *x = c->x;
	uint32_t from, to;

	from = to = p->to;
	if (next_rows(x, d, &from, &to))
		return;
	for (uint32_t r = p->from + 1; r < p->to; r++)
		if (x->t[r] <= x->t[r - 1])
			return;
	p->t = arena_alloc(&c->a, (p->to - p->from) * sizeof(*p->t));
	for (uint32_t r = p->from; r < p->to; r++)
		p->t[r - p->from] = d->d->start + x->t[r];
}

/* The last row of a piece; false: there is no sample in it. */
static bool
read_last(
    struct store_read *c, const struct store_want *w, const struct piece *p)
{
	struct store_cols *x = c->x;
	uint32_t r = p->to - 1;
	uint64_t turn = c->turn;
	double v;

	if (c->q.any_value && store_cols_numbers(x, w->col))
		v = 0;
	else if (!store_cols_rows(x, w->col, r, 1, &v))
		return true; /* damaged */
	if (bits_at(&v) == STORE_ABSENT)
		return false;
	c->turn = turn | (uint64_t)x->slot[r];
	put(c, w->series, p->t[r - p->from], bits_at(&v), NULL,
	    (x->stripe->flags & STORE_REPLACE) != 0);
	c->turn = turn;
	return true;
}

/*
 * A piece, or the last of it, of a column without holes goes where it is read.
 * False: the other way, please.
 */
static bool
read_piece(
    struct store_read *c, const struct store_want *w, const struct piece *p)
{
	struct store_cols *x = c->x;
	uint32_t n = p->to - p->from;
	double *v;

	if (p->t == NULL)
		return false;
	if (c->q.last)
		return read_last(c, w, p);
	if (c->wins != NULL || c->rank != NULL || store_cols_holes(x, w->col))
		return false;
	v = put_piece(c, w->series, p->t, n);
	/* Damaged, since it was planned for or before. */
	if (v != NULL && !store_cols_rows(x, w->col, p->from, n, v))
		c->n[w->series - c->from] -= n;
	return true;
}

/* The wanted columns in the order in which they lie in a row. */
static const struct store_want *
in_row_order(struct store_read *c, const struct store_want *w, size_t n)
{
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = w[i - 1].col < w[i].col;
	if (sorted)
		return w;
	c->col = mem_grow(c->col, &c->colcap, n, sizeof(*c->col));
	memcpy(c->col, w, n * sizeof(*w));
	store_want_sort(c->col, n, false);
	return c->col;
}

/* What of a stripe lies in the series that are read. */
static void
read_stripe(struct store_read *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_run *run)
{
	size_t n;
	const struct store_want *w = wanted(c, run->plan, &n);
	struct piece p = { 0, 0, NULL };
	struct store_cols *x;
	double v[STORE_SEALED_ROWS];

	c->x = x = store_query_cols(
	    &c->q, g->sealed, run->stripe, c->to - c->from < c->q.n);
	if (x == NULL || !next_rows(x, d, &p.from, &p.to))
		return;
	w = in_row_order(c, w, n);
	find_piece(c, d, &p);
	for (size_t i = 0; i < n; i++) {
		uint32_t from = 0, to = 0;

		if (read_piece(c, &w[i], &p) || !store_cols_get(x, w[i].col, v))
			continue;
		if (c->q.last)
			read_newest(c, &w[i], d, v);
		while (!c->q.last && next_rows(x, d, &from, &to))
			read_values(c, w[i].series, v, from, to, d->d->start);
	}
}

/* Rows that are read together: as many as the cache has lines for. */
#define TOGETHER 64

/* Columns that are read together: what lies in a line of it. */
#define ABREAST 8
#define AHEAD 32 /* fetched before they are needed */

/* Rows of a run that are alike. */
struct rows {
	const uint64_t *v[TOGETHER];
	int64_t *t;
	size_t n;
	bool wins;
	bool rising; /* their times do */
};

/* The columns lo to hi of a frame of the run; they are checked but once. */
static const uint64_t *
frame(const struct store_seg *g, const struct store_run *run, size_t i,
    uint32_t lo, uint32_t hi)
{
	const struct store_slot *p = store_seg_slot(g, run->slot[i]);
	size_t from = (size_t)lo * 8 / CRC32C_BLOCK;
	size_t to = (size_t)hi * 8 / CRC32C_BLOCK;
	const uint8_t *q = store_seg_bytes(g, p);
	uint8_t ok[8], *sound = &g->checked[run->slot[i]];

	if (p->len > 8 * CRC32C_BLOCK) {
		q = *sound != 0 ? q : store_seg_frame(g, p);
		*sound = q != NULL;
		return (const uint64_t *)(const void *)q;
	}
	for (size_t b = from; q != NULL && b <= to && b < 8; b++) {
		ok[b] = *sound >> b & 1;
		if (!store_seg_block(g, p, b * CRC32C_BLOCK, 1, ok))
			return NULL;
		*sound |= (uint8_t)(1 << b);
	}
	return (const uint64_t *)(const void *)q;
}

/* The rows from one on that are alike, their columns lo to hi. */
static void
alike(struct rows *x, const struct store_seg *g, const struct store_run *run,
    size_t from, int64_t start, const uint32_t bound[2])
{
	x->rising = true;
	for (x->n = 0; x->n < TOGETHER && from + x->n < run->n; x->n++) {
		const struct store_slot *p =
		    store_seg_slot(g, run->slot[from + x->n]);
		bool wins;

		if (p == NULL || p->type != STORE_FRAME_V)
			break;
		wins = (p->flags & STORE_REPLACE) != 0;
		if (x->n > 0 && x->wins != wins)
			break;
		x->v[x->n] = frame(g, run, from + x->n, bound[0], bound[1]);
		if (x->v[x->n] == NULL)
			break;
		x->wins = wins;
		x->t[x->n] = start + p->tmin;
		x->rising =
		    x->rising && (x->n == 0 || x->t[x->n] > x->t[x->n - 1]);
	}
}

/* One column, sample by sample. */
static void
read_few(struct store_read *c, const struct store_want *w, const struct rows *x)
{
	for (size_t r = 0; r < x->n; r++)
		if (x->v[r][w->col] != STORE_ABSENT)
			put(c, w->series, x->t[r], x->v[r][w->col], NULL,
			    x->wins);
}

/* Some columns, turned from rows to columns on the way. */
static void
read_abreast(struct store_read *c, const struct store_want *w, size_t n,
    const struct rows *x)
{
	uint64_t v[ABREAST][TOGETHER];
	bool hole[ABREAST] = { false };
	double *to;

	for (size_t r = 0; r < x->n; r++) {
		const uint64_t *row = x->v[r];

		/* Too many streams for the processor to foresee. */
		__builtin_prefetch(row + w[0].col + AHEAD);
		for (size_t k = 0; k < n; k++) {
			v[k][r] = row[w[k].col];
			hole[k] |= v[k][r] == STORE_ABSENT;
		}
	}
	for (size_t k = 0; k < n; k++)
		if (hole[k])
			read_few(c, &w[k], x);
		else if ((to = put_piece(c, w[k].series, x->t, x->n)) != NULL)
			memcpy(to, v[k], x->n * sizeof(*to));
}

/* The first and the last column that is wanted of rows. */
static void
bounds(const struct store_want *w, size_t n, uint32_t bound[2])
{
	bound[0] = UINT32_MAX;
	bound[1] = 0;
	for (size_t i = 0; i < n; i++) {
		if (w[i].col < bound[0])
			bound[0] = w[i].col;
		if (w[i].col > bound[1])
			bound[1] = w[i].col;
	}
}

/*
 * Rows of one run, some columns over some rows at a time, so that what is read
 * and what is written lies together.
 */
static void
read_rows(struct store_read *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_run *run)
{
	size_t nwant;
	const struct store_want *w = wanted(c, run->plan, &nwant);
	bool many = nwant * 64 >= run->plan->n;
	bool plain = c->wins == NULL;
	uint32_t bound[2];
	struct rows x;
	int64_t *t;

	bounds(w, nwant, bound);
	many = many || bound[1] - bound[0] < CRC32C_BLOCK / 8;
	if (many)
		w = in_row_order(c, w, nwant);
	t = arena_alloc(&c->a, (many ? run->n : 1) * sizeof(*t));
	for (size_t i = 0; i < run->n; i += x.n) {
		const struct store_slot *p;

		x.n = 0;
		x.t = t + i;
		if (many)
			alike(&x, g, run, i, d->d->start, bound);
		for (size_t k = 0; x.n > 0 && k < nwant; k += ABREAST)
			if (plain && x.rising)
				read_abreast(c, &w[k],
				    nwant - k < ABREAST ? nwant - k : ABREAST,
				    &x);
			else
				for (size_t j = k; j < nwant && j < k + ABREAST;
				     j++)
					read_few(c, &w[j], &x);
		if (x.n > 0)
			continue;
		x.n = 1;
		p = store_seg_slot(g, run->slot[i]);
		if (p != NULL)
			read_row(c, d, g, p, run->plan);
	}
}

/* Of rows whose times rise, the last that has a sample of each series. */
static void
read_last_rows(struct store_read *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_run *run)
{
	size_t n, left;
	const struct store_want *w = wanted(c, run->plan, &n);
	uint64_t turn = c->turn;
	uint32_t bound[2];

	bounds(w, n, bound);
	c->done = mem_grow(c->done, &c->donecap, n, sizeof(*c->done));
	memset(c->done, 0, n * sizeof(*c->done));
	left = n;
	for (size_t i = run->n; i-- > 0 && left > 0;) {
		const struct store_slot *p = store_seg_slot(g, run->slot[i]);
		const uint64_t *v =
		    p != NULL ? frame(g, run, i, bound[0], bound[1]) : NULL;

		for (size_t k = 0; v != NULL && k < n; k++) {
			if (c->done[k] || v[w[k].col] == STORE_ABSENT)
				continue;
			c->done[k] = true;
			left--;
			c->turn = turn | run->slot[i];
			put(c, w[k].series, d->d->start + p->tmin, v[w[k].col],
			    NULL, (p->flags & STORE_REPLACE) != 0);
		}
	}
	c->turn = turn;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* All frames of a segment that concern what is read, in commit order. */
static void
read_segment(
    struct store_read *c, struct store_qday *d, const struct store_qseg *g)
{
	uint64_t *order = NULL;
	size_t n = 0, cap = 0, runs = 0;

	for (size_t r = 0; r < g->n; r++) {
		const struct store_run *run = &g->run[r];
		size_t some = 1;

		if (run->plan != NULL)
			wanted(c, run->plan, &some);
		if (some == 0 || run->n == 0)
			continue;
		if (run->plan != NULL && run->sealed) {
			read_stripe(c, d, g->seg, run);
			continue;
		}
		if (run->plan != NULL && c->q.last && run->rising) {
			read_last_rows(c, d, g->seg, run);
			continue;
		}
		if (run->plan != NULL && !g->mixed && c->rank == NULL) {
			read_rows(c, d, g->seg, run);
			continue;
		}
		runs++;
		order = mem_grow(order, &cap, n + run->n, sizeof(*order));
		for (size_t i = 0; i < run->n; i++)
			order[n++] = (uint64_t)run->slot[i] << 32 | r;
	}
	if (runs > 1)
		qsort(order, n, sizeof(*order), by_number);
	for (size_t i = 0; i < n; i++) {
		const struct store_run *run = &g->run[order[i] & UINT32_MAX];
		const struct store_slot *p =
		    store_seg_slot(g->seg, (uint32_t)(order[i] >> 32));

		if (p == NULL)
			continue;
		c->turn = (c->turn & ~(uint64_t)UINT32_MAX) | order[i] >> 32;
		if (run->plan != NULL)
			read_row(c, d, g->seg, p, run->plan);
		else if (run->comments)
			read_comments(c, d, g->seg, p);
		else
			read_x(c, d, g->seg, p);
	}
	free(order);
}

/* Room for k series and the samples of all of them. */
static void
make_room(struct store_read *c, size_t k, uint64_t samples)
{
	const struct store_query *q = &c->q;

	c->off = mem_grow(c->off, &c->offcap, k, sizeof(*c->off));
	c->n = mem_grow(c->n, &c->ncap, k, sizeof(*c->n));
	memset(c->n, 0, k * sizeof(*c->n));
	c->same = mem_grow(c->same, &c->samecap, k, sizeof(*c->same));
	memset(c->same, 0, k * sizeof(*c->same));
	c->mixed = mem_grow(c->mixed, &c->mixedcap, k, sizeof(*c->mixed));
	memset(c->mixed, 0, k * sizeof(*c->mixed));
	arena_reset(&c->a);
	if (samples <= c->cap)
		return;
	free(c->t);
	free(c->v);
	free(c->wins);
	free(c->h);
	free(c->rank);
	c->cap = (size_t)samples;
	/* Nearly never needed, and then there are none of its pages. */
	c->t = mem_alloc(c->cap * sizeof(*c->t));
	c->v = mem_alloc(c->cap * sizeof(*c->v));
	c->wins = q->replace ? mem_alloc(c->cap) : NULL;
	c->rank = q->ranks ? mem_alloc(c->cap * sizeof(*c->rank)) : NULL;
	c->h = q->histograms ? mem_zero(c->cap, sizeof(*c->h)) : NULL;
}

void
store_read_some(struct store_read *c, size_t from)
{
	const struct store_query *q = &c->q;
	uint64_t sum = 0, budget = q->framed ? BUDGET_FRAMES : BUDGET;

	c->from = from;
	for (c->to = c->from; c->to < q->n &&
	     (c->to == c->from || sum + q->most[c->to] <= budget);
	     c->to++)
		sum += q->most[c->to];
	make_room(c, c->to - c->from, sum);
	sum = 0;
	for (size_t i = c->from; i < c->to; i++) {
		c->off[i - c->from] = (size_t)sum;
		sum += q->most[i];
	}
	c->turn = 0;
	for (size_t i = 0; i < q->nday; i++)
		for (size_t g = 0; g < q->day[i].nseg; g++) {
			read_segment(c, &q->day[i], &q->day[i].seg[g]);
			c->turn = ((c->turn >> 32) + 1) << 32;
		}
}

void
store_read_fini(struct store_read *c)
{
	store_query_fini(&c->q);
	free(c->t);
	free(c->v);
	free(c->wins);
	free(c->rank);
	free(c->h);
	arena_fini(&c->a);
	free(c->same);
	free(c->mixed);
	free(c->off);
	free(c->n);
	free(c->ok);
	free(c->col);
	free(c->done);
}
