/*
 * mf-scrape: targets in, text out.  The options; what they name is loaded in
 * scrape_plan.c, the loop begins in scrape_run.c.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scrape_cmd.h"

static const char usage[] =
    "usage: mf-scrape [options] -c FILE[:KEY] | URL ...\n"
    "       mf-scrape check [-q] [-c] FILE[:KEY]\n"
    "       mf-scrape targets [-q] [-d DIR] [-o table|json] [--explain]\n"
    "                         [-c FILE[:KEY]]\n"
    "       mf-scrape check-metrics [--extended] [FILE]\n"
    "Fetch the targets of a Prometheus configuration, or URLs, and print a\n"
    "batch of text for each, each round.\n"
    "\n"
    "  -1, --once                  scrape every target once, now\n"
    "  -c, --config FILE[:KEY]     prometheus.yml, or a key of a manifest\n"
    "  -d, --dir DIR               the mf directory, for what is remembered\n"
    "  -i, --interval DUR          scrape every DUR, whatever the file says\n"
    "  -n, --dry-run               remember nothing\n"
    "  -o, --output FORMAT         of targets: table, json\n"
    "  -q, --quiet                 do not tell of targets that are down\n"
    "  -v, --verbose               tell more\n"
    "  -h, --help                  this text\n"
    "  -V, --version               the version\n"
    "      --connect-to H:P:H:P    "
    "go to the second host and port for the first\n"
    "      --dns-server ADDR:PORT  "
    "ask this server for dns_sd_configs\n"
    "      --env                   "
    "expand ${NAME} of the environment in the file\n"
    "      --explain               "
    "of targets: what relabelling did, step by step\n"
    "      --extended              "
    "check-metrics: tell how many series there are\n"
    "      --keep-known            "
    "past sample_limit drop new series, not rounds\n"
    "      --now T                 the time of the round, with -1\n"
    "      --self                  tell of mf-scrape itself, too\n"
    "      --set NAME=VALUE        fill in ${NAME} in the file\n"
    "      --shard I/N             "
    "only the I-th of N parts of the targets, from 0\n";

/* I/N: the I-th of N, counted from 0 as hashmod does. */
static void
shard(void *arg, const char *option, const char *text)
{
	struct scrape_options *o = arg;
	str rest = str_of(text), first = str_cut(&rest, '/');
	const char *bad = NULL;
	char i[16] = "";
	long long n;

	if (rest.p == NULL || first.n >= sizeof(i))
		tool_die(TOOL_USAGE, "%s: '%s' is not I/N", option, text);
	(void)memcpy(i, first.p, first.n);
	n = strtonum(rest.p, 1, 1 << 20, &bad);
	if (bad == NULL)
		o->shard = (uint32_t)strtonum(i, 0, n - 1, &bad);
	if (bad != NULL)
		tool_die(TOOL_USAGE,
		    "%s: '%s' is not I/N with I from 0 to N - 1", option, text);
	o->shards = (uint32_t)n;
}

static void
options(struct scrape_options *o, int argc, char **argv)
{
	static const char *const forms[] = { "table", "json", NULL };
	const struct opt rows[] = {
		{ '1', "once", .flag = &o->once },
		{ 'c', "config", .text = &o->config },
		{ 'd', "dir", .text = &o->dir },
		{ 'i', "interval", .span = &o->every },
		{ 'n', "dry-run", .flag = &o->dry },
		{ 'o', "output", .word = &o->form, .words = forms },
		{ 0, "connect-to", .connect = &o->connect },
		{ 0, "dns-server", .text = &o->dns_server },
		{ 0, "explain", .flag = &o->explain },
		{ 0, "extended", .flag = &o->extended },
		{ 0, "keep-known", .flag = &o->keep_known },
		{ 0, "self", .flag = &o->self },
		{ 0, "shard", .call = shard, .arg = o },
		{ .name = NULL },
	};

	opt_read(argc, argv, rows, OPT_NOW | OPT_CONF, usage);
	opt_operands(argc, argv);
	o->operands = argv + optind;
	o->noperands = (size_t)(argc - optind);
}

/*
 * Operands that were meant as something else: a host of that name would only
 * be down, round after round.
 */
static void
refuse_slips(const struct scrape_options *o, const char *const *commands)
{
	struct stat st;

	for (size_t i = 0; i < o->noperands; i++) {
		const char *s = o->operands[i];

		for (size_t k = 0; commands[k] != NULL; k++)
			if (strcmp(s, commands[k]) == 0)
				tool_die(TOOL_USAGE,
				    "%s: a subcommand stands before the "
				    "options",
				    s);
		if (strchr(s, ':') == NULL && stat(s, &st) == 0 &&
		    S_ISREG(st.st_mode))
			tool_die(TOOL_USAGE,
			    "%s: a file: -c %s if it is a configuration, "
			    "file:%s if a page, http://%s for the host",
			    s, s, s, s);
	}
}

/* What an option was given for is not done: it would be passed over. */
static void
refuse_idle(const struct scrape_options *o, bool config, bool show, bool lint)
{
	const struct conf_opts *c = tool_conf_opts();
	const struct {
		const char *name, *with;
		bool idle;
	} t[] = {
		{ "--output", "targets", o->form != -1 && !show },
		{ "--explain", "targets", o->explain && !show },
		{ "--extended", "check-metrics", o->extended && !lint },
		{ "--env", "-c", c->env_on && !config },
		{ "--set", "-c", c->nset > 0 && !config },
		{ "--keep-known", "-c", o->keep_known && !config },
		{ "--dns-server", "-c", o->dns_server != NULL && !config },
		{ "--shard", "-c", o->shards > 0 && !config },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].idle)
			tool_die(TOOL_USAGE, "%s goes with %s only", t[i].name,
			    t[i].with);
}

int
main(int argc, char **argv)
{
	static const char *const commands[] = { "check", "targets",
		"check-metrics", NULL };
	static int (*const runs[])(const struct scrape_options *) = {
		scrape_check, scrape_show, scrape_lint, scrape_run
	};
	struct scrape_options o = { .form = -1 };
	size_t command;
	int status;

	tool_init("mf-scrape");
	command = opt_command(&argc, &argv, commands);
	options(&o, argc, argv);
	if (runs[command] == scrape_lint) {
		refuse_idle(&o, false, false, true);
		tool_done(scrape_lint(&o));
	}
	/* What other tools check is an operand, too. */
	if (runs[command] == scrape_check && o.config == NULL &&
	    o.noperands == 1) {
		o.config = o.operands[0];
		o.noperands = 0;
	}
	if (runs[command] == scrape_run)
		refuse_slips(&o, commands);
	if (o.config != NULL && o.noperands > 0)
		tool_die(TOOL_USAGE,
		    "%s: URLs and a configuration do not go together",
		    o.operands[0]);
	if (o.config == NULL && o.noperands == 0 &&
	    runs[command] != scrape_show)
		tool_die(
		    TOOL_USAGE, "nothing to scrape: give -c FILE or a URL");
	refuse_idle(&o, o.config != NULL, runs[command] == scrape_show, false);
	if (tool_now_fixed() && !o.once)
		tool_die(TOOL_USAGE, "--now goes with -1 only");
	status = runs[command](&o);
	opt_list_fini(&o.connect);
	tool_done(status);
}
