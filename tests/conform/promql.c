/*
 * Run files of the PromQL test language and print, for each, how many of its
 * evaluations passed: "name.test passed total".  With -v each that failed is
 * shown with its line on stderr.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "promql/promql.h"

struct context {
	const char *name;
	bool verbose;
};

static void
each(void *arg, size_t line, str head, bool ok, str why)
{
	const struct context *c = arg;

	if (!ok && c->verbose)
		fprintf(stderr, "%s:%zu: %.*s\n%.*s", c->name, line,
		    STR_ARG(head), STR_ARG(why));
}

static void
fault(void *arg, size_t line, size_t col, const char *msg)
{
	const struct context *c = arg;

	fprintf(stderr, "%s:%zu:%zu: %s\n", c->name, line, col, msg);
}

int
main(int argc, char **argv)
{
	struct context c = { NULL, false };
	int i = 1;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		c.verbose = true;
		i++;
	}
	for (; i < argc; i++) {
		struct promql_test t = {
			.each = each, .fault = fault, .arg = &c
		};
		struct buf b = { 0 };
		struct error e;

		c.name =
		    strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		if (file_read(argv[i], &b, &e) == -1)
			errx(1, "%s", e.msg);
		promql_test(&t, buf_str(&b));
		printf("%s %zu %zu\n", c.name, t.passed,
		    t.passed + t.failed + t.faults);
		buf_fini(&b);
	}
	return 0;
}
