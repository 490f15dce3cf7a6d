/*
 * mf-serve: the only listener.  It joins net/httpd with the handlers of
 * serve/, and those with what they show: files, a stream, a store.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <unistd.h>

#include "net/listen.h"
#include "opt.h"
#include "serve_run.h"
#include "tool.h"

static const char usage[] =
    "usage: mf-serve [-qv] [-d DIR] [-g ROUTE] [-l ADDRESS] [-m FILE] "
    "[options]\n"
    "\n"
    "  -d, --dir DIR             the API and the page over an mf directory\n"
    "  -g, --get /PATH=TEXT      answer TEXT: an instrumented application\n"
    "  -l, --listen ADDRESS      HOST:PORT, :PORT, unix:PATH (127.0.0.1:9090)\n"
    "  -m, --metrics FILE        exposition text at /metrics; - is stdin\n"
    "      --counter NAME=/PATH=HELP\n"
    "                            count the requests to a route\n"
    "      --enable-feature NAME,...\n"
    "                            what Prometheus has behind this option\n"
    "      --env                 fill ${NAME} in configuration from the\n"
    "                            environment\n"
    "      --external-url URL    how users reach this server\n"
    "      --now TIME            the time to answer for, if not now\n"
    "      --set NAME=VALUE      fill a placeholder in configuration\n"
    "      --sink                print each POST body as a line\n"
    "      --users FILE          a Secret with the pages' user and password\n"
    "      --web-config FILE     TLS, users and headers\n"
    "  -q, --quiet               errors only\n"
    "  -v, --verbose             tell each request\n"
    "  -h, --help                this text\n"
    "  -V, --version             the version\n";

struct opts {
	const char *listen, *dir, *url, *users, *webconf;
	struct opt_list routes, counters, files;
	unsigned features;
	bool face, sink, streaming;
};

/* -m: a file, or the stream. */
static void
metrics(void *arg, const char *option, const char *text)
{
	struct opts *o = arg;

	(void)option;
	if (strcmp(text, "-") == 0)
		o->streaming = true;
	else
		opt_list_add(&o->files, text);
}

static void
enable(void *arg, const char *option, const char *text)
{
	struct opts *o = arg;
	struct error e;

	if (promql_features(str_of(text), &o->features, &e) == -1)
		tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
}

static void
options(struct opts *o, int argc, char **argv)
{
	const struct opt rows[] = {
		{ 'd', "dir", .text = &o->dir },
		{ 'g', "get", .list = &o->routes },
		{ 'l', "listen", .text = &o->listen },
		{ 'm', "metrics", .call = metrics, .arg = o },
		{ 0, "counter", .list = &o->counters },
		{ 0, "enable-feature", .call = enable, .arg = o },
		{ 0, "external-url", .text = &o->url },
		{ 0, "sink", .flag = &o->sink },
		{ 0, "users", .text = &o->users },
		{ 0, "web-config", .text = &o->webconf },
		{ .name = NULL },
	};

	opt_read(argc, argv, rows, OPT_NOW | OPT_CONF, usage);
	if (optind < argc)
		tool_die(TOOL_USAGE, "'%s': no operands", argv[optind]);
	o->face = o->dir != NULL;
}

/* When nothing was asked for: a stream if there is one, else the store. */
static void
choose(struct opts *o)
{
	struct stat st, dir;

	if (o->face || o->sink || o->streaming || o->routes.n > 0 ||
	    o->files.n > 0)
		return;
	if (fstat(STDIN_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) ||
		S_ISSOCK(st.st_mode)))
		o->streaming = true;
	else if (stat(tool_dir(NULL), &dir) == 0)
		o->face = true;
	else
		tool_die(TOOL_USAGE, "nothing to serve: no -d, -g, -m, --sink");
}

/*
 * Each POST body as one line: its line ends and control bytes escaped, but for
 * the one at its end.
 */
static void
sink(void *arg, str body)
{
	struct buf b = { 0 };

	(void)arg;
	if (str_ends(body, STR("\n")))
		body.n--;
	for (size_t i = 0; i < body.n; i++) {
		unsigned char c = (unsigned char)body.p[i];

		if (c == '\n')
			buf_z(&b, "\\n");
		else if (c == '\r')
			buf_z(&b, "\\r");
		else if ((c < ' ' && c != '\t') || c == 0x7f)
			buf_printf(&b, "\\x%02x", c);
		else
			buf_byte(&b, (char)c);
	}
	buf_byte(&b, '\n');
	tool_print(&b);
}

/* What the options say, into s; exits if they can't be done. */
static void
configure(struct serve *s, const struct opts *o, struct buf *warnings)
{
	struct error e;

	for (size_t i = 0; i < o->routes.n; i++)
		if (serve_route(s, o->routes.v[i], &e) == -1)
			tool_die(TOOL_USAGE, "-g: %s", e.msg);
	for (size_t i = 0; i < o->counters.n; i++)
		if (serve_counter(s, o->counters.v[i], &e) == -1)
			tool_die(TOOL_USAGE, "--counter: %s", e.msg);
	if (o->users != NULL &&
	    serve_users(s, o->users, tool_conf_opts(), &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	if (o->webconf != NULL &&
	    serve_webconf(s, o->webconf, tool_conf_opts(), &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	for (size_t i = 0; i < o->files.n; i++) {
		int r = serve_file(s, o->files.v[i], &e);

		if (r == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
		if (r == 1)
			buf_printf(warnings, "%s\n", e.msg);
	}
	if (o->streaming)
		serve_stream(s);
}

/* "listening on" is the first line; what was held back for it comes after. */
static void
announce(const struct httpd *h, struct buf *warnings)
{
	str rest = buf_str(warnings);

	(void)fprintf(stderr, "listening on %s\n", httpd_address(h));
	while (rest.n > 0) {
		str line = str_cut(&rest, '\n');

		tool_warn("%.*s", STR_ARG(line));
	}
	buf_fini(warnings);
}

static struct httpd *
open_server(const struct opts *o, struct serve *s)
{
	struct httpd_limits limits = HTTPD_LIMITS;
	struct error e;
	struct httpd *h = httpd_open(o->listen, &limits, serve_tls(s),
	    tool_clock(), serve_answer, s, &e);

	if (h != NULL)
		return h;
	tool_die(
	    listen_valid(o->listen) ? TOOL_FAILED : TOOL_USAGE, "%s", e.msg);
}

int
main(int argc, char **argv)
{
	struct opts o = { .listen = "127.0.0.1:9090", .url = "" };
	struct serve_opts so = { .version = VERSION };
	struct face *face = NULL;
	struct buf warnings = { 0 };
	struct serve *s;
	struct httpd *h;
	int rc;

	tool_init("mf-serve");
	options(&o, argc, argv);
	choose(&o);
	so.clock = tool_clock();
	so.external_url = str_of(o.url);
	so.features = o.features;
	if (o.face) {
		struct stat st;
		const char *dir = tool_dir(o.dir);

		if (stat(dir, &st) == 0)
			tool_use(dir);
		so.arg = face = face_new(dir);
		so.source = face_source;
		so.draw = face_draw;
	}
	if (o.sink)
		so.sink = sink;
	s = serve_new(&so);
	configure(s, &o, &warnings);
	tool_signals();
	h = open_server(&o, s);
	announce(h, &warnings);
	rc = serve_run(s, h, face, o.streaming);
	httpd_close(h);
	serve_free(s);
	face_free(face);
	opt_list_fini(&o.routes);
	opt_list_fini(&o.counters);
	opt_list_fini(&o.files);
	tool_done(rc);
}
