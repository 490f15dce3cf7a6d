/*
 * What a prometheus.yml names by patterns: rule files, and files with more
 * scrape_configs.
 */
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/promconf_all.h"

/* A job's name: there, and not seen before. */
static int
job(const struct conf_node *n, struct map *seen, struct error *e)
{
	const struct conf_node *name = conf_find(n, "job_name"), *first;
	struct map_slot *slot;
	bool fresh;

	if (name == NULL || name->kind != CONF_SCALAR || name->value.n == 0)
		return conf_error(n, e, "job_name is empty");
	slot = map_add(seen, name->value, &fresh);
	if (fresh) {
		slot->v.p = (void *)(uintptr_t)name;
		return 0;
	}
	first = slot->v.p;
	if (first->conf == name->conf)
		return conf_error(name, e,
		    "found multiple scrape configs with job name \"%.*s\"",
		    STR_ARG(name->value));
	return conf_error(name, e,
	    "found multiple scrape configs with job name \"%.*s\", first "
	    "found in %.*s:%d",
	    STR_ARG(name->value), STR_ARG(conf_name(first->conf)), first->line);
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

int
promconf_all_jobs(
    struct promconf_all *p, const struct conf_node *n, struct error *e)
{
	struct map seen = { 0 };
	int rc = promconf_all_list(n, CONF_MAP, "scrape config section",
	    &p->pub.scrape_configs, &p->pub.nscrape_configs, e);

	if (rc == 0)
		rc = jobs(
		    p->pub.scrape_configs, p->pub.nscrape_configs, &seen, e);
	map_fini(&seen);
	return rc;
}

/* Paths a pattern stands for. */
struct paths {
	str *v;
	size_t n, cap;
};

static void
path_add(struct promconf_all *p, struct paths *x, str path)
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
match_keys(
    struct promconf_all *p, str pattern, struct paths *x, struct error *e)
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
match_files(struct promconf_all *p, str pattern, struct paths *x)
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
resolve(struct promconf_all *p, const struct conf_node *n, struct paths *x,
    struct error *e)
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
load_rules(struct promconf_all *p, const struct conf_node *n, struct error *e)
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
	struct promconf_all *p = (struct promconf_all *)pub;

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
scrapes_add(struct promconf_all *p, const struct conf_node *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p->scrapes = arena_grow(&p->a, p->scrapes, &p->scrapes_cap,
		    p->nscrapes + 1, sizeof(*p->scrapes));
		p->scrapes[p->nscrapes++] = v[i];
	}
}

static int
load_scrapes(struct promconf_all *p, const struct conf_node *pattern,
    struct map *seen, struct error *e)
{
	static const char *const keys[] = { "scrape_configs", NULL };
	const struct conf_node *const *v, *root;
	struct paths x;
	size_t n;
	struct conf *c;

	/* Upstream passes over one that is not there. */
	if (resolve(p, pattern, &x, e) == -1) {
		promconf_warn(&p->pub, e->msg);
		return 0;
	}
	for (size_t i = 0; i < x.n; i++) {
		if ((c = conf_load_from(p->pub.conf, x.v[i], e)) == NULL)
			return -1;
		p->files = arena_grow(&p->a, p->files, &p->files_cap,
		    p->nfiles + 1, sizeof(*p->files));
		p->files[p->nfiles++] = c;
		root = conf_root(c);
		if (promconf_all_keys(root, keys, NULL, e) == -1 ||
		    promconf_all_list(conf_find(root, "scrape_configs"),
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
	struct promconf_all *p = (struct promconf_all *)pub;

	p->joined = arena_grow(&p->a, p->joined, &p->joined_cap, p->njoined + 1,
	    sizeof(*p->joined));
	p->joined[p->njoined++] = other;
	p->scrapes_done = false;
}

/* The scrape_configs of a joined one, its warnings too. */
static int
join_scrapes(struct promconf_all *p, struct promconf *other, struct map *seen,
    struct error *e)
{
	const struct conf_node *const *v;
	size_t n;

	if (promconf_scrapes(other, &v, &n, e) == -1 ||
	    jobs(v, n, seen, e) == -1)
		return -1;
	for (size_t i = 0; i < other->nwarnings; i++)
		promconf_warn(&p->pub, other->warnings[i].p);
	scrapes_add(p, v, n);
	return 0;
}

int
promconf_scrapes(struct promconf *pub, const struct conf_node *const **v,
    size_t *n, struct error *e)
{
	struct promconf_all *p = (struct promconf_all *)pub;
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
