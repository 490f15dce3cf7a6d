/*
 * Label sets to ids.  The order of writing is what makes a kill harmless: the
 * log, then the hash's pairs, then its count of bytes
 * done; the next writer does again what is missing, which is idempotent.
 */
#include "store/dict.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define HASH "series.hash"
#define TMP "series.hash.tmp"
#define CAP_MIN 256

/* The path of one of the day's files. */
static const char *
path(const struct store_dict *d, const char *file, char out[40])
{
	snprintf(out, 40, "%s%s", d->day, file);
	return out;
}

/* Where a log that is made now goes on. */
static uint64_t
log_base(const struct store_index *x)
{
	return x == NULL ? 0
			 : store_index_end(x) - sizeof(struct store_log_head);
}

/*
 * The log, then the index: what the log does not have any more is then in the
 * index, whatever is done to them meanwhile.  A writer has the lock, and a log
 * that it makes goes on where the index ends.
 */
static int
open_files(struct store_dict *d, bool write, struct error *e)
{
	char name[40];
	uint32_t day = (uint32_t)strtoul(d->day, NULL, 10);
	int r;

	path(d, "series.log", name);
	if (write) {
		if (store_index_open(&d->index, d->dirfd, day, e) == -1)
			return -1;
		return store_log_open(&d->log, d->dirfd, name, STORE_LOG_MAGIC,
		    true, log_base(d->index), e);
	}
	r = store_log_open(
	    &d->log, d->dirfd, name, STORE_LOG_MAGIC, false, 0, e);
	if (r == -1)
		return -1;
	r = store_index_open(&d->index, d->dirfd, day, e);
	d->index_damaged = r == 2;
	if (r == -1)
		return -1;
	/* What stands before its records, only its head has told. */
	if (d->log.headless && (d->index != NULL || d->index_damaged)) {
		store_log_close(&d->log);
		d->log.damaged = true;
	}
	return d->log.v.p != NULL || d->index != NULL;
}

/*
 * Bits that flipped must not make a series be not found, which would give it a
 * second id.  A CRC would do no more for numbers of one word.
 */
static uint64_t
check_of(uint64_t a, uint64_t b)
{
	return (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) *
	    UINT64_C(0xff51afd7ed558ccd);
}

static uint32_t
pair_check(uint64_t hash, uint32_t id)
{
	return (uint32_t)(check_of(hash, id) >> 32);
}

static uint64_t
head_check(const struct store_hash_head *h)
{
	return check_of(h->cap, h->done);
}

static void
hash_close(struct store_dict *d)
{
	if (d->hash != NULL)
		munmap(d->hash, d->hash_size);
	if (d->hash_fd != -1)
		close(d->hash_fd);
	d->hash = NULL;
	d->hash_fd = -1;
}

void
store_dict_close(struct store_dict *d)
{
	hash_close(d);
	store_dict_bury(d);
	store_log_close(&d->log);
	store_index_close(d->index);
	d->index = NULL;
	buf_fini(&d->fresh);
	map_fini(&d->fresh_ids);
	arena_fini(&d->fresh_keys);
}

/*
 * Readers look for the log's end from where the hash says that it is good, so
 * that opening does not read the whole log.  A wrong answer here would only
 * hide series, so the hash is believed no further than the boot it is of.
 */
static uint64_t
hash_done(const struct store_dict *d)
{
	struct store_hash_head h = { .done = 0 };
	char name[40];
	int fd = openat(d->dirfd, path(d, HASH, name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return 0;
	n = pread(fd, &h, sizeof(h), 0);
	close(fd);
	if (n != (ssize_t)sizeof(h) ||
	    memcmp(h.magic, STORE_HASH_MAGIC, sizeof(h.magic)) != 0 ||
	    h.version != STORE_VERSION || memcmp(h.boot, d->boot, 16) != 0 ||
	    h.check != head_check(&h) || h.done > store_log_size(&d->log) ||
	    h.done % 8 != 0)
		return 0;
	return h.done;
}

static void
find_end(struct store_log *l)
{
	struct store_rec rec;
	uint64_t off = l->end;
	str bytes;

	while (store_log_find(l, &off, &rec, &bytes)) {
		off = store_log_after(off, &rec);
		l->end = off;
	}
}

uint64_t
store_dict_tail(const struct store_dict *d)
{
	uint64_t at = store_log_first(&d->log);

	if (d->index != NULL && store_index_end(d->index) > at)
		at = store_index_end(d->index);
	return at;
}

/* How far what is open goes now. */
static int
look(struct store_dict *d, struct error *e)
{
	struct store_log *l = &d->log;
	uint64_t done;

	if (l->v.p == NULL) {
		l->end = store_index_end(d->index);
		return 0;
	}
	if (store_view_stat(&l->v, e) == -1)
		return -1;
	if (l->end > store_log_size(l))
		l->end = store_log_first(l);
	if (l->end == store_log_first(l)) {
		if (store_dict_tail(d) > l->end)
			l->end = store_dict_tail(d);
		done = hash_done(d);
		if (done > l->end)
			l->end = done;
	}
	find_end(l);
	return 0;
}

/* Are there other files by now? */
static bool
replaced(const struct store_dict *d)
{
	struct stat st;
	char name[40];

	if (d->log.v.p != NULL && !store_view_current(&d->log.v))
		return true;
	if (d->index != NULL)
		return !store_index_current(d->index) ||
		    (d->log.v.p == NULL &&
			fstatat(d->dirfd, path(d, "series.log", name), &st,
			    0) == 0);
	return fstatat(d->dirfd, path(d, "index", name), &st, 0) == 0;
}

int
store_dict_open(struct store_dict *d, int dirfd, uint32_t day,
    const uint8_t boot[16], bool write, struct error *e)
{
	int r;

	memset(d, 0, sizeof(*d));
	snprintf(d->day, sizeof(d->day), "%08u/", (unsigned)day);
	d->dirfd = dirfd;
	d->boot = boot;
	d->hash_fd = -1;
	d->log.v.fd = -1;
	r = open_files(d, write, e);
	if (r == 1 && !write && look(d, e) == -1)
		r = -1;
	if (r != 1)
		store_dict_close(d);
	return r;
}

int
store_dict_stat(struct store_dict *d, struct error *e)
{
	struct store_dict_old was = { d->log, d->index };
	int r;

	if (!replaced(d))
		return look(d, e);
	memset(&d->log, 0, sizeof(d->log));
	d->log.v.fd = -1;
	d->index = NULL;
	r = open_files(d, false, e);
	if (r == 1 && look(d, e) == 0) {
		d->old =
		    mem_grow(d->old, &d->oldcap, d->nold + 1, sizeof(*d->old));
		d->old[d->nold++] = was;
		return 1;
	}
	/* They have gone, or cannot be read: those before are as good. */
	store_log_close(&d->log);
	store_index_close(d->index);
	d->log = was.log;
	d->index = was.index;
	return r == -1 ? -1 : 0;
}

void
store_dict_bury(struct store_dict *d)
{
	while (d->nold > 0) {
		d->nold--;
		store_log_close(&d->old[d->nold].log);
		store_index_close(d->old[d->nold].index);
	}
	free(d->old);
	d->old = NULL;
	d->oldcap = 0;
}

int
store_dict_each(const struct store_dict *d, store_index_each *each, void *arg)
{
	const struct store_log *l = &d->log;
	uint64_t off = store_dict_tail(d);
	struct label v[STORE_LABELS_MAX];
	struct store_rec rec;
	struct labels ls;
	str bytes;

	if (d->index != NULL && store_index_walk(d->index, each, arg) == -1)
		return -1;
	while (off < l->end && store_log_find(l, &off, &rec, &bytes)) {
		uint32_t id = (uint32_t)(off / 8), kind = rec.size >> 24;

		off = store_log_after(off, &rec);
		if (kind <= STORE_REC_SOURCE &&
		    store_dict_split(bytes, v, &ls) &&
		    each(arg, id, kind, ls) == -1)
			return -1;
	}
	return 0;
}

bool
store_dict_split(
    str bytes, struct label v[STORE_LABELS_MAX], struct labels *out)
{
	size_t n = 0;

	while (bytes.n > 0) {
		size_t k = str_chr(bytes, '\0'), m;

		if (n == STORE_LABELS_MAX || k == bytes.n || k == 0)
			return false;
		m = str_chr(str_skip(bytes, k + 1), '\0');
		if (k + 1 + m == bytes.n)
			return false;
		v[n].name = str_take(bytes, k);
		v[n++].value = (str){ bytes.p + k + 1, m };
		bytes = str_skip(bytes, k + m + 2);
	}
	*out = (struct labels){ v, n };
	return n > 0;
}

bool
store_dict_has(const struct store_dict *d, uint32_t id)
{
	return (uint64_t)id * 8 < d->log.end;
}

bool
store_dict_labels(const struct store_dict *d, uint32_t id,
    enum store_rec_kind kind, struct label v[STORE_LABELS_MAX],
    struct labels *out)
{
	struct store_rec rec;
	str bytes;

	/* What is damaged in the log may stand in the index. */
	if (store_log_at(&d->log, (uint64_t)id * 8, &rec, &bytes))
		return rec.size >> 24 == (uint32_t)kind &&
		    store_dict_split(bytes, v, out);
	return d->index != NULL &&
	    (uint64_t)id * 8 < store_index_end(d->index) &&
	    store_index_labels(d->index, id, kind, v, out);
}

static struct store_hash_pair *
pairs(const struct store_hash_head *h)
{
	return (struct store_hash_pair *)(uintptr_t)(h + 1);
}

/* Source and series with the same labels must not be taken for each other. */
static uint64_t
kind_hash(enum store_rec_kind kind, uint64_t hash)
{
	return hash ^ (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15);
}

static void
insert(struct store_hash_head *h, uint64_t hash, uint32_t id)
{
	uint64_t mask = h->cap - 1;
	struct store_hash_pair *p = pairs(h);

	/* There is room, unless the file is damaged. */
	for (uint64_t i = hash & mask, k = 0; k <= mask;
	     i = (i + 1) & mask, k++) {
		if (p[i].id == id)
			return;
		if (p[i].id == 0) {
			p[i].hash = hash;
			p[i].id = id;
			p[i].check = pair_check(hash, id);
			h->n++;
			return;
		}
	}
}

/* How far it goes; a kill between the two has it made anew. */
static void
set_done(struct store_hash_head *h, uint64_t done)
{
	h->done = done;
	h->check = head_check(h);
}

/* Map the file at hash_fd if it can be believed: 1, else 0. */
static int
hash_map(struct store_dict *d)
{
	struct stat st;
	void *p;
	const struct store_hash_head *h;

	if (fstat(d->hash_fd, &st) == -1 ||
	    st.st_size < (off_t)sizeof(struct store_hash_head))
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    d->hash_fd, 0);
	if (p == MAP_FAILED)
		return 0;
	d->hash = p;
	d->hash_size = (size_t)st.st_size;
	d->hash_ino = (uint64_t)st.st_ino;
	h = p;
	return memcmp(h->magic, STORE_HASH_MAGIC, sizeof(h->magic)) == 0 &&
	    h->version == STORE_VERSION && memcmp(h->boot, d->boot, 16) == 0 &&
	    h->cap >= CAP_MIN && (h->cap & (h->cap - 1)) == 0 &&
	    h->cap <= (d->hash_size - sizeof(*h)) / sizeof(*pairs(h)) &&
	    h->check == head_check(h) && h->done <= store_log_size(&d->log) &&
	    h->done % 8 == 0 && h->done >= sizeof(struct store_log_head) &&
	    h->n < h->cap;
}

/* A new file for cap pairs takes the place of the old one; old may be NULL. */
static int
hash_make(struct store_dict *d, uint64_t cap, const struct store_hash_head *old,
    struct error *e)
{
	size_t size = sizeof(struct store_hash_head) +
	    (size_t)cap * sizeof(struct store_hash_pair);
	struct store_hash_head *h;
	struct stat st;
	char tmp[40], name[40];
	int fd, err, dir = d->dirfd;

	path(d, TMP, tmp);
	path(d, HASH, name);
	unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd == -1)
		return error_errno(e, "%s", tmp);
	/* The blocks must be there: a full disk is an error, not a SIGBUS. */
	err = posix_fallocate(fd, 0, (off_t)size);
	h = err ? MAP_FAILED
		: mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED || fstat(fd, &st) == -1) {
		if (err)
			errno = err;
		error_errno(e, "%s", tmp);
		close(fd);
		unlinkat(dir, tmp, 0);
		return -1;
	}
	memcpy(h->magic, STORE_HASH_MAGIC, sizeof(h->magic));
	h->version = STORE_VERSION;
	memcpy(h->boot, d->boot, 16);
	h->cap = cap;
	set_done(h, old ? old->done : sizeof(struct store_log_head));
	for (uint64_t i = 0; old != NULL && i < old->cap; i++)
		if (pairs(old)[i].id != 0)
			insert(h, pairs(old)[i].hash, pairs(old)[i].id);
	if (renameat(dir, tmp, dir, name) == -1) {
		error_errno(e, "%s", name);
		munmap(h, size);
		close(fd);
		return -1;
	}
	hash_close(d);
	d->hash = h;
	d->hash_fd = fd;
	d->hash_size = size;
	d->hash_ino = (uint64_t)st.st_ino;
	return 0;
}

static int
hash_room(struct store_dict *d, uint64_t more, struct error *e)
{
	uint64_t cap = d->hash->cap;

	while ((d->hash->n + more) * 3 > cap * 2)
		cap *= 2;
	return cap == d->hash->cap ? 0 : hash_make(d, cap, d->hash, e);
}

static int
insert_labels(
    void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct store_dict *d = arg;

	insert(d->hash, kind_hash(kind, label_hash(ls)), id);
	return 0;
}

/* A hash that knows less than the index begins with what that has. */
static int
hash_index(struct store_dict *d, struct error *e)
{
	size_t n;

	if (d->index == NULL || d->hash->done >= store_dict_tail(d) ||
	    d->hash->done >= store_log_first(&d->log))
		return 0;
	n = store_index_count(d->index, STORE_REC_SERIES) +
	    store_index_count(d->index, STORE_REC_SOURCE);
	if (hash_room(d, n, e) == -1)
		return -1;
	store_index_walk(d->index, insert_labels, d);
	set_done(d->hash, store_index_end(d->index));
	return 0;
}

/* Bring the hash up to the log: what another wrote and did not insert. */
static int
hash_redo(struct store_dict *d, struct error *e)
{
	struct store_log *l = &d->log;
	struct store_rec rec;
	uint64_t off;
	str bytes;

	if (hash_index(d, e) == -1)
		return -1;
	off = d->hash->done;
	l->end = off;
	while (store_log_find(l, &off, &rec, &bytes)) {
		if (hash_room(d, 1, e) == -1)
			return -1;
		insert(d->hash, kind_hash(rec.size >> 24, rec.hash),
		    (uint32_t)(off / 8));
		off = store_log_after(off, &rec);
		l->end = off;
	}
	set_done(d->hash, l->end);
	return 0;
}

int
store_dict_sync(struct store_dict *d, struct error *e)
{
	int dir = d->dirfd;
	struct stat st;
	char name[40];

	path(d, HASH, name);
	if (store_view_stat(&d->log.v, e) == -1)
		return -1;
	if (d->hash != NULL &&
	    (fstatat(dir, name, &st, 0) == -1 ||
		(uint64_t)st.st_ino != d->hash_ino))
		hash_close(d);
	if (d->hash == NULL) {
		d->hash_fd = openat(dir, name, O_RDWR | O_CLOEXEC);
		if (d->hash_fd == -1 || !hash_map(d)) {
			hash_close(d);
			if (hash_make(d, CAP_MIN, NULL, e) == -1)
				return -1;
		}
	}
	if (d->hash->done == store_log_size(&d->log)) {
		d->log.end = d->hash->done;
		return 0;
	}
	return hash_redo(d, e);
}

/* How fresh keys are told apart: one byte of kind before the key. */
static str
fresh_key(struct store_dict *d, enum store_rec_kind kind, str key)
{
	char *p = arena_alloc(&d->fresh_keys, key.n + 1);

	p[0] = (char)kind;
	if (key.n > 0)
		memcpy(p + 1, key.p, key.n);
	return (str){ p, key.n + 1 };
}

/* Does id have just these labels? */
static bool
is_key(
    const struct store_dict *d, uint32_t id, enum store_rec_kind kind, str key)
{
	struct label v[STORE_LABELS_MAX], w[STORE_LABELS_MAX];
	struct labels a, b;
	struct store_rec rec;
	str bytes;

	if (store_log_at(&d->log, (uint64_t)id * 8, &rec, &bytes))
		return rec.size >> 24 == (uint32_t)kind && str_eq(bytes, key);
	return d->index != NULL && store_dict_labels(d, id, kind, v, &a) &&
	    store_dict_split(key, w, &b) && label_eq(a, b);
}

/* The id of a key, 0 if it is none, or DAMAGED where the way to it is. */
#define DAMAGED UINT32_MAX

static uint32_t
find(const struct store_dict *d, enum store_rec_kind kind, str key)
{
	uint64_t hash = kind_hash(kind, str_hash(key));
	uint64_t mask = d->hash->cap - 1;

	for (uint64_t i = hash & mask, k = 0; k <= mask;
	     i = (i + 1) & mask, k++) {
		const struct store_hash_pair *p = &pairs(d->hash)[i];

		if (p->id == 0)
			return p->hash == 0 && p->check == 0 ? 0 : DAMAGED;
		if (p->check != pair_check(p->hash, p->id))
			return DAMAGED;
		if (p->hash == hash && is_key(d, p->id, kind, key))
			return p->id;
	}
	return 0;
}

uint32_t
store_dict_find(struct store_dict *d, enum store_rec_kind kind, str key)
{
	uint32_t id = find(d, kind, key);
	struct error none;

	if (id != DAMAGED)
		return id;
	/* If it cannot be made anew, a series may get a second id. */
	id = 0;
	if (hash_make(d, CAP_MIN, NULL, &none) == 0 && hash_redo(d, &none) == 0)
		id = find(d, kind, key);
	return id == DAMAGED ? 0 : id;
}

uint32_t
store_dict_add(struct store_dict *d, enum store_rec_kind kind, str key)
{
	uint32_t id = store_dict_find(d, kind, key);
	uint64_t off = d->log.end + d->fresh.n;
	struct map_slot *m;
	bool fresh;

	if (id != 0)
		return id;
	if (key.n > STORE_REC_MAX || off / 8 >= UINT32_MAX - STORE_REC_MAX)
		return 0;
	m = map_add(&d->fresh_ids, fresh_key(d, kind, key), &fresh);
	if (fresh) {
		m->v.i = (size_t)(off / 8);
		store_log_put(&d->fresh, kind, key);
	}
	return (uint32_t)m->v.i;
}

int
store_dict_commit(struct store_dict *d, struct error *e)
{
	uint64_t off = d->log.end;
	struct store_rec rec;
	str bytes;

	if (d->fresh.n == 0)
		return 0;
	/* Room first: after the log is written nothing may fail for space. */
	if (hash_room(d, d->fresh_ids.n, e) == -1 ||
	    store_log_write(&d->log, buf_str(&d->fresh), false, e) == -1)
		return -1;
	while (off < d->log.end && store_log_at(&d->log, off, &rec, &bytes)) {
		insert(d->hash, kind_hash(rec.size >> 24, rec.hash),
		    (uint32_t)(off / 8));
		off = store_log_after(off, &rec);
	}
	set_done(d->hash, d->log.end);
	store_dict_abort(d);
	return 0;
}

void
store_dict_abort(struct store_dict *d)
{
	buf_reset(&d->fresh);
	map_reset(&d->fresh_ids);
	arena_reset(&d->fresh_keys);
}
