/*
 * What the reading subcommands of mf-store have in common.
 */
#include <unistd.h>

#include "opt.h"
#include "promql/promql.h"
#include "store_cmd.h"
#include "tool.h"

static void
options(struct store_cmd_read *r, int argc, char **argv)
{
	const struct opt rows[] = {
		{ 'd', "dir", .text = &r->dir },
		{ 'e', "end", .time = &r->to },
		{ 's', "start", .time = &r->from },
		{ 0, "by-series", .flag = &r->by_series },
		{ 0, "exit-status", .flag = &r->exit_status },
		{ .name = NULL },
	};

	r->from = INT64_MIN;
	r->to = INT64_MAX;
	opt_read(argc, argv, rows, OPT_NOW, store_cmd_usage);
	opt_operands(argc, argv);
	if (r->from > r->to)
		tool_die(TOOL_USAGE, "the start is after the end");
}

void
store_cmd_open(struct store_cmd_read *r, int argc, char **argv, int nfixed)
{
	struct error e;

	options(r, argc, argv);
	argc -= optind;
	argv += optind;
	if (argc < nfixed)
		tool_die(TOOL_USAGE, "no label's name given");
	if (argc > nfixed + 1)
		tool_die(TOOL_USAGE, "'%s': one selector at a time",
		    argv[nfixed + 1]);
	if (argc > nfixed) {
		r->expr = argv[nfixed];
		if (promql_parse_matchers(
			str_of(r->expr), &r->a, &r->m, &r->nm, &e) == -1)
			tool_die(TOOL_USAGE, "'%s': %s", r->expr, e.msg);
	}
	r->s = store_cmd_store(r->dir, STORE_READ);
}

void
store_cmd_close(struct store_cmd_read *r)
{
	for (size_t i = 0; i < r->nm; i++)
		match_fini(&r->m[i]);
	store_close(r->s);
	arena_fini(&r->a);
}
