/*
 * Options to one struct; what is wrong with one is said before anything is
 * read or drawn.
 */
#include "plot_opts.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "tool.h"

static const char usage[] =
    "usage: mf-plot [options] [expression ...]\n"
    "Draw series as a chart: the text of mf-eval or mf-scrape on stdin, or "
    "the\n"
    "answers to expressions over that text, a store or a remote engine.\n"
    "\n"
    "      --in FILE         read FILE instead of stdin\n"
    "      --input FORM      mf (default) or om, OpenMetrics\n"
    "  -d, --dir DIR         ask the store of DIR\n"
    "  -u, --url URL         ask URL, or the source of FILE[:KEY]\n"
    "      --datasource NAME which of FILE's sources\n"
    "      --connect-to HOST:PORT:HOST:PORT\n"
    "  -s, --start T         begin of the chart (default of expressions: -1h)\n"
    "  -e, --end T           end of the chart\n"
    "      --step DUR        distance of samples\n"
    "  -f, --follow          draw again after each batch, or each interval\n"
    "  -i, --interval DUR    time between two questions of -f (default: step)\n"
    "  -o, --output FORM     text (default), svg or html\n"
    "      --unit ID         unit of values: s, bytes, percentunit, reqps...\n"
    "      --warn N          draw a warning threshold\n"
    "      --crit N          draw a critical one; below --warn: low is bad\n"
    "      --mark EXPR       mark the times when these series are above 0\n"
    "      --title TEXT      title\n"
    "      --width N         cells, or pixels of svg and html\n"
    "      --height N\n"
    "      --tz ZONE         time zone: UTC, local, Europe/Berlin...\n"
    "      --color WHEN      auto (default), always or never\n"
    "      --now T           the present, for relative times\n"
    "      --replay          the present is the newest time of the input\n"
    "      --strict          stop at the first bad line\n"
    "      --exit-status     exit 3 if there is no data, or the last value of\n"
    "                        a series is beyond a threshold\n"
    "  -q, --quiet           no notes\n"
    "  -v, --verbose         more notes\n"
    "  -h, --help\n"
    "  -V, --version\n";

static double
threshold(const char *option, const char *text)
{
	double v;

	if (num_parse(str_of(text), &v) == -1 || !isfinite(v))
		tool_die(TOOL_USAGE, "%s: '%s' is not a number", option, text);
	return v;
}

static int64_t
duration(const char *option, const char *text)
{
	int64_t ms = tool_dur(option, text);

	if (ms <= 0)
		tool_die(
		    TOOL_USAGE, "%s: '%s' is not above zero", option, text);
	return ms;
}

static int
size(const char *option, const char *text)
{
	const char *why;
	int n = (int)strtonum(text, 1, 10000, &why);

	if (why != NULL)
		tool_die(TOOL_USAGE, "%s: '%s' is %s", option, text, why);
	return n;
}

/* One of a list of words, by its place. */
static int
word(const char *option, const char *text, const char *const *words)
{
	struct buf all = { 0 };

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	for (size_t i = 0; words[i] != NULL; i++)
		buf_printf(&all, "%s%s", i > 0 ? ", " : "", words[i]);
	tool_die(TOOL_USAGE, "%s: '%s' is not one of %.*s", option, text,
	    (int)all.n, all.p);
}

enum {
	OPT_IN = 256,
	OPT_DATASOURCE,
	OPT_CONNECT_TO,
	OPT_INPUT,
	OPT_STEP,
	OPT_UNIT,
	OPT_WARN,
	OPT_CRIT,
	OPT_MARK,
	OPT_TITLE,
	OPT_WIDTH,
	OPT_HEIGHT,
	OPT_TZ,
	OPT_COLOR,
	OPT_NOW,
	OPT_REPLAY,
	OPT_STRICT,
	OPT_EXIT_STATUS,
};

static const struct option longs[] = {
	{ "in", required_argument, NULL, OPT_IN },
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "dir", required_argument, NULL, 'd' },
	{ "url", required_argument, NULL, 'u' },
	{ "datasource", required_argument, NULL, OPT_DATASOURCE },
	{ "connect-to", required_argument, NULL, OPT_CONNECT_TO },
	{ "interval", required_argument, NULL, 'i' },
	{ "start", required_argument, NULL, 's' },
	{ "end", required_argument, NULL, 'e' },
	{ "step", required_argument, NULL, OPT_STEP },
	{ "follow", no_argument, NULL, 'f' },
	{ "output", required_argument, NULL, 'o' },
	{ "unit", required_argument, NULL, OPT_UNIT },
	{ "warn", required_argument, NULL, OPT_WARN },
	{ "crit", required_argument, NULL, OPT_CRIT },
	{ "mark", required_argument, NULL, OPT_MARK },
	{ "title", required_argument, NULL, OPT_TITLE },
	{ "width", required_argument, NULL, OPT_WIDTH },
	{ "height", required_argument, NULL, OPT_HEIGHT },
	{ "tz", required_argument, NULL, OPT_TZ },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "now", required_argument, NULL, OPT_NOW },
	{ "replay", no_argument, NULL, OPT_REPLAY },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "exit-status", no_argument, NULL, OPT_EXIT_STATUS },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Options that say how the chart looks; false: another one. */
static bool
look(struct opts *o, int c)
{
	static const char *const whens[] = { "auto", "always", "never", NULL };

	switch (c) {
	case OPT_UNIT:
		o->plot.unit = str_of(optarg);
		if (!plot_unit_valid(o->plot.unit))
			tool_die(TOOL_USAGE,
			    "--unit: '%s' is not known; suffix:%s prints it "
			    "behind the number",
			    optarg, optarg);
		return true;
	case OPT_WARN:
		o->plot.warn = threshold("--warn", optarg);
		return true;
	case OPT_CRIT:
		o->plot.crit = threshold("--crit", optarg);
		return true;
	case OPT_MARK:
		if (o->view.nmarks == sizeof(o->marks) / sizeof(o->marks[0]))
			tool_die(TOOL_USAGE, "--mark: too many");
		o->marks[o->view.nmarks++] = optarg;
		return true;
	case OPT_TITLE:
		o->plot.title = str_of(optarg);
		return true;
	case OPT_WIDTH:
		o->width = size("--width", optarg);
		return true;
	case OPT_HEIGHT:
		o->height = size("--height", optarg);
		return true;
	case OPT_TZ:
		o->zone = optarg;
		return true;
	case OPT_COLOR:
		o->color = (enum term_when)word("--color", optarg, whens);
		return true;
	}
	return false;
}

/* Options that say where the samples are; false: another one. */
static bool
source(struct opts *o, int c)
{
	static const char *const forms[] = { "mf", "om", NULL };
	struct input_opts *in = &o->input;

	switch (c) {
	case OPT_IN:
		in->in = optarg;
		return true;
	case OPT_INPUT:
		in->om = word("--input", optarg, forms) == 1;
		return true;
	case OPT_DATASOURCE:
		in->datasource = optarg;
		return true;
	case OPT_CONNECT_TO:
		if (in->nconnect_to ==
		    sizeof(o->connect_to) / sizeof(o->connect_to[0]))
			tool_die(TOOL_USAGE, "--connect-to: too many");
		o->connect_to[in->nconnect_to++] = optarg;
		in->connect_to = o->connect_to;
		return true;
	case OPT_REPLAY:
		in->replay = true;
		return true;
	case OPT_STRICT:
		in->strict = true;
		return true;
	case 'd':
		in->dir = optarg;
		return true;
	case 'u':
		in->url = optarg;
		return true;
	}
	return false;
}

void
opts_read(struct opts *o, int argc, char **argv)
{
	static const char *const forms[] = { "text", "svg", "html", NULL };
	int c;

	*o = (struct opts){ .plot = { .warn = NAN, .crit = NAN },
		.zone = "local" };
	while ((c = tool_getopt(argc, argv, "+d:e:fhi:o:qs:u:vV", longs)) != -1)
		switch (c) {
		case 's':
			o->view.from = optarg;
			break;
		case 'e':
			o->view.to = optarg;
			break;
		case OPT_STEP:
			o->view.step = duration("--step", optarg);
			break;
		case 'f':
			o->follow = true;
			break;
		case 'i':
			o->interval = duration("-i", optarg);
			break;
		case 'o':
			o->form = (enum opts_form)word("-o", optarg, forms);
			break;
		case OPT_NOW:
			tool_set_now(tool_time("--now", optarg));
			break;
		case OPT_EXIT_STATUS:
			o->exit_status = true;
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
			if (!look(o, c) && !source(o, c))
				tool_usage(usage);
		}
	o->view.marks = o->marks;
	o->exprs = (const char *const *)argv + optind;
	o->nexprs = (size_t)(argc - optind);
	tool_operands(argc, argv);
	/* A bad time is an error before anything is read. */
	if (o->view.from != NULL)
		(void)tool_time("-s", o->view.from);
	if (o->view.to != NULL)
		(void)tool_time("-e", o->view.to);
}
