/*
 * Any request: the first line is the target, then headers up to an empty line,
 * then the body.  Whatever is answered is well-formed: JSON parses, pages and
 * metrics are UTF-8, and no script gets into a page.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "metric/series.h"
#include "net/httpd_request.h"
#include "serve/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define T INT64_C(1637582400000)

static struct source source;

static int64_t
mono(void *arg)
{
	return *(int64_t *)arg += 1000;
}

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
	buf_printf(svg, "<svg>%zu</svg>", g->result->n);
}

static struct series_set *
make_set(void)
{
	struct series_set *set = series_new();
	struct label ls[2] = { { LABEL_NAME, STR("up") },
		{ STR("x"), STR("<script>\"'") } };

	for (int i = 0; i < 20; i++)
		series_add(set, (struct labels){ ls, 2 }, T - i * 15000, i);
	return set;
}

static void
check(const struct httpd_answer *a, struct arena *arena)
{
	const char *type = a->content_type ? a->content_type : "";
	str body = buf_str(&a->body);
	struct error e;

	if (a->status < 200 || a->status > 599)
		__builtin_trap();
	if (body.n > 0 && strcmp(type, "application/json") == 0 &&
	    json_parse(arena, body, &e) == NULL)
		__builtin_trap();
	if (!str_utf8(body))
		__builtin_trap();
	if (strncmp(type, "text/html", 9) == 0 &&
	    str_find(body, STR("<script")) < body.n)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct httpd_limits limits = { .max_head = 16384,
		.max_body = 1 << 20 };
	struct httpd_param headers[16] = { { STR("Host"), STR("h") } };
	str text = { (const char *)p, n }, target = str_cut(&text, '\n'), line;
	int64_t t = 0;
	struct clock clock = { .mono = mono, .arg = &t };
	struct arena arena = { 0 };
	struct httpd_request q = { .method = STR("GET"),
		.headers = headers,
		.nheaders = 1,
		.peer = STR("p"),
		.arena = &arena };
	struct httpd_answer a = { .status = 200 };
	struct series_set *set = make_set();
	struct serve *s;
	const char *why;
	struct error e;

	source = series_source(set);
	s = serve_new(&(struct serve_opts){ .clock = &clock,
	    .version = "0",
	    .source = get_source,
	    .draw = draw });
	serve_route(s, "/a=b", &e);
	serve_counter(s, "n_total=/a=help", &e);
	while (text.n > 0 && (line = str_cut(&text, '\n')).n > 0) {
		str name = str_cut(&line, ':');

		if (q.nheaders < 16 && line.p != NULL)
			headers[q.nheaders++] =
			    (struct httpd_param){ name, str_trim(line) };
	}
	q.body = text;
	if (text.n > 0)
		q.method = STR("POST");
	if (httpd_check(&q, STR("HTTP/1.1"), n, &limits, &why) == 0 &&
	    httpd_parse(&q, target, &why) == 0) {
		serve_handle(s, T, &q, &a);
		check(&a, &arena);
		buf_reset(&a.body);
		q.path = STR("/metrics"); /* and what it left there */
		q.method = STR("GET");
		serve_handle(s, T, &q, &a);
		check(&a, &arena);
	}
	buf_fini(&a.body);
	serve_free(s);
	series_free(set);
	arena_fini(&arena);
	return 0;
}
