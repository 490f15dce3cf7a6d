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

static struct labels
address(struct sd_part *p, str s)
{
	struct label *l = arena_new(&p->a, struct label);

	if (s.n == 0) /* no target: whoever makes targets says so */
		return (struct labels){ NULL, 0 };
	*l = (struct label){ STR("__address__"), arena_dup(&p->a, s) };
	return (struct labels){ l, 1 };
}

static int
yaml_labels(struct sd_part *p, const struct conf_node *map, struct labels *out,
    struct error *e)
{
	struct label_set set = { 0 };
	int rc = 0;
	str v;

	if (map->kind != CONF_MAP)
		return conf_error(map, e, "labels: expected a map");
	for (size_t i = 0; rc == 0 && i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		rc = conf_str(n, &v, e);
		if (rc == 0 && !valid(n->key, v))
			rc = conf_error_key(n, e,
			    "\"%.*s\" is not a valid label", STR_ARG(n->key));
		if (rc == 0)
			label_set(&set, n->key, v);
	}
	if (rc == 0)
		*out = label_done(&set, &p->a);
	label_fini(&set);
	return rc;
}

int
sd_group_yaml(struct sd_part *p, const struct conf_node *n, const char *where,
    int (*check)(const struct conf_node *target, struct error *e),
    struct error *e)
{
	struct section s = { 0 };
	struct labels *v;
	struct sd_group *g;
	str text;

	if (n->kind != CONF_MAP)
		return conf_error(n, e, "empty or null section in %s", where);
	if (conf_read(n, fields, 2, &s, e) == -1)
		return -1;
	if (s.targets != NULL && s.targets->kind != CONF_LIST)
		return conf_error(s.targets, e, "targets: expected a list");
	g = sd_part_add(p);
	if (s.labels != NULL && yaml_labels(p, s.labels, &g->labels, e) == -1)
		return -1;
	if (s.targets == NULL)
		return 0;
	v = arena_array(&p->a, s.targets->n, struct labels);
	for (size_t i = 0; i < s.targets->n; i++) {
		if (check != NULL && check(s.targets->v[i], e) == -1)
			return -1;
		if (conf_str(s.targets->v[i], &text, e) == -1)
			return -1;
		if (!str_utf8(text))
			return conf_error(
			    s.targets->v[i], e, "a target is not UTF-8");
		v[i] = address(p, text);
	}
	g->targets = v;
	g->ntargets = s.targets->n;
	return 0;
}

static int
yaml(struct sd_part *p, str text, const char *name, struct error *e)
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
		rc = sd_group_yaml(p, root->v[i], "a target file", NULL, e);
	conf_free(c);
	return rc;
}

/* The label every group of a file or an answer has, over its own. */
static void
put_meta(struct sd_part *p, struct sd_group *g, str name, str value)
{
	struct label_set set;

	label_init(&set, g->labels);
	label_set(&set, name, value);
	g->labels = label_done(&set, &p->a);
	label_fini(&set);
}

struct sd_part *
sd_part_parse(
    str text, bool json, const char *name, str meta, str value, struct error *e)
{
	struct sd_part *p = sd_part_new();
	int rc;

	if (json && (rc = sd_json(p, text, meta, value, e)) == -1)
		error_set(e, "%s:%s", name, arena_cstr(&p->a, str_of(e->msg)));
	else if (!json)
		rc = yaml(p, text, name, e);
	if (rc == -1) {
		sd_part_free(p);
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (!json)
			put_meta(p, &p->v[i], meta, value);
		p->v[i].source =
		    arena_printf(&p->a, "%.*s:%zu", STR_ARG(value), i);
	}
	return p;
}
