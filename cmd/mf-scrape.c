/*
 * mf-scrape: targets in, text out.  The options; what is done with them is in
 * scrape_run.c and the subcommands.
 */
#include <unistd.h>

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

static void
options(struct scrape_options *o, int argc, char **argv)
{
	const struct opt rows[] = {
		{ '1', "once", .flag = &o->once },
		{ 'c', "config", .text = &o->config },
		{ 'd', "dir", .text = &o->dir },
		{ 'i', "interval", .span = &o->every },
		{ 'n', "dry-run", .flag = &o->dry },
		{ 0, "connect-to", .connect = &o->connect },
		{ .name = NULL },
	};

	opt_read(argc, argv, rows, OPT_NOW | OPT_CONF, usage);
	opt_operands(argc, argv);
	o->operands = argv + optind;
	o->noperands = (size_t)(argc - optind);
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

int
main(int argc, char **argv)
{
	static const char *const commands[] = { "check", "targets", NULL };
	static int (*const runs[])(const struct scrape_options *) = {
		scrape_check, scrape_targets, scrape_run
	};
	struct scrape_options o = { 0 };
	size_t command;
	int status;

	tool_init("mf-scrape");
	command = opt_command(&argc, &argv, commands);
	options(&o, argc, argv);
	/* What other tools check is an operand, too. */
	if (runs[command] == scrape_check && o.config == NULL &&
	    o.noperands == 1) {
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
	status = runs[command](&o);
	opt_list_fini(&o.connect);
	tool_done(status);
}
