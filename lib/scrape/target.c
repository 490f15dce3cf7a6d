/*
 * Targets: the labels of a static_config put together in upstream's order, and
 * the URL they make.  Labels beginning with "__" say how to scrape and are not
 * put on samples.
 */
#include <stdlib.h>

#include "base/dur.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/url.h"
#include "scrape/job.h"

/* What scrape_load() and scrape_new() make; callers see its first member. */
struct all {
	struct scrape_set pub;
	struct arena a;
	size_t cap, warnings_cap;
	struct map by_text;
	uint64_t seed;
	struct scrape_job *operands;
};

#define HIDDEN STR("__")

struct scrape_set *
scrape_new(void)
{
	struct all *s = mem_zero(1, sizeof(*s));

	return &s->pub;
}

void
scrape_free(struct scrape_set *pub)
{
	struct all *s = (struct all *)pub;

	if (s == NULL)
		return;
	map_fini(&s->by_text);
	arena_fini(&s->a);
	free(s);
}

static void
param(struct buf *b, str key, str value)
{
	buf_byte(b, memchr(b->p, '?', b->n) == NULL ? '?' : '&');
	url_escape(b, key, "", true);
	buf_byte(b, '=');
	url_escape(b, value, "", true);
}

/* The values of one parameter, the first of which a label may replace. */
static void
param_values(struct buf *b, const struct conf_node *n, str first)
{
	for (size_t i = 0; i < n->n; i++)
		param(b, n->key, i == 0 ? first : n->v[i]->value);
}

/* params and the __param_ labels beside them, by name. */
static void
query(struct buf *b, const struct scrape_job *j, struct labels all)
{
	const str prefix = STR("__param_");

	for (size_t i = 0; i < all.n; i++) {
		str key = str_skip(all.v[i].name, prefix.n);
		const struct conf_node *n = NULL;

		if (!str_starts(all.v[i].name, prefix))
			continue;
		for (size_t k = 0; j->params != NULL && k < j->params->n; k++)
			if (str_eq(j->params->v[k]->key, key))
				n = j->params->v[k];
		if (n != NULL)
			param_values(b, n, all.v[i].value);
		else
			param(b, key, all.v[i].value);
	}
}

static str
make_url(struct arena *a, const struct scrape_job *j, struct labels all)
{
	str path = label_find(all, STR("__metrics_path__"));
	struct buf b = { 0 };
	str url;

	buf_add(&b, label_find(all, STR("__scheme__")));
	buf_z(&b, "://");
	buf_add(&b, label_find(all, STR("__address__")));
	if (!str_starts(path, STR("/")))
		buf_byte(&b, '/');
	url_escape(&b, path, "/$&+,:;=@", false);
	query(&b, j, all);
	url = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return url;
}

/* Labels that samples get: without "__", and with an instance. */
static struct labels
visible(struct arena *a, struct labels all)
{
	struct label_set set = { 0 };
	struct labels ls;

	for (size_t i = 0; i < all.n; i++)
		if (!str_starts(all.v[i].name, HIDDEN))
			label_set(&set, all.v[i].name, all.v[i].value);
	if (label_get(&set, STR("instance")).n == 0)
		label_set(
		    &set, STR("instance"), label_find(all, STR("__address__")));
	ls = label_done(&set, a);
	label_fini(&set);
	return ls;
}

static str
print(struct arena *a, struct labels ls)
{
	struct buf b = { 0 };
	str s;

	label_print_set(&b, ls);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
add_warning(struct all *s, const struct error *e)
{
	s->pub.warnings = arena_grow(&s->a, s->pub.warnings, &s->warnings_cap,
	    s->pub.nwarnings + 1, sizeof(*s->pub.warnings));
	s->pub.warnings[s->pub.nwarnings++] = arena_dup(&s->a, str_of(e->msg));
}

/*
 * A target whose labels are complete goes into the set; the same target twice
 * is one.  0, or -1 with the message if another URL has just these labels.
 */
static int
add(struct all *s, struct scrape_job *j, struct labels all, str url,
    int64_t interval, int64_t timeout, struct error *e)
{
	struct scrape_target *t = arena_new(&s->a, struct scrape_target);
	const struct scrape_target *old;
	struct map_slot *slot;
	bool fresh;

	t->all = all;
	t->labels = visible(&s->a, all);
	t->text = print(&s->a, t->labels);
	t->job = j;
	t->url = url;
	t->interval = interval;
	t->timeout = timeout;
	t->offset = (int64_t)((label_hash(all) ^ str_hash(url) ^ s->seed) %
	    (uint64_t)interval);
	slot = map_add(&s->by_text, t->text, &fresh);
	if (!fresh) {
		old = slot->v.p;
		if (str_eq(old->url, url))
			return 0;
		return error_set(e,
		    "two targets have the labels %.*s; only %.*s is scraped",
		    STR_ARG(t->text), STR_ARG(old->url));
	}
	slot->v.p = t;
	j->ntargets++;
	s->pub.v = arena_grow(&s->a, s->pub.v, &s->cap, s->pub.n + 1,
	    sizeof(struct scrape_target *));
	s->pub.v[s->pub.n++] = t;
	return 0;
}

static void
set_default(struct label_set *set, str name, str value)
{
	if (label_get(set, name).n == 0)
		label_set(set, name, value);
}

static str
dur_text(struct arena *a, int64_t ms)
{
	struct buf b = { 0 };
	str s;

	dur_print(&b, ms);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

/* Labels of the group first, then what the job says where they are silent. */
static struct labels
assemble(struct arena *a, const struct scrape_job *j, str address,
    const struct conf_node *labels)
{
	struct label_set set = { 0 };
	struct labels all;

	for (size_t i = 0; labels != NULL && i < labels->n; i++)
		label_set(&set, labels->v[i]->key, labels->v[i]->value);
	label_set(&set, STR("__address__"), address);
	set_default(&set, STR("job"), j->name);
	set_default(&set, STR("__scrape_interval__"), dur_text(a, j->interval));
	set_default(&set, STR("__scrape_timeout__"), dur_text(a, j->timeout));
	set_default(&set, STR("__metrics_path__"), j->metrics_path);
	set_default(&set, STR("__scheme__"), j->scheme);
	for (size_t i = 0; j->params != NULL && i < j->params->n; i++)
		if (j->params->v[i]->n > 0)
			set_default(&set,
			    arena_printf(a, "__param_%.*s",
				STR_ARG(j->params->v[i]->key)),
			    j->params->v[i]->v[0]->value);
	all = label_done(&set, a);
	label_fini(&set);
	return all;
}

/* A duration label, which a group may have set to anything. */
static int
dur_label(struct labels all, str name, int64_t *ms, struct error *e)
{
	struct error why;

	if (dur_parse(label_find(all, name), ms, &why) == -1)
		return error_set(e, "label %.*s: %s", STR_ARG(name), why.msg);
	if (*ms == 0)
		return error_set(e, "label %.*s must not be 0", STR_ARG(name));
	return 0;
}

static int
add_static(struct all *s, struct scrape_job *j, const struct conf_node *n,
    const struct conf_node *labels, struct error *e)
{
	struct labels all;
	int64_t interval, timeout;
	struct error why;
	str scheme;

	if (n->kind != CONF_SCALAR || n->value.n == 0)
		return conf_error(n, e, "a target must be HOST:PORT");
	if (str_chr(n->value, '/') < n->value.n || !str_utf8(n->value))
		return conf_error(n, e, "\"%.*s\" is not a valid hostname",
		    STR_ARG(n->value));
	all = assemble(&s->a, j, n->value, labels);
	scheme = label_find(all, STR("__scheme__"));
	if (dur_label(all, STR("__scrape_interval__"), &interval, &why) == -1 ||
	    dur_label(all, STR("__scrape_timeout__"), &timeout, &why) == -1)
		return conf_error(n, e, "%s", why.msg);
	if (timeout > interval)
		return conf_error(n, e,
		    "scrape timeout cannot be greater than scrape interval");
	if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https")))
		return conf_error(
		    n, e, "unsupported scheme \"%.*s\"", STR_ARG(scheme));
	if (add(s, j, all, make_url(&s->a, j, all), interval, timeout, &why) ==
	    -1) {
		conf_error(n, e, "%s", why.msg);
		add_warning(s, e);
	}
	return 0;
}

static int
check_labels(const struct conf_node *labels, struct error *e)
{
	str v;

	if (labels == NULL || labels->kind == CONF_NULL)
		return 0;
	if (labels->kind != CONF_MAP)
		return conf_error(labels, e, "labels: expected a map");
	for (size_t i = 0; i < labels->n; i++) {
		const struct conf_node *n = labels->v[i];

		if (conf_str(n, &v, e) == -1)
			return -1;
		if (n->key.n == 0 || !str_utf8(n->key) || !str_utf8(v))
			return conf_error_key(n, e,
			    "\"%.*s\" is not a valid label", STR_ARG(n->key));
	}
	return 0;
}

struct group {
	const struct conf_node *targets, *labels;
};

static int
add_group(struct all *s, struct scrape_job *j, const struct conf_node *n,
    struct error *e)
{
	static const struct conf_field fields[] = {
		{ "targets", CONF_T_NODE, offsetof(struct group, targets),
		    false },
		{ "labels", CONF_T_NODE, offsetof(struct group, labels),
		    false },
	};
	struct group g = { 0 };

	if (n->kind != CONF_MAP)
		return conf_error(
		    n, e, "empty or null section in static_configs");
	if (conf_read(n, fields, 2, &g, e) == -1 ||
	    check_labels(g.labels, e) == -1)
		return -1;
	if (g.targets != NULL && g.targets->kind != CONF_LIST)
		return conf_error(g.targets, e, "targets: expected a list");
	for (size_t i = 0; g.targets != NULL && i < g.targets->n; i++)
		if (add_static(s, j, g.targets->v[i], g.labels, e) == -1)
			return -1;
	return 0;
}

static int
check_params(const struct conf_node *n, struct error *e)
{
	if (n == NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(n, e, "params: expected a map");
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->v[i];

		if (v->kind != CONF_LIST && v->kind != CONF_NULL)
			return conf_error(
			    v, e, "params: expected a list of values");
		for (size_t k = 0; k < v->n; k++)
			if (v->v[k]->kind != CONF_SCALAR)
				return conf_error(
				    v->v[k], e, "params: expected text");
	}
	return 0;
}

static int
add_job(struct all *s, const struct promconf *p, const struct conf_node *n,
    struct error *e)
{
	struct scrape_job *j = arena_new(&s->a, struct scrape_job);
	const struct conf_node *statics = NULL;

	if (scrape_job_load(j, &statics, n, &p->global, &s->a, e) == -1 ||
	    check_params(j->params, e) == -1)
		return -1;
	if (statics != NULL && statics->kind != CONF_LIST)
		return conf_error(
		    statics, e, "static_configs: expected a list");
	for (size_t i = 0; statics != NULL && i < statics->n; i++)
		if (add_group(s, j, statics->v[i], e) == -1)
			return -1;
	return 0;
}

struct scrape_set *
scrape_load(struct promconf *p, uint64_t seed, struct error *e)
{
	struct scrape_set *pub = scrape_new();
	struct all *s = (struct all *)pub;
	const struct conf_node *const *v;
	struct buf b = { 0 };
	size_t n;

	label_print_set(&b, p->external_labels);
	s->seed = seed ^ str_hash(buf_str(&b));
	buf_fini(&b);
	if (scrape_job_global(p, e) == -1 ||
	    promconf_scrapes(p, &v, &n, e) == -1)
		goto fail;
	for (size_t i = 0; i < n; i++)
		if (add_job(s, p, v[i], e) == -1)
			goto fail;
	return pub;
fail:
	scrape_free(pub);
	return NULL;
}

/* Where an operand's page is, and the name of its instance. */
static int
operand(struct arena *a, str s, str *url, str *instance, struct error *e)
{
	str rest = s;
	size_t n;

	if (s.n == 0 || memchr(s.p, '\0', s.n) != NULL || !str_utf8(s))
		return error_set(e, "an operand must be a URL");
	if (str_starts(s, STR("file:")) || str_starts(s, STR("unix:")) ||
	    str_starts(s, STR("exec:"))) {
		rest = str_skip(s, 5);
		if (rest.n == 0)
			return error_set(e, "'%.*s': what?", STR_ARG(s));
		*url = *instance = arena_dup(a, s);
		n = str_chr(rest, ':');
		if (s.p[0] == 'u') {
			*instance = str_take(*instance, n + 5);
			if (n == rest.n)
				*url = arena_printf(
				    a, "%.*s:/metrics", STR_ARG(s));
		}
		return 0;
	}
	n = str_find(s, STR("://"));
	if (n == s.n) {
		s = arena_printf(a, "http://%.*s", STR_ARG(s));
		n = 4;
	} else if (!str_eq(str_take(s, n), STR("http")) &&
	    !str_eq(str_take(s, n), STR("https"))) {
		return error_set(e, "'%.*s': unsupported scheme", STR_ARG(s));
	}
	rest = str_skip(s, n + 3);
	n = 0;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	*instance = arena_dup(a, str_take(rest, n));
	rest = *instance;
	while (rest.p != NULL) /* without user and password */
		*instance = str_cut(&rest, '@');
	if (instance->n == 0)
		return error_set(e, "'%.*s': no host", STR_ARG(s));
	rest = str_skip(s, str_find(s, STR("://")) + 3 + n);
	*url = rest.n > 0 && rest.p[0] == '/'
	    ? arena_dup(a, s)
	    : arena_printf(a, "%.*s/metrics%.*s", (int)(s.n - rest.n), s.p,
		  STR_ARG(rest));
	return 0;
}

int
scrape_add(struct scrape_set *pub, str arg, int64_t interval, struct error *e)
{
	struct all *s = (struct all *)pub;
	struct label_set set = { 0 };
	str url, instance;
	int rc;

	if (operand(&s->a, arg, &url, &instance, e) == -1)
		return -1;
	if (s->operands == NULL) {
		s->operands = arena_new(&s->a, struct scrape_job);
		scrape_job_default(s->operands, &s->a);
		s->operands->name = STR("mf-scrape");
		s->operands->operand = true;
	}
	label_set(&set, STR("__address__"), instance);
	label_set(&set, STR("job"), s->operands->name);
	rc = add(s, s->operands, label_done(&set, &s->a), url, interval,
	    interval < 10000 ? interval : 10000, e);
	label_fini(&set);
	return rc;
}

void
scrape_set_interval(struct scrape_set *s, int64_t interval)
{
	for (size_t i = 0; i < s->n; i++) {
		struct scrape_target *t = s->v[i];

		t->offset %= interval;
		t->interval = interval;
		if (t->timeout > interval)
			t->timeout = interval;
	}
}

int64_t
scrape_due(const struct scrape_target *t, int64_t from)
{
	int64_t past = (from - t->offset) % t->interval;

	if (past < 0)
		past += t->interval;
	return past == 0 ? from : from - past + t->interval;
}
