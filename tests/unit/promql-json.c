/*
 * Results as the API's JSON: numbers, times, histograms, limits, and a reader
 * that takes the bytes away between series.
 */
#include "base/json.h"
#include "base/num.h"
#include "check.h"
#include "promql/promql.h"

static void
expect(const struct promql_result *r, size_t limit, const char *want)
{
	struct buf b = { 0 };
	struct json_writer w;

	json_init(&w, &b, false);
	promql_json(&w, r, limit, NULL, NULL);
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# %s\n", buf_cstr(&b));
	CHECK(strcmp(buf_cstr(&b), want) == 0);
	buf_fini(&b);
}

static void
test_single(void)
{
	struct promql_result r = { .type = PROMQL_SCALAR, .t = 1500 };

	r.scalar = -1e-7;
	expect(&r, 0,
	    "{\"resultType\":\"scalar\",\"result\":[1.5,\"-0.0000001\"]}");
	r.type = PROMQL_STRING;
	r.string = STR("a\"b");
	expect(
	    &r, 0, "{\"resultType\":\"string\",\"result\":[1.5,\"a\\\"b\"]}");
}

static void
test_vector(void)
{
	const int64_t t[] = { -1, 60000, 120005 };
	const double v[] = { -0.0, 1e-7, 1e21 }, w[] = { NAN, 0.5, 1e20 };
	struct label a[] = { { STR("a"), STR("<1>") } };
	struct histogram h = { .count = 2, .sum = 3 };
	const struct histogram *hs[] = { NULL, &h, NULL };
	struct promql_series s[] = {
		{ { a, 1 }, t, v, NULL, 3 },
		{ { NULL, 0 }, t, w, NULL, 3 },
		{ { NULL, 0 }, t + 1, w + 1, NULL, 1 },
		{ { NULL, 0 }, t, w, hs, 3 },
	};
	struct promql_result r = { .type = PROMQL_MATRIX, .v = s, .n = 2 };

	expect(&r, 0,
	    "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"a\":"
	    "\"<1>\"},\"values\":[[-0.001,\"-0\"],[60,\"1e-07\"],"
	    "[120.005,\"1e+21\"]]},{\"metric\":{},\"values\":[[-0.001,"
	    "\"NaN\"],[60,\"0.5\"],[120.005,\"100000000000000000000\"]]}]}");
	r.type = PROMQL_VECTOR;
	s[0].n = 1;
	expect(&r, 1,
	    "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"a\":"
	    "\"<1>\"},\"value\":[-0.001,\"-0\"]}]}");
	r.type = PROMQL_MATRIX;
	r.v = s + 2;
	expect(&r, 0,
	    "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"
	    "\"values\":[[60,\"0.5\"]]},{\"metric\":{},\"values\":[[-0.001,"
	    "\"NaN\"],[120.005,\"100000000000000000000\"]],\"histograms\":"
	    "[[60,{\"count\":\"2\",\"sum\":\"3\"}]]}]}");
	r.n = 0;
	expect(&r, 0, "{\"resultType\":\"matrix\",\"result\":[]}");
}

struct taker {
	struct buf all;
	size_t times;
};

static void
take(void *arg, struct buf *b)
{
	struct taker *k = arg;

	buf_add(&k->all, buf_str(b));
	buf_reset(b);
	k->times++;
}

static void
test_taking(void)
{
	enum { N = 5000 };
	static int64_t t[N];
	static double v[N];
	struct promql_series s[6];
	struct promql_result r = { .type = PROMQL_MATRIX, .v = s, .n = 6 };
	struct taker k = { .times = 0 };
	struct buf b = { 0 }, c = { 0 };
	struct json_writer w;

	for (size_t i = 0; i < N; i++) {
		t[i] = (int64_t)i * 1000;
		v[i] = (double)i / 7;
	}
	for (size_t i = 0; i < 6; i++)
		s[i] = (struct promql_series){ { NULL, 0 }, t, v, NULL, N - i };
	json_init(&w, &b, false);
	promql_json(&w, &r, 0, NULL, NULL);
	json_init(&w, &c, false);
	promql_json(&w, &r, 0, take, &k);
	take(&k, &c);
	CHECK(k.times == 7);
	CHECK(str_eq(buf_str(&b), buf_str(&k.all)));
	buf_fini(&b);
	buf_fini(&c);
	buf_fini(&k.all);
}

int
main(void)
{
	test_single();
	test_vector();
	test_taking();
	return done();
}
