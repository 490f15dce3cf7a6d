/*
 * Templates over a notification: tests/data/tmpl/NAME.in rendered over
 * data.json there gives NAME.out; an error is "error: " and its message.  A
 * case is added by dropping in two files.  Covers data_json.c.
 */
#include <dirent.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "check.h"
#include "notify/notify.h"

#define DIR_NAME "tests/data/tmpl"

static str
slurp(struct arena *a, const char *name, const char *ending)
{
	struct buf b = { 0 };
	struct error e;
	str s;

	s = arena_printf(a, DIR_NAME "/%s%s", name, ending);
	if (file_read(s.p, &b, &e) == -1)
		printf("# %s\n", e.msg);
	s = arena_dup(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static bool
one(struct notify_config *c, struct arena *a, str data, const char *name)
{
	struct buf out = { 0 };
	struct error e;
	str want = slurp(a, name, ".out");
	bool ok;

	/* The text ends with its file's line end, the output with another. */
	if (notify_render(c, data, slurp(a, name, ".in"),
		INT64_C(1704164645678), &out, &e) != 0)
		buf_printf(&out, "error: %s\n", e.msg);
	ok = str_eq(buf_str(&out), want);
	if (!ok)
		printf("# %s: got\n%s# want\n%.*s", name, buf_cstr(&out),
		    STR_ARG(want));
	buf_fini(&out);
	return ok;
}

int
main(void)
{
	struct notify_config *c = NULL;
	struct conf *tree;
	struct dirent *d;
	struct arena a;
	struct error e;
	size_t n = 0;
	DIR *dir;
	str data;

	arena_init(&a);
	tree = conf_parse(STR("route: {receiver: x}\nreceivers: [{name: x}]\n"),
	    "am.yml", NULL, &e);
	if (tree != NULL)
		c = notify_config_new(tree, &e);
	CHECK(c != NULL);
	data = slurp(&a, "data", ".json");
	dir = opendir(DIR_NAME);
	CHECK(dir != NULL);
	while (c != NULL && dir != NULL && (d = readdir(dir)) != NULL) {
		str name = str_of(d->d_name);

		if (!str_ends(name, STR(".in")))
			continue;
		name.n -= 3;
		CHECK(one(c, &a, data, arena_cstr(&a, name)));
		n++;
	}
	CHECK(n >= 8);
	if (dir != NULL)
		closedir(dir);
	notify_config_free(c);
	arena_fini(&a);
	return done();
}
