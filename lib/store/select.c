/*
 * Batches out again as they came in: in time order, day by day; samples in the
 * order of their batch, so that what is selected can be appended elsewhere and
 * selects the same.  What was replaced is left out.
 */
#include <sys/mman.h>

#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "metric/expo.h"
#include "store/beaten.h"
#include "store/sealed.h"

/* Series text kept for layouts; beyond it all is forgotten and made anew. */
#define TEXT_MAX ((size_t)64 << 20)

/* So many bytes of segments stay mapped behind what is read. */
#define HELD_MAX ((size_t)16 << 20)

/* A layout as text: what a sample's line begins with. */
struct lay {
	uint32_t key[3]; /* source, segment, slot */
	uint32_t n;
	bool lost;
	struct buf text;
	size_t *end; /* of column i's series in text */
	bool *match;
	bool *told; /* its metadata is printed */
	str *name;  /* into the log */
};

struct select {
	struct store *s;
	const struct match *m;
	size_t nm;
	struct store_day *d;
	const struct store_seg *g;
	uint32_t seg;    /* which of the day's */
	uint32_t lo, hi; /* ms of day */
	struct store_beaten beaten;
	struct map lays;
	size_t text; /* bytes in them */
	struct map told;
	struct arena told_keys;
	struct arena a; /* of a batch */
	str job;
	struct buf out;
	size_t read; /* bytes of frames, since pages were let go of */
	bool lost;   /* series of the batch are not in the log, which is cut */
};

static void
lay_free(struct lay *l)
{
	buf_fini(&l->text);
	free(l->end);
	free(l->match);
	free(l->told);
	free(l->name);
	free(l);
}

static void
forget(struct select *q)
{
	struct map_slot *m = NULL;

	while ((m = map_next(&q->lays, m)) != NULL)
		lay_free(m->v.p);
	map_reset(&q->lays);
	q->text = 0;
}

/*
 * Print a series; false if it is not wanted or its record is damaged.  When the
 * log ends before it, the batch is as if it were not there, rather than there
 * in parts.
 */
static bool
series(struct select *q, uint32_t id, struct buf *b, str *name)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	if (!store_dict_has(&q->d->dict, id))
		q->lost = true;
	if (!store_dict_labels(&q->d->dict, id, STORE_REC_SERIES, v, &ls)) {
		if (q->d->dict.log.v.p != NULL)
			store_damage_note(&q->s->damage, q->d->dict.log.v.name);
		return false;
	}
	if (!match_all(q->m, q->nm, ls))
		return false;
	label_print(b, ls);
	buf_byte(b, ' ');
	*name = label_find(ls, LABEL_NAME);
	return true;
}

static struct lay *
find_lay(struct select *q, const struct store_slot *p)
{
	uint32_t key[3] = { p->source, q->g->no, p->ref }, n;
	const uint32_t *ids;
	struct map_slot *m;
	struct lay *l;

	m = map_find(&q->lays, (str){ (const char *)key, sizeof(key) });
	if (m != NULL)
		return m->v.p;
	ids = store_seg_layout(q->g, p->ref, &n);
	if (ids == NULL)
		return NULL;
	if (q->text > TEXT_MAX)
		forget(q);
	l = mem_zero(1, sizeof(*l));
	memcpy(l->key, key, sizeof(key));
	l->n = n;
	l->end = mem_zero(n + 1, sizeof(*l->end));
	l->match = mem_zero(n + 1, sizeof(*l->match));
	l->told = mem_zero(n + 1, sizeof(*l->told));
	l->name = mem_zero(n + 1, sizeof(*l->name));
	q->lost = false;
	for (uint32_t i = 0; i < n; i++) {
		l->match[i] = series(q, ids[i], &l->text, &l->name[i]);
		l->end[i] = l->text.n;
	}
	l->lost = q->lost;
	q->text += l->text.cap + n * (sizeof(*l->end) + sizeof(*l->name));
	map_add(&q->lays, (str){ (const char *)l->key, sizeof(l->key) }, NULL)
	    ->v.p = l;
	return l;
}

static void
metadata(struct select *q, str name)
{
	store_meta_print(
	    &q->s->meta, &q->out, q->job, name, &q->told, &q->told_keys);
}

/* One line: a sample, or the end of a series. */
static void
line(struct select *q, str text, uint64_t bits, uint32_t ms)
{
	if (bits == NUM_STALE_BITS)
		buf_add(&q->out, expo_word(EXPO_STALE));
	buf_add(&q->out, text);
	if (bits != NUM_STALE_BITS) {
		num_print(&q->out, num_from_bits(bits));
		buf_byte(&q->out, ' ');
	}
	num_print_int(&q->out, q->d->start + ms);
	buf_byte(&q->out, '\n');
}

/* Did another sample take the place of this one, of slot at? */
static bool
beaten(struct select *q, uint32_t at, uint32_t id, uint32_t ms, uint32_t flags)
{
	return store_beaten(
	    &q->beaten, id, ms, q->seg, at, (flags & STORE_REPLACE) != 0);
}

static void
row(struct select *q, const struct store_slot *p, uint32_t at)
{
	const uint64_t *v = store_seg_frame(q->g, p);
	const uint32_t *t = NULL, *ids = NULL;
	uint32_t n;
	bool lost = q->lost;
	struct lay *l = find_lay(q, p);

	q->lost = lost || v == NULL || l == NULL || l->lost ||
	    !store_seg_row(p, l->n);
	if (q->lost)
		return;
	if (p->type == STORE_FRAME_T)
		t = (const uint32_t *)(v + l->n);
	if (q->beaten.n > 0)
		ids = store_seg_layout(q->g, p->ref, &n);
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t ms = t != NULL ? t[i] : p->tmin;
		size_t from = i > 0 ? l->end[i - 1] : 0;

		if (v[i] == STORE_ABSENT || !l->match[i] || ms < q->lo ||
		    ms > q->hi ||
		    (ids != NULL && beaten(q, at, ids[i], ms, p->flags)))
			continue;
		if (!l->told[i]) {
			l->told[i] = true;
			metadata(q, l->name[i]);
		}
		line(q, (str){ l->text.p + from, l->end[i] - from }, v[i], ms);
	}
}

static void
loose(struct select *q, const struct store_slot *p, uint32_t at)
{
	const void *frame = store_seg_frame(q->g, p);
	struct buf text = { NULL, 0, 0 };
	struct store_xview x;
	struct one {
		size_t at, end; /* of the series' text; end 0: not wanted */
		str name;
	} * v;
	uint32_t *ser, *pos;

	if (frame == NULL || !store_seg_x(p, frame, &x)) {
		q->lost = true;
		return;
	}
	v = arena_zero(&q->a, x.nser, sizeof(*v));
	ser = arena_zero(&q->a, x.n, sizeof(*ser));
	pos = arena_zero(&q->a, x.n, sizeof(*pos));
	for (uint32_t k = 0, i = 0; k < x.nser; k++) {
		v[k].at = text.n;
		if (series(q, x.id[k], &text, &v[k].name))
			v[k].end = text.n;
		for (; i < x.end[k]; i++) {
			ser[i] = k;
			pos[x.order != NULL ? x.order[i] : i] = i;
		}
	}
	for (uint32_t j = 0; j < x.n; j++) {
		uint32_t i = pos[j];
		struct one *o = &v[ser[i]];

		if (o->end == 0 || x.t[i] < q->lo || x.t[i] > q->hi ||
		    beaten(q, at, x.id[ser[i]], x.t[i], p->flags))
			continue;
		metadata(q, o->name);
		line(
		    q, (str){ text.p + o->at, o->end - o->at }, x.v[i], x.t[i]);
	}
	buf_fini(&text);
}

static void
comments(struct select *q, const struct store_slot *p, uint32_t slot)
{
	static const enum expo_kind kind[] = {
		[STORE_COMMENT_HIST] = EXPO_HIST,
		[STORE_COMMENT_EXEMPLAR] = EXPO_EXEMPLAR,
		[STORE_COMMENT_START] = EXPO_START,
	};
	const uint8_t *frame = store_seg_frame(q->g, p);
	struct buf of = { NULL, 0, 0 };
	struct store_comment c;
	size_t at = 0;
	str text;

	if (frame == NULL)
		q->lost = true;
	while (frame != NULL && store_seg_comment(p, frame, &at, &c, &text)) {
		str name;

		buf_reset(&of);
		if (c.kind < STORE_COMMENT_HIST ||
		    c.kind > STORE_COMMENT_START || c.t < q->lo ||
		    c.t > q->hi ||
		    (c.kind == STORE_COMMENT_HIST &&
			beaten(q, slot, c.id, c.t, p->flags)) ||
		    !series(q, c.id, &of, &name))
			continue;
		if (c.kind == STORE_COMMENT_HIST)
			metadata(q, name);
		buf_add(&q->out, expo_word(kind[c.kind]));
		buf_add(&q->out, buf_str(&of));
		buf_add(&q->out, text);
		buf_byte(&q->out, '\n');
	}
	buf_fini(&of);
}

/* "# BATCH {...} t" and the keys it had. */
static void
head(struct select *q, const struct store_slot *first, uint32_t from,
    uint32_t to)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls = { NULL, 0 };
	struct store_comment c;
	size_t at = 0;
	str text;

	if (first->source != 0)
		store_dict_labels(
		    &q->d->dict, first->source, STORE_REC_SOURCE, v, &ls);
	q->job = label_find(ls, STR("job"));
	expo_put_batch(&q->out, ls, first->t, NULL, 0);
	for (; from <= to; from++) {
		const struct store_slot *p = store_seg_slot(q->g, from);
		const uint8_t *frame = p == NULL || p->type != STORE_FRAME_C
		    ? NULL
		    : store_seg_frame(q->g, p);

		while (frame != NULL &&
		    store_seg_comment(p, frame, &at, &c, &text))
			if (c.kind == STORE_COMMENT_KEYS) {
				q->out.n--; /* the line's end */
				buf_add(&q->out, text);
				buf_byte(&q->out, '\n');
				return;
			}
	}
}

static void
batch(struct select *q, uint32_t last)
{
	uint32_t from = store_seg_batch(q->g, last);
	size_t n;

	buf_reset(&q->out);
	arena_reset(&q->a);
	if (from == STORE_NO_SLOT)
		return;
	head(q, store_seg_slot(q->g, from), from, last);
	n = q->out.n;
	q->lost = false;
	for (; from <= last; from++) {
		const struct store_slot *p = store_seg_slot(q->g, from);

		if (p->tmin > q->hi || p->tmax < q->lo)
			continue;
		q->read += p->len;
		switch (p->type) {
		case STORE_FRAME_V:
		case STORE_FRAME_T:
			row(q, p, from);
			break;
		case STORE_FRAME_X:
			loose(q, p, from);
			break;
		case STORE_FRAME_C:
			comments(q, p, from);
			break;
		default: /* layouts; what later versions may add */
			break;
		}
	}
	if (q->out.n == n || q->lost)
		buf_reset(&q->out);
	else
		expo_put_eof(&q->out);
}

struct ref {
	int64_t t;
	uint32_t seg, slot;
};

static int
by_time(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	if (x->seg != y->seg)
		return x->seg < y->seg ? -1 : 1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* So many pages of a part are sorted at once. */
#define PAGES 16

/* A segment, or some pages of a part: slots that are sorted together. */
struct unit {
	uint32_t seg, from, to;
	int64_t t; /* of the earliest batch in it or in one after it */
};

static struct unit *
units(const struct store_day *d, size_t *n)
{
	struct unit *v = NULL;
	size_t cap = 0;
	int64_t t = INT64_MAX;

	*n = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct store_sealed *x = d->seg[i]->sealed;
		uint32_t pages = x == NULL ? 1 : store_sealed_head(x)->npages;

		for (uint32_t k = 0; k < pages; k += PAGES) {
			struct unit u = { .seg = (uint32_t)i };

			u.to = x == NULL ? d->seg[i]->n
					 : store_sealed_page(x, k + PAGES);
			u.from = x == NULL ? 0 : store_sealed_page(x, k);
			u.t = x == NULL ? store_seg_earliest(d->seg[i])
					: INT64_MAX;
			for (uint32_t p = 0; x != NULL && p < PAGES; p++)
				if (store_sealed_earliest(x, k + p) < u.t)
					u.t = store_sealed_earliest(x, k + p);
			v = mem_grow(v, &cap, *n + 2, sizeof(*v));
			v[(*n)++] = u;
		}
	}
	for (size_t i = *n; i-- > 0;)
		t = v[i].t = v[i].t < t ? v[i].t : t;
	return v;
}

/* The batches of a unit that have anything in the range are added to v. */
static struct ref *
collect(const struct select *q, const struct unit *u, struct ref *v, size_t *n,
    size_t *cap)
{
	const struct store_seg *g = q->d->seg[u->seg];
	uint32_t i = u->from, last;

	if (store_seg_high(g) < (int64_t)q->lo)
		return v;
	while (i < u->to && store_seg_next(g, i, q->lo, q->hi, &last) < u->to) {
		v = mem_grow(v, cap, *n + 1, sizeof(*v));
		v[(*n)++] =
		    (struct ref){ store_seg_slot(g, last)->t, u->seg, last };
		i = last + 1;
	}
	return v;
}

/*
 * What is mapped of segments need not stay when much of it has been read: it
 * comes back from the page cache.
 */
static void
let_go(struct select *q)
{
	for (size_t i = 0; i < q->d->n; i++) {
		const struct store_seg *g = q->d->seg[i];

		if (g->sealed == NULL && g->v.p != NULL)
			(void)madvise((void *)(uintptr_t)g->v.p, g->v.size,
			    MADV_DONTNEED);
	}
	q->read = 0;
}

static int
put_batch(struct select *q, const struct ref *r,
    int (*out)(void *arg, str text), void *arg)
{
	if (q->read > HELD_MAX)
		let_go(q);
	q->g = q->d->seg[r->seg];
	q->seg = r->seg;
	batch(q, r->slot);
	return q->out.n > 0 ? out(arg, buf_str(&q->out)) : 0;
}

/* Find out what of the next batches was replaced; how many of n those are. */
static size_t
look_ahead(struct select *q, const struct ref *v, size_t n)
{
	size_t k = 0;

	if (!q->beaten.any)
		return n;
	store_beaten_reset(&q->beaten);
	for (; k < n && q->beaten.n < STORE_BEATEN_MAX; k++) {
		const struct store_seg *g = q->d->seg[v[k].seg];
		uint32_t from = store_seg_batch(g, v[k].slot);

		for (; from <= v[k].slot; from++) {
			const struct store_slot *p = store_seg_slot(g, from);

			if (p != NULL && p->tmin <= q->hi && p->tmax >= q->lo)
				store_beaten_add(&q->beaten, g, p);
		}
	}
	store_beaten_find(&q->beaten);
	return k;
}

/* The first n batches of v go out. */
static int
put_batches(struct select *q, const struct ref *v, size_t n,
    int (*out)(void *arg, str text), void *arg)
{
	size_t known = 0;

	for (size_t k = 0; k < n; k++) {
		if (k == known)
			known += look_ahead(q, v + k, n - k);
		if (put_batch(q, &v[k], out, arg) == -1)
			return -1;
	}
	return 0;
}

/*
 * Segments follow each other in time but for what came late, so batches are
 * sorted a few segments at a time: those before every batch still to come can
 * go out.
 */
static int
select_day(struct select *q, int (*out)(void *arg, str text), void *arg)
{
	struct store_day *d = q->d;
	size_t n = 0, cap = 0, nunits;
	struct unit *u = units(d, &nunits);
	struct ref *v = NULL;
	int rc = 0;

	for (size_t i = 0; i < nunits && rc == 0; i++) {
		size_t k = 0;

		v = collect(q, &u[i], v, &n, &cap);
		if (n > 0)
			qsort(v, n, sizeof(*v), by_time);
		while (k < n && (i + 1 == nunits || v[k].t < u[i + 1].t))
			k++;
		rc = put_batches(q, v, k, out, arg);
		if (n > k)
			memmove(v, v + k, (n - k) * sizeof(*v));
		n -= k;
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->seg[i]->sealed != NULL)
			store_sealed_forget(d->seg[i]->sealed);
	free(v);
	free(u);
	return rc;
}

static int
select_days(struct select *q, int64_t from, int64_t to,
    int (*out)(void *arg, str text), void *arg, struct error *e)
{
	struct store *s = q->s;

	if (store_days(s, e) == -1 ||
	    store_meta_load(&s->meta, s->fd, s->mode == STORE_WRITE, e) == -1)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct store_day *d = s->days[i];
		int64_t end = d->start + DATE_DAY - 1;

		if (from > end || to < d->start)
			continue;
		q->d = d;
		q->lo = from > d->start ? (uint32_t)(from - d->start) : 0;
		q->hi = (uint32_t)((to < end ? to : end) - d->start);
		if (store_day_use(s, d, e) == -1)
			return -1;
		forget(q);
		if (!d->open)
			continue;
		store_beaten_day(&q->beaten, d, q->lo, q->hi);
		if (select_day(q, out, arg) == -1)
			return error_set(e, "stopped");
	}
	return 0;
}

int
store_select(struct store *s, const struct match *m, size_t nm, int64_t from,
    int64_t to, int (*out)(void *arg, str text), void *arg, struct error *e)
{
	struct select q = { .s = s, .m = m, .nm = nm };
	int rc;

	s->readers++;
	rc = select_days(&q, from, to, out, arg, e);
	s->readers--;
	forget(&q);
	store_beaten_fini(&q.beaten);
	map_fini(&q.lays);
	map_fini(&q.told);
	arena_fini(&q.told_keys);
	arena_fini(&q.a);
	buf_fini(&q.out);
	return rc == -1 ? error_add(e, "%s", s->path) : 0;
}

/* A job's batch on its way out. */
struct jobs {
	struct select q; /* the store, the matchers, what is printed */
	int64_t t;
	int (*out)(void *arg, str text);
	void *arg;
};

static int
flush_job(struct jobs *j)
{
	int rc = 0;

	if (j->q.out.n > 0) {
		expo_put_eof(&j->q.out);
		rc = j->out(j->arg, buf_str(&j->q.out));
	}
	buf_reset(&j->q.out);
	return rc;
}

static int
metric_of(void *arg, str job, str metric)
{
	struct jobs *j = arg;
	struct label v[2] = { { LABEL_NAME, metric }, { STR("job"), job } };
	struct labels of = { v + 1, job.n > 0 ? 1 : 0 };

	if (!match_all(
		j->q.m, j->q.nm, (struct labels){ v, job.n > 0 ? 2 : 1 }))
		return 0;
	if (!str_eq(job, j->q.job) && flush_job(j) == -1)
		return -1;
	j->q.job = job;
	if (j->q.out.n == 0)
		expo_put_batch(&j->q.out, of, j->t, NULL, 0);
	store_meta_lines(&j->q.s->meta, &j->q.out, job, metric);
	return 0;
}

int
store_metadata(struct store *s, const struct match *m, size_t nm, int64_t t,
    int (*out)(void *arg, str text), void *arg, struct error *e)
{
	struct jobs j = { { .s = s, .m = m, .nm = nm }, t, out, arg };
	int rc;

	if (store_meta_load(&s->meta, s->fd, s->mode == STORE_WRITE, e) == -1)
		return error_add(e, "%s", s->path);
	rc = store_meta_walk(&s->meta, metric_of, &j);
	if (rc == 0)
		rc = flush_job(&j);
	buf_fini(&j.q.out);
	return rc == -1 ? error_set(e, "%s: stopped", s->path) : 0;
}
