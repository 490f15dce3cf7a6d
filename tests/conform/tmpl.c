/*
 * The expressions of $CORPUS/alertmanager/_templates in text mode, each with
 * its output or error in Alertmanager 0.33.1.  Prints those that differ and a
 * last line "passed N of M"; with -v all that differ in full.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "notify/notify.h"

#include <stdio.h>

static str
load(struct arena *a, const char *dir, const char *name)
{
	struct buf b = { 0 };
	struct error e;
	str s, path = arena_printf(a, "%s/%s", dir, name);

	if (file_read(path.p, &b, &e) == -1) {
		fprintf(stderr, "%s\n", e.msg);
		exit(2);
	}
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static bool
one(const struct notify_config *c, str data, const struct json_value *x)
{
	const struct json_value *want = json_find(x, "both");
	struct buf out = { 0 };
	struct error e = { "" };
	bool ok;
	int rc;

	if (want == NULL)
		want = json_find(x, "v0.33.1");
	rc = notify_render(c, data, json_find_str(x, "expr"),
	    INT64_C(1795000000000), &out, &e);
	if (json_find(want, "out") != NULL)
		ok = rc == 0 &&
		    str_eq(buf_str(&out), json_find_str(want, "out"));
	else
		ok = rc == -1 &&
		    str_eq(str_of(e.msg), json_find_str(want, "error"));
	if (!ok)
		printf("# %lld: %.*s\n#  got %s%s\n# want %.*s%.*s\n",
		    (long long)json_find(x, "n")->integer,
		    STR_ARG(json_find_str(x, "expr")),
		    rc == 0 ? buf_cstr(&out) : "error: ", e.msg,
		    STR_ARG(json_find_str(want, "out")),
		    STR_ARG(json_find_str(want, "error")));
	buf_fini(&out);
	return ok;
}

int
main(int argc, char **argv)
{
	struct arena a;
	struct error e;
	struct conf *tree;
	struct notify_config *c;
	const struct json_value *list;
	int passed = 0, all = 0;
	str data;

	if (argc != 2) {
		fprintf(stderr, "usage: tmpl DIR\n");
		return 2;
	}
	arena_init(&a);
	data = load(&a, argv[1], "data.json");
	list =
	    json_parse(&a, load(&a, argv[1], "template-expressions.json"), &e);
	tree = conf_parse(STR("route: {receiver: x}\nreceivers: [{name: x}]\n"),
	    "conform", NULL, &e);
	c = tree != NULL ? notify_config_new(tree, &e) : NULL;
	if (list == NULL || c == NULL) {
		fprintf(stderr, "%s\n", e.msg);
		return 2;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (!str_eq(json_find_str(&list->v[i], "type"), STR("text")))
			continue;
		all++;
		passed += one(c, data, &list->v[i]);
	}
	printf("passed %d of %d\n", passed, all);
	notify_config_free(c);
	arena_fini(&a);
	return 0;
}
