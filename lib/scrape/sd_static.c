/*
 * static_configs: the groups stand in the configuration itself, so they are
 * known at once and never change.  What is wrong with one is an error of the
 * configuration.
 */
#include <stddef.h>

#include "scrape/sd_impl.h"

struct section {
	const struct conf_node *targets, *labels;
};

static const struct conf_field fields[] = {
	{ "targets", CONF_T_NODE, offsetof(struct section, targets), false },
	{ "labels", CONF_T_NODE, offsetof(struct section, labels), false },
};

static int
target(struct sd_part *p, struct label_set *set, const struct conf_node *n,
    struct labels *out, struct error *e)
{
	if (n->kind != CONF_SCALAR || n->value.n == 0)
		return conf_error(n, e, "a target must be HOST:PORT");
	if (!str_utf8(n->value))
		return conf_error(n, e, "\"%.*s\" is not a valid hostname",
		    STR_ARG(n->value));
	label_set(set, STR("__address__"), n->value);
	*out = label_done(set, &p->a);
	return 0;
}

static int
labels(struct sd_part *p, const struct conf_node *map, struct labels *out,
    struct error *e)
{
	struct label_set set = { 0 };
	int rc = 0;
	str v;

	if (map == NULL || map->kind == CONF_NULL)
		return 0;
	if (map->kind != CONF_MAP)
		return conf_error(map, e, "labels: expected a map");
	for (size_t i = 0; rc == 0 && i < map->n; i++) {
		const struct conf_node *n = map->v[i];

		rc = conf_str(n, &v, e);
		if (rc == 0 && !sd_label_valid(n->key, v))
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

static int
group(struct sd_part *p, const struct conf_node *n, struct error *e)
{
	struct section s = { 0 };
	struct label_set set = { 0 };
	struct sd_group *g;
	struct labels *v;
	int rc = 0;

	if (n->kind != CONF_MAP)
		return conf_error(
		    n, e, "empty or null section in static_configs");
	if (conf_read(n, fields, 2, &s, e) == -1)
		return -1;
	if (s.targets != NULL && s.targets->kind != CONF_LIST)
		return conf_error(s.targets, e, "targets: expected a list");
	g = sd_part_add(p);
	g->local = true;
	g->source = arena_printf(&p->a, "%zu", p->n - 1);
	if (labels(p, s.labels, &g->labels, e) == -1)
		return -1;
	if (s.targets == NULL)
		return 0;
	v = arena_array(&p->a, s.targets->n, struct labels);
	for (size_t i = 0; rc == 0 && i < s.targets->n; i++)
		rc = target(p, &set, s.targets->v[i], &v[i], e);
	g->targets = v;
	g->ntargets = s.targets->n;
	label_fini(&set);
	return rc;
}

static struct sd_part *
read_all(const struct conf_node *list, struct error *e)
{
	struct sd_part *p = sd_part_new();

	for (size_t i = 0; i < list->n; i++)
		if (group(p, list->v[i], e) == -1) {
			sd_part_free(p);
			return NULL;
		}
	return p;
}

static int
check(const struct conf_node *list, struct error *e)
{
	struct sd_part *p = read_all(list, e);

	sd_part_free(p);
	return p == NULL ? -1 : 0;
}

static int
open_static(struct sd_find *f, struct error *e)
{
	struct sd_part *p = read_all(f->node, e);

	if (p == NULL)
		return -1;
	sd_source_set(f, sd_source_add(f, f->kind->key), p);
	f->ready = true;
	f->due = INT64_MAX;
	return 0;
}

const struct sd_kind sd_static = {
	.key = STR_INIT("static_configs"),
	.whole = true,
	.check = check,
	.open = open_static,
};
