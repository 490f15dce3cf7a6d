#include "wire/block_index.h"

#include <stdlib.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/varint.h"

#define ALIGN 16 /* a series' number is its offset / 16 */
#define FLUSH ((size_t)1 << 20)

/* The file while it is written. */
struct file {
	struct buf b; /* not yet put */
	uint64_t off; /* of b */
	int (*put)(void *arg, str s, struct error *e);
	void *arg;
};

/* A series under a label: what postings are made of. */
struct posting {
	uint32_t name, value; /* symbols, sorted */
	uint32_t id;
};

void
block_index_init(struct block_index *x)
{
	*x = (struct block_index){ 0 };
	arena_init(&x->a);
	map_init(&x->symbols);
}

void
block_index_fini(struct block_index *x)
{
	map_fini(&x->symbols);
	arena_fini(&x->a);
	free(x->text);
	free(x->sym);
	free(x->series);
	free(x->chunk);
}

static uint32_t
symbol(struct block_index *x, str s)
{
	struct map_slot *m = map_find(&x->symbols, s);

	if (m != NULL)
		return (uint32_t)m->v.i;
	s = arena_dup(&x->a, s);
	m = map_add(&x->symbols, s, NULL);
	m->v.i = x->ntext;
	x->text =
	    mem_grow(x->text, &x->text_cap, x->ntext + 1, sizeof(*x->text));
	x->text[x->ntext] = s;
	return (uint32_t)x->ntext++;
}

void
block_index_series(struct block_index *x, struct labels ls)
{
	/* One that got no sample is as if it had not been. */
	if (x->nseries > 0 && x->series[x->nseries - 1].nchunks == 0) {
		x->nseries--;
		x->nsym = x->series[x->nseries].at;
	}
	x->series = mem_grow(
	    x->series, &x->series_cap, x->nseries + 1, sizeof(*x->series));
	x->series[x->nseries++] =
	    (struct index_series){ x->nsym, ls.n, x->nchunk, 0 };
	x->sym =
	    mem_grow(x->sym, &x->sym_cap, x->nsym + 2 * ls.n, sizeof(*x->sym));
	for (size_t i = 0; i < ls.n; i++) {
		x->sym[x->nsym++] = symbol(x, ls.v[i].name);
		x->sym[x->nsym++] = symbol(x, ls.v[i].value);
	}
}

void
block_index_chunk(
    struct block_index *x, int64_t first, int64_t last, uint64_t ref)
{
	x->chunk =
	    mem_grow(x->chunk, &x->chunk_cap, x->nchunk + 1, sizeof(*x->chunk));
	x->chunk[x->nchunk++] = (struct index_chunk){ first, last, ref };
	x->series[x->nseries - 1].nchunks++;
}

static void
put_be(struct buf *b, uint64_t x, unsigned bytes)
{
	while (bytes-- > 0)
		buf_byte(b, (char)(x >> (8 * bytes)));
}

static void
put_text(struct buf *b, str s)
{
	varint_put(b, s.n);
	buf_add(b, s);
}

static uint64_t
place(const struct file *f)
{
	return f->off + f->b.n;
}

static int
flush(struct file *f, size_t most, struct error *e)
{
	if (f->b.n <= most)
		return 0;
	if (f->put(f->arg, buf_str(&f->b), e) == -1)
		return -1;
	f->off += f->b.n;
	buf_reset(&f->b);
	return 0;
}

static void
align(struct file *f, unsigned to)
{
	while (place(f) % to != 0)
		buf_byte(&f->b, 0);
}

/* A section: its length, its bytes, their CRC. */
static int
put_section(struct file *f, str s, struct error *e)
{
	if (s.n > UINT32_MAX)
		return error_set(e, "index: a section of more than 4 GiB");
	put_be(&f->b, s.n, 4);
	buf_add(&f->b, s);
	put_be(&f->b, crc32c(0, s.p, s.n), 4);
	return flush(f, FLUSH, e);
}

static int
by_text(const void *a, const void *b)
{
	return str_cmp(**(const str *const *)a, **(const str *const *)b);
}

/* Sort the symbols; rank[i] is the place of symbol i. */
static const str **
sort_symbols(const struct block_index *x, uint32_t *rank)
{
	const str **v = mem_zero(x->ntext + 1, sizeof(*v));

	for (size_t i = 0; i < x->ntext; i++)
		v[i] = &x->text[i];
	if (x->ntext > 0)
		qsort(v, x->ntext, sizeof(*v), by_text);
	for (size_t i = 0; i < x->ntext; i++)
		rank[v[i] - x->text] = (uint32_t)i;
	return v;
}

static int
put_symbols(struct file *f, const str *const *v, size_t n, struct error *e)
{
	struct buf b = { 0 };
	int rc;

	put_be(&b, n, 4);
	for (size_t i = 0; i < n; i++)
		put_text(&b, *v[i]);
	rc = put_section(f, buf_str(&b), e);
	buf_fini(&b);
	return rc;
}

static void
put_chunks(struct buf *b, const struct index_chunk *c, size_t n)
{
	varint_put(b, n);
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			varint_put(b, varint_fold(c[i].first));
		else
			varint_put(b, (uint64_t)(c[i].first - c[i - 1].last));
		varint_put(b, (uint64_t)(c[i].last - c[i].first));
		if (i == 0)
			varint_put(b, c[i].ref);
		else
			varint_put(
			    b, varint_fold((int64_t)(c[i].ref - c[i - 1].ref)));
	}
}

/* Every series, its labels as ranks; p gets what is found under each. */
static int
put_series(struct file *f, const struct block_index *x, const uint32_t *rank,
    struct posting *p, struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	for (size_t i = 0; i < x->nseries && rc == 0; i++) {
		const struct index_series *s = &x->series[i];

		align(f, ALIGN);
		buf_reset(&b);
		varint_put(&b, s->n);
		for (size_t k = 0; k < s->n; k++) {
			const uint32_t *pair = &x->sym[s->at + 2 * k];

			*p = (struct posting){ rank[pair[0]], rank[pair[1]],
				(uint32_t)(place(f) / ALIGN) };
			varint_put(&b, p->name);
			varint_put(&b, p->value);
			p++;
		}
		put_chunks(&b, &x->chunk[s->chunk], s->nchunks);
		varint_put(&f->b, b.n);
		buf_add(&f->b, buf_str(&b));
		put_be(&f->b, crc32c(0, b.p, b.n), 4);
		rc = flush(f, FLUSH, e);
	}
	buf_fini(&b);
	return rc;
}

static int
by_label(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* A list of series, and its line in the table. */
static int
put_postings(struct file *f, const struct posting *p, size_t n, str name,
    str value, struct buf *table, struct error *e)
{
	struct buf b = { 0 };
	int rc;

	align(f, 4);
	varint_put(table, 2);
	put_text(table, name);
	put_text(table, value);
	varint_put(table, place(f));
	put_be(&b, n, 4);
	for (size_t i = 0; i < n; i++)
		put_be(&b, p[i].id, 4);
	rc = put_section(f, buf_str(&b), e);
	buf_fini(&b);
	return rc;
}

static int
by_id(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* All series, which stand under no label, then each label's. */
static int
all_postings(struct file *f, struct posting *p, size_t n,
    const str *const *text, struct buf *table, struct error *e)
{
	struct posting *all = mem_zero(n + 1, sizeof(*all));
	size_t nall = 0, lists = 1, k;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (nall == 0 || all[nall - 1].id != p[i].id)
			all[nall++] = p[i];
	if (nall > 0)
		qsort(all, nall, sizeof(*all), by_id);
	rc = put_postings(f, all, nall, STR_NONE, STR_NONE, table, e);
	free(all);
	if (n > 0)
		qsort(p, n, sizeof(*p), by_label);
	for (size_t i = 0; i < n && rc == 0; i = k) {
		for (k = i + 1; k < n && p[k].name == p[i].name &&
		     p[k].value == p[i].value;
		     k++)
			;
		lists++;
		rc = put_postings(f, p + i, k - i, *text[p[i].name],
		    *text[p[i].value], table, e);
	}
	for (unsigned i = 0; i < 4; i++)
		table->p[i] = (char)(lists >> (24 - 8 * i));
	return rc;
}

static int
write_index(struct block_index *x, struct file *f, struct error *e)
{
	uint32_t *rank = mem_zero(x->ntext + 1, sizeof(*rank));
	const str **text = sort_symbols(x, rank);
	struct posting *p = mem_zero(x->nsym / 2 + 1, sizeof(*p));
	struct buf table = { 0 };
	uint64_t toc[6];
	int rc = -1;

	put_be(&table, 0, 4);
	put_be(&f->b, INDEX_MAGIC, 4);
	buf_byte(&f->b, 2);
	toc[0] = place(f);
	if (put_symbols(f, text, x->ntext, e) == -1)
		goto out;
	toc[1] = (place(f) + ALIGN - 1) / ALIGN * ALIGN;
	if (put_series(f, x, rank, p, e) == -1)
		goto out;
	/* Label indices are not written any more: their place is here. */
	align(f, 4);
	toc[2] = toc[4] = place(f);
	if (all_postings(f, p, x->nsym / 2, text, &table, e) == -1)
		goto out;
	toc[3] = toc[5] = place(f);
	if (put_section(f, buf_str(&table), e) == -1)
		goto out;
	buf_reset(&table);
	for (size_t i = 0; i < 6; i++)
		put_be(&table, toc[i], 8);
	put_be(&table, crc32c(0, table.p, table.n), 4);
	buf_add(&f->b, buf_str(&table));
	rc = flush(f, 0, e);
out:
	free(rank);
	free(text);
	free(p);
	buf_fini(&table);
	return rc;
}

int
block_index_write(struct block_index *x, uint64_t *n,
    int (*put)(void *arg, str s, struct error *e), void *arg, struct error *e)
{
	struct file f = { .put = put, .arg = arg };
	int rc;

	if (x->nseries > 0 && x->series[x->nseries - 1].nchunks == 0) {
		x->nseries--;
		x->nsym = x->series[x->nseries].at;
	}
	*n = x->nseries;
	rc = write_index(x, &f, e);
	buf_fini(&f.b);
	return rc;
}
