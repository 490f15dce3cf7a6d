/*
 * The functions that Prometheus's rules and Alertmanager's notifications have
 * alike, and those of Alertmanager that need nothing but their arguments:
 * text, regular expressions, time, lists, JSON.
 */
#include <stdlib.h>

#include "base/letter.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/quote.h"
#include "base/re.h"
#include "base/url.h"
#include "tmpl/node.h"

#define DEPTH_MAX 24

static int
keep(struct tmpl_run *r, struct buf *b, struct tmpl_value *out)
{
	*out = tmpl_string(arena_dup(r->arena, buf_str(b)));
	buf_fini(b);
	return 0;
}

static void
put_rune(struct buf *b, uint32_t r)
{
	char u[4];

	buf_add(b, (str){ u, str_encode(r, u) });
}

static int
map_runes(
    struct tmpl_run *r, str s, uint32_t (*fn)(uint32_t), struct tmpl_value *out)
{
	struct buf b = { 0 };
	size_t len;

	for (; s.n > 0; s = str_skip(s, len))
		put_rune(&b, fn(str_rune(s, &len)));
	return keep(r, &b, out);
}

static int
to_upper_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)n;
	(void)e;
	return map_runes(r, v[0].s, letter_upper, out);
}

static int
to_lower_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)n;
	(void)e;
	return map_runes(r, v[0].s, letter_lower, out);
}

static bool
word_rune(uint32_t c)
{
	return c == '_' || (c >= '0' && c <= '9') ||
	    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	    (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c != 0x2019 &&
		!(c >= 0x2000 && c < 0x2070) && c != 0xfffd);
}

/* Marks that do not end a word between two letters (Unicode's UAX 29). */
static bool
joins(uint32_t c)
{
	return c == '\'' || c == '.' || c == ':' || c == 0xb7 || c == 0x2019;
}

static int
title_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };
	bool inside = false;
	str s = v[0].s;
	size_t len, ahead;

	(void)n;
	(void)e;
	for (; s.n > 0; s = str_skip(s, len)) {
		uint32_t c = str_rune(s, &len);
		str rest = str_skip(s, len);

		if (word_rune(c)) {
			put_rune(
			    &b, inside ? letter_lower(c) : letter_upper(c));
			inside = true;
			continue;
		}
		put_rune(&b, c);
		inside = inside && joins(c) && rest.n > 0 &&
		    word_rune(str_rune(rest, &ahead));
	}
	return keep(r, &b, out);
}

static int
trim_space_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	str s = v[0].s;

	(void)r;
	(void)n;
	(void)e;
	while (s.n > 0 && strchr(" \t\n\v\f\r", s.p[0]) && s.p[0] != '\0')
		s = str_skip(s, 1);
	while (s.n > 0 && strchr(" \t\n\v\f\r", s.p[s.n - 1]) &&
	    s.p[s.n - 1] != '\0')
		s.n--;
	*out = tmpl_string(s);
	return 0;
}

static int
join_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_value list = tmpl_elems(r, v[1]);
	struct buf b = { 0 };
	int rc = 0;

	(void)n;
	for (size_t i = 0; i < list.list.n && rc == 0; i++) {
		if (i > 0)
			buf_add(&b, v[0].s);
		buf_add(&b, list.list.v[i].s);
		rc = tmpl_charge(r, v[0].s.n + list.list.v[i].s.n, e);
	}
	keep(r, &b, out);
	return rc;
}

static int
match_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct re *re = re_new(v[0].s, 0, e);

	(void)r;
	(void)n;
	if (re == NULL)
		return -1;
	*out = tmpl_bool(re_match(re, v[1].s));
	re_free(re);
	return 0;
}

static int
re_replace_all_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct re *re = re_new(v[0].s, 0, e);
	struct buf b = { 0 };
	int rc;

	(void)n;
	if (re == NULL)
		return error_add(e, "regexp: Compile(`%.*s`)",
		    STR_ARG(str_take(v[0].s, 200)));
	(void)re_replace(re, &b, v[2].s, v[1].s, TMPL_MAX_WORK);
	rc = tmpl_charge(r, b.n, e);
	keep(r, &b, out);
	re_free(re);
	return rc;
}

/* Text mode escapes nothing, so there is nothing to keep it from. */
static int
same_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)r;
	(void)n;
	(void)e;
	*out = v[0];
	return 0;
}

static int
url_unescape_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };
	str s = v[0].s;
	size_t at;

	(void)n;
	at = url_unescape(&b, s, true);
	if (at < s.n) {
		buf_reset(&b);
		quote_add(&b, str_take(str_skip(s, at), 3));
		error_set(e, "invalid URL escape %s", buf_cstr(&b));
		buf_fini(&b);
		return -1;
	}
	return keep(r, &b, out);
}

/* How deep a list of these is, so that printing one can't go too deep. */
static int
deeper(const struct tmpl_value *v, size_t n, unsigned *depth, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		unsigned d = v[i].kind == TMPL_LIST ? v[i].list.depth + 1
		    : v[i].kind == TMPL_MAP         ? v[i].map.depth + 1
						    : 0;

		*depth = d > *depth ? d : *depth;
	}
	return *depth > DEPTH_MAX ? error_set(e, "lists are nested too deeply")
				  : 0;
}

static int
list_of(struct tmpl_run *r, const struct tmpl_value *a, size_t na,
    const struct tmpl_value *v, size_t n, struct tmpl_value *out,
    struct error *e)
{
	struct tmpl_value *items;

	items = arena_array(r->arena, na + n, struct tmpl_value);
	if (na > 0)
		memcpy(items, a, na * sizeof(*items));
	if (n > 0)
		memcpy(items + na, v, n * sizeof(*items));
	*out = tmpl_list(items, na + n);
	return deeper(items, na + n, &out->list.depth, e);
}

static int
string_slice_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)list_of(r, NULL, 0, v, n, out, e);
	out->list.type = "[]string";
	return 0;
}

static int
list_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	return list_of(r, NULL, 0, v, n, out, e);
}

static int
append_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_value l = tmpl_elems(r, v[0]);

	if (l.kind != TMPL_LIST ||
	    strcmp(tmpl_type_name(l), "[]interface {}") != 0)
		return error_set(e,
		    "wrong type for value; expected "
		    "[]interface {}; got %s",
		    tmpl_type_name(v[0]));
	return list_of(r, l.list.v, l.list.n, v + 1, n - 1, out, e);
}

static int
by_key(const void *a, const void *b)
{
	return str_cmp(((const struct tmpl_pair *)a)->key,
	    ((const struct tmpl_pair *)b)->key);
}

static int
dict_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct tmpl_pair *p = arena_array(r->arena, n / 2, struct tmpl_pair);
	size_t have = 0, at;
	unsigned depth = 0;

	if (n % 2 != 0)
		return error_set(
		    e, "dict requires an even number of arguments");
	for (size_t i = 0; i < n; i += 2) {
		if (v[i].kind != TMPL_STRING)
			return error_set(e, "dict keys must be strings");
		for (at = 0; at < have; at++)
			if (str_eq(p[at].key, v[i].s))
				break;
		p[at] = (struct tmpl_pair){ v[i].s, v[i + 1] };
		have += at == have;
	}
	if (deeper(v, n, &depth, e) == -1)
		return -1;
	qsort(p, have, sizeof(*p), by_key);
	*out = (struct tmpl_value){ .kind = TMPL_MAP,
		.map = { p, have, NULL, depth } };
	return 0;
}

static int
to_json_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct json_writer w;
	struct buf b = { 0 };

	(void)n;
	(void)e;
	json_init(&w, &b, true);
	tmpl_json(&w, v[0]);
	return keep(r, &b, out);
}

static int
date_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };

	(void)n;
	(void)e;
	date_format(&b, v[1].time.ms, v[1].time.zone, v[0].s);
	return keep(r, &b, out);
}

const struct date_zone *
tmpl_zone(struct tmpl_run *r, str name, struct error *e)
{
	struct date_zone *z;
	size_t cap, names_cap;

	for (size_t i = 0; i < r->nzones; i++)
		if (str_eq(r->zone_names[i], name))
			return r->zones[i];
	z = date_zone_load(arena_cstr(r->arena, name), NULL, e);
	if (z == NULL)
		return NULL;
	cap = names_cap = r->nzones;
	r->zones = arena_grow(r->arena, r->zones, &cap, r->nzones + 1,
	    sizeof(struct date_zone *));
	r->zone_names = arena_grow(
	    r->arena, r->zone_names, &names_cap, r->nzones + 1, sizeof(str));
	r->zone_names[r->nzones] = name;
	r->zones[r->nzones++] = z;
	return z;
}

static int
tz_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)n;
	*out = v[1];
	if (v[0].s.n == 0 || str_eq(v[0].s, STR("UTC"))) {
		out->time.zone = NULL;
		return 0;
	}
	out->time.zone = tmpl_zone(r, v[0].s, e);
	if (out->time.zone == NULL)
		return error_set(e, "unknown time zone %.*s",
		    STR_ARG(str_take(v[0].s, 200)));
	return 0;
}

static int
now_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)v;
	(void)n;
	(void)e;
	*out = tmpl_time(tmpl_now(r), 0);
	return 0;
}

static int
since_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	(void)n;
	return tmpl_time_call(
	    r, tmpl_time(tmpl_now(r), 0), STR("Sub"), v, out, e);
}

int
tmpl_number(struct tmpl_value v, double *out, struct error *e)
{
	int64_t whole;

	switch (v.kind) {
	case TMPL_FLOAT:
		*out = v.f;
		return 0;
	case TMPL_INT:
		*out = (double)v.i;
		return 0;
	case TMPL_DUR:
		whole = v.i / 1000000000;
		*out = (double)whole + (double)(v.i % 1000000000) / 1e9;
		return 0;
	case TMPL_STRING:
		if (num_parse(v.s, out) == -1) {
			struct buf b = { 0 };

			quote_add(&b, str_take(v.s, 200));
			error_set(e,
			    "strconv.ParseFloat: parsing %s: invalid "
			    "syntax",
			    buf_cstr(&b));
			buf_fini(&b);
			return -1;
		}
		return 0;
	case TMPL_NIL:
	case TMPL_BOOL:
	case TMPL_LIST:
	case TMPL_MAP:
	case TMPL_OBJECT:
	case TMPL_TIME:
	case TMPL_MISSING:
		break;
	}
	return error_set(e, "can't convert %s to float", tmpl_type_name(v));
}

/* Seconds: "1h 1m 1s", "12.3ms". */
static void
humanize_duration(struct buf *b, double v)
{
	static const char *const small[] = { "m", "u", "n", "p", "f", "a", "z",
		"y" };
	const char *sign = v < 0 ? "-" : "";
	const char *prefix = "";
	long long s;

	if (v == 0) {
		buf_z(b, "0s");
		return;
	}
	if (isnan(v) || isinf(v)) {
		num_format(b, v, 'g', 4);
		return;
	}
	v = fabs(v);
	if (v >= 60) {
		s = v < 9.2e18 ? (long long)v : INT64_MAX;
		buf_z(b, sign);
		if (s >= 86400)
			buf_printf(b, "%lldd ", s / 86400);
		if (s >= 3600)
			buf_printf(b, "%lldh ", s / 3600 % 24);
		buf_printf(b, "%lldm %llds", s / 60 % 60, s % 60);
		return;
	}
	for (size_t i = 0; v < 1 && i < sizeof(small) / sizeof(small[0]); i++) {
		prefix = small[i];
		v *= 1000;
	}
	buf_z(b, sign);
	num_format(b, v, 'g', 4);
	buf_printf(b, "%ss", prefix);
}

static int
humanize_duration_fn(struct tmpl_run *r, const struct tmpl_value *v, size_t n,
    struct tmpl_value *out, struct error *e)
{
	struct buf b = { 0 };
	double d;

	(void)n;
	if (tmpl_number(v[0], &d, e) == -1)
		return -1;
	humanize_duration(&b, d);
	return keep(r, &b, out);
}

const struct tmpl_func tmpl_funcs[] = {
	{ "append", 1, -1, append_fn, NULL },
	{ "date", 2, 2, date_fn, "st" },
	{ "dict", 0, -1, dict_fn, NULL },
	{ "humanizeDuration", 1, 1, humanize_duration_fn, NULL },
	{ "join", 2, 2, join_fn, "sS" },
	{ "list", 0, -1, list_fn, NULL },
	{ "match", 2, 2, match_fn, "ss" },
	{ "now", 0, 0, now_fn, "" },
	{ "reReplaceAll", 3, 3, re_replace_all_fn, "sss" },
	{ "safeHtml", 1, 1, same_fn, "s" },
	{ "safeUrl", 1, 1, same_fn, "s" },
	{ "since", 1, 1, since_fn, "t" },
	{ "stringSlice", 0, -1, string_slice_fn, "s*" },
	{ "title", 1, 1, title_fn, "s" },
	{ "toJson", 1, 1, to_json_fn, NULL },
	{ "toLower", 1, 1, to_lower_fn, "s" },
	{ "toUpper", 1, 1, to_upper_fn, "s" },
	{ "trimSpace", 1, 1, trim_space_fn, "s" },
	{ "tz", 2, 2, tz_fn, "st" },
	{ "urlUnescape", 1, 1, url_unescape_fn, "s" },
	{ NULL, 0, 0, NULL, NULL },
};
