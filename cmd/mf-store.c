/*
 * mf-store: text into a directory, and out of it.  This file finds the
 * subcommand; each has its own (cmd/store_*.c).
 */
#include <string.h>
#include <unistd.h>

#include "opt.h"
#include "store_cmd.h"
#include "tool.h"

const char store_cmd_usage[] =
    "usage: mf-store append [-nqSv] [-d dir] [--any-time] [--input form]\n"
    "           [--now time] [--replace] [--strict] [limit ...] [file ...]\n"
    "       mf-store select [-qv] [-d dir] [-e time] [-s time] [--after time]\n"
    "           [--by-series] [--exit-status] [selector]\n"
    "       mf-store series [-d dir] [-e time] [-s time] [--exit-status] "
    "[selector]\n"
    "       mf-store labels [-d dir] [-e time] [-s time] [--exit-status] "
    "[selector]\n"
    "       mf-store values [-d dir] [-e time] [-s time] [--exit-status] name "
    "[selector]\n"
    "       mf-store metadata [-d dir] [--exit-status] [selector]\n"
    "       mf-store info [-d dir] [-o form] [--top number]\n"
    "       mf-store check [-q] [-d dir] [--repair]\n"
    "       mf-store compact [-qv] [-d dir] [-i dur] [--keep [selector=]dur]\n"
    "           [--max-size size] [--seal]\n"
    "       mf-store delete [-qv] [-d dir] [-e time] [-s time] selector\n"
    "       mf-store export [-qv] [-d dir] [-e time] [-s time] [--by-day]\n"
    "           [--tsdb dir] [selector]\n"
    "       mf-store import [-qSv] [-d dir] [--any-time] [--replace] "
    "[limit ...]\n"
    "           block ...\n"
    "       mf-store limits [-d dir] [limit ...]\n"
    "       mf-store -h | -V\n"
    "Put streams of metrics into a directory, and get them back.\n"
    "\n"
    "  -d, --dir DIR      the mf directory\n"
    "  -e, --end TIME     nothing after TIME\n"
    "  -i, --interval DUR stay, and compact every DUR\n"
    "  -n, --dry-run      read and report, store nothing\n"
    "  -o, --output FORM  of info: table (default) or json\n"
    "  -q, --quiet        do not tell of conflicts\n"
    "  -s, --start TIME   nothing before TIME\n"
    "  -S, --sync         to the disk with every batch\n"
    "  -v, --verbose      tell what was done\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n"
    "      --after TIME   only what is after TIME, or after a batch's time\n"
    "      --any-time     take times that look like seconds\n"
    "      --by-day       blocks of a day, not of two hours\n"
    "      --by-series    in label order, each series in time order\n"
    "      --exit-status  exit 3 if nothing is printed\n"
    "      --input FORM   mf (default), om for OpenMetrics, text for a page\n"
    "      --keep [SELECTOR=]DUR  how long to keep samples\n"
    "      --max-size SIZE  the oldest days go until the rest fits\n"
    "      --max-age DUR, --max-future DUR  limits of times, by the clock\n"
    "      --max-label-length N, --max-labels N, --max-series N\n"
    "                     limits of series that are new to their day\n"
    "      --now TIME     the time of samples without one\n"
    "      --ooo-window DUR  how far behind the newest sample one may be\n"
    "      --repair       set aside what is damaged, keep what is whole of it\n"
    "      --replace      a new value takes the place of an old one\n"
    "      --seal         the segment that is written to, too\n"
    "      --strict       stop at the first line that does not parse\n"
    "      --top NUMBER   rows in each table of info\n"
    "      --tsdb DIR     write blocks of Prometheus into DIR\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "append", store_cmd_append },
	{ "select", store_cmd_select },
	{ "series", store_cmd_series },
	{ "labels", store_cmd_labels },
	{ "values", store_cmd_values },
	{ "info", store_cmd_info },
	{ "check", store_cmd_check },
	{ "compact", store_cmd_compact },
	{ "delete", store_cmd_delete },
	{ "export", store_cmd_export },
	{ "import", store_cmd_import },
	{ "limits", store_cmd_limits },
	{ "metadata", store_cmd_metadata },
};

struct store *
store_cmd_store(const char *dir, enum store_mode mode)
{
	struct error e;
	struct store *s;

	if (mode == STORE_WRITE)
		tool_use(tool_dir(dir));
	s = store_open(tool_path(tool_dir(dir), "store", ""), mode, &e);
	if (s == NULL)
		tool_die(TOOL_FAILED, "%s", e.msg);
	return s;
}

int
main(int argc, char **argv)
{
	static const struct opt none[] = { { .name = NULL } };

	tool_init("mf-store");
	opt_read(argc, argv, none, 0, store_cmd_usage);
	argc -= optind;
	argv += optind;
	if (argc == 0)
		tool_usage(store_cmd_usage);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(argv[0], commands[i].name) == 0) {
			optind = 0;
			tool_done(commands[i].run(argc, argv));
		}
	tool_warn("no subcommand '%s'", argv[0]);
	tool_usage(store_cmd_usage);
}
