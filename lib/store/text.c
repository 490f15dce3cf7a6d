/*
 * The short way in, for what a cron job brings: a scrape just like the one
 * before but for its values.  store/cache/X remembers, for each line of a
 * source's last page, the hash and length of its series and its column; so a
 * process that knows nothing hashes and reads a number a line, and parses no
 * labels.  Text is taken as it comes and is not kept: memory for a whole page
 * would cost more than all that is done with it.  Whatever is not just so goes
 * the long way (append.c), which writes the cache anew; the lines until then
 * are made again from what was understood of them.
 *
 * The cache is derived: it is believed only if its checksum, its source, its
 * day and the place of its layout are right.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/writer.h"

/* A cache as it is mapped. */
struct cache {
	const struct store_cache_head *head;
	const struct store_cache_line *line;
	size_t size;
};

static void
cache_name(const struct store_wsource *src, char out[40])
{
	snprintf(
	    out, 40, "cache/%016llx", (unsigned long long)str_hash(src->key));
}

/* A row has no more columns than this; others go the long way. */
#define COLS ((uint32_t)1 << 22)

/* Is what is mapped at h a whole cache of this source? */
static bool
believe(const struct store_cache_head *h, size_t size, str key)
{
	size_t want = sizeof(*h);

	if (size < want ||
	    memcmp(h->magic, STORE_CACHE_MAGIC, sizeof(h->magic)) != 0 ||
	    h->version != STORE_VERSION || h->key != key.n || h->cols > COLS)
		return false;
	want += ((size_t)h->key + 7) / 8 * 8 +
	    (size_t)h->n * sizeof(struct store_cache_line);
	return size == want &&
	    h->crc ==
	    crc32c(0, &h->crc + 1,
		size - offsetof(struct store_cache_head, crc) -
		    sizeof(h->crc)) &&
	    memcmp(h + 1, key.p, key.n) == 0;
}

static bool
cache_open(
    const struct store *s, const struct store_wsource *src, struct cache *c)
{
	char name[40];
	struct stat st;
	void *p = MAP_FAILED;
	int fd;

	cache_name(src, name);
	fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ,
		    MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	c->head = p;
	c->size = (size_t)st.st_size;
	if (!believe(p, c->size, src->key)) {
		munmap(p, c->size);
		return false;
	}
	c->line = (const void *)((const char *)(c->head + 1) +
	    ((size_t)c->head->key + 7) / 8 * 8);
	return true;
}

static void
cache_close(struct cache *c)
{
	munmap((void *)(uintptr_t)c->head, c->size);
}

/* "# BATCH {...} t" and nothing more; what follows the line is in *rest. */
static bool
head(struct store_writer *w, str text, struct labels *ls, int64_t *t, str *rest)
{
	static const str word = STR_INIT("# BATCH ");
	size_t n = str_chr(text, '\n'), k;
	struct error e;
	str line;

	if (n == text.n || !str_starts(text, word))
		return false;
	*rest = str_skip(text, n + 1);
	line = str_skip(str_take(text, n), word.n);
	for (k = line.n; k > 0 && line.p[k - 1] >= '0' && line.p[k - 1] <= '9';
	     k--)
		;
	return k > 2 && line.p[k - 1] == ' ' && line.p[k - 2] == '}' &&
	    num_parse_int(str_skip(line, k), t) == 0 &&
	    label_parse(str_take(line, k - 1), &w->arena, ls, &e) == 0;
}

/* The number at p, words such as NaN too; NULL if there is none. */
static const char *
value(const char *p, const char *end, double *v)
{
	const char *q = num_scan(p, end, v);
	str word;

	if (q != NULL)
		return q;
	word = str_from(p, end);
	word = str_take(word, str_chr(word, '\n'));
	word = str_take(word, str_chr(word, ' '));
	return num_parse(word, v) == 0 ? word.p + word.n : NULL;
}

/*
 * A line that stands in the page as it did, or a series with a value, at t if
 * it says when.  Passes over it; no byte is looked at twice.
 */
static bool
take_line(const struct store_cache_line *c, str *text, str t, uint64_t *row)
{
	const char *p, *end = text->p + text->n;
	double v;

	if (c->len >= text->n)
		return false;
	p = text->p + c->len;
	if (*p != (c->col == STORE_IDS_NONE ? '\n' : ' ') ||
	    str_hash(str_take(*text, c->len)) != c->hash)
		return false;
	if (c->col != STORE_IDS_NONE) {
		p = value(p + 1, end, &v);
		if (p == NULL || p == end)
			return false;
		row[c->col] = num_bits(v);
		if (row[c->col] == NUM_STALE_BITS ||
		    row[c->col] == STORE_ABSENT)
			return false;
		if (*p == ' ' && str_starts(str_from(p + 1, end), t))
			p += 1 + t.n;
		if (p == end || *p != '\n')
			return false;
	}
	*text = str_from(p + 1, end);
	return true;
}

/* With the lock: may a batch of this time be taken, by the limits? */
static int
in_time(struct store *s, int64_t t, const struct store_limits *l, int64_t now,
    struct error *e)
{
	int64_t newest;

	if (now != 0 &&
	    ((l->set >> STORE_LIMIT_AGE & 1 &&
		 now - t > l->v[STORE_LIMIT_AGE]) ||
		(l->set >> STORE_LIMIT_FUTURE & 1 &&
		    t - now > l->v[STORE_LIMIT_FUTURE])))
		return 0;
	if (!(l->set >> STORE_LIMIT_WINDOW & 1))
		return 1;
	if (store_newest(s, &newest, e) == -1)
		return -1;
	return newest == INT64_MIN || newest - t <= l->v[STORE_LIMIT_WINDOW];
}

/* A batch on the short way. */
struct store_text {
	struct store_wsource *src; /* NULL: there is none */
	struct store_wday *d;
	struct cache c;
	int64_t t;
	struct buf time; /* t as it is printed */
	struct labels labels;
	size_t line;   /* of the cache: which comes next */
	uint64_t *row; /* in the arena of the batch, as what follows */
	const uint32_t *ids;
};

static void
end(struct store_text *x)
{
	if (x->src != NULL)
		cache_close(&x->c);
	x->src = NULL;
}

void
store_text_free(struct store_text *x)
{
	if (x == NULL)
		return;
	end(x);
	buf_fini(&x->time);
	free(x);
}

/*
 * The text of the lines that have been passed over, or one that says the same:
 * a line for each, without those of metadata, which the store has.
 */
static int
give_back(struct store_text *x, struct buf *back, struct error *e)
{
	struct label v[STORE_LABELS_MAX];
	struct labels ls;

	expo_put_batch(back, x->labels, x->t, NULL, 0);
	for (size_t i = 0; i < x->line; i++) {
		uint32_t col = x->c.line[i].col;
		double value;

		if (col != STORE_IDS_NONE) {
			if (!store_dict_labels(&x->d->dict, x->ids[col],
				STORE_REC_SERIES, v, &ls))
				return error_set(e,
				    "%08u/series.log: what was there cannot "
				    "be read any more",
				    (unsigned)x->d->ymd);
			memcpy(&value, &x->row[col], sizeof(value));
			label_print(back, ls);
			buf_byte(back, ' ');
			num_print(back, value);
		}
		buf_byte(back, '\n');
	}
	end(x);
	return 0;
}

int
store_text_back(struct store *s, struct buf *back, struct error *e)
{
	struct store_text *x = s->w == NULL ? NULL : s->w->text_way;

	return x == NULL || x->src == NULL ? 0 : give_back(x, back, e);
}

static bool
same_place(const struct store_wsource *src, const struct store_wday *d,
    const struct cache *c)
{
	return d->dict.fresh.n == 0 && src->seg == c->head->seg &&
	    src->layout == c->head->layout && src->n == c->head->cols &&
	    src->high_known;
}

/*
 * Is the source where the cache says?  Asked before anything is passed over, so
 * that what has been can be given back.
 */
static int
find_place(struct store *s, struct store_text *x, struct store_wsource *src,
    struct error *e)
{
	int64_t start;
	uint32_t ymd = store_ymd(x->t, &start);
	int rc = 0;

	if (x->c.head->day != ymd)
		return 0;
	if (store_lock(s, e) == -1)
		return -1;
	x->d = store_wday_use(s, ymd, start, e);
	if (x->d == NULL)
		rc = -1;
	else if (store_wsource_use(s, src, x->d, e) == -1) {
		store_wday_drop(s, x->d);
		rc = -1;
	} else {
		rc = same_place(src, x->d, &x->c);
	}
	store_unlock(s);
	return rc;
}

/* The first line of a batch. */
static int
begin(struct store *s, struct store_text *x, str *text,
    const struct store_opts *o, struct error *e)
{
	struct arena *a = &s->w->arena;
	struct store_wsource *src;
	uint32_t *ids;
	str rest;
	int rc;

	arena_reset(a);
	if (!head(s->w, *text, &x->labels, &x->t, &rest) ||
	    x->t < STORE_T_SECONDS || x->t > STORE_T_MAX || o->replace)
		return 0;
	src = store_wsource_find(s, x->labels);
	if (src->tried)
		return 0;
	src->tried = true;
	if (!cache_open(s, src, &x->c))
		return 0;
	rc = find_place(s, x, src, e);
	if (rc != 1) {
		cache_close(&x->c);
		return rc;
	}
	x->src = src;
	x->line = 0;
	x->labels = label_dup(a, x->labels); /* the text may go */
	ids = arena_alloc(a, (src->n + 1) * sizeof(*ids));
	if (src->n > 0)
		memcpy(ids, src->ids, src->n * sizeof(*ids));
	x->ids = ids;
	x->row = arena_alloc(a, (src->n + 1) * sizeof(*x->row));
	for (size_t i = 0; i < src->n; i++)
		x->row[i] = STORE_ABSENT;
	buf_reset(&x->time);
	num_print_int(&x->time, x->t);
	*text = rest;
	return 1;
}

/* With the lock: if the source is where it was, and the batch is newer. */
static int
commit(struct store *s, struct store_text *x, const struct store_opts *o,
    struct store_counts *n, struct error *e)
{
	struct store_part p = { .t = x->t, .row = x->row, .sync = o->sync };
	const struct store_wday *was = x->d;
	struct store_wday *d;

	d = store_wday_use(s, was->ymd, was->start, e);
	if (d == NULL)
		return -1;
	if (store_wsource_use(s, x->src, d, e) == -1) {
		store_wday_drop(s, d);
		return -1;
	}
	if (!same_place(x->src, d, &x->c) ||
	    x->t - d->start <= (int64_t)x->src->high)
		return 0;
	for (size_t i = 0; i < x->src->n; i++)
		p.n += x->row[i] != STORE_ABSENT;
	if (store_part_write(s, x->src, d, &p, e) == -1) {
		store_wday_drop(s, d);
		return -1;
	}
	n->samples += p.n;
	return 1;
}

static int
locked(struct store *s, struct store_text *x, const struct store_opts *o,
    struct store_counts *n, struct error *e)
{
	struct store_limits l;
	int rc;

	if (store_lock(s, e) == -1)
		return -1;
	/* A day that has been made anew is not opened in place of x->d. */
	if (!store_view_current(&x->d->dict.log.v))
		rc = 0;
	else if (store_limits_use(s, &o->limits, &l, e) == -1)
		rc = -1;
	else
		rc = in_time(s, x->t, &l, o->now, e);
	if (rc == 1)
		rc = commit(s, x, o, n, e);
	store_unlock(s);
	return rc;
}

/* Whole lines of it: 1 it is stored, 2 more are needed, 0 it is another. */
static int
take(struct store *s, struct store_text *x, str *text,
    const struct store_opts *o, struct store_counts *n, struct error *e)
{
	static const str eof = STR_INIT("# EOF\n");
	const struct store_cache_head *h = x->c.head;
	str t = buf_str(&x->time);
	int rc;

	for (; x->line < h->n; x->line++) {
		const struct store_cache_line *c = &x->c.line[x->line];

		if (text->n == 0)
			return 2;
		if (c->col >= h->cols && c->col != STORE_IDS_NONE)
			return 0;
		if (!take_line(c, text, t, x->row))
			return 0;
	}
	if (text->n == 0)
		return 2;
	if (!str_starts(*text, eof))
		return 0;
	rc = locked(s, x, o, n, e);
	if (rc == 1)
		*text = str_skip(*text, eof.n);
	return rc;
}

int
store_text_take(struct store *s, str *text, const struct store_opts *o,
    struct store_counts *n, size_t *lines, struct buf *back, struct error *e)
{
	struct store_text *x;
	str whole = *text;
	int rc = 1;

	if (s->w == NULL)
		s->w = mem_zero(1, sizeof(*s->w));
	if (s->w->text_way == NULL)
		s->w->text_way = mem_zero(1, sizeof(*x));
	x = s->w->text_way;
	while (whole.n > 0 && whole.p[whole.n - 1] != '\n')
		whole.n--;
	if (whole.n == 0)
		return 2;
	if (x->src == NULL)
		rc = begin(s, x, &whole, o, e);
	if (rc == 1)
		rc = take(s, x, &whole, o, n, e);
	*text = str_from(whole.p, text->p + text->n);
	if (rc == 1)
		*lines = x->line + 2;
	if (rc == 0 && x->src != NULL)
		rc = give_back(x, back, e);
	else if (rc != 2)
		end(x);
	return rc == -1 ? error_add(e, "%s", s->path) : rc;
}

/* One line of the cache, or false: the page has lines it cannot tell of. */
static bool
remember(const struct store_wsource *src, const struct expo_item *it,
    uint32_t id, size_t *col, struct store_cache_line *out)
{
	if (it->kind == EXPO_HELP || it->kind == EXPO_TYPE ||
	    it->kind == EXPO_UNIT || it->kind == EXPO_KIND) {
		*out = (struct store_cache_line){
			.hash = str_hash(it->raw),
			.len = (uint32_t)it->raw.n,
			.col = STORE_IDS_NONE,
		};
		return true;
	}
	while (*col < src->n && src->ids[*col] != id)
		++*col;
	if (it->kind != EXPO_SAMPLE || *col == src->n || it->series.n == 0)
		return false;
	*out = (struct store_cache_line){
		.hash = str_hash(it->series),
		.len = (uint32_t)it->series.n,
		.col = (uint32_t)(*col)++,
	};
	return true;
}

static void
write_cache(
    const struct store *s, const struct store_wsource *src, const struct buf *b)
{
	char name[40], tmp[48];
	struct error none;
	int fd;

	cache_name(src, name);
	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	if (mkdirat(s->fd, "cache", 0777) == -1 && errno != EEXIST)
		return;
	fd = openat(s->fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1)
		return;
	if (file_write_fd(fd, tmp, buf_str(b), &none) == -1 ||
	    renameat(s->fd, tmp, s->fd, name) == -1)
		unlinkat(s->fd, tmp, 0);
	close(fd);
}

/*
 * A cache that cannot be written is only a slower next time, so nothing is
 * told.
 */
void
store_text_learn(struct store *s, struct store_wsource *src,
    const struct store_wday *d, const struct batch *b,
    const struct store_item *v, size_t n)
{
	struct store_cache_head h = {
		.version = STORE_VERSION,
		.day = d->ymd,
		.seg = src->seg,
		.layout = src->layout,
		.cols = (uint32_t)src->n,
		.n = (uint32_t)b->n,
		.key = (uint32_t)src->key.n,
	};
	struct buf *out = &s->w->frames;
	size_t col = 0, k = 0;

	memcpy(h.magic, STORE_CACHE_MAGIC, sizeof(h.magic));
	buf_reset(out);
	buf_add(out, (str){ (const char *)&h, sizeof(h) });
	buf_add(out, src->key);
	while (out->n % 8 != 0)
		buf_byte(out, 0);
	for (size_t i = 0; i < b->n; i++) {
		struct store_cache_line line;
		uint32_t id = k < n && v[k].at == i ? v[k++].id : 0;

		if (!remember(src, &b->v[i], id, &col, &line))
			return;
		buf_add(out, (str){ (const char *)&line, sizeof(line) });
	}
	if (k < n)
		return;
	k = offsetof(struct store_cache_head, crc) + sizeof(h.crc);
	h.crc = crc32c(0, out->p + k, out->n - k);
	memcpy(out->p, &h, sizeof(h));
	write_cache(s, src, out);
}
