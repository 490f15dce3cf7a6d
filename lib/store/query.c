/*
 * Matching and planning.  A matcher is tried on every label set of the days
 * concerned; nothing is read of frames but their slots and layouts.
 */
#include "store/query.h"

#include <stdlib.h>

#include "base/mem.h"

/* Keys of runs that lie over no layout. */
#define RUN_X UINT32_MAX
#define RUN_C (UINT32_MAX - 1)

static int
by_col(const void *a, const void *b)
{
	const struct store_want *x = a, *y = b;

	return (x->col > y->col) - (x->col < y->col);
}

static int
by_series(const void *a, const void *b)
{
	const struct store_want *x = a, *y = b;

	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return (x->col > y->col) - (x->col < y->col);
}

/* Many, by digits from the lowest on; each pass keeps what was before. */
static void
sort_many(struct store_want *v, size_t n, bool series, uint32_t max)
{
	struct store_want *to = mem_alloc(n * sizeof(*to)), *from = v,
			  *room = to;

	for (unsigned shift = 0; shift < 32 && max >> shift > 0; shift += 11) {
		uint32_t at[2048] = { 0 }, sum = 0;
		struct store_want *swap = from;

#define DIGIT(x) (((series ? (x).series : (x).col) >> shift) & 2047)
		for (size_t i = 0; i < n; i++)
			at[DIGIT(from[i])]++;
		for (size_t i = 0; i < 2048; i++) {
			uint32_t k = at[i];

			at[i] = sum;
			sum += k;
		}
		for (size_t i = 0; i < n; i++)
			to[at[DIGIT(from[i])]++] = from[i];
#undef DIGIT
		from = to;
		to = swap;
	}
	if (from != v)
		memcpy(v, from, n * sizeof(*v));
	free(room);
}

void
store_want_sort(struct store_want *v, size_t n, bool series)
{
	int (*cmp)(const void *, const void *) = series ? by_series : by_col;
	bool unsorted = false;
	uint32_t max = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t k = series ? v[i].series : v[i].col;

		unsorted = unsorted || (i > 0 && cmp(&v[i - 1], &v[i]) > 0);
		max = k > max ? k : max;
	}
	/* The key that is not asked for is in order already, or unheard of. */
	if (unsorted && n >= 512)
		sort_many(v, n, series, max);
	else if (unsorted)
		qsort(v, n, sizeof(*v), cmp);
}

static void
add_hit(struct store_query *q, struct store_hit hit)
{
	q->hit = mem_grow(q->hit, &q->hitcap, q->nhit + 1, sizeof(*q->hit));
	q->hit[q->nhit++] = hit;
}

/* A record that is of a series that matches becomes a hit. */
static void
match_record(struct store_query *q, uint32_t day, uint32_t id, str bytes,
    const struct source_query *sq)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	if (store_dict_split(bytes, v, &ls) && match_all(sq->m, sq->nm, ls))
		add_hit(q,
		    (struct store_hit){
			.bytes = bytes,
			.day = day,
			.id = id,
		    });
}

/*
 * Through the whole log, or what of it is not in the index; must, if not empty,
 * stands in the bytes of every series that can match.
 */
static void
match_log(struct store_query *q, uint32_t day, const struct source_query *sq,
    str must)
{
	const struct store_dict *d = &q->day[day].d->dict;
	const struct store_log *l = &d->log;
	uint64_t off = store_dict_tail(d);
	struct store_rec rec;
	str bytes;

	while (off < l->end && store_log_find(l, &off, &rec, &bytes)) {
		uint32_t id = (uint32_t)(off / 8);

		off = store_log_after(off, &rec);
		if (rec.size >> 24 == STORE_REC_SERIES &&
		    str_find(bytes, must) + must.n <= bytes.n)
			match_record(q, day, id, bytes, sq);
	}
}

static void
match_names(struct store_query *q, uint32_t day, const struct source_query *sq,
    str name)
{
	struct store_day *d = q->day[day].d;
	const struct store_log *l = &d->dict.log;
	const struct store_name *ids =
	    store_names_find(&d->names, &d->dict, name);

	for (size_t i = 0; ids != NULL && i < ids->n; i++) {
		struct store_rec rec;
		str bytes;

		if (store_log_at(l, (uint64_t)ids->id[i] * 8, &rec, &bytes))
			match_record(q, day, ids->id[i], bytes, sq);
	}
}

struct found {
	struct store_query *q;
	uint32_t day;
};

static int
found(void *arg, uint32_t id, uint32_t table, uint32_t row)
{
	const struct found *f = arg;

	add_hit(f->q,
	    (struct store_hit){
		.table = table,
		.row = row,
		.day = f->day,
		.id = id,
	    });
	return 0;
}

static void
match_day(struct store_query *q, uint32_t day, const struct source_query *sq)
{
	const struct store_dict *dict = &q->day[day].d->dict;
	struct found f = { q, day };
	struct buf must = { NULL, 0, 0 };
	str name = { NULL, 0 };

	if (dict->index != NULL)
		store_index_match_rows(dict->index, sq->m, sq->nm, found, &f);
	if (dict->log.end <= store_dict_tail(dict))
		return;
	for (size_t i = 0; i < sq->nm; i++)
		if (sq->m[i].op == MATCH_EQ &&
		    str_eq(sq->m[i].name, LABEL_NAME))
			name = sq->m[i].value;
	if (name.n > 0 && q->day[day].d->names.asked++ > 0) {
		match_names(q, day, sq, name);
		return;
	}
	if (name.n > 0) {
		buf_byte(&must, '\0');
		buf_add(&must, name);
		buf_byte(&must, '\0');
	}
	match_log(q, day, sq, buf_str(&must));
	buf_fini(&must);
}

static int
by_labels(const void *a, const void *b)
{
	const struct store_hit *x = a, *y = b;
	int c = label_cmp(x->labels, y->labels);

	if (c != 0)
		return c;
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* That of labels, too: no byte sorts before the one between them. */
static int
by_bytes(const void *a, const void *b)
{
	const struct store_hit *x = a, *y = b;

	return str_cmp(x->bytes, y->bytes);
}

/* The labels of a hit, in v, or those that are wanted. */
static bool
make_labels(struct store_query *q, const struct store_hit *h, bool all,
    struct label *v, struct labels *out)
{
	const struct store_index_rows *w = &q->rows;
	struct store_index *x = q->day[h->day].d->dict.index;
	size_t n = 0;

	if (h->bytes.p == NULL)
		return store_index_row(x, &q->rows, h->table, h->row, v, out);
	if (!store_dict_split(h->bytes, v, out))
		return false;
	for (size_t i = 0; w->some && !all && i < out->n; i++)
		for (size_t k = 0; k < w->nnames; k++)
			if (str_eq(v[i].name, w->names[k])) {
				v[n++] = v[i];
				break;
			}
	if (w->some && !all)
		out->n = n;
	return true;
}

bool
store_query_labels(struct store_query *q, size_t k,
    struct label v[STORE_LABELS_MAX], struct labels *out)
{
	const struct store_hit *h = &q->hit[q->first[k]];

	if (h->labels.v == NULL)
		return make_labels(q, h, false, v, out);
	*out = h->labels;
	return true;
}

/* All labels of all hits; those whose are damaged go. */
static void
settle(struct store_query *q)
{
	struct store_index_rows rows = q->rows;
	struct label v[STORE_LABELS_MAX];
	uint32_t day = 0;
	size_t n = 0;

	memset(&q->rows, 0, sizeof(q->rows));
	for (size_t i = 0; i < q->nhit; i++) {
		struct store_hit *h = &q->hit[i];
		struct label *copy;

		if (h->day != day)
			q->rows.table = 0;
		day = h->day;
		if (!make_labels(q, h, true, v, &h->labels))
			continue;
		copy = arena_alloc(&q->a, h->labels.n * sizeof(*copy));
		memcpy(copy, v, h->labels.n * sizeof(*copy));
		h->labels.v = copy;
		q->hit[n++] = *h;
	}
	q->nhit = n;
	store_index_rows_fini(&q->rows);
	q->rows = rows;
}

/*
 * The hits into the order of their labels.  Those of one day are all
 * different, and need no labels for it if they are of the index or of the log
 * alone.
 */
static void
order(struct store_query *q)
{
	bool unsorted = false, apart = q->nday == 1;

	if (apart && q->day[0].d->dict.index != NULL)
		apart = q->day[0].d->dict.log.end <=
			store_dict_tail(&q->day[0].d->dict) &&
		    store_index_ordered(q->day[0].d->dict.index);
	if (apart && (q->unordered || q->day[0].d->dict.index != NULL))
		return;
	if (!apart)
		settle(q);
	for (size_t i = 1; i < q->nhit && !unsorted; i++)
		unsorted = (apart ? by_bytes : by_labels)(
			       &q->hit[i - 1], &q->hit[i]) > 0;
	if (unsorted)
		qsort(q->hit, q->nhit, sizeof(*q->hit),
		    apart ? by_bytes : by_labels);
}

/* Hits to series: the same labels on several days are one. */
static void
group(struct store_query *q)
{
	order(q);
	q->first = mem_alloc((q->nhit + 1) * sizeof(*q->first));
	q->most = mem_zero(q->nhit + 1, sizeof(*q->most));
	for (size_t i = 0; i < q->nhit; i++) {
		struct store_hit *h = &q->hit[i];

		if (i == 0 || h->labels.v == NULL ||
		    !label_eq(h[-1].labels, h->labels))
			q->first[q->n++] = (uint32_t)i;
		h->series = (uint32_t)q->n - 1;
		q->day[h->day].nids++;
	}
	q->first[q->n] = (uint32_t)q->nhit;
	for (size_t i = 0; i < q->nday; i++) {
		struct store_qday *d = &q->day[i];

		d->byid = arena_alloc(&q->a, (d->nids + 1) * sizeof(*d->byid));
		d->nids = 0;
	}
	for (size_t i = 0; i < q->nhit; i++) {
		struct store_qday *d = &q->day[q->hit[i].day];

		d->byid[d->nids++] =
		    (struct store_want){ q->hit[i].series, q->hit[i].id };
	}
	for (size_t i = 0; i < q->nday; i++)
		store_want_sort(q->day[i].byid, q->day[i].nids, false);
}

uint32_t
store_query_id(struct store_qday *d, uint32_t id)
{
	if (d->ids.n == 0 && d->nids > 0) {
		store_ids_reset(&d->ids, d->nids);
		for (size_t i = 0; i < d->nids; i++)
			store_ids_add(
			    &d->ids, d->byid[i].col, d->byid[i].series);
	}
	return store_ids_find(&d->ids, id);
}

/* The first of the day's ids from lo on that is not below id. */
static size_t
seek(const struct store_qday *d, size_t lo, uint32_t id)
{
	size_t hi = d->nids;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->byid[mid].col < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The wanted columns, from the layout's side or, if few, from theirs. */
static void
want(struct store_plan *p, struct store_qday *d)
{
	const struct store_layout *l = p->layout;
	bool few = l->rising && d->nids * 16 < l->n;
	size_t at = 0;

	for (size_t i = 0; few && i < d->nids; i++) {
		uint32_t col = store_layout_col(l, d->byid[i].col);

		if (col != UINT32_MAX)
			p->want[p->nwant++] =
			    (struct store_want){ d->byid[i].series, col };
	}
	for (uint32_t i = 0; !few && i < l->n; i++) {
		uint32_t s = STORE_IDS_NONE;

		if (!l->rising)
			s = store_query_id(d, l->ids[i]);
		else {
			/* They lie together, mostly. */
			if (at < d->nids && d->byid[at].col < l->ids[i])
				at++;
			if (at < d->nids && d->byid[at].col < l->ids[i])
				at = seek(d, at, l->ids[i]);
			if (at == d->nids)
				break;
			if (d->byid[at].col == l->ids[i])
				s = d->byid[at].series;
		}
		if (s != STORE_IDS_NONE)
			p->want[p->nwant++] = (struct store_want){ s, i };
	}
}

static struct store_plan *
make_plan(
    struct store_query *q, struct store_qday *d, const struct store_layout *l)
{
	struct store_plan *p = arena_new(&q->a, struct store_plan);
	size_t most = l->rising && d->nids < l->n ? d->nids : l->n;

	p->layout = l;
	p->n = l->n;
	p->want = arena_alloc(&q->a, (most + 1) * sizeof(*p->want));
	/* A cut log: the rows are as if they were not there (see select.c). */
	if (!store_dict_has(&d->d->dict, l->max))
		return p;
	want(p, d);
	return p;
}

/* The plan of a layout; the same ids on the same day share one. */
static struct store_plan *
find_plan(struct store_query *q, struct store_qday *d,
    const struct store_seg *g, uint32_t ref, struct map *plans)
{
	const struct store_layout *l =
	    store_layouts_find(&d->d->layouts, g, ref);
	struct map_slot *m;
	bool fresh;
	str key;

	if (l == NULL)
		return NULL;
	key = arena_dup(&q->a, (str){ (const char *)&l, sizeof(l) });
	m = map_add(plans, key, &fresh);
	if (fresh)
		m->v.p = make_plan(q, d, l);
	return m->v.p;
}

static struct store_run *
add_run(struct store_query *q, struct store_qseg *g, struct store_plan *plan)
{
	g->run = arena_grow(&q->a, g->run, &g->cap, g->n + 1, sizeof(*g->run));
	g->run[g->n] = (struct store_run){ .plan = plan, .rising = true };
	return &g->run[g->n++];
}

static void
add_slot(struct store_query *q, struct store_run *r, uint32_t slot,
    const struct store_slot *p)
{
	r->rising = r->rising && p->type == STORE_FRAME_V &&
	    (r->n == 0 || p->tmin > r->high);
	r->high = p->tmin;
	r->slot =
	    arena_grow(&q->a, r->slot, &r->cap, r->n + 1, sizeof(*r->slot));
	r->slot[r->n++] = slot;
}

/* Does an X frame have any that is wanted?  Counted on the way. */
static bool
count_x(struct store_query *q, struct store_qday *d, const struct store_seg *g,
    const struct store_slot *p)
{
	const void *frame = store_seg_frame(g, p);
	struct store_xview x;
	bool any = false;

	if (frame == NULL || !store_seg_x(p, frame, &x) || x.nser == 0 ||
	    !store_dict_has(&d->d->dict, x.id[x.nser - 1]))
		return false;
	for (uint32_t k = 0; k < x.nser; k++) {
		uint32_t s = store_query_id(d, x.id[k]);

		if (s == STORE_IDS_NONE)
			continue;
		q->most[s] += x.end[k] - (k > 0 ? x.end[k - 1] : 0);
		any = true;
	}
	return any;
}

/* The same of a C frame and the histograms in it. */
static bool
count_comments(struct store_query *q, struct store_qday *d,
    const struct store_seg *g, const struct store_slot *p)
{
	const uint8_t *frame = store_seg_frame(g, p);
	struct store_comment c;
	bool any = false;
	size_t at = 0;
	str text;

	while (frame != NULL && store_seg_comment(p, frame, &at, &c, &text)) {
		uint32_t s = c.kind != STORE_COMMENT_HIST
		    ? STORE_IDS_NONE
		    : store_query_id(d, c.id);

		if (s == STORE_IDS_NONE || !store_dict_has(&d->d->dict, c.id))
			continue;
		q->most[s]++;
		q->histograms = any = true;
	}
	return any;
}

/* Put one frame into its run, if it has anything that is wanted. */
static void
plan_frame(struct store_query *q, struct store_qday *d, struct store_qseg *g,
    uint32_t i, struct store_ids *runs, struct map *plans)
{
	const struct store_slot *p = store_seg_slot(g->seg, i);
	uint32_t key, at;

	if (p->type == STORE_FRAME_X) {
		if (!count_x(q, d, g->seg, p))
			return;
		key = RUN_X;
	} else if (p->type == STORE_FRAME_C) {
		if (!q->wants_histograms || !count_comments(q, d, g->seg, p))
			return;
		key = RUN_C;
	} else if ((p->type == STORE_FRAME_V || p->type == STORE_FRAME_T) &&
	    (g->seg->sealed != NULL || p->ref < g->seg->n))
		key = p->ref + 1;
	else
		return;
	at = store_ids_find(runs, key);
	if (at == STORE_IDS_NONE) {
		struct store_plan *plan = key >= RUN_C
		    ? NULL
		    : find_plan(q, d, g->seg, p->ref, plans);

		if (plan == NULL && key < RUN_C)
			return;
		at = (uint32_t)g->n;
		add_run(q, g, plan)->comments = key == RUN_C;
		store_ids_add(runs, key, at);
	}
	if (g->run[at].plan != NULL &&
	    (g->run[at].plan->nwant == 0 ||
		!store_seg_row(p, g->run[at].plan->n)))
		return;
	add_slot(q, &g->run[at], i, p);
	if (p->flags & STORE_REPLACE)
		q->replace = true;
}

struct store_cols *
store_query_cols(
    struct store_query *q, struct store_sealed *x, uint32_t stripe, bool keep)
{
	struct store_cols **c =
	    &q->cols[keep ? 1 + stripe % STORE_QUERY_COLS : 0];

	if (*c == NULL)
		*c = mem_zero(1, sizeof(**c));
	return store_cols_open(*c, x, stripe) ? *c : NULL;
}

/* The rows of a stripe that lie in the day's range. */
static size_t
rows_inside(struct store_query *q, const struct store_qday *d,
    struct store_sealed *x, uint32_t k)
{
	const struct store_stripe *s = store_sealed_stripe(x, k);
	const struct store_cols *c;
	size_t n = 0;

	if (s->tmin >= d->lo && s->tmax <= d->hi)
		return s->rows;
	c = store_query_cols(q, x, k, false);
	if (c == NULL)
		return 0;
	for (uint32_t r = 0; r < s->rows; r++)
		n += c->t[r] >= (int64_t)d->lo && c->t[r] <= (int64_t)d->hi;
	return n;
}

/* Could a layout of a part have any that is wanted? */
static bool
layout_may(const struct store_qday *d, const struct store_sealed *x, uint32_t k)
{
	uint32_t min, max;
	size_t lo;

	store_sealed_bounds(x, k, &min, &max);
	lo = seek(d, 0, min);
	return lo < d->nids && d->byid[lo].col <= max;
}

/*
 * The stripes of a part that are wanted, by their first slot; last remembers
 * for each series up to which slot there are samples.
 */
static void
plan_stripes(struct store_query *q, struct store_qday *d, struct store_qseg *g,
    struct map *plans)
{
	struct store_sealed *x = g->seg->sealed;
	uint32_t n = store_sealed_head(x)->nstripes;
	uint32_t *last = mem_zero(q->n + 1, sizeof(*last));

	for (uint32_t k = 0; k < n; k++) {
		const struct store_stripe *s = store_sealed_stripe(x, k);
		struct store_plan *p;
		struct store_run *r;
		size_t rows;

		if (s->tmin > d->hi || s->tmax < d->lo ||
		    !layout_may(d, x, s->layout))
			continue;
		p = find_plan(q, d, g->seg, s->layout, plans);
		if (p == NULL || p->nwant == 0)
			continue;
		rows = rows_inside(q, d, x, k);
		if (rows == 0)
			continue;
		r = add_run(q, g, p);
		r->sealed = true;
		r->stripe = k;
		r->n = rows;
		if (s->flags & STORE_REPLACE)
			q->replace = true;
		for (size_t i = 0; i < p->nwant; i++) {
			uint32_t *at = &last[p->want[i].series];

			if (s->first < *at)
				q->ranks = true;
			if (s->last + 1 > *at)
				*at = s->last + 1;
		}
	}
	free(last);
}

static void
plan_others(struct store_query *q, struct store_qday *d, struct store_qseg *g,
    struct store_ids *runs, struct map *plans)
{
	struct store_sealed *x = g->seg->sealed;
	uint32_t n = store_sealed_head(x)->nothers;
	size_t before = g->n;

	for (uint32_t k = 0; k < n; k++) {
		const struct store_sealed_other *o = store_sealed_other(x, k);

		if (o->tmin > d->hi || o->tmax < d->lo ||
		    (o->type == STORE_FRAME_C && !q->wants_histograms) ||
		    store_sealed_slot(x, o->slot) == NULL)
			continue;
		plan_frame(q, d, g, o->slot, runs, plans);
	}
	if (g->n > before)
		q->ranks = true;
}

/* Is any series wanted of two runs?  Then it matters which came first. */
static bool
shared(const struct store_query *q, const struct store_qseg *g)
{
	bool *seen = mem_zero(q->n + 1, sizeof(*seen)), twice = false;

	for (size_t r = 0; r < g->n && !twice; r++) {
		const struct store_plan *p = g->run[r].plan;

		twice = p == NULL;
		for (size_t k = 0; !twice && k < p->nwant; k++) {
			twice = seen[p->want[k].series];
			seen[p->want[k].series] = true;
		}
	}
	free(seen);
	return twice;
}

static void
plan_segment(struct store_query *q, struct store_qday *d, struct store_qseg *g,
    struct map *plans)
{
	struct store_ids runs = { NULL, 0, 0 };
	uint32_t i = 0, last;

	if (store_seg_high(g->seg) < (int64_t)d->lo)
		return;

	store_ids_reset(&runs, 64);
	if (g->seg->sealed != NULL) {
		store_sealed_look(g->seg->sealed, d->lo, d->hi);
		plan_stripes(q, d, g, plans);
		plan_others(q, d, g, &runs, plans);
		i = g->seg->n;
	}
	for (; (i = store_seg_next(g->seg, i, d->lo, d->hi, &last)) !=
	     STORE_NO_SLOT;
	     i++)
		plan_frame(q, d, g, i, &runs, plans);
	g->mixed = g->n > 1 && shared(q, g);
	/* Then runs are read in their order, not in that of commits. */
	q->ranks = q->ranks || (q->last && g->mixed);
	for (size_t r = 0; r < g->n; r++) {
		struct store_run *run = &g->run[r];
		const struct store_plan *p = run->plan;
		bool one = q->last && (run->sealed || run->rising);

		q->framed = q->framed || !run->sealed;
		q->loose = q->loose || p == NULL;
		for (size_t k = 0; p != NULL && k < p->nwant; k++)
			q->most[p->want[k].series] += one ? 1 : run->n;
	}
	store_ids_fini(&runs);
}

static void
plan_day(struct store_query *q, struct store_qday *d)
{
	struct map plans;

	if (d->nids == 0)
		return;
	map_init(&plans);
	d->seg = arena_zero(&q->a, d->d->n + 1, sizeof(*d->seg));
	for (size_t i = 0; i < d->d->n; i++) {
		struct store_qseg *g = &d->seg[d->nseg];
		struct store_seg *seg = d->d->seg[i];

		if (seg->sealed == NULL && seg->checked == NULL)
			seg->checked = mem_zero(seg->cap, 1);
		g->seg = seg;
		plan_segment(q, d, g, &plans);
		if (g->n == 0)
			continue;
		d->nseg++;
	}
	map_fini(&plans);
}

/* Is the store held, and was something last looked at since then? */
static bool
held(const struct store *s, uint64_t looked)
{
	return s->holds > 0 && looked == s->hold;
}

/* The days of the range, opened. */
static int
take_days(struct store_query *q, struct store *s, const struct source_query *sq,
    struct error *e)
{
	if (!held(s, s->listed) && store_days(s, e) == -1)
		return -1;
	s->listed = s->hold;
	q->day = mem_zero(s->n + 1, sizeof(*q->day));
	for (size_t i = 0; i < s->n; i++) {
		struct store_day *d = s->days[i];
		int64_t end = d->start + DATE_DAY - 1;
		int64_t lo = sq->from > d->start ? sq->from : d->start;
		int64_t hi = sq->to < end ? sq->to : end;

		if (lo > hi)
			continue;
		if (!held(s, d->used) && store_day_use(s, d, e) == -1)
			return -1;
		d->used = s->hold;
		if (!d->open)
			continue;
		q->day[q->nday++] = (struct store_qday){
			.d = d,
			.lo = (uint32_t)(lo - d->start),
			.hi = (uint32_t)(hi - d->start),
		};
	}
	return 0;
}

int
store_query_init(struct store_query *q, struct store *s,
    const struct source_query *sq, struct error *e)
{
	memset(q, 0, sizeof(*q));
	q->wants_histograms = sq->histograms;
	q->last = sq->last;
	q->any_value = sq->any_value;
	q->unordered = sq->unordered;
	q->rows.some = sq->few_labels;
	q->rows.names = sq->labels;
	q->rows.nnames = sq->nlabels;
	if (sq->from > sq->to)
		return 0;
	if (take_days(q, s, sq, e) == -1)
		return -1;
	for (size_t i = 0; i < q->nday; i++)
		match_day(q, (uint32_t)i, sq);
	group(q);
	for (size_t i = 0; i < q->nday; i++)
		plan_day(q, &q->day[i]);
	return 0;
}

void
store_query_fini(struct store_query *q)
{
	for (size_t i = 0; i < q->nday; i++)
		store_ids_fini(&q->day[i].ids);
	free(q->day);
	free(q->hit);
	store_index_rows_fini(&q->rows);
	free(q->first);
	free(q->most);
	for (size_t i = 0; i <= STORE_QUERY_COLS; i++) {
		if (q->cols[i] != NULL)
			store_cols_fini(q->cols[i]);
		free(q->cols[i]);
	}
	arena_fini(&q->a);
}
