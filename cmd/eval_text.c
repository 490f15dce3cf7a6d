/*
 * mf-eval fmt and parse: expressions as text for people, and as a tree.  They
 * are the operands, or all of the standard input as one.
 */
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "eval_cmd.h"

/* Nobody writes a longer one. */
#define EXPR_MAX ((size_t)1 << 20)

int
eval_read(const char *file, struct buf *b, size_t max, struct error *e)
{
	const char *name = file != NULL ? file : "stdin";
	struct file_lines lines;
	int fd = STDIN_FILENO, rc = 1;
	str block;

	if (file != NULL && (fd = open(file, O_RDONLY | O_CLOEXEC)) == -1)
		return error_errno(e, "%s", file);
	file_lines_init(&lines, fd);
	lines.max = max;
	while (rc > 0 && b->n <= max) {
		rc = file_lines_next(&lines, &block, e);
		if (rc == 1)
			buf_add(b, block);
	}
	if (rc == -1)
		(void)error_add(e, "%s", name);
	else if (b->n > max)
		rc = error_set(e, "%s: longer than %zu bytes", name, max);
	file_lines_fini(&lines);
	if (fd != STDIN_FILENO)
		(void)close(fd);
	if (rc != -1)
		return 0;
	buf_fini(b);
	return -1;
}

typedef void put_expr(struct buf *out, const struct promql_expr *x);

static void
put_pretty(struct buf *out, const struct promql_expr *x)
{
	promql_print_pretty(out, x);
}

static void
put_line(struct buf *out, const struct promql_expr *x)
{
	promql_print(out, x);
}

/* The answer of the API's parse_query. */
static void
put_tree(struct buf *out, const struct promql_expr *x)
{
	struct json_writer w;

	json_init(&w, out, false);
	json_open(&w, '{');
	json_key(&w, STR("status"));
	json_str(&w, STR("success"));
	json_key(&w, STR("data"));
	promql_print_tree(&w, x);
	json_close(&w, '}');
}

/* One expression; where says whose positions they are. */
static int
put(const struct eval_options *o, const char *where, str text, put_expr *form)
{
	struct promql_expr *x;
	struct buf out = { 0 };
	struct arena a = { 0 };
	struct error e;

	x = eval_parse(o, text, PROMQL_EVERYTHING, &a, &e);
	if (x == NULL) {
		bool placed =
		    o->nexprs == 0 && isdigit((unsigned char)e.msg[0]) != 0;

		tool_warn("%s:%s%s", where, placed ? "" : " ", e.msg);
	} else {
		form(&out, x);
		buf_byte(&out, '\n');
		tool_print(&out);
	}
	promql_free(x);
	arena_fini(&a);
	return x != NULL ? TOOL_OK : TOOL_USAGE;
}

static int
put_all(const struct eval_options *o, put_expr *form)
{
	struct buf text = { 0 };
	struct error e;
	int status = TOOL_OK;

	if (o->nexprs == 0) {
		if (eval_read(NULL, &text, EXPR_MAX, &e) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
		status = put(o, "stdin", buf_str(&text), form);
	}
	for (size_t i = 0; i < o->nexprs; i++) {
		if (put(o, eval_name(o->exprs[i]), str_of(o->exprs[i]), form) !=
		    TOOL_OK)
			status = TOOL_USAGE;
	}
	buf_fini(&text);
	return status;
}

int
eval_fmt(const struct eval_options *o)
{
	return put_all(o, put_pretty);
}

int
eval_parse_tree(const struct eval_options *o)
{
	bool json = o->form == answer_form("json");

	if (o->form != NULL && !json && o->form != answer_form("text"))
		tool_die(TOOL_USAGE, "-o: parse prints text or json");
	return put_all(o, json ? put_tree : put_line);
}
