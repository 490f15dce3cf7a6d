/*
 * What Alertmanager 0.33.1 takes and refuses: the configurations with their
 * text in $CORPUS/alertmanager/_config, and the matchers of _matchers in the
 * "fallback" reading, as they print.  "passed N of M" for each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "notify/impl.h"

static const struct json_value *
load(struct arena *a, const char *dir, const char *name)
{
	struct buf b = { 0 };
	struct error e;
	const struct json_value *v = NULL;

	if (file_read(arena_printf(a, "%s/%s", dir, name).p, &b, &e) == 0)
		v = json_parse(a, arena_dup(a, buf_str(&b)), &e);
	if (v == NULL) {
		fprintf(stderr, "%s\n", e.msg);
		exit(2);
	}
	buf_fini(&b);
	return v;
}

static bool
config(const struct json_value *x)
{
	bool want = json_find(json_find(x, "v0.33.1"), "rc")->integer == 0;
	struct notify_config *c = NULL;
	struct error e = { "" };
	struct conf *tree;

	tree = conf_parse(json_find_str(x, "yaml"), "c.yml", NULL, &e);
	if (tree != NULL)
		c = notify_config_new(tree, &e);
	if (want != (c != NULL))
		printf("# config %.*s: %s\n", STR_ARG(json_find_str(x, "name")),
		    c != NULL ? "taken" : e.msg);
	if (c == NULL)
		return !want;
	notify_config_free(c);
	return want;
}

static bool
matcher(const struct json_value *x)
{
	str want = json_find_str(json_find(x, "fallback"), "ok");
	struct matchers m = { 0 };
	struct buf b = { 0 };
	struct arena a;
	struct error e;
	bool ok;

	arena_init(&a);
	if (notify_matchers_parse(&a, json_find_str(x, "input"), &m, &e) == 0) {
		notify_matchers_sort(&m);
		notify_matchers_print(&b, &m);
	}
	/* What matches everything went to the default route there. */
	if (str_eq(want, STR("default-route")))
		want = STR("{}");
	ok = str_eq(want, buf_str(&b));
	if (!ok)
		printf("# matcher %.*s: %s\n",
		    STR_ARG(json_find_str(x, "input")), buf_cstr(&b));
	notify_matchers_fini(&m);
	buf_fini(&b);
	arena_fini(&a);
	return ok;
}

int
main(int argc, char **argv)
{
	const struct json_value *v;
	struct arena a;
	int all = 0, passed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: notify-config DIR\n");
		return 2;
	}
	arena_init(&a);
	v = load(&a, argv[1], "_config/check-config.json");
	for (size_t i = 0; i < v->n; i++)
		if (json_find(&v->v[i], "yaml") != NULL) {
			all++;
			passed += config(&v->v[i]);
		}
	printf("configurations: passed %d of %d\n", passed, all);
	all = passed = 0;
	v = load(&a, argv[1], "_matchers/matchers-config.json");
	for (size_t i = 0; i < v->n; i++, all++)
		passed += matcher(&v->v[i]);
	printf("matchers: passed %d of %d\n", passed, all);
	arena_fini(&a);
	return 0;
}
