/*
 * metric/histogram: sums, what fell, cuts, lists and JSON.  Covers
 * histogram_math.c and histogram_trim.c; PromQL's own cases are in
 * tests/promql/histograms.test.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "metric/histogram.h"

static struct arena a;
static struct buf out;

static struct histogram
read(const char *text)
{
	struct histogram h;
	struct error e;

	if (histogram_parse(&h, str_of(text), &a, NULL, &e) == -1)
		printf("# %s: %s\n", text, e.msg);
	return h;
}

static str
text(const struct histogram *h)
{
	buf_reset(&out);
	histogram_print(&out, h);
	return buf_str(&out);
}

/* x + sign * y as text. */
static str
add(const char *x, const char *y, double sign)
{
	struct histogram h = read(x), o = read(y);
	unsigned met = 0;

	if (histogram_add(&h, NULL, &o, sign, &a, &met) == -1)
		return STR("none");
	(void)text(&h);
	if (met & HISTOGRAM_RECONCILED)
		buf_z(&out, " reconciled");
	if (met & HISTOGRAM_COLLISION)
		buf_z(&out, " collision");
	return buf_str(&out);
}

#define ONE "{count:2,sum:3,schema:0,positive_spans:[1:1],positive_buckets:[2]}"

static void
sums(void)
{
	CHECK_STR(add(ONE, ONE, 1),
	    "{count:4,sum:6,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[4]}");
	CHECK_STR(add(ONE, ONE, -1),
	    "{count:0.0,sum:0,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[0],hint:gauge}");
	/* other buckets: before, between, behind */
	CHECK_STR(add(ONE,
		      "{count:3,sum:3,schema:0,positive_spans:[-1:1,1:1,2:1],"
		      "positive_buckets:[1,1,1]}",
		      1),
	    "{count:5,sum:6,schema:0,positive_spans:[-1:1,1:1,2:1],"
	    "positive_buckets:[1,3,1]}");
	/* the coarser schema, whichever side has it */
	CHECK_STR(add(ONE,
		      "{count:2,sum:2,schema:1,positive_spans:[1:2],"
		      "positive_buckets:[1,1]}",
		      1),
	    "{count:4,sum:5,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[4]}");
	CHECK_STR(add("{count:2,sum:2,schema:1,positive_spans:[1:2],"
		      "positive_buckets:[1,1]}",
		      ONE, 1),
	    "{count:4,sum:5,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[4]}");
}

static void
zeros(void)
{
	/* wider, and past the end of a bucket that it cuts */
	CHECK_STR(add("{count:1,sum:0,schema:0,zero_threshold:1.5,"
		      "zero_count:1}",
		      ONE, 1),
	    "{count:3,sum:3,schema:0,zero_threshold:2,zero_count:3}");
	CHECK_STR(add(ONE,
		      "{count:1,sum:0,schema:0,zero_threshold:2,"
		      "zero_count:1}",
		      1),
	    "{count:3,sum:3,schema:0,zero_threshold:2,zero_count:3}");
	CHECK_STR(add("{count:1,sum:0,schema:0,zero_threshold:0.5,"
		      "zero_count:1,negative_spans:[0:1],"
		      "negative_buckets:[0]}",
		      ONE, 1),
	    "{count:3,sum:3,schema:0,zero_threshold:0.5,zero_count:1,"
	    "negative_spans:[0:1],negative_buckets:[0],"
	    "positive_spans:[1:1],positive_buckets:[2]}");
}

static void
customs(void)
{
	const char *own = "{count:3,sum:3,schema:-53,positive_spans:[0:3],"
			  "positive_buckets:[1,1,1],custom_values:[1,2]}";
	const char *other = "{count:3,sum:3,schema:-53,positive_spans:[0:3],"
			    "positive_buckets:[1,1,1],custom_values:[2,3]}";

	CHECK_STR(add(own, own, 1),
	    "{count:6,sum:6,schema:-53,positive_spans:[0:3],"
	    "positive_buckets:[2,2,2],custom_values:[1,2]}");
	CHECK_STR(add(own, other, 1),
	    "{count:6,sum:6,schema:-53,positive_spans:[0:2],"
	    "positive_buckets:[3,3],custom_values:[2]} reconciled");
	CHECK_STR(add(own, ONE, 1), "none");
	CHECK_STR(add("{count:0,sum:0,schema:0,hint:reset}",
		      "{count:0,sum:0,schema:0,hint:not_reset}", 1),
	    "{count:0,sum:0,schema:0} collision");
}

/* A sum with its compensation, over layouts that differ. */
static void
compensated(void)
{
	struct histogram *h, *c, x;
	static const char *const v[] = {
		"{count:1e100,sum:1e100,schema:0,positive_spans:[1:1],"
		"positive_buckets:[1e100]}",
		"{count:1.0,sum:1,schema:1,positive_spans:[1:1,2:1],"
		"positive_buckets:[1,2]}",
		"{count:1.0,sum:-1e100,schema:0,positive_spans:[0:2],"
		"positive_buckets:[3,4]}",
	};

	x = read(v[0]);
	h = histogram_copy(&x, &a);
	c = histogram_zero(&x, &a);
	for (size_t i = 1; i < 3; i++) {
		x = read(v[i]);
		CHECK(histogram_add(h, c, &x, 1, &a, NULL) == 0);
	}
	x = read("{count:1e100,sum:0,schema:0,positive_spans:[1:1],"
		 "positive_buckets:[1e100]}");
	CHECK(histogram_add(h, c, &x, -1, &a, NULL) == 0);
	histogram_settle(h, c);
	CHECK_STR(text(h),
	    "{count:2.0,sum:1,schema:0,positive_spans:[0:3],"
	    "positive_buckets:[3,5,2],hint:gauge}");
}

static bool
fell(const char *before, const char *now)
{
	struct histogram b = read(before), n = read(now);

	return histogram_fell(&n, &b);
}

static void
falls(void)
{
	CHECK(!fell(ONE, ONE));
	CHECK(fell(ONE,
	    "{count:1,sum:3,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[1]}"));
	CHECK(fell(ONE,
	    "{count:2,sum:3,schema:0,positive_spans:[2:1],"
	    "positive_buckets:[2]}"));
	CHECK(fell(ONE,
	    "{count:2,sum:3,schema:1,positive_spans:[2:1],"
	    "positive_buckets:[2]}"));
	CHECK(!fell(ONE,
	    "{count:2,sum:3,schema:-1,positive_spans:[1:1],"
	    "positive_buckets:[2]}"));
	CHECK(!fell(ONE,
	    "{count:2,sum:3,schema:0,zero_threshold:2,"
	    "zero_count:2}"));
	CHECK(fell(ONE,
	    "{count:2,sum:3,schema:0,zero_threshold:1.5,"
	    "zero_count:2}"));
	CHECK(fell(ONE,
	    "{count:2,sum:3,schema:0,positive_spans:[1:1],"
	    "positive_buckets:[2],hint:reset}"));
	CHECK(!fell(ONE, "{count:0,sum:0,schema:0,hint:not_reset}"));
	CHECK(fell(ONE,
	    "{count:9,sum:0,schema:-53,positive_spans:[0:1],"
	    "positive_buckets:[9]}"));
}

static str
cut(const char *of, double at, bool upper)
{
	struct histogram h = read(of);

	histogram_trim(&h, at, upper, &a);
	return text(&h);
}

static void
cuts(void)
{
	const char *own = "{count:4,sum:9,schema:-53,positive_spans:[0:3],"
			  "positive_buckets:[1,2,1],custom_values:[2,4]}";

	CHECK_STR(cut(ONE, 2, true), ONE);
	CHECK_STR(cut(ONE, 1, true), "{count:0.0,sum:0,schema:0}");
	CHECK_STR(cut(ONE, (double)NAN, true), "{count:0.0,sum:0,schema:0}");
	CHECK_STR(cut(own, 3, false),
	    "{count:2.0,sum:7.5,schema:-53,positive_spans:[1:2],"
	    "positive_buckets:[1,1],custom_values:[2,4]}");
	CHECK(str_eq(cut(own, (double)INFINITY, true), str_of(own)));
	CHECK_STR(cut(own, 100, true),
	    "{count:3.0,sum:7,schema:-53,positive_spans:[0:2],"
	    "positive_buckets:[1,2],custom_values:[2,4]}");
}

static str
json(const char *of)
{
	struct histogram h = read(of);

	buf_reset(&out);
	histogram_json(&out, &h);
	return buf_str(&out);
}

static void
shown(void)
{
	struct histogram h = read(ONE), *one;

	CHECK_STR(json("{count:0,sum:0,schema:0}"),
	    "{\"count\":\"0\",\"sum\":\"0\"}");
	CHECK_STR(json("{count:7,sum:1e30,schema:0,zero_threshold:0.75,"
		       "zero_count:1,negative_spans:[0:1],negative_buckets:"
		       "[2],positive_spans:[0:1,1:1],positive_buckets:[1,3]}"),
	    "{\"count\":\"7\",\"sum\":\"1e+30\",\"buckets\":["
	    "[1,\"-1\",\"-0.75\",\"2\"],[3,\"-0.75\",\"0.75\",\"1\"],"
	    "[0,\"0.75\",\"1\",\"1\"],[0,\"2\",\"4\",\"3\"]]}");
	CHECK_STR(json("{count:3,sum:3,schema:-53,positive_spans:[0:2],"
		       "positive_buckets:[1,2],custom_values:[1]}"),
	    "{\"count\":\"3\",\"sum\":\"3\",\"buckets\":["
	    "[3,\"-Inf\",\"1\",\"1\"],[0,\"1\",\"+Inf\",\"2\"]]}");
	one = histogram_new(&h);
	CHECK(histogram_same(one, &h) && histogram_eq(one, &h));
	one->hint = HISTOGRAM_GAUGE;
	CHECK(histogram_same(one, &h) && !histogram_eq(one, &h));
	histogram_scale(one, 0.5);
	CHECK(!histogram_same(one, &h) && !histogram_overflows(one));
	histogram_divide(one, 0);
	CHECK(histogram_overflows(one) && histogram_buckets(one) == 0);
	free(one);
}

int
main(void)
{
	sums();
	zeros();
	customs();
	compensated();
	falls();
	cuts();
	shown();
	arena_fini(&a);
	buf_fini(&out);
	return done();
}
