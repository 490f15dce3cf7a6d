/*
 * A gzip body that is there as a whole, as a target's page mostly is: it is
 * uncompressed at once, into one buffer for all, by libdeflate if the machine
 * has it, which takes half of zlib's time.  Whatever is not plainly right, one
 * member of the length it says, is left to fetch_body.c, which says what is
 * wrong with it.  (RFC 1952)
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/fetch_impl.h"

#define LARGEST ((size_t)4 << 20) /* bytes of a page; more is not kept */
#define LEAST 18                  /* bytes of a member */

static bool
find(void *lib, const char *name, void *fn)
{
	void *p = dlsym(lib, name);

	memcpy(fn, &p, sizeof(p));
	return p != NULL;
}

/* It stays loaded to the end of the process. */
static void
load(struct fetch_gzip *g)
{
	void *lib = dlopen("libdeflate.so.0", RTLD_NOW | RTLD_LOCAL);
	void *(*make)(void);

	if (lib == NULL)
		return;
	if (find(lib, "libdeflate_alloc_decompressor", &make) &&
	    find(lib, "libdeflate_free_decompressor", &g->free) &&
	    find(lib, "libdeflate_gzip_decompress_ex", &g->decode))
		g->decoder = make();
}

/* Exactly n bytes, and nothing behind the stream that makes them. */
static bool
by_libdeflate(struct fetch_gzip *g, str in, char *out, size_t n)
{
	size_t used = 0;

	return g->decode(g->decoder, in.p, in.n, out, n, &used, NULL) == 0 &&
	    used == in.n;
}

static bool
by_zlib(struct fetch_gzip *g, str in, char *out, size_t n)
{
	z_stream *z = &g->z;

	if (!g->z_ready)
		g->z_ready = inflateInit2(z, 15 + 16) == Z_OK;
	else if (inflateReset(z) != Z_OK)
		return false;
	if (!g->z_ready)
		return false;
	z->next_in = (Bytef *)(uintptr_t)in.p;
	z->avail_in = (uInt)in.n;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)n + 1; /* that it ends there is seen */
	return inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_in == 0 &&
	    z->total_out == n;
}

/* How many bytes the first and last member says it has. */
static size_t
says(str in)
{
	const unsigned char *p = (const unsigned char *)in.p + in.n - 4;

	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	    (size_t)p[3] << 24;
}

bool
fetch_gzip(struct fetch *f, str in, size_t max, str *out)
{
	struct fetch_gzip *g = f->gzip;
	size_t n;
	char *p;

	if (in.n < LEAST || in.n > LARGEST)
		return false;
	n = says(in);
	/* Deflate makes a byte of 1032 at most: what says more is no stream. */
	if (n >= max || n > LARGEST || n / 1032 > in.n)
		return false;
	if (g == NULL) {
		g = f->gzip = mem_zero(1, sizeof(*g));
		load(g);
	}
	p = buf_reserve(&g->page, n + 1);
	if (!(g->decoder != NULL ? by_libdeflate : by_zlib)(g, in, p, n))
		return false;
	*out = (str){ p, n };
	return true;
}

void
fetch_gzip_fini(struct fetch *f)
{
	struct fetch_gzip *g = f->gzip;

	if (g == NULL)
		return;
	if (g->decoder != NULL)
		g->free(g->decoder);
	if (g->z_ready)
		inflateEnd(&g->z);
	buf_fini(&g->page);
	free(g);
}
