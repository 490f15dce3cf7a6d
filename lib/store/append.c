/*
 * A batch on its way in: what of it is kept, which day each sample is of,
 * which series; then, day by day, what is new of it is written.
 */
#include "store/store.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/dur.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/writer.h"

struct job {
	struct store *s;
	const struct batch *b;
	const struct store_opts *o;
	struct store_counts *n;
	struct error *why;
	struct arena *a;
	struct store_wsource *src;
	struct store_limits limits;
	int64_t newest; /* of the store, and of the batch so far */
	/* Which items of the batch are of which day. */
	struct day {
		uint32_t ymd;
		int64_t start;
		uint32_t *at; /* indices into b->v */
		size_t n, cap;
		bool star;
		int64_t star_t;
	} * days;
	size_t ndays, cap, last;
};

static void
refuse(struct job *j, const struct expo_item *it, const char *what,
    const char *limit)
{
	struct buf b = { NULL, 0, 0 };

	j->n->refused++;
	if (j->why == NULL || j->why->msg[0] != '\0')
		return;
	label_print(&b, it->labels);
	error_set(j->why, "%zu:1: %.*s: %s%s", it->line,
	    b.n > 200 ? 200 : (int)b.n, b.p == NULL ? "" : b.p, what, limit);
	buf_fini(&b);
}

/* The day of t in the job, made if it is new. */
static struct day *
day_of(struct job *j, int64_t t)
{
	int64_t start;
	uint32_t ymd;
	struct day *d = j->ndays > 0 ? &j->days[j->last] : NULL;

	if (d != NULL && t >= d->start && t < d->start + DATE_DAY)
		return d;
	ymd = store_ymd(t, &start);
	for (j->last = 0; d != NULL && j->last < j->ndays; j->last++)
		if (j->days[j->last].ymd == ymd)
			return &j->days[j->last];
	j->days =
	    arena_grow(j->a, j->days, &j->cap, j->ndays + 1, sizeof(*j->days));
	d = &j->days[j->ndays++];
	*d = (struct day){ .ymd = ymd, .start = start };
	return d;
}

static enum store_meta_kind
meta_kind(enum expo_kind k)
{
	return k == EXPO_HELP ? STORE_META_HELP
	    : k == EXPO_TYPE  ? STORE_META_TYPE
	    : k == EXPO_UNIT  ? STORE_META_UNIT
			      : STORE_META_KIND;
}

/* Is a time beyond a limit?  The counter is the one of its kind. */
static bool
over(struct job *j, const struct expo_item *it, enum store_limit i, int64_t ms,
    const char *what, size_t *counter)
{
	struct buf b = { NULL, 0, 0 };

	if (!(j->limits.set >> i & 1) || ms <= j->limits.v[i])
		return false;
	++*counter;
	dur_print(&b, j->limits.v[i]);
	refuse(j, it, what, buf_cstr(&b));
	buf_fini(&b);
	return true;
}

/* The limits of time; what is within them moves the newest on. */
static bool
in_time(struct job *j, const struct expo_item *it)
{
	struct store_counts *n = j->n;

	if (over(j, it, STORE_LIMIT_WINDOW,
		j->newest == INT64_MIN ? 0 : j->newest - it->t,
		"older than the newest sample by more than the out-of-order "
		"window of ",
		&n->late))
		return false;
	if (j->o->now != 0 &&
	    (over(j, it, STORE_LIMIT_AGE, j->o->now - it->t,
		 "older than the limit of ", &n->aged) ||
		over(j, it, STORE_LIMIT_FUTURE, it->t - j->o->now,
		    "ahead of the clock by more than the limit of ", &n->aged)))
		return false;
	if (it->t > j->newest)
		j->newest = it->t;
	return true;
}

/* Does an item belong to a day?  Why not is told here. */
static bool
keep(struct job *j, const struct expo_item *it)
{
	if (it->kind != EXPO_STALE || !it->all)
		if (label_find(it->labels, LABEL_NAME).n == 0) {
			refuse(j, it, "a sample without a name", "");
			return false;
		}
	if (it->t < STORE_T_SECONDS && !j->o->any_time) {
		refuse(j, it,
		    "the time looks like seconds; use --input om, "
		    "or --any-time",
		    "");
		return false;
	}
	if (it->t < STORE_T_MIN || it->t > STORE_T_MAX) {
		refuse(j, it, "the time is out of range", "");
		return false;
	}
	return in_time(j, it);
}

/* Items to their days, metadata to its log. */
static void
sort_out(struct job *j)
{
	str job = label_find(j->b->labels, STR("job"));

	for (size_t i = 0; i < j->b->n; i++) {
		const struct expo_item *it = &j->b->v[i];
		struct day *d;

		switch (it->kind) {
		case EXPO_HELP:
		case EXPO_TYPE:
		case EXPO_UNIT:
		case EXPO_KIND:
			store_meta_put(&j->s->meta, job, it->name,
			    meta_kind(it->kind), it->text);
			continue;
		case EXPO_SAMPLE:
		case EXPO_STALE:
		case EXPO_HIST:
		case EXPO_EXEMPLAR:
		case EXPO_START:
			break;
		case EXPO_ALERT:
		case EXPO_STRING:
		case EXPO_BATCH:
		case EXPO_EOF:
			continue;
		}
		if (!keep(j, it))
			continue;
		d = day_of(j, it->t);
		if (it->kind == EXPO_STALE && it->all) {
			if (!j->b->opened)
				continue; /* there is no batch before it */
			d->star = true;
			d->star_t = it->t;
			continue;
		}
		d->at =
		    arena_grow(j->a, d->at, &d->cap, d->n + 1, sizeof(*d->at));
		d->at[d->n++] = (uint32_t)i;
	}
}

/* What stands behind the series (or the BATCH's time) in a comment line. */
static str
tail(struct buf *line, size_t prefix)
{
	str s = str_skip(buf_str(line), prefix);

	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	return s;
}

static void
put_comment(struct buf *out, enum store_comment_kind kind, uint32_t id,
    uint32_t ms, str text)
{
	struct store_comment c = {
		.id = id,
		.t = ms,
		.kind = kind,
		.len = (uint32_t)text.n,
	};

	buf_add(out, (str){ (const char *)&c, sizeof(c) });
	buf_add(out, text);
	while (out->n % 8 != 0)
		buf_byte(out, 0);
}

static void
comment(struct store_writer *w, struct buf *out, const struct expo_item *it,
    uint32_t id, uint32_t ms)
{
	enum store_comment_kind kind = it->kind == EXPO_HIST
	    ? STORE_COMMENT_HIST
	    : it->kind == EXPO_EXEMPLAR ? STORE_COMMENT_EXEMPLAR
					: STORE_COMMENT_START;
	size_t n;

	buf_reset(&w->text);
	label_print(&w->text, it->labels);
	n = w->text.n + 1; /* and a blank */
	buf_reset(&w->text);
	expo_put_item(&w->text, it);
	put_comment(
	    out, kind, id, ms, tail(&w->text, expo_word(it->kind).n + n));
}

static void
batch_keys(struct job *j, struct buf *out)
{
	struct buf *text = &j->s->w->text;
	size_t n;

	if (j->b->nkeys == 0)
		return;
	buf_reset(text);
	expo_put_batch(text, j->b->labels, j->b->t, NULL, 0);
	n = text->n;
	buf_reset(text);
	expo_put_batch(text, j->b->labels, j->b->t, j->b->keys, j->b->nkeys);
	put_comment(out, STORE_COMMENT_KEYS, 0, 0, tail(text, n - 1));
}

/* The value's bits; a NaN must not be taken for "absent". */
static uint64_t
bits_of(const struct expo_item *it)
{
	uint64_t bits =
	    it->kind == EXPO_STALE ? NUM_STALE_BITS : num_bits(it->v);

	return bits == STORE_ABSENT ? NUM_NAN_BITS : bits;
}

/* A day's part on its way. */
struct work {
	struct job *j;
	const struct day *day;
	struct store_wday *d;
	struct store_item *v;
	size_t n;
	bool sorted; /* by column */
	struct buf comments;
	uint32_t cmin, cmax;
};

/* Items to ids and columns. */
static void
resolve(struct work *w)
{
	struct store_wsource *src = w->j->src;
	const char *beyond;
	size_t c = 0;

	w->sorted = true;
	for (size_t i = 0; i < w->day->n; i++) {
		const struct expo_item *it = &w->j->b->v[w->day->at[i]];
		uint32_t ms = (uint32_t)(it->t - w->d->start), col, id;

		id = store_series_id(w->j->s, w->d, it, &w->j->limits, &beyond);
		if (id == 0) {
			w->j->n->beyond += beyond != NULL;
			refuse(w->j, it,
			    beyond != NULL ? beyond
					   : "its labels cannot be stored",
			    "");
			continue;
		}
		if (it->kind != EXPO_SAMPLE && it->kind != EXPO_STALE) {
			comment(w->j->s->w, &w->comments, it, id, ms);
			w->cmin = ms < w->cmin ? ms : w->cmin;
			w->cmax = ms > w->cmax ? ms : w->cmax;
			continue;
		}
		if (c < src->n && src->ids[c] == id)
			col = (uint32_t)c;
		else
			col = w->sorted ? store_wsource_col(src, id)
					: STORE_IDS_NONE;
		if (col == STORE_IDS_NONE || col < c)
			w->sorted = false;
		else
			c = (size_t)col + 1;
		w->v[w->n] = (struct store_item){
			.bits = bits_of(it),
			.id = id,
			.ms = ms,
			.order = (uint32_t)w->n,
			.at = w->day->at[i],
			.col = col,
		};
		w->n++;
	}
}

/* Drop what stands twice in the batch itself; v is sorted by id, time. */
static void
drop_twice(struct work *w)
{
	struct store_counts *c = w->j->n;
	size_t k = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (k > 0 && w->v[k - 1].id == w->v[i].id &&
		    w->v[k - 1].ms == w->v[i].ms) {
			if (w->v[k - 1].bits == w->v[i].bits)
				c->duplicates++;
			else
				c->conflicts++;
			continue;
		}
		w->v[k++] = w->v[i];
	}
	w->n = k;
}

/* Back into the order of the batch; places of what was dropped close up. */
static void
unsort(struct work *w, size_t n)
{
	struct store_item *at = arena_zero(w->j->a, n + 1, sizeof(*at));
	size_t k = 0;

	for (size_t i = 0; i < w->n; i++)
		at[w->v[i].order] = w->v[i];
	for (size_t i = 0; i < n; i++)
		if (at[i].id != 0)
			w->v[k++] = at[i];
}

static bool
all_once(const struct store_item *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1].id == v[i].id)
			return false;
	return true;
}

/* Leave what is new; then back into the order of the batch. */
static int
only_new(struct work *w, bool *unique, struct error *e)
{
	struct job *j = w->j;
	size_t n = w->n;

	store_items_sort(w->v, w->n);
	drop_twice(w);
	if (store_known(
		j->s, j->src, w->d, w->v, &w->n, j->o->replace, j->n, e) == -1)
		return -1;
	*unique = all_once(w->v, w->n);
	unsort(w, n);
	return 0;
}

/* May any of it be there already? */
static bool
may_be_known(const struct work *w)
{
	const struct store_wsource *src = w->j->src;
	int64_t high = store_wsource_high(src, w->d);

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].ms <= high)
			return true;
	return false;
}

/* The series that "# STALE *" ends: the previous batch's less this one's. */
static int
star(struct work *w, struct store_part *p, struct error *e)
{
	struct store_ids *ids = &w->j->s->w->ids;
	uint32_t *v;
	size_t n, k = 0;

	if (store_wsource_prev(w->j->s, w->j->src, w->d, &v, &n, e) == -1)
		return -1;
	store_ids_reset(ids, w->n + n);
	for (size_t i = 0; i < w->n; i++)
		store_ids_add(ids, w->v[i].id, 0);
	for (size_t i = 0; i < n; i++)
		if (store_ids_add(ids, v[i], (uint32_t)i + 1) == i + 1)
			v[k++] = v[i];
	p->stale = v;
	p->nstale = k;
	p->stale_ms = (uint32_t)(w->day->star_t - w->d->start);
	return 0;
}

static int64_t
newest(const struct work *w)
{
	uint32_t ms = w->comments.n > 0 ? w->cmax : 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].ms > ms)
			ms = w->v[i].ms;
	return w->d->start + ms;
}

static void
count(struct work *w, const struct store_part *p)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].bits == NUM_STALE_BITS)
			w->j->n->stale++;
		else
			w->j->n->samples++;
	w->j->n->stale += p->nstale;
}

/*
 * The first batch of a source that this process has seen: make the next
 * process's way short, if it was a plain scrape.
 */
static void
learn(struct work *w, const struct store_part *p, size_t asked)
{
	struct job *j = w->j;
	bool first = !j->src->learnt;

	j->src->learnt = true;
	if (!first || !j->b->opened || j->b->bad > 0 || j->ndays > 1 ||
	    w->n != asked || w->n == 0 || p->nstale > 0 || p->comments.n > 0 ||
	    w->day->star || j->src->layout == STORE_NO_SLOT ||
	    j->src->sparse > 0)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (w->d->start + w->v[i].ms != j->b->t)
			return;
	store_text_learn(j->s, j->src, w->d, j->b, w->v, w->n);
}

/* What is new of the comments, and the batch's keys if anything is. */
static int
comments_of(struct work *w, struct store_part *p, struct error *e)
{
	const struct job *j = w->j;

	if (w->comments.n > 0 &&
	    store_known_comments(
		j->s, j->src, w->d, &w->comments, j->o->replace, j->n, e) == -1)
		return -1;
	if (w->n + p->nstale + w->comments.n == 0)
		return 0;
	if (w->comments.n > 0) {
		p->cmin = w->cmin;
		p->cmax = w->cmax;
	}
	batch_keys(w->j, &w->comments);
	p->comments = buf_str(&w->comments);
	return 0;
}

static int
write_part(struct work *w, struct error *e)
{
	struct job *j = w->j;
	size_t asked;
	struct store_part p = {
		.replace = j->o->replace,
		.sync = j->o->sync,
		.unique = true,
	};

	resolve(w);
	asked = w->n;
	if (w->day->star && star(w, &p, e) == -1)
		return -1;
	if ((!w->sorted || may_be_known(w)) && only_new(w, &p.unique, e) == -1)
		return -1;
	p.t = j->b->opened ? j->b->t : newest(w);
	p.v = w->v;
	p.n = w->n;
	p.sorted = w->sorted;
	if (comments_of(w, &p, e) == -1)
		return -1;
	/* Even if nothing is new: ids were given out that will be used. */
	if (store_dict_commit(&w->d->dict, e) == -1)
		return -1;
	w->d->fresh = 0;
	if (w->n + p.nstale + p.comments.n > 0 &&
	    store_part_write(j->s, j->src, w->d, &p, e) == -1)
		return -1;
	count(w, &p);
	learn(w, &p, asked);
	return 0;
}

static int
append_day(struct job *j, const struct day *day, struct error *e)
{
	struct work w = {
		.j = j,
		.day = day,
		.cmin = UINT32_MAX,
	};
	int rc = -1;

	w.d = store_wday_use(j->s, day->ymd, day->start, e);
	if (w.d == NULL)
		return -1;
	w.v = arena_alloc(j->a, (day->n + 1) * sizeof(*w.v));
	if (store_wsource_use(j->s, j->src, w.d, e) == 0)
		rc = write_part(&w, e);
	/* What is in memory may say more than the files do. */
	if (rc == -1)
		store_wday_drop(j->s, w.d);
	buf_fini(&w.comments);
	return rc;
}

static int
append(struct job *j, struct error *e)
{
	if (store_meta_load(&j->s->meta, j->s->fd, true, e) == -1 ||
	    store_limits_use(j->s, &j->o->limits, &j->limits, e) == -1)
		return -1;
	if (j->s->meta.log.aside)
		store_damage_note(&j->s->damage, "meta.log.damaged");
	j->newest = INT64_MIN;
	if (j->limits.set >> STORE_LIMIT_WINDOW & 1 &&
	    store_newest(j->s, &j->newest, e) == -1)
		return -1;
	sort_out(j);
	if (store_meta_commit(&j->s->meta, j->o->sync, e) == -1)
		return -1;
	j->src = store_wsource_find(j->s, j->b->labels);
	for (size_t i = 0; i < j->ndays; i++)
		if (append_day(j, &j->days[i], e) == -1)
			return -1;
	return 0;
}

int
store_append(struct store *s, const struct batch *b, const struct store_opts *o,
    struct store_counts *n, struct error *why, struct error *e)
{
	struct job j = { .s = s, .b = b, .o = o, .n = n, .why = why };
	int rc;

	if (s->w == NULL)
		s->w = mem_zero(1, sizeof(*s->w));
	arena_reset(&s->w->arena);
	j.a = &s->w->arena;
	if (store_lock(s, e) == -1)
		return error_add(e, "%s", s->path);
	rc = append(&j, e);
	store_unlock(s);
	return rc == -1 ? error_add(e, "%s", s->path) : 0;
}
