/*
 * The store as a struct source.  A cursor reads as many series at once as
 * their samples fit a fixed budget, frame by frame in the order of commits, so
 * that each frame is touched once a batch of series and not once a series.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/query.h"

/*
 * Samples held at once, 16 bytes each (a series that has more is read alone):
 * few enough that they stay in the processor's cache, and that memory is used
 * again rather than new.  Frames of loose samples are gone through anew each
 * time, so with them the times must be few.
 */
#define BUDGET ((uint64_t)64 << 10)
#define BUDGET_LOOSE ((uint64_t)1 << 20)

struct source_cursor {
	struct store *s;
	struct store_query q;
	bool labels_only;
	bool *have;      /* labels_only: series that have a sample */
	size_t at;       /* next series to hand out */
	size_t from, to; /* series that are read */
	int64_t *t;
	double *v;
	uint8_t *wins;  /* samples of --replace; NULL if there are none */
	uint64_t *rank; /* when committed, if that is not the order */
	uint64_t turn;  /* of the frame that is read: segment and slot */
	const struct histogram **h; /* the same of histograms */
	struct arena a;             /* they live in */
	size_t cap;
	size_t *off; /* where each read series begins, beside from..to */
	size_t *n;   /* how many it has so far */
	bool *mixed; /* its times do not rise */
	size_t offcap, ncap, mixedcap;
	uint8_t *ok; /* blocks of a frame that were checked */
	size_t okcap;
	struct store_want *col; /* what is wanted of a row, by column */
	size_t colcap;
};

/* What of a run lies in the series that are read. */
static const struct store_want *
wanted(const struct store_plan *p, size_t from, size_t to, size_t *n)
{
	size_t lo = 0, hi = p->nwant, end;

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

/* h is NULL for a float. */
static void
put(struct source_cursor *c, uint32_t series, int64_t t, uint64_t bits,
    const struct histogram *h, bool wins)
{
	size_t k = series - c->from, at = c->off[k] + c->n[k];

	/* Only if the file was damaged since it was planned for. */
	if (c->n[k] == c->q.most[series])
		return;
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

/* Make sure of a frame that is read here and there. */
static const uint8_t *
begin_frame(struct source_cursor *c, const struct store_seg *g,
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
read_row(struct source_cursor *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_slot *p,
    const struct store_plan *plan)
{
	size_t n;
	const struct store_want *w = wanted(plan, c->from, c->to, &n);
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
read_x(struct source_cursor *c, const struct store_qday *d,
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
read_comments(struct source_cursor *c, const struct store_qday *d,
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
		s = store_ids_find(&d->ids, x.id);
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
read_values(struct source_cursor *c, uint32_t series, const double *v,
    uint32_t from, uint32_t to, const int64_t *t)
{
	struct store_cols *x = c->q.cols;
	bool wins = (x->stripe->flags & STORE_REPLACE) != 0;
	uint64_t turn = c->turn;

	for (uint32_t r = from; r < to; r++)
		if (bits_at(v + r) != STORE_ABSENT) {
			c->turn = turn | (uint64_t)x->slot[r];
			put(c, series, t[r], bits_at(v + r), NULL, wins);
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
 * Rows from..to of a column that has no holes go where they are read in one
 * piece; v is room for those that are not wanted.  False: the other way,
 * please.
 */
static bool
read_piece(struct source_cursor *c, const struct store_want *w,
    const int64_t *t, uint32_t from, uint32_t to, double *v)
{
	struct store_cols *x = c->q.cols;
	size_t k = w->series - c->from, at = c->off[k] + c->n[k];
	size_t n = to - from;
	bool whole = n == x->stripe->rows;

	if (store_cols_holes(x, w->col))
		return false;
	if (n > c->q.most[w->series] - c->n[k] ||
	    !store_cols_get(x, w->col, whole ? &c->v[at] : v))
		return true; /* damaged, since it was planned for or before */
	if (c->n[k] > 0 && c->t[at - 1] >= t[from])
		c->mixed[k] = true;
	if (!whole)
		memcpy(&c->v[at], v + from, n * sizeof(*v));
	memcpy(&c->t[at], t + from, n * sizeof(*t));
	if (c->h != NULL)
		memset(&c->h[at], 0, n * sizeof(*c->h));
	c->n[k] += n;
	return true;
}

/* What of a stripe lies in the series that are read. */
static void
read_stripe(struct source_cursor *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_run *run)
{
	size_t n;
	const struct store_want *w = wanted(run->plan, c->from, c->to, &n);
	bool piece = c->wins == NULL && c->rank == NULL;
	uint32_t from = 0, to = 0, first, last;
	struct store_cols *x;
	int64_t t[STORE_SEALED_ROWS];
	double v[STORE_SEALED_ROWS];

	if (c->q.cols == NULL)
		c->q.cols = mem_zero(1, sizeof(*c->q.cols));
	x = c->q.cols;
	if (n == 0 || !store_cols_open(x, g->sealed, run->stripe) ||
	    !next_rows(x, d, &from, &to))
		return;
	first = from;
	last = to;
	piece = piece && !next_rows(x, d, &from, &to);
	for (uint32_t r = 0; r < x->stripe->rows; r++) {
		t[r] = d->d->start + x->t[r];
		piece = piece && (r <= first || r >= last || t[r] > t[r - 1]);
	}
	for (size_t i = 0; i < n; i++) {
		if ((piece && read_piece(c, &w[i], t, first, last, v)) ||
		    !store_cols_get(x, w[i].col, v))
			continue;
		for (from = to = 0; next_rows(x, d, &from, &to);)
			read_values(c, w[i].series, v, from, to, t);
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
	int64_t t[TOGETHER];
	size_t n;
	bool wins;
	bool rising; /* their times do */
};

/* A frame of the run; it is checked once a query. */
static const uint64_t *
frame(const struct store_seg *g, const struct store_slot *p,
    const struct store_run *run, size_t i)
{
	if (run->sound[i])
		return (const uint64_t *)(const void *)store_seg_bytes(g, p);
	run->sound[i] = true;
	return store_seg_frame(g, p);
}

/* The rows from one on that are alike. */
static void
alike(struct rows *x, const struct store_seg *g, const struct store_run *run,
    size_t from, int64_t start)
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
		x->v[x->n] = frame(g, p, run, from + x->n);
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
read_few(
    struct source_cursor *c, const struct store_want *w, const struct rows *x)
{
	for (size_t r = 0; r < x->n; r++)
		if (x->v[r][w->col] != STORE_ABSENT)
			put(c, w->series, x->t[r], x->v[r][w->col], NULL,
			    x->wins);
}

/* A column of which each row has a sample. */
static void
read_full(struct source_cursor *c, uint32_t series, const struct rows *x,
    const uint64_t *v)
{
	size_t k = series - c->from, at = c->off[k] + c->n[k];

	if (x->n > c->q.most[series] - c->n[k])
		return; /* damaged since it was planned for */
	if (c->n[k] > 0 && c->t[at - 1] >= x->t[0])
		c->mixed[k] = true;
	memcpy(&c->t[at], x->t, x->n * sizeof(*x->t));
	memcpy(&c->v[at], v, x->n * sizeof(*v));
	c->n[k] += x->n;
}

/* Some columns, turned from rows to columns on the way. */
static void
read_abreast(struct source_cursor *c, const struct store_want *w, size_t n,
    const struct rows *x)
{
	uint64_t v[ABREAST][TOGETHER];
	bool hole[ABREAST] = { false };

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
		else
			read_full(c, w[k].series, x, v[k]);
}

static int
by_col(const void *a, const void *b)
{
	const struct store_want *x = a, *y = b;

	return (x->col > y->col) - (x->col < y->col);
}

/* The wanted columns in the order in which they lie in a row. */
static const struct store_want *
in_row_order(struct source_cursor *c, const struct store_want *w, size_t n)
{
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = w[i - 1].col < w[i].col;
	if (sorted)
		return w;
	c->col = mem_grow(c->col, &c->colcap, n, sizeof(*c->col));
	memcpy(c->col, w, n * sizeof(*w));
	qsort(c->col, n, sizeof(*c->col), by_col);
	return c->col;
}

/*
 * Rows of one run, some columns over some rows at a time, so that what is read
 * and what is written lies together.
 */
static void
read_rows(struct source_cursor *c, const struct store_qday *d,
    const struct store_seg *g, const struct store_run *run)
{
	size_t nwant;
	const struct store_want *w = wanted(run->plan, c->from, c->to, &nwant);
	bool many = nwant * 64 >= run->plan->n;
	bool plain = c->wins == NULL && c->h == NULL;
	struct rows x;

	if (many)
		w = in_row_order(c, w, nwant);
	for (size_t i = 0; i < run->n; i += x.n) {
		const struct store_slot *p;

		x.n = 0;
		if (many)
			alike(&x, g, run, i, d->d->start);
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

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* All frames of a segment that concern what is read, in commit order. */
static void
read_segment(struct source_cursor *c, const struct store_qday *d,
    const struct store_qseg *g)
{
	uint64_t *order = NULL;
	size_t n = 0, cap = 0, runs = 0;

	for (size_t r = 0; r < g->n; r++) {
		const struct store_run *run = &g->run[r];
		size_t some = 1;

		if (run->plan != NULL)
			wanted(run->plan, c->from, c->to, &some);
		if (some == 0 || run->n == 0)
			continue;
		if (run->plan != NULL && run->sealed) {
			read_stripe(c, d, g->seg, run);
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

/* Choose and read the next series. */
static void
read_some(struct source_cursor *c)
{
	const struct store_query *q = &c->q;
	uint64_t sum = 0, budget = q->loose ? BUDGET_LOOSE : BUDGET;
	size_t k;

	c->from = c->at;
	for (c->to = c->from; c->to < q->n &&
	     (c->to == c->from || sum + q->most[c->to] <= budget);
	     c->to++)
		sum += q->most[c->to];
	k = c->to - c->from;
	c->off = mem_grow(c->off, &c->offcap, k, sizeof(*c->off));
	c->n = mem_grow(c->n, &c->ncap, k, sizeof(*c->n));
	memset(c->n, 0, k * sizeof(*c->n));
	c->mixed = mem_grow(c->mixed, &c->mixedcap, k, sizeof(*c->mixed));
	memset(c->mixed, 0, k * sizeof(*c->mixed));
	if (sum > c->cap) {
		free(c->t);
		free(c->v);
		free(c->wins);
		free(c->h);
		free(c->rank);
		c->cap = (size_t)sum;
		c->t = mem_alloc(c->cap * sizeof(*c->t));
		c->v = mem_alloc(c->cap * sizeof(*c->v));
		c->wins = q->replace ? mem_alloc(c->cap) : NULL;
		c->rank =
		    q->ranks ? mem_alloc(c->cap * sizeof(*c->rank)) : NULL;
		c->h = q->histograms ? mem_zero(c->cap, sizeof(*c->h)) : NULL;
	}
	arena_reset(&c->a);
	sum = 0;
	for (size_t i = 0; i < k; i++) {
		c->off[i] = (size_t)sum;
		sum += q->most[c->from + i];
	}
	c->turn = 0;
	for (size_t i = 0; i < q->nday; i++)
		for (size_t g = 0; g < q->day[i].nseg; g++) {
			read_segment(c, &q->day[i], &q->day[i].seg[g]);
			c->turn = ((c->turn >> 32) + 1) << 32;
		}
}

struct sample {
	int64_t t;
	uint64_t rank;
	double v;
	const struct histogram *h;
};

static int
by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Strictly rising: sorted, and of one time the first that was committed. */
static size_t
merge(struct source_cursor *c, size_t at, size_t n)
{
	const struct histogram **h = c->h != NULL ? c->h + at : NULL;
	const uint64_t middle = UINT64_C(1) << 63;
	int64_t *t = c->t + at;
	double *v = c->v + at;
	struct sample *s;
	size_t k = 0;

	s = mem_alloc(n * sizeof(*s));
	for (size_t i = 0; i < n; i++) {
		uint64_t rank = c->rank != NULL ? c->rank[at + i] : i;
		bool wins = c->wins != NULL && c->wins[at + i];

		/* The last that replaces comes before the first of all. */
		rank = wins ? middle - 1 - rank : middle + rank;
		s[i] = (struct sample){ t[i], rank, v[i],
			h != NULL ? h[i] : NULL };
	}
	qsort(s, n, sizeof(*s), by_time);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || s[i].t != s[i - 1].t) {
			t[k] = s[i].t;
			if (h != NULL)
				h[k] = s[i].h;
			v[k++] = s[i].v;
		}
	free(s);
	return k;
}

static void
cursor_close(struct source_cursor *c)
{
	c->s->readers--;
	store_query_fini(&c->q);
	free(c->have);
	free(c->t);
	free(c->v);
	free(c->wins);
	free(c->rank);
	free(c->h);
	arena_fini(&c->a);
	free(c->mixed);
	free(c->off);
	free(c->n);
	free(c->ok);
	free(c->col);
	free(c);
}

static struct source_cursor *
cursor_open(void *self, const struct source_query *sq, struct error *e)
{
	struct source_cursor *c = mem_zero(1, sizeof(*c));
	struct store *s = self;

	c->s = s;
	s->readers++;
	c->labels_only = sq->labels_only;
	if (store_query_init(&c->q, s, sq, e) == -1) {
		error_add(e, "%s", s->path);
		cursor_close(c);
		return NULL;
	}
	if (c->labels_only) {
		c->have = mem_zero(c->q.n + 1, sizeof(*c->have));
		store_query_seen(&c->q, c->have);
	}
	return c;
}

static int
cursor_next(struct source_cursor *c, struct source_series *out, struct error *e)
{
	(void)e;
	while (c->at < c->q.n) {
		size_t k = c->at;

		*out = (struct source_series){
			.labels = c->q.hit[c->q.first[k]].labels,
		};
		if (c->labels_only) {
			c->at++;
			if (c->have[k])
				return 1;
			continue;
		}
		if (c->q.most[k] == 0) {
			c->at++;
			continue;
		}
		if (k >= c->to)
			read_some(c);
		c->at++;
		k -= c->from;
		out->t = c->t + c->off[k];
		out->v = c->v + c->off[k];
		if (c->h != NULL)
			out->h = c->h + c->off[k];
		out->n = c->mixed[k] ? merge(c, c->off[k], c->n[k]) : c->n[k];
		if (out->n > 0)
			return 1;
	}
	return 0;
}

static int
metadata(void *self,
    void (*each)(void *arg, str metric, str type, str help, str unit),
    void *arg, struct error *e)
{
	struct store *s = self;

	if (store_meta_load(&s->meta, s->fd, s->mode == STORE_WRITE, e) == -1)
		return error_add(e, "%s", s->path);
	store_meta_each(&s->meta, each, arg);
	return 0;
}

static void
hold(void *self, bool on)
{
	struct store *s = self;

	if (on && s->holds++ == 0)
		s->hold++;
	else if (!on)
		s->holds--;
}

static const struct source_ops ops = {
	.open = cursor_open,
	.next = cursor_next,
	.close = cursor_close,
	.metadata = metadata,
	.hold = hold,
};

struct source
store_source(struct store *s)
{
	return (struct source){ &ops, s };
}
