/*
 * /graph: one page without scripts and without anything from elsewhere.  The
 * form's fields are those of Prometheus's page (g0.expr, g0.range_input, ...),
 * so that links of alerts (generatorURL) open here as they do there.
 */
#include <stdlib.h>

#include "base/date.h"
#include "base/dur.h"
#include "base/num.h"
#include "base/url.h"
#include "serve/context.h"

#define WIDTH 960
#define HEIGHT 360
#define STEPS 240 /* points a graph is drawn from, about */
#define MAX_ROWS 1000
#define MAX_GRAPHS 100 /* series in one picture */

struct form {
	str expr, range_text, end_text, step_text, refresh_text;
	int64_t range, end, step;
};

static const char css[] =
    ":root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--line:#d0d7de;"
    "--dim:#59636e;--bad:#b42318;--soft:#f4f6f8;--key:#1f6feb}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6e9ed;--bg:#14171b;"
    "--line:#3a4048;--dim:#9aa4af;--bad:#ff7b72;--soft:#1d2126;"
    "--key:#58a6ff}}"
    "body{margin:1.5rem auto;max-width:62rem;padding:0 1rem;color:var(--fg);"
    "background:var(--bg);font:15px/1.45 system-ui,sans-serif}"
    "h1{font-size:1rem;margin:0 0 .8rem}h1 a{color:inherit}"
    "form{display:flex;flex-wrap:wrap;gap:.5rem;margin-bottom:1rem}"
    "input,button{font:inherit;color:inherit;background:var(--soft);"
    "border:1px solid var(--line);border-radius:4px;padding:.35rem .5rem}"
    "input:focus,button:focus{outline:2px solid var(--key)}"
    "button{background:#1f6feb;border-color:#1f6feb;color:#fff}"
    "#expr{flex:1 1 100%;font-family:ui-monospace,monospace}"
    "label{color:var(--dim);font-size:.85rem}label input{width:8rem}"
    "nav{margin-bottom:1rem}nav a{margin-right:.8rem;color:var(--key)}"
    "svg{width:100%;height:auto}"
    "table{border-collapse:collapse;width:100%;"
    "font-family:ui-monospace,monospace;font-size:.85rem}"
    "td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;"
    "text-align:left;overflow-wrap:anywhere}"
    "td:last-child,th:last-child{text-align:right;white-space:nowrap}"
    ".bad{color:var(--bad);white-space:pre-wrap}.dim{color:var(--dim)}";

/* Text and attributes alike. */
static void
put(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = 1;
		uint32_t r = str_rune(str_skip(s, i), &n);
		unsigned char c = (unsigned char)s.p[i];

		if (c == '<')
			buf_z(b, "&lt;");
		else if (c == '>')
			buf_z(b, "&gt;");
		else if (c == '&')
			buf_z(b, "&amp;");
		else if (c == '"')
			buf_z(b, "&quot;");
		else if (c == '\'')
			buf_z(b, "&#39;");
		else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
		    (r == 0xfffd && n == 1))
			buf_z(b, "\xef\xbf\xbd");
		else
			buf_add(b, (str){ s.p + i, n });
		i += n;
	}
}

/* "g0.NAME", or plain NAME for those who type it. */
static str
field(const struct exchange *x, const char *name)
{
	str s = httpd_param(x->q,
	    arena_cstr(x->q->arena, arena_printf(x->q->arena, "g0.%s", name)));

	return str_trim(s.n ? s : httpd_param(x->q, name));
}

static int
read_form(const struct exchange *x, struct form *f, struct error *e)
{
	f->expr = field(x, "expr");
	f->range_text = field(x, "range_input");
	f->end_text = field(x, "end_input");
	f->step_text = field(x, "step_input");
	f->refresh_text = field(x, "refresh");
	f->range = 3600000;
	f->end = x->now;
	f->step = 0;
	if (f->end_text.n == 0)
		f->end_text = field(x, "moment_input");
	if (f->range_text.n > 0 && api_dur(f->range_text, &f->range, e) == -1)
		return error_add(e, "range");
	/* Prometheus's links say "2021-11-22 12:00:00". */
	if (f->end_text.n > 0 &&
	    date_parse(f->end_text, x->now, NULL, &f->end, e) == -1) {
		char *t = arena_cstr(x->q->arena, f->end_text);

		if (f->end_text.n != 19 || t[10] != ' ')
			return error_add(e, "end");
		t[10] = 'T';
		if (date_parse(arena_printf(x->q->arena, "%sZ", t), x->now,
			NULL, &f->end, e) == -1)
			return error_add(e, "end");
	}
	if (f->step_text.n > 0 && api_dur(f->step_text, &f->step, e) == -1)
		return error_add(e, "step");
	if (f->range <= 0 || f->step < 0)
		return error_set(e, "the range must be positive");
	if (f->step == 0) {
		f->step = f->range / STEPS;
		f->step -= f->step % 1000;
		if (f->step < 1000)
			f->step = 1000;
	}
	if (f->range / f->step > PROMQL_MAX_STEPS)
		return error_set(
		    e, "more than 11,000 steps: take a larger one");
	return 0;
}

static void
put_input(struct buf *b, const char *label, const char *name, str value,
    const char *hint)
{
	buf_printf(b,
	    "<label>%s <input name=\"%s\" placeholder=\"%s\" value=\"", label,
	    name, hint);
	put(b, value);
	buf_z(b, "\"></label>");
}

static void
put_form(struct buf *b, const struct exchange *x, const struct form *f)
{
	static const char *const ranges[] = { "5m", "15m", "1h", "6h", "1d",
		"1w" };

	buf_printf(b, "<form action=\"");
	put(b, x->s->prefix);
	buf_z(b,
	    "/graph\" method=\"get\">"
	    "<input id=\"expr\" name=\"g0.expr\" autofocus spellcheck="
	    "\"false\" aria-label=\"PromQL expression\" "
	    "placeholder=\"PromQL expression\" value=\"");
	put(b, f->expr);
	buf_z(b, "\">");
	put_input(b, "Range", "g0.range_input", f->range_text, "1h");
	put_input(b, "End", "g0.end_input", f->end_text, "now");
	put_input(b, "Step", "g0.step_input", f->step_text, "auto");
	put_input(b, "Refresh", "g0.refresh", f->refresh_text, "never");
	buf_z(b, "<button>Execute</button></form>\n");
	if (f->expr.n == 0)
		return;
	buf_z(b, "<nav>");
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		buf_z(b, "<a href=\"?g0.expr=");
		url_escape(b, f->expr, "", false);
		buf_printf(b, "&amp;g0.range_input=%s", ranges[i]);
		if (f->refresh_text.n > 0) {
			buf_z(b, "&amp;g0.refresh=");
			url_escape(b, f->refresh_text, "", false);
		}
		buf_printf(b, "\">%s</a>", ranges[i]);
	}
	buf_z(b, "</nav>\n");
}

static void
put_bad(struct buf *b, str msg)
{
	buf_z(b, "<p class=\"bad\" role=\"alert\">");
	put(b, msg);
	buf_z(b, "</p>\n");
}

static void
put_notes(struct buf *b, const struct promql_result *r)
{
	for (size_t i = 0; i < r->nwarnings; i++)
		put_bad(b, r->warnings[i]);
	for (size_t i = 0; i < r->ninfos; i++) {
		buf_z(b, "<p class=\"dim\">");
		put(b, r->infos[i]);
		buf_z(b, "</p>\n");
	}
}

static void
put_row(struct buf *b, str name, const struct promql_series *s, bool times)
{
	struct buf v = { 0 };

	buf_z(b, "<tr><td>");
	put(b, name);
	buf_z(b, "</td><td>");
	for (size_t i = 0; i < s->n && i < MAX_ROWS; i++) {
		buf_reset(&v);
		if (s->h != NULL && s->h[i] != NULL)
			histogram_print(&v, s->h[i]);
		else
			num_print(&v, s->v[i]);
		if (times) {
			buf_z(&v, " @ ");
			date_print_ms(&v, s->t[i]);
		}
		put(b, buf_str(&v));
		if (i + 1 < s->n)
			buf_z(b, "<br>");
	}
	buf_z(b, "</td></tr>\n");
	buf_fini(&v);
}

static void
put_table(struct buf *b, const struct promql_result *r, int64_t t)
{
	struct buf name = { 0 };

	buf_z(b, "<p class=\"dim\">");
	if (r->type == PROMQL_VECTOR || r->type == PROMQL_MATRIX)
		buf_printf(b, "%zu series at ", r->n);
	date_print_ms(&name, t);
	put(b, buf_str(&name));
	buf_z(b,
	    "</p>\n<table><thead><tr><th>Element</th><th>Value</th></tr>"
	    "</thead><tbody>\n");
	if (r->type == PROMQL_SCALAR)
		put_row(b, STR("scalar"),
		    &(struct promql_series){
			.t = &r->t, .v = &r->scalar, .n = 1 },
		    false);
	if (r->type == PROMQL_STRING) {
		buf_z(b, "<tr><td>string</td><td>");
		put(b, r->string);
		buf_z(b, "</td></tr>\n");
	}
	for (size_t i = 0; i < r->n && i < MAX_ROWS; i++) {
		buf_reset(&name);
		label_print_metric(&name, r->v[i].labels);
		put_row(b, buf_str(&name), &r->v[i], r->type == PROMQL_MATRIX);
	}
	buf_z(b, "</tbody></table>\n");
	if (r->n > MAX_ROWS)
		buf_printf(
		    b, "<p class=\"dim\">and %zu more</p>\n", r->n - MAX_ROWS);
	buf_fini(&name);
}

static void
put_graph(struct exchange *x, struct buf *b, const struct form *f,
    const struct promql_expr *p, const struct source *src)
{
	/* The last step is the end, so that the newest value is seen. */
	struct promql_opts o = { .from = f->end - f->range / f->step * f->step,
		.to = f->end,
		.step = f->step,
		.max_steps = PROMQL_MAX_STEPS + 1 };
	struct promql_result r = { 0 };
	struct serve_graph g = { .title = f->expr,
		.result = &r,
		.from = f->end - f->range,
		.to = f->end,
		.step = f->step,
		.width = WIDTH,
		.height = HEIGHT };
	struct error e;

	if (promql_eval(p, src, &o, x->q->arena, &r, &e) == -1) {
		put_bad(b, str_of(e.msg));
		return;
	}
	if (r.n > MAX_GRAPHS) {
		buf_printf(b,
		    "<p class=\"dim\">The graph shows %d of %zu series.</p>\n",
		    MAX_GRAPHS, r.n);
		r.n = MAX_GRAPHS;
	}
	if (r.n > 0) {
		buf_z(b, "<figure style=\"margin:0 0 1rem\">");
		x->s->o.draw(x->s->o.arg, b, &g);
		buf_z(b, "</figure>\n");
	}
}

static void
put_answer(struct exchange *x, struct buf *b, const struct form *f)
{
	static const struct source none;
	struct promql_opts o = { .from = f->end, .to = f->end };
	const struct source *src = &none;
	struct arena *a = x->q->arena;
	struct promql_result r = { 0 };
	struct error e;
	struct promql_expr *p =
	    promql_parse_with(f->expr, x->s->o.features, a, &e);

	if (p == NULL) {
		put_bad(b, str_of(e.msg));
		return;
	}
	if (promql_selects(p) &&
	    (src = x->s->o.source(x->s->o.arg, &e)) == NULL)
		put_bad(b, str_of(e.msg));
	else {
		if (x->s->o.draw != NULL &&
		    (promql_type(p) == PROMQL_VECTOR ||
			promql_type(p) == PROMQL_SCALAR))
			put_graph(x, b, f, p, src);
		if (promql_eval(p, src, &o, a, &r, &e) == -1)
			put_bad(b, str_of(e.msg));
		else {
			put_notes(b, &r);
			put_table(b, &r, f->end);
		}
	}
	promql_free(p);
}

/* Nothing may be loaded, run or framed; the form goes only to us. */
static void
put_headers(struct exchange *x, const struct form *f)
{
	int64_t ms = 0;

	exchange_header(x, "Content-Security-Policy",
	    STR("default-src 'none'; style-src 'unsafe-inline'; form-action "
		"'self'; base-uri 'none'; frame-ancestors 'none'"));
	exchange_header(x, "X-Content-Type-Options", STR("nosniff"));
	exchange_header(x, "Referrer-Policy", STR("no-referrer"));
	exchange_header(x, "Cache-Control", STR("no-store"));
	if (f->refresh_text.n > 0 &&
	    dur_parse(f->refresh_text, &ms, NULL) == 0 && ms >= 1000)
		exchange_header(x, "Refresh",
		    arena_printf(x->q->arena, "%lld", (long long)(ms / 1000)));
}

void
web_handle(struct exchange *x)
{
	struct buf *b = &x->a->body;
	struct form f = { 0 };
	struct error e;
	int rc = read_form(x, &f, &e);

	buf_z(b,
	    "<!doctype html>\n<html lang=\"en\"><head><meta charset="
	    "\"utf-8\"><meta name=\"viewport\" content=\"width="
	    "device-width\"><title>");
	put(b, f.expr.n ? f.expr : STR("mf"));
	buf_printf(
	    b, "</title><style>%s</style></head><body>\n<h1><a href=\"", css);
	put(b, x->s->prefix);
	buf_z(b, "/graph\">mf</a></h1>\n");
	put_form(b, x, &f);
	if (rc == -1)
		put_bad(b, str_of(e.msg));
	else if (f.expr.n > 0)
		put_answer(x, b, &f);
	buf_z(b, "</body></html>\n");
	x->a->content_type = "text/html; charset=utf-8";
	x->a->gzip = true;
	put_headers(x, &f);
}
