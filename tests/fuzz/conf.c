/*
 * Any bytes as configuration: a tree or an error, in bounded time and depth.
 * The first line, when it begins with '=', is a --set.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *
env(const char *name)
{
	return name[0] == 'E' ? "value" : NULL;
}

static size_t
walk(const struct conf_node *n, int depth)
{
	size_t sum = 1;

	if (depth > 101)
		__builtin_trap();
	for (size_t i = 0; i < n->n; i++)
		sum += walk(n->v[i], depth + 1);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	str text = { (const char *)p, n }, line;
	struct buf set = { 0 }, out = { 0 };
	struct conf_opts o = { .env = env };
	const char *sets[1];
	struct error e;
	struct conf *c, *d;

	if (n > 0 && p[0] == '=') {
		line = str_cut(&text, '\n');
		buf_add(&set, str_skip(line, 1));
		sets[0] = buf_cstr(&set);
		o.set = sets;
		o.nset = 1;
	}
	c = conf_parse(text, "fuzz", &o, &e);
	if (c != NULL) {
		(void)walk(conf_root(c), 0);
		d = conf_load_from(c, STR("/dev/null/a"), &e);
		if (d != NULL)
			(void)walk(conf_root(d), 0);
		conf_free(d);
		(void)conf_read_from(c, STR("/dev/null/b"), &out, &e);
		conf_free(c);
	}
	buf_fini(&out);
	buf_fini(&set);
	return 0;
}
