/* The application server: routes, counters, the middleware's metrics. */
#include "serve_call.h"

static struct serve *
fresh(void)
{
	return serve_new(
	    &(struct serve_opts){ .clock = &test_clock, .version = "0" });
}

static void
test_article(void)
{
	struct serve *s = fresh();
	struct error e;

	CHECK(serve_route(s, "/hello=Hello, World!", &e) == 0);
	CHECK(serve_route(s, "/empty=", &e) == 0);
	CHECK(serve_counter(s,
		  "api_request_total=/hello=The total number of api called",
		  &e) == 0);
	CHECK(get(s, "/metrics") == 200);
	CHECK(has("# HELP api_request_total The total number of api called\n"
		  "# TYPE api_request_total counter\napi_request_total 0\n"));
	CHECK(lacks("echo_"));
	CHECK(get(s, "/hello") == 200);
	CHECK_STR(buf_str(&answer.body), "Hello, World!\n");
	CHECK(strcmp(answer.content_type, "text/plain; charset=UTF-8") == 0);
	CHECK(get(s, "/hello?x=1") == 200);
	CHECK(get(s, "/empty") == 200);
	CHECK_STR(buf_str(&answer.body), "\n");
	CHECK(get(s, "/hello/") == 404);
	CHECK_STR(buf_str(&answer.body), "{\"message\":\"Not Found\"}\n");
	CHECK(call_with(s, "POST", "/hello", NULL, 0, STR("xyz")) == 405);
	CHECK(has("{\"message\":\"Method Not Allowed\"}"));
	CHECK(get(s, "/metrics") == 200);
	CHECK(has("\napi_request_total 2\n"));
	CHECK(has("echo_requests_total{code=\"200\",host=\"h:1\","
		  "method=\"GET\",url=\"/hello\"} 2\n"));
	CHECK(has("{code=\"404\",host=\"h:1\",method=\"GET\","
		  "url=\"/hello/\"} 1\n"));
	CHECK(has("{code=\"405\",host=\"\",method=\"POST\","
		  "url=\"/hello\"} 1\n"));
	/* A millisecond passes at each look at the clock. */
	CHECK(has("echo_request_duration_seconds_bucket{code=\"200\","
		  "host=\"h:1\",le=\"0.005\",method=\"GET\",url=\"/hello\"} "
		  "2\n"));
	CHECK(has("echo_request_duration_seconds_sum{code=\"200\",host=\"h:1\","
		  "method=\"GET\",url=\"/hello\"} 0.002\n"));
	CHECK(has("echo_response_size_bytes_sum{code=\"200\",host=\"h:1\","
		  "method=\"GET\",url=\"/hello\"} 28\n"));
	CHECK(has("le=\"1.048576e+07\"") && has("le=\"+Inf\""));
	CHECK(has("# TYPE echo_request_size_bytes histogram\n"));
	CHECK(lacks("/metrics\"") && has("process_open_fds "));
	serve_free(s);
}

/* A slow answer and a large one, in their buckets. */
static void
test_buckets(void)
{
	struct serve *s = fresh();
	struct buf b = { 0 };
	struct error e;

	buf_z(&b, "/big=");
	for (int i = 0; i < 3000; i++)
		buf_byte(&b, 'x');
	CHECK(serve_route(s, buf_cstr(&b), &e) == 0);
	CHECK(get(s, "/big") == 200 && answer.body.n == 3001);
	CHECK(get(s, "/metrics") == 200);
#define BIG "host=\"h:1\",le="
	CHECK(has("echo_response_size_bytes_bucket{code=\"200\"," BIG
		  "\"2048\",method=\"GET\",url=\"/big\"} 0\n"));
	CHECK(has("echo_response_size_bytes_bucket{code=\"200\"," BIG
		  "\"5120\",method=\"GET\",url=\"/big\"} 1\n"));
	buf_fini(&b);
	serve_free(s);
}

static void
test_counters(void)
{
	struct serve *s = fresh();
	struct error e;
	static const char *const bad_routes[] = { "hello=x", "/x", "",
		"/metrics=x", "/-/ready=x", "/a=again" };
	static const char *const bad[] = { "x", "x=/a", "x=/b=h", "1x=/a=h",
		"process_x=/a=h", "echo_x=/a=h", "x=a=h", "x=/a=\xff" };

	CHECK(serve_route(s, "/a=1", &e) == 0);
	CHECK(serve_route(s, "/c=x=y", &e) == 0);
	for (size_t i = 0; i < sizeof(bad_routes) / sizeof(*bad_routes); i++)
		CHECK(serve_route(s, bad_routes[i], &e) == -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(serve_counter(s, bad[i], &e) == -1);
	CHECK(serve_counter(s, "both_total=/a=Back\\slash\nline", &e) == 0);
	CHECK(serve_counter(s, "both_total=/c", &e) == 0);
	CHECK(get(s, "/a") == 200 && get(s, "/c") == 200);
	CHECK_STR(buf_str(&answer.body), "x=y\n");
	CHECK(get(s, "/metrics") == 200 && has("\nboth_total 2\n"));
	CHECK(has("# HELP both_total Back\\\\slash\\nline\n"));
	serve_free(s);
}

/* Clients cannot fill the memory with labels. */
static void
test_flood(void)
{
	struct serve *s = fresh();
	struct httpd_param host = { STR("Host"), STR_NONE };
	char target[32], name[32], *page;
	struct error e;
	size_t n = 0;

	CHECK(serve_route(s, "/a=1", &e) == 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(target, sizeof(target), "/x%d", i);
		snprintf(name, sizeof(name), "h%d", i);
		host.value = str_of(name);
		call_with(s, "GET", target, &host, 1, STR_NONE);
	}
	host.value = STR("bad\xff");
	CHECK(call_with(s, "BREW", "/%ff", &host, 1, STR_NONE) == 404);
	CHECK(get(s, "/metrics") == 200);
	page = arena_cstr(&test_arena, buf_str(&answer.body));
	for (char *p = page; (p = strstr(p, "\necho_requests_total{")); p++)
		n++;
	CHECK(n > 900 && n < 1010);
	CHECK(has("host=\"other\",method=\"GET\",url=\"other\"} 2000\n"));
	CHECK(has("host=\"other\",method=\"other\",url=\"other\"} 1\n"));
	CHECK(str_utf8(buf_str(&answer.body)));
	serve_free(s);
}

int
main(void)
{
	test_article();
	test_buckets();
	test_counters();
	test_flood();
	call_done();
	return done();
}
