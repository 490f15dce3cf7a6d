/*
 * A directory as a configuration: the parts of several owners, each in a file
 * of its own, and one of them with what holds for all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "wire/promconf.h"

struct names {
	struct arena a;
	str *v;
	size_t n, cap;
};

static bool
is_yaml(str name)
{
	return !str_starts(name, STR(".")) &&
	    (str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml")));
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static bool
is_main(str name)
{
	return str_eq(name, STR("prometheus.yml")) ||
	    str_eq(name, STR("prometheus.yaml"));
}

/* The files in order, the one that holds in front. */
static int
list(struct names *x, const char *path, struct error *e)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	if (d == NULL)
		return error_errno(e, "%s", path);
	while ((entry = readdir(d)) != NULL) {
		if (!is_yaml(str_of(entry->d_name)))
			continue;
		x->v =
		    arena_grow(&x->a, x->v, &x->cap, x->n + 1, sizeof(*x->v));
		x->v[x->n++] = arena_dup(&x->a, str_of(entry->d_name));
	}
	(void)closedir(d);
	if (x->n == 0)
		return error_set(e, "%s: no *.yml or *.yaml in it", path);
	qsort(x->v, x->n, sizeof(*x->v), by_bytes);
	for (size_t i = 1; i < x->n; i++)
		if (is_main(x->v[i])) {
			str main = x->v[i];

			memmove(x->v + 1, x->v, i * sizeof(*x->v));
			x->v[0] = main;
			break;
		}
	return 0;
}

/* Add one of the other files to p, if there is something in it for us. */
static int
add(struct promconf *p, const char *path, const struct conf_opts *o,
    struct error *e)
{
	struct conf *c = conf_load(path, o, e);
	struct promconf *other;
	const struct conf_node *root;
	struct error w;
	bool ours;

	if (c == NULL)
		return -1;
	root = conf_root(c);
	ours = conf_find(root, "scrape_configs") != NULL ||
	    conf_find(root, "scrape_config_files") != NULL;
	if (!ours) {
		error_set(&w, "%s: no scrape_configs in it: passed over", path);
		promconf_warn(p, w.msg);
	} else if (conf_find(root, "global") != NULL) {
		conf_error_key(conf_find(root, "global"), &w,
		    "not used: the global of %.*s holds",
		    STR_ARG(conf_name(p->conf)));
		promconf_warn(p, w.msg);
	}
	conf_free(c);
	if (!ours)
		return 0;
	other = promconf_load(path, o, e);
	if (other == NULL)
		return -1;
	promconf_join(p, other);
	return 0;
}

struct promconf *
promconf_load_dir(const char *path, const struct conf_opts *o, struct error *e)
{
	struct promconf *p = NULL;
	struct names x = { 0 };
	struct buf file = { 0 };
	int rc = list(&x, path, e);

	for (size_t i = 0; rc == 0 && i < x.n; i++) {
		buf_reset(&file);
		buf_printf(&file, "%s/%.*s", path, STR_ARG(x.v[i]));
		if (i > 0)
			rc = add(p, buf_cstr(&file), o, e);
		else if ((p = promconf_load(buf_cstr(&file), o, e)) == NULL)
			rc = -1;
	}
	if (rc == -1) {
		promconf_free(p);
		p = NULL;
	}
	buf_fini(&file);
	arena_fini(&x.a);
	return p;
}
