/*
 * The template functions that only Prometheus has: queries, numbers for
 * people, links.  A number may come as text, as upstream.
 */
#include <math.h>

#include "base/dur.h"
#include "base/num.h"
#include "base/url.h"
#include "rule/expand.h"

#define FN(name)                                                               \
	static int name(struct tmpl_run *r, const struct tmpl_value *v,        \
	    size_t n, struct tmpl_value *out, struct error *e)

/* b's text as a string of the run; b is used up. */
static int
keep(struct tmpl_run *r, struct buf *b, struct tmpl_value *out)
{
	*out = tmpl_string(arena_dup(tmpl_arena(r), buf_str(b)));
	buf_fini(b);
	return 0;
}

/* A sample of query(). */
struct sample {
	struct labels labels;
	double value;
};

static int
sample_field(struct tmpl_run *r, const void *self, str name,
    const struct tmpl_value *args, size_t nargs, struct tmpl_value *out,
    struct error *e)
{
	const struct sample *s = self;

	(void)args;
	(void)nargs;
	(void)e;
	if (str_eq(name, STR("Labels")))
		*out = rule_label_map(tmpl_arena(r), s->labels);
	else if (str_eq(name, STR("Value")))
		*out = tmpl_float(s->value);
	else
		return 0;
	return 1;
}

static void
sample_print(const void *self, struct buf *b)
{
	const struct sample *s = self;

	buf_z(b, "{map[");
	for (size_t i = 0; i < s->labels.n; i++)
		buf_printf(b, "%s%.*s:%.*s", i > 0 ? " " : "",
		    STR_ARG(s->labels.v[i].name),
		    STR_ARG(s->labels.v[i].value));
	buf_z(b, "] ");
	num_format(b, s->value, 'g', -1);
	buf_byte(b, '}');
}

static const struct tmpl_type sample_type = {
	.type = "*template.sample",
	.field = sample_field,
	.print = sample_print,
};

static struct tmpl_value
sample_new(struct arena *a, struct labels ls, double v)
{
	struct sample *s = arena_new(a, struct sample);

	s->labels = label_dup(a, ls);
	s->value = v;
	return tmpl_object(a, &sample_type, s);
}

/* The sample v is, or NULL and the message. */
static const struct sample *
to_sample(struct tmpl_value v, struct error *e)
{
	if (v.kind == TMPL_OBJECT && v.obj->type == &sample_type)
		return v.obj->self;
	error_set(e, "wrong type for value; expected *template.sample; got %s",
	    tmpl_type_name(v));
	return NULL;
}

/* The result of an expression as a list of samples. */
static struct tmpl_value
samples_of(struct arena *a, const struct promql_result *res)
{
	size_t n = res->type == PROMQL_VECTOR ? res->n : 1;
	struct tmpl_value *v = arena_array(a, n + 1, struct tmpl_value), list;

	for (size_t i = 0; i < n && res->type == PROMQL_VECTOR; i++)
		v[i] = sample_new(a, res->v[i].labels, res->v[i].v[0]);
	if (res->type == PROMQL_SCALAR)
		v[0] = sample_new(a, (struct labels){ 0 }, res->scalar);
	list = tmpl_list(v, n);
	list.list.type = "template.queryResult";
	return list;
}

FN(query_fn)
{
	const struct rule_round *round =
	    ((const struct rule_user *)tmpl_user(r))->round;
	struct arena *a = tmpl_arena(r);
	struct promql_opts o = { .from = round->t,
		.to = round->t,
		.subquery_step = round->engine->set->opts.interval };
	struct promql_result res = { 0 };
	struct promql_expr *x =
	    promql_parse_with(v[0].s, round->engine->set->opts.features, a, e);
	int rc;

	(void)n;
	if (x == NULL)
		return -1;
	rc = promql_eval(x, round->src, &o, a, &res, e);
	if (rc == 0 && res.type != PROMQL_VECTOR && res.type != PROMQL_SCALAR)
		rc = error_set(e, "rule result is not a vector or scalar");
	if (rc == 0)
		*out = samples_of(a, &res);
	promql_free(x);
	return rc;
}

FN(first_fn)
{
	(void)r;
	(void)n;
	if (v[0].kind != TMPL_LIST || v[0].list.n == 0)
		return error_set(
		    e, "first() called on vector with no elements");
	*out = v[0].list.v[0];
	return 0;
}

FN(label_fn)
{
	const struct sample *s = to_sample(v[1], e);

	(void)r;
	(void)n;
	if (s == NULL)
		return -1;
	*out = tmpl_string(label_find(s->labels, v[0].s));
	return 0;
}

FN(value_fn)
{
	const struct sample *s = to_sample(v[0], e);

	(void)r;
	(void)n;
	if (s == NULL)
		return -1;
	*out = tmpl_float(s->value);
	return 0;
}

FN(strvalue_fn)
{
	const struct sample *s = to_sample(v[0], e);

	(void)r;
	(void)n;
	if (s == NULL)
		return -1;
	*out = tmpl_string(label_find(s->labels, STR("__value__")));
	return 0;
}

/* Sorted by insertion into a copy: stable, and vectors here are small. */
FN(sort_by_label_fn)
{
	struct tmpl_value *list;
	size_t k, len;

	(void)n;
	if (v[1].kind != TMPL_LIST)
		return error_set(e, "can't sort %s", tmpl_type_name(v[1]));
	len = v[1].list.n;
	if (tmpl_charge(r, len * len / 4 + len * sizeof(*list), e) == -1)
		return -1;
	list = arena_array(tmpl_arena(r), len + 1, struct tmpl_value);
	for (size_t i = 0; i < len; i++) {
		const struct sample *s = to_sample(v[1].list.v[i], e);
		const struct sample *prev;

		if (s == NULL)
			return -1;
		for (k = i; k > 0; k--) {
			prev = list[k - 1].obj->self;
			if (str_cmp(label_find(prev->labels, v[0].s),
				label_find(s->labels, v[0].s)) <= 0)
				break;
			list[k] = list[k - 1];
		}
		list[k] = v[1].list.v[i];
	}
	*out = v[1];
	out->list.v = list;
	return 0;
}

static int
scaled(struct tmpl_run *r, double v, const char *prefix, struct tmpl_value *out)
{
	struct buf b = { 0 };

	num_format(&b, v, 'g', 4);
	buf_z(&b, prefix);
	return keep(r, &b, out);
}

FN(humanize_fn)
{
	static const char *const large[] = { "k", "M", "G", "T", "P", "E", "Z",
		"Y" };
	static const char *const small[] = { "m", "u", "n", "p", "f", "a", "z",
		"y" };
	const char *prefix = "";
	double d;

	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	if (d == 0 || !isfinite(d))
		return scaled(r, d, "", out);
	for (size_t i = 0; fabs(d) >= 1000 && i < 8; i++) {
		prefix = large[i];
		d /= 1000;
	}
	for (size_t i = 0; fabs(d) < 1 && i < 8; i++) {
		prefix = small[i];
		d *= 1000;
	}
	return scaled(r, d, prefix, out);
}

FN(humanize1024_fn)
{
	static const char *const large[] = { "ki", "Mi", "Gi", "Ti", "Pi", "Ei",
		"Zi", "Yi" };
	const char *prefix = "";
	double d;

	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	for (size_t i = 0; isfinite(d) && fabs(d) >= 1024 && i < 8; i++) {
		prefix = large[i];
		d /= 1024;
	}
	return scaled(r, d, prefix, out);
}

FN(humanize_percentage_fn)
{
	double d;

	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	return scaled(r, d * 100, "%", out);
}

/* Seconds since 1970 as a time, if they are such. */
static int
to_time(double d, struct tmpl_value *out, struct error *e)
{
	double ms = floor(d * 1000);

	if (!(fabs(ms) < 9e18))
		return error_set(e, "%g cannot be represented as a time", d);
	*out = tmpl_time((int64_t)ms, (int32_t)((d * 1000 - ms) * 1e6));
	return 0;
}

FN(humanize_timestamp_fn)
{
	struct buf b = { 0 };
	struct tmpl_value t;
	double d;

	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	if (!isfinite(d))
		return scaled(r, d, "", out);
	if (to_time(d, &t, e) == -1)
		return -1;
	tmpl_print(&b, t);
	return keep(r, &b, out);
}

FN(to_time_fn)
{
	double d;

	(void)r;
	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	return to_time(d, out, e);
}

FN(to_duration_fn)
{
	double d;

	(void)r;
	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	if (!(fabs(d * 1e9) < 9.2e18))
		return error_set(
		    e, "%g cannot be represented as a duration", d);
	*out = tmpl_dur((int64_t)(d * 1e9));
	return 0;
}

FN(now_fn)
{
	const struct rule_user *u = tmpl_user(r);

	(void)v;
	(void)n;
	(void)e;
	*out = tmpl_float((double)u->round->t / 1000);
	return 0;
}

FN(parse_duration_fn)
{
	int64_t ms;

	(void)r;
	(void)n;
	if (dur_parse_signed(v[0].s, &ms, e) == -1)
		return -1;
	*out = tmpl_float((double)ms / 1000);
	return 0;
}

/* A word's first letter upper, the others as they are. */
FN(title_fn)
{
	const struct tmpl_func *upper = tmpl_funcs;
	struct buf b = { 0 };
	str s = v[0].s;
	bool inside = false;

	(void)n;
	while (strcmp(upper->name, "toUpper") != 0)
		upper++;
	while (s.n > 0) {
		size_t len;
		uint32_t c = str_rune(s, &len);
		struct tmpl_value one = tmpl_string(str_take(s, len));
		bool letter = c >= 0x80 || c == '_' || c == '\'' ||
		    (c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		if (letter && !inside && upper->fn(r, &one, 1, &one, e) == -1) {
			buf_fini(&b);
			return -1;
		}
		buf_add(&b, one.s);
		inside = letter;
		s = str_skip(s, len);
	}
	return keep(r, &b, out);
}

/* "host:80" and "[::1]:80" without port and brackets; else as it is. */
static str
host_of(str s)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != ':')
		i--;
	if (i == 0)
		return s;
	if (s.p[0] == '[')
		return i >= 3 && s.p[i - 2] == ']'
		    ? str_skip(str_take(s, i - 2), 1)
		    : s;
	return str_chr(s, ':') == i - 1 ? str_take(s, i - 1) : s;
}

FN(strip_port_fn)
{
	(void)r;
	(void)n;
	(void)e;
	*out = tmpl_string(host_of(v[0].s));
	return 0;
}

/* "a.example.org:80" to "a:80"; addresses stay as they are. */
FN(strip_domain_fn)
{
	str s = v[0].s, host = host_of(s);
	size_t dot = str_chr(host, '.');
	struct buf b = { 0 };
	bool address = str_chr(host, ':') < host.n;

	(void)n;
	(void)e;
	for (size_t i = 0; !address && i <= host.n; i++)
		if (i == host.n ||
		    !((host.p[i] >= '0' && host.p[i] <= '9') ||
			host.p[i] == '.')) {
			address = i == host.n && host.n > 0;
			break;
		}
	if (address) {
		*out = tmpl_string(s);
		return 0;
	}
	buf_add(&b, str_take(host, dot));
	buf_add(&b, str_skip(s, host.n));
	return keep(r, &b, out);
}

FN(url_query_escape_fn)
{
	struct buf b = { 0 };

	(void)n;
	(void)e;
	url_escape(&b, v[0].s, "", true);
	return keep(r, &b, out);
}

static int
link_to(struct tmpl_run *r, str expr, const char *tab, struct tmpl_value *out)
{
	struct buf b = { 0 };

	buf_z(&b, "/graph?g0.expr=");
	url_escape(&b, expr, "", true);
	buf_printf(&b, "&g0.tab=%s", tab);
	return keep(r, &b, out);
}

FN(graph_link_fn)
{
	(void)n;
	(void)e;
	return link_to(r, v[0].s, "0", out);
}

FN(table_link_fn)
{
	(void)n;
	(void)e;
	return link_to(r, v[0].s, "1", out);
}

static str
external_url(struct tmpl_run *r)
{
	const struct rule_user *u = tmpl_user(r);

	return u->round->engine->set->opts.external_url;
}

FN(external_url_fn)
{
	(void)v;
	(void)n;
	(void)e;
	*out = tmpl_string(external_url(r));
	return 0;
}

FN(path_prefix_fn)
{
	str url = external_url(r);
	size_t at = str_find(url, STR("://"));

	(void)v;
	(void)n;
	(void)e;
	url = str_skip(url, at < url.n ? at + 3 : 0);
	*out = tmpl_string(str_skip(url, str_chr(url, '/')));
	return 0;
}

/* Arguments of a template under arg0, arg1, ... */
FN(args_fn)
{
	struct arena *a = tmpl_arena(r);
	struct tmpl_pair *p = arena_array(a, n + 1, struct tmpl_pair);
	struct tmpl_value m = { .kind = TMPL_MAP };

	(void)e;
	for (size_t i = 0; i < n; i++) {
		struct tmpl_pair one = { arena_printf(a, "arg%zu", i), v[i] };
		size_t k = i;

		/* in order of the keys: arg10 is before arg2 */
		for (; k > 0 && str_cmp(p[k - 1].key, one.key) > 0; k--)
			p[k] = p[k - 1];
		p[k] = one;
	}
	m.map.v = p;
	m.map.n = n;
	*out = m;
	return 0;
}

const struct tmpl_func rule_funcs[] = {
	{ "args", 0, 100, args_fn, NULL },
	{ "externalURL", 0, 0, external_url_fn, "" },
	{ "first", 1, 1, first_fn, NULL },
	{ "graphLink", 1, 1, graph_link_fn, "s" },
	{ "humanize", 1, 1, humanize_fn, NULL },
	{ "humanize1024", 1, 1, humanize1024_fn, NULL },
	{ "humanizePercentage", 1, 1, humanize_percentage_fn, NULL },
	{ "humanizeTimestamp", 1, 1, humanize_timestamp_fn, NULL },
	{ "label", 2, 2, label_fn, "sv" },
	{ "now", 0, 0, now_fn, "" },
	{ "parseDuration", 1, 1, parse_duration_fn, "s" },
	{ "pathPrefix", 0, 0, path_prefix_fn, "" },
	{ "query", 1, 1, query_fn, "s" },
	{ "sortByLabel", 2, 2, sort_by_label_fn, "sv" },
	{ "stripDomain", 1, 1, strip_domain_fn, "s" },
	{ "stripPort", 1, 1, strip_port_fn, "s" },
	{ "strvalue", 1, 1, strvalue_fn, NULL },
	{ "tableLink", 1, 1, table_link_fn, "s" },
	{ "title", 1, 1, title_fn, "s" },
	{ "toDuration", 1, 1, to_duration_fn, NULL },
	{ "toTime", 1, 1, to_time_fn, NULL },
	{ "urlQueryEscape", 1, 1, url_query_escape_fn, "s" },
	{ "value", 1, 1, value_fn, NULL },
	{ NULL, 0, 0, NULL, NULL },
};
