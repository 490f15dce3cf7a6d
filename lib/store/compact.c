/*
 * Compaction, day by day.  What is sealed was shut before under the store's
 * lock, so that no writer adds to it; sealing itself takes no lock; when the
 * part is on the disk, what it stands for is removed, with the lock again.  A
 * crash at any point leaves files that say the same things twice, of which
 * readers take the widest, and a ".tmp".
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/seal.h"
#include "store/sealed.h"

#define MINUTE INT64_C(60000)
#define OPEN_FOR (30 * MINUTE) /* a segment, before it is shut */
#define LATE (10 * MINUTE)     /* a day is over so long after its end */

/* Parts are made one with what follows them if they are so much larger. */
#define GROWTH 2
#define GROWTH_OVER 16 /* when the day is over */

struct work {
	struct store *s;
	struct store_compact *c;
	struct store_day *d; /* opened for this */
	bool over;           /* the day is */
	uint64_t done, of;   /* samples of what is sealed */
};

static void
report(struct work *w, const char *msg)
{
	w->c->failed++;
	if (w->c->report != NULL)
		w->c->report(w->c->arg, msg);
}

static void
step(void *arg, size_t samples)
{
	struct work *w = arg;

	w->done += samples;
	w->c->samples += samples;
	if (w->c->step != NULL)
		w->c->step(w->c->arg, w->d->ymd, w->done, w->of);
}

/* Is a segment to be written to no more? */
static bool
due(const struct work *w, const struct store_seg *g, bool newest)
{
	const struct store_slot *p;

	if (!newest || w->c->seal || w->over || !g->now || g->n == g->cap)
		return true;
	p = g->n > 0 ? store_seg_slot(g, 0) : NULL;
	return p != NULL && p->t <= w->c->now - OPEN_FOR;
}

/*
 * With the lock: shut what is due.  An empty segment that is the newest stays
 * as it is, for there is nothing in it to seal.
 */
static int
shut(struct work *w, struct error *e)
{
	const struct store_day *d = w->d;

	for (size_t i = 0; i < d->n; i++) {
		struct store_seg g;
		int r;

		if (d->seg[i]->sealed != NULL || store_seg_closed(d->seg[i]) ||
		    (i + 1 == d->n && d->seg[i]->n == 0) ||
		    !due(w, d->seg[i], i + 1 == d->n))
			continue;
		r = store_seg_open(
		    &g, w->s->fd, d->ymd, d->seg[i]->no, w->s->boot, true, e);
		if (r == 1) {
			r = store_seg_shut(&g, e);
			store_seg_close(&g);
		}
		if (r == -1)
			return -1;
	}
	return 0;
}

/*
 * With the lock: what a part stands for goes, and files that were being made.
 * Nothing else is in the making: this process has compact.lock, and segments
 * are made with the lock.
 */
struct sweep {
	struct work *w;
	char day[16];
};

static int
sweep_name(void *arg, const char *name)
{
	struct sweep *x = arg;
	char path[80];
	size_t n = strlen(name);

	if (n > 4 && n < 40 && strcmp(name + n - 4, ".tmp") == 0) {
		snprintf(path, sizeof(path), "%s/%s", x->day, name);
		unlinkat(x->w->s->fd, path, 0);
	}
	return 0;
}

static void
unlink_span(const struct work *w, const struct store_span *v)
{
	char name[32];

	store_span_name(name, w->d->ymd, v);
	unlinkat(w->s->fd, name, 0);
}

static int
sweep(struct work *w, struct error *e)
{
	struct sweep x = { .w = w };
	const struct store_day *d = w->d;
	struct store_span *v;
	size_t n;

	store_day_name(x.day, d->ymd);
	if (store_dir_names(w->s->fd, x.day, sweep_name, &x, e) == -1 ||
	    store_day_list(w->s, d->ymd, &v, &n, e) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < d->n; k++) {
			const struct store_seg *g = d->seg[k];

			if (g->sealed != NULL && v[i].first >= g->first &&
			    v[i].last <= g->no &&
			    (!v[i].part || v[i].first != g->first ||
				v[i].last != g->no))
				unlink_span(w, &v[i]);
		}
	free(v);
	return 0;
}

/* Shut, swept, and seen again; the day's segments are then in w->d. */
static int
prepare(struct work *w, struct error *e)
{
	int rc = -1;

	if (store_lock(w->s, e) == -1)
		return -1;
	if (store_day_use(w->s, w->d, e) == 0 && shut(w, e) == 0 &&
	    sweep(w, e) == 0)
		rc = store_day_use(w->s, w->d, e);
	store_unlock(w->s);
	return rc;
}

static uint64_t
samples_in(const struct store_seg *g)
{
	uint64_t n = 0;

	if (g->sealed != NULL)
		return store_sealed_head(g->sealed)->samples;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);

		if (p != NULL && p->type >= STORE_FRAME_V &&
		    p->type <= STORE_FRAME_X)
			n += p->n;
	}
	return n;
}

/* Can it be sealed?  Why not is told. */
static bool
ready(struct work *w, const struct store_seg *g)
{
	char msg[160];

	if (g->sealed != NULL)
		return true;
	if (!store_seg_closed(g))
		return false;
	if (store_seg_sound(g))
		return true;
	snprintf(msg, sizeof(msg),
	    "%s: damaged, left as it is (see check --repair)", g->v.name);
	report(w, msg);
	return false;
}

/* Make one part of the day's segments from..to. */
static int
seal(struct work *w, size_t from, size_t to, const struct store_drop *drop,
    struct error *e)
{
	struct store_day *d = w->d;
	int rc;

	w->done = w->of = 0;
	for (size_t i = from; i < to; i++)
		w->of += samples_in(d->seg[i]);
	if (store_seal(
		w->s, d->ymd, d->seg + from, to - from, drop, step, w, e) == -1)
		return -1;
	w->c->parts++;
	if (store_lock(w->s, e) == -1)
		return -1;
	rc = store_day_use(w->s, d, e) == -1 || sweep(w, e) == -1 ? -1 : 0;
	store_unlock(w->s);
	return rc;
}

/*
 * Which of from..to, all ready, become one: those that are not sealed, and
 * what stands before them as long as it is not much more.  False: none.
 */
static bool
choose(const struct work *w, size_t *from, size_t to)
{
	struct store_seg *const *v = w->d->seg;
	uint64_t growth = w->over ? GROWTH_OVER : GROWTH, sum = 0;
	size_t at = to - 1, first = *from;

	for (size_t i = first; i < to; i++)
		if (v[i]->sealed == NULL) {
			at = i;
			break;
		}
	for (size_t i = at; i < to; i++)
		sum += samples_in(v[i]);
	while (at > first && samples_in(v[at - 1]) <= growth * sum)
		sum += samples_in(v[--at]);
	*from = at;
	return to - at > 1 || v[at]->sealed == NULL;
}

/* Runs of segments whose numbers follow each other, and that can be sealed. */
static void
seal_day(struct work *w)
{
	size_t to = w->d->n;

	while (to > 0) {
		struct store_seg *const *v = w->d->seg;
		size_t from = to, at;
		struct error why;

		while (from > 0 &&
		    (from == to || v[from - 1]->no + 1 == v[from]->first) &&
		    ready(w, v[from - 1]))
			from--;
		at = from;
		if (from < to && choose(w, &at, to) &&
		    seal(w, at, to, NULL, &why) == -1)
			report(w, why.msg);
		/* The list is another one now, but not before it. */
		to = from == to ? from - 1 : from;
	}
}

/* The rule that means a series, or the age of all others. */
static int64_t
keep_for(const struct store_compact *c, struct labels ls)
{
	for (size_t i = 0; i < c->nrule; i++)
		if (match_all(c->rule[i].m, c->rule[i].nm, ls))
			return c->rule[i].dur;
	return c->keep;
}

/* A day's series whose time is over. */
struct expired {
	struct work *w;
	int64_t age;
	struct store_ids *ids;
	uint64_t hash; /* the sum, so that their order does not matter */
	bool all;      /* every one is */
};

static int
is_expired(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct expired *x = arg;
	int64_t keep;
	uint64_t h;

	if (kind != STORE_REC_SERIES)
		return 0;
	keep = keep_for(x->w->c, ls);
	if (keep == 0 || x->age < keep) {
		x->all = false;
		return 0;
	}
	store_ids_add(x->ids, id, 1);
	h = (id + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	x->hash += h ^ h >> 29;
	return 0;
}

static int
remove_name(void *arg, const char *name)
{
	struct sweep *x = arg;
	char path[320];

	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		snprintf(path, sizeof(path), "%s/%s", x->day, name);
		unlinkat(x->w->s->fd, path, 0);
	}
	return 0;
}

static void
remove_files(struct work *w, const char *name)
{
	struct sweep x = { .w = w };
	struct error none;

	strlcpy(x.day, name, sizeof(x.day));
	(void)store_dir_names(w->s->fd, name, remove_name, &x, &none);
	(void)unlinkat(w->s->fd, name, AT_REMOVEDIR);
}

/* A day goes at once; its files then, and those of a process that died. */
static int
remove_day(struct work *w, uint32_t ymd, struct error *e)
{
	char from[16], to[16];
	int r;

	store_day_name(from, ymd);
	snprintf(to, sizeof(to), "%08u.tmp", (unsigned)ymd);
	remove_files(w, to);
	if (store_lock(w->s, e) == -1)
		return -1;
	r = renameat(w->s->fd, from, w->s->fd, to);
	store_unlock(w->s);
	if (r == -1)
		return error_errno(e, "%s", from);
	remove_files(w, to);
	w->c->removed++;
	return 0;
}

static int
sweep_day(void *arg, const char *name)
{
	if (strlen(name) == 12 && strspn(name, "0123456789") == 8 &&
	    strcmp(name + 8, ".tmp") == 0)
		remove_files(arg, name);
	return 0;
}

/* Make the whole day anew without some series. */
static int
thin(struct work *w, const struct store_drop *drop, struct error *e)
{
	struct store_day *d = w->d;
	size_t n = d->n;

	/* An empty one is still open: what comes into it is of later. */
	if (n > 0 && d->seg[n - 1]->sealed == NULL && d->seg[n - 1]->n == 0 &&
	    !store_seg_closed(d->seg[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && d->seg[i]->first != d->seg[i - 1]->no + 1) ||
		    !ready(w, d->seg[i]))
			return error_set(e,
			    "%08u: cannot be made anew: segments are damaged "
			    "or missing",
			    (unsigned)d->ymd);
	return n == 0 ? 0 : seal(w, 0, n, drop, e);
}

/* The shortest time anything is kept; 0: for ever. */
static int64_t
shortest(const struct store_compact *c)
{
	int64_t t = c->keep;

	for (size_t i = 0; i < c->nrule; i++)
		if (t == 0 || c->rule[i].dur < t)
			t = c->rule[i].dur;
	return t;
}

/* 1: the day went; 0; -1. */
static int
retain(struct work *w, struct error *e)
{
	int64_t age = w->c->now - (w->d->start + DATE_DAY);
	struct store_ids ids = { NULL, 0, 0 };
	struct store_drop drop = { .ids = &ids, .hi = UINT32_MAX };
	struct expired x = { w, age, &ids, 0, true };
	int64_t least = shortest(w->c);
	int rc = 0;

	if (least == 0 || age < least)
		return 0;
	if (w->d->open)
		store_dict_each(&w->d->dict, is_expired, &x);
	drop.hash = x.hash;
	if (x.all) {
		rc = remove_day(w, w->d->ymd, e) == -1 ? -1 : 1;
	} else if (ids.n > 0) {
		const struct store_seg *g = w->d->n > 0 ? w->d->seg[0] : NULL;

		if (g != NULL &&
		    (w->d->n > 1 || g->sealed == NULL ||
			store_sealed_head(g->sealed)->dropped != drop.hash))
			rc = thin(w, &drop, e);
	}
	store_ids_fini(&ids);
	return rc;
}

/* Has all been sealed? */
static bool
all_sealed(const struct work *w)
{
	for (size_t i = 0; i < w->d->n; i++)
		if (w->d->seg[i]->sealed == NULL && w->d->seg[i]->n > 0)
			return false;
	return w->d->n > 0;
}

/* Bytes of the log that queries of an open day look through. */
#define TAIL ((uint64_t)1 << 20)

/* Is the index to be made anew? */
static bool
index_due(const struct work *w, bool sealed)
{
	const struct store_dict *d = &w->d->dict;
	uint64_t tail = d->log.end - store_dict_tail(d);

	if (tail == 0 && d->index != NULL)
		return false;
	return sealed || (tail > TAIL && tail > d->log.end / 16);
}

/* Is anything of the log in no index, damaged records that is? */
static bool
log_sound(const struct store_log *l)
{
	uint64_t off = store_log_first(l), want = off;
	struct store_rec rec;
	str bytes;

	while (want < l->end && store_log_find(l, &off, &rec, &bytes) &&
	    off == want)
		off = want = store_log_after(off, &rec);
	return want >= l->end;
}

/*
 * With the lock: a day that is sealed needs neither log nor hash, if the index
 * has all that the log has by now.  A writer that comes later makes new ones.
 */
static int
forget_log(struct work *w, struct error *e)
{
	struct store_dict *d = &w->d->dict;
	char name[32];

	if (store_day_use(w->s, w->d, e) == -1)
		return -1;
	if (!all_sealed(w))
		return 0;
	if (d->log.v.p != NULL && d->index != NULL &&
	    store_index_end(d->index) == d->log.end && log_sound(&d->log)) {
		snprintf(
		    name, sizeof(name), "%08u/series.log", (unsigned)w->d->ymd);
		unlinkat(w->s->fd, name, 0);
	}
	snprintf(name, sizeof(name), "%08u/series.hash", (unsigned)w->d->ymd);
	unlinkat(w->s->fd, name, 0);
	return 0;
}

/* The labels of a day as columns; when it is over they stand nowhere else. */
static int
index_day(struct work *w, struct error *e)
{
	bool sealed = w->over && all_sealed(w);
	int rc = 0;

	if (!w->d->open)
		return 0;
	if (index_due(w, sealed)) {
		rc = store_index_make(&w->d->dict, w->s->fd, e);
		w->c->indexes += rc == 0;
	}
	if (rc == -1 || !sealed)
		return rc;
	if (store_lock(w->s, e) == -1)
		return -1;
	rc = forget_log(w, e);
	store_unlock(w->s);
	return rc;
}

/* Open a day for ourselves: what others hold of it is none of our business. */
static void
begin(struct work *w, struct store_day *d, uint32_t ymd)
{
	memset(d, 0, sizeof(*d));
	d->ymd = ymd;
	d->start = store_day_start(ymd);
	w->d = d;
	w->over = w->c->now >= d->start + DATE_DAY + LATE;
}

static int
compact_day(struct work *w, uint32_t ymd, struct error *e)
{
	struct store_day d;
	int r;

	begin(w, &d, ymd);
	r = prepare(w, e);
	if (r == 0)
		r = retain(w, e);
	if (r == 0) {
		seal_day(w);
		r = index_day(w, e);
	}
	w->d = NULL;
	store_day_close(&d);
	return r == -1 ? -1 : 0;
}

/* The oldest days go until the rest fits; the newest stays. */
static int
fit(struct work *w, struct error *e)
{
	struct store *s = w->s;
	uint64_t sum = store_dir_bytes(s, ".") + store_dir_bytes(s, "cache");
	uint64_t *size;
	char name[16];
	int rc = 0;

	if (w->c->max_size == 0)
		return 0;
	if (store_days(s, e) == -1)
		return -1;
	size = mem_zero(s->n + 1, sizeof(*size));
	for (size_t i = 0; i < s->n; i++) {
		store_day_name(name, s->days[i]->ymd);
		size[i] = store_dir_bytes(s, name);
		sum += size[i];
	}
	for (size_t i = 0; rc == 0 && i + 1 < s->n && sum > w->c->max_size;
	     i++) {
		rc = remove_day(w, s->days[i]->ymd, e);
		sum -= size[i];
	}
	free(size);
	return rc;
}

int
store_compact(struct store *s, struct store_compact *c, struct error *e)
{
	struct work w = { .s = s, .c = c };
	int lock = store_lock_compact(s, e), rc;
	uint32_t *ymd = NULL;
	size_t n = 0;

	if (lock == -1)
		return -1;
	rc = store_dir_names(s->fd, ".", sweep_day, &w, e);
	if (rc == 0)
		rc = store_days(s, e);
	if (rc == 0) {
		n = s->n;
		ymd = mem_zero(n + 1, sizeof(*ymd));
		for (size_t i = 0; i < n; i++)
			ymd[i] = s->days[i]->ymd;
	}
	for (size_t i = 0; i < n; i++) {
		struct error why;

		/* One bad day does not stop the others. */
		if (compact_day(&w, ymd[i], &why) == -1)
			report(&w, why.msg);
	}
	if (rc == 0)
		rc = fit(&w, e);
	free(ymd);
	close(lock);
	return rc == -1 ? error_add(e, "%s", s->path) : 0;
}

/* The day's series that match. */
struct matching {
	const struct match *m;
	size_t nm;
	struct store_ids *ids;
};

static int
matches(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct matching *x = arg;

	if (kind == STORE_REC_SERIES && match_all(x->m, x->nm, ls))
		store_ids_add(x->ids, id, 1);
	return 0;
}

static int
delete_day(struct work *w, uint32_t ymd, const struct match *m, size_t nm,
    int64_t from, int64_t to, struct error *e)
{
	struct store_ids ids = { NULL, 0, 0 };
	struct store_drop drop = { .ids = &ids };
	struct matching x = { m, nm, &ids };
	struct store_day d;
	int rc;

	begin(w, &d, ymd);
	drop.lo = from > d.start ? (uint32_t)(from - d.start) : 0;
	drop.hi =
	    to - d.start < DATE_DAY ? (uint32_t)(to - d.start) : UINT32_MAX;
	rc = prepare(w, e);
	if (rc == 0) {
		if (w->d->open)
			store_dict_each(&w->d->dict, matches, &x);
		if (ids.n > 0)
			rc = thin(w, &drop, e);
	}
	store_ids_fini(&ids);
	w->d = NULL;
	store_day_close(&d);
	return rc;
}

int
store_delete(struct store *s, const struct match *m, size_t nm, int64_t from,
    int64_t to, struct store_compact *c, struct error *e)
{
	struct work w = { .s = s, .c = c };
	int lock = store_lock_compact(s, e), rc;
	uint32_t *ymd;
	size_t n;

	if (lock == -1)
		return -1;
	c->seal = true;
	rc = store_days(s, e);
	n = rc == 0 ? s->n : 0;
	ymd = mem_zero(n + 1, sizeof(*ymd));
	for (size_t i = 0; i < n; i++)
		ymd[i] = s->days[i]->ymd;
	for (size_t i = 0; i < n && rc == 0; i++) {
		int64_t start = store_day_start(ymd[i]);

		if (to >= start && from < start + DATE_DAY)
			rc = delete_day(&w, ymd[i], m, nm, from, to, e);
	}
	free(ymd);
	close(lock);
	return rc == -1 ? error_add(e, "%s", s->path) : 0;
}
