/*
 * The state's files.  Lines are only appended, so that a kill at any moment
 * leaves all lines whole but the last; a start rewrites them without what is
 * gone.  A write that fails is said and the messages go out all the same.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "notify_cmd.h"

#define GROWN ((size_t)4 << 20)

static int
open_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1)
		tool_die(TOOL_FAILED, "%s: %s", path, strerror(errno));
	return fd;
}

/* The file's text; empty if it is not there. */
static void
slurp(const char *path, struct buf *b)
{
	struct error e;

	if (file_read(path, b, &e) == -1 && errno != ENOENT)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

static void
rewrite(const char *path, const struct buf *old, const struct buf *new)
{
	struct error e;

	if (str_eq(buf_str(old), buf_str(new)))
		return;
	if (file_replace(path, buf_str(new), 0644, &e) == -1)
		tool_die(TOOL_FAILED, "%s", e.msg);
}

static void
load(struct notify_files *f, const char *dir, struct notify *n, int64_t now)
{
	const char *alerts = tool_path(dir, "notify", "alerts");
	const char *log = tool_path(dir, "notify", "log");
	struct buf a = { 0 }, b = { 0 }, fresh = { 0 };
	size_t bad;

	slurp(log, &b);
	slurp(alerts, &a);
	bad = notify_load_log(n, buf_str(&b), now);
	bad += notify_load_alerts(n, buf_str(&a));
	if (bad > 0)
		tool_note(
		    "%s: %zu lines of the state could not be read", dir, bad);
	if (!f->off) {
		notify_trim_log(buf_str(&b), now, &fresh);
		rewrite(log, &b, &fresh);
		buf_reset(&fresh);
		notify_dump_alerts(n, &fresh);
		rewrite(alerts, &a, &fresh);
		f->compacted = f->size = fresh.n;
		f->alerts = open_append(alerts);
		f->log = open_append(log);
	}
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&fresh);
}

void
notify_files_open(struct notify_files *f, const struct notify_options *o,
    struct notify *n, int64_t now)
{
	*f = (struct notify_files){ .off = o->dry, .alerts = -1, .log = -1 };
	if (!o->dry)
		tool_own(tool_dir(o->dir), "notify");
	if (!o->dry || o->dir != NULL) {
		f->dir = tool_dir(o->dir);
		load(f, f->dir, n, now);
		notify_files_silences(f, n);
	}
}

void
notify_files_close(struct notify_files *f)
{
	if (f->alerts != -1)
		close(f->alerts);
	if (f->log != -1)
		close(f->log);
}

static void
append(
    struct notify_files *f, int fd, const char *name, struct buf *b, bool sync)
{
	struct error e;

	if (b->n > 0 && file_write_fd(fd, name, buf_str(b), &e) == -1) {
		if (!f->failed)
			tool_warn("%s", e.msg);
		f->failed = true;
	} else if (sync && fdatasync(fd) == -1) {
		if (!f->failed)
			tool_warn("%s: %s", name, strerror(errno));
		f->failed = true;
	}
	buf_reset(b);
}

/* Rewrite the alerts once the file is mostly history. */
static void
compact(struct notify_files *f, struct notify *n)
{
	const char *path = tool_path(f->dir, "notify", "alerts");
	struct buf b = { 0 };
	struct error e;

	notify_dump_alerts(n, &b);
	if (file_replace(path, buf_str(&b), 0644, &e) == -1)
		tool_warn("%s", e.msg);
	else {
		close(f->alerts);
		f->alerts = open_append(path);
	}
	f->compacted = f->size = b.n;
	buf_fini(&b);
}

void
notify_files_write(struct notify_files *f, struct notify *n, bool sync)
{
	struct notify_journal *j = notify_journal(n);

	if (f->off) {
		buf_reset(&j->alerts);
		buf_reset(&j->log);
		return;
	}
	f->size += j->alerts.n;
	append(f, f->alerts, "notify/alerts", &j->alerts, sync);
	if (j->log.n > 0)
		append(f, f->log, "notify/log", &j->log, sync);
	if (f->size > GROWN && f->size / 4 > f->compacted)
		compact(f, n);
}

void
notify_files_silences(struct notify_files *f, struct notify *n)
{
	const char *path;
	struct buf b = { 0 };
	struct stat st;
	int64_t at;
	size_t bad;

	if (f->dir == NULL)
		return;
	path = tool_path(f->dir, "notify", "silences");
	if (stat(path, &st) == -1)
		return;
	at = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (at == f->silences_at && st.st_size == f->silences_size)
		return;
	f->silences_at = at;
	f->silences_size = st.st_size;
	slurp(path, &b);
	if ((bad = notify_load_silences(n, buf_str(&b))) > 0)
		tool_warn("%s: %zu lines are no silences", path, bad);
	buf_fini(&b);
}
