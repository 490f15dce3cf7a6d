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
#include "base/num.h"
#include "store/dir.h"
#include "store/sealed.h"

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
	struct store_log_bad b;
	uint64_t at = 0;

	if (l->headless)
		tell(c, "%s: its head is damaged", l->v.name);
	while (store_log_bad(l, &at, &b)) {
		unsigned long long n = b.to - b.from, from = b.from;

		if (b.what == STORE_LOG_BYTES)
			tell(c, "%s: %llu damaged bytes at %llu", l->v.name, n,
			    from);
		else if (b.what == STORE_LOG_SENSE)
			tell(c, "%s: record at %llu makes no sense", l->v.name,
			    from);
		else if (b.what == STORE_LOG_SHORT)
			tell(c, "%s: cut short", l->v.name);
		else
			tell(c,
			    "%s: %llu bytes at the end are of no record (a "
			    "writer was killed or the file is damaged)",
			    l->v.name, n);
	}
}

/* Is a label set of the index what the log says, if that has it? */
static int
same_in_log(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct check *c = arg;
	const struct store_log *l = &c->d->dict.log;
	struct label v[STORE_LABELS_MAX];
	struct labels there;
	struct store_rec rec;
	str bytes;

	if (!store_log_at(l, (uint64_t)id * 8, &rec, &bytes) ||
	    (rec.size >> 24 == (uint32_t)kind &&
		store_dict_split(bytes, v, &there) && label_eq(ls, there)))
		return 0;
	tell(c, "%08u/index: id %u has other labels in the log",
	    (unsigned)c->d->ymd, (unsigned)id);
	return -1;
}

/* The index, and that none is missing between it and the log. */
static void
check_index(struct check *c)
{
	const struct store_dict *d = &c->d->dict;
	size_t bad = d->index == NULL ? 0 : store_index_damage(d->index);

	if (bad > 0)
		tell(c, "%08u/index: %zu columns or symbols are damaged",
		    (unsigned)c->d->ymd, bad);
	else if (d->index != NULL)
		store_index_walk(d->index, same_in_log, c);
	if (d->log.v.p != NULL && d->log.base > 0 &&
	    (d->index == NULL ||
		store_index_end(d->index) < store_log_first(&d->log)))
		tell(c,
		    "%08u/index: missing or damaged, the labels of %llu bytes "
		    "of the log are lost",
		    (unsigned)c->d->ymd, (unsigned long long)d->log.base);
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
	if (g->v.size <
	    STORE_SEG_HEAD + (uint64_t)g->cap * sizeof(struct store_slot))
		tell(c, "%s: cut short, what was in it is lost", g->v.name);
	for (uint32_t i = 0; i < g->n; i++) {
		const struct store_slot *p = store_seg_slot(g, i);
		uint32_t from;

		if (p == NULL) {
			tell(c, "%s: slot %u is damaged", g->v.name, i);
			continue;
		}
		if (!(p->flags & STORE_LAST) || p->flags & STORE_LOST)
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

/* A stripe's columns: what is absent is not counted. */
static uint64_t
check_stripe(struct check *c, const struct store_seg *g, uint32_t k,
    struct store_cols *x)
{
	const struct store_stripe *s = store_sealed_stripe(g->sealed, k);
	double v[STORE_SEALED_ROWS];
	uint64_t n = 0;
	size_t lost = 0;

	if (!store_cols_open(x, g->sealed, k)) {
		tell(c, "%s: stripe %u: damaged, its %u rows are lost",
		    g->v.name, k, s->rows);
		return 0;
	}
	for (uint32_t col = 0; col < x->n; col++) {
		if (!store_cols_get(x, col, v)) {
			lost++;
			continue;
		}
		for (uint32_t r = 0; r < s->rows; r++)
			n += num_bits(v[r]) != STORE_ABSENT;
	}
	if (lost > 0)
		tell(c, "%s: stripe %u: %u rows of %zu series are lost",
		    g->v.name, k, s->rows, lost);
	for (uint32_t r = 0; r < s->rows; r++)
		if (x->t[r] < s->tmin || x->t[r] > s->tmax ||
		    x->slot[r] < s->first || x->slot[r] > s->last) {
			tell(c, "%s: stripe %u: rows outside of its bounds",
			    g->v.name, k);
			break;
		}
	return n;
}

/* Slots of a part, page by page; the frames of those that are no rows. */
static void
check_slots(struct check *c, const struct store_seg *g, uint64_t *n)
{
	uint32_t npages = store_sealed_head(g->sealed)->npages;

	for (uint32_t k = 0; k < npages; k++) {
		uint32_t i = store_sealed_page(g->sealed, k);
		uint32_t end = store_sealed_page(g->sealed, k + 1);

		if (!store_sealed_page_sound(g->sealed, k)) {
			tell(c, "%s: slots %u to %u are damaged", g->v.name, i,
			    end - 1);
			continue;
		}
		for (; i < end; i++) {
			const struct store_slot *p = store_seg_slot(g, i);

			if (p == NULL) {
				tell(
				    c, "%s: slot %u: of no type", g->v.name, i);
				continue;
			}
			if (p->flags & STORE_LAST &&
			    store_seg_batch(g, i) == STORE_NO_SLOT)
				tell(c, "%s: slot %u: a batch in parts",
				    g->v.name, i);
			if (p->source != 0 &&
			    !known(c, p->source, STORE_REC_SOURCE))
				tell(c, "%s: slot %u: its source is not known",
				    g->v.name, i);
			if (p->type == STORE_FRAME_V)
				continue;
			if (p->type != STORE_FRAME_C)
				*n += p->n;
			check_frame(c, g, i);
		}
	}
}

static void
check_part(struct check *c, const struct store_seg *g)
{
	const struct store_sealed_head *h = store_sealed_head(g->sealed);
	struct store_cols *x = mem_zero(1, sizeof(*x));
	size_t before = c->bad;
	uint64_t n = 0;

	for (uint32_t k = 0; k < h->nlayouts; k++) {
		uint32_t cols;
		const uint32_t *ids = store_sealed_layout(g->sealed, k, &cols);
		size_t lost = 0;

		for (uint32_t i = 0; ids != NULL && i < cols; i++)
			lost += !known(c, ids[i], STORE_REC_SERIES);
		if (ids == NULL)
			tell(c, "%s: layout %u: damaged, its series are lost",
			    g->v.name, k);
		else if (lost > 0)
			tell(c, "%s: layout %u: %zu series are not known",
			    g->v.name, k, lost);
	}
	for (uint32_t k = 0; k < h->nstripes; k++)
		n += check_stripe(c, g, k, x);
	check_slots(c, g, &n);
	if (c->bad == before && n != h->samples)
		tell(c, "%s: %llu samples, but %llu are told of", g->v.name,
		    (unsigned long long)n, (unsigned long long)h->samples);
	store_sealed_forget(g->sealed);
	store_cols_fini(x);
	free(x);
}

size_t
store_check_file(struct store *s, const struct store_day *d,
    const struct store_seg *g, void (*report)(void *arg, const char *msg),
    void *arg)
{
	struct check c = { .s = s, .d = d, .report = report, .arg = arg };

	if (g->sealed != NULL)
		check_part(&c, g);
	else
		check_segment(&c, g);
	return c.bad;
}

bool
store_span_open(const struct store_day *d, const struct store_span *x)
{
	for (size_t k = 0; k < d->n; k++)
		if (d->seg[k]->first <= x->first && d->seg[k]->no >= x->last)
			return true;
	return false;
}

/*
 * Files that should be segments or parts and could not be opened as such, and
 * numbers that no file has.
 */
static int
check_files(struct check *c, struct error *e)
{
	const struct store_day *d = c->d;
	struct store_span *v;
	uint32_t next = 1;
	size_t n;

	if (store_day_list(c->s, d->ymd, &v, &n, e) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (store_span_open(d, &v[i]))
			continue;
		if (v[i].part)
			tell(c, "%08u/%06u-%06u.part: not a part, or damaged",
			    (unsigned)d->ymd, v[i].first, v[i].last);
		else
			tell(c, "%08u/%06u.seg: not a segment, or damaged",
			    (unsigned)d->ymd, v[i].last);
	}
	n = store_span_widest(v, n);
	for (size_t i = 0; i < n; next = v[i++].last + 1)
		if (v[i].first > next)
			tell(c, "%08u: segments %u to %u are missing",
			    (unsigned)d->ymd, next, v[i].first - 1);
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
	else if (faccessat(s->fd, "meta.log", F_OK, 0) == 0)
		tell(&c, "meta.log: damaged, the metadata is lost");
	for (size_t i = 0; i < s->n; i++) {
		struct store_day *d = s->days[i];

		c.d = d;
		if (store_day_use(s, d, e) == -1 || check_files(&c, e) == -1)
			return error_add(e, "%s", s->path);
		if (!d->open) {
			if (d->n > 0)
				tell(&c,
				    "%08u: series.log and index are missing "
				    "or damaged",
				    (unsigned)d->ymd);
			continue;
		}
		if (d->dict.log.v.p != NULL)
			check_log(&c, &d->dict.log);
		else if (d->dict.log.damaged)
			tell(&c,
			    "%08u/series.log: damaged, its series are lost",
			    (unsigned)d->ymd);
		check_index(&c);
		for (size_t k = 0; k < d->n; k++)
			if (d->seg[k]->sealed != NULL)
				check_part(&c, d->seg[k]);
			else
				check_segment(&c, d->seg[k]);
	}
	return c.bad > 0;
}

static void
info_part(struct store_info *i, const struct store_day *d,
    const struct store_sealed_head *h)
{
	i->parts++;
	i->batches += h->batches;
	i->samples += h->samples;
	if (h->samples == 0)
		return;
	if (d->start + h->tmin < i->from)
		i->from = d->start + h->tmin;
	if (d->start + h->tmax > i->to)
		i->to = d->start + h->tmax;
}

static void
info_segment(
    struct store_info *i, const struct store_day *d, const struct store_seg *g)
{
	if (g->sealed != NULL) {
		info_part(i, d, store_sealed_head(g->sealed));
		return;
	}
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

size_t
store_dir_bytes(const struct store *s, const char *name)
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

struct hashes {
	uint64_t *v;
	size_t n, cap;
};

static int
take_hash(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct hashes *h = arg;

	(void)id;
	if (kind != STORE_REC_SERIES)
		return 0;
	h->v = mem_grow(h->v, &h->cap, h->n + 1, sizeof(*h->v));
	h->v[h->n++] = label_hash(ls);
	return 0;
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
	struct hashes h = { NULL, 0, 0 };

	*i = (struct store_info){ .from = INT64_MAX, .to = INT64_MIN };
	if (store_days(s, e) == -1)
		return error_add(e, "%s", s->path);
	i->bytes = store_dir_bytes(s, ".") + store_dir_bytes(s, "cache");
	for (size_t k = 0; k < s->n; k++) {
		struct store_day *d = s->days[k];
		char name[16];

		if (store_day_use(s, d, e) == -1) {
			free(h.v);
			return error_add(e, "%s", s->path);
		}
		i->days++;
		snprintf(name, sizeof(name), "%08u", (unsigned)d->ymd);
		i->bytes += store_dir_bytes(s, name);
		for (size_t g = 0; g < d->n; g++)
			info_segment(i, d, d->seg[g]);
		if (d->open)
			store_dict_each(&d->dict, take_hash, &h);
	}
	if (h.n > 0)
		qsort(h.v, h.n, sizeof(*h.v), by_hash);
	for (size_t k = 0; k < h.n; k++)
		i->series += k == 0 || h.v[k] != h.v[k - 1];
	if (i->from > i->to)
		i->from = i->to = 0;
	free(h.v);
	return 0;
}
