/*
 * mf-scrape: targets in, text out.  The options; what is done with them is in
 * scrape_run.c and the subcommands.
 */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "scrape_cmd.h"

static const char usage[] =
    "usage: mf-scrape [options] -c FILE[:KEY] | URL ...\n"
    "       mf-scrape check | targets [-qv] [-d DIR] -c FILE[:KEY]\n"
    "Fetch the targets of a Prometheus configuration, or URLs, and print a\n"
    "batch of text for each, each round.\n"
    "\n"
    "  -1, --once                  scrape every target once, now\n"
    "  -c, --config FILE[:KEY]     prometheus.yml, or a key of a manifest\n"
    "  -d, --dir DIR               the mf directory, for what is remembered\n"
    "  -i, --interval DUR          scrape every DUR, whatever the file says\n"
    "  -n, --dry-run               remember nothing\n"
    "  -q, --quiet                 do not tell of targets that are down\n"
    "  -v, --verbose               tell more\n"
    "  -h, --help                  this text\n"
    "  -V, --version               the version\n"
    "      --connect-to H:P:H:P    "
    "go to the second host and port for the first\n"
    "      --env                   "
    "expand ${NAME} of the environment in the file\n"
    "      --now T                 the time of the round, with -1\n"
    "      --set NAME=VALUE        fill in ${NAME} in the file\n";

enum {
	OPT_CONNECT_TO = 256,
	OPT_ENV,
	OPT_NOW,
	OPT_SET,
};

static const struct option longs[] = {
	{ "once", no_argument, NULL, '1' },
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, 'd' },
	{ "interval", required_argument, NULL, 'i' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "connect-to", required_argument, NULL, OPT_CONNECT_TO },
	{ "env", no_argument, NULL, OPT_ENV },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "set", required_argument, NULL, OPT_SET },
	{ NULL, 0, NULL, 0 },
};

/* Four parts; an IPv6 address stands in brackets. */
static const char *
connect_to(const char *s)
{
	size_t colons = 0;
	bool in = false;

	for (const char *p = s; *p != '\0'; p++) {
		if (*p == '[' || *p == ']')
			in = *p == '[';
		colons += *p == ':' && !in;
	}
	if (colons != 3)
		tool_die(TOOL_USAGE,
		    "--connect-to: '%s' is not HOST:PORT:HOST:PORT", s);
	return s;
}

static void
option(struct scrape_options *o, int c)
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
	case 'i':
		if ((o->every = tool_dur("-i", optarg)) == 0)
			tool_die(TOOL_USAGE, "-i: must not be 0");
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
	case OPT_CONNECT_TO:
		o->connect_to = mem_grow(o->connect_to, &o->connect_cap,
		    o->nconnect_to + 1, sizeof(*o->connect_to));
		o->connect_to[o->nconnect_to++] = connect_to(optarg);
		break;
	case OPT_ENV:
		tool_conf_env();
		break;
	case OPT_NOW:
		tool_set_now(tool_time("--now", optarg));
		break;
	case OPT_SET:
		tool_conf_set(optarg);
		break;
	default:
		tool_usage(usage);
	}
}

int
scrape_plan_load(
    struct scrape_plan *p, const struct scrape_options *o, struct error *e)
{
	char host[256] = "";

	*p = (struct scrape_plan){ 0 };
	if (o->config == NULL) {
		p->set = scrape_new();
		for (size_t i = 0; i < o->noperands; i++)
			if (scrape_add(p->set, str_of(o->operands[i]),
				o->every ? o->every : 60000, e) == -1)
				goto fail;
		return 0;
	}
	(void)gethostname(host, sizeof(host) - 1);
	p->conf = promconf_load(o->config, tool_conf_opts(), e);
	if (p->conf == NULL)
		goto fail;
	p->set = scrape_load(p->conf, str_hash(str_of(host)), e);
	if (p->set == NULL)
		goto fail;
	if (o->every > 0)
		scrape_set_interval(p->set, o->every);
	return 0;
fail:
	scrape_plan_free(p);
	return -1;
}

void
scrape_plan_free(struct scrape_plan *p)
{
	scrape_free(p->set);
	promconf_free(p->conf);
	*p = (struct scrape_plan){ 0 };
}

void
scrape_plan_warn(const struct scrape_plan *p)
{
	for (size_t i = 0; p->conf != NULL && i < p->conf->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(p->conf->warnings[i]));
	for (size_t i = 0; i < p->set->nwarnings; i++)
		tool_warn("%.*s", STR_ARG(p->set->warnings[i]));
}

static const struct command {
	const char *name;
	int (*run)(const struct scrape_options *o);
} commands[] = {
	{ "check", scrape_check },
	{ "targets", scrape_targets },
};

int
main(int argc, char **argv)
{
	struct scrape_options o = { 0 };
	int (*run)(const struct scrape_options *) = scrape_run;
	int c, status;

	tool_init("mf-scrape");
	for (size_t i = 0; argc > 1 && i < 2; i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			run = commands[i].run;
			argv++;
			argc--;
			break;
		}
	while ((c = tool_getopt(argc, argv, "+1c:d:hi:nqvV", longs)) != -1)
		option(&o, c);
	tool_operands(argc, argv);
	o.operands = argv + optind;
	o.noperands = (size_t)(argc - optind);
	/* What other tools check is an operand, too. */
	if (run == scrape_check && o.config == NULL && o.noperands == 1) {
		o.config = o.operands[0];
		o.noperands = 0;
	}
	if (o.config != NULL && o.noperands > 0)
		tool_die(TOOL_USAGE,
		    "%s: URLs and a configuration do not go together",
		    o.operands[0]);
	if (o.config == NULL && o.noperands == 0)
		tool_die(
		    TOOL_USAGE, "nothing to scrape: give -c FILE or a URL");
	if (tool_now_fixed() && !o.once)
		tool_die(TOOL_USAGE, "--now goes with -1 only");
	status = run(&o);
	free(o.connect_to);
	tool_done(status);
}
