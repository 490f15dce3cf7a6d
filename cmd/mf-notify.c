/*
 * mf-notify: alert lines in, deliveries out.  The options; what is done with
 * them is in notify_run.c and the subcommands.
 */
#include <getopt.h>
#include <stdlib.h>

#include "base/mem.h"
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

enum {
	OPT_CONNECT_TO = 256,
	OPT_ENV,
	OPT_EXTERNAL_URL,
	OPT_NOW,
	OPT_REPLAY,
	OPT_SET,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "once", no_argument, NULL, '1' },
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, 'd' },
	{ "end", required_argument, NULL, 'e' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "connect-to", required_argument, NULL, OPT_CONNECT_TO },
	{ "env", no_argument, NULL, OPT_ENV },
	{ "external-url", required_argument, NULL, OPT_EXTERNAL_URL },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "replay", no_argument, NULL, OPT_REPLAY },
	{ "set", required_argument, NULL, OPT_SET },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ NULL, 0, NULL, 0 },
};

/* Four parts; an IPv6 address stands in brackets. */
static const char *
connect_to(const char *s)
{
	size_t colons = 0;
	bool inside = false;

	for (const char *p = s; *p != '\0'; p++) {
		if (*p == '[' || *p == ']')
			inside = *p == '[';
		colons += *p == ':' && !inside;
	}
	if (colons != 3)
		tool_die(TOOL_USAGE,
		    "--connect-to: '%s' is not HOST:PORT:HOST:PORT", s);
	return s;
}

static void
long_option(struct notify_options *o, int c)
{
	switch (c) {
	case OPT_CONNECT_TO:
		o->connect_to = mem_grow(o->connect_to, &o->connect_cap,
		    o->nconnect_to + 1, sizeof(*o->connect_to));
		o->connect_to[o->nconnect_to++] = connect_to(optarg);
		break;
	case OPT_ENV:
		tool_conf_env();
		break;
	case OPT_EXTERNAL_URL:
		o->external_url = optarg;
		break;
	case OPT_NOW:
		tool_set_now(tool_time("--now", optarg));
		break;
	case OPT_REPLAY:
		o->replay = true;
		break;
	case OPT_SET:
		tool_conf_set(optarg);
		break;
	case OPT_STRICT:
		o->strict = true;
		break;
	default:
		tool_usage(usage);
	}
}

static void
option(struct notify_options *o, int c)
{
	switch (c) {
	case '1':
		o->once = true;
		break;
	case 'c':
		o->config = optarg;
		break;
	case 'd':
		o->dir = optarg;
		break;
	case 'e':
		o->end = tool_time("-e", optarg);
		o->has_end = true;
		break;
	case 'n':
		o->dry = true;
		break;
	case 'q':
		tool_verbose = -1;
		break;
	case 'v':
		tool_verbose++;
		break;
	case 'h':
		tool_help(usage);
	case 'V':
		tool_version();
	default:
		long_option(o, c);
	}
}

static const struct command {
	const char *name;
	int (*run)(const struct notify_options *o);
} commands[] = {
	{ "alerts", notify_alerts },
	{ "check", notify_check },
	{ "render", notify_render_cmd },
	{ "routes", notify_routes },
};

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
	if (o->has_end && !o->replay)
		tool_die(TOOL_USAGE, "-e goes with --replay only");
	if (tool_now_fixed() && !o->once)
		tool_die(TOOL_USAGE, "--now goes with -1 only");
}

int
main(int argc, char **argv)
{
	struct notify_options o = { 0 };
	int (*run)(const struct notify_options *) = notify_run;
	int c, status;

	tool_init("mf-notify");
	for (size_t i = 0;
	     argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			run = commands[i].run;
			argv++;
			argc--;
			break;
		}
	while ((c = tool_getopt(argc, argv, "+1c:d:e:hnqvV", longs)) != -1)
		option(&o, c);
	tool_operands(argc, argv);
	o.operands = argv + optind;
	o.noperands = (size_t)(argc - optind);
	if (run == notify_run)
		check_run(&o);
	status = run(&o);
	free(o.connect_to);
	tool_done(status);
}
