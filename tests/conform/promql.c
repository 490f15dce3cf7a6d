/*
 * Run files of the PromQL test language and print, for each, how many of its
 * evaluations passed: "name.test passed total".  With -v each that failed is
 * shown with its line on stderr.
 */
#include <err.h>

#include "base/file.h"
#include "promqltest.h"

struct context {
	const char *name;
	bool verbose;
};

static void
report(void *arg, size_t line, bool ok, const char *why)
{
	const struct context *c = arg;

	if (!ok && c->verbose)
		fprintf(stderr, "%s:%zu: %s\n", c->name, line, why);
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
		struct pt t = { .report = report, .arg = &c };
		struct buf b = { 0 };
		struct error e;

		c.name =
		    strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		if (file_read(argv[i], &b, &e) == -1)
			errx(1, "%s", e.msg);
		pt_file(&t, buf_str(&b));
		printf("%s %zu %zu\n", c.name, t.passed, t.passed + t.failed);
		buf_fini(&b);
	}
	return 0;
}
