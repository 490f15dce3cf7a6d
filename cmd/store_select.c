/*
 * mf-store select and metadata: what the store has, as the stream it came
 * from.
 */
#include <stdio.h>

#include "base/num.h"
#include "store_cmd.h"
#include "tool.h"

static int
print(void *arg, str text)
{
	bool *any = arg;

	*any = true;
	tool_write(text);
	return 0;
}

/* The ends that were not given are those of the store. */
static int
by_series(struct store_cmd_read *r, bool *any, struct error *e)
{
	struct store_range q = {
		.m = r->m,
		.nm = r->nm,
		.from = r->from,
		.to = r->to,
		.expr = r->expr == NULL ? STR("{}") : str_of(r->expr),
	};
	struct store_info info;

	if ((r->from == INT64_MIN || r->to == INT64_MAX) &&
	    store_info(r->s, &info, e) == -1)
		return -1;
	if (r->from == INT64_MIN)
		q.from = info.from;
	if (r->to == INT64_MAX)
		q.to = info.to;
	return store_select_series(r->s, &q, print, any, e);
}

/*
 * --after: a time, or what stands in a BATCH line, so that a reader goes on
 * where it was.
 */
static void
after(void *arg, const char *option, const char *text)
{
	int64_t *from = arg, t;

	if (num_parse_int(str_of(text), &t) == -1 || t < STORE_T_SECONDS)
		t = tool_time(option, text);
	if (t < INT64_MAX)
		*from = t + 1;
}

int
store_cmd_select(int argc, char **argv)
{
	int64_t from = INT64_MIN;
	const struct opt more[] = {
		{ 0, "after", .call = after, .arg = &from },
		{ .name = NULL },
	};
	struct store_cmd_read r = { .s = NULL };
	struct error e;
	bool any = false;
	int rc;

	store_cmd_open_more(&r, argc, argv, 0, more);
	if (from > r.from)
		r.from = from;
	rc = r.by_series
	    ? by_series(&r, &any, &e)
	    : store_select(r.s, r.m, r.nm, r.from, r.to, print, &any, &e);
	if (rc == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	rc = store_cmd_close(&r);
	return rc == TOOL_OK && r.exit_status && !any ? TOOL_ANSWER : rc;
}

int
store_cmd_metadata(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct error e;
	bool any = false;
	int rc;

	store_cmd_open(&r, argc, argv, 0);
	if (store_metadata(r.s, r.m, r.nm, tool_now(), print, &any, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	rc = store_cmd_close(&r);
	return rc == TOOL_OK && r.exit_status && !any ? TOOL_ANSWER : rc;
}
