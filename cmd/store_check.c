/*
 * mf-store check: what is damaged and what is lost; with --repair, out of the
 * way with it.
 */
#include <stdio.h>

#include "opt.h"
#include "store_cmd.h"
#include "tool.h"

static void
problem(void *arg, const char *msg)
{
	(void)arg;
	tool_warn("%s", msg);
}

static void
done(void *arg, const char *msg)
{
	(void)arg;
	tool_warn("%s", msg);
}

/* What was wrong has been told; what still is, is told again. */
static int
repair(struct store_cmd_read *r, struct error *e)
{
	store_close(r->s);
	r->s = store_cmd_store(r->dir, STORE_WRITE);
	if (store_repair(r->s, done, NULL, e) == -1)
		return -1;
	return store_check(r->s, problem, NULL, e);
}

int
store_cmd_check(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct error e;
	bool mend = false;
	int rc;
	const struct opt rows[] = {
		{ 0, "repair", .flag = &mend },
		{ .name = NULL },
	};

	store_cmd_open_more(&r, argc, argv, 0, rows);
	if (r.expr != NULL)
		tool_usage(store_cmd_usage);
	rc = store_check(r.s, problem, NULL, &e);
	if (rc == 1 && mend)
		rc = repair(&r, &e);
	if (rc == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (rc == 0)
		tool_note("%s: sound", tool_path(tool_dir(r.dir), "store", ""));
	/* All of it has been told. */
	while (store_damaged(r.s) != NULL)
		;
	(void)store_cmd_close(&r);
	return rc == 0 ? TOOL_OK : TOOL_FAILED;
}
