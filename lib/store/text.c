/*
 * The short way in, for what a cron job brings: a scrape just like the one
 * before but for its values.  store/cache/X remembers, for each line of a
 * source's last page, the hash and length of its series and its column; so a
 * process that knows nothing hashes and reads a number a line, and parses no
 * labels.  Whatever is not just so goes the long way (append.c), which writes
 * the cache anew.
 *
 * The cache is derived: it is believed only if its checksum, its source, its
 * day and the place of its layout are right.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* All lines into a row; false if the page is another one. */
static bool
take_lines(const struct cache *c, str text, int64_t t, uint64_t *row)
{
	struct buf time = { NULL, 0, 0 };
	size_t i = 0;

	num_print_int(&time, t);
	for (i = 0; i < c->head->n; i++)
		if ((c->line[i].col >= c->head->cols &&
			c->line[i].col != STORE_IDS_NONE) ||
		    !take_line(&c->line[i], &text, buf_str(&time), row))
			break;
	buf_fini(&time);
	return i == c->head->n && str_eq(text, STR("# EOF\n"));
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

/* With the lock: is the source where the cache says, and the batch newer? */
static int
commit(struct store *s, struct store_wsource *src, const struct cache *c,
    struct store_part *p, struct error *e)
{
	int64_t start;
	uint32_t ymd = store_ymd(p->t, &start);
	struct store_wday *d = store_wday_use(s, ymd, start, e);
	int rc = 0;

	if (d == NULL)
		return -1;
	rc = store_wsource_use(s, src, d, e);
	if (rc == 0 && d->dict.fresh.n == 0 && src->seg == c->head->seg &&
	    src->layout == c->head->layout && src->n == c->head->cols &&
	    src->high_known && p->t - start > (int64_t)src->high)
		rc = store_part_write(s, src, d, p, e) == -1 ? -1 : 1;
	if (rc == -1)
		store_wday_drop(s, d);
	return rc;
}

static int
locked(struct store *s, struct store_wsource *src, const struct cache *c,
    struct store_part *p, const struct store_opts *o, struct error *e)
{
	struct store_limits l;
	int rc;

	if (store_lock(s, e) == -1)
		return -1;
	rc = store_limits_use(s, &o->limits, &l, e) == -1
	    ? -1
	    : in_time(s, p->t, &l, o->now, e);
	if (rc == 1)
		rc = commit(s, src, c, p, e);
	store_unlock(s);
	return rc;
}

int
store_append_text(struct store *s, str text, const struct store_opts *o,
    struct store_counts *n, struct error *e)
{
	struct store_part p = { .sync = o->sync };
	struct store_wsource *src;
	struct labels ls;
	struct cache c;
	uint64_t *row;
	int64_t start;
	int rc = 0;

	if (s->w == NULL)
		s->w = mem_zero(1, sizeof(*s->w));
	arena_reset(&s->w->arena);
	if (!head(s->w, text, &ls, &p.t, &text) || p.t < STORE_T_SECONDS ||
	    p.t > STORE_T_MAX || o->replace)
		return 0;
	src = store_wsource_find(s, ls);
	if (src->tried)
		return 0;
	src->tried = true;
	if (!cache_open(s, src, &c))
		return 0;
	if (c.head->day == store_ymd(p.t, &start)) {
		row = arena_alloc(
		    &s->w->arena, ((size_t)c.head->cols + 1) * sizeof(*row));
		for (size_t i = 0; i < c.head->cols; i++)
			row[i] = STORE_ABSENT;
		p.row = row;
		if (take_lines(&c, text, p.t, row)) {
			for (size_t i = 0; i < c.head->cols; i++)
				p.n += row[i] != STORE_ABSENT;
			rc = locked(s, src, &c, &p, o, e);
		}
	}
	cache_close(&c);
	if (rc == 1)
		n->samples += p.n;
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
