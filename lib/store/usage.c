/*
 * What takes the room in a store.  Series are counted by their labels, day by
 * day and over all days; bytes by the columns of parts and the rows of
 * segments, each of which is some metric's.
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/dir.h"
#include "store/sealed.h"

struct hashes {
	uint64_t *v;
	size_t n, cap;
};

struct usage {
	struct store *s;
	struct store_usage *u;
	struct map metrics, pairs, labels; /* to the place in their array */
	size_t metriccap, paircap, labelcap, daycap;
	struct store_day *d;
	const struct store_seg *g;
	struct map lays; /* of g: the metrics of a layout's columns */
	struct arena a;  /* of these */
	struct store_cols *cols;
	double row[STORE_SEALED_ROWS];
};

static struct store_usage_metric *
find_metric(struct usage *x, str name)
{
	struct store_usage *u = x->u;
	bool fresh;
	struct map_slot *m = map_add(&x->metrics, name, &fresh);

	if (fresh) {
		m->key = arena_dup(&u->a, name);
		m->v.i = u->nmetrics;
		u->metrics = mem_grow(u->metrics, &x->metriccap,
		    u->nmetrics + 1, sizeof(*u->metrics));
		u->metrics[u->nmetrics++] =
		    (struct store_usage_metric){ .name = m->key };
	}
	return &u->metrics[m->v.i];
}

/* One more of a label's values, or of a pair's series. */
static bool
add_pair(struct usage *x, struct map *map, struct store_usage_pair **v,
    size_t *n, size_t *cap, str key, size_t name)
{
	bool fresh;
	struct map_slot *m = map_add(map, key, &fresh);

	if (fresh) {
		m->key = arena_dup(&x->u->a, key);
		m->v.i = *n;
		*v = mem_grow(*v, cap, *n + 1, sizeof(**v));
		(*v)[(*n)++] = (struct store_usage_pair){
			.name = str_take(m->key, name),
			.value = str_skip(m->key, name + 1),
		};
	}
	(*v)[m->v.i].n++;
	return fresh;
}

static void
count_labels(struct usage *x, struct labels ls, struct buf *key)
{
	struct store_usage *u = x->u;

	find_metric(x, label_find(ls, LABEL_NAME))->series++;
	for (size_t i = 0; i < ls.n; i++) {
		str name = ls.v[i].name;

		if (str_eq(name, LABEL_NAME))
			continue;
		buf_reset(key);
		buf_add(key, name);
		buf_byte(key, '\0');
		buf_add(key, ls.v[i].value);
		if (add_pair(x, &x->pairs, &u->pairs, &u->npairs, &x->paircap,
			buf_str(key), name.n))
			add_pair(x, &x->labels, &u->labels, &u->nlabels,
			    &x->labelcap, name, name.n);
	}
}

/* The series of a range: into h as hashes, or counted by their labels. */
static int
walk_series(struct usage *x, int64_t from, int64_t to, struct hashes *h,
    struct error *e)
{
	struct source src = store_source(x->s);
	struct source_query q = {
		.from = from,
		.to = to,
		.labels_only = true,
		.histograms = true,
	};
	struct source_cursor *c = source_open(&src, &q, e);
	struct buf key = { NULL, 0, 0 };
	struct source_series s;
	int k;

	if (c == NULL)
		return -1;
	while ((k = source_next(&src, c, &s, e)) == 1) {
		if (h == NULL) {
			count_labels(x, s.labels, &key);
			continue;
		}
		h->v = mem_grow(h->v, &h->cap, h->n + 1, sizeof(*h->v));
		h->v[h->n++] = label_hash(s.labels);
	}
	source_close(&src, c);
	buf_fini(&key);
	return k;
}

static int
by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* How many of a are not in b; both are sorted. */
static size_t
missing(const struct hashes *a, const struct hashes *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (k < b->n && b->v[k] < a->v[i])
			k++;
		n += k == b->n || b->v[k] != a->v[i];
	}
	return n;
}

static struct store_usage_metric *
metric_of(struct usage *x, uint32_t id)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	if (!store_dict_labels(&x->d->dict, id, STORE_REC_SERIES, v, &ls))
		return find_metric(x, STR_NONE);
	return find_metric(x, label_find(ls, LABEL_NAME));
}

/* The metrics of a layout's columns, as places in the array. */
static const uint32_t *
name_columns(struct usage *x, uint32_t ref, const uint32_t *ids, uint32_t n)
{
	uint32_t *key, *metric;
	struct map_slot *m =
	    map_find(&x->lays, (str){ (const char *)&ref, sizeof(ref) });

	if (m != NULL)
		return m->v.p;
	key = arena_alloc(&x->a, sizeof(*key));
	metric = arena_alloc(&x->a, n * sizeof(*metric));
	for (uint32_t i = 0; i < n; i++)
		metric[i] = (uint32_t)(metric_of(x, ids[i]) - x->u->metrics);
	*key = ref;
	map_add(&x->lays, (str){ (const char *)key, sizeof(*key) }, NULL)->v.p =
	    metric;
	return metric;
}

static void
take_stripe(struct usage *x, uint32_t k)
{
	struct store_cols *c = x->cols;
	struct store_sealed *p = x->g->sealed;
	const uint32_t *ids, *metric;
	uint32_t n;

	if (!store_cols_open(c, p, k))
		return;
	ids = store_sealed_layout(p, c->stripe->layout, &n);
	if (ids == NULL || n != c->n)
		return;
	metric = name_columns(x, c->stripe->layout, ids, n);
	for (uint32_t i = 0; i < n; i++) {
		struct store_usage_metric *m = &x->u->metrics[metric[i]];
		size_t rows = c->stripe->rows, there = rows;

		m->bytes += c->at[i + 1] - c->at[i];
		if (store_cols_holes(c, i) && store_cols_get(c, i, x->row))
			for (size_t r = 0; r < rows; r++)
				there -= num_bits(x->row[r]) == STORE_ABSENT;
		m->samples += there;
	}
}

/* A row that is not packed; a T has a time beside each value. */
static void
take_row(struct usage *x, const struct store_slot *p, double scale)
{
	size_t each = p->type == STORE_FRAME_T ? 12 : 8;
	const uint64_t *v = store_seg_frame(x->g, p);
	uint32_t n = 0;
	const uint32_t *metric,
	    *ids = v == NULL ? NULL : store_seg_layout(x->g, p->ref, &n);

	if (ids == NULL || !store_seg_row(p, n))
		return;
	metric = name_columns(x, p->ref, ids, n);
	for (uint32_t i = 0; i < n; i++) {
		struct store_usage_metric *m = &x->u->metrics[metric[i]];

		m->bytes += (size_t)((double)each * scale);
		m->samples += v[i] != STORE_ABSENT;
	}
}

static void
take_loose(struct usage *x, const struct store_slot *p, double scale)
{
	const void *frame = store_seg_frame(x->g, p);
	struct store_xview f;

	if (frame == NULL || !store_seg_x(p, frame, &f))
		return;
	for (uint32_t k = 0, from = 0; k < f.nser; from = f.end[k++]) {
		struct store_usage_metric *m = metric_of(x, f.id[k]);

		m->samples += f.end[k] - from;
		m->bytes +=
		    (size_t)((8 + 12 * (double)(f.end[k] - from)) * scale);
	}
}

static void
take_comments(struct usage *x, const struct store_slot *p, double scale)
{
	const uint8_t *frame = store_seg_frame(x->g, p);
	struct store_comment c;
	size_t at = 0;
	str text;

	while (frame != NULL && store_seg_comment(p, frame, &at, &c, &text))
		if (c.kind >= STORE_COMMENT_HIST &&
		    c.kind <= STORE_COMMENT_START)
			metric_of(x, c.id)->bytes +=
			    (size_t)((double)(sizeof(c) + text.n) * scale);
}

static void
take_slot(struct usage *x, const struct store_slot *p, double scale)
{
	if (p->type == STORE_FRAME_V || p->type == STORE_FRAME_T)
		take_row(x, p, scale);
	else if (p->type == STORE_FRAME_X)
		take_loose(x, p, scale);
	else if (p->type == STORE_FRAME_C)
		take_comments(x, p, scale);
}

/*
 * What of a part is no stripe is packed together: each frame is taken to have
 * shrunk as all did.
 */
static void
take_part(struct usage *x, struct store_usage_day *day)
{
	struct store_sealed *p = x->g->sealed;
	const struct store_sealed_head *h = store_sealed_head(p);
	double packed = (double)x->g->v.size, raw = 0;

	day->samples += h->samples;
	for (uint32_t k = 0; k < h->nstripes; k++) {
		packed -= store_sealed_stripe(p, k)->len;
		take_stripe(x, k);
	}
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < h->nothers; k++) {
			const struct store_slot *slot = store_seg_slot(
			    x->g, store_sealed_other(p, k)->slot);

			if (slot == NULL)
				continue;
			if (pass == 0)
				raw += slot->len;
			else
				take_slot(
				    x, slot, raw > packed ? packed / raw : 1);
		}
	store_sealed_forget(p);
}

static void
take_segment(struct usage *x, struct store_usage_day *day)
{
	for (uint32_t k = 0; k < x->g->n; k++) {
		uint32_t from = store_seg_batch(x->g, k);

		for (; from != STORE_NO_SLOT && from <= k; from++) {
			const struct store_slot *p = store_seg_slot(x->g, from);

			if (p->type >= STORE_FRAME_V &&
			    p->type <= STORE_FRAME_X)
				day->samples += p->n;
			take_slot(x, p, 1);
		}
	}
}

static int
take_day(struct usage *x, struct hashes *now, const struct hashes *before,
    struct error *e)
{
	struct store_usage *u = x->u;
	struct store_day *d = x->d;
	struct store_usage_day *day;
	char name[16];

	now->n = 0;
	if (store_day_use(x->s, d, e) == -1 ||
	    walk_series(x, d->start, d->start + DATE_DAY - 1, now, e) == -1)
		return -1;
	if (now->n > 0)
		qsort(now->v, now->n, sizeof(*now->v), by_hash);
	u->days = mem_grow(u->days, &x->daycap, u->ndays + 1, sizeof(*u->days));
	day = &u->days[u->ndays++];
	store_day_name(name, d->ymd);
	*day = (struct store_usage_day){
		.t = d->start,
		.series = now->n,
		.fresh = missing(now, before),
		.gone = missing(before, now),
		.bytes = store_dir_bytes(x->s, name),
	};
	for (size_t i = 0; d->open && i < d->n; i++) {
		x->g = d->seg[i];
		map_reset(&x->lays);
		arena_reset(&x->a);
		if (x->g->sealed != NULL)
			take_part(x, day);
		else
			take_segment(x, day);
	}
	return 0;
}

static int
by_series(const void *a, const void *b)
{
	const struct store_usage_metric *x = a, *y = b;

	if (x->series != y->series)
		return x->series < y->series ? 1 : -1;
	return str_cmp(x->name, y->name);
}

static int
by_n(const void *a, const void *b)
{
	const struct store_usage_pair *x = a, *y = b;
	int c;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	c = str_cmp(x->name, y->name);
	return c != 0 ? c : str_cmp(x->value, y->value);
}

static int
take(struct usage *x, struct error *e)
{
	struct hashes h[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
	struct store *s = x->s;
	int rc = store_days(s, e);

	for (size_t i = 0; i < s->n && rc == 0; i++) {
		x->d = s->days[i];
		rc = take_day(x, &h[i % 2], &h[(i + 1) % 2], e);
	}
	free(h[0].v);
	free(h[1].v);
	return rc == -1 ? -1 : walk_series(x, INT64_MIN, INT64_MAX, NULL, e);
}

int
store_usage(struct store *s, struct store_usage *u, struct error *e)
{
	struct usage *x = mem_zero(1, sizeof(*x));
	int rc;

	*u = (struct store_usage){ .nmetrics = 0 };
	x->s = s;
	x->u = u;
	x->cols = mem_zero(1, sizeof(*x->cols));
	s->readers++;
	rc = take(x, e);
	s->readers--;
	if (u->nmetrics > 0)
		qsort(u->metrics, u->nmetrics, sizeof(*u->metrics), by_series);
	if (u->npairs > 0)
		qsort(u->pairs, u->npairs, sizeof(*u->pairs), by_n);
	if (u->nlabels > 0)
		qsort(u->labels, u->nlabels, sizeof(*u->labels), by_n);
	store_cols_fini(x->cols);
	free(x->cols);
	map_fini(&x->lays);
	arena_fini(&x->a);
	map_fini(&x->metrics);
	map_fini(&x->pairs);
	map_fini(&x->labels);
	free(x);
	if (rc == 0)
		return 0;
	store_usage_fini(u);
	return error_add(e, "%s", s->path);
}

void
store_usage_fini(struct store_usage *u)
{
	free(u->metrics);
	free(u->pairs);
	free(u->labels);
	free(u->days);
	arena_fini(&u->a);
	*u = (struct store_usage){ .nmetrics = 0 };
}
