/*
 * Reading a block: everything is mapped, nothing is believed that its CRC or
 * its bounds do not bear out.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/varint.h"
#include "wire/block.h"
#include "wire/block_chunk.h"
#include "wire/block_index.h"

#define CHUNKS_MAGIC 0x85bd40ddu
#define TOMBS_MAGIC 0x0130ba30u
#define SEGMENTS_MAX 4096

struct view {
	const uint8_t *p;
	size_t n;
};

struct tomb {
	uint64_t id;
	int64_t from, to; /* both inclusive */
};

struct block {
	char *path;
	int64_t from, to;
	struct view index;
	unsigned version; /* of the index */
	struct view *chunks;
	size_t nchunks, chunks_cap;
	struct view all; /* the ids of all series, 4 bytes each, big-endian */
	str *symbol;
	size_t nsymbol;
	struct tomb *tomb;
	size_t ntomb, tomb_cap;
	size_t at;               /* the next series */
	uint64_t id;             /* of the one in hand */
	size_t tombs, tombs_end; /* what is deleted of it */
	struct view refs;        /* where its chunks are told */
	struct label *v;
	size_t cap;
	struct arena a; /* of a chunk */
};

/* A place in a view that is read on: past the end it gives 0 and is bad. */
struct in {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static uint64_t
be(struct in *in, unsigned bytes)
{
	uint64_t x = 0;

	if (bytes > in->n) {
		in->bad = true;
		in->n = 0;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		x = x << 8 | in->p[i];
	in->p += bytes;
	in->n -= bytes;
	return x;
}

static uint64_t
uvarint(struct in *in)
{
	uint64_t x = 0;
	size_t n = varint_get(in->p, in->n, &x);

	if (n == 0) {
		in->bad = true;
		in->n = 0;
		return 0;
	}
	in->p += n;
	in->n -= n;
	return x;
}

static int64_t
varint(struct in *in)
{
	return varint_unfold(uvarint(in));
}

static str
text(struct in *in)
{
	uint64_t n = uvarint(in);
	str s;

	if (n > in->n) {
		in->bad = true;
		return STR_NONE;
	}
	s = (str){ (const char *)in->p, (size_t)n };
	in->p += n;
	in->n -= (size_t)n;
	return s;
}

static int
broken(const struct block *b, const char *what, struct error *e)
{
	return error_set(e, "%s: %s", b->path, what);
}

/* A file of the block; 0 with nothing if it may be missing and is. */
static int
map_file(const struct block *b, const char *name, bool must, struct view *v,
    struct error *e)
{
	struct buf path = { 0 };
	struct stat st;
	int fd, rc = -1;

	*v = (struct view){ 0 };
	buf_printf(&path, "%s/%s", b->path, name);
	fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		rc = !must && errno == ENOENT
		    ? 0
		    : error_errno(e, "%s", buf_cstr(&path));
	} else if (fstat(fd, &st) == -1) {
		error_errno(e, "%s", buf_cstr(&path));
	} else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		error_set(e, "%s: empty, or not a file", buf_cstr(&path));
	} else {
		void *p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED) {
			error_errno(e, "%s", buf_cstr(&path));
		} else {
			*v = (struct view){ p, (size_t)st.st_size };
			rc = 0;
		}
	}
	if (fd != -1)
		(void)close(fd);
	buf_fini(&path);
	return rc;
}

static void
unmap(struct view *v)
{
	union {
		const void *in;
		void *out;
	} p = { .in = v->p };

	if (v->p != NULL)
		(void)munmap(p.out, v->n);
}

/* The section at off of the index, its CRC checked. */
static int
section(const struct block *b, uint64_t off, struct in *out, struct error *e)
{
	struct in in = { b->index.p, b->index.n, false };
	uint64_t n;

	if (off > in.n)
		return broken(b, "index: a section lies outside", e);
	in.p += off;
	in.n -= (size_t)off;
	n = be(&in, 4);
	if (in.bad || in.n < 4 || n > in.n - 4)
		return broken(b, "index: a section is cut", e);
	*out = (struct in){ in.p, (size_t)n, false };
	in.p += n;
	if (be(&in, 4) != crc32c(0, out->p, out->n))
		return broken(b, "index: a checksum is wrong", e);
	return 0;
}

static int
read_symbols(struct block *b, uint64_t off, struct error *e)
{
	struct in in;
	uint64_t n;

	if (section(b, off, &in, e) == -1)
		return -1;
	n = be(&in, 4);
	if (n > in.n)
		return broken(b, "index: too many symbols", e);
	b->nsymbol = (size_t)n;
	b->symbol = mem_zero(b->nsymbol + 1, sizeof(*b->symbol));
	for (size_t i = 0; i < b->nsymbol; i++)
		b->symbol[i] = text(&in);
	return in.bad ? broken(b, "index: symbols are cut", e) : 0;
}

/* Where the list of all series is: under the empty label. */
static int
read_table(struct block *b, uint64_t off, struct error *e)
{
	struct in in, list;
	uint64_t n, at;

	if (section(b, off, &in, e) == -1)
		return -1;
	n = be(&in, 4);
	for (uint64_t i = 0; i < n && !in.bad; i++) {
		uint64_t parts = uvarint(&in);
		str name = text(&in), value = text(&in);

		at = uvarint(&in);
		if (parts != 2)
			return broken(b, "index: the table is broken", e);
		if (name.n > 0 || value.n > 0)
			continue;
		if (section(b, at, &list, e) == -1)
			return -1;
		n = be(&list, 4);
		if (list.bad || n != list.n / 4)
			return broken(b, "index: a list is cut", e);
		b->all = (struct view){ list.p, list.n };
		return 0;
	}
	return broken(b, "index: there is no list of all series", e);
}

static int
read_index(struct block *b, struct error *e)
{
	struct in in = { 0 }, head;
	uint64_t toc[6];

	if (map_file(b, "index", true, &b->index, e) == -1)
		return -1;
	head = (struct in){ b->index.p, b->index.n, false };
	if (head.n < 5 + INDEX_TOC || be(&head, 4) != INDEX_MAGIC)
		return broken(b, "index: not an index", e);
	b->version = (unsigned)be(&head, 1);
	if (b->version != 1 && b->version != 2)
		return broken(b, "index: of a version that is not known", e);
	in = (struct in){ b->index.p + b->index.n - INDEX_TOC, INDEX_TOC,
		false };
	if (crc32c(0, in.p, INDEX_TOC - 4) !=
	    (uint32_t)be(&(struct in){ in.p + INDEX_TOC - 4, 4, false }, 4))
		return broken(
		    b, "index: the checksum of its contents is wrong", e);
	for (size_t i = 0; i < 6; i++)
		toc[i] = be(&in, 8);
	if (read_symbols(b, toc[0], e) == -1)
		return -1;
	return read_table(b, toc[5], e);
}

static int
read_chunks(struct block *b, struct error *e)
{
	char name[32];
	struct view v;

	for (unsigned i = 1; i <= SEGMENTS_MAX; i++) {
		struct in in;

		(void)snprintf(name, sizeof(name), "chunks/%06u", i);
		if (map_file(b, name, false, &v, e) == -1)
			return -1;
		if (v.p == NULL)
			return 0;
		b->chunks = mem_grow(b->chunks, &b->chunks_cap, b->nchunks + 1,
		    sizeof(*b->chunks));
		b->chunks[b->nchunks++] = v;
		in = (struct in){ v.p, v.n, false };
		if (be(&in, 4) != CHUNKS_MAGIC || be(&in, 1) != 1)
			return error_set(
			    e, "%s/%s: not a file of chunks", b->path, name);
	}
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct tomb *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
read_tombs(struct block *b, struct error *e)
{
	struct view v;
	struct in in;
	int rc = -1;

	if (map_file(b, "tombstones", false, &v, e) == -1)
		return -1;
	if (v.p == NULL)
		return 0;
	in = (struct in){ v.p, v.n, false };
	if (be(&in, 4) != TOMBS_MAGIC || be(&in, 1) != 1 || in.n < 4) {
		broken(b, "tombstones: not a file of tombstones", e);
		goto out;
	}
	in.n -= 4;
	if (crc32c(0, in.p, in.n) !=
	    (uint32_t)be(&(struct in){ in.p + in.n, 4, false }, 4)) {
		broken(b, "tombstones: the checksum is wrong", e);
		goto out;
	}
	while (in.n > 0 && !in.bad) {
		b->tomb = mem_grow(
		    b->tomb, &b->tomb_cap, b->ntomb + 1, sizeof(*b->tomb));
		b->tomb[b->ntomb].id = uvarint(&in);
		b->tomb[b->ntomb].from = varint(&in);
		b->tomb[b->ntomb++].to = varint(&in);
	}
	if (b->ntomb > 0)
		qsort(b->tomb, b->ntomb, sizeof(*b->tomb), by_id);
	rc = in.bad ? broken(b, "tombstones: cut", e) : 0;
out:
	unmap(&v);
	return rc;
}

static int
read_meta(struct block *b, struct error *e)
{
	struct buf path = { 0 }, t = { 0 };
	const struct json_value *v, *from, *to, *version;
	struct arena a;
	int rc = -1;

	arena_init(&a);
	buf_printf(&path, "%s/meta.json", b->path);
	if (file_read(buf_cstr(&path), &t, e) == -1)
		goto out;
	v = json_parse(&a, buf_str(&t), e);
	if (v == NULL) {
		error_add(e, "%s", buf_cstr(&path));
		goto out;
	}
	from = json_find(v, "minTime");
	to = json_find(v, "maxTime");
	version = json_find(v, "version");
	if (from == NULL || to == NULL || version == NULL || !from->is_int ||
	    !to->is_int || version->integer != 1) {
		error_set(e, "%s: not of a block, or of a newer version",
		    buf_cstr(&path));
		goto out;
	}
	b->from = from->integer;
	b->to = to->integer;
	rc = 0;
out:
	arena_fini(&a);
	buf_fini(&path);
	buf_fini(&t);
	return rc;
}

struct block *
block_open(const char *path, struct error *e)
{
	struct block *b = mem_zero(1, sizeof(*b));

	b->path = mem_cstr(str_of(path));
	arena_init(&b->a);
	if (read_meta(b, e) == 0 && read_index(b, e) == 0 &&
	    read_chunks(b, e) == 0 && read_tombs(b, e) == 0)
		return b;
	block_close(b);
	return NULL;
}

void
block_close(struct block *b)
{
	if (b == NULL)
		return;
	unmap(&b->index);
	for (size_t i = 0; i < b->nchunks; i++)
		unmap(&b->chunks[i]);
	arena_fini(&b->a);
	free(b->chunks);
	free(b->symbol);
	free(b->tomb);
	free(b->v);
	free(b->path);
	free(b);
}

int64_t
block_from(const struct block *b)
{
	return b->from;
}

int64_t
block_to(const struct block *b)
{
	return b->to;
}

/* The bytes of the series at a place of the index. */
static int
series_bytes(
    const struct block *b, uint64_t off, struct in *out, struct error *e)
{
	struct in in = { b->index.p, b->index.n, false };
	uint64_t n;

	if (off >= in.n)
		return broken(b, "index: a series lies outside", e);
	in.p += off;
	in.n -= (size_t)off;
	n = uvarint(&in);
	if (in.bad || in.n < 4 || n > in.n - 4)
		return broken(b, "index: a series is cut", e);
	*out = (struct in){ in.p, (size_t)n, false };
	in.p += n;
	if (be(&in, 4) != crc32c(0, out->p, out->n))
		return broken(b, "index: the checksum of a series is wrong", e);
	return 0;
}

/* The tombstones of the series in hand. */
static void
find_tombs(struct block *b)
{
	size_t lo = 0, hi = b->ntomb;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->tomb[mid].id < b->id)
			lo = mid + 1;
		else
			hi = mid;
	}
	b->tombs = lo;
	while (lo < b->ntomb && b->tomb[lo].id == b->id)
		lo++;
	b->tombs_end = lo;
}

int
block_next(struct block *b, struct labels *ls, struct error *e)
{
	struct in id = { b->all.p + b->at, b->all.n - b->at, false },
		  in = { 0 };
	uint64_t n;

	if (b->at + 4 > b->all.n)
		return 0;
	b->id = be(&id, 4);
	b->at += 4;
	/* Of version 1 it is the offset itself. */
	if (series_bytes(b, b->version == 1 ? b->id : b->id * 16, &in, e) == -1)
		return -1;
	n = uvarint(&in);
	if (n > in.n)
		return broken(b, "index: a series has too many labels", e);
	b->v = mem_grow(b->v, &b->cap, (size_t)n + 1, sizeof(*b->v));
	for (size_t i = 0; i < n; i++) {
		uint64_t name = uvarint(&in), value = uvarint(&in);

		if (in.bad || name >= b->nsymbol || value >= b->nsymbol)
			return broken(b, "index: a symbol is not there", e);
		b->v[i] = (struct label){ b->symbol[name], b->symbol[value] };
	}
	*ls = (struct labels){ b->v, (size_t)n };
	find_tombs(b);
	b->refs = (struct view){ in.p, in.n };
	return 1;
}

static bool
deleted(const struct block *b, int64_t t)
{
	for (size_t i = b->tombs; i < b->tombs_end; i++)
		if (t >= b->tomb[i].from && t <= b->tomb[i].to)
			return true;
	return false;
}

struct walk {
	int (*each)(void *arg, int64_t t, double v, const struct histogram *h);
	void *arg;
	int64_t last; /* chunks may overlap: of one time the first counts */
};

static int
one_chunk(struct block *b, uint64_t ref, struct walk *w, struct error *e)
{
	struct in in = { 0 };
	const struct histogram *h;
	struct chunk_in c;
	uint64_t n;
	int64_t t;
	double v;
	int k;

	if (ref >> 32 >= b->nchunks)
		return broken(b, "a chunk is in a file that is not there", e);
	in = (struct in){ b->chunks[ref >> 32].p, b->chunks[ref >> 32].n,
		false };
	if ((uint32_t)ref > in.n)
		return broken(b, "a chunk lies outside of its file", e);
	in.p += (uint32_t)ref;
	in.n -= (uint32_t)ref;
	n = uvarint(&in);
	if (in.bad || in.n < 5 || n > in.n - 5)
		return broken(b, "a chunk is cut", e);
	if ((uint32_t)be(&(struct in){ in.p + 1 + n, 4, false }, 4) !=
	    crc32c(0, in.p, (size_t)n + 1))
		return broken(b, "the checksum of a chunk is wrong", e);
	arena_reset(&b->a);
	if (!chunk_open(&c, in.p[0], in.p + 1, (size_t)n, &b->a))
		return broken(b, "a chunk is of a kind that is not known", e);
	while ((k = chunk_next(&c, &t, &v, &h)) == 1) {
		if (t <= w->last || deleted(b, t))
			continue;
		w->last = t;
		if (w->each(w->arg, t, v, h) == -1)
			return -1;
	}
	return k == -1 ? broken(b, "a chunk is broken", e) : 0;
}

int
block_samples(struct block *b,
    int (*each)(void *arg, int64_t t, double v, const struct histogram *h),
    void *arg, struct error *e)
{
	struct walk w = { each, arg, INT64_MIN };
	struct in in = { b->refs.p, b->refs.n, false };
	uint64_t n = uvarint(&in), ref = 0;

	for (uint64_t i = 0; i < n; i++) {
		if (i == 0)
			(void)varint(&in); /* its first time */
		else
			(void)uvarint(&in);
		(void)uvarint(&in); /* how long it is */
		ref = i == 0 ? uvarint(&in) : ref + (uint64_t)varint(&in);
		if (in.bad)
			return broken(b, "index: a series is cut", e);
		if (one_chunk(b, ref, &w, e) == -1)
			return -1;
	}
	return 0;
}
