/*
 * Chunks of XOR2, written here as the format is described (block_xor2.c), with
 * all of its prefixes and start times; and one in a block.
 */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "check.h"
#include "wire/block.h"
#include "wire/block_chunk.h"

#define T0 INT64_C(1700000000000)

struct sample {
	int64_t t, start;
	double v;
};

struct out {
	struct bits_out bits;
	struct bits_xor x;
	int64_t t, delta, start, diff;
	unsigned n, changed; /* from which sample on start times stand */
	size_t at;
};

static void
put_window(struct out *o, uint64_t x, bool known)
{
	unsigned leading = (unsigned)__builtin_clzll(x);
	unsigned trailing = (unsigned)__builtin_ctzll(x), n;

	leading = leading > 31 ? 31 : leading;
	if (o->x.leading != 255 && leading >= o->x.leading &&
	    trailing >= o->x.trailing) {
		bits_put(&o->bits, known ? 0 : 2, known ? 1 : 2);
		bits_put(&o->bits, x >> o->x.trailing,
		    64 - o->x.leading - o->x.trailing);
		return;
	}
	o->x.leading = leading;
	o->x.trailing = trailing;
	n = 64 - leading - trailing;
	bits_put(&o->bits, known ? 1 : 6, known ? 1 : 3);
	bits_put(&o->bits, leading, 5);
	bits_put(&o->bits, n & 63, 6);
	bits_put(&o->bits, x >> trailing, n);
}

static void
put_value(struct out *o, double v)
{
	uint64_t x = num_bits(v) ^ o->x.last;

	if (num_is_stale(v))
		bits_put(&o->bits, 7, 3);
	else if (x == 0)
		bits_put(&o->bits, 0, 1);
	else
		put_window(o, x, false);
}

static void
put_joint(struct out *o, int64_t dod, double v)
{
	uint64_t x = num_bits(v) ^ o->x.last;

	if (dod == 0 && num_is_stale(v)) {
		bits_put(&o->bits, 31, 5);
	} else if (dod == 0 && x == 0) {
		bits_put(&o->bits, 0, 1);
	} else if (dod == 0) {
		bits_put(&o->bits, 2, 2);
		put_window(o, x, true);
	} else {
		if (dod >= -4096 && dod < 4096) {
			bits_put(&o->bits, 6, 3);
			bits_put(&o->bits, (uint64_t)dod & 0x1fff, 13);
		} else if (dod >= -524288 && dod < 524288) {
			bits_put(&o->bits, 14, 4);
			bits_put(&o->bits, (uint64_t)dod & 0xfffff, 20);
		} else {
			bits_put(&o->bits, 30, 5);
			bits_put(&o->bits, (uint64_t)dod, 64);
		}
		put_value(o, v);
	}
}

/* Each sample has a start time from the first on that has another one. */
static void
put_start(struct out *o, const struct sample *s)
{
	int64_t diff = o->t - s->start;

	if (o->changed == 0 && s->start == o->start && o->n != 127)
		return;
	bits_put_varbit(&o->bits, o->changed == 0 ? diff : diff - o->diff);
	if (o->changed == 0) {
		o->changed = o->n;
		o->bits.b->p[o->at + 2] =
		    (char)((uint8_t)o->bits.b->p[o->at + 2] | o->n);
	}
	o->diff = diff;
}

static void
put(struct out *o, const struct sample *s)
{
	int64_t delta = s->t - o->t;

	if (o->n == 0) {
		bits_put_varint(&o->bits, s->t);
		bits_put(&o->bits, num_bits(s->v), 64);
		if (s->start != 0) {
			bits_put_varint(&o->bits, s->t - s->start);
			o->bits.b->p[o->at + 2] = (char)0x80;
		}
	} else if (o->n == 1) {
		bits_put_uvarint(&o->bits, (uint64_t)delta);
		put_value(o, s->v);
	} else {
		put_joint(o, delta - o->delta, s->v);
	}
	if (o->n > 0)
		put_start(o, s);
	o->delta = o->n > 0 ? delta : 0;
	o->t = s->t;
	o->start = s->start;
	if (!num_is_stale(s->v))
		o->x.last = num_bits(s->v);
	o->n++;
}

static void
encode(struct buf *b, const struct sample *v, unsigned n)
{
	struct out o = { .bits = { b, 0 }, .x.leading = 255, .at = b->n };

	bits_put(&o.bits, n, 16);
	bits_put(&o.bits, 0, 8);
	for (unsigned i = 0; i < n; i++)
		put(&o, &v[i]);
}

static bool
same(const struct sample *v, unsigned n)
{
	const struct histogram *h;
	struct buf b = { NULL, 0, 0 };
	struct chunk_in c;
	bool good;
	unsigned i;
	int64_t t;
	double x;

	encode(&b, v, n);
	good = chunk_open(&c, CHUNK_XOR2, (uint8_t *)b.p, b.n, NULL);
	for (i = 0; good && chunk_next(&c, &t, &x, &h) == 1; i++)
		good = i < n && t == v[i].t && h == NULL &&
		    num_bits(x) == num_bits(v[i].v);
	good = good && i == n;
	/* Cut anywhere it is broken, or says less; it never says more. */
	for (size_t k = 0; good && k < b.n; k++) {
		if (!chunk_open(&c, CHUNK_XOR2, (uint8_t *)b.p, k, NULL))
			continue;
		for (i = 0; chunk_next(&c, &t, &x, &h) == 1; i++)
			;
		good = i <= n;
	}
	buf_fini(&b);
	return good;
}

/* By hand: 3 samples of 1 at 0, 1000, 2000; then one that ends the series. */
static void
known_bytes(void)
{
	static const uint8_t p[] = { 0, 4, 0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0,
		0xe8, 0x07, 0x3e /* 0 0 11111 */ };
	const struct histogram *h;
	struct chunk_in c;
	int64_t t;
	double v;

	CHECK(chunk_open(&c, CHUNK_XOR2, p, sizeof(p), NULL));
	for (int i = 0; i < 3; i++)
		CHECK(
		    chunk_next(&c, &t, &v, &h) == 1 && t == i * 1000 && v == 1);
	CHECK(chunk_next(&c, &t, &v, &h) == 1 && t == 3000 && num_is_stale(v));
	CHECK(chunk_next(&c, &t, &v, &h) == 0);
}

/*
 * Who opens a chunk of one value again has its window at 0..63, and may use it:
 * Prometheus does, for heads out of a snapshot.
 */
static void
resumed(void)
{
	static const uint8_t two[] = { 0, 3, 0, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0,
		0xe8, 0x07, 0x47 /* 0 10 0 and a difference of 64 bits */, 0xff,
		0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t one[] = { 0, 3, 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0,
		0xe8, 0x07, 0x27 /* 0 0 10 and the same */, 0xff, 0, 0, 0, 0, 0,
		0, 0 };
	const struct histogram *h;
	struct chunk_in c;
	int64_t t;
	double v;

	for (int k = 1; k <= 2; k++) {
		CHECK(k == 1
			? chunk_open(&c, CHUNK_XOR, one, sizeof(one), NULL)
			: chunk_open(&c, CHUNK_XOR2, two, sizeof(two), NULL));
		for (int i = 0; i < 2; i++)
			CHECK(chunk_next(&c, &t, &v, &h) == 1 &&
			    t == i * 1000 && v == 1);
		CHECK(chunk_next(&c, &t, &v, &h) == 1 && t == 2000 && v == 2);
		CHECK(chunk_next(&c, &t, &v, &h) == 0);
	}
}

static void
all_prefixes(void)
{
	static const int64_t step[] = { 0, 0, 1, -1, 4095, -4096, 4096, -4097,
		524287, -524288, 524288, -524289, INT64_C(1) << 40, 0, 0 };
	static const double value[] = { 1, 1, 2, 2.5, 1e300, -1e-300, 0, 0,
		INFINITY, -INFINITY, 3, 3, 4, 5, 6, 7 };
	struct sample v[400];
	int64_t t = T0, delta = INT64_C(1) << 21, start = 0;
	unsigned n;

	for (unsigned starts = 0; starts < 6; starts++) {
		t = T0;
		start = starts == 1 || starts == 2 ? T0 - 77 : 0;
		for (n = 0; n < 400; n++) {
			if (starts >= 2 && n % (1u << starts) == 1)
				start = t - 5 - (int64_t)n * 1000;
			v[n].t = t;
			v[n].start = start;
			v[n].v = n % 13 == 5
			    ? num_from_bits(NUM_STALE_BITS)
			    : value[n * 7 % (sizeof(value) / sizeof(*value))] *
				(n % 3 == 0 ? 1 : n);
			delta += step[n % 15] * (n % 30 < 15 ? 1 : -1);
			t += delta;
		}
		CHECK(same(v, n));
		CHECK(same(v, 1));
		CHECK(same(v, 2));
	}
	v[0].v = num_from_bits(NUM_STALE_BITS);
	CHECK(same(v, 40));
	CHECK(same(v, 0));
}

struct got {
	const struct sample *want;
	size_t n, bad;
};

static int
take(void *arg, int64_t t, double v, const struct histogram *h)
{
	struct got *g = arg;

	g->bad += h != NULL || t != g->want[g->n].t || v != g->want[g->n].v;
	g->n++;
	return 0;
}

/* A block of ours whose one chunk is replaced. */
static void
in_a_block(void)
{
	static const struct label name = { STR_INIT("__name__"),
		STR_INIT("m") };
	char dir[] = "/tmp/wire-xor2.XXXXXX";
	char path[] = "/tmp/wire-xor2.XXXXXX/01ARZ3NDEKTSV4RRFFQ69G5FAV";
	struct sample v[3] = { { T0, 0, 1 }, { T0 + 15, 0, 2 },
		{ T0 + 40, 0, 3.5 } };
	struct buf b = { NULL, 0, 0 }, data = { NULL, 0, 0 };
	struct got g = { v, 0, 0 };
	struct block_stats stats;
	struct block_writer *w;
	struct labels ls = { &name, 1 };
	struct block *in;
	struct error e;
	char cmd[128];
	uint32_t crc;

	CHECK(mkdtemp(dir) != NULL);
	memcpy(path, dir, strlen(dir));
	w = block_create(dir, "01ARZ3NDEKTSV4RRFFQ69G5FAV", T0, T0 + 100, &e);
	CHECK(block_series(w, ls, &e) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(block_float(w, v[i].t, v[i].v, &e) == 0);
	CHECK(block_finish(w, &stats, &e) == 0);
	buf_byte(&data, CHUNK_XOR2);
	encode(&data, v, 3);
	buf_add(&b, (str){ "\x85\xbd\x40\xdd\x01\0\0\0", 8 });
	buf_byte(&b, (char)(data.n - 1));
	buf_add(&b, buf_str(&data));
	crc = crc32c(0, data.p, data.n);
	for (int i = 24; i >= 0; i -= 8)
		buf_byte(&b, (char)(crc >> i));
	snprintf(cmd, sizeof(cmd), "%s/chunks/000001", path);
	CHECK(file_replace(cmd, buf_str(&b), 0666, &e) == 0);
	in = block_open(path, &e);
	CHECK(in != NULL && block_next(in, &ls, &e) == 1);
	CHECK(block_samples(in, take, &g, &e) == 0);
	CHECK(g.n == 3 && g.bad == 0);
	block_close(in);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	CHECK(system(cmd) == 0);
	buf_fini(&b);
	buf_fini(&data);
}

int
main(void)
{
	known_bytes();
	resumed();
	all_prefixes();
	in_a_block();
	return done();
}
