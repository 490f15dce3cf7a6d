#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "net/fetch_impl.h"

#define MAX ((size_t)1 << 30)

/* s as a member behind what b has. */
static void
pack(struct buf *b, str s)
{
	z_stream z = { 0 };
	uLong most;
	char *p;

	CHECK(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0) == Z_OK);
	most = deflateBound(&z, s.n);
	p = buf_reserve(b, most);
	z.next_in = (Bytef *)(uintptr_t)s.p;
	z.avail_in = (uInt)s.n;
	z.next_out = (Bytef *)p;
	z.avail_out = (uInt)most;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	b->n += z.total_out;
	deflateEnd(&z);
}

static void
page(struct buf *b, int n)
{
	for (int i = 0; i < n; i++)
		buf_printf(b, "a_metric_total{n=\"%d\"} %d\n", i, i * i % 977);
}

static bool
gives(struct fetch *f, const struct buf *in, size_t max, str want)
{
	str out;

	return fetch_gzip(f, buf_str(in), max, &out) && str_eq(out, want);
}

static void
good(struct fetch *f)
{
	static const int sizes[] = { 0, 1, 700, 20000, 3 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct buf b = { 0 }, z = { 0 };

		page(&b, sizes[i]);
		pack(&z, buf_str(&b));
		CHECK(gives(f, &z, MAX, buf_str(&b)));
		CHECK(gives(f, &z, b.n + 1, buf_str(&b)));
		CHECK(!gives(f, &z, b.n, buf_str(&b)));
		buf_fini(&b);
		buf_fini(&z);
	}
}

/* Not plainly right: it is said here that it is none, not what is wrong. */
static void
others(struct fetch *f)
{
	struct buf b = { 0 }, z = { 0 }, two = { 0 };
	size_t wrong = 0;
	str out;

	page(&b, 10);
	pack(&z, buf_str(&b));
	for (size_t n = 0; n < z.n; n++)
		wrong += fetch_gzip(f, str_take(buf_str(&z), n), MAX, &out);
	CHECK(wrong == 0);
	buf_add(&two, buf_str(&z));
	pack(&two, buf_str(&b));
	CHECK(!fetch_gzip(f, buf_str(&two), MAX, &out));
	buf_reset(&two);
	buf_add(&two, buf_str(&z));
	buf_z(&two, "more");
	CHECK(!fetch_gzip(f, buf_str(&two), MAX, &out));
	/* one that says to be longer or shorter, and by much */
	for (int i = 0; i < 4; i++)
		for (int bit = 1; bit < 256; bit *= 2) {
			char *p = z.p + z.n - 4 + i;

			*p = (char)(*p ^ bit);
			wrong += fetch_gzip(f, buf_str(&z), MAX, &out);
			*p = (char)(*p ^ bit);
		}
	CHECK(wrong == 0);
	CHECK(gives(f, &z, MAX, buf_str(&b)));
	CHECK(!fetch_gzip(
	    f, STR("not gzip, but longer than a member"), MAX, &out));
	buf_fini(&b);
	buf_fini(&z);
	buf_fini(&two);
}

/* Any damage is seen: what is taken is what was packed. */
static void
damaged(struct fetch *f)
{
	struct buf b = { 0 }, z = { 0 };
	size_t taken = 0, wrong = 0;
	uint32_t x = 1;
	str out;

	page(&b, 300);
	pack(&z, buf_str(&b));
	for (int i = 0; i < 3000; i++) {
		char *p, was;

		x = x * 1664525 + 1013904223;
		p = z.p + (x >> 8) % z.n;
		was = *p;
		*p = (char)(was ^ (1 << (x >> 4) % 8));
		if (fetch_gzip(f, buf_str(&z), MAX, &out)) {
			taken++;
			wrong += !str_eq(out, buf_str(&b));
		}
		*p = was;
	}
	/* the time, the system and the like */
	CHECK(wrong == 0 && taken < 300);
	buf_fini(&b);
	buf_fini(&z);
}

static void
all(struct fetch *f)
{
	good(f);
	others(f);
	damaged(f);
}

int
main(void)
{
	struct fetch f = { 0 };

	all(&f);
	/* and as where there is no libdeflate */
	CHECK(f.gzip != NULL);
	printf("# %s\n", f.gzip->decoder ? "libdeflate" : "zlib");
	if (f.gzip->decoder != NULL)
		f.gzip->free(f.gzip->decoder);
	f.gzip->decoder = NULL;
	all(&f);
	fetch_gzip_fini(&f);
	fetch_gzip_fini(&(struct fetch){ 0 });
	return done();
}
