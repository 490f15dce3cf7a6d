/*
 * The API's endpoints about series, without their samples: label names, label
 * values, series, and the metadata of metrics.
 */
#include <stdlib.h>

#include "base/num.h"
#include "serve/api.h"

/* All of time, with room for arithmetic. */
#define TIME_MAX INT64_C(9007199254740991)

/* The match[] parameters of a request, each a list of matchers. */
struct selection {
	int64_t from, to;
	size_t limit;
	struct selector {
		struct match *m;
		size_t n;
	} * v;
	size_t n, cap;
};

static void
selection_fini(struct selection *sel)
{
	for (size_t i = 0; i < sel->n; i++)
		for (size_t j = 0; j < sel->v[i].n; j++)
			match_fini(&sel->v[i].m[j]);
}

static int
add_selector(struct exchange *x, struct selection *sel, str text)
{
	struct arena *a = x->q->arena;
	struct selector *s;
	struct error e;

	sel->v = arena_grow(a, sel->v, &sel->cap, sel->n + 1, sizeof(*sel->v));
	s = &sel->v[sel->n];
	if (promql_parse_matchers(text, a, &s->m, &s->n, &e) == -1) {
		/* Upstream names the parameter for series only. */
		api_fail(x, 400, "bad_data", "%s%s",
		    str_ends(x->path, STR("/series"))
			? "invalid parameter \"match[]\": "
			: "",
		    e.msg);
		return -1;
	}
	sel->n++;
	return 0;
}

/* -1: answered.  selection_fini() in either case. */
static int
read_selection(struct exchange *x, struct selection *sel)
{
	*sel = (struct selection){ .from = -TIME_MAX, .to = TIME_MAX };
	if (api_limit(x, &sel->limit) == -1 ||
	    api_time_param(x, "start", &sel->from) == -1 ||
	    api_time_param(x, "end", &sel->to) == -1)
		return -1;
	if (sel->to < sel->from) {
		api_fail(x, 400, "bad_data",
		    "invalid parameter \"end\": end timestamp must not be "
		    "before start time");
		return -1;
	}
	for (size_t i = 0; i < x->q->nparams; i++)
		if (str_eq(x->q->params[i].name, STR("match[]")) &&
		    add_selector(x, sel, x->q->params[i].value) == -1)
			return -1;
	return 0;
}

typedef void each_series(void *arg, struct labels ls);

static int
walk(const struct source *src, const struct selection *sel,
    const struct selector *s, each_series *fn, void *arg, struct error *e)
{
	struct source_query q = {
		.m = s ? s->m : NULL,
		.nm = s ? s->n : 0,
		.from = sel->from,
		.to = sel->to,
		.labels_only = true,
		.histograms = true,
	};
	struct source_cursor *c = source_open(src, &q, e);
	struct source_series found;
	int r;

	if (c == NULL)
		return -1;
	while ((r = source_next(src, c, &found, e)) == 1)
		fn(arg, found.labels);
	source_close(src, c);
	return r;
}

/* Every series of any of the selectors, some more than once; all if none. */
static int
walk_all(
    struct exchange *x, const struct selection *sel, each_series *fn, void *arg)
{
	const struct source *src = api_source(x);
	struct error e;
	int rc = 0;

	if (src == NULL)
		return -1;
	if (sel->n == 0)
		rc = walk(src, sel, NULL, fn, arg, &e);
	for (size_t i = 0; i < sel->n && rc == 0; i++)
		rc = walk(src, sel, &sel->v[i], fn, arg, &e);
	if (rc == -1)
		api_fail(x, 422, "execution", "%s", e.msg);
	return rc;
}

/* A set of strings, made as series come by. */
struct strings {
	struct arena *arena;
	struct map map;
	str name; /* whose values; empty: the names of labels */
};

static void
add_string(struct strings *s, str v)
{
	bool fresh;
	struct map_slot *slot;

	if (v.n == 0)
		return;
	slot = map_add(&s->map, v, &fresh);
	if (fresh)
		slot->key = arena_dup(s->arena, v);
}

static void
take_names(void *arg, struct labels ls)
{
	for (size_t i = 0; i < ls.n; i++)
		add_string(arg, ls.v[i].name);
}

static void
take_value(void *arg, struct labels ls)
{
	struct strings *s = arg;

	add_string(s, label_find(ls, s->name));
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* What limit leaves of n, and the warning if that is not all. */
static void
finish(struct json_writer *w, size_t n, size_t limit)
{
	static const str truncated = STR_INIT("results truncated due to limit");

	api_end(w, &truncated, limit && limit < n, NULL, 0);
}

static void
answer_strings(struct exchange *x, const struct strings *s, size_t limit)
{
	str *v = arena_array(s->arena, s->map.n + 1, str);
	size_t n = 0;
	struct json_writer w;

	for (struct map_slot *m = NULL; (m = map_next(&s->map, m)) != NULL;)
		v[n++] = m->key;
	qsort(v, n, sizeof(*v), by_bytes);
	api_begin(x, &w);
	json_open(&w, '[');
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		json_str(&w, v[i]);
	json_close(&w, ']');
	finish(&w, n, limit);
}

static void
strings_of(struct exchange *x, str name, each_series *fn)
{
	struct strings s = { .arena = x->q->arena, .name = name };
	struct selection sel;

	if (read_selection(x, &sel) == 0 && walk_all(x, &sel, fn, &s) == 0)
		answer_strings(x, &s, sel.limit);
	selection_fini(&sel);
	map_fini(&s.map);
}

void
api_label_names(struct exchange *x)
{
	strings_of(x, STR_NONE, take_names);
}

/* U__a_2e_b is how "a.b" is written in a path; false if it is not well so. */
static bool
unescape_name(struct arena *a, str s, str *out)
{
	struct buf b = { 0 };
	bool ok = true;

	*out = s;
	if (!str_starts(s, STR("U__")))
		return true;
	s = str_skip(s, 3);
	for (size_t i = 0; i < s.n && ok; i++) {
		uint32_t r = 0;
		size_t j = i + 1;
		char u[4];

		if (s.p[i] != '_') {
			buf_byte(&b, s.p[i]);
			continue;
		}
		if (j < s.n && s.p[j] == '_') {
			buf_byte(&b, '_');
			i = j;
			continue;
		}
		for (; j < s.n && s.p[j] != '_' && j - i <= 6; j++) {
			const char *hex = "0123456789abcdef";
			const char *at = strchr(hex, s.p[j] | 0x20);

			ok &= at != NULL && *at != '\0';
			r = r << 4 | (uint32_t)(ok ? at - hex : 0);
		}
		ok &= j < s.n && j > i + 1 && s.p[j] == '_' && r <= 0x10ffff;
		if (ok)
			buf_add(&b, (str){ u, str_encode(r, u) });
		i = j;
	}
	*out = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return ok;
}

void
api_label_values(struct exchange *x)
{
	str path = str_skip(x->path, strlen("/api/v1/label/"));
	str name = str_take(path, path.n - strlen("/values")), plain;

	if (!unescape_name(x->q->arena, name, &plain) || plain.n == 0 ||
	    !str_utf8(plain)) {
		api_fail(x, 400, "bad_data", "invalid label name: \"%.*s\"",
		    STR_ARG(name));
		return;
	}
	strings_of(x, plain, take_value);
}

struct sets {
	struct arena *arena;
	struct labels *v;
	size_t n, cap;
};

static void
take_set(void *arg, struct labels ls)
{
	struct sets *s = arg;

	s->v = arena_grow(s->arena, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = label_dup(s->arena, ls);
}

static int
by_labels(const void *a, const void *b)
{
	return label_cmp(*(const struct labels *)a, *(const struct labels *)b);
}

static void
answer_sets(struct exchange *x, struct sets *s, size_t limit)
{
	struct json_writer w;
	size_t n = 0;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_labels);
	for (size_t i = 0; i < s->n; i++)
		if (i == 0 || !label_eq(s->v[i], s->v[i - 1]))
			s->v[n++] = s->v[i];
	api_begin(x, &w);
	json_open(&w, '[');
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		label_json(&w, s->v[i]);
	json_close(&w, ']');
	finish(&w, n, limit);
}

void
api_series(struct exchange *x)
{
	struct sets s = { .arena = x->q->arena };
	struct selection sel;

	if (read_selection(x, &sel) == 0) {
		if (sel.n == 0)
			api_fail(x, 400, "bad_data",
			    "no match[] parameter provided");
		else if (walk_all(x, &sel, take_set, &s) == 0)
			answer_sets(x, &s, sel.limit);
	}
	selection_fini(&sel);
}

struct meta {
	str metric, type, help, unit;
};

struct metas {
	struct arena *arena;
	str metric; /* only this one; empty: all */
	struct meta *v;
	size_t n, cap;
};

static void
take_meta(void *arg, str metric, str type, str help, str unit)
{
	struct metas *s = arg;

	if (s->metric.n > 0 && !str_eq(metric, s->metric))
		return;
	s->v = arena_grow(s->arena, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct meta){ arena_dup(s->arena, metric),
		arena_dup(s->arena, type), arena_dup(s->arena, help),
		arena_dup(s->arena, unit) };
}

static int
by_meta(const void *a, const void *b)
{
	const struct meta *m = a, *n = b;
	int c = str_cmp(m->metric, n->metric);

	if (c == 0)
		c = str_cmp(m->type, n->type);
	if (c == 0)
		c = str_cmp(m->help, n->help);
	return c ? c : str_cmp(m->unit, n->unit);
}

static void
put_meta(struct json_writer *w, const struct meta *m)
{
	json_open(w, '{');
	json_key(w, STR("type"));
	json_str(w, m->type.n ? m->type : STR("unknown"));
	json_key(w, STR("help"));
	json_str(w, m->help);
	json_key(w, STR("unit"));
	json_str(w, m->unit);
	json_close(w, '}');
}

static void
answer_metas(struct exchange *x, struct metas *s, int64_t limit)
{
	struct json_writer w;
	int64_t metrics = 0;

	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_meta);
	api_begin(x, &w);
	json_open(&w, '{');
	for (size_t i = 0; i < s->n && (limit < 0 || metrics < limit);
	     metrics++) {
		str metric = s->v[i].metric;

		json_key(&w, metric);
		json_open(&w, '[');
		for (; i < s->n && str_eq(s->v[i].metric, metric); i++)
			if (i == 0 || by_meta(&s->v[i], &s->v[i - 1]) != 0)
				put_meta(&w, &s->v[i]);
		json_close(&w, ']');
	}
	json_close(&w, '}');
	api_end(&w, NULL, 0, NULL, 0);
}

void
api_metadata(struct exchange *x)
{
	struct metas s = { .arena = x->q->arena,
		.metric = httpd_param(x->q, "metric") };
	const struct source *src;
	int64_t limit = -1;
	struct error e;

	if (num_parse_int(httpd_param(x->q, "limit"), &limit) == -1 &&
	    httpd_param(x->q, "limit").n > 0) {
		api_fail(x, 400, "bad_data", "limit must be a number");
		return;
	}
	if ((src = api_source(x)) == NULL)
		return;
	if (src->ops->metadata != NULL &&
	    src->ops->metadata(src->self, take_meta, &s, &e) == -1)
		api_fail(x, 500, "internal", "%s", e.msg);
	else
		answer_metas(x, &s, limit);
}
