/*
 * static_configs: the groups stand in the configuration itself, so they are
 * known at once and never change.  What is wrong with one is an error of the
 * configuration.
 */
#include "scrape/sd_impl.h"

static int
check_target(const struct conf_node *n, struct error *e)
{
	if (n->kind != CONF_SCALAR || n->value.n == 0)
		return conf_error(n, e, "a target must be HOST:PORT");
	/* A URL is refused by scrape_load(), if nothing relabels it. */
	if (!str_utf8(n->value))
		return conf_error(n, e, "\"%.*s\" is not a valid hostname",
		    STR_ARG(n->value));
	return 0;
}

static struct sd_part *
read_all(const struct conf_node *list, struct error *e)
{
	struct sd_part *p = sd_part_new();
	struct sd_build b = { .p = p };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = sd_group_yaml(
		    &b, list->v[i], "static_configs", check_target, e);
	sd_build_fini(&b);
	if (rc == -1) {
		sd_part_free(p);
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].local = true;
		p->v[i].source = arena_printf(&p->a, "%zu", i);
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
