/*
 * DIR/scrape: "series", the log of what each target showed (appended to, a
 * process killed in the middle leaves a batch without its end, which is cut
 * off), and "targets", a batch a target with how it went, for others to read.
 * Somebody may remove them while we run: then both are written anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "metric/expo.h"
#include "scrape_cmd.h"

#define REWRITE ((size_t)1 << 20) /* a log below this is left alone */

static void
open_log(struct scrape_state *s, size_t size)
{
	const char *path = tool_path(s->dir, "scrape", "series");

	s->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (s->fd == -1 || ftruncate(s->fd, (off_t)size) == -1)
		tool_die(TOOL_FAILED, "%s: %s", path, strerror(errno));
	s->size = size;
}

void
scrape_state_open(
    struct scrape_state *s, const char *dir, struct scrape_memory *m)
{
	struct buf b = { 0 };
	struct error e;
	size_t n;

	*s = (struct scrape_state){ .dir = dir, .fd = -1 };
	if (dir == NULL)
		return;
	tool_own(dir, "scrape");
	if (file_read(tool_path(dir, "scrape", "series"), &b, &e) == -1 &&
	    errno != ENOENT)
		tool_die(TOOL_FAILED, "%s", e.msg);
	n = scrape_memory_load(m, buf_str(&b));
	if (n < b.n)
		tool_note("%s: an unfinished batch at its end is dropped",
		    tool_path(dir, "scrape", "series"));
	buf_fini(&b);
	open_log(s, n);
}

/* A log of which most is history, or that is lost, is written anew. */
static int
rewrite(
    struct scrape_state *s, struct scrape_memory *m, bool lost, struct error *e)
{
	struct buf b = { 0 };
	int rc = 0;

	scrape_memory_save(m, &b);
	s->saved = b.n;
	if (lost || b.n < s->size)
		rc = file_replace(tool_path(s->dir, "scrape", "series"),
		    buf_str(&b), 0644, e);
	if (rc == 0 && (lost || b.n < s->size)) {
		(void)close(s->fd);
		open_log(s, b.n);
	}
	buf_fini(&b);
	return rc;
}

/* Is the log's name another file's by now, or nobody's? */
static bool
is_lost(const struct scrape_state *s)
{
	struct stat now, own;

	return stat(tool_path(s->dir, "scrape", "series"), &now) == -1
	    ? errno == ENOENT
	    : fstat(s->fd, &own) == 0 &&
		(now.st_ino != own.st_ino || now.st_dev != own.st_dev);
}

/* The directory is ours still, or again; -1: it is not to be had. */
static int
own_again(const struct scrape_state *s, struct error *e)
{
	const char *lock = tool_path(s->dir, "scrape", "lock");
	struct buf b = { 0 };
	bool ours;

	if (file_mkdir(tool_path(s->dir, "scrape", ""), e) == -1)
		return -1;
	if (file_lock(lock, false, e) != -1)
		return 0;
	ours = file_read(lock, &b, NULL) == 0 &&
	    strtol(buf_cstr(&b), NULL, 10) == getpid();
	buf_fini(&b);
	return ours ? 0 : -1;
}

/* Told once, as all that the state can't have. */
static void
trouble(struct scrape_state *s, const struct error *e)
{
	if (!s->failed)
		tool_warn("%s", e->msg);
	s->failed = s->lost = true;
}

static int
find_again(struct scrape_state *s, struct scrape_memory *m)
{
	struct error e;

	if (!is_lost(s))
		return 0;
	if (own_again(s, &e) == -1 || rewrite(s, m, true, &e) == -1) {
		trouble(s, &e);
		return -1;
	}
	tool_warn("%s: was removed, and is written anew",
	    tool_path(s->dir, "scrape", "series"));
	return 0;
}

/*
 * A disk that is full costs the memory of what went on meanwhile, not the
 * scrapes: it is told once, and what stands half written is cut off.
 */
void
scrape_state_append(struct scrape_state *s, struct scrape_memory *m, str log)
{
	struct error e;

	if (s->fd == -1 || log.n == 0)
		return;
	if (file_write_fd(
		s->fd, tool_path(s->dir, "scrape", "series"), log, &e) == -1) {
		trouble(s, &e);
		if (ftruncate(s->fd, (off_t)s->size) == -1)
			tool_die(TOOL_FAILED, "%s", e.msg);
		return;
	}
	s->failed = false;
	s->size += log.n;
	if (s->size > REWRITE && s->size > 4 * s->saved)
		(void)rewrite(s, m, false, &e);
}

/* What the values of keys are printed in, for many targets. */
struct words {
	struct buf numbers[4], set;
};

static void
put_target(struct buf *b, const struct scrape_status *x, struct words *w)
{
	const int64_t numbers[] = { x->t->interval, x->t->timeout,
		x->took / 1000000, (int64_t)x->samples };
	struct expo_key keys[] = {
		{ STR_INIT("state"), STR("active"), true },
		{ STR_INIT("url"), x->t->url, true },
		{ STR_INIT("interval"), STR_NONE, false },
		{ STR_INIT("timeout"), STR_NONE, false },
		{ STR_INIT("took"), STR_NONE, false },
		{ STR_INIT("samples"), STR_NONE, false },
		{ STR_INIT("discovered"), STR_NONE, true },
		{ STR_INIT("error"), x->error, true },
	};

	for (size_t i = 0; i < 4; i++) {
		buf_reset(&w->numbers[i]);
		num_print_int(&w->numbers[i], numbers[i]);
		keys[i + 2].value = buf_str(&w->numbers[i]);
	}
	buf_reset(&w->set);
	label_print_set(&w->set, x->t->discovered);
	keys[6].value = buf_str(&w->set);
	expo_put_batch(b, x->t->labels, x->at, keys, x->error.n ? 8 : 7);
	expo_put_eof(b);
}

static void
put_dropped(struct buf *b, const struct scrape_dropped *d, int64_t now)
{
	struct expo_key keys[] = {
		{ STR_INIT("state"), STR("dropped"), true },
		{ STR_INIT("job"), d->job->name, true },
		{ STR_INIT("error"), d->error, true },
	};

	expo_put_batch(b, d->discovered, now, keys, d->error.n ? 3 : 2);
	expo_put_eof(b);
}

static void
put_failing(struct buf *b, str name, str what, int64_t now)
{
	struct label job = { STR("job"), name };
	struct expo_key keys[] = {
		{ STR_INIT("state"), STR("discovery"), true },
		{ STR_INIT("error"), what, true },
	};

	expo_put_batch(b, (struct labels){ &job, 1 }, now, keys, 2);
	expo_put_eof(b);
}

void
scrape_state_targets(struct scrape_state *s, struct scrape_memory *m,
    const struct scrape_status *v, size_t n, const struct scrape_set *set,
    const struct scrape_sd *sd, int64_t now)
{
	struct buf b = { 0 };
	struct words w = { 0 };
	struct error e;
	str job, what;

	if (s->dir == NULL || find_again(s, m) == -1)
		return;
	for (size_t i = 0; i < n; i++)
		put_target(&b, &v[i], &w);
	for (size_t i = 0; i < set->ndropped; i++)
		put_dropped(&b, &set->dropped[i], now);
	for (size_t i = 0; sd != NULL && scrape_sd_fault(sd, i, &job, &what);
	     i++)
		put_failing(&b, job, what, now);
	if (file_replace(tool_path(s->dir, "scrape", "targets"), buf_str(&b),
		0644, &e) == -1)
		trouble(s, &e);
	for (size_t i = 0; i < 4; i++)
		buf_fini(&w.numbers[i]);
	buf_fini(&w.set);
	buf_fini(&b);
}
