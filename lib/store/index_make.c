/*
 * Writing an index: all strings are numbered as they come, then sorted; label
 * sets become rows of numbers, which are sorted in their tables.
 */
#include "store/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"
#include "store/dict.h"
#include "store/ids.h"
#include "store/pack.h"

#define LEVEL 6               /* of zstd */
#define OUT ((size_t)1 << 20) /* written at once */

/* A label set: where its numbers begin, name and value by turns. */
struct row {
	size_t at;
	uint32_t kind, name; /* symbol of __name__ */
	uint32_t id, n;      /* numbers */
};

struct make {
	struct map map; /* strings to their numbers */
	str *sym;
	size_t nsym, symcap;
	uint32_t *rank; /* of each: its place when sorted */
	uint32_t *num;  /* of all rows */
	size_t nnum, numcap;
	struct row *row;
	size_t nrow, rowcap;
	struct label last[STORE_LABELS_MAX]; /* of the row before */
	uint32_t lastnum[2 * STORE_LABELS_MAX];
	size_t nlast;
	struct store_view file;
	struct buf out;
	uint64_t off; /* of what is written, buffered or not */
	struct buf blocks, tables, columns;
	uint32_t nblocks, ntables, ncolumns;
	struct buf data, text;
	struct error *e;
	bool failed;
};

static uint32_t
number(struct make *w, str s)
{
	bool fresh;
	struct map_slot *m = map_add(&w->map, s, &fresh);

	if (fresh) {
		m->v.i = w->nsym;
		w->sym =
		    mem_grow(w->sym, &w->symcap, w->nsym + 1, sizeof(*w->sym));
		w->sym[w->nsym++] = s;
	}
	return (uint32_t)m->v.i;
}

/* The same strings mostly stand at the same place of the row before. */
static uint32_t
number_at(struct make *w, size_t i, bool value, str s)
{
	str *was = value ? &w->last[i].value : &w->last[i].name;
	uint32_t *num = &w->lastnum[2 * i + value];

	if (i >= w->nlast || !str_eq(*was, s))
		*num = number(w, s);
	*was = s;
	return *num;
}

/* Can columns say it? */
static bool
proper(struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++)
		if (ls.v[i].value.n == 0 ||
		    (i > 0 && str_cmp(ls.v[i - 1].name, ls.v[i].name) >= 0))
			return false;
	return true;
}

static int
take(void *arg, uint32_t id, enum store_rec_kind kind, struct labels ls)
{
	struct make *w = arg;
	struct row *r;

	if (!proper(ls))
		return error_set(
		    w->e, "id %u: not a set of labels", (unsigned)id);
	w->row = mem_grow(w->row, &w->rowcap, w->nrow + 1, sizeof(*w->row));
	w->num =
	    mem_grow(w->num, &w->numcap, w->nnum + 2 * ls.n, sizeof(*w->num));
	r = &w->row[w->nrow++];
	*r = (struct row){ .at = w->nnum, .kind = kind, .id = id };
	for (size_t i = 0; i < ls.n; i++) {
		uint32_t k = number_at(w, i, false, ls.v[i].name);
		uint32_t v = number_at(w, i, true, ls.v[i].value);

		if (str_eq(ls.v[i].name, LABEL_NAME)) {
			r->name = v;
			continue;
		}
		w->num[w->nnum++] = k;
		w->num[w->nnum++] = v;
	}
	w->nlast = ls.n;
	r->n = (uint32_t)(w->nnum - r->at);
	return 0;
}

static int
by_text(const void *a, const void *b, void *arg)
{
	const str *sym = arg;

	return str_cmp(sym[*(const uint32_t *)a], sym[*(const uint32_t *)b]);
}

/* Number the symbols in their order, and the rows by these numbers. */
static uint32_t *
rank(struct make *w)
{
	uint32_t *order = mem_alloc((w->nsym + 1) * sizeof(*order));

	for (size_t i = 0; i < w->nsym; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, w->nsym, sizeof(*order), by_text, w->sym);
	w->rank = mem_alloc((w->nsym + 1) * sizeof(*w->rank));
	for (size_t i = 0; i < w->nsym; i++)
		w->rank[order[i]] = (uint32_t)i;
	for (size_t i = 0; i < w->nnum; i++)
		w->num[i] = w->rank[w->num[i]];
	for (size_t i = 0; i < w->nrow; i++)
		w->row[i].name = w->rank[w->row[i].name];
	return order;
}

/* As label_cmp(), with __name__ before all. */
static int
by_row(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const uint32_t *num = arg, *p = num + x->at, *q = num + y->at;
	uint32_t n = x->n < y->n ? x->n : y->n;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	for (uint32_t i = 0; i < n; i++)
		if (p[i] != q[i])
			return p[i] < q[i] ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void
flush_out(struct make *w)
{
	if (!w->failed && w->out.n > 0 &&
	    store_view_write(
		&w->file, w->out.p, w->out.n, w->off - w->out.n, w->e) == -1)
		w->failed = true;
	buf_reset(&w->out);
}

static void
put(struct make *w, const void *p, size_t n)
{
	buf_add(&w->out, (str){ p, n });
	w->off += n;
	if (w->out.n >= OUT)
		flush_out(w);
}

/* Write what is in text, smaller if that can be; its length in the file. */
static uint32_t
squeeze(struct make *w, uint32_t *crc)
{
	size_t most = ZSTD_compressBound(w->text.n), n;
	const char *p;

	buf_reset(&w->data);
	p = buf_reserve(&w->data, most);
	n = ZSTD_compress(w->data.p, most, w->text.p, w->text.n, LEVEL);
	if (ZSTD_isError(n) || n >= w->text.n ||
	    w->text.n / STORE_INDEX_RATIO > n) {
		p = w->text.p;
		n = w->text.n;
	}
	*crc = crc32c(0, p, n);
	put(w, p, n);
	return (uint32_t)n;
}

static void
put_block(struct make *w, uint32_t n)
{
	struct store_index_block b = {
		.raw = (uint32_t)w->text.n,
		.n = n,
	};

	b.len = squeeze(w, &b.crc);
	buf_add(&w->blocks, (str){ (const char *)&b, sizeof(b) });
	w->nblocks++;
}

static void
put_symbols(struct make *w, const uint32_t *order)
{
	uint32_t first = 0, i = 0;

	buf_reset(&w->text);
	for (; i < w->nsym; i++) {
		str s = w->sym[order[i]];

		if (i > first && w->text.n + s.n + 1 > STORE_INDEX_BLOCK) {
			put_block(w, i - first);
			buf_reset(&w->text);
			first = i;
		}
		buf_add(&w->text, s);
		buf_byte(&w->text, '\0');
	}
	put_block(w, i - first);
}

static void
put_column(struct make *w, uint32_t label, const uint32_t *v, size_t n)
{
	struct store_index_column c = { .label = label };
	uint64_t *d = mem_alloc((n + 1) * sizeof(*d));

	for (size_t i = 0; i < n; i++)
		d[i] = store_zigzag(
		    (int64_t)v[i] - (int64_t)(i > 0 ? v[i - 1] : 0));
	buf_reset(&w->text);
	store_pack_put(&w->text, d, n);
	free(d);
	c.raw = (uint32_t)w->text.n;
	c.len = squeeze(w, &c.crc);
	buf_add(&w->columns, (str){ (const char *)&c, sizeof(c) });
	w->ncolumns++;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The labels that any of n rows has, rising, in v; how many. */
static size_t
labels_of(struct make *w, const struct row *r, size_t n, uint32_t **v)
{
	struct store_ids seen = { NULL, 0, 0 };
	size_t k = 0, cap = 0;

	store_ids_reset(&seen, 64);
	*v = NULL;
	for (size_t i = 0; i < n; i++) {
		const uint32_t *p = w->num + r[i].at;

		/* Mostly the same ones as those of the row before. */
		if (i > 0 && r[i].n == r[i - 1].n) {
			const uint32_t *q = w->num + r[i - 1].at;
			uint32_t j = 0;

			while (j < r[i].n && p[j] == q[j])
				j += 2;
			if (j >= r[i].n)
				continue;
		}
		for (uint32_t j = 0; j < r[i].n; j += 2) {
			/* A symbol that is a label is not the empty one. */
			if (store_ids_find(&seen, p[j]) != STORE_IDS_NONE)
				continue;
			store_ids_add(&seen, p[j], 0);
			*v = mem_grow(*v, &cap, k + 1, sizeof(**v));
			(*v)[k++] = p[j];
		}
	}
	store_ids_fini(&seen);
	if (k > 0)
		qsort(*v, k, sizeof(**v), by_number);
	return k;
}

/* n rows of one kind and name. */
static void
put_table(struct make *w, const struct row *r, size_t n)
{
	struct store_index_table t = {
		.kind = r->kind,
		.name = r->name,
		.rows = (uint32_t)n,
	};
	uint32_t *v = mem_alloc(n * sizeof(*v)), *label;
	uint32_t *next = mem_zero(n, sizeof(*next));
	size_t k = labels_of(w, r, n, &label);

	for (size_t i = 0; i < n; i++)
		v[i] = r[i].id;
	put_column(w, 0, v, n);
	for (size_t c = 0; c < k; c++) {
		for (size_t i = 0; i < n; i++) {
			const uint32_t *p = w->num + r[i].at + next[i];

			v[i] = 0;
			if (next[i] < r[i].n && p[0] == label[c]) {
				v[i] = p[1];
				next[i] += 2;
			}
		}
		put_column(w, label[c], v, n);
	}
	t.n = (uint32_t)k + 1;
	buf_add(&w->tables, (str){ (const char *)&t, sizeof(t) });
	w->ntables++;
	free(label);
	free(next);
	free(v);
}

static void
put_tables(struct make *w)
{
	for (size_t i = 0, n; i < w->nrow && !w->failed; i += n) {
		for (n = 1;
		     i + n < w->nrow && w->row[i + n].kind == w->row[i].kind &&
		     w->row[i + n].name == w->row[i].name;
		     n++)
			;
		put_table(w, w->row + i, n);
	}
}

/* The directory, then the head, which makes it an index. */
static void
put_directory(struct make *w, uint32_t day, uint64_t end)
{
	struct store_index_head h = {
		.version = STORE_VERSION,
		.day = day,
		.end = end,
		.nsymbols = (uint32_t)w->nsym,
		.nblocks = w->nblocks,
		.ntables = w->ntables,
		.ncolumns = w->ncolumns,
	};

	memcpy(h.magic, STORE_INDEX_MAGIC, sizeof(h.magic));
	h.dir = w->off;
	buf_reset(&w->text);
	buf_add(&w->text, buf_str(&w->blocks));
	buf_add(&w->text, buf_str(&w->tables));
	buf_add(&w->text, buf_str(&w->columns));
	h.dirraw = (uint32_t)w->text.n;
	h.dirlen = squeeze(w, &h.dircrc);
	h.crc = crc32c(0, &h, offsetof(struct store_index_head, crc));
	flush_out(w);
	if (!w->failed &&
	    store_view_write(&w->file, &h, sizeof(h), 0, w->e) == -1)
		w->failed = true;
}

static void
write_all(struct make *w, uint32_t day, uint64_t end)
{
	static const struct store_index_head none;
	uint32_t *order = rank(w);

	if (w->nrow > 0)
		qsort_r(w->row, w->nrow, sizeof(*w->row), by_row, w->num);
	put(w, &none, sizeof(none));
	put_symbols(w, order);
	put_tables(w);
	put_directory(w, day, end);
	free(order);
}

/* Durable under its name, or not there. */
static int
publish(struct make *w, int dirfd, const char *tmp, const char *day,
    struct error *e)
{
	char name[40];
	int fd;

	if (w->failed)
		return -1;
	if (fsync(w->file.fd) == -1)
		return error_errno(e, "%s", tmp);
	snprintf(name, sizeof(name), "%sindex", day);
	if (renameat(dirfd, tmp, dirfd, name) == -1)
		return error_errno(e, "%s", name);
	fd = openat(dirfd, day, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1) {
		error_errno(e, "%s", day);
		if (fd != -1)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static void
make_fini(struct make *w)
{
	map_fini(&w->map);
	free(w->sym);
	free(w->rank);
	free(w->num);
	free(w->row);
	buf_fini(&w->out);
	buf_fini(&w->blocks);
	buf_fini(&w->tables);
	buf_fini(&w->columns);
	buf_fini(&w->data);
	buf_fini(&w->text);
}

int
store_index_make(struct store_dict *d, int dirfd, struct error *e)
{
	struct make *w = mem_zero(1, sizeof(*w));
	char tmp[40];
	int rc = -1;

	w->e = e;
	snprintf(tmp, sizeof(tmp), "%sindex.tmp", d->day);
	(void)unlinkat(dirfd, tmp, 0);
	if (store_view_open(&w->file, dirfd, tmp, true, true, e) == 1) {
		number(w, STR(""));
		if (store_dict_each(d, take, w) == -1) {
			rc = error_add(e, "%sseries.log", d->day);
		} else {
			write_all(
			    w, (uint32_t)strtoul(d->day, NULL, 10), d->log.end);
			rc = publish(w, dirfd, tmp, d->day, e);
		}
		store_view_close(&w->file);
		if (rc == -1)
			(void)unlinkat(dirfd, tmp, 0);
	}
	make_fini(w);
	free(w);
	return rc;
}
