/*
 * What the reading subcommands of mf-store have in common.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "promql/promql.h"
#include "store_cmd.h"
#include "tool.h"

static void
options(struct store_cmd_read *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "by-series", no_argument, NULL, 'b' },
		{ "dir", required_argument, NULL, 'd' },
		{ "end", required_argument, NULL, 'e' },
		{ "exit-status", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ "now", required_argument, NULL, 'N' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "start", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *start = NULL, *end = NULL;
	int c;

	while ((c = tool_getopt(argc, argv, "+d:e:hqs:vV", options)) != -1)
		switch (c) {
		case 'b':
			r->by_series = true;
			break;
		case 'd':
			r->dir = optarg;
			break;
		case 'e':
			end = optarg;
			break;
		case 'h':
			tool_help(store_cmd_usage);
		case 'N':
			tool_set_now(tool_time("--now", optarg));
			break;
		case 'q':
			tool_verbose = -1;
			break;
		case 's':
			start = optarg;
			break;
		case 'v':
			tool_verbose++;
			break;
		case 'V':
			tool_version();
		case 'x':
			r->exit_status = true;
			break;
		default:
			tool_usage(store_cmd_usage);
		}
	/* After --now, which relative times count from. */
	r->from = start == NULL ? INT64_MIN : tool_time("-s", start);
	r->to = end == NULL ? INT64_MAX : tool_time("-e", end);
	if (r->from > r->to)
		tool_die(TOOL_USAGE, "the start is after the end");
}

void
store_cmd_open(struct store_cmd_read *r, int argc, char **argv, int nfixed)
{
	struct error e;

	options(r, argc, argv);
	tool_operands(argc, argv);
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
