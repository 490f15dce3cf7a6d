/*
 * The HTTP API and the routes, over series in memory.  Covers api_*.c and
 * serve.c.
 */
#include "serve_call.h"

#include "metric/series.h"

#define T INT64_C(1637582400000)

static struct series_set *set;
static struct source source;
static bool broken;

static const struct source *
get_source(void *arg, struct error *e)
{
	(void)arg;
	if (!broken)
		return &source;
	error_set(e, "the store is gone");
	return NULL;
}

static void
add(const char *series, int64_t t, double v)
{
	struct arena a = { 0 };
	struct labels ls;
	struct error e;

	if (label_parse(str_of(series), &a, &ls, &e) == -1)
		exit(1);
	series_add(set, ls, t, v);
	arena_fini(&a);
}

static struct serve *
fresh(void)
{
	return serve_new(&(struct serve_opts){
	    .clock = &test_clock, .version = "1.2", .source = get_source });
}

/* The answer is exactly this. */
static void
same(struct serve *s, const char *target, int status, const char *body)
{
	int got = get(s, target);
	bool ok = got == status && str_eq(buf_str(&answer.body), str_of(body));

	CHECK(ok);
	if (!ok)
		printf("# %s: %d %.*s\n", target, got,
		    STR_ARG(buf_str(&answer.body)));
}

static void
bad(struct serve *s, const char *target, const char *error)
{
	int got = get(s, target);
	str type = STR("{\"status\":\"error\",\"errorType\":\"bad_data\","
		       "\"error\":\"");
	str b = buf_str(&answer.body);
	bool ok = got == 400 && str_starts(b, type) &&
	    str_find(b, str_of(error)) < b.n;

	CHECK(ok);
	if (!ok)
		printf("# %s: %d %.*s\n", target, got, STR_ARG(b));
}

#define OK_ "{\"status\":\"success\",\"data\":"
#define VECTOR OK_ "{\"resultType\":\"vector\",\"result\":["
#define MATRIX OK_ "{\"resultType\":\"matrix\",\"result\":["
#define Q "/api/v1/query?query="

static void
test_query(struct serve *s)
{
	same(s, Q "up", 200,
	    VECTOR "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},"
		   "\"value\":[1637582400,\"1\"]},"
		   "{\"metric\":{\"__name__\":\"up\",\"job\":\"b\"},"
		   "\"value\":[1637582400,\"0\"]}]}}");
	CHECK(strcmp(answer.content_type, "application/json") == 0);
	same(s, Q "vector(1)&time=1.5", 200,
	    VECTOR "{\"metric\":{},\"value\":[1.500,\"1\"]}]}}");
	same(s, Q "vector(1)&time=2021-11-22T12:00:00.007Z", 200,
	    VECTOR "{\"metric\":{},\"value\":[1637582400.007,\"1\"]}]}}");
	same(s, Q "1&time=1.5", 200,
	    OK_ "{\"resultType\":\"scalar\",\"result\":[1.5,\"1\"]}}");
	same(s, Q "%22a%3Cb%22&time=-1", 200,
	    OK_ "{\"resultType\":\"string\",\"result\":[-1,\"a\\u003cb\"]}}");
	same(s, Q "nothing", 200, VECTOR "]}}");
	same(s, Q "up%7Bjob=%22a%22%7D[1m]", 200,
	    MATRIX "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},"
		   "\"values\":[[1637582385,\"1\"],[1637582400,\"1\"]]}]}}");
	CHECK(get(s, Q "up&limit=1") == 200);
	CHECK(has("\"job\":\"a\"") && lacks("\"job\":\"b\""));
	CHECK(has("\"warnings\":[\"results truncated due to limit\"]}"));
	CHECK(get(s, Q "up&lookback_delta=10s&time=1637582405") == 200 &&
	    has("\"a\""));
	CHECK(get(s, Q "up&lookback_delta=1s&time=1637582405") == 200 &&
	    has("\"result\":[]"));
}

/* Values as upstream prints them. */
static void
test_numbers(struct serve *s)
{
	static const struct {
		const char *expr, *text;
	} t[] = {
		{ "1e21", "1e+21" },
		{ "1e20", "100000000000000000000" },
		{ "123456789012345678", "123456789012345680" },
		{ "0.000001", "0.000001" },
		{ "0.00000099", "9.9e-07" },
		{ "-0.5", "-0.5" },
		{ "0", "0" },
		{ "1/0", "+Inf" },
		{ "-1/0", "-Inf" },
		{ "0/0", "NaN" },
		{ "0.1%2B0.2", "0.30000000000000004" },
		{ "1e100", "1e+100" },
	};
	char target[128], want[128];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		snprintf(target, sizeof(target), Q "vector(%s)", t[i].expr);
		snprintf(want, sizeof(want), "1637582400,\"%s\"]", t[i].text);
		CHECK(get(s, target) == 200 && has(want));
	}
	/* A scalar never has an exponent. */
	CHECK(get(s, Q "1e21") == 200 && has("\"1000000000000000000000\"]"));
	CHECK(get(s, Q "1e-9") == 200 && has(",\"0.000000001\"]"));
}

#define R "/api/v1/query_range?query="

static void
test_range(struct serve *s)
{
	same(s, R "up%7Bjob=%22a%22%7D&start=1637582385&end=1637582400&step=15",
	    200,
	    MATRIX "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},"
		   "\"values\":[[1637582385,\"1\"],[1637582400,\"1\"]]}]}}");
	same(s, R "1&start=0&end=1&step=500ms", 200,
	    MATRIX "{\"metric\":{},\"values\":[[0,\"1\"],[0.500,\"1\"],"
		   "[1,\"1\"]]}]}}");
	CHECK(get(s, R "1&start=0&end=11000&step=1") == 200);
	bad(s, R "1&start=0&end=11001&step=1",
	    "exceeded maximum resolution of 11,000 points per timeseries. Try "
	    "decreasing the query resolution (?step=XX)");
	bad(s, R "1&start=0&end=1",
	    "invalid parameter \\\"step\\\": cannot parse \\\"\\\" to a valid "
	    "duration");
	bad(s, R "1&end=1&step=1",
	    "invalid parameter \\\"start\\\": cannot parse \\\"\\\" to a valid "
	    "timestamp");
	bad(s, R "1&start=2&end=1&step=1",
	    "invalid parameter \\\"end\\\": end timestamp must not be before "
	    "start time");
	bad(s, R "1&start=0&end=1&step=0",
	    "zero or negative query resolution step widths are not accepted. "
	    "Try a positive integer");
	bad(s, R "1&start=0&end=1&step=-1", "zero or negative");
	bad(s, R "1&start=0&end=1&step=x",
	    "cannot parse \\\"x\\\" to a valid duration");
	bad(s, R "1&start=0&end=1&step=1e300", "It overflows int64");
	bad(s, R "up[1m]&start=0&end=1&step=1",
	    "invalid expression type \\\"range vector\\\" for range query, "
	    "must be Scalar or instant Vector");
	bad(s, R "%22a%22&start=0&end=1&step=1",
	    "invalid expression type \\\"string\\\"");
}

static void
test_errors(struct serve *s)
{
	bad(s, "/api/v1/query", "invalid parameter \\\"query\\\": ");
	bad(s, Q "up(", "parse error");
	bad(s, Q "1&time=x",
	    "invalid parameter \\\"time\\\": invalid time value for 'time': "
	    "cannot parse \\\"x\\\" to a valid "
	    "timestamp");
	bad(s, Q "1&time=NaN", "cannot parse");
	bad(s, Q "1&time=1e300", "cannot parse");
	bad(s, Q "1&limit=-1", "limit must be non-negative");
	bad(s, Q "1&limit=x", "invalid parameter \\\"limit\\\"");
	/* <, > and & do not leave JSON as they are. */
	bad(s, Q "1&time=%3Cb%3E%26", "\\u003cb\\u003e\\u0026");
	CHECK(get(s, Q "up%20%2B%20on(x)%20up") == 422);
	CHECK(has("\"errorType\":\"execution\""));
	CHECK(get(s, "/api/v1/nothing") == 404);
	CHECK(call_with(s, "DELETE", Q "up", NULL, 0, STR_NONE) == 405);
	CHECK(
	    call_with(s, "POST", "/api/v1/metadata", NULL, 0, STR_NONE) == 405);
	broken = true;
	CHECK(get(s, Q "up") == 503 && has("the store is gone"));
	CHECK(get(s, Q "vector(1)") == 200); /* needs none */
	CHECK(get(s, "/api/v1/labels") == 503);
	CHECK(get(s, "/-/ready") == 200);
	broken = false;
}

static void
test_series(struct serve *s)
{
	same(s, "/api/v1/labels", 200,
	    OK_ "[\"__name__\",\"a.b\",\"job\",\"x\"]}");
	same(
	    s, "/api/v1/labels?match[]=up", 200, OK_ "[\"__name__\",\"job\"]}");
	same(s, "/api/v1/labels?limit=1", 200,
	    OK_ "[\"__name__\"],\"warnings\":"
		"[\"results truncated due to limit\"]}");
	same(s, "/api/v1/labels?start=1&end=2", 200, OK_ "[]}");
	same(
	    s, "/api/v1/label/__name__/values", 200, OK_ "[\"other\",\"up\"]}");
	same(s, "/api/v1/label/job/values", 200, OK_ "[\"a\",\"b\"]}");
	same(s, "/api/v1/label/job/values?match[]=up%7Bjob!=%22a%22%7D", 200,
	    OK_ "[\"b\"]}");
	same(s, "/api/v1/label/nope/values", 200, OK_ "[]}");
	same(s, "/api/v1/label/U__a_2e_b/values", 200, OK_ "[\"<c>\"]}");
	bad(s, "/api/v1/label/U__a_2/values", "invalid label name: \\\"U__a_2");
	bad(s, "/api/v1/label/U___ffffffff_/values", "invalid label name");
	bad(s, "/api/v1/label/%ff/values", "invalid label name");
	CHECK(get(s, "/api/v1/label//values") == 400);
	CHECK(get(s, "/api/v1/label/values") == 404);
	same(s, "/api/v1/series?match[]=up&match[]=up%7Bjob=%22a%22%7D", 200,
	    OK_ "[{\"__name__\":\"up\",\"job\":\"a\"},"
		"{\"__name__\":\"up\",\"job\":\"b\"}]}");
	same(s, "/api/v1/series?match[]=up&limit=1", 200,
	    OK_ "[{\"__name__\":\"up\",\"job\":\"a\"}],\"warnings\":"
		"[\"results truncated due to limit\"]}");
	bad(s, "/api/v1/labels?match[]=)", "\"error\":\"1:");
	bad(s, "/api/v1/metadata?limit=x", "limit must be a number");
	bad(s, R ")&start=0&end=1&step=1", "\"error\":\"1:");
	bad(s, "/api/v1/series", "no match[] parameter provided");
	bad(s, "/api/v1/series?match[]=%7B%7D",
	    "must contain at least one non-empty matcher");
	bad(s, "/api/v1/series?match[]=%7Bx=%22%22%7D",
	    "must contain at least one non-empty matcher");
	bad(s, "/api/v1/series?match[]=up&match[]=%7Bx=~%22(%22%7D",
	    "invalid parameter \\\"match[]\\\": ");
	bad(s, "/api/v1/series?match[]=up&start=3&end=2", "before start time");
}

/* What has nothing to say yet is valid all the same. */
static void
test_rest(struct serve *s)
{
	struct httpd_param h[2] = {
		{ STR("Content-Type"),
		    STR("application/x-www-form-urlencoded") },
		{ STR("Origin"), STR("http://x") }
	};

	same(s, "/api/v1/rules", 200, OK_ "{\"groups\":[]}}");
	same(s, "/api/v1/alerts", 200, OK_ "{\"alerts\":[]}}");
	same(s, "/api/v1/query_exemplars?query=up", 200, OK_ "[]}");
	same(s, "/api/v1/metadata", 200, OK_ "{}}");
	same(s, "/api/v1/format_query?query=sum(a)by(b)", 200,
	    OK_ "\"sum by (b) (a)\"}");
	CHECK(get(s, "/api/v1/status/buildinfo") == 200);
	CHECK(has("\"version\":\"3.0.0+mf.1.2\""));
	CHECK(call_with(s, "POST", "/api/v1/query", h, 1,
		  STR("query=up%7Bjob%3D%22a%22%7D&time=1637582400")) == 200);
	CHECK(has("\"job\":\"a\"") && header("Vary").n == 0);
	CHECK(call_with(s, "POST", "/api/v1/query?query=1", h, 2,
		  STR("query=2")) == 200 &&
	    has(",\"2\"]"));
	CHECK_STR(header("Access-Control-Allow-Origin"), "*");
	CHECK(call_with(s, "OPTIONS", "/api/v1/query", h, 2, STR_NONE) == 204);
}

static void
test_routes(struct serve *s)
{
	struct serve *t;

	CHECK(get(s, "/") == 302);
	CHECK_STR(header("Location"), "/graph");
	CHECK(get(s, "/-/healthy") == 200 && get(s, "/-/ready") == 200);
	CHECK(get(s, "/nothing") == 404);
	CHECK(call_with(s, "POST", "/metrics", NULL, 0, STR_NONE) == 405);
	CHECK_STR(header("Allow"), "GET, HEAD");
	CHECK(get(s, "/metrics") == 200);
	CHECK(has("mf_build_info{version=\"1.2\"} 1\n"));
	CHECK(has("mf_serve_http_requests_total{code=\"404\","
		  "handler=\"other\"} 1\n"));
	serve_drain(s);
	CHECK(get(s, "/-/ready") == 503 && get(s, "/-/healthy") == 200);
	/* Without samples there is no API, and no page. */
	t = serve_new(
	    &(struct serve_opts){ .clock = &test_clock, .version = "0" });
	CHECK(get(t, Q "1") == 404 && get(t, "/graph") == 404);
	CHECK(get(t, "/") == 404 && get(t, "/metrics") == 200);
	CHECK(lacks("mf_build_info"));
	serve_free(t);
	t = serve_new(&(struct serve_opts){ .clock = &test_clock,
	    .version = "0",
	    .source = get_source,
	    .external_url = STR("https://h/mon/itor/") });
	CHECK(get(t, "/") == 302);
	CHECK_STR(header("Location"), "/mon/itor/graph");
	CHECK(get(t, "/mon/itor") == 302 && get(t, "/mon/itor/-/ready") == 200);
	CHECK(get(t, "/mon/itorial") == 404 && get(t, "/-/ready") == 200);
	serve_free(t);
}

int
main(void)
{
	struct serve *s;

	set = series_new();
	for (int i = 0; i < 2; i++) {
		add("up{job=\"a\"}", T - i * 15000, 1);
		add("up{job=\"b\"}", T - i * 15000, 0);
	}
	add("{__name__=\"other\",\"a.b\"=\"<c>\",x=\"y\"}", T, 7);
	source = series_source(set);
	s = fresh();
	test_query(s);
	test_numbers(s);
	test_range(s);
	test_errors(s);
	test_series(s);
	test_rest(s);
	serve_free(s);
	s = fresh();
	test_routes(s);
	serve_free(s);
	series_free(set);
	call_done();
	return done();
}
