/*
 * mf-store limits: what the store keeps for all who write to it; the options
 * that say the same for one append or import; and what was refused by them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "opt.h"
#include "store_cmd.h"
#include "tool.h"

static void
limit(void *arg, const char *option, const char *text)
{
	struct store_limits *l = arg;
	struct error e;

	for (unsigned i = 0; i < STORE_LIMITS; i++)
		if (strcmp(option + 2, store_limit_name(i)) == 0 &&
		    store_limits_parse(l, i, str_of(text), &e) == -1)
			tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
}

void
store_cmd_limits_rows(struct opt rows[STORE_LIMITS + 1], struct store_limits *l)
{
	for (unsigned i = 0; i < STORE_LIMITS; i++)
		rows[i] = (struct opt){
			.name = store_limit_name(i),
			.call = limit,
			.arg = l,
		};
	rows[STORE_LIMITS] = (struct opt){ .name = NULL };
}

/* One reason of several. */
static void
reason(struct buf *b, size_t n, const char *what)
{
	if (n > 0)
		buf_printf(b, "%s %zu %s", b->n == 0 ? ":" : ",", n, what);
}

void
store_cmd_tell(const struct store_counts *n, bool replace)
{
	struct buf b = { 0 };

	reason(&b, n->late, "behind the out-of-order window");
	reason(&b, n->aged, "too old or too new");
	reason(&b, n->beyond, "of series beyond a limit");
	if (n->refused > 1 || n->refused + b.n > 1)
		tool_warn("%zu sample%s refused%s", n->refused,
		    n->refused == 1 ? " was" : "s were", buf_cstr(&b));
	buf_fini(&b);
	if (n->conflicts > 0 && tool_verbose >= 0)
		tool_warn("%zu samples had another value at the same time; %s",
		    n->conflicts,
		    replace ? "they were replaced" : "the first was kept");
}

int
store_cmd_limits(int argc, char **argv)
{
	const char *dir = NULL;
	struct store_limits l = { .set = 0 };
	struct opt limits[STORE_LIMITS + 1];
	const struct opt rows[] = {
		{ 'd', "dir", .text = &dir },
		{ .more = limits },
		{ .name = NULL },
	};
	struct buf b = { 0 };
	struct store *s;
	struct error e;
	bool save;

	store_cmd_limits_rows(limits, &l);
	opt_read(argc, argv, rows, 0, store_cmd_usage);
	opt_operands(argc, argv);
	if (optind < argc)
		tool_usage(store_cmd_usage);
	save = l.set != 0;
	s = store_cmd_store(dir, save ? STORE_WRITE : STORE_READ);
	if ((save ? store_limits_save(s, &l, &e)
		  : store_limits_load(s, &l, &e)) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
	if (!save)
		store_limits_print(&b, &l);
	tool_print(&b);
	store_close(s);
	return TOOL_OK;
}
