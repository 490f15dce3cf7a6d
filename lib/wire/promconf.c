/*
 * prometheus.yml, read once for all tools.  Sections that no tool of ours uses
 * yet are still held against their list of keys, so that a misspelt one is
 * found here as it is upstream.
 */
#include "wire/promconf.h"

#include <fnmatch.h>
#include <glob.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "wire/promconf_sections.h"

/* What promconf_load() makes; callers see its first member. */
struct all {
	struct promconf pub;
	struct arena a;
	struct conf_opts o;
	str *warnings;
	size_t warnings_cap;
	struct promconf_rule_file *rules;
	size_t nrules, rules_cap;
	bool rules_done;
	struct conf **files; /* of scrape_config_files */
	size_t nfiles, files_cap;
	const struct conf_node **scrapes;
	size_t nscrapes, scrapes_cap;
	bool scrapes_done;
	struct promconf **joined; /* whose scrapes are ours, too */
	size_t njoined, joined_cap;
};

struct top {
	const struct conf_node *global, *runtime, *alerting, *rule_files;
	const struct conf_node *scrape_config_files, *scrape_configs, *storage;
	const struct conf_node *tracing, *remote_write, *remote_read, *otlp;
};

#define FIELD(type, name, kind)                                                \
	{                                                                      \
#name, kind, offsetof(type, name), false                       \
	}
#define TOP(name) FIELD(struct top, name, CONF_T_NODE)
#define NFIELDS(f) (sizeof(f) / sizeof(*(f)))

static const struct conf_field top_fields[] = {
	TOP(global),
	TOP(runtime),
	TOP(alerting),
	TOP(rule_files),
	TOP(scrape_config_files),
	TOP(scrape_configs),
	TOP(storage),
	TOP(tracing),
	TOP(remote_write),
	TOP(remote_read),
	TOP(otlp),
};

struct global {
	struct promconf_global g;
	const struct conf_node *external_labels;
};

#define GLOBAL(name, kind)                                                     \
	{                                                                      \
#name, kind, offsetof(struct global, g.name), false            \
	}

static const struct conf_field global_fields[] = {
	GLOBAL(scrape_interval, CONF_T_DUR),
	GLOBAL(scrape_timeout, CONF_T_DUR),
	GLOBAL(evaluation_interval, CONF_T_DUR),
	GLOBAL(rule_query_offset, CONF_T_DUR),
	GLOBAL(body_size_limit, CONF_T_SIZE),
	GLOBAL(sample_limit, CONF_T_INT),
	GLOBAL(target_limit, CONF_T_INT),
	GLOBAL(label_limit, CONF_T_INT),
	GLOBAL(label_name_length_limit, CONF_T_INT),
	GLOBAL(label_value_length_limit, CONF_T_INT),
	GLOBAL(keep_dropped_targets, CONF_T_INT),
	GLOBAL(scrape_failure_log_file, CONF_T_STR),
	GLOBAL(query_log_file, CONF_T_STR),
	GLOBAL(metric_name_validation_scheme, CONF_T_STR),
	GLOBAL(metric_name_escaping_scheme, CONF_T_STR),
	GLOBAL(extra_scrape_metrics, CONF_T_BOOL),
	GLOBAL(scrape_protocols, CONF_T_NODE),
	GLOBAL(scrape_native_histograms, CONF_T_NODE),
	GLOBAL(convert_classic_histograms_to_nhcb, CONF_T_NODE),
	GLOBAL(always_scrape_classic_histograms, CONF_T_NODE),
	{ "external_labels", CONF_T_NODE,
	    offsetof(struct global, external_labels), false },
};

/* The length of the name after a '$', as Go's os.Expand finds it. */
static size_t
shell_name(str s, str *name)
{
	size_t i = 0;

	*name = STR_NONE;
	if (s.n > 0 && s.p[0] == '{') {
		i = str_chr(s, '}');
		if (i == s.n)
			return 1;
		*name = (str){ s.p + 1, i - 1 };
		return i + 1;
	}
	if (s.n > 0 && s.p[0] != '_' && strchr("*#$@!?-0123456789", s.p[0])) {
		*name = str_take(s, 1);
		return 1;
	}
	while (i < s.n &&
	    (s.p[i] == '_' || (s.p[i] >= '0' && s.p[i] <= '9') ||
		((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z')))
		i++;
	*name = str_take(s, i);
	return i;
}

static void
add_warning(struct all *p, const struct error *e)
{
	p->warnings = arena_grow(&p->a, p->warnings, &p->warnings_cap,
	    p->pub.nwarnings + 1, sizeof(*p->warnings));
	p->warnings[p->pub.nwarnings++] = arena_dup(&p->a, str_of(e->msg));
	p->pub.warnings = p->warnings;
}

/* Add the value of one name; what is not set is empty, and told. */
static int
expand_name(struct all *p, const struct conf_node *n, str name, struct buf *b,
    struct error *e)
{
	const char *z = NULL;

	if (str_eq(name, STR("$"))) {
		buf_byte(b, '$');
		return 0;
	}
	if (p->o.env != NULL && memchr(name.p, '\0', name.n) == NULL)
		z = p->o.env(arena_cstr(&p->a, name));
	if (z != NULL && z[0] != '\0') {
		buf_z(b, z);
		return 0;
	}
	if (z == NULL && !(name.p[0] >= '0' && name.p[0] <= '9') &&
	    (p->o.env_on || conf_key(p->pub.conf).n > 0))
		return conf_error(n, e,
		    "nothing fills '${%.*s}': use --set '%.*s=VALUE' or the "
		    "environment",
		    STR_ARG(name), STR_ARG(name));
	conf_error(n, e, "external label \"%.*s\": $%.*s is not set",
	    STR_ARG(n->key), STR_ARG(name));
	add_warning(p, e);
	return 0;
}

/* $NAME and ${NAME} in an external label, as os.Expand does it. */
static int
expand(
    struct all *p, const struct conf_node *n, str s, str *out, struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	for (size_t i = 0; i < s.n && rc == 0; i++) {
		size_t w = 0;
		str name = STR_NONE;

		if (s.p[i] != '$' || i + 1 == s.n) {
			buf_byte(&b, s.p[i]);
			continue;
		}
		w = shell_name(str_skip(s, i + 1), &name);
		if (name.n > 0)
			rc = expand_name(p, n, name, &b, e);
		else if (w == 0)
			buf_byte(&b, '$');
		i += w;
	}
	*out = arena_dup(&p->a, buf_str(&b));
	buf_fini(&b);
	return rc;
}

static int
external_labels(struct all *p, const struct conf_node *map, struct error *e)
{
	bool legacy =
	    str_eq(p->pub.global.metric_name_validation_scheme, STR("legacy"));
	struct label_set set = { 0 };
	int rc = -1;
	str v;

	if (map == NULL || map->kind == CONF_NULL)
		return 0;
	if (map->kind != CONF_MAP)
		return conf_error(map, e, "external_labels: expected a map");
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		if (n->key.n == 0 || !str_utf8(n->key) ||
		    (legacy && !label_name_valid(n->key))) {
			conf_error_key(n, e,
			    "\"%.*s\" is not a valid label name",
			    STR_ARG(n->key));
			goto out;
		}
		if (conf_str(n, &v, e) == -1 || expand(p, n, v, &v, e) == -1)
			goto out;
		if (!str_utf8(v)) {
			conf_error(n, e, "\"%.*s\" is not a valid label value",
			    STR_ARG(v));
			goto out;
		}
		label_set(&set, n->key, v);
	}
	p->pub.external_labels = label_done(&set, &p->a);
	rc = 0;
out:
	label_fini(&set);
	return rc;
}

static bool
one_of(str s, const char *const *names)
{
	for (; *names != NULL; names++)
		if (str_eq(s, str_of(*names)))
			return true;
	return s.n == 0;
}

static int
global_check(
    const struct promconf_global *g, const struct conf_node *n, struct error *e)
{
	static const char *const valid[] = { "utf8", "legacy", NULL };
	static const char *const escape[] = { "allow-utf-8", "underscores",
		"dots", "values", NULL };
	const int64_t limits[] = { g->sample_limit, g->target_limit,
		g->label_limit, g->label_name_length_limit,
		g->label_value_length_limit, g->keep_dropped_targets };

	if (g->scrape_timeout > g->scrape_interval)
		return conf_error(
		    n, e, "global scrape timeout greater than scrape interval");
	if (!one_of(g->metric_name_validation_scheme, valid))
		return conf_error(n, e,
		    "unknown global name validation method specified, must be "
		    "either 'legacy' or 'utf8'");
	if (!one_of(g->metric_name_escaping_scheme, escape))
		return conf_error(n, e,
		    "unknown global name escaping method specified, must be "
		    "one of 'allow-utf-8', 'underscores', 'dots', or 'values'");
	if (str_eq(g->metric_name_validation_scheme, STR("legacy")) &&
	    str_eq(g->metric_name_escaping_scheme, STR("allow-utf-8")))
		return conf_error(n, e,
		    "metric_name_escaping_scheme cannot be 'allow-utf-8' when "
		    "metric_name_validation_scheme is 'legacy'");
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i] < 0)
			return conf_error(n, e, "a limit must not be negative");
	return 0;
}

static int
global(struct all *p, const struct conf_node *n, struct error *e)
{
	struct global g = { 0 };
	struct promconf_global *q = &g.g;

	if (n != NULL &&
	    conf_read(n, global_fields, NFIELDS(global_fields), &g, e) == -1)
		return -1;
	if (q->scrape_interval == 0)
		q->scrape_interval = 60000;
	if (q->scrape_timeout == 0)
		q->scrape_timeout =
		    q->scrape_interval < 10000 ? q->scrape_interval : 10000;
	if (q->evaluation_interval == 0)
		q->evaluation_interval = 60000;
	if (n != NULL && global_check(q, n, e) == -1)
		return -1;
	p->pub.global = *q;
	return external_labels(p, g.external_labels, e);
}

/* The rest of one is read by who sends to it. */
static int
alertmanager(const struct conf_node *n, struct error *e)
{
	static const char *const lists[] = { "relabel_configs",
		"alert_relabel_configs" };
	const struct conf_node *const *v;
	size_t len;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (promconf_sections_list(conf_find(n, lists[i]), CONF_MAP,
			"relabeling rule", &v, &len, e) == -1)
			return -1;
	return 0;
}

static int
alerting(struct all *p, const struct conf_node *n, struct error *e)
{
	static const char *const keys[] = { "alert_relabel_configs",
		"alertmanagers", NULL };
	const struct conf_node *const *v, *relabel;
	size_t len;

	if (promconf_sections_keys(n, keys, false, e) == -1)
		return -1;
	relabel = conf_find(n, "alert_relabel_configs");
	if (promconf_sections_list(
		relabel, CONF_MAP, "alert relabeling rule", &v, &len, e) == -1)
		return -1;
	if (len > 0)
		p->pub.alert_relabel_configs = relabel;
	if (promconf_sections_list(conf_find(n, "alertmanagers"), CONF_MAP,
		"alertmanager config", &p->pub.alertmanagers,
		&p->pub.nalertmanagers, e) == -1)
		return -1;
	for (size_t i = 0; i < p->pub.nalertmanagers; i++)
		if (alertmanager(p->pub.alertmanagers[i], e) == -1)
			return -1;
	return 0;
}

/* Patterns: at most one '*', in the last component. */
static int
patterns(const struct conf_node *n, const char *what,
    const struct conf_node *const **v, size_t *len, struct error *e)
{
	if (promconf_sections_list(n, CONF_SCALAR, what, v, len, e) == -1)
		return -1;
	for (size_t i = 0; i < *len; i++) {
		str s = (*v)[i]->value, tail;

		tail = str_skip(s, str_chr(s, '*') + 1);
		if (s.n == 0 || str_chr(tail, '*') < tail.n ||
		    str_chr(tail, '/') < tail.n)
			return conf_error((*v)[i], e,
			    "invalid %s path \"%.*s\"", what, STR_ARG(s));
	}
	return 0;
}

/* A job's name: there, and not seen before. */
static int
job(const struct conf_node *n, struct map *seen, struct error *e)
{
	const struct conf_node *name = conf_find(n, "job_name");
	bool fresh;

	if (name == NULL || name->kind != CONF_SCALAR || name->value.n == 0)
		return conf_error(n, e, "job_name is empty");
	(void)map_add(seen, name->value, &fresh);
	if (!fresh)
		return conf_error(name, e,
		    "found multiple scrape configs with job name \"%.*s\"",
		    STR_ARG(name->value));
	return 0;
}

static int
jobs(const struct conf_node *const *v, size_t n, struct map *seen,
    struct error *e)
{
	for (size_t i = 0; i < n; i++)
		if (job(v[i], seen, e) == -1)
			return -1;
	return 0;
}

static int
own_jobs(struct all *p, const struct conf_node *n, struct error *e)
{
	struct map seen = { 0 };
	int rc = promconf_sections_list(n, CONF_MAP, "scrape config section",
	    &p->pub.scrape_configs, &p->pub.nscrape_configs, e);

	if (rc == 0)
		rc = jobs(
		    p->pub.scrape_configs, p->pub.nscrape_configs, &seen, e);
	map_fini(&seen);
	return rc;
}

static int
load(struct all *p, const char *path, struct error *e)
{
	const struct conf_node *root, *const *v;
	struct top t = { 0 };
	size_t n;

	if ((p->pub.conf = conf_load(path, &p->o, e)) == NULL)
		return -1;
	root = conf_root(p->pub.conf);
	if (conf_is_manifest(p->pub.conf))
		return conf_error(root, e,
		    "a manifest: say which of its keys is meant, as %s:KEY",
		    path);
	if (conf_read(root, top_fields, NFIELDS(top_fields), &t, e) == -1 ||
	    global(p, t.global, e) == -1 || alerting(p, t.alerting, e) == -1 ||
	    patterns(t.rule_files, "rule file", &p->pub.rule_patterns,
		&p->pub.nrule_patterns, e) == -1 ||
	    patterns(t.scrape_config_files, "scrape config file", &v, &n, e) ==
		-1 ||
	    own_jobs(p, t.scrape_configs, e) == -1 ||
	    promconf_sections_check(root,
		str_eq(
		    p->pub.global.metric_name_validation_scheme, STR("legacy")),
		e) == -1)
		return -1;
	return 0;
}

struct promconf *
promconf_load(const char *path, const struct conf_opts *o, struct error *e)
{
	struct all *p = mem_zero(1, sizeof(*p));

	if (o != NULL)
		p->o = *o;
	if (load(p, path, e) == 0)
		return &p->pub;
	promconf_free(&p->pub);
	return NULL;
}

void
promconf_free(struct promconf *pub)
{
	struct all *p = (struct all *)pub;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nrules; i++)
		conf_free(p->rules[i].conf);
	for (size_t i = 0; i < p->nfiles; i++)
		conf_free(p->files[i]);
	for (size_t i = 0; i < p->njoined; i++)
		promconf_free(p->joined[i]);
	conf_free(p->pub.conf);
	arena_fini(&p->a);
	free(p);
}

/* Paths a pattern stands for. */
struct paths {
	str *v;
	size_t n, cap;
};

static void
path_add(struct all *p, struct paths *x, str path)
{
	x->v = arena_grow(&p->a, x->v, &x->cap, x->n + 1, sizeof(*x->v));
	x->v[x->n++] = path;
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* Keys of the manifest that the last component of a pattern matches. */
static int
match_keys(struct all *p, str pattern, struct paths *x, struct error *e)
{
	str part = pattern, rest = pattern;
	const str *keys;
	size_t n;
	char *last;

	while (rest.p != NULL)
		part = str_cut(&rest, '/');
	last = arena_cstr(&p->a, part);
	if (conf_keys(p->pub.conf, &keys, &n, e) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (fnmatch(last, arena_cstr(&p->a, keys[i]), 0) == 0)
			path_add(p, x,
			    arena_printf(&p->a, "%.*s%.*s",
				(int)(pattern.n - part.n), pattern.p,
				STR_ARG(keys[i])));
	return 0;
}

/* Files a pattern matches, relative to the configuration's directory. */
static void
match_files(struct all *p, str pattern, struct paths *x)
{
	str name = conf_name(p->pub.conf), rest = name, part = name;
	struct buf b = { 0 };
	size_t dir;
	glob_t g;

	while (rest.p != NULL)
		part = str_cut(&rest, '/');
	dir = pattern.p[0] == '/' ? 0 : name.n - part.n;
	/* What is in front of the pattern is no pattern. */
	for (size_t i = 0; i < dir; i++) {
		if (strchr("*?[\\", name.p[i]) != NULL)
			buf_byte(&b, '\\');
		buf_byte(&b, name.p[i]);
	}
	buf_add(&b, pattern);
	if (glob(buf_cstr(&b), GLOB_PERIOD | GLOB_NOSORT, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			path_add(p, x,
			    str_skip(
				arena_dup(&p->a, str_of(g.gl_pathv[i])), dir));
		globfree(&g);
	}
	buf_fini(&b);
}

/* The paths of one pattern, in bytewise order. */
static int
resolve(
    struct all *p, const struct conf_node *n, struct paths *x, struct error *e)
{
	*x = (struct paths){ 0 };
	if (match_keys(p, n->value, x, e) == -1)
		return -1;
	if (x->n == 0)
		match_files(p, n->value, x);
	if (x->n == 0 && str_chr(n->value, '*') == n->value.n)
		return conf_error(n, e,
		    "\"%.*s\" does not point to an existing file",
		    STR_ARG(n->value));
	if (x->n > 1)
		qsort(x->v, x->n, sizeof(*x->v), by_bytes);
	return 0;
}

static int
load_rules(struct all *p, const struct conf_node *n, struct error *e)
{
	struct paths x;
	struct conf *c;

	if (resolve(p, n, &x, e) == -1)
		return -1;
	for (size_t i = 0; i < x.n; i++) {
		if ((c = conf_load_from(p->pub.conf, x.v[i], e)) == NULL)
			return -1;
		p->rules = arena_grow(&p->a, p->rules, &p->rules_cap,
		    p->nrules + 1, sizeof(*p->rules));
		p->rules[p->nrules++] = (struct promconf_rule_file){
			.path = conf_key(c).n > 0 ? x.v[i] : conf_name(c),
			.conf = c,
		};
	}
	return 0;
}

int
promconf_rules(struct promconf *pub, const struct promconf_rule_file **v,
    size_t *n, struct error *e)
{
	struct all *p = (struct all *)pub;

	while (p->nrules > 0 && !p->rules_done)
		conf_free(p->rules[--p->nrules].conf);
	for (size_t i = 0; !p->rules_done && i < pub->nrule_patterns; i++)
		if (load_rules(p, pub->rule_patterns[i], e) == -1)
			return -1;
	p->rules_done = true;
	*v = p->rules;
	*n = p->nrules;
	return 0;
}

static void
scrapes_add(struct all *p, const struct conf_node *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p->scrapes = arena_grow(&p->a, p->scrapes, &p->scrapes_cap,
		    p->nscrapes + 1, sizeof(*p->scrapes));
		p->scrapes[p->nscrapes++] = v[i];
	}
}

static int
load_scrapes(struct all *p, const struct conf_node *pattern, struct map *seen,
    struct error *e)
{
	static const char *const keys[] = { "scrape_configs", NULL };
	const struct conf_node *const *v, *root;
	struct paths x;
	size_t n;
	struct conf *c;

	/* Upstream passes over one that is not there. */
	if (resolve(p, pattern, &x, e) == -1) {
		add_warning(p, e);
		return 0;
	}
	for (size_t i = 0; i < x.n; i++) {
		if ((c = conf_load_from(p->pub.conf, x.v[i], e)) == NULL)
			return -1;
		p->files = arena_grow(&p->a, p->files, &p->files_cap,
		    p->nfiles + 1, sizeof(*p->files));
		p->files[p->nfiles++] = c;
		root = conf_root(c);
		if (promconf_sections_keys(root, keys, false, e) == -1 ||
		    promconf_sections_list(conf_find(root, "scrape_configs"),
			CONF_MAP, "scrape config section", &v, &n, e) == -1 ||
		    jobs(v, n, seen, e) == -1)
			return -1;
		scrapes_add(p, v, n);
	}
	return 0;
}

void
promconf_join(struct promconf *pub, struct promconf *other)
{
	struct all *p = (struct all *)pub;

	p->joined = arena_grow(&p->a, p->joined, &p->joined_cap, p->njoined + 1,
	    sizeof(*p->joined));
	p->joined[p->njoined++] = other;
	p->scrapes_done = false;
}

void
promconf_warn(struct promconf *pub, const char *text)
{
	struct error e;

	error_set(&e, "%s", text);
	add_warning((struct all *)pub, &e);
}

/* The scrape_configs of a joined one, its warnings too. */
static int
join_scrapes(struct all *p, struct promconf *other, struct map *seen,
    struct error *e)
{
	const struct conf_node *const *v;
	struct error w;
	size_t n;

	if (promconf_scrapes(other, &v, &n, e) == -1 ||
	    jobs(v, n, seen, e) == -1)
		return -1;
	for (size_t i = 0; i < other->nwarnings; i++) {
		error_set(&w, "%.*s", STR_ARG(other->warnings[i]));
		add_warning(p, &w);
	}
	scrapes_add(p, v, n);
	return 0;
}

int
promconf_scrapes(struct promconf *pub, const struct conf_node *const **v,
    size_t *n, struct error *e)
{
	struct all *p = (struct all *)pub;
	const struct conf_node *files =
	    conf_find(conf_root(pub->conf), "scrape_config_files");
	struct map seen = { 0 };
	int rc = 0;

	if (!p->scrapes_done) {
		p->nscrapes = 0;
		scrapes_add(p, pub->scrape_configs, pub->nscrape_configs);
		rc = jobs(p->scrapes, p->nscrapes, &seen, e);
		for (size_t i = 0; files != NULL && rc == 0 && i < files->n;
		     i++)
			rc = load_scrapes(p, files->v[i], &seen, e);
		for (size_t i = 0; rc == 0 && i < p->njoined; i++)
			rc = join_scrapes(p, p->joined[i], &seen, e);
		p->scrapes_done = rc == 0;
	}
	map_fini(&seen);
	*v = p->scrapes;
	*n = p->nscrapes;
	return rc;
}
