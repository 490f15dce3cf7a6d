/*
 * The routes: which path goes to whom, who may ask, and what is counted.
 */
#include "serve/serve.h"

#include <stdlib.h>

#include "base/mem.h"
#include "serve/context.h"

enum kind {
	OPEN, /* to everybody, unless a web-config file says otherwise */
	PAGE, /* guarded by --users too */
};

struct route {
	const char *path, *handler;
	bool prefix;       /* everything below the path */
	bool needs_source; /* served with samples only */
	enum kind kind;
	void (*fn)(struct exchange *x);
};

static void
healthy(struct exchange *x)
{
	exchange_text(x, 200, "mf-serve is healthy.");
}

static void
ready(struct exchange *x)
{
	if (x->s->draining)
		exchange_text(x, 503, "mf-serve is going away.");
	else
		exchange_text(x, 200, "mf-serve is ready.");
}

static void
to_graph(struct exchange *x)
{
	x->a->status = 302;
	exchange_header(x, "Location",
	    arena_printf(x->q->arena, "%.*s/graph", STR_ARG(x->s->prefix)));
}

static const struct route routes[] = {
	{ "/metrics", "/metrics", false, false, OPEN, expose_handle },
	{ "/-/healthy", "/-/healthy", false, false, OPEN, healthy },
	{ "/-/ready", "/-/ready", false, false, OPEN, ready },
	{ "/api/v1/", "/api/v1", true, true, OPEN, api_handle },
	{ "/graph", "/graph", false, true, PAGE, web_handle },
	{ "/", "/", false, true, PAGE, to_graph },
};

void
exchange_text(struct exchange *x, int status, const char *text)
{
	x->a->status = status;
	x->a->content_type = "text/plain; charset=utf-8";
	buf_reset(&x->a->body);
	buf_printf(&x->a->body, "%s\n", text);
}

/* More than there is room for is a mistake of ours. */
void
exchange_header(struct exchange *x, const char *name, str value)
{
	struct httpd_answer *a = x->a;

	if (a->nheaders < sizeof(a->headers) / sizeof(a->headers[0]))
		a->headers[a->nheaders++] =
		    (struct httpd_param){ str_of(name), value };
}

/* The path of a URL without '/' at its end: "/x" of "http://h/x/". */
static str
path_of(str url)
{
	size_t host = str_find(url, STR("://"));

	if (host < url.n)
		url = str_skip(url, host + 3);
	url = str_skip(url, str_chr(url, '/'));
	while (str_ends(url, STR("/")))
		url.n--;
	return url;
}

struct serve *
serve_new(const struct serve_opts *o)
{
	struct serve *s = mem_zero(1, sizeof(*s));

	s->o = *o;
	s->prefix = path_of(o->external_url);
	s->app = app_new(o->clock);
	s->expose = expose_new();
	s->webconf = webconf_new(o->clock);
	return s;
}

void
serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	app_free(s->app);
	expose_free(s->expose);
	webconf_free(s->webconf);
	free(s->traffic);
	free(s);
}

void
serve_drain(struct serve *s)
{
	s->draining = true;
}

static const struct route *
find_route(const struct serve *s, str path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *r = &routes[i];
		str want = str_of(r->path);

		if (r->needs_source && s->o.source == NULL)
			continue;
		if (r->prefix ? str_starts(path, want) : str_eq(path, want))
			return r;
	}
	return NULL;
}

static void
count(struct serve *s, const char *handler, int status, int64_t ns)
{
	struct traffic *t = NULL;

	for (size_t i = 0; i < s->ntraffic && t == NULL; i++)
		if (s->traffic[i].status == status &&
		    strcmp(s->traffic[i].handler, handler) == 0)
			t = &s->traffic[i];
	if (t == NULL) {
		s->traffic = mem_grow(s->traffic, &s->traffic_cap,
		    s->ntraffic + 1, sizeof(*s->traffic));
		t = &s->traffic[s->ntraffic++];
		*t = (struct traffic){ .handler = handler, .status = status };
	}
	t->count++;
	t->seconds += (double)ns / 1e9;
}

static void
sink(struct exchange *x)
{
	if (!str_eq(x->q->method, STR("POST"))) {
		exchange_text(x, 405, "POST something");
		exchange_header(x, "Allow", STR("POST"));
		return;
	}
	x->s->o.sink(x->s->o.arg, x->q->body);
	x->a->content_type = "text/plain; charset=utf-8";
	buf_z(&x->a->body, "ok");
}

static const char *
dispatch(struct exchange *x)
{
	struct serve *s = x->s;
	const struct route *r = find_route(s, x->path);
	bool get = str_eq(x->q->method, STR("GET"));

	if (!webconf_allows(s->webconf, x, r != NULL && r->kind == PAGE))
		return r ? r->handler : "other";
	if (app_handle(s->app, x))
		return "application";
	if (r == NULL && s->o.sink != NULL) {
		sink(x);
		return "sink";
	}
	if (r == NULL && app_active(s->app)) {
		app_missing(s->app, x);
		return "application";
	}
	if (r == NULL) {
		exchange_text(x, 404, "404 page not found");
		return "other";
	}
	if (!get && r->fn != api_handle) {
		exchange_text(x, 405, "Method Not Allowed");
		exchange_header(x, "Allow", STR("GET, HEAD"));
	} else
		r->fn(x);
	return r->handler;
}

void
serve_handle(struct serve *s, int64_t now, const struct httpd_request *q,
    struct httpd_answer *a)
{
	struct exchange x = {
		.s = s, .now = now, .q = q, .a = a, .path = q->path
	};
	const struct clock *c = s->o.clock;
	int64_t t = c->mono(c->arg);
	const char *handler;

	if (s->prefix.n && str_starts(x.path, s->prefix) &&
	    (x.path.n == s->prefix.n || x.path.p[s->prefix.n] == '/')) {
		x.path = str_skip(x.path, s->prefix.n);
		if (x.path.n == 0)
			x.path = STR("/");
	}
	handler = dispatch(&x);
	webconf_headers(s->webconf, &x);
	count(s, handler, a->status, c->mono(c->arg) - t);
}
