/*
 * file_sd_configs: the files that patterns match, read anew when inotify says
 * that something happened beside them, and every refresh_interval in any case.
 * A file that can't be read keeps its last good groups; one that is gone takes
 * them with it.
 *
 * What is watched is a pattern's directory or, where that is missing, the
 * nearest one above it, and always the directory, never the file: editors,
 * configuration management and Kubernetes put a new file in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "scrape/sd_impl.h"

#define MAX_FILE (64 << 20)
#define SETTLE 50 /* ms from the first event to the look at the files */
#define PAUSE 500 /* ms from one look to the next */
#define EVENTS                                                                 \
	(IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |  \
	    IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct file_sd {
	const struct conf_node *files;
	int64_t interval;
	/* from here on of the running */
	struct arena a;
	char **patterns;
	size_t npatterns;
	int *wd;
	size_t nwd, wd_cap;
	int64_t looked;
	size_t at; /* where the next source is likely to be */
};

static const struct conf_field fields[] = {
	{ "files", CONF_T_NODE, offsetof(struct file_sd, files), false },
	{ "refresh_interval", CONF_T_DUR, offsetof(struct file_sd, interval),
	    false },
};

/* '*' in the last component alone, and a name that says the form. */
static bool
pattern_valid(str s)
{
	static const str ends[] = { STR_INIT(".json"), STR_INIT(".yml"),
		STR_INIT(".yaml"), STR_INIT(".JSON"), STR_INIT(".YML"),
		STR_INIT(".YAML") };
	str tail = str_skip(s, str_chr(s, '*') + 1);
	size_t i = 0, n = sizeof(ends) / sizeof(*ends);

	while (i < n && !str_ends(s, ends[i]))
		i++;
	return i < n &&
	    (str_chr(s, '*') == s.n || str_chr(tail, '/') == tail.n) &&
	    memchr(s.p, '\0', s.n) == NULL;
}

static bool
is_json(str name)
{
	return str_ends(name, STR(".json")) || str_ends(name, STR(".JSON"));
}

static int
load(const struct conf_node *n, struct file_sd *s, struct error *e)
{
	*s = (struct file_sd){ .interval = 300000 };
	if (conf_read(n, fields, 2, s, e) == -1)
		return -1;
	if (s->interval <= 0)
		return conf_error(conf_find(n, "refresh_interval"), e,
		    "refresh_interval must not be 0");
	if (s->files == NULL || (s->files->kind == CONF_LIST && !s->files->n))
		return conf_error(n, e,
		    "file service discovery config must contain at least one "
		    "path name");
	if (s->files->kind != CONF_LIST)
		return conf_error(s->files, e, "files: expected a list");
	for (size_t i = 0; i < s->files->n; i++) {
		const struct conf_node *f = s->files->v[i];

		if (f->kind != CONF_SCALAR || !pattern_valid(f->value))
			return conf_error(f, e,
			    "path name \"%.*s\" is not valid for file "
			    "discovery",
			    STR_ARG(f->value));
	}
	return 0;
}

static int
check(const struct conf_node *n, struct error *e)
{
	struct file_sd s;

	return load(n, &s, e);
}

/* A path without "." components and double slashes, as labels show it. */
static char *
clean(struct arena *a, str path)
{
	struct buf b = { 0 };
	bool rooted = path.n > 0 && path.p[0] == '/';
	char *z;

	while (path.p != NULL) {
		str part = str_cut(&path, '/');

		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (b.n > 0 || rooted)
			buf_byte(&b, '/');
		buf_add(&b, part);
	}
	z = arena_cstr(a, buf_str(&b));
	buf_fini(&b);
	return z;
}

/* A pattern relative to the directory of its configuration. */
static char *
place(struct arena *a, const struct conf_node *n)
{
	str dir = conf_name(n->conf);

	if (n->value.n > 0 && n->value.p[0] == '/')
		return arena_cstr(a, n->value);
	while (dir.n > 0 && dir.p[dir.n - 1] != '/')
		dir.n--;
	return clean(
	    a, arena_printf(a, "%.*s%.*s", STR_ARG(dir), STR_ARG(n->value)));
}

/* The text of a file, or of a key of a manifest. */
static void
take(struct sd_find *f, struct sd_source *s, str text)
{
	sd_source_text(
	    f, s, text, is_json(s->name), STR("__meta_filepath"), true);
}

/* Files come in the same order nearly every time. */
static struct sd_source *
source_of(struct sd_find *f, str name)
{
	struct file_sd *s = f->own;

	if (s->at >= f->n || !str_eq(f->v[s->at]->name, name))
		for (s->at = 0; s->at < f->n; s->at++)
			if (str_eq(f->v[s->at]->name, name))
				break;
	if (s->at == f->n)
		(void)sd_source_add(f, name);
	return f->v[s->at++];
}

/*
 * 1 and the text, 0 if there is no such file, -1.  It never waits: a FIFO or a
 * device of a matching name is an error.
 */
static int
read_text(const char *path, struct buf *b, struct error *e)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc = -1;

	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : error_errno(e, "%s", path);
	if (fstat(fd, &st) == -1)
		error_errno(e, "%s", path);
	else if (!S_ISREG(st.st_mode))
		error_set(e, "%s: not a regular file", path);
	else if (st.st_size > MAX_FILE)
		error_set(e, "%s: larger than 64 MiB", path);
	else if (file_read_fd(fd, path, b, e) == 0)
		rc = 1;
	close(fd);
	return rc;
}

static void
look_at(struct sd_find *f, const char *path)
{
	struct sd_source *s;
	struct buf b = { 0 };
	struct error e;
	int r = read_text(path, &b, &e);

	if (r != 0) {
		s = source_of(f, str_of(path));
		s->mark = true;
		if (r == 1)
			take(f, s, buf_str(&b));
		else
			sd_source_lost(s, &e);
	}
	buf_fini(&b);
}

static void
remember(struct file_sd *s, int wd)
{
	for (size_t i = 0; i < s->nwd; i++)
		if (s->wd[i] == wd)
			return;
	s->wd = mem_grow(s->wd, &s->wd_cap, s->nwd + 1, sizeof(*s->wd));
	s->wd[s->nwd++] = wd;
}

/* Watch the directory of a pattern, or what is there of the way to it. */
static void
watch(struct scrape_sd *sd, struct file_sd *s, str path)
{
	size_t root = path.n > 0 && path.p[0] == '/';
	struct buf dir = { 0 };
	uint32_t extra = 0;
	int wd = -1;

	do {
		while (path.n > root && path.p[path.n - 1] != '/')
			path.n--;
		while (path.n > root && path.p[path.n - 1] == '/')
			path.n--;
		buf_reset(&dir);
		buf_add(&dir, path.n > 0 ? path : STR("."));
		wd = inotify_add_watch(
		    sd->inotify, buf_cstr(&dir), EVENTS | extra);
		extra = IN_MASK_ADD;
	} while (
	    wd == -1 && (errno == ENOENT || errno == ENOTDIR) && path.n > root);
	if (wd != -1)
		remember(s, wd);
	buf_fini(&dir);
}

/* A directory that is not there has no files; of another nobody knows. */
static int
unreadable(const char *path, int err)
{
	(void)path;
	return err != ENOENT && err != ENOTDIR;
}

/* A pattern whose directory can't be read: its files are as they were. */
static void
keep(struct sd_find *f, const char *pattern, const struct error *e)
{
	struct sd_source *s = source_of(f, str_of(pattern));

	s->mark = true;
	sd_source_lost(s, e);
	for (size_t i = 0; i < f->n; i++) {
		struct buf name = { 0 };

		buf_add(&name, f->v[i]->name);
		if (fnmatch(pattern, buf_cstr(&name), FNM_PATHNAME) == 0)
			f->v[i]->mark = true;
		buf_fini(&name);
	}
}

static void
look_for(struct sd_find *f, const char *pattern)
{
	struct error e;
	glob_t g;
	int rc;

	if (strpbrk(pattern, "*?[\\") == NULL) {
		look_at(f, pattern);
		return;
	}
	rc = glob(pattern, GLOB_PERIOD, unreadable, &g);
	if (rc == GLOB_ABORTED || rc == GLOB_NOSPACE) {
		error_errno(&e, "%s", pattern);
		keep(f, pattern, &e);
	}
	if (rc != 0)
		return;
	for (size_t k = 0; k < g.gl_pathc; k++)
		look_at(f, g.gl_pathv[k]);
	globfree(&g);
}

/* Watched first, read then, so that no change falls between. */
static void
look(struct sd_find *f, int64_t now)
{
	struct file_sd *s = f->own;

	for (size_t i = 0; i < f->n; i++)
		f->v[i]->mark = f->v[i]->fixed;
	for (size_t i = 0; f->sd->inotify >= 0 && i < s->npatterns; i++)
		watch(f->sd, s, str_of(s->patterns[i]));
	s->at = 0;
	for (size_t i = 0; i < s->npatterns; i++)
		look_for(f, s->patterns[i]);
	for (size_t i = f->n; i > 0; i--)
		if (!f->v[i - 1]->mark)
			sd_source_drop(f, f->v[i - 1]);
	f->ready = true;
	s->looked = now;
	f->due = now + s->interval;
}

/* Something happened in a directory: is it one of this find's? */
static void
happened(struct sd_find *f, const struct inotify_event *v, int64_t now)
{
	struct file_sd *s = f->own;
	int64_t due = s->looked + PAUSE;
	size_t i = 0;

	while (i < s->nwd && s->wd[i] != v->wd)
		i++;
	if (i == s->nwd && (v->mask & IN_Q_OVERFLOW) == 0)
		return;
	if (due < now + SETTLE)
		due = now + SETTLE;
	if (due < f->due)
		f->due = due;
	if (v->mask & IN_IGNORED) /* the number may come again */
		s->wd[i] = s->wd[--s->nwd];
}

void
sd_file_events(struct scrape_sd *sd, int64_t now)
{
	_Alignas(struct inotify_event) char b[16384];
	const struct inotify_event *v;
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		if ((n = read(sd->inotify, b, sizeof(b))) <= 0)
			return;
		for (const char *p = b; p < b + n; p += sizeof(*v) + v->len) {
			v = (const void *)p;
			for (size_t k = 0; k < sd->n; k++)
				if (sd->v[k]->kind == &sd_file)
					happened(sd->v[k], v, now);
		}
	}
}

/*
 * In a manifest a path whose last component is a key of it means that key,
 * whose text is here and stays as it is: true and taken.
 */
static bool
take_key(struct sd_find *f, const struct conf_node *n, const char *path)
{
	const char *name = strrchr(path, '/');
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct sd_source *s;
	struct error e;
	bool found = false;
	str only;

	/* below /dev/null is no file, so what can be read is a key */
	only = arena_printf(&a, "/dev/null/%s", name != NULL ? name + 1 : path);
	if (conf_key(n->conf).n > 0)
		found = conf_read_from(n->conf, only, &b, &e) == 0;
	if (found) {
		s = sd_source_add(f, str_of(path));
		s->fixed = true;
		take(f, s, buf_str(&b));
	}
	buf_fini(&b);
	arena_fini(&a);
	return found;
}

static int
open_file(struct sd_find *f, struct error *e)
{
	struct file_sd *s = mem_zero(1, sizeof(*s));

	f->own = s;
	if (load(f->node, s, e) == -1)
		return -1;
	s->patterns = arena_array(&s->a, s->files->n, char *);
	for (size_t i = 0; i < s->files->n; i++) {
		const struct conf_node *n = s->files->v[i];

		s->patterns[s->npatterns] = place(&s->a, n);
		if (!take_key(f, n, s->patterns[s->npatterns]))
			s->npatterns++;
	}
	if (f->sd->inotify == SD_CLOSED)
		f->sd->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return 0;
}

static void
close_file(struct sd_find *f)
{
	struct file_sd *s = f->own;

	arena_fini(&s->a);
	free(s->wd);
	free(s);
}

const struct sd_kind sd_file = {
	.key = STR_INIT("file_sd_configs"),
	.check = check,
	.open = open_file,
	.close = close_file,
	.step = look,
};
