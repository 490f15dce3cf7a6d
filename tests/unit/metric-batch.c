/* metric/batch. */
#include <malloc.h>
#include <stdlib.h>

#include "check.h"

#include "metric/batch.h"

static struct buf out;

static void
report(void *arg, const char *msg)
{
	buf_printf(arg, "! %s\n", msg);
}

static void
drain(struct batch_reader *r)
{
	struct batch b;

	while (batch_next(r, &b) == 1) {
		if (b.opened)
			expo_put_batch(&out, b.labels, b.t, b.keys, b.nkeys);
		else
			buf_printf(&out, "(%lld)\n", (long long)b.t);
		for (size_t i = 0; i < b.n; i++)
			expo_put_item(&out, &b.v[i]);
		buf_printf(&out, "-- %zu\n", b.bad);
	}
}

/* The batches of text, fed whole (piece 0) or piece lines at a time. */
static str
run(const char *text, size_t piece, bool strict)
{
	struct batch_reader *r = batch_new(EXPO_MF, 9, strict, report, &out);
	str in = str_of(text), line;

	buf_reset(&out);
	while (in.n > 0) {
		line = in;
		for (size_t i = 0; i < piece; i++)
			line = str_skip(line, str_chr(line, '\n') + 1);
		line = piece == 0 ? in : str_take(in, in.n - line.n);
		batch_feed(r, line);
		in = str_skip(in, line.n);
		drain(r);
	}
	batch_end(r);
	drain(r);
	batch_free(r);
	return buf_str(&out);
}

#define ALL(text, want)                                                        \
	do {                                                                   \
		CHECK_STR(run(text, 0, false), want);                          \
		CHECK_STR(run(text, 1, false), want);                          \
		CHECK_STR(run(text, 2, false), want);                          \
	} while (0)

static void
shapes(void)
{
	ALL("", "");
	ALL("# BATCH {a=\"b\"} 5 error=\"x\"\nm{x=\"\\\\\"} 1\n# TYPE m gauge\n"
	    "# EOF\n# BATCH {} 6\n# EOF\n",
	    "# BATCH {a=\"b\"} 5 error=\"x\"\nm{x=\"\\\\\"} 1 5\n"
	    "# TYPE m gauge\n-- 0\n# BATCH {} 6\n-- 0\n");
	/* nobody opened it: at its end, at an EOF, at a BATCH */
	ALL("m 1\nn 2 7", "(7)\nm 1 9\nn 2 7\n-- 0\n");
	ALL("n 2 7\nm 1\n", "(7)\nn 2 7\nm 1 9\n-- 0\n");
	ALL("m 1\n# EOF\nn 2\n# EOF\n# EOF\n",
	    "(9)\nm 1 9\n-- 0\n(9)\nn 2 9\n-- 0\n");
	ALL("m 1\n# BATCH {a=\"\\\\\"} 5 k=\"\\\\\"\nn 2\n# EOF\nl 3\n",
	    "(9)\nm 1 9\n-- 0\n# BATCH {a=\"\\\\\"} 5 k=\"\\\\\"\nn 2 5\n"
	    "-- 0\n(9)\nl 3 9\n-- 0\n");
	/* cut off */
	ALL("# BATCH {a=\"b\"} 5\nm 1\n",
	    "! 1:1: the batch opened here is not closed, dropped\n");
	ALL("\n# BATCH {a=\"b\"} 5\nm 1\n# BATCH {} 6\nn 2\n# EOF\n",
	    "! 2:1: the batch opened here is not closed, dropped\n"
	    "# BATCH {} 6\nn 2 6\n-- 0\n");
}

static void
bad(void)
{
	static const char text[] = "# BATCH {} 5\nm 1\nm x\n# EOF\n"
				   "# BATCH {} 6\nm 2\n# EOF\nx\ny 1\n";

	ALL(text,
	    "! 3:3: bad value 'x'\n# BATCH {} 5\nm 1 5\n-- 1\n"
	    "# BATCH {} 6\nm 2 6\n-- 0\n! 8:2: expected a value\n"
	    "(9)\ny 1 9\n-- 1\n");
	CHECK_STR(run(text, 0, true),
	    "! 3:3: bad value 'x'\n# BATCH {} 6\nm 2 6\n-- 0\n"
	    "! 8:2: expected a value\n");
	CHECK_STR(run("x\n# BATCH {} 6\nm 2\n# EOF\n", 0, true),
	    "! 1:2: expected a value\n# BATCH {} 6\nm 2 6\n-- 0\n");
}

/* Many sources, many rounds: remembered labels outlive their lines. */
static void
rounds(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct buf in = { 0 };
	struct batch b;
	size_t n = 0, same = 0;

	for (int round = 0; round < 20; round++) {
		buf_reset(&in);
		for (int t = 0; t < 30; t++) {
			buf_printf(&in, "# BATCH {i=\"%d\"} %d\n", t, round);
			for (int k = 0; k < 100; k++)
				buf_printf(&in, "m%d{k=\"%d\",l=\"\\\\\"} %d\n",
				    k, (round / 10) * k, k);
			buf_z(&in, "# EOF\n");
		}
		batch_feed(r, buf_str(&in));
		memset(in.p, 'x', in.n);
		while (batch_next(r, &b) == 1)
			for (size_t i = 0; i < b.n; i++) {
				n += b.v[i].v == (double)i;
				same += b.v[i].mark != NULL &&
				    ++*b.v[i].mark > 9 &&
				    b.v[i].labels.n == 3 &&
				    str_eq(b.v[i].labels.v[2].value, STR("\\"));
			}
	}
	CHECK(n == 20 * 30 * 100);
	/* rounds 1 to 9 one key, 10 to 19 another; m0 has one of 19 */
	CHECK(same == 30 * (99 + 10));
	batch_free(r);
	buf_fini(&in);
}

static void
large(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct buf in = { 0 };
	struct batch b;
	size_t n = 0, batches = 0;

	for (int i = 0; i < 400000; i++)
		buf_printf(&in, "metric_name_%06d %d %d\n", i, i, i);
	batch_feed(r, buf_str(&in));
	batch_end(r);
	while (batch_next(r, &b) == 1) {
		n += b.n;
		batches++;
		CHECK(b.t == (int64_t)n - 1);
	}
	CHECK(n == 400000);
	CHECK(batches == in.n / (4 << 20) + 1);
	batch_free(r);
	buf_fini(&in);
}

/* An end is an end of what was fed; more may come. */
static void
after_the_end(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 9, false, report, &out);

	buf_reset(&out);
	batch_feed(r, STR("a 1\n# BATCH {} 5\nb 1\n"));
	batch_end(r);
	drain(r);
	batch_feed(r, STR("# BATCH {} 6\nc 1\n"));
	drain(r);
	batch_feed(r, STR("# EOF\n"));
	drain(r);
	CHECK_STR(buf_str(&out),
	    "(9)\na 1 9\n-- 0\n"
	    "! 2:1: the batch opened here is not closed, dropped\n"
	    "# BATCH {} 6\nc 1 6\n-- 0\n");
	batch_free(r);
}

/* What is done with is given back: a stream has no end. */
static void
steady(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, false, NULL, NULL);
	struct buf in = { 0 };
	struct batch b;
	size_t n = 0, before = 0, half;

	for (int round = 0; round < 600; round++) {
		buf_reset(&in);
		buf_printf(&in, "# BATCH {k=\"\\\\\"} %d q=\"\\\\\"\n", round);
		for (int k = 0; k < 1000; k++)
			buf_printf(
			    &in, "m{a=\"\\\\%d\",b=\"%d\"} 1\n", round, k);
		buf_printf(&in, "# HELP m \\\\\n# EOF\n# a comment\n");
		half = in.n / 2;
		half += str_chr(str_skip(buf_str(&in), half), '\n') + 1;
		batch_feed(r, str_take(buf_str(&in), half));
		n += (size_t)batch_next(r, &b);
		batch_feed(r, str_skip(buf_str(&in), half));
		while (batch_next(r, &b) == 1)
			n += b.n;
		if (round == 100)
			before = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	CHECK(n == 600 * 1001);
	CHECK(mallinfo2().uordblks + mallinfo2().hblkhd < before + 2000000);
	batch_free(r);
	buf_fini(&in);
}

/* strict: of a large page with a bad line nothing comes, of the next all */
static void
strict_large(void)
{
	struct batch_reader *r = batch_new(EXPO_MF, 0, true, NULL, NULL);
	struct buf in = { 0 };
	struct batch b;
	size_t n = 0;

	buf_z(&in, "bad\n");
	for (int i = 0; i < 400000; i++)
		buf_printf(&in, "metric_name_%06d %d %d\n", i, i, i);
	buf_z(&in, "# EOF\n");
	batch_feed(r, buf_str(&in));
	CHECK(batch_next(r, &b) == 0);
	batch_set_time(r, 77);
	batch_feed(r, STR("good 1\n"));
	batch_end(r);
	while (batch_next(r, &b) == 1) {
		n += b.n;
		CHECK(b.t == 77 && b.v[0].t == 77);
	}
	CHECK(n == 1 && batch_bad(r) == 1);
	batch_free(r);
	batch_free(NULL);
	buf_fini(&in);
}

static void
openmetrics(void)
{
	struct batch_reader *r = batch_new(EXPO_OM, 9, false, report, &out);

	buf_reset(&out);
	batch_feed(r, STR("# TYPE a counter\na_total 1 2.5\n"));
	batch_feed(r, STR("# TYPE b gauge\n"));
	drain(r);
	batch_feed(r, STR("# EOF\n"));
	batch_end(r);
	drain(r);
	CHECK_STR(buf_str(&out),
	    "(2500)\n# TYPE a_total counter\na_total 1 2500\n"
	    "# TYPE b gauge\n-- 0\n");
	batch_free(r);
	r = batch_new(EXPO_OM, 9, true, report, &out);
	buf_reset(&out);
	batch_feed(r, STR("a 1\n"));
	batch_end(r);
	drain(r);
	CHECK_STR(buf_str(&out), "! data does not end with # EOF\n");
	CHECK(batch_bad(r) == 1);
	batch_free(r);
}

int
main(void)
{
	shapes();
	bad();
	rounds();
	large();
	strict_large();
	after_the_end();
	steady();
	openmetrics();
	buf_fini(&out);
	return done();
}
