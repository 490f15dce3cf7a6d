/* The page: its form, its answers, and that nothing gets out of its quotes. */
#include "serve_call.h"

#include "metric/series.h"

static struct series_set *set;
static struct source source;
static struct serve_graph drawn;
static size_t drawn_series;

static const struct source *
get_source(void *arg, struct error *e)
{
	(void)arg;
	(void)e;
	return &source;
}

static void
draw(void *arg, struct buf *svg, const struct serve_graph *g)
{
	(void)arg;
	drawn = *g;
	drawn_series = g->result->n;
	buf_z(svg, "<svg>here</svg>");
}

static void
add(const char *name, const char *value, int64_t t, double v)
{
	struct label ls[2] = { { LABEL_NAME, str_of(name) },
		{ STR("x"), str_of(value) } };

	series_add(set, (struct labels){ ls, 2 }, t, v);
}

static struct serve *
fresh(const char *url)
{
	return serve_new(&(struct serve_opts){ .clock = &test_clock,
	    .version = "0",
	    .source = get_source,
	    .draw = draw,
	    .external_url = str_of(url) });
}

static void
test_form(struct serve *s)
{
	CHECK(get(s, "/graph") == 200);
	CHECK(strcmp(answer.content_type, "text/html; charset=utf-8") == 0);
	CHECK(has("name=\"g0.expr\"") && has("<title>mf</title>"));
	CHECK(lacks("<svg") && lacks("<table") && lacks("<script"));
	CHECK(lacks("http:") && lacks("https:") && lacks("src=") &&
	    lacks("@import"));
	CHECK(str_starts(
	    header("Content-Security-Policy"), STR("default-src 'none'; ")));
	CHECK_STR(header("X-Content-Type-Options"), "nosniff");
	CHECK(header("Refresh").n == 0);
	CHECK(get(s, "/graph?g0.expr=up&g0.refresh=5s") == 200);
	CHECK_STR(header("Refresh"), "5");
	CHECK(get(s, "/graph?g0.expr=up&g0.refresh=1ms") == 200);
	CHECK(header("Refresh").n == 0);
}

static void
test_answers(struct serve *s)
{
	drawn_series = 0;
	CHECK(get(s, "/graph?g0.expr=up&g0.tab=1") == 200);
	CHECK(has("<svg>here</svg>") && has("<td>up{x=&quot;a&quot;}</td>"));
	CHECK(has("<td>1</td>") && has("1 series at 2021-11-22T12:00:00.000Z"));
	CHECK(drawn_series == 1 && drawn.step == 15000);
	CHECK(drawn.to == INT64_C(1637582400000));
	CHECK(drawn.to - drawn.from == 3600000);
	CHECK(get(s, "/graph?expr=up&range_input=1d&step_input=1h") == 200);
	CHECK(drawn.step == 3600000 && drawn.to - drawn.from == 86400000);
	CHECK(get(s, "/graph?g0.expr=up&g0.end_input=2021-11-22%2011:00:00") ==
	    200);
	CHECK(drawn.to == INT64_C(1637578800000));
	CHECK(get(s, "/graph?g0.expr=up&g0.end_input=-1h") == 200);
	CHECK(drawn.to == INT64_C(1637578800000));
	drawn_series = 0;
	CHECK(get(s, "/graph?g0.expr=nothing") == 200 && drawn_series == 0);
	CHECK(has("0 series at"));
	CHECK(get(s, "/graph?g0.expr=1%2B1") == 200 && has("<td>2</td>"));
	CHECK(get(s, "/graph?g0.expr=%22a%3Cb%22") == 200);
	CHECK(has("<td>a&lt;b</td>"));
	CHECK(get(s, "/graph?g0.expr=up[1m]") == 200);
	CHECK(has(" @ 2021-11-22T12:00:00.000Z"));
}

static void
test_bad(struct serve *s)
{
	CHECK(get(s, "/graph?g0.expr=up(") == 200);
	CHECK(has("role=\"alert\"") && has("parse error"));
	CHECK(get(s, "/graph?g0.expr=up&g0.range_input=x") == 200);
	CHECK(has("role=\"alert\"") && has("range: cannot parse &quot;x"));
	CHECK(get(s, "/graph?g0.expr=up&g0.range_input=-5") == 200);
	CHECK(has("the range must be positive"));
	CHECK(get(s, "/graph?g0.expr=up&g0.end_input=x") == 200);
	CHECK(has("role=\"alert\""));
	CHECK(get(s, "/graph?g0.expr=up&g0.range_input=1y&g0.step_input=1s") ==
	    200);
	CHECK(has("more than 11,000 steps"));
	CHECK(get(s, "/graph?g0.expr=up&g0.range_input=1e9") == 200);
	CHECK(drawn.step > 1000 && has("<svg>"));
}

static void
test_hostile(struct serve *s)
{
	static const char evil[] = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E'";
	char target[512];

	snprintf(target, sizeof(target),
	    "/graph?g0.expr=%s&g0.range_input=%s&g0.end_input=%s"
	    "&g0.step_input=%s&g0.refresh=%s",
	    evil, evil, evil, evil, evil);
	CHECK(get(s, target) == 200);
	CHECK(lacks("<script") && lacks("\">alert") && lacks("</script"));
	CHECK(has("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
		  "&#39;\""));
	CHECK(get(s, "/graph?g0.expr=evil") == 200);
	CHECK(lacks("<img") && has("&lt;img src=x&gt;"));
	CHECK(get(s, "/graph?g0.expr=%ff%01%7f") == 200);
	CHECK(str_utf8(buf_str(&answer.body)));
	CHECK(memchr(answer.body.p, 1, answer.body.n) == NULL);
}

int
main(void)
{
	struct serve *s;

	set = series_new();
	add("up", "a", INT64_C(1637582400000), 1);
	add("up", "a", INT64_C(1637578800000), 1);
	add("evil", "<img src=x>\"'", INT64_C(1637582400000), 1);
	source = series_source(set);
	s = fresh("");
	test_form(s);
	test_answers(s);
	test_bad(s);
	test_hostile(s);
	serve_free(s);
	s = fresh("http://h/\"><x>");
	CHECK(get(s, "/graph") == 200 && lacks("<x>"));
	serve_free(s);
	series_free(set);
	call_done();
	return done();
}
