/*
 * metric/histogram beyond text, which tests/data/expo/hist*.mf have: bounds,
 * walking, merging.  Covers histogram.c and histogram_text.c.
 */
#include "check.h"

#include <float.h>
#include <math.h>

#include "base/num.h"
#include "metric/histogram.h"

static struct histogram
read(struct arena *a, const char *text)
{
	struct histogram h;
	struct error e;
	size_t at;

	if (histogram_parse(&h, str_of(text), a, &at, &e) == -1)
		printf("# %s: %zu: %s\n", text, at, e.msg);
	return h;
}

static bool
prints(const struct histogram *h, const char *want)
{
	struct buf b = { 0 };
	bool ok;

	histogram_print(&b, h);
	ok = str_eq(buf_str(&b), str_of(want));
	if (!ok)
		printf("# got %.*s\n", STR_ARG(buf_str(&b)));
	buf_fini(&b);
	return ok;
}

static void
walk(void)
{
	static const int want[] = { -5, -4, 0, 4 };
	struct arena a = { 0 };
	struct histogram h = read(&a,
	    "{count:10,sum:1,schema:0,positive_spans:[-5:2,3:1,1:0,2:1],"
	    "positive_buckets:[1,2,3,4]}");
	struct histogram_iter it;
	int n = 0;

	histogram_iter_init(&it, &h.positive);
	while (histogram_next(&it)) {
		CHECK(it.index == want[n]);
		CHECK(it.count == ++n);
	}
	CHECK(n == 4 && histogram_buckets(&h) == 4);
	CHECK(!histogram_next(&it));
	histogram_iter_init(&it, &h.negative);
	CHECK(!histogram_next(&it));
	arena_fini(&a);
}

static void
bounds(void)
{
	struct arena a = { 0 };
	struct histogram h = read(&a, "{count:0,sum:0,schema:0}");

	CHECK(histogram_bound(&h, 0) == 1 && histogram_bound(&h, 1) == 2);
	CHECK(histogram_bound(&h, -1) == 0.5);
	CHECK(histogram_bound(&h, 1023) == 0x1p1023);
	CHECK(histogram_bound(&h, 1024) == DBL_MAX);
	CHECK(isinf(histogram_bound(&h, 1025)));
	CHECK(histogram_bound(&h, -1074) == 0x1p-1074);
	h.schema = 1;
	CHECK(histogram_bound(&h, -1) == 0.7071067811865475);
	CHECK(histogram_bound(&h, 2) == 2);
	h.schema = 3;
	CHECK(histogram_bound(&h, 7) == 2 * 0.9170040432046711);
	h.schema = 8;
	CHECK(histogram_bound(&h, -1) == 0.9972960560854698);
	CHECK(histogram_bound(&h, -513) == 0.9972960560854698 / 4);
	CHECK(histogram_bound(&h, 1024 << 8) == DBL_MAX);
	CHECK(isinf(histogram_bound(&h, (1024 << 8) + 256)));
	/* finer than any in use, which may be read all the same */
	h.schema = 11;
	CHECK(histogram_bound(&h, -2048) == 0.5);
	h.schema = 52;
	CHECK(histogram_bound(&h, INT64_C(1) << 52) == 2);
	CHECK(histogram_bound(&h, INT64_C(1) << 62) == DBL_MAX);
	h.schema = -4;
	CHECK(histogram_bound(&h, 1) == 65536);
	CHECK(histogram_bound(&h, 64) == DBL_MAX);
	CHECK(isinf(histogram_bound(&h, 65)));
	CHECK(histogram_bound(&h, INT64_MIN) == 0);
	h.schema = 3;
	CHECK(histogram_bound(&h, 8) == 2 && histogram_bound(&h, 0) == 1);
	CHECK(fabs(histogram_bound(&h, 1) - 1.0905077326652577) < 1e-15);
	CHECK(histogram_bound(&h, 8192) == DBL_MAX);
	h = read(&a, "{count:0,sum:0,schema:-53,custom_values:[-1,5]}");
	CHECK(histogram_bound(&h, 0) == -1 && histogram_bound(&h, 1) == 5);
	CHECK(isinf(histogram_bound(&h, 2)));
	CHECK(histogram_bound(&h, -1) == (double)-INFINITY);
	arena_fini(&a);
}

static void
merge(void)
{
	struct arena a = { 0 };
	struct histogram h = read(&a,
	    "{count:21,sum:1,schema:1,negative_spans:[-3:3],"
	    "negative_buckets:[1,2,3],positive_spans:[1:3,1:2],"
	    "positive_buckets:[1,2,3,4,5]}");

	/* indices -3 -2 -1 become -1 -1 0; 1 2 3 5 6 become 1 1 2 3 3 */
	CHECK(histogram_reduce(&h, 2, &a) == -1);
	CHECK(histogram_reduce(&h, 1, &a) == 0);
	CHECK(histogram_reduce(&h, 0, &a) == 0);
	CHECK(prints(&h,
	    "{count:21,sum:1,schema:0,negative_spans:[-1:2],"
	    "negative_buckets:[3,3],positive_spans:[1:3],"
	    "positive_buckets:[3,3,9]}"));
	CHECK(histogram_check(&h, NULL) == 0);
	CHECK(histogram_reduce(&h, -4, &a) == 0);
	CHECK(prints(&h,
	    "{count:21,sum:1,schema:-4,negative_spans:[0:1],"
	    "negative_buckets:[6],positive_spans:[1:1],"
	    "positive_buckets:[15]}"));
	CHECK(histogram_reduce(&h, -5, &a) == -1);
	h = read(&a, "{count:0,sum:0,schema:-53,custom_values:[-1,5]}");
	CHECK(histogram_reduce(&h, -54, &a) == -1);
	/* from the finest there is */
	h = read(&a,
	    "{count:3,sum:0,schema:52,positive_spans:[0:2,100:1],"
	    "positive_buckets:[1,1,1]}");
	CHECK(histogram_reduce(&h, 8, &a) == 0);
	CHECK(prints(&h,
	    "{count:3,sum:0,schema:8,positive_spans:[0:2],"
	    "positive_buckets:[1,2]}"));
	arena_fini(&a);
}

static void
compact(void)
{
	struct arena a = { 0 };
	struct histogram h = read(&a,
	    "{count:6,sum:1,schema:0,negative_spans:[4:2],"
	    "negative_buckets:[0,0],positive_spans:[0:5,0:2,3:0,1:1],"
	    "positive_buckets:[0,1,0,2,0,1,1,1]}");

	histogram_compact(&h, &a);
	CHECK(prints(&h,
	    "{count:6,sum:1,schema:0,positive_spans:[1:1,1:1,1:2,4:1],"
	    "positive_buckets:[1,2,1,1,1]}"));
	CHECK(histogram_check(&h, NULL) == 0);
	arena_fini(&a);
}

static void
equal(void)
{
	static const char *const text[] = {
		"{count:2,sum:1,schema:0,positive_spans:[0:2],"
		"positive_buckets:[1,1]}",
		"{count:2,sum:1,schema:0,positive_spans:[0:1,0:1],"
		"positive_buckets:[1,1]}",
		"{count:2.0,sum:1,schema:0,positive_spans:[0:2],"
		"positive_buckets:[1,1]}",
		"{count:2,sum:2,schema:0,positive_spans:[0:2],"
		"positive_buckets:[1,1]}",
		"{count:2,sum:NaN,schema:0,positive_spans:[0:2],"
		"positive_buckets:[1,1]}",
		"{count:2,sum:1,schema:1,positive_spans:[0:2],"
		"positive_buckets:[1,1]}",
		"{count:2,sum:1,schema:0,positive_spans:[0:2],"
		"positive_buckets:[0,2]}",
		"{count:2,sum:1,schema:0,negative_spans:[0:2],"
		"negative_buckets:[1,1]}",
		"{count:2,sum:1,schema:0,zero_threshold:1,zero_count:2}",
		"{count:2,sum:1,schema:0,zero_threshold:2,zero_count:2}",
		"{count:0,sum:0,schema:-53,custom_values:[1,2]}",
		"{count:0,sum:0,schema:-53,custom_values:[1,3]}",
		"{count:0,sum:0,schema:-53,custom_values:[1]}",
		"{count:0,sum:0,schema:-53,hint:gauge}",
	};
	size_t n = sizeof(text) / sizeof(*text);
	struct arena a = { 0 };

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			struct histogram x = read(&a, text[i]);
			struct histogram y = read(&a, text[k]);

			CHECK(histogram_eq(&x, &y) == (i == k));
		}
	arena_fini(&a);
}

/* What is not at all a histogram says where. */
static void
places(void)
{
	struct arena a = { 0 };
	struct histogram h;
	struct error e;
	size_t at = 99;

	CHECK(histogram_parse(&h, STR(""), &a, &at, &e) == -1 && at == 0);
	CHECK(histogram_parse(&h, STR("{count:1,sum:x"), &a, &at, &e) == -1);
	CHECK(at == 13);
	CHECK_STR(str_of(e.msg), "bad number 'x' in a histogram");
	CHECK(histogram_parse(&h, STR("{count:1"), &a, NULL, &e) == -1);
	CHECK_STR(str_of(e.msg), "histogram without '}'");
	CHECK(histogram_parse(
		  &h, STR("{count:0,sum:0,schema:0}x"), &a, &at, &e) == -1 &&
	    at == 24);
	arena_fini(&a);
}

int
main(void)
{
	walk();
	bounds();
	merge();
	compact();
	equal();
	places();
	return done();
}
