/*
 * mf-eval: PromQL over text, a store or an engine; rules; text out.  The
 * options; what is done with them is in eval_expr.c, eval_rules.c and
 * eval_check.c.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "eval_cmd.h"

static const char usage[] =
    "usage: mf-eval [options] [-d DIR | -u URL | --in FILE] EXPR ...\n"
    "       mf-eval [options] -c FILE[:KEY] | -r FILE[:KEY]\n"
    "       mf-eval check [-q] [-c FILE[:KEY]] [FILE ...]\n"
    "Evaluate expressions, or the rules of rule files, and print the answers.\n"
    "\n"
    "  -1, --once                  each rule group's latest slot, then end\n"
    "  -c, --config FILE[:KEY]     prometheus.yml, or a key of a manifest\n"
    "  -d, --dir DIR               the mf directory\n"
    "  -e, --end T                 end of a range, or of a replay\n"
    "  -i, --interval DUR          evaluate the expressions every DUR\n"
    "  -n, --dry-run               write nothing but the output\n"
    "  -o, --output FORMAT         text (default), json, csv or tsv\n"
    "  -q, --quiet                 say less\n"
    "  -r, --rules FILE[:KEY]      a rule file\n"
    "  -s, --start T               start of a range, or of a replay\n"
    "  -u, --url URL               "
    "ask this engine, or that of a datasource file\n"
    "  -v, --verbose               say more\n"
    "  -w, --write                 write results into the store, too\n"
    "  -h, --help                  this text\n"
    "  -V, --version               the version\n"
    "      --connect-to H:P:H:P    "
    "go to the second host and port for the first\n"
    "      --datasource NAME       a source of the datasource file by name\n"
    "      --env                   expand ${NAME} of the environment in files\n"
    "      --exit-status           exit 3 when the answer is empty\n"
    "      --external-url URL      where links of alerts lead\n"
    "      --in FILE               read samples from FILE\n"
    "      --input FORM            mf (default) or om, OpenMetrics\n"
    "      --lookback DUR          how old a sample may be (5m)\n"
    "      --now T                 the time it is, with -1 or expressions\n"
    "      --replay                take the time from the input\n"
    "      --resend-delay DUR      how often a firing alert is printed (1m)\n"
    "      --set NAME=VALUE        fill in ${NAME} in files\n"
    "      --step DUR              step of a range\n"
    "      --strict                end at the first bad line of the input\n";

enum {
	OPT_CONNECT_TO = 256,
	OPT_DATASOURCE,
	OPT_ENV,
	OPT_EXIT_STATUS,
	OPT_EXTERNAL_URL,
	OPT_IN,
	OPT_INPUT,
	OPT_LOOKBACK,
	OPT_NOW,
	OPT_REPLAY,
	OPT_RESEND_DELAY,
	OPT_SET,
	OPT_STEP,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "once", no_argument, NULL, '1' },
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, 'd' },
	{ "end", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ "interval", required_argument, NULL, 'i' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "rules", required_argument, NULL, 'r' },
	{ "start", required_argument, NULL, 's' },
	{ "url", required_argument, NULL, 'u' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "write", no_argument, NULL, 'w' },
	{ "connect-to", required_argument, NULL, OPT_CONNECT_TO },
	{ "datasource", required_argument, NULL, OPT_DATASOURCE },
	{ "env", no_argument, NULL, OPT_ENV },
	{ "exit-status", no_argument, NULL, OPT_EXIT_STATUS },
	{ "external-url", required_argument, NULL, OPT_EXTERNAL_URL },
	{ "in", required_argument, NULL, OPT_IN },
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "lookback", required_argument, NULL, OPT_LOOKBACK },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "replay", no_argument, NULL, OPT_REPLAY },
	{ "resend-delay", required_argument, NULL, OPT_RESEND_DELAY },
	{ "set", required_argument, NULL, OPT_SET },
	{ "step", required_argument, NULL, OPT_STEP },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ NULL, 0, NULL, 0 },
};

/* Words that an option may be given several times with. */
struct words {
	const char **v;
	size_t n, cap;
};

static void
add(struct words *w, const char *word)
{
	w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
	w->v[w->n++] = word;
}

static int64_t
positive(const char *option, const char *text)
{
	int64_t ms = tool_dur(option, text);

	if (ms == 0)
		tool_die(TOOL_USAGE, "%s: must not be 0", option);
	return ms;
}

static void
input_form(struct eval_options *o, const char *text)
{
	if (strcmp(text, "om") != 0 && strcmp(text, "mf") != 0)
		tool_die(TOOL_USAGE, "--input: '%s' is not mf or om", text);
	o->in.om = strcmp(text, "om") == 0;
}

static void
long_option(struct eval_options *o, int c, struct words *connect)
{
	switch (c) {
	case OPT_CONNECT_TO:
		add(connect, optarg);
		break;
	case OPT_DATASOURCE:
		o->in.datasource = optarg;
		break;
	case OPT_ENV:
		tool_conf_env();
		break;
	case OPT_EXIT_STATUS:
		o->exit_status = true;
		break;
	case OPT_EXTERNAL_URL:
		o->external_url = optarg;
		break;
	case OPT_IN:
		o->in.in = optarg;
		break;
	case OPT_INPUT:
		input_form(o, optarg);
		break;
	case OPT_LOOKBACK:
		o->lookback = positive("--lookback", optarg);
		break;
	case OPT_NOW:
		tool_set_now(tool_time("--now", optarg));
		break;
	case OPT_REPLAY:
		o->in.replay = true;
		break;
	case OPT_RESEND_DELAY:
		o->resend_delay = positive("--resend-delay", optarg);
		break;
	case OPT_SET:
		tool_conf_set(optarg);
		break;
	case OPT_STEP:
		o->step = optarg;
		break;
	case OPT_STRICT:
		o->in.strict = true;
		break;
	default:
		tool_usage(usage);
	}
}

static void
option(
    struct eval_options *o, int c, struct words *rules, struct words *connect)
{
	switch (c) {
	case '1':
		o->once = true;
		break;
	case 'c':
		o->config = optarg;
		break;
	case 'd':
		o->in.dir = optarg;
		break;
	case 'e':
		o->end = optarg;
		break;
	case 'h':
		tool_help(usage);
	case 'i':
		o->every = positive("-i", optarg);
		break;
	case 'n':
		o->dry_run = true;
		break;
	case 'o':
		if ((o->form = answer_form(optarg)) == NULL)
			tool_die(TOOL_USAGE,
			    "-o: '%s' is not text, json, csv or tsv", optarg);
		break;
	case 'q':
		tool_verbose = -1;
		break;
	case 'r':
		add(rules, optarg);
		break;
	case 's':
		o->start = optarg;
		break;
	case 'u':
		o->in.url = optarg;
		break;
	case 'v':
		tool_verbose++;
		break;
	case 'V':
		tool_version();
	case 'w':
		o->write = true;
		break;
	default:
		long_option(o, c, connect);
	}
}

int
main(int argc, char **argv)
{
	struct eval_options o = { .form = answer_form("text") };
	struct words rules = { 0 }, connect = { 0 };
	bool check;
	int c, status;

	tool_init("mf-eval");
	check = argc > 1 && strcmp(argv[1], "check") == 0;
	if (check) {
		argc--;
		argv++;
	}
	while ((c = tool_getopt(
		    argc, argv, "+1c:d:e:hi:no:qr:s:u:vVw", longs)) != -1)
		option(&o, c, &rules, &connect);
	tool_operands(argc, argv);
	o.rules = rules.v;
	o.nrules = rules.n;
	o.in.connect_to = connect.v;
	o.in.nconnect_to = connect.n;
	o.nexprs = (size_t)(argc - optind);
	o.exprs = (const char *const *)(argv + optind);
	if (check)
		status = eval_check(&o);
	else if (o.nexprs > 0 && o.nrules > 0)
		tool_die(TOOL_USAGE, "rules or expressions, not both");
	else if (o.nexprs > 0)
		status = eval_expr(&o);
	else if (o.nrules > 0 || o.config != NULL)
		status = eval_rules(&o);
	else
		tool_die(TOOL_USAGE,
		    "nothing to evaluate: give an expression, -c or -r FILE");
	free(rules.v);
	free(connect.v);
	tool_done(status);
}
