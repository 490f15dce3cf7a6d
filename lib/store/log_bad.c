/*
 * What of a log is no record: to be told of, and to be made an end of.  Bytes
 * that are no good become zeros, which stand for nothing; what follows keeps
 * its place, since that is the id of a series.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/dict.h"

static bool
makes_sense(const struct store_rec *rec, str bytes)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	return rec->hash == str_hash(bytes) &&
	    (rec->size >> 24 == STORE_REC_META ||
		store_dict_split(bytes, v, &ls));
}

bool
store_log_bad(const struct store_log *l, uint64_t *at, struct store_log_bad *b)
{
	uint64_t size = store_log_size(l), off;
	struct store_rec rec;
	str bytes;

	if (*at < store_log_first(l))
		*at = store_log_first(l);
	off = *at;
	while (store_log_find(l, &off, &rec, &bytes)) {
		bool hole = !store_log_free(l, *at, off);

		*b = (struct store_log_bad){ *at, off, STORE_LOG_BYTES };
		*at = hole ? off : store_log_after(off, &rec);
		if (hole)
			return true;
		*b = (struct store_log_bad){ off, *at, STORE_LOG_SENSE };
		if (!makes_sense(&rec, bytes))
			return true;
		off = *at;
	}
	*b = (struct store_log_bad){ *at, size, STORE_LOG_TAIL };
	if (*at > size)
		b->what = STORE_LOG_SHORT;
	else if (store_log_free(l, *at, size))
		return false;
	*at = size;
	return b->from != b->to;
}

/* The log with zeros for what is bad, in the file v; how many there were. */
static int
write_clear(const struct store_log *l, const struct store_view *v,
    store_log_fill *fill, void *arg, struct error *e)
{
	struct store_log_bad b;
	uint64_t at = 0;
	int n = 0;

	if (store_view_write(v, l->v.p, l->v.size, 0, e) == -1)
		return -1;
	for (; store_log_bad(l, &at, &b); n++) {
		uint64_t len = b.to > b.from ? b.to - b.from : 0;
		char *zeros = mem_zero(len + 1, 1);
		int r = store_view_write(v, zeros, len, b.from - l->base, e);

		free(zeros);
		if (r == -1 || (fill != NULL && fill(arg, l, &b, v, e) == -1))
			return -1;
	}
	/* The last record's padding may not be there. */
	if (ftruncate(v->fd, (off_t)((l->v.size + 7) & ~(size_t)7)) == -1 ||
	    fsync(v->fd) == -1)
		return error_errno(e, "%s", v->name);
	return n;
}

int
store_log_clear(const struct store_log *l, store_log_fill *fill, void *arg,
    char to[64], struct error *e)
{
	struct store_view v = { .dirfd = l->v.dirfd };
	int n;

	snprintf(v.name, sizeof(v.name), "%.24s.tmp", l->v.name);
	v.fd = openat(
	    v.dirfd, v.name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (v.fd == -1)
		return error_errno(e, "%s", v.name);
	n = write_clear(l, &v, fill, arg, e);
	close(v.fd);
	store_aside_name(v.dirfd, l->v.name, to);
	if (n > 0 && linkat(v.dirfd, l->v.name, v.dirfd, to, 0) == -1)
		n = error_errno(e, "%s", to);
	if (n > 0 && renameat(v.dirfd, v.name, v.dirfd, l->v.name) == -1)
		n = error_errno(e, "%s", l->v.name);
	if (n <= 0)
		unlinkat(v.dirfd, v.name, 0);
	return n;
}
