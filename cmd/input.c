/*
 * One of three: a stream that is read in blocks and handed out in batches, a
 * store that is opened when it is asked, or an engine somewhere else.
 */
#include "input.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "damaged.h"
#include "tool.h"
#include "wire/promapi.h"

struct input {
	struct input_opts o;
	enum input_kind kind;
	/* a stream */
	const char *name; /* for messages */
	int fd;
	bool quiet; /* stdout is no terminal */
	struct file_lines lines;
	struct batch_reader *reader;
	/* a store */
	char *path;
	struct store *store;
	/* expressions over the same samples of it, see input_share() */
	struct promql_expr *const *x;
	size_t nx;
	struct source base;
	struct promql_share *share;
	bool damaged; /* not all of it could be read */
	/* an engine */
	struct arena arena;
	struct promapi_server server;
	struct fetch *fetch;
};

static void
enable(void *arg, const char *option, const char *text)
{
	struct input_opts *o = arg;
	struct error e;

	if (promql_features(str_of(text), &o->features, &e) == -1)
		tool_die(TOOL_USAGE, "%s: %s", option, e.msg);
}

unsigned
input_features(const struct input_opts *o)
{
	bool remote = o->url != NULL && o->in == NULL && !o->replay;

	return remote ? PROMQL_EVERYTHING : o->features;
}

void
input_rows(struct opt rows[static INPUT_ROWS], struct input_opts *o)
{
	static const char *const forms[] = { "mf", "om", NULL };
	const struct opt v[INPUT_ROWS] = {
		{ 'd', "dir", .text = &o->dir },
		{ 'u', "url", .text = &o->url },
		{ 0, "connect-to", .connect = &o->connect },
		{ 0, "datasource", .text = &o->datasource },
		{ 0, "enable-feature", .call = enable, .arg = o },
		{ 0, "in", .text = &o->in },
		{ 0, "input", .word = &o->form, .words = forms },
		{ 0, "replay", .flag = &o->replay },
		{ 0, "strict", .flag = &o->strict },
		{ .name = NULL },
	};

	memcpy(rows, v, sizeof(v));
}

static bool
stdin_has_text(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) ||
		S_ISSOCK(st.st_mode));
}

static void
report(void *arg, const char *msg)
{
	const struct input *in = arg;

	if (in->o.strict)
		tool_die(TOOL_FAILED, "%s:%s", in->name, msg);
	tool_fault(in->name, msg);
}

static void
open_stream(struct input *in)
{
	const char *file = in->o.in;
	enum expo_form form = EXPO_MF;

	in->kind = INPUT_STREAM;
	in->fd = STDIN_FILENO;
	in->name = "stdin";
	if (file != NULL && strcmp(file, "-") != 0) {
		in->name = file;
		in->fd = open(file, O_RDONLY | O_CLOEXEC);
		if (in->fd == -1)
			tool_die(TOOL_FAILED, "%s: %s", file, strerror(errno));
	}
	if (in->o.form == 1 || str_ends(str_of(in->name), STR(".om")))
		form = EXPO_OM;
	in->quiet = isatty(STDOUT_FILENO) == 0;
	file_lines_init(&in->lines, in->fd);
	in->reader = batch_new(form, tool_now(), in->o.strict, report, in);
}

static void
open_remote(struct input *in)
{
	struct error e;

	in->kind = INPUT_REMOTE;
	if (*in->o.url == '\0')
		tool_die(TOOL_USAGE, "-u: the URL is empty");
	if (promapi_load(in->o.url, in->o.datasource, tool_conf_opts(),
		&in->arena, &in->server, &e) == -1)
		tool_die(TOOL_USAGE, "%s", e.msg);
	in->fetch = fetch_new(
	    tool_clock(), "mf/" VERSION, in->o.connect.v, in->o.connect.n);
}

struct input *
input_open(const struct input_opts *o)
{
	struct input *in = mem_zero(1, sizeof(*in));

	in->o = *o;
	in->fd = -1;
	if (o->in != NULL || o->replay) {
		open_stream(in);
	} else if (o->url != NULL) {
		open_remote(in);
	} else if (o->dir == NULL && stdin_has_text()) {
		open_stream(in);
	} else {
		in->kind = INPUT_STORE;
		in->path = strdup(tool_path(tool_dir(o->dir), "store", ""));
		if (in->path == NULL)
			tool_die(TOOL_FAILED, "out of memory");
	}
	return in;
}

void
input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->kind == INPUT_STREAM) {
		file_lines_fini(&in->lines);
		batch_free(in->reader);
		if (in->fd != STDIN_FILENO)
			(void)close(in->fd);
	}
	promql_share_free(in->share);
	if (in->store != NULL) {
		(void)damaged_tell(in->store);
		store_close(in->store);
	}
	if (in->fetch != NULL)
		fetch_free(in->fetch);
	arena_fini(&in->arena);
	free(in->path);
	free(in);
}

enum input_kind
input_kind(const struct input *in)
{
	return in->kind;
}

const char *
input_store(const struct input *in)
{
	return in->path;
}

int
input_fd(const struct input *in)
{
	return in->fd;
}

bool
input_read(struct input *in)
{
	struct pollfd p = { in->fd, POLLIN, 0 };
	struct error e;
	str block;
	int rc = file_lines_next(&in->lines, &block, &e);

	if (rc == -1)
		tool_die(TOOL_FAILED, "%s: %s", in->name, e.msg);
	if (rc == 1) {
		batch_feed(in->reader, block);
		/* Not among answers on the same terminal. */
		if (in->quiet)
			tool_progress(in->name, in->fd);
	}
	if (rc == 0)
		batch_end(in->reader);
	/* Half a line, or a descriptor that does not block: no busy loop. */
	if (rc == 2)
		(void)poll(&p, 1, 100);
	return rc != 0;
}

int
input_next(struct input *in, struct batch *b)
{
	if (!in->o.replay)
		batch_set_time(in->reader, tool_now());
	return batch_next(in->reader, b);
}

size_t
input_bad(struct input *in)
{
	if (in->store != NULL)
		in->damaged = damaged_tell(in->store) || in->damaged;
	return in->reader != NULL ? batch_bad(in->reader) : in->damaged;
}

void
input_all(struct input *in, struct series_set *set, int64_t from)
{
	struct batch b;
	size_t batches = 0;
	bool more;

	do {
		more = input_read(in);
		while (input_next(in, &b) == 1) {
			series_apply(set, &b);
			if (from != INT64_MIN && ++batches % 256 == 0)
				series_drop(set, from);
		}
	} while (more);
	if (from != INT64_MIN)
		series_drop(set, from);
}

int
input_source(struct input *in, struct series_set *set, struct source *src,
    struct error *e)
{
	if (in->kind == INPUT_REMOTE)
		return error_set(e, "a remote engine has answers, no samples");
	if (in->kind == INPUT_STREAM) {
		*src = series_source(set);
		return 0;
	}
	if (in->store == NULL)
		in->store = store_open(in->path, STORE_READ, e);
	if (in->store == NULL)
		return -1;
	in->damaged = damaged_tell(in->store) || in->damaged;
	*src = store_source(in->store);
	return 0;
}

static int
series_cmp(const void *a, const void *b)
{
	const struct promql_series *x = a, *y = b;

	return label_cmp(x->labels, y->labels);
}

/* What an engine answered, as our own evaluation would have given it. */
static int
remote_result(const struct promapi_answer *in, bool ordered, struct arena *a,
    struct promql_result *r, struct error *e)
{
	static const enum promql_type types[] = { PROMQL_SCALAR, PROMQL_STRING,
		PROMQL_VECTOR, PROMQL_MATRIX };
	struct promql_series *v = arena_array(a, in->n, struct promql_series);

	*r = (struct promql_result){ .type = types[in->type],
		.string = in->string,
		.t = in->t,
		.warnings = in->warnings,
		.nwarnings = in->nwarnings };
	for (size_t i = 0; i < in->n; i++)
		v[i] = (struct promql_series){ .labels = in->v[i].labels,
			.t = in->v[i].t,
			.v = in->v[i].v,
			.h = in->v[i].h,
			.n = in->v[i].n };
	/* Engines give series in any order, but where one is asked for. */
	if (in->n > 1 && !ordered)
		qsort(v, in->n, sizeof(*v), series_cmp);
	r->v = v;
	r->n = in->n;
	if (r->type != PROMQL_SCALAR)
		return 0;
	if (in->n != 1 || in->v[0].n != 1)
		return error_set(e, "the engine's scalar has no value");
	r->scalar = in->v[0].v[0];
	r->t = in->v[0].t[0];
	r->n = 0;
	return 0;
}

/*
 * SIGINT ends the query that is being answered, and those behind it, with a
 * message; where the tool itself sees to signals, it ends as it does else.
 */
static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool
stop(void *arg)
{
	(void)arg;
	return interrupted != 0;
}

static int
evaluate(const struct source *src, const struct promql_expr *x,
    const struct promql_opts *o, struct arena *a, struct promql_result *r,
    struct error *e)
{
	const struct clock *clock = tool_clock();
	struct promql_watch watch = { clock->mono, stop, clock->arg };
	struct sigaction sa = { .sa_handler = on_interrupt }, old;
	struct promql_opts watched = *o;
	int rc;

	if (o->watch != NULL)
		return promql_eval(x, src, o, a, r, e);
	watched.watch = &watch;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, NULL, &old);
	if (old.sa_handler == SIG_DFL)
		(void)sigaction(SIGINT, &sa, NULL);
	rc = promql_eval(x, src, &watched, a, r, e);
	(void)sigaction(SIGINT, &old, NULL);
	return rc;
}

void
input_share(struct input *in, struct promql_expr *const *x, size_t n)
{
	if (in->share != NULL)
		source_hold(&in->base, false);
	promql_share_free(in->share);
	in->share = NULL;
	in->x = x;
	in->nx = in->kind == INPUT_STORE && n > 1 ? n : 0;
}

/* The source of the expressions that were given to input_share(). */
static struct source
shared(struct input *in, const struct source *base, const struct promql_opts *o)
{
	if (in->share == NULL) {
		in->base = *base;
		in->share = promql_share_new(&in->base, 0);
		source_hold(&in->base, true);
		for (size_t i = 0; i < in->nx; i++)
			promql_share_expect(in->share, in->x[i], o);
	}
	return promql_share_source(in->share);
}

int
input_ask(struct input *in, struct series_set *set, const struct promql_expr *x,
    const struct promql_opts *o, struct arena *a, struct promql_result *r,
    struct error *e)
{
	struct promql_opts together = *o;
	struct source src;

	if (in->kind == INPUT_REMOTE) {
		struct promapi_answer answer;
		struct buf text = { 0 };
		int rc;

		promql_print(&text, x);
		rc = promapi_query(in->fetch, &in->server, buf_str(&text),
		    o->from, o->to, o->step, a, &answer, e);
		buf_fini(&text);
		if (rc == 0)
			return remote_result(&answer,
			    o->step == 0 && promql_ordered(x), a, r, e);
		*r = (struct promql_result){ .failure = answer.refused
			    ? PROMQL_REFUSED
			    : PROMQL_EXECUTION };
		return -1;
	}
	if (input_source(in, set, &src, e) == -1)
		return -1;
	if (in->nx > 0) {
		src = shared(in, &src, o);
		together.share = in->share;
	}
	return evaluate(&src, x, &together, a, r, e);
}
