/*
 * Writing a block.  Chunks go out as they come; labels and where their chunks
 * are stay in memory until the index is written behind them.
 */
#include "wire/block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/varint.h"
#include "wire/block_chunk.h"
#include "wire/block_index.h"

/* A larger count may have changes that do not fit an integer chunk. */
#define WHOLE_MAX 0x1p60

#define SEGMENT ((uint64_t)512 << 20) /* bytes of a file of chunks */

struct block_writer {
	char *path; /* of the directory it will be */
	char *tmp;  /* while it is made */
	char ulid[BLOCK_ULID + 1];
	int64_t from, to;
	FILE *f;
	unsigned segment; /* its number, from 1 */
	uint64_t off;     /* in it */
	struct buf chunk; /* the one being written */
	struct chunk_out out;
	bool open; /* out is */
	struct block_index index;
	struct block_stats stats;
	bool tombs; /* the directory is there */
};

void
block_ulid(char out[BLOCK_ULID + 1], int64_t now, uint64_t r1, uint64_t r2)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t t = (uint64_t)now;

	for (int i = 9; i >= 0; i--, t >>= 5)
		out[i] = digits[t & 31];
	for (int i = 17; i >= 10; i--, r1 >>= 5)
		out[i] = digits[r1 & 31];
	for (int i = 25; i >= 18; i--, r2 >>= 5)
		out[i] = digits[r2 & 31];
	out[BLOCK_ULID] = '\0';
}

static char *
path(const char *dir, const char *name)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", dir, name);
	(void)buf_cstr(&b);
	return b.p;
}

static int
failed(const struct block_writer *w, struct error *e)
{
	return error_errno(e, "%s", w->tmp);
}

static int
put(struct block_writer *w, const void *p, size_t n, struct error *e)
{
	if (fwrite(p, 1, n, w->f) != n)
		return failed(w, e);
	w->off += n;
	w->stats.bytes += n;
	return 0;
}

/* Let what is in f reach the disk. */
static int
close_file(struct block_writer *w, struct error *e)
{
	int rc = 0;

	if (w->f == NULL)
		return 0;
	if (fflush(w->f) == EOF || fsync(fileno(w->f)) == -1)
		rc = failed(w, e);
	if (fclose(w->f) == EOF && rc == 0)
		rc = failed(w, e);
	w->f = NULL;
	return rc;
}

static int
open_file(struct block_writer *w, const char *name, struct error *e)
{
	char *p = path(w->tmp, name);

	w->f = fopen(p, "wxe");
	free(p);
	w->off = 0;
	return w->f == NULL ? failed(w, e) : 0;
}

static int
next_segment(struct block_writer *w, struct error *e)
{
	const uint8_t head[8] = { 0x85, 0xbd, 0x40, 0xdd, 1, 0, 0, 0 };
	char name[32];

	if (close_file(w, e) == -1)
		return -1;
	(void)snprintf(name, sizeof(name), "chunks/%06u", ++w->segment);
	if (open_file(w, name, e) == -1)
		return -1;
	return put(w, head, sizeof(head), e);
}

struct block_writer *
block_create(const char *dir, const char *ulid, int64_t from, int64_t to,
    struct error *e)
{
	struct block_writer *w = mem_zero(1, sizeof(*w));
	struct buf tmp = { 0 };
	char *chunks;
	int rc;

	(void)snprintf(w->ulid, sizeof(w->ulid), "%s", ulid);
	w->path = path(dir, ulid);
	buf_printf(&tmp, "%s.tmp-for-creation", ulid);
	w->tmp = path(dir, buf_cstr(&tmp));
	buf_fini(&tmp);
	w->from = from;
	w->to = to;
	block_index_init(&w->index);
	chunks = path(w->tmp, "chunks");
	rc = file_mkdir(chunks, e);
	free(chunks);
	if (rc == 0 && next_segment(w, e) == 0)
		return w;
	block_abort(w);
	return NULL;
}

/* The chunk in hand goes into the file. */
static int
end_chunk(struct block_writer *w, struct error *e)
{
	uint8_t head[VARINT_MAX + 1], crc[4];
	size_t n;
	uint32_t sum;

	if (!w->open)
		return 0;
	w->open = false;
	chunk_end(&w->out);
	if (w->off + w->chunk.n + sizeof(head) + sizeof(crc) > SEGMENT &&
	    next_segment(w, e) == -1)
		return -1;
	block_index_chunk(&w->index, w->out.first, w->out.last,
	    (uint64_t)(w->segment - 1) << 32 | w->off);
	w->stats.chunks++;
	n = varint_bytes(head, w->chunk.n);
	head[n] = (uint8_t)w->out.encoding;
	sum = crc32c(crc32c(0, head + n, 1), w->chunk.p, w->chunk.n);
	for (int i = 0; i < 4; i++)
		crc[i] = (uint8_t)(sum >> (24 - 8 * i));
	if (put(w, head, n + 1, e) == -1 ||
	    put(w, w->chunk.p, w->chunk.n, e) == -1)
		return -1;
	return put(w, crc, sizeof(crc), e);
}

static void
begin_chunk(struct block_writer *w, enum chunk_encoding encoding)
{
	buf_reset(&w->chunk);
	chunk_begin(&w->out, &w->chunk, encoding);
	w->open = true;
}

int
block_series(struct block_writer *w, struct labels ls, struct error *e)
{
	if (end_chunk(w, e) == -1)
		return -1;
	block_index_series(&w->index, ls);
	return 0;
}

/* Is there room in the chunk in hand for one of that encoding? */
static int
need(struct block_writer *w, enum chunk_encoding encoding, struct error *e)
{
	if (w->open && w->out.encoding == encoding &&
	    w->out.n < CHUNK_SAMPLES && w->chunk.n < 1024)
		return 0;
	if (end_chunk(w, e) == -1)
		return -1;
	begin_chunk(w, encoding);
	return 0;
}

int
block_float(struct block_writer *w, int64_t t, double v, struct error *e)
{
	if (need(w, CHUNK_XOR, e) == -1)
		return -1;
	chunk_float(&w->out, t, v);
	w->stats.samples++;
	w->stats.floats++;
	return 0;
}

int
block_histogram(struct block_writer *w, int64_t t, const struct histogram *h,
    struct error *e)
{
	enum chunk_encoding encoding = h->whole && h->count < WHOLE_MAX
	    ? CHUNK_HISTOGRAM
	    : CHUNK_FLOAT_HISTOGRAM;

	if (need(w, encoding, e) == -1)
		return -1;
	if (!chunk_histogram(&w->out, t, h)) {
		if (end_chunk(w, e) == -1)
			return -1;
		begin_chunk(w, encoding);
		(void)chunk_histogram(&w->out, t, h);
	}
	w->stats.samples++;
	w->stats.histograms++;
	return 0;
}

static void
count(struct json_writer *j, const char *name, uint64_t n)
{
	json_key(j, str_of(name));
	json_int(j, (int64_t)n);
}

static void
meta(const struct block_writer *w, struct buf *b)
{
	struct json_writer j;

	json_init(&j, b, false);
	json_open(&j, '{');
	json_key(&j, STR("ulid"));
	json_str(&j, str_of(w->ulid));
	json_key(&j, STR("minTime"));
	json_int(&j, w->from);
	json_key(&j, STR("maxTime"));
	json_int(&j, w->to);
	json_key(&j, STR("stats"));
	json_open(&j, '{');
	count(&j, "numSamples", w->stats.samples);
	count(&j, "numFloatSamples", w->stats.floats);
	if (w->stats.histograms > 0)
		count(&j, "numHistogramSamples", w->stats.histograms);
	count(&j, "numSeries", w->stats.series);
	count(&j, "numChunks", w->stats.chunks);
	json_close(&j, '}');
	json_key(&j, STR("compaction"));
	json_open(&j, '{');
	json_key(&j, STR("level"));
	json_int(&j, 1);
	json_key(&j, STR("sources"));
	json_open(&j, '[');
	json_str(&j, str_of(w->ulid));
	json_close(&j, ']');
	json_close(&j, '}');
	json_key(&j, STR("version"));
	json_int(&j, 1);
	json_close(&j, '}');
	buf_byte(b, '\n');
}

/* A small file of the block, whole. */
static int
put_file(struct block_writer *w, const char *name, str s, struct error *e)
{
	if (open_file(w, name, e) == -1 || put(w, s.p, s.n, e) == -1)
		return -1;
	return close_file(w, e);
}

static int
put_index(void *arg, str s, struct error *e)
{
	return put(arg, s.p, s.n, e);
}

static int
finish(struct block_writer *w, struct error *e)
{
	/* magic, version 1, no tombstone, the CRC of nothing */
	static const char tombs[] = "\x01\x30\xba\x30\x01\0\0\0\0";
	struct buf b = { 0 };
	int rc = -1;

	if (end_chunk(w, e) == -1 || close_file(w, e) == -1 ||
	    open_file(w, "index", e) == -1 ||
	    block_index_write(&w->index, &w->stats.series, put_index, w, e) ==
		-1 ||
	    close_file(w, e) == -1 ||
	    put_file(w, "tombstones", (str){ tombs, sizeof(tombs) - 1 }, e) ==
		-1)
		return -1;
	meta(w, &b);
	if (put_file(w, "meta.json", buf_str(&b), e) == 0) {
		rc = rename(w->tmp, w->path);
		if (rc == -1)
			failed(w, e);
	}
	buf_fini(&b);
	return rc;
}

static void
writer_free(struct block_writer *w)
{
	if (w->open)
		chunk_end(&w->out);
	block_index_fini(&w->index);
	buf_fini(&w->chunk);
	free(w->path);
	free(w->tmp);
	free(w);
}

int
block_finish(struct block_writer *w, struct block_stats *s, struct error *e)
{
	if (finish(w, e) == -1) {
		block_abort(w);
		return -1;
	}
	*s = w->stats;
	writer_free(w);
	return 0;
}

void
block_abort(struct block_writer *w)
{
	static const char *const names[] = { "index", "tombstones", "meta.json",
		"chunks", "" };
	char name[32], *p;

	if (w->f != NULL)
		(void)fclose(w->f);
	for (; w->segment > 0; w->segment--) {
		(void)snprintf(name, sizeof(name), "chunks/%06u", w->segment);
		p = path(w->tmp, name);
		(void)unlink(p);
		free(p);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		p = path(w->tmp, names[i]);
		(void)remove(p);
		free(p);
	}
	writer_free(w);
}
