/*
 * /metrics: the page of what was given (files, a stream), regrouped, and then
 * our own metrics, but for families that the page has already: a page that
 * names a family twice is not valid, and the user's data goes first.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/process.h"
#include "serve/context.h"

struct source_file {
	char *path;
	struct stat seen; /* when it was read last */
	struct page *page;
	size_t bad; /* lines that did not parse */
	bool up;
	struct error *why; /* while it is read: where the first bad line goes */
};

struct expose {
	struct source_file *files;
	size_t nfiles, cap;
	struct page *stream; /* NULL: none */
};

struct expose *
expose_new(void)
{
	return mem_zero(1, sizeof(struct expose));
}

void
expose_free(struct expose *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->nfiles; i++) {
		page_free(x->files[i].page);
		free(x->files[i].path);
	}
	free(x->files);
	page_free(x->stream);
	free(x);
}

static bool
active(const struct expose *x)
{
	return x->nfiles > 0 || x->stream != NULL;
}

static void
on_bad_line(void *arg, const char *msg)
{
	struct source_file *f = arg;

	if (f->bad++ == 0 && f->why != NULL)
		error_set(f->why, "%s:%s", f->path, msg);
}

/* Whole text into a page; t is the time of samples that have none. */
static void
apply_text(struct page *p, str text, enum expo_form form, int64_t t,
    struct source_file *f)
{
	struct batch_reader *r =
	    batch_new(form, t, false, f ? on_bad_line : NULL, f);
	struct batch b;

	batch_feed(r, text);
	while (batch_next(r, &b) == 1)
		page_apply(p, &b);
	batch_end(r);
	while (batch_next(r, &b) == 1)
		page_apply(p, &b);
	batch_free(r);
}

static bool
changed(const struct stat *a, const struct stat *b)
{
	return a->st_ino != b->st_ino || a->st_dev != b->st_dev ||
	    a->st_size != b->st_size ||
	    a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	    a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

/*
 * Bring a file's page up to date.  A file that is gone, or cannot be read,
 * has an empty one, and its mf_serve_file_up is 0.
 */
static int
refresh(struct source_file *f, struct error *e)
{
	enum expo_form form =
	    str_ends(str_of(f->path), STR(".om")) ? EXPO_OM : EXPO_MF;
	struct buf b = { 0 };
	struct stat st;

	if (f->up && stat(f->path, &st) == 0 && !changed(&st, &f->seen))
		return 0;
	memset(&st, 0, sizeof(st));
	f->up = false;
	f->bad = 0;
	page_free(f->page);
	f->page = page_new();
	if (stat(f->path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(e, "%s: not a regular file", f->path);
	if (file_read(f->path, &b, e) == -1) {
		buf_fini(&b);
		return -1;
	}
	if (b.n > 0 && b.p[b.n - 1] != '\n')
		buf_byte(&b, '\n');
	f->why = e;
	apply_text(f->page, buf_str(&b), form,
	    st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000, f);
	f->why = NULL;
	f->seen = st;
	f->up = true;
	buf_fini(&b);
	return f->bad ? 1 : 0;
}

int
serve_file(struct serve *s, const char *path, struct error *e)
{
	struct expose *x = s->expose;
	struct source_file *f;

	x->files =
	    mem_grow(x->files, &x->cap, x->nfiles + 1, sizeof(*x->files));
	f = &x->files[x->nfiles++];
	*f = (struct source_file){ .path = mem_cstr(str_of(path)) };
	return refresh(f, e);
}

void
serve_stream(struct serve *s)
{
	if (s->expose->stream == NULL)
		s->expose->stream = page_new();
}

void
serve_apply(struct serve *s, const struct batch *b)
{
	page_apply(s->expose->stream, b);
}

void
expose_family(
    struct buf *b, const char *name, const char *type, const char *help)
{
	expo_put_help(b, str_of(name), str_of(help));
	expo_put_type(b, str_of(name), str_of(type));
}

void
expose_value(struct buf *b, const char *name, const struct label *v, size_t n,
    double value)
{
	struct label all[8] = { { LABEL_NAME, str_of(name) } };

	for (size_t i = 0; i < n; i++)
		all[i + 1] = v[i];
	expo_put_sample_now(b, (struct labels){ all, n + 1 }, value);
}

static void
put_process(struct buf *b)
{
	struct process_metric v[PROCESS_METRICS];
	size_t n = process_read(v);

	for (size_t i = 0; i < n; i++) {
		bool total = str_ends(str_of(v[i].name), STR("_total"));

		expose_family(
		    b, v[i].name, total ? "counter" : "gauge", v[i].help);
		expose_value(b, v[i].name, NULL, 0, v[i].value);
	}
}

/* The page of all that was given. */
static void
print_given(struct expose *x, struct buf *b, bool times)
{
	struct page *all;
	struct buf text = { 0 };

	if (x->nfiles == 0 && x->stream != NULL) {
		page_print(x->stream, b, times);
		return;
	}
	if (x->nfiles == 1 && x->stream == NULL) {
		page_print(x->files[0].page, b, times);
		return;
	}
	all = page_new();
	if (x->stream != NULL) {
		page_print(x->stream, &text, true);
		apply_text(all, buf_str(&text), EXPO_MF, 0, NULL);
	}
	for (size_t i = 0; i < x->nfiles; i++) {
		buf_reset(&text);
		page_print(x->files[i].page, &text, true);
		apply_text(all, buf_str(&text), EXPO_MF, 0, NULL);
	}
	page_print(all, b, times);
	page_free(all);
	buf_fini(&text);
}

static void
put_traffic(struct buf *b, const struct serve *s)
{
	static const char name[] = "mf_serve_http_request_duration_seconds";
	const struct traffic *t = s->traffic;
	char code[16];
	struct label v[2] = { { STR("code"), STR_NONE },
		{ STR("handler"), STR_NONE } };

	if (s->ntraffic == 0)
		return;
	expose_family(b, "mf_serve_http_requests_total", "counter",
	    "HTTP requests answered, by status and handler.");
	for (size_t i = 0; i < s->ntraffic; i++) {
		snprintf(code, sizeof(code), "%d", t[i].status);
		v[0].value = str_of(code);
		v[1].value = str_of(t[i].handler);
		expose_value(b, "mf_serve_http_requests_total", v, 2,
		    (double)t[i].count);
	}
	expose_family(b, name, "summary",
	    "Time taken by handlers, by status and handler, in seconds.");
	for (size_t i = 0; i < s->ntraffic; i++) {
		snprintf(code, sizeof(code), "%d", t[i].status);
		v[0].value = str_of(code);
		v[1].value = str_of(t[i].handler);
		expose_value(b, "mf_serve_http_request_duration_seconds_sum", v,
		    2, t[i].seconds);
		expose_value(b, "mf_serve_http_request_duration_seconds_count",
		    v, 2, (double)t[i].count);
	}
}

static void
put_files(struct buf *b, const struct expose *x)
{
	struct label v = { STR("file"), STR_NONE };

	if (x->nfiles == 0)
		return;
	expose_family(b, "mf_serve_file_up", "gauge",
	    "Whether a file served could be read.");
	for (size_t i = 0; i < x->nfiles; i++) {
		v.value = str_of(x->files[i].path);
		expose_value(b, "mf_serve_file_up", &v, 1, x->files[i].up);
	}
	expose_family(b, "mf_serve_file_bad_lines", "gauge",
	    "Lines of a file served that did not parse and are left out.");
	for (size_t i = 0; i < x->nfiles; i++) {
		v.value = str_of(x->files[i].path);
		expose_value(b, "mf_serve_file_bad_lines", &v, 1,
		    (double)x->files[i].bad);
	}
	expose_family(b, "mf_serve_file_modified_time_seconds", "gauge",
	    "When a file served was written, in seconds since 1970.");
	for (size_t i = 0; i < x->nfiles; i++) {
		const struct timespec *t = &x->files[i].seen.st_mtim;

		v.value = str_of(x->files[i].path);
		if (x->files[i].up)
			expose_value(b, "mf_serve_file_modified_time_seconds",
			    &v, 1,
			    (double)t->tv_sec + (double)t->tv_nsec / 1e9);
	}
}

static void
print_own(struct serve *s, struct buf *b)
{
	struct label v = { STR("version"), str_of(s->o.version) };

	app_print(s->app, b);
	if (s->o.source != NULL) {
		expose_family(b, "mf_build_info", "gauge",
		    "A constant 1, labelled with the version of mf.");
		expose_value(b, "mf_build_info", &v, 1, 1);
		put_traffic(b, s);
	}
	put_files(b, s->expose);
	put_process(b);
}

/* The name a line of a page is about: of its metadata, or of its sample. */
static str
family_of(str line)
{
	if (str_starts(line, STR("# HELP ")) ||
	    str_starts(line, STR("# TYPE ")))
		line = str_skip(line, 7);
	else if (str_starts(line, STR("#")))
		return STR_NONE;
	line = str_take(line, str_chr(line, ' '));
	return str_take(line, str_chr(line, '{'));
}

/* Add own to page, without the families that the page has. */
static void
join(struct buf *page, str own)
{
	struct buf given = { 0 };
	struct map names = { 0 };
	str rest, last = STR_NONE;
	bool skip = false;

	buf_add(&given, buf_str(page)); /* the page moves as it grows */
	rest = buf_str(&given);
	while (rest.n > 0) {
		str name = family_of(str_cut(&rest, '\n'));

		if (name.n > 0 && !str_eq(name, last))
			map_add(&names, last = name, NULL);
	}
	while (own.n > 0) {
		str line = str_cut(&own, '\n');

		if (str_starts(line, STR("# HELP ")))
			skip = map_find(&names, family_of(line)) != NULL;
		if (skip)
			continue;
		buf_add(page, line);
		buf_byte(page, '\n');
	}
	map_fini(&names);
	buf_fini(&given);
}

void
expose_handle(struct exchange *x)
{
	struct expose *ex = x->s->expose;
	bool times = str_eq(httpd_param(x->q, "times"), STR("1"));
	struct buf own = { 0 };
	struct error e;

	for (size_t i = 0; i < ex->nfiles; i++)
		refresh(&ex->files[i], &e);
	if (active(ex)) {
		print_given(ex, &x->a->body, times);
		print_own(x->s, &own);
		join(&x->a->body, buf_str(&own));
		buf_fini(&own);
	} else
		print_own(x->s, &x->a->body);
	x->a->content_type = "text/plain; version=0.0.4; charset=utf-8";
	x->a->gzip = true;
}
