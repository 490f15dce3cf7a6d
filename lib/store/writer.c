/*
 * Days and sources as a writer knows them.  Everything here is called with the
 * store's lock held, and takes nothing for granted that another writer may
 * have changed meanwhile.
 */
#include "store/writer.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/sealed.h"

void
store_writer_free(struct store_writer *w)
{
	struct map_slot *m = NULL;

	for (size_t i = 0; i < STORE_WDAYS; i++)
		if (w->days[i] != NULL) {
			store_dict_close(&w->days[i]->dict);
			store_seg_close(&w->days[i]->seg);
			store_day_close(&w->days[i]->old);
			free(w->days[i]);
		}
	while ((m = map_next(&w->sources, m)) != NULL) {
		struct store_wsource *src = m->v.p;

		store_ids_fini(&src->cols);
		free(src->ids);
		free((void *)(uintptr_t)src->key.p);
		free(src);
	}
	map_fini(&w->sources);
	buf_fini(&w->key);
	buf_fini(&w->text);
	buf_fini(&w->frames);
	arena_fini(&w->arena);
	store_ids_fini(&w->ids);
	store_text_free(w->text_way);
	free(w);
}

/* Close a day; its sources will look anew where they stand. */
static void
close_day(struct store_writer *w, struct store_wday *d)
{
	struct map_slot *m = NULL;

	for (size_t i = 0; i < STORE_WDAYS; i++)
		if (w->days[i] == d)
			w->days[i] = NULL;
	store_dict_close(&d->dict);
	store_seg_close(&d->seg);
	store_day_close(&d->old);
	while ((m = map_next(&w->sources, m)) != NULL) {
		struct store_wsource *src = m->v.p;

		if (src->ymd == d->ymd)
			src->ymd = 0;
	}
	free(d);
}

void
store_wday_drop(struct store *s, struct store_wday *d)
{
	/* Ids that were given out may not have been written. */
	s->w->failures++;
	close_day(s->w, d);
}

/* The day's place in the writer, a free one, or that of the oldest. */
static struct store_wday **
find_place(struct store *s, uint32_t ymd)
{
	struct store_wday **at = NULL, **v = s->w->days;

	for (size_t i = 0; i < STORE_WDAYS; i++) {
		if (v[i] != NULL && v[i]->ymd == ymd)
			return &v[i];
		if (at == NULL ||
		    (*at != NULL && (v[i] == NULL || v[i]->used < (*at)->used)))
			at = &v[i];
	}
	return at;
}

static int
open_day(struct store *s, struct store_wday *d, struct error *e)
{
	char name[32];

	snprintf(name, sizeof(name), "%08u", (unsigned)d->ymd);
	if (mkdirat(s->fd, name, 0777) == -1 && errno != EEXIST)
		return error_errno(e, "%s", name);
	d->old.ymd = d->ymd;
	d->old.start = d->start;
	d->high = -1;
	if (store_dict_open(&d->dict, s->fd, d->ymd, s->boot, true, e) != 1)
		return -1;
	if (d->dict.log.aside) {
		snprintf(name, sizeof(name), "%08u/series.log.damaged",
		    (unsigned)d->ymd);
		store_damage_note(&s->damage, name);
	}
	return 0;
}

static bool
usable(const struct store_seg *g)
{
	return g->no != 0 && g->now && g->n < g->cap && !store_seg_closed(g);
}

/*
 * The newest segment has been sealed, and there is none to go on with.  What
 * cannot be read of it may have had samples up to the end of the day.
 */
static int
after_part(struct store *s, struct store_wday *d, const struct store_span *x,
    struct error *e)
{
	struct store_seg g;
	int r;

	if (d->seg.no == 0 && d->last == x->last)
		return 0;
	store_seg_close(&d->seg);
	memset(&d->seg, 0, sizeof(d->seg));
	r = store_sealed_open(&g, s->fd, d->ymd, x->first, x->last, e);
	if (r == -1)
		return -1;
	d->last = x->last;
	d->high = DATE_DAY;
	if (r == 0)
		return 0;
	d->high = store_seg_high(&g);
	d->log = store_seg_log(&g);
	store_seg_close(&g);
	return 0;
}

/* See what the open segment holds now; another writer may have begun one. */
static int
open_segment(struct store *s, struct store_wday *d, struct error *e)
{
	struct store_span *v;
	size_t n;
	int r = 0;

	if (d->seg.no != 0 && store_seg_stat(&d->seg, e) == -1)
		return -1;
	if (usable(&d->seg))
		return 0;
	if (store_day_list(s, d->ymd, &v, &n, e) == -1)
		return -1;
	if (n > 0 && v[n - 1].part) {
		r = after_part(s, d, &v[n - 1], e);
	} else if (n > 0 && v[n - 1].last != d->seg.no) {
		store_seg_close(&d->seg);
		memset(&d->seg, 0, sizeof(d->seg));
		d->last = v[n - 1].last;
		r = store_seg_open(
		    &d->seg, s->fd, d->ymd, d->last, s->boot, true, e);
	}
	free(v);
	return r == -1 ? -1 : 0;
}

/*
 * A log that is shorter than it was when the last slot was written has been
 * cut, by a power failure say.  What is lost stays lost, but its ids must not
 * come to mean other series: go on behind where it ended.
 */
static int
spare_ids(struct store *s, struct store_wday *d, struct error *e)
{
	uint64_t *end = &d->dict.log.end;
	uint64_t then = d->seg.no != 0 ? store_seg_log(&d->seg) : d->log;
	struct buf b = { NULL, 0, 0 };
	int r;

	if (then == 0 && d->last > 0) {
		/* Nothing is in the newest segment, or it is damaged. */
		if (store_day_use(s, &d->old, e) == -1)
			return -1;
		for (size_t i = 0; i < d->old.n; i++)
			if (store_seg_log(d->old.seg[i]) > then)
				then = store_seg_log(d->old.seg[i]);
	}
	if (then * 8 <= *end)
		return 0;
	if (store_wday_lose(s, d, e) == -1)
		return -1;
	/* An empty record, so that the log is whole again. */
	*end = then * 8;
	store_log_put(&b, STORE_REC_META, STR_NONE);
	r = store_log_write(&d->dict.log, buf_str(&b), false, e);
	buf_fini(&b);
	return r;
}

/*
 * Marks hold a tag, which says whose ids they are: of this store as it is open,
 * this day, and since the last failure.
 */
static uint32_t
make_tag(const struct store *s, uint32_t ymd)
{
	uint64_t v[3] = { (uintptr_t)s, ymd, s->w->failures };
	str path = str_of(s->path);

	return (uint32_t)(str_hash(path) ^
	    str_hash((str){ (const char *)v, sizeof(v) }));
}

struct store_wday *
store_wday_use(struct store *s, uint32_t ymd, int64_t start, struct error *e)
{
	struct store_wday **at = find_place(s, ymd), *d = *at;

	if (d != NULL &&
	    (d->ymd != ymd || !store_view_current(&d->dict.log.v))) {
		close_day(s->w, d);
		d = NULL;
	}
	if (d == NULL) {
		d = mem_zero(1, sizeof(*d));
		d->ymd = ymd;
		d->start = start;
		d->tag = make_tag(s, ymd) | 1; /* an unused mark is 0 */
		if (open_day(s, d, e) == -1) {
			free(d);
			return NULL;
		}
		*at = d;
	}
	d->used = ++s->w->clock;
	if (store_dict_sync(&d->dict, e) == -1 || open_segment(s, d, e) == -1 ||
	    spare_ids(s, d, e) == -1) {
		store_wday_drop(s, d);
		return NULL;
	}
	return d;
}

int64_t
store_wday_high(const struct store_wday *d)
{
	return d->seg.no != 0 ? store_seg_high(&d->seg) : d->high;
}

int
store_newest(struct store *s, int64_t *t, struct error *e)
{
	*t = INT64_MIN;
	if (store_days(s, e) == -1)
		return -1;
	for (size_t i = s->n; i-- > 0;) {
		int64_t start = s->days[i]->start, high;
		struct store_wday *d =
		    store_wday_use(s, s->days[i]->ymd, start, e);

		if (d == NULL)
			return -1;
		high = store_wday_high(d);
		if (high >= 0 && high <= DATE_DAY) {
			*t = start + high;
			return 0;
		}
	}
	return 0;
}

int
store_wday_room(struct store *s, struct store_wday *d, size_t nslots,
    uint64_t bytes, struct error *e)
{
	struct store_seg *g = &d->seg;
	uint32_t high = (uint32_t)store_wday_high(d), no = d->last + 1;

	if (usable(g) && nslots <= g->cap - g->n &&
	    (g->n == 0 || store_seg_end(g) + bytes <= STORE_SEG_BYTES))
		return 0;
	if (no > 999999)
		return error_set(
		    e, "%08u: too many segments", (unsigned)d->ymd);
	if (store_seg_make(s->fd, d->ymd, no, s->boot, high, e) == -1)
		return -1;
	store_seg_close(g);
	memset(g, 0, sizeof(*g));
	d->last = no;
	if (store_seg_open(g, s->fd, d->ymd, no, s->boot, true, e) == 1)
		return 0;
	return error_set(
	    e, "%08u/%06u.seg: gone", (unsigned)d->ymd, (unsigned)no);
}

struct store_wsource *
store_wsource_find(struct store *s, struct labels ls)
{
	struct store_writer *w = s->w;
	struct store_wsource *src;
	struct map_slot *m;
	bool fresh;
	char *p;

	buf_reset(&w->key);
	label_key(&w->key, ls);
	m = map_add(&w->sources, buf_str(&w->key), &fresh);
	if (!fresh)
		return m->v.p;
	src = mem_zero(1, sizeof(*src));
	p = mem_alloc(w->key.n + 1);
	if (w->key.n > 0)
		memcpy(p, w->key.p, w->key.n);
	src->key = (str){ p, w->key.n };
	m->key = src->key;
	m->v.p = src;
	return src;
}

void
store_wsource_layout(struct store_wsource *src, const uint32_t *ids, uint32_t n)
{
	if (src->n == n && n > 0 &&
	    memcmp(src->ids, ids, n * sizeof(*ids)) == 0)
		return;
	src->ids = mem_grow(src->ids, &src->cap, n, sizeof(*ids));
	if (n > 0)
		memcpy(src->ids, ids, n * sizeof(*ids));
	src->n = n;
	src->cols.n = 0;
}

uint32_t
store_wsource_col(struct store_wsource *src, uint32_t id)
{
	if (src->cols.n == 0) {
		store_ids_reset(&src->cols, src->n);
		for (size_t i = 0; i < src->n; i++)
			store_ids_add(&src->cols, src->ids[i], (uint32_t)i);
	}
	return store_ids_find(&src->cols, id);
}

/* The batch of the source that slot i ends, if it is sound. */
static bool
take(struct store_wsource *src, const struct store_seg *g, uint32_t i)
{
	uint32_t first = store_seg_batch(g, i), n;
	const struct store_slot *p;
	const uint32_t *ids;

	if (first == STORE_NO_SLOT)
		return false;
	p = store_seg_slot(g, i);
	src->seg = g->no | (g->sealed != NULL ? STORE_WSOURCE_PART : 0);
	src->first = first;
	src->last = i;
	src->high = p->shigh;
	src->high_known = true;
	src->sparse = p->type == STORE_FRAME_X ? p->n : 0;
	src->layout = STORE_NO_SLOT;
	ids = p->ref == STORE_NO_SLOT ? NULL : store_seg_layout(g, p->ref, &n);
	if (ids != NULL) {
		src->layout = p->ref;
		store_wsource_layout(src, ids, n);
	}
	return true;
}

/* Find the source's last batch in slots from.. of g; false if none is. */
static bool
look(struct store_wsource *src, const struct store_seg *g, uint32_t from)
{
	uint32_t last;

	if (g->sealed != NULL) {
		last = store_sealed_last(g->sealed, src->id);
		return last != STORE_NO_SLOT && take(src, g, last);
	}
	for (uint32_t i = g->n; i-- > from;)
		if (store_seg_source(g, i) == src->id && take(src, g, i))
			return true;
	return false;
}

/* What a cold start looks through, of segments that are not sealed. */
#define LOOK_BACK 2

/*
 * A cold start: its last batch, in the newest segments and in all parts, which
 * say of what sources they are.
 */
static int
look_back(struct store *s, struct store_wsource *src, struct store_wday *d,
    struct error *e)
{
	size_t left = LOOK_BACK;

	if ((d->seg.no != 0 && look(src, &d->seg, 0)) || d->last == 0 ||
	    (d->last == 1 && d->seg.no == 1))
		return 0;
	if (store_day_use(s, &d->old, e) == -1)
		return -1;
	for (size_t i = d->old.n; i-- > 0;) {
		const struct store_seg *g = d->old.seg[i];

		if (g->sealed == NULL && (left == 0 || left-- == 0))
			continue;
		if ((g->sealed != NULL || g->no != d->seg.no) &&
		    look(src, g, 0))
			break;
	}
	return 0;
}

int
store_wsource_use(struct store *s, struct store_wsource *src,
    struct store_wday *d, struct error *e)
{
	if (src->ymd == d->ymd) {
		if (d->seg.no != 0)
			look(src, &d->seg,
			    src->seg == d->seg.no ? src->seen : 0);
		src->seen = d->seg.n;
		return 0;
	}
	src->ymd = d->ymd;
	src->seg = 0;
	src->first = src->last = src->layout = STORE_NO_SLOT;
	src->n = src->cols.n = 0;
	src->high_known = false;
	src->sparse = 0;
	src->seen = d->seg.n;
	src->id = 0;
	if (src->key.n > 0) {
		src->id = store_dict_add(&d->dict, STORE_REC_SOURCE, src->key);
		if (src->id == 0)
			return error_set(e, "the batch's labels are too long");
		if ((uint64_t)src->id * 8 >= d->dict.log.end)
			return 0; /* never seen before on this day */
	}
	return look_back(s, src, d, e);
}

/* The ids that have a sample at time ms in one frame. */
static void
had(const struct store_seg *g, const struct store_slot *p, uint32_t ms,
    struct arena *a, uint32_t **out, size_t *n, size_t *cap)
{
	const uint64_t *v = store_seg_frame(g, p);
	const uint32_t *id = NULL, *t = NULL;
	uint32_t cols = 0;
	struct store_xview x;

	if (v == NULL)
		return;
	if (p->type == STORE_FRAME_X) {
		if (!store_seg_x(p, v, &x))
			return;
		for (uint32_t k = 0, i = 0; k < x.nser; k++)
			for (; i < x.end[k]; i++)
				if (x.t[i] == ms && x.v[i] != NUM_STALE_BITS) {
					*out = arena_grow(a, *out, cap, *n + 1,
					    sizeof(**out));
					(*out)[(*n)++] = x.id[k];
				}
		return;
	}
	id = store_seg_layout(g, p->ref, &cols);
	if (id == NULL || !store_seg_row(p, cols))
		return;
	if (p->type == STORE_FRAME_T)
		t = (const uint32_t *)(v + cols);
	for (uint32_t i = 0; i < cols; i++)
		if (v[i] != STORE_ABSENT && v[i] != NUM_STALE_BITS &&
		    (t != NULL ? t[i] : p->tmin) == ms) {
			*out = arena_grow(a, *out, cap, *n + 1, sizeof(**out));
			(*out)[(*n)++] = id[i];
		}
}

/* The segment of the source's last batch; NULL: it is sealed, or gone. */
static const struct store_seg *
last_segment(const struct store_wsource *src, const struct store_wday *d)
{
	if (d->seg.no == src->seg)
		return &d->seg;
	for (size_t i = 0; i < d->old.n; i++) {
		const struct store_seg *g = d->old.seg[i];

		if (g->no == (src->seg & ~STORE_WSOURCE_PART) &&
		    (g->sealed != NULL) ==
			((src->seg & STORE_WSOURCE_PART) != 0))
			return g;
	}
	return NULL;
}

static int
batch_had(struct store *s, struct store_wsource *src, struct store_wday *d,
    uint32_t **ids, size_t *n, struct error *e)
{
	const struct store_seg *g;
	size_t cap = 0;

	*ids = NULL;
	*n = 0;
	if (d->seg.no != src->seg && store_day_use(s, &d->old, e) == -1)
		return -1;
	g = last_segment(src, d);
	/* A part may have been made anew, with other slots. */
	if (g == NULL || g->sealed != NULL) {
		if (look_back(s, src, d, e) == -1)
			return -1;
		g = last_segment(src, d);
	}
	for (uint32_t i = src->first; g != NULL && i <= src->last; i++) {
		const struct store_slot *p = store_seg_slot(g, i);
		int64_t ms = p == NULL ? -1 : p->t - d->start;

		if (ms >= 0 && ms < DATE_DAY && p->type >= STORE_FRAME_V &&
		    p->type <= STORE_FRAME_X)
			had(g, p, (uint32_t)ms, &s->w->arena, ids, n, &cap);
	}
	return 0;
}

/* The newest day before d that there is; 0: none. */
static uint32_t
day_before(const struct store *s, const struct store_wday *d)
{
	uint32_t ymd = 0;

	for (size_t i = 0; i < s->n && s->days[i]->ymd < d->ymd; i++)
		ymd = s->days[i]->ymd;
	return ymd;
}

int
store_wsource_prev(struct store *s, struct store_wsource *src,
    struct store_wday *d, uint32_t **ids, size_t *n, struct error *e)
{
	struct store_wsource then = { .key = src->key };
	struct store_wday *old;
	uint32_t ymd;
	size_t k = 0;
	int rc = 0;

	*ids = NULL;
	*n = 0;
	if (src->last != STORE_NO_SLOT)
		return batch_had(s, src, d, ids, n, e);
	if (store_days(s, e) == -1)
		return -1;
	ymd = day_before(s, d);
	if (ymd == 0)
		return 0;
	old = store_wday_use(s, ymd, store_day_start(ymd), e);
	if (old == NULL)
		return -1;
	then.last = STORE_NO_SLOT;
	if (src->key.n > 0)
		then.id =
		    store_dict_find(&old->dict, STORE_REC_SOURCE, src->key);
	if (then.id != 0 || src->key.n == 0)
		rc = look_back(s, &then, old, e);
	if (rc == 0 && then.last != STORE_NO_SLOT)
		rc = batch_had(s, &then, old, ids, n, e);
	for (size_t i = 0; i < *n; i++) {
		struct label v[STORE_LABELS_MAX];
		struct labels ls;
		uint32_t id = 0;

		if (store_dict_labels(
			&old->dict, (*ids)[i], STORE_REC_SERIES, v, &ls)) {
			buf_reset(&s->w->key);
			label_key(&s->w->key, ls);
			id = store_dict_add(
			    &d->dict, STORE_REC_SERIES, buf_str(&s->w->key));
		}
		if (id != 0)
			(*ids)[k++] = id;
	}
	*n = k;
	store_ids_fini(&then.cols);
	free(then.ids);
	return rc;
}

/* A label that the records cannot hold. */
static bool
has_nul(struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++)
		if (str_chr(ls.v[i].name, '\0') < ls.v[i].name.n ||
		    str_chr(ls.v[i].value, '\0') < ls.v[i].value.n)
			return true;
	return false;
}

/*
 * How many series the day has: those of the index, those the log has beyond it,
 * and those not yet written.
 */
static size_t
count_series(struct store_wday *d)
{
	const struct store_index *x = d->dict.index;
	const struct store_log *log = &d->dict.log;
	struct store_rec rec;
	str bytes;

	if (d->counted == 0) {
		d->counted = store_dict_tail(&d->dict);
		d->series =
		    x == NULL ? 0 : store_index_count(x, STORE_REC_SERIES);
	}
	while (d->counted < log->end &&
	    store_log_find(log, &d->counted, &rec, &bytes)) {
		d->counted = store_log_after(d->counted, &rec);
		d->series += rec.size >> 24 == STORE_REC_SERIES;
	}
	return d->series + d->fresh;
}

/* Which limit a series that is new to the day is beyond; NULL: none. */
static const char *
beyond_limit(
    struct store_wday *d, struct labels ls, const struct store_limits *l)
{
	int64_t n = (int64_t)ls.n, max = l->v[STORE_LIMIT_LENGTH];

	for (size_t i = 0; i < ls.n; i++) {
		bool name = str_eq(ls.v[i].name, LABEL_NAME);

		n -= name;
		if (l->set >> STORE_LIMIT_LENGTH & 1 &&
		    ((!name && (int64_t)ls.v[i].name.n > max) ||
			(int64_t)ls.v[i].value.n > max))
			return "a label is longer than max-label-length";
	}
	if (l->set >> STORE_LIMIT_LABELS & 1 && n > l->v[STORE_LIMIT_LABELS])
		return "it has more labels than max-labels";
	if (l->set >> STORE_LIMIT_SERIES & 1 &&
	    (int64_t)count_series(d) >= l->v[STORE_LIMIT_SERIES])
		return "it is new, and the day has max-series already";
	return NULL;
}

uint32_t
store_series_id(struct store *s, struct store_wday *d,
    const struct expo_item *it, const struct store_limits *l,
    const char **beyond)
{
	const unsigned mine = 1U << STORE_LIMIT_SERIES |
	    1U << STORE_LIMIT_LABELS | 1U << STORE_LIMIT_LENGTH;
	struct store_writer *w = s->w;
	uint32_t id;
	size_t n;
	str key;

	*beyond = NULL;
	if (it->mark != NULL && (uint64_t)*it->mark >> 32 == d->tag)
		return (uint32_t)*it->mark;
	if (it->labels.n > STORE_LABELS_MAX || has_nul(it->labels))
		return 0;
	buf_reset(&w->key);
	buf_byte(&w->key, STORE_REC_SERIES); /* as keys not yet written have */
	label_key(&w->key, it->labels);
	key = str_skip(buf_str(&w->key), 1);
	if (l->set & mine &&
	    store_dict_find(&d->dict, STORE_REC_SERIES, key) == 0 &&
	    map_find(&d->dict.fresh_ids, buf_str(&w->key)) == NULL &&
	    (*beyond = beyond_limit(d, it->labels, l)) != NULL)
		return 0;
	n = d->dict.fresh.n;
	id = store_dict_add(&d->dict, STORE_REC_SERIES, key);
	d->fresh += d->dict.fresh.n > n;
	if (it->mark != NULL && id != 0)
		*it->mark = (size_t)((uint64_t)d->tag << 32 | id);
	return id;
}
