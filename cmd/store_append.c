/*
 * mf-store append: batches from stdin or files into the store, each committed
 * as soon as it is complete.
 */
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

#define HOLD ((size_t)1 << 16) /* read at once */
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
 * The beginning of an input, the short way (store_text_take): batch after batch
 * as they come, in a buffer that is as small as it can be, for a page of memory
 * costs more than all else that is done with a page of text.
 */
struct begin {
	struct buf held;
	size_t at;       /* what of it is done */
	struct buf back; /* what the long way must have first */
	unsigned misses; /* batches in a row that went the long way */
	bool through;    /* in such a one */
	bool inside;     /* in one that goes the short way */
};

/* Read once more: 1, 0 at the end, -1 on error. */
static int
hold(struct append *a, struct begin *g, int fd)
{
	ssize_t n;

	buf_drop(&g->held, g->at);
	g->at = 0;
	if (g->held.cap - g->held.n < HOLD / 2)
		(void)buf_reserve(&g->held, HOLD - 1);
	do
		n = read(fd, g->held.p + g->held.n, g->held.cap - g->held.n);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		tool_warn("%s: %m", a->name);
		a->status = TOOL_FAILED;
		return -1;
	}
	g->held.n += (size_t)n;
	tool_progress(a->name, fd);
	return n > 0;
}

/* Whole lines the long way. */
static bool
feed(struct append *a, struct batch_reader *r, str lines)
{
	batch_set_time(r, tool_now());
	batch_feed(r, lines);
	return take(a, r);
}

/* What is held and not done, as far as its lines are whole. */
static str
rest(const struct begin *g)
{
	str s = str_skip(buf_str(&g->held), g->at);

	while (s.n > 0 && s.p[s.n - 1] != '\n')
		s.n--;
	return s;
}

/* The end of the batch that went the long way, as far as it is held. */
static bool
go_through(struct append *a, struct batch_reader *r, struct begin *g)
{
	static const char eof[] = "\n# EOF\n";
	str s = rest(g);
	const char *p = memmem(s.p, s.n, eof, sizeof(eof) - 1);

	g->through = false;
	if (str_starts(s, STR("# EOF\n")))
		s = str_take(s, sizeof(eof) - 2);
	else if (p != NULL)
		s = str_from(s.p, p + sizeof(eof) - 1);
	else
		g->through = true; /* it goes on in what is read next */
	g->at += s.n;
	return feed(a, r, s);
}

/* Some of a batch the short way; false to stop. */
static bool
take_text(struct append *a, struct batch_reader *r, struct begin *g)
{
	str s = str_skip(buf_str(&g->held), g->at);
	size_t n = s.n, lines;
	struct error e;
	bool go;
	int k;

	a->opts.now = tool_now();
	k = store_text_take(a->s, &s, &a->opts, &a->n, &lines, &g->back, &e);
	g->at += n - s.n;
	g->inside = k == 2;
	switch (k) {
	case -1:
		tool_warn("%s", e.msg);
		a->status = TOOL_FAILED;
		return false;
	case 1:
		a->batches++;
		g->misses = 0;
		batch_skip(r, lines);
		return true;
	case 0:
		g->misses++;
		g->through = true;
		go = feed(a, r, buf_str(&g->back));
		buf_reset(&g->back);
		return go;
	}
	return true;
}

/* What began the short way and did not end must go the other. */
static bool
give_up(struct append *a, struct batch_reader *r, struct begin *g)
{
	struct error e;

	if (store_text_back(a->s, &g->back, &e) == 0)
		return feed(a, r, buf_str(&g->back));
	tool_warn("%s", e.msg);
	a->status = TOOL_FAILED;
	return false;
}

/* False to stop; what is left of g->held belongs to what comes. */
static bool
begin(struct append *a, struct batch_reader *r, struct begin *g, int fd)
{
	static const str word = STR_INIT("# BATCH ");
	int k = 1;

	while (k == 1 && g->held.n - g->at <= HELD_MAX) {
		str s = rest(g);
		bool go;

		if (s.n == 0) {
			k = hold(a, g, fd);
			continue;
		}
		if (g->through)
			go = go_through(a, r, g);
		else if (g->inside ||
		    (g->misses < MISSES && str_starts(s, word)))
			go = take_text(a, r, g);
		else
			return true;
		if (!go)
			return false;
	}
	return k != -1 && give_up(a, r, g);
}

/* What is held and not done: whole lines are read, a part is left for l. */
static bool
pass_on(struct append *a, struct batch_reader *r, const struct begin *g,
    struct file_lines *l)
{
	str s = rest(g);

	buf_add(&l->buf, str_skip(buf_str(&g->held), g->at + s.n));
	return s.n == 0 || feed(a, r, s);
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
		buf_fini(&g.back);
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
