/*
 * Reading an index.  Everything is unpacked when it is first asked for and
 * stays: a process that wants one metric touches the blocks of a few symbols
 * and the columns of one table.
 */
#include "store/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "store/dict.h"
#include "store/ids.h"
#include "store/pack.h"

/* Cells of all columns for each byte of the file, at most: 4 G to 1 M. */
#define CELLS 4096
#define RAW_MAX (UINT32_C(1) << 30)
#define NUMBER 24 /* bytes of a packed one, at most */

struct id_row {
	uint32_t id, row; /* row: through all tables */
};

struct store_index {
	struct store_view v;
	struct store_index_head h;
	char *dir; /* unpacked */
	const struct store_index_block *block;
	const struct store_index_table *table;
	const struct store_index_column *column;
	uint64_t *block_at, *column_at; /* in the file */
	uint32_t *sym;                  /* of each block: its first symbol */
	uint32_t *first;                /* of each table: its first row */
	uint32_t *at;                   /* and column */
	char **text;                    /* of each block: its bytes */
	uint32_t **place;               /* and where its symbols begin; n + 1 */
	bool *bad;                      /* it cannot be read */
	uint32_t **cell;                /* of each column; NULL: not yet */
	str *label;                     /* its name; NULL: not yet */
	struct id_row *by_id;
	size_t rows;
	struct store_damage *damage; /* may be NULL */
};

/* What lies at off, len bytes, unpacked to raw; the caller's, or NULL. */
static char *
unpack(const struct store_index *x, uint64_t off, uint32_t len, uint32_t raw,
    uint32_t crc)
{
	const uint8_t *p = x->v.p + off;
	char *out;
	size_t n;

	/* What it says of its size is held against it before it is believed. */
	if (crc32c(0, p, len) != crc ||
	    (len != raw && ZSTD_getFrameContentSize(p, len) != raw))
		return NULL;
	out = mem_alloc((size_t)raw + 1);
	n = raw;
	if (len == raw)
		memcpy(out, p, len);
	else
		n = ZSTD_decompress(out, raw, p, len);
	if (!ZSTD_isError(n) && n == raw)
		return out;
	free(out);
	return NULL;
}

/* The arrays of the directory. */
static bool
find_directory(struct store_index *x)
{
	const struct store_index_head *h = &x->h;

	if (h->dir < sizeof(*h) || h->dir > x->v.size ||
	    h->dirlen != x->v.size - h->dir ||
	    h->dirraw / STORE_INDEX_RATIO > h->dirlen ||
	    (h->nblocks + (uint64_t)h->ntables + h->ncolumns) *
		    sizeof(*x->block) !=
		h->dirraw)
		return false;
	x->dir = unpack(x, h->dir, h->dirlen, h->dirraw, h->dircrc);
	if (x->dir == NULL)
		return false;
	x->block = (const void *)x->dir;
	x->table = (const void *)(x->block + h->nblocks);
	x->column = (const void *)(x->table + h->ntables);
	x->block_at = mem_alloc((h->nblocks + (size_t)1) * sizeof(uint64_t));
	x->sym = mem_alloc((h->nblocks + (size_t)1) * sizeof(*x->sym));
	x->first = mem_alloc((h->ntables + (size_t)1) * sizeof(*x->first));
	x->at = mem_alloc((h->ntables + (size_t)1) * sizeof(*x->at));
	x->column_at = mem_alloc((h->ncolumns + (size_t)1) * sizeof(uint64_t));
	return true;
}

/* *off moves behind them. */
static bool
blocks_ok(struct store_index *x, uint64_t *off)
{
	uint64_t sym = 0;

	for (uint32_t k = 0; k < x->h.nblocks; k++) {
		const struct store_index_block *b = &x->block[k];

		x->block_at[k] = *off;
		x->sym[k] = (uint32_t)sym;
		*off += b->len;
		sym += b->n;
		if (*off > x->h.dir || b->raw > RAW_MAX ||
		    b->raw / STORE_INDEX_RATIO > b->len || b->n == 0 ||
		    b->n > b->raw || sym > x->h.nsymbols)
			return false;
	}
	return sym == x->h.nsymbols;
}

/* A table of n columns from c on. */
static bool
columns_ok(struct store_index *x, const struct store_index_table *t,
    uint32_t at, uint64_t *off)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct store_index_column *c = &x->column[at + i];

		x->column_at[at + i] = *off;
		*off += c->len;
		if (*off > x->h.dir || c->raw > RAW_MAX ||
		    t->rows / STORE_PACK_BLOCK > c->raw ||
		    c->raw / NUMBER > t->rows ||
		    (i == 0 ? c->label != 0 : c->label <= c[-1].label) ||
		    c->label >= x->h.nsymbols)
			return false;
	}
	return true;
}

static bool
tables_ok(struct store_index *x, uint64_t *off)
{
	uint64_t rows = 0, cells = 0;
	uint32_t at = 0;

	for (uint32_t k = 0; k < x->h.ntables; k++) {
		const struct store_index_table *t = &x->table[k];

		x->first[k] = (uint32_t)rows;
		x->at[k] = at;
		if (t->n == 0 || t->n > x->h.ncolumns - at || t->rows == 0 ||
		    t->name >= x->h.nsymbols || t->kind > STORE_REC_SOURCE ||
		    (k > 0 &&
			(t[-1].kind > t->kind ||
			    (t[-1].kind == t->kind &&
				t[-1].name >= t->name))) ||
		    !columns_ok(x, t, at, off))
			return false;
		at += t->n;
		rows += t->rows;
		cells += (uint64_t)t->rows * t->n;
		if (rows > UINT32_MAX || cells / CELLS > x->v.size)
			return false;
	}
	x->rows = (size_t)rows;
	return at == x->h.ncolumns;
}

static bool
directory_ok(struct store_index *x)
{
	uint64_t off = sizeof(x->h);

	return find_directory(x) && blocks_ok(x, &off) && tables_ok(x, &off) &&
	    off == x->h.dir;
}

static bool
head_ok(const struct store_index_head *h, uint32_t day)
{
	return memcmp(h->magic, STORE_INDEX_MAGIC, sizeof(h->magic)) == 0 &&
	    h->version == STORE_VERSION && h->day == day && h->end % 8 == 0 &&
	    h->end >= sizeof(struct store_log_head) &&
	    h->end / 8 <= UINT32_MAX && h->nsymbols > 0 &&
	    h->crc == crc32c(0, h, offsetof(struct store_index_head, crc));
}

int
store_index_open(
    struct store_index **out, int dirfd, uint32_t day, struct error *e)
{
	struct store_index *x = mem_zero(1, sizeof(*x));
	char name[32];
	int r;

	*out = NULL;
	snprintf(name, sizeof(name), "%08u/index", (unsigned)day);
	r = store_view_open(&x->v, dirfd, name, false, false, e);
	if (r == 1 && x->v.size >= sizeof(x->h))
		memcpy(&x->h, x->v.p, sizeof(x->h));
	if (r != 1 || !head_ok(&x->h, day) || !directory_ok(x)) {
		/* Nothing was read by these numbers. */
		x->h.nblocks = x->h.ncolumns = 0;
		store_index_close(x);
		return r == 1 ? 2 : r;
	}
	x->text = mem_zero(x->h.nblocks + (size_t)1, sizeof(char *));
	x->place = mem_zero(x->h.nblocks + (size_t)1, sizeof(uint32_t *));
	x->bad = mem_zero(x->h.nblocks + (size_t)1, sizeof(bool));
	x->cell = mem_zero(x->h.ncolumns + (size_t)1, sizeof(uint32_t *));
	x->label = mem_zero(x->h.ncolumns + (size_t)1, sizeof(*x->label));
	*out = x;
	return 1;
}

void
store_index_close(struct store_index *x)
{
	if (x == NULL)
		return;
	for (uint32_t k = 0; k < x->h.nblocks; k++) {
		free(x->text[k]);
		free(x->place[k]);
	}
	for (uint32_t k = 0; k < x->h.ncolumns; k++)
		free(x->cell[k]);
	free(x->text);
	free(x->place);
	free(x->bad);
	free(x->cell);
	free(x->label);
	free(x->by_id);
	free(x->block_at);
	free(x->column_at);
	free(x->sym);
	free(x->first);
	free(x->at);
	free(x->dir);
	store_view_close(&x->v);
	free(x);
}

void
store_index_watch(struct store_index *x, struct store_damage *d)
{
	x->damage = d;
}

bool
store_index_current(const struct store_index *x)
{
	return store_view_current(&x->v);
}

uint64_t
store_index_end(const struct store_index *x)
{
	return x->h.end;
}

size_t
store_index_count(const struct store_index *x, enum store_rec_kind kind)
{
	size_t n = 0;

	for (uint32_t k = 0; k < x->h.ntables; k++)
		if (x->table[k].kind == (uint32_t)kind)
			n += x->table[k].rows;
	return n;
}

static bool
load_block(struct store_index *x, uint32_t k)
{
	const struct store_index_block *b = &x->block[k];
	const char *p, *stop;
	uint32_t *end;
	char *text;

	if (x->text[k] != NULL || x->bad[k])
		return !x->bad[k];
	x->bad[k] = true;
	text = unpack(x, x->block_at[k], b->len, b->raw, b->crc);
	if (text == NULL) {
		store_damage_note(x->damage, x->v.name);
		return false;
	}
	end = mem_alloc((b->n + (size_t)1) * sizeof(*end));
	end[0] = 0;
	p = text;
	stop = text + b->raw;
	for (uint32_t i = 1; i <= b->n && p != NULL; i++) {
		p = p == stop ? NULL : memchr(p, '\0', (size_t)(stop - p));
		if (p != NULL)
			end[i] = (uint32_t)(++p - text);
	}
	if (p != stop) {
		free(text);
		free(end);
		return false;
	}
	x->text[k] = text;
	x->place[k] = end;
	x->bad[k] = false;
	return true;
}

/* The block a symbol is of. */
static uint32_t
block_of(const struct store_index *x, uint32_t sym)
{
	uint32_t lo = 0, hi = x->h.nblocks;

	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->sym[mid] <= sym)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* False: it is damaged. */
static bool
symbol(struct store_index *x, uint32_t sym, str *out)
{
	uint32_t k = block_of(x, sym), i = sym - x->sym[k];

	if (sym >= x->h.nsymbols || !load_block(x, k))
		return false;
	out->p = x->text[k] + x->place[k][i];
	out->n = x->place[k][i + 1] - x->place[k][i] - 1;
	return true;
}

/* The symbol s, or STORE_IDS_NONE.  Damaged ones are none. */
static uint32_t
find_symbol(struct store_index *x, str s)
{
	uint32_t lo = 0, hi = x->h.nsymbols;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c;
		str t;

		if (!symbol(x, mid, &t))
			return STORE_IDS_NONE;
		c = str_cmp(t, s);
		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return STORE_IDS_NONE;
}

/* Table k's column i, its numbers, each below max; NULL: damaged. */
static const uint32_t *
load_column(struct store_index *x, uint32_t k, uint32_t i, uint64_t max)
{
	const struct store_index_table *t = &x->table[k];
	const struct store_index_column *c = &x->column[x->at[k] + i];
	uint32_t **cell = &x->cell[x->at[k] + i];
	uint64_t *d, id = 0;
	char *raw;
	bool ok;

	if (*cell != NULL)
		return *cell;
	raw = unpack(x, x->column_at[x->at[k] + i], c->len, c->raw, c->crc);
	if (raw == NULL) {
		store_damage_note(x->damage, x->v.name);
		return NULL;
	}
	d = mem_alloc(t->rows * sizeof(*d));
	ok = store_pack_get((const uint8_t *)raw, c->raw, d, t->rows) == c->raw;
	free(raw);
	*cell = ok ? mem_alloc(t->rows * sizeof(**cell)) : NULL;
	for (uint32_t r = 0; ok && r < t->rows; r++) {
		id += (uint64_t)store_unzigzag(d[r]);
		ok = id < max;
		(*cell)[r] = (uint32_t)id;
	}
	free(d);
	if (ok)
		return *cell;
	free(*cell);
	*cell = NULL;
	return NULL;
}

static const uint32_t *
ids_of(struct store_index *x, uint32_t k)
{
	return load_column(x, k, 0, x->h.end / 8);
}

static bool
wants(const struct store_index_rows *w, str name)
{
	for (size_t i = 0; i < w->nnames; i++)
		if (str_eq(w->names[i], name))
			return true;
	return !w->some;
}

/* The name of a column's label; false: it is damaged. */
static bool
label_of(struct store_index *x, uint32_t column)
{
	return x->label[column].p != NULL ||
	    symbol(x, x->column[column].label, &x->label[column]);
}

/* Turn to table k: its name, and the columns that are wanted. */
static bool
turn_to(struct store_index *x, struct store_index_rows *w, uint32_t k)
{
	const struct store_index_table *t = &x->table[k];
	uint32_t at = x->at[k];

	w->table = k + 1;
	w->good = false;
	w->n = 0;
	w->turn = 0;
	w->name.name = LABEL_NAME;
	w->named = t->name != 0 && wants(w, LABEL_NAME);
	if (!symbol(x, t->name, &w->name.value))
		return false;
	w->col = mem_grow(w->col, &w->cap, t->n, sizeof(*w->col));
	for (uint32_t i = 1; i < t->n; i++) {
		if (!label_of(x, at + i))
			return false;
		if (!wants(w, x->label[at + i]))
			continue;
		if (load_column(x, k, i, x->h.nsymbols) == NULL)
			return false;
		if (str_cmp(x->label[at + i], LABEL_NAME) < 0)
			w->turn = w->n + 1;
		w->col[w->n++] = at + i;
	}
	w->good = true;
	return true;
}

bool
store_index_row(struct store_index *x, struct store_index_rows *w, uint32_t k,
    uint32_t r, struct label *v, struct labels *out)
{
	size_t n = 0;

	if (w->table != k + 1 ? !turn_to(x, w, k) : !w->good)
		return false;
	for (size_t i = 0; i <= w->n; i++) {
		uint32_t sym = i < w->n ? x->cell[w->col[i]][r] : 0;

		if (i == w->turn && w->named)
			v[n++] = w->name;
		if (sym == 0)
			continue;
		if (n + 1 >= STORE_LABELS_MAX)
			return false;
		v[n].name = x->label[w->col[i]];
		if (!symbol(x, sym, &v[n++].value))
			return false;
	}
	*out = (struct labels){ v, n };
	return n > 0 || w->some;
}

void
store_index_rows_fini(struct store_index_rows *w)
{
	free(w->col);
}

bool
store_index_ordered(struct store_index *x)
{
	for (uint32_t k = 0; k < x->h.ntables; k++) {
		const struct store_index_table *t = &x->table[k];

		if (t->kind != STORE_REC_SERIES)
			continue;
		if (t->name == 0 ||
		    (t->n > 1 &&
			(!label_of(x, x->at[k] + 1) ||
			    str_cmp(x->label[x->at[k] + 1], LABEL_NAME) < 0)))
			return false;
	}
	return true;
}

static int
by_id(const void *a, const void *b)
{
	const struct id_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Where each id is; those of damaged tables are nowhere. */
static void
make_by_id(struct store_index *x)
{
	size_t n = 0;

	x->by_id = mem_alloc((x->rows + 1) * sizeof(*x->by_id));
	for (uint32_t k = 0; k < x->h.ntables; k++) {
		const uint32_t *id = ids_of(x, k);

		for (uint32_t r = 0; id != NULL && r < x->table[k].rows; r++)
			x->by_id[n++] =
			    (struct id_row){ id[r], x->first[k] + r };
	}
	if (n > 0)
		qsort(x->by_id, n, sizeof(*x->by_id), by_id);
	x->rows = n;
}

bool
store_index_labels(struct store_index *x, uint32_t id, enum store_rec_kind kind,
    struct label *v, struct labels *out)
{
	struct id_row key = { id, 0 };
	const struct id_row *at;
	uint32_t lo = 0, hi = x->h.ntables;
	struct store_index_rows w = { .some = false };
	bool ok;

	if (x->by_id == NULL)
		make_by_id(x);
	at = x->rows == 0
	    ? NULL
	    : bsearch(&key, x->by_id, x->rows, sizeof(*at), by_id);
	if (at == NULL)
		return false;
	while (lo + 1 < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->first[mid] <= at->row)
			lo = mid;
		else
			hi = mid;
	}
	ok = x->table[lo].kind == (uint32_t)kind &&
	    store_index_row(x, &w, lo, at->row - x->first[lo], v, out);
	store_index_rows_fini(&w);
	return ok;
}

/* A matcher over the tables. */
struct pred {
	const struct match *m;
	bool name;      /* it is of __name__ */
	bool empty;     /* it takes a label that is not there */
	uint32_t label; /* symbol, or STORE_IDS_NONE */
	uint32_t value; /* of an = that is not empty */
	uint8_t *memo;  /* by symbol: 0 not tried, 1 no, 2 yes */
};

static bool
takes(struct store_index *x, struct pred *p, uint32_t sym)
{
	str s;

	if (p->m->op == MATCH_EQ && !p->empty)
		return sym == p->value;
	if (sym == 0)
		return p->empty;
	if (p->memo == NULL)
		p->memo = mem_zero(x->h.nsymbols, 1);
	if (p->memo[sym] == 0)
		p->memo[sym] =
		    symbol(x, sym, &s) && match_value(p->m, s) ? 2 : 1;
	return p->memo[sym] == 2;
}

static void
pred_init(struct store_index *x, struct pred *p, const struct match *m)
{
	*p = (struct pred){ .m = m, .label = STORE_IDS_NONE };
	p->name = str_eq(m->name, LABEL_NAME);
	p->empty = match_value(m, STR(""));
	if (!p->name)
		p->label = find_symbol(x, m->name);
	if (m->op == MATCH_EQ && !p->empty)
		p->value = find_symbol(x, m->value);
}

/* The column of a label, or 0. */
static uint32_t
column_of(const struct store_index *x, uint32_t k, uint32_t label)
{
	uint32_t lo = 1, n = x->table[k].n, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->column[x->at[k] + mid].label < label)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && x->column[x->at[k] + lo].label == label ? lo : 0;
}

/* Leave those of n rows that p takes. */
static uint32_t
filter(struct store_index *x, uint32_t k, struct pred *p, uint32_t *row,
    uint32_t n)
{
	uint32_t i = p->label == STORE_IDS_NONE ? 0 : column_of(x, k, p->label);
	const uint32_t *cell;
	uint32_t left = 0;

	if (i == 0)
		return p->empty ? n : 0;
	cell = load_column(x, k, i, x->h.nsymbols);
	if (cell == NULL)
		return 0;
	for (uint32_t r = 0; r < n; r++)
		if (takes(x, p, cell[row[r]]))
			row[left++] = row[r];
	return left;
}

/* Could a table have any that match, by its name and labels alone? */
static bool
may(struct store_index *x, uint32_t k, struct pred *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].name ? !takes(x, &p[i], x->table[k].name)
			      : !p[i].empty &&
			    (p[i].label == STORE_IDS_NONE ||
				column_of(x, k, p[i].label) == 0))
			return false;
	return true;
}

static int
match_table(struct store_index *x, uint32_t k, struct pred *p, size_t np,
    store_index_each_row *each, void *arg)
{
	uint32_t *row, n = x->table[k].rows;
	const uint32_t *id;
	int rc = 0;

	if (!may(x, k, p, np))
		return 0;
	row = mem_alloc(n * sizeof(*row));
	for (uint32_t r = 0; r < n; r++)
		row[r] = r;
	for (size_t i = 0; i < np && n > 0; i++)
		if (!p[i].name)
			n = filter(x, k, &p[i], row, n);
	id = n > 0 ? ids_of(x, k) : NULL;
	for (uint32_t i = 0; id != NULL && i < n && rc == 0; i++)
		rc = each(arg, id[row[i]], k, row[i]);
	free(row);
	return rc;
}

/* Rows on their way to who wants labels. */
struct labelled {
	struct store_index *x;
	struct store_index_rows rows;
	store_index_each *each;
	void *arg;
};

static int
with_labels(void *arg, uint32_t id, uint32_t table, uint32_t row)
{
	struct labelled *l = arg;
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	if (!store_index_row(l->x, &l->rows, table, row, v, &ls))
		return 0;
	return l->each(l->arg, id, l->x->table[table].kind, ls);
}

/* The tables of a kind and name; all names with STORE_IDS_NONE. */
static void
tables_of(const struct store_index *x, uint32_t kind, uint32_t name,
    uint32_t *from, uint32_t *to)
{
	uint32_t lo = 0, hi = x->h.ntables;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct store_index_table *t = &x->table[mid];

		if (t->kind < kind ||
		    (t->kind == kind && name != STORE_IDS_NONE &&
			t->name < name))
			lo = mid + 1;
		else
			hi = mid;
	}
	*from = lo;
	for (*to = lo; *to < x->h.ntables && x->table[*to].kind == kind &&
	     (name == STORE_IDS_NONE || x->table[*to].name == name);
	     ++*to)
		;
}

int
store_index_match_rows(struct store_index *x, const struct match *m, size_t nm,
    store_index_each_row *each, void *arg)
{
	struct pred *p = mem_zero(nm + 1, sizeof(*p));
	uint32_t name = STORE_IDS_NONE, from, to;
	bool none = false;
	int rc = 0;

	for (size_t i = 0; i < nm; i++) {
		pred_init(x, &p[i], &m[i]);
		if (m[i].op != MATCH_EQ || p[i].empty)
			continue;
		none = none || p[i].value == STORE_IDS_NONE;
		if (p[i].name)
			name = p[i].value;
	}
	tables_of(x, STORE_REC_SERIES, name, &from, &to);
	for (; !none && from < to && rc == 0; from++)
		rc = match_table(x, from, p, nm, each, arg);
	for (size_t i = 0; i < nm; i++)
		free(p[i].memo);
	free(p);
	return rc;
}

int
store_index_match(struct store_index *x, const struct match *m, size_t nm,
    store_index_each *each, void *arg)
{
	struct labelled l = { .x = x, .each = each, .arg = arg };
	int rc = store_index_match_rows(x, m, nm, with_labels, &l);

	store_index_rows_fini(&l.rows);
	return rc;
}

int
store_index_walk(struct store_index *x, store_index_each *each, void *arg)
{
	struct labelled l = { .x = x, .each = each, .arg = arg };
	int rc = 0;

	for (uint32_t k = 0; k < x->h.ntables && rc == 0; k++)
		rc = match_table(x, k, NULL, 0, with_labels, &l);
	store_index_rows_fini(&l.rows);
	return rc;
}

size_t
store_index_damage(struct store_index *x)
{
	str last = { NULL, 0 }, s;
	size_t n = 0;

	for (uint32_t i = 0; i < x->h.nsymbols; i++) {
		if (!symbol(x, i, &s) ||
		    (i == 0 ? s.n > 0 : str_cmp(last, s) >= 0))
			n++;
		else
			last = s;
	}
	for (uint32_t k = 0; k < x->h.ntables; k++) {
		for (uint32_t i = 0; i < x->table[k].n; i++)
			n += load_column(x, k, i,
				 i == 0 ? x->h.end / 8 : x->h.nsymbols) == NULL;
	}
	return n;
}
