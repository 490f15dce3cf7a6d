/*
 * Rows with times of their own, in groups and out again; and in a part.
 */
#include "store/timed.h"

#include <stdlib.h>

#include "base/num.h"
#include "check.h"
#include "store-help.h"
#include "store/sealed.h"

#define COLS 100
#define ROWS 300

static struct buf blocks[64];
static uint32_t nblocks;

static uint32_t
reserve(void *arg)
{
	(void)arg;
	return nblocks++;
}

static void
put(void *arg, uint32_t no, str packed, bool timed)
{
	(void)arg;
	CHECK(timed);
	buf_add(&blocks[no], packed);
}

static uint64_t v[2][ROWS][COLS];
static uint32_t t[2][ROWS][COLS];

static void
fill(void)
{
	for (uint32_t s = 0; s < 2; s++)
		for (uint32_t r = 0; r < ROWS; r++)
			for (uint32_t c = 0; c < COLS; c++) {
				bool none = (r + c) % 17 == 0;

				v[s][r][c] = none ? STORE_ABSENT
				    : c % 5 == 0 ? num_bits((double)r * 0.1 * c)
						 : num_bits((double)r * c);
				t[s][r][c] = none
				    ? 0
				    : r * 15000 + c / 10 * 77 % 999 + s;
			}
	v[1][7][7] = NUM_STALE_BITS;
	v[1][8][8] = UINT64_MAX;
	t[1][9][9] = UINT32_MAX;
}

/* Two sources by turns: each row is found again where it was said to be. */
static void
groups(void)
{
	struct store_timed x;
	struct buf frame = { NULL, 0, 0 }, out = { NULL, 0, 0 };
	static uint64_t off[2][ROWS];
	size_t bad = 0, bytes = 0;

	store_timed_init(&x, reserve, put, NULL);
	for (uint32_t r = 0; r < ROWS; r++)
		for (uint32_t s = 0; s < 2; s++) {
			struct store_slot p = { .type = STORE_FRAME_T,
				.source = s + 1,
				.ref = s,
				.len = COLS * 12 };

			CHECK(r > 0 || store_timed_takes(&p));
			buf_reset(&frame);
			buf_add(&frame, (str){ (char *)v[s][r], COLS * 8 });
			buf_add(&frame, (str){ (char *)t[s][r], COLS * 4 });
			off[s][r] = store_timed_add(&x, &p, frame.p);
		}
	CHECK(x.held > 0);
	store_timed_flush(&x);
	CHECK(x.held == 0 && nblocks == 6);
	for (uint32_t s = 0; s < 2; s++)
		for (uint32_t r = 0; r < ROWS; r++) {
			const struct buf *b = &blocks[off[s][r] >> 32];
			size_t at = (uint32_t)off[s][r] + 8;

			if (!store_timed_get(
				(const uint8_t *)b->p, b->n, &out) ||
			    at + COLS * 12 > out.n) {
				bad++;
				continue;
			}
			bad += memcmp(out.p + at, v[s][r], COLS * 8) != 0;
			for (uint32_t c = 0; c < COLS; c++)
				bad += v[s][r][c] != STORE_ABSENT &&
				    memcmp(out.p + at + COLS * 8 + c * 4,
					&t[s][r][c], 4) != 0;
		}
	CHECK(bad == 0);
	for (uint32_t k = 0; k < nblocks; k++)
		bytes += blocks[k].n;
	CHECK(bytes < (size_t)2 * ROWS * COLS * 2);
	/* Cut or bent, it says no or something, and does no harm. */
	for (size_t n = 0; n < blocks[0].n; n += 7)
		CHECK(!store_timed_get((uint8_t *)blocks[0].p, n, &out));
	for (size_t n = 0; n < blocks[0].n; n += 3) {
		blocks[0].p[n] = (char)~blocks[0].p[n];
		(void)store_timed_get(
		    (uint8_t *)blocks[0].p, blocks[0].n, &out);
	}
	store_timed_fini(&x);
	buf_fini(&frame);
	buf_fini(&out);
	for (uint32_t k = 0; k < nblocks; k++)
		buf_fini(&blocks[k]);
}

/* Rounds of two targets with times of their own, one of them with gaps. */
static void
in_a_part(void)
{
	struct store_compact c = { .now = 1600000000000, .seal = true };
	struct buf b = { NULL, 0, 0 }, before, after;
	struct store *s;
	struct error e;

	for (int64_t r = 0; r < 400; r++)
		for (int k = 0; k < 2; k++) {
			int64_t ms = 1600000000000 + r * 15000;

			buf_printf(
			    &b, "# BATCH {i=\"%d\"} %lld\n", k, (long long)ms);
			for (int i = 0; i < 60; i++)
				if (k == 0 || (r + i) % 9 != 0)
					buf_printf(&b,
					    "m{i=\"%d\",k=\"%d\"} %lld %lld\n",
					    i, k, (long long)(r * i),
					    (long long)(ms - i / 10 * 133 -
						r % 7));
			buf_z(&b, "# EOF\n");
		}
	help_append("store", buf_cstr(&b));
	before = help_select("store");
	s = help_open("store", STORE_WRITE);
	CHECK(store_compact(s, &c, &e) == 0 && c.parts == 1);
	store_close(s);
	after = help_select("store");
	CHECK(before.n > 1000000 && before.n == after.n &&
	    memcmp(before.p, after.p, before.n) == 0);
	s = help_open("store", STORE_READ);
	CHECK(store_check(s, NULL, NULL, &e) == 0);
	store_close(s);
	buf_fini(&before);
	buf_fini(&after);
	before = help_source("store", INT64_MIN, INT64_MAX, false);
	help_run("mkdir two; cp -r store two");
	/* Made anew without one series, the others stay as they are. */
	s = help_open("store", STORE_WRITE);
	c = (struct store_compact){ .now = 1600000000000 };
	{
		struct match m;

		CHECK(match_init(&m, MATCH_EQ, STR("i"), STR("7"), &e) == 0);
		CHECK(
		    store_delete(s, &m, 1, INT64_MIN, INT64_MAX, &c, &e) == 0);
		match_fini(&m);
	}
	store_close(s);
	after = help_source("store", INT64_MIN, INT64_MAX, false);
	CHECK(after.n < before.n && after.n > before.n / 60 * 57);
	CHECK(memmem(after.p, after.n, "i=\"7\"", 5) == NULL);
	buf_fini(&before);
	buf_fini(&after);
	buf_fini(&b);
}

int
main(void)
{
	fill();
	groups();
	help_begin();
	in_a_part();
	help_end();
	return done();
}
