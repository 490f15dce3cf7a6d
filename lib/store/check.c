/*
 * What is in a store, and whether it is sound: every checksum, every reference
 * from slots to layouts and from layouts to the dictionary.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/dir.h"

struct check {
	struct store *s;
	const struct store_day *d;
	void (*report)(void *arg, const char *msg);
	void *arg;
	size_t bad;
};

__attribute__((format(printf, 2, 3))) static void
tell(struct check *c, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	c->bad++;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	c->report(c->arg, msg);
}

static void
check_log(struct check *c, const struct store_log *l)
{
	uint64_t off = sizeof(struct store_log_head), want = off;
	struct label v[STORE_LABELS_MAX];
	struct store_rec rec;
	struct labels ls;
	str bytes;

	while (store_log_find(l, &off, &rec, &bytes)) {
		if (off != want)
			tell(c, "%s: %llu damaged bytes at %llu", l->v.name,
			    (unsigned long long)(off - want),
			    (unsigned long long)want);
		if (rec.hash != str_hash(bytes) ||
		    (rec.size >> 24 != STORE_REC_META &&
			!store_dict_split(bytes, v, &ls)))
			tell(c, "%s: record at %llu makes no sense", l->v.name,
			    (unsigned long long)off);
		off = want = store_log_after(off, &rec);
	}
	if (want < l->v.size)
		tell(c,
		    "%s: %llu bytes at the end are of no record (a writer "
		    "was killed or the file is damaged)",
		    l->v.name, (unsigned long long)(l->v.size - want));
	else if (want > l->v.size)
		tell(c, "%s: cut short", l->v.name);
}

static bool
known(const struct check *c, uint32_t id, enum store_rec_kind kind)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	return store_dict_labels(&c->d->dict, id, kind, v, &ls);
}

static void
check_layout(struct check *c, const struct store_seg *g, uint32_t i,
    const struct store_slot *p)
{
	uint32_t n;
	const uint32_t *ids = store_seg_layout(g, i, &n);
	size_t lost = 0;

	if (ids == NULL || n != p->n) {
		tell(c, "%s: slot %u: not a layout", g->v.name, i);
		return;
	}
	for (uint32_t k = 0; k < n; k++)
		lost += !known(c, ids[k], STORE_REC_SERIES);
	if (lost > 0)
		tell(c, "%s: slot %u: %zu series of the layout are not known",
		    g->v.name, i, lost);
}

static void
check_row(struct check *c, const struct store_seg *g, uint32_t i,
    const struct store_slot *p, const uint64_t *v)
{
	uint32_t cols, n = 0;
	const uint32_t *ids = store_seg_layout(g, p->ref, &cols);
	bool times = true;

	if (ids == NULL || !store_seg_row(p, cols)) {
		tell(c, "%s: slot %u: a row without its layout", g->v.name, i);
		return;
	}
	for (uint32_t k = 0; k < cols; k++) {
		uint32_t ms = p->type == STORE_FRAME_T
		    ? ((const uint32_t *)(v + cols))[k]
		    : p->tmin;

		if (v[k] == STORE_ABSENT)
			continue;
		n++;
		times = times && ms >= p->tmin && ms <= p->tmax;
	}
	if (n != p->n || !times)
		tell(c, "%s: slot %u: the row is not what its slot says",
		    g->v.name, i);
}

static void
check_x(struct check *c, const struct store_seg *g, uint32_t i,
    const struct store_slot *p, const void *frame)
{
	struct store_xview x;
	size_t lost = 0;
	bool times = true;

	if (!store_seg_x(p, frame, &x)) {
		tell(c, "%s: slot %u: samples out of order", g->v.name, i);
		return;
	}
	for (uint32_t k = 0, j = 0; k < x.nser; k++) {
		lost += !known(c, x.id[k], STORE_REC_SERIES);
		for (; j < x.end[k]; j++)
			times = times && x.t[j] >= p->tmin && x.t[j] <= p->tmax;
	}
	if (lost > 0)
		tell(c, "%s: slot %u: %zu series are not known", g->v.name, i,
		    lost);
	if (!times)
		tell(c, "%s: slot %u: times are not what the slot says",
		    g->v.name, i);
}

static void
check_frame(struct check *c, const struct store_seg *g, uint32_t i)
{
	const struct store_slot *p = store_seg_slot(g, i);
	const void *frame = store_seg_frame(g, p);

	if (frame == NULL) {
		tell(c, "%s: slot %u: wrong checksum, %u samples at %lld lost",
		    g->v.name, i, p->n, (long long)p->t);
		return;
	}
	if (p->source != 0 && !known(c, p->source, STORE_REC_SOURCE))
		tell(c, "%s: slot %u: its source is not known", g->v.name, i);
	if (p->tmin > p->tmax || p->tmax >= DATE_DAY)
		tell(c, "%s: slot %u: times outside of the day", g->v.name, i);
	if (p->type == STORE_FRAME_I)
		check_layout(c, g, i, p);
	else if (p->type == STORE_FRAME_V || p->type == STORE_FRAME_T)
		check_row(c, g, i, p, frame);
	else if (p->type == STORE_FRAME_X)
		check_x(c, g, i, p, frame);
	else if (p->type != STORE_FRAME_C)
		tell(c, "%s: slot %u: unknown type %u", g->v.name, i, p->type);
}

static void
check_segment(struct check *c, const struct store_seg *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);
		uint32_t from;

		if (p == NULL) {
			tell(c, "%s: slot %u is damaged", g->v.name, i);
			continue;
		}
		if (!(p->flags & STORE_LAST))
			continue;
		from = store_seg_batch(g, i);
		if (from == STORE_NO_SLOT) {
			tell(c, "%s: slot %u: parts of its batch are lost",
			    g->v.name, i);
			continue;
		}
		for (; from <= i; from++)
			check_frame(c, g, from);
	}
}

/* Files that should be segments and could not be opened as such. */
static int
check_unopened(struct check *c, struct error *e)
{
	uint32_t *v;
	size_t n;

	if (store_day_list(c->s, c->d->ymd, &v, &n, e) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < c->d->n && c->d->seg[k]->no != v[i])
			k++;
		if (k == c->d->n)
			tell(c, "%08u/%06u.seg: not a segment, or damaged",
			    (unsigned)c->d->ymd, (unsigned)v[i]);
	}
	free(v);
	return 0;
}

int
store_check(struct store *s, void (*report)(void *arg, const char *msg),
    void *arg, struct error *e)
{
	struct check c = { .s = s, .report = report, .arg = arg };

	if (store_days(s, e) == -1 ||
	    store_meta_load(&s->meta, s->fd, s->mode == STORE_WRITE, e) == -1)
		return error_add(e, "%s", s->path);
	if (s->meta.open)
		check_log(&c, &s->meta.log);
	for (size_t i = 0; i < s->n; i++) {
		struct store_day *d = s->days[i];

		c.d = d;
		if (store_day_use(s, d, e) == -1 || check_unopened(&c, e) == -1)
			return error_add(e, "%s", s->path);
		if (!d->open) {
			if (d->n > 0)
				tell(&c, "%08u/series.log: missing or damaged",
				    (unsigned)d->ymd);
			continue;
		}
		check_log(&c, &d->dict.log);
		for (size_t k = 0; k < d->n; k++)
			check_segment(&c, d->seg[k]);
	}
	return c.bad > 0;
}

static void
info_segment(
    struct store_info *i, const struct store_day *d, const struct store_seg *g)
{
	i->segments++;
	for (uint32_t k = 0; k < g->n; k++) {
		uint32_t from = store_seg_batch(g, k);

		if (from == STORE_NO_SLOT)
			continue;
		i->batches++;
		for (; from <= k; from++) {
			const struct store_slot *p = store_seg_slot(g, from);

			if (p->type < STORE_FRAME_V || p->type > STORE_FRAME_X)
				continue;
			i->samples += p->n;
			if (d->start + p->tmin < i->from)
				i->from = d->start + p->tmin;
			if (d->start + p->tmax > i->to)
				i->to = d->start + p->tmax;
		}
	}
}

static size_t
bytes_in(const struct store *s, const char *name)
{
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *de;
	struct stat st;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while ((de = readdir(dir)) != NULL)
		if (fstatat(fd, de->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			n += (size_t)st.st_blocks * 512;
	closedir(dir);
	return n;
}

static int
by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
store_info(struct store *s, struct store_info *i, struct error *e)
{
	uint64_t *v = NULL;
	size_t n = 0, cap = 0;

	*i = (struct store_info){ .from = INT64_MAX, .to = INT64_MIN };
	if (store_days(s, e) == -1)
		return error_add(e, "%s", s->path);
	i->bytes = bytes_in(s, ".") + bytes_in(s, "cache");
	for (size_t k = 0; k < s->n; k++) {
		struct store_day *d = s->days[k];
		uint64_t off = sizeof(struct store_log_head);
		struct store_rec rec;
		char name[16];
		str bytes;

		if (store_day_use(s, d, e) == -1) {
			free(v);
			return error_add(e, "%s", s->path);
		}
		i->days++;
		snprintf(name, sizeof(name), "%08u", (unsigned)d->ymd);
		i->bytes += bytes_in(s, name);
		for (size_t g = 0; g < d->n; g++)
			info_segment(i, d, d->seg[g]);
		while (d->open && off < d->dict.log.end &&
		    store_log_find(&d->dict.log, &off, &rec, &bytes)) {
			off = store_log_after(off, &rec);
			if (rec.size >> 24 != STORE_REC_SERIES)
				continue;
			v = mem_grow(v, &cap, n + 1, sizeof(*v));
			v[n++] = rec.hash;
		}
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), by_hash);
	for (size_t k = 0; k < n; k++)
		i->series += k == 0 || v[k] != v[k - 1];
	if (i->from > i->to)
		i->from = i->to = 0;
	free(v);
	return 0;
}
