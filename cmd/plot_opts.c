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
    "usage: mf-plot [options]\n"
    "Draw series as a chart, from the text of mf-eval or mf-scrape on stdin.\n"
    "\n"
    "      --in FILE         read FILE instead of stdin\n"
    "      --input FORM      mf (default) or om, OpenMetrics\n"
    "  -s, --start T         begin of the chart\n"
    "  -e, --end T           end of the chart\n"
    "      --step DUR        distance of samples, for gaps\n"
    "  -f, --follow          draw again after each batch\n"
    "  -o, --output FORM     text (default), svg or html\n"
    "      --unit ID         unit of values: s, bytes, percentunit, reqps...\n"
    "      --warn N          draw a warning threshold\n"
    "      --crit N          draw a critical threshold; below --warn: a low "
    "one\n"
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
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	tool_die(TOOL_USAGE, "%s: '%s' is not known", option, text);
}

enum {
	OPT_IN = 256,
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

void
opts_read(struct opts *o, int argc, char **argv)
{
	static const char *const forms[] = { "text", "svg", "html", NULL };
	static const char *const inputs[] = { "mf", "om", NULL };
	int c;

	*o = (struct opts){ .input = EXPO_MF,
		.plot = { .warn = NAN, .crit = NAN },
		.zone = "local" };
	while ((c = getopt_long(argc, argv, "+e:fho:qs:vV", longs, NULL)) != -1)
		switch (c) {
		case OPT_IN:
			o->in = optarg;
			if (str_ends(str_of(optarg), STR(".om")))
				o->input = EXPO_OM;
			break;
		case OPT_INPUT:
			o->input = word("--input", optarg, inputs) == 0
			    ? EXPO_MF
			    : EXPO_OM;
			break;
		case 's':
			o->view.from = optarg;
			break;
		case 'e':
			o->view.to = optarg;
			break;
		case OPT_STEP:
			o->view.step = tool_dur("--step", optarg);
			break;
		case 'f':
			o->follow = true;
			break;
		case 'o':
			o->form = (enum opts_form)word("-o", optarg, forms);
			break;
		case OPT_NOW:
			tool_set_now(tool_time("--now", optarg));
			break;
		case OPT_REPLAY:
			o->replay = true;
			break;
		case OPT_STRICT:
			o->strict = true;
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
			if (!look(o, c))
				tool_usage(usage);
		}
	if (optind < argc)
		tool_usage(usage);
	o->view.marks = o->marks;
	/* A bad time is an error before anything is read. */
	if (o->view.from != NULL)
		(void)tool_time("-s", o->view.from);
	if (o->view.to != NULL)
		(void)tool_time("-e", o->view.to);
}
