/*
 * A way out of damage.  First what gives ids their labels (repair_log.c).  Then
 * a segment or part of which something cannot be read is sealed once more
 * without that, column by column; what is no segment or part at all is replaced
 * by a part that says nothing, so that no number is missing.  All is done with
 * both locks: it is rare, and nobody writes meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/repair.h"
#include "store/seal.h"
#include "store/sealed.h"

static void
quiet(void *arg, const char *msg)
{
	(void)arg;
	(void)msg;
}

static void
step(void *arg, size_t samples)
{
	(void)arg;
	(void)samples;
}

void
store_repairs_tell(
    const struct store_repairs *w, const char *name, const char *fmt, ...)
{
	struct buf b = { NULL, 0, 0 };
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	buf_printf(&b, "%s: %s", name, what);
	w->report(w->arg, buf_cstr(&b));
	buf_fini(&b);
}

/* What is neither segment nor part; *last gets the highest number of all. */
static int
files_aside(const struct store_repairs *w, uint32_t *last)
{
	struct store_span *v;
	char name[32], to[64];
	size_t n;
	int rc = 0;

	*last = 0;
	if (store_day_list(w->s, w->d->ymd, &v, &n, w->e) == -1)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++) {
		*last = v[i].last > *last ? v[i].last : *last;
		if (store_span_open(w->d, &v[i]))
			continue;
		store_span_name(name, w->d->ymd, &v[i]);
		rc = store_set_aside(w->s->fd, name, to, w->e);
		if (rc == 0)
			store_repairs_tell(w, name,
			    "set aside, nothing of it can be read; an unknown "
			    "number of samples is given up");
	}
	free(v);
	return rc;
}

/* A part of no batches stands for first..last, which come after g. */
static int
fill(const struct store_repairs *w, uint32_t first, uint32_t last,
    const struct store_seg *g)
{
	struct store_seg none = { .first = first, .no = last, .now = true };
	struct store_seg *v = &none;
	int64_t high = g == NULL ? -1 : store_seg_high(g);

	none.high = high < 0 ? UINT32_MAX : (uint32_t)high;
	return store_seal(w->s, w->d->ymd, &v, 1, NULL, step, NULL, w->e);
}

static int
fill_gaps(const struct store_repairs *w, uint32_t last)
{
	const struct store_day *d = w->d;
	const struct store_seg *before = NULL;

	for (size_t i = 0; i <= d->n; i++) {
		uint32_t from = before == NULL ? 1 : before->no + 1;
		uint32_t to = i < d->n ? d->seg[i]->first - 1 : last;

		if (to >= from && fill(w, from, to, before) == -1)
			return -1;
		before = i < d->n ? d->seg[i] : NULL;
	}
	return 0;
}

/* Ids of a file that the day's labels do not have. */
struct unknown {
	const struct store_dict *dict;
	struct store_ids seen, ids;
};

static void
look(struct unknown *u, uint32_t id, enum store_rec_kind kind)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	if (id == 0 || store_ids_find(&u->seen, id) != STORE_IDS_NONE)
		return;
	store_ids_add(&u->seen, id, 1);
	if (!store_dict_labels(u->dict, id, kind, v, &ls))
		store_ids_add(&u->ids, id, 1);
}

static void
look_frame(
    struct unknown *u, const struct store_seg *g, const struct store_slot *p)
{
	const void *frame = p->type == STORE_FRAME_X || p->type == STORE_FRAME_C
	    ? store_seg_frame(g, p)
	    : NULL;
	struct store_comment c;
	struct store_xview x;
	size_t at = 0;
	str text;

	if (p->source != 0)
		look(u, p->source, STORE_REC_SOURCE);
	if (frame == NULL)
		return;
	if (p->type == STORE_FRAME_C) {
		while (store_seg_comment(p, frame, &at, &c, &text))
			look(u, c.id, STORE_REC_SERIES);
	} else if (store_seg_x(p, frame, &x)) {
		for (uint32_t k = 0; k < x.nser; k++)
			look(u, x.id[k], STORE_REC_SERIES);
	}
}

static void
look_all(struct unknown *u, const struct store_seg *g)
{
	uint32_t layouts =
	    g->sealed == NULL ? g->n : store_sealed_head(g->sealed)->nlayouts;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);

		if (p != NULL)
			look_frame(u, g, p);
	}
	for (uint32_t k = 0; k < layouts; k++) {
		uint32_t n = 0;
		const uint32_t *ids = store_seg_layout(g, k, &n);

		for (uint32_t i = 0; ids != NULL && i < n; i++)
			look(u, ids[i], STORE_REC_SERIES);
	}
}

/* Nothing more is written to it. */
static int
shut(const struct store_repairs *w, const struct store_seg *g)
{
	struct store_seg x;
	int r;

	if (store_seg_closed(g))
		return 0;
	r = store_seg_open(
	    &x, w->s->fd, w->d->ymd, g->no, w->s->boot, true, w->e);
	if (r == 1) {
		r = store_seg_shut(&x, w->e);
		store_seg_close(&x);
	}
	return r;
}

/* What there is, as far as slots and heads tell. */
struct tally {
	uint64_t samples;
	size_t comments; /* frames of them that cannot be read */
	bool unknown;    /* and what damaged slots spoke of */
};

static void
tally_part(struct store_seg *g, struct tally *t)
{
	const struct store_sealed_head *h = store_sealed_head(g->sealed);

	t->samples = h->samples;
	for (uint32_t k = 0; k < h->nothers; k++) {
		const struct store_sealed_other *o =
		    store_sealed_other(g->sealed, k);
		const struct store_slot *p = store_seg_slot(g, o->slot);

		t->comments += o->type == STORE_FRAME_C &&
		    (p == NULL || store_seg_frame(g, p) == NULL);
	}
}

/* Slots behind the last one that ends a batch have not been committed. */
static void
tally_segment(struct store_seg *g, struct tally *t)
{
	uint64_t some = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);

		if (p == NULL) {
			t->unknown = t->unknown || !store_seg_free(g, i);
			continue;
		}
		if (p->type >= STORE_FRAME_V && p->type <= STORE_FRAME_X)
			some += p->n;
		else if (p->type == STORE_FRAME_C)
			t->comments += store_seg_frame(g, p) == NULL;
		if (p->flags & STORE_LAST) {
			t->samples += some;
			some = 0;
		}
	}
}

/* Say what of g is in the part that has been made of it; was is its name now.
 */
static int
tell_kept(const struct store_repairs *w, const struct store_seg *g,
    const struct tally *had, const char *was)
{
	struct store_seg now;
	uint64_t kept;
	char comments[64] = "";
	int r =
	    store_sealed_open(&now, w->s->fd, w->d->ymd, g->first, g->no, w->e);

	if (r != 1)
		return r == -1 ? -1 : error_set(w->e, "%s: gone", g->v.name);
	kept = store_sealed_head(now.sealed)->samples;
	store_seg_close(&now);
	if (had->comments > 0)
		snprintf(comments, sizeof(comments),
		    ", and %zu frames of histograms and the like",
		    had->comments);
	store_repairs_tell(w, g->v.name,
	    "made anew without what is damaged, and set aside as %s: %llu "
	    "samples are kept, %llu%s given up%s",
	    was, (unsigned long long)kept,
	    (unsigned long long)(had->samples > kept ? had->samples - kept : 0),
	    had->unknown ? " and an unknown number" : "", comments);
	return 0;
}

/* A part takes its own name again, so what it was is linked to before. */
static int
anew(
    const struct store_repairs *w, struct store_seg *g, const struct unknown *u)
{
	struct store_drop drop = {
		.ids = &u->ids,
		.hi = UINT32_MAX,
		.damaged = true,
	};
	struct tally had = { .samples = 0 };
	char to[64];

	store_aside_name(w->s->fd, g->v.name, to);
	if (g->sealed != NULL) {
		tally_part(g, &had);
		drop.hash = store_sealed_head(g->sealed)->dropped;
		if (linkat(w->s->fd, g->v.name, w->s->fd, to, 0) == -1)
			return error_errno(w->e, "%s", to);
	} else
		tally_segment(g, &had);
	if (shut(w, g) == -1 ||
	    store_seal(w->s, w->d->ymd, &g, 1, &drop, step, NULL, w->e) == -1) {
		if (g->sealed != NULL)
			unlinkat(w->s->fd, to, 0);
		return -1;
	}
	if (g->sealed == NULL &&
	    store_set_aside(w->s->fd, g->v.name, to, w->e) == -1)
		return -1;
	return tell_kept(w, g, &had, to);
}

static int
repair_file(const struct store_repairs *w, struct store_seg *g)
{
	struct unknown u = { .dict = &w->d->dict };
	int rc;

	if (store_check_file(w->s, w->d, g, quiet, NULL) == 0)
		return 0;
	look_all(&u, g);
	rc = anew(w, g, &u);
	store_ids_fini(&u.seen);
	store_ids_fini(&u.ids);
	return rc;
}

static int
repair_day(struct store_repairs *w)
{
	struct store_day *d = w->d;
	uint32_t last;

	if (store_day_use(w->s, d, w->e) == -1 ||
	    store_repair_labels(w) == -1 ||
	    store_day_use(w->s, d, w->e) == -1 || files_aside(w, &last) == -1 ||
	    fill_gaps(w, last) == -1 || store_day_use(w->s, d, w->e) == -1)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		if (repair_file(w, d->seg[i]) == -1)
			return -1;
	return store_repair_spare(w);
}

static int
repair(struct store *s, void (*report)(void *arg, const char *msg), void *arg,
    struct error *e)
{
	struct store_repairs all = { s, NULL, report, arg, e };

	if (store_repair_meta(&all) == -1 || store_days(s, e) == -1)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct store_day d = {
			.ymd = s->days[i]->ymd,
			.start = s->days[i]->start,
		};
		struct store_repairs w = { s, &d, report, arg, e };
		int r = repair_day(&w);

		store_day_close(&d);
		if (r == -1)
			return -1;
	}
	return 0;
}

int
store_repair(struct store *s, void (*report)(void *arg, const char *msg),
    void *arg, struct error *e)
{
	int lock = store_lock_compact(s, e), rc = -1;

	if (lock == -1)
		return error_add(e, "%s", s->path);
	if (store_lock(s, e) == 0) {
		rc = repair(s, report, arg, e);
		store_unlock(s);
	}
	close(lock);
	return rc == -1 ? error_add(e, "%s", s->path) : 0;
}
