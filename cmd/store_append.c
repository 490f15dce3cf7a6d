/*
 * mf-store append: batches from stdin or files into the store, each committed
 * as soon as it is complete.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "damaged.h"
#include "opt.h"
#include "store_cmd.h"
#include "tool.h"

#define HOLD ((size_t)1 << 18) /* read at once */
#define HELD_MAX ((size_t)32 << 20)
#define MISSES 16

struct append {
	const char *dir;
	const char *input; /* --input; NULL: by the file's name */
	bool dry, strict;
	struct store_opts opts;
	struct store *s;
	struct store_counts n;
	struct error why;
	const char *name; /* of the input, for messages */
	size_t batches;
	int status;
};

static void
report(void *arg, const char *msg)
{
	struct append *a = arg;

	tool_fault(a->name, msg);
	a->status = TOOL_FAILED;
}

static enum expo_form
form_of(const struct append *a)
{
	str name = str_of(a->name);

	if (a->input == NULL)
		return str_ends(name, STR(".om")) ? EXPO_OM : EXPO_MF;
	if (strcmp(a->input, "mf") == 0)
		return EXPO_MF;
	if (strcmp(a->input, "om") == 0)
		return EXPO_OM;
	return EXPO_PAGE;
}

/* Take every batch that is complete; false to stop. */
static bool
take(struct append *a, struct batch_reader *r)
{
	struct error e;
	struct batch b;

	while (batch_next(r, &b) == 1) {
		if (a->dry) {
			a->batches++;
			continue;
		}
		a->opts.now = tool_now();
		if (store_append(a->s, &b, &a->opts, &a->n, &a->why, &e) ==
		    -1) {
			tool_warn("%s", e.msg);
			a->status = TOOL_FAILED;
			return false;
		}
		a->batches++;
		if (a->why.msg[0] != '\0') {
			tool_fault(a->name, a->why.msg);
			a->why.msg[0] = '\0';
			a->status = TOOL_FAILED;
			if (a->strict)
				return false;
		}
	}
	return !a->strict || batch_bad(r) == 0;
}

/*
 * The beginning of an input, the short way (store_append_text): batch after
 * batch from what is held, which is read on while they last.
 */
struct begin {
	struct buf held;
	size_t at;       /* what of it is done */
	size_t seen;     /* how far its end was looked for */
	unsigned misses; /* batches in a row that went the long way */
	bool eof;
};

/*
 * Take the pages of a buffer at once: a fault for each would cost more than
 * all else that is done with a page of metrics.  Only speed is lost without.
 */
static void
populate(char *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t off = (page - (uintptr_t)p % page) % page;

	if (n > off)
		(void)madvise(
		    p + off, (n - off) / page * page, MADV_POPULATE_WRITE);
}

/* Read once more; false on error. */
static bool
hold(struct append *a, struct begin *g, int fd)
{
	char *p = buf_reserve(&g->held, HOLD);
	ssize_t n;

	populate(p, HOLD);
	do
		n = read(fd, p, HOLD);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		tool_warn("%s: %m", a->name);
		a->status = TOOL_FAILED;
		return false;
	}
	g->held.n += (size_t)n;
	g->eof = n == 0;
	return true;
}

/*
 * The next whole batch of what is held; false: none yet.  A page has few '#',
 * so that looking for them is faster than for the whole line.
 */
static bool
held_batch(struct begin *g, str *text)
{
	static const str eof = STR_INIT("# EOF\n");
	str s = str_skip(buf_str(&g->held), g->at);

	while (g->seen < s.n) {
		size_t n = g->seen + str_chr(str_skip(s, g->seen), '#');

		if (s.n - n < eof.n) {
			g->seen = n;
			return false;
		}
		g->seen = n + 1;
		if (n > 0 && s.p[n - 1] == '\n' &&
		    str_starts(str_skip(s, n), eof)) {
			*text = str_take(s, n + eof.n);
			g->seen = 0;
			return true;
		}
	}
	return false;
}

static size_t
lines_in(str s)
{
	size_t n = 0;

	while (s.n > 0) {
		n++;
		s = str_skip(s, str_chr(s, '\n') + 1);
	}
	return n;
}

/* Whole lines the long way. */
static bool
feed(struct append *a, struct batch_reader *r, str lines)
{
	batch_set_time(r, tool_now());
	batch_feed(r, lines);
	return take(a, r);
}

/* One batch: the short way if it can, else the long one; false to stop. */
static bool
take_text(struct append *a, struct batch_reader *r, struct begin *g, str text)
{
	struct error e;
	int k;

	a->opts.now = tool_now();
	k = store_append_text(a->s, text, &a->opts, &a->n, &e);
	if (k == -1) {
		tool_warn("%s", e.msg);
		a->status = TOOL_FAILED;
		return false;
	}
	if (k == 1) {
		a->batches++;
		g->misses = 0;
		batch_skip(r, lines_in(text));
		return true;
	}
	g->misses++;
	return feed(a, r, text);
}

/* False to stop; what is left of g->held belongs to what comes. */
static bool
begin(struct append *a, struct batch_reader *r, struct begin *g, int fd)
{
	str text;

	while (!g->eof && g->misses < MISSES) {
		buf_drop(&g->held, g->at);
		g->at = 0;
		if (g->held.n > HELD_MAX)
			return true;
		if (!hold(a, g, fd))
			return false;
		tool_progress(a->name, fd);
		while (g->misses < MISSES && held_batch(g, &text)) {
			g->at += text.n;
			if (!take_text(a, r, g, text))
				return false;
		}
		text = str_skip(buf_str(&g->held), g->at);
		if (!str_starts(text, str_take(STR("# BATCH "), text.n)))
			return true;
	}
	return true;
}

/* What is held and not done: whole lines are read, a part is left for l. */
static bool
pass_on(struct append *a, struct batch_reader *r, const struct begin *g,
    struct file_lines *l)
{
	str s = str_skip(buf_str(&g->held), g->at);
	size_t n = s.n;

	while (n > 0 && s.p[n - 1] != '\n')
		n--;
	buf_add(&l->buf, str_skip(s, n));
	return n == 0 || feed(a, r, str_take(s, n));
}

/* One input to its end; false to stop.  The first one makes the store. */
static bool
append(struct append *a, int fd)
{
	struct batch_reader *r =
	    batch_new(form_of(a), tool_now(), a->strict, report, a);
	struct begin g = { .at = 0 };
	struct file_lines l;
	struct error e;
	bool go = true;
	str text;
	int k;

	if (!a->dry && a->s == NULL)
		a->s = store_cmd_store(a->dir, STORE_WRITE);
	file_lines_init(&l, fd);
	if (!a->dry && form_of(a) == EXPO_MF) {
		go = begin(a, r, &g, fd) && pass_on(a, r, &g, &l);
		buf_fini(&g.held);
	}
	while (go && (k = file_lines_next(&l, &text, &e)) != 0) {
		if (k == -1) {
			tool_warn("%s: %s", a->name, e.msg);
			a->status = TOOL_FAILED;
			go = false;
		} else if (k == 1) {
			go = feed(a, r, text);
			tool_progress(a->name, fd);
		}
	}
	if (go) {
		batch_end(r);
		go = take(a, r);
	}
	file_lines_fini(&l);
	batch_free(r);
	return go;
}

static bool
append_file(struct append *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool go;

	a->name = path;
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)close(fd);
		fd = -1;
		errno = EISDIR;
	}
	if (fd == -1) {
		tool_warn("%s: %m", path);
		a->status = TOOL_FAILED;
		return true;
	}
	go = append(a, fd);
	(void)close(fd);
	return go;
}

static void
options(struct append *a, int argc, char **argv)
{
	struct opt limits[STORE_LIMITS + 1];
	const struct opt rows[] = {
		{ 'd', "dir", .text = &a->dir },
		{ 'n', "dry-run", .flag = &a->dry },
		{ 'S', "sync", .flag = &a->opts.sync },
		{ 0, "any-time", .flag = &a->opts.any_time },
		{ 0, "input", .text = &a->input },
		{ 0, "replace", .flag = &a->opts.replace },
		{ 0, "strict", .flag = &a->strict },
		{ .more = limits },
		{ .name = NULL },
	};

	store_cmd_limits_rows(limits, &a->opts.limits);
	opt_read(argc, argv, rows, OPT_NOW, store_cmd_usage);
	opt_operands(argc, argv);
	if (a->input != NULL && strcmp(a->input, "mf") != 0 &&
	    strcmp(a->input, "om") != 0 && strcmp(a->input, "text") != 0)
		tool_die(TOOL_USAGE, "--input: '%s' is not mf, om or text",
		    a->input);
}

/* What came of it, where it is not as the user may think. */
static void
sum_up(struct append *a)
{
	const struct store_counts *n = &a->n;

	store_cmd_tell(n, a->opts.replace);
	tool_note("%zu batches, %zu samples, %zu ends of series, "
		  "%zu already there",
	    a->batches, n->samples, n->stale, n->duplicates);
}

int
store_cmd_append(int argc, char **argv)
{
	struct append a = { .name = "stdin" };
	bool go = true;

	options(&a, argc, argv);
	argc -= optind;
	argv += optind;
	if (argc == 0)
		append(&a, STDIN_FILENO);
	for (int i = 0; i < argc && go; i++)
		go = append_file(&a, argv[i]);
	sum_up(&a);
	damaged_aside(a.s);
	store_close(a.s);
	return a.status;
}
