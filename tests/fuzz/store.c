/*
 * Any bytes as the files of a store, with right checksums where that lets them
 * in further: reading, checking and appending must live with all of it.
 *
 * The input is records of the dictionary, a zero byte, then frames: each a
 * byte of type, one of flags, one of columns or so, two of length, bytes.  What
 * came of it is sealed, and bytes of the part are changed at places that the
 * second half of the input says, with checksums made right again; then the
 * index of the day likewise, as the first bytes say.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "metric/batch.h"
#include "store/format.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define DAY "/20211122"
#define DURING INT64_C(1637582400000)
#define AFTER INT64_C(1637712000000)

struct in {
	const uint8_t *p;
	size_t n;
};

static unsigned
byte(struct in *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

static str
bytes(struct in *in, size_t n)
{
	str s = { (const char *)in->p, n < in->n ? n : in->n };

	in->p += s.n;
	in->n -= s.n;
	return s;
}

static void
put(const char *dir, const char *name, str s)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, s.p, s.n) != (ssize_t)s.n)
		abort();
	close(fd);
}

static void
log_of(struct in *in, struct buf *b, const char *magic)
{
	struct store_log_head h = { .version = STORE_VERSION };
	unsigned k;

	memcpy(h.magic, magic, sizeof(h.magic));
	buf_reset(b);
	buf_add(b, (str){ (const char *)&h, sizeof(h) });
	while ((k = byte(in)) != 0) {
		str s = bytes(in, k >> 2);
		struct store_rec r = {
			.size = (uint32_t)s.n | (k & 3) << 24,
			.hash = str_hash(s),
		};

		r.crc = crc32c(crc32c(0, &r, sizeof(r)), s.p, s.n);
		buf_add(b, (str){ (const char *)&r, sizeof(r) });
		buf_add(b, s);
		while (b->n % 8 != 0)
			buf_byte(b, (char)(k & 1));
	}
}

static void
segment(struct in *in, struct buf *b)
{
	struct store_seg_head h = {
		.version = STORE_VERSION,
		.cap = 64,
		.day = 20211122,
		.no = 1,
	};
	size_t frames = STORE_SEG_HEAD + 64 * sizeof(struct store_slot);
	uint32_t crc[32];

	memcpy(h.magic, STORE_SEG_MAGIC, sizeof(h.magic));
	h.crc = crc32c(0, &h, offsetof(struct store_seg_head, crc));
	buf_reset(b);
	memset(buf_reserve(b, frames), 0, frames);
	memcpy(b->p, &h, sizeof(h));
	b->n = frames;
	for (uint32_t i = 0; i < 64 && in->n > 0; i++) {
		struct store_slot s = { .t = INT64_C(1637582400000) + i };
		str f;

		s.off = b->n;
		s.type = (uint8_t)(byte(in) % 7);
		s.flags = (uint8_t)(byte(in) & 7);
		s.ref = byte(in) % 66;
		s.n = byte(in);
		s.back = (uint16_t)(byte(in) % 4);
		s.source = byte(in);
		s.tmin = byte(in);
		s.tmax = s.tmin + byte(in);
		f = bytes(in, byte(in) * 16 + byte(in));
		s.len = (uint32_t)f.n;
		buf_add(b, f);
		while (b->n % 8 != 0)
			buf_byte(b, 0);
		crc32c_blocks(f.p, f.n, crc);
		f.n = (f.n + CRC32C_BLOCK - 1) / CRC32C_BLOCK * sizeof(*crc);
		s.fcrc = crc32c(0, crc, f.n);
		buf_add(b, (str){ (const char *)crc, f.n });
		while (b->n % 8 != 0)
			buf_byte(b, 0);
		s.crc = crc32c(0, &s, offsetof(struct store_slot, crc));
		memcpy(b->p + STORE_SEG_HEAD + i * sizeof(s), &s, sizeof(s));
	}
}

static int
out(void *arg, str s)
{
	*(size_t *)arg += s.n;
	return 0;
}

static void
report(void *arg, const char *msg)
{
	*(size_t *)arg += strlen(msg);
}

static void
read_all(const char *dir)
{
	struct error e;
	struct store *s = store_open(dir, STORE_READ, &e);
	struct source src;
	struct source_series one;
	struct store_info info;
	size_t n = 0;

	if (s == NULL)
		abort();
	if (store_select(s, NULL, 0, INT64_MIN, INT64_MAX, out, &n, &e) == -1 ||
	    store_check(s, report, &n, &e) == -1 ||
	    store_info(s, &info, &e) == -1)
		abort();
	src = store_source(s);
	for (int k = 0; k < 3; k++) {
		struct source_query q = {
			.from = k == 2 ? INT64_C(1637539200010) : INT64_MIN,
			.to = INT64_MAX,
			.labels_only = k == 1,
		};
		struct source_cursor *c = source_open(&src, &q, &e);
		int64_t last = INT64_MIN;

		if (c == NULL)
			abort();
		while (source_next(&src, c, &one, &e) == 1)
			for (size_t i = 0; i < one.n; i++) {
				if (i > 0 && one.t[i] <= last)
					abort();
				last = one.t[i];
			}
		source_close(&src, c);
	}
	store_close(s);
}

static void
append(const char *dir)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct store_opts o = { 0 };
	struct store_counts n = { 0 };
	struct error e;
	struct store *s = store_open(dir, STORE_WRITE, &e);
	struct batch b;

	if (s == NULL)
		abort();
	batch_feed(r,
	    STR("# BATCH {a=\"b\"} 1637539200005\na 1\nb 2\n"
		"# STALE * 1637539200005\n# EOF\n"
		"# BATCH {a=\"b\"} 1637539200006 k=\"v\"\na 1\nb 3\n# EOF\n"
		"# BATCH {a=\"b\"} 1637539200007\na 1.5 1637539200006\nb 2\n"
		"# EXEMPLAR b {i=\"1\"} 2 1637539200007\n# EOF\n"
		"# BATCH {} 1637539200009\nc 1 1637539200001\n"
		"c 2 1637539200003\nc 1 1637539200002\n"
		"# HIST h {count:1,sum:1,schema:0,zero_threshold:0,"
		"zero_count:0,positive_spans:[0:1],positive_buckets:[1]} "
		"1637539200009\n# EOF\n"));
	batch_end(r);
	while (batch_next(r, &b) == 1)
		if (store_append(s, &b, &o, &n, NULL, &e) == -1)
			abort();
	batch_free(r);
	store_close(s);
}

static void
told(void *arg, const char *msg)
{
	*(size_t *)arg += strlen(msg);
}

static void
compact(const char *dir, int64_t now)
{
	struct error e;
	struct store *s = store_open(dir, STORE_WRITE, &e);
	size_t n = 0;
	struct store_compact c = {
		.now = now, .seal = true, .report = told, .arg = &n
	};

	if (s == NULL || store_compact(s, &c, &e) == -1)
		abort();
	store_close(s);
}

/* The checksums of a part, where it says things are. */
static void
make_right(uint8_t *p, size_t n)
{
	struct store_sealed_head *h = (void *)p;
	struct store_stripe *s;
	struct store_sealed_layout *l;
	struct store_sealed_page *g;
	struct store_sealed_block *b;

	if (h->dir > n || h->dir % 8 != 0 ||
	    (h->nstripes + (uint64_t)h->nlayouts + h->npages + h->nblocks) *
		    sizeof(*s) >
		n - h->dir)
		return;
	s = (void *)(p + h->dir);
	l = (void *)(s + h->nstripes);
	g = (void *)(l + h->nlayouts);
	b = (void *)(g + h->npages);
	for (uint32_t i = 0; i < h->nstripes; i++)
		if (s[i].off < n && s[i].front < n - s[i].off)
			s[i].crc = crc32c(0, p + s[i].off, s[i].front);
	for (uint32_t i = 0; i < h->nlayouts; i++)
		if (l[i].off < n && l[i].len < n - l[i].off)
			l[i].crc = crc32c(0, p + l[i].off, l[i].len);
	for (uint32_t i = 0; i < h->npages; i++)
		if (g[i].off < n && g[i].len < n - g[i].off)
			g[i].crc = crc32c(0, p + g[i].off, g[i].len);
	for (uint32_t i = 0; i < h->nblocks; i++)
		if (b[i].off < n && b[i].len < n - b[i].off)
			b[i].crc = crc32c(0, p + b[i].off, b[i].len);
	h->dircrc = crc32c(0, p + h->dir, n - h->dir);
	h->crc = crc32c(0, h, offsetof(struct store_sealed_head, crc));
}

/* The checksums of an index, where it says things are. */
static void
index_right(uint8_t *p, size_t n)
{
	struct store_index_head *h = (void *)p;
	struct store_index_block *b;
	struct store_index_column *c;
	uint64_t at = sizeof(*h);

	/* Small directories are not packed. */
	if (h->dir > n || h->dirlen != n - h->dir || h->dirlen != h->dirraw ||
	    (h->nblocks + (uint64_t)h->ntables + h->ncolumns) * sizeof(*b) >
		h->dirlen) {
		h->crc = crc32c(0, h, offsetof(struct store_index_head, crc));
		return;
	}
	b = (void *)(p + h->dir);
	c = (void *)(p + h->dir +
	    (h->nblocks + (size_t)h->ntables) * sizeof(*b));
	for (uint32_t i = 0; i < h->nblocks; at += b[i++].len)
		if (at + b[i].len <= h->dir)
			b[i].crc = crc32c(0, p + at, b[i].len);
	for (uint32_t i = 0; i < h->ncolumns; at += c[i++].len)
		if (at + c[i].len <= h->dir)
			c[i].crc = crc32c(0, p + at, c[i].len);
	h->dircrc = crc32c(0, p + h->dir, h->dirlen);
	h->crc = crc32c(0, h, offsetof(struct store_index_head, crc));
}

static void
change(struct in *in, const char *day, const char *name)
{
	bool is_index = strcmp(name, "index") == 0;
	char path[128];
	struct buf b = { 0 };
	struct error e;

	snprintf(path, sizeof(path), "%s/%s", day, name);
	if (file_read(path, &b, &e) == -1 ||
	    b.n < (is_index ? sizeof(struct store_index_head)
			    : sizeof(struct store_sealed_head))) {
		buf_fini(&b);
		return;
	}
	for (size_t k = 0; in->n > 0 && (!is_index || k < 16); k++) {
		size_t at = byte(in) << 8;

		at |= byte(in);
		b.p[at % b.n] = (char)byte(in);
	}
	if (is_index)
		index_right((uint8_t *)b.p, b.n);
	else
		make_right((uint8_t *)b.p, b.n);
	(void)unlink(path);
	snprintf(path, sizeof(path), "/%s", name);
	put(day, path, buf_str(&b));
	buf_fini(&b);
}

/* Nothing of the run before. */
static void
clean(const char *day)
{
	static const char *const names[] = { "series.hash", "index",
		"000002.seg", "000003.seg", "000001-000001.part",
		"000001-000002.part", "000002-000002.part" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", day, names[i]);
		(void)unlink(path);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct in in = { p, n / 2 }, tail = { p + n / 2, n - n / 2 };
	struct in bits = { p, n / 2 };
	struct buf b = { 0 };
	char dir[64], day[80];

	snprintf(dir, sizeof(dir), "/dev/shm/mf-fuzz-store.%d", (int)getpid());
	snprintf(day, sizeof(day), "%s%s", dir, DAY);
	(void)mkdir(dir, 0700);
	(void)mkdir(day, 0700);
	put(dir, "/format", STR(STORE_FORMAT));
	log_of(&in, &b, STORE_LOG_MAGIC);
	put(day, "/series.log", buf_str(&b));
	log_of(&in, &b, STORE_META_MAGIC);
	put(dir, "/meta.log", buf_str(&b));
	segment(&in, &b);
	put(day, "/000001.seg", buf_str(&b));
	clean(day);
	read_all(dir);
	append(dir);
	read_all(dir);
	compact(dir, DURING);
	read_all(dir);
	change(&tail, day, "000002-000002.part");
	change(&tail, day, "000001-000002.part");
	read_all(dir);
	append(dir);
	/* The day is over: labels move, and the log goes on behind them. */
	compact(dir, AFTER);
	read_all(dir);
	change(&bits, day, "index");
	read_all(dir);
	append(dir);
	read_all(dir);
	compact(dir, AFTER);
	read_all(dir);
	buf_fini(&b);
	return 0;
}
