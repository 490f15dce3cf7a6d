/*
 * The instrumented application server: texts on routes, counters of the
 * requests to them, and the four metrics that echo's Prometheus middleware
 * keeps, with its buckets and labels.
 *
 * Host and path come from the client, so the number of series they can make is
 * bounded: past MAX_SERIES they count as "other".
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "serve/context.h"

#define MAX_SERIES 1000
#define MAX_VALUE 256 /* bytes of a host or a path as a label */
#define BUCKETS 12

struct target {
	str path, text;
};

struct counter {
	str name, help; /* ended by a NUL */
	const struct target **on;
	size_t non, cap;
	uint64_t count;
};

/* A histogram's bounds, as their text. */
static const char *const duration_bounds[] = { "0.005", "0.01", "0.025", "0.05",
	"0.1", "0.25", "0.5", "1", "2.5", "5", "10", NULL };
static const char *const size_bounds[] = { "1024", "2048", "5120", "10240",
	"102400", "512000", "1.048576e+06", "2.62144e+06", "5.24288e+06",
	"1.048576e+07", NULL };

enum {
	DURATION,
	REQUEST_SIZE,
	RESPONSE_SIZE,
	NHISTS,
};

static const struct {
	const char *name, *help;
	const char *const *bounds;
} hists[NHISTS] = {
	[DURATION] = { "echo_request_duration_seconds",
	    "Time taken to answer requests, in seconds.", duration_bounds },
	[REQUEST_SIZE] = { "echo_request_size_bytes",
	    "Size of requests, in bytes.", size_bounds },
	[RESPONSE_SIZE] = { "echo_response_size_bytes",
	    "Size of the answers' bodies, in bytes.", size_bounds },
};

struct measured {
	str key;           /* code, host, method and url, each ended by NUL */
	struct label v[4]; /* the same as labels */
	uint64_t count;
	uint64_t bucket[NHISTS][BUCKETS]; /* not cumulative */
	double sum[NHISTS];
};

struct app {
	const struct clock *clock;
	struct arena arena; /* everything below, for the app's life */
	struct target **targets;
	size_t ntargets, targets_cap;
	struct counter *counters;
	size_t ncounters, counters_cap;
	struct map series;
};

struct app *
app_new(const struct clock *clock)
{
	struct app *a = mem_zero(1, sizeof(*a));

	a->clock = clock;
	return a;
}

void
app_free(struct app *a)
{
	if (a == NULL)
		return;
	map_fini(&a->series);
	arena_fini(&a->arena);
	free(a);
}

bool
app_active(const struct app *a)
{
	return a->ntargets > 0;
}

static struct target *
find_target(const struct app *a, str path)
{
	for (size_t i = 0; i < a->ntargets; i++)
		if (str_eq(a->targets[i]->path, path))
			return a->targets[i];
	return NULL;
}

int
serve_route(struct serve *s, const char *spec, struct error *e)
{
	struct app *a = s->app;
	str text = str_of(spec);
	str path = str_cut(&text, '=');
	struct target *t;

	if (text.p == NULL || !str_starts(path, STR("/")))
		return error_set(e, "bad route '%s': must be /PATH=TEXT", spec);
	if (find_target(a, path) != NULL)
		return error_set(
		    e, "route '%.*s' is given twice", STR_ARG(path));
	if (str_eq(path, STR("/metrics")) || str_starts(path, STR("/-/")))
		return error_set(
		    e, "route '%.*s' is mf-serve's own", STR_ARG(path));
	t = arena_new(&a->arena, struct target);
	t->path = arena_dup(&a->arena, path);
	t->text = arena_dup(&a->arena, text);
	a->targets = arena_grow(&a->arena, a->targets, &a->targets_cap,
	    a->ntargets + 1, sizeof(*a->targets));
	a->targets[a->ntargets++] = t;
	return 0;
}

static struct counter *
add_counter(struct app *a, str name, str help)
{
	struct counter *c;

	for (size_t i = 0; i < a->ncounters; i++)
		if (str_eq(a->counters[i].name, name))
			return &a->counters[i];
	a->counters = arena_grow(&a->arena, a->counters, &a->counters_cap,
	    a->ncounters + 1, sizeof(*a->counters));
	c = &a->counters[a->ncounters++];
	*c = (struct counter){ .name = arena_dup(&a->arena, name),
		.help = arena_dup(&a->arena, help) };
	return c;
}

int
serve_counter(struct serve *s, const char *spec, struct error *e)
{
	struct app *a = s->app;
	str help = str_of(spec);
	str name = str_cut(&help, '=');
	str path = str_cut(&help, '=');
	const struct target *t;
	struct counter *c;

	if (!str_starts(path, STR("/")))
		return error_set(
		    e, "bad counter '%s': must be NAME=/PATH=HELP", spec);
	if (!label_metric_valid(name))
		return error_set(e, "bad metric name '%.*s'", STR_ARG(name));
	if (str_starts(name, STR("echo_")) ||
	    str_starts(name, STR("process_")) || str_starts(name, STR("mf_")))
		return error_set(
		    e, "metric '%.*s' would clash with our own", STR_ARG(name));
	if (!str_utf8(help))
		return error_set(
		    e, "the help of '%.*s' is not UTF-8", STR_ARG(name));
	if ((t = find_target(a, path)) == NULL)
		return error_set(e, "counter '%.*s': there is no route '%.*s'",
		    STR_ARG(name), STR_ARG(path));
	c = add_counter(a, name, help);
	if (c->non == 0 && help.p == NULL)
		return error_set(
		    e, "counter '%.*s' has no help", STR_ARG(name));
	c->on =
	    arena_grow(&a->arena, c->on, &c->cap, c->non + 1, sizeof(*c->on));
	c->on[c->non++] = t;
	return 0;
}

static void
add_key(struct buf *b, str s)
{
	buf_add(b, s);
	buf_byte(b, '\0');
}

static str
method_of(str s)
{
	static const char *const t[] = { "GET", "POST", "PUT", "PATCH",
		"DELETE", "OPTIONS", "CONNECT", "TRACE" };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (str_eq(s, str_of(t[i])))
			return s;
	return STR("other");
}

static str
value_of(str s)
{
	if (s.n > MAX_VALUE || !str_utf8(s) || memchr(s.p, '\0', s.n) != NULL)
		return STR("other");
	return s;
}

static struct measured *
find_series(struct app *a, const struct exchange *x, str url)
{
	struct buf b = { 0 };
	str host = httpd_header(x->q, "Host");
	struct map_slot *slot;
	struct measured *m;
	bool fresh;
	size_t n;

	host = host.n ? value_of(host) : host;
	url = value_of(url);
	if (a->series.n >= MAX_SERIES)
		host = url = STR("other");
	num_print_int(&b, x->a->status);
	n = b.n;
	buf_byte(&b, '\0');
	add_key(&b, host);
	add_key(&b, method_of(x->q->method));
	add_key(&b, url);
	slot = map_add(&a->series, buf_str(&b), &fresh);
	if (fresh) {
		m = arena_new(&a->arena, struct measured);
		m->key = arena_dup(&a->arena, buf_str(&b));
		m->v[0] = (struct label){ STR("code"), str_take(m->key, n) };
		host.p = m->key.p + n + 1;
		m->v[1] = (struct label){ STR("host"), host };
		m->v[2] = (struct label){ STR("method"),
			str_of(host.p + host.n + 1) };
		m->v[3] = (struct label){ STR("url"),
			str_of(m->v[2].value.p + m->v[2].value.n + 1) };
		slot->key = m->key;
		slot->v.p = m;
	}
	buf_fini(&b);
	return slot->v.p;
}

static void
observe(struct measured *m, int h, double v)
{
	size_t i = 0;
	double bound;

	while (hists[h].bounds[i] != NULL &&
	    num_parse(str_of(hists[h].bounds[i]), &bound) == 0 && v > bound)
		i++;
	m->bucket[h][i]++;
	m->sum[h] += v;
}

/* Near what went over the wire: request line, headers and body. */
static size_t
request_size(const struct exchange *x)
{
	const struct httpd_request *q = x->q;
	size_t n = q->path.n + q->method.n + strlen("HTTP/1.1") + q->body.n;

	for (size_t i = 0; i < q->nheaders; i++)
		n += q->headers[i].name.n + q->headers[i].value.n;
	return n;
}

static void
measure(struct app *a, struct exchange *x, str url, int64_t start)
{
	struct measured *m = find_series(a, x, url);
	int64_t end = a->clock->mono(a->clock->arg);

	m->count++;
	observe(m, DURATION, (double)(end - start) / 1e9);
	observe(m, REQUEST_SIZE, (double)request_size(x));
	observe(m, RESPONSE_SIZE, (double)x->a->body.n);
}

static void
fail(struct exchange *x, int status, const char *message)
{
	x->a->status = status;
	x->a->content_type = "application/json; charset=UTF-8";
	buf_printf(&x->a->body, "{\"message\":\"%s\"}\n", message);
}

bool
app_handle(struct app *a, struct exchange *x)
{
	int64_t start = a->clock->mono(a->clock->arg);
	const struct target *t = find_target(a, x->path);

	if (t == NULL)
		return false;
	if (str_eq(x->q->method, STR("GET"))) {
		x->a->content_type = "text/plain; charset=UTF-8";
		buf_add(&x->a->body, t->text);
		buf_byte(&x->a->body, '\n');
		for (size_t i = 0; i < a->ncounters; i++)
			for (size_t j = 0; j < a->counters[i].non; j++)
				if (a->counters[i].on[j] == t)
					a->counters[i].count++;
	} else
		fail(x, 405, "Method Not Allowed");
	measure(a, x, t->path, start);
	return true;
}

void
app_missing(struct app *a, struct exchange *x)
{
	int64_t start = a->clock->mono(a->clock->arg);

	fail(x, 404, "Not Found");
	measure(a, x, x->path, start);
}

static int
by_key(const void *a, const void *b)
{
	const struct measured *const *m = a, *const *n = b;

	return str_cmp((*m)->key, (*n)->key);
}

static void
print_hist(struct buf *b, const struct measured *m, int h)
{
	char name[64];
	struct label v[5] = { m->v[0], m->v[1], { STR("le"), STR_NONE },
		m->v[2], m->v[3] };
	uint64_t sum = 0;

	snprintf(name, sizeof(name), "%s_bucket", hists[h].name);
	for (size_t i = 0; i < BUCKETS; i++) {
		const char *bound = hists[h].bounds[i];

		sum += m->bucket[h][i];
		v[2].value = str_of(bound ? bound : "+Inf");
		expose_value(b, name, v, 5, (double)sum);
		if (bound == NULL)
			break;
	}
	snprintf(name, sizeof(name), "%s_sum", hists[h].name);
	expose_value(b, name, m->v, 4, m->sum[h]);
	snprintf(name, sizeof(name), "%s_count", hists[h].name);
	expose_value(b, name, m->v, 4, (double)m->count);
}

void
app_print(struct app *a, struct buf *b)
{
	struct measured **v = mem_zero(a->series.n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < a->ncounters; i++) {
		const char *name = a->counters[i].name.p;

		expose_family(b, name, "counter", a->counters[i].help.p);
		expose_value(b, name, NULL, 0, (double)a->counters[i].count);
	}
	for (struct map_slot *s = NULL; (s = map_next(&a->series, s)) != NULL;)
		v[n++] = s->v.p;
	qsort(v, n, sizeof(*v), by_key);
	if (n > 0)
		expose_family(b, "echo_requests_total", "counter",
		    "Requests answered, by status, host, method and URL.");
	for (size_t i = 0; i < n; i++)
		expose_value(
		    b, "echo_requests_total", v[i]->v, 4, (double)v[i]->count);
	for (int h = 0; h < NHISTS && n > 0; h++) {
		expose_family(b, hists[h].name, "histogram", hists[h].help);
		for (size_t i = 0; i < n; i++)
			print_hist(b, v[i], h);
	}
	free(v);
}
