/*
 * mf-eval: PromQL over text, a store or an engine; rules; text out.  The
 * options; what is done with them is in eval_expr.c, eval_rules.c and
 * eval_check.c.
 */
#include <stdlib.h>
#include <unistd.h>

#include "eval_cmd.h"
#include "opt.h"

static const char usage[] =
    "usage: mf-eval [options] [-d DIR | -u URL | --in FILE] EXPR ...\n"
    "       mf-eval [options] -c FILE[:KEY] | -r FILE[:KEY]\n"
    "       mf-eval check [-q] [-c FILE[:KEY]] [FILE ...]\n"
    "       mf-eval explain [options] EXPR ...\n"
    "       mf-eval fmt [-D NAME=EXPR] [EXPR ...]\n"
    "       mf-eval parse [-D NAME=EXPR] [-o FORMAT] [EXPR ...]\n"
    "       mf-eval test [-qv] FILE ...\n"
    "Evaluate expressions, or the rules of rule files, and print the answers.\n"
    "\n"
    "  -1, --once                  each rule group's latest slot, then end\n"
    "  -D, --define NAME=EXPR      a name for an expression\n"
    "  -c, --config FILE[:KEY]     prometheus.yml, or a key of a manifest\n"
    "  -d, --dir DIR               the mf directory\n"
    "  -e, --end T                 end of a range, or of a replay\n"
    "  -i, --interval DUR          evaluate the expressions every DUR\n"
    "  -n, --dry-run               write nothing but the output\n"
    "  -o, --output FORMAT         stream, table, json, ndjson, csv or tsv\n"
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
    "      --enable-feature NAMES  what Prometheus has behind this option\n"
    "      --env                   expand ${NAME} of the environment in files\n"
    "      --exit-status           exit 3 when the answer is empty\n"
    "      --external-url URL      where links of alerts lead\n"
    "      --in FILE               read samples from FILE\n"
    "      --input FORM            mf (default) or om, OpenMetrics\n"
    "      --lookback DUR          how old a sample may be (5m)\n"
    "      --max-samples N         of a query in memory (50000000)\n"
    "      --max-series N          of a selector (no limit)\n"
    "      --now T                 the time it is, with -1 or expressions\n"
    "      --replay                take the time from the input\n"
    "      --resend-delay DUR      how often a firing alert is printed (1m)\n"
    "      --set NAME=VALUE        fill in ${NAME} in files\n"
    "      --step DUR              step of a range; auto (default)\n"
    "      --strict                end at the first bad line of the input\n"
    "      --timeout DUR           of a query (2m)\n"
    "      --tz ZONE               time zone of times (UTC)\n";

static void
form(void *arg, const char *option, const char *text)
{
	struct eval_options *o = arg;

	if ((o->form = answer_form(text)) == NULL)
		tool_die(TOOL_USAGE,
		    "%s: '%s' is not stream, table, json, ndjson, csv or tsv",
		    option, text);
}

static void
count(void *arg, const char *option, const char *text)
{
	size_t *n = arg;
	const char *why;

	*n = (size_t)strtonum(text, 1, INT64_MAX, &why);
	if (why != NULL)
		tool_die(TOOL_USAGE, "%s: '%s' is %s", option, text, why);
}

static void
step(void *arg, const char *option, const char *text)
{
	struct eval_options *o = arg;

	o->step = strcmp(text, "auto") == 0 ? 0 : tool_seconds(option, text);
}

static void
options(struct eval_options *o, int argc, char **argv)
{
	struct opt in[INPUT_ROWS];
	const struct opt rows[] = {
		{ '1', "once", .flag = &o->once },
		{ 'D', "define", .list = &o->defines },
		{ 'c', "config", .text = &o->config },
		{ 'e', "end", .text = &o->end },
		{ 'i', "interval", .span = &o->every },
		{ 'n', "dry-run", .flag = &o->dry_run },
		{ 'o', "output", .call = form, .arg = o },
		{ 'r', "rules", .list = &o->rules },
		{ 's', "start", .text = &o->start },
		{ 'w', "write", .flag = &o->write },
		{ 0, "exit-status", .flag = &o->exit_status },
		{ 0, "external-url", .text = &o->external_url },
		{ 0, "lookback", .seconds = &o->lookback },
		{ 0, "max-samples", .call = count, .arg = &o->max_samples },
		{ 0, "max-series", .call = count, .arg = &o->max_series },
		{ 0, "resend-delay", .span = &o->resend_delay },
		{ 0, "step", .call = step, .arg = o },
		{ 0, "timeout", .seconds = &o->timeout },
		{ 0, "tz", .text = &o->zone },
		{ .more = in },
		{ .name = NULL },
	};

	input_rows(in, &o->in);
	opt_read(argc, argv, rows, OPT_NOW | OPT_CONF, usage);
	opt_operands(argc, argv);
	o->nexprs = (size_t)(argc - optind);
	o->exprs = (const char *const *)(argv + optind);
}

/* A subcommand that came behind options: it may be a metric, so go on. */
static void
late_command(const struct eval_options *o, const char *const *commands)
{
	for (size_t i = 0; o->nexprs > 1 && commands[i] != NULL; i++)
		if (strcmp(o->exprs[0], commands[i]) == 0)
			tool_warn("'%s' is taken for an expression: "
				  "a subcommand stands before the options",
			    commands[i]);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct eval_options *o);
	} runs[] = { { "check", eval_check }, { "explain", eval_explain },
		{ "fmt", eval_fmt }, { "parse", eval_parse_tree },
		{ "test", eval_test } };
	static const char *const commands[] = { "check", "explain", "fmt",
		"parse", "test", NULL };
	struct eval_options o = { .form = NULL };
	size_t command;
	int status;

	tool_init("mf-eval");
	command = opt_command(&argc, &argv, commands);
	options(&o, argc, argv);
	eval_define(&o);
	if (commands[command] == NULL)
		late_command(&o, commands);
	if (commands[command] != NULL)
		status = runs[command].run(&o);
	else if (o.nexprs > 0 && o.rules.n > 0)
		tool_die(TOOL_USAGE, "rules or expressions, not both");
	else if (o.nexprs > 0)
		status = eval_expr(&o);
	else if (o.rules.n > 0 || o.config != NULL)
		status = eval_rules(&o);
	else
		tool_die(TOOL_USAGE,
		    "nothing to evaluate: give an expression, -c or -r FILE");
	opt_list_fini(&o.rules);
	opt_list_fini(&o.in.connect);
	opt_list_fini(&o.defines);
	arena_fini(&o.arena);
	tool_done(status);
}
