/*
 * scrape/native: pages in protobuf form, and histograms within limits.
 */
#include "check.h"

#include "base/varint.h"
#include "metric/histogram.h"
#include "scrape-rounds.h"
#include "scrape/native.h"
#include "wire/promproto.h"

/* A family of one metric: part is its value's field number. */
static void
family(
    struct buf *page, const char *name, uint64_t type, uint32_t part, str value)
{
	struct buf f = { 0 }, m = { 0 };

	pb_put_bytes(&m, part, value);
	pb_put_bytes(&f, 1, str_of(name));
	pb_put_number(&f, 3, type);
	pb_put_bytes(&f, 4, buf_str(&m));
	varint_put(page, f.n);
	buf_add(page, buf_str(&f));
	buf_fini(&f);
	buf_fini(&m);
}

/* c_total is value since start; h has buckets buckets, native and one more. */
static str
made(struct buf *page, double value, uint64_t start, uint32_t buckets)
{
	struct buf v = { 0 }, t = { 0 };

	buf_reset(page);
	pb_put_double(&v, 1, value);
	pb_put_number(&t, 1, start);
	pb_put_bytes(&v, 3, buf_str(&t));
	family(page, "c_total", 0, 3, buf_str(&v));
	buf_reset(&v);
	buf_reset(&t);
	pb_put_number(&v, 1, buckets);
	pb_put_double(&v, 2, 1.5);
	pb_put_sint(&v, 5, 3);
	pb_put_number(&t, 2, buckets);
	pb_put_bytes(&v, 12, buf_str(&t));
	for (uint32_t i = 0; i < buckets; i++)
		pb_put_sint(&v, 13, i == 0);
	buf_reset(&t);
	pb_put_number(&t, 1, buckets);
	pb_put_double(&t, 2, 5);
	pb_put_bytes(&v, 3, buf_str(&t));
	family(page, "h", 4, 7, buf_str(&v));
	buf_fini(&v);
	buf_fini(&t);
	return buf_str(page);
}

#define CLASSIC                                                                \
	"h_count{} 2\nh_sum{} 1.5\nh_bucket{,le=\"5.0\"} 2\n"                  \
	"h_bucket{,le=\"+Inf\"} 2\n"
#define HIST                                                                   \
	"# HIST h{} {count:2,sum:1.5,schema:3,positive_spans:[0:2],"           \
	"positive_buckets:[1,1]}\n"

static void
rounds(void)
{
	struct scrape_memory *m = scrape_memory_new();
	struct buf b = { 0 };

	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 1, 7, 2),
	    "c_total{} 1\n# START c_total{} 7000\n" CLASSIC));
	target.native_histograms = true;
	/* START is told when it changes */
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 2, 7, 2),
	    "c_total{} 2\n" HIST "# STALE h_count{}\n# STALE h_sum{}\n"
	    "# STALE h_bucket{,le=\"5.0\"}\n"
	    "# STALE h_bucket{,le=\"+Inf\"}\n"));
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 0, 9, 2),
	    "c_total{} 0\n# START c_total{} 9000\n" HIST));
	target.always_classic = true;
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 1, 9, 2),
	    "c_total{} 1\n" HIST CLASSIC));
	/* beside a native histogram there is no other */
	target.convert_to_nhcb = true;
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 1, 9, 2),
	    "c_total{} 1\n" HIST CLASSIC));
	target.always_classic = false;
	target.native_histograms = false;
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 1, 9, 2),
	    "c_total{} 1\n"
	    "# HIST h{} {count:2,sum:1.5,schema:-53,positive_spans:[0:1],"
	    "positive_buckets:[2],custom_values:[5]}\n"
	    "# STALE h_count{}\n# STALE h_sum{}\n"
	    "# STALE h_bucket{,le=\"5.0\"}\n"
	    "# STALE h_bucket{,le=\"+Inf\"}\n"));
	target.convert_to_nhcb = false;
	CHECK(gives(m, PROMPROTO_TYPE, STR("\x05\x0a"),
	    "! protobuf: 5 bytes are announced, 1 are left\n"));
	/* an empty page is one */
	CHECK(gives(m, PROMPROTO_TYPE, STR_NONE, ""));
	/* what the reader has to say of text that came of it */
	buf_reset(&b);
	family(&b, "c_total", 0, 1, STR("\x0a\x01\x61"));
	CHECK(gives(m, PROMPROTO_TYPE, buf_str(&b), "c_total{} 0\n"));
	/* the limits of samples hold for it */
	target.native_histograms = true;
	job.sample_limit = 1;
	CHECK(gives(
	    m, PROMPROTO_TYPE, made(&b, 1, 9, 2), "! sample limit exceeded\n"));
	job.sample_limit = 2;
	CHECK(gives(m, PROMPROTO_TYPE, made(&b, 1, 9, 2),
	    "c_total{} 1\n# START c_total{} 9000\n" HIST));
	job.label_value_limit = 1;
	buf_reset(&b);
	family(&b, "hh", 4, 7, STR("\x62\x00"));
	CHECK(gives(m, PROMPROTO_TYPE, buf_str(&b),
	    "! label_value_length_limit exceeded (metric: hh, label name: "
	    "__name__, value: \"hh\", length: 2, limit: 1)\n"));
	job.label_value_limit = job.sample_limit = 0;
	target.native_histograms = false;
	scrape_memory_free(m);
	buf_fini(&b);
}

/* A histogram of n buckets in a row within limits: what is left of it. */
static bool
limited(int64_t limit, double factor, const char *text, const char *want)
{
	struct scrape_job j = { .histogram_bucket_limit = limit,
		.histogram_min_factor = factor };
	struct arena a = { 0 };
	struct error e = { "" };
	str s = str_of(text);
	bool ok;

	if (native_limit(&j, &s, &a, &e) == -1)
		s = str_of(e.msg);
	ok = str_eq(s, str_of(want));
	if (!ok)
		printf("# got %.*s\n", STR_ARG(s));
	arena_fini(&a);
	return ok;
}

#define EIGHT                                                                  \
	"{count:8,sum:1,schema:2,positive_spans:[1:8],"                        \
	"positive_buckets:[1,1,1,1,1,1,1,1]}"
#define CUSTOM                                                                 \
	"{count:2,sum:1,schema:-53,positive_spans:[0:2],"                      \
	"positive_buckets:[1,1],custom_values:[1]}"

static void
limits(void)
{
	CHECK(limited(0, 0, EIGHT, EIGHT));
	CHECK(limited(8, 0, EIGHT, EIGHT));
	CHECK(limited(7, 0, EIGHT,
	    "{count:8,sum:1,schema:1,positive_spans:[1:4],"
	    "positive_buckets:[2,2,2,2]}"));
	CHECK(limited(2, 0, EIGHT,
	    "{count:8,sum:1,schema:0,positive_spans:[1:2],"
	    "positive_buckets:[4,4]}"));
	CHECK(limited(1, 0, EIGHT,
	    "{count:8,sum:1,schema:-1,positive_spans:[1:1],"
	    "positive_buckets:[8]}"));
	CHECK(limited(1, 0,
	    "{count:2,sum:1,schema:-4,positive_spans:[-9:1,9:1],"
	    "positive_buckets:[1,1]}",
	    "histogram bucket limit exceeded"));
	CHECK(limited(2, 0, CUSTOM, CUSTOM));
	CHECK(limited(1, 0, CUSTOM, "histogram bucket limit exceeded"));
	/* 2^(1/4) is 1.189, 2^(1/2) 1.414 */
	CHECK(limited(0, 1, EIGHT, EIGHT));
	CHECK(limited(0, 1.18, EIGHT, EIGHT));
	CHECK(limited(0, 1.2, EIGHT,
	    "{count:8,sum:1,schema:1,positive_spans:[1:4],"
	    "positive_buckets:[2,2,2,2]}"));
	CHECK(limited(0, 2, EIGHT,
	    "{count:8,sum:1,schema:0,positive_spans:[1:2],"
	    "positive_buckets:[4,4]}"));
	CHECK(limited(0, 1e300, EIGHT,
	    "{count:8,sum:1,schema:-4,positive_spans:[1:1],"
	    "positive_buckets:[8]}"));
	CHECK(limited(0, 1e300, CUSTOM, CUSTOM));
}

int
main(void)
{
	job.honor_timestamps = true;
	rounds();
	limits();
	return done();
}
