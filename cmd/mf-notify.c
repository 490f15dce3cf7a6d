/*
 * mf-notify: alert lines in, deliveries out.  The options; what is done with
 * them is in notify_run.c and the subcommands.
 */
#include <unistd.h>

#include "notify_cmd.h"

static const char usage[] =
    "usage: mf-notify [-1nqv] -c FILE[:KEY] [-d DIR] [--replay [-e T]]\n"
    "       mf-notify alerts | check | render | routes [-c FILE[:KEY]] ...\n"
    "Route, group and send the alerts that stand in the stream on stdin, as "
    "an\n"
    "Alertmanager does with the same configuration.\n"
    "\n"
    "  -1, --once                  read stdin to its end, then take one step\n"
    "  -c, --config FILE[:KEY]     alertmanager.yml, or a key of a manifest\n"
    "  -d, --dir DIR               the mf directory, for what is remembered\n"
    "  -e, --end T                 let a replay run on to this time\n"
    "  -n, --dry-run               "
    "print deliveries as JSON lines, send nothing\n"
    "  -q, --quiet                 say less\n"
    "  -v, --verbose               say more\n"
    "  -h, --help                  this text\n"
    "  -V, --version               the version\n"
    "      --connect-to H:P:H:P    "
    "go to the second host and port for the first\n"
    "      --env                   "
    "expand ${NAME} of the environment in the file\n"
    "      --external-url URL      what links lead to\n"
    "      --now T                 the time of the step, with -1\n"
    "      --replay                take the time from the input\n"
    "      --set NAME=VALUE        fill in ${NAME} in the file\n"
    "      --strict                drop a batch with a bad line\n";

static void
options(struct notify_options *o, int argc, char **argv)
{
	const struct opt rows[] = {
		{ '1', "once", .flag = &o->once },
		{ 'c', "config", .text = &o->config },
		{ 'd', "dir", .text = &o->dir },
		{ 'e', "end", .time = &o->end },
		{ 'n', "dry-run", .flag = &o->dry },
		{ 0, "connect-to", .connect = &o->connect },
		{ 0, "external-url", .text = &o->external_url },
		{ 0, "replay", .flag = &o->replay },
		{ 0, "strict", .flag = &o->strict },
		{ .name = NULL },
	};

	opt_read(argc, argv, rows, OPT_NOW | OPT_CONF, usage);
	opt_operands(argc, argv);
	o->operands = argv + optind;
	o->noperands = (size_t)(argc - optind);
}

/* What only makes sense together, when stdin is to be read. */
static void
check_run(const struct notify_options *o)
{
	if (o->noperands > 0)
		tool_die(TOOL_USAGE, "'%s': not a subcommand", o->operands[0]);
	if (o->config == NULL)
		tool_die(TOOL_USAGE, "no receivers: give -c FILE");
	if (o->replay && o->once)
		tool_die(TOOL_USAGE, "-1 and --replay do not go together");
	if (o->end != NOTIFY_NO_END && !o->replay)
		tool_die(TOOL_USAGE, "-e goes with --replay only");
	if (tool_now_fixed() && !o->once)
		tool_die(TOOL_USAGE, "--now goes with -1 only");
}

int
main(int argc, char **argv)
{
	static const char *const commands[] = { "alerts", "check", "render",
		"routes", NULL };
	static int (*const runs[])(
	    const struct notify_options *) = { notify_alerts, notify_check,
		notify_render_cmd, notify_routes, notify_run };
	struct notify_options o = { .end = NOTIFY_NO_END };
	size_t command;
	int status;

	tool_init("mf-notify");
	command = opt_command(&argc, &argv, commands);
	options(&o, argc, argv);
	if (commands[command] == NULL)
		check_run(&o);
	status = runs[command](&o);
	opt_list_fini(&o.connect);
	tool_done(status);
}
