/*
 * prometheus.yml, read once for all tools.  Sections that no tool of ours uses
 * yet are still held against what upstream takes, so that a mistake is found
 * here as it is there.
 */
#include "wire/promconf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wire/promconf_all.h"

struct top {
	const struct conf_node *global, *runtime, *alerting, *rule_files;
	const struct conf_node *scrape_config_files, *scrape_configs, *storage;
	const struct conf_node *tracing, *remote_write, *remote_read, *otlp;
};

#define TOP(name)                                                              \
	{                                                                      \
#name, CONF_T_NODE, offsetof(struct top, name), false          \
	}

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

int
promconf_all_keys(const struct conf_node *n, const char *const *names,
    bool (*more)(str key), struct error *e)
{
	size_t j;

	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_MAP)
		return conf_error(
		    n, e, "%.*s: expected a map", STR_ARG(n->key));
	for (size_t i = 0; i < n->n; i++) {
		str key = n->v[i]->key;

		for (j = 0; names[j] != NULL; j++)
			if (str_eq(key, str_of(names[j])))
				break;
		if (names[j] == NULL && (more == NULL || !more(key)))
			return conf_error_key(
			    n->v[i], e, "unknown key \"%.*s\"", STR_ARG(key));
	}
	return 0;
}

bool
promconf_all_there(const struct conf_node *n)
{
	return n != NULL && n->kind != CONF_NULL;
}

int
promconf_all_some(const struct conf_node *n, const struct conf_field *f,
    size_t nf, void *out, struct error *e)
{
	for (size_t i = 0; i < n->n; i++) {
		struct conf_node one = *n;

		one.v = &n->v[i];
		one.n = 1;
		for (size_t j = 0; j < nf; j++)
			if (str_eq(n->v[i]->key, str_of(f[j].name)) &&
			    conf_read(&one, f, nf, out, e) == -1)
				return -1;
	}
	return 0;
}

int
promconf_all_word(const struct conf_node *n, const char *const *words,
    const char *what, struct error *e)
{
	if (!promconf_all_there(n))
		return 0;
	for (; *words != NULL; words++)
		if (n->kind == CONF_SCALAR && str_eq(n->value, str_of(*words)))
			return 0;
	return conf_error(
	    n, e, "%s, but got \"%.*s\"", what, STR_ARG(n->value));
}

int
promconf_all_rules(
    const struct conf_node *n, const char *key, bool legacy, struct error *e)
{
	struct relabels r;
	int rc = relabel_load(&r, n, key, legacy, e);

	relabel_free(&r);
	return rc;
}

int
promconf_all_list(const struct conf_node *n, enum conf_kind kind,
    const char *what, const struct conf_node *const **v, size_t *len,
    struct error *e)
{
	*v = NULL;
	*len = 0;
	if (n == NULL || n->kind == CONF_NULL)
		return 0;
	if (n->kind != CONF_LIST)
		return conf_error(
		    n, e, "%.*s: expected a list", STR_ARG(n->key));
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i]->kind == CONF_NULL)
			return conf_error(n->v[i], e, "empty or null %s", what);
		else if (n->v[i]->kind != kind)
			return conf_error(n->v[i], e, "%s: expected %s", what,
			    kind == CONF_MAP ? "a map" : "text");
	*v = n->v;
	*len = n->n;
	return 0;
}

/* Patterns: '*' in the last component alone. */
static int
patterns(const struct conf_node *n, const char *what,
    const struct conf_node *const **v, size_t *len, struct error *e)
{
	if (promconf_all_list(n, CONF_SCALAR, what, v, len, e) == -1)
		return -1;
	for (size_t i = 0; i < *len; i++) {
		str s = (*v)[i]->value, tail;

		tail = str_skip(s, str_chr(s, '*') + 1);
		if (s.n == 0 || str_chr(tail, '/') < tail.n)
			return conf_error((*v)[i], e,
			    "invalid %s path \"%.*s\"", what, STR_ARG(s));
	}
	return 0;
}

static int
load(struct promconf_all *p, const char *path, struct error *e)
{
	const struct conf_node *root, *const *v;
	struct top t = { 0 };
	bool legacy;
	size_t n;

	if ((p->pub.conf = conf_load(path, &p->o, e)) == NULL)
		return -1;
	root = conf_root(p->pub.conf);
	if (conf_is_manifest(p->pub.conf))
		return conf_error(root, e,
		    "a manifest: say which of its keys is meant, as %s:KEY",
		    path);
	if (conf_read(root, top_fields,
		sizeof(top_fields) / sizeof(*top_fields), &t, e) == -1 ||
	    promconf_all_global(p, t.global, e) == -1)
		return -1;
	legacy =
	    str_eq(p->pub.global.metric_name_validation_scheme, STR("legacy"));
	if (promconf_all_alerting(p, t.alerting, legacy, e) == -1 ||
	    patterns(t.rule_files, "rule file", &p->pub.rule_patterns,
		&p->pub.nrule_patterns, e) == -1 ||
	    patterns(t.scrape_config_files, "scrape config file", &v, &n, e) ==
		-1 ||
	    promconf_all_jobs(p, t.scrape_configs, e) == -1 ||
	    promconf_all_sections(root, legacy, e) == -1 ||
	    promconf_all_remotes(root, legacy, e) == -1)
		return -1;
	return 0;
}

struct promconf *
promconf_load(const char *path, const struct conf_opts *o, struct error *e)
{
	struct promconf_all *p = mem_zero(1, sizeof(*p));

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
	struct promconf_all *p = (struct promconf_all *)pub;

	if (p == NULL)
		return;
	relabel_free(&p->pub.alert_relabel);
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

void
promconf_warn(struct promconf *pub, const char *text)
{
	struct promconf_all *p = (struct promconf_all *)pub;

	p->warnings = arena_grow(&p->a, p->warnings, &p->warnings_cap,
	    p->pub.nwarnings + 1, sizeof(*p->warnings));
	p->warnings[p->pub.nwarnings++] = arena_dup(&p->a, str_of(text));
	p->pub.warnings = p->warnings;
}
