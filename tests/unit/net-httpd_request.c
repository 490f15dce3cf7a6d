/* net/httpd_request: targets, forms and heads. */
#include "net/httpd_request.h"

#include "check.h"

static struct arena arena;

static int
parse(struct httpd_request *q, const char *target, const char **why)
{
	arena_reset(&arena);
	q->arena = &arena;
	q->params = NULL;
	q->nparams = 0;
	*why = "";
	return httpd_parse(q, str_of(target), why);
}

static void
test_targets(void)
{
	struct httpd_request q = { .method = STR("GET") };
	const char *why;

	CHECK(parse(&q, "/a%20b/c+d?x=1+2&y=%41&&z&x=3#f", &why) == 0);
	CHECK_STR(q.path, "/a b/c+d");
	CHECK_STR(q.query, "x=1+2&y=%41&&z&x=3");
	CHECK(q.nparams == 4);
	CHECK_STR(httpd_param(&q, "x"), "1 2");
	CHECK_STR(httpd_param(&q, "y"), "A");
	CHECK_STR(httpd_param(&q, "z"), "");
	CHECK_STR(q.params[3].value, "3");
	CHECK(parse(&q, "http://h:1/p?q", &why) == 0);
	CHECK_STR(q.path, "/p");
	CHECK(parse(&q, "http://h", &why) == 0);
	CHECK_STR(q.path, "/");
	CHECK(parse(&q, "*", &why) == 0);
	CHECK(parse(&q, "/%", &why) == 400);
	CHECK(parse(&q, "/%4", &why) == 400);
	CHECK(parse(&q, "/%zz", &why) == 400);
	CHECK(parse(&q, "/%00", &why) == 400);
	CHECK(parse(&q, "/%0d%0a", &why) == 400);
	CHECK(parse(&q, "/?a=%", &why) == 400);
	CHECK(strcmp(why, "invalid URL escape") == 0);
	CHECK(parse(&q, "x", &why) == 400);
	CHECK(parse(&q, "", &why) == 400);
	CHECK(parse(&q, "/a b", &why) == 400);
	CHECK(parse(&q, "/a\x01", &why) == 400);
	CHECK(parse(&q, "/?a=%00%ff", &why) == 0);
	CHECK(httpd_param(&q, "a").n == 2);
}

static void
test_forms(void)
{
	static char many[3 * HTTPD_MAX_PARAMS];
	struct httpd_param h = { STR("content-type"),
		STR("application/x-www-form-urlencoded; charset=utf-8") };
	struct httpd_request q = { .method = STR("POST"),
		.headers = &h,
		.nheaders = 1,
		.body = STR("q=up%7B%7D&a=1") };
	const char *why;

	CHECK(parse(&q, "/?a=2", &why) == 0 && q.nparams == 3);
	CHECK_STR(httpd_param(&q, "q"), "up{}");
	CHECK_STR(httpd_param(&q, "a"), "1"); /* the form before the query */
	h.value = STR("text/plain");
	CHECK(parse(&q, "/?a=2", &why) == 0 && q.nparams == 1);
	h.value = STR("application/x-www-form-urlencoded");
	memset(many, '&', sizeof(many));
	for (size_t i = 0; i < HTTPD_MAX_PARAMS; i++)
		many[2 * i] = 'a';
	q.body = (str){ many, sizeof(many) };
	CHECK(parse(&q, "/", &why) == 0 && q.nparams == HTTPD_MAX_PARAMS);
	CHECK(parse(&q, "/?one", &why) == 400);
}

/* name: value pairs, up to four, and what becomes of them. */
static int
check(const char *method, const char *version, const char *const *pairs)
{
	struct httpd_param h[8];
	struct httpd_request q = { .method = str_of(method), .headers = h };
	struct httpd_limits l = HTTPD_LIMITS;
	const char *why = "";

	for (; pairs[2 * q.nheaders] != NULL; q.nheaders++) {
		h[q.nheaders].name = str_of(pairs[2 * q.nheaders]);
		h[q.nheaders].value = str_of(pairs[2 * q.nheaders + 1]);
	}
	return httpd_check(&q, str_of(version), 100, &l, &why);
}

static void
test_heads(void)
{
	static const struct {
		const char *method, *version, *pairs[8];
		int status;
	} t[] = {
		{ "GET", "HTTP/1.1", { "Host", "a" }, 0 },
		{ "GET", "HTTP/1.0", { NULL }, 0 },
		{ "GET", "HTTP/1.1", { NULL }, 400 },
		{ "GET", "HTTP/2.0", { "Host", "a" }, 505 },
		{ "G(T", "HTTP/1.1", { "Host", "a" }, 400 },
		{ "GET", "HTTP/1.1", { "Host", "a", "host", "a" }, 400 },
		{ "GET", "HTTP/1.0", { "Host", "a", "host", "a" }, 400 },
		{ "POST", "HTTP/1.1", { "Host", "a", "Content-Length", "3" },
		    0 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Content-Length", "3", "content-length",
			"3" },
		    400 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Content-Length", "3", "Transfer-Encoding",
			"chunked" },
		    400 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Transfer-Encoding", "Chunked" }, 0 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Transfer-Encoding", "xchunked" }, 501 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Transfer-Encoding", "gzip, chunked" },
		    501 },
		{ "POST", "HTTP/1.0",
		    { "Host", "a", "Transfer-Encoding", "chunked" }, 400 },
		{ "POST", "HTTP/1.1", { "Host", "a", "Content-Length", "+3" },
		    400 },
		{ "POST", "HTTP/1.1", { "Host", "a", "Content-Length", "3, 3" },
		    400 },
		{ "POST", "HTTP/1.1", { "Host", "a", "Content-Length", "" },
		    400 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Content-Length", "99999999999999999999" },
		    400 },
		{ "POST", "HTTP/1.1",
		    { "Host", "a", "Content-Length", "33554433" }, 413 },
		{ "GET", "HTTP/1.1", { "Host", "a", "X", "a\x01" }, 400 },
		{ "GET", "HTTP/1.1", { "Host", "a", "X", "a\tb" }, 0 },
		{ "GET", "HTTP/1.1", { "Host", "a", "X Y", "" }, 400 },
		{ "GET", "HTTP/1.1", { "Host", "a", "", "x" }, 400 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int got = check(t[i].method, t[i].version, t[i].pairs);

		CHECK(got == t[i].status);
		if (got != t[i].status)
			printf("# row %zu: %d\n", i, got);
	}
}

static bool
gzip(const char *value)
{
	struct httpd_param h = { STR("ACCEPT-Encoding"), str_of(value) };
	struct httpd_request q = { .headers = &h, .nheaders = 1 };

	return httpd_takes_gzip(&q);
}

static void
test_gzip(void)
{
	CHECK(gzip("gzip") && gzip("br, GZIP;q=0.5") && gzip("gzip ; q=1"));
	CHECK(!gzip("") && !gzip("identity") && !gzip("gzip;q=0"));
	CHECK(!gzip("gzip;q=0.000") && !gzip("xgzip"));
}

int
main(void)
{
	test_targets();
	test_forms();
	test_heads();
	test_gzip();
	arena_fini(&arena);
	return done();
}
