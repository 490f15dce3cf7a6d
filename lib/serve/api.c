/*
 * /api/v1: which endpoint, its methods, and what all of them share.  The words
 * of errors are upstream's, since clients show and match them.
 */
#include "serve/api.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/date.h"
#include "base/dur.h"
#include "base/num.h"

void
api_fail(struct exchange *x, int status, const char *type, const char *fmt, ...)
{
	struct json_writer w;
	char msg[ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	x->a->status = status;
	x->a->content_type = "application/json";
	buf_reset(&x->a->body);
	json_init(&w, &x->a->body, true);
	json_open(&w, '{');
	json_key(&w, STR("status"));
	json_str(&w, STR("error"));
	json_key(&w, STR("errorType"));
	json_str(&w, str_of(type));
	json_key(&w, STR("error"));
	json_str(&w, str_of(msg));
	json_close(&w, '}');
}

void
api_begin(struct exchange *x, struct json_writer *w)
{
	x->a->content_type = "application/json";
	x->a->gzip = true;
	json_init(w, &x->a->body, false);
	json_open(w, '{');
	json_key(w, STR("status"));
	json_str(w, STR("success"));
	json_key(w, STR("data"));
}

static void
put_notes(struct json_writer *w, str key, const str *v, size_t n)
{
	if (n == 0)
		return;
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	json_close(w, ']');
}

void
api_end(struct json_writer *w, const str *warnings, size_t nwarnings,
    const str *infos, size_t ninfos)
{
	put_notes(w, STR("warnings"), warnings, nwarnings);
	put_notes(w, STR("infos"), infos, ninfos);
	json_close(w, '}');
}

/*
 * Seconds with a fraction, to ms.  Upstream rounds the fraction to three
 * digits and cuts what is left.
 */
static bool
float_time(str s, int64_t *t)
{
	double v, whole;

	if (num_parse(s, &v) == -1 || !(fabs(v) < 9e15))
		return false;
	v = modf(v, &whole);
	*t = (int64_t)whole * 1000 + (int64_t)round(v * 1000);
	return true;
}

int
api_time(str s, int64_t *t, struct error *e)
{
	if (float_time(s, t) || date_parse_rfc3339(s, t, NULL, NULL) == 0)
		return 0;
	return error_set(
	    e, "cannot parse \"%.*s\" to a valid timestamp", STR_ARG(s));
}

int
api_dur(str s, int64_t *ms, struct error *e)
{
	double v;

	if (num_parse(s, &v) == 0) {
		if (!(fabs(v) < 9223372036.0))
			return error_set(e,
			    "cannot parse \"%.*s\" to a valid duration. It "
			    "overflows int64",
			    STR_ARG(s));
		*ms = (int64_t)(v * 1000);
		return 0;
	}
	if (dur_parse(s, ms, NULL) == 0)
		return 0;
	return error_set(
	    e, "cannot parse \"%.*s\" to a valid duration", STR_ARG(s));
}

static int
bad_param(struct exchange *x, const char *name, const struct error *e)
{
	api_fail(
	    x, 400, "bad_data", "invalid parameter \"%s\": %s", name, e->msg);
	return -1;
}

int
api_time_param(struct exchange *x, const char *name, int64_t *t)
{
	str s = httpd_param(x->q, name);
	struct error e;

	if (s.n == 0 || api_time(s, t, &e) == 0)
		return 0;
	error_add(&e, "invalid time value for '%s'", name);
	return bad_param(x, name, &e);
}

int
api_dur_param(struct exchange *x, const char *name, int64_t *ms)
{
	str s = httpd_param(x->q, name);
	struct error e;

	if (s.n == 0 || api_dur(s, ms, &e) == 0)
		return 0;
	return bad_param(x, name, &e);
}

int
api_limit(struct exchange *x, size_t *limit)
{
	str s = httpd_param(x->q, "limit");
	struct error e;
	int64_t n = 0;

	if (s.n > 0 && num_parse_int(s, &n) == -1)
		error_set(
		    &e, "cannot parse \"%.*s\" to a valid integer", STR_ARG(s));
	else if (n < 0)
		error_set(&e, "limit must be non-negative");
	else {
		*limit = (size_t)n;
		return 0;
	}
	return bad_param(x, "limit", &e);
}

const struct source *
api_source(struct exchange *x)
{
	const struct source *s;
	struct error e;

	s = x->s->o.source(x->s->o.arg, &e);
	if (s == NULL) {
		api_fail(x, 503, "unavailable", "%s", e.msg);
		return NULL;
	}
	/* It has been told an error's address, which it does not keep. */
	/* cppcheck-suppress returnDanglingLifetime */
	return s;
}

/*
 * Clients read the version to learn what they may ask: the level of the
 * language and API we speak, with our own as its build.
 */
static void
buildinfo(struct exchange *x)
{
	struct json_writer w;
	static const char *const empty[] = { "revision", "branch", "buildUser",
		"buildDate", "goVersion" };

	api_begin(x, &w);
	json_open(&w, '{');
	json_key(&w, STR("version"));
	json_str(&w, arena_printf(x->q->arena, "3.0.0+mf.%s", x->s->o.version));
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		json_key(&w, str_of(empty[i]));
		json_str(&w, STR_NONE);
	}
	json_close(&w, '}');
	api_end(&w, NULL, 0, NULL, 0);
}

static void
empty_list(struct exchange *x, str key)
{
	struct json_writer w;

	api_begin(x, &w);
	if (key.n > 0) {
		json_open(&w, '{');
		json_key(&w, key);
	}
	json_open(&w, '[');
	json_close(&w, ']');
	if (key.n > 0)
		json_close(&w, '}');
	api_end(&w, NULL, 0, NULL, 0);
}

/* Rules run in mf-eval; this server has none of its own. */
static void
rules(struct exchange *x)
{
	empty_list(x, STR("groups"));
}

static void
alerts(struct exchange *x)
{
	empty_list(x, STR("alerts"));
}

static void
exemplars(struct exchange *x)
{
	empty_list(x, STR_NONE);
}

static void
format_query(struct exchange *x)
{
	str query = httpd_param(x->q, "query");
	struct promql_expr *p;
	struct json_writer w;
	struct buf b = { 0 };
	struct error e;

	p = promql_parse_with(query, x->s->o.features, x->q->arena, &e);
	if (p == NULL) {
		bad_param(x, "query", &e);
		return;
	}
	promql_print_pretty(&b, p);
	promql_free(p);
	api_begin(x, &w);
	json_str(&w, buf_str(&b));
	api_end(&w, NULL, 0, NULL, 0);
	buf_fini(&b);
}

static void
parse_query(struct exchange *x)
{
	str query = httpd_param(x->q, "query");
	struct promql_expr *p;
	struct json_writer w;
	struct error e;

	p = promql_parse_with(query, x->s->o.features, x->q->arena, &e);
	if (p == NULL) {
		bad_param(x, "query", &e);
		return;
	}
	api_begin(x, &w);
	promql_print_tree(&w, p);
	api_end(&w, NULL, 0, NULL, 0);
	promql_free(p);
}

static const struct {
	const char *path;
	bool post; /* takes a form too */
	void (*fn)(struct exchange *x);
} endpoints[] = {
	{ "query", true, api_query },
	{ "query_range", true, api_query_range },
	{ "query_exemplars", true, exemplars },
	{ "format_query", true, format_query },
	{ "parse_query", true, parse_query },
	{ "labels", true, api_label_names },
	{ "series", true, api_series },
	{ "metadata", false, api_metadata },
	{ "rules", false, rules },
	{ "alerts", false, alerts },
	{ "status/buildinfo", false, buildinfo },
};

/* Pages of other origins may ask, without credentials. */
static void
allow_origins(struct exchange *x)
{
	if (httpd_header(x->q, "Origin").n == 0)
		return;
	exchange_header(x, "Access-Control-Allow-Origin", STR("*"));
	exchange_header(
	    x, "Access-Control-Allow-Methods", STR("GET, POST, OPTIONS"));
	exchange_header(x, "Access-Control-Allow-Headers",
	    STR("Accept, Authorization, Content-Type, Origin"));
	exchange_header(x, "Access-Control-Expose-Headers", STR("Date"));
	exchange_header(x, "Vary", STR("Origin"));
}

static void
call(struct exchange *x, bool post, void (*fn)(struct exchange *x))
{
	if (str_eq(x->q->method, STR("OPTIONS")))
		x->a->status = 204;
	else if (str_eq(x->q->method, STR("GET")) ||
	    (post && str_eq(x->q->method, STR("POST"))))
		fn(x);
	else {
		exchange_text(x, 405, "Method Not Allowed");
		exchange_header(x, "Allow",
		    post ? STR("GET, OPTIONS, POST") : STR("GET, OPTIONS"));
	}
}

void
api_handle(struct exchange *x)
{
	str path = str_skip(x->path, strlen("/api/v1/"));

	allow_origins(x);
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (str_eq(path, str_of(endpoints[i].path))) {
			call(x, endpoints[i].post, endpoints[i].fn);
			return;
		}
	if (str_starts(path, STR("label/")) &&
	    str_ends(str_skip(path, strlen("label/")), STR("/values")))
		call(x, false, api_label_values);
	else
		exchange_text(x, 404, "404 page not found");
}
