/*
 * What the reading subcommands of mf-store have in common.
 */
#include <unistd.h>

#include "damaged.h"
#include "opt.h"
#include "promql/promql.h"
#include "store_cmd.h"
#include "tool.h"

#define MORE 8 /* options of one subcommand alone, at most */

static void
options(struct store_cmd_read *r, int argc, char **argv, const struct opt *more)
{
	struct opt rows[5 + MORE + 1] = {
		{ 'd', "dir", .text = &r->dir },
		{ 'e', "end", .time = &r->to },
		{ 's', "start", .time = &r->from },
		{ 0, "by-series", .flag = &r->by_series },
		{ 0, "exit-status", .flag = &r->exit_status },
	};

	for (size_t i = 0; more != NULL && more[i].name != NULL; i++)
		rows[5 + i] = more[i];
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
	store_cmd_open_more(r, argc, argv, nfixed, NULL);
}

void
store_cmd_open_more(struct store_cmd_read *r, int argc, char **argv, int nfixed,
    const struct opt *more)
{
	struct error e;

	options(r, argc, argv, more);
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

int
store_cmd_close(struct store_cmd_read *r)
{
	bool damaged = damaged_tell(r->s);

	for (size_t i = 0; i < r->nm; i++)
		match_fini(&r->m[i]);
	store_close(r->s);
	arena_fini(&r->a);
	return damaged ? TOOL_FAILED : TOOL_OK;
}
