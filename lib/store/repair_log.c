/*
 * What segments and parts speak of, made sound: records of logs that are none
 * become zeros, an index that the log has all of is made of it, and one that
 * stands alone is made of what can be read of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/repair.h"

#define SERIES "series.log"

static bool
there(const struct store_repairs *w, const char *name)
{
	return faccessat(w->s->fd, name, F_OK, 0) == 0;
}

/* A file of the day. */
static const char *
path(const struct store_repairs *w, const char *file, char out[32])
{
	snprintf(out, 32, "%08u/%s", (unsigned)w->d->ymd, file);
	return out;
}

static int
aside(const struct store_repairs *w, const char *name, const char *lost)
{
	char to[64];

	if (store_set_aside(w->s->fd, name, to, w->e) == -1)
		return -1;
	store_repairs_tell(w, name, "set aside, %s", lost);
	return 0;
}

/* Is anything of an open log no good? */
static bool
bad(const struct store_log *l)
{
	struct store_log_bad b;
	uint64_t at = 0;

	return l->headless || store_log_bad(l, &at, &b);
}

/* Records that the index has, too, for a stretch of the log. */
struct again {
	struct store_index *index;
	const struct store_log *log;
	const struct store_log_bad *bad;
	const struct store_view *file;
	struct buf key, rec;
	size_t n;
	struct error *e;
};

static int
put_again(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct again *a = arg;
	uint64_t off = (uint64_t)id * 8;

	if (off < a->bad->from || off >= a->bad->to)
		return 0;
	buf_reset(&a->key);
	buf_reset(&a->rec);
	label_key(&a->key, ls);
	store_log_put(&a->rec, kind, buf_str(&a->key));
	if (a->rec.n > ((a->bad->to + 7) & ~UINT64_C(7)) - off)
		return 0;
	a->n++;
	return store_view_write(
	    a->file, a->rec.p, a->rec.n, off - a->log->base, a->e);
}

static int
fill(void *arg, const struct store_log *l, const struct store_log_bad *b,
    const struct store_view *v, struct error *e)
{
	struct again *a = arg;

	a->log = l;
	a->bad = b;
	a->file = v;
	a->e = e;
	return a->index == NULL ? 0 : store_index_walk(a->index, put_again, a);
}

/*
 * Opened to write it gets a head, if it has none that can be believed; then
 * what is no record goes.
 */
static int
mend(const struct store_repairs *w, const char *name, const char magic[8],
    struct store_index *index)
{
	struct store_log l = { .damage = NULL };
	struct again a = { .index = index };
	char to[64];
	int n;

	if (store_log_open(&l, w->s->fd, name, magic, true, 0, w->e) != 1)
		return -1;
	if (l.headless)
		store_repairs_tell(w, name, "its head is made anew");
	n = store_log_clear(&l, fill, &a, to, w->e);
	if (n > 0)
		store_repairs_tell(w, name,
		    "what is no record is taken out at %d places, and %zu "
		    "records put in that the index has; as it was it is %s",
		    n, a.n, to);
	buf_fini(&a.key);
	buf_fini(&a.rec);
	store_log_close(&l);
	return n == -1 ? -1 : 0;
}

int
store_repair_meta(const struct store_repairs *w)
{
	struct store_log l = { .damage = NULL };
	int r = store_log_open(
	    &l, w->s->fd, "meta.log", STORE_META_MAGIC, false, 0, w->e);
	bool wrong = r == 1 && bad(&l);

	if (r == -1)
		return -1;
	store_log_close(&l);
	if (r == 0 && there(w, "meta.log")) {
		wrong = true;
		if (aside(w, "meta.log", "the metadata is given up") == -1)
			return -1;
	}
	if (!wrong)
		return 0;
	/* What has been read of it may not be there any more. */
	store_meta_close(&w->s->meta);
	return mend(w, "meta.log", STORE_META_MAGIC, NULL);
}

/* The log, as far as it can be read. */
static int
labels_log(const struct store_repairs *w, const struct store_dict *d, bool open)
{
	char log[32], hash[32];

	path(w, SERIES, log);
	if (d->log.damaged) {
		if (aside(w, log, "nothing of it can be read") == -1)
			return -1;
	} else if (d->log.v.p != NULL && bad(&d->log)) {
		if (mend(w, log, STORE_LOG_MAGIC, d->index) == -1)
			return -1;
	} else if (open || w->d->n == 0) {
		return 0;
	}
	/* What is made of the log. */
	unlinkat(w->s->fd, path(w, "series.hash", hash), 0);
	if (open)
		return 0;
	store_repairs_tell(w, log, "begun anew, no labels are known");
	return mend(w, log, STORE_LOG_MAGIC, NULL);
}

/* Is it damaged?  What of it then is, is told. */
static bool
index_bad(const struct store_dict *d)
{
	return d->index_damaged ||
	    (d->index != NULL && store_index_damage(d->index) > 0) ||
	    (d->index == NULL && d->log.v.p != NULL && d->log.base > 0);
}

/*
 * The index of all that can be read; d is a dictionary of its own.  With a log
 * that has all, nothing of it is needed.
 */
static int
labels_index(const struct store_repairs *w, struct store_dict *d)
{
	bool whole = d->log.v.p != NULL && d->log.base == 0;
	char name[32], to[64];

	if (!index_bad(d))
		return 0;
	path(w, "index", name);
	if (whole) {
		store_index_close(d->index);
		d->index = NULL;
	}
	store_aside_name(w->s->fd, name, to);
	if (there(w, name) && linkat(w->s->fd, name, w->s->fd, to, 0) == -1)
		return error_errno(w->e, "%s", to);
	if (store_index_make(d, w->s->fd, w->e) == -1) {
		unlinkat(w->s->fd, to, 0);
		return -1;
	}
	store_repairs_tell(w, name, "made anew of %s",
	    whole ? "series.log, which has all of it"
		  : "what can be read; other labels are given up");
	return 0;
}

int
store_repair_spare(const struct store_repairs *w)
{
	struct buf b = { NULL, 0, 0 };
	uint64_t then = 0;
	struct store_dict d;
	int r = 0;

	for (size_t i = 0; i < w->d->n; i++) {
		uint64_t log = (uint64_t)store_seg_log(w->d->seg[i]) * 8;

		then = log > then ? log : then;
	}
	if (then <= w->d->dict.log.end)
		return 0;
	if (store_dict_open(&d, w->s->fd, w->d->ymd, w->s->boot, true, w->e) !=
	    1)
		return -1;
	r = store_dict_stat(&d, w->e);
	if (r == 0 && then > d.log.end) {
		d.log.end = then;
		store_log_put(&b, STORE_REC_META, STR_NONE);
		r = store_log_write(&d.log, buf_str(&b), true, w->e);
	}
	buf_fini(&b);
	store_dict_close(&d);
	return r;
}

int
store_repair_labels(const struct store_repairs *w)
{
	struct store_dict d;
	char name[32];
	int r, rc;

	r = store_dict_open(&d, w->s->fd, w->d->ymd, w->s->boot, false, w->e);
	if (r == -1)
		return -1;
	rc = labels_log(w, &d, r == 1);
	store_dict_close(&d);
	/* Nothing of it can be read: there is a log by now. */
	if (rc == 0 && d.index_damaged && r == 0)
		rc = aside(
		    w, path(w, "index", name), "nothing of it can be read");
	if (rc == -1)
		return -1;
	r = store_dict_open(&d, w->s->fd, w->d->ymd, w->s->boot, false, w->e);
	if (r != 1)
		return r;
	rc = labels_index(w, &d);
	store_dict_close(&d);
	return rc;
}
