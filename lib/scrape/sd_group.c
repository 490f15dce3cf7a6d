/*
 * Target groups as text: the list that static_configs, a file and an answer of
 * http discovery all are, [{"targets": [...], "labels": {...}}].  As strict as
 * upstream: an unknown key or a value of another type refuses the whole text,
 * so that half a list never looks like targets that went away.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "scrape/sd_impl.h"

struct section {
	const struct conf_node *targets, *labels;
};

static const struct conf_field fields[] = {
	{ "targets", CONF_T_NODE, offsetof(struct section, targets), false },
	{ "labels", CONF_T_NODE, offsetof(struct section, labels), false },
};

struct sd_part *
sd_part_new(void)
{
	return mem_zero(1, sizeof(struct sd_part));
}

void
sd_part_free(struct sd_part *p)
{
	if (p == NULL)
		return;
	arena_fini(&p->a);
	free(p);
}

struct sd_group *
sd_part_add(struct sd_part *p)
{
	p->v = arena_grow(&p->a, p->v, &p->cap, p->n + 1, sizeof(*p->v));
	p->v[p->n] = (struct sd_group){ 0 };
	return &p->v[p->n++];
}

/* Is label name such as Prometheus takes in a target group? */
static bool
valid(str name, str value)
{
	return name.n > 0 && str_utf8(name) && str_utf8(value);
}

static int
yaml_labels(struct sd_build *b, const struct conf_node *map, struct error *e)
{
	struct arena *a = &b->p->a;
	str v;

	if (map->kind != CONF_MAP)
		return conf_error(map, e, "labels: expected a map");
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		if (conf_str(n, &v, e) == -1)
			return -1;
		if (!valid(n->key, v))
			return conf_error_key(n, e,
			    "\"%.*s\" is not a valid label", STR_ARG(n->key));
		sd_build_label(b, arena_dup(a, n->key), arena_dup(a, v));
	}
	return 0;
}

int
sd_group_yaml(struct sd_build *b, const struct conf_node *n, const char *where,
    int (*check)(const struct conf_node *target, struct error *e),
    struct error *e)
{
	struct section s = { 0 };
	str text;

	if (n->kind != CONF_MAP)
		return conf_error(n, e, "empty or null section in %s", where);
	if (conf_read(n, fields, 2, &s, e) == -1)
		return -1;
	if (s.targets != NULL && s.targets->kind != CONF_LIST)
		return conf_error(s.targets, e, "targets: expected a list");
	sd_build_begin(b);
	if (s.labels != NULL && yaml_labels(b, s.labels, e) == -1)
		return -1;
	for (size_t i = 0; s.targets != NULL && i < s.targets->n; i++) {
		if (check != NULL && check(s.targets->v[i], e) == -1)
			return -1;
		if (conf_str(s.targets->v[i], &text, e) == -1)
			return -1;
		if (!str_utf8(text))
			return conf_error(
			    s.targets->v[i], e, "a target is not UTF-8");
		sd_build_target(b, arena_dup(&b->p->a, text));
	}
	(void)sd_build_end(b);
	return 0;
}

static int
yaml(struct sd_build *b, str text, const char *name, struct error *e)
{
	struct conf *c = conf_parse(text, name, NULL, e);
	const struct conf_node *root;
	int rc = 0;

	if (c == NULL)
		return -1;
	root = conf_root(c);
	if (root->kind != CONF_LIST && root->kind != CONF_NULL)
		rc = conf_error(root, e, "expected a list of target groups");
	for (size_t i = 0; rc == 0 && i < root->n; i++)
		rc = sd_group_yaml(b, root->v[i], "a target file", NULL, e);
	conf_free(c);
	return rc;
}

struct sd_part *
sd_part_parse(
    str text, bool json, const char *name, str meta, str value, struct error *e)
{
	struct sd_part *p = sd_part_new();
	struct sd_build b = { .p = p,
		.meta = { meta, arena_dup(&p->a, value) } };
	int rc = json ? sd_json(&b, text, e) : yaml(&b, text, name, e);

	sd_build_fini(&b);
	if (json && rc == -1)
		error_set(e, "%s:%s", name, arena_cstr(&p->a, str_of(e->msg)));
	if (rc == -1) {
		sd_part_free(p);
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++)
		p->v[i].source =
		    arena_printf(&p->a, "%.*s:%zu", STR_ARG(value), i);
	return p;
}
