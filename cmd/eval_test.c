/*
 * mf-eval test: files of the PromQL test language; a line for each file, and
 * for each evaluation that fails its place, what was asked and a diff.
 */
#include <stdio.h>

#include "eval_cmd.h"

#define FILE_MAX ((size_t)64 << 20)

struct testing {
	const char *file;
	struct buf out; /* what is said of the file's evaluations */
};

static void
each(void *arg, size_t line, str head, bool ok, str why)
{
	struct testing *t = arg;

	if (ok && tool_verbose <= 0)
		return;
	buf_printf(
	    &t->out, "%s:%zu: %s: ", t->file, line, ok ? "passed" : "FAILED");
	tool_show(&t->out, head);
	buf_byte(&t->out, '\n');
	while (why.n > 0) {
		str one = str_cut(&why, '\n');

		buf_z(&t->out, "    ");
		tool_show(&t->out, one);
		buf_byte(&t->out, '\n');
	}
}

static void
fault(void *arg, size_t line, size_t col, const char *msg)
{
	const struct testing *t = arg;
	struct buf b = { 0 };

	buf_printf(&b, "%zu:%zu: %s", line, col, msg);
	tool_fault(t->file, buf_cstr(&b));
	buf_fini(&b);
}

/* A file's verdict; the status it makes. */
static int
test(const char *file)
{
	bool input = strcmp(file, "-") == 0;
	struct testing t = { .file = input ? "stdin" : file };
	struct promql_test p = { .each = each, .fault = fault, .arg = &t };
	struct buf text = { 0 };
	struct error e;

	if (eval_read(input ? NULL : file, &text, FILE_MAX, &e) == -1) {
		tool_warn("%s", e.msg);
		return TOOL_USAGE;
	}
	promql_test(&p, buf_str(&text));
	buf_fini(&text);
	if (p.faults > 0)
		buf_printf(&t.out, "%s: FAILED: %zu fault%s\n", t.file,
		    p.faults, p.faults == 1 ? "" : "s");
	else if (p.failed > 0)
		buf_printf(&t.out, "%s: FAILED: %zu of %zu evaluations\n",
		    t.file, p.failed, p.failed + p.passed);
	else if (tool_verbose >= 0)
		buf_printf(
		    &t.out, "%s: SUCCESS: %zu evaluations\n", t.file, p.passed);
	tool_print(&t.out);
	return p.faults > 0 ? TOOL_USAGE : p.failed > 0 ? TOOL_FAILED : TOOL_OK;
}

int
eval_test(const struct eval_options *o)
{
	int status = TOOL_OK;

	if (o->nexprs == 0)
		tool_die(TOOL_USAGE, "test: no file given");
	for (size_t i = 0; i < o->nexprs; i++) {
		int rc = test(o->exprs[i]);

		status = rc > status ? rc : status;
	}
	return status;
}
