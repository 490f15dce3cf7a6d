/*
 * Options to one struct; what is wrong with one is said before anything is
 * read or drawn.
 */
#include "plot_opts.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "opt.h"
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
    "      --enable-feature NAME,...\n"
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

static void
threshold(void *arg, const char *option, const char *text)
{
	double *v = arg;

	if (num_parse(str_of(text), v) == -1 || !isfinite(*v))
		tool_die(TOOL_USAGE, "%s: '%s' is not a number", option, text);
}

static int
size(const char *option, const char *text, int least)
{
	const char *why;
	int n = (int)strtonum(text, least, 10000, &why);

	if (why != NULL)
		tool_die(TOOL_USAGE, "%s: '%s' is %s", option, text, why);
	return n;
}

/* Of fewer cells not even a sparkline tells anything. */
static void
width(void *arg, const char *option, const char *text)
{
	struct opts *o = arg;

	o->width = size(option, text, 5);
}

static void
height(void *arg, const char *option, const char *text)
{
	struct opts *o = arg;

	o->height = size(option, text, 1);
}

static void
unit(void *arg, const char *option, const char *text)
{
	struct plot *p = arg;

	p->unit = str_of(text);
	if (!plot_unit_valid(p->unit))
		tool_die(TOOL_USAGE,
		    "%s: '%s' is not known; suffix:%s prints it behind the "
		    "number",
		    option, text, text);
}

void
opts_read(struct opts *o, int argc, char **argv)
{
	static const char *const forms[] = { "text", "svg", "html", NULL };
	static const char *const whens[] = { "auto", "always", "never", NULL };
	const char *title = "";
	int form = OPTS_TEXT, color = TERM_AUTO;
	struct opt in[INPUT_ROWS];
	const struct opt rows[] = {
		{ 'e', "end", .text = &o->view.to },
		{ 'f', "follow", .flag = &o->follow },
		{ 'i', "interval", .span = &o->interval },
		{ 'o', "output", .word = &form, .words = forms },
		{ 's', "start", .text = &o->view.from },
		{ 0, "color", .word = &color, .words = whens },
		{ 0, "crit", .call = threshold, .arg = &o->plot.crit },
		{ 0, "exit-status", .flag = &o->exit_status },
		{ 0, "height", .call = height, .arg = o },
		{ 0, "mark", .list = &o->marks },
		{ 0, "step", .seconds = &o->view.step },
		{ 0, "title", .text = &title },
		{ 0, "tz", .text = &o->zone },
		{ 0, "unit", .call = unit, .arg = &o->plot },
		{ 0, "warn", .call = threshold, .arg = &o->plot.warn },
		{ 0, "width", .call = width, .arg = o },
		{ .more = in },
		{ .name = NULL },
	};

	*o = (struct opts){ .plot = { .warn = NAN, .crit = NAN },
		.zone = "local" };
	input_rows(in, &o->input);
	opt_read(argc, argv, rows, OPT_NOW, usage);
	opt_operands(argc, argv);
	o->plot.title = str_of(title);
	o->form = (enum opts_form)form;
	o->color = (enum term_when)color;
	o->view.marks = o->marks.v;
	o->view.nmarks = o->marks.n;
	o->view.features = input_features(&o->input);
	o->exprs = (const char *const *)argv + optind;
	o->nexprs = (size_t)(argc - optind);
	/* A bad time is an error before anything is read. */
	if (o->view.from != NULL)
		(void)tool_time("-s", o->view.from);
	if (o->view.to != NULL)
		(void)tool_time("-e", o->view.to);
}
