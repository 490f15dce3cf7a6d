/*
 * Blocks of Prometheus's TSDB written and read back (block_write.c,
 * block_index.c, block_read.c, block_chunk.c, block_bits.c): the same labels,
 * times, bits and buckets; and what is broken is refused.  That Prometheus
 * reads them too is for tests/peers-store.bats.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/num.h"
#include "check.h"
#include "wire/block.h"
#include "wire/block_bits.h"

#define T0 INT64_C(1637582400000)
#define SERIES 40
#define SAMPLES 500

static char dir[] = "/tmp/wire-block.XXXXXX";

static uint64_t state = 88172645463325252u;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void
test_bits(void)
{
	static const int64_t v[] = { 0, 1, -1, 3, 4, 5, -3, -4, 31, 32, 33, 256,
		-255, 2048, 131072, -131071, 16777216, 1 << 30, INT64_MAX,
		INT64_MIN, INT64_C(1) << 55, -(INT64_C(1) << 55) };
	struct buf b = { 0 };
	struct bits_out o = { &b, 0 };
	struct bits_in in;
	size_t n = sizeof(v) / sizeof(*v);

	bits_put(&o, 1, 1); /* from here on nothing is at a byte */
	for (size_t i = 0; i < n; i++) {
		bits_put_varbit(&o, v[i]);
		bits_put_uvarbit(&o, (uint64_t)v[i]);
		bits_put_varint(&o, v[i]);
		bits_put_uvarint(&o, (uint64_t)v[i]);
	}
	in = (struct bits_in){ .p = (uint8_t *)b.p, .n = b.n };
	CHECK(bits_get(&in, 1) == 1);
	for (size_t i = 0; i < n; i++) {
		CHECK(bits_get_varbit(&in) == v[i]);
		CHECK(bits_get_uvarbit(&in) == (uint64_t)v[i]);
		CHECK(bits_get_varint(&in) == v[i]);
		CHECK(bits_get_uvarint(&in) == (uint64_t)v[i]);
	}
	CHECK(!in.bad);
	(void)bits_get(&in, 64);
	CHECK(in.bad);
	buf_fini(&b);
}

/* The sample k of series i: what is written, and what must come back. */
static double
value(unsigned i, unsigned k)
{
	static const uint64_t odd[] = { 0x7ff0000000000002, 0x7ff8000000000001,
		0x8000000000000000, 0x7ff0000000000000 };

	switch (i % 5) {
	case 0:
		return 42;
	case 1:
		return (double)k * 7;
	case 2:
		return (double)((k * 2654435761u) % 1000) / 100;
	case 3:
		return num_from_bits(odd[k % 4]);
	default:
		return num_from_bits((uint64_t)k * 0x9e3779b97f4a7c15);
	}
}

static int64_t
when(unsigned i, unsigned k)
{
	return T0 + 15000 * (int64_t)k +
	    (i % 3 == 0 ? (int64_t)(k * 37 % 11) : 0);
}

/* The histogram k, of which every eighth is another layout or a reset. */
static void
histogram(struct histogram *h, unsigned i, unsigned k, struct arena *a)
{
	struct buf b = { 0 };
	struct error e;
	unsigned c = k % 100 + (k / 100 % 2) * 3;

	if (i % 3 == 0)
		buf_printf(&b,
		    "{count:%u,sum:%u.5,schema:3,zero_threshold:0.001,"
		    "zero_count:%u,negative_spans:[-2:1],negative_buckets:[%u],"
		    "positive_spans:[0:2,%u:1],positive_buckets:[%u,%u,%u]}",
		    c * 5, c, c, c, k / 50 + 1, c, c, c);
	else if (i % 3 == 1)
		buf_printf(&b,
		    "{count:%u.5,sum:-3.25,schema:-4,zero_threshold:0.1,"
		    "zero_count:0,positive_spans:[1:1],positive_buckets:"
		    "[%u.5]}",
		    c, c);
	else
		buf_printf(&b,
		    "{count:%u,sum:0,schema:-53,custom_values:[0.005,1,2.5,"
		    "1e7],positive_spans:[0:5],positive_buckets:"
		    "[%u,0,%u,0,%u]}",
		    c * 3, c, c, c);
	if (histogram_parse(h, buf_str(&b), a, NULL, &e) == -1)
		printf("# %s\n# %s\n", buf_cstr(&b), e.msg);
	buf_fini(&b);
}

static struct labels
labels(unsigned i, bool h, struct arena *a)
{
	struct label_set s = { 0 };
	struct labels ls;

	label_set(&s, LABEL_NAME, h ? STR("zh") : STR("a"));
	label_set(&s, STR("i"), arena_printf(a, "%03u", i));
	label_set(&s, STR("utf"), STR("\xc3\xa9\0\n"));
	ls = label_done(&s, a);
	label_fini(&s);
	return ls;
}

static void
write_block(const char *ulid)
{
	struct block_stats st = { 0 };
	struct block_writer *w;
	struct histogram h;
	struct arena a;
	struct error e;
	int bad = 0;

	arena_init(&a);
	w = block_create(dir, ulid, T0, T0 + 86400000, &e);
	CHECK(w != NULL);
	for (unsigned i = 0; i < SERIES; i++) {
		bad |= block_series(w, labels(i, false, &a), &e);
		for (unsigned k = 0; k < SAMPLES && i != 7; k++)
			bad |= block_float(w, when(i, k), value(i, k), &e);
	}
	for (unsigned i = 0; i < 6; i++) {
		bad |= block_series(w, labels(i, true, &a), &e);
		for (unsigned k = 0; k < SAMPLES; k++) {
			histogram(&h, i, k, &a);
			bad |= block_histogram(w, when(i, k), &h, &e);
		}
	}
	CHECK(bad == 0);
	CHECK(block_finish(w, &st, &e) == 0);
	CHECK(st.series == SERIES - 1 + 6);
	CHECK(st.samples == (SERIES - 1 + 6) * SAMPLES);
	CHECK(st.histograms == 6 * SAMPLES);
	arena_fini(&a);
}

struct expect {
	unsigned i, k, bad;
	bool h;
	struct arena a;
};

static int
compare(void *arg, int64_t t, double v, const struct histogram *h)
{
	struct expect *x = arg;
	struct histogram want;

	x->bad += t != when(x->i, x->k) || (h != NULL) != x->h;
	if (h == NULL) {
		x->bad += num_bits(v) != num_bits(value(x->i, x->k));
	} else {
		histogram(&want, x->i, x->k, &x->a);
		want.hint = h->hint;
		x->bad += !histogram_eq(h, &want);
	}
	x->k++;
	return 0;
}

static void
test_round_trip(void)
{
	const char *ulid = "01FN000000000000000000000A";
	struct expect x = { 0 };
	struct buf path = { 0 };
	struct labels ls;
	struct block *b;
	struct error e;
	unsigned n = 0;
	int k;

	arena_init(&x.a);
	write_block(ulid);
	buf_printf(&path, "%s/%s", dir, ulid);
	b = block_open(buf_cstr(&path), &e);
	CHECK(b != NULL);
	CHECK(block_from(b) == T0 && block_to(b) == T0 + 86400000);
	while ((k = block_next(b, &ls, &e)) == 1) {
		x.k = 0;
		x.i = n < SERIES - 1 ? n + (n >= 7) : n - (SERIES - 1);
		x.h = n >= SERIES - 1;
		CHECK(label_eq(ls, labels(x.i, x.h, &x.a)));
		CHECK(block_samples(b, compare, &x, &e) == 0);
		CHECK(x.k == SAMPLES);
		n++;
	}
	CHECK(k == 0 && n == SERIES - 1 + 6);
	CHECK(x.bad == 0);
	block_close(b);
	arena_fini(&x.a);
	buf_fini(&path);
}

static int
count(void *arg, int64_t t, double v, const struct histogram *h)
{
	(void)t;
	(void)v;
	(void)h;
	++*(unsigned *)arg;
	return 0;
}

static uint64_t walked; /* a sum over the labels that were walked */

/* All of it, as far as it goes. */
static int
walk(const char *path, unsigned *n)
{
	struct buf text = { 0 };
	struct error e;
	struct block *b = block_open(path, &e);
	struct labels ls;
	int k;

	if (b == NULL)
		return -1;
	walked = 0;
	while ((k = block_next(b, &ls, &e)) == 1) {
		buf_reset(&text);
		label_print_set(&text, ls);
		walked += str_hash(buf_str(&text));
		if (block_samples(b, count, n, &e) == -1) {
			k = -1;
			break;
		}
	}
	buf_fini(&text);
	block_close(b);
	return k;
}

/* A chunk that begins before the end of the one in front of it. */
static void
test_overlap(void)
{
	const char *ulid = "01FN000000000000000000000E";
	struct block_stats st = { 0 };
	struct block_writer *w;
	struct buf path = { 0 };
	struct arena a;
	struct error e;
	unsigned n = 0;
	int bad = 0;

	arena_init(&a);
	w = block_create(dir, ulid, T0, T0 + 1000, &e);
	bad |= block_series(w, labels(0, false, &a), &e);
	for (int i = 0; i < 120; i++)
		bad |= block_float(w, T0 + i, i, &e);
	for (int i = 110; i < 130; i++)
		bad |= block_float(w, T0 + i, i, &e);
	CHECK(bad == 0 && block_finish(w, &st, &e) == 0 && st.chunks == 2);
	buf_printf(&path, "%s/%s", dir, ulid);
	CHECK(walk(buf_cstr(&path), &n) == 0 && n == 130);
	buf_fini(&path);
	arena_fini(&a);
}

/* What is said of resets must not be lost between chunks. */
static const struct {
	unsigned count;
	const char *hint;
	enum histogram_hint back;
} resets[] = {
	{ 1, "unknown", HISTOGRAM_UNKNOWN },
	{ 2, "unknown", HISTOGRAM_NOT_RESET },
	{ 1, "unknown", HISTOGRAM_UNKNOWN },
	{ 5, "reset", HISTOGRAM_RESET },
	{ 6, "not_reset", HISTOGRAM_NOT_RESET },
	{ 3, "gauge", HISTOGRAM_GAUGE },
	{ 2, "gauge", HISTOGRAM_GAUGE },
};

struct hints {
	size_t n, bad;
};

static int
hint_back(void *arg, int64_t t, double v, const struct histogram *h)
{
	struct hints *x = arg;

	(void)t;
	(void)v;
	x->bad += h == NULL || h->hint != resets[x->n].back ||
	    h->count != resets[x->n].count;
	x->n++;
	return 0;
}

static void
test_resets(void)
{
	const size_t many = sizeof(resets) / sizeof(*resets);
	const char *ulid = "01FN000000000000000000000F";
	struct block_stats st = { 0 };
	struct block_writer *w;
	struct buf path = { 0 }, text = { 0 };
	struct hints x = { 0 };
	struct histogram h;
	struct labels ls;
	struct block *b;
	struct arena a;
	struct error e;
	int bad = 0;

	arena_init(&a);
	w = block_create(dir, ulid, T0, T0 + 1000, &e);
	bad |= block_series(w, labels(0, true, &a), &e);
	for (size_t i = 0; i < many; i++) {
		buf_reset(&text);
		buf_printf(&text,
		    "{count:%u,sum:1,schema:0,positive_spans:[0:1],"
		    "positive_buckets:[%u],hint:%s}",
		    resets[i].count, resets[i].count, resets[i].hint);
		bad |= histogram_parse(&h, buf_str(&text), &a, NULL, &e);
		bad |= block_histogram(w, T0 + (int64_t)i, &h, &e);
	}
	CHECK(bad == 0 && block_finish(w, &st, &e) == 0);
	buf_printf(&path, "%s/%s", dir, ulid);
	b = block_open(buf_cstr(&path), &e);
	CHECK(b != NULL && block_next(b, &ls, &e) == 1);
	CHECK(block_samples(b, hint_back, &x, &e) == 0);
	CHECK(x.n == many && x.bad == 0);
	block_close(b);
	buf_fini(&path);
	buf_fini(&text);
	arena_fini(&a);
}

static int
huge_back(void *arg, int64_t t, double v, const struct histogram *h)
{
	(void)t;
	(void)v;
	*(unsigned *)arg += h != NULL && h->count == 1e19 &&
	    h->positive.n == 1 && h->positive.v[0] == 1e19;
	return 0;
}

/* Integers that no integer chunk can hold become floats, not other numbers. */
static void
test_huge(void)
{
	const char *ulid = "01FN000000000000000000000D";
	static const str text = STR_INIT(
	    "{count:10000000000000000000,sum:1,schema:0,positive_spans:[0:1],"
	    "positive_buckets:[10000000000000000000]}");
	struct block_stats st = { 0 };
	struct block_writer *w;
	struct buf path = { 0 };
	struct histogram h;
	struct labels ls;
	struct block *b;
	struct arena a;
	struct error e;
	unsigned n = 0;

	arena_init(&a);
	CHECK(histogram_parse(&h, text, &a, NULL, &e) == 0 && h.whole);
	w = block_create(dir, ulid, T0, T0 + 1000, &e);
	CHECK(block_series(w, labels(0, true, &a), &e) == 0);
	CHECK(block_histogram(w, T0, &h, &e) == 0);
	CHECK(block_histogram(w, T0 + 1, &h, &e) == 0);
	CHECK(block_finish(w, &st, &e) == 0);
	buf_printf(&path, "%s/%s", dir, ulid);
	b = block_open(buf_cstr(&path), &e);
	CHECK(b != NULL && block_next(b, &ls, &e) == 1);
	CHECK(block_samples(b, huge_back, &n, &e) == 0 && n == 2);
	block_close(b);
	buf_fini(&path);
	arena_fini(&a);
}

static void
store(const char *path, str s)
{
	struct error e;

	CHECK(file_replace(path, s, 0644, &e) == 0);
}

/* A tombstones file that deletes from and to, both included, of each id. */
static void
put_tombs(const char *path, uint64_t ids, int64_t from, int64_t to)
{
	struct buf b = { 0 }, all = { 0 };
	struct bits_out o = { .b = &b };
	uint32_t sum;

	for (uint64_t id = 0; id < ids; id++) {
		bits_put_uvarint(&o, id);
		bits_put_varint(&o, from);
		bits_put_varint(&o, to);
	}
	sum = crc32c(0, b.p, b.n);
	bits_put(&o, sum, 32);
	buf_add(&all, (str){ "\x01\x30\xba\x30\x01", 5 });
	buf_add(&all, buf_str(&b));
	store(path, buf_str(&all));
	buf_fini(&b);
	buf_fini(&all);
}

static void
test_tombstones(void)
{
	const char *ulid = "01FN000000000000000000000B";
	const unsigned nseries = SERIES - 1 + 6;
	/* magic, version; id, from, to; CRC */
	struct buf path = { 0 }, dirname = { 0 }, t = { 0 };
	struct buf head = { 0 };
	unsigned all = 0, n = 0;

	write_block(ulid);
	buf_printf(&dirname, "%s/%s", dir, ulid);
	buf_printf(&path, "%s/%s/tombstones", dir, ulid);
	CHECK(walk(buf_cstr(&dirname), &all) == 0);
	/* The ids of this block are below that; any number is legal. */
	put_tombs(buf_cstr(&path), 4096, when(1, 10), when(1, 109) + 14999);
	n = 0;
	CHECK(walk(buf_cstr(&dirname), &n) == 0 && n == all - 100 * nseries);
	put_tombs(buf_cstr(&path), 4096, INT64_MIN, INT64_MAX);
	n = 0;
	CHECK(walk(buf_cstr(&dirname), &n) == 0 && n == 0);
	n = 0;
	buf_add(&head, (str){ "\x01\x30\xba\x30\x01", 5 });
	buf_add(&t, buf_str(&head));
	buf_add(&t, (str){ "\0\0\0\0", 4 });
	store(buf_cstr(&path), buf_str(&t));
	CHECK(walk(buf_cstr(&dirname), &n) == 0 && n == all);
	store(buf_cstr(&path), (str){ "\x01\x30\xba\x30\x02\0\0\0\0", 9 });
	CHECK(walk(buf_cstr(&dirname), &n) == -1);
	store(buf_cstr(&path), (str){ "\x01\x30\xba\x30\x01\1\0\0\0", 9 });
	CHECK(walk(buf_cstr(&dirname), &n) == -1);
	buf_fini(&path);
	buf_fini(&dirname);
	buf_fini(&t);
	buf_fini(&head);
}

/* Any byte changed, any file cut: an error, or fewer samples; no more. */
static void
test_broken(void)
{
	static const char *const names[] = { "index", "chunks/000001",
		"meta.json" };
	const char *ulid = "01FN000000000000000000000C";
	struct buf dirname = { 0 };
	unsigned n = 0, wrong = 0;
	uint64_t all;

	write_block(ulid);
	buf_printf(&dirname, "%s/%s", dir, ulid);
	CHECK(walk(buf_cstr(&dirname), &n) == 0);
	all = walked;
	for (size_t i = 0; i < 3; i++) {
		struct buf path = { 0 }, whole = { 0 };
		struct error e;

		buf_printf(&path, "%s/%s", buf_cstr(&dirname), names[i]);
		CHECK(file_read(buf_cstr(&path), &whole, &e) == 0);
		for (unsigned k = 0; k < 150; k++) {
			size_t at = draw() % whole.n;
			char was = whole.p[at];
			str s = buf_str(&whole);

			if (k % 3 == 0)
				s = str_take(s, at);
			else
				whole.p[at] =
				    (char)(k % 3 == 1 ? ~was : was ^ 1);
			store(buf_cstr(&path), s);
			n = 0;
			/* Padding and meta.json have no checksum. */
			if (walk(buf_cstr(&dirname), &n) == 0 &&
			    (n != (SERIES - 1 + 6) * SAMPLES || walked != all))
				wrong++;
			whole.p[at] = was;
		}
		store(buf_cstr(&path), buf_str(&whole));
		buf_fini(&whole);
		buf_fini(&path);
	}
	CHECK(wrong == 0);
	buf_fini(&dirname);
}

static void
test_ulid(void)
{
	char u[BLOCK_ULID + 1];

	/* The time of the specification's example. */
	block_ulid(u, 1469918176385, 0, UINT64_MAX);
	CHECK_STR(str_of(u), "01ARYZ6S4100000000ZZZZZZZZ");
}

int
main(void)
{
	struct buf rm = { 0 };

	if (mkdtemp(dir) == NULL)
		return 1;
	test_bits();
	test_ulid();
	test_round_trip();
	test_tombstones();
	test_overlap();
	test_resets();
	test_huge();
	test_broken();
	if (getenv("KEEP") == NULL) {
		buf_printf(&rm, "rm -rf %s", dir);
		if (system(buf_cstr(&rm)) != 0)
			return 1;
		buf_fini(&rm);
	}
	return done();
}
