/*
 * mf-store info and check.
 */
#include <stdio.h>

#include "base/date.h"
#include "store_cmd.h"
#include "tool.h"

static void
put_time(struct buf *b, const char *name, int64_t t)
{
	buf_printf(b, "%s ", name);
	date_print_ms(b, t);
	buf_byte(b, '\n');
}

int
store_cmd_info(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct store_info i;
	struct buf b = { 0 };
	struct error e;

	store_cmd_open(&r, argc, argv, 0);
	if (r.expr != NULL)
		tool_usage(store_cmd_usage);
	if (store_info(r.s, &i, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	buf_printf(&b,
	    "days %zu\nsegments %zu\nparts %zu\nbatches %zu\nseries %zu\n"
	    "samples %zu\nbytes %zu\n",
	    i.days, i.segments, i.parts, i.batches, i.series, i.samples,
	    i.bytes);
	if (i.samples > 0) {
		buf_printf(&b, "bytes_per_sample %.2f\n",
		    (double)i.bytes / (double)i.samples);
		put_time(&b, "from", i.from);
		put_time(&b, "to", i.to);
	}
	tool_print(&b);
	store_cmd_close(&r);
	return TOOL_OK;
}

static void
report(void *arg, const char *msg)
{
	(void)arg;
	tool_warn("%s", msg);
}

int
store_cmd_check(int argc, char **argv)
{
	struct store_cmd_read r = { .s = NULL };
	struct error e;
	int rc;

	store_cmd_open(&r, argc, argv, 0);
	if (r.expr != NULL)
		tool_usage(store_cmd_usage);
	rc = store_check(r.s, report, NULL, &e);
	if (rc == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (rc == 0)
		tool_note("%s: sound", tool_path(tool_dir(r.dir), "store", ""));
	store_cmd_close(&r);
	return rc == 0 ? TOOL_OK : TOOL_FAILED;
}
