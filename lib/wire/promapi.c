/*
 * The client of the Prometheus HTTP API: asks, and reads the JSON answer into
 * columns.  Where to ask is read in promapi_load.c.
 */
#include "wire/promapi_impl.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/num.h"
#include "base/url.h"

#define TIMEOUT INT64_C(120000)

/* Seconds as JSON has them, to ms. */
static int
to_ms(const struct json_value *j, int64_t *t)
{
	if (j->kind != JSON_NUMBER || !(fabs(j->number) < 9e15))
		return -1;
	*t = llround(j->number * 1000);
	return 0;
}

/* [1637582400.123, "42"] */
static int
point(const struct json_value *j, int64_t *t, str *v, struct error *e)
{
	if (j == NULL || j->kind != JSON_ARRAY || j->n != 2 ||
	    to_ms(&j->v[0], t) == -1 || j->v[1].kind != JSON_STRING)
		return error_set(
		    e, "answer: a sample is not [time, \"value\"]");
	*v = j->v[1].string;
	return 0;
}

static int
sample(const struct json_value *j, int64_t *t, double *v, struct error *e)
{
	str s;

	if (point(j, t, &s, e) == -1)
		return -1;
	if (num_parse(s, v) == -1)
		return error_set(e, "answer: bad value '%.*s'",
		    (int)(s.n > 64 ? 64 : s.n), s.p);
	if (isnan(*v))
		*v = num_nan();
	return 0;
}

static int
metric(const struct json_value *j, struct arena *a, struct labels *out,
    struct error *e)
{
	struct label_set set = { 0 };
	int rc = -1;

	if (j == NULL || j->kind != JSON_OBJECT)
		return error_set(e, "answer: a series has no metric");
	for (size_t i = 0; i < j->n; i++) {
		if (j->v[i].kind != JSON_STRING) {
			(void)error_set(e, "answer: a label is no string");
			goto out;
		}
		label_set(&set, j->v[i].key, j->v[i].string);
	}
	*out = label_done(&set, a);
	rc = 0;
out:
	label_fini(&set);
	return rc;
}

/* [1637582400.123, {"count":...}] */
static int
histogram(const struct json_value *j, struct arena *a, int64_t *t,
    const struct histogram **out, struct error *e)
{
	struct histogram *h = arena_new(a, struct histogram);

	if (j->kind != JSON_ARRAY || j->n != 2 || to_ms(&j->v[0], t) == -1 ||
	    j->v[1].kind != JSON_OBJECT)
		return error_set(e, "answer: a histogram is not [time, {...}]");
	*out = h;
	return promapi_histogram(&j->v[1], a, h, e);
}

/* A list of points under key, or in a vector the only one. */
static int
points(const struct json_value *j, const char *key, bool matrix,
    const struct json_value **v, size_t *n, struct error *e)
{
	*v = json_find(j, key);
	*n = 0;
	if (*v == NULL)
		return 0;
	if ((*v)->kind != JSON_ARRAY)
		return error_set(e, "answer: a series has no values");
	*n = matrix ? (*v)->n : 1;
	*v = matrix ? (*v)->v : *v;
	return 0;
}

/* The histograms go between the floats that s has already, by time. */
static int
merge(struct promapi_series *s, const struct json_value *v, size_t n,
    struct arena *a, struct error *e)
{
	size_t floats = s->n, at = s->n + n;
	const struct histogram *h = NULL;
	int64_t t = 0;

	if (n == 0)
		return 0;
	s->h = arena_array(a, at, const struct histogram *);
	s->n = at;
	while (n > 0) {
		if (histogram(&v[n - 1], a, &t, &h, e) == -1)
			return -1;
		for (; floats > 0 && s->t[floats - 1] > t; floats--) {
			s->t[--at] = s->t[floats - 1];
			s->v[at] = s->v[floats - 1];
		}
		s->t[--at] = t;
		s->v[at] = 0;
		s->h[at] = h;
		n--;
	}
	return 0;
}

/* One series of a vector or a matrix. */
static int
series(const struct json_value *j, bool matrix, struct arena *a,
    struct promapi_answer *out, struct error *e)
{
	const struct json_value *v, *hv;
	struct promapi_series s = { .n = 0 };
	size_t nh;

	if (metric(json_find(j, "metric"), a, &s.labels, e) == -1 ||
	    points(j, matrix ? "values" : "value", matrix, &v, &s.n, e) == -1 ||
	    points(j, matrix ? "histograms" : "histogram", matrix, &hv, &nh,
		e) == -1)
		return -1;
	if (json_find(j, matrix ? "values" : "value") == NULL &&
	    json_find(j, matrix ? "histograms" : "histogram") == NULL)
		return error_set(e, "answer: a series has no values");
	s.t = arena_array(a, s.n + nh, int64_t);
	s.v = arena_array(a, s.n + nh, double);
	for (size_t i = 0; i < s.n; i++)
		if (sample(&v[i], &s.t[i], &s.v[i], e) == -1)
			return -1;
	if (merge(&s, hv, nh, a, e) == -1)
		return -1;
	for (size_t i = 1; i < s.n; i++)
		if (s.t[i] <= s.t[i - 1])
			return error_set(e, "answer: times do not rise");
	out->v[out->n++] = s;
	return 0;
}

static int
result(const struct json_value *data, struct arena *a,
    struct promapi_answer *out, struct error *e)
{
	static const char *const types[] = { "scalar", "string", "vector",
		"matrix" };
	const struct json_value *r = json_find(data, "result");
	str type = json_find_str(data, "resultType"), s;
	size_t i;

	for (i = 0; i < 4 && !str_eq(type, str_of(types[i])); i++)
		;
	if (i == 4 || r == NULL || r->kind != JSON_ARRAY)
		return error_set(e, "answer: no result of a known type");
	out->type = (enum promapi_type)i;
	if (out->type == PROMAPI_STRING) {
		if (point(r, &out->t, &s, e) == -1)
			return -1;
		out->string = arena_dup(a, s);
		return 0;
	}
	out->v = arena_array(a, r->n + 1, struct promapi_series);
	if (out->type == PROMAPI_SCALAR) {
		out->n = 1;
		out->v[0].n = 1;
		out->v[0].t = arena_new(a, int64_t);
		out->v[0].v = arena_new(a, double);
		if (sample(r, out->v[0].t, out->v[0].v, e) == -1)
			return -1;
		out->t = out->v[0].t[0];
		return 0;
	}
	for (i = 0; i < r->n; i++)
		if (series(&r->v[i], out->type == PROMAPI_MATRIX, a, out, e) ==
		    -1)
			return -1;
	return 0;
}

/* What the engine warns of. */
static void
warnings(
    const struct json_value *root, struct arena *a, struct promapi_answer *out)
{
	static const char *const lists[] = { "warnings", "infos" };
	const struct json_value *l;
	str *w;
	size_t n = 1;

	for (size_t k = 0; k < 2; k++)
		if ((l = json_find(root, lists[k])) != NULL &&
		    l->kind == JSON_ARRAY)
			n += l->n;
	w = arena_array(a, n, str);
	n = 0;
	for (size_t k = 0; k < 2; k++) {
		l = json_find(root, lists[k]);
		if (l == NULL || l->kind != JSON_ARRAY)
			continue;
		for (size_t i = 0; i < l->n; i++)
			if (l->v[i].kind == JSON_STRING)
				w[n++] = arena_dup(a, l->v[i].string);
	}
	out->warnings = w;
	out->nwarnings = n;
}

static int
parse(const struct json_value *root, struct arena *a,
    struct promapi_answer *out, struct error *e)
{
	str status = json_find_str(root, "status"), type, why;

	if (str_eq(status, STR("error"))) {
		type = json_find_str(root, "errorType");
		why = json_find_str(root, "error");
		out->refused = str_eq(type, STR("bad_data"));
		return error_set(e, "%.*s: %.*s", STR_ARG(type), STR_ARG(why));
	}
	if (!str_eq(status, STR("success")))
		return error_set(e, "answer: not of the Prometheus API");
	if (result(json_find(root, "data"), a, out, e) == -1)
		return -1;
	warnings(root, a, out);
	return 0;
}

int
promapi_parse(
    str body, struct arena *a, struct promapi_answer *out, struct error *e)
{
	const struct json_value *root;
	struct arena tree = { 0 };
	int rc;

	*out = (struct promapi_answer){ .type = PROMAPI_VECTOR };
	root = json_parse(&tree, body, e);
	rc = root == NULL ? error_add(e, "answer") : parse(root, a, out, e);
	arena_fini(&tree);
	return rc;
}

/* A value of a form, percent-encoded. */
static void
encode(struct buf *b, const char *name, str value)
{
	if (b->n > 0)
		buf_byte(b, '&');
	buf_z(b, name);
	buf_byte(b, '=');
	url_escape(b, value, "", false);
}

/* ms as seconds, exactly. */
static void
encode_time(struct buf *b, const char *name, int64_t ms)
{
	uint64_t m = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
	char text[40];

	(void)snprintf(text, sizeof(text), "%s%llu.%03llu", ms < 0 ? "-" : "",
	    (unsigned long long)(m / 1000), (unsigned long long)(m % 1000));
	encode(b, name, str_of(text));
}

/* What came back, kept beyond the callback. */
struct outcome {
	bool done, failed;
	int status;
	struct buf body; /* or the error's text */
};

static void
finished(void *arg, const struct fetch_answer *answer)
{
	struct outcome *o = arg;

	o->done = true;
	o->failed = answer->error != NULL;
	o->status = answer->status;
	if (o->failed)
		buf_z(&o->body, answer->error);
	else
		buf_add(&o->body, answer->body);
}

/* One request, waited for; in the end o says how it went. */
static int
exchange(struct fetch *f, const struct promapi_server *s, bool get,
    const char *path, str form, struct outcome *o, struct error *e)
{
	struct fetch_header h[9];
	struct fetch_request q = { .headers = h,
		.nheaders = s->nheaders,
		.timeout = s->timeout > 0 ? s->timeout : TIMEOUT,
		.auth = &s->auth,
		.done = finished,
		.arg = o };
	struct buf url = { 0 };
	str base = s->url;
	int rc = 0;

	memcpy(h, s->headers, s->nheaders * sizeof(*h));
	while (str_ends(base, STR("/")))
		base.n--;
	buf_add(&url, base);
	buf_z(&url, path);
	q.method = get ? "GET" : "POST";
	if (get) {
		buf_byte(&url, '?');
		buf_add(&url, form);
	} else {
		h[q.nheaders++] = (struct fetch_header){ STR("Content-Type"),
			STR("application/x-www-form-urlencoded") };
		q.body = form;
	}
	q.url = buf_str(&url);
	buf_reset(&o->body);
	o->done = false;
	if (fetch_add(f, &q, e) == -1)
		rc = -1;
	while (rc == 0 && !o->done)
		rc = fetch_step(f, NULL, 0, -1, e) == -1 ? -1 : 0;
	if (rc == 0 && o->failed)
		rc = error_set(e, "%s", buf_cstr(&o->body));
	buf_fini(&url);
	return rc;
}

/* Put the URL before a message, without a password in it. */
static void
name(str url, struct error *e)
{
	size_t slashes = str_find(url, STR("://")), at;
	str rest = str_skip(url, slashes + 3);

	at = str_chr(str_take(rest, str_chr(rest, '/')), '@');
	if (slashes < url.n && at < str_chr(rest, '/'))
		(void)error_add(e, "%.*s://%.*s", (int)slashes, url.p,
		    STR_ARG(str_skip(rest, at + 1)));
	else
		(void)error_add(e, "%.*s", STR_ARG(url));
}

int
promapi_query(struct fetch *f, const struct promapi_server *s, str expr,
    int64_t from, int64_t to, int64_t step, struct arena *a,
    struct promapi_answer *out, struct error *e)
{
	const char *path = step > 0 ? "/api/v1/query_range" : "/api/v1/query";
	struct outcome o = { 0 };
	struct buf form = { 0 };
	int rc;

	out->refused = false;
	encode(&form, "query", expr);
	if (step > 0) {
		encode_time(&form, "start", from);
		encode_time(&form, "end", to);
		encode_time(&form, "step", step);
	} else
		encode_time(&form, "time", to);
	if (s->params.n > 0) {
		buf_byte(&form, '&');
		buf_add(&form, s->params);
	}
	rc = exchange(f, s, s->get, path, buf_str(&form), &o, e);
	/* an engine behind a proxy may know GET alone */
	if (rc == 0 && !s->get && (o.status == 405 || o.status == 501))
		rc = exchange(f, s, true, path, buf_str(&form), &o, e);
	if (rc == 0)
		rc = promapi_parse(buf_str(&o.body), a, out, e);
	if (rc == -1 && o.done && !o.failed && o.status / 100 != 2 &&
	    strncmp(e->msg, "answer", 6) == 0)
		(void)error_set(e, "HTTP status %d", o.status);
	if (rc == -1)
		name(s->url, e);
	buf_fini(&form);
	buf_fini(&o.body);
	return rc;
}
